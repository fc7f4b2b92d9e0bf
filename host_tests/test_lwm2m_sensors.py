"""Rows of sensors: scale, units, quality, counters, positions, slow sensors, failures."""

from fakes.clock import VirtualClock
from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, STRING, TIME, ObjectTree, Path, Request

NOW = 1790000000


def feed(values):
    """A driver that gives one value after the other; an exception is raised."""
    left = list(values)

    def read():
        value = left.pop(0)
        if isinstance(value, Exception):
            raise value
        return value

    return read


def value(tree, path):
    found = tree.values(Path.parse(path))
    return found[0][2] if found else None


def test_scale_and_offset_lead_from_the_drivers_unit_to_the_wires():
    tree = ObjectTree()
    tree.sensor(3323, lambda: 101.325, scale=1000, resolution=1)  # kPa -> Pa
    tree.sensor(3303, lambda: 294.65, offset=-273.15, resolution=0.1)  # K -> Cel
    tree.sample(NOW)
    assert (value(tree, "/3323/0/5700"), value(tree, "/3303/0/5700")) == ("101325", "21.5")


def test_range_is_offered_and_kept():
    tree = ObjectTree()
    row = tree.sensor(3303, feed((85.0, 85.1, -40.1, -40.0)), range=(-40, 85), resolution=0.1)
    assert [tree.sample(NOW) for _ in range(4)] == [1, 0, 0, 1]
    assert (row.errors, value(tree, "/3303/0/5603"), value(tree, "/3303/0/5604")) == (2, "-40", "85")
    assert value(tree, "/3303/0/5602") == "85.0"
    half = ObjectTree()
    half.sensor(3303, feed((-300.0, 1e6)), range=(-273.15, None))
    assert [half.sample(NOW), half.sample(NOW)] == [0, 1]
    assert half.objects()[0] == (3303, 0, (5601, 5602, 5603, 5605, 5700, 5701))


def test_what_never_reaches_the_wire():
    for bad in (None, float("nan"), float("inf"), -float("inf"), "21,5", "warm", b"\x01", [], {}, OSError(110),
                ValueError("checksum"), object()):  # fmt: skip
        tree = ObjectTree()
        row = tree.sensor(3303, feed((bad,)), resolution=0.1)
        tree.sample(NOW)
        assert tree.reports(NOW) == [] and value(tree, "/3303/0/5700") is None, bad
        assert row.errors == 1 and row.error, bad


def test_whatever_a_driver_does_the_other_sensors_are_read():
    def refuse(on):
        if not on:
            raise OSError(5)

    for row in ({"read": lambda: [[1]], "scale": 2.5}, {"read": lambda: {9999: 1}}, {"read": lambda: {"a": 1}},
                {"read": lambda: 21.0, "power": refuse, "range": (30, 40)}, {"read": lambda: "x", "values": {5821: 2}}):
        tree = ObjectTree()
        bad = tree.sensor(3316, **row)
        tree.sensor(3304, lambda: 55.0, resolution=1)
        assert tree.sample(NOW) == 1 and bad.errors == 1, row
        assert tree.reports(NOW) == [(Path(3304, 0, 5700), FLOAT, "55", NOW)]


def test_the_last_good_value_stands_and_time_with_it():
    tree = ObjectTree()
    tree.sensor(3303, feed((21.0, OSError(110))), version="1.1", resolution=0.1)
    tree.sample(NOW)
    tree.sample(NOW + 900)
    assert value(tree, "/3303/0/5700") == "21.0"
    assert value(tree, "/3303/0/5518") == str(NOW)


def test_error_code_of_the_device_follows_failures_in_a_row():
    tree = ObjectTree()
    tree.device_errors = True
    tree.sensor(3303, feed((21.0, None, None, None, None, 21.0)))
    codes = []
    for wake in range(6):
        tree.sample(NOW + wake)
        codes.append(tree.error_code)
        woken = ObjectTree()
        assert woken.load(tree.dump()) and woken.error_code == 0, "the row that failed is gone"
    assert codes == [0, 0, 0, 8, 8, 0]
    errors = [record for record in tree.reports(NOW) if record[0] == Path(3, 0, 11)]
    assert errors == [(Path(3, 0, 11), INTEGER, "8", NOW + 3), (Path(3, 0, 11), INTEGER, "0", NOW + 5)]
    assert tree.health() == [(Path(3303, 0), 0, 4, "the driver gave no value")]


def test_a_position_that_fails_has_its_own_code():
    tree = ObjectTree()
    tree.error_after = 1
    tree.sensor(6, lambda: None)
    tree.sample(NOW)
    assert tree.error_code == 3


def test_quality_and_timestamp_come_with_version_1_1():
    tree = ObjectTree()
    tree.sensor(3303, feed((21.0, 900.0, OSError(5), 22.0)), version="1.1", range=(-40, 85))
    assert (value(tree, "/3303/0/6042"), value(tree, "/3303/0/5518")) == ("0", None)
    seen = []
    for wake in range(4):
        tree.sample(NOW + wake)
        seen.append((value(tree, "/3303/0/6042"), value(tree, "/3303/0/6049")))
    assert seen == [("4", "100"), ("1", "0"), ("2", "0"), ("4", "100")]
    tree.resource("/3303/0/5700").update(22.5, NOW + 9, quality=3)
    assert (value(tree, "/3303/0/6042"), value(tree, "/3303/0/6049")) == ("3", "50")
    assert tree.values(Path(3303, 0, 5518)) == [(Path(3303, 0, 5518), TIME, str(NOW + 9))]


def test_three_axes_are_three_readings_with_a_common_range():
    tree = ObjectTree()
    read = feed(((0.0, 0.12, -9.81), (0.0, None, -9.81), (0.0, 500.0, 1.0)))
    row = tree.sensor(3313, read, resolution=0.01, range=(-160, 160))
    assert tree.sample(NOW) == 3
    assert [(record[0].resource, record[2]) for record in tree.reports(NOW)] == [
        (5702, "0.00"), (5703, "0.12"), (5704, "-9.81"),
    ]  # fmt: skip
    assert (tree.sample(NOW), tree.sample(NOW)) == (2, 2)
    assert value(tree, "/3313/0/5703") == "0.12" and row.errors == 2


def test_each_axis_of_a_gyrometer_has_its_own_extremes():
    tree = ObjectTree()
    tree.sensor(3334, feed(((1.0, 2.0, 3.0), (-1.0, 5.0, 3.0))), resolution=1)
    tree.sample(NOW)
    tree.sample(NOW)
    ids = (5508, 5509, 5510, 5511, 5512, 5513)
    assert [value(tree, "/3334/0/{}".format(id)) for id in ids] == ["-1", "1", "2", "5", "3", "3"]
    assert tree.handle(Request("execute", Path(3334, 0, 5605), 1)).code == 204
    assert [value(tree, "/3334/0/{}".format(id)) for id in ids] == ["-1", "-1", "5", "5", "3", "3"]


def test_what_an_object_reads_and_fewer_axes_than_three():
    tree = ObjectTree()
    row = tree.sensor(3345, lambda: True)
    assert [resource.id for resource in row.resources] == [5500], "nothing is mandatory: the first that can be read"
    tree = ObjectTree()
    tree.sensor(3313, lambda: 1.0, resources=(5702,), resolution=0.1)
    tree.sample(NOW)
    assert tree.objects()[0] == (3313, 0, (5701, 5702)) and value(tree, "/3313/0/5702") == "1.0"


def test_a_digital_input_counts_edges():
    tree = ObjectTree()
    levels = (False, True, True, False, True)
    tree.sensor(3200, feed(levels + levels))
    for _ in levels:
        tree.sample(NOW)
    assert (value(tree, "/3200/0/5500"), value(tree, "/3200/0/5501")) == ("1", "2")
    assert tree.handle(Request("execute", Path(3200, 0, 5505), 1)).code == 204
    assert value(tree, "/3200/0/5501") == "0"
    # both edges, inverted input
    assert tree.handle(Request("write", Path(3200, 0, 5504), 2, value=b"3")).code == 204
    assert tree.handle(Request("write", Path(3200, 0, 5504), 3, value=b"4")).code == 400
    assert tree.handle(Request("write", Path(3200, 0, 5502), 4, value=b"1")).code == 204
    for _ in levels:
        tree.sample(NOW)
    assert (value(tree, "/3200/0/5500"), value(tree, "/3200/0/5501")) == ("0", "3")


def test_pulses_counted_elsewhere_and_a_counter_that_survives_sleep():
    tree = ObjectTree()
    row = tree.sensor(3347, lambda: False)
    row.count(5)
    row.count(0)
    row.count(2)
    assert tree.dirty and tree.changes() == [(Path(3347, 0, 5501), INTEGER, "7")]
    woken = ObjectTree()
    woken.sensor(3347, lambda: False)
    assert woken.load(tree.dump())
    assert value(woken, "/3347/0/5501") == "7"


def test_a_press_is_a_reading_of_its_own():
    tree = ObjectTree()
    tree.sensor(3347, lambda: False)
    button = tree.resource("/3347/0/5500")
    for level in (False, True, False):
        button.update(level, NOW)
    assert [record[1:3] for record in tree.reports(NOW)] == [(BOOLEAN, "0"), (BOOLEAN, "1"), (BOOLEAN, "0")]
    assert value(tree, "/3347/0/5501") == "1"


def test_presence_has_a_counter_and_delays_of_its_own():
    tree = ObjectTree()
    tree.sensor(3302, lambda: True, values={5903: 500, 5904: 100, 5751: "PIR"})
    assert tree.objects()[0] == (3302, 0, (5500, 5501, 5505, 5751, 5903, 5904))
    assert tree.handle(Request("write", Path(3302, 0, 5903), 1, value=b"750")).code == 204
    assert value(tree, "/3302/0/5903") == "750" and value(tree, "/3302/0/5751") == "PIR"


def test_positions_keep_their_digits():
    tree = ObjectTree()
    tree.sensor(6, lambda: ("52.5200083", "13.4049540"))
    tree.sensor(3336, lambda: ("52.5200083", "13.4049540"))
    tree.sensor(3336, lambda: ("52.5200083", "13.4049540"), 1, version="2.0")
    assert tree.sample(NOW) == 6
    assert [(str(path), type, text) for path, type, text, _ in tree.reports(NOW)] == [
        ("/6/0/0", FLOAT, "52.5200083"), ("/6/0/1", FLOAT, "13.4049540"),
        ("/3336/0/5514", STRING, "52.5200083"), ("/3336/0/5515", STRING, "13.4049540"),
        ("/3336/1/6051", FLOAT, "52.5200083"), ("/3336/1/6052", FLOAT, "13.4049540"),
    ]  # fmt: skip
    assert value(tree, "/6/0/5") == str(NOW)


def test_a_battery_row_gives_level_and_voltage():
    tree = ObjectTree()
    tree.sensor(3411, lambda: (87.4, 3.742), resources=(1, 3), values={5: 20})
    tree.sample(NOW)
    assert [(record[0].resource, record[2]) for record in tree.reports(NOW)] == [(1, "87"), (3, "3.742")]
    assert tree.handle(Request("write", Path(3411, 0, 5), 1, value=b"15")).code == 204
    assert value(tree, "/3411/0/5") == "15"


def test_a_driver_may_name_the_resources_it_fills():
    tree = ObjectTree()
    tree.sensor(3305, lambda: {5800: 120.5, 5805: 4711.0, 5820: 0.97}, resolution=0.1)
    tree.sample(NOW)
    assert [(record[0].resource, record[2]) for record in tree.reports(NOW)] == [(5800, "120.5")]
    assert value(tree, "/3305/0/5805") == "4711" and value(tree, "/3305/0/5801") == "120.5"


def test_calibration_is_a_factor_that_the_server_may_set():
    tree = ObjectTree()
    tree.sensor(3316, lambda: 3.0, resolution=0.01)
    assert value(tree, "/3316/0/5821") == "1"
    assert tree.handle(Request("write", Path(3316, 0, 5821), 1, value=b"1.5")).code == 204
    tree.sample(NOW)
    assert value(tree, "/3316/0/5700") == "4.50"
    woken = ObjectTree()
    woken.sensor(3316, lambda: 3.0, resolution=0.01)
    assert woken.load(tree.dump())
    woken.sample(NOW)
    assert value(woken, "/3316/0/5700") == "4.50"


def test_application_type_is_written_and_survives():
    tree = ObjectTree()
    tree.sensor(3316, lambda: 3.0)
    tree.sensor(3316, lambda: 3.0, 1, values={5750: "mains"})
    assert (value(tree, "/3316/0/5750"), value(tree, "/3316/1/5750")) == ("", "mains")
    assert tree.handle(Request("write", Path(3316, 0, 5750), 1, value="Küche".encode())).code == 204
    woken = ObjectTree()
    woken.sensor(3316, lambda: 3.0)
    woken.sensor(3316, lambda: 3.0, 1, values={5750: "mains"})
    assert woken.load(tree.dump()) and woken.changes() == []
    assert (value(woken, "/3316/0/5750"), value(woken, "/3316/1/5750")) == ("Küche", "mains"), "each row its own"


def test_a_row_of_its_own_period():
    tree = ObjectTree()
    tree.sensor(3303, lambda: 1.0)
    slow = tree.sensor(3303, lambda: 2.0, 1, every=3600)
    assert [tree.sample(NOW + second) for second in (0, 900, 3400, 3597, 3600, 7190)] == [2, 1, 1, 2, 1, 2]
    assert tree.sample(NOW - 1000000) == 2, "a clock set back must not hold a row up"
    assert slow.errors == 0


def test_slow_sensors_convert_while_the_modem_attaches():
    clock = VirtualClock()
    events = []
    tree = ObjectTree(clock)
    tree.sensor(
        3303, lambda: events.append(("read", clock.now)) or 21.0, start=lambda: events.append(("start", clock.now)),
        power=lambda on: events.append(("on" if on else "off", clock.now)), warm_up_ms=750,
    )  # fmt: skip
    tree.sensor(3304, lambda: 55.0)
    began = clock.now
    assert tree.start(NOW) == 750
    clock.advance(500)
    assert tree.sample(NOW) == 2
    assert [(name, at - began) for name, at in events] == [("on", 0), ("start", 0), ("read", 750), ("off", 750)]


def test_what_needs_its_time_after_power_is_started_when_that_is_over():
    clock = VirtualClock()
    events = []
    note = lambda name: events.append((name, clock.now))
    tree = ObjectTree(clock)
    for instance, power_ms in ((0, 1000), (1, 20)):
        tree.sensor(
            3303, lambda: note("read") or 21.0, instance, power=lambda on: note("on" if on else "off"),
            start=lambda: note("start"), power_ms=power_ms, warm_up_ms=750,
        )  # fmt: skip
    assert tree.sample(NOW) == 2 and clock.now == 1750
    assert events == [(name, at) for name, at in (("on", 0), ("start", 1000), ("read", 1750), ("off", 1750)) for _ in range(2)]


def test_a_warm_sensor_is_not_waited_for_and_an_unstarted_one_is():
    clock = VirtualClock()
    tree = ObjectTree(clock)
    tree.sensor(3303, lambda: 21.0, warm_up_ms=750)
    tree.start(NOW)
    clock.advance(5000)
    began = clock.now
    tree.sample(NOW)
    assert clock.now == began
    tree.sample(NOW + 900)
    assert clock.now == began + 750


def test_two_rows_on_one_power_pin_are_both_read_before_it_goes_off():
    clock = VirtualClock()
    state = []
    tree = ObjectTree(clock)

    def power(on):
        state[:] = [on]

    read = lambda: 21.0 if state == [True] else None
    tree.sensor(3303, read, power=power, warm_up_ms=10)
    tree.sensor(3304, read, power=power, warm_up_ms=10)
    assert tree.sample(NOW) == 2 and state == [False]


def test_a_start_that_fails_stops_nothing():
    def broken():
        raise OSError(19)

    tree = ObjectTree(VirtualClock())
    row = tree.sensor(3303, lambda: None, start=broken, warm_up_ms=5)
    tree.sensor(3304, lambda: 55.0)
    assert tree.sample(NOW) == 1 and row.errors == 1


def test_rows_that_cannot_be_are_refused_with_a_sentence():
    tree = ObjectTree()
    tree.sensor(3303, lambda: 1.0)
    for arguments, words in (
        ({"object_id": 3303, "read": None}, "twice"), ({"object_id": 9999, "read": None}, "make registry"),
        ({"object_id": 3303, "read": None, "instance": 1, "version": "7.0"}, "versions 1.0 1.1"),
        ({"object_id": 3303, "read": None, "instance": 1, "warm_up_ms": 100}, "clock"),
        ({"object_id": 6, "read": None, "instance": 1}, "instance 0"),
        ({"object_id": 3303, "read": None, "instance": 1, "resources": (5605,)}, "no value"),
        ({"object_id": 3303, "read": None, "instance": 1, "pmin": 60, "pmax": 10}, "pmax"),
        ({"object_id": 3303, "read": None, "instance": 70000}, "65535"),
        ({"object_id": 3303, "read": None, "instance": 1, "values": {5750: "attic"}}, "no resource 5750"),
        ({"object_id": 3303, "read": None, "instance": 1, "executes": {5505: None}}, "no resource 5505"),
    ):
        try:
            tree.sensor(**arguments)
            assert False, arguments
        except ValueError as error:
            assert words in str(error), (arguments, error)
    assert len(tree.rows) == 1


def test_other_values_are_seen_through_a_resource_without_becoming_readings():
    tree = ObjectTree()
    tree.sensor(3303, lambda: 21.0, resolution=0.1)
    tree.sample(NOW)
    tree.reports(NOW)
    assert tree.resource("/3303/0/5601").value == 21.0 and tree.resource("/3303/0/5701").value == "Cel"
    assert "no reading" in tree.resource("/3303/0/5602").reason
    objects = tree.objects()
    tree.sample(NOW)
    assert tree.objects() == objects and value(tree, "/3303/0/5601") == "21.0"
    tree.sensor(3411, lambda: 80)
    tree.resource("/3411/0/3").update(3.7)
    assert value(tree, "/3411/0/3") == "3.7" and tree.objects()[1] == (3411, 0, (1, 3))
    assert [record[0].object for record in tree.reports(NOW)] == [3303]
    for wrong in ("/3303/0/5850", "/3303/1/5700", "/3303/0"):
        try:
            tree.resource(wrong)
            assert False, wrong
        except ValueError:
            pass


def test_a_value_that_the_node_updates_and_the_server_writes_is_one_value():
    tree = ObjectTree()
    tree.sensor(3411, lambda: 80, values={5: 20})
    tree.resource("/3411/0/5").update(30)
    assert value(tree, "/3411/0/5") == "30"
    assert tree.handle(Request("write", Path(3411, 0, 5), 1, value=b"10")).code == 204
    assert value(tree, "/3411/0/5") == "10" and tree.resource("/3411/0/5").value == 10
    woken = ObjectTree()
    woken.sensor(3411, lambda: 80, values={5: 20})
    assert woken.load(tree.dump()) and value(woken, "/3411/0/5") == "10"


def test_changes_tell_live_values_once():
    tree = ObjectTree()
    tree.sensor(3303, feed((21.0, 25.0, 23.0)), resolution=0.1)
    tree.sample(NOW)
    assert [(path.resource, text) for path, _, text in tree.changes()] == [(5601, "21.0"), (5602, "21.0")]
    tree.sample(NOW)
    assert [(path.resource, text) for path, _, text in tree.changes()] == [(5602, "25.0")]
    tree.sample(NOW)
    assert tree.changes() == []
    tree.handle(Request("execute", Path(3303, 0, 5605), 1))
    assert [(path.resource, text) for path, _, text in tree.changes()] == [(5601, "23.0"), (5602, "23.0")]


def test_objects_shows_what_a_row_has_something_behind():
    tree = ObjectTree()
    tree.sensor(3303, lambda: 1, range=(-40, 85))
    tree.sensor(3304, lambda: 1)
    tree.actuator(3306, lambda on: None)
    assert tree.objects() == [
        (3303, 0, (5601, 5602, 5603, 5604, 5605, 5700, 5701)), (3304, 0, (5601, 5602, 5605, 5700, 5701)),
        (3306, 0, (5750, 5850, 5852)), (19, 0, (0,)), (19, 1, (0,)),
    ]


def test_minimum_and_maximum_begin_with_the_first_sample_and_reset_to_the_current_value():
    tree = ObjectTree()
    tree.sensor(3303, lambda: None, resolution=0.1)
    main = tree.resource("/3303/0/5700")
    assert tree.values(Path(3303, 0, 5601)) == []
    for value in (20.0, 25.0, 18.0, 21.0):
        main.update(value, NOW)
    assert (main.minimum, main.maximum) == (18.0, 25.0)
    assert tree.handle(Request("execute", Path(3303, 0, 5605), 1)).code == 204
    assert tree.values(Path(3303, 0, 5601)) == [(Path(3303, 0, 5601), FLOAT, "21.0")]
    assert tree.values(Path(3303, 0, 5602)) == [(Path(3303, 0, 5602), FLOAT, "21.0")]


def test_units_are_the_objects_own_or_the_rows():
    tree = ObjectTree()
    tree.sensor(3303, lambda: 1.0)
    tree.sensor(3303, lambda: 1.0, 1, unit="K")
    assert [text for _, _, text in tree.values() if text in ("Cel", "K")] == ["Cel", "K"]
    assert tree.values(Path(3303, 0, 5701)) == [(Path(3303, 0, 5701), STRING, "Cel")]


def test_a_request_never_calls_a_driver():
    calls = []
    tree = ObjectTree()
    tree.sensor(3303, lambda: calls.append(1) or 21.0)
    tree.sample(NOW)
    for operation in ("read", "observe", "cancel"):
        for path in (Path(3303), Path(3303, 0), Path(3303, 0, 5700), Path(3303, 0, 5601)):
            tree.handle(Request(operation, path, None))
    assert calls == [1]
