"""Leshan's bootstrap server with one account.

    server = LeshanBootstrap(distribution, folder)
    await server.start(["node-1"], "coap://127.0.0.1:5683", 300, "U")    # server.uri is what the nodes are configured with
    await server.finished("node-1")
    await server.stop()
"""

import asyncio
import socket

from tools.interop.answers import quoted
from tools.interop.process import START_S, LeshanError, Program, free_ports
from tools.interop.rest import Rest


class LeshanBootstrap:
    """Leshan's bootstrap server: the demo of the wanted milestone, or BootstrapServer.java on the fallback's library."""

    def __init__(self, distribution, folder):
        self.distribution = distribution
        self.coap_port, self.coaps_port = free_ports(2)
        (self.web_port,) = free_ports(1, socket.SOCK_STREAM)
        self.program = Program(folder, "bootstrap")

    @property
    def uri(self):
        """The bootstrap server's address."""
        return f"coap://127.0.0.1:{self.coap_port}"

    async def start(self, endpoints, server_uri, lifetime=300, binding="U"):
        """Start it with one account for all of `endpoints`."""
        host = "127.0.0.1"
        if self.distribution.kind != "demo":
            options = [host, self.coap_port, self.coaps_port, server_uri, lifetime, binding]
            await self.program.launch([*self.distribution.bootstrap, *[str(each) for each in options]])
            await self.said("event ready")
            return
        options = ["-lh", host, "-lp", self.coap_port, "-slh", host, "-slp", self.coaps_port, "-wh", host, "-wp", self.web_port]
        await self.program.launch([*self.distribution.bootstrap, *[str(each) for each in options], "-no"])
        config = {
            "servers": {
                "0": {"shortId": 123, "lifetime": lifetime, "binding": binding, "defaultMinPeriod": 1, "notifIfDisabled": True}
            },
            "security": {
                "1": {"bootstrapServer": False, "uri": server_uri, "securityMode": "NO_SEC", "serverId": 123,
                      "publicKeyOrId": [], "secretKey": []}
            },
            "toDelete": ["/0/1", "/1"],
        }
        rest = Rest(f"http://{host}:{self.web_port}", True)
        for endpoint in endpoints:
            await self.program.answers(rest, "POST", f"/bootstrap/{quoted(endpoint)}", config)

    async def stop(self):
        """Stop it."""
        await self.program.halt()

    async def finished(self, endpoint, timeout=60):
        """Wait for the end of a session (fallback only: the demo's events are not read here)."""
        if self.distribution.kind != "demo":
            await self.said(f"event end {endpoint}", timeout)

    async def said(self, line, timeout=START_S):
        """Wait for a line of its output."""
        deadline = asyncio.get_running_loop().time() + timeout
        while line not in self.program.log.read_text(errors="replace"):
            self.program.died()
            if asyncio.get_running_loop().time() > deadline:
                tail = self.program.log.read_text(errors="replace")[-600:]
                raise LeshanError(f"the bootstrap server did not say {line!r} within {timeout} s: {tail}")
            await asyncio.sleep(0.1)
