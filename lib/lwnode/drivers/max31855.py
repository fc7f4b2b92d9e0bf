"""A thermocouple by Maxim's MAX31855 on SPI: object 3303, a quarter of a degree. An example of a chip on SPI.

    machine = board.machine
    spi = machine.SPI(0, baudrate=1000000, sck=machine.Pin(18), mosi=machine.Pin(19), miso=machine.Pin(20))
    max31855.add(tree, spi, machine.Pin(21, machine.Pin.OUT, value=1))       # chip select

The chip converts by itself, ten times a second; 32 bits are read: 14 of the thermocouple, a fault, 12 of the cold junction,
three kinds of fault (data sheet, table 2). Behind a power pin give power_ms=200. Zeros or ones throughout are no chip at all.
"""

from lwnode.drivers.shared import merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Sensor

_FAULTS = ("not connected", "shorted to ground", "shorted to the supply")


def add(tree: "Any", spi: "Any", select: "Any", instance: int = 0, **row: "Any") -> "Sensor":
    """Add the row; select: the pin of chip select, which rests high."""
    frame = bytearray(4)

    def read() -> float:
        select.value(0)
        try:
            spi.readinto(frame)
        finally:
            select.value(1)
        if frame[0] == frame[1] == frame[2] == frame[3] and frame[0] in (0, 0xFF):
            raise OSError("MAX31855: nothing but zeros or ones; check its supply and the wire of MISO")
        for bit in range(3):
            if frame[3] >> bit & 1:
                raise ValueError("MAX31855: the thermocouple is " + _FAULTS[bit])
        raw = frame[0] << 6 | frame[1] >> 2
        return (raw - 0x4000 if raw & 0x2000 else raw) / 4

    added: "Sensor" = tree.sensor(3303, read, instance, **merged(row, resolution=0.25, range=(-270, 1800)))
    return added
