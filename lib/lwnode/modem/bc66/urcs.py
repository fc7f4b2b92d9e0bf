"""BC66: the eighteen URCs of the manual's chapter 4.3, and what each does to the node.

    +QLWURC: "disable",86400      ("disabled", 86400): no contact for a day, also across sleep, then a registration

Every line may be lost while the UART is deaf; what recovers the state is AT+QLWSTATUS? (all of the session), AT+QLWRD?
(requests in buffer mode) and the deadline of a report (report_ack).
"""

from lwnode.at import fields as split_fields
from lwnode.modem import DEREGISTERED, NEED_RECOVER, NOT_REGISTERED, REGISTERING
from lwnode.modem.bc66.codes import status_name
from lwnode.modem.bc66.wire import Wire

_NUMBERED = {"0": "observe", "1": "read", "2": "write", "3": "execute"}  # R01A06 numbers what later firmware names


class Urcs(Wire):
    """Effects of unsolicited lines."""

    URC_PREFIXES = ("+QLWURC", "+QLWREG", "+QNBIOTEVENT")
    URCS = {
        "ping": ("i", "_on_ping"),  # 4.3.1: 0 "updated", else "lost" and the module registers again by itself
        "buffer": ("", "_on_buffer"),  # 4.3.2: requests wait, QLWRD until none is left
        "write": ("ioooiisi", "answers.on_write"),  # 4.3.3: answered with QLWWRRSP
        "read": ("iooo", "answers.on_read"),  # 4.3.4: answered with QLWRDRSP
        "execute": ("iooo", "answers.on_execute"),  # 4.3.5: answered with QLWEXERSP
        "observe": ("iiooo", "answers.on_observe"),  # 4.3.6: answered with QLWOBSRSP, "observed" or "cancelled"
        "bs_finished": ("", "effects.on_bootstrapped"),  # 4.3.7: "bootstrapped"; the registration follows by itself
        "report": ("i", "_on_report"),  # 4.3.8: the report that was sent has this message id
        "report_ack": ("ii", "_on_report_ack"),  # 4.3.9: 0 "delivered", else "failed" and the reading stays stored
        "lwstatus": ("i", "_on_link"),  # 4.3.10: 0 "link_lost" and publishing stops, 1 "link_back"
        "lifetime_changed": ("i", "=lifetime"),  # 4.3.11: "lifetime": the next contact moves
        "binding_changed": ("s", "=binding"),  # 4.3.12: "binding"
        "min_period_changed": ("i", "=min_period"),  # 4.3.13: "min_period"; the module itself does nothing with it
        "max_period_changed": ("i", "=max_period"),  # 4.3.14: "max_period"; the same
        "disable": ("i", "effects.on_disable"),  # 4.3.15: "disabled": no contact for that long, then register
        "factory_reset": ("i", "effects.on_factory_reset"),  # 4.3.16: "factory_reset"; objects are declared again afterwards
        "bootstrap_request_trigger": ("i", "effects.on_bootstrap_trigger"),  # 4.3.17: "bootstrapping"; register() waits
        "recovered": ("i", "_on_recovered"),  # 4.3.18: 0 "recovered", 3 the module registers again by itself
        # lines outside 4.3: results that come without being asked for, and the module's power events
        "reg": ("i", "_on_registration"),  # 4.2.3 by auto-registration or after a failed update
        "dereg": ("i", "_on_deregistration"),
        "event": ("s", "_on_power_event"),
    }

    _bootstrapping = False
    _buffered = False
    _factory = False
    _offline = False

    def _parse_urc(self, line: str) -> "tuple[str, list[str | None]] | None":
        """Names as R01A10 writes them, from all shapes that were seen (field_quirks 3)."""
        values: list[str | None] = list(split_fields(line))
        if line.startswith("+QLWREG"):
            return "reg", values
        if line.startswith("+QNBIOTEVENT"):
            return "event", values
        name = values[0] if values and values[0] else ""
        if "," in name:  # before R01A10 one string held it all: "lifetime changed,30"
            parts = name.split(",")
            values[:1] = parts
            name = parts[0]
        name = _NUMBERED.get(name, name.strip().replace(" ", "_"))
        return name, values[1:]

    def _on_ping(self, status: int) -> None:
        if status == 0:
            self._session_stands("updated")
        else:
            # 3.3 case 3: it registers again by itself, then tries the bootstrap server, and ends with +QLWREG.
            self._session_lost(REGISTERING, "update: " + status_name(status))

    def _on_buffer(self) -> None:
        self._buffered = True

    def _on_report(self, mid: int) -> None:
        self.reports.name(mid)

    def _on_report_ack(self, status: int, mid: int) -> None:
        self.reports.settle(mid, None if status == 0 else status_name(status))

    def _on_link(self, state: int) -> None:
        self._offline = state == 0
        self._emit("link_back" if state else "link_lost", "lwstatus")

    def _on_recovered(self, status: int) -> None:
        if status == 0:
            self._session_stands("recovered", status_name(status))
        else:
            # After 3 the module registers again by itself (seen in the field): only +QLWREG ends it.
            self._status = REGISTERING if status == 3 else NEED_RECOVER
            self._count("recoveries_failed")

    def _on_registration(self, status: int) -> None:
        self._bootstrapping = False
        if status == 0:
            self._session_stands("registered", "server")
        else:
            self.refusal = "registration: " + status_name(status)
            self._session_lost(NOT_REGISTERED, self.refusal)

    def _on_deregistration(self, status: int) -> None:
        if status == 0:
            self._status = DEREGISTERED

    def _busy(self) -> bool:
        return self._bootstrapping or Wire._busy(self)

    # ---- work that waits for service() ------------------------------------------------------------------------

    def _upkeep(self) -> None:
        Wire._upkeep(self)
        self._declare_late()
        if self._buffered:
            self._buffered = False
            self.ask(self._in("bc66.effects", "drain"), self)
        if self._factory:
            self._factory = False
            self.ask(self._in("bc66.effects", "after_factory_reset"), self)

    def _declare_late(self) -> None:
        """Firmware before R01A10 takes objects only while registered."""

    def buffered_requests(self) -> int:
        """How many requests wait in the module (buffer mode); what a lost "buffer" URC would have announced."""
        return int(self._in("bc66.effects", "buffered_requests")(self))
