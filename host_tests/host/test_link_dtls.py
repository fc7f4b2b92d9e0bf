"""DTLS with pre-shared keys: the client end in the relay, the front before the server, and what is said when it fails."""

import builtins

import pytest
from host.link_pair import Pair, TEMPERATURE, plain, run

from testing.lwm2m import dtls
from testing.lwm2m.link import Account

KEYS = {"node": "30313233"}


@pytest.fixture
def library():
    return pytest.importorskip("mbedtls", reason="python-mbedtls is not installed: make setup-dtls")


class Secured(Pair):
    """A pair with a DTLS front between the two."""

    def __init__(self):
        super().__init__(register=False)
        self.said = []
        self.trouble = []

    async def __aenter__(self):
        server, node = await super().__aenter__()
        self.front = dtls.DtlsFront(("127.0.0.1", 0), ("127.0.0.1", server.port), dict(KEYS), self.said.append)
        await self.front.start()
        node.link.trouble = self.trouble.append
        node.link.retransmission(0.2, 3)
        return server, node

    async def __aexit__(self, *exc):
        self.front.close()
        await super().__aexit__()

    def account(self, identity="node", key="30313233"):
        return Account("127.0.0.1", self.front.port, identity, key)


@plain
async def test_register_read_observe_and_notify_with_a_key(library):
    pair = Secured()
    async with pair as (server, node):
        assert await node.register(account=pair.account()) == 201
        assert (await server.read("node", TEMPERATURE)).value == 21.5
        assert (await server.observe("node", TEMPERATURE)).code == 205
        assert await node.notify("22.5") == 0
        assert [each.value for each in server.deliveries] == [22.5]
        assert pair.trouble == [] and pair.said == []


@plain
async def test_nothing_on_the_wire_is_readable(library):
    pair = Secured()
    async with pair as (server, node):
        seen = []
        node.link.relay.trace = lambda way, data: seen.append(data)
        assert await node.register(account=pair.account()) == 201
        assert seen and not any(b"3303" in data or b"30313233" in data or b"0123" in data for data in seen)


@pytest.mark.parametrize("identity, key", [("node", "99999999"), ("stranger", "30313233")])
@plain
async def test_a_wrong_key_or_identity_is_refused_and_said_without_either(library, identity, key):
    pair = Secured()
    async with pair as (server, node):
        assert await node.register(account=pair.account(identity, key)) is None
        assert server.clients == {} and pair.front.refused
        told = " ".join(pair.trouble + pair.said)
        assert "identity or key" in told and key not in told and identity not in told


@pytest.mark.parametrize("identity, key", [("node", ""), ("node", "00" * 100)])
@plain
async def test_a_key_that_no_handshake_can_use_is_said(library, identity, key):
    pair = Secured()
    async with pair as (server, node):
        assert await node.register(account=pair.account(identity, key)) is None
        assert "must not be empty" in pair.trouble[0]


@plain
async def test_a_key_that_is_not_hexadecimal_is_said_without_it():
    async with Pair(register=False) as (server, node):
        told = []
        node.link.trouble = told.append
        assert await node.register(account=Account("127.0.0.1", server.port, "node", "opensesame")) is None
        assert "hexadecimal" in told[0] and "sesame" not in told[0]


@plain
async def test_the_right_key_after_a_wrong_one(library):
    pair = Secured()
    async with pair as (server, node):
        assert await node.register(account=pair.account(key="99")) is None
        assert await node.register(account=pair.account()) == 201


@plain
async def test_registering_again_makes_a_new_association(library):
    pair = Secured()
    async with pair as (server, node):
        assert await node.register(account=pair.account()) == 201
        pair.front.forget()  # the front restarts: it knows no association any more
        assert await node.register(account=pair.account()) == 201
        assert (await server.read("node", TEMPERATURE)).value == 21.5


@plain
async def test_a_key_added_later_is_known_at_once(library):
    pair = Secured()
    async with pair as (server, node):
        pair.front.keys["late"] = "31323334"
        assert await node.register(account=pair.account("late", "31323334")) == 201


@plain
async def test_a_lost_hello_is_repeated(library):
    pair = Secured()
    async with pair as (server, node):
        sent = []

        def trace(way, data, remote):  # the radio comes up with the first repetition: the hello before is lost
            sent.append(way)
            node.link.radio(up=len(sent) > 1)

        node.link.endpoint.trace = trace
        node.link.retransmission(0.2, 12, fixed=True)
        assert await node.register(account=pair.account()) == 201
        assert node.link.relay.dropped


def test_without_the_library_a_sentence_says_what_to_do(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **named):
        if name.startswith("mbedtls"):
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)

    async def body():
        pair = Pair(register=False)
        async with pair as (server, node):
            told = []
            node.link.trouble = told.append
            assert await node.register(account=Account("127.0.0.1", server.port, "node", "30")) is None
            assert told == [dtls.INSTALL]

    run(body())


def test_a_key_file(tmp_path):
    path = tmp_path / "keys"
    path.write_text("# identity:key in hex\nnode:30313233\nurn:imei:1:ff\n\n")
    assert dtls.read_keys(path) == {"node": b"0123", "urn:imei:1": b"\xff"}
    for bad in ("node", "node:xyz", ":30"):
        path.write_text(bad)
        with pytest.raises(ValueError, match="line 1: IDENTITY:HEXKEY expected") as caught:
            dtls.read_keys(path)
        assert "xyz" not in str(caught.value)
