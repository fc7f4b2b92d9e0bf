"""The session in lwnode.at's text is what happens: run line by line against a module that answers as a BC66 would."""

import doctest
import sys
import types

import lwnode.at
import pytest
from fakes.clock import VirtualClock
from fakes.uart import FakeUart

CPYTHON_ONLY = "runs the docstring's session with CPython's doctest"

OK = b"\r\nOK\r\n"
URC = b'\r\n+CEREG: 5,"1A2B","01A2D101",9\r\n'
SCRIPT = [(b"AT\r", OK), (b"AT\r", OK), (b"ATE0\r", OK), (b"AT+CMEE=1\r", OK),
          (b"AT+CSQ\r", b"\r\n+CSQ: 18,99\r\n" + OK),
          (b"AT+CSQ\r", b"\r\n+CSQ: 18,99\r\n" + OK),
          (b"AT+CEREG?\r", b"\r\n+CEREG: 0,1\r\n" + OK),
          (b"AT+CEREG=5\r", [(2, OK), (9000, URC)]),
          (b"AT+QLWREG\r", [(2, OK), (5000, b"\r\n+QLWREG: 0\r\n")]),
          (b"AT+QLWRD=512\r", b"\r\n+QLWRD: 2,0\r\n3031\r\n" + OK),
          (b'AT#M2MWRITE="/XML/object_3303.xml",4\r', b"\r\n>>>"), (b"abcd", OK)]


def test_the_session_in_the_docstring(monkeypatch):
    clock = VirtualClock()
    uart = FakeUart(clock).script(SCRIPT)
    machine = types.ModuleType("machine")
    machine.UART = lambda *args, **options: uart
    monkeypatch.setitem(sys.modules, "machine", machine)
    monkeypatch.setitem(sys.modules, "time", clock)
    test = doctest.DocTestParser().get_doctest(lwnode.at.__doc__, {}, "lwnode.at", None, 0)
    assert len(test.examples) > 10
    for example in test.examples:
        example.source = example.source.replace("60_000)", "10_000)")
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    said: list[str] = []
    runner.run(test, out=said.append)
    if runner.failures:
        pytest.fail("".join(said))
    assert not uart.script_left
