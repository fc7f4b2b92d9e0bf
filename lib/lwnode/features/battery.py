"""What the battery allows, in bands: a weak one stretches the reports, a dead one rests.

    {"battery": "lipo"}                config.json; BATTERY of the board file says how it is measured

    bands = BatteryBands(CELLS["lipo"])
    bands.update(3500)                 -> "low"; None (no such measurement) leaves the band
    bands.stretch                      4

Bands of one LiPo cell at rest: normal from 3600 mV; low to 3450: period x4; critical to 3300: sample and store, one contact a
day, one reading exposed to a loss of power; dead below: module off, rests of 6 h. Falling crosses a band's floor; rising must
be 100 mV above it, or the recovery of a cell at rest would make the node flutter between two intervals.
"""

from struct import calcsize, pack, unpack

from micropython import const

from lwnode.features import Feature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.node import Node

    Level = tuple[str, int, int, int, bool]

_HYSTERESIS_MV = const(100)
_FORMAT = const("<BBI")

# By the key "battery": name, floor in mV, stretch of the reporting period, seconds between two contacts (or rests), may it
# transmit. Two alkaline cells sag slowly; Li-SOCl2 is flat until it ends, and what its rest voltage then says comes late.
CELLS: "dict[str, tuple[Level, ...]]" = {
    "lipo": (("normal", 3600, 1, 0, True), ("low", 3450, 4, 0, True), ("critical", 3300, 1, 86400, True),
             ("dead", 0, 1, 21600, False)),
    "alkaline": (("normal", 2400, 1, 0, True), ("low", 2200, 4, 0, True), ("critical", 2000, 1, 86400, True),
                 ("dead", 0, 1, 21600, False)),
    "li_socl2": (("normal", 3400, 1, 0, True), ("low", 3200, 4, 0, True), ("critical", 3000, 1, 86400, True),
                 ("dead", 0, 1, 21600, False)),
}


class BatteryBands:
    """The band a battery is in. `levels` like those of CELLS, highest first, the last with floor 0."""

    def __init__(self, levels: "tuple[Level, ...]") -> None:
        self._levels = levels
        self.at = 0
        self.known = False  # it has been measured: from now on rising needs more than a floor

    @property
    def level(self) -> "Level":
        """The band's row."""
        return self._levels[self.at]

    def update(self, millivolts: "int | None") -> str:
        """Take a rested voltage and return the band's name. None or nonsense (above 6 V, below 0.5 V) changes nothing."""
        if millivolts is None or not 500 <= millivolts <= 6000:
            return self.level[0]
        levels = self._levels
        at = self.at if self.known else 0
        while at + 1 < len(levels) and millivolts < levels[at][1]:
            at += 1
        if at == self.at:
            while at > 0 and millivolts >= levels[at - 1][1] + (_HYSTERESIS_MV if self.known else 0):
                at -= 1
        self.at, self.known = at, True
        return self.level[0]


class Battery(Feature):
    """Restricts each wake to what the cell can give."""

    KEYS = "battery s none none,lipo,alkaline,li_socl2"
    name = "battery"
    SIZE = calcsize(_FORMAT)
    contact_at = 0  # seconds of the last contact

    @staticmethod
    def enabled(settings: "Any") -> bool:
        """Say whether a cell is named."""
        return str(settings.battery) != "none"

    def attach(self, node: "Node") -> None:
        """Take the cell of the configuration."""
        self.bands = BatteryBands(CELLS[node.config.battery])

    def before_wake(self, node: "Node", cause: str, now: int) -> None:
        """Measure at rest, and restrict the wake. An alarm passes the daily pause, never a dead battery."""
        self.bands.update(node.board.battery_mv())
        name, _, stretch, every_s, transmit = self.bands.level
        weak = self.bands.at >= 2
        if not transmit:
            node.limit(contact=0, rest_s=every_s)
        elif 0 <= now - self.contact_at < every_s:
            node.limit(contact=1)
        node.limit(stretch=stretch, batch=1 if weak else 256)
        node.warn("battery", "battery " + name if weak else "")

    def after_contact(self, node: "Node", reached: bool) -> None:
        """Note when the module was used last."""
        if node.reached is not None:
            self.contact_at = max(0, node.clock.now())

    def rebase(self, node: "Node", moved: int) -> None:
        """Follow a step of the clock."""
        self.contact_at = max(0, self.contact_at + moved)

    def dump(self) -> bytes:
        """Return band and time of the last contact."""
        return pack(_FORMAT, self.bands.at, self.bands.known, self.contact_at)

    def load(self, data: bytes) -> bool:
        """Take them up."""
        if len(data) != self.SIZE or data[0] > 3:
            return False
        self.bands.at, known, self.contact_at = unpack(_FORMAT, data)
        self.bands.known = bool(known)
        return True


FEATURE = Battery
