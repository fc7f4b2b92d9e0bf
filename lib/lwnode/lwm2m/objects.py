"""What a row is made of: resources with the fate of each reading, and the instance that offers them to a server.

    >>> tree = ObjectTree()
    >>> row = tree.sensor(3303, lambda: 21.46, resolution=0.1, range=(-40, 85))
    >>> tree.sample(1790000000), tree.values(Path(3303, 0, 5601))
    (1, [(Path(/3303/0/5601), 4, '21.5')])
    >>> resource = tree.resource("/3303/0/5700")
    >>> resource.update(85.1)
    False
    >>> resource.value, resource.reason
    (21.46, 'refused: 85.1 is outside the range -40 to 85')

A row is told by nobody but its tree and tells nobody but its owner (Owner). A read is a look at stored values, never a
conversion: drivers are called by ObjectTree.sample() alone. What sensors and actuators add stands in rows.py.
"""

import math

from micropython import const

from .registry import lookup, resources
from .types import BOOLEAN, FLOAT, INTEGER, NONE, STRING, TIME, Path, Reject
from .values import decode_value, from_wire, in_range, to_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Protocol

    from .rules import Rules
    from .types import Plain

    class Owner(Protocol):
        """What a row tells, and asks; ObjectTree is one."""

        dirty: bool  # something changed that must survive even where only flash does

        def time(self) -> "int | None":
            """Seconds that go on over sleep, None where none are known."""

        def judged(self, resource: "Resource", text: "str | bytes") -> None:
            """Take a new reading, its verdict in .reason, its text as it leaves."""

        def health_changed(self, row: "Instance") -> None:
            """Take note that a sensor failed once more, or works again."""

# Quality indicator 6042: a good value; rejected with probability, where there is no new value at all; with certainty.
_QUALITY = const(6042)
_UNIT = const(5701)
ACCEPTED, DOUBTFUL, REJECTED = 4, 2, 1
# What a resource's byte in Instance.kinds says: the lower three bits are its type, the others its operations.
READABLE, WRITABLE, EXECUTABLE = 8, 16, 32
_EARLIEST = 1704067200  # 2024: what is smaller is no Unix time
NO_ID = -2
NOTHING: "Any" = ()  # of Instance.extra: there is nothing behind this resource


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
    reading = True  # its values are readings for the journal; else live values only
    attached = True  # False for a view, which becomes part of the row with its first update
    lowest = NO_ID  # resource id of its minimum, the maximum is the next; NO_ID where it has none

    def __init__(self, row: "Instance", id: int, type: int) -> None:
        self.row = row
        self.id = id
        self.type = type

    @property
    def path(self) -> Path:
        """Its own: object, instance, resource."""
        return Path(self.row.object_id, self.row.instance, self.id)

    def update(self, value: "Plain | None", when: "int | None" = None, quality: "int | None" = None) -> bool:
        """Take a new value in the wire's unit; False if it was refused (None, NaN, out of range, wrong type).

        when: Unix seconds of the measurement; None takes the time given to the next reports().
        quality: measurement quality indicator 6042 of this value (default 4, accepted).
        """
        row = self.row
        try:
            taken, number = self._checked(value)
            text = to_wire(self.type, taken, self.resolution)
        except (ValueError, TypeError) as error:
            self.reason = "refused: " + str(error)
            row.failed(str(error), DOUBTFUL if value is None else REJECTED)
            return False
        row.accepted(self, taken, ACCEPTED if quality is None else quality)
        rules = self.rules
        same = (rules is not None or not self.reading) and self.text() == text
        self.value = taken
        self.when = when
        if not self.attached:
            row.attach(self)
        if not self.reading:
            if not same:
                row.touch(self.id)
            return True
        if self.lowest != NO_ID:
            self.track(number)
        self.reason = "sent: no rules" if rules is None else rules.judge(number, when, same)
        row.owner.judged(self, text)
        return True

    def _checked(self, value: "Plain | None") -> "tuple[Plain, Plain]":
        """(the value, the same as rules and extremes compare it); ValueError or TypeError where it is none."""
        if value is None:
            raise ValueError("the driver gave no value")
        if self.type == BOOLEAN:
            on = from_wire(BOOLEAN, value) if isinstance(value, (str, bytes)) else bool(value)
            return on, on
        if self.type == FLOAT or self.type == INTEGER or self.type == TIME:
            number: "Any" = from_wire(FLOAT, value) if isinstance(value, (str, bytes)) else value
            if not math.isfinite(number):
                raise ValueError("%s is no number" % number)
            if not in_range(self.type, number, self.range):
                raise ValueError("{} is outside the range {} to {}".format(float(number), *(self.range or (None, None))))
            return value, number
        return value, value

    def track(self, number: "Plain | None" = None) -> None:
        """Minimum and maximum take a number in, or, without one, become the present value (resource 5605)."""
        fresh = number is None
        if number is None:
            number = self.comparable()
        if isinstance(number, (str, bytes)):
            return
        if self.minimum is None or number < self.minimum or (fresh and number != self.minimum):
            self.minimum = number
            self.row.touch(self.lowest, True)
        if self.maximum is None or number > self.maximum or (fresh and number != self.maximum):
            self.maximum = number
            self.row.touch(self.lowest + 1, True)

    def comparable(self) -> "Plain":
        """The present value as rules and extremes compare it: numbers as numbers, even those given as text."""
        return 0 if self.value is None else self._checked(self.value)[1]

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
    settings: "dict[int, Plain] | None" = None  # values that a server may write or the row has given
    written: "dict[int, Plain] | None" = None  # those of the settings that a server has written
    executes: "dict[int, Callable[..., object]] | None" = None
    failures = 0  # failed readings in a row
    errors = 0  # in all
    error = ""  # the last one, for people
    quality = ACCEPTED
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
        self.offered: "tuple[int, ...]" = ()
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

    def exists(self, id: int) -> None:
        """ValueError where the registry does not know a resource of this row."""
        if id not in resources(self.object_id, self.version):
            raise ValueError("object %s %s has no resource %s" % (self.object_id, self.version, id))

    def serves(self, id: int) -> bool:
        """Whether there is something behind a resource other than a reading."""
        return (self.executes is not None and id in self.executes) or self.extra(id) is not NOTHING

    def extra(self, id: int) -> "Plain | None":
        """The present value of a resource that is no reading; None before its first, NOTHING where the row has none."""
        if self.source is not None:
            return self.source.value(id)  # type: ignore[no-any-return]
        if self.settings is not None and id in self.settings:
            return self.settings[id]
        return self.unit if id == _UNIT and self.unit is not None else NOTHING

    def kind(self, id: int) -> int:
        """What the registry says of a resource: its type, and READABLE, WRITABLE, EXECUTABLE. 1, a text, if it says nothing."""
        if id in self.offered:
            return self.kinds[self.offered.index(id)]
        found = lookup(self.object_id, id, self.version)
        return STRING if found is None else found[0] | ("", "R", "W", "RW", "E").index(found[1]) << 3

    def show(self, ids: "list[int]") -> None:
        """Offer these resources and no others."""
        self.kinds = bytes([self.kind(id) for id in ids])
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
        self.exists(id)
        resource, extreme = Resource(self, id, self.kind(id) & 7), self.extreme(id)
        resource.reading = resource.attached = False
        value = self.extra(id)
        resource.value = None if value is NOTHING else value
        resource.reason = "none: no reading"
        resource.resolution = None if extreme is None else extreme.resolution
        return resource

    def attach(self, resource: Resource) -> None:
        """A view has been given a value: it is a live value of the row from now on."""
        resource.attached = True
        self.resources.append(resource)
        if resource.id not in self.offered:
            self.show(list(self.offered) + [resource.id])

    def set(self, id: int, value: "Plain") -> None:
        """Keep a value that the server has set; it survives sleep."""
        if self.settings is None:
            self.settings = {}
        if self.written is None:
            self.written = {}
        self.written[id] = value
        self.owner.dirty = True
        if self.settings.get(id) != value:
            self.settings[id] = value
            self.touch(id)

    def setting(self, id: int, default: "Any") -> "Any":
        """A value that the row has given or a server has written, else the default."""
        return (self.settings or {}).get(id, default)

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
        self.owner.health_changed(self)

    def check_write(self, id: int, data: bytes, raw: int = 0) -> "Plain":
        """The decoded value of a write, in range; Reject with 404, 405 or 400 otherwise. raw: see decode_value."""
        if id not in self.offered:
            raise Reject(404, "no such resource")
        kind = self.kind(id)
        if not kind & WRITABLE:
            raise Reject(405, "not writable")
        try:
            value = decode_value(kind & 7, data, id, raw)
        except (ValueError, UnicodeError) as error:
            raise Reject(400, str(error))
        resource = self.find(id)
        found = lookup(self.object_id, id, self.version) if resource is None else None
        limits = resource.range if resource is not None else found[3] if found is not None else None
        if not in_range(kind & 7, value, limits):
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
        callback = (self.executes or {}).get(id)
        if callback is None:
            raise Reject(404, "nothing behind it")
        try:
            after = callback(value) if value else callback()
        except TypeError:
            raise Reject(400, "it takes no argument") if value else Reject(500)
        return after if callable(after) else None
