"""DS18B20 thermometers on one 1-Wire bus, by micropython-lib's drivers (mip install onewire ds18x20).

    from onewire import OneWire
    from ds18x20 import DS18X20

    ds18b20.add(tree, DS18X20(OneWire(Pin(4))))                        # every thermometer found, instances 0, 1, ...
    ds18b20.add(tree, DS18X20(OneWire(Pin(4))), roms=(ATTIC, CELLAR))  # in an order that never changes

One command starts the conversion of all (750 ms at 12 bits, datasheet table 2), before the modem attaches. The driver
checks the CRC, which nine zeros of a bus held low have right; 85 degrees exactly is what the chip holds before its first
conversion (datasheet section "operation"), so it is no reading: supply or contact failed meanwhile.
"""

from micropython import const

from lwnode.drivers.shared import Shared, merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Sequence

    from lwnode.lwm2m import Sensor

_CONVERSION_MS = const(750)
_AT_POWER_ON = const(85)


def add(
    tree: "Any", bus: "Any", roms: "Sequence[bytes] | None" = None, instance: int = 0, **row: "Any"
) -> "list[Sensor]":
    """Add a row of object 3303 for each thermometer; OSError where the bus is empty. row: resolution, power, rules, ..."""
    found = list(bus.scan()) if roms is None else list(roms)
    if not found:
        raise OSError("no thermometer on the 1-Wire bus: check the pull-up of 4.7 kOhm and the supply")
    conversion = Shared(lambda: (True,), bus.convert_temp)
    row = merged(row, resolution=0.0625, range=(-55, 125), warm_up_ms=_CONVERSION_MS)
    return [
        tree.sensor(3303, _reader(bus, found[index], conversion), instance + index, start=conversion.start, **row)
        for index in range(len(found))
    ]


def _reader(bus: "Any", rom: bytes, conversion: Shared) -> "Callable[[], float]":
    def read() -> float:
        conversion.value(0)  # raises where the conversion could not be started
        value = bus.read_temp(rom)
        if not any(bus.buf):  # a real one has 0x10 in byte 7 (figure 8, "memory map")
            raise ValueError("a scratchpad of zeros: the 1-Wire bus is held low")
        if value == _AT_POWER_ON:
            raise ValueError("85 degrees: no conversion since the thermometer had power")
        return float(value)

    return read
