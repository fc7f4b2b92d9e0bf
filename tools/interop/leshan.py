"""Leshan's demo server, started on loopback in a fresh folder and driven through its REST interface and events.

    async with Leshan(distribution, folder) as leshan:
        leshan.coap_port, leshan.coaps_port
        await leshan.registered("node-1")                       # waits; the registration as Leshan shows it
        answer = await leshan.read("node-1", "/3303/0/5700")    # answer.code 205, answer.value 21.5
        event = await leshan.event("NOTIFICATION", "node-1")    # the next one; `leshan.events` has all

Written from the recipe and the traps found earlier: every listener is given its address, the folder is new, so that no
key of an earlier run is known, and values come back as text.
"""

import asyncio
import json
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections import namedtuple

from tools.interop.answers import Answer, quoted, typed
from tools.interop.fetch import ROOT
from tools.interop.process import START_S, LeshanError, Program, free_ports

OWN = ROOT / "docs" / "objects"  # definitions of the node's own


class Event(namedtuple("Event", ("name", "data", "at"))):
    """Something that Leshan told: `data` is the event's document, `at` the loop's time."""

    __slots__ = ()

    @property
    def endpoint(self):
        """Whom it concerns."""
        return self.data.get("ep") or self.data.get("endpoint") or self.data.get("registration", {}).get("endpoint")


class Told:
    """What a server has told so far: `events`, and the wait for the next."""

    def __init__(self):
        self.events = []
        self.on_event = None
        self._arrived = asyncio.Event()

    def tell(self, name, data):
        """Take down an event."""
        self.events.append(Event(name, data, asyncio.get_running_loop().time()))
        self._arrived.set()
        if self.on_event:
            self.on_event(self.events[-1])

    def _still_there(self):
        """Raise LeshanError where nothing can come any more."""

    async def event(self, name, endpoint=None, timeout=60, after=0, where=None):
        """The first event of that name (or of one of these) from number `after` on. LeshanError after `timeout` seconds."""
        names = (name,) if isinstance(name, str) else name
        deadline = asyncio.get_running_loop().time() + timeout
        seen = after
        while True:
            for each in self.events[seen:]:
                seen += 1
                if each.name in names and endpoint in (None, each.endpoint) and (where is None or where(each.data)):
                    return each
            self._still_there()
            left = deadline - asyncio.get_running_loop().time()
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), max(0.01, left))
            except asyncio.TimeoutError:
                heard = ", ".join(dict.fromkeys(each.name for each in self.events[after:])) or "nothing"
                raise LeshanError(f"no {' or '.join(names)} from {endpoint} within {timeout} s; heard: {heard}") from None


class Leshan(Told):
    """The demo server. Ports are free ones; they stay the same over `restart`."""

    def __init__(self, distribution, folder, name="server"):
        super().__init__()
        self.distribution = distribution
        (self.coap_port, self.coaps_port, tcp_udp) = free_ports(3)
        self.web_port, self.tcp_port = free_ports(2, socket.SOCK_STREAM)
        self.jc_port = tcp_udp
        self.program = Program(folder, name)
        self._reader = None

    @property
    def uri(self):
        """The server's address for a client without security."""
        return f"coap://127.0.0.1:{self.coap_port}"

    @property
    def secure_uri(self):
        """The server's address for a client with a key."""
        return f"coaps://127.0.0.1:{self.coaps_port}"

    async def __aenter__(self):
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *exc):
        await self.stop()

    async def start(self):
        """Start it and wait until the REST interface answers. LeshanError when it dies or takes longer than a minute."""
        await self.program.launch([*self.distribution.server, *self._options()])
        deadline = asyncio.get_running_loop().time() + START_S
        while True:
            self.program.died()
            try:
                await self._call("GET", "/clients")
                break
            except OSError:
                if asyncio.get_running_loop().time() > deadline:
                    raise LeshanError(f"Leshan's REST interface did not answer within {START_S} s") from None
                await asyncio.sleep(0.2)
        connected = asyncio.get_running_loop().create_future()
        self._reader = asyncio.ensure_future(self._follow(connected))
        await connected

    async def stop(self):
        """Stop it."""
        if self._reader is not None:
            self._reader.cancel()
            self._reader = None
        await self.program.halt()

    async def restart(self):
        """Stop it and start it anew in the same folder: registrations and observations are lost, keys are kept."""
        await self.stop()
        await self.start()

    def _options(self):
        host = "127.0.0.1"
        if self.distribution.kind == "library":
            return [str(each) for each in (host, self.coap_port, self.coaps_port, self.web_port, self.distribution.models)]
        options = ["-lh", host, "-lp", self.coap_port, "-slh", host, "-slp", self.coaps_port, "-wh", host, "-wp", self.web_port]
        options += ["-m", OWN]
        if self.distribution.modern:
            # without addresses these listen everywhere; with one for TLS it takes the TCP port: another loopback address
            options += ["-jh", host, "-jp", self.jc_port, "-th", host, "-tp", self.tcp_port]
            options += ["-tsh", "127.0.0.2", "-tsp", self.tcp_port, "-no"]
        return [str(each) for each in options]

    # what it shows

    async def client(self, endpoint):
        """The registration, or None."""
        answer = await self._call("GET", f"/clients/{quoted(endpoint)}")
        return answer.document if answer.http == 200 else None

    async def read(self, endpoint, path, form=None, timeout=10):
        """Read. `form` as "TLV", "TEXT", "JSON", "OPAQUE"; None leaves it to Leshan."""
        return await self._ask("GET", endpoint, path, timeout=timeout, format=form)

    async def discover(self, endpoint, path, timeout=10):
        """Discover."""
        return await self._ask("GET", endpoint, path + "/discover", timeout=timeout)

    async def write(self, endpoint, path, value, form=None, timeout=10):
        """Write one resource: bool, int, float, str or bytes."""
        body = {"id": int(path.split("/")[-1]), "kind": "singleResource", **typed(value, self.distribution.modern)}
        return await self._ask("PUT", endpoint, path, body, timeout, format=form)

    async def write_instance(self, endpoint, path, values, replace=False, timeout=10):
        """Write {resource: value} of an instance."""
        resources = [
            {"id": each, "kind": "singleResource", **typed(value, self.distribution.modern)} for each, value in values.items()
        ]
        body = {"id": int(path.split("/")[-1]), "kind": "instance", "resources": resources}
        return await self._ask("PUT", endpoint, path, body, timeout, replace=str(replace).lower())

    async def create(self, endpoint, path, number, values, timeout=10):
        """Create instance `number` of an object with {resource: value}."""
        resources = [
            {"id": each, "kind": "singleResource", **typed(value, self.distribution.modern)} for each, value in values.items()
        ]
        return await self._ask("POST", endpoint, path, {"id": number, "kind": "instance", "resources": resources}, timeout)

    async def delete(self, endpoint, path, timeout=10):
        """Delete an instance."""
        return await self._ask("DELETE", endpoint, path, timeout=timeout)

    async def attributes(self, endpoint, path, timeout=10, **attributes):
        """Write notification attributes: pmin=1, gt=25."""
        return await self._ask("PUT", endpoint, path + "/attributes", timeout=None, **attributes)

    async def execute(self, endpoint, path, arguments="", timeout=10):
        """Execute."""
        return await self._ask("POST", endpoint, path, arguments.encode(), timeout)

    async def observe(self, endpoint, path, timeout=10):
        """Observe."""
        return await self._ask("POST", endpoint, path + "/observe", b"", timeout)

    async def cancel(self, endpoint, path):
        """Cancel: Leshan forgets, and answers the next notification with reset."""
        return await self._ask("DELETE", endpoint, path + "/observe")

    async def add_key(self, endpoint, identity, key):
        """Let a client with this PSK in; `key` in hex."""
        if self.distribution.modern:
            body = {"endpoint": endpoint, "tls": {"mode": "psk", "details": {"identity": identity, "key": key}}}
        else:
            body = {"endpoint": endpoint, "psk": {"identity": identity, "key": key}}
        answer = await self._call("PUT", "/security/clients/" if self.distribution.modern else "/security/clients", body)
        if answer.http not in (200, 204):
            raise LeshanError(f"Leshan did not take the key: HTTP {answer.http}")

    # what happens

    async def registered(self, endpoint, timeout=60, after=0):
        """Wait for a registration that is event number `after` or later; the registration's document."""
        return (await self.event("REGISTRATION", endpoint, timeout, after)).data

    def _still_there(self):
        if self._reader is not None and self._reader.done():
            raise LeshanError(f"the event stream ended: {self._reader.exception() or 'closed by Leshan'}")

    async def _follow(self, connected):
        """Read the event stream for ever (text/event-stream, one `event:` and one `data:` line each)."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.web_port, limit=1 << 20)
        path = "/api/event" if self.distribution.modern else "/event"
        writer.write(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n".encode())
        name = None
        try:
            status = await reader.readline()
            if b" 200 " not in status:
                raise LeshanError(f"no event stream: {status.decode(errors='replace').strip()}")
            connected.set_result(True)
            while line := await reader.readline():
                text = line.decode(errors="replace").strip()
                if text.startswith("event:"):
                    name = text[6:].strip()
                elif text.startswith("data:") and name:
                    self.tell(name, json.loads(text[5:]))
                    name = None
        except BaseException as error:
            if not connected.done():
                connected.set_exception(error if isinstance(error, Exception) else LeshanError("stopped"))
            raise
        finally:
            writer.close()

    # HTTP

    async def _ask(self, method, endpoint, path, body=None, timeout=None, **query):
        query = {name: value for name, value in query.items() if value is not None}
        if timeout is not None:
            query["timeout"] = timeout
        tail = "?" + urllib.parse.urlencode(query) if query else ""
        return await self._call(method, f"/clients/{quoted(endpoint)}{path}{tail}", body, (timeout or 5) + 30)

    async def _call(self, method, path, body=None, timeout=30):
        return await asyncio.to_thread(self._blocking, method, path, body, timeout)

    def _blocking(self, method, path, body, timeout):
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        kind = "application/json" if isinstance(body, dict) else "text/plain"
        request = urllib.request.Request(f"http://127.0.0.1:{self.web_port}/api{path}", data, {"Content-Type": kind},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return Answer(response.status, response.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode(errors="replace"))
