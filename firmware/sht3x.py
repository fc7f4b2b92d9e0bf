"""A worked example of a driver of one's own: Sensirion SHT3x, temperature and relative humidity on I2C.

    >>> probe = Sht3x(board.i2c(), board.clock)
    >>> probe.measure()
    (21.43, 48.2)

One conversion serves both rows of sensors.py: the second asks within `FRESH_MS` and gets what the first measured.
Bounds: 6 bytes of buffer, 16 ms per conversion. Source: Sensirion SHT3x-DIS datasheet, sections 2.2 (1 ms from power-on to the
first command), 4.3 (single shot, high repeatability, no clock stretching), 4.12 (CRC-8, polynomial 0x31, start 0xFF) and 4.13
(conversion formulas). Both words zero or all ones are the ends of its scale, which no air reaches: no reading.
"""

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ADDRESS = const(0x44)
FRESH_MS = const(500)
_SINGLE_SHOT = b"\x24\x00"
_CONVERSION_MS = const(16)


class Sht3x:
    """One sensor on an I2C bus; `measure` returns (degrees Celsius, percent relative humidity).

    Raises OSError when the sensor does not answer or its checksum is wrong: the mapper counts that, nothing is sent.
    """

    def __init__(self, bus: "Any", clock: "Any", address: int = ADDRESS) -> None:
        self._bus = bus
        self._clock = clock
        self._address = address
        self._raw = bytearray(6)
        self._measured: "int | None" = None

    def measure(self) -> "tuple[float, float]":
        """Return temperature (Cel) and humidity (%RH), measured now or at most `FRESH_MS` ago."""
        clock = self._clock
        if self._measured is None or clock.ticks_diff(clock.ticks_ms(), self._measured) > FRESH_MS:
            self._measured = None
            self._convert()
            self._measured = clock.ticks_ms()
        raw = self._raw
        return (-45 + 175 * (raw[0] << 8 | raw[1]) / 65535, 100 * (raw[3] << 8 | raw[4]) / 65535)

    def temperature(self) -> float:
        """Return the temperature in degrees Celsius."""
        return self.measure()[0]

    def humidity(self) -> float:
        """Return the relative humidity in percent."""
        return self.measure()[1]

    def _convert(self) -> None:
        self._bus.writeto(self._address, _SINGLE_SHOT)
        self._clock.sleep_ms(_CONVERSION_MS)
        self._bus.readfrom_into(self._address, self._raw)
        for start in (0, 3):
            if _crc8(self._raw, start) != self._raw[start + 2]:
                raise OSError("SHT3x: checksum of the answer is wrong; check the wiring and the pull-ups of the bus")
        if self._raw[:2] == self._raw[3:5] and bytes(self._raw[:2]) in (b"\x00\x00", b"\xff\xff"):
            raise OSError("SHT3x: nothing but zeros or ones; check its supply")


def _crc8(data: bytearray, start: int) -> int:
    crc = 0xFF
    for index in range(start, start + 2):
        crc ^= data[index]
        for _ in range(8):
            crc = (crc << 1 ^ 0x31 if crc & 0x80 else crc << 1) & 0xFF
    return crc
