"""The account of every reading, and the verdict. Of the node's own counters only `dropped` is believed.

A reading is delivered, or waits in flash or RTC memory, or was exposed when the power went (at most a batch, by the
stated policy), or was dropped by the stated limit; any other is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.world import Stop
from lwnode.lwm2m import codec
from lwnode.power import FileStore, Journal, RetainedState

if TYPE_CHECKING:
    from .simulation import Simulation

_SLOT_SHARE = 4  # a reading belongs to the slot that began last, or begins within a quarter of the period
_CLOSING_MS = 20_000


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
    """Readings are numbered from 1: the sensor's n-th value is n, so each is found again at the server."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self.taken: list[int] = []  # Unix seconds of each
        self.exposed: set[int] = set()
        self.most_exposed = 0
        self.longest_ms = 0
        self.overruns: list[tuple[int, int]] = []
        self.wakes = 0
        self.attempts = 0
        self._commands = 0
        self.hour_awake: dict[int, int] = {}
        self.dead = ""
        self.storm = False

    # what the world tells

    def read(self) -> int:
        """The sensor's driver calls this."""
        simulation = self._simulation
        period = int(simulation.settings.sample_every)
        if len(self.taken) > 200 + 3 * simulation.clock.now // (1000 * period):
            self.storm = True
            raise Stop
        self.taken.append(self._simulation.clock.unix())
        return len(self.taken)

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

    def limit_ms(self) -> int:
        """The longest time awake that the configuration allows: budget, closing, and the window of a cold boot."""
        settings = self._simulation.settings
        return (int(settings.awake_budget) + max(60, int(settings.maintenance_window))) * 1000 + _CLOSING_MS

    def ram_lost(self, rtc_kept: bool) -> None:
        """A reset or a loss of power: what was in RAM alone is gone."""
        waiting = self.waiting(rtc_kept)
        gone = set(range(1, len(self.taken) + 1)) - set(self.delivered()) - waiting - self.exposed
        self.most_exposed = max(self.most_exposed, len(gone))
        self.exposed |= gone

    # what there is

    def delivered(self) -> dict[int, int]:
        """How often each reading arrived at the server."""
        counts: dict[int, int] = {}
        for delivery in self._simulation.server.deliveries:
            if tuple(delivery.path) == (3300, 0, 5700):
                number = int(float(delivery.value))
                counts[number] = counts.get(number, 0) + 1
        return counts

    def _journal(self, rtc_kept: bool = True) -> Journal:
        simulation = self._simulation
        cold = FileStore("state", simulation.flash.after_cut())
        hot = None
        if simulation.port == "esp32":
            content = simulation.chip.rtc[12:] if rtc_kept else b""
            hot = RetainedState(_Found(content, 2036), 1)
        return Journal(hot, cold)

    def waiting(self, rtc_kept: bool = True) -> set[int]:
        """The readings in flash and RTC memory."""
        numbers = set()
        for _, data in self._journal(rtc_kept).entries():
            path, _, value, _ = codec.unpack_record(data)
            if tuple(path.ids) == (3300, 0, 5700):
                numbers.add(int(float(value)))
        return numbers

    def dropped(self) -> int:
        """What the journal says it dropped because its limit was reached."""
        return self._journal().dropped

    def lost(self, before: int) -> list[int]:
        """Numbers of readings, taken before a time, that are nowhere and for no stated reason."""
        there = set(self.delivered()) | self.waiting() | self.exposed
        gone = [number for number, when in enumerate(self.taken, 1) if when < before and number not in there]
        return gone[self.dropped() :]

    def slots(self) -> tuple[int, list[int]]:
        """(missed, doubled slots) by the world's own clock."""
        period = int(self._simulation.settings.sample_every)
        served: dict[int, list[int]] = {}
        doubled = []
        gap = 2 * period
        for before, when in zip([self._simulation.clock.start_unix - gap, *self.taken], self.taken):
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
        """How many slots may be missed: while the application is broken, after each reset, in rests after brown-outs."""
        simulation = self._simulation
        period = int(simulation.settings.sample_every)
        broken = sum(minutes for _, kind, minutes in simulation.plan.events if kind == "bug") * 60 / period
        boots = sum(count for kind, count in simulation.boots.items() if kind != "deep_sleep")
        rest = simulation.boots.get("brown_out", 0) * (1 + 900 / period)
        return 1.3 * broken + 2 * boots + rest + 0.005 * len(self.taken)

    def verdict(self) -> list[str]:
        """What is wrong, a sentence each; nothing where all is as promised."""
        simulation = self._simulation
        wrong = []
        if self.dead:
            return [f"the node is dead: {self.dead}"]
        lost = self.lost(simulation.accounted_until)
        if lost:
            wrong.append(f"{len(lost)} readings were lost, the first is number {lost[0]}")
        missed, doubled = self.slots()
        if missed > self.excused():
            wrong.append(f"{missed} slots were missed, resets and faults of the application excuse {self.excused():.0f}")
        if doubled:
            wrong.append(f"{len(doubled)} slots were served twice")
        if self.overruns:
            limit, longest = self.limit_ms() // 1000, self.longest_ms // 1000
            wrong.append(f"{len(self.overruns)} times awake beyond {limit} s, the longest {longest} s")
        batch = int(simulation.settings.journal_batch)
        if self.most_exposed > batch + 1:
            wrong.append(f"{self.most_exposed} readings were exposed at once, the stated batch is {batch}")
        busy = [hour for hour, ms in self.hour_awake.items() if ms > 1_900_000]
        if busy:
            wrong.append(f"the node was awake more than half of the time in {len(busy)} hours")
        stuck = [number for number in self.waiting() if self.taken[number - 1] < simulation.accounted_until]
        if self.storm:
            return [f"the node reads far more often than its slots come: {len(self.taken)} readings", *wrong]
        if stuck:
            wrong.append(f"{len(stuck)} readings still wait after two quiet days")
        return wrong
