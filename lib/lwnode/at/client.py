"""The speaking half of the client: a command out, its answer in, and nothing else taken for it."""

from lwnode.at.errors import AtError, AtTimeout
from lwnode.at.exchange import Exchange
from lwnode.at.params import Secret, answer_name, breaks_out, command, fields, named, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Sequence

    Payload = Callable[[str], int]


class AtClient(Exchange):
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
        self.line_limit = 0
        self._in_hook = False
        self._ended = clock.ticks_add(clock.ticks_ms(), -gap_ms)
        if trace is not None:
            self.trace_to(trace)

    # Commands.

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
        self._check(line)
        if secret:
            self._hide(line)
        self._make_ready(line, timeout_ms)
        self._line = line
        self._explicit = prefix is not None
        self._prefix = answer_name(line) if prefix is None else prefix
        self._results = () if result is None else (result,) if isinstance(result, str) else result
        lines: list[str] = []
        self._found = ""
        self._running = self._dirty = True
        try:
            if data is not None or prompt is not None:
                self._arm_prompt(prompt or ">", data)
            self._write((line + "\r").encode())
            complete = self._collect(lines, timeout_ms, payload)
            if complete and result is not None:
                complete = self._collect_result(lines, result_timeout_ms or timeout_ms)
        finally:
            self._running = False
            self._ended = self.clock.ticks_ms()
        if not complete:
            self._timed_out(line, timeout_ms)
        return lines

    def test(self, name: str, **how: "Any") -> "list[list[str | None]]":
        """AT+X=? -> the fields of each information line."""
        return self._ask("AT" + named(name) + "=?", how)

    def read(self, name: str, **how: "Any") -> "list[list[str | None]]":
        """AT+X? -> the fields of each information line."""
        return self._ask("AT" + named(name) + "?", how)

    def run(self, name: str, **how: "Any") -> "list[list[str | None]]":
        """AT+X -> the fields of each information line."""
        return self._ask("AT" + named(name), how)

    def write(self, name: str, *params: object, **how: "Any") -> "list[list[str | None]]":
        """AT+X=a,b -> the fields of each information line. Parameters as in lwnode.at.params."""
        for value in params:
            if isinstance(value, Secret):
                self._remember(value.text)
        return self._ask(command(name, params), how)

    def _ask(self, line: str, how: "dict[str, Any]") -> "list[list[str | None]]":
        lines = self.send(line, **how)
        if "payload" not in how:
            return [fields(text) for text in lines]
        from lwnode.at.framing import split_payloads

        return split_payloads(lines, how["payload"])

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

    # Before a command.

    def _check(self, line: str) -> None:
        """ValueError for what would end the line early or not fit; the text is not repeated, it may be secret."""
        if self._running:
            raise AtError("a command is already running: handlers run between commands, hooks inside them may not send")
        if breaks_out(line) or line.count('"') & 1:
            raise ValueError("the line would end early: it has a control character or an open quote")
        if self.line_limit and len(line) > self.line_limit:
            raise ValueError("%d characters, and the module takes %d" % (len(line), self.line_limit))

    def _wake(self) -> None:
        if self.before_send is not None and not self._in_hook:
            self._in_hook = True
            try:
                self.before_send(-self._left(self._ended))
            finally:
                self._in_hook = False

    def _make_ready(self, line: str, timeout_ms: int) -> None:
        """Wake the module, settle a dirty line, keep the gap, and read what came before: it is no answer to us."""
        self._wake()
        if self._dirty:
            from lwnode.at.sync import resync

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

    # Silence and secrets.

    def _timed_out(self, line: str, timeout_ms: int) -> None:
        """Count, let the board escalate, raise. A module that said OK and owes only a late result is not silent."""
        self.stats.timeouts += 1
        if self._results:
            self._owed = self._results
            self._results = ()
        if self._dirty:
            self._row += 1
            if self.on_timeouts is not None and not self._in_hook:
                self._in_hook = True
                try:
                    self.on_timeouts(self._row)
                finally:
                    self._in_hook = False
        raise AtTimeout("%s: nothing final within %d ms" % (shown(line), timeout_ms))

    def _hide(self, line: str) -> None:
        """secret=True: the parameters together, and each of them that is long enough to be one."""
        values = line[line.find("=") + 1 :]
        self._remember(values)
        for value in fields(values):
            if value and len(value) > 3:
                self._remember(value)

    def _remember(self, text: str) -> None:
        if text and text not in self._secrets:
            self._secrets.append(text)
