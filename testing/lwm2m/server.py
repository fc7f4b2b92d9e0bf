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

`python -m testing.lwm2m.server --help` is the same for a person: a log on the terminal, commands typed at it.

Bounds: deliveries and events are kept until the server is closed; one event loop, one client per endpoint name.
"""

from aiocoap import DELETE, GET, POST, PUT

from testing.lwm2m.bootstrap import bootstrap_config
from testing.lwm2m.codec import CodecError, decode, encode
from testing.lwm2m.endpoint import code_number, message
from testing.lwm2m.names import BOOLEAN, FLOAT, INTEGER, LINK_FORMAT, OPAQUE, STRING, TLV, parse_path, path_text
from testing.lwm2m.server_inbox import Client, Delivery, Inbox, object_paths

__all__ = ["Answer", "Client", "Delivery", "Lwm2mServer", "bootstrap_config", "object_paths"]


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


class Lwm2mServer(Inbox):
    """See the module. `types(object, resource)` says how to read TLV; `log(sentence)` gets a line per event."""

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

        response = await self.response(request, client.address, arrived)
        if response is not None and response.opt.block2 is not None and response.opt.block2.more:
            response.payload = await self._rest(client, request, response)
        return response

    def _observe(self, client, token, path):
        for old in [each for each in client.observations if client.observations[each] == path]:
            del client.observations[old]
        client.observations[token] = path

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


if __name__ == "__main__":
    from testing.lwm2m.server_cli import main

    raise SystemExit(main())
