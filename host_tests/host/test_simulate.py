"""make simulate: days with every kind of fault end well on both ports, and each protection is missed when it is off."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from pathlib import Path

import pytest

from tools.simulate.charge import Charge
from tools.simulate.faults import NAMES, Plan
from tools.simulate.report import rows
from tools.simulate.sabotage import NAMES as PROTECTIONS
from tools.simulate.sabotage import sabotage
from tools.simulate.simulation import Simulation

ROOT = Path(__file__).resolve().parents[2]
PORTS = ("esp32", "rp2")


def lived(port: str, days: float, faults: str, seed: int = 1, family: str = "bc66") -> tuple[Simulation, Charge]:
    with contextlib.redirect_stdout(io.StringIO()):
        simulation = Simulation(port, family, seed, faults)
        charge = Charge(simulation)
        simulation.live(days)
    return simulation, charge


@pytest.mark.parametrize("port", PORTS)
def test_every_kind_of_fault_within_a_week_costs_no_reading(port):
    simulation, charge = lived(port, 7, "dense")
    assert simulation.ledger.verdict() == []
    assert simulation.cuts >= 1
    assert simulation.boots.get("brown_out", 0) >= 2
    assert simulation.model.faults.played
    delivered = simulation.ledger.delivered()
    assert len(delivered) >= 0.9 * 96 * 7
    # The reading of the very last slot may still be in the RAM of a wake that the end of the week cut short.
    taken = simulation.ledger.taken
    there = set(delivered) | simulation.ledger.exposed | simulation.ledger.waiting()
    assert not [number for number, when in enumerate(taken, 1) if when < taken[-1] - 900 and number not in there]
    assert simulation.ledger.dropped() == 0
    assert charge.days(3000) > 30


@pytest.mark.parametrize("port", PORTS)
def test_a_quiet_node_reads_reports_and_sleeps_and_nothing_else(port):
    simulation, charge = lived(port, 2, "none")
    ledger = simulation.ledger
    assert ledger.verdict() == []
    assert ledger.slots() == (0, [])
    assert set(ledger.delivered().values()) == {1}
    registrations = [event for event in simulation.server.events if "registered" in event[2]]
    assert len(registrations) == 1
    assert simulation.chip.awake_ms / ledger.wakes < 5000
    rows = {what: mah for what, _, _, mah in charge.rows()}
    unused = ("module awake, radio idle",)  # a BC66 is in light sleep then
    assert all((mah > 0) == (what not in unused) for what, mah in rows.items()), rows
    assert sum(hours for what, hours, _, _ in charge.rows() if what.startswith("board")) == pytest.approx(96, rel=0.01)
    if port == "rp2":
        assert max(rows, key=rows.get) == "board asleep", "on an RP2 sleep outweighs everything else"


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("protection", PROTECTIONS)
def test_without_a_protection_the_run_fails(port, protection):
    # A node that cannot recover sends in vain at every contact: a day of that is slow enough.
    days = 0.5 if protection == "recovery" else 6
    with sabotage(protection):
        simulation, _ = lived(port, days, "dense")
        verdict = simulation.ledger.verdict()
    assert verdict, "nobody noticed"


def figures(port: str, family: str, seed: int) -> dict[str, str]:
    simulation, charge = lived(port, 1.5, "dense", seed, family)
    return dict(rows(simulation, charge, 0, 3000))


@pytest.mark.parametrize(("port", "family"), [("esp32", "bc66"), ("rp2", "bg96")])
def test_a_run_repeats_by_its_seed(port, family):
    once = figures(port, family, 3)
    assert figures(port, family, 3) == once
    assert figures(port, family, 4) != once


def test_a_run_repeats_in_a_process_of_its_own():
    """Nothing hangs on what ran before, on the order of a set, or on the time it takes."""
    command = [sys.executable, "-m", "tools.simulate", "--days", "1", "--faults", "dense", "--seed", "5"]
    said = []
    for hashes in ("0", "77"):
        environment = {"PYTHONHASHSEED": hashes, "COLUMNS": "150", "PATH": ""}
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, env=environment)
        assert found.returncode == 0, found.stdout + found.stderr
        said.append([line for line in found.stdout.splitlines() if "simulated" not in line])
    assert said[0] == said[1]


def test_the_output_has_every_figure_that_is_promised():
    told = " ".join([f"{name} {value}" for name, value in figures("rp2", "bc20", 1).items()])
    for words in ("readings taken", "delivered", "duplicates", "dropped by policy", "exposed", "lost", "wakes", "slots missed",
                  "served twice", "attempts", "registrations", "flash writes per day", "wear", "awake", "mAh a day", "days on"):
        assert words in told, words


def test_a_node_that_never_reads_is_noticed():
    with contextlib.redirect_stdout(io.StringIO()):
        simulation = Simulation("esp32", faults="none")
        simulation.broken = True  # until the quiet days at the end
        simulation.live(1)
    assert any("were missed" in sentence for sentence in simulation.ledger.verdict())


def test_a_slot_served_late_after_a_rest_is_not_taken_for_the_next():
    """Seed 5: the application is mended late in a slot, by a clock that is two minutes slow; both slots are served once."""
    simulation, _ = lived("esp32", 1, "dense", 5)
    assert simulation.ledger.slots()[1] == []


def test_a_day_without_network_is_within_the_journal_on_both_ports():
    for port in PORTS:
        with contextlib.redirect_stdout(io.StringIO()):
            simulation = Simulation(port, seed=2, faults="none")
            simulation.at(lambda s=simulation: s.outage(True), hours=5)
            simulation.at(lambda s=simulation: s.outage(False), hours=29)
            simulation.live(2)
        assert simulation.ledger.verdict() == [], port
        assert simulation.ledger.dropped() == 0
        assert simulation.chip.awake_ms < 3600_000, "attempts are few where nothing answers"


def test_a_small_journal_drops_the_oldest_and_says_so():
    with contextlib.redirect_stdout(io.StringIO()):
        simulation = Simulation("rp2", seed=2, faults="none", journal_bytes=1024)
        simulation.at(lambda: simulation.outage(True), hours=2)
        simulation.at(lambda: simulation.outage(False), hours=50)
        simulation.live(3)
    ledger = simulation.ledger
    assert ledger.dropped() > 50
    assert ledger.verdict() == []
    missing = sorted(set(range(1, len(ledger.taken) + 1)) - set(ledger.delivered()))
    assert missing == list(range(missing[0], missing[-1] + 1)), "the oldest of the outage, in one piece"
    assert len(missing) == ledger.dropped()


def test_plans_repeat_by_their_seed_and_keep_their_rates():
    assert Plan("default", 365, 7).events == Plan("default", 365, 7).events
    assert Plan("default", 365, 7).events != Plan("default", 365, 8).events
    year = Plan("default", 365, 7)
    assert (year.count("restart"), year.count("brown_out"), year.count("power_cut")) == (52, 12, 50)
    assert sorted({minutes for _, kind, minutes in year.events if kind == "outage"}) == [10, 180, 7200]
    assert Plan("none", 365, 1).events == []
    for name in NAMES:
        Plan(name, 1, 1)
    with pytest.raises(ValueError, match="expected one of"):
        Plan("bad luck", 1, 1)
