"""Where the charge goes: times of board and module from a simulated life, currents from lwnode.power.typical.

    charge = Charge(simulation)         # before it lives: counts what the module's radio does
    simulation.live(30)
    charge.rows()                       -> [("board asleep", hours, milliampere, milliampere-hours), ...]
    charge.days(3000)                   -> 211  days that a cell of 3000 mAh lasts
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lwnode.power.typical import BOARDS, MODULES

if TYPE_CHECKING:
    from .simulation import Simulation

Row = tuple[str, float, float, float]
_HOUR_MS = 3_600_000
USABLE_PERCENT = 80
SELF_DISCHARGE_PERCENT = 2


class Charge:
    """Times of one simulation. The tail is what the network keeps the radio connected after the last byte."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._on_since: int | None = None
        self._rrc_since: int | None = None
        self.on_ms = self.rrc_ms = self.tail_ms = self.connections = 0
        model = simulation.model
        on_rrc, on_status = model.on_rrc, model.on_status

        def rrc(connected: bool) -> None:
            self._rrc(connected)
            on_rrc(connected)

        def status(active: bool) -> None:
            self._status(active)
            if on_status is not None:
                on_status(active)

        model.on_rrc, model.on_status = rrc, status
        if model.status_pin:
            self._on_since = simulation.clock.now

    def _rrc(self, connected: bool) -> None:
        now = self._simulation.clock.now
        if connected and self._rrc_since is None:
            self._rrc_since = now
            self.connections += 1
        elif not connected and self._rrc_since is not None:
            lasted = now - self._rrc_since
            self.rrc_ms += lasted
            self.tail_ms += min(lasted, int(self._simulation.model.options.get("rrc_ms", 10000)))
            self._rrc_since = None

    def _status(self, active: bool) -> None:
        now = self._simulation.clock.now
        if active and self._on_since is None:
            self._on_since = now
        elif not active and self._on_since is not None:
            self.on_ms += now - self._on_since
            self._on_since = None
            self._rrc(False)

    def rows(self) -> list[Row]:
        """(what, hours, mA, mAh) of each part."""
        simulation = self._simulation
        sleep, active = BOARDS[simulation.definition.CHIP]
        psm, _, connect, tail, idle = MODULES[simulation.family]
        total = simulation.clock.now
        awake = min(total, simulation.chip.awake_ms)
        times = [
            ("board asleep", total - awake, sleep),
            ("board awake", awake, active),
            ("module asleep", total - self.on_ms, psm),
            ("module awake, radio idle", max(0, self.on_ms - self.rrc_ms), idle),
            ("radio connected, sending and receiving", self.rrc_ms - self.tail_ms, connect),
            ("radio connected, the network's tail", self.tail_ms, tail),
        ]
        return [(what, ms / _HOUR_MS, ua / 1000, ms / _HOUR_MS * ua / 1000) for what, ms, ua in times]

    def mah_per_day(self) -> float:
        """All of it, per day."""
        return sum(row[3] for row in self.rows()) / (self._simulation.clock.now / _HOUR_MS / 24)

    def days(self, capacity_mah: float) -> float:
        """How long a cell lasts: 80 % of it usable, 2 % of it lost by itself each year."""
        leak = capacity_mah * SELF_DISCHARGE_PERCENT / 100 / 365
        return capacity_mah * USABLE_PERCENT / 100 / (self.mah_per_day() + leak)
