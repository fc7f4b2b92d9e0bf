"""python -m tools.energy [--port esp32] [--family bc66] [--capacity 3000] [--config config.json] [--out build/energy.svg].

--table: all families and boards, every 15 minutes and once a day, beside their floors; with the sources of all figures.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools import arguments as typed

ROOT = Path(__file__).resolve().parents[2]
for folder in ("firmware", "lib", "host_tests", "host_tests/cpython"):
    sys.path.insert(1, str(ROOT / folder))

FAMILIES = ("bc66", "bc20", "bg96", "me910c1")
PORTS = {"esp32": "esp32", "rp2": "rp2040"}
# Days that issue 19 asks of an ESP32, by family: every 15 minutes, once a day.
REQUIRED = {"bc66": (240, 1500), "bg96": (90, 1300), "me910c1": (60, 1200)}


def _arguments() -> argparse.Namespace:
    parser = typed.Parser("make energy", "Battery life, and where the charge goes.")
    parser.add_argument("--port", type=typed.port, default="esp32")
    parser.add_argument("--family", type=typed.family, help="the configuration's, or bc66")
    parser.add_argument("--capacity", type=typed.number(1, 1e6, "mAh"), default=3000, help="of the cell, in mAh")
    parser.add_argument("--config", type=typed.file, help="a node's config.json: its intervals and options are used")
    parser.add_argument("--out", type=typed.place, default=ROOT / "build" / "energy.svg", help="where the picture goes")
    parser.add_argument("--table", action="store_true", help="all families and boards beside their floors, and all sources")
    given = parser.parse_args()
    if given.table and (given.config or given.family):
        parser.error("TABLE: every family has its defaults there: leave FAMILY and CONFIG out")
    if given.out.is_dir():
        parser.error(f"OUT: expected a file to write, found {given.out}, which is a folder")
    return given


def main() -> int:
    """Live some quiet days, multiply, show."""
    arguments = _arguments()
    from lwnode.config import ConfigError

    from .lived import given, live

    if arguments.table:
        table(arguments.capacity)
        return 0
    config = given(arguments.config)
    family = arguments.family or str(config.get("family", FAMILIES[0]))
    config.pop("family", None)
    if family not in FAMILIES:
        raise SystemExit(f'{arguments.config}: "family" is {family}; expected one of {", ".join(FAMILIES)}')
    try:
        show(live(arguments.port, family, config), arguments.capacity, arguments.out)
    except ConfigError as error:
        raise SystemExit(str(error)) from error
    return 0


def show(charge, capacity_mah: float, out: Path) -> None:
    """Print what stands out, the table and its floor, and write the picture."""
    from rich.console import Console
    from rich.table import Table

    from .picture import svg
    from .sources import of_rows

    console = Console()
    simulation = charge.simulation
    chip, settings = simulation.definition.CHIP, simulation.settings
    for sentence in first(charge, capacity_mah):
        console.print(sentence, style="bold", highlight=False)
    title = f"{chip} with {simulation.family}, a report every {settings.report_every} s: {charge.mah_per_day():.1f} mAh a day"
    grid = Table(title=title, title_justify="left")
    for column in ("part", "hours a day", "mA", "mAh a day", "share", "source of the current"):
        grid.add_column(column, justify="right" if column in ("hours a day", "mA", "mAh a day", "share") else "left")
    rows, days = charge.rows(), charge.lived_days()
    total = sum(row[3] for row in rows)
    for (what, hours, current, mah), source in zip(rows, of_rows(chip, simulation.family)):
        share = f"{100 * mah / total:.0f} %"
        grid.add_row(what, f"{hours / days:.2f}", f"{current:g}", f"{mah / days:.2f}", share, str(source))
    console.print(grid)
    note = f"A cell of {capacity_mah:.0f} mAh lasts about {charge.days(capacity_mah):.0f} days ({derating()})."
    for sentence in (note, beside_floor(charge, capacity_mah), *advice(charge)):
        console.print(sentence, highlight=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(svg(title, [(row[0], row[3] / days) for row in rows], note), encoding="utf-8")
    console.print(f"picture: {out}", highlight=False)


def derating() -> str:
    """What a cell loses, for people."""
    from testing.simulate.charge import SELF_DISCHARGE_PERCENT, USABLE_PERCENT

    return f"{USABLE_PERCENT} % of it usable, {SELF_DISCHARGE_PERCENT} % lost by itself each year"


def measured(charge) -> tuple[float, object]:
    """(mAh a day above sleep, the floor) of what was lived."""
    from .sources import floor

    simulation = charge.simulation
    least = floor(simulation.definition.CHIP, simulation.family, 86400 / simulation.settings.report_every)
    return charge.mah_per_day() - least.sleep, least


def beside_floor(charge, capacity_mah: float) -> str:
    """What was lived beside the least that its contacts can cost, a sentence."""
    above, least = measured(charge)
    return (f"The floor is {least.days(capacity_mah):.0f} days: asleep {least.sleep:.2f} mAh a day, contacts {least.above:.3f}."
            f" This node spends {above:.3f} mAh a day above sleep, {above / least.above:.1f} times the floor's.")


def first(charge, capacity_mah: float) -> list[str]:
    """What a person must know before any figure: the board's own sleep where it decides everything."""
    from testing.simulate.charge import lifetime

    from .sources import switched

    simulation = charge.simulation
    if simulation.port != "rp2":
        return []
    asleep, hours = charge.rows()[0][2], charge.rows()[0][1] / charge.lived_days()
    cut = switched(simulation.definition.CHIP, charge.mah_per_day(), hours, 86400 / simulation.settings.sample_every)
    return [f"A Pico sleeps at a milliampere: {asleep:g} mA are {24 * asleep:.0f} mAh a day and empty this cell in"
            f" {lifetime(capacity_mah, 24 * asleep):.0f} days, whatever the settings. With a timer that cuts the board's power"
            f" (TPL5110, DS3231: docs/power.md) the same node would last {lifetime(capacity_mah, cut):.0f} days."]


def advice(charge) -> list[str]:
    """What stands out, a sentence each."""
    if charge.slept():
        return []
    awake = charge.rows()[4][1] / charge.lived_days()
    return [f"The module does not sleep ({awake:.1f} h a day awake with its radio idle): ask the network for PSM"
            " (psm_tau and psm_active in config.json)."]


def table(capacity_mah: float) -> None:
    """Each family on both boards, often and seldom, beside its floor; then where every figure comes from."""
    from rich import box
    from rich.console import Console
    from rich.progress import track
    from rich.table import Table

    from .lived import live
    from .sources import all_figures

    console = Console()
    grid = Table(box=box.SIMPLE, padding=(0, 1, 0, 0))
    for column in ("board", "module", "report", "days", "asked", "floor", "mAh/day", "above", "floor's", "ratio"):
        grid.add_column(column, justify="left" if column in ("board", "module", "report") else "right", no_wrap=True)
    chosen = [(port, family, every) for port in PORTS for family in FAMILIES for every in (900, 86400)]
    for port, family, every in track(chosen, description="three days of each", console=Console(stderr=True)):
        charge = live(port, family, {"report_every": every, "sample_every": every})
        above, least = measured(charge)
        wanted = REQUIRED.get(family, ("", ""))[every > 900] if port == "esp32" else ""
        grid.add_row(charge.simulation.definition.CHIP, family.upper(), "15 min" if every == 900 else "1 day",
                     f"{charge.days(capacity_mah):.0f}", str(wanted), f"{least.days(capacity_mah):.0f}",
                     f"{charge.mah_per_day():.2f}", f"{above:.3f}", f"{least.above:.3f}", f"{above / least.above:.2f}")
    console.print("An rp2040 sleeps at a milliampere: its rows are that, whatever the module.", style="bold", highlight=False)
    console.print(f"Days that a cell of {capacity_mah:.0f} mAh lasts ({derating()});"
                  " mAh a day above sleep, beside the floor's:", highlight=False)
    console.print(grid)
    grid = Table(box=box.SIMPLE)
    for column in ("part", "figure of", "figure", "kind", "where from"):
        grid.add_column(column, overflow="fold")
    console.print("Where the figures come from:")
    for part, state, figure, source in all_figures():
        grid.add_row(part, state, figure, source.kind, source.text)
    console.print(grid)


if __name__ == "__main__":
    sys.exit(typed.run(main, "energy"))
