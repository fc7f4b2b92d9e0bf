"""`os` as boards have it: uname() is there."""

from collections import namedtuple

import _host
from uos import *  # noqa: F403

_Uname = namedtuple("uname", ("sysname", "nodename", "release", "version", "machine"))


def uname():
    port = _host.boot["port"]
    return _Uname(port, port, "1.28.0", "v1.28.0 on 2026-04-06", _host.boot["machine"])


def sync():
    pass


def _used(folder):
    blocks = 0
    for entry in ilistdir(folder):  # noqa: F405
        if entry[1] == 0x4000:
            blocks += 1 + (0 if entry[0] == ".rom" else _used(folder + "/" + entry[0]))
        else:
            blocks += (stat(folder + "/" + entry[0])[6] + 4095) // 4096  # noqa: F405
    return blocks


def statvfs(path):
    """The board's own flash, not this machine's disk."""
    total = _host.boot["flash_kb"] // 4
    free = max(0, total - _used(""))
    return (4096, 4096, total, free, free, 0, 0, 0, 0, 255)
