"""One command and its answer: what is an information line, a final result, a late result, and what is none of them."""

from lwnode.at.errors import AtError, AtTimeout, CommandError
from lwnode.at.params import matches, matches_any, shown
from lwnode.at.receiver import Receiver
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Sequence

    Payload = Callable[[str], int]

_WRITE_MS = const(5000)  # a 2 KB line takes 2.1 s at 9600 baud
_REFUSALS = ("ERROR", "ABORTED", "NO CARRIER", "BUSY", "NO DIALTONE", "NO ANSWER")
# 3GPP TS 27.007: these have one field more in the answer (<n>) than in the URC.
_REGISTRATION = ("+CREG", "+CGREG", "+CEREG", "+C5GREG")


class Exchange(Receiver):
    """What AtClient is made of; not used by itself."""

    def __init__(self, uart: "Any", clock: "Any", rx_size: int) -> None:
        super().__init__(uart, clock, rx_size)
        self.is_answer: "Callable[[str, str], bool | None] | None" = None
        self._line = ""  # the command that runs, or was the last one
        self._prefix = ""  # of its information lines
        self._explicit = False  # the caller named the prefix
        self._results: "Sequence[str]" = ()  # the late ones that are armed
        self._found = ""  # the one that came
        self._prompt = ""  # armed; what then goes out:
        self._data: "bytes | Iterable[bytes] | None" = None
        self._dirty = False  # the answer was given up and may still come
        self._escape = False  # the module may be waiting for data
        self._row = 0  # timeouts in a row
        self._secrets: list[str] = []

    def _arm_prompt(self, prompt: str, data: "bytes | str | Iterable[bytes] | None") -> None:
        self._data = data.encode() if isinstance(data, str) else data
        self._prompt = prompt
        self._escape = True
        self._receive_buffer().prompt = prompt.encode()

    def _write(self, out: bytes) -> None:
        if self._trace is not None:
            self._trace.sent(out)
        sent = self.uart.write(out)
        if sent is not None and sent < len(out):
            self._write_rest(memoryview(out)[sent:])

    def _write_rest(self, rest: memoryview) -> None:
        """machine.UART takes less than it is given when its buffer is full; the module may hold us by CTS."""
        deadline = self.clock.ticks_add(self.clock.ticks_ms(), _WRITE_MS)
        while len(rest):
            sent = self.uart.write(rest) or 0
            rest = rest[sent:]
            if not sent:
                if self._left(deadline) <= 0:
                    raise AtTimeout("the UART takes no bytes: is CTS held, or is the module off?")
                if self.idle is not None:
                    self.idle()
                self.clock.sleep_ms(1)

    def _collect(self, lines: list[str], timeout_ms: int, payload: "Payload | None") -> bool:
        """Information lines until the final result. False: the deadline came first."""
        rx = self._receive_buffer()
        deadline = self.clock.ticks_add(self.clock.ticks_ms(), timeout_ms)
        while True:
            text = self._next(deadline)
            if text is None:
                return False
            if rx.by_length:
                lines.append(text)
                continue
            if text == "OK":
                self._answered()
                return True
            if text == self._line:
                continue  # echo
            if text == self._prompt and not rx.prompt:
                self._send_data()
                continue
            if text in _REFUSALS or text.startswith("+CM"):
                self._refused(text)
            if self._results and self._is_result(text):
                continue
            if self._is_mine(text):
                lines.append(text)
                if payload is not None:
                    self._expect_payload(payload, text)
            else:
                self._unclaimed(text)

    def _expect_payload(self, payload: "Payload", text: str) -> None:
        from lwnode.at.framing import length

        count = length(payload, text)
        if count and not self._receive_buffer().expect(count):
            raise AtError("a payload of %d bytes does not fit into rx_size %d" % (count, self.rx_size))

    def _is_mine(self, text: str) -> bool:
        """Is it an information line of this command, or a URC that happens to have its name?"""
        prefix = self._prefix
        if not matches(text, prefix):
            return False
        if self.is_answer is not None:
            verdict = self.is_answer(self._line, text)
            if verdict is not None:
                return verdict
        if self._explicit and prefix:
            return True
        if not prefix:  # anything that looks like nobody else's
            return (self._explicit or text[0] not in "+#*^") and self._handler(text, True) is None
        if prefix in _REGISTRATION:
            return _answers_registration(self._line, text)
        if self._handler(text, True) is None:
            return True
        return self._line[-1] == "?" or "=" not in self._line

    def _is_late(self, text: str) -> bool:
        return self._dirty and not self._running and self._prefix != "" and self._is_mine(text)

    def _is_result(self, text: str) -> bool:
        """A late result, armed before the command went out, comes before OK or long after."""
        if self._dirty and self._owed and matches_any(text, self._owed):
            self._owed = ()  # of the command before, which gave up waiting for it
            self.stats.late += 1
            return True
        if self._found or not matches_any(text, self._results):
            return False
        self._found = text
        return True

    def _collect_result(self, lines: list[str], timeout_ms: int) -> bool:
        deadline = self.clock.ticks_add(self.clock.ticks_ms(), timeout_ms)
        while not self._found:
            text = self._next(deadline)
            if text is None:
                return False
            if not self._is_result(text):
                self._unclaimed(text)
        if self._found[-5:] == " FAIL" and self._found not in self._results and self._found[:-5] not in self._results:
            raise CommandError(None, self._found, shown(self._line))
        lines.append(self._found)
        return True

    def _answered(self) -> None:
        """A final result came: the module lives and owes nothing."""
        self._dirty = self._escape = self._booted = False
        self._row = 0

    def _refused(self, text: str) -> None:
        """Raise CommandError if this is a final result that says no."""
        code: int | None = None
        kind = ""
        words = text
        if text[0] == "+":
            where = text.find("ERROR")
            kind = text[:where].strip() if where > 0 else ""
            if kind not in ("+CME", "+CMEE", "+CMS"):
                return
            kind += " ERROR"
            words = text[where + 5 :].strip(" :")
            try:
                code = int(words)
            except ValueError:
                pass
        self._answered()
        raise CommandError(code, self._redacted(words), shown(self._line), kind)

    def _send_data(self) -> None:
        """The prompt came. Bytes go out as they are, in pieces, so that one that is short of RAM may make them."""
        data = self._data
        self._prompt = ""
        self._data = None
        if data is None:
            return
        pieces = (data,) if isinstance(data, (bytes, bytearray, memoryview)) else data
        for piece in pieces:
            self._write(piece)

    def _redacted(self, text: str) -> str:
        if not self._secrets:
            return text
        from lwnode.at.trace import redact

        return redact(text.encode(), self._secrets).decode()


def _answers_registration(line: str, text: str) -> bool:
    """+CEREG: 2,5,"1A2B" answers AT+CEREG?, +CEREG: 5,"1A2B" is the URC."""
    if line[-2:] == "=?":
        return True
    second = text.find(",") + 1
    return line[-1] == "?" and second > 0 and text[second:].lstrip()[:1] != '"'
