"""What the battery and the link allow: bands that stretch intervals, reports that wait for a better signal.

    bands = BatteryBands()
    bands.update(board.battery_mv())   -> "low"; None (no such measurement) leaves the band
    schedule.stretch = bands.stretch   4
    deferral = Deferral(max_delay_s=3600, rsrp_min=-115)
    deferral.allow(now, rsrp=-121)     -> False: expensive; True at the latest an hour after the first refusal
    deferral.allow(now, rsrp=-121, urgent=True)   -> True: an alarm goes out at once

Bands (1-cell LiPo at rest): normal from 3600 mV; low to 3450: period x4; critical to 3300: sample and store, one
contact a day; dead below: module off, naps of 6 h. Falling crosses a band's floor; rising must be 100 mV above it,
or the recovery of a cell at rest would make the node flutter between two intervals.
"""

from struct import calcsize, pack, unpack_from

from micropython import const

_VERSION = const(1)
_DEFERRAL = "<BBqH"

# name, floor in mV, stretch of the reporting period, longest pause between contacts in s, may the module transmit
LIPO = (
    ("normal", 3600, 1, 0, True),
    ("low", 3450, 4, 0, True),
    ("critical", 3300, 1, 86400, True),
    ("dead", 0, 1, 21600, False),
)

# By the name of the configuration's key "battery". A cell at rest: two alkaline cells sag slowly; Li-SOCl2 is flat until
# it ends, and what its rest voltage then says comes late.
CELLS = {
    "none": (("normal", 0, 1, 0, True),),
    "lipo": LIPO,
    "alkaline": (("normal", 2400, 1, 0, True), ("low", 2200, 4, 0, True), ("critical", 2000, 1, 86400, True),
                 ("dead", 0, 1, 21600, False)),
    "li_socl2": (("normal", 3400, 1, 0, True), ("low", 3200, 4, 0, True), ("critical", 3000, 1, 86400, True),
                 ("dead", 0, 1, 21600, False)),
}


class BatteryBands:
    """The band a battery is in. `levels` like LIPO, highest first, the last with floor 0."""

    def __init__(self, levels: "tuple[tuple[str, int, int, int, bool], ...]" = LIPO, hysteresis_mv: int = 100) -> None:
        self._levels = levels
        self._hysteresis = hysteresis_mv
        self._at = 0
        self.known = False
        self.changes = 0

    @property
    def band(self) -> str:
        """The band's name."""
        return self._levels[self._at][0]

    @property
    def stretch(self) -> int:
        """By what the reporting period is multiplied."""
        return self._levels[self._at][2]

    @property
    def contact_every_s(self) -> int:
        """Seconds between two contacts (critical) or naps (dead) in this band; 0: as the schedule says."""
        return self._levels[self._at][3]

    @property
    def transmit(self) -> bool:
        """Whether the module may be switched on at all."""
        return self._levels[self._at][4]

    @property
    def weak(self) -> bool:
        """Whether a brown-out is near: the journal then exposes one reading at most."""
        return self._at >= 2

    def period_s(self, period_s: int) -> int:
        """Return the reporting period in force."""
        return max(period_s * self.stretch, self.contact_every_s)

    def update(self, millivolts: int | None) -> str:
        """Take a rested voltage and return the band's name. None or nonsense (above 6 V, below 0.5 V) changes nothing."""
        if millivolts is None or not 500 <= millivolts <= 6000:
            return self.band
        levels = self._levels
        at = self._at if self.known else 0
        while at + 1 < len(levels) and millivolts < levels[at][1]:
            at += 1
        if at == self._at:
            while at > 0 and millivolts >= levels[at - 1][1] + (self._hysteresis if self.known else 0):
                at -= 1
        if at != self._at:
            self.changes += self.known
            self._at = at
        self.known = True
        return self.band

    def dump(self) -> bytes:
        """Return what must survive sleep (3 bytes)."""
        return pack("<BBB", _VERSION, self._at, self.known)

    def load(self, data: bytes | None) -> bool:
        """Take up what dump() gave. False: nothing usable in data."""
        if not data or len(data) < 3 or data[0] != _VERSION or data[1] >= len(self._levels):
            return False
        self._at = data[1]
        self.known = bool(data[2])
        return True


class Deferral:
    """Puts reports off while the link is expensive, at most `max_delay_s` after the first was put off.

    Expensive: RSRP below `rsrp_min` (dBm), or coverage level `ecl_max` exceeded (NB-IoT repeats each block up
    to 128 times in level 2). Zephyr's connection pre-evaluation is the model.
    """

    def __init__(self, max_delay_s: int, rsrp_min: int = -118, ecl_max: int = 1) -> None:
        self._max_delay = max_delay_s
        self._rsrp_min = rsrp_min
        self._ecl_max = ecl_max
        self._since: int | None = None
        self.deferred = 0

    def expensive(self, rsrp: int | None, ecl: int | None = None) -> bool:
        """Return whether the link costs more than usual; what is not known is not expensive."""
        return (rsrp is not None and rsrp < self._rsrp_min) or (ecl is not None and ecl > self._ecl_max)

    def allow(self, now: int, rsrp: int | None = None, ecl: int | None = None, urgent: bool = False,
              next_s: int = 1) -> bool:
        """Return whether to report now. A clock that stepped back allows; so does a next chance that would come too late.

        next_s: seconds until it can be asked again, so that no report waits longer than `max_delay_s`.
        """
        waited = now - self._since if self._since is not None else 0
        if urgent or not self.expensive(rsrp, ecl) or waited < 0 or waited + next_s > self._max_delay:
            self._since = None
            return True
        if self._since is None:
            self._since = now
        self.deferred += 1
        return False

    def rebase(self, moved_s: int) -> None:
        """Follow a step of the clock (Clock.moved)."""
        if self._since is not None:
            self._since += moved_s

    def dump(self) -> bytes:
        """Return what must survive sleep (12 bytes)."""
        return pack(_DEFERRAL, _VERSION, self._since is not None, self._since or 0, min(self.deferred, 65535))

    def load(self, data: bytes | None) -> bool:
        """Take up what dump() gave. False: nothing usable in data."""
        if not data or len(data) < calcsize(_DEFERRAL) or data[0] != _VERSION:
            return False
        _, waiting, since, self.deferred = unpack_from(_DEFERRAL, data, 0)
        self._since = since if waiting else None
        return True
