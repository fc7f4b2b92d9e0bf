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
