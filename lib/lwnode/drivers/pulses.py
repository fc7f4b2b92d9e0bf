"""Edges: counted awake and asleep for meters and rain gauges (RP2), or their rate in a window for wind and flow (both ports).

    gauge = pulses.Counter(board)                             # once, in declare() of sensors.py; "pulse" in PINS of board.py
    gauge.take()                       -> 42                  edges since the last take()

    pulses.add_rate(tree, board, "flow", unit="Hz")           # 3318; "flow" in PINS and in INPUTS
    pulses.add_rate(tree, board, "wind", 3346, window_ms=5000, scale=0.667, unit="m/s")

Counter counts by interrupt; each edge wakes the core from light sleep for a moment: for some 20 Hz at most. An ESP32 cannot:
in deep sleep its pulse counter stands still, and this project has no program for its coprocessor (esp32.ULP loads one). Take a
counter chip that keeps its count there. The rate is counted while the module attaches: by machine.Counter where there is one
(ESP32 from MicroPython 1.26 on, on every chip but the C3), to some MHz, else by interrupt, to some kHz.
"""

from lwnode.drivers.shared import merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Sensor


class Edges:
    """Edges of a pin towards its active level since start()."""

    def __init__(self, board: "Any", name: str) -> None:
        if board.pins.number(name) is None:
            raise ValueError('pulse counting needs "%s" in PINS of boards/%s/board.py' % (name, board.definition.NAME))
        self._board, self._name = board, name
        self._count = 0
        self._counter: "Any" = None

    def start(self) -> None:
        """Begin to count."""
        machine, pins = self._board.machine, self._board.pins
        pin, rising = pins.pin(self._name), pins.level(self._name, True)
        self._count = 0
        if hasattr(machine, "Counter"):
            if self._counter is None:
                edge = machine.Counter.RISING if rising else machine.Counter.FALLING
                self._counter = machine.Counter(0, pin, edge=edge, filter_ns=1000)
            self._counter.value(0)
        else:
            pin.irq(handler=self._edge, trigger=machine.Pin.IRQ_RISING if rising else machine.Pin.IRQ_FALLING)

    def _edge(self, _pin: "Any") -> None:
        self._count += 1

    def take(self) -> int:
        """Return the edges since start(), or the last take()."""
        if self._counter is not None:
            return int(self._counter.value(0))
        count = self._count
        self._count -= count
        return count


class Counter(Edges):
    """Edges of pin "pulse", asleep too. ValueError where the port cannot, or the board has no such pin."""

    def __init__(self, board: "Any") -> None:
        if board.port == "esp32":
            raise ValueError("an ESP32 in deep sleep counts no pulses: use an external counter that keeps its count, "
                             "or an RP2 board, which wakes for each edge")
        super().__init__(board, "pulse")
        self.start()


class Rate(Edges):
    """Edges per second, of a window that start() opens and read() closes."""

    def start(self) -> None:
        """Open the window."""
        super().start()
        self._since = self._board.clock.ticks_ms()

    def read(self) -> float:
        """Close the window: edges per second."""
        clock = self._board.clock
        count, passed = self.take(), clock.ticks_diff(clock.ticks_ms(), self._since)
        if self._counter is None:
            self._board.pins.pin(self._name).irq(handler=None)
        return float(count * 1000 / max(passed, 1))


def add_rate(tree: "Any", board: "Any", name: str, object_id: int = 3318, instance: int = 0, window_ms: int = 3000,
             **row: "Any") -> "Sensor":
    """Add a row of what a pin's edges per second mean: `scale` makes them metres per second, litres per minute."""
    rate = Rate(board, name)
    added: "Sensor" = tree.sensor(object_id, rate.read, instance, **merged(row, start=rate.start, warm_up_ms=window_ms))
    return added
