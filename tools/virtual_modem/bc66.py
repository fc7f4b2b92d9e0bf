"""Model of the BC66 and BC66-NA (LwM2M Application Note V2.1): the host answers what the server asks.

    clock = VirtualClock(); link = LocalLink(clock, LocalServer(clock))
    modem = Bc66(clock, link); modem.out = print
    clock.advance(2000)                                       # attached: +IP: 100.97.37.69
    modem.receive(b'AT+QLWCONFIG=0,"host",5683,"node-1",900,3\r')
    modem.receive(b"AT+QLWREG\r")                              # OK, later +QLWREG: 0

Values of `options`, beside the manual's own settings: see OPTIONS here and in the classes below. Firmware revisions:
"BC66NBR01A10" (the manual's), "...A07" to "...A09" and "...A06" speak older dialects (field_quirks.md, 3 and 4).
"""

from binascii import unhexlify

from tools.lwm2m.names import BOOLEAN, FLOAT, INTEGER, OPAQUE, STRING, TIMEOUT, TLV
from tools.virtual_modem.atline import READ, RUN, WRITE, Refused, whole_number
from tools.virtual_modem.bc66_dialects import Bc66Dialects
from tools.virtual_modem.bc66_requests import READ_RESULTS, WRITE_RESULTS, join_parts
from tools.virtual_modem.bc66_session import (
    BUILT_IN,
    DEREGISTERED,
    DEREGISTERING,
    NEED_RECOVER,
    NOT_REGISTERED,
    RECOVERING,
    REGISTERED,
    REGISTERING,
)

# <err> of chapter 6, table 2.
OTHER, COUNT, VALUE, NOT_REG, DISABLED, ODD, NOT_READY = 1, 2, 3, 4, 7, 13, 15
KEEP_CONNECTING, ALREADY, CREATE = 32, 33, 34

_LONGEST_LIFE = 31536000
_CFG_LIMITS = {"retransmit": ((1, 20), (0, 8))}


class Bc66(Bc66Dialects):
    """The commands."""

    family = "bc66"
    OPTIONS = dict(Bc66Dialects.OPTIONS)
    OPTIONS.update(
        {
            "write_response": "both",  # "QLWWRRSP" (5.4, the field), "QLWRRSP" (4.2.9), "both"
            "check_length": True,  # <len> must fit; a float's may be shorter, as in the manual's examples
            "index_results": False,  # True: +QLWRDRSP for every index, not only for 0
            "configure_when": (NOT_REGISTERED, DEREGISTERED),  # 4.2.1 note 2 says "Not Registered"
        }
    )

    SECRET_FIELDS = {"+CPIN": (0, 1), "+QLWCONFIG": (6, 7)}

    def __init__(self, clock, link, nvram=None, **options):
        self._parts = []
        self._deregistered_at = -1000
        super().__init__(clock, link, nvram, **options)

    def state(self):
        """What the live view shows."""
        return {
            "family": self.family,
            "power": self.state_name,
            "attached": self.attached,
            "rrc": self.rrc,
            "psm": self.psm,
            "lwm2m": self.status,
            "observed": [list(path) for path in self.link.observations()],
            "objects": [[entry[0], entry[1]] for entry in self.objects()],
            "waiting": sorted(self.open_requests),
            "buffered": len(self.nodes),
            "counters": dict(self.counters),
        }

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

    def need_registered(self):
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

    def at_qlwconfig(self, form, args):
        """The server's account (4.2.1)."""
        if form == READ:
            self._show_accounts()
            return
        self.need(form, WRITE)
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
        try:
            unhexlify(key)
        except ValueError:
            raise args.wrong()
        return identity, key

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

    def at_qlwcfg(self, form, args):
        """The eight settings that take effect after a reboot (4.2.2)."""
        stored = self.stored_cfg()
        if form == READ:
            for name in self.shown_cfg_names():
                self._show_cfg(name, stored[name])
            return
        self.need(form, WRITE)
        name = args.expect(1, 3).string(0, 20)
        if name not in self.cfg_names():
            raise args.wrong()
        if len(args) == 1:
            self._show_cfg(name, stored[name])
            return
        limits = _CFG_LIMITS.get(name, ((0, 1),))
        args.expect(1 + len(limits))
        stored[name] = [args.integer(1 + n, limits[n][0], limits[n][1]) for n in range(len(limits))]

    def _show_cfg(self, name, values):
        self.info('+QLWCFG: "%s",%s' % (name, ",".join([str(value) for value in values])))

    # ---- registration

    def at_qlwreg(self, form, args):
        """Register (4.2.3)."""
        self.need(form, RUN)
        self._need_quiet()
        if self.account() is None:
            raise self.fail(CREATE)
        if not self.attached:
            self.after(20, lambda: self.result("QLWREG", 2))  # packet not sent
            return
        if self.quirk("dereg_pause") and self.clock.now - self._deregistered_at < 1000:
            self.after(20, lambda: self.result("QLWREG", 1))
            return
        self.after(5, self.register)
        self.status = REGISTERING

    def at_qlwupdate(self, form, args):
        """Update lifetime or binding (4.2.4)."""
        self.need(form, WRITE)
        mode = args.expect(2).integer(0, 0, 1)
        value = args.integer(1, 0, 1) if mode else args.integer(1, 20, _LONGEST_LIFE)
        self.need_registered()
        mid = self.next_mid()
        self.info("+QLWUPDATE: %d" % mid)

        def done(code):
            blank = " " if self.quirk("update_blank") else ""
            self.urc("+QLWUPDATE: %d,%s%d" % (self.update_status(code), blank, mid))
            self.updated(code)

        if mode:
            self.session()["binding"] = "UQ" if value else "U"
            self.update(done, binding=self.session()["binding"])
        else:
            self.session()["lifetime"] = value
            self.update(done, lifetime=value)

    def at_qlwdereg(self, form, args):
        """Deregister (4.2.5)."""
        self.need(form, RUN)
        self.need_registered()
        self.status = DEREGISTERING
        self._stop(self._update_timer)

        def done(code):
            self._forget_session()
            self.status = DEREGISTERED
            self._deregistered_at = self.clock.now
            self.result("QLWDEREG", self.update_status(code))

        self.begin()
        self.link.deregister(self.guarded(done))

    def at_qlwstatus(self, form, args):
        """Status (4.2.14)."""
        self.need(form, READ)
        self.info("+QLWSTATUS: %d" % self.status)

    def at_qlwrecover(self, form, args):
        """Recover the context (4.2.15)."""
        self.need(form, RUN)
        if self.status == NEED_RECOVER:
            self.recover()
        elif self.status in (REGISTERING, RECOVERING):
            raise self.fail(KEEP_CONNECTING)
        else:
            raise self.fail(ALREADY if self.status == REGISTERED else NOT_REG)

    # ---- objects

    def at_qlwaddobj(self, form, args):
        """Declare a custom object instance (4.2.6)."""
        if form == READ:
            for entry in self.objects():
                numbers = [entry[0], entry[1], len(entry[2])] + entry[2]
                self.info("+QLWADDOBJ: %s" % ",".join([str(number) for number in numbers]))
            return
        self.need(form, WRITE)
        args.expect(4, 17)
        number = args.integer(0, 0, 65535)
        instance = args.integer(1, 0, 65535)
        count = args.integer(2, 1, 14)
        args.expect(3 + count)
        resources = [args.integer(3 + n, 0, 65535) for n in range(count)]
        if number in BUILT_IN:
            raise args.wrong()
        self._need_object_time()
        self._object_command("QLWADDOBJ", lambda: self._add_object(number, instance, resources))

    def _need_object_time(self):
        if self.level < 10:
            self.need_registered()  # "before the registration" came with R01A10

    def _add_object(self, number, instance, resources):
        objects = self.objects()
        mine = [entry for entry in objects if entry[0] == number]
        if any([entry[1] == instance for entry in mine]) or len(mine) >= 4:
            return OTHER
        if not mine and len(set([entry[0] for entry in objects])) >= 15:
            return OTHER
        objects.append([number, instance, resources])
        return 0

    def at_qlwdelobj(self, form, args):
        """Delete a custom object with all its instances (4.2.7)."""
        self.need(form, WRITE)
        number = args.expect(1).integer(0, 0, 65535)
        self._need_object_time()
        self._object_command("QLWDELOBJ", lambda: self._delete_object(number))

    def _delete_object(self, number):
        left = [entry for entry in self.objects() if entry[0] != number]
        if len(left) == len(self.objects()):
            return OTHER
        self.nvram["objects"] = left
        return 0

    def _object_command(self, name, change):
        outcome = change()

        def later():
            self.result(name, outcome)
            if not outcome and self.status == REGISTERED:
                self.ping(objects=self.object_links())

        self.after(10, later)

    # ---- answers to the server

    def at_qlwrdrsp(self, form, args):
        """Answer a read (4.2.8)."""
        self._value_response("QLWRDRSP", form, args, ("read",))

    def at_qlwobsrsp(self, form, args):
        """Answer an observe (4.2.11)."""
        self._value_response("QLWOBSRSP", form, args, ("observe", "cancel"))

    def _value_response(self, name, form, args, operations):
        self.need(form, WRITE)
        mid = args.expect(2, 9).integer(0, 0, 65535)
        code = READ_RESULTS[args.one_of(1, tuple(READ_RESULTS))]
        values, last = [], True
        if code == 205:
            args.expect(9)
        if len(args) == 9 and code == 205:
            values = [self._value(args, 2)]
            last = args.integer(8, 0, 65535) == 0
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
            try:
                return unhexlify(text)
            except ValueError:
                raise args.wrong()
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

    def at_qlwwrrsp(self, form, args):
        """Answer a write, as 5.4 and the field spell it."""
        self._write_response("QLWWRRSP", form, args)

    def at_qlwrrsp(self, form, args):
        """Answer a write, as 4.2.9 spells it."""
        self._write_response("QLWRRSP", form, args)

    def _write_response(self, name, form, args):
        if self.options["write_response"] not in ("both", name):
            raise Refused("ERROR")
        self._short_response(name, form, args, "write")

    def at_qlwexersp(self, form, args):
        """Answer an execute (4.2.10)."""
        self._short_response("QLWEXERSP", form, args, "execute")

    def _short_response(self, name, form, args, operation):
        self.need(form, WRITE)
        mid = args.expect(2).integer(0, 0, 65535)
        code = WRITE_RESULTS[args.one_of(1, tuple(WRITE_RESULTS))]
        done = self.answer_request(mid, (operation,), code)
        self.after(10, lambda: self.result(name, 0 if done else OTHER))

    # ---- reports

    def at_qlwnotify(self, form, args):
        """Notify an observed path (4.2.12)."""
        self.need(form, WRITE)
        args.expect(7, 9)
        value = self._value(args, 0)
        index = args.integer(6, 0, 65535)
        confirm = args.integer(7, 0, 1, 0)
        release = args.integer(8, 0, 2, 0)
        self.need_registered()
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

        self.begin()
        raw = parts[0][2] if len(parts[0][0]) == 2 else None  # resource -1: the payload is the instance's own
        if raw is not None and isinstance(raw, str):
            raw = raw.encode()
        self.link.notify(path, parts, bool(confirm), self.guarded(done), raw, TLV if raw is not None else None)
        if confirm:
            self.urc('+QLWURC: "report",%d' % mid)
        self.urc("+QLWNOTIFY: 0")

    # ---- buffer

    def at_qlwrd(self, form, args):
        """The buffer: how many nodes, or the next one (4.2.13)."""
        if form == READ:
            self.info("+QLWRD: %d" % len(self.nodes))
            return
        self.need(form, RUN)
        if not self.cfg["access_mode"][0]:
            raise self.fail(NOT_READY)  # there is no buffer in direct push mode
        if not self.nodes:
            self.info("+QLWRD: 0")
            return
        node = self.nodes.pop(0)
        self.info("+QLWRD: %d,%s" % (len(self.nodes), node))


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return "n" not in text.lower()  # nan and inf are no readings
