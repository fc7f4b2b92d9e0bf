"""SIM, attachment, signal, network time and power saving: what all families ask in nearly the same way.

    modem.attach(180000)              True; progress comes as ("attach", "searching"), a refusal as ("refused", reason)
    modem.signal()                    {"rssi": -77, "rsrp": -95, "rsrq": -11}   dBm, dBm, dB; unknown ones are absent
    modem.network_time()              1606448260: seconds since 1970, UTC, or None until the network has said
    modem.power_saving(86400, 60)     True where the module asks the network for something new now
    modem.granted()                   (3600, 60): T3412 and T3324 that the network has made of it

    octet_of(3600, TAU)               0b00000110: six times ten minutes; T3412 extended (3GPP TS 24.008 10.5.7.4a)
    octet_of(60, ACTIVE)              0b00011110: thirty times two seconds; T3324 (10.5.7.3)
    edrx_code(20.48, NB_IOT)          "0010" (10.5.5.32)

Class attributes carry what differs between families. Bounds: SIM 10 s, PIN 5 s, attach as asked for; it looks every 2 s. A
PIN is tried once, and its refusal is remembered until the secrets change.
"""

from binascii import crc32

from lwnode.at import CommandError, Secret, fields
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_POLL_MS = const(2000)  # between looks at +CEREG and +CGPADDR
_SIM_WAIT_MS = const(10000)  # a SIM is busy (CME 14, low_power 3.1) for some seconds after power-on and after CFUN=1
_SIM_LOOK_MS = const(1000)  # between looks at it
_PIN_MS = const(5000)  # what Quectel's AT manuals give +CPIN; the state of the SIM is asked afterwards in any case
_RADIO_MS = const(15000)  # +CFUN: an exchange with SIM and network; Quectel's AT manuals give it 15 s
_DENIED_MS = const(60000)  # a denial counts when it has lasted so long: networks refuse for 5 to 20 s and then take us
_PIN_MARK = const("pin-refused")

NB_IOT = const(5)  # <AcT-type> of AT+CEDRXS, 3GPP TS 27.007
LTE_M = const(4)

# 3GPP TS 27.007 9.2.1: errors 10 to 16, those of a SIM. Only a busy one mends itself.
_SIM = (
    "SIM not inserted", "SIM PIN required", "SIM PUK required", "SIM failure", "SIM busy", "SIM wrong", "incorrect password")

# 3GPP TS 27.007 7.2 (+CREG) and 10.1.22 (+CEREG), by <stat>
_SEARCH = const((
    "not searching", "", "searching", "registration denied", "unknown", "", "registered for SMS only",
    "registered for SMS only, roaming", "emergency services only"))
ATTACHED = (1, 5, 9, 10)
# EMM causes (24.301 9.9.3.9): SIM or module themselves are refused, no other network will take them
_PERMANENT = const((3, 6, 7, 8))

# code, unit in seconds, for units in rising order
TAU = ((3, 2), (4, 30), (5, 60), (0, 600), (1, 3600), (2, 36000), (6, 1152000))
ACTIVE = ((0, 2), (1, 60), (2, 360))
_NOT_IN_NB = b"\0\1\4\6\7\x08"  # eDRX values


class Network:
    """The part of a driver that looks at the network. at: AtClient; pins: the board's, or None."""

    # name -> default of every option that open_modem takes; a family adds its own
    OPTIONS: "dict[str, Any]" = {
        "apn": None, "pin": None, "store": None, "awake_budget_ms": None, "in_flight": 4,
        "command_ms": 3000,  # the manuals' 300 ms are too short: 3000 in a driver that has learnt it (field_quirks 5)
        "ack_timeout": 2, "max_retransmit": 4,
        "roaming": "allowed",  # or "never": a foreign network is no network
        "module_update": "allow",  # whether the module may load other firmware (object 5): "never", "ask", "allow"
        # asked of the network by configure(): (tracking area update, active time) in s, and the cycle in s; None: left alone
        "psm": None, "edrx": None,
    }
    CLOCK = "+CCLK?"
    CLOCK_IS_LOCAL = False
    _asleep = False
    REGISTRATIONS: "tuple[str, ...]" = ("+CEREG",)  # a module that can do 2G too has more, asked where the first says no
    ACCESS = NB_IOT

    options: "dict[str, Any]"
    pin_tried = b""  # where there is no store
    timers = bytes(4)  # octets of T3412 and T3324, as asked for and as granted; the third 0: not known, 255: not granted

    def __init__(self, at: "Any", pins: "Any") -> None:
        self.at = at
        self.pins = pins
        self.clock = at.clock
        self.stats: "dict[str, int]" = {}
        self.refusal = ""  # why the network or the SIM said no, for people
        self.revision = ""
        self.roaming = False

    if TYPE_CHECKING:

        def _emit(self, name: str, value: "Any" = None) -> None: ...

        def _count(self, name: str, count: int = 1) -> None: ...

        def _await(self, done: "Any", timeout_ms: int) -> bool: ...

        def ask(self, function: "Any", *parameters: "Any", **keywords: "Any") -> "Any": ...

        def _retry(self, step: "Any", *values: "Any", times: int = 3, **how: "Any") -> "Any": ...

    # ---- questions --------------------------------------------------------------------------------------------

    def _query(self, name: str, **how: "Any") -> "Any":
        """at.read, once more where the answer was damaged or lost: a question changes nothing."""
        return self._retry(self.at.read, name, times=2, **how)

    def _answer_to(self, line: str, **how: "Any") -> "list[str]":
        """The fields of a plain answer, [""] where the module refuses or stays silent: +CSQ: 18,99 and +CSQ:18,99 alike.

        prefix="": its answer may come without a name, such as 867997030052996 and Revision: BC66NBR01A10.
        """
        name = line[2:].split("=")[0].strip("?")
        # A URC that nobody claims may have come in between: it has another command's name.
        lines = [text for text in self.ask(self.at.send, line, **how) or () if text.startswith(name) or text[0] not in "+#*^"]
        return [value or "" for value in fields(lines[-1])] or [""] if lines else [""]

    def signal(self) -> "dict[str, int]":
        """rssi and rsrp in dBm, rsrq in dB; absent where the module says unknown or something impossible."""
        quality, extended = self._answer_to("AT+CSQ"), self._answer_to("AT+CESQ")
        found = {}
        for name, value, scale, offset in (
            ("rssi", number(quality, 0, 0, 31), 4, -113), ("rsrp", number(extended, 5, 0, 97), 2, -140),
            ("rsrq", number(extended, 4, 0, 34), 1, -20),
        ):
            if value is not None:
                found[name] = value * scale // 2 + offset
        return found

    def network_time(self) -> "int | None":
        """Seconds since 1970, UTC, by the network; None while the module has not been told."""
        parsed = parse_clock(",".join(self._answer_to("AT" + self.CLOCK)))
        if parsed is None:
            return None
        seconds, zone = parsed
        return seconds - zone if self.CLOCK_IS_LOCAL and zone else seconds

    # ---- SIM --------------------------------------------------------------------------------------------------

    def unlock_sim(self) -> bool:
        """Radio on, then True where the SIM is ready; sets `refusal` where it is not. A PIN is tried once in its life.

        While the radio is off a module may say that there is no SIM, or that it has failed: judged when it has been on for
        some seconds.
        """
        radio = self._answer_to("AT+CFUN?")[0] not in ("1", "")
        if radio:
            self._answer_to("AT+CFUN=1", timeout_ms=_RADIO_MS)
        end = self.at.deadline(_SIM_WAIT_MS)
        entered = False
        while True:
            try:
                answer = self._query("+CPIN")
                state = str(answer[-1][0]) if answer and answer[-1] else ""
            except CommandError as error:
                code = -1 if error.code is None else error.code
                state = _SIM[code - 10] if 10 <= code <= 16 else error.text if code < 0 else "error %d" % code
            if state == "READY":
                if self.options["pin"]:
                    self._pin_tried(b"")  # it was right, and its answer lost
                return True
            if state == "SIM PIN" and not entered:
                if not self._enter_pin():
                    return False
                entered = True
                continue
            # What only a person can change; any other state may be a busy SIM, or a line that spoilt the answer.
            final = state in _SIM and state != "SIM busy" or state in ("SIM PUK", "NOT READY")
            waiting = not final or state == "NOT READY" or radio and state in ("SIM not inserted", "SIM failure")
            if not waiting or self.at.left(end) <= 0:
                if final:
                    self.refusal = "SIM: " + ("not inserted" if state == "SIM not inserted" else state)
                else:
                    self.refusal = self.refusal or "no word of the SIM: " + (state or "no answer")
                return False
            self._pause(_SIM_LOOK_MS)

    def _enter_pin(self) -> bool:
        """False where there is none to be tried. What became of it says the SIM's state, which the caller asks again.

        Noted before it is sent: neither a lost answer nor a reset gives a wrong PIN a second of the SIM's three tries.
        """
        pin = self.options["pin"]
        if not pin:
            self.refusal = "SIM: wants a PIN, and no pin is configured"
            return False
        self.refusal = "SIM: this PIN was refused; it is not tried again until it is changed"
        if self._pin_tried(b"%08x" % crc32(str(pin).encode())):  # enough to see that the secrets have changed
            return False
        if self.ask(self.at.write, "+CPIN", Secret(str(pin)), timeout_ms=_PIN_MS, secret=True) is not None:
            self._pin_tried(b"")
            self.refusal = ""
        return True

    def _pin_tried(self, mark: bytes) -> bool:
        """Keep the mark of the PIN that was refused, or whose outcome nobody knows, empty for none. True where it was that."""
        store = self.options["store"]
        if (self.pin_tried if store is None else store.load(_PIN_MARK) or b"") == mark:
            return True
        self.pin_tried = mark
        if store is not None:
            store.save(_PIN_MARK, mark)
        return False

    # ---- attachment -------------------------------------------------------------------------------------------

    def attach(self, timeout_ms: int) -> bool:
        """Wait for network and address. False: see `refusal`. A denial ends the wait when it has lasted a minute, or at
        once where it is permanent (EMM cause 3, 6, 7, 8), to spare the battery."""
        at = self.at
        end = at.deadline(timeout_ms)
        self.refusal = ""
        ready = False
        shown, cause, denied = -1, None, end
        while True:
            state, code = self._registration()
            if state in ATTACHED:
                # Asked first: who is registered has a SIM that is ready, and its radio on (a wake out of PSM).
                if self.options["pin"]:
                    self._pin_tried(b"")
                self.roaming = state in (5, 10)
                self.refusal = ""
                if self.roaming and self.options["roaming"] == "never":
                    self.refusal = "network: denied by config.json (roaming)"
                    self._emit("refused", self.refusal)
                    return False
                return self._addressed(at.left(end))
            if not ready:
                if not self.unlock_sim():
                    self._emit("refused", self.refusal)
                    return False
                ready = True
                continue
            if state == 3 and shown != 3:
                denied = at.deadline(0)
            if state != shown:
                shown = state
                self._emit("attach", _SEARCH[state])
            cause = cause if code is None else code
            lasted = -at.left(denied)
            if state == 3 and (code in _PERMANENT or lasted >= _DENIED_MS) or at.left(end) <= 0 or self._asleep:
                break
            self._pause(_POLL_MS)
        why = _SEARCH[state]
        if cause is not None:
            why = "denied (EMM cause %d)" % cause  # firmware/doctor.py says what a person can do about it
        # What may still pass is no denial; of 11 to 15 counts that no other network came in the time allowed.
        if cause is None or cause not in _PERMANENT and not 11 <= cause <= 15:
            if state == 3 and lasted < _DENIED_MS:
                why = "%d s so far: %s" % (lasted // 1000, why)
            elif state != 3 and cause is not None:
                why = "%s, so far: %s" % (_SEARCH[state], why)
        self.refusal = "network: " + why
        self._emit("refused", self.refusal)
        return False

    def _registration(self) -> "tuple[int, int | None]":
        """(<stat>, cause of the denial). One of LTE counts first; a state out of range is unknown (27.007 10.1.22)."""
        state, cause = 4, None
        for name in self.REGISTRATIONS:
            try:
                answer = self._query(name)
            except CommandError:
                continue
            values = answer[-1] if answer else []
            found = number(values, 1, 0, 10)
            if found in ATTACHED:
                return found or 0, None
            if name == self.REGISTRATIONS[0]:
                state = 4 if found is None else found
                # +CEREG: <n>,3,...,<cause_type>,<reject_cause>: the last two, wherever they stand (BC66 has one field more),
                # before the timers of PSM; a cause of type 1 is a maker's own.
                last = len(values) - 1
                while last > 4 and (values[last] is None or len(values[last]) == 8):
                    last -= 1
                if state == 3 and last > 5 and values[last - 1] == "0":
                    cause = number(values, last, 0, 255)
        return state, cause

    def _addressed(self, timeout_ms: int) -> bool:
        """Registered is not yet connected: an address must be there too (recovers a lost +IP URC)."""
        end = self.at.deadline(timeout_ms)
        while True:
            answer = self._answer_to("AT+CGPADDR=%d" % self.options.get("cid", 1))
            # 0.0.0.0, sixteen zeros of an IPv6 address and :: are none.
            if [text for text in answer[1:] if text.strip("0.: ")]:
                return True
            if self.at.left(end) <= 0 or self._asleep:  # it has left meanwhile, and says nothing any more
                self.refusal = "network: registered, but no address (check the APN%s)" % (
                    ", now %s" % self.options["apn"] if self.options["apn"] else "")
                self._emit("refused", self.refusal)
                return False
            self._pause(_POLL_MS)

    def _pause(self, timeout_ms: int) -> None:
        """Let time pass; URCs are taken, and the server is answered."""
        self._await(lambda: False, timeout_ms)

    # ---- power saving -----------------------------------------------------------------------------------------

    def radio_options(self) -> "tuple[Any, ...]":
        """What configure() tells the module beside the account; part of the checksum by which it knows what holds."""
        return self.options["apn"], self.options["psm"], self.options["edrx"]

    def configure_radio(self) -> None:
        """Ask the network for the options psm and edrx; a module or a network that refuses costs energy, not the node."""
        psm, cycle = self.options["psm"], self.options["edrx"]
        for step, values in ((self.power_saving, psm), (self.edrx, None if cycle is None else (cycle,))):
            try:
                if values is not None:
                    step(*values)
            except CommandError:
                self._count("power_saving_refused")

    def power_saving(self, tau_s: "int | None", active_s: int = 60) -> bool:
        """Ask the network for PSM with these timers in seconds, or for none (tau_s None). True: something was written.

        Compared first, by duration: modules write 00000110 for 00100001, and on the air a changed setting costs a tracking
        area update.
        """
        values = self._answer_to("AT+CPSMS?")
        asked = b"\xff\xff" if tau_s is None else _octets(tau_s, active_s)
        found = bytes([_octet(bits) for bits in values[3:5]])
        if tau_s is None:
            same = values[0] == "0"
        else:
            same = values[0] == "1" and len(found) == 2 and _durations(found) == _durations(asked)
        if not same:
            bits = ["{:08b}".format(octet) for octet in asked]
            self.at.write("+CPSMS", *((0,) if tau_s is None else (1, None, None, bits[0], bits[1])))
        self.timers = asked + (self.timers[2:] if same else b"\0\0")
        return not same

    def follow_schedule(self) -> bool:
        """Ask for the option psm where it is no longer what was asked for, and read what is granted where that is not known, or
        none: nothing is said in most contacts. True where the grant has just been read.
        """
        psm = self.options["psm"]
        if psm is not None and psm[0] is not None and self.timers[:2] != _octets(*psm):
            self.ask(self.power_saving, *psm)
        granted = self.granted()
        if self.timers[1] in (0, 255) or granted is not None and granted[1] >= 0:
            return False
        # 27.007 10.1.22: with <n> 4 active time and periodic TAU come last, and not at all where none is granted.
        for _ in range(2):  # none is believed when it is said twice
            if self.ask(self.at.write, "+CEREG", 4) is None:
                return False
            values = self._answer_to("AT+CEREG?")
            self.ask(self.at.write, "+CEREG", 0)
            if number(values, 0, 4, 5) is None or number(values, 1, 0, 10) not in ATTACHED:
                return False
            active, tau = [_octet(bits) for bits in values[-2:]]
            before, self.timers = self.timers, self.timers[:2] + bytes((tau or 255, active))
            if self.timers == before or _durations(self.timers[2:])[1] >= 0:
                break
        return True

    def granted(self) -> "tuple[int, int] | None":
        """(T3412, T3324) in seconds as the network grants them, the second -1 where it grants no PSM; None: not known."""
        return _durations(self.timers[2:]) if self.timers[2] else None

    def edrx(self, seconds: "float | None") -> None:
        """Ask for an eDRX cycle in seconds, or for none (0); what the network grants already is not asked for again."""
        if not seconds:
            self.at.write("+CEDRXS", 0, self.ACCESS)
            return
        code = edrx_code(seconds, self.ACCESS)
        # CEDRXS? would show the request even where eDRX is off: what holds is what CEDRXRDP says.
        if self._answer_to("AT+CEDRXRDP")[1:2] != [code]:
            self.at.write("+CEDRXS", 1, self.ACCESS, code)


def number(values: "Any", index: int, low: int, high: int) -> "int | None":
    """The field as an integer in its range, or None: single-bit errors turn 18 into 89 (field_quirks 1.7)."""
    try:
        value = int(values[index])
    except (ValueError, IndexError, TypeError):
        return None
    return value if low <= value <= high else None


# ---- clock strings and 3GPP timer codes ---------------------------------------------------------------------------


def parse_clock(text: str) -> "tuple[int, int | None] | None":
    """(seconds since 1970 as written, zone in seconds or None), or None for text that is no plausible time (low_power 3.7).

    '20/11/27,03:37:40+32' has quarters of an hour, '2023/03/09,14:02:31GMT-5' hours. 1970, 1980 and 2000 are what a module
    shows that was never told the time.
    """
    unit = 3600 if "GMT" in text else 900
    for mark, instead in (('"', " "), ("GMT", " "), ("/", " "), (":", " "), (",", " "), ("+", " +"), ("-", " -")):
        text = text.replace(mark, instead)
    parts = text.split()
    try:
        year, month, day, hour, minute, second = [int(part) for part in parts[:6]]
        zone = int(parts[6]) * unit if len(parts) > 6 else None
    except ValueError:
        return None
    if year < 100:
        year += 2000 if year < 70 else 1900
    if not (2020 <= year < 2100 and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60):
        return None
    if month <= 2:  # the year begins in March
        year -= 1
        month += 12
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 1 - 719468
    return ((days * 24 + hour) * 60 + minute) * 60 + second, zone


def octet_of(seconds: int, units: "tuple[tuple[int, int], ...]") -> int:
    """The octet of a timer (TAU, ACTIVE) of at least that long: T3412 extended 0 to 35 712 000 s, T3324 0 to 11 160 s."""
    for code, unit in units:
        count = (seconds + unit - 1) // unit
        if count <= 31:
            return code << 5 | count
    raise ValueError("PSM timer: expected 0 to %d s, found %d" % (units[-1][1] * 31, seconds))


def _octets(tau_s: int, active_s: int) -> bytes:
    return bytes((octet_of(tau_s, TAU), octet_of(active_s, ACTIVE)))


def _octet(bits: "str | None") -> int:
    """Eight binary digits as a number; 255, switched off, for anything else."""
    return int(bits, 2) if bits and len(bits) == 8 and not bits.strip("01") else 255


def _durations(octets: bytes) -> "tuple[int, int]":
    """What the octets of T3412 and T3324 stand for in seconds, -1 where one is switched off."""
    found = []
    for octet, units in ((octets[0], TAU), (octets[1], ACTIVE)):
        found += [(octet & 31) * unit for code, unit in units if code == octet >> 5] or [-1]
    return found[0], found[1]


def edrx_code(seconds: float, kind: int) -> str:
    """The shortest eDRX cycle that is at least that long, as four binary digits. kind: NB_IOT or LTE_M."""
    for value in range(16):
        # in units of 5.12 s: 1, 2, 4, 8, 12 to 32, 64 to 2048
        cycle = 1 << value if value < 3 else 4 * value - 4 if value < 10 else 32 << value - 9
        if (kind != NB_IOT or value not in _NOT_IN_NB) and cycle * 512 >= seconds * 100 - 1:
            return "{:04b}".format(value)
    raise ValueError("eDRX cycle: expected at most 10485.76 s, found %s" % seconds)
