"""A small store that outlives the filesystem: a reserved pair of flash sectors on RP2 (ESP32 has NVS).

    store = ProtectedStore(rp2.Flash(start=..., len=8192))
    store.save("identity", b"...")     # endpoint, server, APN, PSK: the backup copy
    store.load("identity")             -> b"..." or None; OSError where it cannot be read now

For what changes rarely: boot counters after a crash, identity, ship mode. Each save writes only where something differs.
One image of up to 4 KB is kept in two places, alternately, with a sequence number and a CRC: a cut at any byte of a save
leaves the image before it.
"""

from binascii import crc32
from struct import pack, unpack_from

from micropython import const

_HEAD = const("<HHII")  # magic, length, sequence, crc32
_HEAD_BYTES = const(12)
_MAGIC = const(0x4C56)
_SECTOR = const(4096)
_ENOENT = const(2)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class ProtectedStore:
    """Named bytes, all in one image of up to 4084 bytes: in two sectors of `device` (rp2.Flash), or in two files without it.

    Files are for stock firmware, where no sector is reserved: they fall with the filesystem.
    """

    def __init__(self, device: "Any" = None) -> None:
        self._device = device
        self._values: dict[str, bytes] | None = None
        self._sequence = 0
        self._next = 0

    def _read(self, index: int) -> "bytes | bytearray":
        if self._device is not None:
            raw = bytearray(_SECTOR)
            self._device.readblocks(index, raw)
            return raw
        try:
            with open("protected.%d" % index, "rb") as file:
                return bytes(file.read())
        except OSError as error:
            if error.errno != _ENOENT:
                raise
            return b""

    def _open(self) -> "dict[str, bytes]":
        if self._values is None:
            newest = following = 0  # taken over only when both could be read
            values: dict[str, bytes] = {}
            for slot in (0, 1):
                raw = self._read(slot)
                if len(raw) < _HEAD_BYTES:
                    continue
                magic, length, sequence, check = unpack_from(_HEAD, raw, 0)
                body = bytes(raw[_HEAD_BYTES : _HEAD_BYTES + length])
                whole = magic == _MAGIC and len(body) == length and crc32(body, sequence) == check
                if whole and sequence > newest:
                    newest, following, values = sequence, 1 - slot, {}
                    at = 0
                    while at + 3 <= length:
                        key, size = unpack_from("<BH", body, at)
                        at += 3 + key
                        values[body[at - key : at].decode()] = body[at : at + size]
                        at += size
            self._sequence, self._next, self._values = newest, following, values
        return self._values

    def load(self, name: str) -> bytes | None:
        """Return what was saved under name, or None."""
        return self._open().get(name)

    def save(self, name: str, data: bytes) -> None:
        """Keep data. OSError where it could not be written, ValueError where the image would outgrow a sector."""
        values = dict(self._open())
        if values.get(name) == data:
            return
        values[name] = bytes(data)
        body = b"".join([pack("<BH", len(key), len(value)) + key.encode() + value for key, value in values.items()])
        if len(body) + _HEAD_BYTES > _SECTOR:
            raise ValueError("%s would make it %d bytes, the protected store has %d" % (name, len(body), _SECTOR - _HEAD_BYTES))
        sequence = self._sequence + 1
        image = pack(_HEAD, _MAGIC, len(body), sequence, crc32(body, sequence)) + body
        if self._device is not None:
            self._device.writeblocks(self._next, image + b"\xff" * (_SECTOR - len(image)))
        else:
            with open("protected.%d" % self._next, "wb") as file:
                file.write(image)
        self._sequence, self._next, self._values = sequence, 1 - self._next, values
