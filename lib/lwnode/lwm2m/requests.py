"""Requests of the server: read, write, execute, observe, cancel, write_attributes.

A write has two phases: everything is decoded and checked, then applied, kept, and only then answered. An
instance-level write is all or nothing as far as checking goes. A repeated message id is not done twice.
"""

import binascii

from micropython import const

from .model import NONE, Path, Reject, Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .instance import Instance
    from .tree import ObjectTree

_ANSWERS = const(8)
_CHANGING = ("write", "execute", "write_attributes")


def answer(tree: "ObjectTree", request: Request) -> Response:
    """The response to a request; never raises."""
    mark = _mark(request)
    for id, known, code in tree._answers:
        if id == request.message_id and known == mark and request.operation in _CHANGING:
            return Response(code)
    try:
        response = _serve(tree, request)
    except Reject as error:
        response = Response(error.code)
        tree.last_error = "{} {}: {}".format(request.operation, request.path, error.reason)
    except Exception as error:  # an application's callback may raise anything; the server must be answered
        response = Response(500)
        tree.last_error = "{} {}: {} {}".format(request.operation, request.path, type(error).__name__, error)
    if response.code >= 400:
        tree.refused_requests += 1
    if request.message_id is not None and request.operation in _CHANGING:
        tree._answers = tree._answers[-(_ANSWERS - 1) :] + [(request.message_id, mark, response.code)]
        tree.dirty = True
    return response


def _mark(request: Request) -> int:
    text = "{} {} {}".format(request.operation, request.path, request.index)
    return binascii.crc32(bytes(request.value), binascii.crc32(text.encode()))


def _serve(tree: "ObjectTree", request: Request) -> Response:
    path = request.path
    if path.object == 19 and tree.container is not None and request.operation == "write":
        return tree.container.write(request)
    rows = _rows(tree, path)
    operation = request.operation
    if operation in ("read", "observe", "cancel"):
        return _read(tree, rows, path, operation)
    if operation == "write":
        return _write(tree, rows, request)
    if operation == "execute":
        if path.resource is None:
            raise Reject(405, "only a resource can be executed")
        after = rows[0].execute(path.resource, bytes(request.value))
        _persist(tree)
        return Response(204, after=after)
    if operation == "write_attributes":
        from .rules import parse

        try:
            tree.set_rules(path, True, **parse(str(request.value, "utf-8")))
        except ValueError as error:
            raise Reject(400, str(error))
        _persist(tree)
        return Response(204)
    raise Reject(405, "the operations are read write execute observe cancel write_attributes")


def _rows(tree: "ObjectTree", path: Path) -> "list[Instance]":
    rows = [row for row in tree.rows if path.contains(row.path()) or row.path().contains(path)]
    if not rows:
        raise Reject(404, "no such object or instance")
    return rows


def _read(tree: "ObjectTree", rows: "list[Instance]", path: Path, operation: str) -> Response:
    if path.resource is not None:
        row = rows[0]
        if path.resource not in row.offered:
            raise Reject(404, "no such resource")
        if row.type_of(path.resource) == NONE or "R" not in row.operations(path.resource):
            raise Reject(405, "this resource cannot be read")
    if operation == "cancel":
        tree.cancel(path)
    elif operation == "observe":
        tree.observe(path)
    values = tree.values(path)
    if not values and operation == "read":
        raise Reject(404, "no value yet")
    return Response(205, values)


def _write(tree: "ObjectTree", rows: "list[Instance]", request: Request) -> Response:
    path = request.path
    if path.instance is None:
        raise Reject(405, "an object as a whole cannot be written")
    if request.index:
        raise Reject(400, "a write in several messages is not supported")
    row = rows[0]
    if path.resource is None:
        from .tlv import split

        try:
            parts = split(bytes(request.value))
        except ValueError as error:
            raise Reject(400, str(error))
    else:
        parts = [(path.resource, bytes(request.value))]
    checked = [(id, row.check_write(id, data)) for id, data in parts]
    for id, value in checked:
        where = row.path(id)
        if tree.is_echo(where, value):
            tree.echoes += 1
            continue
        row.write(id, value)
        tree.dirty = True
    _persist(tree)
    return Response(204)


def _persist(tree: "ObjectTree") -> None:
    if tree.persist is not None and tree.dirty:
        tree.persist()
