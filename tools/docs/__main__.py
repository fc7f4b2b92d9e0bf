"""python -m tools.docs: write docs/ anew where a program writes it. --check: say what is stale, exit status 1."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in ("", "firmware", "lib", "host_tests", "host_tests/cpython"):
    sys.path.insert(1, str(ROOT / folder))

from tools.arguments import Parser, run  # noqa: E402
from tools.boards import figures  # noqa: E402
from tools.docs import configuration, power, sessions, wiring  # noqa: E402

DOCS = ROOT / "docs"


def pages() -> dict[str, Callable[[], str]]:
    """Name in docs/ -> what writes its text."""
    return {
        "configuration.md": configuration.page,
        "wiring-esp32.svg": lambda: wiring.drawing("ESP32_GENERIC"),
        "wiring-pico.svg": lambda: wiring.drawing("RPI_PICO"),
        **power.plots(),
        "power.md": lambda: power.page((DOCS / "power.md").read_text(encoding="utf-8")),
        "session-board.md": lambda: figures.refreshed((DOCS / "session-board.md").read_text(encoding="utf-8")),
        **{name: lambda name=name, family=family: sessions.played((DOCS / name).read_text(encoding="utf-8"), family)  # type: ignore[misc]
           for name, family in sessions.PAGES.items()},
    }


def stale() -> list[str]:
    """Names of the files in docs/ that differ from what would be written."""
    found = []
    for name, text in pages().items():
        path = DOCS / name
        if not path.exists() or path.read_text(encoding="utf-8") != text():
            found.append(name)
    return found


def main(arguments: list[str]) -> int:
    """Write what is stale; with --check only name it."""
    parser = Parser("make docs", "Write the generated parts of docs/.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 where something is stale")
    parser.add_argument("--simulate", action="store_true", help="measure docs/power-times.tsv anew first")
    options = parser.parse_args(arguments)
    if options.simulate:
        power.measure()
    names = stale()
    for name in names:
        print(f"docs/{name}: {'stale, run make docs' if options.check else 'written'}")
        if not options.check:
            (DOCS / name).write_text(pages()[name](), encoding="utf-8")
    if not names:
        print("docs: everything is up to date")
    return 1 if options.check and names else 0


if __name__ == "__main__":
    sys.exit(run(lambda: main(sys.argv[1:]), "docs"))
