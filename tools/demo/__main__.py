"""`make demo`: a node under real MicroPython, a virtual module of its family and an LwM2M server, live in a terminal.

Exit status 0 only if every check of the final table holds and no reading was lost; 1 otherwise, and always where a protection
is switched off: then that is the expected result.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tools import arguments as given
from tools.demo import sabotage
from tools.demo.ledger import average
from tools.demo.scenario import Scenario

COLOURS = {"server": "cyan", "board": "yellow", "node": "magenta", "network": "red"}


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """What `make demo` passes on."""
    parser = given.Parser("make demo", __doc__)
    parser.add_argument("--family", type=given.family, default="bc66", help="which module")
    parser.add_argument("--port", type=given.port, default="esp32", help="which port the host board plays")
    parser.add_argument("--cycles", type=given.whole(7, 100000), default=8, help="wakes, at least 7")
    parser.add_argument("--speed", type=given.number(1, 1000), default=30, help="sleep takes its time divided by this")
    parser.add_argument("--sabotage", type=given.one_of(*sorted(sabotage.PATCHES)), help="switch one protection off: must fail")
    parser.add_argument("--verbose", action="store_true", help="show the AT dialogue")
    chosen = parser.parse_args(words)
    if chosen.family not in sabotage.NOTICED.get(chosen.sabotage, (chosen.family,)):
        with_these = " or ".join(sabotage.NOTICED[chosen.sabotage])
        parser.error(f"SABOTAGE: {chosen.sabotage} shows itself with FAMILY={with_these} only")
    return chosen


def report(console: Console, scenario: Scenario, took_s: float) -> bool:
    """Print the final table; whether all of it is as it should be."""
    ledger, wakes = scenario.ledger, scenario.board.wakes
    awake = [wake.awake_ms / 1000 for wake in wakes[1:]]
    table = Table(title=f"one node, end to end ({scenario.family}, {scenario.port}, {took_s:.0f} s)", show_header=False)
    for name, value in (
            ("wakes", f"{scenario.sleeps}"),
            ("readings taken (on the sensor's bus)", f"{len(ledger.taken)}"),
            ("delivered (values in CoAP payloads)", f"{len(ledger.delivered)}, {len(ledger.late())} of them later, in packs"),
            ("duplicates", f"{ledger.duplicates}"),
            ("lost", f"{len(ledger.lost)}"),
            *([("recoveries (QLWRECOVER)", f"{scenario.dialogue.recoveries}")] if scenario.contract.name == "pull" else []),
            ("registrations", f"{scenario.registrations}"),
            ("awake per wake after the first", f"{average(awake):.1f} s on average, {max(awake, default=0):.1f} s at most"),
            ("AT exchanges per wake", " ".join(str(count) for count in scenario.exchanges))):
        table.add_row(name, value)
    for name, holds in scenario.checks.items():
        table.add_row(name, "[green]yes[/]" if holds else "[bold red]NO[/]")
    console.print(table)
    return bool(scenario.checks) and all(scenario.checks.values())


async def show(chosen: argparse.Namespace, console: Console) -> bool:
    """Run the scenario with its live log; whether it was as it should be."""
    began = time.monotonic()

    def say(who: str, text: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} [{COLOURS.get(who, 'white')}]{who:8}[/] ", end="")
        console.print(text, markup=False, highlight=False)

    def line(direction: str, text: str) -> None:
        console.print(f"                {'>' if direction == 'host' else '<'} {text}", markup=False, style="dim")

    with tempfile.TemporaryDirectory(prefix="lwnode-demo-") as folder:
        scenario = Scenario(Path(folder), chosen.family, chosen.port, chosen.cycles, chosen.speed, say,
                            line if chosen.verbose else None)  # fmt: skip

        def prepare(flash: Path) -> None:
            if chosen.sabotage:
                say("demo", "sabotage: " + sabotage.apply(chosen.sabotage, flash))

        try:
            await scenario.run(prepare)
        except (TimeoutError, asyncio.TimeoutError):
            say("demo", "the node did not go to sleep in time: stuck")
            scenario.checks["the node always came to sleep"] = False
        except RuntimeError as error:
            say("demo", str(error))
            scenario.checks["the node stayed alive"] = False
        if scenario.board is None:
            return False
        scenario._ledger()
        return report(console, scenario, time.monotonic() - began)


def main() -> int:
    """Return the exit status."""
    console = Console(width=120 if not sys.stdout.isatty() else None, soft_wrap=True)
    chosen = arguments()
    fine = asyncio.run(show(chosen, console))
    off = f"SABOTAGE={chosen.sabotage} had switched a protection off"
    if chosen.sabotage:
        console.print(f"{off}, and nothing noticed it" if fine else f"{off}, and a check above has noticed it: failing is the "
                      "expected result", style="bold red" if fine else "bold yellow")
        return 1
    console.print("[bold green]all of it happened, nothing was lost[/]" if fine
                  else "[bold red]not everything is as it should be[/]")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(given.run(main))
