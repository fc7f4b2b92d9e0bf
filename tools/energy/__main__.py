"""python -m tools.energy --port esp32 --family bc66 --capacity 3000 [--config config.json] [--out build/energy.svg]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools import arguments as typed

ROOT = Path(__file__).resolve().parents[2]
for folder in ("firmware", "lib", "host_tests", "host_tests/cpython"):
    sys.path.insert(1, str(ROOT / folder))

FAMILIES = ("bc66", "bc20", "bg96", "me910c1")


def _arguments() -> argparse.Namespace:
    parser = typed.Parser("make energy", "Battery life, and where the charge goes.")
    parser.add_argument("--port", type=typed.port, default="esp32")
    parser.add_argument("--family", type=typed.family, help="the configuration's, or bc66")
    parser.add_argument("--capacity", type=typed.number(1, 1e6, "mAh"), default=3000, help="of the cell, in mAh")
    parser.add_argument("--config", type=typed.file, help="a node's config.json: its intervals and options are used")
    parser.add_argument("--out", type=typed.place, default=ROOT / "build" / "energy.svg", help="where the picture goes")
    return parser.parse_args()


def main() -> int:
    """Live some quiet days, multiply, show."""
    arguments = _arguments()
    from lwnode.config import ConfigError

    from .lived import given, live

    config = given(arguments.config)
    family = arguments.family or str(config.get("family", FAMILIES[0]))
    config.pop("family", None)
    if family not in FAMILIES:
        raise SystemExit(f'{arguments.config}: "family" is {family}; expected one of {", ".join(FAMILIES)}')
    try:
        charge = live(arguments.port, family, config)
    except ConfigError as error:
        raise SystemExit(str(error)) from error
    show(charge, arguments.capacity, arguments.out)
    return 0


def show(charge, capacity: float, out: Path) -> None:
    """Print table and advice, and write the picture."""
    from rich.console import Console
    from rich.table import Table

    from testing.simulate.charge import SELF_DISCHARGE_PERCENT, USABLE_PERCENT

    from .picture import svg
    from .sources import of_rows

    simulation = charge.simulation
    chip, settings = simulation.definition.CHIP, simulation.settings
    title = f"{chip} with {simulation.family}, a report every {settings.report_every} s: {charge.mah_per_day():.1f} mAh a day"
    table = Table(title=title, title_justify="left")
    for column in ("part", "hours a day", "mA", "mAh a day", "share", "source of the current"):
        table.add_column(column, justify="right" if column in ("hours a day", "mA", "mAh a day", "share") else "left")
    rows, days = charge.rows(), charge.lived_days()
    total = sum(row[3] for row in rows)
    for (what, hours, current, mah), source in zip(rows, of_rows(chip, simulation.family)):
        table.add_row(what, f"{hours / days:.2f}", f"{current:g}", f"{mah / days:.2f}", f"{100 * mah / total:.0f} %", source)
    console = Console()
    console.print(table)
    note = (f"A cell of {capacity:.0f} mAh lasts about {charge.days(capacity):.0f} days ({USABLE_PERCENT} % of it usable,"
            f" {SELF_DISCHARGE_PERCENT} % lost by itself each year).")
    console.print(note, highlight=False)
    for sentence in advice(charge):
        console.print(sentence, highlight=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(svg(title, [(row[0], row[3] / days) for row in rows], note), encoding="utf-8")
    console.print(f"picture: {out}", highlight=False)


def advice(charge) -> list[str]:
    """What stands out, a sentence each."""
    rows = charge.rows()
    sentences = []
    if not charge.slept():
        awake = rows[4][1] / charge.lived_days()
        sentences.append(f"The module does not sleep ({awake:.1f} h a day awake with its radio idle): ask the network for PSM"
                         " (psm_tau and psm_active in config.json).")
    if rows[0][3] > sum(row[3] for row in rows) / 2:
        sentences.append("The board's own sleep outweighs everything else: a load switch with a timer (TPL5110), or another"
                         " board, saves more than any setting.")
    return sentences


if __name__ == "__main__":
    sys.exit(typed.run(main))
