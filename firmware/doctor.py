"""From the UART to the server, a step at a time; what fails names its remedy. `doctor()` at the shell prints this.

    >>> for name, fine, text in checks(node): print(name, fine, text)
    UART True BC66NBR01A10, 115200 baud
    SIM True ready
    network False roaming not allowed in this tracking area (EMM cause 13): the SIM may not be used in this network: ...
    signal True rsrp -94, rsrq -10, rssi -67

Ends at the first step without which the next cannot be judged. Bounds: those of the driver's own waits; a silent module is
looked for at seven baud rates, about four seconds each.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    Check = tuple[str, bool, str]

_RATES = (115200, 9600, 57600, 38400, 4800, 230400, 460800, 921600)
_WEAK = -125  # dBm: below it NB-IoT repeats each message many times

# 3GPP TS 24.301 9.9.3.9: what a person can do about a cause.
_CAUSES = (
    ((2, 3, 6, 8), "the operator knows nothing of this SIM or has barred it: have it activated"),
    ((5,), "this network wants to know the module: have the operator register its IMEI (at(\"+CGSN=1\"))"),
    ((7, 14, 25, 35), "the contract lacks this service: ask for NB-IoT or LTE-M data on this SIM"),
    ((11, 12, 13, 15), "the SIM may not be used in this network: ask for roaming here, or for another operator's SIM"),
    ((17, 22), "the network's own trouble: wait, the node tries again by itself, ever more seldom"),
    ((19,), "the access point refused: check apn in config.json against the contract"),
)


def checks(unit: "Any") -> "Iterator[Check]":
    """(step, whether it is fine, what was found and the remedy) for a node (lwnode.node.Node)."""
    from lwnode.at import AtError
    for name, check in (("UART", _uart), ("SIM", _sim), ("network", _network), ("roaming", _roaming),
                        ("signal", _signal), ("server", _server)):
        try:
            fine, text = check(unit)
        except AtError as error:
            fine, text = False, "%s in the midst of it: look at supply and loose wires" % type(error).__name__
        yield name, fine, text
        if name == "network" and not fine:
            # How well the network is heard tells a bad antenna from a refusal.
            yield ("signal",) + _signal(unit)
        if not fine and name != "signal":
            return


def _uart(unit: "Any") -> "tuple[bool, str]":
    """The rate before the power key: a module that speaks at another one must not be switched off."""
    from lwnode.at import AtError
    declared = unit.board.definition.UART.get("baudrate", 115200)
    for asleep in (True, False):
        try:
            if not asleep:
                unit.at.sync()
            if unit.modem.wake() if asleep else unit.modem.start():
                return True, "%s, %d baud" % (identity(unit.modem).get("revision", "answers"), declared)
        except AtError:
            pass
    try:
        rate = unit.at.sync([rate for rate in _RATES if rate != declared])
        return False, "the module answers at %d baud: set UART[\"baudrate\"] in board.py, now %d, and deploy" % (rate, declared)
    except AtError:
        pass
    finally:
        unit.at.uart.init(baudrate=declared)
    if unit.modem.start():
        return True, "%s, after its power key" % identity(unit.modem).get("revision", "answers")
    return False, ("the module is silent at every baud rate: check its supply and the common ground, that TX goes to RXD "
                   "and RX to TXD, the level shifter (both sides powered), and the power key with its LEVELS in board.py")


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


def _sim(unit: "Any") -> "tuple[bool, str]":
    if unit.modem.unlock_sim():
        return True, "ready"
    refusal = unit.modem.refusal.replace("SIM: ", "")
    if "PUK" in refusal:
        return False, refusal + ": blocked by three wrong PINs; unblock it in a telephone with its PUK"
    if "PIN" in refusal:
        return False, refusal + ": put the right pin into secrets.json and provision"
    if "not inserted" in refusal or refusal == "10":
        return False, "not inserted: insert it, contacts down, with the supply off"
    return False, refusal + ": take the supply off, seat the SIM anew, and look at its lines if that does not help"


def _network(unit: "Any") -> "tuple[bool, str]":
    modem = unit.modem
    shown = modem.ask(unit.at.read, "+CEREG") or [["0"]]
    # Modes 3 and 5 tell the network's cause of a refusal (3GPP TS 27.007 10.1.22); a BG96 has neither.
    for mode in (5, 3):
        if modem.ask(unit.at.write, "+CEREG", mode) is not None:
            break
    try:
        if modem.attach(int(unit.config.attach_timeout) * 1000):
            return True, "attached, apn %s" % (unit.config.apn or "by the network")
    finally:
        modem.ask(unit.at.write, "+CEREG", int(shown[-1][0]) if shown[-1][0] in tuple("012345") else 0)
    return False, "%s: %s" % (modem.refusal.replace("network: ", ""), _remedy(modem.refusal))


def _remedy(refusal: str) -> str:
    if refusal.startswith("SIM"):
        return "see the step before"
    _, found, cause = refusal.partition("cause ")  # "EMM cause 7)", or "cause 7" while it may still change
    if found:
        number = int(cause.rstrip(")"))
        for causes, remedy in _CAUSES:
            if number in causes:
                return remedy
        return "ask the operator, and give this number"
    if "address" in refusal:
        return "the apn in config.json is not the contract's; empty takes the network's own"
    if "roaming" in refusal:
        return 'only a foreign network is here, and config.json says "roaming": "never"'
    if "denied" in refusal:
        return "the network gives no cause; most often the SIM is not activated or may not roam here"
    if "not searching" in refusal:
        return "the radio is off: at(\"+CFUN=1\"), then again"
    return ("no network was found in attach_timeout: antenna, a band that this operator uses here, and patience: the first "
            "search of a new SIM takes up to seven minutes")


def _roaming(unit: "Any") -> "tuple[bool, str]":
    if not unit.modem.roaming:
        return True, "no, the SIM's own network"
    return True, ("yes, a foreign network: if the server stays unreached, ask whether the contract includes data here; a BG96 "
                  "speaks no LwM2M while roaming unless its operator allows it")


def _signal(unit: "Any") -> "tuple[bool, str]":
    signal = unit.modem.signal()
    rsrp = signal.get("rsrp")
    text = ", ".join(["%s %d" % item for item in sorted(signal.items())]) or "not known"
    if rsrp is not None and rsrp < _WEAK:
        return False, text + ": move the antenna; below %d dBm a report costs many repetitions" % _WEAK
    return True, text


def _server(unit: "Any") -> "tuple[bool, str]":
    config, now = unit.config, unit.session.now()
    if not unit.session.may_contact(now):
        return False, "the server has asked for silence, %d s more: wait, or sleep_now()" % (unit.session.silent_until - now)
    if unit.session.open():
        return True, "registered"
    text = "no registration at %s:%d as %s: " % (config.host, config.port, unit.session.endpoint())
    if unit.modem.refusal:
        from words import spelled
        text += spelled(unit.modem.refusal) + "; check "
    if config.security == "psk":
        text += "the identity and key in secrets.json as the server has them, a DTLS port (5684), "
    return False, text + ("host and port reachable from the mobile network (no private address, no firewall before it), the "
                          "endpoint as the server expects it" + (", bootstrap account there" if config.bootstrap else ""))
