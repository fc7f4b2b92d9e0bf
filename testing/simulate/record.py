"""What each sensor gave, and what the server got: two lists that know nothing of the node between them.

    record = Record(sensors=3)
    record.take(0, unix, now_ms)             -> 4: the value that row 0 gives this time; no other reading has it
    record.arrive((3300, 0, 5700), 4.0, own_time=None, unix=..., now_ms=...)
    record.readings[0].arrivals              -> [Arrival(now_ms, unix, own_time)]
    record.wrong_times(allowed), record.disordered, record.strangers, record.twice(excused)

The value says which row gave it and as which of its readings, so a value at another row's path is seen as well as one that
nobody gave. `unix` is the world's time, `own_time` the one that came with the value (None: it came as the present one).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

# Rows of a simulated node: object and instance. Two instances of one object, for what mixes up instances.
ROWS = ((3300, 0), (3303, 0), (3303, 1))
# One more, with a threshold at zero: only its crossings must arrive, and at once.
ALARM = (3323, 0)
RESOURCE = 5700
Path = tuple[int, ...]


@dataclass
class Arrival:
    """One value at the server."""

    now: int
    unix: int
    own_time: int | None


@dataclass
class Reading:
    """One value of one sensor. `fate`: "exposed" or "dropped" where the node may be without it; `must`: it has to arrive."""

    row: int
    value: int
    unix: int
    now: int
    must: bool = True
    fate: str = ""
    arrivals: list[Arrival] = field(default_factory=list)

    @property
    def pending(self) -> bool:
        """Owed to the server, and neither there nor accounted for."""
        return self.must and not self.fate and not self.arrivals


class Record:
    """All readings, in the order in which they were taken, and all values at the server."""

    def __init__(self, sensors: int, alarm: bool = False) -> None:
        self.rows: list[Path] = list(ROWS[:sensors]) + ([ALARM] if alarm else [])
        self.readings: list[Reading] = []
        self.strangers: list[tuple[Path, float]] = []  # values that the sensor of their path never gave
        self.misplaced = 0  # of them: given by the sensor of another path
        self.disordered: list[Reading] = []  # first arrivals after a later reading of the same row
        self._by_value: dict[int, Reading] = {}
        self._newest: dict[int, int] = {}
        self._last_side = False

    @property
    def paths(self) -> list[str]:
        """Paths as texts, for the server to observe."""
        return ["/%d/%d/%d" % (*row, RESOURCE) for row in self.rows]

    def of_row(self, row: int = 0) -> list[Reading]:
        """The readings of one row."""
        return [reading for reading in self.readings if reading.row == row]

    def take(self, row: int, unix: int, now: int, above: bool = False) -> int:
        """Return the next value of a row; `above`: the alarm's row is beyond its threshold."""
        value = (len(self.readings) // len(self.rows) + 1) * len(self.rows) + row
        while value in self._by_value:
            value += len(self.rows)
        reading = Reading(row, value, unix, now)
        if self.rows[row] == ALARM:
            known = any(other.row == row for other in self.readings[-2 * len(self.rows) :])
            reading.must = above != self._last_side or not known
            self._last_side = above
        self.readings.append(reading)
        self._by_value[value] = reading
        return value if above or self.rows[row] != ALARM else -value

    def arrive(self, path: Path, value: float, own_time: int | None, unix: int, now: int) -> None:
        """Take down a value at the server; paths of others than our rows are no readings."""
        if len(path) != 3 or path[2] != RESOURCE or path[:2] not in self.rows:
            return
        reading = self.by_value(value)
        if reading is None or self.rows[reading.row] != path[:2]:
            self.misplaced += reading is not None
            self.strangers.append((path, value))
            return
        if not reading.arrivals:
            if reading.value < self._newest.get(reading.row, 0):
                self.disordered.append(reading)
            self._newest[reading.row] = max(reading.value, self._newest.get(reading.row, 0))
        reading.arrivals.append(Arrival(now, unix, own_time))

    def by_value(self, value: float) -> Reading | None:
        """The reading that gave a value."""
        return self._by_value.get(abs(int(value))) if value == int(value) else None

    def delivered(self) -> list[Reading]:
        """Readings that are at the server."""
        return [reading for reading in self.readings if reading.arrivals]

    def duplicates(self) -> int:
        """Arrivals beyond the first of each reading."""
        return sum(len(reading.arrivals) - 1 for reading in self.delivered())

    def twice(self, excused: Callable[[int, int], bool]) -> list[Reading]:
        """Readings that came again although nothing had gone wrong since shortly before the first time."""
        return [reading for reading in self.delivered()
                if any(not excused(before.now, after.now) for before, after in zip(reading.arrivals, reading.arrivals[1:]))]

    def wrong_times(self, allowed: Callable[[Reading, Arrival], float]) -> list[tuple[int, Reading]]:
        """(seconds, reading) of those whose time at the server is off by more than allowed."""
        found = []
        for reading in self.delivered():
            for arrival in reading.arrivals:
                off = (arrival.unix if arrival.own_time is None else arrival.own_time) - reading.unix
                if abs(off) > allowed(reading, arrival):
                    found.append((off, reading))
        return found
