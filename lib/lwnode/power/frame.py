"""Bytes that prove themselves: version, sequence, length and CRC-32 in front of a payload.

    raw = seal(b"state", version=1, sequence=7)
    unseal(raw, version=1)              -> (7, b"state")
    unseal(b"garbage", version=1)       -> None

What is read back after a reset may be older, torn, of another firmware or noise (RTC memory has a length but no
CRC, MicroPython ports/esp32/machine_rtc.c), so everything this room persists goes through here. The
header costs 14 bytes.
"""

from binascii import crc32
from struct import pack, unpack_from

from micropython import const

_MAGIC = const(0x4C57)
_HEADER = const(14)
HEADER_BYTES = 14


def seal(payload: bytes, version: int, sequence: int = 0) -> bytes:
    """Return payload (up to 65535 bytes) behind its header."""
    head = pack("<HHIH", _MAGIC, version, sequence & 0xFFFFFFFF, len(payload))
    return head + pack("<I", crc32(payload, crc32(head))) + payload


def unseal(raw: "bytes | bytearray | memoryview", version: int) -> "tuple[int, bytes] | None":
    """Return (sequence, payload), or None where raw is short, torn, noise or of another version."""
    if len(raw) < _HEADER:
        return None
    magic, found, sequence, length, check = unpack_from("<HHIHI", raw, 0)
    if magic != _MAGIC or found != version or _HEADER + length > len(raw):
        return None
    payload = bytes(raw[_HEADER : _HEADER + length])
    if crc32(payload, crc32(bytes(raw[: _HEADER - 4]))) != check:
        return None
    return sequence, payload
