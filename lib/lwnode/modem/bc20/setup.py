"""BC20: the account and the pipe's two objects. Loaded when it is first called.

    AT+QLWSERV?  AT+QLWCONF?      read first; another platform needs AT+QLWDEL before (3.12, 5.1)
"""

from binascii import crc32

from lwnode.at import CommandError
from lwnode.modem import NOT_REGISTERED, pipe, ranges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lwnode.modem import Server
    from lwnode.modem.bc20 import Driver


def inspect(modem: "Driver") -> "dict[str, str]":
    """The test forms: a firmware older than NAR01A01 (chapter 2) refuses them."""
    found = {}
    for name in ("+QLWSERV", "+QLWCONF", "+QLWRD", "+QLWCFG"):
        rows = modem.ask(modem.at.test, name)
        found[name] = "refused" if rows is None else ",".join([str(value) for row in rows for value in row])
    return found


def check(modem: "Driver", server: "Server") -> None:
    """Unsupported names what BC20 cannot hold."""
    pipe.refuse_account("BC20", server, ("lifetime", "binding", "security", "bootstrap"))
    if not server.endpoint:
        raise ValueError("endpoint: expected a name, the IMEI as a rule (BC20 manual 3.2), found none")
    ranges.no_retransmission(modem, "its results come within 128 s")
    ranges.budget(modem, "awake_budget: a confirmed message of BC20 takes about 128 s")


def configure(modem: "Driver", server: "Server") -> bool:
    """QLWSERV, QLWCONF and the two objects. Never needs a restart of its own."""
    check(modem, server)
    modem.server = server
    mark = crc32(repr((server.host, server.port, server.endpoint, modem.radio_options())).encode()) | 1
    if mark == modem._configured:
        return modem._restart_due
    modem._steadily(_write_all, modem, server)
    modem._configured = mark
    return modem._restart_due


def _write_all(modem: "Driver", server: "Server") -> None:
    modem._write_apn()
    modem.configure_radio()
    try:
        _set_up(modem, server, False)
    except CommandError:
        # After any error of the set-up only a deleted context helps (field_quirks 5).
        _set_up(modem, server, True)


def _set_up(modem: "Driver", server: "Server", delete: bool) -> None:
    known = [row[:2] for row in modem.ask(modem._query, "+QLWSERV") or []]
    name = [row[:1] for row in modem.ask(modem._query, "+QLWCONF") or []]
    same = known == [[server.host, str(server.port)]] and name == [[server.endpoint]]
    if delete or (known and not same):
        modem.forget()  # 5.1: needed before another platform is set
    if delete or not same:
        modem.at.write("+QLWSERV", server.host, server.port)
        modem.at.write("+QLWCONF", server.endpoint)
        modem._declared = 0
        modem._status = NOT_REGISTERED
        modem.observed = []
