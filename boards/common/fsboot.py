"""Mount the filesystem at boot: format a blank chip, keep a damaged one as it is, never loop. Frozen into the firmware.

    import fsboot
    fsboot.mount(device, format, "/")   # from _boot.py of the port
    fsboot.state                        -> "ok"; "blank": was formatted just now; "lost": a RAM disk stands in

MicroPython's own _boot.py formats on any mount error on RP2 (ports/rp2/modules/_boot.py: the configuration is gone without a
word), and loops awake for ever on ESP32 (ports/esp32/modules/inisetup.py, fs_corrupted: the battery is gone). Here a
filesystem that does not mount stays untouched for rescue; the node runs from frozen code on an empty RAM disk, takes
its identity from the protected store and reports state "lost". A person or the server then decides on erase().

The RAM disk takes 8 KB of heap, and only when the filesystem is lost.
"""

import vfs

state = "ok"
reason = ""
_device = None
_format = None
_RAM_BLOCK = 512
_RAM_BLOCKS = 16


class RamDisk:
    """A block device in RAM (MicroPython's extended interface, which littlefs needs)."""

    def __init__(self):
        self._data = bytearray(_RAM_BLOCK * _RAM_BLOCKS)

    def readblocks(self, block, buf, offset=0):
        """Copy out."""
        at = block * _RAM_BLOCK + offset
        buf[:] = self._data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        """Copy in."""
        at = block * _RAM_BLOCK + offset
        self._data[at : at + len(buf)] = buf

    def ioctl(self, op, arg):
        """Count and size of blocks; erasing needs nothing."""
        if op == 4:
            return _RAM_BLOCKS
        if op == 5:
            return _RAM_BLOCK
        return 0


def _is_blank(device):
    """Whether the first two blocks, where littlefs keeps its superblock, were never written."""
    block = bytearray(device.ioctl(5, 0))
    empty = b"\xff" * len(block)
    for number in (0, 1):
        device.readblocks(number, block)
        if block != empty:
            return False
    return True


def mount(device, format, path="/", **options):
    """Mount device at path. format(device) makes a filesystem and is called for a blank chip only.

    options go to vfs.VfsLfs2. Sets state and reason; never raises for what is on the device.
    """
    global state, reason, _device, _format
    _device, _format = device, format
    try:
        if _is_blank(device):
            format(device)
            state = "blank"
        else:
            state = "ok"
        vfs.mount(_filesystem(device, options), path)
        reason = ""
        return
    except OSError as error:
        reason = "mount failed: error %s" % (error.args[0] if error.args else "?")
    state = "lost"
    disk = RamDisk()
    vfs.VfsLfs2.mkfs(disk)
    vfs.mount(vfs.VfsLfs2(disk), path)


def _filesystem(device, options):
    try:
        return vfs.VfsLfs2(device, **options)
    except OSError:
        # An ESP32 that came with TinyUF2 has FAT on its partition.
        if not hasattr(vfs, "VfsFat"):
            raise
        return vfs.VfsFat(device)


def erase():
    """Make a new, empty filesystem in place of a lost one: everything on it is gone. Restart the board afterwards."""
    if _device is None or _format is None:
        raise OSError("nothing was mounted by this firmware's own boot")
    _format(_device)
