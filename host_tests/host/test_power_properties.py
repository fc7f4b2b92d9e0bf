"""Properties of lwnode.power under random histories: hypothesis looks for the one that breaks them."""

from __future__ import annotations

import random

import pytest
from fakes.clock import VirtualClock
from fakes.flash import FlashFiles, Memory, PowerCut, broken, errors
from hypothesis import given, settings
from hypothesis import strategies as st

from lwnode.power import Clock, FileStore, Journal, RetainedState, Schedule

CPYTHON_ONLY = "hypothesis does not run on MicroPython; the portable cases are in test_power_*.py"

QUICK = settings(max_examples=80, deadline=None)

OPERATION = st.one_of(
    st.tuples(st.just("append"), st.integers(0, 200)),
    st.tuples(st.just("remove"), st.integers(0, 40)),
    st.tuples(st.just("flush"), st.booleans()),
    st.tuples(st.just("reset"), st.sampled_from(["sleep", "power"])),
    st.tuples(st.just("cut"), st.integers(1, 12)),
)
KINDS = ((), ("read",), ("write", "rename", "mkdir"), ("list",), ("remove",), ("rename", "remove"))


def history(chance: random.Random):
    """Steps of a node on a flash that fails: wakes, sleeps and losses of power, while errors come and go."""
    for _ in range(chance.randrange(60)):
        kind = chance.choice(("append",) * 6 + ("flush", "reset") * 2 + ("remove", "cut", "errors", "broken", "full", "heal"))
        yield kind, {
            "append": chance.choice((0, 9, 30, 200)), "flush": chance.random() < 0.5, "remove": chance.choice((0, 1, 3, 40)),
            "reset": chance.choice(("sleep", "sleep", "power")), "cut": chance.randrange(1, 12), "full": chance.random() < 0.5,
            "errors": (chance.randrange(1000), chance.choice((20, 300, 1000)), chance.choice(KINDS)),
            "broken": chance.choice(KINDS), "heal": None}[kind]


class Account:
    """What the outside knows of a journal: every record is waiting, acknowledged, exposed at a loss, or counted as dropped."""

    def __init__(self, ram: bool, batch: int) -> None:
        self.files = FlashFiles()
        self.memory = Memory(0 if ram else 1024)
        self.batch = batch
        self.number = 0
        self.acknowledged: set[int] = set()
        self.exposed: set[int] = set()
        self.at_risk: set[int] = set()
        self.dropped = 0
        self.open()

    def open(self) -> None:
        cold = FileStore("/state", self.files)
        hot = RetainedState(self.memory, 1) if self.memory.size else None
        self.journal = Journal(hot, cold, limit_bytes=1 << 20, batch=self.batch)
        self.counted = self.journal.dropped

    def waiting(self) -> dict[int, int]:
        return {int(data[:8]): seq for seq, data in self.journal.entries()}

    def fresh(self) -> set[int]:
        entries = [int(data[:8]) for _, data in self.journal.entries()]
        return set(entries[len(entries) - self.journal.exposed :])

    def power_lost(self) -> None:
        self.at_risk |= self.exposed
        self.exposed = set()
        if self.memory.size:
            self.memory = Memory(1024)

    def step(self, kind: str, value) -> None:
        if kind == "append":
            self.number += 1
            self.exposed.add(self.number)
            self.journal.append(b"%08d" % self.number + b"x" * value)
        elif kind == "remove":
            numbers = self.waiting()
            chosen = list(numbers)[: value + 1]
            self.acknowledged |= set(chosen)
            self.journal.remove([numbers[n] for n in chosen])
        elif kind == "flush":
            self.journal.flush(force=value)
        elif kind == "reset":
            if value == "power" or not self.memory.size:
                self.exposed = self.fresh()
                self.power_lost()
            self.open()
        elif kind == "cut":
            self.files.cut_at = self.files.operations + value
        elif kind == "full":
            self.files.full = value
        else:
            faults = {"errors": lambda: errors(*value[:2], *value[2]), "broken": lambda: broken(value), "heal": lambda: None}
            self.files.fault = faults[kind]()

    def live(self, operations) -> None:
        for kind, value in operations:
            self.exposed = self.fresh()
            try:
                self.step(kind, value)
            except PowerCut:
                fault, full = self.files.fault, self.files.full
                self.files = self.files.after_cut()
                self.files.fault, self.files.full = fault, full
                self.power_lost()
                self.open()
            self.dropped += self.journal.dropped - self.counted
            self.counted = self.journal.dropped
        self.files.cut_at = self.files.fault = None
        self.files.full = False

    def missing(self) -> set[int]:
        """Neither waiting, nor acknowledged, nor lost with the power; what waits is in order and there once."""
        waiting = [int(data[:8]) for _, data in self.journal.entries()]
        assert waiting == sorted(set(waiting))
        assert self.journal.damaged == 0
        return set(range(1, self.number + 1)) - set(waiting) - self.acknowledged - self.at_risk


@QUICK
@given(st.booleans(), st.integers(1, 9), st.lists(OPERATION, max_size=60))
def test_no_record_goes_but_by_acknowledgement_or_exposed_to_a_loss_of_power(ram, batch, operations):
    account = Account(ram, batch)
    account.live(operations)
    assert account.missing() == set()
    assert account.journal.dropped == 0


@pytest.mark.parametrize("seed", range(10))
def test_an_error_of_the_flash_takes_no_record_and_what_gives_way_for_want_of_room_is_counted(seed):
    for number in range(60):
        chance = random.Random(seed * 1000 + number)
        account = Account(chance.random() < 0.5, chance.choice((1, 2, 4, 9)))
        account.live(history(chance))
        heal(account)


def heal(account: Account) -> None:
    """The flash is good again: what waits is whole, numbers go on, and acknowledged entries leave no file behind."""
    account.journal.flush()
    assert len(account.missing()) <= account.dropped
    waiting = set(account.waiting())
    account.step("append", 3)
    assert account.journal.flush(force=True) and account.journal.exposed == 0
    account.open()
    assert waiting <= set(account.waiting()) and account.number in account.waiting(), "numbers go on, and nothing falls out"
    for _ in range(2):
        account.journal.remove(account.waiting().values())
        account.journal.flush()
    assert [name for name in account.files.content if "/j" in name] == [], "no file is left behind"
    account.open()
    assert account.waiting() == {}


@QUICK
@given(
    st.integers(1, 86400), st.integers(0, 5000),
    st.lists(st.tuples(st.integers(-30, 30), st.sampled_from([1, 1, 1, 4, 96]), st.booleans()), max_size=80),
)
def test_a_slot_is_never_served_twice_and_the_schedule_never_stops(period, offset, wakes):
    schedule = Schedule(period, offset)
    served: list[int] = []
    now = 1_790_000_000
    for drift_percent, stretch, reload in wakes:
        schedule.stretch = stretch
        if reload:
            again = Schedule(period, offset)
            assert again.load(schedule.dump())
            again.stretch = stretch
            schedule = again
        slot = schedule.due(now)
        if slot is not None:
            assert slot not in served
            served.append(slot)
            schedule.serve(slot)
        wait = schedule.seconds_to_next(now)
        assert 0 <= wait <= 2 * schedule.interval_s
        now += max(1, wait * (100 + drift_percent) // 100)
    assert served == sorted(served)


@QUICK
@given(st.binary(max_size=120))
def test_any_bytes_load_as_state_or_defaults(data):
    port = VirtualClock()
    clock = Clock(port)
    clock.load(data)
    assert clock.unix() is None or isinstance(clock.unix(), int)
    clock.stamp()
    clock.sleep_ms(900)
    schedule = Schedule(900)
    schedule.load(data)
    schedule.due(1_790_000_000)
    assert 0 <= schedule.seconds_to_next(1_790_000_000) <= 900
    memory = Memory(1024, data)
    Journal(RetainedState(memory, 1), FileStore("/state", FlashFiles())).append(b"x")


@QUICK
@given(st.lists(st.tuples(st.integers(60, 200_000), st.integers(-100_000, 100_000)), max_size=40), st.integers(-40000, 40000))
def test_drift_stays_clamped_and_time_near_the_truth_whatever_the_module_says(answers, ppm):
    class Port(VirtualClock):
        def time(self):
            return self.now // 1000 * 1000000 // (1000000 + ppm)

    port = Port()
    clock = Clock(port)
    assert clock.set_unix(port.unix(), "network")
    for seconds, lie in answers:
        port.advance(seconds * 1000)
        clock.set_unix(port.unix() + (lie if abs(lie) > 60_000 else 0), "network")
        assert -50000 <= clock.ppm <= 50000
        clock.set_unix(port.unix(), "server")
        assert abs(clock.unix() - port.unix()) <= 1
