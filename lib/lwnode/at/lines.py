"""The receive buffer: bytes from the UART in, whole lines out. One bytearray, allocated once.

A line ends at CR or LF, whatever the mixture: modules send CR LF, LF CR (the boot ROM of BC66), a lone LF
(Telit's lists) and CR CR LF (echo). What no text begins or ends with (control characters, NUL, 0xFF and all
else above 126) is taken off both ends. Bytes go through native calls only; Python sees lines.

A line longer than the buffer is dropped to its next line end and counted in `stats.overruns`.
"""


class LineBuffer:
    """`next()` gives a line or None, `read()` fetches bytes. `prompt` is looked for at a line's start only."""

    def __init__(self, uart, size: int, stats) -> None:  # type: ignore[no-untyped-def]
        self.prompt = b""
        self.by_length = False  # what next() gave last came by length
        self._uart = uart
        self._stats = stats
        self._bytes = bytearray(size)
        self._view = memoryview(self._bytes)
        self._start = 0  # of what has not been handed out
        self._end = 0
        self._searched = 0  # no line end before this
        self._first = 0  # byte of the line last handed out
        self._least = 0  # the line is at least so long, line ends or not
        self._given_up = False  # the next line stays as it is
        self._counted = 0  # so many bytes come next, as they are
        self._skip_lf = False  # the LF of a CR LF that was cut in two
        self._skip_line = False  # the rest of a line that was too long

    def read(self, trace) -> bool:  # type: ignore[no-untyped-def]
        """Take what the UART has. False: nothing."""
        count = self._uart.any()
        if not count:
            return False
        room = len(self._bytes) - self._end
        if not room:
            room = self._make_room()
        end = self._end
        got = self._uart.readinto(self._view[end:end + min(count, room)])
        if not got:
            return False
        if trace is not None:
            trace.received(self._view[end:end + got])
        self._end = end + got
        return True

    def next(self) -> str | None:
        """The next line, without its end and never empty; the prompt; or counted bytes. None: not there yet."""
        if self._counted:
            return self._next_counted()
        self.by_length = False
        buf = self._bytes
        start = self._start
        end = self._end
        while start < end and not 32 < buf[start] < 127:
            start += 1
        if start >= end:
            self._start = self._end = self._searched = 0
            return None
        self._start = start
        if self.prompt and buf.startswith(self.prompt, start):
            return self._next_prompt()
        stop = self._line_end(start, end)
        if stop < 0:
            self._searched = end
            return None
        self._start = self._searched = stop + 1
        self._first = start
        self._least = 0
        if self._skip_line:
            self._skip_line = False
            return self.next()
        if 32 <= buf[stop - 1] < 127:
            return self._text(start, stop)
        self._stats.garbage += 1
        while not 32 < buf[stop - 1] < 127:
            stop -= 1
        return self._text(start, stop)

    def _line_end(self, start: int, end: int) -> int:
        """Index of the first CR or LF behind what was searched or declared, or -1."""
        since = max(start + self._least, self._searched)
        if since >= end:
            return -1
        stop = self._bytes.find(b"\n", since, end)
        carriage = self._bytes.find(b"\r", since, end if stop < 0 else stop)
        return stop if carriage < 0 else carriage

    def _text(self, start: int, stop: int) -> str:
        try:
            return str(self._view[start:stop], "utf-8")
        except UnicodeError:
            self._stats.garbage += 1
            return "".join([chr(byte) for byte in self._view[start:stop]])

    # Payloads by length. Nothing in them ends a line.

    def hold(self, length: int) -> bool:
        """The line just handed out is at least `length` bytes long: put it back if it is cut. False: it is whole."""
        if self._given_up or length <= self._start - 1 - self._first:
            self._given_up = False
            return False
        if length >= len(self._bytes):
            self._stats.overruns += 1
            return False
        self._start = self._first
        self._least = length
        self._searched = 0
        return True

    def expect(self, count: int) -> bool:
        """After the line just handed out come `count` bytes, as they are. False: more than the buffer takes."""
        if count > len(self._bytes):
            self._stats.overruns += 1
            return False
        self._counted = count
        self._skip_lf = self._bytes[self._start - 1] == 13
        return True

    def missing(self) -> int:
        """Bytes by length that have not come yet."""
        length = self._counted or self._least
        return max(0, self._start + length - self._end) if length else 0

    def release(self) -> None:
        """Give up waiting for bytes by length; what came is lines after all."""
        self._given_up = self._least > 0
        self._counted = self._least = self._searched = 0

    def discard(self) -> None:
        """Forget a line that has not ended."""
        self._start = self._end = self._searched = self._least = self._counted = 0

    def _next_counted(self) -> str | None:
        start = self._start
        if self._skip_lf and start < self._end:
            self._skip_lf = False
            if self._bytes[start] == 10:
                self._start = start = start + 1
        stop = start + self._counted
        if stop > self._end:
            return None
        self._start = self._searched = stop
        self._counted = 0
        self.by_length = True
        return self._text(start, stop)

    def _next_prompt(self) -> str:
        start = self._start + len(self.prompt)
        while start < self._end and self._bytes[start] in b"> ":
            start += 1
        self._start = self._searched = start
        text = self.prompt.decode()
        self.prompt = b""
        return text

    def _make_room(self) -> int:
        """The buffer is full: move the part line to its front, or drop it when it fills the buffer."""
        size = self._end - self._start
        if self._start:
            self._view[:size] = self._view[self._start:self._end]
            self._searched = max(0, self._searched - self._start)
        else:
            size = self._searched = self._least = self._counted = 0
            if not self._skip_line:
                self._stats.overruns += 1
            self._skip_line = True
        self._start = 0
        self._end = size
        return len(self._bytes) - size
