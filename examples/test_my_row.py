"""A test of one's own rows on a computer: copy it to host_tests/, put your rows in, and run it.

    .venv/bin/pytest -q host_tests/test_my_row.py

It runs under CPython and under MicroPython's unix port. docs/test-your-node.md says what a World can do.
"""

from fakes.world import ENDPOINT, World

from lwnode.lwm2m import ObjectTree

NOW = 1790000000
PORTS = ("esp32", "rp2")
DOOR = {"esp32": 33, "rp2": 10}
COLD, OPEN, LIMIT, HISTORY = "/3303/0/5700", "/3200/0/5500", "/3308/0/5900", "/19/0/0"


def declare(tree, board):
    """Stands for the declare() of your sensors.py: from sensors import declare."""
    adc = 35 if board.port == "esp32" else 28
    limit = tree.actuator(3308, None, initial=-15.0, unit="Cel")
    state = tree.state("warm")

    def celsius():
        value = board.millivolts(adc) / 10 - 60
        state["times"] = state.get("times", 0) + 1 if value > limit.resources[0].value else 0
        board.pins.set("relay", state["times"] >= 3)  # a lamp: three samples in a row too warm
        return value

    tree.sensor(3303, celsius, unit="Cel", resolution=0.1, range=(-40, 40), gt=-15, samples=3, deadband=0.5, pmax=3600)
    tree.sensor(3200, lambda: board.pins.get("door"), pmax=86400)


def world_of(port, **options):
    """A node with these rows, its module, its network and its server."""
    world = World(port, {"write_format": "text", "report_every": 3600}, (COLD, OPEN, LIMIT, HISTORY), sensors=declare,
                  pins={"door": DOOR[port]}, wake=("door",), **options)
    return world, 35 if port == "esp32" else 28


class Bench:
    """The least that a row asks of a board, where no node is wanted."""

    port = "rp2"
    mv = 400

    def __init__(self):
        self.pins = self

    def millivolts(self, number):
        return self.mv

    def get(self, name):
        return False

    def set(self, name, on):
        self.lamp = on


def test_the_row_by_itself():
    tree, board = ObjectTree(), Bench()
    declare(tree, board)
    tree.sample(NOW)
    assert [(str(path), value) for path, _, value, _ in tree.reports(NOW)] == [(COLD, "-20.0"), (OPEN, "0")]
    board.mv = 4000
    tree.sample(NOW + 900)
    assert "outside the range" in tree.row(3303, 0).error, "a broken wire is no temperature"


def test_a_day_on_both_ports():
    for port in PORTS:
        world, adc = world_of(port)
        world.chip.adc_mv[adc] = 400  # -20 degrees
        world.at(lambda world=world, adc=adc: world.chip.adc_mv.update({adc: 480}), hours=5)  # -12
        world.at(lambda world=world, adc=adc: world.chip.adc_mv.update({adc: 400}), hours=6)
        world.run(hours=6)
        assert world.relay == 1, (port, "the lamp is on, asleep too")
        world.run(hours=18)
        told = [round(value) for value in world.told(COLD)]
        assert world.relay == 0 and -12 in told and told[-1] == -20, (port, told)
        assert max([awake for _, awake, _ in world.wakes] or [0]) < 60000, port


def test_the_door_is_told_at_once():
    for port in PORTS:
        world, adc = world_of(port)
        world.chip.adc_mv[adc] = 400
        world.run(hours=2)
        told = len(world.told(OPEN))
        world.at(lambda world=world: world.drive("door", True), minutes=20)
        world.at(lambda world=world: world.drive("door", False), minutes=25)
        world.run(minutes=21)
        assert world.told(OPEN)[told:] == [True], port
        world.run(minutes=5)
        assert world.told(OPEN)[told:] == [True, False], port


def test_nothing_is_lost_without_coverage():
    for port in PORTS:
        world, adc = world_of(port)
        world.chip.adc_mv[adc] = 400
        world.at(lambda world=world: world.outage(True), hours=1)
        world.at(lambda world=world: world.drive("door", True), hours=1, minutes=20)
        world.at(lambda world=world: world.drive("door", False), hours=1, minutes=50)
        world.at(lambda world=world: world.outage(False), hours=3)
        world.run(hours=12)
        assert world.told(OPEN) == [False, True, False], (port, world.told(OPEN))


def test_the_server_may_move_the_limit():
    for port in PORTS:
        world, adc = world_of(port)
        world.chip.adc_mv[adc] = 480
        asked = []
        world.on_awake = lambda world=world, asked=asked: asked or asked.append(world.server.write(ENDPOINT, LIMIT, b"-5", 0))
        world.run(hours=3)
        assert asked[0].code == 204 and world.relay == 0, port
