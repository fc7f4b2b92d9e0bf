"""ME910C1: PSM in seconds, deaf times, reset, power (AT#CPSMS, AT+CFUN=5, AT#REBOOT, AT#SHDN, AT#ENHRST)."""

from testing.virtual_modem.atline import READ, RUN, TEST, WRITE
from testing.virtual_modem.me910c1_module import TelitModule
from testing.virtual_modem.power import WAKE

# Timer codes and their units in seconds, rising (TS 24.008, 10.5.7.4a and 10.5.7.3).
_TAU = ((3, 2), (4, 30), (5, 60), (0, 600), (1, 3600), (2, 36000), (6, 1152000))
_ACTIVE = ((0, 2), (1, 60), (2, 360))


class TelitPower(TelitModule):
    """Sleep, reset, power."""

    def _doze(self):
        self.deaf, self._sleep_told = True, False
        self.explain("AT+CFUN=5: it hears no AT until DTR, the wake pin, rises; " + WAKE)

    @property
    def dozing(self):
        """True between AT+CFUN=5 and the rise of DTR: deaf, but nothing is lost."""
        return self.deaf and self.state_name == "on"

    def _power_key(self, active, held):
        if active and self.state_name == "asleep":
            self._pins["switched_on"] = True  # the press that wakes does not switch off when it lasts
        super()._power_key(active, held)

    def _wake_pin(self, active, held):
        if self.dozing and active:
            self.deaf = False
        super()._wake_pin(active, held)

    # ---- power saving

    def tat_cpsms(self, form, args):
        """PSM in seconds: mode, RAU, GPRS ready timer, TAU, active time, version, threshold."""
        psm = self.psm_setting()
        if form == READ:
            self.info("#CPSMS: %d,,,%d,%d" % (psm[0], self.tau_s(), self.active_time_s() or 0))
            return
        if form == TEST:
            self.info("#CPSMS: (0-2),,,(0-35712000),(0-11160),(0-15),(0-60)")
            return
        self.need(form, WRITE)
        mode = args.expect(1, 7).integer(0, 0, 2)
        if mode == 1:
            args.expect(5, 7)
            psm = [1, _bits(args.integer(3, 0, 35712000), _TAU), _bits(args.integer(4, 0, 11160), _ACTIVE)]
        self.nvram["psm"] = [1 if mode == 1 else 0, psm[1], psm[2]]
        self.activity()

    def tat_psmurc(self, form, args):
        """#PSMURC when PSM is entered."""
        if form == READ:
            self.info("#PSMURC: %d" % self.setting("psmurc"))
        elif form == TEST:
            self.info("#PSMURC: (0,1)")
        else:
            self.need(form, WRITE)
            self.kept["psmurc"] = args.expect(1).integer(0, 0, 1)

    def sleep_allowed(self):
        return self.psm and not self.dozing

    def falling_asleep(self):
        if self.setting("psmurc"):
            self.urc("#PSMURC: %d,%d" % (self.active_time_s() or 0, self.tau_s()))

    def went_down(self, state):
        if state == "asleep" and not self.options["psm_keeps"]:
            self.kept = {name: self.kept[name] for name in self.kept if name in ("attached", "time_known", "unlocked")}
        super().went_down(state)

    # ---- reset and power

    def tat_reboot(self, form, args):
        """Reboot; nothing is said when it is done."""
        if form == TEST:
            return
        self.need(form, RUN)
        self.after(100, self.restart)

    def tat_shdn(self, form, args):
        """Switch off."""
        if form == TEST:
            return
        self.need(form, RUN)
        self.after(1000, self.power_off)

    tat_syshalt = tat_shdn

    def tat_enhrst(self, form, args):
        """Reset: 0 off, 1 once now, 2 periodically."""
        if form == READ:
            self.info("#ENHRST: %d" % self.stored("enhrst", 0))
            return
        if form == TEST:
            self.info("#ENHRST: (0-2),(0-28800)")
            return
        self.need(form, WRITE)
        mode = args.expect(1, 2).integer(0, 0, 2)
        delay = args.integer(1, 0, 28800, 0)
        self.nvram["enhrst"] = mode
        if mode:
            self.after(max(100, delay * 60000), self.restart)

def _bits(seconds, units):
    """An eight-bit GPRS timer that is at least so long (TS 24.008, 10.5.7.3 and 10.5.7.4a)."""
    for code, unit in units:
        count = (seconds + unit - 1) // unit
        if count <= 31:
            value = code << 5 | count
            return "".join(["1" if value >> bit & 1 else "0" for bit in range(7, -1, -1)])
    return "11100000"
