"""One resource with a value of its own: the newest reading, its extremes, and the fate of each.

    >>> tree = ObjectTree()
    >>> row = tree.sensor(3303, lambda: None, resolution=0.1)
    >>> resource = tree.resource("/3303/0/5700")
    >>> resource.update(21.46, when=1790000000)
    True
    >>> resource.value, resource.minimum, resource.maximum, resource.reason
    (21.46, 21.46, 21.46, 'sent: no rules')
"""

import math

from . import codec
from .model import BOOLEAN, FLOAT, INTEGER, TIME, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .instance import Instance
    from .model import Plain
    from .rules import Rules

_NO_RULES = "sent: no rules"


class Resource:
    """A value that is pushed in by update() and judged by its rules. Made by ObjectTree, not by hand."""

    # Defaults live in the class: an attribute costs heap only in the instance where it differs.
    value: "Plain | None" = None
    when: "int | None" = None
    minimum: "float | int | None" = None
    maximum: "float | int | None" = None
    reason = "none: no reading yet"
    resolution: "float | None" = None
    range: "tuple[float | None, float | None] | None" = None
    rules: "Rules | None" = None
    reading = True  # its values are readings for the journal; else live values only
    attached = True  # False for a view, which becomes part of the row with its first update

    def __init__(self, owner: "Instance", id: int, type: int) -> None:
        self.owner = owner
        self.id = id
        self.type = type

    @property
    def path(self) -> Path:
        return Path(self.owner.object_id, self.owner.instance, self.id)

    def update(self, value: "Plain | None", when: "int | None" = None, quality: "int | None" = None) -> bool:
        """Take a new value in the wire's unit; False if it was refused (None, NaN, out of range, wrong type).

        when: Unix seconds of the measurement; None takes the time given to the next reports().
        quality: measurement quality indicator 6042 of this value (default 4, accepted).
        """
        try:
            taken = self._checked(value)
        except (ValueError, TypeError) as error:
            self.reason = "refused: " + str(error)
            # Quality 6042: rejected with certainty, or with probability where there is no value at all.
            self.owner.failed(str(error), 2 if value is None else 1)
            return False
        self.owner.accepted(self, taken, when, 4 if quality is None else quality)
        compared = self.rules is not None or not self.reading  # otherwise each reading goes, changed or not
        before = self.text() if compared else None
        self.value = taken
        self.when = when
        changed = not compared or self.text() != before
        if not self.attached:
            self.owner.attach(self)
        if self.reading and self.owner.extremes and (self.type == FLOAT or self.type == INTEGER):
            self.track()
        if self.reading:
            self.reason = _NO_RULES if self.rules is None else self.rules.judge(self.comparable(), when, not changed)
            self.owner.tree.judged(self)
        elif changed:
            self.owner.touch(self.id)
        return True

    def _checked(self, value: "Plain | None") -> "Plain":
        if value is None:
            raise ValueError("the driver gave no value")
        if self.type == BOOLEAN:
            if isinstance(value, (str, bytes)):
                return codec.from_wire(BOOLEAN, value)
            return bool(value)
        if self.type == FLOAT or self.type == INTEGER or self.type == TIME:
            if isinstance(value, bytes) or isinstance(value, str):
                number = codec.from_wire(FLOAT, value)
            elif not math.isfinite(value):
                raise ValueError("{} is no number".format(value))
            else:
                number = value
            if not codec.in_range(self.type, number, self.range):
                raise ValueError("{} is outside the range {} to {}".format(float(number), *(self.range or (None, None))))
            return value
        codec.to_wire(self.type, value)
        return value

    def track(self, fresh: bool = False) -> None:
        """Minimum and maximum take the value in, or become it (fresh: resource 5605)."""
        number = self.comparable()
        if isinstance(number, (str, bytes)):
            return
        if self.minimum is None or number < self.minimum or (fresh and number != self.minimum):
            self.minimum = number
            self.owner.extreme_moved(self, True)
        if self.maximum is None or number > self.maximum or (fresh and number != self.maximum):
            self.maximum = number
            self.owner.extreme_moved(self, False)

    def comparable(self) -> "Plain":
        """The value as rules and extremes compare it: numbers as numbers, even those given as text."""
        value = self.value
        if value is None:
            return 0
        numeric = self.type == FLOAT or self.type == INTEGER or self.type == TIME
        return codec.from_wire(FLOAT, value) if numeric and isinstance(value, (str, bytes)) else value

    def text(self) -> "str | bytes | None":
        """The value as it leaves, None before the first."""
        return None if self.value is None else codec.to_wire(self.type, self.value, self.resolution)

    def __repr__(self) -> str:
        text = self.text()
        return "Resource({} {} {})".format(self.path, text if isinstance(text, str) else repr(text), self.reason)
