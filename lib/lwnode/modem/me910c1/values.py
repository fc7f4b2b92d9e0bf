"""ME910C1: a record as a command line, and the registry's word on who may write what.

    3303/0/5700 FLOAT "21.5"       AT#LWM2MSET=1,3303,0,5700,0,21.5      read-only to the server: SET (3.1.9)
    3306/0/5850 BOOLEAN "1"        AT#LWM2MW=0,3306,0,5850,0,1           the server may write it: W (3.1.7)
    3/0/9 INTEGER "87"             AT#LWM2MSET=0,3,0,9,0,87              the whitelist of 3.1.9

Refused with a ValueError before anything is sent: objects 0, 1, 2 and 5, integers beyond 32 bits, text that is no number,
lines of more than 400 characters.
"""

from binascii import crc32, hexlify, unhexlify

from lwnode.at import Raw
from lwnode.at.fields import parameter
from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, OBJLNK, OPAQUE, STRING, TIME, registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CLOSED = (0, 1, 2, 5)  # 3.1.5 to 3.1.7
_LINE = 400  # 2.2.2
TYPES = {INTEGER: 0, BOOLEAN: 0, TIME: 0, FLOAT: 1, STRING: 2, OBJLNK: 2, OPAQUE: 3}  # 3.1.9


def operations(ids: "tuple[Any, ...]") -> str:
    """What the server may do with a resource; of objects that the registry lacks, everything."""
    if ids[0] == 3:
        return "R" if ids[2] not in (13, 14, 15) else "RW"
    row = registry.lookup(ids[0], ids[2])
    return "RW" if row is None else row[1]


def resource_of(path: "Any") -> "tuple[int, int, int]":
    """Its three ids; ValueError for what is no resource, or closed to the host."""
    if path.resource is None:
        raise ValueError("%s: expected a resource, the module takes single values (3.1.9)" % path)
    if path.object in CLOSED:
        raise ValueError("%s: objects 0, 1, 2 and 5 are closed to the host (3.1.7)" % path)
    ids: "tuple[int, int, int]" = path.ids
    return ids


def wire_lines(records: "Any") -> "list[tuple[Any, ...]]":
    """(ids, text, command name, parameters) of each record."""
    lines = []
    for record in records:
        path, kind, value = record[:3]
        resource_of(path)
        text, last = _wire(path, kind, value)
        place: tuple[Any, ...] = path.ids + (0, last)
        if "W" in operations(path.ids):
            name, values = "#LWM2MW", (0,) + place
        else:
            name, values = "#LWM2MSET", (TYPES[kind],) + place
        length = 3 + len(name) + sum([1 + len(parameter(each)) for each in values]) - 1
        if length > _LINE:
            raise ValueError("%s: expected a line of at most %d characters (2.2.2), found %d" % (path, _LINE, length))
        lines.append((path.ids, text, name, values))
    return lines


def _wire(path: "Any", kind: int, value: "Any") -> "tuple[str, Any]":
    """(text by which the value is known, parameter as it is sent)."""
    if kind == OPAQUE:
        data = value.encode() if isinstance(value, str) else bytes(value)
        return hexlify(data).decode().upper(), data
    text = value if isinstance(value, str) else bytes(value).decode()
    if kind in (STRING, OBJLNK):
        text = "".join([" " if ord(c) < 32 else "'" if c in '"\\' else c for c in text])
        return text, text
    _check_number(path, kind, text)
    return text, Raw(text)


def _check_number(path: "Any", kind: int, text: str) -> None:
    body = text[1:] if text[:1] == "-" else text
    if kind == FLOAT:
        whole, _, body = body.partition(".")
        body = whole + body
    if not body.isdigit() or (kind == BOOLEAN and text not in ("0", "1")):
        raise ValueError("%s: expected a plain decimal number (3.1.9), found %s" % (path, text))
    if kind != FLOAT and (len(body) > 10 or not -2147483648 <= int(text) <= 2147483647):
        raise ValueError("%s: expected -2147483648 to 2147483647 (3.1.9), found %s" % (path, text))


def _type(ids: "tuple[Any, ...]") -> int:
    row = registry.lookup(ids[0], ids[2])
    return STRING if row is None else row[0]


def quoted(ids: "tuple[Any, ...]", text: str) -> "Any":
    """The module's own text as a parameter: numbers and digits bare."""
    return text if _type(ids) in (STRING, OBJLNK) else Raw(text)


def raw(ids: "tuple[Any, ...]", text: str) -> bytes:
    """The module's text as the bytes of a request."""
    if _type(ids) == OPAQUE:
        try:
            return bytes(unhexlify(text))
        except ValueError:
            pass
    return text.encode()


def rewritten(text: str, values: "Any") -> "tuple[str, Any]":
    """A pack of definite length as one of indefinite length, or back (RFC 8949, 3.2.2): other bytes, the same readings."""
    data = bytes(values[-1])
    if data[:1] < b"\x80" or data[:1] > b"\x98":
        return text, values
    data = b"\x9f" + data[2 if data[:1] == b"\x98" else 1:] + b"\xff"
    return hexlify(data).decode().upper(), values[:-1] + (data,)


def ids_of(uri: str) -> "tuple[Any, ...] | None":
    """"/3303/0/5700/0" -> (3303, 0, 5700); None for what is no path of a resource."""
    parts = uri.strip('"/ ').split("/")
    try:
        ids = tuple([int(part) for part in parts[:3]])
    except ValueError:
        return None
    return ids if len(ids) == 3 and min(ids) >= 0 and max(ids) <= 65535 else None


def mark_of(text: str) -> int:
    """Checksum of a value that does not care for the zeros a module may add: 21.5, 21.50 and 21.500000 are one."""
    body = text[1:] if text[:1] == "-" else text
    whole, point, fraction = body.partition(".")
    if point and (whole + fraction).isdigit():
        text = text.rstrip("0").rstrip(".")
        text = "0" if text in ("-0", "") else text
    return int(crc32(text.encode()))


def main_resource(object_id: int) -> int:
    """The resource that an object is about: its first mandatory one, such as 3303/5700 and 3306/5850."""
    needed = registry.resources(object_id, mandatory=True)
    return needed[0] if needed else -1


def writable(objects: "Any") -> "list[tuple[int, int, int]]":
    """Resources that the server may write."""
    return [
        (object_id, instance, resource)
        for object_id, instance, resources in objects
        for resource in resources
        if object_id not in CLOSED and "W" in operations((object_id, instance, resource))
    ]
