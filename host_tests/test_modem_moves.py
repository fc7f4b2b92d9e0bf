"""What a server, or a person with config.json, changes of the account: the next contact follows (BC66 4.3.11, 4.3.12)."""

import json

from fakes.world import ENDPOINT, World
from lwnode.node.session import Session

HOURLY = {"report_every": 3600, "spread": 0}


def _written(path, value, port="esp32", **config):
    """A world in whose first contact the server has written that."""
    world = World(port, config=dict(HOURLY, **config))
    answers = []
    world.on_awake = lambda: answers or answers.append(world.server.write(ENDPOINT, path, value, 0))
    world.run(hours=1)
    assert answers and answers[0].code == 204, answers
    return world


def _registration(world):
    return world.server.registrations[ENDPOINT]


def _contacts(world, hours):
    """Live on; seconds between the times at which notifications arrived."""
    times = []
    world.on_awake = lambda: times.append(world.clock.now // 1000)
    world.run(hours=hours)
    return [after - before for before, after in zip(times, times[1:]) if after - before > 60]


def test_a_shorter_lifetime_brings_the_next_contact_before_its_end():
    for port in ("esp32", "rp2"):
        world = _written("/1/0/1", b"1500", port)
        assert _registration(world).lifetime == 1500
        gaps = _contacts(world, 6)[1:]
        assert len(gaps) > 10 and max(gaps) <= 1500, (port, gaps)
        assert min(gaps) > 600, (port, gaps)  # the slot of the hour comes in between
        assert _registration(world).number == 1, port  # it never lapsed
        assert not [reading for reading in world.lost() if reading[2] < world.clock.unix() - 3600], port


def test_a_longer_lifetime_moves_nothing_and_is_kept():
    world = _written("/1/0/1", b"172800")
    gaps = _contacts(world, 6)
    assert len(gaps) > 3 and min(gaps) > 3000, gaps
    assert _registration(world).lifetime == 172800


def test_a_new_registration_says_the_lifetime_and_the_binding_of_the_server_again():
    world = _written("/1/0/1", b"1500")
    world.on_awake = None
    world.server.restart()
    world.run(hours=5)
    assert _registration(world).lifetime == 1500

    world = _written("/1/0/7", b"UQ")
    assert _registration(world).binding == "UQ"
    world.server.restart()
    world.run(hours=5)
    assert _registration(world).binding == "UQ"


def test_the_account_that_a_server_has_changed_is_kept_by_a_cold_start():
    for path, value, name, kept in (("/1/0/1", b"1500", "lifetime", 1500), ("/1/0/7", b"UQ", "binding", "UQ")):
        world = _written(path, value)
        session = world.node().session
        assert getattr(session, name) == kept
        assert getattr(session.server(), name) == kept


def test_a_refresh_never_changes_the_lifetime():
    world = World("esp32", config=dict(HOURLY, lifetime=3650))  # it would end about when the next contact comes
    world.run(hours=6)
    assert _registration(world).lifetime == 3650
    said = [line for line in bytes(world.uart.sent).decode().split("\r") if line.startswith("AT+QLWUPDATE=0")]
    assert said and set(said) == {"AT+QLWUPDATE=0,3650"}, said


def test_a_change_that_the_module_has_not_told_the_server_is_told_at_once():
    world = World("esp32", config=HOURLY)
    world.run(hours=2)
    node = world.node()
    node.session.heard("binding", "UQ")
    assert node.session.renewal() is not None and node.session.renewal() <= node.session.now()
    assert node.pause() <= 1000
    node.session.heard("updated", 0)
    assert node.session.renewal() > node.session.now()


def test_a_damaged_change_is_none():
    world = World("esp32", config=HOURLY)
    session = world.node().session
    for name, value in (("lifetime", -5), ("lifetime", 0), ("lifetime", 1 << 40), ("binding", "SMS"), ("disabled", -1),
                        ("disabled", 1 << 40)):
        session.heard(name, value)
        assert (session.lifetime, session.binding) == (86400, "U")
        assert session.dump()
        assert session.silent_until <= session.now() + 7 * 86400


def test_an_edited_account_counts_from_the_next_start():
    for port in ("esp32", "rp2"):
        world = World(port, config=HOURLY, on_flash=True)
        world.run(hours=2)
        given = json.loads(world.flash.content["config.json"].decode())
        given["endpoint"] = "urn:dev:renamed"
        given["lifetime"] = 7200
        world.flash.content["config.json"] = json.dumps(given).encode()
        world.at(lambda: world.reset("power_on"), minutes=1)
        world.run(hours=2)
        assert world.server.registrations["urn:dev:renamed"].lifetime == 7200, port


def test_state_of_another_account_is_not_taken_up():
    world = World("esp32", config=HOURLY)
    first = world.node().session
    first.configured = True
    first.heard("lifetime", 1500)
    data = first.dump()
    other = World("esp32", config=dict(HOURLY, host="other.test")).node().session
    assert not other.load(data) and not other.configured and other.lifetime == 86400
    assert isinstance(other, Session)
    assert World("esp32", config=HOURLY).node().session.load(data)
