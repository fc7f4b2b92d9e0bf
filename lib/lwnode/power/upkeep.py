"""Battery, data budget, energy and health of a node, told once per wake and asked before each contact.

    upkeep = Upkeep(currents(definition.CHIP, config.family), data_limit=500000)
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

The four parts (bands, data, energy, health) are files of their own, loaded when first touched. Where heap counts, ask one
part after the other and put it away again: upkeep.rest("energy") keeps its bytes and forgets the object, and the caller may
then drop its file.

Bounds: 160 bytes of state; nothing here writes flash or talks to anybody.
"""

from struct import calcsize, pack, unpack_from

from micropython import const

_VERSION = const(1)
_FORMAT = "<Bqq"
_PARTS = ("bands", "data", "energy", "health")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

    from lwnode.power.budget import DataBudget
    from lwnode.power.energy import EnergyMeter
    from lwnode.power.health import Health
    from lwnode.power.policy import BatteryBands


class Upkeep:
    """`currents_ua` as of lwnode.power.typical; `data_limit` bytes a month, 0 for none; `cell` as of policy.CELLS."""

    if TYPE_CHECKING:
        bands: BatteryBands
        data: DataBudget
        energy: EnergyMeter
        health: Health

    def __init__(self, currents_ua: dict[str, int], data_limit: int = 0, billing_day: int = 1,
                 cell: str = "lipo", dtls: bool = False) -> None:
        self._given = (currents_ua, data_limit, billing_day, cell, dtls)
        self._stored: dict[str, bytes] = {}
        self.contact_at = 0  # seconds of the last contact
        self._slept_at = 0

    def __getattr__(self, name: str) -> "Any":
        """Make a part when it is first asked for, with what is stored of it."""
        currents_ua, data_limit, billing_day, cell, dtls = self._given
        made: "Any"
        if name == "bands":
            from lwnode.power.policy import CELLS, BatteryBands
            made = BatteryBands(CELLS[cell])
        elif name == "data":
            from lwnode.power.budget import DataBudget
            made = DataBudget(data_limit, billing_day, dtls)
        elif name == "energy":
            from lwnode.power.energy import EnergyMeter
            made = EnergyMeter(currents_ua)
        elif name == "health":
            from lwnode.power.health import Health
            made = Health()
        else:
            raise AttributeError(name)
        made.load(self._stored.get(name))
        setattr(self, name, made)
        return made

    def rest(self, name: str) -> None:
        """Put a part away as bytes."""
        self._stored[name] = getattr(self, name).dump()
        delattr(self, name)

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
        waited = now - self.contact_at
        if not urgent and 0 <= waited < self.bands.contact_every_s:
            return False
        return self.data.allow(now, urgent)

    def contacted(self, reached: bool, now: int, payload: int = 0, connect_ms: int = 0, tail_ms: int = 0,
                  messages: int = 2) -> None:
        """Count a contact: bytes of payload in so many messages, and how long the radio was connected."""
        self.contact_at = now
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
        self.contact_at += moved_s
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
        for name in _PARTS:
            if name in self.__dict__:
                self._stored[name] = getattr(self, name).dump()
        parts = [pack(_FORMAT, _VERSION, self.contact_at, self._slept_at)]
        for name in _PARTS:
            data = self._stored.get(name, b"")
            parts.append(bytes([len(data)]))
            parts.append(data)
        return b"".join(parts)

    def load(self, data: bytes | None) -> bool:
        """Take up what dump() gave. False: nothing usable in data; a part that cannot be read is as new."""
        if not data or len(data) < calcsize(_FORMAT) or data[0] != _VERSION:
            return False
        _, self.contact_at, self._slept_at = unpack_from(_FORMAT, data, 0)
        at = calcsize(_FORMAT)
        for name in _PARTS:
            size = data[at] if at < len(data) else 0
            self._stored[name] = data[at + 1 : at + 1 + size]
            if name in self.__dict__:
                getattr(self, name).load(self._stored[name])
            at += 1 + size
        return True
