"""The radio between a module and the world: a UDP relay that plays outage, delay, loss and change of address.

    relay = Relay()
    near = await relay.towards("127.0.0.1", 5683)      # send to `near` what is meant for the server
    relay.radio(up=False)                              # outage: datagrams of both directions vanish
    relay.radio(up=True, delay_ms=300, loss=10)        # back, with 300 ms each way and a tenth lost
    await relay.change_address()                       # the server sees a new port, as after a NAT timeout

Towards the server there is one socket per leg, as a NAT has; with `psk_identity` and `psk` it speaks DTLS 1.2 with
PSK (extra `dtls`), so that a client without DTLS can live behind it. `trouble(sentence)` is told what went wrong.

Bounds: a datagram is delayed on its own, so delays may reorder; losses come from a seeded generator and repeat.
"""

import asyncio
import random

from testing.lwm2m.link import Air
from testing.lwm2m.udp import UdpSocket


class RelayError(OSError):
    """The relay cannot reach the other end; the message says where and why."""


class Relay(Air):
    """See the module. `trace(direction, bytes)` sees what passes the radio, "up" towards the server or "down"."""

    def __init__(self, seed=1):
        self.trace = None
        self.trouble = None
        self.passed = 0
        self.dropped = 0
        self._random = random.Random(seed)
        self._legs = {}

    async def towards(self, host, port, psk_identity=None, psk=None):
        """The address to send to for this server; made on first use. RelayError when the host has no address."""
        key = (host, port, psk_identity, None if psk is None else bytes(psk))
        if key not in self._legs:
            self._legs[key] = await _Leg(self, host, port, psk_identity, psk).open()
        return self._legs[key].near

    def renew(self, near):
        """Start a new DTLS association with the next datagram of this leg; nothing to do without DTLS."""
        for leg in self._legs.values():
            if leg.near == near and leg.dtls is not None:
                leg.dtls.renew()

    async def change_address(self):
        """Give every leg a new port towards its server."""
        for leg in self._legs.values():
            await leg.rebind()

    def close(self):
        """Close every socket."""
        for leg in self._legs.values():
            leg.close()
        self._legs = {}

    def carry(self, direction, data, deliver):
        """Let one datagram try its luck: deliver(data) now, later or never."""
        if not self.up or (self.loss and self._random.randrange(100) < self.loss):
            self.dropped += 1
            return
        if self.delay_ms:
            asyncio.get_running_loop().call_later(self.delay_ms / 1000, self._arrive, direction, data, deliver)
        else:
            self._arrive(direction, data, deliver)

    def _arrive(self, direction, data, deliver):
        if not self.up:  # an outage takes what is in flight
            self.dropped += 1
            return
        self.passed += 1
        if self.trace:
            self.trace(direction, data)
        deliver(data)

    def complain(self, sentence):
        """Report trouble to whom it concerns."""
        if self.trouble:
            self.trouble(sentence)


class _Leg:
    """The way to one server: a socket for the client, a socket (or a DTLS association) towards the server."""

    def __init__(self, relay, host, port, psk_identity, psk):
        self.relay = relay
        self.host = host
        self.port = port
        self.psk_identity = psk_identity
        self.psk = psk
        self.client = None
        self.inner = None
        self.outer = None
        self.near = None
        self.dtls = None

    async def open(self):
        loop = asyncio.get_running_loop()
        _, self.inner = await loop.create_datagram_endpoint(lambda: UdpSocket(self._from_client), local_addr=("127.0.0.1", 0))
        self.near = self.inner.address
        if self.psk is not None:
            from testing.lwm2m.dtls import DtlsClient

            self.dtls = DtlsClient(self.psk_identity, self.psk, self._to_server, self._to_client, self.relay.complain)
        await self.rebind()
        return self

    async def rebind(self):
        loop = asyncio.get_running_loop()
        old = self.outer
        try:
            _, self.outer = await loop.create_datagram_endpoint(lambda: UdpSocket(self._from_server),
                                                                remote_addr=(self.host, self.port))
        except OSError as error:
            self.inner.transport.close()
            raise RelayError(f"no way to {self.host}:{self.port} ({error.strerror or error})") from error
        if old is not None:
            old.transport.close()

    def close(self):
        for each in (self.inner, self.outer):
            if each is not None:
                each.transport.close()
        if self.dtls is not None:
            self.dtls.close()

    def _from_client(self, data, addr):
        self.client = addr
        if self.dtls is not None:
            self.dtls.send(data)
        else:
            self._to_server(data)

    def _to_server(self, data):
        self.relay.carry("up", data, lambda each: self.outer.transport.sendto(each))

    def _from_server(self, data, addr):
        self.relay.carry("down", data, self.dtls.received if self.dtls is not None else self._to_client)

    def _to_client(self, data):
        if self.client is not None and not self.inner.transport.is_closing():
            self.inner.transport.sendto(data, self.client)
