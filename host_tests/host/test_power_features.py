"""docs/power-features.md names code and tests: each must be there."""

import re
from pathlib import Path

CPYTHON_ONLY = "compares a page with the tests of the host"
ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "power-features.md").read_text()


def test_every_test_that_the_page_names_exists():
    there = set()
    for path in (ROOT / "host_tests").rglob("test_*.py"):
        there.update(re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE))
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 70
    assert sorted(named - there) == []


def test_every_file_that_the_page_names_exists():
    named = set(re.findall(r"`((?:power|node|board|modem|features|firmware|boards)/[\w./]*|config\.py)`", PAGE))
    assert len(named) > 18
    gone = [name for name in named if not (ROOT / "lib" / "lwnode" / name).exists() and not (ROOT / name).exists()]
    assert gone == []


def test_all_fifteen_are_there():
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)] == list(range(1, 16))
