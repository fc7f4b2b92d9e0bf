"""An RP2 whose power a timer cuts between wakes: nothing instead of a milliampere. Board files with TIMER open it.

    TIMER = {"chip": "tpl5110", "interval_s": 900}    PINS has "done", wired to DONE; the resistor says 900 s
    TIMER = {"chip": "ds3231"}                        on the bus of I2C; INT/SQW holds the switch while it is low

    board.sleep(900000)                -> does not return; the next life's reset_cause() is "planned" and its count goes on

The timer switches the board alone: the module keeps its supply, and its PSM. What is in RAM is flushed before (Node asks
`cuts_power`), count and its id go into a file, and the count goes on by the time passed: the TPL5110's interval, 1 % exact, or
what the DS3231 has counted. Asleep like this no pin is heard: boards/check.py refuses WAKE, ship and pulse.

Light sleep stays where it is better or nothing else works: shorter than a minute or than half of what the interval has left,
a computer on the cable, a timer that does not answer, or power that is still there a second later.

DS3231: sleeping sets its time to 2000-01-01 and alarm 1 to that much later, up to 27 days. Its interrupt line is low from then
until the alarm flag is cleared, so clearing it cuts the power. At the first start the line is high: hold the switch's button
for three seconds, until the alarm of each second has taken over. TPL5110: DONE is pulled down at reset, an RP2's pins too;
`awake_budget` must be shorter than the interval, at whose end it cuts the power anyway (TI SNAS650).
"""

from binascii import crc32
from struct import pack, unpack

from micropython import const

from lwnode.board.rp2 import Board as Rp2

_NOTE = const("switched")
_FORMAT = const("<III")  # the count's id, the count, seconds that pass without power
_SHORTEST_MS = const(60000)
_LONGEST_MS = const(2332800000)  # 27 days
_GONE_MS = const(1000)
_ADDRESS = const(0x68)
_CONTROL = const(0x0E)  # DS3231: battery-backed output, interrupt instead of square wave, alarm 1
_ALARM_1 = const(0x45)
_STATUS = const(0x0F)
_STOPPED = const(0x80)
_ALARMED = const(0x01)
_ENOENT = const(2)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def _bcd(value: int) -> int:
    return value // 10 << 4 | value % 10


def _tried(function: "Callable[[], Any]") -> "Any":
    """What function() gives, tried three times; False where it cannot be had now."""
    for _ in range(3):
        try:
            return function()
        except OSError:
            pass
    return False


class Board(Rp2):
    """An RP2040 or RP2350 board behind a TPL5110 or a DS3231."""

    cuts_power = True

    def __init__(self, definition: "Any", machine: "Any" = None, port: "Any" = None, clock: "Any" = None) -> None:
        super().__init__(definition, machine, port, clock)
        self._opened = int(self.clock.time())

    def _find_cause(self) -> str:
        """A cold boot with the note of our own sleep is "planned", and the count goes on in the scratch registers.

        A note or a time that cannot be read now is not absent: planned too, and the count begins anew.
        """
        cause = super()._find_cause()
        slept = _tried(self._counted) if self.definition.TIMER["chip"] == "ds3231" else 0  # first: it holds the switch
        note = _tried(self._taken)
        if cause not in ("power_on", "brown_out", "hard") or note is None or slept is None:
            return cause
        if note and slept is not False:
            seconds = note[1] + (slept or note[2])
            # lwnode.board.rp2: _COUNT_ID, _TIME and its check
            for register, value in ((1, note[0]), (5, seconds), (6, seconds ^ 0xFFFFFFFF)):
                self._poke(register, value)
        return "planned"

    def _taken(self) -> "tuple[int, int, int] | None":
        """Take the note of the sleep before: it counts once, or a failing battery would never look like one.

        None where there is none; OSError where it cannot be read now.
        """
        try:
            with open(_NOTE, "rb") as file:
                data = file.read()
        except OSError as error:
            if error.args[0] != _ENOENT:
                raise
            return None
        try:
            if data:
                open(_NOTE, "wb").close()
        except OSError:
            pass  # what has been read counts; a flash that cannot be written takes no note of the next sleep either
        return None if len(data) != 16 or pack("<I", crc32(data[:12])) != data[12:] else unpack(_FORMAT, data[:12])

    def _counted(self) -> "int | None":
        """Return the seconds that the DS3231 has counted since our sleep, None where it had stopped; hold the switch."""
        bus = self.i2c()
        second, minute, hour, _, date = [(byte >> 4) * 10 + (byte & 15) for byte in bus.readfrom_mem(_ADDRESS, 0, 5)]
        status = bus.readfrom_mem(_ADDRESS, _STATUS, 1)[0]
        if not status & _ALARMED:
            bus.writeto_mem(_ADDRESS, 7, b"\x80\x80\x80\x80")  # an alarm each second, which nobody clears
            bus.writeto_mem(_ADDRESS, _CONTROL, bytes([_ALARM_1]))
        return None if status & _STOPPED else (date - 1) * 86400 + hour * 3600 + minute * 60 + second

    def sleep(self, ms: int, wake_on: "tuple[str, ...]" = ()) -> str:
        """Have the power cut for ms; returns, as light sleep does, where that was no way."""
        count, interval = int(self.clock.time()), self.definition.TIMER.get("interval_s", 0)
        left_s = interval - (count - self._opened) % interval if interval else 0
        if ms < _SHORTEST_MS or ms < left_s * 500 or self.stay_awake():
            return super().sleep(ms, wake_on)
        begun = self.clock.ticks_ms()
        self._uart_drain()
        data = pack(_FORMAT, self.clock.count_id, count, left_s)
        try:
            with open(_NOTE, "wb") as file:
                file.write(data + pack("<I", crc32(data)))
            if interval:
                self.pins.pulse("done", 1)
            else:
                self._arm(min(ms, _LONGEST_MS) // 1000)
            self.clock.sleep_ms(_GONE_MS)
        except OSError:
            pass
        _tried(self._taken)  # somebody else feeds this board, or the timer does not answer
        return super().sleep(max(1, ms - self.clock.ticks_diff(self.clock.ticks_ms(), begun)), wake_on)

    def _arm(self, seconds: int) -> None:
        """Set the DS3231 to the begin of 2000 and its alarm to `seconds` later, then clear the flag that holds the switch."""
        bus = self.i2c()
        bus.writeto_mem(_ADDRESS, 0, b"\x00\x00\x00\x07\x01\x01\x00")
        bus.writeto_mem(_ADDRESS, 7, bytes([_bcd(seconds % 60), _bcd(seconds // 60 % 60), _bcd(seconds // 3600 % 24),
                                            _bcd(1 + seconds // 86400)]))
        bus.writeto_mem(_ADDRESS, _CONTROL, bytes([_ALARM_1]))
        bus.writeto_mem(_ADDRESS, _STATUS, b"\x00")
