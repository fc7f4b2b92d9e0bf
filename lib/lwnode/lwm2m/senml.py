"""Readings with their times as SenML CBOR (RFC 8428), the payload of object 19 on every contract.

    >>> records = [(Path(3303, 0, 5700), FLOAT, "21.5", 1790000000), (Path(3303, 0, 5700), FLOAT, "21.7", 1790000060)]
    >>> data, used = pack_senml(records, 512)       # as many records as fit, from the first on
    >>> len(data), used
    (38, 2)

Records of one path share a base name, all share a base time; records without time come first, where no base
time holds yet (time 0: not known). Numbers are integers or decimal fractions, exactly as their text.
"""

from micropython import const

from . import cbor
from .model import BOOLEAN, OBJLNK, OPAQUE, STRING, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

    from .model import Record

# RFC 8428 table 4; LwM2M's vlo has no number (OMA LwM2M TS core 7.4.4).
_BASE_NAME = const(-2)
_BASE_TIME = const(-3)
_VALUE = const(2)
_TEXT = const(3)
_BOOLEAN = const(4)
_TIME = const(6)
_DATA = const(8)
_LINK = "vlo"


def pack_senml(records: "Sequence[Record]", limit: int) -> "tuple[bytes, int]":
    """(payload of at most limit bytes, count of records in it, from the first on). (b"", 0) if not one fits."""
    base = 0
    for record in records:
        if record[3] is not None and not 0 < base <= record[3]:
            base = record[3]
    groups: "list[tuple[Path, bool, list[bytes]]]" = []
    size, count, timed = 1, 0, False
    for record in records:
        path, when = record[0], record[3]
        group = _group(groups, path, when is not None)
        body = _fields(record, base)
        grown = size + 1 + len(body)
        if group is None:
            grown += 1 + len(cbor.encode(str(path)))
        if when is not None and not timed:
            grown += len(cbor.encode(_BASE_TIME) + cbor.encode(base))
        if grown + (1 if count == 23 else 2 if count == 255 else 0) > limit:
            break
        if group is None:
            group = []
            groups.append((path, when is not None, group))
        timed = timed or when is not None
        group.append(body)
        count += 1
        size = grown + (1 if count == 24 else 2 if count == 256 else 0)
    return (_assemble(groups, count, base), count) if count else (b"", 0)


def _group(groups: "list[tuple[Path, bool, list[bytes]]]", path: Path, timed: bool) -> "list[bytes] | None":
    for known, with_time, bodies in groups:
        if known == path and with_time == timed:
            return bodies
    return None


def _fields(record: "Record", base: int) -> bytes:
    """The value and time of a record, without its map head."""
    _, type, value, when = record
    out = b""
    if when is not None and when != base:
        out = cbor.encode(_TIME) + cbor.encode(when - base)
    if type == BOOLEAN:
        return out + cbor.encode(_BOOLEAN) + cbor.encode(value == "1")
    if type == OPAQUE:
        return out + cbor.encode(_DATA) + cbor.encode(value)
    if type == STRING or isinstance(value, bytes):
        return out + cbor.encode(_TEXT) + cbor.encode(value)
    if type == OBJLNK:
        return out + cbor.encode(_LINK) + cbor.encode(value)
    return out + cbor.encode(_VALUE) + number(value)


def number(text: str) -> bytes:
    """Decimal text as a CBOR integer or decimal fraction."""
    whole, point, fraction = text.partition(".")
    if not point:
        return cbor.encode(int(text))
    return cbor.encode(cbor.Fraction(int(whole + fraction), -len(fraction)))


def _assemble(groups: "list[tuple[Path, bool, list[bytes]]]", count: int, base: int) -> bytes:
    out = cbor.head(4, count)
    timed = False
    for with_time in (False, True):
        for path, group_timed, bodies in groups:
            if group_timed != with_time:
                continue
            for body in bodies:
                fields, extra = (2, b"") if body[0] == _TIME else (1, b"")
                if body is bodies[0]:
                    fields += 1
                    extra = cbor.encode(_BASE_NAME) + cbor.encode(str(path))
                if with_time and not timed:
                    fields += 1
                    extra += cbor.encode(_BASE_TIME) + cbor.encode(base)
                    timed = True
                out += cbor.head(5, fields) + extra + body
    return out
