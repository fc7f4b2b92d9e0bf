"""Aligned slots: which one is due, which was served, how long until the next.

    sampling = Schedule(900, device_offset(board.unique_id(), 900))
    slot = sampling.due(now)           -> 1790000100, the slot's own start; None: nothing is due
    sampling.serve(slot)               it will not come again, whatever the clock does
    sampling.seconds_to_next(now)      -> 874

A slot starts at k * period + offset and is named by that start, in the seconds of the caller's `now` (Unix time, or
the port's count until that is known: call rebase(clock.moved) when it becomes known). The served slot is state,
never a comparison with the clock: a sleep clock that runs fast wakes a node before its slot, and a scheduler that
compares serves the slot twice (Tasmota issue 21423). A wake up to max(5 s, 2 % of the sleep) early serves the slot
at once; earlier ones sleep again. Missed slots are counted in `missed` and skipped, never replayed.
"""

from binascii import crc32
from struct import pack, unpack

from micropython import const

_EARLY_S = const(5)
_SPREAD_S = const(600)
_VERSION = const(1)
_FORMAT = const("<BBqII")
_BYTES = const(18)


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
        self._late = 0
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
        self._late = max(0, now - slot)
        return slot

    def serve(self, due: int) -> None:
        """Count a slot as served; older ones cannot come any more. Slots passed over are counted as missed."""
        served = self.served
        if served is None or due > served:
            self.missed += max(0, (due - served) // self.interval_s - 1) if served is not None else 0
            self.served = due

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

        Nearest to the moment at which it was served, in the same wake: so the next comes half a period later at least.
        """
        if self.served is not None and moved:
            self.served = self._start(self.served + self._late + moved + self.interval_s // 2)

    def dump(self) -> bytes:
        """Return what must survive sleep (18 bytes)."""
        return pack(_FORMAT, _VERSION, self.served is not None, self.served or 0, self.missed, self._early)

    def load(self, data: bytes | None) -> bool:
        """Take up what dump() gave. False: nothing usable in data, the schedule is as new."""
        if not data or len(data) != _BYTES or data[0] != _VERSION:
            return False
        _, known, served, self.missed, early = unpack(_FORMAT, data)
        self.served = served if known else None
        self._early = min(early, self.period_s // 2)
        return True
