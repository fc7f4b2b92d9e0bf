"""What a reporting wake costs beside heap: exchanges, characters, time awake, instructions, flash, charge.

    dialogue("bc66", figures)          # commands and characters of a wake with a kept session, time awake
    instructions(figures)              # executed from main.py's first line to the first AT byte, and in a whole wake (valgrind)
    charge(figures)                    # three reference configurations

The least that a manual allows for four readings, LEAST, counts what cannot be left out:

    bc66     7   AT (the UART is deaf in sleep: low power manual), QLWRECOVER (LwM2M note 3.4: the session is suspended in deep
                 sleep), four QLWNOTIFY (one resource each, 4.2.7), QRELLOCK (else ten seconds awake). Above it: QSCLK=0 and
                 QSCLK=1 hold it awake while the server may ask, QLWSTATUS? tells whether RECOVER or REG is due: it changes
                 while the node sleeps.
    bc20     3   AT, one QLWDATASEND with four readings in a pack, QRELLOCK. Above it: QSCLK as above.
    bg96     4   AT, "register" (PSM is a power cycle), one "ulhex", psm/enter. Above it: "select" until the client has booted,
                 whether the session stands, what the network is like.
    me910c1  7   PSM is a power cycle: AT, LWM2MENA, one line of LWM2MMON, LWM2MNFYACKURI and ACKENA (all forgotten; 2.2.2
                 lets commands share a line), four LWM2MSET (each has an answer of its own, as 2.2.2 advises). Above it: ATE0
                 until it has booted (four seconds), CMEE (forgotten too), what the network and the stored objects are
                 like (a server or a factory reset may have changed them), values a server wrote, extremes that moved.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import tempfile
from pathlib import Path

from tools.bench import build, node
from tools.bench.world import World

LEAST = {"bc66": 7, "bc20": 3, "bg96": 4, "me910c1": 7}
LISTEN_MS = 2000
CONFIG = {"sample_every": 60, "report_every": 60, "spread": 0, "maintenance_window": 0,
          "listen": LISTEN_MS // 1000, "apn": "iot.example", **build.BARE}
# Delays that a module asks for: between a final result and the next command (Telit AT guide; kept for all), of the wake
# pin, and of the power key that brings a BG96 out of PSM (low power notes 3.4).
ASKED_FOR_MS = (20, 100, 200)

# Port, family and intervals of a node in the field; a cell of 3000 mAh.
REFERENCES = {
    "esp32-bc66-15min": ("esp32", "bc66", {"sample_every": 900, "report_every": 900}),
    "esp32-bc66-6h": ("esp32", "bc66", {"sample_every": 900, "report_every": 21600}),
    "rp2-bg96-1h": ("rp2", "bg96", {"sample_every": 900, "report_every": 3600}),
}
CELL_MAH = 3000
_ONE_WAY_MS = 700  # NB-IoT in normal coverage


class Timed(World):
    """A world that knows when the node slept, when it waited for bytes, and when it only let time pass."""

    def __init__(self, family: str, files: dict[str, bytes], config: dict[str, object] | None = None, port: str = "rp2"):
        self.asked = 0
        self.woken_at = self.waited_ms = self.paused_ms = self.asked_for_ms = 0
        self.stop_at = ""  # the question that ends the life
        super().__init__(port, family, files, {**CONFIG, **(config or {})})

    def _answer(self, kind, *arguments):
        self.asked += 1
        answer = super()._answer(kind, *arguments)
        if kind == self.stop_at:
            raise Halted
        return answer

    def _on_wait(self, ms: int) -> bool:
        began = self.clock.now
        found = super()._on_wait(ms)
        self.waited_ms += self.clock.now - began
        return found

    def _on_pause(self, ms: int) -> None:
        self.paused_ms += ms
        self.asked_for_ms += ms if ms in ASKED_FOR_MS else 0
        super()._on_pause(ms)

    def _on_lightsleep(self, ms: int):
        answer = super()._on_lightsleep(ms)
        self.woken_at = self.clock.now
        self.waited_ms = self.paused_ms = self.asked_for_ms = 0
        return answer


class Halted(Exception):
    """The node has reached what was waited for."""


def micropython() -> str:
    """The unix port."""
    return os.environ.get("MICROPYTHON") or str(build.ROOT / ".venv" / "bin" / "micropython")


def dialogue(family: str, figures: dict[str, int]) -> None:
    """Exchanges, characters and times of the last of six wakes."""
    world = Timed(family, build.files("rp2", family))
    ended: list[tuple[int, int, int, int]] = []
    step = world._on_step

    def noted(*arguments) -> None:
        step(*arguments)
        ended.append((world.clock.now - world.woken_at, world.waited_ms, world.paused_ms, world.asked_for_ms))

    world._on_step = noted  # type: ignore[method-assign]
    world.live_in_unix(node.sampled("rp2", 6))
    if len(world.server.deliveries) < 20:
        raise SystemExit(f"bench: {family} delivered {len(world.server.deliveries)} values in six wakes:\n{world.said[-2000:]}")
    before, after = world.marks[-2], world.marks[-1]
    exchanges = after.commands - before.commands
    awake, waited, paused, asked_for = ended[-1]
    figures[f"at/exchanges/{family}"] = exchanges
    figures[f"at/bytes/{family}"] = after.characters - before.characters
    figures[f"awake/{family}"] = awake
    # What is neither the module's time nor asked for by its manual: our sensors' conversions and delays of our own.
    figures[f"awake/own/{family}"] = awake - waited - asked_for


def instructions(figures: dict[str, int]) -> bool:
    """Machine instructions of the interpreter, less those of the bench's own questions; False without valgrind."""
    if not shutil.which("valgrind"):
        return False
    prologue = node.PROLOGUE.format(port="rp2")
    empty, asked = counted(prologue)
    ask = (counted(prologue + "for _ in range(2000):\n    _host.ask('uptime')\n")[0] - empty) // 2000
    first, questions = counted(prologue + "import main\nmain.start()\n", "write")
    figures["instructions/first"] = (first - empty - (questions - asked) * ask) // 1000
    # Without collections, as ever: their threshold was set by main.py, which this program does not run, now by the contact.
    life = node.IMPORT + node.START + "node.connect()\ngc.threshold(-1)\n"
    life += "for _ in range(WAKES):\n    pause = node.wake()\n    board.sleep(pause)\n"
    (short, few), (long, many) = (counted(prologue + life.replace("WAKES", str(wakes))) for wakes in (3, 5))
    figures["instructions/wake"] = (long - short - (many - few) * ask) // 2000
    return True


def counted(code: str, stop_at: str = "", world: "Timed | None" = None, root: "Path | None" = None) -> tuple[int, int]:
    """(instructions, questions) of one run of that program, on a fresh board if none is given; `stop_at` ends it."""
    world = world or Timed("bc66", build.files("rp2", "bc66"))
    world.stop_at, world.asked = stop_at, 0
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "count"
        tool = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", f"--log-file={log}"]
        command = ["valgrind", *tool, micropython()]
        with contextlib.suppress(Halted):
            world.live_under(command, code, root)
        line = next(line for line in log.read_text().splitlines() if "I refs" in line or "I   refs" in line)
    return int(line.split(":")[1].replace(",", "")), world.asked


def charge(figures: dict[str, int]) -> None:
    """Microampere-hours for each report, days that a cell lasts, and files written a day, of the reference configurations."""
    from testing.simulate.charge import Charge
    from testing.simulate.simulation import Simulation

    for name, (port, family, intervals) in REFERENCES.items():
        with contextlib.redirect_stdout(io.StringIO()):
            simulation = Simulation(port, family, 1, "none", **intervals)
            simulation.link.radio(delay_ms=_ONE_WAY_MS)
            counted_charge = Charge(simulation)
            simulation.live(0)
        days = simulation.clock.now / 86_400_000
        reports = days * 86400 / simulation.settings.report_every
        figures[f"charge/report/{name}"] = int(1000 * counted_charge.mah_per_day() * days / reports)
        figures[f"charge/days/{name}"] = int(counted_charge.days(CELL_MAH))
        figures[f"flash/day/{name}"] = int(simulation.flash.saves / days + 0.5)


if __name__ == "__main__":
    found: dict[str, int] = {}
    build.compiled()
    for each in build.FAMILIES:
        dialogue(each, found)
    charge(found)
    instructions(found)
    print(json.dumps(found, indent=1))
