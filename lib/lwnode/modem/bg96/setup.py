"""BG96: the client's configuration, sub-command by sub-command. Loaded when it is first called.

    "clean", "select", "bootstrap" 1 to 4, "apn", "endpoint", "epns", "dltype", "enable", "reset"     files of /datatx
    "select",2, "cdp", "epns", "mbsps", "bsmode",1, "dltype", "reset"                                 LGU+ (6.2)

What the sub-commands cannot set (retries, persistence, roaming, keys) stands in files: tools/bg96_files makes them.
"""

from binascii import crc32

from lwnode.modem import Unsupported, pipe, ranges
from lwnode.modem.bg96 import GUIDE, OBJECTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lwnode.modem import Server
    from lwnode.modem.bg96 import Driver

_PSM = (86400, 10)  # asked for where nothing else is said: without PSM it never sleeps, 16 mA or six days on 3000 mAh
_ACCOUNT = ("server_type", "ssid", "name_form", "mbsps", "auto_name")


def configure(modem: "Driver", server: "Server") -> bool:
    """The client's files by sub-commands; they are read at boot only, so a change needs a restart (3.3, note)."""
    check(modem, server)
    modem.server = server
    if modem.options["psm"] is None and modem.options["sleep"] == "psm":
        modem.options["psm"] = _PSM
    mark = crc32(repr((
        server.host, server.port, server.endpoint, server.lifetime, server.security, server.bootstrap,
        modem.radio_options(), [modem.options[name] for name in _ACCOUNT])).encode()) | 1
    if mark == modem._configured:
        return modem._restart_due
    modem._restart_due = True
    modem.configure_radio()
    if modem.options["server_type"] == 2:
        _configure_lgu(modem, server)
    else:
        _configure_files(modem, server)
    modem._configured = mark
    modem.observed = []
    return True


def check(modem: "Driver", server: "Server") -> None:
    """Ranges of 4.1; Unsupported names what BG96 cannot hold."""
    pipe.refuse_account("BG96", server, ("binding",))
    options = modem.options
    if options["server_type"] == 2:  # 6.2: built in
        pipe.refuse_account("BG96 with server_type 2 (LGU+)", server, ("lifetime", "security"))
    if server.psk is not None and not options["key_file"]:
        raise Unsupported(
            "security: BG96 takes no key by command, only as a file (guide 3.3.4): make ssl/%d_server.psk with python -m"
            ' tools.bg96_files, put it into /datatx of the module, and set "key_file": true; or leave security out'
            % options["ssid"])
    ranges.within(GUIDE, "lifetime", server.lifetime, 30, 86400)
    ranges.within(GUIDE, "server_type", options["server_type"], 0, 5)
    ranges.within(GUIDE, "ssid", options["ssid"], 1, 65534)
    ranges.one_of(GUIDE, options, "name_form", (4, 7))
    ranges.one_of(GUIDE, options, "sleep", ("psm", "light"))
    ranges.one_of(GUIDE, options, "data_object", OBJECTS)
    ranges.wake_pin(modem, "light")
    if options["server_type"] == 2 and len(options["mbsps"] or ()) not in (5, 6):
        raise ValueError("mbsps: LGU+ wants five or six values (BG96 guide 4.1), found %s" % (options["mbsps"],))
    ranges.no_retransmission(modem, "lwm2m_cfg has its timers, see tools/bg96_files")


def _set(modem: "Driver", *values: "object") -> None:
    """One sub-command, repeated where its answer is lost: each may be said twice."""
    modem._steadily(modem._sub, *values)


def _configure_files(modem: "Driver", server: "Server") -> None:
    _set(modem, "clean")
    _set(modem, "select", modem.options["server_type"])
    scheme = "coaps" if server.security == "psk" else "coap"
    _set(modem, "bootstrap", 1, "%s://%s:%d" % (scheme, server.host, server.port))
    _set(modem, "bootstrap", 2, server.lifetime)
    _set(modem, "bootstrap", 3, int(server.bootstrap))
    # The key itself is a file, ssl/<ssid>_server.psk (3.3.4): tools/bg96_files or derive_key() has put it there.
    _set(modem, "bootstrap", 4, 0 if server.security == "psk" else 3)
    if server.bootstrap:
        _set(modem, "bsmode", 1)
    if modem.options["apn"] is not None:
        _set(modem, "apn", modem.options["apn"])
    _set(modem, "endpoint", modem.options["name_form"], modem.options["name_form"])
    # The module's own name is made of its IMEI; every other one, another module's too, is said literally.
    if server.endpoint and server.endpoint != "urn:imei:" + modem._bare_line("AT+CGSN"):
        _set(modem, "epns", 1, server.endpoint)
    _set(modem, "dltype", 1)
    for name, option in (("ippref", "ip_version"), ("qcli_en", "debug_port")):
        if modem.options[option] is not None:
            _set(modem, name, int(modem.options[option]))
    _set(modem, "enable", 1)
    # Persistent files of the old server outlive everything else (chapter 7, question 3).
    _set(modem, "reset")


def _configure_lgu(modem: "Driver", server: "Server") -> None:
    """6.2: a built-in configuration with client-initiated bootstrap."""
    _set(modem, "select", 2)
    _set(modem, "cdp", server.host, server.port)
    _set(modem, "epns", 0 if modem.options["auto_name"] else 1, server.endpoint)
    _set(modem, "mbsps", *modem.options["mbsps"])
    _set(modem, "bsmode", 1)
    _set(modem, "dltype", 1)
    _set(modem, "reset")


def why_not(modem: "Driver", timeout_ms: int) -> str:
    """What is known of a registration that did not come."""
    told = "registration: not ready in %d s, last state %d" % (timeout_ms // 1000, modem._state)
    if modem.roaming:
        told += "; roaming: ROAMING_FEAT=1 forbids it (3.3.3)"
    if modem.options["name_form"] == 7:
        told += "; name_form 7: the SIM must tell its MSISDN"  # chapter 7, question 2
    wanted = None if modem.server is None else modem.server.psk
    if wanted is not None:
        key = modem.derived_key()
        if key is not None and key.text.lower() != wanted.lower():
            told += "; security: the key in the module's file is not that of secrets.json"
    return told


def inspect(modem: "Driver") -> "dict[str, str]":
    """The sub-commands of this firmware by its own test form, and the settings that can be asked for."""
    found = {}
    for row in modem.ask(modem.at.test, "+QLWM2M") or []:
        found[str(row[0])] = ",".join([str(value) for value in row[1:]])
    for name in ("select", "cdp", "epns", "bsmode", "mbsps"):
        rows = modem.ask(modem._sub, name)
        found[name] = "refused" if not rows else ",".join([str(value) for value in rows[-1][1:]])
    return found
