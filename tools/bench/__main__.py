"""Measure what a node costs, print it beside its budgets, fail where a budget is broken.

    python -m tools.bench                figures also go to build/bench/figures.json
    python -m tools.bench --where        and where the heap goes, module by module (profile.py)

What a wake costs besides heap: wake.py.

Heap: the 32-bit webassembly build (needs node) runs lib/ as .mpy on an RP2 in virtual time, a hundred wakes in one process;
the unix port samples what is live at every moment the node asks something of its board. See world.py.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.bench import build, node, profile, stack, wake
from tools.bench.world import Step, World
from tools.matrix.webassembly import Builds, Missing

HERE = Path(__file__).resolve().parent
WAKES = 100
RELEASE = "1.28"  # the newest released MicroPython; make matrix looks after the others
PERIOD = {"sample_every": 60, "report_every": 60, "spread": 0, "maintenance_window": 0}


@dataclass(frozen=True)
class Budget:
    """One row of budgets.txt."""

    limit: int
    goal: int | None
    what: str
    floor: bool = False  # the figure has to be at least the limit

    def margin(self, figure: int) -> int:
        """Percent of the limit that are left; below zero where it is broken."""
        room = figure - self.limit if self.floor else self.limit - figure
        return 100 * room // self.limit if self.limit else -100 * (room < 0)


def budgets(path: Path = HERE / "budgets.txt") -> dict[str, Budget]:
    """Read the table."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, limit, goal, *what = line.split(None, 3)
            found[name] = Budget(int(limit.lstrip(">")), None if goal == "-" else int(goal), "".join(what), limit[0] == ">")
    return found


def main(arguments: list[str]) -> int:
    """Measure, print, judge."""
    try:
        builds = Builds()
    except Missing as missing:
        print(f"bench: {missing}", file=sys.stderr)
        return 1
    build.compiled()
    figures = sizes()
    heap(builds, figures)
    table = budgets()
    for family in build.FAMILIES:
        wake.dialogue(family, figures)
    stack.figures_of(build.FAMILIES, figures)
    wake.charge(figures)
    if not wake.instructions(figures):
        print("left out: instruction counts need valgrind")
        table = {name: row for name, row in table.items() if not name.startswith("instructions/")}
    (build.BUILD / "figures.json").write_text(json.dumps(figures, indent=2))
    if "--where" in arguments:
        profile.show(builds)
    return judge(figures, table)


def sizes() -> dict[str, int]:
    """Bytes of .mpy: deployed for each family, and of each family's own room."""
    found = {}
    for family in build.FAMILIES:
        deployed = build.files("esp32", family)
        mine = {path: data for path, data in deployed.items() if f"/modem/{family}" in path}
        if mine:
            found[f"mpy/{family}"] = sum(len(data) for path, data in deployed.items() if path.endswith(".mpy"))
            found[f"mpy/dialect/{family}"] = sum(map(len, mine.values()))
    return found


def heap(builds: Builds, figures: dict[str, int]) -> None:
    """A node's heap, exchanges and flash writes into `figures`."""
    files = build.files("rp2", "bc66")
    world = World("rp2", "bc66", files, PERIOD)
    steps = world.live_in_webassembly(builds.module(RELEASE), node.steps("rp2", WAKES))
    by_name = {step.name: step for step in steps}
    base = by_name["base"].live
    figures["heap/import"] = by_name["import"].live - base
    figures["heap/start"] = by_name["start"].live - base
    figures["heap/steady"] = by_name["wake 3"].live - base
    figures["heap/growth"] = max(0, by_name[f"wake {WAKES}"].live - by_name["wake 3"].live)
    figures["heap/largest"] = max(step.largest for step in steps if step.name != "base")
    expect(world, WAKES)
    in_rom(builds, files, figures)
    sampled(files, figures)


def sampled(files: dict[str, bytes], figures: dict[str, int]) -> None:
    """The most that is live within a wake, from the unix port, and the dialogue of the last wake."""
    wakes = 6
    world = World("rp2", "bc66", files, PERIOD)
    micropython = os.environ.get("MICROPYTHON") or str(build.ROOT / ".venv" / "bin" / "micropython")
    steps: list[Step] = world.live_in_unix(micropython, node.sampled("rp2", wakes))
    expect(world, wakes)
    last = steps[-1]
    figures["heap/high/64"] = max(step.high for step in steps[-3:])
    figures["heap/high"] = figures["heap/high/64"] * figures["heap/steady"] // last.live
    figures["heap/frozen/64"], live = frozen(files, micropython)
    figures["heap/rom/high"] = figures["heap/frozen/64"] * figures["heap/rom/steady"] // live
    figures["heap/least/64"] = least(files, micropython)
    figures["flash/files"] = world.marks[-1].files


def frozen(files: dict[str, bytes], micropython: str) -> tuple[int, int]:
    """The most that is live within a wake where lib/ is executed from flash, and what is live after it: only objects."""
    world = World("rp2", "bc66", files, PERIOD)
    steps = world.live_in_unix(micropython, node.sampled("rp2", 4), frozen=True)
    expect(world, 4)
    return max(step.high for step in steps[-2:]), steps[-1].live


def in_rom(builds: Builds, files: dict[str, bytes], figures: dict[str, int]) -> None:
    """The 32-bit build once more, .mpy executed in place from a ROM file system, as a board's flash is."""
    world = World("rp2", "bc66", files, PERIOD)
    steps = world.live_in_webassembly(builds.module(RELEASE), node.steps("rp2", 3), frozen=True)
    by_name = {step.name: step.live for step in steps}
    figures["heap/rom/start"] = by_name["start"] - by_name["base"]
    figures["heap/rom/steady"] = by_name["wake 3"] - by_name["base"]
    expect(world, 3)


def least(files: dict[str, bytes], micropython: str) -> int:
    """The smallest heap, to 1 KB, in which the same node lives through its cold start and three more wakes."""
    too_small, enough = 96, 512
    while enough - too_small > 1:
        middle = (too_small + enough) // 2
        world = World("rp2", "bc66", files, PERIOD)
        try:
            world.live_in_unix(micropython, node.plain("rp2", 4), frozen=True, heap=middle << 10)
        except RuntimeError:  # whatever it says: where there is no room, not even the wire's JSON is whole
            too_small = middle
        else:
            expect(world, 4)
            enough = middle
    if enough == 512:
        raise SystemExit(f"bench: the node does not live in {enough} KB either:\n{world.said[-2000:]}")
    return enough << 10


def expect(world: World, wakes: int) -> None:
    """A bench whose node delivers nothing measures nothing."""
    if len(world.server.deliveries) < 4 * (wakes - 1):
        raise SystemExit(f"bench: only {len(world.server.deliveries)} values arrived in {wakes} wakes:\n{world.said[-2000:]}")


def judge(figures: dict[str, int], table: dict[str, Budget]) -> int:
    """Print the table; 1 if a budget is broken or a figure and its row do not find each other."""
    print(f"{'':28} {'figure':>8} {'budget':>8} {'margin':>7} {'goal':>8}")
    broken = []
    for name, figure in figures.items():
        if name not in table:
            broken.append(f"{name} has no row in tools/bench/budgets.txt")
            continue
        row = table[name]
        margin = row.margin(figure)
        print(f"{name:28} {figure:8} {row.limit:8} {margin:6}% {'-' if row.goal is None else row.goal:>8}  {row.what}")
        if margin < 0:
            broken.append(f"{name} is {figure}, its budget {row.limit}")
    broken += [f"{name} has a budget and was not measured" for name in table if name not in figures]
    for sentence in broken:
        print(f"bench: {sentence}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
