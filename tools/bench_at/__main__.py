"""Measure the AT driver and print the figures beside the floor, the budgets and the best of the field.

    make bench-at                       # everything this machine has the tools for
    python -m tools.bench_at --quick    # without instruction counts

Under MicroPython's unix build (64-bit) always; on its 32-bit WebAssembly build where node and npm are; instructions
where valgrind is. Each figure comes from a process of its own that runs workload.py over .mpy files.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tools import arguments
from tools.mpy import compiled, module_name

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
BUILD = ROOT / "build" / "bench_at"
MICROPYTHON = Path(sys.executable).parent / "micropython"
WEBASSEMBLY = "@micropython/micropython-webassembly-pyscript"
WEBASSEMBLY_VERSION = "1.27.0"  # newer ones are built for MicroPython previews
ROUNDS = 1000
MPY, HEAP = 6200, 11_000  # budgets of the whole driver, in bytes: .mpy, and heap of its import on 32 bits

# case: (what, floor's case, heap budget on 32 bits, instruction budget, best peer's heap, best peer's instructions)
COSTS = {"at": ("AT -> OK", "floor_at", 128, 70_000, "224", "57,000"),
         "query": ("query of three fields", "floor_query", 320, 130_000, "656", "156,000"),
         "urc": ("one URC line", "floor_urc", 128, 60_000, "157", "51,000")}


def main() -> int:
    parser = arguments.Parser("make bench-at", __doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="no instruction counts")
    quick = parser.parse_args().quick
    sizes = compile_all()
    webassembly = find_webassembly()
    count = not quick and shutil.which("valgrind") is not None
    console = Console(width=118)
    console.print(costs(webassembly, count))
    console.print(rest(sizes, webassembly, count))
    for missing, remedy in ((webassembly is None, "32-bit figures need node and npm"),
                            (not count, "instruction counts need valgrind" + (" (and no --quick)" if quick else ""))):
        if missing:
            console.print(f"left out: {remedy}")
    return 0


def compile_all() -> "dict[str, int]":
    """lib/lwnode/at as .mpy in build/, as a board would have it; returns their sizes."""
    sizes = {}
    shutil.rmtree(BUILD / "mpy", ignore_errors=True)
    for source in [ROOT / "lib/lwnode/__init__.py", *sorted((ROOT / "lib/lwnode/at").glob("*.py"))]:
        if source.name == "uart.py":
            continue  # a PC's
        name = source.relative_to(ROOT / "lib")
        target = (BUILD / "mpy" / name).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(compiled(source.read_text(encoding="utf-8"), module_name(name)))
        if source.parent.name == "at":
            sizes[source.stem] = target.stat().st_size
    shutil.copy(HERE / "workload.py", BUILD / "mpy")
    return sizes


def find_webassembly() -> "Path | None":
    """The 32-bit MicroPython, installed into build/ on first use; None without node, npm or network."""
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    module = BUILD / "node_modules" / WEBASSEMBLY / "micropython.mjs"
    if not module.exists():
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(BUILD),
             f"{WEBASSEMBLY}@{WEBASSEMBLY_VERSION}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=180, check=False,
        )  # fmt: skip
    return module if module.exists() else None


def on_unix(case: str, rounds: int = ROUNDS) -> "list[float]":
    """One workload under the unix build: its figures."""
    return figures([str(MICROPYTHON), "-X", "heapsize=32m", "workload.py", case, str(rounds)])


def on_32_bits(webassembly: "Path | None", case: str) -> "list[float] | None":
    """The same on the 32-bit build."""
    if webassembly is None:
        return None
    return figures(["node", str(HERE / "load.mjs"), str(webassembly), str(BUILD / "mpy"), case, str(ROUNDS)])


def figures(command: "list[str]") -> "list[float]":
    done = subprocess.run(command, cwd=BUILD / "mpy", capture_output=True, text=True, timeout=300, check=False)
    if done.returncode or not done.stdout.strip():
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return [float(word) for word in done.stdout.split()[1:]]


def instructions(case: str) -> float:
    """Per AT, query or URC line: callgrind's total of 1000 less that of 500, with the collector at work in 256 KB."""

    def total(rounds: int) -> int:
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(MICROPYTHON), "-X", "heapsize=256k",
                   "workload.py", "loop=" + case, str(rounds)]  # fmt: skip
        done = subprocess.run(command, cwd=BUILD / "mpy", capture_output=True, text=True, timeout=300, check=True)
        line = next(line for line in done.stderr.splitlines() if "Collected" in line)
        return int(line.split(":")[1])

    return (total(1000) - total(500)) / 500


def costs(webassembly: "Path | None", count: bool) -> Table:
    """What one command, one query and one URC cost."""
    table = Table(title="AT driver: cost of one, beside the floor (raw write and readinto)")
    for heading in ("", "heap B 64-bit", "32-bit", "budget", "best peer", "instructions", "floor", "budget", "best peer"):
        table.add_column(heading, justify="right" if heading else "left")
    for case, (what, floor, heap_budget, budget, peer_heap, peer) in COSTS.items():
        heap = on_unix(case)[0]
        small = on_32_bits(webassembly, case)
        used = instructions(case) if count else None
        table.add_row(what, f"{heap:,.0f}", judged(small and small[0], heap_budget), f"{heap_budget}", peer_heap,
                      judged(used, budget), f"{instructions(floor):,.0f}" if count else "-", f"{budget:,}", peer)  # fmt: skip
    if count:
        per_byte = (instructions("long300") - instructions("long100")) / 200
        table.add_row("one more received byte", "-", "-", "-", "-", judged(per_byte, 300), "-", "300", "118")
    return table


def rest(sizes: "dict[str, int]", webassembly: "Path | None", count: bool) -> Table:
    """Sizes, imports, latency."""
    table = Table(title="AT driver: size and time")
    for heading in ("", "figure", "budget"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_row(".mpy, bytes", judged(sum(sizes.values()), MPY), f"{MPY:,}")
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        table.add_row(f"    {name}", f"{size:,}", "")
    table.add_row("heap of the import, 64-bit, bytes", f"{on_unix('import=lwnode.at')[0]:,.0f}", "")
    small = on_32_bits(webassembly, "import=lwnode.at")
    table.add_row("heap of the import, 32-bit, bytes", judged(small and small[0], HEAP), f"{HEAP:,}")
    mean, worst = on_unix("latency")
    table.add_row("added latency, mean, ms", judged(mean, 2), "2")
    table.add_row("added latency, worst of 20, ms", f"{worst:.2f}", "")
    return table


def judged(figure: "float | None", budget: float) -> str:
    """The figure, green within its budget; by how much it misses, where it does."""
    if figure is None:
        return "-"
    shown = f"{figure:,.2f}" if budget < 10 else f"{figure:,.0f}"
    if figure <= budget:
        return f"[green]{shown}[/green]"
    return f"[yellow]{shown} (+{100 * (figure - budget) / budget:.0f}%)[/yellow]"


if __name__ == "__main__":
    sys.exit(arguments.run(main, "bench-at"))
