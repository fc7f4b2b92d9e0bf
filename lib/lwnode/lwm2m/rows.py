"""The rows of a node: what a sensor or actuator is declared with, and how the drivers are read.

The base of ObjectTree; tree.py has the worked example.
"""

from . import registry
from .instance import Instance, readings
from .model import Path
from .resource import Resource
from .sensor import Sensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .actuator import Actuator
    from .model import Plain


class Rows:
    """Declaring, finding and sampling rows. clock (ticks_ms, ticks_diff, sleep_ms) is needed where a row warms up."""

    rows: "list[Instance]"
    clock: "Any" = None
    container: "Any" = "senml"  # codec of object 19: "senml", "tlv", one of your own, None for no object 19
    dropped: "list[str] | tuple[()]" = ()  # what fit() found to be too much, in words
    seen: "int | None" = None  # newest time that sample() or reports() was given
    _started_at: "int | None" = None

    # -- declaring ---------------------------------------------------------------------------------------

    def sensor(
        self,
        object_id: int,
        read: "Callable[[], object]",
        instance: int = 0,
        *,
        unit: "str | None" = None,
        resolution: "float | None" = None,
        range: "tuple[float | None, float | None] | None" = None,
        every: "int | None" = None,
        resources: "tuple[int, ...] | None" = None,
        version: str = "1.0",
        scale: "float | None" = None,
        offset: "float | None" = None,
        values: "dict[int, Plain] | None" = None,
        executes: "dict[int, Callable[..., object]] | None" = None,
        start: "Callable[[], object] | None" = None,
        power: "Callable[[bool], object] | None" = None,
        warm_up_ms: int = 0,
        **rules: "float | None"
    ) -> Sensor:
        """Add a sensor row; ValueError with a sentence where it cannot be.

        read: gives a number, bool, text or bytes; a tuple for several resources (three axes, a position); a dict by
        resource id; or None. Decimal text keeps digits that a 32-bit float would lose.
        unit: SenML's. resolution: step of the printed value. range: (low, high) of good values, either may be None.
        every: seconds between readings, else each sample(). resources: ids that read fills, in its tuple's order.
        scale, offset: from the driver's unit to the wire's. values: further resources by id, {5750: "attic"}.
        start: begins a slow conversion. power: called with True before and False after (a Pin will do).
        warm_up_ms: from start or power to the first good value. rules: pmin pmax gt lt st deadband deadband_percent.
        """
        row = Sensor(self, object_id, instance, version)
        row.read = read
        given = (("scale", scale), ("offset", offset), ("every", every), ("range", range), ("start", start))
        for name, value in given + (("power", power), ("executes", executes), ("warm_up_ms", warm_up_ms or None)):
            if value is not None:
                setattr(row, name, value)
        row.unit = _unit(object_id, unit)
        if values is not None:
            row.settings = dict(values)
        if 5501 in registry.resources(object_id, version):
            row.counter = 0
        for id in resources or readings(object_id, version):
            _rule(row.add(id), resolution, rules)
        self._place(row)
        return row

    def actuator(
        self,
        object_id: int,
        apply: "Callable[..., object] | dict[int, Callable[..., object]] | None",
        instance: int = 0,
        *,
        initial: "Plain | None" = None,
        unit: "str | None" = None,
        resolution: "float | None" = None,
        range: "tuple[float | None, float | None] | None" = None,
        version: str = "1.0",
        values: "dict[int, Plain] | None" = None,
        executes: "dict[int, Callable[..., object]] | None" = None,
        **rules: "float | None"
    ) -> "Actuator":
        """Add an actuator row; ValueError with a sentence where it cannot be.

        apply: called with the new value on a write, or a dict of such callbacks by resource id; may raise Reject(code).
        initial: the state at start, not applied. values: further resources by id, with their first values.
        executes: callbacks by id; what one returns, if callable, runs after the answer has gone out (a restart).
        """
        from .actuator import Actuator, main_resource

        main = main_resource(object_id, version)
        row = Actuator(self, object_id, instance, version)
        row.apply = apply if isinstance(apply, dict) else {} if apply is None else {main: apply}
        if range is not None:
            row.range = range
        if executes is not None:
            row.executes = executes
        row.settings = dict(values or {})
        unit = _unit(object_id, unit)
        if unit is not None and 5701 in registry.resources(object_id, version):
            row.settings.setdefault(5701, unit)
        resource = row.add(main)
        _rule(resource, resolution, rules)
        if initial is not None:
            resource.value = initial
        row.complete()
        self._place(row)
        return row

    def _place(self, row: Instance) -> None:
        row.path()  # ids within 0 to 65535, or ValueError
        row.offer()
        if self.row(row.object_id, row.instance) is not None:
            raise ValueError("{} is there twice: give one of them another instance".format(row.path()))
        if row.instance and not registry.multiple(row.object_id):
            raise ValueError("object {} has instance 0 only".format(row.object_id))
        if isinstance(row, Sensor) and row.warm_up_ms and self.clock is None:
            raise ValueError("{} warms up: set tree.clock first, it is waited by".format(row.path()))
        self.rows.append(row)

    # -- finding -----------------------------------------------------------------------------------------

    def row(self, object_id: int, instance: "int | None") -> "Instance | None":
        """The row of an object instance, None if there is none."""
        for row in self.rows:
            if row.object_id == object_id and row.instance == instance:
                return row
        return None

    def resource(self, path: "Path | str") -> Resource:
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


# The unit of objects whose quantity leaves no choice; others get one only if the row names it.
_UNITS = (
    " 3301 lx 3303 Cel 3304 %RH 3313 m/s2 3314 T 3315 Pa 3316 V 3317 A 3318 Hz 3319 m 3320 % 3321 m 3323 Pa 3324 dB"
    " 3326 pH 3327 S/m 3328 W 3330 m 3334 rad/s "
)


def _unit(object_id: int, unit: "str | None") -> "str | None":
    at = _UNITS.find(" {} ".format(object_id))
    usual = _UNITS[at + 6 :].split(" ")[0] if at >= 0 else None
    if unit is None or unit == usual:
        return usual
    from .units import check

    wrong = check(unit)
    if wrong is not None:
        raise ValueError(wrong)
    return unit


def _rule(resource: Resource, resolution: "float | None", rules: "dict[str, float | None]") -> None:
    if resolution is not None:
        resource.resolution = resolution
    if rules:
        from .rules import Rules

        resource.rules = Rules(**rules)
