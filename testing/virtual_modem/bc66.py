"""Model of the BC66 and BC66-NA (LwM2M Application Note V2.1): the host answers what the server asks.

    clock = VirtualClock(); link = LocalLink(clock, LocalServer(clock))
    modem = Bc66(clock, link); modem.out = print
    clock.advance(2000)                                       # attached: +IP: 100.97.37.69
    modem.receive(b'AT+QLWCONFIG=0,"host",5683,"node-1",900,3\r')
    modem.receive(b"AT+QLWREG\r")                              # OK, later +QLWREG: 0

    AT+QLWRDRSP, AT+QLWOBSRSP       values, in parts by index
    AT+QLWWRRSP, AT+QLWEXERSP       a result code
    AT+QLWNOTIFY                    a report: NON, or CON with "report" and "report_ack"
    AT+QLWRD                        the buffer's next node

Values of `options`, beside the manual's own settings: see OPTIONS here and in the classes below. Firmware revisions:
"BC66NBR01A10" (the manual's), "...A07" to "...A09" and "...A06" speak older dialects (see `bc66_session`).
"""

from binascii import unhexlify

from testing.lwm2m.names import BOOLEAN, FLOAT, INTEGER, OPAQUE, STRING, TIMEOUT, TLV
from testing.virtual_modem.atline import ID, RAW, SWITCH, Refused, Row, among, whole, whole_number
from testing.virtual_modem.bc66_requests import READ_RESULTS, WRITE_RESULTS, Bc66Requests, join_parts
from testing.virtual_modem.bc66_session import (BUILT_IN, DEREGISTERED, DEREGISTERING, NEED_RECOVER, NOT_REGISTERED, RECOVERING,
                                              REGISTERED, REGISTERING)
from testing.virtual_modem.core import joined

# <err> of chapter 6, table 2.
OTHER, COUNT, VALUE, NOT_REG, DISABLED, ODD, NOT_READY = 1, 2, 3, 4, 7, 13, 15
KEEP_CONNECTING, ALREADY, CREATE = 32, 33, 34
_LONGEST_LIFE = 31536000
_CFG_LIMITS = {"retransmit": ((1, 20), (0, 8))}
_NOTIFY_MS = 100


def _short(name, operation):
    """The row of an answer that is a result code."""
    def answer(m, mid, code):
        done = m.answer_request(mid, (operation,), WRITE_RESULTS[code])
        m.after(10, lambda: m.result(name, 0 if done else OTHER))

    return Row(write=answer, takes=(ID, among(*WRITE_RESULTS)))


class Bc66(Bc66Requests):
    """The commands."""

    family = "bc66"
    OPTIONS = joined(Bc66Requests.OPTIONS, {
        "configure_when": (NOT_REGISTERED, DEREGISTERED),  # 4.2.1 note 2 says "Not Registered"
        "write_response": "both",  # "QLWWRRSP" (5.4, the field), "QLWRRSP" (4.2.9), "both"
        "check_length": True,  # <len> must fit; a float's may be shorter, as in the manual's examples
        "index_results": False,  # True: +QLWRDRSP for every index, not only for 0
    })
    SECRET_FIELDS = {"+CPIN": (0, 1), "+QLWCONFIG": (6, 7)}

    def __init__(self, clock, link, nvram=None, **options):
        self._deregistered_at = -1000
        self._notified_at = -_NOTIFY_MS
        self._parts = []
        super().__init__(clock, link, nvram, **options)

    def state(self):
        """What the live view shows."""
        objects = [[entry[0], entry[1]] for entry in self.objects()]
        return self.live_state(self.status, objects, waiting=sorted(self.open_requests), buffered=len(self.nodes))

    def row(self, name):
        missing = ("+QLWSTATUS", "+QLWRD") if self.level < 7 else ("+QLWDATASEND",)
        if self.level < 10 and name == "+QLWRECOVER" or name in missing:
            return None
        if name in ("+QLWWRRSP", "+QLWRRSP") and self.options["write_response"] not in ("both", name[1:]):
            return None
        return super().row(name)

    def _run(self, command):
        if self.level < 7 and command[:6] == "+qsclk":
            raise Refused("ERROR")  # A06 knows this one in capitals only
        return super()._run(command)

    # ---- errors

    def args(self, name, form, text):
        args = super().args(name, form, text)
        if name.startswith("+QLW"):
            args.count_error = self.lwm2m_result(COUNT)
            args.value_error = self.lwm2m_result(VALUE)
        return args

    def lwm2m_result(self, code):
        """The final result for an <err>: the manual's spelling, or what real firmware sends too (quirks 2.1, 2.2)."""
        if self.setting("cmee") == 0 or self.quirk("plain_error") and self.counters["errors"] % 3 == 2:
            return "ERROR"
        if self.quirk("cme_spelling") and self.counters["errors"] % 2:
            return "+CME ERROR: %d" % code
        return "+CMEE ERROR: %d" % code

    def fail(self, code):
        """The exception for an <err>."""
        return Refused(self.lwm2m_result(code))

    def _need_registered(self):
        """Refuse while there is no session."""
        if self.disabled:
            raise self.fail(DISABLED)
        if self.status in (REGISTERING, RECOVERING):
            raise self.fail(KEEP_CONNECTING)
        if self.status != REGISTERED:
            raise self.fail(NOT_REG)
        if not self.rrc and self.quirk_once("idle_refusal"):
            self.activity()
            raise self.fail(OTHER)

    def _need_quiet(self):
        """For configuration and registration: no session, and none on its way."""
        if self.disabled:
            raise self.fail(DISABLED)
        if self.status in (REGISTERING, RECOVERING, DEREGISTERING):
            raise self.fail(KEEP_CONNECTING)
        if self.status in (REGISTERED, NEED_RECOVER):
            raise self.fail(ALREADY)

    # ---- configuration

    def _configure(self, args):
        """The server's account (4.2.1)."""
        args.expect(5, 8)
        shift = 0
        host, quoted = args.string(1, 150, shortest=1), args.quoted[1]
        name, comma, port = host.rpartition(",")
        if comma and whole_number(port) is not None:
            host, port, shift = name, whole_number(port), -1  # 4.2.1's example: a quote swallows the port
        else:
            args.expect(6, 8)
            port = args.integer(2, 0, 65535)
        if not 0 <= port <= 65535:
            raise args.wrong()
        endpoint = args.string(3 + shift, 150, shortest=1)
        lifetime = args.integer(4 + shift, 20, _LONGEST_LIFE)
        security = args.one_of(5 + shift, (0, 3))
        identity, key = self._credentials(args, 6 + shift, security)
        bootstrap = args.integer(0, 0, 1)
        if self.status not in self.options["configure_when"] or self.disabled:
            self._need_quiet()
            raise self.fail(OTHER)
        entry = [host, port, endpoint, lifetime, security, identity, key, quoted]
        self.stored("accounts", {})["1" if bootstrap else "0"] = entry
        self.nvram["bs"] = bootstrap
        self.session()["lifetime"] = lifetime
        self.session()["on"] = False

    def _credentials(self, args, index, security):
        if security == 3:
            args.expect(index, index + 2)
            return "", ""
        args.expect(index + 2)
        identity = args.string(index, 150, shortest=1)
        key = args.string(index + 1, 256, shortest=1)
        if len(key) % 2:
            raise self.fail(ODD)
        self._bytes(args, key)
        return identity, key

    @staticmethod
    def _bytes(args, digits):
        try:
            return unhexlify(digits)
        except ValueError:
            raise args.wrong()

    def _show_accounts(self):
        accounts = self.nvram.get("accounts", {})
        current = "1" if self.bootstrapping else "0"
        for mode in (current, "0" if current == "1" else "1"):
            entry = accounts.get(mode)
            if entry is None:
                continue
            host = '"%s"' % entry[0] if entry[7] else entry[0]
            line = '+QLWCONFIG:%s,%s,%d,"%s",%d,%d' % (mode, host, entry[1], entry[2], entry[3], entry[4])
            self.info(line + (',"%s","%s"' % (entry[5], entry[6]) if entry[4] == 0 else ""))

    def _show_cfg(self, name):
        return '"%s",%s' % (name, ",".join([str(value) for value in self.stored_cfg()[name]]))

    def _shown_cfg(self):
        """Before A10 access_mode was forgotten."""
        return [self._show_cfg(name) for name in self.cfg_names() if self.level >= 10 or name != "access_mode"]

    def _set_cfg(self, args):
        """The eight settings that take effect after a reboot (4.2.2)."""
        name = args.expect(1, 5).string(0, 20)
        if name == "CR":  # in no manual, seen in the field: strings of the Device object
            if len(args) != 5 or (args.integer(1, 3, 3), args.integer(2, 0, 0)) != (3, 0):
                raise args.wrong()
            self.stored("device", {})[str(args.integer(3, 0, 2))] = args.string(4, 100)
            return None
        args.expect(1, 3)
        if name not in self.cfg_names():
            raise args.wrong()
        if len(args) == 1:
            return self._show_cfg(name)
        limits = _CFG_LIMITS.get(name, ((0, 1),))
        self.stored_cfg()[name] = args.take([whole(*each) for each in limits], start=1)
        return None

    # ---- registration

    def _register(self):
        self._need_quiet()
        if self.account() is None:
            raise self.fail(CREATE)
        status = 0 if self.attached else 2  # packet not sent
        if self.attached and self.quirk("dereg_pause") and self.clock.now - self._deregistered_at < 1000:
            status = 1
        if status:
            self.after(20, lambda: self.result("QLWREG", status))
            return
        self.after(5, self.register)
        self.status = REGISTERING

    def _update(self, mode, value):
        """Lifetime or binding (4.2.4)."""
        if mode and value > 1 or not mode and value < 20:
            raise self.fail(VALUE)
        self._need_registered()
        mid = self.next_mid()

        def done(code):
            blank = " " if self.quirk("update_blank") else ""
            self.urc("+QLWUPDATE: %d,%s%d" % (self.update_status(code), blank, mid))
            self.updated(code)

        name, value = ("binding", "UQ" if value else "U") if mode else ("lifetime", value)
        self.session()[name] = value
        self.update(done, **{name: value})
        return "%d" % mid

    def _deregister(self):
        self._need_registered()
        self.status = DEREGISTERING
        self._stop(self._update_timer)

        def done(code):
            self._forget_session()
            self.status = DEREGISTERED
            self._deregistered_at = self.clock.now
            self.result("QLWDEREG", self.update_status(code))

        self.link.deregister(self.guarded(done))

    def _recover_context(self):
        if self.status == NEED_RECOVER:
            self.recover()
        elif self.status in (REGISTERING, RECOVERING):
            raise self.fail(KEEP_CONNECTING)
        else:
            raise self.fail(ALREADY if self.status == REGISTERED else NOT_REG)

    # ---- objects

    def _declare(self, args):
        """A custom object instance (4.2.6)."""
        number, instance, count = args.expect(4, 17).integer(0, 0, 65535), args.integer(1, 0, 65535), args.integer(2, 1, 14)
        resources = args.take([ID] * count, start=3)
        if number in BUILT_IN:
            raise args.wrong()
        self._object_command("QLWADDOBJ", lambda: self._add_object(number, instance, resources))

    def _add_object(self, number, instance, resources):
        objects = self.objects()
        mine = [entry for entry in objects if entry[0] == number]
        if any([entry[1] == instance for entry in mine]) or len(mine) >= 4:
            return OTHER
        if not mine and len(set([entry[0] for entry in objects])) >= 15:
            return OTHER
        objects.append([number, instance, resources])
        return 0

    def _object_command(self, name, change):
        if self.level < 10:
            self._need_registered()  # "before the registration" came with R01A10
        outcome = change()

        def later():
            self.result(name, outcome)
            if not outcome and self.status == REGISTERED:
                self.ping(objects=self.object_links())

        self.after(10, later)

    # ---- answers to the server

    def _value_response(self, name, args, operations):
        mid = args.expect(2, 9).integer(0, 0, 65535)
        code = READ_RESULTS[args.one_of(1, tuple(READ_RESULTS))]
        values, last = [], True
        if code == 205:
            args.expect(9)
            values = [self._value(args, 2)]
            last = args.integer(8, 0, 65535) == 0
        if last and "observe" in operations and self.quirk("observe_refused") and not self.kept.get("refused_once"):
            self.kept["refused_once"] = True
            self.open_requests.pop(mid, None)
        done = self.answer_request(mid, operations, code, values, last)
        if last or self.options["index_results"]:
            self.after(10, lambda: self.result(name, 0 if done else OTHER))

    def _value(self, args, start):
        """<o>,<i>,<r>,<type>,<len>,<value> -> (path, type, value)."""
        number, instance = args.integer(start, 0, 65535), args.integer(start + 1, 0, 65535)
        resource = args.integer(start + 2, -1, 65535)
        kind = args.integer(start + 3, STRING, BOOLEAN)
        length = args.integer(start + 4, 0, 1024)
        if not args.has(start + 5):
            raise Refused(args.count_error)
        text = args.values[start + 5]
        path = (number, instance, resource) if resource >= 0 else (number, instance)
        return path, kind, self._checked(args, kind, length, text)

    def _checked(self, args, kind, length, text):
        if kind == OPAQUE:
            if len(text) % 2:
                raise self.fail(ODD)
            if length > 512 or len(text) != 2 * length and self.options["check_length"]:
                raise args.wrong()
            return self._bytes(args, text)
        fits = length in (len(text), len(text.encode()))
        if kind == FLOAT:
            fits = length <= len(text)  # 5.8 declares 4 for 88.88
            if not _is_number(text):
                raise args.wrong()
        elif kind == INTEGER and whole_number(text) is None or kind == BOOLEAN and (text not in ("0", "1") or length != 1):
            raise args.wrong()
        if not fits and self.options["check_length"] or len(text.encode()) > 1024:
            raise args.wrong()
        return text

    # ---- reports

    def _report(self, args):
        """Notify an observed path (4.2.12)."""
        args.expect(7, 9)
        value = self._value(args, 0)
        index, confirm, release = args.integer(6, 0, 65535), args.integer(7, 0, 1, 0), args.integer(8, 0, 2, 0)
        self._need_registered()
        if index == 0:
            last, self._notified_at = self._notified_at, self.clock.now
            if self.level < 10 and self.clock.now - last < _NOTIFY_MS:
                self.after(5, self.restart)  # before A10 frequent notifications crash the module
                return
        self._parts.append(value)
        if index == 0:
            parts, self._parts = join_parts(self._parts), []
            self.after(10, lambda: self._notify(parts, confirm, release))

    def _notify(self, parts, confirm, release):
        path = parts[0][0]
        if len(parts) > 1 and any([part[0] != path for part in parts]):
            path = path[:2]
        if not self.link.observed(path):
            self.urc("+QLWNOTIFY: %d" % OTHER)
            return
        mid = self.next_mid()
        if not self.attached:
            self.urc("+QLWNOTIFY: 0")
            if confirm:
                self.urc('+QLWURC: "report_ack",2,%d' % mid)  # packet not sent
            return

        def done(outcome):
            if release:
                self.activity(release=True)
            if confirm:
                status = 1 if outcome is TIMEOUT else 9 if outcome == -1 else 0
                self.urc('+QLWURC: "report_ack",%d,%d' % (status, mid))

        raw = parts[0][2] if len(parts[0][0]) == 2 else None  # resource -1: the payload is the instance's own
        if raw is not None and isinstance(raw, str):
            raw = raw.encode()
        self.link.notify(path, parts, bool(confirm), self.guarded(done), raw, TLV if raw is not None else None)
        if confirm:
            self.urc('+QLWURC: "report",%d' % mid)
        self.urc("+QLWNOTIFY: 0")

    def _pipe_send(self, args):
        """Send bytes on object 19 with A06, as BC20 does: OK, and for 0x0100 (CON) SEND OK or SEND FAIL."""
        path = tuple(args.expect(6).integer(n, 0, 65535) for n in range(3))
        length = args.integer(3, 1, 512)
        text = args.string(4, 1024)
        if args.values[5] not in ("0x0000", "0x0100") or len(text) != 2 * length:
            raise args.wrong()
        data = self._bytes(args, text)
        self._need_registered()
        confirm = args.values[5] == "0x0100"

        def done(outcome):
            if confirm:
                self.explain_send(outcome, path)
                self.urc("SEND OK" if outcome == 0 else "SEND FAIL")

        self.after(10, lambda: self.link.notify(path, [(path, OPAQUE, data)], confirm, self.guarded(done)))

    # ---- buffer

    def _next_node(self):
        """The buffer's next one (4.2.13)."""
        if not self.cfg["access_mode"][0]:
            raise self.fail(NOT_READY)  # there is no buffer in direct push mode
        if not self.nodes:
            return "0"
        node = self.nodes.pop(0)
        return "%d,%s" % (len(self.nodes), node)

    COMMANDS = joined(Bc66Requests.COMMANDS, {
        "+QLWCONFIG": Row(read=_show_accounts, write=_configure, takes=RAW),  # 4.2.1
        "+QLWCFG": Row(read=_shown_cfg, write=_set_cfg, takes=RAW),  # 4.2.2
        "+QLWREG": Row(run=_register),  # 4.2.3
        "+QLWUPDATE": Row(write=_update, takes=(SWITCH, whole(0, _LONGEST_LIFE))),  # 4.2.4
        "+QLWDEREG": Row(run=_deregister),  # 4.2.5
        "+QLWADDOBJ": Row(read=lambda m: [",".join([str(number) for number in entry[:2] + [len(entry[2])] + entry[2]])
                                          for entry in m.objects()], write=_declare, takes=RAW),  # 4.2.6
        "+QLWDELOBJ": Row(write=lambda m, number: m._object_command("QLWDELOBJ", lambda: 0 if m.undeclare(number) else OTHER),
                          takes=(ID,)),  # 4.2.7
        "+QLWRDRSP": Row(write=lambda m, args: m._value_response("QLWRDRSP", args, ("read",)), takes=RAW),  # 4.2.8
        "+QLWOBSRSP": Row(write=lambda m, args: m._value_response("QLWOBSRSP", args, ("observe", "cancel")),  # 4.2.11
                          takes=RAW),
        "+QLWWRRSP": _short("QLWWRRSP", "write"),  # as 5.4 and the field spell it
        "+QLWRRSP": _short("QLWRRSP", "write"),  # as 4.2.9 spells it
        "+QLWEXERSP": _short("QLWEXERSP", "execute"),  # 4.2.10
        "+QLWNOTIFY": Row(write=_report, takes=RAW),  # 4.2.12
        "+QLWRD": Row(read=lambda m: "%d" % len(m.nodes), run=_next_node),  # 4.2.13
        "+QLWSTATUS": Row(read=lambda m: "%d" % m.status),  # 4.2.14
        "+QLWRECOVER": Row(run=_recover_context),  # 4.2.15
        "+QLWDATASEND": Row(write=_pipe_send, takes=RAW),
    })


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return "n" not in text.lower()  # nan and inf are no readings
