"""The client: a command goes out, its answer comes in, and nothing else is taken for it; URCs find their handlers.

URCs that come while a command or a handler runs are queued and handed out by `poll` and the outermost `wait`, one at a
time, so that a handler may send and wait itself and call depth does not grow.

A module answers in order. So when a command was given up, its final result is counted as outstanding, and the next command
first sends AT until as many final results came as commands went out, or none came for a while.
"""

from lwnode.at.lines import LineBuffer, Stats, Tracer, any_matches, fields, hide, joined, length, matches, redact, value, waiter
from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, NoReturn, Sequence, TypedDict

    from typing_extensions import Unpack

    Payload = Callable[[str], int]
    Handler = Callable[[str], object]
    Fields = list[list[str | None]]

    class Keywords(TypedDict, total=False):
        """Of send, ask, test, read, write and run; see lwnode.at."""

        timeout_ms: int | None
        prefix: str | None
        payload: Payload | None
        data: bytes | Iterable[bytes] | None
        prompt: str | None
        secret: bool
        result: str | Sequence[str] | None
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


_REPLY_MS = const(300)  # a module that listens has answered AT by then (all four manuals)
_LATE_MS = const(1000)  # a late answer that has not come by then is taken for lost
_LATE_AT_MS = const(100)  # the same where only AT was given up: it takes no time once the module listens
_BYTE_MS = const(30)  # the same where all line ends are tried
_ROUNDS = const(10)  # the first AT after sleep is often lost; BC26 drivers send up to ten
_SLOW = const(1)  # of a client's marks: a command other than AT was given up
_ESCAPE = const(2)  # the module may be waiting for data
_BOOTED = const(4)  # a banner came and nothing was answered since
_LOST = const(8)  # a line of the answer was too long
_PROBES = (b"ATQ0\n", b"AT\r", b"ATQ0\r")  # the first of them comes last in each round
_REFUSALS = ("ERROR", "ABORTED", "NO CARRIER", "BUSY", "NO DIALTONE", "NO ANSWER")


class AtError(Exception):
    """Anything that went wrong between us and the module; the more telling kinds follow.

    `lines` are the information lines that had come by then.
    """

    lines: "Sequence[str]" = ()


class AtTimeout(AtError):
    """Nothing came in time: no final result, no prompt, no result that was armed, no line waited for."""


class LinkError(AtError):
    """The module restarted in mid-command: its boot banner came instead of an answer."""


class BudgetExceeded(AtError):
    """Raised by the `idle` hook when the wake may take no longer. The driver stays usable."""


class CommandError(AtError):
    """The module refused.

    `code`    the number after +CME, +CMEE or +CMS ERROR (0 is a failure too), None where it gave none
    `text`    what it said in words: "SIM not inserted", "ERROR", "ABORTED", "SEND FAIL"; the number as text else
    `result`  "+CME ERROR", "+CMEE ERROR", "+CMS ERROR", or the text itself. BC66 uses the first two for
              different number spaces.
    """

    def __init__(self, code: int | None, text: str, command: bytes = b"", result: str = "") -> None:
        super().__init__("%s: %s %s" % (name_of(command), result, text))
        self.code = code
        self.text = text
        self.result = result or text


def name_of(command: bytes) -> str:
    """A command for an exception's text: without its parameters, which may be secret."""
    return str(command.split(b"=")[0].strip(), "utf-8")


def is_final(line: "bytes | bytearray") -> bool:
    """Does this line end some command?"""
    return line in (b"OK", b"ERROR", b"ABORTED", b"NO CARRIER") or line.startswith(b"+CM") and b" ERROR" in line


class _Extras:
    """What one command expects besides information lines and OK: the keywords of lwnode.at, with their defaults."""

    def __init__(
        self,
        timeout_ms: "int | None" = None,
        prefix: "str | None" = None,
        payload: "Payload | None" = None,
        data: "bytes | Iterable[bytes] | None" = None,
        prompt: "str | None" = None,
        secret: bool = False,
        result: "str | Sequence[str] | None" = None,
        result_timeout_ms: int = 0,
    ) -> None:
        self.timeout_ms = timeout_ms
        self.result_ms = result_timeout_ms
        self.prefix = prefix
        self.payload = payload
        self.secret = secret
        self.data: "Iterable[bytes]" = (data,) if isinstance(data, bytes) else data or ()
        self.prompt = b"" if data is None and prompt is None else (prompt or ">").encode()
        self.results: "Any" = [name.encode() for name in ((result,) if isinstance(result, str) else result or ())]
        self.found: "str | None" = None


_PLAIN = _Extras()  # of a command that expects nothing else


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
        self._marks = 0  # _SLOW, _ESCAPE, _BOOTED, _LOST
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
        """AT+X=a,b -> the fields of each information line. Parameters as in lwnode.at.lines."""
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
        extras = _Extras(**how) if how else _PLAIN
        timeout_ms = self.timeout_ms if extras.timeout_ms is None else extras.timeout_ms
        if extras.secret:
            hide(command, self._secrets)
        if self._dirty:
            self._resync(command, timeout_ms)
        left = self.gap_ms + self.clock.ticks_diff(self._ended, self.clock.ticks_ms())
        if 0 < left <= self.gap_ms:
            self.clock.sleep_ms(left)
        self._begun = False
        if self._rx.start != self._rx.end or self.uart.any():  # what is there is no answer, nor what is there in part
            self._read_past()
        self._command = command
        self._explicit = extras.prefix is not None
        self._name = name if extras.prefix is None else extras.prefix.encode()
        lines: list[str] = []
        self._running = self._dirty = True
        self._kept = 0
        self._marks &= ~_LOST
        self._pending = 1
        try:
            if extras.prompt:
                self._rx.prompt = extras.prompt
                self._marks |= _ESCAPE
            self._write(command)
            if not self._listen(lines, extras, self.deadline(timeout_ms), extras.result_ms or timeout_ms):
                self._timed_out(command, timeout_ms)
        except AtError as error:
            error.lines = lines
            if isinstance(error, CommandError):
                extras.results = ()  # what was refused owes nothing
            raise
        finally:
            self._running = False
            self._ended = self.clock.ticks_ms()
            if how:
                self._rx.expect(0)
                if extras.results:  # they may still come
                    self._owed = () if self._marks & _BOOTED else extras.results
                    self._owed_since = self._ended
        if extras.found is not None:
            lines.append(extras.found)
        return lines

    def _listen(self, lines: list[str], extras: _Extras, deadline: int, result_ms: int) -> bool:
        """Whose is each line? Until the final result, and the late result, is here. False: not in time."""
        rx = self._rx
        done = False
        while True:
            line = self._next(deadline)
            if line is None:
                return False
            if self._begun:
                self._begun = False
                self._unclaimed(line)
            elif extras.prompt and not rx.prompt:
                extras.prompt = b""
                for piece in extras.data:  # in pieces if it comes so: who is short of RAM may make them as they go
                    self._write(piece)
            elif not rx.is_value and any_matches(line, extras.results):
                if self._dirty and self._is_owed(line):
                    self._owed = ()  # before our OK: what the last command missed
                    self.stats.late += 1
                else:
                    extras.found = self.text(line)
                    extras.results = ()
            elif not done and line == b"OK" and not rx.is_value:
                done = True
                lost = self._marks & _LOST
                self._dirty = False
                self._marks = 0
                if lost:
                    raise AtError("a line of the answer is longer than rx_size, %d bytes" % self.rx_size)
                if extras.results:
                    deadline = self.deadline(result_ms)
            else:
                self._inform(line, lines, extras, done)
            if done and not extras.results:
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

    def _inform(self, line: "bytes | bytearray", lines: list[str], extras: _Extras, done: bool) -> None:
        """A value by length, or a line that refuses, informs, or is nothing of the command's."""
        rx = self._rx
        is_value = rx.is_value
        if not is_value:
            if not done and (line[0] in b"EANB" or line.startswith(b"+CM")):
                self._refused(line)
            if done or not line.startswith(self._name) or not matches(line, self._name) or not self._is_answer(line):
                self._unclaimed(line)
                return
        text = self.text(line)
        lines.append(text)
        self._kept += len(text) + _PER_LINE
        if self._kept > self.answer_size:
            raise AtError("the answer takes more than answer_size, %d bytes" % self.answer_size)
        if extras.payload is not None and not is_value:
            count = length(extras.payload, text)
            if count >= rx.size:
                self.stats.overruns += 1
                raise AtError("a payload of %d bytes needs more rx_size than %d" % (count, self.rx_size))
            rx.expect(count)

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
        return self._serve(self.deadline(timeout_ms), None, until)  # type: ignore[return-value]

    def wait(self, prefix: str, timeout_ms: int) -> str:
        """The next line of that name, from the queue or the module; other URCs are dispatched.

        Raises AtTimeout at the deadline.
        """
        name = prefix.encode()
        line = self._serve(self.deadline(timeout_ms), name, None)
        if line is None:
            self._read_past()  # a handler may have taken all the time
            line = self._find_queued(name)
            if line is None:
                raise AtTimeout("no %s in %d ms" % (prefix, timeout_ms))
        return self.text(line)  # type: ignore[arg-type]

    def _serve(
        self, deadline: int, name: "bytes | None", until: "Callable[[], object] | None",
    ) -> "bytes | bytearray | int | None":
        """poll and wait: the line of that name, None where it did not come; without a name how many URCs had a handler."""
        self._check(b"")
        count = 0
        nested = self._in_handler
        look = name is not None  # into the queue: first, and after each handler, which may have filled it
        try:
            while until is None or not until():
                line: "Any" = self._find_queued(name) if look else None  # type: ignore[arg-type]
                if line is not None:
                    return line  # type: ignore[no-any-return]
                look = False
                # After the first only while there is time: a module that brings a URC with each answer has no end.
                if self._queue and not nested and (not count or self.left(deadline) > -_LINGER_MS):
                    line = self._queue.pop(0)
                    handler = self._claim(line)[1]
                else:
                    line = self._next(deadline, self.light_sleep is not None)
                    if line is None:
                        break
                    if name is not None and line.startswith(name) and matches(line, name):
                        return line  # type: ignore[no-any-return]
                    handler = self._unclaimed(line, not nested and not self._queue)
                if handler is not None:
                    count += 1
                    self._in_handler = True
                    handler(self.text(line))
                    self._in_handler = False
                    look = name is not None
            return count if name is None else None
        finally:
            self._in_handler = nested

    def _find_queued(self, name: bytes) -> "bytes | bytearray | None":
        """Take the first line that a wait is for out of the queue."""
        for index in range(len(self._queue)):
            if matches(self._queue[index], name):
                return self._queue.pop(index)
        return None

    def _unclaimed(self, line: "bytes | bytearray", now: bool = False) -> "Handler | None":
        """A line that no command, answer or wait took: a banner, something late, a URC, or nobody's.

        URCs go to the queue, or, where the caller hands them out `now`, their handler is returned.
        """
        if any_matches(line, self.banners):
            if not self._marks & _BOOTED:  # a banner has several lines, and counts once until something was answered
                self._marks |= _BOOTED
                self.stats.restarts += 1
                if self.on_restart is not None:
                    self.on_restart(self.text(line))
            if self._running:
                self._pending = 0
                raise LinkError("the module restarted in mid-command: " + self.text(line)[:20])
        if self._dirty or self._owed or line[0] in b"OEAN" or line.startswith(b"+CM"):
            # Does it belong to a command, or to a late result, that was given up? Then it is counted, and belongs to nobody.
            late = is_final(line)
            if late:
                self._pending -= self._pending > 0
            elif self._dirty and not self._running and self._name and matches(line, self._name):
                late = self._is_answer(line)
            if not late and self._is_owed(line):
                self._owed = ()
                self.stats.late += 1  # and still a URC for who subscribed it
            if late:
                self.stats.late += 1
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

    # Refusals, silence, a line out of step.

    def _refused(self, line: "bytes | bytearray") -> None:
        """Raise CommandError if this line is a final result that says no; +CMEE: 1 is none."""
        text = self.text(line)
        kind, _, words = text.partition("ERROR")
        kind = kind.strip()
        code: int | None = None
        if kind in ("+CME", "+CMEE", "+CMS"):
            kind += " ERROR"
            text = words.strip(" :")
            try:
                code = int(text)
            except ValueError:
                pass  # CMEE=2 gives words
        elif text in _REFUSALS:
            kind = ""
        else:
            return
        if self._secrets:
            text = str(redact(text.encode(), self._secrets), "utf-8")
        self._dirty = False
        self._marks = 0
        raise CommandError(code, text, self._command, kind)

    def _timed_out(self, command: bytes, timeout_ms: int) -> "NoReturn":
        """Count and raise. A module that said OK and owes only a late result is not silent."""
        self.stats.timeouts += 1
        if self._rx.trace is not None:
            self._rx.trace.flush()
        what = "answer" if self._dirty else "result"
        raise AtTimeout("%s: no %s within %d ms" % (name_of(command), what, timeout_ms))

    def _resync(self, command: bytes, timeout_ms: int) -> None:
        """Bring a line into step for `command`: AT till the module answers, `timeout_ms` at most; then till nothing is due.

        What has not come after a second (a tenth, if only AT was given up, as when the module sleeps) is lost. AtTimeout where
        nothing answers.
        """
        give_up = self.deadline(timeout_ms)
        if self._command != b"AT\r":
            self._marks |= _SLOW
            self._command = b"AT\r"
        if self._marks & _ESCAPE:
            self._write(b"\x1b")  # a prompt was due: what follows would be taken for data
        self._read_past()
        heard = False
        while not heard:
            left = self.left(give_up)
            if left <= 0:
                self._timed_out(command, timeout_ms)
            self._write(b"AT\r")
            self._pending += 1
            heard = self._listened(min(left, _REPLY_MS))
        while self._pending > 0 and self._listened(_LATE_MS if self._marks & _SLOW else _LATE_AT_MS):
            pass
        self._dirty = False
        self._marks = 0
        self._ended = self.clock.ticks_ms()

    def _listened(self, quiet_ms: int) -> bool:
        """Wait for a final result so long. Other lines go where they belong."""
        deadline = self.deadline(quiet_ms)
        while True:
            line = self._next(deadline)
            if line is None:
                return False
            if self._begun or not is_final(line):
                self._begun = False
                self._unclaimed(line)
            else:
                self._pending -= 1
                self.stats.late += self._pending > 0  # the last of them is our own
                return True

    def sync(self, rates: "Sequence[int] | None" = None) -> int:
        """Find the module and bring the line into a known state: echo off, V1, Q0, CMEE 1, S3 and S4 as usual. AtClient.sync.

        `rates` are tried in turn on the UART. Returns the rate that answered, or 1 when none was to be found.
        Raises AtTimeout when the module does not answer.
        """
        if self._marks & _ESCAPE:
            self._write(b"\x1b")
        for rate in rates or (0,):
            if rate:
                self.uart.init(baudrate=rate)
            end = self._find(3 if rates else _ROUNDS)
            if end:
                break
        else:
            self._dirty = True
            self._timed_out(b"AT", _REPLY_MS)
        if end != b"\r":
            self._ask_raw(b"ATS3=13" + end)
        for _ in range(3):
            if self._ask_raw(b"AT\r").endswith(b"\r\nOK\r\n"):
                break
            for line in (b"ATQ0\r", b"ATV1\r", b"ATS4=10\r"):
                self._ask_raw(line)
        for line in (b"ATE0\r", b"AT+CMEE=1\r"):  # ERROR is no harm: not every module has it in every state
            self._ask_raw(line)
        self._dirty = False
        self._marks = 0
        self._ended = self.clock.ticks_ms()
        return rate or 1

    def _find(self, rounds: int) -> bytes:
        """What ends a command line, found by a module that replied to it; b"" when none did.

        ATQ0 wakes one that was told to give no results. S3 may have moved the line's end away from CR
        (Telit manual 2.1): LF is tried in each round, the other control characters in the end. A reply is a final result in
        words, or as a number and little else: noise at a wrong rate is longer.
        """
        for turn in range(1 - 3 * rounds, 32):
            line = b"ATQ0" + bytes((turn,)) if turn > 0 else _PROBES[turn % 3]
            reply = self._ask_raw(line, _BYTE_MS if turn > 0 else _REPLY_MS)
            if b"OK" in reply or b"ERROR" in reply or len(reply) < 4 and reply[:1] in (b"0", b"4"):
                return line[-1:]
        return b""

    def _ask_raw(self, command: bytes, timeout_ms: int = _REPLY_MS) -> bytes:
        """Send a line and return the raw reply of so many milliseconds, without its echo; URCs in it are not lost."""
        rx = self._rx
        rx.raw = raw = bytearray()
        self._command = command
        try:
            self._write(command)
            deadline = self.deadline(timeout_ms)
            line = self._next(deadline)
            while line is not None:
                if not is_final(line) and not line.isdigit():
                    self._unclaimed(line)
                line = self._next(deadline)
        finally:
            rx.raw = None
        rx.start = rx.searched = rx.end  # with strange line ends it never ends
        rx.expect(0)
        return bytes(raw[len(command) :] if raw.startswith(command) else raw)

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
            self._marks |= _LOST

    # What is done once.

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
