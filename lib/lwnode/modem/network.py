"""Identity, SIM, attachment, signal, network time and power saving: what all families ask in nearly the same way.

    modem.identity()                  {"model": "BC66", "revision": "BC66NBR01A10", "imei": "867997030052996", ...}
    modem.attach(180000)              True; progress comes as ("attach", "searching"), a refusal as ("refused", reason)
    modem.signal()                    {"rssi": -77, "rsrp": -95, "rsrq": -11}   dBm, dBm, dB; unknown ones are absent
    modem.network_time()              1606448260: seconds since 1970, UTC, or None until the network has said
    modem.power_saving(86400, 60)     True where the module asks the network for something new now

Class attributes carry what differs; an operation that differs more is overridden in the family. Bounds: attach polls
every 2 s (a URC ends the wait early), a PIN is tried once, and its refusal is remembered until the secrets change.
"""

from binascii import crc32

from micropython import const

from lwnode.at import AtError, BudgetExceeded, CommandError, Secret
from lwnode.modem import timers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_POLL_MS = const(2000)
_SIM_WAIT_MS = const(10000)  # a SIM is busy (CME 14) for some seconds after power-on
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


class Network:
    """The part of a driver that looks at the network. at: AtClient; pins: the board's, or None."""

    # name -> default of every option that open_modem takes; a family adds its own
    OPTIONS: "dict[str, Any]" = {
        "apn": None, "pin": None, "store": None, "awake_budget_ms": None, "in_flight": 4, "command_ms": 3000,
        "ack_timeout": 2, "max_retransmit": 4,
    }
    IMEI: "tuple[Any, ...]" = ("+CGSN",)
    ICCID = "+QCCID"
    CLOCK: "tuple[Any, ...]" = ("+CCLK?",)
    CLOCK_IS_LOCAL = False
    ACCESS = timers.NB_IOT

    options: "dict[str, Any]"

    def __init__(self, at: "Any", pins: "Any") -> None:
        self.at = at
        self.pins = pins
        self.clock = at.clock
        self.stats: dict[str, int] = {}
        self.refusal = ""  # why the network or the SIM said no, for people
        self.revision = ""
        self.roaming = False

    # ---- commands, with the family's patience ---------------------------------------------------------------

    def _read(self, name: str, **how: "Any") -> "Any":
        return self.at.read(name, timeout_ms=how.pop("timeout_ms", self.options["command_ms"]), **how)

    def _write(self, name: str, *values: "Any", **how: "Any") -> "Any":
        return self.at.write(name, *values, timeout_ms=how.pop("timeout_ms", self.options["command_ms"]), **how)

    def _run(self, name: str, **how: "Any") -> "Any":
        return self.at.run(name, timeout_ms=how.pop("timeout_ms", self.options["command_ms"]), **how)

    # ---- identity ---------------------------------------------------------------------------------------------

    def identity(self) -> "dict[str, str]":
        """model, revision, imei, iccid; what the module does not tell is absent. The IMSI is not asked."""
        found: dict[str, str] = {}
        for key, line in (
            ("model", "AT+CGMM"), ("revision", "AT+CGMR"), ("imei", _command(self.IMEI)), ("iccid", "AT" + self.ICCID),
        ):
            text = self._bare_line(line)
            if text:
                found[key] = text
        if "revision" in found:
            self.revision = found["revision"]
        return found

    def _bare_line(self, line: str) -> str:
        """As _first_line, for commands whose answer may come without a name: 867997030052996, Revision: BC66NBR01A10."""
        return self._first_line(line, prefix="")

    def _first_line(self, line: str, **how: "Any") -> str:
        """The text of the information line, without its prefix; empty where the module refuses."""
        try:
            lines = self.at.send(line, timeout_ms=self.options["command_ms"], **how)
        except BudgetExceeded:
            raise
        except AtError:
            return ""
        name = line[2:].split("=")[0].strip("?")
        # A URC that nobody claims may have come in between: it has another command's name.
        lines = [text for text in lines if text.startswith(name) or text[0] not in "+#*^"]
        if not lines:
            return ""
        text: str = lines[-1]
        return text.partition(": ")[2].strip('"') if ": " in text else text.strip('"')

    # ---- SIM --------------------------------------------------------------------------------------------------

    def unlock_sim(self) -> bool:
        """True where the SIM is ready; sets `refusal` where it is not. A PIN is tried once in its life."""
        clock = self.clock
        end = clock.ticks_add(clock.ticks_ms(), _SIM_WAIT_MS)
        while True:
            state = self._sim_state()
            if state == "READY":
                return True
            if state == "SIM PIN":
                return self._enter_pin()
            busy = state in ("", "14", "NOT READY", "SIM busy")
            if not busy or clock.ticks_diff(end, clock.ticks_ms()) <= 0:
                self.refusal = "SIM: %s" % (
                    "not inserted" if state in ("10", "SIM not inserted") else state or "no answer")
                return False
            self.at.poll(1000)

    def _sim_state(self) -> str:
        try:
            answer = self._read("+CPIN")
        except CommandError as error:
            return str(error.code if error.code is not None else error.text or "")
        return str(answer[-1][0]) if answer and answer[-1] else ""

    def _enter_pin(self) -> bool:
        pin = self.options["pin"]
        if not pin:
            self.refusal = "SIM: wants a PIN, and no pin is configured"
            return False
        store = self.options["store"]
        # Kept is a PIN that is known to be wrong, and only its checksum: enough to see that the secrets have changed.
        mark = str(crc32(str(pin).encode())).encode()
        if store is not None and store.load("pin-refused") == mark:
            self.refusal = "SIM: this PIN was refused before; it is not tried again until it is changed"
            return False
        try:
            self._write("+CPIN", Secret(str(pin)), timeout_ms=5000, secret=True)
        except CommandError:
            if store is not None:
                store.save("pin-refused", mark)
            self.refusal = "SIM: the PIN was refused; two tries are left"
            return False
        self.at.poll(1000)
        return self._sim_state() == "READY"

    # ---- attachment -------------------------------------------------------------------------------------------

    def attach(self, timeout_ms: int) -> bool:
        """Wait for the network. False: see `refusal`. A denial that lasts ends the wait early, to spare the battery."""
        clock = self.clock
        end = clock.ticks_add(clock.ticks_ms(), timeout_ms)
        self.refusal = ""
        if not self.unlock_sim():
            self._emit("refused", self.refusal)
            return False
        self._radio_on()
        shown, denials = -1, 0
        while True:
            state, cause = self._registration()
            if state in (1, 5):
                self.roaming = state == 5
                self.refusal = ""
                return self._addressed(clock.ticks_diff(end, clock.ticks_ms()))
            if state != shown:
                shown = state
                self._emit("attach", _SEARCH[state])
            denials = denials + 1 if state == 3 else 0
            if state == 3:
                self.refusal = "network: %s" % (cause or "registration denied")
            if denials >= _DENIALS or clock.ticks_diff(end, clock.ticks_ms()) <= 0:
                break
            self.at.poll(_POLL_MS)
        self.refusal = self.refusal or f"network: {_SEARCH[shown]}"
        self._emit("refused", self.refusal)
        return False

    def _registration(self) -> "tuple[int, str]":
        """(stat, cause in words) of AT+CEREG?. Field counts differ by <n>; a state out of range counts as unknown."""
        try:
            answer = self._read("+CEREG")
        except CommandError:
            return 4, ""
        values = answer[-1] if answer else []
        state = number(values, 1, 0, 5)
        if state is None:
            return 4, ""
        code = number(values, 6, 0, 255) if state == 3 else None
        return state, "" if code is None else "%s (EMM cause %d)" % (_CAUSES.get(code, "refused"), code)

    def _radio_on(self) -> None:
        if self._first_line("AT+CFUN?").split(",")[0] not in ("1", ""):
            self._first_line("AT+CFUN=1")

    def _addressed(self, timeout_ms: int) -> bool:
        """Registered is not yet connected: an address must be there too (recovers a lost +IP URC)."""
        clock = self.clock
        end = clock.ticks_add(clock.ticks_ms(), timeout_ms)
        while True:
            address = self._first_line("AT+CGPADDR=1").partition(",")[2].strip('"')
            if address and address != "0.0.0.0":
                return True
            if clock.ticks_diff(end, clock.ticks_ms()) <= 0:
                self.refusal = "network: registered, but no address (check the APN)"
                self._emit("refused", self.refusal)
                return False
            self.at.poll(_POLL_MS)

    def _emit(self, name: str, detail: "Any" = None) -> None:
        raise NotImplementedError

    # ---- signal and time --------------------------------------------------------------------------------------

    def signal(self) -> "dict[str, int]":
        """rssi and rsrp in dBm, rsrq in dB; absent where the module says unknown or something impossible."""
        found: dict[str, int] = {}
        quality = self._first_line("AT+CSQ").split(",")
        value = number(quality, 0, 0, 31)
        if value is not None:
            found["rssi"] = 2 * value - 113
        extended = self._first_line("AT+CESQ").split(",")
        value = number(extended, 5, 0, 97)
        if value is not None:
            found["rsrp"] = value - 140
        value = number(extended, 4, 0, 34)
        if value is not None:
            found["rsrq"] = value // 2 - 20
        return found

    def network_time(self) -> "int | None":
        """Seconds since 1970, UTC, by the network; None while the module has not been told."""
        parsed = timers.parse_clock(self._first_line(_command(self.CLOCK)))
        if parsed is None:
            return None
        seconds, zone = parsed
        return seconds - zone if self.CLOCK_IS_LOCAL and zone else seconds

    def rrc_connected(self) -> "bool | None":
        """Whether the radio link is up; None where the module does not tell."""
        state = number(self._first_line("AT+CSCON?").split(","), 1, 0, 1)
        return None if state is None else bool(state)

    # ---- power saving -----------------------------------------------------------------------------------------

    def power_saving(self, tau_s: "int | None", active_s: int = 60) -> bool:
        """Ask the network for PSM with these timers in seconds, or for none (tau_s None).

        Compared first: on the air a changed setting costs a tracking area update. True where something was written.
        """
        values = self._first_line("AT+CPSMS?").split(",")
        if tau_s is None:
            if values[0] == "0":
                return False
            self._write("+CPSMS", 0)
            return True
        wanted = (timers.periodic_tau(tau_s), timers.active_time(active_s))
        if values[0] == "1" and tuple([v.strip('"') for v in values[3:5]]) == wanted:
            return False
        self._write("+CPSMS", 1, None, None, wanted[0], wanted[1])
        return True

    def edrx(self, cycle_s: "float | None") -> "float | None":
        """Ask for an eDRX cycle in seconds, or for none; returns the cycle that the network grants, or None."""
        if cycle_s is None:
            self._write("+CEDRXS", 0, self.ACCESS)
            return None
        code = timers.edrx_code(cycle_s, self.ACCESS)
        # CEDRXS? would show the request even where eDRX is off: what holds is what CEDRXRDP says.
        granted = self._granted_edrx()
        if granted is None or granted[0] != code:
            self._write("+CEDRXS", 1, self.ACCESS, code)
            granted = self._granted_edrx()
        return None if granted is None else timers.edrx_s(granted[1])

    def _granted_edrx(self) -> "tuple[str, str] | None":
        values = [v.strip('"') for v in self._first_line("AT+CEDRXRDP").split(",")]
        return (values[1], values[2]) if len(values) > 2 else None


def _command(form: "tuple[Any, ...]") -> str:
    return "AT" + form[0] if len(form) == 1 else "AT{}={}".format(form[0], ",".join([str(part) for part in form[1:]]))


def number(values: "Any", index: int, low: int, high: int) -> "int | None":
    """The field as an integer in its range, or None: single-bit errors turn 18 into 89 (field_quirks 1.7)."""
    try:
        value = int(values[index])
    except (ValueError, IndexError, TypeError):
        return None
    return value if low <= value <= high else None
