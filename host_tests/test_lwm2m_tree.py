"""The object tree: what rows offer, what goes out, what a server may do."""

from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, STRING, ObjectTree, Path, Reject, Request

NOW = 1790000000


def read_error():
    raise OSError("no acknowledge on the bus")


def test_a_reading_is_reported_once_with_its_time():
    tree = ObjectTree()
    tree.sensor(3303, lambda: 21.46, resolution=0.1)
    assert tree.sample(NOW) == 1
    assert tree.reports(NOW) == [(Path(3303, 0, 5700), FLOAT, "21.5", NOW)]
    assert tree.reports(NOW + 1) == []


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


def test_one_failing_sensor_stops_no_other_and_nothing_bad_reaches_the_wire():
    tree = ObjectTree()
    bad = [
        tree.sensor(3303, read, number, range=(-40, 85))
        for number, read in enumerate((read_error, lambda: None, lambda: float("nan"), lambda: 850.0))
    ]
    tree.sensor(3304, lambda: 55.0, resolution=1)
    assert tree.sample(NOW) == 1
    assert tree.reports(NOW) == [(Path(3304, 0, 5700), FLOAT, "55", NOW)]
    assert [row.errors for row in bad] == [1, 1, 1, 1]
    assert "no acknowledge" in bad[0].error


def test_a_write_is_applied_once_however_often_its_message_comes():
    applied = []
    tree = ObjectTree()
    tree.actuator(3306, applied.append, initial=False)
    request = Request("write", Path(3306, 0, 5850), 77, value=b"1")
    assert [tree.handle(request).code for _ in range(3)] == [204, 204, 204]
    assert applied == [True]
    tree.answers = []
    tree.handle(request)
    assert applied == [True, True]


def test_a_callback_may_refuse():
    def refuse(value):
        raise Reject(406, "interlock")

    tree = ObjectTree()
    tree.actuator(3306, refuse, initial=False)
    assert tree.handle(Request("write", Path(3306, 0, 5850), 1, value=b"1")).code == 406
    assert tree.values(Path(3306, 0, 5850)) == [(Path(3306, 0, 5850), BOOLEAN, "0")]


def test_requests_of_resource_instance_and_object():
    tree = ObjectTree()
    tree.sensor(3303, lambda: 21.0, resolution=0.5)
    tree.sensor(3303, lambda: 22.0, 1, resolution=0.5)
    tree.sample(NOW)
    read = lambda path: tree.handle(Request("read", path, None))
    assert read(Path(3303, 0, 5700)).values == [(Path(3303, 0, 5700), FLOAT, "21.0")]
    assert [value[0].resource for value in read(Path(3303, 1)).values] == [5601, 5602, 5700, 5701]
    assert len(read(Path(3303)).values) == 8
    for path, code in (
        (Path(3303, 2), 404), (Path(3305), 404), (Path(3303, 0, 5603), 404), (Path(3303, 0, 5605), 405),
    ):
        assert read(path).code == code, path


def test_a_request_never_calls_a_driver():
    calls = []
    tree = ObjectTree()
    tree.sensor(3303, lambda: calls.append(1) or 21.0)
    tree.sample(NOW)
    for operation in ("read", "observe", "cancel"):
        for path in (Path(3303), Path(3303, 0), Path(3303, 0, 5700), Path(3303, 0, 5601)):
            tree.handle(Request(operation, path, None))
    assert calls == [1]


def test_observations_hold_for_what_lies_below():
    tree = ObjectTree()
    tree.sensor(3303, lambda: 21.0)
    tree.handle(Request("observe", Path(3303, 0), 1))
    assert tree.observed(Path(3303, 0, 5700)) and not tree.observed(Path(3303, 1, 5700))
    tree.handle(Request("cancel", Path(3303, 0), 2))
    assert not tree.observed(Path(3303, 0, 5700))


def test_state_survives_sleep():
    tree = ObjectTree()
    tree.sensor(3303, lambda: 21.46, resolution=0.1)
    tree.sample(NOW)
    tree.observe(Path(3303, 0, 5700))
    assert tree.dirty
    record = tree.dump()
    assert not tree.dirty
    woken = ObjectTree()
    woken.sensor(3303, lambda: 19.0, resolution=0.1)
    assert woken.load(record)
    assert woken.observed(Path(3303, 0, 5700))
    woken.sample(NOW + 900)
    main = woken.resource("/3303/0/5700")
    assert (main.minimum, round(main.maximum, 2)) == (19.0, 21.46)
    assert not woken.load(record[:-1] + bytes([record[-1] ^ 1])) and not woken.load(b"") and not woken.load(None)


def test_units_are_the_objects_own_or_the_rows():
    tree = ObjectTree()
    tree.sensor(3303, lambda: 1.0)
    tree.sensor(3303, lambda: 1.0, 1, unit="K")
    assert [text for _, _, text in tree.values() if text in ("Cel", "K")] == ["Cel", "K"]
    assert tree.values(Path(3303, 0, 5701)) == [(Path(3303, 0, 5701), STRING, "Cel")]


def test_path_is_a_value():
    assert Path(3303, 0, 5700) == Path.parse("/3303/0/5700") and str(Path(3303)) == "/3303"
    assert len({Path(3303, 0), Path(3303, 0), Path(3303, 1)}) == 2
    for wrong in ("", "/a", "/1/2/3/4", "/70000"):
        try:
            Path.parse(wrong)
            assert False, wrong
        except ValueError:
            pass
    assert INTEGER == 3
