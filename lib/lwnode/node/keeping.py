"""What a node keeps over sleep and reset, and how it takes it up again; the base of Node.

Everything is saved by name in RetainedState: the clock, both schedules, the back-off, the session, the driver's snapshot,
the tree, and what wakes have cost. Bounds: on an ESP32 all of it and the journal's newest readings share 1 KB of RTC memory.
"""

from lwnode.lwm2m import pack_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What survives sleep, by its name in the retained state; the driver's "modem" comes to it.
_PARTS = ("clock", "sampling", "reporting", "backoff", "session", "tree", "costs")
# What a node has only once it speaks with its module.
_CONNECTED = ("at", "modem", "session", "delivery", "contact", "served", "close")


class Keeping:
    """State, journal and time of a node; Node makes the attributes."""

    if TYPE_CHECKING:
        features: "list[Any]"
    connected = False  # the driver is there, and with it at, modem, session, delivery, contact, served, close
    moved = 0  # seconds by which the clock was set in this wake
    slipped = 0  # the same, until the slot served in it has followed

    def __getattr__(self, name: str) -> "Any":
        """Load what speaks with the module when it is first asked for."""
        if self.connected or name not in _CONNECTED:
            raise AttributeError(name)
        self.tidy()
        __import__("lwnode.node.contact", None, None, ("connect",)).connect(self)
        return getattr(self, name)

    def late(self, room: str, name: str) -> "Any":
        """A function of a room that is loaded for one call and dropped with the next tidying."""
        return getattr(__import__("lwnode.node." + room, None, None, (name,)), name)

    def keep(self, records: "list[Any]", unix: "int | None") -> None:
        """Put records (path, type, text or bytes, when) into the journal, stamped with their own time."""
        epoch, seconds = self.clock.stamp()
        for path, kind, value, when in records:
            age = unix - when if unix is not None and when is not None else 0
            self.journal.append(pack_record(path, kind, value, (epoch, seconds - age)))

    def save_tree(self) -> None:
        """Write what a server has changed to flash, before it has its answer; what a request has loaded makes room for it."""
        self.tidy()
        data = self.tree.dump()
        self.tidy()
        self.state.save("tree", data)
        self.files.save("tree", data)

    def _save(self) -> None:
        """Write what must survive: called while no answer of the module is outstanding.

        The fullest moment of a wake would be here: what the contact has loaded goes first, then what made the records.
        """
        self.tidy()
        for name, part in self._parts():
            self.state.save(name, part.dump())
        if self.connected:
            self.state.save("modem", self.modem.snapshot())
        self.tidy()
        self.journal.flush()
        self.state.commit()

    def _restore(self) -> None:
        for name, part in self._parts():
            data = self.state.load(name)
            if data is None and name == "tree":
                try:
                    data = self.files.load(name)
                except OSError:
                    pass  # unreadable now: told by the health, and asked again by the next start
            if data is not None:
                part.load(data)
        self.fresh = self.journal.next_number
        if self.config.node_objects:
            self.late("rows", "show")(self, self.config.sample_every, self.config.report_every)
        settings = self.state.load("settings")
        if settings is not None:
            self.late("remote", "restore")(self, settings)

    def _parts(self) -> "list[tuple[str, Any]]":
        return list(zip(_PARTS, (self.clock, self.sampling, self.reporting, self.backoff, self.standing, self.tree,
                                 self.costs))) + [(each.name, each) for each in self.features if each.SIZE]
