"""Reporting rules changed after the start: by the application, or by the server as write-attributes.

    >>> tree = ObjectTree()
    >>> row = tree.sensor(3303, lambda: 21.5)
    >>> set_rules(tree, Path(3303), False, {"pmin": 60, "gt": 30})
    >>> row.resources[0].rules.text()
    'pmin=60&gt=30'
"""

from .model import Path, Reject
from .rules import Rules, check, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .tree import ObjectTree


def write_attributes(tree: "ObjectTree", path: Path, query: bytes) -> None:
    """Attributes as the server sends them, pmin=10&gt=25; Reject with 400 or 404 where they cannot be."""
    try:
        set_rules(tree, path, True, parse(str(query, "utf-8")))
    except (ValueError, UnicodeError) as error:
        raise Reject(400, str(error))


def set_rules(tree: "ObjectTree", path: Path, by_server: bool, rules: "dict[str, float | None]") -> None:
    """Change rules at or below a path: all of them, or ValueError and none."""
    found = []
    for row in tree.rows:
        for one in row.resources:
            if one.reading and path.contains(one.path):
                found.append(one)
    if not found:
        raise Reject(404, "no reading there") if by_server else ValueError("no reading at {}".format(path))
    for resource in found:
        check((resource.rules or Rules()).merged(rules))
    for resource in found:
        if resource.rules is None:
            resource.rules = Rules()
            if resource.value is not None:
                resource.rules.adopt(resource.comparable(), resource.when)
        resource.rules.change(rules)
        if by_server:
            resource.rules.by_server = True
    tree.dirty = True
