"""What goes wrong, and when: a plan for so many days, the same for the same seed.

    plan = Plan("default", days=365, seed=1)
    plan.events                         [(hour, "outage", minutes), (hour, "restart", 0), ...] in order

Rates of "default", per year: each AT exchange disturbed with 2 % (ERROR, silence, garbage, late); the module restarts weekly;
outages of 10 minutes weekly, of 3 hours monthly, of 5 days once; brown-out monthly; the power cut in the middle of 50
random flash writes; twice a fault in the application that crashes every start for six hours. "dense" has two of each at
least, but for the outage of 5 days: for short runs. And one thing at a time, as often as short runs need it:

    "flash"     2 % of all operations on flash fail, half of them after they were done; for six hours no segment of the journal
                can be read, for six others none be removed, and the folder cannot be listed when the node boots
    "full"      the flash takes nothing for twelve hours, in which there is no network either
    "clocks"    the network tells a wrong time now and then, by years or by an hour
    "restarts"  an exception in the middle of a contact, which main.py catches; ordered restarts are planned_restart's
    "drought"   one outage of a day and a half, from the second hour on
    LINES       what the line to the module does, from the sixth hour to the end: see testing/simulate/lines.py
"""

from __future__ import annotations

from random import Random

from .lines import FROM_H as LINE_FROM_H
from .lines import LINES

NAMES = ("none", "default", "dense", "outages", "power", "flash", "full", "clocks", "restarts", "drought", *LINES)
_YEAR_H = 365 * 24
_LONGEST_DENSE = 6 * 60
# kind: (times a year, length in minutes)
_RATES = {
    "restart": [(52, 0)],
    "outage": [(52, 10), (12, 180), (1, 7200)],
    "brown_out": [(12, 0)],
    "power_cut": [(50, 0)],
    "bug": [(2, 360)],
    "slip": [(300, 0)],
    "wrong_time": [(300, 0)],
}
_KINDS = {
    "none": (),
    "default": ("restart", "outage", "brown_out", "power_cut", "bug"),
    "dense": ("restart", "outage", "brown_out", "power_cut", "bug"),
    "outages": ("outage",),
    "power": ("brown_out", "power_cut"),
    "clocks": ("wrong_time",),
    "restarts": ("slip",),
}
# (hour, kind, minutes), whatever the dice say.
_FIXED = {
    "flash": [(0.5, "flash_errors", 60 * 24 * 365), (5, "unreadable", 360), (5, "outage", 300), (17, "unremovable", 360),
              (27, "outage", 240), (29, "unlistable", 90), (29.5, "brown_out", 0)],
    "full": [(3, "outage", 720), (3, "flash_full", 720)],
    "drought": [(2, "outage", 36 * 60)],
}
FLASH_PERMILLE = 20
EXCHANGE_PERMILLE = {"default": 20, "dense": 20}
EXCHANGE_KINDS = ("error", "silence", "garbage", "late")


class Plan:
    """Events at random hours. A rate below one event in the whole time still happens where the dice say so."""

    def __init__(self, name: str, days: float, seed: int) -> None:
        if name not in NAMES:
            raise ValueError(f"FAULTS={name}: expected one of {', '.join(NAMES)}")
        self.name = name
        self.permille = EXCHANGE_PERMILLE.get(name, 0)
        random = Random(seed)
        hours = days * 24
        self.events: list[tuple[float, str, int]] = list(_FIXED.get(name, []))
        if name in LINES:
            self.events.append((LINE_FROM_H, "line", 0))
        for kind in _KINDS.get(name, ()):
            for per_year, minutes in _RATES[kind]:
                expected = per_year * hours / _YEAR_H
                count = int(expected) + (random.random() < expected - int(expected))
                if name == "dense" and minutes <= _LONGEST_DENSE:
                    count = max(count, 2)
                for _ in range(count):
                    # Not in the very first hour: a node must have come to life to lose something.
                    self.events.append((random.uniform(1, max(1.5, hours - minutes / 60)), kind, minutes))
        self.events.sort()

    def count(self, kind: str) -> int:
        """How many events of a kind are planned."""
        return sum(1 for event in self.events if event[1] == kind)
