"""Inwards: what a server wrote (text, a bare TLV value or a whole TLV record, by its resource's type), journal entries.

    >>> decode_value(BOOLEAN, b"1"), decode_value(INTEGER, b"\\x01\\x00"), decode_value(FLOAT, b"21.5")
    (True, 256, 21.5)

A module of its own because a wake without a contact does without.
"""

import math
import struct

from .codec import ALL, RECORD, is_digits, significant
from .model import BOOLEAN, FLOAT, INTEGER, OBJLNK, OPAQUE, STRING, TIME, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import Plain


def from_wire(type: int, value: "str | bytes") -> "Plain":
    """The inverse of codec.to_wire: a number, bool, text or bytes. ValueError with a sentence if it is not of the type."""
    if type == OPAQUE:
        return value.encode() if isinstance(value, str) else bytes(value)
    text = value if isinstance(value, str) else str(value, "utf-8")
    if type == STRING:
        return text
    text = text.strip()
    if type == INTEGER or type == TIME:
        return _integer(text)
    if type == FLOAT:
        number = float(text)
        if "_" in text or not math.isfinite(number):
            raise ValueError("a finite number was expected, not {}".format(text))
        return number
    if type == BOOLEAN:
        lowered = text.lower()
        if lowered in ("1", "true"):
            return True
        if lowered in ("0", "false"):
            return False
        raise ValueError("a boolean is 0 or 1, not {}".format(text))
    if type == OBJLNK:
        first, colon, second = text.partition(":")
        if colon and 0 <= int(first) <= 65535 and 0 <= int(second) <= 65535:
            return text
        raise ValueError("an object link looks like 3303:0, not {}".format(text))
    raise ValueError("this resource takes no value")


def _integer(text: str) -> int:
    whole, _, fraction = text.partition(".")
    digits = whole[1:] if whole[:1] in ("-", "+") else whole
    if not is_digits(digits) or fraction.strip("0") or len(digits.lstrip("0")) > 19:
        raise ValueError("a whole number of up to 64 bits was expected, not {}".format(text))
    return int(whole)


def unpack_record(data: bytes) -> "tuple[Path, int, str | bytes, tuple[int, int] | None]":
    """The inverse of codec.pack_record; ValueError where the bytes are no entry."""
    size = struct.calcsize(RECORD)
    if len(data) < size:
        raise ValueError("a journal entry has {} bytes at least, not {}".format(size, len(data)))
    first, second, third, flags, epoch, seconds = struct.unpack(RECORD, bytes(data[:size]))
    path = Path(first, None if second == ALL else second, None if third == ALL else third)
    body = bytes(data[size:])
    type = flags & 0x7F
    value = body if type == OPAQUE else str(body, "utf-8")
    return path, type, value, None if flags & 0x80 else (epoch, seconds)


def decode_value(type: int, data: bytes, resource: "int | None" = None, binary: bool = False) -> "Plain":
    """What a server wrote, whether it came as text, as a bare TLV value or as a whole TLV record.

    The modules hand the payload through without its content format (BC66 application note 4.2.9), so
    printable text that reads as the type is text, the rest is binary; with binary it is the other way
    round. ValueError if it is neither.
    """
    if type == OPAQUE:
        return bytes(data)
    if resource is not None and len(data) > 2 and data[0] >= 0xC0:
        from .tlv import unwrap

        inner = unwrap(data, resource)
        if inner is not None:
            return binary_value(type, inner)
    text = type == STRING or _printable(data)
    for decode in (binary_value, from_wire) if binary else (from_wire, binary_value):
        try:
            if text or decode is binary_value:
                return decode(type, data)
        except (ValueError, UnicodeError):
            pass
    raise ValueError("{} bytes are no value of this resource's type".format(len(data)))


def written_in_binary(type: int, data: bytes) -> "bool | None":
    """Whether a written value can only be binary (True) or only text (False); None if it could be both."""
    if type == STRING or type == OPAQUE:
        return None
    readable = []
    for decode in (from_wire, binary_value) if _printable(data) else (binary_value,):
        try:
            decode(type, data)
            readable.append(decode is binary_value)
        except (ValueError, UnicodeError):
            pass
    return readable[0] if len(readable) == 1 else None


def _printable(data: bytes) -> bool:
    for byte in data:
        if not 32 <= byte < 127:
            return False
    return True


def binary_value(type: int, data: bytes) -> "Plain":
    """A TLV value: big-endian, 1 2 4 8 bytes of integer, 4 8 of float (OMA LwM2M 1.0.2 section 6.4.3)."""
    size = len(data)
    if type == OPAQUE or type == STRING:
        return from_wire(type, data)
    if type == FLOAT and size in (4, 8):
        value = float(struct.unpack(">f" if size == 4 else ">d", data)[0])
        if math.isfinite(value):
            return value
    elif (type == INTEGER or type == TIME) and size in (1, 2, 4, 8):
        return signed(data)
    elif type == BOOLEAN and size == 1 and data[0] < 2:
        return data[0] == 1
    elif type == OBJLNK and size == 4:
        return "{}:{}".format(data[0] << 8 | data[1], data[2] << 8 | data[3])
    raise ValueError("{} bytes are no value of this resource's type".format(size))


def signed(data: bytes) -> int:
    """Two's complement, big-endian. MicroPython's from_bytes knows no signed=."""
    if not data:
        raise ValueError("an integer has one byte at least")
    number = int.from_bytes(data, "big")
    return number - (1 << 8 * len(data)) if data[0] & 0x80 else number


def shortest(value: float) -> str:
    """The shortest decimal text that reads back as the same float on this interpreter."""
    if not math.isfinite(value):
        raise ValueError("a number was expected, not {}".format(value))
    text = "0"
    for digits in (6, 7, 8, 9, 12, 15, 16, 17):
        text = significant(value, digits) if value else "0"
        if float(text) == value:
            break
    return text
