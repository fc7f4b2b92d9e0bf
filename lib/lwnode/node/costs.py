"""What wakes have cost since the account was settled (balance.py), and the few facts that care.py keeps: part of every node.

    costs.woke(now)                   a sleep is over
    costs.contacted(node, now)        a contact is
    costs.sleeps(node, now)           a wake is
    costs.dump(), costs.load(data)    67 bytes

Counted here and judged elsewhere, so that a wake in which nothing is to be judged loads nothing.
"""

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FORMAT = "<BBBBBHHHHHHqqqqIIII"
_NAMES = (
    "trouble",  # flags of health.py, as told last
    "held",  # wake pins found active, by the order of WAKE
    "streak", "trial", "urgent",  # times the module was found awake in a row; settings on trial; an alarm waits
    "sleepless", "crashes",  # times in all; resets by watchdog, panic or crash, as counted last
    # since the account was settled: contacts, their messages, and how often the network held the radio afterwards
    "arrived", "failed", "messages", "tails",
    "beat_at", "closed_at", "slept_at", "shown_at",  # seconds, 0 never: heartbeat, contact, sleep, health brought up to date
    "slept_s", "awake_ms", "connect_ms", "octets",  # since the account was settled
)
_FIRST_SHORT, _LAST_SHORT, _FIRST_TIME, _LAST_TIME = 5, 10, 11, 14
_LONGEST_SLEEP_S = 864000
_MOST = 0x3FFFFFFF


class Costs:
    """One attribute for each of the names above, whole numbers from 0."""

    if TYPE_CHECKING:
        trouble: int; held: int; streak: int; trial: int; urgent: int; sleepless: int; crashes: int  # noqa: E702
        arrived: int; failed: int; messages: int; tails: int  # noqa: E702
        beat_at: int; closed_at: int; slept_at: int; shown_at: int  # noqa: E702
        slept_s: int; awake_ms: int; connect_ms: int; octets: int  # noqa: E702

    def __init__(self) -> None:
        for name in _NAMES:
            setattr(self, name, 0)

    def woke(self, now: int) -> None:
        """Count the sleep that is over; one across a step of the clock is not believed."""
        slept = now - self.slept_at
        if self.slept_at and 0 < slept < _LONGEST_SLEEP_S:
            self.slept_s += slept
        # Health is first brought up to date with the second contact.
        self.shown_at = self.shown_at or now - 3599 or 1

    def sleeps(self, node: "Any", now: int) -> None:
        """Count the wake that ends."""
        clock = node.board.clock
        ticks = clock.ticks_ms()
        self.awake_ms += max(0, clock.ticks_diff(ticks, node.woke_at))
        node.woke_at = ticks
        if node.moved:
            for name in _NAMES[_FIRST_TIME : _LAST_TIME + 1]:
                if getattr(self, name):
                    setattr(self, name, max(1, getattr(self, name) + node.moved))
        if node.reached is not None:
            self._contacted(node, max(1, now))
        self.slept_at = max(1, now)
        self.urgent = int(node.urgent)

    def _contacted(self, node: "Any", now: int) -> None:
        self.arrived += node.reached
        self.failed += not node.reached
        messages = 2 * (node.delivery.messages + node.spent)
        self.messages += messages
        self.tails += messages > 0
        # A registration, update or recovery carries some 120 bytes.
        self.octets += node.delivery.bytes + 120 * node.spent
        self.connect_ms += node.contact_ms
        self.closed_at = 0 if node.module_off else now
        if node.module_off:
            self.streak = 0
            node.module_off = False
        if node.reached and node.beat:
            self.beat_at = now

    def dump(self) -> bytes:
        """Return it; what was counted beyond 16 bits begins again."""
        values = [getattr(self, name) for name in _NAMES]
        for i in range(_FIRST_SHORT, _LAST_SHORT + 1):
            values[i] &= 0xFFFF
        for i in range(_LAST_TIME + 1, len(values)):
            values[i] = min(values[i], _MOST)
        return struct.pack(_FORMAT, *values)

    def load(self, data: bytes) -> bool:
        """Take up what dump() gave. False: it is none."""
        if len(data) != struct.calcsize(_FORMAT):
            return False
        values = struct.unpack(_FORMAT, data)
        if max(values[_LAST_TIME + 1 :]) > _MOST:
            return False
        for i in range(len(_NAMES)):
            setattr(self, _NAMES[i], values[i])
        return True
