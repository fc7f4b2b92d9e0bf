"""The node's objects: rows of sensors and actuators, what goes out of them, and what a server may do with them.

    >>> tree = ObjectTree()
    >>> probe = tree.sensor(3303, lambda: 21.46, resolution=0.1, deadband=0.2, pmax=3600)
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
(the oldest goes first, .overflowed counts), 32 observations, 8 remembered answers, 8 states of one's own.

dump() is what survives sleep, as one record of version, CBOR and CRC32: observations, remembered answers, states of one's own,
and per row the last values (a read after a deep sleep is answered with them), what rules and extremes need, counters, values
that a server has set, rules that a server has changed. Keys are ids, so rows may come and go between two firmware versions:
what no longer fits is dropped, the rest is taken. Size: some 25 bytes for each reading without rules, 40 with rules, and at
most 160 for states of one's own.
"""

import binascii
import struct

from micropython import const

from .build import actuator, fit, sensor
from .objects import Actuator, Resource, Sensor
from .requests import answer
from .rules import NAMES, STATE, Rules, give
from .senml import decode, encode, pack_senml
from .values import INTEGER, Path, Request, Response, to_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .objects import Instance
    from .values import Record, Value

_SLICE_MS = const(1000)  # an RP2's watchdog waits 8.4 s at most
_KEPT_LIMIT = const(64)
_RECENT_LIMIT = const(16)
_OBSERVATION_LIMIT = const(32)
_STATES_LIMIT = const(8)
_VERSION = const(4)
_OWN_BYTES = const(160)
_VALUES = const(("value", "when", "minimum", "maximum"))
_PERIPHERAL = const(8)  # error codes of resource 3/0/11 (OMA LwM2M 1.0.2 appendix E.4)
_GPS = const(3)
_ERROR_CODE = const(11)


class ObjectTree:
    """All rows of a node, the readings that wait to go out, and what the server has asked for.

    clock (ticks_ms, ticks_diff, sleep_ms) is needed where a row warms up; idle is called about once a second meanwhile.
    """

    clock: "Any" = None
    idle: "Callable[[], object] | None" = None  # feeds the watchdog
    light_sleep: "Callable[[int], bool] | None" = None  # Board.light_sleep, as long as nobody speaks with the module
    container: "str | None" = "senml"  # codec of object 19, which carries history and commands; None for no object 19
    commands: "Callable[[ObjectTree, Request, Any], Response] | None" = None  # takes the packs on 19/1/0
    write_format = "text"  # what digits mean that a server has written and whose form a module does not tell; or "tlv"
    dirty = False  # something changed that must survive even where only flash does
    error_after = 3  # failed readings in a row until the device's error code tells
    device_errors = False  # True where the contract lets 3/0/11 be reported
    overflowed = 0  # readings lost because reports() was not called
    refused = 0  # requests answered with 4.xx or 5.xx; last_error has the last one in words
    last_error = ""
    dropped: "list[str] | tuple[()]" = ()  # what fit() found to be too much, in words
    seen: "int | None" = None  # newest time that sample() or reports() was given
    now: "Callable[[], int | None] | None" = None  # seconds that go on over sleep, for on times
    persist: "Callable[[], object] | None" = None  # called after a change by the server, before its answer
    after: "Callable[[], None] | None" = None  # left by a command pack: to be run once the contact is over
    error_code = 0  # 8 while a sensor has failed some times in a row (3 where it is the position's), 0 if none has
    _started_at: "int | None" = None

    def __init__(self, clock: "Any" = None) -> None:
        self.rows: "list[Instance]" = []
        if clock is not None:
            self.clock = clock
        self.kept: "list[Record]" = []
        self.observations: "list[Path]" = []
        self.answers: "list[list[Any]]" = []  # message id, mark, code, time; none where a module's ids begin anew
        self.recent: "list[tuple[Resource, int | None, str]]" = []
        self.states: "list[tuple[str, dict[str, Any]]]" = []

    sensor, actuator, fit = sensor, actuator, fit  # see build.py
    handle = answer  # never raises; a repeated message id gets its first answer again
    pack = staticmethod(pack_senml)  # readings as one payload for 19/0/0

    def state(self, name: str) -> "dict[str, Any]":
        """A dict of one's own that survives sleep: numbers, texts, bytes, lists of these. ValueError beyond eight names.

        Bound: 160 bytes for all states of a node; one that does not fit beside those asked for before is not kept, and
        .last_error says so.
        """
        for known, values in self.states:
            if known == name:
                return values
        if len(self.states) == _STATES_LIMIT:
            raise ValueError("%s states are kept, %s is one too many" % (_STATES_LIMIT, name))
        self.states.append((name, {}))
        return self.states[-1][1]

    def row(self, object_id: int, instance: "int | None") -> "Instance | None":
        """The row of an object instance, None if there is none."""
        for row in self.rows:
            if row.object_id == object_id and row.instance == instance:
                return row
        return None

    def resource(self, path: "Path | str") -> Resource:
        """The resource at a path; ValueError if no row can have it. A row's other values are seen, and set, alike."""
        where = Path.parse(path) if isinstance(path, str) else path
        row = self.row(where.object, where.instance)
        if row is None or where.resource is None:
            raise ValueError("no row has the resource %s" % where)
        return row.find(where.resource) or row.view(where.resource)

    def objects(self) -> "list[tuple[int, int, tuple[int, ...]]]":
        """(object id, instance, resource ids) of each row, for Modem.declare; 19/0 and 19/1 carry history and commands."""
        out = [(row.object_id, row.instance, tuple(sorted(row.offered))) for row in self.rows if row.offered]
        if self.container is not None and self.row(19, 0) is None:
            out += [(19, 0, (0,)), (19, 1, (0,))]
        return out

    def values(self, path: "Path | None" = None) -> "list[Value]":
        """The present values at or below a path (None: all), in order of the rows."""
        out: "list[Value]" = []
        object_id, instance, resource = (None, None, None) if path is None else path.ids[:3]
        for row in self.rows:
            if object_id in (None, row.object_id) and instance in (None, row.instance):
                for id in sorted(row.offered) if resource is None else (resource,) if resource in row.offered else ():
                    found = row.entry(id)
                    if found is not None:
                        out.append((row.path(id), found[0], found[1]))
        return out

    def start(self, when: "int | None" = None) -> int:
        """Power up and start the slow rows that are due, before the modem attaches; ms until sample() need not wait."""
        due = [row for row in self.rows if isinstance(row, Sensor) and row.due(when) and not row.started]
        power_ms = wait = 0
        for row in due:
            row.attempt(row.power, True)
            power_ms = max(power_ms, row.power_ms if row.power is not None else 0)
        self.wait(power_ms)
        for row in due:
            row.attempt(row.start)
            row.started = True
            wait = max(wait, row.warm_up_ms)
        if wait and self.clock is not None:
            self._started_at = self.clock.ticks_ms()
        return wait

    def wait(self, ms: int) -> None:
        """Wait for a sensor: in slices, so that the watchdog is fed."""
        while ms > 0 and self.clock is not None:
            if self.light_sleep is None or not self.light_sleep(min(ms, _SLICE_MS)):
                self.clock.sleep_ms(min(ms, _SLICE_MS))
            ms -= _SLICE_MS
            if self.idle is not None:
                self.idle()

    def sample(self, when: "int | None" = None) -> int:
        """Read each row that is due, once; the number of values taken. when: Unix seconds, None if not known.

        Rows that start() has not started are started here; what is left of the longest warm-up is waited for.
        """
        if when is not None:
            self.seen = when
        due = [row for row in self.rows if isinstance(row, Sensor) and row.due(when)]
        wait = max([row.warm_up_ms for row in due] or [0])
        self.start(when)
        if wait and self._started_at is not None:
            self.wait(wait - self.clock.ticks_diff(self.clock.ticks_ms(), self._started_at))
        self._started_at = None
        count = 0
        for row in due:
            count += row.collect(when)
        for row in due:
            row.attempt(row.power, False)
        return count

    def time(self) -> "int | None":
        """Seconds for on times: now() if set, else the newest time heard of."""
        return self.now() if self.now is not None else self.seen

    def rebase(self, moved: int) -> None:
        """The clock behind now() was set: what was noted by it moves along."""
        for row in self.rows:
            if isinstance(row, Actuator) and row.since is not None:
                row.since += moved
        for told in self.answers:
            told[3] = None if told[3] is None else told[3] + moved

    def judged(self, resource: Resource, text: "str | bytes") -> None:
        """A reading has been judged; it waits for reports() if it is to go out. The last 16 verdicts stay in .recent."""
        if len(self.recent) == _RECENT_LIMIT:
            self.recent.pop(0)
        self.recent.append((resource, resource.when, resource.reason))
        if resource.reason[0] == "s":
            self.queue((Path(resource.row.object_id, resource.row.instance, resource.id), resource.type, text, resource.when))

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
            for resource in row.resources if not row.failures else ():
                if resource.rules is not None and resource.value is not None:
                    reason = resource.rules.due(resource.number(resource.value), when)
                    if reason is not None:
                        resource.reason = reason
                        self.judged(resource, resource.text() or "")
        out, self.kept = self.kept, []
        return [(path, type, text, when if taken is None else taken) for path, type, text, taken in out]

    def changes(self, observed: bool = False) -> "list[Value]":
        """The live values, other than readings, that changed since the last call: extremes, counters, settings.

        observed: those that the server watches, and no others.
        """
        out: "list[Value]" = []
        for row in self.rows:
            for index in range(len(row.offered) if row.touched else 0):
                if row.touched >> index & 1:
                    path = Path(row.object_id, row.instance, row.offered[index])
                    found = None if observed and not self.observed(path) else row.entry(row.offered[index])
                    if found is not None:
                        out.append((path, found[0], found[1]))
            row.touched = 0
        return out

    def refuse(self, name: str, code: int, reason: str) -> int:
        """Count a refusal and keep its reason for people; gives the code back."""
        self.refused += 1
        self.last_error = "%s: %s %s" % (name, code, reason)
        return code

    def readings(self, path: Path) -> "list[Resource]":
        """The readings at or below a path."""
        return [one for row in self.rows for one in row.resources if one.reading and path.contains(one.path)]

    def set_rules(self, path: "Path | str", by_server: bool = False, **rules: "float | None") -> None:
        """Change the rules of all readings at or below a path: of all or of none. None removes a rule.

        ValueError where they clash, or where no reading is. Rules that a server has set survive sleep; those of a row come
        with the row.
        """
        found = self.readings(Path.parse(path) if isinstance(path, str) else path)
        if not found:
            raise ValueError("no reading at %s" % path)
        for resource in found:
            (resource.rules or Rules()).merged(rules)
        for resource in found:
            if resource.rules is None:
                resource.rules = Rules()
                if resource.value is not None:
                    resource.rules.judge(resource.number(resource.value), resource.when)
            resource.rules.change(rules)
            resource.rules.by_server = resource.rules.by_server or by_server
        self.dirty = True

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

    def health_changed(self) -> None:
        """A sensor failed once more, or works again."""
        code = 0
        for row in self.rows:
            if row.failures >= self.error_after:
                code = max(code, _GPS if row.object_id in (6, 3336) else _PERIPHERAL)
        if code != self.error_code:
            self.error_code = code
            if self.device_errors:
                self.queue((Path(3, 0, _ERROR_CODE), INTEGER, str(code), self.seen))

    def health(self) -> "list[tuple[Path, int, int, str]]":
        """(path, failures in a row, errors in all, the last one in words) of each sensor that ever failed."""
        return [(row.path(), row.failures, row.errors, row.error) for row in self.rows if row.errors]

    def dump(self) -> bytes:
        """All that must survive sleep, as one record; .dirty is cleared. A state that does not fit is refused, in words."""
        rows: "list[Any]" = []
        for row in self.rows:
            resources: "list[Any]" = []
            for one in row.resources:
                rules = one.rules
                kept: "list[Any]" = [one.id, one.value, one.when, one.minimum, one.maximum]
                if rules is not None:
                    kept.append(_pick(rules, STATE))
                    if rules.by_server:
                        kept.append(_pick(rules, NAMES))
                resources.append(kept)
            rows.append((row.object_id, row.instance, resources, row.written, _pick(row, row.kept)))
        own: "dict[str, Any]" = {}
        left = _OWN_BYTES
        for name, values in self.states:
            try:
                size = len(encode({name: values}))
                if size > left:
                    raise ValueError("more than %s bytes in all" % _OWN_BYTES)
                left -= size
                own[name] = values
            except ValueError as error:
                text = "state %s is not kept: %s" % (name, error)
                if text != self.last_error:
                    print("lwnode:", text)
                self.last_error = text
        data = bytes([_VERSION]) + encode(([path.ids for path in self.observations], self.answers, self.error_code, own, rows))
        self.dirty = False
        return data + struct.pack(">I", binascii.crc32(data) & 0xFFFFFFFF)

    def load(self, data: "bytes | None") -> bool:
        """Take a record of dump() again; False, and nothing changed, if it is none, damaged or of another version."""
        data = bytes(data or b"")
        if len(data) < 6 or data[0] != _VERSION or struct.unpack(">I", data[-4:])[0] != binascii.crc32(data[:-4]) & 0xFFFFFFFF:
            return False
        try:
            watched, told, code, own, rows = decode(data[1:-4])
            observations = [Path(*ids) for ids in watched]
            answers = [[id, mark, code, at] for id, mark, code, at in told]
            found = [(self.row(kept[0], kept[1]), kept) for kept in rows]
            for name in own:
                own[name] = dict(own[name])
        except (ValueError, TypeError, IndexError):
            return False
        self.observations, self.answers, self.error_code = observations, answers, code
        for name in own:
            try:
                self.state(name).update(own[name])
            except ValueError:
                pass  # another firmware's, beyond those that this one asks for
        for line, state in found:
            try:
                if line is not None:
                    _load_row(line, state)
            except (ValueError, TypeError, IndexError):
                pass  # written by a firmware whose row of that name was another: it starts anew
        self.health_changed()  # a row that failed may be gone
        self.dirty = False
        return True

    def __repr__(self) -> str:
        return "\n".join([repr(resource) for row in self.rows for resource in row.resources])


def _pick(owner: "object", names: "tuple[str, ...]") -> "list[Any]":
    return [getattr(owner, name) for name in names]


def _load_row(row: "Instance", kept: "list[Any]") -> None:
    for values in kept[2]:
        found = row.find(values[0])
        if found is None and values[0] in row.offered:
            found = row.view(values[0])
            row.resources.append(found)
        if found is None:
            continue
        try:
            if values[1] is not None:
                to_wire(found.type, found.number(values[1]), found.resolution)
                give(found, _VALUES, values[1:5])
        except (ValueError, TypeError):
            pass  # of a range or a type that this firmware's row no longer has: its next sample tells
        if len(values) > 6:
            found.rules = found.rules or Rules()
            found.rules.by_server = True
            give(found.rules, NAMES, values[6])
        if found.rules is not None and len(values) > 5:
            give(found.rules, STATE, values[5])
    for id in kept[3] or ():
        if id in row.offered:
            row.set(id, kept[3][id])
    row.touched = 0
    give(row, row.kept, kept[4])
