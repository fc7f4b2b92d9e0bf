"""Object 19: readings outwards on 19/0/0, commands inwards on 19/1/0, as one opaque payload each.

    payload, used = tree.pack(records, 512)          # for 19/0/0, as many readings as fit
    tree.handle(Request("write", Path(19, 1, 0), value=payload))

A command pack holds SenML records: one with a value writes it (or executes, where the resource is executable), one
without asks for the present value, which goes out with the next report; a name with a query sets reporting rules:

    [{0: "/3306/0/5850", 4: true}, {0: "/3303/0/5601"}, {0: "/3303/0/5700?pmin=60&gt=30"}]

The codec is "senml" (CBOR, RFC 8428), "tlv", or an object of your own with pack(records, limit) -> (bytes, count)
and unpack(bytes) -> [(Path, type, text or bytes or None, when)]. "tlv" is a sequence of: object id (2 bytes), object
instance TLV; the time of a reading goes as resource 5518 beside it. Bounds: 32 commands in a pack.
"""

from micropython import const

from . import senml, tlv
from .decode import signed
from .model import NONE, OPAQUE, TIME, Path, Reject, Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Sequence

    from .model import Record
    from .tree import ObjectTree

_COMMANDS = const(32)
_TIMESTAMP = const(5518)
EMPTY = b"\x80"  # a SenML pack without records: what 19/0/0 reads as


def pack(codec: "Any", records: "Sequence[Record]", limit: int) -> "tuple[bytes, int]":
    """(payload of at most limit bytes, count of records in it, from the first on)."""
    if codec == "tlv":
        return pack_tlv(records, limit)
    if codec in (None, "senml"):
        return senml.pack_senml(records, limit)
    payload, used = codec.pack(records, limit)
    return payload, used


def pack_tlv(records: "Sequence[Record]", limit: int) -> "tuple[bytes, int]":
    """Each reading as object id and object instance TLV, with its time as 5518."""
    out, count = b"", 0
    for path, type, value, when in records:
        values = [(path, type, value)]
        if when is not None:
            values.append((Path(path.object, path.instance, _TIMESTAMP), TIME, str(when)))
        part = bytes([path.object >> 8, path.object & 255]) + tlv.encode_tlv(values, Path(path.object))
        if len(out) + len(part) > limit:
            break
        out += part
        count += 1
    return out, count


def unpack_tlv(data: bytes) -> "list[Record]":
    """The inverse of pack_tlv; ValueError where the bytes are none."""
    out: "list[Record]" = []
    at = 0
    while at < len(data):
        body, end = tlv.first(data, at + 2)
        values = tlv.decode_tlv(body, Path(data[at] << 8 | data[at + 1]))
        times = [value[2] for value in values if value[0].resource == _TIMESTAMP]
        when = _seconds(times[0]) if times else None
        out += [(path, type, value, when) for path, type, value in values if path.resource != _TIMESTAMP]
        at = end
    return out


def _seconds(value: "str | bytes") -> int:
    # Objects that have no 5518 of their own leave its type open.
    return int(value) if isinstance(value, str) else signed(value)


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
    return Response(commands(tree, bytes(request.value)))


def commands(tree: "ObjectTree", payload: bytes) -> int:
    """Carry out a pack of commands, each by itself; 204, or the first code that was none. Reject if unreadable."""
    try:
        found = _commands(tree.container, payload)
    except (ValueError, IndexError) as error:
        raise Reject(400, "commands: {}".format(error))
    if len(found) > _COMMANDS:
        raise Reject(400, "{} commands in one pack; {} are taken".format(len(found), _COMMANDS))
    worst = 204
    for name, type, value in found:
        code = _command(tree, name, type, value)
        if code != 204 and worst == 204:
            worst = code
    return worst


def _commands(codec: "Any", payload: bytes) -> "list[tuple[str, int, Any]]":
    """(name, type, value or None) of each; a SenML pack is known by its first byte whatever the codec."""
    if codec == "tlv" and not 0x80 <= payload[0] <= 0x9F:
        return [(str(path), type, value) for path, type, value, _ in unpack_tlv(payload)]
    if codec not in (None, "senml", "tlv"):
        return [(str(path), type, value) for path, type, value, _ in codec.unpack(payload)]
    return [(name, NONE, value) for name, value, _ in senml.entries(payload)]


def _command(tree: "ObjectTree", name: str, type: int, value: "Any") -> int:
    from .requests import serve as carry_out

    name, query, rules = name.partition("?")
    try:
        path = Path.parse(name)
        if query:
            return carry_out(tree, Request("write_attributes", path, value=rules.encode())).code
        row = tree.row(path.object, path.instance)
        if row is None or path.resource is None:
            raise Reject(404, "no such resource")
        if row.type_of(path.resource) == NONE:
            argument = value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else b""
            response = carry_out(tree, Request("execute", path, value=argument))
            if response.after is not None:
                tree.after = response.after
            return response.code
        if value is None:
            return _ask(tree, path)
        if type == NONE:
            type, value = senml.plain(path, value)
        data = value.encode() if isinstance(value, str) else value
        return carry_out(tree, Request("write", path, value=data)).code
    except ValueError as error:
        return tree.refuse("command {}".format(name), 400, str(error))
    except Reject as error:
        return tree.refuse("command {}".format(name), error.code, error.reason)


def _ask(tree: "ObjectTree", path: Path) -> int:
    values = tree.values(path)
    if not values:
        raise Reject(404, "no value yet")
    for where, type, value in values:
        row = tree.row(where.object, where.instance)
        found = row.find(where.resource or 0) if row is not None else None
        tree.queue((where, type, value, found.when if found is not None else tree.seen))
    return 204
