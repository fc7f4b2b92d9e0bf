"""A flash in memory with the file operations of lwnode.update, swap.py and FileStore; `blocks` of 4 KB limit it."""

import errno
import io

_BLOCK = 4096


class _Written(io.BytesIO):
    def __init__(self, files, path, data):
        super().__init__(data)
        self.files, self.path = files, path
        self.seek(0, 2)

    def close(self):
        if not self.closed:
            self.files.content[self.path] = self.getvalue()
        super().close()


class MemoryFiles:
    """Files by their path; a folder is there when it was made, or when something lies in it."""

    def __init__(self, content=(), blocks=512):
        self.content = dict(content)
        self.folders = {"", "/"}
        self.blocks = blocks

    def open(self, path, mode="r"):
        if "r" in mode:
            if path not in self.content:
                raise OSError(errno.ENOENT, "no such file")
            data = self.content[path]
            return io.BytesIO(data) if "b" in mode else io.StringIO(data.decode())
        if self.free() <= 0:
            raise OSError(errno.ENOSPC, "full")
        return _Written(self, path, self.content.get(path, b"") if "a" in mode else b"")

    def remove(self, path):
        if self.content.pop(path, None) is None:
            raise OSError(errno.ENOENT, "no such file")

    def rename(self, old, new):
        if old not in self.content:
            raise OSError(errno.ENOENT, "no such file")
        self.content[new] = self.content.pop(old)

    def listdir(self, folder):
        folder = folder.rstrip("/")
        names = {path[len(folder) + 1 :].split("/")[0] for path in (*self.content, *self.folders)
                 if path.startswith(folder + "/") and path != folder}
        if not names and folder not in self.folders:
            raise OSError(errno.ENOENT, "no such folder")
        return sorted(names - {""})

    def mkdir(self, folder):
        if folder in self.folders:
            raise OSError(errno.EEXIST, "it is there")
        self.folders.add(folder)

    def rmdir(self, folder):
        if self.listdir(folder):
            raise OSError(errno.ENOTEMPTY, "not empty")
        self.folders.discard(folder)

    def free(self):
        return self.blocks - sum(max(1, (len(data) + _BLOCK - 1) // _BLOCK) for data in self.content.values())

    def statvfs(self, path):
        return (_BLOCK, _BLOCK, self.blocks, max(0, self.free()), 0, 0, 0, 0, 0, 255)
