"""Parameters on their way out and in: quoting, refusing, splitting. Nothing is converted to a number.

    >>> joined((0, "a.example.org", 5683, None, Raw("UQ"), b"\\x01\\xff"), [])
    '0,"a.example.org",5683,,UQ,01FF'
    >>> fields('+CCLK: "20/04/05,15:38:02+08",,0000')
    ['20/04/05,15:38:02+08', None, '0000']
"""

from binascii import hexlify

from lwnode.at.errors import AtError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence


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


def _quoted(text: str) -> str:
    if '"' in text:
        raise ValueError("a quote inside a string parameter would end it early: send it as hex (bytes)")
    return '"' + text + '"'


def parameter(value: object) -> str:
    """One parameter as it is written: str quoted, int bare, None empty, bytes as hex digits, Raw as it is.

    ValueError for a float (it is text made by the codec: boards have 32-bit floats) and for anything else.
    """
    if isinstance(value, str):
        return _quoted(value)
    if value is None:
        return ""
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return hexlify(value).decode().upper()
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, Secret):
        return value.text if value.bare else _quoted(value.text)
    raise ValueError("no parameter is written as %s: give str, int, bytes, None, Raw or Secret" % type(value).__name__)


def joined(values: "Sequence[object]", secrets: list[str]) -> str:
    """The parameters of a write command; the secret ones are remembered."""
    for value in values:
        if isinstance(value, Secret):
            remember(value.text, secrets)
    return ",".join([parameter(value) for value in values])


def remember(secret: str, secrets: list[str]) -> None:
    """Once secret, secret for ever: modules echo it now and print it back later."""
    if secret and secret not in secrets:
        secrets.append(secret)


def refuse(line: str, running: bool, limit: int) -> None:
    """Say why a line cannot be sent. Its text is not repeated: it may be secret."""
    if running:
        raise AtError("a command is running: handlers run between commands, hooks inside one may not send")
    if limit and len(line) > limit:
        raise ValueError("the command has %d characters, the module takes %d" % (len(line), limit))
    raise ValueError("the command would end early: CR, LF, NUL, Ctrl-Z, ESC or an open quote is in it")


def fields(line: str) -> list[str | None]:
    """The parameters after the line's own name: unquoted, None where empty, (0,1) kept whole.

    A quote ends a string only before a comma or the end, so a quote inside a text does no harm.
    """
    text = _after_name(line)
    if '"' in text or "(" in text:
        return _split_quoted(text)
    parts: list[str | None] = text.split(",") if text else []  # type: ignore[assignment]
    for index in range(len(parts)):
        parts[index] = parts[index].strip() or None  # type: ignore[union-attr]
    return parts


def _after_name(line: str) -> str:
    """Modules write +NAME: 1, +NAME:1 and +NAME :1; a line without a name is all parameters."""
    colon = line.find(":")
    if colon < 0 or "," in line[:colon] or '"' in line[:colon] or line.startswith("//", colon + 1):
        return line
    return line[colon + 1:].strip()


def _split_quoted(text: str) -> list[str | None]:
    found: list[str | None] = []
    start = 0
    while start <= len(text):
        stop = _end_of_field(text, start)
        part = text[start:stop].strip()
        if part[:1] == '"':
            found.append(part[1:-1] if part[-1] == '"' and len(part) > 1 else part[1:])
        else:
            found.append(part or None)
        start = stop + 1
    return found


def _end_of_field(text: str, start: int) -> int:
    """Where the comma is that ends the field, or the end of the text."""
    while text[start:start + 1] == " ":
        start += 1
    opening = text[start:start + 1]
    closing = '"' if opening == '"' else ")" if opening == "(" else ""
    while closing:
        start = text.find(closing, start + 1)
        if start < 0:
            break
        following = text[start + 1:].lstrip()
        if not following or following[0] == ",":
            break
    comma = text.find(",", start) if start >= 0 else -1
    return comma if comma >= 0 else len(text)
