"""Updates by the server: object 9, software management.

    {"server_updates": true}                                       config.json, and a key in secrets.json (lwnode.update)

    write    9/0/2   a piece of a package: its offset (u32, little-endian), then the bytes; offset 0 begins anew
    execute  9/0/4   install: check and stage, restart after this wake, try
    read     9/0/1   version accepted last     9/0/7 state, 9/0/9 result, by the object's own numbers

A pull module (BC66) hands these on one by one. A pipe (BC20, BG96) carries them as commands on 19/1/0, and the result goes out
with a later report. A shadow (ME910C1) keeps one value of a resource and hands on no executes: pieces are refused there, and
updates come by cable. Pieces must be in order; one that comes again is taken for a repetition. What is acknowledged is on
flash, so a server goes on where it was after any outage; what it has left lying for a week is removed, and so is what can
never be installed. An order to install is carried out over cuts of power.

Bounds: a piece is as long as the module's longest write (BC66: 512 bytes, 50 before R01A10), the first one has the head at
least. A package takes no room that journal_bytes promises to readings.
"""

from struct import unpack

from micropython import const

from lwnode.features import Feature
from lwnode.lwm2m import INTEGER, Reject
from lwnode.lwm2m.build import add, place
from lwnode.lwm2m.objects import Sensor
from lwnode.lwm2m.rules import Rules
from lwnode.update import (FULL, NO_ROOM, PACKAGE, UpdateError, accepted, blocks_of, head_of, key_of, spare_blocks, stage_for,
                           target_of)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m.values import Plain
    from lwnode.node import Node

_PACKAGE = const(2)
_INSTALL = const(4)
_STATE = const(7)
_RESULT = const(9)
# OMA LwM2M software management object, resources 7 and 9.
_INITIAL, _STARTED, _DOWNLOADED, _DELIVERED, _INSTALLED = 0, 1, 2, 3, 4
_DOWNLOADING, _SUCCESS, _VERIFIED, _NO_MEMORY, _GAP, _FAILED = 1, 2, 3, 51, 52, 58
_STALE_S = const(604800)


class Channel(Sensor):
    """Pieces of a package in order, and what became of it: a sensor whose reading is the result."""

    node: "Any" = None
    state = _INITIAL
    result = _INITIAL
    staged = 0  # version
    at = 0  # seconds: the last piece
    kept = Sensor.kept + ("state", "result", "staged", "at")
    _known: "tuple[int, int] | None" = None
    _files: "Any" = None

    @property
    def files(self) -> "Any":
        """The file operations; swap.py is loaded only where something happens."""
        if self._files is None:
            import swap
            self._files = self.node.flash or swap.Files()
        return self._files

    def serves(self, id: int) -> bool:
        return id in (0, 1, _PACKAGE, _STATE) or super().serves(id)

    def extra(self, id: int) -> "Plain | None":
        if id == 0:
            return "lwnode"
        if id == 1:
            try:
                return str(accepted(self.files, self.node.board.protected))
            except OSError:
                return None  # not now
        return self.state if id == _STATE else super().extra(id)

    def entry(self, id: int) -> "tuple[int, str | bytes] | None":
        return (INTEGER, str(self.result)) if id == _RESULT else super().entry(id)

    def check_write(self, id: int, data: bytes, binary: int = 0) -> "Plain":
        if id == _PACKAGE:
            if _INSTALL not in self.offered:
                raise Reject(405, "this module hands on no executes: bring updates by cable")
            try:
                key_of(self.node.config.secret)
            except UpdateError as error:
                raise Reject(405, str(error))
        return super().check_write(id, data, binary)

    def write(self, id: int, value: "Plain") -> None:
        """One piece, on flash before it is acknowledged."""
        data = bytes(value) if isinstance(value, (bytes, bytearray)) else b""
        if len(data) < 5:
            raise Reject(400, "a piece is its offset in four bytes, and content")
        offset = int(unpack("<I", data[:4])[0])
        end = offset + len(data) - 4
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
            with self.files.open(PACKAGE, "ab" if offset else "wb") as file:
                file.write(data[4:])
            self._known = end, length
        except OSError as error:
            if error.args[0] == FULL:
                self.remove(NO_ROOM)
            raise Reject(500, "the flash takes no piece: error %s" % error.args[0])
        self.at = self.node.clock.now()
        if self.state != _STARTED or self.result != _DOWNLOADING:
            self._tell(_STARTED, _DOWNLOADING)

    def _begin(self, head: bytes) -> int:
        """The length of a package that may come, by its first piece. Reject where it is not for this node, or has no room."""
        import swap
        try:
            if swap.Swap(self.files).rows:
                raise UpdateError("an update is on trial", _FAILED)
            length, _, rows = head_of(head, target_of(self.node), accepted(self.files, self.node.board.protected))
            spare = spare_blocks(self.node.config.journal_bytes, self.files)
            # The package, what is made of it, and folders; staging counts exactly.
            needed = 2 * blocks_of(length) + rows + 8
            if spare is not None and needed > spare:
                raise UpdateError("%d KB are needed, %d KB may be taken" % (needed * 4, max(0, spare) * 4), NO_ROOM)
        except UpdateError as error:
            self._tell(self.state, error.result)
            raise Reject(400, str(error))
        swap.make(self.files, "/update")
        return length

    def _look(self) -> "tuple[int, int]":
        """(bytes on flash, bytes that the package is to have): looked up once after a restart, and what is stale removed."""
        if self._known is None:
            try:
                with self.files.open(PACKAGE, "rb") as file:
                    newest = accepted(self.files, self.node.board.protected)
                    length = head_of(file.read(64), target_of(self.node), newest)[0]
                    self._known = file.seek(0, 2), length
            except UpdateError as error:
                self.remove(error.result)
            except OSError as error:
                if error.args[0] != 2:  # ENOENT
                    raise
        return self._known or (0, 0)

    def remove(self, result: int) -> None:
        """Remove the package, and say why."""
        self._known = None
        try:
            self.files.remove(PACKAGE)
        except OSError:
            pass  # looked at again with the next piece
        self._tell(_INITIAL, result)

    def outcome(self) -> int:
        """The result, as the next sample reads it; what was on trial may be kept or taken back by now."""
        if self.state == _DELIVERED:
            import swap
            last = swap.read(self.files, swap.LAST) or ""
            if last.startswith("%d " % self.staged):
                self._tell(*((_INSTALLED, _SUCCESS) if last.endswith("kept") else (_INITIAL, _FAILED)))
        return self.result

    def _tell(self, state: int, result: int) -> None:
        """A new state: read, observed, or sent with the next report."""
        self.state, self.result = state, result
        self.node.tree.dirty = True

    def ask(self, argument: bytes = b"") -> None:
        """Install, once the contact is over: staging takes seconds, and the server waits for its answer."""
        try:
            have, length = self._look()
        except OSError as error:
            raise Reject(500, "the package cannot be read: error %s" % error.args[0])
        if not have or have != length:
            raise Reject(405, "%d of %d bytes of a package are here" % (have, length))
        self._tell(_DOWNLOADED, _DOWNLOADING)
        self.node.tree.after = self.install

    def install(self) -> None:
        """Check and stage what came; the node restarts when this wake is over. Says what is wrong where it is."""
        import swap
        node, self._known = self.node, None
        try:
            under_way = swap.Swap(self.files)
            self.staged = under_way.version
            if not under_way.rows:  # else a cut came behind its acceptance
                self.staged = stage_for(node)
                print("update: version %d is staged" % self.staged)
                swap.staged(self.files)
            self._tell(_DELIVERED, _VERIFIED)
        except UpdateError as error:
            print("update:", error)
            node.tree.refuse("update", 400, str(error))
            self._tell(_INITIAL, error.result)
        except MemoryError:
            self._tell(_INITIAL, _NO_MEMORY)
        except OSError as error:
            print("update:", error)  # the next contact tries again


class Update(Feature):
    """Object 9, and what a server has left unfinished."""

    KEYS = "server_updates b false"
    name = "update"

    @staticmethod
    def enabled(settings: "Any") -> bool:
        """Say whether the server may bring updates."""
        return bool(settings.server_updates)

    def attach(self, node: "Node") -> None:
        """Add the row."""
        self.row = row = Channel(node.tree, 9, 0, "1.0")
        row.executes = {_INSTALL: row.ask}
        row.node = node
        row.read = row.outcome
        add(row, _RESULT).rules = Rules(deadband=0.5)  # reported where it changed
        place(node.tree, row)

    def before_wake(self, node: "Node", cause: str, now: int) -> None:
        """Carry on where a cut has ended an installation; give up a package of which nothing more has come for a week."""
        row = self.row
        if row.state == _DOWNLOADED:
            node.tree.after = row.install
        elif row.state == _STARTED and not 0 <= now - row.at < _STALE_S:
            row.remove(_GAP)

    def rebase(self, node: "Node", moved: int) -> None:
        """Follow a step of the clock."""
        self.row.at += moved


FEATURE = Update
