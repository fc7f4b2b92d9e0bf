"""Names, fields, parameters and secrets: what stands in a line, on its way in and out, and what of it a trace may show.

    >>> fields('+CCLK: "20/04/05,15:38:02+08",,0000')
    ['20/04/05,15:38:02+08', None, '0000']
    >>> joined((0, "a.example.org", 5683, None, Raw("UQ"), b"\\x01\\xff"), [])
    b'0,"a.example.org",5683,,UQ,01FF'

Nothing is converted on its way in: 0000 may be a payload. What could break out of a command is refused on its way out.

The trace has every byte in and out, by whole lines, with secrets painted over. What has been a secret once is painted over in
both directions for ever: modules echo it and print it back. No run of eight characters of a secret appears, also where a URC
or noise cuts it, and also where the stream is cut into pieces: the last bytes given out are remembered, and what completes a
run with them is painted over.
"""

from binascii import hexlify

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Callable, Sequence

_RUN = const(8)  # as long a piece of a secret never shows; shorter secrets never show whole
_HEAD = const(64)  # bytes of a line's beginning and end that are remembered once they are given out
_LIMIT = const(1024)  # bytes of a line that has not ended that are kept back


def matches(line: "bytes | bytearray", prefix: bytes) -> bool:
    """A prefix is a whole name: a colon, blank, comma or the end follows. One that has a colon is literal."""
    if not line.startswith(prefix):
        return False
    size = len(prefix)
    return not size or len(line) == size or line[size] in b": ," or b":" in prefix


def any_matches(line: "bytes | bytearray", prefixes: "Sequence[bytes]") -> bool:
    """Has the line one of these names?"""
    for prefix in prefixes:
        if line.startswith(prefix) and matches(line, prefix):  # most are of another name: that costs no call
            return True
    return False


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
    while len(parts) > count:
        parts.pop()
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


def hide(command: bytes, secrets: list[bytes]) -> None:
    """A line whose parameters are secret: all together, and each that is long enough to be one by itself.

    Its answer is secret, too, the more so where the command only asks: AT+QLWCONFIG? prints the key of an earlier life.
    """
    name, form, values = command.strip().partition(b"=")
    remember(b"\0" + name.rstrip(b"?")[2:], secrets)  # NUL marks the name of an answer: no secret has one
    if form:
        remember(values, secrets)
        for value in fields(str(values, "utf-8")):
            if value and len(value) > 3:
                remember(value.encode(), secrets)


def redact(data: bytes, secrets: list[bytes], context: bytes = b"") -> bytes:
    """`data` with stars for what belongs to a secret, also together with the `context` given out before it.

    Of the answer of a secret command all that follows its name: it may hold a key that nobody here has known before.
    Of a secret every run; digits of a key may come back in the other case.
    """
    stream = bytes(context) + bytes(data)
    lower = stream.lower()
    painted = bytearray(stream)
    for secret in secrets:
        name = secret[:1] == b"\0"
        secret = secret.lower().lstrip(b"\0")
        size = len(secret) if name else min(_RUN, len(secret))
        for first in range(len(secret) - size + 1):
            start = lower.find(secret[first : first + size])
            while start >= 0:
                begin = start
                stop = start + size
                if name:
                    begin = stop + 1
                    if stream[stop:begin] in (b":", b" ", b","):
                        while stop < len(stream) and stream[stop] not in b"\r\n":
                            stop += 1
                for index in range(begin, stop):
                    painted[index] = 42
                start = lower.find(secret[first : first + size], start + 1)
    return bytes(painted[len(context) :])


class Tracer:
    """Collects what comes in until a line ends, then gives it to tap("rx", bytes), redacted."""

    def __init__(self, tap: "Callable[[str, bytes], object]", secrets: list[bytes]) -> None:
        self._tap = tap
        self._secrets = secrets
        self._pending = bytearray()
        self._shown = b""  # what was given out of a line that has not ended, as it was

    def received(self, data: "Any") -> None:
        """Bytes from the module."""
        self._pending.extend(data)
        end = max(self._pending.rfind(b"\r"), self._pending.rfind(b"\n")) + 1
        if end or len(self._pending) > _LIMIT:
            self.flush(end)

    def sent(self, data: "Any") -> None:
        """Bytes to the module; what came in before is given out before."""
        self.flush()
        self._tap("tx", redact(data, self._secrets))

    def flush(self, end: int = 0) -> None:
        """Give out what came in up to there; 0: all of it, also a line that has not ended."""
        data = bytes(self._pending[: end or len(self._pending)])
        if data:
            self._pending = self._pending[len(data) :]
            self._tap("rx", redact(data, self._secrets, self._shown))
            line = self._shown + data
            line = line[max(line.rfind(b"\r"), line.rfind(b"\n")) + 1 :]
            self._shown = line if len(line) <= 2 * _HEAD else line[:_HEAD] + line[-_HEAD:]
