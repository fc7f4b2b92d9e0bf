"""BC66: declaration. Read first, declare what differs, take back what is too much.

    AT+QLWADDOBJ?                               AT+QLWADDOBJ=3303,0,3,5601,5602,5700

What was found to hold is kept as a checksum, so that the same declare() costs nothing on the next wake. Loaded when it is
first called, and apart from the configuration: a node with little heap has only one of them at a time.
"""

from binascii import crc32

from lwnode.at import CommandError
from lwnode.modem import REGISTERED
from lwnode.modem.bc66.codes import error_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.modem.bc66 import Driver


def declare(modem: "Driver", objects: "Any") -> bool:
    """QLWADDOBJ for what differs, QLWDELOBJ for what is too much. Immediate (4.2.6): never needs a restart."""
    if modem.level < 7:
        from lwnode.modem import pipe
        objects = pipe.OBJECTS
    wanted = check_objects(objects)
    modem.objects = wanted
    if modem.level < 10 and modem._status != REGISTERED:
        return False  # firmware before R01A10 takes objects only while registered: done after register()
    mark = crc32(repr(wanted).encode()) | 1
    if mark != modem._declared:
        modem._steadily(_declare, modem, wanted)
        modem._declared = mark
    return False


def _declare(modem: "Driver", wanted: "dict[tuple[int, int], tuple[int, ...]]") -> None:
    found = declared_objects(modem)
    for object_id in sorted({key[0] for key in found}):
        if _of_object(found, object_id) != _of_object(wanted, object_id):
            modem.undeclare(object_id)
            for key in list(found):
                if key[0] == object_id:
                    del found[key]
    for key in sorted(wanted):
        if key not in found:
            _add_object(modem, key[0], key[1], wanted[key])


def declared_objects(modem: "Driver") -> "dict[tuple[int, int], tuple[int, ...]]":
    """Return what the module holds by QLWADDOBJ? (4.2.6): resource ids by (object, instance)."""
    found = {}
    for row in modem.ask(modem._query, "+QLWADDOBJ") or []:
        try:
            numbers = [int(value) for value in row]
            found[(numbers[0], numbers[1])] = tuple(sorted(numbers[3:]))
        except (ValueError, TypeError, IndexError):
            modem._count("malformed_results")
    return found


def forget(modem: "Driver") -> None:
    """Leave the server and delete every declared object."""
    modem.deregister()
    for object_id in sorted({key[0] for key in declared_objects(modem)}):
        modem.undeclare(object_id)
    modem._doubt()
    modem.observed = []


def _add_object(modem: "Driver", object_id: int, instance: int, resources: "tuple[int, ...]") -> None:
    error = modem._act("+QLWADDOBJ", object_id, instance, len(resources), *resources)
    if error:
        raise CommandError(error, "object %d/%d not added: %s" % (object_id, instance, error_name(error)))


def check_objects(objects: "Any") -> "dict[tuple[int, int], tuple[int, ...]]":
    """(object, instance) -> sorted resources; refuses more than 15 objects, 4 instances, 14 resources (3.2.2)."""
    wanted: dict[tuple[int, int], tuple[int, ...]] = {}
    entries = [(key[0], key[1], objects[key]) for key in objects] if isinstance(objects, dict) else objects
    instances: dict[int, int] = {}
    for object_id, instance, resources in entries:
        wanted[(object_id, instance)] = tuple(sorted(resources))
        instances[object_id] = instances.get(object_id, 0) + 1
        if len(resources) > 14:
            raise ValueError("object %d: expected at most 14 resources (BC66 note 3.2.2), found %d" % (
                object_id, len(resources)))
        if instances[object_id] > 4:
            raise ValueError("object %d: expected at most 4 instances (BC66 note 3.2.2)" % object_id)
    if len(instances) > 15:
        raise ValueError("objects: expected at most 15 (BC66 note 3.2.2), found %d" % len(instances))
    return wanted


def _of_object(table: "dict[tuple[int, int], tuple[int, ...]]", object_id: int) -> "list[Any]":
    return sorted([(key, table[key]) for key in table if key[0] == object_id])
