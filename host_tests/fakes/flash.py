"""Flash and retained memory as the boards have them, with a power cut possible at every write.

    files = FlashFiles()
    store = FileStore("/state", files)
    files.cut_at = 7                   # the 7th write operation from now raises PowerCut in its middle
    ...
    after = files.after_cut()          # what a mount finds: closed files, renamed or not, never a half one
    files.operations                   # how many cut points a run had

littlefs promises: content counts when the file is closed, rename replaces atomically. `torn=True` takes the first
promise away (FAT, or a bug): a cut then leaves any part of the file being written. Every operation that changes
flash counts as one cut point: each write() call, close, rename, remove, mkdir.
"""


class PowerCut(BaseException):
    """The supply went away in the middle of a write. Not an Exception: nothing may catch it and go on."""


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
        start = self._at
        self._at = len(self._data) if size < 0 else min(len(self._data), start + size)
        return self._data[start : self._at]

    def write(self, data):
        half = bytes(data[: len(data) // 2])
        if self._files.torn:
            self._files.step(lambda: self._files.put(self._path, self._data + half))
        else:
            self._files.step(None)
        if self._files.full:
            raise OSError(28)
        self._data += bytes(data)
        return len(data)

    def close(self):
        if self._writing:
            self._files.step(None)
            self._files.put(self._path, self._data)
            self._files.saves += 1
            self._writing = False


class FlashFiles:
    """A directory tree in memory with the operations FileStore asks for."""

    def __init__(self, content=None, directories=None, torn=False):
        self.content = dict(content or {})
        self.directories = set(directories or ())
        self.torn = torn
        self.cut_at = None
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

    def put(self, path, data):
        """Set a file's content."""
        self.content[path] = data
        self.written += len(data)

    def after_cut(self):
        """Return the flash as it is when power comes back."""
        return FlashFiles(self.content, self.directories, self.torn)

    def rot(self, path, at=-1):
        """Flip bits of one byte of a file."""
        data = bytearray(self.content[path])
        data[at] ^= 0x55
        self.content[path] = bytes(data)

    def open(self, path, mode):
        """Open path; writing needs its directory."""
        if "w" in mode or "a" in mode:
            if path.rsplit("/", 1)[0] not in self.directories:
                raise OSError(2)
        elif path not in self.content:
            raise OSError(2)
        return _File(self, path, mode)

    def rename(self, old, new):
        """Replace new by old."""
        self.step(None)
        if old not in self.content:
            raise OSError(2)
        self.content[new] = self.content.pop(old)

    def remove(self, path):
        """Delete."""
        if path not in self.content:
            raise OSError(2)
        self.step(None)
        del self.content[path]

    def listdir(self, path):
        """List a directory."""
        if path not in self.directories:
            raise OSError(2)
        start = path + "/"
        return [name[len(start) :] for name in self.content if name.startswith(start)]

    def mkdir(self, path):
        """Make a directory."""
        self.step(None)
        self.directories.add(path)


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
