"""The part of CBOR (RFC 8949) that the mapper uses: integers, text, bytes, arrays, maps, decimal fractions, floats.

    >>> encode([1, "a", None, True])
    b'\\x84\\x01aa\\xf6\\xf5'
    >>> decode(b"\\xc4\\x82\\x20\\x18\\xd7")      # 21.5 as a decimal fraction
    Fraction(215, -1)

Numbers travel as decimal fractions (tag 4), so no board's floats touch them. Bound: 8 levels of nesting.
"""

import struct

from micropython import const

_LEVELS = const(8)


class Fraction:
    """number * 10**exponent."""

    def __init__(self, number: int, exponent: int) -> None:
        self.number = number
        self.exponent = exponent

    def __repr__(self) -> str:
        return "Fraction({}, {})".format(self.number, self.exponent)

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
    if value is None:
        return b"\xf6"
    if value is True or value is False:
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, str):
        data = value.encode()
        return head(3, len(data)) + data
    if isinstance(value, (bytes, bytearray)):
        return head(2, len(value)) + bytes(value)
    if isinstance(value, (list, tuple)):
        return head(4, len(value)) + b"".join([encode(one) for one in value])
    if isinstance(value, dict):
        return head(5, len(value)) + b"".join([encode(key) + encode(value[key]) for key in value])
    if isinstance(value, Fraction):
        return b"\xc4\x82" + encode(value.exponent) + encode(value.number)
    if isinstance(value, float):
        if -3e38 < value < 3e38:
            single = struct.pack(">f", value)
            if struct.unpack(">f", single)[0] == value:
                return b"\xfa" + single
        return b"\xfb" + struct.pack(">d", value)
    raise ValueError("{} has no place in CBOR here".format(type(value)))


def decode(data: bytes) -> "object":
    """The one item in data; ValueError if it is malformed, cut off, or followed by more."""
    value, end = _item(bytes(data), 0, 0)
    if end != len(data):
        raise ValueError("CBOR ends at byte {} of {}".format(end, len(data)))
    return value


def _argument(data: bytes, at: int) -> "tuple[int, int, int]":
    """(major type, argument, next); the argument of an indefinite length is -1."""
    if at >= len(data):
        raise ValueError("CBOR cut off at byte {}".format(at))
    major, low = data[at] >> 5, data[at] & 31
    at += 1
    if low < 24:
        return major, low, at
    if low == 31:
        return major, -1, at
    size = 1 << low - 24
    if low > 27 or at + size > len(data):
        raise ValueError("CBOR cut off or malformed at byte {}".format(at))
    return major, int.from_bytes(data[at : at + size], "big"), at + size


def _item(data: bytes, at: int, level: int) -> "tuple[object, int]":
    if level > _LEVELS:
        raise ValueError("CBOR nested more than {} levels deep".format(_LEVELS))
    first = at
    major, argument, at = _argument(data, at)
    if major == 0:
        return argument, at
    if major == 1:
        return -1 - argument, at
    if major == 2 or major == 3:
        end = at + argument
        if argument < 0 or end > len(data):
            raise ValueError("CBOR text of {} bytes runs past the end".format(argument))
        try:
            return (data[at:end] if major == 2 else str(data[at:end], "utf-8")), end
        except UnicodeError:
            raise ValueError("CBOR text is not UTF-8")
    if major == 4 or major == 5:
        return _collection(data, at, level, major == 5, argument)
    if major == 6:
        return _tagged(data, at, level, argument)
    return _simple(data, first, at, argument)


def _collection(data: bytes, at: int, level: int, pairs: bool, count: int) -> "tuple[object, int]":
    if count > len(data):
        raise ValueError("CBOR announces {} items in {} bytes".format(count, len(data)))
    out: "list[object]" = []
    keys: "list[object]" = []
    while count < 0 or len(out) < count:
        if count < 0 and at < len(data) and data[at] == 0xFF:
            at += 1
            break
        if pairs:
            key, at = _item(data, at, level + 1)
            if not isinstance(key, (int, str)):
                raise ValueError("CBOR key is neither number nor text")
            keys.append(key)
        value, at = _item(data, at, level + 1)
        out.append(value)
    if not pairs:
        return out, at
    return dict(zip(keys, out)), at


def _tagged(data: bytes, at: int, level: int, tag: int) -> "tuple[object, int]":
    value, at = _item(data, at, level + 1)
    if tag == 4:
        if isinstance(value, list) and len(value) == 2:
            exponent, number = value
            if isinstance(exponent, int) and isinstance(number, int) and -64 <= exponent <= 64:
                return Fraction(number, exponent), at
        raise ValueError("a decimal fraction has an exponent and a number")
    return value, at  # other tags only say what is meant


def _simple(data: bytes, first: int, at: int, argument: int) -> "tuple[object, int]":
    low = data[first] & 31
    if low in (20, 21):
        return low == 21, at
    if low in (22, 23):
        return None, at
    if low == 25:
        return _half(argument), at
    if low == 26:
        return struct.unpack(">f", data[first + 1 : at])[0], at
    if low == 27:
        return struct.unpack(">d", data[first + 1 : at])[0], at
    raise ValueError("CBOR value {} at byte {} is not known here".format(low, first))


def _half(bits: int) -> float:
    exponent, mantissa = bits >> 10 & 31, bits & 1023
    if exponent == 0:
        value = mantissa * 2.0**-24
    elif exponent < 31:
        value = (mantissa | 1024) * 2.0 ** (exponent - 25)
    else:
        value = float("nan") if mantissa else float("inf")
    return -value if bits >> 15 else value
