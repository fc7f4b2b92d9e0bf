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
from lwnode.power.store import blocks_of, spare_blocks
from lwnode.update import NO_ROOM, PACKAGE, UpdateError, accepted, head_of, key_of, stage
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
_DOWNLOADING, _SUCCESS, _VERIFIED, _NO_MEMORY, _GAP, _FAILED = 1, 2, 3, 51, 52, 58


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
    _known: "tuple[int, int] | None" = None

    def serves(self, id: int) -> bool:
        return id in (0, 1, _PACKAGE, _STATE) or super().serves(id)

    def extra(self, id: int) -> "Plain | None":
        if id == 0:
            return "lwnode"
        if id == 1:
            return str(accepted(self._files(), self.board.protected))
        return self.state if id == _STATE else super().extra(id)

    def entry(self, id: int) -> "tuple[int, str | bytes] | None":
        return (INTEGER, str(self.result)) if id == _RESULT else super().entry(id)

    def check_write(self, id: int, data: bytes, binary: bool = False) -> "Plain":
        if id == _PACKAGE:
            if _INSTALL not in self.offered:
                raise Reject(405, "this module hands on no executes: bring updates by cable")
            try:
                key_of(self._settings().secret)
            except UpdateError as error:
                raise Reject(405, str(error))
        return super().check_write(id, data, binary)

    def write(self, id: int, value: "Plain") -> None:
        """One piece, on flash before it is acknowledged."""
        data = bytes(value) if isinstance(value, (bytes, bytearray)) else b""
        if len(data) < 5:
            raise Reject(400, "a piece is its offset in four bytes, and content")
        offset, end = int(unpack("<I", data[:4])[0]), int(unpack("<I", data[:4])[0]) + len(data) - 4
        files = self._files()
        try:
            have, length = self._look()
            if offset and end <= have:
                return
            if not offset:
                length = self._begin(data[4:])
            if offset not in (0, have) or end > length:
                self._tell(_STARTED, _GAP)
                raise Reject(400, "a piece from %d to %d, expected from %d to at most %d" % (offset, end, have, length))
            self._known = None
            with files.open(PACKAGE, "ab" if offset else "wb") as file:
                file.write(data[4:])
            self._known = end, length
        except OSError as error:
            if error.args[0] == 28:  # ENOSPC
                self._remove()
                self._tell(_INITIAL, NO_ROOM)
            raise Reject(500, "the flash takes no piece: error %s" % error.args[0])
        if self.state != _STARTED or self.result != _DOWNLOADING:
            self._tell(_STARTED, _DOWNLOADING)

    def _begin(self, head: bytes) -> int:
        """The length of a package that may come, by its first piece. Reject where it is not for this node, or has no room."""
        import swap
        files = self._files()
        try:
            if swap.Swap(files).rows:
                raise UpdateError("an update is on trial", _FAILED)
            length, _, rows = head_of(head, self._target(), accepted(files, self.board.protected))
            spare = spare_blocks(self._settings().journal_bytes, files)
            # The package, what is made of it, and folders; staging counts exactly.
            needed = 2 * blocks_of(length) + rows + 8
            if spare is not None and needed > spare:
                raise UpdateError("%d KB are needed, %d KB may be taken" % (needed * 4, max(0, spare) * 4), NO_ROOM)
        except UpdateError as error:
            self._tell(self.state, error.result)
            raise Reject(400, str(error))
        swap.make(files, "/update")
        return length

    def _look(self) -> "tuple[int, int]":
        """(bytes on flash, bytes that the package is to have): looked up once after a restart, and what is stale removed."""
        if self._known is None:
            self._known = 0, 0
            files = self._files()
            try:
                with files.open(PACKAGE, "rb") as file:
                    length = head_of(file.read(64), self._target(), accepted(files, self.board.protected))[0]
                    self._known = file.seek(0, 2), length
            except UpdateError:
                self._remove()
            except OSError as error:
                if error.args[0] != 2:  # ENOENT
                    self._known = None
                    raise
        return self._known

    def _remove(self) -> None:
        self._known = 0, 0
        try:
            self._files().remove(PACKAGE)
        except OSError:
            self._known = None

    def _target(self) -> str:
        return "%s/%s" % (self.board.definition.NAME, self._settings().family)

    def _files(self) -> "Any":
        if self.files is None:
            import swap
            self.files = swap.Files()
        return self.files

    def _settings(self) -> "Any":
        if self.config is None:
            from lwnode.config import read
            self.config = read()
        return self.config

    def outcome(self) -> int:
        """The result, as the next sample reads it; what was on trial may be kept or taken back by now."""
        if self.state == _DELIVERED:
            import swap
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
        have, length = self._look()
        if not have or have != length:
            raise Reject(405, "%d of %d bytes of a package are here" % (have, length))
        self._tell(_DOWNLOADED, _DOWNLOADING)
        self.tree.after = self.install

    def install(self) -> None:
        """Check and stage what came; the node restarts when this wake is over. Says what is wrong where it is."""
        import swap
        self._known = None
        config, files = self._settings(), self._files()
        try:
            version = stage(key_of(config.secret), self._target(), files, self.board.protected,
                            spare_blocks(config.journal_bytes, files), self.board.feed)
        except UpdateError as error:
            print("update:", error)
            self.tree.refuse("update", 400, str(error))
            self._tell(_INITIAL, error.result)
        except MemoryError:
            self._tell(_INITIAL, _NO_MEMORY)
        else:
            print("update: version %d is staged" % version)
            self.staged = version
            self._tell(_DELIVERED, _VERIFIED)
            swap.staged(files)
