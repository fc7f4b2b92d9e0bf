"""BC66: the LwM2M session - registration with its back-off chains, updates, recovery after deep sleep, bootstrap.

The chains (application note 3.3): each registration is tried twice; a server that stays silent leads to the bootstrap
server where one is configured, which is tried twice; after that `+QLWREG: 1`, and the module stays quiet.

    case 1   bootstrap, bootstrap                                        -> +QLWREG: 1
    case 2   bootstrap ok, register, register, bootstrap, bootstrap      -> +QLWREG: 1
    case 3   update, register, register, bootstrap, bootstrap            -> +QLWREG: 1
    case 4   recovery, then as case 3

What the manual leaves open is an option: see `OPTIONS`. Firmware older than R01A10 (field_quirks.md, 3 and 4; release notes
V0110) is another dialect here and in `bc66_requests`:

    A10   the application note V2.1
    A07   no auto_ack, rai_enable, recovery_mode, QLWRECOVER; objects only while registered; resources only; "lifetime
          changed,30" in one string; no updates by itself; a write of more than 50 bytes or in JSON, or notifications
          in quick succession, restart the module; a buffered write ends at its first blank
    A06   object 19 as a pipe (QLWDATASEND, +QLWDATARECV), results as +QLWURC: reg,0, requests by number, no QLWSTATUS
"""

from testing.lwm2m.link import Account
from testing.virtual_modem.atline import whole_number
from testing.virtual_modem.builtin import Builtin
from testing.virtual_modem.core import joined
from testing.virtual_modem.quectel import Quectel

NOT_REGISTERED, REGISTERING, REGISTERED, DEREGISTERING, DEREGISTERED, INVALID, RECOVERING, NEED_RECOVER = range(8)

BUILT_IN = (0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 13, 16, 3353)  # application note 3.2.1
CFG = {"auto_reg": [0], "per_regstatus_feat": [0], "rai_enable": [0], "retransmit": [2, 4], "auto_ack": [0], "access_mode": [0],
       "recovery_mode": [0], "retransmit_mode": [0]}
CFG_ORDER = ("auto_reg", "per_regstatus_feat", "rai_enable", "retransmit", "auto_ack", "access_mode", "recovery_mode",
             "retransmit_mode")
_FROM_A10 = ("rai_enable", "auto_ack", "recovery_mode", "retransmit_mode")
# CoAP response code -> <status_code> (chapter 6, table 3).
STATUS = {400: 10, 403: 13, 404: 14, 412: 22}


def update_interval_ms(lifetime):
    """Actual Update Interval of application note 4.2.1: 30 -> 15 s, 50 -> 30, 100 -> 70, 300 -> 250, 900 -> 820."""
    for most, least, ms, rate in ((30, 0, 0, 500), (50, 30, 15000, 750), (100, 50, 30000, 800), (300, 100, 70000, 900)):
        if lifetime <= most:
            return ms + (lifetime - least) * rate
    return 250000 + (lifetime - 300) * 950


class Bc66Session(Quectel):
    """The session; commands are in `bc66`, requests of the server in `bc66_requests`."""

    BUILT_IN = BUILT_IN
    OPTIONS = joined(Quectel.OPTIONS, {
        "revision": "BC66NBR01A10",  # A10 and later: the manual's; A07 to A09, A06: older dialects
        "first_mid": 35268,  # message id of the first update or report
        "backoff_ms": 1000,  # between two attempts of a chain
        "refusal_status": False,  # True: +QLWREG tells the server's refusal (chapter 6) instead of 1 (3.3)
        "expired": "drop",  # recovery_mode 1, woken after the lifetime: "drop" the context or "register"
        "bootstrap_server": "bootp.iot.t-mobile.com",  # what an operator SIM configures (3.4 case 1)
        "bootstrap_port": 5584,  # its port
        "operator_sim": False,  # True: the first boot configures the operator's server by itself (3.4 case 1)
        "bootstrap_psk": "3083693CF1E6766A2408BFD88278249A",  # the key in the manual's example of it
    })

    def __init__(self, clock, link, nvram=None, **options):
        self.status = NOT_REGISTERED
        self.cfg = {name: list(CFG[name]) for name in CFG}
        self._phase = ""
        self._mid = -1
        self._tries = 0
        self._fell_back = False
        self._update_timer = self._disable_timer = None
        super().__init__(clock, link, nvram, **options)
        self.builtin = Builtin(self, "Quectel", "BC66", BUILT_IN)

    # ---- what is configured

    def account(self, bootstrap=None):
        """[host, port, endpoint, lifetime, security, psk id, psk, host quoted] of the server (or bootstrap server)."""
        if bootstrap is None:
            bootstrap = self.bootstrapping
        return self.nvram.get("accounts", {}).get("1" if bootstrap else "0")

    @property
    def bootstrapping(self):
        """True when AT+QLWCONFIG enabled bootstrap."""
        return self.nvram.get("bs", 0) == 1

    def session(self):
        """Lifetime, binding, and whether the module believes that it is registered: outlives a reset."""
        account = self.account(False) or self.account(True)
        lifetime = account[3] if account else 86400
        return self.stored("session", {"on": False, "lifetime": lifetime, "binding": "UQ", "until": 0})

    def object_links(self):
        links = super().object_links()
        return links if self.level >= 7 or "/19/0" in links else links + ["/19/0", "/19/1"]

    def secrets(self):
        kept = list(super().secrets())
        for account in self.nvram.get("accounts", {}).values():
            kept += [account[6], account[5] if account[4] == 0 else ""]
        return sorted([text for text in kept if text], key=len, reverse=True)

    def stored_cfg(self):
        """AT+QLWCFG's values as stored; they take effect with the next boot."""
        values = self.stored("qlwcfg", {})
        for name in CFG:
            values.setdefault(name, list(CFG[name]))
        return values

    def cfg_names(self):
        """The settings that the firmware knows, in the order of the manual."""
        missing = () if self.level >= 10 else _FROM_A10 + (() if self.level >= 7 else ("access_mode",))
        return [name for name in CFG_ORDER if name not in missing]

    # ---- firmware

    @property
    def level(self):
        """Number of the release: 10 for BC66NBR01A10."""
        name = self.options["revision"]
        number = whole_number(name[name.rfind("A") + 1 :][:2])
        return 10 if number is None else number

    def quirk(self, name):
        return name == "deepsleep_no_newline" and self.level < 10 or super().quirk(name)

    def tells_missing_sim(self):
        return self.level >= 7

    # ---- exchanges

    def next_mid(self):
        """The next CoAP message id, as the URCs show it."""
        self._mid = (self.options["first_mid"] if self._mid < 0 else self._mid + 1) & 0xFFFF
        return self._mid

    def update_status(self, code):
        """CoAP outcome -> <status_code>."""
        if code in (201, 202, 204):
            return 0
        return 1 if code is None else STATUS.get(code, 4)

    def update(self, done, lifetime=None, binding=None, objects=None):
        """One Update; `done(code)`. It carries what is given, nothing else (5.7.2)."""
        links = self.object_links()
        if objects is None and self.kept.get("told", links) != links:
            objects = links  # an object came or went while no update could tell of it

        def told(code):
            if code == 204 and objects is not None:
                self.kept["told"] = objects
            done(code)

        self.link.update(self.guarded(told), lifetime, binding, objects)

    def _link_account(self, entry):
        host, port = self.led(entry[0], entry[1], self._phase == "bootstrap")
        return Account(host, port, entry[5], entry[6]) if entry[4] == 0 else Account(host, port)

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
            self.abandon()
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
        if self.level < 7 and name in ("QLWREG", "QLWDEREG"):
            self.urc("+QLWURC:%s%s,%d" % ("" if self.quirk("bare_results") else " ", name[3:].lower(), status))
        elif self.level < 7 and name in ("QLWADDOBJ", "QLWDELOBJ"):
            self.urc("+%s :%d" % (name, status))
        else:
            self.urc("+%s: %d" % (name, status))

    # ---- periodic updates

    def _arm_update(self):
        self._stop(self._update_timer)
        self._update_timer = self.after_rtc(update_interval_ms(self.session()["lifetime"]), self.update_due)

    def update_due(self):
        """The Actual Update Interval is over; "auto ping timer broken" before A10."""
        if self.level < 10:
            return
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
        def recovered(code):
            if code == 204:
                self.status = REGISTERED
                self._registered_now()
                self.urc('+QLWURC: "recovered",0')
            else:
                self.urc('+QLWURC: "recovered",3')
                self._chain("register", False)

        self.update(recovered)
