"""The trace: every byte in and out, by whole lines, with secrets painted over. Loaded when somebody traces.

What has been a secret once is painted over in both directions for ever: modules echo it and print it back. No run of
eight characters of a secret appears, also where a URC or noise cuts it, and also where the stream is cut into
pieces: the last bytes given out are remembered, and what completes a run with them is painted over.
"""

from lwnode.at.secrets import ANSWER
from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Callable

_RUN = const(8)  # as long a piece of a secret never shows; shorter secrets never show whole
_HEAD = const(64)  # bytes of a line's beginning and end that are remembered once they are given out
_LIMIT = const(1024)  # bytes of a line that has not ended that are kept back


def redact(data: bytes, secrets: list[bytes], context: bytes = b"") -> bytes:
    """`data` with stars for what belongs to a secret, also together with the `context` given out before it."""
    stream = bytes(context) + bytes(data)
    lower = stream.lower()
    painted = bytearray(stream)
    for secret in secrets:
        if secret[:1] == ANSWER:
            _cover(painted, stream, secret[1:])
        else:
            _paint(painted, lower, secret.lower())
    return bytes(painted[len(context) :])


def _paint(painted: bytearray, stream: bytes, secret: bytes) -> None:
    """Stars over every run of the secret; digits of a key may come back in the other case."""
    size = min(_RUN, len(secret))
    for start in range(len(secret) - size + 1):
        run = secret[start : start + size]
        found = stream.find(run)
        while found >= 0:
            painted[found : found + size] = b"*" * size
            found = stream.find(run, found + 1)


def _cover(painted: bytearray, stream: bytes, name: bytes) -> None:
    """Stars over all that follows this name in a line: an answer may hold a key that nobody here has known before."""
    found = stream.find(name)
    while found >= 0:
        start = found + len(name)
        if stream[start : start + 1] in (b":", b" ", b","):
            end = start + 1
            while end < len(stream) and stream[end] not in b"\r\n":
                end += 1
            painted[start:end] = b"*" * (end - start)
        found = stream.find(name, found + 1)


class Tracer:
    """Collects what comes in until a line ends, then gives it to `tap`, redacted."""

    def __init__(self, tap: "Callable[[str, bytes], object]", secrets: list[bytes]) -> None:
        self._tap = tap
        self._secrets = secrets
        self._pending = bytearray()
        self._shown = b""  # what was given out of a line that has not ended, as it was

    def received(self, data: "Any") -> None:
        """Bytes from the module."""
        self._pending.extend(data)
        end = max(self._pending.rfind(b"\r"), self._pending.rfind(b"\n")) + 1
        if end:
            self._give_out(end)
        elif len(self._pending) > _LIMIT:
            self._give_out(len(self._pending))

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
