"""BC66: effects that most wakes do not see, and the work that they leave for service(). Loaded with the first of them."""

from micropython import const

from lwnode.modem import NOT_REGISTERED, REGISTERING, UNKNOWN
from lwnode.modem.bc66.codes import status_name
from lwnode.modem.network import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.modem.bc66.urcs import Urcs

_DRAIN_LIMIT = const(64)  # requests answered in one go; a module that never says 0 left ends the loop


def on_bootstrapped(modem: "Urcs") -> None:
    modem._status = REGISTERING
    modem._emit("bootstrapped")


def on_disable(modem: "Urcs", seconds: int) -> None:
    modem._status = NOT_REGISTERED
    modem._emit("disabled", seconds)


def on_factory_reset(modem: "Urcs", status: int) -> None:
    """Deregistered by now. In direct mode the module resets itself; in buffer mode we must (notes 1 and 2)."""
    modem._factory = True
    modem._doubt()
    modem.observed = []
    modem._forget_session("factory reset")
    modem._emit("factory_reset", status_name(status))


def on_bootstrap_trigger(modem: "Urcs", status: int) -> None:
    modem._bootstrapping = status == 0
    modem._status = REGISTERING if status == 0 else UNKNOWN
    modem._emit("bootstrapping", status_name(status))


def drain(modem: "Urcs") -> None:
    """4.2.13: each QLWRD brings one cached URC and the number of those left."""
    for _ in range(_DRAIN_LIMIT):
        rows: list[list[Any]] = modem.at.run("+QLWRD")
        if not rows or len(rows[-1]) < 2:
            return
        modem._on_urc("", (str(rows[-1][1]), rows[-1][2:]))
        if rows[-1][0] == "0":
            return


def buffered_requests(modem: "Urcs") -> int:
    """How many requests wait in the module (buffer mode); what a lost "buffer" URC would have announced."""
    rows = modem.at.read("+QLWRD")
    count = number(rows[-1], 0, 0, 65535) or 0 if rows else 0
    modem._buffered = count > 0
    return count


def after_factory_reset(modem: "Urcs") -> None:
    """4.3.16: nothing that was declared is left. Accounts come from the bootstrap server, objects from us."""
    # After its reset the module goes to the bootstrap server by itself: bs_finished, then +QLWREG.
    modem._bootstrapping = modem.server is not None and modem.server.bootstrap
    if modem.options["buffered"]:
        modem.restart()
    else:
        modem._restart_expected = True
        try:
            modem.at.poll(modem.options["boot_ms"])
            modem._begin()
        finally:
            modem._restart_expected = False
    if modem.objects:
        modem.declare(modem.objects)
