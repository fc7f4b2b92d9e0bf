"""make simulate: days with every kind of fault end well on both ports, and each protection is missed when it is off."""

from __future__ import annotations

import contextlib
import io

import pytest

from tools.simulate.charge import Charge
from tools.simulate.faults import NAMES, Plan
from tools.simulate.sabotage import NAMES as PROTECTIONS
from tools.simulate.sabotage import sabotage
from tools.simulate.simulation import Simulation

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
    assert all(mah > 0 for mah in rows.values())
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
