"""CoapLink without its radio: one socket a node, DTLS-PSK inside it where there is a key. For many nodes in one loop.

    link = LightLink()
    await link.start()
    link.register(Account("127.0.0.1", 5684, "node-1", key), "node-1", 3600, "U", ["/3/0"], done)
"""

from testing.lwm2m.client import CoapLink
from testing.lwm2m.endpoint import Endpoint


class _Tunnel:
    """A transport whose datagrams travel as DTLS records of the socket's own transport."""

    def __init__(self, transport, remote, identity, psk, endpoint, complain):
        from testing.lwm2m.dtls import DtlsClient

        self.transport = transport
        self.dtls = DtlsClient(identity, psk, lambda data: transport.sendto(data, remote),
                               lambda data: Endpoint.datagram_received(endpoint, data, remote), complain)

    def sendto(self, data, remote):
        self.dtls.send(data)

    def get_extra_info(self, name):
        return self.transport.get_extra_info(name)

    def close(self):
        self.dtls.close()
        self.transport.close()


class _Endpoint(Endpoint):
    """An endpoint whose datagrams may come out of a tunnel."""

    def datagram_received(self, data, remote):
        if isinstance(self.transport, _Tunnel):
            self.transport.dtls.received(data)
        else:
            super().datagram_received(data, remote)


class LightLink(CoapLink):
    """See the module. It is its own relay: what is sent goes straight out."""

    def __init__(self, seed=None, trouble=None):
        super().__init__(seed, trouble)
        self.endpoint = _Endpoint(self._asked, self._answered_unasked, self._reset, seed)
        self.relay = self
        self._key = None

    async def towards(self, host, port, identity=None, psk=None):
        """The address to send to: the server's own."""
        if psk is not None and self._key != (identity, psk):
            raw = self.endpoint.transport
            raw = raw.transport if isinstance(raw, _Tunnel) else raw
            self._key = (identity, psk)
            self.endpoint.transport = _Tunnel(raw, (host, port), identity, psk, self.endpoint, self._complain)
        return host, port

    def renew(self, remote):
        """A new registration makes a new association."""
        if isinstance(self.endpoint.transport, _Tunnel):
            self.endpoint.transport.dtls.renew()

    async def close(self):
        for task in list(self._tasks):
            task.cancel()
        self.endpoint.close()
