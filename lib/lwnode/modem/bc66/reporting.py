"""BC66: reports. One QLWNOTIFY for each value, or several under falling index for an instance observed as a whole.

    AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,1
    OK, +QLWURC: "report",34180, +QLWNOTIFY: 0, and within deadline_ms +QLWURC: "report_ack",0,34180
"""

from lwnode.at import AtError, BudgetExceeded, Raw
from lwnode.lwm2m import Path
from lwnode.modem import NOT_REGISTERED
from lwnode.modem.bc66.codes import error_name, wire_value
from lwnode.modem.bc66.urcs import Urcs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Reporting(Urcs):
    """From records to acknowledged messages."""

    level = 10  # of the firmware: 6 for BC66NBR01A06

    @property
    def deadline_ms(self) -> int:
        """All transmissions and the wait after the last (4.2.2): 2 s x (1+2+4+8+16) = 62 s at the defaults."""
        timeout_s, times = self.options["ack_timeout"], self.options["max_retransmit"]
        waits = times + 1 if self.options["retransmit_mode"] else (2 << times) - 1
        return int(timeout_s * waits * 1000)

    def publish(self, records: "Any", confirm: bool = True) -> int:
        """QLWNOTIFY (on old firmware: object 19 as a pipe).

        Resources of an instance that is observed as a whole go as one notification, split by index.
        """
        if self.level < 7:
            from lwnode.modem.bc66 import legacy

            return legacy.publish(self, records, confirm)
        messages = self._messages(records)
        ticket = self.reports.open()
        for message in messages:
            if self._offline:
                self.reports.refuse(ticket, "no network connection (lwstatus 0)")
                break
            self._room()
            if not self._notify(ticket, message, confirm):
                break
        self.reports.seal(ticket)
        return ticket

    def _send_bytes(self, path: Path, data: bytes, confirm: bool) -> "str | None":
        from lwnode.modem.bc66 import legacy

        return legacy.send_bytes(self, path, data, confirm)

    def _messages(self, records: "Any") -> "list[list[tuple[Any, ...]]]":
        """Records in the wire's form, those of one observed instance together. ValueError before anything is sent."""
        messages: list[list[tuple[Any, ...]]] = []
        groups: dict[Path, list[tuple[Any, ...]]] = {}
        for record in records:
            path, kind, value = record[:3]
            wire_type, length, text, quoted = wire_value(kind, value)
            part = (path, wire_type, length, text if quoted else Raw(text))
            whole = Path(path.object, path.instance)
            together = whole in self.observed and path not in self.observed
            if together and whole in groups:
                groups[whole].append(part)
                continue
            messages.append([part])
            if together:
                groups[whole] = messages[-1]
        return messages

    def _notify(self, ticket: int, parts: "list[tuple[Any, ...]]", confirm: bool) -> bool:
        """One notification of one or more values. False: the module does not answer, the rest is not tried."""
        error = 0
        last_tail: tuple[int, ...] = (int(confirm), 2 if confirm else 1) if self.options["rai"] else (int(confirm),)
        for index in range(len(parts) - 1, -1, -1):
            path, kind, length, value = parts[len(parts) - 1 - index]
            try:
                error = self._send_value(
                    "+QLWNOTIFY", (path.object, path.instance, path.resource), kind, length, value,
                    (index,) + last_tail) or 0
            except BudgetExceeded:
                raise
            except AtError:
                self.reports.refuse(ticket, "no answer from the module")
                return False
            if error:
                break
        if error:
            if error == 4:
                self._session_lost(NOT_REGISTERED, "report: not registered")
            self.reports.refuse(ticket, error_name(error))
        elif confirm:
            self.reports.sent(ticket, self.deadline_ms)
        return True
