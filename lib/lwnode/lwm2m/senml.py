"""Readings with their times, and commands, as SenML CBOR (RFC 8428): the payload of object 19 on every contract.

    >>> records = [(Path(3303, 0, 5700), FLOAT, "21.5", 1790000000), (Path(3303, 0, 5700), FLOAT, "21.7", 1790000060)]
    >>> data, used = pack_senml(records, 512)       # as many records as fit, from the first on
    >>> len(data), used, unpack_senml(data) == records
    (38, 2, True)

Records of one path share a base name, all share a base time; records without time come first, where no base time holds yet
(time 0: not known), and a pack ends before one that would so overtake another of its path. Numbers are integers or decimal
fractions, exactly as their text. Read are packs of anybody: floats of all sizes, base names, base times and tags; what RFC
8428 wants refused is refused with a ValueError.
"""

import math

from micropython import const

from .cbor import Fraction, decode, encode, head
from .registry import lookup
from .types import BOOLEAN, FLOAT, INTEGER, OBJLNK, OPAQUE, STRING, Path
from .values import from_wire, shortest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

    from .types import Record

# RFC 8428 table 4; LwM2M's vlo has no number (OMA LwM2M TS core 7.4.4).
_BASE_VERSION = const(-1)
_BASE_NAME = const(-2)
_BASE_TIME = const(-3)
_BASE_VALUE = const(-5)
_NAME = const(0)
_VALUE = const(2)
_TEXT = const(3)
_BOOLEAN = const(4)
_TIME = const(6)
_DATA = const(8)
_LINK = const("vlo")
_VERSION = const(10)
_MAJOR_ARRAY = const(4)
_MAJOR_MAP = const(5)
# Labels as they travel.
_AS_BASE_NAME, _AS_BASE_TIME, _AS_TIME = b"\x21", b"\x22", b"\x06"


def pack_senml(readings: "Sequence[Record]", limit: int) -> "tuple[bytes, int]":
    """(payload of at most limit bytes, count of records in it, from the first on). (b"", 0) if not one fits.

    Records of one path stay in their order.
    """
    base = 0
    for record in readings:
        if record[3] is not None and not 0 < base <= record[3]:
            base = record[3]
    groups: "list[tuple[Path, bool, list[bytes]]]" = []
    size, count, timed = 1, 0, False
    for record in readings:
        path, when = record[0], record[3]
        group, late = None, False
        for known, with_time, bodies in groups:
            if known == path:
                if with_time == (when is not None):
                    group = bodies
                elif with_time:
                    late = True  # without time, but after one with: it would come before that
        body = _value(record[1], record[2])
        if when is not None and when != base:
            body = _AS_TIME + encode(when - base) + body
        grown = size + 1 + len(body)
        if group is None:
            grown += 1 + len(encode(str(path)))
        if when is not None and not timed:
            grown += 1 + len(encode(base))
        if late or grown + (1 if count == 23 else 2 if count == 255 else 0) > limit:
            break
        if group is None:
            group = []
            groups.append((path, when is not None, group))
        timed = timed or when is not None
        group.append(body)
        count += 1
        size = grown + (1 if count == 24 else 2 if count == 256 else 0)
    return (_assemble(groups, count, base), count) if count else (b"", 0)


def _value(type: int, value: "str | bytes") -> bytes:
    """The label and value of a record; numbers as a CBOR integer or decimal fraction."""
    if type == BOOLEAN:
        return b"\x04" + encode(value == "1")
    if type == OPAQUE or type == STRING or type == OBJLNK or isinstance(value, bytes):
        return (b"\x08" if type == OPAQUE else b"\x63vlo" if type == OBJLNK else b"\x03") + encode(value)
    whole, point, fraction = value.partition(".")
    return b"\x02" + encode(Fraction(int(whole + fraction), -len(fraction)) if point else int(whole))


def _assemble(items: "list[tuple[Path, bool, list[bytes]]]", count: int, base: int) -> bytes:
    out = head(_MAJOR_ARRAY, count)
    base_time = _AS_BASE_TIME + encode(base)
    for with_time in (False, True):
        for path, group_timed, bodies in items:
            extra = _AS_BASE_NAME + encode(str(path))
            for body in bodies if group_timed == with_time else ():
                fields = 1 + (body[:1] == _AS_TIME) + (extra != b"")
                if with_time and base_time:
                    fields, extra, base_time = fields + 1, extra + base_time, b""
                out += head(_MAJOR_MAP, fields) + extra + body
                extra = b""
    return out


def entries(data: bytes) -> "list[tuple[str, object, int | None]]":
    """(full name, value or None, Unix seconds or None) of each record in a pack; ValueError if it is none."""
    pack = decode(data)
    if not isinstance(pack, list):
        raise ValueError("a SenML pack is an array of records")
    out: "list[tuple[str, object, int | None]]" = []
    base_name, base_time = "", 0
    for record in pack:
        if not isinstance(record, dict):
            raise ValueError("a SenML record is a map")
        # RFC 8428 section 4.4: a newer version and a field that "must be understood" are refused, not guessed at.
        version = record.get(_BASE_VERSION, _VERSION)
        if not isinstance(version, int) or version > _VERSION:
            raise ValueError("SenML of version %s; %s is the newest known here" % (version, _VERSION))
        for label in record:
            if label == _BASE_VALUE or (isinstance(label, str) and label[-1:] == "_"):
                raise ValueError("the SenML field %s is not known here" % label)
        base_name = record.get(_BASE_NAME, base_name)
        base_time = _seconds(record[_BASE_TIME]) if _BASE_TIME in record else base_time
        name = record.get(_NAME, "")
        if not isinstance(name, str) or not isinstance(base_name, str):
            raise ValueError("a SenML name is text")
        value = None
        for key in (_VALUE, _TEXT, _BOOLEAN, _DATA, _LINK):
            value = record.get(key, value)
        seconds = base_time + _seconds(record.get(_TIME, 0))
        # RFC 8428 section 4.5.3: below 2**28 a time is relative to now.
        out.append((base_name + name, value, seconds if seconds >= 1 << 28 else None))
    return out


def _seconds(value: "object") -> int:
    if isinstance(value, Fraction):
        return int(str(value).partition(".")[0])
    if isinstance(value, (int, float)) and math.isfinite(value):
        return int(value)
    raise ValueError("a time is a number of seconds")


def unpack_senml(data: bytes) -> "list[Record]":
    """The records of a pack, typed by the registry, else by what they hold; ValueError if it is none."""
    out: "list[Record]" = []
    for name, value, when in entries(data):
        path = Path.parse(name)
        type, text = plain(path, value)
        out.append((path, type, text, when))
    return out


def plain(path: Path, value: "object") -> "tuple[int, str | bytes]":
    """(type, text or bytes) of a SenML value at a path; ValueError if the value is not of the resource's type."""
    known = lookup(path.object, path.resource) if path.resource is not None else None
    type: int
    text: "str | bytes"
    if isinstance(value, bool):
        type, text = BOOLEAN, "1" if value else "0"
    elif isinstance(value, (int, Fraction)):
        type, text = (INTEGER if isinstance(value, int) else FLOAT), str(value)
    elif isinstance(value, float):
        type, text = FLOAT, shortest(value)
    elif isinstance(value, bytes):
        type, text = OPAQUE, value
    elif isinstance(value, str):
        type, text = STRING, value
    else:
        raise ValueError("%s has no value" % path)
    wanted = type if known is None else known[0]
    if (wanted == OPAQUE) != (type == OPAQUE):
        raise ValueError("%s has another type" % path)
    from_wire(wanted, text)
    return wanted, text
