"""mpremote as a tool: run it, and turn its failures into sentences."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.boards.catalog import OLDEST, Board
from tools.boards.remedy import Remedy

SILENCE_S = 60  # a single file of 30 KB takes some ten seconds at 115200 baud
NO_ANSWER = (
    "no board answers on {port}: it may be asleep or running; press its reset button and try again within the "
    "maintenance window (5 s), or close the stay-awake pin"
)

NO_BOARD = (
    "there is no board on {port}: plug it in, or name its port with PORT= (`mpremote connect list` shows those there are)"
)

# What the board says of itself. Hashes are of the files whose names are asked for.
PROBE = """
import hashlib, json, os, sys
def probe():
    hashes = {}
    for name in NAMES:
        try:
            with open(name, "rb") as file:
                digest = hashlib.sha256()
                while True:
                    data = file.read(512)
                    if not data:
                        break
                    digest.update(data)
        except OSError:
            continue
        hashes[name] = "".join(["%02x" % byte for byte in digest.digest()])
    found = []
    def walk(folder):
        for entry in os.ilistdir(folder):
            path = folder + "/" + entry[0]
            if entry[1] == 0x4000:
                walk(path)
            else:
                found.append(path)
    try:
        walk("/lib/lwnode")
    except OSError:
        pass
    stat = os.statvfs("/")
    uname = os.uname()
    print(json.dumps({"port": uname.sysname, "machine": uname.machine, "version": sys.implementation.version[:3],
        "mpy": getattr(sys.implementation, "_mpy", 0) & 0xFF, "free": stat[0] * stat[3], "hashes": hashes, "lib": found}))
probe()
"""


@dataclass(frozen=True)
class Found:
    """A board's answer to the probe."""

    port: str
    machine: str
    version: tuple[int, ...]
    mpy: int
    free: int
    hashes: dict[str, str]
    lib: list[str]


class Remote:
    """One board on one serial port. With `dry_run` commands are printed, not run."""

    def __init__(self, port: str | None, dry_run: bool = False) -> None:
        self.port, self.dry_run = port or "auto", dry_run

    def command(self, *arguments: str) -> list[str]:
        """The command line; a name like `auto` is mpremote's own."""
        return [sys.executable, "-u", "-m", "mpremote", "connect", self.port, *arguments]

    def run(self, *arguments: str, show: bool = False, each: Callable[[str], None] | None = None) -> str:
        """Run mpremote; what it printed, each line of it as it comes. Remedy where it fails, or is silent for too long."""
        if self.dry_run:
            print(
                "would run: mpremote",
                "connect",
                self.port,
                *(argument if "\n" not in argument else "..." for argument in arguments),
            )
            return ""
        if self.port.startswith("/") and not Path(self.port).exists():
            raise Remedy(NO_BOARD.format(port=self.port))
        status, output = follow(self.command(*arguments), each)
        if status is None:
            raise Remedy(NO_ANSWER.format(port=self.port))
        if status:
            raise Remedy(self.explain(output))
        if show:
            print(output, end="")
        return output

    def copy(self, data: bytes, path: str) -> None:
        """Write one file on the board."""
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / "data"
            local.write_bytes(data)
            self.run("fs", "cp", "-f", str(local), f":{path}")

    def explain(self, output: str) -> str:
        """A sentence for what mpremote said."""
        said = [line for line in output.splitlines() if line.strip()]
        last = said[-1].strip() if said else "nothing"
        if "no device found" in output or "No such file" in output and "could not open port" in output:
            return NO_BOARD.format(port=self.port)
        if "failed to access" in output or "exclusively lock" in output or "in use by another program" in output:
            return (
                f"{self.port} is busy or not yours to open: close the other program, or add yourself to the group that owns it"
            )
        if "could not enter raw repl" in output or "timeout waiting" in output or "device disconnected" in output:
            return NO_ANSWER.format(port=self.port)
        if "ENOSPC" in output or "No space left" in output:
            return "the board's filesystem is full: remove files with mpremote fs rm, or flash with ERASE=1 and deploy again"
        return f"mpremote failed: {last}; try `mpremote connect {self.port} repl` to see whether the board answers"

    def probe(self, names: list[str]) -> Found:
        """Ask the board what it is and what it has."""
        output = self.run("exec", PROBE.replace("NAMES", repr(names)))
        try:
            said: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
        except (ValueError, IndexError):
            raise Remedy(f"what answers on {self.port} is no MicroPython board (it said {output[-60:]!r}): flash it first")
        said["version"] = tuple(said["version"])
        return Found(**said)


def follow(
    command: list[str], each: Callable[[str], None] | None, silence_s: int = SILENCE_S, env: dict[str, str] | None = None
) -> tuple[int | None, str]:
    """Run a command; (exit status, output). None after a silence of silence_s: the whole may take as long as it needs."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
    )
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    said = []
    try:
        while (line := lines.get(timeout=silence_s)) is not None:
            said.append(line)
            if each:
                each(line)
        return process.wait(), "".join(said)
    except queue.Empty:
        return None, "".join(said)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def refuse_other_board(found: Found, board: Board) -> None:
    """Remedy for the wrong chip, and for a MicroPython that is too old."""
    if found.version[:2] < OLDEST:
        version = ".".join(map(str, found.version))
        raise Remedy(
            f"the board runs MicroPython {version}; {OLDEST[0]}.{OLDEST[1]} or later is needed: make flash BOARD={board.name}"
        )
    if found.mpy and found.mpy != 6:
        raise Remedy(f"the board's MicroPython loads .mpy format {found.mpy}, ours is 6: flash a release from 1.24 on")
    chips = {
        "esp32": "ESP32",
        "esp32s3": "ESP32S3",
        "esp32c3": "ESP32C3",
        "esp32c6": "ESP32C6",
        "rp2040": "RP2040",
        "rp2350": "RP2350",
    }
    words = found.machine.replace("-", "").upper().split()
    if found.port != board.port or chips.get(board.chip, "").upper() not in words:
        raise Remedy(
            f"the board on this port is a {found.machine}, BOARD={board.name} is for {board.chip}: name the right board"
        )
