"""A server's account, and the names of a session's states for people. Loaded when a node configures or reports.

    Server("192.0.2.7", 5683, "urn:imei:867997030052996", lifetime=86400)
"""

# By the numbers of lwnode.modem.
STATUS_NAMES = (
    "not registered", "registering", "registered", "deregistering", "recovering", "need recover", "unknown",
    "deregistered",
)


class Server:
    """An LwM2M server account, or a bootstrap server's with bootstrap=True.

    host: name or IPv4 address. port: 0 to 65535. endpoint: the client's name. lifetime: seconds. binding: "U" or "UQ".
    security: "none" or "psk", with psk_identity (text) and psk (hexadecimal digits, an even number of them).
    Raises ValueError that names the field, what was expected and what was found. The key never appears in a text.
    """

    def __init__(
        self,
        host: str,
        port: int = 5683,
        endpoint: str = "",
        lifetime: int = 86400,
        binding: str = "U",
        security: str = "none",
        psk_identity: "str | None" = None,
        psk: "str | None" = None,
        bootstrap: bool = False,
    ) -> None:
        if not host:
            raise ValueError("server host: expected a name or an address, found nothing")
        if not 0 <= port <= 65535:
            raise ValueError("server port: expected 0 to 65535, found %d" % port)
        if binding not in ("U", "UQ"):
            raise ValueError(f"server binding: expected U or UQ, found {binding}")
        if security not in ("none", "psk"):
            raise ValueError(f"server security: expected none or psk, found {security}")
        if security == "psk" and not (psk_identity and psk):
            raise ValueError("server security psk: expected psk_identity and psk, found one of them missing")
        self.host = host
        self.port = port
        self.endpoint = endpoint
        self.lifetime = lifetime
        self.binding = binding
        self.security = security
        self.psk_identity = psk_identity if security == "psk" else None
        self.psk = psk if security == "psk" else None
        self.bootstrap = bootstrap

    def __repr__(self) -> str:
        return "Server(%s:%d, %s, lifetime=%d, binding=%s, security=%s, bootstrap=%s)" % (
            self.host, self.port, self.endpoint, self.lifetime, self.binding, self.security, self.bootstrap)
