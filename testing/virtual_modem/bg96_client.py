"""BG96: the LwM2M client of the application processor - its states, retries and persistence.

    +QLWEVENT: 0 INITIAL, 1 BOOTSTRAP_REQUIRED, 2 BOOTSTRAPPING, 3 REGISTER_REQUIRED, 4 REGISTERING, 5 READY

It reads its files when it first starts, once per boot (3.3, note); "reset" counts from the next boot on. No data call:
RETRY_TIMEOUT, doubled up to the maximum, so many times. No registration: REG_RETRY_TIMEOUT, doubled up to the maximum, and
bootstrap instead where BS_IF_REG_FAILS says so. After a registration it leaves persistent files, which hold the old
server until "reset" deletes them (FAQ 3).
"""

from testing.lwm2m.link import Account
from testing.lwm2m.names import path_text
from testing.virtual_modem.accounts import split_uri
from testing.virtual_modem.bg96_files import Settings
from testing.virtual_modem.bg96_module import Bg96Module
from testing.virtual_modem.builtin import Builtin
from testing.virtual_modem.core import joined
from testing.virtual_modem.radio import ROAMING

INITIAL, BOOTSTRAP_REQUIRED, BOOTSTRAPPING, REGISTER_REQUIRED, REGISTERING, READY = range(6)
_STATES = ("INITIAL", "BOOTSTRAP_REQUIRED", "BOOTSTRAPPING", "REGISTER_REQUIRED", "REGISTERING", "READY")

OWN = (0, 1, 2, 3, 4, 6, 7)  # 3.2
PASSED = (5, 9, 15)  # firmware update, software management, device capability management
DATA = (19, 10250, 26241)
LGU = 2


class Bg96Client(Bg96Module):
    """The client's state machine."""

    OPTIONS = joined(Bg96Module.OPTIONS, {
        "files": None,  # name -> text: put into the file system before the first boot
    })

    def __init__(self, clock, link, nvram=None, **options):
        self.running = self.loaded = False
        self.phase = INITIAL
        self.automatic = True
        self.settings = Settings({})
        self.held = {}
        self._tries = self._wait_s = self._bootstraps = 0
        self._retry_timer = self._update_timer = self._boot_timer = None
        super().__init__(clock, link, nvram, **options)
        self.builtin = Builtin(self, "Quectel", "BG96", OWN + PASSED)
        if self.options["files"]:
            self.files().update(self.options["files"])

    def files(self):
        """The file system: name -> text."""
        return self.stored("files", {})

    def persistent(self):
        """What a registration left behind: {"server": account, "registered": bool}, or {}."""
        return self.stored("persistent", {})

    def server(self):
        """The account in use: the persistent one before that of the files (FAQ 3), also where "reset" has just deleted it."""
        return self.persistent().get("server") or self.held.get("server") or self.settings.server()

    def session(self):
        """What object 1 tells."""
        server = self.server() or {}
        return {"lifetime": server.get("lifetime", 86400), "binding": server.get("binding", "U")}

    @property
    def carrier_lgu(self):
        """True with LGU+'s configuration: two more objects."""
        return self.nvram.get("select") == LGU

    def data_objects(self):
        """The objects that carry the host's bytes."""
        return DATA if self.carrier_lgu else DATA[:1]

    def object_links(self):
        """The object list: seven own, three passed through, and those of the host."""
        return [path_text((number, 0)) for number in OWN + PASSED + self.data_objects()]

    # ---- boot

    def applications_started(self):
        settings = Settings(self.files())
        if settings.autostart and self.nvram.get("enabled", 1):
            wait = int(settings.cfg["BOOT_UP_SLEEP_TIME"]) * 1000
            self._boot_timer = self.after(wait, lambda: self.start_client(True))

    def booted(self, woken):
        self.running = self.loaded = False
        self.held = {}
        self.phase = INITIAL
        self.link.resume()
        self.link.retransmission(2, 4)
        settings = Settings(self.files())
        if int(settings.cfg["PER_REGSTATUS_FEAT"]) != 1:
            self.persistent().pop("registered", None)
            self.link.forget()
        super().booted(woken)

    def on_attached(self, resumed):
        super().on_attached(resumed)
        if self.running and self.phase == INITIAL and self._retry_timer is None and self.automatic:
            self._data_call()

    def on_detached(self):
        super().on_detached()
        self.abandon()
        self._stop(self._update_timer)
        if self.running and self.phase != INITIAL:
            self._event(INITIAL)

    # ---- state machine

    def start_client(self, automatic):
        """Start the client, with the files as they are at its first start in this boot; False when it runs already."""
        if self.running and self.phase != INITIAL:
            return False
        self._stop(self._boot_timer)  # whoever was first has started it, and may have ended it since
        self.running = True
        self.automatic = automatic
        if not self.loaded:
            self.loaded, self.settings = True, Settings(self.files())
        self._tries = 0
        self._wait_s = int(self.settings.cfg["RETRY_TIMEOUT"])
        self._bootstraps = 0
        self._event(INITIAL)
        self._data_call()
        return True

    def _event(self, phase):
        blank = False
        if self.quirk("space_states"):  # 6.2: once with a blank, once with an underscore
            blank = phase == REGISTER_REQUIRED or phase == INITIAL and self.phase != INITIAL
        self.phase = phase
        name = _STATES[phase]
        if blank:
            name = name.replace("_", " ")
        self.urc('+QLWEVENT: %d,"STATE%s%s"' % (phase, " " if blank else "_", name))

    def _later(self, seconds, function):
        self._stop(self._retry_timer)
        self._retry_timer = self.after(seconds * 1000, function)

    def _data_call(self):
        self._retry_timer = None
        if self.stat == ROAMING and int(self.settings.cfg["ROAMING_FEAT"]) == 1:
            return  # no LwM2M while roaming
        account = self.server() or self.settings.bootstrap()
        if account is None:
            return
        apn = self.settings.apn(account["ssid"])
        if self.attached and self.options["network_apn"] in ("", apn):
            self._tries = 0
            self._wait_s = int(self.settings.cfg["REG_RETRY_TIMEOUT"])
            self._connected()
            return
        if self._tries >= int(self.settings.cfg["MAX_NO_RETRIES"]):
            return
        self._tries += 1
        self._later(self._wait_s, self._data_call)
        grown = self._wait_s * int(self.settings.cfg["RETRY_EXPONENT_VAL"])
        self._wait_s = min(grown, int(self.settings.cfg["MAX_RETRY_TIMEOUT"]))

    def _connected(self):
        if self.persistent().get("registered"):
            self._resume_registration()
        elif self.server() is None:
            self._bootstrap()
        else:
            self._register()

    def _resume_registration(self):
        def done(code):
            if code == 204:
                self._client_ready()
            else:
                self.persistent().pop("registered", None)
                self._register()

        self.link.update(self.guarded(done))

    def endpoint(self, kind):
        """Endpoint name for REG_EP_NAME or BOOTSTRAP_EP_NAME; None where it cannot be made (FAQ 2)."""
        given = self.nvram.get("epns")
        if given:
            return given[1] if given[0] == 1 else "%s_%s" % (given[1], self.options["imei"])
        if int(self.settings.cfg[kind]) == 7:
            number = self.options["msisdn"]
            return "urn:imei-msisdn:%s-%s" % (self.options["imei"], number) if number else None
        return "urn:imei:%s" % self.options["imei"]

    def account(self, server):
        """The link's account of a server in the files."""
        host, port, secure = split_uri(server["uri"]) or ("127.0.0.1", 5683, False)
        host, port = self.led(host, port, server["bootstrap"])
        # The identity may hold colons itself ("IMEI:..."), the key is hex.
        identity, colon, key = self.files().get("ssl/%d_server.psk" % server["ssid"], "").rpartition(":")
        if int(server["security"]) == 0 and colon:
            return Account(host, port, identity.strip(), key.strip())
        return Account(host, port)

    # ---- bootstrap

    def _bootstrap(self):
        server = self.settings.bootstrap()
        self._event(BOOTSTRAP_REQUIRED)
        name = self.endpoint("BOOTSTRAP_EP_NAME")
        if server is None or name is None:
            return
        self._event(BOOTSTRAPPING)
        self.link.bootstrap(self.account(server), name, self.bootstrap_write, self.guarded(self._bootstrapped))

    def _bootstrapped(self, code):
        if code == 204 and self.server() is not None:
            self._event(INITIAL)
            self._register()
            return
        self._event(BOOTSTRAP_REQUIRED)
        self._bootstraps += 1
        if self._bootstraps <= int(self.settings.cfg["REBOOTSTRAP_REG_FAILS_MAX_NO_ATTEMPTS"]):
            self._retry(self._bootstrap)

    def _retry(self, function):
        self._later(self._wait_s, function)
        grown = self._wait_s * int(self.settings.cfg["REG_RETRY_EXPONENT"])
        self._wait_s = min(grown, int(self.settings.cfg["REG_RETRY_MAXTIMEOUT"]))

    # ---- registration

    def _register(self):
        self._retry_timer = None
        if self.phase != REGISTER_REQUIRED:
            self._event(REGISTER_REQUIRED)
        server, name = self.server(), self.endpoint("REG_EP_NAME")
        if server is None or name is None:
            return
        self._event(REGISTERING)
        done = self.guarded(self._registered)
        binding, lifetime = server.get("binding", "U"), server.get("lifetime", 86400)
        self.link.register(self.account(server), name, lifetime, binding, self.object_links(), done)

    def _registered(self, code):
        if code == 201:
            self._client_ready()
            return
        self._event(REGISTER_REQUIRED)
        server = self.server()
        carrier = self.settings.carrier(server["ssid"])
        if int(carrier.get("BS_IF_REG_FAILS", 0)) == 1 and self.settings.bootstrap() is not None:
            self._bootstrap()
        elif self.automatic:
            self._retry(self._register)

    def _client_ready(self):
        self._wait_s = int(self.settings.cfg["REG_RETRY_TIMEOUT"])
        kept = self.persistent()
        kept["server"] = self.server()
        kept["registered"] = True
        self._event(READY)
        self._arm_update()

    def _arm_update(self):
        self._stop(self._update_timer)
        self._update_timer = self.after(self.session()["lifetime"] * 900, lambda: self.update())

    def update(self, **changes):
        """Registration update with what changed; a server that forgot us is registered with anew."""

        def done(code):
            if code == 204:
                self._arm_update()
            else:
                self.persistent().pop("registered", None)
                self._register()

        self.link.update(self.guarded(done), **changes)
