"""Features: asked for by keys, missing with a name, switched off when they raise, restricting a wake the most."""

from fakes.world import World

from lwnode import features
from lwnode.config import ConfigError, checked
from lwnode.features import FEATURES, Feature, installed

GIVEN = {"family": "bc66", "host": "192.0.2.7", "endpoint": "x", "apn": ""}


class Probe(Feature):
    """Raises where it is told to, and says what it was asked."""

    name = "probe"
    SIZE = 1
    asked = ()
    raises = ""

    def _say(self, what):
        Probe.asked += (what,)
        if what == self.raises:
            raise ValueError("broken")

    def before_wake(self, node, cause, now):
        self._say("before_wake")

    def after_contact(self, node, reached):
        self._say("after_contact")

    def before_sleep(self, node, now):
        self._say("before_sleep")

    def dump(self):
        return b"7"

    def load(self, data):
        self._say("load " + data.decode())
        return True


def with_probe(world):
    world.settings.features += (Probe,)
    Probe.asked = ()
    return world


def test_a_feature_is_asked_in_each_wake_and_keeps_its_state_over_sleep():
    for port in ("esp32", "rp2"):
        world = with_probe(World(port))
        world.run(minutes=20)
        assert Probe.asked[:3] == ("before_wake", "after_contact", "before_sleep"), (port, Probe.asked)
        assert ("load 7" in Probe.asked) == (port == "esp32"), "an RP2 keeps its RAM"


def test_a_feature_that_raises_is_off_for_that_wake_and_costs_no_reading():
    for what in ("before_wake", "after_contact", "before_sleep"):
        world = with_probe(World("rp2"))
        Probe.raises = what
        try:
            world.run(hours=2)
        finally:
            Probe.raises = ""
        wakes = Probe.asked.count("before_wake")
        assert wakes >= 8 and not [one for one in world.lost() if one[2] < world.clock.unix() - 1800], what
        assert Probe.asked.count("before_sleep") == (0 if what != "before_sleep" else wakes), (what, Probe.asked)


def test_a_key_switches_its_feature_off():
    def has(**more):
        return {feature.name for feature in checked(dict(GIVEN, **more)).features}

    for key, off, name in (("pins", False, "pins"), ("commands", False, "commands"), ("history", "replay", "commands"),
                           ("node_objects", False, "usage"), ("node_objects", False, "settings")):
        assert has() - has(**{key: off}) >= {name}, (key, name)
    assert has(node_objects=False, commands=False, pins=False) == {"ship"}, "which a board without its pin does not get"


def test_a_key_whose_feature_is_not_installed_is_refused_by_both_names():
    rows = features.FEATURES
    features.FEATURES = rows + ";lamp - lifetime "
    try:
        checked(GIVEN)
        checked(dict(GIVEN, lifetime=600))
    except ConfigError as error:
        assert '"lifetime" needs the feature "lamp"' in str(error), error
    else:
        raise AssertionError("taken without its feature")
    finally:
        features.FEATURES = rows


def test_the_order_to_ship_is_followed_at_the_next_start_and_ended_by_the_held_button():
    world = World("esp32", pins={"ship": 33})
    world.board().protected.save("ship", b"1")
    world.run(hours=30)
    assert not world.taken and not world.uart.sent
    world.drive("ship", True)
    world.chip.boot("power_on")
    world.run(hours=1)
    assert world.taken and world.board().protected.load("ship") == b"0"


def test_all_features_together_keep_within_their_bytes_of_retained_state():
    names = [row.split(" ")[0] for row in FEATURES.split(";")]
    sizes = {name: installed(name).SIZE for name in names}
    assert sum(sizes.values()) + sum([3 + len(name) for name in sizes]) <= 900, sizes
