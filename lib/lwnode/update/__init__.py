"""New application files for a node in the field: a signed package is checked and staged; swap.py then tries it.

    >>> stage_for(node)                                            # /update/package lies there
    1790000000
    >>> board.restart("update")                                    # boot.py puts the files in place

A package (made by `make update-package`), all numbers little-endian:

    "LWU1", total length u32, version u32, rows u16, target: length u8 and text BOARD/family
    per row: flags u8 (1: content, 0: remove), path: length u8 and text, size u32, SHA-256
    contents in the order of the rows, then HMAC-SHA256 over everything before it (RFC 2104)

The whole package is held against its HMAC, each file on flash against its hash, the version against the highest one ever
accepted; then one rename (update/plan) accepts it all. A package that is cut, forged, replayed, older, for another board or
too big is refused with an UpdateError that says so, and removed with whatever was made of it.

Bounds: 512 bytes of buffer, 200 files. Room is counted in blocks before the first piece is written: each file takes one at
least, a new folder two, and while it is put in place one old file more than there was.
"""

import hashlib
import os
from binascii import unhexlify
from struct import unpack

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Iterator

    # Path, size and SHA-256 of what comes (None: it goes), and what is there now, as a plan has it.
    Row = tuple[str, int, bytes | None, str]

PACKAGE = "/update/package"
HEAD_BYTES = const(15)
ROWS = const(200)
FULL = const(28)  # ENOSPC
_BUFFER = const(512)
_MAC = const(32)
# Room is counted in blocks: littlefs gives every file at least one, however short (4096 bytes on both ports).
_BLOCK = const(4096)
# What a journal's segment is filled to at least before the next begins: a segment, less a long record (journal.py).
_FILLED = const(900)
# Blocks that stay free beside the journal: retained, tree, counts, crash.txt, each with its .tmp; two folders that split.
_STATE_BLOCKS = const(10)
_ABSENT = const(2)  # ENOENT
_COUNTER = "update"
_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
# The way back, what the node keeps for itself, and every module that main.py, boot.py and swap.py import: a file or folder of
# that name in / or /lib would be found before the firmware's own. Compared without case: FAT knows none.
_KEPT = ("main", "boot", "swap", "secrets", "update", "state", "protected", "os", "binascii", "gc", "io", "sys", "machine",
         "micropython", "vfs", "_boot", "_boot_fat", "fsboot")  # fmt: skip
_REFUSED = {2: "there is no package: copy it to :update/package",  # ENOENT
            FULL: "the flash is full: nothing has changed, and the package is removed"}
# Results of object 9 (OMA LwM2M software management, resource 9).
NO_ROOM, BAD, OTHER, OLD = 50, 53, 54, 57


def blocks_of(size: int) -> int:
    """Blocks that a file of `size` bytes takes."""
    return max(1, (size + _BLOCK - 1) // _BLOCK)


def free_blocks(files: "Any" = None) -> "int | None":
    """Blocks that are free on the filesystem of the working directory; None where nobody can say (no statvfs)."""
    statvfs = getattr(files or os, "statvfs", None)
    if statvfs is None:
        return None
    room = statvfs("/")
    # A full littlefs counts below nothing, and the port shows that as 4294967294 (VfsLfs2 under the unix port).
    return int(room[0] * room[3] // _BLOCK) if room[3] <= room[2] else 0


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


class UpdateError(Exception):
    """A package that changes nothing, and why: a sentence with its remedy. result: the same as a number of object 9."""

    def __init__(self, text: str, result: int = BAD) -> None:
        super().__init__(text)
        self.result = result


def hmac(key: bytes, blocks: "Iterable[bytes]") -> bytes:
    """HMAC-SHA256 (RFC 2104) of what comes in blocks."""
    key = hashlib.sha256(key).digest() if len(key) > 64 else key
    key += bytes(64 - len(key))
    inner = hashlib.sha256(bytes([byte ^ 0x36 for byte in key]))
    for block in blocks:
        inner.update(block)
    outer = hashlib.sha256(bytes([byte ^ 0x5C for byte in key]))
    outer.update(inner.digest())
    return bytes(outer.digest())


def key_of(secret: "Callable[[str], str | None]") -> bytes:
    """The key of this node's packages: `update_key` of its secrets (Settings.secret), else one derived from the PSK."""
    own, psk = secret("update_key"), secret("psk")
    if own:
        return unhexlify(own)
    if not psk:
        raise UpdateError("no key: put update_key (hexadecimal) into secrets.json and provision again")
    return hmac(unhexlify(psk), (b"lwnode update key",))


def accepted(files: "Any", counter: "Any" = None) -> int:
    """The highest version that this node ever accepted; 0 for none."""
    import swap
    last = swap.read(files, swap.LAST)
    newest = int(last.split(" ")[0]) if last else 0
    kept = counter.load(_COUNTER) if counter is not None else None
    return max(newest, int(kept)) if kept else newest


def head_of(head: bytes, target: str, newest: int) -> "tuple[int, int, int]":
    """(length, version, rows) by the first HEAD_BYTES of a package or more. UpdateError where it is not for this node now."""
    if len(head) < HEAD_BYTES or head[:4] != b"LWU1":
        raise UpdateError("this is no update package: make one with make update-package", OTHER)
    _, length, version, rows, size = unpack("<4sIIHB", head[:HEAD_BYTES])
    found, wanted = head[HEAD_BYTES : HEAD_BYTES + size], target.encode()
    if size != len(wanted) or found != wanted[: len(found)]:
        raise UpdateError("the package is for another board or family, this node is %s: make it for this one" % target, OTHER)
    if version <= newest:
        raise UpdateError("version %d was here before (%d is the newest): make the package anew" % (version, newest), OLD)
    if rows > ROWS or length < HEAD_BYTES + size + 38 * rows + _MAC:
        raise UpdateError("the package's table does not fit its contents: make it anew")
    return length, version, rows


def stage(key: bytes, target: str, files: "Any" = None, counter: "Any" = None, spare: "int | None" = None,
          idle: "Callable[[], object] | None" = None, frozen: "bool | None" = None) -> int:
    """Check /update/package and stage it; the version that the next boot tries. UpdateError: nothing has changed.

    target: BOARD/family of this node. counter: a store that outlives the filesystem (board.protected). spare: blocks that the
    update may take (spare_blocks), None where not known. idle is called between blocks (the watchdog).
    frozen: whether lwnode is; None looks.
    """
    import swap
    files, idle = files or swap.Files(), idle or (lambda: None)
    if swap.Swap(files).rows:
        raise UpdateError("an update is on trial: wait until it is kept or taken back, then send this one again")
    try:
        with files.open(PACKAGE, "rb") as file:
            length, version = _signed(file, key, target, accepted(files, counter), idle)
            # A frozen module's file has a name without a folder of the filesystem before it.
            rows = _table(file, files, length, not __file__.startswith("/") if frozen is None else frozen)
            needed = _needed(files, rows)
            if spare is not None and needed > spare:
                raise UpdateError("%d KB are needed and %d KB may be taken: remove files, or send fewer at a time"
                                  % (needed * 4, max(0, spare) * 4), NO_ROOM)
            swap.sweep(files)
            for folder in ("/update", "/update/new", "/update/old"):
                swap.make(files, folder)
            lines = [_extracted(file, files, number, row, idle) for number, row in enumerate(rows)]
        swap.write(files, swap.PLAN, "\n".join([str(version)] + lines))
    except (UpdateError, MemoryError):
        _discard(files, True)
        raise
    except OSError as error:
        code = error.args[0] if error.args else 0
        _discard(files, code == FULL)
        raise UpdateError(_REFUSED.get(code, "the filesystem refused (error %s): nothing has changed" % code),
                          NO_ROOM if code == FULL else BAD)
    try:
        if counter is not None:
            counter.save(_COUNTER, str(version).encode())  # where it outlives the filesystem too
        files.remove(PACKAGE)
    except (OSError, ValueError):
        pass  # the plan has the version already, and the next boot removes the package
    return version


def target_of(node: "Any") -> str:
    """Whom a package must be for."""
    return "%s/%s" % (node.board.definition.NAME, node.config.family)


def stage_for(node: "Any") -> int:
    """Stage for this node, which keeps its journal's room free."""
    board, config = node.board, node.config
    return stage(key_of(config.secret), target_of(node), node.flash, board.protected,
                 spare_blocks(config.journal_bytes, node.flash), board.feed)


def by_hand(node: "Any") -> str:
    """The same for the person at the shell: "staged version ...", or why not."""
    try:
        return "staged version %d: the next restart tries it" % stage_for(node)
    except UpdateError as error:
        return "refused, nothing has changed: %s" % error


def _discard(files: "Any", package: bool) -> None:
    """Remove what was made of a package that is not accepted, and the package too; as far as the flash lets us."""
    import swap
    for step, what in ((files.remove, swap.PLAN), (swap.sweep, files), (files.remove, PACKAGE))[: 2 + package]:
        try:
            step(what)
        except OSError:
            pass


def _blocks(file: "Any", left: int, idle: "Any") -> "Iterator[bytes]":
    """So many bytes of a file, or what there is of them."""
    while left > 0:
        block = file.read(min(_BUFFER, left))
        if not block:
            return
        left -= len(block)
        yield block
        idle()


def _signed(file: "Any", key: bytes, target: str, newest: int, idle: "Any") -> "tuple[int, int]":
    """(length, version) of a package that is whole and signed: nothing else in it is believed before."""
    length, version, _ = head_of(file.read(HEAD_BYTES + 255), target, newest)
    file.seek(0)
    ours, theirs = hmac(key, _blocks(file, length - _MAC, idle)), file.read(_MAC + 1)
    if len(theirs) != _MAC:
        raise UpdateError("the package is cut or too long: send it again")
    if sum([ours[i] ^ theirs[i] for i in range(_MAC)]):  # all of it, however early it differs
        raise UpdateError("the package is not signed with this node's key: make it with this node's secrets")
    file.seek(0)
    return length, version


def _table(file: "Any", files: "Any", length: int, frozen: bool) -> "list[Row]":
    """The rows, each allowed; the file then stands at the first content.

    What Python would find instead of a new file (a .py beside its .mpy) is a row without content behind them.
    """
    import swap
    rows: "list[Row]" = []
    head = file.read(HEAD_BYTES)
    length -= HEAD_BYTES + len(file.read(head[14])) + _MAC
    names = set()
    for _ in range(head[12] | head[13] << 8):
        flags, size = file.read(2)
        path = file.read(size).decode()
        size, digest = unpack("<I32s", file.read(36))
        length -= 38 + len(path) + size
        _allow(path, frozen)
        names.add(path.lower())
        rows.append((path, size, digest if flags & 1 else None, swap.summed(files, path)))
    if length or len(names) != len(rows):
        raise UpdateError("the package's table does not fit its contents: make it anew")
    for path, _, digest, _ in rows[:]:
        stem, _, kind = path.rpartition(".")
        twin = stem + (".mpy" if kind == "py" else ".py")
        found = "-" if digest is None or kind == "json" or twin.lower() in names else swap.summed(files, twin)
        if found != "-":
            rows.append((twin, 0, None, found))
    return rows


def _allow(path: str, frozen: bool) -> None:
    """UpdateError for a name that an update may not bring."""
    parts = path.split("/")[1:]
    fine = path[:1] == "/" and path.rsplit(".", 1)[-1] in ("py", "mpy", "json")
    fine = fine and all([part and part[0] != "." and all([char in _CHARS for char in part]) for part in parts])
    # The name under which it would be imported: MicroPython looks for os here before it takes its own, for uos as well.
    stem = parts[parts[0].lower() == "lib" and len(parts) > 1].lower().split(".")[0] if fine else ""
    if not fine or stem in _KEPT or stem.lstrip("u") in _KEPT:
        raise UpdateError("%s cannot be part of an update: bring it by cable with make deploy" % path)
    # sys.path is "", ".frozen", "/lib": files in / come first, those in /lib last.
    if frozen and path.lower().startswith("/lib/lwnode/"):
        raise UpdateError("%s would never be looked at, lwnode is frozen in this firmware: flash a new one" % path)


def _needed(files: "Any", rows: "list[Row]") -> int:
    """The blocks that pieces, plan, new folders and, while files are put in place, one more old file take."""
    import swap
    needed, largest = 4 + len(rows) // 8 + blocks_of(64 * len(rows)), 0
    folders = {"/update/new", "/update/old"}
    for path, size, digest, old in rows:
        if digest is not None:
            needed += blocks_of(size + size // 256)  # littlefs keeps its pointers in the same blocks
            folders.update(swap.parents(path))
        if old != "-":
            largest = max(largest, blocks_of(int(old.split(":")[0])))
    for folder in folders:
        try:
            files.listdir(folder)
        except OSError:
            needed += 2
    return needed + largest


def _extracted(file: "Any", files: "Any", number: int, row: "Row", idle: "Any") -> str:
    """Write a row's content as update/new/N and hold what is then on flash against its hash; the row of the plan."""
    import swap
    path, size, digest, old = row
    name = "/update/new/%d" % number
    if digest is not None:
        with files.open(name, "wb") as new:
            for block in _blocks(file, size, idle):
                new.write(block)
        found = hashlib.sha256()
        with files.open(name, "rb") as new:
            for block in _blocks(new, size + 1, idle):
                found.update(block)
        if found.digest() != digest:
            raise UpdateError("%s did not arrive on the flash as it was sent: send it again" % path)
    return "%s %s %s" % (path, swap.summed(files, name), old)
