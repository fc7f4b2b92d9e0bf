"""The decoder of cbor.py, loaded when something is to be read: a state after deep sleep, a server's commands.

Bound: 8 levels of nesting, decoded without recursion. ValueError for whatever is no CBOR.
"""

import struct

from micropython import const

from .cbor import Fraction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LEVELS = const(8)


def decode(data: bytes) -> "object":
    """The one item in data; ValueError if it is malformed, cut off, nested too deep, or followed by more."""
    data = bytes(data)
    at = 0
    open_items: "list[list[Any]]" = []  # [major type, items still to come (-1: until a break), items]
    while True:
        first = at
        major, argument, at = _argument(data, at)
        if major == 7 and argument < 0:
            if not open_items or open_items[-1][1] >= 0:
                raise ValueError("CBOR break at byte {} ends nothing".format(first))
            ended = open_items.pop()
            value = _finished(ended[0], ended[2])
        elif major >= 4 and major <= 6:
            if len(open_items) == _LEVELS or argument > 2 * len(data):
                raise ValueError("CBOR of {} items, {} levels deep".format(argument, len(open_items)))
            count, items = (1, [argument]) if major == 6 else (argument * 2 if major == 5 and argument > 0 else argument, [])
            if count:
                open_items.append([major, count, items])
                continue
            value = _finished(major, items)
        else:
            value, at = _scalar(data, first, major, argument, at)
        while open_items:
            top = open_items[-1]
            top[2].append(value)
            if top[1] > 0:
                top[1] -= 1
            if top[1]:
                break
            open_items.pop()
            value = _finished(top[0], top[2])
        if not open_items:
            if at != len(data):
                raise ValueError("CBOR ends at byte {} of {}".format(at, len(data)))
            return value


def _argument(data: bytes, at: int) -> "tuple[int, int, int]":
    """(major type, argument, next); the argument of an indefinite length is -1."""
    if at >= len(data):
        raise ValueError("CBOR cut off at byte {}".format(at))
    major, low = data[at] >> 5, data[at] & 31
    at += 1
    if low < 24:
        return major, low, at
    if low == 31 and major > 3 and major != 6:
        return major, -1, at
    size = 1 << (low & 3)
    if low > 27 or at + size > len(data):
        raise ValueError("CBOR cut off or malformed at byte {}".format(at))
    return major, int.from_bytes(data[at : at + size], "big"), at + size


def _scalar(data: bytes, first: int, major: int, argument: int, at: int) -> "tuple[Any, int]":
    if major == 0:
        return argument, at
    if major == 1:
        return -1 - argument, at
    if major == 7:
        return _simple(data, first, at, argument), at
    end = at + argument
    if argument < 0 or end > len(data):
        raise ValueError("CBOR text of {} bytes runs past the end".format(argument))
    try:
        return (data[at:end] if major == 2 else str(data[at:end], "utf-8")), end
    except UnicodeError:
        raise ValueError("CBOR text is not UTF-8")


def _finished(major: int, items: "list[Any]") -> "Any":
    if major == 4:
        return items
    if major == 5:
        found = {}
        for at in range(0, len(items), 2):
            if at + 1 == len(items) or not isinstance(items[at], (int, str)):
                raise ValueError("CBOR map with a key that is neither number nor text, or without its value")
            found[items[at]] = items[at + 1]
        return found
    tag, value = items
    if tag != 4:
        return value  # other tags only say what is meant
    if isinstance(value, list) and len(value) == 2:
        exponent, number = value
        if isinstance(exponent, int) and isinstance(number, int) and -64 <= exponent <= 64:
            return Fraction(number, exponent)
    raise ValueError("a decimal fraction has an exponent and a number")


def _simple(data: bytes, first: int, at: int, argument: int) -> "Any":
    low = data[first] & 31
    if low in (20, 21):
        return low == 21
    if low in (22, 23):
        return None
    if low == 25:
        return _half(argument)
    if low == 26 or low == 27:
        return struct.unpack(">f" if low == 26 else ">d", data[first + 1 : at])[0]
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
