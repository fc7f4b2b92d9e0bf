"""Whose line is it? A command goes out, its answer comes in, everything else is kept for whom it concerns.

What is seldom done is in modules of its own, loaded when it is done: extras, ambiguity, recovery, sync, params, trace.
"""

from lwnode.at.lines import LineBuffer, Stats
from lwnode.at.names import answer_name, find, latin, matches, split
from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Sequence, TypedDict

    from typing_extensions import Unpack

    Handler = Callable[[str], object]
    Payload = Callable[[str], int]
    Fields = list[list[str | None]]

    class Keywords(TypedDict, total=False):
        """Of send, test, read, write and run; see lwnode.at."""

        timeout_ms: int
        prefix: str | None
        payload: Payload | None
        data: bytes | str | Iterable[bytes] | None
        prompt: str | None
        secret: bool
        result: str | Sequence[str] | None
        result_timeout_ms: int

_IDLE_MS = const(500)  # the idle hook is called at least so often


class AtClient:
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
        self.uart = uart
        self.clock = clock
        self.rx_size = rx_size  # may be changed until the first byte comes
        self.gap_ms = gap_ms  # between a final result and the next command
        self.queue_size = 2048  # bytes of URCs kept
        self.line_limit = 0
        self.stats = Stats()
        self.banners: "Sequence[str]" = ("RDY",)
        self.idle: "Callable[[], object] | None" = None
        self.before_send: "Callable[[int], object] | None" = None
        self.on_timeouts: "Callable[[int], object] | None" = None
        self.on_restart: "Callable[[str], object] | None" = None
        self.is_answer: "Callable[[str, str], bool | None] | None" = None
        self._rx = LineBuffer(self)
        self._wait: "Callable[[int], object] | None" = getattr(uart, "wait", None)
        self._command = self._name = b""  # the one that runs, or was the last; and of its information lines
        self._explicit = False  # the caller named them
        self._extras: "Any" = None  # what the command expects besides them
        self._running = False
        self._dirty = False  # the answer was given up and may still come
        self._trouble: "Any" = None  # what lwnode.at.recovery has to remember
        self._ended = clock.ticks_add(clock.ticks_ms(), -gap_ms)
        self._subscribed: "list[tuple[bytes, Handler]]" = []  # the longest prefix first
        self._banners: "list[tuple[bytes, Sequence[str]]]" = []  # the name, and the hook's value it comes from
        self._queue: list[bytearray] = []
        self._queued = 0  # bytes
        self._in_handler = False
        self._secrets: list[bytes] = []
        if trace is not None:
            self.trace_to(trace)

    # Commands.

    def send(self, line: str, **how: "Unpack[Keywords]") -> list[str]:
        """Send a line and return its information lines, without the final result.

        See lwnode.at for the keywords. Raises AtTimeout at the deadline, CommandError when the module
        refuses, LinkError when it restarts, ValueError when the line could not be sent.
        """
        lines: "Any" = self._run(line.encode(), how)
        if lines:
            self._convert(lines, self._text)
        return lines  # type: ignore[no-any-return]

    def test(self, name: str, **how: "Unpack[Keywords]") -> "Fields":
        """AT+X=? -> the fields of each information line."""
        return self._ask(name, "=?", how)

    def read(self, name: str, **how: "Unpack[Keywords]") -> "Fields":
        """AT+X? -> the fields of each information line."""
        return self._ask(name, "?", how)

    def run(self, name: str, **how: "Unpack[Keywords]") -> "Fields":
        """AT+X -> the fields of each information line."""
        return self._ask(name, "", how)

    def write(self, name: str, *params: object, **how: "Unpack[Keywords]") -> "Fields":
        """AT+X=a,b -> the fields of each information line. Parameters as in lwnode.at.params."""
        from lwnode.at.params import joined

        return self._ask(name, "=" + joined(params, self._secrets), how)

    def _ask(self, name: str, form: str, how: "Keywords") -> "Fields":
        command = (name + form).encode()
        command = (b"AT+" if command[0] > 64 else b"AT") + command
        if "payload" in how:
            from lwnode.at.extras import split_all

            return split_all(self.send(str(command, "utf-8"), **how), how["payload"])
        lines: "Any" = self._run(command, how)
        self._convert(lines, split)
        return lines  # type: ignore[no-any-return]

    def _convert(self, lines: "list[Any]", convert: "Callable[[Any], object]") -> None:
        """In place: a second list would cost as much as all else."""
        index = 0
        for line in lines:
            lines[index] = convert(line)
            index += 1

    def _run(self, command: bytes, how: "Keywords") -> list[bytearray]:
        """Everything before the first byte goes out. ValueError for a line that would end early or is too long."""
        if b"\r" in command or b"\n" in command or b"\0" in command or b"\x1a" in command or b"\x1b" in command:
            self._refuse(command)  # CR, LF, NUL, Ctrl-Z and ESC end a line, a text or a data phase
        if self._running or command.count(b'"') & 1 or 0 < self.line_limit < len(command):
            self._refuse(command)
        prefix: str | None = None
        timeout_ms = 300
        self._extras = None
        if how:
            prefix, timeout_ms, self._extras = self._prepare(command, how)
        self._make_ready(command, timeout_ms)
        self._command = command
        self._explicit = prefix is not None
        self._name = answer_name(command) if prefix is None else prefix.encode()
        lines: list[bytearray] = []
        if self._exchange(lines, timeout_ms):
            return lines
        from lwnode.at.recovery import timed_out

        return timed_out(self, command, timeout_ms)

    def _make_ready(self, command: bytes, timeout_ms: int) -> None:
        """Wake the module, settle the line, keep the gap, and read what came before: it is no answer to this command."""
        if self._dirty or self.before_send is not None:
            from lwnode.at.recovery import make_ready

            make_ready(self, command, timeout_ms)
        clock = self.clock
        wait = self.gap_ms + clock.ticks_diff(self._ended, clock.ticks_ms())
        if 0 < wait <= self.gap_ms:
            clock.sleep_ms(wait)
        if self._rx.start != self._rx.end or self.uart.any():
            self._read_past(clock.ticks_ms())

    def _read_past(self, now: int) -> None:
        line = self._next(now)
        while line is not None:
            self._unclaimed(line)
            line = self._next(now)

    def _exchange(self, lines: list[bytearray], timeout_ms: int) -> bool:
        try:
            return self._collect(lines, timeout_ms)
        finally:
            self._finish()

    def _finish(self) -> None:
        self._running = False
        self._ended = self.clock.ticks_ms()
        if self._extras is not None:
            self._extras.disarm()

    def _collect(self, lines: list[bytearray], deadline: int) -> bool:
        """Information lines until the final result. False: the deadline, so many ms from now, came first."""
        extras = self._extras
        self._running = self._dirty = True
        if extras is not None:
            extras.arm()
        self._write(self._command + b"\r")
        deadline = self.clock.ticks_add(self.clock.ticks_ms(), deadline)
        while True:
            line = self._next(deadline)
            if line is None:
                return False
            if extras is not None and extras.takes(line, lines):
                continue
            if line == b"OK":
                self._dirty = False
                if self._trouble is not None:
                    self._trouble.answered()
                return extras is None or extras.finish(lines)
            if line[0] in b"EANB" or line.startswith(b"+CM"):
                self._refused(line)
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

    def _write(self, out: bytes) -> None:
        if self._rx.trace is not None:
            self._rx.trace.sent(out)
        sent = self.uart.write(out)
        if sent is not None and sent != len(out):
            from lwnode.at.recovery import write_rest

            write_rest(self, out, sent)

    # What is loaded when it is needed, and kept: an import statement alone costs as much as ten calls.

    def _prepare(self, command: bytes, how: "Keywords") -> "tuple[str | None, int, Any]":
        from lwnode.at.extras import prepare

        self._prepare = lambda command, how: prepare(self, command, **how)  # type: ignore[method-assign]
        return prepare(self, command, **how)

    def _refuse(self, command: bytes) -> None:
        from lwnode.at.params import refuse

        refuse(command, self._running, self.line_limit)

    def _refused(self, line: bytearray) -> None:
        from lwnode.at.recovery import refused

        refused(self, line)

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
        deadline = self.clock.ticks_add(self.clock.ticks_ms(), timeout_ms)
        count = 0
        while until is None or not until():
            if self._queue and self._dispatch_one():
                count += 1
                if self.clock.ticks_diff(deadline, self.clock.ticks_ms()) > 0:
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
        handler = find(self._subscribed, line)
        if handler is None:
            self.stats.unknown += 1
            if self._queued + len(line) > self.queue_size:
                return False  # kept for a wait() to come, but never at the cost of a URC that somebody asked for
        elif now:
            self._deliver(handler, self._text(line))
            return True
        self._queue.append(line)
        self._queued += len(line)
        while self._queued > self.queue_size:  # the oldest go: what they reported can be asked for again
            self._queued -= len(self._queue.pop(0))
            self.stats.dropped += 1
        return False

    def _is_special(self, line: bytearray) -> bool:
        """Banners are reported, late answers counted; both are rare."""
        if not self._banners or self._banners[0][1] is not self.banners:
            self._banners = [(name.encode(), self.banners) for name in self.banners]
        if find(self._banners, line) is not None:
            from lwnode.at.recovery import restarted

            restarted(self, self._text(line))
        if self._dirty or self._trouble is not None or line[0] in b"OEAN":
            from lwnode.at.ambiguity import is_late

            return is_late(self, line)
        return False

    def _dispatch_one(self) -> bool:
        """Hand the oldest queued URC to its handler, unless one is at work. False: nothing was handed out."""
        while self._queue and not self._in_handler:
            line = self._queue.pop(0)
            self._queued -= len(line)
            handler = find(self._subscribed, line)
            if handler is not None:
                self._deliver(handler, self._text(line))
                return True
        return False

    def _deliver(self, handler: "Handler", text: str) -> None:
        self._in_handler = True
        try:
            handler(text)
        finally:
            self._in_handler = False

    # Waiting.

    def _next(self, deadline: int) -> "bytearray | None":
        """The next line, or None at the deadline; what came until then is looked at first."""
        clock = self.clock
        while True:
            line = self._rx.next()
            if line is not None:
                return line
            left = clock.ticks_diff(deadline, clock.ticks_ms())
            if left < 0 or left == 0 and not self.uart.any():
                return None
            self._pause(left)

    def _pause(self, ms: int) -> None:
        """Wait for bytes, `ms` at most, in steps that leave room for the idle hook and for values cut short."""
        if self.idle is not None:
            self.idle()
        if self._rx.framing is not None:
            ms = min(ms, self._rx.framing.patience(self._rx, self.clock))
        if self._wait is None:
            from lwnode.at.waiting import waiter

            self._wait = waiter(self.uart, self.clock)
        self._wait(min(ms, _IDLE_MS))

    def _text(self, line: "bytearray | bytes") -> str:
        """A line as text; what is no UTF-8 is counted and comes character by character."""
        try:
            return str(line, "utf-8")
        except UnicodeError:
            return latin(line, self.stats)

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

        self._rx.trace = None if tap is None else Tracer(tap, self._secrets)
