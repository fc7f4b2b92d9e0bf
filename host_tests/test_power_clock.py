"""Clock: when somebody has said, how far to believe it, what a stamp is worth later."""

from fakes.clock import VirtualClock

from lwnode.power import Clock

UNSET_2000 = 946684800
DAY = 86400


class Port(VirtualClock):
    """A port's time module: its own epoch, a drift, and a flag for what the last reset did to the count."""

    def __init__(self, epoch=0, drift_ppm=0):
        super().__init__()
        self.epoch = epoch
        self.drift_ppm = drift_ppm
        self.kept = True
        self.count_id = 7
        self.restarted = 0

    def time(self):
        passed = self.now - self.restarted
        return self.epoch + passed * 1000000 // (1000000 + self.drift_ppm) // 1000

    def restart(self):
        self.kept = False
        self.restarted = self.now


def test_unknown_until_somebody_has_said():
    port = Port(1609459200)
    clock = Clock(port)
    assert clock.unix() is None
    assert clock.stale
    epoch, seconds = clock.stamp()
    assert epoch != 0
    assert seconds == 1609459200
    assert clock.resolve((epoch, seconds)) is None
    port.advance(10000)
    assert clock.set_unix(port.unix(), "network")
    assert clock.unix() == port.unix()
    assert clock.resolve((epoch, seconds)) == port.unix() - 10
    assert clock.stamp() == (0, port.unix())
    assert not clock.stale
    assert clock.moved == port.unix() - 1609459210


def test_an_unset_module_clock_is_refused():
    """Telit says 80/01/06 until the network has told it (low_power.md 3.5); others 1970 and 2000."""
    clock = Clock(Port())
    for unix in (0, 315964929, UNSET_2000, UNSET_2000 + 500, 4102444800, 1 << 40, -5):
        assert not clock.set_unix(unix, "network")
    assert clock.unix() is None


def test_a_jump_of_a_day_is_refused_once_and_believed_when_repeated():
    for jump in (DAY, -DAY):
        port = Port()
        clock = Clock(port)
        clock.set_unix(port.unix(), "network")
        port.advance(900000)
        assert not clock.set_unix(port.unix() + jump, "network")
        assert clock.unix() == port.unix()
        port.advance(900000)
        assert clock.set_unix(port.unix() + jump, "network")
        assert clock.unix() == port.unix() + jump


def test_two_different_wrong_answers_do_not_add_up_to_a_right_one():
    port = Port()
    clock = Clock(port)
    clock.set_unix(port.unix(), "network")
    port.advance(900000)
    assert not clock.set_unix(port.unix() + DAY, "network")
    assert not clock.set_unix(port.unix() - DAY, "network")
    assert clock.set_unix(port.unix(), "network")
    assert not clock.set_unix(port.unix() - DAY, "network"), "a good answer clears the doubt"


def test_the_server_is_believed_at_once():
    port = Port()
    clock = Clock(port)
    clock.set_unix(port.unix(), "network")
    assert clock.set_unix(port.unix() + 7 * DAY, "server")


def test_drift_is_learnt_filtered_and_clamped():
    port = Port(drift_ppm=12000)
    clock = Clock(port)
    clock.set_unix(port.unix(), "network")
    for _ in range(8):
        port.advance(3600000)
        clock.set_unix(port.unix(), "network")
    assert abs(clock.ppm - 12000) < 600, clock.ppm
    port.advance(3600000)
    assert abs(clock.unix() - port.unix()) <= 2
    # The port is slow by 1.2 %, so an hour of the world is less of its seconds.
    assert abs(clock.sleep_ms(3600) - 3557312) < 2500
    wild = Port(drift_ppm=80000)
    clock = Clock(wild)
    clock.set_unix(wild.unix(), "network")
    wild.advance(36000000)
    clock.set_unix(wild.unix(), "server")
    assert clock.ppm == 50000


def test_short_intervals_and_whole_second_noise_teach_nothing():
    port = Port()
    clock = Clock(port)
    clock.set_unix(port.unix(), "network")
    for i in range(50):
        port.advance(600000)
        clock.set_unix(port.unix() + i % 2 * 8, "network")
    assert clock.ppm == 0
    port = Port()
    clock = Clock(port)
    clock.set_unix(port.unix(), "network")
    for i in range(50):
        port.advance(3600000)
        clock.set_unix(port.unix() + i % 2, "network")
    assert clock.ppm == 0


def test_state_survives_sleep_and_readings_of_a_lost_epoch_keep_their_time():
    port = Port()
    clock = Clock(port)
    early = clock.stamp()
    port.advance(5000)
    clock.set_unix(port.unix(), "network")
    truth = port.unix() - 5
    again = Clock(port)
    assert again.load(clock.dump())
    assert again.unix() == port.unix()
    assert again.resolve(early) == truth
    saved = again.dump()
    port.restart()
    reborn = Clock(port)
    assert reborn.load(saved)
    assert reborn.unix() is None
    assert reborn.resolve(early) == truth, "its epoch had been synchronised"
    unsynced = reborn.stamp()
    assert unsynced[0] not in (0, early[0])
    saved = reborn.dump()
    port.restart()
    third = Clock(port)
    third.load(saved)
    third.set_unix(port.unix(), "network")
    assert third.resolve(unsynced) is None, "never synchronised: it travels without a time"
    assert third.resolve(early) == truth


def test_a_count_that_runs_backwards_begins_a_new_epoch():
    port = Port(1609459200)
    port.advance(3600000)
    clock = Clock(port)
    clock.set_unix(port.unix(), "network")
    stamp = clock.stamp()
    saved = clock.dump()
    port.restarted = port.now  # the port claims nothing, but its count is back in 2021
    assert clock.unix() is None
    again = Clock(port)
    again.load(saved)
    assert again.unix() is None
    assert again.resolve(stamp) == stamp[1]


def test_two_lives_without_a_saved_state_do_not_share_an_epoch():
    assert len({Clock(Port()).stamp()[0] for _ in range(50)}) == 50


def test_one_wrong_time_is_lived_down_over_sleep_as_without_it():
    """An ESP32 forgot its doubt at each sleep: after one time three years ahead 238 right ones were refused."""
    for sleeps in (False, True):
        for drift_ppm in (0, 50000, -50000):
            for at in (0, 5):
                port = Port(drift_ppm=drift_ppm)
                clock = Clock(port)
                wrong = 0
                for contact in range(12):
                    clock.set_unix(port.unix() + (3 * 365 * DAY if contact == at else 0), "network")
                    wrong += abs(clock.unix() - port.unix()) > DAY
                    assert not clock.stale or contact in (at, at + 1)
                    if sleeps:
                        again = Clock(port)
                        assert again.load(clock.dump())
                        clock = again
                    port.advance(3600000)
                # The first answer of all is taken, and the second that disagrees with it wins; later nobody is believed alone.
                assert wrong == (2 if at == 0 else 0), (sleeps, drift_ppm, at, wrong)


def test_a_count_that_began_anew_is_noticed_by_any_later_life():
    """A brown-out, then a life that ended before it saved: to the next one the count had survived, and lay ahead."""
    port = Port(1609459200)
    port.advance(60000)
    clock = Clock(port)
    clock.set_unix(port.unix(), "network")
    saved = clock.dump()
    port.advance(3600000)
    port.restart()
    port.count_id = 8
    port.advance(7200000)
    port.kept = True
    again = Clock(port)
    assert again.load(saved) and again.unix() is None
    assert again.stamp()[0] != 0


def test_garbage_gives_a_clock_that_knows_nothing():
    seed = 3
    good = Clock(Port()).dump()
    for length in (0, 1, 10, len(good), len(good) + 1, 200):
        for _ in range(30):
            data = bytearray(length)
            for i in range(length):
                seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
                data[i] = seed >> 16 & 0xFF
            clock = Clock(Port())
            if not clock.load(bytes(data)):
                assert clock.unix() is None
            assert -50000 <= clock.ppm <= 50000
    assert not Clock(Port()).load(None)
    assert not Clock(Port()).load(good[:-1])
