"""A server that observes the sensors and not /19/0/0: history waits for an observer, with its times, and holds nothing up."""

from fakes.world import HUMIDITY, RELAY, TEMPERATURE, World

from lwnode.node import Node

CPYTHON_ONLY = "hours of virtual time; the parts run under MicroPython in test_node_cycle and test_modem_me910c1_node"


def life(family, **config):
    """Six hours, two of them without coverage, with a server that does not observe packs."""
    config["family"] = family
    world = World("esp32", config, observe=(TEMPERATURE, HUMIDITY, RELAY))
    world.at(lambda: world.outage(True), hours=2)
    world.at(lambda: world.outage(False), hours=4)
    world.run(hours=6)
    return world


def in_order(world, path, count=20):
    values = [float(text) for where, text, _ in world.delivered() if where == path]
    return values == sorted(values) and len(values) > count


def test_history_is_replayed_in_order_where_the_configuration_says_so():
    for family in ("bc66", "me910c1"):
        world = life(family, history="replay")
        assert world.lost() == [] and in_order(world, TEMPERATURE) and in_order(world, HUMIDITY), (family, world.lost())


def test_history_waits_for_an_observer_and_goes_with_its_times():
    """Nothing old comes as a present value, what is new is not held up, and the node says what a person can do about it."""
    for family in ("bc66", "me910c1"):
        said, warn = [], Node.warn
        Node.warn = lambda node, key, text: (said.append(text) if key == "history" else None, warn(node, key, text))[1]
        try:
            world = life(family)
            late = world.lost()
            assert in_order(world, TEMPERATURE, 12), family
            assert [reading for reading in late if 2.2 * 3600 < reading[2] - world.clock.start_unix < 3.8 * 3600], family
            assert max([reading[2] for reading in late]) < world.clock.unix() - 1.2 * 3600, (family, late)
            assert "/19/0/0" in said[-1], said
            # One silence told an ME910C1 that nobody observes packs: the wake in which coverage was back, and hardly another.
            assert len([each for each in world.wakes if each[1] > 90000 and each[0] > 4 * 3600000]) <= 2, world.wakes
            world.server.auto_observe.append("/19/0/0")
            world.run(hours=5)
            assert [each for each in world.lost() if each[2] < world.clock.unix() - 900] == [], (family, world.lost())
            assert not said[-1], (family, said[-1])
            times = {(where, text): when for where, text, when in world.delivered()}
            for where, text, when in late:
                assert abs(times[where, text] - when) < 30, (family, where, text)
        finally:
            Node.warn = warn
