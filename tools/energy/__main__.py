"""python -m tools.energy --port esp32 --family bc66 --capacity 3000 [--config config.json] [--out build/energy.svg]."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in ("firmware", "lib", "host_tests", "host_tests/cpython"):
    sys.path.insert(1, str(ROOT / folder))

_ONE_WAY_MS = 700  # NB-IoT in normal coverage: a round trip takes one to two seconds
_KEYS = ("sample_every", "report_every", "listen", "lifetime", "binding", "attach_timeout", "awake_budget")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make energy", description="Battery life, and where the charge goes.")
    parser.add_argument("--port", choices=("esp32", "rp2"), default="esp32")
    parser.add_argument("--family", choices=("bc66", "bc20", "bg96", "me910c1"), default="bc66")
    parser.add_argument("--capacity", type=float, default=3000, help="of the cell, in mAh")
    parser.add_argument("--config", type=Path, help="a node's config.json: its intervals are used")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "energy.svg", help="where the picture goes")
    return parser.parse_args()


def intervals(path: Path | None) -> dict[str, object]:
    """The keys of a configuration that decide on charge. SystemExit with a sentence where it cannot be read."""
    if path is None:
        return {}
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path}: {error}; give a node's config.json")
    return {key: given[key] for key in _KEYS if key in given}


def main() -> int:
    """Live two quiet days, multiply, show."""
    arguments = _arguments()
    from rich.console import Console
    from rich.table import Table

    from tools.simulate.charge import SELF_DISCHARGE_PERCENT, USABLE_PERCENT, Charge
    from tools.simulate.simulation import Simulation

    from .picture import svg
    from .sources import of_rows

    with contextlib.redirect_stdout(io.StringIO()):
        simulation = Simulation(arguments.port, arguments.family, 1, "none", **intervals(arguments.config))
        simulation.link.radio(delay_ms=_ONE_WAY_MS)
        charge = Charge(simulation)
        simulation.live(2)
    days = simulation.clock.now / 86_400_000
    chip = simulation.definition.CHIP
    life = charge.days(arguments.capacity)
    every = simulation.settings.report_every
    title = f"{chip} with {arguments.family}, a report every {every} s: {charge.mah_per_day():.1f} mAh a day"
    table = Table(title=title, title_justify="left")
    for column in ("part", "hours a day", "mA", "mAh a day", "share", "source of the current"):
        table.add_column(column, justify="right" if column in ("hours a day", "mA", "mAh a day", "share") else "left")
    rows = charge.rows()
    total = sum(row[3] for row in rows)
    for (what, hours, current, mah), source in zip(rows, of_rows(chip, arguments.family)):
        table.add_row(what, f"{hours / days:.2f}", f"{current:g}", f"{mah / days:.2f}", f"{100 * mah / total:.0f} %", source)
    console = Console()
    console.print(table)
    note = (f"A cell of {arguments.capacity:.0f} mAh lasts about {life:.0f} days ({USABLE_PERCENT} % of it usable,"
            f" {SELF_DISCHARGE_PERCENT} % lost by itself each year).")
    console.print(note, highlight=False)
    if rows[0][3] > total / 2:
        console.print("The board's own sleep outweighs everything else: a load switch with a timer (TPL5110), or another board,"
                      " saves more than any setting.", highlight=False)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(svg(title, [(row[0], row[3] / days) for row in rows], note), encoding="utf-8")
    console.print(f"picture: {arguments.out}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
