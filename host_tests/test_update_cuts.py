"""An update on a real littlefs, the power cut at every program and erase, alone and in pairs.

Each life is a node's whole way with one package: staged, put in place, then kept, or taken back. It runs once with a record of
what the flash was told; each cut is a flash that took the first n of that (and half of the next), and boots from it. The
oracle reads the files itself: whenever main.py starts they are all old or all new, `last` says which, and what boots the
node is found by a mount that has written nothing yet. Cuts in pairs are drawn for ten seconds, with SEARCH=1 for 150 and anew.
"""

import os
import random
import time

MICROPYTHON_ONLY = "needs MicroPython's vfs module: the real littlefs of the boards"
NEEDS = "vfs.VfsLfs2"

import vfs  # noqa: E402

import swap  # noqa: E402
from fakes.update import KEY, TARGET, package  # noqa: E402
from lwnode.update import free_blocks  # noqa: E402
from lwnode.update import UpdateError, stage  # noqa: E402

BLOCK = 4096
BLOCKS = 40
SEARCH = getattr(os, "getenv", lambda name: None)("SEARCH") == "1"
PAIRS_S = 150 if SEARCH else 10  # for cuts in pairs, drawn at random
with open(__file__.rsplit("/", 2)[0] + "/firmware/boot.py") as _file:
    BOOT = compile(_file.read(), "boot.py", "exec")

WAY = {"/boot.py": b"boot", "/main.py": b"main" * 200, "/swap.mpy": b"swap" * 800, "/secrets.json": b"{}"}
OLD = {"/board.mpy": b"old board" * 90, "/sensors.py": b"old sensors", "/lib/gone.mpy": b"to go",
       "/lib/part.py": b"old part" * 99, "/lib/lwnode/a.mpy": b"old a" * 1300,
       "/lib/lwnode/b.mpy": b"old b" * 150, "/lib/lwnode/c.mpy": b"old c"}
PLAIN = {"/board.mpy": b"new board" * 80, "/lib/lwnode/a.mpy": b"new a" * 200, "/lib/lwnode/b.mpy": b"new b" * 900,
         "/lib/lwnode/c.mpy": b"new c", "/sensors.py": b"new sensors" * 120}
WHOLE = {"/lib/deep/er/fresh.mpy": b"fresh" * 130, "/lib/part.mpy": b"new part", "/lib/gone.mpy": None}
WHOLE.update(PLAIN)


def merged(*parts):
    """One application of several parts; what is None is removed."""
    found = {}
    for part in parts:
        found.update(part)
    return {path: found[path] for path in found if found[path] is not None}


BEFORE = merged(WAY, OLD)
# (what a package brings, what is there afterwards): files replaced alone, and also new ones, one removed, one in another form.
CASES = ((PLAIN, merged(BEFORE, PLAIN)), (WHOLE, merged(BEFORE, WHOLE, {"/lib/part.py": None})))
swap.print = lambda *_: None


class Flash:
    """NOR flash as the rp2 port gives it to littlefs: sectors of 4096 bytes, pages of 256. `log`: what it was told."""

    def __init__(self, data=None, blocks=BLOCKS):
        self.data = bytearray(b"\xff" * (blocks * BLOCK)) if data is None else bytearray(data)
        self.blocks = len(self.data) // BLOCK
        self.log = None

    def readblocks(self, block, buf, offset=0):
        at = block * BLOCK + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        self._write(block * BLOCK + offset, bytes(buf))

    def _write(self, at, data):
        self.data[at : at + len(data)] = data
        if self.log is not None:
            self.log.append((at, data))

    def ioctl(self, op, arg):
        if op == 6:
            self._write(arg * BLOCK, ERASED)
        return self.blocks if op == 4 else BLOCK if op == 5 else 0


ERASED = b"\xff" * BLOCK


class Mounted:
    """The flash at / as at a boot, and the unix port's own files again afterwards."""

    def __init__(self, flash):
        self.flash = flash

    def __enter__(self):
        vfs.umount("/")
        vfs.mount(vfs.VfsLfs2(self.flash, progsize=256), "/")
        os.chdir("/")

    def __exit__(self, *_):
        vfs.umount("/")
        vfs.mount(vfs.VfsPosix("/"), "/")


def written(content):
    """Write files, with their folders."""
    for path in sorted(content):
        for at in range(1, len(path)):
            if path[at] == "/":
                try:
                    os.mkdir(path[:at])
                except OSError:
                    pass
        with open(path, "wb") as file:
            file.write(content[path])


class Oracle:
    """All files of a flash, read by a mount of its own on a copy, after a write: the node's flash is not healed by it."""

    def __init__(self, flash):
        self.files = {}
        self.folders = []
        self._fs = vfs.VfsLfs2(Flash(flash.data), progsize=256)
        self._fs.open("/look", "wb").close()
        self._fs.remove("/look")
        self._walk("")

    def _walk(self, folder):
        for entry in self._fs.ilistdir(folder or "/"):
            path = folder + "/" + entry[0]
            if entry[1] == 0x4000:
                self.folders.append(path)
                self._walk(path)
            else:
                with self._fs.open(path, "rb") as file:
                    self.files[path] = file.read()

    def application(self, new):
        """"old", "new", or what is wrong."""
        found = {path: self.files[path] for path in self.files if not path.startswith("/update/")}
        if found in (BEFORE, new):
            return "old" if found == BEFORE else "new"
        return "mixed: " + ", ".join(sorted([path for path in found if found[path] != BEFORE.get(path)]))

    def last(self):
        """How the last update ended, by its file."""
        return self.files.get("/update/last", b"").split(b"\n")[0].decode()

    def rest(self):
        """What an update that is over has left."""
        left = [path for path in self.files if path.startswith("/update/") and path not in ("/update/last", "/update/trial")]
        return left + [path for path in self.folders if path.startswith("/lib/") and
                       not [name for name in self.files if name.startswith(path + "/")]]


def first(changes):
    """A flash with the old application, a way to boot it and a package."""
    flash = Flash()
    vfs.VfsLfs2.mkfs(flash, progsize=256)
    with Mounted(flash):
        written(BEFORE)
        written({"/update/package": package(KEY, 7, changes)})
    return bytes(flash.data)


class Wrong(Exception):
    """The oracle's word."""


def boot(flash, life, case):
    """One boot of boot.py, then of main.py to the end of a wake; whether the life is over."""
    with Mounted(flash):
        for path in WAY:
            try:
                os.stat(path)
            except OSError:
                raise Wrong("the boot does not find %s" % path)
        swap.current = None
        exec(BOOT, {})
        swap.begin()
        found = Oracle(flash)
        begun = found.application(case[1])
        if begun not in ("old", "new"):
            raise Wrong("main.py starts with " + begun)
        if swap.current is not None:
            if life != "crash":
                swap.cycle(life == "good")
            return False
        if not found.last():  # the cut was before the package was accepted: it comes again
            if begun != "old":
                raise Wrong("new without a plan")
            written({"/update/package": package(KEY, 7, case[0])})
            stage(KEY, TARGET)
            return False
        if (begun, found.last()) != (("new", "7 kept") if life == "good" else ("old", "7 rolled back")):
            raise Wrong("%s, last says %s" % (begun, found.last()))
        if found.rest():
            raise Wrong("left: %s" % found.rest())
        return True


def lived(flash, life, case, wrong, where):
    """Boot until the update is over; what was written meanwhile."""
    flash.log = []
    try:
        for _ in range(20):
            if boot(flash, life, case):
                return flash.log
        raise Wrong("it never ends")
    except (Wrong, OSError, UpdateError) as error:
        wrong.append((life, where, str(error)))
    return flash.log


def after(data, log, cut, half):
    """The flash after `cut` writes, and half of one more."""
    flash = Flash(data)
    for at, written in log[:cut]:
        flash.data[at : at + len(written)] = written
    if half:
        at, written = log[cut]
        flash.data[at : at + len(written) // 2] = written[: len(written) // 2]
    return flash


def lives():
    """(life, case, its flash, what it writes) from the package on; what follows an update put in place from there on."""
    for case in CASES:
        begin = first(case[0])
        for life in ("good", "crash", "silent"):
            wrong = []
            log = lived(Flash(begin), life, case, wrong, "uncut")
            assert not wrong and len(log) > 20, (len(log), wrong)
            yield life, case, begin, log
            if life == "good":
                flash = Flash(begin)
                for _ in range(2):
                    boot(flash, "crash", case)
                begin = bytes(flash.data)


def report(name, count, wrong):
    print("%s: %d wrong of %d cuts" % (name, len(wrong), count))
    for entry in wrong[:40]:
        print("  ", entry)
    assert not wrong, (len(wrong), count, wrong[:3])


def test_a_cut_at_any_write_leaves_old_or_new_and_last_says_which():
    wrong = []
    count = 0
    for life, case, begin, log in lives():
        for cut in range(len(log)):
            for half in (False, True):
                count += 1
                lived(after(begin, log, cut, half), life, case, wrong, (cut, half))
    report("single", count, wrong)


def test_two_cuts_leave_old_or_new_too():
    end = time.time() + PAIRS_S
    random.seed(time.time_ns() if SEARCH else 15)
    wrong = []
    count = 0
    known = list(lives())
    while time.time() < end or count < 60:
        life, case, begin, log = random.choice(known)
        cut, half = random.randrange(len(log)), random.random() < 0.5
        flash = after(begin, log, cut, half)
        image = bytes(flash.data)
        second = lived(flash, life, case, [], None)
        for _ in range(4):
            if second:
                again, both = random.randrange(len(second)), random.random() < 0.5
                count += 1
                lived(after(image, second, again, both), life, case, wrong, (cut, half, again, both))
    report("in pairs", count, wrong)


def roomy(free, told):
    """Stage 40 files of 620 bytes in six new folders, and boot, with `free` blocks free: (what it said, blocks left, old)."""
    many = {"/lib/%s/%d.mpy" % ("abcdef"[number % 6], number): b"x" * 620 for number in range(40)}
    many["/lib/lwnode/a.mpy"] = b"new a" * 1200
    flash = Flash(blocks=160)
    vfs.VfsLfs2.mkfs(flash, progsize=256)
    said = ""
    with Mounted(flash):
        written(BEFORE)
        written({"/update/package": package(KEY, 7, many)})
        filler = free_blocks() - free
        with open("/filler", "wb") as file:
            for _ in range(filler):
                file.write(bytes(BLOCK - 16))
        assert free_blocks() in (free, free + 1), (free, free_blocks())
        try:
            stage(KEY, TARGET, spare=free_blocks() if told else None)
        except UpdateError as error:
            said = str(error)
        swap.current = None
        exec(BOOT, {})
        swap.begin()
        left = free_blocks()
        os.remove("/filler")
    found = Oracle(flash)
    rest = found.rest() if said else []
    return said, left, found.application(merged(BEFORE, many)), found.last(), rest


def test_room_on_a_real_littlefs_is_enough_or_refused_and_what_runs_out_leaves_nothing():
    enough = 40
    while roomy(enough, True)[0]:
        enough += 4
    said, left, state, _, _ = roomy(enough, True)
    print("accepted from %d blocks on, %d are left after it" % (enough, left))
    assert state == "new" and left < 20, (enough, left, state)
    for free in range(3, enough, 7):
        said, _, state, last, rest = roomy(free, False)
        print(free, said, state, last, rest)
        assert not rest and (state == "old") == bool(said or last == "7 rolled back"), (free, said, state, last, rest)
