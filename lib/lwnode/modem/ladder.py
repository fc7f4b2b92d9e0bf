"""The way back to a registered session: ask, recover, re-register, restart, power-cycle.

    modem.bring_back(60000)      True: REGISTERED, whatever it took
    modem.stats                  {"ladder_ask": 3, "ladder_recover": 2, "ladder_register": 1, "ladder_restart": 1, ...}

The same steps in all families, each bounded by the time that is left and counted. Every step ends with the question
whether the session stands, because the result of a step may have been lost. No dialogue is repeated blindly: a step
that the module refused is followed by the next one.
"""

from micropython import const

from lwnode.modem import NEED_RECOVER, REGISTERED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lwnode.modem.base import Modem

_RESTART_EVERY = const(4)  # failures in a row at which a module that answers is restarted all the same
_POWER_OFF_MS = const(1000)  # a BG96 takes no pulse sooner after it went down (low_power 3.4)
_BOOT_TRIES = const(3)  # each looks for the module for some seconds (AtClient.sync)


class _Climb:
    """One call of bring_back: the time that is left, and what is known of the module."""

    def __init__(self, modem: "Modem", timeout_ms: int) -> None:
        self.modem = modem
        self.clock = modem.clock
        self.end = self.clock.ticks_add(self.clock.ticks_ms(), timeout_ms)
        self.silent = False

    def left(self) -> int:
        """Milliseconds left, never negative."""
        return max(0, int(self.clock.ticks_diff(self.end, self.clock.ticks_ms())))

    def ask(self) -> bool:
        """The session stands, or comes to stand while the module works at it by itself."""
        state = self.modem.ask(self.modem.status)
        self.silent = state is None
        if self.modem._busy():
            # Nothing may be registered or configured meanwhile (BC66 3.3): wait for the module's own outcome.
            state = self.modem._own_outcome(self.left())
        return bool(state == REGISTERED)

    def recover(self) -> bool:
        """Only where the module says that there is something to recover."""
        if self.modem._status != NEED_RECOVER:
            return False
        return bool(self.modem.ask(self.modem.recover, self.left()))

    def register(self) -> bool:
        """Attached first: without a network a registration only costs energy, and a restart helps nothing."""
        if self.silent or not self.modem.ask(self.modem.attach, self.left()):
            return False
        return bool(self.modem.ask(self.modem.register, self.left()))

    def restart(self) -> bool:
        """Reset by command, then whatever the module has lost, then register."""
        if not self.modem.ask(self.modem.restart):
            self.silent = True
            return False
        self.silent = False
        return self._settle()

    def power_cycle(self) -> bool:
        """The last step: only the power key is left."""
        if not self.modem.power_cycle():
            self.modem._count("dead")
            return False
        self.silent = False
        return self._settle()

    def _settle(self) -> bool:
        modem = self.modem
        modem._doubt()
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
        return self.ask() or self.recover() or self.register()


def climb(modem: "Modem", timeout_ms: int) -> bool:
    """See Modem.bring_back."""
    way = _Climb(modem, timeout_ms)
    stubborn = modem.failures % _RESTART_EVERY == _RESTART_EVERY - 1
    for name, step in _steps(way):
        hard = name in ("restart", "power_cycle")
        if hard and not (way.silent or stubborn):
            break
        if way.left() == 0:
            break
        modem._count("ladder_" + name)
        if step():
            modem.failures = 0
            return True
    modem.failures += 1
    return False


def _steps(way: _Climb) -> "tuple[tuple[str, Callable[[], bool]], ...]":
    return (
        ("ask", way.ask), ("recover", way.recover), ("register", way.register), ("restart", way.restart),
        ("power_cycle", way.power_cycle),
    )


def power_cycle(modem: "Modem") -> bool:
    """Off by command, on by the power key; a silent module gets the key first (it may be off), then the reset pin.

    Without pins nothing is switched off, because nothing could switch it on again.
    """
    pins = modem.pins
    if pins is None:
        return False
    modem._restart_expected = True
    try:
        modem._forget_session("module power-cycled")
        if modem.ask(modem.at.sync) is not None and modem.ask(modem.power_off):
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
