"""What of an ObjectTree survives sleep, as one record: version, CBOR, CRC32.

Observations, remembered answers, and per row: the last values (a read after a deep sleep is answered with them),
what rules and extremes need, counters, values that a server has set, rules that a server has changed. Keys are ids,
so rows may come and go between two firmware versions: what no longer fits is dropped, the rest is taken.
Taken up again by revive.py. Size: some 25 bytes for each reading without rules, 40 with rules.
"""

import binascii
import struct

from micropython import const

from . import cbor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .resource import Resource
    from .tree import ObjectTree

VERSION = const(2)
RULES = ("reported", "reported_at", "above", "below", "waiting")
VALUES = ("value", "when", "minimum", "maximum")


def dump(tree: "ObjectTree") -> bytes:
    """The record; tree.dirty is cleared."""
    observations: "list[Any]" = []
    for path in tree.observations:
        observations.append(path.ids)
    rows: "list[Any]" = []
    for row in tree.rows:
        resources: "list[Any]" = []
        for resource in row.resources:
            resources.append(_resource(resource))
        rows.append((row.object_id, row.instance, resources, row.written, _pick(row, row.kept)))
    told = (tree.error_told, tree.binary_writes)
    data = bytes([VERSION]) + cbor.encode((observations, tree.answers, told, rows))
    tree.dirty = False
    return data + struct.pack(">I", binascii.crc32(data) & 0xFFFFFFFF)


def _pick(owner: "object", names: "tuple[str, ...]") -> "list[Any]":
    values = []
    for name in names:
        values.append(getattr(owner, name))
    return values


def _resource(resource: "Resource") -> "list[Any]":
    rules = resource.rules
    state: "list[Any]" = [resource.id] + _pick(resource, VALUES)
    if rules is not None:
        state.append(_pick(rules, RULES))
        if rules.by_server:
            from .rules import NAMES

            state.append(_pick(rules, NAMES))
    return state
