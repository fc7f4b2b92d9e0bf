"""What both runs of `make interop` share: the words that choose, a check as a cell, and the table of all."""

import time

from rich.console import Console
from rich.table import Table

from tools import arguments
from tools.interop.process import LeshanError


def chosen(text, words, **more):
    """The options given, and say(who, text), which prints a line with the seconds passed; more: option=keywords of its own."""
    parser = arguments.Parser("make interop", text)
    parser.add_argument("--family", action="append", type=arguments.family, help="only these (default: all)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows of one node whose name contains it")
    parser.add_argument("--quiet", action="store_true", help="only the table")
    for name, keywords in more.items():
        parser.add_argument("--" + name, **keywords)
    found, began = parser.parse_args(words), time.monotonic()
    console = Console() if Console().is_terminal else Console(width=120)

    def say(who, text):
        if not found.quiet:
            console.print(f"{time.monotonic() - began:6.1f} {who:12} {text}", markup=False, highlight=False)

    return found, console, say


class Cells(dict):
    """{(row, column): (good, text)}; say(who, text) is told of each."""

    def __init__(self, say):
        super().__init__()
        self.say = say

    async def run(self, row, column, check):
        """Run one check and keep its cell; whether it is good."""
        try:
            good, text = True, await check
        except (AssertionError, LeshanError) as error:
            good, text = False, str(error)
        except Exception as error:  # what nobody thought of fails its cell, and leaves the others
            good, text = False, f"{type(error).__name__}: {error}"
        if self.get((row, column), (True,))[0]:  # three nodes of a family register: one that fails is what counts
            self[(row, column)] = (good, text)
        self.say(column, f"{row}: {'' if good else 'FAILED: '}{text}")
        return good


def shown_table(console, title, rows, families, cells):
    """Print cells by row and family, and below them why one is bad; whether all are good."""
    shown = Table(title=title)
    shown.add_column("operation")
    for family in families:
        shown.add_column(family)
    for row in rows:
        line = [cells.get((row, family)) for family in families]
        if any(line):
            shown.add_row(row, *["" if not cell else f"[green]{cell[1]}[/]" if cell[0] else "[bold red]NO[/]" for cell in line])
    console.print(shown)
    for (row, family), (good, text) in cells.items():
        if not good:
            console.print(f"{family}, {row}: {text}", markup=False, highlight=False)
    return bool(cells) and all(good for good, _ in cells.values())
