"""The part of CBOR (RFC 8949) that the mapper uses: integers, text, bytes, arrays, maps, decimal fractions, floats.

    >>> encode([1, "a", None, True])
    b'\\x84\\x01aa\\xf6\\xf5'
    >>> print(decode(b"\\xc4\\x82\\x20\\x18\\xd7"))      # a decimal fraction
    21.5

Numbers travel as decimal fractions (tag 4), so no board's floats touch them. Tags that only say what is meant (a time, an
address, "this is CBOR") are skipped; those that change a number (bignum, bigfloat) are refused by their number.
Bounds: 8 levels of nesting, decoded without recursion; integers of 64 bits. ValueError for whatever is no CBOR.
"""

import struct

from micropython import const

from .values import place_point

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LEVELS = const(8)
_FRACTION = const(4)
_NUMBERS = const((2, 3, 5, 30))  # tags that are numbers unknown here: bignums, bigfloat, rational (RFC 8949 section 3.4)


class Fraction:
    """number * 10**exponent."""

    def __init__(self, number: int, exponent: int) -> None:
        self.number = number
        self.exponent = exponent

    def __str__(self) -> str:
        return place_point(self.number, -self.exponent)


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
    """None, bool, int, float, text, bytes, Fraction, list, tuple or dict as CBOR; ValueError for anything else."""
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
            for key in list(value)[::-1]:
                waiting += (value[key], key)
        elif isinstance(value, Fraction):
            kind, number = 6, _FRACTION
            waiting.append((value.exponent, value.number))
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


def decode(data: bytes) -> "object":
    """The one item in data; ValueError if it is malformed, cut off, nested too deep, or followed by more."""
    data = bytes(data)
    at = 0
    open_items: "list[list[Any]]" = [[4, 1, []]]  # [major type, items still to come (-1: until a break), items]
    while True:
        first = at
        major, argument, at = _argument(data, at)
        if major == 6 and argument != _FRACTION:
            if argument in _NUMBERS:
                raise ValueError("CBOR tag %s at byte %s is a number not known here" % (argument, first))
            continue  # what it says of the next item needs nobody here
        top = open_items[-1]
        if major == 7 and argument < 0:
            if top[1] >= 0:
                raise ValueError("CBOR break at byte %s ends nothing" % first)
            top[1] = 0
        elif major >= 4 and major <= 6:
            if len(open_items) > _LEVELS or argument > 2 * len(data):
                raise ValueError("CBOR of %s items, %s levels deep" % (argument, len(open_items)))
            open_items.append([major, 1 if major == 6 else argument * 2 if major == 5 and argument > 0 else argument, []])
        else:
            value, at = _scalar(data, first, major, argument, at)
            top[2].append(value)
            top[1] -= 1 if top[1] > 0 else 0
        while not open_items[-1][1]:
            major, _, found = open_items.pop()
            if not open_items:
                if at != len(data):
                    raise ValueError("CBOR ends at byte %s of %s" % (at, len(data)))
                return found[0]
            top = open_items[-1]
            top[2].append(found if major == 4 else _finished(major, found))
            top[1] -= 1 if top[1] > 0 else 0


def _argument(data: bytes, at: int) -> "tuple[int, int, int]":
    """(major type, argument, next); the argument of an indefinite length is -1."""
    if at < len(data):
        major, low = data[at] >> 5, data[at] & 31
        at += 1
        if low < 24:
            return major, low, at
        if low == 31 and major > 3 and major != 6:
            return major, -1, at
        end = at + (1 << (low & 3))
        if low < 28 and end <= len(data):
            return major, int.from_bytes(data[at:end], "big"), end
    raise ValueError("CBOR cut off or malformed at byte %s" % at)


def _scalar(data: bytes, first: int, kind: int, number: int, at: int) -> "tuple[Any, int]":
    """(value, next) of a number, bytes, text or simple value."""
    if kind < 2:
        return (-1 - number if kind else number), at
    if kind == 7:
        low = data[first] & 31
        if low >= 20 and low <= 23:
            return (low == 21 if low < 22 else None), at
        if low == 25:  # half precision: sign, five bits of exponent, ten of mantissa
            exponent, mantissa = number >> 10 & 31, number & 1023
            if exponent == 31:
                value = float("nan") if mantissa else float("inf")
            else:
                value = (mantissa | (1024 if exponent else 0)) * 2.0 ** (max(exponent, 1) - 25)
            return (-value if number >> 15 else value), at
        if low == 26 or low == 27:
            return struct.unpack(">f" if low == 26 else ">d", data[first + 1 : at])[0], at
        raise ValueError("CBOR value %s at byte %s is not known here" % (low, first))
    end = at + number
    if end > len(data):
        raise ValueError("CBOR text of %s bytes runs past the end" % number)
    try:
        return (data[at:end] if kind == 2 else str(data[at:end], "utf-8")), end
    except UnicodeError:
        raise ValueError("CBOR text is not UTF-8")


def _finished(kind: int, items: "list[Any]") -> "Any":
    """The map or decimal fraction of its items."""
    if kind == 5:
        found = {}
        for at in range(0, len(items), 2):
            if at + 1 == len(items) or not isinstance(items[at], (int, str)) or items[at] in found:
                raise ValueError("CBOR map with a key twice, of a strange type, or without its value")
            found[items[at]] = items[at + 1]
        return found
    value = items[0]
    if isinstance(value, list) and len(value) == 2:
        exponent, number = value
        if isinstance(exponent, int) and isinstance(number, int) and -64 <= exponent <= 64:
            return Fraction(number, exponent)
    raise ValueError("a decimal fraction is two integers, the exponent -64 to 64")
