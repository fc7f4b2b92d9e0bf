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

import struct

from lwnode.at import AtError, BudgetExceeded, CommandError
from lwnode.at import fields as split_fields
from lwnode.lwm2m import registry
from lwnode.modem import DEREGISTERED, DEREGISTERING, NOT_REGISTERED, REGISTERED, REGISTERING, UNKNOWN, Unsupported
from lwnode.modem.driver import Capabilities
from lwnode.modem.me910c1 import values
from lwnode.modem.me910c1.shadow import CREATED, HISTORY, UNWATCHED, Shadow, reason_of
from lwnode.modem.network import LTE_M, NB_IOT
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Path
    from lwnode.modem import Server

_AT_MS = const(500)  # silent while it boots: asked again until boot_ms
_END_MS = const(5000)  # #LWM2MEND comes when the guard time is over (3.1.3), and a moment for its line
_LIST_LIMIT = const(6)
_ENABLE_MS = const(45000)  # field_quirks 5: one driver waits so long for LWM2MENA
_SETTLE_MS = const(20000)  # other #LWM2M commands fail during activation (3.1.3); the field waits 1 to 20 s
_READY_LOOK_MS = const(1000)  # the field waits a second between tries after ENA (field_quirks 2.6)
_LOOK_MS = const(2000)  # between looks at ENA?, ten of them: WAIT, DEREG, 0 (3.1.3, example 10)
_DOWN_MS = const(1000)  # #LWM2MINFO comes before it goes down
_OFF = (NOT_REGISTERED, DEREGISTERED)
_DAMAGED = (ValueError, getattr(struct, "error", ValueError))  # MicroPython knows the first alone


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
        if self._account_due:  # the module has restarted since the account was written
            self._configured, self._account_due = self._account_due, 0
            self._mark_account(self._configured)
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
        self._setup().check(self, server)

    def configure(self, server: "Server") -> bool:
        """STS, INJKEYS, APN, radio access, PSM. ValueError, by key and with the manual's range, before the wire."""
        return bool(self._setup().configure(self, server))

    def declare(self, objects: "Any") -> bool:
        """Definitions uploaded where they are missing (True: restart), instances and lists once the agent is enabled."""
        return bool(self._setup().declare(self, objects))

    def undeclare(self, object_id: int) -> bool:
        """No command deletes an instance."""
        raise Unsupported("me910c1 cannot remove an instance: let the server delete it, or reset to factory (3/0/5)")

    def forget(self) -> None:
        """Leave the server; factory server and no keys from the next restart on (3.1.8, 3.1.14)."""
        self._setup().forget(self)

    # ---- registration -----------------------------------------------------------------------------------------

    def status(self) -> int:
        """AT#LWM2MSTAT, or AT#LWM2MENA? while the agent refuses (3.1.1, 3.1.3). There is no query for the registration
        itself: an enabled agent that rests is taken for registered, unless a URC has said otherwise."""
        try:
            lines = self.at.send("AT#LWM2MSTAT", prefix="#LWM2MGETSTAT")
        except CommandError:
            lines = self.at.send("AT#LWM2MENA?")
        found = split_fields(lines[-1]) if lines else []
        # Two shapes: 0,"DIS" and "DIS" alone (3.1.1); #LWM2MENA: 0 where it is off.
        self._take_state("DIS" if found == ["0"] else str(found[-1]) if found else "")
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
            self._acknowledge_ring()  # the #LWM2MRING was lost
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
        done = self._register(timeout_ms)
        self._answer_server()
        return done

    def deregister(self) -> bool:
        """AT#LWM2MENA=0; ENA? shows the way: WAIT (for our ACK), DEREG, 0. True where the agent is off."""
        self._answer_server()
        if self.status() in _OFF and not self._suspended:
            return True
        self._suspended = False
        if self.ask(self.at.write, "#LWM2MENA", 0, timeout_ms=_ENABLE_MS) is None:
            return False
        self._status = DEREGISTERING
        for _ in range(10):
            if self._await(lambda: self._status != DEREGISTERING, _LOOK_MS):
                break
            rows = self.ask(self.at.read, "#LWM2MENA") or []
            if rows and rows[-1] == ["0"]:
                self._status = DEREGISTERED
            elif rows and rows[-1][-1:] == ["WAIT"]:
                self._acknowledge_ring()
        self._armed = False
        return self._status in _OFF

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
        return bool(self._setup().bootstrap(self, timeout_ms))

    # ---- values ---------------------------------------------------------------------------------------------

    def _register(self, timeout_ms: int) -> bool:
        """From the status just asked to REGISTERED and armed."""
        clock = self.clock
        end = clock.ticks_add(clock.ticks_ms(), timeout_ms)
        created = False
        for _ in range(3):
            if self._factory and not self._write_account_again():
                return False
            if self._status in _OFF and not self._suspended:
                created = self._instances()
                if self._factory:
                    continue
                if not self._enable():
                    return False
            if self._status != REGISTERED:
                self.wait_while_busy(max(0, clock.ticks_diff(end, clock.ticks_ms())))
            if not self._factory:
                break
        self._arm_due = False
        if self._status != REGISTERED:
            self.refusal = self.refusal or "registration: no answer of the server in time"
            self._upkeep()  # after FORCE_EXIT: the restart that alone helps
            return False
        self._armed = self._armed or self._arm(_SETTLE_MS, created)
        if self._armed:
            return True
        # What stands is used all the same; unless nothing does, because the module has restarted meanwhile.
        self._emit("refused", self.refusal)
        return bool(self.status() == REGISTERED)

    def _instances(self) -> bool:
        """Before the agent starts, so that its registration names them; firmware that wants it on refuses."""
        created = self._create()
        if not created and not self._repaired and self._setup().upload_missing(self):
            self._count("repairs")
            self.restart()
            created = self._create()
        self._repaired = not created  # a definition that the module does not like is not sent again at every wake
        return created

    def _enable(self) -> bool:
        """ENA=1. An agent that is off and refuses has left by FORCE_EXIT: only a reboot helps (3.1.3)."""
        options = self.options
        wanted: "tuple[int, ...]" = (1,)
        if options["ack_mode"] or options["cid"] != 1:
            wanted = (1, options["cid"], int(options["ack_mode"]), options["guard_request"], options["guard_release"])
        self.refusal = ""
        for attempt in range(2):
            try:
                self.at.write("#LWM2MENA", *wanted, timeout_ms=_ENABLE_MS)
            except CommandError as error:
                self.refusal = "registration: the module refuses to enable its agent: " + reason_of(error)
                if attempt or not self.restart():
                    break
                continue
            self.refusal = ""
            self._status = REGISTERING
            return True
        return False

    def _after_reboot(self) -> bool:
        """After 3/0/4, 3/0/5 or a firmware update: enabled and armed again, the instances looked for (3.1.3)."""
        self._restart_expected = True
        try:
            self.at.poll(_DOWN_MS)
            clock = self.clock
            end = clock.ticks_add(clock.ticks_ms(), self.options["boot_ms"])
            while not self._begin():
                if clock.ticks_diff(end, clock.ticks_ms()) <= 0:
                    return False
        finally:
            self._restart_expected = False
        self._emit("restarted", "server")
        return bool(self.register(_ENABLE_MS))

    def _write_account_again(self) -> bool:
        """Our account after a factory reset, and the restart that makes it hold. False where only configure() knows it."""
        if self.server is None:
            # A warm wake. Until the next, cold one the agent is off: its maker's server is no business of ours.
            self._factory = 2
            self.ask(self.at.write, "#LWM2MENA", 0)
            return False
        self.configure(self.server)
        if self.objects:
            self.declare(self.objects)
        return bool(self.restart() and self.status() is not None)

    # ---- what a power cycle takes (3.1.2, 3.1.3, 3.1.15) --------------------------------------------------------

    def _arm(self, settle_ms: int, created: bool) -> bool:
        """True where everything stands. What is missing is named in `refusal` and does not keep the rest from being armed."""
        found = self._when_ready(settle_ms)
        if found is None:
            self.refusal = "agent: other commands still fail %d s after it was enabled (3.1.3)" % (settle_ms // 1000)
            return False
        done = created or self._create()
        # Both lists are lost together: where one is empty the other need not be asked for.
        asked = bool(found) or not self.monitored()
        listed = not asked and self._arm_at_once()
        for _ in range(2):  # a refusal may have been a slip of the line
            if listed:
                break
            asked = True
            listed = self._arm_monitor(found) & self._arm_acknowledge(asked)
        done = listed and done
        if self.options["registration_urcs"] and not self._services:
            self.ask(self._switch_services)
        self._look_at_all()
        return done

    def _when_ready(self, settle_ms: int) -> "list[int] | None":
        """The monitored objects, as soon as the agent answers."""
        clock = self.clock
        end = clock.ticks_add(clock.ticks_ms(), settle_ms)
        while True:
            try:
                rows = self.at.read("#LWM2MMON")
            except CommandError:
                if clock.ticks_diff(end, clock.ticks_ms()) <= 0:
                    return None
                self.at.poll(_READY_LOOK_MS)
                continue
            return [int(row[0]) for row in rows if row and str(row[0]).isdigit()]

    def known(self, *numbers: int) -> "bool | None":
        """True, False for Invalid URI and Invalid agent, None where the module says neither (it may be activating)."""
        try:
            self.at.write("#LWM2MEXIST", *numbers)
        except CommandError as error:
            return False if "nvalid" in error.text else None
        return True

    def exists(self, *numbers: int, agent: int = 0) -> bool:
        """AT#LWM2MEXIST, agent first (3.1.17)."""
        if not all([0 <= number <= 65535 for number in numbers]):
            raise ValueError("exists: expected ids from 0 to 65535 (3.1.17), found %s" % (numbers,))
        return bool(self.known(agent, *numbers))

    def _create(self) -> bool:
        """The declared instances. Creating twice is an error, so each is asked for first (3.1.10).

        Once all were there the first stands for them: only a factory reset takes instances, and it takes all. One that a
        server deletes shows when a value for it is refused.
        """
        first = self.objects[:1]
        if first and self._declared & CREATED and self.exists(first[0][0], first[0][1]):
            return True
        done = True
        made = lost = 0
        known_before = [ids[:2] for ids in self._known]
        for object_id, instance, _ in self.objects:
            if self.exists(object_id, instance):
                continue
            try:
                self.at.write("#LWM2MNEWINST", 0, object_id, instance)
                made += 1
                lost += (object_id, instance) in known_before
            except CommandError as error:
                done = False
                self.refusal = "object %d/%d: not created (%s); has its definition been uploaded, and the module restarted?" % (
                    object_id, instance, reason_of(error))
        if lost:
            # Instances outlive everything but a factory reset, and these were there before.
            self._factory_reset("%d instances created again" % made)
        if done:
            self._declared |= CREATED
        return done

    def monitored(self) -> "list[int]":
        """Objects to monitor: by option, else those whose main resource the server may write, then the other writable ones.

        ValueError where the option names more than six, or more than six are actuators (3.1.2).
        """
        chosen = self.options["monitor"]
        paths = values.writable(self.objects)
        if chosen is None:
            chosen = sorted({
                path[0] for path in paths if path[2] == values.main_resource(path[0]) or not registry.resources(path[0])})
            if len(chosen) <= _LIST_LIMIT:
                chosen += sorted({path[0] for path in paths if path[0] not in chosen})[: _LIST_LIMIT - len(chosen)]
        if len(chosen) > _LIST_LIMIT or not all([0 <= number <= 65535 for number in chosen]):
            raise ValueError("monitor: expected at most 6 objects of 1 to 65535 (3.1.2), found %s" % (chosen,))
        return [number for number in chosen if number]

    def acknowledged(self) -> "list[tuple[int, int, int]]":
        """Resources whose delivery is told: by option, else history, then each instance's main resource, six at most."""
        chosen = self.options["acknowledge"]
        if chosen is not None:
            if len(chosen) > _LIST_LIMIT:
                raise ValueError("acknowledge: expected at most 6 resources (3.1.15), found %d" % len(chosen))
            return [path.ids for path in chosen]
        found = [(19, 0, 0)] if [True for entry in self.objects if tuple(entry[:2]) == (19, 0) and 0 in entry[2]] else []
        for object_id, instance, resources in self.objects:
            ids = (object_id, instance, values.main_resource(object_id))
            if ids[2] in resources and ids not in found and "W" not in values.operations(ids):
                found.append(ids)
        if len(found) > _LIST_LIMIT:
            self._count("unacknowledged_paths", len(found) - _LIST_LIMIT)
        return found[:_LIST_LIMIT]

    def _arm_at_once(self) -> bool:
        """Both lists, empty so far, in one command line. False: a part was refused, and nobody knows which (2.2.2)."""
        uris = self.acknowledged()
        parts = ["#LWM2MMON=1,%d" % number for number in self.monitored()]
        parts += ["#LWM2MNFYACKURI=0,1,%d,%d,%d" % ids for ids in uris]
        if uris:
            parts.append("#LWM2MNFYACKENA=0,1")
        if self._together(parts, None) is None:
            return False
        self._acked = uris
        return True

    def _together(self, parts: "list[str]", prefix: "str | None") -> "list[str] | None":
        """Several commands in one line (2.2.2); None where they do not fit into one, or not all were carried out."""
        line = "AT" + ";".join(parts)
        if len(line) > self.at.line_limit:
            return None
        lines: "list[str] | None" = self.ask(self.at.send, line, prefix=prefix)
        return lines

    def _arm_monitor(self, found: "list[int]") -> bool:
        wanted = self.monitored()
        for number in found:
            if number not in wanted:
                self.ask(self.at.write, "#LWM2MMON", 0, number)
        done = True
        for number in wanted:
            if number not in found:
                done = self.ask(self.at.write, "#LWM2MMON", 1, number) is not None and done
        return done

    def _arm_acknowledge(self, asked: bool) -> bool:
        wanted = self.acknowledged()
        rows = self.ask(self.at.write, "#LWM2MNFYACKURI", 0, 2, prefix="#LWM2MNFYACKURI") if asked else []
        found = [values.ids_of(str(row[0])) for row in rows or [] if row]
        for ids in found:
            if ids is not None and ids not in wanted:
                self.ask(self.at.write, "#LWM2MNFYACKURI", 0, 0, *ids)
        armed = []
        for ids in wanted:
            if ids in found or self.ask(self.at.write, "#LWM2MNFYACKURI", 0, 1, *ids) is not None:
                armed.append(ids)
        # After a power cycle nothing is listed, and nothing enabled. The answer has no # (3.1.16): its last field counts.
        rows = (self.ask(self.at.write, "#LWM2MNFYACKENA", 0, 2, prefix="") or []) if found else []
        if not (rows and rows[-1][-1:] == ["1"]) and armed:
            if self.ask(self.at.write, "#LWM2MNFYACKENA", 0, 1) is None:
                armed = []
        self._acked = armed
        return len(armed) == len(wanted)

    def _switch_services(self) -> None:
        """33211/0/0/1 switches the registration URCs on, from the next restart (field; the manual leaves it to the user)."""
        lines = self.at.send("AT#LWM2MR=0,33211,0,0,1", prefix="#LWM2MR")
        value = lines[-1].partition(":")[2].strip() if lines else ""
        self._services = value == "1"
        if value == "0":
            self.at.write("#LWM2MW", 0, 33211, 0, 0, 1, 1)

    def _look_at_all(self) -> None:
        """Read what the server may have written while the line was deaf; values that were known are no news."""
        watched = self.monitored()
        paths = [ids for ids in values.writable(self.objects) if ids[0] in watched and ids[0] != 19]
        lines = self._together(["#LWM2MR=0,%d,%d,%d,0" % ids for ids in paths], "#LWM2MR") if len(paths) > 1 else None
        if lines is not None and len(lines) != len(paths):
            lines = None
        for index in range(len(paths)):
            try:
                text = self._read_text(paths[index]) if lines is None else self.text_of(lines[index])
                self._compare(paths[index], text)
            except BudgetExceeded:
                raise
            except AtError:
                self._count("refused_commands")

    # ---- values of the module --------------------------------------------------------------------------------

    def value(self, path: "Path") -> str:
        """The text that the module holds: GET by type where SET is the way in, else R (3.1.5, 3.1.11)."""
        ids = values.resource_of(path)
        row = registry.lookup(ids[0], ids[2])
        if row is None or "W" in values.operations(ids) or ids[0] < 7 and (ids[0] != 3 or ids[2] not in (6, 7, 8, 9, 17, 20)):
            return str(self._read_text(ids))
        lines = self.at.send("AT#LWM2MGET=%d,%d,%d,%d,0" % ((values.TYPES[row[0]],) + ids), prefix="#LWM2MGET")
        return lines[-1].partition(":")[2].strip().strip('"') if lines else ""

    def inspect(self) -> "dict[str, str]":
        """What the module says to every test and read form, by line."""
        return dict(self._setup().inspect(self))

    def execute(self, path: "Path") -> bool:
        """Execute a resource of the module itself, such as /3/0/4 (3.1.6). The server is not involved."""
        return self.ask(self.at.write, "#LWM2ME", 0, *values.resource_of(path), 0) is not None

    @staticmethod
    def _setup() -> "Any":
        from lwnode.modem.me910c1 import setup  # a warm wake needs none of it

        return setup

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
        """As every family keeps it, before it: flags (1 byte), how long it takes to boot (1, in 64 ms), declared instances
        (5 and 2 a resource), acknowledged resources (6 each), values known to be in the module (11 each); no secret."""
        own = struct.pack(
            ">BBBBB",
            self._suspended | (not self.CLOCK_IS_LOCAL) << 1 | self._armed << 2 | self._repaired << 3
            | (self._factory > 0) << 4 | self._services << 5,
            min(self._boot_ms >> 6, 255), len(self.objects), len(self._acked), len(self._known))
        for object_id, instance, resources in self.objects:
            own += struct.pack(">HHB", object_id, instance, len(resources))
            own += b"".join([struct.pack(">H", resource) for resource in resources])
        for ids in self._acked:
            own += struct.pack(">HHH", *ids)
        for ids in self._known:
            own += struct.pack(">HHHIB", ids[0], ids[1], ids[2], *self._known[ids])
        return struct.pack(">H", len(own)) + own + Shadow.snapshot(self)

    def restore(self, data: "bytes | None") -> bool:
        """Take up a snapshot; False where it is none of ours."""
        if not data or len(data) < 6:
            return False
        length = 2 + struct.unpack_from(">H", data)[0]
        if not (Shadow.restore(self, data[length:]) and self._load(data[2:length])):
            return False
        if self._known.get(HISTORY, (0, 0))[1] == UNWATCHED:
            self.capabilities.history = "replay"
        return True

    def _load(self, data: bytes) -> bool:
        """Take up what dump() made. False, and nothing changed, where it is damaged."""
        try:
            flags, boot, objects, acked, known = struct.unpack_from(">BBBBB", data)
            at = 5
            found = []
            for _ in range(objects):
                object_id, instance, count = struct.unpack_from(">HHB", data, at)
                found.append((object_id, instance, struct.unpack_from(">%dH" % count, data, at + 5)))
                at += 5 + 2 * count
            uris = [struct.unpack_from(">HHH", data, at + 6 * index) for index in range(acked)]
            at += 6 * acked
            rows = [struct.unpack_from(">HHHIB", data, at + 11 * index) for index in range(known)]
        except _DAMAGED:
            return False
        if at + 11 * known != len(data):
            return False
        self.objects = found
        self._boot_ms = boot << 6
        self._acked = uris
        self._known = {row[:3]: [row[3], row[4]] for row in rows}
        self._suspended = bool(flags & 1)
        self.CLOCK_IS_LOCAL = not flags & 2
        # Lists live exactly as long as the agent stays enabled: status() says whether they are still there.
        self._armed = bool(flags & 4)
        self._repaired = bool(flags & 8)
        self._factory = 2 if flags & 16 else 0
        self._services = bool(flags & 32)
        return True
