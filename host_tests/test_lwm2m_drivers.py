"""Rows for real sensors, on stand-ins for the chips' drivers: shared conversions, broken buses, values at the edge."""

from fakes.clock import VirtualClock
from lwnode.drivers import battery, chip, dht22, ds18b20, i2c, location, loop, max31855, nmea, scd41
from lwnode.drivers.shared import Shared
from lwnode.lwm2m import BOOLEAN, INTEGER, ObjectTree, Path, Request

from sht3x import Sht3x

NOW = 1790000000


def sampled(tree):
    """What a wake reports: {path: text}."""
    tree.sample(NOW)
    return {str(record[0]): record[2] for record in tree.reports(NOW)}


class Fixed:
    """An object whose methods give what it was made with."""

    def __init__(self, **answers):
        for name in answers:
            setattr(self, name, lambda answer=answers[name]: answer)


class OneWire:
    """ds18x20's interface: thermometers convert when told to, and keep the last value; .buf is the scratchpad read last."""

    def __init__(self, clock, temperatures):
        self.clock = clock
        self.now = list(temperatures)
        self.held = [85.0] * len(self.now)
        self.ready_at = None
        self.conversions = 0
        self.broken = False
        self.low = False  # the bus is held low: nine zeros, whose CRC is right
        self.buf = bytearray(9)

    def scan(self):
        return [bytes([0x28, number]) for number in range(len(self.now))]

    def convert_temp(self):
        if self.broken:
            raise OSError("no presence pulse")
        self.conversions += 1
        self.ready_at = self.clock.now + 750

    def read_temp(self, rom):
        if self.ready_at is not None and self.clock.now >= self.ready_at:
            self.held = list(self.now)
        raw = 0 if self.low else int(self.held[rom[1]] * 16) & 0xFFFF
        rest = bytes(7) if self.low else b"\x4b\x46\x7f\xff\x0c\x10\x00"
        self.buf[:] = bytes([raw & 0xFF, raw >> 8 & 0xFF]) + rest
        return (raw - 0x10000 if raw & 0x8000 else raw) / 16


def test_thermometers_on_one_wire_share_a_conversion():
    clock = VirtualClock()
    tree = ObjectTree(clock)
    bus = OneWire(clock, (21.5, -10.0625))
    rows = ds18b20.add(tree, bus)
    assert sampled(tree) == {"/3303/0/5700": "21.5000", "/3303/1/5700": "-10.0625"}
    assert bus.conversions == 1
    bus.now = [22.0, -11.0]
    tree.start(NOW)
    clock.advance(10000)
    assert sampled(tree) == {"/3303/0/5700": "22.0000", "/3303/1/5700": "-11.0000"}
    assert bus.conversions == 2 and len(rows) == 2


def test_a_thermometer_that_did_not_convert_gives_no_85_degrees():
    clock = VirtualClock()
    tree = ObjectTree(clock)
    bus = OneWire(clock, (21.5,))
    (row,) = ds18b20.add(tree, bus, warm_up_ms=100)
    assert sampled(tree) == {} and "85 degrees" in row.error


def test_a_bus_that_breaks_gives_no_old_value_for_a_new_one():
    clock = VirtualClock()
    tree = ObjectTree(clock)
    bus = OneWire(clock, (21.5, 22.5))
    rows = ds18b20.add(tree, bus)
    sampled(tree)
    bus.broken = True
    assert sampled(tree) == {} and [row.failures for row in rows] == [1, 1]
    bus.broken = False
    assert len(sampled(tree)) == 2 and [row.failures for row in rows] == [0, 0]


def test_a_bus_held_low_gives_no_zero_degrees():
    clock = VirtualClock()
    tree = ObjectTree(clock)
    bus = OneWire(clock, (0.0,))
    (row,) = ds18b20.add(tree, bus)
    assert sampled(tree) == {"/3303/0/5700": "0.0000"}, "zero degrees are a temperature"
    bus.low = True
    assert sampled(tree) == {} and "held low" in row.error


def test_an_empty_bus_is_told_at_start():
    try:
        ds18b20.add(ObjectTree(VirtualClock()), OneWire(VirtualClock(), ()))
        assert False, "an empty bus was taken"
    except OSError as error:
        assert "pull-up" in str(error)


class Dht:
    """dht's interface: each transfer gives what the chip measured after the one before, and wants two seconds between them."""

    def __init__(self, clock, values):
        self.clock = clock
        self.values = values
        self.next = self.held = (5.0, 5.0)  # from before this wake, whenever that was
        self.last = clock.now
        self.transfers = 0
        self.error = None

    def measure(self):
        self.transfers += 1
        if self.error is not None:
            raise self.error
        assert self.clock.now - self.last >= 2000, "asked too soon"
        self.last, self.held, self.next = self.clock.now, self.next, self.values

    def temperature(self):
        return self.held[0]

    def humidity(self):
        return self.held[1]


def test_a_dht22_gives_this_wakes_measurement_to_both_rows():
    clock = VirtualClock()
    tree = ObjectTree(clock)
    probe = Dht(clock, (21.400001, 55.3))
    rows = dht22.add(tree, probe, resolution=0.5)
    clock.advance(900000)
    assert sampled(tree) == {"/3303/0/5700": "21.5", "/3304/0/5700": "55.5"} and probe.transfers == 2
    probe.values = (30.0, 40.0)
    clock.advance(900000)
    assert sampled(tree) == {"/3303/0/5700": "30.0", "/3304/0/5700": "40.0"}, "not the one of a slot before"
    for error, values, words in ((Exception("checksum error"), (1.0, 1.0), "checksum"), (None, (0.0, 0.0), "zeros")):
        probe.error, probe.values = error, values
        clock.advance(900000)
        assert sampled(tree) == {} and words in rows[0].error and words in rows[1].error
    probe.values = (0.0, 55.0)
    clock.advance(900000)
    assert len(sampled(tree)) == 2 and [row.failures for row in rows] == [0, 0]


def test_a_dht22_behind_a_power_pin_is_given_its_two_seconds_first():
    clock = VirtualClock()
    tree = ObjectTree(clock)
    probe = Dht(clock, (21.0, 55.0))

    def power(on):
        if on:
            probe.last = clock.now

    dht22.add(tree, probe, power=power)
    began = clock.now
    assert len(sampled(tree)) == 2 and clock.now - began == 4000


class Hts221(Fixed):
    """hts221's interface: its bus, its address, and registers that are zeros before the first measurement."""

    slv_addr = 0x5F
    raw = b"\x01\x02\x03\x04"

    @property
    def bus(self):
        return self

    def readfrom_mem(self, address, register, count):
        assert (address, register, count) == (0x5F, 0xA8, 4)
        return self.raw


class Mcp9808Bus:
    """The ambient register: flags of the limits, sign, sixteenths of a degree."""

    raw = 0

    def readfrom_mem(self, address, register, count):
        assert (address, register, count) == (0x18, 5, 2)
        return bytes([self.raw >> 8, self.raw & 255])


def mcp9808(tree, instance, raw, **row):
    bus = Mcp9808Bus()
    bus.raw = raw
    i2c.add_mcp9808(tree, bus, instance, **row)
    return bus


def test_drivers_on_i2c():
    tree = ObjectTree()
    i2c.add_hts221(tree, Hts221(temperature=21.46, humidity=100.7))
    i2c.add_lps22h(tree, Fixed(pressure=1013.25, temperature=21.9), 1)
    mcp9808(tree, 2, 0x1FCD, deadband=0.5)
    assert sampled(tree) == {
        "/3303/0/5700": "21.5", "/3304/0/5700": "100.0", "/3315/1/5700": "101325", "/3303/1/5700": "21.9",
        "/3303/2/5700": "-3.1875",
    }  # fmt: skip
    assert tree.row(3303, 2).resources[0].rules.deadband == 0.5


def test_chips_that_have_not_measured_yet_give_no_zeros():
    tree = ObjectTree()
    chip = Hts221(temperature=-12.5, humidity=3.0)  # what the curve makes of zeros
    chip.raw = bytes(4)
    rows = i2c.add_hts221(tree, chip)
    rows += i2c.add_lps22h(tree, Fixed(pressure=0.0, temperature=0.0), 1)
    mcp9808(tree, 2, 0)
    rows += (tree.row(3303, 2),)
    assert sampled(tree) == {} and [row.errors for row in rows] == [1] * 5
    chip.raw = b"\x00\x00\x01\x00"
    tree = ObjectTree()
    i2c.add_lps22h(tree, Fixed(pressure=1013.25, temperature=0.0), 1)
    mcp9808(tree, 2, 0x8000)
    assert sampled(tree) == {"/3315/1/5700": "101325", "/3303/1/5700": "0.0", "/3303/2/5700": "0.0000"}, "it freezes"
    # with alert limits of one's own the flags say nothing: a zero is believed once another value has come
    tree = ObjectTree()
    bus = mcp9808(tree, 0, 0)
    assert sampled(tree) == {}
    for bus.raw, text in ((1, "0.0625"), (0, "0.0000")):
        assert sampled(tree) == {"/3303/0/5700": text}


def test_a_humidity_a_little_beyond_its_end_is_cut_and_far_beyond_refused():
    for value, text in ((104.0, "100.0"), (-1.0, "0.0"), (120.0, None), (-20.0, None), (float("nan"), None)):
        tree = ObjectTree()
        i2c.add_hts221(tree, Hts221(temperature=21.46, humidity=value))
        assert sampled(tree).get("/3304/0/5700") == text, value


def test_the_chips_own_temperature():
    tree = ObjectTree()
    chip.add_rp2(tree, Fixed(read_u16=14021), instance=9)  # 0.706 V: 27 degrees
    chip.add_esp32(tree, Fixed(mcu_temperature=41), instance=10)
    chip.add_esp32(tree, Fixed(raw_temperature=122), instance=11)
    assert sampled(tree) == {"/3303/9/5700": "27.0", "/3303/10/5700": "41", "/3303/11/5700": "50"}


def test_charge_by_a_curve():
    points = ((0, 0), (2000, 0), (2100, 5), (2200, 10), (2500, 45), (3000, 95), (3100, 97), (3200, 100), (9999, 100))
    for millivolts, percent in points:
        assert battery.level(millivolts, battery.ALKALINE_2) == percent, millivolts
    for curve in (battery.ALKALINE_2, battery.LI_ION, battery.LI_SOCL2):
        levels = [battery.level(millivolts, curve) for millivolts in range(1900, 4400, 10)]
        assert levels == sorted(levels) and levels[0] == 0 and levels[-1] == 100


def test_a_battery_tells_charge_voltage_and_whether_it_is_low():
    volts = [2700]
    tree = ObjectTree()
    battery.add(tree, lambda: volts[0])
    assert sampled(tree) == {"/3411/0/1": "70"}
    assert tree.values(Path(3411, 0, 6)) == [(Path(3411, 0, 6), BOOLEAN, "0")]
    assert tree.handle(Request("write", Path(3411, 0, 5), 1, value=b"80")).code == 204
    sampled(tree)
    assert tree.values(Path(3411, 0, 6)) == [(Path(3411, 0, 6), BOOLEAN, "1")]
    assert [text for path, _, text in tree.values(Path(3411, 0)) if path.resource == 3] == ["2.7"]
    assert (Path(3411, 0, 5), INTEGER, "80") in tree.values()
    for nothing in (None, 0):
        volts[0] = nothing
        assert sampled(tree) == {}, nothing


class Scd41Bus:
    """An I2C bus with an SCD41 on it, five seconds per shot; checksums as the datasheet's example has them.

    Not answered: a second after power-on, a millisecond after each command. The first shot after power-on gives 410 ppm.
    """

    def __init__(self, clock):
        self.clock = clock
        self.words = (500, 0x6667, 0x5EB9)
        self.ready_at = None
        self.command = b""
        self.busy_until = 0
        self.since_power_on = 1  # shots
        self.shots = 0
        self.flip = None

    def power(self, on):
        self.busy_until = self.clock.now + 1000 if on else 1 << 40
        self.ready_at, self.since_power_on = None, 0

    def _not_busy(self):
        if self.clock.now < self.busy_until:
            raise OSError(19)

    def writeto(self, address, data):
        assert address == 0x62
        self._not_busy()
        self.command = bytes(data)
        self.busy_until = self.clock.now + 1
        if self.command == b"\x21\x9d":
            self.shots += 1
            self.since_power_on += 1
            self.ready_at = self.busy_until = self.clock.now + 5000

    def readfrom_into(self, address, buffer):
        self._not_busy()
        ready = self.ready_at is not None and self.clock.now >= self.ready_at
        words = (0x8006 if ready else 0x8000,) if self.command == b"\xe4\xb8" else self.words
        if len(words) == 3 and self.since_power_on == 1:
            words = (410,) + words[1:]
        data = b"".join([bytes([word >> 8, word & 255, scd41.crc8(bytes([word >> 8, word & 255]))]) for word in words])
        if self.flip is not None and len(data) == 9:
            data = data[: self.flip] + bytes([data[self.flip] ^ 4]) + data[self.flip + 1 :]
        buffer[:] = data


def test_the_checksum_of_the_datasheet():
    assert scd41.crc8(b"\xbe\xef") == 0x92


def test_one_shot_of_five_seconds_serves_three_rows():
    clock = VirtualClock()
    tree = ObjectTree(clock)
    bus = Scd41Bus(clock)
    scd41.add(tree, bus)
    assert len(sampled(tree)) == 3 and bus.shots == 2, "the first one since power-on, for all one knows, is thrown away"
    began = clock.now
    assert tree.start(NOW) == 5000
    clock.advance(4000)
    assert sampled(tree) == {"/3325/0/5700": "500", "/3303/0/5700": "25.0", "/3304/0/5700": "37.0"}
    assert (clock.now - began, bus.shots) == (5000 + 2 * 2, 3)
    # over a deep sleep the chip has kept its power
    data, tree = tree.dump(), ObjectTree(clock)
    scd41.add(tree, bus)
    assert tree.load(data) and len(sampled(tree)) == 3 and bus.shots == 4


def test_an_scd41_behind_a_power_pin_is_given_its_second_and_its_first_shot_thrown_away():
    clock = VirtualClock()
    tree = ObjectTree(clock)
    bus = Scd41Bus(clock)
    bus.power(False)
    scd41.add(tree, bus, power=bus.power)
    fed = []
    tree.idle = lambda: fed.append(clock.now)
    for _ in range(2):
        began = clock.now
        fed[:] = [began]
        assert sampled(tree)["/3325/0/5700"] == "500" and 11000 <= clock.now - began < 11100
        assert max([later - earlier for earlier, later in zip(fed, fed[1:])]) <= 1000, "the watchdog of an RP2 waits 8.4 s"
        clock.advance(900000)
    bus.words = (0, 0x6667, 0x5EB9)
    assert sampled(tree) == {} and "0 ppm" in tree.row(3325, 0).error
    try:
        scd41.add(ObjectTree(), bus)
        assert False, "nothing to wait by"
    except ValueError as error:
        assert "clock" in str(error)


def test_a_wrong_checksum_and_a_shot_too_short_are_errors():
    clock = VirtualClock()
    tree = ObjectTree(clock)
    bus = Scd41Bus(clock)
    rows = scd41.add(tree, bus)
    for flip in range(9):
        bus.flip = flip
        assert sampled(tree) == {}, flip
    assert [row.errors for row in rows] == [9, 9, 9] and "checksum" in rows[0].error
    bus.flip = None
    hasty = ObjectTree(clock)
    (row, _, _) = scd41.add(hasty, bus, warm_up_ms=100)
    assert sampled(hasty) == {} and row.errors == 1


def test_a_current_loop_is_a_line_with_a_fault_at_either_end():
    # millivolts across 100 Ohm, what goes out, what is said where nothing does
    for mv, text, said in ((400, "0", ""), (1200, "500000", ""), (2000, "1000000", ""), (370, "0", ""), (2060, "1000000", ""),
                           (0, None, "0.00 mA: the loop is broken"), (355, None, "broken"), (2150, None, "21.50 mA: a short")):
        tree = ObjectTree()
        row = loop.add(tree, 3323, lambda mv=mv: mv, 100, 0, 1000000, resolution=1)
        assert sampled(tree).get("/3323/0/5700") == text and said in row.error, (mv, row.error)


def test_a_place_is_handed_in_goes_out_where_it_changed_and_outlives_sleep():
    for object_id, ids in ((3336, (5514, 5515)), (6, (0, 1))):
        tree = ObjectTree()
        place = location.add(tree, object_id)
        where = ["/{}/0/{}".format(object_id, id) for id in ids]
        assert sampled(tree) == {} and "no place is known" in tree.row(object_id, 0).error
        place.fix("52.517038", "13.388860")
        assert sampled(tree) == dict(zip(where, ("52.517038", "13.388860"))), "each digit"
        assert sampled(tree) == {}
        place.fix("52.517038", "13.388861")
        assert sampled(tree) == {where[1]: "13.388861"}
        woken = ObjectTree()
        location.add(woken, object_id)
        assert woken.load(tree.dump())
        assert sampled(woken) == {} and woken.row(object_id, 0).errors == 1, "known, and told already"
        for wrong in ((91, 0), (0, "-180.5"), ("", 0)):
            try:
                place.fix(*wrong)
                assert False, wrong
            except ValueError:
                pass


class GpsUart:
    """A receiver that says one of its lines each second; what is said before somebody makes the UART is lost."""

    def __init__(self, clock, lines):
        self.clock, self.lines, self.made, self.open, self.told = clock, lines, 0, False, 0

    def make(self):
        assert not self.open
        self.open, self.told, self.made = True, self.clock.now // 1000, self.made + 1
        return self

    def read(self):
        now = self.clock.now // 1000
        if not self.lines or now == self.told:
            return None
        self.told = now
        line = self.lines.pop(0)
        check = 0
        for byte in line.encode():
            check ^= byte
        return b"\xff,1*00\r\n$" + line.encode() + b"*%02X\r\n$GPG" % check

    def deinit(self):
        self.open = False


def test_a_receiver_is_listened_to_for_one_fix_and_each_wait_ends():
    fix, void = "GNRMC,120000.00,A,5231.02228,N,01323.33160,W,0.1,,240626,,,A", "GPRMC,120000.00,V,,,,,,,240626,,,N"
    # what it says second after second, what goes out, the error
    there = ["-13.388860", "52.517038"]
    for said, text, error in (
        (["GPGSV,1,1,00", fix], there, ""), ([void, fix], there, ""), ([void] * 9, [], "too few satellites"),
        (["GPGGA,1"] * 9, [], "says nothing"), ([], [], "says nothing"),
    ):
        clock = VirtualClock()
        tree, uart = ObjectTree(clock), GpsUart(clock, list(said))
        nmea.add(tree, uart.make)
        assert sorted(sampled(tree).values()) == text, said
        assert clock.now <= 2600 and not uart.open and error in tree.row(3336, 0).error, (clock.now, tree.row(3336, 0).error)
        sampled(tree)
        assert uart.made == 2, "made anew for each round"
    assert nmea.sentence(b"$GPRMC,1*00") == [] and nmea.degrees("00000.5", "E") == "0.008333"


def test_a_thermocouple_tells_what_is_wrong_with_it():
    for frame, text, error in ((b"\x06\x4c\x19\x00", "100.75", ""), (b"\xff\xfc\x19\x00", "-0.25", ""),
                               (b"\x00\x01\x19\x01", None, "not connected"), (b"\x00\x01\x19\x02", None, "to ground"),
                               (b"\x00\x01\x19\x04", None, "to the supply"), (b"\0\0\0\0", None, "zeros or ones"),
                               (b"\xff\xff\xff\xff", None, "zeros or ones")):
        selected = []

        class Spi:
            def readinto(self, buffer, frame=frame, selected=selected):
                assert selected == [0]
                buffer[:] = frame

        class Select:
            def value(self, level, selected=selected):
                selected.append(level)

        tree = ObjectTree()
        row = max31855.add(tree, Spi(), Select())
        assert sampled(tree).get("/3303/0/5700") == text and error in row.error, (frame, row.error)
        assert selected == [0, 1]


def test_an_sht3x_of_zeros_or_ones_is_no_weather():
    clock, words = VirtualClock(), [0x6667, 0x5EB9]

    class Bus:
        def writeto(self, address, data):
            self.asked = clock.now

        def readfrom_into(self, address, buffer):
            assert clock.now - self.asked >= 16
            data = [bytes([word >> 8, word & 255]) for word in words]
            buffer[:] = b"".join([each + bytes([scd41.crc8(each)]) for each in data])

    probe = Sht3x(Bus(), clock)
    assert [round(value, 1) for value in probe.measure()] == [25.0, 37.0]
    for words in ([0, 0], [0xFFFF, 0xFFFF]):
        clock.advance(1000)
        try:
            probe.measure()
            assert False, words
        except OSError as error:
            assert "zeros or ones" in str(error)


def test_shared_measurements_begin_and_end_once_in_a_round():
    events = []
    probe = Shared(lambda: events.append("read") or (1, 2), lambda: events.append("start"))
    for _ in range(2):
        probe.start()
        probe.start()
        assert (probe.value(0), probe.value(1)) == (1, 2)
    assert events == ["start", "read"] * 2
