"""The codecs against independent ones, and round trips for whatever hypothesis thinks of."""

import datetime
import decimal
import math
from fractions import Fraction as fraction

import cbor2
from hypothesis import given
from hypothesis import strategies as some

from lwnode.lwm2m import (
    BOOLEAN,
    FLOAT,
    INTEGER,
    OBJLNK,
    OPAQUE,
    STRING,
    TIME,
    ObjectTree,
    Path,
    Request,
    senml,
    tlv,
    unpack,
    values,
)
from lwnode.lwm2m.rules import Rules
from testing.lwm2m import codec as peer
from testing.lwm2m.names import TLV

CPYTHON_ONLY = "hypothesis does not run on MicroPython; the portable cases are in test_lwm2m_codec.py"

# one resource of each type, with one place in the peer's own table of types as well
PATHS = {
    STRING: Path(3341, 0, 5527),
    OPAQUE: Path(19, 0, 0),
    INTEGER: Path(3200, 2, 5501),
    FLOAT: Path(3303, 1, 5700),
    BOOLEAN: Path(3200, 0, 5500),
    TIME: Path(3333, 0, 5506),
    OBJLNK: Path(3, 0, 22),
}
NOW = 1790000000

decimals = some.builds(
    lambda number, places: values.place_point(number, places), some.integers(-(10**12), 10**12), some.integers(0, 9)
)
wire = {
    STRING: some.text(max_size=40),
    OPAQUE: some.binary(max_size=60),
    INTEGER: some.integers(-(1 << 63), (1 << 63) - 1).map(str),
    FLOAT: decimals,
    BOOLEAN: some.sampled_from(["0", "1"]),
    TIME: some.integers(0, 1 << 33).map(str),
    OBJLNK: some.tuples(some.integers(0, 65535), some.integers(0, 65535)).map("{0[0]}:{0[1]}".format),
}
readings_of = some.sampled_from(sorted(wire)).flatmap(
    lambda type: some.tuples(some.just(PATHS[type]), some.just(type), wire[type])
)
times = some.one_of(some.none(), some.integers(1 << 29, 1 << 32))
records = some.lists(some.tuples(readings_of, times).map(lambda pair: (*pair[0], pair[1])), max_size=30)


def plain(type, text):
    """A wire value as the peer's decoder would give it."""
    if type == FLOAT:
        return float(text)
    if type in (INTEGER, TIME):
        return int(text)
    return text == "1" if type == BOOLEAN else text


@given(readings_of)
def test_tlv_is_what_the_peer_reads_and_writes(value):
    path, type, text = value
    payload = tlv.encode_tlv([value], path)
    assert payload == peer.encode(TLV, path.ids, [(path.ids, type, text)])
    (reading,) = peer.decode(TLV, path.ids, payload)
    assert (reading.path, reading.value) == (path.ids, plain(type, text))
    ((where, kind, back),) = tlv.decode_tlv(payload, Path(path.object, path.instance))
    assert (where, kind) == (path, type)
    assert plain(type, back) == plain(type, text)


@given(records, some.integers(0, 600))
def test_packs_come_back_whole_and_within_the_limit(readings, limit):
    payload, used = senml.pack_senml(readings, limit)
    assert len(payload) <= limit
    found = unpack.unpack_senml(payload) if used else []
    for path in {record[0] for record in readings}:  # each path's own in order, whoever has a time and who has none
        assert [record for record in found if record[0] == path] == [record for record in readings[:used] if record[0] == path]


@given(readings_of, some.one_of(some.none(), some.tuples(some.integers(0, 0xFFFFFFFF), some.integers(0, 0xFFFFFFFF))))
def test_journal_entries_come_back(value, stamp):
    assert values.unpack_record(values.pack_record(*value, stamp)) == (*value, stamp)


cbor_values = some.recursive(
    some.one_of(
        some.none(), some.booleans(), some.integers(-(1 << 64), (1 << 64) - 1), some.text(max_size=20),
        some.binary(max_size=20), some.floats(allow_nan=False),
    ),
    lambda inner: some.one_of(some.lists(inner, max_size=5), some.dictionaries(some.integers(-9, 9), inner, max_size=5)),
    max_leaves=20,
)  # fmt: skip


@given(cbor_values, some.booleans())
def test_cbor_is_what_cbor2_reads_and_writes(value, canonical):
    assert senml.decode(senml.encode(value)) == cbor2.loads(senml.encode(value)) == value
    assert senml.decode(cbor2.dumps(value, canonical=canonical)) == value


@given(some.recursive(some.one_of(cbor_values, some.decimals(allow_nan=False), some.integers(), some.datetimes(
    timezones=some.just(datetime.timezone.utc))), lambda inner: some.lists(inner, max_size=3), max_leaves=5))  # fmt: skip
def test_whatever_cbor2_writes_is_read_or_refused_with_a_sentence(value):
    try:
        senml.decode(cbor2.dumps(value))
    except ValueError as error:
        assert " " in str(error)


def resolved(pack):
    """RFC 8428 section 4.6 over what cbor2 has read: (name, value, time) of each record."""
    base = {-2: "", -3: 0}
    for record in pack:
        base.update({key: record[key] for key in (-2, -3) if key in record})
        (value,) = [fraction(record[2]) if key == 2 else record[key] for key in (2, 3, 4, 8, "vlo") if key in record]
        when = base[-3] + record.get(6, 0)
        yield base[-2] + record.get(0, ""), value, when or None


@given(records)
def test_packs_are_what_cbor2_reads_and_senml_says(readings):
    key = lambda type, text: fraction(text) if type in (FLOAT, INTEGER, TIME) else plain(type, text)
    while readings:
        payload, used = senml.pack_senml(readings, 100000)
        ours = [(str(path), key(type, text), when) for path, type, text, when in readings[:used]]
        assert sorted(resolved(cbor2.loads(payload)), key=repr) == sorted(ours, key=repr)
        readings = readings[used:]


@given(readings_of.filter(lambda one: one[1] != OBJLNK), times, some.booleans())
def test_packs_of_cbor2_are_read(reading, when, split):
    path, type, text = reading
    key = {STRING: 3, OPAQUE: 8, BOOLEAN: 4}.get(type, 2)
    value = decimal.Decimal(text) if type == FLOAT else plain(type, text)
    record = {-2: str(path)[:5], 0: str(path)[5:]} if split else {0: str(path)}
    record[key] = value
    if when is not None:
        record[-3 if split else 6] = when
    ((where, kind, found, at),) = unpack.unpack_senml(cbor2.dumps([record]))
    assert (where, kind, at) == (path, type, when)
    assert found == text or decimal.Decimal(found) == decimal.Decimal(text)


@given(some.binary(max_size=80))
def test_no_bytes_break_a_decoder(data):
    for read in (
        senml.decode, unpack.unpack_senml, unpack.entries, values.unpack_record,
        lambda raw: tlv.decode_tlv(raw, Path(3303, 0)), lambda raw: tlv.decode_tlv(raw, Path(3303)),
        lambda raw: list(values.items(raw)),
    ):  # fmt: skip
        try:
            read(data)
        except (ValueError, UnicodeError):
            pass


@given(some.sampled_from(["read", "write", "execute", "observe", "cancel", "write_attributes", "delete"]),
       some.sampled_from(["/3303", "/3303/0", "/3303/0/5700", "/3303/0/5605", "/3306/0/5850", "/3306/0/5851", "/3306/0",
                          "/3308/0/5900", "/19/0/0", "/19/1/0", "/19", "/9/0/1"]),
       some.one_of(some.binary(max_size=30), some.sampled_from([b"1", b"21.5", b"pmin=5", b"\x80"])),
       some.integers(0, 3))  # fmt: skip
def test_every_request_is_answered(operation, path, payload, message_id):
    tree = ObjectTree()
    tree.sensor(3303, lambda: 21.0)
    tree.actuator(3306, {5850: lambda on: None, 5851: lambda dim: None}, initial=False, values={5851: 0})
    tree.actuator(3308, lambda point: None, initial=20.0)
    tree.sample(NOW)
    response = tree.handle(Request(operation, Path.parse(path), message_id, value=payload))
    assert response.code in (204, 205, 400, 404, 405)
    assert ObjectTree().load(tree.dump())


resolutions = some.sampled_from([0.001, 0.01, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 100])


@given(some.floats(-1e6, 1e6), resolutions)
def test_decimal_text_is_on_the_grid_and_near(value, resolution):
    text = values.decimal(value, resolution)
    assert "e" not in text and abs(float(text) - value) <= resolution * 0.500001
    assert values.decimal(float(text), resolution) == text


@given(some.floats(allow_nan=False, allow_infinity=False))
def test_decimal_text_without_resolution_is_plain_and_near(value):
    text = values.decimal(value)
    assert set(text) <= set("-.0123456789")
    assert math.isclose(float(text), value, rel_tol=5.1e-6, abs_tol=0.0)
    assert float(unpack.shortest(value)) == value


rule_sets = some.fixed_dictionaries(
    {},
    optional={
        "pmin": some.integers(0, 100), "pmax": some.integers(101, 500), "gt": some.floats(5, 20), "lt": some.floats(-20, 4),
        "deadband": some.floats(0, 3), "st": some.floats(0.001, 0.4),
    },
)  # fmt: skip
walks = some.lists(some.tuples(some.integers(1, 80), some.floats(-30, 30)), min_size=1, max_size=40)


@given(rule_sets, walks)
def test_rules_keep_their_promises_on_any_walk(rules, walk):
    judge = Rules(**rules)
    now, sent_at, sent = NOW, None, None
    for step, value in walk:
        now += step
        reason = judge.judge(value, now)
        gone = reason.startswith("sent")
        if sent_at is not None:
            passed = now - sent_at
            assert not (gone and passed < rules.get("pmin", 0)), "sent before pmin"
            assert gone or passed < rules.get("pmax", 1 << 30), "not sent though pmax was over"
            free = passed >= rules.get("pmin", 0)
            if free and "gt" in rules and "deadband" not in rules and (sent > rules["gt"]) != (value > rules["gt"]):
                assert gone or judge.reported == value, "a crossing was missed"
            if free and "st" in rules and abs(value - sent) >= rules["st"]:
                assert gone, "a step was missed"
        if gone:
            sent_at, sent = now, value


@given(some.lists(some.sampled_from([("sensor", 20.0), ("sensor", 25.0), ("sensor", None), ("write", b"1"), ("write", b"0"),
                                     ("write", b"x"), ("reset", None), ("sleep", None), ("rules", b"pmin=5&gt=21"),
                                     ("rules", b"pmin=&gt="), ("report", None)]), max_size=30))  # fmt: skip
def test_sleep_makes_no_difference(events):
    """The same events with and without a deep sleep between each lead to the same readings and values."""

    def build():
        tree = ObjectTree()
        tree.sensor(3303, lambda: readings[-1], resolution=0.1, deadband=1)
        tree.actuator(3306, lambda on: None, initial=False)
        return tree

    readings, outcomes = [None], []
    for sleeping in (False, True):
        tree, out, now = build(), [], NOW
        for number, (event, argument) in enumerate(events):
            now += 10
            if event == "sensor":
                readings.append(argument)
                tree.sample(now)
            elif event == "write":
                tree.handle(Request("write", Path(3306, 0, 5850), number, value=argument))
            elif event == "reset":
                tree.handle(Request("execute", Path(3303, 0, 5605), number))
            elif event == "rules":
                tree.handle(Request("write_attributes", Path(3303, 0, 5700), number, value=argument))
            out += tree.reports(now)
            if sleeping:
                woken = build()
                assert woken.load(tree.dump())
                woken.seen = tree.seen
                tree = woken
        outcomes.append((out, tree.values(), tree.error_code))
    assert outcomes[0] == outcomes[1]
