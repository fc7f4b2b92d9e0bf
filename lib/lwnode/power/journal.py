"""Readings that wait for an acknowledgement: bytes with sequence numbers, kept over sleep, crash and power loss.

    journal = Journal(state, FileStore("/state"), limit_bytes=65536, batch=8)
    seq = journal.append(b"...")       # at once in RTC memory, or in RAM where there is none (state None)
    journal.flush()                    # while no answer is outstanding: a full batch goes to flash
    for seq, data in journal.entries(): ...    # oldest first
    journal.remove([seq])              # acknowledged: only this takes an entry away
    journal.hand(seq)                  # taken by a module that acknowledges nothing: kept until release() says what to believe
    journal.exposed                    # entries that a power loss now would take (at most `batch`)

ESP32: entries live in RTC memory and survive sleep, panic and watchdog; when a batch or `rtc_bytes` is full,
flush() moves them to flash. RP2: entries live in RAM, which sleep keeps, and go to flash by batches; until then a
reset takes them too. `batch` is the bound of what is exposed, and may be set at any time: 1 below the brown-out
band.

Flash holds segments of up to 1 KB, each a file that is whole or absent and named by first and last sequence number,
count and bytes, so that one directory listing is the index. Entries beyond `limit_bytes` push out the oldest
segment, counted in `dropped`; a segment whose CRC fails is counted in `damaged`. Writes: one per batch, plus one
when a segment was acknowledged in part; none while contacts succeed. The bound in RAM is one segment plus one
batch.

What flash does not give for the moment stays where it is: a segment that cannot be read is passed over and asked for again,
one that cannot be removed is removed later, and while the folder cannot be listed new entries stay in RTC memory or RAM and
have provisional numbers, which flush() replaces. Numbers never begin anew, so a segment within another is an older version
of it, and what lies before the oldest entry that waits is delivered.
"""

from struct import pack, unpack_from

from micropython import const

_SEGMENT = const(1024)
_RAM_MAX = const(4096)
_RECORD = const("<IH")
_RECORD_HEAD = const(6)
# next number, dropped, damaged, errors, first number that may still wait, last one handed over, 0: numbers are provisional
_META = const("<IIIIIIB")
_META_BYTES = const(25)
_COUNTS = const("counts")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, Iterator

    from lwnode.power.store import FileStore, RetainedState

    Entry = tuple[int, bytes]
    Segment = tuple[int, int, int, int]  # first and last number, entries, bytes


def _pack(entries: "list[Entry]") -> bytes:
    parts = []
    for seq, data in entries:
        parts.append(pack(_RECORD, seq, len(data)))
        parts.append(data)
    return b"".join(parts)


def _unpack(raw: bytes, at: int = 0) -> "Iterator[Entry]":
    while at + _RECORD_HEAD <= len(raw):
        seq, length = unpack_from(_RECORD, raw, at)
        at += _RECORD_HEAD
        yield seq, raw[at : at + length]
        at += length


def _size(entries: "list[Entry]") -> int:
    return sum([_RECORD_HEAD + len(data) for _, data in entries])


def _name(segment: "Segment") -> str:
    return "j%08x-%08x-%x-%x" % segment


def _inside(entries: "Iterable[int]", segment: "Segment") -> set[int]:
    return {seq for seq in entries if segment[0] <= seq <= segment[1]}


class Journal:
    """Store and forward of opaque records, each up to 1000 bytes. Bounded; the oldest give way and are counted."""

    def __init__(self, rtc: "RetainedState | None", flash: "FileStore", limit_bytes: int = 65536, batch: int = 8,
                 rtc_bytes: int = 512) -> None:
        self._rtc = rtc
        self._flash = flash
        self._limit = limit_bytes
        self._rtc_bytes = rtc_bytes
        self._acked: set[int] = set()
        self._cached: tuple[Segment, bytes] | None = None
        self._segments: list[Segment] = []
        self._leftover: list[Segment] = []  # files to be removed
        self._unlisted = True  # the index on flash has not been read yet
        self._provisional = False  # the fresh entries got their numbers without it
        self._oldest = 0  # the first number that may still wait
        self._errors = 0
        self.batch = batch
        self.next_number = 1
        self.handed = 0  # entries up to this number are with a module that cannot say whether they arrived; 0: none
        self.dropped = 0
        self.damaged = 0
        self.unreadable = 0  # entries that the last walk through them could not read
        self._fresh: list[Entry] = []
        if rtc is not None:
            raw = rtc.load("journal")
            if self._load_counts(raw):
                self._fresh = list(_unpack(raw or b"", _META_BYTES))
        self._list()

    def _load_counts(self, raw: bytes | None) -> bool:
        if not raw or len(raw) < _META_BYTES:
            return False
        (self.next_number, self.dropped, self.damaged, self._errors, self._oldest, self.handed, known) = unpack_from(_META, raw)
        self._provisional = self._provisional or not known
        return True

    def _list(self) -> bool:
        """Read the index where that has not been possible yet; False: not now either. Renumbers what is provisional."""
        if not self._unlisted:
            return True
        try:
            names = self._flash.names("j")
            if self._rtc is None:
                self._load_counts(self._flash.load(_COUNTS))
                self.handed = 0  # as it was when something was dropped: sent twice sooner than not at all
        except OSError:
            self._provisional = True
            return False
        self._unlisted = False
        found = []
        for name in names:
            try:
                first, last, count, size = [int(part, 16) for part in name[1:].split("-")]
                found.append((first, -last, -count, size))
            except ValueError:
                pass  # not ours
        for first, last, count, size in sorted(found):  # of those with one beginning the longest first
            segment = (first, -last, -count, size)
            # What a cut between write and delete, or a failed delete, has left behind.
            if segment[1] < self._oldest or self._segments and segment[1] <= self._segments[-1][1]:
                self._drop_file(segment)
            else:
                self._segments.append(segment)
        following = max(self._oldest, self._segments[-1][1] + 1 if self._segments else 1)
        if not self._provisional:
            # What a cut left in both places is taken from flash alone.
            while self._fresh and self._fresh[0][0] < following:
                self._fresh.pop(0)
        elif self._fresh and self._fresh[0][0] < following:
            shift = following - self._fresh[0][0]
            for at, (seq, data) in enumerate(self._fresh):
                self._fresh[at] = (seq + shift, data)
        self._provisional = False
        self.next_number = max(self.next_number, following, self._fresh[-1][0] + 1 if self._fresh else 0)
        return True

    def __len__(self) -> int:
        """Return how many entries wait to be sent."""
        handed = self.handed
        return sum([max(0, min(segment[2], segment[1] - handed)) for segment in self._segments]) + sum(
            [entry[0] > handed for entry in self._fresh]) - sum([number > handed for number in self._acked])

    @property
    def exposed(self) -> int:
        """How many entries are not on flash: what a loss of power at this moment would take."""
        return len(self._fresh)

    @property
    def errors(self) -> int:
        """How often the flash refused something, here or to another user of the same store."""
        return self._errors + self._flash.errors

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
        self._fresh.append((self.next_number, bytes(data)))
        self.next_number += 1
        self._keep_fresh()
        return self.next_number - 1

    def _meta(self) -> bytes:
        if not self._unlisted:
            oldest = self._segments[0][0] if self._segments else self._fresh[0][0] if self._fresh else self.next_number
            self._oldest = max(self._oldest, oldest)
        return pack(_META, self.next_number, self.dropped, self.damaged, self.errors, self._oldest, self.handed,
                    not self._provisional)

    def _save_fresh(self) -> bool:
        """Put the fresh entries into RTC memory; False where they do not fit."""
        if self._rtc is None:
            return True
        self._rtc.save("journal", self._meta() + _pack(self._fresh))
        return self._rtc.commit(False)

    def entries(self, limit: int | None = None) -> "Iterator[Entry]":
        """Yield up to `limit` (seq, data), oldest first; entries may be removed meanwhile. Unreadable ones are passed over."""
        left = -1 if limit is None else limit
        last = self._oldest - 1  # a delivered part that could not be removed overlaps with what is left of it
        unreadable = 0
        for segment in list(self._segments):
            found = self._waiting(segment)
            if found is None:
                unreadable += segment[2]
            for entry in found or ():
                if entry[0] > last and entry[0] not in self._acked:
                    if left == 0:
                        return
                    left -= 1
                    last = entry[0]
                    yield entry
        self.unreadable = unreadable
        for entry in self._fresh[: left if left >= 0 else None]:
            yield entry

    def _waiting(self, segment: "Segment") -> "list[Entry] | None":
        """What waits of a segment; nothing where it is damaged, and then it is put away; None where it is unreadable now."""
        if self._cached is None or self._cached[0] != segment:
            try:
                raw = self._flash.load(_name(segment))
            except OSError:
                return None
            if raw is None:
                # Counted and put away: what follows it is not held up by it.
                self.damaged += segment[2]
                self._forget(segment)
                return []
            self._cached = (segment, raw)
        return [e for e in _unpack(self._cached[1]) if e[0] >= self._oldest and e[0] not in self._acked]

    def _forget(self, segment: "Segment") -> None:
        if segment in self._segments:
            self._segments.remove(segment)
        acked: set[int] = set()
        for other in self._segments:
            acked |= _inside(self._acked, other)
        self._acked = acked
        self._cached = None
        self._drop_file(segment)

    def _drop_file(self, segment: "Segment") -> None:
        if not self._flash.remove(_name(segment)):
            self._leftover.append(segment)

    def remove(self, entries: "Iterable[int]") -> None:
        """Take away acknowledged entries; unknown numbers are no error. Whole segments go at once, parts at flush()."""
        gone = set(entries)
        for entry in self._fresh[:]:
            if entry[0] in gone:
                self._fresh.remove(entry)
        for segment in list(self._segments):
            mine = _inside(gone, segment)
            if mine:
                waiting = self._waiting(segment)
                left = mine if waiting is None else set(dict(waiting))
                self._acked |= mine & left
                if waiting is not None and left <= mine:
                    self._forget(segment)
        self._save_fresh()

    def hand(self, number: int) -> None:
        """Note that entries up to this number are with a module that cannot say whether they have arrived."""
        self.handed = number
        self._save_fresh()

    def release(self, arrived: bool) -> None:
        """Take them away, or have them wait again."""
        number, self.handed = self.handed, 0
        self.remove([entry for entry, _ in self.entries() if arrived and entry <= number])

    def flush(self, force: bool = False) -> bool:
        """Write to flash what must survive: a full batch, and what is left of segments acknowledged in part.

        force: whatever is exposed, a batch or not. False: the flash took nothing; entries stay where they are and
        are dropped, oldest first and counted, only above the limit.
        """
        fine = self._list()
        self._leftover, leftover = [], self._leftover
        for segment in leftover:
            self._drop_file(segment)
        for segment in list(self._segments):
            rest = self._waiting(segment) if _inside(self._acked, segment) else None
            if rest:
                fine = self._replace(segment, rest) and fine
            elif rest is not None:
                self._forget(segment)
        full = len(self._fresh) >= self.batch or (self._rtc is not None and _size(self._fresh) > self._rtc_bytes)
        if self._fresh and (force or full):
            fine = self._spill() and fine
        before = self.dropped
        while self._segments and self.size > self._limit:
            segment = self._segments[0]
            self.dropped += max(0, min(segment[2] - len(_inside(self._acked, segment)), segment[1] - self.handed))
            self._forget(segment)
        if self.dropped != before and not self._rtc:
            try:
                self._flash.save(_COUNTS, self._meta())
            except OSError:
                pass  # counted by the store, and kept with the next
        self._keep_fresh()
        return fine

    def _keep_fresh(self) -> None:
        """Where neither RTC memory nor flash takes them: the newest that fit into RAM, or beside the rest of the state."""
        if _size(self._fresh) <= _RAM_MAX and self._save_fresh() or self._spill():
            return
        while self._fresh and (_size(self._fresh) > _RAM_MAX or not self._save_fresh()):
            self._fresh.pop(0)
            self.dropped += 1

    def _replace(self, segment: "Segment | None", entries: "list[Entry]") -> bool:
        """Write entries as a segment, then delete the one they come from. A cut in between leaves both: see _list."""
        new = (entries[0][0], entries[-1][0], len(entries), _size(entries))
        try:
            self._flash.save(_name(new), _pack(entries))
        except OSError:
            if new != segment:
                self._leftover.append(new)  # an error may come after the deed
            return False
        while new in self._leftover:
            self._leftover.remove(new)
        if segment is not None and segment != new:
            self._forget(segment)
        if new not in self._segments:
            self._segments.append(new)
            self._segments.sort()
        return True

    def _spill(self) -> bool:
        """Move fresh entries to flash: onto the last segment while it has room, then into new ones."""
        while self._fresh and self._list():
            last = self._segments[-1] if self._segments else None
            entries = []
            if last is not None and last[3] + _RECORD_HEAD + len(self._fresh[0][1]) <= _SEGMENT:
                entries = self._waiting(last) or []
            size = _size(entries)
            taken = 0
            for _, data in self._fresh:
                size += _RECORD_HEAD + len(data)
                if size > _SEGMENT:
                    break
                taken += 1
            if not self._replace(last if entries else None, entries + self._fresh[:taken]):
                return False
            self._fresh = self._fresh[taken:]
            self._save_fresh()
        return not self._fresh
