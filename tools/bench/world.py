"""The world of one benched node, in virtual time: a board, a module with its server, and somebody who counts.

    world = World("rp2", "bc66", build.files("rp2", "bc66"))
    world.live_in_webassembly(module, steps)       # -> [Step(name, live, high, largest)]
    world.commands, world.bytes_in, world.server.deliveries ...

The node runs in a process of its own and asks for everything; the module is testing/virtual_modem's model and talks to an
LwM2M server in virtual time, so that nothing of either is on the node's heap.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.bench.build import BOARDS, ROOT
from testing.host_board import definition, rom
from testing.host_board.registers import Registers
from testing.host_board.sensors import Sht3x
from tools.mpy import compile_tree

LAUNCHER = ROOT / "testing" / "host_board" / "launcher.py"

# By the paths of tools.bench.build.
from fakes.clock import VirtualClock  # noqa: E402
from fakes.uart import FakeUart  # noqa: E402

from testing.lwm2m.local import LocalLink  # noqa: E402
from testing.lwm2m.local_server import LocalServer  # noqa: E402
from testing.virtual_modem import model  # noqa: E402

OBSERVED = ("/3303/0/5700", "/3304/0/5700", "/3303/1/5700", "/3304/1/5700", "/19/0/0")
HEAP = 256 << 10
LIMIT_S = 120

# What follows mounts over "/" and so comes after.
ROM_START = """
import os, uctypes, vfs
address, length = {where}.split()
vfs.mount(vfs.VfsRom(uctypes.bytearray_at(int(address), int(length))), "/rom")
"""
LAUNCHED = ROM_START.format(where='os.getenv("ROMFS")')  # launcher.py
PUT = ROM_START.format(where='open("/address").read()')  # node.mjs

UNIX_START = """
import os, sys
root = os.VfsPosix("{root}")
os.umount("/")
os.mount(root, "/")
"""


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass(frozen=True)
class Step:
    """The heap after one step of the node's life: bytes live, the most that was live, the largest block."""

    name: str
    live: int
    high: int
    largest: int


@dataclass(frozen=True)
class Mark:
    """What had gone over the UART at a step's end, and how many files of the board were written in it."""

    commands: int
    characters: int
    files: int


class World:
    """`build` maps paths on the board to what is there (see build.py); `config` replaces keys of config.json."""

    def __init__(self, port: str, family: str, build: dict[str, bytes], config: dict[str, Any] | None = None) -> None:
        self.port, self.family = port, family
        self.clock = VirtualClock()
        self.server = LocalServer(self.clock, auto_observe=OBSERVED)
        self.model = model(family, self.clock, LocalLink(self.clock, self.server), start="boot")
        self.uart = FakeUart(self.clock, peer=self.model, chunk=None)
        self.readings: list[tuple[str, str]] = []
        self.sensor = Sht3x(lambda name, text: self.readings.append((name, text)))
        self.definition = definition.read(ROOT / "boards" / BOARDS[port] / "board.py")
        self.registers = Registers(self.definition.chip) if port == "rp2" else None
        self.files = dict(build)
        self.steps: list[Step] = []
        self.marks: list[Mark] = []
        self.commands: list[str] = []
        self.bytes_out = self.bytes_in = 0
        self.said = ""
        self._kept: dict[str, Any] = {}
        self._booted_at = 0
        self._rtc = 0
        self._cause = 1
        self._root: Path | None = None  # of the unix port's board
        self._files_seen: dict[Path, int] = {}
        settings = json.loads((ROOT / "firmware" / "config.json").read_text()) | {"family": family} | (config or {})
        self.files["/flash/config.json"] = json.dumps(settings).encode()
        self.files["/flash/secrets.json"] = b"{}"

    def live_in_webassembly(self, module: Path, steps: list[tuple[str, str]]) -> list[Step]:
        """One boot in the 32-bit build at `module`."""
        steps = [(steps[0][0], PUT + steps[0][1]), *steps[1:]]
        with tempfile.TemporaryDirectory() as folder:
            root, job = Path(folder) / "root", Path(folder) / "job.json"
            image = self._lay_out(root)
            files = {f"/{path.relative_to(root)}": _base64(path.read_bytes()) for path in root.rglob("*") if path.is_file()
                     and root / "rom" not in path.parents}
            job.write_text(json.dumps({"heap": HEAP, "files": files, "rom": _base64(image), "steps": steps}))
            return self._live(["node", str(Path(__file__).with_name("node.mjs")), str(module), str(job)], Path(folder))

    def live_in_unix(self, code: str, heap: int = 4 << 20) -> list[Step]:
        """One boot in the unix port, 64-bit, with every question of the node a sample of its heap."""
        with tempfile.TemporaryDirectory() as folder:
            self._root = Path(folder) / "root"
            image = Path(folder) / "rom.img"
            image.write_bytes(self._lay_out(self._root))
            start = Path(folder) / "start.py"
            start.write_text(LAUNCHED + UNIX_START.format(root=f"{folder}/root") + code)
            return self._live([sys.executable, str(LAUNCHER), str(image), "-X", f"heapsize={heap}", str(start)], Path(folder))

    def live_under(self, command: list[str], code: str, root: "Path | None" = None) -> None:
        """Run a program in the unix port under another (valgrind), until it ends or a question is answered by an exception.

        root: a board's files, laid out by the first life and taken up by the next.
        """
        with tempfile.TemporaryDirectory() as folder:
            root = root or Path(folder) / "root"
            if not root.exists():
                self._lay_out(root)
            start = Path(folder) / "start.py"
            start.write_text(UNIX_START.format(root=root) + code)
            self._serve([*command, "-X", "heapsize=512k", str(start)], Path(folder))

    def _lay_out(self, root: Path) -> bytes:
        """The board's files below `root`; the image of what plays the port: on a board that is C, in flash, not on the heap."""
        for path, data in self.files.items():
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        for name in ("port", "common"):
            compile_tree(root / "rom" / name)
        return rom.pack(root / "rom", "port", "common")

    def _live(self, command: list[str], folder: Path) -> list[Step]:
        """Serve the process until it ends; what it measured meanwhile. RuntimeError with its words if it failed."""
        before = len(self.steps)
        if self._serve(command, folder) or len(self.steps) == before:
            raise RuntimeError(f"the node on the bench failed:\n{self.said[-2000:]}")
        return self.steps[before:]

    def _serve(self, command: list[str], folder: Path) -> int:
        """Answer the process until it ends; its exit status."""
        self._booted_at = self.clock.now
        self._rtc = 1609459200 - self.clock.now // 1000 if self.port == "rp2" else -(self.clock.now // 1000)
        with open(folder / "said", "w+") as said:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True)
            assert process.stdin and process.stdout
            try:
                for line in process.stdout:
                    if not line.startswith("["):
                        self.said += line
                        continue
                    process.stdin.write(json.dumps(self._answer(*json.loads(line))) + "\n")
                    process.stdin.flush()
            except BaseException:
                process.terminate()  # amid the question that was one too many
                raise
            finally:
                process.stdin.close()
                process.wait(LIMIT_S)
                said.seek(0)
                self.said += said.read()
        return process.returncode

    def _answer(self, kind: str, *arguments: Any) -> Any:
        try:
            return getattr(self, "_on_" + kind)(*arguments)
        except (OSError, ValueError) as error:
            return {"error": [type(error).__name__ if isinstance(error, ValueError) else "OSError", str(error)]}

    # What the node asks.

    def _on_hello(self) -> dict[str, Any]:
        return {
            "port": self.port, "machine": self.definition.chip, "now": self.clock.now, "cause": self._cause,
            "epoch": 946684800 if self.port == "esp32" else 0, "wake_reason": 4 if self._cause == 4 else 0,
            "unique_id": "a4cf12d03e58" if self.port == "esp32" else "e6614c311b7f3a2d", "repl_uart": 0,
            "wdt_limit": 8388 if self.port == "rp2" else 0, "flash_kb": 2048, "chip": self.definition.chip, "waking": [],
        }  # fmt: skip

    def _on_step(self, name: str, live: int, high: int, largest: int) -> None:
        self.steps.append(Step(name, live, high, largest))
        now = {path: path.stat().st_mtime_ns for path in self._root.rglob("*") if path.is_file()} if self._root else {}
        written = sum(1 for path, when in now.items() if self._files_seen.get(path) != when)
        self._files_seen = now
        self.marks.append(Mark(len(self.commands), self.bytes_in + self.bytes_out, written))

    def _on_uptime(self) -> int:
        return self.clock.now - self._booted_at

    def _on_seconds(self) -> int:
        return self.clock.now // 1000 + self._rtc

    def _on_rtc(self, seconds: int) -> None:
        self._rtc = seconds - self.clock.now // 1000

    def _on_pause(self, ms: int) -> None:
        self.clock.advance(ms)

    def _on_lightsleep(self, ms: int) -> dict[str, Any]:
        self._pass_deaf(ms)
        return {"slept": ms, "pins": []}

    def _on_deepsleep(self, ms: int) -> None:
        self._pass_deaf(ms)
        self._cause = 4

    def _pass_deaf(self, ms: int) -> None:
        self.clock.advance(ms)
        self.uart.readinto(bytearray(1 << 16))

    def _on_reset(self) -> None:
        self._cause = 2 if self.port == "esp32" else 3
        if self.registers:
            self.registers.restart("reset")

    def _on_hold(self, pin: int, held: bool) -> None:
        pass

    def _on_garble(self) -> None:
        pass

    def _on_uart(self, baudrate: int | None) -> None:
        pass

    def _on_any(self) -> int:
        return self.uart.any()

    def _on_wait(self, ms: int) -> bool:
        return self.uart.wait(ms)

    def _on_read(self, count: int) -> str:
        data = bytearray(count)
        got = self.uart.readinto(data) or 0
        self.bytes_in += got
        return data[:got].hex()

    def _on_write(self, data: str) -> int:
        raw = bytes.fromhex(data)
        self.bytes_out += len(raw)
        self.commands += [line for line in raw.decode("latin-1").split("\r") if line.startswith("AT")]
        return self.uart.write(raw)

    def _on_level(self, pin: int) -> int:
        name = self.definition.signals.get(pin, "")
        active = {"status": self.model.status_pin, "ring": self.model.ring_pin}.get(name, False)
        return self.definition.level(name, bool(active))

    def _on_drive(self, pin: int, level: int) -> None:
        name = self.definition.signals.get(pin, "")
        if name in ("power_key", "reset", "wake"):
            self.model.pin(name, self.definition.active(name, level))

    def _on_adc(self, pin: int) -> int:
        return 1800

    def _on_i2c_write(self, address: int, data: str) -> None:
        self.sensor.write(bytes.fromhex(data))

    def _on_i2c_read(self, address: int, count: int) -> str:
        return self.sensor.read(count).hex()

    def _on_load(self, name: str) -> Any:
        return self._kept.get(name)

    def _on_save(self, name: str, value: Any) -> None:
        self._kept[name] = value

    def _on_wdt(self, timeout: int) -> None:
        if self.registers:
            self.registers.watchdog_started()

    def _on_feed(self) -> None:
        pass

    def _on_wake_on(self, pins: list[int], level: int | None, way: str) -> None:
        pass

    def _on_peek(self, address: int) -> int:
        return 0 if address == 0x50110050 or self.registers is None else self.registers.peek(address)

    def _on_poke(self, address: int, value: int) -> None:
        if self.registers:
            self.registers.poke(address, value)
