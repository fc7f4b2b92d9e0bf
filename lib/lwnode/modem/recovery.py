"""The way back to a registered session: ask, recover, re-register, restart, power-cycle.

    bring_back(modem, 60000)     True: REGISTERED, whatever it took
    power_cycle(modem)           True: it answers again
    modem.stats                  {"tried_ask": 3, "tried_recover": 2, "tried_register": 1, "tried_restart": 1, ...}

The same steps in all families, each bounded by the time that is left and counted. No dialogue is repeated blindly: a step
that the module refused is followed by the next one, and each ends with what the module says of itself, because the result of
a step may have been lost.
"""

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lwnode.modem.driver import Modem

_REGISTERED = const(2)  # the states of lwnode.modem
_NEED_RECOVER = const(5)
_RESTART_EVERY = const(4)  # failures in a row at which a module that answers is restarted all the same
_POWER_OFF_MS = const(1000)  # a BG96 takes no pulse sooner after it went down (low_power 3.4)
BRIEFLY = (0,)  # AtClient.sync at the rate as it is: three rounds instead of ten, 4 s
_BOOT_TRIES = const(3)  # each looks for the module for some seconds (AtClient.sync)


def bring_back(modem: "Modem", timeout_ms: int) -> bool:
    """Reach _REGISTERED again; False, and one more in modem.failures, where it was not to be had.

    A server that does not answer is no reason to restart a module that does: restart and power cycle are for a module that
    is silent or confused, and else for every fourth failure in a row.
    """
    end, left = modem.at.deadline(timeout_ms), modem.at.left
    hard = modem.failures % _RESTART_EVERY == _RESTART_EVERY - 1
    reached = _reached(modem, end)
    if not reached and (reached is None and hard_steps_due(modem) or hard) and left(end) > 0 and not modem.updates():
        modem._count("tried_restart")
        if modem.ask(modem.restart):
            reached = _set_up(modem) and _reached(modem, end)
        else:
            reached = None
        if not reached and (reached is None or hard) and left(end) > 0:
            modem._count("tried_power_cycle")
            if power_cycle(modem):
                reached = _set_up(modem) and _reached(modem, end)
            else:
                modem._count("dead")
    modem.failures = 0 if reached else modem.failures + 1
    return bool(reached)


def hard_steps_due(modem: "Modem") -> bool:
    """Whether a silent module is to be restarted and power-cycled: after 0, 1, 2, 4, 8, 16, 32, 64... failures in a row.

    Each takes a minute of awake time; what has not helped twice may be a broken line or an empty battery.
    """
    return modem.failures & (modem.failures - 1) == 0 or modem.failures % 32 == 0


def _reached(modem: "Modem", end: int) -> "bool | None":
    """Ask, recover where there is something to recover, else attach and register. None: the module is silent."""
    left = modem.at.left
    modem._count("tried_ask")
    state = modem.ask(modem.status)
    if state is None:
        return None
    if modem._busy():
        # Nothing may be registered or configured meanwhile (BC66 3.3): wait for the module's own outcome.
        state = modem.ask(modem.wait_while_busy, max(0, left(end)))
    if state == _NEED_RECOVER and left(end) > 0:
        modem._count("tried_recover")
        if modem.ask(modem.recover, max(0, left(end))):
            state = _REGISTERED
    if state != _REGISTERED and left(end) > 0:
        # Attached first: without a network a registration only costs energy, and a restart helps nothing.
        modem._count("tried_register")
        return bool(modem.ask(modem.attach, max(0, left(end))) and modem.ask(modem.register, max(0, left(end))))
    return bool(state == _REGISTERED)


def _set_up(modem: "Modem") -> bool:
    """After a restart: whatever the module has lost. False where its account could not be written."""
    modem._configured = modem._declared = 0
    if modem.server is not None:
        restart = modem.ask(modem.configure, modem.server)
        if restart is None:
            # Half a configuration may be worse than none (BG96: "clean" comes first): all of it again, cold.
            modem._emit("factory_reset", "configuration interrupted")
            return False
        if restart:
            modem.ask(modem.restart)
    if modem.objects:
        modem.ask(modem.declare, modem.objects)
    return True


def power_cycle(modem: "Modem") -> bool:
    """Off by command, on by the power key; a silent module gets the key first (it may be off), then the reset pin.

    Without pins nothing is switched off, because nothing could switch it on again.
    """
    pins = modem.pins
    if pins is None or modem.updates():
        return False
    modem._restart_expected = True
    try:
        modem._forget_session("module power-cycled")
        if modem.ask(modem.at.sync, BRIEFLY) is not None and modem.ask(modem.power_off):
            modem.clock.sleep_ms(_POWER_OFF_MS)
        # The second pulse of the key: the first one may have switched a running, silent module off.
        for pin, length in (
            ("power_key", modem.POWER_KEY_MS), ("reset", modem.RESET_MS), ("power_key", modem.POWER_KEY_MS),
        ):
            if not pins.pulse(pin, length):
                continue
            modem._count("pulses_" + pin)
            for _ in range(_BOOT_TRIES):
                if modem._begin():
                    modem._restart_due = False
                    modem._emit("restarted", "power")
                    return True
    finally:
        modem._restart_expected = False
    return False
