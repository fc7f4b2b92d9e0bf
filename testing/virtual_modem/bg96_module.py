"""BG96 beside LwM2M: boot text in two steps, PSM that is a power-down, clock, identity, reset (low_power.md, 3.4).

Between RDY and APP RDY every command is answered ERROR (zephyr PR 57110). PSM ends in a power-down: PSM POWER DOWN, then
silence, until the power key (200 ms, and not within a second) or T3412; what comes back is a boot, with RDY and echo on.
"""

from testing.virtual_modem.atline import SWITCH, Refused, Row, among, one_word, remembered, whole, whole_number
from testing.virtual_modem.core import joined
from testing.virtual_modem.generic import Generic, civil, info

_KEY_DEAF_MS = 1000
# AT+QCFG -> its largest value; None: taken, and nothing comes of it.
_CONFIG = {"psm/urc": 1, "psm/enter": 1, "nwscanmode": 5, "iotopmode": 2, "servicedomain": 2, "band": None, "nwscanseq": None}


class Bg96Module(Generic):
    """The module without its LwM2M client."""

    family = "bg96"
    IDENTITY = ("Quectel", "BG96", "Revision: BG96MAR02A07M1G")
    OPTIONS = joined(Generic.OPTIONS, {
        "revision": "BG96MAR02A07M1G",
        "app_ready_ms": 1000,  # from RDY to APP RDY
        "at_lock_ms": 2000,
        "psm": None,
        "msisdn": "",  # FAQ 2: without one, endpoint names of type 7 fail
        "network_apn": "",  # the only APN that the network takes; "" takes any
        "cmee": 1,
    })

    def __init__(self, clock, link, nvram=None, **options):
        self.app_ready = False
        self._down_at = -_KEY_DEAF_MS
        super().__init__(clock, link, nvram, **options)

    # ---- boot

    def boot_text(self, woken):
        self.app_ready = False
        self.urc("RDY")
        self.after(self.options["app_ready_ms"], self._app_ready)

    def booted(self, woken):
        if woken:
            self.kept = {name: self.kept[name] for name in self.kept if name == "attached"}
        if self.options["start"] == "on" and not self.counters["restarts"] and not woken:
            self.app_ready = True
        super().booted(woken)

    def _app_ready(self):
        self.app_ready = True
        state = self.sim_state
        self.urc("+CFUN: %d" % self.cfun)
        if state:
            self.urc("+CPIN: %s" % state)
        self.urc("APP RDY")
        if self.quirk("boot_noise"):
            self.out(b"\x00\x1a\xff\n" * 512)  # kilobytes of it (forum 2482)
        self.applications_started()

    def applications_started(self):
        """The application processor runs: the LwM2M client may start."""

    def _run(self, command):
        if not self.app_ready and command[:1] in "+#":
            raise Refused("ERROR")
        return super()._run(command)

    def cme(self, code):
        if self.quirk("cme_zero") and self.setting("cmee") == 1:
            return "+CME ERROR: 0"
        return super().cme(code)

    def set_function(self, value, reset):
        """1,1 resets: POWERED DOWN, then the boot."""
        if reset:
            self.urc_after(80, "POWERED DOWN")
            if self.quirk("stray_urc"):
                self.urc_after(90, '+QIURC: "closed",0')
        return super().set_function(value, reset)

    def _address(self, context=1):
        return '1,"%s"' % (self.options["address"] if self.attached else "0.0.0.0")

    def _power_down(self, kind=1):
        self.urc_after(50, "POWERED DOWN")
        self.after(60, self.power_off)

    def _network_time(self, kind=0):
        """Time as the network told it last: 1 GMT, 2 local."""
        unix = self.network_time()
        if unix is None:
            return '""'
        quarters = self.options["zone_quarters"]
        when = civil(unix + (quarters * 900 if kind == 2 else 0))
        return '"%04d/%02d/%02d,%02d:%02d:%02d%s%02d,0"' % (when + ("-" if quarters < 0 else "+", abs(quarters)))

    # ---- sleep

    def _config(self, name, value, *_):
        """The settings that a node uses; scan and service settings are taken and kept."""
        most = _CONFIG[name]
        if most is None:
            return None
        values = self.stored("qcfg", {})
        if value is None:
            return '"%s",%d' % (name, values.get(name, 0))
        number = whole_number(value)
        if number is None or not 0 <= number <= most:
            raise self.error(50)
        values[name] = number
        if name == "psm/enter" and number and not self.rrc:
            self._enter_psm()
        return None

    def _timers(self):
        return self.tau_s(), self.active_time_s() or 0

    def on_attached(self, resumed):
        super().on_attached(resumed)
        if self.nvram.get("qcfg", {}).get("psm/urc") and self.psm_setting()[0]:
            self.urc("+QPSMTIMER: %d,%d" % self._timers())

    def on_rrc(self, connected):
        super().on_rrc(connected)
        if not connected and self.nvram.get("qcfg", {}).get("psm/enter"):
            self.after(10, self._enter_psm)

    def sleep_allowed(self):
        return self.psm and self.psm_setting()[0] == 1

    def falling_asleep(self):
        self.urc("PSM POWER DOWN")
        self._down_at = self.clock.now

    def _power_key(self, active, held):
        if self.state_name == "asleep" and self.clock.now - self._down_at < _KEY_DEAF_MS:
            return  # "this wake up request is not taken into account"
        super()._power_key(active, held)

    def _wake_pin(self, active, held):
        if self.state_name == "asleep" and self.clock.now - self._down_at < _KEY_DEAF_MS:
            return
        super()._wake_pin(active, held)

    COMMANDS = joined(Generic.COMMANDS, {
        "+CGSN": info(lambda m: m.options["imei"], True),
        "+GSN": info(lambda m: m.options["imei"], True),
        "+CGMR": info(lambda m: m.options["revision"], True),
        "+CEREG": Row("(0-2,4)", "registration", write=lambda m, mode: m.kept.update(cereg=mode), takes=(among(0, 1, 2, 4),)),
        "+CGPADDR": Row(None, _address, _address, _address, (whole(1, 15),)),
        "+QNWINFO": info(lambda m: '"CAT-NB1","46011","LTE BAND 5",2506' if m.attached else "No Service"),
        "+QCSQ": info(lambda m: '"CAT-NB1",-52,-81,195,-10' if m.attached else '"NOSERVICE"'),
        "+CTZU": Row(write=lambda m, mode: m.kept.update(ctzu=mode), takes=(whole(0, 3),)),
        "+QLTS": Row(run=_network_time, write=_network_time, takes=(whole(0, 2),)),
        "+QSCLK": remembered("kept", "qsclk", SWITCH),  # slow clock while DTR is high; the model stays awake and remembers
        "+QCFG": Row(write=_config, takes=(one_word(*_CONFIG), (lambda args, n: args.values[n] if args.has(n) else None, True)),
                     most=6),
        "+QPOWD": Row(run=_power_down, write=_power_down, takes=(SWITCH,)),  # 0 at once, 1 normal
        "+CPSMS": Generic.COMMANDS["+CPSMS"].but(test='(0,1),,,("00000000"-"11111111"),("00000000"-"11111111")'),
        "+QPSMS": Generic.COMMANDS["+CPSMS"].but(read=lambda m: '%d,,,"%d","%d"' % ((m.psm_setting()[0],) + m._timers())),
    })
