"""What the OMA registry says of a resource: searched in a table of bytes, nothing is built at import.

    >>> lookup(3303, 5700)
    (4, 'R', '', None, False)
    >>> resources(3303), resources(3303, mandatory=True)
    ([5601, 5602, 5603, 5604, 5605, 5700, 5701], [5700])

The table (registry_table.py) comes from `make registry`; `make registry XML=my_object.xml` adds an object of your own. Frozen,
it costs no heap beyond names and the shape looked at last; an object's first lookup takes 1 to 3 ms on a board.
"""

import struct

from .registry_table import KINDS, LONG, OBJECTS, RANGES, ROWS, SHAPES, UNITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

_last: "tuple[int, list[int]]" = -1, []  # the shape looked at last: a row's declaration looks five times


def lookup(
    object_id: int, resource: int, version: "str | None" = None
) -> "tuple[int, str, str, tuple[int, int | None] | None, bool] | None":
    """(type, operations, unit, range, multiple) of a resource, None if the table lacks it.

    operations is "R" "W" "RW" "E" or ""; range is (low, high or None), of the length in bytes for
    strings and opaque values. version None takes the lowest version that has the resource.
    """
    for _, at in _objects(object_id, version):
        for row in _rows(at):
            if row >> 9 == resource:
                kind = (row & 0xFF) * 3
                flags, unit, limits = KINDS[kind : kind + 3]
                low, high = struct.unpack_from(">hi", RANGES, limits * 6)
                return (
                    flags & 7,
                    ("", "R", "W", "RW", "E")[flags >> 3 & 7],
                    UNITS.split("|")[unit],
                    (low, None if high == 0x7FFFFFFF else high) if limits else None,
                    flags >= 0x40,
                )
    return None


def shape(object_id: int, version: "str | None" = None) -> "list[tuple[int, int]]":
    """(id, kind) of an object's resources, the most important first; empty if the table lacks object or version.

    kind: type, operations << 3 (R 1, W 2, RW 3, E 4), bit 6 where it is multiple, bit 7 where each instance must have it.
    """
    for _, at in _objects(object_id, version):
        return [(row >> 9, KINDS[(row & 0xFF) * 3] | row >> 1 & 0x80) for row in _rows(at)]
    return []


def resources(object_id: int, version: "str | None" = None, mandatory: bool = False) -> "list[int]":
    """The resource ids of an object in rising order, or only those that every instance must have; empty as in shape()."""
    return sorted([id for id, kind in shape(object_id, version) if kind >= 0x80 or not mandatory])


def versions(object_id: int) -> "list[str]":
    """The versions of an object that the table has, such as ["1.0", "1.1"]."""
    return [version for version, _ in _objects(object_id, None)]


def multiple(object_id: int) -> bool:
    """Whether an object may have several instances."""
    for _, at in _objects(object_id, None):
        return at >= 0x8000
    return False


def _objects(object_id: int, wanted: "str | None") -> "Iterator[tuple[str, int]]":
    at, key = -1, bytes([object_id >> 8 & 0xFF, object_id & 0xFF])
    while True:
        at = OBJECTS.find(key, at + 1)
        if at < 0:
            return
        if at % 5 == 0:  # elsewhere the bytes mean something else
            number, flags = struct.unpack_from(">BH", OBJECTS, at + 2)
            version = "%s.%s" % (number >> 4, number & 15)
            if wanted in (None, version):
                yield version, flags


def _rows(at: int) -> "list[int]":
    """Of each resource id << 9, 0x100 where it is mandatory, its number in KINDS; what a shape extends comes before its own."""
    global _last
    at &= 0x7FFF
    if _last[0] == at:
        return _last[1]
    start, count, found = at, SHAPES[at], []
    if count & 0x80:
        found = _rows(SHAPES[at + 1] << 8 | SHAPES[at + 2])
        at += 2
    for _ in range(count & 0x7F):
        at += 1
        needed, row = SHAPES[at] & 0x80, SHAPES[at] & 0x7F
        if row >= 0x60:
            at += 1
            row = (row - 0x60) << 8 | SHAPES[at]
        end = row * 3 + 2 if row < LONG else LONG + row * 2 + 1
        id = ROWS[end - 1] | (ROWS[end - 2] << 8 if row < LONG else 0)
        found.append(id << 9 | needed << 1 | ROWS[end])
    _last = start, found  # what is extended has grown into it
    return found
