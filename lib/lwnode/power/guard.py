"""Crash loops, brown-out loops and what was planned: decided before anything that can fail is imported.

    guard = BootGuard(board.protected)
    mode = guard.enter(board.reset_cause())
    if guard.rest_s:                   # the battery gave way: rest before the next transmission
        board.sleep(guard.rest_s * 1000)
    if mode == "safe":                 # five resets without one completed cycle: no application code
        window(guard.window_s); board.sleep(guard.SAFE_SLEEP_S * 1000); board.restart("safe mode over")
    ...                                # imports, the cycle
    guard.completed()                  # the loop is broken

A clean sleep is not a crash: wakes shorter than any "good after" time would otherwise count as some (ESPHome's
safe_mode needs the same exception). An exception that main.py caught is told by crashed(). Safe mode is one
visit: the next boot tries the whole application again, on probation, so that one more crash leads back at once. The
store is written only when something changed, so a healthy node writes nothing.

Brown-out: the n-th in a row rests 15 min * 2^(n-1), up to 24 h. Where a port cannot tell one (RP2040: its power-on
bit covers both), three power-ons in a row without a completed cycle count as one.
"""

from struct import pack, unpack_from

from micropython import const

_LOOP = const(5)
_REST_S = const(900)
_REST_MAX_S = const(86400)
_POWER_ONS = const(3)
_WINDOW_COLD_S = const(5)
_WINDOW_SAFE_S = const(60)
_NAME = const("guard")
_FORMAT = const("<BBBBBHHHHHHH")
_BYTES = const(19)
_VERSION = const(1)

# Causes of a boot that nobody asked for, in the order of the counters kept.
CAUSES = ("power_on", "brown_out", "watchdog", "panic", "hard", "soft", "crash")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lwnode.power.store import Store


class BootGuard:
    """Counts boots without a completed cycle in `store` (board.protected); never raises on its content."""

    SAFE_SLEEP_S = 3600

    def __init__(self, store: "Store") -> None:
        self._store = store
        self.failures = 0  # unplanned boots and crashes since the last completed cycle
        self.brown_outs = 0  # in a row
        self.rest_s = 0
        self.window_s = 0
        self.resets = {cause: 0 for cause in CAUSES}
        self.reason = ""  # of the planned restart that led here
        self._power_ons = 0
        self._was_safe = False
        self._written = b""
        self._unreadable = False
        try:
            data = store.load(_NAME)
        except OSError:
            self._unreadable = True  # not absent: what is there is not written over
            return
        if data and len(data) >= _BYTES and data[0] == _VERSION:
            _, self.failures, self.brown_outs, self._power_ons, self._was_safe, *counts = unpack_from(_FORMAT, data, 0)
            self.resets = dict(zip(CAUSES, counts))
            self.reason = bytes(data[_BYTES:]).decode()
            self._written = bytes(data)

    def _save(self) -> None:
        counts = [min(self.resets[cause], 65535) for cause in CAUSES]
        data = pack(_FORMAT, _VERSION, min(self.failures, 255), min(self.brown_outs, 255), min(self._power_ons, 255),
                    self._was_safe, *counts) + self.reason.encode()
        if data != self._written and not self._unreadable:
            try:
                self._store.save(_NAME, data)
            except OSError:
                return  # a guard that cannot count must not be what stops the node
            self._written = data

    def enter(self, cause: str) -> str:
        """Count this boot (a cause of Board.reset_cause()); return "normal" or "safe". Sets rest_s and window_s.

        rest_s: seconds to sleep before the next transmission. window_s: seconds to wait for mpremote, never on a wake or a
        restart of our own.
        """
        clean = cause in ("deep_sleep", "planned") or (self.reason and cause in ("hard", "soft", "panic"))
        self.reason = ""
        if not clean:
            self.failures += 1
            self.resets[cause if cause in CAUSES else "hard"] += 1
            self._power_ons = self._power_ons + 1 if cause == "power_on" else 0
        self.rest_s = 0
        if cause == "brown_out" or (cause == "power_on" and self._power_ons >= _POWER_ONS):
            self.rest_s = min(_REST_S << min(self.brown_outs, 7), _REST_MAX_S)
            self.brown_outs += 1
        safe = self.failures >= _LOOP and not self._was_safe
        if self._was_safe:
            self.failures = _LOOP - 1
        self._was_safe = safe
        self.window_s = _WINDOW_SAFE_S if safe else 0 if clean else _WINDOW_COLD_S
        self._save()
        return "safe" if safe else "normal"

    def completed(self, sent: bool = True) -> None:
        """A whole cycle was done: the loop, if there was one, is over.

        A cycle without a word to the module says nothing about a battery that gives way when the module transmits.
        """
        self.failures = 0
        if sent:
            self.brown_outs = 0
        self._power_ons = 0
        self._was_safe = False
        self._save()

    def crashed(self) -> int:
        """Count an exception that main.py caught; return the seconds to sleep before the next try (doubling, 60 s to 1 h).

        The restart that follows is not counted again.
        """
        self.failures += 1
        self.resets["crash"] += 1
        self.reason = "crash"
        self._save()
        return min(60 << min(self.failures - 1, 6), self.SAFE_SLEEP_S)

    def visited(self) -> None:
        """A person at the cable has stopped this boot: it was no crash, nor is the reset that the person leaves with."""
        self.failures = max(0, min(self.failures, _LOOP - 1) - 1)
        self._power_ons = 0
        self._was_safe = False
        self._save()

    def planned(self, reason: str) -> None:
        """Announce a restart of our own (up to 24 characters of reason), so that it does not count as a crash."""
        self.reason = reason[:24]
        self._save()
