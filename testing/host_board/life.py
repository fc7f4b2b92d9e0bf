"""One process after the other: boot, run, end, and what follows from how it ended.

    class HostBoard(Life): ...      runner.py; its start() runs Life._live() as a task

A wake from deep sleep is a boot. What ends a process comes over its socket, or is injected by whoever plays with the board.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import termios
import time
from pathlib import Path
from typing import Any

from . import definition
from .hardware import FATAL, JOIN_MS, UNIX_2021, Hardware, Refused, Wake

MODULES = Path(__file__).with_name("modules")
LAUNCHER = Path(__file__).with_name("launcher.py")


class Life(Hardware):
    """A board that lives: one process of MicroPython at a time."""

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
            floating = sorted(set(self.outputs) - self._held)
            if floating:
                self._note("floating", ", ".join(floating))
                return ""
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
        ours = await self._start_process()
        console = asyncio.create_task(self._copy_console(self._process.stdout))
        guard = asyncio.create_task(self._guard_watchdog())
        writer = None
        self._wakes_up(cause)
        try:  # whoever switches the board off may do so at any of the next lines
            reader, writer = await asyncio.open_unix_connection(sock=ours, limit=1 << 20)
            if self.repl:
                self.repl.attach(self._process)
            if self._injected is not None:
                self._kill()  # it happened while the port was starting
            end = await self._serve(reader, writer)
        finally:
            self._sleeps()
            guard.cancel()
            self._kill()
            (writer or ours).close()
            try:
                await self._process.wait()
                await console
            finally:
                # What is left open until the garbage is collected complains there of a loop that has ended.
                self._process._transport.close()
        if self._injected is not None:
            return self._injected
        if end is None:
            return "crash", f"MicroPython ended with status {self._process.returncode}"
        return end

    async def _start_process(self) -> socket.socket:
        """Start MicroPython; our end of the wire to it."""
        interpreter = [sys.executable, str(LAUNCHER), str(self.rom)] if self.rom.exists() else [self._micropython]
        ours, theirs = socket.socketpair()
        command = [*interpreter, "-X", f"heapsize={self.heap}", str(MODULES / "start.py"), str(MODULES),
                   self.port, str(self.flash), str(theirs.fileno()), str(self._tty)]  # fmt: skip
        try:
            with theirs:
                self._process = await asyncio.create_subprocess_exec(
                    *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                    pass_fds=(theirs.fileno(), self._tty))  # fmt: skip
        except BaseException:
            ours.close()
            raise
        return ours

    def _prepare(self, cause: str) -> None:
        """What a reset of that cause leaves and loses."""
        if (self.flash / "board.py").exists():
            self._definition = definition.read(self.flash / "board.py")  # mpremote may have brought another
        termios.tcflush(self._tty, termios.TCIFLUSH)  # the UART was off: what the module said is lost
        if cause != "soft_reset":
            self._watchdog_ms = 0  # a soft one leaves it running, on both ports
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
            number, kind, *arguments = json.loads(line)
            if kind == "at_repl":
                self._note("at_repl", arguments[0])
                continue
            if kind == "busy" and self.repl:
                self.repl.busy = arguments[0]
                continue
            if kind in ("deepsleep", "reset", "soft_reset", "repl", "dormant", "crash"):
                return kind, arguments[0] if arguments else None
            try:
                answer = await getattr(self, "_on_" + kind)(*arguments)
            except OSError:  # nobody acknowledges on the bus
                answer = {"error": ["OSError", 19 if self.port == "esp32" else 5]}  # ENODEV, EIO
            except Refused as error:
                answer = {"error": ["ValueError", str(error)]}
            if number:
                with contextlib.suppress(ConnectionError):
                    writer.write(json.dumps([number, answer]).encode() + b"\n")
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

    async def _on_lightsleep(self, ms: int) -> dict[str, Any]:
        """Sleep with RAM kept. A watchdog that is not fed locks an RP2040 up (MicroPython issue 17228)."""
        before = self.world_ms
        if self.port == "esp32":  # a rest within the wake: its sleep between wakes is the deep one
            await self._pass(ms)
            self.wakes[-1].lightly_ms += self.world_ms - before
            self._lose_line()
            return {"slept": self.world_ms - before, "pins": []}
        if self._sleeps():
            self._note("sleep", ms)
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

    def _lose_line(self) -> None:
        """The UART's clock stood still: lost is the byte that wakes and, to be hard, its line; all, where no byte wakes.

        Not what follows the line: a chip wakes in a millisecond or two, and this process takes as long as the machine is busy.
        """
        if not self._hears():
            termios.tcflush(self._tty, termios.TCIFLUSH)
        lost = b""
        while self._came() and not (lost.strip() and lost[-1:] == b"\n"):
            lost += os.read(self._tty, 1)

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
