"""Sensors on I2C: HTS221 and LPS22H by micropython-lib's drivers (mip install hts221 lps22h), and an MCP9808.

    from hts221 import HTS221
    from lps22h import LPS22H

    i2c.add_hts221(tree, HTS221(board.i2c()))
    i2c.add_lps22h(tree, LPS22H(board.i2c()), instance=1)
    i2c.add_mcp9808(tree, board.i2c(), instance=2)

Give a driver that sets its chip up once to a chip that stays powered; for one behind a power pin, make the driver in `start`
and give warm_up_ms=1000 (HTS221, LPS22H: one measurement a second) or 250 (MCP9808, its data sheet table "conversion time").
What a chip holds before its first measurement is zeros: no reading.
"""

from lwnode.drivers.shared import merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Sensor


def add_hts221(tree: "Any", chip: "Any", instance: int = 0, **row: "Any") -> "tuple[Sensor, Sensor]":
    """Add rows of objects 3303 and 3304 for ST's HTS221. Its curve may give a little less than 0 or more than 100."""

    def measured() -> None:
        # HUMIDITY_OUT and TEMP_OUT, 0x28 to 0x2B: zeros until the first measurement (data sheet section 7).
        if not any(chip.bus.readfrom_mem(chip.slv_addr, 0xA8, 4)):
            raise ValueError("HTS221: nothing measured since it had power")

    def temperature() -> float:
        measured()
        return float(chip.temperature())

    def humidity() -> float:
        measured()
        value = float(chip.humidity())
        if -5 <= value < 0:
            return 0.0
        return 100.0 if 100 < value <= 105 else value

    return (
        tree.sensor(3303, temperature, instance, **merged(row, resolution=0.1, range=(-40, 120))),
        tree.sensor(3304, humidity, instance, **merged(row, resolution=0.5, range=(0, 100))),
    )


def add_lps22h(tree: "Any", chip: "Any", instance: int = 0, **row: "Any") -> "tuple[Sensor, Sensor]":
    """Add rows of objects 3315 (the driver's hPa become Pa) and 3303 for ST's LPS22HB and LPS22HH."""

    def temperature() -> float:
        value = float(chip.temperature())
        if not value and not chip.pressure():
            raise ValueError("LPS22H: nothing measured since it had power")
        return value

    return (
        tree.sensor(3315, chip.pressure, instance, **merged(row, resolution=1, range=(26000, 126000), scale=100)),
        tree.sensor(3303, temperature, instance, **merged(row, resolution=0.1, range=(-40, 85))),
    )


def add_mcp9808(tree: "Any", bus: "Any", instance: int = 0, address: int = 0x18, **row: "Any") -> "Sensor":
    """Add a row of object 3303 for Microchip's MCP9808, read by its ambient register alone (data sheet section 5.2.3).

    It holds 0.0 until the first conversion. A measured 0.0 has the flag "not below the critical limit", unless that limit was
    set: then the first 0.0 after a start is refused, until another value has come.
    """
    seen: "list[bool]" = []

    def temperature() -> float:
        high, low = bus.readfrom_mem(address, 5, 2)
        raw = (high & 31) << 8 | low
        if raw:
            seen[:] = [True]
        elif not seen and not high & 0xE0:
            raise ValueError("MCP9808: no conversion since it had power")
        return float(raw - 0x2000 if raw & 0x1000 else raw) / 16

    added: "Sensor" = tree.sensor(3303, temperature, instance, **merged(row, resolution=0.0625, range=(-40, 125)))
    return added
