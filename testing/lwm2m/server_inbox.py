"""What reaches the test server unasked: registrations, updates, notifications, bootstrap requests.

    class Lwm2mServer(Inbox): ...      server.py, which sends requests too

Bounds: as of server.py.
"""

import asyncio
import time
from collections import namedtuple

from aiocoap import DELETE, GET, POST, PUT

from testing.lwm2m.bootstrap import bootstrap
from testing.lwm2m.codec import CodecError, decode
from testing.lwm2m.endpoint import EXCHANGE_LIFETIME_S, Endpoint, coap_code, code_number, message, query_of, remote_text
from testing.lwm2m.names import SENML_CBOR, path_text
from testing.lwm2m.resource_types import type_of

AWAKE_S = 93  # MAX_TRANSMIT_WAIT (RFC 7252, 4.8.2), how long a queue-mode client listens after a message
PACK_PATH = (19, 0, 0)

Delivery = namedtuple("Delivery", ("path", "type", "value", "time"))


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


class Inbox:
    """The server without its requests: see server.Lwm2mServer."""

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

    # what arrives

    def _requested(self, request):
        path = request.opt.uri_path
        if path == ("bs",) and request.code is POST:
            self._spawn(bootstrap(self, request))
            return
        code, location = 404, None
        if path == ("rd",) and request.code is POST:
            code, location = self._register(request)
        elif len(path) == 2 and path[0] == "rd":
            code = self._update(request, path[1])
        response = message(coap_code(code))
        if location:
            response.opt.location_path = location
        self.endpoint.respond(request, response)
        if code == 201:
            client = self.clients[query_of(request)["ep"]]
            for path in self.auto_observe:
                self._spawn(self.observe(client.endpoint, path))

    def _register(self, request):
        query = query_of(request)
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
        self.event(endpoint, "registered" if old is None else "reregistered", repr(client))
        return 201, ("rd", client.number)

    def _update(self, request, number):
        client = next((each for each in self.clients.values() if each.number == number), None)
        if client is None:
            return 404
        if request.code is DELETE:
            client.expiry.cancel()
            del self.clients[client.endpoint]
            client.awake.set()
            self.event(client.endpoint, "deregistered")
            return 202
        if request.code not in (POST, PUT):
            return 405
        query = query_of(request)
        if not query.get("lt", "0").isdigit():
            return 400
        client.updates += 1
        client.address = request.remote
        self._take(client, query, request)
        changed = [f"{name}={query[name]}" for name in ("lt", "b") if name in query]
        self.event(client.endpoint, "updated", " ".join(changed + (["objects"] if request.payload else [])))
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
            self.event(client.endpoint, "expired", f"lifetime of {client.lifetime} s")

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
            self.event(client.endpoint, "observation ended", f"{path_text(path)} with {code}")
            self._drop_observation(client, path)
            return
        try:
            content_format = int(response.opt.content_format or 0)
            readings = self._unpacked(decode(content_format, path, response.payload, self.types, self._unix()))
        except CodecError as error:
            self.undecodable += 1
            self.event(client.endpoint, "undecodable", f"{path_text(path)}: {error}")
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

    # what both directions need

    async def response(self, request, remote, arrived=None):
        """Send a request and wait; `arrived` is called the moment the response is there."""
        future = asyncio.get_running_loop().create_future()

        def done(response):
            if arrived is not None:
                arrived(response)
            if not future.done():  # who waited may have been cancelled
                future.set_result(response)

        self.endpoint.request(request, remote, done, self.patience_s)
        return await future

    async def _rest(self, client, request, response):
        """Fetch the further blocks of a large answer (RFC 7959)."""
        body = response.payload
        block = response.opt.block2
        while block.more:
            follow = message(GET, uri_path=request.opt.uri_path)
            follow.opt.block2 = (len(body) // block.size, False, block.size_exponent)
            part = await self.response(follow, client.address)
            if part is None or part.opt.block2 is None or not part.payload:
                return body
            body += part.payload
            block = part.opt.block2
        return body

    def event(self, endpoint, event, detail=""):
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


def _shown(value):
    return value.hex() if isinstance(value, bytes) else str(value)


def _dated(when):
    return "" if when is None else time.strftime(" of %Y-%m-%dT%H:%M:%SZ", time.gmtime(when))
