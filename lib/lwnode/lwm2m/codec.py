"""Values as text, numbers by their resolution; journal entries as bytes; and the way to the other codecs.

    >>> decimal(21.46, 0.1), decimal(101325.0, 10), decimal(0.00001234)
    ('21.5', '101330', '0.00001234')
    >>> to_wire(BOOLEAN, True), to_wire(INTEGER, 21.46)
    ('1', '21')

Boards compute in 32-bit floats, so a number becomes text by integer arithmetic on its grid, never by
repr, and times are integers throughout. Bounds: a string or opaque value of up to 65535 bytes.
"""

import math
import struct

from .model import BOOLEAN, INTEGER, OBJLNK, OPAQUE, STRING, TIME, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .decode import decode_value as decode_value, from_wire as from_wire, unpack_record as unpack_record
    from .model import Plain
    from .senml import pack_senml as pack_senml
    from .tlv import decode_tlv as decode_tlv, encode_tlv as encode_tlv
    from .unpack import unpack_senml as unpack_senml

RECORD = ">HHHBII"
ALL = 0xFFFF  # "all below" in a stored path; 65535 is MAX_ID, which no object may use


def grid(resolution: float) -> "tuple[int, int]":
    """A resolution as (step, decimals): 0.05 is (5, 2), that is 5 units of 0.01."""
    for decimals in range(10):
        scaled = resolution * 10**decimals
        step = int(scaled + 0.5)
        if step and abs(scaled - step) < 0.0001 * scaled:
            return step, decimals
    raise ValueError("a resolution is a decimal step such as 0.1, 0.05 or 10, not {}".format(resolution))


def place_point(number: int, decimals: int) -> str:
    """number / 10**decimals as text, exactly."""
    if decimals <= 0:
        return str(number) + "0" * -decimals if number else "0"
    digits = str(abs(number))
    if len(digits) <= decimals:
        digits = "0" * (decimals + 1 - len(digits)) + digits
    return ("-" if number < 0 else "") + digits[:-decimals] + "." + digits[-decimals:]


def significant(value: float, digits: int) -> str:
    """Return plain decimal text of a float with that many significant digits, trailing zeros dropped."""
    mantissa, exponent = ("%." + str(digits - 1) + "e") % value, 0
    mantissa, tail = mantissa.split("e")
    exponent = int(tail)
    number = int(mantissa.replace(".", ""))
    decimals = digits - 1 - exponent
    while decimals > 0 and number % 10 == 0:
        number //= 10
        decimals -= 1
    return place_point(number, decimals)


def decimal(value: "float | int | str", resolution: "float | None" = None) -> str:
    """Plain decimal text of a number, rounded to the resolution; without one, to six significant digits.

    Text passes through unrounded: so a position keeps more digits than a 32-bit float has.
    ValueError for what is no finite number.
    """
    if isinstance(value, str):
        return _checked_decimal(value)
    if isinstance(value, (int, bool)):
        value = int(value)
        if resolution is None:
            return str(value)
        step, decimals = grid(resolution)
        if decimals == 0:
            return str((value + step // 2) // step * step)
        return place_point(value * 10**decimals, decimals)
    if not math.isfinite(value):
        raise ValueError("a number was expected, not {}".format(value))
    if resolution is None:
        return significant(value, 6) if value else "0"
    step, decimals = grid(resolution)
    steps = value / resolution
    whole = math.floor(steps)  # not floor(steps + 0.5): with 32-bit floats that is one too many from 2**23 on
    return place_point((whole + 1 if steps - whole >= 0.5 else whole) * step, decimals)


def _checked_decimal(text: str) -> str:
    body = text[1:] if text[:1] in ("-", "+") else text
    whole, _, fraction = body.partition(".")
    if not is_digits(whole + fraction):
        raise ValueError("decimal text such as -21.5 was expected, not {}".format(text))
    return text[1:] if text[0] == "+" else text


def to_wire(type: int, value: "Plain", resolution: "float | None" = None) -> "str | bytes":
    """The text (OPAQUE: the bytes) under which a value of that type leaves; ValueError if it is none."""
    if type == OPAQUE:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise ValueError("bytes were expected, not {}".format(value))
        return bytes(value)
    if type == BOOLEAN:
        return "1" if value else "0"
    if type == STRING or type == OBJLNK:
        return str(value)
    if isinstance(value, bytes):
        raise ValueError("a number was expected, not bytes")
    if type == INTEGER or type == TIME:
        return str(int(value)) if isinstance(value, str) else decimal(value, resolution or 1)
    return decimal(value, resolution)


def is_digits(text: str) -> bool:
    """Whether a text is digits 0 to 9 and not empty."""
    for character in text:
        if not "0" <= character <= "9":  # isdigit() takes other scripts' digits too
            return False
    return text != ""


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


def pack_record(path: Path, type: int, value: "str | bytes", stamp: "tuple[int, int] | None") -> bytes:
    """One journal entry: 15 bytes and the value. stamp is Clock.stamp(): (epoch id, seconds)."""
    first, second, third = path.ids
    second = ALL if second is None else second
    third = ALL if third is None else third
    epoch, seconds = stamp or (0, 0)
    body = value.encode() if isinstance(value, str) else bytes(value)
    flags = type | (0x80 if stamp is None else 0)
    return struct.pack(RECORD, first, second, third, flags, epoch & 0xFFFFFFFF, seconds & 0xFFFFFFFF) + body


# The other codecs are loaded when they are first used: name, module.
_LATER = (
    "pack_senml senml unpack_senml unpack encode_tlv tlv decode_tlv tlv decode_value decode "
    "from_wire decode unpack_record decode"
)


def __getattr__(name: str) -> "object":
    names = _LATER.split(" ")
    if name not in names[::2]:
        raise AttributeError("lwnode.lwm2m.codec has no {}".format(name))
    module = __import__("lwnode.lwm2m." + names[names.index(name) + 1], None, None, (name,))
    return getattr(module, name)
