"""Lines that hold a value by length, with quotes, commas, line ends, OK or ERROR inside. Loaded by the first of them.

    +QLWURC: "write",27,19,0,0,1,12,"a \"b\"\r\nOK\r\n",0

The family file says with `subscribe(prefix, handler, payload)` where the value begins and how long it is.
A length that lies (BC26 declared 27 with 13 bytes of data) costs 200 ms of silence, then what came is lines again.
"""

from lwnode.at.params import fields, matches
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_STALL_MS = const(200)


class Framing:
    """Which names have values by length."""

    def __init__(self) -> None:
        self._payloads: "list[tuple[str, Callable[[str], int]]]" = []

    def declare(self, prefix: str, payload: "Callable[[str], int] | None") -> None:
        self._payloads = [entry for entry in self._payloads if entry[0] != prefix]
        if payload is not None:
            self._payloads.append((prefix, payload))

    def cut(self, text: str, rx: "Any") -> bool:
        """Was this line cut by a line end inside its value? Then the buffer has been told to wait for the rest."""
        for prefix, payload in self._payloads:
            if matches(text, prefix):
                return bool(rx.hold(_least(text, payload)))
        return False


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


def length(payload: "Callable[[str], int]", text: str) -> int:
    """What a payload function says about a text that may be damaged: 0 when it says nothing sensible."""
    try:
        return max(0, int(payload(text)))
    except (ValueError, IndexError, TypeError, AttributeError):
        return 0


def split_payloads(lines: list[str], payload: "Callable[[str], int]") -> "list[list[str | None]]":
    """The fields of information lines; a payload that follows one stays whole."""
    found: "list[list[str | None]]" = []
    follows = False
    for text in lines:
        found.append([text] if follows else fields(text))
        follows = not follows and length(payload, text) > 0
    return found


class Stall:
    """Has a value by length made no progress for 200 ms? Then it is given up."""

    def __init__(self) -> None:
        self._missing = 0
        self._since = 0

    def noticed(self, rx: "Any", clock: "Any") -> bool:
        now = clock.ticks_ms()
        missing = rx.missing()
        if missing != self._missing:
            self._missing = missing
            self._since = now
        elif clock.ticks_diff(now, self._since) >= _STALL_MS:
            self._missing = 0
            rx.release()
            return True
        return False
