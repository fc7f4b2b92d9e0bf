"""BG96: the example of 6.2, the effect of each URC, its configuration and its rules (LwM2M User Guide V1.1)."""

from fakes.refusal import raised
from fakes.modem_bench import Bench, Pins

from lwnode.lwm2m import FLOAT, OPAQUE, STRING, Path, unpack_senml
from lwnode.modem import DEREGISTERED, NOT_REGISTERED, REGISTERED, REGISTERING, UNKNOWN, Server, Unsupported
from lwnode.modem.bg96 import Driver
from lwnode.modem.recovery import bring_back

LESHAN = Server("192.0.2.7", 5683, "urn:imei:864508030012428", 900)
LGU = Server("xxx.103.233.xxx", 5783, "QUEC", 86400)
MBSPS = ("QUEC", "992185", "01212345678", "904978", "LWTHM")
UP = Path(19, 0, 0)
READY = '+QLWEVENT: 5,"STATE_READY"'


def answers(**more):
    table = {
        "AT+QLWM2M=?": ['+QLWM2M: "select",(0-5)', '+QLWM2M: "reset"', '+QLWM2M: "clean"', "OK"],
        'AT+QLWM2M="register"': ["OK", (500, '+QLWEVENT: 3,"STATE_REGISTER_REQUIRED"'),
                                 (700, '+QLWEVENT: 4,"STATE_REGISTERING"'), (1500, READY),
                                 (2500, '+QLWOBSERVE: "A88044B83F554A5D","/19/0/0"')],
        'AT+QLWM2M="update",101': "ERROR", "AT+CGMR": "BG96MAR04A02M1G",
    }
    table.update(more)
    return table


def registered(**options):
    bench = Bench("bg96", answers(), **options)
    assert bench.modem.register(60000)
    assert bench.told("observed") == [UP]  # what is sent before the first observe has nowhere to go
    bench.talker.commands.clear()
    bench.events.clear()
    return bench


def test_example_of_6_2_configures_registers_and_passes_data():
    """The states come once as STATE INITIAL and once as STATE_INITIAL: the number counts."""
    bench = Bench("bg96", answers(**{'AT+QLWM2M="register"': [
        "OK", '+QLWEVENT: 0,"STATE_INITIAL"', '+QLWEVENT: 1,"STATE_BOOTSTRAP_REQUIRED"',
        '+QLWEVENT: 2,"STATE_BOOTSTRAPPING"', '+QLWEVENT: 0,"STATE INITIAL"', '+QLWEVENT: 3,"STATE REGISTER REQUIRED"',
        '+QLWEVENT: 4,"STATE_REGISTERING"', '+QLWEVENT: 5,"STATE_READY"',
        '+QLWOBSERVE: "A88044B83F554A5D","/10250/0/0"', '+QLWOBSERVE: "3A6695CDCC9EDC3C","/26241/0/0"']}),
        server_type=2, mbsps=MBSPS, auto_name=True, data_object=10250)
    assert bench.modem.configure(LGU)
    assert bench.commands[0] == "AT+CPSMS?"
    assert bench.commands[2:6] == [
        'AT+QLWM2M="select",2', 'AT+QLWM2M="cdp","xxx.103.233.xxx",5783', 'AT+QLWM2M="epns",0,"QUEC"',
        'AT+QLWM2M="mbsps","QUEC","992185","01212345678","904978","LWTHM"']
    assert bench.modem.register(60000)
    assert bench.commands[-1] == 'AT+QLWM2M="register"'
    assert bench.told("bootstrapped") == [None]
    bench.modem.service(10)
    assert bench.told("observed") == [Path(10250, 0, 0), Path(26241, 0, 0)]
    bench.modem.publish([(Path(10250, 0, 0), STRING, "hello", None)])
    assert bench.commands[-1] == 'AT+QLWM2M="uldata",10250,5,"hello"'
    bench.modem.publish([(UP, OPAQUE, b"01234", None)])
    assert bench.commands[-1] == 'AT+QLWM2M="ulhex",10250,5,"3031323334"'
    bench.say('+QLWDLDATA: "10250/0/1",2,"3031"')
    assert (bench.requests[0].path, bench.requests[0].value) == (Path(10250, 0, 1), b"01")


# ---- the URC table


def test_each_row_of_the_table_has_a_test():
    rows = [name.lstrip("+").lower().replace(" ", "_") for name in Driver.URCS]
    assert sorted(rows) == sorted([name[9:] for name in globals() if name.startswith("test_row_")])


def test_row_qlwevent():
    bench = registered()
    bench.say('+QLWEVENT: 4,"STATE_REGISTERING"')
    assert bench.told("lost") == ["state 4"]
    assert bench.modem.status() == REGISTERING
    bench.say('+QLWEVENT: 5,"STATE READY"')
    assert bench.told("registered") == ["server"]
    assert bench.modem.status() == REGISTERED
    assert bench.commands == []


def test_row_qlwobserve():
    bench = registered()
    bench.say('+QLWOBSERVE: "3A6695CDCC9EDC3C","/26241/0/0",0', '+QLWOBSERVE: "3A6695CDCC9EDC3C","26241/0/0",1')
    assert bench.told("observed") == [Path(26241, 0, 0)]
    assert bench.told("cancelled") == [Path(26241, 0, 0)]


def test_row_qlwdldata():
    """Three or four fields, with and without slash, text or hexadecimal (the vendor's parser wants four)."""
    bench = registered()
    bench.say('+QLWDLDATA: "/19/1/0",5,2,"AA00"', '+QLWDLDATA: "/19/1/0",4,2,"3031"', '+QLWDLDATA: "19/1/0",4,5,"a,b,c"')
    assert [(request.path, request.type, request.value) for request in bench.requests] == [
        (Path(19, 1, 0), OPAQUE, b"\xaa\x00"), (Path(19, 1, 0), STRING, b"01"), (Path(19, 1, 0), STRING, b"a,b,c")]
    # Text with whatever in it: so many bytes as are announced.
    for value in ("ab\r\nOK\r\ncd", "OK", '"', 'a",4,"', "\r\n+QLWEVENT: 0\r\n", "\xe9t\xe9"):
        del bench.requests[:]
        bench.say('+QLWDLDATA: "/10250/0/1",4,%d,"%s"' % (len(value.encode()), value), serve_ms=500)
        assert [request.value for request in bench.requests] == [value.encode()], value
    assert bench.modem.status() == REGISTERED
    bench.say('+QLWDLDATA: "moon",5,2,"AA00"', '+QLWDLDATA: "/19/1/0"')
    assert bench.modem.stats["malformed_urcs"] == 2


def test_row_qind():
    bench = registered()
    bench.say('+QIND: "FOTA","HTTPSTART"', "+QIND: SMS DONE")
    assert bench.events == [("firmware", "download")]


def test_row_qpsmtimer():
    bench = registered()
    bench.say("+QPSMTIMER: 1320,30")
    assert bench.modem._status == UNKNOWN


def test_row_psm_power_down():
    bench = registered()
    bench.talker.answers["AT+QCFG="] = ["OK", (3000, "PSM POWER DOWN")]
    assert bench.modem.sleep()
    assert bench.commands == ['AT+QCFG="psm/enter",1']


def test_row_powered_down():
    bench = registered()
    bench.say("POWERED DOWN")
    assert bench.told("lost") == ["module powered down"]


def test_row_normal_power_down():
    bench = registered()
    bench.say("NORMAL POWER DOWN")
    assert bench.modem._status == UNKNOWN


# ---- configuration


def test_leshan_is_configured_by_sub_commands_and_needs_a_restart():
    bench = Bench("bg96", answers(**{"AT+CGSN": "864508030012428"}), apn="iot.example")
    assert bench.modem.configure(LESHAN)
    assert bench.commands == [
        "AT+CPSMS?", 'AT+CPSMS=1,,,"00111000","00000101"',
        'AT+QLWM2M="clean"', 'AT+QLWM2M="select",0', 'AT+QLWM2M="bootstrap",1,"coap://192.0.2.7:5683"',
        'AT+QLWM2M="bootstrap",2,900', 'AT+QLWM2M="bootstrap",3,0', 'AT+QLWM2M="bootstrap",4,3',
        'AT+QLWM2M="apn","iot.example"', 'AT+QLWM2M="endpoint",4,4', "AT+CGSN", 'AT+QLWM2M="dltype",1',
        'AT+QLWM2M="enable",1', 'AT+QLWM2M="reset"']
    assert bench.modem.configure(LESHAN)  # until the restart has come
    assert bench.modem.restart()
    bench.talker.commands.clear()
    assert not bench.modem.configure(LESHAN)
    assert not bench.modem.declare([(3303, 0, (5700,))])
    assert bench.commands == []


def test_psk_and_bootstrap_are_configured_and_the_key_is_left_to_the_file():
    bench = Bench("bg96", answers(), key_file=True)
    assert bench.modem.configure(Server(
        "leshan.eclipse.org", 5684, "node-1", 900, security="psk", psk_identity="me", psk="00ff00ff", bootstrap=True))
    for line in ('AT+QLWM2M="bootstrap",1,"coaps://leshan.eclipse.org:5684"', 'AT+QLWM2M="bootstrap",3,1',
                 'AT+QLWM2M="bootstrap",4,0', 'AT+QLWM2M="bsmode",1', 'AT+QLWM2M="epns",1,"node-1"'):
        assert line in bench.commands
    assert "00ff00ff" not in "".join(bench.commands)


def _secured(**options):
    return Bench("bg96", answers(**{
        'AT+QLWM2M="register"': "OK", 'AT+QLWM2M="psk",1': '+QLWM2M: "psk","00FF00FF"', "AT+QLWM2M=\"update\"": "ERROR"}),
        **options)


def test_a_key_that_no_command_can_write_is_refused_by_name_unless_its_file_is_there():
    """3.3.4, 4.1: psk,0 makes a key of the module's own, and nothing takes ours."""
    account = dict(security="psk", psk_identity="me", psk="00ff00ff")
    bench = _secured()
    for step in (bench.modem.check, bench.modem.configure):
        error = raised(Unsupported, step, Server("h", 5684, "node-1", **account))
        assert "security" in str(error) and "ssl/101_server.psk" in str(error) and "key_file" in str(error)
        assert "tools.bg96_files" in str(error) and "00ff" not in str(error)
    assert bench.commands == []
    taken = _secured(key_file=True)
    taken.modem.check(Server("h", 5684, "node-1", **account))


def test_a_registration_that_fails_for_another_key_in_the_module_says_so():
    for key, told in (("00ff00ff", False), ("11ff00ff", True)):
        bench = _secured(key_file=True)
        bench.modem.configure(Server("h", 5684, "node-1", security="psk", psk_identity="me", psk=key))
        assert not bench.modem.register(3000)
        assert ("secrets.json" in bench.modem.refusal) == told, bench.modem.refusal
        assert key not in bench.modem.refusal


def test_what_lgu_has_built_in_is_refused_by_key():
    options = dict(server_type=2, mbsps=("a", "b", "c", "d", "e"), key_file=True)
    for key, account in (("lifetime", dict(lifetime=900)), ("security", dict(security="psk", psk_identity="me", psk="00ff"))):
        bench = Bench("bg96", answers(), **options)
        error = raised(Unsupported, bench.modem.check, Server("h", 5683, "node-1", **account))
        assert key in str(error) and "LGU+" in str(error)


def test_the_derived_key_is_a_secret_in_an_answer():
    """psk,1 prints the key (4.1)."""
    seen = []
    bench = Bench("bg96", answers(**{'AT+QLWM2M="psk",1': '+QLWM2M: "psk","0123456789abcdef0123456789abcdef"'}))
    bench.at.trace_to(lambda direction, data: seen.append(bytes(data)))
    key = bench.modem.derived_key()
    assert key.text == "0123456789abcdef0123456789abcdef"
    assert "0123" not in repr(key)
    assert bench.commands == ['AT+QLWM2M="psk",1']
    assert b"01234567" not in b"".join(seen)


def test_ranges_are_refused_before_the_wire():
    for options, server, words in (
        ({}, Server("h", 5683, "e", 29), ("lifetime", "30 to 86400", "29")),
        ({}, Server("h", 5683, "e", 86401), ("lifetime", "86401")),
        ({"server_type": 2}, LGU, ("mbsps", "five or six")),
    ):
        bench = Bench("bg96", answers(), **options)
        error = raised(ValueError, bench.modem.configure, server)
        for word in words:
            assert word in str(error), str(error)
        assert bench.commands == []
    for call in (lambda modem: modem.update(lifetime=29),
                 lambda modem: modem.publish([(UP, OPAQUE, b"x" * 1461, None)]),
                 lambda modem: modem.publish([(UP, STRING, "x" * 1461, None)])):
        bench = registered()
        error = raised(ValueError, call, bench.modem)
        assert "30 to 86400" in str(error) or "1460" in str(error)
        assert bench.commands == []


def test_what_bg96_cannot_do_is_told_with_an_alternative():
    for call in (lambda modem: modem.configure(Server("h", 5683, "e", 900, binding="UQ")),
                 lambda modem: modem.update(binding="U")):
        assert len(str(raised(Unsupported, call, Bench("bg96", answers()).modem))) > 20
    assert "lwm2m_cfg" in str(raised(Unsupported, Bench("bg96", answers(), ack_timeout=4).modem.configure, LESHAN))


def test_forget_removes_configuration_and_persistent_files():
    """Chapter 7, question 3: old persistent files keep the old server."""
    bench = Bench("bg96", answers())
    bench.modem.forget()
    assert bench.commands == ['AT+QLWM2M="clean"', 'AT+QLWM2M="reset"']


# ---- registration


def test_the_modules_own_retries_are_left_alone():
    """3.3.3: registration is retried after 60 s, doubled up to 480 s."""
    bench = Bench("bg96", answers(**{'AT+QLWM2M="register"': ["OK", (400, '+QLWEVENT: 4,"STATE_REGISTERING"')]}))
    assert not bench.modem.register(30000)
    assert "last state 4" in bench.modem.refusal
    bench.clock.after(5000, lambda: bench.talker.say(READY))
    assert bench.modem.register(30000)
    assert bench.talker.said('AT+QLWM2M="register"') == ['AT+QLWM2M="register"']


def test_a_refusal_while_roaming_names_the_feature():
    """3.3.3: ROAMING_FEAT 1, the default, forbids LwM2M while roaming."""
    bench = Bench("bg96", answers(**{
        'AT+QLWM2M="register"': "OK", "AT+CPIN?": "+CPIN: READY", "AT+CFUN?": "+CFUN: 1", "AT+CEREG?": "+CEREG: 0,5",
        "AT+CGPADDR=1": '+CGPADDR: 1,"10.0.0.1"'}))
    assert bench.modem.attach(60000)
    assert not bench.modem.register(5000)
    assert "ROAMING_FEAT" in bench.modem.refusal


def test_status_is_the_last_event_or_an_update():
    bench = Bench("bg96", answers())
    assert bench.modem.status() == NOT_REGISTERED
    known = Bench("bg96", answers(**{'AT+QLWM2M="update",101': "OK"}))
    assert known.modem.status() == REGISTERED
    assert known.commands == ['AT+QLWM2M="update",101']


def test_update_lifetime_objects_and_leaving():
    bench = registered()
    bench.talker.answers['AT+QLWM2M="update",101'] = "OK"
    assert bench.modem.update(lifetime=3600)
    assert bench.modem.update(objects=True)
    assert bench.modem.deregister()
    assert bench.commands == [
        'AT+QLWM2M="lifetime",101,3600', 'AT+QLWM2M="update",101', 'AT+QLWM2M="update",101,1', 'AT+QLWM2M="deregister"']
    assert bench.modem.status() == DEREGISTERED


def test_after_a_deregistration_a_registration_is_asked_for():
    """Until STATE_INITIAL it would be refused; that state, after a deregistration, is none that mends itself."""
    bench = registered()
    left = []
    bench.talker.answers['AT+QLWM2M="deregister"'] = ["OK", (900, '+QLWEVENT: 0,"STATE_INITIAL"')]
    bench.talker.answers['AT+QLWM2M="register"'] = lambda line: left.append(bench.clock.now) or ["OK", (900, READY)]
    began = bench.clock.now
    assert bench.modem.deregister()
    assert bench.clock.now >= began + 900
    assert bench.modem.status() == DEREGISTERED
    assert bench.modem.register(10000)
    assert len(left) == 1


def test_a_registration_that_is_refused_stands_already():
    """Its events fell into a deaf moment; an update is taken, so there is a registration."""
    updates = ["ERROR", "OK"]
    bench = Bench("bg96", answers(**{
        'AT+QLWM2M="register"': "ERROR", 'AT+QLWM2M="update",101': lambda line: updates.pop(0)}))
    assert bench.modem.register(10000)
    assert bench.told("updated") == [None]


def test_the_board_sleeps_lightly_until_ready_and_a_line_that_this_tears_is_no_loss():
    """The first bytes of the line that wakes it are gone: an observe says that it registered, or else an update does."""
    states = [(100, '+QLWEVENT: 3,"STATE_REGISTER_REQUIRED"'), (200, '+QLWEVENT: 4,"STATE_REGISTERING"')]
    observe = '+QLWOBSERVE: "A88044B83F554A5D","/19/0/0"'
    for then, updates, registered in (
        ([(1500, READY), (1800, observe)], 0, True),
        ([(1500, READY)], 1, True),
        # refused by the server: what comes of it is heard awake, after the module's own pause
        ([(1500, states[0][1]), (30000, states[1][1]), (31000, READY), (31100, observe)], 1, True),
        ([(1500, states[0][1])], 1, False),
    ):
        asked = ["ERROR"] if len(then) != 1 or then[0][1] != READY else ["OK"]
        bench = Bench("bg96", answers(**{'AT+QLWM2M="register"': ["OK"] + states + then, 'AT+QLWM2M="update",101': asked}))
        bench.modem._status = NOT_REGISTERED
        bench.modem.light_sleep = bench.uart.light_sleep
        assert bench.modem.register(60000) == registered, then
        assert bench.uart.slept_ms >= 1200 and bench.commands.count('AT+QLWM2M="update",101') == updates, (then, bench.commands)
        assert len(bench.told("registered")) == registered and len(bench.told("lost")) == 0
        assert bench.told("observed") == ([UP] if then[-1][1] == observe else [])
        assert bench.at.light_sleep is None


def test_a_torn_ready_is_no_surer_sign_of_the_server_than_a_whole_one():
    """After two wakes without any nobody knows whether the first message arrived; it was lost where an observe came first."""
    begins = (200, '+QLWEVENT: 4,"STATE_REGISTERING"')
    observe = (1800, '+QLWOBSERVE: "A88044B83F554A5D","/19/0/0"')
    for then, quiet, proved in (
        ([(1500, READY), observe], 1, [True]), ([(1500, READY), observe], 2, [False]),
        ([(1500, READY)], 1, [True]), ([(1500, READY)], 2, [False]),
        ([], 1, []),  # no line at all: it may swallow what it is told
    ):
        bench = Bench("bg96", answers(**{'AT+QLWM2M="register"': ["OK", begins] + then, 'AT+QLWM2M="update",101': "OK"}))
        modem = bench.modem
        modem._status, modem._unproved, modem._quiet = NOT_REGISTERED, 2, quiet
        modem.light_sleep = bench.uart.light_sleep
        assert modem.register(60000) == bool(then), then
        assert bench.told("proved") == proved, (then, quiet)


def test_a_registration_mode_may_be_asked_for():
    bench = Bench("bg96", answers(**{'AT+QLWM2M="register",1': ["OK", (900, READY)]}), auto_register=True)
    assert bench.modem.register(10000)
    assert 'AT+QLWM2M="register",1' in bench.commands


def test_bootstrap_sets_the_mode_and_registers():
    bench = registered()
    assert "bootstrap=True" in str(raised(ValueError, bench.modem.bootstrap, 60000))
    bench.modem.server = Server("boot.example.org", 5683, "urn:imei:1", bootstrap=True)
    bench.talker.answers.update({"AT+CFUN=1,1": ["OK", (2000, "RDY"), (2500, "APP RDY")], "AT+CEREG?": "+CEREG: 0,1",
                                 "AT+CGPADDR=1": "+CGPADDR: 1,10.0.0.1"})
    assert bench.modem.bootstrap(60000)
    said = [line for line in bench.commands if "QLWM2M" in line]
    assert said[:3] == ['AT+QLWM2M="deregister"', 'AT+QLWM2M="bsmode",1', 'AT+QLWM2M="reset"'], said
    assert said[-1] == 'AT+QLWM2M="register"'


def test_a_module_that_answers_a_bare_ok_to_everything_is_believed_nothing():
    """Issue 15 G: "select" without its line, "update" and "ulhex" with OK: 576 of 576 readings were lost in three days."""
    bench = Bench("bg96", {}, pins=Pins("power_key"), command_ms=300)
    assert bench.modem.wake() and bench.modem.status() == NOT_REGISTERED
    assert bench.modem.stats["answers_without_a_line"] == 1
    bench.modem._status = REGISTERED  # so it was when it went to sleep
    assert bench.modem.wake() and bench.modem.status() == NOT_REGISTERED, "what was known before does not help"
    assert not bring_back(bench.modem, 60000) and bench.modem._status != REGISTERED
    told = answers(**{'AT+QLWM2M="select"': '+QLWM2M: "select",0', 'AT+QLWM2M="update",101': "OK"})
    bench = Bench("bg96", told, pins=Pins("power_key"))
    assert bench.modem.wake() and bench.modem.status() == REGISTERED
    lines = ["OK", '+QLWM2M: "select",0']
    bench.talker.answers['AT+QLWM2M="select"'] = lambda line: lines.pop(0)
    assert bench.modem.wake() and bench.modem.status() == REGISTERED, "one line was lost"


def test_after_a_hundred_messages_without_a_word_of_the_client_a_registration_is_to_prove_it():
    bench = registered()
    for number in range(96):
        assert bench.modem.status() == REGISTERED, number
        bench.modem.publish([(Path(19, 0, 0), OPAQUE, b"01", None)])
        kept = bench.modem.snapshot()
    again = Bench("bg96", answers(**{'AT+QLWM2M="register"': "OK"}))
    assert again.modem.restore(kept) and again.modem._status == REGISTERED
    assert again.modem.status() != REGISTERED and not again.modem.register(20000)
    assert bench.modem.status() != REGISTERED and bench.modem.register(20000) and bench.modem.status() == REGISTERED
    bench.modem.publish([(Path(19, 0, 0), OPAQUE, b"01", None)])
    bench.say('+QLWOBSERVE: "a","/19/0/0"')
    assert bench.modem.snapshot()[0] == 0


def test_a_registration_that_does_not_come_names_the_apn():
    """Chapter 7, question 1: registered to the network, but no data call."""
    initial = answers(**{'AT+QLWM2M="register"': ["OK", (100, '+QLWEVENT: 0,"STATE_INITIAL"')]})
    bench = Bench("bg96", initial, apn="wrong.example")
    bench.modem._status = NOT_REGISTERED
    assert not bench.modem.register(5000)
    assert "no data call: is APN wrong.example the network's" in bench.modem.refusal
    bench = Bench("bg96", answers(**{'AT+QLWM2M="register"': ["OK", (100, '+QLWEVENT: 4,"STATE_REGISTERING"')]}), apn="iot")
    bench.modem._status = NOT_REGISTERED
    assert not bench.modem.register(5000) and "APN" not in bench.modem.refusal


def test_an_ipv6_address_stands_in_brackets():
    """RFC 3986 3.2.2."""
    for host, uri in (("2001:db8::7", "coap://[2001:db8::7]:5683"), ("[2001:db8::7]", "coap://[2001:db8::7]:5683"),
                      ("192.0.2.7", "coap://192.0.2.7:5683")):
        bench = Bench("bg96", answers())
        bench.modem.configure(Server(host, 5683, "urn:imei:864508030012428", 900))
        assert 'AT+QLWM2M="bootstrap",1,"%s"' % uri in bench.commands
        assert Server(host, 5683, "x").uri() == uri
    assert Server("::1", 5684, "x", security="psk", psk_identity="a", psk="00").uri() == "coaps://[::1]:5684"


def test_after_rdy_commands_are_tried_until_app_rdy():
    """field_quirks 2.7: between RDY and APP RDY every command answers ERROR."""
    bench = Bench("bg96", answers())
    bench.talker.answers['AT+QLWM2M="select"'] = lambda line: "OK" if bench.clock.now > 6000 else "ERROR"
    assert bench.modem.restart()
    assert bench.clock.now > 6000
    assert bench.commands[0] == "AT+CFUN=1,1"
    assert bench.told("restarted") == ["command"]


# ---- reports and sleep


def test_readings_travel_in_packs_and_count_as_delivered_when_taken():
    bench = registered()
    records = [(Path(3303, 0, 5700), FLOAT, "2%d.5" % (index % 10), 1767225600 + index) for index in range(200)]
    ticket = bench.modem.publish(records)
    assert bench.modem.settle(1000)
    assert bench.told("delivered") == [ticket]
    assert bench.modem.capabilities.acknowledges == "module"
    found = []
    for line in bench.talker.said('AT+QLWM2M="ulhex",19'):
        _, _, length, digits = line.split(",")
        digits = digits.strip('"')
        assert int(length) * 2 == len(digits) <= 2920
        found += unpack_senml(bytes.fromhex(digits))
    assert len(found) == 200


def test_a_refused_message_leaves_the_reading_and_the_status_in_doubt():
    bench = registered()
    bench.talker.answers["AT+QLWM2M="] = "ERROR"
    ticket = bench.modem.publish([(UP, OPAQUE, b"\x01", None)])
    bench.modem.service(10)
    assert bench.told("failed") == [(ticket, "refused by the module")]
    assert bench.modem._status == UNKNOWN


def test_psm_is_left_by_the_power_key_a_second_after_it_was_entered():
    """low_power 3.4: a request within 1000 ms after PSM POWER DOWN is not taken into account."""
    pins = Pins("power_key")
    bench = registered(pins=pins)
    bench.talker.answers["AT+QCFG="] = ["OK", (3000, "PSM POWER DOWN")]
    assert bench.modem.sleep()
    began = bench.clock.now
    assert bench.modem.wake()
    assert pins.pulses == [("power_key", 200)]
    assert bench.clock.now - began >= 1000


def test_light_sleep_is_qsclk_alone():
    bench = registered(sleep="light")
    assert bench.modem.sleep()
    assert bench.commands == ["AT+QSCLK=1"]


def test_light_sleep_is_held_and_ended_by_dtr():
    """low_power 3.4: asleep while DTR is high; the wake pin is DTR, and stays low while the node is awake."""
    levels = []
    pins = Pins("power_key")
    pins.set = lambda name, active: levels.append((name, active)) or True
    bench = registered(sleep="light", pins=pins)
    assert bench.modem.sleep() and levels == [("wake", False)]
    assert bench.modem.wake() and levels == [("wake", False), ("wake", True)]
    assert pins.pulses == []


def test_light_sleep_without_dtr_is_refused():
    for pins in (None, Pins("power_key")):
        assert "wake pin" in str(raised(ValueError, Bench("bg96", sleep="light", pins=pins).modem.check, LESHAN))


def test_a_name_that_is_not_the_modules_own_is_said_literally():
    own = "urn:imei:864508030012428"
    for name, said in ((own, False), ("urn:imei:864508030012429", True), ("node-1", True)):
        bench = Bench("bg96", answers(**{"AT+CGSN": "864508030012428"}))
        bench.modem.configure(Server("192.0.2.7", 5683, name, 900))
        assert ('AT+QLWM2M="epns",1,"%s"' % name in bench.commands) == said, name


def test_a_registration_that_fails_names_what_the_guide_warns_of():
    """ROAMING_FEAT=1 (3.3.3), an endpoint of IMEI and MSISDN (chapter 7, question 2)."""
    bench = Bench("bg96", answers(**{'AT+QLWM2M="register"': "OK"}), name_form=7)
    bench.modem.roaming = True
    assert not bench.modem.register(1000)
    assert "ROAMING_FEAT" in bench.modem.refusal and "MSISDN" in bench.modem.refusal


def test_time_is_gmt_from_qlts():
    bench = Bench("bg96", answers(**{"AT+QLTS=1": '+QLTS: "2026/01/01,00:00:48+32,0"'}))
    assert bench.modem.network_time() == 1767225648
