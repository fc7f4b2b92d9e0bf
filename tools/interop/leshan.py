"""Leshan's demo server, started on loopback in a fresh folder and driven through its REST interface and events.

    async with Leshan(distribution, folder) as leshan:
        leshan.coap_port, leshan.coaps_port
        answer = await leshan.read("node-1", "/3303/0/5700")    # answer.code 205, answer.value 21.5
        event = await leshan.event("NOTIFICATION", "node-1")    # the next one; `leshan.events` has all

Written from the recipe and the traps found earlier: every listener is given its address, the folder is new, so that no
key of an earlier run is known, and values come back as text.
"""

import asyncio
import json
import socket
from collections import namedtuple

from tools.interop.fetch import ROOT
from tools.interop.process import LeshanError, Program, free_ports
from tools.interop.rest import Rest, key_entry

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


def _in_a_thread(name):
    async def ask(self, *given, **named):
        return await asyncio.to_thread(getattr(self.rest, name), *given, **named)

    return ask


class Leshan(Told):
    """The demo server. Ports are free ones; they stay the same over `restart`."""

    def __init__(self, distribution, folder, name="server"):
        super().__init__()
        self.distribution = distribution
        (self.coap_port, self.coaps_port, tcp_udp) = free_ports(3)
        self.web_port, self.tcp_port = free_ports(2, socket.SOCK_STREAM)
        self.jc_port = tcp_udp
        self.program = Program(folder, name)
        self.rest = Rest(f"http://127.0.0.1:{self.web_port}", distribution.modern)
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
        await self.program.answers(self.rest, "GET", "/clients")
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

    # what it shows: the questions of Rest

    client, read, discover, write, write_instance, attributes, execute, observe = map(_in_a_thread, (
        "client", "read", "discover", "write", "write_instance", "attributes", "execute", "observe"))

    async def add_key(self, endpoint, identity, key):
        """Let a client with this PSK in; `key` in hex."""
        await asyncio.to_thread(self.rest.put_key, key_entry(endpoint, identity, key))

    # what happens

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
