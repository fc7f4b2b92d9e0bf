"""A session as the module's text tells it, byte for byte, whatever the UART hands out at a time."""

from fakes.clock import VirtualClock
from fakes.uart import FakeUart
from lwnode.at import AtClient, AtTimeout, CommandError, fields

OK = b"\r\nOK\r\n"


def clients(script):
    """The same module behind UARTs that hand out 1, 3, 8 bytes a read, or all there is."""
    for chunk in (1, 3, 8, None):
        clock = VirtualClock()
        uart = FakeUart(clock, chunk=chunk).script(script)
        yield AtClient(uart, clock), uart, clock


def test_ask_and_subscribe_and_see_a_urc_arrive():
    for at, uart, _ in clients([(b"AT+CSQ\r", b"\r\n+CSQ: 18,99\r\n" + OK), (b"AT+CEREG=5\r", OK)]):
        heard = []
        assert at.send("AT+CSQ") == ["+CSQ: 18,99"]
        at.subscribe("+CEREG", heard.append)
        assert at.write("+CEREG", 5) == []
        uart.feed(b'\r\n+CEREG: 5,"1A2B","01A2D101",9\r\n', after_ms=700)
        assert at.poll(1000) == 1
        assert heard == ['+CEREG: 5,"1A2B","01A2D101",9']


def test_the_four_command_forms():
    script = [
        (b"AT+QLWSERV=?\r", b'\r\n+QLWSERV: "(IP)",(0-65535)\r\n' + OK),
        (b"AT+QLWSERV?\r", b'\r\n+QLWSERV: "10.0.0.1",5683\r\n' + OK),
        (b'AT+QLWSERV="10.0.0.1",5683\r', OK),
        (b"AT+QLWUPDATE\r", OK),
    ]
    for at, _, _ in clients(script):
        assert at.test("QLWSERV") == [["(IP)", "(0-65535)"]]
        assert at.read("+QLWSERV") == [["10.0.0.1", "5683"]]
        assert at.write("QLWSERV", "10.0.0.1", 5683) == []
        assert at.run("QLWUPDATE") == []


def test_result_long_after_ok():
    for at, _, clock in clients([(b"AT+QLWREG\r", [(5, OK), (127_000, b"\r\n+QLWREG: 0\r\n")])]):
        assert at.send("AT+QLWREG", result="+QLWREG:", result_timeout_ms=128_000) == ["+QLWREG: 0"]
        assert clock.now == 127_000


def test_payload_by_length_after_the_line():
    for at, _, _ in clients([(b"AT+QLWRD=12\r", b'\r\n+QLWRD: 12,0\r\nOK\r\n"a,b"\r\n\r\n' + OK)]):
        lines = at.write("QLWRD", 12, payload=lambda line: int(fields(line)[0]))
        assert lines == [["12", "0"], ['OK\r\n"a,b"\r\n\r'[:12]]]


def test_prompt_and_data():
    for at, uart, _ in clients([(b'AT#M2MWRITE="a",5\r', b"\r\n>>>", 20), (b"<x/>\r", OK)]):
        assert at.send('AT#M2MWRITE="a",5', data=b"<x/>\r", prompt=">>>") == []
        assert uart.sent.endswith(b"<x/>\r")


def test_timeout_comes_at_the_deadline_and_the_late_answer_belongs_to_nobody():
    late = b"\r\n+X: 9,9,9\r\n" + OK
    script = [(b"AT+X?\r", late, 2500), (b"AT\r", OK), (b"AT+X?\r", b"\r\n+X: 1,2,3\r\n" + OK)]
    for at, _, clock in clients(script):
        try:
            at.read("X", timeout_ms=2000)
            assert False, "no timeout"
        except AtTimeout:
            assert clock.now == 2000
        assert at.read("X") == [["1", "2", "3"]]


def test_errors_have_code_text_and_kind():
    script = [
        (b"AT+A\r", b"\r\n+CME ERROR: 0\r\n"),
        (b"AT+A\r", b"\r\n+CMEE ERROR:4\r\n"),
        (b"AT+A\r", b"\r\n+CMS ERROR: SIM not inserted\r\n"),
        (b"AT+A\r", b"\r\nERROR\r\n"),
    ]
    expected = [(0, "0", "+CME ERROR"), (4, "4", "+CMEE ERROR"), (None, "SIM not inserted", "+CMS ERROR"),
                (None, "ERROR", "ERROR")]
    for at, _, _ in clients(script):
        for code, text, result in expected:
            try:
                at.run("A")
                assert False, "no error"
            except CommandError as error:
                assert (error.code, error.text, error.result) == (code, text, result)
