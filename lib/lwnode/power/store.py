"""What survives: named bytes in files that are old or new after a power cut, never mixed, and state in retained memory.

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

State that survives sleep and reset: two slots in retained memory, a store behind them.

    state = RetainedState(board.retained, version=1, behind=FileStore("/state"))
    state.load("clock")                -> bytes or None; garbage and old versions read as None
    state.save("clock", b"...")        in RAM
    state.save("config", b"...", durable=True)   the next commit also writes the store behind
    state.commit()                     one slot of retained memory; the other keeps the state before
    state.source                       "memory", "behind", "defaults" or "unreadable": where this start found its state

Each slot is half the memory (1024 bytes of the ESP32's 2048) and carries version, sequence and CRC; the valid one
with the higher sequence wins, so a reset in the middle of a write leaves the state before. A state that outgrows a slot takes
both, and such a reset then leaves what the store behind has. The store behind is
written when a durable name changed and every `every`-th commit: after a power loss, which empties the RTC memory,
the state is at most that many commits old. Where the memory is too small (RP2: 28 bytes of scratch registers) every
commit that changes something goes to the store.

A store that cannot be read now is not written over: this start works with defaults and the journal's newest entries, and
the next one asks again. Where RAM is kept, `restart` becomes True when it can be read: a start then takes it up.
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
_SMALLEST = const(128)  # a memory below this holds no useful state: the store behind takes over
_BEHIND = const("retained")
_UNREAD = const("?")  # a name in retained memory: what the store behind has is still to be taken up
_OWN = const("journal")  # entries made meanwhile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Protocol

    class Store(Protocol):
        """What is asked of a store."""

        def load(self, name: str) -> bytes | None:
            """Return what was saved under name, or None. OSError: unreadable now."""

        def save(self, name: str, data: bytes) -> None:
            """Keep data under name."""

    class Memory(Protocol):
        """Retained memory of a board."""

        size: int

        def load(self) -> bytes:
            """Return all of it, or b"" when it lost its content."""

        def save(self, data: "bytes | bytearray") -> None:
            """Replace all of it."""


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


def _unpack(data: bytes) -> dict[str, bytes]:
    values: dict[str, bytes] = {}
    at = 0
    while at + 3 <= len(data):
        key, length = unpack_from("<BH", data, at)
        at += 3
        values[data[at : at + key].decode()] = data[at + key : at + key + length]
        at += key + length
    return values


class RetainedState:
    """A store (load and save by name) over retained memory. Loading never raises."""

    def __init__(self, memory: "Memory", version: int = 1, behind: "Store | None" = None, every: int = 16) -> None:
        self._memory = memory
        self._version = version
        self._behind = behind
        self._slot = memory.size // 2 if memory.size >= _SMALLEST else 0
        self._every = every if self._slot else 1
        self._durable = False
        self._next = 0
        # Memory that is buffered already lends its buffer: 2 KB are not kept twice.
        self._mirror: Any = getattr(memory, "shared", None) or bytearray(self._slot * 2)
        self.sequence = 0
        self.source = "defaults"
        self.failed = 0
        self.restart = False
        self._values: dict[str, bytes] = {}
        self._committed = b""
        if self._slot:
            raw = memory.load()
            self._mirror[: min(len(raw), len(self._mirror))] = raw[: len(self._mirror)]
            for slot in (0, 1):
                found = unseal(memoryview(self._mirror)[slot * self._slot :], version)
                if found is not None and found[0] >= self.sequence:
                    self.sequence, self._committed = found
                    self.source = "memory"
                    self._next = 1 - slot
            self._values = _unpack(self._committed)
        if behind is not None and (self.source == "defaults" or _UNREAD in self._values):
            # What the store has is taken up beside the journal's entries of the starts that could not read it.
            try:
                found = unseal(behind.load(_BEHIND) or b"", version)
                own = self._values.pop(_OWN, None)
                self._values.pop(_UNREAD, None)
                if found is not None:
                    self.source = "behind"
                    self.sequence = max(self.sequence, found[0])
                    self._committed = found[1]
                    self._values = _unpack(found[1])
                if own is not None:
                    self._values[_OWN] = own
            except OSError:
                self.failed += 1
                self.source = "unreadable"
                self._values[_UNREAD] = b""
        self._era = self.sequence // self._every

    def load(self, name: str) -> bytes | None:
        """Return the bytes kept under name, or None."""
        return self._values.get(name)

    def save(self, name: str, data: bytes, durable: bool = False) -> None:
        """Keep data (up to 65535 bytes) under name in RAM until commit(); durable: the next commit writes flash too."""
        self.keep({name: data}, durable)

    def keep(self, values: "dict[str, bytes]", durable: bool = False) -> None:
        """The same for each of these."""
        for name in values:
            data = bytes(values[name])
            if self._values.get(name) != data:
                self._values[name] = data
                self._durable = self._durable or durable

    def commit(self, behind: bool = True) -> bool:
        """Write what changed; behind=False never touches flash. False: something could not be written (`failed`).

        A state too large for a slot takes both; one too large for both goes to the store behind at every commit, and is at risk
        where there is none.
        """
        parts: list[bytes] = []
        for name in sorted(self._values):
            data = self._values[name]
            parts += (pack("<BH", len(name), len(data)), name.encode(), data)
        image = b"".join(parts)
        changed = image != self._committed
        fits = len(image) + HEADER_BYTES <= 2 * self._slot
        if changed:
            self.sequence += 1
            self._committed = image
            if fits:
                raw = seal(image, self._version, self.sequence)
                slot = self._next if len(raw) <= self._slot else 0
                self._mirror[slot * self._slot : slot * self._slot + len(raw)] = raw
                self._memory.save(self._mirror)
                self._next = 1 - slot
            elif self._slot:
                self._mirror[:] = bytes(len(self._mirror))
                self._memory.save(b"")
                self._durable = True
        if not behind or self._behind is None:
            return fits or not changed
        # Counted by the sequence, which goes on over a sleep that forgets this object.
        if not self._durable and self.sequence // self._every == self._era:
            return True
        try:
            if _UNREAD in self._values:
                self._behind.load(_BEHIND)
                self.restart = True
                return False
            self._behind.save(_BEHIND, seal(image, self._version, self.sequence))
        except OSError:
            self.failed += 1
            return False
        self._era = self.sequence // self._every
        self._durable = False
        return True
