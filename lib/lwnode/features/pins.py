"""What the board's pins tell at a wake: an event to be reported at once, and a module that does not sleep.

    WAKE = ("door",)                   board file: pins that wake the board
    PINS = {"status": 34, ...}         the module's own: active while it is awake
    {"pins": false}                    config.json: without all this

A wake pin that became active or inactive since the last wake is an event: sampled and told at once, both edges; of the module's
own "ring" only the first. The board sleeps until a pin leaves the level it has, so one that stays active costs nothing, and
one that moves while the board is awake ends the sleep after a second. After two events within a minute no wake pin is listened
to for another one: a pin that flutters does not empty the battery, and its last level is told then.

A module found awake three minutes after it was sent to sleep is counted; the third time in a row it is switched off instead,
where the board has its power key. Bounds: 12 bytes of state.
"""

from struct import calcsize, pack, unpack

from lwnode.features import Feature
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.node import Node

# Longer than any active timer (T3324) that a node asks for: a module that is awake after it does not sleep.
_SETTLED_S = const(180)
_SLEEPLESS = const(3)
_QUICK_S = const(60)
_FORMAT = const("<BBHII")


class Pins(Feature):
    """Looks at wake pins and status pin at the begin of each wake."""

    KEYS = "pins b true"
    name = "pins"
    SIZE = calcsize(_FORMAT)
    held = 0  # bits of WAKE: active in the last wake
    in_a_row = 0  # times that the module was found awake
    closed_at = 0  # seconds: the module was sent to sleep; 0 it was switched off, or never
    event_at = 0  # seconds: the last event

    @staticmethod
    def enabled(settings: "Any") -> bool:
        """Say whether anybody looks at the pins."""
        return bool(settings.pins)

    def before_wake(self, node: "Node", cause: str, now: int) -> None:
        """See what has happened while the board slept."""
        names, active = node.wake_on, self._active(node)
        changed = active ^ self.held
        event = changed & (self.edges | active)
        if cause in names:  # and at its old level: a pulse, over before the board was awake
            event |= (self.edges | ~self.held) & 1 << names.index(cause)
        if event or (cause == "pin" and names and not changed):
            node.unsampled = True
            node.alarm()
            node.pins_masked = 0 <= now - self.event_at < _QUICK_S
            self.event_at = now
        self.held = active
        if self.closed_at and now - self.closed_at >= _SETTLED_S and cause != "ring":
            pins, awake = node.board.pins, False
            if pins.get("status"):
                node.connect()
                awake = not node.modem.sleeps_powered
            self.in_a_row = min(self.in_a_row + 1, 255) if awake else 0
            if awake:
                node.module_awake = min(node.module_awake + 1, 65535)
                # Without a key nobody could switch it on again.
                node.module_off = node.module_off or (self.in_a_row >= _SLEEPLESS and pins.number("power_key") is not None)
        node.warn("module", "module does not sleep" if self.in_a_row >= _SLEEPLESS else "")

    def _active(self, node: "Node") -> int:
        pins = node.board.pins
        return sum([1 << i for i in range(len(node.wake_on)) if pins.get(node.wake_on[i])])

    def before_sleep(self, node: "Node", now: int) -> None:
        """Have the next wake at once where a pin moved since the last look: the board would await its next edge only."""
        if not node.pins_masked and (self._active(node) ^ self.held) & self.edges:
            node.sampling.served = None

    def after_contact(self, node: "Node", reached: bool) -> None:
        """Note when the module was sent to sleep."""
        self.closed_at = 0 if node.module_off else max(1, node.clock.now())
        if node.module_off:
            self.in_a_row = 0

    def rebase(self, node: "Node", moved: int) -> None:
        """Follow a step of the clock."""
        self.event_at = max(0, self.event_at + moved)
        self.closed_at = max(1, self.closed_at + moved) if self.closed_at else 0

    def dump(self) -> bytes:
        """Return what the next wake compares with."""
        return pack(_FORMAT, self.held, self.in_a_row, self.node.module_awake, self.closed_at, self.event_at)

    def attach(self, node: "Node") -> None:
        """Know the node."""
        self.node = node
        self.edges = sum([1 << i for i in range(len(node.wake_on)) if node.wake_on[i] != "ring"])

    def load(self, data: bytes) -> bool:
        """Take it up."""
        if len(data) != self.SIZE:
            return False
        self.held, self.in_a_row, self.node.module_awake, self.closed_at, self.event_at = unpack(_FORMAT, data)
        return True


FEATURE = Pins
