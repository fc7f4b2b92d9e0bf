"""Building rows: what ObjectTree.sensor() and .actuator() do. Loaded while a node declares its rows, and let go after.

What the registry says of a row's resources is kept in the row as one byte each (Instance.kinds), so that the
registry is not needed while the node lives.
"""

from . import registry
from .model import NONE, OBJLNK, OPAQUE, STRING
from .resource import Resource
from .sensor import Sensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .actuator import Actuator
    from .instance import Instance
    from .model import Plain
    from .rows import Rows

# What a reading consists of where the registry's mandatory resources do not say so.
_READINGS = (
    (6, "1.0", (0, 1)),
    (3313, None, (5702, 5703, 5704)),
    (3314, None, (5702, 5703, 5704)),
    (3334, None, (5702, 5703, 5704)),
    (3336, "1.0", (5514, 5515)),
)
# What an actuator is about where the registry marks several resources as mandatory (3338: minimum off-time too).
_MAIN = (5850, 5550, 5650, 5900, 5500)
# The unit of objects whose quantity leaves no choice; others get one only if the row names it.
_UNITS = (
    " 3301 lx 3303 Cel 3304 %RH 3313 m/s2 3314 T 3315 Pa 3316 V 3317 A 3318 Hz 3319 m 3320 % 3321 m 3323 Pa 3324 dB"
    " 3326 pH 3327 S/m 3328 W 3330 m 3334 rad/s "
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


def sensor(
    tree: "Rows",
    object_id: int,
    read: "Callable[[], object]",
    instance: int,
    version: str = "1.0",
    unit: "str | None" = None,
    resolution: "float | None" = None,
    resources: "tuple[int, ...] | None" = None,
    values: "dict[int, Plain] | None" = None,
    **more: "Any",
) -> Sensor:
    """See Rows.sensor."""
    row = Sensor(tree, object_id, instance, version)
    row.read = read
    for name in ("scale", "offset", "every", "range", "start", "power", "executes", "warm_up_ms"):
        value = more.pop(name, None)
        if value is not None and (value or name != "warm_up_ms"):
            setattr(row, name, value)
    row.unit = _unit(object_id, unit)
    if values is not None:
        row.settings = dict(values)
    if 5501 in registry.resources(object_id, version):
        row.counter = 0
    for id in resources or readings(object_id, version):
        _rule(add(row, id), resolution, more)
    place(tree, row)
    return row


def actuator(
    tree: "Rows",
    object_id: int,
    apply: "Callable[..., object] | dict[int, Callable[..., object]] | None",
    instance: int,
    initial: "Plain | None" = None,
    version: str = "1.0",
    unit: "str | None" = None,
    resolution: "float | None" = None,
    range: "tuple[float | None, float | None] | None" = None,
    values: "dict[int, Plain] | None" = None,
    executes: "dict[int, Callable[..., object]] | None" = None,
    **rules: "float | None",
) -> "Actuator":
    """See Rows.actuator."""
    from .actuator import Actuator

    main = _main_resource(object_id, version)
    row = Actuator(tree, object_id, instance, version)
    row.apply = apply if isinstance(apply, dict) else {} if apply is None else {main: apply}
    if range is not None:
        row.range = range
    if executes is not None:
        row.executes = executes
    row.settings = dict(values or {})
    unit = _unit(object_id, unit)
    if unit is not None and 5701 in registry.resources(object_id, version):
        row.settings.setdefault(5701, unit)
    resource = add(row, main)
    _rule(resource, resolution, rules)
    if initial is not None:
        resource.value = initial
    # Mandatory resources that the row leaves out get a first value: 0 or empty.
    for id in registry.resources(object_id, version, True):
        known = registry.lookup(object_id, id, version)
        if known is not None and known[0] != NONE and row.find(id) is None:
            empty: "dict[int, Plain]" = {STRING: "", OPAQUE: b"", OBJLNK: "0:0"}
            row.settings.setdefault(id, empty.get(known[0], 0))
    place(tree, row)
    return row


def _main_resource(object_id: int, version: str) -> int:
    """The resource whose writes go to a plain callback; ValueError where the object has none."""
    for id in _MAIN + readings(object_id, version):
        if id in registry.resources(object_id, version):
            return id
    raise ValueError("object {} has nothing that can be set".format(object_id))


def add(row: "Instance", id: int) -> Resource:
    """A resource with a value of its own."""
    known = registry.lookup(row.object_id, id, row.version)
    if known is None or known[0] == NONE:
        raise ValueError("object {} {} has no value {}".format(row.object_id, row.version, id))
    resource = Resource(row, id, known[0])
    limits = known[3] if row.range is None else row.range
    if limits is not None:
        resource.range = limits
    row.resources.append(resource)
    return resource


def place(tree: "Rows", row: "Instance") -> None:
    """Take a finished row into the tree; ValueError with a sentence where it cannot be."""
    row.path()  # ids within 0 to 65535, or ValueError
    _offer(row)
    if tree.row(row.object_id, row.instance) is not None:
        raise ValueError("{} is there twice: give one of them another instance".format(row.path()))
    if row.instance and not registry.multiple(row.object_id):
        raise ValueError("object {} has instance 0 only".format(row.object_id))
    if isinstance(row, Sensor) and row.warm_up_ms and tree.clock is None:
        raise ValueError("{} warms up: set tree.clock first, it is waited by".format(row.path()))
    tree.rows.append(row)


def _offer(row: "Instance") -> None:
    """Settle which resources this instance shows: those with something behind them. ValueError for unknown ones."""
    present = registry.resources(row.object_id, row.version)
    for id in list(row.settings or ()) + list(row.executes or ()):
        if id not in present:
            raise ValueError("object {} {} has no resource {}".format(row.object_id, row.version, id))
    offered = [resource.id for resource in row.resources]
    for id in present:
        if id not in offered and row.serves(id):
            offered.append(id)
    row.show(offered)


def _unit(object_id: int, unit: "str | None") -> "str | None":
    at = _UNITS.find(" {} ".format(object_id))
    usual = _UNITS[at + 6 :].split(" ")[0] if at >= 0 else None
    return usual if unit is None else unit


def _rule(resource: Resource, resolution: "float | None", rules: "dict[str, Any]") -> None:
    if resolution is not None:
        resource.resolution = resolution
    if rules:
        from .rules import Rules

        resource.rules = Rules(**rules)
