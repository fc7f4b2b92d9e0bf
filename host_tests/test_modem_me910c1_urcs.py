"""ME910C1: each unsolicited line and what it does to the node, a test per row of the table, and the shapes it may have."""

from fakes.telit import Node, ready

from lwnode.lwm2m import FLOAT, Path, Response
from lwnode.modem import DEREGISTERED, NOT_REGISTERED, REGISTERED, REGISTERING, Server
from lwnode.modem.me910c1 import Driver
from lwnode.modem.recovery import bring_back

TEMPERATURE = Path(3303, 0, 5700)
OBJECTS = [(3303, 0, (5700, 5701)), (3306, 0, (5850,))]
SERVER = Server("host", 5683, "node-1")


def node(**options):
    return Node(ready(3303, 3306), **options)


def up(**options):
    return node(**options).up(OBJECTS, ((3303, 0, 5700),))


def tlt(event, ssid=99):
    return 'LWM2M-TLT:"%s",SSID=%d,"coap://host:5683"' % (event, ssid)


def covers(*rows):
    """Marks which rows a test is about."""

    def mark(test):
        _COVERED.extend(rows)
        return test

    return mark


_COVERED: list = []


@covers("RING REG")
def test_ring_reg_is_acknowledged():
    made = up()
    made.urc('#LWM2MRING: "REG"')
    assert made.commands[-1] == "AT#LWM2MACK=1" and made.modem._status == REGISTERING


@covers("RING UPD", "RING NOT", "RING SMS")
def test_other_rings_are_acknowledged_and_leave_the_status():
    for ring in ("UPD", "NOT", "SMS"):
        made = up()
        made.urc('#LWM2MRING: "%s"' % ring)
        assert made.commands[-1] == "AT#LWM2MACK=1" and made.modem._status == REGISTERED, ring


@covers("RING DRG")
def test_ring_drg_is_acknowledged():
    made = up()
    made.urc("#LWM2MRING: DRG")  # contradiction 16: without quotes
    assert made.commands[-1] == "AT#LWM2MACK=1"


@covers("END")
def test_end_closes_the_session_that_sleep_waits_for():
    made = up(ack_mode=True)
    made.urc('#LWM2MRING: "NOT"')
    assert made.modem._in_session
    made.urc("#LWM2MEND: 0")
    assert not made.modem._in_session


@covers("INFO DEVICE REBOOT")
def test_device_reboot_arms_again_what_a_power_cycle_forgets():
    """Design, lwnode.modem: MON, NFYACKURI, NFYACKENA, ENA."""
    made = up()
    mark = len(made.commands)
    ticket = made.modem.publish([(TEMPERATURE, FLOAT, "20", None)])
    made.server.execute("node-1", (3, 0, 4))
    made.modem.service(60000)
    sent = made.since(mark)
    for line in ("AT#LWM2MENA=1", "AT#LWM2MMON=1,3306", "AT#LWM2MNFYACKURI=0,1,3303,0,5700", "AT#LWM2MNFYACKENA=0,1"):
        assert line in sent, line
    assert made.told("restarting") == ["server"] and made.told("restarted") == ["server"]
    assert made.modem._status == REGISTERED and made.model.monitored == [3306]
    assert made.told("delivered") == [ticket] or made.told("failed")


@covers("INFO FOTA REBOOT")
def test_fota_reboot_does_the_same():
    made = up()
    made.model.nvram["fota_state"] = 2
    made.server.execute("node-1", (5, 0, 2))
    made.modem.service(90000)
    assert made.told("restarted") == ["server"] and made.model.registered
    assert made.modem.revision == "30.00.xx9"


@covers("TLT BOOTSTRAPPING", "TLT BOOTSTRAPPED", "TLT REGISTERING", "TLT REGISTERED")
def test_registration_urcs_follow_the_session():
    made = node()
    made.modem.start()
    made.urc(tlt("BOOTSTRAPPING", 0))
    assert made.modem._status == REGISTERING and made.told("bootstrapping")
    made.urc(tlt("BOOTSTRAPPED", 0))
    assert made.modem._status == REGISTERING and made.told("bootstrapped")
    made.urc(tlt("REGISTERING"))
    assert made.modem._status == REGISTERING and not made.told("registered")
    made.urc(tlt("REGISTERED"))
    assert made.modem._status == REGISTERED and made.told("registered") == ["registered"]


def configured(**options):
    """Registered with an account of our own, by configure()."""
    made = node(**options)
    assert made.modem.start()
    made.modem.configure(SERVER)
    made.modem.declare([(3303, 0, (5700,)), (3306, 0, (5850,))])
    assert made.modem.restart() and made.modem.attach(60000) and made.modem.register(60000), made.modem.refusal
    made.modem.service(1000)
    del made.events[:]
    return made


def test_after_a_factory_reset_our_account_is_written_again():
    """3/0/5 leaves the maker's bootstrap server (3.1.8), which nobody asked for: it shows in BOOTSTRAPPING or in instances."""
    made = configured(psm=None)
    mark = len(made.commands)
    made.server.execute("node-1", (3, 0, 5))
    made.modem.service(120000)
    assert len(made.told("factory_reset")) == 1
    sent = made.since(mark)
    assert 'AT#LWM2MSTS=0,999,"coap://host:5683",0' in sent and 'AT#LWM2MINJKEYS=0,1,"node-1","",""' in sent
    assert "node-1" in made.server.registrations and made.model.monitored == [3306]
    assert made.modem._status == REGISTERED


def test_a_bootstrap_that_nobody_configured_is_a_factory_reset_that_was_not_heard():
    """The first word of it may be torn by the board's light sleep."""
    for light in (False, True):
        made = configured(pins=("power_key",))
        made.modem.light_sleep = made.uart.light_sleep if light else None
        made.modem.power_off()
        made.clock.advance(20000)
        made.model.objects.reset()
        made.model.nvram["account"] = {}
        assert bring_back(made.modem, 300000), (light, made.modem.refusal)
        assert len(made.told("factory_reset")) == 1 and "node-1" in made.server.registrations, (light, made.events)


def test_the_end_of_a_bootstrap_that_nobody_configured_tells_what_its_torn_begin_could_not():
    made = configured()
    made.urc(tlt("BOOTSTRAPPED", 0), tlt("BOOTSTRAPPED", 0))
    assert len(made.told("factory_reset")) == 1 and not made.told("bootstrapped")


def test_after_a_factory_reset_in_a_warm_wake_the_agent_is_off_until_the_account_is_known():
    made = configured(pins=("power_key", "status"))
    kept = made.modem.snapshot()
    modem = made.host_boots()
    assert modem.restore(kept) and modem.wake() and modem.status() == REGISTERED
    made.server.execute("node-1", (3, 0, 5))
    modem.service(120000)
    assert made.told("factory_reset") and made.commands[-1] == "AT#LWM2MENA=0" and not made.model.enabled
    kept = modem.snapshot()
    modem = made.host_boots()
    assert modem.restore(kept) and modem.start()
    assert modem.configure(SERVER)
    modem.declare([(3303, 0, (5700,)), (3306, 0, (5850,))])
    assert modem.restart() and modem.attach(60000) and modem.register(60000), modem.refusal
    assert "node-1" in made.server.registrations


def test_a_bootstrap_that_was_configured_is_none():
    made = configured()
    made.modem.options["store"].save("me910c1-account", b"00000003")
    made.modem._configured = made.modem._declared = 0
    made.urc(tlt("BOOTSTRAPPING", 0))
    assert made.told("bootstrapping") and not made.told("factory_reset")


@covers("TLT DEREGISTERED", "TLT CLIENT_DISABLED")
def test_deregistered_and_client_disabled_are_lost_once():
    made = up()
    made.urc(tlt("DEREGISTERED"))
    assert made.modem._status == DEREGISTERED
    made.urc('LWM2M-TLT:"CLIENT_DISABLED"')
    assert made.told("lost") == ["deregistered"]
    again = up()
    again.urc('LWM2M-TLT:"CLIENT_DISABLED"')
    assert again.modem._status == NOT_REGISTERED and len(again.told("lost")) == 1


@covers("TLT SUSPENDED")
def test_suspended_means_no_contact_also_across_sleep():
    made = up(disable_s=3600)
    made.server.execute("node-1", (1, 0, 4))
    made.urc(tlt("SUSPENDED"))
    made.modem.service(3000)
    assert made.told("disabled") == [3600]
    assert not made.modem.register(8000)
    assert made.said("AT#LWM2MENA=1") == ["AT#LWM2MENA=1"]  # it comes back by itself
    kept = made.modem.snapshot()
    modem = made.host_boots()
    assert modem.restore(kept) and modem.wake() and modem.status() == NOT_REGISTERED
    made.urc(tlt("REGISTERED"))
    assert modem.status() == REGISTERED


@covers("TLT FORCE_EXIT")
def test_force_exit_restarts_the_module_at_once():
    made = up()
    mark = len(made.commands)
    made.urc('LWM2M-TLT:"FORCE_EXIT"', serve_ms=15000)
    assert "AT#REBOOT" in made.since(mark)
    assert made.told("lost") and made.told("restarted") == ["command"]
    assert made.modem.register(60000) and made.model.monitored == [3306]


@covers("MON UPD")
def test_a_change_by_the_server_becomes_a_write_request():
    made = up()
    made.server.write("node-1", (3306, 0, 5850), b"1", 0)
    made.modem.service(1000)
    assert [(request.operation, str(request.path), request.value) for request in made.requests] == [
        ("write", "/3306/0/5850", b"1")]
    assert made.commands[-1] == "AT#LWM2MR=0,3306,0,5850,0"


@covers("NFYACK ACK")
def test_an_ack_delivers():
    made = up()
    ticket = made.modem.publish([(TEMPERATURE, FLOAT, "20.5", None)])
    assert made.modem.settle(10000) and made.told("delivered") == [ticket]
    assert [each.value for each in made.server.deliveries] == [20.5]


@covers("NFYACK NACK")
def test_a_nack_fails_and_the_reading_stays_in_the_journal():
    made = up()
    made.link.radio(up=False)
    ticket = made.modem.publish([(TEMPERATURE, FLOAT, "20.5", None)])
    assert made.modem.settle(95000)
    assert [detail[0] for detail in made.told("failed")] == [ticket] and made.told("delivered") == []


@covers("FOTARING DOWNLOAD", "FOTARING UPDATE")
def test_firmware_waits_for_the_word_that_module_update_gives_or_a_person():
    """3.1.12, 3.1.13: both gates are shut with the account; "ask" waits for allow(), and the module is left on meanwhile."""
    for key in ("allow", "ask", "never"):
        made = configured(psm=None, module_update=key)
        made.modem.now = lambda made=made: 1000 + made.clock.now // 1000
        assert made.said("AT#LWM2MFOTACFG") == ["AT#LWM2MFOTACFG=0,3"]
        made.server.write("node-1", (5, 0, 1), b"coap://host/delta", 0)
        made.modem.service(1000)
        assert made.told("firmware") == ["download"] and made.modem.updates() is (key == "allow")
        if key == "ask":
            made.clock.advance(4000000)  # a person took over an hour
            assert made.said("AT#LWM2MFOTAACK") == []
            made.modem.allow("download")
        assert made.modem.updates() is (key != "never")
        made.modem.service(25000)
        assert made.model.nvram["fota_state"] == (1 if key == "never" else 2)
        if key == "never":
            assert made.said("AT#LWM2MFOTAACK") == []
            continue
        made.server.execute("node-1", (5, 0, 2))
        made.modem.service(90000)
        assert made.said("AT#LWM2MFOTAACK") == ["AT#LWM2MFOTAACK=0,1"] * 2
        assert made.told("firmware") == ["download", "update", "done"] and not made.modem.updates()
        assert made.told("restarted") == ["server"] and made.modem.revision == "30.00.xx9"


@covers("PSMURC")
def test_psmurc_confirms_sleep():
    made = up(sleep_confirm_ms=60000)
    made.modem.power_saving(3600, 10)
    assert made.modem.sleep()
    assert made.model.state_name == "asleep"


def test_every_row_has_a_test():
    assert {row.split(" ")[0] for row in _COVERED} == set(Driver.URCS)


def test_shapes_that_contradict_each_other():
    """lwm2m_mapping 3.4, contradictions 1, 12, 14 and 16; 3.5: a missing closing quote."""
    made = up()
    made.urc('#LWM2M-TLT: REGISTERING,99,"coap://host:5683"')
    assert made.modem._status == REGISTERING
    made.urc('#LWM2M-TLT: "REGISTERED",99,"coap://host:5683"')
    assert made.modem._status == REGISTERED
    made.modem.publish([(TEMPERATURE, FLOAT, "1", None)])
    made.server.registrations.clear()
    made.urc('#LWM2MNFYACK: 0,99,"/3303/0/5700", "ACK"')
    made.model.objects.put((3306, 0, 5850, 0), "1")
    made.urc('#LWM2MMON: UPD,"/3306/0/5850/0')
    assert len(made.requests) == 1
    made.urc('#LWM2MINFO: GEN,"SOMETHING NEW"')
    assert made.modem.stats["unknown_urcs"] == 1


def test_lines_that_are_no_urc_are_counted_and_survived():
    made = up()
    for line in ("#LWM2MMON: UPD", "#LWM2MMON: UPD,\"/3306\"", "#LWM2MNFYACK: 0,99,\"/x/0/1\",\"ACK\"", "#LWM2MEND: x",
                 "#LWM2MRING:", "LWM2M-TLT:", "#LWM2MFOTARING: 0", "#LWM2MNFYACK: 0",
                 '#LWM2MNFYACK: 0,99,"/3303/0/5700","ODD"'):
        made.urc(line)
    assert made.modem.stats["malformed_urcs"] == 9
    for line in ('#LWM2MRING: "ODD"', tlt("ODD"), '#LWM2MINFO: "GEN","ODD"'):
        made.urc(line)
    assert made.modem.stats["unknown_urcs"] == 3 and made.modem._status == REGISTERED
    assert made.requests == []


def test_a_write_that_the_node_refuses_is_put_back():
    """The module has answered Changed already; what is left is to write the old value."""
    made = up()
    made.response = Response(400)
    made.server.write("node-1", (3306, 0, 5850), b"1", 0)
    made.modem.service(2000)
    assert len(made.requests) == 1 and made.modem.stats["writes_refused"] == 1
    assert made.model.objects.get((3306, 0, 5850, 0)) == "0"


def test_an_after_of_the_response_runs():
    made = up()
    ran = []
    made.response = Response(204, after=lambda: ran.append(True))
    made.server.write("node-1", (3306, 0, 5850), b"1", 0)
    made.modem.service(1000)
    assert ran == [True]
