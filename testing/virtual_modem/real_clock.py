"""The clock of a model that lives in real time: asyncio's, with an offset that can jump ahead."""

import asyncio
import heapq
import time


class RealClock:
    """The model's clock on the event loop's time; `advance` jumps ahead and fires what falls due on the way."""

    def __init__(self, loop=None, start_unix=None):
        self._loop = loop or asyncio.get_running_loop()
        self._began = self._loop.time()
        self._start_unix = time.time() if start_unix is None else start_unix
        self._offset = 0
        self._frozen = None
        self._heap = []
        self._sequence = 0
        self._wake = None

    @property
    def now(self):
        """Milliseconds since the clock was made, jumps included."""
        if self._frozen is not None:
            return self._frozen
        return int((self._loop.time() - self._began) * 1000) + self._offset

    def unix(self):
        """World time in seconds."""
        return int(self._start_unix + self.now / 1000)

    def after(self, ms, function):
        """Call `function` in `ms`; a handle for `cancel`."""
        return self.at(self.now + ms, function)

    def at(self, when, function):
        """Call `function` when `now` reaches `when`."""
        self._sequence += 1
        entry = [when, self._sequence, function]
        heapq.heappush(self._heap, entry)
        if self._frozen is None:
            self._arm()
        return entry

    def cancel(self, handle):
        """Forget a timer."""
        if handle is not None:
            handle[2] = None

    def advance(self, ms):
        """Jump `ms` ahead; timers run in order, each at its own time."""
        end = self.now + ms
        self._fire(end)
        self._offset += max(0, end - self.now)
        self._arm()

    def _fire(self, end):
        while self._heap and self._heap[0][0] <= end:
            when, _, function = heapq.heappop(self._heap)
            if function is None:
                continue
            self._frozen = max(when, self.now)
            try:
                function()
            finally:
                behind, self._frozen = self._frozen, None
                self._offset += max(0, behind - self.now)

    def _arm(self):
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        while self._heap and self._heap[0][2] is None:
            heapq.heappop(self._heap)
        if self._heap:
            delay = max(0.0, (self._heap[0][0] - self.now) / 1000)
            self._wake = self._loop.call_later(delay + 0.0005, self._due)

    def _due(self):
        self._wake = None
        self._fire(self.now)
        self._arm()

    def close(self):
        """Fire nothing any more."""
        self._heap = []
        self._arm()
