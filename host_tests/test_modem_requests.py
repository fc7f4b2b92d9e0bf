"""One place answers the server: a URC is noted, and its answer leaves between two looks at the line, in order, never nested."""

from fakes.modem_bench import Bench, Pins

from lwnode.lwm2m import FLOAT, OPAQUE, STRING, Path, Response
from lwnode.modem import NOT_REGISTERED, REGISTERED, Server

TEMPERATURE = Path(3303, 0, 5700)
READING = (TEMPERATURE, FLOAT, "21.5", None)
READ = '+QLWURC: "read",%d,3303,0,5700'
OBSERVE = '+QLWURC: "observe",%d,0,3303,0,5700'
WRITE = '+QLWURC: "write",%d,3306,0,5850,2,1,"31",0'


def answers(**more):
    table = {
        "AT+QLWSTATUS?": "+QLWSTATUS: 2", "AT+QLWREG": ["OK", (900, "+QLWREG: 0")],
        "AT+QLWDEREG": ["OK", (700, "+QLWDEREG: 0")],
        "AT+QLWNOTIFY=": ["OK", '+QLWURC: "report",34180', "+QLWNOTIFY: 0", (500, '+QLWURC: "report_ack",0,34180')],
        "AT+QLWUPDATE=": ["+QLWUPDATE: 59797", "OK", (900, "+QLWUPDATE: 0,59797")], "AT+CGMR": "Revision: BC66NBR01A10"}
    for name in ("RDRSP", "WRRSP", "EXERSP", "OBSRSP", "ADDOBJ", "DELOBJ"):
        table["AT+QLW%s=" % name] = ["OK", "+QLW%s: 0" % name]
    table.update(more)
    return table


def value(request):
    return Response(204) if request.operation == "write" else Response(205, [(request.path, STRING, "ab")])


def registered(**more):
    bench = Bench("bc66", answers(**more), pins=Pins("wake"))
    bench.response = value
    bench.say("+QLWREG: 0")
    bench.events.clear()
    return bench


def answered(bench):
    """(what was answered, message id, result) in order."""
    found = []
    for line in bench.commands:
        name, _, rest = line.partition("=")
        if name.endswith("RSP"):
            found.append((name[6:], int(rest.split(",")[0]), int(rest.split(",")[1])))
    return found


def watched(bench):
    """No command leaves while a handler of a URC runs, nor while an answer is being made."""
    receive = bench.talker.receive

    def checked(data):
        assert not bench.at._in_handler, data
        receive(data)

    bench.talker.receive = checked
    return bench


def test_no_family_sends_a_command_from_the_handler_of_a_urc():
    for family, table, lines in (
        ("bc66", answers(), (READ % 1, OBSERVE % 2, WRITE % 3, '+QLWURC: "execute",4,3303,0,5605', '+QLWURC: "buffer"',
                             '+QLWURC: "factory_reset",0', '+QLWURC: "bs_finished"', '+QLWURC: "ping",1', "RDY")),
        ("bc20", {}, ("+QLWDATARECV: 19,1,0,4,AAAA0000", "+QLWDATARECV: 19,1,0,4", "UPDATE FAIL", "RDY")),
        ("bg96", {}, ('+QLWDLDATA: "/19/1/0",5,2,"AA00"', '+QLWOBSERVE: "a","/19/0/0"', "+QLWEVENT: 5", "+QLWEVENT: 1", "RDY")),
        ("me910c1", {}, ('#LWM2MRING: "NOT"', '#LWM2MMON: UPD,"/3306/0/5850/0"', '#LWM2MINFO: "GEN","DEVICE REBOOT"',
                         'LWM2M-TLT:"FORCE_EXIT",SSID=99,"coap://h"', 'LWM2M-TLT:"REGISTERED",SSID=99,"coap://h"')),
    ):
        bench = watched(Bench(family, table, command_ms=300))
        bench.talker.manual = None  # lines in an order that no module keeps
        bench.say(*lines, serve_ms=20000)
        for line in lines:
            bench.say(line, serve_ms=20000)
        assert bench.commands or family == "bg96", family  # which needs none


def test_requests_are_answered_in_the_order_in_which_they_came():
    bench = registered()
    bench.say(READ % 1, WRITE % 2, OBSERVE % 3, READ % 4)
    assert answered(bench) == [("RDRSP", 1, 1), ("WRRSP", 2, 2), ("OBSRSP", 3, 1), ("RDRSP", 4, 1)]
    assert bench.events == [("observed", TEMPERATURE)]


def test_a_storm_of_requests_is_answered_and_what_is_too_much_is_refused_and_counted():
    bench = registered()
    bench.say(*[READ % number for number in range(1, 21)])
    done = answered(bench)
    assert [mid for _, mid, result in done if result == 1] == [1, 2, 3, 4, 5, 6, 7, 8]
    # The nearest code that BC66 has (4.2.8): 4.00.
    assert [(mid, result) for _, mid, result in done if result != 1] == [(mid, 11) for mid in range(9, 17)]
    assert bench.modem.stats["requests_refused"] == 8 and bench.modem.stats["requests_lost"] == 4
    assert len(bench.requests) == 8
    bench.say(READ % 21)
    assert answered(bench)[-1] == ("RDRSP", 21, 1)
    # By bytes: two values of 1500 are more than wait at once; a single one is always taken.
    bench = registered()
    big = '+QLWURC: "write",%%d,9,0,0,2,1100,"%s",0' % ("41" * 1100)
    bench.response = Response(204)
    bench.say(big % 1, big % 2, serve_ms=500)
    assert answered(bench) == [("WRRSP", 1, 2), ("WRRSP", 2, 11)] and len(bench.requests[0].value) == 1100


def test_an_observe_belongs_to_its_registration():
    """One that waits while the module registers anew was made of the old registration; the one behind it counts."""
    bench = registered()
    bench.talker.say(OBSERVE % 1, READ % 2, "+QLWREG: 0", OBSERVE % 3)
    bench.modem.service(100)
    assert answered(bench) == [("RDRSP", 2, 1), ("OBSRSP", 3, 1)]
    assert bench.events == [("registered", "server"), ("observed", TEMPERATURE)]


def test_an_observe_while_registering_is_answered_before_register_returns():
    bench = Bench("bc66", answers(**{
        "AT+QLWSTATUS?": "+QLWSTATUS: 0", "AT+QLWREG": ["OK", (900, "+QLWREG: 0"), (900, OBSERVE % 5)],
        "AT+CPIN?": "+CPIN: READY"}))
    bench.response = value
    bench.modem.configure(Server("192.0.2.7", 5683, "node-1", 900))
    bench.talker.commands.clear()
    assert bench.modem.register(20000)
    assert [line for line in bench.commands if "OBSRSP" in line or "UPDATE" in line] == [
        "AT+QLWUPDATE=1,0", 'AT+QLWOBSRSP=5,1,3303,0,5700,1,2,"ab",0']  # the update's own wait has answered it
    assert bench.told("observed") == [TEMPERATURE]


def test_the_waits_of_a_verb_answer_the_server():
    for call, more in (
        (lambda modem: modem.update(), {}),
        (lambda modem: modem.recover(20000), {"AT+QLWRECOVER": ["OK", (9000, '+QLWURC: "recovered",0')]}),
        (lambda modem: modem.attach(9000), {"AT+CEREG?": "+CEREG: 0,2", "AT+CPIN?": "+CPIN: READY"}),
        (lambda modem: modem.settle(9000), {}), (lambda modem: [modem.publish([READING]) for _ in range(6)], {}),
    ):
        bench = registered(**more)
        bench.modem.publish([READING])
        bench.clock.after(300, lambda bench=bench: bench.talker.say(READ % 9))
        began = bench.clock.now
        at: list = []
        bench.response = lambda request, at=at, bench=bench: at.append(bench.clock.now) or value(request)
        call(bench.modem)
        assert answered(bench) == [("RDRSP", 9, 1)], more
        assert at[0] - began <= 2000, at


def test_a_buffer_is_read_request_by_request_and_its_reading_has_an_end():
    """Buffer mode: more wait in the module than in our queue; one that never says 0 left ends after 64."""
    left = list(range(19, -1, -1))
    cached = '+QLWRD: %d,"read",%d,3303,0,5700'
    bench = Bench("bc66", answers(**{"AT+QLWRD": lambda line: cached % (left[0], 20 - left.pop(0))}), buffered=True)
    bench.response = value
    bench.say('+QLWURC: "buffer"', serve_ms=3000)
    assert answered(bench) == [("RDRSP", mid, 1) for mid in range(1, 21)] and "requests_refused" not in bench.modem.stats
    bench = Bench("bc66", answers(**{"AT+QLWRD": '+QLWRD: 3,"read",7,3303,0,5700'}), buffered=True)
    bench.response = value
    bench.say('+QLWURC: "buffer"', serve_ms=3000)
    assert bench.commands.count("AT+QLWRD") == 64


def test_an_answer_is_never_given_from_within_another():
    """A handler that reports waits for room of a report, and more requests come meanwhile."""
    bench = registered()
    open_at: list = []

    def respond(request):
        open_at.append(len(answered(bench)))
        if request.message_id == 1:
            bench.talker.say(READ % 2, READ % 3)
            for _ in range(6):
                bench.modem.publish([READING])
        return value(request)

    bench.response = respond
    bench.say(READ % 1, serve_ms=3000)
    assert open_at == [0, 1, 2] and answered(bench) == [("RDRSP", mid, 1) for mid in (1, 2, 3)]


def test_what_an_answer_leaves_to_be_done_waits_for_the_end_of_the_flush():
    """A restart that the server has ordered must not cost the reports that are on their way."""
    for end in (lambda modem: modem.service(10), lambda modem: modem.sleep(), lambda modem: modem.power_off()):
        bench = registered()
        done: list = []
        bench.response = lambda request, done=done: Response(204, after=lambda: done.append(request.message_id))
        bench.modem.publish([READING])
        bench.talker.say('+QLWURC: "execute",7,3303,0,5605', '+QLWURC: "execute",8,3303,0,5605')
        assert bench.modem.settle(9000) and done == []
        assert answered(bench) == [("EXERSP", 7, 2), ("EXERSP", 8, 2)]
        end(bench.modem)
        assert done == [7, 8]


def test_nothing_that_was_asked_is_left_waiting_by_sleep_restart_and_deregistration():
    for call, sign in ((lambda modem: modem.sleep(), "AT+QSCLK=1"), (lambda modem: modem.restart(), "AT+QRST=1"),
                       (lambda modem: modem.deregister(), "AT+QLWDEREG"), (lambda modem: modem.power_off(), "AT+QPOWD=0")):
        bench = registered()
        bench.talker.say(READ % 3)
        bench.at.poll(10)
        assert answered(bench) == []
        call(bench.modem)
        assert answered(bench) == [("RDRSP", 3, 1)]
        assert bench.commands.index(sign) > [line[:12] for line in bench.commands].index("AT+QLWRDRSP=")
    # One that comes while the module is told to sleep: its answer sets the lock again, which is given back.
    bench = registered(**{"AT+QSCLK=1": ["OK", READ % 4]})
    bench.modem.sleep()
    assert answered(bench) == [("RDRSP", 4, 1)] and bench.commands[-1] == "AT+QRELLOCK"


def test_a_request_of_a_module_that_has_restarted_is_nobodys():
    bench = registered()
    bench.talker.say(READ % 1, "RDY")
    bench.modem.service(3000)
    assert answered(bench) == [] and bench.requests == []


def test_a_handler_that_raises_costs_the_server_a_refusal():
    from lwnode.at import AtTimeout

    for error in (ValueError("x"), OSError(28), AtTimeout("x")):
        bench = registered()

        def broken(request, error=error):
            raise error

        bench.response = broken
        bench.say(READ % 1, WRITE % 2)
        assert answered(bench) == [("RDRSP", 1, 11), ("WRRSP", 2, 11)] and bench.modem.stats["handler_errors"] == 2


def test_a_pipe_counts_what_the_node_refuses():
    """The module has acknowledged the write already."""
    for family, line in (("bc20", "+QLWDATARECV: 19,1,0,2,AA00"), ("bg96", '+QLWDLDATA: "/19/1/0",5,2,"AA00"')):
        bench = Bench(family, {})
        bench.response = Response(400)
        bench.say(line)
        assert [request.type for request in bench.requests] == [OPAQUE] and bench.modem.stats["writes_refused"] == 1
        assert bench.commands == []


def test_the_state_follows_the_module_whatever_waits():
    bench = registered()
    bench.talker.say(*[READ % number for number in range(1, 9)])
    bench.talker.say("+QLWREG: 1")
    bench.talker.answers["AT+QLWRDRSP="] = "+CMEE ERROR: 4"
    bench.modem.service(200)
    assert bench.modem._status == NOT_REGISTERED != REGISTERED and len(answered(bench)) == 8
