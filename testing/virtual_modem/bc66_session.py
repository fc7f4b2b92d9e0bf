"""BC66: the LwM2M session - registration with its back-off chains, updates, recovery after deep sleep, bootstrap.

The chains (application note 3.3): each registration is tried twice; a server that stays silent leads to the bootstrap
server where one is configured, which is tried twice; after that `+QLWREG: 1`, and the module stays quiet.

    case 1   bootstrap, bootstrap                                        -> +QLWREG: 1
    case 2   bootstrap ok, register, register, bootstrap, bootstrap      -> +QLWREG: 1
    case 3   update, register, register, bootstrap, bootstrap            -> +QLWREG: 1
    case 4   recovery, then as case 3

What the manual leaves open is an option: see `OPTIONS`.
"""

from testing.virtual_modem.bc66_account import (BUILT_IN, DEREGISTERED, DEREGISTERING, NEED_RECOVER, NOT_REGISTERED, RECOVERING,
                                              REGISTERED, REGISTERING, STATUS, Bc66Account, update_interval_ms)
from testing.virtual_modem.builtin import Builtin

__all__ = ["BUILT_IN", "DEREGISTERED", "DEREGISTERING", "NEED_RECOVER", "NOT_REGISTERED", "RECOVERING", "REGISTERED",
           "REGISTERING", "Bc66Session", "update_interval_ms"]  # fmt: skip


class Bc66Session(Bc66Account):
    """The session; commands are in `bc66`, requests of the server in `bc66_requests`."""

    OPTIONS = dict(Bc66Account.OPTIONS)
    OPTIONS.update({
        "backoff_ms": 1000,  # between two attempts of a chain
        "refusal_status": False,  # True: +QLWREG tells the server's refusal (chapter 6) instead of 1 (3.3)
        "expired": "drop",  # recovery_mode 1, woken after the lifetime: "drop" the context or "register"
        "bootstrap_server": "bootp.iot.t-mobile.com",  # what an operator SIM configures (3.4 case 1)
        "bootstrap_port": 5584,  # its port
        "operator_sim": False,  # True: the first boot configures the operator's server by itself (3.4 case 1)
        "bootstrap_psk": "3083693CF1E6766A2408BFD88278249A",  # the key in the manual's example of it
    })
    MODEL = ("Quectel", "BC66")

    def __init__(self, clock, link, nvram=None, **options):
        self._tries = 0
        self._fell_back = False
        self._after_chain = None
        self._update_timer = self._disable_timer = None
        super().__init__(clock, link, nvram, **options)
        self.builtin = Builtin(self, self.MODEL[0], self.MODEL[1], BUILT_IN)

    # ---- boot, sleep, network

    def booted(self, woken):
        stored = self.stored_cfg()
        self.cfg = {name: list(stored[name]) for name in stored}
        timeout, times = self.cfg["retransmit"]
        self.link.retransmission(timeout, times, bool(self.cfg["retransmit_mode"][0]))
        self.link.resume()
        session = self.session()
        self.status = NOT_REGISTERED
        if woken:
            self._wake_status(session)
        elif not self._persistent() or not session["on"]:
            session["on"] = False
            self.link.forget()
        super().booted(woken)

    def _wake_status(self, session):
        self.status = self.kept.get("status", NOT_REGISTERED)
        if self.status in (REGISTERING, DEREGISTERING):
            self.status = NOT_REGISTERED
        if not session["on"] or self.status not in (REGISTERED, RECOVERING, NEED_RECOVER):
            return
        if self.cfg["recovery_mode"][0] == 0:
            self.status = RECOVERING
        elif self.unix() < session["until"]:
            self.status = NEED_RECOVER
        elif self.options["expired"] == "register":
            self.status = RECOVERING
        else:
            self._forget_session()

    def _persistent(self):
        # 0 means on (4.2.2): the reverse of its name and of every other switch.
        return self.cfg["per_regstatus_feat"][0] == 0 and self.cfg["auto_reg"][0] == 1

    def _forget_session(self):
        self.session()["on"] = False
        self.link.forget()
        self.status = NOT_REGISTERED

    def went_down(self, state):
        self._era += 1
        if state == "asleep":
            self.kept["status"] = self.status
        super().went_down(state)

    def on_attached(self, resumed):
        super().on_attached(resumed)
        if self.status == RECOVERING:
            self._recover()
        elif self.status == REGISTERED:
            self.urc('+QLWURC: "lwstatus",1')
        elif self.kept.pop("enable_due", False):
            self.register()
        elif self.status == NOT_REGISTERED and not self.disabled:
            self._auto_register()

    def on_detached(self):
        super().on_detached()
        if self.cfun != 1:
            self._era += 1
            self.in_flight = 0
            self._forget_session()  # 3.4 case 3: after CFUN=0 another server can be configured
        elif self.status == REGISTERED:
            self.urc('+QLWURC: "lwstatus",0')

    def _auto_register(self):
        if self.options["operator_sim"] and not self.nvram.get("operator_done"):
            self._operator_account()
        if self.nvram.get("reset_pending"):
            del self.nvram["reset_pending"]
            if self.account():
                self.register()
            return
        if not self.cfg["auto_reg"][0] or not self.account():
            return
        if self._persistent() and self.session()["on"]:
            self.status = RECOVERING
            self.update(lambda code: self._persisted(code))
        else:
            self.register()

    def _operator_account(self):
        """3.4 case 1: the first boot with an operator's SIM computes its bootstrap server."""
        self.nvram["operator_done"] = True
        name = "urn:imei:%s" % self.options["imei"]
        server = [self.options["bootstrap_server"], self.options["bootstrap_port"], name, 900, 0, name]
        self.stored("accounts", {})["1"] = server + [self.options["bootstrap_psk"], True]
        self.nvram["bs"] = 1
        self.stored_cfg()["auto_reg"] = [1]
        self.cfg["auto_reg"] = [1]

    def _persisted(self, code):
        self.urc('+QLWURC: "ping",%d' % self.update_status(code))
        self.status = REGISTERED if code == 204 else self.status
        if code == 204:
            self._registered_now()
        else:
            self._chain("register")

    # ---- chains

    def register(self):
        """AT+QLWREG and automatic registration: from the bootstrap server where one is configured."""
        self._fell_back = False
        self._chain("bootstrap" if self.bootstrapping else "register", False)

    def _chain(self, phase, keep_fall_back=True):
        if not keep_fall_back:
            self._fell_back = False
        self.status = REGISTERING
        self._phase = phase
        self._tries = 2
        self._attempt()

    def _attempt(self):
        if self.status != REGISTERING:
            return
        entry = self.account(self._phase == "bootstrap")
        if entry is None:
            self._chain_failed(None)
            return
        self._tries -= 1
        account, endpoint, lifetime = self._link_account(entry), entry[2], entry[3]
        self.begin()
        if self._phase == "bootstrap":
            self.link.bootstrap(account, endpoint, self._bootstrap_write, self.guarded(self._bootstrapped))
            return
        session = self.session()
        session["lifetime"] = lifetime
        done = self.guarded(self._answer)
        self.link.register(account, endpoint, lifetime, session["binding"], self.object_links(), done)

    def _bootstrapped(self, code):
        if code != 204 or self.account(False) is None:
            self._failed(code)
            return
        self.urc('+QLWURC: "bs_finished"')
        self._chain("register")

    def _answer(self, code):
        if code != 201:
            self._failed(code)
            return
        self.status = REGISTERED
        self.kept["told"] = self.object_links()
        self._fell_back = False
        self._registered_now()
        self.result("QLWREG", 0)

    def _failed(self, code):
        if self._tries > 0:
            self.after(self.options["backoff_ms"], self._attempt)
        elif self._phase == "register" and self.account(True) and self.bootstrapping and not self._fell_back:
            self._fell_back = True
            self.after(self.options["backoff_ms"], lambda: self._chain("bootstrap"))
        else:
            self._chain_failed(code)

    def _chain_failed(self, code):
        self._forget_session()
        told = self.options["refusal_status"] and code is not None
        self.result("QLWREG", STATUS.get(code, 1) if told else 1)

    def _registered_now(self):
        session = self.session()
        session["on"] = True
        session["until"] = self.unix() + session["lifetime"]
        self._arm_update()
        self.consider_sleep()

    def result(self, name, status):
        """The deferred result of a command, in the firmware's dialect."""
        self.urc("+%s: %d" % (name, status))

    # ---- periodic updates

    def _arm_update(self):
        self._stop(self._update_timer)
        self._update_timer = self.after_rtc(update_interval_ms(self.session()["lifetime"]), self.update_due)

    def update_due(self):
        """The Actual Update Interval is over."""
        if self.state_name == "asleep":
            if self.cfg["recovery_mode"][0] == 0:
                self.wake_up()  # the recovery is the update
        elif self.status == REGISTERED:
            self.ping()

    def ping(self, **changes):
        """An update of the module's own accord; +QLWURC: "ping" tells how it went, case 3 follows a failure."""

        def done(code):
            self.urc('+QLWURC: "ping",%d' % self.update_status(code))
            self.updated(code)

        self.update(done, **changes)

    def updated(self, code):
        """After any update: a new interval, or back-off case 3."""
        if code == 204:
            self._registered_now()
        elif self.status == REGISTERED:
            self._chain("register", False)

    # ---- recovery (case 4)

    def recover(self):
        """AT+QLWRECOVER."""
        self.status = RECOVERING
        self._recover()

    def _recover(self):
        self.update(self._recovered)

    def _recovered(self, code):
        if code == 204:
            self.status = REGISTERED
            self._registered_now()
            self.urc('+QLWURC: "recovered",0')
        else:
            self.urc('+QLWURC: "recovered",3')
            self._chain("register", False)
