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
        if secret[:1] == b"\0":
            name = secret[1:]
            start = stream.find(name)
            while start >= 0:
                end = start + len(name)
                if stream[end : end + 1] in (b":", b" ", b","):
                    while end + 1 < len(stream) and stream[end + 1] not in b"\r\n":
                        end += 1
                        painted[end] = 42
                start = stream.find(name, start + 1)
            continue
        secret = secret.lower()
        size = min(_RUN, len(secret))
        for first in range(len(secret) - size + 1):
            run = secret[first : first + size]
            start = lower.find(run)
            while start >= 0:
                painted[start : start + size] = b"*" * size
                start = lower.find(run, start + 1)
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
            self._give_out(end or len(self._pending))

    def sent(self, data: "Any") -> None:
        """Bytes to the module; what came in before is given out before."""
        self.flush()
        self._tap("tx", redact(data, self._secrets))

    def flush(self) -> None:
        """Give out a line that has not ended."""
        if self._pending:
            self._give_out(len(self._pending))

    def _give_out(self, end: int) -> None:
        data = bytes(self._pending[:end])
        self._pending = self._pending[end:]
        self._tap("rx", redact(data, self._secrets, self._shown))
        line = self._shown + data
        line = line[max(line.rfind(b"\r"), line.rfind(b"\n")) + 1 :]
        self._shown = line if len(line) <= 2 * _HEAD else line[:_HEAD] + line[-_HEAD:]
