"""SenML CBOR packs as anybody may write them (RFC 8428): commands of a server, and for other programs a node's own packs.

    >>> from lwnode.lwm2m import pack_senml
    >>> records = [(Path(3303, 0, 5700), FLOAT, "21.5", 1790000000), (Path(3303, 0, 5700), FLOAT, "21.7", 1790000060)]
    >>> unpack_senml(pack_senml(records, 512)[0]) == records
    True

Floats of all sizes, base names, base times and tags are read; what RFC 8428 wants refused is refused with a ValueError. A node
that takes no commands does without this file.
"""

import math

from micropython import const

from .registry import lookup
from .senml import decode
from .values import BOOLEAN, FLOAT, INTEGER, OPAQUE, STRING, Path, from_wire, place_point, significant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .values import Record

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


def _seconds(value: "Any") -> int:
    if isinstance(value, tuple):
        return int(place_point(value[0], -value[1]).partition(".")[0])
    if isinstance(value, (int, float)) and math.isfinite(value):
        return int(value)
    raise ValueError("a time is a number of seconds")


def unpack_senml(data: bytes) -> "list[Record]":
    """The records of a pack, typed by the registry, else by what they hold; ValueError if it is none."""
    out: "list[Record]" = []
    for name, value, when in entries(data):
        path = Path.parse(name)
        out.append((path,) + plain(path, value) + (when,))
    return out


def shortest(value: float) -> str:
    """The shortest plain text that reads back as the same float on this interpreter; ValueError for inf and nan."""
    text = ""
    for digits in (6, 7, 8, 9, 12, 15, 16, 17):
        text = significant(value, digits)
        if float(text) == value:
            break
    return text


def plain(path: Path, value: "Any") -> "tuple[int, str | bytes]":
    """(type, text or bytes) of a SenML value at a path; ValueError if the value is not of the resource's type."""
    known = lookup(path.object, path.resource) if path.resource is not None else None
    type, text = STRING, value
    if isinstance(value, bool):
        type, text = BOOLEAN, "1" if value else "0"
    elif isinstance(value, int):
        type, text = INTEGER, str(value)
    elif isinstance(value, tuple):
        type, text = FLOAT, place_point(value[0], -value[1])
    elif isinstance(value, float):
        type, text = FLOAT, shortest(value)
    elif isinstance(value, bytes):
        type = OPAQUE
    elif not isinstance(value, str):
        raise ValueError("%s has no value" % path)
    wanted = type if known is None else known[0]
    if (wanted == OPAQUE) != (type == OPAQUE):
        raise ValueError("%s has another type" % path)
    from_wire(wanted, text)
    return wanted, text
