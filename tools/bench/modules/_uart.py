"""`machine.UART` in virtual time: wait(ms) jumps to the next byte."""

import _host


def garble():
    _host.ask("garble")


class UART:
    RTS = 1
    CTS = 2

    def __init__(self, id, baudrate=115200, **settings):
        self.init(baudrate)

    def init(self, baudrate=None, **settings):
        _host.ask("uart", baudrate)

    def deinit(self):
        pass

    def any(self):
        return _host.ask("any")

    def wait(self, ms):
        return _host.ask("wait", ms)

    def readinto(self, buf, count=-1):
        data = bytes.fromhex(_host.ask("read", len(buf) if count < 0 else min(count, len(buf))))
        buf[: len(data)] = data
        return len(data) or None

    def read(self, count=256):
        return bytes.fromhex(_host.ask("read", count)) or None

    def write(self, data):
        return _host.ask("write", bytes(data).hex())

    def txdone(self):
        return True

    def flush(self):
        pass
