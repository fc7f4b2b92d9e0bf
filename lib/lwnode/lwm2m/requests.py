"""Requests of the server: read, write, execute, observe, cancel, write_attributes.

    response = answer(tree, Request("write", Path(3306, 0, 5850), 7, value=b"1"))

A change has three phases: all of it is decoded and checked, then applied, kept (tree.persist), and only then answered. If a
callback refuses or nothing can be kept, what was applied is taken back. A repeated message id is not carried out twice: it
gets its first answer again, for as long as a server may repeat it (EXCHANGE_LIFETIME, RFC 7252 section 4.8.2). Object 19
carries readings outwards on 19/0/0 and commands inwards on 19/1/0, as one opaque payload each (tree.commands).
"""

import binascii

from micropython import const

from .objects import NOTHING, READABLE
from .rules import parse
from .types import BOOLEAN, FLOAT, INTEGER, OPAQUE, Path, Reject, Request, Response
from .values import TLV_RESOURCE, items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .objects import Instance, Resource
    from .tree import ObjectTree

    Undo = list[tuple[Callable[..., object], Any, Any]]  # a function that takes a step back, and its two arguments

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
    mark, now = 0, None
    if changing and id is not None:
        # What a repetition is known by beside its message id.
        text = "%s %s %s" % (operation, request.path, request.index)
        mark = int(binascii.crc32(bytes(request.value), binascii.crc32(text.encode()))) & 0x3FFFFFFF
        now = tree.time()
        for known, of, code, at in tree.answers:
            if known == id and of == mark and (now is None or at is None or 0 <= now - at <= _EXCHANGE_LIFETIME_S):
                return Response(code)
    undo: "Undo" = []
    before = tree.answers
    try:
        response = carry_out(tree, request, undo)
        if changing and id is not None:
            tree.answers = before[-(_ANSWERS - 1) :] + [(id, mark, response.code, now)]
            tree.dirty = True
        if changing and tree.dirty and tree.persist is not None:
            tree.persist()
        return response
    except Reject as error:
        code, reason = error.code, error.reason
    except Exception as error:  # noqa: BLE001  an application's callback may raise anything; the server is answered
        code, reason = 500, "%s %s" % (type(error).__name__, error)
    for function, what, was in reversed(undo):
        try:
            function(what, was)
        except Exception:  # noqa: BLE001  S110  the first failure is the one to tell
            pass
    tree.refuse("%s %s" % (operation, request.path), code, reason)
    if changing and id is not None:
        tree.answers = before[-(_ANSWERS - 1) :] + [(id, mark, code, now)]
        tree.dirty = True
    return Response(code)


def _rules_back(resource: "Resource", rules: "dict[str, float | None] | None") -> None:
    if rules is None or resource.rules is None:
        resource.rules = None
    else:
        resource.rules.change(rules)


def carry_out(tree: "ObjectTree", request: Request, undo: "Undo") -> Response:
    """Do what a request asks, and note in undo how it is taken back; Reject where it cannot be."""
    operation, path = request.operation, request.path
    if operation not in _OPERATIONS:
        raise Reject(405, "the operations are " + " ".join(_OPERATIONS))
    if path.object == 19 and tree.container is not None and tree.row(19, 0) is None:
        if operation == "write" and tree.commands is not None and path.contains(_DOWNLINK):
            return tree.commands(tree, request, undo)
        return _container(tree, request)
    for row in tree.rows:
        if row.offered and path.object == row.object_id and path.instance in (None, row.instance):
            break
    else:
        raise Reject(404, "no such object or instance")
    if operation == "write":
        return _write(tree, row, request, undo)
    if operation == "execute":
        if path.resource is None:
            raise Reject(405, "a resource is needed")
        return Response(204, after=row.execute(path.resource, bytes(request.value)))
    if operation == "write_attributes":
        readings = [one for each in tree.rows for one in each.resources if path.contains(one.path)]
        undo += [(_rules_back, one, None if one.rules is None else one.rules.merged({})) for one in readings]
        try:
            tree.set_rules(path, True, **parse(str(request.value, "utf-8")))
        except (ValueError, UnicodeError) as error:
            raise Reject(400, str(error))
        return Response(204)
    return _read(tree, row, request)


def _read(tree: "ObjectTree", row: "Instance", request: Request) -> Response:
    """A look at stored values: read, observe and cancel."""
    operation, path = request.operation, request.path
    if operation == "cancel":
        tree.cancel(path)
    elif path.resource is not None:
        if path.resource not in row.offered:
            raise Reject(404, "no such resource")
        if not row.kind(path.resource) & READABLE:
            raise Reject(405, "not readable")
    values = tree.values(path)
    if not values and operation != "cancel":
        raise Reject(404, "no value yet")
    if operation == "observe":
        tree.observe(path)
    return Response(205, values)


def _write(tree: "ObjectTree", row: "Instance", request: Request, undo: "Undo") -> Response:
    """All parts are checked before the first is applied."""
    path = request.path
    if path.instance is None:
        raise Reject(405, "an instance is needed")
    # What a module types as a number is one; what it calls opaque may be text or TLV (values.decode_value).
    binary = 2 if path.resource is None or request.type in (INTEGER, FLOAT, BOOLEAN) else 0
    if request.type == OPAQUE and tree.write_format == "tlv":
        binary = max(binary, 1)
    try:
        parts = [(path.resource, bytes(request.value))] if path.resource is not None else []
        for kind, id, body in items(bytes(request.value)) if path.resource is None else ():
            if kind != TLV_RESOURCE:
                raise ValueError("single resources were expected, not a TLV of kind %s" % (kind >> 6))
            parts.append((id, body))
        if not parts:
            raise ValueError("no resource in the payload")
    except ValueError as error:
        raise Reject(400, str(error))
    checked = [(id, row.check_write(id, data, binary)) for id, data in parts]
    for id, value in checked:
        resource = row.find(id)
        before = row.extra(id) if resource is None else resource.value
        row.write(id, value)
        if before is not None and before is not NOTHING:
            undo.append((row.write, id, before))
        tree.dirty = True
    return Response(204)


def _container(tree: "ObjectTree", request: Request) -> Response:
    """Observe, read and cancel on 19/0/0."""
    operation, path = request.operation, request.path
    if operation in _CHANGING:
        raise Reject(405, "commands are written to 19/1/0" if tree.commands is not None else "this node takes no commands")
    if not path.contains(_UPLINK):
        raise Reject(405 if path == _DOWNLINK else 404, "19/0/0 can be observed")
    if operation == "observe":
        tree.observe(path)
    elif operation == "cancel":
        tree.cancel(path)
    return Response(205, [(_UPLINK, OPAQUE, _EMPTY)])
