"""Each feature by itself: battery bands, deferral, the month's data, settings on trial, charge, health."""

from fakes.store import Store
from fakes.world import World

from lwnode.features.battery import CELLS, BatteryBands
from lwnode.features.deferral import Deferral
from lwnode.features.settings import STATES, Trial
from lwnode.features.usage import BOARDS, MODULES, Usage, civil

NOW = 1_790_000_000
DAY = 86400


def usage(config=None, name="usage", **options):
    """(a node that was not started, its usage feature, or another one)."""
    node = World("esp32", config, **options).node()
    node.wakes = 1
    return node, [feature for feature in node.features if feature.name == name][0]


def test_bands_fall_at_their_floors_and_rise_with_hysteresis():
    bands = BatteryBands(CELLS["lipo"])
    trace = [(3900, "normal"), (3601, "normal"), (3599, "low"), (3650, "low"), (3699, "low"), (3700, "normal"),
             (3440, "critical"), (3520, "critical"), (3549, "critical"), (3550, "low"), (3290, "dead"), (3390, "dead"),
             (3400, "critical"), (4100, "normal"), (3100, "dead"), (None, "dead"), (60, "dead"), (9000, "dead"),
             (4000, "normal")]
    for millivolts, band in trace:
        assert bands.update(millivolts) == band, millivolts


def test_what_each_band_does():
    bands = BatteryBands(CELLS["lipo"])
    for millivolts, stretch, every_s, transmit in ((3800, 1, 0, True), (3500, 4, 0, True), (3350, 1, DAY, True),
                                                   (3200, 1, 21600, False)):
        bands.update(millivolts)
        assert bands.level[2:] == (stretch, every_s, transmit), millivolts


def test_a_sagging_cell_does_not_flutter():
    """low_power.md section 6, 13: a slow sag with 40 mV of load dips and recoveries at each wake."""
    bands = BatteryBands(CELLS["lipo"])
    names = [bands.update(3800 - step // 5 + (40 if step % 2 else 0)) for step in range(3000)]
    assert [names[i] for i in range(1, 3000) if names[i] != names[i - 1]] == ["low", "critical", "dead"]


def test_the_first_measurement_needs_no_hysteresis_and_the_band_survives():
    battery, again = [usage({"battery": "lipo"}, "battery", battery_mv=3620)[1] for _ in range(2)]
    assert battery.bands.update(3620) == "normal"
    battery.bands.update(3460)
    assert again.load(battery.dump())
    assert again.bands.update(3650) == "low"
    for data in (b"", b"\x09\x01\x00\x00\x00\x00", b"\x00\x01"):
        assert not again.load(data)


def test_expensive_links_put_reports_off_with_a_bound():
    deferral = Deferral(3600, -115)
    asked = ((0, -100, True), (900, -121, False), (1800, -121, False), (4499, -121, False), (4500, -121, True),
             (5000, -115, True), (5100, -116, False), (6000, None, True))
    for now, rsrp, allowed in asked:
        assert deferral.allow(now, rsrp) == allowed, (now, rsrp)


def test_deferral_survives_sleep_and_clock_steps():
    (node, first), (_, again) = [usage({"defer_longest": 3600}, "deferral") for _ in range(2)]
    first.deferral.allow(1000, -130)
    assert again.load(first.dump())
    assert again.deferral.allow(4600, -130)
    first.rebase(node, 1_789_000_000)
    assert not first.deferral.allow(1_789_001_100, -130)
    assert first.deferral.allow(500, -130), "a clock that went back does not prolong"
    assert not first.load(b"\x07")


def test_data_budget_stretches_then_refuses_and_begins_again_each_month():
    node, data = usage({"data_budget": 10000, "billing_day": 5})
    january_10 = 1768003200  # 2026-01-10

    def allowed(now):
        """(2 all, 1 alarms only; by what reports are stretched)."""
        node.may_contact, node.reporting.stretch = 2, 1
        data.before_wake(node, "timer", now)
        return node.may_contact, node.reporting.stretch

    def spend(payload, now):
        node.delivery.messages, node.delivery.bytes = 1, payload
        node.clock.now = lambda: now
        data.after_contact(node, True)

    assert allowed(january_10) == (2, 1)
    for _ in range(40):
        spend(80, january_10)
    assert data.counts[1] == 40 * (80 + 2 * 60)
    assert allowed(january_10) == (2, 4)
    for _ in range(10):
        spend(80, january_10)
    assert allowed(january_10)[0] == 1
    february_4 = january_10 + 25 * DAY
    assert allowed(february_4)[0] == 1
    assert allowed(february_4 + DAY) == (2, 1) and data.counts[1] == 0, "the billing day"
    spend(100, february_4 + DAY)
    spent = data.counts[1]
    assert allowed(january_10) == (2, 1) and data.counts[1] == spent, "a clock that steps back does not forgive or forget"
    node, again = usage({"data_budget": 10000, "billing_day": 5})
    assert again.load(data.dump()) and again.counts[1] == spent
    assert not again.load(b"")


def test_months_are_found_without_the_ports_gmtime():
    assert civil(0) == (1970, 1, 1)
    assert civil(951782400) == (2000, 2, 29)
    assert civil(1709164800) == (2024, 2, 29)
    assert civil(1767225599) == (2025, 12, 31)
    assert civil(4102444799) == (2099, 12, 31)


def test_a_configuration_that_cuts_the_node_off_is_rolled_back():
    """low_power.md section 6, 12."""
    store = Store()
    trial = Trial(store, wakes=3)
    assert not trial.start(b"same", b"same")
    assert trial.start(b"new", b"old")
    assert trial.wake(False) is None
    trial = Trial(store, wakes=3)  # a crash or sleep in between changes nothing
    assert STATES[trial.at] == "running"
    assert trial.wake(False) is None
    assert Trial(store, wakes=3).wake(False) == b"old"
    trial = Trial(store)
    assert STATES[trial.at] == "rolled back"
    assert trial.wake(False) is None


def test_a_configuration_that_works_is_kept():
    store = Store()
    trial = Trial(store, wakes=3)
    trial.start(b"new", b"old")
    trial.wake(False)
    trial.wake(True)
    trial = Trial(store)
    assert STATES[trial.at] == "kept"
    for _ in range(5):
        assert trial.wake(False) is None


def test_a_second_change_before_the_first_is_proven_keeps_the_proven_way_back():
    store = Store()
    trial = Trial(store, wakes=2)
    trial.start(b"second", b"first")
    trial.wake(False)
    trial.start(b"third", b"second")
    assert trial.wake(False) is None
    assert trial.wake(False) == b"first"
    store.kept["trial"] = b"\x01\x02rubbish"
    assert STATES[Trial(store).at] == "none"


def lived(node, one, now, slept_s=0, awake_ms=0, contact_ms=0, reached=None, mv=None, messages=0):
    """One wake of so long, told to the feature."""
    node.board.battery_mv, node.board.clock.ticks_ms = lambda: mv, lambda: 0
    one.counts[13] = now - slept_s if slept_s else 0
    one.before_wake(node, "timer", now)
    node.clock.now = lambda: now
    node.contact_ms, node.reached, node.delivery.messages = contact_ms, reached, messages
    if reached is not None:
        one.after_contact(node, reached)
    node.board.clock.ticks_ms = lambda: awake_ms
    one._woke = 0
    one.before_sleep(node, now)


def test_charge_is_added_by_phase():
    node, one = usage()
    lived(node, one, NOW, 3576, 3500, 1500, True, messages=1)
    # esp32 and bc66: 54, 30004, 100000 and 12050 uA
    assert one.value(10) == "awake 60 connect 150 sleep 193 tail 241"
    assert abs(one.value(9) - (193 + 60 + 150 + 241) * 24000 // 3579) < 20
    node, again = usage()
    assert again.load(one.dump()) and again.value(10) == one.value(10)


def test_every_board_and_module_has_its_currents():
    for chip in BOARDS:
        for family in MODULES:
            assert len(BOARDS[chip]) == 2 and len(MODULES[family]) == 5


def test_health_counts_and_survives():
    node, one = usage()
    for day in range(10):
        for wake in range(96):
            assert one.load(one.dump())
            lived(node, one, NOW + day * DAY + 900 * wake, 898, 1500, 0, day != 3 if wake == 0 else None, 3900 - day * 10)
    assert [one.value(id) for id in (0, 1, 2, 3, 5)] == [239, 239, 9, 1, 1440]
    assert -11 <= one.value(8) <= -9 and one.value(7) == 3810
    node.guard = type("Guard", (), {"resets": {"watchdog": 2}})
    for hour in range(2):
        lived(node, one, NOW + 10 * DAY + 3600 * hour, 3600, 500)
    assert (one.value(1), one.value(6)) == (1, "watchdog 2")
    node, again = usage()
    assert again.load(one.dump()) and [again.value(id) for id in range(6)] == [one.value(id) for id in range(6)]
    assert len(one.dump()) == Usage.SIZE
    for length in range(Usage.SIZE):
        assert not again.load(one.dump()[:length])
    again.load(b"\xff" * Usage.SIZE)


def test_a_corrected_clock_is_no_sleep():
    node, one = usage()
    lived(node, one, 500, 400, 1000)
    one.rebase(node, NOW)
    one.before_wake(node, "timer", NOW + 1400)
    assert one.counts[2] == 400 + 1 + 900
    one.counts[13] = 1000
    one.before_wake(node, "timer", NOW)
    assert one.counts[2] == 1301


def test_all_features_together_keep_within_900_bytes():
    world = World("esp32", {"battery": "lipo", "data_budget": 1, "defer_longest": 1})
    found = world.node().features
    assert len(found) == 7
    assert sum([feature.SIZE for feature in found]) <= 900
    for feature in found:
        assert not feature.SIZE or len(feature.dump()) == feature.SIZE, feature.name
