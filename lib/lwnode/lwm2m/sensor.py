"""Sensor rows: how to read, scale and judge one sensor, and the resources that come with it.

    >>> tree = ObjectTree()
    >>> row = tree.sensor(3303, lambda: 21.46, resolution=0.1, range=(-40, 85), deadband=0.5)
    >>> tree.sample(1790000000), tree.values(Path(3303, 0, 5601))
    (1, [(Path(/3303/0/5601), 4, '21.5')])

A reading that fails, is None, NaN or out of range stays here: it is counted, and the last good value stands.
"""

from micropython import const

from .instance import Instance
from .model import BOOLEAN, FLOAT, INTEGER
from .resource import Resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from .model import Plain

_MIN_MEASURED = const(5601)
_MAX_MEASURED = const(5602)
_MIN_RANGE = const(5603)
_MAX_RANGE = const(5604)
_RESET_EXTREMES = const(5605)
_UNIT = const(5701)
_APPLICATION_TYPE = const(5750)
_CALIBRATION = const(5821)
_TIMESTAMP = const(5518)
_QUALITY = const(6042)
_QUALITY_LEVEL = const(6049)
_COUNTER = const(5501)
_POLARITY = const(5502)
_EDGES = const(5504)
_RESET_COUNTER = const(5505)
_RESET_ENERGY = const(5822)

_RISING = const(2)  # 5504: 1 falling, 2 rising, 3 both
_DOUBTFUL = const(2)  # 6042: rejected with probability, where there is no new value at all


class Sensor(Instance):
    """One row. Attributes for the REPL: failures (in a row), errors (in all), error (the last, in words)."""

    extremes = True
    read: "Callable[[], object]"
    scale: "float | None" = None
    offset: "float | None" = None
    every: "int | None" = None
    sampled_at: "int | None" = None
    start: "Callable[[], object] | None" = None
    power: "Callable[[bool], object] | None" = None
    warm_up_ms = 0
    started = False
    kept: "tuple[str, ...]" = ("counter", "sampled_at", "failures", "errors", "quality")
    counter: "int | None" = None  # of edges, for objects with 5501

    # -- sampling ----------------------------------------------------------------------------------------

    def due(self, when: "int | None") -> bool:
        """Whether the row's own period, if it has one, is over; a clock set back does not hold it up.

        A twentieth of the period is given away: wakes come some seconds early or late, and the next one is far.
        """
        if self.every is None or when is None or self.sampled_at is None:
            return True
        return not 0 <= when - self.sampled_at < self.every - self.every // 20

    def begin(self) -> int:
        """Power up and start a conversion; ms until the value can be collected."""
        if self.started:
            return 0
        try:
            if self.power is not None:
                self.power(True)
            if self.start is not None:
                self.start()
        except Exception as error:  # noqa: BLE001  a driver may raise anything; reading it will tell again
            self.error = "{} {}".format(type(error).__name__, error)
        self.started = True
        return self.warm_up_ms

    def end(self) -> None:
        """Power down."""
        if self.power is not None:
            self.power(False)

    def collect(self, when: "int | None") -> int:
        """Read the driver and push what it gives; the count of values taken. Nothing is raised."""
        self.started = False
        if self.every is not None:
            self.sampled_at = when
        try:
            raw = self.read()
        except Exception as error:  # noqa: BLE001  a driver may raise anything, the other sensors must go on
            self.failed("{} {}".format(type(error).__name__, error), _DOUBTFUL)
            return 0
        if isinstance(raw, dict):
            pairs = []
            for id in raw:
                pairs.append((self.find(id) or self.view(id), raw[id]))
        else:
            pairs = list(zip(self.resources, raw if isinstance(raw, (tuple, list)) else (raw,)))
        count = 0
        for target, value in pairs:
            count += target.update(self._scaled(value, target), when)
        if not pairs:
            self.failed("the driver gave no value", _DOUBTFUL)
        return count

    def _scaled(self, value: "Plain | None", resource: Resource) -> "Plain | None":
        if resource.type == BOOLEAN and self.setting(_POLARITY, 0):
            return None if value is None else not value
        if isinstance(value, (str, bytes)) or value is None or resource.type not in (FLOAT, INTEGER):
            return value
        if self.scale is not None:
            value = value * self.scale
        if self.offset is not None:
            value = value + self.offset
        factor = self.settings.get(_CALIBRATION) if self.settings else None
        if isinstance(factor, (int, float)):
            value = value * factor
        return value

    def count(self, edges: int) -> None:
        """Edges counted elsewhere, by an interrupt or a pulse counter, since the last call."""
        if self.counter is not None and edges > 0:
            self.counter += edges
            self.touch(_COUNTER, True)

    # -- what a Resource tells ---------------------------------------------------------------------------

    def accepted(self, resource: Resource, value: "Plain", when: "int | None", quality: int) -> None:
        """Take note of a good value: failures end, extremes and quality follow."""
        if self.failures:
            self.failures = 0
            self.tree.health_changed(self)
        if self.quality != quality:
            self.quality = quality
            self.touch(_QUALITY)
        if resource.type == BOOLEAN and self.counter is not None and resource.value is not None:
            edges = self.setting(_EDGES, _RISING)
            if value != resource.value and edges & (2 if value else 1):
                self.count(1)

    def extreme_moved(self, resource: Resource, lowest: bool) -> None:
        self.touch(_extreme_ids(self, resource)[0 if lowest else 1], True)

    # -- resources ---------------------------------------------------------------------------------------

    def setting(self, id: int, default: int) -> int:
        value = self.settings.get(id) if self.settings else None
        return int(value) if isinstance(value, (int, bool)) else default  # MicroPython's bool is no int

    def serves(self, id: int) -> bool:
        """Say whether this row can give the resource."""
        if super().serves(id):
            return True
        if id == _RESET_EXTREMES:
            return self.serves(_MIN_MEASURED) or self.serves(5801) or self.serves(5508)
        if self._extreme_of(id) is not None:
            return True
        if id in (_MIN_RANGE, _MAX_RANGE, 5803, 5804):
            return self.range is not None and self.range[id % 10 - 3 if id < 5800 else id - 5803] is not None
        if id == _UNIT:
            return self.unit is not None
        if id in (_COUNTER, _RESET_COUNTER):
            return self.counter is not None
        if id == 5 and self.object_id == 6:
            return True
        return id in (_APPLICATION_TYPE, _CALIBRATION, _TIMESTAMP, _QUALITY, _QUALITY_LEVEL, _POLARITY, _EDGES)

    def _extreme_of(self, id: int) -> "tuple[Resource, bool] | None":
        """(the reading that an extreme belongs to, whether it is the minimum)."""
        for resource in self.resources:
            if resource.reading and resource.type in (FLOAT, INTEGER):
                lowest, highest = _extreme_ids(self, resource)
                if id == lowest or id == highest:
                    return resource, id == lowest
        return None

    def extra(self, id: int) -> "Plain | None":
        """Return the value of a resource that is no reading, or None."""
        found = self._extreme_of(id)
        if found is not None:
            return found[0].minimum if found[1] else found[0].maximum
        value = super().extra(id)
        if value is not None:
            return value
        main = self.resources[0]
        if id in (_MIN_RANGE, 5803):
            return self.range[0] if self.range else None
        if id in (_MAX_RANGE, 5804):
            return self.range[1] if self.range else None
        if id == _UNIT:
            return self.unit
        if id == _TIMESTAMP or (id == 5 and self.object_id == 6):
            return main.when
        if id == _COUNTER:
            return self.counter
        if id == _QUALITY:
            return self.quality if main.value is not None else 0
        if id == _QUALITY_LEVEL:
            return 100 if self.quality == 4 else 50 if self.quality == 3 else 0
        if id == _APPLICATION_TYPE:
            return ""
        if id == _POLARITY:
            return False
        return 1 if id == _CALIBRATION else _RISING if id == _EDGES else None

    def resolution_of(self, id: int) -> "float | None":
        found = self._extreme_of(id)
        return found[0].resolution if found is not None else None

    def execute(self, id: int, argument: bytes) -> "Callable[[], None] | None":
        """Reset extremes or the counter, or leave the execute to the row's own callback."""
        if id in self.offered and not (self.executes and id in self.executes):
            if id == _RESET_EXTREMES:
                for resource in self.resources:
                    if resource.minimum is not None:
                        resource.track(True)
                return None
            if id == _RESET_ENERGY:
                for resource in self.resources:
                    if resource.id in (5805, 5815) or self.object_id == 3331:
                        resource.update(0, self.tree.time())
                return None
            if id == _RESET_COUNTER:
                self.counter = 0
                self.touch(_COUNTER, True)
                return None
        return super().execute(id, argument)


def _extreme_ids(sensor: Sensor, resource: Resource) -> "tuple[int, int]":
    """(minimum, maximum) resource ids that belong to a reading."""
    if resource.id in (5800, 5810):
        return resource.id + 1, resource.id + 2
    if sensor.object_id == 3334 and 5702 <= resource.id <= 5704:
        lowest = 5508 + 2 * (resource.id - 5702)
        return lowest, lowest + 1
    if resource is sensor.resources[0]:
        return _MIN_MEASURED, _MAX_MEASURED
    return 0, 0
