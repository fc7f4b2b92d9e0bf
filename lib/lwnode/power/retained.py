"""State that survives sleep and reset: two slots in retained memory, a store behind them.

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

from struct import pack, unpack_from

from micropython import const

from lwnode.power.store import HEADER_BYTES, seal, unseal

_SMALLEST = const(128)  # a memory below this holds no useful state: the store behind takes over
_BEHIND = const("retained")
_UNREAD = const("?")  # a name in retained memory: what the store behind has is still to be taken up
_OWN = const("journal")  # entries made meanwhile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from lwnode.power.store import Store

    class Memory(Protocol):
        """Retained memory of a board."""

        size: int

        def load(self) -> bytes:
            """Return all of it, or b"" when it lost its content."""

        def save(self, data: "bytes | bytearray") -> None:
            """Replace all of it."""


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
        data = bytes(data)
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
