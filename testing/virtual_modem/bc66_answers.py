"""BC66: the host's answers to the server, its reports, and the buffer; errors by the codes of chapter 6.

    AT+QLWRDRSP, AT+QLWOBSRSP       values, in parts by index
    AT+QLWWRRSP, AT+QLWEXERSP       a result code
    AT+QLWNOTIFY                    a report: NON, or CON with "report" and "report_ack"
    AT+QLWRD                        the buffer's next node
"""

from binascii import unhexlify

from testing.lwm2m.names import BOOLEAN, FLOAT, INTEGER, OPAQUE, STRING, TIMEOUT, TLV
from testing.virtual_modem.atline import READ, RUN, WRITE, Refused, whole_number
from testing.virtual_modem.bc66_dialects import Bc66Dialects
from testing.virtual_modem.bc66_requests import READ_RESULTS, WRITE_RESULTS, join_parts
from testing.virtual_modem.bc66_session import RECOVERING, REGISTERED, REGISTERING

# <err> of chapter 6, table 2.
OTHER, COUNT, VALUE, NOT_REG, DISABLED, ODD, NOT_READY = 1, 2, 3, 4, 7, 13, 15
KEEP_CONNECTING, ALREADY, CREATE = 32, 33, 34



class Bc66Answers(Bc66Dialects):
    """The commands that need a session."""

    OPTIONS = dict(Bc66Dialects.OPTIONS)
    OPTIONS.update({
        "write_response": "both",  # "QLWWRRSP" (5.4, the field), "QLWRRSP" (4.2.9), "both"
        "check_length": True,  # <len> must fit; a float's may be shorter, as in the manual's examples
        "index_results": False,  # True: +QLWRDRSP for every index, not only for 0
    })

    def __init__(self, clock, link, nvram=None, **options):
        self._parts = []
        super().__init__(clock, link, nvram, **options)

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
        if index == 0 and self.notify_too_soon():
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
