"""The speaking half of the client: a command out, its answer in, and nothing else taken for it."""

from lwnode.at.errors import CommandError
from lwnode.at.names import REGISTRATION, answer_name, answers_registration, matches
from lwnode.at.receiver import Receiver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Sequence

    Payload = Callable[[str], int]

_REFUSALS = ("ERROR", "ABORTED", "NO CARRIER", "BUSY", "NO DIALTONE", "NO ANSWER")


class AtClient(Receiver):
    """One module on one UART. See lwnode.at for a session.

    Hooks: `idle()` in every wait, at least every 500 ms; it may raise BudgetExceeded.
    `before_send(idle_ms)` before a command, with the time since the last one ended; it may send.
    `on_timeouts(count)` at each timeout in a row; it may send. `on_restart(line)` at a boot banner; it may not.
    `is_answer(command, line)` True, False or None (no opinion) where a URC has the name of an answer.
    `banners` names of lines that only a booting module sends. `line_limit` characters of a command, 0 = no limit.
    """

    def __init__(
        self,
        uart: "Any",
        clock: "Any",
        rx_size: int = 1536,
        gap_ms: int = 20,
        trace: "Callable[[str, bytes], object] | None" = None,
    ) -> None:
        super().__init__(uart, clock, rx_size)
        self.gap_ms = gap_ms  # between a final result and the next command
        self.before_send: "Callable[[int], object] | None" = None
        self.on_timeouts: "Callable[[int], object] | None" = None
        self.is_answer: "Callable[[str, str], bool | None] | None" = None
        self.line_limit = 0
        self._line = ""  # the command that runs, or was the last one
        self._prefix: str | None = ""  # of its information lines, where the caller named it
        self._name = ""  # of its information lines
        self._escape = False  # the module may be waiting for data
        self._row = 0  # timeouts in a row
        self._in_hook = False
        self._ended = self._deadline(-gap_ms)
        self._secrets: list[str] = []
        if trace is not None:
            self.trace_to(trace)

    def send(
        self,
        line: str,
        *,
        timeout_ms: int = 300,
        prefix: str | None = None,
        payload: "Payload | None" = None,
        data: "bytes | str | Iterable[bytes] | None" = None,
        prompt: str | None = None,
        secret: bool = False,
        result: "str | Sequence[str] | None" = None,
        result_timeout_ms: int = 0,
    ) -> list[str]:
        """Send a line and return its information lines, without the final result.

        See lwnode.at for the keywords. Raises AtTimeout at the deadline, CommandError when the module
        refuses, LinkError when it restarts, ValueError when the line could not be sent.
        """
        out = self._encode(line)
        if secret:
            self._hide(line)
        extras: "Any" = None
        if payload or result or data is not None or prompt is not None:
            from lwnode.at.extras import Extras

            extras = Extras(self, payload, data, prompt, result)
        self._make_ready(line, timeout_ms)
        self._line = line
        self._prefix = prefix
        self._name = answer_name(line) if prefix is None else prefix
        lines: list[str] = []
        self._running = self._dirty = True
        try:
            if extras is not None:
                extras.arm()
            self._write(out)
            complete = self._collect(lines, timeout_ms, extras)
            if complete and extras is not None:
                complete = extras.finish(lines, result_timeout_ms or timeout_ms)
        finally:
            self._running = False
            self._ended = self.clock.ticks_ms()
            if extras is not None:
                extras.disarm()
        if not complete:
            self._timed_out(line, timeout_ms)
        return lines

    # The manuals' four forms of a command.

    def test(self, name: str, **how: "Any") -> "list[list[str | None]]":
        """AT+X=? -> the fields of each information line."""
        return self._ask(name, "=?", how)

    def read(self, name: str, **how: "Any") -> "list[list[str | None]]":
        """AT+X? -> the fields of each information line."""
        return self._ask(name, "?", how)

    def run(self, name: str, **how: "Any") -> "list[list[str | None]]":
        """AT+X -> the fields of each information line."""
        return self._ask(name, "", how)

    def write(self, name: str, *params: object, **how: "Any") -> "list[list[str | None]]":
        """AT+X=a,b -> the fields of each information line. Parameters as in lwnode.at.params."""
        from lwnode.at.params import joined

        return self._ask(name, "=" + joined(params, self._secrets), how)

    def _ask(self, name: str, rest: str, how: "dict[str, Any]") -> "list[list[str | None]]":
        lines = self.send(("AT+" if name[:1].isalpha() else "AT") + name + rest, **how)
        if "payload" in how:
            from lwnode.at.extras import split_payloads

            return split_payloads(lines, how["payload"])
        from lwnode.at.params import fields

        return [fields(text) for text in lines]

    # What is seldom done is loaded when it is done.

    def sync(self, rates: "Sequence[int] | None" = None) -> int:
        """Find the module and bring the line into a known state: echo off, V1, Q0, CMEE 1, S3 and S4 as usual.

        `rates` are tried in turn on the UART. Returns the rate that answered, or 1 when none was to be found.
        Raises AtTimeout when the module does not answer.
        """
        from lwnode.at.sync import sync

        return sync(self, rates)

    def trace_to(self, tap: "Callable[[str, bytes], object] | None") -> None:
        """Give tap("tx" or "rx", bytes) everything from now on, by whole lines, secrets redacted; None ends it."""
        from lwnode.at.trace import Tracer

        self._trace = None if tap is None else Tracer(tap, self._secrets)

    def _hide(self, line: str) -> None:
        from lwnode.at.trace import hide

        hide(line, self._secrets)

    def _timed_out(self, line: str, timeout_ms: int) -> None:
        from lwnode.at.recovery import timed_out

        timed_out(self, line, timeout_ms)

    # Before a command.

    def _encode(self, line: str) -> bytes:
        """The bytes of a line that ends where it should; else ValueError."""
        limit = self.line_limit
        for breaker in "\r\n\0\x1a\x1b":
            if breaker in line:
                limit = 1
        if self._running or line.count('"') & 1 or 0 < limit < len(line):
            from lwnode.at.params import refuse

            refuse(line, self._running, self.line_limit)
        return (line + "\r").encode()

    def _make_ready(self, line: str, timeout_ms: int) -> None:
        """Wake the module, settle a dirty line, keep the gap, and read what came before: it is no answer to us."""
        if self.before_send is not None:
            self._call(self.before_send, -self._left(self._ended))
        if self._dirty:
            from lwnode.at.recovery import resync

            if not resync(self, timeout_ms):
                self._timed_out(line, timeout_ms)
        wait = self.gap_ms + self._left(self._ended)
        if 0 < wait <= self.gap_ms:
            self.clock.sleep_ms(wait)
        now = self.clock.ticks_ms()
        while True:
            text = self._next(now)
            if text is None:
                return
            self._unclaimed(text)

    def _call(self, hook: "Callable[[int], object]", value: int) -> None:
        """A hook that may send, and is not called for what it sends itself."""
        if not self._in_hook:
            self._in_hook = True
            try:
                hook(value)
            finally:
                self._in_hook = False

    def _write(self, out: bytes) -> None:
        if self._trace is not None:
            self._trace.sent(out)
        sent = self.uart.write(out)
        if sent is not None and sent < len(out):
            from lwnode.at.recovery import write_rest

            write_rest(self, out, sent)

    # The answer.

    def _collect(self, lines: list[str], timeout_ms: int, extras: "Any") -> bool:
        """Information lines until the final result. False: the deadline came first."""
        deadline = self._deadline(timeout_ms)
        while True:
            text = self._next(deadline)
            if text is None:
                if extras is not None:
                    extras.give_up()
                return False
            if extras is not None and extras.takes(text, lines):
                continue
            if text == "OK":
                self._answered()
                return True
            if text in _REFUSALS or text[:3] == "+CM":
                self._refused(text)
            if self._is_mine(text):
                lines.append(text)
                if extras is not None:
                    extras.follow(text)
            elif text != self._line:  # echo
                self._unclaimed(text)

    def _is_mine(self, text: str) -> bool:
        """Is it an information line of the command, or a URC that happens to have its name?"""
        name = self._name
        if not matches(text, name):
            return False
        if self.is_answer is not None:
            verdict = self.is_answer(self._line, text)
            if verdict is not None:
                return verdict
        claimed = False
        for prefix, _ in self._subscribed:
            if prefix and matches(text, prefix):
                claimed = True
        if not name:  # what looks like nobody else's
            return not claimed and text != self._line and (self._prefix == "" or text[0] not in "+#*^")
        if self._prefix is not None:
            return True
        if name in REGISTRATION:
            return answers_registration(self._line, text)
        return not claimed or self._line[-1] == "?" or "=" not in self._line

    def _is_late(self, text: str) -> bool:
        return not self._running and self._name != "" and self._is_mine(text)

    def _answered(self) -> None:
        """A final result came: the module lives and owes nothing."""
        self._dirty = self._escape = self._booted = False
        self._row = 0

    def _refused(self, text: str) -> None:
        """Raise CommandError if this is a final result that says no."""
        from lwnode.at.recovery import refusal

        error = refusal(text, self._line, self._secrets)
        if error is not None:
            self._answered()
            raise error
