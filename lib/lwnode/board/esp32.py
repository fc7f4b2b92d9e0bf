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

from lwnode.board.base import Board as Base
from lwnode.board.base import Unsupported

_RTC_BYTES = 2048
_HEAD = "<HHHHI"  # magic, mark, which outputs are active (by alphabet), id of the count, crc32 of what precedes
_HEAD_BYTES = 12
_MAGIC = 0x4C42
_RUNNING = 1
_SLEEPING = 2
_PLANNED = 3
_LONGEST_MS = 2000000000  # deepsleep() takes a 32-bit count of milliseconds: 24.8 days
_PWRON, _HARD, _WDT, _DEEPSLEEP, _SOFT = 1, 2, 3, 4, 5
_TIMER_WAKE = 4
_HAZARD = "rtc_read"
_NOT_FOUND, _TOO_SHORT = -0x1102, -0x110C  # ESP_ERR_NVS_NOT_FOUND, ESP_ERR_NVS_INVALID_LENGTH

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

    def clear(self) -> None:
        """Empty it: also repairs a spoilt length."""
        self._rtc.memory(b"")

    def read(self) -> None:
        """Read it once, at boot."""
        raw = self._rtc.memory()
        if len(raw) < _HEAD_BYTES:
            return
        magic, mark, outputs, count_id, check = unpack_from(_HEAD, raw, 0)
        if magic == _MAGIC and crc32(raw[: _HEAD_BYTES - 4]) == check:
            self.found_mark = mark
            self.outputs = outputs
            self.count_id = count_id
            self._end = len(raw)
            self._raw[: self._end] = raw

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

    LIMIT = 1984  # what fits into one NVS page

    def __init__(self, esp32: "Any") -> None:
        self._nvs = esp32.NVS("lwnode")

    def load(self, name: str) -> bytes | None:
        """Return what was saved under name (15 characters at most), or None; OSError where NVS cannot be read now."""
        # Most are short: 2 KB in one piece are asked of the heap only where it must be.
        for size in (128, self.LIMIT):
            buffer = bytearray(size)
            try:
                return bytes(buffer[: self._nvs.get_blob(name[:15], buffer)])
            except OSError as error:
                if error.args[0] == _NOT_FOUND:
                    return None
                if error.args[0] != _TOO_SHORT or size == self.LIMIT:
                    raise
        return None

    def save(self, name: str, data: bytes) -> None:
        """Keep data (up to 1984 bytes). OSError where NVS is full."""
        if self.load(name) != data:
            self._nvs.set_blob(name[:15], data)
            self._nvs.commit()


def _read_retained(retained: RtcMemory, store: NvsStore, cause: int) -> bool:
    """Read RTC memory past its hazard; True when the last read never came back."""
    spoilt = False
    try:
        if cause != _DEEPSLEEP:
            spoilt = bool(store.load(_HAZARD) == b"1")
            if spoilt:
                retained.clear()
            else:
                store.save(_HAZARD, b"1")
        retained.read()
        if cause != _DEEPSLEEP:
            store.save(_HAZARD, b"0")
    except OSError:  # NVS fails: what lies in RTC memory is worth more than the guard against its hazard
        retained.read()
    return spoilt


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
        spoilt = _read_retained(retained, protected, machine.reset_cause())
        outputs = retained.outputs if machine.reset_cause() == _DEEPSLEEP else 0
        names = sorted(definition.PINS)
        super().__init__(definition, machine, clock, [name for i, name in enumerate(names) if outputs >> i & 1])
        self._esp32 = port
        self.protected = protected
        self.retained = retained
        self._release_outputs()
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
        woken = machine.wake_pins() if hasattr(machine, "wake_pins") else ()
        for name in self._wakeable():
            if self.pins.number(name) in woken or self.pins.get(name):
                return name
        return "pin"

    def _wakeable(self) -> list[str]:
        return [name for name in ("ring", "ship", "pulse", "stay_awake") if self.pins.number(name) is not None]

    def _release_outputs(self) -> None:
        """Undo what sleep held, or outputs stay frozen (MicroPython docs/esp32/quickref)."""
        if hasattr(self._esp32, "gpio_deep_sleep_hold"):
            self._esp32.gpio_deep_sleep_hold(False)
        for name in self.pins.outputs:
            self.pins.pin(name).init(hold=False)

    def _hold_outputs(self) -> None:
        """Hold every output: PWRKEY, reset and DTR, floating, wake or kill the module (LilyGo T-SIM7600X issue 50)."""
        machine = self.machine
        outputs = 0
        for i, name in enumerate(sorted(self.definition.PINS)):
            if name in self.pins.outputs:
                active = name in self.pins.active
                outputs |= active << i
                self.pins.pin(name).init(machine.Pin.OUT, value=self.pins.level(name, active), hold=True)
        self.retained.outputs = outputs & 0xFFFF
        if hasattr(self._esp32, "gpio_deep_sleep_hold"):
            self._esp32.gpio_deep_sleep_hold(True)

    def watchdog_stop(self) -> bool:
        """The task watchdog cannot be deleted: push its timeout out of reach (deep sleep itself stops it)."""
        if self._wdt is not None:
            self._wdt = self.machine.WDT(timeout=_LONGEST_MS // 1000)
            self._wdt_ms = 0
        return False

    def sleep(self, ms: int, wake_on: "tuple[str, ...]" = ()) -> str:
        """Deep sleep: does not return. Longer sleeps than 23 days end early: the schedule sleeps on."""
        self._uart_drain()
        if self._uart is not None:
            self._uart.deinit()
        self._arm(wake_on)
        self._hold_outputs()
        self.retained.write(_SLEEPING)
        self.machine.deepsleep(max(1, min(ms, _LONGEST_MS)))
        self.restart("deep sleep refused")  # the port resets by itself here; never fall through into the REPL
        return ""

    def _arm(self, wake_on: "tuple[str, ...]") -> None:
        """Arm wake pins: settings do not persist over sleep."""
        groups: dict[int, list[Any]] = {0: [], 1: []}
        for name, level in self._armed(wake_on):
            groups[level].append(self.pins.pin(name))
        for level in sorted(groups, key=lambda level: len(groups[level])):
            if groups[level]:
                self._arm_group(groups[level], level)

    def _arm_group(self, pins: "list[Any]", level: int) -> None:
        esp32 = self._esp32
        if hasattr(esp32, "wake_on_ext0") and len(pins) == 1:
            esp32.wake_on_ext0(pins[0], bool(level))
        elif hasattr(esp32, "wake_on_ext1"):
            if level == 0 and len(pins) > 1 and self.definition.CHIP == "esp32":
                raise Unsupported("the original ESP32 wakes when ALL low pins are low: wire at most one active-low wake pin")
            esp32.wake_on_ext1(tuple(pins), bool(level))
        elif hasattr(esp32, "wake_on_gpio"):
            esp32.wake_on_gpio(tuple(pins), bool(level))
        else:
            raise Unsupported("this firmware cannot wake by a pin: MicroPython 1.27 or later has wake_on_gpio for this chip")

    def restart(self, reason: str = "") -> None:
        """Restart; see lwnode.board.base.Board.restart."""
        self.retained.write(_RUNNING if reason == "crash" else _PLANNED)
        self.machine.reset()

    def ship(self) -> None:
        """Deep sleep without a timer until the ship pin."""
        self._uart_drain()
        self._arm((self._release(),))
        self._hold_outputs()
        self.retained.write(_SLEEPING)
        self.machine.deepsleep()

    def count_pulses(self) -> "Any":
        """PCNT stands still in deep sleep and MicroPython cannot assemble a ULP program for it."""
        raise Unsupported("an ESP32 in deep sleep counts no pulses: use an external counter that keeps its count, "
                          "or an RP2 board, which wakes for each edge")
