"""What a board is: its clock, its pins and wires, what it retains, and what a process of it asks for.

    board = Hardware("esp32", folder, pty_path, control_port, speed=60)      the base of life.Life and runner.HostBoard
    board.world_ms, board.events, board.readings, board.outputs             what happened so far

A process asks in JSON (modules/common/_host.py); `_on_NAME` answers the message of that name. Bounds: one SHT3x is the only
device on the I2C bus; a baud rate that the module does not have is noticed by the node, not here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boards.check import CHIPS

from . import definition
from .registers import Registers
from .repl import Repl
from .sensors import Reading, Sht3x, rising
from .wire import Control

ROOT = Path(__file__).resolve().parent.parent.parent
EVENTS = ("boot", "sleep", "reset", "soft_reset", "watchdog", "brown_out", "panic", "power_cut", "reset_button",
          "repl", "at_repl", "crash", "locked_up", "dormant", "floating", "output")  # fmt: skip
# A node in the field would be dead, or awake until the battery is; floating: an output that nothing holds in deep sleep.
FATAL = ("repl", "crash", "locked_up", "dormant", "floating")
TO_MODEM = ("power_key", "reset", "wake")
FROM_MODEM = ("status", "ring")
SHT3X_ADDRESS = 0x44
USB_STATUS, USB_CONNECTED = 0x50110050, 0x10000  # RP2040 and RP2350, USB SIE_STATUS
UNIX_2000, UNIX_2021 = 946684800, 1609459200
SLICE_MS = 60_000  # the module's clock is moved on in steps no longer than this
RX_MS = 20  # how soon a byte ends a light sleep at the latest; a chip takes a millisecond or two
JOIN_MS = 80  # a board awake for less than this between two light sleeps was only feeding its watchdog

ESP32_CAUSES = {"power_on": 1, "brown_out": 1, "reset_button": 1, "reset": 2, "panic": 2, "watchdog": 3, "deepsleep": 4,
                "soft_reset": 5}  # fmt: skip  # ports/esp32/modmachine.c
RP2_CAUSES = {"power_on": 1, "brown_out": 1, "reset_button": 1}  # all others are WDT_RESET: ports/rp2/modmachine.c
MACHINES = {"esp32": "Generic ESP32 module with ESP32", "esp32s3": "Generic ESP32S3 module with ESP32S3",
            "esp32c3": "Generic ESP32C3 module with ESP32C3", "esp32c6": "Generic ESP32C6 module with ESP32C6",
            "rp2040": "Raspberry Pi Pico with RP2040", "rp2350": "Raspberry Pi Pico2 with RP2350"}


@dataclass(frozen=True)
class Event:
    """Something that happened to the board; `detail` depends on the name: reset cause, ms of sleep, text."""

    at_ms: int
    name: str
    detail: Any = None


@dataclass
class Wake:
    """One time awake."""

    at_ms: int
    cause: str
    awake_ms: int = 0
    lightly_ms: int = 0  # of which an ESP32 slept lightly, waiting


class Refused(Exception):
    """An answer that user code sees as an exception."""


@dataclass
class Retained:
    """What outlives a process, and what ends it: RTC memory or scratch with the power, NVS and flash with nothing."""

    rtc_memory: str = ""
    rtc_offset_ms: int = 0
    nvs: dict[str, Any] = field(default_factory=dict)


class Hardware:
    """The board without its processes: see runner.HostBoard for what the arguments mean."""

    def __init__(self, port: str, folder: str | Path, pty_path: str | None, control_port: int | None, *, speed: float = 1.0,
                 heap: str = "240k", baudrate: int = 115200, battery_mv: int = 3600, drift_ppm: int = 0, flash_kb: int = 2048,
                 ticks: int = 0, course: Callable[[str, int], float] = rising, on_event: Callable[[Event], None] | None = None,
                 on_console: Callable[[str], None] | None = None, micropython: str | None = None,
                 repl: bool = False) -> None:  # fmt: skip
        if port not in ("esp32", "rp2"):
            raise ValueError(f"port must be esp32 or rp2, not {port!r}")
        self.port, self.folder, self.speed, self.heap = port, Path(folder), speed, heap
        self.baudrate, self.battery_mv, self.drift_ppm, self.ticks = baudrate, battery_mv, drift_ppm, ticks
        self.on_event, self.on_console, self.flash_kb = on_event, on_console, flash_kb
        self.readings: list[Reading] = []
        self.events: list[Event] = []
        self.wakes: list[Wake] = []
        self.outputs: dict[str, int] = {}
        self.inputs: dict[str, bool] = {}
        self.adc: dict[int, int] = {}
        self.usb_host = False  # a computer on an RP2's USB
        self.unique_id = "a4cf12d03e58" if port == "esp32" else "e6614c311b7f3a2d"
        self.sensor = Sht3x(lambda name, text: self.readings.append(Reading(name, text, self.world_ms)), course)
        self._micropython = micropython or os.environ.get("MICROPYTHON") or str(ROOT / ".venv/bin/micropython")
        self._control = Control(control_port)
        self.repl: Repl | None = Repl() if repl else None
        self._pty_path, self._tty, self._far_end = pty_path, -1, -1
        self._registers: Registers | None = None
        self._retained = Retained()
        self._rtc_pieces = ""
        self._definition = definition.Definition()
        self._began = time.monotonic()
        self._skipped_ms = 0.0
        self._injected: tuple[str, Any] | None = None
        self._disturbed = asyncio.Event()
        self._changed = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._life: asyncio.Task[None] | None = None
        self._watchdog_ms = 0
        self._watchdog_fed = 0.0
        self._held: set[str] = set()  # outputs whose pads keep their level through deep sleep
        self._wake_on: dict[str, tuple[list[int], int]] = {}  # pins, and the level that ends sleep, by way: ext0, a pin's irq
        self._wake_reason = 0
        self._repl_mode = "friendly" if repl else ""
        self._awake_since = 0.0
        self._worked = False

    @property
    def chip(self) -> str:
        """The board file's CHIP; where there is no such file, the port's first."""
        return self._definition.chip or {"esp32": "esp32", "rp2": "rp2040"}[self.port]

    @property
    def flash(self) -> Path:
        """The folder that is the board's file system."""
        return self.folder / "flash"

    @property
    def rom(self) -> Path:
        """The image of the board's memory-mapped flash, where burn() has made one."""
        return self.folder / "rom.img"

    def _note(self, name: str, detail: Any = None) -> None:
        event = Event(self.world_ms, name, detail)
        self.events.append(event)
        if self.on_event:
            self.on_event(event)
        self._changed.set()

    # Time.

    @property
    def world_ms(self) -> int:
        """Milliseconds since start, with every sleep in full."""
        return int((time.monotonic() - self._began) * 1000 + self._skipped_ms)

    async def _pass(self, ms: float) -> bool:
        """Let `ms` pass in ms / speed; False if something was injected or a wake pin moved meanwhile."""
        end = self.world_ms + ms
        while (left := end - self.world_ms) > 0:
            piece = min(left, SLICE_MS, max(left / 8, 1000) if not self._hears() else RX_MS)
            began = time.monotonic()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._disturbed.wait(), piece / self.speed / 1000)
            real = (time.monotonic() - began) * 1000
            skip = min(piece, real * self.speed) - real if self._disturbed.is_set() else piece - real
            if skip >= 1:
                self._skipped_ms += int(skip)
                await self._control.command(f"advance {int(skip)}")
            if self._disturbed.is_set() or await self._waking_pins():
                return False
        return True

    async def _waking_pins(self) -> list[int]:
        found: list[int] = []
        for way, (pins, level) in self._wake_on.items():
            there = [pin for pin in pins if (self._came() if pin == self._definition.rx else await self._level(pin) == level)]
            if way != "ext1" or level or self.chip != "esp32" or there == pins:  # the original ESP32 awaits ALL low
                found += there
        return found

    # Injection.

    def _inject(self, name: str, detail: Any) -> None:
        self._injected = (name, detail)
        self._disturbed.set()
        self._kill()

    def _kill(self) -> None:
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _guard_watchdog(self) -> None:
        """Bite when nobody has fed: time asleep does not pass here, _on_lightsleep looks after that."""
        while True:
            await asyncio.sleep(0.1)
            if self._watchdog_ms and (time.monotonic() - self._watchdog_fed) * 1000 > self._watchdog_ms:
                self._inject("watchdog", None)

    # What the process asks for, by the message's name.

    async def _on_hello(self) -> dict[str, Any]:
        causes = ESP32_CAUSES if self.port == "esp32" else RP2_CAUSES
        cause = self.wakes[-1].cause
        return {"port": self.port, "machine": MACHINES.get(self.chip, self.chip), "now": self.world_ms, "ticks": self.ticks,
                "rtc": self._retained.rtc_offset_ms, "epoch": UNIX_2000 if self.port == "esp32" else 0,
                "cause": causes.get(cause, 3), "wake_reason": self._wake_reason, "unique_id": self.unique_id,
                "repl": self._repl_mode, "flash_kb": self.flash_kb, "repl_uart": 0 if self.port == "esp32" else -1,
                "baudrate": self.baudrate, "wdt_limit": 8388 if self.port == "rp2" else 0,
                "chip": self.chip, "waking": sorted(CHIPS[self.chip].waking) if self.chip in CHIPS else []}  # fmt: skip

    async def _on_rtc(self, offset_ms: int) -> None:
        self._retained.rtc_offset_ms = offset_ms

    async def _on_load(self, name: str) -> Any:
        return self._retained.nvs.get(name)

    async def _on_rtc_memory(self, start: int, length: int, piece: str) -> None:
        if not start:
            self._rtc_pieces = ""
        self._rtc_pieces += piece
        if len(self._rtc_pieces) == 2 * length:
            self._retained.rtc_memory = self._rtc_pieces

    async def _on_rtc_memory_length(self) -> int:
        return len(self._retained.rtc_memory) // 2

    async def _on_rtc_memory_piece(self, start: int, length: int) -> str:
        return self._retained.rtc_memory[2 * start : 2 * (start + length)]

    async def _on_save(self, name: str, value: Any) -> None:
        self._retained.nvs[name] = value

    async def _on_wdt(self, timeout_ms: int) -> None:
        self._watchdog_ms = timeout_ms
        self._watchdog_fed = time.monotonic()
        if self._registers is not None:
            self._registers.watchdog_started()

    async def _on_feed(self) -> None:
        self._watchdog_fed = time.monotonic()

    async def _on_peek(self, address: int) -> int:
        if address == USB_STATUS:
            return USB_CONNECTED if self.usb_host else 0
        return self._register_file().peek(address)

    async def _on_poke(self, address: int, value: int) -> None:
        self._register_file().poke(address, value)
        if not self._register_file().watchdog_enabled:
            self._watchdog_ms = 0

    def _register_file(self) -> Registers:
        if self._registers is None:
            raise Refused("this port's mem32 is not played")
        return self._registers

    async def _on_wake_on(self, pins: list[int], level: int | None, way: str) -> None:
        if level is None:
            self._wake_on.pop(way, None)
        else:
            self._wake_on[way] = pins, level  # a second call takes the place of the first: ports/esp32/modesp32.c

    async def _on_uart(self, baudrate: int) -> None:
        pass

    async def _on_level(self, pin: int) -> int:
        return await self._level(pin)

    async def _level(self, pin: int) -> int:
        name = self._definition.signals.get(pin, str(pin))
        if pin == self._definition.rx:  # high while the module runs, but for its start bits
            return int((await self._control.status()).get("status", True) and not self._came())
        if name in FROM_MODEM:
            return self._definition.level(name, bool((await self._control.status()).get(name)))
        if name in self.inputs:
            return self._definition.level(name, self.inputs[name])
        return self.outputs.get(name, self._definition.level(name, False))

    def _hears(self) -> bool:
        """Whether what the module says ends a sleep."""
        return any(self._definition.rx in pins for pins, _ in self._wake_on.values())

    def _came(self) -> bool:
        return bool(select.select([self._tty], [], [], 0)[0])

    async def _on_drive(self, pin: int, level: int) -> None:
        self._worked = True
        name = self._definition.signals.get(pin, str(pin))
        if name in TO_MODEM:
            await self._control.command(f"pin {name} {int(self._definition.active(name, level))}")
        elif self.outputs.get(name) != level:
            self._note("output", f"{name}={level}")
        self.outputs[name] = level

    async def _on_hold(self, pin: int, held: bool) -> None:
        name = self._definition.signals.get(pin, str(pin))
        if held:
            self._held.add(name)
        else:
            self._held.discard(name)

    async def _on_adc(self, pin: int) -> int:
        return self.adc.get(pin, self.battery_mv // 2)

    async def _on_i2c_scan(self) -> list[int]:
        return [] if self.sensor.broken else [SHT3X_ADDRESS]

    async def _on_i2c_write(self, address: int, data: str) -> None:
        self._worked = True
        self._device(address).write(bytes.fromhex(data))

    async def _on_i2c_read(self, address: int, count: int) -> str:
        return self._device(address).read(count).hex()

    def _device(self, address: int) -> Sht3x:
        if address != SHT3X_ADDRESS:
            raise OSError("[Errno 19] ENODEV")
        return self.sensor
