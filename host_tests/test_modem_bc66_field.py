"""BC66 against its virtual modem and an LwM2M server: what the scripted dialogues cannot show."""

from fakes.modem_field import Field

from lwnode.lwm2m import FLOAT, OPAQUE, Path, Response
from lwnode.modem import NEED_RECOVER, REGISTERED, Server

OBJECTS = [(3303, 0, (5601, 5602, 5605, 5700)), (3306, 0, (5850,))]
TEMPERATURE = Path(3303, 0, 5700)


def reading(value="21.5"):
    return [(TEMPERATURE, FLOAT, value, None)]


def answered(request):
    if request.operation in ("read", "observe"):
        return Response(205, [(TEMPERATURE, FLOAT, "21.5")])
    return Response(204)


def online(**options):
    field = Field("bc66", **options)
    field.response = answered
    field.online(OBJECTS)
    return field


def observed(**options):
    field = online(**options)
    field.server.observe("node-1", "/3303/0/5700")
    field.modem.service(2000)
    assert field.told("observed") == [TEMPERATURE]
    return field


def test_a_cold_start_registers_and_says_so_once():
    field = online()
    assert field.told("registered") == ["server"]
    assert "node-1" in field.server.registrations
    links = field.server.registrations["node-1"].objects
    assert "/3303/0" in "".join([str(link) for link in links])


def test_the_server_reads_writes_executes_and_observes():
    field = online()
    read = field.server.read("node-1", "/3303/0/5700")
    write = field.server.write("node-1", "/3306/0/5850", b"1")
    execute = field.server.execute("node-1", "/3303/0/5605")
    observe = field.server.observe("node-1", "/3303/0/5700")
    field.modem.service(5000)
    assert (read.code, read.value) == (205, 21.5)
    assert write.code == 204
    assert execute.code == 204
    assert observe.code == 205
    assert sorted([request.operation for request in field.requests]) == ["execute", "observe", "read", "write"]


def test_a_confirmed_report_reaches_the_server_and_is_told_as_delivered():
    field = observed()
    ticket = field.modem.publish(reading("22.5"))
    assert field.modem.settle(field.modem.deadline_ms)
    assert field.told("delivered") == [ticket]
    assert [(entry.path, entry.value) for entry in field.server.deliveries][-1] == ((3303, 0, 5700), 22.5)


def test_a_report_into_an_outage_fails_after_its_deadline_and_no_earlier():
    field = observed()
    field.link.radio(up=False)
    began = field.clock.now
    ticket = field.modem.publish(reading())
    field.modem.settle(field.modem.deadline_ms + 1000)
    assert [detail[0] for detail in field.told("failed")] == [ticket]
    # 2 s x (1+2+4+8+16); RFC 7252 draws the first wait from 1 to 1.5 times that.
    assert 55000 <= field.clock.now - began <= 64000


def test_the_first_wake_with_a_kept_session_costs_few_exchanges():
    """Wake pin, AT, QSCLK=0, QLWSTATUS?, QLWRECOVER, QLWNOTIFY, QSCLK=1, QRELLOCK."""
    field = observed()
    assert field.modem.sleep() or True
    field.clock.advance(60000)
    assert field.target.state()["power"] == "asleep"
    kept = field.modem.snapshot()
    field.boot()
    assert field.modem.restore(kept)
    assert field.modem.wake()
    assert not field.modem.configure(Server("192.0.2.7", 5683, "node-1", 900))
    assert not field.modem.declare(OBJECTS)
    assert field.modem.status() == NEED_RECOVER
    assert field.modem.recover(60000)
    ticket = field.modem.publish(reading("19.5"))
    assert field.modem.settle(field.modem.deadline_ms)
    assert field.told("delivered")[-1] == ticket
    field.modem.sleep()
    assert field.exchanges() <= 8, [line for line in field.target.recent]


def test_sleep_is_confirmed_by_event_or_status_pin():
    field = online(sleep_confirm_ms=60000)
    assert field.modem.sleep()
    assert field.target.state()["power"] == "asleep"


def test_bring_back_after_sleep_recovers_without_registering_again():
    field = observed()
    field.modem.sleep()
    field.clock.advance(60000)
    assert field.modem.wake()
    assert field.modem.bring_back(60000)
    assert field.modem.stats["ladder_recover"] == 1
    assert "ladder_register" not in field.modem.stats
    assert len(field.told("registered")) == 1


def test_bring_back_registers_where_the_registration_is_gone():
    field = online()
    assert field.modem.deregister()
    assert field.modem.bring_back(60000)
    assert field.modem.status() == REGISTERED


def test_a_module_that_is_off_is_switched_on_by_start():
    field = Field("bc66", playing={"start": "off"})
    assert field.modem.start()
    assert field.pins.pulses[0] == ("power_key", 500)
    assert field.told("restarted") == ["power"]


def test_the_second_configuration_costs_nothing():
    field = online()
    field.exchanges()
    assert not field.modem.configure(Server("192.0.2.7", 5683, "node-1", 900))
    assert not field.modem.declare(OBJECTS)
    assert field.exchanges() == 0


def test_another_server_is_configured_after_leaving_the_first():
    field = online()
    field.modem.configure(Server("192.0.2.8", 5683, "node-1", 900))
    assert field.modem.register(60000)
    assert field.modem.status() == REGISTERED


def test_history_goes_as_opaque_on_19_0_0():
    field = Field("bc66")
    field.response = lambda request: Response(205, [(Path(19, 0, 0), OPAQUE, b"")])
    field.online([(19, 0, (0,))])
    field.server.observe("node-1", "/19/0/0")
    field.modem.service(2000)
    from lwnode.lwm2m import pack_senml
    pack, used = pack_senml([(TEMPERATURE, FLOAT, "21.5", 1767225600), (TEMPERATURE, FLOAT, "21.6", 1767225660)], 512)
    assert used == 2
    ticket = field.modem.publish([(Path(19, 0, 0), OPAQUE, pack, None)])
    assert field.modem.settle(field.modem.deadline_ms)
    assert field.told("delivered") == [ticket]
    assert [(entry.path, entry.time) for entry in field.server.deliveries][-2:] == [
        ((3303, 0, 5700), 1767225600), ((3303, 0, 5700), 1767225660)]
