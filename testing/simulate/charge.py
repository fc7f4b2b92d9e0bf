"""Where the charge goes: times of board and module from a simulated life, currents from lwnode.features.usage.

    charge = Charge(simulation)         # before it lives: counts what module and radio do
    simulation.clock.after(86_400_000, charge.begin)    # or from then on: the first start is paid once in a cell's life
    simulation.live(30)
    charge.rows()                       -> [("board asleep", hours, milliampere, milliampere-hours), ...]
    charge.days(3000)                   -> 211  days that a cell of 3000 mAh lasts

Every millisecond of the module is in one phase, up to this moment, so that a module that never sleeps shows: asleep (PSM, deep
sleep or off), light sleep (slow clock: QSCLK=1 or CFUN=5), awake with the radio idle, starting or searching, connected, and
the tail: from the last byte of a connection, with no exchange of ours open, until the network lets go or, with release
assistance, the module does. Silence between two bytes counts as connected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lwnode.features.usage import BOARDS, MODULES

if TYPE_CHECKING:
    from .simulation import Simulation

Row = tuple[str, float, float, float]
_HOUR_MS = 3_600_000
USABLE_PERCENT = 80
SELF_DISCHARGE_PERCENT = 2
_SEARCHING = 2
PARTS = ("board asleep", "board awake", "module asleep", "module in light sleep", "module awake, radio idle",
         "module starts or searches", "radio connected, sending and receiving",
         "radio connected, the network's tail", "board dozing")  # fmt: skip
# Microamperes of a board in light sleep, RAM kept: 0.8 mA by the data sheet, 1.1 mA seen (low-power notes, 4); an RP2 does not.
DOZING = 1100
# Microamperes of the module in light sleep, DRX (low-power notes, 4): BC66 and BC20 at 2.56 s, BG96 at 1.28 s, recalled.
LIGHT = {"bc66": 430, "bc20": 430, "bg96": 1700, "me910c1": 1000}


def currents(chip: str, family: str) -> tuple[int, ...]:
    """Microamperes in each of PARTS."""
    psm, boot, connect, tail, idle = MODULES[family]
    return (*BOARDS[chip], psm, LIGHT[family], idle, boot, connect, tail, DOZING)


class Charge:
    """Times of one simulation: milliseconds in each phase of the module, up to `clock.now`."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self._model = model = simulation.model
        self.begin()
        self._booting = model.state_name == "booting"
        self._host_asleep = False
        self._phase = "asleep"
        self._follow_bytes(model)
        for name in ("on_rrc", "on_status", "on_stat", "booted"):
            self._follow(model, name)
        self._follow(simulation.chip, "on_sleep")
        self._follow(simulation.uart, "write")
        self._look()

    def begin(self) -> None:
        """Count from now on."""
        self._began = self._since = self.simulation.clock.now
        self._awake_before = self.simulation.chip.awake_ms
        self._dozed_before = getattr(self.simulation.chip, "lightly_ms", 0)
        self._ms = {"asleep": 0, "light": 0, "idle": 0, "search": 0, "radio": 0}
        self.tail_ms = self.connections = 0
        self._quiet_since = self._began  # the last byte of a connection, so far

    def _follow(self, owner: object, name: str) -> None:
        """Look at the module whenever something of it changes, or may."""
        before = getattr(owner, name)

        def changed(*values: object) -> object:
            if name == "on_status" or name == "booted":
                self._booting = name == "on_status" and bool(values[0])
            elif name == "on_sleep" or name == "write":
                if self._host_asleep == (name == "on_sleep"):
                    return before(*values)  # nothing new: writes are frequent
                self._host_asleep = name == "on_sleep"
            found = before(*values) if before is not None else None
            self._look()
            return found

        setattr(owner, name, changed)

    def _follow_bytes(self, model: Any) -> None:
        """Note when a packet comes or goes (an exchange says so at its begin and end), and when the module goes down."""
        before, went_down = model.activity, model.went_down

        def activity(release: bool = False) -> None:
            self._quiet_since = self.simulation.clock.now
            before(release)

        def down(state: str) -> None:
            self._close("asleep")
            went_down(state)
            self._look()

        model.activity, model.went_down = activity, down

    def _look(self) -> None:
        """Close the phase that was, begin the one that is."""
        self._close(self._now())

    def _close(self, phase: str) -> None:
        now = self.simulation.clock.now
        self._ms[self._phase] += now - self._since
        if self._phase == "radio" and phase != "radio":
            self.tail_ms += self._tail()
        if phase == "radio" and self._phase != "radio":
            self.connections += 1
        self._since, self._phase = now, phase

    def _tail(self) -> int:
        """Milliseconds since the last byte of the connection; none while an exchange is open, of which more is to come."""
        return 0 if self._model.in_flight else self.simulation.clock.now - self._quiet_since

    def _now(self) -> str:
        model = self._model
        if not model.status_pin:
            return "asleep"
        if self._booting:
            return "search"
        if model.rrc:
            return "radio"
        if model.stat == _SEARCHING:
            return "search"
        return "light" if self._host_asleep and self._slow_clock() else "idle"

    def _slow_clock(self) -> bool:
        """The module may slow its clock while its UART rests: QSCLK above 0 (MT2625: its factory setting), CFUN=5."""
        model = self._model
        default = 1 if model.family in ("bc66", "bc20") else 0
        return bool(getattr(model, "dozing", False)) or model.kept.get("qsclk", default) > 0

    def milliseconds(self) -> tuple[int, ...]:
        """Time in each of PARTS."""
        self._look()
        total = self._since - self._began
        awake = min(total, self.simulation.chip.awake_ms - self._awake_before)
        dozed = min(awake, getattr(self.simulation.chip, "lightly_ms", 0) - self._dozed_before)
        ms, tail = self._ms, self.tail_ms
        if self._phase == "radio":
            tail += self._tail()
        return (total - awake, awake - dozed, ms["asleep"], ms["light"], ms["idle"], ms["search"], ms["radio"] - tail, tail,
                dozed)  # fmt: skip

    def rows(self) -> list[Row]:
        """(what, hours, mA, mAh) of each part."""
        amperes = currents(self.simulation.definition.CHIP, self.simulation.family)
        return [(what, ms / _HOUR_MS, ua / 1000, ms / _HOUR_MS * ua / 1000)
                for what, ms, ua in zip(PARTS, self.milliseconds(), amperes)]  # fmt: skip

    def mah_per_day(self) -> float:
        """All of it, per day."""
        return sum(row[3] for row in self.rows()) / self.lived_days()

    def lived_days(self) -> float:
        """Days so far."""
        return (self.simulation.clock.now - self._began) / _HOUR_MS / 24

    def slept(self) -> bool:
        """Whether the module was asleep, deeply or lightly, for most of the time."""
        milliseconds = self.milliseconds()
        return milliseconds[2] + milliseconds[3] > sum(milliseconds[2:]) / 2

    def days(self, capacity_mah: float) -> float:
        """How long a cell lasts: 80 % of it usable, 2 % of it lost by itself each year."""
        return lifetime(capacity_mah, self.mah_per_day())


def lifetime(capacity_mah: float, mah_per_day: float) -> float:
    """Days that a cell lasts at that rate."""
    leak = capacity_mah * SELF_DISCHARGE_PERCENT / 100 / 365
    return capacity_mah * USABLE_PERCENT / 100 / (mah_per_day + leak)
