"""examples/sms.py against a scripted module: nothing of LwM2M, only lwnode.at."""

import sys

from fakes.refusal import raised
from fakes.clock import VirtualClock
from fakes.uart import FakeUart
from lwnode.at import AtClient

sys.path.append(__file__.rsplit("/", 2)[0] + "/examples")
from sms import Sms, _hex, _text  # noqa: E402

OK = b"\r\nOK\r\n"
COMMANDS = (b"AT", b"AT", b"ATE0", b"AT+CMEE=1", b"AT+CMGF=1", b'AT+CSCS="UCS2"', b"AT+CNMI=2,1")
START = [(command + b"\r", OK) for command in COMMANDS]
NUMBER = "002B0034003900310035"  # +4915


def message(text):
    return ('\r\n+CMGR: "REC UNREAD","%s",,"24/01/31,12:00:00+04"\r\n%s\r\n' % (NUMBER, _hex(text))).encode() + OK


def sending(text, answer):
    return [(('AT+CMGS="%s"\r' % NUMBER).encode(), b"\r\n> ", 40), (_hex(text).encode() + b"\x1a", answer, 4000)]


def sms(script):
    uart = FakeUart(VirtualClock()).script(START + script)
    one = Sms(AtClient(uart, uart.clock), lambda: "21.5 C")
    one.start()
    return one, uart


def test_a_message_goes_out_after_the_prompt_and_its_reference_comes_back():
    one, uart = sms(sending("awake", b"\r\n+CMGS: 7\r\n" + OK))
    assert one.send("+4915", "awake") == 7 and not uart.script_left
    for text in ("", "x" * 161):
        assert str(len(text)) in str(raised(ValueError, one.send, "+4915", text))


def test_status_is_answered_each_message_deleted_and_none_forges_anything():
    script = [(b"AT+CMGR=3\r", message("status?"))] + sending("21.5 C", b"\r\n+CMGS: 8\r\n" + OK) + [(b"AT+CMGD=3\r", OK)]
    script += [(b"AT+CMGR=4\r", message('OK\r\n+CMTI: "SM",9')), (b"AT+CMGD=4\r", OK)]
    one, uart = sms(script)
    uart.feed(b'\r\n+CMTI: "SM",3\r\n\r\n+CMTI: "SM",4\r\n\r\n+CMTI: "SM",x\r\n', after_ms=500)
    one.serve(1000)
    assert one.waiting == [] and one.failures == 0 and not uart.script_left


def test_what_fails_is_tried_again_with_the_next_call():
    one, uart = sms([(b"AT+CMGR=3\r", b"\r\n+CMS ERROR: 314\r\n"), (b"AT+CMGR=3\r", message("hello")), (b"AT+CMGD=3\r", OK)])
    uart.feed(b'\r\n+CMTI: "SM",3\r\n')
    for failures, waiting in ((1, [3]), (1, [])):
        one.serve(10)
        assert (one.failures, one.waiting) == (failures, waiting)
    assert not uart.script_left
    assert _text("004F004B") == "OK" and _text("no hex") == ""
