"""Battery, data budget, energy and health of a node, told once per wake and asked before each contact.

    upkeep = Upkeep(board.clock, currents(definition.CHIP, config.family), data_limit=500000)
    upkeep.load(state.load("upkeep"))
    upkeep.woke(clock.now(), board.battery_mv())         -> "low"
    reporting.stretch = upkeep.stretch(clock.now())      4
    journal.batch = upkeep.batch(8)                      1 below the brown-out band
    if upkeep.may_contact(clock.now(), urgent=False):
        reached = contact()
        upkeep.contacted(reached, clock.now(), payload=96, connect_ms=3100)
    upkeep.sleeps(clock.now(), awake_ms=4100)
    state.save("upkeep", upkeep.dump())
    upkeep.metrics(guard.resets, journal.dropped)        -> [("operational_h", 212), ..., ("mc_connect", 812), ...]

Bounds: 160 bytes of state; nothing here writes flash or talks to anybody.
"""

from struct import calcsize, pack, unpack_from

from micropython import const

from lwnode.power.budget import DataBudget
from lwnode.power.energy import EnergyMeter
from lwnode.power.health import Health
from lwnode.power.policy import LIPO, BatteryBands

_VERSION = const(1)
_FORMAT = "<Bqq"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping


class Upkeep:
    """`currents_ua` as of lwnode.power.typical; `data_limit` bytes a month, 0 for none."""

    def __init__(self, ticks: "Any", currents_ua: dict[str, int], data_limit: int = 0, billing_day: int = 1,
                 levels: "tuple[tuple[str, int, int, int, bool], ...]" = LIPO, dtls: bool = False) -> None:
        self.bands = BatteryBands(levels)
        self.data = DataBudget(data_limit, billing_day, dtls)
        self.energy = EnergyMeter(ticks, currents_ua)
        self.health = Health()
        self._parts = (self.bands, self.data, self.energy, self.health)
        self._contact_at = 0
        self._slept_at = 0

    def woke(self, now: int, millivolts: int | None) -> str:
        """Take the time and the rested voltage at the begin of a wake; returns the battery's band."""
        slept = now - self._slept_at if self._slept_at else 0
        if 0 < slept < 864000:
            self.energy.add("sleep", slept * 1000)
            self.health.wake(0, slept)
        self.health.battery(millivolts, now)
        return self.bands.update(millivolts)

    def stretch(self, now: int) -> int:
        """Return by what the reporting period is multiplied now: the battery's factor or the data budget's, the larger."""
        return max(self.bands.stretch, self.data.stretch(now))

    def batch(self, usual: int) -> int:
        """Return how many readings may be exposed to a loss of power: one when a brown-out is near."""
        return 1 if self.bands.weak else usual

    def may_contact(self, now: int, urgent: bool = False) -> bool:
        """Return whether the module may be used. Alarms pass the budget and the daily pause, never a dead battery."""
        if not self.bands.transmit:
            return False
        waited = now - self._contact_at
        if not urgent and 0 <= waited < self.bands.contact_every_s:
            return False
        return self.data.allow(now, urgent)

    def contacted(self, reached: bool, now: int, payload: int = 0, connect_ms: int = 0, tail_ms: int = 0,
                  messages: int = 2) -> None:
        """Count a contact: bytes of payload in so many messages, and how long the radio was connected."""
        self._contact_at = now
        self.health.sync(reached)
        self.data.spend(payload, now, messages)
        self.energy.add("connect", connect_ms)
        self.energy.add("tail", tail_ms)

    def sleeps(self, now: int, awake_ms: int) -> None:
        """Count the wake that ends now; what of it the radio did not take was the board's alone."""
        self._slept_at = now
        self.health.wake(awake_ms)
        self.energy.add("awake", awake_ms)

    def rebase(self, moved_s: int) -> None:
        """Follow a step of the clock (Clock.moved)."""
        self._contact_at += moved_s
        self._slept_at += moved_s if self._slept_at else 0
        self.health.rebase(moved_s)

    def metrics(self, resets: "Mapping[str, int]", dropped: int = 0) -> list[tuple[str, int]]:
        """Return (name, value) for each figure, to be mapped on resources: health, charge per phase in mC, data."""
        found = self.health.values(resets, dropped)
        for phase, charge in sorted(self.energy.charge_mc.items()):
            found.append(("mc_" + phase, charge))
        found.append(("uah_per_day", self.energy.uah_per_day()))
        found.append(("data_bytes", self.data.spent))
        found.append(("data_refused", self.data.refused))
        return found

    def dump(self) -> bytes:
        """Return what must survive sleep."""
        parts = [pack(_FORMAT, _VERSION, self._contact_at, self._slept_at)]
        for part in self._parts:
            data = part.dump()
            parts.append(bytes([len(data)]))
            parts.append(data)
        return b"".join(parts)

    def load(self, data: bytes | None) -> bool:
        """Take up what dump() gave. False: nothing usable in data; a part that cannot be read is as new."""
        if not data or len(data) < calcsize(_FORMAT) or data[0] != _VERSION:
            return False
        _, self._contact_at, self._slept_at = unpack_from(_FORMAT, data, 0)
        at = calcsize(_FORMAT)
        for part in self._parts:
            size = data[at] if at < len(data) else 0
            part.load(data[at + 1 : at + 1 + size])
            at += 1 + size
        return True
