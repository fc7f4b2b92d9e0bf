"""A record of state.py taken up again: once, when a node starts."""

import binascii
import struct

from .cbor import decode
from .model import Path
from .state import RULES, VALUES, VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .instance import Instance
    from .resource import Resource
    from .tree import ObjectTree


def load(tree: "ObjectTree", data: bytes) -> bool:
    """Take a record; False and nothing changed if it is damaged or of another version."""
    data = bytes(data)
    if len(data) < 6 or data[0] != VERSION:
        return False
    if struct.unpack(">I", data[-4:])[0] != binascii.crc32(data[:-4]) & 0xFFFFFFFF:
        return False
    try:
        body: "Any" = decode(data[1:-4])
        observations, answers, rows = [], [], []
        for ids in body[0]:
            observations.append(Path(*ids))
        for id, mark, code in body[1]:
            answers.append((id, mark, code))
        told, binary = body[2]
        for state in body[3]:
            rows.append((tree.row(state[0], state[1]), state))
    except (ValueError, TypeError, IndexError):
        return False
    tree.observations, tree.answers = observations, answers
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
        _give(resource, VALUES, state[1:5])
    if len(state) > 6:
        from .rules import NAMES, Rules

        resource.rules = resource.rules or Rules()
        resource.rules.by_server = True
        _give(resource.rules, NAMES, state[6])
    if resource.rules is not None and len(state) > 5:
        _give(resource.rules, RULES, state[5])


def _give(owner: "object", names: "tuple[str, ...]", values: "list[Any]") -> None:
    # What is as it was costs no heap: defaults live in the class.
    for name, value in zip(names, values):
        if value != getattr(owner, name):
            setattr(owner, name, value)
