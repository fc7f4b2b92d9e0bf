"""Upkeep: one object that says whether a contact is allowed and what the node's life has cost."""

from lwnode.power import Upkeep, currents

NOW = 1_790_000_000
DAY = 86400


def _upkeep(**options):
    return Upkeep(currents("esp32", "bc66"), **options)


def test_a_healthy_battery_changes_nothing():
    upkeep = _upkeep()
    assert upkeep.woke(NOW, 3900) == "normal"
    assert (upkeep.stretch(NOW), upkeep.batch(8), upkeep.may_contact(NOW)) == (1, 8, True)
    assert upkeep.woke(NOW, None) == "normal", "a board that cannot measure"


def test_a_low_battery_stretches_a_critical_one_speaks_once_a_day_a_dead_one_not_at_all():
    upkeep = _upkeep()
    upkeep.woke(NOW, 3500)
    assert upkeep.stretch(NOW) == 4
    upkeep.woke(NOW, 3350)
    assert upkeep.batch(8) == 1
    assert upkeep.may_contact(NOW)
    upkeep.contacted(True, NOW)
    assert not upkeep.may_contact(NOW + 900)
    assert upkeep.may_contact(NOW + 900, urgent=True)
    assert upkeep.may_contact(NOW + DAY)
    upkeep.woke(NOW, 3200)
    assert not upkeep.may_contact(NOW + DAY)
    assert not upkeep.may_contact(NOW + DAY, urgent=True)


def test_the_data_budget_lets_alarms_pass_only():
    upkeep = _upkeep(data_limit=1000)
    upkeep.woke(NOW, 3900)
    upkeep.contacted(True, NOW, payload=700)
    assert upkeep.stretch(NOW) == 4
    upkeep.contacted(True, NOW, payload=100)
    assert not upkeep.may_contact(NOW)
    assert upkeep.may_contact(NOW, urgent=True)


def test_figures_add_up_and_survive_sleep():
    upkeep = _upkeep(data_limit=100000)
    now = NOW
    for _ in range(96):
        again = _upkeep(data_limit=100000)
        assert again.load(upkeep.dump()) or now == NOW
        upkeep = again
        upkeep.woke(now, 3800)
        upkeep.contacted(True, now, payload=80, connect_ms=1500, tail_ms=10000)
        upkeep.sleeps(now, awake_ms=4000)
        now += 900
    figures = dict(upkeep.metrics({"watchdog": 1}, dropped=3))
    assert figures["sync_ok"] == 96
    assert figures["awake_s"] == 384
    assert figures["operational_h"] == 23
    assert figures["mc_connect"] == 96 * 150
    assert figures["reset_watchdog"] == 1
    assert figures["data_bytes"] == 96 * 200
    assert figures["uah_per_day"] > 0
    assert len(upkeep.dump()) <= 160


def test_a_corrected_clock_and_garbage_harm_nothing():
    upkeep = _upkeep()
    upkeep.woke(500, 3800)
    upkeep.sleeps(500, 1000)
    upkeep.rebase(NOW)
    upkeep.woke(NOW + 1400, 3800)
    assert upkeep.energy.charge_mc["sleep"] == 900 * 54 // 1000
    good = upkeep.dump()
    for length in range(len(good)):
        _upkeep().load(good[:length])
    for byte in range(256):
        _upkeep().load(bytes([1]) + bytes([byte]) * 150)
    assert not _upkeep().load(None)
