"""From the UART to whole lines, values by length and prompts; what stands in a line; and what of it a trace may show.

One receive buffer, allocated on first use and never again.

A line ends at CR or LF, whatever the mixture: modules send CR LF, LF CR (the boot ROM of BC66), a lone LF (Telit's lists)
and CR CR LF (echo). What no text begins or ends with (blanks, control characters, NUL, 0xFF and all else above 126) is taken
off both ends. Bytes go through native calls only, and lines stay bytes until somebody wants them: making a str costs
MicroPython ten times as much, because it looks for an interned one first.

Where a length is announced, that many bytes are the value, whatever they look like:

    +QLWRD: 12,0                                                    after an information line: send(payload=...)
    OK, and ERROR
    +QLWURC: "write",27,19,0,0,1,12,"a "b", OK",0                   inside a line: subscribe(..., payload=6)

Bounds: a line longer than the buffer is dropped to its next line end and counted. A length that lies (a BC26 declared 27 with
13 bytes of data) costs 200 ms of silence; then what came is lines again.

    >>> fields('+CCLK: "20/04/05,15:38:02+08",,0000')
    ['20/04/05,15:38:02+08', None, '0000']
    >>> joined((0, "a.example.org", 5683, None, Raw("UQ"), b"\\x01\\xff"), [])
    b'0,"a.example.org",5683,,UQ,01FF'

Nothing is converted on its way in: 0000 may be a payload. What could break out of a command is refused on its way out.

The trace has every byte in and out, by whole lines, with secrets painted over. What has been a secret once is painted over in
both directions for ever: modules echo it and print it back. No run of eight characters of a secret appears, also where a URC
or noise cuts it, and also where the stream is cut into pieces: the last bytes given out are remembered, and what completes a
run with them is painted over.
"""

from binascii import hexlify

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Callable, Sequence

    from lwnode.at.client import AtClient

    Payload = Callable[[str], int]

_OK = b"\r\nOK\r\n"
_STALL_MS = const(200)  # a value that has not grown for so long is given up
_STEP_MS = const(50)
_NOTHING = (ValueError, IndexError, TypeError, AttributeError, KeyError)  # what a payload function that finds none may raise
_RUN = const(8)  # as long a piece of a secret never shows; shorter secrets never show whole
_HEAD = const(64)  # bytes of a line's beginning and end that are remembered once they are given out
_LIMIT = const(1024)  # bytes of a line that has not ended that are kept back


class Stats:
    """Counts since the start."""

    def __init__(self) -> None:
        self.lines = 0  # whole lines and values that the module said; an echo is none
        self.echoes = 0  # our own commands, come back: alone they prove no module
        self.unknown = 0  # claimed by nobody
        self.overruns = 0  # lines or values longer than the buffer
        self.dropped = 0  # URCs that did not fit into the queue
        self.garbage = 0  # lines that are no text, values that stayed short
        self.timeouts = 0
        self.late = 0  # answers and results of commands that had been given up
        self.restarts = 0


class LineBuffer:
    """`next()` gives a line, a value or a prompt, or None.

    What is in `bytes` from `start` to `end` has not been handed out. Before `searched` there is no line end, or none that
    counts. `first` is where the line begins that was handed out last.
    """

    def __init__(self, client: "AtClient") -> None:
        self._client = client
        self.trace: "Any" = None  # a Tracer
        self.raw: "bytearray | None" = None  # gets a copy of all that comes in, while somebody wants it
        self.bytes = bytearray()
        self.size = 0
        self.start = self.end = self.searched = self.first = 0
        self._skipping = False  # the rest of a line that was too long
        self.prompt = b""  # due at a line's start, once
        self.payloads: "list[tuple[bytes, int]]" = []  # lines that hold a value: name, field that says its length
        self.is_value = False  # what was handed out last is a value, not a line
        self.need = 0  # bytes from `start` to have before anything is handed out
        self._count = 0  # bytes of a value that comes next
        self._skip_lf = False  # before it
        self._held = False  # the next line was put back: it is as whole as it will be
        self._stop = 0  # where its value ends
        self._missing = self._since = 0  # bytes of what is needed, and since when so many

    def fill(self) -> bool:
        """Take what the UART has. False: nothing. A full buffer moves its part line to the front, or drops what fills it."""
        count = self._client.uart.any()
        if not count:
            return False
        if self.end == self.size:
            start = self.start
            if not self.bytes:
                self.size = self._client.rx_size
                self.bytes = bytearray(self.size)
                self._view = memoryview(self.bytes)
            elif start:
                self._view[: self.end - start] = self._view[start : self.end]
            else:
                self._client.overrun(self.bytes[:64])
                start = self.end
                self.need = 0
                self._skipping = True
            self.searched = max(0, self.searched - start)
            self._stop = max(0, self._stop - start)
            self.end -= start
            self.start = 0
        piece = self._view[self.end : self.end + count]
        count = self._client.uart.readinto(piece)
        if not count:
            return False
        self.end += count
        if self.trace is not None:
            self.trace.received(piece[:count])
        if self.raw is not None:
            self.raw.extend(piece[:count])
        return True

    def next(self) -> "bytearray | bytes | None":
        """The next value, prompt or line, without its end and never empty. None: what `fill` brought holds none."""
        self.is_value = False
        if self.start == self.end:
            return None
        if self._skipping:
            feed = self.bytes.find(b"\n", self.start, self.end)
            stop = self.bytes.find(b"\r", self.start, self.end if feed < 0 else feed)
            if stop < 0:
                stop = feed
            self._skipping = stop < 0
            self.start = self.searched = self.end if stop < 0 else stop
        if self.end - self.start < self.need:
            return None
        if self._count:
            return self._value()
        if self.prompt:
            stop = self.start
            while stop < self.end and not 32 < self.bytes[stop] < 127:
                stop += 1
            if self.bytes.startswith(self.prompt, stop) and stop + len(self.prompt) <= self.end:
                stop += len(self.prompt)
                while stop < self.end and self.bytes[stop] in b"> ":
                    stop += 1
                self.start = self.searched = stop
                self.prompt = b""
                return b">"
        line = self._line()
        return line if line is None or not self.payloads else self._with_value(line)

    def _line(self) -> "bytearray | bytes | None":
        buf = self.bytes
        start = self.start
        end = self.end
        if end - start == 6 and buf.startswith(_OK, start):  # how most answers end: not worth a search
            self.start = self.searched = end
            return b"OK"
        while start < end and not 32 < buf[start] < 127:
            start += 1
        self.start = start
        if start == end:
            return None
        stop = self.searched
        if stop < start:
            stop = start
        elif stop >= end:
            return None
        self.searched = end
        feed = buf.find(b"\n", stop, end)
        if feed >= 0:
            end = feed
        stop = buf.find(b"\r", stop, end)
        if stop < 0:
            stop = feed
            if stop < 0:
                return None
        self.first = start
        self.start = self.searched = stop + 1
        if feed == stop + 1:
            self.start = feed + 1
        while not 32 < buf[stop - 1] < 127:
            stop -= 1
        return buf[start:stop]

    # Values by length: behind a line.

    def expect(self, count: int) -> None:
        """Behind the line handed out last come `count` bytes, as they are. 0: lines only, from now on, and no prompt."""
        self._count = self.need = count
        self._missing = 0
        self._skip_lf = count > 0 and self.bytes[self.start - 1] == 13  # the other half of its line end
        self._held = False
        if not count:
            self.prompt = b""

    def _value(self) -> "bytearray | bytes | None":
        """The value, or a URC that came between head and value: behind a true value stands OK."""
        start = self.start
        if self._skip_lf and self.bytes[start] == 10:
            self.start = start = start + 1
        self._skip_lf = False
        stop = start + self._count
        if stop + 6 > self.end and self.need:  # after a silence there is no need any more
            self.need = stop + 6 - start
            return None
        if self.need and self.bytes[stop : stop + 6].strip() != b"OK":
            line = self._line()
            if line is None and self.end - start < self.size:
                self.start = start
                self.need = self.end - start + 1
                return None
            if line is not None and self.first - start <= 2 and self._client.is_urc(line):  # only a line end before it
                self.expect(self._count)
                return line
        self.start = self.searched = stop
        self._count = self.need = 0
        self.is_value = True
        return self.bytes[start:stop]

    # Values by length: inside a line.

    def _with_value(self, line: "bytearray | bytes") -> "bytearray | bytes | None":
        """The line. Was it cut by a line end inside its value, it goes back until the rest is there."""
        self.need = 0
        if self._held:
            self._held = False
            # what looks like noise at its end belongs to the value
            return self.bytes[self.first : self._stop] if self.first + len(line) < self._stop else line
        for prefix, field in self.payloads:
            if line.startswith(prefix) and matches(line, prefix):
                least = self._least(line, field)
                value = self.bytes[self.first : self.first + least]
                if max(least, self.need) >= self.size:
                    self.need = 0
                    self._client.overrun(line)
                elif self.need or b"\r" in value or b"\n" in value:
                    self._held = not self.need
                    self.need = self.need or least
                    self._missing = 0
                    self.start = self.first
                    self.searched = self._stop = self.first + least
                    return self.next()
                break
        return line

    def _least(self, line: "bytearray | bytes", field: int) -> int:
        """Bytes that the line has at least, by its declared length; 0 when it declares none, or cannot be judged yet."""
        comma = begin = -1
        for _ in range(field + 1):
            begin = comma + 1
            comma = line.find(b",", begin)
            if comma < 0:
                return 0
        try:
            least = int(line[begin:comma])
        except ValueError:
            return 0
        if least <= 0:
            return 0
        least += comma + 1
        if line[comma + 1 : comma + 2] != b'"':
            return least
        # A quote is around the value, or is its first character: what stands behind the value tells.
        if self.end - self.first < least + 2:
            self.need = least + 2
            return 0
        return least + 2 if self.bytes[self.first + least + 1] == 34 else least

    def patience(self, now: int) -> int:
        """Milliseconds to wait for more of a value. When nothing came for 200 ms it is given up: what came is lines."""
        missing = self.need + self.start - self.end
        if missing != self._missing:
            self._missing = missing
            self._since = now
        elif self._client.clock.ticks_diff(now, self._since) >= _STALL_MS:
            self._held = not self._count
            if self._held or self.need == self._count:  # else the value is there, but nothing behind it
                self._count = 0
                self._client.stats.garbage += 1
            self.need = 0
            self.searched = self._stop = self.start
            return 0
        return _STEP_MS


def length(payload: "Payload", text: str) -> int:
    """What a payload function says about a text that may be damaged: 0 when it says nothing sensible."""
    try:
        return max(0, int(payload(text)))
    except _NOTHING:
        return 0


def waiter(uart: "Any", clock: "Any") -> "Callable[[int], object]":
    """wait(ms): the UART's own, else select.poll where it can be polled, else the clock's sleep in steps of 1 ms."""
    own: "Callable[[int], object] | None" = getattr(uart, "wait", None)
    if own is not None:
        return own

    poll: "Any" = None
    try:
        import select

        poller = select.poll()
        poller.register(uart, select.POLLIN)
        poll = getattr(poller, "ipoll", poller.poll)  # ipoll allocates nothing
    except (ImportError, AttributeError, OSError, TypeError, ValueError):
        pass

    def waiting(ms: int) -> None:
        if poll is not None:
            for _ in poll(ms):
                break
            return
        end = clock.ticks_add(clock.ticks_ms(), ms)
        while not uart.any() and clock.ticks_diff(end, clock.ticks_ms()) > 0:
            clock.sleep_ms(1)

    return waiting


# Names, fields, parameters.


def matches(line: "bytes | bytearray", prefix: bytes) -> bool:
    """A prefix is a whole name: a colon, blank, comma or the end follows. One that has a colon is literal."""
    if not line.startswith(prefix):
        return False
    size = len(prefix)
    return not size or len(line) == size or line[size] in b": ," or b":" in prefix


def any_matches(line: "bytes | bytearray", prefixes: "Sequence[bytes]") -> bool:
    """Has the line one of these names?"""
    for prefix in prefixes:
        if line.startswith(prefix) and matches(line, prefix):  # most are of another name: that costs no call
            return True
    return False


def value(line: str) -> str:
    """What stands behind a line's own name; all of it where it has none.

    >>> value("+CSQ: 18,99"), value("+CSQ:18,99"), value("867997030012345"), value("coap://10.0.0.1")
    ('18,99', '18,99', '867997030012345', 'coap://10.0.0.1')
    """
    start = line.find(":") + 1
    if start and (line.find(",", 0, start) >= 0 or line.find('"', 0, start) >= 0 or line.startswith("//", start)):
        return line
    while start and line.startswith(" ", start):
        start += 1
    return line[start:] if start else line


def fields(line: str) -> "list[str | None]":
    """The parameters after the line's own name: unquoted, None where empty, (0,1) kept whole.

    A quote ends a string only before a comma or the end, so that a quote inside a text does no harm.
    """
    parts: "Any" = line.split(",")
    parts[0] = value(parts[0])
    special = '"' in line or "(" in line
    closing = ""
    count = 0
    for part in parts:  # in place: a second list would cost as much as all else
        if closing:
            part = parts[count - 1] + "," + part
        else:
            count += 1
            if special:
                part = part.lstrip()
                closing = '"' if part.startswith('"') else ")" if part.startswith("(") else ""
        if not closing:
            part = part.strip() or None
        elif len(part) > 1 and part.rstrip().endswith(closing):
            part = part.rstrip()
            if closing == '"':
                part = part[1:-1]
            closing = ""
        parts[count - 1] = part
    if closing:  # never closed: all the rest
        part = parts[count - 1].rstrip()
        parts[count - 1] = part[1:] if closing == '"' else part
    while len(parts) > count:
        parts.pop()
    return parts if count > 1 or parts[0] is not None else []


class Raw:
    """A parameter sent as it is, without quotes. Still refused when it could break out of the line."""

    def __init__(self, text: str) -> None:
        self.text = text


class Secret:
    """A quoted parameter that appears in no trace, exception or repr (PSK, PIN). `bare` leaves the quotes out."""

    def __init__(self, text: str, bare: bool = False) -> None:
        self.text = text
        self.bare = bare


def joined(values: "Sequence[object]", secrets: list[bytes]) -> bytes:
    """The parameters of a write command: str quoted, int bare, None empty, bytes as hex digits, Raw as it is.

    The secret ones are remembered. ValueError for a float (it is text made by the codec: boards have 32-bit floats) and for
    anything else.
    """
    parts = []
    for value in values:
        bare = isinstance(value, Raw)
        if isinstance(value, Secret):
            remember(value.text.encode(), secrets)
            bare = value.bare
        if isinstance(value, (Raw, Secret)):
            value = value.text
        if isinstance(value, str):
            if '"' in value and not bare:
                raise ValueError("a quote inside a string parameter would end it early: send it as hex (bytes)")
            parts.append(value if bare else '"' + value + '"')
        elif value is None:
            parts.append("")
        elif isinstance(value, (int, bool)):  # in MicroPython bool is no int
            parts.append(str(int(value)))
        elif isinstance(value, (bytes, bytearray, memoryview)):
            parts.append(hexlify(bytes(value)).decode().upper())
        else:
            raise ValueError("no parameter is written as %s: give str, int, bytes, None, Raw or Secret" % type(value).__name__)
    return ",".join(parts).encode()


# Secrets, and the trace that has none of them.


def remember(secret: bytes, secrets: list[bytes]) -> None:
    """Once secret, secret for ever: modules echo it now and print it back later."""
    if secret and secret not in secrets:
        secrets.append(secret)


def hide(command: bytes, secrets: list[bytes]) -> None:
    """A line whose parameters are secret: all together, and each that is long enough to be one by itself.

    Its answer is secret, too, the more so where the command only asks: AT+QLWCONFIG? prints the key of an earlier life.
    """
    name, form, values = command.strip().partition(b"=")
    remember(b"\0" + name.rstrip(b"?")[2:], secrets)  # NUL marks the name of an answer: no secret has one
    if form:
        remember(values, secrets)
        for value in fields(str(values, "utf-8")):
            if value and len(value) > 3:
                remember(value.encode(), secrets)


def redact(data: bytes, secrets: list[bytes], context: bytes = b"") -> bytes:
    """`data` with stars for what belongs to a secret, also together with the `context` given out before it.

    Of the answer of a secret command all that follows its name: it may hold a key that nobody here has known before.
    Of a secret every run; digits of a key may come back in the other case.
    """
    stream = bytes(context) + bytes(data)
    lower = stream.lower()
    painted = bytearray(stream)
    for secret in secrets:
        name = secret[:1] == b"\0"
        secret = secret.lower().lstrip(b"\0")
        size = len(secret) if name else min(_RUN, len(secret))
        for first in range(len(secret) - size + 1):
            start = lower.find(secret[first : first + size])
            while start >= 0:
                begin = start
                stop = start + size
                if name:
                    begin = stop + 1
                    if stream[stop:begin] in (b":", b" ", b","):
                        while stop < len(stream) and stream[stop] not in b"\r\n":
                            stop += 1
                for index in range(begin, stop):
                    painted[index] = 42
                start = lower.find(secret[first : first + size], start + 1)
    return bytes(painted[len(context) :])


class Tracer:
    """Collects what comes in until a line ends, then gives it to tap("rx", bytes), redacted."""

    def __init__(self, tap: "Callable[[str, bytes], object]", secrets: list[bytes]) -> None:
        self._tap = tap
        self._secrets = secrets
        self._pending = bytearray()
        self._shown = b""  # what was given out of a line that has not ended, as it was

    def received(self, data: "Any") -> None:
        """Bytes from the module."""
        self._pending.extend(data)
        end = max(self._pending.rfind(b"\r"), self._pending.rfind(b"\n")) + 1
        if end or len(self._pending) > _LIMIT:
            self.flush(end)

    def sent(self, data: "Any") -> None:
        """Bytes to the module; what came in before is given out before."""
        self.flush()
        self._tap("tx", redact(data, self._secrets))

    def flush(self, end: int = 0) -> None:
        """Give out what came in up to there; 0: all of it, also a line that has not ended."""
        data = bytes(self._pending[: end or len(self._pending)])
        if data:
            self._pending = self._pending[len(data) :]
            self._tap("rx", redact(data, self._secrets, self._shown))
            line = self._shown + data
            line = line[max(line.rfind(b"\r"), line.rfind(b"\n")) + 1 :]
            self._shown = line if len(line) <= 2 * _HEAD else line[:_HEAD] + line[-_HEAD:]
