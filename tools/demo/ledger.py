"""Every reading on both sides: what the host board's sensor gave, what arrived at the server, and the difference.

The sensor never gives the same value twice, so a reading is known by its path and value alone. Nothing is taken from the
node's own counters: the left side is counted on the I2C bus, the right side from CoAP payloads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

# The sensor's names on the host board, and where the node's sensors.py puts them.
PATHS = {"temperature": "/3303/0/5700", "humidity": "/3304/0/5700"}


@dataclass(frozen=True)
class Arrival:
    """One value in a notification: `at` is Unix seconds from its own timestamp, or of its arrival; `late` if packed."""

    path: str
    text: str
    at: float
    late: bool


@dataclass
class Ledger:
    """Readings taken and delivered; `lost`, `duplicates` and `order_kept` follow from the two lists."""

    taken: list[tuple[str, str, float]] = field(default_factory=list)
    arrived: list[Arrival] = field(default_factory=list)

    def take(self, name: str, text: str, at: float) -> None:
        """A conversion on the bus."""
        self.taken.append((PATHS[name], text, at))

    def arrive(self, path: str, value: object, at: float, late: bool) -> None:
        """A value in a payload at the server; values of other paths (an actuator's state) are not readings."""
        if path in PATHS.values():
            self.arrived.append(Arrival(path, f"{float(str(value)):.2f}", at, late))

    @property
    def delivered(self) -> list[Arrival]:
        """First arrivals, in order of arrival."""
        first: dict[tuple[str, str], Arrival] = {}
        for arrival in self.arrived:
            first.setdefault((arrival.path, arrival.text), arrival)
        return list(first.values())

    @property
    def duplicates(self) -> int:
        """Arrivals of what had arrived before."""
        return len(self.arrived) - len({(a.path, a.text) for a in self.arrived})

    @property
    def lost(self) -> list[tuple[str, str, float]]:
        """Readings taken that never arrived."""
        there = {(a.path, a.text) for a in self.arrived}
        return [reading for reading in self.taken if reading[:2] not in there]

    @property
    def invented(self) -> list[Arrival]:
        """Arrivals that no sensor gave."""
        given = {reading[:2] for reading in self.taken}
        return [a for a in self.arrived if (a.path, a.text) not in given]

    def order_kept(self) -> bool:
        """Whether the first arrivals of each path come in the order in which they were taken."""
        place = {reading[:2]: number for number, reading in enumerate(self.taken)}
        for path in PATHS.values():
            numbers = [place[(a.path, a.text)] for a in self.delivered if a.path == path and (a.path, a.text) in place]
            if numbers != sorted(numbers):
                return False
        return True

    def worst_time(self) -> float:
        """The largest difference, in seconds, between a late reading's own time and when it was taken."""
        when = {reading[:2]: reading[2] for reading in self.taken}
        return max([abs(a.at - when[(a.path, a.text)]) for a in self.late()], default=0.0)

    def late(self) -> list[Arrival]:
        """Readings that came with a time of their own, after an outage."""
        return [a for a in self.arrived if a.late and (a.path, a.text) in {r[:2] for r in self.taken}]


def average(numbers: Iterable[float]) -> float:
    """The mean, 0 for nothing."""
    values = list(numbers)
    return sum(values) / len(values) if values else 0.0
