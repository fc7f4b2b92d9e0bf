"""The TLV format of LwM2M 1.0 (OMA-TS-LightweightM2M-V1_0_2 section 6.4.3), both directions.

    >>> encode_tlv([(Path(3303, 0, 5700), FLOAT, "21.5")], Path(3303, 0))
    b'\\xe8\\x16D\\x08@5\\x80\\x00\\x00\\x00\\x00\\x00'
    >>> decode_tlv(b"\\xe1\\x16\\xda\\x01", Path(3306, 0))
    [(Path(/3306/0/5850), 5, '1')]

Paths with a fourth id are instances of a multiple resource. Nesting is two levels deep, so nothing recurses. A node does
without this file: no module takes TLV from it, and what a server writes is taken apart in values.py.
"""

import struct

from micropython import const

from .registry import lookup
from .unpack import shortest
from .values import BOOLEAN, FLOAT, INTEGER, OBJLNK, OPAQUE, TIME, Path
from .values import binary_value, from_wire, items, to_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

    from .values import Value

_TLV_RESOURCE = const(0xC0)
_INSTANCE = const(0x00)
_RESOURCE_INSTANCE = const(0x40)
_MULTIPLE = const(0x80)


def item(kind: int, id: int, body: bytes) -> bytes:
    """One TLV: type byte, identifier of 8 or 16 bits, length, value."""
    head = kind | (0x20 if id > 255 else 0)
    number = struct.pack(">H", id) if id > 255 else bytes([id])
    size = len(body)
    if size < 8:
        return bytes([head | size]) + number + body
    length = struct.pack(">I", size).lstrip(b"\x00")
    return bytes([head | len(length) << 3]) + number + length + body


def binary(type: int, value: "str | bytes") -> bytes:
    """The TLV value of a text; a float gets eight bytes, as exact as the floats of the interpreter. ValueError."""
    plain = from_wire(type, value)
    if type == BOOLEAN:
        return b"\x01" if plain else b"\x00"
    if type == OBJLNK:
        first, _, second = str(plain).partition(":")
        return struct.pack(">HH", int(first), int(second))
    if type == INTEGER or type == TIME:
        number = int(plain)
        for size in (1, 2, 4):
            if -(1 << 8 * size - 1) <= number < 1 << 8 * size - 1:
                return (number & (1 << 8 * size) - 1).to_bytes(size, "big")
        return struct.pack(">q", number)
    if type == FLOAT:
        return struct.pack(">d", plain)
    return plain if isinstance(plain, bytes) else str(plain).encode()


def encode_tlv(values: "Sequence[Value]", path: "Path | None" = None) -> bytes:
    """Values as the payload of a request on path: instance TLVs for an object, else resource TLVs. ValueError."""
    if path is None or path.instance is not None:
        return _resources(values)
    out = b""
    for instance in sorted(set([value[0].instance or 0 for value in values])):
        out += item(_INSTANCE, instance, _resources([value for value in values if value[0].instance == instance]))
    return out


def _resources(values: "Sequence[Value]") -> bytes:
    out, inner = b"", b""
    for at in range(len(values)):
        path, type, value = values[at]
        if len(path.ids) == 3:
            out += item(_TLV_RESOURCE, path.resource or 0, binary(type, value))
            continue
        inner += item(_RESOURCE_INSTANCE, path.ids[-1] or 0, binary(type, value))
        if at + 1 == len(values) or values[at + 1][0].ids[:3] != path.ids[:3] or len(values[at + 1][0].ids) == 3:
            out, inner = out + item(_MULTIPLE, path.resource or 0, inner), b""
    return out


def decode_tlv(data: bytes, path: Path) -> "list[Value]":
    """The values in a payload on path, typed by the registry (OPAQUE if it knows none). ValueError if malformed."""
    out: "list[Value]" = []
    for kind, id, body in items(data):
        if kind == _INSTANCE:
            for inner_kind, inner_id, inner in items(body):
                _take(out, path.object, id, inner_id, inner_kind, inner)
        else:
            _take(out, path.object, path.instance or 0, id, kind, body)
    return out


def _take(out: "list[Value]", object_id: int, instance: int, id: int, kind: int, body: bytes) -> None:
    known = lookup(object_id, id)
    type = known[0] if known else OPAQUE
    if kind == _MULTIPLE:
        for inner_kind, one, inner in items(body):
            if inner_kind != _RESOURCE_INSTANCE:
                raise ValueError("instances of a resource were expected, not a TLV of kind {}".format(inner_kind >> 6))
            out.append((Path(object_id, instance, id, one), type, _text(type, inner)))
    elif kind == _TLV_RESOURCE:
        out.append((Path(object_id, instance, id), type, _text(type, body)))
    else:
        raise ValueError("a TLV of kind {} does not belong here".format(kind >> 6))


def _text(type: int, body: bytes) -> "str | bytes":
    value = binary_value(type, body)
    return shortest(value) if isinstance(value, float) else to_wire(type, value)
