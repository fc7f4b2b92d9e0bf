"""What all four virtual modems owe any server by RFC 7252: bare CoAP messages from a socket, and what comes back."""

import asyncio
import random

import pytest
from aiocoap import CON, DELETE, EMPTY, GET, NON, PUT, RST, Message
from aiocoap.numbers import OptionNumber

from testing.virtual_modem import FAMILIES
from testing.virtual_modem.transport import VirtualModem

QUICK = {"boot_ms": 5, "attach_ms": 10}
SILENCE_S = 0.25  # an acknowledgement comes after 0.1 s at the latest


class Server(asyncio.DatagramProtocol):
    """A socket: messages out, and the first that comes back."""

    async def open(self, port):
        self.arrived = asyncio.Queue()
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, remote_addr=("127.0.0.1", port))
        self.mid = random.Random(1).randrange(60000)
        return self

    def datagram_received(self, data, remote):
        self.arrived.put_nowait(Message.decode(data))

    async def ask(self, path, code=GET, kind=CON, options=(), payload=b"", **named):
        """The answer's code as 404, "RST", or None for silence; an empty acknowledgement is "ACK"."""
        self.mid += 1
        request = Message(code=code, payload=payload, uri_path=tuple(path.strip("/").split("/")), **named)
        for number, value in options:
            request.opt.add_option(OptionNumber(number).create_option(decode=value))
        request.mid, request.mtype, request.token = self.mid, kind, self.mid.to_bytes(2, "big")
        self.transport.sendto(request.encode())
        try:
            answer = await asyncio.wait_for(self.arrived.get(), SILENCE_S)
        except asyncio.TimeoutError:
            return None
        assert answer.mid == request.mid or answer.token == request.token
        if answer.code is EMPTY:
            return "RST" if answer.mtype is RST else "ACK"
        return (int(answer.code) >> 5) * 100 + (int(answer.code) & 31)


def each_family(test):
    """An async test of (server, modem), for each of the four."""

    async def lived(family):
        modem = await VirtualModem(family, pty=False, **QUICK).start()
        server = await Server().open(modem.link.endpoint.port)
        while modem.model.state_name != "on":
            await asyncio.sleep(0.01)
        try:
            await test(server, modem)
        finally:
            server.transport.close()
            await modem.close()

    def run(family):
        asyncio.run(asyncio.wait_for(lived(family), 30))

    return pytest.mark.parametrize("family", FAMILIES)(run)


@each_family
async def test_a_format_that_a_client_of_1_0_does_not_have_is_406(server, modem):
    """RFC 7252 5.10.4; text and opaque carry one resource (TS 1.0.2, 6.4.1, 6.4.2)."""
    for accept in (50, 60, 110, 112, 11544, 40):
        for observe in (None, 0):
            if accept != 40 or observe is not None:
                assert await server.ask("/3/0/0", accept=accept, observe=observe) == 406, accept
    for accept in (0, 42):
        assert await server.ask("/3/0", accept=accept) == 406 and await server.ask("/3", accept=accept) == 406
    for accept in (None, 0, 42, 11542, 11543):
        assert await server.ask("/3/0/0", accept=accept) == 205, accept
    assert modem.link.observations() == []


@each_family
async def test_critical_options_that_nobody_understands(server, modem):
    """RFC 7252 5.4.1: 4.02 for CON, rejected for NON; elective ones do no harm. 5.10.8: If-Match, 5.10.2: Proxy-Uri."""
    for number, value in ((9, b"\x01"), (65001, b""), (1, b"etag"), (5, b"")):
        assert await server.ask("/3/0/0", options=[(number, value)]) == 402, number
        assert await server.ask("/3/0/0", kind=NON, options=[(number, value)]) == "RST", number
        assert await server.ask("/1/0/1", PUT, options=[(number, value)], payload=b"100") == 402, number
    for number, value in ((35, b"coap://h/3/0/0"), (39, b"coap")):
        assert await server.ask("/3/0/0", options=[(number, value)]) == 505
    for number in (10, 65000, 28):
        assert await server.ask("/3/0/0", options=[(number, b"\x01")]) == 205, number
    assert await server.ask("/3/0/0", kind=NON) == 205


@each_family
async def test_a_segment_that_is_no_number_is_not_found(server, modem):
    for path in ("/+3/0/0", "/03/0/0", "/3/00/0", "/3/0/-1", "/3/0/0x0", "/3/0/\u0663", "/3/0/70000", "/3/ 0/0", "/rd"):
        for code in (GET, PUT, DELETE):
            assert await server.ask(path, code) == 404, path
    assert await server.ask("/3/0/0") == 205


@each_family
async def test_attributes_that_are_none_are_400(server, modem):
    """TS 1.0.2 5.1.2: names, values and places; nothing of a query that is wrong is kept."""
    for path, query in (("/3/0/7", "gt=x"), ("/3/0/7", "st=-1"), ("/3/0/7", "foo=1"), ("/3/0/7", "pmin=-5"), ("/3/0", "gt=1"),
                        ("/3", "lt=1"), ("/3/0/7", "pmax=1.5"), ("/3/0/7", "pmin=4294967296"), ("/3/0/7", "gt=nan")):
        for names in ((query,), ("pmin=7", query)):
            assert await server.ask(path, PUT, uri_query=names) == 400, names
    assert await server.ask("/3/0", PUT, uri_query=("pmin=5", "pmax=60")) == 204
    assert modem.link.attributes == {(3, 0): {"pmin": "5", "pmax": "60"}}


@each_family
async def test_switched_off_is_silence(server, modem):
    """Not even an acknowledgement, for what comes to a module without supply; what it comes back to answers again."""
    for code, path in ((GET, "/3/0/0"), (PUT, "/1/0/1"), (DELETE, "/3303/0")):
        assert await server.ask(path, code, payload=b"100" if code is PUT else b"") is not None
    modem.model.power_off()
    for code, path in ((GET, "/3/0/0"), (PUT, "/1/0/1"), (DELETE, "/3303/0"), (GET, "/9/9/9"), (GET, "/+3")):
        assert await server.ask(path, code) is None, path
    modem.model.power_on()
    while modem.model.state_name != "on":
        await asyncio.sleep(0.01)
    assert await server.ask("/3/0/0") == 205


@each_family
async def test_an_error_of_the_model_is_an_answer_too(server, modem):
    def broken(request):
        raise RuntimeError("a model that is wrong")

    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    modem.link.on_request = broken
    assert await server.ask("/3/0/0") == 500
    modem.link.on_request = lambda request: modem.link.respond(request, 205, [(request.path, 3, "no number")])
    assert await server.ask("/3/0/0") == 500


@each_family
async def test_a_server_object_takes_what_its_registry_allows(server, modem):
    """TS 1.0.2 E.2 and 5.3.1.1: a lifetime of at least a second and 32 bits, a binding of its list."""
    for value in (b"0", b"-5", b"4294967296", b"x", b""):
        assert await server.ask("/1/0/1", PUT, payload=value, content_format=0) == 400, value
    for value in (b"X", b"", b"u", b"UU"):
        assert await server.ask("/1/0/7", PUT, payload=value, content_format=0) == 400, value
    assert await server.ask("/1/0/1", PUT, payload=b"900", content_format=0) == 204
    assert await server.ask("/1/0/7", PUT, payload=b"U", content_format=0) == 204
