"""BC66: what is configured - accounts, settings, objects, session - and single exchanges with the server."""

from testing.lwm2m.link import Account
from testing.lwm2m.names import path_text
from testing.virtual_modem.quectel import Quectel

NOT_REGISTERED, REGISTERING, REGISTERED, DEREGISTERING, DEREGISTERED, INVALID, RECOVERING, NEED_RECOVER = range(8)

BUILT_IN = (0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 13, 16, 3353)  # application note 3.2.1
CFG = {"auto_reg": [0], "per_regstatus_feat": [0], "rai_enable": [0], "retransmit": [2, 4], "auto_ack": [0], "access_mode": [0],
       "recovery_mode": [0], "retransmit_mode": [0]}
# CoAP response code -> <status_code> (chapter 6, table 3).
STATUS = {400: 10, 403: 13, 404: 14, 412: 22}


def update_interval_ms(lifetime):
    """Actual Update Interval of application note 4.2.1: 30 -> 15 s, 50 -> 30, 100 -> 70, 300 -> 250, 900 -> 820."""
    if lifetime <= 30:
        return lifetime * 500
    if lifetime <= 50:
        return 15000 + (lifetime - 30) * 750
    if lifetime <= 100:
        return 30000 + (lifetime - 50) * 800
    if lifetime <= 300:
        return 70000 + (lifetime - 100) * 900
    return 250000 + (lifetime - 300) * 950


class Bc66Account(Quectel):
    """The module's memory of servers and objects."""

    OPTIONS = dict(Quectel.OPTIONS)
    OPTIONS.update({
        "first_mid": 35268,  # message id of the first update or report
    })

    def __init__(self, clock, link, nvram=None, **options):
        self.status = NOT_REGISTERED
        self.cfg = {name: list(CFG[name]) for name in CFG}
        self._phase = ""
        self._mid = -1
        super().__init__(clock, link, nvram, **options)

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

    def objects(self):
        """Custom objects as [[object, instance, [resources]], ...]."""
        return self.stored("objects", [])

    def object_links(self):
        """The object list of a registration: thirteen built-in ones and the custom ones."""
        links = [path_text((number, 0)) for number in BUILT_IN]
        return links + [path_text((entry[0], entry[1])) for entry in self.objects()]

    def secrets(self):
        kept = list(super().secrets())
        for account in self.nvram.get("accounts", {}).values():
            kept += [account[6], account[5] if account[4] == 0 else ""]
        return sorted([text for text in kept if text], key=len, reverse=True)

    def stored_cfg(self):
        """AT+QLWCFG's values as stored; they take effect with the next boot."""
        values = self.stored("qlwcfg", {})
        for name in CFG:
            if name not in values:
                values[name] = list(CFG[name])
        return values

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

        self.begin()
        self.link.update(self.guarded(told), lifetime, binding, objects)

    def _link_account(self, entry):
        host, port = entry[0], entry[1]
        if self.redirect is not None:
            host, port = self.redirect(host, port, self._phase == "bootstrap")
        return Account(host, port, entry[5], entry[6]) if entry[4] == 0 else Account(host, port)
