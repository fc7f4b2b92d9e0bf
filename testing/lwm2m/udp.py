"""A UDP socket under asyncio as two functions: `received(data, address)` for what comes, `transport.sendto` for what goes."""

import asyncio


class UdpSocket(asyncio.DatagramProtocol):
    """See the module."""

    def __init__(self, received):
        self.received = received
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.received(data, addr)

    def error_received(self, exc):
        """A closed port is silence, as it is over the air."""

    @property
    def address(self):
        """(host, port) of this end."""
        return self.transport.get_extra_info("sockname")[:2]
