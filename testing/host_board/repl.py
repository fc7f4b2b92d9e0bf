"""The cable between a person's computer and a host board: a pty whose near end mpremote opens as a serial port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tty

CTRL_C = b"\x03"
KEPT = 1 << 20


class Repl:
    """Bytes between the pty and the process's stdin and stdout; Ctrl-C interrupts what runs, if something does."""

    def __init__(self) -> None:
        self.path = ""
        self.busy = True
        self._far = self._near = -1
        self._waiting = bytearray()
        self._process: asyncio.subprocess.Process | None = None

    def open(self) -> None:
        """Make the port."""
        self._far, self._near = os.openpty()
        tty.setraw(self._near)
        os.set_blocking(self._far, False)
        self.path = os.ttyname(self._near)
        asyncio.get_running_loop().add_reader(self._far, self._typed)

    def close(self) -> None:
        """Pull the cable."""
        if self._far >= 0:
            asyncio.get_running_loop().remove_reader(self._far)
            asyncio.get_running_loop().remove_writer(self._far)
            os.close(self._far)
            os.close(self._near)
            self._far = self._near = -1

    def attach(self, process: asyncio.subprocess.Process) -> None:
        """A boot: from now on this process is at the other end."""
        self._process = process
        self.busy = True

    def _typed(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self.typed(os.read(self._far, 4096))

    def typed(self, data: bytes) -> None:
        """Bytes from the person's end."""
        process = self._process
        if process is None or process.stdin is None or process.returncode is not None:
            return  # asleep: nobody listens
        if not self.busy:
            process.stdin.write(data)
            return
        head, *rest = data.split(CTRL_C)
        process.stdin.write(head)
        for part in rest:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
            process.stdin.write(part)

    def show(self, data: bytes) -> None:
        """What the board prints, with the line ends that a port's stdout makes."""
        if self._far >= 0:
            if not self._waiting:
                asyncio.get_running_loop().add_writer(self._far, self._flow)
            self._waiting += data
            del self._waiting[:-KEPT]  # nobody reads: an open cable must not fill memory

    def _flow(self) -> None:
        """Pass on what the reader has room for."""
        with contextlib.suppress(BlockingIOError, OSError):
            del self._waiting[: os.write(self._far, self._waiting)]
        if not self._waiting:
            asyncio.get_running_loop().remove_writer(self._far)
