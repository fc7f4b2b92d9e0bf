"""Text, TLV, SenML CBOR, journal entries: both ways, against the specifications' own examples."""

from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, OBJLNK, OPAQUE, STRING, TIME, Path
from lwnode.lwm2m import cbor, senml, tlv, values

NOW = 1790000000


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
        (21.46, 0.1, "21.5"),
        (21.0, 0.1, "21.0"),
        (21.24, 0.5, "21.0"),
        (21.25, 0.5, "21.5"),
        (0.07, 0.05, "0.05"),
        (-9.81, 0.01, "-9.81"),
        (-0.04, 0.1, "0.0"),
        (-0.06, 0.1, "-0.1"),
        (101325.0, 10, "101330"),
        (101325.0, 1, "101325"),
        (1234.5, 100, "1200"),
        (8388609.0, 1, "8388609"),
        (21, 0.1, "21.0"),
        (27, 5, "25"),
        (28, 5, "30"),
        (7, None, "7"),
        (1790000000, None, "1790000000"),
        (0.0, None, "0"),
        (21.5, None, "21.5"),
        (0.00001234, None, "0.00001234"),
        (1234567.0, None, "1234570"),
        (3e9, None, "3000000000"),
        ("52.5200083", 0.1, "52.5200083"),
        ("+1.5", None, "1.5"),
    ):
        assert values.decimal(value, resolution) == text, (value, resolution, values.decimal(value, resolution))


def test_no_exponent_no_nan_and_no_prose_becomes_a_number():
    for value in (float("nan"), float("inf"), -float("inf"), "", "-", "1e5", "1.2.3", "nan", "twelve", "1 2"):
        assert refused(values.decimal, value) is not None, value
    assert refused(values.decimal, 1.0, 0) is not None


def test_every_type_decodes_from_text():
    for type, data, value in (
        (STRING, b"attic", "attic"),
        (STRING, "Küche".encode(), "Küche"),
        (STRING, b"", ""),
        (OPAQUE, b"\x00\xff1", b"\x00\xff1"),
        (INTEGER, b"-42", -42),
        (INTEGER, b"42.0", 42),
        (INTEGER, b" 7 ", 7),
        (FLOAT, b"21.5", 21.5),
        (FLOAT, b"-1e3", -1000.0),
        (FLOAT, b"5", 5.0),
        (BOOLEAN, b"1", True),
        (BOOLEAN, b"0", False),
        (BOOLEAN, b"true", True),
        (BOOLEAN, b"False", False),
        (TIME, b"1790000000", NOW),
        (OBJLNK, b"3303:0", "3303:0"),
    ):
        assert values.decode_value(type, data) == value, (type, data)


def test_every_type_decodes_from_bare_binary_and_from_a_whole_tlv():
    for type, body, value in (
        (INTEGER, b"\x05", 5),
        (INTEGER, b"\xff", -1),
        (INTEGER, b"\x0e\xd8", 3800),
        (INTEGER, b"\xff\xff\xff\x00", -256),
        (INTEGER, b"\x00\x00\x00\x01\x00\x00\x00\x00", 1 << 32),
        (FLOAT, b"\x41\xac\x00\x00", 21.5),
        (FLOAT, b"\x40\x35\x80\x00\x00\x00\x00\x00", 21.5),
        (BOOLEAN, b"\x01", True),
        (BOOLEAN, b"\x00", False),
        (TIME, b"\x51\x82\x42\x8f", 1367491215),
        (OBJLNK, b"\x0c\xe7\x00\x01", "3303:1"),
    ):
        assert values.decode_value(type, body, 5850) == value, (type, body)
        whole = tlv.item(0xC0, 5850, body)
        assert values.decode_value(type, whole, 5850) == value, (type, whole)
    assert values.decode_value(STRING, tlv.item(0xC0, 5750, b"attic"), 5750) == "attic"


def test_what_is_no_value_of_a_type_is_refused():
    for type, data in (
        (INTEGER, b"4.5"),
        (INTEGER, b"xyz"),
        (INTEGER, b"1_0"),
        (INTEGER, b"--5"),
        (INTEGER, b"100000000000000000000"),
        (INTEGER, "٣٣".encode() + b"0"),
        (INTEGER, b""),
        (INTEGER, b"\x01\x02\x03"),
        (FLOAT, b"tepid"),
        (FLOAT, b"nan"),
        (FLOAT, b"inf"),
        (FLOAT, b"1_0"),
        (FLOAT, b"\x7f\xc0\x00\x00"),
        (FLOAT, b"\x00\x00"),
        (BOOLEAN, b"2"),
        (BOOLEAN, b"\x02"),
        (BOOLEAN, b"on"),
        (TIME, b"today"),
        (OBJLNK, b"3303:"),
        (OBJLNK, b"70000:1"),
        (STRING, b"\xff\xfe"),
        (0, b"1"),
    ):
        assert refused(values.decode_value, type, data) is not None, (type, data)


def test_digits_are_what_the_form_says_that_the_server_writes():
    # BC66 hands a payload through without its content format: "9" and 57 are the same byte (issue 18.6)
    for type, data, text, binary in (
        (INTEGER, b"9", 9, 57),
        (INTEGER, b"09", 9, 0x3039),
        (INTEGER, b"100", 100, 100),
        (INTEGER, b"d", 100, 100),
        (INTEGER, b"-5", -5, 0x2D35),
        (INTEGER, b"12345678", 12345678, 0x3132333435363738),
        (TIME, b"1790000000", NOW, NOW),
        (FLOAT, b"21.5", 21.5, 21.5),
        (FLOAT, b"21.50", 21.5, 21.5),
        (FLOAT, b"\x41\xac\x00\x00", 21.5, 21.5),
        (BOOLEAN, b"1", True, True),
        (BOOLEAN, b"\x01", True, True),
        (BOOLEAN, b"0", False, False),
        (STRING, b"attic", "attic", "attic"),
    ):
        found = (values.decode_value(type, data), values.decode_value(type, data, None, True))
        assert found == (text, binary), (type, data, found)


def test_tlv_of_the_device_object_reads_and_writes_as_printed_in_the_specification():
    # OMA-TS-LightweightM2M-V1_0_2 section 6.4.3.1, the payload of a read on /3/0
    payload = unhex(
        "c8 00 14 4f 70 65 6e 20 4d 6f 62 69 6c 65 20 41 6c 6c 69 61 6e 63 65"
        " c8 01 16 4c 69 67 68 74 77 65 69 67 68 74 20 4d 32 4d 20 43 6c 69 65 6e 74"
        " c8 02 09 33 34 35 30 30 30 31 32 33 c3 03 31 2e 30 86 06 41 00 01 41 01 05"
        " 88 07 08 42 00 0e d8 42 01 13 88 87 08 41 00 7d 42 01 03 84 c1 09 64 c1 0a 0f"
        " 83 0b 41 00 00 c4 0d 51 82 42 8f c6 0e 2b 30 32 3a 30 30 c1 10 55"
    )
    found = tlv.decode_tlv(payload, Path(3, 0))
    assert [(path.ids[2:], type, text) for path, type, text in found] == [
        ((0,), STRING, "Open Mobile Alliance"), ((1,), STRING, "Lightweight M2M Client"), ((2,), STRING, "345000123"),
        ((3,), STRING, "1.0"), ((6, 0), INTEGER, "1"), ((6, 1), INTEGER, "5"), ((7, 0), INTEGER, "3800"),
        ((7, 1), INTEGER, "5000"), ((8, 0), INTEGER, "125"), ((8, 1), INTEGER, "900"), ((9,), INTEGER, "100"),
        ((10,), INTEGER, "15"), ((11, 0), INTEGER, "0"), ((13,), TIME, "1367491215"), ((14,), STRING, "+02:00"),
        ((16,), STRING, "U"),
    ]  # fmt: skip
    assert tlv.encode_tlv(found, Path(3, 0)) == payload


def test_tlv_of_several_object_instances():
    # ibid., the payload of a read on /2
    payload = unhex(
        "08 00 0e c1 00 01 c1 01 00 83 02 41 7f 07 c1 03 7f"
        " 08 02 12 c1 00 03 c1 01 00 87 02 41 7f 07 61 01 36 01 c1 03 7f"
    )
    found = tlv.decode_tlv(payload, Path(2))
    assert [(path.ids, text) for path, _, text in found] == [
        ((2, 0, 0), "1"), ((2, 0, 1), "0"), ((2, 0, 2, 127), "7"), ((2, 0, 3), "127"),
        ((2, 2, 0), "3"), ((2, 2, 1), "0"), ((2, 2, 2, 127), "7"), ((2, 2, 2, 310), "1"), ((2, 2, 3), "127"),
    ]  # fmt: skip
    assert tlv.encode_tlv(found, Path(2)) == payload


def test_tlv_of_a_float_resource():
    path = Path(3303, 0, 5700)
    payload = unhex("e8 16 44 08 40 35 80 00 00 00 00 00")
    assert tlv.encode_tlv([(path, FLOAT, "21.5")], path) == payload
    assert tlv.decode_tlv(payload, Path(3303, 0)) == [(path, FLOAT, "21.5")]


def test_damaged_tlv_is_refused_with_a_sentence():
    good = unhex("e8 16 44 08 40 35 80 00 00 00 00 00")
    for end in range(1, len(good)):
        assert refused(tlv.decode_tlv, good[:end], Path(3303, 0)) is not None, end
    assert refused(tlv.decode_tlv, b"\x41\x00\x01", Path(3303, 0)) is not None


def test_pack_and_unpack_keep_every_type_and_time():
    records = [
        (Path(3303, 0, 5700), FLOAT, "21.50", NOW),
        (Path(3303, 0, 5700), FLOAT, "-0.5", NOW + 900),
        (Path(3303, 0, 5700), FLOAT, "22", NOW + 1800),
        (Path(3200, 0, 5500), BOOLEAN, "1", NOW),
        (Path(3200, 0, 5501), INTEGER, "123456789012", NOW + 1),
        (Path(3341, 0, 5527), STRING, "Grüße", NOW + 2),
        (Path(3333, 0, 5506), TIME, str(NOW), NOW + 3),
        (Path(3441, 0, 170), OBJLNK, "3303:0", NOW + 4),
        (Path(3339, 0, 5522), OPAQUE, b"\x00\x01", NOW + 5),
    ]
    payload, used = senml.pack_senml(records, 512)
    assert used == len(records)
    assert senml.unpack_senml(payload) == sorted_by_first_path(records)


def sorted_by_first_path(records):
    order = []
    for record in records:
        if record[0] not in order:
            order.append(record[0])
    return [record for path in order for record in records if record[0] == path]


def test_a_pack_looks_like_rfc_8428_says():
    path = Path(3303, 0, 5700)
    payload, _ = senml.pack_senml([(path, FLOAT, "21.5", NOW), (path, FLOAT, "21.7", NOW + 60)], 512)
    assert cbor.decode(payload)[0][-2] == "/3303/0/5700" and cbor.decode(payload)[0][-3] == NOW
    # 82 array(2); a3 map(3): bn, bt, v as a decimal fraction; a2 map(2): t 60, v
    assert payload == (
        unhex("82 a3 21 6c") + b"/3303/0/5700" + unhex("22 1a 6a b1 3b 80 02 c4 82 20 18 d7 a2 06 18 3c 02 c4 82 20 18 d9")
    )


def test_a_pack_takes_as_many_from_the_front_as_fit():
    records = [(Path(3303, 0, 5700), FLOAT, "21.{}".format(n), NOW + 900 * n) for n in range(60)]
    for limit in range(0, 700, 7):
        payload, used = senml.pack_senml(records, limit)
        assert len(payload) <= limit
        assert senml.unpack_senml(payload or b"\x80") == records[:used]
        if used < len(records):
            more, one_more = senml.pack_senml(records[: used + 1], 2000)
            assert one_more == used + 1 and len(more) > limit, (limit, used, len(more))


def test_readings_without_time_stay_without():
    records = [
        (Path(3303, 0, 5700), FLOAT, "20.0", None),
        (Path(3304, 0, 5700), FLOAT, "55", NOW),
        (Path(3303, 0, 5700), FLOAT, "21.0", NOW + 60),
        (Path(3304, 0, 5700), FLOAT, "56", None),
    ]
    payload, used = senml.pack_senml(records, 512)
    assert used == 4
    found = senml.unpack_senml(payload)
    assert len(found) == 4 and all([record in found for record in records])


def test_packs_of_others_are_understood():
    # floats of 16, 32 and 64 bits, indefinite lengths, bn + n, bt + t, a tag
    pack = unhex(
        "9f bf 21 68 2f 33 33 30 33 2f 30 2f 22 1a 6a b1 3b 80 ff"
        " a2 00 64 35 37 30 30 02 f9 4d 60 a3 00 64 35 37 30 30 02 fa 41 ac 00 00 06 01"
        " a3 00 64 35 37 30 30 02 fb 40 35 80 00 00 00 00 00 06 c1 02 ff"
    )
    assert [(name, value, when) for name, value, when in senml.entries(pack)] == [
        ("/3303/0/", None, NOW),
        ("/3303/0/5700", 21.5, NOW),
        ("/3303/0/5700", 21.5, NOW + 1),
        ("/3303/0/5700", 21.5, NOW + 2),
    ]


def test_damaged_packs_are_refused_never_followed():
    payload, _ = senml.pack_senml([(Path(3303, 0, 5700), FLOAT, "21.5", NOW)], 512)
    for end in range(len(payload)):
        assert refused(senml.unpack_senml, payload[:end]) is not None, end
    for bad in (
        "a0", "81 01", "81 a1 00 61 78", "9b 7f ff ff ff ff ff ff ff", "81 a1 02 f8 20", "1c", "1f", "3f", "df 01", "ff",
        "81 ff", "7f 61 61 ff", "9f", "bf 01 ff", "81 a1 02 c4 82 19 ff ff 01", "81 a1 02 c4 01", "81 a1 80 01",
        "81 a2 21 6c 2f 33 33 30 33 2f 30 2f 35 37 30 30 03 61 61",
    ):  # fmt: skip
        assert refused(senml.unpack_senml, unhex(bad)) is not None, bad
    assert refused(cbor.decode, b"\x81" * 9 + b"\x00") is not None
    assert refused(cbor.decode, b"\x81" * 8 + b"\x00") is None


def test_journal_entries_come_back_as_they_were():
    for record in (
        (Path(3303, 0, 5700), FLOAT, "21.5", (1, 1790000000)),
        (Path(3303, 0, 5700), FLOAT, "21.5", None),
        (Path(3303, 65534, 0), STRING, "Grüße", (0xFFFFFFFF, 0)),
        (Path(19, 0, 0), OPAQUE, b"\x00\xff", (7, 12345)),
        (Path(3303), BOOLEAN, "1", (0, 1)),
    ):
        assert values.unpack_record(values.pack_record(*record)) == record
    assert refused(values.unpack_record, b"short") is not None
