"""make energy: a table whose parts add up, a picture that is an SVG, a configuration that is heard."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as tree
from pathlib import Path

from tools.energy.__main__ import advice
from tools.energy.lived import live
from tools.energy.picture import svg
from tools.energy.sources import BOARDS, MODULES, of_rows
from tools.simulate.charge import PARTS, currents

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.energy", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, env={"COLUMNS": "200", "PATH": ""})


def days(text: str) -> int:
    return int(text.split("lasts about ")[1].split(" days")[0])


def test_fewer_reports_last_longer_and_the_picture_shows_where_it_goes(tmp_path):
    picture = tmp_path / "energy.svg"
    often = run("--out", str(picture))
    assert often.returncode == 0, often.stderr
    root = tree.parse(picture).getroot()
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
    assert "board asleep" in texts
    shares = [int(text.split(", ")[1].split(" %")[0]) for text in texts if " mAh, " in text and text.endswith("%")]
    assert len(shares) == 8
    assert 97 <= sum(shares) <= 103
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"sample_every": 3600, "report_every": 3600, "host": "ignored"}))
    seldom = run("--config", str(config), "--out", str(picture))
    assert days(seldom.stdout) > 1.5 * days(often.stdout)
    assert "3600 s" in seldom.stdout


def test_an_rp2_is_told_what_its_sleep_costs(tmp_path):
    found = run("--port", "rp2", "--out", str(tmp_path / "energy.svg"))
    assert "TPL5110" in found.stdout
    assert days(found.stdout) < 150


def test_a_configuration_that_cannot_be_read_is_a_sentence(tmp_path):
    found = run("--config", str(tmp_path / "none.json"))
    assert found.returncode != 0
    assert "config.json" in found.stderr
    assert "Traceback" not in found.stderr


def hours_a_day(charge) -> dict[str, float]:
    return {what: hours / charge.lived_days() for what, hours, _, _ in charge.rows()}


def test_a_module_that_never_sleeps_shows_in_the_figures():
    never = live("esp32", "bg96", {"psm_tau": 0, "report_every": 3600, "sample_every": 3600})
    hours = hours_a_day(never)
    assert never.simulation.model.counters["deep_sleeps"] == 0
    assert hours["module asleep"] < 0.1
    assert hours["module awake, radio idle"] > 23
    assert not never.slept()
    assert [sentence for sentence in advice(never) if "psm_tau" in sentence]
    asked = live("esp32", "bg96", {"psm_tau": 86400, "psm_active": 10, "report_every": 3600, "sample_every": 3600})
    assert hours_a_day(asked)["module asleep"] > 23
    assert asked.slept() and not advice(asked)
    assert asked.days(3000) > 10 * never.days(3000)


def test_light_sleep_has_a_row_of_its_own():
    charge = live("esp32", "bg96", {"sleep": "light", "report_every": 3600, "sample_every": 3600})
    hours = hours_a_day(charge)
    assert hours["module in light sleep"] > 23
    assert charge.slept()


def test_each_phase_is_counted_once():
    for family in MODULES:
        charge = live("rp2", family, {"report_every": 3600, "sample_every": 3600})
        milliseconds = charge.milliseconds()
        lived = charge.simulation.clock.now
        assert abs(sum(milliseconds[:2]) - lived) < 1000, family
        assert sum(milliseconds[2:]) in range(lived - 10000, lived + 1), family
        assert all(ms >= 0 for ms in milliseconds), family


def test_what_the_configuration_leaves_open_has_the_firmwares_defaults():
    settings = live("esp32", "bc66").simulation.settings
    assert (settings.listen, settings.attach_timeout, settings.report_every) == (5, 180, 900)


def test_each_board_and_module_has_a_source_for_each_row():
    for chip in BOARDS:
        for family in MODULES:
            assert len(of_rows(chip, family)) == len(currents(chip, family)) == len(PARTS)


def test_names_in_a_picture_are_escaped():
    assert "a &lt; b" in svg("a < b", [("x", 1.0)], "note")
