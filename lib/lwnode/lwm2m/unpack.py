"""SenML CBOR packs read: commands of a server, and readings in the decoder of the host.

    >>> unpack_senml(bytes.fromhex("81a3216c2f333330332f302f35373030221a6ab13b8002c4822018d7"))
    [(Path(/3303/0/5700), 4, '21.5', 1790000000)]

ValueError with a sentence for whatever is no pack; floats of all sizes, base names, base times and tags are understood.
"""

from micropython import const

from . import cbor
from .model import BOOLEAN, FLOAT, INTEGER, OPAQUE, STRING, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import Record

# RFC 8428 table 4; LwM2M's vlo has no number (OMA LwM2M TS core 7.4.4).
_BASE_NAME = const(-2)
_BASE_TIME = const(-3)
_BASE_VALUE = const(-5)
_NAME = const(0)
_VALUE = const(2)
_TEXT = const(3)
_BOOLEAN = const(4)
_TIME = const(6)
_DATA = const(8)
_LINK = "vlo"


def entries(data: bytes) -> "list[tuple[str, object, int | None]]":
    """(full name, value or None, Unix seconds or None) of each record in a pack; ValueError if it is none."""
    pack = cbor.decode(data)
    if not isinstance(pack, list):
        raise ValueError("a SenML pack is an array of records")
    out: "list[tuple[str, object, int | None]]" = []
    name: str = ""
    base: "object" = 0
    base_value: "object" = None
    for record in pack:
        if not isinstance(record, dict):
            raise ValueError("a SenML record is a map")
        if _BASE_NAME in record:
            name = str(record[_BASE_NAME])
        base = record.get(_BASE_TIME, base)
        if _BASE_VALUE in record:
            base_value = record[_BASE_VALUE]
        value = None
        for key in (_VALUE, _TEXT, _BOOLEAN, _DATA, _LINK):
            if key in record:
                value = record[key]
        if base_value is not None and not isinstance(value, (bool, str, bytes)):
            raise ValueError("a base value is not supported: send v in full")
        seconds = _whole(base) + _whole(record.get(_TIME, 0))
        # RFC 8428 section 4.5.3: below 2**28 a time is relative to now.
        out.append((name + str(record.get(_NAME, "")), value, seconds if seconds >= 1 << 28 else None))
    return out


def _whole(value: "object") -> int:
    if isinstance(value, cbor.Fraction):
        return int(str(value).partition(".")[0])
    if isinstance(value, (int, float)):
        return int(value)
    raise ValueError("a time is a number")


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
    from . import registry
    from .decode import from_wire, shortest

    known = registry.lookup(path.object, path.resource) if path.resource is not None else None
    type: int
    text: "str | bytes"
    if isinstance(value, bool):
        type, text = BOOLEAN, "1" if value else "0"
    elif isinstance(value, (int, cbor.Fraction)):
        type, text = (INTEGER if isinstance(value, int) else FLOAT), str(value)
    elif isinstance(value, float):
        type, text = FLOAT, shortest(value)
    elif isinstance(value, bytes):
        type, text = OPAQUE, value
    elif isinstance(value, str):
        type, text = STRING, value
    else:
        raise ValueError("{} has no value".format(path))
    if known is None or known[0] == type:
        return type, text
    if (known[0] == OPAQUE) != (type == OPAQUE):
        raise ValueError("{} has another type".format(path))
    from_wire(known[0], text)
    return known[0], text
