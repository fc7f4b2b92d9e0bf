"""From the UART to whole lines, by a deadline. One receive buffer, allocated on first use and never again.

A line ends at CR or LF, whatever the mixture: modules send CR LF, LF CR (the boot ROM of BC66), a lone LF
(Telit's lists) and CR CR LF (echo). What no text begins or ends with (blanks, control characters, NUL, 0xFF and
all else above 126) is taken off both ends. Bytes go through native calls only, and lines stay bytes until somebody
wants them: making a str costs MicroPython ten times as much, because it looks for an interned one first.

A line longer than the buffer is dropped to its next line end and counted in `stats.overruns`.
"""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Callable

_IDLE_MS = const(500)  # the idle hook is called at least so often


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


class LineReceiver:
    """The lower half of AtClient; not used by itself."""

    def __init__(self, uart: "Any", clock: "Any", rx_size: int) -> None:
        self.uart = uart
        self.clock = clock
        self.rx_size = rx_size  # may be changed until the first byte is read
        self.stats = Stats()
        self.idle: "Callable[[], object] | None" = None
        self._rx = bytearray()
        self._view = memoryview(self._rx)
        self._start = self._end = 0  # of what has not been handed out
        self._first = 0  # where the line handed out last begins
        self._searched = 0  # no line end before this, or none that counts
        self._skipping = False  # the rest of a line that was too long
        self._framing: "Any" = None  # what does not come by lines, see lwnode.at.framing
        self._trace: "Any" = None
        self._wait: "Callable[[int], object] | None" = getattr(uart, "wait", None)

    def _next(self, deadline: int) -> "bytearray | None":
        """The next line, or None at the deadline; what came until then is looked at first."""
        clock = self.clock
        while True:
            line = self._scan() if self._framing is None else self._framing.scan(self)
            if line is not None:
                self.stats.lines += 1
                return line
            left = clock.ticks_diff(deadline, clock.ticks_ms())
            if left < 0:
                return None
            if not self._fill():
                if not left:
                    return None
                self._pause(left)

    def _scan(self) -> "bytearray | None":
        """The next whole line in the buffer, without its end and never empty."""
        rx = self._rx
        start = self._start
        end = self._end
        while start < end and not 32 < rx[start] < 127:
            start += 1
        self._start = start
        stop = self._searched
        if stop < start:
            stop = start
        if stop >= end:
            if start >= end:
                self._start = self._end = self._searched = 0
            return None
        self._first = start
        self._searched = end
        end = rx.find(b"\n", stop, end)
        stop = rx.find(b"\r", stop, self._searched if end < 0 else end)
        if stop < 0:
            stop = end
            if stop < 0:
                return None
        self._start = self._searched = stop + 1
        if self._skipping:
            self._skipping = False
            return self._scan()
        while not 32 < rx[stop - 1] < 127:
            stop -= 1
        return rx[start:stop]

    def _fill(self) -> bool:
        """Take what the UART has. False: nothing."""
        count = self.uart.any()
        if not count:
            return False
        end = self._end
        if end == len(self._rx):
            end = self._make_room()
        view = self._view[end : end + count]
        count = self.uart.readinto(view)
        if not count:
            return False
        self._end = end + count
        if self._trace is not None:
            self._trace.received(view[:count])
        return True

    def _make_room(self) -> int:
        """The buffer is full: move the part line to its front, or drop it when it is the whole buffer."""
        if not self._rx:
            self._rx = bytearray(self.rx_size)
            self._view = memoryview(self._rx)
            return 0
        start = self._start
        size = self._end - start
        if start:
            self._view[:size] = self._view[start : self._end]
        else:
            start = self._end
            size = 0
            if not self._skipping:
                self.stats.overruns += 1
            self._skipping = True
        self._searched = max(0, self._searched - start)
        self._start = 0
        return size

    def _pause(self, ms: int) -> None:
        """Wait for bytes, `ms` at most, in steps that leave room for the idle hook and for values cut short."""
        if self.idle is not None:
            self.idle()
        if self._framing is not None:
            ms = min(ms, self._framing.patience(self))
        if self._wait is None:
            from lwnode.at.waiting import waiter

            self._wait = waiter(self.uart, self.clock)
        self._wait(min(ms, _IDLE_MS))

    def _deadline(self, ms: int) -> int:
        return self.clock.ticks_add(self.clock.ticks_ms(), ms)  # type: ignore[no-any-return]

    def _left(self, deadline: int) -> int:
        return self.clock.ticks_diff(deadline, self.clock.ticks_ms())  # type: ignore[no-any-return]

    def _text(self, line: "bytearray | bytes") -> str:
        """A line as text; what is no UTF-8 is counted and comes character by character."""
        try:
            return str(line, "utf-8")
        except UnicodeError:
            from lwnode.at.recovery import latin

            return latin(self, line)
