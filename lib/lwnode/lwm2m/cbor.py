"""The part of CBOR (RFC 8949) that the mapper uses: integers, text, bytes, arrays, maps, decimal fractions, floats.

    >>> encode([1, "a", None, True])
    b'\\x84\\x01aa\\xf6\\xf5'
    >>> print(decode(b"\\xc4\\x82\\x20\\x18\\xd7"))      # a decimal fraction
    21.5

Numbers travel as decimal fractions (tag 4), so no board's floats touch them. The decoder is a room of its own
(uncbor.py): what goes out needs none.
"""

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Fraction:
    """number * 10**exponent."""

    def __init__(self, number: int, exponent: int) -> None:
        self.number = number
        self.exponent = exponent

    def __str__(self) -> str:
        from .codec import place_point

        return place_point(self.number, -self.exponent)


def head(major: int, number: int) -> bytes:
    """The first bytes of an item: major type 0 to 7 and its argument."""
    major <<= 5
    if number < 24:
        return bytes([major | number])
    if number < 256:
        return bytes([major | 24, number])
    if number < 65536:
        return struct.pack(">BH", major | 25, number)
    if number < 1 << 32:
        return struct.pack(">BI", major | 26, number)
    return bytes([major | 27]) + number.to_bytes(8, "big")


def encode(value: "object") -> bytes:
    """None, bool, int, float, text, bytes, Fraction, list, tuple or dict as CBOR; ValueError for anything else."""
    out = bytearray()
    waiting: "list[Any]" = [value]  # last comes next: no frame for each level, the stack is deep where a tree is written
    while waiting:
        value = waiting.pop()
        if value is None:
            out.append(0xF6)
        elif value is True or value is False:
            out.append(0xF5 if value else 0xF4)
        elif isinstance(value, int):
            out.extend(head(0, value) if value >= 0 else head(1, -1 - value))
        elif isinstance(value, str):
            data = value.encode()
            out.extend(head(3, len(data)))
            out.extend(data)
        elif isinstance(value, (bytes, bytearray)):
            out.extend(head(2, len(value)))
            out.extend(value)
        elif isinstance(value, (list, tuple)):
            out.extend(head(4, len(value)))
            waiting += list(value)[::-1]
        elif isinstance(value, dict):
            out.extend(head(5, len(value)))
            for key in list(value)[::-1]:
                waiting += (value[key], key)
        elif isinstance(value, Fraction):
            out.extend(b"\xc4\x82")
            waiting += (value.number, value.exponent)
        elif isinstance(value, float):
            out.extend(_float(value))
        else:
            raise ValueError("{} has no place in CBOR here".format(type(value)))
    return bytes(out)


def _float(value: float) -> bytes:
    if -3e38 < value < 3e38:
        single = struct.pack(">f", value)
        if struct.unpack(">f", single)[0] == value:
            return b"\xfa" + single
    return b"\xfb" + struct.pack(">d", value)


def decode(data: bytes) -> "object":
    """The one item in data; ValueError if it is malformed, cut off, nested too deep, or followed by more."""
    from .uncbor import decode

    return decode(data)
