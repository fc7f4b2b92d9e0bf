"""The node's objects: rows of sensors and actuators, and what a server may do with them.

    >>> tree = ObjectTree()
    >>> room = tree.sensor(3303, lambda: 21.46, resolution=0.1, deadband=0.2, pmax=3600)
    >>> relay = tree.actuator(3306, print, initial=False)
    >>> tree.sample(1790000000)
    1
    >>> tree.reports(1790000000)
    [(Path(/3303/0/5700), 4, '21.5', 1790000000)]
    >>> tree.handle(Request("write", Path(3306, 0, 5850), 1, value=b"1")).code
    True
    204
    >>> tree                                              # at the REPL: every reading and its fate
    Resource(/3303/0/5700 21.5 sent: first reading)
    ...

Nothing here knows a module: the same rows serve the three contracts. Bounds: 64 readings wait for reports()
(the oldest goes first, .overflowed counts), 32 observations, 8 remembered answers.
"""

from micropython import const

from .model import INTEGER, Path, Request, Response
from .resource import Resource
from .rows import Rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .instance import Instance
    from .model import Record, Value

_KEPT_LIMIT = const(64)
_RECENT_LIMIT = const(16)
_OBSERVATION_LIMIT = const(32)
_PERIPHERAL = const(8)  # error codes of resource 3/0/11 (OMA LwM2M 1.0.2 appendix E.4)
_GPS = const(3)
_ERROR_CODE = const(11)


class ObjectTree(Rows):
    """All rows of a node, the readings that wait to go out, and what the server has asked for."""

    error_after = 3  # failed readings in a row until the device's error code tells
    device_errors = False  # True where the contract lets 3/0/11 be reported
    overflowed = 0  # readings lost because reports() was not called
    refused = 0  # requests answered with 4.xx or 5.xx; last_error has the last one in words
    last_error = ""
    dirty = False  # something changed that must survive even where only flash does
    now: "Callable[[], int | None] | None" = None  # seconds that go on over sleep, for on times
    on_error: "Callable[[int, Path], object] | None" = None  # (error code, 0 when it is over; path)
    persist: "Callable[[], object] | None" = None  # called after a write, before its answer
    error_told = 0
    binary_writes = False  # this server writes numbers as TLV binary, not as text: learnt from its writes
    after: "Callable[[], None] | None" = None  # left by a command pack: to be run once the contact is over

    def __init__(self, clock: "Any" = None) -> None:
        self.rows = []
        if clock is not None:
            self.clock = clock
        self.kept: "list[Record]" = []
        self.observations: "list[Path]" = []
        self.answers: "list[tuple[int, int, int]]" = []
        self.recent: "list[tuple[Resource, int | None, str]]" = []

    # -- outwards ----------------------------------------------------------------------------------------

    def time(self) -> "int | None":
        """Seconds for on times: now() if set, else the newest time heard of."""
        return self.now() if self.now is not None else self.seen

    def judged(self, resource: Resource) -> None:
        """A reading has been judged; it waits for reports() if it is to go out. The last 16 verdicts stay in .recent."""
        self.recent = self.recent[-(_RECENT_LIMIT - 1) :] + [(resource, resource.when, resource.reason)]
        text = resource.text() if resource.reason[0] == "s" else None
        if text is not None:
            self.queue((resource.path, resource.type, text, resource.when))

    def queue(self, record: "Record") -> None:
        """Have a record go out with the next reports()."""
        if len(self.kept) >= _KEPT_LIMIT:
            self.kept.pop(0)
            self.overflowed += 1
        self.kept.append(record)

    def reports(self, when: "int | None" = None) -> "list[Record]":
        """What must go out now, each once, oldest first. A reading without a time of its own gets when."""
        if when is not None:
            self.seen = when
        for row in self.rows:
            for resource in row.resources:
                if resource.rules is not None and resource.value is not None and not row.failures:
                    reason = resource.rules.due(resource.comparable(), when)
                    if reason is not None:
                        resource.reason = reason
                        self.judged(resource)
        out, self.kept = self.kept, []
        for index in range(len(out)):
            path, type, text, taken = out[index]
            if taken is None:
                out[index] = (path, type, text, when)
        return out

    def values(self, path: "Path | None" = None) -> "list[Value]":
        """The present values at or below a path (None: all), in order of the rows."""
        out: "list[Value]" = []
        for row in self.rows:
            if path is None or path.contains(row.path()) or row.path().contains(path):
                for id in sorted(row.offered):
                    where = row.path(id)
                    found = row.entry(id) if path is None or path.contains(where) else None
                    if found is not None:
                        out.append((where, found[0], found[1]))
        return out

    def changes(self, observed: bool = False) -> "list[Value]":
        """The live values, other than readings, that changed since the last call: extremes, counters, settings.

        observed: those that the server watches, and no others.
        """
        out: "list[Value]" = []
        for row in self.rows:
            for index in range(len(row.offered)):
                if row.touched >> index & 1:
                    id = row.offered[index]
                    found = None if observed and not self.observed(row.path(id)) else row.entry(id)
                    if found is not None:
                        out.append((row.path(id), found[0], found[1]))
            if row.touched:
                row.touched = 0
        return out

    def pack(self, records: "list[Record]", limit: int) -> "tuple[bytes, int]":
        """Readings with their times as one payload for 19/0/0; (payload of at most limit bytes, count used)."""
        from .senml import pack_senml

        return pack_senml(records, limit)

    # -- inwards -----------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answer a server's request; never raises. A repeated message id gets its first answer again."""
        from .requests import answer

        return answer(self, request)

    def refuse(self, what: str, code: int, reason: str) -> int:
        """Count a refusal and keep its reason for people; gives the code back."""
        self.refused += 1
        self.last_error = "{}: {} {}".format(what, code, reason)
        return code

    def set_rules(self, path: "Path | str", by_server: bool = False, **rules: "float | None") -> None:
        """Change the rules of all readings at or below a path; None removes one. ValueError where they clash.

        Rules that a server has set survive sleep; those of a row come with the row.
        """
        from .attributes import set_rules

        set_rules(self, Path.parse(path) if isinstance(path, str) else path, by_server, rules)

    def forget_answers(self) -> None:
        """The module has restarted: its message ids begin anew."""
        self.answers = []

    def observe(self, path: Path) -> None:
        """Remember that the server watches a path."""
        if path not in self.observations and len(self.observations) < _OBSERVATION_LIMIT:
            self.observations.append(path)
            self.dirty = True

    def cancel(self, path: Path) -> None:
        """The server watches a path no longer."""
        if path in self.observations:
            self.observations.remove(path)
            self.dirty = True

    def observed(self, path: Path) -> bool:
        """Whether the server watches this path or one above it."""
        for watched in self.observations:
            if watched.contains(path):
                return True
        return False

    def clear_observations(self) -> None:
        """A fresh registration: the server has to observe anew."""
        if self.observations:
            self.observations = []
            self.dirty = True

    # -- errors ------------------------------------------------------------------------------------------

    @property
    def error_code(self) -> int:
        """8 while a sensor has failed some times in a row (3 where it is the position's), 0 if none has."""
        code = 0
        for row in self.rows:
            if row.failures >= self.error_after:
                code = max(code, _GPS if row.object_id in (6, 3336) else _PERIPHERAL)
        return code

    def health_changed(self, row: "Instance") -> None:
        """A sensor failed once more, or works again."""
        code = self.error_code
        if code != self.error_told:
            self.error_told = code
            if self.device_errors:
                self.queue((Path(3, 0, _ERROR_CODE), INTEGER, str(code), self.seen))
            if self.on_error is not None:
                self.on_error(code, row.path())

    def health(self) -> "list[tuple[Path, int, int, str]]":
        """(path, failures in a row, errors in all, the last one in words) of each sensor that ever failed."""
        out = []
        for row in self.rows:
            if row.errors:
                out.append((row.path(), row.failures, row.errors, row.error))
        return out

    # -- what survives sleep -----------------------------------------------------------------------------

    def dump(self) -> bytes:
        """All that must survive sleep, as one record with version and CRC. Clears dirty."""
        from .state import dump

        return dump(self)

    def load(self, data: "bytes | None") -> bool:
        """Take a record of dump() again; False, and nothing changed, if it is none or damaged."""
        from .revive import load

        return data is not None and load(self, data)

    def __repr__(self) -> str:
        text = ""
        for row in self.rows:
            for resource in row.resources:
                text += repr(resource) + "\n"
        return text[:-1]
