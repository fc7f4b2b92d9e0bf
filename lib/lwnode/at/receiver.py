"""Whose line is it? The listening half of the client: URCs, their queue, their handlers, and waiting.

URCs that come while a command or a handler runs are queued (bounded in bytes) and handed out by `poll` and the
outermost `wait`, one at a time, so that a handler may send and wait itself and call depth does not grow.
"""

from lwnode.at.errors import AtTimeout
from lwnode.at.lines import LineBuffer, Stats
from lwnode.at.names import find, latin, matches
from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Callable, Sequence

    Handler = Callable[[str], object]
    Payload = Callable[[str], int]

_IDLE_MS = const(500)  # the idle hook is called at least so often


class Receiver:
    """What AtClient is made of; not used by itself."""

    def __init__(self, uart: "Any", clock: "Any", rx_size: int) -> None:
        self.uart = uart
        self.clock = clock
        self.rx_size = rx_size  # may be changed until the first byte comes
        self.queue_size = 2048  # bytes of URCs kept
        self.stats = Stats()
        self.banners: "Sequence[str]" = ("RDY",)
        self.idle: "Callable[[], object] | None" = None
        self.on_restart: "Callable[[str], object] | None" = None
        self._rx = LineBuffer(self)
        self._wait: "Callable[[int], object] | None" = getattr(uart, "wait", None)
        self._running = False  # a command is
        self._dirty = False  # an answer was given up and may still come
        self._trouble: "Any" = None  # what lwnode.at.recovery has to remember
        self._subscribed: "list[tuple[bytes, Handler]]" = []  # the longest prefix first
        self._banners: "list[tuple[bytes, Sequence[str]]]" = []  # the name, and the hook's value it comes from
        self._queue: list[bytearray] = []
        self._queued = 0  # bytes
        self._in_handler = False
        self._taken: "Any" = None  # the line that its handler has, or is about to get

    def subscribe(self, prefix: str, handler: "Handler | None", payload: "Payload | None" = None) -> None:
        """Call handler(line) for each URC of that name; "" gets what nobody else claims. None ends it.

        payload(text) is asked at each comma of such a line, with the text up to there, how many bytes of value
        follow by length (with or without quotes around them); 0 or an exception means none. It holds
        wherever the line goes, also to a command's answer.
        """
        from lwnode.at.extras import subscribe

        subscribe(self, prefix.encode(), handler, payload)

    def wait(self, prefix: str, timeout_ms: int, accept: "Callable[[str], object] | None" = None) -> str:
        """The next line of that name which `accept` likes, from the queue or the module; other URCs are dispatched.

        Raises AtTimeout at the deadline.
        """
        if self._running:
            self._refuse(b"")
        name = prefix.encode()
        deadline = self.clock.ticks_add(self.clock.ticks_ms(), timeout_ms)
        while True:
            line = self._find_queued(name, accept) if self._queue else None
            if line is None:
                handler = self._take_queued() if self._queue and not self._in_handler else None
                if handler is not None:
                    # Here and in poll, not a function: an answer to the server is given from within (RP2's stack).
                    self._in_handler = True
                    try:
                        handler(self._text(self._taken))
                    finally:
                        self._in_handler = False
                    if self.clock.ticks_diff(deadline, self.clock.ticks_ms()) > 0:
                        continue  # what the handler did may have brought our line
                line = self._next(deadline)
                if line is None:
                    raise AtTimeout("no %s in %d ms" % (prefix, timeout_ms))
                if not matches(line, name) or accept is not None and not accept(self._text(line)):
                    self._unclaimed(line)
                    continue
            return self._text(line)

    def _find_queued(self, name: bytes, accept: "Callable[[str], object] | None") -> "bytearray | None":
        """Take the first line that a wait is for out of the queue."""
        for line in self._queue:
            if matches(line, name) and (accept is None or accept(self._text(line))):
                self._queue.remove(line)
                self._queued -= len(line)
                return line
        return None

    def poll(self, timeout_ms: int = 0, until: "Callable[[], object] | None" = None) -> int:
        """Read, and hand URCs to their handlers, for that long, or until `until()` is true. Returns how many."""
        if self._running:
            self._refuse(b"")
        deadline = self.clock.ticks_add(self.clock.ticks_ms(), timeout_ms)
        count = 0
        while until is None or not until():
            handler = None
            if self._queue and not self._in_handler:
                # Once, and while there is time: a module that brings a URC with each answer has no end.
                if not count or self.clock.ticks_diff(deadline, self.clock.ticks_ms()) > 0:
                    handler = self._take_queued()
            if handler is None:
                self._taken = self._next(deadline)
                if self._taken is None:
                    break
                handler = self._unclaimed(self._taken, not self._in_handler and not self._queue)
                if handler is None:
                    continue
            count += 1
            self._in_handler = True
            try:
                handler(self._text(self._taken))
            finally:
                self._in_handler = False
        return count

    def _refuse(self, command: bytes) -> None:
        from lwnode.at.params import refuse

        refuse(command, self._running, 0)

    def _unclaimed(self, line: bytearray, now: bool = False) -> "Handler | None":
        """A line that no command, answer or wait took: a banner, something late, a URC, or nobody's.

        URCs go to the queue, or, where the caller hands them out `now`, their handler is returned.
        """
        if not self._banners or self._banners[0][1] is not self.banners:
            self._banners = [(name.encode(), self.banners) for name in self.banners]
        if find(self._banners, line) is not None:
            from lwnode.at.recovery import restarted

            restarted(self, self._text(line))
        if self._dirty or self._trouble is not None or line[0] in b"OEAN":
            from lwnode.at.ambiguity import is_late

            if is_late(self, line):
                return None
        handler: "Handler | None" = find(self._subscribed, line)
        if handler is None:
            self.stats.unknown += 1
            if self._queued + len(line) > self.queue_size:
                return None  # kept for a wait() to come, but never at the cost of a URC that somebody asked for
        elif now:
            return handler
        self._queue.append(line)
        self._queued += len(line)
        while self._queued > self.queue_size:  # the oldest go: what they reported can be asked for again
            self._queued -= len(self._queue.pop(0))
            self.stats.dropped += 1
        return None

    def _take_queued(self) -> "Handler | None":
        """Take the oldest queued line that somebody subscribed out of the queue, into `_taken`; its handler, or None."""
        while self._queue:
            line = self._taken = self._queue.pop(0)
            self._queued -= len(line)
            handler: "Handler | None" = find(self._subscribed, line)
            if handler is not None:
                return handler
        return None

    # Waiting.

    def _next(self, deadline: int) -> "Any":
        """The next line, or None at the deadline; what came until then is looked at first."""
        clock = self.clock
        while True:
            line = self._rx.next()
            if line is not None:
                return line
            left = clock.ticks_diff(deadline, clock.ticks_ms())
            if left < 0 or left == 0 and not self.uart.any():
                return None
            # Wait for bytes, in steps that leave room for the idle hook and for values cut short.
            if self.idle is not None:
                self.idle()
            if self._rx.framing is not None:
                left = min(left, self._rx.framing.patience(self._rx, clock))
            if self._wait is None:
                from lwnode.at.waiting import waiter

                self._wait = waiter(self.uart, clock)
            self._wait(min(left, _IDLE_MS))

    def _text(self, line: "bytearray | bytes") -> str:
        """A line as text; what is no UTF-8 is counted and comes character by character."""
        try:
            return str(line, "utf-8")
        except UnicodeError:
            return latin(line, self.stats)
