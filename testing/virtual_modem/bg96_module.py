"""BG96 beside LwM2M: boot text in two steps, PSM that is a power-down, clock, identity, reset (low_power.md, 3.4).

Between RDY and APP RDY every command is answered ERROR (zephyr PR 57110). PSM ends in a power-down: PSM POWER DOWN, then
silence, until the power key (200 ms, and not within a second) or T3412; what comes back is a boot, with RDY and echo on.
"""

from testing.virtual_modem.atline import READ, RUN, TEST, WRITE, Refused
from testing.virtual_modem.generic import Generic, civil

_KEY_DEAF_MS = 1000


class Bg96Module(Generic):
    """The module without its LwM2M client."""

    family = "bg96"
    IDENTITY = ("Quectel", "BG96", "Revision: BG96MAR02A07M1G")
    HIDDEN = ("+QENG", "+QRELLOCK")
    access_technology = 9
    OPTIONS = dict(Generic.OPTIONS)
    OPTIONS.update({
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

    def at_cfun(self, form, args):
        """Functionality; 1,1 resets: POWERED DOWN, then the boot."""
        if form == WRITE and args.expect(1, 2).integer(1, 0, 1, 0) == 1:
            args.one_of(0, (0, 1, 4))
            self.urc_after(80, "POWERED DOWN")
            if self.quirk("stray_urc"):
                self.urc_after(90, '+QIURC: "closed",0')
            self.after(100, self.restart)
            return None
        return super().at_cfun(form, args)

    def at_qpowd(self, form, args):
        """Power down: 0 at once, 1 normal."""
        if form == WRITE:
            args.expect(1).integer(0, 0, 1)
        else:
            self.need(form, RUN)
        self.urc_after(50, "POWERED DOWN")
        self.after(60, self.power_off)

    # ---- identity

    def at_cgsn(self, form, args):
        """IMEI, bare."""
        self.need(form, RUN)
        self.info(self.options["imei"])

    at_gsn = at_cgsn

    def at_cgmr(self, form, args):
        """Revision, bare."""
        self.need(form, RUN)
        self.info(self.options["revision"])

    def at_qccid(self, form, args):
        """ICCID; the BG96's AT+QCCID."""
        super().at_qccid(form, args)

    # ---- network

    def at_qnwinfo(self, form, args):
        """Network in use."""
        self.need(form, RUN)
        self.info('+QNWINFO: "CAT-NB1","46011","LTE BAND 5",2506' if self.attached else "+QNWINFO: No Service")

    def at_qcsq(self, form, args):
        """Signal by technology."""
        self.need(form, RUN)
        self.info('+QCSQ: "CAT-NB1",-52,-81,195,-10' if self.attached else '+QCSQ: "NOSERVICE"')

    def at_cgpaddr(self, form, args):
        """Address, quoted."""
        self.need(form, WRITE, READ, RUN)
        self.info('+CGPADDR: 1,"%s"' % self.options["address"] if self.attached else '+CGPADDR: 1,"0.0.0.0"')

    def at_ctzu(self, form, args):
        """Take the network's time zone."""
        self.need(form, WRITE)
        self.kept["ctzu"] = args.expect(1).integer(0, 0, 3)

    def at_qlts(self, form, args):
        """Time as the network told it last: 1 GMT, 2 local."""
        self.need(form, WRITE, RUN)
        kind = args.expect(1).integer(0, 0, 2) if form == WRITE else 0
        unix = self.network_time()
        if unix is None:
            self.info('+QLTS: ""')
            return
        quarters = self.options["zone_quarters"]
        year, month, day, hour, minute, second = civil(unix + (quarters * 900 if kind == 2 else 0))
        sign = "-" if quarters < 0 else "+"
        text = '+QLTS: "%04d/%02d/%02d,%02d:%02d:%02d%s%02d,0"'
        self.info(text % (year, month, day, hour, minute, second, sign, abs(quarters)))

    # ---- sleep

    def at_qsclk(self, form, args):
        """Slow clock while DTR is high; the model stays awake and remembers."""
        if form == READ:
            self.info("+QSCLK: %d" % self.kept.get("qsclk", 0))
            return
        self.need(form, WRITE)
        self.kept["qsclk"] = args.expect(1).integer(0, 0, 1)

    def at_qcfg(self, form, args):
        """The settings that a node uses: "psm/urc", "psm/enter", scan and service settings are taken and kept."""
        self.need(form, WRITE)
        name = args.expect(1, 6).string(0, 30)
        limits = {"psm/urc": 1, "psm/enter": 1, "nwscanmode": 5, "iotopmode": 2, "servicedomain": 2}
        if name in ("band", "nwscanseq"):
            return
        if name not in limits:
            raise args.wrong()
        values = self.stored("qcfg", {})
        if not args.has(1):
            self.info('+QCFG: "%s",%d' % (name, values.get(name, 0)))
            return
        values[name] = args.integer(1, 0, limits[name])
        if name == "psm/enter" and values[name] and not self.rrc:
            self._enter_psm()

    def at_qpsms(self, form, args):
        """PSM, with the timers that the network granted."""
        if form == READ:
            psm = self.psm_setting()
            self.info('+QPSMS: %d,,,"%d","%d"' % (psm[0], self.tau_s(), self.active_time_s() or 0))
            return
        self.at_cpsms(form, args)

    def on_attached(self, resumed):
        super().on_attached(resumed)
        if self.nvram.get("qcfg", {}).get("psm/urc") and self.psm_setting()[0]:
            self.urc("+QPSMTIMER: %d,%d" % (self.tau_s(), self.active_time_s() or 0))

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

    def at_cpsms(self, form, args):
        """PSM; the test form lists the timers."""
        if form == TEST:
            self.info('+CPSMS: (0,1),,,("00000000"-"11111111"),("00000000"-"11111111")')
            return
        super().at_cpsms(form, args)
