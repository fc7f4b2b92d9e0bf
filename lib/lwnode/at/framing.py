"""What does not come by lines: values by length, and prompts. Loaded on first use.

    +QLWRD: 12,0                                                    after an information line: send(payload=...)
    OK, and ERROR
    +QLWURC: "write",27,19,0,0,1,12,"a "b", OK",0                   inside a line: subscribe(..., payload=...)

Quotes, commas, line ends, OK and ERROR inside a value mean nothing. A length that lies (a BC26 declared 27 with 13
bytes of data) costs 200 ms of silence; then what came is lines again.
"""

from lwnode.at.names import matches
from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Callable

    Payload = Callable[[str], int]

_STALL_MS = const(200)
_STEP_MS = const(50)


def length(payload: "Payload", text: str) -> int:
    """What a payload function says about a text that may be damaged: 0 when it says nothing sensible."""
    try:
        return max(0, int(payload(text)))
    except (ValueError, IndexError, TypeError, AttributeError, KeyError):
        return 0


class Framing:
    """Stands between the receive buffer and who wants lines. One per buffer, once it is needed."""

    def __init__(self) -> None:
        self.by_length = False  # what was handed out last is a value, not a line
        self.prompt = b""  # due at a line's start, once
        self._payloads: "list[tuple[bytes, Payload]]" = []
        self._count = 0  # so many bytes come next, as they are
        self._skip_lf = False
        self._held = False  # the next line is one that was put back: it is as whole as it will be
        self._stop = 0  # where its value ends
        self._need = 0  # bytes of a line to have before it can be judged
        self._missing = 0
        self._since = 0

    def declare(self, prefix: bytes, payload: "Payload | None") -> None:
        """Lines of that name hold a value by length, or no longer do."""
        self._payloads = [entry for entry in self._payloads if entry[0] != prefix]
        if payload is not None:
            self._payloads.append((prefix, payload))

    def expect(self, rx: "Any", count: int) -> None:
        """After the line handed out last come `count` bytes, as they are."""
        self._count = count
        self._skip_lf = rx.bytes[rx.start - 1] == 13  # the other half of its line end

    def clear(self) -> None:
        """Lines only, from now on."""
        self._count = 0
        self.prompt = b""

    def forget(self) -> None:
        """What was in the buffer is gone."""
        self._held = False
        self._need = 0

    def scan(self, rx: "Any") -> "bytearray | None":
        """The next value, prompt or line."""
        self.by_length = False
        if self._count:
            return self._scan_value(rx)
        if self.prompt and self._prompt_is_here(rx):
            prompt = bytearray(self.prompt)
            self.prompt = b""
            return prompt
        if rx.end - rx.start < self._need:
            return None
        self._need = 0
        line: "bytearray | None" = rx.scan()
        if line is None or not self._payloads:
            return line
        if self._held:
            self._held = False
            if rx.first + len(line) < self._stop:  # what looks like noise at its end belongs to the value
                return rx.bytes[rx.first : self._stop]  # type: ignore[no-any-return]
        elif self._is_cut(line, rx):
            return self.scan(rx)
        return line

    def _scan_value(self, rx: "Any") -> "bytearray | None":
        start = rx.start
        if self._skip_lf and start < rx.end:
            self._skip_lf = False
            if rx.bytes[start] == 10:
                rx.start = start = start + 1
        stop = start + self._count
        if self._skip_lf or stop > rx.end:
            return None
        rx.start = rx.searched = stop
        self._count = 0
        self.by_length = True
        return rx.bytes[start:stop]  # type: ignore[no-any-return]

    def _prompt_is_here(self, rx: "Any") -> bool:
        buf = rx.bytes
        start = rx.start
        end = rx.end
        while start < end and not 32 < buf[start] < 127:
            start += 1
        if buf[start : min(end, start + len(self.prompt))] != self.prompt:
            return False
        start += len(self.prompt)
        while start < end and buf[start] in b"> ":
            start += 1
        rx.start = rx.searched = start
        return True

    def _is_cut(self, line: bytearray, rx: "Any") -> bool:
        """Was this line cut by a line end inside its value? Then it goes back until the rest is there."""
        for prefix, payload in self._payloads:
            if matches(line, prefix):
                least = self._least(rx, rx.client._text(line), payload)
                if max(least, self._need) >= rx.size:
                    self._need = 0
                    rx.stats.overruns += 1
                    return False
                value = rx.bytes[rx.first : rx.first + least]
                if not self._need and b"\r" not in value and b"\n" not in value:
                    return False
                self._held = not self._need
                rx.start = rx.first
                rx.searched = self._stop = rx.first + least
                return True
        return False

    def _least(self, rx: "Any", text: str, payload: "Payload") -> int:
        """Bytes that the line has at least, by its declared length; 0 when it declares none, or cannot be judged yet."""
        comma = text.find(",")
        while comma >= 0:
            head = text[: comma + 1]
            count = length(payload, head)
            if count:
                least = len(head.encode()) + count
                if not text.startswith('"', comma + 1):
                    return least
                # A quote is around the value, or is its first character: what stands behind the value tells.
                if rx.end - rx.first < least + 2:
                    self._need = least + 2
                    return 0
                return least + 2 if rx.bytes[rx.first + least + 1] == 34 else least
            comma = text.find(",", comma + 1)
        return 0

    def patience(self, rx: "Any", clock: "Any") -> int:
        """Milliseconds to wait for more. When nothing came of a value for 200 ms it is given up."""
        awaited = self._count or self._need
        missing = awaited + rx.start - rx.end if awaited else rx.searched - rx.end
        now = clock.ticks_ms()
        if missing <= 0:
            self._missing = 0
            return 500
        if missing != self._missing:
            self._missing = missing
            self._since = now
        elif clock.ticks_diff(now, self._since) >= _STALL_MS:
            self._held = not self._count
            self._count = self._missing = self._need = 0
            rx.searched = self._stop = rx.start
            rx.stats.garbage += 1
            return 0
        return _STEP_MS


def framing(rx: "Any") -> Framing:
    """The buffer's, made on first use."""
    if rx.framing is None:
        rx.framing = Framing()
    return rx.framing  # type: ignore[no-any-return]
