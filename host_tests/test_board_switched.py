"""An RP2 whose power a TPL5110 or a DS3231 cuts: the timers as their data sheets have them, on the model of the port."""

from fakes.chip import Reset
from fakes.clock import VirtualClock
from fakes.flash import FlashFiles
from fakes.machine_rp2 import Rp2
from fakes.world import World

from lwnode.board import open_board, switched
from lwnode.power import Clock


class Ds3231:
    """Registers, alarm 1, and the interrupt line that holds the switch: low power gone, the alarm brings it back."""

    def __init__(self, chip):
        self.chip, self.clock = chip, chip.clock
        self.registers = bytearray(19)
        self.registers[15] = 0x80  # it has stopped: new
        self.zero = 0  # the moment of its 2000-01-01
        self.absent = False
        self.fails = 0  # so many times

    def seconds(self):
        return (self.clock.now - self.zero) // 1000

    def alarm(self):
        """Seconds from its begin to the alarm; None: one each second."""
        second, minute, hour, date = [(byte >> 4) * 10 + (byte & 15) for byte in self.registers[7:11]]
        return None if self.registers[7] & 0x80 else (date - 1) * 86400 + hour * 3600 + minute * 60 + second

    def readfrom_mem(self, address, register, count):
        assert address == 0x68
        self.fails -= 1
        if self.absent or self.fails >= 0:
            raise OSError(5)
        at = self.seconds()
        for i, value in enumerate((at % 60, at // 60 % 60, at // 3600 % 24, 7, 1 + at // 86400)):
            self.registers[i] = value // 10 << 4 | value % 10
        return bytes(self.registers[register : register + count])

    def writeto_mem(self, address, register, data):
        if self.absent:
            raise OSError(5)
        if register == 0:
            assert data[:3] == b"\x00\x00\x00" and data[4:] == b"\x01\x01\x00"
            self.zero = self.clock.now
        for i, value in enumerate(data):
            # A flag is cleared by a zero, and nobody sets it (data sheet, status register).
            self.registers[register + i] = self.registers[15] & value if register + i == 15 else value
        if self.registers[14] & 5 == 5 and self.alarm() is None:
            self.registers[15] |= 1
        if register == 15 and not self.registers[15] & 1:
            self.clock.advance(1000 * self.alarm() - (self.clock.now - self.zero))
            self.registers[15] |= 1
            raise Reset("power_on")


class Definition:
    NAME, PORT, CHIP = "TEST", "rp2", "rp2040"
    UART = {"id": 1, "tx": 4, "rx": 5}
    I2C = {"id": 0, "scl": 17, "sda": 16}
    PINS = {"power_key": 6, "done": 14, "stay_awake": 22}
    LEVELS = {"stay_awake": 0}


class WithTpl(Definition):
    TIMER = {"chip": "tpl5110", "interval_s": 900}


class WithDs(Definition):
    TIMER = {"chip": "ds3231"}


def tpl5110(chip, interval_s=900, pin=14):
    """The power goes with DONE, and comes back in the timer's own rhythm."""
    begun = chip.clock.now

    def output(number, level):
        if number == pin and level:
            chip.clock.advance(1000 * interval_s - (chip.clock.now - begun) % (1000 * interval_s))
            raise Reset("power_on")

    chip.on_output = output


def setting(definition):
    """(chip, its DS3231, open()) with files in memory."""
    chip = Rp2(VirtualClock())
    clock = Ds3231(chip)
    chip.machine.I2C = lambda *given, **named: clock
    switched.open = FlashFiles().open
    return chip, clock, lambda: open_board(definition, chip.machine, chip.port, chip.time)


def sleeps(chip, board, ms):
    """True where the power was cut; the chip is booted then."""
    try:
        board.sleep(ms)
    except Reset as reset:
        chip.boot(reset.kind)
        return True
    return False


def test_time_goes_on_over_a_power_cut_and_the_boot_is_planned():
    for definition, error_s in ((WithTpl, 10), (WithDs, 1)):
        chip, _, opened = setting(definition)
        tpl5110(chip)
        board = opened()
        assert board.reset_cause() == "power_on" and board.cuts_power
        unix = Clock(board.clock)
        unix.set_unix(chip.clock.unix(), "network")
        for _ in range(50):
            chip.clock.advance(20000)
            saved, begun = unix.dump(), chip.clock.now
            assert sleeps(chip, board, 880000)
            assert 600000 < chip.clock.now - begun <= 900000
            board = opened()
            assert board.reset_cause() == "planned" and board.clock.kept
            unix = Clock(board.clock)
            assert unix.load(saved)
            assert abs(unix.unix() - chip.clock.unix()) <= error_s + 50, definition
        chip.boot("run_pin" if sleeps(chip, board, 880000) else "")
        assert opened().reset_cause() == "planned", "a chip that takes it for its RUN pin"
        chip.boot("power_on")
        assert opened().reset_cause() == "power_on", "a note counts once: a battery that gives way looks like one"


def test_three_weeks_are_one_alarm_and_forty_days_two():
    chip, _, opened = setting(WithDs)
    board = opened()
    for days, slept in ((20, 20), (40, 27)):
        begun = chip.clock.now
        assert sleeps(chip, board, days * 86400000)
        assert abs((chip.clock.now - begun) / 86400000 - slept) < 0.01
        before, board = board, opened()
        assert abs(board.clock.time() - before.clock.time()) < 86400 and board.reset_cause() == "planned"


def test_light_sleep_stays_where_it_is_better_or_nothing_else_works():
    chip, clock, opened = setting(WithDs)
    board = opened()
    assert not sleeps(chip, board, 59000), "shorter than a minute"
    chip.drive(22, 0)
    assert not sleeps(chip, board, 3600000), "somebody wants it awake"
    chip.drive(22, 1)
    clock.absent = True
    begun = chip.clock.now
    assert not sleeps(chip, board, 3600000), "no DS3231 answers"
    assert abs(chip.clock.now - begun - 3600000) < 2000
    chip.boot("power_on")
    assert opened().reset_cause() == "power_on"
    chip, _, opened = setting(WithTpl)
    board, begun = opened(), chip.clock.now
    assert not sleeps(chip, board, 900000), "DONE is not wired"
    assert abs(chip.clock.now - begun - 900000) < 2000
    chip.boot("power_on")
    assert opened().reset_cause() == "power_on", "nor was that a planned loss of power"
    tpl5110(chip)
    assert not sleeps(chip, opened(), 120000), "a retry in two minutes is not put off for fifteen"


def test_a_ds3231_that_has_stopped_is_a_cold_boot_and_holds_the_switch_from_then_on():
    chip, clock, opened = setting(WithDs)
    assert opened().reset_cause() == "power_on"
    assert clock.registers[7] & 0x80 and clock.registers[14] == 0x45 and clock.registers[15] & 1
    assert sleeps(chip, opened(), 600000)
    clock.registers[15] |= 0x80  # its own cell was taken out meanwhile
    assert opened().reset_cause() == "power_on"


def test_a_note_or_a_time_that_cannot_be_read_is_not_absent():
    for definition, failures, expected, kept in (
            (WithTpl, 2, "planned", True), (WithTpl, 3, "planned", False),
            (WithDs, 2, "planned", True), (WithDs, 3, "planned", False)):
        for which in ("note", "clearing", "time") if definition is WithDs else ("note", "clearing"):
            chip, clock, opened = setting(definition)
            tpl5110(chip)
            files = FlashFiles()
            switched.open = files.open
            assert sleeps(chip, opened(), 880000)
            note, left = files.content["switched"], [failures]

            def fault(kind, path, left=left, which=which):
                left[0] -= path == "switched" and (kind == "read") == (which == "note")
                return 5 if path == "switched" and (kind == "read") == (which == "note") and left[0] >= 0 else 0

            if which == "time":
                clock.fails = failures
            else:
                files.fault = fault
            board = opened()
            assert (board.reset_cause(), board.clock.kept) == (expected, kept or which == "clearing"), (definition, which)
            if which == "note" and failures == 3:
                assert files.content["switched"] == note, "what cannot be read is not written over"


def test_a_node_reports_for_a_day_by_a_timer_as_by_light_sleep():
    for family, definition in (("bc66", WithTpl), ("me910c1", WithDs)):
        world = World("rp2", {"family": family, "sample_every": 900, "report_every": 900, "spread": 0})
        world.definition.TIMER = definition.TIMER
        world.definition.I2C = Definition.I2C
        clock = Ds3231(world.chip)
        world.chip.machine.I2C = lambda *given, clock=clock, **named: clock
        switched.open = world.flash.open
        if definition is WithTpl:
            world.definition.PINS = dict(world.definition.PINS, done=14)
            before, begun = world._output, world.clock.now

            def output(number, level, before=before, begun=begun, world=world):
                if number != 14:
                    before(number, level)
                elif level:
                    world.clock.advance(900000 - (world.clock.now - begun) % 900000)
                    raise Reset("power_on")

            world.chip.on_output = output
        world.run(hours=24)
        assert world.causes.count("power_on") > 90, world.causes
        assert len(world.delivered()) >= 2 * 92 and len(world.lost()) <= 2
