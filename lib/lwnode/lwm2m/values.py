"""The nouns of the mapper: paths, requests, responses, LwM2M's data types; and one value in its forms: what a driver gives,
text by the resolution, what a server wrote, a journal entry.

    >>> path = Path(3303, 0, 5700)
    >>> str(path), path == Path.parse("/3303/0/5700"), Path(3303, 0).contains(path)          # None means "all below"
    ('/3303/0/5700', True, True)
    >>> decimal(21.46, 0.1), decimal(101325.0, 10), decimal(0.00001234)
    ('21.5', '101330', '0.00001234')
    >>> to_wire(BOOLEAN, True), to_wire(INTEGER, 21.46)
    ('1', '21')
    >>> decode_value(BOOLEAN, b"1"), decode_value(INTEGER, b"\\x01\\x00"), decode_value(FLOAT, b"21.5")
    (True, 256, 21.5)

A value on its way to a module is a tuple (Path, type, text or bytes): decimal text for numbers, "0" or "1" for booleans, bytes
for OPAQUE. A record is the same with its time: (Path, type, text or bytes, when), `when` in Unix seconds or None where the time
of the measurement is not known. Boards compute in 32-bit floats, so a number becomes text by integer arithmetic on its grid,
never by repr, and times are integers throughout. Bounds: 64 bits for an integer, 65535 bytes for a string or opaque value.
"""

import math
import struct

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator, Sequence, TypeAlias

    Value: TypeAlias = "tuple[Path, int, str | bytes]"
    Record: TypeAlias = "tuple[Path, int, str | bytes, int | None]"
    Plain: TypeAlias = "float | int | bool | str | bytes"

# OMA-TS-LightweightM2M-V1_0_2 appendix C. The numbers 1 to 5 are those of the BC66 as well.
NONE = const(0)
STRING = const(1)
OPAQUE = const(2)
INTEGER = const(3)
FLOAT = const(4)
BOOLEAN = const(5)
TIME = const(6)
OBJLNK = const(7)

_ID_LIMIT = const(65535)
_RECORD = const(">HHHBII")
_RECORD_SIZE = const(15)
_TLV_RESOURCE = const(0xC0)
_ALL = const(0xFFFF)  # "all below" in a stored path; 65535 is MAX_ID, which no object may use


class Path:
    """An object, instance or resource: immutable, hashable, None for all below.

    Where a multiple resource travels in a codec, a fourth id is the instance of the resource; .ids has it then too.
    """

    def __init__(
        self, object: int, instance: "int | None" = None, resource: "int | None" = None, one: "int | None" = None
    ) -> None:
        if (instance is None and resource is not None) or (resource is None and one is not None):
            raise ValueError("a resource needs its instance")
        self.object, self.instance, self.resource = object, instance, resource
        ids: "Any" = (object, instance, resource)  # rarely four, and three are what everything else works with
        self.ids: "tuple[int, int | None, int | None]" = ids if one is None else ids + (one,)
        for part in self.ids:
            if part is not None and not 0 <= part <= _ID_LIMIT:
                raise ValueError("an id is 0 to 65535, not %s" % part)

    @staticmethod
    def parse(text: str) -> "Path":
        """The path written in text, with or without the leading slash; ValueError with a sentence otherwise."""
        parts = text.strip("/").split("/")
        try:
            if len(parts) <= 3:
                return Path(*map(int, parts))
        except ValueError:
            pass
        raise ValueError("a path looks like /3303/0/5700, not %s" % text)

    def contains(self, other: "Path") -> bool:
        """Whether other is this path or lies below it."""
        for mine, theirs in zip(self.ids, other.ids):
            if mine is not None and mine != theirs:
                return False
        return len(self.ids) <= len(other.ids)

    def __eq__(self, other: "Any") -> bool:
        return isinstance(other, Path) and self.ids == other.ids

    def __hash__(self) -> int:
        return hash(self.ids)

    def __str__(self) -> str:
        return "".join(["/" + str(part) for part in self.ids if part is not None])

    def __repr__(self) -> str:
        return "Path(%s)" % str(self)


class Request:
    """What the server asks: operation "read" "write" "execute" "observe" "cancel" or "write_attributes".

    value holds the bytes as the server sent them, type what the module said they are (None: it did
    not say), index the number of messages that follow this one for the same request.
    """

    def __init__(
        self, operation: str, path: Path, message_id: "int | None" = None, type: "int | None" = None, value: bytes = b"",
        index: int = 0,
    ) -> None:
        self.operation = operation
        self.path = path
        self.message_id = message_id
        self.type = type
        self.value = value
        self.index = index


class Response:
    """The answer: code 205 204 400 401 404 405 406 500, values to send, after() to run once it is sent."""

    def __init__(
        self, code: int, values: "Sequence[Value]" = (), after: "Callable[[], None] | None" = None
    ) -> None:
        self.code = code
        self.values = values
        self.after = after

    def __repr__(self) -> str:
        return "Response(%s, values: %s)" % (self.code, len(self.values))


class Reject(Exception):
    """Raised by an application's callback to refuse a write or an execute with a code of its choice."""

    def __init__(self, code: int = 400, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def place_point(number: int, scale: int) -> str:
    """number / 10**scale as text, exactly."""
    if scale <= 0:
        return str(number) + "0" * -scale if number else "0"
    digits = "0" * (scale + 1 - len(str(abs(number)))) + str(abs(number))
    return ("-" if number < 0 else "") + digits[:-scale] + "." + digits[-scale:]


def significant(value: float, digits: int = 6) -> str:
    """A float as plain text of so many significant digits, trailing zeros dropped; ValueError for inf and nan."""
    if not math.isfinite(value):
        raise ValueError("a number was expected, not %s" % (value,))
    mantissa, tail = (("%." + str(digits - 1) + "e") % value).split("e")
    number, decimals = int(mantissa.replace(".", "")), digits - 1 - int(tail)
    while decimals > 0 and number % 10 == 0:
        number //= 10
        decimals -= 1
    return place_point(number, decimals)


def decimal(value: "float | int | str", resolution: "float | None" = None) -> str:
    """Plain decimal text of a number, rounded to the resolution; without one, to six significant digits.

    Text passes through unrounded: so a position keeps more digits than a 32-bit float has.
    ValueError for what is no finite number, or where the resolution is no decimal step.
    """
    if isinstance(value, str):
        if not is_number(value) or "e" in value.lower():
            raise ValueError("decimal text such as -21.5 was expected, not %s" % (value,))
        return value.lstrip("+")
    whole = isinstance(value, int)
    if resolution is None or not (whole or math.isfinite(value)):
        return str(int(value)) if whole else significant(value)
    for decimals in range(10):  # 0.05 is a step of 5 with two decimals
        scaled = resolution * 10**decimals
        step = int(scaled + 0.5)
        if step and abs(scaled - step) < 0.0001 * scaled:
            break
    else:
        raise ValueError("a resolution is a step such as 0.1, 0.05 or 10, not %s" % resolution)
    if whole:
        number = int(value) * 10**decimals if decimals else (int(value) + step // 2) // step * step
    else:
        steps = value / resolution
        number = math.floor(steps)  # not floor(steps + 0.5): with 32-bit floats that is one too many from 2**23 on
        number = (number + 1 if steps - number >= 0.5 else number) * step
    return place_point(number, decimals)


def to_wire(type: int, value: "Plain", resolution: "float | None" = None) -> "str | bytes":
    """The text (OPAQUE: the bytes) under which a value of that type leaves; ValueError if it is none."""
    if type == BOOLEAN:
        return "1" if value else "0"
    if type == STRING:
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        if type == OPAQUE:
            return bytes(value)
        raise ValueError("a number was expected, not bytes")
    if type == OPAQUE:
        raise ValueError("bytes were expected, not %s" % (value,))
    if type == FLOAT:
        return decimal(value, resolution)
    if type == OBJLNK:
        return str(from_wire(type, str(value)))
    text = str(int(value)) if isinstance(value, str) else decimal(value, resolution or 1)
    return text if len(text) < 19 else str(from_wire(type, text))


def in_range(type: int, value: "Plain", limits: "tuple[float | None, float | None] | None") -> bool:
    """Whether a value lies within (low, high); for STRING and OPAQUE the limits are of the length in bytes."""
    if limits is None or type == BOOLEAN or type == OBJLNK:
        return True
    if isinstance(value, (str, bytes)) and (type == STRING or type == OPAQUE):
        number: float = len(value.encode() if isinstance(value, str) else value)
    else:
        number = float(value)
    low, high = limits
    return not ((low is not None and number < low) or (high is not None and number > high))


def is_digits(text: str, signed: bool = False) -> bool:
    """Whether a text is digits 0 to 9 and not empty; with a sign before them where that may be."""
    digits = text[1:] if signed and text[:1] in ("-", "+") else text
    return digits != "" and not digits.strip("0123456789")  # isdigit() takes other scripts' digits too


def is_number(text: str) -> bool:
    """Whether a text is a decimal number, with or without an exponent; float() takes "nan", "1_0" and, on boards, "." too."""
    mantissa, exponential, exponent = text.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    return is_digits(whole + fraction, whole != "") and (not exponential or is_digits(exponent, True))


def from_wire(type: int, value: "str | bytes") -> "Plain":
    """The inverse of to_wire: a number, bool, text or bytes. ValueError with a sentence if it is not of the type."""
    if type == OPAQUE:
        return value.encode() if isinstance(value, str) else bytes(value)
    text = value if isinstance(value, str) else str(value, "utf-8")
    if type == STRING:
        return text
    text = text.strip()
    if type == INTEGER or type == TIME:
        whole, _, fraction = text.partition(".")
        if is_digits(whole, True) and not fraction.strip("0") and len(whole.lstrip("+-0")) <= 19:
            number = int(whole)
            if -0x8000000000000000 <= number <= 0x7FFFFFFFFFFFFFFF:
                return number
        raise ValueError("an integer of 64 bits was expected, not %s" % text)
    if type == FLOAT:
        if is_number(text) and math.isfinite(float(text)):
            return float(text)
        raise ValueError("a finite number was expected, not %s" % text)
    if type == BOOLEAN:
        lowered = text.lower()
        if lowered in ("1", "true", "0", "false"):
            return lowered in ("1", "true")
        raise ValueError("a boolean is 0 or 1, not %s" % text)
    if type != OBJLNK:
        raise ValueError("this resource takes no value")
    for part in text.split(":"):  # object:instance (OMA LwM2M 1.0.2 appendix C)
        if not is_digits(part) or int(part) > _ID_LIMIT or text.count(":") != 1:
            raise ValueError("an object link looks like 3303:0, not %s" % text)
    return text


def decode_value(type: int, data: bytes, resource: "int | None" = None, raw: int = 0) -> "Plain":
    """What a server wrote, whether it came as text, as a bare TLV value or as a whole TLV record of that resource.

    BC66 hands a payload through without its content format (application note 4.2.9), and 57 in TLV is the text "9" as
    well. raw 0: what reads as text is text. 1: digits of 1, 2, 4 or 8 bytes are an integer of TLV, a float's are text.
    2: it is TLV for certain. Anything that is no text is binary. ValueError if it is neither.
    """
    if type == OPAQUE:
        return bytes(data)
    if resource is not None and len(data) > 2 and data[0] >= 0xC0:
        try:
            found = list(items(data))
        except ValueError:
            found = []  # a bare value that begins as a record would
        if len(found) == 1 and found[0][:2] == (_TLV_RESOURCE, resource):
            return binary_value(type, found[0][2])
    text = raw < 2 and not (raw and (type == INTEGER or type == TIME) and len(data) in (1, 2, 4, 8))
    for byte in data:
        text = text and 32 <= byte < 127
    if text or type == STRING:
        try:
            return from_wire(type, data)
        except ValueError:
            if type == STRING:
                raise ValueError("text in UTF-8 was expected")
    return binary_value(type, data)


def items(data: bytes) -> "Iterator[tuple[int, int, bytes]]":
    """(kind, id, value) of each TLV in turn, the kind in the upper two bits; ValueError where lengths do not fit."""
    at = 0
    while at < len(data):
        head = data[at]
        after_id = at + (3 if head & 0x20 else 2)
        start = after_id + (head >> 3 & 3)
        if start > len(data):
            raise ValueError("TLV cut off at byte %s" % at)
        end = start + (int.from_bytes(data[after_id:start], "big") if start > after_id else head & 7)
        if end > len(data):
            raise ValueError("TLV cut off at byte %s" % at)
        yield head & 0xC0, int.from_bytes(data[at + 1 : after_id], "big"), data[start:end]
        at = end


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
        return int(struct.unpack(">" + " bh i   q"[size], data)[0])
    elif type == BOOLEAN and size == 1 and data[0] < 2:
        return data[0] == 1
    elif type == OBJLNK and size == 4:
        return "%s:%s" % (data[0] << 8 | data[1], data[2] << 8 | data[3])
    raise ValueError("%s bytes are no value of this type" % size)


def pack_record(path: Path, type: int, value: "str | bytes", stamp: "tuple[int, int] | None") -> bytes:
    """One journal entry: 15 bytes and the value. stamp is Clock.stamp(): (epoch id, seconds)."""
    first, second, third = path.ids
    epoch, seconds = stamp or (0, 0)
    body = value.encode() if isinstance(value, str) else bytes(value)
    return struct.pack(
        _RECORD, first, _ALL if second is None else second, _ALL if third is None else third,
        type | (0x80 if stamp is None else 0), epoch & 0xFFFFFFFF, seconds & 0xFFFFFFFF) + body


def unpack_record(data: bytes) -> "tuple[Path, int, str | bytes, tuple[int, int] | None]":
    """The inverse of pack_record; ValueError where the bytes are no entry."""
    if len(data) < _RECORD_SIZE:
        raise ValueError("%s bytes are no journal entry" % len(data))
    first, second, third, flags, epoch, seconds = struct.unpack(_RECORD, bytes(data[:_RECORD_SIZE]))
    path = Path(first, None if second == _ALL else second, None if third == _ALL else third)
    type, body = flags & 0x7F, bytes(data[_RECORD_SIZE:])
    return path, type, body if type == OPAQUE else str(body, "utf-8"), None if flags & 0x80 else (epoch, seconds)
