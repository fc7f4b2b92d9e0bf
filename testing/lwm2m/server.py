"""Lwm2mServer: an LwM2M 1.0 server on CoAP over UDP, for the demo, for tests, and for a person at a terminal.

    server = Lwm2mServer(port=5683)
    await server.start()
    server.on_registration = lambda endpoint, event: ...       # "registered" "updated" "deregistered" "expired" ...
    answer = await server.read("node-1", "/3303/0/5700")       # answer.code 205, answer.value 21.5; None: nobody answered
    await server.observe("node-1", "/3303/0")                  # from then on: on_notification(endpoint, path, readings)
    await server.write("node-1", "/3306/0/5850", True)
    server.deliveries                                          # [(path, type, value, Unix time), ...] as notified

What it knows of its clients is in `server_core`. A client keeps its observations when a request to it times out, and may come
back from another address by an update.

`python -m testing.lwm2m.server --help` is the same for a person: a log on the terminal, commands typed at it.

Bounds: deliveries and events are kept until the server is closed; one event loop, one client per endpoint name.
"""

import asyncio
import time

from aiocoap import DELETE, GET, POST, PUT

from testing.lwm2m.bootstrap import bootstrap, bootstrap_config
from testing.lwm2m.codec import encode
from testing.lwm2m.endpoint import Endpoint, coap_code, code_number, message, query_of, remote_text
from testing.lwm2m.names import BOOLEAN, FLOAT, INTEGER, OPAQUE, STRING, TEXT_PLAIN, TLV, parse_path, path_text
from testing.lwm2m.resource_types import type_of
from testing.lwm2m.server_core import AWAKE_S, PATIENCE_MS, ServerCore

__all__ = ["Lwm2mServer", "bootstrap_config", "object_paths"]

_CODES = {"read": GET, "observe": GET, "cancel": GET, "discover": GET, "write_attributes": PUT, "execute": POST, "create": POST,
          "delete": DELETE}


class _LoopClock:
    """The event loop's time, as ServerCore wants it."""

    @property
    def now(self):
        return asyncio.get_running_loop().time() * 1000

    def unix(self):
        return int(time.time())

    def after(self, ms, function):
        return asyncio.get_running_loop().call_later(ms / 1000, function)

    def cancel(self, handle):
        handle.cancel()


class _Peer:
    """A client at its address; an update may bring another."""

    def __init__(self, server, address):
        self.server = server
        self.address = address
        self.registration = None

    def server_asks(self, request, token, answered, patience_ms):
        """Send a request of the server as CoAP."""
        operation, path = request.operation, tuple([str(part) for part in request.path])
        code = _CODES.get(operation, PUT if request.replace else POST)
        options = {"accept": request.accept, "content_format": request.content_format,
                   "observe": {"observe": 0, "cancel": 1}.get(operation), "uri_query": request.query or None}
        given = {name: options[name] for name in options if options[name] is not None}
        outgoing = message(code, request.payload, uri_path=path, **given)
        if token is not None:  # a cancellation repeats the observation's token (RFC 7641, 3.6)
            outgoing.token = token.to_bytes(5, "big")

        def done(response):
            if response is None:
                self.server.say(f"{self.registration.endpoint} did not answer {code.name} {path_text(request.path)}")
                answered(None)
                return
            if operation == "observe" and response.opt.observe is not None and code_number(response.code) == 205:
                # at once: a notification may be right behind, and further blocks take their time
                self.server.observing(self.registration, token, request.path)
            self.server.whole(self, outgoing, response, finish)

        def finish(response):
            form = response.opt.content_format
            answered(code_number(response.code), response.payload, None if form is None else int(form), False)

        self.server.endpoint.request(outgoing, self.address, done, patience_ms / 1000)


class Lwm2mServer(ServerCore):
    """See the module. `types(object, resource)` says how to read TLV; `log(sentence)` gets a line per event."""

    def __init__(self, host="127.0.0.1", port=0, types=type_of, log=None, awake_s=AWAKE_S, auto_observe=(), seed=None):
        super().__init__(_LoopClock(), auto_observe, types, awake_s)
        self.host = host
        self.port = port
        self.log = log
        self.bootstrap = {}
        self.endpoint = None
        self._seed = seed
        self._tasks = set()

    async def start(self):
        """Bind the port; `port` says which it became. OSError when it is taken."""
        self.endpoint = Endpoint(self._requested, self._notified, seed=self._seed)
        await self.endpoint.open(self.host, self.port)
        self.port = self.endpoint.port
        self.say(f"listening on {remote_text((self.host, self.port))}")
        return self

    async def close(self):
        """Close the port; requests that wait are cancelled."""
        for task in list(self._tasks):
            task.cancel()
        self.forget()
        if self.endpoint is not None:
            self.endpoint.close()

    @property
    def clients(self):
        """{endpoint: Registration}."""
        return self.registrations

    @property
    def duplicates(self):
        """Messages that came again and were not taken twice."""
        return self.endpoint.duplicates

    # operations

    async def _asked(self, endpoint, operation, path, payload=b"", content_format=None, **more):
        future = asyncio.get_running_loop().create_future()

        def done(exchange):
            if not future.done():  # who waited may have been cancelled
                future.set_result(exchange)

        self.ask(endpoint, operation, path, payload, content_format, done, **more)
        return await future

    async def read(self, endpoint, path, accept=None):
        """Read a resource, an instance or an object; `accept` a content format, None leaves it to the client."""
        return await self._asked(endpoint, "read", path, accept=accept)

    async def write(self, endpoint, path, value, content_format=None, replace=True):
        """Write. `value`: bool, int, float, str or bytes for a resource; a list of (path, type, text) for an instance.

        `replace=False` updates an instance in part. bytes together with a `content_format` travel as they are.
        """
        path = parse_path(path)
        if isinstance(value, (bytes, bytearray)) and content_format is not None:
            payload = bytes(value)
        else:
            values = value if isinstance(value, (list, tuple)) else [self._typed(path, value)]
            content_format = TLV if content_format is None else content_format
            payload = encode(content_format, path, values)
        return await self._asked(endpoint, "write", path, payload, content_format, replace=replace)

    async def execute(self, endpoint, path, arguments=""):
        """Execute a resource; arguments as "0='x'" (TS 1.0.2, 5.4.5)."""
        return await self._asked(endpoint, "execute", path, arguments.encode(), TEXT_PLAIN if arguments else None)

    async def observe(self, endpoint, path, accept=None):
        """Observe; the answer has the current values."""
        answer = await self._asked(endpoint, "observe", path, accept=accept)
        if answer.code == 205:
            self.say(f"{endpoint} observes {path_text(parse_path(path))}")
        return answer

    async def cancel(self, endpoint, path, active=True):
        """Cancel an observation by request, or (active=False) by answering the next notification with reset."""
        if active:
            return await self._asked(endpoint, "cancel", path)
        self.unobserve(endpoint, path)
        return None

    async def discover(self, endpoint, path):
        """Discover; the answer's payload is link format."""
        return await self._asked(endpoint, "discover", path, accept=40)

    async def write_attributes(self, endpoint, path, *query, **named):
        """Set notification attributes: write_attributes("node", "/3303/0/5700", pmin=5, pmax=60) or as "pmin=5"."""
        query += tuple(["{}={}".format(*pair) for pair in sorted(named.items())])
        return await self._asked(endpoint, "write_attributes", path, query=query)

    async def create(self, endpoint, path, values=()):
        """Create an instance of an object; `values` as for write, below the instance that is wanted."""
        path = parse_path(path)[:1]
        return await self._asked(endpoint, "create", path, encode(TLV, path, values), TLV)

    async def delete(self, endpoint, path):
        """Delete an instance."""
        return await self._asked(endpoint, "delete", path)

    def _typed(self, path, value):
        """(path, type, text): the resource's type by the table, else by the Python type."""
        if len(path) < 3:
            raise ValueError(f"{path_text(path)} is no resource: to write an instance give a list of (path, type, text)")
        if isinstance(value, (bytes, bytearray)):
            return path, OPAQUE, bytes(value)
        kind = self.types(path[0], path[2])
        if isinstance(value, bool):  # before int: a bool is one
            return path, (BOOLEAN if kind == OPAQUE else kind), "1" if value else "0"
        if kind == OPAQUE:
            kind = {int: INTEGER, float: FLOAT}.get(type(value), STRING)
        return path, kind, str(value)

    # what arrives

    def _requested(self, request):
        path = request.opt.uri_path
        if path == ("bs",) and request.code is POST:
            self._spawn(bootstrap(self, request))
            return
        code, number = 404, None
        if path == ("rd",) and request.code is POST:
            code, number = self._register(request)
        elif len(path) == 2 and path[0] == "rd" and path[1].isdigit():
            code = self._update(request, int(path[1]))
        response = message(coap_code(code))
        if number is not None:
            response.opt.location_path = ("rd", str(number))
        self.endpoint.respond(request, response)

    def _register(self, request):
        query, peer = query_of(request), _Peer(self, request.remote)
        if self.refuse is None and not query.get("lt", "86400").isdigit():
            return 400, None
        objects = object_paths(request.payload.decode("utf-8", "replace"))
        code, number = self.handle_register(peer, query.get("ep"), int(query.get("lt", 86400)), query.get("b", "U"), objects)
        if number is not None:
            peer.registration = self.registrations[query["ep"]]
            peer.registration.version = query.get("lwm2m", "1.0")
        return code, number

    def _update(self, request, number):
        if request.code is DELETE:
            return self.handle_deregister(number)
        query = query_of(request)
        if request.code not in (POST, PUT) or not query.get("lt", "0").isdigit():
            return 405 if request.code not in (POST, PUT) else 400
        registration = self.numbered(number)
        if registration is not None:
            registration.link.address = request.remote
        objects = object_paths(request.payload.decode("utf-8", "replace")) if request.payload else None
        return self.handle_update(number, int(query["lt"]) if "lt" in query else None, query.get("b"), objects)

    def _notified(self, response):
        """A response that nobody asked for: a notification, if its token is one of ours."""
        found = self.observation_of(int.from_bytes(response.token, "big"))
        if found is None:
            return False
        registration, path = found

        def deliver(response):
            code = code_number(response.code)
            if code == 205:
                self.deliver(registration, path, response.payload, int(response.opt.content_format or 0))
            else:
                self.event(registration.endpoint, "observation ended", f"{path_text(path)} with {code}")
                self.unobserve(registration.endpoint, path)

        self.whole(registration.link, message(GET, uri_path=tuple([str(part) for part in path])), response, deliver)
        return True

    def whole(self, peer, request, response, done):
        """done(response) with the whole of a large answer: now, or once its further blocks are here (RFC 7959)."""
        block = response.opt.block2
        if block is None or not block.more:
            done(response)
            return

        async def rest():
            body, left = response.payload, block
            while left.more:
                follow = message(GET, uri_path=request.opt.uri_path)
                follow.opt.block2 = (len(body) // left.size, False, left.size_exponent)
                part = await self.response(follow, peer.address)
                if part is None or part.opt.block2 is None or not part.payload:
                    break
                body += part.payload
                left = part.opt.block2
            response.payload = body
            done(response)

        self._spawn(rest())

    async def response(self, request, remote):
        """Send a request and wait; None for silence."""
        future = asyncio.get_running_loop().create_future()
        done = lambda response: future.done() or future.set_result(response)  # noqa: E731
        self.endpoint.request(request, remote, done, PATIENCE_MS / 1000)
        return await future

    # what is told

    def event(self, endpoint, event, detail=""):
        super().event(endpoint, event, detail)
        self.say("{} {}{}".format(endpoint, event, ": " + detail if detail else ""))

    def delivered(self, registration, reading):
        value = reading.value.hex() if isinstance(reading.value, bytes) else reading.value
        when = "" if reading.time is None else time.strftime(" of %Y-%m-%dT%H:%M:%SZ", time.gmtime(reading.time))
        self.say(f"{registration.endpoint} notifies {path_text(reading.path)} = {value}{when}")

    def queued(self, registration, request):
        self.say(f"{registration.endpoint} sleeps: {request.operation} {path_text(request.path)} waits")

    def say(self, sentence):
        """A line of the log."""
        if self.log:
            self.log(sentence)

    def _spawn(self, coroutine):
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def object_paths(links):
    """The paths of a registration's link format, without the root: "</>;rt=..,</1/0>" -> ["/1/0"]."""
    targets = [part.split(">")[0].strip().lstrip("<") for part in links.split(",") if "<" in part]
    return [target for target in targets if target.strip("/") and target[1:2].isdigit()]


if __name__ == "__main__":
    from testing.lwm2m.server_cli import main

    raise SystemExit(main())
