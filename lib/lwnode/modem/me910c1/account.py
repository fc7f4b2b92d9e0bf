"""ME910C1: whether the account in the module is ours. Neither AT#LWM2MSTS nor AT#LWM2MINJKEYS can be read back (3.1.8,
3.1.14), so what was written is remembered as a checksum in the store, once the restart that makes it hold is over.

    LWM2M-TLT:"BOOTSTRAPPING",SSID=0,"coaps://bs-engr.telit.io:5684"     and no bootstrap server was configured: 3/0/5
    AT#LWM2MSTS=0,999,"coap://192.0.2.7:5683",0                          ours again, and a restart
"""

from lwnode.modem import NOT_REGISTERED, REGISTERING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MARK = "me910c1-account"
_BOOTSTRAP = 2  # this bit of the checksum: the account names a bootstrap server


def marked(modem: "Any") -> int:
    """Checksum of the account that the store says is in the module; 0 for none."""
    store = modem.options["store"]
    try:
        return int(store.load(_MARK) or b"0", 16) if store is not None else 0
    except ValueError:
        return 0


def mark_as(modem: "Any", mark: int) -> None:
    """Remember it."""
    store = modem.options["store"]
    if store is not None:
        store.save(_MARK, b"%08x" % mark if mark else b"")


def holds(modem: "Any") -> None:
    """The module has restarted since the account was written."""
    modem._configured, modem._account_due = modem._account_due, 0
    mark_as(modem, modem._configured)


def on_bootstrapping(modem: "Any") -> None:
    """With an account that needs no bootstrap it is the maker's server that is asked: a factory reset has taken ours."""
    mark = modem._configured or marked(modem)
    if mark and not mark & _BOOTSTRAP:
        modem._session_lost(NOT_REGISTERED, "the module bootstraps")
        modem._factory_reset("the module asks its maker's bootstrap server")
    elif not modem._factory:
        modem._status = REGISTERING
        modem._emit("bootstrapping")


def write_again(modem: "Any") -> bool:
    """Our account after a factory reset, and the restart that makes it hold. False where only configure() knows it."""
    if modem.server is None:
        # The node's wake was a warm one. Until its next, cold one the agent is off: its maker's server is no business of ours.
        modem._factory = 2
        modem.ask(modem.at.write, "#LWM2MENA", 0)
        return False
    modem.configure(modem.server)
    if modem.objects:
        modem.declare(modem.objects)
    return bool(modem.restart() and modem.status() is not None)
