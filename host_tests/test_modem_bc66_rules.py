"""BC66: limits, contradictions of the manual and oddities of the field, each as a named test."""

from fakes.refusal import raised
from fakes.modem_bench import BC66, Bench, Pins
from fakes.store import Store
from fakes.modem_field import Field

from words import explain, spelled

from lwnode.at import BudgetExceeded, CommandError
from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, OBJLNK, OPAQUE, STRING, TIME, Path, Response
from lwnode.modem import DEREGISTERED, NEED_RECOVER, NOT_REGISTERED, REGISTERED, REGISTERING, UNKNOWN, Server, open_modem
from lwnode.modem.recovery import bring_back, power_cycle

TEMPERATURE = Path(3303, 0, 5700)
READING = (TEMPERATURE, FLOAT, "21.5", None)
KEY = "77c755bd8cbb400abf2f0c420eed2cb0"
DEFAULTS = ["auto_reg,0", "per_regstatus_feat,0", "rai_enable,0", "retransmit,2,4", "auto_ack,0", "access_mode,0",
            "recovery_mode,0", "retransmit_mode,0"]
SETTINGS = ['+QLWCFG: "%s",%s' % tuple(row.split(",", 1)) for row in DEFAULTS] + ["OK"]


def server(**more):
    values = {"host": "192.0.2.7", "endpoint": "node-1"}
    values.update(more)
    return Server(**values)


def bench(answers=None, pins=None, **options):
    table = dict(BC66, **{"AT+QLWCFG?": list(SETTINGS)})
    table.update(answers or {})
    return Bench("bc66", table, pins=pins, **options)


def refused(call, *words):
    """The ValueError of a call names all of these words."""
    said = str(raised(ValueError, call))
    for word in words:
        assert word in said, (word, said)
    return said


# ---- ranges, refused before the wire


def test_what_a_driver_is_asked_for_and_does_not_have_is_named():
    refused(lambda: open_modem("bc66", bench().at, moon=1), "moon", "ack_timeout")
    refused(lambda: open_modem("bc67", bench().at), "bc67", "bc66")


def test_a_server_never_shows_its_key():
    assert KEY not in repr(server(security="psk", psk_identity="i", psk=KEY))


def test_a_range_that_the_module_has_and_we_were_not_held_to_is_refused_by_the_module():
    """4.2.1 and 4.2.4: lwnode.config holds the ranges (test_node_config, test_modem_options); err 3 is the module's word."""
    one = bench({"AT+QLWCONFIG=": "+CMEE ERROR: 3", "AT+QLWUPDATE=": "+CMEE ERROR: 3"})
    try:
        one.modem.configure(server(lifetime=19))
        raise AssertionError("taken")
    except CommandError as error:
        assert error.code == 3
    assert not one.modem.update(lifetime=19) and one.modem.refusal == "update: error 3"


def test_what_the_module_can_carry_is_what_the_manual_says():
    for revision, buffered, contract in (
        ("BC66NBR01A10", 0, "pull"), ("BC66NBR01A07", 1, "pull"), ("BC66NBR01A06", 0, "pipe"), ("BC66NBR01A9", 0, "pull"),
    ):
        one = bench({"AT+CGMR": "Revision: " + revision}, **({"buffered": True} if buffered else {}))
        one.modem.start()
        can = one.modem.capabilities
        pull = contract == "pull"
        assert (can.contract, can.typed, can.executes, can.acknowledges) == (contract, pull, pull, "server"), revision
        assert (can.buffered, can.history, can.psk, can.bootstrap) == (pull and bool(buffered), "pack", True, True), revision
        assert can.limits == ({"objects": 15, "instances": 4, "resources": 14, "string": 1024, "opaque": 512, "pack": 512}
                              if pull else {"pack": 512}), revision  # fmt: skip


def test_more_objects_than_3_2_2_allows_are_refused():
    one = bench()
    refused(lambda: one.modem.declare([(3300 + n, 0, (1,)) for n in range(16)]), "15")
    refused(lambda: one.modem.declare([(3303, n, (1,)) for n in range(5)]), "3303", "4 instances")
    refused(lambda: one.modem.declare([(3303, 0, tuple(range(15)))]), "3303", "14 resources", "15")
    assert one.commands == []
    one.modem.declare([(3300 + n, 0, tuple(range(14))) for n in range(15)])
    assert len([line for line in one.commands if line.startswith("AT+QLWADDOBJ=")]) == 15, "as many as it holds"


def test_values_longer_than_4_2_12_allows_are_refused():
    one = bench()
    refused(lambda: one.modem.publish([(TEMPERATURE, STRING, "x" * 1025, None)]), "1024", "1025")
    refused(lambda: one.modem.publish([READING, (TEMPERATURE, OPAQUE, b"x" * 513, None)]), "512", "513")
    for text in ("nan", "inf", "1e5", "", "21,5"):
        refused(lambda text=text: one.modem.publish([(TEMPERATURE, FLOAT, text, None)]), "decimal")
    refused(lambda: one.modem.publish([(TEMPERATURE, BOOLEAN, "2", None)]), "0 or 1")
    assert one.commands == []


def test_the_deadline_of_a_report_follows_the_retransmission():
    assert bench().modem.deadline_ms == 62000
    assert bench(ack_timeout=4, max_retransmit=3).modem.deadline_ms == 60000
    assert bench(retransmit_mode=1).modem.deadline_ms == 10000


# ---- names of codes


STATUSES = {0: "success", 1: "timeout", 2: "packet not sent", 3: "recovery failed", 4: "update failed", 9: "reset",
            10: "bad request", 13: "forbidden", 14: "not found", 22: "precondition failed"}
ERRORS = {0: "operation successful", 1: "other error", 2: "parameter number error", 3: "parameter value error",
          4: "not registered", 7: "disabled", 13: "data length is odd", 15: "not ready to receive", 32: "keep connecting",
          33: "already registered", 34: "LwM2M cannot be created"}


def test_the_eleven_errors_of_chapter_6_are_told_by_name():
    for code in ERRORS:
        assert explain(code, "+CMEE ERROR") == ERRORS[code]
        assert spelled("registration: error %d" % code) == "registration: error %d (%s)" % (code, ERRORS[code])
        if code not in (0, 4, 32, 33):  # which have an effect of their own
            one = bench({"AT+QLWREG": "+CMEE ERROR: %d" % code, "AT+QLWNOTIFY=": ["OK", "+QLWNOTIFY: %d" % code]})
            assert not one.modem.register(2000) and one.modem.refusal == "registration: error %d" % code
            ticket = one.modem.publish([READING])
            one.modem.service(10)
            assert one.told("failed") == [(ticket, "error %d" % code)]
    for text in ("registration: error 99", "error None", "SIM: not inserted", "an error", "denied (EMM cause 13)", ""):
        assert spelled(text) == text


def test_the_ten_status_codes_of_chapter_6_are_told_by_name_wherever_they_come():
    for code in STATUSES:
        name = "status %d" % code
        assert spelled("update: %s; so it is" % name) == "update: %s (%s); so it is" % (name, STATUSES[code])
        one = bench({"AT+QLWREG": ["OK", (900, "+QLWREG: %d" % code)],
                     "AT+QLWNOTIFY=": ["OK", '+QLWURC: "report",7', "+QLWNOTIFY: 0",
                                       (300, '+QLWURC: "report_ack",%d,7' % code)]})
        assert one.modem.register(20000) == (code == 0)
        if code:
            assert one.modem.refusal == "registration: " + name
        one.say("+QLWREG: 0")
        ticket = one.modem.publish([READING])
        assert one.modem.settle(2000)
        assert one.told("failed" if code else "delivered") == [(ticket, name) if code else ticket]
        one = bench()
        one.say("+QLWREG: 0", '+QLWURC: "ping",%d' % code)
        assert one.told("lost") == (["update: " + name] if code else [])
    assert spelled("status 99") == "status 99"


def test_the_result_of_another_update_is_nobodys():
    """4.2.4: matched by its message id, before OK and long after it."""
    one = bench({"AT+QLWUPDATE=": ["+QLWUPDATE: 61459", "+QLWUPDATE: 0,59797", "OK", (300, "+QLWUPDATE: 0,59797"),
                                   (900, "+QLWUPDATE: 4,61459")]})
    one.say("+QLWREG: 0")
    assert not one.modem.update() and one.told("updated") == [] and one.told("lost") == ["update: status 4"]
    assert one.modem.stats["late_results"] == 2
    one = bench({"AT+QLWUPDATE=": ["OK", (900, "+QLWUPDATE: 0,61459")]})  # a module that tells no id before
    assert one.modem.update() and one.told("updated") == [None]
    began = one.clock.now
    one.talker.answers["AT+QLWUPDATE="] = ["+QLWUPDATE: 61460", "OK", (900, "+QLWUPDATE: 0,61459")]
    assert not one.modem.update() and one.clock.now - began >= 62000


def test_errors_come_as_cmee_as_cme_and_plain():
    """field_quirks 2.1 and 2.2: both spellings on one module, and ERROR although CMEE is on."""
    for answer, text in (("+CMEE ERROR: 34", "error 34"), ("+CME ERROR: 34", "error 34"),
                         ("ERROR", "error None"), ("+CME ERROR: 513", "error 513")):
        one = bench({"AT+QLWREG": answer})
        assert not one.modem.register(5000)
        assert text in one.modem.refusal


def test_deregistering_without_a_registration_is_what_was_wanted():
    """field_quirks 2.5: err 4. Any other refusal leaves the registration as it was."""
    for answer, done, state in (("+CMEE ERROR: 4", True, DEREGISTERED), ("+CMEE ERROR: 5", False, REGISTERED),
                                ("+CMEE ERROR: 1", False, REGISTERED), ("ERROR", False, REGISTERED)):
        one = bench({"AT+QLWDEREG": answer})
        one.say("+QLWREG: 0")
        assert (one.modem.deregister(), one.modem._status) == (done, state), answer


def test_the_binding_is_said_once_for_an_account_after_its_registration():
    """Figures 15 to 17: the module registers with UQ; a firmware that refuses the update is not asked again."""
    for binding, said, result, refused_ in (("U", "AT+QLWUPDATE=1,0", 0, 0), ("UQ", "AT+QLWUPDATE=1,1", 0, 0),
                                            ("U", "AT+QLWUPDATE=1,0", None, 1)):
        answer = "ERROR" if result is None else ["+QLWUPDATE: 7", "OK", (300, "+QLWUPDATE: %d,7" % result)]
        one = bench({"AT+QLWUPDATE=": answer})
        one.modem.configure(server(binding=binding))
        for _ in range(2):
            assert one.modem.register(30000), binding
            assert one.talker.said("AT+QLWUPDATE") == [said]
            assert one.modem.stats.get("bindings_refused", 0) == refused_ and one.modem.deregister()


def test_a_refused_sleep_lock_is_asked_for_again():
    """field_quirks 2.2: AT+QSCLK=0 answered ERROR after 1.9 s."""
    answers = ["ERROR", "OK"]
    one = bench({"AT+QSCLK=": lambda line: answers.pop(0)})
    assert one.modem.wake()
    assert one.commands == ["AT", "AT+QSCLK=0", "AT+QSCLK=0"]


def test_the_first_at_after_sleep_may_be_lost():
    """field_quirks 1.6."""
    answers = [None, None, "OK"]
    pins = Pins("wake")
    one = bench({"AT": lambda line: answers.pop(0) if answers else "OK"}, pins=pins)
    assert one.modem.wake()
    assert pins.pulses == [("wake", 100)]


# ---- configuration


def test_each_setting_that_the_list_lacks_is_asked_alone():
    """Before R01A10 AT+QLWCFG? forgot access_mode; a firmware that knows a setting not at all is left alone."""
    known = dict([row.split(",", 1) for row in DEFAULTS[:-1]])

    def alone(line):
        name = line.split('"')[1]
        return '+QLWCFG: "%s",%s' % (name, known[name]) if name in known else "ERROR"

    one = bench({"AT+QLWCFG?": "ERROR", "AT+QLWCFG=": lambda line: alone(line) if line.count(",") == 0 else "OK"})
    assert one.modem.configure(server())
    asked = [line for line in one.talker.said("AT+QLWCFG=") if "," not in line]
    assert asked == ['AT+QLWCFG="%s"' % row.split(",")[0] for row in DEFAULTS]
    assert [line for line in one.talker.said("AT+QLWCFG=") if "," in line] == ['AT+QLWCFG="recovery_mode",1']
    assert one.modem.stats["settings_unknown_to_module"] == 1


def test_persistence_is_switched_on_by_0():
    """4.2.2: per_regstatus_feat 0 is enabled, the reverse of every other switch."""
    one = bench(recovery_mode=0, persistent=False)
    assert one.modem.configure(server())
    assert one.talker.said("AT+QLWCFG=") == ['AT+QLWCFG="per_regstatus_feat",1']
    same = bench(recovery_mode=0, persistent=True)
    assert not same.modem.configure(server())


def test_a_restart_that_did_not_come_is_due_until_it_does():
    """4.2.2: settings hold after a reboot; one that was written in an earlier wake must not be taken for effective."""
    one = bench({"AT+QLWCONFIG=": "+CMEE ERROR: 1"})
    raised(CommandError, one.modem.configure, server())
    kept = one.modem.snapshot()
    written = [line.replace('mode",0', 'mode",1') if "recovery" in line else line for line in SETTINGS]
    two = bench({"AT+QLWCFG?": written})
    assert two.modem.restore(kept)
    assert two.modem.configure(server())
    assert two.modem.restart()
    assert not two.modem.configure(server())


def test_a_lost_answer_repeats_the_step_and_not_the_whole_contact():
    """Read, compare, write what differs: it may be done again as often as the line loses something."""
    lost = [None, None]
    one = bench({"AT+QLWCFG=": lambda line: lost.pop() if lost else "OK", "AT+QLWADDOBJ=": ["OK"]}, command_ms=500)
    assert one.modem.configure(server())
    assert one.modem.stats["steps_repeated"] == 2
    assert one.talker.said("AT+QLWCONFIG=") != []
    listed = [["OK"], ["+QLWADDOBJ: 3303,0,1,5700", "OK"]]
    one.talker.answers["AT+QLWADDOBJ?"] = lambda line: listed.pop(0)
    one.modem.declare([(3303, 0, (5700,))])
    assert one.talker.said("AT+QLWADDOBJ=") == ["AT+QLWADDOBJ=3303,0,1,5700"]


def test_an_account_is_recognized_in_all_shapes_of_its_line():
    """Bare and quoted host, no blank behind the colon, a second line for the other kind (4.2.1), any case of the key."""
    for line in ('+QLWCONFIG:0,192.0.2.7,5683,"node-1",86400,3', '+QLWCONFIG: 0,"192.0.2.7",5683,"node-1",86400,3'):
        one = bench({"AT+QLWCONFIG?": line}, recovery_mode=0)
        one.modem.configure(server())
        assert one.talker.said("AT+QLWCONFIG=") == []
    two = bench({"AT+QLWCONFIG?": [
        '+QLWCONFIG:1,"boot.example.org",5684,"node-1",900,3', '+QLWCONFIG:0,192.0.2.7,5683,"node-1",86400,3', "OK"]})
    two.modem.configure(server())
    assert two.talker.said("AT+QLWCONFIG=") == []
    key = bench({"AT+QLWCONFIG?": '+QLWCONFIG:0,192.0.2.7,5684,"node-1",86400,0,"me","%s"' % KEY.upper()})
    key.modem.configure(server(port=5684, security="psk", psk_identity="me", psk=KEY))
    assert key.talker.said("AT+QLWCONFIG=") == []


def test_the_key_is_in_no_trace_and_no_exception():
    seen = []
    former = "8899aabbccddeeff0011"
    one = bench({"AT+QLWCONFIG?": '+QLWCONFIG:0,192.0.2.7,5684,"node-1",900,0,"me","%s"' % former,
                 "AT+QLWCONFIG=": "+CMEE ERROR: 3"})
    one.at.trace_to(lambda direction, data: seen.append(bytes(data)))
    error = raised(CommandError, one.modem.configure, server(port=5684, security="psk", psk_identity="identity-1", psk=KEY))
    assert KEY not in str(error)
    trace = b"".join(seen)
    assert b"AT+QLWCFG?" in trace
    assert KEY.encode() not in trace
    assert former.encode() not in trace, "the key of an earlier life, printed by the module"
    assert b"identity-1" not in trace, "what else stands beside a key"


def test_nothing_is_configured_while_the_module_registers_by_itself():
    """3.3, 4.2.1 note 2: its own outcome is awaited, then the registration is left."""
    states = ["1", "2"]
    one = bench({"AT+QLWSTATUS?": lambda line: "+QLWSTATUS: " + (states.pop(0) if len(states) > 1 else states[0])})
    one.clock.after(8000, lambda: one.talker.say("+QLWREG: 0"))
    one.modem.configure(server())
    order = [line.partition("=")[0] for line in one.commands if "QLWDEREG" in line or "QLWCONFIG=" in line]
    assert order == ["AT+QLWDEREG", "AT+QLWCONFIG"]
    assert one.clock.now >= 5000


def test_a_registration_that_never_ends_is_stopped_by_the_radio():
    """3.4 case 3: CFUN=0, configure, CFUN=1."""
    one = bench({"AT+QLWSTATUS?": "+QLWSTATUS: 1"}, settle_ms=20000)
    one.modem.configure(server())
    assert one.commands[-3:] == ["AT+CFUN=0", 'AT+QLWCONFIG=0,192.0.2.7,5683,"node-1",86400,3', "AT+CFUN=1"]


def test_an_account_refused_as_already_registered_is_written_after_leaving():
    answers = ["+CMEE ERROR: 33", "OK"]
    one = bench({"AT+QLWCONFIG=": lambda line: answers.pop(0)})
    one.modem.configure(server())
    assert [line.partition("=")[0] for line in one.commands[-3:]] == ["AT+QLWCONFIG", "AT+QLWDEREG", "AT+QLWCONFIG"]


def test_declaring_deletes_what_differs_and_adds_all_its_instances():
    """4.2.7: there is no deletion of one instance. NVRAM: what is right is left alone."""
    one = bench({"AT+QLWADDOBJ?": [
        "+QLWADDOBJ: 3303,0,1,5700", "+QLWADDOBJ: 3303,1,1,5601", "+QLWADDOBJ: 3306,0,1,5850", "+QLWADDOBJ: 9,0,1,1",
        "OK"]})
    one.modem.declare([(3303, 0, (5700,)), (3303, 1, (5700,)), (3306, 0, (5850,))])
    assert one.commands == [
        "AT+QLWADDOBJ?", "AT+QLWDELOBJ=9", "AT+QLWDELOBJ=3303", "AT+QLWADDOBJ=3303,0,1,5700", "AT+QLWADDOBJ=3303,1,1,5700"]


def test_an_object_that_the_module_does_not_take_is_told_by_name():
    one = bench({"AT+QLWADDOBJ=": ["OK", "+QLWADDOBJ: 1"]})
    error = raised(CommandError, one.modem.declare, [(3303, 0, (5700,))])
    assert "3303/0" in error.text
    assert "error 1" in error.text


def test_forget_leaves_the_server_and_deletes_the_objects():
    one = bench({"AT+QLWADDOBJ?": ["+QLWADDOBJ: 3303,0,1,5700", "+QLWADDOBJ: 9,0,1,1", "OK"]})
    one.modem.forget()
    assert one.commands == ["AT+QLWDEREG", "AT+QLWADDOBJ?", "AT+QLWDELOBJ=9", "AT+QLWDELOBJ=3303"]


# ---- registration, recovery


def test_each_state_of_4_2_14_has_its_constant():
    from lwnode.modem import DEREGISTERED, DEREGISTERING, RECOVERING
    wanted = (NOT_REGISTERED, REGISTERING, REGISTERED, DEREGISTERING, DEREGISTERED, UNKNOWN, RECOVERING, NEED_RECOVER)
    for number, state in enumerate(wanted):
        assert bench({"AT+QLWSTATUS?": "+QLWSTATUS: %d" % number}).modem.status() == state
    for text in ("+QLWSTATUS: 8", "+QLWSTATUS: x", "OK"):
        assert bench({"AT+QLWSTATUS?": text}).modem.status() == UNKNOWN


def test_keep_connecting_waits_for_the_modules_own_outcome():
    one = bench({"AT+QLWREG": ["+CMEE ERROR: 32"]})
    one.clock.after(7000, lambda: one.talker.say("+QLWREG: 0"))
    one.talker.answers["AT+QLWSTATUS?"] = lambda line: "+QLWSTATUS: %d" % (one.clock.now > 1000)
    assert one.modem.register(60000)


def test_a_failed_registration_has_a_reason():
    one = bench({"AT+QLWREG": ["OK", (900, "+QLWREG: 13")]})
    assert not one.modem.register(5000)
    assert one.modem.refusal == "registration: status 13"


def test_a_lost_result_of_the_registration_is_asked_for():
    states = ["0", "2"]
    one = bench({"AT+QLWREG": "OK", "AT+QLWSTATUS?": lambda line: "+QLWSTATUS: " + states.pop(0)})
    assert one.modem.register(5000)
    assert one.commands == ["AT+QLWSTATUS?", "AT+QLWREG", "AT+QLWSTATUS?"]


def test_a_registration_follows_the_deregistration_after_a_second():
    """field_quirks 5: 1 s between the result of DEREG and the next REG."""
    one = bench()
    one.modem.deregister()
    began = one.clock.now
    one.modem.register(30000)
    assert one.clock.now - began >= 1000 + 900


def test_recovered_3_is_followed_by_a_registration_of_the_modules_own():
    one = bench({"AT+QLWSTATUS?": "+QLWSTATUS: 7", "AT+QLWRECOVER": [
        "OK", (800, '+QLWURC: "recovered",3'), (4000, "+QLWREG: 0")]})
    one.modem.status()
    one.talker.answers["AT+QLWSTATUS?"] = "+QLWSTATUS: 1"
    assert one.modem.recover(30000)
    assert one.talker.said("AT+QLWREG") == []


def test_a_recovery_that_fails_says_so():
    one = bench({"AT+QLWRECOVER": ["OK", (800, '+QLWURC: "recovered",1')]})
    assert not one.modem.recover(5000)
    assert one.modem._status == NEED_RECOVER


def test_automatic_recovery_is_waited_for():
    """Recovery mode 0: status 6 after a wake, "recovered" comes by itself."""
    one = bench({"AT+QLWSTATUS?": "+QLWSTATUS: 6"}, recovery_mode=0)
    one.clock.after(2500, lambda: one.talker.say('+QLWURC: "recovered",0'))
    assert bring_back(one.modem, 60000)
    assert one.talker.said("AT+QLWREC") == []


def test_bootstrap_needs_an_account_of_that_kind():
    refused(lambda: bench().modem.bootstrap(), "Server(bootstrap=True)")


# ---- answers


def test_a_read_of_an_instance_sends_its_values_under_falling_index():
    one = bench()
    one.response = Response(205, [
        (Path(3303, 0, 5700), FLOAT, "21.5"), (Path(3303, 0, 5701), STRING, "Cel"), (Path(3303, 0, 5518), TIME, "1767225600")])
    one.say('+QLWURC: "read",5,3303,0,-1')
    assert one.requests[0].path == Path(3303, 0)
    assert one.commands == [
        "AT+QLWRDRSP=5,1,3303,0,5700,4,4,21.5,2", 'AT+QLWRDRSP=5,1,3303,0,5701,1,3,"Cel",1',
        "AT+QLWRDRSP=5,1,3303,0,5518,3,10,1767225600,0"]


def test_a_read_of_an_object_has_all_its_instances():
    """4.3.4 says instance -1, 5.8 says instance or resource level only: both are answered."""
    one = bench()
    one.response = Response(205, [(Path(3303, 0, 5700), FLOAT, "1.5"), (Path(3303, 1, 5700), FLOAT, "2.5")])
    one.say('+QLWURC: "read",5,3303,-1,-1')
    assert one.requests[0].path == Path(3303)
    assert one.commands == ["AT+QLWRDRSP=5,1,3303,0,5700,4,3,1.5,1", "AT+QLWRDRSP=5,1,3303,1,5700,4,3,2.5,0"]


def test_only_index_0_has_a_result_line():
    """Seen in the field; nothing is waited for after the others."""
    one = bench({"AT+QLWRDRSP=": lambda line: ["OK", "+QLWRDRSP: 0"] if line.endswith(",0") else "OK"})
    one.response = Response(205, [(Path(3303, 0, 5700), FLOAT, "1.5"), (Path(3303, 0, 5601), FLOAT, "1.0")])
    began = one.clock.now
    one.say('+QLWURC: "read",5,3303,0,-1', serve_ms=50)
    assert one.clock.now - began < 500


def test_refusals_carry_the_codes_of_4_2_8():
    for code, result in ((400, 11), (401, 12), (404, 13), (405, 14), (406, 15), (500, 11)):
        one = bench()
        one.response = Response(code)
        one.say('+QLWURC: "read",5,3303,0,5700')
        assert one.commands == ['AT+QLWRDRSP=5,%d,3303,0,5700,1,0,"",0' % result]
        one.say('+QLWURC: "write",6,3303,0,5700,2,1,"31",0', '+QLWURC: "execute",7,3303,0,5700')
        result = 11 if result == 15 else result  # 4.2.9 and 4.2.10 have no 15
        assert one.commands[1:] == ["AT+QLWWRRSP=6,%d" % result, "AT+QLWEXERSP=7,%d" % result]


def test_a_refusal_is_repeated_with_the_code_alone_where_the_module_wants_it_so():
    """4.2.8 does not say which of the value's fields stay when there is none."""
    one = bench({"AT+QLWRDRSP=": lambda line: ["OK", "+QLWRDRSP: 0"] if line.count(",") == 1 else "+CMEE ERROR: 2"})
    one.response = Response(404)
    one.say('+QLWURC: "read",5,3303,-1,-1')
    assert one.commands == ['AT+QLWRDRSP=5,13,3303,-1,-1,1,0,"",0', "AT+QLWRDRSP=5,13"]


def test_a_handler_that_fails_costs_a_refusal_and_no_wake():
    one = bench()

    def broken(request):
        raise KeyError("sensor")

    one.response = broken
    one.say('+QLWURC: "execute",7,3303,0,5605')
    assert one.commands == ["AT+QLWEXERSP=7,11"]
    assert one.modem.stats["handler_errors"] == 1


def test_a_repeated_write_or_execute_is_answered_again_and_not_done_again():
    """CoAP repeats what it thinks lost (seen: duplicate message ids). The node's tree remembers what it has answered."""
    from lwnode.lwm2m import ObjectTree

    one = bench()
    tree = ObjectTree()
    applied = []
    tree.sensor(3303, lambda: 21.5, resolution=0.1)
    tree.actuator(3306, applied.append, initial=False)
    one.modem.on_request = tree.handle
    for line in ('+QLWURC: "write",6,3306,0,5850,2,1,"31",0', '+QLWURC: "execute",7,3303,0,5605'):
        one.say(line, line)
    assert applied == [True]
    assert one.commands == ["AT+QLWWRRSP=6,2", "AT+QLWWRRSP=6,2", "AT+QLWEXERSP=7,2", "AT+QLWEXERSP=7,2"]
    one.say('+QLWURC: "write",8,3306,0,5850,2,1,"30",0')
    assert applied == [True, False]


def test_a_written_value_is_hexadecimal_of_any_type_or_text_as_long_as_it_says():
    one = bench()
    for kind, length, text, value in ((2, 1, "31", b"1"), (3, 2, "25", b"25"), (4, 4, "41AC0000", b"\x41\xac\x00\x00"),
                                      (1, 3, "4f6e21", b"On!"), (1, 2, "zz", b"zz"), (2, 0, "", b"")):
        one.say('+QLWURC: "write",6,3306,0,5850,%d,%d,"%s",0' % (kind, length, text))
        assert one.requests[-1].value == value
        assert one.requests[-1].type == kind


def test_a_write_in_parts_is_answered_once_with_the_worst_code():
    """4.3.3: only index 0 is supported today."""
    one = bench()
    one.response = lambda request: Response(400 if request.index else 204)
    one.say('+QLWURC: "write",6,3306,0,5850,2,1,"31",1', '+QLWURC: "write",6,3306,0,5851,2,1,"31",0')
    assert one.commands == ["AT+QLWWRRSP=6,11"]


def test_with_auto_ack_the_module_answers_the_observe():
    one = bench(auto_ack=True)
    one.response = Response(205, [READING[:3]])
    one.say('+QLWURC: "observe",7,0,3303,0,5700')
    assert one.commands == []
    assert one.told("observed") == [TEMPERATURE]


def test_an_observe_that_is_refused_is_not_kept():
    one = bench()
    one.response = Response(404)
    one.say('+QLWURC: "observe",7,0,3399,0,5700')
    assert one.modem.observed == []
    assert one.told("observed") == []


# ---- reports


def test_texts_that_cannot_be_quoted_travel_as_bytes():
    """The manual's string has no escape; in TLV the server sees the same bytes."""
    one = bench()
    one.modem.publish([(Path(3303, 0, 5750), STRING, 'a"b', None)])
    assert one.commands[-1] == 'AT+QLWNOTIFY=3303,0,5750,2,3,"612262",0,1'
    one.modem.publish([(Path(3303, 0, 5750), STRING, "\u00e4\n", None)])
    assert one.commands[-1] == 'AT+QLWNOTIFY=3303,0,5750,2,3,"C3A40A",0,1'
    one.modem.publish([(Path(3, 0, 22), OBJLNK, "3303:1", None)])
    assert one.commands[-1] == 'AT+QLWNOTIFY=3,0,22,2,4,"0CE70001",0,1'
    one.modem.publish([(Path(3303, 0, 5750), STRING, b"plain, with comma", None)], confirm=False)
    assert one.commands[-1] == 'AT+QLWNOTIFY=3303,0,5750,1,17,"plain, with comma",0,0'
    one.modem.publish([(Path(3303, 0, 1), INTEGER, "-40", None)])
    assert one.commands[-1] == "AT+QLWNOTIFY=3303,0,1,3,3,-40,0,1"


def test_resources_of_an_observed_instance_go_as_one_notification():
    one = bench()
    one.modem.observed = [Path(3303, 0), Path(3304, 0, 5700)]
    ticket = one.modem.publish([
        (Path(3303, 0, 5700), FLOAT, "1.5", None), (Path(3304, 0, 5700), FLOAT, "50.0", None),
        (Path(3303, 0, 5601), FLOAT, "1.0", None)])
    assert one.commands == [
        "AT+QLWNOTIFY=3303,0,5700,4,3,1.5,1,1", "AT+QLWNOTIFY=3303,0,5601,4,3,1.0,0,1",
        "AT+QLWNOTIFY=3304,0,5700,4,4,50.0,0,1"]
    assert len(one.modem.reports.in_flight) == 2
    one.say('+QLWURC: "report_ack",0,34180')
    assert one.told("delivered") in ([ticket], [])


def test_unconfirmed_reports_are_delivered_when_the_module_takes_them():
    one = bench({"AT+QLWNOTIFY=": ["OK", "+QLWNOTIFY: 0"]})
    ticket = one.modem.publish([READING], confirm=False)
    assert one.modem.settle(100)
    assert one.told("delivered") == [ticket]


def test_release_assistance_is_2_with_and_1_without_an_answer():
    """4.2.12."""
    one = bench()
    for confirm, last in ((True, False), (True, True), (False, True)):
        one.modem.reports.expire("over")
        one.modem.release_next = last
        one.modem.publish([READING], confirm)
    begin = "AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,"
    assert one.commands == [begin + "1", begin + "1,2", begin + "0,1"]
    one = bench({begin + "1,2": ["+CMEE ERROR: 3"]})
    for _ in range(2):
        one.modem.release_next = True
        one.modem.publish([READING])
        one.modem.reports.expire("over")
    assert one.commands == [begin + "1,2", begin + "1", begin + "1"], "a firmware that does not know it is asked once"


def test_a_refused_report_fails_with_its_name():
    """field_quirks 2.4: err 1 or 4 after the radio link was released."""
    for answer, reason in ((["+CMEE ERROR: 4"], "error 4"), (["OK", "+QLWNOTIFY: 1"], "error 1"),
                           (["ERROR"], "error -1")):
        one = bench({"AT+QLWNOTIFY=": answer})
        ticket = one.modem.publish([READING])
        one.modem.service(10)
        assert one.told("failed") == [(ticket, reason)]


def test_the_acknowledgement_may_come_before_the_result():
    one = bench({"AT+QLWNOTIFY=": [
        "OK", '+QLWURC: "report",9', '+QLWURC: "report_ack",0,9', "+QLWNOTIFY: 0"]})
    ticket = one.modem.publish([READING])
    assert one.modem.settle(1000)
    assert one.told("delivered") == [ticket]


def test_a_lost_report_line_costs_nothing():
    one = bench({"AT+QLWNOTIFY=": ["OK", "+QLWNOTIFY: 0", (500, '+QLWURC: "report_ack",0,77')]})
    ticket = one.modem.publish([READING])
    assert one.modem.settle(5000)
    assert one.told("delivered") == [ticket]


def test_a_late_acknowledgement_belongs_to_nobody():
    one = bench({"AT+QLWNOTIFY=": ["OK", '+QLWURC: "report",9', "+QLWNOTIFY: 0"]}, retransmit_mode=1)
    first = one.modem.publish([READING])
    one.modem.settle(20000)
    one.talker.answers["AT+QLWNOTIFY="] = ["OK", "+QLWNOTIFY: 0"]
    one.modem.publish([READING])
    one.say('+QLWURC: "report_ack",0,9')
    assert one.told("failed") == [(first, "no acknowledgement in time")]
    assert one.told("delivered") == []


def test_no_more_than_four_messages_are_in_flight():
    one = bench({"AT+QLWNOTIFY=": ["OK", "+QLWNOTIFY: 0"]})
    for _ in range(4):
        one.modem.publish([READING])
    one.clock.after(3000, lambda: one.talker.say('+QLWURC: "report_ack",0,1'))
    began = one.clock.now
    one.modem.publish([READING])
    assert one.clock.now - began >= 2900
    assert len(one.modem.reports.in_flight) == 4


def test_a_silent_module_fails_the_report_and_the_rest_is_not_tried():
    one = bench({"AT+QLWNOTIFY=": None}, command_ms=500)
    ticket = one.modem.publish([READING, READING])
    one.modem.service(10)
    assert len(one.talker.said("AT+QLWNOTIFY")) == 1
    assert one.told("failed") == [(ticket, "no answer from the module")]


# ---- life


def test_old_shapes_of_urcs_have_the_same_effect():
    """field_quirks 3: one string, unquoted, numbered, without blank."""
    one = bench()
    one.response = Response(205, [READING[:3]])
    one.say('+QLWURC: "lifetime changed,30"', "+QLWURC: binding_changed,UQ", "+QLWURC: reg,0", "+QLWURC:reg,0",
            "+QLWURC: 0,7,0,3303,0,5700", "+QLWURC: 1,8,3303,0,5700", '+QLWURC: 2,9,3303,0,5700,2,1,"31",0')
    assert ("lifetime", 30) in one.events
    assert ("binding", "UQ") in one.events
    assert one.told("registered") == ["server", "server"]
    assert [request.operation for request in one.requests] == ["observe", "read", "write"]


def test_a_blank_before_the_colon_is_read():
    """Before R01A07: +QLWADDOBJ :0."""
    one = bench({"AT+QLWADDOBJ=": ["OK", "+QLWADDOBJ :0"], "AT+QLWDELOBJ=": ["OK", "+QLWDELOBJ :0"]})
    one.modem.declare([(3303, 0, (5700,))])
    assert one.modem.undeclare(3303)


def test_a_firmware_before_a07_is_a_pipe():
    one = bench({"AT+CGMR": "Revision: BC66NBR01A06", "AT+QLWDATASEND=": ["OK", (900, "SEND OK")],
                 "AT+QLWREG": ["OK", (900, "+QLWURC: reg,0")], "AT+QLWSTATUS?": "ERROR"})
    assert one.modem.start()
    assert one.modem.capabilities.contract == "pipe"
    assert one.modem.register(30000)
    one.modem.declare([(3303, 0, (5700,))])
    assert one.talker.said("AT+QLWADDOBJ=") == ["AT+QLWADDOBJ=19,0,1,0", "AT+QLWADDOBJ=19,1,1,0"]
    ticket = one.modem.publish([(Path(19, 0, 0), OPAQUE, b"\x01\x02", None)])
    assert one.commands[-1] == "AT+QLWDATASEND=19,0,0,2,0102,0x0100"
    assert one.modem.settle(5000)
    assert one.told("delivered") == [ticket]
    one.say("+QLWOBSERVE: 0,19,0,0", "+QLWDATARECV: 19,1,0,2,AA00", "+QLWDATARECV: AA01")
    assert one.told("observed") == [Path(19, 0, 0)]
    assert [request.value for request in one.requests] == [b"\xaa\x00", b"\xaa\x01"]
    one.say("+QLWDATARECV: moon,1", "+QLWOBSERVE: x")
    assert one.modem.stats["malformed_urcs"] >= 1


def test_a_firmware_before_a10_declares_after_registering():
    one = bench({"AT+CGMR": "Revision: BC66NBR01A08", "AT+QLWSTATUS?": "+QLWSTATUS: 0"})
    assert one.modem.start()
    assert not one.modem.declare([(3303, 0, (5700,))])
    assert one.talker.said("AT+QLWADDOBJ") == []
    assert one.modem.register(30000)
    assert one.talker.said("AT+QLWADDOBJ=") == ["AT+QLWADDOBJ=3303,0,1,5700"]


def test_a_firmware_before_a10_declares_although_its_registrations_word_was_lost():
    """It registers by itself, and that it has is told by QLWSTATUS alone."""
    states = [1, 1, 2]
    one = bench({"AT+CGMR": "Revision: BC66NBR01A08",
                 "AT+QLWSTATUS?": lambda _: "+QLWSTATUS: %d" % (states.pop(0) if len(states) > 1 else 2)})
    assert one.modem.start() and not one.modem.declare([(3303, 0, (5700,))])
    assert one.modem.register(30000) and not one.told("registered")
    assert one.talker.said("AT+QLWADDOBJ=") == ["AT+QLWADDOBJ=3303,0,1,5700"]


def test_a_snapshot_holds_what_a_warm_wake_must_know_and_no_secret():
    one = bench()
    account = server(port=5684, security="psk", psk_identity="me", psk=KEY)
    one.modem.start()
    one.modem.configure(account)
    one.modem.declare([(3303, 0, (5700,))])
    one.modem.observed = [Path(3303, 0, 5700), Path(3304, 0), Path(3306)]
    kept = one.modem.snapshot()
    assert KEY.encode() not in kept
    assert len(kept) == 22 + len("BC66NBR01A10") + 18
    two = bench()
    assert two.modem.restore(kept)
    two.modem.configure(account)
    two.modem.declare([(3303, 0, (5700,))])
    assert two.commands == []
    assert two.modem.observed == one.modem.observed
    assert two.modem.revision == "BC66NBR01A10"


def test_no_damaged_snapshot_is_taken_up():
    one = bench()
    one.modem.start()
    one.modem.observed = [Path(3303, 0, 5700)]
    kept = one.modem.snapshot()
    for data in [None, b"", b"\x00" * len(kept)] + [kept[:size] for size in range(len(kept))] + [kept + b"\x00"]:
        assert not bench().modem.restore(data)


def test_a_silent_module_is_restarted_then_power_cycled_and_each_step_is_counted():
    pins = Pins("power_key", "reset", "wake")
    one = bench(pins=pins, command_ms=500, recovery_mode=0)
    one.talker.silent = True

    def pulse(name):
        one.talker.silent = name != "reset"

    pins.on_pulse = pulse
    one.modem.server = server()
    assert bring_back(one.modem, 600000)
    stats = one.modem.stats
    assert [stats["tried_" + step] for step in ("ask", "register", "restart", "power_cycle")] == [2, 1, 1, 1]
    assert [name for name, _ in pins.pulses] == ["power_key", "reset"]
    assert one.told("restarted") == ["power"]


def test_a_server_that_does_not_answer_restarts_the_module_at_every_fourth_failure_only():
    one = bench({"AT+QLWREG": ["OK", (900, "+QLWREG: 1")]}, pins=Pins("power_key", "reset"))
    for attempt in range(8):
        assert not bring_back(one.modem, 120000)
        assert len(one.talker.said("AT+QRST")) == (attempt + 1) // 4
    assert one.modem.failures == 8


def test_without_a_power_key_the_module_is_not_switched_off():
    one = bench()
    assert not power_cycle(one.modem)
    assert one.talker.said("AT+QPOWD") == []


def test_power_off_is_told():
    one = bench()
    assert one.modem.power_off()
    assert one.commands == ["AT+QPOWD=0"]


def test_the_end_of_the_budget_passes_through_everything():
    one = bench({"AT+QLWREG": "OK"})

    def over():
        if one.clock.now > 5000:
            raise BudgetExceeded("awake for 5 s")

    one.at.idle = over
    for call in (lambda: bring_back(one.modem, 600000), lambda: one.modem.start(), lambda: one.modem.service(60000)):
        raised(BudgetExceeded, call)


def test_a_pin_is_tried_once_and_its_refusal_is_remembered():
    store = Store()
    tries = []

    def enter(line):
        tries.append(line)
        return "+CME ERROR: 16"

    answers = {"AT+CPIN?": "+CPIN: SIM PIN", "AT+CPIN=": enter, "AT+CEREG?": "+CEREG: 0,0"}
    first = bench(answers, pin="0000", store=store)
    assert not first.modem.attach(60000)
    assert "refused" in first.modem.refusal
    assert "0000" not in first.modem.refusal
    again = bench(answers, pin="0000", store=store)
    assert not again.modem.attach(60000)
    assert tries == ['AT+CPIN="0000"']
    changed = bench(answers, pin="1111", store=store)
    assert not changed.modem.attach(60000)
    assert len(tries) == 2


def test_the_model_and_the_driver_agree_on_a06():
    field = Field("bc66", playing={"revision": "BC66NBR01A06"})
    field.online([(3303, 0, (5700,))])
    assert field.modem.capabilities.contract == "pipe"
    field.server.observe("node-1", "/19/0/0")
    field.modem.service(3000)
    ticket = field.modem.publish([(TEMPERATURE, FLOAT, "21.5", 1767225600)])
    assert field.modem.settle(field.modem.deadline_ms)
    assert field.told("delivered") == [ticket]
    assert [entry.value for entry in field.server.deliveries][-1] == 21.5
    field.server.write("node-1", "/19/1/0", b"\xaa\x00")
    field.modem.service(3000)
    assert field.requests[-1].value == b"\xaa\x00"


def test_the_model_and_the_driver_agree_on_a07():
    field = Field("bc66", playing={"revision": "BC66NBR01A07"})
    field.response = lambda request: Response(205, [READING[:3]])
    field.online([(3303, 0, (5700,))])
    field.modem.service(2000)
    field.server.observe("node-1", "/3303/0/5700")
    field.modem.service(2000)
    ticket = field.modem.publish([READING])
    assert field.modem.settle(field.modem.deadline_ms)
    assert field.told("delivered") == [ticket]
