"""SIM, attachment and identity. Loaded when the first of them is asked for: a kept session needs none.

    modem.attach(180000)     AT+CPIN?, AT+CFUN?, AT+CEREG? every 2 s, AT+CGPADDR=1

A PIN is tried once; the store remembers until the secrets change. Bounds: SIM 10 s, PIN 5 s, attach as asked for.
"""

from binascii import crc32

from micropython import const

from lwnode.at import CommandError, Secret
from lwnode.modem.network import command_of, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lwnode.modem.network import Network

_POLL_MS = const(2000)  # between looks at +CEREG and +CGPADDR, within the time the caller gives; a URC ends it early
_SIM_WAIT_MS = const(10000)  # a SIM is busy (CME 14, low_power 3.1) for some seconds after power-on
_SIM_LOOK_MS = const(1000)  # between looks at it
_PIN_MS = const(5000)  # what Quectel's AT manuals give +CPIN; the state of the SIM is asked afterwards in any case
_PIN = "pin-refused"
# What only a person can change; any other state may be a busy SIM, or a line that spoilt the answer.
_FINAL = ("SIM not inserted", "SIM PIN required", "SIM PUK required", "SIM failure", "SIM wrong", "incorrect password",
          "SIM PUK", "NOT READY")
# 3GPP TS 27.007 9.2.1, those of a SIM
_SIM = {10: "SIM not inserted", 11: "SIM PIN required", 12: "SIM PUK required", 13: "SIM failure", 14: "SIM busy",
        15: "SIM wrong", 16: "incorrect password"}
_DENIALS = const(3)  # CEREG 3 this often in a row: another network may still take us after the first ones

# 3GPP TS 24.301 9.9.3.9, those that a node meets; the rest are told by number.
_CAUSES = {
    2: "IMSI unknown in HSS", 3: "illegal UE", 5: "IMEI not accepted", 6: "illegal ME", 7: "EPS services not allowed",
    8: "EPS and non-EPS services not allowed", 11: "PLMN not allowed", 12: "tracking area not allowed",
    13: "roaming not allowed in this tracking area", 14: "EPS services not allowed in this PLMN",
    15: "no suitable cells in tracking area", 17: "network failure", 19: "ESM failure (check the APN)",
    22: "congestion", 25: "not authorized for this CSG", 35: "requested service option not authorized in this PLMN",
}
_SEARCH = ("not searching", "registered", "searching", "registration denied", "unknown", "registered, roaming")


def identity(modem: "Network") -> "dict[str, str]":
    """model, revision, imei, iccid; what the module does not tell is absent. The IMSI is not asked."""
    found: dict[str, str] = {}
    for key, line in (
        ("model", "AT+CGMM"), ("revision", "AT+CGMR"), ("imei", command_of(modem.IMEI)), ("iccid", "AT" + modem.ICCID),
    ):
        text = modem._bare_line(line)
        if text:
            found[key] = text
    if "revision" in found:
        modem.revision = found["revision"]
    return found


def unlock_sim(modem: "Network") -> bool:
    """True where the SIM is ready; sets `refusal` where it is not. A PIN is tried once in its life."""
    clock = modem.clock
    end = clock.ticks_add(clock.ticks_ms(), _SIM_WAIT_MS)
    entered = False
    while True:
        state = _sim_state(modem)
        if state == "READY":
            _unlocked(modem)
            return True
        if state == "SIM PIN" and not entered:
            if not _enter_pin(modem):
                return False
            entered = True
            continue
        final = state in _FINAL
        # A SIM that is there may not be ready in the first seconds.
        if final and state != "NOT READY" or clock.ticks_diff(end, clock.ticks_ms()) <= 0:
            if final:
                modem.refusal = "SIM: " + ("not inserted" if state == "SIM not inserted" else state)
            else:
                modem.refusal = modem.refusal or "no word of the SIM: " + (state or "no answer")
            return False
        modem.at.poll(_SIM_LOOK_MS)


def _sim_state(modem: "Network") -> str:
    try:
        answer = modem._query("+CPIN")
    except CommandError as error:
        return str(error.text if error.code is None else _SIM.get(error.code, "error %d" % error.code))
    return str(answer[-1][0]) if answer and answer[-1] else ""


def _enter_pin(modem: "Network") -> bool:
    """False where there is none to be tried. What became of it says the SIM's state, which the caller asks again.

    Noted before it is sent: neither a lost answer nor a reset gives a wrong PIN a second of the SIM's three tries.
    """
    pin = modem.options["pin"]
    if not pin:
        modem.refusal = "SIM: wants a PIN, and no pin is configured"
        return False
    modem.refusal = "SIM: this PIN was refused; it is not tried again until it is changed"
    mark = b"%08x" % crc32(str(pin).encode())  # enough to see that the secrets have changed
    if _tried(modem) == mark:
        return False
    _remember(modem, mark)
    if modem.ask(modem.at.write, "+CPIN", Secret(str(pin)), timeout_ms=_PIN_MS, secret=True) is not None:
        _remember(modem, b"")
        modem.refusal = ""
    return True


def _tried(modem: "Network") -> bytes:
    """The mark of the PIN that was refused, or whose outcome nobody knows; empty for none."""
    store = modem.options["store"]
    return modem.pin_tried if store is None else store.load(_PIN) or b""


def _unlocked(modem: "Network") -> None:
    if modem.options["pin"] and _tried(modem):
        _remember(modem, b"")  # it was right, and its answer lost


def _remember(modem: "Network", mark: bytes) -> None:
    store = modem.options["store"]
    modem.pin_tried = mark
    if store is not None:
        store.save(_PIN, mark)


def attach(modem: "Network", timeout_ms: int) -> bool:
    """Wait for the network. False: see `refusal`. A denial that lasts ends the wait early, to spare the battery."""
    clock = modem.clock
    end = clock.ticks_add(clock.ticks_ms(), timeout_ms)
    modem.refusal = ""
    ready = False
    shown, denials = -1, 0
    while True:
        state, cause = _registration(modem)
        if state in (1, 5):
            # Asked first: who is registered has a SIM that is ready, and its radio on (a wake out of PSM).
            _unlocked(modem)
            modem.roaming = state == 5
            modem.refusal = ""
            return _addressed(modem, clock.ticks_diff(end, clock.ticks_ms()))
        if not ready:
            if not unlock_sim(modem):
                modem._emit("refused", modem.refusal)
                return False
            _radio_on(modem)
            ready = True
            continue
        if state != shown:
            shown = state
            modem._emit("attach", _SEARCH[state])
        denials = denials + 1 if state == 3 else 0
        if state == 3:
            modem.refusal = "network: %s" % (cause or "registration denied")
        if denials >= _DENIALS or clock.ticks_diff(end, clock.ticks_ms()) <= 0:
            break
        modem.at.poll(_POLL_MS)
    modem.refusal = modem.refusal or f"network: {_SEARCH[shown]}"
    modem._emit("refused", modem.refusal)
    return False


def _registration(modem: "Network") -> "tuple[int, str]":
    """(stat, cause in words) of AT+CEREG?. Field counts differ by <n>; a state out of range counts as unknown."""
    try:
        answer = modem._query("+CEREG")
    except CommandError:
        return 4, ""
    values = answer[-1] if answer else []
    state = number(values, 1, 0, 5)
    if state is None:
        return 4, ""
    code = number(values, 6, 0, 255) if state == 3 else None
    return state, "" if code is None else "%s (EMM cause %d)" % (_CAUSES.get(code, "refused"), code)


def attached(modem: "Network") -> bool:
    """Whether the module is registered with a network now (AT+CEREG?)."""
    return _registration(modem)[0] in (1, 5)


def _radio_on(modem: "Network") -> None:
    if modem._first_line("AT+CFUN?").split(",")[0] not in ("1", ""):
        modem._first_line("AT+CFUN=1")


def _addressed(modem: "Network", timeout_ms: int) -> bool:
    """Registered is not yet connected: an address must be there too (recovers a lost +IP URC)."""
    clock = modem.clock
    end = clock.ticks_add(clock.ticks_ms(), timeout_ms)
    while True:
        address = modem._first_line("AT+CGPADDR=1").partition(",")[2].strip('"')
        if address and address != "0.0.0.0":
            return True
        if clock.ticks_diff(end, clock.ticks_ms()) <= 0:
            modem.refusal = "network: registered, but no address (check the APN)"
            modem._emit("refused", modem.refusal)
            return False
        modem.at.poll(_POLL_MS)
