"""Rows of sensors and of actuators: how one is read, scaled and set, and the resources that come with it.

    >>> tree = ObjectTree()
    >>> row = tree.sensor(3303, lambda: 21.46, resolution=0.1, range=(-40, 85), deadband=0.5)
    >>> tree.sample(1790000000), tree.values(Path(3303, 0, 5601))
    (1, [(Path(/3303/0/5601), 4, '21.5')])
    >>> relay = tree.actuator(3306, lambda on: print("relay", on), initial=False)
    >>> tree.handle(Request("write", Path(3306, 0, 5850), 7, value=b"1"))
    relay True
    Response(204, values: 0)

A reading that fails, is None, NaN or out of range stays here: it is counted, and the last good value stands.
"""

from micropython import const

from .objects import ACCEPTED, DOUBTFUL, NO_ID, NOTHING, Instance, Resource
from .types import BOOLEAN, FLOAT, INTEGER, Reject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .types import Plain

# Resources that a row serves by itself (OMA registry of reusable resources, IPSO objects).
_COUNTER = const(5501)
_POLARITY = const(5502)
_EDGES = const(5504)
_RESET_COUNTER = const(5505)
_TIMESTAMP = const(5518)
_MIN_RANGE = const(5603)
_MAX_RANGE = const(5604)
_RESET_EXTREMES = const(5605)
_APPLICATION_TYPE = const(5750)
_CALIBRATION = const(5821)
_ON_TIME = const(5852)
_OFF_TIME = const(5854)
_QUALITY = const(6042)
_QUALITY_LEVEL = const(6049)
_RISING = const(2)  # 5504: 1 falling, 2 rising, 3 both
_DEFAULTS: "dict[int, Plain]" = {_APPLICATION_TYPE: "", _POLARITY: False, _CALIBRATION: 1, _EDGES: _RISING}


class Sensor(Instance):
    """A row that is read. Attributes for the REPL: failures (in a row), errors (in all), error (the last, in words)."""

    read: "Callable[[], object]"
    scale: "float | None" = None
    offset: "float | None" = None
    every: "int | None" = None
    sampled_at: "int | None" = None
    start: "Callable[[], object] | None" = None
    power: "Callable[[bool], object] | None" = None
    power_ms = 0  # from power to start
    warm_up_ms = 0  # from start, or power, to the first good value
    started = False
    kept: "tuple[str, ...]" = ("counter", "sampled_at", "failures", "errors", "quality")
    counter: "int | None" = None  # of edges, for objects with 5501

    def due(self, when: "int | None") -> bool:
        """Whether the row's own period, if it has one, is over; a clock set back does not hold it up.

        A twentieth of the period is given away: wakes come some seconds early or late, and the next one is far.
        """
        if self.every is None or when is None or self.sampled_at is None:
            return True
        return not 0 <= when - self.sampled_at < self.every - self.every // 20

    def attempt(self, step: "Callable[..., object] | None", *arguments: bool) -> None:
        """Switch the supply, or start a conversion, where the row has a callback for it. Nothing is raised."""
        try:
            if step is not None:
                step(*arguments)
        except Exception as error:  # noqa: BLE001  a driver may raise anything; reading it will tell again
            self.error = "%s %s" % (type(error).__name__, error)

    def collect(self, when: "int | None") -> int:
        """Read the driver and push what it gives; the count of values taken. Nothing is raised."""
        self.started = False
        if self.every is not None:
            self.sampled_at = when
        try:
            raw = self.read()
            if isinstance(raw, dict):
                pairs = [(self.find(id) or self.view(id), raw[id]) for id in raw]
            else:
                pairs = list(zip(self.resources, raw if isinstance(raw, (tuple, list)) else (raw,)))
            values = [self._scaled(value, target.type) for target, value in pairs]
        except Exception as error:  # noqa: BLE001  a driver may raise anything, the other sensors must go on
            self.failed("%s %s" % (type(error).__name__, error), DOUBTFUL)
            return 0
        count = 0
        for at in range(len(values)):
            count += pairs[at][0].update(values[at], when)
        if not values:
            self.failed("the driver gave no value", DOUBTFUL)
        return count

    def _scaled(self, value: "Any", type: int) -> "Any":
        if type == BOOLEAN and self.setting(_POLARITY, 0):
            return None if value is None else not value
        if isinstance(value, (str, bytes)) or value is None or (type != FLOAT and type != INTEGER):
            return value
        if self.scale is not None:
            value = value * self.scale
        if self.offset is not None:
            value = value + self.offset
        factor = self.settings.get(_CALIBRATION) if self.settings else None
        return value * factor if isinstance(factor, (int, float)) else value

    def count(self, number: int) -> None:
        """Edges counted elsewhere, by an interrupt or a pulse counter, since the last call."""
        if self.counter is not None and number > 0:
            self.counter += number
            self.touch(_COUNTER, True)

    def accepted(self, resource: Resource, value: "Plain", quality: int) -> None:
        """Take note of a good value: failures end, edges are counted, quality follows."""
        if self.failures:
            self.failures = 0
            self.owner.health_changed(self)
        if self.quality != quality:
            self.quality = quality
            self.touch(_QUALITY)
        if self.counter is not None and resource.type == BOOLEAN and resource.value is not None:
            if value != resource.value and self.setting(_EDGES, _RISING) & (2 if value else 1):
                self.count(1)

    def extra(self, id: int) -> "Plain | None":
        resource = self.extreme(id)
        if resource is not None:
            return resource.minimum if id == resource.lowest else resource.maximum
        value = super().extra(id)
        if value is not NOTHING:
            return value
        main, limits = self.resources[0], self.range or (None, None)
        if id == _RESET_EXTREMES:
            for resource in self.resources:
                if resource.lowest != NO_ID:
                    return None
        elif id in (_MIN_RANGE, 5803, _MAX_RANGE, 5804):
            limit = limits[0 if id in (_MIN_RANGE, 5803) else 1]
            return NOTHING if limit is None else limit
        elif id == _COUNTER or id == _RESET_COUNTER:
            return NOTHING if self.counter is None else self.counter if id == _COUNTER else None
        elif id == _TIMESTAMP or (id == 5 and self.object_id == 6):
            return main.when
        elif id == _QUALITY:
            return self.quality if main.value is not None else 0
        elif id == _QUALITY_LEVEL:
            return 100 if self.quality == ACCEPTED else 50 if self.quality == 3 else 0
        return _DEFAULTS.get(id, NOTHING)

    def execute(self, id: int, value: bytes) -> "Callable[[], None] | None":
        """Reset extremes or the counter, or leave the execute to the row's own callback."""
        if id not in self.offered or (self.executes and id in self.executes):
            return super().execute(id, value)
        if id == _RESET_EXTREMES:
            for resource in self.resources:
                if resource.minimum is not None:
                    resource.track()
        elif id == _RESET_COUNTER:
            self.counter = 0
            self.touch(_COUNTER, True)
        else:
            return super().execute(id, value)
        return None


class Actuator(Instance):
    """A row of something that the server can set, applied by a callback before it counts.

    apply(value) may raise Reject(code) to refuse. For several writable resources give a dict instead:
    apply={5850: lamp.switch, 5851: lamp.dim}. On time (5852) counts the seconds in which 5850 (or 5500) is on;
    the server resets it by writing 0.
    """

    kept: "tuple[str, ...]" = ("on_seconds", "off_seconds", "since")
    apply: "dict[int, Callable[..., object]]"
    on_seconds = 0
    off_seconds = 0
    since: "int | None" = None  # when the present state was last accounted for

    def write(self, id: int, value: "Plain") -> None:
        """Reset a time, or call back and keep the value; Reject where the callback refuses."""
        if id == _ON_TIME or id == _OFF_TIME:
            if value != 0:
                raise Reject(400, "the server can only reset the time to 0")
            self._account()
            setattr(self, "on_seconds" if id == _ON_TIME else "off_seconds", 0)
            self.touch(id)
            return
        if id in self.apply:
            self.apply[id](value)
        super().write(id, value)

    def accepted(self, resource: Resource, value: "Plain", quality: int) -> None:
        if resource.type == BOOLEAN:
            self._account()

    def _account(self) -> None:
        """Add the seconds since the last look to on time or off time, by the state that held meanwhile."""
        now, main = self.owner.time(), self.resources[0]
        if now is not None and main.value is not None and self.since is not None and now > self.since:
            if main.value:
                self.on_seconds += now - self.since
            else:
                self.off_seconds += now - self.since
        self.since = now

    def extra(self, id: int) -> "Plain | None":
        if id == _ON_TIME or id == _OFF_TIME:
            self._account()
            return self.on_seconds if id == _ON_TIME else self.off_seconds
        if id == _TIMESTAMP:
            return self.resources[0].when
        value = super().extra(id)
        if value is NOTHING:
            return "" if id == _APPLICATION_TYPE else None if id in self.apply else NOTHING
        return value
