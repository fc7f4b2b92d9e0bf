"""What comes by length, with quotes, commas, line ends, OK or ERROR inside; and prompts. Loaded on first use.

    +QLWRD: 12,0                                                    after an information line: send(payload=...)
    OK, and ERROR
    +QLWURC: "write",27,19,0,0,1,12,"a "b", OK",0                   inside a line: subscribe(..., payload=...)

A length that lies (a BC26 declared 27 with 13 bytes of data) costs 200 ms of silence; then what came is lines again.
"""

from lwnode.at.names import matches
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_STALL_MS = const(200)
_STEP_MS = const(50)


def length(payload: "Callable[[str], int]", text: str) -> int:
    """What a payload function says about a text that may be damaged: 0 when it says nothing sensible."""
    try:
        return max(0, int(payload(text)))
    except (ValueError, IndexError, TypeError, AttributeError, KeyError):
        return 0


class Framing:
    """Which lines hold values by length, and how long one that stopped coming is waited for."""

    def __init__(self) -> None:
        self._payloads: "list[tuple[str, Callable[[str], int]]]" = []
        self._given_up = False  # the next line stays as it is
        self._missing = 0
        self._since = 0

    def declare(self, prefix: str, payload: "Callable[[str], int] | None") -> None:
        """Lines of that name hold a value by length, or no longer do."""
        self._payloads = [entry for entry in self._payloads if entry[0] != prefix]
        if payload is not None:
            self._payloads.append((prefix, payload))

    def cut(self, text: str, rx: "Any") -> bool:
        """Was this line cut by a line end inside its value? Then it goes back until the rest is there."""
        if self._given_up or rx.by_length:
            self._given_up = False
            return False
        for prefix, payload in self._payloads:
            if matches(text, prefix):
                stop = rx.first + _least(text, payload)
                if stop < rx.start:
                    return False
                if stop - rx.first >= len(rx.bytes):
                    rx.stats.overruns += 1
                    return False
                rx.start = rx.first
                rx.searched = stop
                return True
        return False

    def patience(self, client: "Any") -> int:
        """Milliseconds to wait for more of a value; nothing came for 200 ms: give it up."""
        rx = client._rx
        missing = rx.special.missing(rx) if rx.special is not None else max(0, rx.searched - rx.end)
        now = client.clock.ticks_ms()
        if missing != self._missing:
            self._missing = missing
            self._since = now
        elif missing and client.clock.ticks_diff(now, self._since) >= _STALL_MS:
            self._missing = 0
            self._given_up = rx.special is None
            rx.special = None
            rx.searched = rx.start
            rx.stats.garbage += 1
            return 0
        return _STEP_MS if missing else 500


def _least(text: str, payload: "Callable[[str], int]") -> int:
    """Bytes that the line has at least, by its declared length; 0 when it declares none."""
    comma = text.find(",")
    while comma >= 0:
        head = text[: comma + 1]
        count = length(payload, head)
        if count:
            quotes = 2 if text[comma + 1 : comma + 2] == '"' else 0
            return len(head.encode()) + count + quotes
        comma = text.find(",", comma + 1)
    return 0


class Counted:
    """The next so many bytes, as they are, after the line handed out last."""

    def __init__(self, rx: "Any", count: int) -> None:
        self._count = count
        self._skip_lf = rx.bytes[rx.start - 1] == 13  # the other half of its line end

    def next(self, rx: "Any") -> str | None:
        if self._skip_lf and rx.start < rx.end:
            self._skip_lf = False
            if rx.bytes[rx.start] == 10:
                rx.start += 1
        start = rx.start
        if rx.end - start < self._count:
            return None
        rx.start = rx.searched = start + self._count
        rx.special = None
        rx.by_length = True
        return rx.text(start, rx.start)  # type: ignore[no-any-return]

    def missing(self, rx: "Any") -> int:
        return max(1, self._count - (rx.end - rx.start))


class Prompt:
    """A prompt at the start of a line, once. Its line has no end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._bytes = text.encode()

    def next(self, rx: "Any") -> str | None:
        buf = rx.bytes
        while rx.start < rx.end and not 32 < buf[rx.start] < 127:
            rx.start += 1
        if buf.startswith(self._bytes, rx.start) and rx.end - rx.start >= len(self._bytes):
            rx.start += len(self._bytes)
            while rx.start < rx.end and buf[rx.start] in b"> ":
                rx.start += 1
            rx.searched = rx.start
            rx.special = None
            rx.by_length = False
            return self.text
        rx.special = None
        text = rx.next()
        rx.special = self
        return text  # type: ignore[no-any-return]

    def missing(self, rx: "Any") -> int:
        return 0
