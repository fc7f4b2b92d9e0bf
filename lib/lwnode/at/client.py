"""Whose line is it? A command goes out, its answer comes in, everything else is kept for whom it concerns.

What is seldom done is in modules of its own, loaded when it is done: extras, ambiguity, recovery, sync, params, trace.
Some functions are split only so that their frame has at most eleven words: MicroPython puts larger ones on the heap.
"""

from lwnode.at.lines import LineReceiver
from lwnode.at.names import answer_name, matches, split
from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Sequence

    Handler = Callable[[str], object]
    Payload = Callable[[str], int]
    Fields = list[list[str | None]]

_BREAKERS = (b"\r", b"\n", b"\0", b"\x1a", b"\x1b")  # they end a line, a text or a data phase


class AtClient(LineReceiver):
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
        self.queue_size = 2048  # bytes of URCs kept
        self.before_send: "Callable[[int], object] | None" = None
        self.on_timeouts: "Callable[[int], object] | None" = None
        self.on_restart: "Callable[[str], object] | None" = None
        self.is_answer: "Callable[[str, str], bool | None] | None" = None
        self.banners: "Sequence[str]" = ("RDY",)
        self.line_limit = 0
        self._banners: "Sequence[bytes]" = ()
        self._banners_of: "Sequence[str]" = ()
        self._command = b""  # the one that runs, or was the last
        self._name = b""  # of its information lines
        self._explicit = False  # the caller named them
        self._running = False
        self._dirty = False  # the answer was given up and may still come
        self._escape = False  # the module may be waiting for data
        self._booted = False  # a banner came and nothing was answered since
        self._owed: "Sequence[bytes]" = ()  # late results that never came
        self._ended = self._deadline(-gap_ms)
        self._row = 0  # timeouts in a row
        self._in_hook = False
        self._subscribed: "list[tuple[bytes, Handler]]" = []  # the longest prefix first
        self._queue: list[bytearray] = []
        self._queued = 0  # bytes
        self._in_handler = False
        self._secrets: list[bytes] = []
        self._extras: "Any" = None  # what the running command expects besides lines
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
        self._begin(line.encode(), prefix, secret, timeout_ms)
        if payload or result or data is not None or prompt is not None:
            from lwnode.at.extras import Extras

            self._extras = Extras(self, payload, data, prompt, result, result_timeout_ms)
        lines: "Any" = self._exchange(timeout_ms)
        for index in range(len(lines)):
            lines[index] = self._text(lines[index])
        return lines  # type: ignore[no-any-return]

    def test(self, name: str, **how: "Any") -> "Fields":
        """AT+X=? -> the fields of each information line."""
        return self._ask(name, "=?", how)

    def read(self, name: str, **how: "Any") -> "Fields":
        """AT+X? -> the fields of each information line."""
        return self._ask(name, "?", how)

    def run(self, name: str, **how: "Any") -> "Fields":
        """AT+X -> the fields of each information line."""
        return self._ask(name, "", how)

    def write(self, name: str, *params: object, **how: "Any") -> "Fields":
        """AT+X=a,b -> the fields of each information line. Parameters as in lwnode.at.params."""
        from lwnode.at.params import joined

        return self._ask(name, "=" + joined(params, self._secrets), how)

    def _ask(self, name: str, form: str, how: "dict[str, Any]") -> "Fields":
        line = ("AT+" if name[:1].isalpha() else "AT") + name + form
        if how:
            from lwnode.at.extras import fields_of

            return fields_of(self.send(line, **how), how.get("payload"))
        self._begin(line.encode(), None, False, 300)
        lines: "Any" = self._exchange(300)
        for index in range(len(lines)):
            lines[index] = split(lines[index])
        return lines  # type: ignore[no-any-return]

    def _begin(self, command: bytes, prefix: str | None, secret: bool, timeout_ms: int) -> None:
        """Everything before the first byte goes out: what came before it is no answer to it."""
        self._check(command)
        if secret:
            from lwnode.at.trace import hide

            hide(command, self._secrets)
        if self._dirty or self.before_send is not None:
            from lwnode.at.recovery import make_ready

            make_ready(self, command, timeout_ms)
        wait = self.gap_ms + self._left(self._ended)
        if 0 < wait <= self.gap_ms:
            self.clock.sleep_ms(wait)
        self._drain()
        self._command = command
        self._explicit = prefix is not None
        self._name = answer_name(command) if prefix is None else prefix.encode()

    def _check(self, command: bytes) -> None:
        """ValueError for a line that would end early or is too long."""
        wrong = self._running or command.count(b'"') & 1 or 0 < self.line_limit < len(command)
        for breaker in _BREAKERS:
            if breaker in command:
                wrong = True
        if wrong:
            from lwnode.at.params import refuse

            refuse(command, self._running, self.line_limit)

    def _drain(self) -> None:
        if self._start < self._end or self.uart.any():
            now = self.clock.ticks_ms()
            line = self._next(now)
            while line is not None:
                self._unclaimed(line)
                line = self._next(now)

    def _exchange(self, timeout_ms: int) -> list[bytearray]:
        """The command goes out and is answered, or it is not; it no longer runs afterwards."""
        lines: list[bytearray] = []
        if not self._collect_safely(lines, timeout_ms):
            from lwnode.at.recovery import timed_out

            timed_out(self, self._command, timeout_ms)
        return lines

    def _collect_safely(self, lines: list[bytearray], timeout_ms: int) -> bool:
        try:
            return self._collect(lines, timeout_ms)
        finally:
            self._running = False
            self._ended = self.clock.ticks_ms()
            if self._extras is not None:
                self._extras.disarm()
                self._extras = None

    def _collect(self, lines: list[bytearray], timeout_ms: int) -> bool:
        """Information lines until the final result. False: the deadline came first."""
        extras = self._extras
        self._running = self._dirty = True
        if extras is not None:
            extras.arm()
        self._write(self._command + b"\r")
        deadline = self._deadline(timeout_ms)
        while True:
            line = self._next(deadline)
            if line is None:
                return False
            if extras is not None and extras.takes(line, lines):
                continue
            if line == b"OK":
                self._answered()
                return extras is None or extras.finish(lines, timeout_ms)
            if line[0] in b"EANB" or line.startswith(b"+CM"):
                from lwnode.at.recovery import refused

                refused(self, line)
            if self._is_mine(line):
                lines.append(line)
                if extras is not None:
                    extras.follow(line)
            elif line != self._command:  # echo
                self._unclaimed(line)

    def _is_mine(self, line: bytearray) -> bool:
        """Is it an information line of the command, or a URC that happens to have its name?"""
        if not matches(line, self._name):
            return False
        if self._name and self.is_answer is None:
            if self._explicit or not self._subscribed and not self._name.endswith(b"REG"):
                return True
        from lwnode.at.ambiguity import is_answer

        return is_answer(self, line)

    def _answered(self) -> None:
        """A final result came: the module lives and owes nothing."""
        self._dirty = self._escape = self._booted = False
        self._row = 0

    def _write(self, out: bytes) -> None:
        if self._trace is not None:
            self._trace.sent(out)
        sent = self.uart.write(out)
        if sent is not None and sent < len(out):
            from lwnode.at.recovery import write_rest

            write_rest(self, out, sent)

    # URCs.

    def subscribe(self, prefix: str, handler: "Handler | None", payload: "Payload | None" = None) -> None:
        """Call handler(line) for each URC of that name; "" gets what nobody else claims. None ends it.

        payload(text) is asked at each comma of such a line, with the text up to there, how many bytes of value
        follow by length (with or without quotes around them); 0 or an exception means none. It holds
        wherever the line goes, also to a command's answer.
        """
        from lwnode.at.extras import subscribe

        subscribe(self, prefix.encode(), handler, payload)

    def wait(self, prefix: str, timeout_ms: int, accept: "Callable[[str], object] | None" = None) -> str:
        """The next line of that name which `accept` likes, from the queue or the module; other URCs are dispatched.

        Raises AtTimeout at the deadline.
        """
        from lwnode.at.extras import wait

        return wait(self, prefix, timeout_ms, accept)

    def poll(self, timeout_ms: int = 0, until: "Callable[[], object] | None" = None) -> int:
        """Read, and hand URCs to their handlers, for that long, or until `until()` is true. Returns how many."""
        deadline = self._deadline(timeout_ms)
        count = 0
        while until is None or not until():
            if self._queue and self._dispatch_one():
                count += 1
                if self._left(deadline) > 0:
                    continue
            line = self._next(deadline)
            if line is None:
                break
            if self._unclaimed(line, not self._in_handler and not self._queue):
                count += 1
        return count

    def _unclaimed(self, line: bytearray, now: bool = False) -> bool:
        """A line that no command, answer or wait took: a banner, something late, a URC, or nobody's.

        URCs go to the queue, or `now` to their handlers. True: it was.
        """
        if self._is_special(line):
            return False
        handler = self._handler(line)
        if handler is None:
            self.stats.unknown += 1
            if self._queued + len(line) > self.queue_size:
                return False  # kept for a wait() to come, but never at the cost of a URC that somebody asked for
        elif now:
            self._deliver(handler, line)
            return True
        self._queue.append(line)
        self._queued += len(line)
        while self._queued > self.queue_size:  # the oldest go: what they reported can be asked for again
            self._queued -= len(self._queue.pop(0))
            self.stats.dropped += 1
        return False

    def _is_special(self, line: bytearray) -> bool:
        """Banners are reported, late answers counted; both are rare."""
        if self._banners_of is not self.banners:
            self._banners_of = self.banners
            self._banners = [name.encode() for name in self.banners]
        for name in self._banners:
            if matches(line, name):
                from lwnode.at.recovery import restarted

                restarted(self, self._text(line))
        if self._dirty or self._owed or line[0] in b"OEAN":
            from lwnode.at.ambiguity import is_late

            return is_late(self, line)
        return False

    def _handler(self, line: bytearray) -> "Handler | None":
        for prefix, handler in self._subscribed:
            if matches(line, prefix):
                return handler
        return None

    def _dispatch_one(self) -> bool:
        """Hand the oldest queued URC to its handler, unless one is at work. False: nothing was handed out."""
        while self._queue and not self._in_handler:
            line = self._queue.pop(0)
            self._queued -= len(line)
            handler = self._handler(line)
            if handler is not None:
                self._deliver(handler, line)
                return True
        return False

    def _deliver(self, handler: "Handler", line: bytearray) -> None:
        self._in_handler = True
        try:
            handler(self._text(line))
        finally:
            self._in_handler = False

    # What is done once.

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
