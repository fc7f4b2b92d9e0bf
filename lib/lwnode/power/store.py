"""Named bytes in files that are old or new after a power cut, never mixed, and what lies around them on flash.

    store = FileStore("/state")
    store.save("config", b"...")       # config.tmp written and closed, then renamed over config
    store.load("config")               -> b"..." or None: absent or damaged. OSError: unreadable now
    store.names("j")                   -> names that start with j, sorted
    store.errors                       # operations that failed: tried three times each, told by the node's health

"Unreadable now" is neither absent nor damaged: after an OSError nothing is concluded, deleted or written over. Content
counts only after close(), and rename replaces its target atomically on littlefs; FAT gives no such promise (MicroPython
docs/reference/filesystem.rst), which is why each file also carries version, sequence, length and CRC-32 (seal, unseal: 14
bytes). A save costs at most one sector erase per 4 KB and about 45 ms during which a UART on RP2 loses bytes, so save only
while no answer of the module is outstanding. Bounds: 65535 bytes in a file.
"""

import os
from binascii import crc32
from struct import pack, unpack_from

from micropython import const

HEADER_BYTES = const(14)
_VERSION = const(1)
_MAGIC = const(0x4C57)
_TRIES = const(3)
_ABSENT = const(2)  # ENOENT
_FULL = const(28)  # ENOSPC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Protocol

    class Store(Protocol):
        """What is asked of a store."""

        def load(self, name: str) -> bytes | None:
            """Return what was saved under name, or None. OSError: unreadable now."""

        def save(self, name: str, data: bytes) -> None:
            """Keep data under name."""


def seal(payload: bytes, version: int, sequence: int = 0) -> bytes:
    """Return payload (up to 65535 bytes) behind its header."""
    head = pack("<HHIH", _MAGIC, version, sequence & 0xFFFFFFFF, len(payload))
    return head + pack("<I", crc32(payload, crc32(head))) + payload


def unseal(raw: "bytes | bytearray | memoryview", version: int) -> "tuple[int, bytes] | None":
    """Return (sequence, payload), or None where raw is short, torn, noise or of another version."""
    if len(raw) < HEADER_BYTES:
        return None
    magic, found, sequence, length, check = unpack_from("<HHIHI", raw, 0)
    if magic != _MAGIC or found != version or HEADER_BYTES + length > len(raw):
        return None
    payload = bytes(raw[HEADER_BYTES : HEADER_BYTES + length])
    if crc32(payload, crc32(bytes(raw[: HEADER_BYTES - 4]))) != check:
        return None
    return sequence, payload


class FileStore:
    """Store protocol on files of one directory, which is made on the first save; a test hands in a simulated flash."""

    def __init__(self, path: str, files: "Any" = None) -> None:
        self._directory = path
        self._files = files or os
        self._open = files.open if files else open
        self.damaged = 0
        self.errors = 0

    def _tried(self, function: "Callable[[str], Any]", path: str) -> "Any":
        """Return function(path), tried three times; None where it is absent. OSError, counted, where it fails each time."""
        left = _TRIES
        while True:
            try:
                return function(path)
            except OSError as error:
                if error.args[0] == _ABSENT:
                    return None
                self.errors += 1
                left -= 1
                if not left:
                    raise

    def _content(self, path: str) -> bytes:
        with self._open(path, "rb") as file:
            return bytes(file.read())

    def load(self, name: str) -> bytes | None:
        """Return what was saved last; None where it is absent, or its CRC fails each time it is read (`damaged` grows)."""
        for _ in range(_TRIES):
            raw = self._tried(self._content, self._directory + "/" + name)
            if raw is None:
                return None
            found = unseal(raw, _VERSION)
            if found is not None:
                return found[1]
        self.damaged += 1
        return None

    def save(self, name: str, data: bytes) -> None:
        """Replace what is kept under name. OSError where the flash is full, fails or is not mounted: the old is there then."""
        path = self._directory + "/" + name
        temporary = path + ".tmp"
        try:
            try:
                file = self._open(temporary, "wb")
            except OSError as error:
                if error.args[0] != _ABSENT:
                    raise
                self._files.mkdir(self._directory)
                file = self._open(temporary, "wb")
            with file:
                if file.write(seal(data, _VERSION)) != len(data) + HEADER_BYTES:
                    raise OSError(_FULL)
            self._files.rename(temporary, path)
        except OSError:
            self.errors += 1
            self.remove(name + ".tmp")
            raise

    def remove(self, name: str) -> bool:
        """Forget name; absent is as good as removed. False: it could not be removed and is still there."""
        try:
            self._tried(self._files.remove, self._directory + "/" + name)
        except OSError:
            return False
        return True

    def names(self, prefix: str = "") -> list[str]:
        """Return the kept names that start with prefix, sorted; removes what a cut has left half-written. OSError: not now."""
        names = []
        for name in self._tried(self._files.listdir, self._directory) or ():
            if name.endswith(".tmp"):
                self.remove(name)
            elif name.startswith(prefix):
                names.append(name)
        return sorted(names)


class TwinStore:
    """One value in two places: read from the first that has it, written to both where it differs.

    The backup copy of endpoint, server, APN and PSK (NVS, a reserved flash sector) outlives the filesystem.
    """

    def __init__(self, first: "Store", second: "Store") -> None:
        self._first = first
        self._second = second

    def load(self, name: str) -> bytes | None:
        """Return the first place's value, or the second's; what the first has lost is put back. OSError: not now."""
        try:
            data = self._first.load(name)
        except OSError:
            data = self._second.load(name)  # nothing is written over what is unreadable now
            if data is None:
                raise
            return data
        if data is None:
            data = self._second.load(name)
            if data is not None:
                try:
                    self._first.save(name, data)
                except OSError:
                    pass  # no filesystem: the backup copy alone must do
        return data

    def save(self, name: str, data: bytes) -> None:
        """Write both places, each only where it differs. OSError only when neither could be written."""
        failed = 0
        for place in (self._second, self._first):
            try:
                if place.load(name) != data:
                    place.save(name, data)
            except OSError:
                failed += 1
        if failed == 2:
            raise OSError("neither copy of %s could be written" % name)
