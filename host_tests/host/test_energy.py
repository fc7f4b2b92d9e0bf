"""make energy: a table whose parts add up, a picture that is an SVG, a configuration that is heard."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import sys
import xml.etree.ElementTree as tree
from types import SimpleNamespace
from unittest import mock

import pytest

from tools.arguments import run as run_tool
from tools.energy import lived
from tools.energy.__main__ import REQUIRED, advice, first, main, measured
from tools.energy.picture import svg
from tools.energy.sources import BOARDS, KINDS, MODULES, all_figures, floor, of_rows
from testing.simulate.charge import PARTS, Charge, currents
from testing.simulate.simulation import Simulation

HOURLY = (("report_every", 3600), ("sample_every", 3600))
hourly = functools.cache(lived.hourly)
other = functools.cache(lambda port, family, keys, live=lived.live: live(port, family, dict(keys)))


def live(port, family, config=None):
    """Each life once: most tests look at the same."""
    keys = tuple(sorted((config or {}).items()))
    return hourly(port, family) if keys == HOURLY else other(port, family, keys)


def run(*arguments: str) -> SimpleNamespace:
    """`make energy` with those arguments: its status and what it said."""
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error), mock.patch.object(lived, "live", live), \
            mock.patch.object(sys, "argv", ["energy", *arguments]), mock.patch.dict(os.environ, COLUMNS="200"):
        try:
            status = run_tool(main, "energy")
        except SystemExit as end:
            status = end.code
    return SimpleNamespace(returncode=status, stdout=out.getvalue(), stderr=error.getvalue())


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
    assert len(shares) == 9
    assert 97 <= sum(shares) <= 103
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"sample_every": 3600, "report_every": 3600, "host": "ignored"}))
    seldom = run("--config", str(config), "--out", str(picture))
    assert days(seldom.stdout) > 1.5 * days(often.stdout)
    assert "3600 s" in seldom.stdout


def test_an_rp2_is_told_first_what_its_sleep_costs(tmp_path):
    found = run("--port", "rp2", "--out", str(tmp_path / "energy.svg")).stdout
    assert found.startswith("A Pico sleeps at a milliampere: 0.99 mA are 24 mAh a day and empty this cell in 100 days")
    assert "TPL5110" in found.splitlines()[0]
    assert days(found) < 150


@pytest.mark.parametrize("arguments, sentence", [
    (("--config", "{}/none.json"), "CONFIG: expected a file, found "), (("--config", "{}"), "which is a folder"),
    (("--capacity=-1",), "CAPACITY: expected a number from 1 to 1000000 mAh, found -1"),
    (("--capacity=nan",), "found nan"), (("--capacity=3 Ah",), "found 3 Ah"),
    (("--port", "mars"), "PORT: expected one of esp32, rp2"), (("--family", "sim800"), "FAMILY: expected one of"),
    (("--out", "{}"), "which is a folder"), (("--table", "--family", "bc66"), "leave FAMILY and CONFIG out"),
])  # fmt: skip
def test_a_wrong_argument_is_a_sentence(tmp_path, arguments, sentence):
    found = run(*(argument.format(tmp_path) for argument in arguments))
    assert found.returncode == 2 and sentence in found.stderr and len(found.stderr.splitlines()) == 1


# Issue 19: days of 3000 mAh at a report every 15 minutes, at one a day.
FLOORS = {"bc66": (568, 1612), "bg96": (145, 1364), "me910c1": (89, 1284)}


def test_the_floor_is_that_of_a_hand_calculation():
    # BC66: 1.4 s at 70 mA, 0.15 s at 30 mA and 2.56 s at 0.43 mA above 4 uA of its sleep; 54 uA all day.
    least = floor("esp32", "bc66", 96)
    millicoulombs = 1.4 * (70 - 0.004) + 0.15 * (30 - 0.004) + 2.56 * (0.43 - 0.004)
    assert abs(least.above - 96 * millicoulombs / 3600) < 1e-9 and abs(least.sleep - 24 * 0.054) < 1e-9
    # ME910C1: two exchanges, 5.5 s until it is attached, 20 s of tail.
    millicoulombs = 2.8 * (120 - 0.01) + 5.5 * (40 - 0.01) + 20 * (20 - 0.01)
    assert abs(floor("esp32", "me910c1", 1).above - millicoulombs / 3600) < 1e-9
    for family, days in FLOORS.items():
        assert tuple(round(floor("esp32", family, contacts).days(3000)) for contacts in (96, 1)) == days
        assert all(asked < least for asked, least in zip(REQUIRED[family], days))


def test_nothing_lived_is_below_its_floor():
    for charge in (live("esp32", "bc66"), *(hourly("esp32", family) for family in MODULES)):
        above, least = measured(charge)
        assert above > least.above, charge.simulation.family


def test_a_wake_is_one_of_board_and_module_without_gaps():
    for family in MODULES:
        spans = lived.spans(hourly("esp32", family))
        for who in ("board", ("module", "radio")):
            mine = [span for span in spans if span[2].startswith(who)]
            assert mine[0][0] == 0 and all(one[1] == two[0] for one, two in zip(mine, mine[1:])), family
        assert spans[0][2] == "board awake" and "radio connected, the network's tail" in {span[2] for span in spans}
        assert max(end for _, end, _ in spans) < 120


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
    assert asked.slept() and not advice(asked) and not first(asked, 3000)
    assert asked.days(3000) > 10 * never.days(3000)


def test_light_sleep_has_a_row_of_its_own():
    charge = live("esp32", "bg96", {"sleep": "light", "report_every": 3600, "sample_every": 3600})
    hours = hours_a_day(charge)
    assert hours["module in light sleep"] > 23
    assert charge.slept()


def test_each_phase_is_counted_once():
    for family in MODULES:
        charge = hourly("rp2" if family == "bc66" else "esp32", family)
        milliseconds = charge.milliseconds()
        lived = charge.lived_days() * 86_400_000
        assert abs(sum(milliseconds[:2]) + milliseconds[8] - lived) < 1000, family
        assert abs(sum(milliseconds[2:8]) - lived) < 1, family
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
    assert connection(1400, False, 65_000)[2:8] == [0, 0, 1000 + 45_000, 0, 1400, 20_000] and charge.connections == 1
    # Released 0.3 s after the last byte: the connection of 3.2 s is no tail.
    assert connection(3200, True, 65_000)[6:8] == [3200, 300]
    # Two exchanges with five seconds between them are one connection, and its tail begins after the second.
    charge.begin()
    model.begin(), clock.advance(1400), model.end(), clock.advance(5000)
    model.begin(), clock.advance(1400), model.end(), clock.advance(60_000)
    assert list(charge.milliseconds())[6:8] == [1400 + 5000 + 1400, 20_000] and charge.connections == 1
    # Seen in its middle: 4 s after the last byte.
    assert connection(1000, False, 4000)[6:8] == [1000, 4000]
    clock.advance(60_000)
    # An exchange that nobody answers ends with the module's restart and has no tail; the one is that of the new attach.
    charge.begin()
    model.begin(), clock.advance(5000), model.restart(), clock.advance(60_000)
    found = list(charge.milliseconds())
    assert found[6:8] == [5000, 20_000] and charge.connections == 2 and found[5] > 0
    # T3324 of 10 s, then PSM and, 20 ms later, sleep; 1.4 s at 70 mA and 20 s at 12 mA are 94 microampere-hours.
    model.nvram["psm"] = [1, "00100001", "00000101"]
    assert connection(1400, False, 60_000)[2:8] == [29_980, 0, 1000 + 10_020, 0, 1400, 20_000]
    mah = {what: mah for what, _, _, mah in charge.rows()}
    assert abs(1000 * (mah[PARTS[6]] + mah[PARTS[7]]) - (1.4 * 70 + 20 * 12) / 3.6) < 0.01


def test_what_the_configuration_leaves_open_has_the_firmwares_defaults():
    settings = live("esp32", "bc66").simulation.settings
    assert (settings.listen, settings.attach_timeout, settings.report_every) == (5, 180, 900)


def test_each_board_and_module_has_a_source_for_each_row():
    for chip in BOARDS:
        for family in MODULES:
            assert len(of_rows(chip, family)) == len(currents(chip, family)) == len(PARTS)
    assert all(source.kind in KINDS for *_, source in all_figures())


def test_names_in_a_picture_are_escaped():
    assert "a &lt; b" in svg("a < b", [("x", 1.0)], "note")
