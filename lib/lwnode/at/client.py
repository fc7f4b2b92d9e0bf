"""The client: a command goes out, its answer comes in, and nothing else is taken for it; URCs find their handlers.

URCs that come while a command or a handler runs are queued and handed out by `poll` and the outermost `wait`, one at a
time, so that a handler may send and wait itself and call depth does not grow.
"""

from lwnode.at.fields import Tracer, any_matches, fields, hide, joined, matches, value
from lwnode.at.lines import LineBuffer, Stats, length, waiter
from lwnode.at.recovery import BOOTED, ESCAPE, LOST, AtError, AtTimeout, CommandError, LinkError, is_final, refused, resync
from lwnode.at.recovery import synchronize, timed_out
from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Sequence, TypedDict

    from typing_extensions import Unpack

    Payload = Callable[[str], int]
    Handler = Callable[[str], object]
    Fields = list[list[str | None]]

    class Keywords(TypedDict, total=False):
        """Of send, ask, test, read, write and run; see lwnode.at."""

        timeout_ms: int | None
        prefix: str | None
        payload: Payload | None
        data: bytes | str | Iterable[bytes] | None
        prompt: str | None
        secret: bool
        result: str | Sequence[str] | None
        accept: Callable[[str], object] | None
        result_timeout_ms: int


_IDLE_MS = const(500)  # the idle hook is called at least so often
_GRACE_MS = const(500)  # lines that were there at a deadline are looked at for so long: a module that babbles has no end
_LINGER_MS = const(100)  # how far past its end poll hands out what came before
_OWED_MS = const(130_000)  # BC20 manual 3.5 to 3.8: results come within 128 s
_WRITE_MS = const(5000)  # a 2 KB line takes 2.1 s at 9600 baud
_NOBODY: "tuple[bytes, Handler | None]" = (b"", None)
_PER_LINE = const(32)  # bytes of heap that a kept line takes besides its text
# 3GPP TS 27.007: the answer of these has one field more (<n>) than the URC of the same name.
_REGISTRATION = (b"+CREG", b"+CGREG", b"+CEREG", b"+C5GREG")


class _Extras:
    """What one command expects besides information lines and OK: the keywords of lwnode.at, with their defaults."""

    def __init__(
        self,
        client: "AtClient",
        command: bytes,
        timeout_ms: "int | None" = None,
        prefix: "str | None" = None,
        payload: "Payload | None" = None,
        data: "bytes | str | Iterable[bytes] | None" = None,
        prompt: "str | None" = None,
        secret: bool = False,
        result: "str | Sequence[str] | None" = None,
        accept: "Callable[[str], object] | None" = None,
        result_timeout_ms: int = 0,
    ) -> None:
        self.timeout_ms = client.timeout_ms if timeout_ms is None else timeout_ms
        self.result_ms = result_timeout_ms or self.timeout_ms
        self.prefix = prefix
        self.payload = payload
        if isinstance(data, str):
            data = data.encode()
        self.data: "Iterable[bytes]" = (data,) if isinstance(data, bytes) else data or ()
        self.prompt = b"" if data is None and prompt is None else (prompt or ">").encode()
        self.accept = accept
        self.failures: list[str] = []
        self.results: "Any" = []  # names, bytes
        wanted: "Sequence[str]" = (result,) if isinstance(result, str) else result or ()
        for name in wanted:
            self.results.append(name.encode())
            failure = name[:-2] + "FAIL"
            if name[-3:] == " OK" and failure not in wanted:  # SEND FAIL answers who waits for SEND OK
                self.failures.append(failure)
                self.results.append(failure.encode())
        self.found: "str | None" = None
        if secret:
            hide(command, client._secrets)


class AtClient:
    """One module on one UART. See lwnode.at for a session.

    Hooks: `idle()` in every wait, at least every 500 ms; it may raise BudgetExceeded. `light_sleep(ms)`, while it is set, takes
    the place of waiting for URCs: it sleeps until a first byte, which is lost with some behind it, and is unset by that; False:
    it did not sleep. `on_restart(line)` at a boot banner; it may not send. `is_answer(command, line)` True, False or None (no
    opinion) where a URC has the name of an answer.
    `banners` names of lines that only a booting module sends. `line_limit` characters of a command, 0 = no limit.
    `timeout_ms` of commands that say none of their own, 300 by the manuals. `rx_size` bytes of the longest line, until the
    first byte came. `queue_size` bytes of heap for URCs kept, `answer_size` for one answer.
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
        self.rx_size = rx_size
        self.gap_ms = gap_ms  # between a final result and the next command
        self.queue_size = 2048
        self.answer_size = 8192
        self.line_limit = 0
        self.timeout_ms = 300
        self.banners: "Sequence[bytes]" = (b"RDY",)
        self.idle: "Callable[[], object] | None" = None
        self.light_sleep: "Callable[[int], bool] | None" = None
        self.on_restart: "Callable[[str], object] | None" = None
        self.is_answer: "Callable[[str, str], bool | None] | None" = None
        self.stats = Stats()
        self._rx = LineBuffer(self)
        self._wait = waiter(uart, clock)
        self._subscribed: "list[tuple[bytes, Handler]]" = []  # the longest prefix first
        self._queue: "list[bytes | bytearray]" = []
        self._in_handler = False
        self._running = False  # a command is
        self._command = self._name = b""  # the one that runs, or was the last; and of its information lines
        self._explicit = False  # the caller named them
        self._begun = False  # a line that began before the command went out
        self._kept = 0  # bytes of heap of its answer
        self._ended = clock.ticks_add(clock.ticks_ms(), -gap_ms)
        self._secrets: list[bytes] = []
        # What recovery has to remember.
        self._dirty = False  # an answer was given up and may still come
        self._pending = 0  # final results that commands given up may still bring
        self._marks = 0  # SLOW, ESCAPE, BOOTED, LOST
        self._owed: "Sequence[bytes]" = ()  # late results that never came
        self._owed_since = 0
        self.trace_to(trace)

    # Commands.

    def send(self, line: str, **how: "Unpack[Keywords]") -> list[str]:
        """Send a line and return its information lines, without the final result.

        See lwnode.at for the keywords. Raises AtTimeout at the deadline, CommandError when the module refuses, LinkError when
        it restarts, AtError when its answer does not fit, ValueError when the line could not be sent.
        """
        command = line.encode() + b"\r"
        name = b""
        if len(command) > 3 and command[2] != 38 and command[2] < 65:  # AT+X and AT#X have a name, AT, ATI and AT&V have none
            end = 3
            while command[end] not in b"=?;\r":
                end += 1
            name = command[2:end]
        return self._run(command, name, how)

    def ask(self, line: str, **how: "Unpack[Keywords]") -> str:
        """As send; what stands behind the name of the first information line: "18,99" of +CSQ: 18,99 and of +CSQ:18,99.

        All of a line without a name (with prefix="": an IMEI); "" where none came.
        """
        lines = self.send(line, **how)
        return value(lines[0]) if lines else ""

    def test(self, name: str, **how: "Unpack[Keywords]") -> "Fields":
        """AT+X=? -> the fields of each information line."""
        return self._query(name, b"=?\r", how)

    def read(self, name: str, **how: "Unpack[Keywords]") -> "Fields":
        """AT+X? -> the fields of each information line."""
        return self._query(name, b"?\r", how)

    def run(self, name: str, **how: "Unpack[Keywords]") -> "Fields":
        """AT+X -> the fields of each information line."""
        return self._query(name, b"\r", how)

    def write(self, name: str, *params: object, **how: "Unpack[Keywords]") -> "Fields":
        """AT+X=a,b -> the fields of each information line. Parameters as in lwnode.at.fields."""
        return self._query(name, b"=" + joined(params, self._secrets) + b"\r", how)

    def _query(self, name: "Any", form: bytes, how: "Keywords") -> "Fields":
        name = name.encode()
        if name[0] > 64:  # a letter: CSQ is +CSQ
            name = b"+" + name
        lines: "Any" = self._run(b"AT" + name + form, name, how)
        if "payload" in how:
            return _split(lines, how["payload"])
        for index in range(len(lines)):  # in place: a second list would cost as much as all else
            lines[index] = fields(lines[index])
        return lines  # type: ignore[no-any-return]

    def _run(self, command: bytes, name: bytes, how: "Keywords") -> list[str]:
        """A command and its CR: check, get ready, exchange; its information lines and its late result."""
        self._check(command)
        extras = _Extras(self, command, **how) if how else None
        timeout_ms = self.timeout_ms if extras is None else extras.timeout_ms
        if self._dirty:
            resync(self, command, timeout_ms)
        left = self.gap_ms + self.clock.ticks_diff(self._ended, self.clock.ticks_ms())
        if 0 < left <= self.gap_ms:
            self.clock.sleep_ms(left)
        self._begun = False
        if self._rx.start != self._rx.end or self.uart.any():  # what is there is no answer, nor what is there in part
            self._read_past()
        self._command = command
        self._explicit = extras is not None and extras.prefix is not None
        self._name = extras.prefix.encode() if self._explicit else name  # type: ignore[union-attr]
        lines: list[str] = []
        self._running = self._dirty = True
        self._kept = 0
        self._marks &= ~LOST
        self._pending = 1
        try:
            if extras is not None and extras.prompt:
                self._rx.prompt = extras.prompt
                self._marks |= ESCAPE
            self._write(command)
            if not self._listen(lines, extras, self.deadline(timeout_ms)):
                timed_out(self, command, timeout_ms)
        except AtError as error:
            error.lines = lines
            if extras is not None and isinstance(error, CommandError):
                extras.results = ()  # what was refused owes nothing
            raise
        finally:
            self._running = False
            self._ended = self.clock.ticks_ms()
            if extras is not None:
                self._rx.expect(0)
                if extras.results:  # they may still come
                    self._owed = () if self._marks & BOOTED else extras.results
                    self._owed_since = self._ended
        if extras is not None and extras.found is not None:
            if extras.found in extras.failures:
                raise CommandError(None, extras.found, command)
            lines.append(extras.found)
        return lines

    def _listen(self, lines: list[str], extras: "_Extras | None", deadline: int) -> bool:
        """Whose is each line? Until the final result, and the late result, is here. False: not in time."""
        done = False
        while True:
            line = self._next(deadline)
            if line is None:
                return False
            if self._begun:
                self._begun = False
                self._unclaimed(line)
            elif extras is not None and self._takes(extras, line, lines):
                pass
            elif done:
                self._unclaimed(line)
            elif line == b"OK":
                done = True
                lost = self._marks & LOST
                self._dirty = False
                self._marks = 0
                if lost:
                    raise AtError("a line of the answer is longer than rx_size, %d bytes" % self.rx_size)
                if extras is not None:
                    deadline = self.deadline(extras.result_ms)
            else:
                self._inform(line, lines, extras)
            if done and (extras is None or not extras.results):
                return True

    def _check(self, command: bytes) -> None:
        """Can this be sent now? Its text is not repeated: it may be secret."""
        if self._running:
            raise AtError("a command is running: hooks inside one may not send, wait or poll")
        if 0 < self.line_limit < len(command) - 1:
            raise ValueError("the command has %d characters, the module takes %d" % (len(command) - 1, self.line_limit))
        # CR, LF, NUL, Ctrl-Z and ESC end a line, a text or a data phase.
        ends = command.count(b"\r") > 1 or b"\n" in command or b"\0" in command or b"\x1a" in command or b"\x1b" in command
        if ends or command.count(b'"') & 1:
            raise ValueError("the command would end early: CR, LF, NUL, Ctrl-Z, ESC or an open quote is in it")

    def _read_past(self) -> None:
        now = self.clock.ticks_ms()
        line = self._next(now)
        while line is not None:
            self._unclaimed(line)
            line = self._next(now)
        self._begun = self._rx.start != self._rx.end

    def _takes(self, extras: _Extras, line: "bytes | bytearray", lines: list[str]) -> bool:
        """Is this line a value by length, the prompt or the late result?"""
        if self._rx.is_value:
            self._keep(line, lines)
            return True
        if extras.prompt and not self._rx.prompt:
            extras.prompt = b""
            for piece in extras.data:  # in pieces if it comes so: who is short of RAM may make them as they go
                self._write(piece)
            return True
        if not any_matches(line, extras.results):
            return False
        if self._dirty and self._is_owed(line):
            self._owed = ()  # before our OK: what the last command missed
            self.stats.late += 1
        else:
            text = self.text(line)
            if extras.accept is None or extras.accept(text):
                extras.found = text
                extras.results = ()
            else:
                self._unclaimed(line)
        return True

    def _inform(self, line: "bytes | bytearray", lines: list[str], extras: "_Extras | None") -> None:
        """A line before the final result: it refuses, informs, or is nothing of the command's."""
        if line[0] in b"EANB" or line.startswith(b"+CM"):
            refused(self, line)
        if not line.startswith(self._name) or not matches(line, self._name) or not self._is_answer(line):
            self._unclaimed(line)
            return
        text = self._keep(line, lines)
        if extras is not None and extras.payload is not None:
            count = length(extras.payload, text)
            if count >= self._rx.size:
                self.stats.overruns += 1
                raise AtError("a payload of %d bytes needs more rx_size than %d" % (count, self.rx_size))
            self._rx.expect(count)

    def _keep(self, line: "bytes | bytearray", lines: list[str]) -> str:
        text = self.text(line)
        lines.append(text)
        self._kept += len(text) + _PER_LINE
        if self._kept > self.answer_size:
            raise AtError("the answer takes more than answer_size, %d bytes" % self.answer_size)
        return text

    def _write(self, out: bytes) -> None:
        if self._rx.trace is not None:
            self._rx.trace.sent(out)
        sent = self.uart.write(out) or 0  # None: it took nothing
        if sent == len(out):
            return
        deadline = self.deadline(_WRITE_MS)
        while sent < len(out):  # the UART's buffer is full; the module may hold us back by CTS
            if self.left(deadline) <= 0:
                raise AtTimeout("the UART takes no more bytes: is CTS held, or the module off?")
            if self.idle is not None:
                self.idle()
            self.clock.sleep_ms(1)
            sent += self.uart.write(memoryview(out)[sent:]) or 0

    # Answer, URC, or something late?

    def _is_answer(self, line: "bytes | bytearray") -> bool:
        """A line has the name of the command's answer. Is it the answer, or a URC (+CEREG, +CPIN, +QLWUPDATE)?

        In this order: the family's hook; a prefix that the caller named; registration by its number of fields; names
        nobody subscribed; then by the command's form: what a write form (AT+CFUN=1) is followed by is a URC.
        """
        name = self._name
        if self.is_answer is not None:
            verdict = self.is_answer(str(self._command[:-1], "utf-8"), self.text(line))
            if verdict is not None:
                return bool(verdict)
        if name and self._explicit:
            return True
        asks = self._command[-2] == 63  # ends with ?
        if name in _REGISTRATION:  # +CEREG: 2,5,"1A2B" answers AT+CEREG?, and +CEREG: 5,"1A2B" is the URC
            second = line.find(b",") + 1
            return asks and (self._command[-3] == 61 or second > 0 and not line[second:].lstrip().startswith(b'"'))
        if not name:  # ATI, or prefix="": what looks like nobody else's
            return (self._explicit or line[0] not in b"+#*^") and not self.is_urc(line)
        return asks or b"=" not in self._command or not self.is_urc(line)

    def is_urc(self, line: "bytes | bytearray") -> bool:
        """Has somebody subscribed lines of that name?"""
        return len(self._claim(line)[0]) > 0

    def _claim(self, line: "bytes | bytearray") -> "tuple[bytes, Handler | None]":
        """The prefix and the handler that a line belongs to."""
        for entry in self._subscribed:
            if line.startswith(entry[0]) and matches(line, entry[0]):
                return entry
        return _NOBODY

    def _is_late(self, line: "bytes | bytearray") -> bool:
        """Does it belong to a command, or to a late result, that was given up? Then it is counted, and belongs to nobody."""
        if is_final(line):
            self._pending -= self._pending > 0
        elif not (self._dirty and not self._running and self._name and matches(line, self._name) and self._is_answer(line)):
            if self._is_owed(line):
                self._owed = ()
                self.stats.late += 1  # and still a URC for who subscribed it
            return False
        self.stats.late += 1
        return True

    def _is_owed(self, line: "bytes | bytearray") -> bool:
        """Is this a late result that was given up, and can it be so late?"""
        return any_matches(line, self._owed) and self.clock.ticks_diff(self.clock.ticks_ms(), self._owed_since) < _OWED_MS

    # URCs.

    def subscribe(self, prefix: str, handler: "Handler | None", payload: int = 0) -> None:
        """Call handler(line) for each URC of that name; "" gets what nobody else claims. None ends it.

        payload: the number of the field, from 0, that says how many bytes of value follow it (with or without quotes around
        them). So many bytes are the value, whatever they look like, and the handler gets the whole line. It holds wherever the
        line goes, also to a command's answer:

            at.subscribe("+QLWDLDATA", on_data, payload=2)
            +QLWDLDATA: "/10250/0/1",4,10,"ab\\r\\nOK\\r\\ncd"
        """
        name = prefix.encode()
        table: "list[Any]"
        for table in (self._subscribed, self._rx.payloads):
            for index in range(len(table)):
                if table[index][0] == name:
                    table.pop(index)
                    break
        if handler is not None:
            place = 0
            while place < len(self._subscribed) and len(self._subscribed[place][0]) > len(name):
                place += 1
            self._subscribed.insert(place, (name, handler))
            if payload:
                self._rx.payloads.append((name, payload))

    def poll(self, timeout_ms: int = 0, until: "Callable[[], object] | None" = None) -> int:
        """Read, and hand URCs to their handlers, for that long, or until `until()` is true. Returns how many."""
        return self._serve(self.deadline(timeout_ms), None, None, until)  # type: ignore[return-value]

    def wait(self, prefix: str, timeout_ms: int, accept: "Callable[[str], object] | None" = None) -> str:
        """The next line of that name which `accept` likes, from the queue or the module; other URCs are dispatched.

        Raises AtTimeout at the deadline.
        """
        name = prefix.encode()
        line = self._serve(self.deadline(timeout_ms), name, accept, None)
        if line is None:
            self._read_past()  # a handler may have taken all the time
            line = self._find_queued(name, accept)
            if line is None:
                raise AtTimeout("no %s in %d ms" % (prefix, timeout_ms))
        return self.text(line)  # type: ignore[arg-type]

    def _serve(
        self,
        deadline: int,
        name: "bytes | None",
        accept: "Callable[[str], object] | None",
        until: "Callable[[], object] | None",
    ) -> "bytes | bytearray | int | None":
        """poll and wait: the line of that name, None where it did not come; without a name how many URCs had a handler."""
        self._check(b"")
        count = 0
        nested = self._in_handler
        try:
            while until is None or not until():
                line: "Any" = None if name is None else self._find_queued(name, accept)
                if line is not None:
                    return line  # type: ignore[no-any-return]
                # After the first only while there is time: a module that brings a URC with each answer has no end.
                if self._queue and not nested and (not count or self.left(deadline) > -_LINGER_MS):
                    line = self._queue.pop(0)
                    handler = self._claim(line)[1]
                else:
                    line = self._next(deadline, self.light_sleep is not None)
                    if line is None:
                        break
                    mine = name is not None and line.startswith(name) and matches(line, name)
                    if mine and (accept is None or accept(self.text(line))):
                        return line  # type: ignore[no-any-return]
                    handler = self._unclaimed(line, not nested and not self._queue)
                if handler is not None:
                    count += 1
                    self._in_handler = True
                    handler(self.text(line))
                    self._in_handler = False
            return count if name is None else None
        finally:
            self._in_handler = nested

    def _find_queued(self, name: bytes, accept: "Callable[[str], object] | None") -> "bytes | bytearray | None":
        """Take the first line that a wait is for out of the queue."""
        for index in range(len(self._queue)):
            line = self._queue[index]
            if line.startswith(name) and matches(line, name) and (accept is None or accept(self.text(line))):
                return self._queue.pop(index)
        return None

    def _unclaimed(self, line: "bytes | bytearray", now: bool = False) -> "Handler | None":
        """A line that no command, answer or wait took: a banner, something late, a URC, or nobody's.

        URCs go to the queue, or, where the caller hands them out `now`, their handler is returned.
        """
        if any_matches(line, self.banners):
            if not self._marks & BOOTED:  # a banner has several lines, and counts once until something was answered
                self._marks |= BOOTED
                self.stats.restarts += 1
                if self.on_restart is not None:
                    self.on_restart(self.text(line))
            if self._running:
                self._pending = 0
                raise LinkError("the module restarted in mid-command: " + self.text(line)[:20])
        if (self._dirty or self._owed or line[0] in b"OEAN" or line.startswith(b"+CM")) and self._is_late(line):
            return None
        handler = self._claim(line)[1]
        if handler is not None and now:
            return handler
        queue = self._queue
        queue.append(line)  # nobody's, too: for a wait() to come
        self.stats.unknown += handler is None
        while sum(map(len, queue)) + len(queue) * _PER_LINE > self.queue_size:
            self._shed(handler is not None)
        return None

    def _shed(self, known: bool) -> None:
        """The queue takes more of the heap than it may, and one line goes: the last, if nobody subscribed it.

        Else the oldest that a newer one replaces, which begins as it does up to the word in quotes (+CEREG:, +QLWURC: "read");
        else one that nobody subscribed; else the oldest: what it reported can be asked for again.
        """
        queue = self._queue
        if not known:
            queue.pop()
            return
        for index in range(len(queue)):
            name = queue[index]
            end = name.find(b":") + 1
            if end and name[end : end + 2] == b' "':
                end = name.find(b'"', end + 2) + 1
            name = bytes(name[:end] or name)
            for later in range(index + 1, len(queue)):
                if queue[later].startswith(name):
                    queue.pop(index)
                    self.stats.dropped += 1
                    return
        for index in range(len(queue)):
            if self._claim(queue[index])[1] is None:
                queue.pop(index)
                return
        queue.pop(0)
        self.stats.dropped += 1

    # Waiting.

    def deadline(self, ms: int) -> int:
        """The tick in so many milliseconds."""
        return self.clock.ticks_add(self.clock.ticks_ms(), ms)  # type: ignore[no-any-return]

    def left(self, deadline: int) -> int:
        """Milliseconds until then; negative afterwards."""
        return self.clock.ticks_diff(deadline, self.clock.ticks_ms())  # type: ignore[no-any-return]

    def _next(self, deadline: int, light_sleep: bool = False) -> "Any":
        """The next line, or None at the deadline; what came until then is looked at first. Echoes are taken out."""
        clock = self.clock
        while True:
            left = clock.ticks_diff(deadline, clock.ticks_ms())
            line = None
            if left > -_GRACE_MS:
                line = self._rx.next()
                if line is None and self._rx.fill():
                    line = self._rx.next()
            if line is not None:
                if line[0] == 65 and not self._rx.is_value and line == self._command[:-1]:
                    self.stats.echoes += 1
                    continue
                self.stats.lines += 1
                return line
            if left < 0 or left == 0 and not self.uart.any():
                return None
            # Wait for bytes, in steps that leave time for the idle hook and for values cut short.
            if self.idle is not None:
                self.idle()
            left = min(left, _IDLE_MS)
            if self._rx.need:
                left = min(left, self._rx.patience(clock.ticks_ms()))
            elif light_sleep and self.light_sleep is not None and self._rx.start == self._rx.end:
                begun = clock.ticks_ms()
                if self.light_sleep(left):
                    if clock.ticks_diff(clock.ticks_ms(), begun) < left or self.uart.any():
                        self.light_sleep = None
                    continue
            self._wait(left)

    def text(self, line: "bytes | bytearray") -> str:
        """A line as text; what is no UTF-8 is counted and comes character by character."""
        try:
            return str(line, "utf-8")
        except UnicodeError:
            pass
        self.stats.garbage += 1
        return "".join(map(chr, line))

    def overrun(self, head: "bytes | bytearray") -> None:
        """A line or value that begins like this is longer than the buffer, and lost: was it an answer's?"""
        self.stats.overruns += 1
        if self._running and matches(head, self._name):
            self._marks |= LOST

    # What is done once.

    sync = synchronize

    def trace_to(self, tap: "Callable[[str, bytes], object] | None") -> None:
        """Give tap("tx" or "rx", bytes) everything from now on, by whole lines, secrets redacted; None ends it."""
        self._rx.trace = None if tap is None else Tracer(tap, self._secrets)


def _split(lines: "Any", payload: "Payload | None") -> "Fields":
    """The fields of information lines; a value that follows one stays whole."""
    is_value = False
    for index in range(len(lines)):
        text = lines[index]
        lines[index] = [text] if is_value else fields(text)
        is_value = payload is not None and not is_value and length(payload, text) > 0
    return lines  # type: ignore[no-any-return]
