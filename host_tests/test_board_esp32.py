"""lwnode.board on the model of the ESP32 port: causes, retained memory, sleep, wake pins."""

import sys

from fakes.chip import Dead, live, until_reset
from fakes.clock import VirtualClock
from fakes.machine_esp32 import Esp32
from fakes.uart import FakeUart
from fakes.world import World

from lwnode.board import Unsupported, open_board
from lwnode.drivers import pulses
from lwnode.lwm2m import ObjectTree
from lwnode.power import BootGuard, Clock, RetainedState, Schedule


class Definition:
    """A board like boards/ESP32_GENERIC."""

    NAME = "TEST"
    PORT = "esp32"
    CHIP = "esp32"
    UART = {"id": 1, "tx": 17, "rx": 16, "baudrate": 115200}
    PINS = {"power_key": 25, "reset": 26, "wake": 27, "status": 34, "ring": 33, "stay_awake": 32}
    LEVELS = {"power_key": 1, "reset": 1, "wake": 1, "status": 1, "ring": 0, "stay_awake": 0}
    BATTERY = {"pin": 35, "ratio_1000": 2000}


def _open(chip, definition=Definition):
    return open_board(definition, chip.machine, chip.port, chip.time)


def test_reset_causes_are_told_apart_although_the_port_merges_them():
    """low_power.md section 6, 5: brown-out reads as power-on, a panic as a hard reset."""
    chip = Esp32(VirtualClock())
    assert _open(chip).reset_cause() == "power_on"
    for kind, cause in (("brown_out", "brown_out"), ("panic", "panic"), ("watchdog", "watchdog"), ("soft", "soft")):
        chip.boot(kind)
        assert _open(chip).reset_cause() == cause, kind
    chip.boot("brown_out", keep_rtc=False)
    assert _open(chip).reset_cause() == "power_on"
    board = _open(chip)
    chip.boot(until_reset(board.restart, "update"))
    assert _open(chip).reset_cause() == "planned"
    chip.boot("panic")
    assert _open(chip).reset_cause() == "panic", "a planned mark counts once"
    chip.boot(until_reset(_open(chip).restart, "crash"))
    assert _open(chip).reset_cause() == "panic"
    chip.boot(until_reset(_open(chip).sleep, 1000))
    board = _open(chip)
    assert (board.reset_cause(), board.wake_cause()) == ("deep_sleep", "timer")
    assert board.clock.kept


def test_a_spoilt_length_in_rtc_memory_costs_one_reset_not_all_of_them():
    """The read hazard: magic intact, length spoilt, each read panics; a crash loop that survives resets."""
    chip = Esp32(VirtualClock())
    board = _open(chip)
    board.retained.save(b"state")
    chip.rtc_length_spoilt = True
    chip.boot("brown_out")
    assert until_reset(_open, chip) == "panic"
    chip.boot("panic")
    board = _open(chip)
    assert board.reset_cause() == "brown_out"
    assert board.retained.load() == b""
    board.retained.save(b"new")
    chip.boot("panic")
    assert _open(chip).retained.load() == b"new"


def test_deep_sleep_wakes_write_no_nvs():
    chip = Esp32(VirtualClock())
    _open(chip)
    before = chip.nvs_writes
    for _ in range(20):
        chip.boot(until_reset(_open(chip).sleep, 60000))
    assert chip.nvs_writes <= before + 2


def test_retained_memory_keeps_state_over_sleep_panic_and_watchdog_not_over_power():
    chip = Esp32(VirtualClock())
    state = RetainedState(_open(chip).retained)
    state.save("part", b"x" * 500)
    state.commit()
    for kind in ("deep_sleep", "panic", "watchdog", "reset", "soft", "brown_out"):
        chip.boot(kind)
        assert RetainedState(_open(chip).retained).load("part") == b"x" * 500, kind
    chip.boot("power_on")
    assert RetainedState(_open(chip).retained).load("part") is None


def test_random_rtc_memory_gives_defaults_and_no_crash():
    """low_power.md section 6, 4."""
    seed = 1
    for length in (0, 1, 7, 8, 9, 30, 2048):
        for _ in range(20):
            data = bytearray(length)
            for i in range(length):
                seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
                data[i] = seed >> 16 & 0xFF
            chip = Esp32(VirtualClock())
            chip.rtc = bytes(data)
            board = _open(chip)
            assert board.reset_cause() == "power_on"
            assert RetainedState(board.retained).source == "defaults"


def test_outputs_are_held_through_deep_sleep_and_released_after():
    """A floating PWRKEY or DTR wakes or kills the module (LilyGo T-SIM7600X issue 50)."""
    chip = Esp32(VirtualClock())
    edges = []
    chip.on_output = lambda number, level: edges.append((number, level))
    board = _open(chip)
    edges.clear()
    chip.boot(until_reset(board.sleep, 60000))
    assert chip.floated == set()
    assert edges == []
    board = _open(chip)
    assert board.pins.pulse("wake", 100)
    assert edges == [(27, 1), (27, 0)]


def test_outputs_that_are_no_rtc_pins_are_held_too():
    class Far(Definition):
        PINS = {"power_key": 18, "wake": 23}
        LEVELS = {"power_key": 0}

    chip = Esp32(VirtualClock())
    board = _open(chip, Far)
    assert chip.outputs[18] == 1, "active low rests high"
    until_reset(board.sleep, 1000)
    assert chip.floated == set()


def test_a_pin_wakes_and_is_named():
    clock = VirtualClock()
    chip = Esp32(clock)
    board = _open(chip)
    chip.drive(33, 1)
    clock.after(20000, lambda: chip.drive(33, 0))
    chip.boot(until_reset(board.sleep, 3600000, ("ring",)))
    assert clock.now == 20000
    assert _open(chip).wake_cause() == "ring"


def test_a_stuck_wake_pin_does_not_keep_the_node_awake():
    clock = VirtualClock()
    chip = Esp32(clock)
    chip.drive(33, 0)
    board = _open(chip)
    chip.boot(until_reset(board.sleep, 60000, ("ring",)))
    assert clock.now == 60000
    board = _open(chip)
    clock.after(5000, lambda: chip.drive(33, 1))
    chip.boot(until_reset(board.sleep, 60000, ("ring",)))
    assert clock.now == 65000, "its release wakes"


def test_two_active_low_wake_pins_are_refused_on_the_original_esp32():
    class Two(Definition):
        PINS = {"ring": 33, "pulse": 32}
        LEVELS = {"ring": 0, "pulse": 0}

    chip = Esp32(VirtualClock())
    chip.drive(33, 1)
    chip.drive(32, 1)
    try:
        _open(chip, Two).sleep(1000, ("ring", "pulse"))
    except Unsupported as error:
        assert "ALL" in str(error)
    else:
        raise AssertionError("armed")


def test_pins_left_active_are_armed_for_their_release_beside_the_others():
    """ext0 takes one pin, ext1 and gpio one level for all theirs, the original ESP32's ext1 low of ALL of its pins only."""
    # chip, wires, active ones when it falls asleep, pin that moves, whether the board wakes
    for name, wires, active, moved, wakes in (
        ("esp32", (32, 33), (), 33, True), ("esp32", (32, 33), (32,), 32, True), ("esp32", (32, 33), (32,), 33, True),
        ("esp32", (32, 33), (32, 33), 32, True), ("esp32", (32, 33), (32, 33), 33, False),  # not armed; no error either
        ("esp32s3", (4, 5, 6, 7), (4, 5), 7, True), ("esp32s3", (4, 5, 6, 7), (4, 5), 4, True),
        ("esp32c6", (4, 5, 6, 7), (4, 5), 7, True), ("esp32c6", (4, 5, 6, 7), (4, 5), 5, True),
        ("esp32c3", (2, 3, 4), (2,), 4, True), ("esp32c3", (2, 3, 4), (2,), 2, False), ("esp32c3", (2, 3), (2, 3), 2, True),
    ):
        class Doors(Definition):
            CHIP = name
            PINS = {"door%d" % pin: pin for pin in wires}
            LEVELS = {}
            WAKE = tuple(sorted(PINS))

        clock = VirtualClock()
        chip = Esp32(clock, name)
        board = _open(chip, Doors)
        for pin in wires:
            chip.drive(pin, int(pin in active))
        clock.after(5000, lambda chip=chip, moved=moved, active=active: chip.drive(moved, int(moved not in active)))
        chip.boot(until_reset(board.sleep, 60000, Doors.WAKE))
        assert (clock.now == 5000) is wakes, (name, active, moved, clock.now)
        assert active or _open(chip, Doors).wake_cause() == "door%d" % moved, "named where it can only be that one"


def test_a_name_of_wake_that_is_no_pin_is_refused_and_one_that_is_is_an_input():
    class Typo(Definition):
        WAKE = ("dor",)

    class Door(Definition):
        PINS = {"door": 33}
        WAKE = ("door",)

    try:
        _open(Esp32(VirtualClock()), Typo)
        raise AssertionError("opened")
    except ValueError as error:
        assert str(error) == 'WAKE names "dor", PINS of boards/%s/board.py do not' % Typo.NAME
    assert _open(Esp32(VirtualClock()), Door).pins.outputs == []


def test_c3_wakes_by_gpio_since_127_and_says_what_is_missing_before():
    class C3(Definition):
        CHIP = "esp32c3"
        UART = {"id": 1, "tx": 7, "rx": 6}
        PINS = {"ring": 4}
        LEVELS = {"ring": 0}

    clock = VirtualClock()
    chip = Esp32(clock, "esp32c3")
    chip.drive(4, 1)
    board = _open(chip, C3)
    clock.after(7000, lambda: chip.drive(4, 0))
    assert until_reset(board.sleep, 60000, ("ring",)) == "deep_sleep"
    assert clock.now == 7000
    old = Esp32(VirtualClock(), "esp32c3", version=(1, 26, 0))
    old.drive(4, 1)
    try:
        _open(old, C3).sleep(1000, ("ring",))
    except Unsupported as error:
        assert "1.27" in str(error)
    else:
        raise AssertionError("armed")


def test_ship_mode_sleeps_until_the_button():
    class Shipped(Definition):
        PINS = {"ship": 33}
        LEVELS = {"ship": 0}

    clock = VirtualClock()
    chip = Esp32(clock)
    chip.drive(33, 1)
    board = _open(chip, Shipped)
    clock.after(90 * 86400000, lambda: chip.drive(33, 0))
    assert until_reset(board.ship) == "deep_sleep"
    assert clock.now == 90 * 86400000
    chip.boot("deep_sleep")
    assert _open(chip, Shipped).wake_cause() == "ship"
    chip.drive(33, 1)
    lonely = Esp32(VirtualClock())
    lonely.drive(33, 1)
    try:
        _open(lonely, Shipped).ship()
    except Dead:
        pass
    else:
        raise AssertionError("woke without a button")
    try:
        _open(lonely).ship()
    except Unsupported as error:
        assert "ship" in str(error)


def test_watchdog_bites_a_loop_that_hangs_and_not_one_that_feeds():
    clock = VirtualClock()
    chip = Esp32(clock)
    board = _open(chip)
    board.watchdog(8000)
    for _ in range(10):
        board.clock.sleep_ms(5000)
        board.feed()
    assert until_reset(board.clock.sleep_ms, 9000) == "watchdog"
    chip.boot("watchdog")
    assert _open(chip).reset_cause() == "watchdog"


def test_battery_and_pins_by_name():
    for version in ((1, 24, 0), (1, 25, 0), (1, 28, 0)):  # up to 1.25 an input ends at 950 mV unless it is told
        chip = Esp32(VirtualClock(), version=version)
        chip.adc_mv[35] = 1850
        board = _open(chip)
        assert (board.battery_mv(), board.millivolts(35)) == (3700, 1850), version
    assert board.pins.get("status") is False
    chip.drive(34, 1)
    assert board.pins.get("status") is True
    assert board.pins.get("ship") is None
    assert not board.pins.pulse("ship", 10)
    assert not board.stay_awake()
    chip.drive(32, 0)
    assert board.stay_awake()
    assert board.unique_id() == chip.unique_id


def test_pulses_asleep_are_unsupported_with_a_way_out():
    try:
        pulses.Counter(_open(Esp32(VirtualClock())))
    except ValueError as error:
        assert "external counter" in str(error)
    else:
        raise AssertionError("counted")


def test_a_rate_is_counted_in_a_window_by_the_pulse_counter_or_by_interrupt():
    class Wind(Definition):
        PINS = {"wind": 33}
        LEVELS = {}
        INPUTS = ("wind",)

    for version, name in (((1, 25, 0), "esp32"), ((1, 28, 0), "esp32"), ((1, 28, 0), "esp32c3")):
        class Wired(Wind):
            PINS = {"wind": 4}
            CHIP = name

        clock = VirtualClock()
        chip = Esp32(clock, name, version=version)
        board = _open(chip, Wired)
        assert hasattr(board.machine, "Counter") is (version > (1, 26) and name == "esp32"), "the C3 has no such unit"
        tree = ObjectTree(board.clock)
        pulses.add_rate(tree, board, "wind", 3346, scale=0.5, unit="m/s", resolution=0.1)
        for i in range(2000):
            clock.after(40 * i, lambda chip=chip, i=i: chip.drive(4, i & 1))  # 12.5 Hz
        for when in (1790000000, 1790000900):
            tree.sample(when)
            told = tree.reports(when)[0][2]
            assert 6.0 <= float(told) <= 6.5, (version, name, told, "and again, from nothing")
            assert not chip.handlers, "between the rounds nobody is woken"
    try:
        pulses.add_rate(tree, board, "rain")
        raise AssertionError("counted")
    except ValueError as error:
        assert 'needs "rain" in PINS' in str(error)


def test_a_year_of_slots_with_a_drifting_sleep_clock_serves_each_once():
    """low_power.md section 6, 1: 15 min slots, drift of -2 to +2 % with temperature steps, contact once an hour."""
    clock = VirtualClock()
    period = 3600

    def drift(unix):
        return (-20000, -8000, 0, 12000, 20000)[unix // 259200 % 5]

    chip = Esp32(clock, drift_ppm=drift)
    served = []
    errors = []

    def firmware(chip):
        board = _open(chip)
        state = RetainedState(board.retained)
        now = Clock(board.clock)
        now.load(state.load("clock"))
        schedule = Schedule(period)
        schedule.load(state.load("schedule"))
        slot = schedule.due(now.now())
        board.clock.sleep_ms(900)
        if slot is not None:
            schedule.serve(slot)
            before = now.unix()
            now.set_unix(clock.unix(), "network")
            if before is None:
                schedule.rebase(now.moved)
                slot += now.moved
            served.append(slot)
            errors.append(abs(clock.unix() - slot))
        pause = schedule.seconds_to_next(now.now())
        state.save("clock", now.dump())
        state.save("schedule", schedule.dump())
        state.commit()
        board.sleep(now.sleep_ms(max(1, pause)))

    days = 365 if sys.implementation.name == "cpython" else 60  # the drift returns after 15
    boots = live(chip, firmware, days * 86400000)
    slots = days * 86400 // period
    assert len(set([slot // period for slot in served])) == len(served), "a slot was served twice"
    assert slots - 1 <= len(served) <= slots + 1, (len(served), slots)
    assert boots < 3 * slots
    assert sum(errors) / len(errors) < 30, sum(errors) / len(errors)
    assert max(errors[1:]) < 0.045 * period


def test_nvs_that_cannot_be_read_is_not_absent_and_stops_no_start():
    chip = Esp32(VirtualClock())
    board = _open(chip)
    board.retained.save(b"readings")
    board.protected.save("identity", b"i" * 300)
    assert board.protected.load("identity") == b"i" * 300 and board.protected.load("nothing") is None
    chip.nvs_fails = True
    chip.boot("watchdog")
    board = _open(chip)
    assert board.reset_cause() == "watchdog" and board.retained.load() == b"readings"
    for action in (lambda: board.protected.load("identity"), lambda: board.protected.save("identity", b"")):
        try:
            action()
        except OSError:
            continue
        raise AssertionError("unreadable was taken for absent")
    guard = BootGuard(board.protected)
    guard.enter("watchdog")
    chip.nvs_fails = False
    assert board.protected.load("identity") == b"i" * 300


def test_light_sleep_ends_with_the_modules_first_byte_and_loses_the_begin_of_its_line():
    """Light sleep with RX as its wake pin (MicroPython 1.27, esp32.wake_on_gpio): the UART's clock stands still meanwhile."""
    for chip, expected in ((Esp32(VirtualClock()), True), (Esp32(VirtualClock(), version=(1, 26, 0)), False)):
        chip.line = FakeUart(chip.clock)
        board = _open(chip)
        rx = Definition.UART["rx"]
        assert not board.light_sleep(1000), "no UART yet"
        board.uart()
        assert not board.light_sleep(1000), "the module is off: its line is low"
        chip.drive(rx, 1)
        chip.line.feed(b"\r\n+QLWURC: \"recovered\",0\r\n", after_ms=300)
        assert not board.light_sleep(40) and board.light_sleep(1000) == expected
        assert chip.clock.now == (300 if expected else 0)
        if expected:
            assert chip.line.any() == 8 and not board.light_sleep(1000), "what is left is to be read first"
            chip.line.lose(8)
            assert board.light_sleep(1000) and chip.clock.now == 1300 and chip.lightly_ms == 1300
            assert until_reset(board.sleep, 60000) == "deep_sleep", "an ESP32 refuses it with RX as a wake pin"


def test_a_life_with_light_sleep_loses_nothing_however_long_waking_takes():
    """From one byte to whole lines: what a line has lost is asked for, and a report is not waited for asleep."""
    for wake_bytes in (1, 12, 40, 400):
        for family, most in (("bc66", 13 * 9000), ("me910c1", 13 * 20000)):  # the first contact waits out who observes
            world = World("esp32", {"family": family, "listen": 5})
            world.link.radio(delay_ms=700)
            world.chip.wake_bytes = wake_bytes
            world.run(hours=3)
            late = [each for each in world.lost() if each[2] < world.clock.unix() - 60]
            assert len(world.taken) >= 24 and not late, (family, wake_bytes)
            assert world.chip.lightly_ms > 10 * 2000, (family, world.chip.lightly_ms)
            awake = world.chip.awake_ms - world.chip.lightly_ms
            assert awake < most, (family, wake_bytes, awake)


def test_a_slow_sensor_is_waited_for_in_light_sleep_while_nobody_speaks_with_the_module():
    """Five seconds a sample: in the wakes that only sample the board sleeps through them, and keeps what it reads."""
    for allowed in (True, False):
        world = World("esp32", {"sample_every": 600, "report_every": 3600, "spread": 0})
        world.definition.LIGHT_SLEEP = allowed
        world.declare = lambda tree, board: tree.sensor(3325, lambda: 417.0, start=lambda: None, warm_up_ms=5000)
        world.run(minutes=5)
        before = world.chip.lightly_ms
        world.run(minutes=50)
        assert world.chip.lightly_ms - before >= 3 * 5000 if allowed else not world.chip.lightly_ms
        world.run(hours=2)
        assert not [each for each in world.lost() if each[2] < world.clock.unix() - 3600]
