"""Requests of the server: read, write, execute, observe, cancel, write_attributes.

A write has two phases: all of it is decoded and checked, then applied, kept, and only then answered. If a callback
refuses or nothing can be kept, what was applied is taken back. A repeated message id is not carried out twice.
"""

import binascii

from micropython import const

from .model import Path, Reject, Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from .instance import Instance
    from .model import Plain
    from .tree import ObjectTree

_ANSWERS = const(8)
_DOWNLINK = Path(19, 1, 0)
_CHANGING = ("write", "execute", "write_attributes")


def answer(tree: "ObjectTree", request: Request) -> Response:
    """The response to a request; never raises."""
    changing = request.operation in _CHANGING and request.message_id is not None
    mark = 0
    if changing:
        text = "{} {} {}".format(request.operation, request.path, request.index)
        mark = int(binascii.crc32(bytes(request.value), binascii.crc32(text.encode()))) & 0x3FFFFFFF
    for id, known, code in tree.answers:
        if changing and id == request.message_id and known == mark:
            return Response(code)
    what = "{} {}".format(request.operation, request.path)
    try:
        step, row = step_for(tree, request)
        response = step(tree, row, request)
    except Reject as error:
        response = Response(tree.refuse(what, error.code, error.reason))
    except Exception as error:  # noqa: BLE001  an application's callback may raise anything; the server is answered
        response = Response(tree.refuse(what, 500, "{} {}".format(type(error).__name__, error)))
    if changing:
        tree.answers = tree.answers[-(_ANSWERS - 1) :] + [(request.message_id or 0, mark, response.code)]
        tree.dirty = True
    return response


def step_for(tree: "ObjectTree", request: Request) -> "tuple[Callable[..., Response], Instance | None]":
    """The function that carries a request out, and the row; the caller calls it, for an RP2 has 8 KB of stack."""
    path = request.path
    operation = request.operation
    if path.object == 19 and tree.container is not None and tree.row(19, 0) is None:
        if operation == "write" and path.contains(_DOWNLINK):
            # From the bottom up: an import within an import costs 600 bytes of an RP2's stack.
            for part in ("cbor", "unpack", "registry_table", "registry", "commands"):
                module = __import__("lwnode.lwm2m." + part, None, None, ("carry_out",))
            return module.carry_out, None
        from .container import serve

        return serve, None
    step = _STEPS.get(operation)
    if step is None:
        raise Reject(405, "the operations are " + " ".join(sorted(_STEPS)))
    for row in tree.rows:
        if row.offered and path.object == row.object_id and path.instance in (None, row.instance):
            return step, row
    raise Reject(404, "no such object or instance")


def _execute(tree: "ObjectTree", row: "Instance", request: Request) -> Response:
    if request.path.resource is None:
        raise Reject(405, "only a resource can be executed")
    after = row.execute(request.path.resource, bytes(request.value))
    _persist(tree)
    return Response(204, after=after)


def _write_attributes(tree: "ObjectTree", _row: "Instance", request: Request) -> Response:
    from .attributes import write_attributes

    write_attributes(tree, request.path, request.value)
    _persist(tree)
    return Response(204)


def _read(tree: "ObjectTree", row: "Instance", request: Request) -> Response:
    path = request.path
    operation = request.operation
    if operation == "cancel":
        tree.cancel(path)
        return Response(205, tree.values(path))
    if path.resource is not None:
        if path.resource not in row.offered:
            raise Reject(404, "no such resource")
        if "R" not in row.known(path.resource)[1]:
            raise Reject(405, "this resource cannot be read")
        found = row.entry(path.resource)
        values = [] if found is None else [(path, found[0], found[1])]
    else:
        values = tree.values(path)
    if not values:
        raise Reject(404, "no value yet")
    if operation == "observe":
        tree.observe(path)
    return Response(205, values)


def _write(tree: "ObjectTree", row: "Instance", request: Request) -> Response:
    path = request.path
    if path.instance is None:
        raise Reject(405, "an object as a whole cannot be written")
    if path.resource is None:
        from .tlv import split

        try:
            parts = split(bytes(request.value))
        except ValueError as error:
            raise Reject(400, str(error))
    else:
        parts = [(path.resource, bytes(request.value))]
    checked = []
    for id, data in parts:
        checked.append((id, row.check_write(id, data)))
    done: "list[tuple[int, Plain | None]]" = []
    try:
        for id, value in checked:
            resource = row.find(id)
            before = row.extra(id) if resource is None else resource.value
            row.write(id, value)
            done.append((id, before))
            tree.dirty = True
        _persist(tree)
    except Exception:  # noqa: BLE001  raised again: it is turned into an answer above
        _take_back(row, done)
        raise
    return Response(204)


def _take_back(row: "Instance", done: "list[tuple[int, Plain | None]]") -> None:
    for id, before in reversed(done):
        try:
            if before is not None:
                row.write(id, before)
        except Exception:  # noqa: BLE001  S110  the first failure is the one to tell
            row.error = "resource {} could not be taken back".format(id)


def _persist(tree: "ObjectTree") -> None:
    if tree.persist is not None and tree.dirty:
        tree.persist()


_STEPS = {
    "read": _read, "observe": _read, "cancel": _read, "write": _write, "execute": _execute,
    "write_attributes": _write_attributes,
}
