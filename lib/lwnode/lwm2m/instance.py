"""One object instance: which resources it offers, and how each is read, written and executed.

Sensor and Actuator build on it; ObjectTree makes them. A read here is a look at stored values, never a
conversion: the driver is called by ObjectTree.sample() alone.
"""

from . import codec
from .model import NONE, STRING, Path, Reject
from .resource import Resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .model import Plain
    from .tree import ObjectTree

# The operations of a resource, by the upper bits of its byte in Instance.kinds; the lower three are its type.
_OPERATIONS = ("", "R", "W", "RW", "E")


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
        self.kinds = b""  # of the offered ones, see kind()

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

    def kind(self, id: int) -> int:
        """What the registry says of a resource: its type, and its operations times eight. 1, a text, where it says nothing."""
        if id in self.offered:
            return self.kinds[self.offered.index(id)]
        from .registry import lookup

        found = lookup(self.object_id, id, self.version)
        return STRING if found is None else found[0] | _OPERATIONS.index(found[1]) << 3

    def known(self, id: int) -> "tuple[int, str]":
        """(type, operations) of a resource; the operations are "R" "W" "RW" "E" or ""."""
        kind = self.kind(id)
        return kind & 7, _OPERATIONS[kind >> 3]

    def show(self, ids: "list[int]") -> None:
        """Offer these resources and no others."""
        self.kinds = bytes([self.kind(id) for id in ids])
        self.offered = tuple(ids)

    def entry(self, id: int) -> "tuple[int, str | bytes] | None":
        """(type, text or bytes) of a resource's present value as it leaves; None if there is none yet."""
        resource = self.find(id)
        value = self.extra(id) if resource is None else resource.value
        if value is None:
            return None
        if resource is not None:
            return resource.type, codec.to_wire(resource.type, value, resource.resolution)
        type = self.kind(id) & 7
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
        from .registry import resources

        if id not in resources(self.object_id, self.version):
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
            self.show(list(self.offered) + [resource.id])

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
        if id not in self.offered:
            raise Reject(404, "no such resource")
        type, operations = self.known(id)
        if "W" not in operations:
            raise Reject(405, "this resource is not writable")
        from . import decode

        try:
            form = decode.written_in_binary(type, data)
            if form is not None:
                self.tree.binary_writes = form
            value = decode.decode_value(type, data, id, self.tree.binary_writes)
        except (ValueError, UnicodeError) as error:
            raise Reject(400, str(error))
        resource = self.find(id)
        if not codec.in_range(type, value, self._limits(id) if resource is None else resource.range):
            raise Reject(400, "outside the range")
        return value

    def _limits(self, id: int) -> "tuple[float | None, float | None] | None":
        """The range of a resource that is a plain setting: only the registry knows it."""
        from .registry import lookup

        found = lookup(self.object_id, id, self.version)
        return None if found is None else found[3]

    def write(self, id: int, value: "Plain") -> None:
        """Apply a checked value; a callback may raise Reject."""
        if self.applied(id, value):
            return
        resource = self.find(id)
        if resource is None:
            self.set(id, value)
        else:
            resource.update(value, self.tree.time())
            self.tree.dirty = True

    def applied(self, id: int, value: "Plain") -> bool:
        """Carry out what a write means outside this row; True where there is no value to keep. May raise Reject."""
        return False

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
