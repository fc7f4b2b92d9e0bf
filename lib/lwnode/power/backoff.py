"""When to try again: exponential with full jitter, remembered over sleep.

    backoff = Backoff()
    backoff.failed(now)                1st failure: 30 to 60 s, doubling up to 6 h, and to a day after four days in vain
    backoff.failed(now, "denied")      the network refused (+CEREG: 3): as after six failures
    backoff.failed(now, "no_sim")      once a day: only a person can help
    backoff.failed(now, "line")        the module lost answers: an hour at most, or half the time without success
    backoff.ready(now)                 -> False
    backoff.succeeded()                only success resets the level

delay = U(0, min(cap, base * 2^n)), at least the floor. A thousand nodes that lost their server together come back
spread over the whole window (full jitter). Above the cap there is one try in each cap interval, at a random place
in it. The cap is a quarter of the time without success, from 6 h to a day: what has failed for long costs little. This sits
above the module's own retries (BG96: 30 s doubling to 640 s; BC66: registration, server, bootstrap in a chain): ask the
module's status before registering again.
"""

import random
from struct import pack, unpack

from micropython import const

_LEVEL_DENIED = const(6)
_LINE_S = const(3840)  # a fault of the line says nothing about the network, and may be over from one byte to the next
_DAY_S = const(86400)
_BASE_S = const(60)
_CAP_S = const(21600)
_FLOOR_S = const(30)
_LEVEL_MAX = const(30)
_VERSION = const(3)
_FORMAT = const("<BBIIII")
_BYTES = const(18)
_MASK = const(0xFFFFFFFF)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable


def _uniform(limit: int) -> int:
    """Return a random whole number from 0 to limit. Both ports seed `random` from the chip's noise at boot."""
    return random.getrandbits(30) % (limit + 1)


class Backoff:
    """Delays in seconds; `now` is whatever the caller's clock counts. `uniform(n)` draws from 0 to n inclusive."""

    def __init__(self, uniform: "Callable[[int], int]" = _uniform) -> None:
        self._uniform = uniform
        self.level = 0
        self._first = 0  # when the first failure since the last success was
        self.since = 0  # when the last one was
        self._delay = 0  # 0: none, the last try succeeded
        self._spare = 0  # what is left of the present cap interval

    def failed(self, now: int, reason: str = "") -> int:
        """Count a failure and return the delay before the next try. reason: "denied", "no_sim", "no_pin", "line" or other."""
        if not self._delay or now < self._first:
            self._first = now
        if reason == "denied":
            self.level = max(self.level, _LEVEL_DENIED)
        in_vain = now - self._first
        cap = max(_CAP_S, min(in_vain // 4, _DAY_S))
        window = _BASE_S << self.level
        if reason == "line":
            window = min(window, max(_LINE_S, in_vain // 2))
        if reason in ("no_sim", "no_pin"):
            delay = _DAY_S - self._uniform(_DAY_S // 24)
        elif window < cap:
            delay = self._uniform(window)
        else:
            place = self._uniform(cap)
            delay = min(self._spare, cap) + place
            self._spare = cap - place
        self.since = now
        self._delay = max(_FLOOR_S, delay)
        self.level = min(self.level + 1, _LEVEL_MAX)
        return self._delay

    def succeeded(self) -> None:
        """Reset: the next failure starts small again."""
        self.level = self._spare = self._delay = 0

    def remaining(self, now: int) -> int:
        """Return the seconds until a try is allowed, 0 when it is. A clock that stepped back cannot prolong the delay."""
        self.since = min(self.since, now)
        return max(0, self._delay - (now - self.since))

    def ready(self, now: int) -> bool:
        """Return whether a try is allowed now."""
        return self.remaining(now) == 0

    def rebase(self, moved: int) -> None:
        """Follow a step of the clock (Clock.moved)."""
        self._first += moved
        self.since += moved

    def dump(self) -> bytes:
        """Return what must survive sleep (18 bytes)."""
        return pack(_FORMAT, _VERSION, self.level, self._first & _MASK, self.since & _MASK, self._delay, self._spare)

    def load(self, data: bytes | None) -> bool:
        """Take up what dump() gave, values out of range clamped. False: nothing usable in data."""
        if not data or len(data) != _BYTES or data[0] != _VERSION:
            return False
        _, level, self._first, self.since, delay, spare = unpack(_FORMAT, data)
        self.level = min(level, _LEVEL_MAX)
        self._delay = min(delay, 2 * _DAY_S)
        self._spare = min(spare, _DAY_S)
        return True
