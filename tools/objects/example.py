"""A configuration with more than a module holds: every kind of row, and too many of some."""

from typing import Any


def nothing(*arguments: object) -> None:
    """A driver that gives no reading, a callback that does nothing."""


def declare(tree: Any, board: Any) -> None:
    """Rows of a well-equipped cold store with an energy meter."""
    tree.sensor(3303, nothing, resolution=0.1, range=(-55, 125), deadband=0.2, pmax=3600)
    tree.sensor(3304, nothing, resolution=1, range=(0, 100))
    tree.sensor(3315, nothing, resolution=10, range=(30000, 110000))
    tree.sensor(3334, nothing, version="1.1", resolution=0.01, range=(-35, 35))
    tree.sensor(3305, nothing, resolution=0.1, values={5805: 0, 5820: 1})
    tree.sensor(3200, nothing)
    tree.sensor(3302, nothing, values={5751: "PIR"})
    tree.sensor(3347, nothing)
    tree.sensor(6, nothing)
    tree.sensor(3411, nothing, resources=(1,), values={3: 3.6, 5: 20})
    for instance in range(1, 6):
        tree.sensor(3303, nothing, instance, resolution=0.1)
    tree.actuator(3306, nothing, initial=False)
    tree.actuator(3311, {5850: nothing, 5851: nothing}, initial=False, values={5851: 0})
    tree.actuator(3308, nothing, initial=4.0, resolution=0.5)
    tree.actuator(3338, nothing, initial=False)
    tree.sensor(3325, nothing, unit="ppm", resolution=1)
    tree.sensor(3301, nothing)
    tree.actuator(3201, nothing, initial=False)


def eight(tree: Any) -> None:
    """The eight sensors of the heap figure."""
    for object_id in (3303, 3304, 3315, 3301, 3316, 3325, 3330, 3320):
        tree.sensor(object_id, nothing, resolution=0.1)
