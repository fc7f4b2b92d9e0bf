"""The real firmware on an ME910C1 that misbehaves: quirks, and faults by seed, for hours; no reading is lost on any of it.

As test_vmodem_hostile_node has it for the BC66. A module that forgets in PSM is enabled, armed and observed again at each wake.
"""

from fakes.world import World
from test_vmodem_hostile_node import life, missing

CPYTHON_ONLY = "days of virtual time; the same driver lives under MicroPython in test_modem_me910c1_node"
TELIT = {"family": "me910c1"}
QUIRKS = "first_at_lost,boot_noise,odd_urcs,stat_without_number,tlt_named,lf_lists"


def test_a_module_that_forgets_in_psm_and_one_that_does_not():
    for keeps in (False, True):
        world = World("esp32", TELIT, hostile=QUIRKS, psm_keeps=keeps)
        world.run(hours=3)
        assert not missing(world), (keeps, missing(world)[:3])
        registrations = len([event for event in world.server.events if event[2].endswith("registered")])
        assert registrations == 1 if keeps else registrations >= 11, registrations
        assert world.model.counters["deep_sleeps"] >= 11


def test_a_board_that_keeps_its_ram():
    world = World("rp2", TELIT, hostile=QUIRKS)
    world.run(hours=3)
    assert not missing(world), missing(world)[:3]


def test_faults_by_seed():
    for seed in (16, 33):
        world = life("esp32", 5, seed, 60, config=TELIT, hostile=QUIRKS if seed % 2 else (), psm_keeps=seed == 1)
        assert len(world.model.faults.played) > 4, seed
        assert not missing(world), (seed, missing(world)[:3])


def test_the_faults_that_leave_the_line_in_doubt_alone():
    for kind in ("late", "silence", "lost_answer", "bitflip", "reboot"):
        world = life("esp32", 1, 3, 100, (kind,), config=TELIT)
        assert not missing(world), (kind, missing(world)[:3])


def test_the_actuator_is_written_while_the_node_sleeps():
    """The server asks when the node is heard of; the module answers, the node hears of it by MON, in the same wake."""
    world = World("esp32", TELIT, psm_keeps=True)
    asked = []

    def ask():
        if len(asked) < 3:
            asked.append(world.server.write("urn:dev:world", "/3306/0/5850", b"01"[len(asked) % 2 :][:1], 0))

    world.on_awake = ask
    world.run(hours=2)
    assert [exchange.code for exchange in asked] == [204, 204, 204]
    assert world.relay in (0, 1) and world.model.objects.get((3306, 0, 5850, 0)) == str(world.relay)


def test_an_outage_of_three_hours_loses_nothing():
    world = World("esp32", TELIT)
    world.at(lambda: world.outage(True), hours=1)
    world.at(lambda: world.outage(False), hours=4)
    world.run(hours=8)
    assert not missing(world), missing(world)[:3]
