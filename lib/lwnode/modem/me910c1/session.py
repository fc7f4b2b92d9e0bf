"""ME910C1: into a session and out of it. Loaded where the session does not stand already.

    AT#LWM2MEXIST=0,3303,0        the instances first, so that the registration names them
    AT#LWM2MENA=1                 OK; the agent activates its context, bootstraps, registers
    AT#LWM2MSTAT                  #LWM2MGETSTAT: 1,"IDLE": it rests, so it is done
    AT#LWM2MMON=1,3306 ...        what a power cycle has taken (arming.py)
"""

from micropython import const

from lwnode.at import CommandError
from lwnode.modem import DEREGISTERED, DEREGISTERING, NOT_REGISTERED, REGISTERED, REGISTERING
from lwnode.modem.me910c1 import arming

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ENABLE_MS = const(45000)  # field_quirks 5: one driver waits so long for LWM2MENA
_SETTLE_MS = const(20000)  # other #LWM2M commands fail during activation (3.1.3); the field waits 1 to 20 s
_LOOK_MS = const(2000)  # between looks at ENA?, ten of them: WAIT, DEREG, 0 (3.1.3, example 10)
_DOWN_MS = const(1000)  # #LWM2MINFO comes before it goes down
_OFF = (NOT_REGISTERED, DEREGISTERED)


def register(modem: "Any", timeout_ms: int) -> bool:
    """From the status just asked to REGISTERED and armed; see Driver.register."""
    clock = modem.clock
    end = clock.ticks_add(clock.ticks_ms(), timeout_ms)
    created = False
    for _ in range(3):
        if modem._factory and not modem._in("me910c1.account", "write_again")(modem):
            return False
        if modem._status in _OFF and not modem._suspended:
            created = _instances(modem)
            if modem._factory:
                continue
            if not _enable(modem):
                return False
        if modem._status != REGISTERED:
            modem.wait_while_busy(max(0, clock.ticks_diff(end, clock.ticks_ms())))
        if not modem._factory:
            break
    modem._arm_due = False
    if modem._status != REGISTERED:
        modem.refusal = modem.refusal or "registration: no answer of the server in time"
        modem._upkeep()  # after FORCE_EXIT: the restart that alone helps
        return False
    modem._armed = modem._armed or arming.arm(modem, _SETTLE_MS, created)
    if modem._armed:
        return True
    # What stands is used all the same; unless nothing does, because the module has restarted meanwhile.
    modem._emit("refused", modem.refusal)
    return bool(modem.status() == REGISTERED)


def _instances(modem: "Any") -> bool:
    """Before the agent starts, so that its registration names them; firmware that wants it on refuses."""
    created = arming.create(modem)
    if not created and not modem._repaired and modem._in("me910c1.setup", "upload_missing")(modem):
        modem._count("repairs")
        modem.restart()
        created = arming.create(modem)
    modem._repaired = not created  # a definition that the module does not like is not sent again at every wake
    return created


def _enable(modem: "Any") -> bool:
    """ENA=1. An agent that is off and refuses has left by FORCE_EXIT: only a reboot helps (3.1.3)."""
    options = modem.options
    values: tuple[int, ...] = (1,)
    if options["ack_mode"] or options["cid"] != 1:
        values = (1, options["cid"], int(options["ack_mode"]), options["guard_request"], options["guard_release"])
    modem.refusal = ""
    for attempt in range(2):
        try:
            modem.at.write("#LWM2MENA", *values, timeout_ms=_ENABLE_MS)
        except CommandError as error:
            modem.refusal = "registration: the module refuses to enable its agent: " + modem._reason(error)
            if attempt or not modem.restart():
                break
            continue
        modem.refusal = ""
        modem._status = REGISTERING
        return True
    return False


def deregister(modem: "Any") -> bool:
    """See Driver.deregister. ENA? shows the way: WAIT (for our ACK), DEREG, 0."""
    modem._answer_server()
    if modem.status() in _OFF and not modem._suspended:
        return True
    modem._suspended = False
    if modem.ask(modem.at.write, "#LWM2MENA", 0, timeout_ms=_ENABLE_MS) is None:
        return False
    modem._status = DEREGISTERING
    for _ in range(10):
        if modem._await(lambda: modem._status != DEREGISTERING, _LOOK_MS):
            break
        rows = modem.ask(modem.at.read, "#LWM2MENA") or []
        if rows and rows[-1] == ["0"]:
            modem._status = DEREGISTERED
        elif rows and rows[-1][-1:] == ["WAIT"]:
            modem._in("me910c1.changes", "ring")(modem)
    modem._armed = False
    return modem._status in _OFF


def after_reboot(modem: "Any") -> bool:
    """After 3/0/4, 3/0/5 or a firmware update: enabled and armed again, the instances looked for (3.1.3)."""
    modem._restart_expected = True
    try:
        modem.at.poll(_DOWN_MS)
        clock = modem.clock
        end = clock.ticks_add(clock.ticks_ms(), modem.options["boot_ms"])
        while not modem._begin():
            if clock.ticks_diff(end, clock.ticks_ms()) <= 0:
                return False
    finally:
        modem._restart_expected = False
    modem._emit("restarted", "server")
    return bool(modem.register(_ENABLE_MS))
