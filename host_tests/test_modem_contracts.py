"""One application, four modules: the unchanged firmware over each family's virtual modem, and what each contract carried.

`carried(family)` lives eight hours with temperature, humidity and one relay, and lets the server read, write, execute and
observe while the node is awake. `make commands` prints the same as a table.
"""

import gc
import sys

from fakes.refusal import raised
from fakes.modem_bench import Bench
from fakes.world import ENDPOINT, RELAY, TEMPERATURE, World

import lwnode.modem
from lwnode.modem import Unsupported

FAMILIES = ("bc20", "bc66", "bg96", "me910c1")
CONTRACTS = {"bc20": "pipe", "bc66": "pull", "bg96": "pipe", "me910c1": "shadow"}


def carried(family):
    """What went through, as a row: outcome of each thing tried."""
    world = World("esp32", {"family": family})
    asked = {}

    def ask():
        if asked:
            return
        server = world.server
        asked["read"] = server.read(ENDPOINT, TEMPERATURE)
        asked["write"] = server.write(ENDPOINT, RELAY, b"1", 0)
        asked["execute"] = server.execute(ENDPOINT, "/3303/0/5605")
        # The relay on, and the smallest temperature asked for: it comes with the next report.
        pack = b"\x82\xa2\x00\x6c/3306/0/5850\x04\xf5\xa1\x00\x6c/3303/0/5601"
        asked["command"] = server.write(ENDPOINT, "/19/1/0", pack)

    ways = {"typed": 0, "in packs": 0}
    smallest = []
    told = world.server.on_notification

    def notified(endpoint, path, readings):
        ways["in packs" if path[0] == 19 else "typed"] += len(readings)
        smallest.extend([reading for reading in readings if path[0] == 19 and tuple(reading.path) == (3303, 0, 5601)])
        told(endpoint, path, readings)

    world.server.on_notification = notified
    world.on_awake = ask
    world.at(lambda: world.outage(True), minutes=40)
    world.at(lambda: world.outage(False), minutes=80)
    world.run(hours=8)  # longer than the longest rest after an outage (back-off: 6 h)
    late = [reading for reading in world.lost() if reading[2] < world.clock.unix() - 1000]
    return {
        "family": family, "contract": CONTRACTS[family], "taken": len(world.taken), "delivered": len(world.delivered()),
        "typed": ways["typed"], "in packs": ways["in packs"], "lost": len(late),
        "registrations": len([event for event in world.server.events if "register" in str(event)]),
        "read": code(asked.get("read")), "write": code(asked.get("write")), "execute": code(asked.get("execute")),
        "command": code(asked.get("command")), "came": len(smallest), "relay": world.relay,
    }


def code(exchange):
    """2.05 of an answered exchange, "-" of one that had no answer."""
    if exchange is None or exchange.code is None:
        return "-"
    return "%d.%02d" % (exchange.code // 100, exchange.code % 100)


def check_readings(row):
    assert row["taken"] >= 20, row
    assert row["lost"] == 0, row
    assert row["delivered"] >= row["taken"] - 4, row
    # Live values are typed where the contract has types; what an outage held back comes in packs everywhere.
    assert (row["typed"] > 0) == (row["contract"] != "pipe") and row["in packs"] > 0, row


def test_bc66_pulls_everything_from_the_host():
    row = carried("bc66")
    check_readings(row)
    assert (row["read"], row["write"], row["execute"]) == ("2.05", "2.04", "2.04"), row
    assert row["relay"] == 1, row


def test_me910c1_answers_from_its_shadow():
    row = carried("me910c1")
    check_readings(row)
    assert (row["read"], row["write"]) == ("2.05", "2.04"), row
    assert row["relay"] == 1, row


def test_a_pipe_passes_packs_both_ways():
    for family in ("bc20", "bg96"):
        row = carried(family)
        check_readings(row)
        assert row["command"] == "2.04" and row["came"] == 1, row
        assert row["read"] != "2.05" and row["relay"] == 1, row


def test_each_driver_declares_what_it_can_carry():
    wanted = {  # contract, typed, executes, acknowledges, history, psk, bootstrap
        "bc20": ("pipe", False, False, "server", "pack", False, False),
        "bc66": ("pull", True, True, "server", "pack", True, True),
        "bg96": ("pipe", False, False, "module", "pack", True, True),
    }
    for family in wanted:
        told = Bench(family).modem.capabilities
        assert (told.contract, told.typed, told.executes, told.acknowledges, told.history, told.psk,
                told.bootstrap) == wanted[family], family
        assert told.limits["pack"] >= 512
    assert Bench("bc66", buffered=True).modem.capabilities.buffered
    assert not Bench("bc66").modem.capabilities.buffered
    assert Bench("me910c1").modem.capabilities.contract == "shadow"


def test_a_configuration_can_be_checked_without_a_word_to_the_module():
    from lwnode.modem import Server

    good = {"bc20": Server("192.0.2.7", 5683, "867724030023557"), "bg96": Server("192.0.2.7", 5683, "urn:imei:1", 900)}
    bad = {"bc20": Server("192.0.2.7", 5683, "867724030023557", 900), "bg96": Server("192.0.2.7", 5683, "urn:imei:1", 29)}
    for family in good:
        one = Bench(family)
        one.modem.check(good[family])
        assert "lifetime" in str(raised((ValueError, Unsupported), one.modem.check, bad[family]))
        assert one.commands == []


def _live():
    gc.collect()
    return gc.mem_alloc()


def test_only_the_chosen_family_is_loaded():
    """The other three cost no heap: they are not even found in the list of modules."""
    for family in FAMILIES:
        for name in list(sys.modules):
            if name.startswith("lwnode.modem."):
                del sys.modules[name]
                if name.count(".") == 2 and name.rpartition(".")[2] in lwnode.modem.__dict__:
                    delattr(lwnode.modem, name.rpartition(".")[2])
        Bench(family)
        loaded = [other for other in FAMILIES if "lwnode.modem." + other in sys.modules]
        assert loaded == [family], loaded
        if hasattr(gc, "mem_alloc"):  # MicroPython: what each would cost comes only with its import
            for other in FAMILIES:
                if other != family:
                    before = _live()
                    __import__("lwnode.modem." + other, None, None, ("Driver",))
                    assert _live() - before > 2048, (family, other, _live() - before)
