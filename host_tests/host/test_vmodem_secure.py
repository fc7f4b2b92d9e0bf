"""The virtual modem on the wire: DTLS with the right key and a wrong one, and a bootstrap server before the LwM2M server."""

import asyncio
import contextlib

import pytest
from host.link_pair import plain

from testing.lwm2m import codec, dtls
from testing.lwm2m.names import BOOLEAN, INTEGER, STRING, TLV
from testing.lwm2m.server import Lwm2mServer
from testing.virtual_modem.transport import VirtualModem

QUICK = {"boot_ms": 5, "wake_ms": 5, "attach_ms": 10, "backoff_ms": 10, "pty": False, "echo": 0}
KEY = "30313233343536373839"


class Typist:
    """Types at a modem's model and waits for lines."""

    def __init__(self, modem):
        self.modem = modem
        self.lines = []
        self.heard = asyncio.Event()
        modem.model.on_note = self._note

    def _note(self, direction, line):
        if direction == "<":
            self.lines.append(line)
            self.heard.set()

    async def hear(self, wanted, timeout=30):
        """Everything up to a line that begins with `wanted`."""
        while not any(line.startswith(wanted) for line in self.lines):
            self.heard.clear()
            await asyncio.wait_for(self.heard.wait(), timeout)
        said, self.lines = self.lines, []
        return said

    async def say(self, line, wanted="OK"):
        """Type a line, wait for its answer."""
        self.modem.model.receive(line.encode() + b"\r")
        return await self.hear(wanted)


async def attached(uri, **more):
    modem = await VirtualModem("bc66", uri, **QUICK, **more).start()
    typist = Typist(modem)
    await typist.hear("+IP")
    return modem, typist


@contextlib.asynccontextmanager
async def secured():
    """A server behind DTLS, and a modem that knows the way to it."""
    pytest.importorskip("mbedtls", reason="python-mbedtls is not installed: make setup-dtls")
    server = await Lwm2mServer().start()
    front = dtls.DtlsFront(("127.0.0.1", 0), ("127.0.0.1", server.port), {"node-1": KEY}, [].append)
    await front.start()
    modem, typist = await attached(f"coaps://127.0.0.1:{front.port}")
    yield server, modem, typist
    await modem.close()
    front.close()
    await server.close()


@plain
async def test_a_registration_and_a_read_over_dtls():
    async with secured() as (server, modem, typist):
        await typist.say('AT+QLWCONFIG=0,"leshan.eclipse.org",5684,"node-1",900,0,"node-1","%s"' % KEY)
        assert (await typist.say("AT+QLWREG", "+QLWREG"))[-1] == "+QLWREG: 0"
        answer = await server.read("node-1", "/3/0/0")
        assert answer.value == "Quectel"
        assert KEY not in repr(modem.model.recent)


@plain
async def test_a_wrong_key_is_refused_and_said():
    async with secured() as (server, modem, typist):
        told = []
        modem.on_trouble = told.append
        await typist.say('AT+QLWCFG="retransmit",1,0')
        await typist.say("AT+QRST=1", "+IP")
        await typist.say('AT+QLWCONFIG=0,"leshan.eclipse.org",5684,"node-1",900,0,"node-1","FFFF"')
        assert (await typist.say("AT+QLWREG", "+QLWREG"))[-1] == "+QLWREG: 1"
        assert modem.troubles and "FFFF" not in " ".join(modem.troubles)
        assert told and told[-1] == modem.troubles[-1] and "identity or key" in told[-1]
        assert not server.clients


def bootstrap_writes(port):
    """What the bootstrap server writes: the account of the LwM2M server and its Server object."""
    security = [((0, 1, 0), STRING, f"coap://127.0.0.1:{port}"), ((0, 1, 1), BOOLEAN, "0"), ((0, 1, 2), INTEGER, "3")]
    security.append(((0, 1, 10), INTEGER, "1"))
    server = [((1, 0, 0), INTEGER, "1"), ((1, 0, 1), INTEGER, "300"), ((1, 0, 7), STRING, "U")]
    return [("delete", (0, 1)),
            ("write", (0, 1), TLV, codec.encode(TLV, (0, 1), security)),
            ("write", (1, 0), TLV, codec.encode(TLV, (1, 0), server))]


@plain
async def test_bootstrap_then_registration():
    server = await Lwm2mServer().start()
    bootstrap = await Lwm2mServer().start()
    bootstrap.bootstrap["node-1"] = bootstrap_writes(server.port)
    modem, typist = await attached(None)
    await typist.say('AT+QLWCONFIG=1,"127.0.0.1",%d,"node-1",900,3' % bootstrap.port)
    said = await typist.say("AT+QLWREG", "+QLWREG")
    assert said[-2:] == ['+QLWURC: "bs_finished"', "+QLWREG: 0"], said
    assert '+QLWURC: "lifetime_changed",300' in said
    assert server.clients["node-1"].lifetime == 300 and not bootstrap.clients
    await modem.close()
    await bootstrap.close()
    await server.close()
