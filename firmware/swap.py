"""Puts staged files in place, tries them, and takes them back. boot.py loads it only while an update is under way.

    boot.py   swap.boot()              put in place, or take back, before main.py runs
    main.py   swap.begin()             one more start; the fourth without a completed cycle goes back first
    node      swap.cycle(reached)      True: restart now; reached: the server was (True), was not (False), was not due (None)

What lies in /update; N is a row's number in the plan:

    plan      version, then a row for each file: path, what is to be there, what was there before, each as size:CRC-32 or "-"
              for no file. Its rename into place is the moment at which an update is accepted
    new/N     content to come          old/N    a copy of what was there before
    trial     version, state, starts, silent contacts; absent while files are being put in place
    last      how the last update ended: version, and "kept", "rolled back", or "incomplete" where an old copy could not be read

An update is kept at the first cycle that reached the server. It is taken back after three starts without a completed
cycle, or six cycles that tried to reach the server and did not, or where it could not be put in place.

Bounds: after a cut at any write the next boot does the same steps again, and each looks by size and checksum whether it was
done. On littlefs a cut in a rename between two folders hides the entry behind it in the source folder until the next write
(littlefs 2.11). So nothing is renamed out of a folder of the application, where boot.py or this file might be the next: what
was there is copied; and with a plan there is a write before anything is looked for. A copy is swept when every file was held
against the plan. This file, main.py and boot.py are never part of a package: they are the way back, and stand alone (no
import of lwnode, which may be what broke).
"""

import os
from binascii import crc32

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = "/update"
PLAN = FOLDER + "/plan"
TRIAL = FOLDER + "/trial"
LAST = FOLDER + "/last"
PACKAGE = FOLDER + "/package"
_STARTS = const(3)
_SILENT = const(6)
_TRIES = const(10)
_ABSENT = const(2)  # ENOENT
_THERE = const(17)  # EEXIST
_BLOCK = const(512)
_NEW = const(1)  # columns of a row
_OLD = const(2)


class Files:
    """The file operations needed here, as the interpreter has them; a test hands in a simulated flash."""

    def __init__(self) -> None:
        self.open, self.remove, self.rmdir, self.listdir, self.mkdir = open, os.remove, os.rmdir, os.listdir, os.mkdir
        self.statvfs: "Any" = os.statvfs

    def rename(self, old: str, new: str) -> None:
        """Rename; by relative names (a board is in /), since MicroPython's VfsPosix mixes up two absolute ones."""
        os.rename(old.lstrip("/"), new.lstrip("/"))


def sealed(text: str) -> str:
    """Text with its checksum as the last line."""
    return "%s\n%08x" % (text, crc32(text.encode()) & 0xFFFFFFFF)


def read(files: "Any", path: str) -> "str | None":
    """The text of a sealed file; None where it is absent, torn or rotten. OSError where it cannot be read now."""
    try:
        with files.open(path, "rb") as file:
            raw = file.read().decode()
    except OSError as error:
        if error.args[0] != _ABSENT:
            raise
        return None
    except ValueError:
        return None
    text = str(raw[:-9])
    return text if sealed(text) == raw else None


def write(files: "Any", path: str, text: str) -> None:
    """Replace a sealed file: it is old or new after a cut. OSError where that cannot be done."""
    with files.open(path + ".tmp", "wb") as file:
        file.write(sealed(text).encode())
    files.rename(path + ".tmp", path)


def summed(files: "Any", path: str) -> str:
    """What is there, as a plan has it: size:CRC-32, or "-" for no file. OSError where it cannot be read now."""
    try:
        file = files.open(path, "rb")
    except OSError as error:
        if error.args[0] != _ABSENT:
            raise
        return "-"
    total = size = 0
    block = bytearray(_BLOCK)
    view = memoryview(block)
    with file:
        while True:
            found = file.readinto(block)
            if not found:
                return "%d:%08x" % (size, total & 0xFFFFFFFF)
            total = crc32(view[:found], total)
            size += found


def copy(files: "Any", source: str, target: str) -> None:
    """Write a second file like the first."""
    block = bytearray(_BLOCK)
    view = memoryview(block)
    with files.open(source, "rb") as old, files.open(target, "wb") as new:
        found = old.readinto(block)
        while found:
            new.write(view[:found])
            found = old.readinto(block)


def parents(path: str) -> "list[str]":
    """The folders above a path, the outermost first."""
    return [path[:at] for at in range(1, len(path)) if path[at] == "/"]


def make(files: "Any", folder: str) -> None:
    """Make a folder unless it is there."""
    try:
        files.mkdir(folder)
    except OSError as error:
        if error.args[0] != _THERE:
            raise


def prune(files: "Any", path: str) -> None:
    """Remove the folders above a removed file that are empty now: Python takes an empty folder for a package."""
    for folder in reversed(parents(path)):
        try:
            files.rmdir(folder)
        except OSError as error:
            if error.args[0] != _ABSENT:  # a cut came after the removal of an inner one
                return


def sweep(files: "Any", parts: "tuple[str, ...]" = ("", "/new", "/old")) -> None:
    """Remove what an update leaves, but for its plan, how it ended and a package to come."""
    for part in parts:
        try:
            names = files.listdir(FOLDER + part)
        except OSError as error:
            if error.args[0] != _ABSENT:
                raise
            names = []
        for name in names:
            if part or name.endswith(".tmp"):
                files.remove("%s%s/%s" % (FOLDER, part, name))


class Swap:
    """The update that is under way, if one is: `state` "" (not in place yet), "trial", "undo", or how it ends."""

    def __init__(self, files: "Any" = None) -> None:
        self.files = files or Files()
        self.version = 0
        self.state = ""
        self.starts = 0
        self.silent = 0
        self.restart = False  # an update was staged in this wake: restart when the wake is over
        self.rows = self._plan()
        if self.rows:
            # Opened for writing, littlefs ends a rename that a cut has left half done; nothing else changes.
            self.files.open(PLAN, "ab").close()
            text = read(self.files, TRIAL)
            if text is not None and text.startswith("%d," % self.version):
                _, state, starts, silent = text.split(",")
                self.state, self.starts, self.silent = state, int(starts), int(silent)

    def _plan(self) -> "list[str]":
        """The rows of the plan; none where no update is under way."""
        rows = (read(self.files, PLAN) or "0").split("\n")
        self.version = int(rows.pop(0))
        return rows

    def boot(self) -> None:
        """Put new files in place, or old ones back, or sweep: whatever a power cut has left open is finished here."""
        if self.rows and not self.state:
            try:
                self._used()
                wrong = self._arrange(_NEW)
                if wrong:
                    raise OSError("%s is not as it was sent" % wrong[0])
                self._save("trial")
                print("update: version %d is in place, on trial" % self.version)
            except Exception as error:
                print("update: version %d cannot be put in place:" % self.version, error)
                self._undo()
        elif self.state == "undo":
            self._undo()
        elif self.state and self.state != "trial":
            self._end(self.state)
        self.rows = []  # a trial needs its counters only; heap is scarce

    def begin(self) -> None:
        """Count a start of main.py on trial; where three were not followed by a completed cycle, go back now.

        OSError where old and new files are mixed because some could not be read or written: main.py rests, and the next start
        tries again. After ten starts it goes on with what there is.
        """
        try:
            if self.state == "trial" and self.starts < _STARTS:
                self.starts += 1
                self._save("trial")
            elif self.state == "trial":
                self._undo()
            mixed = self.state == "undo" and bool(self._wrong(_OLD))
        except OSError as error:
            print("update:", error)
            mixed = self.state == "undo"
        if mixed and self.starts < _TRIES:
            self.starts += 1
            self._save("undo")
            raise OSError("version %d is not taken back yet" % self.version)

    def cycle(self, reached: "bool | None") -> bool:
        """A wake was completed. Returns whether the board must restart now: to try an update, or to go back."""
        if self.state == "trial":
            changed = self.starts or reached is False
            self.starts = 0
            self.silent += reached is False
            try:
                if reached and not self._wrong(_NEW):
                    self._end("kept")
                elif reached or self.silent >= _SILENT:
                    self._save("undo")
                elif changed:
                    self._save("trial")
            except OSError as error:
                print("update:", error)  # the next cycle tries it again
        return self.restart or self.state == "undo"

    def _wrong(self, column: int) -> "list[str]":
        """The files that are not as a column of the plan says."""
        rows = [row.split(" ") for row in self._plan()]
        return [row[0] for row in rows if summed(self.files, row[0]) != row[column]]

    def _arrange(self, column: int) -> "list[str]":
        """Make every file what a column of the plan says, each by one rename of its piece; return those that are not."""
        files = self.files
        for number, row in enumerate(self._plan()):
            path, _, old = cells = row.split(" ")
            wanted, found = cells[column], summed(files, path)
            kept = "%s/old/%d" % (FOLDER, number)
            piece = kept if column == _OLD else "%s/new/%d" % (FOLDER, number)
            if column == _NEW and found != wanted and old != "-" and summed(files, kept) != old:
                copy(files, path, kept)
                if summed(files, kept) != old:
                    raise OSError("%s has no good copy" % path)
            if wanted == "-":
                if found != "-":
                    files.remove(path)
                prune(files, path)
            elif found != wanted and summed(files, piece) == wanted:
                for folder in parents(path):
                    make(files, folder)
                files.rename(piece, path)
        return self._wrong(column)

    def _used(self) -> None:
        """Remove the package of this update where a cut has left it; another may lie there by now."""
        try:
            with self.files.open(PACKAGE, "rb") as file:
                same = file.read(12)[8:] == self.version.to_bytes(4, "little")
        except OSError:
            return
        if same:
            self.files.remove(PACKAGE)

    def _undo(self) -> None:
        """Go back; a file that has no good copy stays as it is, and the update is then called incomplete."""
        try:
            if self.state != "undo":
                self._save("undo")
        except OSError as error:
            print("update:", error)  # a full flash, say: what comes next makes room, and the next boot sees the same
        sweep(self.files, ("/new",))
        self._end("incomplete" if self._arrange(_OLD) else "rolled back")

    def _end(self, how: str) -> None:
        """The update is over. Decided first, so that a cut in the sweeping only sweeps again; `last` before the plan goes."""
        if self.state != how:
            self._save(how)
        print("update: version %d %s" % (self.version, how))
        write(self.files, LAST, "%d %s" % (self.version, how))
        sweep(self.files)
        for path in (PLAN, TRIAL):
            self.files.remove(path)
        self.state, self.rows = "", []

    def _save(self, state: str) -> None:
        self.state = state
        write(self.files, TRIAL, "%d,%s,%d,%d" % (self.version, state, self.starts, self.silent))


def told(files: "Any" = None) -> str:
    """The update that is under way, and how the last one ended, for people."""
    found = Swap(files)
    last = read(found.files, LAST)
    text = "last: version %s" % last if last else "none so far"
    if found.rows:
        text = "version %d %s; %s" % (found.version, "on trial, start %d, %d contacts failed" % (
            found.starts, found.silent) if found.state == "trial" else "waits for a restart", text)
    return text


current: "Swap | None" = None


def boot(files: "Any" = None) -> None:
    """Finish what is under way; called by boot.py."""
    global current
    for left in (2, 1, 0):
        try:
            current = Swap(files)
            break
        except OSError:  # a plan that cannot be read now may stand for files that are mixed
            if not left:
                raise
    if current is not None:
        current.boot()


def begin() -> None:
    """Count a start of main.py."""
    if current is not None:
        current.begin()


def visited() -> None:
    """A person at the cable has stopped this start: it says nothing about the new files."""
    if current is not None and current.state == "trial" and current.starts:
        current.starts -= 1
        try:
            current._save("trial")
        except OSError:
            pass  # it counts then: nothing may keep the person out


def cycle(reached: "bool | None") -> bool:
    """A wake was completed: whether the board must restart now."""
    return current is not None and current.cycle(reached)


def staged(files: "Any" = None) -> None:
    """An update has been staged in this wake: cycle() then asks for a restart."""
    global current
    current = current or Swap(files)
    current.restart = True
