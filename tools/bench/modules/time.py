"""`time` in virtual time, on the port's epoch, with ticks that wrap at 2**30."""

import _host
from utime import gmtime as _gmtime
from utime import mktime as _mktime

_WRAP = 1 << 30


def ticks_ms():
    return _host.uptime() & (_WRAP - 1)


def ticks_us():
    return _host.uptime() * 1000 & (_WRAP - 1)


def ticks_add(ticks, delta):
    return (ticks + delta) & (_WRAP - 1)


def ticks_diff(a, b):
    return ((a - b + (_WRAP >> 1)) & (_WRAP - 1)) - (_WRAP >> 1)


def sleep_ms(ms):
    _host.ask("pause", ms)


def sleep(seconds):
    sleep_ms(int(seconds * 1000))


def time():
    return _host.ask("seconds")


def gmtime(seconds=None):
    return _gmtime((time() if seconds is None else int(seconds)) + _host.boot["epoch"])[:8]


localtime = gmtime


def mktime(fields):
    return int(_mktime(tuple(fields) + (0,) * (9 - len(fields)))) - _host.boot["epoch"]


def _set(seconds):
    _host.ask("rtc", seconds)
