"""From the UART to whole lines. One receive buffer, allocated on first use and never again.

A line ends at CR or LF, whatever the mixture: modules send CR LF, LF CR (the boot ROM of BC66), a lone LF
(Telit's lists) and CR CR LF (echo). What no text begins or ends with (blanks, control characters, NUL, 0xFF and
all else above 126) is taken off both ends. Bytes go through native calls only, and lines stay bytes until somebody
wants them: making a str costs MicroPython ten times as much, because it looks for an interned one first.

A line longer than the buffer is dropped to its next line end and counted in `stats.overruns`.
"""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

_OK = b"\r\nOK\r\n"


class Stats:
    """Counts since the start, as attributes or by name: stats.late, stats["late"]."""

    def __init__(self) -> None:
        self.lines = 0  # whole lines and payloads
        self.unknown = 0  # claimed by nobody
        self.overruns = 0  # lines or payloads longer than the buffer
        self.dropped = 0  # URCs that did not fit into the queue
        self.garbage = 0  # lines that are no text, payloads that stayed short
        self.timeouts = 0
        self.late = 0  # answers and results of commands that had been given up
        self.restarts = 0

    def __getitem__(self, name: str) -> int:
        return getattr(self, name)  # type: ignore[no-any-return]


class LineBuffer:
    """`next()` gives a line or None. The rest is open to lwnode.at.framing and lwnode.at.sync.

    What is in `bytes` from `start` to `end` has not been handed out. Before `searched` there is no line end, or none that
    counts. `first` is where the line begins that was handed out last.
    """

    def __init__(self, client: "Any") -> None:
        self.client = client
        self.uart = client.uart
        self.stats = client.stats
        self.bytes = bytearray()
        self.size = 0
        self.start = self.end = self.searched = self.first = 0
        self.skipping = False  # the rest of a line that was too long
        self.framing: "Any" = None  # values by length and prompts, once there are any
        self.trace: "Any" = None

    def next(self) -> "bytearray | bytes | None":
        """The next line, without its end and never empty. None: what one read brought holds none."""
        line = None
        if self.start != self.end:
            line = self.scan() if self.framing is None else self.framing.scan(self)
        if line is None and self._fill():
            line = self.scan() if self.framing is None else self.framing.scan(self)
        if line is not None:
            self.stats.lines += 1
        return line

    def _fill(self) -> bool:
        """Take what the UART has. False: nothing."""
        count = self.uart.any()
        if not count:
            return False
        end = self.end
        if end == self.size:
            end = self._make_room()
        count = self.uart.readinto(self.view[end : end + count])
        if not count:
            return False
        self.end = end + count
        if self.trace is not None:
            self.trace.received(self.view[end : end + count])
        return True

    def scan(self) -> "bytearray | bytes | None":
        """The next line that is in the buffer."""
        if self.skipping and not self._skip():
            return None
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

    def _skip(self) -> bool:
        """Drop the rest of a line that was too long. True: its end was there."""
        feed = self.bytes.find(b"\n", self.start, self.end)
        stop = self.bytes.find(b"\r", self.start, self.end if feed < 0 else feed)
        if stop < 0:
            stop = feed
        self.skipping = stop < 0
        self.start = self.searched = self.end if stop < 0 else stop
        return stop >= 0

    def _make_room(self) -> int:
        """The buffer is full: move the part line to its front, or drop it when it is the whole buffer."""
        if not self.bytes:
            self.size = self.client.rx_size
            self.bytes = bytearray(self.size)
            self.view = memoryview(self.bytes)
            return 0
        start = self.start
        size = self.end - start
        if start:
            self.view[:size] = self.view[start : self.end]
        else:
            start = self.end
            size = 0
            self.stats.overruns += 1
            self.skipping = True
        self.searched = max(0, self.searched - start)
        self.start = 0
        return size
