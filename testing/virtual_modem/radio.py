"""The radio side of a module: SIM, attach, coverage, RRC state, PSM and eDRX.

After boot the module attaches in `attach_ms` (CEREG 2, then 1 or 5) and gets an address; from then on every packet makes
it RRC-connected for `rrc_ms`. Idle, it counts the active time (T3324) and enters PSM; T3412 wakes it for an update.
What a family does with these events it says in the `on_...` methods.
"""

from testing.lwm2m.codec import CodecError
from testing.virtual_modem.core import joined
from testing.virtual_modem.power import Power

_CONNECT_MS = 100  # from the page to the first byte: random access, set-up of the connection; a few hundred in NB-IoT
_EARLY_MS = 50
# Registration states of +CEREG.
IDLE, HOME, SEARCHING, DENIED, UNKNOWN, ROAMING = range(6)
# Timer octets of PSM (TS 24.008, 10.5.7.3 and 10.5.7.4a) and eDRX cycles (10.5.5.32).
T3412_UNITS = (600, 3600, 36000, 2, 30, 60, 1152000, 0)
T3324_UNITS = (2, 60, 360, 0, 0, 0, 0, 0)
EDRX_MS = {"0000": 5120, "0001": 10240, "0010": 20480, "0011": 40960, "0100": 61440, "0101": 81920, "0110": 102400,
           "0111": 122880, "1000": 143360, "1001": 163840, "1010": 327680, "1011": 655360, "1100": 1310720, "1101": 2621440,
           "1110": 5242880, "1111": 10485760}


def timer_seconds(bits, units):
    """An eight-bit GPRS timer as text -> seconds; 0 = switched off or no such text."""
    if len(bits) != 8 or bits.strip("01"):
        return 0
    return units[int(bits[:3], 2)] * int(bits[3:], 2)


class Declined(Exception):
    """A request of the server that is answered with a code and nothing else."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Radio(Power):
    """A module with a radio and a SIM."""

    OPTIONS = joined(Power.OPTIONS, {
        "imei": "866971030000717",  # serial number, and endpoint of most examples
        "imsi": "460111174590523",  # of the SIM
        "iccid": "89860317482035195680",  # of the SIM
        "sim": "ready",  # "ready", "pin", "puk", "absent"
        "pin": "1234",  # with sim "pin"
        "address": "100.97.37.69",  # that the network gives
        "attach_ms": 1500,  # from radio on to attached
        "deny_cause": 0,  # EMM cause of a refusal; 0 attaches
        "roaming": False,  # attached to a foreign network
        "rssi": 23,  # AT+CSQ
        "loss_ms": 10000,  # how long without coverage until the module notices
        "oos_rest_ms": 30000,  # without coverage, the module rests (PSM) after so long
        "rrc_ms": 10000,  # RRC inactivity timer of the network
        "paging_ms": 2560,  # the DRX cycle in which a module without a connection is paged: the longest wait
        "psm": ("00100001", "00000101"),  # T3412 extended, T3324 as stored at the factory; None: off
        "granted": None,  # what the network makes of them: as asked for, "refused", or (T3412 extended, T3324)
    })

    def __init__(self, clock, link, nvram=None, **options):
        self.coverage = True
        self.in_flight = 0  # exchanges that this module began and that are open
        self._era = 0  # counts what ends them unheard
        self._plain()
        self._seconds = {"sleep": 0, "rx": 0, "tx": 0}
        self._tau_timer = None
        link.on_request = self.asked
        super().__init__(clock, link, nvram, **options)

    def _plain(self):
        self.stat = IDLE
        self.rrc = False
        self.psm = False
        self._rrc_timer = self._active_timer = self._attach_timer = self._loss_timer = None
        self._rrc_since = 0

    # ---- SIM

    @property
    def sim_state(self):
        """What AT+CPIN? says: READY, SIM PIN, SIM PUK, or "" when there is no card."""
        kind = self.options["sim"]
        if kind == "absent":
            return ""
        if kind == "puk" or self.nvram.get("pin_tries", 3) <= 0:
            return "SIM PUK"
        if kind == "pin" and not self.kept.get("unlocked"):
            return "SIM PIN"
        return "READY"

    def enter_pin(self, pin):
        """Try a PIN: True when it was right. Three wrong ones block the card, across resets."""
        if pin == self.options["pin"]:
            self.nvram["pin_tries"] = 3
            self.kept["unlocked"] = True
            self.start_radio()
            return True
        self.nvram["pin_tries"] = self.nvram.get("pin_tries", 3) - 1
        return False

    def secrets(self):
        return (self.options["pin"] if self.options["sim"] == "pin" else "", self.options["imsi"])

    # ---- attach

    def booted(self, woken):
        self._plain()
        if woken and self.kept.get("attached") and self.coverage:
            self._attached(True)  # PSM keeps the registration
        else:
            self.start_radio()

    @property
    def cfun(self):
        """Functionality: 0 minimum, 1 full, 4 radio off."""
        return self.kept.get("cfun", 1)

    def set_cfun(self, value):
        """Change the functionality; the radio follows."""
        if value == self.cfun:
            return
        self.kept["cfun"] = value
        if value == 1:
            self.start_radio()
        else:
            self.stop_radio()
        self.consider_sleep()

    def start_radio(self):
        """Look for a network, if functionality and SIM permit."""
        if self.cfun != 1 or self.sim_state != "READY" or not self.wants_attach():
            return
        self._stop(self._attach_timer)
        self._set_stat(SEARCHING)
        self._stop(self._active_timer)
        if self.coverage:
            self._attach_timer = self.after(self.options["attach_ms"], self._attach_outcome)
        else:
            self._active_timer = self.after(self.options["oos_rest_ms"], self._out_of_service)

    def wants_attach(self):
        """False after AT+CGATT=0."""
        return not self.kept.get("detached")

    def _attach_outcome(self):
        if not self.coverage:
            return
        if self.options["deny_cause"]:
            self._set_stat(DENIED)
            return
        self._attached(False)

    def _attached(self, resumed):
        self.kept["attached"] = True
        self._set_stat(ROAMING if self.options["roaming"] else HOME)
        self.activity()
        self.on_attached(resumed)

    @property
    def attached(self):
        """True while the module has a network and an address."""
        return self.stat in (HOME, ROAMING)

    def stop_radio(self):
        """Detach at once: CFUN=0, CGATT=0."""
        was = self.attached
        self._stop(self._attach_timer)
        self._leave_rrc()
        self.kept.pop("attached", None)
        self._set_stat(IDLE)
        if was:
            self.on_detached()

    def set_coverage(self, up):
        """The world changes: the module notices a loss after `loss_ms`, finds back within `attach_ms`."""
        self.coverage = up
        if self.state_name != "on":
            return
        self._stop(self._loss_timer)
        if not up:
            self._loss_timer = self.after(self.options["loss_ms"], self._lost)
        elif not self.attached:
            self.start_radio()

    def _lost(self):
        if self.coverage or not self.attached:
            return
        self.kept.pop("attached", None)
        self._leave_rrc()
        self._set_stat(SEARCHING)
        self.on_detached()
        self._active_timer = self.after(self.options["oos_rest_ms"], self._out_of_service)

    def _out_of_service(self):
        """The search rests, once nothing is on its way any more."""
        if self.in_flight:
            self._active_timer = self.after(self.options["oos_rest_ms"], self._out_of_service)
        else:
            self._enter_psm()

    def _set_stat(self, stat):
        if stat != self.stat:
            self.stat = stat
            self.on_stat()

    def on_stat(self):
        """The registration state changed."""

    def on_attached(self, resumed):
        """There is an address; `resumed`: it was kept through deep sleep."""

    def on_detached(self):
        """The network is gone."""

    # ---- RRC and PSM

    def activity(self, release=False):
        """A packet went out or came in; `release`: the host said that no other follows (RAI)."""
        if not self.attached:
            return
        if self.psm:
            self.psm = False
            self.on_psm(False)
        self._stop(self._active_timer)
        self._stop(self._rrc_timer)
        self._seconds["tx"] += 100
        if not self.rrc:
            self.rrc = True
            self._rrc_since = self.clock.now
            self.on_rrc(True)
        self._rrc_timer = self.after(300 if release else self.options["rrc_ms"], self._rrc_idle)
        self.consider_sleep()

    def waits_for_page(self, again):
        """Whether a request has to wait because no connection stands; again() when the module has been paged."""
        if self.rrc or not self.attached or not self.options["paging_ms"]:
            return False

        def paged():
            self.activity()
            self.after(_CONNECT_MS, again)

        self.after(self.options["paging_ms"], paged)
        return True

    def asked(self, request):
        """A request of the server, heard or not; the family serves it (`serve`), what it declines is answered with the code.

        Before the 2.01 of a registration is here (`registering`) the server may ask: the registration comes first.
        """
        if self.state_name != "on":
            return
        if self.registering():
            self.after(_EARLY_MS, lambda: self.asked(request))
            return
        if self.waits_for_page(lambda: self.asked(request)):
            return
        self.activity()
        if self.link.refused(request):
            return
        try:
            self.serve(request)
        except Declined as declined:
            self.link.respond(request, declined.code)
        except CodecError:
            self.link.respond(request, 400)

    EXECUTES = {}  # path -> what an execute of the module's own resource does, a function of the model

    def may_execute(self, path):
        """Whether the module takes an execute of its own resource."""
        return path in self.EXECUTES

    def registering(self):
        """True while a registration has no answer."""
        return False

    def begin(self):
        """An exchange of ours begins: no PSM before it ends."""
        self.in_flight += 1
        self.activity()

    def end(self, release=False):
        """It ended."""
        self.in_flight = max(0, self.in_flight - 1)
        self.activity(release)

    def guarded(self, function):
        """Begin an exchange: its callback, heard only if the module has not restarted, slept or gone offline since."""
        self.begin()
        era = self._era

        def call(code):
            if era == self._era:
                self.end()
                function(code)

        return call

    def _rrc_idle(self):
        if self.in_flight:
            self._rrc_timer = self.after(self.options["rrc_ms"], self._rrc_idle)
            return
        self._leave_rrc()
        active = self.active_time_s()
        if active is not None:
            self._active_timer = self.after(active * 1000, self._enter_psm)
        self.consider_sleep()

    def _leave_rrc(self):
        self._stop(self._rrc_timer)
        self._stop(self._active_timer)
        if self.rrc:
            self.rrc = False
            self._seconds["rx"] += self.clock.now - self._rrc_since
            self.on_rrc(False)

    def _enter_psm(self):
        if self.psm or self.rrc or self.in_flight or self.active_time_s() is None:
            return
        self.psm = True
        self.on_psm(True)
        self.consider_sleep()

    def on_rrc(self, connected):
        """RRC connected or released."""

    def on_psm(self, entered):
        """PSM entered or left."""

    def psm_setting(self):
        """[mode, T3412 bits, T3324 bits] as stored."""
        factory = self.options["psm"]
        return self.stored("psm", [1, factory[0], factory[1]] if factory else [0, "00100001", "00000101"])

    def active_time_s(self):
        """Seconds from RRC release to PSM; None where PSM is off or the network was not asked."""
        granted = self.granted_timers()
        return None if granted is None else timer_seconds(granted[1], T3324_UNITS)

    def tau_s(self):
        """Seconds between two tracking area updates."""
        granted = self.granted_timers()
        return timer_seconds(self.psm_setting()[1] if granted is None else granted[0], T3412_UNITS)

    def granted_timers(self):
        """(T3412 extended, T3324) in bits as the network grants them; None: no PSM."""
        mode, periodic, active = self.psm_setting()
        network = self.options["granted"]
        if mode != 1 or active[:3] == "111" or network == "refused":
            return None
        return network or (periodic, active)

    def edrx_ms(self):
        """Cycle in use, 0 without."""
        mode, _, bits = self.stored("edrx", [0, 5, "0010"])
        return EDRX_MS.get(bits, 0) if mode in (1, 2) else 0

    def radio_counters(self):
        """Tenths of seconds: (sleeping, receiving, sending), as AT+QENG=2 gives them."""
        rx = self._seconds["rx"] + (self.clock.now - self._rrc_since if self.rrc else 0)
        return (self.clock.now - rx) // 100, rx // 100, self._seconds["tx"] // 100

    def abandon(self):
        """What is open ends unheard."""
        self._era += 1
        self.in_flight = 0

    def went_down(self, state):
        if self.rrc:
            self._seconds["rx"] += self.clock.now - self._rrc_since
        self._plain()
        self.abandon()
        tau = self.tau_s()
        if state == "asleep" and tau and self.kept.get("attached"):
            # One timer: it starts anew with each sleep, or a year's worth of them wakes the module all the time.
            self._stop(self._tau_timer)
            self._tau_timer = self.after_rtc(tau * 1000, self.wake_up)

    @staticmethod
    def _stop(timer):
        if timer is not None:
            timer.cancel()
