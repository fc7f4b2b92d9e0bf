"""Commands that modules have beside LwM2M, in the spelling of Quectel's NB-IoT modules (BC66, BC20).

low_power.md section 3 has the facts. A family that differs overrides the method; what it lacks, it hides in `HIDDEN`.
"""

from testing.virtual_modem.atline import READ, RUN, TEST, WRITE
from testing.virtual_modem.civil import civil
from testing.virtual_modem.core import PENDING
from testing.virtual_modem.radio import DENIED, Radio

__all__ = ["Generic", "civil"]


class GenericSleep(Radio):
    """PSM, eDRX and RRC state by command: the settings that the radio lives by (3GPP TS 27.007)."""

    def at_cpsms(self, form, args):
        """PSM: mode, periodic TAU, active time."""
        psm = self.psm_setting()
        if form == READ:
            self.info('+CPSMS: %d,,,"%s","%s"' % (psm[0], psm[1], psm[2]))
            return
        if form == TEST:
            self.info('+CPSMS: (0-2),,,("00000000"-"11111111"),("00000000"-"11111111")')
            return
        self.need(form, WRITE)
        mode = args.expect(1, 5).integer(0, 0, 2)
        periodic = args.string(3, 8, psm[1], 8)
        active = args.string(4, 8, psm[2], 8)
        if (periodic + active).strip("01"):
            raise args.wrong()
        self.nvram["psm"] = [1 if mode == 1 else 0, periodic, active]
        self.activity()

    def at_cedrxs(self, form, args):
        """eDRX: mode, access technology, cycle."""
        edrx = self.stored("edrx", [0, 5, "0010"])
        if form == READ:
            self.info('+CEDRXS: %d,"%s"' % (edrx[1], edrx[2]))
            return
        if form == TEST:
            self.info('+CEDRXS: (0-3),(5),("0000"-"1111")')
            return
        self.need(form, WRITE)
        mode = args.expect(1, 3).integer(0, 0, 3)
        technology = args.integer(1, 4, 5, edrx[1])
        bits = args.string(2, 4, edrx[2], 4)
        if bits.strip("01"):
            raise args.wrong()
        self.nvram["edrx"] = [mode if mode != 3 else 0, technology, bits]

    def at_cedrxrdp(self, form, args):
        """eDRX as the network granted it."""
        self.need(form, RUN)
        edrx = self.stored("edrx", [0, 5, "0010"])
        if edrx[0] in (1, 2):
            self.info('+CEDRXRDP: %d,"%s","%s","0001"' % (edrx[1], edrx[2], edrx[2]))
        else:
            self.info("+CEDRXRDP: 0")

    def at_cscon(self, form, args):
        """RRC state and its URC."""
        if form == READ:
            self.info("+CSCON: %d,%d" % (self.setting("cscon"), self.rrc))
            return
        self.need(form, WRITE)
        self.kept["cscon"] = args.expect(1).integer(0, 0, 1)

    def on_rrc(self, connected):
        if self.setting("cscon"):
            self.urc("+CSCON: %d" % connected)


class Generic(GenericSleep):
    """A module with the usual 3GPP and Quectel commands."""

    OPTIONS = dict(GenericSleep.OPTIONS)
    OPTIONS.update({
        "revision": "",  # of the firmware
        "battery_mv": 3600,  # AT+CBC
        "zone_quarters": 0,  # time zone of the network
        "clock_format": "quarters",  # of AT+CCLK?: "quarters", "bare" (no quotes), "gmt" (year of four digits)
    })
    HIDDEN = ()
    IDENTITY = ("Quectel_Ltd", "Quectel_BC66", "Revision: MTK_2625")

    def _method(self, name):
        return None if name in self.HIDDEN else super()._method(name)

    def live_state(self, lwm2m, objects, **more):
        """What the live view shows of every family, and what one adds."""
        state = {"family": self.family, "power": self.state_name, "attached": self.attached, "rrc": self.rrc, "psm": self.psm,
                 "lwm2m": lwm2m, "observed": [list(path) for path in self.link.observations()], "objects": objects,
                 "waiting": [], "buffered": 0, "counters": dict(self.counters)}
        state.update(more)
        return state

    # ---- identity

    def basic_i(self, form, args):
        """ATI: who it is."""
        for line in self.IDENTITY:
            self.info(line)

    def at_cgmi(self, form, args):
        """Manufacturer."""
        self.need(form, RUN)
        self.info(self.IDENTITY[0])

    def at_cgmm(self, form, args):
        """Model."""
        self.need(form, RUN)
        self.info(self.IDENTITY[1])

    def at_cgmr(self, form, args):
        """Firmware revision."""
        self.need(form, RUN)
        self.info("Revision: %s" % self.options["revision"])

    def at_cgsn(self, form, args):
        """Serial number, or with 1 the IMEI."""
        if form == TEST:
            self.info("+CGSN: (0-3)")
            return
        self.need(form, RUN, WRITE)
        kind = args.integer(0, 0, 3, 0) if form == WRITE else 0
        if kind == 1:
            self.info("+CGSN: %s" % self.options["imei"])
        elif kind == 0:
            self.info("MPA18B" + self.options["imei"][-9:])
        else:
            self.info("+CGSN: %s01" % self.options["imei"][:14])

    def at_cimi(self, form, args):
        """IMSI; a secret."""
        self.need(form, RUN)
        self._need_sim()
        self.info(self.options["imsi"])

    def at_qccid(self, form, args):
        """ICCID."""
        self.need(form, RUN, READ)
        if not self.sim_state:
            raise self.error(10)
        self.info("+QCCID: %s" % self.options["iccid"])

    def _need_sim(self):
        state = self.sim_state
        if not state:
            raise self.error(10)
        if state != "READY":
            raise self.error(11)

    def at_cpin(self, form, args):
        """SIM state, or a PIN."""
        if form == READ:
            if not self.sim_state:
                raise self.error(10)
            self.info("+CPIN: %s" % self.sim_state)
            return
        self.need(form, WRITE)
        pin = args.expect(1, 2).string(0, 8, shortest=4)
        if self.sim_state != "SIM PIN":
            raise self.error(3 if self.sim_state else 10)
        if not self.enter_pin(pin):
            raise self.error(16 if self.sim_state == "SIM PIN" else 12)
        self.urc_after(20, "+CPIN: READY")

    def urc_after(self, ms, text):
        """A URC a little later, as the module's tasks work one after the other."""
        self.after(ms, lambda: self.urc(text))

    # ---- network

    def at_cfun(self, form, args):
        """Functionality; ,1 resets."""
        if form == READ:
            self.info("+CFUN: %d" % self.cfun)
            return None
        self.need(form, WRITE)
        value = args.expect(1, 2).one_of(0, (0, 1, 4))
        if args.integer(1, 0, 1, 0):
            self.after(100, self.restart)
            return None
        self.after(self.options["latency_ms"] + 50, lambda: self._cfun_done(value))
        return PENDING

    def _cfun_done(self, value):
        self.set_cfun(value)
        self.finish()

    def at_cereg(self, form, args):
        """Registration state and its URC."""
        if form == TEST:
            self.info("+CEREG: (0-5)")
        elif form == READ:
            mode = self.setting("cereg")
            self.info("+CEREG: %d,%d%s" % (mode, self.stat, self._cereg_tail(mode)))
        else:
            self.need(form, WRITE)
            self.kept["cereg"] = args.expect(1).integer(0, 0, 5)

    def _cereg_tail(self, mode):
        if mode < 2:
            return ""
        place = ',"5A0C","02CF5133",%d' % self.access_technology if self.attached else ",,,"
        cause = ""
        if self.stat == DENIED and mode in (3, 5):
            cause = ",0,%d" % self.options["deny_cause"]
        elif mode >= 4:
            cause = ",,"
        timers = ""
        granted = self.granted_timers() if mode >= 4 and self.attached else None
        if granted is not None:
            timers = ',"%s","%s"' % (granted[1], granted[0])
        return place + cause + timers

    access_technology = 9  # E-UTRAN (NB-S1 mode)

    def on_stat(self):
        mode = self.setting("cereg")
        if mode:
            self.urc("+CEREG: %d%s" % (self.stat, self._cereg_tail(mode)))

    def at_cops(self, form, args):
        """Operator; automatic selection only."""
        if form == READ:
            self.info('+COPS: 0,2,"46011",%d' % self.access_technology if self.attached else "+COPS: 0")
            return
        self.need(form, WRITE)
        args.expect(1, 4).one_of(0, (0, 2))

    def at_cgatt(self, form, args):
        """Attach and detach."""
        if form == READ:
            self.info("+CGATT: %d" % self.attached)
            return None
        self.need(form, WRITE)
        if args.expect(1).integer(0, 0, 1):
            self.kept.pop("detached", None)
            if self.attached:
                return None
            self.start_radio()
        else:
            self.kept["detached"] = True
            self.stop_radio()
        self.after(self.options["latency_ms"] + 50, self.finish)
        return PENDING

    def at_cgpaddr(self, form, args):
        """Address of the context."""
        if form == TEST:
            self.info("+CGPADDR: (1)")
            return
        self.need(form, WRITE, READ, RUN)
        if form == WRITE:
            args.expect(1).integer(0, 0, 10)
        self.info("+CGPADDR: 1,%s" % self.options["address"] if self.attached else "+CGPADDR: 1")

    def at_cgdcont(self, form, args):
        """PDP context."""
        if form == READ:
            self.info('+CGDCONT: 1,"IP","%s"' % self.stored("apn", ""))
            return
        self.need(form, WRITE)
        args.expect(1, 8).integer(0, 0, 11)
        args.string(1, 8, "IP")
        self.nvram["apn"] = args.string(2, 100, "")

    def at_qcgdefcont(self, form, args):
        """Default context, used at the next attach."""
        if form == READ:
            self.info('+QCGDEFCONT: "IP","%s"' % self.stored("apn", ""))
            return
        self.need(form, WRITE)
        if args.expect(1, 4).string(0, 8) not in ("IP", "IPV6", "IPV4V6"):
            raise args.wrong()
        self.nvram["apn"] = args.string(1, 100, "")

    def at_csq(self, form, args):
        """Signal."""
        self.need(form, RUN)
        self.info("+CSQ: %d,0" % self.options["rssi"] if self.attached else "+CSQ: 99,99")

    def at_cesq(self, form, args):
        """Signal, in detail."""
        self.need(form, RUN)
        level = 2 * self.options["rssi"]
        if self.attached:
            self.info("+CESQ: %d,0,255,255,20,%d" % (level, min(97, level)))
        else:
            self.info("+CESQ: 99,99,255,255,255,255")

    # ---- time

    def network_time(self):
        """Unix time as the network told it, None before."""
        return self.unix() if self.attached or self.kept.get("time_known") else None

    def at_cclk(self, form, args):
        """Clock, in the format that the option `clock_format` names (low_power.md, 3.7)."""
        if form == WRITE:
            args.expect(1, 2)
            return
        self.need(form, READ)
        self.info("+CCLK: %s" % self.clock_text())

    def clock_text(self):
        """The clock as +CCLK prints it."""
        unix = self.network_time()
        quarters = self.options["zone_quarters"]
        if unix is None:
            return '"70/01/01,00:00:%02d+00"' % (self.clock.now // 1000 % 60)
        self.kept["time_known"] = True
        year, month, day, hour, minute, second = civil(unix + quarters * 900)
        clock = "%02d/%02d,%02d:%02d:%02d" % (month, day, hour, minute, second)
        if self.options["clock_format"] == "gmt":
            return "%04d/%sGMT%+d" % (year, clock, quarters // 4)
        bare = "%02d/%s%s%02d" % (year % 100, clock, "-" if quarters < 0 else "+", abs(quarters))
        return bare if self.options["clock_format"] == "bare" else '"%s"' % bare

    # ---- line

    def at_ipr(self, form, args):
        """Baud rate; 0 finds it out."""
        rates = (0, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
        if form == READ:
            self.info("+IPR: %d" % self.stored("ipr", 115200))
            return
        self.need(form, WRITE)
        self.nvram["ipr"] = args.expect(1, 2).one_of(0, rates)

    def at_cbc(self, form, args):
        """Supply voltage."""
        self.need(form, RUN)
        self.info("+CBC: 0,0,%d" % self.options["battery_mv"])
