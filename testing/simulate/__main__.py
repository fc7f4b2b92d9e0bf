"""python -m testing.simulate --days 365 --port rp2 --family bc66 --faults default --seed 1 [--sabotage journal].

With SABOTAGE the configuration and, where none are given, days and faults are those that show it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import time
from pathlib import Path

from tools import arguments as given
from tools.progress import doing

ROOT = Path(__file__).resolve().parents[2]
for folder in ("firmware", "lib", "host_tests", "host_tests/cpython"):
    sys.path.insert(1, str(ROOT / folder))


def _arguments() -> argparse.Namespace:
    from . import faults, sabotage

    parser = given.Parser("make simulate", "A node's life in virtual time.")
    parser.add_argument("--days", type=given.number(0.1, 7300, "days"))
    parser.add_argument("--port", type=given.port, default="esp32")
    parser.add_argument("--family", type=given.family, default="bc66")
    parser.add_argument("--faults", type=given.one_of(*faults.NAMES, "lines"),
                        help="what goes wrong; lines: each kind of broken line, with the time awake beside its limit")
    parser.add_argument("--seed", type=given.whole(0, 1 << 32), default=1)
    parser.add_argument("--capacity", type=given.number(1, 1e6, "mAh"), default=3000, help="of the cell, in mAh")
    parser.add_argument("--sabotage", type=given.one_of(*sabotage.NAMES), help="a subtle fault in lib/: the run must fail")
    parser.add_argument("--verbose", action="store_true", help="show what the node prints")
    return parser.parse_args()


def main() -> int:
    """Live, account, judge. Exit status 1 where something is wrong."""
    arguments = _arguments()
    from .charge import Charge
    from .report import rows, show
    from .sabotage import FAULTS, sabotage
    from .simulation import Simulation

    if arguments.faults == "lines":
        from .lines import show as show_lines

        return 0 if show_lines(arguments.port, arguments.family) else 1
    begin = time.monotonic()
    fault = FAULTS[arguments.sabotage] if arguments.sabotage else None
    days = arguments.days or (fault.days if fault else 30)
    faults = arguments.faults or (fault.faults if fault else "default")
    config = {"listen": 5, **(fault.config if fault else {})}
    with contextlib.ExitStack() as stack:
        if arguments.sabotage:
            stack.enter_context(sabotage(arguments.sabotage, arguments.family))
        if not arguments.verbose:
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        simulation = Simulation(arguments.port, arguments.family, arguments.seed, faults, sensors=3, alarm=True, **config)
        charge = Charge(simulation)
        began = simulation.clock.now
        doing(lambda: f"day {(simulation.clock.now - began) / 86_400_000:.1f} of {days:g}")
        simulation.live(days)
        doing("judging")
    verdict = simulation.ledger.verdict()
    title = f"{days:.0f} days of an {arguments.port} node with a {arguments.family}, faults: {faults}"
    if fault:
        title += f", and in lib/: {fault.what}"
    show(title, rows(simulation, charge, time.monotonic() - begin, arguments.capacity), verdict)
    return 1 if verdict else 0


if __name__ == "__main__":
    sys.exit(given.run(main, "simulate"))
