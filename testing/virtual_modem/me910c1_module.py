"""ME910C1 beside LwM2M: line, errors, identity, network, clock (low_power.md, 3.5; Telit manual, 2).

What differs from the Quectel modules: no boot text, AT+CMEE=0 at the start, lists joined by a lone LF, a command line of
400 characters. Power saving and reset are in `me910c1_power`, the file system in `me910c1_files`.
"""

from testing.virtual_modem.atline import READ, RUN, TEST, WRITE, Refused
from testing.virtual_modem.core import PENDING
from testing.virtual_modem.civil import civil
from testing.virtual_modem.generic import Generic
from testing.virtual_modem.me910c1_errors import CME, NUMERIC

NOT_ALLOWED, NOT_SUPPORTED = 3, 4
# Commands all of whose parameters may be left out: AT+CMD= is OK and changes nothing (2.2).
_ALL_OPTIONAL = ("+CEREG", "+CMEE", "+CSCON", "#PSMURC", "#CPSMS", "+CTZU", "#CCLKMODE")


class TelitModule(Generic):
    """The module around the LwM2M agent."""

    family = "me910c1"
    OPTIONS = dict(Generic.OPTIONS)
    OPTIONS.update(
        {
            "revision": "30.00.xx8",
            "model": "ME910C1-E1",  # AT+CGMM and 3/0/1
            "line_limit": 400,
            "cmee": 0,
            "psm": None,  # off until the host asks for it
            "boot_ms": 8000,  # after AT#REBOOT; one guide waits 10 s, another asks for 30
            "wake_ms": 3000,
            "power_on_ms": 5000,  # ON_OFF held
            "power_off_ms": 2500,
            "list_join": "lf",  # how lines of one list hang together: "lf" (2.2.2.3) or "crlf"
            "psm_keeps": False,  # True: agent, lists and settings outlive PSM; False: it is a power cycle to them
            "file_ms": 60000,  # how long the bytes of a file may take
            "sms": (),  # short messages that wait: nothing but errors is played
        }
    )
    HIDDEN = ("+QCCID", "+QCGDEFCONT", "+CBC")
    IDENTITY = ("332",)
    SECRET_FIELDS = {"+CPIN": (0, 1), "#LWM2MINJKEYS": (3, 4)}
    access_technology = 8  # E-UTRAN (CAT-M1)

    # ---- line and errors

    def args(self, name, form, text):
        args = super().args(name, form, text)
        args.count_error = args.value_error = self.cme(NOT_SUPPORTED)
        return args

    def cme(self, code):
        mode = self.setting("cmee")
        if mode == 0:
            return "ERROR"
        if self.quirk("cme_zero"):
            code = 0
        return "+CME ERROR: %s" % (code if mode == 1 else CME.get(code) or code)

    def cme_text(self, code):
        return CME.get(code) or "error %s" % code

    def cms(self, code):
        """The exception for a +CMS ERROR: a number whatever AT+CMEE says (2.2.2.2)."""
        return Refused("+CMS ERROR: %d" % code)

    def _run(self, command):
        name, equals, text = command.partition("=")
        if equals and not text.strip() and name.strip().upper() in _ALL_OPTIONAL:
            return None
        return super()._run(command)

    def _send_final(self, result):
        if self.setting("V") or self.setting("Q") or result not in NUMERIC:
            super()._send_final(result)
            return
        self.note("<", result)
        self.send(NUMERIC[result] + chr(self.setting("S3")))

    def join_lines(self, lines, end):
        one_list = len(lines) > 1 and all([line.split(":")[0] == lines[0].split(":")[0] for line in lines])
        if one_list and (self.options["list_join"] == "lf" or self.quirk("lf_lists")):
            return end[1:].join(lines)
        return end.join(lines)

    # ---- identity

    def at_cgmm(self, form, args):
        """Model."""
        self.need(form, RUN)
        self.info(self.options["model"])

    def at_cgmr(self, form, args):
        """Revision."""
        self.need(form, RUN)
        self.info(self.options["revision"])

    def at_cgsn(self, form, args):
        """IMEI, without a prefix."""
        if form == TEST:
            return
        self.need(form, RUN)
        self.info(self.options["imei"])

    def tat_cgsn(self, form, args):
        """IMEI, with a prefix."""
        if form == TEST:
            return
        self.need(form, RUN)
        self.info("#CGSN: %s" % self.options["imei"])

    def tat_ccid(self, form, args):
        """ICCID."""
        if form == TEST:
            return
        self.need(form, RUN, READ)
        if not self.sim_state:
            raise self.error(10)
        self.info("#CCID: %s" % self.options["iccid"])

    # ---- network

    def at_cfun(self, form, args):
        """Functionality; 5 sleeps until DTR (the wake pin) rises, 6 reboots."""
        if form == READ:
            self.info("+CFUN: %d" % self.cfun)
            return None
        if form == TEST:
            self.info("+CFUN: (0,1,4,5,6),(0,1)")
            return None
        self.need(form, WRITE)
        value = args.expect(1, 2).one_of(0, (0, 1, 4, 5, 6))
        if value == 6 or args.integer(1, 0, 1, 0):
            self.after(100, self.restart)
            return None
        if value == 5:
            self.after(100, self._doze)
            return None
        self.after(50, lambda: self._cfun_done(value))
        return PENDING

    def tat_ws46(self, form, args):
        """Radio access: 0 CAT-M, 1 NB-IoT, 2 and 3 both in one order or the other; after a reboot."""
        if form == READ:
            self.info("#WS46: %d" % self.stored("ws46", 0))
        elif form == TEST:
            self.info("#WS46: (0-3)")
        else:
            self.need(form, WRITE)
            self.nvram["ws46"] = args.expect(1).integer(0, 0, 3)

    def at_ws46(self, form, args):
        """Network: 12 GSM, 28 E-UTRAN, 30 both."""
        if form == READ:
            self.info("+WS46: %d" % self.stored("ws46_network", 28))
        elif form == TEST:
            self.info("+WS46: (12,28,30)")
        else:
            self.need(form, WRITE)
            self.nvram["ws46_network"] = args.expect(1).one_of(0, (12, 28, 30))

    def tat_bnd(self, form, args):
        """Bands, as bit masks."""
        if form == READ:
            self.info("#BND: %s" % self.stored("bands", "0,0,524420"))
            return
        self.need(form, WRITE)
        args.expect(1, 3)
        self.nvram["bands"] = "%d,%d,%d" % (
            args.integer(0, 0, 5),
            args.integer(1, 0, 65535, 0),
            args.integer(2, 1, 1 << 30, 524420),
        )

    def tat_sgact(self, form, args):
        """Context activation: the address comes back."""
        if form == READ:
            self.info("#SGACT: 1,%d" % self.kept.get("context", 0))
            return
        if form == TEST:
            self.info("#SGACT: (1-6),(0,1)")
            return
        self.need(form, WRITE)
        args.expect(2, 4).integer(0, 1, 6)
        active = args.integer(1, 0, 1)
        if not self.attached:
            raise self.error(555)
        if active and self.kept.get("context"):
            raise self.error(553)
        self.kept["context"] = active
        if active:
            self.info("#SGACT: %s" % self.options["address"])

    # ---- time

    def clock_text(self):
        unix = self.network_time()
        if unix is None:
            # Never told: this module counts from 1980 (IoT quick start guide).
            return '"80/01/06,%02d:%02d:%02d+00"' % civil(self.clock.now // 1000)[3:]
        return super().clock_text() if not self.stored("cclk_utc", 0) else self._utc_text(unix)

    def _utc_text(self, unix):
        self.kept["time_known"] = True
        quarters = self.options["zone_quarters"]
        year, month, day, hour, minute, second = civil(unix)
        zone = "%s%02d" % ("-" if quarters < 0 else "+", abs(quarters))
        return '"%02d/%02d/%02d,%02d:%02d:%02d%s"' % (year % 100, month, day, hour, minute, second, zone)

    def tat_cclk(self, form, args):
        """Clock with daylight saving."""
        self.need(form, READ)
        self.info('#CCLK: "%s,0"' % self.clock_text().strip('"'))

    def tat_cclkmode(self, form, args):
        """0: +CCLK is local time; 1: it is UTC."""
        if form == READ:
            self.info("#CCLKMODE: %d" % self.stored("cclk_utc", 0))
        elif form == TEST:
            self.info("#CCLKMODE: (0,1)")
        else:
            self.need(form, WRITE)
            self.nvram["cclk_utc"] = args.expect(1).integer(0, 0, 1)

    def at_ctzu(self, form, args):
        """Clock set by the network."""
        if form == READ:
            self.info("+CTZU: %d" % self.stored("ctzu", 0))
        elif form == TEST:
            self.info("+CTZU: (0,1)")
        else:
            self.need(form, WRITE)
            self.nvram["ctzu"] = args.expect(1).integer(0, 0, 1)
