"""BC66 and BC66-NA: the pull contract. What the server reads, writes, executes and observes comes to the host as a URC.

    AT+QLWSTATUS?        +QLWSTATUS: 7                        after deep sleep: the session must be recovered
    AT+QLWRECOVER        OK, +QLWURC: "recovered",0
    AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,1
                         OK, +QLWURC: "report",34180, +QLWNOTIFY: 0, later +QLWURC: "report_ack",0,34180

Source: BC66&BC66-NA LwM2M Application Note V2.1 (2020-04-03), sections in the code. Firmware R01A10 is the reference;
older dialects are chosen by the revision. Bounds: 15 objects x 4 instances x 14 resources, string 1024, opaque 512 bytes.
"""

from micropython import const

from lwnode.at import AtError, AtTimeout, BudgetExceeded, CommandError, Raw
from lwnode.at import fields as split_fields
from lwnode.lwm2m import Path
from lwnode.modem import (
    DEREGISTERED,
    DEREGISTERING,
    NEED_RECOVER,
    NOT_REGISTERED,
    RECOVERING,
    REGISTERED,
    REGISTERING,
    UNKNOWN,
)
from lwnode.modem.bc66.codes import error_name, wire_value
from lwnode.modem.bc66.urcs import Urcs
from lwnode.modem.verbs import Capabilities

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.modem import Server

_PAUSE_MS = const(1000)  # between the result of DEREG and the next REG (field_quirks 5)

# 4.2.14
_STATES = (
    NOT_REGISTERED, REGISTERING, REGISTERED, DEREGISTERING, DEREGISTERED, UNKNOWN, RECOVERING, NEED_RECOVER,
)


class Driver(Urcs):
    """The BC66 over one AtClient."""

    FAMILY = "bc66"
    LINE_LIMIT = 2560  # a cached write: 2048 hexadecimal digits and its head
    OPTIONS = dict(
        Urcs.OPTIONS, auto_reg=False, persistent=True, rai=False, auto_ack=False, buffered=False, recovery_mode=1,
        retransmit_mode=0)

    _left_at: "int | None" = None  # tick of the last deregistration

    def _capabilities(self) -> Capabilities:
        return Capabilities(
            "pull", True, True, "server", bool(self.options["buffered"]), "pack", True, True,
            {"objects": 15, "instances": 4, "resources": 14, "string": 1024, "opaque": 512, "pack": 512},
        )

    def wake(self) -> bool:
        """As NbIot; in buffer mode requests may wait that a lost URC has told of."""
        self._buffered = bool(self.options["buffered"])
        return Urcs.wake(self)

    # ---- configuration: see setup.py ---------------------------------------------------------------------------

    def configure(self, server: "Server") -> bool:
        """QLWCFG, APN and QLWCONFIG where they differ. ValueError, by key and with the manual's range, before the wire."""
        from lwnode.modem.bc66 import setup

        return setup.configure(self, server)

    def declare(self, objects: "Any") -> bool:
        """QLWADDOBJ for what differs, QLWDELOBJ for what is too much. Immediate (4.2.6): never needs a restart."""
        from lwnode.modem.bc66 import setup

        return setup.declare(self, objects)

    def undeclare(self, object_id: int) -> bool:
        """QLWDELOBJ: the object with all its instances (4.2.7); there is no deletion of one instance."""
        self._declared = 0
        return self._act("+QLWDELOBJ", object_id) == 0

    # ---- registration -----------------------------------------------------------------------------------------

    def status(self) -> int:
        """AT+QLWSTATUS? (4.2.14)."""
        rows = self._read("+QLWSTATUS")
        try:
            self._status = _STATES[int(rows[-1][0])]
        except (ValueError, IndexError, TypeError):
            self._count("malformed_results")
            self._status = UNKNOWN
        return self._status

    def register(self, timeout_ms: int) -> bool:
        """AT+QLWREG and its result; nothing is sent while the module registers or recovers by itself (3.3, 3.4)."""
        state = self.status()
        if state == NEED_RECOVER:
            if self.recover(timeout_ms):
                return True
            state = self.status()
        if state == REGISTERED:
            return True
        if self._busy():
            return self._own_outcome(timeout_ms) == REGISTERED
        self._pause_after_deregistration()
        try:
            self._run("+QLWREG")
        except CommandError as error:
            return self._registration_refused(error, timeout_ms)
        self._status = REGISTERING
        if not self._take("reg", "+QLWREG", timeout_ms):
            self.status()  # the result may have been lost
        return self._status == REGISTERED

    def _registration_refused(self, error: CommandError, timeout_ms: int) -> bool:
        if error.code == 33 and self.status() == REGISTERED:
            return True
        if error.code == 32:  # keep connecting: it is at it by itself
            self._status = REGISTERING
            return self._own_outcome(timeout_ms) == REGISTERED
        self.refusal = "registration: " + error_name(error.code)
        return False

    def bootstrap(self, timeout_ms: int = 120000) -> bool:
        """Client-initiated (3.1.1): with bootstrap in the configured account a registration begins with it."""
        if self.server is None or not self.server.bootstrap:
            raise ValueError("bootstrap: expected a Server(bootstrap=True) configured, found none")
        self.ask(self.deregister)
        return self.register(timeout_ms)

    def update(self, lifetime: "int | None" = None, binding: "str | None" = None, objects: bool = False) -> bool:
        """AT+QLWUPDATE, one for each thing that changed (5.7.2). An object list needs none: QLWADDOBJ sends its own."""
        done = True
        if binding is not None:
            if binding not in ("U", "UQ"):
                raise ValueError(f"binding: expected U or UQ (BC66 note 4.2.4), found {binding}")
            done = self._update(1, int(binding == "UQ"))
        if lifetime is None and binding is None:
            lifetime = 86400 if self.server is None else self.server.lifetime
        if lifetime is not None:
            if not 20 <= lifetime <= 31536000:
                raise ValueError("lifetime: expected 20 to 31536000 s (BC66 note 4.2.4), found %d" % lifetime)
            done = self._update(0, lifetime) and done
        return done

    def _update(self, mode: int, value: int) -> bool:
        """The message id comes before OK, (status, id) after it, both under one name."""
        try:
            rows = self._write("+QLWUPDATE", mode, value)
        except CommandError as error:
            self.refusal = "update: " + error_name(error.code)
            return False
        results = [row for row in rows if len(row) > 1]
        if not results:
            try:
                line = self.at.wait("+QLWUPDATE", self.deadline_ms, accept=lambda text: len(split_fields(text)) > 1)
            except AtTimeout:
                return False
            results = [split_fields(line)]
        status = int(results[-1][0] or -1)
        self._on_ping(status)
        return status == 0

    def deregister(self) -> bool:
        """AT+QLWDEREG; err 4, not registered, is what was wanted (field_quirks 2.5)."""
        try:
            self._run("+QLWDEREG")
        except CommandError as error:
            if error.code == 4:
                self._status = DEREGISTERED
            return error.code == 4
        done = self._take("dereg", "+QLWDEREG", self.deadline_ms)
        self._left_at = self.clock.ticks_ms()
        return done and self._status == DEREGISTERED

    def _pause_after_deregistration(self) -> None:
        if self._left_at is not None:
            since = self.clock.ticks_diff(self.clock.ticks_ms(), self._left_at)
            if 0 <= since < _PAUSE_MS:
                self.at.poll(_PAUSE_MS - since)
            self._left_at = None

    def recover(self, timeout_ms: int = 30000) -> bool:
        """AT+QLWRECOVER (4.2.15); recovered 3 is followed by a registration of the module's own."""
        clock = self.clock
        end = clock.ticks_add(clock.ticks_ms(), timeout_ms)
        self._status = RECOVERING
        try:
            self._run("+QLWRECOVER")
        except CommandError as error:
            self.refusal = "recovery: " + error_name(error.code)
            self._status = UNKNOWN
            return False
        if not self._take("recovered", "+QLWURC", timeout_ms):
            self.status()
        if self._status in (REGISTERING, RECOVERING):
            self._own_outcome(max(0, clock.ticks_diff(end, clock.ticks_ms())))
        return self._status == REGISTERED

    def forget(self) -> None:
        """Leave the server and delete every declared object."""
        self.deregister()
        from lwnode.modem.bc66 import setup

        for object_id in sorted({key[0] for key in setup.declared_objects(self)}):
            self.undeclare(object_id)
        self._doubt()
        self.observed = []

    def _take(self, name: str, prefix: str, timeout_ms: int) -> bool:
        """Wait for the line that is called `name` in URCS and give it its effect. False where it did not come."""
        def is_wanted(text: str) -> bool:
            parsed = self._parse_result(text)
            return parsed is not None and parsed[0] == name

        try:
            line = self.at.wait(prefix, timeout_ms, accept=is_wanted)
        except AtTimeout:
            return False
        parsed = self._parse_result(line)
        if parsed is not None:
            self._dispatch(parsed[0], parsed[1])
        return True

    def _parse_result(self, line: str) -> "tuple[str, list[str | None]] | None":
        if line.startswith("+QLWDEREG"):
            return "dereg", list(split_fields(line))
        return self._parse_urc(line)

    # ---- reports ----------------------------------------------------------------------------------------------

    @property
    def deadline_ms(self) -> int:
        """All transmissions and the wait after the last (4.2.2): 2 s x (1+2+4+8+16) = 62 s at the defaults."""
        timeout_s, times = self.options["ack_timeout"], self.options["max_retransmit"]
        waits = times + 1 if self.options["retransmit_mode"] else (2 << times) - 1
        return int(timeout_s * waits * 1000)

    def publish(self, records: "Any", confirm: bool = True) -> int:
        """QLWNOTIFY. Resources of an instance that is observed as a whole go as one notification, split by index."""
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
