"""The Python of a page runs from its top to its end, and prints what the page says beside it."""

import contextlib
import io
import re
from pathlib import Path

import pytest

CPYTHON_ONLY = "runs the pages of docs/"
DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("page, prints", [("test-your-node.md", 4)])
def test_a_session_prints_what_the_page_says(page, prints):
    text = (DOCS / page).read_text(encoding="utf-8")
    source = "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(compile(source, page, "exec"), {})  # noqa: S102  our own page
    wanted = re.findall(r"^print\(.*?\) +# (.*)$", source, re.MULTILINE)
    assert len(wanted) == prints
    assert [line for line in told.getvalue().splitlines() if not line.startswith("lwnode:")] == wanted
