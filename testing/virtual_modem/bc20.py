"""Model of the BC20 (LwM2M AT Commands Manual, NAR01A01 and later): a pipe on declared objects.

    AT+QLWSERV="180.101.147.115",5683       OK
    AT+QLWCONF="867724030023557"            OK
    AT+QLWADDOBJ=19,0,1,"0"                 OK
    AT+QLWOPEN=0                            OK, CONNECT OK, +QLWOBSERVE: 0,19,0,0
    AT+QLWDATASEND=19,0,0,1,01,0x0100       OK, SEND OK
                                            +QLWDATARECV: 19,1,0,4,AAAA0000

No lifetime, security or bootstrap: the module updates by itself and says nothing. Errors are plain ERROR. What the manual
leaves open (its context over deep sleep, the factory's data format) is an option.

Bounds: the receive buffer holds `_NODES` writes of up to `_LONGEST` bytes.
"""

from binascii import hexlify, unhexlify

from testing.lwm2m.link import Account
from testing.lwm2m.names import OPAQUE, TIMEOUT
from testing.virtual_modem.atline import ID, RAW, SWITCH, Refused, Row, one_word, whole, whole_number, words
from testing.virtual_modem.builtin import Builtin, Pipe
from testing.virtual_modem.core import PENDING, joined
from testing.virtual_modem.radio import Declined
from testing.virtual_modem.quectel import UNOBSERVED, Quectel

CLOSED, OPENING, OPEN, CLOSING = range(4)
# +QLWDATASTATUS (3.9)
NOT_SENT, WAITING, FAILED, TIMED_OUT, SUCCESS, GOT_RESET = range(6)
_NODES = 32
_LONGEST = 512


class Bc20(Quectel, Pipe):
    """The module."""

    family = "bc20"
    BUILT_IN = (1, 3)
    IDENTITY = ("Quectel_Ltd", "Quectel_BC20", "Revision: MTK_2625")
    OPTIONS = joined(Quectel.OPTIONS, {
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

    def __init__(self, clock, link, nvram=None, **options):
        self.phase = CLOSED
        self.buffered_mode = False
        self.nodes = []
        self.sent = NOT_SENT
        self._update_timer = None
        self._asked_update = False  # the host waits for +QLWUPDATE's result
        self._closed_at = -1000
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
        """The session is gone; the server is not told. What is open ends unheard, but for an update that the host waits for."""
        self.phase = CLOSED
        self.sent = NOT_SENT
        self.abandon()
        if self._asked_update:
            self.urc("UPDATE FAIL")
        self._asked_update = False
        for name in ("lifetime", "binding"):
            self.kept.pop(name, None)
        self._stop(self._update_timer)
        self.link.forget()

    def went_down(self, state):
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
            self.lose_context()

    # ---- line

    def args(self, name, form, text):
        args = super().args(name, form, text)
        if name.startswith("+QLW"):
            args.count_error = args.value_error = "ERROR"
        return args

    def row(self, name):
        revision = self.options["revision"]
        found = revision.find("NAR")
        number = whole_number(revision[found + 6 : found + 8]) if found >= 0 else None
        if name.startswith("+QLW") and not number:
            return None  # older than NAR01A01
        if name.endswith("DATASTATUS"):
            return Row(read=_status, bare=True) if name[1:] == self.options["status_command"] else None
        return super().row(name)

    def no_form(self, form):
        return Refused("ERROR")

    def _start(self, line):
        # Text data may hold a semicolon: this command always stands alone.
        self.alone(line, "AT+QLWDATASEND=") or super()._start(line)

    # ---- configuration

    def _kept(self, name):
        if name not in self.nvram:
            raise Refused("ERROR")
        return self.nvram[name]

    def _set_server(self, host, port):
        server = self.nvram.get("server")
        if server is not None and server != [host, port]:
            raise Refused("ERROR")  # another platform wants AT+QLWDEL first (5.1)
        self.nvram["server"] = [host, port]

    def _set_endpoint(self, name):
        if self.phase != CLOSED:
            raise Refused("ERROR")
        self.nvram["endpoint"] = name

    def _add_object(self, number, instance, count, names):
        resources = [whole_number(name) for name in names.replace(",", " ").split()]
        if number in (0, 1, 2, 3) or None in resources or len(resources) != (count or len(resources)):
            raise Refused("ERROR")
        objects = self.objects()
        for entry in objects:
            if entry[:2] == [number, instance]:
                entry[2] = sorted(set(entry[2] + resources))
                break
        else:
            objects.append([number, instance, resources])
        if self.phase == OPEN:
            self.update(None, objects=self.object_links())

    def _delete_object(self, number):
        """UPDATE OK follows only when registered (3.4)."""
        if not self.undeclare(number):
            raise Refused("ERROR")
        if self.phase == OPEN:
            self.update("UPDATE", objects=self.object_links())

    def dataformat(self):
        """[send, receive]: 0 text, 1 hex."""
        return self.kept.get("dataformat", list(self.options["dataformat"]))

    def _delete_context(self):
        """Platform, name, objects, session (3.12)."""
        def deleted():
            self.lose_context()
            for name in ("server", "endpoint", "objects"):
                self.nvram.pop(name, None)
            self.finish()

        self.after(self.options["delete_ms"], deleted)
        return PENDING

    # ---- session

    def _open(self, mode):
        """Register; 0 direct push, 1 buffer access (3.5)."""
        if self.phase != CLOSED or "server" not in self.nvram or "endpoint" not in self.nvram:
            raise Refused("ERROR")
        self.buffered_mode = mode == 1
        self.nodes = []
        paused = self.quirk("dereg_pause") and self.clock.now - self._closed_at < 1000
        if not self.attached or paused:
            self.urc_after(20, "CONNECT FAIL")
            return
        self.phase = OPENING
        host, port = self.led(*self.nvram["server"])

        def opened(code):
            self.phase = OPEN if code == 201 else CLOSED
            self.urc("CONNECT OK" if code == 201 else "CONNECT FAIL")
            if code == 201:
                self._arm_update()

        session = self.session()
        self.link.register(Account(host, port), self.nvram["endpoint"], session["lifetime"], session["binding"],
                           self.object_links(), self.guarded(opened))

    def _arm_update(self):
        self._stop(self._update_timer)
        self._update_timer = self.after_rtc(self.session()["lifetime"] * 900, self._update_due)

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
        self.link.update(self.guarded(done), **changes)

    def _need_open(self):
        if self.phase != OPEN:
            raise Refused("ERROR")

    def _update(self):
        self._need_open()
        self.update("UPDATE")

    def _close(self):
        self._need_open()
        self.phase = CLOSING

        def done(code):
            self._closed_at = self.clock.now
            self.lose_context()
            self.urc("CLOSE OK" if code == 202 else "CLOSE FAIL")

        self.link.deregister(self.guarded(done))

    # ---- up

    def _datasend(self, args):
        """Send bytes on a declared path: 0x0000 NON, 0x0100 CON (3.8)."""
        parts = args.text.split(",", 4)
        numbers = [whole_number(part.strip()) for part in parts[:4]]
        if len(parts) != 5 or None in numbers or not 1 <= numbers[3] <= _LONGEST:
            raise Refused("ERROR")
        path, size = tuple(numbers[:3]), numbers[3]
        hexadecimal = self.dataformat()[0] == 1
        raw = parts[4].encode()
        length = 2 * size if hexadecimal else size
        data, rest = raw[:length], raw[length:].decode().strip()
        if len(data) != length or rest not in (",0x0000", ",0x0100") or not self.declared(path):
            raise Refused("ERROR")
        if hexadecimal:
            try:
                data = unhexlify(data)
            except ValueError:
                raise Refused("ERROR")
        self._need_open()
        if self.sent == WAITING:
            raise Refused("ERROR")
        confirm = rest == ",0x0100"
        if confirm:
            self.sent = WAITING
        self.after(10, lambda: self._send(path, data, confirm))

    def _send(self, path, data, confirm):
        def done(outcome):
            if confirm:
                self.sent = {TIMEOUT: TIMED_OUT, 0: SUCCESS, UNOBSERVED: FAILED}.get(outcome, GOT_RESET)
                self.explain_send(outcome, path)
                self.urc("SEND OK" if outcome == 0 else "SEND FAIL")

        if not self.link.observed(path):
            done(UNOBSERVED)  # "a data send before an observe": nothing can carry it (RFC 7641), a CON is told so
            return
        self.link.notify(path, [(path, OPAQUE, data)], confirm, self.guarded(done))

    # ---- down

    # Update trigger, disable, reboot: silently, the manual has no URC for them.
    EXECUTES = {(1, 0, 8): lambda m: m.update(None), (3, 0, 4): lambda m: m.after(500, m.restart),
                (1, 0, 4): lambda m: m.link.deregister(m.guarded(lambda code: m.lose_context()))}

    def server_wrote(self, path, value):
        """A server sets lifetime or binding: an update carries it."""
        name = {(1, 0, 1): "lifetime", (1, 0, 7): "binding"}.get(path)
        if name:
            self.kept[name] = value
            self.update(None, **{name: value})

    def registering(self):
        return self.phase == OPENING

    def serve(self, request):
        """The module answers, the host is told."""
        if self.builtin.has(request.path[0]):
            self.builtin.answer(request)
        elif not self.declared(request.path):
            raise Declined(404)
        else:
            self.piped(request)

    def pipe_observed(self, path, cancelled):
        numbers = (tuple(path) + (-1, -1))[:3]
        self.urc("+QLWOBSERVE: %d,%d,%d,%d" % ((cancelled,) + numbers))

    def pipe_code(self, values):
        if any([len(raw) > _LONGEST for _, raw in values]):
            return 400
        return 503 if self.buffered_mode and len(self.nodes) + len(values) > _NODES else 204

    def pipe_down(self, path, raw, content_format):
        length = len(raw) + (14 if self.quirk("recv_length") else 0)  # seen: 27 declared, 13 brought
        head = "+QLWDATARECV: %d,%d,%d,%d" % (path + (length,))
        if not self.buffered_mode:
            self.urc("%s,%s" % (head, self._shown(raw)))
            return
        self.nodes.append(raw)
        if len(self.nodes) == 1:
            self.urc(head)

    def _shown(self, raw):
        if self.dataformat()[1] == 1:
            return hexlify(raw).decode().upper()
        return "".join([chr(byte) for byte in raw])

    def _fetch(self, wanted):
        """Up to 512 bytes of the oldest node (3.10)."""
        if not self.nodes:
            return "0"
        node = self.nodes.pop(0)
        part, left = node[:wanted], node[wanted:]
        if left:
            self.nodes.insert(0, left)
        self.info("+QLWRD: %d,%d" % (len(part), len(left)))
        self.info(self._shown(part))
        return None

    COMMANDS = joined(Quectel.COMMANDS, {
        "+QLWSERV": Row('"IP_address",(0-65535)', lambda m: '"%s",%d' % tuple(m._kept("server")), None, _set_server,
                        (words(150, 1), ID)),  # 3.1
        "+QLWCONF": Row('"endpointname"', lambda m: '"%s"' % m._kept("endpoint"), None, _set_endpoint, (words(150, 1),)),  # 3.2
        "+QLWADDOBJ": Row(write=_add_object, takes=(ID, whole(0, 65535, 0), whole(1, 14, 0), words(100, 0, "0"))),  # 3.3
        "+QLWDELOBJ": Row(write=_delete_object, takes=(ID,)),  # 3.4
        "+QLWOPEN": Row(write=_open, takes=(SWITCH,)),  # 3.5
        "+QLWUPDATE": Row(run=_update),  # 3.6
        "+QLWCLOSE": Row(run=_close),  # 3.7
        "+QLWDATASEND": Row(write=_datasend, takes=RAW),  # 3.8
        "+QLWRD": Row("(1-512)", write=_fetch, takes=(whole(1, _LONGEST),)),  # 3.10
        "+QLWCFG": Row('"dataformat",(0,1),(0,1)', write=lambda m, _, up, down: m.kept.update(dataformat=[up, down]),
                       takes=(one_word("dataformat"), SWITCH, SWITCH)),  # 3.11
        "+QLWDEL": Row(run=_delete_context),  # 3.12
    })


def _status(model):
    return "+QLWDATASTATUS:%s%d" % (" " if model.options["status_blank"] else "", model.sent)
