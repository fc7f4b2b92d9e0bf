"""What hangs on the host board's I2C bus: an SHT3x whose every conversion yields values never seen before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """One value that the node has read: `at_ms` on the runner's clock, `text` with the sensor's resolution of 0.01."""

    name: str
    text: str
    at_ms: int


def rising(name: str, number: int) -> float:
    """The default course: 0.01 more with each conversion, so that a reading is known by its value alone."""
    return {"temperature": 20.0, "humidity": 40.0}[name] + 0.01 * (number % 4000)


class Sht3x:
    """Sensirion SHT3x at its address: single shot command, six bytes (SHT3x-DIS datasheet, sections 4.3, 4.12, 4.13).

    `course(name, number)` gives the value of "temperature" (Celsius) or "humidity" (%RH) for conversion `number`, in
    steps of 0.01; `note(name, text)` is told what was measured.
    """

    def __init__(self, note: Callable[[str, str], None], course: Callable[[str, int], float] = rising) -> None:
        self.course = course
        self.conversions = 0
        self.broken = False  # no acknowledge on the bus
        self._note = note
        self._answer = b""

    def write(self, data: bytes) -> None:
        """A command: 24xx and 2Cxx start a conversion, others (reset, heater) are taken and ignored."""
        if self.broken:
            raise OSError("[Errno 19] ENODEV")
        if data[:1] in (b"\x24", b"\x2c"):
            temperature = self.course("temperature", self.conversions)
            humidity = self.course("humidity", self.conversions)
            self.conversions += 1
            self._note("temperature", f"{temperature:.2f}")
            self._note("humidity", f"{humidity:.2f}")
            self._answer = _word((temperature + 45) * 65535 / 175) + _word(humidity * 65535 / 100)

    def read(self, count: int) -> bytes:
        """The last conversion, once: a second read without a command is not acknowledged."""
        if self.broken or not self._answer:
            raise OSError("[Errno 19] ENODEV")
        answer, self._answer = self._answer, b""
        return answer[:count].ljust(count, b"\xff")


def _word(value: float) -> bytes:
    """Sixteen bits and their checksum. The rounding is below 0.002, so the text with two digits is exactly the course's."""
    data = round(value).to_bytes(2, "big")
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x31 if crc & 0x80 else crc << 1) & 0xFF
    return data + bytes([crc])
