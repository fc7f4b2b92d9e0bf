"""Writes and executes: decoded, checked, applied, kept, answered; refused, taken back, repeated."""

from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, OPAQUE, STRING, ObjectTree, Path, Reject, Request
from lwnode.lwm2m import tlv

NOW = 1790000000


class Recorder:
    """A callback that keeps what it was called with."""

    def __init__(self, error=None):
        self.calls = []
        self.error = error

    def __call__(self, *arguments):
        self.calls.append(arguments[0] if arguments else None)
        if self.error is not None:
            raise self.error


def write(tree, path, value, message_id=None):
    return tree.handle(Request("write", Path.parse(path), message_id, value=value)).code


def value(tree, path):
    found = tree.values(Path.parse(path))
    return found[0][2] if found else None


def test_each_object_that_can_be_set():
    for object_id, id, data, applied, text in (
        (3306, 5850, b"1", True, "1"), (3311, 5850, b"true", True, "1"), (3312, 5850, b"\x01", True, "1"),
        (3338, 5850, b"1", True, "1"), (3201, 5550, b"0", False, "0"), (3203, 5650, b"0.75", 0.75, "0.75"),
        (3308, 5900, b"21.5", 21.5, "21.5"), (3343, 5548, b"55.5", 55.5, "55.5"),
    ):
        recorder = Recorder()
        tree = ObjectTree()
        tree.actuator(object_id, recorder)
        path = "/{}/0/{}".format(object_id, id)
        assert value(tree, path) is None
        assert write(tree, path, data) == 204, path
        assert recorder.calls == [applied] and value(tree, path) == text, path


def test_mandatory_resources_that_a_row_leaves_out_have_a_first_value():
    tree = ObjectTree()
    tree.actuator(3338, Recorder())
    tree.actuator(3310, {5823: Recorder()}, initial="none")
    assert tree.objects()[:2] == [(3338, 0, (5525, 5750, 5850)), (3310, 0, (5823, 5824, 5825))]
    assert value(tree, "/3338/0/5525") == "0" and write(tree, "/3338/0/5525", b"2.5") == 204
    assert value(tree, "/3338/0/5525") == "2.5"


def test_ranges_of_the_registry_and_of_the_row():
    for object_id, id, data, code in (
        (3306, 5851, b"0", 204), (3306, 5851, b"100", 204), (3306, 5851, b"101", 400), (3306, 5851, b"-1", 400),
        (3306, 5851, b"d", 204),  # TLV: 100
        (3306, 5851, b"e", 400),  # TLV: 101
        (3203, 5650, b"1.01", 400),
        (3203, 5650, b"1", 204),
    ):
        tree = ObjectTree()
        tree.actuator(object_id, {id: Recorder()}, values={id: 0})
        assert write(tree, "/{}/0/{}".format(object_id, id), data) == code, (object_id, id, data)
    tree = ObjectTree()
    tree.actuator(3308, Recorder(), range=(5, 30))
    assert [write(tree, "/3308/0/5900", data) for data in (b"4.9", b"5", b"30", b"30.1")] == [400, 204, 204, 400]


def test_codes_of_what_cannot_be_written():
    tree = ObjectTree()
    tree.actuator(3306, Recorder())
    tree.sensor(3303, lambda: 21.0)
    for path, data, code in (
        ("/3306/0/5850", b"maybe", 400), ("/3306/0/5850", b"", 400), ("/3306/0/5853", b"x", 404),
        ("/3306/1/5850", b"1", 404), ("/3303/0/5700", b"21", 405), ("/3303/0/5605", b"", 405), ("/3303", b"", 405),
        ("/9999/0/1", b"", 404),
    ):
        assert write(tree, path, data) == code, path
    assert tree.refused == 8 and "9999" in tree.last_error


def test_several_resources_of_one_row():
    switch, dim = Recorder(), Recorder()
    tree = ObjectTree()
    tree.actuator(3311, {5850: switch, 5851: dim}, initial=False, values={5851: 0, 5706: "#ffffff"})
    assert tree.objects()[0] == (3311, 0, (5706, 5750, 5850, 5851, 5852))
    assert [write(tree, "/3311/0/5850", b"1"), write(tree, "/3311/0/5851", b"40")] == [204, 204]
    assert write(tree, "/3311/0/5706", b"#00ff00") == 204
    assert (switch.calls, dim.calls) == ([True], [40])
    assert tree.values(Path(3311, 0, 5706)) == [(Path(3311, 0, 5706), STRING, "#00ff00")]


def test_an_instance_write_is_all_or_nothing():
    switch, dim = Recorder(), Recorder()
    tree = ObjectTree()
    tree.actuator(3311, {5850: switch, 5851: dim}, initial=False, values={5851: 10})
    good = tlv.encode_tlv([(Path(3311, 0, 5850), BOOLEAN, "1"), (Path(3311, 0, 5851), INTEGER, "40")])
    bad = tlv.encode_tlv([(Path(3311, 0, 5850), BOOLEAN, "0"), (Path(3311, 0, 5851), INTEGER, "400")])
    assert write(tree, "/3311/0", good) == 204
    assert (switch.calls, dim.calls) == ([True], [40])
    for payload in (bad, good[:-1], b"", b"\x00\x00"):
        assert write(tree, "/3311/0", payload) == 400
    assert (switch.calls, dim.calls) == ([True], [40])


def test_what_was_applied_is_taken_back_when_a_later_part_is_refused():
    switch = Recorder()
    tree = ObjectTree()
    tree.actuator(3311, {5850: switch, 5851: Recorder(Reject(406, "lamp is hot"))}, initial=False, values={5851: 10})
    payload = tlv.encode_tlv([(Path(3311, 0, 5850), BOOLEAN, "1"), (Path(3311, 0, 5851), INTEGER, "40")])
    assert write(tree, "/3311/0", payload) == 406
    assert switch.calls == [True, False]
    assert (value(tree, "/3311/0/5850"), value(tree, "/3311/0/5851")) == ("0", "10")


def test_a_callback_that_breaks_is_an_internal_error_and_changes_nothing():
    tree = ObjectTree()
    tree.actuator(3306, Recorder(OSError(5)), initial=False)
    assert write(tree, "/3306/0/5850", b"1") == 500
    assert value(tree, "/3306/0/5850") == "0" and "OSError" in tree.last_error


def test_a_write_is_kept_before_it_is_answered():
    order = []
    tree = ObjectTree()
    tree.actuator(3306, lambda on: order.append("applied"), initial=False)
    tree.persist = lambda: order.append("kept " + tree.values(Path(3306, 0, 5850))[0][2])
    assert write(tree, "/3306/0/5850", b"1") == 204
    assert order == ["applied", "kept 1"]


def test_what_cannot_be_kept_is_taken_back():
    switch = Recorder()
    tree = ObjectTree()
    tree.actuator(3306, switch, initial=False)
    tree.persist = Recorder(OSError(28))
    assert write(tree, "/3306/0/5850", b"1") == 500
    assert switch.calls == [True, False] and value(tree, "/3306/0/5850") == "0"
    # its refusal is remembered, not the success it nearly was; and rules go back to what they were
    assert write(tree, "/3306/0/5850", b"1", 7) == 500
    tree.persist = None
    assert write(tree, "/3306/0/5850", b"1", 7) == 500 and write(tree, "/3306/0/5850", b"1", 8) == 204
    tree.sensor(3303, lambda: 21.0, pmin=60)
    tree.sensor(3304, lambda: 50.0)
    tree.persist = Recorder(OSError(28))
    for path in ("/3303/0", "/3304/0"):
        assert tree.handle(Request("write_attributes", Path.parse(path), None, value=b"pmin=5&gt=30")).code == 500
    assert tree.resource("/3303/0/5700").rules.text() == "pmin=60" and tree.resource("/3304/0/5700").rules is None
    assert tree.handle(Request("read", Path(3306, 0, 5850), 9)).code == 205, "a full flash stops no read"


def test_a_change_and_its_answer_are_kept_in_one_go():
    tree, kept = ObjectTree(), []
    tree.actuator(3306, Recorder(), initial=False)
    tree.persist = lambda: kept.append(tree.dump())
    assert write(tree, "/3306/0/5850", b"1", 7) == 204 and len(kept) == 1 and not tree.dirty
    woken, recorder = ObjectTree(), Recorder()
    woken.actuator(3306, recorder, initial=False)
    assert woken.load(kept[0]) and write(woken, "/3306/0/5850", b"1", 7) == 204 and recorder.calls == []


def test_the_state_of_an_actuator_survives():
    tree = ObjectTree()
    tree.actuator(3306, Recorder(), initial=False)
    tree.actuator(3308, Recorder(), initial=20.0, resolution=0.5)
    write(tree, "/3306/0/5850", b"1")
    write(tree, "/3308/0/5900", b"22.5")
    write(tree, "/3308/0/5750", b"hall")
    woken = ObjectTree()
    woken.actuator(3306, Recorder(), initial=False)
    woken.actuator(3308, Recorder(), initial=20.0, resolution=0.5)
    assert woken.load(tree.dump())
    assert [value(woken, path) for path in ("/3306/0/5850", "/3308/0/5900", "/3308/0/5750")] == ["1", "22.5", "hall"]


def test_on_time_counts_the_seconds_that_it_was_on():
    now = [NOW]
    tree = ObjectTree()
    tree.now = lambda: now[0]
    tree.actuator(3306, Recorder(), initial=False)
    assert value(tree, "/3306/0/5852") == "0"

    def at(second):
        now[0] = NOW + second

    at(100)
    write(tree, "/3306/0/5850", b"1")
    at(160)
    assert value(tree, "/3306/0/5852") == "60"
    write(tree, "/3306/0/5850", b"0")
    at(500)
    assert value(tree, "/3306/0/5852") == "60"
    write(tree, "/3306/0/5850", b"1")
    record = tree.dump()
    woken = ObjectTree()
    woken.now = lambda: now[0]
    woken.actuator(3306, Recorder(), initial=False)
    assert woken.load(record)
    at(600)
    assert value(woken, "/3306/0/5852") == "160"
    assert write(woken, "/3306/0/5852", b"5") == 400
    assert write(woken, "/3306/0/5852", b"0") == 204
    at(610)
    assert value(woken, "/3306/0/5852") == "10"


def test_on_time_without_a_clock_stands_still():
    tree = ObjectTree()
    tree.actuator(3306, Recorder(), initial=True)
    assert value(tree, "/3306/0/5852") == "0"


def test_a_switch_has_on_and_off_time_and_is_not_writable():
    now = [NOW]
    tree = ObjectTree()
    tree.now = lambda: now[0]
    tree.actuator(3342, None, initial=False)
    state = tree.resource("/3342/0/5500")
    state.update(False, NOW)
    now[0] += 30
    state.update(True, NOW + 30)
    now[0] += 12
    assert (value(tree, "/3342/0/5852"), value(tree, "/3342/0/5854")) == ("12", "30")
    assert write(tree, "/3342/0/5500", b"1") == 405 and write(tree, "/3342/0/5854", b"0") == 204
    assert value(tree, "/3342/0/5854") == "0"


def test_a_change_by_the_server_is_a_reading_too():
    tree = ObjectTree()
    tree.actuator(3306, Recorder(), initial=False)
    tree.sample(NOW)
    write(tree, "/3306/0/5850", b"1")
    assert tree.reports(NOW + 5) == [(Path(3306, 0, 5850), BOOLEAN, "1", NOW)]


def test_executes_answer_first_and_restart_after():
    order = []

    def reboot():
        order.append("accepted")
        return lambda: order.append("restarting")

    tree = ObjectTree()
    tree.actuator(3, None, executes={4: reboot, 5: Recorder(Reject(405, "jumper is set"))}, values={0: "maker"})
    answer = tree.handle(Request("execute", Path(3, 0, 4), 9))
    assert answer.code == 204 and order == ["accepted"]
    again = tree.handle(Request("execute", Path(3, 0, 4), 9))
    assert again.code == 204 and again.after is None
    answer.after()
    assert order == ["accepted", "restarting"]
    for path, code in (("/3/0/5", 405), ("/3/0/0", 405), ("/3/0/8", 404), ("/3/0", 405), ("/3", 405)):
        assert tree.handle(Request("execute", Path.parse(path), None)).code == code, path


def test_arguments_of_an_execute():
    recorder = Recorder()
    tree = ObjectTree()
    tree.actuator(3339, None, executes={5523: recorder}, values={5522: b""})
    assert tree.handle(Request("execute", Path(3339, 0, 5523), None, value=b"0='3'")).code == 204
    assert tree.handle(Request("execute", Path(3339, 0, 5523), None)).code == 204
    assert recorder.calls == [b"0='3'", None]


def test_repeats_are_answered_from_memory_and_the_memory_is_bounded():
    recorder = Recorder(None)
    tree = ObjectTree()
    tree.actuator(3306, recorder, initial=False)
    for number in range(20):
        assert write(tree, "/3306/0/5850", b"1", number) == 204
    assert len(recorder.calls) == 20
    for number in (12, 19):
        assert write(tree, "/3306/0/5850", b"1", number) == 204
    assert len(recorder.calls) == 20 and len(tree.answers) == 8
    # the same number with another payload or path is another request: a server may have restarted
    assert write(tree, "/3306/0/5850", b"0", 19) == 204
    assert recorder.calls[-1] is False


def test_a_refusal_is_remembered_too_also_over_sleep():
    recorder = Recorder(Reject(401))
    tree = ObjectTree()
    tree.actuator(3306, recorder, initial=False)
    assert [write(tree, "/3306/0/5850", b"1", 5) for _ in range(2)] == [401, 401]
    woken = ObjectTree()
    woken.actuator(3306, recorder, initial=False)
    assert woken.load(tree.dump())
    assert write(woken, "/3306/0/5850", b"1", 5) == 401
    assert len(recorder.calls) == 1
    woken.answers = []
    assert write(woken, "/3306/0/5850", b"1", 5) == 401
    assert len(recorder.calls) == 2


def test_an_answer_is_forgotten_when_the_server_can_no_longer_repeat():
    """RFC 7252 section 4.8.2, EXCHANGE_LIFETIME: 247 s; also over sleep, and whatever the clock does meanwhile (issue 15 F)."""
    for passed, moved, times in (
        (0, 0, 1), (247, 0, 1), (248, 0, 2), (86400, 0, 2), (-1, 0, 2), (10, 900000000, 1), (300, 86400, 2),
    ):
        for asleep in (False, True):
            now, recorder = [NOW], Recorder()
            tree = ObjectTree()
            tree.now = lambda now=now: now[0]
            tree.actuator(3306, recorder, initial=False)
            assert write(tree, "/3306/0/5850", b"1", 5) == 204
            if asleep:
                data, tree = tree.dump(), ObjectTree()
                tree.now = lambda now=now: now[0]
                tree.actuator(3306, recorder, initial=False)
                assert tree.load(data)
            now[0] += passed + moved
            tree.rebase(moved)
            assert write(tree, "/3306/0/5850", b"1", 5) == 204
            assert len(recorder.calls) == times, (passed, moved, asleep)


def test_a_clock_that_is_set_adds_nothing_to_the_on_time():
    now = [830000000]  # a board's count from 2000 on, until the network says the time
    tree = ObjectTree()
    tree.now = lambda: now[0]
    tree.actuator(3306, Recorder(), initial=False)
    write(tree, "/3306/0/5850", b"1")
    assert [record[3] for record in tree.reports(NOW)] == [NOW], "a count is no Unix time"
    now[0] += 60
    moved = NOW - now[0]
    now[0] = NOW
    tree.rebase(moved)
    assert value(tree, "/3306/0/5852") == "60"


def test_parts_of_a_write_under_one_message_id():
    switch, dim = Recorder(), Recorder()
    tree = ObjectTree()
    tree.actuator(3311, {5850: switch, 5851: dim}, initial=False, values={5851: 0})
    codes = [
        tree.handle(Request("write", Path(3311, 0, id), 7, value=data, index=index)).code
        for id, data, index in ((5850, b"1", 1), (5851, b"30", 0), (5850, b"1", 1))
    ]
    assert codes == [204, 204, 204] and (switch.calls, dim.calls) == ([True], [30])


def test_what_digits_mean_depends_on_no_earlier_write():
    dim = Recorder()
    tree = ObjectTree()
    tree.actuator(3306, {5850: Recorder(), 5851: dim}, initial=False, values={5851: 0})

    def wrote(data, form, type):
        tree.write_format = form
        assert tree.handle(Request("write", Path(3306, 0, 5851), None, type, data)).code == 204
        return dim.calls[-1]

    for form, type, number in (("tlv", OPAQUE, 57), ("text", OPAQUE, 9), ("tlv", None, 9), ("text", INTEGER, 57)):
        for _ in range(2):
            assert wrote(b"9", form, type) == number, (form, type)
            write(tree, "/3306/0/5850", b"\x01")
            assert type == INTEGER or wrote(b"100", form, type) == 100


def test_every_type_of_the_test_object():
    tree = ObjectTree()
    first = {110: "", 120: 0, 130: 0.0, 140: False, 150: b"", 160: 0, 170: "0:0"}
    tree.actuator(3441, None, values=first)
    for id, data, text in (
        (110, b"text", "text"), (120, b"-7", "-7"), (130, b"2.5", "2.5"), (140, b"1", "1"), (150, b"\x00\xff", b"\x00\xff"),
        (160, b"1790000000", "1790000000"), (170, b"3303:0", "3303:0"),
    ):
        assert write(tree, "/3441/0/{}".format(id), data) == 204, id
        assert value(tree, "/3441/0/{}".format(id)) == text, id
    types = [type for path, type, _ in tree.values(Path(3441, 0)) if path.resource in first]
    assert types == [STRING, INTEGER, FLOAT, BOOLEAN, 2, 6, 7]
