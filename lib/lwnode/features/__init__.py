"""What a node can do beyond its core, a file each: a feature is there where its file is and config.json asks for it.

    class Lamp(Feature):                            lib/lwnode/features/lamp.py
        KEYS = (("lamp_s", "i", 0, 0, 600),)        its rows of config.json, as in lwnode.config
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

Bounds: the state of all features together takes 900 bytes at most (host_tests/host/test_power_features.py).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Request
    from lwnode.node import Node

# Name, the keys of config.json that ask for it, and whether it is there without any of them.
FEATURES: "tuple[tuple[str, tuple[str, ...], bool], ...]" = (
    ("battery", ("battery",), False),
    ("usage", ("node_objects", "data_budget", "billing_day", "health_every"), True),
    ("settings", ("node_objects", "trial_wakes"), True),
    ("deferral", ("defer_longest", "defer_below"), False),
    ("pins", (), True),
    ("ship", (), True),
    ("commands", (), True),
    ("update", ("server_updates",), False),
)


class Feature:
    """What a feature may be; each method does nothing until it is needed."""

    KEYS: "tuple[tuple[Any, ...], ...]" = ()
    name = ""
    ORDER = 50  # before_wake in ascending order, before_sleep in descending
    SIZE = 0  # bytes that dump() takes at most; 0: nothing to keep
    off = False  # it has raised in this wake

    @staticmethod
    def enabled(settings: "Any") -> bool:
        """Say whether these settings ask for it."""
        return True

    def attach(self, node: "Node") -> None:
        """Once, when the node is made and before its state is taken up: rows for the tree, orders it takes."""

    def before_wake(self, node: "Node", cause: str, now: int) -> None:
        """Each wake, before anything is due: Node.limit() and Node.alarm() are for this moment."""

    def after_contact(self, node: "Node", reached: bool) -> None:
        """A contact is over, and the module sent to sleep."""

    def before_sleep(self, node: "Node", now: int) -> None:
        """The last moment before the state is saved."""

    def in_contact(self, node: "Node", now: int) -> None:
        """The session stands, the time is known and the readings are taken: the moment to add something to a report."""

    def defer(self, node: "Node", now: int) -> bool:
        """Say whether a contact without urgency is put off; asked of a session that stands, before its radio is used."""
        return False

    def before_request(self, node: "Node", request: "Request") -> None:
        """The server asks something."""

    def after_request(self, node: "Node", request: "Request") -> None:
        """It was carried out; its answer has not gone out yet."""

    def event(self, node: "Node", name: str, detail: "Any") -> None:
        """The module tells something that the node itself does not follow."""

    def rebase(self, node: "Node", moved: int) -> None:
        """The clock was set by so many seconds: times kept from before follow."""

    def save(self, node: "Node") -> None:
        """Put what must survive sleep into the retained state."""
        if self.SIZE:
            node.state.save(self.name, self.dump())

    def restore(self, node: "Node") -> None:
        """Take it up at a start."""
        data = node.state.load(self.name) if self.SIZE else None
        if data is not None:
            self.load(data)

    def dump(self) -> bytes:
        """Return what must survive sleep, SIZE bytes at most."""
        return b""

    def load(self, data: bytes) -> bool:
        """Take up what dump() gave; False where it is unusable, and the feature is as new."""
        return True


def names(given: "dict[str, Any]") -> "list[tuple[str, str]]":
    """(name, the key that asks for it or "") of each feature that a configuration may need, installed or not."""
    found = []
    for name, keys, always in FEATURES:
        asked = [key for key in keys if key in given]
        if asked or always:
            found.append((name, asked[0] if asked else ""))
    return found


def installed(name: str) -> "type[Feature] | None":
    """Import a feature by its name; None where its file is not there."""
    try:
        found: "type[Feature]" = __import__("lwnode.features." + name, None, None, ("FEATURE",)).FEATURE
    except ImportError as error:
        if name not in str(error):
            raise
        return None
    return found
