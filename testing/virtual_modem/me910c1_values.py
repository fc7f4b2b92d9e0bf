"""How the ME910C1 keeps values: as text, by the type of the resource (Telit manual, 3.1.9).

    checked(FLOAT, "21.5")          "21.5"; ValueError for what is no float
    text_of(BOOLEAN, True)          "1": a value that a server wrote
"""

from binascii import hexlify, unhexlify

from testing.lwm2m.link import BOOLEAN, FLOAT, INTEGER, OBJLNK, OPAQUE, TIME
from testing.virtual_modem.atline import whole_number

INT_LOW, INT_HIGH = -2147483648, 2147483647  # 3.1.9
SERVICES = 33211  # Telit's own object; 33211/0/0/1 switches the registration URCs on (field)


def checked(kind, text):
    """The text of a value of that type as the module keeps it; ValueError where it is none."""
    if kind in (INTEGER, TIME):
        number = whole_number(text)
        if number is None or not INT_LOW <= number <= INT_HIGH:
            raise ValueError(text)
        return str(number)
    if kind == BOOLEAN:
        if text not in ("0", "1"):
            raise ValueError(text)
        return text
    if kind == FLOAT:
        if "n" in text.lower() or "_" in text:
            raise ValueError(text)
        float(text)
        return text
    if kind == OPAQUE:
        unhexlify(text)
        return text.upper()
    if kind == OBJLNK:
        parts = text.split(":")
        if len(parts) != 2 or not (parts[0].isdigit() and parts[1].isdigit()):
            raise ValueError(text)
    return text


def text_of(kind, value):
    """A decoded value of the server as the module keeps it."""
    if kind == OPAQUE:
        return hexlify(value if isinstance(value, (bytes, bytearray)) else value.encode()).decode().upper()
    if kind == BOOLEAN:
        return "1" if value else "0"
    if kind == FLOAT:
        return decimal_text(float(value))
    return str(value)


def decimal_text(number):
    """A float in plain decimals, with what a 32-bit float can tell at most."""
    text = "%.6f" % number
    text = text.rstrip("0")
    return text + "0" if text.endswith(".") else text
