"""ME910C1, NE910C1, ML865C1: the shadow contract. The module holds the values; the host sets them and is told of changes.

    AT#LWM2MENA=1                          OK; LWM2M-TLT:"REGISTERED",SSID=99,"coap://..." where that service is on
    AT#LWM2MSET=1,3303,0,5700,0,21.5       OK; the module notifies by itself: #LWM2MNFYACK: 0,99,"/3303/0/5700","ACK"
    #LWM2MMON: UPD,"/3306/0/5850/0"        the server wrote: AT#LWM2MR=0,3306,0,5850,0, then the node's handler

Source: Telit 80529ST10974A Rev. 3, sections in the code; what is the field's says so. Survives:

                              restart   power loss   factory reset (3/0/5)
    account, keys, FOTA mode  yes       yes          FOTA mode only (3.1.12); the account is written again
    XML, instances, values    yes       yes          asked again by AT#M2MLIST and AT#LWM2MEXIST
    MON, NFYACKURI, ENA       no        no           no: armed again (3.1.2, 3.1.3, 3.1.15)
    echo, AT+CMEE, #PSMURC    no        no           no

Sleep: ENA is not saved (3.1.3), so a module that loses its power in PSM registers at each wake; one that keeps its memory
is asked and goes on. Option sleep="cfun5" leaves agent and radio on: one registration, for about 1 mA (low_power 4).
Bounds: 6 monitored objects, 6 resources with acknowledgement, one value of a path on its way, lines of 400 characters.
"""

from micropython import const

from lwnode.at import CommandError
from lwnode.at import fields as split_fields
from lwnode.modem import DEREGISTERED, DEREGISTERING, NOT_REGISTERED, REGISTERED, REGISTERING, UNKNOWN, Unsupported
from lwnode.modem.driver import Capabilities
from lwnode.modem.me910c1.shadow import Shadow
from lwnode.modem.me910c1.urcs import HISTORY, UNWATCHED
from lwnode.modem.network import LTE_M, NB_IOT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Path
    from lwnode.modem import Server

_SETUP, _SESSION, _VALUES = "me910c1.setup", "me910c1.session", "me910c1.values"
_AT_MS = const(500)  # silent while it boots: asked again until boot_ms
_END_MS = const(5000)  # #LWM2MEND comes when the guard time is over (3.1.3), and a moment for its line
_LIST_LIMIT = const(6)


class Driver(Shadow):
    """The ME910C1 over one AtClient."""

    FAMILY = "me910c1"
    LINE_LIMIT = 512  # the module takes 400 characters and prints no longer lines
    ICCID = "#CCID"
    REGISTRATIONS = ("+CEREG", "+CGREG", "+CREG")
    RESTART = "AT#REBOOT"
    POWER_OFF = "AT#SHDN"
    POWER_KEY_MS = 5500  # ON_OFF held 5 to 6 s (field_quirks 5)
    RESET_MS = 250  # hardware guide: 200 ms at least
    ACCESS = LTE_M
    CLOCK_IS_LOCAL = True
    OPTIONS = dict(
        Shadow.OPTIONS,
        # agent: PDP context, ACK mode and its guard times in s (3.1.3)
        cid=1, ack_mode=False, guard_request=5, guard_release=5,
        # reports: RFC 7252 4.8.2 MAX_TRANSMIT_WAIT is the longest a confirmable notification takes
        ack_wait_ms=93000, monitor=None, acknowledge=None, definitions=None, registration_urcs=True,
        observe_ms=3000,  # servers observe behind the registration, one request after the other
        disable_s=86400, rat=None,
        # PSM timers asked of the network (tracking area update, active time) in s; None leaves them as they are
        psm=(86400, 10), sleep="psm",
        sleep_confirm_ms=15000,  # the radio's release, 15 s at most (low_power 3.6)
        boot_ms=30000,  # "allow 30 seconds" after #REBOOT (low_power 3.5)
    )

    _boot_ms = 0  # from the pulse that woke it to its first answer, last time; 0 not known yet
    _account_due = 0  # checksum of an account that holds from the next restart on

    def __init__(self, at: "Any", pins: "Any" = None, **options: "Any") -> None:
        Shadow.__init__(self, at, pins, **options)
        self.sleeps_powered = self.options["sleep"] == "cfun5"
        at.line_limit = 400  # 2.2.2
        at.gap_ms = max(at.gap_ms, 20)  # 2.2.5
        if self.options["rat"] == "nbiot":
            self.ACCESS = NB_IOT

    def _capabilities(self) -> Capabilities:
        return Capabilities(
            "shadow", True, False, "server", False, "pack", True, True,
            {"line": 400, "monitored": _LIST_LIMIT, "acknowledged": _LIST_LIMIT, "string": 360, "opaque": 180, "pack": 180},
        )

    def acknowledges(self, path: "Path") -> bool:
        """True where "delivered" means that the server has it; False: that the module took it (3.1.15: six resources)."""
        return path.ids in self._acked

    # ---- life of the module -----------------------------------------------------------------------------------

    def _greet(self) -> None:
        """CMEE 2, because the errors of EXIST have words only (3.1.17); sleep told; clock in UTC, set by the network."""
        self._asleep = False
        self.at.write("+CMEE", 2)
        self._ask_for_psm()
        self.ask(self.at.write, "+CTZU", 1)
        self.CLOCK_IS_LOCAL = self.ask(self.at.write, "#CCLKMODE", 1) is None

    def _ask_for_psm(self) -> None:
        if self.options["sleep_confirm_ms"]:  # else nobody waits for the word
            self.ask(self.at.write, "#PSMURC", 1)

    def _begin(self, briefly: bool = False) -> bool:
        if not Shadow._begin(self, briefly):
            return False
        if self._account_due:
            self._in("me910c1.account", "holds")(self)
        return True

    def wake(self) -> bool:
        """AT; where nothing answers, DTR or ON_OFF. A sleep that was a power cycle shows in status(): all is armed again.

        A module that boots is let alone for as long as it took last time, less one question.
        """
        self._restart_expected = True
        clock = self.clock
        pulse = self.pins is not None and not self.sleeps_powered
        if self.sleeps_powered:
            self.pins.set("wake", True)  # DTR: on while the node is awake (low_power 3.5)
        end = clock.ticks_add(clock.ticks_ms(), self.options["boot_ms"])
        pulsed: "int | None" = None
        try:
            while clock.ticks_diff(end, clock.ticks_ms()) > 0:
                off = pulse and self.pins.get("status") is False  # it would not hear the question
                if not off and self.ask(self.at.send, "AT", timeout_ms=_AT_MS) is not None:
                    self._asleep = False
                    if pulsed is not None:
                        self._boot_ms = min(clock.ticks_diff(clock.ticks_ms(), pulsed), self.options["boot_ms"] // 2)
                    # Lost where sleep was a power cycle (field_quirks 5); said again, they cost 60 ms.
                    self.ask(self.at.send, "ATE0", prefix="")
                    self.ask(self.at.write, "+CMEE", 2)
                    self._ask_for_psm()
                    return True
                if pulse:
                    # Only a module that is silent gets one: a running one would be switched off by it.
                    pulse = False
                    pulsed = clock.ticks_ms()
                    self.pins.pulse("wake", 100) or self.pins.pulse("power_key", self.POWER_KEY_MS)
                    if self._boot_ms > 2 * _AT_MS:
                        self.at.poll(self._boot_ms - _AT_MS)
            return False
        finally:
            self._restart_expected = False

    def sleep(self) -> bool:
        """Option sleep: "psm" waits for #PSMURC or the status pin, "cfun5" for DTR to wake it, "off" is AT#SHDN."""
        self._close_requests()
        if self._in_session and self.options["ack_mode"]:
            self._await(lambda: not self._in_session, self.options["guard_release"] * 1000 + _END_MS)
        if self.options["sleep"] == "off":
            return self.power_off()
        if self.options["sleep"] == "cfun5":
            done = self.ask(self.at.write, "+CFUN", 5) is not None
            self.pins.set("wake", False)
            return done
        # It may have gone down before it was asked to: the network decides when.
        return self._confirm_sleep()

    # ---- configuration: see setup.py --------------------------------------------------------------------------

    def check(self, server: "Server") -> None:
        """Ranges of 3.1.3 and 3.1.14, the awake budget, and what this module cannot be told."""
        self._in(_SETUP, "check")(self, server)

    def configure(self, server: "Server") -> bool:
        """STS, INJKEYS, APN, radio access, PSM. ValueError, by key and with the manual's range, before the wire."""
        return bool(self._in(_SETUP, "configure")(self, server))

    def declare(self, objects: "Any") -> bool:
        """Definitions uploaded where they are missing (True: restart), instances and lists once the agent is enabled."""
        return bool(self._in(_SETUP, "declare")(self, objects))

    def undeclare(self, object_id: int) -> bool:
        """No command deletes an instance."""
        raise Unsupported("me910c1 cannot remove an instance: let the server delete it, or reset to factory (3/0/5)")

    def forget(self) -> None:
        """Leave the server; factory server and no keys from the next restart on (3.1.8, 3.1.14)."""
        self._in(_SETUP, "forget")(self)

    # ---- registration -----------------------------------------------------------------------------------------

    def status(self) -> int:
        """AT#LWM2MSTAT, or AT#LWM2MENA? while the agent refuses (3.1.1, 3.1.3). There is no query for the registration
        itself: an enabled agent that rests is taken for registered, unless a URC has said otherwise."""
        try:
            lines = self.at.send("AT#LWM2MSTAT", prefix="#LWM2MGETSTAT")
        except CommandError:
            lines = self.at.send("AT#LWM2MENA?")
        values = split_fields(lines[-1]) if lines else []
        # Two shapes: 0,"DIS" and "DIS" alone (3.1.1); #LWM2MENA: 0 where it is off.
        self._take_state("DIS" if values == ["0"] else str(values[-1]) if values else "")
        self._arm_due = self._status == REGISTERED and not self._armed
        return self._status

    def _take_state(self, word: str) -> None:
        if word == "DIS":
            # Who is off does not come back by itself: a suspension ends here, and for how long it lasts the node knows.
            self._armed = self._suspended = False
            self._session_lost(
                DEREGISTERED if self._status in (DEREGISTERED, DEREGISTERING) else NOT_REGISTERED, "the agent is off")
        elif word == "DEREG":
            self._status = DEREGISTERING
        elif word == "WAIT":
            if self._status not in (REGISTERED, DEREGISTERING):
                self._status = REGISTERING
            self._in("me910c1.changes", "ring")(self)  # the #LWM2MRING was lost
        elif word in ("ACTIVE", "IDLE"):
            if self._suspended or self._factory:
                self._status = NOT_REGISTERED
            elif word == "IDLE" and self._status != REGISTERED:
                if self._status == REGISTERING:
                    self._on_registered()
                self._session_stands(None)
            elif self._status != REGISTERED:
                self._status = REGISTERING
        else:
            self._count("malformed_results")
            self._status = UNKNOWN

    def register(self, timeout_ms: int) -> bool:
        """AT#LWM2MENA=1, the outcome, then what the module has forgotten (instances, MON, NFYACK)."""
        if self.status() == REGISTERED and self._armed:
            return True
        done = bool(self._in(_SESSION, "register")(self, timeout_ms))
        self._answer_server()
        return done

    def deregister(self) -> bool:
        """AT#LWM2MENA=0; in ACK mode the RING "DRG" is answered. True where the agent is off."""
        return bool(self._in(_SESSION, "deregister")(self))

    def update(self, lifetime: "int | None" = None, binding: "str | None" = None, objects: bool = False) -> bool:
        """The module updates by itself, also when instances are created: True where it is registered."""
        if lifetime is not None or binding is not None:
            # Object 1 is closed to W (3.1.7).
            raise Unsupported("me910c1 cannot change lifetime or binding: let a server write /1/0/1 or /1/0/7")
        return self.status() == REGISTERED

    def recover(self, timeout_ms: int = 30000) -> bool:
        """Nothing of a session outlives a power cycle: recovering is registering."""
        return self.register(timeout_ms)

    def bootstrap(self, timeout_ms: int = 120000) -> bool:
        """Name the bootstrap server again (3.1.8), restart, register: the module bootstraps on its way."""
        return bool(self._in(_SETUP, "bootstrap")(self, timeout_ms))

    # ---- values ---------------------------------------------------------------------------------------------

    def value(self, path: "Path") -> str:
        """The text that the module holds: GET where SET is the way in, else R (3.1.5, 3.1.11)."""
        return str(self._in(_VALUES, "get")(self, self._in(_VALUES, "resource_of")(self, path)))

    def exists(self, *numbers: int, agent: int = 0) -> bool:
        """Whether the module has that object, instance, resource or resource instance (3.1.17)."""
        return bool(self._in("me910c1.arming", "exists")(self, agent, *numbers))

    def inspect(self) -> "dict[str, str]":
        """What the module says to every test and read form, by line."""
        return dict(self._in("me910c1.inspect", "inspect")(self))

    def execute(self, path: "Path") -> bool:
        """Execute a resource of the module itself, such as /3/0/4 (3.1.6). The server is not involved."""
        return self.ask(self.at.write, "#LWM2ME", 0, *self._in(_VALUES, "resource_of")(self, path), 0) is not None

    # ---- firmware ---------------------------------------------------------------------------------------------

    def firmware_policy(self, download: bool, apply: bool) -> None:
        """FOTACFG (3.1.12); kept over everything. What nobody allows goes on after a week."""
        self.at.write("#LWM2MFOTACFG", 0, int(download) + 2 * int(apply))

    def allow(self, request: str) -> None:
        """FOTAACK (3.1.13): the step follows within seconds to minutes."""
        if request not in ("download", "update"):
            raise ValueError("allow: expected download or update, found %s" % request)
        self.at.write("#LWM2MFOTAACK", 0, 1)

    # ---- over the host's deep sleep ---------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """See keeping.py; holds no secret."""
        from lwnode.modem.me910c1 import keeping

        return keeping.dump(self) + Shadow.snapshot(self)

    def restore(self, data: "bytes | None") -> bool:
        """Take up a snapshot; False where it is none of ours."""
        from lwnode.modem.me910c1 import keeping

        own, rest = keeping.split(data)
        if not (Shadow.restore(self, rest) and keeping.load(self, own)):
            return False
        if self._known.get(HISTORY, (0, 0))[1] == UNWATCHED:
            self.capabilities.history = "replay"
        return True
