"""How this node has fared: what a fleet's owner asks first. Counters that survive sleep and reset.

    health = Health()
    health.wake(awake_ms=1789, asleep_s=898)
    health.sync(True)                  # a contact succeeded, or not
    health.battery(3712, now)
    health.values(guard.resets, journal.dropped)   -> [("operational_h", 212), ("crash_free_h", 212), ...]

The names follow Memfault's heartbeat metrics: operational and crash-free hours, sync success and failure, battery
drop, reboots by cause. Hours count sleep too: a node is in operation while it sleeps.
"""

from struct import calcsize, pack, unpack_from

from micropython import const

_VERSION = const(1)
_FORMAT = "<BIIIIIIqHhHI"
_SLOPE_AFTER_S = const(86400)
_MV_UNKNOWN = const(0)
_MOST = const(0x3FFFFFFF)  # 34 years of seconds: more is no count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping


class Health:
    """Counters of a node's life, and the slope of its battery."""

    def __init__(self) -> None:
        self.operational_s = 0
        self.since_crash_s = 0
        self.awake_s = 0
        self._awake_ms = 0
        self.sync_ok = 0
        self.sync_failed = 0
        self.flash_writes = 0
        self.slope_mv_per_day = 0
        self._mark_at = 0
        self._mark_mv = _MV_UNKNOWN
        self.last_mv = _MV_UNKNOWN
        self.heap_low = 0

    def wake(self, awake_ms: int, asleep_s: int = 0) -> None:
        """Count a wake and the sleep around it."""
        self._awake_ms += awake_ms
        seconds = self._awake_ms // 1000
        self._awake_ms -= seconds * 1000
        self.awake_s += seconds
        self.operational_s += seconds + asleep_s
        self.since_crash_s += seconds + asleep_s

    def crashed(self) -> None:
        """Count an unplanned reset: the crash-free time begins again."""
        self.since_crash_s = 0

    def sync(self, ok: bool) -> None:
        """Count a contact with the server."""
        if ok:
            self.sync_ok += 1
        else:
            self.sync_failed += 1

    def flash(self, writes: int) -> None:
        """Count flash writes (FileStore.writes since the last call)."""
        self.flash_writes += writes

    def heap(self, free: int) -> None:
        """Take gc.mem_free(): the low-water mark shows a leak or fragmentation long before the MemoryError."""
        self.heap_low = min(self.heap_low or free, free)

    def writes_per_day(self) -> int:
        """Return the flash writes of a mean day; of the time so far before the first day is over."""
        return self.flash_writes * 86400 // max(self.operational_s, 86400)

    def battery(self, millivolts: int | None, now: int) -> None:
        """Take a rested voltage; the slope is measured over a day at least, half new and half old."""
        if millivolts is None:
            return
        self.last_mv = millivolts
        passed = now - self._mark_at
        if self._mark_mv == _MV_UNKNOWN or passed < 0:
            self._mark_at, self._mark_mv = now, millivolts
        elif passed >= _SLOPE_AFTER_S:
            slope = (millivolts - self._mark_mv) * 86400 // passed
            self.slope_mv_per_day = max(-32000, min(32000, (slope + self.slope_mv_per_day) // 2))
            self._mark_at, self._mark_mv = now, millivolts

    def rebase(self, moved_s: int) -> None:
        """Follow a step of the clock (Clock.moved)."""
        self._mark_at += moved_s

    def values(self, resets: "Mapping[str, int]", dropped: int = 0) -> list[tuple[str, int]]:
        """Return (name, value) for every metric; reset counters as reset_<cause>."""
        found = [
            ("operational_h", self.operational_s // 3600),
            ("crash_free_h", self.since_crash_s // 3600),
            ("awake_s", self.awake_s),
            ("sync_ok", self.sync_ok),
            ("sync_failed", self.sync_failed),
            ("dropped", dropped),
            ("flash_writes_per_day", self.writes_per_day()),
            ("battery_mv", self.last_mv),
            ("battery_mv_per_day", self.slope_mv_per_day),
            ("heap_low", self.heap_low),
        ]
        return found + [("reset_" + cause, count) for cause, count in sorted(resets.items())]

    def dump(self) -> bytes:
        """Return what must survive sleep (43 bytes)."""
        return pack(_FORMAT, _VERSION, self.operational_s, self.since_crash_s, self.awake_s, self.sync_ok, self.sync_failed,
                    self.flash_writes, self._mark_at, self._mark_mv, self.slope_mv_per_day, self.last_mv, self.heap_low)

    def load(self, data: bytes | None) -> bool:
        """Take up what dump() gave. False: nothing usable in data."""
        if not data or len(data) < calcsize(_FORMAT) or data[0] != _VERSION or max(unpack_from("<6I", data, 1)) > _MOST:
            return False
        (_, self.operational_s, self.since_crash_s, self.awake_s, self.sync_ok, self.sync_failed, self.flash_writes,
         self._mark_at, self._mark_mv, self.slope_mv_per_day, self.last_mv, self.heap_low) = unpack_from(_FORMAT, data, 0)
        return True
