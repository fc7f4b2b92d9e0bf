"""Modules that hold the values themselves: what the host pushes in comes back as if the server had written it.

    tree.suppress(Path(3306, 0, 5850), "1")        # before the push; the echo is then no write, once
"""

from micropython import const

from .decode import from_wire
from .model import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .instance import Instance
    from .model import Plain
    from .tree import ObjectTree

_PUSHED_LIMIT = const(16)


def suppress(tree: "ObjectTree", path: Path, value: "str | bytes") -> None:
    """Expect the echo of a value that the host pushes; the newest push of a path counts, sixteen paths at most."""
    for one in tree.pushed:
        if one[0] == path:
            tree.pushed.remove(one)
            break
    tree.pushed = tree.pushed[-(_PUSHED_LIMIT - 1) :] + [(path, value)]


def is_echo(tree: "ObjectTree", row: "Instance", id: int, value: "Plain") -> bool:
    """Whether a write is the echo of a push. The push is forgotten with it, and with any other value."""
    path = row.path(id)
    for one in tree.pushed:
        if one[0] == path:
            tree.pushed.remove(one)
            if from_wire(row.known(id)[0], one[1]) == value:
                tree.echoes += 1
                return True
    return False
