"""Readings with their times as SenML CBOR (RFC 8428): the payload of object 19 on every contract; and CBOR for what sleeps.

    >>> records = [(Path(3303, 0, 5700), FLOAT, "21.5", 1790000000), (Path(3303, 0, 5700), FLOAT, "21.7", 1790000060)]
    >>> data, used = pack_senml(records, 512)       # as many records as fit, from the first on
    >>> len(data), used
    (38, 2)
    >>> encode([1, "a", None, True]), decode(b"\\xc4\\x82\\x20\\x18\\xd7")      # of a decimal fraction number and exponent
    (b'\\x84\\x01aa\\xf6\\xf5', (215, -1))

Records of one path share a base name, all share a base time; records without time come first, where no base time holds yet
(time 0: not known), and a pack ends before one that would so overtake another of its path. Numbers are integers or decimal
fractions (tag 4), exactly as their text: no board's floats touch them. Whatever is no CBOR (RFC 8949) is refused with a
ValueError; tags that only say what is meant (a time, an address) are skipped, those that change a number are refused by their
number. Bounds: 8 levels of nesting, decoded without recursion; integers of 64 bits. Packs are read in unpack.py.
"""

import struct

from micropython import const

from .values import BOOLEAN, OBJLNK, OPAQUE, STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Sequence

    from .values import Record

_LEVELS = const(8)
_FRACTION = const(4)
_NUMBERS = const((2, 3, 5, 30))  # tags that are numbers unknown here: bignums, bigfloat, rational (RFC 8949 section 3.4)


def head(kind: int, number: int) -> bytes:
    """The first bytes of an item: major type 0 to 7 and its argument. ValueError beyond 64 bits."""
    kind <<= 5
    if number < 24:
        return bytes([kind | number])
    if number < 256:
        return bytes([kind | 24, number])
    if number < 65536:
        return struct.pack(">BH", kind | 25, number)
    if number < 1 << 32:
        return struct.pack(">BI", kind | 26, number)
    if number >> 64:
        raise ValueError("an integer of more than 64 bits")
    return bytes([kind | 27]) + number.to_bytes(8, "big")


def encode(value: "object") -> bytes:
    """None, bool, int, float, text, bytes, list, tuple or dict as CBOR; ValueError for anything else."""
    out = bytearray()
    waiting: "list[Any]" = [value]  # last comes next: no frame for each level, the stack is deep where a tree is written
    while waiting:
        value = waiting.pop()
        data: "Any" = b""
        if value is None or value is True or value is False:
            kind, number = 7, 22 if value is None else 21 if value else 20
        elif isinstance(value, int):
            kind, number = (0, value) if value >= 0 else (1, -1 - value)
        elif isinstance(value, (str, bytes, bytearray)):
            data = value.encode() if isinstance(value, str) else value
            kind, number = 3 if isinstance(value, str) else 2, len(data)
        elif isinstance(value, (list, tuple)):
            kind, number = 4, len(value)
            waiting += list(value)[::-1]
        elif isinstance(value, dict):
            kind, number = 5, len(value)
            for key in value:
                waiting += (value[key], key)
        elif isinstance(value, float):
            single = struct.pack(">f", value) if -3e38 < value < 3e38 else b""
            exact = single and struct.unpack(">f", single)[0] == value
            out += b"\xfa" + single if exact else b"\xfb" + struct.pack(">d", value)
            continue
        else:
            raise ValueError("no CBOR for %s" % type(value))
        if number < 24:
            out.append(kind << 5 | number)
        else:
            out += head(kind, number)
        out += data
    return bytes(out)


def decode(data: bytes) -> "Any":
    """The one item in data; ValueError if it is malformed, cut off, nested too deep, or followed by more."""
    data, at = bytes(data), 0
    open_items: "list[list[Any]]" = [[4, 1, []]]  # [major type, items still to come (below 0: until a break), items]
    while True:
        first, top = at, open_items[-1]
        major, number, at = _argument(data, at)
        if major == 6 and number != _FRACTION:
            if number in _NUMBERS:
                raise ValueError("CBOR tag %s at byte %s is a number not known here" % (number, first))
            continue  # what it says of the next item needs nobody here
        if major == 7 and number < 0:
            if top[1] >= 0:
                raise ValueError("CBOR malformed, too deep or cut off at byte %s" % first)
            top[1] = 0
        elif 4 <= major <= 6:
            if len(open_items) > _LEVELS or number > 2 * len(data):
                raise ValueError("CBOR malformed, too deep or cut off at byte %s" % first)
            open_items.append([major, 1 if major == 6 else number * 2 if major == 5 and number > 0 else number, []])
        else:
            start, at = at, at + (number if major == 2 or major == 3 else 0)
            top[2].append(-1 - number if major == 1 else number if not major else _scalar(data, major, first, start, at))
            top[1] -= 1
        while not open_items[-1][1]:
            major, _, found = open_items.pop()
            if not open_items:
                if at != len(data):
                    raise ValueError("CBOR malformed, too deep or cut off at byte %s" % at)
                return found[0]
            top = open_items[-1]
            top[2].append(found if major == 4 else _finished(major, found, at))
            top[1] -= 1


def _argument(data: bytes, at: int) -> "tuple[int, int, int]":
    """(major type, argument, next); argument -1 stands for indefinite length and for a break."""
    if at < len(data):
        major, low, at = data[at] >> 5, data[at] & 31, at + 1
        if low < 24:
            return major, low, at
        if low == 31 and major > 3 and major != 6:
            return major, -1, at
        end = at + (1 << (low & 3))
        if low < 28 and end <= len(data):
            return major, int.from_bytes(data[at:end], "big"), end
    raise ValueError("CBOR malformed, too deep or cut off at byte %s" % at)


def _scalar(data: bytes, major: int, first: int, start: int, at: int) -> "str | bytes | float | bool | None":
    """Bytes, text, a float, a boolean or nothing."""
    if major < 4:
        if at > len(data):
            raise ValueError("CBOR malformed, too deep or cut off at byte %s" % start)
        try:
            return data[start:at] if major == 2 else str(data[start:at], "utf-8")
        except UnicodeError:
            raise ValueError("CBOR text is not UTF-8")
    low, body = data[first] & 31, data[first + 1 : start]
    if low == 25:  # half precision: sign, five bits of exponent, ten of mantissa
        number = body[0] << 8 | body[1]
        exponent, mantissa = number >> 10 & 31, number & 1023
        value = (mantissa | (1024 if exponent else 0)) * 2.0 ** (max(exponent, 1) - 25)
        if exponent == 31:
            value = float("nan") if mantissa else float("inf")
        return -value if number >> 15 else value
    if low == 26 or low == 27:
        return float(struct.unpack(">f" if low == 26 else ">d", body)[0])
    if 20 <= low <= 23:
        return low == 21 if low < 22 else None
    raise ValueError("CBOR malformed, too deep or cut off at byte %s" % first)


def _finished(kind: int, items: "list[Any]", at: int) -> "Any":
    """The map or decimal fraction of its items: each key once, an integer or text; two integers, the exponent -64 to 64."""
    if kind == 5:
        found = {}
        for index in range(0, len(items), 2):
            if index + 1 == len(items) or not isinstance(items[index], (int, str)) or items[index] in found:
                raise ValueError("CBOR malformed, too deep or cut off at byte %s" % at)
            found[items[index]] = items[index + 1]
        return found
    if isinstance(items[0], list) and len(items[0]) == 2:
        exponent, number = items[0]
        if isinstance(exponent, int) and isinstance(number, int) and -64 <= exponent <= 64:
            return number, exponent
    raise ValueError("CBOR malformed, too deep or cut off at byte %s" % at)


def pack_senml(readings: "Sequence[Record]", limit: int) -> "tuple[bytes, int]":
    """(payload of at most limit bytes, count of records in it, from the first on). (b"", 0) if not one fits.

    Records of one path stay in their order.
    """
    base = min([record[3] for record in readings if record[3] is not None] or [0])
    base_time = b"\x22" + encode(base)
    groups: "list[list[Any]]" = []  # of each: path, whether with times, name, its first record, the others
    size, count, timed = 0, 0, False
    for path, type, value, when in readings:
        with_time, body, fields = when is not None, field(type, value), 1
        if when is not None and when != base:
            body, fields = b"\x06" + encode(when - base) + body, 2
        group, late = None, False
        for known in groups:
            if known[0] == path:
                if known[1] == with_time:
                    group = known
                elif known[1]:
                    late = True  # without time, but after one with: it would come before that
        name = b"\x21" + encode(str(path)) if group is None else b""
        grown = size + 1 + len(body) + len(name) + (len(base_time) if with_time and not timed else 0)
        if late or grown + len(head(4, count + 1)) > limit:
            break
        if group is None:
            groups.append([path, with_time, fields, name, body, b""])
        else:
            group[5] += bytes([0xA0 | fields]) + body
        size, count, timed = grown, count + 1, timed or with_time
    out = head(4, count)
    for timed in (False, True):
        for _, with_time, fields, name, body, others in groups:
            if with_time == timed:
                if timed and base_time:
                    fields, name, base_time = fields + 1, name + base_time, b""
                out += bytes([0xA1 + fields]) + name + body + others
    return (out, count) if count else (b"", 0)


def field(type: int, value: "str | bytes") -> bytes:
    """The label and value of a record; numbers as a CBOR integer or decimal fraction."""
    if type == BOOLEAN:
        return b"\x04" + encode(value == "1")
    if type == OPAQUE or type == STRING or type == OBJLNK or isinstance(value, bytes):
        return (b"\x08" if type == OPAQUE else b"\x63vlo" if type == OBJLNK else b"\x03") + encode(value)
    whole, point, fraction = value.partition(".")
    return (b"\x02\xc4\x82" + encode(-len(fraction)) if point else b"\x02") + encode(int(whole + fraction))
