"""DHT22 (AM2302): temperature and humidity over one wire, by micropython-lib's driver (mip install dht).

    from dht import DHT22

    dht22.add(tree, DHT22(Pin(15)))

One transfer serves both rows. The chip answers with its last measurement and starts the next, and wants two seconds between
transfers; the driver checks the sum.
"""

from lwnode.drivers.shared import Shared, merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Sensor


def add(tree: "Any", chip: "Any", instance: int = 0, **row: "Any") -> "tuple[Sensor, Sensor]":
    """Add rows of objects 3303 and 3304."""

    def read() -> "tuple[float, float]":
        chip.measure()
        return chip.temperature(), chip.humidity()

    probe = Shared(read)
    row = merged(row, resolution=0.1, start=probe.start)
    return (
        tree.sensor(3303, probe.part(0), instance, **merged(row, range=(-40, 80))),
        tree.sensor(3304, probe.part(1), instance, **merged(row, range=(0, 100))),
    )
