"""The wake cycle, end to end in virtual time: both ports, the real main.py, a modelled BC66, a server."""

from fakes.world import ENDPOINT, HUMIDITY, RELAY, TEMPERATURE, World

PORTS = ("esp32", "rp2")


def _each(check):
    for port in PORTS:
        check(World(port), port)


def test_every_reading_of_a_day_arrives_and_only_one_registration_is_made():
    def check(world, port):
        world.run(hours=8)
        assert len(world.taken) >= 2 * 31, (port, len(world.taken))
        late = [reading for reading in world.lost() if reading[2] < world.clock.unix() - 60]
        assert not late, (port, late)
        events = [event for event in world.server.events]
        assert len([event for event in events if "registered" in str(event)]) == 1, (port, events[:5])
    _each(check)


def test_an_outage_of_three_hours_loses_nothing_and_order_and_times_are_kept():
    def check(world, port):
        world.at(lambda: world.outage(True), hours=2)
        world.at(lambda: world.outage(False), hours=4)
        world.run(hours=8)
        late = [reading for reading in world.lost() if reading[2] < world.clock.unix() - 900]
        assert not late, (port, late)
        for path in (TEMPERATURE, HUMIDITY):
            taken = [text for where, text, _ in world.taken if where == path]
            arrived = [text for where, text, _ in world.delivered() if where == path]
            assert arrived == taken[:len(arrived)], (port, path)
        when = {}
        for path, text, unix in world.taken:
            when[path, text] = unix
        worst = max([abs(unix - when[path, text]) for path, text, unix in world.delivered()])
        # A live reading has no time of its own: it is as old as its wake is long.
        assert worst <= world.settings.awake_budget, (port, worst)
    _each(check)


def test_a_write_of_the_server_moves_the_actuator_and_survives_sleep():
    def check(world, port):
        answers = []
        world.on_awake = lambda: answers or answers.append(world.server.write(ENDPOINT, RELAY, b"1", 0))
        world.run(hours=1)
        assert answers and answers[0].code == 204, (port, answers)
        assert world.relay == 1, port
    _each(check)


def test_history_is_replayed_in_order_for_a_server_that_never_observes_packs():
    world = World("esp32", {"history": "replay"}, observe=(TEMPERATURE, HUMIDITY))
    world.at(lambda: world.outage(True), hours=2)
    world.at(lambda: world.outage(False), hours=3)
    world.run(hours=6)
    assert not [reading for reading in world.lost() if reading[2] < world.clock.unix() - 900]
    arrived = [text for where, text, _ in world.delivered() if where == TEMPERATURE]
    assert arrived == [text for where, text, _ in world.taken if where == TEMPERATURE][:len(arrived)]


def test_units_and_extremes_go_to_a_module_that_answers_by_itself():
    world = World("esp32", config={"family": "me910c1"})
    world.run(hours=2)
    assert not [reading for reading in world.lost() if reading[2] < world.clock.unix() - 1800], world.lost()


def test_without_a_sim_the_network_is_tried_about_once_a_day_and_sampling_goes_on():
    world = World("esp32", config={"sample_every": 3600, "report_every": 3600}, sim="absent")
    asked = []
    receive = world.model.receive

    def listen(data):
        asked.append(bytes(data))
        receive(data)

    world.model.receive = listen
    world.run(hours=30)
    tries = len([data for data in asked if data.startswith(b"AT+CMEE")])
    assert 1 <= tries <= 3, tries
    assert len(world.taken) >= 2 * 28


def test_what_the_module_cannot_hold_is_refused_by_key_and_leads_to_rest_not_to_a_crash_loop():
    world = World("esp32", config={"family": "bc20", "security": "psk"}, secrets={"psk_identity": "id", "psk": "3031"})
    world.run(hours=5)
    assert world.taken == [] and world.server.registrations == {}
    assert world.causes.count("deep_sleep") >= 4 and len(world.causes) <= 6, world.causes


def test_outside_a_wake_no_budget_ends_what_a_person_asks_for():
    from lwnode.board import open_board
    from lwnode.node import Node
    world = World("esp32")
    board = open_board(world.definition, world.chip.machine, world.chip.port, world.chip.time)
    node = Node(board, world.settings, world._declare, world.flash)
    node.sample()
    assert node.contact(), node.last_error
    assert world.lost() == []
    node.close()


def test_a_lost_observation_is_made_again_by_a_new_registration():
    world = World("esp32", observe=(TEMPERATURE, "/19/0/0"))
    world.at(lambda: world.server.auto_observe.append(HUMIDITY), minutes=30)
    world.run(hours=4)
    assert not [reading for reading in world.lost() if reading[2] < world.clock.unix() - 1800]


def test_a_server_that_will_not_observe_is_asked_ever_more_seldom():
    world = World("esp32", observe=(TEMPERATURE, "/19/0/0"))
    world.run(hours=24)
    registrations = [event for event in world.server.events if event[2] in ("registered", "reregistered")]
    assert 3 <= len(registrations) <= 7, len(registrations)


def test_the_bus_is_freed_as_soon_as_a_reading_fails():
    """Issue 17, row 10; UM10204 3.1.16: the sensor that was cut off amid a byte holds SDA for all others."""
    def cut_off():
        raise OSError(5)

    for read, freed in ((lambda: 20.0, []), (cut_off, [1])):
        world, seen = World("rp2"), []
        world.declare = lambda tree, board: tree.sensor(3303, read, 1)
        node = world.node()
        node.board.free_i2c = lambda: seen.append(1)
        node.sample()
        assert seen == freed
