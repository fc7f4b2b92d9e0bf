"""Readings that wait for an acknowledgement: bytes with sequence numbers, kept over sleep, crash and power loss.

    journal = Journal(hot=state, cold=FileStore("/state"), limit_bytes=65536, batch=8)
    seq = journal.append(b"...")       # at once in RTC memory (hot), or in RAM where there is none
    journal.flush()                    # while no answer is outstanding: a full batch goes to flash
    for seq, data in journal.entries(): ...    # oldest first
    journal.remove([seq])              # acknowledged: only this takes an entry away
    journal.exposed                    # entries that a power loss now would take (at most `batch`)

ESP32: entries live in RTC memory and survive sleep, panic and watchdog; when a batch or `hot_bytes` is full,
flush() moves them to flash. RP2: entries live in RAM, which sleep keeps, and go to flash by batches; until then a
reset takes them too. `batch` is the bound of what is exposed, and may be set at any time: 1 below the brown-out
band.

Flash holds segments of up to 1 KB, each a file that is whole or absent and named by first and last sequence number,
count and bytes, so that one directory listing is the index. Entries beyond `limit_bytes` push out the oldest
segment, counted in `dropped`; a segment whose CRC fails is counted in `damaged`. Writes: one per batch, plus one
when a segment was acknowledged in part; none while contacts succeed. The bound in RAM is one segment plus one
batch.
"""

from struct import calcsize, pack, unpack_from

from micropython import const

_SEGMENT = const(1024)
_RAM_MAX = const(4096)
_RECORD = "<IH"
_RECORD_HEAD = const(6)
_META = "<III"
_PREFIX = "j"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, Iterator

    from lwnode.power.retained import RetainedState
    from lwnode.power.store import FileStore

    Entry = tuple[int, bytes]
    Segment = tuple[int, int, int, int]


def _pack(entries: "list[Entry]") -> bytes:
    parts = []
    for seq, data in entries:
        parts.append(pack(_RECORD, seq, len(data)))
        parts.append(data)
    return b"".join(parts)


def _unpack(raw: bytes, at: int = 0) -> "list[Entry]":
    entries = []
    while at + _RECORD_HEAD <= len(raw):
        seq, length = unpack_from(_RECORD, raw, at)
        at += _RECORD_HEAD
        entries.append((seq, raw[at : at + length]))
        at += length
    return entries


def _size(entries: "list[Entry]") -> int:
    return sum([_RECORD_HEAD + len(data) for _, data in entries])


def _name(segment: "Segment") -> str:
    return "%s%08x-%08x-%x-%x" % ((_PREFIX,) + segment)


def _segment(name: str) -> "Segment | None":
    try:
        first, last, count, size = [int(part, 16) for part in name[len(_PREFIX) :].split("-")]
    except ValueError:
        return None
    return first, last, count, size


class Journal:
    """Store and forward of opaque records, each up to 1000 bytes. Bounded; the oldest give way and are counted."""

    def __init__(self, hot: "RetainedState | None", cold: "FileStore", limit_bytes: int = 65536, batch: int = 8,
                 hot_bytes: int = 512) -> None:
        self._hot = hot
        self._cold = cold
        self._limit = limit_bytes
        self._hot_bytes = hot_bytes
        self._acked: set[int] = set()
        self._cached: tuple[Segment, list[Entry]] | None = None
        self.batch = batch
        self.dropped = 0
        self.damaged = 0
        self.failed_writes = 0
        self._segments = self._index()
        self._fresh: list[Entry] = []
        self._load_fresh()

    def _index(self) -> "list[Segment]":
        """List the segments; one that lies within another is what a cut between write and delete left behind."""
        found = [segment for segment in map(_segment, self._cold.names(_PREFIX)) if segment is not None]
        kept: list[Segment] = []
        for segment in sorted(found, key=lambda s: (s[0], -s[1], -s[2])):
            if kept and segment[1] <= kept[-1][1]:
                self._cold.remove(_name(segment))
            else:
                kept.append(segment)
        return kept

    def _load_fresh(self) -> None:
        raw = self._hot.load("journal") if self._hot else self._cold.load("counts")
        on_flash = self._segments[-1][1] if self._segments else 0
        self.next_number = on_flash + 1
        if raw and len(raw) >= calcsize(_META):
            following, self.dropped, self.damaged = unpack_from(_META, raw, 0)
            self.next_number = max(self.next_number, following)
            if self._hot:
                # What a cut left in both places is taken from flash alone.
                self._fresh = [entry for entry in _unpack(raw, calcsize(_META)) if entry[0] > on_flash]
        if self._fresh:
            self.next_number = max(self.next_number, self._fresh[-1][0] + 1)

    def __len__(self) -> int:
        """Return how many entries wait."""
        return sum([segment[2] for segment in self._segments]) - len(self._acked) + len(self._fresh)

    @property
    def exposed(self) -> int:
        """How many entries are not on flash: what a loss of power at this moment would take."""
        return len(self._fresh)

    @property
    def size(self) -> int:
        """Bytes that wait, on flash and off it."""
        return sum([segment[3] for segment in self._segments]) + _size(self._fresh)

    def append(self, data: bytes) -> int:
        """Keep a record and return its sequence number. Writes flash only when RTC memory is full: call it before
        the module is spoken to, and flush() at a quiet moment.
        """
        if len(data) + _RECORD_HEAD > _SEGMENT:
            raise ValueError("a journal record has at most %d bytes, not %d" % (_SEGMENT - _RECORD_HEAD, len(data)))
        seq = self.next_number
        self.next_number += 1
        self._fresh.append((seq, bytes(data)))
        if not self._save_fresh() and not self._spill():
            self._bound_fresh(self._hot_bytes)
        return seq

    def _save_fresh(self) -> bool:
        """Put the fresh entries into RTC memory; False where they do not fit."""
        if self._hot is None:
            return True
        meta = pack(_META, self.next_number, self.dropped, self.damaged)
        self._hot.save("journal", meta + _pack(self._fresh))
        return self._hot.commit(False)

    def entries(self, limit: int | None = None) -> "Iterator[Entry]":
        """Yield up to `limit` (seq, data), oldest first; entries may be removed meanwhile."""
        left = -1 if limit is None else limit
        for segment in list(self._segments):
            for entry in self._read(segment):
                if entry[0] in self._acked:
                    continue
                if left == 0:
                    return
                left -= 1
                yield entry
        for entry in list(self._fresh):
            if left == 0:
                return
            left -= 1
            yield entry

    def _read(self, segment: "Segment") -> "list[Entry]":
        if self._cached is not None and self._cached[0] == segment:
            return self._cached[1]
        raw = self._cold.load(_name(segment))
        if raw is None:
            # Rotten: counted and put away, what follows it is not held up by it.
            self.damaged += segment[2]
            self._forget(segment)
            return []
        entries = _unpack(raw)
        self._cached = (segment, entries)
        return entries

    def _forget(self, segment: "Segment") -> None:
        if segment in self._segments:
            self._segments.remove(segment)
        self._acked = {seq for seq in self._acked if not segment[0] <= seq <= segment[1]}
        self._cold.remove(_name(segment))
        self._cached = None

    def remove(self, seqs: "Iterable[int]") -> None:
        """Take away acknowledged entries; unknown numbers are no error. Whole segments go at once, parts at flush()."""
        gone = set(seqs)
        kept = [entry for entry in self._fresh if entry[0] not in gone]
        if len(kept) != len(self._fresh):
            self._fresh = kept
            self._save_fresh()
        for segment in list(self._segments):
            mine = [seq for seq in gone if segment[0] <= seq <= segment[1]]
            if mine:
                known = {entry[0] for entry in self._read(segment)}
                self._acked.update([seq for seq in mine if seq in known])
                if known and known <= self._acked:
                    self._forget(segment)

    def flush(self, force: bool = False) -> bool:
        """Write to flash what must survive: a full batch, and what is left of segments acknowledged in part.

        force: whatever is exposed, a batch or not. False: the flash took nothing; entries stay where they are and
        are dropped, oldest first and counted, only above the limit.
        """
        fine = True
        for segment in [s for s in self._segments if any([s[0] <= seq <= s[1] for seq in self._acked])]:
            rest = [entry for entry in self._read(segment) if entry[0] not in self._acked]
            fine = self._replace(segment, rest) and fine
        full = len(self._fresh) >= self.batch or (self._hot is not None and _size(self._fresh) > self._hot_bytes)
        if self._fresh and (force or full):
            fine = self._spill() and fine
            if not fine:
                self._bound_fresh(_RAM_MAX if self._hot is None else self._hot_bytes)
        self._bound()
        return fine

    def _replace(self, segment: "Segment | None", entries: "list[Entry]") -> bool:
        """Write entries as a segment, then delete the one they come from. A cut in between leaves both: see _index."""
        new = (entries[0][0], entries[-1][0], len(entries), _size(entries))
        try:
            self._cold.save(_name(new), _pack(entries))
        except OSError:
            self.failed_writes += 1
            return False
        if segment is not None:
            self._forget(segment)
        self._segments.append(new)
        self._segments.sort()
        return True

    def _spill(self) -> bool:
        """Move fresh entries to flash: onto the last segment while it has room, then into new ones."""
        while self._fresh:
            last = self._segments[-1] if self._segments else None
            if last is not None and last[3] + _RECORD_HEAD + len(self._fresh[0][1]) > _SEGMENT:
                last = None
            entries = list(self._read(last)) if last is not None else []
            room = _SEGMENT - _size(entries)
            taken = 0
            for _, data in self._fresh:
                room -= _RECORD_HEAD + len(data)
                if room < 0:
                    break
                taken += 1
            if not self._replace(last, entries + self._fresh[:taken]):
                return False
            self._fresh = self._fresh[taken:]
            self._save_fresh()
        return True

    def _bound(self) -> None:
        """Drop the oldest until the limit holds."""
        before = self.dropped
        while self._segments and self.size > self._limit:
            segment = self._segments[0]
            self.dropped += segment[2] - len([s for s in self._acked if segment[0] <= s <= segment[1]])
            self._forget(segment)
        if self.dropped != before:
            self._save_counts()

    def _bound_fresh(self, limit: int) -> None:
        """The flash takes nothing: keep the newest that RAM or RTC memory has room for."""
        while _size(self._fresh) > limit:
            self._fresh.pop(0)
            self.dropped += 1
        self._save_fresh()

    def _save_counts(self) -> None:
        if self._hot:
            self._save_fresh()
            return
        try:
            self._cold.save("counts", pack(_META, self.next_number, self.dropped, self.damaged))
        except OSError:
            self.failed_writes += 1
