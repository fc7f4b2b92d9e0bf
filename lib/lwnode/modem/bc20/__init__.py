"""BC20: the pipe contract on object 19. No typed values, no reads, no lifetime, no security, no bootstrap.

    AT+QLWSERV="180.101.147.115",5683    AT+QLWCONF="867724030023557"
    AT+QLWADDOBJ=19,0,1,"0"              AT+QLWADDOBJ=19,1,1,"0"
    AT+QLWOPEN=0                         OK, CONNECT OK, +QLWOBSERVE: 0,19,0,0
    AT+QLWDATASEND=19,0,0,1,01,0x0100    OK, SEND OK
    +QLWDATARECV: 19,1,0,4,AAAA0000      a write of the server

Source: BC20 LwM2M AT Commands Manual (NAR01A01 and later), sections in the code. It has no status query: what is known is
kept over sleep, and where nothing is known AT+QLWUPDATE is the question. One confirmed message is open at a time (3.8); a
lost result is asked for (QLWDATASTATUS). Bounds: 512 bytes a message, results within about 128 s.
"""

from binascii import crc32

from lwnode.at import AtError, AtTimeout, BudgetExceeded, CommandError, Raw
from lwnode.at import fields as split_fields
from lwnode.lwm2m import Path
from lwnode.modem import Unsupported, object19
from lwnode.modem.checks import budget, no_retransmission
from lwnode.modem.driver import Capabilities, path_of
from lwnode.modem.network import ATTACHED, number
from lwnode.modem.quectel import NbIot
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.modem import Server

# The states of lwnode.modem, here as constants that cost no name.
_NOT_REGISTERED = const(0)
_REGISTERING = const(1)
_REGISTERED = const(2)
_UNKNOWN = const(6)
_DEREGISTERED = const(7)

_RESULT_MS = const(130000)  # "about 128 s" for CONNECT, UPDATE, CLOSE and SEND (notes of 3.5 to 3.8)
_DELETE_MS = const(5000)  # 3.12
_READY_MS = const(30000)  # an uplink before the first observe fails; one driver waits 30 s for it (field_quirks 5)
_READ_LIMIT = const(512)  # 3.10
_READ_ROUNDS = const(64)  # a module that never says 0 ends the loop
_ASK_MS = const(20000)  # a result that has not come by then is asked for with QLWDATASTATUS

# 3.9: what became of the last confirmed message
_SENT = ("not sent", "waiting", "failed", "timeout", "success", "reset")


class Driver(NbIot):
    """The BC20 over one AtClient.

    Options: buffered; read_length, bytes at a time; send_hex and receive_hex, False for text mode (3.11): what is sent must
    then be text for the resource itself, for packs are bytes.
    """

    FAMILY = "bc20"
    LINE_LIMIT = 1200  # 512 bytes in hexadecimal digits, and the head
    OPTIONS = dict(NbIot.OPTIONS, in_flight=1, buffered=False, read_length=512, send_hex=True, receive_hex=True)
    URC_PREFIXES = (
        "+QLWOBSERVE", "+QLWDATARECV", "+QNBIOTEVENT", "SEND OK", "SEND FAIL", "CONNECT OK", "CONNECT FAIL", "UPDATE OK",
        "UPDATE FAIL", "CLOSE OK", "CLOSE FAIL", "+QIND",
    )
    _ready = False
    _ask_at = 0

    def _capabilities(self) -> Capabilities:
        if not self.options["receive_hex"]:
            # Hexadecimal digits hold no line end, and a capture has fewer of them than it says (field_quirks 3).
            self.VALUES = {"+QLWDATARECV": 3}
        return Capabilities(
            "pipe", False, False, "server", bool(self.options["buffered"]), "pack", False, False, {"pack": 512})

    # ---- configuration ----------------------------------------------------------------------------------------

    def check(self, server: "Server") -> None:
        """Unsupported names what BC20 cannot hold."""
        object19.refuse_account("BC20", server, ("lifetime", "binding", "security", "bootstrap"))
        if not server.endpoint:
            raise ValueError("endpoint: expected a name, the IMEI as a rule (BC20 manual 3.2), found none")
        no_retransmission(self, "its results come within 128 s")
        budget(self, "awake_budget: a confirmed message of BC20 takes about 128 s")

    def configure(self, server: "Server") -> bool:
        """QLWSERV and QLWCONF where they differ. Never needs a restart of its own; see check() for what is refused."""
        self.check(server)
        self.server = server
        mark = crc32(repr((server.host, server.port, server.endpoint, self.radio_options())).encode()) | 1
        if mark != self._configured:
            self._retry(self._write_account, server)
            self._configured = mark
        return self._restart_due

    def _write_account(self, server: "Server") -> None:
        self._write_apn()
        self.configure_radio()
        for again in (False, True):
            known = [row[:2] for row in self.ask(self._query, "+QLWSERV") or []]
            name = [row[:1] for row in self.ask(self._query, "+QLWCONF") or []]
            same = known == [[server.host, str(server.port)]] and name == [[server.endpoint]] and not again
            try:
                if again or (known and not same):
                    self.forget()  # 5.1: needed before another platform is set
                if not same:
                    self.at.write("+QLWSERV", server.host, server.port)
                    self.at.write("+QLWCONF", server.endpoint)
                    self._declared = 0
                    self._status = _NOT_REGISTERED
                    self.observed = []
                return
            except CommandError:
                if again:
                    raise
                # After any error of the set-up only a deleted context helps (field_quirks 5).

    def declare(self, objects: "Any") -> bool:
        """19/0/0 and 19/1/0, whatever the node's objects are: their values travel inside. Never needs a restart."""
        self.objects = objects
        if self._declared != 1:
            if not self._add_objects():
                # No read form (3.3): refused, or there already? Deleted and added again, it is there.
                self.ask(self.undeclare, object19.UPLINK.object)
                if not self._add_objects():
                    raise CommandError(None, "object 19 not added")
            self._declared = 1
        return False

    def _add_objects(self) -> bool:
        done = True
        for object_id, instance, resources in object19.OBJECTS:
            done = self.ask(self.at.write, "+QLWADDOBJ", object_id, instance, 1, str(resources[0])) is not None and done
        return done

    def undeclare(self, object_id: int) -> bool:
        """QLWDELOBJ; UPDATE OK follows only where registered (3.4)."""
        Path(object_id)  # refuses what is no id
        self._declared = 0
        if self._status == _REGISTERED:
            return self._outcome("AT+QLWDELOBJ=%d" % object_id, "UPDATE")
        return self.ask(self.at.write, "+QLWDELOBJ", object_id) is not None

    def forget(self) -> None:
        """QLWDEL: the context with server, name and objects."""
        self.at.send("AT+QLWDEL", timeout_ms=_DELETE_MS)
        self._configured = self._declared = 0
        self.observed = []
        self._ready = False
        self._status = _NOT_REGISTERED

    def bootstrap(self, timeout_ms: int = 120000) -> bool:
        """Unsupported."""
        raise Unsupported("bc20 has no bootstrap: configure the server itself")

    # ---- registration -----------------------------------------------------------------------------------------

    def status(self) -> int:
        """There is no query: what was last heard, or an update where nothing is known."""
        if self._status in (_UNKNOWN, _REGISTERING):
            if self._registration()[0] in ATTACHED:
                self.update()  # without a network it would only cost two minutes
        return self._status

    def register(self, timeout_ms: int) -> bool:
        """QLWOPEN, its result, then the observe of 19/0/0 without which an uplink fails (seen in the field)."""
        if self.status() == _REGISTERED:
            return True
        if self._declared != 1:
            self.declare(self.objects)
        # Hexadecimal unless told otherwise: text may hold commas, quotes and line ends. Sent each time, for it has no read
        # form (3.11).
        self.at.write("+QLWCFG", "dataformat", int(self.options["send_hex"]), int(self.options["receive_hex"]))
        self._ready = False
        done = self._open(timeout_ms)
        if done is None:
            # Refused: it is open already, and what it said of that was not heard. An update tells whether it still holds.
            if self.update():
                return True
            self.deregister()
            done = self._open(timeout_ms)
        if not done:
            self._status = _NOT_REGISTERED
            self.refusal = "registration: CONNECT FAIL"
            return False
        self._session_stands("registered", "server")
        self._await(lambda: self._ready, min(_READY_MS, timeout_ms))
        return True

    def _open(self, timeout_ms: int) -> "bool | None":
        """QLWOPEN and its result; None where the module refuses the command itself."""
        try:
            return self._result("AT+QLWOPEN=%d" % bool(self.options["buffered"]), "CONNECT", timeout_ms)
        except CommandError:
            return None
        except AtTimeout:
            return False

    def update(self, lifetime: "int | None" = None, binding: "str | None" = None, objects: bool = False) -> bool:
        """QLWUPDATE; it carries nothing else."""
        if lifetime is not None or binding is not None:
            raise Unsupported("BC20 cannot change lifetime or binding: update() without them only refreshes")
        done = self._outcome("AT+QLWUPDATE", "UPDATE")
        self._heard("UPDATE", "OK" if done else "FAIL")
        return done

    def recover(self, timeout_ms: int = 30000) -> bool:
        """No recovery command: an update shows whether the session still stands."""
        return self.update()

    def deregister(self) -> bool:
        """QLWCLOSE."""
        self._answer_server()
        done = self._outcome("AT+QLWCLOSE", "CLOSE")
        self._status = _DEREGISTERED if done else _UNKNOWN
        self.observed = []
        return done

    def _outcome(self, line: str, word: str) -> bool:
        """Send a line whose result `word` OK or FAIL comes later. False for FAIL, refusal and silence."""
        return bool(self.ask(self._result, line, word, _RESULT_MS))

    def _result(self, line: str, word: str, timeout_ms: int) -> bool:
        results = (word + " OK", word + " FAIL")
        lines = self.at.send(
            line, result=results, result_timeout_ms=min(timeout_ms, _RESULT_MS))
        return bool(lines[-1] == results[0])

    # ---- reports ----------------------------------------------------------------------------------------------

    @property
    def deadline_ms(self) -> int:
        """About 128 s (3.8, note 2)."""
        return _RESULT_MS

    def publish(self, records: "Any", confirm: bool = True) -> int:
        """QLWDATASEND of SenML CBOR packs on 19/0/0, one confirmed message at a time (3.8, note 1)."""
        return object19.publish(self, self._send_bytes, records, confirm)

    def _send_bytes(self, path: Path, data: bytes, confirm: bool) -> "str | None":
        if self.reports.in_flight:
            return "another confirmed message is still open"
        sent: "Any" = data
        if not self.options["send_hex"]:
            if not all([32 <= byte < 127 for byte in data]):
                return "text mode takes printable ASCII alone (3.11): leave send_hex on"
            sent = Raw(data.decode())
        try:
            self.at.write(
                "+QLWDATASEND", path.object, path.instance, path.resource, len(data), sent,
                Raw("0x0100" if confirm else "0x0000"))
        except BudgetExceeded:
            raise
        except CommandError:
            self._status = _UNKNOWN  # not connected, perhaps: the next status() asks
            self._declared = 0  # or object 19 is not there: the next registration adds it
            return "refused by the module"
        except AtError:
            return "no answer from the module"
        self._ask_at = self.at.deadline(_ASK_MS)
        return None

    def _heard(self, name: str, *values: "Any") -> None:
        """CONNECT, UPDATE, CLOSE or SEND, and what became of it; a late one too."""
        good = values[0] == "OK"
        if name == "CLOSE":
            self._status = _DEREGISTERED if good else _UNKNOWN
        elif name != "SEND":
            if good:
                self._session_stands(*(("registered", "server") if name == "CONNECT" else ("updated",)))
            else:
                self._session_lost(_NOT_REGISTERED, name + " " + values[0])
        elif good:
            if not self.reports.settle("next", None):
                self._ask_at = self.at.deadline(0)  # an expired message's, or this one's? The module says at once
            self._session_stands(None)
        else:
            self.reports.settle("next", "SEND " + values[0])
            self._status = _UNKNOWN

    def _upkeep(self) -> None:
        if self.reports.in_flight and self.at.left(self._ask_at) < 0:
            self._ask_at = self.at.deadline(_ASK_MS)
            self.ask(self.ask_sent)

    def ask_sent(self) -> str:
        """QLWDATASTATUS? (3.9), settling the open message where its SEND OK or SEND FAIL was lost."""
        rows = self.at.read("+QLWDATASTATUS")
        try:
            state = int(rows[-1][0])
            name = _SENT[state]
        except (ValueError, IndexError, TypeError):
            self._count("malformed_results")
            return "unknown"
        if self.reports.in_flight and state != 1:
            self._count("results_asked_for")
            if state == 4:
                self._heard("SEND", "OK")
            else:
                self.reports.settle("next", name)
        return name

    # ---- from the server --------------------------------------------------------------------------------------

    def _parse_urc(self, line: str) -> "tuple[str, list[str | None]]":
        if line[0] != "+":
            word, _, result = line.partition(" ")
            return word, [result]
        name, _, rest = line.partition(":")
        if name == "+QLWDATARECV":
            return name, list(rest.split(",", 4))  # the data as it is: text may hold commas, quotes and line ends
        return name.rstrip(), split_fields(line)

    def _on_observe(self, cancel: int, object_id: int, instance: int, resource: int) -> None:
        self._ready = not cancel
        self._observe(path_of(object_id, instance, resource), bool(cancel))

    def _on_data(self, object_id: int, instance: int, resource: int, length: int, rest: "list[str]") -> None:
        if rest:
            object19.written(self, object_id, instance, resource, length, rest[0])
        else:
            # 3.10, note 1: no further URC while the buffer is not empty.
            self.later(self._read_buffer, object_id, instance, resource, length, _READ_ROUNDS)

    def _read_buffer(self, object_id: int, instance: int, resource: int, length: int, rounds: int) -> None:
        """QLWRD until +QLWRD: 0; <remain> is what is left of one node only (3.10, note 2)."""
        data = ""
        for left in range(rounds - 1, -1, -1):
            count = max(1, min(length, self.options["read_length"], _READ_LIMIT))
            if self.options["receive_hex"]:
                lines = self.at.send("AT+QLWRD=%d" % count, prefix="")
                while lines and not lines[0].startswith("+QLWRD"):
                    lines = lines[1:]
                data += "".join([line for line in lines[1:] if not line.strip("0123456789ABCDEFabcdef")])
            else:
                lines = self.at.send("AT+QLWRD=%d" % count, payload=_announced)
                data += "".join(lines[1:2])
            head = split_fields(lines[0]) if lines else []
            if len(head) < 2:
                break
            length = number(head, 1, 0, _READ_LIMIT) or 0
            if length == 0:
                size = len(data) // 2 if self.options["receive_hex"] else len(data)
                object19.written(self, object_id, instance, resource, size, data)
                self.later(self._read_buffer, object_id, instance, resource, _READ_LIMIT, left)  # once this one is followed
                break

    URCS = {
        "+QLWOBSERVE": ("iooo", _on_observe),  # 4.1: "observed" or "cancelled"; sending may begin
        "+QLWDATARECV": ("oooi*", _on_data),  # 4.2: a write; without data it waits in the buffer: QLWRD
        "SEND": "s",  # 3.8: OK "delivered"; FAIL "failed", the reading stays stored
        "CONNECT": "s",  # 3.5, late: OK "registered", FAIL not registered
        "UPDATE": "s",  # 3.6, or after QLWDELOBJ (3.4): OK "updated", FAIL "lost"
        "CLOSE": "s",  # 3.7, late: OK deregistered, FAIL what holds is unknown
        "+QNBIOTEVENT": ("s", NbIot._on_power_event),
        "+QIND": ("s*", NbIot._on_indication),  # "firmware": the module loads or installs other firmware of its own
    }


def _announced(line: str) -> int:
    """+QLWRD: 9,2 is followed by nine bytes of text (3.10)."""
    return number(split_fields(line), 0, 0, _READ_LIMIT) or 0
