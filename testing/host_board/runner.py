"""HostBoard: one board with firmware/ on it, from power-on to power-off.

    from testing.host_board.runner import HostBoard

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
import termios
import time
import tty
from pathlib import Path
from typing import Any

from tools.mpy import compile_tree

from . import definition
from .hardware import FATAL, ROOT, Event
from .life import Life
from .registers import Registers
from .rom import image as rom_image

__all__ = ["ROOT", "Event", "HostBoard"]


class HostBoard(Life):
    """One node. `course(name, number)` gives the sensor's values (sensors.rising), `baudrate` is the module's."""

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

    def interrupt(self) -> None:
        """Somebody types Ctrl-C at the cable (repl=True): what runs is interrupted, a prompt takes it as a line."""
        if self.repl is not None:
            self.repl.typed(b"\x03")

    def power_cut(self, off_ms: int = 1000) -> None:
        """The board's supply is gone for that long; the module has its own."""
        self._inject("power_cut", off_ms)

    # Files.

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
