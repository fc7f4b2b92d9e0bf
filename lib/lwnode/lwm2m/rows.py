"""The rows of a node: what a sensor or actuator is declared with, and how the drivers are read.

The base of ObjectTree; tree.py has the worked example.
"""

from .model import Path
from .sensor import Sensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .actuator import Actuator
    from .instance import Instance
    from .resource import Resource


class Rows:
    """Declaring, finding and sampling rows. clock (ticks_ms, ticks_diff, sleep_ms) is needed where a row warms up."""

    rows: "list[Instance]"
    clock: "Any" = None
    container: "str | None" = "senml"  # codec of object 19; None for no object 19
    dropped: "list[str] | tuple[()]" = ()  # what fit() found to be too much, in words
    seen: "int | None" = None  # newest time that sample() or reports() was given
    _started_at: "int | None" = None

    # -- declaring ---------------------------------------------------------------------------------------

    def sensor(self, object_id: int, read: "Callable[[], object]", instance: int = 0, **row: "Any") -> Sensor:
        """Add a sensor row; ValueError with a sentence where it cannot be, TypeError for a keyword that is none of these.

        read: gives a number, bool, text or bytes; a tuple for several resources (three axes, a position); a dict by
        resource id; or None. Decimal text keeps digits that a 32-bit float would lose.
        unit: SenML's. resolution: step of the printed value. range: (low, high) of good values, either may be None.
        every: seconds between readings, else each sample(). resources: ids that read fills, in its tuple's order.
        scale, offset: from the driver's unit to the wire's. values: further resources by id, {5750: "attic"}.
        executes: callbacks by id. version: the object's, "1.0". start: begins a slow conversion. power: called with True
        before and False after (a Pin will do). warm_up_ms: from start or power to the first good value.
        Everything else is a rule: pmin pmax gt lt st deadband deadband_percent.
        """
        from .build import sensor

        return sensor(self, object_id, read, instance, **row)

    def actuator(
        self, object_id: int, apply: "Callable[..., object] | dict[int, Callable[..., object]] | None", instance: int = 0,
        **row: "Any",
    ) -> "Actuator":
        """Add an actuator row; ValueError with a sentence where it cannot be, TypeError for a keyword that is none of these.

        apply: called with the new value on a write, or a dict of such callbacks by resource id; may raise Reject(code).
        initial: the state at start, not applied. unit, resolution, range, version, values and rules as for a sensor.
        executes: callbacks by id; what one returns, if callable, runs after the answer has gone out (a restart).
        """
        from .build import actuator

        return actuator(self, object_id, apply, instance, **row)

    # -- finding -----------------------------------------------------------------------------------------

    def row(self, object_id: int, instance: "int | None") -> "Instance | None":
        """The row of an object instance, None if there is none."""
        for row in self.rows:
            if row.object_id == object_id and row.instance == instance:
                return row
        return None

    def resource(self, path: "Path | str") -> "Resource":
        """The resource at a path; ValueError if no row can have it. A row's other values are seen, and set, alike."""
        where = Path.parse(path) if isinstance(path, str) else path
        row = self.row(where.object, where.instance)
        if row is None or where.resource is None:
            raise ValueError("no row has the resource {}".format(where))
        return row.find(where.resource) or row.view(where.resource)

    def objects(self) -> "list[tuple[int, int, tuple[int, ...]]]":
        """(object id, instance, resource ids) of each row, for Modem.declare; 19/0 and 19/1 carry history and commands."""
        out = []
        for row in self.rows:
            if row.offered:
                out.append((row.object_id, row.instance, tuple(sorted(row.offered))))
        if self.container is not None and self.row(19, 0) is None:
            out += [(19, 0, (0,)), (19, 1, (0,))]
        return out

    def fit(
        self, limits: "dict[str, int]", executes: bool = True
    ) -> "tuple[list[tuple[int, int, tuple[int, ...]]], list[str]]":
        """Cut objects() down to what a module holds; (objects as kept, a sentence for each thing dropped).

        limits: "objects", "instances", "resources", "monitored" as in Modem.capabilities; others are not looked at.
        What is dropped is neither declared nor answered from then on; its readings still go into packs. The sentences
        stay in .dropped.
        """
        from .limits import fit

        kept, dropped = fit(self, limits, executes)
        self.dropped = dropped
        return kept, dropped

    # -- sampling ----------------------------------------------------------------------------------------

    def start(self, when: "int | None" = None) -> int:
        """Power up and start the slow rows that are due, before the modem attaches; ms until sample() need not wait."""
        wait = 0
        for row in self.rows:
            if isinstance(row, Sensor) and row.due(when):
                wait = max(wait, row.begin())
        if wait and self.clock is not None:
            self._started_at = self.clock.ticks_ms()
        return wait

    def sample(self, when: "int | None" = None) -> int:
        """Read each row that is due, once; the number of values taken. when: Unix seconds, None if not known.

        Rows that start() has not started are started here; what is left of the longest warm-up is waited for.
        """
        if when is not None:
            self.seen = when
        due: "list[Sensor]" = []
        wait = 0
        for row in self.rows:
            if isinstance(row, Sensor) and row.due(when):
                due.append(row)
                wait = max(wait, row.warm_up_ms)
        fresh = self.start(when)
        if wait and self.clock is not None and self._started_at is not None:
            passed = 0 if fresh == wait else self.clock.ticks_diff(self.clock.ticks_ms(), self._started_at)
            if passed < wait:
                self.clock.sleep_ms(wait - passed)
        self._started_at = None
        count = 0
        for row in due:
            count += row.collect(when)
        for row in due:
            row.end()
        return count
