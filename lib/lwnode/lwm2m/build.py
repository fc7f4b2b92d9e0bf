"""Rows as they are declared, and what of them a module can hold, with a sentence for each thing dropped.

    >>> tree = ObjectTree()
    >>> row = tree.sensor(3334, lambda: None, version="1.1", range=(-10, 10))
    >>> tree.fit({"objects": 15, "instances": 4, "resources": 14})[1]
    ['/3334/0 has 17 resources, the module holds 14: dropped 5518 6042 6049']

What the registry says of a row's resources is kept in the row as one byte each (Instance.kinds). Objects 0 to 7 belong to the
module (a position goes as 3336). Object 19 comes first (the history of all others goes there), then rows in the order in which
they were declared. Within an instance: readings, then in the registry's order of importance.
"""

from micropython import const

from .registry import lookup, multiple, shape, versions
from .objects import Actuator, Instance, Resource, Sensor
from .rules import Rules
from .values import FLOAT, INTEGER, NONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .tree import ObjectTree
    from .values import Plain

# What an actuator is about where the registry marks several resources as mandatory (3338: minimum off-time too).
_MAIN = const((5850, 5550, 5650, 5900, 5500))
# The unit of objects whose quantity leaves no choice; others get one only if the row names it.
_UNITS = const(
    " 3301 lx 3303 Cel 3304 %RH 3313 m/s2 3314 T 3315 Pa 3316 V 3317 A 3318 Hz 3319 m 3320 % 3321 m 3323 Pa 3324 dB"
    " 3326 pH 3327 S/m 3328 W 3330 m 3334 rad/s "
)
_OWN = const(8)  # BC66 has objects 0 to 7 built in, the Telit modules allow new instances from 7 on
# Bits of what registry.shape() says.
_READABLE = const(8)
_EXECUTABLE = const(32)
_MANDATORY = const(0x80)
_FIRST: "tuple[Plain, ...]" = (0, "", b"", 0, 0, 0, 0, "0:0")  # by type, what nobody has given


def readings(object_id: int, version: str) -> "tuple[int, ...]":
    """The resource ids that an object's reading consists of; ValueError if the registry lacks the object."""
    # Where the registry's mandatory resources do not say so: the axes of 3313, 3314 and 3334, and positions.
    if object_id in (3313, 3314, 3334):
        return (5702, 5703, 5704)
    if version == "1.0" and object_id in (6, 3336):
        return (0, 1) if object_id == 6 else (5514, 5515)
    present = shape(object_id, version)
    if not present:
        known = " ".join(versions(object_id))
        raise ValueError("object %s %s" % (object_id, "has the versions %s, not %s" % (
            known, version) if known else "is not in the table: make deploy, or make registry"))
    readable = sorted([(kind < _MANDATORY, id) for id, kind in present if kind & _READABLE])
    return tuple([id for optional, id in readable if not optional] or [id for _, id in readable[:1]])


def sensor(
    tree: "ObjectTree", object_id: int, read: "Callable[[], object]", instance: int = 0, version: str = "1.0",
    resources: "tuple[int, ...] | None" = None, **given: "Any",
) -> Sensor:
    """Add a sensor row; ValueError with a sentence where it cannot be, TypeError for a keyword that is none of these.

    read: gives a number, bool, text or bytes; a tuple for several resources (three axes, a position); a dict by
    resource id; or None. Decimal text keeps digits that a 32-bit float would lose.
    unit: SenML's. resolution: step of the printed value. range: (low, high) of good values, either may be None.
    every: seconds between readings, else each sample(). resources: ids that read fills, in its tuple's order.
    scale, offset: from the driver's unit to the wire's. values: further resources by id, {5750: "attic"}.
    executes: callbacks by id. version: the object's, "1.0". start: begins a slow conversion. power: called with True
    before and False after (a Pin will do). power_ms: from power to start. warm_up_ms: from there to the first good
    value. Everything else is a rule: pmin pmax gt lt st deadband deadband_percent samples.
    """
    row = Sensor(tree, object_id, instance, version)
    row.read = read
    _describe(row, given)
    if lookup(object_id, 5501, version) is not None:
        row.counter = 0
    for id in resources or readings(object_id, version):
        add(row, id, given)
    place(tree, row)
    return row


def actuator(
    tree: "ObjectTree", object_id: int, apply: "Callable[..., object] | dict[int, Callable[..., object]] | None",
    instance: int = 0, version: str = "1.0", initial: "Plain | None" = None, **given: "Any",
) -> Actuator:
    """Add an actuator row; ValueError with a sentence where it cannot be, TypeError for a keyword that is none of these.

    apply: called with the new value on a write, or a dict of such callbacks by resource id; may raise Reject(code).
    initial: the state at start, not applied. unit, resolution, range, version, values and rules as for a sensor.
    executes: callbacks by id; what one returns, if callable, runs after the answer has gone out (a restart).
    """
    present = dict(shape(object_id, version))
    mains = [id for id in _MAIN + readings(object_id, version) if id in present]
    if not mains:
        raise ValueError("object %s has nothing that can be set" % object_id)
    row = Actuator(tree, object_id, instance, version)
    row.apply = apply if isinstance(apply, dict) else {} if apply is None else {mains[0]: apply}
    _describe(row, given)
    resource = add(row, mains[0], given)
    if initial is not None:
        resource.value = initial
    # Mandatory resources that the row leaves out get a first value: 0 or empty.
    for id in present:
        if present[id] >= _MANDATORY and present[id] & 7 != NONE and id != mains[0]:
            row.settings.setdefault(id, _FIRST[present[id] & 7])
    place(tree, row)
    return row


def _describe(row: Instance, given: "dict[str, Any]") -> None:
    """Take out of a declaration what describes the row: what remains is about its resources."""
    for name in ("range", "executes", "scale", "offset", "every", "start", "power", "power_ms", "warm_up_ms"):
        if name in given and hasattr(row, name):
            value = given.pop(name)
            if value is not None:
                setattr(row, name, value)
    row.settings = dict(given.pop("values", None) or {})
    at = _UNITS.find(" %s " % row.object_id)
    row.unit = given.pop("unit", None) or (_UNITS[at + 6 :].split(" ")[0] if at >= 0 else None)


def add(row: Instance, id: int, given: "dict[str, Any] | None" = None) -> Resource:
    """A resource with a value of its own, with its resolution and rules."""
    known = lookup(row.object_id, id, row.version)
    if known is None or known[0] == NONE:
        raise ValueError("object %s %s has no value %s" % (row.object_id, row.version, id))
    resource = Resource(row, id, known[0])
    limits = known[3] if row.range is None else row.range
    if limits is not None:
        resource.range = limits
    if isinstance(row, Sensor) and known[0] in (FLOAT, INTEGER):  # its extremes: 5800 and 5810 have their own, and each axis
        if id == 5800 or id == 5810:
            resource.lowest = id + 1
        elif row.object_id == 3334 and 5702 <= id <= 5704:
            resource.lowest = 5508 + 2 * (id - 5702)
        elif not row.resources:
            resource.lowest = 5601
    rules = dict(given or {})
    resource.resolution = rules.pop("resolution", None)
    if rules:
        resource.rules = Rules(**rules)
    row.resources.append(resource)
    return resource


def place(tree: "ObjectTree", row: Instance) -> None:
    """Take a finished row into the tree; ValueError with a sentence where it cannot be."""
    path = row.path()  # ids within 0 to 65535, or ValueError
    present = [id for id, _ in shape(row.object_id, row.version)]
    for id in list(row.settings) + list(row.executes):
        if id not in present:
            raise ValueError("object %s %s has no resource %s" % (row.object_id, row.version, id))
    own = [resource.id for resource in row.resources]
    row.show(own + [id for id in present if id not in own and row.serves(id)])  # those with something behind them
    if tree.row(row.object_id, row.instance) is not None:
        raise ValueError("%s is there twice" % path)
    if row.instance and not multiple(row.object_id):
        raise ValueError("object %s has instance 0 only" % row.object_id)
    if isinstance(row, Sensor) and (row.warm_up_ms or row.power_ms) and tree.clock is None:
        raise ValueError("%s warms up: set tree.clock first" % path)
    tree.rows.append(row)


def fit(
    tree: "ObjectTree", limits: "dict[str, int]", executes: bool = True
) -> "tuple[list[tuple[int, int, tuple[int, ...]]], list[str]]":
    """Cut objects() down to what a module holds; (objects as kept, a sentence for each thing dropped).

    limits: "objects", "instances", "resources", "monitored" as in Modem.capabilities; others are not looked at.
    What is dropped is neither declared nor answered from then on; its readings still go into packs. The sentences
    stay in .dropped.
    """
    tree.dropped = dropped = []
    most, instances, resources = [limits.get(name, 0xFFFF) for name in ("objects", "instances", "resources")]
    kept: "list[int]" = []
    for row in tree.rows:
        ids, words, held = list(row.offered), "", set(kept + ([] if tree.container is None else [19]))
        if row.object_id < _OWN:
            words = "objects 0 to 7 are the module's own"
        elif row.object_id not in held and len(held) >= most:
            words = "the module holds %s objects" % most
        elif kept.count(row.object_id) >= instances:
            words = "the module holds %s instances of an object" % instances
        if words or not ids:
            row.show([])
            if ids:
                dropped.append("%s: %s, this one is dropped" % (row.path(), words))
            continue
        kept.append(row.object_id)
        gone = [id for id in ids if row.kind(id) & _EXECUTABLE and not executes]
        ids = [id for id in ids if id not in gone]
        if gone:
            dropped.append("%s: the module hands on no executes: dropped %s" % (row.path(), " ".join(map(str, gone))))
        gone = ids[resources:]
        if gone:
            dropped.append("%s has %s resources, the module holds %s: dropped %s" % (
                row.path(), len(ids), resources, " ".join(map(str, gone))))
        row.show(ids[:resources])
    return tree.objects(), dropped
