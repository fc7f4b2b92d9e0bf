"""lwnode.board on the model of the RP2 port: registers, sleep that returns, the clock of 2021, the protected store."""

from fakes.chip import Dead, until_reset
from fakes.clock import VirtualClock
from fakes.machine_rp2 import Rp2
from fakes.uart import FakeUart

from lwnode.board import Unsupported, open_board
from lwnode.drivers import pulses
from lwnode.power import Clock


class Definition:
    """A board like boards/RPI_PICO."""

    NAME = "TEST"
    PORT = "rp2"
    CHIP = "rp2040"
    UART = {"id": 1, "tx": 4, "rx": 5, "baudrate": 115200}
    I2C = {"id": 0, "scl": 17, "sda": 16}
    PINS = {"power_key": 6, "reset": 7, "wake": 8, "status": 9, "ring": 10, "pulse": 11, "ship": 12, "stay_awake": 22}
    LEVELS = {"ring": 0, "ship": 0, "stay_awake": 0}
    BATTERY = {"pin": 29, "ratio_1000": 3000}


class Definition2350(Definition):
    """The same with the newer chip."""

    CHIP = "rp2350"


def _open(chip):
    definition = Definition if chip.chip == "rp2040" else Definition2350
    return open_board(definition, chip.machine, chip.port, chip.time)


def test_a_pico_w_that_every_tick_of_its_network_wakes_is_awake_for_little_of_a_sleep():
    """MicroPython issues 16181 and 17204: a tick each 64 ms ends light sleep, wherever in it the sleep begins."""
    for phase in (1, 12, 30, 49, 63):
        chip = Rp2(VirtualClock())
        board = _open(chip)
        chip.early = lambda ms, chip=chip: 64 - chip.clock.now % 64
        chip.clock.advance(64 + phase - chip.clock.now % 64)
        begun = chip.clock.now
        board.sleep(600000)
        chip.falls_asleep()
        assert abs(chip.clock.now - begun - 600000) < 100 and chip.awake_ms < 1000, phase


def test_reset_causes_are_told_apart_by_registers():
    """low_power.md section 6, 5: the port itself knows power-on and watchdog only."""
    for name in ("rp2040", "rp2350"):
        chip = Rp2(VirtualClock(), name)
        assert _open(chip).reset_cause() == "power_on"
        board = _open(chip)
        assert board.reset_cause() == "soft"
        chip.boot(until_reset(board.restart, "update"))
        assert _open(chip).reset_cause() == "planned"
        chip.boot("reset")
        assert _open(chip).reset_cause() == "hard", "machine.reset() by somebody else"
        chip.boot("watchdog")
        assert _open(chip).reset_cause() == "watchdog"
        chip.boot("watchdog")
        assert _open(chip).reset_cause() == "watchdog", "twice in a row"
        chip.boot(until_reset(_open(chip).restart, "crash"))
        assert _open(chip).reset_cause() == "panic"
        chip.boot("brown_out")
        assert _open(chip).reset_cause() == ("brown_out" if name == "rp2350" else "power_on")
        chip.boot("run_pin")
        assert _open(chip).reset_cause() == "hard"


def test_time_goes_on_over_watchdog_and_own_resets_although_the_port_starts_in_2021():
    """low_power.md section 6, 6."""
    clock = VirtualClock()
    chip = Rp2(clock)
    board = _open(chip)
    unix = Clock(board.clock)
    unix.set_unix(clock.unix(), "network")
    board.watchdog(8000)
    for _ in range(100):
        board.clock.sleep_ms(500)
        board.feed()
    saved = unix.dump()
    chip.boot(until_reset(board.clock.sleep_ms, 9000))
    board = _open(chip)
    assert board.clock.kept
    unix = Clock(board.clock)
    assert unix.load(saved)
    assert abs(unix.unix() - clock.unix()) <= 9
    saved = unix.dump()
    clock.advance(1000)
    chip.boot(until_reset(board.restart, "test"))
    board = _open(chip)
    unix = Clock(board.clock)
    unix.load(saved)
    assert abs(unix.unix() - clock.unix()) <= 10
    chip.boot("power_on")
    board = _open(chip)
    unix = Clock(board.clock)
    assert unix.load(saved)
    assert not board.clock.kept
    assert unix.unix() is None


def test_random_scratch_registers_give_defaults_and_no_crash():
    """low_power.md section 6, 4."""
    seed = 7
    for kind in ("power_on", "watchdog", "reset"):
        for _ in range(50):
            chip = Rp2(VirtualClock())
            chip.boot(kind)
            for register in (0x0C, 0x10, 0x14, 0x18, 0x20, 0x24, 0x28):
                seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
                chip.registers[0x40058000 + register] = seed * 3 & 0xFFFFFFFF
            board = _open(chip)
            assert board.reset_cause() in ("power_on", "watchdog", "hard")
            assert not board.clock.kept


def test_sleep_lasts_as_long_as_asked_however_often_it_returns_early():
    clock = VirtualClock()
    chip = Rp2(clock)
    calls = []
    chip.early = lambda ms: calls.append(ms) or 4886  # as measured with a cancelled alarm left armed
    board = _open(chip)
    start = clock.now
    assert board.sleep(100000) == "timer"
    assert 100000 <= clock.now - start <= 100100
    assert len(calls) >= 20


def test_sleeps_over_71_minutes_are_chained():
    clock = VirtualClock()
    board = _open(Rp2(clock))
    assert board.sleep(86400000) == "timer"
    assert 0 <= clock.now - 86400000 < 200


def test_an_interrupt_that_never_ends_does_not_spin():
    clock = VirtualClock()
    chip = Rp2(clock)
    calls = []
    chip.early = lambda ms: calls.append(ms) or 1
    board = _open(chip)
    board.sleep(60000)
    assert 60000 <= clock.now <= 60100
    assert len(calls) <= 1300


def test_the_watchdog_never_runs_in_light_sleep():
    """low_power.md section 6, 7: up to 1.28 an RP2040 is then dead until its power goes."""
    for name in ("rp2040", "rp2350"):
        clock = VirtualClock()
        chip = Rp2(clock, name)
        board = _open(chip)
        board.watchdog(8000)
        assert board.sleep(3600000) == "timer"
        assert chip.watchdog_on, "it runs again after the sleep"
        assert until_reset(board.clock.sleep_ms, 9000) == "watchdog"


def test_the_model_dies_as_the_silicon_does():
    chip = Rp2(VirtualClock())
    board = _open(chip)
    board.watchdog(8000)
    try:
        chip.machine.lightsleep(60000)
    except Dead:
        pass
    else:
        raise AssertionError("the model is kinder than the chip")


def test_a_watchdog_that_does_not_stop_is_fed_between_slices():
    class Stubborn(Rp2):
        def _poke(self, address, value):
            if address != self._base + 0x3000:
                super()._poke(address, value)

    clock = VirtualClock()
    chip = Stubborn(clock)
    board = _open(chip)
    board.watchdog(8000)
    assert board.sleep(600000) == "timer"
    assert clock.now >= 600000
    assert chip.watchdog_on


def test_the_watchdog_outlives_a_soft_reset_and_is_stopped_by_the_next_start():
    chip = Rp2(VirtualClock())
    _open(chip).watchdog(8000)
    chip.boot("soft")
    assert chip.watchdog_on
    assert _open(chip).reset_cause() == "soft" and not chip.watchdog_on


def test_a_computer_on_the_cable_ends_each_light_sleep_at_once():
    clock = VirtualClock()
    chip = Rp2(clock)
    board = _open(chip)
    chip.usb = 0x10000
    calls = []
    chip.early = calls.append
    board.sleep(60000)
    assert 60000 <= clock.now <= 60100 and len(calls) > 1000


def test_watchdog_timeout_is_clamped_to_what_the_counter_holds():
    chip = Rp2(VirtualClock())
    _open(chip).watchdog(60000)
    assert chip.watchdog_on


def test_uart_and_frequency_are_right_after_sleep():
    clock = VirtualClock()
    chip = Rp2(clock)
    chip.line = FakeUart(clock)
    board = _open(chip)
    chip.machine.freq(64000000)
    uart = board.uart(2048)
    clock.after(5000, lambda: chip.line.feed_now(b"lost in sleep"))
    board.sleep(10000)
    assert chip.machine.freq() == 64000000
    chip.line.feed_now(b"OK")
    buf = bytearray(16)
    assert uart.readinto(buf) == 2
    assert buf[:2] == b"OK"
    assert board.uart(2048) is uart


def test_the_models_uart_runs_over_the_heap_where_the_ports_does():
    """ports/rp2/machine_uart.c: deinit() frees both buffers, init() makes only those anew whose size changes; not in 1.24."""
    options = {"baudrate": 115200, "rxbuf": 2048, "txbuf": 512}
    for version, again, dies in (
        ((1, 28, 0), {}, ("read", "write")), ((1, 28, 0), {"rxbuf": 2049}, ("write",)), ((1, 24, 1), {}, ()),
        ((1, 28, 0), {"rxbuf": 2049, "txbuf": 513}, ()), ((1, 28, 0), None, ()),
    ):  # fmt: skip
        for action in ("read", "write"):
            clock = VirtualClock()
            chip = Rp2(clock, version=version)
            chip.line = FakeUart(clock)
            uart = chip.machine.UART(1, **options)
            uart.deinit()
            if again is None:
                assert chip.machine.UART(1, **options) is uart
            else:
                uart.init(**dict(options, **again))
            chip.line.feed_now(b"OK")
            try:
                if action == "read":
                    assert uart.readinto(bytearray(16)) == 2
                else:
                    uart.write(b"AT")
                assert action not in dies, "kinder than the port"
            except Dead as dead:
                assert action in dies, str(dead)


class HeldSda:
    """A sensor that was reset, or whose host was, in mid-read: SDA stays low until it has had its clocks."""

    def __init__(self, chip, clocks):
        self.clocks, self.edges, self.stopped = clocks, 0, False
        self.chip, self.scl, self.sda = chip, 17, 16
        chip.sources[16] = lambda: 0 if self.clocks else None
        chip.on_output = self.moved

    def moved(self, number, level):
        if number == self.scl and level == 1:
            self.edges += 1
            self.clocks -= self.clocks > 0
        if number == self.sda and level == 1 and self.edges:
            self.stopped = self.chip.outputs.get(self.scl) == 1


def test_a_sensor_that_holds_sda_is_clocked_free_when_the_bus_is_made_and_after_a_sleep():
    """Issue 17, row 10; UM10204 3.1.16."""
    for clocks in (1, 5, 9):
        chip = Rp2(VirtualClock())
        held = HeldSda(chip, clocks)
        board = _open(chip)
        bus = board.i2c()
        assert not held.clocks and held.stopped and held.edges >= 9
        try:
            bus.writeto(0x44, b"")
        except OSError as error:
            assert error.args[0] == 5, "the bus is free, and nobody is on it"
        assert board.i2c() is board.i2c() and not board.free_i2c(), "a free bus is left alone"
        held.clocks, held.edges = clocks, 0
        board.sleep(1000)
        assert not held.clocks and held.edges >= 9
    chip = Rp2(VirtualClock())
    held = HeldSda(chip, 99)
    board = _open(chip)
    board.i2c()
    assert board.free_i2c(), "a short circuit stays one, and stops nothing"


def test_a_pin_ends_sleep_and_a_stuck_one_does_not():
    clock = VirtualClock()
    chip = Rp2(clock)
    chip.drive(10, 1)
    board = _open(chip)
    clock.after(7000, lambda: chip.drive(10, 0))
    assert board.sleep(60000, ("ring",)) == "ring"
    assert clock.now == 7000
    assert board.sleep(60000, ("ring",)) == "timer", "still low: only its release would wake"
    clock.after(1000, lambda: chip.drive(10, 1))
    assert board.sleep(60000, ("ring",)) == "ring"


def test_pulses_are_counted_through_sleep():
    clock = VirtualClock()
    chip = Rp2(clock)
    chip.drive(11, 0)
    board = _open(chip)
    counter = pulses.Counter(board)
    for i in range(50):
        clock.after(1000 + i * 300, lambda: chip.drive(11, 1))
        clock.after(1100 + i * 300, lambda: chip.drive(11, 0))
    start = clock.now
    assert board.sleep(60000) == "timer"
    assert clock.now - start >= 60000
    assert counter.take() == 50
    assert counter.take() == 0


def test_ship_mode_sleeps_until_the_button():
    clock = VirtualClock()
    chip = Rp2(clock)
    chip.drive(12, 1)
    board = _open(chip)
    clock.after(30 * 86400000, lambda: chip.drive(12, 0))
    board.ship()
    assert clock.now >= 30 * 86400000

    class Bare(Definition):
        PINS = {"status": 9}

    chip = Rp2(VirtualClock())
    try:
        open_board(Bare, chip.machine, chip.port, chip.time).ship()
    except Unsupported as error:
        assert "ship" in str(error)
    else:
        raise AssertionError("slept without a way back")


def test_a_person_on_the_cable_keeps_the_node_awake():
    chip = Rp2(VirtualClock())
    chip.drive(22, 1)
    board = _open(chip)
    assert not board.stay_awake()
    chip.usb = 0x10000
    assert board.stay_awake()
    chip.usb = 0x10010
    assert not board.stay_awake(), "a suspended host is nobody"


def test_the_protected_store_is_old_or_new_after_a_cut_at_every_erase_and_program():
    """low_power.md section 6, 3, for the reserved sectors."""
    whole = Rp2(VirtualClock())
    store = _open(whole).protected
    store.save("identity", b"old" * 100)
    before = whole.sectors.operations
    store.save("identity", b"new" * 100)
    cuts = whole.sectors.operations - before
    assert cuts == 2
    for cut in range(1, cuts + 1):
        chip = Rp2(VirtualClock())
        store = _open(chip).protected
        store.save("identity", b"older" * 60)
        store.save("identity", b"old" * 100)
        store.save("guard", b"counters")
        chip.sectors.cut_at = chip.sectors.operations + cut
        assert until_reset(store.save, "identity", b"new" * 100) == "power_on"
        chip.sectors.cut_at = None
        chip.boot("power_on")
        store = _open(chip).protected
        assert store.load("identity") in (b"old" * 100, b"new" * 100)
        assert store.load("guard") == b"counters"
        store.save("identity", b"newest")
        assert _open(chip).protected.load("identity") == b"newest"


def test_the_protected_store_outlives_the_filesystem_and_garbage():
    chip = Rp2(VirtualClock())
    _open(chip).protected.save("identity", b"endpoint")
    for i in range(14 * 4096):
        chip.sectors.data[i] = i * 7 & 0xFF
    assert _open(chip).protected.load("identity") == b"endpoint"
    for i in range(14 * 4096, 16 * 4096):
        chip.sectors.data[i] = i * 13 & 0xFF
    assert _open(chip).protected.load("identity") is None


def test_a_sector_that_cannot_be_read_now_hides_nothing_later():
    """The first slot had been read by then: the next try took it for an old one, found nothing, and would have begun anew."""
    chip = Rp2(VirtualClock())
    for value in (b"first", b"second", b"third"):
        _open(chip).protected.save("identity", value)
    store = _open(chip).protected
    device, slots = store._device, []

    class Failing:
        def readblocks(self, slot, buf):
            slots.append(slot)
            if len(slots) == 2:
                raise OSError(5)
            device.readblocks(slot, buf)

    store._device = Failing()
    try:
        store.load("identity")
        assert False, "unreadable is not absent"
    except OSError:
        pass
    assert store.load("identity") == b"third"


def test_no_sector_is_touched_where_a_filesystem_covers_it():
    chip = Rp2(VirtualClock(), covered=16)
    board = _open(chip)
    assert board.protected._device is None, "in two files"
    assert chip.sectors.operations == 0


def test_battery_by_the_boards_own_divider():
    chip = Rp2(VirtualClock())
    chip.adc_mv[29] = 1233
    assert abs(_open(chip).battery_mv() - 3699) <= 3
