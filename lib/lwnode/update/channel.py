"""Updates by the server: object 9, software management, as a row of firmware/sensors.py.

    from lwnode.update.channel import declare as updates
    updates(tree, board)

    write    9/0/2   a piece of a package: its offset (u32, little-endian), then the bytes; offset 0 begins anew
    execute  9/0/4   install: check and stage, restart after this wake, try
    read     9/0/1   version accepted last     9/0/7 state, 9/0/9 result, by the object's own numbers

A pull module (BC66) hands these on one by one. A pipe (BC20, BG96) carries them as commands on 19/1/0, and the result goes out
with a later report. A shadow (ME910C1) keeps one value of a resource and hands on no executes: pieces are refused there, and
updates come by cable. Pieces must be in order; one that comes again is taken for a repetition. What is acknowledged is on
flash, so a server goes on where it was after any outage.

Bounds: a piece is as long as the module's longest write (BC66: 512 bytes, 50 before R01A10); some 1 KB of heap while declared.
"""

from struct import unpack

from lwnode.lwm2m import INTEGER, Reject
from lwnode.lwm2m.build import add, place
from lwnode.lwm2m.rules import Rules
from lwnode.lwm2m.rows import Sensor
from lwnode.update import UpdateError
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m.types import Plain

_PACKAGE = const(2)
_INSTALL = const(4)
_STATE = const(7)
_RESULT = const(9)
# OMA LwM2M software management object, resources 7 and 9.
_INITIAL, _STARTED, _DOWNLOADED, _DELIVERED, _INSTALLED = 0, 1, 2, 3, 4
_DOWNLOADING, _SUCCESS, _VERIFIED, _NO_ROOM, _NO_MEMORY, _GAP, _BAD, _FAILED = 1, 2, 3, 50, 51, 52, 53, 58
_FILE = "/update/package"


def declare(tree: "Any", board: "Any", settings: "Any" = None, files: "Any" = None) -> None:
    """Add the row. settings and files are for a simulation; a node reads its own when an update is to be installed."""
    row = Channel(tree, 9, 0, "1.0")
    row.executes = {_INSTALL: row.ask}
    row.tree, row.board, row.config, row.files = tree, board, settings, files
    row.read = row.outcome
    add(row, _RESULT).rules = Rules(deadband=0.5)  # reported where it changed
    place(tree, row)


class Channel(Sensor):
    """Pieces of a package in order, and what became of it: a sensor whose reading is the result."""

    tree: "Any" = None
    board: "Any" = None
    config: "Any" = None
    files: "Any" = None
    state = _INITIAL
    result = _INITIAL
    staged = 0  # version
    kept = Sensor.kept + ("state", "result", "staged")
    _have: "int | None" = None

    def serves(self, id: int) -> bool:
        return id in (0, 1, _PACKAGE, _STATE) or super().serves(id)

    def extra(self, id: int) -> "Plain | None":
        if id == 0:
            return "lwnode"
        if id == 1:
            from lwnode.update.staging import accepted
            return str(accepted(self._files(), self.board.vault))
        return self.state if id == _STATE else super().extra(id)

    def entry(self, id: int) -> "tuple[int, str | bytes] | None":
        return (INTEGER, str(self.result)) if id == _RESULT else super().entry(id)

    def check_write(self, id: int, data: bytes, binary: bool = False) -> "Plain":
        if id == _PACKAGE and _INSTALL not in self.offered:
            raise Reject(405, "this module hands on no executes: bring updates by cable")
        return super().check_write(id, data, binary)

    def write(self, id: int, value: "Plain") -> None:
        """One piece, on flash before it is acknowledged."""
        data = bytes(value) if isinstance(value, (bytes, bytearray)) else b""
        if len(data) < 5:
            raise Reject(400, "a piece is its offset in four bytes, and content")
        offset = int(unpack("<I", data[:4])[0])
        have = self._length()
        if offset and offset + len(data) - 4 <= have:
            return
        if offset not in (0, have):
            self._tell(_STARTED, _GAP)
            raise Reject(400, "a piece at %d, expected at %d" % (offset, have))
        try:
            self._append(data[4:], offset == 0)
        except OSError:
            self._tell(_INITIAL, _NO_ROOM)
            raise Reject(500, "no room for the package")
        self._have = offset + len(data) - 4
        if self.state != _STARTED or self.result != _DOWNLOADING:
            self._tell(_STARTED, _DOWNLOADING)

    def _append(self, data: bytes, anew: bool) -> None:
        files = self._files()
        try:
            file = files.open(_FILE, "wb" if anew else "ab")
        except OSError:
            files.mkdir("/update")
            file = files.open(_FILE, "wb")
        with file:
            file.write(data)

    def _length(self) -> int:
        """Bytes on flash: counted once after a restart."""
        if self._have is None:
            self._have = 0
            try:
                with self._files().open(_FILE, "rb") as file:
                    while True:
                        found = len(file.read(512))
                        self._have += found
                        if not found:
                            break
            except OSError:
                pass
        return self._have

    def _files(self) -> "Any":
        if self.files is None:
            self.files = __import__("swap").Files()
        return self.files

    def outcome(self) -> int:
        """The result, as the next sample reads it; what was on trial may be kept or taken back by now."""
        if self.state == _DELIVERED:
            swap = __import__("swap")
            last = swap.read(self._files(), swap.LAST) or ""
            if last.startswith("%d " % self.staged):
                self._tell(*((_INSTALLED, _SUCCESS) if last.endswith("kept") else (_INITIAL, _FAILED)))
        return self.result

    def _tell(self, state: int, result: int) -> None:
        """A new state: read, observed, or sent with the next report."""
        self.state, self.result = state, result
        self.tree.dirty = True

    def ask(self, argument: bytes = b"") -> None:
        """Install, once the contact is over: staging takes seconds, and the server waits for its answer."""
        if not self._length():
            raise Reject(405, "no package")
        self._tell(_DOWNLOADED, _DOWNLOADING)
        self.tree.after = self.install

    def install(self) -> None:
        """Check and stage what came; the node restarts when this wake is over. Says what is wrong where it is."""
        from lwnode.update import key_of, stage
        self._have = None
        try:
            config = self.config or self._read()
            version = stage(key_of(config.secret), "%s/%s" % (self.board.definition.NAME, config.family), self.files,
                            self.board.vault, self._free(), self.board.feed)
        except UpdateError as error:
            text = str(error)
            print("update:", text)
            self.tree.refuse("update", 400, text)
            self._tell(_INITIAL, _NO_ROOM if "KB are needed" in text else _BAD)
        except MemoryError:
            self._tell(_INITIAL, _NO_MEMORY)
        else:
            print("update: version %d is staged" % version)
            self.staged = version
            self._tell(_DELIVERED, _VERIFIED)
            __import__("swap").staged(self.files)

    def _read(self) -> "Any":
        from lwnode.config import read
        return read()

    def _free(self) -> "int | None":
        import os
        if not hasattr(os, "statvfs") or self.config is not None:
            return None
        room = os.statvfs("/")
        return int(room[0] * room[3])
