"""`make board`: a node to type at without hardware, joined to a virtual module and a server, until Ctrl-C.

    $ make board FAMILY=bg96
    node at its prompt. In another terminal:
        .venv/bin/python -m mpremote connect /dev/pts/7
        >>> from shell import *
        >>> report()

The node is real MicroPython that plays an ESP32 or an RP2 (testing.host_board) with lib/ and firmware/ as deployed. Typed here:

    prompt      (or Enter) the reset button, and Ctrl-C for you: back at its prompt
    reset       the reset button alone: it lives, reports and sleeps; a sleep takes its time divided by SPEED
    read 3303/0/5700, write 3306/0/5850 1, execute 3303/0/5605, discover 3303/0, clients       a word of the server
    radio down, radio up, wake, status, fault ...                           the virtual module's control port (help lists it)

Bounds: asleep it hears nobody, as on a board; mpremote then says that it cannot enter the raw REPL: type `prompt` here.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from testing.host_board.runner import Event, HostBoard
from testing.lwm2m import server_cli
from testing.lwm2m.server import Lwm2mServer
from testing.virtual_modem.transport import VirtualModem
from tools import arguments as given
from tools.demo.contracts import CONTRACTS
from tools.demo.scenario import BOARDS
from tools.mpy import compile_tree

ENDPOINT = "urn:dev:lwnode-board"
ASKS = ("read", "write", "execute", "observe", "cancel", "discover", "attributes", "create", "delete")
START_S = 120


class Desk:
    """Node, module and server, and what is typed beside them."""

    def __init__(self, folder: Path, family: str, port: str, speed: float) -> None:
        self.family, self.port, self.contract = family, port, CONTRACTS[family]
        self.server: Any = Lwm2mServer(log=lambda text: self.say("server", text))
        self.modem: Any = None
        self.board: Any = None
        self.folder, self.speed = folder, speed
        self.stop = asyncio.Event()
        self.tasks: set[asyncio.Task[Any]] = set()

    def say(self, who: str, text: str) -> None:
        """One line, as it happens."""
        if not self.stop.is_set():
            print(f"{who:7} {text}", flush=True)

    async def live(self) -> None:
        """Everything on, until Ctrl-C; everything off."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop.set)
        await self.server.start()
        self.server.on_registration = self._registered
        self.modem = await VirtualModem(self.family, f"coap://127.0.0.1:{self.server.port}", **self.contract.model).start()
        self.modem.model.on_explain = self._explained
        self.board = HostBoard(self.port, self.folder, self.modem.pty_path, self.modem.control_port, speed=self.speed,
                               heap="1m", repl=True, on_event=self._happened, on_console=lambda line: self.say("node", line))
        self.say("board", "its files are made ready")
        self.board.deploy(BOARDS[self.port], config={
            "family": self.family, "host": "127.0.0.1", "port": self.server.port, "endpoint": ENDPOINT, "apn": "demo",
            "sample_every": 60, "report_every": 60, "spread": 0, "maintenance_window": 5, **self.contract.config})  # fmt: skip
        compile_tree(self.board.flash / "lib")
        try:
            await self.board.start()
            if await self._prompt():
                self._help()
                self._listen(loop)
            await self.stop.wait()
        finally:
            self.stop.set()
            for task in self.tasks:
                task.cancel()
            await self.board.stop()
            await self.modem.close()
            await self.server.close()

    def _help(self) -> None:
        print(f"""
{BOARDS[self.port]} with a {self.family.upper()}, at its prompt. In another terminal:

    {os.path.relpath(sys.executable)} -m mpremote connect {self.board.repl_path}
    >>> from shell import *
    >>> report()            connects, registers and reports; also status(), why(), at("+CSQ"), doctor(), help()
    >>> Ctrl-D              lets it live: it reports each minute and sleeps between, a sleep {self.speed:g} times as fast

Its files: mpremote connect {self.board.repl_path} fs ls     (sensors.py is there to be edited)
Here: prompt (or Enter), reset, read 3303/0/5700, write 3306/0/5850 1, clients, radio down, radio up, help. Ctrl-C ends all.
""", flush=True)

    async def _prompt(self) -> bool:
        """Reset, and interrupt main.py in its window; False when Ctrl-C ended it meanwhile."""
        if self.board.wakes and self.board.wakes[-1].at_ms:
            self.board.reset_button()
        ends = [asyncio.ensure_future(self.board.until("at_repl", timeout=START_S)), asyncio.ensure_future(self.stop.wait())]
        while not any(end.done() for end in ends):
            self.board.interrupt()
            await asyncio.wait(ends, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        return not self.stop.is_set()

    def _explained(self, sentence: str) -> None:
        """What the module tells people; what it refuses to the node's own probing is no news."""
        if " refused: " not in sentence or self.board.events and self.board.events[-1].name == "at_repl":
            self.say("modem", sentence)

    def _happened(self, event: Event) -> None:
        if event.name == "sleep":
            self.say("board", f"asleep for {event.detail / 1000:.0f} s; it hears nobody, `prompt` brings it back")
        elif event.name != "output":
            self.say("board", {"at_repl": "at its prompt"}.get(event.name, f"{event.name} {event.detail or ''}"))
        else:
            self.say("board", f"the node drives {event.detail}")

    def _registered(self, endpoint: str, event: str) -> None:
        if event in ("registered", "reregistered"):
            self._spawn(self._observe())

    async def _observe(self) -> None:
        for path in self.contract.observed:
            await self.server.observe(ENDPOINT, path)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    # What is typed.

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        def typed() -> None:
            if sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) != os.getpgrp():
                return  # in the background: the line is the shell's
            line = sys.stdin.readline()
            if line:
                self._spawn(self._typed(line.split()))
            else:
                loop.remove_reader(sys.stdin)

        with contextlib.suppress(OSError, ValueError):  # a file, or closed: nobody types
            loop.add_reader(sys.stdin, typed)

    async def _typed(self, words: list[str]) -> None:
        verb = words[0] if words else "prompt"
        if verb == "prompt":
            await self._prompt()
        elif verb == "reset":
            self.board.reset_button()
        elif verb == "clients" or verb == "deliveries":
            self.say("server", await server_cli.command(self.server, verb))
        elif verb in ASKS:
            more = words[1:] if words[1:2] == [ENDPOINT] else [ENDPOINT, *words[1:]]
            if len(more) > 1:
                more[1] = "/" + more[1].lstrip("/")
            self.say("server", await server_cli.command(self.server, " ".join([verb, *more])))
        elif verb == "help":
            self._help()
            self.say("modem", self.modem.control.command("help"))
        else:
            self.say("modem", self.modem.control.command(" ".join(words)))


def main(words: list[str] | None = None) -> int:
    """Return the exit status."""
    parser = given.Parser("make board", __doc__)
    parser.add_argument("--family", type=given.family, default="bc66", help="which module")
    parser.add_argument("--port", type=given.port, default="esp32", help="which port the board plays")
    parser.add_argument("--speed", type=given.number(1, 1000), default=10, help="sleep takes its time divided by this")
    chosen: argparse.Namespace = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="lwnode-board-") as folder:
        asyncio.run(Desk(Path(folder), chosen.family, chosen.port, chosen.speed).live())
    print("\neverything is off")
    return 0


if __name__ == "__main__":
    sys.exit(given.run(main))
