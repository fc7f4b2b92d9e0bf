"""What can go wrong on an AT line, and what is done then: refusals, silence, restarts, a full UART, a line out of step.

A module answers in order. So when a command was given up, its final result is counted as outstanding, and the next command
first sends AT until as many final results came as commands went out, or none came for a while (`resync`).

`synchronize`, which is AtClient.sync, finds a module in any state (Telit manual 2.1, and any 3GPP module): echo on or off
(E), results as numbers (V0) or none at all (Q1), other characters for line ends (S3, S4), errors without numbers (CMEE 0 or
2), another rate.
"""

from lwnode.at.fields import redact
from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import NoReturn, Sequence

    from lwnode.at.client import AtClient

_REPLY_MS = const(300)  # a module that listens has answered AT by then (all four manuals)
_LATE_MS = const(1000)  # a late answer that has not come by then is taken for lost
_LATE_AT_MS = const(100)  # the same where only AT was given up: it takes no time once the module listens
_BYTE_MS = const(30)  # the same where all line ends are tried
_ROUNDS = const(10)  # the first AT after sleep is often lost; BC26 drivers send up to ten
SLOW = const(1)  # of a client's marks: a command other than AT was given up
ESCAPE = const(2)  # the module may be waiting for data
BOOTED = const(4)  # a banner came and nothing was answered since
LOST = const(8)  # a line of the answer was too long
_PROBES = (b"ATQ0\n", b"AT\r", b"ATQ0\r")  # the first of them comes last in each round
_REFUSALS = ("ERROR", "ABORTED", "NO CARRIER", "BUSY", "NO DIALTONE", "NO ANSWER")


class AtError(Exception):
    """Anything that went wrong between us and the module; the more telling kinds follow.

    `lines` are the information lines that had come by then.
    """

    lines: "Sequence[str]" = ()


class AtTimeout(AtError):
    """Nothing came in time: no final result, no prompt, no result that was armed, no line waited for."""


class LinkError(AtError):
    """The module restarted in mid-command: its boot banner came instead of an answer."""


class BudgetExceeded(AtError):
    """Raised by the `idle` hook when the wake may take no longer. The driver stays usable."""


class CommandError(AtError):
    """The module refused.

    `code`    the number after +CME, +CMEE or +CMS ERROR (0 is a failure too), None where it gave none
    `text`    what it said in words: "SIM not inserted", "ERROR", "ABORTED", "SEND FAIL"; the number as text else
    `result`  "+CME ERROR", "+CMEE ERROR", "+CMS ERROR", or the text itself. BC66 uses the first two for
              different number spaces.
    """

    def __init__(self, code: int | None, text: str, command: bytes = b"", result: str = "") -> None:
        super().__init__("%s: %s %s" % (name_of(command), result, text))
        self.code = code
        self.text = text
        self.result = result or text


def name_of(command: bytes) -> str:
    """A command for an exception's text: without its parameters, which may be secret."""
    return str(command.split(b"=")[0].strip(), "utf-8")


def is_final(line: "bytes | bytearray") -> bool:
    """Does this line end some command?"""
    return line in (b"OK", b"ERROR", b"ABORTED", b"NO CARRIER") or line.startswith(b"+CM") and b" ERROR" in line


def refused(client: "AtClient", line: "bytes | bytearray") -> None:
    """Raise CommandError if this line is a final result that says no; +CMEE: 1 is none."""
    text = client.text(line)
    kind, _, words = text.partition("ERROR")
    kind = kind.strip()
    code: int | None = None
    if kind in ("+CME", "+CMEE", "+CMS"):
        kind += " ERROR"
        text = words.strip(" :")
        try:
            code = int(text)
        except ValueError:
            pass  # CMEE=2 gives words
    elif text in _REFUSALS:
        kind = ""
    else:
        return
    if client._secrets:
        text = str(redact(text.encode(), client._secrets), "utf-8")
    client._dirty = False
    client._marks = 0
    raise CommandError(code, text, client._command, kind)


def timed_out(client: "AtClient", command: bytes, timeout_ms: int) -> "NoReturn":
    """Count and raise. A module that said OK and owes only a late result is not silent."""
    client.stats.timeouts += 1
    if client._rx.trace is not None:
        client._rx.trace.flush()
    what = "answer" if client._dirty else "result"
    raise AtTimeout("%s: no %s within %d ms" % (name_of(command), what, timeout_ms))


def resync(client: "AtClient", command: bytes, timeout_ms: int) -> None:
    """Bring a line into step for `command`: AT till the module answers, `timeout_ms` at most; then till nothing is outstanding.

    What has not come after a second (a tenth, if only AT was given up, as when the module sleeps) is lost. AtTimeout where
    nothing answers.
    """
    give_up = client.deadline(timeout_ms)
    if client._command != b"AT\r":
        client._marks |= SLOW
        client._command = b"AT\r"
    if client._marks & ESCAPE:
        client._write(b"\x1b")  # a prompt was due: what follows would be taken for data
    client._read_past()
    heard = False
    while not heard:
        left = client.left(give_up)
        if left <= 0:
            timed_out(client, command, timeout_ms)
        client._write(b"AT\r")
        client._pending += 1
        heard = _listen(client, min(left, _REPLY_MS))
    while client._pending > 0 and _listen(client, _LATE_MS if client._marks & SLOW else _LATE_AT_MS):
        pass
    client._dirty = False
    client._marks = 0
    client._ended = client.clock.ticks_ms()


def _listen(client: "AtClient", quiet_ms: int) -> bool:
    """Wait for a final result so long. Other lines go where they belong."""
    deadline = client.deadline(quiet_ms)
    while True:
        line = client._next(deadline)
        if line is None:
            return False
        if client._begun or not is_final(line):
            client._begun = False
            client._unclaimed(line)
        else:
            client._pending -= 1
            client.stats.late += client._pending > 0  # the last of them is our own
            return True


def synchronize(client: "AtClient", rates: "Sequence[int] | None" = None) -> int:
    """Find the module and bring the line into a known state: echo off, V1, Q0, CMEE 1, S3 and S4 as usual. AtClient.sync.

    `rates` are tried in turn on the UART. Returns the rate that answered, or 1 when none was to be found.
    Raises AtTimeout when the module does not answer.
    """
    if client._marks & ESCAPE:
        client._write(b"\x1b")
    for rate in rates or (0,):
        if rate:
            client.uart.init(baudrate=rate)
        end = _find(client, 3 if rates else _ROUNDS)
        if end:
            break
    else:
        client._dirty = True
        timed_out(client, b"AT", _REPLY_MS)
    if end != b"\r":
        _ask(client, b"ATS3=13" + end)
    for _ in range(3):
        if _ask(client, b"AT\r").endswith(b"\r\nOK\r\n"):
            break
        for line in (b"ATQ0\r", b"ATV1\r", b"ATS4=10\r"):
            _ask(client, line)
    for line in (b"ATE0\r", b"AT+CMEE=1\r"):  # ERROR is no harm: not every module has it in every state
        _ask(client, line)
    client._dirty = False
    client._marks = 0
    client._ended = client.clock.ticks_ms()
    return rate or 1


def _find(client: "AtClient", rounds: int) -> bytes:
    """What ends a command line, found by a module that replied to it; b"" when none did.

    ATQ0 wakes one that was told to give no results. S3 may have moved the line's end away from CR
    (Telit manual 2.1): LF is tried in each round, the other control characters in the end. A reply is a final result in
    words, or as a number and little else: noise at a wrong rate is longer.
    """
    for turn in range(1 - 3 * rounds, 32):
        line = b"ATQ0" + bytes((turn,)) if turn > 0 else _PROBES[turn % 3]
        reply = _ask(client, line, _BYTE_MS if turn > 0 else _REPLY_MS)
        if b"OK" in reply or b"ERROR" in reply or len(reply) < 4 and reply[:1] in (b"0", b"4"):
            return line[-1:]
    return b""


def _ask(client: "AtClient", command: bytes, timeout_ms: int = _REPLY_MS) -> bytes:
    """Send a line and return the raw reply of so many milliseconds, without its echo; URCs in it are not lost."""
    rx = client._rx
    rx.raw = raw = bytearray()
    client._command = command
    try:
        client._write(command)
        deadline = client.deadline(timeout_ms)
        line = client._next(deadline)
        while line is not None:
            if not is_final(line) and not line.isdigit():
                client._unclaimed(line)
            line = client._next(deadline)
    finally:
        rx.raw = None
    rx.start = rx.searched = rx.end  # with strange line ends it never ends
    rx.expect(0)
    return bytes(raw[len(command) :] if raw.startswith(command) else raw)
