"""A whole node: the power cut at every AT exchange and at every flash write of a wake, each exchange broken once in each way.

Low-power notes, section 6: 3, 9, 15. The number of cut points equals the exchanges and writes of an uncut run.
"""

import gc
import sys

from fakes.chip import Reset
from fakes.flash import PowerCut
from fakes.world import World

PORTS = ("esp32", "rp2")
KINDS = ("silence", "error", "garbage", "late", "reboot", "lost_answer")
LATER_MIN = 75


class Counter:
    """Counts the command lines that reach the module; does something at the n-th."""

    def __init__(self, world):
        self.lines = 0
        self.at = None
        self.do = None
        world.model.on_note = self.note

    def note(self, direction, line):
        if direction == ">":
            self.lines += 1
            if self.lines == self.at:
                self.do()


def _steady(port, config=None):
    """A node in its rhythm, asleep, with a counter of what it says from now on."""
    if hasattr(gc, "freeze"):
        gc.freeze()  # the node collects at each wake: under CPython that would be all that pytest holds
    world = World(port, config)
    world.run(minutes=35)
    assert not _late(world)
    world.chip.awake_since = world.clock.now
    world.awake = []
    world.chip.on_sleep = world.awake.append
    return world, Counter(world)


def _late(world):
    """Readings older than a report period that the server does not have."""
    return [reading for reading in world.lost() if reading[2] < world.clock.unix() - 1800]


def _kinds(at):
    """Every way under CPython; one each, in turn, under MicroPython, which is slower here."""
    return KINDS if sys.implementation.name == "cpython" else KINDS[at % len(KINDS) :][:1]


def _one_wake(port):
    """Exchanges and flash writes of one uncut wake."""
    world, counter = _steady(port)
    before = world.flash.operations
    world.run(minutes=15)
    return counter.lines, world.flash.operations - before


def test_each_exchange_of_a_wake_broken_once_in_each_way_costs_no_reading():
    for port in PORTS:
        lines, _ = _one_wake(port)
        assert lines >= 5
        for at in range(1, lines + 1):
            for kind in _kinds(at):
                world, counter = _steady(port)
                world.model.faults.arm(kind, at=at)
                world.run(minutes=LATER_MIN)
                assert len(world.model.faults.played) == 1, (port, kind, at)
                assert not _late(world), (port, kind, at, _late(world)[:3])
                assert max(world.awake) <= (world.settings.awake_budget + 20) * 1000, (port, kind, at, max(world.awake))
        print("%s: %d exchanges broken, each in %d ways" % (port, at, len(_kinds(at))))


def test_power_cut_at_each_exchange_of_a_wake():
    for port in PORTS:
        lines, _ = _one_wake(port)
        for at in range(1, lines + 1):
            world, counter = _steady(port)

            def cut(world=world):
                world.model.restart()
                raise Reset("power_on")

            counter.at, counter.do = at, cut
            world.run(minutes=LATER_MIN)
            assert world.causes.count("power_on") == 1, (port, at)
            gone = _late(world)
            # In RAM or RTC memory alone: exposed by policy. One wake reads two sensors.
            assert len(gone) <= 2, (port, at, gone)
        print("%s: power cut at %d of %d exchanges" % (port, at, lines))


def test_power_cut_at_each_flash_write_until_all_state_has_been_written():
    """RP2 writes at each wake, ESP32 at about every fourth."""
    for port, minutes in (("rp2", 15), ("esp32", 90)):
        world, _ = _steady(port)
        before = world.flash.operations
        world.run(minutes=minutes)
        writes = world.flash.operations - before
        assert writes >= 3
        for cut in range(1, writes + 1):
            world, _ = _steady(port)
            world.flash.cut_at = world.flash.operations + cut
            try:
                world.run(minutes=minutes)
            except PowerCut:
                pass
            else:
                raise AssertionError((port, cut, "no cut"))
            world.flash.cut_at = None
            world.chip.boot("power_on")
            world.model.restart()
            world.run(minutes=LATER_MIN)
            assert len(_late(world)) <= 2, (port, cut, _late(world))
        print("%s: power cut at flash writes 1 to %d of %d" % (port, cut, writes))


def test_a_bg96_that_enters_psm_in_the_middle_of_a_contact_costs_no_reading():
    """Section 6, 10: PSM POWER DOWN while we hold a session. Its PSM is a power-down, and forgets everything."""
    world, counter = _steady("esp32", {"family": "bg96"})
    world.run(minutes=15)
    lines, downs = counter.lines, []
    assert lines >= 8
    for at in range(1, lines + 1, 1 if sys.implementation.name == "cpython" else 5):
        world, counter = _steady("esp32", {"family": "bg96"})
        model = world.model

        def fall(model=model):
            model.urc("PSM POWER DOWN")
            model.after(20, lambda: model._go_down("asleep"))  # no command makes it do so at a moment of ours

        def look(at=at, model=model):
            if not model.status_pin:
                downs.append(at)

        counter.at, counter.do = at, lambda fall=fall, look=look, world=world: (fall(), world.clock.after(30, look))
        world.run(minutes=LATER_MIN)
        assert not _late(world), (at, _late(world)[:2])
        assert max(world.awake) <= (world.settings.awake_budget + 20) * 1000, (at, max(world.awake))
    print("bg96: PSM after exchanges %s of %d" % (downs, lines))
    assert downs
