"""A host board at the end of a cable, and commands typed at the desk: python -m tools.boards and unpatched mpremote."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from testing.host_board.runner import HostBoard

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIG = {"family": "bc66", "host": "192.0.2.7", "endpoint": "urn:dev:ops:node-1", "apn": "iot", "maintenance_window": 30}
PSK = "5ec4e7"


class Bench:
    """A host board at the end of a cable, and commands typed at the desk."""

    def __init__(self, folder, **options):
        self.folder = folder
        self.config = folder / "config.json"
        self.config.write_text(json.dumps(CONFIG))
        options = {"port": "esp32", "heap": "1m"} | options
        self.board = HostBoard(folder=folder / "node", pty_path=None, control_port=None, speed=600, repl=True, **options)
        (folder / "node").mkdir()

    async def tool(self, *arguments, board="ESP32_GENERIC", port=None):
        """python -m tools.boards ...: (exit status, what it printed)."""
        command = [sys.executable, "-m", "tools.boards", *arguments, "--board", board, "--port", port or self.board.repl_path]
        return await self.run([*command, "--config", str(self.config)])

    async def mpremote(self, *arguments):
        """mpremote connect PORT ...: what it printed."""
        status, output = await self.run([sys.executable, "-m", "mpremote", "connect", self.board.repl_path, *arguments])
        assert status == 0, output
        return output

    async def run(self, command):
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                                       stdin=subprocess.DEVNULL)
        output, _ = await asyncio.wait_for(process.communicate(), 90)
        return process.returncode, output.decode()

    async def cold_boot(self):
        """The reset button, and wait for the maintenance window: mpremote has its seconds to interrupt main.py."""
        window = asyncio.Event()
        self.board.on_console = lambda line: window.set() if "Ctrl-C within" in line else None
        self.board.reset_button()
        await asyncio.wait_for(window.wait(), 60)

    async def stopped(self):
        """The same, and Ctrl-C at once: the board is at its prompt, for as long as it takes."""
        await self.cold_boot()
        at_repl = asyncio.create_task(self.board.until("at_repl"))
        await asyncio.sleep(0)
        line = os.open(self.board.repl_path, os.O_RDWR | os.O_NOCTTY)
        try:
            os.write(line, b"\x03")
            await at_repl
        finally:
            os.close(line)


@pytest.fixture(name="at_desk")
def desk_fixture(tmp_path):
    """at_desk(script, **options): run an async script with a Bench whose board is on."""

    def run(script, **options):
        async def live():
            bench = Bench(tmp_path, **options)
            await bench.board.start()
            try:
                await bench.board.until("at_repl")
                await script(bench)
            finally:
                await bench.board.stop()

        asyncio.run(live())

    return run
