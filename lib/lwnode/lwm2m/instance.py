"""One object instance: which resources it offers, and how each is read, written and executed.

Sensor and Actuator build on it; ObjectTree makes them. A read here is a look at stored values, never a
conversion: the driver is called by ObjectTree.sample() alone.
"""

from . import codec, registry
from .model import NONE, STRING, Path, Reject
from .resource import Resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .model import Plain
    from .tree import ObjectTree

# What a reading consists of where the registry's mandatory resources do not say so.
_READINGS = (
    (6, "1.0", (0, 1)),
    (3313, None, (5702, 5703, 5704)),
    (3314, None, (5702, 5703, 5704)),
    (3334, None, (5702, 5703, 5704)),
    (3336, "1.0", (5514, 5515)),
)


def readings(object_id: int, version: str) -> "tuple[int, ...]":
    """The resource ids that an object's reading consists of; ValueError if the registry lacks the object."""
    for id, only, found in _READINGS:
        if id == object_id and only in (None, version):
            return found
    present = registry.resources(object_id, version)
    if not present:
        known = registry.versions(object_id)
        if known:
            raise ValueError("object {} has the versions {}, not {}".format(object_id, " ".join(known), version))
        raise ValueError("object {} is not in the table: make registry XML=<its definition>".format(object_id))
    chosen: "list[int]" = []
    for ids in (registry.resources(object_id, version, True), present):
        for id in ids:
            entry = registry.lookup(object_id, id, version)
            if entry is not None and "R" in entry[1] and not (ids is present and chosen):
                chosen.append(id)
        if chosen:
            break
    return tuple(chosen)


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
    quality = 4  # measurement quality indicator 6042: accepted
    kept: "tuple[str, ...]" = ()  # attributes that survive sleep
    extremes = False  # whether its readings have minimum and maximum
    accepted: "Callable[[Resource, Plain, int | None, int], None]"  # told of a value before it replaces the last one
    extreme_moved: "Callable[[Resource, bool], None]"  # the minimum (True) or maximum of a reading changed
    touched = 0  # bits of offered resources whose live value changed

    def __init__(self, tree: "Any", object_id: int, instance: int, version: str) -> None:
        self.tree: "ObjectTree" = tree
        self.object_id = object_id
        self.instance = instance
        if version != "1.0":
            self.version = version
        self.resources: "list[Resource]" = []
        self.offered: "tuple[int, ...]" = ()

    # -- building ----------------------------------------------------------------------------------------

    def add(self, id: int, reading: bool = True) -> Resource:
        """A resource with a value of its own."""
        known = registry.lookup(self.object_id, id, self.version)
        if known is None or known[0] == NONE:
            raise ValueError("object {} {} has no value {}".format(self.object_id, self.version, id))
        resource = Resource(self, id, known[0])
        limits = self.range if self.range is not None and reading else known[3]
        if limits is not None:
            resource.range = limits
        if not reading:
            resource.reading = False
        self.resources.append(resource)
        return resource

    def offer(self) -> None:
        """Settle which resources this instance shows: those with something behind them. ValueError for unknown ones."""
        present = registry.resources(self.object_id, self.version)
        for id in list(self.settings or ()) + list(self.executes or ()):
            if id not in present:
                raise ValueError("object {} {} has no resource {}".format(self.object_id, self.version, id))
        offered: "list[int]" = []
        for resource in self.resources:
            offered.append(resource.id)
        for id in present:
            if id not in offered and self.serves(id):
                offered.append(id)
        self.offered = tuple(offered)

    def serves(self, id: int) -> bool:
        """Whether there is something behind a resource other than a reading."""
        if self.settings is not None and id in self.settings:
            return True
        return self.executes is not None and id in self.executes

    # -- values ------------------------------------------------------------------------------------------

    def find(self, id: int) -> "Resource | None":
        for resource in self.resources:
            if resource.id == id:
                return resource
        return None

    def known(self, id: int) -> "tuple[int, str, str, tuple[int, int | None] | None, bool]":
        """What the registry says of a resource: type, operations, unit, range, multiple."""
        return registry.lookup(self.object_id, id, self.version) or (STRING, "", "", None, False)

    def entry(self, id: int) -> "tuple[int, str | bytes] | None":
        """(type, text or bytes) of a resource's present value as it leaves; None if there is none yet."""
        resource = self.find(id)
        if resource is not None:
            text = resource.text()
            return None if text is None else (resource.type, text)
        value = self.extra(id)
        if value is None:
            return None
        type = self.known(id)[0]
        return type, codec.to_wire(type, value, self.resolution_of(id))

    def extra(self, id: int) -> "Plain | None":
        """The present value of a resource that is no reading."""
        if self.settings is not None and id in self.settings:
            return self.settings[id]
        return None

    def resolution_of(self, id: int) -> "float | None":
        return None

    def view(self, id: int) -> Resource:
        """A resource that is no reading, as an object: a look at it, until it is updated."""
        if id not in registry.resources(self.object_id, self.version):
            raise ValueError("object {} {} has no resource {}".format(self.object_id, self.version, id))
        resource = Resource(self, id, self.known(id)[0])
        resource.reading = False
        resource.attached = False
        resource.value = self.extra(id)
        resource.reason = "none: no reading"
        resource.resolution = self.resolution_of(id)
        return resource

    def attach(self, resource: Resource) -> None:
        """A view has been given a value: it is a live value of the row from now on."""
        resource.attached = True
        self.resources.append(resource)
        if resource.id not in self.offered:
            self.offered += (resource.id,)

    def set(self, id: int, value: "Plain") -> None:
        """Keep a value that the server has set; it survives sleep."""
        if self.settings is None:
            self.settings = {}
        if self.written is None:
            self.written = {}
        self.written[id] = value
        self.tree.dirty = True
        if self.settings.get(id) != value:
            self.settings[id] = value
            self.touch(id)

    def touch(self, id: int, keep: bool = False) -> None:
        """The live value of a resource has changed: changes() tells it. keep: it must survive even where only flash does."""
        if keep:
            self.tree.dirty = True
        for index in range(len(self.offered)):
            if self.offered[index] == id:
                self.touched |= 1 << index

    # -- what the server does ----------------------------------------------------------------------------

    def check_write(self, id: int, data: bytes) -> "Plain":
        """The decoded value of a write, in range; Reject with 404, 405 or 400 otherwise. Nothing is changed."""
        known = registry.lookup(self.object_id, id, self.version)
        if known is None or id not in self.offered:
            raise Reject(404, "no such resource")
        if "W" not in known[1]:
            raise Reject(405, "this resource is not writable")
        from . import decode

        try:
            form = decode.written_in_binary(known[0], data)
            if form is not None:
                self.tree.binary_writes = form
            value = decode.decode_value(known[0], data, id, self.tree.binary_writes)
        except (ValueError, UnicodeError) as error:
            raise Reject(400, str(error))
        resource = self.find(id)
        limits = resource.range if resource is not None else known[3]
        if not codec.in_range(known[0], value, limits):
            raise Reject(400, "outside the range")
        return value

    def write(self, id: int, value: "Plain") -> None:
        """Apply a checked value; a callback may raise Reject."""
        resource = self.find(id)
        if resource is None:
            self.set(id, value)
        else:
            resource.update(value, self.tree.time())
            self.tree.dirty = True

    def execute(self, id: int, argument: bytes) -> "Callable[[], None] | None":
        """Run an executable resource; what its callback returns is run after the answer has gone out."""
        if id not in self.offered:
            raise Reject(404, "no such resource")
        if self.known(id)[0] != NONE:
            raise Reject(405, "this resource is not executable")
        callback = (self.executes or {}).get(id)
        if callback is None:
            raise Reject(404, "nothing behind this resource")
        try:
            after = callback(argument) if argument else callback()
        except TypeError:
            raise Reject(400, "this resource takes no argument") if argument else Reject(500)
        return after if callable(after) else None

    def failed(self, reason: str, quality: int) -> None:
        """Count a failed or refused value; after some in a row the device's error code shows it."""
        self.errors += 1
        self.failures += 1
        self.error = reason
        if self.quality != quality:
            self.quality = quality
            self.touch(6042)
        self.tree.health_changed(self)

    def path(self, id: "int | None" = None) -> Path:
        return Path(self.object_id, self.instance, id)
