"""One world: a clock, a server, a network, a module, a board with its flash, and the firmware that lives on it.

    world = World(family="bc66", port="esp32", seed=1)
    world.run(days=30)
    world.ledger                       what was read, delivered, dropped, lost

Nothing of lib/ or firmware/ is changed or patched: the board definition carries the model's machine module and clock
(lwnode.board.open_board looks there), the files of a FileStore are the simulated flash (lwnode.power.store.FILES), and
firmware/main.py is executed at each boot as the port does it.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

from boards.check import load
from fakes.chip import Dead, Reset
from fakes.clock import VirtualClock
from fakes.flash import FlashFiles, PowerCut
from fakes.machine_esp32 import Esp32
from fakes.machine_rp2 import Rp2
from fakes.uart import FakeUart
from lwnode.power import store

from tools.lwm2m.local import LocalLink
from tools.lwm2m.local_server import LocalServer
from tools.virtual_modem import model

from .ledger import Ledger

ROOT = Path(__file__).resolve().parents[2]
BOARDS = {"esp32": "ESP32_GENERIC", "rp2": "RPI_PICO"}
ENDPOINT = "urn:dev:lwnode-sim"
HISTORY = (19, 0, 0)
SENSOR = (3300, 0, 5700)
_FREEZE_EVERY_MS = 3 * 86400000


class Finished(BaseException):
    """The days asked for are over: ends the firmware wherever it waits."""


class Main:
    """firmware/main.py, compiled once and executed at each boot."""

    def __init__(self) -> None:
        path = ROOT / "firmware" / "main.py"
        self._code = compile(path.read_text(encoding="utf-8"), str(path), "exec")

    def __call__(self) -> None:
        exec(self._code, {"__name__": "__main__"})  # noqa: S102  our own firmware, as the port runs it


class World:
    """Everything that exists. `family` bc66, bc20, bg96 or me910c1; `port` esp32 or rp2."""

    def __init__(self, family: str = "bc66", port: str = "esp32", seed: int = 1, config: dict[str, Any] | None = None) -> None:
        self.family, self.port, self.seed = family, port, seed
        self.clock = VirtualClock()
        self.server = LocalServer(self.clock, auto_observe=["/%d/%d/%d" % SENSOR, "/%d/%d/%d" % HISTORY])
        self.link = LocalLink(self.clock, self.server)
        self.ledger = Ledger(self)
        self.definition = load(str(ROOT / "boards" / BOARDS[port] / "board.py"))
        self.chip: Any = Esp32(self.clock, self.definition.CHIP) if port == "esp32" else Rp2(self.clock, self.definition.CHIP)
        self.modem = model(family, self.clock, self.link, start="off")
        self.flash = FlashFiles()
        self.boots: dict[str, int] = {}
        self.cuts = 0
        self.next_cut: int | None = None
        self._wire()
        self._install(config or {})

    def _wire(self) -> None:
        chip, pins, levels = self.chip, self.definition.PINS, self.definition.LEVELS
        chip.line = FakeUart(self.clock, peer=self.modem, chunk=None)
        names = {pins[name]: name for name in ("power_key", "reset", "wake") if name in pins}

        def output(number: int, level: int | None) -> None:
            if number in names and level is not None:
                self.modem.pin(names[number], level == levels.get(names[number], 1))

        def status(active: bool) -> None:
            if "status" in pins:
                chip.drive(pins["status"], levels["status"] if active else 1 - levels["status"])

        chip.on_output = output
        self.modem.on_status = status
        status(self.modem.status_pin)
        chip.adc_mv[self.definition.BATTERY["pin"]] = 3900 * 1000 // self.definition.BATTERY["ratio_1000"]
        for name in ("ring", "stay_awake"):
            if name in pins:
                chip.drive(pins[name], 1 - levels[name])

    def _install(self, config: dict[str, Any]) -> None:
        """Deploy: configuration, sensors and board as the firmware finds them."""
        import json

        self.folder = tempfile.TemporaryDirectory(prefix="simulate-")
        wanted = {"family": self.family, "host": "server", "endpoint": ENDPOINT, "apn": "iot", "report_every": 900}
        wanted.update(config)
        Path(self.folder.name, "config.json").write_text(json.dumps(wanted), encoding="utf-8")
        definition: Any = self.definition
        definition.machine, definition.port, definition.clock = self.chip.machine, self.chip.port, self.chip.time
        sys.modules["board"] = definition
        sensors: Any = types.ModuleType("sensors")
        sensors.declare = lambda tree, board: tree.sensor(SENSOR[0], self.ledger.read, resolution=1)
        sys.modules["sensors"] = sensors

    def run(self, days: float) -> None:
        """Let so many days pass; a dead node ends it early."""
        main = Main()
        end = self.clock.now + int(days * 86400000)
        before, store.FILES, here = store.FILES, self.flash, os.getcwd()
        os.chdir(self.folder.name)
        # Modules that the firmware drops and imports again at each boot come from a cache, as .mpy files would.
        sys.dont_write_bytecode, sys.pycache_prefix = False, self.folder.name
        try:
            self.clock.at(end, self._finish)
            self._housekeeping()
            while True:
                self._life(main)
        except Finished:
            pass
        except Dead as dead:
            self.ledger.dead = str(dead)
        finally:
            store.FILES = before
            os.chdir(here)

    def _finish(self) -> None:
        raise Finished

    def _housekeeping(self) -> None:
        """The node collects its garbage at each wake: what the world itself remembers is none of its business."""
        gc.freeze()
        self.clock.after(_FREEZE_EVERY_MS, self._housekeeping)

    def _life(self, main: Main) -> None:
        try:
            main()
        except Reset as reset:
            self.boots[reset.kind] = self.boots.get(reset.kind, 0) + 1
            self.chip.boot(reset.kind)
        except PowerCut:
            self.power_cut()
        else:
            raise Dead("main.py returned: the node is awake in the REPL for ever")

    def power_cut(self) -> None:
        """The supply of board and module went away, in the middle of a write."""
        self.cuts += 1
        self.boots["power_on"] = self.boots.get("power_on", 0) + 1
        self.flash.cut_at = None
        self.ledger.power_lost()
        self.chip.boot("power_on")
        self.modem.pin("reset", True)
        self.modem.pin("reset", False)
