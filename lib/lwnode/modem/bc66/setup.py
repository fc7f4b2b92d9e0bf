"""BC66: configuration. Read first, write what differs, say whether a restart is needed.

    AT+QLWCFG?                                  AT+QLWCFG="recovery_mode",1        effective after a restart (4.2.2)
    AT+QLWCONFIG?                               AT+QLWCONFIG=0,"host",5683,"urn:imei:86..",86400,3

What was found to hold is kept as a checksum, so that the same configure() costs nothing on the next wake.
Loaded when it is first called: a wake that reports over a kept session never needs it.
"""

from binascii import crc32

from micropython import const

from lwnode.at import CommandError, Raw, Secret
from lwnode.modem import DEREGISTERED, DEREGISTERING, NEED_RECOVER, NOT_REGISTERED, RECOVERING, REGISTERED, REGISTERING
from lwnode.modem import ranges
from lwnode.modem.bc66.codes import BOUND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.modem import Server
    from lwnode.modem.bc66 import Driver

_NOTE = "BC66 note 4.2.2"
_RADIO_MS = const(10000)  # 3.4 case 3 has no figure: leaving the network is an exchange with it, some seconds in coverage


def configure(modem: "Driver", server: "Server") -> bool:
    """Options (QLWCFG), APN and account (QLWCONFIG). True: needs a restart. ValueError: refused unsent."""
    check(modem, server)
    wanted = _settings(modem)
    modem.server = server
    modem.lifetime = server.lifetime
    mark = crc32(repr((_account(server), server.binding, wanted, modem.radio_options())).encode()) & ~BOUND | 1
    if mark != modem._configured & ~BOUND:
        modem._steadily(_write_all, modem, server, wanted)
        modem._configured = mark
    # A change of an earlier wake that did not come to its restart still waits for it.
    return modem._restart_due


def check(modem: "Driver", server: "Server") -> None:
    """Account, options and awake budget against the manual's ranges."""
    check_server(server)
    _settings(modem)
    ranges.budget(modem, "ack_timeout %d s, max_retransmit %d, retransmit_mode %d" % (
        modem.options["ack_timeout"], modem.options["max_retransmit"], modem.options["retransmit_mode"]))


def _write_all(modem: "Driver", server: "Server", wanted: "list[tuple[Any, ...]]") -> None:
    _write_settings(modem, wanted)
    modem._write_apn()
    modem.configure_radio()
    account = _account(server)
    if not _holds(modem, account):
        _write_account(modem, server, account, _ready_to_configure(modem))


def _settings(modem: "Driver") -> "list[tuple[Any, ...]]":
    """4.2.2 rows as wanted. per_regstatus_feat 0 switches persistence on, the reverse of every other switch."""
    options = modem.options
    timeout_s, times = options["ack_timeout"], options["max_retransmit"]
    ranges.within(_NOTE, "ack_timeout", timeout_s, 1, 20)
    ranges.within(_NOTE, "max_retransmit", times, 0, 8)
    ranges.within(_NOTE, "recovery_mode", options["recovery_mode"], 0, 1)
    ranges.within(_NOTE, "retransmit_mode", options["retransmit_mode"], 0, 1)
    return [
        ("auto_reg", int(options["auto_reg"])),
        ("per_regstatus_feat", int(not options["persistent"])),
        ("rai_enable", int(options["rai"])),
        ("retransmit", timeout_s, times),
        ("auto_ack", int(options["auto_ack"])),
        ("access_mode", int(options["buffered"])),
        ("recovery_mode", options["recovery_mode"]),
        ("retransmit_mode", options["retransmit_mode"]),
    ]


def _write_settings(modem: "Driver", wanted: "list[tuple[Any, ...]]") -> None:
    """4.2.2 note 2: query first. A row that the answer lacks is asked alone (access_mode before R01A10)."""
    rows = values_of(modem.ask(modem._query, "+QLWCFG") or [])
    for setting in wanted:
        row = [str(value) for value in setting]
        found = [known for known in rows if known[:1] == row[:1]]
        if not found:
            found = values_of(modem.ask(modem.at.write, "+QLWCFG", setting[0]) or [])
        if not found:
            modem._count("settings_unknown_to_module")
        elif found[-1] != row:
            modem._restart_due = True
            modem.at.write("+QLWCFG", *setting)


def _holds(modem: "Driver", account: "tuple[Any, ...]") -> bool:
    """Whether QLWCONFIG says what is wanted. Two lines may come (4.2.1): the one of the wanted kind counts."""
    rows = modem.ask(modem._query, "+QLWCONFIG", secret=True) or []
    wanted = [str(value) for value in account]
    for row in values_of(rows):
        if row[:len(wanted) - 1] == wanted[:-1] and row[-1:] and row[-1].upper() == wanted[-1].upper():
            return True
    return False


def _write_account(modem: "Driver", server: "Server", account: "tuple[Any, ...]", held: bool) -> None:
    """QLWCONFIG. `held`: the radio was switched off for it."""
    try:
        _write_config(modem, server, account)
    except CommandError as error:
        if error.code != 33:  # already registered: status 4 and others may count as that (4.2.1 note 2)
            raise
        modem.deregister()
        _write_config(modem, server, account)
    finally:
        if held:
            modem.at.write("+CFUN", 1, timeout_ms=_RADIO_MS)
    modem.observed = []


def _ready_to_configure(modem: "Driver") -> bool:
    """Not Registered, as 4.2.1 note 2 wants it. True: the radio is off now, the caller ends that (3.4 case 3)."""
    state = modem.status()
    if state == REGISTERED or (state == NEED_RECOVER and modem.recover(modem.options["settle_ms"])):
        modem.deregister()
    elif state in (REGISTERING, RECOVERING, DEREGISTERING):
        if modem._own_outcome(modem.options["settle_ms"]) == REGISTERED:
            modem.deregister()
        elif modem._status not in (NOT_REGISTERED, DEREGISTERED):
            modem.at.write("+CFUN", 0, timeout_ms=_RADIO_MS)
            return True
    return False


def _write_config(modem: "Driver", server: "Server", account: "tuple[Any, ...]") -> None:
    host = Raw(server.host) if is_address(server.host) else server.host
    values: tuple[Any, ...] = (account[0], host) + account[2:6]
    if server.psk is not None:
        values += (account[6], Secret(server.psk))
    modem.at.write("+QLWCONFIG", *values, secret=server.psk is not None)


def values_of(rows: "list[list[Any]]") -> "list[list[str]]":
    """Field lists without None, so that they compare with what was meant."""
    return [["" if value is None else str(value) for value in row] for row in rows]


def check_server(server: "Server") -> None:
    """Refuse what 4.2.1 excludes, by key and with the manual's range."""
    if not 20 <= server.lifetime <= 31536000:
        raise ValueError("lifetime: expected 20 to 31536000 s (BC66 note 4.2.1), found %d" % server.lifetime)
    for name, value, limit in (
        ("host", server.host, 150), ("endpoint", server.endpoint, 150),
        ("psk_identity", server.psk_identity or "", 150),
    ):
        if len(value.encode()) > limit:
            raise ValueError("%s: expected at most %d bytes (BC66 note 4.2.1), found %d" % (name, limit, len(value)))
    if not server.endpoint:
        raise ValueError("endpoint: expected a name (BC66 note 4.2.1), found none")
    if server.psk is not None:
        digits = server.psk.lower()
        if len(digits) % 2 or len(digits) > 256 or digits.strip("0123456789abcdef"):
            raise ValueError(
                "psk: expected an even number of hexadecimal digits, at most 256 (BC66 note 4.2.1), found %d characters"
                " that are not" % len(digits))


def _account(server: "Server") -> "tuple[Any, ...]":
    """The fields of QLWCONFIG in order (4.2.1)."""
    head = (int(server.bootstrap), server.host, server.port, server.endpoint, server.lifetime)
    if server.security == "psk":
        return head + (0, server.psk_identity, server.psk)
    return head + (3,)


def is_address(host: str) -> bool:
    """Whether it is a dotted IPv4 address, which the examples leave bare (5.4)."""
    parts = host.split(".")
    return len(parts) == 4 and all(part.isdigit() for part in parts)
