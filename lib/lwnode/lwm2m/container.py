"""Object 19: readings outwards on 19/0/0, commands inwards on 19/1/0, as one opaque payload each.

    payload, used = tree.pack(records, 512)          # for 19/0/0, as many readings as fit
    tree.handle(Request("write", Path(19, 1, 0), value=payload))

The payload is SenML CBOR (RFC 8428). Commands: commands.py.
"""

from .model import OPAQUE, Path, Reject, Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .tree import ObjectTree

EMPTY = b"\x80"  # a SenML pack without records: what 19/0/0 reads as


def serve(tree: "ObjectTree", _row: None, request: Request) -> Response:
    """Observe, read and cancel on 19/0/0; commands on 19/1/0 are taken by requests.py before."""
    path = request.path
    uplink = Path(19, 0, 0)
    if request.operation not in ("read", "observe", "cancel"):
        raise Reject(405, "commands are written to 19/1/0")
    if not path.contains(uplink):
        raise Reject(405 if path == Path(19, 1, 0) else 404, "19/0/0 can be observed")
    if request.operation == "observe":
        tree.observe(path)
    elif request.operation == "cancel":
        tree.cancel(path)
    return Response(205, [(uplink, OPAQUE, EMPTY)])
