"""A whole node on a flash that fails or is full, and through its own restarts: what is lost was exposed or counted."""

from fakes.flash import broken, errors
from fakes.world import ENDPOINT, RELAY, World

CPYTHON_ONLY = "days of virtual time; journal and store run under MicroPython in test_power_journal"
FAMILIES = ("bc66", "bc20", "bg96", "me910c1")
PORTS = ("esp32", "rp2")


def _late(world):
    return [reading for reading in world.lost() if reading[2] < world.clock.unix() - 4 * 3600]


def _outage(world, since, until):
    world.at(lambda: world.outage(True), hours=since)
    world.at(lambda: world.outage(False), hours=until)


def _dropped(world):
    """What every journal of this world has counted, life after life."""
    return world.node().journal.dropped


def test_a_full_flash_stops_no_contact_and_loses_what_memory_has_no_room_for():
    """BC66 lost all of two days: an observation could not be written, and the request that brought it was not answered."""
    for port in PORTS:
        for family in FAMILIES:
            world = World(port, {"family": family})
            _outage(world, 3, 15)
            world.at(lambda: setattr(world.flash, "full", True), hours=3)
            world.run(hours=24)
            lost = _late(world)
            assert [reading for reading in lost if reading[2] > world.clock.unix() - 8 * 3600] == [], (port, family)
            # RP2 has 4 KB of RAM for them, an ESP32 what its RTC memory has left; what gives way is counted.
            assert len(lost) <= (_dropped(world) if port == "esp32" else 0), (port, family, len(lost))
            assert world.causes.count("panic") == world.causes.count("soft") == 0


def test_a_write_that_cannot_be_kept_is_taken_back_while_reads_and_observations_are_answered():
    for port in PORTS:
        world = World(port, {"family": "bc66"})
        world.at(lambda: setattr(world.flash, "full", True), minutes=20)
        asked = []

        def ask():
            world.on_awake = None
            server = world.server
            asked.append((server.read(ENDPOINT, "/3303/0/5700"), server.observe(ENDPOINT, "/3303/0/5601"),
                          server.write(ENDPOINT, RELAY, b"1", 0)))

        def arm():
            world.on_awake = ask

        world.at(arm, minutes=25)
        world.at(lambda: setattr(world.flash, "full", False), minutes=40)
        world.at(arm, minutes=50)
        world.run(hours=2)
        codes = [[exchange.code for exchange in exchanges] for exchanges in asked]
        assert codes == [[205, 205, 400], [205, 205, 204]], (port, codes)  # BC66 has no 5.00 to give
        assert world.relay == 1


def test_errors_of_the_flash_lose_no_reading():
    """2 % of read errors cost 163 of 1520 readings, and removals that fail 144 of 7200."""
    for port in PORTS:
        for fault in (errors(5, 20, "read", "list"), errors(6, 20), errors(7, 300, "remove"), broken(("remove",)),
                      errors(8, 200, "write", "rename")):
            world = World(port, {"family": "bg96"})
            world.flash.fault = fault
            for day in range(2):
                _outage(world, 24 * day + 2, 24 * day + 14)
            world.at(lambda: setattr(world.flash, "fault", None), hours=40)
            world.run(hours=48)
            assert world.flash.failed and _late(world) == [], (port, world.flash.failed)


def test_restarts_of_our_own_lose_nothing():
    """58 of 192 readings, with no fault at all."""
    world = World("rp2", {"family": "bc66", "planned_restart": 4, "report_every": 7200})
    world.run(hours=24)
    assert len(world.taken) == 192 and world.causes.count("soft") + len(world.causes) > 20
    assert _late(world) == []


def test_a_crash_that_main_catches_loses_nothing():
    """Some five readings each, where RAM was the only place that had them."""
    from lwnode.node import Node

    pause, calls = Node.pause, [0]

    def breaks(node):
        calls[0] += 1
        if calls[0] % 5 == 0:
            raise MemoryError("allocating 512 bytes")
        return pause(node)

    Node.pause = breaks
    try:
        for port in PORTS:
            world = World(port, {"family": "bc66", "report_every": 7200})
            world.run(hours=48)
            assert world._booted > 20 and len(world.taken) > 300
            assert _late(world) == [], port
    finally:
        Node.pause = pause
