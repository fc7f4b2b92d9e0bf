"""Names, fields and parameters: what stands in a line, on its way in and on its way out.

    >>> fields('+CCLK: "20/04/05,15:38:02+08",,0000')
    ['20/04/05,15:38:02+08', None, '0000']
    >>> joined((0, "a.example.org", 5683, None, Raw("UQ"), b"\\x01\\xff"), [])
    b'0,"a.example.org",5683,,UQ,01FF'

Nothing is converted on its way in: 0000 may be a payload. What could break out of a command is refused on its way out.
"""

from binascii import hexlify

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Sequence


def matches(line: "bytes | bytearray", prefix: bytes) -> bool:
    """A prefix is a whole name: a colon, blank, comma or the end follows. One that has a colon is literal."""
    if not line.startswith(prefix):
        return False
    size = len(prefix)
    return not size or len(line) == size or line[size] in b": ," or b":" in prefix


def any_matches(line: "bytes | bytearray", prefixes: "Sequence[bytes]") -> bool:
    """Has the line one of these names?"""
    for prefix in prefixes:
        if matches(line, prefix):
            return True
    return False


def answer_name(line: bytes) -> bytes:
    """What the information lines of a command (with its CR) begin with: +X for AT+X=?, nothing for AT, ATI, AT&V."""
    if len(line) < 4 or line[2] == 38 or line[2] > 64:  # AT& and a letter
        return b""
    end = 3
    while line[end] not in b"=?;\r":
        end += 1
    return line[2:end]


def value(line: str) -> str:
    """What stands behind a line's own name; all of it where it has none.

    >>> value("+CSQ: 18,99"), value("+CSQ:18,99"), value("867997030012345"), value("coap://10.0.0.1")
    ('18,99', '18,99', '867997030012345', 'coap://10.0.0.1')
    """
    start = line.find(":") + 1
    if start and (line.find(",", 0, start) >= 0 or line.find('"', 0, start) >= 0 or line.startswith("//", start)):
        return line
    while start and line.startswith(" ", start):
        start += 1
    return line[start:] if start else line


def fields(line: str) -> "list[str | None]":
    """The parameters after the line's own name: unquoted, None where empty, (0,1) kept whole.

    A quote ends a string only before a comma or the end, so that a quote inside a text does no harm.
    """
    parts: "Any" = line.split(",")
    parts[0] = value(parts[0])
    special = '"' in line or "(" in line
    closing = ""
    count = 0
    for part in parts:  # in place: a second list would cost as much as all else
        if closing:
            part = parts[count - 1] + "," + part
        else:
            count += 1
            if special:
                part = part.lstrip()
                closing = '"' if part.startswith('"') else ")" if part.startswith("(") else ""
        if not closing:
            part = part.strip() or None
        elif len(part) > 1 and part.rstrip().endswith(closing):
            part = part.rstrip()
            if closing == '"':
                part = part[1:-1]
            closing = ""
        parts[count - 1] = part
    if closing:  # never closed: all the rest
        part = parts[count - 1].rstrip()
        parts[count - 1] = part[1:] if closing == '"' else part
    del parts[count:]
    return parts if count > 1 or parts[0] is not None else []


class Raw:
    """A parameter sent as it is, without quotes. Still refused when it could break out of the line."""

    def __init__(self, text: str) -> None:
        self.text = text


class Secret:
    """A quoted parameter that appears in no trace, exception or repr (PSK, PIN). `bare` leaves the quotes out."""

    def __init__(self, text: str, bare: bool = False) -> None:
        self.text = text
        self.bare = bare


def joined(values: "Sequence[object]", secrets: list[bytes]) -> bytes:
    """The parameters of a write command: str quoted, int bare, None empty, bytes as hex digits, Raw as it is.

    The secret ones are remembered. ValueError for a float (it is text made by the codec: boards have 32-bit floats) and for
    anything else.
    """
    parts = []
    for value in values:
        bare = isinstance(value, Raw)
        if isinstance(value, Secret):
            remember(value.text.encode(), secrets)
            bare = value.bare
        if isinstance(value, (Raw, Secret)):
            value = value.text
        if isinstance(value, str):
            if '"' in value and not bare:
                raise ValueError("a quote inside a string parameter would end it early: send it as hex (bytes)")
            parts.append(value if bare else '"' + value + '"')
        elif value is None:
            parts.append("")
        elif isinstance(value, (int, bool)):  # in MicroPython bool is no int
            parts.append(str(int(value)))
        elif isinstance(value, (bytes, bytearray, memoryview)):
            parts.append(hexlify(bytes(value)).decode().upper())
        else:
            raise ValueError("no parameter is written as %s: give str, int, bytes, None, Raw or Secret" % type(value).__name__)
    return ",".join(parts).encode()


def remember(secret: bytes, secrets: list[bytes]) -> None:
    """Once secret, secret for ever: modules echo it now and print it back later."""
    if secret and secret not in secrets:
        secrets.append(secret)
