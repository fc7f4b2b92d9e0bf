"""What of a tree a module can hold, in a fixed order of importance, with a sentence for each thing dropped.

    >>> tree = ObjectTree()
    >>> row = tree.sensor(3334, lambda: None, version="1.1", range=(-10, 10))
    >>> tree.fit({"objects": 15, "instances": 4, "resources": 14})[1]
    ['/3334/0 has 17 resources, the module holds 14: dropped 5518 6042 6049']

Objects 0 to 7 belong to the module (a position goes as 3336). Object 19 comes first (the history of all others goes
there), then rows in the order in which they were declared. Within an instance: readings, other mandatory resources,
then by the list below.
"""

from micropython import const

from . import registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .instance import Instance
    from .rows import Rows

_OWN = const(8)  # BC66 has 0 to 7 built in, the Telit modules allow new instances from 7 on
# Value, unit, extremes, reset, range, then what servers rarely ask for.
_ORDER = (
    5700, 5500, 5850, 5900, 5550, 5650, 5600, 5800, 5702, 5703, 5704, 5701, 5601, 5602, 5508, 5509, 5510, 5511,
    5512, 5513, 5605, 5501, 5505, 5851, 5852, 5603, 5604, 5821, 5750, 5518, 6042, 6049,
)  # fmt: skip


def fit(
    tree: "Rows", limits: "dict[str, int]", executes: bool = True
) -> "tuple[list[tuple[int, int, tuple[int, ...]]], list[str]]":
    """Restrict the rows to the limits that are named; (objects as kept, sentences)."""
    dropped: "list[str]" = []
    most_objects = limits.get("objects", 0xFFFF)
    most_instances = limits.get("instances", 0xFFFF)
    kept = [19] if tree.container is not None else []
    for row in [row for row in tree.rows if row.offered]:
        if row.object_id < _OWN:
            dropped.append("{}: objects 0 to 7 are the module's own, this one is dropped".format(row.path()))
            row.show([])
            continue
        same = [other for other in tree.rows if other.object_id == row.object_id and other.offered]
        if row.object_id not in kept and len(kept) >= most_objects:
            dropped.append("{}: the module holds {} objects, this one is dropped".format(row.path(), most_objects))
            row.show([])
        elif same.index(row) >= most_instances:
            dropped.append("{}: the module holds {} instances of an object, this one is dropped".format(
                row.path(), most_instances))  # fmt: skip
            row.show([])
        else:
            if row.object_id not in kept:
                kept.append(row.object_id)
            if not executes:
                _drop_executes(row, dropped)
            _fit_resources(row, limits.get("resources", 0xFFFF), dropped)
    if "monitored" in limits:
        _watched(tree, limits["monitored"], dropped)
    return tree.objects(), dropped


def _drop_executes(row: "Instance", dropped: "list[str]") -> None:
    gone = [id for id in row.offered if row.known(id)[1] == "E"]
    if gone:
        row.show([id for id in row.offered if id not in gone])
        dropped.append("{}: the module hands on no executes: dropped {}".format(
            row.path(), " ".join([str(id) for id in sorted(gone)])))  # fmt: skip


def _watched(tree: "Rows", most: int, dropped: "list[str]") -> None:
    """A module that tells of changes to some objects only: actuators first, then sensors with settings."""
    settable: "list[int]" = []
    for first in (True, False):
        for row in tree.rows:
            main = bool(row.resources) and "W" in row.known(row.resources[0].id)[1]
            if row.object_id not in settable and main == first and any(["W" in row.known(id)[1] for id in row.offered]):
                settable.append(row.object_id)
    for object_id in settable[most:]:
        dropped.append("/{}: the module tells of writes to {} objects, writes to this one stay unseen".format(object_id, most))


def _fit_resources(row: "Instance", most: int, dropped: "list[str]") -> None:
    if len(row.offered) <= most:
        return
    needed = registry.resources(row.object_id, row.version, True)
    ranked = sorted([(_rank(row, id, needed), id) for id in row.offered])
    gone = sorted([id for _, id in ranked[most:]])
    dropped.append("{} has {} resources, the module holds {}: dropped {}".format(
        row.path(), len(row.offered), most, " ".join([str(id) for id in gone])))  # fmt: skip
    row.show([id for _, id in ranked[:most]])


def _rank(row: "Instance", id: int, needed: "list[int]") -> int:
    resource = row.find(id)
    if resource is not None and resource.reading:
        return 0
    if id in needed:
        return 1
    return 2 + _ORDER.index(id) if id in _ORDER else 2 + len(_ORDER)
