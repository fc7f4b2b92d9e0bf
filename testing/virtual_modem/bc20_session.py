"""BC20: the module's state and its session: registration, updates, what outlives sleep and reset.

No lifetime, security or bootstrap: the module updates by itself and says nothing. Errors are plain ERROR.
What the manual leaves open (its context over deep sleep, the factory's data format) is an option.
"""

from testing.lwm2m.link import Account
from testing.lwm2m.names import path_text
from testing.virtual_modem.atline import RUN, WRITE, Refused, whole_number
from testing.virtual_modem.builtin import Builtin
from testing.virtual_modem.quectel import Quectel

CLOSED, OPENING, OPEN, CLOSING = range(4)
# +QLWDATASTATUS (3.9)
NOT_SENT, WAITING, FAILED, TIMED_OUT, SUCCESS, GOT_RESET = range(6)


class Bc20Session(Quectel):
    """The session; what goes through it is in `bc20_pipe`."""

    family = "bc20"
    IDENTITY = ("Quectel_Ltd", "Quectel_BC20", "Revision: MTK_2625")
    OPTIONS = dict(Quectel.OPTIONS)
    OPTIONS.update({
        "revision": "BC20NAR01A01",
        "lifetime": 86400,  # no command sets it
        "server_writes": True,  # a server may write 1/0/1 and 1/0/7, until the context is lost; False: 4.05
        "dataformat": (0, 0),  # factory's: 0 text, 1 hex (send, receive)
        "after_sleep": "kept",  # the context over deep sleep: "kept" or "lost"
        "ack_timeout_s": 4,  # with four repetitions: CON results within 124 s, "about 128 s" (3.8)
        "delete_ms": 300,  # QLWDEL; the manual allows 5 s
        "status_command": "QLWDATASTATUS",  # the title of 3.9's table says QLWULDATASTATUS
        "status_blank": True,  # +QLWDATASTATUS: 4 (5.2) or +QLWDATASTATUS:4 (3.9)
    })
    BUILT_IN = (1, 3)

    def __init__(self, clock, link, nvram=None, **options):
        self.phase = CLOSED
        self.buffered_mode = False
        self.nodes = []
        self.sent = NOT_SENT
        self._update_timer = None
        self._asked_update = False  # the host waits for +QLWUPDATE's result
        self._closed_at = -1000
        link.on_request = self.asked
        super().__init__(clock, link, nvram, **options)
        self.builtin = Builtin(self, "Quectel", "BC20", self.BUILT_IN, self._may_write)

    # ---- state

    def session(self):
        """What object 1 tells."""
        return {"lifetime": self.kept.get("lifetime", self.options["lifetime"]), "binding": self.kept.get("binding", "U")}

    def _may_write(self, path):
        return self.options["server_writes"] or path not in ((1, 0, 1), (1, 0, 7))

    def state(self):
        """What the live view shows."""
        phase = ("closed", "opening", "open", "closing")[self.phase]
        return self.live_state(phase, [[entry[0], entry[1]] for entry in self.objects()], buffered=len(self.nodes))

    def objects(self):
        """Declared instances as [[object, instance, [resources]], ...]."""
        return self.stored("objects", [])

    def object_links(self):
        """The object list of a registration."""
        links = [path_text((number, 0)) for number in self.BUILT_IN]
        return links + [path_text((entry[0], entry[1])) for entry in self.objects()]

    def asked(self, request):
        """A request of the server."""

    def booted(self, woken):
        self.link.resume()
        self.link.retransmission(self.options["ack_timeout_s"], 4)
        if woken and self.options["after_sleep"] == "kept" and self.kept.get("phase") == OPEN:
            self.phase = OPEN
            self.buffered_mode = self.kept.get("buffered", False)
        else:
            self.lose_context()
        super().booted(woken)

    def lose_context(self):
        """The session is gone; the server is not told."""
        self.phase = CLOSED
        self.sent = NOT_SENT
        self._era += 1
        self.in_flight = 0  # what is open ends unheard, but for an update that the host waits for
        if self._asked_update:
            self.urc("UPDATE FAIL")
        self._asked_update = False
        for name in ("lifetime", "binding"):
            self.kept.pop(name, None)
        self._stop(self._update_timer)
        self.link.forget()

    def went_down(self, state):
        self._era += 1
        self._asked_update = False
        if state == "asleep":
            self.kept["phase"] = self.phase
            self.kept["buffered"] = self.buffered_mode
        else:
            self.nodes = []
        super().went_down(state)

    def on_attached(self, resumed):
        super().on_attached(resumed)
        if self.kept.pop("update_due", False) and self.phase == OPEN:
            self.update(None)

    def on_detached(self):
        super().on_detached()
        if self.cfun != 1:
            self._era += 1
            self.in_flight = 0
            self.lose_context()

    # ---- line

    def args(self, name, form, text):
        args = super().args(name, form, text)
        if name.startswith("+QLW"):
            args.count_error = args.value_error = "ERROR"
        return args

    def _method(self, name):
        if name.startswith("+QLW") and self._too_old():
            return None
        if name.endswith("DATASTATUS"):
            return super()._method("+QLWDATASTATUS") if name[1:] == self.options["status_command"] else None
        return super()._method(name)

    def _too_old(self):
        name = self.options["revision"]
        found = name.find("NAR")
        number = whole_number(name[found + 6 : found + 8]) if found >= 0 else None
        return number is None or number < 1

    def need(self, form, *allowed):
        if form not in allowed:
            raise Refused("ERROR")

    def _start(self, line):
        # Text data may hold a semicolon: this command always stands alone.
        if line[:15].upper() == "AT+QLWDATASEND=" and not self.faults.take_line(line):
            self._todo = [line[2:]]
            self._next_command()
        elif line[:15].upper() != "AT+QLWDATASEND=":
            super()._start(line)

    # ---- session

    def at_qlwopen(self, form, args):
        """Register; 0 direct push, 1 buffer access (3.5)."""
        self.need(form, WRITE)
        mode = args.expect(1).integer(0, 0, 1)
        if self.phase != CLOSED or "server" not in self.nvram or "endpoint" not in self.nvram:
            raise Refused("ERROR")
        self.buffered_mode = mode == 1
        self.nodes = []
        paused = self.quirk("dereg_pause") and self.clock.now - self._closed_at < 1000
        if not self.attached or paused:
            self.urc_after(20, "CONNECT FAIL")
            return
        self.phase = OPENING
        host, port = self.nvram["server"]
        if self.redirect is not None:
            host, port = self.redirect(host, port, False)
        self.begin()
        session = self.session()
        self.link.register(Account(host, port), self.nvram["endpoint"], session["lifetime"], session["binding"],
                           self.object_links(), self.guarded(self._opened))

    def _opened(self, code):
        self.phase = OPEN if code == 201 else CLOSED
        self.urc("CONNECT OK" if code == 201 else "CONNECT FAIL")
        if code == 201:
            self._arm_update()

    def _arm_update(self):
        self._stop(self._update_timer)
        ms = self.session()["lifetime"] * 900
        self._update_timer = self.after_rtc(ms, self._update_due)

    def _update_due(self):
        if self.state_name == "asleep":
            self.kept["update_due"] = True  # it does not wake for it: when it is awake again
        elif self.phase == OPEN:
            self.update(None)

    def update(self, name, **changes):
        """An update; `name` OK or FAIL tells of it, None is silent."""
        def done(code):
            if name:
                self._asked_update = False
                self.urc("%s %s" % (name, "OK" if code == 204 else "FAIL"))
            if code == 204:
                self._arm_update()
            elif code == 404:
                self.lose_context()

        self._asked_update = self._asked_update or bool(name)
        self.begin()
        self.link.update(self.guarded(done), **changes)

    def at_qlwupdate(self, form, args):
        """Update (3.6)."""
        self.need(form, RUN)
        if self.phase != OPEN:
            raise Refused("ERROR")
        self.update("UPDATE")

    def at_qlwclose(self, form, args):
        """Deregister (3.7)."""
        self.need(form, RUN)
        if self.phase != OPEN:
            raise Refused("ERROR")
        self.phase = CLOSING

        def done(code):
            self._closed_at = self.clock.now
            self.lose_context()
            self.urc("CLOSE OK" if code == 202 else "CLOSE FAIL")

        self.begin()
        self.link.deregister(self.guarded(done))
