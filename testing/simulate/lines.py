"""A line to the module that works no more, in each way seen, and how long a node stays awake for it.

    line = Line(simulation)
    line.spoil("echo")                 # from now on; mend() ends it
    line.awake_s_a_day                 -> 1210.0: seconds awake a day, from a day after the first word on

    table("esp32", "bc66")             -> [("silence", 640.2, 1280.4, simulation), ("echo", ...), ...]: kind, awake, limit

Limit (issue 15 G): without success for a day no fault costs more than twice what silence costs, or, where silence costs next
to nothing, than silence and one contact of full length (`awake_budget`) a day: a network in deep coverage takes that long,
and who no longer waits for it never comes back. Where contacts succeed nobody has waited a day: readings arrive, and the
price is held to eight good days' (a module that restarts every 5 to 30 lines breaks half of an ME910C1's contacts of 14; each
costs its boot too).
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .simulation import Simulation

FROM_H = 6
_DAY_MS = 86_400_000
# How long a life with such a line is: six good hours, a day in which the node learns, one that is measured.
LIFE_DAYS = FROM_H / 24 + 2
TIMES_SILENCE = 2
TIMES_GOOD = 8  # six until 2026-11, when a good day of an ME910C1 became a quarter shorter and this bad one an eighth longer
LINES = {
    "silence": "nothing comes back",
    "echo": "each byte comes back and nothing else",
    "ok-to-all": "each line is answered OK, and nothing is done",
    "swallows": "as that, but a BG96's select has its line: it seems to live",
    "error-to-all": "each line is answered ERROR, and nothing is done",
    "never-confirms": "all is done, and no report is ever confirmed",
    "restarts-midway": "the module restarts every five to thirty lines",
    "half-deaf": "every second line is lost, at random",
}
# What confirms a report, by family; a BG96 has nothing of the kind.
_CONFIRMS = {"bc66": ("report_ack",), "bc20": ("SEND OK", "SEND FAIL"), "me910c1": ("NFYACK",), "bg96": ()}
_ANSWER_MS = 20
_RESTART_AFTER = (5, 30)


class Line:
    """The wire between board and module of one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._model: Any = simulation.model
        self._mended: list[Callable[[], None]] = []
        self._rest = b""
        self._swallows = False
        self.spoilt_from: int | None = None
        self.spoilt_until: int | None = None
        self._marks: list[tuple[int, int, int]] = []  # virtual time, milliseconds awake until then, contacts that succeeded

    @property
    def awake_s_a_day(self) -> float | None:
        """Seconds awake a day, in the time that is measured; None where there is none."""
        if len(self._marks) < 2:
            return None
        (begin, awake, _), (end, later, _) = self._marks
        return (later - awake) * _DAY_MS / (end - begin) / 1000

    def spoilt(self, begin: int, end: int) -> bool:
        """Whether the line was spoilt at some time between."""
        start, stop = self.spoilt_from, self.spoilt_until
        return start is not None and start <= end and (stop is None or stop >= begin)

    @property
    def good_s_a_day(self) -> float:
        """Seconds awake a day while all was well, by the four hours before it was not."""
        hours = self._simulation.ledger.hour_awake
        return sum(hours.get(hour, 0) for hour in range(FROM_H - 4, FROM_H)) * 6 / 1000

    @property
    def succeeded(self) -> int:
        """Contacts that the node took for a success meanwhile: the limit is for lines without any."""
        return self._marks[1][2] - self._marks[0][2] if len(self._marks) > 1 else 0

    def _mark(self) -> None:
        simulation, chip = self._simulation, self._simulation.chip
        now = simulation.clock.now
        self._marks.append((now, chip.awake_ms + (0 if chip.sleeping else now - chip.awake_since), simulation.ledger.reached))

    def spoil(self, kind: str) -> None:
        """Let the line be like that until mend()."""
        model, uart = self._model, self._simulation.uart
        self._simulation.clock.after(_DAY_MS, self._mark)
        self.spoilt_from = self._simulation.clock.now
        self._swallows = kind == "swallows"
        if kind in ("silence", "echo", "ok-to-all", "swallows"):
            answers = {"silence": lambda data: None, "echo": uart.feed_now}.get(kind, self._ok)
            self._swap(uart, "peer", _Peer(answers))
            self._swap(model, "out", lambda data: None)
        elif kind == "error-to-all":
            # No module answers in no time: a client that never waits would never feed the watchdog.
            before = model.faults.delay
            self._swap(model.faults, "delay", lambda line: max(_ANSWER_MS, before(line)))
            model.faults.random(1, 1000, ("error",))
        elif kind == "half-deaf":
            model.faults.random(1, 500, ("silence",))
        elif kind == "restarts-midway":
            delay, random = model.faults.delay, Random(self._simulation.seed)

            def restarting(line: str) -> int:
                if not any(fault[0] == "reboot" for fault in model.faults._armed):
                    model.faults.arm("reboot", random.randint(*_RESTART_AFTER))
                return int(delay(line))

            self._swap(model.faults, "delay", restarting)
        else:
            urc, info, words = model.urc, model.info, _CONFIRMS[self._simulation.family]
            self._swap(model, "urc", lambda text, *more: None if any(word in text for word in words) else urc(text, *more))
            # A BC20 can be asked: it waits for ever (3.9).
            self._swap(model, "info", lambda text, *more: info("+QLWDATASTATUS: 1" if "DATASTATUS" in text else text, *more))

    def _ok(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\r")
        for line in lines:
            if line.strip():
                row = b'\r\n+QLWM2M: "select",0\r\n' if self._swallows and b"select" in line else b""
                self._simulation.uart.feed(row + b"\r\nOK\r\n", _ANSWER_MS)

    def _swap(self, owner: Any, name: str, value: Any) -> None:
        before = getattr(owner, name)
        self._mended.append(lambda: setattr(owner, name, before))
        setattr(owner, name, value)

    def mend(self) -> None:
        """All is well again."""
        if self._marks:
            self._mark()
        self.spoilt_until = self._simulation.clock.now
        for mend in self._mended:
            mend()
        self._mended.clear()


class _Peer:
    """What sits at the other end of a line instead of the module."""

    def __init__(self, receive: Callable[[bytes], None]) -> None:
        self.receive = receive


def lived(port: str, family: str, kind: str, seed: int = 1) -> Simulation:
    """A life with such a line, and two good days after it."""
    from .simulation import Simulation

    with contextlib.redirect_stdout(io.StringIO()):
        simulation = Simulation(port, family, seed, kind, listen=5)
        simulation.live(LIFE_DAYS)
    return simulation


def table(port: str, family: str, kinds: tuple[str, ...] = tuple(LINES)) -> list[tuple[str, float, float, Simulation]]:
    """(kind, seconds awake a day, limit, the life) of each, silence first."""
    rows: list[tuple[str, float, float, Simulation]] = []
    for kind in dict.fromkeys(("silence", *kinds)):
        if kind == "swallows" and family != "bg96":
            continue
        simulation = lived(port, family, kind)
        line, awake = simulation.line, simulation.line.awake_s_a_day or 0.0
        silence = rows[0][1] if rows else awake
        limit = max(TIMES_SILENCE * silence, silence + int(simulation.settings.awake_budget))
        rows.append((kind, awake, TIMES_GOOD * line.good_s_a_day if line.succeeded else limit, simulation))
    return rows


def show(port: str, family: str) -> bool:
    """Print the table; whether all keep within their limits."""
    from rich.console import Console
    from rich.table import Table

    title = f"a line that works no more: an {port} node with a {family}, a report every 15 minutes"
    shown = Table(title=title, title_justify="left")
    for column in ("line", "what it does", "awake", "limit", "after it"):
        shown.add_column(column, no_wrap=column == "line")
    fine = True
    for kind, awake, limit, simulation in table(port, family):
        beyond = limit < awake
        fine = fine and not beyond
        words = f"{limit:.0f} s" + (f", {simulation.line.succeeded} contacts succeeded" if simulation.line.succeeded else "")
        after = "; ".join(simulation.ledger.verdict()) or "nothing lost"
        shown.add_row(kind, LINES[kind], f"{awake:.0f} s a day" + (" BEYOND" if beyond else ""), words, after)
    Console().print(shown)
    return fine
