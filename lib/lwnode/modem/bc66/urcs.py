"""BC66: the eighteen URCs of the manual's chapter 4.3, and what each does to the node.

    +QLWURC: "disable",86400      ("disabled", 86400): no contact for a day, also across sleep, then a registration

Every line may be lost while the UART is deaf; what recovers the state is AT+QLWSTATUS? (all of the session), AT+QLWRD?
(requests in buffer mode) and the deadline of a report (report_ack).
"""

from micropython import const

from lwnode.at import fields as split_fields
from lwnode.modem import DEREGISTERED, NEED_RECOVER, NOT_REGISTERED, REGISTERING, UNKNOWN
from lwnode.modem.bc66.codes import status_name
from lwnode.modem.bc66.wire import Wire
from lwnode.modem.network import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DRAIN_LIMIT = const(64)  # requests answered in one go; a module that never says 0 left ends the loop
_NUMBERED = {"0": "observe", "1": "read", "2": "write", "3": "execute"}  # R01A06 numbers what later firmware names


class Urcs(Wire):
    """Effects of unsolicited lines."""

    URC_PREFIXES = ("+QLWURC", "+QLWREG", "+QNBIOTEVENT")
    URCS = {
        "ping": ("i", "_on_ping"),  # 4.3.1: 0 "updated", else "lost" and the module registers again by itself
        "buffer": ("", "_on_buffer"),  # 4.3.2: requests wait, QLWRD until none is left
        "write": ("ioooiisi", "_on_write"),  # 4.3.3: answered with QLWWRRSP
        "read": ("iooo", "_on_read"),  # 4.3.4: answered with QLWRDRSP
        "execute": ("iooo", "_on_execute"),  # 4.3.5: answered with QLWEXERSP
        "observe": ("iiooo", "_on_observe"),  # 4.3.6: answered with QLWOBSRSP, "observed" or "cancelled"
        "bs_finished": ("", "_on_bootstrapped"),  # 4.3.7: "bootstrapped"; the registration follows by itself
        "report": ("i", "_on_report"),  # 4.3.8: the report that was sent has this message id
        "report_ack": ("ii", "_on_report_ack"),  # 4.3.9: 0 "delivered", else "failed" and the reading stays stored
        "lwstatus": ("i", "_on_link"),  # 4.3.10: 0 "link_lost" and publishing stops, 1 "link_back"
        "lifetime_changed": ("i", "_on_lifetime"),  # 4.3.11: "lifetime": the next contact moves
        "binding_changed": ("s", "_on_binding"),  # 4.3.12: "binding"
        "min_period_changed": ("i", "_on_min_period"),  # 4.3.13: "min_period"; the module itself does nothing with it
        "max_period_changed": ("i", "_on_max_period"),  # 4.3.14: "max_period"; the same
        "disable": ("i", "_on_disable"),  # 4.3.15: "disabled": no contact for that long, then register
        "factory_reset": ("i", "_on_factory_reset"),  # 4.3.16: "factory_reset"; objects are declared again afterwards
        "bootstrap_request_trigger": ("i", "_on_bootstrap_trigger"),  # 4.3.17: "bootstrapping"; register() waits
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

    def _on_read(self, *values: "Any") -> None:
        self._answer("read", values)

    def _on_observe(self, *values: "Any") -> None:
        self._answer("observe", values)

    def _on_write(self, *values: "Any") -> None:
        self._answer("write", values)

    def _on_execute(self, *values: "Any") -> None:
        self._answer("execute", values)

    def _answer(self, operation: str, values: "Any") -> None:
        self._in("bc66.answers", "on_" + operation, *values)

    def _on_ping(self, status: int) -> None:
        if status == 0:
            self._session_stands("updated")
        else:
            # 3.3 case 3: it registers again by itself, then tries the bootstrap server, and ends with +QLWREG.
            self._session_lost(REGISTERING, "update: " + status_name(status))

    def _on_buffer(self) -> None:
        self._buffered = True

    def _on_bootstrapped(self) -> None:
        self._status = REGISTERING
        self._emit("bootstrapped")

    def _on_report(self, mid: int) -> None:
        self.reports.name(mid)

    def _on_report_ack(self, status: int, mid: int) -> None:
        self.reports.settle(mid, None if status == 0 else status_name(status))

    def _on_link(self, state: int) -> None:
        self._offline = state == 0
        self._emit("link_back" if state else "link_lost", "lwstatus")

    def _on_lifetime(self, seconds: int) -> None:
        self._emit("lifetime", seconds)

    def _on_binding(self, mode: str) -> None:
        self._emit("binding", mode)

    def _on_min_period(self, seconds: int) -> None:
        self._emit("min_period", seconds)

    def _on_max_period(self, seconds: int) -> None:
        self._emit("max_period", seconds)

    def _on_disable(self, seconds: int) -> None:
        self._status = NOT_REGISTERED
        self._emit("disabled", seconds)

    def _on_factory_reset(self, status: int) -> None:
        """Deregistered by now. In direct mode the module resets itself; in buffer mode we must (notes 1 and 2)."""
        self._factory = True
        self._doubt()
        self.observed = []
        self._forget_session("factory reset")
        self._emit("factory_reset", status_name(status))

    def _on_bootstrap_trigger(self, status: int) -> None:
        self._bootstrapping = status == 0
        self._status = REGISTERING if status == 0 else UNKNOWN
        self._emit("bootstrapping", status_name(status))

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
        self._declare_late()
        if self._buffered:
            self._buffered = False
            self.ask(self._drain)
        if self._factory:
            self._factory = False
            self.ask(self._after_factory_reset)

    def _declare_late(self) -> None:
        """Firmware before R01A10 takes objects only while registered."""

    def _drain(self) -> None:
        """4.2.13: each QLWRD brings one cached URC and the number of those left."""
        for _ in range(_DRAIN_LIMIT):
            rows: list[list[Any]] = self._run("+QLWRD")
            if not rows or len(rows[-1]) < 2:
                return
            self._dispatch(str(rows[-1][1]), rows[-1][2:])
            if rows[-1][0] == "0":
                return

    def buffered_requests(self) -> int:
        """How many requests wait in the module (buffer mode); what a lost "buffer" URC would have announced."""
        rows = self._read("+QLWRD")
        count = number(rows[-1], 0, 0, 65535) or 0 if rows else 0
        self._buffered = count > 0
        return count

    def _after_factory_reset(self) -> None:
        """4.3.16: nothing that was declared is left. Accounts come from the bootstrap server, objects from us."""
        if self.options["buffered"]:
            self.restart()
        else:
            self._restart_expected = True
            try:
                self.at.poll(self.options["boot_ms"])
                self._begin()
            finally:
                self._restart_expected = False
        if self.objects:
            self.declare(self.objects)
