"""What does not come by lines: values by length, and prompts. Loaded on first use.

    +QLWRD: 12,0                                                    after an information line: send(payload=...)
    OK, and ERROR
    +QLWURC: "write",27,19,0,0,1,12,"a "b", OK",0                   inside a line: subscribe(..., payload=...)

Quotes, commas, line ends, OK and ERROR inside a value mean nothing. A length that lies (a BC26 declared 27 with 13
bytes of data) costs 200 ms of silence; then what came is lines again.
"""

from lwnode.at.names import matches
from micropython import const

TYPE_CHECKING = False
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
    """Stands between the receive buffer and who wants lines. One per client, once it is needed."""

    def __init__(self) -> None:
        self.by_length = False  # what was handed out last is a value, not a line
        self.prompt = b""  # due at a line's start, once
        self._payloads: "list[tuple[bytes, Payload]]" = []
        self._count = 0  # so many bytes come next, as they are
        self._skip_lf = False
        self._as_it_is = False  # the next line was given up to be whole
        self._missing = 0
        self._since = 0

    def declare(self, prefix: bytes, payload: "Payload | None") -> None:
        """Lines of that name hold a value by length, or no longer do."""
        self._payloads = [entry for entry in self._payloads if entry[0] != prefix]
        if payload is not None:
            self._payloads.append((prefix, payload))

    def expect(self, client: "Any", count: int) -> None:
        """After the line handed out last come `count` bytes, as they are."""
        self._count = count
        self._skip_lf = client._rx[client._start - 1] == 13  # the other half of its line end

    def clear(self) -> None:
        """Lines only, from now on."""
        self._count = 0
        self.prompt = b""

    def scan(self, client: "Any") -> "bytearray | None":
        """The next value, prompt or line."""
        self.by_length = False
        if self._count:
            return self._scan_value(client)
        if self.prompt and self._prompt_is_here(client):
            prompt = bytearray(self.prompt)
            self.prompt = b""
            return prompt
        line: "bytearray | None" = client._scan()
        if line is not None and self._payloads and self._is_cut(line, client):
            return self.scan(client) if client._searched < client._end else None
        return line

    def _scan_value(self, client: "Any") -> "bytearray | None":
        start = client._start
        if self._skip_lf and start < client._end:
            self._skip_lf = False
            if client._rx[start] == 10:
                client._start = start = start + 1
        stop = start + self._count
        if self._skip_lf or stop > client._end:
            return None
        client._start = client._searched = stop
        self._count = 0
        self.by_length = True
        return client._rx[start:stop]  # type: ignore[no-any-return]

    def _prompt_is_here(self, client: "Any") -> bool:
        rx = client._rx
        start = client._start
        end = client._end
        while start < end and not 32 < rx[start] < 127:
            start += 1
        if rx[start : min(end, start + len(self.prompt))] != self.prompt:
            return False
        start += len(self.prompt)
        while start < end and rx[start] in b"> ":
            start += 1
        client._start = client._searched = start
        return True

    def _is_cut(self, line: bytearray, client: "Any") -> bool:
        """Was this line cut by a line end inside its value? Then it goes back until the rest is there."""
        as_it_is = self._as_it_is
        self._as_it_is = False
        for prefix, payload in self._payloads:
            if not as_it_is and matches(line, prefix):
                least = _least(client._text(line), payload)
                if least <= client._start - 1 - client._first:
                    return False
                if least >= len(client._rx):
                    client.stats.overruns += 1
                    return False
                client._start = client._first
                client._searched = client._start + least
                return True
        return False

    def patience(self, client: "Any") -> int:
        """Milliseconds to wait for more. When nothing came of a value for 200 ms it is given up."""
        missing = self._count + client._start - client._end if self._count else client._searched - client._end
        now = client.clock.ticks_ms()
        if missing <= 0:
            self._missing = 0
            return 500
        if missing != self._missing:
            self._missing = missing
            self._since = now
        elif client.clock.ticks_diff(now, self._since) >= _STALL_MS:
            self._as_it_is = not self._count
            self._count = self._missing = 0
            client._searched = client._start
            client.stats.garbage += 1
            return 0
        return _STEP_MS


def _least(text: str, payload: "Payload") -> int:
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


def framing(client: "Any") -> Framing:
    """The client's, made on first use."""
    if client._framing is None:
        client._framing = Framing()
    return client._framing  # type: ignore[no-any-return]
