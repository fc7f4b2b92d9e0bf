"""ME910C1: what each unsolicited line does to the node, and the shadow that tells our own writes from the server's.

    LWM2M-TLT:"SUSPENDED",SSID=99,"coap://..."        ("disabled", 86400): no contact for so long, also across sleep
    #LWM2MMON: UPD,"/3306/0/5850/0"                   read; where it is not what we wrote, a write request for the node

Every line may be lost while the UART is deaf. What recovers the state: AT#LWM2MSTAT (session, an ACK that is waited for),
AT#LWM2MENA? (0 after a power cycle: everything is armed again), AT#LWM2MR (what a server wrote), the deadline of a report.
"""

from binascii import crc32

from lwnode.at import fields as split_fields
from lwnode.modem import DEREGISTERED, DEREGISTERING, NOT_REGISTERED, REGISTERED, REGISTERING
from lwnode.modem.driver import Modem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What is known of a value in the module: taken by it, acknowledged by the server, refused by it, watched by nobody.
TAKEN, ACKED, NACKED, UNWATCHED = 0, 1, 2, 3
HISTORY = (19, 0, 0)  # where packs of late readings go
_AGAIN_MS = 45000  # as long as ENA may take (field_quirks 5)
CREATED = 2  # this bit of the declaration's checksum: its instances were all seen in the module


class Urcs(Modem):
    """Effects of unsolicited lines (80529ST10974A Rev. 3; sections beside the rows)."""

    # Examples and field write LWM2M-TLT:, the syntax #LWM2M-TLT: (3.1.3).
    URC_PREFIXES = (
        "LWM2M-TLT", "#LWM2M-TLT", "#LWM2MRING", "#LWM2MEND", "#LWM2MINFO", "#LWM2MMON", "#LWM2MNFYACK",
        "#LWM2MFOTARING", "#PSMURC",
    )
    _suspended = False
    _in_session = False
    _armed = False
    _arm_due = False
    _repaired = False
    _reboot = False
    _force_exit = False
    _context = False
    _services = False  # the registration URCs are switched on (33211/0/0/1)
    _factory = 0  # the account in the module is its maker's: 1 ours is to be written again, 2 not before configure()
    _fresh: "int | None" = None  # tick of a registration that nobody may observe yet

    def __init__(self, at: "Any", pins: "Any" = None, **options: "Any") -> None:
        Modem.__init__(self, at, pins, **options)
        self._known: dict[tuple[Any, ...], list[int]] = {}  # ids -> [checksum of the value, TAKEN...]
        self._flights: dict[tuple[Any, ...], tuple[int, int]] = {}  # ids -> (key of the report, deadline in ticks)
        self._texts: dict[tuple[Any, ...], str] = {}  # writable ones, as node and module last agreed
        self._acked: list[tuple[Any, ...]] = []  # what NFYACKURI is armed for
        at.is_answer = self._is_answer

    @staticmethod
    def _is_answer(_: str, line: str) -> "bool | None":
        """#LWM2MMON and #PSMURC are names of an answer and of a URC."""
        if line.startswith("#LWM2MMON:"):
            return "UPD" not in line
        if line.startswith("#PSMURC:"):
            return "," not in line
        return None

    def _parse_urc(self, line: str) -> "tuple[str, list[str | None]] | None":
        """Names as in URCS, from every shape that was seen (lwm2m_mapping 3.4, contradictions 1, 12, 14 and 16)."""
        values = [(value or "").strip(' "') for value in split_fields(line)]
        head = line.partition(":")[0].strip("# ")
        head = "TLT" if head == "LWM2M-TLT" else head.replace("LWM2M", "")
        if head in ("END", "PSMURC"):
            return head, list(values)
        if head == "INFO" and len(values) > 1:
            return "INFO " + values[1], []
        if head == "FOTARING" and len(values) > 1:
            return "FOTARING " + values[1], []
        if head == "NFYACK" and len(values) > 3:
            return "NFYACK " + values[3].strip("()"), [values[2]]
        return head + " " + (values[0] if values else ""), list(values[1:])

    # ---- ACK mode ---------------------------------------------------------------------------------------------

    def _on_end(self, _: int) -> None:
        self._in_session = False

    # ---- session ----------------------------------------------------------------------------------------------

    def _factory_reset(self, why: str) -> None:
        """All but the FOTA mode is gone (3.1.12); our account too, unless it is the one that we are registered by."""
        self._known.clear()
        if self._status != REGISTERED:
            self._factory = 1
            self._services = False
            self._invalidate()
            self._status = NOT_REGISTERED
            self.refusal = "account: reset to factory, " + why
        self._emit("factory_reset", why)

    def _on_bootstrapped(self) -> None:
        self._status = REGISTERING
        self._emit("bootstrapped")

    def _on_registering(self) -> None:
        self._suspended = False
        self._status = REGISTERING

    def _on_registered(self) -> None:
        self._suspended = False
        self._fresh = self.clock.ticks_ms()
        self._session_stands("registered", "registered")

    def _on_deregistered(self) -> None:
        if not self._suspended:
            self._session_lost(DEREGISTERED, "deregistered")

    def _on_suspended(self) -> None:
        """How long is in 1/x/5, which R may not read (3.1.5): the option disable_s stands for it."""
        self._suspended = True
        self._status = NOT_REGISTERED
        self._emit("disabled", self.options["disable_s"])

    def _on_disabled(self) -> None:
        self._armed = False
        self._session_lost(NOT_REGISTERED, "the client was disabled")

    def _on_force_exit(self) -> None:
        self._force_exit = True
        self.refusal = "registration: the module gave up (FORCE_EXIT)"
        self._session_lost(NOT_REGISTERED, self.refusal)
        self._status = NOT_REGISTERED

    def _on_psm(self) -> None:
        self._asleep = True

    # ---- reboots ----------------------------------------------------------------------------------------------

    def _on_reboot(self) -> None:
        self._reboot = True
        self._forget_session("module restarted")
        self._emit("restarting", "server")

    def _forget_session(self, reason: str) -> None:
        """Lost with power, and by a restart: agent, MON and NFYACK lists, echo, CMEE, context (3.1.2, 3.1.3, 3.1.15)."""
        self._armed = self._context = self._in_session = False
        self._flights = {}
        Modem._forget_session(self, reason)

    # ---- reports ----------------------------------------------------------------------------------------------

    def _on_acked(self, uri: str) -> None:
        self._land(uri, None, ACKED)

    def _on_nacked(self, uri: str) -> None:
        self._land(uri, "the server did not acknowledge (NACK)", NACKED)

    def _land(self, uri: str, reason: "str | None", state: int) -> None:
        ids = ids_of(uri)
        if ids is None:
            self._count("malformed_urcs")
            return
        entry = self._known.get(ids)
        if entry is not None:
            entry[1] = state
        flight = self._flights.pop(ids, None)
        if flight is None:
            self._count("unmatched_acks")  # a notification of the module's own (pmax), or one we gave up
        elif flight[0]:
            self.reports.settle(flight[0], reason)
        if state == ACKED and self._status not in (DEREGISTERING, NOT_REGISTERED):
            self._session_stands(None)

    # ---- what the server writes -------------------------------------------------------------------------------

    def _on_change(self, uri: str) -> None:
        """Also raised by our own W and SET (3.1.2): a value that is the one we know is no news."""
        ids = ids_of(uri)
        if ids is None:
            self._count("malformed_urcs")
        elif self._operations(ids).find("W") < 0:
            self._count("echoes")  # a server cannot write it: this was our SET
        else:
            self.later(self._compare, ids)

    def _compare(self, ids: "tuple[Any, ...]") -> None:
        self._in("me910c1.changes", "compare")(self, ids, self._read_text(ids))

    def _in(self, part: str, name: str) -> "Any":
        return getattr(__import__("lwnode.modem." + part, None, None, (name,)), name)

    def _ring(self) -> None:
        self.later(self._in("me910c1.changes", "ring"), self)

    def _ring_register(self) -> None:
        self._status = REGISTERING
        self._ring()

    def _ring_deregister(self) -> None:
        self._status = DEREGISTERING
        self._ring()

    def _on_bootstrapping(self) -> None:
        self._in("me910c1.account", "on_bootstrapping")(self)

    def answer(self, request: "Any", response: "Any", data: "Any") -> None:
        """The module has said Changed already: where the node refuses, what it holds is put back."""
        self._in("me910c1.changes", "answer")(self, request, response, data)

    def _reason(self, error: "Any") -> str:
        """The module's own words for a refusal (2.2.2.1)."""
        from lwnode.modem.me910c1.names import reason

        return reason(error)

    def _remember_value(self, ids: "tuple[Any, ...]", text: str, state: int) -> None:
        self._known[ids] = [mark_of(text), state]
        if self._operations(ids).find("W") >= 0:
            self._texts[ids] = text

    if TYPE_CHECKING:

        def _operations(self, ids: "tuple[Any, ...]") -> str:
            raise NotImplementedError

        def _read_text(self, ids: "tuple[Any, ...]") -> str:
            raise NotImplementedError

        def _give_up(self) -> None:
            raise NotImplementedError

    # ---- work that waits for service() ------------------------------------------------------------------------

    def _upkeep(self) -> None:
        if self._arm_due:
            # Enabled, but the wake that enabled it was cut short: once for each status().
            self._arm_due = False
            self.ask(self._in("me910c1.session", "register"), self, 0)
        self._give_up()
        if self._force_exit:
            self._force_exit = False
            self.ask(self.restart)
        if self._reboot:
            self._reboot = False
            self.ask(self._in("me910c1.session", "after_reboot"), self)
        if self._factory == 1:
            self.ask(self._in("me910c1.session", "register"), self, _AGAIN_MS)

    URCS = {
        "RING REG": ("", _ring_register),  # 3.1.3, ACK mode: let it register
        "RING UPD": ("", _ring),  # let it update
        "RING NOT": ("", _ring),  # let it notify
        "RING SMS": ("", _ring),  # the server wants us: let it answer
        "RING DRG": ("", _ring_deregister),  # let it leave
        "END": ("i", _on_end),  # the session is over: sleep() waits for it
        "INFO FOTA REBOOT": ("", _on_reboot),  # 3.1.3: wait for it, arm again; "restarting", "restarted"
        "INFO DEVICE REBOOT": ("", _on_reboot),  # by 3/0/4 or 3/0/5: the same, and "factory_reset" where instances are gone
        "TLT BOOTSTRAPPING": ("", _on_bootstrapping),  # "bootstrapping"; "factory_reset" where none is configured
        "TLT BOOTSTRAPPED": ("", _on_bootstrapped),  # "bootstrapped"; the registration follows by itself
        "TLT REGISTERING": ("", _on_registering),  # it is at it: wait
        "TLT REGISTERED": ("", _on_registered),  # "registered"
        "TLT DEREGISTERED": ("", _on_deregistered),  # "lost"; not in the event list, but in an example
        "TLT SUSPENDED": ("", _on_suspended),  # 1/x/4: "disabled"; it comes back by itself
        "TLT CLIENT_DISABLED": ("", _on_disabled),  # "lost"
        "TLT FORCE_EXIT": ("", _on_force_exit),  # "lost", then the module is restarted at once: nothing else helps
        "MON UPD": ("s", _on_change),  # 3.1.2: a write request, unless the value is ours
        "NFYACK ACK": ("s", _on_acked),  # 3.1.15: "delivered"
        "NFYACK NACK": ("s", _on_nacked),  # "failed": the reading stays in the journal
        "FOTARING DOWNLOAD": ("", "firmware download"),  # 3.1.12: "firmware", "download"; goes on with allow()
        "FOTARING UPDATE": ("", "firmware update"),  # "firmware", "update"; the same
        "PSMURC": ("", _on_psm),  # the module sleeps: what sleep() waits for
    }


def ids_of(uri: str) -> "tuple[Any, ...] | None":
    """"/3303/0/5700/0" -> (3303, 0, 5700); None for what is no path of a resource."""
    parts = uri.strip('"/ ').split("/")
    try:
        ids = tuple([int(part) for part in parts[:3]])
    except ValueError:
        return None
    return ids if len(ids) == 3 and min(ids) >= 0 and max(ids) <= 65535 else None


def mark_of(text: str) -> int:
    """Checksum of a value that does not care for the zeros a module may add: 21.5, 21.50 and 21.500000 are one."""
    body = text[1:] if text[:1] == "-" else text
    whole, point, fraction = body.partition(".")
    if point and (whole + fraction).isdigit():
        text = text.rstrip("0").rstrip(".")
        text = "0" if text in ("-0", "") else text
    return int(crc32(text.encode()))
