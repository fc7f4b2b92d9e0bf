"""Finding the module, and bringing the line into a known state from any state. Loaded at the start.

State that may be found (Telit manual 2.1, and any 3GPP module): echo on or off (E), results as numbers (V0) or
none at all (Q1), other characters for line ends (S3, S4), errors without numbers (CMEE 0 or 2), another rate.
"""

from lwnode.at.recovery import call, timed_out, trouble
from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Sequence

_REPLY_MS = const(300)  # a module that listens has answered AT by then (all four manuals)
_BYTE_MS = const(30)  # silence that ends a reply
_ROUNDS = const(10)  # the first AT after sleep is often lost; BC26 drivers send up to ten
_FINAL = (b"OK", b"ERROR", b"ABORTED", b"NO CARRIER")


def sync(client: "Any", rates: "Sequence[int] | None") -> int:
    """See AtClient.sync. The steps: a reply at some rate; verbose results on; usual line ends; echo off; CMEE 1."""
    if client.before_send is not None:
        call(client, client.before_send, client.clock.ticks_diff(client.clock.ticks_ms(), client._ended))
    if trouble(client).escape:
        client._write(b"\x1b")
    for rate in rates or (0,):
        if rate:
            client.uart.init(baudrate=rate)
        terminator = _knock(client, _ROUNDS if not rates else 3)
        if terminator:
            break
    else:
        client._dirty = True
        timed_out(client, b"AT", _REPLY_MS)
    _settle(client, terminator)
    client._dirty = False
    client._ended = client.clock.ticks_ms()
    trouble(client).answered()
    return rate or 1


def _knock(client: "Any", rounds: int) -> bytes:
    """What ends a command line, found by a module that replied to it; b"" when none did.

    ATQ0 wakes one that was told to give no results. S3 may have moved the line's end away from CR
    (Telit manual 2.1): LF is tried in each round, the other control characters in the end.
    """
    for _ in range(rounds):
        for line in (b"AT\r", b"ATQ0\r", b"ATQ0\n"):
            if _sounds_alive(_ask(client, line, _REPLY_MS)):
                return line[-1:]
    for code in range(1, 32):
        end = bytes((code,))
        if _sounds_alive(_ask(client, b"ATQ0" + end, _BYTE_MS)):
            return end
    return b""


def _settle(client: "Any", end: bytes) -> None:
    """From any state: line ends first, then words instead of numbers, then no echo."""
    if end != b"\r":
        _ask(client, b"ATS3=13" + end, _REPLY_MS)
    for _ in range(3):
        reply = _ask(client, b"AT\r", _REPLY_MS)
        if reply.endswith(b"\r\nOK\r\n"):
            break
        for line in (b"ATQ0\r", b"ATV1\r", b"ATS4=10\r"):
            _ask(client, line, _REPLY_MS)
    _ask(client, b"ATE0\r", _REPLY_MS)
    _ask(client, b"AT+CMEE=1\r", _REPLY_MS)  # ERROR is no harm: not every module has it in every state


def _sounds_alive(reply: bytes) -> bool:
    """A final result in words, or as a number and little else. Noise at a wrong rate is longer."""
    return b"OK" in reply or b"ERROR" in reply or len(reply) < 4 and reply[:1] in (b"0", b"4")


class _Tee:
    """Stands in for the tracer and keeps the raw bytes of one reply."""

    def __init__(self, trace: "Any") -> None:
        self.trace = trace
        self.raw = bytearray()

    def received(self, data: "Any") -> None:
        self.raw.extend(data)
        if self.trace is not None:
            self.trace.received(data)

    def sent(self, data: "Any") -> None:
        if self.trace is not None:
            self.trace.sent(data)


def _ask(client: "Any", command: bytes, timeout_ms: int) -> bytes:
    """Send a line and return the raw reply up to a short silence, without its echo; URCs in it are not lost."""
    clock = client.clock
    tee = _Tee(client._rx.trace)
    client._rx.trace = tee
    try:
        client._write(command)
        deadline = clock.ticks_add(clock.ticks_ms(), timeout_ms)
        heard = -1
        while heard < len(tee.raw) and clock.ticks_diff(deadline, clock.ticks_ms()) > 0:
            heard = len(tee.raw)
            quiet = clock.ticks_add(clock.ticks_ms(), _BYTE_MS) if heard else deadline
            line = client._next(quiet)
            while line is not None:
                if line not in _FINAL and not line.startswith(b"AT") and not line.isdigit():
                    client._unclaimed(line)
                line = client._next(quiet)
    finally:
        client._rx.trace = tee.trace
    client._rx.start = client._rx.end  # with strange line ends it never ends
    if client._rx.framing is not None:
        client._rx.framing.forget()
    reply = bytes(tee.raw)
    return reply[len(command) :] if reply.startswith(command) else reply
