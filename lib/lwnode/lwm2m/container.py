"""Object 19: readings outwards on 19/0/0, commands inwards on 19/1/0, as one opaque payload each.

    payload, used = tree.pack(records, 512)          # for 19/0/0, as many readings as fit
    tree.handle(Request("write", Path(19, 1, 0), value=payload))

The codec is "senml" (CBOR, RFC 8428), "tlv" (tlvpack.py), or an object of your own with pack(records, limit) ->
(bytes, count) and unpack(bytes) -> [(Path, type, text or bytes or None, when)]. Commands: commands.py.
"""

from .model import OPAQUE, Path, Reject, Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Sequence

    from .model import Record
    from .tree import ObjectTree

EMPTY = b"\x80"  # a SenML pack without records: what 19/0/0 reads as


def pack(codec: "Any", records: "Sequence[Record]", limit: int) -> "tuple[bytes, int]":
    """(payload of at most limit bytes, count of records in it, from the first on)."""
    if codec == "tlv":
        from .tlvpack import pack_tlv

        return pack_tlv(records, limit)
    if codec in (None, "senml"):
        from .senml import pack_senml

        return pack_senml(records, limit)
    payload, used = codec.pack(records, limit)
    return payload, used


def serve(tree: "ObjectTree", request: Request) -> Response:
    """A request on object 19: observe and read 19/0/0, write commands to 19/1/0."""
    path = request.path
    uplink, downlink = Path(19, 0, 0), Path(19, 1, 0)
    if request.operation in ("read", "observe", "cancel"):
        if not path.contains(uplink):
            raise Reject(405 if path == downlink else 404, "19/0/0 can be observed")
        if request.operation == "observe":
            tree.observe(path)
        elif request.operation == "cancel":
            tree.cancel(path)
        return Response(205, [(uplink, OPAQUE, EMPTY)])
    if request.operation != "write" or not path.contains(downlink):
        raise Reject(405, "commands are written to 19/1/0")
    from .commands import carry_out

    return Response(carry_out(tree, bytes(request.value)))
