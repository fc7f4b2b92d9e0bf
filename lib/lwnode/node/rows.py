"""The rows of the node's own objects: 26250, its settings, and 26251, its health (docs/objects). Loaded once a start.

    rows.declare(node)
    rows.show(node, 900, 3600)        what holds, where a state from before a restart says otherwise

Built without a look into the registry's table: at each wake of a board that keeps no RAM that would cost a tenth of a second.
"""

from micropython import const

from lwnode.lwm2m import BOOLEAN, INTEGER, STRING
from lwnode.lwm2m.objects import Instance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SETTINGS, _HEALTH = const(26250), const(26251)
_TRIAL, _AWAKE, _SHIP = const(2), const(3), const(4)
_TEXTS = (6, 10, 13)
_R, _RW = const(8), const(24)  # operations in Instance.kinds


class Health(Instance):
    """How the node has fared: numbers and texts, only to be read, and worked out when somebody asks."""

    node: "Any" = None
    stale = True  # since this start, or since the last contact

    def extra(self, id: int) -> "Any":
        """Return the value of a resource."""
        if self.stale:
            self.stale = False
            self.node.late("health", "fill")(self.node)
        return Instance.extra(self, id)


class Settings(Instance):
    """What the server may change of the node: a write goes through lwnode.node.remote first."""

    node: "Any" = None

    def write(self, id: int, value: "Any") -> None:
        """Work by a checked value from now on. Reject where it does not fit."""
        node = self.node
        periods = node.late("remote", "asked")(node, id, value)
        if periods is not None:
            node.late("remote", "change")(node, *periods)
        self.set(id, value)


def declare(node: "Any") -> None:
    """Add the node's own two rows to its tree."""
    tree, config = node.tree, node.config
    row = Settings(tree, _SETTINGS, 0, "1.0")
    row.node = node
    row.settings = {0: config.sample_every, 1: config.report_every, _TRIAL: "none", _AWAKE: 0, _SHIP: False}
    health = Health(tree, _HEALTH, 0, "1.0")
    health.node = node
    health.settings = {id: 0 for id in range(14)}
    for id in _TEXTS:
        health.settings[id] = ""
    # What docs/objects says of each resource: Instance.kinds, not looked up in a registry that does not know them.
    row.kinds = bytes([STRING | _R if id == _TRIAL else (BOOLEAN if id == _SHIP else INTEGER) | _RW for id in range(5)])
    health.kinds = bytes([(STRING if id in _TEXTS else INTEGER) | _R for id in range(14)])
    for one in (row, health):
        one.offered = tuple(range(len(one.kinds)))
        tree.rows.append(one)


def show(node: "Any", sample: int, report: int) -> None:
    """Have the settings say what this start has found."""
    row = node.tree.row(_SETTINGS, 0)
    if row is not None:
        trial = ("none", "running", "running", "kept", "rolled back")[min(node.costs.trial, 4)]
        row.settings.update({0: sample, 1: report, _TRIAL: trial, _AWAKE: 0, _SHIP: False})
