"""A server that observes the sensors and not /19/0/0: history cannot go as packs, and must not hold up what can go."""

from fakes.world import HUMIDITY, RELAY, TEMPERATURE, World

CPYTHON_ONLY = "hours of virtual time; the parts run under MicroPython in test_node_cycle and test_modem_me910c1_node"


def life(family):
    """Six hours, two of them without coverage, with a server that cannot read packs."""
    world = World("esp32", {"family": family}, observe=(TEMPERATURE, HUMIDITY, RELAY))
    world.at(lambda: world.outage(True), hours=2)
    world.at(lambda: world.outage(False), hours=4)
    world.run(hours=6)
    return world


def in_order(world, path):
    values = [float(text) for where, text, _ in world.delivered() if where == path]
    return values == sorted(values) and len(values) > 20


def test_history_is_replayed_in_order_by_a_module_that_cannot_tell_who_observes():
    world = life("me910c1")
    assert world.lost() == [] and in_order(world, TEMPERATURE) and in_order(world, HUMIDITY), world.lost()
    # One silence told that nobody observes the packs: the wake in which coverage was back, and no other.
    assert len([each for each in world.wakes if each[1] > 90000 and each[0] > 4 * 3600000]) <= 2, world.wakes


def test_history_is_replayed_in_order_by_a_module_that_tells():
    world = life("bc66")
    assert world.lost() == [] and in_order(world, TEMPERATURE) and in_order(world, HUMIDITY), world.lost()
