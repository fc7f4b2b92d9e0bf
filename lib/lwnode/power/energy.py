"""Charge per phase, accounted on the node from times and typical currents.

    meter = EnergyMeter(currents("esp32", "bc66"))
    meter.add("connect", 11600)        # milliseconds: ticks do not count through deep sleep
    meter.add("sleep", 900000)
    meter.charge_mc["connect"]         -> 812
    meter.uah_per_day()                -> 9700

Phases: sleep, awake (host alone), boot (module starts or searches), connect (sending, receiving), tail (radio still
connected after the last byte), idle (module attached, waiting). Where a module counts its own radio time (BC66
AT+QENG=2), tell that with add() instead of wall time. Figures are typical ones of lwnode.power.typical: good for
comparing, not for billing.
"""

from struct import calcsize, pack, unpack_from

PHASES = ("sleep", "awake", "boot", "connect", "tail", "idle")
_VERSION = 1
_FORMAT = "<BI" + "QI" * 6


class EnergyMeter:
    """Adds microcoulombs. `currents_ua`: the board's supply current in each phase, in microamperes."""

    def __init__(self, currents_ua: dict[str, int]) -> None:
        for phase in PHASES:
            if phase not in currents_ua:
                raise ValueError("no current for the phase %s" % phase)
        self.currents_ua = currents_ua
        self._uc = {phase: 0 for phase in PHASES}
        self._ms = {phase: 0 for phase in PHASES}

    def add(self, phase: str, ms: int, current_ua: int | None = None) -> None:
        """Account ms of a phase, at another current than its typical one if given."""
        ua = self.currents_ua[phase] if current_ua is None else current_ua
        self._uc[phase] += max(0, ms) * ua // 1000
        self._ms[phase] += max(0, ms)

    @property
    def charge_mc(self) -> dict[str, int]:
        """Millicoulombs per phase (3600 mC are 1 mAh)."""
        return {phase: self._uc[phase] // 1000 for phase in PHASES}

    def uah_per_day(self) -> int:
        """Return the mean of all accounted time, in microampere-hours per day; 0 before the first minute."""
        ms = sum(self._ms.values())
        return sum(self._uc.values()) * 24000 // ms if ms >= 60000 else 0

    def dump(self) -> bytes:
        """Return what must survive sleep (77 bytes)."""
        parts: list[int] = []
        for phase in PHASES:
            parts.append(self._uc[phase])
            parts.append(min(self._ms[phase] // 1000, 0xFFFFFFFF))
        return pack(_FORMAT, _VERSION, 0, *parts)

    def load(self, data: bytes | None) -> bool:
        """Take up what dump() gave. False: nothing usable in data."""
        if not data or len(data) < calcsize(_FORMAT) or data[0] != _VERSION:
            return False
        found = unpack_from(_FORMAT, data, 0)[2:]
        for i, phase in enumerate(PHASES):
            self._uc[phase] = found[2 * i]
            self._ms[phase] = found[2 * i + 1] * 1000
        return True
