"""BC66 and BC66-NA: the pull contract. What the server reads, writes, executes and observes comes to the host as a URC.

    AT+QLWSTATUS?        +QLWSTATUS: 7                        after deep sleep: the session must be recovered
    AT+QLWRECOVER        OK, +QLWURC: "recovered",0
    AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,1
                         OK, +QLWURC: "report",34180, +QLWNOTIFY: 0, later +QLWURC: "report_ack",0,34180

Source: BC66&BC66-NA LwM2M Application Note V2.1 (2020-04-03), sections in the code. Firmware R01A10 is the reference;
older dialects are chosen by the revision. Bounds: 15 objects x 4 instances x 14 resources, string 1024, opaque 512 bytes.
"""

from lwnode.at import AtTimeout, CommandError
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
from lwnode.modem.bc66.codes import error_name, level_of
from lwnode.modem.bc66.reporting import Reporting
from lwnode.modem.verbs import Capabilities

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.modem import Server

# 4.2.14
_STATES = (
    NOT_REGISTERED, REGISTERING, REGISTERED, DEREGISTERING, DEREGISTERED, UNKNOWN, RECOVERING, NEED_RECOVER,
)


class Driver(Reporting):
    """The BC66 over one AtClient."""

    FAMILY = "bc66"
    LINE_LIMIT = 2560  # a cached write: 2048 hexadecimal digits and its head
    OPTIONS = dict(
        Reporting.OPTIONS, auto_reg=False, persistent=True, rai=False, auto_ack=False, buffered=False, recovery_mode=1,
        retransmit_mode=0)

    _left_at: "int | None" = None  # tick of the last deregistration

    def _capabilities(self) -> Capabilities:
        self._choose_dialect()
        if self.level < 7:
            return Capabilities("pipe", False, False, "server", False, "pack", True, True, {"pack": 512})
        return Capabilities(
            "pull", True, True, "server", bool(self.options["buffered"]), "pack", True, True,
            {"objects": 15, "instances": 4, "resources": 14, "string": 1024, "opaque": 512, "pack": 512},
        )

    def _choose_dialect(self) -> None:
        if not self.revision:
            return
        before, self.level = self.level, level_of(self.revision)
        if self.level < 7 <= before:
            self._in("bc66.legacy", "open_pipe")(self)

    def wake(self) -> bool:
        """As NbIot; in buffer mode requests may wait that a lost URC has told of."""
        self._buffered = bool(self.options["buffered"])
        self._offline = False  # lwstatus 1 may have come while the UART was deaf; a new 0 comes by itself
        return Reporting.wake(self)

    # ---- configuration: see setup.py and objects.py --------------------------------------------------------------

    def check(self, server: "Server") -> None:
        """Ranges of 4.2.1 and 4.2.2, and the awake budget."""
        self._in("bc66.setup", "check")(self, server)

    def configure(self, server: "Server") -> bool:
        """QLWCFG, APN and QLWCONFIG where they differ. ValueError, by key and with the manual's range, before the wire."""
        return bool(self._in("bc66.setup", "configure")(self, server))

    def declare(self, objects: "Any") -> bool:
        """QLWADDOBJ for what differs, QLWDELOBJ for what is too much. Immediate (4.2.6): never needs a restart."""
        return bool(self._in("bc66.objects", "declare")(self, objects))

    def _declare_late(self) -> None:
        if self.level < 10 and self._status == REGISTERED and self.objects and not self._declared:
            self._declared = 1  # tried once for each registration
            self.ask(self.declare, self.objects)

    def undeclare(self, object_id: int) -> bool:
        """QLWDELOBJ: the object with all its instances (4.2.7); there is no deletion of one instance."""
        Path(object_id)  # refuses what is no id
        self._declared = 0
        return self._act("+QLWDELOBJ", object_id) == 0

    def forget(self) -> None:
        """Leave the server and delete every declared object."""
        self._in("bc66.objects", "forget")(self)

    # ---- registration -----------------------------------------------------------------------------------------

    def status(self) -> int:
        """AT+QLWSTATUS? (4.2.14). Firmware without it: what was last heard, and registering is the question."""
        if self.level < 7:
            return self._status
        rows = self._query("+QLWSTATUS")
        try:
            self._status = _STATES[int(rows[-1][0])]
        except (ValueError, IndexError, TypeError):
            self._count("malformed_results")
            self._status = UNKNOWN
        return self._status

    def register(self, timeout_ms: int) -> bool:
        """AT+QLWREG and its result; nothing is sent while the module registers or recovers by itself (3.3, 3.4)."""
        return bool(self._in("bc66.session", "register")(self, timeout_ms))

    def bootstrap(self, timeout_ms: int = 120000) -> bool:
        """Client-initiated (3.1.1): with bootstrap in the configured account a registration begins with it."""
        return bool(self._in("bc66.session", "bootstrap")(self, timeout_ms))

    def update(self, lifetime: "int | None" = None, binding: "str | None" = None, objects: bool = False) -> bool:
        """AT+QLWUPDATE, one for each thing that changed (5.7.2). An object list needs none: QLWADDOBJ sends its own."""
        return bool(self._in("bc66.session", "update")(self, lifetime, binding))

    def deregister(self) -> bool:
        """AT+QLWDEREG; err 4, not registered, is what was wanted (field_quirks 2.5)."""
        return bool(self._in("bc66.session", "deregister")(self))

    def recover(self, timeout_ms: int = 30000) -> bool:
        """AT+QLWRECOVER (4.2.15); recovered 3 is followed by a registration of the module's own."""
        clock = self.clock
        end = clock.ticks_add(clock.ticks_ms(), timeout_ms)
        while self.at.poll(0):
            pass  # a result of an earlier recovery that nobody took would be taken for this one's
        self._status = RECOVERING
        try:
            self.at.run("+QLWRECOVER")
        except CommandError as error:
            self.refusal = "recovery: " + error_name(error.code)
            self._status = UNKNOWN
            return False
        except AtTimeout:
            self._count("steps_repeated")  # OK may be lost: the result or the status will tell
        if not self._take("recovered", "+QLWURC", timeout_ms):
            self.status()
        if self._status in (REGISTERING, RECOVERING):
            self._own_outcome(max(0, clock.ticks_diff(end, clock.ticks_ms())))
        return self._status == REGISTERED

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
            self._on_urc("", parsed)
        return True

    def _parse_result(self, line: str) -> "tuple[str, list[str | None]] | None":
        if line.startswith("+QLWDEREG"):
            return "dereg", list(split_fields(line))
        return self._parse_urc(line)
