"""Many nodes whose power comes at the same moment: each through the real firmware, in virtual time (low-power notes, 6: 2)."""

import gc
import sys

from fakes.world import World

PORTS = ("esp32", "rp2")
NODES = 300 if sys.implementation.name == "cpython" else 12
PERIOD_S, WINDOW_S, BUCKET_S = 900, 225, 60


def _identity(number, port):
    """Ids as a maker gives them: one after the other."""
    if port == "esp32":
        return bytes([0x24, 0x6F, 0x28, 0x10, number >> 8, number & 0xFF])
    return bytes([0xE6, 0x60, 0x58, 0x38, 0x83, 0x10, number >> 8, number & 0xFF])


def _spoken(number, port, config=None, minutes=20):
    """Seconds after the power came at which a node begins to speak to its module, once a wake."""
    given = {"spread": 600}
    given.update(config or {})
    world = World(port, given, seed=number + 1)
    world.chip.unique_id = _identity(number, port)
    begun = []

    def note(direction, _line):
        second = world.clock.now // 1000
        if direction == ">" and (not begun or second > begun[-1] + PERIOD_S // 3):
            begun.append(second)

    world.model.on_note = note
    world.run(minutes=minutes)
    return begun, world


def _fullest(seconds):
    """How many fall into the fullest window of 60 s, wherever it begins."""
    seconds = sorted(seconds)
    most = first = 0
    for last in range(len(seconds)):
        while seconds[last] - seconds[first] >= BUCKET_S:
            first += 1
        most = max(most, last - first + 1)
    return most


def test_nodes_switched_on_together_never_speak_together():
    if hasattr(gc, "freeze"):
        gc.freeze()
    port = PORTS[0]
    contacts = []
    for number in range(NODES):
        begun, world = _spoken(number, port)
        assert len(begun) >= 2, (number, begun)
        assert len(world.taken) >= 4 and world.taken[0][2] <= world.clock.start_unix + 2, "sampled at once"
        contacts.append(begun)
    first = [begun[0] for begun in contacts]
    assert max(first) <= WINDOW_S + 25, "a module that slept is woken first"
    even = NODES * BUCKET_S / WINDOW_S
    if NODES == 300:
        fullest = [_fullest([begun[i] for begun in contacts]) for i in range(2)]
        print("fullest 60 s of each round of contacts: %s, even share %d" % (fullest, even))
        assert max(fullest) <= 2 * even, fullest
    else:
        assert len(set(first)) > NODES // 2, first


def test_they_do_not_speak_together_either_when_power_comes_back():
    for port in PORTS:
        late = []
        for number in range(8):
            begun, world = _spoken(number, port, minutes=31)
            world.chip.boot("power_on")
            world.model.restart()
            del begun[:]
            back = world.clock.now // 1000
            world.run(minutes=20)
            late.append(begun[0] - back)
        assert max(late) <= WINDOW_S + 25, (port, late)
        assert len(set(late)) >= 6 and max(late) - min(late) > BUCKET_S, (port, late)


def test_nodes_whose_server_was_away_come_back_spread():
    """Coverage stood all the time. Who is in the middle of a try comes with its next retransmission, half of them in the first
    minutes of an outage, as back-off begins small; who rests at a moment of its own."""
    count = 30 if NODES == 300 else 6
    for away_h, most in ((0.25, count // 2), (2, count // 5 + 1)):
        came = []
        for number in range(count):
            world = World("esp32", {"spread": 600}, seed=number + 1)
            world.chip.unique_id = _identity(number, "esp32")
            world.run(hours=1)
            world.link.radio(up=False)
            world.run(minutes=int(60 * away_h))
            back, heard = world.clock.now, len(world.server.events)
            world.link.radio(up=True)
            world.run(hours=7)
            came.append((world.server.events[heard][0] - back) // 1000)
        print("away %.2f h: first heard of after %s s" % (away_h, sorted(came)))
        assert _fullest(came) <= most + (NODES != 300), (away_h, sorted(came))


def test_a_daily_report_comes_soon_after_the_battery_was_changed_and_not_a_day_later():
    for port in PORTS:
        world = World(port, {"report_every": 86400})
        world.run(hours=30)
        world.chip.boot("power_on")
        world.model.restart()
        told = len(world.server.events)
        world.run(minutes=10)
        assert len(world.server.events) > told, port


def test_whoever_is_at_the_cable_does_not_wait_and_spread_0_means_at_once():
    for port, pin in (("esp32", 32), ("rp2", 22)):
        for number in range(3):
            begun, _ = _spoken(number, port, {"spread": 0}, minutes=5)
            assert begun[0] <= 2, (port, begun)
            world = World(port, {"spread": 600}, pins={"stay_awake": pin})
            world.chip.unique_id = _identity(number, port)
            world.drive("stay_awake", True)
            world.run(minutes=3)
            assert world.server.events[0][0] < 90000, (port, "after the window for a person", world.server.events)
