"""BC66: what the server asks. Built-in objects are answered here; custom ones become URCs that the host must answer.

    server reads /3303/0/5700     +QLWURC: "read",17123,3303,0,5700
    host                          AT+QLWRDRSP=17123,1,3303,0,5700,4,5,66.66,0
                                  OK
                                  +QLWRDRSP: 0                       and the CoAP response is on its way

With access_mode 1 the URCs wait in a buffer: +QLWURC: "buffer" comes when it was empty, AT+QLWRD fetches one.

Bounds: `_OPEN` requests wait for the host, each for `answer_ms`; the buffer holds `_NODES`.
"""

from binascii import hexlify

from testing.lwm2m import codec
from testing.lwm2m.names import BOOLEAN, FLOAT, INTEGER, JSON, OCTET_STREAM, OLD_JSON, OPAQUE, STRING, TEXT_PLAIN, TIME
from testing.lwm2m.resource_types import type_of
from testing.virtual_modem.accounts import bootstrap_write, split_uri
from testing.virtual_modem.bc66_session import DEREGISTERED, REGISTERED, REGISTERING, Bc66Session
from testing.virtual_modem.builtin import Pipe
from testing.virtual_modem.core import joined
from testing.virtual_modem.radio import Declined

_OPEN = 16
_NODES = 32
_LONGEST_STRING, _LONGEST_OPAQUE = 1024, 512  # 4.3.3
_WIRE_TYPES = {STRING: 1, INTEGER: 3, FLOAT: 4, BOOLEAN: 5, TIME: 3}
_PIPE = 19
_REQUEST_NUMBERS = {"observe": 0, "read": 1, "write": 2, "execute": 3}

# <result> of the response commands -> CoAP code (4.2.8, 4.2.9).
READ_RESULTS = {1: 205, 11: 400, 12: 401, 13: 404, 14: 405, 15: 406}
WRITE_RESULTS = {2: 204, 11: 400, 12: 401, 13: 404, 14: 405}


class Bc66Requests(Bc66Session, Pipe):
    """The server's side of the session."""

    OPTIONS = joined(Bc66Session.OPTIONS, {
        "answer_ms": 90000,  # how long a request waits for the host
        "write_as": "stripped",  # 4.3.3: the TLV's value as type 2; "typed": by the registry, or text; "whole_record": as is
        "object_level": True,  # read and observe of a whole object reach the host (4.3.4, against 5.8)
        "downlink_limit": 0,  # before R01A10 a longer write asserts the module; 0: no limit
    })

    def __init__(self, clock, link, nvram=None, **options):
        self.open_requests = {}
        self.nodes = []
        super().__init__(clock, link, nvram, **options)

    # ---- accounts written by a bootstrap server

    def _bootstrap_write(self, request):
        return bootstrap_write(request, self._take_account, self._take_server)

    def _take_account(self, written):
        place = split_uri(written.uri)
        if place is None:
            return
        own = self.account(True)
        security = 0 if written.key else 3
        entry = [place[0], place[1], own[2], own[3], security, written.identity, written.key, True]
        self.stored("accounts", {})["0"] = entry

    def _take_server(self, values):
        server = self.account(False)
        for resource in (1, 2, 3, 7):
            if resource in values:
                self.builtin.keep((1, 0, resource), values[resource])
                self.server_wrote((1, 0, resource), values[resource])
        if 1 in values and server is not None:
            server[3] = int(values[1])

    # ---- disable (1/0/4)

    @property
    def disabled(self):
        """True while the server does not want to hear from us."""
        return self._disable_timer is not None and self._disable_timer.active

    def disable(self):
        """Deregister, stay away for the disable timeout, register again (4.3.15)."""
        timeout = self.builtin.kept((1, 0, 5))
        self.urc('+QLWURC: "disable",%d' % timeout)
        self.link.deregister(self.guarded(lambda code: self._forget_session()))
        self.status = DEREGISTERED
        self._stop(self._update_timer)
        self._disable_timer = self.after_rtc(timeout * 1000, self._enable)

    def _enable(self):
        self._disable_timer = None
        if self.state_name == "on" and self.attached:
            self.register()
            return
        self.kept["enable_due"] = True
        self.wake_up()

    def went_down(self, state):
        self.open_requests = {}
        if state == "off":
            self.nodes = []
        super().went_down(state)

    # ---- arrival

    def registering(self):
        return self.status == REGISTERING

    def serve(self, request):
        """Of the module's own objects, of custom ones, by the firmware's age."""
        operation, path = request.operation, request.path
        if self.builtin.has(path[0]):
            self.builtin.answer(request)
        elif self.level < 10 and (operation == "write" and len(request.payload) > 50
                                  or request.content_format in (JSON, OLD_JSON)):
            self.after(10, self.restart)  # asserts: fixed in R01A10
        elif path[0] == _PIPE and self.level < 7:
            self.piped(request)
        elif self.level < 10 and operation in ("read", "observe") and path[0] != _PIPE and len(path) < 3:
            raise Declined(405)
        elif operation not in ("read", "write", "execute", "observe", "cancel"):
            raise Declined(405)  # 3.2.2: nothing else on custom objects
        elif not self.declared(path):
            raise Declined(404)
        elif operation == "write":
            self._custom_write(request)
        elif operation == "execute" and len(path) != 3 or len(path) == 1 and not self.options["object_level"]:
            raise Declined(405)
        else:
            self._ask_host(request, self._place(path))
            if operation in ("observe", "cancel") and self.cfg["auto_ack"][0]:
                self.open_requests.pop(request.mid, None)
                self.link.respond(request, 205)

    @staticmethod
    def _place(path):
        return "%d,%d,%d" % (path[0], path[1] if len(path) > 1 else -1, path[2] if len(path) > 2 else -1)

    def _custom_write(self, request):
        if self.options["downlink_limit"] and len(request.payload) > self.options["downlink_limit"]:
            self.after(10, self.restart)  # asserts (release notes V0110: fixed in R01A10)
            return
        values = self._raw_values(request)
        if len(values) != 1:
            raise Declined(405)  # "Currently, only <index>=0 is supported" (4.3.3): one resource in one request
        if not self.declared(values[0][0]):
            raise Declined(404)
        path, raw = values[0]
        kind = OPAQUE
        if self.options["write_as"] == "typed":
            text = request.content_format == TEXT_PLAIN
            kind = STRING if text else _WIRE_TYPES.get(type_of(path[0], path[2]), OPAQUE)
        elif self.options["write_as"] == "whole_record":
            raw = request.payload
        if len(raw) > (_LONGEST_STRING if kind == STRING else _LONGEST_OPAQUE):
            raise Declined(413)  # 4.3.3 has a largest size and no word of what is larger: our choice
        text = hexlify(raw).decode().upper()
        self._ask_host(request, '%s,%d,%d,"%s",0' % (self._place(path), kind, len(raw), text))

    def _raw_values(self, request):
        kind = request.content_format
        if kind in (None, TEXT_PLAIN, OCTET_STREAM):
            if request.path[0] == _PIPE:
                return [((tuple(request.path) + (0, 0))[:3], request.payload)]
            values = [(request.path, request.payload)] if len(request.path) == 3 else []
        elif kind in (JSON, OLD_JSON):
            values = [(each.path, _json_bytes(each)) for each in codec.decode(kind, request.path, request.payload)]
        else:
            values = codec.decode_raw(kind, request.path, request.payload)
        if self.level < 10 and self.cfg["access_mode"][0]:
            values = [(path, raw.split(b" ")[0]) for path, raw in values]
        return values

    def _ask_host(self, request, rest):
        if len(self.open_requests) >= _OPEN:
            raise Declined(503)
        mid = request.mid
        self.open_requests[mid] = [request, []]
        self.after(self.options["answer_ms"], lambda: self._expire(mid, request))
        name = "observe" if request.operation == "cancel" else request.operation
        flag = ",%d" % (request.operation == "cancel") if name == "observe" else ""
        text = ",%d%s,%s" % (mid, flag, rest)
        self.deliver(name, text)
        if self.quirk("duplicate_requests"):
            self.after(2000, lambda: mid in self.open_requests and self.deliver(name, text))

    def _expire(self, mid, request):
        if mid in self.open_requests and self.open_requests[mid][0] is request:
            del self.open_requests[mid]

    def deliver(self, name, rest):
        """A request's URC: to the host, or into the buffer."""
        if not self.cfg["access_mode"][0]:
            self.request_urc(name, rest)
            return
        if len(self.nodes) < _NODES:
            self.nodes.append('"%s"%s' % (name, rest))
            if len(self.nodes) == 1:
                self.urc('+QLWURC: "buffer"')

    def request_urc(self, name, rest):
        """The URC in the firmware's dialect."""
        if self.level >= 7 or name not in _REQUEST_NUMBERS:
            self.urc('+QLWURC: "%s"%s' % (name, rest))
        else:
            self.urc("+QLWURC: %d%s" % (_REQUEST_NUMBERS[name], rest))

    # ---- object 19 as a pipe, A06

    def pipe_observed(self, path, cancelled):
        self.urc("+QLWOBSERVE: %d,19,%d,%d" % ((cancelled,) + (tuple(path) + (0, 0))[1:3]))

    def pipe_down(self, path, raw, content_format):
        head = "" if self.quirk("bare_results") else "19,%d,%d,%d," % (path[1], path[2], len(raw))
        self.urc("+QLWDATARECV: %s%s" % (head, hexlify(raw).decode().upper()))

    # ---- the host's answers

    def answer_request(self, mid, operations, code, values=(), last=True):
        """Give a response to the server; False when no such request waits. Parts are collected until `last`."""
        entry = self.open_requests.get(mid)
        if entry is None or entry[0].operation not in operations:
            return False
        request, parts = entry
        parts.extend(values)
        if last:
            del self.open_requests[mid]
            self.link.respond(request, code, join_parts(parts) if code == 205 else ())
            self.activity()
        return True

    # ---- built-in objects

    def server_wrote(self, path, value):
        """A server changed a built-in resource; object 1 has URCs of its own (4.3.11 to 4.3.14)."""
        name = {1: "lifetime", 2: "min_period", 3: "max_period", 7: "binding"}.get(path[2])
        if path[0] != 1 or name is None:
            return
        kept = value if path[2] == 7 else int(value)
        if path[2] in (1, 7):
            self.session()[name] = kept
        self.changed_urc(name, kept)
        if self.status == REGISTERED and path[2] in (1, 7):
            self.ping(**{name: kept})

    def changed_urc(self, name, value):
        """A ..._changed URC in the firmware's dialect."""
        if self.level >= 10:
            self.urc('+QLWURC: "%s_changed",%s' % (name, '"%s"' % value if name == "binding" else value))
        elif name == "binding":
            self.urc("+QLWURC: binding_changed,%s" % value)
        else:
            self.urc('+QLWURC: "%s changed,%s"' % (name, value))

    def may_execute(self, path):
        """False for an execute that the module refuses: 1/0/9 without a bootstrap server."""
        return path != (1, 0, 9) or self.account(True) is not None

    def _bootstrap_trigger(self):
        self.urc('+QLWURC: "bootstrap_request_trigger",0')
        self._fell_back = False
        self._chain("bootstrap")

    EXECUTES = {(1, 0, 8): lambda m: m.ping(), (1, 0, 4): lambda m: m.disable(), (1, 0, 9): _bootstrap_trigger,
                (3, 0, 4): lambda m: m.after(500, m.restart),
                (3, 0, 5): lambda m: m.link.deregister(m.guarded(lambda code: m._reset_to_factory()))}

    def _reset_to_factory(self):
        """After deregistering: the URC and a reset, or in buffer mode the URC only (4.3.16, notes)."""
        self._forget_session()
        self.nvram["objects"] = []
        self.builtin.forget()
        self.nvram["reset_pending"] = True
        if self.bootstrapping:
            self.nvram.get("accounts", {}).pop("0", None)
        self.deliver("factory_reset", ",0")
        if not self.cfg["access_mode"][0]:
            self.after(500, self.restart)


def join_parts(parts):
    """Values of several commands as one list; parts of one resource are one value (index, 4.2.8)."""
    joined = []
    for path, kind, value in parts:
        if joined and joined[-1][0] == path and joined[-1][1] == kind:
            joined[-1] = (path, kind, joined[-1][2] + value)
        else:
            joined.append((path, kind, value))
    return joined


def _json_bytes(reading):
    if isinstance(reading.value, (bytes, bytearray)):
        return bytes(reading.value)
    if reading.type in (FLOAT, INTEGER) and not isinstance(reading.value, str):
        return codec.raw_of(reading.type, str(reading.value))
    if isinstance(reading.value, bool):
        return b"\x01" if reading.value else b"\x00"
    return str(reading.value).encode()
