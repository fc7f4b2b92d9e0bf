"""The battery as object 3411: charge in percent, voltage, and whether it is below the server's threshold.

    battery.add(tree, board.battery_mv)                       # two AA cells
    battery.add(tree, board.battery_mv, curve=battery.LI_ION)

The charge is read off a curve of rest voltages; take it before the module transmits. A curve is pairs of (mV, percent),
rising. Threshold 3411/0/5 (20 percent at first) may be written by the server and survives sleep; 3411/0/6 follows.
A board that cannot measure gives None, a wire that is off gives 0 mV: no reading, counted.
"""

from micropython import const

from lwnode.drivers.shared import merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from lwnode.lwm2m import Sensor

    Curve = tuple[tuple[int, int], ...]

# Rest voltages, rounded from the manufacturers' discharge curves at 20 degrees and small loads.
ALKALINE_2 = ((2000, 0), (2200, 10), (2400, 30), (2600, 60), (2800, 80), (3000, 95), (3200, 100))
LI_ION = ((3300, 0), (3500, 10), (3650, 25), (3750, 50), (3900, 75), (4050, 90), (4200, 100))
# Lithium thionyl chloride is flat until it ends: the percentage is a warning, not a gauge.
LI_SOCL2 = ((3000, 0), (3300, 5), (3500, 20), (3600, 100))

_LEVEL = const(1)
_VOLTAGE = const(3)
_THRESHOLD = const(5)
_TOO_LOW = const(6)


def level(battery_mv: int, curve: "Curve") -> int:
    """Percent of charge by a curve, 0 to 100."""
    below = curve[0]
    for point in curve:
        if battery_mv < point[0]:
            if point is curve[0]:
                return point[1]
            return below[1] + (point[1] - below[1]) * (battery_mv - below[0]) // (point[0] - below[0])
        below = point
    return below[1]


def add(
    tree: "Any", read_mv: "Callable[[], int | None]", instance: int = 0, curve: "Curve" = ALKALINE_2, **row: "Any"
) -> "Sensor":
    """Add the battery's row; read_mv gives millivolts or None."""

    def read() -> "dict[int, float | int | bool] | None":
        millivolts = read_mv()
        if millivolts is None:
            return None
        if millivolts <= 0:
            raise ValueError("battery of {} mV: no node runs on that, check the divider's wire".format(millivolts))
        charge = level(millivolts, curve)
        return {_LEVEL: charge, _VOLTAGE: millivolts / 1000, _TOO_LOW: charge < added.setting(_THRESHOLD, 20)}

    row = merged(row, values={_THRESHOLD: 20})
    added: "Sensor" = tree.sensor(3411, read, instance, resources=(_LEVEL,), **row)
    return added
