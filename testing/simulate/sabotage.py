"""Subtle faults for lib/, one at a time: the run must then fail, and by the sentence that the fault deserves.

    fault = FAULTS["last_of_pack"]
    with sabotage("last_of_pack") as done:
        simulation = Simulation("esp32", "bc66", 1, fault.faults, sensors=3, alarm=True, **fault.config)
        simulation.live(fault.days)
    done.count                          -> 12: how often the fault did its deed; 0 is an error of the table below
    simulation.ledger.verdict()         -> ["12 readings were lost, ..."]: holds fault.noticed

Each patches a public name, so that lib/ may be rebuilt below it; a name that is gone is a SabotageError, and so is a fault that
never did anything.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

# A day and a half of outage with a journal for some hours, for faults of drops; alarms that do not coincide with reports.
SMALL = {"journal_bytes": 4096}
SELDOM = {"report_every": 14400}


class SabotageError(AssertionError):
    """The table of faults is wrong: a name that lib/ no longer has, or a fault that did nothing."""


class Deeds:
    """How often the fault has done its deed."""

    def __init__(self) -> None:
        self.count = 0

    def done(self) -> None:
        """One more."""
        self.count += 1


@dataclass
class Fault:
    """One fault: what goes wrong, where it sits, the words that a verdict must have, and the life that shows it."""

    what: str
    where: str  # "module:Class.method" or "module:function"
    make: Callable[[Any, Deeds], Any]  # (what was there, deeds) -> what takes its place
    noticed: str
    config: dict[str, object] = field(default_factory=dict)
    faults: str = "dense"
    days: float = 3
    ports: tuple[str, ...] = ("esp32", "rp2")


def _numbers(journal: Any) -> list[int]:
    return [number for number, _ in journal.entries()]


def _forgets_all_but_newest(before, deeds):
    def flush(self, force=False):
        numbers = _numbers(self)
        if len(numbers) > 1:
            deeds.done()
            self.remove(numbers[:-1])
        return before(self, force)

    return flush


def _spill_loses_one(before, deeds):
    def flush(self, force=False):
        if self.exposed >= self.batch:
            deeds.done()
            self.remove(_numbers(self)[-self.exposed :][:1])
        return before(self, force)

    return flush


def _drops_uncounted(before, deeds):
    def flush(self, force=False):
        count = self.dropped
        fine = before(self, force)
        if self.dropped > count:
            deeds.done()
            self.dropped = count
        return fine

    return flush


def _drops_newest(before, deeds):
    def flush(self, force=False):
        fine = before(self, force)
        if len(self) > 12:
            deeds.done()
            self.remove(_numbers(self)[-1:])
            self.dropped += 1
        return fine

    return flush


def _never_flushes(before, deeds):
    def flush(self, force=False):
        if self.exposed >= self.batch:
            deeds.done()
        return True

    return flush


def _keeps_some(before, deeds):
    def remove(self, numbers):
        deeds.count += 1
        return None if deeds.count % 20 == 0 else before(self, numbers)

    return remove


def _removes_neighbour(before, deeds):
    """An entry goes that was not acknowledged: the newest of a backlog."""
    def remove(self, numbers):
        numbers = list(numbers)
        behind = [number for number in _numbers(self) if numbers and number > max(numbers)]
        if len(behind) > 6:
            deeds.done()
            numbers.append(behind[-1])
        return before(self, numbers)

    return remove


def _backwards(before, deeds):
    def entries(self, *limit):
        found = list(before(self, *limit))
        if len(found) > 4:
            deeds.done()
            found.reverse()
        return iter(found)

    return entries


def _pack_without_last(before, deeds):
    def pack(self, records, limit):
        data, used = before(records, limit)
        if used < 2:
            return data, used
        deeds.done()
        return before(records[: used - 1], limit)[0], used

    return pack


def _pack_swaps(before, deeds):
    """The first two readings of a pack come under each other's path."""
    def pack(self, records, limit):
        records = list(records)
        if len(records) > 1 and records[0][0] != records[1][0]:
            deeds.done()
            first, second = records[0], records[1]
            records[:2] = [(first[0], *second[1:]), (second[0], *first[1:])]
        return before(records, limit)

    return pack


def _swaps(before, deeds):
    def reports(self, when=None):
        found = list(before(self, when))
        if len(found) > 1 and random.randrange(10) == 0:
            deeds.done()
            first, second = found[0], found[1]
            found[:2] = [(first[0], *second[1:]), (second[0], *first[1:])]
        return found

    return reports


def _loses_last_report(before, deeds):
    def reports(self, when=None):
        found = list(before(self, when))
        if len(found) > 2 and random.randrange(20) == 0:
            deeds.done()
            found.pop()
        return found

    return reports


def _one_slot_off(before, deeds):
    def resolve(self, stamp):
        unix = before(self, stamp)
        if unix is None:
            return None
        deeds.done()
        return unix - 900

    return resolve


def _time_of_sending(before, deeds):
    def resolve(self, stamp):
        deeds.done()
        return self.unix()

    return resolve


def _value_of_before(before, deeds):
    """Now and then a value is the one before it: what a stale buffer gives."""
    def update(self, value, when=None, quality=None):
        if isinstance(value, int) and self.value is not None and random.randrange(15) == 0:
            deeds.done()
            value = self.value
        return before(self, value, when, quality)

    return update


def _believes_all(before, deeds):
    """What failed counts as delivered."""
    def settle(self, ticket, arrived, lost=True, mute=False):
        if not arrived:
            deeds.done()
        return before(self, ticket, True, lost, mute)

    return settle


def _sends_twice(before, deeds):
    def publish(self, records, confirm=True):
        if confirm and random.randrange(10) == 0:
            deeds.done()
            before(self, records, confirm)
        return before(self, records, confirm)

    return publish


def _believing_open(before, deeds):
    def open(self, defer=None):
        if not self.configured:
            return before(self, defer)
        deeds.done()
        return bool(self.modem.wake())

    return open


def _no_guard(before, deeds):
    def enter(self, cause):
        deeds.done()
        return "normal"

    return enter


def _no_rest(before, deeds):
    def crashed(self, *given):
        deeds.done()
        return 0

    return crashed


def _slot_not_served(before, deeds):
    def serve(self, slot):
        deeds.done()

    return serve


def _slot_passed_over(before, deeds):
    def due(self, now):
        slot = before(self, now)
        if slot is not None and random.randrange(12) == 0:
            deeds.done()
            self.serve(slot)
            return None
        return slot

    return due


def _samples_twice(before, deeds):
    def sample(self, *given):
        if random.randrange(20) == 0:
            deeds.done()
            before(self, *given)
        return before(self, *given)

    return sample


def _alarm_forgotten(before, deeds):
    def alarm(self):
        deeds.done()

    return alarm


def _rtc_forgotten(before, deeds):
    """One start in ten finds nothing where the journal keeps its newest readings."""
    def load(self, name):
        data = before(self, name)
        if name == "journal" and data is not None and random.randrange(10) == 0:
            deeds.done()
            return None
        return data

    return load


def _deletes_unreadable(before, deeds):
    """What cannot be read now is taken for rotten."""
    def load(self, name):
        try:
            return before(self, name)
        except OSError:
            if name.startswith("j"):
                deeds.done()
                self.remove(name)
            return None

    return load


def _lists_nothing(before, deeds):
    def names(self, *prefix):
        try:
            return before(self, *prefix)
        except OSError:
            deeds.done()
            return []

    return names


def _believes_any_time(before, deeds):
    def set_unix(self, unix, source):
        deeds.done()
        return before(self, unix, "user")

    return set_unix


_JOURNAL = "lwnode.power:Journal."
_TREE = "lwnode.lwm2m:ObjectTree."
FAULTS = {
    "journal": Fault("only the newest reading survives a wake", _JOURNAL + "flush", _forgets_all_but_newest, "lost"),
    "spill": Fault("a reading is dropped when a batch goes to flash", _JOURNAL + "flush", _spill_loses_one, "lost"),
    "uncounted": Fault("drops are not counted", _JOURNAL + "flush", _drops_uncounted, "lost", SMALL, "drought"),
    "newest": Fault("the newest gives way instead of the oldest", _JOURNAL + "flush", _drops_newest, "newer ones were dropped",
                    SMALL, "drought"),
    "never_flushed": Fault("nothing goes to flash", _JOURNAL + "flush", _never_flushes, "exposed", SMALL, "drought",
                           ports=("rp2",)),
    "acknowledged_twice": Fault("some acknowledgements do not empty the journal", _JOURNAL + "remove", _keeps_some,
                                "came twice", {}, "none"),
    "neighbour": Fault("an acknowledgement takes the newest reading too", _JOURNAL + "remove", _removes_neighbour, "lost",
                       {}, "drought"),
    "order": Fault("history goes newest first", _JOURNAL + "entries", _backwards, "after later ones"),
    "last_of_pack": Fault("the last reading of a pack is lost", _TREE + "pack", _pack_without_last, "lost"),
    "pack_swapped": Fault("two sensors are swapped in a pack", _TREE + "pack", _pack_swaps, "never given"),
    "swapped": Fault("two sensors are swapped now and then", _TREE + "reports", _swaps, "never given"),
    "last_sensor": Fault("the last sensor's reading is lost now and then", _TREE + "reports", _loses_last_report, "lost"),
    "slot_off": Fault("history is stamped one slot early", "lwnode.power:Clock.resolve", _one_slot_off, "wrong time"),
    "time_of_sending": Fault("history is stamped when it is sent", "lwnode.power:Clock.resolve", _time_of_sending,
                             "wrong time"),
    "stale_value": Fault("a reading is the one before it", "lwnode.lwm2m:Resource.update", _value_of_before, "lost"),
    "unreadable": Fault("a segment is deleted on a read error", "lwnode.power:FileStore.load", _deletes_unreadable, "lost", {},
                        "flash"),
    "unlisted": Fault("a listing that failed is an empty one", "lwnode.power:FileStore.names", _lists_nothing, "lost", {},
                      "flash", ports=("esp32",)),
    "any_time": Fault("each answer of the network is believed at once", "lwnode.power:Clock.set_unix", _believes_any_time,
                      "wrong time", SELDOM, "clocks", 6),
    "unconfirmed": Fault("what failed counts as delivered", "lwnode.node.delivery:Delivery.settle", _believes_all, "lost"),
    "sent_twice": Fault("one report in ten goes out twice", "lwnode.modem.{family}:Driver.publish", _sends_twice, "came twice",
                        {}, "none"),
    "recovery": Fault("the session is taken for granted", "lwnode.node.session:Session.open", _believing_open, "still wait",
                      days=0.25, ports=("esp32",)),
    "guard": Fault("the crash guard counts nothing", "lwnode.power:BootGuard.enter", _no_guard, "dead", days=6),
    "slot": Fault("a slot is never served", "lwnode.power:Schedule.serve", _slot_not_served, "far more often"),
    "passed_over": Fault("one slot in twelve is passed over", "lwnode.power:Schedule.due", _slot_passed_over, "were missed",
                         {}, "none"),
    "sampled_twice": Fault("one sampling in twenty is two", _TREE + "sample", _samples_twice, "served twice", {}, "none"),
    "alarm": Fault("an alarm waits for the next report", "lwnode.node:Node.alarm", _alarm_forgotten, "alarms", SELDOM, "none"),
    "rtc_forgotten": Fault("RTC memory is not taken up now and then", "lwnode.power:RetainedState.load", _rtc_forgotten,
                           "lost", SELDOM, ports=("esp32",)),
}
# What goes with another: where the crash guard is off, its rest is too.
_TOGETHER = {"guard": [("lwnode.power:BootGuard.crashed", _no_rest)]}
NAMES = tuple(FAULTS)


def _place(where: str) -> tuple[Any, str]:
    module, _, path = where.partition(":")
    try:
        owner: Any = importlib.import_module(module)
        *classes, name = path.split(".")
        for part in classes:
            owner = getattr(owner, part)
        getattr(owner, name)
    except (ImportError, AttributeError) as error:
        raise SabotageError(f"{where} is gone ({error}): put the fault's hook in testing/simulate/sabotage.py right") from error
    return owner, name


@contextmanager
def sabotage(name: str, family: str = "bc66") -> Iterator[Deeds]:
    """Put a fault into lib/ for the time of the block; SabotageError where it could not do anything."""
    fault, deeds = FAULTS[name], Deeds()
    random.seed(1)
    changed = []
    for where, make in [(fault.where, fault.make), *_TOGETHER.get(name, [])]:
        owner, attribute = _place(where.format(family=family))
        own = vars(owner).get(attribute)
        changed.append((owner, attribute, own))
        setattr(owner, attribute, make(getattr(owner, attribute), deeds))
    try:
        yield deeds
    finally:
        for owner, attribute, own in changed:
            if own is None:
                delattr(owner, attribute)  # it was inherited
            else:
                setattr(owner, attribute, own)
    if not deeds.count:
        raise SabotageError(f"SABOTAGE={name} ({fault.what}) never did anything: the life is too short, or {fault.where}"
                            " is not called any more")
