"""ME910C1: sessions, and the gate before them: RING, the host's ACK, the guard times (Telit manual, 3.1.3, 3.1.4).

A session is the time in which the data context may be used. In mode 1 each begins with a RING and the host's ACK; outside
of one the module is deaf to the server. It ends guardReleaseTime seconds after the last exchange.
"""

from testing.virtual_modem.me910c1_accounts import TelitAccounts
from testing.virtual_modem.me910c1_module import NOT_ALLOWED

DIS, WAIT, ACTIVE, IDLE, DEREG = "DIS", "WAIT", "ACTIVE", "IDLE", "DEREG"


class TelitGate(TelitAccounts):
    """When the agent may use the context; what it then does is in `me910c1_agent`."""

    def need_agent(self, enabled=False):
        """Refuse a command while the context comes up or down, and (enabled) while the agent is off."""
        if self.clock.now < self._busy_until or enabled and (not self.enabled or self.status == DEREG):
            raise self.error(NOT_ALLOWED)

    def _activate(self):
        self._busy_until = self.clock.now + self.options["activation_ms"]

    def enable(self, cid, mode, guard_request, guard_release):
        """AT#LWM2MENA=1."""
        self.enabled = True
        self.cid, self.mode, self.guard_request, self.guard_release = cid, mode, guard_request, guard_release
        self.status = IDLE
        if mode:
            self.link.suspend()
        else:
            self._activate()
        self.after(10, lambda: self.demand("REG", self._go))

    def disable(self):
        """AT#LWM2MENA=0: outside of a session of mode 1 it waits for an ACK like everything else."""
        if self.mode and self.status != ACTIVE and self.registered:
            self._jobs = []
            self.after(10, lambda: self.demand("DRG", self._deregister))
        else:
            self._deregister()

    def demand(self, ring, job):
        """Do it in a session: the open one, or one that the host lets us begin."""
        if self.status == DEREG or not self.enabled:
            return
        if self.mode == 0 or self.status == ACTIVE:
            if self.status != ACTIVE:
                self._begin_session(ring == "REG")
            job()
            return
        if not any([known == ring for known, _ in self._jobs]):
            self.urc('#LWM2MRING: "%s"' % ring)
        self._jobs.append((ring, job))
        self.status = WAIT

    def acknowledge(self):
        """AT#LWM2MACK=1: True where something waited for it."""
        if self.status != WAIT:
            return False
        jobs, self._jobs = self._jobs, []
        self._begin_session(True)
        for _, job in jobs:
            job()
        return True

    def _begin_session(self, activate):
        self.status = ACTIVE
        if activate:
            self._activate()
        self.link.resume()
        self._arm_release()

    def _arm_release(self):
        self._stop(self._release_timer)
        wait = self.guard_release * 1000 if self.mode else self.options["idle_ms"]
        self._release_timer = self.after(wait, self._release)

    def _release(self):
        """No exchange for so long: the session is over."""
        if self.status != ACTIVE:
            return
        if self._exchanges or self.enabled and not self.registered and self.suspended_until is None and self._tries:
            self._arm_release()
            return
        self.status = IDLE
        if self.mode:
            self.urc("#LWM2MEND: 0")
            self.link.suspend()
        self.consider_sleep()

    def exchange(self, done):
        """A callback for one exchange: unheard after a power cycle, and the session lasts from it."""
        era = self._era
        self._exchanges += 1
        self.begin()

        def call(code):
            if era == self._era:
                self._exchanges -= 1
                self.end()
                if self.status == ACTIVE:
                    self._arm_release()
                done(code)

        return call
