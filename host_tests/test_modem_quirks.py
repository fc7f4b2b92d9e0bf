"""Oddities and contradictions that no other test is named after; tools/commands/quirks.tsv has all of them."""

from fakes.refusal import raised
from fakes.modem_bench import Bench
from fakes.telit import Node, ready

from lwnode.at import AtError
from lwnode.lwm2m import FLOAT, OPAQUE, Path
from lwnode.modem import REGISTERED, Server

TEMPERATURE = Path(3303, 0, 5700)


def test_error_0_is_a_failure():
    """field_quirks 2.3: +CME ERROR: 0 is "phone failure", no success."""
    bench = Bench("bc66", {"AT+QLWNOTIFY=": "+CME ERROR: 0"})
    ticket = bench.modem.publish([(TEMPERATURE, FLOAT, "21.5", None)])
    bench.modem.service(10)
    assert [detail[0] for detail in bench.told("failed")] == [ticket] and not bench.told("delivered")
    bench = Bench("bc66", {"AT+QLWADDOBJ=": "+CME ERROR: 0", "AT+QLWREG": "+CME ERROR: 0", "AT+QLWSTATUS?": "+QLWSTATUS: 0",
                           "AT+QLWDELOBJ=": "+CME ERROR: 0"})
    raised(AtError, bench.modem.declare, [(3303, 0, (5700,))])
    assert not bench.modem.register(1000) and not bench.modem.undeclare(3303)
    for family in ("bc20", "bg96"):
        bench = Bench(family, {"AT+QLWDATASEND=": "+CME ERROR: 0", 'AT+QLWM2M="ulhex",19,2,"3031"': "+CME ERROR: 0"})
        ticket = bench.modem.publish([(Path(19, 0, 0), OPAQUE, b"01", None)])
        bench.modem.service(10)
        assert [detail[0] for detail in bench.told("failed")] == [ticket], family


def test_a_write_that_declares_more_bytes_than_it_has_is_passed_on_as_it_is():
    """field_quirks 3: a capture of a BC26 declares 27 bytes and has 13."""
    bench = Bench("bc20")
    bench.say("+QLWDATARECV: 19,1,0,27," + "41" * 13)
    assert [request.value for request in bench.requests] == [b"A" * 13]


def test_ring_codes_come_quoted_and_bare():
    """lwm2m_mapping 3.4, contradiction 16."""
    for line in ('#LWM2MRING: "NOT"', "#LWM2MRING: NOT"):
        made = Node(ready(3303)).started()
        made.urc(line)
        assert made.commands[-1] == "AT#LWM2MACK=1" and made.modem.stats["rings"] == 1


def test_a_restart_of_bg96_passes_through_stray_lines():
    """field_quirks 5: CFUN=1,1, then POWERED DOWN, a stray +QIURC, RDY after about 6 s, and refusals until APP RDY."""
    bench = Bench("bg96", {
        "AT+CFUN=1,1": ["OK", (200, "POWERED DOWN"), (400, '+QIURC: "pdpdeact",1'), (6000, "RDY"), (7500, "APP RDY")],
        'AT+QLWM2M="update",101': "OK", 'AT+QLWM2M="select"': '+QLWM2M: "select",0'})
    assert bench.modem.restart()
    assert bench.told("restarted") == ["command"]
    assert bench.modem.status() == REGISTERED


def test_a_server_that_changes_is_told_apart_by_every_part_of_the_account():
    """field_quirks 5: after a change of server persistent files and contexts of the old one must go."""
    first = Server("192.0.2.7", 5683, "node-1")
    others = (Server("192.0.2.8", 5683, "node-1"), Server("192.0.2.7", 5684, "node-1"), Server("192.0.2.7", 5683, "node-2"))
    for family, old in (("bc20", "AT+QLWDEL"), ("bg96", 'AT+QLWM2M="reset"')):
        for other in others:
            bench = Bench(family, {"AT+QLWSERV?": '+QLWSERV: "192.0.2.7",5683', "AT+QLWCONF?": '+QLWCONF: "node-1"'})
            bench.modem.configure(first)
            mark = len(bench.commands)
            bench.modem.configure(first)
            assert bench.commands[mark:] == []
            bench.modem.configure(other)
            assert old in bench.commands[mark:], (family, other)
