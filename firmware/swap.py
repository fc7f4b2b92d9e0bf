"""Puts staged files in place, tries them, and takes them back. boot.py loads it only while an update is under way.

    boot.py   swap.boot()              put in place, or take back, before main.py runs
    main.py   swap.begin()             one more start; the fourth without a completed cycle goes back first
    node      swap.cycle(reached)      True: restart now; reached: the server was (True), was not (False), was not due (None)

What lies in /update, and which names of a package lie where, by lwnode.update:

    plan      a row for each file; its rename into place is the moment at which an update is accepted
    new/N     content to come          old/N    what was there before
    trial     state and counters; absent while files are being put in place
    last      how the last update ended: version, "kept" or "rolled back"

An update is kept at the first cycle that reached the server. It is taken back after three starts without a completed
cycle, or six cycles that tried to reach the server and did not.

Bounds: a cut at any write is followed by the same steps again, each of which sees that it was done. A file is a single rename
on littlefs; FAT has no such rename, and a cut there may cost the file that was being taken back. This file, main.py and
boot.py are never part of a package: they are the way back, and stand alone (no import of lwnode, which may be what broke).
"""

import os
from binascii import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = "/update"
PLAN = FOLDER + "/plan"
TRIAL = FOLDER + "/trial"
LAST = FOLDER + "/last"
PACKAGE = FOLDER + "/package"
HAD, CONTENT = 1, 2  # flags of a row: the file was there before; there is content for it
STARTS = 3
SILENT = 6


class Files:
    """The file operations needed here, as the interpreter has them; a test hands in a simulated flash."""

    def __init__(self) -> None:
        self.open, self.remove, self.listdir, self.mkdir = open, os.remove, os.listdir, os.mkdir

    def rename(self, old: str, new: str) -> None:
        """Rename; by relative names (a board is in /), since MicroPython's VfsPosix mixes up two absolute ones."""
        os.rename(old.lstrip("/"), new.lstrip("/"))


def sealed(text: str) -> str:
    """Text with its checksum as the last line."""
    return "%s\n%08x" % (text, crc32(text.encode()) & 0xFFFFFFFF)


def read(files: "Any", path: str) -> "str | None":
    """The text of a sealed file; None where it is absent, torn or rotten."""
    try:
        with files.open(path, "rb") as file:
            raw = file.read().decode()
    except (OSError, ValueError):
        return None
    text = raw[:-9]
    return text if sealed(text) == raw else None


def write(files: "Any", path: str, text: str) -> None:
    """Replace a sealed file: it is old or new after a cut."""
    with files.open(path + ".tmp", "wb") as file:
        file.write(sealed(text).encode())
    if not move(files, path + ".tmp", path):
        raise OSError("%s could not be renamed" % path)


def move(files: "Any", old: str, new: str) -> bool:
    """Rename over whatever is there; False where there is nothing to rename."""
    if not there(files, old):
        return False
    for step in (_nothing, _folders, _remove):  # the folder may be missing; FAT does not rename over a file
        try:
            step(files, new)
            files.rename(old, new)
            return True
        except OSError:
            pass
    return False


def _nothing(files: "Any", path: str) -> None:
    pass


def _remove(files: "Any", path: str) -> None:
    files.remove(path)


def _folders(files: "Any", path: str) -> None:
    at = path.find("/", 1)
    while at > 0:
        try:
            files.mkdir(path[:at])
        except OSError:
            pass
        at = path.find("/", at + 1)


def there(files: "Any", path: str) -> bool:
    """Whether there is a file of that name."""
    try:
        files.open(path, "rb").close()
        return True
    except OSError:
        return False


class Swap:
    """The update that is under way, if one is: `state` "", "trial" or "undo"."""

    def __init__(self, files: "Any" = None) -> None:
        self.files = files or Files()
        self.version = 0
        self.state = ""
        self.starts = 0
        self.silent = 0
        self.restart = False  # an update was staged in this wake: restart when the wake is over
        self.rows = self._plan()
        text = read(self.files, TRIAL)
        if text is not None and self.rows:
            version, state, starts, silent = text.split(" ")
            if int(version) == self.version:
                self.state, self.starts, self.silent = state, int(starts), int(silent)

    def _plan(self) -> "list[tuple[int, str]]":
        """(flags, path) of each file; empty where no update is under way."""
        text = read(self.files, PLAN)
        if text is None:
            return []
        lines = text.split("\n")
        self.version = int(lines[0])
        return [(int(line[0]), line[2:]) for line in lines[1:]]

    def boot(self) -> None:
        """Put new files in place, or old ones back: whatever a power cut has left open is finished here."""
        if self.rows and not self.state:
            self._apply()
            self._save("trial")
            print("update: version %d is in place, on trial" % self.version)
        elif self.state == "undo":
            self._undo()
        self.rows = []  # a trial needs its counters only; heap is scarce

    def begin(self) -> None:
        """Count a start of main.py on trial; where three were not followed by a completed cycle, go back now."""
        if self.state == "trial":
            if self.starts >= STARTS:
                self._save("undo")
                self._undo()
            else:
                self.starts += 1
                self._save("trial")

    def cycle(self, reached: "bool | None") -> bool:
        """A wake was completed. Returns whether the board must restart now: to try an update, or to go back."""
        if self.state == "trial":
            changed = self.starts or reached is False
            self.starts = 0
            self.silent += reached is False
            if reached:
                self._end("kept")
            elif changed:
                self._save("undo" if self.silent >= SILENT else "trial")
        return self.restart or self.state == "undo"

    def _apply(self) -> None:
        for number, (flags, path) in enumerate(self.rows):
            new, old = "%s/new/%d" % (FOLDER, number), "%s/old/%d" % (FOLDER, number)
            if flags & HAD and not there(self.files, old):
                move(self.files, path, old)
            if flags & CONTENT:
                move(self.files, new, path)

    def _undo(self) -> None:
        for number, (flags, path) in enumerate(self._plan()):
            old = "%s/old/%d" % (FOLDER, number)
            if flags & HAD:
                move(self.files, old, path)
            elif there(self.files, path):
                self.files.remove(path)
        self._end("rolled back")

    def _end(self, how: str) -> None:
        """The update is over: `last` is written before `plan` goes, so that a cut between them ends it again."""
        print("update: version %d %s" % (self.version, how))
        write(self.files, LAST, "%d %s" % (self.version, how))
        for path in (PLAN, TRIAL):
            if there(self.files, path):
                self.files.remove(path)
        self.state, self.rows = "", []
        for folder in (FOLDER + "/new", FOLDER + "/old"):  # what a cut leaves here, the next update sweeps away
            try:
                for name in self.files.listdir(folder):
                    self.files.remove(folder + "/" + name)
            except OSError:
                pass

    def _save(self, state: str) -> None:
        self.state = state
        write(self.files, TRIAL, "%d %s %d %d" % (self.version, state, self.starts, self.silent))


current: "Swap | None" = None


def boot(files: "Any" = None) -> None:
    """Finish what is under way; called by boot.py."""
    global current
    current = Swap(files)
    current.boot()


def begin() -> None:
    """Count a start of main.py."""
    if current is not None:
        current.begin()


def cycle(reached: "bool | None") -> bool:
    """A wake was completed: whether the board must restart now."""
    return current is not None and current.cycle(reached)


def staged(files: "Any" = None) -> None:
    """An update has been staged in this wake: cycle() then asks for a restart."""
    global current
    current = current or Swap(files)
    current.restart = True
