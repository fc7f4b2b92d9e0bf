"""Identity, SIM, attachment, signal, network time and power saving: what all families ask in nearly the same way.

    modem.identity()                  {"model": "BC66", "revision": "BC66NBR01A10", "imei": "867997030052996", ...}
    modem.attach(180000)              True; progress comes as ("attach", "searching"), a refusal as ("refused", reason)
    modem.signal()                    {"rssi": -77, "rsrp": -95, "rsrq": -11}   dBm, dBm, dB; unknown ones are absent
    modem.network_time()              1606448260: seconds since 1970, UTC, or None until the network has said
    modem.power_saving(86400, 60)     True where the module asks the network for something new now

Class attributes carry what differs; an operation that differs more is overridden in the family. Bounds: attach polls
every 2 s (a URC ends the wait early), a PIN is tried once, and its refusal is remembered until the secrets change.
"""

from lwnode.at import AtError, AtTimeout, BudgetExceeded, CommandError, LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def _nothing() -> None:
    pass


class Network:
    """The part of a driver that looks at the network. at: AtClient; pins: the board's, or None."""

    # name -> default of every option that open_modem takes; a family adds its own
    OPTIONS: "dict[str, Any]" = {
        "apn": None, "pin": None, "store": None, "awake_budget_ms": None, "in_flight": 4,
        "command_ms": 3000,  # the manuals' 300 ms are too short: 3000 in a driver that has learnt it (field_quirks 5)
        "ack_timeout": 2, "max_retransmit": 4,
        # asked of the network by configure(): (tracking area update, active time) in s, and the cycle in s; None: left alone
        "psm": None, "edrx": None,
    }
    IMEI: "tuple[Any, ...]" = ("+CGSN",)
    ICCID = "+QCCID"
    COUNTERS: "tuple[Any, ...] | None" = None  # what asks for the module's own count of radio time
    CLOCK: "tuple[Any, ...]" = ("+CCLK?",)
    CLOCK_IS_LOCAL = False
    pin_tried = b""  # where there is no store
    ACCESS = 5  # <AcT-type> of AT+CEDRXS: timers.NB_IOT

    options: "dict[str, Any]"

    def __init__(self, at: "Any", pins: "Any") -> None:
        self.at = at
        self.pins = pins
        self.clock = at.clock
        self.stats: dict[str, int] = {}
        self.refusal = ""  # why the network or the SIM said no, for people
        self.revision = ""
        self.roaming = False
        self.tidy: "Callable[[], object]" = _nothing  # called between steps: what a step has loaded may go

    def _query(self, name: str, **how: "Any") -> "Any":
        """at.read, once more where the answer was damaged or lost: a question changes nothing."""
        try:
            return self.at.read(name, **how)
        except (AtTimeout, LinkError):
            pass
        except CommandError as error:
            if error.code is not None:
                raise
        return self.at.read(name, **how)

    def radio_options(self) -> "tuple[Any, ...]":
        """What configure() tells the module beside the account; part of the checksum by which it knows what holds."""
        return self.options["apn"], self.options["psm"], self.options["edrx"]

    # ---- what needs a room of its own, loaded on demand --------------------------------------------------------

    def _in(self, room: str, name: str) -> "Any":
        """A function of a room that is loaded for it, to be called with the driver first: no frame lies between."""
        return getattr(__import__("lwnode.modem." + room, None, None, (name,)), name)

    def configure_radio(self) -> None:
        """Ask the network for the options psm and edrx, where one is given; what that needs has the heap for itself."""
        if self.options["psm"] is not None or self.options["edrx"] is not None:
            self.tidy()
            self._in("radio", "configured")(self)
            self.tidy()

    def identity(self) -> "dict[str, str]":
        """model, revision, imei, iccid; what the module does not tell is absent. The IMSI is not asked."""
        return dict(self._in("cellular", "identity")(self))

    def unlock_sim(self) -> bool:
        """True where the SIM is ready; sets `refusal` where it is not. A PIN is tried once in its life."""
        return bool(self._in("cellular", "unlock_sim")(self))

    def attach(self, timeout_ms: int) -> bool:
        """Wait for the network. False: see `refusal`. A denial that lasts ends the wait early, to spare the battery."""
        from lwnode.modem import cellular

        return cellular.attach(self, timeout_ms)

    def signal(self) -> "dict[str, int]":
        """rssi and rsrp in dBm, rsrq in dB; absent where the module says unknown or something impossible."""
        return dict(self._in("radio", "signal")(self))

    def network_time(self) -> "int | None":
        """Seconds since 1970, UTC, by the network; None while the module has not been told."""
        seconds: "int | None" = self._in("radio", "network_time")(self)
        return seconds

    def rrc_connected(self) -> "bool | None":
        """Whether the radio link is up; None where the module does not tell."""
        state: "bool | None" = self._in("radio", "rrc_connected")(self)
        return state

    def radio_time(self) -> "dict[str, int]":
        """Seconds slept, receiving and sending by the module's own count; empty where it keeps none (BG96, ME910C1)."""
        return dict(self._in("radio", "radio_time")(self))

    def power_saving(self, tau_s: "int | None", active_s: int = 60) -> bool:
        """Ask the network for PSM with these timers in seconds, or for none (tau_s None). True: something was written."""
        return bool(self._in("radio", "power_saving")(self, tau_s, active_s))

    def edrx(self, cycle_s: "float | None") -> "float | None":
        """Ask for an eDRX cycle in seconds, or for none; returns the cycle that the network grants, or None."""
        granted: "float | None" = self._in("radio", "edrx")(self, cycle_s)
        return granted

    def _bare_line(self, line: str) -> str:
        """As _first_line, for commands whose answer may come without a name: 867997030052996, Revision: BC66NBR01A10."""
        return self._first_line(line, prefix="")

    def _first_line(self, line: str, **how: "Any") -> str:
        """The text of the information line, without its prefix; empty where the module refuses."""
        try:
            lines = self.at.send(line, **how)
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

    if TYPE_CHECKING:

        def _emit(self, name: str, detail: "Any" = None) -> None:
            raise NotImplementedError

        def ask(self, call: "Any", *parameters: "Any", **keywords: "Any") -> "Any":
            """See Modem."""
            raise NotImplementedError


def command_of(form: "tuple[Any, ...]") -> str:
    """AT+CGSN=1 of ("+CGSN", 1)."""
    return "AT" + form[0] if len(form) == 1 else "AT{}={}".format(form[0], ",".join([str(part) for part in form[1:]]))


def number(values: "Any", index: int, low: int, high: int) -> "int | None":
    """The field as an integer in its range, or None: single-bit errors turn 18 into 89 (field_quirks 1.7)."""
    try:
        value = int(values[index])
    except (ValueError, IndexError, TypeError):
        return None
    return value if low <= value <= high else None
