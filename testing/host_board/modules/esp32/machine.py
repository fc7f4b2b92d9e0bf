"""`machine` of the ESP32 port: deep sleep ends everything but RTC memory and NVS."""

import _host
import _machine
from _machine import *  # noqa: F403
from _machine import ADC as _Adc
from _machine import RTC as _Rtc

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5
PIN_WAKE = EXT0_WAKE = 2
EXT1_WAKE = 3
TIMER_WAKE = 4
TOUCHPAD_WAKE = 5
ULP_WAKE = 6


class ADC(_Adc):
    """Calibrated, as this port's is."""

    def __init__(self, pin, *, atten=3):
        super().__init__(pin)

    def atten(self, value):
        pass

    def width(self, bits):
        pass

    def read_uv(self):
        return _host.ask("adc", self._id) * 1000


class RTC(_Rtc):
    """Calendar and 2048 bytes of memory."""

    def memory(self, data=None):
        if data is None:
            found = bytearray(_host.ask("rtc_memory_length"))
            for start in range(0, len(found), 128):
                found[start : start + 128] = bytes.fromhex(_host.ask("rtc_memory_piece", start, 128))
            return bytes(found)
        if len(data) > 2048:
            raise ValueError("buffer too long")
        # In pieces: a board copies its 2048 bytes without a heap, so this one must not need 8 KB of it.
        data = memoryview(data)
        for start in range(0, max(len(data), 1), 128):
            _host.ask("rtc_memory", start, len(data), bytes(data[start : start + 128]).hex())
        return None


def deepsleep(time_ms=0):
    import esp32

    far = () if hasattr(esp32, "wake_on_ext0") else _host.boot["waking"]
    if [pin for pin in esp32.gpio if pin not in far]:
        raise ValueError("wake-up pin not supported")
    _host.stop("deepsleep", time_ms)


def lightsleep(time_ms=0):
    _machine.sleep(time_ms)


def wake_reason():
    return _host.boot["wake_reason"]


_freq = 160000000


def freq(hz=None):
    global _freq
    if hz is None:
        return _freq
    if hz not in (20000000, 40000000, 80000000, 160000000, 240000000):
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
    _freq = hz
    return None

