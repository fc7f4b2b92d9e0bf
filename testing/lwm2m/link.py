"""The link: what a module model sees of the LwM2M client inside the module.

A model (testing/virtual_modem) plays the AT side of a module; the client that a real module has in its firmware is a
`Link`. Two kinds exist: `LocalLink` (virtual time, in-process, also under MicroPython) and `CoapLink` (CoAP over UDP).

A worked session, seen from the model:

    link = LocalLink(clock, server)             # or CoapLink(...)
    link.on_request = self.server_asks          # fn(ServerRequest), one call per request of the server
    link.register(Account("127.0.0.1", 5683), "node-1", 86400, "U", ["/1/0", "/3/0", "/3303/0"], self.registered)
    ...                                         # later: registered(201), registered(403) or registered(None)
    def server_asks(self, request):             # request.operation == "observe", request.path == (3303, 0, 5700)
        self.link.respond(request, 205, [((3303, 0, 5700), FLOAT, "21.5")])      # now or at any later time
    link.notify((3303, 0, 5700), [((3303, 0, 5700), FLOAT, "22.1")], True, self.acked)
    ...                                         # later: acked(0) acknowledged, acked(-1) reset, acked(None) no answer

Rules:

- Every outcome comes later through `done`, never from inside the call; once per call, unless `forget()` intervenes.
- Response codes are ints as CoAP writes them without the dot: 201, 204, 205, 400, 404, 405, 503.
- Paths are tuples of one to three ints; a value is (path, type, text or bytes), text in decimal, booleans "0" or "1".
- The link sends nothing by itself but answers and retransmissions: lifetimes, updates and back-off are the model's.
- `suspend()` makes the module deaf and dumb (PSM, deep sleep): what arrives is lost, what is sent waits for `resume()`;
  `cut()` does the same without supply: what was to be sent is lost too.
- Observations live in the link, as they live in the module's RAM: `forget()` is what a power cycle does.

Bounds: one server, one registration; one open request per message id.
"""

from testing.lwm2m.codec import CodecError, encode
from testing.lwm2m.names import (ACKNOWLEDGED, BOOLEAN, FLOAT, INTEGER, JSON, LINK_FORMAT, NONE, OBJLNK, OCTET_STREAM, OLD_JSON,
                               OLD_TLV, OPAQUE, RESET, SENML_CBOR, SENML_JSON, STRING, TEXT_PLAIN, TIME, TIMEOUT, TLV,
                               parse_path, path_text)

__all__ = ["ACKNOWLEDGED", "BOOLEAN", "FLOAT", "INTEGER", "JSON", "LINK_FORMAT", "NONE", "OBJLNK", "OCTET_STREAM", "OLD_JSON",
           "OLD_TLV", "OPAQUE", "RESET", "SENML_CBOR", "SENML_JSON", "STRING", "TEXT_PLAIN", "TIME", "TIMEOUT", "TLV",
           "Account", "Link", "Observation", "ServerRequest", "discover_payload", "parse_path", "path_text", "store_attributes"]


class Account:
    """One LwM2M server account: where, and with which key. `psk` is bytes or a hex string; None means NoSec."""

    def __init__(self, host, port=5683, psk_identity=None, psk=None):
        self.host = host
        self.port = port
        self.psk_identity = psk_identity
        self.psk = psk

    def __repr__(self):  # the key and the identity stay out of every trace
        security = "PSK" if self.psk else "NoSec"
        return f"Account({self.host}:{self.port}, {security})"


class ServerRequest:
    """What the server asks of the client.

    operation        "read" "write" "execute" "observe" "cancel" "discover" "write_attributes" "create" "delete"
    path             tuple of one to three ints (bootstrap: also empty, which means everything)
    payload          bytes as they came: the value of a write, the arguments of an execute
    content_format   of the payload, or None
    accept           format that the server asked for, or None
    query            tuple of strings, for write_attributes: ("pmin=5", "gt=25")
    mid              number of this request, 0..65535, unlike that of any other open request
    replace          write only: True for PUT (replace), False for POST (partial update)
    expects_answer   False for a cancellation by reset: respond() is then allowed and does nothing
    """

    def __init__(self, operation, path, payload=b"", content_format=None, accept=None, query=(), mid=0, replace=True):
        self.operation = operation
        self.path = tuple(path)
        self.payload = payload
        self.content_format = content_format
        self.accept = accept
        self.query = tuple(query)
        self.mid = mid
        self.replace = replace
        self.expects_answer = True

    def __repr__(self):
        return f"ServerRequest({self.operation} {path_text(self.path)}, mid={self.mid}, {len(self.payload)} bytes)"


class Observation:
    """One path that the server observes: its format, the next sequence number and what the link keeps beside it."""

    def __init__(self, path, accept=None, token=None):
        self.path = path
        self.accept = accept
        self.token = token
        self.sequence = 0

    def next_sequence(self):
        """Count up the Observe option, which must rise (RFC 7641, 3.4), and return it (24 bits)."""
        self.sequence = (self.sequence + 1) & 0xFFFFFF
        return self.sequence


class Air:
    """What the network does to messages: coverage, one-way delay in ms, loss in percent."""

    up = True
    delay_ms = loss = 0

    def radio(self, up=None, delay_ms=None, loss=None):
        """Play it; None leaves a setting as it is."""
        self.up = self.up if up is None else up
        self.delay_ms = self.delay_ms if delay_ms is None else delay_ms
        self.loss = self.loss if loss is None else loss


class Link(Air):
    """Base of both links: the observations, the attributes and the switches; what travels is in the subclasses."""

    def __init__(self):
        self.on_request = None
        self.observed_paths = {}
        self.attributes = {}
        self.objects = []
        self._open = {}  # message id -> (request, token of its observation, what the subclass needs to answer)
        self.ack_timeout_s = 2
        self.max_retransmit = 4
        self.fixed_interval = False
        self.suspended = False

    # what a subclass does: each of these returns at once

    def register(self, account, endpoint, lifetime, binding, objects, done):
        """POST /rd. `objects` are strings as "/3303/0"; `lifetime` in seconds. done(201), done(4xx) or done(None)."""
        raise NotImplementedError

    def update(self, done, lifetime=None, binding=None, objects=None):
        """POST to the registration; carries only what is given. done(204), done(404): register anew, done(None)."""
        raise NotImplementedError

    def deregister(self, done):
        """DELETE the registration. done(202), done(404) or done(None); the registration is gone in each case."""
        raise NotImplementedError

    def bootstrap(self, account, endpoint, on_write, done):
        """Ask a bootstrap server. on_write(ServerRequest "write" or "delete") -> code, or None for success.

        done(204) when the server says that it has finished, done(4xx) when it refuses, done(None) when it is silent.
        """
        raise NotImplementedError

    def respond(self, request, code, values=(), payload=None, content_format=None):
        """Answer a request, once. `values` are encoded in the accepted format, TLV where none was asked for.

        "discover": the paths of `values` become the links, with the attributes that the server wrote.
        "observe" with 205 makes the path observed; "write_attributes" with 204 keeps the attributes.
        """
        entry = self._open.get(request.mid)
        if entry is None or entry[0] is not request:  # answered before, withdrawn by the server, or a cancellation by reset
            return
        del self._open[request.mid]
        code, payload, content_format = self.response_payload(request, code, values, payload, content_format)
        if code == 205 and request.operation == "observe":
            self.observed_paths[request.path] = Observation(request.path, request.accept, entry[1])
        elif code == 205 and request.operation == "cancel":
            self.observed_paths.pop(request.path, None)
        self._answer(entry, code, payload, content_format)

    def notify(self, path, values, confirm, done, payload=None, content_format=None):
        """Send a notification of the observation at `path`, else of the nearest observed path above it.

        done(0): acknowledged, or sent where `confirm` is False; done(-1): the server answered with reset and the
        observation is gone, or nothing is observed there; done(None): no answer after all retransmissions.
        """
        observation = self.observation(path)
        if observation is None:
            self._later(done, RESET)
            return
        payload, content_format = self.notification_payload(observation, values, payload, content_format)

        def outcome(code):
            if code == RESET:
                self.cancelled_by_reset(observation)
            done(code)

        self._notify(observation, payload, content_format, confirm, outcome)

    # shared

    def observed(self, path):
        """True when a notification for `path` has an observation to travel on."""
        return self.observation(path) is not None

    def observations(self):
        """The observed paths, sorted."""
        return sorted(self.observed_paths)

    def observation(self, path):
        """The observation at `path`, else the nearest above it, else None."""
        path = tuple(path)
        while path:
            if path in self.observed_paths:
                return self.observed_paths[path]
            path = path[:-1]
        return None

    def retransmission(self, ack_timeout_s, max_retransmit, fixed=False):
        """Set the CoAP transmission parameters (RFC 7252, 4.8); `fixed` keeps the interval instead of doubling it."""
        self.ack_timeout_s = ack_timeout_s
        self.max_retransmit = max_retransmit
        self.fixed_interval = fixed

    def intervals_ms(self):
        """Waits after the first transmission and after each repetition, in ms."""
        first = int(self.ack_timeout_s * 1000)
        return [first if self.fixed_interval else first << n for n in range(self.max_retransmit + 1)]

    def suspend(self):
        """Put the module to sleep: it hears nothing and sends nothing."""
        self.suspended = True

    def resume(self):
        """Wake the module."""
        self.suspended = False

    def cut(self):
        """Switch the module off: silence until resume(), and what was on its way is lost. What it remembers is the model's."""
        self.suspended = True

    def forget(self):
        """Lose registration, observations and attributes, as a power cycle does; the server is not told.

        What was on the way is lost with them: its `done` is not called any more.
        """
        self.observed_paths = {}
        self.attributes = {}
        self.objects = []

    # for the subclasses

    def hand_over(self, request):
        """Give a request to the model; where there is none, nothing is found. An exception of the model is 5.00, and raised."""
        if self.on_request is None:
            self.respond(request, 404)
        else:
            try:
                self.on_request(request)
            except Exception:
                self.respond(request, 500)
                raise

    def refused(self, request):
        """True where the link has answered: 4.06 for a format that nobody can give (RFC 7252, 5.10.4), 4.00 for attributes
        that are none."""
        code = 0
        if request.operation in ("read", "observe") and not acceptable(request):
            code = 406
        elif request.operation == "write_attributes" and not attributes_fit(request):
            code = 400
        if code:
            self.respond(request, code)
        return code > 0

    def cancelled_by_reset(self, observation):
        """The server reset a notification: the observation goes, and the model hears of it (RFC 7641, 3.6)."""
        if self.observed_paths.get(observation.path) is not observation:
            return
        del self.observed_paths[observation.path]
        request = ServerRequest("cancel", observation.path)
        request.expects_answer = False
        if self.on_request is not None:
            self.on_request(request)

    def response_payload(self, request, code, values, payload, content_format):
        """(code, payload, format) of an answer; discover and write-attributes are served from what the link keeps.

        4.06 where text or opaque were asked for and several values are there, 5.00 where the model's values cannot be encoded.
        """
        if request.operation == "write_attributes" and code == 204:
            store_attributes(self.attributes, request.path, request.query)
        if payload is not None or code != 205:
            return code, payload or b"", content_format
        if request.operation == "discover":
            return code, discover_payload(request.path, [each[0] for each in values], self.attributes), LINK_FORMAT
        if not values and request.operation == "cancel":
            return code, b"", None
        content_format = TLV if request.accept is None else request.accept
        if content_format in (TEXT_PLAIN, OCTET_STREAM) and len(values) != 1:
            return 406, b"", None
        try:
            return code, encode(content_format, request.path, values), content_format
        except CodecError:
            return 500, b"", None

    def notification_payload(self, observation, values, payload, content_format):
        """Encode a notification in the format that the observation asked for."""
        if payload is not None:
            return payload, content_format
        content_format = TLV if observation.accept is None else observation.accept
        return encode(content_format, observation.path, values), content_format


def acceptable(request):
    """Whether a client of LwM2M 1.0 has the format that was asked for (TS 1.0.2, 6.4): text and opaque of one resource."""
    accept = request.accept
    return accept in (None, TLV, OLD_TLV, JSON, OLD_JSON) or accept in (TEXT_PLAIN, OCTET_STREAM) and len(request.path) == 3


def attributes_fit(request):
    """Names, values and places of TS 1.0.2 5.1.2: pmin and pmax in whole seconds, gt, lt and st of a resource."""
    for item in request.query:
        name, given, text = item.partition("=")
        if name in ("pmin", "pmax"):
            fits = text.isdigit() and int(text) <= 0x7FFFFFFF
        else:
            body = text.lstrip("-") if name != "st" else text
            fits = body.replace(".", "", 1).isdigit() and len(text) - len(body) < 2
        if name not in ("pmin", "pmax", "gt", "lt", "st") or name[0] != "p" and len(request.path) != 3 or given and not fits:
            return False
    return True


def store_attributes(attributes, path, query):
    """Apply a write-attributes query ("pmin=5", "gt") to the dict {path: {name: text}}; no value removes the name."""
    kept = attributes.setdefault(tuple(path), {})
    for item in query:
        name, _, value = item.partition("=")
        if value:
            kept[name] = value
        else:
            kept.pop(name, None)


def discover_payload(path, paths, attributes):
    """Link format (RFC 6690) for a discover on `path`: each path once, parents first, with its attributes."""
    wanted = {tuple(path)}
    for each in paths:
        for length in range(len(path), len(each) + 1):
            wanted.add(tuple(each[:length]))
    links = []
    for each in sorted(wanted):
        named = attributes.get(each, {})
        links.append("<{}>{}".format(path_text(each), "".join([";{}={}".format(*pair) for pair in sorted(named.items())])))
    return ",".join(links).encode()
