"""ESP32, S3, C3, C6: deep sleep that does not return, RTC memory, NVS.

    board.retained.size                -> 2036    RTC memory less a header of ours
    board.reset_cause()                -> "brown_out"   the port itself says power-on: our header was still in RTC memory

Reset causes: the port maps brown-out to PWRON_RESET and a panic to HARD_RESET (ports/esp32/modmachine.c), so a
marker in RTC memory tells them apart: header present at power-on means the supply only dipped; HARD_RESET without a
"planned" mark is a panic.

Read hazard: RTC().memory() copies a stored length, unchecked, into a buffer of 2048 bytes on the stack
(ports/esp32/ machine_rtc.c). A weak brown-out that leaves the magic and spoils the length makes each read a panic,
at every boot. A flag in NVS is raised before the first read and lowered after it; found raised, the memory is
emptied (the write path checks lengths) before anything is read. A wake from deep sleep needs no flag: its RTC
domain kept its supply.
"""

import random
from binascii import crc32
from struct import pack_into, unpack_from

from micropython import const

from lwnode.board.base import Board as Base
from lwnode.board.base import Unsupported

_RTC_BYTES = const(2048)
_HEAD = const("<HHHHI")  # magic, mark, which outputs are active (by alphabet), id of the count, crc32 of what precedes
_HEAD_BYTES = const(12)
_MAGIC = const(0x4C42)
_RUNNING = const(1)
_SLEEPING = const(2)
_PLANNED = const(3)
_LONGEST_MS = const(2000000000)  # deepsleep() takes a 32-bit count of milliseconds: 24.8 days
_LIGHT_SLEEP_MS = const(50)
_PWRON = const(1)
_HARD = const(2)
_WDT = const(3)
_DEEPSLEEP = const(4)
_SOFT = const(5)
_TIMER_WAKE = const(4)
_HAZARD = const("rtc_read")
_NVS_BYTES = const(1984)  # what fits into one NVS page
_NOT_FOUND = const(-0x1102)  # ESP_ERR_NVS_NOT_FOUND
_TOO_SHORT = const(-0x110C)  # ESP_ERR_NVS_INVALID_LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class RtcMemory:
    """RTC memory less our header. Content is whatever survived: RetainedState checks it."""

    size = _RTC_BYTES - _HEAD_BYTES

    def __init__(self, machine: "Any") -> None:
        self._rtc = machine.RTC()
        # Head and content as they lie in RTC memory, allocated once: 2 KB in one piece is much of a board's heap.
        self._raw = bytearray(_RTC_BYTES)
        self.shared = memoryview(self._raw)[_HEAD_BYTES:]
        self._end = _HEAD_BYTES
        self._mark = _RUNNING
        self.outputs = 0
        self.count_id = 0
        self.found_mark = 0

    def read(self, store: "NvsStore", cause: int) -> bool:
        """Read it once, at boot, past its hazard; True when the last read never came back."""
        spoilt = False
        guarded = cause != _DEEPSLEEP
        try:
            if guarded:
                spoilt = bool(store.load(_HAZARD) == b"1")
                if spoilt:
                    self._rtc.memory(b"")  # repairs a spoilt length too
                else:
                    store.save(_HAZARD, b"1")
        except OSError:
            guarded = False  # NVS fails: what lies in RTC memory is worth more than the guard against its hazard
        raw = self._rtc.memory()
        if len(raw) >= _HEAD_BYTES:
            magic, mark, outputs, count_id, check = unpack_from(_HEAD, raw, 0)
            if magic == _MAGIC and crc32(raw[: _HEAD_BYTES - 4]) == check:
                self.found_mark, self.outputs, self.count_id = mark, outputs, count_id
                self._end = len(raw)
                self._raw[: self._end] = raw
        if guarded:
            try:
                store.save(_HAZARD, b"0")
            except OSError:
                pass
        return spoilt

    def load(self) -> bytes:
        """Return what the last save() left, or b""."""
        return bytes(self._raw[_HEAD_BYTES : self._end])

    def save(self, data: "bytes | bytearray") -> None:
        """Replace it (up to 2036 bytes)."""
        self._end = _HEAD_BYTES + len(data)
        self._raw[_HEAD_BYTES : self._end] = data
        self.write(self._mark)

    def write(self, mark: int) -> None:
        """Write payload and mark."""
        self._mark = mark
        pack_into("<HHHH", self._raw, 0, _MAGIC, mark, self.outputs, self.count_id)
        pack_into("<I", self._raw, _HEAD_BYTES - 4, crc32(self._raw[: _HEAD_BYTES - 4]))
        self._rtc.memory(memoryview(self._raw)[: self._end])


class NvsStore:
    """Named bytes in an NVS namespace (MicroPython's esp32.NVS): own partition, own CRC, nothing counts before commit()."""

    def __init__(self, esp32: "Any") -> None:
        self._nvs = esp32.NVS("lwnode")

    def load(self, name: str) -> bytes | None:
        """Return what was saved under name (15 characters at most), or None; OSError where NVS cannot be read now."""
        # Most are short: 2 KB in one piece are asked of the heap only where it must be.
        for size in (128, _NVS_BYTES):
            buffer = bytearray(size)
            try:
                return bytes(buffer[: self._nvs.get_blob(name[:15], buffer)])
            except OSError as error:
                if error.args[0] == _NOT_FOUND:
                    return None
                if error.args[0] != _TOO_SHORT or size == _NVS_BYTES:
                    raise
        return None

    def save(self, name: str, data: bytes) -> None:
        """Keep data (up to 1984 bytes). OSError where NVS is full."""
        if self.load(name) != data:
            self._nvs.set_blob(name[:15], data)
            self._nvs.commit()


class Board(Base):
    """An ESP32 board."""

    if TYPE_CHECKING:
        import esp32 as _esp32
        import machine

    port = "esp32"

    def __init__(self, definition: "Any", machine: "Any" = None, port: "Any" = None, clock: "Any" = None) -> None:
        if machine is None:
            import machine as machine_module

            machine = machine_module
        if port is None:
            import esp32 as port
        protected = NvsStore(port)
        retained = RtcMemory(machine)
        spoilt = retained.read(protected, machine.reset_cause())
        outputs = retained.outputs if machine.reset_cause() == _DEEPSLEEP else 0
        names = sorted(definition.PINS)
        super().__init__(definition, machine, clock, [name for i, name in enumerate(names) if outputs >> i & 1])
        self._esp32 = port
        self.protected = protected
        self.retained = retained
        # Undo what sleep held, or outputs stay frozen (MicroPython docs/esp32/quickref).
        if hasattr(port, "gpio_deep_sleep_hold"):
            self._esp32.gpio_deep_sleep_hold(False)
        for name in self.pins.outputs:
            self.pins.pin(name).init(hold=False)
        self._cause = self._find_cause(spoilt)
        self.clock.kept = self._cause not in ("power_on", "brown_out")
        if not self.clock.kept or not retained.count_id:
            retained.count_id = random.getrandbits(16) or 1  # where the head is lost, the count in the same domain is
        self.clock.count_id = retained.count_id
        self._wake = self._find_wake() if self._cause == "deep_sleep" else ""
        self.retained.write(_RUNNING)

    def _find_cause(self, spoilt: bool) -> str:
        cause = self.machine.reset_cause()
        mark = self.retained.found_mark
        if cause == _PWRON:
            return "brown_out" if mark or spoilt else "power_on"
        if cause == _HARD:
            return "brown_out" if spoilt else "planned" if mark == _PLANNED else "panic"
        return {_WDT: "watchdog", _DEEPSLEEP: "deep_sleep", _SOFT: "soft"}.get(cause, "hard")

    def _find_wake(self) -> str:
        machine = self.machine
        if machine.wake_reason() == _TIMER_WAKE:
            return "timer"
        # Before MicroPython 1.29 nobody says which: one that is active now is likely it.
        woken = machine.wake_pins() if hasattr(machine, "wake_pins") else ()
        for name in tuple(getattr(self.definition, "WAKE", ())) + ("ring", "ship"):
            number = self.pins.number(name)
            if number is not None and (number in woken or (not woken and self.pins.get(name))):
                return str(name)
        return "pin"

    def watchdog_stop(self) -> bool:
        """The task watchdog cannot be deleted: push its timeout out of reach (deep sleep itself stops it)."""
        if self._wdt is not None:
            self._wdt = self.machine.WDT(timeout=_LONGEST_MS // 1000)
            self._wdt_ms = 0
        return False

    def light_sleep(self, ms: int) -> bool:
        """Light sleep until the module's first byte, `ms` at most: the start bit pulls RX low, which wakes (ports/esp32/
        modmachine.c). That byte, and those of the millisecond or two that waking takes, are lost: the UART's clock stood still.

        Before anybody has asked for the UART, in a wake from deep sleep, it is a sensor that is waited for, and nothing wakes.

        False, and no time has passed, where it is not worth it or not to be had: below 50 ms, before MicroPython 1.27 (no
        wake_on_gpio), while the module's line is low (it is off), with LIGHT_SLEEP = False in the board file.
        """
        esp32, uart = self._esp32, self._uart
        allowed = hasattr(esp32, "wake_on_gpio") and getattr(self.definition, "LIGHT_SLEEP", True)
        if ms < _LIGHT_SLEEP_MS or not allowed or self.stay_awake() or uart is None and self._cause != "deep_sleep":
            return False
        if uart is not None:
            rx = self.machine.Pin(self.definition.UART["rx"])
            if not rx.value() or uart.any() or not uart.txdone():
                return False
            esp32.wake_on_gpio((rx,), False)
        self.machine.lightsleep(ms)
        esp32.wake_on_gpio((), False)  # or an ESP32 refuses its deep sleep: it cannot be woken from it that way
        return True

    def sleep(self, ms: int, wake_on: "tuple[str, ...]" = ()) -> str:
        """Deep sleep: does not return. Longer sleeps than 23 days end early: the schedule sleeps on."""
        self._sleep(wake_on, max(1, min(ms, _LONGEST_MS)))
        self.restart("deep sleep refused")  # the port resets by itself here; never fall through into the REPL
        return ""

    def _sleep(self, wake_on: "tuple[str, ...]", *ms: int) -> None:
        """Arm the wake pins, whose settings do not persist over sleep, hold the outputs, and sleep."""
        machine, esp32, pins = self.machine, self._esp32, self.pins
        self._uart_drain()
        if self._uart is not None:
            self._uart.deinit()
        armed = self._armed(wake_on)
        ext0, ext1, gpio = [getattr(esp32, "wake_on_" + way, None) for way in ("ext0", "ext1", "gpio")]
        if ext0 is not None:
            gpio = None  # of light sleep only, on the chips that have ext0
        elif armed and ext1 is gpio:
            raise Unsupported("this firmware cannot wake by a pin: MicroPython 1.27 or later has wake_on_gpio for this chip")
        original = self.definition.CHIP == "esp32"
        if original and len([name for name, at in armed if not at and not pins.level(name, True)]) > 1:
            raise Unsupported("the original ESP32 wakes when ALL low pins are low: wire at most one active-low wake pin")
        # ext0 takes one pin, ext1 and gpio one level for all theirs (ports/esp32/modesp32.c); low is ALL low to the original's
        # ext1. What finds no place, one pin of several that were left active, is seen at the next wake.
        more = 1 if original or 2 * sum([at for _, at in armed]) >= len(armed) else 0
        for level in (1 - more, more) if ext0 is not None else (more, 1 - more):
            group = tuple([pins.pin(name) for name, at in armed if at == level])
            if group and ext0 is not None and (level != more or len(group) == 1):
                ext0(group[0], bool(level))
                ext0 = None
            elif group:
                way = ext1 or gpio
                if way is not None:
                    way(group, bool(level))
                ext1, gpio = None, gpio if ext1 else None
        # Outputs are held: PWRKEY, reset and DTR, floating, wake or kill the module (LilyGo T-SIM7600X issue 50).
        outputs = 0
        for i, name in enumerate(sorted(self.definition.PINS)):
            if name in pins.outputs:
                active = name in pins.active
                outputs |= active << i
                pins.pin(name).init(machine.Pin.OUT, value=pins.level(name, active), hold=True)
        self.retained.outputs = outputs & 0xFFFF
        if hasattr(esp32, "gpio_deep_sleep_hold"):
            self._esp32.gpio_deep_sleep_hold(True)
        self.retained.write(_SLEEPING)
        self.machine.deepsleep(*ms)

    def restart(self, reason: str = "") -> None:
        """Restart; see lwnode.board.base.Board.restart."""
        self.retained.write(_RUNNING if reason == "crash" else _PLANNED)
        self.machine.reset()

    def ship(self) -> None:
        """Deep sleep without a timer until the ship pin."""
        self._sleep((self._release(),))
