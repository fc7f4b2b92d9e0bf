"""ME910C1: what the host must know after its deep sleep, beside what every family keeps.

    flags (suspended, UTC, armed...)    1 byte
    how long it takes to boot           1 byte, in units of 64 ms
    declared instances                  5 bytes and 2 a resource: created again where they are gone
    acknowledged resources              6 bytes each, 6 at most
    values known to be in the module    11 bytes each: path, checksum, what became of it
"""

import struct

_DAMAGED = (ValueError, getattr(struct, "error", ValueError))  # MicroPython knows the first alone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def dump(modem: "Any") -> bytes:
    """The bytes above, their length first."""
    own = struct.pack(
        ">BBBBB",
        modem._suspended | (not modem.CLOCK_IS_LOCAL) << 1 | modem._armed << 2 | modem._repaired << 3
        | (modem._factory > 0) << 4 | modem._services << 5,
        min(modem._boot_ms >> 6, 255), len(modem.objects), len(modem._acked), len(modem._known))
    for object_id, instance, resources in modem.objects:
        own += struct.pack(">HHB", object_id, instance, len(resources))
        own += b"".join([struct.pack(">H", resource) for resource in resources])
    for ids in modem._acked:
        own += struct.pack(">HHH", *ids)
    for ids in modem._known:
        own += struct.pack(">HHHIB", ids[0], ids[1], ids[2], *modem._known[ids])
    return struct.pack(">H", len(own)) + own


def split(data: "bytes | None") -> "tuple[bytes, bytes]":
    """(what dump() made, what follows it); empty where there is none."""
    if not data or len(data) < 6:
        return b"", b""
    length = 2 + struct.unpack_from(">H", data)[0]
    return data[2:length], data[length:]


def load(modem: "Any", data: bytes) -> bool:
    """Take up what dump() made. False, and nothing changed, where it is damaged."""
    try:
        flags, boot, objects, acked, known = struct.unpack_from(">BBBBB", data)
        at = 5
        found = []
        for _ in range(objects):
            object_id, instance, count = struct.unpack_from(">HHB", data, at)
            found.append((object_id, instance, struct.unpack_from(">%dH" % count, data, at + 5)))
            at += 5 + 2 * count
        uris = [struct.unpack_from(">HHH", data, at + 6 * index) for index in range(acked)]
        at += 6 * acked
        rows = [struct.unpack_from(">HHHIB", data, at + 11 * index) for index in range(known)]
    except _DAMAGED:
        return False
    if at + 11 * known != len(data):
        return False
    modem.objects = found
    modem._boot_ms = boot << 6
    modem._acked = uris
    modem._known = {row[:3]: [row[3], row[4]] for row in rows}
    modem._suspended = bool(flags & 1)
    modem.CLOCK_IS_LOCAL = not flags & 2
    # Lists live exactly as long as the agent stays enabled: status() says whether they are still there.
    modem._armed = bool(flags & 4)
    modem._repaired = bool(flags & 8)
    modem._factory = 2 if flags & 16 else 0
    modem._services = bool(flags & 32)
    return True
