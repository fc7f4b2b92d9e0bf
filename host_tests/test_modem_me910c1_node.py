"""A node over an ME910C1, from the object tree to the server: what the shadow contract carries, through sleep and power loss.

ObjectTree, driver, AtClient, FakeUart, model, LocalLink, LocalServer: everything but the board.
"""

from fakes.telit import Node, ready
from fakes.world import World

from lwnode.lwm2m import FLOAT, ObjectTree, Path
from lwnode.modem import NOT_REGISTERED, REGISTERED, Server
from lwnode.modem.recovery import bring_back

ENDPOINT = "node-1"


class Application:
    """Temperature, humidity, one relay: rows of a table, and what a wake does with them."""

    def __init__(self, made):
        self.made = made
        self.temperature, self.humidity, self.relay = 21.5, 40.0, []
        self.tree = ObjectTree()
        self.tree.sensor(3303, lambda: self.temperature, resolution=0.1)
        self.tree.sensor(3304, lambda: self.humidity, resolution=1)
        self.tree.actuator(3306, self.relay.append, initial=False)
        self.boot()

    def boot(self):
        """The host starts: a driver is there, nothing is known of the module."""
        self.modem = self.made.modem
        self.modem.on_request = self.tree.handle

    def start(self):
        """start -> configure -> declare -> one restart -> attach -> register."""
        modem = self.modem
        assert modem.start()
        restart = modem.configure(Server("host", 5683, ENDPOINT))
        if modem.declare(self.tree.objects()) or restart:
            assert modem.restart()
        assert modem.attach(60000)
        assert modem.register(60000), modem.refusal

    def report(self):
        """Sample, publish what the rules say, wait for the outcome: delivered tickets."""
        now = self.made.clock.unix()
        self.tree.sample(now)
        before = len(self.made.told("delivered"))
        for record in self.tree.reports(now):
            self.modem.publish([record])
        assert self.modem.settle(self.modem.deadline_ms)
        return len(self.made.told("delivered")) - before

    def deep_sleep(self, seconds):
        """Module and host sleep; a new driver takes up the snapshot."""
        assert self.modem.sleep()
        kept = self.modem.snapshot()
        self.made.clock.advance(seconds * 1000)
        self.made.host_boots()
        self.boot()
        assert self.modem.restore(kept) and self.modem.wake()


def at_server(made, path):
    return [each.value for each in made.server.deliveries if each.path == path]


def node(**options):
    made = Node(pins=("power_key", "status"), sleep_confirm_ms=90000, **options)
    application = Application(made)
    made.observe([(3303, 0, 5700), (3304, 0, 5700)])
    application.start()
    made.modem.service(1000)
    return made, application


def test_from_an_empty_module_to_delivered_readings():
    made, application = node()
    registration = made.server.registrations[ENDPOINT]
    for path in ("/3303/0", "/3304/0", "/3306/0"):
        assert path in registration.objects
    application.report()
    assert at_server(made, (3303, 0, 5700)) == [21.5] and at_server(made, (3304, 0, 5700)) == [40.0]
    read = made.server.read(ENDPOINT, (3303, 0))
    made.clock.advance(1000)
    assert {each.path[2]: each.value for each in read.values}[5700] == 21.5


def test_the_server_switches_the_relay():
    made, application = node()
    written = made.server.write(ENDPOINT, (3306, 0, 5850), b"1", 0)
    made.modem.service(2000)
    assert written.code == 204 and application.relay[-1] in (True, 1)
    made.server.write(ENDPOINT, (3306, 0, 5850), b"0", 0)
    made.modem.service(2000)
    assert application.relay[-1] in (False, 0)


def test_a_day_of_wakes_by_a_module_that_forgets_in_psm():
    """Each wake is a power cycle of the agent: enabled, armed and observed again, and no reading is lost."""
    made, application = node()
    made.modem.power_saving(7200, 10)
    application.report()
    for hour in range(6):
        application.deep_sleep(3600)
        assert application.modem.status() == NOT_REGISTERED
        assert application.modem.attach(60000) and application.modem.register(60000)
        application.temperature = 22.0 + hour
        assert application.report() >= 1, hour
    assert at_server(made, (3303, 0, 5700))[-6:] == [22.0, 23.0, 24.0, 25.0, 26.0, 27.0]
    assert made.told("failed") == []


def test_a_day_of_wakes_by_a_module_that_keeps_its_session():
    made, application = node(model={"psm_keeps": True})
    made.modem.power_saving(7200, 10)
    application.report()
    registered = len([event for event in made.server.events if event[2] == "registered"])
    for hour in range(6):
        application.deep_sleep(3600)
        assert application.modem.status() == REGISTERED
        application.temperature = 22.0 + hour
        assert application.report() >= 1, hour
    assert at_server(made, (3303, 0, 5700))[-6:] == [22.0, 23.0, 24.0, 25.0, 26.0, 27.0]
    assert len([event for event in made.server.events if event[2] == "registered"]) == registered


def registrations_of(config, **model):
    """(registrations, wakes with a contact) of twelve hours of a whole node, without a lost reading."""
    world = World("esp32", dict(config, family="me910c1"), **model)
    world.run(hours=12)
    assert len(world.taken) == 96 and world.lost() == []
    return len([event for event in world.server.events if "registered" in event[2]])


def test_one_registration_over_48_wakes_where_sleep_lets_the_module_keep_it():
    """ENA is not saved (3.1.3: "Setting saved: No"), so who loses its power in PSM registers at each wake: nothing in the
    manual keeps that. Who keeps its memory in PSM is asked (AT#LWM2MSTAT), and CFUN=5 leaves agent and radio on.
    """
    assert registrations_of({}, psm_keeps=True) == 1
    assert registrations_of({"sleep": "cfun5"}) == 1
    assert registrations_of({}) == 48


def test_the_wait_for_its_boot_does_not_feed_on_itself():
    """What was waited was noted as its boot, and waited again with a second more: 15 s at 120 mA after a few wakes."""
    world = World("esp32", {"family": "me910c1"})
    answered = []
    booted = world.model.booted
    world.model.booted = lambda woken: (answered.append([world.clock.now, 0]), booted(woken))
    world.model.on_note = lambda way, _: way == "<" and answered and answered[-1].append(world.clock.now)
    world.run(hours=6)
    waits = [told[2] - told[0] for told in answered[1:]]
    assert len(waits) >= 22 and max(waits[4:]) <= 700, waits


def test_how_soon_a_server_observes_is_learnt_and_given_back_and_costs_no_reading():
    """What is set before the server observes again is never acknowledged: a path that was, shows how soon that is."""
    made, application = node()
    reaction = [50]

    def seen(endpoint, event):
        if event in ("registered", "reregistered"):
            made.clock.after(reaction[0], lambda: made.server.observe(ENDPOINT, (3303, 0, 5700)))

    made.server.on_registration = seen
    made.modem.publish([(Path(3303, 0, 5700), FLOAT, "19", None)])  # as long after the registration as observe_ms says
    assert made.modem.settle(120000)
    waits = []
    for count, expected in enumerate((
        # the wait in ms from the registration to the value, whether it arrived
        (750, True), (375, True), (375, True),
        (375, False), (750, False), (3000, True), (3000, True),
    )):
        if count == 3:
            reaction[0] = 1500  # another server, further away
        application.deep_sleep(3600)
        modem = made.modem
        assert modem.status() != REGISTERED and modem.register(60000)
        ticket = modem.publish([(Path(3303, 0, 5700), FLOAT, "2%d" % count, None)])
        waits.append(made.clock.ticks_ms() - modem._fresh)
        if not modem.settle(modem.deadline_ms):
            modem.abandon()
        told = made.told("delivered") == [ticket], bool(made.told("failed"))
        assert told == (expected[1], not expected[1]), (count, told, made.events)
        assert expected[0] <= waits[-1] < expected[0] + 100, (count, waits)
        assert not modem.stats.get("unwatched")
    assert made.modem._early >> 8 == 253  # so many reports later it is tried again


def test_no_acknowledgement_is_slept_through_while_another_path_waits_for_its_observer():
    """A path that was acknowledged goes soon after the registration; one that nobody observes later: the board stays awake."""
    made, application = node()
    made.server.on_registration = lambda endpoint, event: made.clock.after(
        50, lambda: made.server.observe(ENDPOINT, (3303, 0, 5700)))
    for count in range(3):
        application.deep_sleep(3600)
        modem = made.modem
        modem.light_sleep = made.uart.light_sleep
        assert modem.register(60000)
        tickets = [modem.publish([(Path(number, 0, 5700), FLOAT, "2%d" % count, None)]) for number in (3303, 3304)]
        modem.settle(modem.deadline_ms)
        assert made.told("delivered") == tickets[:1], (count, made.told("failed"))


def test_a_module_that_has_forgotten_its_registration_wakes_for_no_update_of_it():
    world = World("esp32", {"family": "me910c1", "report_every": 10800, "sample_every": 10800})
    world.run(hours=46)
    assert world.model.counters["deep_sleeps"] <= 17, world.model.counters


def test_a_reading_that_went_in_a_pack_is_not_pushed_as_a_present_one_too():
    """The first contact lies behind the first samples: they go in a pack, and are left out of what the module is to know."""
    world = World("esp32", {"family": "me910c1", "spread": 600, "sample_every": 300, "report_every": 900})
    world.run(hours=1)
    came = [(tuple(each.path), "%.2f" % each.value) for each in world.server.deliveries if each.path[0] in (3303, 3304)]
    came = [each for each in came if each[0][2] == 5700]
    assert len(came) > 12 and len(came) == len(set(came))


def test_a_write_during_sleep_is_there_after_the_wake():
    made, application = node(model={"psm_keeps": True})
    made.modem.power_saving(7200, 10)
    application.report()
    application.relay.clear()
    assert application.modem.sleep()
    kept = application.modem.snapshot()
    made.server.write(ENDPOINT, (3306, 0, 5850), b"1", 0)
    made.clock.advance(10000)
    made.host_boots()
    application.boot()
    assert application.modem.restore(kept) and application.modem.wake()
    assert application.modem.status() == REGISTERED
    made.modem.service(15000)  # the server has repeated its request meanwhile
    assert made.model.objects.get((3306, 0, 5850, 0)) == "1" and application.relay[-1:] in ([True], [1])


def test_power_loss_in_mid_life_arms_again():
    made, application = node()
    application.report()
    made.model.power_off()
    made.clock.advance(60000)
    assert bring_back(application.modem, 240000)
    assert made.model.monitored == [19, 3306] and len(made.model.ack_uris) == 3 and made.model.ack_enabled == 1
    made.modem.service(1000)
    application.temperature = 30.0
    assert application.report() >= 1
    assert at_server(made, (3303, 0, 5700))[-1] == 30.0
    made.server.write(ENDPOINT, (3306, 0, 5850), b"1", 0)
    made.modem.service(2000)
    assert application.relay[-1] in (True, 1)


def test_the_server_restarts_in_mid_life():
    """The module finds out by its next update, and registers by itself."""
    nvram = ready()
    nvram["values"] = {"1/0/1/0": "300"}
    made, application = node(nvram=nvram, psm=None)
    made.server.restart()
    made.modem.service(300000)
    assert ENDPOINT in made.server.registrations
    application.temperature = 25.0
    application.report()
    assert at_server(made, (3303, 0, 5700))[-1] == 25.0


def test_an_outage_keeps_the_reading_and_the_next_value_arrives():
    made, application = node()
    application.report()
    made.link.radio(up=False)
    application.temperature = 25.0
    application.report()
    assert len(made.told("failed")) == 1 and at_server(made, (3303, 0, 5700)) == [21.5]
    made.link.radio(up=True)
    application.temperature = 26.0
    assert application.report() >= 1
    assert at_server(made, (3303, 0, 5700))[-1] == 26.0


def test_ack_mode_carries_the_same_application():
    made, application = node(ack_mode=True, guard_release=10, psm=None)
    application.report()
    assert at_server(made, (3303, 0, 5700)) == [21.5]
    application.temperature = 23.0
    made.modem.service(30000)
    assert made.model.status == "IDLE"
    assert application.report() >= 1
    assert made.modem.stats["rings"] >= 2


def test_a_lost_acknowledgement_does_not_block_a_history_that_is_replayed():
    """The module repeats only what changes: the oldest reading waits until it holds another value, the others go on."""
    for notification in (6, 7):
        world = World("esp32", {"family": "me910c1", "history": "replay"})
        seen = []

        def cut(world=world, seen=seen, notification=notification):
            seen.append(1)
            if len(seen) == notification:
                world.outage(True)  # the server has the value, its acknowledgement is lost
                world.at(lambda: world.outage(False), minutes=20)

        world.on_awake = cut
        world.run(hours=4)
        late = [reading for reading in world.lost() if reading[2] < world.clock.unix() - 1800]
        assert len(world.taken) >= 28 and not late, (notification, late)
