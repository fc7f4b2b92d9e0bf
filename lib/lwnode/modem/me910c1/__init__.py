"""ME910C1, NE910C1, ML865C1: the shadow contract. The module holds the values; the host sets them and is told of changes.

    AT#LWM2MENA=1                                OK; LWM2M-TLT:"REGISTERED",SSID=99,"coap://..." where that service is on
    AT#LWM2MSET=1,3303,0,5700,0,21.5             OK: taken, and the module notifies by itself
    #LWM2MNFYACK: 0,99,"/3303/0/5700","ACK"      the server has it (armed resources, six at most, 3.1.15)
    #LWM2MMON: UPD,"/3306/0/5850/0"              the server wrote: AT#LWM2MR=0,3306,0,5850,0, then the node's handler

Source: Telit 80529ST10974A Rev. 3, sections in the code; what is the field's says so. Survives:

                              restart   power loss   factory reset (3/0/5)
    account, keys, FOTA mode  yes       yes          FOTA mode only (3.1.12); the account is written again
    XML, instances, values    yes       yes          asked again by AT#M2MLIST and AT#LWM2MEXIST
    MON, NFYACKURI, ENA       no        no           no: armed again (3.1.2, 3.1.3, 3.1.15)
    echo, AT+CMEE, #PSMURC    no        no           no

The module keeps only the last value of a path and notifies only changes. So one value of a path is on its way at a time, and
one that did not change shares the fate of the one before. The host is not told who observes what: the first silence of an armed
path says that nobody does. Every line may be lost while nobody listens; what recovers the state: AT#LWM2MSTAT (session, an ACK
that is waited for), AT#LWM2MENA? (0 after a power cycle), AT#LWM2MR (what a server wrote), the deadline of a report.

Sleep: ENA is not saved (3.1.3), so a module that loses its power in PSM registers at each wake; one that keeps its memory
is asked and goes on. Option sleep="cfun5" leaves agent and radio on: one registration, for about 1 mA (low_power 4).
Bounds: 6 monitored objects, 6 resources with acknowledgement, one value of a path on its way, lines of 400 characters.
"""

import struct
from binascii import crc32, hexlify, unhexlify

from lwnode.at import AtError, BudgetExceeded, CommandError, Raw
from lwnode.at import fields as split_fields
from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, OBJLNK, OPAQUE, STRING, TIME, Path, Request
from lwnode.modem import Unsupported
from lwnode.modem.driver import Capabilities, Modem
from lwnode.modem.me910c1 import setup
from lwnode.modem.network import LTE_M, NB_IOT
from lwnode.modem.reports import UNCHANGED, UNOBSERVED
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Response
    from lwnode.modem import Server

    Ids = tuple[Any, ...]

# The states of lwnode.modem, here as constants that cost no name.
_NOT_REGISTERED = const(0)
_REGISTERING = const(1)
_REGISTERED = const(2)
_DEREGISTERING = const(3)
_UNKNOWN = const(6)
_DEREGISTERED = const(7)
_OFF = const((0, 7))
_AT_MS = const(500)  # silent while it boots: asked again until boot_ms
_AWAKE_MS = const(300)  # who runs has answered AT by then
_AHEAD_MS = const(200)  # of the end of its boot it is asked: sooner costs awake time, and later too
_END_MS = const(5000)  # #LWM2MEND comes when the guard time is over (3.1.3), and a moment for its line
_TEXT = const(360)  # characters of a value: with command and ids no line of more than 400 (2.2.2)
_ENABLE_MS = const(45000)  # field_quirks 5: one driver waits so long for LWM2MENA
_SETTLE_MS = const(20000)  # other #LWM2M commands fail during activation (3.1.3); the field waits 1 to 20 s
_READY_LOOK_MS = const(1000)  # the field waits a second between tries after ENA (field_quirks 2.6)
_LOOK_MS = const(2000)  # between looks at ENA?, ten of them: WAIT, DEREG, 0 (3.1.3, example 10)
_PROBE_MS = const(10000)  # of silence: two retransmissions (RFC 7252 4.8) and a release; then the module itself is asked for
_DOWN_MS = const(1000)  # #LWM2MINFO comes before it goes down
_ECHO_MS = const(40)  # our own SET and W are told of by a line too (3.1.2)
_CONTEXT_MS = const(30000)  # 3.1.4 has no figure; attached already, it is one exchange with the network
_SOONER = (0, 2, 3)  # observe_ms is shifted by so much, as the server proves quick
_HOLD = const(255)  # reports that have to arrive in time before another step is tried, once one was set too early
_KEYS = const(0x3FFFFFFF)
_ABANDONED = const(0)  # the key of a report whose ticket has failed already
_BOOTSTRAP = const(2)  # this bit of the account's checksum: it names a bootstrap server
# What a URC has left for service(), settle() and register(): to arm again, to restart (FORCE_EXIT), a restart to sit out.
_ARM = const(1)
_RESTART = const(2)
_REBOOTS = const(4)
# What is known of a value in the module: taken by it, acknowledged by the server, refused by it, watched by nobody.
_TAKEN = const(0)
_ACKED = const(1)
_NACKED = const(2)
_UNWATCHED = const(3)
_RINGS = const(("REG", "DRG", "UPD", "NOT", "SMS"))
_HISTORY = const((19, 0, 0))  # where packs of late readings go
_TYPES = {INTEGER: 0, BOOLEAN: 0, TIME: 0, FLOAT: 1, STRING: 2, OBJLNK: 2, OPAQUE: 3}  # 3.1.9


def _ids_of(uri: str) -> "Ids | None":
    """"/3303/0/5700/0" -> (3303, 0, 5700); None for what is no path of a resource."""
    try:
        ids = tuple([int(part) for part in uri.strip('"/ ').split("/")[:3]])
    except ValueError:
        return None
    return ids if len(ids) == 3 and min(ids) >= 0 and max(ids) <= 65535 else None


def _mark_of(text: str) -> int:
    """Checksum, 30 bits, that does not care for zeros a module may add: 21.5, 21.50 and 21.500000 are one."""
    whole, point, fraction = text.partition(".")
    if point and (whole.lstrip("-") + fraction).isdigit():
        text = text.rstrip("0").rstrip(".")
        text = "0" if text in ("-0", "") else text
    return int(crc32(text.encode())) & 0x3FFFFFFF


def _line_of(record: "Any") -> "tuple[Any, ...]":
    """(ids, text by which the value is known, command name, parameters) of a record; ValueError before anything is sent.

    3303/0/5700 FLOAT "21.5"    AT#LWM2MSET=1,3303,0,5700,0,21.5    read-only to the server: SET (3.1.9)
    3306/0/5850 BOOLEAN "1"     AT#LWM2MW=0,3306,0,5850,0,1         the server may write it: W (3.1.7)
    3/0/9 INTEGER "87"          AT#LWM2MSET=0,3,0,9,0,87            the whitelist of 3.1.9
    """
    path, kind, value = record[:3]
    ids = path.ids
    if path.resource is None or ids[0] in setup.CLOSED:
        raise ValueError("%s: expected a resource; objects 0, 1, 2, 5 are closed (3.1.7)" % path)
    last: "Any"
    if kind == OPAQUE:
        last = value.encode() if isinstance(value, str) else bytes(value)
        text = hexlify(last).decode().upper()
    else:
        text = value if isinstance(value, str) else bytes(value).decode()
        if kind in (STRING, OBJLNK):
            last = text = "".join([" " if ord(c) < 32 else "'" if c in '"\\' else c for c in text])
        else:
            last = Raw(text)
            body = (text[1:] if text[:1] == "-" else text).replace(".", "", int(kind == FLOAT))
            if not body.isdigit() or kind == BOOLEAN and text not in ("0", "1") or kind != FLOAT and (
                    len(body) > 10 or int(text) >> 31 not in (0, -1)):
                raise ValueError("%s: expected a plain number, whole -2147483648 to 2147483647, or 0 or 1 (3.1.9), found %s" % (
                    path, text))
    if len(text.encode()) > _TEXT:
        raise ValueError("%s: expected %d characters at most (lines of 400), found %d" % (path, _TEXT, len(text)))
    place: "tuple[Any, ...]" = ids + (0, last)
    if "W" in setup.row_of(ids)[1]:
        return ids, text, "#LWM2MW", (0,) + place
    return ids, text, "#LWM2MSET", (_TYPES[kind],) + place


def _is_answer(_: str, line: str) -> "bool | None":
    """#LWM2MMON and #PSMURC are names of an answer and of a URC."""
    if line.startswith("#LWM2MMON:"):
        return "UPD" not in line
    return "," not in line if line.startswith("#PSMURC:") else None


class Driver(Modem):
    """The ME910C1 over one AtClient."""

    FAMILY = "me910c1"
    LINE_LIMIT = 512  # the module takes 400 characters and prints no longer lines
    REGISTRATIONS = ("+CEREG", "+CGREG", "+CREG")
    RESTART = "AT#REBOOT"
    POWER_OFF = "AT#SHDN"
    POWER_KEY_MS = 5500  # ON_OFF held 5 to 6 s (field_quirks 5)
    RESET_MS = 250  # hardware guide: 200 ms at least
    ACCESS = LTE_M
    CLOCK_IS_LOCAL = True
    CREATED = 2  # this bit of the declaration's checksum: its instances were all seen in the module
    # Examples and field write LWM2M-TLT:, the syntax #LWM2M-TLT: (3.1.3).
    URC_PREFIXES = (
        "LWM2M-TLT", "#LWM2M-TLT", "#LWM2MRING", "#LWM2MEND", "#LWM2MINFO", "#LWM2MMON", "#LWM2MNFYACK",
        "#LWM2MFOTARING", "#PSMURC",
    )
    OPTIONS = dict(
        Modem.OPTIONS,
        # agent: PDP context, ACK mode and its guard times in s (3.1.3)
        cid=1, ack_mode=False, guard_request=5, guard_release=5,
        # reports: RFC 7252 4.8.2 MAX_TRANSMIT_WAIT is the longest a confirmable notification takes
        ack_wait_ms=93000, monitor=None, acknowledge=None, definitions=None, registration_urcs=True,
        observe_ms=3000,  # servers observe behind the registration, one request after the other; less where one is quick
        disable_s=86400, rat=None,
        # PSM timers asked of the network (tracking area update, active time) in s; None leaves them as they are
        psm=(86400, 10), sleep="psm",
        sleep_confirm_ms=15000,  # the radio's release, 15 s at most (low_power 3.6)
        boot_ms=30000,  # "allow 30 seconds" after #REBOOT (low_power 3.5)
    )

    _suspended = _in_session = _armed = _repaired = _context = False
    _services = False  # the registration URCs are switched on (33211/0/0/1)
    _factory = 0  # the account in the module is its maker's: 1 ours is to be written again, 2 not before configure()
    _fresh: "int | None" = None  # tick of a registration that nobody may observe yet
    _early = 0  # step in _SOONER, and times 256 how many reports have to arrive before the next one is tried
    _trial = False  # something was set soon after a registration: its acknowledgement says that it was not too soon
    _due = 0
    _key = 0
    packs = None
    _behind = 0  # since the last pack: 1 something else was sent, 2 and acknowledged
    _probe = 0  # ticks: when to ask for the module itself, where its reports stay unheard
    _boot_ms = 0  # from the pulse that woke it to its first answer, last time; 0 not known yet
    _account_due = 0  # checksum of an account that holds from the next restart on

    def __init__(self, at: "Any", pins: "Any" = None, **given: "Any") -> None:
        Modem.__init__(self, at, pins, **given)
        self._known: "dict[Ids, list[int]]" = {}  # ids -> [checksum of the value, _TAKEN...]
        self._pending: "dict[Ids, tuple[int, int]]" = {}  # ids -> (key of the report, deadline in ticks)
        self._texts: "dict[Ids, str]" = {}  # writable ones, as node and module last agreed
        self._acked: "list[Ids]" = []  # what NFYACKURI is armed for
        options = self.options
        self.sleeps_powered = options["sleep"] == "cfun5"
        at.is_answer = _is_answer
        at.line_limit = 400  # 2.2.2
        at.gap_ms = max(at.gap_ms, 20)  # 2.2.5
        if options["rat"] == "nbiot":
            self.ACCESS = NB_IOT

    def _capabilities(self) -> Capabilities:
        return Capabilities("shadow", True, False, "server", False, "pack", True, True,
                            {"monitored": setup.LIST_LIMIT, "opaque": 180, "pack": 180})

    # ---- life of the module -----------------------------------------------------------------------------------

    def _greet(self, woken: bool = False) -> None:
        """CMEE 2, because the errors of EXIST have words only (3.1.17); sleep told; clock in UTC, set by the network."""
        self._asleep = False
        self.at.write("+CMEE", 2)
        if self.options["sleep_confirm_ms"]:  # else nobody waits for the word
            self.ask(self.at.write, "#PSMURC", 1)
        if woken:
            return
        self.ask(self.at.write, "+CTZU", 1)
        self.CLOCK_IS_LOCAL = self.ask(self.at.write, "#CCLKMODE", 1) is None
        if self._account_due:  # the module has restarted since the account was written
            self._configured, self._account_due = self._account_due, 0
            self._account(self._configured)

    def wake(self) -> bool:
        """AT; where nothing answers, DTR or ON_OFF. A sleep that was a power cycle shows in status(): all is armed again.

        A module that boots is let alone for as long as it took last time, less 200 ms. Where its first answer comes at once it
        was ready before: what is noted for the next time is then less, and never grows by the wait itself.
        """
        self._restart_expected = True
        clock = self.clock
        pulse = self.pins is not None and not self.sleeps_powered
        if self.sleeps_powered:
            self.pins.set("wake", True)  # DTR: on while the node is awake (low_power 3.5)
        end = self.at.deadline(self.options["boot_ms"])
        pulsed, silent = 0, False
        try:
            while self.at.left(end) > 0:
                off = pulse and self.pins.get("status") is False  # it would not hear the question
                # AT alone: what else a silent module was asked is waited for a second longer.
                if not off and self.ask(self.at.send, "AT", timeout_ms=_AWAKE_MS if pulse else _AT_MS) is not None:
                    if silent:
                        self._boot_ms = min(clock.ticks_diff(clock.ticks_ms(), pulsed), self.options["boot_ms"] // 2)
                    elif not pulse:
                        self._boot_ms = max(0, self._boot_ms - _AHEAD_MS // 2)
                    # Echo, CMEE and #PSMURC are lost where sleep was a power cycle (field_quirks 5).
                    self.ask(self.at.send, "ATE0", prefix="")
                    self.ask(self._greet, True)
                    return True
                silent = not pulse
                if pulse:
                    # Only a module that is silent gets one: a running one would be switched off by it.
                    pulse = False
                    pulsed = clock.ticks_ms()
                    if self._off_instead() or not self.pins.pulse("wake", 100):
                        self.pins.pulse("power_key", self.POWER_KEY_MS)
                    self._lightly(self.at.poll, max(0, self._boot_ms - _AHEAD_MS))
            return False
        finally:
            self._restart_expected = False

    def sleep(self) -> bool:
        """Option sleep: "psm" waits for #PSMURC or the status pin, "cfun5" for DTR to wake it, "off" is AT#SHDN."""
        options = self.options
        self._close_requests()
        if self._in_session and options["ack_mode"]:
            self._await(lambda: not self._in_session, options["guard_release"] * 1000 + _END_MS)
        if options["sleep"] == "off":
            return self.power_off()
        if self.sleeps_powered:
            done = self.ask(self.at.write, "+CFUN", 5) is not None
            self.pins.set("wake", False)
            return done
        if self._off_instead():
            return self._switch_off()
        # It may have gone down before it was asked to: the network decides when.
        return self._confirm_sleep()

    def _forget_session(self, reason: str) -> None:
        """Lost with power, and by a restart: agent, MON and NFYACK lists, echo, CMEE, context (3.1.2, 3.1.3, 3.1.15)."""
        self._armed = self._context = self._in_session = False
        self._pending, self._trial = {}, False
        Modem._forget_session(self, reason)

    # ---- configuration: see setup.py --------------------------------------------------------------------------

    check = setup.check  # ranges of 3.1.3 and 3.1.14, the awake budget, and what this module cannot be told
    configure = setup.configure  # STS, INJKEYS, APN, radio access, PSM
    declare = setup.declare  # definitions uploaded where they are missing (True: restart), instances once the agent is on
    bootstrap = setup.bootstrap
    forget = setup.forget
    monitored, acknowledged = setup.monitored, setup.acknowledged

    def undeclare(self, object_id: int) -> bool:
        """Unsupported: no command takes an instance."""
        raise Unsupported("me910c1 cannot remove an object: let the server delete it, or declare again after forget()")

    def _account(self, mark: "int | None" = None) -> int:
        """Checksum of the account that the store says is in the module, 0 for none: STS and INJKEYS have no query (3.1.8)."""
        store = self.options["store"]
        if store is None:
            return 0
        if mark is not None:
            store.save("me910c1-account", b"%08x" % mark if mark else b"")
        try:
            return int(store.load("me910c1-account") or b"0", 16)
        except ValueError:
            return 0

    # ---- registration -----------------------------------------------------------------------------------------

    def status(self) -> int:
        """AT#LWM2MSTAT, or AT#LWM2MENA? while the agent refuses (3.1.1, 3.1.3). There is no query for the registration
        itself: an enabled agent that rests is taken for registered, unless a URC has said otherwise."""
        try:
            lines = self.at.send("AT#LWM2MSTAT", prefix="#LWM2MGETSTAT")
        except CommandError as error:
            if "SIM" in error.text:
                self.unlock_sim()  # no command without one (3.1); `refusal` says what is wrong with it
            lines = self.at.send("AT#LWM2MENA?")
        found = split_fields(lines[-1]) if lines else []
        # Two shapes: 0,"DIS" and "DIS" alone (3.1.1); #LWM2MENA: 0 where it is off.
        word = "DIS" if found == ["0"] else found[-1] if found else ""
        before = self._status
        if word == "DIS":
            # Who is off does not come back by itself: a suspension ends here, and for how long it lasts the node knows.
            self._armed = self._suspended = False
            left = before in (_DEREGISTERED, _DEREGISTERING)
            self._session_lost(_DEREGISTERED if left else _NOT_REGISTERED, "the agent is off")
        elif word == "DEREG":
            self._status = _DEREGISTERING
        elif word == "WAIT":
            if before not in (_REGISTERED, _DEREGISTERING):
                self._status = _REGISTERING
            self._acknowledge_ring()  # the #LWM2MRING was lost
        elif word not in ("ACTIVE", "IDLE"):
            self._count("malformed_results")
            self._status = _UNKNOWN
        elif self._suspended or self._factory:
            self._status = _NOT_REGISTERED
        elif before != _REGISTERED:
            if word == "ACTIVE":
                self._status = _REGISTERING
            elif before == _REGISTERING:
                self._on_tlt("REGISTERED")
            else:
                self._session_stands(None)
        self._due &= ~_ARM
        if self._status == _REGISTERED and not self._armed:
            self._due |= _ARM
        return self._status

    def register(self, timeout_ms: int = 30000) -> bool:
        """AT#LWM2MENA=1, the outcome, then what the module has forgotten (instances, MON, NFYACK)."""
        # Who was just found off does not come on by itself, and attach() has passed since.
        off = self._status in _OFF and not (self._suspended or self._factory)
        if not off and self.status() == _REGISTERED and self._armed:
            return True
        end = self.at.deadline(timeout_ms)
        created = False
        for _ in range(3):
            if self._factory and not setup.write_again(self):
                return False
            if self._status in _OFF and not self._suspended:
                # Before the agent starts, so that its registration names them; firmware that wants it on refuses.
                created = setup.create(self)
                if not created and not self._repaired and setup.upload_missing(self):
                    self._count("repairs")
                    self.restart()
                    created = setup.create(self)
                self._repaired = not created  # a definition that the module does not like is not sent again at every wake
                if self._factory:
                    continue
                if not self._enable():
                    return False
            if self._status != _REGISTERED:
                self.wait_while_busy(max(0, self.at.left(end)))
            if not self._factory:
                break
        self._due &= ~_ARM
        if self._status != _REGISTERED:
            self.refusal = self.refusal or "registration: no answer of the server in time"
            self._upkeep()  # after FORCE_EXIT: the restart that alone helps
            return False
        done = self._armed = self._armed or self._arm(created)
        if not done:
            # What stands is used all the same; unless nothing does, because the module has restarted meanwhile.
            self._emit("refused", self.refusal)
            done = self.status() == _REGISTERED
        self._answer_server()
        return done

    recover = register  # nothing of a session outlives a power cycle

    def _enable(self) -> bool:
        """ENA=1. An agent that is off and refuses has left by FORCE_EXIT: only a reboot helps (3.1.3)."""
        at, options = self.at, self.options
        wanted: "tuple[int, ...]" = (1,)
        if options["ack_mode"] or options["cid"] != 1:
            wanted = (1, options["cid"], int(options["ack_mode"]), options["guard_request"], options["guard_release"])
        for again in (True, False):
            self.refusal = ""
            try:
                at.write("#LWM2MENA", *wanted, timeout_ms=_ENABLE_MS)
            except CommandError as error:
                self.refusal = "registration: the agent cannot be enabled: " + setup.reason_of(error)
                if again and self.restart():
                    continue
                break
            self._status = _REGISTERING
            if not options["ack_mode"]:
                # The first word is that it registers: what comes of it, the next one, is heard awake.
                self._lightly(self._await, lambda: at.light_sleep is None or self._status != _REGISTERING, _LOOK_MS)
            return True
        return False

    def deregister(self) -> bool:
        """AT#LWM2MENA=0; ENA? shows the way: WAIT (for our ACK), DEREG, 0. True where the agent is off."""
        self._answer_server()
        if self.status() in _OFF and not self._suspended:
            return True
        self._suspended = False
        if self.ask(self.at.write, "#LWM2MENA", 0, timeout_ms=_ENABLE_MS) is None:
            return False
        self._status = _DEREGISTERING
        for _ in range(10):
            if self._await(lambda: self._status != _DEREGISTERING, _LOOK_MS):
                break
            word = (self.ask(self.at.read, "#LWM2MENA") or [[]])[-1][-1:]
            if word == ["0"]:
                self._status = _DEREGISTERED
            elif word == ["WAIT"]:
                self._acknowledge_ring()
        self._armed = False
        return self._status in _OFF

    def update(self, lifetime: "int | None" = None, binding: "str | None" = None, objects: bool = False) -> bool:
        """The module updates by itself, also when instances are created: True where it is registered."""
        if lifetime is not None or binding is not None:
            # Object 1 is closed to W (3.1.7).
            raise Unsupported("lifetime, binding: let the server write /1/0/1 or /1/0/7")
        return self.status() == _REGISTERED

    # ---- what a power cycle takes (3.1.2, 3.1.3, 3.1.15) --------------------------------------------------------

    def _arm(self, created: bool) -> bool:
        """True where everything stands. What is missing is named in `refusal` and does not keep the rest from being armed."""
        at = self.at
        end = at.deadline(_SETTLE_MS)
        wanted, uris = self.monitored(), self.acknowledged()
        said: "list[bool]" = []
        for attempt in range(4):  # all in one line, then twice one by one: a refusal may have been a slip of the line
            while True:
                try:
                    # Amid a repair a lost line costs no registration: what stands is written once more.
                    rows: "Any" = self.ask(at.read, "#LWM2MMON") or () if attempt else at.read("#LWM2MMON")
                    found = [int(row[0]) for row in rows if row and str(row[0]).isdigit()]
                    break
                except CommandError:
                    if at.left(end) <= 0:
                        self.refusal = "agent: commands still fail %d s after ENA (3.1.3)" % (_SETTLE_MS // 1000)
                        return False
                    at.poll(_READY_LOOK_MS)
            if not attempt:
                created = created or setup.create(self)
            # Both lists are lost together: where one is empty the other need not be asked for.
            rows = ()
            if attempt or found or not wanted:
                rows = self.ask(at.write, "#LWM2MNFYACKURI", 0, 2, prefix="#LWM2MNFYACKURI") or ()
            there = [ids for ids in [_ids_of(str(row[0])) for row in rows if row] if ids]
            self._acked = uris
            if attempt == 3:
                self._acked = [ids for ids in uris if ids in there and said[-1]]
                break
            # Of what is there and what is wanted, in this order, what is not both: what is not ours makes room.
            parts = ["#LWM2MMON=%d,%d" % (number in wanted, number)
                     for number in found + wanted if (number in found) != (number in wanted)]
            parts += ["#LWM2MNFYACKURI=0,%d,%d,%d,%d" % ((ids in uris,) + ids)
                      for ids in there + uris if (ids in there) != (ids in uris)]
            parts += ["#LWM2MNFYACKENA=0,1"] if uris else []
            if attempt:
                said = [self.ask(at.send, "AT" + part, prefix="") is not None for part in parts]
            else:
                said = [not parts or self._together(parts, None) is not None]
            if False not in said:
                break
            # Of a line that was refused nobody knows which part was (2.2.2): both lists are read again.
            if self.ask(self.status) != _REGISTERED:
                self.refusal = "agent: gone while it was armed, the module has restarted"
                return False
            self._due &= ~_ARM
        if self.options["registration_urcs"] and not self._services:
            # 33211/0/0/1 switches the registration URCs on, from the next restart (field; the manual leaves it to the user).
            text = self.ask(self._read, (33211, 0, 0, 1))
            self._services = text == "1"
            if text == "0":
                self.ask(at.write, "#LWM2MW", 0, 33211, 0, 0, 1, 1)
        self._look_at_all(wanted)
        return created and False not in said

    def _together(self, parts: "list[str]", prefix: "str | None") -> "Any":
        """Several commands in one line (2.2.2); None where they do not fit into one, or not all were carried out."""
        line = "AT" + ";".join(parts)
        return self.ask(self.at.send, line, prefix=prefix) if len(line) <= self.at.line_limit else None

    def _look_at_all(self, watched: "list[int]") -> None:
        """Read what the server may have written while nobody listened; values that were known are no news."""
        paths = [ids for ids in setup.writable(self) if ids[0] in watched and ids[0] != 19]
        lines = self._together(["#LWM2MR=0,%d,%d,%d,0" % ids for ids in paths], "#LWM2MR") if len(paths) > 1 else None
        for index in range(len(paths)):
            text = None
            if lines is not None and len(lines) == len(paths):
                text = lines[index].partition(":")[2].strip().strip('"')
            self.ask(self._compare, paths[index], text)

    # ---- reports ----------------------------------------------------------------------------------------------

    @property
    def deadline_ms(self) -> int:
        """The longest a confirmable notification takes; in ACK mode with the time in which it is announced (3.1.3)."""
        options = self.options
        return int(options["ack_wait_ms"] + 1000 * options["guard_request"] * options["ack_mode"])

    def publish(self, readings: "Any", confirm: bool = True) -> int:
        """SET or W. Delivered: acknowledged by the server where armed for the path, else taken by the module."""
        lines = [_line_of(record) for record in readings]
        self._upkeep()
        at = self.at
        ticket = self.reports.open()
        try:
            for line in lines:
                if confirm and self._fresh is not None:
                    self._wait_for_observer(self._fresh, line[0])
                if "W" in setup.row_of(line[0])[1]:
                    at.poll()
                    if [item for item, more in self._waiting
                            if more == (line[0],) or isinstance(item, Request) and item.path.ids == line[0]]:
                        continue  # the server's value is the newer one: ours would replace it unseen
                # Until nothing of that path is on its way, and one more message may be in flight.
                end = at.deadline(self.deadline_ms)
                while line[0] in self._pending or len(self.reports.in_flight) >= self.reports.limit:
                    self._give_up()
                    if at.left(end) <= 0:
                        break
                    at.poll(200)
                    self.reports.expire()
                if not self._set(ticket, confirm, *line):
                    break
        finally:
            self.reports.seal(ticket)
        return ticket

    def _wait_for_observer(self, since: int, ids: "Ids") -> None:
        """A new registration has no observations: what is set before the server observes again goes out with its answer to
        that, and is never acknowledged. How soon a path is set that was acknowledged before, the server teaches; others wait
        as long as observe_ms says, for their silence would be taken for nobody's interest.
        """
        at, clock, most = self.at, self.clock, self.options["observe_ms"]
        passed = clock.ticks_diff(clock.ticks_ms(), since)
        if not 0 <= passed < most:
            self._fresh = None
            return
        self._trial = True
        known = self._known.get(ids)
        left = (most >> (_SOONER[self._early & 3] if known and known[1] in (_ACKED, _NACKED) else 0)) - passed
        if left > 0:
            end = at.deadline(left)
            at.poll(left if self._pending else min(left, _ECHO_MS))  # awake: an acknowledgement that is due would be torn
            if at.left(end) > 0:
                self._sleep_lightly()
                at.poll(at.left(end))
                self._wake_up()
                at.poll(max(0, at.left(end)))

    def _sleep_lightly(self) -> None:
        self.at.light_sleep = self.light_sleep
        if self.light_sleep is not None:
            self.at.subscribe("", self._on_torn)

    def _wake_up(self) -> None:
        """No light sleep any more; where a line has ended it, a write may have been slept through."""
        broken = self.at.light_sleep is None and self.light_sleep is not None
        self.at.light_sleep = None
        self.at.subscribe("", None)
        if broken:
            self._look_at_all(self.monitored())

    def service(self, timeout_ms: int, quiet_ms: "int | None" = None, released: bool = False) -> None:
        """As Modem.service; the board sleeps lightly where nothing is on its way: what a server writes then can be read."""
        rests = self._armed and not (self._pending or self.reports or self.options["ack_mode"])
        if rests:
            self._sleep_lightly()
        Modem.service(self, timeout_ms, quiet_ms)
        if rests:
            self._wake_up()
            self._answer_server()

    def _on_torn(self, line: str) -> None:
        """The end of a line that ended a light sleep, by which it lost 11 to 23 characters (1 to 2 ms). Of a registration only
        SUSPENDED comes now that AT#LWM2MSTAT does not tell; a question for firmware is asked once in a week."""
        end = line.strip('"')[-4:]
        if end in ("LOAD", "DATE"):
            self._heard("FOTARING", "DOWNLOAD" if end == "LOAD" else "UPDATE")
        elif ",SSID=" in line and 'RED"' not in line:
            self._on_tlt("SUSPENDED")

    def _set(self, number: int, confirm: bool, ids: "Ids", text: str, name: str, parameters: "Any") -> bool:
        """One value. False: the module does not answer, the rest is not tried."""
        entry = self._known.get(ids)
        state = _TAKEN if entry is None else entry[1]
        same = entry is not None and entry[0] == _mark_of(text)
        if same and ids == _HISTORY and state != _ACKED:
            # The oldest of the journal once more, which must not block it. Of definite length or of indefinite one (RFC 8949
            # 3.2.2), the same pack in other bytes is a change.
            same = False
            data = parameters[-1]
            if b"\x80" <= data[:1] <= b"\x98":
                data = b"\x9f" + data[2 if data[:1] == b"\x98" else 1:] + b"\xff"
                text, parameters = hexlify(data).decode().upper(), parameters[:-1] + (data,)
        self._behind = 0 if ids == _HISTORY else self._behind or 1
        notified = confirm and ids in self._acked and not same and (state != _UNWATCHED or ids == _HISTORY)
        # Noted first, for an answer may be lost; and open until its own acknowledgement.
        self._remember_value(ids, text, state if same or state != _ACKED else _NACKED)
        if notified:
            self._key = self._key % _KEYS + 1
            self._pending[ids] = (self._key, self.at.deadline(self.deadline_ms))
            self._probe = self.at.deadline(_PROBE_MS)
            self.reports.sent(number, self.deadline_ms + 1000, self._key)
        answered, reason = True, ""
        try:
            self.at.write(name, *parameters)
        except BudgetExceeded:
            raise
        except CommandError as error:
            reason = "%s: %s" % (name, setup.reason_of(error))
            del self._known[ids]
            if entry is not None:
                self._known[ids] = entry
            self._declared &= ~self.CREATED  # the instance may be gone: looked for at the next registration
        except AtError:
            # Its acknowledgement may have come instead of the answer. One that comes later is nobody's: the path stays
            # taken, so that its next value waits for it.
            answered, reason = False, "no answer from the module"
            self.ask(self.at.poll, 0)
        if reason:
            key, due = self._pending.get(ids, (_ABANDONED, 0))
            if not notified:
                self.reports.refuse(number, reason)
            elif key:
                self._pending[ids] = (_ABANDONED, due)
                self.reports.settle(key, reason)
            if answered:
                self._pending.pop(ids, None)
        elif confirm and ids in self._acked and not notified:
            # No change, no notification: what became of the value before is what becomes of this one.
            self._count("unchanged" if same else "unwatched")
            if same and state in (_TAKEN, _NACKED):
                self.reports.refuse(number, UNCHANGED)
        return answered

    def abandon(self) -> None:
        """As if the deadlines were over."""
        self._give_up(True)
        Modem.abandon(self)

    def _give_up(self, now: bool = False) -> None:
        """No word of a notification in time: lost, where the path was acknowledged before; else nobody observes it."""
        for ids in list(self._pending):
            key, due = self._pending[ids]
            if self.at.left(due) > 0 and not now:
                continue
            del self._pending[ids]
            if key == _ABANDONED:
                continue
            entry = self._known[ids]
            reason: "str | None" = "no acknowledgement in time"
            if entry[1] in (_ACKED, _NACKED):
                if self._early & 3:
                    self._early = (self._early & 3) - 1 | _HOLD << 8
                # A pack that stays unheard twice is no accident: whoever observed it does so no more.
                entry[1] = _TAKEN if ids == _HISTORY else _NACKED
            elif ids == _HISTORY:
                # Silence alone may be anybody's. Nobody observes packs where what was sent behind it is acknowledged.
                if self._behind != 1:
                    reason = UNOBSERVED
                if self._behind == 2:
                    entry[1], self.packs = _UNWATCHED, False
            elif self.ask(self.status) != _REGISTERED:
                reason = "the module had restarted"  # that silence says nothing of observers
            else:
                entry[1], reason = _UNWATCHED, None
                self._count("unwatched")
            self.reports.settle(key, reason)
        if self._pending and self.at.left(self._probe) <= 0:
            self._probe = self.at.deadline(_PROBE_MS)
            if self.ask(self.status) != _REGISTERED:
                self._give_up(True)  # it sleeps, or has restarted: no word comes any more

    def _remember_value(self, ids: "Ids", text: str, state: int) -> None:
        self._known[ids] = [_mark_of(text), state]
        if "W" in setup.row_of(ids)[1]:
            self._texts[ids] = text

    # ---- what the server writes -------------------------------------------------------------------------------

    def _read(self, ids: "Ids") -> str:
        """AT#LWM2MR; the value begins behind the name, and may itself hold commas (3.1.5 and the field)."""
        return str(self.at.ask("AT#LWM2MR=0,%d,%d,%d,%d" % (ids + (0,))[:4], prefix="#LWM2MR")).strip().strip('"')

    def _compare(self, ids: "Ids", text: "str | None" = None) -> None:
        """The text of a writable resource that has been read: a value that we do not know becomes a write request."""
        text = self._read(ids) if text is None else text
        mark = _mark_of(text)
        entry = self._known.get(ids)
        if entry is not None and entry[0] == mark:
            self._count("echoes")
        elif entry is None and mark in [_mark_of(each) for each in ("", "0", "0:0")]:
            self._remember_value(ids, text, _TAKEN)  # the default of a new instance is nobody's write (3.1.10)
        else:
            data = text.encode()
            if setup.row_of(ids)[0] == OPAQUE:
                try:
                    data = bytes(unhexlify(text))
                except ValueError:
                    pass
            self.request(Request("write", Path(*ids), value=data), text)

    def answer(self, request: Request, response: "Response", data: "Any") -> None:
        """The module has said Changed already: where the node refuses, what it holds is put back."""
        ids = request.path.ids
        if response.code < 400:
            self._remember_value(ids, data, _TAKEN)
            return
        self._count("writes_refused")
        text: "Any" = self._texts.get(ids)
        if text is not None:
            self.at.write("#LWM2MW", 0, *ids, 0, text if setup.row_of(ids)[0] in (STRING, OBJLNK) else Raw(text))

    def _acknowledge_ring(self) -> None:
        """3.1.4: the context is active, and the module may use it."""
        self._count("rings")
        self._in_session = True
        if not self._context:
            cid = self.options["cid"]
            if [str(cid), "1"] not in [row[:2] for row in self.ask(self.at.read, "#SGACT") or []]:
                self.ask(self.at.write, "#SGACT", cid, 1, timeout_ms=_CONTEXT_MS)
            self._context = True
        self.ask(self.at.write, "#LWM2MACK", 1)

    def _factory_reset(self, why: str) -> None:
        """All but the FOTA mode is gone (3.1.12); our account too, unless it is the one that we are registered by."""
        self._known.clear()
        if self._status != _REGISTERED:
            self._factory = 1
            self._services = False
            self._configured = self._declared = 0
            self._status = _NOT_REGISTERED
            self.refusal = "account: reset to factory, " + why
        self._emit("factory_reset", why)

    def _upkeep(self) -> None:
        """What URCs have left to do."""
        due, self._due = self._due, 0
        if due & _ARM:
            # Enabled, but the wake that enabled it was cut short: once for each status().
            self.ask(self.register, 0)
        self._give_up()
        if due & _RESTART:
            self.ask(self.restart)
        if due & _REBOOTS:
            # After 3/0/4, 3/0/5 or a firmware update: enabled and armed again, the instances looked for (3.1.3).
            self._restart_expected = True
            try:
                self.at.poll(_DOWN_MS)
                end, begun = self.at.deadline(self.options["boot_ms"]), False
                while not begun and self.at.left(end) > 0:
                    begun = self._begin()
            finally:
                self._restart_expected = False
            if begun:
                self._emit("restarted", "server")
                self.ask(self.register, _ENABLE_MS)
        if self._factory == 1:
            self.ask(self.register, _ENABLE_MS)

    # ---- lines that nobody asked for --------------------------------------------------------------------------

    def _parse_urc(self, line: str) -> "tuple[str, list[str | None]]":
        """Names as in URCS, from every shape that was seen (lwm2m_mapping 3.4, contradictions 1, 12, 14 and 16)."""
        head = line.partition(":")[0].replace("LWM2M", "").strip("#- ")
        return head, [(value or "").strip(' "()') for value in split_fields(line)]

    def _on_tlt(self, word: str) -> None:
        """The registration (3.1.3); the bootstrap's two always come."""
        if word == "REGISTERED":
            self._suspended = False
            self._fresh = self.clock.ticks_ms()
            self._session_stands("registered", "registered")
        elif word == "REGISTERING":  # it is at it: wait
            self._suspended = False
            self._status = _REGISTERING
        elif word in ("BOOTSTRAPPING", "BOOTSTRAPPED"):  # the registration follows by itself
            # With an account that needs no bootstrap it is the maker's server that is asked: a factory reset has taken ours.
            mark = self._configured or self._account()
            if mark and not mark & _BOOTSTRAP and not self._factory:
                self._session_lost(_NOT_REGISTERED, "the module bootstraps")
                self._factory_reset("the module asks its maker's bootstrap server")
            elif not self._factory:
                self._status = _REGISTERING
                self._emit(word.lower())
        elif word == "DEREGISTERED":  # not in the event list, but in an example
            if not self._suspended:
                self._session_lost(_DEREGISTERED, "deregistered")
        elif word == "SUSPENDED":
            # 1/x/4; it comes back by itself. For how long is in 1/x/5, closed to R (3.1.5): the option disable_s stands for it.
            self._suspended = True
            self._status = _NOT_REGISTERED
            self._emit("disabled", self.options["disable_s"])
        elif word in ("CLIENT_DISABLED", "FORCE_EXIT"):
            self._armed, why = False, "the client was disabled"
            if word == "FORCE_EXIT":  # the module is restarted at once: nothing else helps
                self._due |= _RESTART
                self.refusal = why = "registration: the module gave up (FORCE_EXIT)"
            self._session_lost(_NOT_REGISTERED, why)
        else:
            self._count("unknown_urcs")

    def _heard(self, name: str, *values: "Any") -> None:
        """What is short. RING, in ACK mode (3.1.3): let it register, leave, update, notify, or answer the server. INFO (3.1.3):
        wait for the restart, arm again; "restarting", "restarted", and "factory_reset" where instances are gone. FOTARING
        (3.1.12): it waits for our word before it loads or installs; what nobody allows goes on after a week."""
        word = values[-1] if values else ""
        if name == "END":
            self._in_session = False
        elif name == "PSMURC":
            self._asleep = True
        elif name == "FOTARING":
            self._note_update(word.lower())
            if self.options["module_update"] == "allow":
                self.later(self.allow, word)
        elif name == "RING" and word in _RINGS:
            if word in ("REG", "DRG"):
                self._status = _REGISTERING if word == "REG" else _DEREGISTERING
            self.later(self._acknowledge_ring)
        elif name == "INFO" and word in ("FOTA REBOOT", "DEVICE REBOOT"):
            self._due |= _REBOOTS
            self._forget_session("module restarted")
            self._emit("restarting", "server")
        else:
            self._count("unknown_urcs")

    def _on_change(self, _: str, uri: str) -> None:
        """Also raised by our own W and SET (3.1.2): a value that is the one we know is no news."""
        ids = _ids_of(uri)
        if ids is None:
            self._count("malformed_urcs")
        elif "W" not in setup.row_of(ids)[1] or ids == _HISTORY:
            self._count("echoes")  # a server cannot write it, or has no reason to: this was our own
        else:
            self.later(self._compare, ids)

    def _on_ack(self, _: str, server: str, uri: str, word: str) -> None:
        """3.1.15: "delivered", or "failed" and the reading stays in the journal."""
        ids = _ids_of(uri)
        if ids is None or word not in ("ACK", "NACK"):
            self._count("malformed_urcs")
            return
        acked = word == "ACK"
        if acked and self._trial:
            self._trial, self._early = False, self._early - 256 if self._early > 255 else min(self._early + 1, 2)
        entry = self._known.get(ids)
        if entry is not None:
            entry[1] = _ACKED if acked else _NACKED
        if ids == _HISTORY:
            self.packs = acked or self.packs
        elif acked:
            self._behind = 2
        report = self._pending.pop(ids, None)
        if report is None:
            self._count("unmatched_acks")  # a notification of the module's own (pmax), or one we gave up
        elif report[0]:
            self.reports.settle(report[0], None if acked else "the server did not acknowledge (NACK)")
        if acked and self._status not in (_DEREGISTERING, _NOT_REGISTERED):
            self._session_stands(None)

    # ---- firmware of the module --------------------------------------------------------------------------------

    def allow(self, request: str) -> None:
        """FOTAACK (3.1.13): the step follows within seconds to minutes; the hour that updates() grants begins."""
        Modem.allow(self, request)
        self.at.write("#LWM2MFOTAACK", 0, 1)
        self.update_since = 1 if self.now is None else max(1, self.now())

    URCS = {
        "TLT": ("s", _on_tlt),
        "RING": "s",
        "END": "i",  # the session is over: sleep() waits for it
        "INFO": "ss",
        "MON": ("ss", _on_change),  # 3.1.2: a write request, unless the value is ours
        "NFYACK": ("ssss", _on_ack),
        "FOTARING": "ss",  # "firmware", "download" or "update"
        "PSMURC": "",  # the module sleeps: what sleep() waits for
    }

    # ---- over the host's deep sleep ---------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """As every family keeps it, before it: flags (12 bytes), how long it takes to boot and how quick the server is (4),
        declared instances (6 and 2 a resource), acknowledged ones (6 each), values known in the module (10 each); no secret.
        """
        rows: "list[Any]" = [(self._suspended, self.CLOCK_IS_LOCAL, self._armed, self._repaired, self._services,
                              2 * (self._factory > 0), self._boot_ms, self._early, len(self.objects), len(self._acked))]
        rows += [(object_id, instance, len(resources)) + tuple(resources) for object_id, instance, resources in self.objects]
        rows += self._acked
        for ids, (mark, state) in self._known.items():
            rows.append(ids + (state << 14 | mark >> 16, mark & 65535))
        own = b"".join([struct.pack(">%dH" % len(row), *row) for row in rows])
        return struct.pack(">H", len(own) >> 1) + own + Modem.snapshot(self)

    def restore(self, data: "bytes | None") -> bool:
        """Take up a snapshot; False, and nothing changed, where it is none of ours, or damaged."""
        objects, acked, known = [], [], {}
        try:
            count = struct.unpack_from(">H", data or b"")[0]
            words = struct.unpack_from(">%dH" % count, data or b"", 2)
            at = 10
            for _ in range(words[8]):
                end = at + 3 + words[at + 2]
                objects.append((words[at], words[at + 1], words[at + 3:end]))
                at = end
            for _ in range(words[9]):
                acked.append(words[at:at + 3])
                at += 3
            while at < count:
                known[words[at:at + 3]] = [(words[at + 3] & 16383) << 16 | words[at + 4], words[at + 3] >> 14]
                at += 5
        except (ValueError, IndexError, getattr(struct, "error", ValueError)):  # MicroPython has no struct.error
            return False
        if at > count or not Modem.restore(self, (data or b"")[2 + 2 * count:]):
            return False
        # Lists live exactly as long as the agent stays enabled: status() says whether they are still there.
        (self._suspended, self.CLOCK_IS_LOCAL, self._armed, self._repaired, self._services, self._factory,
         self._boot_ms, self._early) = words[:8]
        self.objects, self._acked, self._known = objects, acked, known
        self.packs = (None, True, True, False)[self._known.get(_HISTORY, (0, _TAKEN))[1]]
        return True
