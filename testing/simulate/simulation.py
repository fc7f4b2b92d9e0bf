"""One node's life: boots, sleeps, faults, and the account of it.

The world is host_tests/fakes/world.py; this adds what years need: faults by plan, power cuts in the middle of flash
writes, a watch on time awake, and two quiet days at the end in which everything that waits must arrive.

    Simulation("rp2", "bg96", seed=3, faults="dense", sensors=3, alarm=True, report_every=3600).live(7)
"""

from __future__ import annotations

import gc
from random import Random

import lwnode.node
from fakes.chip import Dead, Reset
from fakes.flash import PowerCut, broken, errors
from fakes.world import Stop, World

from .faults import EXCHANGE_KINDS, FLASH_PERMILLE, Plan
from .ledger import Ledger
from .lines import Line
from .record import ALARM

HISTORY = "/19/0/0"
QUIET_DAYS = 2
_HOUR_MS = 3600000
_FREEZE_EVERY_MS = 72 * _HOUR_MS
_MOST_BOOTS = 400
_DRIFT_STEP_S = 6 * 3600
_WRONG_TIMES_S = (3 * 365 * 86400, -2 * 365 * 86400, 3600, -3600)


class Bug(Exception):
    """A fault of the application: raised where sensors are declared."""


class _Noted(list):
    """A list that tells of each thing put into it."""

    def __init__(self, told) -> None:
        super().__init__()
        self._told = told

    def append(self, item) -> None:
        self._told()
        super().append(item)


class Simulation(World):
    """A node on a port with a module of a family, under a plan of faults; with so many sensors, and one with a threshold."""

    def __init__(self, port: str = "esp32", family: str = "bc66", seed: int = 1, faults: str = "default",
                 sensors: int = 1, alarm: bool = False, **config: object) -> None:
        given = {"family": family, "maintenance_window": 5, "spread": 600}
        given.update(config)
        self.ledger = Ledger(self, sensors, alarm)
        super().__init__(port, given, (*self.ledger.record.paths, HISTORY), seed=seed)
        self.family = family
        self.seed = seed
        self.faults = faults
        self.random = Random(seed)
        self.alarm = False
        self._outages: list[list[int]] = []
        self._unreadable: list[tuple[int, int]] = []
        self.chip.on_sleep = self.ledger.slept
        falls_asleep = self.chip.falls_asleep

        def falls() -> None:
            self.ledger.asleep()
            falls_asleep()

        self.chip.falls_asleep = falls
        self.model.faults.played = _Noted(self.ledger.troubled)
        self.accounted_until = self.clock.unix()
        self.broken = False
        self.cuts = 0
        self.boots: dict[str, int] = {}
        self._hour = self._this_hour = 0
        self.line = Line(self)
        self._slips = False
        self._time_error = 0
        self._right_time, self.model.network_time = self.model.network_time, self._network_time
        self._right_write, self.uart.write = self.uart.write, self._write
        if port == "esp32" and faults != "none":
            self.chip.drift_ppm = self._drift

    def _declare(self, tree, board):
        if self.broken:
            raise Bug("a sensor driver that fails at each start")
        ledger = self.ledger
        for number, (object_id, instance) in enumerate(ledger.record.rows):
            rules = {"gt": 0} if (object_id, instance) == ALARM else {}
            tree.sensor(object_id, lambda number=number: self._value(number), instance=instance, resolution=1, **rules)

    def _value(self, row: int) -> int:
        return self.ledger.read(row)

    def _notified(self, endpoint, path, readings):
        for reading in readings:
            if isinstance(reading.value, (int, float)):
                self.ledger.heard(tuple(reading.path), reading.value, None if reading.time is None else int(reading.time))
        self.server.deliveries.clear()  # years of them would fill the memory; the account has its own list
        super()._notified(endpoint, path, readings)

    def outage(self, down: bool) -> None:
        """Take coverage away, or give it back."""
        super().outage(down)
        self.ledger.troubled()
        if down:
            self._outages.append([self.clock.now, 0])
        elif self._outages:
            self._outages[-1][1] = self.clock.now

    def was_out(self, begin: int, end: int) -> bool:
        """Whether there was no coverage, or no sound line to the module, at some time between."""
        if self.line.spoilt(begin, end):
            return True
        return any(start <= end and (not stop or stop >= begin) for start, stop in self._outages)

    def was_unreadable(self, begin: int, end: int) -> bool:
        """Whether the journal's segments could not be read at some time between."""
        return any(start <= end and stop >= begin for start, stop in self._unreadable)

    def flash_fails(self) -> bool:
        """Whether the flash refuses something at present."""
        return self.flash.full or self.flash.fault is not None

    def _drift(self, unix: int) -> int:
        """Minus two to plus two percent, in steps of the temperature."""
        return Random(self.seed * 1_000_003 + unix // _DRIFT_STEP_S).randint(-20000, 20000)

    # time

    def live(self, days: float) -> None:
        """Let so many days pass with faults, and two without; a dead node ends it."""
        plan = Plan(self.faults, days, self.seed)
        self.plan = plan
        end = self.clock.now + int(days * 24 * _HOUR_MS)
        for hour, kind, minutes in plan.events:
            self.clock.after(int(hour * _HOUR_MS), getattr(self, "_begin_" + kind)(minutes))
        if ALARM in self.ledger.record.rows:
            self._turn(Random(self.seed), end)
        if plan.permille:
            self.model.faults.random(self.seed, plan.permille, EXCHANGE_KINDS)
        self.clock.at(end, self._calm)
        self._tidy()
        self.accounted_until = self.clock.start_unix + end // 1000
        self._lives(end + QUIET_DAYS * 24 * _HOUR_MS)

    def _lives(self, until: int) -> None:
        def stop() -> None:
            raise Stop

        self.clock.at(until, stop)
        try:
            while True:
                self._comes_back(self._life())
        except Stop:
            pass
        except Dead as dead:
            self.ledger.dead = str(dead)

    def _turn(self, random: Random, end: int) -> None:
        """The value with a threshold crosses it, again and again."""
        def turn() -> None:
            self.alarm = not self.alarm
            if self.clock.now < end:
                self._turn(random, end)

        self.clock.after(random.randint(2 * _HOUR_MS, 10 * _HOUR_MS), turn)

    def _watched(self, chip) -> None:
        """Run main.py; the account hears of each node that it makes."""
        made = lwnode.node.Node.__init__

        def init(node, *given, **named) -> None:
            made(node, *given, **named)
            self.ledger.started(node)

        lwnode.node.Node.__init__ = init
        try:
            self._firmware(chip)
        finally:
            lwnode.node.Node.__init__ = made

    def _life(self) -> str:
        """Run main.py until something ends it; returns what."""
        try:
            self._watched(self.chip)
        except Reset as reset:
            return reset.kind
        except PowerCut:
            self.cuts += 1
            self.flash.cut_at = None
            return "power_on"
        raise Dead("main.py returned: awake in the REPL for ever")

    def _comes_back(self, kind: str) -> None:
        self.boots[kind] = self.boots.get(kind, 0) + 1
        hour = self.clock.now // _HOUR_MS
        self._this_hour = self._this_hour + 1 if hour == self._hour else 1
        self._hour = hour
        if self._this_hour > _MOST_BOOTS:
            raise Dead("a crash loop without rest: %d boots within an hour" % self._this_hour)
        kept = kind not in ("power_on", "run_pin") and (kind != "brown_out" or self.random.random() < 0.5)
        self.ledger.count_drops()
        if kind != "deep_sleep":
            self.ledger.ram_lost(kind, kept)
        self.ledger.node = None
        if kind in ("power_on", "brown_out", "run_pin"):
            self.chip.awake_since = self.clock.now
            self.model.restart()  # board and module share the supply
        self.chip.boot(kind, kept)

    def _tidy(self) -> None:
        """The node collects its garbage at each wake: what the world itself remembers is none of its business."""
        gc.freeze()
        self.clock.after(_FREEZE_EVERY_MS, self._tidy)

    def _calm(self) -> None:
        self.line.mend()
        self.model.faults.random(0, 0)
        self.flash.cut_at = self.flash.fault = None
        self.flash.full = self.broken = self._slips = False
        self._time_error = 0
        self.outage(False)

    # what goes wrong

    def _begin_outage(self, minutes: int):
        def begin() -> None:
            self.outage(True)
            self.clock.after(minutes * 60000, lambda: self.outage(False))

        return begin

    def _begin_restart(self, _minutes: int):
        def begin() -> None:
            self.ledger.troubled()
            self.model.restart()

        return begin

    def _begin_brown_out(self, _minutes: int):
        def begin() -> None:
            raise Reset("brown_out")

        return begin

    def _begin_line(self, _minutes: int):
        return lambda: self.line.spoil(self.faults)

    def _begin_flash_errors(self, minutes: int):
        return self._flash_fault(minutes, errors(self.seed, FLASH_PERMILLE))

    def _begin_unreadable(self, minutes: int):
        faulty = self._flash_fault(minutes, broken("read", "state/j"))

        def begin() -> None:
            self._unreadable.append((self.clock.now, self.clock.now + minutes * 60000))
            faulty()

        return begin

    def _begin_unlistable(self, minutes: int):
        return self._flash_fault(minutes, broken("list", "state"))

    def _begin_unremovable(self, minutes: int):
        return self._flash_fault(minutes, broken("remove", "state/j"))

    def _flash_fault(self, minutes: int, fault):
        """That fault for so long, then the one before it."""
        def begin() -> None:
            before, self.flash.fault = self.flash.fault, fault
            self.clock.after(minutes * 60000, lambda: setattr(self.flash, "fault", before))

        return begin

    def _begin_flash_full(self, minutes: int):
        def begin() -> None:
            self.flash.full = True
            self.clock.after(minutes * 60000, lambda: setattr(self.flash, "full", False))

        return begin

    def _begin_wrong_time(self, _minutes: int):
        def begin() -> None:
            self._time_error = self.random.choice(_WRONG_TIMES_S)

        return begin

    def _network_time(self):
        """What the network says, wrong once where it is to be."""
        error, self._time_error = self._time_error, 0
        unix = self._right_time()
        if unix is not None and not error:
            self.ledger.told()
        return unix if unix is None else unix + error

    def _begin_slip(self, _minutes: int):
        def begin() -> None:
            self._slips = True

        return begin

    def _write(self, data):
        """What goes to the module; a slip is an exception that nobody in there expects."""
        if self._slips:
            self._slips = False
            self.ledger.troubled()
            raise Bug("in the middle of a contact")
        return self._right_write(data)

    def _begin_power_cut(self, _minutes: int):
        def begin() -> None:
            if self.flash.cut_at is None:
                self.flash.cut_at = self.flash.operations + self.random.randint(1, 12)

        return begin

    def _begin_bug(self, minutes: int):
        def begin() -> None:
            self.broken = True
            self.clock.after(minutes * 60000, self._mend)
            if self.port == "rp2":
                raise Reset("run_pin")  # the fault shows at the next start: whoever brought it presses the button

        return begin

    def _mend(self) -> None:
        self.broken = False
