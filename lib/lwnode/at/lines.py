"""The receive buffer: bytes from the UART in, whole lines out. One bytearray, allocated once.

A line ends at CR or LF, whatever the mixture: modules send CR LF, LF CR (the boot ROM of BC66), a lone LF
(Telit's lists) and CR CR LF (echo). What no text begins or ends with (blanks, control characters, NUL, 0xFF and
all else above 126) is taken off both ends. Bytes go through native calls only; Python sees lines.

A line longer than the buffer is dropped to its next line end and counted in `stats.overruns`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class LineBuffer:
    """`next()` gives a line or None, `read()` fetches bytes.

    For lwnode.at.framing the inside is open: `start` to `end` is what has not been handed out, before `searched`
    is no line end (or one that does not count), `first` is where the line handed out last begins. `special`, once
    set, is asked for the next line instead.
    """

    def __init__(self, uart: "Any", size: int, stats: "Any") -> None:
        self.uart = uart
        self.stats = stats
        self.bytes = bytearray(size)
        self.view = memoryview(self.bytes)
        self.start = self.end = self.searched = self.first = 0
        self.special: "Any" = None
        self.by_length = False  # what was handed out last is a payload, not a line
        self.skipping = False  # the rest of a line that was too long

    def read(self, trace: "Any") -> bool:
        """Take what the UART has. False: nothing."""
        count = self.uart.any()
        if not count:
            return False
        end = self.end
        room = len(self.bytes) - end
        if not room:
            room = self._make_room()
            end = self.end
        count = self.uart.readinto(self.view[end : end + min(count, room)])
        if not count:
            return False
        self.end = end + count
        if trace is not None:
            trace.received(self.view[end : end + count])
        return True

    def next(self) -> str | None:
        """The next line, without its end and never empty. None: it is not there yet."""
        if self.special is not None:
            return self.special.next(self)  # type: ignore[no-any-return]
        self.by_length = False
        buf = self.bytes
        start = self.start
        end = self.end
        while start < end and not 32 < buf[start] < 127:
            start += 1
        if start >= end:
            self.start = self.end = self.searched = 0
            return None
        self.start = start
        since = max(start, self.searched)
        if since >= end:
            return None
        stop = buf.find(b"\n", since, end)
        carriage = buf.find(b"\r", since, end if stop < 0 else stop)
        if carriage >= 0:
            stop = carriage
        elif stop < 0:
            self.searched = end
            return None
        self.first = start
        self.start = self.searched = stop + 1
        if self.skipping:
            self.skipping = False
            return self.next()
        while not 32 < buf[stop - 1] < 127:
            stop -= 1
        return self.text(start, stop)

    def text(self, start: int, stop: int) -> str:
        """These bytes as text; what is no UTF-8 is counted and comes character by character."""
        try:
            return str(self.view[start:stop], "utf-8")
        except UnicodeError:
            self.stats.garbage += 1
            return "".join([chr(byte) for byte in self.view[start:stop]])

    def _make_room(self) -> int:
        """The buffer is full: move the part line to its front, or drop it when it is the whole buffer."""
        moved = self.start
        size = self.end - moved
        if moved:
            self.view[:size] = self.view[moved : self.end]
        else:
            moved = self.searched
            size = 0
            if not self.skipping:
                self.stats.overruns += 1
            self.skipping = True
        self.searched -= min(moved, self.searched)
        self.start = 0
        self.end = size
        return len(self.bytes) - size
