"""What the server may change of a whole node, and the way back; ship mode, orders to stay awake, the backup copy."""

from fakes.calm import contacts, late
from fakes.world import ENDPOINT, World

TEXT = {"write_format": "text"}  # this server writes numbers as text
PORTS = ("esp32", "rp2")
SHIP = {"esp32": 33, "rp2": 12}
STAY = {"esp32": 32, "rp2": 22}
HOUR_MS = 3600000


def ask(world, operation, *given):
    """Have the server do something once, at the next notification; returns the list that its exchange comes into."""
    asked = []

    def now():
        if not asked:
            asked.append(getattr(world.server, operation)(ENDPOINT, *given))

    world.on_awake = now
    return asked


# -- settings on trial -------------------------------------------------------------------------------------


def test_a_reporting_period_that_the_server_writes_holds_and_is_kept():
    for port in PORTS:
        world = World(port, TEXT)
        asked = ask(world, "write", "/26250/0/1", b"3600", 0)
        world.run(hours=9)
        assert asked[0].code == 204, (port, asked[0].code)
        assert contacts(world, 1, 9) in (8, 9), (port, contacts(world, 1, 9))
        assert len(world.taken) >= 2 * 4 * 8, (port, "sampling goes on as before")
        asked = ask(world, "read", "/26250/0")
        world.run(hours=3)
        values = {value.path[2]: value.value for value in asked[0].values}
        assert (values[0], values[1], values[2]) == (900, 3600, "kept"), (port, values)


def test_a_sampling_period_that_the_server_writes_holds():
    for port in PORTS:
        world = World(port, TEXT)
        asked = ask(world, "write", "/26250/0/0", b"300", 0)
        world.run(hours=4)
        assert asked[0].code == 204 and len(world.taken) >= 2 * 12 * 3, (port, len(world.taken))
        assert not late(world), port


def test_periods_that_do_not_fit_are_refused():
    world = World("esp32", TEXT)
    for path, value in (("/26250/0/0", b"3600"), ("/26250/0/1", b"60"), ("/26250/0/1", b"0"), ("/26250/0/0", b"700000"),
                        ("/26250/0/3", b"4000"), ("/26250/0/2", b"x"), ("/26250/0/4", b"1")):
        asked = ask(world, "write", path, value, 0)
        world.run(hours=1)
        assert asked[0].code in (400, 405), (path, value, asked[0].code)
    assert contacts(world, 2, 7) >= 19, "nothing has changed"


def test_a_setting_is_rolled_back_when_contact_is_lost_for_three_wakes():
    """Section 6, 12: the setting itself cannot be blamed, but it may be: what worked before comes back."""
    for port in PORTS:
        world = World(port, TEXT)
        asked = ask(world, "write", "/26250/0/1", b"1800", 0)
        world.at(lambda world=world: world.outage(True), minutes=20)
        world.at(lambda world=world: world.outage(False), hours=2)
        world.run(hours=17)  # the back-off of two hours may draw twelve more
        assert asked and asked[0].code == 204
        assert contacts(world, 14.5, 17) >= 8, (port, "every 15 minutes again", contacts(world, 14.5, 17))
        assert not late(world), port
        asked = ask(world, "read", "/26250/0/2")
        world.run(hours=1)
        assert asked[0].value == "rolled back", (port, asked[0].value)


def test_a_setting_on_trial_survives_a_loss_of_power_and_is_still_judged():
    for port in PORTS:
        world = World(port, TEXT)
        asked = ask(world, "write", "/26250/0/1", b"3600", 0)
        world.run(minutes=20)
        assert asked[0].code == 204
        world.chip.boot("power_on")
        world.model.restart()
        world.run(hours=8)
        assert contacts(world, 2, 8) <= 8, (port, contacts(world, 2, 8))
        asked = ask(world, "read", "/26250/0/2")
        world.run(hours=2)
        assert asked[0].value == "kept", (port, asked[0].value)


def test_the_default_maximum_period_of_the_server_object_is_the_reporting_period():
    world = World("esp32", TEXT)
    asked = ask(world, "write", "/1/0/3", b"3600", 0)
    world.run(hours=9)
    assert asked[0].code == 204
    assert contacts(world, 1, 9) in (8, 9), contacts(world, 1, 9)
    asked = ask(world, "write", "/1/0/2", b"1", 0)
    world.run(hours=4)
    assert len(world.taken) < 2 * 4 * 14, "a default minimum of a second is no order to measure each second"


def test_a_pipe_takes_the_same_by_command():
    for family in ("bc20", "bg96"):
        world = World("esp32", {"family": family})
        pack = b"\x81\xa2\x00\x6a/26250/0/1\x02\x19\x0e\x10"
        world.on_awake = lambda world=world: world.server.write(ENDPOINT, "/19/1/0", pack)
        world.run(hours=9)
        gaps = {}
        for delivery in world.server.deliveries:
            if tuple(delivery.path) == (3303, 0, 5700):
                gaps.setdefault(int(delivery.time), 1)
        notified = [line for line in bytes(world.uart.sent).decode().split("\r") if "QLWDATASEND" in line or "ulhex" in line]
        assert len(world.taken) >= 2 * 4 * 8 and len(notified) < 45, (family, len(notified))


# -- orders ------------------------------------------------------------------------------------------------


def test_an_order_to_stay_awake_is_bounded_and_slots_are_served_meanwhile():
    for port in PORTS:
        world = World(port, TEXT)
        asked = ask(world, "write", "/26250/0/3", b"1800", 0)
        awake = []
        world.chip.on_sleep = awake.append
        world.run(hours=3)
        assert asked[0].code == 204
        assert [ms for ms in awake if 1700000 < ms < 1900000], (port, awake)
        assert not late(world), port
        assert len(world.taken) >= 2 * 11, port


def test_the_stay_awake_pin_keeps_the_node_awake_and_at_work():
    for port in PORTS:
        world = World(port, pins={"stay_awake": STAY[port]})
        awake = []
        world.chip.on_sleep = awake.append
        world.at(lambda world=world: world.drive("stay_awake", True), hours=1)
        world.at(lambda world=world: world.drive("stay_awake", False), hours=3)
        world.run(hours=4)
        assert max(awake) > 6000000, (port, max(awake))
        assert not late(world) and len(world.taken) >= 2 * 15, port


def test_ship_mode_sleeps_until_the_button_over_power_cuts_too():
    for port in PORTS:
        world = World(port, pins={"ship": SHIP[port]})
        asked = ask(world, "write", "/26250/0/4", b"1", 0)
        world.at(lambda world=world: world.clock, hours=500)  # the world goes on
        world.run(hours=48)
        assert asked[0].code == 204, port
        taken = len(world.taken)
        assert taken <= 2 * 3, (port, taken)
        world.chip.boot("power_on")
        world.model.restart()
        world.run(hours=24)
        assert len(world.taken) == taken, (port, "a battery connected in the box")
        world.at(lambda world=world: world.drive("ship", True), hours=1)
        world.at(lambda world=world: world.drive("ship", False), hours=1, seconds=5)
        world.run(hours=4)
        assert len(world.taken) > taken and not late(world), port


# -- the backup copy ---------------------------------------------------------------------------------------


def trouble(world):
    """26251/0/13 as the server reads it."""
    asked = ask(world, "read", "/26251/0/13")
    world.run(hours=4)
    return asked[0].value


def test_a_node_whose_config_is_spoilt_reports_from_the_backup_copy_and_says_so():
    for port in PORTS:
        world = World(port, on_flash=True)
        world.run(hours=2)
        world.flash.content["config.json"] = b'{"family": "bc66", "host'
        world.chip.boot("power_on")
        world.model.restart()
        told = len(world.server.deliveries)
        world.run(hours=3)
        assert len(world.server.deliveries) >= told + 16, port
        assert "config.json: not valid JSON" in trouble(world), port


def lose_filesystem(world):
    """All that is on flash is gone, and power was."""
    world.flash.content.clear()
    world.flash.directories.clear()
    world.filesystem = "lost"
    world.chip.boot("power_on")
    world.model.restart()


def test_a_node_whose_filesystem_is_lost_reports_from_the_protected_store_and_says_so():
    for port in PORTS:
        world = World(port, on_flash=True)
        world.run(hours=2)
        lose_filesystem(world)
        told = len(world.server.deliveries)
        world.run(hours=3)
        assert len(world.server.deliveries) >= told + 16, port
        assert "filesystem lost" in trouble(world), port


def test_a_pipe_tells_a_lost_filesystem_by_error_code():
    world = World("esp32", {"family": "bc20"}, on_flash=True)
    world.run(hours=2)
    lose_filesystem(world)
    world.run(hours=3)
    codes = [delivery.value for delivery in world.server.deliveries if tuple(delivery.path) == (3, 0, 11)]
    assert 8 in codes, codes


def test_a_blank_board_without_a_backup_copy_waits_for_a_person_and_rests():
    world = World("esp32", on_flash=True)
    world.flash.content.clear()
    world.run(hours=5)
    assert not world.taken and world.chip.awake_ms < 600000


# -- the end of main.py ------------------------------------------------------------------------------------


class Leaving(World):
    """An application that calls sys.exit()."""

    def _declare(self, tree, board):
        raise SystemExit(3)


def test_sys_exit_in_the_application_ends_in_sleep_like_any_crash():
    for port in PORTS:
        world = Leaving(port)
        world.run(hours=12)
        assert world.chip.awake_ms < HOUR_MS // 2, port
