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
    body: "list[Any]" = [
        [list(path.ids) for path in tree.observations],
        [list(answer) for answer in tree.answers],
        [[list(path.ids), value] for path, value in tree.pushed],
        [tree.error_told, tree.binary_writes],
        [_row(row) for row in tree.rows],
    ]
    data = bytes([_VERSION]) + cbor.encode(body)
    tree.dirty = False
    return data + struct.pack(">I", binascii.crc32(data) & 0xFFFFFFFF)


def _row(row: "Instance") -> "list[Any]":
    resources = [_resource(resource) for resource in row.resources]
    own = [getattr(row, name) for name in row.kept]
    return [row.object_id, row.instance, resources, row.written, own]


def _resource(resource: "Resource") -> "list[Any]":
    rules = resource.rules
    state: "list[Any]" = [resource.id] + [getattr(resource, name) for name in _VALUES]
    if rules is not None:
        state.append([getattr(rules, name) for name in _RULES])
        if rules.by_server:
            from .rules import NAMES

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
        body: "Any" = cbor.decode(data[1:-4])
        observations = [Path(*ids) for ids in body[0]]
        answers = [(answer[0], answer[1], answer[2]) for answer in body[1]]
        pushed = [(Path(*ids), value) for ids, value in body[2]]
        told, binary = body[3]
        rows = [(tree.row(state[0], state[1]), state) for state in body[4]]
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
    for name, value in zip(row.kept, state[4]):
        if value != getattr(row, name) and (name != "counter" or getattr(row, name) is not None):
            setattr(row, name, value)


def _load_resource(resource: "Resource", state: "list[Any]") -> None:
    for name, value in zip(_VALUES, state[1:5]):
        if value is not None:
            setattr(resource, name, value)
    if len(state) > 6:
        from .rules import NAMES, Rules

        resource.rules = resource.rules or Rules()
        resource.rules.by_server = True
        for name, value in zip(NAMES, state[6]):
            setattr(resource.rules, name, value)
    if resource.rules is not None and len(state) > 5:
        for name, value in zip(_RULES, state[5]):
            if value != getattr(resource.rules, name):
                setattr(resource.rules, name, value)
