"""Told to be silent, a whole node is: no line reaches the module for that long, through every sleep, and then it is back.

`disable` of a BC66 (4.3.15), SUSPENDED of an ME910C1 (3.1.3): the server's Execute of 1/0/4, for as long as 1/0/5 says.
"""

from fakes.world import ENDPOINT, World


class Silenced:
    """A node whose server executes 1/0/4 after an hour: `quiet` holds the commands at each full minute from then on."""

    def __init__(self, family, port, seconds, hours=4, **config):
        config["family"] = family
        self.world = World(port, config)
        self.seconds = seconds
        self.asked = None
        self.counts = []
        self.world.on_awake = self._ask
        self.world.run(hours=hours)

    def _ask(self):
        world = self.world
        if self.asked is None and world.clock.now > 3600000:
            self.asked = world.clock.now
            world.server.write(ENDPOINT, (1, 0, 5), b"%d" % self.seconds, 0)
            world.clock.after(300, lambda: world.server.execute(ENDPOINT, (1, 0, 4)))
            for minute in range(2, self.seconds // 60):
                world.clock.after(minute * 60000, self._count)

    def _count(self):
        self.counts.append(self.world.model.counters["commands"])

    def check(self):
        """Nothing said meanwhile; registered and everything delivered afterwards."""
        world = self.world
        assert self.asked is not None and len(set(self.counts)) == 1, self.counts
        back = [event for event in world.server.events if "registered" in event[2] and event[0] > self.asked + 60000]
        assert back and back[0][0] >= self.asked + (self.seconds - 60) * 1000, back
        assert len(world.taken) >= 30
        late = [reading for reading in world.lost() if reading[2] < world.clock.unix() - 1800]
        assert late == []


def test_disable_of_a_bc66_is_silence_over_every_sleep_on_a_board_that_loses_its_ram():
    Silenced("bc66", "esp32", 5400).check()


def test_disable_of_a_bc66_is_silence_over_every_sleep_on_a_board_that_keeps_its_ram():
    Silenced("bc66", "rp2", 5400).check()


def test_suspended_of_an_me910c1_is_silence_over_every_sleep():
    """The module does not say for how long: the key disable_s does. Its registration URCs are needed to hear of it at all."""
    Silenced("me910c1", "esp32", 5400, disable_s=5400).check()
