"""The table of real firmware's habits against the code: every quirk stands in it, and what it names is there."""

import re
from pathlib import Path

import pytest
from fakes.vmodem import Bench

from testing.virtual_modem import FAMILIES
from testing.virtual_modem.faults import KINDS, QUIRKS

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "testing/virtual_modem/QUIRKS.md").read_text()
OPTIONS = {family: Bench(family, quiet=False).modem.OPTIONS for family in FAMILIES}
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in PAGE.splitlines() if line.startswith("| ")][1:]
TESTS = set(re.findall(r"^def (test_\w+)", "\n".join(p.read_text() for p in ROOT.glob("host_tests/**/test_vmodem*.py")), re.M))


def test_every_quirk_has_a_row():
    named = set(re.findall(r"quirk `(\w+)`", PAGE))
    assert named == set(QUIRKS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[3])
def test_what_a_row_names_exists(row):
    habit, modules, played, test = row
    families = list(FAMILIES) if modules == "all" else modules.lower().split()
    assert habit and set(families) <= set(FAMILIES)
    assert test in TESTS, f"no test is called {test}"
    for name in re.findall(r"quirk `(\w+)`", played):
        assert set(families) <= set(QUIRKS[name][0].split()), name
    for name in re.findall(r"option `(\w+)`", played):
        assert all(name in OPTIONS[family] for family in families), name
    for name in re.findall(r"fault `(\w+)`", played):
        assert name in KINDS


@pytest.mark.parametrize("name", sorted(QUIRKS))
def test_a_quirk_is_looked_at_by_the_models(name):
    sources = [path for path in (ROOT / "testing/virtual_modem").glob("*.py") if path.name != "faults.py"]
    assert any(f'("{name}")' in path.read_text() for path in sources), f"nothing plays {name}"
