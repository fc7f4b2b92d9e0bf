"""`rp2`: what a sensor node may ask of it."""


def bootsel_button():
    return 0


def country(code=None):
    return code or "XX"


class Flash:
    """The block device under the filesystem: its size alone is played, the files lie in a folder."""

    def __init__(self, *, start=-1, len=-1):
        pass

    def ioctl(self, op, arg):
        import _host

        return {4: _host.boot["flash_kb"] // 4, 5: 4096}.get(op, 0)
