"""The LwM2M agent inside the ME910C1: bootstrap, registration, updates, suspension (Telit manual, 3.1.1 to 3.1.4).

    mode 0   AT#LWM2MENA=1        activating (other #LWM2M commands fail) -> ACTIVE -> IDLE
    mode 1   AT#LWM2MENA=1,1,1    #LWM2MRING: "REG", WAIT -> AT#LWM2MACK=1 -> ACTIVE -> #LWM2MEND: 0, IDLE
             a change             #LWM2MRING: "NOT"  -> ...

A session is the time in which the data context may be used. In mode 1 each begins with a RING and the host's ACK; outside
of one the module is deaf to the server. It ends guardReleaseTime seconds after the last exchange.

What the manual leaves open is an option: see `OPTIONS`.
"""

from testing.lwm2m.link import Account
from testing.virtual_modem.accounts import bootstrap_write, split_uri
from testing.virtual_modem.core import joined
from testing.virtual_modem.me910c1_module import NOT_ALLOWED, TelitModule
from testing.virtual_modem.me910c1_objects import SERVICES, Objects

# AT#LWM2MSTS <serverURI> -> (URI, bootstrap server) (3.1.8).
SERVERS = {
    10: ("coaps://ddocdpboot.do.motive.com:5684", 1),
    11: ("coaps://ddocdp.do.motive.com:5684", 0),
    12: ("coap://ddocdp.do.motive.com:5683", 0),
    20: ("coaps://xattmpct.xdev.motive.com:5684", 1),
}
DIS, WAIT, ACTIVE, IDLE, DEREG = "DIS", "WAIT", "ACTIVE", "IDLE", "DEREG"


class TelitAgent(TelitModule):
    """Accounts, sessions and registration; requests of the server are in `me910c1_server`, commands in `me910c1`."""

    OPTIONS = joined(TelitModule.OPTIONS, {
        "factory_server": "coaps://bs-engr.telit.io:5684",  # a bootstrap server, until AT#LWM2MSTS names another
        "factory_key": "",  # PSK of the factory's credentials, hexadecimal
        "ssid": 99,  # short server id of an account that AT#LWM2MSTS names
        "activation_ms": 1500,  # context coming up or down: other #LWM2M commands fail
        "tries": 3,  # of a bootstrap or registration, then FORCE_EXIT
        "retry_ms": 2000,  # between two tries
        "idle_ms": 5000,  # mode 0: from the last exchange to IDLE
        "bootstrap_end": True,  # mode 1: #LWM2MEND also after the bootstrap (3.1.1; not in the example of 3.1.3)
        "register_after_bootstrap_ms": 500,  # from the end of the bootstrap to the registration
        "force_exit_disables": False,  # True: CLIENT_DISABLED follows FORCE_EXIT with the services off, too
        "services_effective": "reboot",  # when a write to 33211/0/0/1 counts: "reboot" (guide) or "now"
        "registration_urcs": False,  # True: as if 33211/0/0/1 had been 1 from the factory
        "tlt": "example",  # LWM2M-TLT:"X",SSID=n,"uri" as every example; "syntax": #LWM2M-TLT: X,n,"uri"
        "servers": (),  # more accounts: (uri, short server id, link), which are registered and left beside the first
    })

    def __init__(self, clock, link, nvram=None, **options):
        self.objects = None
        self._plain_agent()
        super().__init__(clock, link, nvram, **options)

    def _plain_agent(self):
        """What a power cycle forgets."""
        self.enabled = False
        self.status = DIS
        self.cid, self.mode, self.guard_request, self.guard_release = 1, 0, 5, 5
        self.registered = False
        self.forced_exit = False
        self.suspended_until = None
        self.monitored = []
        self.ack_uris = []
        self.ack_enabled = 0
        self._jobs = []
        self._tries = 0
        self._exchanges = 0
        self._busy_until = 0
        self._release_timer = self._update_timer = self._disable_timer = None

    # ---- boot, sleep, network

    def booted(self, woken):
        # The definitions in the file system are read once, when the agent's task starts.
        if self.objects is None:
            self.objects = Objects(self)
        self.objects.load()
        if not woken or not self.options["psm_keeps"]:
            self.services = self._services_stored()
            stored = self.stored("account", {})
            self.applied = {"server": stored.get("server"), "keys": dict(stored.get("keys", {}))}
            self.link.forget()
            self.link.resume()
        elif self.mode == 0 or self.status == ACTIVE:
            self.link.resume()
        super().booted(woken)
        if woken and self.enabled and self.registered:
            self._arm_update()

    def _services_stored(self):
        return self.options["registration_urcs"] or self.nvram.get("values", {}).get("%d/0/0/1" % SERVICES) == "1"

    def went_down(self, state):
        if state == "off" or not self.options["psm_keeps"]:
            # What is forgotten wakes nobody; each registration of a life would else wake it once more, a lifetime later.
            self._stop(self._update_timer)
            self._stop(self._disable_timer)
            self._plain_agent()
            self.link.forget()
        else:
            self._exchanges = 0
        super().went_down(state)

    def sleep_allowed(self):
        return super().sleep_allowed() and self.status not in (WAIT, ACTIVE, DEREG)

    def on_attached(self, resumed):
        super().on_attached(resumed)
        if self.enabled and not self.registered and self.status == ACTIVE:
            self._go()

    # ---- URCs

    def tlt(self, event, ssid=None, uri=""):
        """The registration URC: bootstrap and FORCE_EXIT always, the others only with the service on (3.1.3)."""
        if not (event.startswith("BOOTSTRAPP") or event == "FORCE_EXIT" or self.services):
            return
        where = "" if ssid is None else ',SSID=%d,"%s"' % (ssid, uri)
        if self.options["tlt"] == "syntax" and not self.quirk("tlt_named"):
            where = "" if ssid is None else ',%d,"%s"' % (ssid, uri)
            self.urc("#LWM2M-TLT: %s%s" % (event, where))
        else:
            self.urc('LWM2M-TLT:"%s"%s' % (event, where))

    # ---- bootstrap and registration

    def _go(self):
        """Bootstrap where there is no account, then register."""
        self._tries = self.options["tries"]
        if self.attached and self.enabled:  # else on_attached goes on
            self.after(self.options["activation_ms"], self._bootstrap if self.dm_account() is None else self._register)

    def _bootstrap(self):
        if not self._may_try():
            return
        uri = self.first_server()[0]
        keys = self.applied_keys()
        self.tlt("BOOTSTRAPPING", 0, uri)
        account = self.link_account(uri, keys.get("id", ""), keys.get("key", "") or self.options["factory_key"], True)
        self.link.bootstrap(account, self.endpoint(), self.bootstrap_write, self.exchange(self._bootstrapped))

    def _may_try(self):
        self._tries -= 1
        return self.enabled and self.attached and self.status == ACTIVE

    def _bootstrapped(self, code):
        if code != 204 or self.dm_account() is None:
            self._failed(self._bootstrap)
            return
        self.tlt("BOOTSTRAPPED", 0, self.first_server()[0])
        if self.mode and self.options["bootstrap_end"]:
            self.urc("#LWM2MEND: 0")
        self._tries = self.options["tries"]
        self.after(self.options["register_after_bootstrap_ms"], self._register)

    def _register(self):
        if not self._may_try():
            return
        uri, ssid, identity, key = self.dm_account()
        if self._tries == self.options["tries"] - 1:
            self.tlt("REGISTERING", ssid, uri)
            self._register_more()
        self.link.register(self.link_account(uri, identity, key), self.endpoint(), int(self.objects.get((1, 0, 1, 0))),
                           self.objects.get((1, 0, 7, 0)), self.objects.links(), self.exchange(self._register_answer))

    def _register_more(self):
        for uri, ssid, link in self.options["servers"]:
            self.tlt("REGISTERING", ssid, uri)

            def done(code, uri=uri, ssid=ssid):
                if code == 201:
                    self.tlt("REGISTERED", ssid, uri)

            account = self.link_account(uri, "", "")
            lifetime = int(self.objects.get((1, 0, 1, 0)))
            link.register(account, self.endpoint(), lifetime, "U", self.objects.links(), self.exchange(done))

    def _register_answer(self, code):
        if code != 201:
            self._failed(self._register)
            return
        self._tries = 0
        self.registered = True
        uri, ssid, _, _ = self.dm_account()
        self.tlt("REGISTERED", ssid, uri)
        self._arm_update()
        self.on_registered()

    def on_registered(self):
        """The registration stands; observations begin anew."""

    def _failed(self, again):
        if self._tries > 0:
            self.after(self.options["retry_ms"], again)
            return
        # Only a reboot helps now (3.1.3).
        self._tries = 0
        self.forced_exit = True
        self._off()
        self.tlt("FORCE_EXIT")
        self.tlt("CLIENT_DISABLED")

    def _off(self):
        self._stop(self._update_timer)
        self._stop(self._release_timer)
        self._stop(self._disable_timer)
        self.enabled = self.registered = False
        self.suspended_until = None
        self._jobs = []
        self.abandon()
        self._exchanges = 0
        self.status = DIS
        self.link.forget()
        self.link.resume()
        self.consider_sleep()

    def _deregister(self):
        self.status = DEREG
        self._activate()
        if not self.registered:
            self.after(self.options["activation_ms"], self._deregistered)
            return
        self._stop(self._update_timer)
        self.link.deregister(self.exchange(lambda code: self.after(self.options["activation_ms"], self._deregistered)))
        for _, _, link in self.options["servers"]:
            link.deregister(self.exchange(lambda code: None))

    def _deregistered(self):
        account = self.dm_account()
        was = self.registered
        self._off()
        if was and account is not None:
            self.tlt("DEREGISTERED", account[1], account[0])
            for uri, ssid, _ in self.options["servers"]:
                self.tlt("DEREGISTERED", ssid, uri)
        self.tlt("CLIENT_DISABLED")

    # ---- updates

    def _arm_update(self):
        self._stop(self._update_timer)
        lifetime = int(self.objects.get((1, 0, 1, 0)))
        # The ACK is asked for so much ahead (guardRequestTime).
        ahead = self.guard_request if self.mode else 0
        self._update_timer = self.after_rtc(max(1, lifetime * 9 // 10 - ahead) * 1000, self._update_due)

    def _update_due(self):
        if self.state_name == "asleep":
            self.wake_up()
        if self.enabled and self.registered:
            self.demand("UPD", self.update)

    def update(self, **changes):
        """One Update, with what is given."""
        if self.registered:
            self.link.update(self.exchange(self._updated), **changes)

    def _updated(self, code):
        if code == 204:
            self._arm_update()
        elif self.registered:
            # Unknown to the server, or silence: the registration is made anew, with the usual end.
            self.registered = False
            self._tries = self.options["tries"]
            self._register()

    def objects_changed(self):
        """The object list is another one: the server is told."""
        if self.registered:
            self.demand("UPD", lambda: self.update(objects=self.objects.links()))

    def sms(self):
        """A wake-up short message of the server."""
        if self.enabled and self.state_name == "on":
            self.demand("SMS", self.update)

    # ---- suspension (1/x/4)

    def suspend(self):
        """The server does not want to hear from us for the time of 1/x/5."""
        account = self.dm_account()
        seconds = int(self.objects.get((1, 0, 5, 0)))
        self._stop(self._update_timer)
        self.registered = False
        self.suspended_until = self.unix() + seconds

        def done(code):
            self.tlt("SUSPENDED", account[1], account[0])

        self.link.deregister(self.exchange(done))
        self._disable_timer = self.after_rtc(seconds * 1000, self._resume)

    def _resume(self):
        self.suspended_until = None
        if self.state_name == "asleep":
            self.wake_up()
        if self.enabled:
            self.demand("REG", self._go)

    # ---- servers, keys, names: the factory's, of AT#LWM2MSTS and AT#LWM2MINJKEYS, of a bootstrap server (3.1.8, 3.1.14)

    def endpoint(self):
        """The client's name: what AT#LWM2MINJKEYS stored when the module booted."""
        return self.applied_keys().get("ep") or "urn:imei:%s" % self.options["imei"]

    def applied_keys(self):
        """The credentials in use: those of the last boot (3.1.14: effective after the next reboot)."""
        return self.applied.get("keys", {})

    def first_server(self):
        """[uri, is bootstrap server] by AT#LWM2MSTS as of the last boot, else the factory's."""
        return self.applied.get("server") or [self.options["factory_server"], 1]

    def dm_account(self):
        """[uri, short server id, identity, key]: written by a bootstrap server, or the one of AT#LWM2MSTS."""
        uri, is_bootstrap = self.first_server()
        if is_bootstrap:
            return self.nvram.get("dm")
        keys = self.applied_keys()
        return [uri, self.options["ssid"], keys.get("id", ""), keys.get("key", "")]

    def link_account(self, uri, identity, key, bootstrap=False):
        """What the link wants to know of a server."""
        host, port, secure = split_uri(uri)
        host, port = self.led(host, port, bootstrap)
        return Account(host, port, identity, key) if secure else Account(host, port)

    def secrets(self):
        kept = list(super().secrets())
        keys = self.stored("account", {}).get("keys", {})
        kept += [keys.get("key", ""), keys.get("id", ""), self.options["factory_key"]]
        if self.nvram.get("dm"):
            kept += self.nvram["dm"][2:4]
        return sorted([text for text in kept if text], key=len, reverse=True)

    # ---- what a bootstrap server writes

    def bootstrap_write(self, request):
        """What the bootstrap server deletes and writes -> the code of the answer."""
        if request.operation == "delete" and (not request.path or request.path[0] == 0):
            self.nvram.pop("dm", None)
        return bootstrap_write(request, self._take_account, self._take_server)

    def _take_account(self, written):
        if split_uri(written.uri) is None:
            return  # a scheme or a port that is none: as good as no account
        ssid = self.options["ssid"] if written.ssid is None else written.ssid
        self.nvram["dm"] = [written.uri, ssid, written.identity, written.key]

    def _take_server(self, values):
        for resource in (0, 1, 2, 3, 5, 7):
            if resource in values:
                self.objects.put((1, 0, resource, 0), str(values[resource]))

    # ---- sessions, and the gate before them: RING, the host's ACK, the guard times (3.1.3, 3.1.4)

    def need_agent(self, enabled=False):
        """Refuse a command while the context comes up or down, and (enabled) while the agent is off."""
        if self.clock.now < self._busy_until or enabled and (not self.enabled or self.status == DEREG):
            raise self.error(NOT_ALLOWED)
        return self

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

    def acknowledge(self, yes=1):
        """AT#LWM2MACK=1: the host lets the agent use the context (3.1.4)."""
        if not self.enabled or self.status != WAIT:
            raise self.error(NOT_ALLOWED)
        jobs, self._jobs = self._jobs, []
        self._begin_session(True)
        for _, job in jobs:
            job()

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
        """As `guarded`, and the session lasts from its end."""
        self._exchanges += 1

        def over(code):
            self._exchanges -= 1
            if self.status == ACTIVE:
                self._arm_release()
            done(code)

        return self.guarded(over)
