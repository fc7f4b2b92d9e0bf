"""The account of every reading: what the sensor gave, what arrived at the server, what is waiting, what was lost and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .world import World


class Ledger:
    """Readings are numbered: the sensor's n-th value is n, so each can be found again at the server."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.taken: list[int] = []  # when each was read, Unix seconds
        self.dead = ""

    def read(self) -> int:
        """What the sensor's driver calls."""
        self.taken.append(self._world.clock.unix())
        return len(self.taken)

    def delivered(self) -> dict[int, int]:
        """How often each reading arrived at the server."""
        counts: dict[int, int] = {}
        for delivery in self._world.server.deliveries:
            if tuple(delivery.path) == (3300, 0, 5700):
                number = int(float(delivery.value))
                counts[number] = counts.get(number, 0) + 1
        return counts

    def power_lost(self) -> None:
        """The power went: what was not on flash then may be missing afterwards."""
