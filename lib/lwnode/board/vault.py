"""A small store that outlives the filesystem: a reserved pair of flash sectors on RP2 (ESP32 has NVS).

    vault = SlotVault(SectorPair(rp2.Flash(start=..., len=8192)))
    vault.save("identity", b"...")     # endpoint, server, APN, PSK: the second home
    vault.load("identity")             -> b"..." or None

For what changes rarely: boot counters after a crash, identity, ship mode. Each save writes only where something
differs. One image of up to 4 KB is kept in two places, alternately, with a sequence number and a CRC: a cut at any
byte of a save leaves the image before it.
"""

from binascii import crc32
from struct import pack, unpack_from

_HEAD = "<HHII"  # magic, length, sequence, crc32
_HEAD_BYTES = 12
_MAGIC = 0x4C56
_SECTOR = 4096
_PAGE = 256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SectorPair:
    """Two 4096-byte sectors of a block device (rp2.Flash)."""

    def __init__(self, device: "Any") -> None:
        self._device = device

    def read(self, slot: int) -> bytes:
        """Return a sector."""
        raw = bytearray(_SECTOR)
        self._device.readblocks(slot, raw)
        return bytes(raw)

    def write(self, slot: int, data: bytes) -> None:
        """Erase and program a sector."""
        self._device.writeblocks(slot, data + b"\xff" * (_SECTOR - len(data)))


class FilePair:
    """Two files: what a vault falls back to where no sector is reserved (stock firmware). Falls with the filesystem."""

    def __init__(self, path: str = "vault") -> None:
        self._path = path

    def read(self, slot: int) -> bytes:
        """Return a file's bytes, b"" where absent."""
        try:
            with open("%s.%d" % (self._path, slot), "rb") as file:
                return bytes(file.read())
        except OSError:
            return b""

    def write(self, slot: int, data: bytes) -> None:
        """Write a file."""
        with open("%s.%d" % (self._path, slot), "wb") as file:
            file.write(data)


class SlotVault:
    """Named bytes, all in one image of up to 4084 bytes, in two slots of `pair` (read(slot), write(slot, bytes))."""

    def __init__(self, pair: "Any") -> None:
        self._pair = pair
        self._values: dict[str, bytes] | None = None
        self._sequence = 0
        self._next = 0

    def _open(self) -> "dict[str, bytes]":
        if self._values is None:
            image = b""
            for slot in (0, 1):
                found = self._image(self._pair.read(slot))
                if found is not None and found[0] > self._sequence:
                    self._sequence, image = found
                    self._next = 1 - slot
            self._values = self._unpack(image)
        return self._values

    def _image(self, raw: bytes) -> "tuple[int, bytes] | None":
        if len(raw) < _HEAD_BYTES:
            return None
        magic, length, sequence, check = unpack_from(_HEAD, raw, 0)
        body = raw[_HEAD_BYTES : _HEAD_BYTES + length]
        if magic != _MAGIC or len(body) != length or crc32(body, sequence) != check:
            return None
        return sequence, body

    def _unpack(self, image: bytes) -> "dict[str, bytes]":
        values = {}
        at = 0
        while at + 3 <= len(image):
            key, length = unpack_from("<BH", image, at)
            at += 3
            values[image[at : at + key].decode()] = image[at + key : at + key + length]
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
            raise ValueError("the vault holds %d bytes, %s would make it %d" % (_SECTOR - _HEAD_BYTES, name, len(body)))
        sequence = self._sequence + 1
        head = pack(_HEAD, _MAGIC, len(body), sequence, crc32(body, sequence))
        self._pair.write(self._next, head + body)
        self._sequence = sequence
        self._next = 1 - self._next
        self._values = values
