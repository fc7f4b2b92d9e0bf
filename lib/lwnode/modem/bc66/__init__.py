"""BC66 and BC66-NA: the pull contract. What the server reads, writes, executes and observes comes to the host as a URC.

    AT+QLWSTATUS?        +QLWSTATUS: 7                        after deep sleep: the session must be recovered
    AT+QLWRECOVER        OK, +QLWURC: "recovered",0
    AT+QLWNOTIFY=3303,0,5700,4,4,21.5,0,1
                         OK, +QLWURC: "report",34180, +QLWNOTIFY: 0, later +QLWURC: "report_ack",0,34180
    +QLWURC: "read",62953,9,0,0                               noted; answered between two looks at the line:
    AT+QLWRDRSP=62953,1,9,0,0,1,5,"abcde",0

Every URC may be lost while the UART sleeps; what recovers the state is AT+QLWSTATUS? (all of the session), AT+QLWRD? (requests
in buffer mode) and the deadline of a report. Source: BC66&BC66-NA LwM2M Application Note V2.1 (2020-04-03), sections in the
code; firmware R01A10 is the reference, older dialects are chosen by the revision (a06.py has the oldest). Bounds: 15 objects
x 4 instances x 14 resources, string 1024, opaque 512 bytes.
"""

from binascii import crc32

from lwnode.at import AtError, AtTimeout, BudgetExceeded, CommandError, Raw, Secret
from lwnode.at import fields as split_fields
from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, OBJLNK, OPAQUE, STRING, TIME, Path, Request
from lwnode.modem.driver import Capabilities, Modem, by_length, path_of
from lwnode.modem.network import number
from lwnode.modem.quectel import NbIot
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Response
    from lwnode.modem import Server

    Objects = dict[tuple[int, int], tuple[int, ...]]

# The states of lwnode.modem, here as constants that cost no name.
_NOT_REGISTERED = const(0)
_REGISTERING = const(1)
_REGISTERED = const(2)
_DEREGISTERING = const(3)
_RECOVERING = const(4)
_NEED_RECOVER = const(5)
_UNKNOWN = const(6)
_DEREGISTERED = const(7)
_STATES = b"\0\1\2\3\7\6\4\5"  # those of the module in their order (4.2.14)

_RADIO_MS = const(10000)  # 3.4 case 3 has no figure: leaving the network is an exchange with it, some seconds in coverage
_PAUSE_MS = const(1000)  # between the result of DEREG and the next REG (field_quirks 5)
_BOUND = const(2)  # this bit of the account's checksum: the module has been told its binding
_READ_LIMIT = const(64)  # requests read from the buffer in one go; a module that never says 0 left ends the loop
_TEXT_LIMIT = const(1024)  # 4.2.12, bytes
_OPAQUE_LIMIT = const(512)  # 4.2.12, bytes

# 4.2.8 to 4.2.11: CoAP code -> <result>; a code without a number of its own is told as 4.00
_RESULTS = {205: 1, 204: 2, 400: 11, 401: 12, 404: 13, 405: 14, 406: 15}
_BAD_REQUEST = const(11)
# what says that the session stands, where its status is 0
_STANDS: "dict[str, tuple[Any, ...]]" = {
    "reg": ("registered", "server"), "ping": ("updated",), "recovered": ("recovered", "status 0"),
}
_NUMBERED = {"0": "observe", "1": "read", "2": "write", "3": "execute"}  # R01A06 numbers what later firmware names


class Driver(NbIot):
    """The BC66 over one AtClient."""

    FAMILY = "bc66"
    ASKABLE = True  # 4.2.14
    LINE_LIMIT = 2560  # a cached write: 2048 hexadecimal digits and its head
    OPTIONS = dict(
        NbIot.OPTIONS, auto_reg=False, persistent=True, rai=True, auto_ack=False, buffered=False, recovery_mode=1,
        retransmit_mode=0,
        # what a write of 1, 2, 4 or 8 bytes is that are digits: TLV, which Leshan sends a client of 1.0, or "text"; 4.3.3
        # does not say, and the module passes the bytes on without their format
        write_format="tlv")
    URC_PREFIXES = ("+QLWURC", "+QLWREG", "+QLWDEREG", "+QLWUPDATE", "+QLWRD", "+QNBIOTEVENT", "+QIND")
    VALUES = {"+QLWURC": 6, "+QLWRD": 7}  # 4.3.3: "write",27,19,0,0,2,12, and the value; QLWRD has one field more (4.2.13)

    level = 10  # of the firmware: 6 for BC66NBR01A06
    _a06: "Any" = None  # the dialect of the oldest
    _rest_until: "int | None" = None  # no registration sooner after a deregistration
    _offline = False  # lwstatus 0: nothing leaves the module
    _update_id: "int | None" = None  # message id of the update that runs; -1 where the module gave none
    _update_status: "int | None" = None
    _write_answer = "+QLWWRRSP"  # 5.4 and every driver in the field; 4.2.9 prints AT+QLWRRSP
    _parts_code = 204  # worst outcome of the write parts before index 0

    def _capabilities(self) -> Capabilities:
        if self.revision:
            # A revision that cannot be read counts as 10, the manual's.
            digits = self.revision[self.revision.rfind("A") + 1:][:2]
            self.level = int(digits) if digits.isdigit() else 10
        if self.level < 7:
            if self._a06 is None:
                from lwnode.modem.bc66 import a06  # by its revision alone it is known: before configure()

                self._a06 = a06
                a06.listen(self)
            return Capabilities("pipe", False, False, "server", False, "pack", True, True, {"pack": 512})
        return Capabilities(
            "pull", True, True, "server", bool(self.options["buffered"]), "pack", True, True,
            {"objects": 15, "instances": 4, "resources": 14, "string": 1024, "opaque": 512, "pack": 512},
            bool(self.options["rai"]),
        )

    def wake(self) -> bool:
        """As NbIot; in buffer mode requests may wait that a lost URC has told of."""
        if self.options["buffered"]:
            self.later(self._read_buffer, _READ_LIMIT)
        self._offline = False  # lwstatus 1 may have come while the UART slept; a new 0 comes by itself
        return NbIot.wake(self)

    # ---- configuration: read first, write what differs ----------------------------------------------------------

    def configure(self, server: "Server") -> bool:
        """QLWCFG, APN and QLWCONFIG where they differ. What was found to hold is kept as a checksum: the same configure()
        costs nothing on the next wake. A change of an earlier wake that did not come to its restart still waits for it.

        Ranges are those of lwnode.config, which has them from 4.2.1 and 4.2.2; a module refuses what does not fit.
        """
        options = self.options
        wanted = (
            ("auto_reg", int(options["auto_reg"])),
            ("per_regstatus_feat", int(not options["persistent"])),  # 0 switches it on, the reverse of every other switch
            # Registration updates of the module's own (4.2.2): only where all is its own has one nothing behind it.
            ("rai_enable", int(options["rai"] and options["auto_reg"] and not options["recovery_mode"])),
            ("retransmit", options["ack_timeout"], options["max_retransmit"]),
            ("auto_ack", int(options["auto_ack"])), ("access_mode", int(options["buffered"])),
            ("recovery_mode", options["recovery_mode"]), ("retransmit_mode", options["retransmit_mode"]),
        )
        self.server = server
        self.lifetime = server.lifetime
        mark = crc32(repr((_account(server), server.binding, wanted, self.radio_options())).encode()) & ~_BOUND | 1
        if mark != self._configured & ~_BOUND:
            self._retry(self._write_all, server, wanted)
            self._configured = mark
        return self._restart_due

    def _write_all(self, server: "Server", wanted: "tuple[tuple[Any, ...], ...]") -> None:
        """4.2.2 note 2: query first. A row that the answer lacks is asked alone (access_mode before R01A10)."""
        rows = self.ask(self._query, "+QLWCFG") or []
        for setting in wanted:
            row = [str(value) for value in setting]
            found = [known for known in rows if known[:1] == row[:1]] or self.ask(self.at.write, "+QLWCFG", setting[0])
            if not found:
                self._count("settings_unknown_to_module")
            elif found[-1] != row:
                self._restart_due = True
                self.at.write("+QLWCFG", *setting)
        self._write_apn()
        self.configure_radio()
        account = [str(value) for value in _account(server)]
        # Two lines may come (4.2.1): the one of the wanted kind counts. The key may come in either case.
        for row in self.ask(self._query, "+QLWCONFIG", secret=True) or []:
            row = [value or "" for value in row]
            if row[:len(account) - 1] == account[:-1] and row[-1].upper() == account[-1].upper():
                return
        self._write_account(server)

    def _write_account(self, server: "Server") -> None:
        """QLWCONFIG, Not Registered as 4.2.1 note 2 wants it; radio off where the module does not rest (3.4 case 3)."""
        patience = self.options["settle_ms"]
        state = self.status()
        busy = state in (_REGISTERING, _RECOVERING, _DEREGISTERING)
        if busy:
            self.wait_while_busy(patience)
        elif state == _NEED_RECOVER:
            self.recover(patience)
        if self._status == _REGISTERED:
            self.deregister()
        radio_off = busy and self._status not in (_NOT_REGISTERED, _DEREGISTERED)
        if radio_off:
            self.at.write("+CFUN", 0, timeout_ms=_RADIO_MS)
        values = list(_account(server))
        if server.host.replace(".", "").isdigit():
            values[1] = Raw(server.host)  # the examples leave a dotted address bare (5.4)
        if server.psk is not None:
            values[-1] = Secret(server.psk)
        try:
            for again in (False, True):
                try:
                    self.at.write("+QLWCONFIG", *values, secret=server.psk is not None)
                    break
                except CommandError as error:
                    if again or error.code != 33:  # already registered: status 4 and others may count as that (4.2.1 note 2)
                        raise
                    self.deregister()
        finally:
            if radio_off:
                self.at.write("+CFUN", 1, timeout_ms=_RADIO_MS)
        self.observed = []

    # ---- objects ------------------------------------------------------------------------------------------------

    def declare(self, objects: "Any") -> bool:
        """QLWADDOBJ for what differs, QLWDELOBJ for what is too much. Immediate (4.2.6): never needs a restart."""
        if self.level < 7:
            objects = self._a06.OBJECTS
        wanted = sorted([(object_id, instance) + tuple(sorted(resources)) for object_id, instance, resources in objects])
        numbers = [row[0] for row in wanted]
        for row in wanted:
            if len(set(numbers)) > 15 or numbers.count(row[0]) > 4 or len(row) > 16:
                raise ValueError(
                    "object %d: expected at most 15 objects, 4 instances, 14 resources (BC66 note 3.2.2), found %d, %d, %d" % (
                        row[0], len(set(numbers)), numbers.count(row[0]), len(row) - 2))
        self.objects = objects
        if self.level < 10 and self._status != _REGISTERED:
            return False  # firmware before R01A10 takes objects only while registered: done after register()
        mark = crc32(repr(wanted).encode()) | 1
        if mark != self._declared:
            self._retry(self._declare, wanted)
            self._declared = mark
        return False

    def _declare(self, wanted: "list[Any]") -> None:
        """An object that differs in anything goes with all its instances, and comes anew."""
        found = self._declared_objects()
        changed = {row[0] for row in set(found) ^ set(wanted)}
        for object_id in sorted(changed & {row[0] for row in found}):
            self.undeclare(object_id)
        for row in wanted:
            error = self._act("+QLWADDOBJ", (row[0], row[1], len(row) - 2) + row[2:]) if row[0] in changed else 0
            if error:
                raise CommandError(error, "object %d/%d not added: error %d" % (row[0], row[1], error))

    def _declared_objects(self) -> "list[Any]":
        """What the module holds by QLWADDOBJ? (4.2.6): (object, instance, resource...) of each."""
        found = []
        for row in self.ask(self._query, "+QLWADDOBJ") or []:
            try:
                numbers = [int(value) for value in row]
                found.append((numbers[0], numbers[1]) + tuple(sorted(numbers[3:])))
            except (ValueError, TypeError, IndexError):
                self._count("malformed_results")
        return found

    def _declare_when_registered(self) -> None:
        if self.level < 10 and self._status == _REGISTERED and self.objects and not self._declared:
            self._declared = 1  # tried once for each registration
            self.ask(self.declare, self.objects)

    def undeclare(self, object_id: int) -> bool:
        """QLWDELOBJ: the object with all its instances (4.2.7); there is no deletion of one instance."""
        Path(object_id)  # refuses what is no id
        self._declared = 0
        return self._act("+QLWDELOBJ", (object_id,)) == 0

    def forget(self) -> None:
        """Leave the server and delete every declared object."""
        self.deregister()
        for object_id in sorted({row[0] for row in self._declared_objects()}):
            self.undeclare(object_id)
        self._configured = self._declared = 0
        self.observed = []

    # ---- registration -------------------------------------------------------------------------------------------

    def status(self) -> int:
        """AT+QLWSTATUS? (4.2.14). Firmware without it: what was last heard, and registering is the question."""
        if self.level >= 7:
            state = _error_of(self._query("+QLWSTATUS"), 7)
            self._status = _UNKNOWN if state < 0 else _STATES[state]
            if state < 0:
                self._count("malformed_results")
        return self._status

    def register(self, timeout_ms: int) -> bool:
        """AT+QLWREG and its result, then the binding, which no command sets before: the module registers with UQ (Figure 15)
        until an update says U, and keeps that (Figures 16 and 17). Said once for each account.

        Nothing is sent while the module registers or recovers by itself (3.3, 3.4).
        """
        end = self.at.deadline(timeout_ms)
        if self.status() == _NEED_RECOVER and not self.recover(timeout_ms):
            self.status()
        if self.options["auto_reg"] and self._status == _NOT_REGISTERED:
            self._status = _REGISTERING  # it begins by itself once there is an address (3.4): given the first seconds
        if self._busy():
            self.wait_while_busy(timeout_ms)
            if self._busy():
                self._bootstrapping = False  # its end was not heard in all that time: the next one asks the module
                return False
        if self._status != _REGISTERED:
            if self._rest_until is not None:
                self._pause(min(_PAUSE_MS, self.at.left(self._rest_until)))
                self._rest_until = None
            self._status = _REGISTERING
            code = self._start("reg")
            if code == 33 and (self.level < 7 or self.status() == _REGISTERED):
                self._status = _REGISTERED
            elif code == 32:  # keep connecting: it is at it by itself
                self._status = _REGISTERING
                self.wait_while_busy(timeout_ms)
            elif code:
                self._status = _NOT_REGISTERED
                self.refusal = "registration: error %s" % (None if code < 0 else code)
                return False
            if not self._await(lambda: not self._busy(), max(_PAUSE_MS, self.at.left(end))):
                self._bootstrapping = False
                self.status()  # the result may have been lost
        self._declare_when_registered()
        if self._status == _REGISTERED and self.server is not None and self._configured & (_BOUND | 1) == 1 and self.level >= 7:
            self._configured |= _BOUND  # a firmware that refuses it is not asked again
            if not self._update(1, int(self.server.binding == "UQ")):
                self._count("bindings_refused")
        return self._status == _REGISTERED

    def _start(self, name: str) -> int:
        """REG, DEREG or RECOVER, whose result comes as a URC. 0, or the error of a refusal, -1 without a number.

        A module that does not answer may have taken it: the result or the status will tell. A result before OK counts, too.
        """
        try:
            status = _error_of(self.at.run("+QLW" + name.upper()))
        except CommandError as error:
            return error.code or -1
        except AtTimeout:
            if name == "dereg":
                raise
            self._count("steps_repeated")
            return 0
        if status >= 0:
            self._heard(name, status)
        return 0

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
            done = self._update(1, int(binding == "UQ"))
        if lifetime is None and binding is None:
            lifetime = self.lifetime  # a refresh has to say one, and must not change it
        if lifetime is not None:
            done = self._update(0, lifetime) and done
        return done

    def _update(self, mode: int, value: int) -> bool:
        """+QLWUPDATE: 59797 before OK is the message id, +QLWUPDATE: 0,59797 long after it status and id (4.2.4); the result
        of an earlier update, which was given up, is nobody's."""
        self._update_id = self._update_status = None
        try:
            rows = self.at.write("+QLWUPDATE", mode, value, prefix="+QLWUPDATE")
        except CommandError as error:
            self.refusal = "update: error %s" % error.code
            return False
        except AtTimeout:
            rows = []  # OK may be lost: the result will tell
            self._count("steps_repeated")
        self._update_id = -1
        for row in sorted(rows, key=len):
            if len(row) > 1:
                self._heard("update", row[0], row[1:])
            else:
                self._update_id = _error_of([row], 65535)
        self._await(lambda: self._update_status is not None, self.deadline_ms)
        self._update_id = None
        if self._update_status is not None:
            self._heard("ping", self._update_status)
        return self._update_status == 0

    def deregister(self) -> bool:
        """AT+QLWDEREG; err 4, not registered, is what was wanted (field_quirks 2.5)."""
        self._answer_server()
        before, self._status = self._status, _DEREGISTERING
        code = self._start("dereg")
        if code:
            self._status = _DEREGISTERED if code == 4 else before
            return code == 4
        if not self._await(lambda: self._status != _DEREGISTERING, self.deadline_ms):
            self._status = _UNKNOWN
        self._rest_until = self.at.deadline(_PAUSE_MS)
        return self._status == _DEREGISTERED

    def recover(self, timeout_ms: int = 30000) -> bool:
        """AT+QLWRECOVER (4.2.15); recovered 3 is followed by a registration of the module's own."""
        end = self.at.deadline(timeout_ms)
        while self.at.poll(0):
            pass  # a result of an earlier recovery that nobody took would be taken for this one's
        self._status = _RECOVERING
        code = self._start("recover")
        if code:
            self.refusal = "recovery: error %s" % (None if code < 0 else code)
            self._status = _UNKNOWN
            return False
        self.wait_while_busy(max(0, self.at.left(end)))
        return self._status == _REGISTERED

    # ---- what the module says unasked ---------------------------------------------------------------------------

    def _parse_urc(self, line: str) -> "tuple[str, list[Any]]":
        """Names as R01A10 writes them, from all shapes that were seen (field_quirks 3)."""
        values: "list[str | None]" = list(split_fields(line))
        name = line.split(":")[0].rstrip()
        if name != "+QLWURC":  # +QLWREG: 0 is "reg", a result
            return name[4:].lower() if name.startswith("+QLW") else name, values
        name = values[0] if values and values[0] else ""
        if name in ("write", "2") and len(values) > 6:
            found = by_length(line, 7)
            if found is not None:
                return "write", found[0][1:] + [found[1]] + found[2]
        if "," in name:  # before R01A10 one string held it all: "lifetime changed,30"
            values[:1] = name.split(",")
            name = str(values[0])
        return _NUMBERED.get(name, name.strip().replace(" ", "_")), values[1:]

    def _heard(self, name: str, *values: "Any") -> None:
        """The session and the reports, as the module tells of them."""
        first: "Any" = values[0] if values else None
        self._bootstrapping = self._bootstrapping and name != "reg"
        if first == 0 and name in _STANDS:
            self._session_stands(*_STANDS[name])
            if self.level < 10:
                self.later(self._declare_when_registered)
        elif name == "report":
            self.reports.name(first)
        elif name == "report_ack":
            self.reports.settle(values[1], None if first == 0 else "status %d" % first)
        elif name in ("reg", "ping"):
            # 3.3 case 3: after a ping it registers again by itself, then tries the bootstrap server, and ends with +QLWREG.
            self.refusal = ("registration: status %d" if name == "reg" else "update: status %d") % first
            self._session_lost(_NOT_REGISTERED if name == "reg" else _REGISTERING, self.refusal)
        elif name == "dereg":
            self._status = _UNKNOWN if first else _DEREGISTERED
        elif name == "recovered":
            # After 3 the module registers again by itself (seen in the field): only +QLWREG ends it.
            self._status = _REGISTERING if first == 3 else _NEED_RECOVER
            self._count("recoveries_failed")
        elif name == "update":  # long after update(): its result, by its message id
            mine = self._update_id is not None and self._update_id in (-1, _error_of(values[1:], 65535))
            self._update_status = number(values, 0, 0, 255) if mine else self._update_status
            self._count("late_results", not mine)
        elif name == "buffer":
            self.later(self._read_buffer, _READ_LIMIT)
        elif name in ("bs_finished", "disable"):
            self._status = _NOT_REGISTERED if values else _REGISTERING
            self._emit("disabled" if values else "bootstrapped", first)
        elif name == "bootstrap_request_trigger":
            self._bootstrapping = first == 0
            self._status = _UNKNOWN if first else _REGISTERING
            self._emit("bootstrapping", "status %d" % first)
        elif name == "lwstatus":
            self._offline = first == 0
            self._emit("link_back" if first else "link_lost", "lwstatus")
        elif name == "factory_reset":
            # Deregistered by now. In direct mode the module resets itself; in buffer mode we must (notes 1 and 2).
            self._configured = self._declared = 0
            self.observed = []
            self._forget_session("factory reset")
            self.later(self._after_factory_reset)
            self._emit("factory_reset", "status %d" % first)
        else:  # "lifetime_changed" and the like
            self._emit(name[:-8], first)

    def _on_request(self, name: str, mid: int, *values: "Any") -> None:
        """4.3.6: flag 0 observes, 1 cancels. 4.3.5: no arguments are delivered. 4.3.3 says hexadecimal for every type; a value
        as long as <len> itself came as text, and so did one of no length that fits."""
        if name == "observe":
            name, values = "cancel" if values[0] else name, values[1:]
        request = Request(name, path_of(*values[:3]), mid)
        if name == "write":
            request.type, _, request.value, request.index = values[3:]
            if isinstance(request.value, str):
                request.value = request.value.encode()
        self.request(request)

    def _after_factory_reset(self) -> None:
        """4.3.16: nothing that was declared is left. Accounts come from the bootstrap server, objects from us."""
        # After its reset the module goes to the bootstrap server by itself: bs_finished, then +QLWREG.
        self._bootstrapping = self.server is not None and self.server.bootstrap
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

    # ---- what the server asks, and how it is answered: one message id, values under an index that falls to 0 (4.2.8) -----

    def _read_buffer(self, rounds: int) -> None:
        """4.2.13: QLWRD brings one cached URC and the number of those left, which are read once it is answered."""
        left, _, urc = self.at.ask("AT+QLWRD").partition(",")
        if urc:
            self._on_urc("+QLWURC: " + urc)
            if left.strip() != "0" and rounds > 1:
                self.later(self._read_buffer, rounds - 1)

    def answer(self, request: Request, response: "Response", data: "Any") -> None:
        """QLWRDRSP, QLWWRRSP, QLWEXERSP, QLWOBSRSP (4.2.8 to 4.2.11); a value that BC66 cannot carry is left out, counted."""
        operation, path, mid = request.operation, request.path, request.message_id
        code = response.code
        if operation == "write":
            # 4.3.3: index 0 only, the manual says; parts that come all the same are answered once, with the worst code.
            code = max(code, self._parts_code)
            self._parts_code = code if request.index > 0 else 204
            if request.index > 0:
                return
        # 4.2.9 and 4.2.10 have neither 1 nor 15: the module would refuse them, and the server wait.
        result = _BAD_REQUEST if operation in ("write", "execute") and code in (205, 406) else _RESULTS.get(code, _BAD_REQUEST)
        if self.level < 7:
            NbIot.answer(self, request, response, data)
        elif operation == "execute":
            self._act("+QLWEXERSP", (mid, result))
        elif operation == "write":
            try:
                self.at.write(self._write_answer, mid, result, result=self._write_answer)
            except CommandError as error:
                self._count("refused_answers")
                if error.code is None and self._write_answer != "+QLWRRSP":
                    # The plain ERROR of an unknown command: this firmware has the name that 4.2.9 prints.
                    self._write_answer = "+QLWRRSP"
                    self._act("+QLWRRSP", (mid, result))
        elif operation == "read" or not self.options["auto_ack"]:  # else the module has answered already (4.2.2)
            command = "+QLWRDRSP" if operation == "read" else "+QLWOBSRSP"
            found = []
            for where, kind, value in response.values if result == 1 else ():
                try:
                    found.append((where, wire_value(kind, value)))
                except ValueError:
                    self._count("unsendable_values")
            left = len(found)
            for where, wire in found:
                left -= 1
                self._act(command, (mid, result) + where.ids, wire, (left,))
            if not found:
                # 4.2.8 does not say what stands for the value when there is none: all fields first, then the code alone.
                result = _RESULTS[404] if result == 1 else result
                ids = tuple([-1 if each is None else each for each in path.ids])
                if self._act(command, (mid, result) + ids + (1, 0, "", 0)):
                    self._act(command, (mid, result))

    # ---- reports ------------------------------------------------------------------------------------------------

    @property
    def deadline_ms(self) -> int:
        """All transmissions and the wait after the last (4.2.2): 2 s x (1+2+4+8+16) = 62 s at the defaults."""
        timeout_s, times = self.options["ack_timeout"], self.options["max_retransmit"]
        waits = times + 1 if self.options["retransmit_mode"] else (2 << times) - 1
        return int(timeout_s * waits * 1000)

    def publish(self, records: "Any", confirm: bool = True) -> int:
        """QLWNOTIFY (on old firmware: object 19 as a pipe).

        Resources of an instance that is observed as a whole go as one notification, split by index. One that is the last of its
        contact (release_next) says so (rai_flag), unless somebody waits for something else: an answer would be cut off.
        """
        release, self.release_next = self.release_next and self.capabilities.releases, False
        if self.level < 7:
            return int(self._a06.publish(self, records, confirm))
        messages = self._messages(records)
        ticket = self.reports.open()
        release = release and len(messages) == 1 == len(self.reports) and not (self._waiting or self._refused)
        flags: "tuple[int, ...]" = (int(confirm), 2 if confirm else 1) if release else (int(confirm),)
        reason = ""
        for parts in messages:
            try:
                if not self._offline:
                    self._wait_for_room()
                if self._offline:
                    reason = "no network connection (lwstatus 0)"
                    break
                left = len(parts)
                for path, value in parts:
                    left -= 1
                    error = self._act("+QLWNOTIFY", path.ids, value, (left,) + flags)
                    if error not in (0, 4) and len(flags) > 1:  # a firmware that does not know the flag is not given it again
                        self.capabilities.releases = False
                        flags = flags[:1]
                        error = self._act("+QLWNOTIFY", path.ids, value, (left,) + flags)
                    if error:
                        if error == 4:
                            self._session_lost(_NOT_REGISTERED, "report: not registered")
                        self.reports.refuse(ticket, "error %d" % error)
                        break
                else:
                    if confirm:
                        self.reports.sent(ticket, self.deadline_ms)
            except BudgetExceeded:
                raise
            except AtError:
                reason = "no answer from the module"  # the rest is not tried
                break
        if reason:
            self.reports.refuse(ticket, reason)
        self.reports.seal(ticket)
        return ticket

    def _messages(self, records: "Any") -> "list[list[tuple[Any, ...]]]":
        """Records in the wire's form, those of one observed instance together. ValueError before anything is sent."""
        messages: "list[list[tuple[Any, ...]]]" = []
        groups: "dict[Path, list[tuple[Any, ...]]]" = {}
        for path, kind, value in [record[:3] for record in records]:
            part = (path, wire_value(kind, value))
            whole = Path(path.object, path.instance)
            together = whole in self.observed and path not in self.observed
            if together and whole in groups:
                groups[whole].append(part)
            else:
                messages.append([part])
                if together:
                    groups[whole] = messages[-1]
        return messages

    def _act(
        self, command: str, head: "tuple[Any, ...]", value: "tuple[Any, ...]" = (), tail: "tuple[int, ...]" = (),
    ) -> int:
        """A command with a result line +NAME: <err>; 0, or that error, or that of a refusal (+CMEE ERROR), -1 without one
        (+CME ERROR: 0 is a failure, field_quirks 2.3).

        Of values only the one with index 0, which `tail` begins with, brings the result line (seen in the field). A float's
        <len> is the number of characters in the text of 4.2.12 and 4 in its examples (5.8): the text is followed, and a module
        that refuses it (err 3) is given 4 once.
        """
        result = None if tail and tail[0] else command
        while True:
            try:
                rows = self.at.write(command, *(head + value + tail), result=result)
                error = 0 if result is None else _error_of(rows)
            except CommandError as refused:
                self._count("refused_commands")
                error = refused.code or -1
            if error != 3 or value[:1] != (4,) or value[1] == 4:
                return error
            self._count("float_lengths_of_4")
            value = (4, 4, value[2])

    URCS = {
        "ping": "i",  # 4.3.1: 0 "updated", else "lost" and the module registers again by itself
        "buffer": "",  # 4.3.2: requests wait, QLWRD until none is left
        "write": ("ioooiisi", _on_request, "write"),  # 4.3.3: answered with QLWWRRSP
        "read": ("iooo", _on_request, "read"),  # 4.3.4: answered with QLWRDRSP
        "execute": ("iooo", _on_request, "execute"),  # 4.3.5: answered with QLWEXERSP
        "observe": ("iiooo", _on_request, "observe"),  # 4.3.6: answered with QLWOBSRSP, "observed" or "cancelled"
        "bs_finished": "",  # 4.3.7: "bootstrapped"; the registration follows by itself
        "report": "i",  # 4.3.8: the report that was sent has this message id
        "report_ack": "ii",  # 4.3.9: 0 "delivered", else "failed" and the reading stays stored
        "lwstatus": "i",  # 4.3.10: 0 "link_lost" and publishing stops, 1 "link_back"
        "lifetime_changed": "i",  # 4.3.11: "lifetime": the next contact comes sooner or later
        "binding_changed": "s",  # 4.3.12: "binding"
        "min_period_changed": "i",  # 4.3.13: "min_period"; the module itself does nothing with it
        "max_period_changed": "i",  # 4.3.14: "max_period"; the same
        "disable": "i",  # 4.3.15: "disabled": no contact for that long, then register
        "factory_reset": "i",  # 4.3.16: "factory_reset"; objects are declared again afterwards
        "bootstrap_request_trigger": "i",  # 4.3.17: "bootstrapping"; register() waits
        "recovered": "i",  # 4.3.18: 0 "recovered", 3 the module registers again by itself
        # lines outside 4.3: results, asked for or not, and the module's power events
        "reg": "i",  # 4.2.3, also by auto-registration or after a failed update
        "dereg": "i",  # 4.2.5
        "update": "s*",  # 4.2.4: the result of update(), by its message id
        "+QNBIOTEVENT": ("s", NbIot._on_power_event),
        "+QIND": ("s*", Modem._on_indication),  # "firmware": the module loads or installs other firmware of its own
    }


def _error_of(rows: "Any", most: int = 255) -> int:
    """The first field of the last line, <err> as a rule; -1 where it is no number from 0 to that."""
    code = number(rows[-1], 0, 0, most) if rows else None
    return -1 if code is None else code


def _account(server: "Server") -> "tuple[Any, ...]":
    """The fields of QLWCONFIG in order (4.2.1)."""
    head = (int(server.bootstrap), server.host, server.port, server.endpoint, server.lifetime)
    return head + (3,) if server.psk is None else head + (0, server.psk_identity, server.psk)


def wire_value(kind: int, value: "str | bytes") -> "tuple[int, int, Any]":
    """(<value_type>, <len>, parameter) of a value, as 4.2.12 wants it.

    A text that a quoted parameter cannot carry (quotes, backslash, controls, not ASCII) goes as opaque bytes: in TLV
    the server sees the same. So does an object link. Raises ValueError with the manual's limit.
    """
    raw = value.encode() if isinstance(value, str) else bytes(value)
    plain = kind == STRING and b'"' not in raw and b"\\" not in raw and all([32 <= byte < 127 for byte in raw])
    if kind == OBJLNK:
        object_id, _, instance = raw.decode().partition(":")
        raw = int(object_id).to_bytes(2, "big") + int(instance).to_bytes(2, "big")
    if kind in (STRING, OPAQUE, OBJLNK):
        limit = _TEXT_LIMIT if plain else _OPAQUE_LIMIT
        if len(raw) > limit:
            raise ValueError("%s: expected at most %d bytes, found %d" % ("string" if plain else "opaque", limit, len(raw)))
        # b"".hex() is bytes in MicroPython 1.24
        return (1, len(raw), raw.decode()) if plain else (2, len(raw), raw.hex().upper() if raw else "")
    text = raw.decode()
    fits = text in ("0", "1") if kind == BOOLEAN else text.strip("+-").replace(".", "", 1).isdigit()
    if kind not in (INTEGER, FLOAT, TIME, BOOLEAN) or not fits:
        raise ValueError("type %d: expected decimal digits, a boolean 0 or 1, found %s" % (kind, text))
    return 5 if kind == BOOLEAN else 4 if kind == FLOAT else 3, len(text), Raw(text)
