"""A transmitter on a 4 to 20 mA loop as a row of any object: pressure, level, flow.

    loop.add(tree, 3323, lambda: board.millivolts(34), ohms=100, low=0, high=1000000)        # 0 to 10 bar in Pa
    loop.add(tree, 3330, read_mv, ohms=100, low=0, high=5, power=pin, power_ms=2000)         # a supply of its own

4 mA mean `low`, 20 mA `high`, a line in between; `ohms` turn the current into a voltage: 100 give 0.4 to 2 V, which fits an
ESP32's inputs (2.45 V with its attenuation) and an RP2's. Between 3.6 and 21 mA it is a reading, cut to low or high at its
ends; beyond it is none: a broken wire, or a fault that the transmitter tells (NAMUR NE 43).
"""

from lwnode.drivers.shared import merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from lwnode.lwm2m import Sensor


def add(tree: "Any", object_id: int, read_mv: "Callable[[], int]", ohms: float, low: float, high: float, instance: int = 0,
        **row: "Any") -> "Sensor":
    """Add the row; read_mv gives the millivolts across the resistor of so many ohms."""

    def read() -> float:
        current = read_mv() / ohms
        if current < 3.6:
            raise ValueError("{:.2f} mA: the loop is broken, or has no supply".format(current))
        if current > 21:
            raise ValueError("{:.2f} mA: a short circuit, or the transmitter tells a fault".format(current))
        return min(max(low + (high - low) * (current - 4) / 16, min(low, high)), max(low, high))

    added: "Sensor" = tree.sensor(object_id, read, instance, **merged(row, range=(min(low, high), max(low, high))))
    return added
