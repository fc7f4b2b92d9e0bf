"""Nodes against a bare CoAP server: what servers of LwM2M seldom do, and networks often.

    python -m tools.interop.bare [--family bc66] [--only nat] [--quiet]

Nothing but one UDP socket and aiocoap's message codec: no library decides here what is answered. So the server can answer
a notification with a reset, take a request's place before an acknowledgement, lose a registration while its node sleeps, and
see a node's address change as behind a NAT. It needs no Java; `make interop` runs it before Leshan.

The nodes are those of `bench`: firmware/ under MicroPython, the virtual modem, one of each family at once. After each row
but the cancellations every reading that the sensor gave meanwhile has to arrive, live or in a pack.
"""

import asyncio
import secrets
import sys
import time
from pathlib import Path

from aiocoap import CHANGED, CREATED, DELETE, DELETED, EMPTY, GET, NOT_FOUND, POST, PUT, Message
from aiocoap.error import Error as CoapError
from aiocoap.numbers.types import ACK, CON, RST

from testing.lwm2m.codec import decode, encode
from testing.lwm2m.endpoint import code_number
from testing.lwm2m.names import OCTET_STREAM, TLV
from testing.lwm2m.resource_types import type_of
from tools import arguments
from tools.interop import checks
from tools.interop.bench import FAMILIES, PACKS, Node, compile_library
from tools.interop.checks import RELAY, TEMPERATURE, need
from tools.interop.fetch import CACHE
from tools.interop.leshan import Told
from tools.interop.process import free_ports, own
from tools.interop.table import Cells, chosen, shown_table

LIMIT_S = 900
KEY = ("lwnode-bare", "6c776e6f64652d626172652d6b657921")  # a key of this bench alone
PATIENCE_S = 240  # for what a node does within its next contacts; a busy machine is slow
REGISTRATIONS = ("REGISTRATION", "UPDATED")


def ids_of(path):
    """(3303, 0, 5700) of "/3303/0/5700"."""
    return tuple(int(part) for part in path.strip("/").split("/"))


def content(message, path):
    """What a payload holds, as Leshan's JSON has it: {"value": number, text or hex}, or {"values": ...} of several."""
    if not message.payload:
        return {}
    form = message.opt.content_format
    readings = decode(0 if form is None else int(form), ids_of(path), message.payload, type_of, 0)
    shown = [each.value.hex() if isinstance(each.value, bytes) else each.value for each in readings]
    return {"value": shown[0]} if len(shown) == 1 else {"values": {str(at): each for at, each in enumerate(shown)}}


class Reply:
    """An answer in the form that `bench` knows from Leshan: `http` 200, `code` 205; 504 and 504 where none came."""

    delayed = False

    def __init__(self, message=None, path="/"):
        self.http = 200 if message is not None else 504
        self.code = 504 if message is None else code_number(message.code)
        self.observed = message is not None and message.opt.observe is not None
        self.value = None
        if self.code == 205:
            self.value = content(message, path).get("value")
        self.text = "nobody answered" if message is None else f"{message.code} {message.payload.hex()}"

    def __repr__(self):
        return self.text


class BareServer(Told, asyncio.DatagramProtocol):
    """See the module. `clients` {endpoint: registration}; `wrong` says what no CoAP peer may send."""

    def __init__(self):
        super().__init__()
        (self.coap_port,) = free_ports(1)
        self.uri = f"coap://127.0.0.1:{self.coap_port}"
        self.clients = {}
        self.observations = {}  # token: (endpoint, path)
        self.newest = {}  # (endpoint, path): token
        self.interruptions = {}  # endpoint: what is sent before its next notification is acknowledged
        self.wrong = []
        self.resets = []  # tokens of notifications that were answered with a reset
        self._asked = {}  # token: (future, endpoint, path, observes)
        self._answered = {}  # (address, message id): what was answered, for a repetition
        self._mid = secrets.randbelow(65536)
        self._count = 0

    async def __aenter__(self):
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", self.coap_port))
        return self

    async def __aexit__(self, *exc):
        self._transport.close()

    def connection_made(self, transport):
        self._transport = transport

    def error_received(self, exc):
        """A closed port is silence, as it is over the air."""

    # ---- what comes

    def datagram_received(self, data, addr):
        try:
            message = Message.decode(data, addr)
        except (CoapError, ValueError, IndexError) as error:
            self.wrong.append(f"no CoAP: {data.hex()} ({error})")
            return
        known = self._answered.get((addr, message.mid))
        if message.mtype in (ACK, RST) and message.code is EMPTY:
            return  # a separate answer follows, or none
        if message.mtype is not ACK and known is not None:
            if known[0] != data:
                self.wrong.append(f"message id {message.mid} used twice: {data.hex()}")
            if known[1]:
                self._transport.sendto(known[1], addr)
            return
        if message.code.is_request():
            self._reply(message, addr, data, self._registered(message, addr))
        elif message.code.is_response():
            self._responded(message, addr, data)
        else:
            self.wrong.append(f"neither request nor answer: {data.hex()}")

    def _reply(self, message, addr, data, answer):
        answer.mtype, answer.mid, answer.token = (ACK if message.mtype is CON else message.mtype), message.mid, message.token
        self._settle(message, addr, data, answer)

    def _settle(self, message, addr, data, answer):
        raw = answer.encode() if answer is not None else b""
        if message.mtype is not ACK:
            self._answered[(addr, message.mid)] = (data, raw)
        if raw:
            self._transport.sendto(raw, addr)

    def _registered(self, message, addr):
        """The registration interface (TS 1.0.2, 5.3): the answer to a request of a client."""
        path, query = message.opt.uri_path, dict(each.partition("=")[::2] for each in message.opt.uri_query)
        if message.code is POST and path == ("rd",) and query.get("ep"):
            self._count += 1
            client = self.clients[query["ep"]] = {"endpoint": query["ep"], "lifetime": int(query.get("lt", 86400)),
                                                  "bindingMode": query.get("b", "U"), "address": addr,
                                                  "location": str(self._count), "objectLinks": links(message)}  # fmt: skip
            if query.get("lwm2m") != "1.0":
                self.wrong.append(f"lwm2m=1.0 expected, {query.get('lwm2m')} came")
            self._forget_observations(query["ep"])
            self.tell("REGISTRATION", client)
            return Message(code=CREATED, location_path=("rd", client["location"]))
        known = [each for each in self.clients.values() if path == ("rd", each["location"])]
        if not known or message.code not in (POST, DELETE):
            return Message(code=NOT_FOUND)
        client = known[0]
        if message.code is DELETE:
            self.forget(client["endpoint"])
            self.tell("DEREGISTRATION", client)
            return Message(code=DELETED)
        moved = client["address"] != addr
        client.update(address=addr, lifetime=int(query.get("lt", client["lifetime"])),
                      bindingMode=query.get("b", client["bindingMode"]))  # fmt: skip
        if moved:
            self._forget_observations(client["endpoint"])
        self.tell("UPDATED", {"registration": client, "moved": moved})
        return Message(code=CHANGED)

    def _responded(self, message, addr, data):
        """An answer to a question of ours, or a notification: from whom we do not know it is reset."""
        future, endpoint, path, observes = self._asked.pop(message.token, (None, None, None, False))
        if future is not None:
            if observes and message.opt.observe is not None:
                self.observations[message.token] = (endpoint, path)
                self.newest[endpoint, path] = message.token
            self._settle(message, addr, data, self._empty(ACK, message) if message.mtype is CON else None)
            if not future.done():
                future.set_result(message)
            return
        endpoint, path = self.observations.get(message.token, (None, None))
        if endpoint is None or self.clients.get(endpoint, {}).get("address") != addr:
            self.resets.append(message.token)
            self._settle(message, addr, data, self._empty(RST, message))
            return
        ack = self._empty(ACK, message) if message.mtype is CON else None
        interruption = self.interruptions.pop(endpoint, None) if ack is not None else None
        if interruption is None:
            self._settle(message, addr, data, ack)
        else:
            interruption()
            asyncio.get_running_loop().call_later(0.3, self._settle, message, addr, data, ack)
        newest = message.token == self.newest[endpoint, path]
        self.tell("NOTIFICATION", {"ep": endpoint, "res": path, "val": content(message, path), "newest": newest,
                                   "number": (message.token.hex(), message.opt.observe)})  # fmt: skip

    @staticmethod
    def _empty(kind, message):
        empty = Message(code=EMPTY)
        empty.mtype, empty.mid = kind, message.mid
        return empty

    # ---- what the server does

    def forget(self, endpoint):
        """Lose a registration without a word, as a restart or a lifetime that has run out does."""
        self.clients.pop(endpoint, None)
        self._forget_observations(endpoint)

    def _forget_observations(self, endpoint):
        self.observations = {token: each for token, each in self.observations.items() if each[0] != endpoint}

    def begin(self, endpoint, code, path, payload=b"", token=None, observes=False, **options):
        """Send a request now; (future of its answer, the datagram, its token)."""
        token = token or secrets.token_bytes(4)
        self._mid = (self._mid + 1) & 0xFFFF
        message = Message(code=code, payload=payload, uri_path=tuple(path.strip("/").split("/")), **options)
        message.mtype, message.mid, message.token = CON, self._mid, token
        future = asyncio.get_running_loop().create_future()
        self._asked[token] = (future, endpoint, path, observes)
        data = message.encode()
        self._transport.sendto(data, self.clients[endpoint]["address"])
        return future, data, token

    async def finish(self, endpoint, path, begun, timeout):
        """Wait for the answer to what was begun, repeating it after 2 and 4 s (RFC 7252, 4.2)."""
        future, data, token = begun
        end, wait = asyncio.get_running_loop().time() + timeout, 2
        while True:
            left = end - asyncio.get_running_loop().time()
            done, _ = await asyncio.wait([future], timeout=max(0.0, min(wait, left)))
            if done:
                return Reply(future.result(), path)
            if left <= wait or endpoint not in self.clients:
                self._asked.pop(token, None)
                return Reply()
            self._transport.sendto(data, self.clients[endpoint]["address"])
            wait *= 2

    async def ask(self, endpoint, code, path, payload=b"", timeout=6, **options):
        """A request and its answer."""
        if endpoint not in self.clients:
            return Reply()
        return await self.finish(endpoint, path, self.begin(endpoint, code, path, payload, **options), timeout)

    async def read(self, endpoint, path, timeout=6):
        """Read."""
        return await self.ask(endpoint, GET, path, timeout=timeout)

    async def write(self, endpoint, path, value, timeout=6):
        """Write: bool in TLV, bytes as they are."""
        return await self.ask(endpoint, PUT, path, timeout=timeout, **written(path, value))

    async def observe(self, endpoint, path, timeout=6):
        """Observe with a new token."""
        return await self.ask(endpoint, GET, path, timeout=timeout, observes=True, observe=0)

    async def cancel(self, endpoint, path, token, timeout=6):
        """Cancel: GET with observe 1 and the observation's token (RFC 7641, 3.6)."""
        self.observations.pop(token, None)
        return await self.ask(endpoint, GET, path, timeout=timeout, token=token, observe=1)


def links(message):
    """The object links of a registration, as Leshan shows them."""
    return [{"url": each.split(";")[0].strip("<> ")} for each in message.payload.decode().split(",")]


def written(path, value):
    """Payload and content format of a write."""
    if isinstance(value, bytes):
        return {"payload": value, "content_format": OCTET_STREAM}
    ids = ids_of(path)
    return {"payload": encode(TLV, ids, [(ids, type_of(ids[0], ids[2]), "1" if value else "0")]), "content_format": TLV}


# ---- the rows


def watched(node):
    """The path on which this contract's readings come."""
    return PACKS if node.contract == "pipe" else TEMPERATURE


def delivered(node, after):
    """Every temperature that has arrived since that event, live or in a pack."""
    found = set()
    for event in node.leshan.events[after:]:
        if event.name == "NOTIFICATION" and event.endpoint == node.endpoint:
            if event.data["res"] == TEMPERATURE:
                found.add(round(float(event.data["val"]["value"]), 3))
            elif event.data["res"] == PACKS:
                found.update(round(float(each.value), 3) for each in checks.unpacked(event.data["val"])
                             if each.path == ids_of(TEMPERATURE))  # fmt: skip
    return found


def taken(node):
    """Every temperature that the sensor has given, in order."""
    return [round(float(each.text), 3) for each in node.board.readings if each.name == "temperature"]


async def caught_up(node, mark, first):
    """Each reading from number `first` on arrives, one at least."""
    await node.until(lambda: len(taken(node)) > first, "a reading", PATIENCE_S)
    wanted = set(taken(node)[first:])
    await node.until(lambda: wanted <= delivered(node, mark), f"readings {sorted(wanted)[:4]} and others", PATIENCE_S)
    return f"{len(wanted)} readings"


async def wakes(node, count):
    """Let the node wake and sleep so many times."""
    seen = len(node.board.wakes)
    await node.until(lambda: len(node.board.wakes) >= seen + count, f"{count} wakes", PATIENCE_S)


async def observe_twice(node):
    """The second token takes the first's place (TS 1.0.2, 5.5.1: one observation of a server on a path).

    A family that registers anew at a wake is observed anew as well: then a third one counts.
    """
    path = watched(node)
    first, second = [await node.ask(node.leshan.observe, path) for _ in range(2)]
    need(first.code == second.code == 205 and first.observed and second.observed, f"2.05 twice expected, {first} {second} came")
    mark, numbers = node.mark(), []
    for _ in range(3):
        event = await node.event("NOTIFICATION", PATIENCE_S, after=mark, where=lambda data: data["res"] == path)
        mark = node.number(event) + 1
        need(event.data["newest"], "a notification with an older token came")
        numbers.append(event.data["number"])
    tokens = [token for token, _ in numbers]
    rising = sorted(set(numbers), key=lambda each: (tokens.index(each[0]), each[1]))
    need(numbers == rising, f"rising numbers expected, {numbers} came")
    return "the newer alone"


async def cancel(node):
    """Observe 1: no notification in two wakes; observed again, they come."""
    path = watched(node)
    token = node.leshan.newest[node.endpoint, path]
    answer = await node.ask(node.leshan.cancel, path, token)
    need(answer.code == 205 and not answer.observed, f"2.05 without observe expected, {answer} came")
    return await _silent(node, path, token)


async def cancel_by_reset(node):
    """The server has forgotten the token and resets: one more notification comes, and no other (RFC 7641, 3.6)."""
    path = watched(node)
    before = len(node.leshan.resets)

    def newest():  # another after each registration
        token = node.leshan.newest[node.endpoint, path]
        node.leshan.observations.pop(token, None)
        return token

    await node.until(lambda: newest() in node.leshan.resets[before:], "a notification to reset", PATIENCE_S)
    return await _silent(node, path, newest())


async def _silent(node, path, token):
    """Two wakes without this token; then observed again. A family that registers anew at a wake may be so already."""
    before, mark = len(node.leshan.resets), node.mark()
    await wakes(node, 2)
    need(token not in node.leshan.resets[before:], "a notification came after all")
    answer = await node.ask(node.leshan.observe, path)
    need(answer.code == 205 and answer.observed, f"2.05 expected, {answer} came")
    await node.event("NOTIFICATION", PATIENCE_S, after=mark, where=lambda data: data["res"] == path)
    return "silent, observed again"


def _switched(node):
    """(path, value, level): a write that moves the relay."""
    level = not node.outputs.get("relay")
    return (RELAY, level, level) if node.contract != "pipe" else (checks.COMMANDS, checks.switch(level), level)


async def write_during_notification(node):
    """A write that goes out before the notification is acknowledged: both arrive, nothing twice."""
    mark, first = node.mark(), len(taken(node))
    path, value, level = _switched(node)
    begun = []
    node.leshan.interruptions[node.endpoint] = lambda: begun.append(
        node.leshan.begin(node.endpoint, PUT, path, **written(path, value)))  # fmt: skip
    await node.until(lambda: begun, "a notification to interrupt", PATIENCE_S)
    answer = await node.leshan.finish(node.endpoint, path, begun[0], 30)
    need(answer.code == 204, f"2.04 expected, {answer} came")
    await node.until(lambda: node.outputs.get("relay") == int(level), f"relay = {int(level)}", 150)
    return await caught_up(node, mark, first)


async def queued_write(node):
    """A write that waited until the node was heard of, and is sent then, once (queue mode; TS 1.0.2, 8.3)."""
    await node.until(lambda: node.sleeps_ms > 0, "a sleep", PATIENCE_S)
    path, value, level = _switched(node)
    mark = node.mark()
    await node.event((*REGISTRATIONS, "NOTIFICATION"), PATIENCE_S, after=mark)
    answer = await node.leshan.write(node.endpoint, path, value, timeout=20)
    need(answer.code == 204, f"2.04 expected, {answer} came")
    await node.until(lambda: node.outputs.get("relay") == int(level), f"relay = {int(level)}", 150)
    return "at the next wake"


async def nat(node):
    """Another port: notifications are reset as a stranger's; the node makes itself known again, and nothing is lost."""
    mark, first, before = node.mark(), len(taken(node)), set(node.leshan.resets)
    ours = [token for token, (endpoint, _) in node.leshan.observations.items() if endpoint == node.endpoint]
    await node.modem.link.change_address()
    moved = await node.event(REGISTRATIONS, PATIENCE_S, after=mark)
    for path in node.observed if moved.name == "UPDATED" else ():  # as a server does that has seen an address change
        need((await node.ask(node.leshan.observe, path)).code == 205, f"205 expected for {path}")
    text = await caught_up(node, mark, first)
    said = "update" if moved.name == "UPDATED" else "registers"
    return f"{said}, {text}" + (", reset" if set(ours) & set(node.leshan.resets) - before else "")


async def server_restart(node):
    """The server knows nobody: 4.04 for an update, reset for a notification."""
    mark, first = node.mark(), len(taken(node))
    node.leshan.forget(node.endpoint)
    await node.event("REGISTRATION", PATIENCE_S, after=mark)
    return "registers, " + await caught_up(node, mark, first)


async def expired_asleep(node):
    """The server has let the lifetime run out while the node slept."""
    await node.until(lambda: node.sleeps_ms > 0, "a sleep", PATIENCE_S)
    return await server_restart(node)


async def clean_coap(node):
    """Everything that came was CoAP by aiocoap's codec, and no message id stood for two messages."""
    need(not node.leshan.wrong, f"{node.leshan.wrong[:2]}")
    return "yes"


ROWS = (
    ("registration", checks.registration), ("observe, notify", checks.observe), ("observe twice", observe_twice),
    ("cancel", cancel), ("cancel by reset", cancel_by_reset), ("write in a notification", write_during_notification),
    ("queued write", queued_write), ("NAT rebinding", nat), ("server restart", server_restart),
    ("expired asleep", expired_asleep), ("clean CoAP", clean_coap),
)  # fmt: skip


async def wrong_key(server, folder, say):
    """BC66 with a wrong key before a DTLS front of the same server: never registered, and said so without the key."""
    from testing.lwm2m.dtls import DtlsFront

    target = ("127.0.0.1", server.coap_port)
    front = DtlsFront(("127.0.0.1", 0), target, {KEY[0]: KEY[1]}, lambda sentence: say("dtls", sentence))
    await front.start()
    node = Node("bc66", server, folder, say, "-wrong", {"security": "psk", "port": front.port},
                {"psk_identity": KEY[0], "psk": KEY[1][::-1]}, server_uri=f"coaps://127.0.0.1:{front.port}")  # fmt: skip
    try:
        await node.start()
        await checks.key_refused(node, KEY[1][::-1], PATIENCE_S)
        need(front.refused, "the DTLS front took it")
        need(node.endpoint not in server.clients, "it registered with a wrong key")
        return "refused, and said so"
    finally:
        await node.stop()
        front.close()


async def run(families, folder, say, only=""):
    """All nodes at once: {(row, family): (good, text)}."""
    cells = Cells(say)

    async def live(node):
        rows = [each for each in ROWS[1:] if only in each[0]]
        try:
            await node.start()
            if await cells.run("registration", node.family, checks.registration(node)):
                for name, check in rows:
                    await cells.run(name, node.family, check(node))
        finally:
            await node.stop()

    compile_library(folder)
    async with BareServer() as server:
        lives = [live(Node(family, server, folder, say, "-bare")) for family in families]
        if "bc66" in families and not only:
            lives.append(cells.run("DTLS-PSK, wrong key", "bc66", wrong_key(server, folder, say)))
        await asyncio.gather(*lives)
    return cells


def main(words=None):
    """See the module."""
    options, console, say = chosen(__doc__, words)
    began = time.monotonic()
    families = options.family or list(FAMILIES)
    Path(CACHE).mkdir(parents=True, exist_ok=True)
    try:
        cells = asyncio.run(asyncio.wait_for(run(families, own(Path(CACHE) / "bare"), say, options.only), LIMIT_S))
    except asyncio.TimeoutError:
        cells = {("all rows", families[0]): (False, f"not done within {LIMIT_S} s")}
    rows = [name for name, _ in ROWS] + ["DTLS-PSK, wrong key", "all rows"]
    title = f"against a bare CoAP server ({time.monotonic() - began:.0f} s)"
    return 0 if shown_table(console, title, rows, families, cells) else 1


if __name__ == "__main__":
    sys.exit(arguments.run(main))
