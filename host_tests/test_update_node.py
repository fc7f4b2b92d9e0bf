"""A whole node takes an update from its server, over each contract; keeps a good one and goes back from a bad one."""

import struct

import swap
from fakes.update import application, package
from fakes.world import ENDPOINT, TEMPERATURE, Names, World
from lwnode.features.update import Update
from lwnode.lwm2m import OPAQUE, ObjectTree, Path, Request, pack_senml
from lwnode.update import spare_blocks

SECRETS = {"update_key": "00112233445566778899aabbccddeeff"}
KEY = bytes.fromhex(SECRETS["update_key"])
OLD = {"/sensors.py": b"old sensors"}
NEW = {"/sensors.py": b"new sensors " * 60}


def test_a_start_that_a_person_stops_says_nothing_about_the_new_files():
    files = World().flash
    files.directories.update(("", "/update"))
    kept = swap.current
    try:
        swap.current = unit = swap.Swap(files)
        unit.version, unit.state = 7, "trial"
        for _ in range(5):
            swap.begin()
            swap.visited()
        assert (unit.state, unit.starts) == ("trial", 0)
        swap.begin()
        assert unit.starts == 1 and swap.read(files, swap.TRIAL) == "7,trial,1,0"
    finally:
        swap.current = kept


class Field:
    """A world whose sensors.py is a file on flash, and a server that sends a package piece by piece."""

    def __init__(self, family="bc66", port="esp32", content=None, data=None):
        self.pipe = family in ("bc20", "bg96")
        self.world = world = World(port, {"family": family, "sample_every": 300, "report_every": 300, "server_updates": True},
                                   (TEMPERATURE, "/19/0/0", "/9/0/9"), SECRETS)
        world.flash.content.update(OLD)
        world.flash.directories.update(("", "/update"))
        world.declare = self._declare
        world.on_awake = self._awake
        self.data = data or package(KEY, 7, content or NEW, "SIMULATED/" + family)
        self.at = 0
        self.codes = []
        self.installed = False
        self.open = None

    def _declare(self, tree, board):
        if b"crash" in self.world.flash.content["/sensors.py"]:
            raise ValueError("a mistake in the new sensors.py")

    def _awake(self):
        """A notification arrived: the node listens. One piece, and the next when it is answered."""
        if self.open is None or self.open.done:
            self._next()

    def _next(self):
        if self.at < len(self.data):
            piece = struct.pack("<I", self.at) + self.data[self.at : self.at + 100]
            self.open = self._write(piece)
        elif not self.installed:
            self.installed = True
            self.open = self._execute()

    def _answered(self, exchange):
        self.codes.append(exchange.code)
        if exchange.code == 204 and not self.installed:
            self.at += 100
            self._next()

    def _write(self, piece):
        if not self.pipe:
            return self.world.server.write(ENDPOINT, "/9/0/2", piece, on_done=self._answered)
        payload = pack_senml([(Path(9, 0, 2), OPAQUE, piece, None)], 400)[0]
        return self.world.server.write(ENDPOINT, "/19/1/0", payload, 42, on_done=self._answered)

    def _execute(self):
        if not self.pipe:
            return self.world.server.execute(ENDPOINT, "/9/0/4", on_done=self._answered)
        return self.world.server.write(ENDPOINT, "/19/1/0", b"\x81\xa1\x00\x66/9/0/4", 42, on_done=self._answered)

    def last(self):
        """How the last update ended."""
        return swap.read(self.world.flash, swap.LAST)

    def told(self):
        """The results that reached the server."""
        return [delivery.value for delivery in self.world.server.deliveries if tuple(delivery.path) == (9, 0, 9)]

    def application(self):
        """Its files, without what the node keeps for itself."""
        found = application(self.world.flash)
        return {path: found[path] for path in found if path.startswith("/")}


def test_a_server_updates_a_node_over_each_contract_that_carries_it():
    for family, port in (("bc66", "esp32"), ("bc66", "rp2"), ("bc20", "esp32"), ("bg96", "rp2")):
        field = Field(family, port)
        field.world.run(minutes=40)
        assert field.installed, (family, port, field.codes)
        assert field.application() == NEW, (family, port)
        assert field.last() == "7 kept", (family, port, field.last())
        assert not field.world.lost()[:-4], (family, port)
        assert field.told()[-1] == 2, (family, port, field.told())  # successfully installed


def test_a_node_whose_new_files_crash_goes_back_by_itself():
    for port in ("esp32", "rp2"):
        field = Field(port=port, content={"/sensors.py": b"crash"})
        field.world.run(minutes=50)
        assert field.application() == OLD
        assert field.last() == "7 rolled back"
        assert 58 in field.told(), field.told()  # installation failure
        before = len(field.world.taken)
        field.world.run(minutes=20)
        assert len(field.world.taken) > before, "and measures again"


def test_a_forged_package_from_the_server_changes_nothing_and_is_told():
    for family in ("bc66", "bc20"):
        data = bytearray(package(KEY, 7, NEW, "SIMULATED/" + family))
        data[-1] ^= 1
        field = Field(family, data=bytes(data))
        field.world.run(minutes=30)
        assert field.installed and field.application() == OLD
        assert field.last() is None and "/update/plan" not in field.world.flash.content
        assert field.told()[-1:] == [53], field.told()  # package integrity check failure


def test_a_shadow_refuses_and_says_to_use_the_cable():
    field = Field("me910c1")
    field.world.run(minutes=20)
    assert field.application() == OLD
    assert "/update/package" not in field.world.flash.content


def test_a_node_that_never_reaches_the_server_again_goes_back():
    field = Field()
    world = field.world

    def cut_off():
        if swap.read(world.flash, swap.PLAN):
            world.outage(True)
        else:
            world.at(cut_off, seconds=1)

    world.at(cut_off, seconds=1)
    world.run(hours=9)
    assert field.last() == "7 rolled back"
    assert field.application() == OLD


class Row:
    """The row alone, on a flash of so many blocks; write() and execute() give the code of the answer."""

    def __init__(self, secrets=SECRETS, files=None, blocks=None, journal_bytes=65536):
        self.world = World("esp32", {"journal_bytes": journal_bytes}, secrets=secrets)
        self.files = files or self.world.flash
        self.files.directories.add("/update")
        self.files.blocks = blocks
        self.number = self.now = 0
        self.restarted()

    def restarted(self):
        """The host slept: what is on flash counts."""
        self.tree = ObjectTree()
        self.node = Names(tree=self.tree, board=self.world.board(), config=self.world.settings, flash=self.files,
                          clock=Names(now=lambda: self.now))
        self.feature = Update()
        self.feature.attach(self.node)

    def _handle(self, *given, **more):
        self.number += 1
        return self.tree.handle(Request(given[0], given[1], self.number, **more))

    def write(self, at, data):
        return self._handle("write", Path(9, 0, 2), value=struct.pack("<I", at) + data).code

    def execute(self):
        return self._handle("execute", Path(9, 0, 4), value=b"").code

    def state(self):
        """(7, 9): state and result."""
        read = {str(path): value for path, _, value in self._handle("read", Path(9, 0)).values}
        assert "/9/0/2" not in read
        return int(read["/9/0/7"]), int(read["/9/0/9"])

    def package(self):
        return self.files.content.get("/update/package")


DATA = package(KEY, 7, NEW, "SIMULATED/bc66")


def test_pieces_out_of_order_are_refused_and_repeated_ones_are_taken_once():
    row = Row()
    assert row.write(3, b"x") == 400 and row.state() == (1, 52)
    assert row.write(0, DATA[:50]) == 204 and row.state() == (1, 1)
    assert row.write(50, DATA[50:60]) == row.write(50, DATA[50:60]) == 204
    assert row.write(70, b"x") == row.write(60, b"") == 400
    assert row.package() == DATA[:60]
    assert row.execute() == 405, "it is not whole"
    row.restarted()
    assert row.write(60, DATA[60:]) == 204 and row.package() == DATA
    assert row.write(len(DATA), b"x") == 400, "longer than its head says"
    assert row.write(0, DATA[:20]) == 204 and row.package() == DATA[:20], "begun anew"


def test_a_package_that_can_never_be_installed_is_refused_with_its_first_piece():
    long = package(KEY, 7, {"/sensors.py": bytes(400000)}, "SIMULATED/bc66")
    for data, result, blocks in (
        (b"no package at all, but long enough to be one", 54, None), (DATA[:14], 54, None),
        (package(KEY, 7, NEW, "SIMULATED/bg96"), 54, None), (package(KEY, 3, NEW, "SIMULATED/bc66"), 57, None),
        (package(KEY, 2, NEW, "SIMULATED/bc66"), 57, None),
        (struct.pack("<4sIIHB", b"LWU1", 90, 7, 9, 14) + b"SIMULATED/bc66", 53, None),
        (long, 50, 130), (DATA, 50, 50),
    ):  # fmt: skip
        row = Row(blocks=blocks, journal_bytes=65536)
        swap.write(row.files, swap.LAST, "3 kept")
        before = dict(row.files.content)
        assert row.write(0, data[:100]) == 400 and row.state()[1] == result, (result, row.state())
        assert row.files.content == before
    for secrets in ({}, {"pin": "1234"}):
        row = Row(secrets)
        assert row.write(0, DATA[:100]) == 405 and row.package() is None, "nobody could sign it"
    row = Row()
    row.files.content["/update/package"] = DATA
    assert row.execute() == 204
    row.tree.after()
    assert row.write(0, package(KEY, 8, NEW, "SIMULATED/bc66")) == 400 and row.package() is None, "one waits for its trial"


def test_what_is_stale_is_removed_and_what_cannot_be_read_is_not():
    row = Row()
    row.files.content["/update/package"] = DATA[:60]
    swap.write(row.files, swap.LAST, "7 rolled back")
    assert row.write(60, DATA[60:70]) == 400 and row.package() is None
    row = Row()
    row.files.content["/update/package"] = DATA[:60]
    row.files.fault = lambda kind, path: 5 if kind == "read" and path == "/update/package" else 0
    assert row.write(60, DATA[60:70]) == 500 and row.package() == DATA[:60]
    row.files.fault = None
    assert row.write(60, DATA[60:70]) == 204 and row.package() == DATA[:70]
    row.files.full = True
    assert row.write(70, DATA[70:]) == 500 and row.package() is None and row.state()[1] == 50


def test_what_nobody_goes_on_with_for_a_week_is_removed_and_an_order_outlives_a_cut():
    row = Row()
    assert row.write(0, DATA[:100]) == 204
    row.now += 10 * 86400
    row.feature.rebase(row.node, row.now)  # the clock was set, nothing is older than before
    row.feature.before_wake(row.node, "timer", row.now)
    row.feature.rebase(row.node, -row.now)
    assert row.package() is not None
    for row.now, there in ((3 * 86400, True), (8 * 86400, False)):
        row.feature.before_wake(row.node, "timer", row.now)
        assert (row.package() is not None) == there
    assert row.state() == (0, 52)
    assert row.write(0, DATA) == 204 and row.execute() == 204
    row.tree.after = None  # the power goes before the contact is over
    row.feature.before_wake(row.node, "timer", row.now)
    row.tree.after()
    assert row.state() == (3, 3) and swap.Swap(row.files).rows and row.package() is None
    row.feature.row.state = 2  # or behind its acceptance
    swap.current = None
    row.feature.before_wake(row.node, "timer", row.now)
    row.tree.after()
    assert row.state() == (3, 3) and swap.current is None, "it is tried once"
    for last, result in (("6 kept", 3), ("7 rolled back", 58)):
        swap.write(row.files, swap.LAST, last)
        assert row.feature.row.outcome() == result


def test_whoever_may_write_pieces_takes_no_room_from_the_journal():
    """Issue 15, D: 203,500 of 204,800 bytes were filled, and 592 of 1840 readings of an outage of 40 h lost."""
    row = Row(blocks=50, journal_bytes=16384)
    head = struct.pack("<4sIIHB", b"LWU1", 200000, 9, 1, 14) + b"SIMULATED/bc66"
    at = 0
    for length in (200000, 150000, 100000, 60000, 30000, 10000, 3000):
        head = head[:4] + struct.pack("<I", length) + head[8:]
        for start in range(0, length + 1000, 500):
            row.write(start, head + bytes(500 - len(head)) if not start else bytes(500))
        at = max(at, len(row.package() or b""))
    assert spare_blocks(16384, row.files) >= 0 and 0 < at <= 30000, at
