"""Unix time from a port's own count, a network's answers and a learnt drift.

    clock = Clock(board.clock)
    clock.unix()                       -> None: nobody has said yet
    stamp = clock.stamp()              -> (814203311, 7)   an epoch id and seconds of that epoch
    clock.set_unix(1790000000, "network")  -> True; clock.moved says by how much now() jumped
    clock.stamp()                      -> (0, 1790000000)  epoch 0 is Unix time
    clock.resolve(stamp)               -> 1789999990       the reading taken earlier gets its time
    clock.sleep_ms(900)                -> 891089           what a sleep clock that is 1 % slow must be asked for

The port's count starts in 2000 on ESP32 and in 2021 at each boot of an RP2 (MicroPython ports/rp2/main.c); only its
differences are used. When it lost its continuity (its `count_id` is another than the one saved, `kept` is False, or it ran
backwards) a new epoch begins; readings stamped in an epoch resolve when that epoch was synchronised, during it or later from
the four kept past ones, else they travel without a time. Epoch ids are random, so a reset before the state was saved cannot
confuse two epochs.

Sanity: years 2024 to 2099 only (an unset module says 1980, 1970 or 2000); a step of more than 120 s + 5 % of the
time since the last answer is refused once and believed when a second answer agrees with it, over sleep too, except from
"server" and "user". Drift is learnt from answers at least 30 min apart, filtered, clamped to 5 % (users measure up to 38 s/h
on ESP32).
"""

import random
from struct import pack, unpack_from

from micropython import const

_EARLIEST = const(1704067200)  # 2024-01-01
_LATEST = const(4102444800)  # 2100-01-01
_STEP_S = const(120)
_DRIFT_MAX = const(50000)  # ppm
_SLIP_MAX = const(100000)  # ppm: beyond this it was a step, not drift (Tasmota learns inside 10 % only)
_LEARN_AFTER_S = const(1800)
_RESYNC_S = const(3600)
_AGREE_S = const(60)
_PAST = const(4)
_VERSION = const(2)
_MASK = const(0xFFFFFFFF)  # seconds are kept as 32 bits without sign: until 2106
# version, learnt, past epochs; count's id, epoch, base, its count, the count now, doubted time, its count; ppm
_FORMAT = const("<BBBIIIIIIIi")
_BYTES = const(35)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Ticks(Protocol):
        """The part of the clock protocol this file needs: MicroPython's time module has it."""

        def time(self) -> int:
            """Return the port's count of seconds."""


class Clock:
    """Unix seconds, or stamps until they are known.

    Of a board's clock, both optional: `count_id` is another number when the count has begun anew, at whatever reset that was;
    `kept` says whether it survived the last one.
    """

    def __init__(self, ticks: "Ticks") -> None:
        self._ticks = ticks
        self._past: list[tuple[int, int]] = []
        self._base: int | None = None
        self._base_count = 0
        self._epoch = random.getrandbits(30) or 1
        self._doubt = (0, 0)  # a surprising answer and the count at which it came; 0: none
        self._learnt = False
        self.ppm = 0  # how much slower than the world the port counts
        self.moved = 0  # seconds by which now() jumped at the last accepted set_unix()

    def unix(self) -> int | None:
        """Return Unix seconds, or None until somebody has said."""
        if self._base is None:
            return None
        elapsed = int(self._ticks.time()) - self._base_count
        if elapsed < -_STEP_S:
            self._new_epoch()
            return None
        return self._base + elapsed + elapsed * self.ppm // 1000000

    def now(self) -> int:
        """Return Unix seconds where known, else the port's count: what schedules and back-off run on."""
        unix = self.unix()
        return unix if unix is not None else int(self._ticks.time())

    def stamp(self) -> tuple[int, int]:
        """Return (0, Unix seconds), or (epoch id, count) while the time is not known."""
        unix = self.unix()
        if unix is not None:
            return 0, unix
        return self._epoch, int(self._ticks.time())

    def resolve(self, stamp: tuple[int, int]) -> int | None:
        """Return the Unix seconds of a stamp, or None where its epoch was never synchronised."""
        epoch, seconds = stamp
        if epoch == 0:
            return seconds
        if epoch == self._epoch:
            elapsed = seconds - self._base_count
            return self._base + elapsed + elapsed * self.ppm // 1000000 if self._base is not None else None
        for past, offset in self._past:
            if past == epoch:
                return (seconds + offset) & _MASK
        return None

    def set_unix(self, unix: int, source: str) -> bool:
        """Take somebody's word for the time ("network", "server", "user"); False where it is not believed."""
        if not _EARLIEST <= unix < _LATEST:
            return False
        count = int(self._ticks.time())
        before = self.now()
        if self._base is not None:
            elapsed = count - self._base_count
            error = abs(unix - before)
            if error > _STEP_S + elapsed // 20 and source not in ("server", "user"):
                # A surprise is believed for the second time only.
                told, then = self._doubt
                self._doubt = (unix, count)
                if not told or abs((unix - told) - (count - then)) > _AGREE_S + (count - then) // 20:
                    return False
            # The drift moves half way to what the last interval showed; whole seconds alone (±1 s) teach nothing.
            if elapsed >= _LEARN_AFTER_S and error > 1:
                seen = (unix - self._base - elapsed) * 1000000 // elapsed
                if abs(seen) <= _SLIP_MAX:
                    ppm = (self.ppm + seen) // 2 if self._learnt else seen
                    self.ppm = max(-_DRIFT_MAX, min(_DRIFT_MAX, ppm))
                    self._learnt = True
        self._doubt = (0, 0)
        self._base = unix
        self._base_count = count
        self.moved = unix - before
        return True

    @property
    def stale(self) -> bool:
        """Whether to ask for the time: nobody has said, the last answer was a surprise, or drift can be learnt.

        At 5 % of drift the first half hour is 90 s wrong, and each later one only as much as the drift has changed.
        """
        if self._base is None or self._doubt[0]:
            return True
        return not 0 <= int(self._ticks.time()) - self._base_count < (_RESYNC_S if self._learnt else _LEARN_AFTER_S)

    def sleep_ms(self, seconds: int) -> int:
        """Return the milliseconds to ask the port for, so that `seconds` of the world pass."""
        return seconds * 1000 * 1000000 // (1000000 + self.ppm)

    def _new_epoch(self) -> None:
        if self._base is not None:
            self._past = (self._past + [(self._epoch, self._base - self._base_count)])[-_PAST:]
        self._epoch = random.getrandbits(30) or 1
        self._base = None
        self._doubt = (0, 0)

    def dump(self) -> bytes:
        """Return what must survive sleep and reset (35 to 67 bytes)."""
        told, then = self._doubt
        head = pack(_FORMAT, _VERSION, self._learnt, len(self._past), getattr(self._ticks, "count_id", 0), self._epoch,
                    self._base or 0, self._base_count & _MASK, int(self._ticks.time()) & _MASK, told, then & _MASK, self.ppm)
        return head + b"".join([pack("<II", epoch, offset & _MASK) for epoch, offset in self._past])

    def load(self, data: bytes | None) -> bool:
        """Take up what dump() gave, in the same epoch if the port's count went on. False: nothing usable in data."""
        if not data or len(data) < _BYTES or data[0] != _VERSION or data[2] > _PAST or len(data) < _BYTES + data[2] * 8:
            return False
        _, learnt, past, count_id, self._epoch, base, self._base_count, count, told, then, ppm = unpack_from(_FORMAT, data, 0)
        self._past = [unpack_from("<II", data, _BYTES + i * 8) for i in range(past)]
        self._base = base or None
        self._doubt = (told, then)
        self.ppm = max(-_DRIFT_MAX, min(_DRIFT_MAX, ppm))
        self._learnt = bool(learnt)
        ticks = self._ticks
        if not getattr(ticks, "kept", True) or getattr(ticks, "count_id", 0) != count_id or int(ticks.time()) < count:
            self._new_epoch()
        return True
