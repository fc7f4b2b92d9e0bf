"""CoapLink: the LwM2M 1.0 client inside a module, on real CoAP over UDP.

    link = CoapLink()
    await link.start()
    link.on_request = model.server_asks
    link.register(Account("127.0.0.1", 5683), "node-1", 86400, "U", ["/1/0", "/3/0", "/3303/0"], model.registered)
    ...
    await link.close()

The protocol is that of `link`; the messages travel through a `Relay`, which `radio()` and `change_address()` steer, so
an outage here is one on the wire and not in the bookkeeping. One local port serves both roles, as LwM2M wants it: the
server's requests come back to where the registration came from.

`trouble(sentence)` is told what an outcome of None cannot say: an unknown host, a refused key, a missing library.
"""

import asyncio

from aiocoap import DELETE, GET, POST, PUT

from testing.lwm2m.endpoint import EXCHANGE_LIFETIME_S, Endpoint, coap_code, code_number, message
from testing.lwm2m.link import Link, ServerRequest
from testing.lwm2m.names import ACKNOWLEDGED, LINK_FORMAT, key_bytes
from testing.lwm2m.relay import Relay, RelayError

_REMEMBERED_NON = 64


class CoapLink(Link):
    """See the module. All methods but start, close and change_address return at once; call them in the event loop."""

    def __init__(self, seed=None, trouble=None):
        super().__init__()
        self.relay = Relay()
        self.relay.trouble = self._complain
        self.trouble = trouble
        self.endpoint = Endpoint(self._asked, self._answered_unasked, self._reset, seed)
        self.registered = False
        self._location = None
        self._server = None
        self._bootstrap = None
        self._unconfirmed = {}
        self._tasks = set()
        self._life = 0

    async def start(self):
        """Open the local port."""
        await self.endpoint.open()
        return self

    async def close(self):
        """Close all sockets; open exchanges end without a word."""
        for task in list(self._tasks):
            task.cancel()
        self.endpoint.close()
        self.relay.close()

    # registration interface

    def register(self, account, endpoint, lifetime, binding, objects, done):
        self.objects = list(objects)
        query = ("ep=" + endpoint, f"lt={lifetime}", "lwm2m=1.0", "b=" + binding)
        request = message(POST, self._object_links(), uri_path=("rd",), uri_query=query, content_format=LINK_FORMAT)

        def answered(response):
            if response is not None and code_number(response.code) == 201:
                self._location = response.opt.location_path
                self._server = response.remote
                self.observed_paths = {}
                self.registered = True
            self._finish(done, response)

        self._spawn(self._reach(account, request, answered))

    def update(self, done, lifetime=None, binding=None, objects=None):
        if objects is not None:
            self.objects = list(objects)
        if not self._location:
            self._later(done, 404)
            return
        query = []
        if lifetime is not None:
            query.append(f"lt={lifetime}")
        if binding is not None:
            query.append("b=" + binding)
        request = message(POST, uri_path=self._location, uri_query=tuple(query))
        if objects is not None:
            request.payload = self._object_links()
            request.opt.content_format = LINK_FORMAT

        def answered(response):
            if response is not None and code_number(response.code) == 404:
                self._location = None
                self.registered = False
            self._finish(done, response)

        self.endpoint.request(request, self._server, answered)

    def deregister(self, done):
        location, self._location = self._location, None
        self.registered = False
        self.observed_paths = {}
        if not location:
            self._later(done, 404)
            return
        request = message(DELETE, uri_path=location)
        self.endpoint.request(request, self._server, lambda response: self._finish(done, response))

    def bootstrap(self, account, endpoint, on_write, done):
        request = message(POST, uri_path=("bs",), uri_query=("ep=" + endpoint,))

        def answered(response):
            if response is None or code_number(response.code) != 204:
                self._finish(done, response)
                return
            timer = asyncio.get_running_loop().call_later(EXCHANGE_LIFETIME_S, self._bootstrap_over, None)
            self._bootstrap = (response.remote, on_write, done, timer)

        self._spawn(self._reach(account, request, answered))

    # requests of the server

    def _answer(self, entry, code, payload, content_format):
        request, (coap, timer) = entry[0], entry[2]
        timer.cancel()
        response = message(coap_code(code), payload)
        if content_format is not None:  # an object without instances is an empty payload that is TLV all the same
            response.opt.content_format = content_format
        if request.operation == "observe" and code == 205:
            response.opt.observe = self.observed_paths[request.path].sequence
        self.endpoint.respond(coap, response)

    def _notify(self, observation, payload, content_format, confirm, done):
        token, remote, uri_path = observation.token
        notification = message(coap_code(205), payload, content_format=content_format, observe=observation.next_sequence())
        notification.token = token
        notification = self.endpoint.blockwise(notification, remote, uri_path)
        if confirm:
            self.endpoint.confirm(notification, remote, done)
            return
        mid = self.endpoint.send(notification, remote)
        self._unconfirmed[mid] = observation
        while len(self._unconfirmed) > _REMEMBERED_NON:
            del self._unconfirmed[next(iter(self._unconfirmed))]
        self._later(done, ACKNOWLEDGED)

    # switches

    def retransmission(self, ack_timeout_s, max_retransmit, fixed=False):
        super().retransmission(ack_timeout_s, max_retransmit, fixed)
        self.endpoint.ack_timeout_s = ack_timeout_s
        self.endpoint.max_retransmit = max_retransmit
        self.endpoint.fixed_interval = fixed

    def suspend(self):
        super().suspend()
        self.endpoint.suspend()

    def resume(self):
        super().resume()
        self.endpoint.resume()

    def cut(self):
        self.suspend()
        self._abandon()

    def radio(self, up=None, delay_ms=None, loss=None):
        self.relay.radio(up, delay_ms, loss)

    async def change_address(self):
        """Let the server see a new address from now on."""
        await self.relay.change_address()

    def forget(self):
        super().forget()
        self._location = None
        self.registered = False
        self._abandon()

    def _abandon(self):
        """What was on its way concerns nobody any more."""
        self._life += 1
        self._unconfirmed = {}
        for _, _, (_, timer) in self._open.values():
            timer.cancel()
        self._open = {}
        if self._bootstrap is not None:
            self._bootstrap[3].cancel()
            self._bootstrap = None
        self.endpoint.abandon()

    # inside

    async def _reach(self, account, request, answered):
        """Find the way to the account's server, then send; no way is silence with a sentence."""
        life = self._life
        try:
            psk = None if account.psk is None else key_bytes(account.psk)
            remote = await self.relay.towards(account.host, account.port, account.psk_identity, psk)
            self.relay.renew(remote)
        except (RelayError, ImportError, ValueError) as error:
            self._complain(str(error))
            if life == self._life:
                answered(None)
            return
        if life == self._life:
            self.endpoint.request(request, remote, answered)

    def _object_links(self):
        """The object list of a registration; the root says that this is LwM2M (TS 1.0.2, 5.3.1)."""
        return ",".join(['</>;rt="oma.lwm2m"'] + [f"<{each}>" for each in self.objects]).encode()

    def _asked(self, coap):
        if self._bootstrap is not None and coap.remote == self._bootstrap[0]:
            self._bootstrapped(coap)
            return
        path = _path_of(coap.opt.uri_path)
        request = None if path is None or not 1 <= len(path) <= 3 else self._classified(coap, path)
        if request is None:
            self.endpoint.respond(coap, message(coap_code(404 if path is None else 405)))
            return
        timer = asyncio.get_running_loop().call_later(EXCHANGE_LIFETIME_S, self._open.pop, request.mid, None)
        self._open[request.mid] = (request, (coap.token, coap.remote, coap.opt.uri_path), (coap, timer))
        self.hand_over(request)

    def _classified(self, coap, path):
        """Which LwM2M operation a CoAP request is (TS 1.0.2, table 8.2.5-1)."""
        options = coap.opt
        accept = None if options.accept is None else int(options.accept)
        content_format = None if options.content_format is None else int(options.content_format)
        more = {"accept": accept, "content_format": content_format, "query": options.uri_query, "mid": coap.mid}
        if coap.code is GET:
            operation = {0: "observe", 1: "cancel"}.get(options.observe, "read")
            if operation == "read" and accept == LINK_FORMAT:
                operation = "discover"
        elif coap.code is PUT:
            attributes = options.uri_query and not coap.payload and content_format is None
            operation = "write_attributes" if attributes else "write"
        elif coap.code is POST:
            operation = {1: "create", 2: "write", 3: "execute"}[len(path)]
            more["replace"] = False
        elif coap.code is DELETE:
            operation = "delete"
        else:
            return None
        return ServerRequest(operation, path, coap.payload, **more)

    def _bootstrapped(self, coap):
        """Bootstrap interface (TS 1.0.2, 5.2): writes and deletes of any path, then POST /bs."""
        _, on_write, _, _ = self._bootstrap
        if coap.opt.uri_path == ("bs",) and coap.code is POST:
            self.endpoint.respond(coap, message(coap_code(204)))
            self._bootstrap_over(204)
            return
        path = _path_of([part for part in coap.opt.uri_path if part])
        if path is None or coap.code not in (PUT, DELETE):
            self.endpoint.respond(coap, message(coap_code(405)))
            return
        operation = "write" if coap.code is PUT else "delete"
        content_format = None if coap.opt.content_format is None else int(coap.opt.content_format)
        code = on_write(ServerRequest(operation, path, coap.payload, content_format, mid=coap.mid))
        self.endpoint.respond(coap, message(coap_code(code or (204 if operation == "write" else 202))))

    def _bootstrap_over(self, code):
        _, _, done, timer = self._bootstrap
        self._bootstrap = None
        timer.cancel()
        self._later(done, code)

    def _answered_unasked(self, response):
        return False

    def _reset(self, mid):
        observation = self._unconfirmed.pop(mid, None)
        if observation is not None:
            self.cancelled_by_reset(observation)

    def _finish(self, done, response):
        done(None if response is None else code_number(response.code))

    def _later(self, done, outcome):
        life = self._life
        asyncio.get_running_loop().call_soon(lambda: done(outcome) if life == self._life else None)

    def _spawn(self, coroutine):
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _complain(self, sentence):
        if self.trouble:
            self.trouble(sentence)


def _path_of(segments):
    """("3303", "0") -> (3303, 0); None for what is no number of 0 to 65535 as it is written: "+3", "03", "-1", "70000"."""
    if not all([part.isascii() and part.isdigit() and str(int(part)) == part and int(part) < 65536 for part in segments]):
        return None
    return tuple([int(part) for part in segments])
