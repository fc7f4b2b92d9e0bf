"""Bootstrap, the server's command line, and how it treats clients that misbehave."""

import asyncio
import io
import json
import socket
import subprocess
import sys

import pytest
from host.link_pair import Pair, TEMPERATURE, free_port, paired, plain

from testing.lwm2m.codec import decode_tlv
from testing.lwm2m.endpoint import message
from testing.lwm2m.link import Account
from testing.lwm2m.relay import Relay
from testing.lwm2m.server import bootstrap_config, object_paths
from testing.lwm2m.server_cli import COMMANDS, command


@plain
async def test_bootstrap_writes_an_account_and_the_client_registers_with_it():
    pair = Pair(register=False)
    async with pair as (server, node):
        server.bootstrap["node"] = bootstrap_config("coap://127.0.0.1:5683", lifetime=60, binding="UQ")
        written = []
        assert await node.bootstrap(written.append) == 204
        assert [(each.operation, each.path) for each in written] == [
            ("delete", (0, 1)), ("delete", (1,)), ("write", (0, 1)), ("write", (1, 0))]
        security = dict(decode_tlv((0, 1), written[2].payload))
        assert security[(0, 1, 0)] == b"coap://127.0.0.1:5683" and security[(0, 1, 1)] == b"\0"
        account = dict(decode_tlv((1, 0), written[3].payload))
        assert account[(1, 0, 1)] == b"\x3c" and account[(1, 0, 7)] == b"UQ"
        assert await pair.events.get() == "bootstrapped"
        assert await node.register() == 201


def test_bootstrap_with_a_key_carries_it():
    steps = bootstrap_config("coaps://h:5684", psk_identity="id", psk=b"\x01\x02")
    security = dict(decode_tlv((0, 1), steps[2][3]))
    assert security[(0, 1, 2)] == b"\0" and security[(0, 1, 3)] == b"id" and security[(0, 1, 5)] == b"\x01\x02"


@plain
async def test_bootstrap_refused_for_the_unknown_and_silent_without_network():
    async with Pair(register=False) as (server, node):
        assert await node.bootstrap(lambda request: None) == 400
        node.link.radio(up=False)
        assert await node.bootstrap(lambda request: None) is None


@plain
async def test_a_client_that_refuses_a_write_ends_the_bootstrap():
    pair = Pair(register=False)
    async with pair as (server, node):
        server.bootstrap["*"] = bootstrap_config("coap://127.0.0.1:5683")
        node.link.bootstrap(Account("127.0.0.1", server.port), "node", lambda request: 400, print)
        assert await pair.events.get() == "bootstrap failed"


@paired
async def test_every_command_of_the_terminal(server, node):
    said = {}
    for line in ("clients", "read node /3303/0/5700", "read node /9/9/9", "write node /3306/0/5853 warm and dry",
                 "execute node /3303/0/5605", "observe node /3303/0", "discover node /3303/0",
                 "attributes node /3303/0/5700 pmin=5", "cancel node /3303/0", "create node /3306",
                 "delete node /3306/1", "deliveries", "help"):
        said[line.split()[0] + str(line.count("9/9"))] = await command(server, line)
    assert json.loads(said["clients0"])[0]["endpoint"] == "node"
    assert said["read0"] == "2.05 /3303/0/5700=21.5" and said["read1"] == "4.04"
    assert said["write0"] == "2.04" and node.requests[2].payload == b"warm and dry"
    assert said["observe0"] == "2.05 /3303/0/5700=21.5 /3303/0/5701=Cel"
    assert said["discover0"] == "2.05 </3303/0>,</3303/0/5700>,</3303/0/5701>"
    assert said["create0"] == "2.01" and said["delete0"] == "2.02" and said["deliveries0"] == "0"
    assert said["help0"] == COMMANDS


@pytest.mark.parametrize(
    "line, answer",
    [("dance", "unknown command 'dance': type help"),
     ("read node", "read: wrong number of words, type help"),
     ("read other /3/0", "no client 'other' is registered (node)"),
     ("read node /a", "path '/a': expected numbers 0..65535 between slashes")],
)
@plain
async def test_a_mistyped_command_is_explained(line, answer):
    async with Pair() as (server, node):
        assert await command(server, line) == answer


def test_the_program_serves_and_quits():
    port = free_port()
    done = subprocess.run([sys.executable, "-m", "testing.lwm2m.server", "--port", str(port)], input="clients\nquit\n",
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0 and f"listening on 127.0.0.1:{port}" in done.stdout and "[]" in done.stdout


def test_a_taken_port_is_said_in_a_sentence():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        done = subprocess.run([sys.executable, "-m", "testing.lwm2m.server", "--port", str(taken.getsockname()[1])], input="",
                              capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1 and done.stderr.startswith("cannot start: ") and "Traceback" not in done.stderr


@plain
async def test_registrations_that_make_no_sense_are_refused():
    async with Pair(register=False) as (server, node):
        for query, payload in (((), b"</3/0>"), (("ep=", "lt=60"), b"</3/0>"), (("ep=x", "lt=soon"), b"</3/0>"),
                               (("ep=x", "lt=60"), b"")):
            future = asyncio.get_running_loop().create_future()
            request = message(2, payload, uri_path=("rd",), uri_query=query)
            node.link.endpoint.request(request, ("127.0.0.1", server.port), future.set_result)
            assert int((await future).code) == 0x80, query
        assert server.clients == {}


@paired
async def test_garbage_is_counted_and_survived(server, node):
    for data in (b"", b"\x40", b"\xff" * 30, b"\x48\x01\x00\x01", b"GET / HTTP/1.1\r\n\r\n"):
        server.endpoint.datagram_received(data, ("127.0.0.1", 9))
        node.link.endpoint.datagram_received(data, ("127.0.0.1", 9))
    assert server.endpoint.malformed >= 3
    assert (await server.read("node", TEMPERATURE)).value == 21.5


def test_object_lists_of_other_clients():
    assert object_paths('</>;rt="oma.lwm2m";ct=11543,</1/0>,</3303>;ver=1.1,</3303/0>, </19/0>') == [
        "/1/0", "/3303", "/3303/0", "/19/0"]


@plain
async def test_relay_plays_delay_and_counts_what_it_drops():
    relay = Relay()
    got = asyncio.Queue()
    relay.radio(delay_ms=1)
    relay.carry("up", b"a", got.put_nowait)
    assert got.empty()
    assert await got.get() == b"a"
    relay.radio(up=False)
    relay.carry("up", b"b", got.put_nowait)
    relay.radio(up=True, loss=100)
    relay.carry("up", b"c", got.put_nowait)
    assert relay.dropped == 2 and relay.passed == 1 and got.empty()


def test_help_of_the_program_lists_the_commands(capsys, monkeypatch):
    from testing.lwm2m.server_cli import main

    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "observe EP PATH" in capsys.readouterr().out
