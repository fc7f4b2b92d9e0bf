"""A world with one sensor whose value the test sets, and what tests of whole nodes count in any world.

    world = Calm("esp32", {"report_every": 3600})
    world.value = 31              # over its threshold of 30
    contacts(world, 1, 9)         # registrations and updates from the first hour to the ninth
    late(world)                   # readings that the server should have by now
"""

from fakes.world import World


def contacts(world, since_h=0, until_h=100000):
    """How often the server was heard of between two hours of the world."""
    hour = 3600000
    return len([event for event in world.server.events
                if event[2] in ("registered", "reregistered", "updated") and since_h * hour <= event[0] < until_h * hour])


def late(world, seconds=1800):
    """Readings older than that which the server does not have."""
    return [reading for reading in world.lost() if reading[2] < world.clock.unix() - seconds]


class Calm(World):
    """One sensor whose value the test sets, with a threshold; everything it gave is in `given`."""

    def __init__(self, *given, **options):
        self.value = 20
        self.given = []
        super().__init__(*given, **options)

    def _declare(self, tree, board):
        tree.sensor(3303, self.read, unit="Cel", resolution=0.01, gt=30)

    def read(self):
        self.given.append((self.clock.unix(), self.value))
        return self.value

    def told(self):
        """(value, seconds after it was read) of each arrival, history too."""
        return [delivery for delivery in self.server.deliveries if tuple(delivery.path) == (3303, 0, 5700)]
