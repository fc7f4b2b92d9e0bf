"""Reports at times of the day instead of at every period: when somebody reads them, or when the tariff is low.

    {"report_at": ["06:00", "18:00"], "sample_every": 900}          config.json; UTC, 1 to 24 times

    slots = Calendar(clock, [21600, 64800], 900, offset_s)
    slots.seconds_to_next(now)         -> 43187

A slot is a time of the day and this device's own delay after it (`spread`), so a fleet does not call at once. Before somebody
has said what time it is, the periods of `report_every` hold. Alarms do not wait. A weak battery that stretches the period
leaves out as many times, and keeps one a day. Bounds: no state beyond the schedule's own.
"""

from lwnode.config import ConfigError
from lwnode.features import Feature
from lwnode.power import Schedule
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.node import Node
    from lwnode.power import Clock

_DAY_S = const(86400)
_EARLY_S = const(5)


def seconds(texts: "list[str]") -> "list[int]":
    """Seconds of the day of times like "06:00", in order; ConfigError where one is none."""
    found = set()
    for text in texts:
        hours, colon, minutes = text.partition(":")
        good = colon and hours.isdigit() and minutes.isdigit() and len(minutes) == 2
        if not good or int(hours) > 23 or int(minutes) > 59:
            raise ConfigError('config.json: "report_at" must be times of the day in UTC like "06:00", found "%s"' % text)
        found.add(int(hours) * 3600 + int(minutes) * 60)
    return sorted(found)


class Calendar(Schedule):
    """Slots at `times` (seconds of the day, in order) where the clock knows the day, else those of the period."""

    def __init__(self, clock: "Clock", times: "list[int]", period_s: int, offset_s: int) -> None:
        self._clock, self._times = clock, times
        super().__init__(period_s, offset_s)

    @property
    def period_s(self) -> int:
        """The longest time from one slot to the next, in seconds."""
        times = self._due_times()
        return max([(after - before) % _DAY_S or _DAY_S for before, after in zip(times, times[1:] + times)] or [self._period])

    @period_s.setter
    def period_s(self, value: int) -> None:
        self._period = value

    @property
    def interval_s(self) -> int:
        """The period in force: what is stretched is the number of times."""
        return self.period_s if self._due_times() else self._period * self.stretch

    def _due_times(self) -> "list[int]":
        known = self._clock.unix() is not None
        return self._times[:: min(self.stretch, len(self._times))] if known else []

    def _start(self, now: int) -> int:
        times = self._due_times()
        if not times:
            return super()._start(now)
        day, second = divmod(now - self.offset_s, _DAY_S)
        today = [time for time in times if time <= second]
        return day * _DAY_S + (today[-1] if today else times[-1] - _DAY_S) + self.offset_s

    def _correct(self, now: int) -> None:
        if not self._due_times():
            super()._correct(now)
        elif self.served is not None and self.served > now + self._period // 2 + 1:
            self.served = self._start(now)

    def rebase(self, moved: int) -> None:
        """Follow a step of the clock: what was served before it counts as the time of the day before that moment."""
        if self.served is not None and moved:
            if self._due_times():
                self.served = self._start(self.served + self._late + moved)
            else:
                super().rebase(moved)

    def seconds_to_next(self, now: int) -> int:
        """Return the seconds until a slot is due that was not served (0: now)."""
        times = self._due_times()
        if not times or self.served is None:
            return super().seconds_to_next(now)
        self._correct(now)
        day, second = divmod(self.served - self.offset_s, _DAY_S)
        later = [time for time in times if time > second]
        wait = max(0, day * _DAY_S + (later[0] if later else times[0] + _DAY_S) + self.offset_s - now)
        self._early = min(max(_EARLY_S, wait // 50), self._period // 2)
        return wait


class Report(Feature):
    """Puts the calendar into the place of the periods."""

    KEYS = "report_at t - 1 24"
    name = "calendar"

    @staticmethod
    def enabled(settings: "Any") -> bool:
        """Say whether there are times; ConfigError where one is none."""
        return bool(seconds(settings.report_at or []))

    def attach(self, node: "Node") -> None:
        """Take the schedule's place before its state is taken up."""
        old = node.reporting
        node.reporting = node.parts["reporting"] = Calendar(
            node.clock, seconds(node.config.report_at), old.period_s, old.offset_s)


FEATURE = Report
