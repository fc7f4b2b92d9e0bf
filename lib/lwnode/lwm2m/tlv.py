"""The TLV format of LwM2M 1.0 (OMA-TS-LightweightM2M-V1_0_2 section 6.4.3), both directions.

    >>> encode_tlv([(Path(3303, 0, 5700), FLOAT, "21.5")], Path(3303, 0))
    b'\\xe8\\x16D\\x08@5\\x80\\x00\\x00\\x00\\x00\\x00'
    >>> decode_tlv(b"\\xe1\\x16\\xda\\x01", Path(3306, 0))
    [(Path(/3306/0/5850), 5, '1')]

Several values of one path are a multiple resource. Nesting is two levels deep, so nothing recurses.
"""

import struct

from micropython import const

from . import codec, decode
from .model import BOOLEAN, FLOAT, INTEGER, OBJLNK, OPAQUE, STRING, TIME, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Sequence

    from .model import Value

_INSTANCE = const(0x00)
_RESOURCE_INSTANCE = const(0x40)
_MULTIPLE = const(0x80)
_RESOURCE = const(0xC0)


def item(kind: int, id: int, body: bytes) -> bytes:
    """One TLV: type byte, identifier of 8 or 16 bits, length, value."""
    head = kind | (0x20 if id > 255 else 0)
    number = struct.pack(">H", id) if id > 255 else bytes([id])
    size = len(body)
    if size < 8:
        return bytes([head | size]) + number + body
    length = struct.pack(">I", size).lstrip(b"\x00")
    return bytes([head | len(length) << 3]) + number + length + body


def items(data: bytes) -> "Iterator[tuple[int, int, bytes]]":
    """(kind, id, value) of each TLV in turn; ValueError where lengths do not fit."""
    at = 0
    while at < len(data):
        kind, id, start, end = _bounds(data, at)
        yield kind, id, data[start:end]
        at = end


def first(data: bytes, at: int) -> "tuple[bytes, int]":
    """(the whole TLV that begins at a byte, where the next begins)."""
    if at >= len(data):
        raise ValueError("TLV cut off at byte {}".format(at))
    end = _bounds(data, at)[3]
    return data[at:end], end


def _bounds(data: bytes, at: int) -> "tuple[int, int, int, int]":
    head = data[at]
    wide = 2 if head & 0x20 else 1
    length_size = head >> 3 & 3
    start = at + 1 + wide + length_size
    if start > len(data):
        raise ValueError("TLV cut off at byte {}".format(at))
    id = int.from_bytes(data[at + 1 : at + 1 + wide], "big")
    size = int.from_bytes(data[at + 1 + wide : start], "big") if length_size else head & 7
    if start + size > len(data):
        raise ValueError("TLV of {} bytes runs past the end".format(size))
    return head & 0xC0, id, start, start + size


def unwrap(data: bytes, resource: int) -> "bytes | None":
    """The value inside, if data is exactly one TLV record of that resource; else None."""
    try:
        found = list(items(data))
    except ValueError:
        return None
    if len(found) == 1 and found[0][0] == _RESOURCE and found[0][1] == resource:
        return found[0][2]
    return None


def split(data: bytes) -> "list[tuple[int, bytes]]":
    """(resource id, value) of each resource TLV in an instance's payload; ValueError for anything else."""
    out = []
    for kind, id, body in items(data):
        if kind != _RESOURCE:
            raise ValueError("single resources were expected, not a TLV of kind {}".format(kind >> 6))
        out.append((id, body))
    if not out:
        raise ValueError("no resource in the payload")
    return out


def binary(type: int, value: "str | bytes") -> bytes:
    """The TLV value of a text; a float gets the eight bytes of IEEE 754 double, whatever the board's floats."""
    if type == OPAQUE or type == STRING or isinstance(value, bytes):
        return value.encode() if isinstance(value, str) else value
    if type == BOOLEAN:
        return b"\x01" if value == "1" else b"\x00"
    if type == OBJLNK:
        first, _, second = value.partition(":")
        return struct.pack(">HH", int(first), int(second))
    if type == INTEGER or type == TIME:
        number = int(value)
        for size in (1, 2, 4):
            if -(1 << 8 * size - 1) <= number < 1 << 8 * size - 1:
                return (number & (1 << 8 * size) - 1).to_bytes(size, "big")
        return (number & (1 << 64) - 1).to_bytes(8, "big")
    if type == FLOAT:
        return double(value)
    raise ValueError("type {} has no value".format(type))


def double(text: str) -> bytes:
    """Decimal text as an IEEE 754 double by integer arithmetic: exact where floats have 32 bits."""
    whole, _, fraction = text.lstrip("-").partition(".")
    number = int(whole + fraction)
    sign = 0x80 if text[0] == "-" else 0
    if number == 0:
        return bytes([sign]) + bytes(7)
    scale: int = 10 ** len(fraction)
    shift = 0
    while number >> 54 >= scale:
        scale <<= 1
        shift += 1
    while number < scale << 53:
        number <<= 1
        shift -= 1
    mantissa, rest = divmod(number, scale)  # 54 bits, the last one a guard
    mantissa = (mantissa >> 1) + (1 if mantissa & 1 and (rest or mantissa & 2) else 0)
    exponent = shift + 1 + 52 + 1023
    if mantissa >> 53:
        mantissa >>= 1
        exponent += 1
    if exponent > 2046:
        raise ValueError("{} is out of a double's range".format(text))
    if exponent < 1:
        return bytes([sign]) + bytes(7)
    bits = exponent << 52 | mantissa & (1 << 52) - 1
    data = bits.to_bytes(8, "big")
    return bytes([data[0] | sign]) + data[1:]


def encode_tlv(values: "Sequence[Value]", path: "Path | None" = None) -> bytes:
    """Values as the payload of a request on path: instance TLVs for an object, else resource TLVs."""
    if path is None or path.instance is not None:
        return _resources(values)
    out = b""
    for instance in sorted(set([value[0].instance or 0 for value in values])):
        own = [value for value in values if value[0].instance == instance]
        out += item(_INSTANCE, instance, _resources(own))
    return out


def _resources(values: "Sequence[Value]") -> bytes:
    out = b""
    at = 0
    while at < len(values):
        path, type, value = values[at]
        end = at + 1
        while end < len(values) and values[end][0] == path:
            end += 1
        id = path.resource or 0
        if end == at + 1:
            out += item(_RESOURCE, id, binary(type, value))
        else:
            inner = b""
            for index in range(at, end):
                inner += item(_RESOURCE_INSTANCE, index - at, binary(type, values[index][2]))
            out += item(_MULTIPLE, id, inner)
        at = end
    return out


def decode_tlv(data: bytes, path: Path) -> "list[Value]":
    """The values in a payload on path, typed by the registry (OPAQUE if it knows none). ValueError if malformed."""
    out: "list[Value]" = []
    instance = 0 if path.instance is None else path.instance
    for kind, id, body in items(data):
        if kind == _INSTANCE:
            for inner_kind, inner_id, inner in items(body):
                _take(out, Path(path.object, id, inner_id), inner_kind, inner)
        else:
            _take(out, Path(path.object, instance, id), kind, body)
    return out


def _take(out: "list[Value]", path: Path, kind: int, body: bytes) -> None:
    from . import registry

    known = registry.lookup(path.object, path.resource or 0)
    type = known[0] if known else OPAQUE
    if kind == _MULTIPLE:
        for _kind, _id, inner in items(body):
            out.append((path, type, _text(type, inner)))
    elif kind == _RESOURCE:
        out.append((path, type, _text(type, body)))
    else:
        raise ValueError("a TLV of kind {} does not belong here".format(kind >> 6))


def _text(type: int, body: bytes) -> "str | bytes":
    value = decode.binary_value(type, body)
    if isinstance(value, float):
        return decode.shortest(value)
    return codec.to_wire(type, value)
