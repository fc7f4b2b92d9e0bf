"""BootGuard: crash loops end in sleep, brown-out loops in rest, healthy nodes in no write at all."""

from fakes.chip import Reset, live
from fakes.clock import VirtualClock
from fakes.flash import FlashFiles
from fakes.machine_esp32 import Esp32
from fakes.machine_rp2 import Rp2
from test_board_esp32 import Definition as DefinitionEsp32
from test_board_rp2 import Definition as DefinitionRp2

from lwnode.board import open_board
from lwnode.power import BootGuard, FileStore

HOUR_MS = 3600000


class Dictionary:
    """A store that counts writes."""

    def __init__(self):
        self.values = {}
        self.writes = 0

    def load(self, name):
        return self.values.get(name)

    def save(self, name, data):
        self.values[name] = data
        self.writes += 1


def test_five_unplanned_boots_without_a_cycle_lead_to_safe_mode_once():
    store = Dictionary()
    modes = [BootGuard(store).enter("panic") for _ in range(5)]
    assert modes == ["normal"] * 4 + ["safe"]
    assert BootGuard(store).enter("deep_sleep") == "normal", "after the safe sleep the whole application is tried again"
    assert BootGuard(store).enter("panic") == "safe", "on probation: one more crash leads back"
    assert BootGuard(store).enter("planned") == "normal"
    guard = BootGuard(store)
    guard.completed()
    assert [BootGuard(store).enter("watchdog") for _ in range(5)] == ["normal"] * 4 + ["safe"]


def test_a_healthy_node_writes_nothing():
    store = Dictionary()
    guard = BootGuard(store)
    guard.enter("power_on")
    guard.completed()
    before = store.writes
    for _ in range(1000):
        guard = BootGuard(store)
        assert guard.enter("deep_sleep") == "normal"
        assert guard.window_s == 0, "no window on a timer wake"
        guard.completed()
    assert store.writes == before


def test_planned_restarts_are_not_crashes_and_keep_their_reason_for_one_boot():
    store = Dictionary()
    for cause in ("hard", "soft", "panic", "planned") * 5:
        guard = BootGuard(store)
        guard.planned("server reboot")
        again = BootGuard(store)
        assert again.reason == "server reboot"
        assert again.enter(cause) == "normal"
        assert again.failures == 0
    assert BootGuard(store).reason == ""


def test_brown_outs_rest_longer_each_time_up_to_a_day():
    """low_power.md section 6, 13."""
    store = Dictionary()
    rests = []
    for _ in range(10):
        guard = BootGuard(store)
        guard.enter("brown_out")
        rests.append(guard.rest_s)
    assert rests == [900, 1800, 3600, 7200, 14400, 28800, 57600, 86400, 86400, 86400]
    BootGuard(store).completed()
    guard = BootGuard(store)
    guard.enter("brown_out")
    assert guard.rest_s == 900


def test_power_ons_in_a_row_count_as_brown_outs_where_the_port_cannot_tell():
    store = Dictionary()
    rests = []
    for _ in range(5):
        guard = BootGuard(store)
        guard.enter("power_on")
        rests.append(guard.rest_s)
    assert rests == [0, 0, 900, 1800, 3600]


def test_maintenance_window_on_cold_boots_and_longer_in_safe_mode():
    """low_power.md section 6, 14."""
    store = Dictionary()
    for cause, window in (("power_on", 5), ("hard", 5), ("deep_sleep", 0), ("watchdog", 5), ("planned", 0)):
        guard = BootGuard(store)
        guard.enter(cause)
        assert guard.window_s == window, cause
    for _ in range(5):
        guard = BootGuard(store)
        mode = guard.enter("panic")
        if mode == "safe":
            assert guard.window_s == 60


def test_caught_exceptions_count_and_rest_longer_each_time():
    store = Dictionary()
    rests = []
    for _ in range(4):
        guard = BootGuard(store)
        rests.append(guard.crashed())
        assert BootGuard(store).enter("panic") == "normal", "the restart after it is part of the same crash"
    assert rests == [60, 120, 240, 480]
    guard = BootGuard(store)
    guard.crashed()
    assert BootGuard(store).enter("deep_sleep") == "safe"


def test_visits_by_cable_are_no_crashes_and_give_one_more_start_on_probation():
    """Issue 20: two visits within an update's trial led to safe mode after a good roll-back."""
    store = Dictionary()
    for _ in range(12):  # power or reset, Ctrl-C in the window
        guard = BootGuard(store)
        assert guard.enter("power_on") == "normal" and guard.window_s and not guard.rest_s
        guard.visited()
    assert [BootGuard(store).enter("hard") for _ in range(5)] == ["normal"] * 4 + ["safe"], "crashes still count"
    guard = BootGuard(store)
    guard.visited()  # in the window of safe mode
    assert BootGuard(store).enter("hard") == "normal" and BootGuard(store).enter("panic") == "safe"


def test_causes_are_counted_for_the_health_object():
    store = Dictionary()
    for cause in ("power_on", "watchdog", "watchdog", "brown_out", "nonsense"):
        guard = BootGuard(store)
        guard.enter(cause)
        guard.completed()
    resets = BootGuard(store).resets
    assert (resets["power_on"], resets["watchdog"], resets["brown_out"], resets["hard"]) == (1, 2, 1, 1)


def test_garbage_and_a_full_store_do_not_stop_a_boot():
    store = Dictionary()
    for data in (b"", b"\x01", b"\xff" * 60, b"\x01" + b"\xff" * 18, b"\x01" * 19 + b"abc"):
        store.values["guard"] = data
        assert BootGuard(store).enter("power_on") in ("normal", "safe")
    files = FlashFiles()
    files.full = True
    assert BootGuard(FileStore("/state", files)).enter("panic") == "normal"


def _crashing_life(chip, definition, broken, safe_visits, done):
    """main.py in small: guard before the imports that can fail; the last line is always sleep or reset."""
    board = open_board(definition, chip.machine, chip.port, chip.time)
    guard = BootGuard(board.protected)
    if guard.enter(board.reset_cause()) == "safe":
        safe_visits.append(chip.clock.now)
        board.sleep(guard.SAFE_SLEEP_S * 1000)
        board.restart("safe mode over")
    board.watchdog(8000)
    fault = broken(chip)
    if fault == "hang":
        board.clock.sleep_ms(60000)
    if fault == "panic":
        raise Reset("watchdog" if definition.PORT == "rp2" else "panic")
    if fault is not None:
        pause = guard.crashed()
        board.watchdog_stop()
        board.sleep(pause * 1000)
        board.restart("after a crash")
    board.clock.sleep_ms(2000)
    guard.completed()
    done.append(chip.clock.now)
    board.watchdog_stop()
    board.sleep(900000)
    board.restart("next cycle")  # RP2 comes here: RAM kept; a new life keeps this test simple


def test_crash_loops_are_left_in_sleep_and_the_node_comes_back_when_the_fault_goes():
    """low_power.md section 6, 11: ImportError, MemoryError, exception in boot, hang, panic; both ports."""
    for fault in ("ImportError", "MemoryError", "hang", "panic"):
        for make, definition in ((Esp32, DefinitionEsp32), (Rp2, DefinitionRp2)):
            chip = make(VirtualClock())
            visits, done = [], []
            healed_at = 30 * HOUR_MS

            def broken(chip, fault=fault, healed_at=healed_at):
                return fault if chip.clock.now < healed_at else None

            live(chip, lambda chip, d=definition, b=broken, v=visits, e=done: _crashing_life(chip, d, b, v, e), 40 * HOUR_MS)
            assert visits, (fault, definition.PORT)
            assert chip.asleep_ms > 0.95 * 30 * HOUR_MS, "a broken node sleeps"
            assert done and done[0] < healed_at + 1.2 * HOUR_MS, (fault, definition.PORT)
            assert len(done) >= 30
