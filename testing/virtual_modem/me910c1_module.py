"""ME910C1 beside LwM2M: line, errors, network, clock, power saving, reset, files (low_power.md, 3.5; Telit manual, 2).

What differs from the Quectel modules: no boot text, AT+CMEE=0 at the start, lists joined by a lone LF, a command line of
400 characters, PSM in seconds.

    AT#M2MWRITE="/XML/object_3303.xml",1820     >>> , then 1820 bytes, then OK (field, not in the manual)
"""

from testing.virtual_modem.atline import RAW, SWITCH, SKIPPED, Refused, Row, among, remembered, whole, words
from testing.virtual_modem.core import PENDING, joined
from testing.virtual_modem.generic import Generic, civil, info
from testing.virtual_modem.me910c1_errors import CME, NUMERIC
from testing.virtual_modem.power import WAKE

NOT_ALLOWED, NOT_SUPPORTED = 3, 4
# Commands all of whose parameters may be left out: AT+CMD= is OK and changes nothing (2.2).
_ALL_OPTIONAL = ("+CEREG", "+CMEE", "+CSCON", "#PSMURC", "#CPSMS", "+CTZU", "#CCLKMODE")
_FILE_LIMIT = 65536
_FOLDERS = ("/XML/", "/mod/")
# Timer codes and their units in seconds, rising (TS 24.008, 10.5.7.4a and 10.5.7.3).
_TAU = ((3, 2), (4, 30), (5, 60), (0, 600), (1, 3600), (2, 36000), (6, 1152000))
_ACTIVE = ((0, 2), (1, 60), (2, 360))


class TelitModule(Generic):
    """The module around the LwM2M agent."""

    family = "me910c1"
    OPTIONS = joined(Generic.OPTIONS, {
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
    })
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

    # ---- network

    def set_function(self, value, reset):
        """AT+CFUN: 5 sleeps until DTR (the wake pin) rises, 6 reboots."""
        if value == 5 and not reset:
            self.after(100, self._doze)
            return None
        return super().set_function(value, reset or value == 6)

    def _context(self, cid, active, *_):
        """Its activation: the address comes back."""
        if not self.attached:
            raise self.error(555)
        if active and self.kept.get("context"):
            raise self.error(553)
        self.kept["context"] = active
        return self.options["address"] if active else None

    def clock_text(self):
        unix = self.network_time()
        if unix is None:
            # Never told: this module counts from 1980 (IoT quick start guide).
            return '"80/01/06,%02d:%02d:%02d+00"' % civil(self.clock.now // 1000)[3:]
        if not self.stored("cclk_utc", 0):
            return super().clock_text()
        self.kept["time_known"] = True
        quarters = self.options["zone_quarters"]
        zone = ("-" if quarters < 0 else "+", abs(quarters))
        return '"%02d/%02d/%02d,%02d:%02d:%02d%s%02d"' % ((civil(unix)[0] % 100,) + civil(unix)[1:] + zone)

    # ---- sleep, reset, power

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

    def _timers(self):
        return self.active_time_s() or 0, self.tau_s()

    def _set_psm_seconds(self, args):
        """Mode, RAU, GPRS ready timer, TAU, active time, version, threshold."""
        psm = self.psm_setting()
        mode = args.expect(1, 7).integer(0, 0, 2)
        if mode == 1:
            args.expect(5, 7)
            psm = [1, _bits(args.integer(3, 0, 35712000), _TAU), _bits(args.integer(4, 0, 11160), _ACTIVE)]
        self.nvram["psm"] = [1 if mode == 1 else 0, psm[1], psm[2]]
        self.activity()

    def sleep_allowed(self):
        return self.psm and not self.dozing

    def falling_asleep(self):
        if self.setting("psmurc"):
            self.urc("#PSMURC: %d,%d" % self._timers())

    def went_down(self, state):
        if state == "asleep" and not self.options["psm_keeps"]:
            self.kept = {name: self.kept[name] for name in self.kept if name in ("attached", "time_known", "unlocked")}
        super().went_down(state)

    def _reset(self, mode, delay):
        """0 off, 1 once now, 2 periodically."""
        self.nvram["enhrst"] = mode
        if mode:
            self.after(max(100, delay * 60000), self.restart)

    def _shut_down(self):
        self.after(1000, self.power_off)

    # ---- profiles, short messages, files (field)

    def _profile_number(self, args):
        if (args.text or "0") not in ("0", "1"):
            raise Refused(self.cme(NOT_SUPPORTED))
        self.nvram["profile_number"] = int(args.text or "0")

    def _short_message(self, index):
        """None is there, so this is where +CMS ERROR comes from."""
        if not self.sim_state:
            raise self.cms(310)
        if index >= len(self.options["sms"]):
            raise self.cms(321)
        return '"REC UNREAD","%s"' % self.options["sms"][index]

    def _write_file(self, name, size, *_):
        """The prompt, then as many bytes as announced."""
        if not any([name.startswith(folder) for folder in _FOLDERS]):
            raise self.error(1102)
        def given_up():
            self._swallow = None
            self.finish(self.cme(1105))

        def written(data):
            timer.cancel()
            try:
                self.stored("files", {})[name] = data.decode()
            except (UnicodeError, ValueError):
                self.finish(self.cme(1105))
            else:
                self.finish()

        self.take_bytes(size, written)
        timer = self.after(self.options["file_ms"], given_up)
        self.send("\r\n>>> ")
        return PENDING

    def _list_files(self, folder="/mod"):
        folder = folder.rstrip("/") + "/"
        if folder not in _FOLDERS:
            raise self.error(1102)
        files = self.stored("files", {})
        return ['"%s",%d' % (name[len(folder) :], len(files[name].encode()))
                for name in sorted(files) if name.startswith(folder)]

    def _delete_file(self, name):
        if self.stored("files", {}).pop(name, None) is None:
            raise self.error(1102)

    COMMANDS = joined(Generic.COMMANDS, {
        "+QCCID": None,
        "+QCGDEFCONT": None,
        "+CBC": None,
        "&P": Row(run=_profile_number, takes=RAW),  # the profile that is loaded at the start, base and extended section
        "&Y": Row(run=_profile_number, takes=RAW),  # the same, base section only
        "+CGMM": info(lambda m: m.options["model"], True),
        "+CGMR": info(lambda m: m.options["revision"], True),
        "+CGSN": info(lambda m: m.options["imei"], True),
        "#CGSN": info(lambda m: m.options["imei"]),
        "#CCID": Row(read=lambda m: m.card()["iccid"], run=lambda m: m.card()["iccid"]),
        "+CFUN": Row("(0,1,4,5,6),(0,1)", lambda m: "%d" % m.cfun, None, set_function, (among(0, 1, 4, 5, 6), whole(0, 1, 0))),
        "#WS46": remembered("nvram", "ws46", whole(0, 3), "(0-3)"),  # 0 CAT-M, 1 NB-IoT, 2 and 3 both; after a reboot
        "+WS46": remembered("nvram", "ws46_network", among(12, 28, 30), "(12,28,30)", 28),  # 12 GSM, 28 E-UTRAN, 30 both
        "#BND": Row(read=lambda m: m.stored("bands", "0,0,524420"),  # bit masks
                    write=lambda m, *masks: m.nvram.update(bands="%d,%d,%d" % masks),
                    takes=(whole(0, 5), whole(0, 65535, 0), whole(1, 1 << 30, 524420))),
        "#SGACT": Row("(1-6),(0,1)", lambda m: "1,%d" % m.kept.get("context", 0), None, _context,
                      (whole(1, 6), SWITCH, SKIPPED, SKIPPED)),
        "#CCLK": Row(read=lambda m: '"%s,0"' % m.clock_text().strip('"')),  # with daylight saving
        "#CCLKMODE": remembered("nvram", "cclk_utc", SWITCH, "(0,1)"),  # 0: +CCLK is local time; 1: it is UTC
        "+CTZU": remembered("nvram", "ctzu", SWITCH, "(0,1)"),
        "#CPSMS": Row("(0-2),,,(0-35712000),(0-11160),(0-15),(0-60)", lambda m: "%d,,,%d,%d" % (
            m.psm_setting()[0], m.tau_s(), m.active_time_s() or 0), None, _set_psm_seconds, RAW),
        "#PSMURC": remembered("kept", "psmurc", SWITCH, "(0,1)"),  # told when PSM is entered
        "#REBOOT": Row(run="reboot"),  # nothing is said when it is done
        "#SHDN": Row(run=_shut_down),
        "#SYSHALT": Row(run=_shut_down),
        "#ENHRST": Row("(0-2),(0-28800)", lambda m: "%d" % m.stored("enhrst", 0), None, _reset,
                       (whole(0, 2), whole(0, 28800, 0))),
        "+CMGR": Row(write=_short_message, takes=(whole(0, 255),)),
        "#M2MWRITE": Row(write=_write_file, takes=(words(128, 6), whole(1, _FILE_LIMIT), SKIPPED)),
        "#M2MLIST": Row(run=_list_files, write=_list_files, takes=(words(128, 0, "/mod"),)),
        "#M2MDEL": Row(write=_delete_file, takes=(words(128),)),
    })


def _bits(seconds, units):
    """An eight-bit GPRS timer that is at least so long (TS 24.008, 10.5.7.3 and 10.5.7.4a)."""
    for code, unit in units:
        count = (seconds + unit - 1) // unit
        if count <= 31:
            value = code << 5 | count
            return "".join(["1" if value >> bit & 1 else "0" for bit in range(7, -1, -1)])
    return "11100000"
