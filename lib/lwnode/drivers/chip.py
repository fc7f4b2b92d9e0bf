"""The microcontroller's own temperature as a row of object 3303: a first sign of a hot box, not of the weather.

    chip.add_rp2(tree, ADC(4), instance=9)          # RP2040; ADC(8) on the RP2350 in its larger package
    chip.add_esp32(tree, esp32, instance=9)         # import esp32

RP2: 27 - (V - 0.706) / 0.001721 with V the voltage of the sensor's input (RP2040 datasheet section 4.9.5); one step of
the 12-bit converter is 0.47 degrees. ESP32: mcu_temperature() in degrees Celsius where the port has it (S2, S3, C3, C6),
raw_temperature() in degrees Fahrenheit on the first ESP32, where it is hardly better than 10 degrees.
"""

from lwnode.drivers.shared import merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Sensor

_RANGE = (-40, 125)


def add_rp2(tree: "Any", adc: "Any", instance: int = 0, **row: "Any") -> "Sensor":
    """Add the RP2's row; adc is the converter's temperature input, opened."""

    def read() -> float:
        return float(27 - (adc.read_u16() * 3.3 / 65535 - 0.706) / 0.001721)

    added: "Sensor" = tree.sensor(3303, read, instance, **merged(row, resolution=0.5, range=_RANGE))
    return added


def add_esp32(tree: "Any", esp32: "Any", instance: int = 0, **row: "Any") -> "Sensor":
    """Add the ESP32's row; esp32 is the port's module of that name."""

    def read() -> float:
        if hasattr(esp32, "mcu_temperature"):
            return float(esp32.mcu_temperature())
        return float(esp32.raw_temperature() - 32) / 1.8

    added: "Sensor" = tree.sensor(3303, read, instance, **merged(row, resolution=1, range=_RANGE))
    return added
