"""AT commands to LwM2M operations: one interface over four module families.

    from lwnode.at import AtClient
    from lwnode.modem import Server, open_modem

    modem = open_modem("bc66", AtClient(uart, time), pins=board.pins, apn="iot.1nce.net")
    modem.start()
    restart = modem.configure(Server("192.0.2.7", 5683, "urn:imei:867997030052996", lifetime=86400))
    if modem.declare(tree.objects()) or restart:
        modem.restart()
    if modem.attach(180000) and modem.register(60000):
        modem.publish([(Path(3303, 0, 5700), FLOAT, "21.5", None)])
        modem.service(70000)
    modem.sleep()

A method that returns a bool says False for an outcome that network, server or module refused (`refusal` says why); AtError
leaves a method only where the module broke the dialogue itself, and BudgetExceeded always passes. What a contract cannot
carry raises Unsupported: it says what to use instead.
"""

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.modem.driver import Modem

# What Modem.status() returns. The numbers are ours, not a module's.
NOT_REGISTERED = const(0)
REGISTERING = const(1)
REGISTERED = const(2)
DEREGISTERING = const(3)
RECOVERING = const(4)
NEED_RECOVER = const(5)
UNKNOWN = const(6)
DEREGISTERED = const(7)

FAMILIES = ("bc20", "bc66", "bg96", "me910c1")


class Unsupported(Exception):
    """The contract of this module cannot do it; the text says what to use instead."""


class Server:
    """An LwM2M server account, or a bootstrap server's with bootstrap=True.

    host: name or address (IPv6 without brackets). port: 0 to 65535. endpoint: the client's name. lifetime: seconds.
    binding: "U" or "UQ". security: "none" or "psk", with psk_identity (text) and psk (hexadecimal digits, an even number).
    Ranges are checked by lwnode.config. The key never appears in a text.
    """

    def __init__(
        self, host: str, port: int = 5683, endpoint: str = "", lifetime: int = 86400, binding: str = "U",
        security: str = "none", psk_identity: "str | None" = None, psk: "str | None" = None, bootstrap: bool = False,
    ) -> None:
        self.host = host
        self.port = port
        self.endpoint = endpoint
        self.lifetime = lifetime
        self.binding = binding
        self.security = security
        self.psk_identity = psk_identity if security == "psk" else None
        self.psk = psk if security == "psk" else None
        self.bootstrap = bootstrap

    def uri(self) -> str:
        """coap://host:port, or coaps where a key is used; an IPv6 address in brackets (RFC 3986 3.2.2)."""
        host = "[%s]" % self.host if ":" in self.host and self.host[0] != "[" else self.host
        return "%s://%s:%d" % ("coap" if self.psk is None else "coaps", host, self.port)


def open_modem(family: str, at: "Any", pins: "Any" = None, **options: "Any") -> "Modem":
    """The driver of one family over an AtClient: "bc20", "bc66", "bg96" or "me910c1". The other three cost no heap.

    pins: the board's pins protocol, or None where the module is wired by UART alone.
    options: apn, pin (SIM PIN), store (load/save), awake_budget_ms, the family's own; an unknown one is refused.
    """
    name = family.lower()
    if name not in FAMILIES:
        raise ValueError("family: expected one of %s, found %s" % (" ".join(FAMILIES), family))
    driver: "type[Modem]" = __import__("lwnode.modem." + name, None, None, ("Driver",)).Driver
    at.rx_size = max(at.rx_size, driver.LINE_LIMIT)
    at.queue_size = max(at.queue_size, driver.LINE_LIMIT + 512)
    return driver(at, pins, **options)
