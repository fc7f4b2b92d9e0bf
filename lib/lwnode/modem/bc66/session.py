"""BC66: the registration: QLWREG, QLWUPDATE, QLWDEREG. Loaded when it is first called: a kept session needs none.

    AT+QLWREG                OK, +QLWREG: 0
    AT+QLWUPDATE=0,1000      +QLWUPDATE: 59797, OK, +QLWUPDATE: 0,59797     the id before OK, (status, id) long after (4.2.4)
    AT+QLWUPDATE=1,0         after the first registration of an account: the binding that was configured
    AT+QLWDEREG              OK, +QLWDEREG: 0
"""

from micropython import const

from lwnode.at import AtError, AtTimeout, BudgetExceeded, CommandError
from lwnode.at import fields as split_fields
from lwnode.modem import DEREGISTERED, NEED_RECOVER, NOT_REGISTERED, REGISTERED, REGISTERING
from lwnode.modem.bc66.codes import BOUND, error_name
from lwnode.modem.network import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lwnode.modem.bc66 import Driver

_PAUSE_MS = const(1000)  # between the result of DEREG and the next REG (field_quirks 5)


def register(modem: "Driver", timeout_ms: int) -> bool:
    """AT+QLWREG and its result, then the binding; see Driver.register."""
    done = _register(modem, timeout_ms)
    if done and modem.server is not None and modem._configured and not modem._configured & BOUND and modem.level >= 7:
        # No command sets it before: the module registers with UQ (Figure 15) until an update says U, and keeps that
        # (Figures 16 and 17). Said once for each account; a firmware that refuses it is not asked again.
        modem._configured |= BOUND
        try:
            bound = _update(modem, 1, int(modem.server.binding == "UQ"))
        except BudgetExceeded:
            raise
        except AtError:
            modem._count("refused_commands")  # as ask() does, less its frame: the server is answered from within (RP2's stack)
            bound = False
        if not bound:
            modem._count("bindings_refused")
            return modem._status == REGISTERED
    return done


def _register(modem: "Driver", timeout_ms: int) -> bool:
    """Nothing is sent while the module registers or recovers by itself (3.3, 3.4)."""
    state = modem.status()
    if state == NEED_RECOVER:
        if modem.recover(timeout_ms):
            return True
        state = modem.status()
    if state == REGISTERED:
        return True
    if modem.options["auto_reg"] and state == NOT_REGISTERED:
        modem._status = REGISTERING  # it begins by itself once there is an address (3.4): given the first seconds
    if modem._busy() and modem._own_outcome(timeout_ms) == REGISTERED:
        return True
    if modem._busy():
        modem._bootstrapping = False  # its end was not heard in all that time: the next one asks the module
        return False
    _pause_after_deregistration(modem)
    try:
        modem.at.run("+QLWREG")
    except CommandError as error:
        return _registration_refused(modem, error, timeout_ms)
    except AtTimeout:
        modem._count("steps_repeated")  # OK may be lost: the result or the status will tell
    modem._status = REGISTERING
    if not modem._take("reg", "+QLWREG" if modem.level >= 7 else "+QLWURC", timeout_ms):
        modem.status()  # the result may have been lost
    modem._declare_late()
    return modem._status == REGISTERED


def _registration_refused(modem: "Driver", error: CommandError, timeout_ms: int) -> bool:
    if error.code == 33 and (modem.level < 7 or modem.status() == REGISTERED):
        modem._status = REGISTERED
        return True
    if error.code == 32:  # keep connecting: it is at it by itself
        modem._status = REGISTERING
        return modem._own_outcome(timeout_ms) == REGISTERED
    modem.refusal = "registration: " + error_name(error.code)
    return False


def deregister(modem: "Driver") -> bool:
    """AT+QLWDEREG; err 4, not registered, is what was wanted (field_quirks 2.5)."""
    try:
        modem.at.run("+QLWDEREG")
    except CommandError as error:
        if error.code == 4:
            modem._status = DEREGISTERED
        return error.code == 4
    done = modem._take("dereg", "+QLWDEREG" if modem.level >= 7 else "+QLWURC", modem.deadline_ms)
    modem._left_at = modem.clock.ticks_ms()
    return done and modem._status == DEREGISTERED


def _pause_after_deregistration(modem: "Driver") -> None:
    if modem._left_at is not None:
        since = modem.clock.ticks_diff(modem.clock.ticks_ms(), modem._left_at)
        if 0 <= since < _PAUSE_MS:
            modem.at.poll(_PAUSE_MS - since)
        modem._left_at = None


def bootstrap(modem: "Driver", timeout_ms: int) -> bool:
    """Client-initiated (3.1.1): with bootstrap in the configured account a registration begins with it."""
    if modem.server is None or not modem.server.bootstrap:
        raise ValueError("bootstrap: expected a Server(bootstrap=True) configured, found none")
    modem.ask(modem.deregister)
    return modem.register(timeout_ms)


def update(modem: "Driver", lifetime: "int | None", binding: "str | None") -> bool:
    """AT+QLWUPDATE, one for each thing that changed (5.7.2). An object list needs none: QLWADDOBJ sends its own."""
    done = True
    if binding is not None:
        if binding not in ("U", "UQ"):
            raise ValueError(f"binding: expected U or UQ (BC66 note 4.2.4), found {binding}")
        done = _update(modem, 1, int(binding == "UQ"))
    if lifetime is None and binding is None:
        lifetime = modem.lifetime  # a refresh has to say one, and must not change it
    if lifetime is not None:
        if not 20 <= lifetime <= 31536000:
            raise ValueError("lifetime: expected 20 to 31536000 s (BC66 note 4.2.4), found %d" % lifetime)
        done = _update(modem, 0, lifetime) and done
    return done


def _update(modem: "Driver", mode: int, value: int) -> bool:
    """The message id comes before OK, (status, id) after it, both under one name."""
    try:
        rows = modem.at.write("+QLWUPDATE", mode, value)
    except CommandError as error:
        modem.refusal = "update: " + error_name(error.code)
        return False
    results = [row for row in rows if len(row) > 1]
    if not results:
        try:
            line = modem.at.wait("+QLWUPDATE", modem.deadline_ms, accept=lambda text: len(split_fields(text)) > 1)
        except AtTimeout:
            return False
        results = [split_fields(line)]
    status = number(results[-1], 0, 0, 255)
    if status is None:
        modem._count("malformed_results")
        return False
    modem._on_ping(status)
    return status == 0
