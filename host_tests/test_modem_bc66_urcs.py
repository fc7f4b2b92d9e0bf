"""BC66: every row of the URC table has its stated effect (application note V2.1, 4.3), one test per row."""

from fakes.modem_bench import BC66, Bench
from lwnode.lwm2m import FLOAT, STRING, Path, Response
from lwnode.modem import (
    DEREGISTERED,
    NEED_RECOVER,
    NOT_REGISTERED,
    REGISTERED,
    REGISTERING,
    UNKNOWN,
    Server,
)
from lwnode.modem.bc66 import Driver

READING = (Path(3303, 0, 5700), FLOAT, "21.5", None)
SERVER = Server("192.0.2.7", 5683, "node-1", 86400)


def table(**more):
    answers = dict(BC66, **{"AT+QLWSTATUS?": "+QLWSTATUS: 2", "AT+QLWNOTIFY=": BC66["AT+QLWNOTIFY="][:3]})
    answers.update(more)
    return answers


def registered(**options):
    """A bench whose module has just registered by itself."""
    bench = Bench("bc66", table(), **options)
    bench.say("+QLWREG: 0")
    bench.events.clear()
    return bench


def value_of(text):
    return lambda request: Response(205, [(request.path, STRING, text)])


# name in the table: lines, what the node is told, the state afterwards
ROWS = {
    "lifetime_changed": ('"lifetime_changed",30', [("lifetime", 30)], REGISTERED),
    "binding_changed": ('"binding_changed","UQ"', [("binding", "UQ")], REGISTERED),
    "min_period_changed": ('"min_period_changed",1', [("min_period", 1)], REGISTERED),
    "max_period_changed": ('"max_period_changed",3600', [("max_period", 3600)], REGISTERED),
    "bs_finished": ('"bs_finished"', [("bootstrapped", None)], REGISTERING),
    "disable": ('"disable",86400', [("disabled", 86400)], NOT_REGISTERED),
    "dereg": ("dereg,0", [], DEREGISTERED),
    "QIND": ('+QIND: "FOTA","HTTPSTART"', [("firmware", "download")], REGISTERED),
}


def test_rows_that_only_tell_the_node_or_change_the_state():
    for name in ROWS:
        line, events, state = ROWS[name]
        bench = registered()
        bench.say(line if line[0] == "+" else "+QLWURC: " + line, "+QIND: SMS DONE")
        assert (bench.events, bench.modem._status) == (events, state), name


def test_row_ping():
    bench = registered()
    bench.say('+QLWURC: "ping",0')
    assert bench.events == [("updated", None)]
    bench.say('+QLWURC: "ping",1')
    assert bench.told("lost") == ["update: status 1"]
    # 3.3 case 3: the module re-registers by itself; nothing is sent, its own result is awaited.
    bench.talker.answers["AT+QLWSTATUS?"] = "+QLWSTATUS: 1"
    bench.clock.after(3000, lambda: bench.talker.say("+QLWREG: 0"))
    assert bench.modem.register(60000)
    assert bench.talker.said("AT+QLWREG") == []


def test_row_buffer():
    bench = registered(buffered=True)
    waiting = ['+QLWRD: 1,"read",17,3303,0,5700', '+QLWRD: 0,"execute",18,3303,0,5605']
    bench.talker.answers["AT+QLWRD"] = lambda line: waiting.pop(0)
    bench.response = lambda request: value_of("a")(request) if request.operation == "read" else Response(204)
    bench.say('+QLWURC: "buffer"')
    assert [request.operation for request in bench.requests] == ["read", "execute"]
    assert bench.commands[-1] == "AT+QLWEXERSP=18,2"


def test_row_write():
    bench = registered()
    bench.say('+QLWURC: "write",32193,9,0,3,2,1,"31",0')
    assert (bench.requests[0].path, bench.requests[0].value, bench.requests[0].type) == (Path(9, 0, 3), b"1", 2)
    assert bench.commands == ["AT+QLWWRRSP=32193,2"]


def test_a_write_is_answered_whatever_its_value_looks_like():
    """Issue 17: a value with CR LF, or with ", OK, was never answered."""
    for value in ("a\r\nb", 'x", OK', "OK", "\r\nOK\r\n", 'a",1', "+QLWREG: 1", '"', "21.5", '+QLWURC: "disable",9'):
        shapes = ['"%s"' % value, value.encode().hex().upper(), '"%s"' % value.encode().hex()]
        for shape in shapes + ([value] if value == "21.5" else []):
            bench = registered()
            bench.say('+QLWURC: "write",7,9,0,3,2,%d,%s,0' % (len(value), shape), serve_ms=500)
            assert [request.value for request in bench.requests] == [value.encode()], (value, shape)
            assert bench.commands == ["AT+QLWWRRSP=7,2"] and bench.events == []
        cached = '+QLWRD: 0,"write",7,9,0,3,2,%d,"%s",0' % (len(value), value)
        bench = Bench("bc66", table(**{"AT+QLWRD": cached}), buffered=True)
        bench.say('+QLWURC: "buffer"', serve_ms=500)
        assert [request.value for request in bench.requests] == [value.encode()], value


def test_row_read():
    bench = registered()
    bench.response = value_of("ab")
    bench.say('+QLWURC: "read",5,3303,0,5750')
    assert bench.commands == ['AT+QLWRDRSP=5,1,3303,0,5750,1,2,"ab",0']


def test_row_execute():
    bench = registered()
    done = []
    bench.response = Response(204, after=lambda: done.append(list(bench.commands)))
    bench.say('+QLWURC: "execute",39040,3303,0,5605')
    # The consequence follows the answer: a reboot must not swallow it.
    assert done == [["AT+QLWEXERSP=39040,2"]]


def test_row_observe():
    bench = registered()
    bench.response = value_of("ab")
    bench.say('+QLWURC: "observe",7,0,3303,0,5750')
    assert bench.told("observed") == [Path(3303, 0, 5750)]
    assert bench.modem.observed == [Path(3303, 0, 5750)]
    bench.say('+QLWURC: "observe",8,1,3303,0,5750')
    assert bench.requests[1].operation == "cancel"
    assert bench.told("cancelled") == [Path(3303, 0, 5750)]
    assert bench.modem.observed == []


def test_row_report():
    bench = registered()
    bench.talker.answers["AT+QLWNOTIFY="] = ["OK", "+QLWNOTIFY: 0"]
    bench.modem.publish([READING])
    bench.modem.publish([READING])
    bench.talker.say('+QLWURC: "report",34180', '+QLWURC: "report",34181')
    # The second report has its own id: the acknowledgement of each finds its ticket.
    bench.say('+QLWURC: "report_ack",0,34181')
    assert bench.told("delivered") == [2]
    assert len(bench.modem.reports) == 1


def test_row_report_ack():
    bench = registered()
    first = bench.modem.publish([READING])
    bench.say('+QLWURC: "report_ack",0,34180')
    second = bench.modem.publish([READING])
    bench.say('+QLWURC: "report_ack",1,34180')
    assert bench.events == [("delivered", first), ("failed", (second, "status 1"))]


def test_row_lwstatus():
    bench = registered()
    bench.say('+QLWURC: "lwstatus",0')
    ticket = bench.modem.publish([READING])
    bench.modem.service(10)
    assert bench.talker.said("AT+QLWNOTIFY") == []
    assert bench.told("failed") == [(ticket, "no network connection (lwstatus 0)")]
    bench.say('+QLWURC: "lwstatus",1')
    bench.modem.publish([READING])
    assert len(bench.talker.said("AT+QLWNOTIFY")) == 1
    assert [name for name, _ in bench.events] == ["link_lost", "failed", "link_back"]


def test_row_factory_reset():
    """Note 1, direct mode: the module resets itself, we declare again; note 2, buffer mode: we must reset it."""
    bench = registered()
    bench.modem.declare([(3303, 0, (5700,))])
    bench.say('+QLWURC: "factory_reset",0', serve_ms=20000)
    assert bench.told("factory_reset") == ["status 0"]
    assert bench.talker.said("AT+QRST") == []
    assert len(bench.talker.said("AT+QLWADDOBJ=")) == 2
    bench = registered()
    bench.modem.declare([(3303, 0, (5700,))])
    bench.talker.say('+QLWURC: "factory_reset",0', "RDY")  # its own reset is so quick that both are read at once
    bench.modem.service(20000)
    assert len(bench.talker.said("AT+QLWADDOBJ=")) == 2
    buffered = registered(buffered=True)
    buffered.modem.declare([(3303, 0, (5700,))])
    waiting = ['+QLWRD: 0,"factory_reset",0']
    buffered.talker.answers["AT+QLWRD"] = lambda line: waiting.pop(0)
    buffered.say('+QLWURC: "buffer"', serve_ms=20000)
    assert buffered.talker.said("AT+QRST") == ["AT+QRST=1"]
    assert len(buffered.talker.said("AT+QLWADDOBJ=")) == 2


def bootstraps_by_itself(bench):
    """What the module does without being told ends in a registration, and the driver has not said a word meanwhile."""
    bench.talker.answers["AT+QLWSTATUS?"] = "+QLWSTATUS: 0"
    bench.clock.after(4000, lambda: bench.talker.say('+QLWURC: "bs_finished"'))
    bench.clock.after(6000, lambda: bench.talker.say("+QLWREG: 0"))
    assert bench.modem.register(60000)
    assert bench.talker.said("AT+QLWREG") == []


def test_row_bootstrap_request_trigger():
    """It never registers meanwhile: bs_finished and +QLWREG come by themselves."""
    bench = registered()
    bench.say('+QLWURC: "bootstrap_request_trigger",0')
    assert bench.told("bootstrapping") == ["status 0"]
    bootstraps_by_itself(bench)


def test_after_a_factory_reset_the_bootstrap_is_waited_for():
    """4.3.16 note 1: after its reset the module itself goes to the bootstrap server."""
    bench = registered()
    bench.modem.server = Server("192.0.2.7", 5683, "node-1", bootstrap=True)
    bench.modem.declare([(3303, 0, (5700,))])
    bench.say('+QLWURC: "factory_reset",0', serve_ms=20000)
    bootstraps_by_itself(bench)


def test_a_bootstrap_whose_end_was_not_heard_keeps_nobody_waiting_for_ever():
    bench = registered()
    bench.say('+QLWURC: "bootstrap_request_trigger",0')
    bench.talker.answers["AT+QLWSTATUS?"] = "+QLWSTATUS: 0"
    bench.talker.answers["AT+QLWREG"] = ["OK", (900, "+QLWREG: 0")]
    assert not bench.modem.register(60000)
    assert bench.talker.said("AT+QLWREG") == []
    assert bench.modem.register(60000)


def test_row_recovered():
    bench = registered()
    bench.say('+QLWURC: "recovered",0')
    assert bench.events == [("recovered", "status 0")]
    bench.say('+QLWURC: "recovered",1')
    assert bench.modem._status == NEED_RECOVER
    bench.say('+QLWURC: "recovered",3')
    assert bench.modem._status == REGISTERING


def test_row_reg():
    bench = Bench("bc66", table())
    bench.modem.observed = [Path(3303, 0, 5700)]
    bench.say("+QLWREG: 0")
    assert bench.events == [("registered", "server")]
    assert bench.modem.observed == []
    bench.say("+QLWREG: 1")
    assert bench.told("lost") == ["registration: status 1"]


def test_row_update():
    """4.2.4: the result of update() comes long after OK, and is told by its message id (test_modem_bc66_rules)."""
    bench = registered()
    bench.say("+QLWUPDATE: 0,59797")
    assert bench.modem.stats["late_results"] == 1 and bench.events == []


def test_row_QNBIOTEVENT():
    bench = registered()
    bench.talker.answers["AT+QRELLOCK"] = ["OK", (900, '+QNBIOTEVENT: "ENTER DEEPSLEEP"')]
    assert bench.modem.sleep()


def test_each_row_of_the_table_has_a_test():
    rows = sorted([name.lstrip("+") for name in Driver.URCS])
    assert sorted([name[9:] for name in globals() if name.startswith("test_row_")] + list(ROWS)) == rows


def test_a_line_that_fits_no_row_is_counted_and_survived():
    bench = registered()
    bench.say('+QLWURC: "moon",1', '+QLWURC: "read",x,3303,0,0', '+QLWURC: "read",1', "+QLWURC:",
              '+QLWURC: "write",1,2', '+QLWURC: "read",1,99999,0,0')
    assert bench.modem.stats["unknown_urcs"] == 2
    assert bench.modem.stats["malformed_urcs"] == 4
    assert bench.commands == []


def test_a_restart_by_itself_fails_what_was_in_flight_and_tells_the_node():
    bench = registered()
    ticket = bench.modem.publish([READING])
    bench.say("RDY")
    assert bench.told("failed") == [(ticket, "module restarted")]
    assert bench.told("restarted") == ["by itself"]
    assert bench.modem._status == UNKNOWN


def test_a_module_that_restarted_by_itself_is_told_again_to_stay_awake():
    """3.3 note: it would go to deep sleep in the middle of an exchange."""
    bench = registered()
    bench.say("RDY", serve_ms=3000)
    assert "AT+QSCLK=0" in bench.commands
    assert 'AT+QCFG="dsevent",1' in bench.commands


def test_the_state_after_registration_is_registered():
    assert registered().modem._status == REGISTERED
