"""Checks and stages one package: loaded for that alone. Layout, promises and bounds: lwnode.update."""

import hashlib
from binascii import unhexlify
from struct import unpack

from lwnode.update import UpdateError
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_FOLDER = "/update"
PACKAGE = "/update/package"
MAGIC = b"LWU1"
HEAD_BYTES = 15
_CONTENT_FLAG = const(1)  # in a package
_BLOCK = const(512)
_MAC = const(32)
_ROWS = const(200)
_RESERVE = const(16384)
_COUNTER = "update"
_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
# The way back (main.py, boot.py, swap) and what a package must not bring or break.
_KEPT = ("/main.", "/boot.", "/swap", "/secrets.", "/update/", "/state/", "/vault")


def hmac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256 of data (RFC 2104) under a key of up to 64 bytes."""
    return _outer(key, _inner(key, data))


def _inner(key: bytes, data: bytes = b"") -> "Any":
    digest = hashlib.sha256(_pad(key, 0x36))
    digest.update(data)
    return digest


def _outer(key: bytes, inner: "Any") -> bytes:
    digest = hashlib.sha256(_pad(key, 0x5C))
    digest.update(inner.digest())
    return bytes(digest.digest())


def _pad(key: bytes, mask: int) -> bytes:
    if len(key) > 64:
        key = hashlib.sha256(key).digest()
    return bytes([byte ^ mask for byte in key + bytes(64 - len(key))])


def key_of(secret: "Callable[[str], str | None]") -> bytes:
    """See lwnode.update.key_of."""
    own = secret("update_key")
    if own:
        return unhexlify(own)
    psk = secret("psk")
    if not psk:
        raise UpdateError("no key: put update_key (hexadecimal) into secrets.json and provision again")
    return hmac(unhexlify(psk), b"lwnode update key")


class Stage:
    """One package on its way to being staged."""

    def __init__(self, key: bytes, target: str, files: "Any", counter: "Any", idle: "Any", frozen: "bool | None") -> None:
        self.swap: "Any" = __import__("swap")
        self.files: "Any" = files or self.swap.Files()
        self.key, self.target, self.counter = key, target, counter
        # A frozen module's file has a name without a folder of the filesystem before it.
        self.frozen = not __file__.startswith("/") if frozen is None else frozen
        self.idle = idle or _nothing
        self.version = 0

    def run(self, free: "int | None") -> int:
        """All steps, in order."""
        if self.swap.Swap(self.files).rows:
            raise UpdateError("an update is on trial: wait until it is kept or taken back, then send this one again")
        try:
            with self.files.open(PACKAGE, "rb") as file:
                length = self._signed(file)
            with self.files.open(PACKAGE, "rb") as file:
                rows = self._table(file, length)
                needed = sum([size for _, _, size, _ in rows])
                if free is not None and needed + _RESERVE > free:
                    raise UpdateError("%d KB are free and %d KB are needed: remove files, or send fewer at a time"
                                      % (free // 1024, (needed + _RESERVE) // 1024))
                self.swap.sweep(self.files)
                for folder in ("", "/new", "/old"):
                    self.swap.make(self.files, _FOLDER + folder)
                self._extract(file, rows)
            self.swap.write(self.files, self.swap.PLAN, self._plan(rows))
        except OSError as error:
            if not self.swap.summed(self.files, PACKAGE) != "-":
                raise UpdateError("there is no package: copy it to :update/package")
            raise UpdateError("the filesystem refused (error %s): nothing has changed" % (error.args[0] if error.args else "?"))
        self._count()
        self.files.remove(PACKAGE)
        return self.version

    def _signed(self, file: "Any") -> int:
        """Hold the package against its length and its HMAC before a byte of it is believed; its length without the HMAC."""
        head = file.read(HEAD_BYTES)
        if len(head) < HEAD_BYTES or head[:4] != MAGIC:
            raise UpdateError("this is no update package: make one with make update-package")
        total = int(unpack("<I", head[4:8])[0])
        inner = _inner(self.key, head)
        left = total - HEAD_BYTES - _MAC
        while left > 0:
            block = file.read(min(_BLOCK, left))
            if not block:
                break
            inner.update(block)
            left -= len(block)
            self.idle()
        found = file.read()
        if left or len(found) != _MAC:
            raise UpdateError("the package is cut or too long: send it again")
        differs = 0
        for ours, theirs in zip(_outer(self.key, inner), found):
            differs |= ours ^ theirs
        if differs:
            raise UpdateError("the package is not signed with this node's key: make it with this node's secrets")
        return total - _MAC

    def _table(self, file: "Any", length: int) -> "list[tuple[int, str, int, bytes]]":
        """The rows, each allowed; the file then stands at the first content."""
        _, _, self.version, count, size = unpack("<4sIIHB", file.read(HEAD_BYTES))
        target = file.read(size).decode()
        if target != self.target:
            raise UpdateError("the package is for %s, this node is %s: make it for this one" % (target, self.target))
        newest = accepted(self.files, self.counter)
        if self.version <= newest:
            raise UpdateError("version %d was here before (%d is the newest): make the package anew" % (self.version, newest))
        rows = []
        for _ in range(min(count, _ROWS + 1)):
            flags, size = file.read(2)
            path = file.read(size).decode()
            size, digest = unpack("<I32s", file.read(36))
            self._allowed(path)
            rows.append((flags, path, size, digest))
            length -= 38 + len(path) + size
        if len(rows) > _ROWS or length != HEAD_BYTES + len(target):
            raise UpdateError("the package's table does not fit its contents: make it anew")
        return rows

    def _allowed(self, path: str) -> None:
        fine = path[:1] == "/" and path.rsplit(".", 1)[-1] in ("py", "mpy", "json")
        fine = fine and all([part and part[0] != "." for part in path[1:].split("/")])
        fine = fine and all([char in _CHARS or char == "/" for char in path])
        if not fine or any([path.startswith(kept) for kept in _KEPT]):
            raise UpdateError("%s cannot be part of an update: bring it by cable with make deploy" % path)
        if self.frozen and path.startswith("/lib/lwnode/"):
            raise UpdateError("%s would never be looked at, lwnode is frozen in this firmware: flash a new one" % path)

    def _extract(self, file: "Any", rows: "list[tuple[int, str, int, bytes]]") -> None:
        """Write each content as update/new/N, and hold what is then on flash against its hash."""
        for number, (flags, path, left, digest) in enumerate(rows):
            if not flags & _CONTENT_FLAG:
                continue
            name = "%s/new/%d" % (_FOLDER, number)
            with self.files.open(name, "wb") as new:
                while left:
                    block = file.read(min(_BLOCK, left))
                    new.write(block)
                    left -= len(block)
                    self.idle()
            if hash_of(self.files, name) != digest:
                raise UpdateError("%s did not arrive on the flash as it was sent: try again" % path)

    def _plan(self, rows: "list[tuple[int, str, int, bytes]]") -> str:
        """The rows for swap.py. What Python would find instead of a new file (a .py beside its .mpy) goes too."""
        swap, files = self.swap, self.files
        lines = [str(self.version)]
        paths = [path for _, path, _, _ in rows]
        twins = []
        for number, (flags, path, _, _) in enumerate(rows):
            new = swap.summed(files, "%s/new/%d" % (_FOLDER, number)) if flags & _CONTENT_FLAG else "-"
            lines.append("%s %s %s" % (path, new, swap.summed(files, path)))
            stem, _, kind = path.rpartition(".")
            twin = stem + (".mpy" if kind == "py" else ".py")
            found = "-" if kind == "json" or twin in paths else swap.summed(files, twin)
            if found != "-":
                twins.append("%s - %s" % (twin, found))
        return "\n".join(lines + twins)

    def _count(self) -> None:
        """Keep the version where it outlives the filesystem too; the plan has it already, and `last` will."""
        try:
            if self.counter is not None:
                self.counter.save(_COUNTER, str(self.version).encode())
        except (OSError, ValueError):
            pass


def accepted(files: "Any", counter: "Any" = None) -> int:
    """The highest version that this node ever accepted; 0 for none."""
    last = __import__("swap").read(files, "/update/last")
    newest = int(last.split(" ")[0]) if last else 0
    kept = counter.load(_COUNTER) if counter is not None else None
    return max(newest, int(kept)) if kept else newest


def hash_of(files: "Any", path: str) -> bytes:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with files.open(path, "rb") as file:
        while True:
            block = file.read(_BLOCK)
            if not block:
                return bytes(digest.digest())
            digest.update(block)


def _nothing() -> None:
    """No watchdog to feed."""
