"""The checks of make check and make bench can fail: each is shown something that it must find."""

from pathlib import Path

import pytest

from tools import check as _  # noqa: F401
from tools.bench.__main__ import Budget, budgets, judge
from tools.check import __main__ as check
from tools.check import planted

ROOT = Path(__file__).resolve().parent.parent.parent
needs_stubs = pytest.mark.skipif(not (ROOT / ".venv" / "stubs" / "rp2").exists(),
                                 reason="make check has not installed the stubs (make setup does)")


@needs_stubs
@pytest.mark.parametrize("port", check.PORTS)
def test_planted_mistakes_are_found_with_each_ports_stubs(port):
    assert check.planted_mistakes(port) == ""


@needs_stubs
def test_a_mistake_that_nobody_finds_fails_the_step(monkeypatch):
    """A call through Any is invisible to mypy: planting one must make the step fail."""
    monkeypatch.setitem(planted.CALLS, "rp2", ["getattr(machine, 'no_such_call')()"])
    assert "not found: firmware/planted.py:4" in check.planted_mistakes("rp2")


@pytest.mark.parametrize("ignore", ["type: ignore", "noqa", "NOQA"])
def test_a_bare_ignore_is_found(ignore):
    assert check.BARE_IGNORE.search("x = 1  # " + ignore)


@pytest.mark.parametrize("ignore", ["# type: ignore[arg-type]", "# noqa: F401"])
def test_an_ignore_with_its_reason_is_not(ignore):
    assert not check.BARE_IGNORE.search("x = 1  " + ignore)


TABLE = {"heap": Budget(100, 50, "bytes"), "mpy": Budget(10, None, "")}


@pytest.mark.parametrize(
    "figures, sentence",
    [({"heap": 101, "mpy": 1}, "heap is 101, its budget 100"),
     ({"heap": 100}, "mpy has a budget and was not measured"),
     ({"heap": 1, "mpy": 1, "new": 1}, "new has no row")],
)
def test_a_broken_budget_fails_the_bench(capsys, figures, sentence):
    assert judge(figures, TABLE) == 1
    assert sentence in capsys.readouterr().err


def test_figures_within_their_budgets_pass(capsys):
    assert judge({"heap": 100, "mpy": 10}, TABLE) == 0
    assert "50" in capsys.readouterr().out


def test_the_table_of_budgets_can_be_read():
    table = budgets()
    assert table["heap/high"].goal == 140000
    nothing = {"heap/growth", "heap/hole", "house/circles", "house/emptied"}
    assert all(row.limit > 0 or name in nothing for name, row in table.items())
