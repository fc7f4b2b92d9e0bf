"""Measure what a node costs, print it beside its budgets, fail where a budget is broken.

    python -m tools.bench                figures also go to build/bench/figures.json
    python -m tools.bench --where        and where the heap goes, module by module (profile.py)

What a wake costs besides heap: wake.py.

Heap: the 32-bit webassembly build (needs node) runs lib/ as .mpy on an RP2 in virtual time, a hundred wakes in one process;
the unix port samples what is live at every moment the node asks something of its board. See world.py.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from tools.arguments import run
from tools.bench import build, house, node, profile, sampling, stack, wake, ways
from tools.bench.world import Step, World
from tools.matrix.webassembly import Builds, Missing
from tools.progress import doing

HERE = Path(__file__).resolve().parent
WAKES = 100
SHORT = 4  # a cold start and three more wakes
FEATURES: dict[str, object] = {"battery": "lipo", "data_budget": 5000000, "node_objects": True}
RELEASE = "1.28"  # the newest released MicroPython; make matrix looks after the others
PERIOD: dict[str, object] = {
    "sample_every": 60, "report_every": 60, "spread": 0, "maintenance_window": 0, "apn": "iot.example", **build.BARE,
}  # fmt: skip


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
    doing("sizes")
    build.compiled()
    figures = sizes()
    house.figures_of(figures)
    ways.figures_of(figures)
    loaded(builds, figures)
    doing("heap of a hundred wakes")
    heap(builds, figures)
    table = budgets()
    for family in build.FAMILIES:
        doing(f"exchanges of {family}")
        wake.dialogue(family, figures)
    doing("stack")
    stack.figures_of(build.FAMILIES, figures)
    doing("charge")
    wake.charge(figures)
    doing("instructions")
    if wake.instructions(figures):
        sampling.figures_of(figures)
    else:
        print("left out: instruction counts need valgrind")
        table = {name: row for name, row in table.items() if not name.startswith("instructions/") and "/sampling" not in name}
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


def loaded(builds: Builds, figures: dict[str, int]) -> None:
    """What a BC66 node loads at some time: modules, and bytes of their .mpy."""
    files = build.files("rp2", "bc66")
    names = profile.loaded(builds, "bc66", files)
    figures["loaded/modules/bc66"] = len(names)
    figures["loaded/mpy/bc66"] = sum(len(profile.code_of(files, name)) for name in names)


def heap(builds: Builds, figures: dict[str, int]) -> None:
    """A node's heap and flash writes into `figures`."""
    files = build.files("rp2", "bc66")
    world = World("rp2", "bc66", files, PERIOD)
    steps = world.live_in_webassembly(builds.module(RELEASE), node.steps("rp2", WAKES))
    by_name = {step.name: step for step in steps}
    base = by_name["base"].live
    figures["heap/import"] = by_name["import"].live - base
    figures["heap/steady"] = by_name["wake 3"].live - base
    figures["heap/growth"] = max(0, by_name[f"wake {WAKES}"].live - by_name["wake 3"].live)
    figures["heap/largest"] = max(step.largest for step in steps if step.name != "base")
    expect(world, WAKES)
    sampled(files, figures)


def sampled(files: dict[str, bytes], figures: dict[str, int]) -> None:
    """What the unix port says, whose objects are twice as large: scaled by what is live in both between two wakes."""
    world = World("rp2", "bc66", files, PERIOD)
    steps: list[Step] = world.live_in_unix(node.sampled("rp2", SHORT + 2))
    expect(world, SHORT + 2)
    scale = Fraction(figures["heap/steady"], steps[-1].live)
    figures["heap/high"] = int(max(step.high for step in steps[-3:]) * scale)
    figures["flash/files"] = world.marks[-1].files
    for family in build.FAMILIES:
        figures[f"heap/least/{family}"] = least(family, {}, scale)
    for family in ("bc66", "me910c1"):
        figures[f"heap/least/{family}/features"] = least(family, FEATURES, scale)
    figures["heap/hole"] = hole(files, scale)


def least(family: str, config: dict[str, object], scale: Fraction) -> int:
    """The smallest heap, to 2 KB, in which a node with lib/ as .mpy in RAM lives through a cold start and three more wakes."""
    doing(f"the smallest heap of {family}")
    config = {**PERIOD, **config}
    files = build.files("rp2", family, config)
    too_small, enough = 64, 1024
    while enough - too_small > 2:
        middle = (too_small + enough) // 2
        world = World("rp2", family, files, config)
        try:
            world.live_in_unix(node.plain("rp2", SHORT), heap=middle << 10)
            alive = len(world.server.deliveries) >= 4 * (SHORT - 1)
        except RuntimeError:  # whatever it says: where there is no room, not even the wire's JSON is whole
            alive = False
        too_small, enough = (too_small, middle) if alive else (middle, enough)
    if enough == 1024:
        raise SystemExit(f"bench: {family} does not live in {enough} KB either:\n{world.said[-2000:]}")
    return int((enough << 10) * scale)


def hole(files: dict[str, bytes], scale: Fraction) -> int:
    """The largest hole after a hundred wakes in a heap of 160 KB; 0 where the node does not live in so little."""
    world = World("rp2", "bc66", files, PERIOD)
    code = node.plain("rp2", WAKES) + "gc.collect()\nimport micropython\nmicropython.mem_info()\n"
    try:
        world.live_in_unix(code, heap=int(160_000 / scale))
    except RuntimeError:
        return 0
    expect(world, WAKES)
    found = re.findall(r"max free sz: (\d+)", world.said)
    return int(int(found[-1]) * 32 * scale)  # blocks of 32 bytes on 64 bits


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
    sys.exit(run(lambda: main(sys.argv[1:]), "bench"))
