"""Unix time, from a port's own count, a network's answers and a learnt drift; when to wake by it, and when to try again.

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

Aligned slots: which one is due, and which was served.

    sampling = Schedule(900, device_offset(board.unique_id(), 900))
    slot = sampling.due(now)           -> 1790000100, the slot's own start; None: nothing is due
    sampling.serve(slot)               it will not come again, whatever the clock does
    sampling.seconds_to_next(now)      -> 874

A slot starts at k * period + offset and is named by that start, in the seconds of the caller's `now` (Unix time, or
the port's count until that is known: call rebase(clock.moved) when it becomes known). The served slot is state,
never a comparison with the clock: a sleep clock that runs fast wakes a node before its slot, and a scheduler that
compares serves the slot twice (Tasmota issue 21423). A wake up to max(5 s, 2 % of the sleep) early serves the slot
at once; earlier ones sleep again. Missed slots are counted in `missed` and skipped, never replayed.

Back-off: exponential with full jitter, remembered over sleep.

    backoff = Backoff()
    backoff.failed(now)                1st failure: 30 to 60 s, doubling up to 6 h, and to a day after four days in vain
    backoff.failed(now, "denied")      the network refused (+CEREG: 3): as after six failures
    backoff.failed(now, "no_sim")      once a day: only a person can help
    backoff.failed(now, "line")        the module lost answers: an hour at most, or half the time without success
    backoff.failed(now, "", 65)        65 s awake: after a day in vain they are rested for, 2000 times as long, a day at most
    backoff.remaining(now)             -> 41      seconds until the next try; 0: now
    backoff.succeeded()                only success resets the level

delay = U(0, min(cap, base * 2^n)), at least the floor. A thousand nodes that lost their server together come back
spread over the whole window (full jitter). Above the cap there is one try in each cap interval, at a random place
in it. The cap is a quarter of the time without success, from 6 h to a day: what has failed for long costs little. This sits
above the module's own retries (BG96: 30 s doubling to 640 s; BC66: registration, server, bootstrap in a chain): ask the
module's status before registering again.
"""

import random
from binascii import crc32
from struct import pack, unpack, unpack_from

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
_EARLY_S = const(5)
_SPREAD_S = const(600)
_SLOT_VERSION = const(2)
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
_RECORD = const("<BBIIII")  # of a schedule and of a back-off
_RECORD_BYTES = const(18)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Protocol

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
        self.served: int | None = None  # the slot served last; None: one is due at once, as after a fresh start
        self._late = self._passed = 0  # seconds after its start: served, and found due last
        self.change(period_s, offset_s)

    def change(self, period_s: int, offset_s: int) -> None:
        """Go on with another period; a slot that was served under the old one stays served."""
        self.period_s = period_s
        self.offset_s = offset_s
        self._early = min(_EARLY_S, period_s // 2)

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
        return pack(_RECORD, _SLOT_VERSION, served is not None, (served or 0) & _MASK, self.missed, self._early, self._late)

    def load(self, data: bytes | None) -> bool:
        """Take up what dump() gave. False: nothing usable in data, the schedule is as new."""
        if not data or len(data) != _RECORD_BYTES or data[0] != _SLOT_VERSION:
            return False
        _, known, served, self.missed, early, self._late = unpack(_RECORD, data)
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

    def rebase(self, moved: int) -> None:
        """Follow a step of the clock (Clock.moved)."""
        self._first += moved
        self.since += moved

    def dump(self) -> bytes:
        """Return what must survive sleep (18 bytes)."""
        return pack(_RECORD, _TRY_VERSION, self.level, self._first & _MASK, self.since & _MASK, self._delay, self._spare)

    def load(self, data: bytes | None) -> bool:
        """Take up what dump() gave, values out of range clamped. False: nothing usable in data."""
        if not data or len(data) != _RECORD_BYTES or data[0] != _TRY_VERSION:
            return False
        _, level, self._first, self.since, delay, spare = unpack(_RECORD, data)
        self.level = min(level, _LEVEL_MAX)
        self._delay = min(delay, 2 * _DAY_S)
        self._spare = min(spare, _DAY_S)
        return True
