"""Flash and retained memory as the boards have them: a power cut, a full flash or an error at any step.

    files = FlashFiles(blocks=50)      # 4 KB each; None: no limit
    store = FileStore("/state", files)
    files.cut_at = 7                   # the 7th write operation from now raises PowerCut in its middle
    files.fault = errors(1, 20)        # 20 of 1000 operations raise OSError(5), by seed 1; broken("read", "/state/j") always
    after = files.after_cut()          # what a mount finds: closed files, renamed or not, never a half one
    files.operations                   # how many cut points a run had

littlefs promises: content counts when the file is closed, rename replaces atomically. A file opened for writing is there at
once, empty where it is new, and takes a block, a folder two. `torn=True` takes the first promise away (FAT, or a bug): a cut
then leaves any part of the file being written. Every operation that changes flash counts as one cut point: open of a new file,
each write(), close, rename, remove, mkdir. An error of `fault` comes before the operation or, by chance, after it.
"""

BLOCK = 4096


class PowerCut(BaseException):
    """The supply went away in the middle of a write. Not an Exception: nothing may catch it and go on."""


def errors(seed, permille, *kinds):
    """A fault for FlashFiles: so many of 1000 operations (of these kinds, or all) fail, half of them after they were done."""
    state = [seed * 7919 + 1]

    def fault(kind, _path):
        if kinds and kind not in kinds:
            return 0
        state[0] = (state[0] * 1103515245 + 12345) & 0x7FFFFFFF
        if (state[0] >> 8) % 1000 >= permille:
            return 0
        return -5 if state[0] >> 20 & 1 else 5

    return fault


def broken(kinds, prefix=""):
    """A fault for FlashFiles: these kinds (read write list remove rename mkdir) fail for ever at paths that begin so."""
    return lambda kind, path: 5 if kind in kinds and path.startswith(prefix) else 0


class _File:
    def __init__(self, files, path, mode):
        self._files = files
        self._path = path
        self._writing = "w" in mode or "a" in mode
        self._data = b"" if "w" in mode else files.content.get(path, b"")
        self._at = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.close()

    def read(self, size=-1):
        self._files.fails("read", self._path)
        start = self._at
        self._at = len(self._data) if size < 0 else min(len(self._data), start + size)
        return self._data[start : self._at]

    def seek(self, offset, whence=0):
        self._at = offset + (len(self._data) if whence == 2 else 0)
        return self._at

    def readinto(self, buf):
        found = self.read(len(buf))
        buf[: len(found)] = found
        return len(found)

    def write(self, data):
        data = data.encode() if isinstance(data, str) else data  # as a file opened for text does
        half = bytes(data[: len(data) // 2])
        if self._files.torn:
            self._files.step(lambda: self._files.put(self._path, self._data + half))
        else:
            self._files.step(None)
        self._files.fails("write", self._path)
        self._files.fits(self._path, len(self._data) + len(data))
        self._data += bytes(data)
        return len(data)

    def close(self):
        if self._writing:
            self._writing = False
            self._files.step(None)
            after = self._files.fails("write", self._path)
            self._files.put(self._path, self._data)
            self._files.saves += 1
            after()


def _nothing():
    pass


class FlashFiles:
    """A directory tree in memory with the operations FileStore asks for."""

    def __init__(self, content=None, directories=None, torn=False, blocks=None):
        self.content = dict(content or {})
        self.directories = set(directories or ())
        self.torn = torn
        self.blocks = blocks
        self.cut_at = None
        self.fault = None
        self.failed = 0
        self.operations = 0
        self.saves = 0
        self.written = 0
        self.full = False

    def step(self, half):
        """Count one write operation; cut the power in it when its turn has come."""
        self.operations += 1
        if self.cut_at is not None and self.operations >= self.cut_at:
            if half is not None:
                half()
            raise PowerCut("at write operation %d" % self.operations)

    def fails(self, kind, path):
        """Raise the error whose turn has come, or return what raises it after the operation."""
        code = self.fault(kind, path) if self.fault else 0
        if not code:
            return _nothing
        self.failed += 1
        if code > 0 or kind in ("read", "list", "mkdir"):
            raise OSError(abs(code))

        def after():
            raise OSError(-code)

        return after

    def used(self):
        """Blocks taken."""
        return 2 + 2 * len(self.directories) + sum([max(1, (len(data) + BLOCK - 1) // BLOCK) for data in self.content.values()])

    def fits(self, path, size):
        """OSError where a file's new content (beside its old one, if that is longer than nothing) finds no block."""
        more = (size + BLOCK - 1) // BLOCK - (1 if self.content.get(path) == b"" else 0)
        if self.full or self.blocks is not None and self.used() + more > self.blocks:
            raise OSError(28)

    def statvfs(self, _path):
        """Block size and free blocks where os.statvfs has them; without a limit 1024 are free."""
        free = 1024 if self.blocks is None else self.blocks - self.used()
        free = free if free > 0 and not self.full else 0xFFFFFFFE  # what the unix port's VfsLfs2 says of a full one
        return (BLOCK, BLOCK, self.blocks or 1024, free, free, 0, 0, 0, 0, 255)

    def put(self, path, data):
        """Set a file's content."""
        self.content[path] = data
        self.written += len(data)

    def after_cut(self):
        """Return the flash as it is when power comes back."""
        return FlashFiles(self.content, self.directories, self.torn, self.blocks)

    def rot(self, path, at=-1):
        """Flip bits of one byte of a file."""
        data = bytearray(self.content[path])
        data[at] ^= 0x55
        self.content[path] = bytes(data)

    def open(self, path, mode):
        """Open path; writing needs its directory."""
        if "w" in mode or "a" in mode:
            folder = path.rsplit("/", 1)[0] if "/" in path else ""
            if folder and folder not in self.directories:
                raise OSError(2)
            if path not in self.content:
                self.step(None)
                after = self.fails("write", path)
                self.fits(path, 1)
                self.content[path] = b""
                after()
        else:
            if path not in self.content:
                raise OSError(2)
            self.fails("read", path)
        return _File(self, path, mode)

    def rename(self, old, new):
        """Replace new by old."""
        self.step(None)
        if old not in self.content:
            raise OSError(2)
        after = self.fails("rename", new)
        self.content[new] = self.content.pop(old)
        after()

    def remove(self, path):
        """Delete."""
        if path not in self.content:
            raise OSError(2)
        self.step(None)
        after = self.fails("remove", path)
        del self.content[path]
        after()

    def listdir(self, path):
        """List a directory."""
        if path not in self.directories:
            raise OSError(2)
        self.fails("list", path)
        start = path + "/"
        return [name[len(start) :] for name in self.content if name.startswith(start)]

    def mkdir(self, path):
        """Make a directory."""
        if path in self.directories:
            raise OSError(17)
        self.step(None)
        self.fails("mkdir", path)
        if self.blocks is not None and self.used() + 2 > self.blocks:
            raise OSError(28)
        self.directories.add(path)


    def rmdir(self, path):
        """Remove an empty directory."""
        if path not in self.directories:
            raise OSError(2)
        if [name for name in list(self.content) + list(self.directories) if name.startswith(path + "/")]:
            raise OSError(39)
        self.step(None)
        self.directories.remove(path)


class Memory:
    """Retained memory of `size` bytes as a board offers it: load, save, size."""

    def __init__(self, size, content=b""):
        self.size = size
        self.content = content
        self.saves = 0

    def load(self):
        """Return what is there."""
        return self.content

    def save(self, data):
        """Replace it; too much is an error of the caller."""
        if len(data) > self.size:
            raise ValueError("buffer too long")
        self.content = bytes(data)
        self.saves += 1
