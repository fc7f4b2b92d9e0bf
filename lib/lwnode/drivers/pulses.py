"""Edges counted awake and asleep, for meters and rain gauges on an RP2 board: the pin is named "pulse" in board.py.

    gauge = pulses.Counter(board)                             # once: in declare() of sensors.py
    gauge.take()                       -> 42                  edges since the last take()

Counted by interrupt. Each edge wakes the core from light sleep for a moment: for some 20 Hz at most. An ESP32 cannot: PCNT
stands still in deep sleep, and MicroPython cannot assemble a program for its ULP.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Counter:
    """Edges of pin "pulse" towards its active level. ValueError where the port cannot, or the board has no such pin."""

    def __init__(self, board: "Any") -> None:
        if board.port != "rp2":
            raise ValueError("an ESP32 in deep sleep counts no pulses: use an external counter that keeps its count, "
                             "or an RP2 board, which wakes for each edge")
        pins, pin = board.pins, board.machine.Pin
        if pins.number("pulse") is None:
            raise ValueError('pulse counting needs "pulse" in PINS of boards/%s/board.py' % board.definition.NAME)
        self._count = 0
        pins.pin("pulse").irq(handler=self._edge, trigger=pin.IRQ_RISING if pins.level("pulse", True) else pin.IRQ_FALLING)

    def _edge(self, _pin: "Any") -> None:
        self._count += 1

    def take(self) -> int:
        """Return the edges since the last take()."""
        count = self._count
        self._count -= count
        return count
