"""Parameters on their way out: quoting what must be, refusing what could break out of a command.

    >>> joined((0, "a.example.org", 5683, None, Raw("UQ"), b"\\x01\\xff"), [])
    b'0,"a.example.org",5683,,UQ,01FF'
"""

from binascii import hexlify

from lwnode.at.errors import AtError
from micropython import const

TYPE_CHECKING = const(False)
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
    if isinstance(value, (int, bool)):  # in MicroPython bool is no int
        return str(int(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return hexlify(bytes(value)).decode().upper()
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, Secret):
        return value.text if value.bare else _quoted(value.text)
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


def refuse(command: bytes, running: bool, limit: int) -> None:
    """Say why a line cannot be sent. Its text is not repeated: it may be secret."""
    if running:
        raise AtError("a command is running: a hook that is called inside one may not send, wait or poll")
    if limit and len(command) > limit + 1:
        raise ValueError("the command has %d characters, the module takes %d" % (len(command) - 1, limit))
    raise ValueError("the command would end early: CR, LF, NUL, Ctrl-Z, ESC or an open quote is in it")
