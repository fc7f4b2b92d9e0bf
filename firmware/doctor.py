"""From the UART to the server, a step at a time; what fails names its remedy. `doctor()` at the shell prints this.

    >>> for name, fine, text in checks(node): print(name, fine, text)
    UART True BC66NBR01A10, 115200 baud
    SIM True ready
    network False denied (EMM cause 13): the SIM may not be used in this network or area: ask for roaming, or ...
    signal True rsrp -94, rsrq -10, rssi -67

Ends at the first step without which the next cannot be judged. Bounds: those of the driver's own waits; a silent module is
looked for at seven baud rates, about four seconds each.
"""

from lwnode.at import AtError
from words import explain, spelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    Check = tuple[str, bool, str]

_RATES = (115200, 9600, 57600, 38400, 4800, 230400, 460800, 921600)
_WEAK = -125  # dBm: below it NB-IoT repeats each message many times


def checks(unit: "Any") -> "Iterator[Check]":
    """(step, whether it is fine, what was found and the remedy) for a node (lwnode.node.Node)."""
    for name, check in (("UART", _uart), ("SIM", _sim), ("network", _network), ("roaming", _roaming),
                        ("signal", _signal), ("server", _server)):
        try:
            text, fine = check(unit)
        except AtError as error:
            text, fine = "%s in the midst of it: look at supply and loose wires" % type(error).__name__, False
        yield name, fine, text
        if name == "network" and not fine:
            # How well the network is heard tells a bad antenna from a refusal.
            text, heard = _signal(unit)
            yield "signal", heard, text
        if not fine and name != "signal":
            return


def _uart(unit: "Any") -> "tuple[str, bool]":
    """The rate before the power key: a module that speaks at another one must not be switched off."""
    at, modem = unit.at, unit.modem
    declared = unit.board.definition.UART.get("baudrate", 115200)
    for start in (modem.wake, lambda: at.sync() and modem.start()):
        try:
            if start():
                return "%s, %d baud" % (identity(modem).get("revision", "answers"), declared), True
        except AtError:
            pass
    try:
        rate = at.sync([rate for rate in _RATES if rate != declared])
        return "the module answers at %d baud: set UART[\"baudrate\"] in board.py, now %d, and deploy" % (rate, declared), False
    except AtError:
        pass
    finally:
        at.uart.init(baudrate=declared)
    if modem.start():
        return identity(modem).get("revision", "answers") + ", after its power key", True
    return ("the module is silent at every baud rate: check its supply and the common ground, that TX goes to RXD "
            "and RX to TXD, the level shifter (both sides powered), and the power key with its LEVELS in board.py"), False


def identity(modem: "Any") -> "dict[str, str]":
    """model, revision, imei, iccid; what the module does not tell is absent. The IMSI is not asked."""
    found = {}
    for key, name in (("model", "+CGMM"), ("revision", "+CGMR"),
                      ("imei", "+CGSN=1" if modem.FAMILY in ("bc20", "bc66") else "+CGSN"),
                      ("iccid", "#CCID" if modem.FAMILY == "me910c1" else "+QCCID")):
        text = modem._answer_to("AT" + name, prefix="")[0]
        if text:
            found[key] = text
    return found


def _sim(unit: "Any") -> "tuple[str, bool]":
    if unit.modem.unlock_sim():
        return "ready", True
    refusal, found = unit.modem.refusal, 13
    for word, code in (("password", 16), ("wrong", 15), ("busy", 14), ("not inserted", 10), ("PIN", 11), ("PUK", 12)):
        found = code if word in refusal else found  # the last counts
    return "%s: %s" % (refusal.replace("SIM: ", ""), explain(found)), False


def _network(unit: "Any") -> "tuple[str, bool]":
    at, modem = unit.at, unit.modem
    shown = (modem.ask(at.read, "+CEREG") or [["0"]])[-1][0]
    # Modes 5 and 3 tell the network's cause of a refusal (3GPP TS 27.007 10.1.22); a BG96 has neither.
    if modem.ask(at.write, "+CEREG", 5) is None:
        modem.ask(at.write, "+CEREG", 3)
    try:
        if modem.attach(int(unit.config.attach_timeout) * 1000):
            return "attached, apn " + (unit.config.apn or "by the network"), True
    finally:
        modem.ask(at.write, "+CEREG", int(shown) if shown in tuple("012345") else 0)
    refusal = modem.refusal
    cause = refusal.partition("cause ")[2].rstrip(")")  # "EMM cause 7)"
    found = ("no network was found in attach_timeout: antenna, a band that this operator uses here, and patience: the first "
             "search of a new SIM takes up to seven minutes")
    for word, text in (
        ("not searching", "the radio is off: at(\"+CFUN=1\"), then again"),
        ("denied", "the network gives no cause; most often the SIM is not activated or may not roam here"),
        ("roaming", 'only a foreign network is here, and config.json says "roaming": "never"'),
        ("cause", explain(cause, "EMM") or "ask the operator, and give this number"),
        ("SIM", "see the step before"),
        ("address", "the apn in config.json is not the contract's; empty takes the network's own"),
    ):
        found = text if word in refusal else found
    return "%s: %s" % (refusal.replace("network: ", ""), found), False


def _roaming(unit: "Any") -> "tuple[str, bool]":
    return ("yes, a foreign network: if the server stays unreached, ask whether the contract includes data here; a BG96 speaks "
            "no LwM2M while roaming unless its operator allows it") if unit.modem.roaming else "no, the SIM's own network", True


def _signal(unit: "Any") -> "tuple[str, bool]":
    signal = unit.modem.signal()
    text = ", ".join(["%s %d" % item for item in sorted(signal.items())]) or "not known"
    if signal.get("rsrp", 0) < _WEAK:
        return text + ": move the antenna; below %d dBm a report costs many repetitions" % _WEAK, False
    return text, True


def _server(unit: "Any") -> "tuple[str, bool]":
    config, session = unit.config, unit.session
    now = session.now()
    if not session.may_contact(now):
        return "the server has asked for silence, %d s more: wait, or sleep_now()" % (session.silent_until - now), False
    if session.open():
        return "registered", True
    refusal = spelled(unit.modem.refusal)
    return "no registration at %s:%d as %s: %s%shost and port reachable from the mobile network (no private address, no " \
        "firewall before it), the endpoint as the server expects it%s" % (
            config.host, config.port, session.endpoint(), refusal + "; check " if refusal else "",
            "the identity and key in secrets.json as the server has them, a DTLS port (5684), " * (config.security == "psk"),
            ", bootstrap account there" * config.bootstrap), False
