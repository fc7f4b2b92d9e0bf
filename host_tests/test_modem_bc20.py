"""BC20: the manual's fourteen worked examples, the effect of each URC, and its rules (LwM2M AT Commands Manual)."""

from fakes.refusal import raised
from fakes.modem_bench import Bench
from fakes.modem_field import Field

from lwnode.lwm2m import FLOAT, OPAQUE, STRING, Path, unpack_senml
from lwnode.modem import DEREGISTERED, NOT_REGISTERED, REGISTERED, UNKNOWN, Server, Unsupported
from lwnode.modem.bc20 import Driver

PLATFORM = Server("180.101.147.115", 5683, "867724030023557")
DATA = (
    "01F00035020056FFFFFFCD3836333730333033303733353132353433303131313137343830383738350000015FFB289A180100040200010097")
UP = Path(19, 0, 0)
OBJECTS = [(3303, 0, (5700,))]


def answers(**more):
    table = {
        "AT+QLWOPEN=0": ["OK", (800, "CONNECT OK"), (1200, "+QLWOBSERVE: 0,19,0,0")],
        "AT+QLWOPEN=1": ["OK", (800, "CONNECT OK"), (1200, "+QLWOBSERVE: 0,19,0,0")],
        "AT+QLWUPDATE": ["OK", (700, "UPDATE OK")], "AT+QLWCLOSE": ["OK", (700, "CLOSE OK")],
        "AT+QLWDATASEND=": lambda line: ["OK", (900, "SEND OK")] if line.endswith("0x0100") else "OK",
        "AT+CGMR": "Revision: BC20NAR01A01", "AT+CPIN?": "+CPIN: READY", "AT+CFUN?": "+CFUN: 1",
        "AT+CEREG?": "+CEREG: 0,1", "AT+CGPADDR=1": "+CGPADDR: 1,10.52.241.198",
    }
    table.update(more)
    return table


def registered(buffered=False, **more):
    """The sequence of 5.1 to the first observe."""
    bench = Bench("bc20", answers(**more), buffered=buffered)
    bench.modem.configure(PLATFORM)
    bench.modem.declare(OBJECTS)
    assert bench.modem.register(128000)
    bench.talker.commands.clear()
    bench.events.clear()
    return bench


def raw(text):
    return [(UP, OPAQUE, bytes.fromhex(text), None)]


# ---- the manual's examples


def test_example_01_of_3_1_sets_the_platform():
    bench = Bench("bc20", answers())
    bench.modem.configure(PLATFORM)
    assert 'AT+QLWSERV="180.101.147.115",5683' in bench.commands
    known = Bench("bc20", answers(**{
        "AT+QLWSERV?": '+QLWSERV: "180.101.147.115",5683', "AT+QLWCONF?": '+QLWCONF: "867724030023557"'}))
    known.modem.configure(PLATFORM)
    assert known.commands == ["AT+QLWSERV?", "AT+QLWCONF?"]


def test_example_02_of_3_2_sets_the_endpoint():
    bench = Bench("bc20", answers())
    bench.modem.configure(Server("180.101.147.115", 5683, "866971030001361"))
    assert bench.commands[-1] == 'AT+QLWCONF="866971030001361"'


def test_example_03_of_3_3_adds_both_ends_of_the_pipe():
    bench = Bench("bc20", answers())
    bench.modem.declare(OBJECTS)
    assert bench.commands == ['AT+QLWADDOBJ=19,0,1,"0"', 'AT+QLWADDOBJ=19,1,1,"0"']


def test_example_04_of_3_4_deletes_an_object_with_an_update_only_where_registered():
    bench = registered(**{"AT+QLWDELOBJ=": ["OK", (600, "UPDATE OK")]})
    assert bench.modem.undeclare(19)
    assert bench.commands == ["AT+QLWDELOBJ=19"]
    alone = Bench("bc20", answers())
    alone.modem.forget()
    began = alone.clock.now
    assert alone.modem.undeclare(19)
    assert alone.clock.now - began < 1000


def test_example_05_of_3_5_registers():
    bench = registered()
    assert bench.modem.status() == REGISTERED
    assert bench.commands == []


def test_example_06_of_3_6_updates():
    bench = registered()
    assert bench.modem.update()
    assert bench.commands == ["AT+QLWUPDATE"]
    assert bench.events == [("updated", None)]


def test_example_07_of_3_7_deregisters():
    bench = registered()
    assert bench.modem.deregister()
    assert bench.commands == ["AT+QLWCLOSE"]
    assert bench.modem.status() == DEREGISTERED


def test_example_08_of_3_8_sends_with_and_without_confirmation():
    bench = registered()
    first = bench.modem.publish(raw("00"), confirm=False)
    second = bench.modem.publish(raw("01"))
    assert bench.commands == ["AT+QLWDATASEND=19,0,0,1,00,0x0000", "AT+QLWDATASEND=19,0,0,1,01,0x0100"]
    assert bench.modem.settle(128000)
    assert bench.told("delivered") == [first, second]


def test_example_09_of_3_9_asks_what_became_of_a_message():
    """The manual prints +QLWDATASTATUS:4 there, without the blank."""
    bench = registered(**{"AT+QLWDATASTATUS?": "+QLWDATASTATUS:4"})
    bench.modem.publish(raw("01"))
    bench.modem.settle(5000)
    assert bench.modem.ask_sent() == "success"


def waiting(*answers_in_turn):
    left = list(answers_in_turn)
    return lambda line: left.pop(0)


def test_example_10_of_3_10_reads_the_buffer_until_it_is_empty():
    bench = registered(buffered=True, **{"AT+QLWRD=": waiting(
        ["+QLWRD: 2,2", "AAAA", "OK"], ["+QLWRD: 2,0", "0000", "OK"], "+QLWRD: 0")})
    bench.modem.options["read_length"] = 2
    bench.say("+QLWDATARECV: 19,1,0,4")
    assert bench.commands == ["AT+QLWRD=2", "AT+QLWRD=2", "AT+QLWRD=2"]
    assert [request.value for request in bench.requests] == [b"\xaa\xaa\x00\x00"]


def test_example_11_of_3_11_sets_hexadecimal_both_ways():
    bench = Bench("bc20", answers())
    bench.modem.forget()
    bench.modem.register(128000)
    assert 'AT+QLWCFG="dataformat",1,1' in bench.commands


def test_send_and_receive_format_are_set_apart_by_options():
    for send, receive, line in ((False, True, "0,1"), (True, False, "1,0"), (False, False, "0,0")):
        bench = Bench("bc20", answers(), send_hex=send, receive_hex=receive)
        bench.modem.forget()
        assert bench.modem.register(128000)
        assert 'AT+QLWCFG="dataformat",%s' % line in bench.commands


def test_text_goes_up_as_it_is_and_what_is_no_text_is_refused():
    bench = Bench("bc20", answers(), send_hex=False)
    bench.modem.register(128000)
    bench.talker.commands.clear()
    sent = bench.modem.publish([(UP, STRING, 'on, "now"', None)])
    assert bench.commands == ['AT+QLWDATASEND=19,0,0,9,on, "now",0x0100']
    assert bench.modem.settle(5000)
    pack = bench.modem.publish([(Path(3303, 0, 5700), FLOAT, "21.5", None)])
    broken = bench.modem.publish([(UP, STRING, "two\r\nlines", None)])
    bench.modem.settle(5000)
    assert bench.told("delivered") == [sent]
    assert [ticket for ticket, _ in bench.told("failed")] == [pack, broken]
    assert all(["send_hex" in reason for _, reason in bench.told("failed")])
    assert len(bench.commands) == 1


def test_text_comes_down_as_it_is_pushed_and_buffered():
    bench = Bench("bc20", answers(**{"AT+QLWRD=": waiting(
        ['+QLWRD: 9,2\r\na,"b"\r\nc,', "OK"], ["+QLWRD: 2,0\r\nAA", "OK"], "+QLWRD: 0")}), receive_hex=False)
    bench.modem.register(128000)
    bench.say('+QLWDATARECV: 19,1,0,8,off,"x",', "+QLWDATARECV: 19,1,0,4,AA00", "+QLWDATARECV: 19,1,0,11")
    assert [request.value for request in bench.requests] == [b'off,"x",', b"AA00", b'a,"b"\r\nc,AA']


FORGERIES = ("OK", "ERROR", "SEND OK", "SEND FAIL", "a\r\nOK\r\nb", "x\r\n+QLWOBSERVE: 1,19,0,0\r\ny", "\r\nSEND OK\r\n",
             'c", OK', "+QLWDATARECV: 19,1,0,2,zz", "+CME ERROR: 3", "UPDATE FAIL", '"', "RDY")


def test_a_value_of_the_server_forges_nothing():
    """Issue 17: with receive_hex off a value that looks like an answer was an answer."""
    for value in FORGERIES:
        bench = Bench("bc20", answers(**{"AT+QLWRD=": waiting(
            ["+QLWRD: %d,0\r\n%s" % (len(value), value), "OK"], "+QLWRD: 0")}), receive_hex=False)
        assert bench.modem.register(128000)
        bench.events.clear()
        ticket = bench.modem.publish(raw("01"))
        bench.say("+QLWDATARECV: 19,1,0,%d,%s" % (len(value), value), "+QLWDATARECV: 19,1,0,%d" % len(value), serve_ms=500)
        assert [request.value for request in bench.requests] == 2 * [value.encode()], value
        assert bench.modem.settle(128000) and bench.events == [("delivered", ticket)], (value, bench.events)
        assert bench.modem.status() == REGISTERED


def test_a_buffer_that_is_never_empty_ends_the_reading():
    for answer in (["+QLWRD: 2,0", "AAAA", "OK"], ["+QLWRD: 2,2", "AAAA", "OK"]):
        bench = Bench("bc20", answers(**{"AT+QLWRD=": list(answer)}))
        bench.say("+QLWDATARECV: 19,1,0,2", serve_ms=1000)
        assert len(bench.talker.said("AT+QLWRD")) == 64


def test_a_urc_between_the_head_of_a_buffered_value_and_the_value_is_survived():
    bench = Bench("bc20", answers(**{"AT+QLWRD=": waiting(
        ["+QLWRD: 5,0\r\n+QLWOBSERVE: 1,19,0,0\r\nOK\r\nx", "OK"], "+QLWRD: 0")}), receive_hex=False)
    assert bench.modem.register(128000)
    bench.say("+QLWDATARECV: 19,1,0,5", serve_ms=500)
    assert [request.value for request in bench.requests] == [b"OK\r\nx"] and bench.told("cancelled") == [UP]


def test_the_model_and_the_driver_agree_on_text():
    for buffered in (False, True):
        field = Field("bc20", send_hex=False, receive_hex=False, buffered=buffered)
        field.online([(3303, 0, (5700,))], Server("192.0.2.7", 5683, "node-1"))
        field.server.observe("node-1", "/19/0/0")
        field.modem.service(3000)
        ticket = field.modem.publish([(UP, STRING, 'a,b;c "d"', None)])
        assert field.modem.settle(field.modem.deadline_ms)
        assert field.told("delivered") == [ticket]
        assert field.server.deliveries[-1].value == b'a,b;c "d"'
        field.server.write("node-1", "/19/1/0", b"x,y")
        field.modem.service(3000)
        assert [request.value for request in field.requests] == [b"x,y"], buffered


def test_example_12_of_5_1_registers_updates_leaves_and_deletes():
    bench = Bench("bc20", answers())
    assert bench.modem.attach(60000)
    bench.modem.configure(PLATFORM)
    bench.modem.declare(OBJECTS)
    bench.modem.forget()
    bench.modem.configure(PLATFORM)
    bench.modem.declare(OBJECTS)
    bench.talker.commands.clear()
    assert bench.modem.register(128000)
    assert bench.told("observed") == [UP]
    assert bench.modem.update()
    assert bench.modem.deregister()
    bench.modem.forget()
    assert bench.commands == ['AT+QLWCFG="dataformat",1,1', "AT+QLWOPEN=0", "AT+QLWUPDATE", "AT+QLWCLOSE", "AT+QLWDEL"]


def test_example_13_of_5_2_sends_and_receives_in_direct_push_mode():
    bench = registered(**{"AT+QLWDATASTATUS?": "+QLWDATASTATUS: 4"})
    bench.modem.publish(raw(DATA), confirm=False)
    assert bench.commands[-1] == "AT+QLWDATASEND=19,0,0,57," + DATA + ",0x0000"
    bench.say("+QLWDATARECV: 19,1,0,4,AAAA0000")
    bench.modem.publish(raw(DATA))
    assert bench.commands[-1] == "AT+QLWDATASEND=19,0,0,57," + DATA + ",0x0100"
    bench.modem.settle(5000)
    bench.say("+QLWDATARECV: 19,1,0,4,AAAA0000")
    assert [(request.path, request.value) for request in bench.requests] == 2 * [(Path(19, 1, 0), b"\xaa\xaa\x00\x00")]
    assert bench.modem.ask_sent() == "success"


def test_example_14_of_5_3_sends_and_receives_in_buffer_access_mode():
    bench = Bench("bc20", answers(**{"AT+QLWRD=": waiting(
        ["+QLWRD: 4,0", "AAAA0000", "OK"], "+QLWRD: 0", ["+QLWRD: 2,2", "AAAA", "OK"], ["+QLWRD: 2,0", "0000", "OK"],
        "+QLWRD: 0")}), buffered=True)
    bench.modem.configure(PLATFORM)
    bench.modem.declare(OBJECTS)
    assert bench.modem.register(128000)
    assert "AT+QLWOPEN=1" in bench.commands
    bench.say("+QLWDATARECV: 19,1,0,4")
    assert bench.talker.said("AT+QLWRD") == ["AT+QLWRD=4", "AT+QLWRD=512"]
    bench.modem.options["read_length"] = 2
    bench.say("+QLWDATARECV: 19,1,0,4")
    assert bench.talker.said("AT+QLWRD")[2:4] == ["AT+QLWRD=2", "AT+QLWRD=2"]
    assert [request.value for request in bench.requests] == 2 * [b"\xaa\xaa\x00\x00"]


# ---- the URC table


def test_each_row_of_the_table_has_a_test():
    rows = [name.lstrip("+").lower() for name in Driver.URCS]
    assert sorted(rows) == sorted([name[9:] for name in globals() if name.startswith("test_row_")])


def test_row_qlwobserve():
    bench = registered()
    bench.say("+QLWOBSERVE: 0,19,0,-1")
    assert bench.events == [("observed", Path(19, 0))]
    bench.say("+QLWOBSERVE: 1,19,0,-1")
    assert bench.told("cancelled") == [Path(19, 0)]
    assert Path(19, 0) not in bench.modem.observed


def test_row_qlwdatarecv():
    bench = registered()
    bench.say("+QLWDATARECV: 19,1,0,4,AAAA0000")
    request = bench.requests[0]
    assert (request.operation, request.path, request.type, request.value) == (
        "write", Path(19, 1, 0), OPAQUE, b"\xaa\xaa\x00\x00")
    # Text with commas, as a module sends it that has forgotten the format.
    bench.say("+QLWDATARECV: 19,1,0,5,a,b,c")
    assert bench.requests[1].value == b"a,b,c"


def test_row_send():
    bench = registered()
    ticket = bench.modem.publish(raw("01"))
    assert bench.modem.settle(128000)
    bench.talker.answers["AT+QLWDATASEND="] = ["OK", (900, "SEND FAIL")]
    lost = bench.modem.publish(raw("02"))
    bench.modem.settle(128000)
    assert bench.events == [("delivered", ticket), ("failed", (lost, "SEND FAIL"))]


def test_row_connect():
    bench = registered()
    bench.say("CONNECT FAIL")
    assert bench.told("lost") == ["CONNECT FAIL"]
    bench.say("CONNECT OK")
    assert bench.told("registered") == ["server"]


def test_row_update():
    bench = registered()
    bench.say("UPDATE OK")
    bench.say("UPDATE FAIL")
    assert bench.events == [("updated", None), ("lost", "UPDATE FAIL")]
    assert bench.modem._status == NOT_REGISTERED


def test_row_close():
    bench = registered()
    bench.say("CLOSE FAIL")
    assert bench.modem._status == UNKNOWN
    bench.say("CLOSE OK")
    assert bench.modem._status == DEREGISTERED


def test_row_qnbiotevent():
    bench = registered(**{"AT+QRELLOCK": ["OK", (500, '+QNBIOTEVENT: "ENTER PSM"')]})
    assert bench.modem.sleep()


def test_row_qind():
    bench = registered()
    bench.say('+QIND: "FOTA","HTTPSTART"', "+QIND: SMS DONE")
    assert bench.events == [("firmware", "download")]


# ---- its rules


def test_readings_travel_in_packs_with_their_times():
    bench = registered()
    records = [(Path(3303, 0, 5700), FLOAT, "2%d.5" % (index % 10), 1767225600 + index) for index in range(90)]
    bench.talker.answers["AT+QLWDATASEND="] = ["OK", (400, "SEND OK")]
    ticket = bench.modem.publish(records)
    assert bench.modem.settle(128000)
    found = []
    for line in bench.talker.said("AT+QLWDATASEND"):
        length, digits = line.split(",")[3:5]
        assert int(length) <= 512
        found += unpack_senml(bytes.fromhex(digits))
    assert [(record[0], record[2], record[3]) for record in found] == [
        (record[0], record[2], record[3]) for record in records]
    assert bench.told("delivered") == [ticket]


def test_no_message_goes_out_while_a_confirmed_one_is_open():
    """3.8, note 1."""
    bench = registered()
    bench.talker.answers["AT+QLWDATASEND="] = ["OK", (7000, "SEND OK")]
    bench.modem.publish(raw("01"))
    began = bench.clock.now
    bench.modem.publish(raw("02"), confirm=False)
    assert bench.clock.now - began >= 6900


def test_a_lost_result_is_asked_for():
    """3.9: QLWDATASTATUS recovers a lost SEND result."""
    bench = registered(**{"AT+QLWDATASTATUS?": "+QLWDATASTATUS: 4"})
    bench.talker.answers["AT+QLWDATASEND="] = "OK"
    ticket = bench.modem.publish(raw("01"))
    assert bench.modem.settle(60000)
    assert bench.told("delivered") == [ticket]
    assert len(bench.talker.said("AT+QLWDATASTATUS")) == 1


def test_after_messages_without_a_result_the_next_confirmation_counts():
    """A late one may be an expired message's: the module is asked which, at once, however many have expired."""
    status = "1"
    bench = registered(**{"AT+QLWDATASTATUS?": lambda line: "+QLWDATASTATUS: " + status})
    bench.talker.answers["AT+QLWDATASEND="] = "OK"
    for _ in range(3):
        bench.modem.publish(raw("01"))
        bench.modem.settle(140000)
    status = "4"
    bench.talker.answers["AT+QLWDATASEND="] = ["OK", (900, "SEND OK")]
    ticket, before = bench.modem.publish(raw("02")), bench.clock.ticks_ms()
    assert bench.modem.settle(128000) and bench.told("delivered") == [ticket] and len(bench.told("failed")) == 3
    assert bench.clock.ticks_ms() - before < 3000


def test_each_status_of_3_9_has_its_effect():
    for state, name in ((0, "not sent"), (2, "failed"), (3, "timeout"), (5, "reset")):
        bench = registered(**{"AT+QLWDATASTATUS?": "+QLWDATASTATUS: %d" % state})
        bench.talker.answers["AT+QLWDATASEND="] = "OK"
        ticket = bench.modem.publish(raw("01"))
        bench.modem.settle(60000)
        assert bench.told("failed") == [(ticket, name)]
    bench = registered(**{"AT+QLWDATASTATUS?": "+QLWDATASTATUS: 1"})
    bench.talker.answers["AT+QLWDATASEND="] = ["OK", (50000, "SEND OK")]
    ticket = bench.modem.publish(raw("01"))
    assert bench.modem.settle(128000)
    assert bench.told("delivered") == [ticket]


def test_a_message_of_a_length_that_the_manual_excludes_is_refused_before_the_wire():
    """3.8: 1 to 512 bytes; BG96 guide 4.1: 1 to 1460."""
    for family, most in (("bc20", 512), ("bg96", 1460)):
        bench = Bench(family, answers())
        for kind, value in ((OPAQUE, b""), (STRING, ""), (OPAQUE, bytes(most + 1)), (STRING, "x" * (most + 1))):
            error = raised(ValueError, bench.modem.publish, [(UP, kind, value, None)])
            assert "1 to %d bytes" % most in str(error), error
        assert bench.commands == []


def test_what_bc20_cannot_hold_is_refused_by_key():
    bench = Bench("bc20", answers())
    for key, server in (
        ("lifetime", Server("180.101.147.115", 5683, "x", 900)),
        ("binding", Server("180.101.147.115", 5683, "x", binding="UQ")),
        ("security", Server("180.101.147.115", 5683, "x", security="psk", psk_identity="x", psk="00")),
        ("bootstrap", Server("180.101.147.115", 5683, "x", bootstrap=True)),
    ):
        assert key in str(raised(Unsupported, bench.modem.configure, server))
    assert bench.commands == []


def test_an_awake_budget_that_a_confirmed_message_exceeds_is_refused():
    """3.8, note 2: about 128 s."""
    bench = Bench("bc20", answers(), awake_budget_ms=120000)
    error = raised(ValueError, bench.modem.configure, PLATFORM)
    assert "120000" in str(error) and "128 s" in str(error)
    assert bench.commands == []
    Bench("bc20", answers(), awake_budget_ms=180000).modem.configure(PLATFORM)


def test_lifetime_and_binding_cannot_be_changed():
    bench = registered()
    for change in ({"lifetime": 900}, {"binding": "U"}):
        assert "refreshes" in str(raised(Unsupported, bench.modem.update, **change))


def test_another_platform_needs_the_context_deleted_first():
    """3.12 and 5.1; the deletion may take its five seconds, and is then said once."""
    bench = Bench("bc20", answers(**{
        "AT+QLWSERV?": '+QLWSERV: "10.0.0.1",5683', "AT+QLWCONF?": '+QLWCONF: "867724030023557"',
        "AT+QLWDEL": [(5000, "OK")]}))
    bench.modem.configure(PLATFORM)
    assert bench.commands == [
        "AT+QLWSERV?", "AT+QLWCONF?", "AT+QLWDEL", 'AT+QLWSERV="180.101.147.115",5683', 'AT+QLWCONF="867724030023557"']


def test_an_error_in_the_set_up_deletes_the_context_and_begins_again():
    """field_quirks 5."""
    bench = Bench("bc20", answers(**{"AT+QLWCONF=": waiting("ERROR", "OK")}))
    bench.modem.configure(PLATFORM)
    assert bench.commands.count("AT+QLWDEL") == 1
    assert bench.commands[-1] == 'AT+QLWCONF="867724030023557"'


def test_sending_waits_for_the_first_observe():
    """field_quirks 3: CONNECT OK alone is not enough."""
    bench = Bench("bc20", answers(**{
        "AT+QLWOPEN=0": ["OK", (800, "CONNECT OK"), (9000, "+QLWOBSERVE: 0,19,0,0")]}))
    bench.modem.configure(PLATFORM)
    began = bench.clock.now
    assert bench.modem.register(128000)
    assert bench.clock.now - began >= 9000


def test_a_registration_that_never_answers_ends_after_about_128_s():
    bench = Bench("bc20", answers(**{"AT+QLWOPEN=0": "OK"}))
    bench.modem.configure(PLATFORM)
    began = bench.clock.now
    assert not bench.modem.register(300000)
    assert 128000 <= bench.clock.now - began <= 140000


def test_after_sleep_nothing_is_asked_that_was_known():
    bench = registered()
    kept = bench.modem.snapshot()
    again = Bench("bc20", answers())
    assert again.modem.restore(kept)
    again.modem.configure(PLATFORM)
    again.modem.declare(OBJECTS)
    assert again.modem.status() == REGISTERED
    assert again.commands == []


def test_what_is_unknown_is_asked_by_an_update():
    bench = Bench("bc20", answers(**{"AT+QLWUPDATE": ["OK", (700, "UPDATE FAIL")]}))
    assert bench.modem.status() == NOT_REGISTERED
    assert bench.commands == ["AT+CEREG?", "AT+QLWUPDATE"]


def test_without_a_network_nothing_is_asked_of_the_platform():
    """An update into nowhere would cost two minutes."""
    bench = Bench("bc20", answers(**{"AT+CEREG?": "+CEREG: 0,2"}))
    assert bench.modem.status() == UNKNOWN
    assert bench.commands == ["AT+CEREG?"]


def test_an_open_that_is_refused_is_open_already():
    """Its CONNECT OK fell into a deaf moment; an update shows that the session stands."""
    bench = Bench("bc20", answers(**{"AT+QLWOPEN=0": "ERROR"}))
    bench.modem.configure(PLATFORM)
    assert bench.modem.register(128000)
    assert bench.commands[-2:] == ["AT+QLWOPEN=0", "AT+QLWUPDATE"]


def test_a_session_that_no_longer_stands_is_closed_and_opened_again():
    opened = ["ERROR", ["OK", "CONNECT OK", "+QLWOBSERVE: 0,19,0,0"]]
    bench = Bench("bc20", answers(**{
        "AT+QLWOPEN=0": lambda line: opened.pop(0), "AT+QLWUPDATE": ["OK", (700, "UPDATE FAIL")]}))
    bench.modem.configure(PLATFORM)
    assert bench.modem.register(128000)
    assert bench.commands[-4:] == ["AT+QLWOPEN=0", "AT+QLWUPDATE", "AT+QLWCLOSE", "AT+QLWOPEN=0"]


def test_a_refused_object_is_deleted_and_added_again():
    """3.3 has no read form: a refusal may mean that it is there already, or that it is not."""
    refused = ["ERROR", "OK", "OK", "OK"]
    bench = Bench("bc20", answers(**{"AT+QLWADDOBJ=": lambda line: refused.pop(0)}))
    bench.modem.declare(OBJECTS)
    assert bench.commands == ['AT+QLWADDOBJ=19,0,1,"0"', 'AT+QLWADDOBJ=19,1,1,"0"', "AT+QLWDELOBJ=19",
                              'AT+QLWADDOBJ=19,0,1,"0"', 'AT+QLWADDOBJ=19,1,1,"0"']
