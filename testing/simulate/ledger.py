"""The account of every reading, and the verdict: what the sensors gave against what the server got, reading by reading.

A reading is at the server, or waits in flash or RTC memory, or went with the power while the journal said that it could, or
gave way to newer ones at the journal's limit; any other is lost. It has its own time, its own path, its place in the order,
and comes twice only where something went wrong. What the node is believed:

    journal.exposed, at the moment of a reset     how many of the newest may be gone; none at a restart that it ordered itself
    journal.dropped, as it grows                  how many of the oldest may be gone, if the journal is full
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from fakes.world import Stop
from lwnode.lwm2m import unpack_record
from lwnode.power import FileStore, Journal, RetainedState

from .record import ALARM, RESOURCE, Arrival, Reading, Record

if TYPE_CHECKING:
    from .simulation import Simulation

_SLOT_SHARE = 4  # a reading belongs to the slot that began last, or begins within a quarter of the period
_CLOSING_MS = 20_000
_AROUND_MS = 180_000  # what went wrong so shortly before a first arrival may be why it came again
_ANSWER_MS = 10_000
_ALARM_MS = 600_000  # an alarm is at the server within that, where nothing goes wrong
_ALARM_QUIET_MS = 7_200_000  # a back-off of an earlier trouble may hold the first try up
_SEGMENT = 1024
# The times that a node is asked for: 5 s for a second's rounding here and there. ESP32: its sleep clock is off by 2 % either
# way, and what it has learnt of that by as much, so by up to 4.5 % of the time since the network told it.
_ROUNDING_S = 5
_DRIFT = 0.045
_POWER = ("power_on", "brown_out", "run_pin")


class _Found:
    """Retained memory as it was found, for reading only."""

    def __init__(self, content: bytes, size: int) -> None:
        self._content = content
        self.size = size

    def load(self) -> bytes:
        return self._content

    def save(self, data: bytes) -> None:
        """Nothing: the account changes nothing."""


class Ledger:
    """The account of one simulation. The world calls read, heard, started, slept, troubled and ram_lost; a person the rest."""

    def __init__(self, simulation: Simulation, sensors: int, alarm: bool) -> None:
        self._simulation = simulation
        self.record = Record(sensors, alarm)
        self.most_exposed = 0
        self.longest_ms = 0
        self.overruns: list[tuple[int, int]] = []
        self.wakes = 0
        self.attempts = 0
        self.reached = 0  # contacts after which the node slept content
        self._commands = 0
        self.hour_awake: dict[int, int] = {}
        self.dead = ""
        self.storm = False
        self.dropped = 0
        self.node: Any = None
        self._counted = 0
        self._broken: dict[str, str] = {}  # promises of the journal that did not hold: kind -> the first case of it
        self._troubles: list[int] = []  # virtual milliseconds at which something went wrong
        self._told: list[int] = []  # at which the module told the network's time
        self._lives = [0]  # at which the node began without what its RAM, and on ESP32 its RTC memory or its count, had held

    # what the world tells

    def read(self, row: int) -> int:
        """The driver of a row's sensor calls this."""
        simulation, record = self._simulation, self.record
        period = int(simulation.settings.sample_every)
        if len(record.readings) > (200 + 3 * simulation.clock.now // (1000 * period)) * len(record.rows):
            self.storm = True
            raise Stop
        return record.take(row, simulation.clock.unix(), simulation.clock.now, simulation.alarm)

    def heard(self, path: tuple[int, ...], value: float, own_time: int | None) -> None:
        """The server has got a value."""
        clock = self._simulation.clock
        self.record.arrive(path, value, own_time, clock.unix(), clock.now)

    def told(self) -> None:
        """The module tells the node the network's time."""
        self._told.append(self._simulation.clock.now)

    def spoilt(self, when: int) -> bool:
        """Whether an answer of the module at that time may not have been heard."""
        place = bisect_left(self._troubles, when - _ANSWER_MS)
        return place < len(self._troubles) and self._troubles[place] <= when + _ANSWER_MS

    def troubled(self) -> None:
        """Something goes wrong now."""
        self._troubles.append(self._simulation.clock.now)

    def trouble(self, begin: int, end: int) -> bool:
        """Whether something went wrong between two times."""
        place = bisect_left(self._troubles, begin)
        return place < len(self._troubles) and self._troubles[place] <= end or self._simulation.was_out(begin, end)

    def started(self, node: Any) -> None:
        """A node has been made and has taken up what it kept."""
        self.node = node
        found = int(node.journal.dropped)
        if found < self._counted and not self._power_gone:
            self._broken.setdefault("back", f"the count of dropped readings went back from {self._counted} to {found}"
                                            " without loss of power")
        self._counted = found

    _power_gone = False

    def count_drops(self) -> None:
        """Follow the journal's count of drops; the oldest that it can have held are accounted for by it."""
        if self.node is None:
            return
        journal = self.node.journal
        grown, self._counted = int(journal.dropped) - self._counted, int(journal.dropped)
        if grown <= 0:
            return
        limit = int(self._simulation.settings.journal_bytes)
        if journal.size < limit - 2 * _SEGMENT and not self._simulation.flash_fails():
            self._broken.setdefault("room", f"the journal dropped readings at {journal.size} of {limit} bytes")
        self.dropped += grown
        # Where the flash takes nothing more, what it holds stays: the oldest of the rest give way.
        kept = self.waiting() if self._simulation.flash_fails() else ()
        for reading in [one for one in self.record.readings if one.pending and one.value not in kept][:grown]:
            reading.fate = "dropped"

    def slept(self, awake_ms: int) -> None:
        """A time awake has ended."""
        simulation = self._simulation
        self.wakes += 1
        commands = simulation.model.counters["commands"] + simulation.model.counters["ignored_bytes"]
        self.attempts += commands != self._commands
        self._commands = commands
        self.longest_ms = max(self.longest_ms, awake_ms)
        hour = simulation.clock.now // 3600000
        self.hour_awake[hour] = self.hour_awake.get(hour, 0) + awake_ms
        if awake_ms > self.limit_ms():
            self.overruns.append((simulation.clock.now, awake_ms))

    def asleep(self) -> None:
        """A wake is over, however short."""
        simulation = self._simulation
        self.count_drops()
        node = self.node
        self.reached += node is not None and bool(node.reached) and not node.contacts.in_vain
        batch = int(simulation.settings.journal_batch)
        exposed = self.node.journal.exposed if self.node is not None else 0
        if exposed > batch and not simulation.flash_fails():
            self._broken.setdefault("batch", f"asleep with {exposed} readings exposed, the stated batch is {batch}")

    def limit_ms(self) -> int:
        """The longest time awake that the configuration allows: budget, closing, and the window of a cold boot."""
        settings = self._simulation.settings
        return (int(settings.awake_budget) + max(60, int(settings.maintenance_window))) * 1000 + _CLOSING_MS

    def ram_lost(self, kind: str, rtc_kept: bool) -> None:
        """A reset: what the journal called exposed at this moment may be gone, the newest readings, and nothing else.

        An ESP32's RTC memory keeps them over each reset but a loss of power; an RP2's RAM keeps them over none, so that a
        restart which the node orders itself must have put them into flash.
        """
        self.troubled()
        simulation, pending = self._simulation, [reading for reading in self.record.readings if reading.pending]
        if simulation.port == "esp32":
            promise = 0 if rtc_kept else self._journal().exposed
            if not rtc_kept or kind in _POWER:  # its count of the time begins anew, whatever its memory has kept
                self._lives.append(simulation.clock.now)
        else:
            promise = 0 if kind == "reset" or self.node is None else self.node.journal.exposed
            self._lives.append(simulation.clock.now)
        # Between a sensor's answer and the journal: the write that makes room there may be the one that is cut.
        in_hand = len([reading for reading in pending if reading.now >= simulation.clock.now - 1000]) if kind in _POWER else 0
        waiting = self.waiting(rtc_kept)
        newest = pending[-(promise + in_hand) :] if promise + in_hand else []
        gone = [reading for reading in newest if reading.value not in waiting]
        for reading in gone:
            reading.fate = "exposed"
        self.most_exposed = max(self.most_exposed, len(gone))
        self._power_gone = kind in _POWER
        self.node = None

    # what there is

    def _journal(self, rtc_kept: bool = True) -> Journal:
        simulation = self._simulation
        cold = FileStore("state", simulation.flash.after_cut())
        hot = None
        if simulation.port == "esp32":
            content = simulation.chip.rtc[12:] if rtc_kept else b""
            hot = RetainedState(_Found(content, 2036), 1)
        return Journal(hot, cold)

    def waiting(self, rtc_kept: bool = True) -> set[int]:
        """The values of our rows in flash and RTC memory."""
        values = set()
        for _, data in self._journal(rtc_kept).entries():
            path, _, value, _ = unpack_record(data)
            if tuple(path.ids[:2]) in self.record.rows and path.ids[2] == RESOURCE:
                values.add(abs(int(float(value))))
        return values

    def exposed(self) -> int:
        """Readings that went with the power as the journal had said that they could."""
        return len([reading for reading in self.record.readings if reading.fate == "exposed"])

    def lost(self) -> list[Reading]:
        """Readings of the time accounted for that are nowhere and for no stated reason."""
        waiting, before = self.waiting(), self._simulation.accounted_until
        return [reading for reading in self.record.readings
                if reading.pending and reading.unix < before and reading.value not in waiting]

    def duplicates(self) -> list[Reading]:
        """Readings that came twice for no reason."""
        return self.record.twice(lambda first, second: self.trouble(first - _AROUND_MS, second))

    def _allowed(self, reading: Reading, arrival: Arrival) -> float:
        """By how many seconds a reading's time at the server may differ from the world's when it was taken."""
        simulation = self._simulation
        life = self._lives[bisect_left(self._lives, reading.now + 1) - 1 :][:2]
        ends = life[1] if len(life) > 1 else simulation.clock.now
        told = [when for when in self._told if life[0] <= when <= ends]
        sure = [when for when in told if not self.spoilt(when)]
        if arrival.own_time is None:
            # Nobody told the time between two losses of it: such a reading has none.
            return self.limit_ms() / 1000 if sure else arrival.unix
        # The node counts from the last time that it was told, or, if that was never since its count began anew, back from one
        # after, which may be as late as the sending; and what may not have been heard may have been all the same.
        place = bisect_left(sure, reading.now)
        known = sure[place - 1 : place] if place else [when for when in told if when <= max([arrival.now, *sure[:1]])]
        drifts = getattr(simulation.chip, "drift_ppm", None)
        return _ROUNDING_S + (_DRIFT * max([abs(reading.now - when) / 1000 for when in known] or [0]) if drifts else 0)

    def wrong_times(self) -> list[tuple[int, Reading]]:
        """(seconds, reading) of those with a time that is not theirs."""
        return self.record.wrong_times(self._allowed)

    def disordered(self) -> list[Reading]:
        """Readings that came after later ones of their sensor although the journal could be read all the time.

        Where a line confirms nothing the newest goes out behind the oldest, for an answer: what lies between has its own time.
        """
        simulation = self._simulation
        return [reading for reading in self.record.disordered
                if not simulation.was_unreadable(reading.now, reading.arrivals[0].now)
                and not (reading.arrivals[0].own_time and simulation.line.spoilt(reading.now, reading.arrivals[0].now))]

    def late_alarms(self) -> list[Reading]:
        """Crossings of the threshold that were not at the server at once although nothing went wrong."""
        found = []
        for row, path in enumerate(self.record.rows):
            if path == ALARM:
                for reading in self.record.of_row(row):
                    came = reading.arrivals[0].now if reading.arrivals else self._simulation.clock.now
                    if reading.must and came > reading.now + _ALARM_MS and reading.unix < self._simulation.accounted_until:
                        if not self.trouble(reading.now - _ALARM_QUIET_MS, reading.now + _ALARM_MS):
                            found.append(reading)
        return found

    def slots(self) -> tuple[int, list[int]]:
        """(missed, doubled slots) by the world's own clock."""
        period = int(self._simulation.settings.sample_every)
        taken = [reading.unix for reading in self.record.of_row(0)]
        served: dict[int, list[int]] = {}
        doubled = []
        gap = 2 * period
        for before, when in zip([self._simulation.clock.start_unix - gap, *taken], taken):
            times = served.setdefault((when + period // _SLOT_SHARE) // period, [])
            # What follows a gap (a rest, a broken application) may serve its slot when that is nearly over.
            if times and when - before < period // 2 and gap < 1.5 * period:
                doubled.append((when + period // _SLOT_SHARE) // period)
            times.append(when)
            gap = when - before
        # From the slot of the first boot to the last one that is half over: a node that never reads has missed them all.
        clock = self._simulation.clock
        first = (clock.start_unix + period // _SLOT_SHARE) // period
        last = (clock.unix() - period // 2) // period
        return last - first + 1 - len([slot for slot in served if first <= slot <= last]), doubled

    def excused(self) -> float:
        """How many slots may be missed: while the application is broken, after each reset, in rests, by drift."""
        simulation = self._simulation
        period = int(simulation.settings.sample_every)
        broken = sum(minutes for _, kind, minutes in simulation.plan.events if kind == "bug") * 60 / period
        boots = sum(count for kind, count in simulation.boots.items() if kind != "deep_sleep")
        rest = simulation.boots.get("brown_out", 0) * (1 + 900 / period)
        # An ESP32's slots move with its sleep clock while nobody tells it the time.
        gaps = [after - before for before, after in zip([0, *self._told], [*self._told, simulation.clock.now])]
        drifts = getattr(simulation.chip, "drift_ppm", None)
        drift = 0.02 * sum(gap for gap in gaps if gap > 2 * 3_600_000) / 1000 / period if drifts else 0
        return 1.3 * broken + 2 * boots + rest + drift + 0.005 * len(self.record.of_row(0))

    def verdict(self) -> list[str]:
        """What is wrong, a sentence each; nothing where all is as promised."""
        if self.dead:
            return [f"the node is dead: {self.dead}"]
        wrong = self._readings() + list(self._broken.values()) + self._times()
        if self.storm:
            return [f"the node reads far more often than its slots come: {len(self.record.readings)} readings", *wrong]
        return wrong

    def _readings(self) -> list[str]:
        """What is wrong with readings."""
        record, wrong = self.record, []
        lost, odd, again, late = self.lost(), self.wrong_times(), self.duplicates(), self.late_alarms()
        if lost:
            first = lost[0]
            wrong.append(f"{len(lost)} readings were lost, the first is {first.value} of {record.paths[first.row]}"
                         f" after {first.now / 3_600_000:.1f} h")
        spared = [reading for reading in record.readings if reading.fate == "dropped" and reading.arrivals]
        if len(spared) > int(self._simulation.settings.journal_batch):
            wrong.append(f"{len(spared)} readings came that had to give way by the count of drops: newer ones were dropped")
        if record.strangers:
            wrong.append(f"{len(record.strangers)} values at the server were never given by the sensor of their path,"
                         f" {record.misplaced} of them by another")
        if odd:
            worst = max(odd, key=lambda pair: abs(pair[0]))
            wrong.append(f"{len(odd)} readings have a wrong time at the server, the worst by {worst[0]} s"
                         f" after {worst[1].now / 3_600_000:.1f} h")
        disordered = self.disordered()
        if disordered:
            wrong.append(f"{len(disordered)} readings came after later ones of their sensor")
        if again:
            wrong.append(f"{len(again)} readings came twice and nothing had gone wrong")
        if late:
            wrong.append(f"{len(late)} alarms were not at the server within {_ALARM_MS // 60_000} minutes")
        stuck = [reading for reading in (record.by_value(value) for value in self.waiting())
                 if reading is not None and reading.unix < self._simulation.accounted_until]
        if stuck:
            wrong.append(f"{len(stuck)} readings still wait after two quiet days")
        batch = int(self._simulation.settings.journal_batch) + len(record.rows)
        if self.most_exposed > batch:
            wrong.append(f"{self.most_exposed} readings were exposed at once, batch and one sampling are {batch}")
        return wrong

    def _times(self) -> list[str]:
        """What is wrong with slots and times awake."""
        wrong = []
        missed, doubled = self.slots()
        if missed > self.excused():
            wrong.append(f"{missed} slots were missed, resets and faults of the application excuse {self.excused():.0f}")
        if doubled:
            wrong.append(f"{len(doubled)} slots were served twice")
        if self.overruns:
            limit, longest = self.limit_ms() // 1000, self.longest_ms // 1000
            wrong.append(f"{len(self.overruns)} times awake beyond {limit} s, the longest {longest} s")
        busy = [hour for hour, ms in self.hour_awake.items() if ms > 1_900_000]
        if busy:
            wrong.append(f"the node was awake more than half of the time in {len(busy)} hours")
        return wrong
