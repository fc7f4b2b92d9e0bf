"""A wake that only samples: what it executes, from main.py's first line after a deep-sleep reset to the board's sleep.

    figures_of(figures)              # thousands of the 64-bit interpreter's instructions (valgrind); False without it
    python -m tools.bench.sampling   # and what such a wake imports

An ESP32 with a BC66, four sensors and an actuator. Its first life, after power came, registers and reports; the next begins
from RTC memory, NVS and files, with a sample due and no contact. As deployed: main.py, sensors.py and board.py are compiled
from their sources, all else is .mpy. What plays the board's C is not counted, nor the questions of the bench.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from tools.bench import build, node
from tools.bench.wake import Halted, Timed, counted, micropython

# RTC memory without a question: a board copies it, and 16 questions for each write would be most of what is counted.
PORT = """
_kept = bytearray.fromhex(_host.ask("load", "rtc") or "")
def _memory(self, data=None):
    global _kept
    if data is None:
        return bytes(_kept)
    _kept = bytes(data)
def _deepsleep(ms=0):
    _host.ask("deepsleep", ms)
    _host.ask("imported", [name for name in sys.modules if name not in _before])
    _host.ask("save", "rtc", _kept.hex())
    _host.ask("slept")
machine.RTC.memory, machine.deepsleep = _memory, _deepsleep
_before = set(sys.modules)
"""
BEGUN = "_host.ask('begun')\n"
LIFE = "import main\nmain.GC_EVERY *= 2\nmain.start()\n"  # objects of 64 bits are twice as large
SENSORS = "from sht3x import Sht3x\n" + node.DECLARE
INTERVALS = {"sample_every": 300, "report_every": 3600}


class Sampling(Timed):
    """A world that hears what was imported."""

    imported: tuple[str, ...] = ()

    def _on_imported(self, names: list[str]) -> None:
        self.imported = tuple(sorted(names))

    def _on_begun(self) -> None:
        pass

    def _on_slept(self) -> None:
        pass


def figures_of(figures: dict[str, int]) -> None:
    """Instructions and modules, without a feature and with those of an unchanged configuration. Needs valgrind."""
    for name, config in (("", {"node_objects": False}), ("/features", {"node_objects": True})):
        world = measured(f"instructions/sampling{name}", {**INTERVALS, **config}, figures)
        figures[f"loaded/modules/sampling{name}"] = len(world.imported)
        print(f"a wake that only samples{name and ', with features'} imports:", *world.imported)


def measured(name: str, config: dict[str, object], figures: dict[str, int]) -> Sampling:
    """One board's life up to its second wake that only samples; the first of them is counted."""
    files = build.files("esp32", "bc66", config)
    files["/flash/sensors.py"] = SENSORS.encode()
    world = Sampling("bc66", files, config, "esp32")
    prologue = node.PROLOGUE.format(port="esp32") + PORT
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        plain(world, prologue, root)
        reported, spoken = len(world.server.deliveries), len(world.commands)
        empty, asked = counted(prologue + BEGUN, "begun", world, root)
        many, more = counted(prologue + "for _ in range(2000):\n    _host.ask('uptime')\n" + BEGUN, "begun", world, root)
        whole, questions = counted(prologue + LIFE, "deepsleep", world, root)
        figures[name] = (whole - empty - (questions - asked) * (many - empty) // (more - asked)) // 1000
        plain(world, prologue, root)
    if not reported or len(world.commands) != spoken:
        raise SystemExit(f"bench: expected a report and then two wakes without contact:\n{world.said[-2000:]}")
    return world


def plain(world: Sampling, prologue: str, root: Path) -> None:
    """One life, not counted."""
    world.stop_at = "slept"
    with contextlib.suppress(Halted):
        world.live_under([micropython()], prologue + LIFE, root)


if __name__ == "__main__":
    found: dict[str, int] = {}
    build.compiled()
    figures_of(found)
    print(found)
