"""What every test server knows of its clients, whichever way they are reached: registrations, queue mode, deliveries.

    class LocalServer(ServerCore)       local_server: virtual time, in-process, also under MicroPython
    class Lwm2mServer(ServerCore)       server: CoAP over UDP

A client is reached through what it registered with: `link.server_asks(request, token, answered, patience_ms)`, which calls
answered(code, payload, content_format) once, code None for silence; observed=False there where it has told `observing` already,
or where the client has not taken the observation.

What it plays: lifetimes that run out, queue mode (requests to a client that has been silent for `awake_s` wait until it is
heard of), reset on notifications that it does not know. Readings of a SenML pack that arrives on 19/0/0 are told apart: each is
a delivery with its own time.

Bounds: every delivery and event is kept; empty `deliveries` and `events` in a simulation of years.
"""

from collections import namedtuple

from testing.lwm2m.codec import CodecError, decode
from testing.lwm2m.link import RESET, ServerRequest
from testing.lwm2m.names import LINK_FORMAT, SENML_CBOR, parse_path, path_text
from testing.lwm2m.resource_types import type_of

Delivery = namedtuple("Delivery", ("path", "type", "value", "time"))

AWAKE_S = 93  # MAX_TRANSMIT_WAIT, RFC 7252 4.8.2: how long a UQ client counts as awake after a message
PATIENCE_MS = 247_000  # EXCHANGE_LIFETIME, same clause: no answer after that is no answer
PACK_PATHS = ((19, 0, 0), (10250, 0, 0))  # BG96 guide 4.1: LGU+ has an object of its own


class Registration:
    """What the server knows of one client."""

    def __init__(self, endpoint, lifetime, binding, objects, link, number):
        self.endpoint = endpoint
        self.lifetime = lifetime
        self.binding = binding
        self.objects = list(objects)
        self.link = link
        self.number = number
        self.updates = 0
        self.last_heard = 0
        self.observations = {}
        self.waiting = []
        self.expiry = None

    @property
    def queue_mode(self):
        """True for bindings as UQ."""
        return "Q" in self.binding

    def __repr__(self):
        objects = ",".join(self.objects)
        return f"{self.endpoint}, lifetime={self.lifetime}, binding={self.binding}, {objects}"


class Exchange:
    """One request of the server: `code` is None until the answer came, and stays None when `timed_out` is True.

    `error` says why a payload made no sense.
    """

    error = None

    def __init__(self, operation, path, on_done=None, types=type_of, now=None):
        self._decoding = types, now
        self.operation = operation
        self.path = path
        self.code = None
        self.values = []
        self.payload = b""
        self.content_format = None
        self.timed_out = False
        self.queued = False
        self.on_done = on_done

    @property
    def done(self):
        """True once answered or given up."""
        return self.code is not None or self.timed_out

    @property
    def value(self):
        """The value of the only reading, None when there is none."""
        return self.values[0].value if self.values else None

    def __repr__(self):
        return f"{self.operation}: {self.code} {self.values or self.payload}"

    def finish(self, code, payload=b"", content_format=None):
        """Take the answer, once."""
        if self.done:
            return
        self.code = code
        self.timed_out = code is None
        self.payload = payload
        self.content_format = content_format
        if code == 205 and payload and content_format != LINK_FORMAT:
            try:
                self.values = decode(content_format or 0, self.path, payload, *self._decoding)
            except CodecError as error:
                self.error = str(error)
        if self.on_done:
            self.on_done(self)


class ServerCore:
    """See the module.

    refuse         a response code that every registration gets instead of 201, or None
    auto_observe   paths observed as soon as a client registers
    """

    def __init__(self, clock, auto_observe=(), types=type_of, awake_s=AWAKE_S):
        self.clock = clock
        self.types = types
        self.awake_s = awake_s
        self.auto_observe = list(auto_observe)
        self.refuse = None
        self.registrations = {}
        self.deliveries = []
        self.events = []
        self.resets = 0
        self.undecodable = 0
        self.on_notification = None
        self.on_registration = None
        self._number = 0
        self._mid = 0
        self._token = 0

    # the registration interface, called when a message arrives

    def handle_register(self, link, endpoint, lifetime, binding, objects):
        """POST /rd. A second registration of one endpoint replaces the first, with all its observations."""
        if self.refuse is not None:
            return self.refuse, None
        if not endpoint or not objects:
            return 400, None
        old = self.registrations.get(endpoint)
        if old is not None:
            self._drop(old)
        self._number += 1
        registration = Registration(endpoint, lifetime, binding, objects, link, self._number)
        if old is not None:
            registration.waiting = old.waiting
        self.registrations[endpoint] = registration
        self._heard(registration)
        self.event(endpoint, "registered" if old is None else "reregistered", repr(registration))
        # After the 201 is on its way: an observation that overtook it would be of the registration before.
        self.clock.after(1, lambda: self._observe_by_itself(registration))
        return 201, self._number

    def _observe_by_itself(self, registration):
        if self.registrations.get(registration.endpoint) is registration:
            for path in self.auto_observe:
                self.ask(registration.endpoint, "observe", path)

    def handle_update(self, number, lifetime, binding, objects):
        """POST /rd/<number>; 404 for a registration that expired or was lost by a restart."""
        registration = self.numbered(number)
        if registration is None:
            return 404
        if lifetime is not None:
            registration.lifetime = lifetime
        if binding is not None:
            registration.binding = binding
        if objects is not None:
            registration.objects = list(objects)
        registration.updates += 1
        self._heard(registration)
        given = {"lt": lifetime, "b": binding, "objects": objects and len(objects)}
        changes = [f"{name}={given[name]}" for name in ("lt", "b", "objects") if given[name] is not None]
        self.event(registration.endpoint, "updated", " ".join(changes))
        return 204

    def handle_deregister(self, number):
        """DELETE /rd/<number>."""
        registration = self.numbered(number)
        if registration is None:
            return 404
        self._end(registration, "deregistered")
        return 202

    def observation_of(self, token, link=None):
        """(registration, path) of a notification that arrived; None where its token belongs to no observation here."""
        for registration in self.registrations.values():
            path = registration.observations.get(token)
            if path is not None and link in (None, registration.link):
                self._heard(registration)
                return registration, path
        self.resets += 1
        return None

    def handle_notification(self, link, token, payload, content_format):
        """A notification; RESET when nobody observes with its token."""
        found = self.observation_of(token, link)
        if found is None:
            return RESET
        self.deliver(found[0], found[1], payload, content_format)
        return 0

    def deliver(self, registration, path, payload, content_format):
        """Take a notification's values down."""
        now = self.clock.unix()
        try:
            readings = self._unpacked(decode(content_format, path, payload, self.types, now))
        except CodecError as error:
            self.undecodable += 1
            self.event(registration.endpoint, "undecodable", f"{path_text(path)}: {error}")
            return
        for reading in readings:
            when = now if reading.time is None else reading.time
            self.deliveries.append(Delivery(reading.path, reading.type, reading.value, when))
            self.delivered(registration, reading)
        if self.on_notification:
            self.on_notification(registration.endpoint, path, readings)

    def delivered(self, registration, reading):
        """One reading has arrived."""

    # requests

    def ask(self, endpoint, operation, path, payload=b"", content_format=None, on_done=None, **more):
        """An Exchange that is filled in when the client answers; KeyError: no such client. `more` of ServerRequest."""
        path = parse_path(path)
        registration = self.registered(endpoint)
        exchange = Exchange(operation, path, on_done, self.types, self.clock.unix())
        token = more.pop("token", None)
        if operation == "observe":
            self._token += 1
            token = self._token
        elif operation == "cancel":
            token = ([each for each, observed in registration.observations.items() if observed == path] or [None])[0]
        self._mid = (self._mid + 1) & 0xFFFF
        request = ServerRequest(operation, path, payload, content_format, mid=self._mid, **more)
        if self.sleeping(endpoint):
            exchange.queued = True
            registration.waiting.append((request, token, exchange))
            self.queued(registration, request)
        else:
            self._send(registration, request, token, exchange)
        return exchange

    def sleeping(self, endpoint):
        """True for a queue-mode client that has been silent for longer than it listens."""
        registration = self.registered(endpoint)
        return registration.queue_mode and self.clock.now - registration.last_heard > self.awake_s * 1000

    def queued(self, registration, request):
        """A request waits until its client is heard of."""

    def unobserve(self, endpoint, path):
        """Forget an observation, and answer its next notification with reset."""
        path = parse_path(path)
        observations = self.registered(endpoint).observations
        for token in [each for each in observations if observations[each] == path]:
            del observations[token]

    def observing(self, registration, token, path):
        """The client has taken an observation; a new one takes the place of an old one."""
        if self.registrations.get(registration.endpoint) is registration:
            self.unobserve(registration.endpoint, path)
            registration.observations[token] = path

    def observations(self, endpoint):
        """The observed paths of a client, sorted."""
        return sorted(self.registered(endpoint).observations.values())

    def forget(self):
        """Lose all registrations and observations, as a restart without a database does; counts and deliveries stay."""
        for registration in self.registrations.values():
            self._drop(registration)
        self.registrations = {}

    # inside

    def _send(self, registration, request, token, exchange):
        def answered(code, payload=b"", content_format=None, observed=True):
            if code == 205 and request.operation == "observe" and observed:
                self.observing(registration, token, request.path)
            elif code == 205 and request.operation == "cancel":
                registration.observations.pop(token, None)
            if code is not None:
                self._heard(registration)
            exchange.finish(code, payload, content_format)

        registration.link.server_asks(request, token, answered, PATIENCE_MS)

    def _unpacked(self, readings):
        """A SenML CBOR pack that travels as the opaque 19/0/0 becomes its single readings."""
        found = []
        for reading in readings:
            if reading.path[:3] not in PACK_PATHS or not isinstance(reading.value, bytes):
                found.append(reading)
                continue
            try:
                found += decode(SENML_CBOR, reading.path, reading.value, self.types, self.clock.unix())
            except CodecError:
                found.append(reading)
        return found

    def _heard(self, registration):
        registration.last_heard = self.clock.now
        self._arm_expiry(registration)
        waiting, registration.waiting = registration.waiting, []
        for request, token, exchange in waiting:
            self._send(registration, request, token, exchange)

    def _arm_expiry(self, registration):
        """One timer per registration: moved when it fires, not at each message."""
        if registration.expiry is None:
            due = registration.last_heard + registration.lifetime * 1000 - self.clock.now
            registration.expiry = self.clock.after(max(1, due), lambda: self._expire(registration))

    def _expire(self, registration):
        registration.expiry = None
        if self.clock.now < registration.last_heard + registration.lifetime * 1000:
            self._arm_expiry(registration)
        elif self.registrations.get(registration.endpoint) is registration:
            self._end(registration, "expired", f"lifetime of {registration.lifetime} s")

    def _end(self, registration, event, detail=""):
        """A client has gone; who waits for it hears so."""
        self._drop(registration)
        del self.registrations[registration.endpoint]
        waiting, registration.waiting = registration.waiting, []
        for _, _, exchange in waiting:
            exchange.finish(None)
        self.event(registration.endpoint, event, detail)

    def _drop(self, registration):
        if registration.expiry is not None:
            self.clock.cancel(registration.expiry)
            registration.expiry = None

    def registered(self, endpoint):
        """What is known of a client; KeyError where it is not registered."""
        registration = self.registrations.get(endpoint)
        if registration is None:
            raise KeyError(
                "no client {!r} is registered ({})".format(endpoint, ", ".join(sorted(self.registrations)) or "none"))
        return registration

    def numbered(self, number):
        """A registration by its number, or None."""
        for registration in self.registrations.values():
            if registration.number == number:
                return registration
        return None

    def event(self, endpoint, event, detail=""):
        """Take down what happened to a client, and tell on_registration."""
        self.events.append((self.clock.now, endpoint, event, detail))
        if self.on_registration and event != "undecodable":
            self.on_registration(endpoint, event)
