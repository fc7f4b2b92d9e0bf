"""A driver of one's own, from datasheet to rows: Sensirion SCD41, carbon dioxide, temperature and humidity on I2C.

    scd41.add(tree, board.i2c())

What to take from it: `start` begins what is slow (a single shot takes five seconds, the modem attaches meanwhile), `read`
ends it; a checksum that fails or a value that is none raises, and the mapper counts it; several rows share the measurement.
Between measurements the chip idles at some 0.2 mA: give its supply a pin (power=) where that is too much. The first shot
after power-on is thrown away, as the datasheet asks, and a second one taken: a round then takes eleven seconds.

Source: Sensirion SCD4x data sheet, sections 3.2 (a second from power-on to the first command), 3.5 to 3.10 (commands, a
millisecond from each to its answer, conversion) and 3.12 (CRC-8, polynomial 0x31, start 0xFF). Bounds: 9 bytes of buffer.
"""

from micropython import const

from lwnode.drivers.shared import Shared, merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from lwnode.lwm2m import Sensor

ADDRESS = const(0x62)
_SINGLE_SHOT = const(b"\x21\x9d")
_DATA_READY = const(b"\xe4\xb8")
_READ = const(b"\xec\x05")
_POWER_UP_MS = const(1000)
_SHOT_MS = const(5000)
_COMMAND_MS = const(2)  # one by the data sheet; a sleep may end within the tick in which it began


class Scd41:
    """One chip on an I2C bus; OSError where it does not answer, where a checksum is wrong, or nothing is ready.

    wait: ObjectTree.wait. state: a dict that survives sleep (ObjectTree.state), so that a chip that stays powered throws its
    first shot away once and not at each wake. powered: it gets its power anew for each round.
    """

    def __init__(
        self, bus: "Any", wait: "Callable[[int], None]", state: "dict[str, Any]", powered: bool = False, address: int = ADDRESS
    ) -> None:
        self._bus = bus
        self._wait = wait
        self._state = state
        self._powered = powered
        self._address = address
        self._raw = bytearray(9)

    def start(self) -> None:
        """Begin a single shot; it is ready after five seconds."""
        self._bus.writeto(self._address, _SINGLE_SHOT)

    def read(self) -> "tuple[int, float, float]":
        """(CO2 in ppm, temperature in Cel, humidity in %RH) of the last shot; the first since power-on is taken again."""
        if self._powered or not self._state.get("shot"):
            self._result()
            self.start()
            self._wait(_SHOT_MS)
            self._state["shot"] = 1
        carbon_dioxide, temperature, humidity = self._result()
        if not carbon_dioxide:
            raise ValueError("SCD41: 0 ppm is no air")
        return carbon_dioxide, -45 + 175 * temperature / 65535, 100 * humidity / 65535

    def _result(self) -> "list[int]":
        if not self._words(_DATA_READY, 1)[0] & 0x07FF:
            raise OSError("SCD41: no measurement is ready")
        return self._words(_READ, 3)

    def _words(self, command: bytes, count: int) -> "list[int]":
        self._bus.writeto(self._address, command)
        self._wait(_COMMAND_MS)
        view = memoryview(self._raw)[: 3 * count]
        self._bus.readfrom_into(self._address, view)
        words = []
        for at in range(0, 3 * count, 3):
            if crc8(view[at : at + 2]) != view[at + 2]:
                raise OSError("SCD41: wrong checksum")
            words.append(view[at] << 8 | view[at + 1])
        return words


def crc8(data: "bytes | memoryview") -> int:
    """Sensirion's checksum over the two bytes of a word."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x31) & 0xFF if crc & 0x80 else crc << 1
    return crc


def add(tree: "Any", bus: "Any", instance: int = 0, **row: "Any") -> "tuple[Sensor, Sensor, Sensor]":
    """Add rows of objects 3325, 3303 and 3304 on one chip; ValueError where the tree has no clock to wait by."""
    if tree.clock is None:
        raise ValueError("an SCD41 wants pauses: set tree.clock first, it is waited by")
    chip = Scd41(bus, tree.wait, tree.state("scd41/{}".format(instance)), "power" in row)
    probe = Shared(chip.read, chip.start)
    row = merged(row, start=probe.start, power_ms=_POWER_UP_MS, warm_up_ms=_SHOT_MS)
    gas = merged(row, unit="ppm", resolution=1, range=(0, 40000))
    return (
        tree.sensor(3325, probe.part(0), instance, **gas),
        tree.sensor(3303, probe.part(1), instance, **merged(row, resolution=0.1, range=(-10, 60))),
        tree.sensor(3304, probe.part(2), instance, **merged(row, resolution=0.1, range=(0, 100))),
    )
