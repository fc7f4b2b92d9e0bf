"""The real firmware on a BC20 and a BG96 that misbehave: faults by seed, then calm; no reading is lost on any of it."""

from fakes.world import World

CALM_H = 7  # longer than the node's longest rest (back-off: 6 h)


def missing(family, seed, permille, kinds=None):
    """Readings older than half an hour that the server does not have, after two bad hours and some good ones."""
    world = World("esp32", {"family": family})
    world.model.faults.random(seed, permille, kinds)
    world.run(hours=2)
    world.model.faults.random(0, 0)
    world.model.faults.disarm()
    world.run(hours=CALM_H)
    assert world.taken
    return [reading for reading in world.lost() if reading[2] < world.clock.unix() - 1800]


def test_bc20_loses_nothing():
    assert not missing("bc20", 1, 40)


def test_bc20_object_19_is_added_again_where_its_refusal_was_a_fault():
    """A refused QLWADDOBJ may mean "there already" (3.3 has no read form); here it did not, and nothing could be sent."""
    assert not missing("bc20", 3, 150, ("error",))


def test_bg96_loses_nothing():
    assert not missing("bg96", 2, 40)


def test_bg96_is_configured_sub_command_by_sub_command():
    """Twelve sub-commands in a row seldom pass a bad line together: each is repeated by itself."""
    assert not missing("bg96", 3, 150, ("late",))


def test_bg96_whose_new_start_was_interrupted_is_configured_again():
    """Its configuration begins with "clean": what is cut off after that holds until the next restart, and is gone then."""
    for line in range(90, 97):
        world = World("esp32", {"family": "bg96"})

        def cut(world=world, line=line):
            for silent in list(range(1, 81)) + list(range(line, line + 30)):
                world.model.faults.arm("silence", at=silent)

        world.at(cut, minutes=59)
        world.at(world.model.restart, minutes=125)
        world.run(hours=5)
        lost = [reading for reading in world.lost() if reading[2] < world.clock.unix() - 1800]
        assert not lost, (line, lost[:3])
