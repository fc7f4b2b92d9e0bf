"""Commands of Quectel's MT2625 modules (BC66, BC20) beside LwM2M: sleep, events, reset, engineering."""

from testing.lwm2m.names import TIMEOUT, path_text
from testing.virtual_modem.atline import Row, SWITCH, among, one_word, remembered, whole
from testing.virtual_modem.core import PENDING, joined
from testing.virtual_modem.generic import Generic

UNOBSERVED = "unobserved"
_PAGING_MS = 2560  # one paging time window
# AT+QCFG -> its largest value; "dsevent": a URC before deep sleep.
_CONFIG = {"dsevent": 1, "atlocktime": 60, "initlocktime": 60, "epco": 1, "wakeupRXD": 1}


class Quectel(Generic):
    """BC66 and BC20: boot text, light and deep sleep, module events."""

    OPTIONS = joined(Generic.OPTIONS, {
        "banner": True,  # of the boot ROM, in LF CR
    })
    BUILT_IN = ()  # objects of the module's own
    _unsaid = None

    def explain_send(self, outcome, path=()):
        """Why SEND FAIL follows, for people: the AT line gives no reason."""
        if outcome == 0:
            return
        place = "/".join(map(str, path))
        if outcome == UNOBSERVED:
            self.explain("SEND FAIL: nobody observes %s, and nothing else can carry it (RFC 7641)" % place)
        elif outcome is TIMEOUT:
            self.explain("SEND FAIL: no acknowledgement came; " + (
                "is a server there?" if self.coverage else "coverage is lost, `radio up` brings it back"))
        else:
            self.explain("SEND FAIL: the server answered with a reset: it has no observation of %s any more" % place)

    # ---- boot

    def boot_text(self, woken):
        if self.options["banner"]:
            banner = self._banner(woken)
            if self.quirk("baud_garbage"):
                banner = bytes([byte * 5 & 0x7F | 0x80 for byte in banner])
            self.out(banner)
        self._unsaid = None
        if self.quirk("autobaud") and not self.nvram.get("ipr"):
            self._unsaid = woken  # neither RDY nor +CFUN nor +CPIN before the host has sent AT
        else:
            self._say_ready(woken)

    def _say_ready(self, woken):
        if self.setting("atwakeup") and woken:
            self.urc("+QATWAKEUP")
        if not woken:
            self.urc("RDY")
            self.urc("+CFUN: %d" % self.cfun)
        state = self.sim_state
        if state or self.tells_missing_sim():
            self.urc("+CPIN: %s" % (state if state else "NOT READY"))

    def tells_missing_sim(self):
        """True where +CPIN: NOT READY tells that there is no SIM."""
        return True

    def answered(self):
        super().answered()
        if self._unsaid is not None:
            woken, self._unsaid = self._unsaid, None
            self._say_ready(woken)

    def _banner(self, woken):
        # The boot ROM ends its lines LF CR (forum 18800); seven lines cold, six from deep sleep (manual, 4.2.15).
        if woken:
            lines = ["F1: 0000 0000", "V0: 0000 0000 [0001]", "00: 0000 0000", "U0: 0000 0001 [0000]", "T0: 0000 001E"]
        else:
            lines = ["F1: 0000 0000", "V0: 0000 0000 [0001]", "00: 0006 000C", "01: 0000 0000"]
            lines += ["U0: 0000 0001 [0000]", "T0: 0000 00B4"]
        lines.append("Leaving the BROM")
        text = "\n\r" + "".join([line + "\n\r" for line in lines])
        if self.quirk("banner_glued"):
            text += "BL_V01"
        return text.encode()

    def on_attached(self, resumed):
        if not resumed:
            self.urc("+IP: %s" % self.options["address"])

    # ---- sleep

    def _set_sleep(self, value):
        if value == 0 and self.quirk_once("qsclk_error"):
            self.after(1900, lambda: self.finish("ERROR"))
            return PENDING
        self.kept["qsclk"] = value
        self.consider_sleep()
        return None

    def _give_lock_back(self):
        self.finish()
        self.release_lock()
        return PENDING

    def sleep_allowed(self):
        if self.kept.get("qsclk", 1) != 1:
            return False
        return self.cfun == 0 or self.psm or not self.rrc and self.attached and self.edrx_ms() >= 81920

    def falling_asleep(self):
        if self.nvram.get("qcfg", {}).get("dsevent"):
            if self.quirk("deepsleep_no_newline"):
                self.send('\r\n+QNBIOTEVENT: "ENTER DEEPSLEEP"')
            else:
                self.urc('+QNBIOTEVENT: "ENTER DEEPSLEEP"')

    def hold_awake(self, ms=None):
        if ms is None:
            ms = self.nvram.get("qcfg", {}).get("atlocktime", self.options["at_lock_ms"] // 1000) * 1000
        super().hold_awake(ms)

    def on_psm(self, entered):
        if self.nvram.get("psm_event"):
            self.urc('+QNBIOTEVENT: "%s PSM"' % ("ENTER" if entered else "EXIT"))

    def went_down(self, state):
        reachable = state == "asleep" and self.attached and not self.psm and self.edrx_ms() >= 81920
        super().went_down(state)
        if reachable:
            self.after_rtc(self.edrx_ms(), self._paging)

    def _paging(self):
        """The paging window of an eDRX cycle: the network can reach the sleeping module for a moment."""
        if self.state_name == "asleep":
            self.link.resume()
            self.after_rtc(_PAGING_MS, self._paging_over)

    def _paging_over(self):
        if self.state_name == "asleep":
            self.link.suspend()
            self.after_rtc(self.edrx_ms(), self._paging)

    def asked(self, request):
        if self.state_name == "asleep":  # it came in the paging window: the module wakes, then looks at it
            self.wake_up()
            self.after_rtc(self.options["wake_ms"] + 50, lambda: self.asked(request))
        super().asked(request)

    # ---- declared objects

    def objects(self):
        """Declared instances as [[object, instance, [resources]], ...]."""
        return self.stored("objects", [])

    def object_links(self):
        """The object list of a registration: built-in ones and the declared ones."""
        return [path_text((number, 0)) for number in self.BUILT_IN] + [path_text(entry[:2]) for entry in self.objects()]

    def declared(self, path):
        """True for a declared object, instance or resource."""
        return any([entry[0] == path[0] and (len(path) == 1 or entry[1] == path[1] and (len(path) == 2 or path[2] in entry[2]))
                    for entry in self.objects()])

    def undeclare(self, number):
        """Delete an object with all its instances; False where there is none."""
        left = [entry for entry in self.objects() if entry[0] != number]
        gone = len(left) < len(self.objects())
        self.nvram["objects"] = left
        return gone

    # ---- settings, power, engineering

    def _config(self, name, value):
        values = self.stored("qcfg", {})
        if value < 0:
            default = self.options["at_lock_ms"] // 1000 if name.endswith("locktime") else 0
            return '"%s",%d' % (name, values.get(name, default))
        if value > _CONFIG[name]:
            raise self.error(50)
        values[name] = value
        return None

    def _power_down(self, kind):
        self.after(50, self.restart if kind == 2 else self.power_off)

    def _engineering(self, kind):
        """0: serving cell; 2: the module's own count of radio time."""
        if kind == 2:
            return "3,%d,%d,%d" % self.radio_counters()
        if not self.attached:
            return None
        return '0,2506,2,209,"02CF5133",-93,-12,-81,9,5,"5A0C",0,-32768,3' if kind == 0 else "1,2506,2,311,-101"

    COMMANDS = joined(Generic.COMMANDS, {
        "+QSCLK": Row("(0-2)", lambda m: "%d" % m.kept.get("qsclk", 1), None, _set_sleep, (whole(0, 2),)),  # 1 light and deep
        "+QRELLOCK": Row(None, _give_lock_back, _give_lock_back),
        "+QNBIOTEVENT": Row("(0,1),(1)", lambda m: "%d,1" % m.stored("psm_event", 0), None,
                            lambda m, on, kind: m.nvram.update(psm_event=on), (SWITCH, whole(1, 1, 1))),
        "+QCFG": Row(tuple(['"%s",(0-%d)' % (name, _CONFIG[name]) for name in sorted(_CONFIG)]),
                     write=_config, takes=(one_word(*_CONFIG), whole(0, 60, -1))),
        "+QATWAKEUP": remembered("kept", "atwakeup", SWITCH),
        "+QRST": Row(run="reboot", write="reboot", takes=(whole(1, 1),)),
        "+QPOWD": Row(write=_power_down, takes=(whole(0, 2),)),  # 0 normal, 1 at once, 2 reset
        "+QENG": Row(write=_engineering, takes=(among(0, 1, 2),)),
        "+QNBIOTRAI": remembered("kept", "rai", whole(0, 2), "(0-2)"),  # 1 no answer awaited, 2 one
    })
