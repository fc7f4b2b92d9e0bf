"""What this node measures and what it can do: one row each. Edit this file; main.py calls `declare` once per start.

A sensor row: object, how to read it, instance, unit (SenML), resolution of the text on the wire, range of the sensor,
and the reporting rules (pmin, pmax, gt, lt, st, deadband). Without a rule every reading is reported.
An actuator row: object and what a write does; raising `Reject(code)` refuses it.
"""

from sht3x import Sht3x

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def declare(tree: "Any", board: "Any") -> None:
    """Add this node's rows: temperature 3303/0, humidity 3304/0 and one relay 3306/0."""
    probe = Sht3x(board.i2c(), board.clock)
    tree.sensor(3303, probe.temperature, unit="Cel", resolution=0.01, range=(-40, 125))
    tree.sensor(3304, probe.humidity, unit="%RH", resolution=0.01, range=(0, 100))

    tree.actuator(3306, lambda on: board.pins.set("relay", on), initial=False)
