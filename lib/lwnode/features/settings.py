"""What the server may set of a node, and the way back: periods and rules on trial, orders to stay awake or to ship.

    26250/0/0, /1    periods of sampling and reporting in seconds; 1/0/3 and 1/0/2, the server's defaults, do the same
    26250/0/2        none, running, kept, rolled back
    26250/0/3, /4    stay awake for so many seconds once this contact is over, an hour at most; ship mode, where installed
    attributes, 19/1/0   reporting rules

A setting counts from its writing on, and is on flash before the server has its answer. The old ones lie in `trial`: once a
later wake has reached the server the new ones are kept, after `trial_wakes` silent contacts the old ones come back, so that
a setting which cuts the node off, or crashes it, is undone.
"""

from struct import calcsize, pack, unpack, unpack_from

from lwnode.features import Feature
from lwnode.lwm2m import Reject
from lwnode.lwm2m.objects import Instance
from lwnode.lwm2m.rules import parse
from lwnode.power import device_offset
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Request
    from lwnode.node import Node
    from lwnode.power.store import Store

_SETTINGS = const(26250)
_STATE = const(2)
_AWAKE = const(3)
_SHIP = const(4)
_LONGEST_AWAKE_S = const(3600)
_LONGEST_S = const(604800)
_RULES = const(("pmin", "pmax", "gt", "lt", "st"))
_FORMAT = const("<IIIIB")  # periods of config.json, so that a person's edit counts again; periods in force; state
_HEAD = const("<BBHH")
_NAME = const("trial")
STATES = ("none", "running", "kept", "rolled back")
_RUNNING = const(1)


class Trial:
    """One configuration (up to 30 KB) on trial at a time; a new one keeps the old one's way back. The store must be durable."""

    def __init__(self, store: "Store", wakes: int = 3) -> None:
        self._store, self._wakes = store, wakes
        self.at, self.left, self._old = 0, 0, b""
        data = store.load(_NAME)
        if data and len(data) >= calcsize(_HEAD):
            at, left, _, length = unpack_from(_HEAD, data, 0)
            if at < len(STATES) and len(data) == calcsize(_HEAD) + length:
                self.at, self.left, self._old = at, left, data[calcsize(_HEAD) :]

    def _save(self) -> None:
        self._store.save(_NAME, pack(_HEAD, self.at, self.left, 0, len(self._old)) + self._old)

    def start(self, new: bytes, kept: bytes) -> bool:
        """Begin a trial; False where new equals kept, which needs none. Must return before new is put to work."""
        if new == kept:
            return False
        if self.at != _RUNNING:
            self._old = bytes(kept)
        self.at, self.left = _RUNNING, self._wakes
        self._save()
        return True

    def wake(self, contact: bool) -> "bytes | None":
        """Tell how a wake that tried to reach the server ended; returns the bytes to go back to, or None."""
        if self.at != _RUNNING:
            return None
        old = None
        if contact:
            self.at, self._old = STATES.index("kept"), b""
        else:
            self.left = max(0, self.left - 1)
            if not self.left:
                self.at, old, self._old = STATES.index("rolled back"), self._old, b""
        self._save()
        return old


class Settings(Feature):
    """Follows the server's writes, and takes them back."""

    KEYS = "trial_wakes i 3 1 100"
    name = "settings"
    SIZE = calcsize(_FORMAT)
    at = 0  # where the trial stands, by STATES
    _begun = False  # in this wake: its contact proves nothing, it is the one that brought the change
    _awake_s = 0
    _before = ""

    @staticmethod
    def enabled(settings: "Any") -> bool:
        """Say whether the node's own objects are wanted."""
        return bool(settings.node_objects)

    def attach(self, node: "Node") -> None:
        """Add 26250 to the tree."""
        self.node = node
        self.row = row = Instance(node.tree, _SETTINGS, 0)
        row.source = self
        row.show(list(range(5)))
        node.tree.rows.append(row)

    def value(self, id: int) -> "int | str | bool":
        """The present value of a resource of 26250."""
        node = self.node
        return (node.sampling.period_s, node.reporting.period_s, STATES[self.at],
                0 if node.awake_until is None else self._awake_s, node.sleeps_by is not None)[id]

    def write(self, id: int, value: "Any") -> None:
        """Follow a write of 26250/0. Reject where the value does not fit."""
        node, clock = self.node, self.node.board.clock
        if id == _AWAKE:
            if not 0 <= value <= _LONGEST_AWAKE_S:
                raise Reject(400, "awake for 0 to %d s, not %d" % (_LONGEST_AWAKE_S, value))
            self._awake_s = value
            node.awake_until = clock.ticks_add(clock.ticks_ms(), value * 1000) if value else None
        elif id == _SHIP:
            if "ship" in node.orders:
                node.orders["ship"](bool(value))
            elif value:
                raise Reject(405, "ship mode needs a wake pin: add ship to PINS in the board file, and deploy")
        else:
            sample = value if id == 0 else node.sampling.period_s
            report = value if id == 1 else node.reporting.period_s
            if not 1 <= sample <= report <= _LONGEST_S:
                raise Reject(400, "periods of %d and %d s: 1 to %d, reporting not the shorter" % (sample, report, _LONGEST_S))
            self.change(sample, report)

    def event(self, node: "Node", name: str, value: "Any") -> None:
        """Follow the server's default periods: 1/0/3 is how often it wants to hear at least, 1/0/2 how often at most."""
        # Neither touches sampling: a default minimum of a second, as servers write it, is no order to measure each second.
        if name in ("min_period", "max_period"):
            sample, report = node.sampling.period_s, node.reporting.period_s
            wanted = value if name == "max_period" else max(value, report)
            if 0 < wanted <= _LONGEST_S:
                self.change(sample, max(wanted, sample))

    def before_request(self, node: "Node", request: "Request") -> None:
        """Note the rules where a request may change them, by attributes or by a command: they are the way back."""
        changes = request.operation == "write_attributes" or (request.path.object == 19 and request.operation == "write")
        self._before = self._snapshot() if changes else ""

    def after_request(self, node: "Node", request: "Request") -> None:
        """Put rules that the request has changed on trial."""
        before, self._before = self._before, ""
        if before and node.tree.dirty:
            trial = Trial(node.files, node.config.trial_wakes)
            if trial.start(self._snapshot().encode(), before.encode()):
                self._say(trial, True)

    def before_sleep(self, node: "Node", now: int) -> None:
        """Judge a trial by the contact of a later wake, and work by the old settings again where it has failed."""
        if self.at == _RUNNING and not self._begun and node.reached is not None:
            trial = Trial(node.files, node.config.trial_wakes)
            old = trial.wake(node.reached)
            if old is not None:
                periods, *lines = old.decode().split("\n")
                sample, report = [int(part) for part in periods.split(" ")]
                self._put(sample, report)
                wanted = {line.partition(" ")[0]: line.partition(" ")[2] for line in lines}
                for resource in self._ruled():
                    query = wanted.get(str(resource.path))
                    if query is None:
                        resource.rules = None
                        continue
                    rules: "dict[str, float | None]" = {name: None for name in _RULES}
                    rules.update(parse(query) if query else {})
                    resource.rules.change(rules)
                node.save_tree()
            self._say(trial, False)
        self._begun = False

    def change(self, sample: int, report: int) -> None:
        """Put these periods on trial, and work by them."""
        node = self.node
        old = self._snapshot()
        trial = Trial(node.files, node.config.trial_wakes)
        if trial.start(("%d %d\n" % (sample, report) + old.partition("\n")[2]).encode(), old.encode()):
            self._say(trial, True)
            self._put(sample, report)

    def _say(self, trial: Trial, started: bool) -> None:
        self.at, self._begun = trial.at, started
        self.row.touch(_STATE)

    def _put(self, sample: int, report: int, durable: bool = True) -> None:
        """Work by these periods from now on, after a loss of power too."""
        node = self.node
        offset = device_offset(node.board.unique_id(), sample, node.config.spread)
        for id, schedule, period in ((0, node.sampling, sample), (1, node.reporting, report)):
            schedule.change(period, offset)
            self.row.touch(id)
        if durable:
            node.state.save(self.name, self.dump(), durable=True)
            node.state.commit()

    def _snapshot(self) -> str:
        """The settings that a server may change, as text: periods, then a line for each reading that has rules."""
        lines = ["%d %d" % (self.node.sampling.period_s, self.node.reporting.period_s)]
        for resource in self._ruled():
            lines.append("%s %s" % (resource.path, resource.rules.text(_RULES)))
        return "\n".join(lines)

    def _ruled(self) -> "list[Any]":
        return [resource for row in self.node.tree.rows for resource in row.resources if resource.rules is not None]

    def dump(self) -> bytes:
        """Return the periods of config.json, those in force, and how the trial stands."""
        node = self.node
        config = node.config
        return pack(_FORMAT, config.sample_every, config.report_every, node.sampling.period_s, node.reporting.period_s, self.at)

    def load(self, data: bytes) -> bool:
        """Take up what a server has set, unless config.json has been edited since."""
        node = self.node
        if len(data) != self.SIZE:
            return False
        *base, sample, report, at = unpack(_FORMAT, data)
        self.at = at if at < len(STATES) else 0
        if node.state.source == "behind" and node.board.retained.size:
            self.at = Trial(node.files).at  # power was lost: what the state says of a trial may be old
        if base != [node.config.sample_every, node.config.report_every] or not 1 <= sample <= report:
            return False
        if (sample, report) != (node.sampling.period_s, node.reporting.period_s):
            self._put(sample, report, False)
        return True


FEATURE = Settings
