"""A clock that moves only when told to: a year of tests takes minutes.

It answers to the clock protocol of lib/ (MicroPython's `time` module), and it is also the timer wheel of
the simulated modules, so that a wait can jump straight to whatever happens next.

    clock = VirtualClock()
    clock.after(300, answer)        # called when the virtual time gets there
    clock.sleep_ms(1000)            # answer() has run; clock.now is 1000

Ticks wrap at 2**30 ms as MicroPython's do, and a new clock starts 10 s before that wrap, so that code which
subtracts ticks by hand fails its tests on the first day and not on the twelfth.
"""

TICKS_PERIOD = 1 << 30
_HALF = TICKS_PERIOD >> 1


class VirtualClock:
    """Milliseconds since the test began in `now`; world time (Unix seconds) in `unix()`."""

    def __init__(self, start_unix: int = 1767225600, first_tick: int = TICKS_PERIOD - 10_000) -> None:
        self.now = 0
        self.start_unix = start_unix
        # What time() is wrong by: a test of clocks that restart sets it (MicroPython's RP2 boots into 2021).
        self.time_error = 0
        self._first_tick = first_tick
        self._timers: list = []  # [when, sequence, function], soonest last
        self._sequence = 0

    # The protocol of MicroPython's `time`.

    def ticks_ms(self) -> int:
        return (self._first_tick + self.now) & (TICKS_PERIOD - 1)

    def ticks_add(self, ticks: int, delta: int) -> int:
        return (ticks + delta) & (TICKS_PERIOD - 1)

    def ticks_diff(self, ticks: int, earlier: int) -> int:
        return ((ticks - earlier + _HALF) & (TICKS_PERIOD - 1)) - _HALF

    def sleep_ms(self, ms: int) -> None:
        self.advance(ms)

    def time(self) -> int:
        """Seconds, as the port counts them."""
        return self.unix() + self.time_error

    # What only a test can do.

    def unix(self) -> int:
        """The true time, which only the world knows."""
        return self.start_unix + self.now // 1000

    def after(self, ms: int, function) -> list:
        """Call `function` once, `ms` from now. Returns a handle for `cancel`."""
        return self.at(self.now + ms, function)

    def at(self, when: int, function) -> list:
        """Call `function` once, when `now` reaches `when` (at once on the next advance if that has passed)."""
        self._sequence += 1
        timer = [when, self._sequence, function]
        timers = self._timers
        place = len(timers)
        while place and timers[place - 1][0] <= when:  # of two at one time the older goes first
            place -= 1
        timers.insert(place, timer)
        return timer

    def cancel(self, handle: "list | None") -> None:
        """Forget a timer; one that has run or was cancelled is no error."""
        if handle in self._timers:
            self._timers.remove(handle)

    def next_in(self) -> "int | None":
        """Milliseconds to the next timer, None when nothing will ever happen."""
        if not self._timers:
            return None
        return max(0, self._timers[-1][0] - self.now)

    def advance(self, ms: int) -> None:
        """Let `ms` pass; timers run in order, each at its own time."""
        end = self.now + max(0, ms)
        timers = self._timers
        while timers and timers[-1][0] <= end:
            when, _, function = timers.pop()
            self.now = max(self.now, when)
            function()
        self.now = max(self.now, end)
