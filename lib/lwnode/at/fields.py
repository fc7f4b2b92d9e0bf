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
    if '"' not in line and "(" not in line:
        parts: "Any" = line.split(",")
        start = parts[0].find(":") + 1
        if start and not parts[0].startswith("//", start):
            parts[0] = parts[0][start + parts[0].startswith(" ", start) :]
        for index in range(len(parts)):
            parts[index] = parts[index].strip() or None
        return parts if len(parts) > 1 or parts[0] else []
    line = value(line)
    found: "list[str | None]" = []
    start = 0
    while start >= 0:
        while line.startswith(" ", start):
            start += 1
        stop = line.find(",", start)
        if line.startswith('"', start):
            stop = _close(line, start, '"')
        elif line.startswith("(", start):
            stop = _close(line, start, ")")
        part = (line[start:] if stop < 0 else line[start:stop]).rstrip()
        if part.startswith('"'):
            found.append(part[1:-1] if part.endswith('"') and part != '"' else part[1:])
        else:
            found.append(part or None)
        start = stop + 1 or -1
    return found


def _close(line: str, start: int, closing: str) -> int:
    """Index of the comma behind a quoted or bracketed field, or -1."""
    stop = line.find(closing, start + 1)
    while stop >= 0:
        following = line[stop + 1 :].lstrip()
        if not following or following.startswith(","):
            break
        stop = line.find(closing, stop + 1)
    return line.find(",", stop) if stop >= 0 else -1


class Raw:
    """A parameter sent as it is, without quotes. Still refused when it could break out of the line."""

    def __init__(self, text: str) -> None:
        self.text = text


class Secret:
    """A quoted parameter that appears in no trace, exception or repr (PSK, PIN). `bare` leaves the quotes out."""

    def __init__(self, text: str, bare: bool = False) -> None:
        self.text = text
        self.bare = bare

    def __repr__(self) -> str:
        return "Secret(***)"


def parameter(value: object) -> str:
    """One parameter as it is written: str quoted, int bare, None empty, bytes as hex digits, Raw as it is.

    ValueError for a float (it is text made by the codec: boards have 32-bit floats) and for anything else.
    """
    if isinstance(value, Secret):
        if value.bare:
            return value.text
        value = value.text
    if isinstance(value, str):
        if '"' in value:
            raise ValueError("a quote inside a string parameter would end it early: send it as hex (bytes)")
        return '"' + value + '"'
    if value is None:
        return ""
    if isinstance(value, (int, bool)):  # in MicroPython bool is no int
        return str(int(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return hexlify(bytes(value)).decode().upper()
    if isinstance(value, Raw):
        return value.text
    raise ValueError("no parameter is written as %s: give str, int, bytes, None, Raw or Secret" % type(value).__name__)


def joined(values: "Sequence[object]", secrets: list[bytes]) -> bytes:
    """The parameters of a write command; the secret ones are remembered."""
    for value in values:
        if isinstance(value, Secret):
            remember(value.text.encode(), secrets)
    return ",".join([parameter(value) for value in values]).encode()


def remember(secret: bytes, secrets: list[bytes]) -> None:
    """Once secret, secret for ever: modules echo it now and print it back later."""
    if secret and secret not in secrets:
        secrets.append(secret)
