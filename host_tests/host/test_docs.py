"""docs/: links lead somewhere, generated pages are those that would be written, drawings show the boards' own pins."""

import json
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from boards.check import load
from fakes.clock import VirtualClock
from lwnode import config
from lwnode.lwm2m import ObjectTree
from tools.docs import configuration, keys, links, power
from tools.objects.families import Anything
from tools.docs.__main__ import pages, stale
from tools.energy.lived import live

CPYTHON_ONLY = "compares pages and drawings of the host with the tables they are written from"

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SVG = "{http://www.w3.org/2000/svg}"


# -- links -------------------------------------------------------------------------------------------------


def test_every_relative_link_and_anchor_leads_somewhere():
    assert links.broken(ROOT) == []


def test_every_page_can_be_reached_from_the_index_and_the_index_from_the_readme():
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    named = set(links.links(index))
    assert {path.name for path in DOCS.glob("*.md")} - {"README.md"} <= named
    assert "docs/README.md" in links.links((ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "line, reason",
    [
        ("[a](other.md)", ""),
        ("[a](other.md#a-heading-with-code)", ""),
        ("[a](other.md#a-heading-with-code-1)", ""),
        ("[a](#here)", ""),
        ("![a](picture.svg)", ""),
        ("[a](https://example.org/x)", ""),
        ("`[a](none.md)`", ""),
        ("    [a](none.md)", ""),
        ("```\n[a](none.md)\n```", ""),
        ("[a](none.md)", "there is no such file"),
        ("[a](other.md#nothing)", "that file has no such heading"),
        ("[a](#nothing)", "that file has no such heading"),
        ("[a](../outside.md)", "it leads out of the repository"),
        ("[a]: none.md", "there is no such file"),
        ("[![a](picture.svg)](none.md)", "there is no such file"),
    ],
)
def test_the_link_checker_finds_what_is_broken_and_nothing_else(tmp_path, line, reason):
    (tmp_path / "page.md").write_text(f"# Here\n\n{line}\n")
    (tmp_path / "other.md").write_text("## A heading, with `code`\n\n## A heading with code\n")
    (tmp_path / "picture.svg").write_text("<svg/>")
    found = links.broken(tmp_path)
    assert [sentence.rpartition(": ")[2] for sentence in found] == ([reason] if reason else [])


def test_docs_links_is_a_command_with_a_status():
    done = subprocess.run([sys.executable, "-m", "tools.docs.links"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and ", 0 broken" in done.stdout


# -- generated ---------------------------------------------------------------------------------------------


def test_nothing_generated_is_stale_or_else_run_make_docs():
    assert stale() == []


def test_the_configuration_reference_has_every_key_with_its_default():
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", text, re.MULTILINE))
    options = {key for family in config.FAMILIES for key in keys.options(family)}
    assert set(rows) == {*configuration.known_rows(), *keys.rows(config.SECRETS), *options}
    assert all(keys.explained(key, family) for family in config.FAMILIES for key in keys.options(family))
    assert all(keys.explained(key) for key in set(rows) - options)
    for key, (_, usual, *_) in configuration.known_rows().items():
        wanted = "**must be given**" if usual == config.REQUIRED else "none" if usual is None else f"`{json.dumps(usual)}`"
        assert rows[key] == wanted, key


def test_a_changed_page_is_noticed(monkeypatch, tmp_path):
    from tools.docs import __main__ as command

    some = {name: write for name, write in pages().items() if name.startswith("wiring")}
    monkeypatch.setattr(command, "pages", lambda: some)
    for name in some:
        (tmp_path / name).write_bytes((DOCS / name).read_bytes())
    (tmp_path / "wiring-pico.svg").write_text("<svg/>")
    monkeypatch.setattr(command, "DOCS", tmp_path)
    assert command.stale() == ["wiring-pico.svg"]
    assert command.main(["--check"]) == 1
    assert command.main([]) == 0
    assert command.stale() == []


# -- drawings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("drawing, board", [("wiring-esp32.svg", "ESP32_GENERIC"), ("wiring-pico.svg", "RPI_PICO")])
def test_a_drawing_shows_every_pin_of_its_board_file_and_no_other(drawing, board):
    definition = load(str(ROOT / "boards" / board / "board.py"))
    wanted = {"tx": definition.UART["tx"], "rx": definition.UART["rx"], "sda": definition.I2C["sda"],
              "scl": definition.I2C["scl"], "battery": definition.BATTERY["pin"], **definition.PINS}  # fmt: skip
    found = {}
    for text in ElementTree.parse(DOCS / drawing).getroot().iter(SVG + "text"):
        if "data-name" in text.attrib:
            assert text.attrib["data-name"] not in found, "drawn twice"
            found[text.attrib["data-name"]] = int(text.attrib["data-gpio"])
            assert re.match(r"(GPIO |GP)%s\b" % text.attrib["data-gpio"], text.text), "the words differ from the data"
    assert found == wanted


@pytest.mark.parametrize("name", [name for name in pages() if name.endswith(".svg")])
def test_a_picture_is_an_svg_that_stays_inside_its_edges(name):
    root = ElementTree.parse(DOCS / name).getroot()
    assert root.tag == SVG + "svg"
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for part in root.iter():
        for key, edge in (("x", width), ("x1", width), ("x2", width), ("y", height), ("y1", height), ("y2", height)):
            if key in part.attrib:
                assert 0 <= float(part.attrib[key]) <= edge, part.attrib


# -- examples ----------------------------------------------------------------------------------------------


class Bus:
    """An I2C bus without a chip on it."""

    def writeto(self, address, data):
        raise OSError("nobody there")


class Board:
    """What the examples of add-a-sensor.md ask of a board."""

    def __init__(self):
        self.clock = VirtualClock()

    def i2c(self):
        return Bus()

    def battery_mv(self):
        return 3712


def examples():
    """The Python of add-a-sensor.md."""
    text = (DOCS / "add-a-sensor.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number, objects", [(0, {3303, 3304, 3306}), (1, {3411, 3325, 3303, 3304})])
def test_the_sensor_examples_declare_what_the_page_says(number, objects):
    board, names = Board(), {}
    tree = ObjectTree(board.clock)
    exec(examples()[number], names)  # noqa: S102  our own page
    names["declare"](tree, board)
    assert {row[0] for row in tree.objects()} >= objects
    tree.sample(1790000000)
    assert tree.health() or number, "a chip that is not there is counted, and the others go on"


def test_every_other_example_of_a_sensor_can_be_declared(monkeypatch):
    found = []
    for name in ("onewire", "ds18x20"):
        monkeypatch.setitem(sys.modules, name, Anything())
    for source in examples()[2:]:
        tree, names = ObjectTree(VirtualClock()), {}
        exec(source, names)  # noqa: S102  our own page
        names["declare"](tree, Anything())
        found += [[row[0] for row in tree.objects()][:-2]]
    wanted = [[3303, 3323, 3303, 3336], [3336, 3346, 3200, 3300], [3200], [3308, 3303], [3200]]
    assert found == wanted


# -- figures -----------------------------------------------------------------------------------------------


def test_the_power_budgets_times_are_those_of_todays_firmware():
    """Within a quarter, so that a wake that got a little shorter needs no new plots; else: make docs SIMULATE=1."""
    row = next(row for row in power.lives() if row[:4] == ("esp32", "bc66", 3600, 3600))
    today = live("esp32", "bc66", {"report_every": 3600, "sample_every": 3600}).days(power.CAPACITY_MAH)
    assert abs(today - row.days()) < row.days() / 4, f"make docs SIMULATE=1: {row.days():.0f} days are {today:.0f}"


def test_the_two_facts_are_stated_first():
    text = (DOCS / "power.md").read_text(encoding="utf-8").partition("\n## ")[0]
    assert "about 250 days" in text and "about 100 days" in text and "TPL5110" in text


# -- commands and messages ---------------------------------------------------------------------------------


def commands():
    """Every indented command line of docs/ with the page it stands on."""
    for page in sorted(DOCS.glob("*.md")):
        for line in re.findall(r"(?<=\n) {4,8}((?:make|\.venv/bin/\S+|cp|bash) ?.*)", page.read_text(encoding="utf-8")):
            yield page.name, line


@pytest.mark.parametrize("page, line", sorted(set(commands())))
def test_a_printed_command_exists(page, line):
    words = shlex.split(line, comments=True)
    if words[0] == "make":
        makefiles = [ROOT / "Makefile", *ROOT.glob("tools/*/Makefile.inc"), *ROOT.glob("testing/*/Makefile.inc")]
        text = "\n".join(path.read_text(encoding="utf-8") for path in makefiles)
        assert re.search(rf"^{words[1]}:", text, re.MULTILINE), f"{page}: no make {words[1]}"
        for word in [word for word in words[2:] if word != "..."]:
            name, equals, value = word.partition("=")
            assert equals and (f"$({name})" in text or f"$(call on,{name})" in text), f"{page}: no target reads {name}="
            if name == "BOARD" and value not in ("MY_BOARD", "..."):
                assert (ROOT / "boards" / value).is_dir(), f"{page}: no board {value}"
    elif words[0] == "cp":
        assert (ROOT / words[-2]).exists(), f"{page}: {words[-2]} is not there"
    elif "-m" in words and words[words.index("-m") + 1] != "mpremote":
        module = ROOT / words[words.index("-m") + 1].replace(".", "/")
        assert (module / "__main__.py").exists() or module.with_suffix(".py").exists(), f"{page}: {line}"


def test_a_message_in_the_troubleshooting_page_is_one_that_the_code_says():
    text = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    said = ""
    for folder in ("firmware", "lib/lwnode", "tools/boards", "boards"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            # What is one text to Python may be two on the page: 'a ' 'b'.
            said += re.sub(r"[\"']\s*\n?\s*f?[\"']", "", path.read_text(encoding="utf-8"))
    quoted = [words for heading in re.findall(r"^### (.*)$", text, re.MULTILINE) for words in re.findall(r'"([^"]+)"', heading)]
    assert len(quoted) > 12
    for words in quoted:
        plain = words.replace("BOARD= is for", "is for")
        assert plain in said, words
