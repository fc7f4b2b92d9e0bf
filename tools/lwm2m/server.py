"""Lwm2mServer: an LwM2M 1.0 server on CoAP over UDP, for the demo, for tests, and for a person at a terminal.

    server = Lwm2mServer(port=5683)
    await server.start()
    server.on_registration = lambda endpoint, event: ...       # "registered" "updated" "deregistered" "expired" ...
    answer = await server.read("node-1", "/3303/0/5700")       # answer.code 205, answer.value 21.5
    await server.observe("node-1", "/3303/0")                  # from then on: on_notification(endpoint, path, readings)
    await server.write("node-1", "/3306/0/5850", True)
    server.deliveries                                          # [(path, type, value, Unix time), ...] as notified

Readings of a SenML pack that arrives on 19/0/0 are told apart: each is a delivery with its own time.
Queue mode (binding with Q): a request to a client that has been silent for 93 s waits until it is heard of again.
A client keeps its observations when a request to it times out, and may come back from another address by an update.

`python -m tools.lwm2m.server --help` is the same for a person: a log on the terminal, commands typed at it.

Bounds: deliveries and events are kept until the server is closed; one event loop, one client per endpoint name.
"""

import asyncio
import time
from collections import namedtuple

from aiocoap import DELETE, GET, POST, PUT, Code

from tools.lwm2m.codec import CodecError, decode, encode
from tools.lwm2m.endpoint import EXCHANGE_LIFETIME_S, Endpoint, code_number, message, remote_text
from tools.lwm2m.names import (
    BOOLEAN,
    FLOAT,
    INTEGER,
    LINK_FORMAT,
    OPAQUE,
    SENML_CBOR,
    STRING,
    TLV,
    parse_path,
    path_text,
)
from tools.lwm2m.resource_types import type_of

AWAKE_S = 93  # MAX_TRANSMIT_WAIT (RFC 7252, 4.8.2), how long a queue-mode client listens after a message
PACK_PATH = (19, 0, 0)

Delivery = namedtuple("Delivery", ("path", "type", "value", "time"))


class Answer:
    """What came of a request: `code` as an int, None when nobody answered; `error` when the payload made no sense."""

    def __init__(self, code, values=(), payload=b"", content_format=None, error=None):
        self.code = code
        self.values = list(values)
        self.payload = payload
        self.content_format = content_format
        self.error = error

    @property
    def value(self):
        """The value of the only reading."""
        return self.values[0].value if self.values else None

    def __repr__(self):
        return f"Answer({self.code}, {self.values or self.payload})"


class Client:
    """A registered client."""

    def __init__(self, endpoint, number, address):
        self.endpoint = endpoint
        self.number = number
        self.address = address
        self.lifetime = 86400
        self.binding = "U"
        self.version = "1.0"
        self.links = ""
        self.objects = []
        self.updates = 0
        self.observations = {}
        self.last_heard = 0.0
        self.awake = None
        self.expiry = None

    @property
    def queue_mode(self):
        """True for bindings as UQ."""
        return "Q" in self.binding

    def __repr__(self):
        objects = ",".join(self.objects)
        return f"Client({self.endpoint}, lifetime={self.lifetime}, binding={self.binding}, {objects})"


class Lwm2mServer:
    """See the module. `types(object, resource)` says how to read TLV; `log(sentence)` gets a line per event."""

    def __init__(self, host="127.0.0.1", port=0, types=type_of, log=None, awake_s=AWAKE_S, auto_observe=(), seed=None):
        self.host = host
        self.port = port
        self.types = types
        self.log = log
        self.awake_s = awake_s
        self.auto_observe = list(auto_observe)
        self.patience_s = EXCHANGE_LIFETIME_S
        self.refuse = None
        self.clients = {}
        self.deliveries = []
        self.events = []
        self.undecodable = 0
        self.resets = 0
        self.on_notification = None
        self.on_registration = None
        self.bootstrap = {}
        self.endpoint = None
        self._seed = seed
        self._number = 0
        self._tasks = set()

    async def start(self):
        """Bind the port; `port` says which it became. OSError when it is taken."""
        self.endpoint = Endpoint(self._requested, self._notified, seed=self._seed)
        await self.endpoint.open(self.host, self.port)
        self.port = self.endpoint.port
        self._say(f"listening on {remote_text((self.host, self.port))}")
        return self

    async def close(self):
        """Close the port; requests that wait are cancelled."""
        for task in list(self._tasks):
            task.cancel()
        self.forget()
        if self.endpoint is not None:
            self.endpoint.close()

    def forget(self):
        """Lose all registrations and observations, as a restart without a database does."""
        for client in self.clients.values():
            client.expiry.cancel()
        self.clients = {}

    @property
    def duplicates(self):
        """Messages that came again and were not taken twice."""
        return self.endpoint.duplicates

    # operations

    async def read(self, endpoint, path, accept=None):
        """Read a resource, an instance or an object; `accept` a content format, None leaves it to the client."""
        return await self._ask(endpoint, GET, path, accept=accept)

    async def write(self, endpoint, path, value, content_format=None, replace=True):
        """Write. `value`: bool, int, float, str or bytes for a resource; a list of (path, type, text) for an instance.

        `replace=False` updates an instance in part. bytes together with a `content_format` travel as they are.
        """
        path = parse_path(path)
        payload, content_format = self._write_payload(path, value, content_format)
        return await self._ask(endpoint, PUT if replace else POST, path, payload, content_format=content_format)

    async def execute(self, endpoint, path, arguments=""):
        """Execute a resource; arguments as "0='x'" (TS 1.0.2, 5.4.5)."""
        payload = arguments.encode()
        return await self._ask(endpoint, POST, path, payload, content_format=0 if payload else None)

    async def observe(self, endpoint, path, accept=None):
        """Observe; the answer has the current values."""
        path = parse_path(path)
        client = self._client(endpoint)
        answer = await self._ask(endpoint, GET, path, accept=accept, observe=0, observation=True)
        if answer.code == 205:
            self._say(f"{client.endpoint} observes {path_text(path)}")
        return answer

    async def cancel(self, endpoint, path, active=True):
        """Cancel an observation by request, or (active=False) by answering the next notification with reset."""
        path = parse_path(path)
        client = self._client(endpoint)
        tokens = [token for token, observed in client.observations.items() if observed == path]
        for token in tokens:
            del client.observations[token]
        if not active:
            return Answer(205)
        return await self._ask(endpoint, GET, path, observe=1, token=tokens[0] if tokens else None)

    async def discover(self, endpoint, path):
        """Discover; the answer's payload is link format."""
        return await self._ask(endpoint, GET, path, accept=LINK_FORMAT)

    async def write_attributes(self, endpoint, path, *query, **named):
        """Set notification attributes: write_attributes("node", "/3303/0/5700", pmin=5, pmax=60) or as "pmin=5"."""
        query = query + tuple(["{}={}".format(*pair) for pair in sorted(named.items())])
        return await self._ask(endpoint, PUT, path, uri_query=query)

    async def create(self, endpoint, path, values=(), payload=None):
        """Create an instance of an object; `values` as for write, below the instance that is wanted."""
        path = parse_path(path)
        if payload is None:
            payload = encode(TLV, path[:1], values)
        return await self._ask(endpoint, POST, path[:1], payload, content_format=TLV)

    async def delete(self, endpoint, path):
        """Delete an instance."""
        return await self._ask(endpoint, DELETE, path)

    # requests to clients

    def _client(self, endpoint):
        client = self.clients.get(endpoint)
        if client is None:
            raise KeyError("no client {!r} is registered ({})".format(endpoint, ", ".join(sorted(self.clients)) or "none"))
        return client

    def sleeping(self, endpoint):
        """True for a queue-mode client that has been silent for longer than it listens."""
        client = self._client(endpoint)
        return client.queue_mode and self._now() - client.last_heard > self.awake_s

    async def _ask(self, endpoint, code, path, payload=b"", observation=False, token=None, **options):
        path = parse_path(path)
        client = self._client(endpoint)
        while self.sleeping(endpoint):
            self._say(f"{endpoint} sleeps: {code.name} {path_text(path)} waits")
            client.awake.clear()
            await client.awake.wait()
            client = self._client(endpoint)
        options = {name: value for name, value in options.items() if value is not None}
        request = message(code, payload, uri_path=tuple([str(part) for part in path]), **options)
        request.token = token or b""  # a cancellation repeats the observation's token (RFC 7641, 3.6)
        response = await self._exchange(client, request, path if observation else None)
        if response is None:
            self._say(f"{endpoint} did not answer {code.name} {path_text(path)}")
            return Answer(None)
        self._heard(client)
        return self._answer(path, response)

    async def _exchange(self, client, request, observed):
        def arrived(response):
            if response is not None and observed is not None and response.opt.observe is not None:
                self._observe(client, response.token, observed)  # at once: a notification may be right behind

        response = await self._response(request, client.address, arrived)
        if response is not None and response.opt.block2 is not None and response.opt.block2.more:
            response.payload = await self._rest(client, request, response)
        return response

    async def _response(self, request, remote, arrived=None):
        """Send a request and wait; `arrived` is called the moment the response is there."""
        future = asyncio.get_running_loop().create_future()

        def done(response):
            if arrived is not None:
                arrived(response)
            if not future.done():  # who waited may have been cancelled
                future.set_result(response)

        self.endpoint.request(request, remote, done, self.patience_s)
        return await future

    def _observe(self, client, token, path):
        for old in [each for each in client.observations if client.observations[each] == path]:
            del client.observations[old]
        client.observations[token] = path

    async def _rest(self, client, request, response):
        """Fetch the further blocks of a large answer (RFC 7959)."""
        body = response.payload
        block = response.opt.block2
        while block.more:
            follow = message(GET, uri_path=request.opt.uri_path)
            follow.opt.block2 = (len(body) // block.size, False, block.size_exponent)
            part = await self._response(follow, client.address)
            if part is None or part.opt.block2 is None or not part.payload:
                return body
            body += part.payload
            block = part.opt.block2
        return body

    def _answer(self, path, response):
        code = code_number(response.code)
        content_format = None if response.opt.content_format is None else int(response.opt.content_format)
        if code != 205 or content_format == LINK_FORMAT or not response.payload:
            return Answer(code, (), response.payload, content_format)
        try:
            values = decode(content_format or 0, path, response.payload, self.types, self._unix())
        except CodecError as error:
            return Answer(code, (), response.payload, content_format, str(error))
        return Answer(code, values, response.payload, content_format)

    def _write_payload(self, path, value, content_format):
        if isinstance(value, (list, tuple)):
            return encode(TLV if content_format is None else content_format, path, value), content_format or TLV
        if isinstance(value, (bytes, bytearray)) and content_format is not None:
            return bytes(value), content_format
        kind, text = self._typed(path, value)
        content_format = TLV if content_format is None else content_format
        return encode(content_format, path, [(path, kind, text)]), content_format

    def _typed(self, path, value):
        """The resource's type, by the table, else by the Python type; and the value as text."""
        if len(path) < 3:
            raise ValueError(f"{path_text(path)} is no resource: to write an instance give a list of (path, type, text)")
        if isinstance(value, (bytes, bytearray)):
            return OPAQUE, bytes(value)
        kind = self.types(path[0], path[2])
        if isinstance(value, bool):  # before int: a bool is one
            return (BOOLEAN if kind == OPAQUE else kind), "1" if value else "0"
        if kind == OPAQUE:
            kind = {int: INTEGER, float: FLOAT}.get(type(value), STRING)
        return kind, str(value)

    # what arrives

    def _requested(self, request):
        path = request.opt.uri_path
        if path == ("bs",) and request.code is POST:
            self._spawn(self._bootstrap(request))
            return
        code, location = 404, None
        if path == ("rd",) and request.code is POST:
            code, location = self._register(request)
        elif len(path) == 2 and path[0] == "rd":
            code = self._update(request, path[1])
        response = message(_coap_code(code))
        if location:
            response.opt.location_path = location
        self.endpoint.respond(request, response)
        if code == 201:
            client = self.clients[_query(request)["ep"]]
            for path in self.auto_observe:
                self._spawn(self.observe(client.endpoint, path))

    def _register(self, request):
        query = _query(request)
        if self.refuse is not None:
            return self.refuse, None
        if not query.get("ep") or not request.payload or not query.get("lt", "86400").isdigit():
            return 400, None
        endpoint = query["ep"]
        old = self.clients.get(endpoint)
        self._number += 1
        client = Client(endpoint, str(self._number), request.remote)
        client.awake = asyncio.Event() if old is None else old.awake
        client.version = query.get("lwm2m", "1.0")
        if old is not None:
            old.expiry.cancel()
        self.clients[endpoint] = client
        self._take(client, query, request)
        self._event(endpoint, "registered" if old is None else "reregistered", repr(client))
        return 201, ("rd", client.number)

    def _update(self, request, number):
        client = next((each for each in self.clients.values() if each.number == number), None)
        if client is None:
            return 404
        if request.code is DELETE:
            client.expiry.cancel()
            del self.clients[client.endpoint]
            client.awake.set()
            self._event(client.endpoint, "deregistered")
            return 202
        if request.code not in (POST, PUT):
            return 405
        query = _query(request)
        if not query.get("lt", "0").isdigit():
            return 400
        client.updates += 1
        client.address = request.remote
        self._take(client, query, request)
        changed = [f"{name}={query[name]}" for name in ("lt", "b") if name in query]
        self._event(client.endpoint, "updated", " ".join(changed + (["objects"] if request.payload else [])))
        return 204

    def _take(self, client, query, request):
        client.lifetime = int(query.get("lt", client.lifetime))
        client.binding = query.get("b", client.binding)
        if request.payload:
            client.links = request.payload.decode("utf-8", "replace")
            client.objects = object_paths(client.links)
        self._heard(client)

    def _heard(self, client):
        client.last_heard = self._now()
        client.awake.set()
        if client.expiry is not None:
            client.expiry.cancel()
        if self.clients.get(client.endpoint) is client:
            client.expiry = asyncio.get_running_loop().call_later(client.lifetime, self._expire, client)

    def _expire(self, client):
        if self.clients.get(client.endpoint) is client:
            del self.clients[client.endpoint]
            client.awake.set()
            self._event(client.endpoint, "expired", f"lifetime of {client.lifetime} s")

    def _notified(self, response):
        """A response that nobody asked for: a notification, if its token is one of ours."""
        for client in self.clients.values():
            path = client.observations.get(response.token)
            if path is not None:
                break
        else:
            self.resets += 1
            return False
        self._heard(client)
        block = response.opt.block2
        if block is not None and block.more:
            self._spawn(self._notified_in_blocks(client, path, response))
        else:
            self._deliver(client, path, response)
        return True

    async def _notified_in_blocks(self, client, path, response):
        request = message(GET, uri_path=tuple([str(part) for part in path]))
        response.payload = await self._rest(client, request, response)
        self._deliver(client, path, response)

    def _deliver(self, client, path, response):
        code = code_number(response.code)
        if code != 205:
            self._event(client.endpoint, "observation ended", f"{path_text(path)} with {code}")
            self._drop_observation(client, path)
            return
        try:
            content_format = int(response.opt.content_format or 0)
            readings = self._unpacked(decode(content_format, path, response.payload, self.types, self._unix()))
        except CodecError as error:
            self.undecodable += 1
            self._event(client.endpoint, "undecodable", f"{path_text(path)}: {error}")
            return
        for each in readings:
            when = self._unix() if each.time is None else each.time
            self.deliveries.append(Delivery(each.path, each.type, each.value, when))
            self._say(f"{client.endpoint} notifies {path_text(each.path)} = {_shown(each.value)}{_dated(each.time)}")
        if self.on_notification:
            self.on_notification(client.endpoint, path, readings)

    def _drop_observation(self, client, path):
        for token in [each for each in client.observations if client.observations[each] == path]:
            del client.observations[token]

    def _unpacked(self, readings):
        """A SenML CBOR pack that travels as the opaque 19/0/0 becomes its single readings; other bytes stay bytes."""
        found = []
        for reading in readings:
            if reading.path[:3] == PACK_PATH and isinstance(reading.value, bytes):
                try:
                    found += decode(SENML_CBOR, reading.path, reading.value, self.types, self._unix())
                    continue
                except CodecError:
                    pass
            found.append(reading)
        return found

    # bootstrap

    async def _bootstrap(self, request):
        """POST /bs?ep=: delete and write what `bootstrap[endpoint]` (or "*") lists, then say that it is finished.

        Steps are ("delete", path) and ("write", path, content_format, payload), see `bootstrap_config`.
        """
        endpoint = _query(request).get("ep", "")
        steps = self.bootstrap.get(endpoint, self.bootstrap.get("*"))
        self.endpoint.respond(request, message(_coap_code(204 if steps else 400)))
        if not steps:
            self._event(endpoint, "bootstrap refused", "nothing is configured for it")
            return
        for step in steps:
            path = tuple([str(part) for part in parse_path(step[1])])
            outgoing = message(DELETE if step[0] == "delete" else PUT, uri_path=path)
            if step[0] == "write":
                outgoing.payload, outgoing.opt.content_format = step[3], step[2]
            code = await self._bootstrap_step(outgoing, request.remote)
            if code is None or code >= 400:
                self._event(endpoint, "bootstrap failed", f"{step[0]} {path_text(parse_path(step[1]))}: {code}")
                return
        code = await self._bootstrap_step(message(POST, uri_path=("bs",)), request.remote)
        self._event(endpoint, "bootstrapped" if code == 204 else "bootstrap failed", f"finish: {code}")

    async def _bootstrap_step(self, outgoing, remote):
        response = await self._response(outgoing, remote)
        return None if response is None else code_number(response.code)

    # inside

    def _event(self, endpoint, event, detail=""):
        self.events.append((self._unix(), endpoint, event, detail))
        self._say("{} {}{}".format(endpoint, event, ": " + detail if detail else ""))
        if self.on_registration:
            self.on_registration(endpoint, event)

    def _say(self, sentence):
        if self.log:
            self.log(sentence)

    def _spawn(self, coroutine):
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _now(self):
        return asyncio.get_running_loop().time()

    def _unix(self):
        return int(time.time())


def object_paths(links):
    """The paths of a registration's link format, without the root: "</>;rt=..,</1/0>" -> ["/1/0"]."""
    targets = [part.split(">")[0].strip().lstrip("<") for part in links.split(",") if "<" in part]
    return [target for target in targets if target.strip("/") and target[1:2].isdigit()]


def bootstrap_config(uri, short_id=123, lifetime=86400, binding="U", psk_identity=None, psk=None):
    """The steps that give a client one account: delete what was, write security and server (TS 1.0.2, appendix E)."""
    mode = "3" if psk is None else "0"  # 3 NoSec, 0 pre-shared key (appendix E.1)
    security = [
        ((0, 1, 0), STRING, uri),
        ((0, 1, 1), BOOLEAN, "0"),
        ((0, 1, 2), INTEGER, mode),
        ((0, 1, 3), OPAQUE, (psk_identity or "").encode()),
        ((0, 1, 4), OPAQUE, b""),
        ((0, 1, 5), OPAQUE, b"" if psk is None else bytes(psk)),
        ((0, 1, 10), INTEGER, str(short_id)),
    ]
    account = [
        ((1, 0, 0), INTEGER, str(short_id)),
        ((1, 0, 1), INTEGER, str(lifetime)),
        ((1, 0, 6), BOOLEAN, "1"),
        ((1, 0, 7), STRING, binding),
    ]
    return [
        ("delete", (0, 1)),
        ("delete", (1,)),
        ("write", (0, 1), TLV, encode(TLV, (0, 1), security)),
        ("write", (1, 0), TLV, encode(TLV, (1, 0), account)),
    ]


def _query(request):
    return dict([item.partition("=")[::2] for item in request.opt.uri_query])


def _coap_code(code):
    return Code((code // 100 << 5) | code % 100)


def _shown(value):
    return value.hex() if isinstance(value, bytes) else str(value)


def _dated(when):
    return "" if when is None else time.strftime(" of %Y-%m-%dT%H:%M:%SZ", time.gmtime(when))


if __name__ == "__main__":
    from tools.lwm2m.server_cli import main

    raise SystemExit(main())
