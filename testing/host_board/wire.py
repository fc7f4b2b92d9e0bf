"""The line to the virtual modem's control port: one command, one answer, in order."""

from __future__ import annotations

import asyncio
import json
from typing import Any


class ControlError(RuntimeError):
    """The virtual modem refused a command or has gone."""


class Control:
    """A client of the control port; `None` as port plays a board without module (every pin command is taken)."""

    def __init__(self, port: int | None) -> None:
        self._port = port
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def command(self, line: str) -> str:
        """Send one line, return the answer's line; ControlError unless it is `ok` or JSON."""
        if self._port is None:
            return "ok"
        async with self._lock:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(line.encode() + b"\n")
            answer = (await reader.readline()).decode().strip()
        if not answer.startswith(("ok", "{")):
            raise ControlError(f"the virtual modem answered {answer or 'nothing'!r} to {line!r}")
        return answer

    async def status(self) -> dict[str, Any]:
        """The modem's state; empty without a modem."""
        answer = await self.command("status")
        return json.loads(answer) if answer.startswith("{") else {}

    async def close(self) -> None:
        """Hang up."""
        if self._streams:
            self._streams[1].close()
            self._streams = None
