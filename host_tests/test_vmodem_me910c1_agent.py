"""The ME910C1's agent: the gate of ACK mode, what it does by itself, what the server asks, what a power cycle forgets."""

from fakes.telit import Desk, ready
from testing.lwm2m.codec import encode, tlv
from testing.lwm2m.link import FLOAT, TEXT_PLAIN, TLV

TEMPERATURE = (3303, 0, 5700)
RELAY = (3306, 0, 5850)


def acked(desk, path=TEMPERATURE):
    """Its notifications' acknowledgements are told."""
    desk.say("AT#LWM2MNFYACKURI=0,1,%d,%d,%d" % path)
    desk.say("AT#LWM2MNFYACKENA=0,1")
    return desk


def observed(desk, path=TEMPERATURE):
    exchange = desk.asked("observe", path, ms=500)
    assert exchange.code == 205, exchange.code
    return desk


def deliveries(desk):
    return [(each.path, each.value) for each in desk.server.deliveries]


# ---- the server's requests, answered by the module


def test_a_read_is_answered_by_the_module():
    desk = Desk(ready(3303)).registered()
    desk.say("AT#LWM2MSET=1,3303,0,5700,0,21.5")
    answers = [desk.server.read("node-1", path) for path in ((3303, 0, 5700), (3303, 0), (3303,), (3, 0, 9), (9999,))]
    hidden = desk.asked("read", (0, 0, 0))
    assert [answer.code for answer in answers] == [205, 205, 205, 205, 404] and hidden.code == 401
    assert answers[0].value == 21.5
    assert {each.path for each in answers[1].values} == {(3303, 0, n) for n in (5601, 5700, 5701, 5750)}
    assert desk.hear() == ""


def test_a_write_is_answered_by_the_module_and_told_where_monitored():
    desk = Desk(ready(3306)).registered()
    first = desk.server.write("node-1", RELAY, b"1", TEXT_PLAIN)
    assert desk.hear(1000) == "" and first.code == 204
    desk.say("AT#LWM2MMON=1,3306")
    assert desk.told("write", RELAY, b"\x00") == '\r\n#LWM2MMON: UPD,"/3306/0/5850/0"\r\n'
    desk.server.write("node-1", RELAY, b"0", TEXT_PLAIN)  # no change
    assert desk.hear(1000) == ""
    assert desk.lines("AT#LWM2MR=0,3306,0,5850,0")[0] == "#LWM2MR: 0"


def test_writes_that_the_module_refuses():
    desk = Desk(ready(3303, 3306)).registered()
    cases = [
        (TEMPERATURE, b"1", TEXT_PLAIN, 405), (RELAY, b"7", TEXT_PLAIN, 400), ((3306, 1, 5850), b"1", TEXT_PLAIN, 404),
        ((3306, 0, 9), b"1", TEXT_PLAIN, 404), ((3306, 0), b"\xff", TLV, 400), ((3306,), b"", TLV, 405),
    ]
    answers = [desk.server.write("node-1", path, payload, form) for path, payload, form, _ in cases]
    desk.clock.advance(1000)
    assert [answer.code for answer in answers] == [case[3] for case in cases]


def test_a_whole_instance_is_written():
    desk = Desk(ready(3306)).registered()
    desk.say("AT#LWM2MMON=1,3306")
    payload = tlv(0xC0, 5850, b"\x01") + tlv(0xC0, 5851, b"\x32")
    answer = desk.server.write("node-1", (3306, 0), payload, TLV, replace=False)
    assert desk.hear(1000).count("UPD") == 2 and answer.code == 204
    assert desk.lines("AT#LWM2MR=0,3306,0,5851,0")[0] == "#LWM2MR: 50"


def test_an_execute_of_an_uploaded_object_does_nothing():
    desk = Desk(ready(3303)).registered()
    done, wrong = desk.server.execute("node-1", (3303, 0, 5605)), desk.server.execute("node-1", TEMPERATURE)
    assert desk.hear(1000) == "" and (done.code, wrong.code) == (204, 405)


def test_discover_create_and_delete():
    desk = Desk(ready(3303)).registered()
    found = desk.server.discover("node-1", (3303, 0))
    payload = encode(TLV, (3303,), [((3303, 4, 5750), 1, "roof")])
    created = desk.server.create("node-1", (3303,), payload)
    desk.clock.advance(1000)
    assert b"</3303/0/5700>" in found.payload and created.code == 201
    assert "/3303/4" in desk.server.registrations["node-1"].objects
    gone, kept = desk.server.delete("node-1", (3303, 4)), desk.server.delete("node-1", (3, 0))
    desk.clock.advance(1000)
    assert (gone.code, kept.code) == (202, 405)
    assert "/3303/4" not in desk.server.registrations["node-1"].objects


# ---- notifications


def test_a_changed_value_is_notified_and_its_ack_told():
    desk = observed(acked(Desk(ready(3303)).registered()))
    assert desk.lines("AT#LWM2MSET=1,3303,0,5700,0,21.5", 1000) == ["OK", '#LWM2MNFYACK: 0,99,"/3303/0/5700","ACK"']
    assert deliveries(desk) == [(TEMPERATURE, 21.5)]
    assert desk.lines("AT#LWM2MSET=1,3303,0,5700,0,21.5", 5000) == ["OK"]  # the same value is no change


def test_an_ack_is_told_only_where_listed_and_enabled():
    desk = observed(Desk(ready(3303)).registered())
    assert desk.lines("AT#LWM2MSET=1,3303,0,5700,0,1", 1000) == ["OK"]
    desk.say("AT#LWM2MNFYACKENA=0,1")
    assert desk.lines("AT#LWM2MSET=1,3303,0,5700,0,2", 1000) == ["OK"]
    acked(desk)
    desk.say("AT#LWM2MNFYACKENA=0,0")
    assert desk.lines("AT#LWM2MSET=1,3303,0,5700,0,3", 1000) == ["OK"]


def test_an_outage_ends_in_nack():
    """3.1.15: NACK when no ACK came."""
    desk = observed(acked(Desk(ready(3303)).registered()))
    desk.link.radio(up=False)
    desk.say("AT#LWM2MSET=1,3303,0,5700,0,3")
    assert '"/3303/0/5700","NACK"' in desk.hear(100000)


def test_a_reset_by_the_server_ends_the_observation():
    desk = observed(acked(Desk(ready(3303)).registered()))
    desk.server.cancel("node-1", TEMPERATURE, active=False)
    desk.say("AT#LWM2MSET=1,3303,0,5700,0,3", 2000)
    assert desk.link.observations() == []


def test_pmin_holds_back_and_only_the_last_value_goes():
    desk = observed(acked(Desk(ready(3303)).registered()))
    desk.asked("write_attributes", TEMPERATURE, ("pmin=60",))
    for value in (1, 2, 3):
        desk.say("AT#LWM2MSET=1,3303,0,5700,0,%d" % value, 1000)
    assert deliveries(desk) == []
    desk.clock.advance(60000)
    assert deliveries(desk) == [(TEMPERATURE, 3.0)]


def test_pmax_repeats_what_did_not_change():
    desk = observed(acked(Desk(ready(3303)).registered()))
    desk.asked("write_attributes", TEMPERATURE, ("pmax=30",), ms=95000)
    assert deliveries(desk) == [(TEMPERATURE, 0.0)] * 3
    assert desk.hear().count('"ACK"') == 3


def test_attributes_and_account_are_checked_before_they_are_kept():
    """TS 1.0.2 5.1.2 and E.2: what does not fit is 4.00, changes nothing, and no later AT#LWM2MSET stumbles over it."""
    desk = observed(Desk(ready(3303)).registered())
    for query in ("gt=x", "st=-1", "foo=1", "pmin=-5", "pmax=1.5", "pmin=4294967296", "gt=nan", "lt=--1", "st=1e5", "gt=."):
        asked = desk.asked("write_attributes", TEMPERATURE, (query,))
        assert asked.code == 400 and not desk.link.attributes.get(TEMPERATURE), query
    for path in ((3303, 0), (3303, 0, 5701)):  # gt is for a number
        asked = desk.asked("write_attributes", path, ("gt=5",))
        assert asked.code == 400, path
    for path, query in ((TEMPERATURE, "gt=-2.5"), (TEMPERATURE, "st=0.5"), (TEMPERATURE, "gt"), ((3303, 0), "pmin=0")):
        asked = desk.asked("write_attributes", path, (query,))
        assert asked.code == 204, query
    assert desk.lines("AT#LWM2MSET=1,3303,0,5700,0,7", 2000)[0] == "OK"
    for resource, value, code in ((1, b"0", 400), (1, b"-5", 400), (1, b"4294967296", 400), (7, b"X", 400), (3, b"-1", 400),
                                  (1, b"600", 204), (7, b"UQ", 204)):
        asked = desk.asked("write", (1, 0, resource), value, 0, ms=5000)
        assert asked.code == code, (resource, value, asked.code)
    assert desk.model.objects.get((1, 0, 1, 0)) == "600"


def test_gt_lt_and_st_decide():
    desk = observed(Desk(ready(3303)).registered())
    desk.asked("write_attributes", TEMPERATURE, ("gt=25", "st=5"))
    for value in (1, 2, 9, 26, 27):
        desk.say("AT#LWM2MSET=1,3303,0,5700,0,%d" % value, 2000)
    assert [value for _, value in deliveries(desk)] == [9.0, 26.0]


def test_an_observed_instance_carries_all_its_values():
    desk = observed(acked(Desk(ready(3303)).registered()), (3303, 0))
    assert '"/3303/0/5700","ACK"' in desk.say("AT#LWM2MSET=1,3303,0,5700,0,5", 1000)
    assert (TEMPERATURE, 5.0) in deliveries(desk) and len(deliveries(desk)) == 4


def test_cancel_ends_it():
    desk = observed(Desk(ready(3303)).registered())
    desk.asked("cancel", TEMPERATURE)
    desk.say("AT#LWM2MSET=1,3303,0,5700,0,5", 3000)
    assert deliveries(desk) == []


# ---- ACK mode (3.1.3, 3.1.4)


def gated(release=5):
    desk = observed_later(Desk(ready(3303)))
    desk.say("AT#LWM2MENA=1,1,1,5,%d" % release)
    desk.say("AT#LWM2MACK=1", 4000)
    desk.asked("observe", TEMPERATURE)
    assert desk.hear(release * 1000) == '\r\n#LWM2MEND: 0\r\n'
    return desk


def observed_later(desk):
    return acked(desk)


def test_a_change_rings_and_goes_out_with_the_ack():
    desk = gated()
    assert desk.lines("AT#LWM2MSET=1,3303,0,5700,0,5", 1000) == ["OK", '#LWM2MRING: "NOT"']
    assert desk.lines("AT#LWM2MSTAT")[0] == '#LWM2MGETSTAT: 1,"WAIT"'
    assert deliveries(desk) == []
    assert desk.lines("AT#LWM2MACK=1", 1000) == ["OK", '#LWM2MNFYACK: 0,99,"/3303/0/5700","ACK"']
    assert deliveries(desk) == [(TEMPERATURE, 5.0)]
    assert desk.hear(6000) == "\r\n#LWM2MEND: 0\r\n"


def test_several_changes_ring_once():
    desk = gated()
    desk.say("AT#LWM2MSET=1,3303,0,5700,0,5")
    desk.say("AT#LWM2MSET=1,3303,0,5700,0,6", 2000)
    desk.say("AT#LWM2MSET=1,3303,0,5700,0,7")
    assert desk.hear(2000).count("RING") == 0
    desk.say("AT#LWM2MACK=1", 1000)
    assert deliveries(desk) == [(TEMPERATURE, 7.0)]


def test_outside_of_a_session_the_server_is_not_heard_until_an_sms():
    desk = gated()
    answer = desk.asked("read", TEMPERATURE, ms=20000)
    assert not answer.done
    desk.model.sms()
    assert desk.lines("AT#LWM2MACK=1", 500)[-1] == "OK"
    again = desk.asked("read", TEMPERATURE)
    assert again.code == 205


def test_an_update_rings_ahead_of_its_time():
    nvram = ready(3303)
    nvram["values"] = {"1/0/1/0": "300"}
    desk = Desk(nvram)
    desk.say("AT#LWM2MENA=1,1,1,20,5")
    desk.say("AT#LWM2MACK=1", 12000)
    assert "RING" not in desk.hear(230000)
    assert '#LWM2MRING: "UPD"' in desk.hear(30000)
    desk.say("AT#LWM2MACK=1", 2000)
    assert desk.server.registrations["node-1"].updates == 1


def test_no_ack_no_session():
    desk = gated()
    desk.say("AT#LWM2MSET=1,3303,0,5700,0,5", 600000)
    assert deliveries(desk) == []
    assert desk.lines("AT#LWM2MENA?")[0] == '#LWM2MENA: 1,1,1,5,5,"WAIT"'


def test_disabling_inside_of_a_session_needs_no_ack():
    desk = gated()
    desk.say("AT#LWM2MSET=1,3303,0,5700,0,5", 1000)
    desk.say("AT#LWM2MACK=1", 1000)
    assert "RING" not in desk.say("AT#LWM2MENA=0", 5000)
    assert desk.lines("AT#LWM2MENA?")[0] == "#LWM2MENA: 0"


# ---- what it does by itself


def test_it_updates_before_the_lifetime_ends():
    nvram = ready()
    nvram["values"] = {"1/0/1/0": "300"}
    desk = Desk(nvram).registered()
    desk.clock.advance(3600000)
    assert desk.server.registrations["node-1"].updates == 13
    assert [event[2] for event in desk.server.events].count("expired") == 0


def test_a_server_that_forgot_it_gets_a_new_registration():
    nvram = ready()
    nvram["values"] = {"1/0/1/0": "300"}
    desk = Desk(nvram).registered()
    desk.server.restart()
    desk.clock.advance(300000)
    assert "node-1" in desk.server.registrations


def test_a_refused_registration_is_tried_three_times_then_force_exit():
    desk = Desk(ready())
    desk.server.refuse = 403
    assert "FORCE_EXIT" in desk.say("AT#LWM2MENA=1", 30000)
    assert desk.lines("AT#LWM2MSTAT")[0] == '#LWM2MGETSTAT: 0,"DIS"'
    desk.server.refuse = None
    assert desk.lines("AT#LWM2MENA=1") == ["ERROR"]  # only a reboot helps (3.1.3)
    desk.say("AT#REBOOT", 12000)
    assert "OK" in desk.lines("AT#LWM2MENA=1", 8000)
    assert "node-1" in desk.server.registrations


def test_without_a_network_it_waits():
    desk = Desk(ready(), settle_ms=0)
    desk.model.set_coverage(False)
    desk.say("AT#LWM2MENA=1", 60000)
    assert desk.server.registrations == {} and desk.model.status == "ACTIVE"
    desk.model.set_coverage(True)
    desk.clock.advance(8000)
    assert "node-1" in desk.server.registrations


def test_registration_urcs_are_off_until_33211_and_a_reboot():
    """field_quirks 3: AT#LWM2MW=0,33211,0,0,1,1, then AT#REBOOT."""
    desk = Desk(ready())
    assert "TLT" not in desk.say("AT#LWM2MENA=1", 8000)
    assert desk.lines("AT#LWM2MW=0,33211,0,0,1,1") == ["OK"]
    assert "TLT" not in desk.say("AT#LWM2MENA=0", 5000)
    desk.say("AT#REBOOT", 12000)
    assert 'LWM2M-TLT:"REGISTERED",SSID=99,"coap://host:5683"' in desk.say("AT#LWM2MENA=1", 8000)
    now = Desk(ready(), services_effective="now").registered()
    now.say("AT#LWM2MW=0,33211,0,0,1,1")
    assert "DEREGISTERED" in now.say("AT#LWM2MENA=0", 5000)


def test_the_syntax_form_of_the_registration_urc():
    """Contradiction 1: the syntax has # and blanks, every example has not."""
    desk = Desk(ready(), registration_urcs=True, tlt="syntax")
    assert '#LWM2M-TLT: REGISTERED,99,"coap://host:5683"' in desk.say("AT#LWM2MENA=1", 8000)
    quirk = Desk(ready(), registration_urcs=True, tlt="syntax", hostile="tlt_named")
    assert 'LWM2M-TLT:"REGISTERED",SSID=99' in quirk.say("AT#LWM2MENA=1", 8000)


# ---- 1/0/x, 3/0/4, 3/0/5


def test_device_reboot_is_announced_and_forgets_lists_and_agent():
    desk = acked(Desk(ready(3303)).registered())
    desk.say("AT#LWM2MMON=1,3306")
    desk.server.execute("node-1", (3, 0, 4))
    assert '#LWM2MINFO: "GEN","DEVICE REBOOT"' in desk.hear(12000)
    assert desk.lines("AT#LWM2MENA?") == ["#LWM2MENA: 0", "OK"]
    assert desk.lines("AT#LWM2MMON?") == ["OK"] and desk.lines("AT#LWM2MNFYACKURI=0,2") == ["OK"]
    assert desk.lines("AT#LWM2MNFYACKENA=0,2")[0] == "LWM2MNFYACKENA: 0,0"
    assert desk.lines("AT#LWM2MEXIST=0,3303,0") == ["OK"]


def test_factory_reset_forgets_instances_and_accounts_but_not_files_and_the_fota_mode():
    desk = Desk(ready(3303))
    desk.say("AT#LWM2MFOTACFG=0,3")
    desk.registered()
    desk.server.execute("node-1", (3, 0, 5))
    assert "DEVICE REBOOT" in desk.hear(12000)
    assert desk.lines("AT#LWM2MEXIST=0,3303,0") == ["ERROR"] and desk.lines("AT#LWM2MEXIST=0,3303") == ["OK"]
    assert desk.model.dm_account() is None
    assert desk.model.nvram["fota_mode"] == 3


def test_an_update_trigger_and_a_written_lifetime():
    desk = Desk(ready()).registered()
    desk.asked("execute", (1, 0, 8))
    assert desk.server.registrations["node-1"].updates == 1
    desk.server.write("node-1", (1, 0, 1), b"600", TEXT_PLAIN)
    desk.asked("write", (1, 0, 7), b"UQ", TEXT_PLAIN)
    registration = desk.server.registrations["node-1"]
    assert (registration.lifetime, registration.binding) == (600, "UQ")


def test_a_bootstrap_trigger_asks_the_bootstrap_server_again():
    from test_vmodem_me910c1_examples import bootstrapping

    desk = bootstrapping()
    desk.say("AT#LWM2MENA=1", 9000)
    assert desk.told("execute", (1, 0, 9), ms=9000).count("BOOTSTRAPPED") == 1
    assert desk.server.registrations["node-1"].lifetime == 86400


# ---- FOTA (3.1.12, 3.1.13)


def firmware(mode):
    desk = Desk(ready())
    desk.say("AT#LWM2MFOTACFG=0,%d" % mode)
    desk.registered()
    desk.server.write("node-1", (5, 0, 1), b"coap://host/delta", TEXT_PLAIN)
    return desk


def test_fota_without_gates():
    desk = firmware(0)
    assert "FOTARING" not in desk.hear(60000)
    desk.server.execute("node-1", (5, 0, 2))
    assert '#LWM2MINFO: "GEN","FOTA REBOOT"' in desk.hear(60000)
    assert desk.lines("AT+CGMR")[0] == "30.00.xx9"


def test_fota_with_both_gates():
    desk = firmware(3)
    assert '#LWM2MFOTARING: 0,"DOWNLOAD"' in desk.hear(60000)
    early = desk.asked("execute", (5, 0, 2), ms=3600)
    assert early.code == 405
    assert desk.lines("AT#LWM2MFOTAACK=0,1", 30000) == ["OK"]
    desk.server.execute("node-1", (5, 0, 2))
    assert '#LWM2MFOTARING: 0,"UPDATE"' in desk.hear(60000)
    assert 'FOTA REBOOT' in desk.say("AT#LWM2MFOTAACK=0,1", 30000)


def test_a_gate_opens_by_itself_after_a_week():
    desk = firmware(1)
    state = desk.server.read("node-1", (5, 0, 3))
    desk.clock.advance(86400000 * 6)
    assert state.value == 1 and desk.model.nvram["fota_state"] == 1
    desk.clock.advance(86400000 * 2)
    assert desk.model.nvram["fota_state"] == 2


def test_the_gate_waits_across_a_reboot():
    desk = firmware(1)
    desk.hear(1000)
    assert '#LWM2MFOTARING: 0,"DOWNLOAD"' in desk.say("AT#REBOOT", 12000)


# ---- power saving


def test_psm_is_a_power_cycle_to_the_agent_unless_the_option_says_else():
    for keeps in (False, True):
        desk = acked(Desk(ready(3303), psm_keeps=keeps).registered())
        desk.say('AT+CPSMS=1,,,"00100001","00000101"')
        desk.clock.advance(60000)
        assert desk.model.state_name == "asleep"
        desk.model.pin("power_key", True)
        desk.clock.advance(100)
        desk.model.pin("power_key", False)
        desk.clock.advance(5000)
        desk.hear()
        assert desk.lines("AT#LWM2MENA?")[0] == ('#LWM2MENA: 1,1,0,5,5,"IDLE"' if keeps else "#LWM2MENA: 0"), keeps
        assert len(desk.lines("AT#LWM2MNFYACKURI=0,2")) == (2 if keeps else 1)


def test_values_outlive_everything():
    nvram = ready(3303)
    desk = Desk(nvram).registered()
    desk.say("AT#LWM2MSET=1,3303,0,5700,0,21.5")
    again = Desk(nvram).registered()
    assert again.lines("AT#LWM2MGET=1,3303,0,5700,0") == ["#LWM2MGET: 21.5", "OK"]


def test_secrets_are_not_in_the_live_view():
    desk = Desk(ready())
    desk.say('AT#LWM2MINJKEYS=0,1,"name","identity-7","A1B2C3D4E5F6"')
    desk.say('AT+CPIN="1234"')
    shown = "".join([text for _, _, text in desk.model.recent])
    assert "A1B2C3" not in shown and "identity-7" not in shown


def test_state_for_the_live_view():
    desk = observed(acked(Desk(ready(3303)).registered()))
    state = desk.model.state()
    assert state["registered"] and state["observed"] == [[3303, 0, 5700]] and state["acknowledged"] == [[3303, 0, 5700]]


def test_quirks_of_the_family():
    """field_quirks 1.5, 1.6, 2.3, 3."""
    assert Desk(echo=1).say("AT") == "AT\r\r\nOK\r\n"  # the echo ends with a lone CR
    assert Desk(hostile="first_at_lost").say("AT") == ""
    assert Desk(hostile="cme_zero", cmee=1).lines("AT#LWM2MACK=1") == ["+CME ERROR: 0"]
    assert Desk(hostile="stat_without_number").lines("AT#LWM2MSTAT")[0] == '#LWM2MGETSTAT: "DIS"'
    desk = Desk(list_join="crlf")
    desk.say("AT#LWM2MMON=1,3;#LWM2MMON=1,4")
    assert desk.say("AT#LWM2MMON?").startswith('\r\n#LWM2MMON: "3"\r\n#LWM2MMON: "4"\r\n')
    desk = Desk(list_join="crlf", hostile="lf_lists")
    desk.say("AT#LWM2MMON=1,3;#LWM2MMON=1,4")
    assert desk.say("AT#LWM2MMON?").startswith('\r\n#LWM2MMON: "3"\n#LWM2MMON: "4"\r\n')
    fixed = Desk(ready(3303), value_text="fixed").registered()
    fixed.say("AT#LWM2MSET=1,3303,0,5700,0,21.5")
    assert fixed.lines("AT#LWM2MR=0,3303,0,5700,0")[0] == "#LWM2MR: 21.500000"


def test_floats_of_the_server_become_text():
    nvram = ready(3303)
    nvram["files"]["/XML/object_3308.xml"] = (
        "<LWM2M><Object><ObjectID>3308</ObjectID><Resources><Item ID=\"5900\"><Operations>RW</Operations>"
        "<Type>Float</Type></Item></Resources></Object></LWM2M>")
    nvram["instances"]["3308"] = [0]
    desk = Desk(nvram).registered()
    desk.asked("write", (3308, 0, 5900), encode(TLV, (3308, 0, 5900), [((3308, 0, 5900), FLOAT, "21.25")]), TLV)
    assert desk.lines("AT#LWM2MR=0,3308,0,5900,0")[0] == "#LWM2MR: 21.25"
