"""A CoAP endpoint: one UDP port in both roles, with the message layer of a module.

Messages are aiocoap's (format, options, codes); the message layer is ours, because a module's has to be played and
aiocoap's cannot: it does not tell that a notification was acknowledged, knows no fixed retransmission interval, cannot
be put to sleep, and ends every exchange and observation with a peer as soon as one of them times out.

    endpoint = Endpoint(on_request=serve)
    await endpoint.open()
    endpoint.request(message(POST, uri_path=("rd",)), ("127.0.0.1", 5683), done)    # done(response), done(None)
    endpoint.confirm(notification, remote, done)                                    # done(0), done(-1), done(None)
    def serve(request): endpoint.respond(request, message(CONTENT, payload=b"21.5"))  # now, or at any later time

What RFC 7252 asks for is kept: acknowledgement at once or after 0.1 s with a separate response, retransmission with
doubling intervals, duplicates answered again and not served twice, reset for what is unknown; a request with a critical
option that is not understood (If-Match too) is 4.02, or rejected where it is NON (5.4.1), one for a proxy 5.05 (5.10.2);
RFC 7959 block transfer of large requests that arrive and large responses that leave.

Bounds: answers are remembered for 247 s (EXCHANGE_LIFETIME), block transfers for as long, each peer's separately.
"""

import asyncio
import random
from collections import OrderedDict

from aiocoap import CHANGED, CONTINUE, EMPTY, REQUEST_ENTITY_INCOMPLETE, Code, Message
from aiocoap.error import Error as CoapError
from aiocoap.numbers.types import ACK, CON, NON, RST

from testing.lwm2m.names import ACKNOWLEDGED, RESET

ACK_DELAY_S = 0.1  # RFC 7252 5.2.2 leaves it open; aiocoap and Californium wait about as long
EXCHANGE_LIFETIME_S = 247
_PROXY = (35, 39)  # Proxy-Uri, Proxy-Scheme
# Options of class critical that are understood: Uri-Host, -Port, -Path, -Query, Accept, Block2, Block1.
_UNDERSTOOD = (3, 7, 11, 15, 17, 23, 27)
BLOCK_EXPONENT = 6

__all__ = ["Endpoint", "code_number", "message", "remote_text"]


def message(code, payload=b"", **options):
    """A CoAP message to send; options by aiocoap's names (uri_path, content_format, accept, observe, ...)."""
    return Message(code=code, payload=payload, **options)


def code_number(code):
    """aiocoap's code as an int without the dot: CONTENT -> 205."""
    return (int(code) >> 5) * 100 + (int(code) & 31)


def coap_code(code):
    """aiocoap's code of 205, 404 and the like."""
    return Code((code // 100 << 5) | code % 100)


def query_of(request):
    """The query of a request as a dictionary."""
    return dict([item.partition("=")[::2] for item in request.opt.uri_query])


def remote_text(remote):
    """("127.0.0.1", 5683) -> "127.0.0.1:5683"."""
    return f"{remote[0]}:{remote[1]}"


def refusal_of(request):
    """5.05 for what is meant for a proxy, 4.02 for a critical option that is not understood, 0 for a request to serve."""
    numbers = [int(option.number) for option in request.opt.option_list()]
    if any([number in _PROXY for number in numbers]):
        return 505
    return 402 if any([number & 1 and number not in _UNDERSTOOD for number in numbers]) else 0


class _Exchange:
    """A confirmable message on its way."""

    def __init__(self, data, remote, intervals, done):
        self.data = data
        self.remote = remote
        self.intervals = intervals
        self.done = done
        self.attempts = 0
        self.timer = None


class _Pending:
    """A request that waits for its response."""

    def __init__(self, remote, done):
        self.remote = remote
        self.done = done
        self.exchange_key = None
        self.timer = None


class Endpoint(asyncio.DatagramProtocol):
    """See the module. `on_request(message)`; `on_response(message) -> bool` takes responses that no request waits for
    (notifications): False is answered with reset. `on_reset(mid)` is told of resets of unconfirmed messages."""

    def __init__(self, on_request=None, on_response=None, on_reset=None, seed=None):
        self.on_request = on_request
        self.on_response = on_response
        self.on_reset = on_reset
        self.ack_timeout_s = 2.0
        self.max_retransmit = 4
        self.fixed_interval = False
        self.suspended = False
        self.duplicates = 0
        self.malformed = 0
        self.transmissions = 0
        self.trace = None
        self.transport = None
        self.port = None
        self._random = random.Random(seed)
        self._mid = self._random.randrange(65536)
        self._exchanges = {}
        self._pending = {}
        self._seen = OrderedDict()
        self._unanswered = {}
        self._uploads = {}
        self._downloads = {}
        self._held = []

    async def open(self, host="127.0.0.1", port=0):
        """Bind. OSError says when the port is taken."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))
        self.port = self.transport.get_extra_info("sockname")[1]
        return self

    def close(self):
        """Stop at once; nobody is told."""
        self.abandon()
        if self.transport is not None:
            self.transport.close()
            self.transport = None

    def abandon(self):
        """Drop everything that is on its way without a word, as a power cycle does."""
        for each in list(self._exchanges.values()) + list(self._pending.values()):
            if each.timer is not None:
                each.timer.cancel()
        for timer in self._unanswered.values():
            timer.cancel()
        for each in (self._exchanges, self._pending, self._unanswered, self._uploads, self._downloads, self._seen):
            each.clear()
        self._held.clear()

    # sending

    def request(self, request, remote, done, patience_s=EXCHANGE_LIFETIME_S):
        """Send a confirmable request; done(response), or done(None) for silence or reset. Returns its token."""
        request.token = request.token or self._next_token()
        pending = _Pending(remote, done)
        self._pending[request.token] = pending
        token = request.token
        pending.timer = asyncio.get_running_loop().call_later(patience_s, self._give_up, token)

        def outcome(result):
            pending.exchange_key = None
            if result != ACKNOWLEDGED:
                self._give_up(token)

        pending.exchange_key = self.confirm(request, remote, outcome)
        return token

    def confirm(self, outgoing, remote, done):
        """Send a message as CON: done(0) acknowledged, done(-1) reset, done(None) not answered."""
        outgoing.mtype = CON
        outgoing.mid = self._next_mid()
        first = self.ack_timeout_s
        intervals = [first if self.fixed_interval else first * 2**n for n in range(self.max_retransmit + 1)]
        key = (remote, outgoing.mid)
        self._exchanges[key] = _Exchange(outgoing.encode(), remote, intervals, done)
        self._attempt(key)
        return key

    def send(self, outgoing, remote, kind=NON):
        """Send a message that nobody acknowledges; returns its message id."""
        outgoing.mtype = kind
        if outgoing.mid is None:
            outgoing.mid = self._next_mid()
        self._transmit(outgoing.encode(), remote)
        return outgoing.mid

    def respond(self, request, response):
        """Answer a request: on its acknowledgement where that is still due, else as a separate response."""
        response.token = request.token
        response = self._first_block(request, response)
        key = (request.remote, request.mid)
        timer = self._unanswered.pop(key, None)
        if request.mtype is CON and timer is None:
            self.confirm(response, request.remote, lambda outcome: None)
            return
        if timer is not None:
            timer.cancel()
            response.mid = request.mid
            response.mtype = ACK
        else:
            response.mid = self._next_mid()
            response.mtype = NON
        data = response.encode()
        if key in self._seen:
            self._seen[key] = (data, self._seen[key][1])
        self._transmit(data, request.remote)

    def suspend(self):
        """Deaf and dumb: what arrives is dropped, what is sent waits."""
        self.suspended = True

    def resume(self):
        """Hear and send again."""
        self.suspended = False
        held, self._held = self._held, []
        for function, arguments in held:
            function(*arguments)

    # message layer

    def _attempt(self, key):
        exchange = self._exchanges.get(key)
        if exchange is None:
            return
        if exchange.attempts == len(exchange.intervals):
            del self._exchanges[key]
            exchange.done(None)
            return
        if self.suspended:
            self._held.append((self._attempt, (key,)))
            return
        self._transmit(exchange.data, exchange.remote)
        wait = exchange.intervals[exchange.attempts]
        exchange.attempts += 1
        exchange.timer = asyncio.get_running_loop().call_later(wait, self._attempt, key)

    def _transmit(self, data, remote):
        if self.suspended:
            self._held.append((self._transmit, (data, remote)))
            return
        if self.transport is None:
            return
        self.transmissions += 1
        if self.trace:
            self.trace("out", data, remote)
        self.transport.sendto(data, remote)

    def _next_mid(self):
        self._mid = (self._mid + 1) & 0xFFFF
        return self._mid

    def _next_token(self):
        while True:
            token = self._random.getrandbits(32).to_bytes(4, "big")
            if token not in self._pending:
                return token

    def _empty(self, kind, mid, remote):
        empty = message(EMPTY)
        empty.mid = mid
        self.send(empty, remote, kind)

    def _settle(self, key, outcome):
        exchange = self._exchanges.pop(key, None)
        if exchange is None:
            return False
        if exchange.timer is not None:
            exchange.timer.cancel()
        exchange.done(outcome)
        return True

    def _give_up(self, token):
        pending = self._pending.pop(token, None)
        if pending is None:
            return
        pending.timer.cancel()
        exchange = self._exchanges.pop(pending.exchange_key, None)
        if exchange is not None and exchange.timer is not None:
            exchange.timer.cancel()
        pending.done(None)

    # asyncio's side

    def connection_made(self, transport):
        self.transport = transport

    def error_received(self, exc):
        """A closed port at the other end is silence, as it is over the air."""

    def datagram_received(self, data, remote):
        if self.suspended:
            return
        if self.trace:
            self.trace("in", data, remote)
        try:
            incoming = Message.decode(data, remote)
        except (CoapError, ValueError, IndexError):
            self.malformed += 1
            return
        if incoming.mtype in (ACK, RST):
            self._acknowledged(incoming)
        elif incoming.code is EMPTY:
            if incoming.mtype is CON:  # a ping (RFC 7252, 4.3)
                self._empty(RST, incoming.mid, remote)
        elif incoming.code.is_request():
            self._requested(incoming)
        elif incoming.code.is_response():
            self._responded(incoming)

    def _acknowledged(self, incoming):
        known = self._settle((incoming.remote, incoming.mid), RESET if incoming.mtype is RST else ACKNOWLEDGED)
        if incoming.mtype is RST:
            if not known and self.on_reset:
                self.on_reset(incoming.mid)
        elif incoming.code.is_response():
            self._deliver(incoming)

    def _requested(self, incoming):
        key = (incoming.remote, incoming.mid)
        if self._is_duplicate(key, incoming):
            return
        if incoming.mtype is CON:
            loop = asyncio.get_running_loop()
            self._unanswered[key] = loop.call_later(ACK_DELAY_S, self._acknowledge_late, key)
        refusal = refusal_of(incoming)
        if refusal == 402 and incoming.mtype is not CON:
            self._empty(RST, incoming.mid, incoming.remote)
            return
        if refusal:
            self.respond(incoming, message(coap_code(refusal)))
            return
        incoming = self._assembled(incoming)
        if incoming is None:
            return
        if self._continue_download(incoming) or self.on_request is None:
            return
        self.on_request(incoming)

    def _acknowledge_late(self, key):
        if self._unanswered.pop(key, None) is not None:
            self._reply_empty(ACK, key)

    def _reply_empty(self, kind, key):
        """Acknowledge or reset, and the same again should the message come again."""
        reply = message(EMPTY)
        reply.mtype, reply.mid = kind, key[1]
        self._seen[key] = (reply.encode(), self._seen[key][1])
        self._transmit(self._seen[key][0], key[0])

    def _responded(self, incoming):
        key = (incoming.remote, incoming.mid)
        if self._is_duplicate(key, incoming):
            return
        wanted = self._deliver(incoming)
        if incoming.mtype is CON or not wanted:
            self._reply_empty(ACK if wanted else RST, key)

    def _deliver(self, incoming):
        pending = self._pending.pop(incoming.token, None)
        if pending is not None and pending.remote == incoming.remote:
            pending.timer.cancel()
            # a response that overtakes its acknowledgement replaces it (RFC 7252, 5.2.2)
            exchange = self._exchanges.pop(pending.exchange_key, None)
            if exchange is not None and exchange.timer is not None:
                exchange.timer.cancel()
            pending.done(incoming)
            return True
        if pending is not None:
            self._pending[incoming.token] = pending
        return bool(self.on_response is not None and self.on_response(incoming))

    def _is_duplicate(self, key, incoming):
        now = asyncio.get_running_loop().time()
        while self._seen:
            _, born = next(iter(self._seen.values()))
            if now - born < EXCHANGE_LIFETIME_S:
                break
            self._seen.popitem(last=False)
        if key not in self._seen:
            self._seen[key] = (None, now)
            return False
        self.duplicates += 1
        reply = self._seen[key][0]
        if reply is not None and incoming.mtype is CON:
            self._transmit(reply, incoming.remote)
        return True

    # block transfer (RFC 7959), as far as modules need it: large writes in, large answers out

    def _assembled(self, incoming):
        """Collect the blocks of a large request; the whole request once the last block is there, None before."""
        block = incoming.opt.block1
        if block is None:
            return incoming
        key = (incoming.remote, incoming.code, incoming.opt.uri_path, incoming.opt.uri_query)
        if block.block_number == 0:
            self._uploads[key] = b""
        body = self._uploads.get(key)
        if body is None or len(body) != block.start:
            self.respond(incoming, message(REQUEST_ENTITY_INCOMPLETE))
            return None
        self._uploads[key] = body + incoming.payload
        if block.more:
            self.respond(incoming, message(CONTINUE, block1=(block.block_number, True, block.size_exponent)))
            return None
        incoming.payload = self._uploads.pop(key)
        return incoming

    def _first_block(self, request, response):
        block = request.opt.block1
        if block is not None and response.opt.block1 is None:
            response.opt.block1 = (block.block_number, block.more, block.size_exponent)
        return self.blockwise(response, request.remote, request.opt.uri_path, request.opt.block2)

    def blockwise(self, response, remote, path, asked=None):
        """Cut a large payload to its first block and keep the rest for the requests that will follow."""
        exponent = BLOCK_EXPONENT if asked is None else min(asked.size_exponent, BLOCK_EXPONENT)
        size = 1 << (exponent + 4)
        if len(response.payload) <= size or response.opt.block2 is not None:
            return response
        self._downloads[(remote, path)] = (response.payload, response.code, response.opt.content_format)
        response.payload = response.payload[:size]
        response.opt.block2 = (0, True, exponent)
        return response

    def _continue_download(self, incoming):
        block = incoming.opt.block2
        if block is None or not block.block_number:
            return False
        payload, code, content_format = self._downloads.get((incoming.remote, incoming.opt.uri_path), (b"", CHANGED, None))
        part = payload[block.start : block.start + block.size]
        if not part:
            self.respond(incoming, message(REQUEST_ENTITY_INCOMPLETE))
            return True
        more = block.start + len(part) < len(payload)
        response = message(code, part, content_format=content_format)
        response.opt.block2 = (block.block_number, more, block.size_exponent)
        self.respond(incoming, response)
        return True
