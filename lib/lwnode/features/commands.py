"""Commands of a server on 19/1/0: the way back on modules that hand on nothing but bytes.

A pack holds SenML records. One with a value writes it (or executes, where the resource is executable), one without asks
for the present value, which goes out with the next report; a name with a query sets reporting rules:

    [{0: "/3306/0/5850", 4: true}, {0: "/3303/0/5601"}, {0: "/3303/0/5700?pmin=60&gt=30"}]

Each command stands for itself. `"commands": false` in config.json takes none. Bound: 32 commands in a pack.
"""

from micropython import const

from lwnode.features import Feature
from lwnode.lwm2m import NONE, Path, Reject, Request, Response, requests
from lwnode.lwm2m.unpack import entries, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import ObjectTree
    from lwnode.node import Node

_COMMANDS = const(32)


def carry_out(tree: "ObjectTree", request: Request, undo: "Any") -> Response:
    """Carry out a pack of commands, each by itself; 204, or the first code that was none. Reject if unreadable."""
    try:
        found = entries(request.value)
    except (ValueError, IndexError) as error:
        raise Reject(400, "commands: {}".format(error))
    if len(found) > _COMMANDS:
        raise Reject(400, "{} commands in one pack; {} are taken".format(len(found), _COMMANDS))
    worst = 204
    for name, value, _ in found:
        try:
            asked = _request(tree, name, value)
            response = Response(204) if asked is None else requests.carry_out(tree, asked, undo)
            tree.after = response.after or tree.after
            code = response.code
        except ValueError as error:
            code = tree.refuse("command " + name, 400, str(error))
        except Reject as error:
            code = tree.refuse("command " + name, error.code, error.reason)
        if worst == 204:
            worst = code
    return Response(worst)


def _request(tree: "ObjectTree", name: str, value: "Any") -> "Request | None":
    """What a record asks for; None where that is a value, which goes out with the next report. Reject, ValueError."""
    name, query, rules = name.partition("?")
    path = Path.parse(name)
    if query:
        return Request("write_attributes", path, value=rules.encode())
    row = tree.row(path.object, path.instance)
    if row is None or path.resource is None:
        raise Reject(404, "no such resource")
    executed = row.kind(path.resource) & 7 == NONE
    if value is None and not executed:
        values, reading = tree.values(path), row.find(path.resource)
        if not values:
            raise Reject(404, "no value yet")
        tree.queue(values[0] + (tree.seen if reading is None else reading.when,))
        return None
    if not executed:
        _, value = plain(path, value)
    data = value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else b""
    return Request("execute" if executed else "write", path, value=data)


class Commands(Feature):
    """Takes the packs, where history goes as packs on the same object."""

    KEYS = "commands b true"
    name = "commands"

    @staticmethod
    def enabled(settings: "Any") -> bool:
        """Say whether they are wanted, and the node has an object 19."""
        return bool(settings.commands) and str(settings.history) == "pack"

    def attach(self, node: "Node") -> None:
        """Have the tree hand the packs on."""
        node.tree.commands = carry_out

    def before_sleep(self, node: "Node", now: int) -> None:
        """Put what was asked for after this wake's report into the journal: RAM may forget it."""
        asked, node.tree.kept = node.tree.kept, []
        node.keep(asked, node.clock.unix())


FEATURE = Commands
