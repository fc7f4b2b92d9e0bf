"""The scenarios that eight other MicroPython drivers were measured with, one test each, under their names.

The value asked for is `+X: 1,2,3`; what the others did is told in the driver comparison that this project began with:
no one of them passes all.
"""

from fakes.refusal import raised
from fakes.clock import VirtualClock
from fakes.uart import FakeUart, hear
from lwnode.at import AtClient, AtTimeout, CommandError

OK = b"\r\nOK\r\n"
INFO = b"\r\n+X: 1,2,3\r\n"
URC = b'\r\n+CEREG: 5,"1A2B","01A2D101",9\r\n'


def ask(reply, urcs=0, timeout_ms=2000):
    """AT+X? is answered with `reply`, in crumbs of 1, 3 and 8 bytes. The value comes back, and all URCs arrive."""
    for chunk in (1, 3, 8, None):
        clock = VirtualClock()
        uart = FakeUart(clock, chunk=chunk).script([(b"AT+X?\r", reply, 5)])
        at = AtClient(uart, clock)
        heard = hear(at, "+CEREG")
        assert at.read("+X", timeout_ms=timeout_ms) == [["1", "2", "3"]]
        assert heard == []  # handlers run between commands
        at.poll(10)
        assert heard == ['+CEREG: 5,"1A2B","01A2D101",9'] * urcs
    return at


def refused(reply):
    clock = VirtualClock()
    at = AtClient(FakeUart(clock).script([(b"AT+X?\r", reply), (b"AT+X?\r", INFO + OK)]), clock)
    error = None
    try:
        at.read("+X", timeout_ms=2000)
    except CommandError as refusal:
        error = refusal
    assert error is not None
    assert clock.now < 100, "the error was waited for"
    assert at.read("+X") == [["1", "2", "3"]]  # the driver lives
    return error


def test_urc_before_info():
    ask(URC + INFO + OK, urcs=1)


def test_urc_after_info():
    ask(INFO + URC + OK, urcs=1)


def test_urc_burst_idle():
    for chunk in (1, 3, 8, None):
        clock = VirtualClock()
        uart = FakeUart(clock, chunk=chunk)
        at = AtClient(uart, clock)
        heard = hear(at, "+CEREG")
        uart.feed(URC * 20, after_ms=50)
        assert at.poll(100) == 20
        assert len(heard) == 20
        assert clock.now == 100


def test_split_lines():
    clock = VirtualClock()
    uart = FakeUart(clock).script([(b"AT+X?\r", [(10, b"\r\n+X: 1"), (400, b",2,3\r"), (800, b"\n\r\nO"), (1200, b"K\r\n")])])
    assert AtClient(uart, clock).read("+X", timeout_ms=2000) == [["1", "2", "3"]]


def test_boot_noise():
    at = ask(b"\x00\xff\x80\xfe" + INFO + OK)
    assert at.stats.restarts == 0


def test_boot_noise_line():
    ask(b"\x00\xff\xff\x80\r\n" + INFO + OK)


def test_silent():
    clock = VirtualClock()
    at = AtClient(FakeUart(clock), clock)
    for _ in range(3):
        began = clock.now
        raised(AtTimeout, at.read, "+X", timeout_ms=2000)
        assert clock.now - began == 2000  # at the deadline, never later
    assert at.stats.timeouts == 3


def test_cme_numeric():
    error = refused(b"\r\n+CME ERROR: 10\r\n")
    assert (error.code, error.text, error.result) == (10, "10", "+CME ERROR")


def test_cme_verbose():
    error = refused(b"\r\n+CME ERROR: SIM not inserted\r\n")
    assert (error.code, error.text) == (None, "SIM not inserted")


def test_cms():
    error = refused(b"\r\n+CMS ERROR: 500\r\n")
    assert (error.code, error.result) == (500, "+CMS ERROR")


def test_late_reply():
    late = b"\r\n+X: 9,9,9\r\n" + OK
    for after_ms in (2001, 2100, 2250, 2500, 2900):
        for chunk in (1, 3, 8, None):
            clock = VirtualClock()
            script = [(b"AT+X?\r", late, after_ms), (b"AT\r", OK), (b"AT+X?\r", INFO + OK, 5)]
            at = AtClient(FakeUart(clock, chunk=chunk).script(script), clock)
            raised(AtTimeout, at.read, "+X", timeout_ms=2000)
            assert at.read("+X") == [["1", "2", "3"]]
            assert at.stats.late == 2  # the information line and its OK


def test_ok_in_payload():
    ask(b'\r\n+Y: LOOK\r\n\r\n+Y: "OK"\r\n' + INFO + OK)


def test_error_in_payload():
    ask(b'\r\n+Y: "LAST ERROR"\r\n' + INFO + OK)


def test_echo_on():
    ask(b"AT+X?\r" + INFO + OK)
    ask(b"AT+X?\r\r\n+X: 1,2,3\r\nOK\r\n")


def test_long_line():
    clock = VirtualClock()
    line = "+X: " + "x" * 2000
    uart = FakeUart(clock).script([(b"AT+X?\r", b"\r\n" + line.encode() + b"\r\n" + OK)])
    assert AtClient(uart, clock, rx_size=2048).send("AT+X?") == [line]


def test_gt_in_data():
    ask(b'\r\n+Y: "a> b"\r\n' + INFO + OK)
    ask(b'\r\n+Y: "a> \r\n+X: 1,2,3\r\n' + OK)
