"""A whole node takes an update from its server, over each contract; keeps a good one and goes back from a bad one."""

import struct

import swap
from fakes.update import application, package
from fakes.world import ENDPOINT, TEMPERATURE, World
from lwnode.lwm2m import OPAQUE, Path, pack_senml
from lwnode.update.channel import declare as updates

SECRETS = {"update_key": "00112233445566778899aabbccddeeff"}
KEY = bytes.fromhex(SECRETS["update_key"])
OLD = {"/sensors.py": b"old sensors"}
NEW = {"/sensors.py": b"new sensors " * 60}


class Field:
    """A world whose sensors.py is a file on flash, and a server that sends a package piece by piece."""

    def __init__(self, family="bc66", port="esp32", content=None, data=None):
        self.pipe = family in ("bc20", "bg96")
        self.world = world = World(port, {"family": family, "sample_every": 300, "report_every": 300},
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
        updates(tree, board, self.world.settings, self.world.flash)

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


def test_pieces_out_of_order_are_refused_and_repeated_ones_are_taken_once():
    from lwnode.lwm2m import ObjectTree, Request

    world = World(secrets=SECRETS)
    world.flash.directories.update(("", "/update"))
    tree = ObjectTree()
    updates(tree, world.board(), world.settings, world.flash)

    def write(at, data, number=[0]):  # noqa: B006  counts message ids
        number[0] += 1
        return tree.handle(Request("write", Path(9, 0, 2), number[0], value=struct.pack("<I", at) + data)).code

    assert write(3, b"x") == 400
    assert write(0, b"abc") == 204
    assert write(3, b"def") == 204
    assert write(3, b"def") == 204
    assert write(9, b"x") == 400
    assert write(6, b"") == 400
    assert world.flash.content["/update/package"] == b"abcdef"
    fresh = ObjectTree()  # the host slept: what is on flash counts
    updates(fresh, world.board(), world.settings, world.flash)
    assert fresh.handle(Request("write", Path(9, 0, 2), 1, value=struct.pack("<I", 6) + b"gh")).code == 204
    assert world.flash.content["/update/package"] == b"abcdefgh"
    assert write(0, b"new") == 204 and world.flash.content["/update/package"] == b"new"


def test_the_state_can_be_read():
    from lwnode.lwm2m import ObjectTree, Request

    world = World(secrets=SECRETS)
    world.flash.directories.update(("", "/update"))
    tree = ObjectTree()
    updates(tree, world.board(), world.settings, world.flash)
    tree.handle(Request("write", Path(9, 0, 2), 1, value=bytes(4) + b"abc"))
    read = {str(path): value for path, _, value in tree.handle(Request("read", Path(9, 0), 2)).values}
    assert read["/9/0/7"] == "1" and read["/9/0/9"] == "1" and read["/9/0/1"] == "0", read
    assert "/9/0/2" not in read
