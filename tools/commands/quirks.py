"""Oddities of the field and contradictions of the manuals, and the tests that are named after each.

    load()          rows of quirks.tsv
    nameless()      tests that a row names and no test file defines
    render()        the table as Markdown
"""

import re
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent
_TESTS = _HERE.parents[1] / "host_tests"


class Quirk(NamedTuple):
    """One line of quirks.tsv."""

    source: str
    text: str
    tests: "tuple[str, ...]"


def load() -> "list[Quirk]":
    """All rows, in the order of the notes and manuals."""
    lines = (_HERE / "quirks.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [Quirk(source, text, tuple(tests.split())) for source, text, tests in [line.split("\t") for line in lines]]


def defined() -> "dict[str, str]":
    """Name of each test -> its file, without directories."""
    found = {}
    for path in sorted(_TESTS.glob("**/test_*.py")):
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            found[name] = path.name
    return found


def nameless() -> "list[str]":
    """Tests that a row names and no test file defines, and rows without any."""
    there = defined()
    rows = load()
    return sorted({name for row in rows for name in row.tests if name not in there}) + [
        row.text for row in rows if not row.tests]


def render() -> str:
    """The table as Markdown."""
    there = defined()
    out = ["# Oddities and contradictions\n", "Made by `make commands` from quirks.tsv; do not edit. What the field notes tell"
           " of real modules and where the manuals contradict themselves, each with the tests that hold us to it.\n"]
    source = ""
    for row in load():
        if row.source != source:
            source = row.source
            out.append(f"\n## {source}\n\n| what | tests |\n|---|---|")
        tests = "<br>".join([f"{there.get(name, '?')[:-3]}: {name}" for name in row.tests])
        out.append("| " + row.text.replace("|", "\\|") + f" | {tests} |")
    return "\n".join(out) + "\n"
