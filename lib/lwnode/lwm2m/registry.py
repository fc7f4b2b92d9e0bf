"""What the OMA registry says of a resource: searched in a table of bytes, nothing is built at import.

    >>> lookup(3303, 5700)
    (4, 'R', '', None, False)
    >>> resources(3303), mandatory(3303)
    ([5601, 5602, 5603, 5604, 5605, 5700, 5701], [5700])

The table (registry_table.py) comes from `make registry`; `make registry XML=my_object.xml` adds an object
of your own. Frozen, it costs no heap beyond the two modules' names; a lookup takes 1 to 3 ms on a board.
"""

import struct

from . import registry_table as _table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

_OPERATIONS = ("", "R", "W", "RW", "E")


def lookup(
    object_id: int, resource_id: int, version: "str | None" = None
) -> "tuple[int, str, str, tuple[int, int | None] | None, bool] | None":
    """(type, operations, unit, range, multiple) of a resource, None if the table lacks it.

    operations is "R" "W" "RW" "E" or ""; range is (low, high or None), of the length in bytes for
    strings and opaque values. version None takes the lowest version that has the resource.
    """
    for offset in _shapes(object_id, version):
        for row, _ in _rows(offset):
            id, kind = struct.unpack_from(">HB", _table.ROWS, row * 3)
            if id == resource_id:
                return _definition(kind)
    return None


def _definition(kind: int) -> "tuple[int, str, str, tuple[int, int | None] | None, bool]":
    at = kind * 4
    flags, operations, unit, limits = _table.KINDS[at : at + 4]
    low, high = struct.unpack_from(">ii", _table.RANGES, limits * 8)
    return (
        flags & 7,
        _OPERATIONS[operations],
        _table.UNITS.split("|")[unit],
        (low, None if high == 0x7FFFFFFF else high) if limits else None,
        flags >= 0x40,
    )


def resources(object_id: int, version: "str | None" = None) -> "list[int]":
    """The resource ids of an object in rising order; empty if the table lacks object or version."""
    return _ids(object_id, version, False)


def mandatory(object_id: int, version: "str | None" = None) -> "list[int]":
    """Those of the resource ids that every instance must have."""
    return _ids(object_id, version, True)


def versions(object_id: int) -> "list[str]":
    """The versions of an object that the table has, such as ["1.0", "1.1"]."""
    return ["{}.{}".format(version >> 4, version & 15) for version, _ in _objects(object_id)]


def multiple(object_id: int) -> bool:
    """Whether an object may have several instances."""
    for _, flags in _objects(object_id):
        return flags >= 0x8000
    return True


def _objects(object_id: int) -> "Iterator[tuple[int, int]]":
    low, high = 0, len(_table.OBJECTS) // 5
    while low < high:
        middle = (low + high) // 2
        if struct.unpack_from(">H", _table.OBJECTS, middle * 5)[0] < object_id:
            low = middle + 1
        else:
            high = middle
    for at in range(low * 5, len(_table.OBJECTS), 5):
        id, version, flags = struct.unpack_from(">HBH", _table.OBJECTS, at)
        if id != object_id:
            break
        yield version, flags


def _shapes(object_id: int, wanted: "str | None") -> "Iterator[int]":
    for version, flags in _objects(object_id):
        if wanted is None or wanted == "{}.{}".format(version >> 4, version & 15):
            yield flags & 0x7FFF


def _rows(offset: int) -> "Iterator[tuple[int, bool]]":
    shapes = _table.SHAPES
    while offset >= 0:
        count, at, offset = shapes[offset], offset + 1, -1
        if count & 0x80:
            offset = shapes[at] << 8 | shapes[at + 1]
            at += 2
        for _ in range(count & 0x7F):
            row = shapes[at] & 0x7F
            needed = shapes[at] >= 0x80
            at += 1
            if row >= 0x60:
                row = (row - 0x60) << 8 | shapes[at]
                at += 1
            yield row, needed


def _ids(object_id: int, version: "str | None", only_mandatory: bool) -> "list[int]":
    for offset in _shapes(object_id, version):
        found = [row for row, needed in _rows(offset) if needed or not only_mandatory]
        return sorted([struct.unpack_from(">H", _table.ROWS, row * 3)[0] for row in found])
    return []
