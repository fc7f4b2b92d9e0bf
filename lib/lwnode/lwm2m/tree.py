"""The node's objects: rows of sensors and actuators, and what a server may do with them.

    >>> tree = ObjectTree()
    >>> room = tree.sensor(3303, lambda: 21.46, resolution=0.1)
    >>> relay = tree.actuator(3306, print, initial=False)
    >>> tree.sample(1790000000)
    1
    >>> tree.reports(1790000000)
    [(Path(/3303/0/5700), 4, '21.5', 1790000000)]
    >>> tree.handle(Request("write", Path(3306, 0, 5850), 1, value=b"1")).code
    204

Nothing here knows a module: the same rows serve the three contracts. Bounds: 64 readings wait for reports()
(the oldest goes first, .overflowed counts), 32 observations, 8 remembered answers.
"""

from micropython import const

from .instance import Instance, readings
from .model import Path, Reject, Request, Response
from .resource import Resource
from .sensor import Sensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from .actuator import Actuator
    from .container import Container
    from .model import Plain, Record, Value

_KEPT_LIMIT = const(64)
_OBSERVATION_LIMIT = const(32)
_PUSHED_LIMIT = const(16)
_PERIPHERAL = const(8)  # error codes of resource 3/0/11 (OMA LwM2M 1.0.2 appendix E.4)
_GPS = const(3)
_DEVICE = const(3)
_ERROR_CODE = const(11)


class ObjectTree:
    """All rows of a node. clock (ticks_ms, ticks_diff, sleep_ms) is needed only for rows that warm up."""

    error_after = 3  # failed readings in a row until the device's error code tells
    device_errors = False  # True where the contract lets 3/0/11 be reported
    overflowed = 0
    echoes = 0
    refused_requests = 0
    last_error = ""

    def __init__(self, clock: "object | None" = None) -> None:
        self.clock = clock
        self.rows: "list[Instance]" = []
        self.dirty = False
        self.on_error: "Callable[[int, Path], object] | None" = None  # (error code or 0, path)
        self.persist: "Callable[[], object] | None" = None  # called after a write, before its answer
        self.now: "Callable[[], int | None] | None" = None  # seconds that go on over sleep
        self._seen: "int | None" = None
        self._kept: "list[tuple[Resource, str | bytes, int | None]]" = []
        self._observed: "list[Path]" = []
        self._answers: "list[tuple[int, int, int]]" = []
        self._error_told = 0
        self._pushed: "list[tuple[Path, str | bytes]]" = []
        self.container: "Container | None" = None  # object 19, see container.py

    # -- rows --------------------------------------------------------------------------------------------

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
        """Add a sensor row.

        read() gives a number, bool, text or bytes; a tuple for several resources (three axes, a position);
        a dict by resource id; or None. resources: which ids it fills, in the order of its tuple. unit: SenML's.
        resolution: step of the printed value. range: (low, high) of good values, either may be None.
        every: seconds between readings, else each sample(). scale, offset: from the driver's unit to the wire's.
        values: further resources by id (5750: "attic"). start, power, warm_up_ms: see begin(). rules: rules.py.
        """
        row = Sensor(read, self, object_id, instance, version)
        given = (("scale", scale), ("offset", offset), ("every", every), ("range", range), ("start", start))
        for name, value in given + (("power", power), ("executes", executes)):
            if value is not None:
                setattr(row, name, value)
        if warm_up_ms:
            row.warm_up_ms = warm_up_ms
        row.unit = _unit(object_id, unit)
        if values is not None:
            row.settings = dict(values)
        for id in resources or readings(object_id, version):
            main = row.add(id)
            if resolution is not None:
                main.resolution = resolution
            if rules:
                from .rules import Rules

                main.rules = Rules(**rules)
        _prepare_counter(row)
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
        """Add an actuator row. apply(value), or a dict of them by resource id, is called on a write.

        initial: the state at start, not applied. executes: callbacks by id; what one returns, if it can be
        called, runs after the answer has gone out (a restart).
        """
        from .actuator import Actuator

        main_id = readings(object_id, version)[:1]
        callbacks = apply if isinstance(apply, dict) else {}
        row = Actuator(callbacks, self, object_id, instance, version)
        if apply is not None and not isinstance(apply, dict) and main_id:
            row.apply = {main_id[0]: apply}
        if range is not None:
            row.range = range
        if executes is not None:
            row.executes = executes
        row.settings = dict(values or {})
        unit = _unit(object_id, unit)
        if unit is not None:
            row.settings.setdefault(5701, unit)
        for id in main_id:
            main = row.add(id)
            if resolution is not None:
                main.resolution = resolution
            if rules:
                from .rules import Rules

                main.rules = Rules(**rules)
            if initial is not None:
                main.value = initial
        self._place(row)
        return row

    def _place(self, row: Instance) -> None:
        row.offer()
        if self.row(row.object_id, row.instance) is not None:
            raise ValueError("{} is there twice: give one of them another instance".format(row.path()))
        self.rows.append(row)

    def row(self, object_id: int, instance: "int | None") -> "Instance | None":
        for row in self.rows:
            if row.object_id == object_id and row.instance == instance:
                return row
        return None

    def resource(self, path: "Path | str") -> Resource:
        """The resource at a path; ValueError if no row has it. One that is no reading becomes a live value."""
        where = Path.parse(path) if isinstance(path, str) else path
        row = self.row(where.object, where.instance)
        if row is None or where.resource is None:
            raise ValueError("no row has the resource {}".format(where))
        found = row.find(where.resource)
        if found is None:
            found = row.add(where.resource, False)
            row.offer()
        return found

    def objects(self) -> "list[tuple[int, int, tuple[int, ...]]]":
        """(object id, instance, resource ids) of each row, for Modem.declare."""
        return [(row.object_id, row.instance, tuple(sorted(row.offered))) for row in self.rows]

    # -- outwards ----------------------------------------------------------------------------------------

    def time(self) -> "int | None":
        return self.now() if self.now is not None else self._seen

    def start(self, when: "int | None" = None) -> int:
        """Power up and start the rows that are due; the ms until the slowest of them can be sampled."""
        wait = 0
        for row in self.rows:
            if isinstance(row, Sensor) and row.due(when):
                wait = max(wait, row.begin())
        return wait

    def sample(self, when: "int | None" = None) -> int:
        """Read each row that is due, once; the number of values taken. when: Unix seconds, None if unknown."""
        if when is not None:
            self._seen = when
        count = 0
        for row in self.rows:
            if isinstance(row, Sensor) and row.due(when):
                count += row.collect(when)
        for row in self.rows:
            if isinstance(row, Sensor) and row.power is not None:
                row.power(False)
        return count

    def keep(self, resource: Resource) -> None:
        """A reading that must go out; it waits for the next reports()."""
        text = resource.text()
        if text is None:
            return
        if len(self._kept) >= _KEPT_LIMIT:
            self._kept.pop(0)
            self.overflowed += 1
        self._kept.append((resource, text, resource.when))

    def reports(self, when: "int | None" = None) -> "list[Record]":
        """The readings that must go out now, each once, oldest first."""
        if when is not None:
            self._seen = when
        for row in self.rows:
            if not row.failures:
                for resource in row.resources:
                    if resource.rules is not None and resource.reading and resource.value is not None:
                        reason = resource.rules.due(resource.comparable(), when)
                        if reason is not None:
                            resource.reason = reason
                            self.keep(resource)
        out: "list[Record]" = [
            (resource.path, resource.type, text, when if taken is None else taken)
            for resource, text, taken in self._kept
        ]
        self._kept = []
        return out

    def values(self, path: "Path | None" = None) -> "list[Value]":
        """The present values at or below a path, in order of the rows."""
        out: "list[Value]" = []
        for row in self.rows:
            if path is None or path.contains(row.path()) or row.path().contains(path):
                for id in sorted(row.offered):
                    where = row.path(id)
                    value = row.wire(id) if path is None or path.contains(where) else None
                    if value is not None:
                        out.append((where, row.type_of(id), value))
        return out

    # -- inwards -----------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answer a server's request; never raises. A repeated message id gets its first answer again."""
        from .requests import answer

        return answer(self, request)

    def set_rules(self, path: "Path | str", by_server: bool = False, **rules: "float | None") -> None:
        """Change the reporting rules of all readings at or below a path; None removes one. ValueError if they clash."""
        from .rules import Rules

        where = Path.parse(path) if isinstance(path, str) else path
        for row in self.rows:
            for resource in row.resources:
                if resource.reading and where.contains(resource.path):
                    own = resource.rules or Rules()
                    own.change(rules)
                    own.by_server = own.by_server or by_server
                    resource.rules = own
                    self.dirty = True

    def suppress(self, path: Path, value: "str | bytes") -> None:
        """The host has pushed this value into a module that holds the values: its echo is no write."""
        self._pushed = [one for one in self._pushed[-(_PUSHED_LIMIT - 1) :] if one[0] != path] + [(path, value)]

    def is_echo(self, path: Path, value: "Plain") -> bool:
        """Whether a write is the echo of suppress(); it is forgotten with this, and by any other value."""
        from .codec import from_wire

        for one in self._pushed:
            if one[0] == path:
                self._pushed.remove(one)
                row = self.row(path.object, path.instance)
                type = row.type_of(path.resource or 0) if row else 0
                return from_wire(type, one[1]) == value
        return False

    def forget_answers(self) -> None:
        """The module has restarted: its message ids begin anew."""
        self._answers = []

    def observe(self, path: Path) -> None:
        """Remember that the server watches a path."""
        if path not in self._observed and len(self._observed) < _OBSERVATION_LIMIT:
            self._observed.append(path)
            self.dirty = True

    def cancel(self, path: Path) -> None:
        if path in self._observed:
            self._observed.remove(path)
            self.dirty = True

    def observed(self, path: Path) -> bool:
        """Whether the server watches this path or one above it."""
        return any([watched.contains(path) for watched in self._observed])

    def clear_observations(self) -> None:
        """A fresh registration: the server has to observe anew."""
        if self._observed:
            self._observed = []
            self.dirty = True

    # -- errors ------------------------------------------------------------------------------------------

    def sensor_failed(self, row: Sensor) -> None:
        if row.failures == self.error_after:
            self._tell(row)

    def recovered(self, row: Sensor) -> None:
        self._tell(row)

    @property
    def error_code(self) -> int:
        """3 or 8 while a sensor has failed some times in a row (3: one that gives the position), else 0."""
        code = 0
        for row in self.rows:
            if row.failures >= self.error_after:
                code = max(code, _GPS if row.object_id in (6, 3336) else _PERIPHERAL)
        return code

    def _tell(self, row: Sensor) -> None:
        code = self.error_code
        if code != self._error_told:
            self._error_told = code
            if self.on_error is not None:
                self.on_error(code, row.path())

    # -- what survives sleep -----------------------------------------------------------------------------

    def dump(self) -> bytes:
        """All that must survive sleep, as one record with version and CRC. dirty says whether it changed."""
        from .state import dump

        return dump(self)

    def load(self, data: "bytes | None") -> bool:
        """Take a record of dump() again; False, and nothing changed, if it is none or damaged."""
        from .state import load

        return data is not None and load(self, data)

    def __repr__(self) -> str:
        return "\n".join([repr(resource) for row in self.rows for resource in row.resources])


def _unit(object_id: int, unit: "str | None") -> "str | None":
    from . import units

    if unit is None:
        return units.default(object_id)
    wrong = units.check(unit)
    if wrong is not None:
        raise ValueError(wrong)
    return unit


def _prepare_counter(row: Sensor) -> None:
    from . import registry

    if 5501 in registry.resources(row.object_id, row.version):
        row.counter = 0
