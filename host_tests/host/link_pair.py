"""What the tests of the CoAP link share: a node that answers from a dict, and a server beside it."""

import asyncio
import functools
import socket

from test_link_local import answer

from testing.lwm2m.client import CoapLink
from testing.lwm2m.link import FLOAT, OPAQUE, STRING, Account
from testing.lwm2m.server import Lwm2mServer

TEMPERATURE = (3303, 0, 5700)


def run(coroutine):
    """Run one test's coroutine, with a limit that only a hang reaches."""
    return asyncio.run(asyncio.wait_for(coroutine, 20))


def plain(test):
    """An async test as one that pytest runs."""

    @functools.wraps(test)
    def run_test(*arguments, **named):
        run(test(*arguments, **named))

    return run_test


def paired(test):
    """The same with a server and a registered node."""

    async def with_pair():
        async with Pair() as (server, node):
            await test(server, node)

    return lambda: run(with_pair())


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Node:
    """A module model for tests: answers from a dict, and turns `done` into futures."""

    def __init__(self, server):
        self.server = server
        self.link = CoapLink(seed=1)
        self.link.on_request = self.asked
        self.values = {TEMPERATURE: (FLOAT, "21.5"), (3303, 0, 5701): (STRING, "Cel"), (19, 0, 0): (OPAQUE, b"x")}
        self.requests = []
        self.arrived = asyncio.Event()
        self.silent = False

    async def __aenter__(self):
        await self.link.start()
        self.link.retransmission(0.05, 2)
        return self

    async def __aexit__(self, *exc):
        await self.link.close()

    def asked(self, request):
        self.requests.append(request)
        self.arrived.set()
        if not self.silent:
            self.answer(request)

    def answer(self, request):
        answer(self.link, self.values, request)

    async def outcome(self, start, *arguments, **named):
        future = asyncio.get_running_loop().create_future()
        start(*arguments, done=future.set_result, **named)
        assert not future.done()  # never from inside the call
        return await future

    async def register(self, lifetime=300, binding="U", account=None):
        account = account or Account("127.0.0.1", self.server.port)
        return await self.outcome(self.link.register, account, "node", lifetime, binding, ["/1/0", "/3/0", "/3303/0"])

    async def bootstrap(self, on_write, account=None):
        account = account or Account("127.0.0.1", self.server.port)
        return await self.outcome(self.link.bootstrap, account, "node", on_write)

    async def notify(self, text, confirm=True, path=TEMPERATURE):
        return await self.outcome(self.link.notify, path, [(TEMPERATURE, FLOAT, text)], confirm)


class Pair:
    """A server and, unless told otherwise, a registered node."""

    def __init__(self, register=True, **server):
        self.server = Lwm2mServer(seed=2, **server)
        self.register = register
        self.events = asyncio.Queue()
        self.notified = asyncio.Queue()

    async def __aenter__(self):
        await self.server.start()
        self.server.endpoint.ack_timeout_s = 0.05
        self.server.on_registration = lambda endpoint, event: self.events.put_nowait(event)
        self.server.on_notification = lambda endpoint, path, readings: self.notified.put_nowait(readings)
        self.node = await Node(self.server).__aenter__()
        if self.register:
            assert await self.node.register() == 201
            assert await self.events.get() == "registered"
        return self.server, self.node

    async def __aexit__(self, *exc):
        await self.node.__aexit__()
        await self.server.close()
