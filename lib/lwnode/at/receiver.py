"""The listening half of the client: bytes to lines, lines to those whom they concern, waiting in between.

A line is taken by the running command, or it is a URC. URCs that come while a command or a handler runs are
queued (bounded in bytes) and handed out by `poll` and the outermost `wait`, one at a time, so that a handler may
send and wait itself and call depth does not grow.
"""

from lwnode.at.errors import AtTimeout
from lwnode.at.lines import LineBuffer
from lwnode.at.names import any_matches, matches
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Sequence

    Handler = Callable[[str], object]
    Payload = Callable[[str], int]

_IDLE_MS = const(500)  # the idle hook is called at least so often
_FINAL = ("OK", "ERROR", "ABORTED", "NO CARRIER")


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
        self._framing: "Any" = None  # values by length, once there are any
        self._subscribed: "list[tuple[str, Handler]]" = []  # the longest prefix first
        self._queue: list[str] = []
        self._queued = 0  # bytes
        self._in_handler = False
        self._running = False  # a command is
        self._dirty = False  # its answer was given up and may still come
        self._booted = False  # a banner came and nothing was answered since
        self._owed: "Sequence[str]" = ()  # late results that never came
        self._poll = _poller(uart)

    def subscribe(self, prefix: str, handler: "Handler | None", payload: "Payload | None" = None) -> None:
        """Call handler(line) for each URC of that name; "" gets what nobody else claims. None ends it.

        payload(text) is asked at each comma of such a line, with the text up to there, how many bytes of value
        follow by length (with or without quotes around them); 0 or an exception means none. It holds
        wherever the line goes, also to a command's answer.
        """
        kept = [entry for entry in self._subscribed if entry[0] != prefix]
        if handler is not None:
            place = 0
            while place < len(kept) and len(kept[place][0]) > len(prefix):
                place += 1
            kept.insert(place, (prefix, handler))
        self._subscribed = kept
        if payload is not None or self._framing is not None:
            self._by_length().declare(prefix, payload)

    def wait(self, prefix: str, timeout_ms: int, accept: "Callable[[str], object] | None" = None) -> str:
        """The next line of that name which `accept` likes, from the queue or the module; other URCs are dispatched.

        Raises AtTimeout at the deadline.
        """
        deadline = self._deadline(timeout_ms)
        while True:
            for text in self._queue:
                if matches(text, prefix) and (accept is None or accept(text)):
                    self._queue.remove(text)
                    self._queued -= len(text)
                    return text
            if self._dispatch_one() and self._left(deadline) > 0:
                continue  # what the handler did may have brought our line
            line = self._next(deadline)
            if line is None:
                raise AtTimeout("no %s in %d ms" % (prefix, timeout_ms))
            if matches(line, prefix) and (accept is None or accept(line)):
                return line
            self._unclaimed(line)

    def poll(self, timeout_ms: int = 0, until: "Callable[[], object] | None" = None) -> int:
        """Read, and hand URCs to their handlers, for that long, or until `until()` is true. Returns how many."""
        deadline = self._deadline(timeout_ms)
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
        if any_matches(text, self.banners):
            from lwnode.at.recovery import restarted

            restarted(self, text)
        if text in _FINAL or self._dirty and self._is_late(text):
            self.stats.late += 1
            return
        if self._owed and any_matches(text, self._owed):
            self._owed = ()
            self.stats.late += 1
        if self._handler(text) is None:
            self.stats.unknown += 1
            if self._queued + len(text) > self.queue_size:
                return  # kept for a wait() to come, but never at the cost of a URC that somebody asked for
        self._queue.append(text)
        self._queued += len(text)
        while self._queued > self.queue_size:  # the oldest go: what they reported can be asked for again
            self._queued -= len(self._queue.pop(0))
            self.stats.dropped += 1

    def _is_late(self, text: str) -> bool:
        """Does it answer the command that was given up?"""
        raise NotImplementedError

    def _handler(self, text: str) -> "Handler | None":
        for prefix, handler in self._subscribed:
            if matches(text, prefix):
                return handler
        return None

    def _dispatch_one(self) -> bool:
        """Hand the oldest queued URC to its handler, unless one is at work. False: nothing was handed out."""
        while self._queue and not self._in_handler:
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

    # Waiting.

    def _next(self, deadline: int) -> "str | None":
        """The next line, or None at the deadline; what came until then is looked at first."""
        rx = self._rx or self._receive_buffer()
        while True:
            text = rx.next()
            if text is not None:
                if self._framing is None or not self._framing.cut(text, rx):
                    self.stats.lines += 1
                    return text
                continue
            left = self._left(deadline)
            if left < 0:
                return None
            if not rx.read(self._trace):
                if not left:
                    return None
                self._pause(left)

    def _pause(self, ms: int) -> None:
        """Wait for bytes, `ms` at most, in steps that leave room for the idle hook and for payloads cut short."""
        if self.idle is not None:
            self.idle()
        if self._framing is not None:
            ms = min(ms, self._framing.patience(self))
        self._wait_bytes(min(ms, _IDLE_MS))

    def _wait_bytes(self, ms: int) -> None:
        """The one place that waits: nothing is busy-waited."""
        if self._poll is not None:
            for _ in self._poll(ms):
                break
        elif hasattr(self.uart, "wait"):
            self.uart.wait(ms)
        else:
            end = self._deadline(ms)
            while not self.uart.any() and self._left(end) > 0:
                self.clock.sleep_ms(1)

    def _deadline(self, ms: int) -> int:
        return self.clock.ticks_add(self.clock.ticks_ms(), ms)  # type: ignore[no-any-return]

    def _left(self, deadline: int) -> int:
        return self.clock.ticks_diff(deadline, self.clock.ticks_ms())  # type: ignore[no-any-return]

    # What is made on first use.

    def _receive_buffer(self) -> "LineBuffer":
        if self._rx is None:
            self._rx = LineBuffer(self.uart, self.rx_size, self.stats)
        return self._rx

    def _by_length(self) -> "Any":
        if self._framing is None:
            from lwnode.at.framing import Framing

            self._framing = Framing()
        return self._framing


def _poller(uart: "Any") -> "Any":
    """select.poll on the UART, bound; None where it cannot be polled (a fake, or an adapter with its own wait())."""
    if hasattr(uart, "wait"):
        return None
    try:
        import select

        poller = select.poll()
        poller.register(uart, select.POLLIN)
        return getattr(poller, "ipoll", poller.poll)  # ipoll allocates nothing
    except (ImportError, AttributeError, OSError, TypeError, ValueError):
        return None
