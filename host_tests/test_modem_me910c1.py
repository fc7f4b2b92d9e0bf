"""ME910C1 driver: account, declaration, reports, echoes, sleep, power loss; every oddity that it handles has its name here."""

from doctor import identity
from fakes.clock import VirtualClock
from fakes.modem_bench import Bench
from fakes.talker import Talker
from fakes.telit import Node, definition, ready
from fakes.uart import FakeUart

from lwnode.at import AtClient, AtTimeout, CommandError
from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, OPAQUE, STRING, TIME, Path
from lwnode.modem import DEREGISTERED, NOT_REGISTERED, REGISTERED, Server, Unsupported, open_modem
from lwnode.modem.recovery import bring_back

TEMPERATURE = Path(3303, 0, 5700)
HUMIDITY = Path(3304, 0, 5700)
RELAY = Path(3306, 0, 5850)
PACK = Path(19, 0, 0)
OBJECTS = [(3303, 0, (5700, 5701)), (3304, 0, (5700,)), (3306, 0, (5850, 5851))]
SERVER = Server("host", 5683, "node-1")


def up(*observe, **options):
    model = options.pop("model", None)
    made = Node(ready(3303, 3304, 3306), model=model, **options)
    return made.up(OBJECTS, observe or ((3303, 0, 5700), (3304, 0, 5700)))


def refused(call, *words):
    """The ValueError's text holds each of these words."""
    try:
        call()
    except ValueError as error:
        for word in words:
            assert word in str(error), (word, str(error))
        return str(error)
    assert False, "not refused"


def send(made, *records, seconds=100):
    """Publish and settle; the ticket."""
    ticket = made.modem.publish([record + (None,) for record in records])
    made.modem.settle(seconds * 1000)
    return ticket


# ---- account


def test_configure_writes_server_and_endpoint_and_holds_after_the_restart():
    made = Node().started()
    assert made.modem.configure(SERVER)
    assert made.said("AT#LWM2MSTS") == ['AT#LWM2MSTS=0,999,"coap://host:5683",0']
    assert made.said("AT#LWM2MINJKEYS")[-1] == 'AT#LWM2MINJKEYS=0,1,"node-1","",""'
    assert made.store.load("me910c1-account") is None  # it holds from the restart on
    assert made.modem.restart() and made.store.load("me910c1-account") is not None
    assert made.modem.attach(30000) and made.modem.register(30000)
    assert "node-1" in made.server.registrations


def test_neither_sts_nor_injkeys_can_be_read_so_the_store_remembers():
    made = Node().started()
    made.modem.configure(SERVER)
    made.modem.restart()
    modem = made.host_boots()
    modem.start()
    mark = len(made.commands)
    assert not modem.configure(SERVER)
    assert [line for line in made.since(mark) if "LWM2M" in line] == []
    assert modem.configure(Server("host", 5684, "node-1"))


def test_another_module_does_not_hold_what_the_store_remembers():
    made = Node().started()
    made.modem.configure(SERVER)
    made.modem.restart()
    made.model.options["imei"] = "866971030000718"
    modem = made.host_boots()
    modem.start()
    assert modem.configure(SERVER)


def test_the_key_is_in_no_trace():
    made = Node().started()
    made.modem.configure(Server("host", 5684, "node-1", security="psk", psk_identity="ident-1", psk="A1B2C3D4E5F60718"))
    traced = "".join(made.texts)
    assert "INJKEYS=" in traced and "A1B2C3" not in traced and "ident-1" not in traced
    assert made.model.stored("account", {})["keys"]["key"] == "A1B2C3D4E5F60718"
    assert made.said("AT#LWM2MSTS") == ['AT#LWM2MSTS=0,999,"coaps://host:5684",0']


def test_firmware_that_wants_the_short_injkeys():
    """field_quirks 3: AT#LWM2MINJKEYS=0,1,"name" answered OK."""
    made = Node(psm=None, model={"keys_optional": True}).started()
    made.model.faults.arm("error", at=5)  # CGSN, STAT, STS, INJKEYS 3, INJKEYS 1
    assert made.modem.configure(SERVER)
    assert made.said("AT#LWM2MINJKEYS")[-1] == 'AT#LWM2MINJKEYS=0,1,"node-1"'


def test_what_the_module_cannot_hold_is_refused_by_key():
    made = Node().started()
    mark = len(made.commands)

    def configure(**account):
        account.setdefault("endpoint", "n")
        return refused(lambda: made.modem.configure(Server("host", **account)), "expected")

    assert "3.1.7" in configure(lifetime=3600) and "UQ" in configure(binding="UQ")
    assert "64" in configure(endpoint="x" * 65)
    assert "64" in configure(security="psk", psk_identity="i" * 65, psk="0A")
    assert made.since(mark) == []


def test_options_that_cannot_be_are_refused_by_key():
    made = Node(awake_budget_ms=60000).started()
    refused(lambda: made.modem.configure(SERVER), "ack_wait", "60000")
    try:
        Node(apm="x")
        assert False
    except ValueError as error:
        assert "apm" in str(error)


def test_apn_and_radio_access_are_written_where_they_differ():
    made = Node(apn="iot.example", rat="nbiot").started()
    made.modem.configure(SERVER)
    assert 'AT+CGDCONT=1,"IP","iot.example"' in made.commands and "AT#WS46=1" in made.commands
    made.modem.restart()
    modem = made.host_boots()
    modem.start()
    mark = len(made.commands)
    assert not modem.configure(SERVER)
    assert [line for line in made.since(mark) if "=" in line] == []


def test_psm_is_asked_for_unless_told_otherwise():
    made = Node().started()
    made.modem.configure(SERVER)
    assert made.said("AT+CPSMS=") == ['AT+CPSMS=1,,,"00111000","00000101"']
    made.modem.configure(SERVER)
    assert len(made.said("AT+CPSMS=")) == 1  # on the air a change costs a tracking area update
    as_found = Node(psm=None).started()
    as_found.modem.configure(SERVER)
    assert as_found.said("AT+CPSMS") == []


def test_every_command_wants_a_sim_and_its_lack_is_told_as_such():
    """3.1.1 to 3.1.17, "SIM Presence: Required": without one even a question is refused, and no account is written."""
    made = Node(ready(), model={"sim": "absent"}).started()
    for call in (lambda: made.modem.configure(SERVER), made.modem.status):
        made.modem.refusal = ""
        try:
            call()
            assert False
        except CommandError as error:
            assert "SIM" in error.text
        assert made.modem.refusal == "SIM: not inserted"
    made.model.options["sim"] = "ready"
    assert made.modem.configure(SERVER) and made.said("AT#LWM2MSTS")


def test_bootstrap_names_the_server_again():
    from test_vmodem_me910c1_examples import account

    made = Node(ready(uri="coap://bs:5683", bootstrap=1), disable_s=1)
    made.server.bootstrap = account()
    made.modem.start()
    server = Server("bs", 5683, "node-1", bootstrap=True)
    made.modem.configure(server)
    assert made.said("AT#LWM2MSTS") == ['AT#LWM2MSTS=0,999,"coap://bs:5683",1']
    assert made.modem.bootstrap(60000)
    assert made.told("bootstrapped") and len(made.said("AT#LWM2MSTS")) == 2
    plain = Node(ready()).started()
    plain.modem.configure(SERVER)
    refused(plain.modem.bootstrap, "bootstrap=True")


def test_forget_restores_the_factory_server():
    made = up()
    made.modem.forget()
    assert made.commands[-2:] == ["AT#LWM2MSTS=0", 'AT#LWM2MINJKEYS=0,0,"","",""']
    assert made.server.registrations == {}
    made.modem.restart()
    assert made.model.first_server()[0] == "coaps://bs-engr.telit.io:5684"


# ---- declaration


def test_definitions_are_made_from_the_registry_and_uploaded_once():
    made = Node(ready()).started()
    assert made.modem.declare(OBJECTS)
    made.modem.restart()
    assert made.modem.attach(30000) and made.modem.register(30000)
    assert len(made.said("AT#M2MWRITE")) == 3
    assert made.model.objects.definition((3306, 0, 5850)) == (BOOLEAN, "RW", False)
    assert made.model.objects.definition((3303, 0, 5700)) == (FLOAT, "R", False)
    modem = made.host_boots()
    modem.start()
    assert not modem.declare(OBJECTS) and len(made.said("AT#M2MWRITE")) == 3


def test_a_definition_of_the_store_or_of_a_hook_goes_first():
    made = Node(ready(), definitions=lambda number: definition(number) if number == 3304 else None)
    made.store.save("object_3303.xml", definition(3303).encode())
    made.modem.start()
    assert made.modem.declare([(3303, 0, (5700,)), (3304, 0, (5700,))])
    files = made.model.nvram["files"]
    assert files["/XML/object_3303.xml"] == definition(3303) and files["/XML/object_3304.xml"] == definition(3304)


def test_an_object_that_nobody_defines_is_named():
    made = Node(ready(3303)).started()
    made.modem.declare([(3303, 0, (5700,)), (31999, 0, (1,))])
    assert made.modem.attach(60000) and made.modem.register(30000)  # what stands is used all the same
    assert "object 31999/0" in made.told("refused")[0]
    assert made.model.objects.exists((3303, 0)) and made.modem._status == REGISTERED


def test_a_damaged_definition_of_the_right_size_is_uploaded_again():
    """An upload that was cut short, its rest taken from other lines: no size tells."""
    made = Node(ready(3303))
    made.up([(3303, 0, (5700,))])
    files = made.model.nvram["files"]
    good = files["/XML/object_3303.xml"]
    files["/XML/object_3303.xml"] = "x" * len(good)
    made.model.restart()
    made.clock.advance(12000)
    made.modem.wake()
    assert made.modem.register(90000)
    assert files["/XML/object_3303.xml"] == good and made.modem.stats["repairs"] == 1
    assert made.model.objects.exists((3303, 0)) and made.modem._armed


def test_a_definition_that_the_module_does_not_take_is_repaired_once():
    made = Node(ready(3303), definitions=lambda number: b"<LWM2M>no</LWM2M>" if number == 3304 else None).started()
    made.modem.declare([(3303, 0, (5700,)), (3304, 0, (5700,))])
    made.modem.restart()
    made.modem.attach(30000)
    for _ in range(3):
        assert made.modem.register(90000)
        made.modem.deregister()
    assert made.modem.stats["repairs"] == 1


def test_an_internal_error_of_the_agent_is_no_missing_object():
    """3.1.17: nothing is uploaded for it, only what the module says it does not have."""
    made = Node(ready(3303))
    made.up([(3303, 0, (5700,))])
    uploads = len(made.said("AT#M2MWRITE"))
    made.model.options["internal_error"] = True
    made.model.restart()
    made.clock.advance(12000)
    made.modem.wake()
    assert made.modem.register(90000) and made.told("refused")
    assert len(made.said("AT#M2MWRITE")) == uploads


def test_an_upload_that_is_cut_short_ends_by_itself():
    made = Node(ready()).started()
    made.model.receive(b'AT#M2MWRITE="/XML/object_3303.xml",500\r')
    assert not made.modem.wake() or made.clock.now > 60000
    made.clock.advance(60000)
    assert made.modem.start() and "/XML/object_3303.xml" not in made.model.nvram["files"]


def test_an_instance_is_looked_for_before_it_is_created():
    """field_quirks 2.6: creating twice is an error."""
    made = up()
    asked = made.said("AT#LWM2MEXIST")[-3:]
    assert asked == ["AT#LWM2MEXIST=0,3303,0", "AT#LWM2MEXIST=0,3304,0", "AT#LWM2MEXIST=0,3306,0"]
    assert made.said("AT#LWM2MNEWINST") == []


def test_commands_that_fail_after_ena_are_repeated_until_the_agent_answers():
    """field_quirks 2.6."""
    made = up(model={"activation_ms": 7000})
    assert made.modem._armed and made.model.monitored == [3306]


def test_seven_actuators_are_refused_and_six_are_not():
    """3.1.2; nothing is said to the module before."""
    objects = [(number, 0, (5850,)) for number in (3306, 3311, 3312)]
    objects += [(number, 0, (1,)) for number in range(31000, 31004)]  # what the registry lacks is everybody's to write
    made = Node(ready()).started()
    mark = len(made.commands)
    refused(lambda: made.modem.declare(objects), "monitor", "6")
    assert made.since(mark) == []
    made.modem.declare(objects[:6])
    assert made.modem.monitored() == sorted([entry[0] for entry in objects[:6]])
    # A sensor's own writable resource takes what is left of the six, and is no reason to refuse.
    made.modem.declare(objects[:5] + [(3303, 0, (5700, 5750)), (3304, 0, (5700, 5750))])
    assert len(made.modem.monitored()) == 6 and 3303 in made.modem.monitored()


def test_acknowledged_paths_are_history_then_main_resources_six_at_most():
    made = Node(ready(19, *range(3300, 3310))).started()
    made.modem.declare([(19, 0, (0,))] + [(number, 0, (5700,)) for number in (3300, 3301, 3302, 3303, 3304, 3315, 3316)])
    made.modem.restart()
    assert made.modem.attach(60000) and made.modem.register(60000)
    assert len(made.model.ack_uris) == 6 and made.model.ack_uris[0] == (19, 0, 0)
    assert (3316, 0, 5700) not in made.model.ack_uris


def test_foreign_entries_make_room():
    made = Node(ready(3303, 3306))
    made.model.monitored = [4, 5, 6, 7, 11, 12]
    made.model.ack_uris = [(4, 0, number) for number in range(6)]
    made.up([(3303, 0, (5700,)), (3306, 0, (5850,))])
    assert made.model.monitored == [3306] and made.model.ack_uris == [(3303, 0, 5700)]


def test_undeclare_and_update_say_what_to_do_instead():
    made = up()
    for call in (lambda: made.modem.undeclare(3303), lambda: made.modem.update(lifetime=60),
                 lambda: made.modem.update(binding="UQ")):
        try:
            call()
            assert False
        except Unsupported as error:
            assert "server" in str(error)
    assert made.modem.update() and made.modem.update(objects=True)


# ---- registration


def test_a_registration_without_urcs_shows_in_the_status():
    made = up()
    assert made.modem.status() == REGISTERED and "LWM2M-TLT" not in "".join(made.commands)
    assert made.said("AT#LWM2MW=0,33211") == ["AT#LWM2MW=0,33211,0,0,1,1"]  # the service, from the next restart on


def test_the_status_is_told_in_two_shapes():
    """field_quirks 3: #LWM2MGETSTAT: "DIS" without the number."""
    for hostile in ("", "stat_without_number"):
        made = Node(ready(), model={"hostile": hostile}).started()
        assert made.modem.status() == NOT_REGISTERED


def test_a_lost_ring_is_found_by_the_status():
    made = up(ack_mode=True)
    made.modem.service(10000)
    made.model.faults.arm("lost_urc", value="RING")
    made.modem.publish([(TEMPERATURE, FLOAT, "20", None)])
    made.modem.service(5000)
    assert made.model.status == "WAIT"
    assert made.modem.status() == REGISTERED
    assert made.modem.settle(20000) and made.told("delivered")


def test_ack_mode_activates_the_context_once():
    made = up(ack_mode=True)
    assert made.said("AT#SGACT") == ["AT#SGACT?", "AT#SGACT=1,1"]


def test_an_agent_that_was_forced_out_is_restarted_to_enable_it():
    """3.1.3: FORCE_EXIT is only manageable by a module reboot; here its URC was lost."""
    made = up()
    made.model.forced_exit = True
    made.model._off()
    assert made.modem.status() == NOT_REGISTERED
    assert made.modem.register(60000)
    assert "AT#REBOOT" in made.commands and made.model.registered


def test_a_module_that_refuses_to_enable_is_not_restarted_for_ever():
    made = Node(ready()).started()
    made.model.forced_exit = True
    made.model.restart = lambda: None  # a reboot that does not help
    assert not made.modem.register(60000)
    assert len(made.said("AT#REBOOT")) == 1 and "enable" in made.modem.refusal


def test_deregister_twice():
    made = up()
    assert made.modem.deregister() and made.modem.deregister()
    assert made.modem.status() in (NOT_REGISTERED, DEREGISTERED) and made.said("AT#LWM2MENA=0") == ["AT#LWM2MENA=0"]


def test_recovery_brings_a_silent_module_back_by_its_key():
    made = up(pins=("power_key", "status"))
    made.model.power_off()
    assert bring_back(made.modem, 240000)
    assert made.model.registered and made.model.monitored == [3306] and "power_key" in made.pins.pulses


def test_recovery_registers_again_where_the_agent_is_off():
    made = up()
    made.model._off()
    mark = len(made.commands)
    assert bring_back(made.modem, 60000)
    assert "AT#REBOOT" not in made.since(mark) and made.model.ack_uris


# ---- reports


def test_types_by_command():
    """SET for what the server may only read, W for what it may write (3.1.7, 3.1.9)."""
    made = up()
    mark = len(made.commands)
    battery = Path(3, 0, 9)
    send(made, (TEMPERATURE, FLOAT, "-21.5"), (Path(3303, 0, 5701), STRING, "Cel"), (RELAY, BOOLEAN, "1"),
         (Path(3306, 0, 5851), INTEGER, "50"), (battery, INTEGER, "87"))
    assert [line for line in made.since(mark) if "#LWM2MR=" not in line] == [
        "AT#LWM2MSET=1,3303,0,5700,0,-21.5", 'AT#LWM2MSET=2,3303,0,5701,0,"Cel"', "AT#LWM2MW=0,3306,0,5850,0,1",
        "AT#LWM2MW=0,3306,0,5851,0,50", "AT#LWM2MSET=0,3,0,9,0,87",
    ]
    assert made.model.objects.get((3303, 0, 5700, 0)) == "-21.5" and made.model.objects.get((3306, 0, 5850, 0)) == "1"


def test_values_that_do_not_fit_are_refused_before_the_wire():
    made = up()
    mark = len(made.commands)

    def publish(path, kind, value):
        return refused(lambda: made.modem.publish([(path, kind, value, None)]), str(path))

    assert "2147483647" in publish(Path(3, 0, 9), INTEGER, "2147483648")
    assert "2147483647" in publish(Path(3, 0, 13), TIME, "2147483648")  # 2038
    assert "nan" in publish(TEMPERATURE, FLOAT, "nan") and "1e5" in publish(TEMPERATURE, FLOAT, "1e5")
    assert "closed" in publish(Path(1, 0, 1), INTEGER, "5") and "closed" in publish(Path(5, 0, 1), STRING, "x")
    assert "400" in publish(Path(3303, 0, 5701), STRING, "x" * 380)
    assert "0 or 1" in publish(RELAY, BOOLEAN, "2")
    refused(lambda: made.modem.publish([(Path(3303, 0), FLOAT, "1", None)]), "resource")
    assert made.since(mark) == [] and len(made.modem.reports) == 0


def test_strings_cannot_break_the_line():
    """lwm2m_mapping 3.5: quotes, CR and LF are taken out."""
    made = up()
    send(made, (Path(3303, 0, 5701), STRING, 'a"b\r\nAT#REBOOT\\'))
    assert made.commands[-1] == "AT#LWM2MSET=2,3303,0,5701,0,\"a'b  AT#REBOOT'\""


def test_delivered_means_the_module_took_it_where_no_acknowledgement_is_armed():
    made = up()
    ticket = made.modem.publish([(Path(3303, 0, 5701), STRING, "Cel", None)])
    made.modem.service(100)
    assert made.told("delivered") == [ticket] and (3303, 0, 5701) not in made.model.ack_uris


def test_one_ticket_for_several_values_waits_for_all():
    made = up()
    ticket = made.modem.publish([(TEMPERATURE, FLOAT, "20", None), (HUMIDITY, FLOAT, "50", None)])
    assert len(made.modem.reports) == 1 and made.modem.settle(10000)
    assert made.told("delivered") == [ticket] and len(made.server.deliveries) == 2


def test_the_same_path_waits_for_the_value_before():
    """The module keeps the last value only: a faster second one would overwrite the first."""
    made = up()
    for value in ("1", "2", "3"):
        made.modem.publish([(TEMPERATURE, FLOAT, value, None)])
    assert made.modem.settle(10000)
    assert [each.value for each in made.server.deliveries] == [1.0, 2.0, 3.0] and len(made.told("delivered")) == 3


def test_a_value_that_did_not_change_is_delivered_at_once():
    """3.1.15: no change, no notification, no NFYACK."""
    made = up()
    send(made, (TEMPERATURE, FLOAT, "20.5"))
    before = made.clock.now
    ticket = made.modem.publish([(TEMPERATURE, FLOAT, "20.50", None)])
    made.modem.settle(10000)
    assert made.told("delivered")[-1] == ticket and made.clock.now - before < 1000


def test_a_value_that_did_not_change_fails_where_the_one_before_did():
    made = up()
    made.link.radio(up=False)
    send(made, (TEMPERATURE, FLOAT, "20.5"))
    made.link.radio(up=True)
    send(made, (TEMPERATURE, FLOAT, "20.5"))
    assert len(made.told("failed")) == 2
    send(made, (TEMPERATURE, FLOAT, "20.6"))
    assert len(made.told("delivered")) == 1


def test_what_nobody_observes_counts_as_taken_and_is_waited_for_once():
    """The host is not told of observations: the first silence of a path costs its deadline, later ones nothing."""
    made = up((3303, 0, 5700))
    before = made.clock.now
    ticket = send(made, (HUMIDITY, FLOAT, "50"))
    assert made.told("delivered") == [ticket] and made.modem.stats["unwatched"] == 1
    assert 93000 <= made.clock.now - before < 97000
    before = made.clock.now
    send(made, (HUMIDITY, FLOAT, "51"))
    assert len(made.told("delivered")) == 2 and made.clock.now - before < 1000
    made.server.observe("node-1", (3304, 0, 5700))
    made.modem.service(3000)
    send(made, (HUMIDITY, FLOAT, "52"))  # taken, and its ACK shows that somebody observes now
    made.modem.service(1000)
    made.link.radio(up=False)
    send(made, (HUMIDITY, FLOAT, "53"))
    assert len(made.told("failed")) == 1


def test_a_pack_that_nobody_observes_is_not_delivered():
    """It would be overwritten by the next one, so the journal keeps it."""
    made = Node(ready(19)).up([(19, 0, (0,))])
    send(made, (PACK, OPAQUE, b"\x81\x00"))
    assert made.said("AT#LWM2MW=0,19") == ["AT#LWM2MW=0,19,0,0,0,8100"]
    assert made.told("delivered") == [] and len(made.told("failed")) == 1
    made.server.observe("node-1", (19, 0, 0))
    made.modem.service(3000)
    send(made, (PACK, OPAQUE, b"\x81\x01"))
    assert len(made.told("delivered")) == 1
    made.link.radio(up=False)
    send(made, (PACK, OPAQUE, b"\x81\x02"))
    made.link.radio(up=True)
    send(made, (PACK, OPAQUE, b"\x81\x02"))  # once more the same: it is the oldest of the journal, and must not block it
    assert len(made.told("delivered")) == 2 and made.said("AT#LWM2MW=0,19")[-2:] == [
        "AT#LWM2MW=0,19,0,0,0,8102", "AT#LWM2MW=0,19,0,0,0,9F02FF"]
    limit = made.modem.capabilities.limits["pack"]
    send(made, (PACK, OPAQUE, b"\x55" * limit))
    assert len(made.told("delivered")) == 3


def test_a_lost_ack_fails_at_the_deadline_and_the_late_one_is_nobodys():
    made = up()
    send(made, (TEMPERATURE, FLOAT, "20"))
    made.model.faults.arm("lost_urc", value="NFYACK")
    ticket = send(made, (TEMPERATURE, FLOAT, "21"))
    assert made.told("failed")[0][0] == ticket
    made.urc('#LWM2MNFYACK: 0,99,"/3303/0/5700","ACK"')
    assert made.modem.stats["unmatched_acks"] == 1
    assert len(made.told("delivered")) == 1


def test_a_refused_value_fails_and_the_others_go_on():
    made = up()
    made.model.faults.arm("error")
    ticket = made.modem.publish([(TEMPERATURE, FLOAT, "20", None), (HUMIDITY, FLOAT, "50", None)])
    made.modem.settle(10000)
    assert made.told("failed")[0][0] == ticket and [each.path for each in made.server.deliveries] == [(3304, 0, 5700)]


def test_ids_that_the_manual_excludes_do_not_reach_the_wire():
    bench = Bench("me910c1", {})
    for call, words in (
        (lambda: bench.modem.declare([(65535, 0, (1,))]), "3 to 65534 (ME910C1 3.1.10)"),
        (lambda: bench.modem.declare([(3303, 65535, (1,))]), "0 to 65534"),
    ):
        refused(call, words)
    for family in ("bc20", "bc66"):
        other = Bench(family, {})
        refused(lambda modem=other.modem: modem.undeclare(70000), "0 to 65535")
        assert other.commands == []
    assert bench.commands == []


def test_what_was_refused_is_told_by_its_code():
    bench = Bench("me910c1", {"AT#LWM2MSET=": "+CME ERROR: 3", "AT#LWM2MENA=": "+CME ERROR: 555",
                              "AT#LWM2MENA?": "#LWM2MENA: 0", "AT#LWM2MSTAT": '#LWM2MGETSTAT: 0,"DIS"'})
    ticket = bench.modem.publish([(TEMPERATURE, FLOAT, "20", None)])
    bench.modem.service(100)
    assert bench.told("failed") == [(ticket, "#LWM2MSET: +CME ERROR: 3")]
    assert not bench.modem.register(60000)
    assert bench.modem.refusal.endswith("+CME ERROR: 555")


def test_a_cms_error_is_a_refusal_too():
    bench = Bench("me910c1", {"AT#LWM2MSET=": "+CMS ERROR: 321"})
    ticket = bench.modem.publish([(TEMPERATURE, FLOAT, "20", None)])
    bench.modem.service(100)
    assert bench.told("failed") == [(ticket, "#LWM2MSET: +CMS ERROR: 321")]


def test_the_fourteen_variants_are_one_dialect():
    """Applicability table: the revision changes nothing of what is said."""
    said = set()
    for model in ("ME910C1-AU", "ME910C1-NA", "ME910C1-WW", "NE910C1-NA", "ML865C1-NA", "ME910C1-E2"):
        for revision in ("30.00.xx8", "MOB.000004"):
            bench = Bench("me910c1", {"AT+CGMM": model, "AT+CGMR": revision})
            assert bench.modem.start()
            said.add(tuple(bench.commands))
            assert bench.modem.capabilities.contract == "shadow"
    assert len(said) == 1


def test_numeric_results_and_other_line_ends_are_set_back_or_read():
    """2.1: V0 answers 0 and 4; S3 and S4 name other characters for CR and LF."""
    for line in (b"ATV0\r", b"ATS4=13\r", b"ATE1\r"):
        made = Node(ready(3303, 3304, 3306))
        made.model.receive(line)
        assert made.modem.start(), line
        assert identity(made.modem)["imei"], line


def test_no_line_is_repeated_by_a():
    """2.1: A/ would repeat what may not be repeated, and nobody could tell what it was."""
    made = up()
    made.modem.publish([(TEMPERATURE, FLOAT, "20", None)])
    made.modem.settle(10000)
    made.modem.deregister()
    lines = [line for line in made.texts if line[:1] != "<"]  # a definition is uploaded as it is
    assert len(lines) > 15 and not [line for line in lines if line[:2] != "AT" or line[:3] == "AT/"]


class Stopwatch(Talker):
    """Notes when each command came; its answer follows in the same millisecond."""

    def __init__(self, answers, clock):
        Talker.__init__(self, answers, clock)
        self.times = []

    def receive(self, data):
        self.times.append(self.clock.now)
        Talker.receive(self, data)


def test_twenty_milliseconds_lie_between_a_result_and_the_next_command():
    """2.2.5."""
    clock = VirtualClock()
    watch = Stopwatch({"AT#LWM2MSTAT": '#LWM2MGETSTAT: 1,"IDLE"'}, clock)
    modem = open_modem("me910c1", AtClient(FakeUart(clock, peer=watch), clock))
    assert modem.start()
    modem.publish([(TEMPERATURE, FLOAT, "20", None), (HUMIDITY, FLOAT, "50", None)])
    assert modem.status() == REGISTERED
    gaps = [after - before for before, after in zip(watch.times, watch.times[1:])]
    assert len(watch.commands) > 8 and min(gaps) >= 20, gaps


def test_a_silent_module_fails_the_ticket():
    made = up()
    made.model.power_off()
    ticket = made.modem.publish([(TEMPERATURE, FLOAT, "20", None), (HUMIDITY, FLOAT, "50", None)])
    made.modem.service(100)
    assert made.told("failed") == [(ticket, "no answer from the module")]


def test_a_restart_fails_what_is_on_its_way():
    made = up()
    made.link.radio(up=False)
    ticket = made.modem.publish([(TEMPERATURE, FLOAT, "20", None)])
    made.modem.restart()
    assert made.told("failed") == [(ticket, "module restarted")] and len(made.modem.reports) == 0


def test_pmin_of_the_server_is_within_the_deadline():
    made = up()
    send(made, (TEMPERATURE, FLOAT, "1"))
    made.server.write_attributes("node-1", (3303, 0, 5700), ("pmin=60",))
    made.modem.service(500)
    ticket = send(made, (TEMPERATURE, FLOAT, "2"))
    assert made.told("delivered")[-1] == ticket


# ---- echoes and writes of the server


def test_own_writes_are_not_taken_for_the_servers():
    """3.1.2: MON also tells of the host's own W and SET."""
    made = up()
    send(made, (RELAY, BOOLEAN, "1"), (TEMPERATURE, FLOAT, "3"))
    made.modem.service(1000)
    assert made.requests == [] and made.modem.stats["echoes"] == 1


def test_an_echo_with_other_zeros_is_an_echo():
    """field: floats come back as 21.500000."""
    nvram = ready(3308)
    nvram["files"]["/XML/object_3308.xml"] = definition(3308).replace(">R<", ">RW<").replace("5700", "5900")
    made = Node(nvram, model={"value_text": "fixed"}).up([(3308, 0, (5900,))])
    send(made, (Path(3308, 0, 5900), FLOAT, "21.5"))
    made.modem.service(1000)
    assert made.requests == [] and made.modem.stats["echoes"] == 1
    made.server.write("node-1", (3308, 0, 5900), b"22", 0)
    made.modem.service(3600)
    assert [request.value for request in made.requests] == [b"22.000000"]


def test_a_servers_write_right_after_ours_is_seen():
    made = up()
    made.modem.publish([(RELAY, BOOLEAN, "1", None)])
    made.server.write("node-1", (3306, 0, 5850), b"0", 0)
    made.modem.service(3600)
    assert [request.value for request in made.requests] == [b"0"]


def test_a_servers_write_is_not_replaced_by_a_report_that_was_on_its_way():
    """The whole of the tree is pushed after a registration, writable values too: one that the server writes meanwhile stays."""
    made = up(model={"paging_ms": 0})
    send(made, (RELAY, BOOLEAN, "1"))
    made.modem.service(1000)
    made.server.write("node-1", (3306, 0, 5850), b"0", 0)
    made.clock.advance(300)
    send(made, (TEMPERATURE, FLOAT, "3"), (RELAY, BOOLEAN, "1"))
    assert [request.value for request in made.requests] == [b"0"] and len(made.said("AT#LWM2MW=0,3306")) == 1
    send(made, (RELAY, BOOLEAN, "1"))
    assert len(made.said("AT#LWM2MW=0,3306")) == 2


def test_a_lost_mon_urc_is_found_at_the_next_registration():
    made = up()
    made.model.faults.arm("lost_urc", value="MON")
    made.server.write("node-1", (3306, 0, 5850), b"1", 0)
    made.modem.service(1000)
    assert made.requests == []
    made.modem._armed = False
    made.modem.register(30000)
    assert [request.value for request in made.requests] == [b"1"]


def test_values_with_commas_are_read_whole():
    made = up()
    made.modem.objects = [(3306, 0, (5750, 5850))]
    made.server.write("node-1", (3306, 0, 5750), b"a, b: c", 0)
    made.modem.service(1000)
    assert [request.value for request in made.requests] == [b"a, b: c"]


# ---- sleep, wake, power loss


def slept(made, seconds=600):
    made.modem.power_saving(3600, 10)
    assert made.modem.sleep()
    kept = made.modem.snapshot()
    made.clock.advance(seconds * 1000)
    modem = made.host_boots()
    assert modem.restore(kept) and modem.wake()
    return modem


def test_psm_that_is_a_power_cycle_is_noticed_and_everything_armed_again():
    made = up(pins=("power_key", "status"), sleep_confirm_ms=60000)
    send(made, (TEMPERATURE, FLOAT, "20"))
    modem = slept(made)
    assert modem.status() == NOT_REGISTERED
    assert modem.attach(60000) and modem.register(60000)
    assert made.model.monitored == [3306] and made.model.ack_uris == [(3303, 0, 5700), (3304, 0, 5700)]
    modem.service(500)
    ticket = send(made, (TEMPERATURE, FLOAT, "21"))
    assert made.told("delivered") == [ticket]


def test_after_a_power_cycle_nothing_is_asked_that_outlives_it():
    """One instance stands for all, the registration URCs are known to be on, and of two empty lists one is asked for."""
    made = up(pins=("power_key", "status"), sleep_confirm_ms=60000)
    for _ in range(2):
        modem = slept(made)
        mark = len(made.commands)
        assert modem.status() == NOT_REGISTERED and modem.attach(60000) and modem.register(60000)
    sent = made.since(mark)
    assert [line for line in sent if "EXIST" in line] == ["AT#LWM2MEXIST=0,3303,0"]
    assert "AT#LWM2MR=0,33211,0,0,1" not in sent and "AT#LWM2MNFYACKURI=0,2" not in sent
    assert made.model.ack_uris == [(3303, 0, 5700), (3304, 0, 5700)] and made.model.monitored == [3306]


def test_an_instance_that_a_server_deleted_is_created_again_after_a_refused_value():
    made = up(pins=("power_key", "status"), sleep_confirm_ms=60000)
    made.model.nvram["instances"]["3304"] = []
    send(made, (HUMIDITY, FLOAT, "40"))
    assert len(made.told("failed")) == 1
    modem = slept(made)
    assert modem.status() == NOT_REGISTERED and modem.attach(60000) and modem.register(60000)
    assert "AT#LWM2MNEWINST=0,3304,0" in made.commands
    send(made, (HUMIDITY, FLOAT, "41"))
    assert len(made.told("delivered")) == 1


def test_psm_that_keeps_the_agent_asks_nothing_twice():
    made = up(model={"psm_keeps": True}, pins=("power_key", "status"), sleep_confirm_ms=60000)
    mark = None
    modem = slept(made)
    mark = len(made.commands)
    assert modem.status() == REGISTERED and modem.register(1000)
    assert [line for line in made.since(mark)] == ["AT#LWM2MSTAT", "AT#LWM2MSTAT"]
    ticket = send(made, (TEMPERATURE, FLOAT, "21"))
    assert made.told("delivered") == [ticket]


def test_what_the_server_wrote_while_the_line_was_deaf_is_found_after_a_power_cycle():
    made = up(pins=("power_key", "status"), sleep_confirm_ms=60000)
    send(made, (RELAY, BOOLEAN, "0"))
    modem = slept(made)
    made.model.objects.put((3306, 0, 5850, 0), "1")
    modem.attach(60000)
    modem.register(60000)
    assert [request.value for request in made.requests] == [b"1"]


def test_a_torn_answer_does_not_end_the_way_out():
    one = Bench("me910c1", {"AT#LWM2MSTAT": '#LWM2MGETSTAT: 0,"IDLE"', "AT#LWM2MENA?": "#LWM2MENA:"})
    assert not one.modem.deregister()


def test_a_write_whose_line_a_board_in_light_sleep_tears_is_found_in_the_same_wake():
    """While nothing of ours is on its way the board sleeps between the server's words: what it wrote can be read."""
    made = up()
    made.modem.light_sleep = made.uart.light_sleep
    made.clock.after(500, lambda: made.server.write("node-1", "/3306/0/5850", b"1", 0))
    made.modem.service(3000)
    assert [(request.path.ids, request.value) for request in made.requests] == [((3306, 0, 5850), b"1")]
    assert 400 < made.uart.slept_ms < 600  # woken, it stays awake
    made.modem.publish([(TEMPERATURE, FLOAT, "35.5", None)])
    made.modem.service(3000)
    assert made.told("delivered") and made.uart.slept_ms < 600  # not while an acknowledgement is due


def test_what_is_told_once_is_known_by_the_end_of_its_line():
    """SUSPENDED and FOTARING, of which light sleep has torn off the begin; of any other end nothing is made."""
    uri = '",SSID=99,"coap://host:5683"'
    for lost in (11, 18, 23):
        for line, told in (
            ('LWM2M-TLT:"SUSPENDED' + uri, ("disabled", 86400)), ('#LWM2MFOTARING: 0,"DOWNLOAD"', ("firmware", "download")),
            ('LWM2M-TLT:"REGISTERED' + uri, None), ('#LWM2MNFYACK: 0,99,"/3303/0/5701","ACK"', None),
        ):
            if lost < 23 or told:
                made = up()
                made.modem.light_sleep, made.uart.wake_bytes = made.uart.light_sleep, lost
                made.clock.after(500, lambda line=line, made=made: made.uart.feed_now(("\r\n%s\r\n" % line).encode()))
                made.modem.service(1500)
                assert made.uart.slept_ms >= 400 and made.events == ([told] if told else []), (lost, line, made.events)
                assert made.modem.status() == (NOT_REGISTERED if line[11:14] == "SUS" else REGISTERED)


def test_a_running_module_gets_no_pulse():
    """The pulse that wakes would switch it off."""
    made = up(pins=("power_key", "status"))
    assert made.modem.wake() and made.pins.pulses == []


def test_the_first_at_after_sleep_may_be_lost():
    """field_quirks 1.6."""
    made = up(model={"hostile": "first_at_lost"}, pins=("power_key", "status"), sleep_confirm_ms=60000)
    assert slept(made).status() in (NOT_REGISTERED, REGISTERED)


def test_sleep_that_is_not_confirmed_is_counted():
    made = up()
    assert not made.modem.sleep() and made.modem.stats["sleep_unconfirmed"] == 1


def test_sleep_by_cfun_5_and_by_switching_off():
    made = up(sleep="cfun5", pins=("wake",))
    assert made.modem.sleep()
    made.clock.advance(200)
    assert made.model.dozing
    assert made.modem.wake() and made.modem.status() == REGISTERED
    off = up(sleep="off", pins=("power_key", "status"))
    assert off.modem.sleep()
    off.clock.advance(5000)
    assert off.model.state_name == "off"
    assert off.modem.wake() and off.modem.status() == NOT_REGISTERED


def test_sleep_waits_for_the_end_of_a_session():
    made = up(ack_mode=True, guard_release=10, sleep_confirm_ms=60000)
    made.modem.power_saving(3600, 10)
    made.modem.publish([(TEMPERATURE, FLOAT, "20", None)])
    made.modem.settle(20000)
    assert made.modem.sleep() and not made.modem._in_session


def test_a_power_loss_is_noticed_by_the_status():
    made = up()
    made.model.restart()
    made.clock.advance(12000)
    assert made.modem.status() == NOT_REGISTERED
    assert bring_back(made.modem, 60000)
    assert made.model.monitored == [3306] and made.model.ack_enabled == 1


def test_a_factory_reset_shows_in_missing_instances():
    made = up()
    send(made, (TEMPERATURE, FLOAT, "20"))
    made.model.nvram["instances"] = {}
    made.modem._armed = False
    assert made.modem.register(60000)
    assert made.told("factory_reset") == ["3 instances created again"]
    assert made.model.objects.exists((3303, 0, 5700))


def test_a_snapshot_that_is_damaged_starts_cold():
    made = up()
    send(made, (TEMPERATURE, FLOAT, "20"))
    kept = made.modem.snapshot()
    for bad in (None, b"", kept[:5], kept[:-1], b"\x00\x00\x05" + kept[3:], bytes(len(kept))):
        assert not made.host_boots().restore(bad)
    modem = made.host_boots()
    assert modem.restore(kept)
    assert modem.snapshot() == kept


def test_silence_leaves_methods_as_at_timeouts_or_false():
    made = up()
    made.model.power_off()
    assert not made.modem.wake()
    try:
        made.modem.status()
        assert False
    except AtTimeout:
        pass


def test_echo_on_and_words_for_errors_after_a_power_cycle():
    """field_quirks 5: echo and CMEE are lost on power cycle."""
    made = up(model={"echo": 1})
    made.model.restart()
    made.clock.advance(12000)
    assert made.modem.wake()
    assert made.model.setting("E") == 0 and made.model.setting("cmee") == 2


def test_numbers_instead_of_words_do_no_harm():
    """field_quirks 2.3: +CME ERROR: 0 is a failure."""
    made = Node(ready(3303), model={"hostile": "cme_zero,odd_urcs,lf_lists"})
    assert made.up([(3303, 0, (5700,))]).modem._armed


def test_network_time_is_utc():
    made = up(model={"zone_quarters": 8})
    assert abs(made.modem.network_time() - made.clock.unix()) < 2
    unset = Node(ready(), model={"attach_ms": 100000}).started()
    assert unset.modem.network_time() is None


def test_identity():
    made = Node(ready()).started()
    found = identity(made.modem)
    assert found["imei"] == "866971030000717" and found["iccid"] == "89860317482035195680"
    assert found["model"] == "ME910C1-E1" and found["revision"] == "30.00.xx8"


def test_faults_at_random_lose_no_ticket():
    """Whatever happens on the line, every ticket ends, as delivered or as failed."""
    for seed in range(6):
        made = up()
        made.model.faults.random(seed, permille=150, kinds=("error", "silence", "garbage", "late", "lost_urc", "lost_answer"))
        tickets = [made.modem.publish([(TEMPERATURE, FLOAT, str(number), None)]) for number in range(8)]
        made.modem.settle(200000)
        ended = made.told("delivered") + [detail[0] for detail in made.told("failed")]
        assert sorted(ended) == tickets, (seed, made.model.faults.played)
        assert len(made.modem.reports) == 0


# ---- several commands in one line


def test_what_a_power_cycle_takes_is_armed_in_one_line():
    made = up()
    lines = [line for line in made.texts if "#LWM2MMON=1" in line or "#LWM2MNFYACKURI=0,1" in line]
    assert len(lines) == 1 and lines[0].endswith(";#LWM2MNFYACKENA=0,1") and made.modem._armed


def test_a_refused_line_is_said_again_one_by_one():
    made = up()

    def again(at=None, silent=None):
        made.modem.restart()  # both lists are gone
        mark = len(made.texts)
        if at is not None:
            made.model.faults.arm("error", at=at + 1)
        if silent is not None:
            made.model.faults.arm("silence", at=silent + 1)
        assert made.modem.register(60000) and made.modem._armed
        return made.texts[mark:]

    lines = again()
    together = [index for index in range(len(lines)) if ";#LWM2MNFYACKURI" in lines[index]]
    assert len(together) == 1, lines
    lines = again(together[0])
    assert "AT#LWM2MMON=1,3306" in lines, lines
    assert made.model.monitored == [3306] and len(made.modem._acked) == 2
    second = [index for index in range(len(lines)) if lines[index] == "AT#LWM2MMON?"][1]
    again(together[0], second)  # nothing answers the look that follows: the registration is not lost for it
    assert made.model.monitored == [3306] and len(made.modem._acked) == 2
