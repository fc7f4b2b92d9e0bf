"""Leshan's own codec beside ours: what one writes, the other reads, value by value (Codec.java).

    compared(distribution, folder)      -> [("TLV", "240 written, 240 read", good), ...]

The vectors are drawn with a seed of their own: every type, numbers around each size, digits that are bytes of a number,
text of several bytes a character, several instances of a resource. Ours are lwnode.lwm2m and, where the modules encode, the
virtual modem's testing.lwm2m.codec.

Leshan 2.0.0-M18 reads no decimal fraction in SenML CBOR, and no whole number for a Float, both of which RFC 8428 section 6
allows. Our packs have both, exact on a board whose floats have 32 bits. Leshan shows them as the opaque value that they are
on 19/0/0, and whoever reads it there needs a decoder of SenML that knows tag 4 (testing.lwm2m.codec, cbor2). So numbers of
type Float are expected to be refused there, by exactly these two sentences, or to be right.
"""

import binascii
import json
import random
import struct
import subprocess
import sys

from tools.interop.fetch import ROOT
from tools.interop.process import LeshanError

sys.path[:0] = [str(ROOT / "lib"), str(ROOT / "host_tests" / "cpython")]

from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, OBJLNK, OPAQUE, STRING, TIME, Path, senml, tlv, unpack, values  # noqa: E402
from testing.lwm2m import codec as peer  # noqa: E402
from testing.lwm2m.names import TEXT_PLAIN, TLV  # noqa: E402

SEED, COUNT = 18, 40  # of each type and format
NOW = 1790000000
NAMES = {STRING: "STRING", OPAQUE: "OPAQUE", INTEGER: "INTEGER", FLOAT: "FLOAT", BOOLEAN: "BOOLEAN", TIME: "TIME",
         OBJLNK: "OBJLNK"}  # fmt: skip
PATHS = {STRING: Path(3341, 0, 5527), OPAQUE: Path(5, 0, 0), INTEGER: Path(3200, 0, 5501), FLOAT: Path(3303, 0, 5700),
         BOOLEAN: Path(3200, 0, 5500), TIME: Path(3333, 0, 5506), OBJLNK: Path(9, 0, 13)}  # fmt: skip
KNOWN_REFUSALS = ("Not a floating-point type", "Floating-point number expected but was")


def drawn(chance, type):
    """A value of that type as text (OPAQUE: bytes), as a node has it on the wire."""
    if type == INTEGER:
        digits = int.from_bytes(bytes(chance.choice(b"0123456789") for _ in range(chance.choice((1, 2, 4, 8)))), "big")
        edge = (1 << chance.choice((7, 8, 15, 16, 31, 32, 63))) + chance.choice((-1, 0))
        number = chance.choice((digits, edge, -edge, -edge - 1, chance.randrange(-1000, 1000)))
        return str(max(-(1 << 63), min((1 << 63) - 1, number)))
    if type == FLOAT:
        digits = struct.unpack(">f", bytes(chance.choice(b"0123456789") for _ in range(4)))[0]
        return unpack.shortest(chance.choice((digits, -digits, chance.uniform(-1e6, 1e6), chance.randrange(-99, 99) / 4)))
    if type == BOOLEAN:
        return chance.choice("01")
    if type == TIME:
        return str(chance.randrange(0, 1 << 33))
    if type == OBJLNK:
        return "%d:%d" % (chance.randrange(65536), chance.randrange(65536))
    if type == OPAQUE:
        return chance.randbytes(chance.choice((1, 7, 8, 255, 256)))
    return "".join(chance.choice("aZ09 ,:ü漢\U00010151") for _ in range(chance.randrange(1, 90)))


class Filter:
    """Codec.java: questions are gathered, asked all at once, and each answer is judged by the function beside it."""

    def __init__(self, distribution):
        jars = ":".join(distribution.server[distribution.server.index("-cp") + 1 :][:1])
        source = str(ROOT / "tools" / "interop" / "Codec.java")
        self.command = [*distribution.server[: distribution.server.index("-cp")], "-cp", jars, source, str(distribution.models)]
        self.asked = []

    def ask(self, row, question, judge):
        """`judge(answer)` gives a sentence where the answer is wrong."""
        self.asked.append((row, question, judge))

    def judged(self):
        """{row: [count, wrong sentences]}."""
        text = "\n".join(question for _, question, _ in self.asked) + "\n"
        done = subprocess.run(self.command, input=text, capture_output=True, text=True, timeout=300, check=False)
        answers = done.stdout.splitlines()
        if len(answers) != len(self.asked):
            raise LeshanError(f"Codec.java gave {len(answers)} answers of {len(self.asked)}: {done.stderr[-300:]}")
        found = {}
        for (row, question, judge), answer in zip(self.asked, answers):
            count = found.setdefault(row, [0, []])
            count[0] += 1
            try:
                wrong = judge(answer)
            except (ValueError, KeyError, IndexError) as error:
                wrong = f"{type(error).__name__}: {error}"
            if wrong:
                count[1].append(f"{question[:100]}: {wrong}; Leshan: {answer[:100]}")
        return found


def same(type, one, other):
    """Whether two texts of a value of that type mean the same: 8 bytes of a float, or exactly."""
    return float(one) == float(other) if type == FLOAT else one == other


def shown(type, value):
    """A value as Codec.java takes and shows it."""
    return value.hex() if type == OPAQUE else value


def compared(distribution):
    """See the module. [(format and direction, "40 of 40", sentences about the wrong ones)]."""
    if distribution.models is None or "-cp" not in distribution.server:
        return []
    chance = random.Random(SEED)
    leshan = Filter(distribution)
    for type, path in PATHS.items():
        for _ in range(COUNT):
            value = drawn(chance, type)
            given = value.encode().hex() if type == STRING else shown(type, value)
            _resource(leshan, type, path, value, given)
    for _ in range(COUNT):
        _device(leshan, chance)
    return [(row, f"{count - len(wrong)} of {count}", wrong) for row, (count, wrong) in leshan.judged().items()]


def _resource(leshan, type, path, value, given):
    """One value of one resource: in TLV, text and SenML CBOR, both ways."""
    name = NAMES[type]

    def read(answer):
        ((where, kind, found),) = json.loads(answer)
        return None if (where, kind) == (str(path), name) and same(type, found, shown(type, value)) else f"{value!r} expected"

    def tlv_of_leshan(answer):
        data = bytes.fromhex(answer)
        ((where, kind, found),) = tlv.decode_tlv(data, Path(path.object, path.instance))
        (theirs,) = peer.decode(TLV, path.ids, data)
        plain = values.binary_value(type, tlv.binary(type, value))
        good = (where, kind) == (path, type) and same(type, found, value) and theirs.value == plain
        return None if good else f"{value!r} expected, {found!r} and {theirs.value!r} read"

    def text_of_leshan(answer):
        data = bytes.fromhex(answer)
        if type == OPAQUE:  # in base64 (TS 1.0.2, 6.4.1)
            data = binascii.a2b_base64(data)
        found = values.decode_value(type, data)
        (theirs,) = peer.decode(TEXT_PLAIN, path.ids, bytes.fromhex(answer))
        good = found == values.from_wire(type, value) == theirs.value
        return None if good else f"{value!r} expected, {found!r} and {theirs.value!r} read"

    def pack_of_leshan(answer):
        ((where, _, found, when),) = unpack.unpack_senml(bytes.fromhex(answer))
        good = where == path and when is None and same(type, found, value)
        return None if good else f"{value!r} expected, {found!r} read"

    def pack_read(answer):
        if type == FLOAT and any(words in answer for words in KNOWN_REFUSALS):
            return None
        ((where, _, found, when),) = json.loads(answer)
        good = (where, when) == (str(path), str(NOW)) and same(type, found, shown(type, value))
        return None if good else f"{value!r} expected"

    leshan.ask("TLV, Leshan reads", f"decode TLV {path} {tlv.encode_tlv([(path, type, value)], path).hex()}", read)
    leshan.ask("TLV, Leshan writes", f"encode TLV {path} {name} {given}", tlv_of_leshan)
    if given:
        text = binascii.b2a_base64(value).strip() if type == OPAQUE else value.encode()
        leshan.ask("text, Leshan reads", f"decode TEXT {path} {text.hex()}", read)
        leshan.ask("text, Leshan writes", f"encode TEXT {path} {name} {given}", text_of_leshan)
    leshan.ask("SenML CBOR, Leshan writes", f"encode SENML_CBOR {path} {name} {given}", pack_of_leshan)
    pack, _ = senml.pack_senml([(path, type, value, NOW)], 2000)
    leshan.ask("SenML CBOR, Leshan reads", f"pack SENML_CBOR {pack.hex()}", pack_read)


def _device(leshan, chance):
    """An instance of object 3 with several instances of a resource, some far apart."""
    rows = [(Path(3, 0, 0), STRING, drawn(chance, STRING))]
    for each in sorted(chance.sample(range(400), chance.randrange(1, 6))):
        rows.append((Path(3, 0, 7, each), INTEGER, drawn(chance, INTEGER)))
    rows.append((Path(3, 0, 9), INTEGER, drawn(chance, INTEGER)))
    wanted = [[str(path), NAMES[type], text] for path, type, text in rows]
    question = "decode TLV /3/0 " + tlv.encode_tlv(rows, Path(3, 0)).hex()
    leshan.ask("TLV, Leshan reads", question, lambda answer: None if sorted(json.loads(answer)) == sorted(wanted) else
               f"{wanted} expected")  # fmt: skip
