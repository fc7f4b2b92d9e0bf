"""The registration with the server, kept over sleep: found again, recovered, updated early, made anew only when needed.

    session = Session(modem, tree, config, clock, board.unique_id())
    session.load(state.load("session"))
    session.open()      -> True when the server can be spoken to
    session.close()     -> True when the module confirmed that it sleeps
    state.save("session", session.dump())

A cold start asks everything once: start -> configure -> declare -> [one restart] -> attach -> register (design, "A
start"). A warm one wakes the module and asks for its status only; what the module still knows is not asked again.

Bounds: every wait has a deadline (attach_timeout, register: 190 s, recover: 70 s, after sleep: 60 s).
"""

from binascii import hexlify

from micropython import const

from lwnode.modem import DEREGISTERED, NEED_RECOVER, NOT_REGISTERED, REGISTERED, Server
from lwnode.modem.recovery import bring_back, hard_steps_due
from lwnode.node.registration import LONGEST_SILENCE_S, MARGIN_S, RegistrationState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


# BC66 manual 3.3: the module retries by itself before it says +QLWREG: 1; at the default retransmission one
# registration takes 62 s, and a chain of registration, retry and bootstrap about three of them.
_REGISTER_MS = const(190000)
_RECOVER_MS = const(70000)
# A warm wake does not wait out a missing network: the next one asks again (low-power notes 2.3, warm 60 s).
_BRING_BACK_MS = const(60000)

_UNHEARD = const(3)


class Session(RegistrationState):
    """Brings the module from any state to REGISTERED, and to sleep again; counts what that took."""

    def __init__(self, modem: "Any", tree: "Any", config: "Any", clock: "Any", unique_id: bytes) -> None:
        RegistrationState.__init__(self, config, clock)
        self.modem, self.tree, self.unique_id = modem, tree, unique_id
        modem.lifetime = self.lifetime
        self.recoveries = 0
        self.exchanges = 0  # registrations, updates and recoveries: what went over the air beside the reports
        self.declared = False  # the objects, since somebody has asked
        self.report_every = int(config.report_every)
        self._patience_ms = min(_BRING_BACK_MS, int(config.attach_timeout) * 1000)

    def open(self, defer: "Callable[[], bool] | None" = None) -> bool:
        """Reach REGISTERED from any state. Returns False where the server could not be reached.

        defer: asked where a session stands or waits to be recovered, before the radio is used; True ends it there.
        Raises AtError where the module cannot be reached, BudgetExceeded when the wake's budget is over.
        """
        # All the steps in one function: within a registration the server is answered, and an RP2 has 8 KB of stack.
        modem = self.modem
        if self.configured and modem.wake():
            status = modem.status()
        else:
            if not modem.start(hard_steps_due(modem)):
                return False
            # Until it is done: what is interrupted here may have wiped what the module knew (BG96: "clean").
            self.configured = False
            restart = modem.configure(self.server())
            if modem.declare(self.tree.objects()) or restart:
                modem.restart()
            self.configured = self.declared = True
            status = int(modem.status())
        if defer is not None and status in (REGISTERED, NEED_RECOVER) and not self.is_due(self.now()) and defer():
            return False
        if status == NEED_RECOVER and modem.recover(_RECOVER_MS):
            self.recoveries += 1
            self.exchanges += 1
            self._confirmed()
            status = REGISTERED
        # A request to observe that was lost leaves one side with an observation, for ever: every report on it is refused then,
        # or never sent, although the registration is good. Only a new one makes the server observe again; ever more seldom,
        # for it may not want to observe what waits here. Who cannot tell tries packs again.
        if status in (REGISTERED, NOT_REGISTERED, DEREGISTERED) and self.unheard >= _UNHEARD << self.renewals:
            self.unheard, self.renewals = 0, min(self.renewals + 1, 6)
            modem.packs = modem.packs or None
            if status == REGISTERED:
                modem.deregister()
                self.tree.clear_observations()
                status = DEREGISTERED
        if status == REGISTERED:
            reached = self._refresh()
        elif status in (NOT_REGISTERED, DEREGISTERED):
            reached = modem.attach(int(self.config.attach_timeout) * 1000)
            reached = reached and modem.register(_REGISTER_MS)
        else:
            # RECOVERING and REGISTERING too: the module is at it by itself, and would be hindered (BC66 manual 3.3).
            reached = bring_back(modem, self._patience_ms)
        # A registration anew was by the account; what the server has changed of it is said again.
        return bool(reached) and (not self.is_due(self.now()) or self._refresh())

    def close(self, off: bool = False) -> bool:
        """Send the module to sleep, or switch it off: the next contact then starts cold. Returns whether it confirmed.

        One that updates its own firmware is left as it is.
        """
        if self.modem.updates():
            return False
        if off:
            self.configured = False
            return bool(self.modem.power_off())
        return bool(self.modem.sleep())

    def endpoint(self) -> str:
        """Return the endpoint client name; {id} in the configuration stands for the board's unique id in hex."""
        return str(self.config.endpoint).replace("{id}", hexlify(self.unique_id).decode())

    def server(self) -> "Server":
        """Return the server account of the configuration, secrets included, for the driver alone."""
        config = self.config
        return Server(config.host, config.port, endpoint=self.endpoint(), lifetime=self.lifetime,
                      binding=self.binding, security=config.security, psk_identity=config.secret("psk_identity"),
                      psk=config.secret("psk"), bootstrap=config.bootstrap)

    def arrived(self, delivered: bool) -> None:
        """Take note of how a contact ended that had found a registration."""
        self.unheard, self.renewals = (0, 0) if delivered else (min(self.unheard + 1, 255), self.renewals)

    def _refresh(self) -> bool:
        """Update early, while awake anyway, if the lifetime would end before the next contact."""
        config, now = self.config, self.now()
        changed = self.renewal() is not None
        left = self.confirmed_at + self.lifetime - now
        # One that cannot outlast the interval is asked about once it has ended: not every module knows (BC20).
        if left > self.report_every + MARGIN_S or left > 0 and self.lifetime <= self.report_every and not changed:
            return True
        self.exchanges += 1
        if self.modem.update(self.lifetime if self.lifetime != config.lifetime else None,
                             self.binding if self.binding != config.binding else None):
            self._confirmed()
            return True
        # Asked again in the next slot, not at once.
        self.confirmed_at = max(self.confirmed_at, now - self.lifetime + self.report_every)
        return bool(bring_back(self.modem, self._patience_ms))

    def _confirmed(self) -> None:
        self.confirmed_at = max(1, self.now())

    def heard(self, name: str, value: "Any") -> None:
        """Follow the module's events that concern the registration (the table of effects is in lwnode.modem)."""
        if name == "registered":
            # A fresh registration has no observations: the server makes them again (issue 6).
            self.tree.clear_observations()
            self.registrations += 1
            self.exchanges += 1
            self._confirmed()
            if self.renewal() is not None:
                self.confirmed_at = 0
        elif name in ("recovered", "updated"):
            self._confirmed()
        elif name == "lifetime" and 20 <= value <= 31536000:
            self.lifetime = self.modem.lifetime = value
            self.confirmed_at = 0  # until the module's own update, or ours, has told the server
        elif name == "binding" and value in ("U", "UQ"):
            self.binding = value
            self.confirmed_at = 0
        elif name == "disabled" and value > 0:
            self.silent_until = self.now() + min(value, LONGEST_SILENCE_S)
        elif name in ("factory_reset", "restarted"):
            self.configured = self.configured and name == "restarted"
            self.tree.answers = []
