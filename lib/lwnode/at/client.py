"""The speaking half of the client: a command goes out, its answer comes in, and nothing else is taken for it.

What is seldom done is in modules of its own, loaded when it is done: extras, ambiguity, recovery, sync, params, secrets, trace.
"""

from lwnode.at.names import answer_name, fields, matches
from lwnode.at.receiver import Receiver
from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Sequence, TypedDict

    from typing_extensions import Unpack

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


def _prefix(name: str) -> bytes:
    """What a command's name is after AT: "CSQ" is +CSQ."""
    prefix = name.encode()
    return b"+" + prefix if prefix[0] > 64 else prefix  # a letter


class AtClient(Receiver):
    """One module on one UART. See lwnode.at for a session.

    Hooks: `idle()` in every wait, at least every 500 ms; it may raise BudgetExceeded.
    `before_send(idle_ms)` before a command, with the time since the last one ended; it may send.
    `on_timeouts(count)` at each timeout in a row; it may send. `on_restart(line)` at a boot banner; it may not.
    `is_answer(command, line)` True, False or None (no opinion) where a URC has the name of an answer.
    `banners` names of lines that only a booting module sends. `line_limit` characters of a command, 0 = no limit.
    `timeout_ms` of commands that say none of their own, 300 by the manuals.
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
        self.line_limit = 0
        self.timeout_ms = 300  # of a command that says none of its own
        self.before_send: "Callable[[int], object] | None" = None
        self.on_timeouts: "Callable[[int], object] | None" = None
        self.is_answer: "Callable[[str, str], bool | None] | None" = None
        self._command = self._name = b""  # the one that runs, or was the last; and of its information lines
        self._explicit = False  # the caller named them
        self._extras: "Any" = None  # what the command expects besides them
        self._begun = False  # a line that began before the command went out
        self._ended = clock.ticks_add(clock.ticks_ms(), -gap_ms)
        self._secrets: list[bytes] = []
        if trace is not None:
            self.trace_to(trace)

    # Commands.

    def send(self, line: str, **how: "Unpack[Keywords]") -> list[str]:
        """Send a line and return its information lines, without the final result.

        See lwnode.at for the keywords. Raises AtTimeout at the deadline, CommandError when the module
        refuses, LinkError when it restarts, ValueError when the line could not be sent.
        """
        command = line.encode() + b"\r"
        lines: "Any" = self._run(command, answer_name(command), how)
        if lines:
            self._convert(lines)
        return lines  # type: ignore[no-any-return]

    def test(self, name: str, **how: "Unpack[Keywords]") -> "Fields":
        """AT+X=? -> the fields of each information line."""
        prefix = _prefix(name)
        return self._fields(self._run(b"".join((b"AT", prefix, b"=?\r")), prefix, how), how)

    def read(self, name: str, **how: "Unpack[Keywords]") -> "Fields":
        """AT+X? -> the fields of each information line."""
        prefix = _prefix(name)
        return self._fields(self._run(b"".join((b"AT", prefix, b"?\r")), prefix, how), how)

    def run(self, name: str, **how: "Unpack[Keywords]") -> "Fields":
        """AT+X -> the fields of each information line."""
        prefix = _prefix(name)
        return self._fields(self._run(b"".join((b"AT", prefix, b"\r")), prefix, how), how)

    def write(self, name: str, *params: object, **how: "Unpack[Keywords]") -> "Fields":
        """AT+X=a,b -> the fields of each information line. Parameters as in lwnode.at.params."""
        from lwnode.at.params import joined

        prefix = _prefix(name)
        command = b"".join((b"AT", prefix, b"=", joined(params, self._secrets), b"\r"))
        return self._fields(self._run(command, prefix, how), how)

    def _fields(self, lines: "Any", how: "Keywords") -> "Fields":
        self._convert(lines)
        if "payload" in how:
            from lwnode.at.extras import split_all

            return split_all(lines, how["payload"])
        for index in range(len(lines)):
            lines[index] = fields(lines[index])
        return lines  # type: ignore[no-any-return]

    def _convert(self, lines: "list[Any]") -> None:
        """To text, in place: a second list would cost as much as all else."""
        for index in range(len(lines)):
            lines[index] = self._text(lines[index])

    def _run(self, command: bytes, name: bytes, how: "Keywords") -> list[bytearray]:
        """A command and its CR: check, get ready, exchange; its information lines and its late result.

        One function, because an answer to the server is sent deep in a wake (RP2 has 8 KB of stack). ValueError if the
        command would end early or is too long.
        """
        self._check(command)
        timeout_ms = self.timeout_ms
        explicit = False
        extras = None
        if how:
            name, explicit, timeout_ms, extras = self._prepare(command, name, how)
        if self._dirty or self.before_send is not None:
            from lwnode.at.recovery import call, resync

            call(self, self.before_send, self.clock.ticks_diff(self.clock.ticks_ms(), self._ended))
            resync(self, command, timeout_ms)
        self._keep_gap()
        if self._rx.start != self._rx.end or self.uart.any():
            self._read_past()
        # The hook may have sent: what is remembered of a command is set after it.
        self._command = command
        self._name = name
        self._explicit = explicit
        self._extras = extras
        lines: list[bytearray] = []
        self._running = self._dirty = True
        done = False
        try:
            if extras is not None:
                extras.arm()
            self._write(command)
            deadline = self.clock.ticks_add(self.clock.ticks_ms(), timeout_ms)
            while True:
                line = self._next(deadline)
                if line is None:
                    break
                if self._begun:
                    self._begun = False
                    self._unclaimed(line)
                elif extras is not None and (extras.is_result(line) if done else extras.takes(line, lines)):
                    pass
                elif done:
                    self._unclaimed(line)
                elif line == b"OK":
                    done = True
                    self._answered()
                    if extras is None:
                        return lines
                    deadline = extras.deadline()
                else:
                    self._file(line, lines)
                if done and extras is not None and extras.is_complete(lines):
                    return lines
        finally:
            self._running = False
            self._ended = self.clock.ticks_ms()
            if extras is not None:
                extras.disarm()
        from lwnode.at.recovery import timed_out

        return timed_out(self, command, timeout_ms)

    def _check(self, command: bytes) -> None:
        # CR, LF, NUL, Ctrl-Z and ESC end a line, a text or a data phase.
        ends = command.count(b"\r") > 1 or b"\n" in command or b"\0" in command or b"\x1a" in command or b"\x1b" in command
        if ends or self._running or command.count(b'"') & 1 or 0 < self.line_limit < len(command) - 1:
            self._refuse(command)

    def _keep_gap(self) -> None:
        left = self.gap_ms + self.clock.ticks_diff(self._ended, self.clock.ticks_ms())
        if 0 < left <= self.gap_ms:
            self.clock.sleep_ms(left)

    def _answered(self) -> None:
        """A final result came: nothing of the command is outstanding."""
        self._dirty = False
        if self._trouble is not None:
            self._trouble.answered()

    def _read_past(self) -> None:
        """Lines that are there already are no answer; nor is one of which a part is."""
        now = self.clock.ticks_ms()
        line = self._next(now)
        while line is not None:
            self._unclaimed(line)
            line = self._next(now)
        self._begun = self._rx.start != self._rx.end

    def _file(self, line: bytearray, lines: list[bytearray]) -> None:
        """A line before the final result: it refuses, informs, echoes, or is nothing of the command's."""
        if line[0] in b"EANB" or line.startswith(b"+CM"):
            self._refused(line)
        mine = matches(line, self._name)
        if mine and (not self._name or self.is_answer is not None or not self._explicit and (
                self._subscribed or self._name.endswith(b"REG"))):
            # It may be a URC that happens to have its name.
            from lwnode.at.ambiguity import is_answer

            mine = is_answer(self, line)
        if mine:
            lines.append(line)
            if self._extras is not None:
                self._extras.follow(line)
        elif not line.startswith(b"AT") or line != self._command[:-1]:
            self._unclaimed(line)

    def _write(self, out: bytes) -> None:
        if self._rx.trace is not None:
            self._rx.trace.sent(out)
        sent = self.uart.write(out)
        if sent is not None and sent != len(out):
            from lwnode.at.recovery import write_rest

            write_rest(self, out, sent)

    # What is loaded when it is needed, and kept: an import statement alone costs as much as ten calls.

    def _prepare(self, command: bytes, name: bytes, how: "Keywords") -> "tuple[bytes, bool, int, Any]":
        from lwnode.at.extras import prepare

        self._prepare = lambda command, name, how: prepare(self, command, name, **how)  # type: ignore[method-assign]
        return prepare(self, command, name, **how)

    def _refuse(self, command: bytes) -> None:
        from lwnode.at.params import refuse

        refuse(command, self._running, self.line_limit)

    def _refused(self, line: bytearray) -> None:
        from lwnode.at.recovery import refused

        refused(self, line)

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
