"""BC66: what firmware older than R01A10 speaks (field_quirks.md, 3 and 4; release notes V0110).

    A10   the application note V2.1
    A07   no auto_ack, rai_enable, recovery_mode, QLWRECOVER; objects only while registered; resources only; "lifetime
          changed,30" in one string; no updates by itself; a write of more than 50 bytes or in JSON, or notifications
          in quick succession, restart the module; a buffered write ends at its first blank
    A06   object 19 as a pipe (QLWDATASEND, +QLWDATARECV), results as +QLWURC: reg,0, requests by number, no QLWSTATUS
"""

from binascii import unhexlify

from testing.lwm2m.names import JSON, OLD_JSON, OPAQUE, TEXT_PLAIN, OCTET_STREAM
from testing.virtual_modem.atline import WRITE, Refused, whole_number
from testing.virtual_modem.bc66_requests import Bc66Requests

_FROM_A10 = ("rai_enable", "auto_ack", "recovery_mode", "retransmit_mode")
_PIPE = 19
_NOTIFY_MS = 100
_REQUEST_NUMBERS = {"observe": 0, "read": 1, "write": 2, "execute": 3}


class Bc66Dialects(Bc66Requests):
    """The same module with the firmware that `revision` names."""

    OPTIONS = dict(Bc66Requests.OPTIONS)
    OPTIONS.update({
        "revision": "BC66NBR01A10",  # A10 and later: the manual's; A07 to A09, A06: older dialects
    })
    _notified_at = -_NOTIFY_MS

    @property
    def level(self):
        """Number of the release: 10 for BC66NBR01A10."""
        name = self.options["revision"]
        number = whole_number(name[name.rfind("A") + 1 :][:2])
        return 10 if number is None else number

    def quirk(self, name):
        if name == "deepsleep_no_newline" and self.level < 10:
            return True
        return super().quirk(name)

    def _method(self, name):
        if self.level < 10 and name == "+QLWRECOVER":
            return None
        if self.level < 7:
            if name in ("+QLWSTATUS", "+QLWRD"):
                return None
        elif name in ("+QLWDATASEND",):
            return None
        return super()._method(name)

    def _run(self, command):
        if self.level < 7 and command[:1] == "+" and command[1:6] == "qsclk":
            raise Refused("ERROR")  # A06 knows this one in capitals only
        return super()._run(command)

    def cfg_names(self):
        """The settings that the firmware knows, in the order of the manual."""
        names = ["auto_reg", "per_regstatus_feat", "rai_enable", "retransmit", "auto_ack", "access_mode"]
        names += ["recovery_mode", "retransmit_mode"]
        if self.level < 7:
            names.remove("access_mode")
        return [name for name in names if self.level >= 10 or name not in _FROM_A10]

    def shown_cfg_names(self):
        """Those that AT+QLWCFG? prints: before A10 it forgot access_mode."""
        return [name for name in self.cfg_names() if self.level >= 10 or name != "access_mode"]

    def tells_missing_sim(self):
        return self.level >= 7

    def update_due(self):
        if self.level >= 10:
            super().update_due()  # "auto ping timer broken" before

    def _raw_values(self, request):
        if request.path[0] == _PIPE and request.content_format in (None, TEXT_PLAIN, OCTET_STREAM):
            path = tuple(list(request.path) + [0, 0])[:3]
            return [(path, request.payload)]
        values = super()._raw_values(request)
        if self.level < 10 and self.cfg["access_mode"][0]:
            values = [(path, raw.split(b" ")[0]) for path, raw in values]
        return values

    def notify_too_soon(self):
        """Before A10 frequent notifications crash the module: here two within `_NOTIFY_MS`."""
        last, self._notified_at = self._notified_at, self.clock.now
        if self.level < 10 and self.clock.now - last < _NOTIFY_MS:
            self.after(5, self.restart)
            return True
        return False

    # ---- results and URCs

    def result(self, name, status):
        if self.level >= 7:
            super().result(name, status)
        elif name in ("QLWREG", "QLWDEREG"):
            blank = "" if self.quirk("bare_results") else " "
            self.urc("+QLWURC:%s%s,%d" % (blank, name[3:].lower(), status))
        elif name in ("QLWADDOBJ", "QLWDELOBJ"):
            self.urc("+%s :%d" % (name, status))
        else:
            super().result(name, status)

    def request_urc(self, name, rest):
        if self.level >= 7 or name not in _REQUEST_NUMBERS:
            super().request_urc(name, rest)
        else:
            self.urc("+QLWURC: %d%s" % (_REQUEST_NUMBERS[name], rest))

    def changed_urc(self, name, value):
        if self.level >= 10:
            super().changed_urc(name, value)
        elif name == "binding_changed":
            self.urc("+QLWURC: binding_changed,%s" % value.strip('"'))
        else:
            self.urc('+QLWURC: "%s,%s"' % (name.replace("_changed", " changed"), value))

    def _custom(self, request):
        if self.level < 10:
            long_write = request.operation == "write" and len(request.payload) > 50
            if long_write or request.content_format in (JSON, OLD_JSON):
                self.after(10, self.restart)  # asserts: fixed in R01A10
                return
            if request.operation in ("read", "observe") and len(request.path) < 3 and request.path[0] != _PIPE:
                self.link.respond(request, 405)
                return
        if self.level < 7 and request.path[0] == _PIPE:
            self._pipe(request)
        else:
            super()._custom(request)

    # ---- object 19 as a pipe, A06

    def object_links(self):
        links = super().object_links()
        if self.level < 7 and "/19/0" not in links:
            links += ["/19/0", "/19/1"]
        return links

    def _pipe(self, request):
        path = tuple(list(request.path) + [0, 0])[:3]
        if request.operation in ("observe", "cancel"):
            self.link.respond(request, 205, [((19, path[1], 0), OPAQUE, b"")] if request.operation == "observe" else ())
            self.urc("+QLWOBSERVE: %d,19,%d,%d" % (request.operation == "cancel", path[1], path[2]))
        elif request.operation == "write":
            try:
                values = self._raw_values(request)
            except ValueError:
                values = []
            self.link.respond(request, 204 if values else 400)
            for place, raw in values:
                digits = "".join(["%02X" % byte for byte in raw])
                head = "19,%d,%d,%d," % (place[1], place[2], len(raw))
                self.urc("+QLWDATARECV: %s%s" % ("" if self.quirk("bare_results") else head, digits))
        else:
            self.link.respond(request, 405)

    def at_qlwdatasend(self, form, args):
        """Send bytes on object 19, as BC20 does: OK, and for 0x0100 (CON) SEND OK or SEND FAIL."""
        self.need(form, WRITE)
        args.expect(6)
        path = tuple([args.integer(n, 0, 65535) for n in range(3)])
        length = args.integer(3, 1, 512)
        text = args.string(4, 1024)
        if args.values[5] not in ("0x0000", "0x0100") or len(text) != 2 * length:
            raise args.wrong()
        try:
            data = unhexlify(text)
        except ValueError:
            raise args.wrong()
        self.need_registered()
        confirm = args.values[5] == "0x0100"
        self.after(10, lambda: self._pipe_send(path, data, confirm))

    def _pipe_send(self, path, data, confirm):
        def done(outcome):
            if confirm:
                self.explain_send(outcome, path)
                self.urc("SEND OK" if outcome == 0 else "SEND FAIL")

        self.begin()
        self.link.notify(path, [(path, OPAQUE, data)], confirm, self.guarded(done))

    def need_registered(self):
        """Refuse while there is no session."""
