"""ME910C1: what the server wrote, and what the module asks before it speaks. Loaded by the first of them.

    #LWM2MMON: UPD,"/3306/0/5850/0"     AT#LWM2MR=0,3306,0,5850,0: not what we know, so a write request for the node
    #LWM2MRING: "NOT"                   AT#SGACT? where the context was not seen yet, then AT#LWM2MACK=1
"""

from lwnode.lwm2m import Path, Request
from lwnode.modem.me910c1 import values
from lwnode.modem.me910c1.urcs import TAKEN, mark_of

_CONTEXT_MS = 30000  # 3.1.4 has no figure; attached already, it is one exchange with the network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def compare(modem: "Any", ids: "tuple[Any, ...]", text: str) -> None:
    """The text of a writable resource that has been read: a value that we do not know becomes a write request."""
    entry = modem._known.get(ids)
    mark = mark_of(text)
    if entry is not None and entry[0] == mark:
        modem._count("echoes")
        return
    if entry is None and mark in (mark_of(""), mark_of("0"), mark_of("0:0")):
        modem._remember_value(ids, text, TAKEN)  # the default of a new instance is nobody's write (3.1.10)
        return
    modem.request(Request("write", Path(*ids), value=values.raw(ids, text)), text)


def answer(modem: "Any", request: "Any", response: "Any", text: str) -> None:
    """See Urcs.answer."""
    ids = request.path.ids
    if response.code < 400:
        modem._remember_value(ids, text, TAKEN)
        return
    # The module has said Changed already: all that is left is to put back what the node holds.
    modem._count("writes_refused")
    if ids in modem._texts:
        modem.at.write("#LWM2MW", 0, *ids, 0, values.quoted(ids, modem._texts[ids]))


def ring(modem: "Any") -> None:
    """3.1.4: the context is active, and the module may use it."""
    modem._count("rings")
    modem._in_session = True
    if not modem._context:
        cid = modem.options["cid"]
        rows = modem.ask(modem.at.read, "#SGACT") or []
        if not [row for row in rows if row[:2] == [str(cid), "1"]]:
            modem.ask(modem.at.write, "#SGACT", cid, 1, timeout_ms=_CONTEXT_MS)
        modem._context = True
    modem.ask(modem.at.write, "#LWM2MACK", 1)
