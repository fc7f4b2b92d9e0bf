"""What the contracts need: packs and commands on object 19, limits of modules, state that survives."""

from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, OPAQUE, ObjectTree, Path, Request
from lwnode.lwm2m import senml, unpack
from lwnode.features.commands import carry_out

NOW = 1790000000


def empty():
    tree = ObjectTree()
    tree.commands = carry_out
    return tree


def node():
    applied = []
    tree = empty()
    tree.sensor(3303, lambda: 21.46, resolution=0.1)
    tree.sensor(3304, lambda: 55.0, resolution=1)
    tree.actuator(3306, applied.append, initial=False)
    tree.sample(NOW)
    tree.reports(NOW)
    return tree, applied


def command(tree, *records, message_id=None):
    return tree.handle(Request("write", Path(19, 1, 0), message_id, value=senml.encode(list(records)))).code


def test_object_19_is_declared_and_can_be_observed():
    tree, _ = node()
    assert tree.objects()[-2:] == [(19, 0, (0,)), (19, 1, (0,))]
    answer = tree.handle(Request("observe", Path(19, 0, 0), 1))
    assert (answer.code, answer.values) == (205, [(Path(19, 0, 0), OPAQUE, b"\x80")])
    assert tree.observed(Path(19, 0, 0)) and unpack.unpack_senml(b"\x80") == []
    tree.handle(Request("cancel", Path(19, 0, 0), 2))
    assert not tree.observed(Path(19, 0, 0))
    for path, operation, code in (
        (Path(19, 1, 0), "read", 405), (Path(19, 0, 0), "write", 405), (Path(19, 0, 1), "read", 404),
        (Path(19, 0), "observe", 205), (Path(19, 1, 0), "execute", 405),
    ):
        assert tree.handle(Request(operation, path, None)).code == code, (path, operation)


def test_each_refused_request_says_why_and_is_kept_over_sleep():
    tree, _ = node()
    tlv = b"\x86\x06\x41\x00\x01\x41\x01\x05"
    for operation, path, value, code, words in (
        ("jump", (3303, 0), b"", 405, "the operations are read observe cancel write execute write_attributes"),
        ("read", (9, 0), b"", 404, "no such object or instance"), ("read", (3303, 1), b"", 404, "no such object or instance"),
        ("read", (3303, 0, 1), b"", 404, "no such resource"), ("read", (3303, 0, 5605), b"", 405, "not readable"),
        ("execute", (3303, 0), b"", 405, "a resource is needed"), ("execute", (3303, 0, 5700), b"", 405, "not executable"),
        ("execute", (3303, 0, 1), b"", 404, "no such resource"), ("write", (3306,), b"", 405, "an instance is needed"),
        ("write", (3306, 0), b"", 400, "no resource in the payload"),
        ("write", (3306, 0), tlv, 400, "a TLV of kind 2 does not belong here"),
        ("write", (3306, 0, 5850), b"7", 400, "1 bytes are no value of this type"),
        ("write", (3303, 0, 5700), b"7", 405, "not writable"),
        ("write", (3306, 0, 1), b"7", 404, "no such resource"),
        ("write", (3306, 0, 5852), b"7", 400, "the server can only reset the time to 0"),
        ("write_attributes", (3303, 0, 5700), b"foo=1", 400, "the rules are pmin pmax gt lt st, not foo"),
        ("write_attributes", (3306, 0, 1), b"pmin=1", 404, "no reading there"),
        ("write", (19, 0, 0), b"", 405, "commands are written to 19/1/0"),
        ("read", (19, 1, 0), b"", 405, "19/0/0 can be observed"),
        ("read", (19, 0, 1), b"", 404, "19/0/0 can be observed"),
    ):
        before, tree.dirty = tree.refused, False
        answer = tree.handle(Request(operation, Path(*path), 100 + before, value=value))
        assert (answer.code, repr(answer)) == (code, "Response(%s, values: 0)" % code)
        assert tree.last_error == "%s %s: %s %s" % (operation, Path(*path), code, words), tree.last_error
        assert tree.refused == before + 1 and tree.dirty == (operation in ("write", "execute", "write_attributes")), operation
    tree.commands = None
    tree.handle(Request("write", Path(19, 1, 0), None, value=b""))
    assert tree.last_error == "write /19/1/0: 405 this node takes no commands"


def test_without_a_container_there_is_no_object_19():
    tree, _ = node()
    tree.container = None
    assert [one[0] for one in tree.objects()] == [3303, 3304, 3306]
    assert tree.handle(Request("observe", Path(19, 0, 0), 1)).code == 404


def test_commands_write_execute_ask_and_set_rules():
    tree, applied = node()
    tree.resource("/3303/0/5700").update(25.0, NOW)
    tree.reports(NOW)
    code = command(
        tree,
        {-2: "/3306/0/", 0: "5850", 4: True},
        {-2: "", 0: "/3303/0/5605"},
        {0: "/3303/0/5602"},
        {0: "/3304/0/5700"},
        {0: "/3303/0/5700?pmin=60&gt=30"},
    )
    assert code == 204 and applied == [True]
    assert tree.resource("/3303/0/5700").rules.text() == "pmin=60&gt=30"
    assert tree.reports(NOW + 1) == [
        (Path(3306, 0, 5850), BOOLEAN, "1", NOW),
        (Path(3303, 0, 5602), FLOAT, "25.0", NOW),
        (Path(3304, 0, 5700), FLOAT, "55", NOW),
    ]


def test_numbers_of_a_command_may_come_in_any_form():
    values = []
    tree = empty()
    tree.actuator(3308, values.append, initial=20.0)
    for number in (b"\x15", senml.encode(21.5), b"\xc4\x82\x21\x19\x08\x7f"):
        pack = b"\x81\xa2\x00" + senml.encode("/3308/0/5900") + b"\x02" + number
        assert tree.handle(Request("write", Path(19, 1, 0), None, value=pack)).code == 204
    assert values == [21.0, 21.5, 21.75]


def test_each_command_stands_for_itself_and_the_first_refusal_is_told():
    tree, applied = node()
    for bad, code in (
        ({0: "/3306/0/5850", 3: "maybe"}, 400), ({0: "/3306/0/5850", 8: b"1"}, 400), ({0: "/3303/0/5700", 2: 5}, 405),
        ({0: "/3310/0/5700"}, 404), ({0: "/3303/0/5601/7"}, 400), ({0: "temperature", 2: 1}, 400),
        ({0: "/3303/0/5700?pmin=soon"}, 400), ({2: 1}, 400),
    ):
        del applied[:]
        assert command(tree, bad, {0: "/3306/0/5850", 4: True}) == code, bad
        assert applied == [True], bad


def test_a_repeated_command_pack_is_carried_out_once():
    tree, applied = node()
    for _ in range(3):
        assert command(tree, {0: "/3306/0/5850", 4: True}, message_id=7) == 204
    assert applied == [True]


def test_unreadable_commands_change_nothing():
    tree, applied = node()
    for payload in (b"", b"\x00", b"\x80\x00", b"\x81\xa1", b"ON", b"\xff" * 20, bytes([0x9F]) + b"\xa0" * 10):
        assert tree.handle(Request("write", Path(19, 1, 0), None, value=payload)).code == 400, payload
    # RFC 8428 section 4.4, and numbers and times that are none: nothing of such a pack is carried out (issue 18.6)
    for more in ({-1: 11}, {"safe_": True}, {6: float("inf")}, {-3: float("-inf")}):
        more.update({0: "/3306/0/5850", 4: True})
        assert command(tree, more) == 400, more
    many = [{0: "/3306/0/5850", 4: True}] * 33
    assert command(tree, *many) == 400
    assert applied == [] and command(tree) == 204


def test_a_restart_by_command_waits_for_the_end_of_the_contact():
    order = []
    tree = empty()
    tree.actuator(3, None, executes={4: lambda: lambda: order.append("restarting")})
    assert command(tree, {0: "/3/0/4"}) == 204 and order == []
    tree.after()
    assert order == ["restarting"]


def test_packs_split_where_the_module_ends():
    tree, _ = node()
    records = [(Path(3303, n % 2, 5700), FLOAT, "2{}.5".format(n % 10), NOW + 60 * n) for n in range(100)]
    found, left = [], records
    while left:
        payload, used = tree.pack(left, 128)
        assert used > 0 and len(payload) <= 128
        found += unpack.unpack_senml(payload)
        left = left[used:]
    assert sorted([(one[3], one[2]) for one in found]) == [(one[3], one[2]) for one in records]
    assert tree.pack(records, 10) == (b"", 0)


BC66 = {"objects": 15, "instances": 4, "resources": 14}


def test_what_a_module_cannot_hold_is_dropped_in_order_and_said():
    tree = ObjectTree()
    tree.sensor(3334, lambda: None, version="1.1", range=(-10, 10))
    for instance in range(5):
        tree.sensor(3303, lambda: None, instance)
    for object_id in range(3315, 3331):
        tree.sensor(object_id, lambda: None)
    kept, dropped = tree.fit(BC66)
    assert dropped == [
        "/3334/0 has 17 resources, the module holds 14: dropped 5518 6042 6049",
        "/3303/4: the module holds 4 instances of an object, this one is dropped",
        "/3327/0: the module holds 15 objects, this one is dropped",
        "/3328/0: the module holds 15 objects, this one is dropped",
        "/3329/0: the module holds 15 objects, this one is dropped",
        "/3330/0: the module holds 15 objects, this one is dropped",
    ]
    assert kept == tree.objects() and tree.dropped == dropped
    assert len(set([one[0] for one in kept])) == 15 and max([len(one[2]) for one in kept]) == 14
    assert tree.fit(BC66) == (kept, [])
    for path, code in (("/3330/0/5700", 404), ("/3303/4", 404), ("/3334/0/6042", 404), ("/3303/3/5701", 205)):
        assert tree.handle(Request("read", Path.parse(path), None)).code == code, path


def test_a_module_without_executes():
    tree = ObjectTree()
    tree.sensor(3303, lambda: None)
    tree.sensor(3316, lambda: None)
    tree.sensor(3200, lambda: None)
    for object_id in (3306, 3308):
        tree.actuator(object_id, None)
    kept, dropped = tree.fit({}, False)
    assert dropped == [
        "/3303/0: the module hands on no executes: dropped 5605",
        "/3316/0: the module hands on no executes: dropped 5605",
        "/3200/0: the module hands on no executes: dropped 5505",
    ]
    assert kept[0] == (3303, 0, (5601, 5602, 5700, 5701)) and kept[2] == (3200, 0, (5500, 5501, 5502, 5504, 5750))


def test_the_modules_own_objects_are_left_to_it():
    tree = ObjectTree()
    tree.sensor(6, lambda: ("52.5", "13.4"))
    tree.sensor(3336, lambda: ("52.5", "13.4"))
    kept, dropped = tree.fit({})
    assert [one[0] for one in kept] == [3336, 19, 19]
    assert dropped == ["/6/0: objects 0 to 7 are the module's own, this one is dropped"]


def test_what_fits_is_not_touched():
    tree, _ = node()
    before = tree.objects()
    assert tree.fit(BC66) == (before, [])
    assert tree.fit({}) == (before, [])


def test_the_order_of_importance_is_fixed():
    for most, kept in (
        (1, (5700,)), (2, (5700, 5701)), (5, (5601, 5602, 5605, 5700, 5701)),
        (7, (5601, 5602, 5603, 5604, 5605, 5700, 5701)), (8, (5601, 5602, 5603, 5604, 5605, 5700, 5701, 5821)),
    ):
        tree = ObjectTree()
        tree.sensor(3316, lambda: None, range=(0, 5))
        assert tree.fit({"resources": most})[0][0] == (3316, 0, kept), most


def test_readings_of_a_dropped_row_still_go_into_packs():
    tree = ObjectTree()
    tree.container = None
    tree.sensor(3303, lambda: 21.0)
    tree.sensor(3304, lambda: 55.0)
    tree.fit({"objects": 1})
    tree.sample(NOW)
    assert [record[0].object for record in tree.reports(NOW)] == [3303, 3304]


def test_damaged_state_is_refused_whatever_the_byte():
    tree, _ = node()
    tree.observe(Path(3303, 0, 5700))
    record = tree.dump()
    woken, _ = node()
    for index in range(len(record)):
        broken = record[:index] + bytes([record[index] ^ 0x55]) + record[index + 1 :]
        assert not woken.load(broken), index
        assert not woken.load(record[:index]), index
    assert not woken.observed(Path(3303, 0, 5700))
    assert woken.load(record) and woken.observed(Path(3303, 0, 5700))


def test_rows_may_come_and_go_between_two_firmwares():
    tree, _ = node()
    tree.handle(Request("write", Path(3306, 0, 5750), 1, value=b"pump"))
    newer = ObjectTree()
    newer.sensor(3304, lambda: 1.0)
    newer.sensor(3316, lambda: 1.0)
    newer.actuator(3306, None, initial=False)
    assert newer.load(tree.dump())
    assert [text for path, _, text in newer.values() if path.resource in (5700, 5750)] == ["55", "", "pump"]


def test_a_value_of_a_range_or_type_that_the_row_no_longer_has_waits_for_the_next_sample():
    tree, _ = node()
    tree.set_rules("/3303/0/5700", by_server=True, pmin=60, pmax=900)
    for options in ({"range": (0, 10)}, {"range": (50, 90), "resolution": 0.5}):
        newer = ObjectTree()
        newer.sensor(3303, lambda: 60.0 if options["range"][0] else 5.0, every=3600, **options)
        assert newer.load(tree.dump())
        for later in (100, 1000, 2000):
            assert newer.reports(NOW + later) == []  # raised ValueError at each start: 21.5 is outside the range
        assert newer.resource("/3303/0/5700").value is None and newer.resource("/3303/0/5700").rules.by_server


def test_only_what_must_survive_makes_the_state_dirty():
    tree, _ = node()
    tree.dump()
    tree.sample(NOW + 900)
    tree.reports(NOW + 900)
    tree.handle(Request("read", Path(3303, 0), 1))
    assert not tree.dirty
    for change in (
        lambda: tree.resource("/3303/0/5700").update(35.0, NOW),
        lambda: tree.observe(Path(3303, 0)),
        lambda: tree.cancel(Path(3303, 0)),
        lambda: tree.handle(Request("write", Path(3306, 0, 5850), 2, value=b"1")),
        lambda: tree.handle(Request("write", Path(3306, 0, 5750), 3, value=b"pump")),
        lambda: tree.handle(Request("execute", Path(3303, 0, 5605), 4)),
        lambda: tree.set_rules("/3303/0/5700", pmin=5),
    ):
        change()
        assert tree.dirty
        tree.dump()
        assert not tree.dirty


def test_a_read_after_a_deep_sleep_gives_the_last_sample():
    tree, _ = node()
    woken = ObjectTree()
    woken.sensor(3303, lambda: 19.0, resolution=0.1)
    assert woken.load(tree.dump()) and not woken.load(b"") and not woken.load(None)
    assert woken.handle(Request("read", Path(3303, 0, 5700), 1)).values == [(Path(3303, 0, 5700), FLOAT, "21.5")]
    woken.sample(NOW + 900)
    main = woken.resource("/3303/0/5700")
    assert (main.minimum, round(main.maximum, 2)) == (19.0, 21.46)


def test_a_state_of_ones_own_survives_within_bounds():
    tree, _ = node()
    door = tree.state("door")
    door.update({"opened": 3, "level": 0.5, "who": "anna", "last": [1, 2]})
    assert tree.state("door") is door
    tree.state("long")["text"] = "x" * 200
    woken, _ = node()
    mine = woken.state("door")  # asked for while rows are declared, before the record is there
    assert woken.load(tree.dump()) and mine == door and woken.state("long") == {}
    assert "long" in tree.last_error
    tree.state("long")["text"], tree.state("next")["text"] = "x" * 60, "y" * 60
    woken, _ = node()
    assert woken.load(tree.dump()) and woken.state("long") and not woken.state("next"), "160 bytes are for all of them"
    tree.state("next").clear()
    mine = woken.state("door")
    tree.state("odd")["what"] = object()
    assert woken.load(tree.dump()) and "odd" in tree.last_error
    for number in range(4):
        tree.state("more {}".format(number))
    try:
        tree.state("one too many")
        assert False
    except ValueError as error:
        assert "one too many" in str(error)
    newer, _ = node()
    for number in range(8):
        newer.state("new {}".format(number))
    assert newer.load(woken.dump()), "what an older firmware kept stops no start"


def test_observations_are_bounded():
    tree, _ = node()
    for instance in range(40):
        tree.observe(Path(3303, instance))
    assert tree.observed(Path(3303, 31, 5700)) and not tree.observed(Path(3303, 32, 5700))
    tree.handle(Request("cancel", Path(3303, 0), 2))
    assert not tree.observed(Path(3303, 0, 5700)) and tree.observed(Path(3303, 1, 5700))
    tree.clear_observations()
    assert not tree.observed(Path(3303, 0, 5700))


def test_a_whole_record_of_another_shape_breaks_nothing():
    import binascii
    import struct

    rows = [[3303, 0, 7, None, []], [3304, 0, [[5700]], {1: 2}, [0]]]
    for body, taken in (
        (0, False), ([], False), ([1, 2, 3, 4, 5], False), ([[], [], 0, {}, rows], True),
        ([[[1, 2, 3, 4, 5]], [], 0, {}, []], False), ([[], [[1]], 0, {}, []], False), ([[], [], 0, {"a": 5}, []], False),
    ):  # fmt: skip
        data = b"\x04" + senml.encode(body)
        record = data + struct.pack(">I", binascii.crc32(data) & 0xFFFFFFFF)
        tree, _ = node()
        assert tree.load(record) == taken, body
        tree.sample(NOW)
        assert len(tree.reports(NOW)) == 2


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
