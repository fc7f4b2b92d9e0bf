"""The port's `time`: its own epoch, a clock that the runner's sleep moves on, ticks that wrap at 2**30 as on a 32-bit board."""

import _host
import utime
from utime import sleep, sleep_ms, sleep_us

_WRAP = 1 << 30
_EPOCH = _host.boot["epoch"]  # Unix time of the port's zero
_gmtime = utime.gmtime
_mktime = utime.mktime


def ticks_ms():
    return (_host.uptime() + _host.boot["ticks"]) & (_WRAP - 1)


def ticks_us():
    return utime.ticks_us() & (_WRAP - 1)


ticks_cpu = ticks_us


def ticks_add(ticks, delta):
    return (ticks + delta) & (_WRAP - 1)


def ticks_diff(a, b):
    return ((a - b + (_WRAP >> 1)) & (_WRAP - 1)) - (_WRAP >> 1)


def time():
    return (_host.world() + _host.boot["rtc"]) // 1000


def time_ns():
    return (_host.world() + _host.boot["rtc"]) * 1000000


def gmtime(seconds=None):
    return _gmtime((time() if seconds is None else int(seconds)) + _EPOCH)[:8]


localtime = gmtime


def mktime(fields):
    return int(_mktime(fields)) - _EPOCH


def _set(seconds):
    """What RTC().datetime(...) does: the runner keeps it over whatever this port's clock survives."""
    _host.boot["rtc"] = seconds * 1000 - _host.world()
    _host.tell("rtc", _host.boot["rtc"])
