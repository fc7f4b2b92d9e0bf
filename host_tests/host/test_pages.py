"""The Python of a page runs from its top to its end, and prints what the page says beside it."""

import contextlib
import io
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fakes.chip import live
from fakes.world import Stop, World

CPYTHON_ONLY = "runs the pages of docs/"
DOCS = Path(__file__).resolve().parents[2] / "docs"


def blocks(page, kind=""):
    """The Python of a page; kind: what stands behind the word python."""
    return re.findall(rf"^```python{kind}\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page, prints", [("test-your-node.md", 4), ("mapper.md", 16), ("scheduler.md", 13)])
def test_a_session_prints_what_the_page_says(page, prints):
    source, told = "\n".join(blocks(page)), io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(compile(source, page, "exec"), {})  # noqa: S102  our own page
    wanted = re.findall(r"^print\(.*?\) +# (.*)$", source, re.MULTILINE)
    assert [line for line in told.getvalue().splitlines() if not line.startswith("lwnode:")] == wanted
    assert len(wanted) == prints


@pytest.mark.parametrize("port", ["esp32", "rp2"])
def test_the_schedulers_program_lives_for_days_and_loses_nothing(port, monkeypatch, tmp_path):
    world, taken, sent, down = World(port), [], [], [False]
    monkeypatch.chdir(tmp_path)

    def measure():
        taken.append(b"%d" % len(taken))
        return taken[-1]

    def send(data):
        if not down[0]:
            sent.append(data)
        return not down[0]

    def firmware(chip):
        names = {"board": world.definition, "application": SimpleNamespace(measure=measure, send=send)}
        for name in names:
            monkeypatch.setitem(sys.modules, name, names[name])
        monkeypatch.setattr("lwnode.board.open_board", lambda definition: world.board())
        exec(program, {})  # noqa: S102  our own page

    (source,) = blocks("scheduler.md", " main")
    program = compile(source, "scheduler.md", "exec")
    world.at(lambda: down.__setitem__(0, True), hours=10)
    world.at(lambda: down.__setitem__(0, False), hours=20)
    until = 48 * 3600000

    def stop():
        raise Stop

    world.clock.at(until, stop)
    with contextlib.suppress(Stop):
        live(world.chip, firmware, until + 1)
    assert len(taken) in (192, 193) and sorted(set(sent), key=int) == taken[: len(set(sent))]
    assert len(sent) == len(set(sent)) >= 188
