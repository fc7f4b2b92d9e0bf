"""The listening half of the client: bytes to lines, lines to those whom they concern, waiting in between.

A line is taken by the running command, or it is a URC. URCs that come while a command or a handler runs are
queued (bounded in bytes) and handed out by `poll` and the outermost `wait`, one at a time, so that a handler may
send and wait itself and call depth does not grow.
"""

from lwnode.at.errors import AtTimeout, LinkError
from lwnode.at.lines import LineBuffer
from lwnode.at.params import matches, matches_any
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Sequence

    Handler = Callable[[str], object]
    Payload = Callable[[str], int]

_IDLE_MS = const(500)  # the idle hook is called at least so often
_FINAL = ("OK", "ERROR", "ABORTED", "NO CARRIER")


class Stats:
    """Counts since the start. Read them as attributes or by name: stats.late, stats["late"]."""

    def __init__(self) -> None:
        self.lines = 0  # whole lines and payloads
        self.unknown = 0  # claimed by nobody
        self.overruns = 0  # lines or payloads longer than the buffer
        self.dropped = 0  # URCs that did not fit into the queue
        self.garbage = 0  # lines with noise, payloads that stayed short
        self.timeouts = 0
        self.late = 0  # answers and results of commands that had been given up
        self.restarts = 0

    def __getitem__(self, name: str) -> int:
        return getattr(self, name)  # type: ignore[no-any-return]


class Receiver:
    """What AtClient is made of; not used by itself."""

    def __init__(self, uart: "Any", clock: "Any", rx_size: int) -> None:
        self.uart = uart
        self.clock = clock
        self.rx_size = rx_size  # may be changed until the first byte is read
        self.queue_size = 2048  # bytes of URCs kept
        self.stats = Stats()
        self.idle: "Callable[[], object] | None" = None
        self.on_restart: "Callable[[str], object] | None" = None
        self.banners: "Sequence[str]" = ("RDY",)
        self._rx: "LineBuffer | None" = None
        self._trace: "Any" = None
        self._subscribed: "list[tuple[str, Handler | None]]" = []  # the longest prefix first
        self._framing: "Any" = None  # where lines hold payloads, once one was subscribed
        self._stall: "Any" = None  # when a value by length stopped coming
        self._queue: list[str] = []
        self._queued = 0  # bytes
        self._in_handler = False
        self._running = False  # a command is
        self._booted = False  # a banner came and nothing was answered since
        self._owed: "Sequence[str]" = ()  # late results that never came
        self._poll = _poller(uart)

    def subscribe(self, prefix: str, handler: "Handler | None", payload: "Payload | None" = None) -> None:
        """Call handler(line) for each URC of that name; "" gets what nobody else claims. None ends it.

        payload(text) is asked at each comma of such a line, with the text up to there, how many bytes of value
        follow by length (with or without quotes around them); 0 or an exception means none. It holds
        wherever the line goes, also to a command's answer.
        """
        self._subscribed = [entry for entry in self._subscribed if entry[0] != prefix]
        if handler is not None:
            self._subscribed.append((prefix, handler))
            self._subscribed.sort(key=lambda entry: -len(entry[0]))
        if payload is not None and self._framing is None:
            from lwnode.at.framing import Framing

            self._framing = Framing()
        if self._framing is not None:
            self._framing.declare(prefix, payload)

    def wait(self, prefix: str, timeout_ms: int, accept: "Callable[[str], object] | None" = None) -> str:
        """The next line of that name which `accept` likes, from the queue or the module; other URCs are dispatched.

        Raises AtTimeout at the deadline.
        """
        deadline = self.clock.ticks_add(self.clock.ticks_ms(), timeout_ms)
        while True:
            for index, line in enumerate(self._queue):
                if matches(line, prefix) and (accept is None or accept(line)):
                    self._queued -= len(line)
                    return self._queue.pop(index)
            if self._dispatch_one() and self._left(deadline) > 0:
                continue  # what the handler did may have brought our line
            text = self._next(deadline)
            if text is None:
                raise AtTimeout("no %s within %d ms" % (prefix, timeout_ms))
            if matches(text, prefix) and (accept is None or accept(text)):
                return text
            self._unclaimed(text)

    def poll(self, timeout_ms: int = 0, until: "Callable[[], object] | None" = None) -> int:
        """Read, and hand URCs to their handlers, for that long, or until `until()` is true. Returns how many."""
        deadline = self.clock.ticks_add(self.clock.ticks_ms(), timeout_ms)
        count = 0
        while until is None or not until():
            if self._dispatch_one():
                count += 1
                if self._left(deadline) > 0:
                    continue
            text = self._next(deadline)
            if text is None:
                break
            self._unclaimed(text)
        return count

    # Whose line is it?

    def _unclaimed(self, text: str) -> None:
        """A line that no command, answer or wait took: a banner, something late, a URC, or nobody's."""
        for banner in self.banners:
            if matches(text, banner):
                self._restarted(text)
        if text in _FINAL or self._is_late(text):
            self.stats.late += 1
            return
        if self._owed and matches_any(text, self._owed):
            self._owed = ()
            self.stats.late += 1
        if self._handler(text) is None:
            self.stats.unknown += 1
            if self._queued + len(text) > self.queue_size:
                return  # for a later wait(), but never at the cost of a URC that somebody asked for
        self._enqueue(text)

    def _is_late(self, text: str) -> bool:
        """Does it answer a command that was given up?"""
        return False

    def _enqueue(self, text: str) -> None:
        """The oldest go when the queue is full: what they reported can be asked for again."""
        self._queue.append(text)
        self._queued += len(text)
        while self._queued > self.queue_size:
            self._queued -= len(self._queue.pop(0))
            self.stats.dropped += 1

    def _handler(self, text: str, by_name: bool = False) -> "Handler | None":
        for prefix, handler in self._subscribed:
            if matches(text, prefix):
                return None if by_name and not prefix else handler
        return None

    def _dispatch_one(self) -> bool:
        """Hand the oldest queued URC to its handler, unless one is at work. False: nothing was handed out."""
        if self._in_handler:
            return False
        while self._queue:
            text = self._queue.pop(0)
            self._queued -= len(text)
            handler = self._handler(text)
            if handler is not None:
                self._in_handler = True
                try:
                    handler(text)
                finally:
                    self._in_handler = False
                return True
        return False

    def _restarted(self, text: str) -> None:
        """A boot banner has several lines, and counts once until the module has answered something."""
        if not self._booted:
            self._booted = True
            self.stats.restarts += 1
            if self.on_restart is not None:
                self.on_restart(text)
        if self._running:
            raise LinkError("the module restarted in mid-command: " + text[:20])

    # Waiting.

    def _next(self, deadline: int) -> "str | None":
        """The next line, or None at the deadline; what came until then is looked at first."""
        rx = self._rx or self._receive_buffer()
        while True:
            text = rx.next()
            if text is not None:
                if self._framing is not None and not rx.by_length and self._framing.cut(text, rx):
                    continue
                self.stats.lines += 1
                return text
            left = self._left(deadline)
            if left < 0:
                return None
            if not rx.read(self._trace):
                if not left:
                    return None
                self._pause(left, rx)

    def _receive_buffer(self) -> "LineBuffer":
        """Allocated once, on first use."""
        if self._rx is None:
            self._rx = LineBuffer(self.uart, self.rx_size, self.stats)
        return self._rx

    def _pause(self, ms: int, rx: "LineBuffer") -> None:
        """Wait for bytes, `ms` at most, in steps that leave room for the idle hook and for payloads cut short."""
        if self.idle is not None:
            self.idle()
        step = _IDLE_MS
        if rx.missing():
            if self._stall is None:
                from lwnode.at.framing import Stall

                self._stall = Stall()
            if self._stall.noticed(rx, self.clock):
                self.stats.garbage += 1
                return
            step = _IDLE_MS // 10
        self._wait_bytes(min(ms, step))

    def _wait_bytes(self, ms: int) -> None:
        """The one place that waits: nothing is busy-waited."""
        if self._poll is not None:
            for _ in self._poll(ms):
                break
        elif hasattr(self.uart, "wait"):
            self.uart.wait(ms)
        else:
            end = self.clock.ticks_add(self.clock.ticks_ms(), ms)
            while not self.uart.any() and self._left(end) > 0:
                self.clock.sleep_ms(1)

    def _left(self, deadline: int) -> int:
        return self.clock.ticks_diff(deadline, self.clock.ticks_ms())  # type: ignore[no-any-return]


def _poller(uart: "Any") -> "Any":
    """poll(ms) of select.poll on the UART, without an allocation where it can; or None where it cannot be polled (a fake, or an adapter with wait())."""
    if hasattr(uart, "wait"):
        return None
    try:
        import select

        poller = select.poll()
        poller.register(uart, select.POLLIN)
        return getattr(poller, "ipoll", poller.poll)
    except (ImportError, AttributeError, OSError, TypeError, ValueError):
        return None
