"""Commands that modules have beside LwM2M, in the spelling of Quectel's NB-IoT modules (BC66, BC20).

low_power.md section 3 and 3GPP TS 27.007 have the facts. A family that differs overrides the row; what it lacks is None.
"""

from testing.virtual_modem.atline import GIVEN, RAW, SKIPPED, SWITCH, Row, among, bits, one_word, whole, words
from testing.virtual_modem.core import PENDING, joined
from testing.virtual_modem.radio import DENIED, Radio

_RATES = (0, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def civil(unix):
    """Unix seconds -> (year, month, day, hour, minute, second); without a library, for both interpreters."""
    days, rest = divmod(unix, 86400)
    year, month = 1970, 0
    while days >= 365 + _leap(year):
        days -= 365 + _leap(year)
        year += 1
    while days >= _DAYS[month] + (month == 1 and _leap(year)):
        days -= _DAYS[month] + (month == 1 and _leap(year))
        month += 1
    return year, month + 1, days + 1, rest // 3600, rest // 60 % 60, rest % 60


def _leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def info(text, bare=False):
    """The row of a command that tells something when run; `text` is a function of the model."""
    return Row(run=text, bare=bare)


class Generic(Radio):
    """A module with the usual 3GPP and Quectel commands."""

    OPTIONS = joined(Radio.OPTIONS, {
        "revision": "",  # of the firmware
        "battery_mv": 3600,  # AT+CBC
        "zone_quarters": 0,  # time zone of the network
        "clock_format": "quarters",  # of AT+CCLK?: "quarters", "bare" (no quotes), "gmt" (year of four digits)
    })
    IDENTITY = ("Quectel_Ltd", "Quectel_BC66", "Revision: MTK_2625")
    access_technology = 9  # E-UTRAN (NB-S1 mode)

    def live_state(self, lwm2m, objects, **more):
        """What the live view shows of every family, and what one adds."""
        state = {"family": self.family, "power": self.state_name, "attached": self.attached, "rrc": self.rrc, "psm": self.psm,
                 "lwm2m": lwm2m, "observed": [list(path) for path in self.link.observations()], "objects": objects,
                 "waiting": [], "buffered": 0, "counters": dict(self.counters)}
        state.update(more)
        return state

    def urc_after(self, ms, text):
        """A URC a little later, as the module's tasks work one after the other."""
        self.after(ms, lambda: self.urc(text))

    # ---- sleep

    def _set_psm(self, mode, _, __, periodic, active):
        psm = self.psm_setting()
        self.nvram["psm"] = [1 if mode == 1 else 0, periodic or psm[1], active or psm[2]]
        self.activity()

    def _edrx(self):
        return self.stored("edrx", [0, 5, "0010"])

    def _set_edrx(self, mode, technology, bits):
        edrx = self._edrx()
        self.nvram["edrx"] = [mode if mode != 3 else 0, technology or edrx[1], bits or edrx[2]]

    def _granted_edrx(self):
        mode, technology, bits = self._edrx()
        return '%d,"%s","%s","0001"' % (technology, bits, bits) if mode in (1, 2) else "0"

    def on_rrc(self, connected):
        if self.setting("cscon"):
            self.urc("+CSCON: %d" % connected)

    # ---- identity

    def _serial(self, kind=0):
        if kind == 0:
            self.info("MPA18B" + self.options["imei"][-9:])
            return None
        return self.options["imei"] if kind == 1 else self.options["imei"][:14] + "01"

    def card(self):
        """The module's options, refused without a SIM."""
        if not self.sim_state:
            raise self.error(10)
        return self.options

    def _imsi(self):
        if self.card() and self.sim_state != "READY":
            raise self.error(11)
        return self.options["imsi"]

    def _try_pin(self, pin, new):
        if self.card() and self.sim_state != "SIM PIN":
            raise self.error(3)
        if not self.enter_pin(pin):
            raise self.error(16 if self.sim_state == "SIM PIN" else 12)
        self.urc_after(20, "+CPIN: READY")

    # ---- network

    def reboot(self, kind=1):
        """By command, once its OK is out."""
        self.after(100, self.restart)

    def set_function(self, value, reset):
        """AT+CFUN; ,1 resets."""
        if reset:
            return self.reboot()

        def done():
            self.set_cfun(value)
            self.finish()

        self.after(self.options["latency_ms"] + 50, done)
        return PENDING

    def _cereg_tail(self, mode):
        if mode < 2:
            return ""
        place = ',"5A0C","02CF5133",%d' % self.access_technology if self.attached else ",,,"
        cause = ""
        if self.stat == DENIED and mode in (3, 5):
            cause = ",0,%d" % self.options["deny_cause"]
        elif mode >= 4:
            cause = ",,"
        granted = self.granted_timers() if mode >= 4 and self.attached else None
        return place + cause + ("" if granted is None else ',"%s","%s"' % (granted[1], granted[0]))

    def registration(self):
        """What AT+CEREG? says."""
        mode = self.setting("cereg")
        return "%d,%d%s" % (mode, self.stat, self._cereg_tail(mode))

    def on_stat(self):
        mode = self.setting("cereg")
        if mode:
            self.urc("+CEREG: %d%s" % (self.stat, self._cereg_tail(mode)))

    def _attach(self, on):
        if on:
            self.kept.pop("detached", None)
            if self.attached:
                return None
            self.start_radio()
        else:
            self.kept["detached"] = True
            self.stop_radio()
        self.after(self.options["latency_ms"] + 50, self.finish)
        return PENDING

    def _address(self, context=1):
        return "1,%s" % self.options["address"] if self.attached else "1"

    def _define(self, *context):
        self.nvram["apn"] = context[-1]

    def _levels(self):
        level = 2 * self.options["rssi"]
        return "%d,0,255,255,20,%d" % (level, min(97, level)) if self.attached else "99,99,255,255,255,255"

    # ---- time

    def network_time(self):
        """Unix time as the network told it, None before."""
        return self.unix() if self.attached or self.kept.get("time_known") else None

    def clock_text(self):
        """The clock as +CCLK prints it, in the format that the option `clock_format` names (low_power.md, 3.7)."""
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

    COMMANDS = joined(Radio.COMMANDS, {
        "I": Row(run=lambda m, args: m.IDENTITY, takes=RAW, bare=True),
        "+CGMI": info(lambda m: m.IDENTITY[0], True),
        "+CGMM": info(lambda m: m.IDENTITY[1], True),
        "+CGMR": info(lambda m: "Revision: %s" % m.options["revision"], True),
        "+CGSN": Row("(0-3)", run=_serial, write=_serial, takes=(whole(0, 3, 0),)),  # 1: the IMEI
        "+CIMI": info(_imsi, True),
        "+QCCID": Row(read=lambda m: m.card()["iccid"], run=lambda m: m.card()["iccid"]),
        "+CPIN": Row(read=lambda m: m.card() and m.sim_state, write=_try_pin, takes=(words(8, 4), SKIPPED)),
        "+CFUN": Row(read=lambda m: "%d" % m.cfun, write="set_function", takes=(among(0, 1, 4), whole(0, 1, 0))),
        "+CEREG": Row("(0-5)", registration, write=lambda m, mode: m.kept.update(cereg=mode), takes=(whole(0, 5),)),
        "+COPS": Row(read=lambda m: '0,2,"46011",%d' % m.access_technology if m.attached else "0",
                     write=lambda m, mode: None, takes=(among(0, 2),), most=4),  # automatic selection only
        "+CGATT": Row(read=lambda m: "%d" % m.attached, write=_attach, takes=(SWITCH,)),
        "+CGPADDR": Row("(1)", _address, _address, _address, (whole(0, 10),)),
        "+CGDCONT": Row(read=lambda m: '1,"IP","%s"' % m.stored("apn", ""), write=_define,
                        takes=(whole(0, 11), words(8, 0, "IP"), words(100, 0, "")), most=8),
        "+QCGDEFCONT": Row(read=lambda m: '"IP","%s"' % m.stored("apn", ""), write=_define,
                           takes=(one_word("IP", "IPV6", "IPV4V6"), words(100, 0, "")), most=4),  # used at the next attach
        "+CSQ": info(lambda m: "%d,0" % m.options["rssi"] if m.attached else "99,99"),
        "+CESQ": info(_levels),
        "+CCLK": Row(read="clock_text", write=lambda m, *given: None, takes=(GIVEN, SKIPPED)),
        "+IPR": Row(read=lambda m: "%d" % m.stored("ipr", 115200), write=lambda m, rate: m.nvram.update(ipr=rate),
                    takes=(among(*_RATES),), most=2),  # 0 finds it out
        "+CBC": info(lambda m: "0,0,%d" % m.options["battery_mv"]),
        "+CPSMS": Row('(0-2),,,("00000000"-"11111111"),("00000000"-"11111111")',
                      lambda m: '%d,,,"%s","%s"' % tuple(m.psm_setting()), None, _set_psm,
                      (whole(0, 2), SKIPPED, SKIPPED, bits(8), bits(8))),
        "+CEDRXS": Row('(0-3),(5),("0000"-"1111")', lambda m: '%d,"%s"' % tuple(m._edrx()[1:]), None, _set_edrx,
                       (whole(0, 3), whole(4, 5, 0), bits(4))),
        "+CEDRXRDP": info(_granted_edrx),
        "+CSCON": Row(read=lambda m: "%d,%d" % (m.setting("cscon"), m.rrc), write=lambda m, on: m.kept.update(cscon=on),
                      takes=(SWITCH,)),
    })
