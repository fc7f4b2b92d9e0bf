"""What of an ObjectTree survives sleep, as one record: version, CBOR, CRC32.

Observations, remembered answers, and per row: the last values (a read after a deep sleep is answered with them),
what rules and extremes need, counters, values that a server has set, rules that a server has changed. Keys are ids,
so rows may come and go between two firmware versions: what no longer fits is dropped, the rest is taken.
Size: some 25 bytes for each reading without rules, 40 with rules.
"""

import binascii
import struct

from micropython import const

from . import cbor
from .model import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .instance import Instance
    from .resource import Resource
    from .tree import ObjectTree

_VERSION = const(1)
_RULES = ("reported", "reported_at", "above", "below", "waiting")
_VALUES = ("value", "when", "minimum", "maximum")


def dump(tree: "ObjectTree") -> bytes:
    """The record; tree.dirty is cleared."""
    observations: "list[Any]" = []
    for path in tree.observations:
        observations.append(path.ids)
    pushed: "list[Any]" = []
    for path, value in tree.pushed:
        pushed.append((path.ids, value))
    rows: "list[Any]" = []
    for row in tree.rows:
        resources: "list[Any]" = []
        for resource in row.resources:
            resources.append(_resource(resource))
        rows.append((row.object_id, row.instance, resources, row.written, _pick(row, row.kept)))
    told = (tree.error_told, tree.binary_writes)
    data = bytes([_VERSION]) + cbor.encode((observations, tree.answers, pushed, told, rows))
    tree.dirty = False
    return data + struct.pack(">I", binascii.crc32(data) & 0xFFFFFFFF)


def _pick(owner: "object", names: "tuple[str, ...]") -> "list[Any]":
    values = []
    for name in names:
        values.append(getattr(owner, name))
    return values


def _give(owner: "object", names: "tuple[str, ...]", values: "list[Any]") -> None:
    # What is as it was costs no heap: defaults live in the class.
    for name, value in zip(names, values):
        if value != getattr(owner, name):
            setattr(owner, name, value)


def _resource(resource: "Resource") -> "list[Any]":
    rules = resource.rules
    state: "list[Any]" = [resource.id] + _pick(resource, _VALUES)
    if rules is not None:
        state.append(_pick(rules, _RULES))
        if rules.by_server:
            from .rules import NAMES

            state.append(_pick(rules, NAMES))
    return state


def load(tree: "ObjectTree", data: bytes) -> bool:
    """Take a record; False and nothing changed if it is damaged or of another version."""
    data = bytes(data)
    if len(data) < 6 or data[0] != _VERSION:
        return False
    if struct.unpack(">I", data[-4:])[0] != binascii.crc32(data[:-4]) & 0xFFFFFFFF:
        return False
    try:
        body: "Any" = cbor.decode(data[1:-4])
        observations, answers, pushed, rows = [], [], [], []
        for ids in body[0]:
            observations.append(Path(*ids))
        for id, mark, code in body[1]:
            answers.append((id, mark, code))
        for ids, value in body[2]:
            pushed.append((Path(*ids), value))
        told, binary = body[3]
        for state in body[4]:
            rows.append((tree.row(state[0], state[1]), state))
    except (ValueError, TypeError, IndexError):
        return False
    tree.observations, tree.answers, tree.pushed = observations, answers, pushed
    tree.error_told, tree.binary_writes = told, binary
    for row, state in rows:
        try:
            if row is not None:
                _load_row(row, state)
        except (ValueError, TypeError, IndexError):
            pass  # written by a firmware whose row of that name was another: it starts anew
    tree.dirty = False
    return True


def _load_row(row: "Instance", state: "list[Any]") -> None:
    for values in state[2]:
        found = row.find(values[0])
        if found is None and values[0] in row.offered:
            found = row.view(values[0])
            row.attach(found)
        if found is not None:
            _load_resource(found, values)
    written = state[3] or {}
    for id in written:
        if id in row.offered:
            row.set(id, written[id])
    row.touched = 0
    _give(row, row.kept, state[4])


def _load_resource(resource: "Resource", state: "list[Any]") -> None:
    if state[1] is not None:
        _give(resource, _VALUES, state[1:5])
    if len(state) > 6:
        from .rules import NAMES, Rules

        resource.rules = resource.rules or Rules()
        resource.rules.by_server = True
        _give(resource.rules, NAMES, state[6])
    if resource.rules is not None and len(state) > 5:
        _give(resource.rules, _RULES, state[5])
