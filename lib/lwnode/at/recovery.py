"""What happens when something went wrong: refusals, silence, restarts, a full UART, a dirty line. Loaded then."""

from lwnode.at.errors import AtTimeout, CommandError, LinkError
from lwnode.at.names import any_matches
from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Callable, NoReturn, Sequence

_REPLY_MS = const(300)  # a module that listens has answered AT by then (all four manuals)
_LATE_MS = const(1000)  # a late answer that has not come by then is taken for lost
_LATE_AT_MS = const(100)  # the same where only AT was given up: it takes no time once the module listens
_OWED_MS = const(130_000)  # BC20 manual 3.5 to 3.8: results come within 128 s
_WRITE_MS = const(5000)  # a 2 KB line takes 2.1 s at 9600 baud
_FINAL = (b"OK", b"ERROR", b"ABORTED", b"NO CARRIER")
_REFUSALS = ("ERROR", "ABORTED", "NO CARRIER", "BUSY", "NO DIALTONE", "NO ANSWER")


class Trouble:
    """What one client has to remember once something went wrong or could."""

    def __init__(self) -> None:
        self.escape = False  # the module may be waiting for data
        self.booted = False  # a banner came and nothing was answered since
        self.row = 0  # timeouts in a row
        self.owed: "Sequence[bytes]" = ()  # late results that never came
        self.owed_since = 0
        self.pending = 0  # final results that commands given up may still bring
        self.slow = False  # one of them is not just AT's
        self.in_hook = False

    def answered(self) -> None:
        """A final result came: the module lives."""
        self.escape = self.booted = False
        self.row = 0

    def owes(self, line: bytearray, now: int, clock: "Any") -> bool:
        """Is this a late result that was given up, and can it be so late?"""
        return any_matches(line, self.owed) and clock.ticks_diff(now, self.owed_since) < _OWED_MS


def trouble(client: "Any") -> Trouble:
    """The client's, made on first use."""
    if client._trouble is None:
        client._trouble = Trouble()
    return client._trouble  # type: ignore[no-any-return]


def call(client: "Any", hook: "Callable[[int], object] | None", value: int) -> None:
    """A hook that may send, if there is one; it is not called for what it sends itself."""
    state = trouble(client)
    if hook is not None and not state.in_hook:
        state.in_hook = True
        try:
            hook(value)
        finally:
            state.in_hook = False


def refused(client: "Any", line: bytearray) -> None:
    """Raise CommandError if this line is a final result that says no; +CMEE: 1 is none."""
    text = client._text(line)
    code: int | None = None
    kind = ""
    if text[0] == "+":
        where = text.find("ERROR")
        kind = text[:where].strip() if where > 0 else ""
        if kind not in ("+CME", "+CMEE", "+CMS"):
            return
        kind += " ERROR"
        text = text[where + 5 :].strip(" :")
        try:
            code = int(text)
        except ValueError:
            pass  # CMEE=2 gives words
    elif text not in _REFUSALS:
        return
    if client._secrets:
        from lwnode.at.trace import redact

        text = str(redact(text.encode(), client._secrets), "utf-8")
    client._dirty = False
    trouble(client).answered()
    raise CommandError(code, text, client._command, kind)


def timed_out(client: "Any", command: bytes, timeout_ms: int) -> "NoReturn":
    """Count, let the board escalate, raise. A module that said OK and owes only a late result is not silent."""
    client.stats.timeouts += 1
    if client._rx.trace is not None:
        client._rx.trace.flush()
    if client._dirty:
        state = trouble(client)
        state.row += 1
        if client.on_timeouts is not None:
            call(client, client.on_timeouts, state.row)
    name = str(command.split(b"=")[0].strip(), "utf-8")  # without the parameters, which may be secret
    raise AtTimeout("%s: no %s within %d ms" % (name, "answer" if client._dirty else "result", timeout_ms))


def restarted(client: "Any", text: str) -> None:
    """A boot banner. It has several lines, and counts once until the module has answered something."""
    state = trouble(client)
    if not state.booted:
        state.booted = True
        client.stats.restarts += 1
        if client.on_restart is not None:
            client.on_restart(text)
    if client._running:
        raise LinkError("the module restarted in mid-command: " + text[:20])


def write_rest(client: "Any", out: bytes, sent: int) -> None:
    """machine.UART takes less than it is given when its buffer is full; the module may hold us back by CTS."""
    rest = memoryview(out)[sent:]
    deadline = _deadline(client, _WRITE_MS)
    while len(rest):
        sent = client.uart.write(rest) or 0
        rest = rest[sent:]
        if not sent:
            if _left(client, deadline) <= 0:
                raise AtTimeout("the UART takes no more bytes: is CTS held, or the module off?")
            if client.idle is not None:
                client.idle()
            client.clock.sleep_ms(1)


def resync(client: "Any", command: bytes, timeout_ms: int) -> None:
    """Settle a dirty line for `command`: AT until the module answers, `timeout_ms` at most; then till nothing is outstanding.

    The module answers in order. So with the final results counted, also over several calls, the line is settled when
    as many came as commands went out, or when none came for a second (a tenth, if only AT was given up, as when
    the module sleeps): the others are lost then. AtTimeout where nothing answers.
    """
    if not client._dirty:
        return
    state = trouble(client)
    give_up = _deadline(client, timeout_ms)
    if not state.pending and not state.booted:
        state.pending = 1
    if client._command != b"AT\r":
        state.slow = True
    if state.escape:
        client._write(b"\x1b")  # a prompt was due: what follows would be taken for data
    client._read_past()
    answered = False
    while not answered:
        left = _left(client, give_up)
        if left <= 0:
            timed_out(client, command, timeout_ms)
        client._write(b"AT\r")
        state.pending += 1
        answered = _listen(client, min(left, _REPLY_MS))
    while state.pending > 0 and _listen(client, _LATE_MS if state.slow else _LATE_AT_MS):
        pass
    state.pending = 0
    state.slow = False
    state.answered()
    client._dirty = False
    client._ended = client.clock.ticks_ms()


def _listen(client: "Any", quiet_ms: int) -> bool:
    """Wait for a final result so long. Other lines go where they belong."""
    deadline = _deadline(client, quiet_ms)
    while True:
        line = client._next(deadline)
        if line is None:
            return False
        if client._begun:
            client._begun = False
            client._unclaimed(line)
        elif line in _FINAL or line.startswith(b"+CM") and b"ERROR" in line:
            state = trouble(client)
            state.pending -= 1
            client.stats.late += state.pending > 0  # the last of them is our own
            return True
        elif line != b"AT":
            client._unclaimed(line)


def _deadline(client: "Any", ms: int) -> int:
    return client.clock.ticks_add(client.clock.ticks_ms(), ms)  # type: ignore[no-any-return]


def _left(client: "Any", deadline: int) -> int:
    return client.clock.ticks_diff(deadline, client.clock.ticks_ms())  # type: ignore[no-any-return]
