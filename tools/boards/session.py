"""One day with a board, for people to read: deploy, provision, shell, an update, on a MicroPython at the end of a pty.

    make board-session              prints it
    make board-session RECORD=1     writes it into docs/session-board.md too

The board is testing/host_board (real MicroPython in an ESP32's clothes), its module the virtual BC66, its server the test
server; mpremote and the commands are the ones a person uses. Only names differ: the pty is printed as PORT, and of a long list
of files the first and last stand.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import arguments as typed
from tools.boards.catalog import ROOT
from tools.boards.figures import sizes
from testing.host_board.runner import HostBoard
from testing.lwm2m.server import Lwm2mServer
from testing.virtual_modem.transport import VirtualModem

PAGE = ROOT / "docs" / "session-board.md"
BEGIN, END = "<!-- recorded by make board-session RECORD=1 -->\n", "<!-- end of the record -->\n"
CONFIG = {"family": "bc66", "host": "127.0.0.1", "endpoint": "urn:dev:lwnode-{id}", "apn": "iot", "sample_every": 60,
          "report_every": 60, "spread": 0, "maintenance_window": 5}  # fmt: skip
SECRETS = {"update_key": "00112233445566778899aabbccddeeff"}
WORDS = ("help()", 'at("+CSQ")', "sample()", "why()", "doctor()", "report()", "journal()", "status()", "updates()", "log()")
WAIT_S = 120


class Session:
    """A desk: what is typed and what comes back goes to `say`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.server = Lwm2mServer()
        self.observing: asyncio.Task[None] | None = None
        (folder / "node").mkdir()

    def say(self, text: str) -> None:
        """One line of the transcript."""
        text = text.replace(self.board.repl_path, "PORT").replace(str(self.folder) + "/", "")
        self.lines.append(text)
        print(text, flush=True)

    async def run(self) -> None:
        """All of it."""
        await self.server.start()
        self.server.on_registration = self._registered
        self.modem = await VirtualModem("bc66", f"coap://127.0.0.1:{self.server.port}").start()
        self.board = HostBoard("esp32", self.folder / "node", self.modem.pty_path, self.modem.control_port, speed=30,
                               heap="1m", repl=True)  # fmt: skip
        self._write("node.json", CONFIG | {"port": self.server.port})
        self._write("secrets.json", SECRETS)
        await self.board.start()
        try:
            await self.board.until("at_repl")
            await self._deploy()
            await self._shell()
            await self._update()
            self._sizes()
        finally:
            await self.board.stop()
            await self.modem.close()
            await self.server.close()

    def _write(self, name: str, content: dict[str, object]) -> None:
        (self.folder / name).write_text(json.dumps(content))

    def _registered(self, endpoint: str, event: str) -> None:
        """What a server does with a new node: it observes."""
        if event in ("registered", "reregistered"):
            self.observing = asyncio.create_task(self._observe(endpoint))

    async def _observe(self, endpoint: str) -> None:
        for path in ("/3303/0/5700", "/3304/0/5700", "/19/0/0"):
            await self.server.observe(endpoint, path)

    async def _deploy(self) -> None:
        await self.make("deploy", "first")
        await self._reset()
        await self.make("deploy", "again: only what differs is copied")
        await self._reset()
        self._write("node.json", CONFIG | {"port": self.server.port, "lifetime": "a day"})
        await self.make("provision", "with a mistake: nothing is written")
        self._write("node.json", CONFIG | {"port": self.server.port, "lifetime": 3600})
        await self.make("provision", "corrected")
        await self._wake()

    async def _wake(self) -> None:
        """Leave the node alone until it sleeps: a completed cycle, which three resets in a row must not go without."""
        slept = await self.board.until("sleep", timeout=WAIT_S)
        wake = self.board.wakes[-1]
        awake, asleep = wake.awake_ms / 1000, slept.detail / 1000
        self.say(f"# left alone: awake for {awake:.0f} s after {wake.cause}, then asleep for {asleep:.0f} s")

    async def _shell(self) -> None:
        await self._reset()
        self.say("\n# the shell: Ctrl-C in the maintenance window, then words")
        first = True
        for word in WORDS:
            code = "from shell import *; " * first + word
            shown = f">>> {word}" if not first else f">>> from shell import *\n>>> {word}"
            output = await self._mpremote(*([] if first else ["resume"]), "exec", self._echo(code))
            for line in (shown + "\n" + output).splitlines():
                self.say(line)
            first = False

    @staticmethod
    def _echo(code: str) -> str:
        """As the prompt does: print what a word gives back."""
        head, _, word = code.rpartition("; ")
        return f"{head}\n_value = {word}\nif _value is not None: print(repr(_value))"

    async def _update(self) -> None:
        self.board.reset_button()
        await self._wake()
        await self._reset()
        await self.make("update", "one file, signed, tried, kept", "--files", "sensors.py")
        await self._wake()
        await self._reset()
        self.say("\n>>> updates()")
        self.say((await self._mpremote("exec", "from shell import updates; updates()")).rstrip())

    def _sizes(self) -> None:
        self.say("\n# the deployed application (ESP32_GENERIC, BC66; bytes of .mpy, and of source where a board needs source)")
        for line in sizes():
            self.say(line)

    async def make(self, target: str, why: str, *more: str) -> None:
        """A command of the Makefile, as it runs it."""
        shown = " ".join([f"FILES={more[1]}"] if more else [])
        self.say(f"\n# {why}")
        self.say(f"$ make {target} BOARD=ESP32_GENERIC PORT=PORT CONFIG=node.json SECRETS=secrets.json {shown}".rstrip())
        output = await self._run(
            "-m", "tools.boards", target, "--board", "ESP32_GENERIC", "--port", self.board.repl_path, "--config",
            str(self.folder / "node.json"), "--secrets", str(self.folder / "secrets.json"), *more,
        )  # fmt: skip
        lines = output.splitlines()
        files = [line for line in lines if re.match(r" +\d+/\d+ /", line)]
        for line in lines:
            if line not in files[2:-2] or len(files) < 6:
                self.say(line)
            elif line == files[2]:
                self.say("  ...")

    async def _reset(self) -> None:
        self.board.reset_button()
        await self.board.until("boot")
        await asyncio.sleep(1.5)

    async def _mpremote(self, *arguments: str) -> str:
        return await self._run("-m", "mpremote", "connect", self.board.repl_path, *arguments)

    async def _run(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        output, _ = await asyncio.wait_for(process.communicate(), WAIT_S * 2)
        return output.decode().replace("\r", "")


def record(lines: list[str]) -> None:
    """Put the transcript into its page."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n```\n" + "\n".join(lines).strip() + f"\n```\n\n{END}{tail}", encoding="utf-8")


def main() -> int:
    """Run it."""
    parser = typed.Parser("make board-session")
    parser.add_argument("--record", action="store_true", help="write docs/session-board.md anew")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        asyncio.run(session.run())
    if options.record:
        record(session.lines)
    return 0


if __name__ == "__main__":
    sys.exit(typed.run(main))
