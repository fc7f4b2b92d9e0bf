"""Answer, URC, or something late? Loaded when a line could be more than one of them."""

from lwnode.at.names import matches
from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

_FINAL = (b"OK", b"ERROR", b"ABORTED", b"NO CARRIER")
# 3GPP TS 27.007: the answer of these has one field more (<n>) than the URC of the same name.
_REGISTRATION = (b"+CREG", b"+CGREG", b"+CEREG", b"+C5GREG")


def is_answer(client: "Any", line: bytearray) -> bool:
    """A line has the name of the command's answer. Is it the answer, or a URC (+CEREG, +CPIN, +QLWUPDATE)?

    In this order: the family's hook; a prefix that the caller named; registration by its number of fields; names
    nobody subscribed; then by the command's form: what a write form (AT+CFUN=1) is followed by is a URC.
    """
    name = client._name
    command = client._command[:-1]
    if client.is_answer is not None:
        verdict = client.is_answer(str(command, "utf-8"), client._text(line))
        if verdict is not None:
            return bool(verdict)
    if name and client._explicit:
        return True
    if name in _REGISTRATION:
        return _answers_registration(command, line)
    claimed = False
    for prefix, _ in client._subscribed:
        if prefix and matches(line, prefix):
            claimed = True
    if not name:  # ATI, or prefix="": what looks like nobody else's
        return not claimed and line != command and (client._explicit or line[0] not in b"+#*^")
    return not claimed or command[-1] == 63 or b"=" not in command


def _answers_registration(command: bytes, line: bytearray) -> bool:
    """+CEREG: 2,5,"1A2B" answers AT+CEREG?, and +CEREG: 5,"1A2B" is the URC."""
    if command[-2:] == b"=?":
        return True
    second = line.find(b",") + 1
    return command[-1] == 63 and second > 0 and not line[second:].lstrip().startswith(b'"')


def is_late(client: "Any", line: bytearray) -> bool:
    """Does it belong to a command, or to a late result, that was given up? Then it is counted, and belongs to nobody."""
    if line in _FINAL or line.startswith(b"+CM") and b" ERROR" in line:
        client.stats.late += 1
        if client._trouble is not None and client._trouble.pending:
            client._trouble.pending -= 1
        return True
    if client._dirty and not client._running and client._name:
        if matches(line, client._name) and is_answer(client, line):
            client.stats.late += 1
            return True
    late = client._trouble
    if late is not None and late.owed and late.owes(line, client.clock.ticks_ms(), client.clock):
        late.owed = ()
        client.stats.late += 1  # and still a URC for who subscribed it
    return False
