"""The wire formats of the LwM2M peers: vectors of the specifications, and bytes that must be refused."""

from fakes.refusal import raised

from testing.lwm2m.codec import (CodecError, Reading, cbor_decode, decode, decode_raw, encode, raw_of, tlv, value_of_raw)
from testing.lwm2m.link import (BOOLEAN, FLOAT, INTEGER, JSON, NONE, OBJLNK, OCTET_STREAM, OPAQUE, SENML_CBOR, SENML_JSON,
                              STRING, TEXT_PLAIN, TIME, TLV, discover_payload, parse_path, store_attributes)
from testing.lwm2m.resource_types import type_of
from test_lwm2m_codec import OMA_TLV, REFUSED, RFC_8949


def refused(function, *arguments):
    return str(raised(CodecError, function, *arguments))


def test_a_float_resource_is_eight_bytes_of_double():
    assert encode(TLV, (3303, 0, 5700), [((3303, 0, 5700), FLOAT, "21.5")]) == bytes.fromhex("e81644084035800000000000")


def test_tlv_as_the_specification_prints_it():
    for path, payload, values in OMA_TLV:
        found = decode_raw(TLV, path, payload)
        assert [(each[0], value_of_raw(type, each[1])) for each, (_, type, _) in zip(found, values)] == [
            (where, text if type in (STRING, OBJLNK) else int(text)) for where, type, text in values], path
        assert encode(TLV, path, values) == payload, path


def test_object_answer_wraps_each_instance():
    values = [((3303, 0, 5700), FLOAT, "1"), ((3303, 1, 5700), FLOAT, "2"), ((3303, 1, 5701), STRING, "Cel")]
    payload = encode(TLV, (3303,), values)
    assert decode(TLV, (3303,), payload) == [Reading((3303, 0, 5700), FLOAT, 1.0, None),
                                             Reading((3303, 1, 5700), FLOAT, 2.0, None),
                                             Reading((3303, 1, 5701), STRING, "Cel", None)]


def test_instance_answer_may_come_wrapped_or_bare():
    bare = tlv(0xC0, 5700, raw_of(FLOAT, "3"))
    for payload in (bare, tlv(0, 0, bare)):
        assert decode(TLV, (3303, 0), payload) == [Reading((3303, 0, 5700), FLOAT, 3.0, None)]


def test_multiple_resource_keeps_its_instance_ids():
    values = [((19, 0, 0, 0), OPAQUE, b"ab"), ((19, 0, 0, 7), OPAQUE, b"c")]
    payload = encode(TLV, (19, 0, 0), values)
    assert decode_raw(TLV, (19, 0, 0), payload) == [((19, 0, 0, 0), b"ab"), ((19, 0, 0, 7), b"c")]


def test_integers_take_the_smallest_of_four_sizes():
    assert [len(raw_of(INTEGER, text)) for text in ("-128", "128", "-32769", "2147483648")] == [1, 2, 4, 8]
    for text in ("0", "-1", "127", "-129", "65535", "2147483647", "-2147483649", "1767225600"):
        assert value_of_raw(INTEGER, raw_of(INTEGER, text)) == int(text)


def test_each_type_there_and_back():
    for kind, text, value in ((STRING, "Cel", "Cel"), (INTEGER, "-5", -5), (TIME, "1767225600", 1767225600),
                              (FLOAT, "-0.25", -0.25), (BOOLEAN, "1", True), (BOOLEAN, "0", False),
                              (OBJLNK, "3303:1", "3303:1"), (OPAQUE, b"\x00\xff", b"\x00\xff"), (NONE, b"", b"")):
        assert value_of_raw(kind, raw_of(kind, text)) == value


def test_values_that_do_not_suit_their_type_are_refused():
    for kind, text in ((INTEGER, "21.5"), (BOOLEAN, "true"), (FLOAT, "warm"), (OBJLNK, "3303"), (INTEGER, "1" * 30)):
        assert f"type {kind}" in refused(raw_of, kind, text)


def test_lengths_of_one_two_and_three_bytes():
    for length in (7, 8, 255, 256, 65535, 65536):
        value = b"x" * length
        assert decode_raw(TLV, (19, 0), tlv(0xC0, 0, value)) == [((19, 0, 0), value)]


def test_cut_off_tlv_is_refused_at_every_byte():
    payload = encode(TLV, (3303, 0), [((3303, 0, 5700), FLOAT, "21.5"), ((3303, 0, 5701), STRING, "Celsius degrees")])
    good = {12, len(payload), 0}
    for end in range(len(payload)):
        if end not in good:
            refused(decode_raw, TLV, (3303, 0), payload[:end])


def test_tlv_of_another_instance_or_resource_is_refused():
    payload = tlv(0, 1, tlv(0xC0, 5700, b"\x00" * 8))
    assert "instance 1" in refused(decode, TLV, (3303, 0), payload)
    assert "resource 5701" in refused(decode, TLV, (3303, 0, 5700), tlv(0xC0, 5701, b"C"))


def test_plain_text_both_ways():
    assert encode(TEXT_PLAIN, (3306, 0, 5850), [((3306, 0, 5850), BOOLEAN, "1")]) == b"1"
    assert decode(TEXT_PLAIN, (3306, 0, 5850), b"1")[0].value is True
    assert decode(TEXT_PLAIN, (3303, 0, 5700), b"-3.5")[0].value == -3.5
    assert decode(TEXT_PLAIN, (19, 0, 0), b"AAE=")[0].value == b"\x00\x01"
    assert "boolean" in refused(decode, TEXT_PLAIN, (3306, 0, 5850), b"on")


def test_opaque_is_taken_as_it_is():
    assert decode(OCTET_STREAM, (19, 0, 0), b"\x01\x02") == [Reading((19, 0, 0), OPAQUE, b"\x01\x02", None)]


def test_json_both_ways():
    values = [((3303, 0, 5700), FLOAT, "21.5"), ((3303, 0, 5701), STRING, 'C"l'), ((3303, 0, 5518), TIME, "1767225600")]
    payload = encode(JSON, (3303, 0), values)
    assert [(each.path, each.value) for each in decode(JSON, (3303, 0), payload)] == [
        ((3303, 0, 5700), 21.5), ((3303, 0, 5701), 'C"l'), ((3303, 0, 5518), 1767225600)]


def test_json_of_one_resource_has_the_whole_path_as_base_name():
    assert encode(JSON, (3303, 0, 5700), [((3303, 0, 5700), FLOAT, "-0.5")]) == b'{"bn":"/3303/0/5700","e":[{"n":"","v":-0.5}]}'


def test_json_times_add_up():
    payload = b'{"bn":"/3303/0/","bt":1767225600,"e":[{"n":"5700","v":1},{"n":"5700","v":2,"t":-60}]}'
    assert [(each.value, each.time) for each in decode(JSON, (3303, 0), payload)] == [(1.0, 1767225600), (2.0, 1767225540)]


def test_json_numbers_from_modules_stay_json():
    for text in ("007", "1e3", ".5", "-0.0", "+1"):
        payload = encode(JSON, (3303, 0, 5700), [((3303, 0, 5700), FLOAT, text)])
        assert decode(JSON, (3303, 0, 5700), payload)[0].value == float(text)


def test_damaged_json_is_refused():
    for payload in (b"", b"{", b"[]", b'{"e":1}', b'{"e":[{"n":"/3303"}]}', b'{"e":[1]}', b"\xff\xfe"):
        refused(decode, JSON, (3303, 0), payload)


def test_senml_cbor_pack_gives_each_reading_its_time():
    # [{bn: "/3303/0/", bt: 1767225600, n: "5700", v: 21.5}, {n: "5700", v: 22, t: 60}] written by hand from RFC 8949
    pack = b"\x82\xa4\x21\x68/3303/0/\x22\x1a\x69\x55\xb9\x00\x00\x645700\x02\xf9\x4d\x60\xa3\x00\x645700\x02\x16\x06\x18\x3c"
    assert decode(SENML_CBOR, (19, 0, 0), pack) == [Reading((3303, 0, 5700), FLOAT, 21.5, 1767225600),
                                                    Reading((3303, 0, 5700), FLOAT, 22.0, 1767225660)]


def test_senml_booleans_strings_and_bytes():
    pack = b"\x83\xa2\x00\x6c/3306/0/5850\x04\xf5\xa2\x00\x6c/3303/0/5701\x03\x63Cel\xa2\x00\x67/19/0/0\x08\x42\x01\x02"
    assert [each.value for each in decode(SENML_CBOR, (19, 0, 0), pack)] == [True, "Cel", b"\x01\x02"]


def test_senml_decimal_fraction():
    pack = b"\x81\xa2\x00\x6c/3303/0/5700\x02\xc4\x82\x20\x19\x08\x66"
    assert decode(SENML_CBOR, (19, 0, 0), pack)[0].value == 215.0


def test_senml_without_time_has_none_and_relative_time_needs_now():
    pack = b"\x81\xa2\x00\x6c/3303/0/5700\x02\x01"
    assert decode(SENML_CBOR, (19, 0, 0), pack)[0].time is None
    relative = b"\x81\xa3\x00\x6c/3303/0/5700\x02\x01\x06\x38\x3b"
    assert decode(SENML_CBOR, (19, 0, 0), relative)[0].time is None
    assert decode(SENML_CBOR, (19, 0, 0), relative, type_of, 1767225600)[0].time == 1767225540


def test_senml_json():
    pack = b'[{"bn":"/3303/0/","n":"5700","v":21.5,"bt":1767225600},{"n":"5701","vs":"Cel"},{"n":"9","vd":"_-8"}]'
    assert [each.value for each in decode(SENML_JSON, (19, 0, 0), pack)] == [21.5, "Cel", b"\xff\xef"]


def test_senml_that_must_be_refused():
    """RFC 8428 section 4.4: a version above 10, and a field that must be understood."""
    for record, fine in (
        ('{"bver":10,"n":"/3303/0/5700","v":1}', True), ('{"bver":11,"n":"/3303/0/5700","v":1}', False),
        ('{"n":"/3303/0/5700","v":1,"x":0}', True), ('{"n":"/3303/0/5700","v":1,"x_":0}', False),
    ):  # fmt: skip
        pack = "[{}]".format(record).encode()
        if fine:
            assert len(decode(SENML_JSON, (19, 0, 0), pack)) == 1
        else:
            refused(decode, SENML_JSON, (19, 0, 0), pack)


def test_cbor_vectors_of_rfc_8949_appendix_a():
    """The node's table; this decoder knows strings of indefinite length as well, which a node refuses."""
    more = (("5f42010243030405ff", b"\x01\x02\x03\x04\x05"), ("7f657374726561646d696e67ff", "streaming"))
    for coded, value in RFC_8949 + more:
        if value is not REFUSED:
            assert cbor_decode(bytes.fromhex(coded)) == value, coded


def test_damaged_cbor_is_refused():
    for coded in ("", "18", "1c", "ff", "82ff00", "9f", "5f01ff", "a101", "a1820102", "0000", "9b7fffffffffffffff",
                  "81" * 20 + "00", "c401", "c24101", "c5822003"):
        refused(cbor_decode, bytes.fromhex(coded))


def test_paths():
    assert parse_path("/3303/0/5700") == (3303, 0, 5700) and parse_path((1, 0)) == (1, 0) and parse_path("/") == ()
    for text in ("/a", "/1/2/3/4/5", "/70000"):
        assert text in str(raised(ValueError, parse_path, text))


def test_discover_lists_parents_first_with_their_attributes():
    attributes = {}
    store_attributes(attributes, (3303, 0, 5700), ("pmin=5", "gt=25"))
    store_attributes(attributes, (3303, 0, 5700), ("gt",))
    payload = discover_payload((3303,), [(3303, 0, 5700), (3303, 0, 5701)], attributes)
    assert payload == b"</3303>,</3303/0>,</3303/0/5700>;pmin=5,</3303/0/5701>"


def test_types_of_what_the_table_knows():
    assert type_of(3303, 5700) == FLOAT and type_of(3303, 5605) == NONE and type_of(3, 13) == TIME
    assert type_of(19, 0) == OPAQUE and type_of(3306, 5850) == BOOLEAN and type_of(33000, 1) == OPAQUE
    assert type_of(1, 1) == INTEGER and type_of(3, 22) == OBJLNK and type_of(5, 99) == OPAQUE
