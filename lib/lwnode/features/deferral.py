"""A report waits for a better signal: at most `defer_longest` seconds after the first that waited, and never an alarm.

    {"defer_longest": 3600, "defer_below": -115}                   config.json

    deferral = Deferral(3600, -115)
    deferral.allow(now, rsrp=-121)     -> False: expensive; True at the latest an hour after the first refusal

A module far from its cell repeats each block up to 128 times (NB-IoT coverage level 2). Asked of a session that stands, before
its radio is used; what the module does not know is not expensive. Zephyr's connection pre-evaluation is the model.
"""

from struct import calcsize, pack, unpack

from micropython import const

from lwnode.features import Feature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.node import Node

_FORMAT = const("<BI")


class Deferral:
    """Puts reports off while RSRP is below `rsrp_min` (dBm), at most `max_delay_s` after the first was put off."""

    def __init__(self, max_delay_s: int, rsrp_min: int) -> None:
        self._max_delay = max_delay_s
        self._rsrp_min = rsrp_min
        self.since: "int | None" = None  # seconds: the first that waits

    def allow(self, now: int, rsrp: "int | None", next_s: int = 1) -> bool:
        """Return whether to report now. A clock that stepped back allows; so does a next chance that would come too late.

        next_s: seconds until it can be asked again, so that no report waits longer than `max_delay_s`.
        """
        waited = now - self.since if self.since is not None else 0
        if rsrp is None or rsrp >= self._rsrp_min or waited < 0 or waited + next_s > self._max_delay:
            self.since = None
            return True
        if self.since is None:
            self.since = now
        return False


class Deferred(Feature):
    """Asks for the signal before each report that is not urgent."""

    KEYS = "defer_longest i 0 0 86400;defer_below i -118 -140 0"
    name = "deferral"
    SIZE = calcsize(_FORMAT)

    @staticmethod
    def enabled(settings: "Any") -> bool:
        """Say whether a report may wait at all."""
        return int(settings.defer_longest) > 0

    def attach(self, node: "Node") -> None:
        """Take the bounds of the configuration."""
        self.deferral = Deferral(node.config.defer_longest, node.config.defer_below)

    def defer(self, node: "Node", now: int) -> bool:
        """Say whether this contact is put off; asks the module for its signal."""
        return not self.deferral.allow(now, node.modem.signal().get("rsrp"), node.reporting.interval_s)

    def after_contact(self, node: "Node", reached: bool) -> None:
        """An alarm that got through ends the wait."""
        if reached:
            self.deferral.since = None

    def rebase(self, node: "Node", moved: int) -> None:
        """Follow a step of the clock."""
        if self.deferral.since is not None:
            self.deferral.since = max(0, self.deferral.since + moved)

    def dump(self) -> bytes:
        """Return since when reports wait."""
        return pack(_FORMAT, self.deferral.since is not None, self.deferral.since or 0)

    def load(self, data: bytes) -> bool:
        """Take it up."""
        if len(data) != self.SIZE:
            return False
        waits, since = unpack(_FORMAT, data)
        self.deferral.since = since if waits else None
        return True


FEATURE = Deferred
