"""Named bytes in files that are old or new after a power cut, never mixed.

    store = FileStore("/state")
    store.save("config", b"...")       # config.tmp written and closed, then renamed over config
    store.load("config")               -> b"..." or None (absent, torn or rotten)
    store.names("j")                   -> names that start with j, sorted

Content counts only after close(), and rename replaces its target atomically on littlefs; FAT gives no such promise
(MicroPython docs/reference/filesystem.rst), which is why each file also carries a CRC. A file that fails it is
counted in `damaged` and reads as absent. `writes` counts saves since start: each costs at most one sector erase per
4 KB and about 45 ms during which a UART on RP2 loses bytes, so save only while no answer of the module is
outstanding.
"""

import os

from micropython import const

from lwnode.power.frame import seal, unseal

_VERSION = 1
_ABSENT = const(2)  # ENOENT
# Room is counted in blocks: littlefs gives every file at least one, however short (4096 bytes on both ports).
BLOCK = const(4096)
# What a journal's segment is filled to at least before the next begins: a segment, less a long record (journal.py).
_FILLED = const(900)
# Blocks that stay free beside the journal: retained, tree, counts, crash.txt, each with its .tmp; two folders that split.
_STATE_BLOCKS = const(10)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Store(Protocol):
        """What every room here asks of a store."""

        def load(self, name: str) -> bytes | None:
            """Return what was saved under name, or None."""

        def save(self, name: str, data: bytes) -> None:
            """Keep data under name."""


class Files:
    """The file operations a FileStore needs, as the interpreter has them; a test hands in a simulated flash."""

    def __init__(self) -> None:
        # Attributes, not methods: flash is written at the end of deep chains, where an RP2's stack has no frame to spare.
        self.open, self.rename, self.remove, self.listdir, self.mkdir = open, os.rename, os.remove, os.listdir, os.mkdir


def blocks_of(size: int) -> int:
    """Blocks that a file of `size` bytes takes."""
    return max(1, (size + BLOCK - 1) // BLOCK)


def free_blocks(files: "Any" = None) -> "int | None":
    """Blocks that are free on the filesystem of the working directory; None where nobody can say (no statvfs)."""
    statvfs = getattr(files or os, "statvfs", None)
    if statvfs is None:
        return None
    room = statvfs("/")
    # A full littlefs counts below nothing, and the port shows that as 4294967294 (VfsLfs2 under the unix port).
    return int(room[0] * room[3] // BLOCK) if room[3] <= room[2] else 0


def spare_blocks(journal_bytes: int, files: "Any" = None, directory: str = "state") -> "int | None":
    """Blocks that something else than the node's own state may take, 0 or less where there are none; None: not known.

    The journal comes first: what `journal_bytes` promises, less the segments that it has on flash already, stays free, and
    what the node's state needs. Count what is to be written with blocks_of(), per file, and a block for each new folder
    (littlefs: two). OSError where the folder cannot be listed now.
    """
    free = free_blocks(files)
    if free is None:
        return None
    try:
        held = len([name for name in (files or os).listdir(directory) if name[:1] == "j"])
    except OSError as error:
        if error.args[0] != _ABSENT:
            raise
        held = 0
    return free - _STATE_BLOCKS - max(0, journal_bytes // _FILLED + 1 - held)


class FileStore:
    """Store protocol on files of one directory, which is made on the first save."""

    def __init__(self, directory: str, files: "Files | None" = None) -> None:
        self._directory = directory
        self._files = files or Files()
        self.writes = 0
        self.damaged = 0

    def _path(self, name: str) -> str:
        if not name or "/" in name or name.endswith(".tmp"):
            raise ValueError("a store name is a plain file name, not %r" % name)
        return self._directory + "/" + name

    def load(self, name: str) -> bytes | None:
        """Return what was saved last, or None where it is absent or its CRC fails (then `damaged` grows)."""
        try:
            with self._files.open(self._path(name), "rb") as file:
                raw = file.read()
        except OSError:
            return None
        found = unseal(raw, _VERSION)
        if found is None:
            self.damaged += 1
            return None
        return found[1]

    def save(self, name: str, data: bytes) -> None:
        """Replace what is kept under name (up to 65535 bytes). OSError where the flash is full or not mounted."""
        path = self._path(name)
        temporary = path + ".tmp"
        try:
            file = self._files.open(temporary, "wb")
        except OSError:
            self._files.mkdir(self._directory)
            file = self._files.open(temporary, "wb")
        with file:
            file.write(seal(data, _VERSION))
        self._files.rename(temporary, path)
        self.writes += 1

    def remove(self, name: str) -> None:
        """Forget name; absent is as good as removed."""
        try:
            self._files.remove(self._path(name))
        except OSError:
            pass

    def names(self, prefix: str = "") -> list[str]:
        """Return the kept names that start with prefix, sorted; half-written ones do not count."""
        try:
            found = self._files.listdir(self._directory)
        except OSError:
            return []
        return sorted(name for name in found if name.startswith(prefix) and not name.endswith(".tmp"))


class TwinStore:
    """One value in two homes: read from the first that has it, written to both where it differs.

    The second home of endpoint, server, APN and PSK (NVS, a reserved flash sector) outlives the filesystem; `recovered` lists
    the names the first home had lost, so that the node can say what happened.
    """

    def __init__(self, first: "Store", second: "Store") -> None:
        self._first = first
        self._second = second
        self.recovered: list[str] = []

    def load(self, name: str) -> bytes | None:
        """Return the first home's value, or the second's (and put it back into the first where that can be written)."""
        data = self._first.load(name)
        if data is not None:
            return data
        data = self._second.load(name)
        if data is not None:
            if name not in self.recovered:
                self.recovered.append(name)
            try:
                self._first.save(name, data)
            except OSError:
                pass  # no filesystem: the second home alone must do
        return data

    def save(self, name: str, data: bytes) -> None:
        """Write both homes, each only where it differs. OSError only when neither could be written."""
        failed = 0
        for home in (self._second, self._first):
            try:
                if home.load(name) != data:
                    home.save(name, data)
            except OSError:
                failed += 1
        if failed == 2:
            raise OSError("neither home of %s could be written" % name)
