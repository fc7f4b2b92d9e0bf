"""What a node can do beyond its core, a file each: a feature is there where its file is and config.json asks for it.

    class Lamp(Feature):                            lib/lwnode/features/lamp.py
        KEYS = "lamp_s i 0 0 600"                   its rows of config.json, as in lwnode.config
        name = "lamp"                               its part of the retained state, of SIZE bytes at most
        SIZE = 4

        @staticmethod
        def enabled(settings):                      by the checked settings, defaults included
            return settings.lamp_s > 0

        def before_wake(self, node, cause, now):
            node.limit(stretch=2)                   the most restrictive of all features wins

    FEATURE = Lamp

The core asks `installed` for the features of a configuration and then calls their methods; it names none. A feature
imports the core and never another feature. One that raises is switched off for that wake and counted (Node.feature_faults).

Bounds: the state of all features together takes 900 bytes at most (host_tests/test_features.py).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.node import Node

# A row for each, in the order in which they are asked (before_sleep: from the last to the first): its name, + where it is there
# without being asked for, and the keys of config.json that ask for it, each between blanks.
FEATURES = (
    "ship + ;pins + pins ;battery - battery ;usage + node_objects data_budget billing_day health_every ;"
    "diagnosis - diagnosis ;settings + node_objects trial_wakes ;deferral - defer_longest defer_below ;calendar - report_at ;"
    "commands + commands ;update - server_updates "
)
OFF = (None, False, 0, "none")  # a key with such a value asks for nothing


class Feature:
    """The base of all. Besides what is here a feature has those of these methods that it needs, each called for every wake:

    attach(node)                     once, before its state is taken up: rows for the tree, orders that it takes
    before_wake(node, cause, now)    before anything is due: the moment for Node.limit() and Node.alarm()
    defer(node, now) -> bool         of a session that stands: is this contact, without urgency, put off?
    in_contact(node, now)            session, time and readings are there: the moment to add something to a report
    before_request(node, request), after_request(node, request)     around what the server asks; then the answer goes out
    event(node, name, detail)        what the module tells and the node itself does not follow
    rebase(node, moved)              the clock was set by so many seconds: times kept from before follow
    after_contact(node, reached)     the module was sent to sleep; node.reached is None where the contact was put off
    before_sleep(node, now)          the last moment before the state is saved
    dump() -> bytes, load(bytes)     SIZE bytes that survive sleep; load() takes no other length for its own
    """

    KEYS = ""
    name = ""
    SIZE = 0
    off = False  # it has raised in this wake

    if TYPE_CHECKING:
        def dump(self) -> bytes: ...
        def load(self, data: bytes) -> bool: ...

    @staticmethod
    def enabled(settings: "Any") -> bool:
        """Say whether these settings, with their defaults, ask for it."""
        return True

    def save(self, node: "Node", values: "dict[str, bytes]") -> None:
        """Put what must survive sleep beside the others' for the retained state."""
        if self.SIZE:
            values[self.name] = self.dump()

    def restore(self, node: "Node") -> None:
        """Take it up at a start."""
        data = node.state.load(self.name) if self.SIZE else None
        if data is not None:
            self.load(data)


def names(given: "dict[str, Any]") -> "list[tuple[str, str]]":
    """(name, the key that asks for it or "") of each feature that a configuration may need, installed or not."""
    found = []
    for row in FEATURES.split(";"):
        name, always, *keys = row.split(" ")
        asked = [key for key in keys if given.get(key) not in OFF]
        if asked or always == "+":
            found.append((name, asked[0] if asked else ""))
    return found


def installed(name: str) -> "type[Feature]":
    """Import a feature by its name. ImportError names the file that is not there: its own, or one that it needs."""
    found: "type[Feature]" = __import__("lwnode.features." + name, None, None, ("FEATURE",)).FEATURE
    return found
