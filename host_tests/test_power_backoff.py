"""Backoff: bounded attempts in every outage, spread in time, remembered over sleep."""

from lwnode.power import Backoff

HOUR = 3600
DAY = 86400


class Draw:
    """A repeatable uniform draw."""

    def __init__(self, seed=1):
        self.state = seed

    def __call__(self, limit):
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 8) % (limit + 1)


def _attempts(seconds, reason="", seed=1, cost_s=0):
    """Try whenever allowed, for so long, failing each time; returns the times."""
    backoff = Backoff(uniform=Draw(seed))
    now, tries = 0, []
    while now < seconds:
        if not backoff.remaining(now):
            tries.append(now)
            backoff.failed(now, reason, cost_s)
        now += max(1, backoff.remaining(now))
    return tries


def test_outages_cost_a_bounded_number_of_attempts():
    """low_power.md section 6, 8: 10 min, 3 h, 5 days; network denied; no SIM."""
    for seed in range(1, 40):
        assert len(_attempts(600, seed=seed)) <= 15
        assert len(_attempts(3 * HOUR, seed=seed)) <= 24
        five_days = len(_attempts(5 * DAY, seed=seed))
        assert 18 <= five_days <= 50, five_days
        assert len(_attempts(5 * DAY, "denied", seed)) <= 30
        assert len(_attempts(5 * DAY, "no_sim", seed)) <= 6


def test_above_the_cap_there_is_one_try_in_each_cap_interval_which_grows_with_the_time_in_vain():
    for seed in range(1, 20):
        tries = _attempts(60 * DAY, seed=seed)
        for since, until, cap in ((8 * HOUR, DAY, 6), (2 * DAY, 3 * DAY, 18), (6 * DAY, 60 * DAY, 24)):
            gaps = [later - earlier for earlier, later in zip(tries, tries[1:]) if since <= earlier < until]
            assert max(gaps) <= 2 * cap * HOUR
        assert 50 <= len([at for at in tries if at > 6 * DAY]) <= 56, "one a day"


def test_delays_are_at_least_the_floor_and_at_most_the_window():
    for seed in range(1, 50):
        backoff = Backoff(uniform=Draw(seed))
        for level in range(9):
            delay = backoff.failed(0)
            assert 30 <= delay <= min(21600, max(30, 60 << level))


def test_nodes_that_lost_the_server_together_come_back_spread():
    second = []
    for seed in range(1, 1001):
        backoff = Backoff(uniform=Draw(seed * 7919))
        for _ in range(5):
            delay = backoff.failed(0)
        second.append(delay)
    buckets = [0] * 16
    for delay in second:
        buckets[min(15, delay // 60)] += 1
    assert max(buckets) <= 2 * 1000 / 16, buckets


def test_a_line_that_loses_answers_is_asked_within_the_hour_at_first_and_costs_no_more_than_silence_later():
    for seed in range(1, 20):
        tries = _attempts(10 * DAY, "line", seed)
        gaps = [(earlier, later - earlier) for earlier, later in zip(tries, tries[1:])]
        assert max([gap for at, gap in gaps if at < 2 * HOUR]) <= 64 * 60
        assert max([gap for at, gap in gaps if at < 12 * HOUR]) <= 6 * HOUR
        silence = _attempts(10 * DAY, seed=seed)
        for day in range(10):
            ours, others = [len([at for at in each if day <= at // DAY < day + 1]) for each in (tries, silence)]
            assert ours <= (26 if day == 0 else 2 * others + 2), (seed, day, ours, others)


def test_what_has_failed_for_a_day_is_tried_the_less_often_the_longer_it_takes():
    """Issue 15 G: a try of 8 s (silence) or of 200 (a line that loses half): a minute of tries a day, or one try."""
    for seed in range(1, 20):
        for reason in ("", "line"):
            for cost_s in (8, 30, 65, 200):
                tries = _attempts(30 * DAY, reason, seed, cost_s)
                late = [at for at in tries if at >= 2 * DAY]
                assert len(late) * cost_s <= 28 * max(60, cost_s + 1), (reason, cost_s, len(late))
                assert len(late) >= 18 and len([at for at in tries if at < DAY]) >= 9, "it is tried all the same"


def test_only_success_resets_and_the_level_survives_sleep():
    backoff = Backoff(uniform=Draw())
    for _ in range(5):
        backoff.failed(1000)
    again = Backoff(uniform=Draw())
    assert again.load(backoff.dump())
    assert again.level == 5
    assert again.remaining(1000) == backoff.remaining(1000)
    assert again.remaining(1000)
    long = Backoff(uniform=lambda limit: limit)
    for day in range(4):
        long.level = 20
        long.failed(day * DAY)
        assert Backoff().load(long.dump())
        again_long = Backoff(uniform=lambda limit: limit)
        again_long.load(long.dump())
        long = again_long
    assert 16 * HOUR < long.failed(3 * DAY) <= 36 * HOUR, "the time in vain is remembered"
    again.succeeded()
    assert not again.remaining(1000)
    assert again.failed(2000) <= 60


def test_a_clock_that_steps_cannot_prolong_the_delay():
    backoff = Backoff(uniform=Draw())
    for _ in range(6):
        backoff.failed(1_000_000)
    longest = backoff.remaining(1_000_000)
    assert backoff.remaining(1_000_000 - 30 * DAY) <= longest
    assert backoff.remaining(1_000_000 - 30 * DAY + longest) == 0
    shifted = Backoff(uniform=Draw())
    shifted.failed(100)
    left = shifted.remaining(110)
    shifted.rebase(1_789_000_000)
    assert shifted.remaining(1_789_000_110) == left


def test_garbage_is_refused_or_clamped():
    for data in (None, b"", b"\x03", b"\xff" * 18):
        assert not Backoff().load(data)
    wild = Backoff()
    assert wild.load(b"\x03\xff" + b"\x00" * 8 + b"\xff" * 8)
    assert wild.remaining(0) <= 2 * DAY
    assert wild.failed(0) <= 2 * 21600


def test_the_default_draw_is_random_and_in_range():
    delays = set()
    for _ in range(50):
        backoff = Backoff()
        backoff.level = 8
        delays.add(backoff.failed(0))
    assert len(delays) > 30
    assert 30 <= min(delays) <= max(delays) <= 60 << 8
