"""BG96: the pipe contract on object 19 (10250 and 26241 for LGU+). One command, AT+QLWM2M="<sub>", and a state machine.

    AT+QLWM2M="select",0                                     Leshan
    AT+QLWM2M="bootstrap",1,"coap://192.0.2.7:5683"          and 2 lifetime, 3 access, 4 security
    AT+QLWM2M="endpoint",4,4    "enable",1    "reset"        then one restart
    AT+QLWM2M="register"                                     OK, +QLWEVENT: 4, +QLWEVENT: 5,"STATE_READY"
    AT+QLWM2M="ulhex",19,5,"3031323334"                      OK is all there is: no delivery report

Source: BG96 LwM2M User Guide V1.1, sections in the code. There is no status query: the last +QLWEVENT is the status, read by
its number (the names vary), and where none was heard an update is the question. The module retries by itself by the rules
of lwm2m_cfg (3.3.3); those retries are left alone. Bounds: 1460 bytes a message, lifetime 30 to 86400 s.
"""

from binascii import crc32

from lwnode.at import AtError, AtTimeout, BudgetExceeded, CommandError, Secret
from lwnode.at import fields as split_fields
from lwnode.lwm2m import OPAQUE, STRING, Path, Request
from lwnode.modem import Unsupported, object19
from lwnode.modem.checks import no_retransmission, wake_pin, within
from lwnode.modem.driver import Capabilities, Modem, by_length
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from lwnode.modem import Server

# The states of lwnode.modem, here as constants that cost no name.
_NOT_REGISTERED = const(0)
_REGISTERING = const(1)
_REGISTERED = const(2)
_UNKNOWN = const(6)
_DEREGISTERED = const(7)
_READY_MS = const(1000)  # commands between RDY and APP RDY answer ERROR (field_quirks 2.7)
_READY_TRIES = const(20)
_OBSERVE_MS = const(10000)  # the guide has no figure: 6.2 shows them behind READY; without one it goes on all the same
_PSM_KEY_MS = const(200)  # PWRKEY low wakes from PSM, a second after "PSM POWER DOWN" at the earliest (low_power 3.4)
_PSM_REST_MS = const(1000)  # the same
_AT_MS = const(500)  # silent while it boots, RDY comes after about 6 s (field_quirks 5)
_AT_TRIES = const(24)
_PROOF_AFTER = const(96)  # messages, a day of them at a report every 15 minutes
_PSM = (86400, 10)  # asked for where nothing else is said: without PSM it never sleeps, 16 mA or six days on 3000 mAh

GUIDE = "BG96 guide 4.1"
OBJECTS = (19, 10250, 26241)  # 4.1, <objID>: the way up and down; LGU+ has its own
# 4.2.1 by number; texts come with blanks and with underscores
_INITIAL = const(0)
_BOOTSTRAPPING = const(2)
_ATTEMPT = const(4)
_READY = const(5)
_ACCOUNT = ("server_type", "ssid", "name_form", "mbsps", "auto_name")  # options that are part of the account


class Driver(Modem):
    """The BG96 over one AtClient.
    Options: server_type 0 Leshan, 1 T-Mobile, 2 LGU+, 3 Verizon, 4 Ericsson, 5 AT&T; ssid, the short server id;
    name_form 4 (IMEI) or 7 (IMEI, MSISDN); data_object 19, 10250, 26241; mbsps, five or six values; sleep "psm", "light";
    key_file: the pre-shared key lies in the module, as a file of tools/bg96_files.
    """

    FAMILY = "bg96"
    LINE_LIMIT = 3072  # 1460 bytes in hexadecimal digits, and the head
    REGISTRATIONS = ("+CEREG", "+CGREG", "+CREG")  # it can do EGPRS too
    CLOCK = "+QLTS=1"  # GMT, where +CCLK? is local time (low_power 3.4)
    RESTART = "AT+CFUN=1,1"
    POWER_OFF = "AT+QPOWD=1"
    POWER_KEY_MS = 700  # at least 650 ms (low_power 3.4)
    OPTIONS = dict(
        Modem.OPTIONS, server_type=0, ssid=101, name_form=4, data_object=19, mbsps=None, auto_name=False,
        auto_register=None, sleep="psm", key_file=False,
        sleep_confirm_ms=40000)  # PSM POWER DOWN comes within 30 to 40 s (low_power 3.4)
    URC_PREFIXES = (
        "+QLWEVENT", "+QLWOBSERVE", "+QLWDLDATA", "+QPSMTIMER", "PSM POWER DOWN", "POWERED DOWN", "NORMAL POWER DOWN",
        "+QIND")
    VALUES = {"+QLWDLDATA": 2}
    _state = -1
    _speaks = True  # "select" was answered with its line, or the client has said something since
    _unproved = 0  # messages since the last sign of life from the server
    _quiet = 0  # wakes since then
    _proving = False  # we have left the server to see whether the client can register

    def _capabilities(self) -> Capabilities:
        return Capabilities("pipe", False, False, "module", False, "pack", True, True, {"pack": 1460})

    def _greet(self) -> None:
        """After RDY every command is refused until APP RDY."""
        self._asleep = False
        for _ in range(_READY_TRIES):
            rows = self.ask(self._sub, "select")
            if rows or rows is not None and not self._speaks or self._asleep:
                break
            if rows is not None:
                self._speaks = False  # until it is asked a second time: a line may be lost
                continue
            try:
                self._lightly(self.at.wait, "APP RDY", _READY_MS)
            except AtTimeout:
                pass  # it may have come before, or been lost
        self._speaks = bool(rows)

    def _sub(self, name: str, *values: "Any", **how: "Any") -> "Any":
        return self.at.write("+QLWM2M", name, *values, **how)

    # ---- configuration: what the sub-commands cannot set stands in files, which tools/bg96_files makes ------------------

    def check(self, server: "Server") -> None:
        """Ranges of 4.1; Unsupported names what BG96 cannot hold."""
        object19.refuse_account("BG96", server, ("binding",))
        options = self.options
        if options["server_type"] == 2:  # 6.2: built in
            object19.refuse_account("BG96 with server_type 2 (LGU+)", server, ("lifetime", "security"))
        if server.psk is not None and not options["key_file"]:
            raise Unsupported(
                "security: BG96 takes no key by command, only as a file (guide 3.3.4): make ssl/%d_server.psk with python -m"
                ' tools.bg96_files, put it into /datatx of the module, and set "key_file": true; or leave security out'
                % options["ssid"])
        within(GUIDE, "lifetime", server.lifetime, 30, 86400)
        wake_pin(self, "light")
        if options["server_type"] == 2 and len(options["mbsps"] or ()) not in (5, 6):
            raise ValueError("mbsps: LGU+ wants five or six values (BG96 guide 4.1), found %s" % (options["mbsps"],))
        no_retransmission(self, "lwm2m_cfg has its timers, see tools/bg96_files")

    def configure(self, server: "Server") -> bool:
        """The client's files by sub-commands; they are read at boot only, so a change needs a restart (3.3, note)."""
        self.check(server)
        self.server = server
        options = self.options
        if options["psm"] is None and options["sleep"] == "psm":
            options["psm"] = _PSM
        mark = crc32(repr((
            server.host, server.port, server.endpoint, server.lifetime, server.security, server.bootstrap,
            self.radio_options(), [options[name] for name in _ACCOUNT])).encode()) | 1
        if mark != self._configured:
            self._restart_due = True
            self.configure_radio()
            for values in self._lgu_settings(server) if options["server_type"] == 2 else self._settings(server):
                self._retry(self._sub, *values)  # repeated where its answer is lost: each may be said twice
            self._configured = mark
            self.observed = []
        return self._restart_due

    def _settings(self, server: "Server") -> "Iterator[tuple[Any, ...]]":
        """The sub-commands in order (4.1)."""
        options = self.options
        if not options["key_file"]:  # the guide does not say whether "clean" spares the keys
            yield "clean",
        yield "select", options["server_type"]
        yield "bootstrap", 1, server.uri()
        yield "bootstrap", 2, server.lifetime
        yield "bootstrap", 3, int(server.bootstrap)
        # The key itself is a file, ssl/<ssid>_server.psk (3.3.4): tools/bg96_files or the module has put it there.
        yield "bootstrap", 4, 3 if server.psk is None else 0
        if server.bootstrap:
            yield "bsmode", 1
        if options["apn"] is not None:
            yield "apn", options["apn"]
        yield "endpoint", options["name_form"], options["name_form"]
        # The module's own name is made of its IMEI; every other one, another module's too, is said literally.
        if server.endpoint and server.endpoint != "urn:imei:" + self._answer_to("AT+CGSN", prefix="")[0]:
            yield "epns", 1, server.endpoint
        yield "dltype", 1
        yield "enable", 1
        # Persistent files of the old server outlive everything else (chapter 7, question 3).
        yield "reset",

    def _lgu_settings(self, server: "Server") -> "Iterator[tuple[Any, ...]]":
        """6.2: a built-in configuration with client-initiated bootstrap."""
        yield "select", 2
        yield "cdp", server.host, server.port
        yield "epns", 0 if self.options["auto_name"] else 1, server.endpoint
        yield ("mbsps",) + tuple(self.options["mbsps"])
        yield "bsmode", 1
        yield "dltype", 1
        yield "reset",

    def derived_key(self) -> "Secret | None":
        """psk,1: the key that the module uses, and the server must know; in no trace, a Secret here (4.1). Of its own it makes
        one, from its IMEI, by AT+QLWM2M="psk",0: a person's word."""
        rows = self.ask(self._sub, "psk", 1, secret=True)
        return Secret(str(rows[-1][-1])) if rows and rows[-1] else None

    def declare(self, objects: "Any") -> bool:
        """Objects cannot be added (3.3.3, note): their values travel inside the data object. Never needs a restart."""
        self.objects = objects
        return False

    def undeclare(self, object_id: int) -> bool:
        """Unsupported: the data object is built in."""
        raise Unsupported("bg96 cannot remove an object: let the server delete it, or declare again after forget()")

    def forget(self) -> None:
        """clean and reset: configuration and persistent files; holds after a restart."""
        self._sub("clean")
        self._sub("reset")
        self._configured = self._declared = 0
        self.observed = []

    # ---- registration -----------------------------------------------------------------------------------------

    def status(self) -> int:
        """The last +QLWEVENT; where none was heard, an update is the question (refused: there is no registration).

        OK alone proves little: a module that answers "select" without its line, twice, has no client, whatever was known of it;
        and after 96 messages without a sign of life from the server the node is to register again, which READY must follow.
        """
        if not self._speaks:
            self._count("answers_without_a_line")
            self._status = _NOT_REGISTERED
        if self._unproved >= _PROOF_AFTER and self._status in (_REGISTERED, _UNKNOWN):
            self._proving = self._status == _REGISTERED and self.deregister()
            self._status = _DEREGISTERED
        if self._status == _UNKNOWN:
            try:
                self._sub("update", self.options["ssid"])
                self._status = _REGISTERED
            except CommandError:
                self._status = _NOT_REGISTERED
        return self._status

    def register(self, timeout_ms: int) -> bool:
        """register, then READY (event 5). The module retries by itself; a refusal may mean that it already does."""
        if self.status() == _REGISTERED:
            return True
        if self._status != _REGISTERING:
            mode = self.options["auto_register"]
            taken = self.ask(self._sub, "register", *(() if mode is None else (int(mode),))) is not None
            self._status = _REGISTERING
            if not taken and self.update():
                self._session_stands("updated")  # it was registered all the time; its events were lost
                return True
        begun, at = self.clock.ticks_ms(), self.at
        end = at.deadline(timeout_ms)
        if self.light_sleep is not None and self._await(lambda: self._state == _ATTEMPT, min(_READY_MS, timeout_ms)):
            # Light sleep until READY; where that line is torn by it, the first observe, or else an update, says the same.
            torn = self._lightly(self._await, lambda: at.light_sleep is None or self._status == _REGISTERED, at.left(end))
            # Without any line the OK of an update says nothing: one that swallows all has it too.
            heard = self._await(lambda: self._status == _REGISTERED, min(_READY_MS, max(0, at.left(end))))
            if torn and not heard and self.update():
                self._on_state(_READY)
        if self._await(lambda: self._status == _REGISTERED, at.left(end)):
            self.trip(begun)  # no report is acknowledged
            # A message before the first observe of the data object has nowhere to go.
            self._await(lambda: bool(self.observed), _OBSERVE_MS)
            return True
        if self._unproved >= _PROOF_AFTER:
            self._emit("proved", False)
        self.refusal = self._why_not(timeout_ms)
        return False

    def _why_not(self, timeout_ms: int) -> str:
        """What is known of a registration that did not come."""
        told = "registration: not ready in %d s, last state %d" % (timeout_ms // 1000, self._state)
        if self._state <= _INITIAL:
            told += "; no data call: is APN %s the network's (chapter 7, question 1)?" % (self.options["apn"] or "of lwm2m_cfg")
        if self.roaming:
            told += "; roaming: ROAMING_FEAT=1 forbids it (3.3.3)"
        if self.options["name_form"] == 7:
            told += "; name_form 7: the SIM must tell its MSISDN"  # chapter 7, question 2
        wanted = None if self.server is None else self.server.psk
        if wanted is not None:
            key = self.derived_key()
            if key is not None and key.text.lower() != wanted.lower():
                told += "; security: the key in the module's file is not that of secrets.json"
        return told

    def bootstrap(self, timeout_ms: int = 120000) -> bool:
        """Client-initiated: bsmode,1 and a registration, which begins with it (6.2). The files are read at boot alone (3.3,
        note), and what an earlier bootstrap has written outlives everything but "reset" (chapter 7, question 3)."""
        if self.server is None or not self.server.bootstrap:
            raise ValueError("bootstrap: expected a Server(bootstrap=True) configured, found none")
        self.ask(self.deregister)
        self._sub("bsmode", 1)
        self._sub("reset")
        return bool(self.restart() and self.attach(timeout_ms) and self.register(timeout_ms))

    def update(self, lifetime: "int | None" = None, binding: "str | None" = None, objects: bool = False) -> bool:
        """OK is all that is told."""
        if binding is not None:
            raise Unsupported("BG96 cannot change the binding: the server writes 1/0/7")
        if lifetime is not None:
            within(GUIDE, "lifetime", lifetime, 30, 86400)
            self._sub("lifetime", self.options["ssid"], lifetime)
        return self.ask(self._sub, "update", self.options["ssid"], *((1,) if objects else ())) is not None

    def recover(self, timeout_ms: int = 30000) -> bool:
        """Nothing to recover by command: READY comes by itself, or an update is refused."""
        return self.wait_while_busy(timeout_ms) == _REGISTERED

    def deregister(self) -> bool:
        """deregister; until the client says that it is in its first state again a registration is refused."""
        self._answer_server()
        done = self.ask(self._sub, "deregister") is not None
        self._status = _DEREGISTERED if done else _UNKNOWN
        self.observed = []
        if done:
            self._await(lambda: self._state == _INITIAL, _OBSERVE_MS)
        return done

    # ---- reports ----------------------------------------------------------------------------------------------

    @property
    def deadline_ms(self) -> int:
        """OK is the outcome; nothing else follows."""
        return int(self.options["command_ms"])

    def publish(self, records: "Any", confirm: bool = True) -> int:
        """ulhex of SenML CBOR packs, or uldata for one text meant for the data object itself. Taken is delivered."""
        records = list(records)
        path, kind, text = records[0][:3] if len(records) == 1 else (object19.UPLINK, OPAQUE, b"")
        if kind != STRING or path.object not in OBJECTS:
            return object19.publish(self, self._send_bytes, records, confirm)
        text = text if isinstance(text, str) else text.decode()
        size = len(text.encode())
        if not 0 < size <= 1460 or '"' in text:
            raise ValueError("text: expected 1 to 1460 bytes without quotes (BG96 guide 4.1), found %d" % size)
        ticket = self.reports.open()
        reason = self._taken("uldata", path.object, size, text)
        if reason is not None:
            self.reports.refuse(ticket, reason)
        self.reports.seal(ticket)
        return ticket

    def _send_bytes(self, path: Path, data: bytes, confirm: bool) -> "str | None":
        number = self.options["data_object"] if path == object19.UPLINK else path.object
        return self._taken("ulhex", number, len(data), data.hex().upper())

    def _taken(self, *values: "Any") -> "str | None":
        self._unproved += 1
        try:
            self._sub(*values)
        except BudgetExceeded:
            raise
        except CommandError:
            self._status = _UNKNOWN
            return "refused by the module"
        except AtError:
            return "no answer from the module"
        return None

    def _parse_urc(self, line: str) -> "tuple[str, list[Any]]":
        if line[0] != "+":
            return line, []
        if line.startswith("+QLW"):
            self._speaks = True
        name = line.partition(":")[0].rstrip()
        if name == "+QLWDLDATA":
            found = by_length(line, 3)
            if found is not None:
                return name, found[0] + [found[1]]
        return name, split_fields(line)

    def _proved(self, arrived: bool = False) -> None:
        """The server has been heard of: what the module took before has arrived, or is to be sent again.

        Again after more than one wake without a word: nobody knows since when one was due.
        """
        if self._unproved:
            arrived = arrived or self._proving or self._quiet < 2
            self._unproved = self._quiet = 0
            self._emit("proved", arrived)
        self._proving = False

    def _on_state(self, state: int) -> None:
        before, self._state = self._state, state
        if before == _BOOTSTRAPPING and state != _BOOTSTRAPPING:
            self._emit("bootstrapped")
        if state == _READY:
            if before != _READY:
                self._proved()
                self._session_stands("registered", "server")
        elif state != _INITIAL or self._status != _DEREGISTERED:  # after a deregistration nothing comes by itself
            self._session_lost(_REGISTERING, "state %d" % state)

    def _on_observe(self, token: str, uri: str, rest: "list[str | None]") -> None:
        try:
            path = Path.parse(uri)
        except ValueError:
            self._count("malformed_urcs")
            return
        if self._status == _REGISTERING:
            self._on_state(_READY)  # nobody else is asked (6.2): its line was lost
        self._proved(self.options["sleep"] == "light")  # where no wake brings a word, none was due
        self._observe(path, rest[:1] == ["1"])

    def _on_data(self, uri: str, rest: "list[Any]") -> None:
        """Four fields, or three as in the example of 6.2, where type or length is missing: data is always the last."""
        try:
            path = Path.parse(uri)
            value = rest[-1] or ""
            numbers = [int(each or "") for each in rest[:-1]]
        except (ValueError, IndexError):
            self._count("malformed_urcs")
            return
        self._proved(self.options["sleep"] == "light")
        kind = STRING if len(numbers) > 1 and numbers[0] == 4 else OPAQUE
        if isinstance(value, str):
            value = object19.raw_bytes(numbers[-1] if numbers else len(value), value)
        self.request(Request("write", path, None, kind, value))

    def sleep(self) -> bool:
        """psm/enter, confirmed by PSM POWER DOWN or the status pin; or QSCLK=1 for light sleep while DTR is high."""
        self._close_requests()
        if self.options["sleep"] == "light":
            done = self.ask(self.at.write, "+QSCLK", 1) is not None
            if self.pins is not None:
                self.pins.set("wake", False)
            return done
        if self._asleep:
            return True  # its active time was over first
        if self._off_instead():
            return self._switch_off()
        if self.ask(self.at.write, "+QCFG", "psm/enter", 1) is None:
            self._count("sleep_refused")
        return self._confirm_sleep()

    def wake(self) -> bool:
        """PWRKEY out of PSM, then AT until OK. The module boots: it registers, or keeps its registration, by itself."""
        self._restart_expected = True
        self._quiet += self._unproved > 0
        try:
            if self._asleep:
                self.clock.sleep_ms(_PSM_REST_MS)
            if self.options["sleep"] == "light" and self.pins is not None:
                self.pins.set("wake", True)  # DTR low, and low while awake (low_power 3.4)
            elif self.pins is not None and self.pins.get("status") is not True:
                self.pins.pulse("power_key", self.POWER_KEY_MS if self._off_instead() else _PSM_KEY_MS)
            for _ in range(_AT_TRIES):
                if self.ask(self.at.send, "AT", timeout_ms=_AT_MS) is not None:
                    self._asleep = False
                    if self._status != _REGISTERED:
                        self._status = _UNKNOWN  # what happened meanwhile nobody heard
                    self._greet()
                    if self.options["sleep"] == "psm":
                        self.ask(self.at.write, "+QCFG", "psm/enter", 0)  # or it leaves as soon as the radio is idle
                    return True
            return False
        finally:
            self._restart_expected = False

    def _on_restart(self, *line: "Any") -> None:
        """RDY ends PSM too: without PER_REGSTATUS_FEAT (3.3.3) the registration is gone, and an update must ask."""
        self._status = _UNKNOWN
        Modem._on_restart(self, *line)

    def _heard(self, name: str, *values: "Any") -> None:
        """The granted PSM times, with which the session ends; asleep; switched off: what was registered is unknown."""
        if name in ("POWERED DOWN", "NORMAL POWER DOWN"):
            self._session_lost(_UNKNOWN, "module powered down")
        self._asleep = self._asleep or name[:3] == "PSM"
        self._status = _UNKNOWN

    def snapshot(self) -> bytes:
        """Two bytes more than every family's: messages, and wakes, since the last sign of life from the server."""
        return bytes((min(self._unproved, 255), min(self._quiet, 255))) + Modem.snapshot(self)

    def restore(self, data: "bytes | None") -> bool:
        """Take up a snapshot; False where it is none of ours."""
        if not data or not Modem.restore(self, data[2:]):
            return False
        self._unproved, self._quiet = data[0], data[1]
        return True

    URCS = {
        "+QLWEVENT": ("i", _on_state),  # 4.2.1: 5 "registered", leaving 5 "lost", leaving 2 "bootstrapped"
        "+QLWOBSERVE": ("ss*", _on_observe),  # 4.2.2: "observed" or, with flag 1, "cancelled"
        "+QLWDLDATA": ("s*", _on_data),  # 4.2.3: a write, already acknowledged
        "+QPSMTIMER": "i",
        "PSM POWER DOWN": "",
        "POWERED DOWN": "",
        "NORMAL POWER DOWN": "",
        "+QIND": ("s*", Modem._on_indication),  # chapter 5: "firmware", the module loads or installs other firmware of its own
    }
