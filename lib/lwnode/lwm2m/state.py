"""What of an ObjectTree survives sleep, as one record: version, CBOR, CRC32.

Observations, remembered answers, and per row: readings that the rules and the extremes need, counters,
values that a server has set, rules that a server has changed. Keys are ids, so rows may come and go between
two firmware versions: what no longer fits is dropped, the rest is taken.
"""

import binascii
import struct

from . import cbor
from .actuator import Actuator
from .model import Path
from .rules import NAMES, Rules
from .sensor import Sensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .instance import Instance
    from .resource import Resource
    from .tree import ObjectTree

_VERSION = 1


def dump(tree: "ObjectTree") -> bytes:
    """The record; tree.dirty is cleared."""
    body = cbor.encode(
        [
            [list(path.ids) for path in tree._observed],
            [list(answer) for answer in tree._answers],
            [_row(row) for row in tree.rows],
            tree._error_told,
            [[list(path.ids), value] for path, value in tree._pushed],
        ]
    )
    data = bytes([_VERSION]) + body
    tree.dirty = False
    return data + struct.pack(">I", binascii.crc32(data) & 0xFFFFFFFF)


def _row(row: "Instance") -> "list[object]":
    own: "list[object]" = []
    if isinstance(row, Sensor):
        own = [row.counter, row.sampled_at, row.failures, row.errors, row.quality]
    elif isinstance(row, Actuator):
        own = [row.on_seconds, row.off_seconds, row.since]
    resources = [_resource(resource) for resource in row.resources]
    return [row.object_id, row.instance, resources, row.written, own]


def _resource(resource: "Resource") -> "list[object]":
    rules = resource.rules
    state: "list[object]" = [resource.id, resource.value, resource.when, resource.minimum, resource.maximum]
    if rules is not None:
        state.append([rules.reported, rules.reported_at, rules.above, rules.below, rules.waiting])
        if rules.by_server:
            state.append([getattr(rules, name) for name in NAMES])
    return state


def load(tree: "ObjectTree", data: bytes) -> bool:
    """Take a record; False and nothing changed if it is damaged or of another version."""
    data = bytes(data)
    if len(data) < 6 or data[0] != _VERSION:
        return False
    if struct.unpack(">I", data[-4:])[0] != binascii.crc32(data[:-4]) & 0xFFFFFFFF:
        return False
    try:
        observed, answers, rows, told, pushed = cbor.decode(data[1:-4])  # type: ignore[misc]
    except (ValueError, TypeError):
        return False
    tree._observed = [Path(*ids) for ids in observed]  # type: ignore[has-type]
    tree._answers = [(answer[0], answer[1], answer[2]) for answer in answers]  # type: ignore[has-type]
    tree._error_told = told  # type: ignore[has-type]
    tree._pushed = [(Path(*ids), value) for ids, value in pushed]  # type: ignore[has-type]
    for object_id, instance, resources, written, own in rows:  # type: ignore[has-type]
        row = tree.row(object_id, instance)
        if row is not None:
            _load_row(row, resources, written, own)
    tree.dirty = False
    return True


def _load_row(row: "Instance", resources: "list[list[object]]", written: "dict[int, object] | None", own: "list[object]") -> None:
    for state in resources:
        found = row.find(state[0])  # type: ignore[arg-type]
        if found is not None:
            _load_resource(found, state)
    for id in written or {}:
        if id in row.offered:
            row.set(id, written[id])  # type: ignore[index,arg-type]
    names: "tuple[str, ...]" = ()
    if isinstance(row, Sensor) and len(own) == 5:
        names = ("counter", "sampled_at", "failures", "errors", "quality")
    elif isinstance(row, Actuator) and len(own) == 3:
        names = ("on_seconds", "off_seconds", "since")
    for name, value in zip(names, own):
        if value != getattr(row, name) and not (name == "counter" and row.counter is None):  # type: ignore[attr-defined]
            setattr(row, name, value)


def _load_resource(resource: "Resource", state: "list[object]") -> None:
    for name, value in zip(("value", "when", "minimum", "maximum"), state[1:5]):
        if value is not None:
            setattr(resource, name, str(value) if isinstance(value, cbor.Fraction) else value)
    if len(state) > 6:
        resource.rules = resource.rules or Rules()
        resource.rules.by_server = True
        for name, value in zip(NAMES, state[6]):  # type: ignore[call-overload]
            setattr(resource.rules, name, value)
    if resource.rules is not None and len(state) > 5:
        for name, value in zip(("reported", "reported_at", "above", "below", "waiting"), state[5]):  # type: ignore[call-overload]
            setattr(resource.rules, name, value)
