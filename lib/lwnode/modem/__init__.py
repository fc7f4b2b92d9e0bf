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

`open_modem` loads the one family asked for; the other three cost no heap. A method that returns a bool says False for
an outcome that network, server or module refused; AtError leaves a method only where the module broke the dialogue
itself, and BudgetExceeded always passes. What a contract cannot carry raises Unsupported: it says what to use instead.
"""

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.modem.account import STATUS_NAMES as STATUS_NAMES, Server as Server
    from lwnode.modem.base import Modem

# What Modem.status() returns. The numbers are ours, not a module's.
NOT_REGISTERED = const(0)
REGISTERING = const(1)
REGISTERED = const(2)
DEREGISTERING = const(3)
RECOVERING = const(4)
NEED_RECOVER = const(5)
UNKNOWN = const(6)
DEREGISTERED = const(7)

# The families, and what lies between the common base and each.
_FAMILIES: "dict[str, tuple[str, ...]]" = {"bc20": ("quectel",), "bc66": ("quectel",), "bg96": (), "me910c1": ()}


class Unsupported(Exception):
    """The contract of this module cannot do it; the text says what to use instead."""


def open_modem(family: str, at: "Any", pins: "Any" = None, **options: "Any") -> "Modem":
    """The driver of one family over an AtClient: "bc20", "bc66", "bg96" or "me910c1".

    pins: the board's pins protocol, or None where the module is wired by UART alone.
    options: apn, pin (SIM PIN), store (load/save), awake_budget_ms, the family's own; an unknown one is refused.
    """
    name = family.lower()
    if name not in _FAMILIES:
        raise ValueError("family: expected one of {}, found {}".format(" ".join(sorted(_FAMILIES)), family))
    # From the bottom up: each import within an import costs 600 bytes of an RP2's stack.
    for part in ("verbs", "network", "base", "life") + _FAMILIES[name] + (name,):
        room: "Any" = __import__("lwnode.modem." + part, None, None, ("Driver",))
    driver: type[Modem] = room.Driver
    at.rx_size = max(at.rx_size, driver.LINE_LIMIT)
    at.queue_size = max(at.queue_size, driver.LINE_LIMIT + 512)
    return driver(at, pins, **options)


def __getattr__(name: str) -> "Any":
    """Server and STATUS_NAMES are loaded by who uses them: a wake with a kept session does not."""
    if name in ("Server", "STATUS_NAMES"):
        return getattr(__import__("lwnode.modem.account", None, None, (name,)), name)
    if name[0] != "_":
        try:  # MicroPython asks here for submodules too: from lwnode.modem import cellular
            return __import__(__name__ + "." + name, None, None, (name,))
        except ImportError:
            pass
    raise AttributeError("lwnode.modem has no {}".format(name))
