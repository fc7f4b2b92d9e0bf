"""Properties of the peers' codec: what goes in comes out, and no bytes whatever raise anything but CodecError."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from testing.lwm2m.codec import CodecError, cbor_decode, decode, decode_raw, encode, raw_of, tlv, value_of_raw
from testing.lwm2m.link import (BOOLEAN, FLOAT, INTEGER, JSON, OPAQUE, SENML_CBOR, SENML_JSON, STRING, TEXT_PLAIN, TIME, TLV)

VALUES = {
    5700: (FLOAT, st.floats(allow_nan=False, allow_infinity=False).map(repr), float),
    5501: (INTEGER, st.integers(-(1 << 63), (1 << 63) - 1).map(str), int),
    5518: (TIME, st.integers(0, 1 << 40).map(str), int),
    5850: (BOOLEAN, st.sampled_from("01"), lambda text: text == "1"),
    5701: (STRING, st.text(max_size=300).filter(lambda text: max(text, default=" ") < "\ud800"), str),
    5522: (OPAQUE, st.binary(max_size=300), bytes),
}


@st.composite
def instance(draw):
    """Some resources of one instance: [(path, type, value)]."""
    chosen = draw(st.sets(st.sampled_from(sorted(VALUES)), min_size=1))
    number = draw(st.integers(0, 65534))
    return [((3300, number, each), VALUES[each][0], draw(VALUES[each][1])) for each in sorted(chosen)]


@given(st.lists(instance(), min_size=1, max_size=3, unique_by=lambda each: each[0][0][1]), st.sampled_from([TLV, JSON]))
@settings(deadline=None)
def test_objects_go_there_and_back(instances, content_format):
    values = sorted([value for each in instances for value in each])
    readings = decode(content_format, (3300,), encode(content_format, (3300,), values))
    assert [(each.path, each.type) for each in readings] == [value[:2] for value in values]
    for reading, (path, _, value) in zip(readings, values):
        assert reading.value == VALUES[path[2]][2](value)


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_integers_take_no_more_bytes_than_needed(number):
    raw = raw_of(INTEGER, str(number))
    assert value_of_raw(INTEGER, raw) == number
    assert len(raw) == 1 or not -(1 << (4 * len(raw) - 1)) <= number < 1 << (4 * len(raw) - 1)


@given(st.sampled_from([0, 0x40, 0x80, 0xC0]), st.integers(0, 65535), st.binary(max_size=700))
def test_tlv_header_says_what_follows(kind, identifier, value):
    from testing.lwm2m.codec import split_tlv

    assert list(split_tlv(tlv(kind, identifier, value))) == [(kind, identifier, value)]


FORMATS = st.sampled_from([None, TEXT_PLAIN, TLV, JSON, SENML_CBOR, SENML_JSON, 42, 1542, 60])
PATHS = st.sampled_from([(3303,), (3303, 0), (3303, 0, 5700), (19, 0, 0), (3, 0, 6)])


@given(FORMATS, PATHS, st.binary(max_size=120))
@settings(deadline=None, max_examples=400)
def test_no_bytes_raise_anything_but_a_codec_error(content_format, path, payload):
    for function in (decode, decode_raw):
        try:
            function(content_format, path, payload)
        except CodecError as error:
            assert str(error)


@given(instance(), st.data())
@settings(deadline=None)
def test_damaged_payloads_raise_nothing_but_a_codec_error(values, data):
    payload = bytearray(encode(TLV, (3300,), values))
    position = data.draw(st.integers(0, len(payload) - 1))
    payload[position] ^= data.draw(st.integers(1, 255))
    try:
        decode(TLV, (3300,), bytes(payload))
    except CodecError as error:
        assert str(error)


def cbor(item):
    """The few CBOR heads that SenML needs, written from RFC 8949, 3."""

    def head(major, number):
        for info, layout, limit in ((None, None, 24), (24, ">B", 1 << 8), (25, ">H", 1 << 16), (26, ">I", 1 << 32)):
            if number < limit:
                return bytes([major << 5 | (number if info is None else info)]) + (
                    b"" if layout is None else struct.pack(layout, number))
        return bytes([major << 5 | 27]) + struct.pack(">Q", number)

    if item is None or isinstance(item, bool):
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[item]
    if isinstance(item, int):
        return head(0, item) if item >= 0 else head(1, -1 - item)
    if isinstance(item, float):
        return b"\xfb" + struct.pack(">d", item)
    if isinstance(item, bytes):
        return head(2, len(item)) + item
    if isinstance(item, str):
        return head(3, len(item.encode())) + item.encode()
    if isinstance(item, list):
        return head(4, len(item)) + b"".join(map(cbor, item))
    return head(5, len(item)) + b"".join(cbor(key) + cbor(value) for key, value in item.items())


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 64), (1 << 64) - 1)
    | st.floats(allow_nan=False)
    | st.binary(max_size=40)
    | st.text(max_size=40)
)
ITEMS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(-9, 9) | st.text(max_size=3), inner, max_size=4),
    max_leaves=12)


def depth(item):
    if isinstance(item, dict):
        item = list(item.values())
    return 1 + max([depth(each) for each in item], default=0) if isinstance(item, list) else 1


@given(ITEMS)
@settings(deadline=None)
def test_cbor_items_are_read_as_written(item):
    if depth(item) <= 8:
        assert cbor_decode(cbor(item)) == item


@given(st.integers(1 << 28, 1 << 33),
       st.lists(st.tuples(st.integers(-100000, 100000), st.floats(-1e6, 1e6)), min_size=1, max_size=20))
@settings(deadline=None)
def test_packs_keep_every_reading_with_its_time(base, series):
    pack = [{0: "5700", 2: value, 6: offset} for offset, value in series]
    pack[0] = {-2: "/3303/0/", -3: base, **pack[0]}
    readings = decode(SENML_CBOR, (19, 0, 0), cbor(pack), now=0)
    assert [(each.value, each.time) for each in readings] == [(value, base + offset) for offset, value in series]
