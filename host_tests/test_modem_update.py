"""The module's own firmware (object 5): an update under way keeps the module on, within a limit and the battery's means."""

from fakes.modem_bench import Bench, Pins
from fakes.world import ENDPOINT, World

from lwnode.modem.recovery import bring_back, power_cycle

START, UPDATING, END = '+QIND: "FOTA","HTTPSTART"', '+QIND: "FOTA","UPDATING",37', '+QIND: "FOTA","END",0'


def bench(family="bg96", **options):
    one = Bench(family, {"AT+CGMR": "BG96MAR02A07M1G"}, pins=Pins("power_key", "reset", "wake"), command_ms=300, **options)
    one.modem.now = lambda: 1000 + one.clock.now // 1000
    return one


def test_an_update_is_told_and_ends_by_its_word_or_by_another_revision():
    for family in ("bc66", "bc20", "bg96"):
        one = bench(family)
        assert one.modem._begin()
        one.say("+QIND: SMS DONE", '+QIND: "csq",18,99')
        assert not one.modem.updates() and not one.told("firmware")
        one.say(START)
        assert one.modem.updates() and one.told("firmware") == ["download"], family
        one.say('+QIND: "FOTA","HTTPEND",0', UPDATING, END)
        assert not one.modem.updates() and one.told("firmware") == ["download", "update", "done"]
        one.say(START, '+QIND: "FOTA","HTTPEND",701')
        assert not one.modem.updates() and one.told("firmware")[-1] == "failed"
        one.say(UPDATING)
        one.talker.answers["AT+CGMR"] = "BG96MAR02A08M1G"  # its END was lost
        assert one.modem.updates() and one.modem._begin() and not one.modem.updates()
        assert one.told("firmware")[-1] == "done"


def test_nobody_restarts_or_power_cycles_a_module_that_updates_itself():
    one = bench()
    one.say(START)
    one.talker.silent = True
    assert not bring_back(one.modem, 60000) and not power_cycle(one.modem) and not one.modem.start()
    assert one.pins.pulses == [] and one.talker.said("AT+CFUN=1,1") == []
    one.say(END)
    assert not one.modem.start() and one.pins.pulses


def test_the_hold_has_a_limit_a_battery_and_a_key():
    one = bench()
    one.say(START)
    one.modem.may_hold = lambda: False
    assert not one.modem.updates()
    one.modem.may_hold = lambda: True
    one.clock.advance(3500000)
    assert one.modem.updates()
    one.clock.advance(100000)
    assert not one.modem.updates() and one.told("firmware") == ["download", "given up"]
    for key, held in (("never", False), ("ask", False), ("allow", True)):
        one = bench(module_update=key)
        one.say(START)
        assert one.modem.updates() is held, key
        if key == "ask":
            one.modem.allow("update")
            assert one.modem.updates()


def test_it_is_known_after_the_hosts_deep_sleep():
    one = bench()
    one.say(START, '+QLWOBSERVE: "a","/19/0/0"')
    plain = len(bench().modem.snapshot())
    kept = one.modem.snapshot()
    again = bench()
    assert again.modem.restore(kept) and again.modem.updates() and again.modem.update_since == one.modem.update_since
    assert again.modem.observed == one.modem.observed and len(kept) == plain + 6
    one.say(END)
    assert not again.modem.restore(kept[:-1])
    other = bench()
    assert other.modem.restore(one.modem.snapshot()) and not other.modem.updates()


def test_a_node_leaves_a_module_that_loads_its_firmware_on_until_it_is_there():
    """Issue 17: sent to PSM in the middle of the download, and switched off where it was found awake three times."""
    for key in ("allow", "never"):
        world = World("esp32", {"family": "bg96", "module_update": key})
        world.model.options["download_ms"] = 3000000
        asked = []

        def ask(world=world, asked=asked):
            if not asked:
                asked.append(world.server.write(ENDPOINT, "/5/0/1", b"http://firmware.example/delta", 0))

        world.on_awake = ask
        world.run(minutes=50)
        asked_to_sleep = bytes(world.uart.sent).count(b'"psm/enter",1')
        assert asked[0].code == 204 and (asked_to_sleep == 0) == (key == "allow"), (key, asked_to_sleep)
        assert b"AT+QPOWD" not in bytes(world.uart.sent)
        world.run(minutes=25)
        if key == "allow":
            assert world.model.builtin.firmware[3] == 2  # downloaded
            world.server.execute(ENDPOINT, "/5/0/2")
            world.run(hours=2)
            assert world.model.options["revision"] == world.model.options["new_revision"]
        world.run(hours=2)
        assert not [reading for reading in world.lost() if reading[2] < world.clock.unix() - 3600]
