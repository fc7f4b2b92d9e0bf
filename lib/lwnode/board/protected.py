"""A small store that outlives the filesystem: a reserved pair of flash sectors on RP2 (ESP32 has NVS).

    store = ProtectedStore(SectorPair(rp2.Flash(start=..., len=8192)))
    store.save("identity", b"...")     # endpoint, server, APN, PSK: the backup copy
    store.load("identity")             -> b"..." or None; OSError where it cannot be read now

For what changes rarely: boot counters after a crash, identity, ship mode. Each save writes only where something differs.
One image of up to 4 KB is kept in two places, alternately, with a sequence number and a CRC: a cut at any byte of a save
leaves the image before it.
"""

from binascii import crc32
from struct import pack, unpack_from

_HEAD = "<HHII"  # magic, length, sequence, crc32
_HEAD_BYTES = 12
_MAGIC = 0x4C56
_SECTOR = 4096
_ENOENT = 2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SectorPair:
    """Two 4096-byte sectors of a block device (rp2.Flash)."""

    def __init__(self, device: "Any") -> None:
        self._device = device

    def read(self, slot: int) -> "bytes | bytearray":
        """Return a sector."""
        raw = bytearray(_SECTOR)
        self._device.readblocks(slot, raw)
        return raw

    def write(self, slot: int, data: bytes) -> None:
        """Erase and program a sector."""
        self._device.writeblocks(slot, data + b"\xff" * (_SECTOR - len(data)))


class FilePair:
    """Two files, where no sector is reserved (stock firmware). They fall with the filesystem."""

    def read(self, slot: int) -> "bytes | bytearray":
        """Return a file's bytes, b"" where there is none."""
        try:
            with open("protected.%d" % slot, "rb") as file:
                return bytes(file.read())
        except OSError as error:
            if error.errno != _ENOENT:
                raise
            return b""

    def write(self, slot: int, data: bytes) -> None:
        """Write a file."""
        with open("protected.%d" % slot, "wb") as file:
            file.write(data)


class ProtectedStore:
    """Named bytes, all in one image of up to 4084 bytes, in the two slots of `pair`."""

    def __init__(self, pair: "SectorPair | FilePair") -> None:
        self._pair = pair
        self._values: dict[str, bytes] | None = None
        self._sequence = 0
        self._next = 0

    def _open(self) -> "dict[str, bytes]":
        if self._values is None:
            values: dict[str, bytes] = {}
            for slot in (0, 1):
                raw = self._pair.read(slot)
                if len(raw) < _HEAD_BYTES:
                    continue
                magic, length, sequence, check = unpack_from(_HEAD, raw, 0)
                body = bytes(raw[_HEAD_BYTES : _HEAD_BYTES + length])
                whole = magic == _MAGIC and len(body) == length and crc32(body, sequence) == check
                if whole and sequence > self._sequence:
                    self._sequence, self._next, values = sequence, 1 - slot, self._unpacked(body)
            self._values = values
        return self._values

    def _unpacked(self, body: bytes) -> "dict[str, bytes]":
        values = {}
        at = 0
        while at + 3 <= len(body):
            key, length = unpack_from("<BH", body, at)
            at += 3
            values[body[at : at + key].decode()] = body[at + key : at + key + length]
            at += key + length
        return values

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
        self._pair.write(self._next, pack(_HEAD, _MAGIC, len(body), sequence, crc32(body, sequence)) + body)
        self._sequence, self._next, self._values = sequence, 1 - self._next, values
