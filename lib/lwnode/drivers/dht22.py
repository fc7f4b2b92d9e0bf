"""DHT22 (AM2302): temperature and humidity over one wire, by micropython-lib's driver (mip install dht).

    from dht import DHT22

    dht22.add(tree, DHT22(Pin(15)))

One transfer serves both rows. The chip answers with its last measurement, a slot old, and starts the next: so the first answer
is thrown away and the row waits two seconds for its own (Aosong AM2302 product manual, section 7: "interval of more than two
seconds", and no command within two seconds of power-on). The driver checks the sum; five zeros have the right one.
"""

from micropython import const

from lwnode.drivers.shared import Shared, merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Sensor


_INTERVAL_MS = const(2000)


def add(tree: "Any", chip: "Any", instance: int = 0, **row: "Any") -> "tuple[Sensor, Sensor]":
    """Add rows of objects 3303 and 3304."""

    def read() -> "tuple[float, float]":
        chip.measure()
        temperature, humidity = chip.temperature(), chip.humidity()
        if not temperature and not humidity:
            raise ValueError("DHT22: a frame of zeros, check the pull-up")
        return temperature, humidity

    probe = Shared(read, chip.measure)
    row = merged(row, resolution=0.1, start=probe.start, power_ms=_INTERVAL_MS, warm_up_ms=_INTERVAL_MS)
    return (
        tree.sensor(3303, probe.part(0), instance, **merged(row, range=(-40, 80))),
        tree.sensor(3304, probe.part(1), instance, **merged(row, range=(0, 100))),
    )
