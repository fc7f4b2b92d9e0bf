"""HostBoard: one board with firmware/ on it, from power-on to power-off.

    from tools.host_board.runner import HostBoard

    board = HostBoard("esp32", folder, modem.pty_path, modem.control_port, speed=60)
    board.deploy("ESP32_GENERIC", config={"host": "127.0.0.1", ...}, secrets={})   # once: fills folder/flash
    board.burn()                              # optional: lib/ runs from flash, as when frozen, and not from RAM
    await board.start()                       # power on; the node runs by itself from here
    await board.until("sleep", count=3)       # three sleeps later (TimeoutError after `timeout` real seconds)
    board.brown_out()                         # now, asleep or awake; also watchdog() panic() power_cut(off_ms) reset_button()
    await board.stop()                        # power off
    board.readings  [Reading(name, text, at_ms)]     every conversion of the SHT3x on the board's I2C bus
    board.events    [Event(at_ms, name, detail)]     see EVENTS; on_event(event) is called with each
    board.dead      the event after which the node would never report again, or None
    board.wakes     [Wake(at_ms, cause, awake_ms)]   one per time awake, slices of one sleep joined
    board.outputs   {"relay": 1, ...}                levels that the node drives, by the board file's names
    board.world_ms                                   milliseconds since start, slept time whole

PORT "esp32": machine.deepsleep ends the process after what the board retains (RTC memory, NVS, clock) is saved; the next
wake is a new process with the reset cause of that board. PORT "rp2": machine.lightsleep returns, the clock goes on, what
the module sent meanwhile is lost and the UART is disturbed until it is initialised; a reset sets the clock to 2021.

A sleep of `ms` takes ms / speed in reality; the module's clock is moved on by the rest, so everybody sees all of it.
Awake time is real time. What the node prints goes to folder/console.log and to on_console(line).

With repl=True a person's cable is plugged in: board.repl_path is a port that mpremote drives, Ctrl-C interrupts the program,
and what would leave the node dead leaves it at the prompt (event "at_repl").

What the node is wired to is in the board file on its flash: PINS, LEVELS. Signals power_key, reset and wake go to the
module over its control port, status and ring come from there; other outputs are noted in `outputs`, other inputs read
from `inputs` (by name, True = active). `adc` holds millivolts at a pin by pin number; others read `battery_mv` / 2.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
import termios
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.mpy import compile_tree

from . import definition
from .registers import Registers
from .repl import Repl
from .rom import image as rom_image
from .sensors import Reading, Sht3x, rising
from .wire import Control

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES = Path(__file__).with_name("modules")
LAUNCHER = Path(__file__).with_name("launcher.py")
EVENTS = ("boot", "sleep", "reset", "soft_reset", "watchdog", "brown_out", "panic", "power_cut", "reset_button",
          "repl", "at_repl", "crash", "locked_up", "dormant", "output")  # fmt: skip
FATAL = ("repl", "crash", "locked_up", "dormant")  # a node in the field would be dead, or awake until the battery is
TO_MODEM = ("power_key", "reset", "wake")
FROM_MODEM = ("status", "ring")
SHT3X_ADDRESS = 0x44
USB_STATUS, USB_CONNECTED = 0x50110050, 0x10000  # RP2040 and RP2350, USB SIE_STATUS
UNIX_2000, UNIX_2021 = 946684800, 1609459200
SLICE_MS = 60_000  # the module's clock is moved on in steps no longer than this
JOIN_MS = 80  # a board awake for less than this between two light sleeps was only feeding its watchdog

ESP32_CAUSES = {"power_on": 1, "brown_out": 1, "reset_button": 1, "reset": 2, "panic": 2, "watchdog": 3, "deepsleep": 4,
                "soft_reset": 5}  # fmt: skip  # ports/esp32/modmachine.c
RP2_CAUSES = {"power_on": 1, "brown_out": 1, "reset_button": 1}  # all others are WDT_RESET: ports/rp2/modmachine.c
MACHINES = {
    "esp32": "Generic ESP32 module with ESP32",
    "esp32s3": "Generic ESP32S3 module with ESP32S3",
    "esp32c3": "Generic ESP32C3 module with ESP32C3",
    "esp32c6": "Generic ESP32C6 module with ESP32C6",
    "rp2040": "Raspberry Pi Pico with RP2040",
    "rp2350": "Raspberry Pi Pico2 with RP2350",
}


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


class _Refused(Exception):
    """An answer that user code sees as an exception."""


@dataclass
class _Retained:
    """What outlives a process, and what ends it: RTC memory or scratch with the power, NVS and flash with nothing."""

    rtc_memory: str = ""
    rtc_offset_ms: int = 0
    nvs: dict[str, Any] = field(default_factory=dict)


class HostBoard:
    """One node. `course(name, number)` gives the sensor's values (sensors.rising), `baudrate` is the module's."""

    def __init__(
        self, port: str, folder: str | Path, pty_path: str | None, control_port: int | None, *, speed: float = 1.0,
        heap: str = "192k", baudrate: int = 115200, battery_mv: int = 3600, drift_ppm: int = 0, flash_kb: int = 2048,
        ticks: int = 0, course: Callable[[str, int], float] = rising, on_event: Callable[[Event], None] | None = None,
        on_console: Callable[[str], None] | None = None, micropython: str | None = None, repl: bool = False,
    ) -> None:  # fmt: skip
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
        self._retained = _Retained()
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
        self._wake_on: dict[int, int] = {}  # pin: the level that ends sleep
        self._wake_reason = 0
        self._repl_mode = "friendly" if repl else ""
        self._awake_since = 0.0
        self._worked = False

    # What a person does with a board.

    @property
    def chip(self) -> str:
        """The board file's CHIP; where there is no such file, the port's first."""
        return self._definition.chip or {"esp32": "esp32", "rp2": "rp2040"}[self.port]

    @property
    def flash(self) -> Path:
        """The folder that is the board's file system."""
        return self.folder / "flash"

    def deploy(self, board: str, config: dict[str, Any] | None = None, secrets: dict[str, Any] | None = None,
               firmware: Path = ROOT / "firmware", lib: Path = ROOT / "lib") -> None:  # fmt: skip
        """Copy firmware/, lib/ and boards/NAME/board.py to the flash, and write the two configuration files.

        `config` replaces keys of firmware/config.json.
        """
        self.flash.mkdir(parents=True, exist_ok=True)
        shutil.copytree(lib, self.flash / "lib", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        for file in sorted(firmware.glob("*.py")):
            shutil.copy(file, self.flash)
        shutil.copy(ROOT / "boards" / board / "board.py", self.flash)
        settings = json.loads((firmware / "config.json").read_text()) | (config or {})
        (self.flash / "config.json").write_text(json.dumps(settings, indent=2))
        (self.flash / "secrets.json").write_text(json.dumps(secrets or {}))

    def burn(self) -> int:
        """Take lib/ and firmware/ into memory-mapped flash, as an image by boards/NAME/manifest.py has them; the image's bytes.

        They then run from there (`rom`) and leave the heap to objects, and so do this port's own modules. With a MicroPython
        of one's own ($MICROPYTHON) there is no such memory: lib/ is compiled and stays where it is; the answer is its size.
        """
        library = self.flash / "lib"
        if os.environ.get("MICROPYTHON"):
            return compile_tree(library)
        for file in self.flash.glob("*.py"):
            if file.name != "board.py":  # the runner reads its pins
                file.rename(library / file.name)
        data = rom_image(library, self.port)
        self.rom.write_bytes(data)
        shutil.rmtree(library)
        return len(data)

    @property
    def rom(self) -> Path:
        """The image of the board's memory-mapped flash, where burn() has made one."""
        return self.folder / "rom.img"

    async def start(self) -> None:
        """Power on. The node lives until stop() or until it is dead (see `dead`)."""
        self.flash.mkdir(parents=True, exist_ok=True)
        if (self.flash / "board.py").exists():
            self._definition = definition.read(self.flash / "board.py")
        if self.port == "rp2":
            self._registers = Registers(self.chip)
        self._tty = self._open_line()
        self._load()
        self._began, self._skipped_ms = time.monotonic(), 0.0
        if self.repl:
            self.repl.open()
        self._life = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """Power off; what flash and NVS hold is kept in the folder."""
        if self._life:
            self._life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._life
        await self._control.close()
        if self.repl:
            self.repl.close()
        for end in (self._tty, self._far_end):
            if end >= 0:
                os.close(end)
        self._tty = self._far_end = -1

    async def until(self, name: str, count: int = 1, timeout: float = 60.0) -> Event:
        """Wait for the count-th event of that name from now on; RuntimeError when the node dies before."""
        seen, wanted = len(self.events), count

        async def look() -> Event:
            nonlocal seen, wanted
            while True:
                for event in self.events[seen:]:
                    wanted -= event.name == name
                    if not wanted:
                        return event
                    seen += 1
                self.check()
                if self.dead:
                    raise RuntimeError(f"the node is dead: {self.dead}")
                self._changed.clear()
                await self._changed.wait()

        return await asyncio.wait_for(look(), timeout)

    @property
    def dead(self) -> Event | None:
        """The event that ended the node, if one did."""
        return next((event for event in self.events if event.name in FATAL), None)

    @property
    def repl_path(self) -> str:
        """The port to give to mpremote (repl=True): a person's cable."""
        if self.repl is None:
            raise ValueError("this HostBoard was made without repl=True")
        return self.repl.path

    def check(self) -> None:
        """Raise what went wrong in the runner itself, if anything did."""
        if self._life and self._life.done() and not self._life.cancelled():
            self._life.result()

    def brown_out(self, memory: str = "kept") -> None:
        """The supply dips; RTC memory of an ESP32 is "kept", "lost" or "corrupt" (one bit turned)."""
        self._inject("brown_out", memory)

    def watchdog(self) -> None:
        """The watchdog bites, as if nobody had fed it."""
        self._inject("watchdog", None)

    def panic(self) -> None:
        """The port crashes and restarts."""
        self._inject("panic", None)

    def reset_button(self) -> None:
        """Somebody presses the button."""
        self._inject("reset_button", None)

    def power_cut(self, off_ms: int = 1000) -> None:
        """The board's supply is gone for that long; the module has its own."""
        self._inject("power_cut", off_ms)

    # Time.

    @property
    def world_ms(self) -> int:
        """Milliseconds since start, with every sleep in full."""
        return int((time.monotonic() - self._began) * 1000 + self._skipped_ms)

    async def _pass(self, ms: float) -> bool:
        """Let `ms` pass in ms / speed; False if something was injected or a wake pin moved meanwhile."""
        end = self.world_ms + ms
        while (left := end - self.world_ms) > 0:
            piece = min(left, SLICE_MS, max(left / 8, 1000))
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
        return [pin for pin, level in self._wake_on.items() if await self._level(pin) == level]

    # One life: boot, run, end, and again.

    async def _live(self) -> None:
        cause = "power_on"
        try:
            while cause:
                name, detail = await self._boot(cause)
                cause = await self._after(name, detail)
        finally:
            self._store()

    async def _after(self, name: str, detail: Any) -> str:
        """What follows the end of a process: the next boot's cause, or nothing for a dead node."""
        self._worked = True
        if name == "deepsleep":
            self._note("sleep", detail)
            self._wake_reason = 4
            # The RC oscillator is off by drift_ppm: the world moves on by less, or more, than the board believes.
            if not detail:
                self._wake_reason = 2
                while await self._pass(86_400_000):
                    pass
            elif not await self._pass(detail * (1 - self.drift_ppm / 1e6)):
                self._wake_reason = 2
            else:
                self._retained.rtc_offset_ms += int(detail * self.drift_ppm / 1e6)
            if self._injected is None:
                self._repl_mode = "friendly" if self.repl else ""
                return "deepsleep"
            name, detail = self._injected
        self._injected = None
        self._disturbed.clear()
        self._note(name, detail)
        self._repl_mode = detail if self.repl and name == "soft_reset" else "friendly" if self.repl else ""
        if name == "power_cut":
            await self._pass(detail)
            return "power_on"
        if name == "brown_out" and detail != "kept":
            self._spoil_memory(detail)
        return "" if name in FATAL else name

    def _spoil_memory(self, how: str) -> None:
        data = bytearray.fromhex(self._retained.rtc_memory)
        if data:
            data[len(data) // 2] ^= 0x10
        self._retained.rtc_memory = data.hex() if how == "corrupt" else ""

    async def _boot(self, cause: str) -> tuple[str, Any]:
        """Run one process to its end: (event's name, detail)."""
        self._prepare(cause)
        ours, theirs = socket.socketpair()
        with theirs:
            interpreter = [sys.executable, str(LAUNCHER), str(self.rom)] if self.rom.exists() else [self._micropython]
            command = [*interpreter, "-X", f"heapsize={self.heap}", str(MODULES / "start.py"), str(MODULES),
                       self.port, str(self.flash), str(theirs.fileno()), str(self._tty)]  # fmt: skip
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT, pass_fds=(theirs.fileno(), self._tty),
            )  # fmt: skip
        if self.repl:
            self.repl.attach(self._process)
        if self._injected is not None:
            self._kill()  # it happened while the port was starting
        console = asyncio.create_task(self._copy_console(self._process.stdout))
        guard = asyncio.create_task(self._guard_watchdog())
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=1 << 20)
        self._wakes_up(cause)
        try:
            end = await self._serve(reader, writer)
        finally:
            self._sleeps()
            guard.cancel()
            self._kill()
            writer.close()
            await self._process.wait()
            await console
            # What is left open until the garbage is collected complains there of a loop that has ended.
            self._process._transport.close()
        if self._injected is not None:
            return self._injected
        if end is None:
            return "crash", f"MicroPython ended with status {self._process.returncode}"
        return end

    def _prepare(self, cause: str) -> None:
        """What a reset of that cause leaves and loses."""
        if (self.flash / "board.py").exists():
            self._definition = definition.read(self.flash / "board.py")  # mpremote may have brought another
        termios.tcflush(self._tty, termios.TCIFLUSH)  # the UART was off: what the module said is lost
        self._watchdog_ms = 0
        if self.port == "rp2" and cause != "soft_reset":
            self._retained.rtc_offset_ms = UNIX_2021 * 1000 - self.world_ms
        if self._registers is not None and cause != "soft_reset":
            self._registers.restart({"reset_button": "power_on", "panic": "watchdog"}.get(cause, cause))
        if self.port == "esp32" and cause in ("power_on", "brown_out", "reset_button"):
            self._retained.rtc_offset_ms = -self.world_ms
            if cause != "brown_out":
                self._retained.rtc_memory = ""
        if cause != "deepsleep":
            self._wake_reason = 0
        self._wake_on = {}
        self._note("boot", cause)

    def _wakes_up(self, cause: str) -> None:
        self._awake_since = time.monotonic()
        self._worked = False
        self.wakes.append(Wake(self.world_ms, cause))

    def _sleeps(self) -> bool:
        """Close the time awake; False where it was a slice's end only, and has been joined to the one before."""
        awake_ms = int((time.monotonic() - self._awake_since) * 1000)
        if not self._worked and awake_ms < JOIN_MS and self.wakes[-1].cause == "lightsleep":
            self.wakes.pop()
            self.wakes[-1].awake_ms += awake_ms
            return False
        self.wakes[-1].awake_ms = awake_ms
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, Any] | None:
        """Answer the process until it says how it ends, or its line goes dead (None)."""
        while line := await _line(reader):
            kind, *arguments = json.loads(line)
            if kind == "at_repl":
                self._note("at_repl", arguments[0])
                continue
            if kind == "busy" and self.repl:
                self.repl.busy = arguments[0]
                continue
            if kind in ("deepsleep", "reset", "soft_reset", "repl", "dormant"):
                return kind, arguments[0] if arguments else None
            try:
                answer = await getattr(self, "_on_" + kind)(*arguments)
            except (_Refused, OSError) as error:
                answer = {"error": ["OSError" if isinstance(error, OSError) else "ValueError", str(error)]}
            if kind in ("wdt", "feed", "rtc", "wake_on"):
                continue  # told, not asked
            with contextlib.suppress(ConnectionError):
                writer.write(json.dumps(answer).encode() + b"\n")
        return None

    async def _copy_console(self, stream: asyncio.StreamReader | None) -> None:
        assert stream is not None
        left = b""
        with open(self.folder / "console.log", "ab") as log:
            while data := await stream.read(4096):
                log.write(data)
                log.flush()
                if self.repl:
                    self.repl.show(data)
                *lines, left = (left + data).split(b"\n")
                for line in lines:
                    if self.on_console:
                        self.on_console(line.decode("utf-8", "replace").rstrip())

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
                self.watchdog()

    # What the process asks for, by the message's name.

    async def _on_hello(self) -> dict[str, Any]:
        causes = ESP32_CAUSES if self.port == "esp32" else RP2_CAUSES
        cause = self.wakes[-1].cause
        return {
            "port": self.port, "machine": MACHINES.get(self.chip, self.chip), "now": self.world_ms, "ticks": self.ticks,
            "rtc": self._retained.rtc_offset_ms, "epoch": UNIX_2000 if self.port == "esp32" else 0,
            "cause": causes.get(cause, 3), "wake_reason": self._wake_reason, "unique_id": self.unique_id,
            "repl": self._repl_mode, "flash_kb": self.flash_kb,
            "repl_uart": 0 if self.port == "esp32" else -1, "baudrate": self.baudrate,
            "wdt_limit": 8388 if self.port == "rp2" else 0,
        }  # fmt: skip

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
            raise _Refused("this port's mem32 is not played")
        return self._registers

    async def _on_lightsleep(self, ms: int) -> dict[str, Any]:
        """Sleep with RAM kept. A watchdog that is not fed locks an RP2040 up (MicroPython issue 17228)."""
        if self._sleeps():
            self._note("sleep", ms)
        before = self.world_ms
        watchdog_ms = self._watchdog_ms - (time.monotonic() - self._watchdog_fed) * 1000
        self._watchdog_ms, kept = 0, self._watchdog_ms
        if kept and ms > watchdog_ms and self.chip != "rp2350":
            await self._pass(watchdog_ms)
            self._inject("locked_up" if self.chip == "rp2040" else "watchdog", "watchdog expired in lightsleep")
        else:
            await self._pass(ms)
        slept = self.world_ms - before
        if kept:
            # The counter went on (RP2040) or stood still (RP2350, issue 17229); real time must not count twice.
            left = watchdog_ms if self.chip == "rp2350" else watchdog_ms - slept
            self._watchdog_ms, self._watchdog_fed = kept, time.monotonic() - (kept - left) / 1000
        termios.tcflush(self._tty, termios.TCIFLUSH)
        self._wakes_up("lightsleep")
        return {"slept": slept, "pins": await self._waking_pins()}

    async def _on_wake_on(self, pins: list[int], level: int | None) -> None:
        for pin in pins:
            if level is None:
                self._wake_on.pop(pin, None)
            else:
                self._wake_on[pin] = level

    async def _on_uart(self, baudrate: int) -> None:
        pass

    async def _on_level(self, pin: int) -> int:
        return await self._level(pin)

    async def _level(self, pin: int) -> int:
        name = self._definition.signals.get(pin, str(pin))
        if name in FROM_MODEM:
            return self._definition.level(name, bool((await self._control.status()).get(name)))
        if name in self.inputs:
            return self._definition.level(name, self.inputs[name])
        return self.outputs.get(name, self._definition.level(name, False))

    async def _on_drive(self, pin: int, level: int) -> None:
        self._worked = True
        name = self._definition.signals.get(pin, str(pin))
        if name in TO_MODEM:
            await self._control.command(f"pin {name} {int(self._definition.active(name, level))}")
        elif self.outputs.get(name) != level:
            self._note("output", f"{name}={level}")
        self.outputs[name] = level

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

    # Files.

    def _note(self, name: str, detail: Any = None) -> None:
        event = Event(self.world_ms, name, detail)
        self.events.append(event)
        if self.on_event:
            self.on_event(event)
        self._changed.set()

    def _open_line(self) -> int:
        """The module's terminal, raw, reads returning at once with what is there: settings last while it is open."""
        if self._pty_path is None:  # nobody at the other end
            self._far_end, line = os.openpty()
        else:
            line = os.open(self._pty_path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(line)
        settings = termios.tcgetattr(line)
        settings[6][termios.VMIN] = settings[6][termios.VTIME] = 0
        termios.tcsetattr(line, termios.TCSANOW, settings)
        return line

    def _load(self) -> None:
        """NVS of an earlier run in the same folder."""
        path = self.folder / "nvs.json"
        if path.exists():
            self._retained.nvs = json.loads(path.read_text())

    def _store(self) -> None:
        (self.folder / "nvs.json").write_text(json.dumps(self._retained.nvs))


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next message; nothing once the process has gone, whichever way the socket says so."""
    try:
        return await reader.readline()
    except ConnectionError:
        return b""
