"""An LwM2M server in virtual time, for tests and simulations: LocalServer, the peer of LocalLink.

    server = LocalServer(clock)
    link = LocalLink(clock, server)
    ...                                           # the node registers through its module model
    answer = server.read("node-1", "/3303/0/5700")
    clock.advance(1000)
    answer.code, answer.values                    # 205, [Reading((3303, 0, 5700), FLOAT, 21.5, None)]
    server.deliveries                             # [((3303, 0, 5700), FLOAT, 21.5, 1767225600), ...]

What it plays: lifetimes that run out, queue mode (requests to a sleeping client wait until it is heard of), reset
on notifications that it does not know, retransmission of its own requests, PSK identities, bootstrap, `restart()`.

Bounds: every delivery and event is kept; empty `deliveries` and `events` in a simulation of years.
"""

from collections import namedtuple

from testing.lwm2m.codec import CodecError, decode
from testing.lwm2m.link import RESET, ServerRequest
from testing.lwm2m.names import LINK_FORMAT, OCTET_STREAM, SENML_CBOR, TLV, key_bytes, parse_path

Delivery = namedtuple("Delivery", ("path", "type", "value", "time"))

AWAKE_MS = 93_000  # MAX_TRANSMIT_WAIT, RFC 7252 4.8.2: how long a UQ client counts as awake after a message
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
        self.attributes = {}
        self.waiting = []
        self.expiry = None

    @property
    def queue_mode(self):
        """True for bindings as UQ."""
        return "Q" in self.binding


class Exchange:
    """One request of the server: `code` is None until the answer came, and stays None when `timed_out` is True."""

    def __init__(self, operation, path, on_done=None):
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
                self.values = decode(content_format, self.path, payload)
            except CodecError as error:
                self.values = []
                self.error = error
        if self.on_done:
            self.on_done(self)


class LocalServer:
    """The server. `keys` maps PSK identities to keys (bytes or hex): with it, only matching accounts are let in.

    refuse         a response code that every registration gets instead of 201, or None
    auto_observe   paths observed as soon as a client registers
    bootstrap      list of ("write", path, content_format, payload) and ("delete", path), sent to who asks
    """

    def __init__(self, clock, keys=None, auto_observe=()):
        self.clock = clock
        self.keys = keys
        self.auto_observe = list(auto_observe)
        self.refuse = None
        self.up = True
        self.bootstrap = []
        self.registrations = {}
        self.deliveries = []
        self.events = []
        self.duplicates = 0
        self.resets = 0
        self.undecodable = 0
        self.on_notification = None
        self.on_registration = None
        self._number = 0
        self._mid = 0
        self._token = 0

    # the registration interface, called by LocalLink when a message arrives: each returns a response code

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
        self._say(endpoint, "registered" if old is None else "reregistered")
        # After the 201 is on its way: an observation that overtook it would be of the registration before.
        self.clock.after(1, lambda: self._observe_by_itself(registration))
        return 201, self._number

    def _observe_by_itself(self, registration):
        if self.registrations.get(registration.endpoint) is registration:
            for path in self.auto_observe:
                self.observe(registration.endpoint, path)

    def handle_update(self, number, lifetime, binding, objects):
        """POST /rd/<number>; 404 for a registration that expired or was lost by a restart."""
        registration = self._numbered(number)
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
        self._say(registration.endpoint, "updated")
        return 204

    def handle_deregister(self, number):
        """DELETE /rd/<number>."""
        registration = self._numbered(number)
        if registration is None:
            return 404
        self._drop(registration)
        del self.registrations[registration.endpoint]
        self._say(registration.endpoint, "deregistered")
        return 202

    def handle_notification(self, link, token, payload, content_format):
        """A notification; RESET when its token belongs to no observation here."""
        for registration in self.registrations.values():
            path = registration.observations.get(token)
            if path is not None and registration.link is link:
                break
        else:
            self.resets += 1
            return RESET
        self._heard(registration)
        try:
            readings = decode(content_format, path, payload, now=self._unix())
        except CodecError as error:
            self.undecodable += 1
            self._say(registration.endpoint, "undecodable", str(error))
            return 0
        readings = self._unpacked(path, readings)
        for reading in readings:
            self.deliveries.append(
                Delivery(reading.path, reading.type, reading.value, self._unix() if reading.time is None else reading.time))
        if self.on_notification:
            self.on_notification(registration.endpoint, path, readings)
        return 0

    def accepts_key(self, account):
        """The DTLS handshake, so to say: does the account's key match ours?"""
        if self.keys is None:
            return account.psk is None
        return account.psk is not None and same_key(self.keys.get(account.psk_identity), account.psk)

    # operations, called by a test: each returns an Exchange that is filled in later

    def read(self, endpoint, path, accept=None, on_done=None):
        """GET."""
        return self._ask(endpoint, "read", path, accept=accept, on_done=on_done)

    def write(self, endpoint, path, payload, content_format=OCTET_STREAM, replace=True, on_done=None):
        """PUT (`replace`) or POST; `payload` as it travels, see `codec.encode`."""
        return self._ask(endpoint, "write", path, payload, content_format, replace=replace, on_done=on_done)

    def execute(self, endpoint, path, arguments=b"", on_done=None):
        """POST on a resource."""
        return self._ask(endpoint, "execute", path, arguments, on_done=on_done)

    def observe(self, endpoint, path, accept=None, on_done=None):
        """GET with Observe 0; the observation counts from the 205 on."""
        self._token += 1
        return self._ask(endpoint, "observe", path, accept=accept, token=self._token, on_done=on_done)

    def cancel(self, endpoint, path, active=True, on_done=None):
        """GET with Observe 1, or (active=False) forget it and answer the next notification with reset."""
        path = parse_path(path)
        registration = self._registered(endpoint)
        tokens = [token for token, observed in registration.observations.items() if observed == path]
        if active:
            return self._ask(endpoint, "cancel", path, token=tokens[0] if tokens else None, on_done=on_done)
        for token in tokens:
            del registration.observations[token]
        exchange = Exchange("cancel", path, on_done)
        exchange.finish(205)
        return exchange

    def discover(self, endpoint, path, on_done=None):
        """GET with Accept 40; the links are in `payload`."""
        return self._ask(endpoint, "discover", path, accept=LINK_FORMAT, on_done=on_done)

    def write_attributes(self, endpoint, path, query, on_done=None):
        """PUT with a query only: ("pmin=5", "gt=25")."""
        return self._ask(endpoint, "write_attributes", path, query=query, on_done=on_done)

    def create(self, endpoint, path, payload, content_format=TLV, on_done=None):
        """POST on an object."""
        return self._ask(endpoint, "create", path, payload, content_format, on_done=on_done)

    def delete(self, endpoint, path, on_done=None):
        """DELETE on an instance."""
        return self._ask(endpoint, "delete", path, on_done=on_done)

    def observations(self, endpoint):
        """The observed paths of a client, sorted."""
        return sorted(self._registered(endpoint).observations.values())

    def restart(self):
        """Lose every registration and observation, as a restarted server does; counts and deliveries stay."""
        for registration in self.registrations.values():
            self._drop(registration)
        self.registrations = {}
        self._say("", "restarted")

    # inside

    def _ask(self, endpoint, operation, path, payload=b"", content_format=None, **more):
        path = parse_path(path)
        registration = self._registered(endpoint)
        exchange = Exchange(operation, path, more.pop("on_done", None))
        token = more.pop("token", None)
        self._mid = (self._mid + 1) & 0xFFFF
        request = ServerRequest(operation, path, payload, content_format, mid=self._mid, **more)
        if registration.queue_mode and self.clock.now - registration.last_heard > AWAKE_MS:
            exchange.queued = True
            registration.waiting.append((request, token, exchange))
        else:
            self._send(registration, request, token, exchange)
        return exchange

    def _send(self, registration, request, token, exchange):
        def answered(code, payload=b"", content_format=None):
            if code == 205 and request.operation == "observe":
                for old in [each for each in registration.observations if registration.observations[each] == request.path]:
                    del registration.observations[old]
                registration.observations[token] = request.path
            elif code == 205 and request.operation == "cancel":
                registration.observations.pop(token, None)
            if code is not None:
                self._heard(registration)
            exchange.finish(code, payload, content_format)

        registration.link.server_asks(request, token, answered, PATIENCE_MS)

    def _unpacked(self, path, readings):
        """A SenML CBOR pack that travels as the opaque 19/0/0 becomes its single readings."""
        found = []
        for reading in readings:
            if reading.path[:3] not in PACK_PATHS or not isinstance(reading.value, bytes):
                found.append(reading)
                continue
            try:
                found += decode(SENML_CBOR, path, reading.value, now=self._unix())
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
            del self.registrations[registration.endpoint]
            self._say(registration.endpoint, "expired")

    def _drop(self, registration):
        if registration.expiry is not None:
            self.clock.cancel(registration.expiry)
            registration.expiry = None

    def _registered(self, endpoint):
        registration = self.registrations.get(endpoint)
        if registration is None:
            raise KeyError(
                "no client {!r} is registered ({})".format(endpoint, ", ".join(sorted(self.registrations)) or "none"))
        return registration

    def _numbered(self, number):
        for registration in self.registrations.values():
            if registration.number == number:
                return registration
        return None

    def _say(self, endpoint, event, detail=""):
        self.events.append((self.clock.now, endpoint, event, detail))
        if self.on_registration and event != "undecodable":
            self.on_registration(endpoint, event)

    def _unix(self):
        return self.clock.unix()


def same_key(ours, theirs):
    """Compare two keys, each bytes or a hex string; None matches nothing."""
    if ours is None or theirs is None:
        return False
    return key_bytes(ours) == key_bytes(theirs)
