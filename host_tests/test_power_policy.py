"""Battery bands, deferral, budgets, trial configuration, energy, health."""

from lwnode.power import (
    BatteryBands,
    DataBudget,
    Deferral,
    EnergyMeter,
    Health,
    Trial,
    currents,
)

DAY = 86400


class Dictionary:
    """A store in RAM."""

    def __init__(self):
        self.values = {}

    def load(self, name):
        return self.values.get(name)

    def save(self, name, data):
        self.values[name] = data


def test_bands_fall_at_their_floors_and_rise_with_hysteresis():
    bands = BatteryBands()
    trace = [
        (3900, "normal"), (3601, "normal"), (3599, "low"), (3650, "low"), (3699, "low"), (3700, "normal"), (3440, "critical"),
        (3520, "critical"), (3549, "critical"), (3550, "low"), (3290, "dead"), (3390, "dead"), (3400, "critical"),
        (4100, "normal"), (3100, "dead"), (None, "dead"), (60, "dead"), (9000, "dead"), (4000, "normal"),
    ]
    for millivolts, band in trace:
        assert bands.update(millivolts) == band, millivolts


def test_what_each_band_does():
    bands = BatteryBands()
    bands.update(3800)
    assert (bands.period_s(900), bands.transmit, bands.weak) == (900, True, False)
    bands.update(3500)
    assert (bands.period_s(900), bands.stretch) == (3600, 4)
    bands.update(3350)
    assert (bands.period_s(900), bands.transmit, bands.weak) == (DAY, True, True)
    bands.update(3200)
    assert (bands.transmit, bands.contact_every_s) == (False, 21600)


def test_a_sagging_cell_does_not_flutter():
    """low_power.md section 6, 13: a slow sag with 40 mV of load dips and recoveries at each wake."""
    bands = BatteryBands()
    for step in range(3000):
        bands.update(3800 - step // 5 + (40 if step % 2 else 0))
    assert bands.changes == 3
    assert bands.band == "dead"


def test_the_first_measurement_needs_no_hysteresis_and_the_band_survives():
    bands = BatteryBands()
    assert bands.update(3620) == "normal"
    bands.update(3460)
    again = BatteryBands()
    assert again.load(bands.dump())
    assert again.update(3650) == "low"
    for data in (None, b"", b"\x01\x09\x01", b"\x02\x00\x01"):
        assert not BatteryBands().load(data)


def test_expensive_links_put_reports_off_with_a_bound_and_never_an_alarm():
    deferral = Deferral(3600, rsrp_min=-115)
    assert deferral.allow(0, rsrp=-100)
    assert not deferral.allow(900, rsrp=-121)
    assert not deferral.allow(1800, rsrp=-121)
    assert deferral.allow(1801, rsrp=-121, urgent=True)
    assert not deferral.allow(2000, rsrp=-121), "the alarm ended the wait, a new one begins"
    assert not deferral.allow(5599, rsrp=-121)
    assert deferral.allow(5600, rsrp=-121), "an hour after it began"
    assert not deferral.allow(6000, ecl=2)
    assert deferral.allow(6100, rsrp=None), "not known is not expensive"
    assert deferral.deferred == 5


def test_deferral_survives_sleep_and_clock_steps():
    deferral = Deferral(3600)
    deferral.allow(1000, rsrp=-130)
    again = Deferral(3600)
    assert again.load(deferral.dump())
    assert again.allow(4600, rsrp=-130)
    deferral.rebase(1_789_000_000)
    assert not deferral.allow(1_789_001_100, rsrp=-130)
    assert deferral.allow(500, rsrp=-130), "a clock that went back does not prolong"
    assert not Deferral(1).load(b"\x07")


def test_data_budget_stretches_then_refuses_and_begins_again_each_month():
    budget = DataBudget(10000, billing_day=5)
    january_10 = 1768003200  # 2026-01-10
    assert budget.stretch(january_10) == 1
    for _ in range(40):
        budget.spend(80, january_10)
    assert budget.spent == 40 * (80 + 2 * 60)
    assert budget.stretch(january_10) == 4
    for _ in range(10):
        budget.spend(80, january_10)
    assert not budget.allow(january_10)
    assert budget.allow(january_10, urgent=True)
    february_4 = january_10 + 25 * DAY
    assert not budget.allow(february_4)
    assert budget.allow(february_4 + DAY), "the billing day"
    assert budget.last_month == 10000
    assert not budget.spent
    again = DataBudget(10000, billing_day=5)
    budget.spend(100, february_4 + DAY)
    assert again.load(budget.dump())
    assert again.spent == budget.spent
    assert again.allow(january_10), "a clock that steps back does not forgive or forget"
    assert again.spent == budget.spent
    assert DataBudget(0).allow(january_10)
    assert not DataBudget(1).load(b"")


def test_months_are_found_without_the_ports_gmtime():
    from lwnode.power.budget import _civil

    assert _civil(0) == (1970, 1, 1)
    assert _civil(951782400) == (2000, 2, 29)
    assert _civil(1709164800) == (2024, 2, 29)
    assert _civil(1767225599) == (2025, 12, 31)
    assert _civil(4102444799) == (2099, 12, 31)


def test_a_configuration_that_cuts_the_node_off_is_rolled_back():
    """low_power.md section 6, 12."""
    store = Dictionary()
    trial = Trial(store, wakes=3)
    assert not trial.start(b"same", b"same")
    assert trial.start(b"new", b"old")
    assert trial.wake(False) is None
    trial = Trial(store, wakes=3)  # a crash or sleep in between changes nothing
    assert trial.state == "running"
    assert trial.wake(False) is None
    assert Trial(store, wakes=3).wake(False) == b"old"
    trial = Trial(store)
    assert (trial.state, trial.rollbacks) == ("rolled back", 1)
    assert trial.wake(False) is None


def test_a_configuration_that_works_is_kept():
    store = Dictionary()
    trial = Trial(store, wakes=3)
    trial.start(b"new", b"old")
    trial.wake(False)
    trial.wake(True)
    trial = Trial(store)
    assert trial.state == "kept"
    for _ in range(5):
        assert trial.wake(False) is None


def test_a_second_change_before_the_first_is_proven_keeps_the_proven_way_back():
    store = Dictionary()
    trial = Trial(store, wakes=2)
    trial.start(b"second", b"first")
    trial.wake(False)
    trial.start(b"third", b"second")
    assert trial.wake(False) is None
    assert trial.wake(False) == b"first"
    store.values["trial"] = b"\x01\x02rubbish"
    assert Trial(store).state == "none"


def test_charge_is_added_by_phase():
    meter = EnergyMeter({"sleep": 50, "awake": 30000, "boot": 60000, "connect": 100000, "tail": 42000, "idle": 31000})
    meter.add("awake", 2000)
    meter.add("connect", 1500)
    meter.add("tail", 20000)
    meter.add("sleep", 3576500)
    assert meter.charge_mc == {"sleep": 178, "awake": 60, "boot": 0, "connect": 150, "tail": 840, "idle": 0}
    assert abs(meter.uah_per_day() - 1229 * 24 * 1000 // 3600) < 20
    again = EnergyMeter(meter.currents_ua)
    assert again.load(meter.dump())
    assert again.charge_mc == meter.charge_mc
    assert EnergyMeter(meter.currents_ua).uah_per_day() == 0


def test_every_board_and_module_has_its_currents():
    from lwnode.power.typical import BOARDS, MODULES

    for chip in BOARDS:
        for family in MODULES:
            EnergyMeter(currents(chip, family))
    try:
        EnergyMeter({"sleep": 1})
    except ValueError as error:
        assert "awake" in str(error)
    else:
        raise AssertionError("a phase without a current")


def test_health_counts_and_survives():
    health = Health()
    for day in range(10):
        for _ in range(96):
            health.wake(1500, 898)
        health.sync(day != 3)
        health.battery(3900 - day * 10, 1_789_000_000 + day * DAY)
    health.flash(40)
    health.crashed()
    health.wake(500, 3600)
    for free in (150000, 90000, 120000):
        health.heap(free)
    values = dict(health.values({"watchdog": 2}, dropped=7))
    assert values["operational_h"] == 240
    assert values["crash_free_h"] == 1
    assert (values["sync_ok"], values["sync_failed"]) == (9, 1)
    assert (values["dropped"], values["reset_watchdog"]) == (7, 2)
    assert values["flash_writes_per_day"] == 3
    assert -11 <= values["battery_mv_per_day"] <= -9
    assert values["awake_s"] == 1440
    assert values["heap_low"] == 90000
    again = Health()
    assert again.load(health.dump())
    assert again.values({"watchdog": 2}, 7) == health.values({"watchdog": 2}, 7)
    assert not Health().load(b"\x01\x02")
