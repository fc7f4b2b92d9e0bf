"""When to wake: aligned slots, which one is due and which was served; and when to try again after a failure.

    sampling = Schedule(900, device_offset(board.unique_id(), 900))
    slot = sampling.due(now)           -> 1790000100, the slot's own start; None: nothing is due
    sampling.serve(slot)               it will not come again, whatever the clock does
    sampling.seconds_to_next(now)      -> 874

A slot starts at k * period + offset and is named by that start, in the seconds of the caller's `now` (Unix time, or
the port's count until that is known: call rebase(clock.moved) when it becomes known). The served slot is state,
never a comparison with the clock: a sleep clock that runs fast wakes a node before its slot, and a scheduler that
compares serves the slot twice (Tasmota issue 21423). A wake up to max(5 s, 2 % of the sleep) early serves the slot
at once; earlier ones sleep again. Missed slots are counted in `missed` and skipped, never replayed.

When to try again: exponential with full jitter, remembered over sleep.

    backoff = Backoff()
    backoff.failed(now)                1st failure: 30 to 60 s, doubling up to 6 h, and to a day after four days in vain
    backoff.failed(now, "denied")      the network refused (+CEREG: 3): as after six failures
    backoff.failed(now, "no_sim")      once a day: only a person can help
    backoff.failed(now, "line")        the module lost answers: an hour at most, or half the time without success
    backoff.failed(now, "", 65)        65 s awake: after a day in vain they are rested for, 2000 times as long, a day at most
    backoff.ready(now)                 -> False
    backoff.succeeded()                only success resets the level

delay = U(0, min(cap, base * 2^n)), at least the floor. A thousand nodes that lost their server together come back
spread over the whole window (full jitter). Above the cap there is one try in each cap interval, at a random place
in it. The cap is a quarter of the time without success, from 6 h to a day: what has failed for long costs little. This sits
above the module's own retries (BG96: 30 s doubling to 640 s; BC66: registration, server, bootstrap in a chain): ask the
module's status before registering again.
"""

import random
from binascii import crc32
from struct import pack, unpack

from micropython import const

_EARLY_S = const(5)
_SPREAD_S = const(600)
_VERSION = const(2)
_FORMAT = const("<BBIIII")
_BYTES = const(18)
_BEFORE_0 = const(0xF0000000)  # from here on a slot of 32 bits lies before the count's zero, not after the year 2097
_LEVEL_DENIED = const(6)
_LINE_S = const(3840)  # a fault of the line says nothing about the network, and may be over from one byte to the next
_DAY_S = const(86400)
_REST = const(2000)
_BASE_S = const(60)
_CAP_S = const(21600)
_FLOOR_S = const(30)
_LEVEL_MAX = const(30)
_TRY_VERSION = const(3)
_TRY_FORMAT = const("<BBIIII")
_TRY_BYTES = const(18)
_MASK = const(0xFFFFFFFF)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable


def device_offset(unique_id: bytes, period_s: int, window_s: int = _SPREAD_S) -> int:
    """Return this device's own delay within a period, the same for ever: crc32(id) mod min(period / 4, window).

    Nodes switched on together then contact the server evenly over the window, at period/4 seconds at most after the
    aligned time. A period below 4 s has no room and gets 0.
    """
    window = min(period_s // 4, window_s)
    return crc32(unique_id) % window if window > 0 else 0


class Schedule:
    """Slots of `period_s` seconds, shifted by `offset_s`; `stretch` multiplies the period (battery bands)."""

    def __init__(self, period_s: int, offset_s: int = 0) -> None:
        self.stretch = 1
        self.missed = 0
        self.served: int | None = None  # the slot served last
        self._late = self._passed = 0  # seconds after its start: served, and found due last
        self.change(period_s, offset_s)

    def change(self, period_s: int, offset_s: int) -> None:
        """Go on with another period; a slot that was served under the old one stays served."""
        self.period_s = period_s
        self.offset_s = offset_s
        self._early = min(_EARLY_S, period_s // 2)

    def forget(self) -> None:
        """Have a slot due at once, as after a fresh start."""
        self.served = None

    @property
    def interval_s(self) -> int:
        """The period in force, in seconds."""
        return self.period_s * self.stretch

    def _start(self, now: int) -> int:
        return (now - self.offset_s) // self.interval_s * self.interval_s + self.offset_s

    def _correct(self, now: int) -> None:
        """After a clock step backwards the served slot lies in the future: the nearest one counts as served instead."""
        if self.served is not None and self.served > now + self.period_s // 2 + 1:
            self.served = self._start(now + self.interval_s // 2)

    def due(self, now: int) -> int | None:
        """Return the slot to serve now, or None. The very first call after a fresh start has one due at once."""
        self._correct(now)
        slot = self._start(now + self._early)
        if self.served is not None and slot <= self.served:
            return None
        self._passed = max(0, now - slot)
        return slot

    def serve(self, due: int) -> None:
        """Count a slot as served; older ones cannot come any more. Slots passed over are counted as missed."""
        served = self.served
        if served is None or due > served:
            self.missed += max(0, (due - served) // self.interval_s - 1) if served is not None else 0
            self.served, self._late = due, self._passed

    def seconds_to_next(self, now: int) -> int:
        """Return the seconds until a slot is due that was not served (0: now). Sets what counts as a slightly early wake."""
        self._correct(now)
        if self.served is None:
            return 0
        following = max(self._start(now), self._start(self.served) + self.interval_s)
        if following <= self.served:
            following += self.interval_s
        wait = max(0, following - now)
        self._early = min(max(_EARLY_S, wait // 50), self.period_s // 2)
        return wait

    def rebase(self, moved: int) -> None:
        """Follow a step of the clock (Clock.moved): what was served before it counts as the nearest slot of the new time.

        Nearest to the moment at which it was served, however many wakes ago: so the next comes half a period later at least.
        """
        if self.served is not None and moved:
            self.served = self._start(self.served + self._late + moved + self.interval_s // 2)

    def dump(self) -> bytes:
        """Return what must survive sleep (18 bytes)."""
        served = self.served
        return pack(_FORMAT, _VERSION, served is not None, (served or 0) & _MASK, self.missed, self._early, self._late)

    def load(self, data: bytes | None) -> bool:
        """Take up what dump() gave. False: nothing usable in data, the schedule is as new."""
        if not data or len(data) != _BYTES or data[0] != _VERSION:
            return False
        _, known, served, self.missed, early, self._late = unpack(_FORMAT, data)
        self.served = (served - (1 << 32) if served >= _BEFORE_0 else served) if known else None
        self._early = min(early, self.period_s // 2)
        return True


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

    def failed(self, now: int, reason: str = "", cost_s: int = 0) -> int:
        """Count a failure and return the delay before the next try. reason: "denied", "no_sim", "no_pin", "line" or other.

        cost_s: how long the try has kept the node awake. After a day without success tries take 43 s a day, or are one.
        """
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
        self._delay = max(_FLOOR_S, delay, min(cost_s * _REST, _DAY_S) if in_vain >= _DAY_S else 0)
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
        return pack(_TRY_FORMAT, _TRY_VERSION, self.level, self._first & _MASK, self.since & _MASK, self._delay, self._spare)

    def load(self, data: bytes | None) -> bool:
        """Take up what dump() gave, values out of range clamped. False: nothing usable in data."""
        if not data or len(data) != _TRY_BYTES or data[0] != _TRY_VERSION:
            return False
        _, level, self._first, self.since, delay, spare = unpack(_TRY_FORMAT, data)
        self.level = min(level, _LEVEL_MAX)
        self._delay = min(delay, 2 * _DAY_S)
        self._spare = min(spare, _DAY_S)
        return True
