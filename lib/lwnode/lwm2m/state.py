"""What of an ObjectTree survives sleep, as one record: version, CBOR, CRC32.

    data = tree.dump()            before sleep
    tree.load(data)               at the next start, once the rows are declared; False where it is none

Observations, remembered answers, states of one's own, and per row: the last values (a read after a deep sleep is answered
with them), what rules and extremes need, counters, values that a server has set, rules that a server has changed. Keys are
ids, so rows may come and go between two firmware versions: what no longer fits is dropped, the rest is taken. Size: some 25
bytes for each reading without rules, 40 with rules, and at most 160 for states of one's own.
"""

import binascii
import struct

from micropython import const

from .cbor import decode, encode
from .rules import NAMES, Rules
from .types import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .objects import Instance
    from .tree import ObjectTree

_VERSION = const(3)
_OWN_BYTES = const(160)
_RULES = const(("reported", "reported_at", "above", "below", "waiting", "pending", "streak"))
_VALUES = const(("value", "when", "minimum", "maximum"))


def dump(tree: "ObjectTree") -> bytes:
    """All that must survive sleep, as one record; tree.dirty is cleared. A state that does not fit is refused, in words."""
    rows: "list[Any]" = []
    for row in tree.rows:
        resources: "list[Any]" = []
        for resource in row.resources:
            rules = resource.rules
            resources.append([resource.id] + _pick(resource, _VALUES))
            if rules is not None:
                resources[-1] += [_pick(rules, _RULES)] + ([_pick(rules, NAMES)] if rules.by_server else [])
        rows.append((row.object_id, row.instance, resources, row.written, _pick(row, row.kept)))
    own: "dict[str, Any]" = {}
    left = _OWN_BYTES
    for name, values in tree.states:
        try:
            size = len(encode({name: values}))
            if size > left:
                raise ValueError("more than %s bytes in all" % _OWN_BYTES)
            left -= size
            own[name] = values
        except ValueError as error:
            text = "state %s is not kept: %s" % (name, error)
            if text != tree.last_error:
                print("lwnode:", text)
            tree.last_error = text
    data = bytes([_VERSION]) + encode(([path.ids for path in tree.observations], tree.answers, tree.error_told, own, rows))
    tree.dirty = False
    return data + struct.pack(">I", binascii.crc32(data) & 0xFFFFFFFF)


def _pick(owner: "object", names: "tuple[str, ...]") -> "list[Any]":
    return [getattr(owner, name) for name in names]


def load(tree: "ObjectTree", data: "bytes | None") -> bool:
    """Take a record of dump() again; False, and nothing changed, if it is none, damaged or of another version."""
    data = bytes(data or b"")
    if len(data) < 6 or data[0] != _VERSION or struct.unpack(">I", data[-4:])[0] != binascii.crc32(data[:-4]) & 0xFFFFFFFF:
        return False
    try:
        body: "Any" = decode(data[1:-4])
        observations = [Path(*ids) for ids in body[0]]
        answers = [(id, mark, code, at) for id, mark, code, at in body[1]]
        rows = [(tree.row(state[0], state[1]), state) for state in body[4]]
        own = [(name, dict(body[3][name])) for name in body[3]]
    except (ValueError, TypeError, IndexError, KeyError):
        return False
    tree.observations, tree.answers, tree.error_told = observations, answers, body[2]
    for name, values in own:
        try:
            tree.state(name).update(values)
        except ValueError:
            pass  # another firmware's, beyond those that this one asks for
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
        if found is None:
            continue
        if values[1] is not None:
            _give(found, _VALUES, values[1:5])
        if len(values) > 6:
            found.rules = found.rules or Rules()
            found.rules.by_server = True
            _give(found.rules, NAMES, values[6])
        if found.rules is not None and len(values) > 5:
            _give(found.rules, _RULES, values[5])
    written = state[3] or {}
    for id in written:
        if id in row.offered:
            row.set(id, written[id])
    row.touched = 0
    _give(row, row.kept, state[4])


def _give(owner: "object", names: "tuple[str, ...]", values: "list[Any]") -> None:
    # What is as it was costs no heap: defaults live in the class.
    for name, value in zip(names, values):
        if value != getattr(owner, name):
            setattr(owner, name, value)
