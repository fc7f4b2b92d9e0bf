"""Requests of the server: read, write, execute, observe, cancel, write_attributes.

    response = answer(tree, Request("write", Path(3306, 0, 5850), 7, value=b"1"))

A change has three phases: all of it is decoded and checked, then applied, kept (tree.persist), and only then answered. If a
callback refuses or nothing can be kept, what was applied is taken back. A repeated message id is not carried out twice: it
gets its first answer again, for as long as a server may repeat it (EXCHANGE_LIFETIME, RFC 7252 section 4.8.2). Object 19
carries readings outwards on 19/0/0 and commands inwards on 19/1/0, as one opaque payload each (tree.commands).
"""

import binascii

from micropython import const

from .objects import NOTHING
from .rules import parse
from .values import BOOLEAN, FLOAT, INTEGER, OPAQUE, Path, Reject, Request, Response, items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .objects import Instance
    from .tree import ObjectTree

    Undo = list[tuple[Any, ...]]  # a function that takes a step back, and its arguments

_TLV_RESOURCE = const(0xC0)
_READABLE = const(8)  # a bit of Instance.kinds
_ANSWERS = const(8)
_EXCHANGE_LIFETIME_S = const(247)
_UPLINK = Path(19, 0, 0)
_DOWNLINK = Path(19, 1, 0)
_EMPTY = const(b"\x80")  # a SenML pack without records: what 19/0/0 reads as
_CHANGING = const(("write", "execute", "write_attributes"))
_OPERATIONS = ("read", "observe", "cancel") + _CHANGING


def answer(tree: "ObjectTree", request: Request) -> Response:
    """The response to a request; never raises."""
    operation, id = request.operation, request.message_id
    changing = operation in _CHANGING
    undo: "Undo" = []
    told: "list[Any] | None" = None
    if changing and id is not None:
        # What a repetition is known by beside its message id.
        text = "%s %s %s" % (operation, request.path, request.index)
        mark = binascii.crc32(request.value, binascii.crc32(text.encode())) & 0x3FFFFFFF
        now = tree.time()
        for known, of, code, at in tree.answers:
            if known == id and of == mark and (now is None or at is None or 0 <= now - at <= _EXCHANGE_LIFETIME_S):
                return Response(code)
        told = [id, mark, 500, now]
        tree.answers = tree.answers[-(_ANSWERS - 1) :] + [told]
        tree.dirty = True
    try:
        response = carry_out(tree, request, undo)
        if told is not None:
            told[2] = response.code
        if changing and tree.dirty and tree.persist is not None:
            tree.persist()
        return response
    except Reject as error:
        code, reason = error.code, error.reason
    except Exception as error:  # noqa: BLE001  an application's callback may raise anything; the server is answered
        code, reason = 500, "%s %s" % (type(error).__name__, error)
    for step in reversed(undo):
        try:
            step[0](*step[1:])
        except Exception:  # noqa: BLE001  S110  the first failure is the one to tell
            pass
    if told is not None:
        told[2] = code
    return Response(tree.refuse("%s %s" % (operation, request.path), code, reason))


def carry_out(tree: "ObjectTree", request: Request, undo: "Undo") -> Response:
    """Do what a request asks, and note in undo how it is taken back; Reject where it cannot be."""
    operation, path = request.operation, request.path
    if operation not in _OPERATIONS:
        raise Reject(405, "the operations are " + " ".join(_OPERATIONS))
    if path.object == 19 and tree.container is not None and tree.row(19, 0) is None:
        if operation in _CHANGING:
            if operation == "write" and tree.commands is not None and path.contains(_DOWNLINK):
                return tree.commands(tree, request, undo)
            raise Reject(405, "commands are written to 19/1/0" if tree.commands is not None else "this node takes no commands")
        if not path.contains(_UPLINK):
            raise Reject(405 if path == _DOWNLINK else 404, "19/0/0 can be observed")
        values: "Any" = [(_UPLINK, OPAQUE, _EMPTY)]
    else:
        for row in tree.rows:
            if row.offered and path.object == row.object_id and path.instance in (None, row.instance):
                break
        else:
            raise Reject(404, "no such object or instance")
        if operation in _CHANGING:
            return _change(tree, row, request, undo)
        # A look at stored values: read, observe and cancel.
        values = tree.values(path)
        if operation != "cancel":
            if path.resource is not None and not row.kind(path.resource) & _READABLE:
                raise Reject(405, "not readable") if path.resource in row.offered else Reject(404, "no such resource")
            if not values:
                raise Reject(404, "no value yet")
    if operation == "observe":
        tree.observe(path)
    elif operation == "cancel":
        tree.cancel(path)
    return Response(205, values)


def _change(tree: "ObjectTree", row: "Instance", request: Request, undo: "Undo") -> Response:
    """Write, execute, or set rules of a row."""
    path = request.path
    if request.operation == "write":
        return _write(tree, row, request, undo)
    if request.operation == "execute":
        if path.resource is None:
            raise Reject(405, "a resource is needed")
        return Response(204, after=row.execute(path.resource, bytes(request.value)))
    found = tree.readings(path)
    if not found:
        raise Reject(404, "no reading there")
    for one in found:
        rules = one.rules
        undo.append((setattr, one, "rules", None) if rules is None else (rules.change, rules.merged({})))
    try:
        tree.set_rules(path, True, **parse(str(request.value, "utf-8")))
    except ValueError as error:
        raise Reject(400, str(error))
    return Response(204)


def _write(tree: "ObjectTree", row: "Instance", request: Request, undo: "Undo") -> Response:
    """All parts are checked before the first is applied."""
    path, data = request.path, bytes(request.value)
    if path.instance is None:
        raise Reject(405, "an instance is needed")
    # What a module types as a number is one; what it calls opaque may be text or TLV (values.decode_value).
    binary = 2 if path.resource is None or request.type in (INTEGER, FLOAT, BOOLEAN) else 0
    if request.type == OPAQUE and tree.write_format == "tlv":
        binary = max(binary, 1)
    try:
        parts = list(items(data)) if path.resource is None else [(_TLV_RESOURCE, path.resource, data)]
    except ValueError as error:
        raise Reject(400, str(error))
    if not parts:
        raise Reject(400, "no resource in the payload")
    for kind, _, _ in parts:
        if kind != _TLV_RESOURCE:
            raise Reject(400, "a TLV of kind %s does not belong here" % (kind >> 6))
    checked = [(id, row.check_write(id, body, binary)) for _, id, body in parts]
    for id, value in checked:
        resource = row.find(id)
        before = row.extra(id) if resource is None else resource.value
        row.write(id, value)
        if before is not None and before is not NOTHING:
            undo.append((row.write, id, before))
        tree.dirty = True
    return Response(204)
