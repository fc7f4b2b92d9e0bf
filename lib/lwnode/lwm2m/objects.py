"""What a row is made of: resources with the fate of each reading, the instance that offers them to a server, and what
sensors and actuators add to it.

    >>> tree = ObjectTree()
    >>> row = tree.sensor(3303, lambda: 21.46, resolution=0.1, range=(-40, 85))
    >>> tree.sample(1790000000), tree.values(Path(3303, 0, 5601))
    (1, [(Path(/3303/0/5601), 4, '21.5')])
    >>> resource = tree.resource("/3303/0/5700")
    >>> resource.update(85.1)
    False
    >>> resource.value, resource.reason
    (21.46, 'refused: 85.1 is outside the range -40 to 85')
    >>> relay = tree.actuator(3306, lambda on: print("relay", on), initial=False)
    >>> tree.handle(Request("write", Path(3306, 0, 5850), 7, value=b"1"))
    relay True
    Response(204, values: 0)

A row is told by nobody but its tree and tells nobody but its owner (Owner). A read is a look at stored values, never a
conversion: drivers are called by ObjectTree.sample() alone. A reading that fails, is None, NaN or out of range stays here: it
is counted, and the last good value stands.
"""

import math

from micropython import const

from .registry import lookup, shape
from .values import BOOLEAN, FLOAT, INTEGER, NONE, STRING, TIME, Path, Reject, decode_value, from_wire, in_range, to_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Protocol

    from .rules import Rules
    from .values import Plain

    class Owner(Protocol):
        """What a row tells, and asks; ObjectTree is one."""

        dirty: bool  # something changed that must survive even where only flash does

        def time(self) -> "int | None":
            """Seconds that go on over sleep, None where none are known."""

        def judged(self, resource: "Resource", text: "str | bytes") -> None:
            """Take a new reading, its verdict in .reason, its text as it leaves."""

        def health_changed(self) -> None:
            """Take note that a sensor failed once more, or works again."""

# Quality indicator 6042: a good value; rejected with probability, where there is no new value at all; with certainty.
_ACCEPTED = const(4)
_DOUBTFUL = const(2)
_REJECTED = const(1)
_WRITABLE = const(16)  # a bit of Instance.kinds
_EARLIEST = const(1704067200)  # 2024: what is smaller is no Unix time
_NO_ID = const(-2)
NOTHING: "Any" = ()  # of Instance.extra: there is nothing behind this resource
# Resources that a row serves by itself (OMA registry of reusable resources, IPSO objects).
_COUNTER = const(5501)
_POLARITY = const(5502)
_EDGES = const(5504)
_RESET_COUNTER = const(5505)
_TIMESTAMP = const(5518)
_RESET_EXTREMES = const(5605)
_UNIT = const(5701)
_APPLICATION_TYPE = const(5750)
_CALIBRATION = const(5821)
_ON_TIME = const(5852)
_OFF_TIME = const(5854)
_QUALITY = const(6042)
_QUALITY_LEVEL = const(6049)
_RISING = const(2)  # 5504: 1 falling, 2 rising, 3 both
_DEFAULTS: "dict[int, Plain]" = {_APPLICATION_TYPE: "", _POLARITY: False, _CALIBRATION: 1, _EDGES: _RISING}


class Resource:
    """One resource with a value of its own: pushed in by update(), judged by its rules. Made by ObjectTree, not by hand."""

    # Defaults live in the class: an attribute costs heap only in the instance where it differs.
    value: "Plain | None" = None
    when: "int | None" = None
    minimum: "float | int | None" = None
    maximum: "float | int | None" = None
    reason = "none: no reading yet"
    resolution: "float | None" = None
    range: "tuple[float | None, float | None] | None" = None
    rules: "Rules | None" = None
    reading = True  # its values are for the journal; else a view, which becomes part of the row with its first update
    lowest = _NO_ID  # resource id of its minimum, the maximum is the next; _NO_ID where it has none

    def __init__(self, row: "Instance", id: int, type: int) -> None:
        self.row = row
        self.id = id
        self.type = type

    @property
    def path(self) -> Path:
        """Its own: object, instance, resource."""
        return Path(self.row.object_id, self.row.instance, self.id)

    def update(self, value: "Plain | None", when: "int | None" = None, quality: int = _ACCEPTED) -> bool:
        """Take a new value in the wire's unit; False if it was refused (None, NaN, out of range, wrong type).

        when: Unix seconds of the measurement; None takes the time given to the next reports().
        quality: measurement quality indicator 6042 of this value (default 4, accepted).
        """
        row = self.row
        try:
            number = self.number(value)
            taken: "Any" = number if self.type == BOOLEAN else value
            text = to_wire(self.type, taken, self.resolution)
        except (ValueError, TypeError) as error:
            self.reason = "refused: " + str(error)
            row.failed(str(error), _DOUBTFUL if value is None else _REJECTED)
            return False
        row.accepted(self, taken, quality)
        rules = self.rules
        same = (rules is not None or not self.reading) and self.text() == text
        self.value = taken
        self.when = when
        if not self.reading:
            if self not in row.resources:
                row.resources.append(self)
                if self.id not in row.offered:
                    row.show(list(row.offered) + [self.id])
            if not same:
                row.touch(self.id)
            return True
        if self.lowest != _NO_ID:
            self.track(number)
        self.reason = "sent: no rules" if rules is None else rules.judge(number, when, same)
        row.owner.judged(self, text)
        return True

    def number(self, value: "Plain | None") -> "Plain":
        """A value as rules and extremes compare it: a number even where it came as text. ValueError or TypeError if none."""
        if value is None:
            raise ValueError("the driver gave no value")
        if self.type == BOOLEAN:
            return from_wire(BOOLEAN, value) if isinstance(value, (str, bytes)) else bool(value)
        if self.type == FLOAT or self.type == INTEGER or self.type == TIME:
            number: "Any" = from_wire(FLOAT, value) if isinstance(value, (str, bytes)) else value
            if not math.isfinite(number):
                raise ValueError("%s is no number" % number)
            if not in_range(self.type, number, self.range):
                raise ValueError("{} is outside the range {} to {}".format(float(number), *(self.range or (None, None))))
            return number  # type: ignore[no-any-return]
        return value

    def track(self, number: "Any", fresh: bool = False) -> None:
        """Minimum and maximum take a number in, or, fresh, become it (resource 5605)."""
        least = number if fresh or self.minimum is None else min(number, self.minimum)
        most = number if fresh or self.maximum is None else max(number, self.maximum)
        if least != self.minimum:
            self.minimum = least
            self.row.touch(self.lowest, True)
        if most != self.maximum:
            self.maximum = most
            self.row.touch(self.lowest + 1, True)

    def text(self) -> "str | bytes | None":
        """The value as it leaves, None before the first."""
        return None if self.value is None else to_wire(self.type, self.value, self.resolution)

    def __repr__(self) -> str:
        text = self.text()
        return "Resource(%s %s %s)" % (self.path, text if isinstance(text, str) else repr(text), self.reason)


class Instance:
    """Resources of one object instance, the values the server may set, and the callbacks of executes."""

    version = "1.0"
    unit: "str | None" = None
    range: "tuple[float | None, float | None] | None" = None
    settings: "dict[int, Plain]" = {}  # values that a server may write or the row has given; replaced, not changed
    written: "dict[int, Plain]" = {}  # those of the settings that a server has written; replaced, not changed
    executes: "dict[int, Callable[..., object]]" = {}
    failures = 0  # failed readings in a row
    errors = 0  # in all
    error = ""  # the last one, for people
    quality = _ACCEPTED
    kept: "tuple[str, ...]" = ()  # attributes that survive sleep
    source: "Any" = None  # an object whose value(id) tells, and write(id, value) sets, all that this row has
    touched = 0  # bits of offered resources whose live value changed

    def __init__(self, owner: "Owner", object_id: int, instance: int, version: str = "1.0") -> None:
        self.owner = owner
        self.object_id = object_id
        self.instance = instance
        if version != "1.0":
            self.version = version
        self.resources: "list[Resource]" = []
        self.offered: "tuple[int, ...]" = ()  # the most important first
        self.kinds = b""  # of the offered ones, see kind()

    def path(self, id: "int | None" = None) -> Path:
        """Its own, or that of a resource of it."""
        return Path(self.object_id, self.instance, id)

    def find(self, id: int) -> "Resource | None":
        """The resource of that id; None where the row has none."""
        for resource in self.resources:
            if resource.id == id:
                return resource
        return None

    def serves(self, id: int) -> bool:
        """Whether there is something behind a resource other than a reading."""
        return id in self.executes or self.extra(id) is not NOTHING

    def extra(self, id: int) -> "Plain | None":
        """The present value of a resource that is no reading; None before its first, NOTHING where the row has none."""
        if self.source is not None:
            return self.source.value(id)  # type: ignore[no-any-return]
        if id in self.settings:
            return self.settings[id]
        return self.unit if id == _UNIT and self.unit is not None else NOTHING

    def kind(self, id: int) -> int:
        """What the registry says of an offered resource: its type, 8 readable, 16 writable, 32 executable; 1, a text, else."""
        return self.kinds[self.offered.index(id)] if id in self.offered else STRING

    def show(self, ids: "list[int]") -> None:
        """Offer these resources and no others."""
        known = dict(shape(self.object_id, self.version))
        self.kinds = bytes([known.get(id, STRING) for id in ids])
        self.offered = tuple(ids)

    def entry(self, id: int) -> "tuple[int, str | bytes] | None":
        """(type, text or bytes) of a resource's present value as it leaves; None if there is none yet."""
        resource = self.find(id)
        if resource is None:
            extreme = self.extreme(id)
            resolution = None if extreme is None else extreme.resolution
            value, type = self.extra(id), self.kind(id) & 7
        else:
            value, type, resolution = resource.value, resource.type, resource.resolution
        return None if value is None or value is NOTHING else (type, to_wire(type, value, resolution))

    def extreme(self, id: int) -> "Resource | None":
        """The reading that has its minimum or maximum under this id."""
        for resource in self.resources:
            if 0 <= id - resource.lowest <= 1:
                return resource
        return None

    def view(self, id: int) -> Resource:
        """A resource that is no reading, as an object: a look at it, until it is updated."""
        known = lookup(self.object_id, id, self.version)
        if known is None:
            raise ValueError("object %s %s has no resource %s" % (self.object_id, self.version, id))
        resource, extreme, value = Resource(self, id, known[0]), self.extreme(id), self.extra(id)
        resource.reading = False
        resource.value = None if value is NOTHING else value
        resource.resolution = None if extreme is None else extreme.resolution
        return resource

    def set(self, id: int, value: "Plain") -> None:
        """Keep a value that the server has set; it survives sleep."""
        self.written = dict(self.written)
        self.written[id] = value
        self.owner.dirty = True
        if self.settings.get(id) != value:
            self.settings = dict(self.settings)
            self.settings[id] = value
            self.touch(id)

    def setting(self, id: int, default: "Any") -> "Any":
        """A value that the row has given or a server has written, else the default."""
        return self.settings.get(id, default)

    def touch(self, id: int, keep: bool = False) -> None:
        """The live value of a resource has changed: changes() tells it. keep: it must survive even where only flash does."""
        if keep:
            self.owner.dirty = True
        if id in self.offered:
            self.touched |= 1 << self.offered.index(id)

    if TYPE_CHECKING:
        def accepted(self, resource: Resource, value: "Plain", quality: int) -> None:
            """Take note of a good value, before it replaces the last one."""

    def failed(self, reason: str, quality: int) -> None:
        """Count a failed or refused value; after some in a row the device's error code shows it."""
        self.errors += 1
        self.failures += 1
        self.error = reason
        if self.quality != quality:
            self.quality = quality
            self.touch(_QUALITY)
        self.owner.health_changed()

    def check_write(self, id: int, data: bytes, raw: int = 0) -> "Plain":
        """The decoded value of a write, in range; Reject with 404, 405 or 400 otherwise. raw: see decode_value."""
        if id not in self.offered:
            raise Reject(404, "no such resource")
        kind, resource = self.kind(id), self.find(id)
        if not kind & _WRITABLE:
            raise Reject(405, "not writable")
        try:
            value = decode_value(kind & 7, data, id, raw)
        except ValueError as error:
            raise Reject(400, str(error))
        known = lookup(self.object_id, id, self.version) if resource is None else None
        if not in_range(kind & 7, value, known[3] if known is not None else None if resource is None else resource.range):
            raise Reject(400, "outside the range")
        return value

    def write(self, id: int, value: "Plain") -> None:
        """Apply a checked value; a callback may raise Reject."""
        resource = self.find(id)
        if self.source is not None:
            self.source.write(id, value)
            self.touch(id)
        elif resource is None:
            self.set(id, value)
        else:
            now = self.owner.time()
            # Before anybody has said the time it is a count of the board's own: the next reports() knows better.
            resource.update(value, now if now is not None and now >= _EARLIEST else None)
            self.owner.dirty = True

    def execute(self, id: int, value: bytes) -> "Callable[[], None] | None":
        """Run an executable resource; what its callback returns is run after the answer has gone out."""
        if id not in self.offered:
            raise Reject(404, "no such resource")
        if self.kind(id) & 7 != NONE:
            raise Reject(405, "not executable")
        callback = self.executes.get(id)
        if callback is None:
            raise Reject(404, "nothing behind it")
        try:
            after = callback(value) if value else callback()
        except TypeError:
            raise Reject(400, "it takes no argument") if value else Reject(500)
        return after if callable(after) else None


class Sensor(Instance):
    """A row that is read. Attributes for the REPL: failures (in a row), errors (in all), error (the last, in words)."""

    read: "Callable[[], object]"
    scale: "float | None" = None
    offset: "float | None" = None
    every: "int | None" = None
    sampled_at: "int | None" = None
    start: "Callable[[], object] | None" = None
    power: "Callable[[bool], object] | None" = None
    power_ms = 0  # from power to start
    warm_up_ms = 0  # from start, or power, to the first good value
    started = False
    kept: "tuple[str, ...]" = ("counter", "sampled_at", "failures", "errors", "quality")
    counter: "int | None" = None  # of edges, for objects with 5501

    def due(self, when: "int | None") -> bool:
        """Whether the row's own period, if it has one, is over; a clock set back does not hold it up.

        A twentieth of the period is given away: wakes come some seconds early or late, and the next one is far.
        """
        if self.every is None or when is None or self.sampled_at is None:
            return True
        return not 0 <= when - self.sampled_at < self.every - self.every // 20

    def attempt(self, step: "Callable[..., object] | None", *arguments: bool) -> None:
        """Switch the supply, or start a conversion, where the row has a callback for it. Nothing is raised."""
        try:
            if step is not None:
                step(*arguments)
        except Exception as error:  # noqa: BLE001  a driver may raise anything; reading it will tell again
            self.error = "%s %s" % (type(error).__name__, error)

    def collect(self, when: "int | None") -> int:
        """Read the driver and push what it gives; the count of values taken. Nothing is raised."""
        self.started = False
        if self.every is not None:
            self.sampled_at = when
        try:
            raw: "Any" = self.read()
            if isinstance(raw, dict):
                pairs = [(self.find(id) or self.view(id), raw[id]) for id in raw]
            else:
                pairs = list(zip(self.resources, raw if isinstance(raw, (tuple, list)) else (raw,)))
            values = []
            for target, value in pairs:
                kind = target.type
                if kind == BOOLEAN and value is not None and self.settings.get(_POLARITY):
                    value = not value
                elif (kind == FLOAT or kind == INTEGER) and not isinstance(value, (str, bytes, type(None))):
                    if self.scale is not None:
                        value = value * self.scale
                    if self.offset is not None:
                        value = value + self.offset
                    factor = self.settings.get(_CALIBRATION)
                    value = value * factor if isinstance(factor, (int, float)) else value
                values.append(value)
        except Exception as error:  # noqa: BLE001  a driver may raise anything, the other sensors must go on
            self.failed("%s %s" % (type(error).__name__, error), _DOUBTFUL)
            return 0
        count = 0
        for at in range(len(values)):
            count += pairs[at][0].update(values[at], when)
        if not values:
            self.failed("the driver gave no value", _DOUBTFUL)
        return count

    def count(self, number: int) -> None:
        """Edges counted elsewhere, by an interrupt or a pulse counter, since the last call."""
        if self.counter is not None and number > 0:
            self.counter += number
            self.touch(_COUNTER, True)

    def accepted(self, resource: Resource, value: "Plain", quality: int) -> None:
        """Take note of a good value: failures end, edges are counted, quality follows."""
        if self.failures:
            self.failures = 0
            self.owner.health_changed()
        if self.quality != quality:
            self.quality = quality
            self.touch(_QUALITY)
        if self.counter is not None and resource.type == BOOLEAN and resource.value is not None:
            if value != resource.value and self.setting(_EDGES, _RISING) & (2 if value else 1):
                self.count(1)

    def extra(self, id: int) -> "Plain | None":
        resource = self.extreme(id)
        if resource is not None:
            return resource.minimum if id == resource.lowest else resource.maximum
        value = super().extra(id)
        if value is not NOTHING:
            return value
        main = self.resources[0]
        if id in (5603, 5803, 5604, 5804):  # its range
            limit = (self.range or (None, None))[id % 10 - 3]
            return NOTHING if limit is None else limit
        if id == _RESET_EXTREMES:
            return None if max([resource.lowest for resource in self.resources]) != _NO_ID else NOTHING
        if id == _COUNTER or id == _RESET_COUNTER:
            return NOTHING if self.counter is None else self.counter if id == _COUNTER else None
        if id == _TIMESTAMP or (id == 5 and self.object_id == 6):
            return main.when
        if id == _QUALITY:
            return self.quality if main.value is not None else 0
        if id == _QUALITY_LEVEL:
            return 100 if self.quality == _ACCEPTED else 50 if self.quality == 3 else 0
        return _DEFAULTS.get(id, NOTHING)

    def execute(self, id: int, value: bytes) -> "Callable[[], None] | None":
        """Reset extremes or the counter, or leave the execute to the row's own callback."""
        if id not in self.offered or id in self.executes or (id != _RESET_EXTREMES and id != _RESET_COUNTER):
            return super().execute(id, value)
        if id == _RESET_COUNTER:
            self.counter = 0
            self.touch(_COUNTER, True)
        else:
            for resource in self.resources:
                if resource.minimum is not None:
                    resource.track(resource.number(resource.value), True)
        return None


class Actuator(Instance):
    """A row of something that the server can set, applied by a callback before it counts.

    apply(value) may raise Reject(code) to refuse. For several writable resources give a dict instead:
    apply={5850: lamp.switch, 5851: lamp.dim}. On time (5852) counts the seconds in which 5850 (or 5500) is on;
    the server resets it by writing 0.
    """

    kept: "tuple[str, ...]" = ("on_seconds", "off_seconds", "since")
    apply: "dict[int, Callable[..., object]]"
    on_seconds = 0
    off_seconds = 0
    since: "int | None" = None  # when the present state was last accounted for

    def write(self, id: int, value: "Plain") -> None:
        """Reset a time, or call back and keep the value; Reject where the callback refuses."""
        if id == _ON_TIME or id == _OFF_TIME:
            if value != 0:
                raise Reject(400, "the server can only reset the time to 0")
            self.accepted()
            setattr(self, "on_seconds" if id == _ON_TIME else "off_seconds", 0)
            self.touch(id)
            return
        if id in self.apply:
            self.apply[id](value)
        super().write(id, value)

    def accepted(self, resource: "Resource | None" = None, value: "Plain | None" = None, quality: int = 0) -> None:
        """Add the seconds since the last look to on time or off time, by the state that held meanwhile."""
        if resource is not None and resource.type != BOOLEAN:
            return
        now, main = self.owner.time(), self.resources[0]
        if now is not None and main.value is not None and self.since is not None and now > self.since:
            if main.value:
                self.on_seconds += now - self.since
            else:
                self.off_seconds += now - self.since
        self.since = now

    def extra(self, id: int) -> "Plain | None":
        if id == _ON_TIME or id == _OFF_TIME:
            self.accepted()
            return self.on_seconds if id == _ON_TIME else self.off_seconds
        if id == _TIMESTAMP:
            return self.resources[0].when
        value = super().extra(id)
        if value is NOTHING:
            return "" if id == _APPLICATION_TYPE else None if id in self.apply else NOTHING
        return value
