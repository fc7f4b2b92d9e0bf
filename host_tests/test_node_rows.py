"""Rows of one's own in a whole node on both ports: state that survives, settings that the server writes, rules over wakes."""

from fakes.world import ENDPOINT, World

PORTS = ("esp32", "rp2")
LEVEL, LIMIT = "/3300/0/5700", "/3308/0/5900"


def world_with(port, declare, **config):
    """A node with one more row, whose values the server watches too."""
    given = {"write_format": "text", "sample_every": 600, "report_every": 3600}
    given.update(config)
    world = World(port, given, observe=(LEVEL, "/3308/0", "/19/0/0"))
    world.declare = declare
    return world


def test_a_row_that_counts_three_samples_above_a_limit_fires_where_ram_is_lost_too():
    for port in PORTS:
        levels, fired = [20, 31, 20, 31, 31, 31, 31, 20, 31, 31, 31], []

        def declare(tree, board, levels=levels, fired=fired):
            state = tree.state("limit")

            def read():
                value = levels.pop(0) if levels else 20
                state["above"] = state.get("above", 0) + 1 if value > 30 else 0
                if state["above"] == 3:
                    fired.append(len(levels))
                return value

            tree.sensor(3300, read)

        world = world_with(port, declare)
        world.run(hours=3)
        assert fired == [5, 0] and (port == "rp2" or world.chip.boots > 10), (port, fired)


def test_samples_tells_a_crossing_after_so_many_readings_and_hysteresis_the_way_back():
    for port in PORTS:
        levels = [20, 31, 20, 31, 31, 31, 29.5, 29.5, 29.5, 28, 28, 28, 20]
        wanted = [20, 31, 28]  # the first reading, the third above 30, the third below 30 less the hysteresis of 1
        world = world_with(port, lambda tree, board, levels=levels: tree.sensor(
            3300, lambda: levels.pop(0) if levels else 20, gt=30, samples=3, deadband=1))
        world.run(hours=4)
        assert [each.value for each in world.server.deliveries if tuple(each.path) == (3300, 0, 5700)] == wanted, port


def test_a_setting_that_the_server_writes_is_kept_before_its_answer_and_read_by_the_next_wake():
    for port in PORTS:
        seen = []

        def declare(tree, board, seen=seen):
            limit = tree.actuator(3308, None, initial=30.0, unit="Cel")
            tree.sensor(3300, lambda: seen.append(limit.resources[0].value) or 20, values={5750: "cellar"}, pmax=86400)

        world, asked = world_with(port, declare), []

        def cut(world=world, asked=asked):
            if asked[0].code:
                world.reset("power_on")  # as the answer comes the supply is gone, and RTC memory with it
            world.clock.after(1, cut)

        def write(world=world, asked=asked, cut=cut):
            if not asked:
                asked.append(world.server.write(ENDPOINT, LIMIT, b"25.5", 0))
                world.clock.after(1, cut)

        world.on_awake = write
        world.run(minutes=20)
        assert asked[0].code == 204 and "power_on" in world.causes, (port, world.causes)
        seen[:] = []
        world.run(hours=1)
        assert seen and set(seen) == {25.5}, (port, seen)
