"""ME910C1: the values in the module: what goes in, what became of it, what the server wrote; each URC's effect.

    AT#LWM2MSET=1,3303,0,5700,0,21.5             OK: taken
    #LWM2MNFYACK: 0,99,"/3303/0/5700","ACK"      the server has it (armed resources, six at most, 3.1.15)
    #LWM2MMON: UPD,"/3306/0/5850/0"              read; where it is not what we wrote, a write request for the node
    LWM2M-TLT:"SUSPENDED",SSID=99,"coap://..."   ("disabled", 86400): no contact for so long, also across sleep

The module keeps only the last value of a path and notifies only changes. So one value of a path is on its way at a time, and
one that did not change shares the fate of the one before. The host is not told who observes what: the first silence of an armed
path says that nobody does. Every line may be lost while nobody listens; what recovers the state: AT#LWM2MSTAT (session, an ACK
that is waited for), AT#LWM2MENA? (0 after a power cycle), AT#LWM2MR (what a server wrote), the deadline of a report.
"""

from lwnode.at import AtError, BudgetExceeded, CommandError
from lwnode.at import fields as split_fields
from lwnode.lwm2m import Path, Request
from lwnode.modem import DEREGISTERED, DEREGISTERING, NOT_REGISTERED, REGISTERED, REGISTERING
from lwnode.modem.driver import Modem
from lwnode.modem.me910c1 import values
from lwnode.modem.reports import UNCHANGED
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Response

    Ids = tuple[Any, ...]

# What is known of a value in the module: taken by it, acknowledged by the server, refused by it, watched by nobody.
TAKEN, ACKED, NACKED, UNWATCHED = 0, 1, 2, 3
HISTORY = (19, 0, 0)  # where packs of late readings go
CREATED = 2  # this bit of the declaration's checksum: its instances were all seen in the module
_BOOTSTRAP = const(2)  # this bit of the account's checksum: it names a bootstrap server
_MARK = "me910c1-account"
_AGAIN_MS = const(45000)  # as long as ENA may take (field_quirks 5)
_CONTEXT_MS = const(30000)  # 3.1.4 has no figure; attached already, it is one exchange with the network
_KEYS = const(0x3FFFFFFF)
_ABANDONED = const(0)  # the key of a report whose ticket has failed already


def reason_of(error: CommandError) -> str:
    """What the module gave as its reason (2.2.2.1): words by AT+CMEE=2, or the code of an error that came as a number."""
    return error.text if error.code is None else "%s: %d" % (error.result, error.code)


class Shadow(Modem):
    """Values on their way, and the effects of unsolicited lines (80529ST10974A Rev. 3; sections beside the rows)."""

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
        self._pending: dict[tuple[Any, ...], tuple[int, int]] = {}  # ids -> (key of the report, deadline in ticks)
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
        found = [(value or "").strip(' "') for value in split_fields(line)]
        head = line.partition(":")[0].strip("# ")
        head = "TLT" if head == "LWM2M-TLT" else head.replace("LWM2M", "")
        if head in ("END", "PSMURC"):
            return head, list(found)
        if head == "INFO" and len(found) > 1:
            return "INFO " + found[1], []
        if head == "FOTARING" and len(found) > 1:
            return "FOTARING " + found[1], []
        if head == "NFYACK" and len(found) > 3:
            return "NFYACK " + found[3].strip("()"), [found[2]]
        return head + " " + (found[0] if found else ""), list(found[1:])

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
        self._pending = {}
        Modem._forget_session(self, reason)

    # ---- reports ----------------------------------------------------------------------------------------------

    def _on_acked(self, uri: str) -> None:
        self._settle_value(uri, None, ACKED)

    def _on_nacked(self, uri: str) -> None:
        self._settle_value(uri, "the server did not acknowledge (NACK)", NACKED)

    def _settle_value(self, uri: str, reason: "str | None", state: int) -> None:
        ids = values.ids_of(uri)
        if ids is None:
            self._count("malformed_urcs")
            return
        entry = self._known.get(ids)
        if entry is not None:
            entry[1] = state
        report = self._pending.pop(ids, None)
        if report is None:
            self._count("unmatched_acks")  # a notification of the module's own (pmax), or one we gave up
        elif report[0]:
            self.reports.settle(report[0], reason)
        if state == ACKED and self._status not in (DEREGISTERING, NOT_REGISTERED):
            self._session_stands(None)

    # ---- what the server writes -------------------------------------------------------------------------------

    def _on_change(self, uri: str) -> None:
        """Also raised by our own W and SET (3.1.2): a value that is the one we know is no news."""
        ids = values.ids_of(uri)
        if ids is None:
            self._count("malformed_urcs")
        elif "W" not in values.operations(ids):
            self._count("echoes")  # a server cannot write it: this was our SET
        else:
            self.later(self._compare, ids)

    def _ring(self) -> None:
        self.later(self._acknowledge_ring)

    def _ring_register(self) -> None:
        self._status = REGISTERING
        self._ring()

    def _ring_deregister(self) -> None:
        self._status = DEREGISTERING
        self._ring()

    def _remember_value(self, ids: "tuple[Any, ...]", text: str, state: int) -> None:
        self._known[ids] = [values.mark_of(text), state]
        if "W" in values.operations(ids):
            self._texts[ids] = text

    # ---- work that waits for service() ------------------------------------------------------------------------

    def _upkeep(self) -> None:
        if self._arm_due:
            # Enabled, but the wake that enabled it was cut short: once for each status().
            self._arm_due = False
            self.ask(self._register, 0)
        self._give_up()
        if self._force_exit:
            self._force_exit = False
            self.ask(self.restart)
        if self._reboot:
            self._reboot = False
            self.ask(self._after_reboot)
        if self._factory == 1:
            self.ask(self._register, _AGAIN_MS)

    def _compare(self, ids: "Ids", text: "str | None" = None) -> None:
        """The text of a writable resource that has been read: a value that we do not know becomes a write request."""
        text = self._read_text(ids) if text is None else text
        entry = self._known.get(ids)
        mark = values.mark_of(text)
        if entry is not None and entry[0] == mark:
            self._count("echoes")
            return
        if entry is None and mark in (values.mark_of(""), values.mark_of("0"), values.mark_of("0:0")):
            self._remember_value(ids, text, TAKEN)  # the default of a new instance is nobody's write (3.1.10)
            return
        self.request(Request("write", Path(*ids), value=values.raw(ids, text)), text)

    def answer(self, request: Request, response: "Response", data: "Any") -> None:
        """The module has said Changed already: where the node refuses, what it holds is put back."""
        ids = request.path.ids
        if response.code < 400:
            self._remember_value(ids, data, TAKEN)
            return
        self._count("writes_refused")
        if ids in self._texts:
            self.at.write("#LWM2MW", 0, *ids, 0, values.quoted(ids, self._texts[ids]))

    def _acknowledge_ring(self) -> None:
        """3.1.4: the context is active, and the module may use it."""
        self._count("rings")
        self._in_session = True
        if not self._context:
            cid = self.options["cid"]
            rows = self.ask(self.at.read, "#SGACT") or []
            if not [row for row in rows if row[:2] == [str(cid), "1"]]:
                self.ask(self.at.write, "#SGACT", cid, 1, timeout_ms=_CONTEXT_MS)
            self._context = True
        self.ask(self.at.write, "#LWM2MACK", 1)

    # ---- reports ----
    _key = 0

    @property
    def deadline_ms(self) -> int:
        """The longest a confirmable notification takes; in ACK mode with the time in which it is announced (3.1.3)."""
        options = self.options
        return int(options["ack_wait_ms"] + (options["guard_request"] * 1000 if options["ack_mode"] else 0))

    def publish(self, records: "Any", confirm: bool = True) -> int:
        """SET or W (values.py). Delivered: acknowledged by the server where armed for the path, else taken by the module."""
        lines = values.wire_lines(records)
        self._upkeep()
        ticket = self.reports.open()
        try:
            self._let_observe()
            for ids, text, name, parameters in lines:
                self._wait_for(ids)
                if not self._set(ticket, ids, text, name, parameters, confirm):
                    break
        finally:
            self.reports.seal(ticket)
        return ticket

    def _let_observe(self) -> None:
        """A new registration has no observations: what is set before the server observes again is never notified."""
        if self._fresh is not None:
            clock = self.clock
            left = clock.ticks_diff(clock.ticks_add(self._fresh, self.options["observe_ms"]), clock.ticks_ms())
            self._fresh = None
            if 0 < left <= self.options["observe_ms"]:
                self.at.poll(left)

    def _set(self, ticket: int, ids: "Ids", text: str, name: str, parameters: "Any", confirm: bool) -> bool:
        """One value. False: the module does not answer, the rest is not tried."""
        entry = self._known.get(ids)
        state = TAKEN if entry is None else entry[1]
        same = entry is not None and entry[0] == values.mark_of(text)
        if same and ids == HISTORY and state != ACKED:
            # The oldest of the journal once more, which must not block it: the same pack in other bytes is a change.
            text, parameters = values.rewritten(text, parameters)
            same = False
        notified = confirm and ids in self._acked and not same and (state != UNWATCHED or ids == HISTORY)
        # Noted first, for an answer may be lost; and open until its own acknowledgement.
        self._remember_value(ids, text, state if same or state != ACKED else NACKED)
        if notified:
            self._key = self._key % _KEYS + 1
            self._pending[ids] = (self._key, self.clock.ticks_add(self.clock.ticks_ms(), self.deadline_ms))
            self.reports.sent(ticket, self.deadline_ms + 1000, self._key)
        try:
            self.at.write(name, *parameters)
        except BudgetExceeded:
            raise
        except CommandError as error:
            if entry is None:
                del self._known[ids]
            else:
                self._known[ids] = entry
            self._declared &= ~CREATED  # the instance may be gone: looked for at the next registration
            self._fail(ticket, ids, notified, "%s: %s" % (name, reason_of(error)))
            self._pending.pop(ids, None)
            return True
        except AtError:
            # Its acknowledgement may have come instead of the answer. One that comes later is nobody's: the flight
            # stays, so that the next value of the path waits for it.
            self.ask(self.at.poll, 0)
            self._fail(ticket, ids, notified, "no answer from the module")
            return False
        if confirm and ids in self._acked and not notified:
            # No change, no notification: what became of the value before is what becomes of this one.
            self._count("unchanged" if same else "unwatched")
            if same and state in (TAKEN, NACKED):
                self.reports.refuse(ticket, UNCHANGED)
        return True

    def _fail(self, ticket: int, ids: "Ids", notified: bool, reason: str) -> None:
        """The value did not get into the module, or nobody knows; unless its acknowledgement is there already."""
        if not notified:
            self.reports.refuse(ticket, reason)
        elif ids in self._pending:
            key, due = self._pending[ids]
            self._pending[ids] = (_ABANDONED, due)
            self.reports.settle(key, reason)

    def _wait_for(self, ids: "Ids") -> None:
        """Until nothing of that path is on its way, and there is room for one more message."""
        clock = self.clock
        end = clock.ticks_add(clock.ticks_ms(), self.deadline_ms)
        while ids in self._pending or self.reports.in_flight >= self.reports.limit:
            self._give_up()
            if clock.ticks_diff(end, clock.ticks_ms()) <= 0:
                return
            self.at.poll(200)
            self.reports.expire()

    def _give_up(self) -> None:
        """No word of a notification in time: lost, where the path was acknowledged before; else nobody observes it."""
        now = self.clock.ticks_ms()
        for ids in list(self._pending):
            key, due = self._pending[ids]
            if self.clock.ticks_diff(due, now) > 0:
                continue
            del self._pending[ids]
            if key == _ABANDONED:
                continue
            entry = self._known[ids]
            reason: "str | None" = None
            if entry[1] in (ACKED, NACKED):
                # A pack that stays unheard twice is no accident: whoever observed it does so no more.
                entry[1] = TAKEN if ids == HISTORY else NACKED
                reason = "no acknowledgement in time"
            elif ids == HISTORY:
                # The next pack would overwrite it. Until a cold start asks anew, what is late goes on its own path.
                entry[1] = UNWATCHED
                self.capabilities.history = "replay"
                reason = "nobody observes /19/0/0"
            elif self.ask(self.status) != REGISTERED:
                reason = "the module had restarted"  # that silence says nothing of observers
            else:
                entry[1] = UNWATCHED
                self._count("unwatched")
            self.reports.settle(key, reason)

    def _read_text(self, ids: "Ids") -> str:
        """AT#LWM2MR; the value begins behind the name, and may itself hold commas (3.1.5 and the field)."""
        lines = self.at.send("AT#LWM2MR=0,%d,%d,%d,0" % ids, prefix="#LWM2MR")
        return self.text_of(lines[-1]) if lines else ""

    def text_of(self, line: str) -> str:
        """The value of a #LWM2MR line."""
        return line.partition(":")[2].strip().strip('"')

    # ---- the account: neither STS nor INJKEYS can be read back (3.1.8, 3.1.14) ----------------------------------

    def _marked_account(self) -> int:
        """Checksum of the account that the store says is in the module; 0 for none."""
        store = self.options["store"]
        try:
            return int(store.load(_MARK) or b"0", 16) if store is not None else 0
        except ValueError:
            return 0

    def _mark_account(self, mark: int) -> None:
        store = self.options["store"]
        if store is not None:
            store.save(_MARK, b"%08x" % mark if mark else b"")

    def _on_bootstrapping(self) -> None:
        """With an account that needs no bootstrap it is the maker's server that is asked: a factory reset has taken ours."""
        mark = self._configured or self._marked_account()
        if mark and not mark & _BOOTSTRAP:
            self._session_lost(NOT_REGISTERED, "the module bootstraps")
            self._factory_reset("the module asks its maker's bootstrap server")
        elif not self._factory:
            self._status = REGISTERING
            self._emit("bootstrapping")

    if TYPE_CHECKING:

        def _register(self, timeout_ms: int) -> bool:
            raise NotImplementedError

        def _after_reboot(self) -> bool:
            raise NotImplementedError

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
