"""Single values of LwM2M: text, TLV bytes and Python values of one type, each way (TS 1.0.2, appendix C).

    raw_of(FLOAT, "21.5")                 -> 40 35 80 00 00 00 00 00
    value_of_raw(INTEGER, b"\x01\x00")    -> 256
    value_of_text(BOOLEAN, b"1")          -> True

Runs on CPython and MicroPython. CodecError, a sentence, where a value does not suit its type.
"""

import struct
from binascii import a2b_base64
from collections import namedtuple

from testing.lwm2m.names import BOOLEAN, FLOAT, INTEGER, NONE, OBJLNK, OPAQUE, STRING, TIME, parse_path

# A decoded value: float, int, bool, str or bytes; time in Unix seconds where the payload carries one, else None.
Reading = namedtuple("Reading", ("path", "type", "value", "time"))


class CodecError(ValueError):
    """A payload or value does not follow its format; the message says what was expected and what came."""


def raw_of(kind, value):
    """The TLV bytes of one value given as text or bytes (TS 1.0.2, appendix C)."""
    try:
        if kind in (STRING, OPAQUE, NONE):
            return to_bytes(value)
        text = value if isinstance(value, str) else bytes(value).decode()
        if kind in (INTEGER, TIME):
            return _raw_integer(int(text))
        if kind == FLOAT:
            return struct.pack(">d", float(text))
        if kind == BOOLEAN and text in ("0", "1"):
            return b"\x01" if text == "1" else b"\x00"
        if kind == OBJLNK:
            numbers = [int(part) for part in text.split(":")]
            if len(numbers) == 2 and min(numbers) >= 0 and max(numbers) <= 65535:
                return struct.pack(">HH", numbers[0], numbers[1])
    except (ValueError, OverflowError, TypeError):
        pass
    raise CodecError(f"type {kind} cannot hold {value!r}: expected decimal text, 0 or 1 for booleans")


def _raw_integer(number):
    for layout, bits in ((">b", 7), (">h", 15), (">i", 31), (">q", 63)):
        if -(1 << bits) <= number < (1 << bits):
            return struct.pack(layout, number)
    raise ValueError


def value_of_raw(kind, raw):
    """The Python value of TLV bytes; CodecError when the length does not suit the type."""
    if kind in (INTEGER, TIME):
        layout = {1: ">b", 2: ">h", 4: ">i", 8: ">q"}.get(len(raw))
    elif kind == FLOAT:
        layout = {4: ">f", 8: ">d"}.get(len(raw))
    elif kind == BOOLEAN:
        layout = ">B" if len(raw) == 1 and raw[0] < 2 else None
    elif kind == OBJLNK:
        if len(raw) == 4:
            return ":".join([str(part) for part in struct.unpack(">HH", raw)])
        layout = None
    elif kind == STRING:
        return to_text(raw)
    else:
        return bytes(raw)
    if layout is None:
        raise CodecError(f"type {kind} cannot be {len(raw)} bytes long")
    value = struct.unpack(layout, raw)[0]
    return bool(value) if kind == BOOLEAN else value


def value_of_text(kind, raw):
    text = to_text(raw)
    try:
        if kind in (INTEGER, TIME):
            return int(text)
        if kind == FLOAT:
            return float(text)
        if kind == OPAQUE:
            return a2b_base64(text)
    except ValueError:
        raise CodecError(f"type {kind} expected, text {text!r} came")
    if kind == BOOLEAN:
        if text not in ("0", "1"):
            raise CodecError(f"boolean: 0 or 1 expected, text {text!r} came")
        return text == "1"
    return text


def to_bytes(value):
    return value.encode() if isinstance(value, str) else bytes(value)


def to_text(raw):
    try:
        return bytes(raw).decode()
    except (UnicodeError, ValueError):
        raise CodecError("text is not UTF-8")


def typed(kind, value, base64):
    """Bring a JSON or SenML value to the resource's type."""
    if kind == FLOAT and not isinstance(value, bool):
        return float(value)
    if kind in (INTEGER, TIME) and isinstance(value, float) and value == int(value):
        return int(value)
    if kind == OPAQUE and base64 and isinstance(value, str):
        return a2b_base64(value)
    return value


def resource_path(name):
    full = parse_path(name)
    if len(full) < 3:
        raise CodecError(f"{name!r} names no resource: expected /object/instance/resource")
    return full


def big_endian(data):
    number = 0
    for byte in data:
        number = (number << 8) | byte
    return number
