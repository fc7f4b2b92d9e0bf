"""boards/common/fsboot.py and FileStore on a real littlefs, the power cut at every erase and every program."""

import os
import sys

MICROPYTHON_ONLY = "needs MicroPython's vfs module: the real littlefs of the boards"
NEEDS = "vfs.VfsLfs2"

import vfs  # noqa: E402

sys.path.append(__file__.rsplit("/", 2)[0] + "/boards/common")

import fsboot  # noqa: E402

from lwnode.power import FileStore, Journal  # noqa: E402

BLOCK = 4096


class Flash:
    """NOR flash of 4096-byte sectors. cut_at: from the n-th write on nothing reaches it, half of that one does."""

    def __init__(self, blocks=16, data=None):
        self.blocks = blocks
        self.data = bytearray(b"\xff" * (blocks * BLOCK)) if data is None else bytearray(data)
        self.operations = 0
        self.cut_at = None

    def _alive(self):
        self.operations += 1
        return self.cut_at is None or self.operations < self.cut_at

    def readblocks(self, block, buf, offset=0):
        at = block * BLOCK + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=None):
        at = block * BLOCK + (offset or 0)
        if offset is None:
            self.ioctl(6, block)
        if self._alive():
            self.data[at : at + len(buf)] = buf
        elif self.operations == self.cut_at:
            self.data[at : at + len(buf) // 2] = buf[: len(buf) // 2]

    def ioctl(self, op, arg):
        if op == 4:
            return self.blocks
        if op == 5:
            return BLOCK
        if op == 6:
            half = BLOCK if self._alive() else BLOCK // 2 if self.operations == self.cut_at else 0
            self.data[arg * BLOCK : arg * BLOCK + half] = b"\xff" * half
        return 0


def _format(device):
    vfs.VfsLfs2.mkfs(device, progsize=256)


def _mount(flash, path):
    fsboot.mount(flash, _format, path, progsize=256)


def _gone(path):
    vfs.umount(path)


def test_a_blank_chip_is_formatted_once():
    flash = Flash()
    _mount(flash, "/a")
    assert fsboot.state == "blank"
    with open("/a/file", "w") as file:
        file.write("kept")
    _gone("/a")
    _mount(flash, "/a")
    assert fsboot.state == "ok"
    with open("/a/file") as file:
        assert file.read() == "kept"
    _gone("/a")


def test_a_damaged_filesystem_is_left_as_it_is_and_the_node_goes_on_in_ram():
    """RP2 formats silently, ESP32 loops awake for ever: neither happens."""
    flash = Flash()
    _mount(flash, "/b")
    with open("/b/config.json", "w") as file:
        file.write("{}")
    _gone("/b")
    for block in (0, 1):
        for at in range(0, BLOCK, 3):
            flash.data[block * BLOCK + at] ^= 0x5A
    before = bytes(flash.data)
    _mount(flash, "/b")
    assert fsboot.state == "lost"
    assert "mount failed" in fsboot.reason
    with open("/b/journal", "w") as file:
        file.write("in RAM")
    assert os.listdir("/b") == ["journal"]
    assert bytes(flash.data) == before, "what a person might rescue was touched"
    _gone("/b")
    fsboot.erase()
    _mount(flash, "/b")
    assert fsboot.state == "ok"
    assert os.listdir("/b") == []
    _gone("/b")


def test_foreign_data_is_not_taken_for_a_blank_chip():
    flash = Flash()
    flash.data[0:4] = b"data"
    before = bytes(flash.data)
    _mount(flash, "/c")
    assert fsboot.state == "lost"
    assert bytes(flash.data) == before
    _gone("/c")


def test_the_protected_sectors_stay_outside_the_filesystem():
    """littlefs checks the size it was made for: stock firmware and ours do not mount each other's filesystem."""
    flash = Flash(16)

    class Smaller(Flash):
        pass

    smaller = Smaller(14, flash.data[: 14 * BLOCK])
    _mount(smaller, "/d")
    assert fsboot.state == "blank"
    assert os.statvfs("/d")[2] == 14
    _gone("/d")
    whole = Flash(16, bytes(smaller.data) + b"\xff" * (2 * BLOCK))
    _mount(whole, "/d")
    assert fsboot.state == "lost"
    _gone("/d")


def _prepared():
    """A filesystem with an old value of everything."""
    flash = Flash()
    _mount(flash, "/e")
    store = FileStore("/e/state")
    store.save("config", b"old" * 50)
    journal = Journal(None, store, batch=1)
    for i in range(20):
        journal.append(b"reading %02d" % i)
        journal.flush()
    _gone("/e")
    return flash.data


def _step(path):
    """What one wake writes."""
    store = FileStore(path + "/state")
    store.save("config", b"new" * 50)
    journal = Journal(None, store, batch=1)
    journal.append(b"reading 20")
    journal.flush()
    journal.remove([seq for seq, _ in journal.entries(5)])
    journal.flush()


def test_power_cut_at_every_erase_and_program_of_a_real_littlefs():
    """low_power.md section 6, 3: old or new, never mixed; nothing acknowledged comes to harm, nothing waiting is lost."""
    prepared = _prepared()
    whole = Flash(data=prepared)
    _mount(whole, "/e")
    whole.operations = 0
    _step("/e")
    total = whole.operations
    _gone("/e")
    assert total >= 10
    for cut in range(1, total + 1):
        flash = Flash(data=prepared)
        _mount(flash, "/e")
        flash.operations = 0
        flash.cut_at = cut
        try:
            _step("/e")
        except OSError:
            pass  # littlefs found that its flash no longer takes anything
        vfs.umount("/e")
        after = Flash(data=flash.data)
        _mount(after, "/e")
        assert fsboot.state == "ok", cut
        store = FileStore("/e/state")
        assert store.load("config") in (b"old" * 50, b"new" * 50), cut
        waiting = [int(data[-2:]) for _, data in Journal(None, store, batch=1).entries()]
        assert waiting == sorted(waiting), cut
        assert set(range(5, 20)) <= set(waiting), (cut, waiting)
        if 20 in waiting:
            assert store.load("config") == b"new" * 50
        store.save("config", b"goes on")
        assert store.load("config") == b"goes on"
        assert store.damaged == 0
        _gone("/e")
    print("power cuts on littlefs: %d of %d" % (cut, total))
