"""`machine` of the RP2 port: sleep returns with RAM kept; UART and CPU frequency are spoilt, what came is lost."""

import _host
import _machine
from _machine import *  # noqa: F403

PWRON_RESET = 1
WDT_RESET = 3

_DEFAULT_HZ = 125000000
_freq = _DEFAULT_HZ


def freq(hz=None):
    global _freq
    if hz is None:
        return _freq
    _freq = hz
    return None


def lightsleep(time_ms=None):
    global _freq
    if time_ms is None:
        _host.stop("dormant")
    if time_ms > 4294966:
        raise ValueError("sleep too long")
    _machine.sleep(time_ms)
    _freq = _DEFAULT_HZ
    _machine.garble()


def deepsleep(time_ms=None):
    lightsleep(time_ms)
    _host.stop("reset")


class _Registers:
    """mem32 of the registers that keep something over a reset; no other address is there."""

    def __getitem__(self, address):
        value = _host.ask("peek", address)
        return value - (1 << 32) if value & 0x80000000 else value  # extmod/machine_mem.c: a signed word

    def __setitem__(self, address, value):
        _host.ask("poke", address, value & 0xFFFFFFFF)


mem32 = _Registers()
