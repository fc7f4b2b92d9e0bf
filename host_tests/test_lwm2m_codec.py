"""Text, TLV, SenML CBOR, journal entries: both ways, against the specifications' own examples."""

import binascii

from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, OBJLNK, OPAQUE, STRING, TIME, Path
from lwnode.lwm2m import senml, tlv, unpack, values

NOW = 1790000000
INF = float("inf")
REFUSED = "refused"


def unhex(text):
    return bytes([int(part, 16) for part in text.split()])


def refused(function, *arguments):
    try:
        function(*arguments)
    except ValueError as error:
        return str(error)
    return None


def test_decimal_text_follows_the_resolution():
    for value, resolution, text in (
        (21.46, 0.1, "21.5"), (21.0, 0.1, "21.0"), (21.24, 0.5, "21.0"), (21.25, 0.5, "21.5"), (0.07, 0.05, "0.05"),
        (-9.81, 0.01, "-9.81"), (-0.04, 0.1, "0.0"), (-0.06, 0.1, "-0.1"), (101325.0, 10, "101330"),
        (101325.0, 1, "101325"), (1234.5, 100, "1200"), (8388609.0, 1, "8388609"), (21, 0.1, "21.0"), (27, 5, "25"),
        (28, 5, "30"), (7, None, "7"), (1790000000, None, "1790000000"), (0.0, None, "0"), (21.5, None, "21.5"),
        (0.00001234, None, "0.00001234"), (1234567.0, None, "1234570"), (3e9, None, "3000000000"),
        ("52.5200083", 0.1, "52.5200083"), ("+1.5", None, "1.5"),
    ):
        assert values.decimal(value, resolution) == text, (value, resolution, values.decimal(value, resolution))


def test_no_exponent_no_nan_and_no_prose_becomes_a_number():
    for value in (float("nan"), float("inf"), -float("inf"), "", "-", "1e5", "1.2.3", "nan", "twelve", "1 2"):
        assert refused(values.decimal, value) is not None, value
    assert refused(values.decimal, 1.0, 0) is not None


def test_every_type_decodes_from_text():
    for type, data, value in (
        (STRING, b"attic", "attic"), (STRING, "Küche".encode(), "Küche"), (STRING, b"", ""),
        (OPAQUE, b"\x00\xff1", b"\x00\xff1"), (INTEGER, b"-42", -42), (INTEGER, b"42.0", 42), (INTEGER, b" 7 ", 7),
        (FLOAT, b"21.5", 21.5), (FLOAT, b"-1e3", -1000.0), (FLOAT, b"5", 5.0), (BOOLEAN, b"1", True),
        (BOOLEAN, b"0", False), (BOOLEAN, b"true", True), (BOOLEAN, b"False", False), (TIME, b"1790000000", NOW),
        (OBJLNK, b"3303:0", "3303:0"),
    ):
        assert values.decode_value(type, data) == value, (type, data)


def test_every_type_decodes_from_bare_binary_and_from_a_whole_tlv():
    for type, body, value in (
        (INTEGER, b"\x05", 5), (INTEGER, b"\xff", -1), (INTEGER, b"\x0e\xd8", 3800), (INTEGER, b"\xff\xff\xff\x00", -256),
        (INTEGER, b"\x00\x00\x00\x01\x00\x00\x00\x00", 1 << 32), (FLOAT, b"\x41\xac\x00\x00", 21.5),
        (FLOAT, b"\x40\x35\x80\x00\x00\x00\x00\x00", 21.5), (BOOLEAN, b"\x01", True), (BOOLEAN, b"\x00", False),
        (TIME, b"\x51\x82\x42\x8f", 1367491215), (OBJLNK, b"\x0c\xe7\x00\x01", "3303:1"),
    ):
        assert values.decode_value(type, body, 5850) == value, (type, body)
        whole = tlv.item(0xC0, 5850, body)
        assert values.decode_value(type, whole, 5850) == value, (type, whole)
    assert values.decode_value(STRING, tlv.item(0xC0, 5750, b"attic"), 5750) == "attic"


def test_what_is_no_value_of_a_type_is_refused():
    for type, data in (
        (INTEGER, b"4.5"), (INTEGER, b"xyz"), (INTEGER, b"1_0"), (INTEGER, b"--5"), (INTEGER, b"100000000000000000000"),
        (INTEGER, "٣٣".encode() + b"0"), (INTEGER, b""), (INTEGER, b"\x01\x02\x03"), (FLOAT, b"tepid"), (FLOAT, b"nan"),
        (FLOAT, b"inf"), (FLOAT, b"1_0"), (FLOAT, b"\x7f\xc0\x00\x00"), (FLOAT, b"\x00\x00"), (BOOLEAN, b"2"),
        (BOOLEAN, b"\x02"), (BOOLEAN, b"on"), (TIME, b"today"), (OBJLNK, b"3303:"), (OBJLNK, b"70000:1"),
        (STRING, b"\xff\xfe"), (0, b"1"),
    ):
        assert refused(values.decode_value, type, data) is not None, (type, data)


def test_digits_are_what_the_form_says_that_the_server_writes():
    # BC66 hands a payload through without its content format: "9" and 57 are the same byte (issue 18.6)
    for type, data, text, binary in (
        (INTEGER, b"9", 9, 57), (INTEGER, b"09", 9, 0x3039), (INTEGER, b"100", 100, 100), (INTEGER, b"d", 100, 100),
        (INTEGER, b"-5", -5, 0x2D35), (INTEGER, b"12345678", 12345678, 0x3132333435363738), (TIME, b"1790000000", NOW, NOW),
        (FLOAT, b"21.5", 21.5, 21.5), (FLOAT, b"21.50", 21.5, 21.5), (FLOAT, b"\x41\xac\x00\x00", 21.5, 21.5),
        (BOOLEAN, b"1", True, True), (BOOLEAN, b"\x01", True, True), (BOOLEAN, b"0", False, False),
        (STRING, b"attic", "attic", "attic"),
    ):
        found = (values.decode_value(type, data), values.decode_value(type, data, None, True))
        assert found == (text, binary), (type, data, found)
    # where it is TLV for certain, digits are no text, and a record that holds no value of the type is none
    assert values.decode_value(FLOAT, b"21.5", None, 2) < 1e-7 and values.decode_value(INTEGER, b"9", None, 2) == 57
    for type, data in ((BOOLEAN, b"1"), (INTEGER, b"100"), (FLOAT, b"21.50")):
        assert refused(values.decode_value, type, data, None, 2), data
    assert refused(values.decode_value, INTEGER, tlv.item(0xC0, 9, b"\x01" * 6), 9), "not its eight bytes as a number"


_DEVICE = unhex(
    "c8 00 14 4f 70 65 6e 20 4d 6f 62 69 6c 65 20 41 6c 6c 69 61 6e 63 65"
    " c8 01 16 4c 69 67 68 74 77 65 69 67 68 74 20 4d 32 4d 20 43 6c 69 65 6e 74"
    " c8 02 09 33 34 35 30 30 30 31 32 33 c3 03 31 2e 30 86 06 41 00 01 41 01 05"
    " 88 07 08 42 00 0e d8 42 01 13 88 87 08 41 00 7d 42 01 03 84 c1 09 64 c1 0a 0f"
    " 83 0b 41 00 00 c4 0d 51 82 42 8f c6 0e 2b 30 32 3a 30 30 c1 10 55"
)
_VALUES = [
    ((3, 0, 0), STRING, "Open Mobile Alliance"), ((3, 0, 1), STRING, "Lightweight M2M Client"),
    ((3, 0, 2), STRING, "345000123"), ((3, 0, 3), STRING, "1.0"), ((3, 0, 6, 0), INTEGER, "1"),
    ((3, 0, 6, 1), INTEGER, "5"), ((3, 0, 7, 0), INTEGER, "3800"), ((3, 0, 7, 1), INTEGER, "5000"),
    ((3, 0, 8, 0), INTEGER, "125"), ((3, 0, 8, 1), INTEGER, "900"), ((3, 0, 9), INTEGER, "100"),
    ((3, 0, 10), INTEGER, "15"), ((3, 0, 11, 0), INTEGER, "0"), ((3, 0, 13), TIME, "1367491215"),
    ((3, 0, 14), STRING, "+02:00"), ((3, 0, 16), STRING, "U"),
]
# OMA-TS-LightweightM2M-V1_0_2 section 6.4.3: what is asked for, the payload as printed there, and what it says.
OMA_TLV = (
    ((3, 0), _DEVICE, _VALUES),
    ((3,), b"\x08\x00\x79" + _DEVICE, _VALUES),
    ((2,), unhex("08 00 0e c1 00 01 c1 01 00 83 02 41 7f 07 c1 03 7f"
                 " 08 02 12 c1 00 03 c1 01 00 87 02 41 7f 07 61 01 36 01 c1 03 7f"), [
        ((2, 0, 0), INTEGER, "1"), ((2, 0, 1), INTEGER, "0"), ((2, 0, 2, 127), INTEGER, "7"), ((2, 0, 3), INTEGER, "127"),
        ((2, 2, 0), INTEGER, "3"), ((2, 2, 1), INTEGER, "0"), ((2, 2, 2, 127), INTEGER, "7"), ((2, 2, 2, 310), INTEGER, "1"),
        ((2, 2, 3), INTEGER, "127")]),
    ((1,), unhex("08 00 0f c1 00 01 c4 01 00 01 51 80 c1 06 01 c1 07 55"), [
        ((1, 0, 0), INTEGER, "1"), ((1, 0, 1), INTEGER, "86400"), ((1, 0, 6), BOOLEAN, "1"), ((1, 0, 7), STRING, "U")]),
    ((65, 0), unhex("88 00 0c 44 00 00 42 00 00 44 01 00 42 00 01"
                    " c8 01 0d 38 36 31 33 38 30 30 37 35 35 35 30 30 c4 02 12 34 56 78"), [
        ((65, 0, 0, 0), OBJLNK, "66:0"), ((65, 0, 0, 1), OBJLNK, "66:1"), ((65, 0, 1), STRING, "8613800755500"),
        ((65, 0, 2), INTEGER, "305419896")]),
    ((66,), unhex("08 00 26 c8 00 0b 6d 79 53 65 72 76 69 63 65 20 31 c8 01 0f 49 6e 74 65 72 6e 65 74 2e 31 35 2e 32 33 34"
                  " c4 02 00 43 00 00 08 01 26 c8 00 0b 6d 79 53 65 72 76 69 63 65 20 32 c8 01 0f 49 6e 74 65 72 6e 65 74"
                  " 2e 31 35 2e 32 33 35 c4 02 ff ff ff ff"), [
        ((66, 0, 0), STRING, "myService 1"), ((66, 0, 1), STRING, "Internet.15.234"), ((66, 0, 2), OBJLNK, "67:0"),
        ((66, 1, 0), STRING, "myService 2"), ((66, 1, 1), STRING, "Internet.15.235"), ((66, 1, 2), OBJLNK, "65535:65535")]),
)  # fmt: skip


def test_tlv_reads_and_writes_as_printed_in_the_specification():
    for ids, payload, wanted in OMA_TLV:
        path = Path(*ids)
        found = tlv.decode_tlv(payload, path)
        for (where, kind, value), (wanted_ids, type, text) in zip(found, wanted):
            if kind == OPAQUE != type:  # of an object that the registry does not know
                kind, value = type, values.to_wire(type, values.binary_value(type, value))
            assert (where.ids, kind, value) == (wanted_ids, type, text)
        assert len(found) == len(wanted)
        assert tlv.encode_tlv([(Path(*where), type, text) for where, type, text in wanted], path) == payload, ids


def test_tlv_of_a_float_resource():
    path = Path(3303, 0, 5700)
    payload = unhex("e8 16 44 08 40 35 80 00 00 00 00 00")
    assert tlv.encode_tlv([(path, FLOAT, "21.5")], path) == payload
    assert tlv.decode_tlv(payload, Path(3303, 0)) == [(path, FLOAT, "21.5")]
    for text in ("0.1", "16.18824", "-0.1234567"):  # as many digits as the value has
        ((_, _, found),) = tlv.decode_tlv(tlv.encode_tlv([(path, FLOAT, text)], path), Path(3303, 0))
        assert found == text


def test_damaged_tlv_is_refused_with_a_sentence():
    good = unhex("e8 16 44 08 40 35 80 00 00 00 00 00")
    for end in range(1, len(good)):
        assert refused(tlv.decode_tlv, good[:end], Path(3303, 0)) is not None, end
    assert refused(tlv.decode_tlv, b"\x41\x00\x01", Path(3303, 0)) is not None


def test_pack_and_unpack_keep_every_type_and_time():
    records = [
        (Path(3303, 0, 5700), FLOAT, "21.50", NOW), (Path(3303, 0, 5700), FLOAT, "-0.5", NOW + 900),
        (Path(3303, 0, 5700), FLOAT, "22", NOW + 1800), (Path(3200, 0, 5500), BOOLEAN, "1", NOW),
        (Path(3200, 0, 5501), INTEGER, "123456789012", NOW + 1), (Path(3341, 0, 5527), STRING, "Grüße", NOW + 2),
        (Path(3333, 0, 5506), TIME, str(NOW), NOW + 3), (Path(3441, 0, 170), OBJLNK, "3303:0", NOW + 4),
        (Path(3339, 0, 5522), OPAQUE, b"\x00\x01", NOW + 5),
    ]
    payload, used = senml.pack_senml(records, 512)
    assert used == len(records) and payload.count(b"\x22\x1a") == 1, "one base time for all"
    assert unpack.unpack_senml(payload) == sorted_by_first_path(records)


def sorted_by_first_path(records):
    order = []
    for record in records:
        if record[0] not in order:
            order.append(record[0])
    return [record for path in order for record in records if record[0] == path]


def test_a_pack_looks_like_rfc_8428_says():
    path = Path(3303, 0, 5700)
    payload, _ = senml.pack_senml([(path, FLOAT, "21.5", NOW), (path, FLOAT, "21.7", NOW + 60)], 512)
    assert senml.decode(payload)[0][-2] == "/3303/0/5700" and senml.decode(payload)[0][-3] == NOW
    # 82 array(2); a3 map(3): bn, bt, v as a decimal fraction; a2 map(2): t 60, v
    assert payload == (
        unhex("82 a3 21 6c") + b"/3303/0/5700" + unhex("22 1a 6a b1 3b 80 02 c4 82 20 18 d7 a2 06 18 3c 02 c4 82 20 18 d9")
    )


def test_a_pack_takes_as_many_from_the_front_as_fit():
    records = [(Path(3303, 0, 5700), FLOAT, "21.{}".format(n), NOW + 900 * n) for n in range(60)]
    for limit in range(0, 700, 7):
        payload, used = senml.pack_senml(records, limit)
        assert len(payload) <= limit
        assert unpack.unpack_senml(payload or b"\x80") == records[:used]
        if used < len(records):
            more, one_more = senml.pack_senml(records[: used + 1], 2000)
            assert one_more == used + 1 and len(more) > limit, (limit, used, len(more))


def test_readings_without_time_stay_without_and_overtake_none_of_their_path():
    """An epoch whose time nobody ever told lies between two that have one (issue 15): the pack ends before it."""
    records = [
        (Path(3303, 0, 5700), FLOAT, "20.0", None), (Path(3304, 0, 5700), FLOAT, "55", NOW),
        (Path(3303, 0, 5700), FLOAT, "21.0", NOW + 60), (Path(3304, 0, 5700), FLOAT, "56", None),
        (Path(3304, 0, 5700), FLOAT, "57", NOW + 120),
    ]
    payload, used = senml.pack_senml(records, 512)
    assert used == 3 and unpack.unpack_senml(payload) == records[:3]
    payload, used = senml.pack_senml(records[3:], 512)
    assert used == 2 and unpack.unpack_senml(payload) == records[3:]


def test_packs_of_others_are_understood():
    # floats of 16, 32 and 64 bits, indefinite lengths, bn + n, bt + t, a tag
    pack = unhex(
        "9f bf 21 68 2f 33 33 30 33 2f 30 2f 22 1a 6a b1 3b 80 ff"
        " a2 00 64 35 37 30 30 02 f9 4d 60 a3 00 64 35 37 30 30 02 fa 41 ac 00 00 06 01"
        " a3 00 64 35 37 30 30 02 fb 40 35 80 00 00 00 00 00 06 c1 02 ff"
    )
    assert [(name, value, when) for name, value, when in unpack.entries(pack)] == [
        ("/3303/0/", None, NOW), ("/3303/0/5700", 21.5, NOW), ("/3303/0/5700", 21.5, NOW + 1),
        ("/3303/0/5700", 21.5, NOW + 2),
    ]


def test_damaged_packs_are_refused_never_followed():
    payload, _ = senml.pack_senml([(Path(3303, 0, 5700), FLOAT, "21.5", NOW)], 512)
    for end in range(len(payload)):
        assert refused(unpack.unpack_senml, payload[:end]) is not None, end
    for bad in (
        "a0", "81 01", "81 a1 00 61 78", "9b 7f ff ff ff ff ff ff ff", "81 a1 02 f8 20", "1c", "1f", "3f", "df 01", "ff",
        "81 ff", "7f 61 61 ff", "9f", "bf 01 ff", "81 a1 02 c4 82 19 ff ff 01", "81 a1 02 c4 01", "81 a1 80 01",
        "81 a2 21 6c 2f 33 33 30 33 2f 30 2f 35 37 30 30 03 61 61",
    ):  # fmt: skip
        assert refused(unpack.unpack_senml, unhex(bad)) is not None, bad
    assert refused(senml.decode, b"\x81" * 9 + b"\x00") is not None
    assert refused(senml.decode, b"\x81" * 8 + b"\x00") is None


# RFC 8949 appendix A, in its order, and what is refused here with a sentence
RFC_8949 = (
    ("00", 0), ("01", 1), ("0a", 10), ("17", 23), ("1818", 24), ("1819", 25), ("1864", 100), ("1903e8", 1000),
    ("1a000f4240", 1000000), ("1b000000e8d4a51000", 1000000000000), ("1bffffffffffffffff", (1 << 64) - 1),
    ("c249010000000000000000", REFUSED), ("3bffffffffffffffff", -(1 << 64)), ("c349010000000000000000", REFUSED), ("20", -1),
    ("29", -10), ("3863", -100), ("3903e7", -1000), ("f90000", 0.0), ("f98000", -0.0), ("f93c00", 1.0),
    ("fb3ff199999999999a", 1.1), ("f93e00", 1.5), ("f97bff", 65504.0), ("fa47c35000", 100000.0),
    ("fa7f7fffff", (2.0 - 2.0 ** -23) * 2.0 ** 127), ("fb7e37e43c8800759c", 1.0e300), ("f90001", 5.960464477539063e-8),
    ("f90400", 0.00006103515625), ("f9c400", -4.0), ("fbc010666666666666", -4.1), ("f97c00", INF), ("f9fc00", -INF),
    ("fa7f800000", INF), ("faff800000", -INF), ("fb7ff0000000000000", INF), ("fbfff0000000000000", -INF), ("f4", False),
    ("f5", True), ("f6", None), ("f7", None), ("f0", REFUSED), ("f8ff", REFUSED),
    ("c074323031332d30332d32315432303a30343a30305a", "2013-03-21T20:04:00Z"), ("c11a514b67b0", 1363896240),
    ("c1fb41d452d9ec200000", 1363896240.5), ("d74401020304", b"\x01\x02\x03\x04"), ("d818456449455446", b"dIETF"),
    ("d82076687474703a2f2f7777772e6578616d706c652e636f6d", "http://www.example.com"), ("40", b""),
    ("4401020304", b"\x01\x02\x03\x04"), ("60", ""), ("6161", "a"), ("6449455446", "IETF"), ("62225c", '"\\'),
    ("62c3bc", "\u00fc"), ("63e6b0b4", "\u6c34"), ("64f0908591", "\U00010151"), ("80", []), ("83010203", [1, 2, 3]),
    ("8301820203820405", [1, [2, 3], [4, 5]]),
    ("98190102030405060708090a0b0c0d0e0f101112131415161718181819", list(range(1, 26))), ("a0", {}),
    ("a201020304", {1: 2, 3: 4}), ("a26161016162820203", {"a": 1, "b": [2, 3]}), ("826161a161626163", ["a", {"b": "c"}]),
    ("a56161614161626142616361436164614461656145", {"a": "A", "b": "B", "c": "C", "d": "D", "e": "E"}),
    ("5f42010243030405ff", REFUSED), ("7f657374726561646d696e67ff", REFUSED), ("9fff", []),
    ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]), ("9f01820203820405ff", [1, [2, 3], [4, 5]]),
    ("83018202039f0405ff", [1, [2, 3], [4, 5]]), ("83019f0203ff820405", [1, [2, 3], [4, 5]]),
    ("9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", list(range(1, 26))),
    ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}), ("826161bf61626163ff", ["a", {"b": "c"}]),
    ("bf6346756ef563416d7421ff", {"Fun": True, "Amt": -2}),
)  # fmt: skip


def test_cbor_as_rfc_8949_has_it_in_appendix_a():
    for text, wanted in RFC_8949:
        data = binascii.unhexlify(text)
        if wanted is REFUSED:
            assert refused(senml.decode, data), text
        else:
            assert senml.decode(data) == wanted, (text, senml.decode(data))
    for text in ("f97e00", "fa7fc00000", "fb7ff8000000000000"):
        found = senml.decode(binascii.unhexlify(text))
        assert found != found, text
    # section 3.4: a tag says what is meant; one that changes the number is refused by its own number, not by a count
    for text, words in (("c24101", "tag 2"), ("c34101", "tag 3"), ("c5822003", "tag 5"), ("d81e820103", "tag 30")):
        assert words in refused(senml.decode, binascii.unhexlify(text)), text
    assert senml.decode(binascii.unhexlify("d9d9f7d9d9f78101")) == [1] and refused(senml.decode, b"\xd9\xd9\xf7")
    assert refused(senml.decode, binascii.unhexlify("a201020103")), "one key twice"
    for number in (1 << 64, -(1 << 64) - 1):
        assert refused(senml.encode, number), number


def test_senml_as_rfc_8428_has_it_in_section_6():
    pack = binascii.unhexlify(
        "87a721781b75726e3a6465763a6f773a3130653230373361303130383030363a22fb41d303a15b00106223614120050067766f6c7461676501615602"
        "fb405e066666666666a3006763757272656e74062402fb3ff3333333333333a3006763757272656e74062302fb3ff4cccccccccccda300676375"
        "7272656e74062202fb3ff6666666666666a3006763757272656e74062102f93e00a3006763757272656e74062002fb3ff999999999999aa3006763"
        "757272656e74060002fb3ffb333333333333"
    )
    base = int(1276020076.001)  # a board's 32-bit floats know it to 128 s
    wanted = [("voltage", 120.1, 0)] + [("current", value, at) for value, at in (
        (1.2, -5), (1.3, -4), (1.4, -3), (1.5, -2), (1.6, -1), (1.7, 0))]  # fmt: skip
    assert unpack.entries(pack) == [("urn:dev:ow:10e2073a0108006:" + name, value, base + at) for name, value, at in wanted]


def test_senml_that_must_be_refused_or_is_none():
    """RFC 8428 section 4.4: a newer version, and what must be understood; a time that is none; a number that does not fit."""
    path = {0: "/3308/0/5900"}
    for more, taken in (
        ({2: 21}, True), ({-1: 10, 2: 21}, True), ({-1: 11, 2: 21}, False), ({-1: "x", 2: 21}, False),
        ({"unit_": 1, 2: 21}, False), ({"unit": 1, 2: 21}, True), ({-5: 1, 2: 21}, False), ({2: 21, 6: INF}, False),
        ({2: 21, -3: -INF}, False), ({2: 21, -3: float("nan")}, False), ({2: 21, 6: "soon"}, False), ({2: INF}, False),
        ({2: 21, -2: 5}, False),
    ):  # fmt: skip
        record = dict(path)
        record.update(more)
        assert (refused(unpack.unpack_senml, senml.encode([record])) is None) == taken, more
    counter = {0: "/3200/0/5501"}
    for number, taken in (((1 << 63) - 1, True), (1 << 63, False), (-(1 << 63), True), (-(1 << 63) - 1, False)):
        counter[2] = number
        assert (refused(unpack.unpack_senml, senml.encode([counter])) is None) == taken, number


def test_whole_numbers_end_at_64_bits():
    most = (1 << 63) - 1
    for number, taken in ((most, True), (most + 1, False), (-most - 1, True), (-most - 2, False)):
        for function, argument in ((values.from_wire, str(number)), (values.to_wire, number), (tlv.binary, str(number))):
            assert (refused(function, INTEGER, argument) is None) == taken, (function, number)
    assert tlv.binary(INTEGER, str(-most - 1)) == b"\x80" + bytes(7) and tlv.binary(INTEGER, "-129") == b"\xff\x7f"
    for link in ("65536:1", "1:65536", "1", ":1", "1:", "1:2:3", "+1:2", "1_0:1"):
        assert refused(values.to_wire, OBJLNK, link) and refused(tlv.binary, OBJLNK, link), link
    for text in (".", "-.", "e5", "1e", "+", "1_0", "0x1", "infinity", "1e5e5", ""):
        assert refused(values.from_wire, FLOAT, text), text
    for text, number in ((".5", 0.5), ("5.", 5.0), ("-1.5E2", -150.0), ("+2e-1", 0.2)):
        assert values.from_wire(FLOAT, text) == number, text


def test_journal_entries_come_back_as_they_were():
    for record in (
        (Path(3303, 0, 5700), FLOAT, "21.5", (1, 1790000000)), (Path(3303, 0, 5700), FLOAT, "21.5", None),
        (Path(3303, 65534, 0), STRING, "Grüße", (0xFFFFFFFF, 0)),
        (Path(5, 0, 1), STRING, "", None), (Path(19, 0, 0), OPAQUE, b"\x00\xff", (7, 12345)),
        (Path(3303), BOOLEAN, "1", (0, 1)),
    ):
        assert values.unpack_record(values.pack_record(*record)) == record
    assert refused(values.unpack_record, b"short") is not None


def test_each_refusal_says_what_was_expected_and_what_came():
    def pack(record):
        return (senml.encode([record]),)

    read = unpack.unpack_senml
    digits = "9" * 20
    for function, arguments, words in (
        (senml.encode, (1 << 64,), "an integer of more than 64 bits"), (senml.decode, (unhex("c2 41 01"),),
         "CBOR tag 2 at byte 0 is a number not known here"),
        (senml.decode, (unhex("81 ff"),), "CBOR malformed, too deep or cut off at byte 1"),
        (senml.decode, (b"\x81" * 9 + b"\x00",), "CBOR malformed, too deep or cut off at byte 8"),
        (senml.decode, (unhex("9a 00 00 01 00"),), "CBOR malformed, too deep or cut off at byte 0"),
        (senml.decode, (unhex("00 00"),), "CBOR malformed, too deep or cut off at byte 1"),
        (senml.decode, (b"",), "CBOR malformed, too deep or cut off at byte 0"),
        (senml.decode, (unhex("19 01"),), "CBOR malformed, too deep or cut off at byte 1"),
        (senml.decode, (unhex("81 f8 20"),), "CBOR malformed, too deep or cut off at byte 1"),
        (senml.decode, (unhex("62 61"),), "CBOR malformed, too deep or cut off at byte 1"),
        (senml.decode, (unhex("61 ff"),), "CBOR text is not UTF-8"),
        (senml.decode, (unhex("a2 01 02 01 03"),), "CBOR malformed, too deep or cut off at byte 5"),
        (senml.decode, (unhex("c4 82 18 41 01"),), "CBOR malformed, too deep or cut off at byte 5"),
        (read, (b"\x01",), "a SenML pack is an array of records"),
        (read, (unhex("81 01"),), "a SenML record is a map"),
        (read, pack({-1: 11, 0: "/1/0/1", 2: 1}), "SenML of version 11; 10 is the newest known here"),
        (read, pack({0: "/1/0/1", "x_": 1}), "the SenML field x_ is not known here"),
        (read, pack({0: 5}), "a SenML name is text"),
        (read, pack({0: "/1/0/1", 2: 1, 6: "x"}), "a time is a number of seconds"),
        (read, pack({0: "/1/0/1"}), "/1/0/1 has no value"),
        (read, pack({0: "/3303/0/5700", 8: b"x"}), "/3303/0/5700 has another type"),
        (tlv.decode_tlv, (unhex("81 00 c1"), Path(3, 0)), "TLV cut off at byte 0"),
        (tlv.decode_tlv, (unhex("82 00 c0 00"), Path(3, 0)), "instances of a resource were expected, not a TLV of kind 3"),
        (tlv.decode_tlv, (unhex("41 00 01"), Path(3, 0)), "a TLV of kind 1 does not belong here"),
        (tlv.decode_tlv, (unhex("c2 09 01"), Path(3, 0)), "TLV cut off at byte 0"),
        (tlv.decode_tlv, (unhex("e3 16 44 01 02 03"), Path(3303, 0)), "3 bytes are no value of this type"),
        (unpack.shortest, (INF,), "a number was expected, not inf"),
        (values.decimal, ("1e5",), "decimal text such as -21.5 was expected, not 1e5"),
        (values.decimal, (1.0, 0.37e-12), "a resolution is a step such as 0.1, 0.05 or 10, not %s" % 0.37e-12),
        (values.to_wire, (OPAQUE, "x"), "bytes were expected, not x"),
        (values.to_wire, (INTEGER, b"1"), "a number was expected, not bytes"),
        (values.from_wire, (INTEGER, digits), "an integer of 64 bits was expected, not " + digits),
        (values.from_wire, (OBJLNK, "3303"), "an object link looks like 3303:0, not 3303"),
        (values.from_wire, (FLOAT, "warm"), "a finite number was expected, not warm"),
        (values.from_wire, (BOOLEAN, " ON "), "a boolean is 0 or 1, not ON"),
        (values.from_wire, (0, "1"), "this resource takes no value"),
        (values.decode_value, (STRING, b"\xff"), "text in UTF-8 was expected"),
        (values.unpack_record, (b"short",), "5 bytes are no journal entry"),
        (Path, (3303, None, 1), "a resource needs its instance"),
        (Path, (65536,), "an id is 0 to 65535, not 65536"),
        (Path.parse, ("/3303/x",), "a path looks like /3303/0/5700, not /3303/x"),
    ):
        assert refused(function, *arguments) == words, (refused(function, *arguments), words)


def test_the_package_offers_tlv_where_it_is_installed():
    """Public names; a board has no tlv.mpy, and its nodes none of its bytes."""
    from lwnode.lwm2m import INTEGER, Path, decode_tlv, encode_tlv

    assert encode_tlv is tlv.encode_tlv and decode_tlv is tlv.decode_tlv
    assert decode_tlv(encode_tlv([(Path(3, 0, 9), INTEGER, "95")], Path(3, 0)), Path(3, 0))
