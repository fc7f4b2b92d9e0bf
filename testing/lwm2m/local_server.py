"""An LwM2M server in virtual time, for tests and simulations: LocalServer, the peer of LocalLink.

    server = LocalServer(clock)
    link = LocalLink(clock, server)
    ...                                           # the node registers through its module model
    answer = server.read("node-1", "/3303/0/5700")
    clock.advance(1000)
    answer.code, answer.values                    # 205, [Reading((3303, 0, 5700), FLOAT, 21.5, None)]
    server.deliveries                             # [((3303, 0, 5700), FLOAT, 21.5, 1767225600), ...]

What it plays: what ServerCore does, and retransmission of its own requests, PSK identities, bootstrap, `restart()`.
"""

from testing.lwm2m.names import LINK_FORMAT, OCTET_STREAM, TLV, key_bytes
from testing.lwm2m.server_core import Delivery, Exchange, ServerCore

__all__ = ["Delivery", "Exchange", "LocalServer"]


class LocalServer(ServerCore):
    """The server. `keys` maps PSK identities to keys (bytes or hex): with it, only matching accounts are let in.

    bootstrap      list of ("write", path, content_format, payload) and ("delete", path), sent to who asks
    """

    def __init__(self, clock, keys=None, auto_observe=()):
        super().__init__(clock, auto_observe)
        self.keys = keys
        self.up = True
        self.bootstrap = []
        self.duplicates = 0

    def accepts_key(self, account):
        """The DTLS handshake, so to say: does the account's key match ours?"""
        if self.keys is None:
            return account.psk is None
        return account.psk is not None and same_key(self.keys.get(account.psk_identity), account.psk)

    # operations, called by a test: each returns an Exchange that is filled in later

    def read(self, endpoint, path, accept=None, on_done=None):
        """GET."""
        return self.ask(endpoint, "read", path, accept=accept, on_done=on_done)

    def write(self, endpoint, path, payload, content_format=OCTET_STREAM, replace=True, on_done=None):
        """PUT (`replace`) or POST; `payload` as it travels, see `codec.encode`."""
        return self.ask(endpoint, "write", path, payload, content_format, replace=replace, on_done=on_done)

    def execute(self, endpoint, path, arguments=b"", on_done=None):
        """POST on a resource."""
        return self.ask(endpoint, "execute", path, arguments, on_done=on_done)

    def observe(self, endpoint, path, accept=None, on_done=None):
        """GET with Observe 0; the observation counts from the 205 on."""
        return self.ask(endpoint, "observe", path, accept=accept, on_done=on_done)

    def cancel(self, endpoint, path, active=True, on_done=None):
        """GET with Observe 1, or (active=False) forget it and answer the next notification with reset."""
        if active:
            return self.ask(endpoint, "cancel", path, on_done=on_done)
        self.unobserve(endpoint, path)
        exchange = Exchange("cancel", path, on_done)
        exchange.finish(205)
        return exchange

    def discover(self, endpoint, path, on_done=None):
        """GET with Accept 40; the links are in `payload`."""
        return self.ask(endpoint, "discover", path, accept=LINK_FORMAT, on_done=on_done)

    def write_attributes(self, endpoint, path, query, on_done=None):
        """PUT with a query only: ("pmin=5", "gt=25")."""
        return self.ask(endpoint, "write_attributes", path, query=query, on_done=on_done)

    def create(self, endpoint, path, payload, content_format=TLV, on_done=None):
        """POST on an object."""
        return self.ask(endpoint, "create", path, payload, content_format, on_done=on_done)

    def delete(self, endpoint, path, on_done=None):
        """DELETE on an instance."""
        return self.ask(endpoint, "delete", path, on_done=on_done)

    def restart(self):
        """As a server that restarts."""
        self.forget()
        self.event("", "restarted")


def same_key(ours, theirs):
    """Compare two keys, each bytes or a hex string; None matches nothing."""
    if ours is None or theirs is None:
        return False
    return key_bytes(ours) == key_bytes(theirs)
