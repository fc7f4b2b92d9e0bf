"""A whole node and what it costs: data budget, a bad signal, a module that does not sleep, health as resources.

Each on both ports through the real firmware, in virtual time (low-power notes, table 2.2).
"""

import sys

from fakes.calm import Calm, contacts, late
from fakes.world import ENDPOINT, World

PORTS = ("esp32", "rp2")
STATUS = {"esp32": 34, "rp2": 9}


# -- data budget and signal --------------------------------------------------------------------------------


def test_a_months_data_budget_is_counted_and_enforced_and_the_next_month_goes_on():
    for port in PORTS if sys.implementation.name == "cpython" else PORTS[:1]:
        world = World(port, {"data_budget": 12000, "sample_every": 21600, "report_every": 21600})
        world.run(hours=24 * 40)
        days = [contacts(world, 24 * day, 24 * day + 24) for day in range(40)]
        assert days[1] >= 3, (port, days)
        assert days.count(0) > 5, (port, "the budget is spent", days)
        assert [day for day in range(1, 40) if days[day] and not days[day - 1]], (port, "a new month", days)
        assert not late(world, 10 * 86400), (port, "what waited for the month went with its first contact")


def test_an_alarm_passes_the_data_budget():
    world = Calm("esp32", {"data_budget": 1000, "sample_every": 300, "report_every": 900})
    world.run(hours=6)
    before = len(world.told())
    world.value = 35
    world.run(minutes=6)
    assert [delivery.value for delivery in world.told()[before:]] == [35]


def test_a_report_waits_for_a_better_signal_an_hour_at_most_and_an_alarm_does_not():
    for port in PORTS:
        world = Calm(port, {"sample_every": 300, "report_every": 900, "defer_longest": 3600}, rssi=23)
        world.run(hours=2)
        good = contacts(world)
        world.model.options["rssi"] = 4  # RSRP -132 dBm
        world.run(hours=6)
        deferred = contacts(world) - good
        assert 5 <= deferred <= 8, (port, deferred)
        before = len(world.told())
        world.value = 35
        world.run(minutes=6)
        assert [delivery.value for delivery in world.told()[before:]][-1:] == [35], port


# -- a module that does not sleep --------------------------------------------------------------------------


def test_a_module_that_stays_awake_is_counted_and_switched_off():
    for port in PORTS:
        world = World(port, pins={"status": STATUS[port]}, granted="refused")
        world.run(hours=3)
        assert health(world)["/26251/0/12"] >= 3, port
        assert b"AT+QPOWD=0" in bytes(world.uart.sent), (port, "switched off, and on again")
        assert not late(world), port


def test_a_module_that_sleeps_is_left_in_peace():
    for port in PORTS:
        world = World(port, pins={"status": STATUS[port]})
        world.run(hours=6)
        assert health(world)["/26251/0/12"] == 0, port


# -- health ------------------------------------------------------------------------------------------------


def health(world):
    """What the server reads of 26251 in the next contact."""
    asked = []

    def ask():
        if not asked:
            asked.append(world.server.read(ENDPOINT, "/26251/0"))

    world.on_awake = ask
    for _ in range(12):
        world.run(hours=1)
        if asked and asked[0].done:
            break
    world.on_awake = None
    assert asked and asked[0].code == 205, asked and asked[0].code
    return {"/" + "/".join([str(part) for part in value.path]): value.value for value in asked[0].values}


def test_a_reading_that_fits_no_message_is_dropped_and_stops_nobody():
    for family, size in (("bc66", 490), ("bc66", 900), ("bc20", 490), ("bg96", 490), ("me910c1", 370)):
        world = World("esp32", {"family": family})
        world.declare = lambda tree, board, size=size: tree.sensor(3341, lambda: "x" * size, resources=(5527,))
        world.run(hours=3)
        assert "crash.txt" not in world.flash.content, (family, size, world.flash.content["crash.txt"])
        assert not late(world) and len(world.taken) > 20, (family, size, late(world))


def test_health_is_read_as_resources_with_resets_by_cause_and_what_it_cost():
    for port in PORTS:
        world = World(port, battery_mv=3800)
        world.run(hours=30)
        world.chip.boot("watchdog")
        world.run(hours=3)
        found = health(world)
        assert found["/26251/0/0"] >= 28, (port, found)
        assert found["/26251/0/1"] <= 7, (port, "crash-free hours begin again")
        assert found["/26251/0/2"] >= 100 and found["/26251/0/3"] <= 2, (port, found)
        assert found["/26251/0/4"] == 0
        assert 100 < found["/26251/0/5"] < 3600, (port, found["/26251/0/5"])
        assert "watchdog 1" in found["/26251/0/6"], (port, found)
        assert 3700 < found["/26251/0/7"] < 3900, (port, found)
        assert -10 < found["/26251/0/8"] < 10
        assert found["/26251/0/9"] > 100, (port, found)
        for phase in ("connect", "sleep", "tail"):
            assert phase in found["/26251/0/10"], (port, found)
        assert found["/26251/0/13"] == ""


def test_a_pipe_tells_its_health_once_a_day_in_a_pack_with_voltage_and_error_code():
    world = World("esp32", {"family": "bc20", "battery": "lipo"}, battery_mv=3800)
    world.run(hours=30)
    world.battery(3400)
    world.run(hours=50)
    paths = {}
    for delivery in world.server.deliveries:
        path = "/" + "/".join([str(part) for part in delivery.path])
        paths.setdefault(path, []).append(delivery.value)
    assert len(paths["/26251/0/0"]) >= 3, paths.keys()
    assert paths["/26251/0/0"] == sorted(paths["/26251/0/0"])
    assert 3700 < paths["/3/0/7"][0] < 3900 and paths["/3/0/9"][0] > 50
    assert 1 in paths["/3/0/11"], "low battery power"


def test_a_shadow_gives_its_module_voltage_charge_and_health():
    world = World("esp32", {"family": "me910c1", "battery": "lipo"}, battery_mv=3800)
    world.run(hours=6)
    assert b"AT#LWM2MSET=0,3,0,9,0," in bytes(world.uart.sent)
    assert b"AT#LWM2MSET=0,3,0,7,0,3" in bytes(world.uart.sent)
    found = health(world)
    assert found["/26251/0/2"] >= 1 and found["/26251/0/7"] == 3800, found


def test_without_the_nodes_objects_nothing_of_them_is_declared():
    world = World("esp32", {"node_objects": False})
    world.run(hours=2)
    assert not any(["26250" in path or "26251" in path for path in world.server.registrations[ENDPOINT].objects])
    assert not late(world)
