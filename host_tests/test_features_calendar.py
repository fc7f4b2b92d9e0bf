"""report_at: slots at times of the day, in a schedule and in whole nodes on both ports."""

from fakes.calm import contacts, late
from fakes.world import World
from lwnode.config import ConfigError, checked
from lwnode.features.calendar import Calendar, seconds

PORTS = ("esp32", "rp2")
DAY, HOUR = 86400, 3600
MIDNIGHT = 1790035200  # 2026-09-22
BASE = {"family": "bc66", "host": "server.test", "endpoint": "urn:dev:x", "apn": "iot"}


class Clock:
    """What Calendar asks."""

    known = True

    def unix(self):
        return 1 if self.known else None


def test_a_slot_is_a_time_of_the_day_and_the_devices_own_delay():
    for times, offset, stretch, now, slot, wait in (
        # seconds of the day: now, the slot it lies in, the wait for the next
        ((6, 18), 0, 1, 7 * HOUR, 6 * HOUR, 11 * HOUR), ((6, 18), 0, 1, 5 * HOUR, 18 * HOUR - DAY, HOUR),
        ((6, 18), 0, 1, 19 * HOUR, 18 * HOUR, 11 * HOUR), ((6, 18), 300, 1, 6 * HOUR, 18 * HOUR - DAY + 300, 300),
        ((0,), 0, 1, 1, 0, DAY - 1), ((6, 18), 0, 4, 19 * HOUR, 6 * HOUR, 11 * HOUR),
        ((6, 12, 18), 0, 2, 13 * HOUR, 6 * HOUR, 5 * HOUR),
    ):
        calendar = Calendar(Clock(), [time * HOUR for time in times], 900, offset)
        calendar.stretch = stretch
        case = (times, offset, stretch, now)
        assert calendar.due(MIDNIGHT + now) == MIDNIGHT + slot, case
        calendar.serve(MIDNIGHT + slot)
        assert calendar.seconds_to_next(MIDNIGHT + now) == wait, (case, calendar.seconds_to_next(MIDNIGHT + now))
        assert calendar.due(MIDNIGHT + now) is None and calendar.due(MIDNIGHT + now + wait) is not None, case
        assert calendar.seconds_to_next(MIDNIGHT + now + wait + 7) == 0, (case, "served late, not left out")
    calendar = Calendar(Clock(), [6 * HOUR, 8 * HOUR], 900, 0)
    assert calendar.period_s == 22 * HOUR == calendar.interval_s
    calendar._clock.known = False
    assert (calendar.period_s, calendar.interval_s, calendar.due(7 * HOUR + 30)) == (900, 900, 7 * HOUR)
    # a first contact whose time nobody knew, at what turns out to be one in the afternoon: the evening's slot is not served
    calendar = Calendar(Clock(), [6 * HOUR, 18 * HOUR], 900, 0)
    calendar._clock.known = False
    calendar.serve(calendar.due(5000))
    calendar._clock.known = True
    calendar.rebase(MIDNIGHT + 13 * HOUR - 5000)
    assert calendar.seconds_to_next(MIDNIGHT + 13 * HOUR) == 5 * HOUR
    # set back by a day: what was served does not block the next ones
    calendar.serve(MIDNIGHT + 18 * HOUR)
    assert calendar.seconds_to_next(MIDNIGHT - DAY + 19 * HOUR) == 11 * HOUR


def test_times_that_are_none_stop_the_start_with_the_key_and_what_was_expected():
    assert seconds(["18:00", "06:30", "6:30"]) == [23400, 64800]
    for wrong in (["6 am"], ["24:00"], ["06:60"], ["06:5"], ["-1:00"], [""], [], "06:00", [6]):
        try:
            checked(dict(BASE, report_at=wrong))
            assert False, wrong
        except ConfigError as error:
            assert '"report_at"' in str(error), error
    assert [feature.name for feature in checked(dict(BASE, report_at=["06:00"])).features if feature.name == "calendar"]


def hours(world, since_h):
    """The hours of the day, in UTC, at which the server was heard of."""
    return [(world.clock.unix() - (world.clock.now - event[0]) // 1000) % DAY / HOUR for event in world.server.events
             if event[2] in ("registered", "reregistered", "updated") and event[0] >= since_h * HOUR * 1000]


def test_a_node_reports_at_its_times_whatever_its_sleep_clock_makes_of_them():
    for port in PORTS:
        for drift in (0, 20000, -20000) if port == "esp32" else (0,):
            world = World(port, {"report_at": ["06:00", "18:00"], "sample_every": 3600, "report_every": 3600})
            world.chip.drift_ppm = drift
            world.run(hours=101)
            at = hours(world, 30)
            assert 5 <= len(at) <= 7, (port, drift, at)
            for hour in at:
                assert min(abs(hour - 6), abs(hour - 18)) < (0.05 if not drift else 0.3), (port, drift, at)
            assert not contacts(world, 0.1, 5) and not late(world, 13 * HOUR), (port, drift)


def test_a_fleet_is_spread_over_its_time():
    delays = set()
    for number in range(6):
        world = World("esp32", {"report_at": ["06:00"], "sample_every": 3600, "report_every": 3600, "spread": 600})
        world.chip.unique_id = b"\x24\x6f\x28\x01\x02" + bytes([number * 37])
        world.run(hours=60)
        delays.add(round(hours(world, 30)[0] * HOUR - 6 * HOUR))
    assert len(delays) == 6 and min(delays) >= 0 and max(delays) < 640, delays
