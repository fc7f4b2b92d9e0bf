"""The trace: every byte in and out, by whole lines, with secrets painted over.

What has been a secret once is painted over in both directions for ever: modules echo it and print it back. No run of
eight characters of a secret appears, also where a URC or noise cuts it, and also where the stream is cut into
pieces: the last bytes given out are remembered, and what completes a run with them is painted over.
"""

from lwnode.at.fields import fields, remember
from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Callable

_RUN = const(8)  # as long a piece of a secret never shows; shorter secrets never show whole
_HEAD = const(64)  # bytes of a line's beginning and end that are remembered once they are given out
_LIMIT = const(1024)  # bytes of a line that has not ended that are kept back


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
