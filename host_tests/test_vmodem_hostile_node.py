"""The real firmware on modules that misbehave: quirks, and faults by seed, for hours; no reading is lost on any of it.

Everything else of this world is real or modelled as in test_node_cycle; the server counts what arrives.
"""

from fakes.world import World

from testing.lwm2m.names import parse_path

CALM_H = 7  # after the faults: time to bring everything home, longer than the longest rest (back-off: 6 h)


def observe_again(server, endpoint, event):
    """A server that asks again at each update: an observation that the module never confirmed carries nothing."""
    if event == "updated":
        for path in server.auto_observe:
            if parse_path(path) not in server.observations(endpoint):
                server.observe(endpoint, path)


def life(port, hours, seed=None, permille=30, kinds=None, **options):
    """Hours with faults, then some without; returns the world."""
    world = World(port, **options)
    world.server.on_registration = lambda endpoint, event: observe_again(world.server, endpoint, event)
    if seed is not None:
        world.model.faults.random(seed, permille, kinds)
    world.run(hours=hours)
    world.model.faults.random(0, 0)
    world.model.faults.disarm()
    world.run(hours=CALM_H)
    return world


def missing(world):
    """Readings older than half an hour that the server does not have."""
    return [reading for reading in world.lost() if reading[2] < world.clock.unix() - 1800]


def test_all_quirks_of_real_firmware_at_once():
    for port in ("esp32", "rp2"):
        world = life(port, 3, hostile="all")
        assert not missing(world), (port, missing(world)[:3])
        assert world.model.counters["deep_sleeps"] > 15, (port, world.model.counters)
        assert len(world.server.registrations) == 1


def test_faults_by_seed():
    for port, seed in (("esp32", 1), ("rp2", 2)):
        world = life(port, 5, seed, hostile="all" if seed % 2 else ())
        assert len(world.model.faults.played) > 2, (port, seed)
        assert not missing(world), (port, seed, missing(world)[:3])


def test_a_recovery_result_that_came_too_late_is_not_taken_for_the_next():
    # Seed 3 times out a recovery whose result then waits in the queue of a board that keeps its RAM: a driver that
    # takes it for the result of the next recovery notifies too early, at every wake.
    world = life("rp2", 10, 3, hostile="all")
    refused = [entry for entry in world.model.recent if entry[1] == "<" and entry[2].endswith("ERROR: 32")]
    assert not refused and not missing(world)


def test_the_hardest_kinds_of_fault_alone():
    for kind in ("bitflip", "late", "lost_answer", "reboot"):
        world = life("esp32", 2, 3, 150, (kind,))
        assert not missing(world), (kind, missing(world)[:3])


def test_a_line_that_loses_answers_makes_a_node_rest_no_longer_than_half_of_that_time():
    # Two of five answers come too late, for eight hours: no contact ends well. The rest grows with that time (issue 15 G).
    world = World("esp32")
    world.model.faults.random(3, 400, ("late",))
    world.run(hours=8)
    assert len(world.lost()) == len(world.taken) == 64
    world.model.faults.random(0, 0)
    world.run(hours=4, minutes=30)
    assert not missing(world), missing(world)[:3]


def test_the_other_families():
    for family in ("bc20", "bg96", "me910c1"):
        world = life("esp32", 4, 11, config={"family": family}, hostile="all")
        assert len(world.model.faults.played) > 1, family
        assert not missing(world), (family, missing(world)[:3])
