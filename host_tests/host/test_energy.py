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
from testing.simulate.charge import PARTS, Charge, currents
from testing.simulate.simulation import Simulation

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
    assert found.returncode == 2 and found.stderr.startswith("make energy: CONFIG: expected a file, found ")


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
        lived = charge.lived_days() * 86_400_000
        assert abs(sum(milliseconds[:2]) - lived) < 1000, family
        assert abs(sum(milliseconds[2:]) - lived) < 1, family
        assert all(ms >= 0 for ms in milliseconds), family


def test_each_phase_is_what_a_hand_calculation_says():
    """The model is driven by hand here; nobody starts the node."""
    simulation = Simulation("esp32", "bc66", 1, "none")
    clock, model = simulation.clock, simulation.model
    model.options.update(rrc_ms=20_000, psm=None)
    clock.advance(60_000)
    assert model.attached
    charge = Charge(simulation)

    def connection(open_ms: int, release: bool, quiet_ms: int) -> list[int]:
        charge.begin()
        clock.advance(1000)
        model.begin()
        clock.advance(open_ms)
        model.end(release)
        clock.advance(quiet_ms)
        return list(charge.milliseconds())

    # An exchange of 1.4 s and the network's inactivity timer of 20 s, awake with the radio idle before and after.
    assert connection(1400, False, 65_000)[2:] == [0, 0, 1000 + 45_000, 0, 1400, 20_000] and charge.connections == 1
    # Released 0.3 s after the last byte: the connection of 3.2 s is no tail.
    assert connection(3200, True, 65_000)[6:] == [3200, 300]
    # Two exchanges with five seconds between them are one connection, and its tail begins after the second.
    charge.begin()
    model.begin(), clock.advance(1400), model.end(), clock.advance(5000)
    model.begin(), clock.advance(1400), model.end(), clock.advance(60_000)
    assert list(charge.milliseconds())[6:] == [1400 + 5000 + 1400, 20_000] and charge.connections == 1
    # Seen in its middle: 4 s after the last byte.
    assert connection(1000, False, 4000)[6:] == [1000, 4000]
    clock.advance(60_000)
    # An exchange that nobody answers ends with the module's restart and has no tail; the one is that of the new attach.
    charge.begin()
    model.begin(), clock.advance(5000), model.restart(), clock.advance(60_000)
    found = list(charge.milliseconds())
    assert found[6:] == [5000, 20_000] and charge.connections == 2 and found[5] > 0
    # T3324 of 10 s, then PSM and, 20 ms later, sleep; 1.4 s at 70 mA and 20 s at 12 mA are 94 microampere-hours.
    model.nvram["psm"] = [1, "00100001", "00000101"]
    assert connection(1400, False, 60_000)[2:] == [29_980, 0, 1000 + 10_020, 0, 1400, 20_000]
    mah = {what: mah for what, _, _, mah in charge.rows()}
    assert abs(1000 * (mah[PARTS[6]] + mah[PARTS[7]]) - (1.4 * 70 + 20 * 12) / 3.6) < 0.01


def test_what_the_configuration_leaves_open_has_the_firmwares_defaults():
    settings = live("esp32", "bc66").simulation.settings
    assert (settings.listen, settings.attach_timeout, settings.report_every) == (5, 180, 900)


def test_each_board_and_module_has_a_source_for_each_row():
    for chip in BOARDS:
        for family in MODULES:
            assert len(of_rows(chip, family)) == len(currents(chip, family)) == len(PARTS)


def test_names_in_a_picture_are_escaped():
    assert "a &lt; b" in svg("a < b", [("x", 1.0)], "note")
