"""A few quiet days of a deployed node on the models, for the times of a power budget.

    charge = live("esp32", "bc66", {"report_every": 3600, "sample_every": 900})
    charge.rows(), charge.days(3000)

What the configuration leaves open has the defaults of lwnode/config.py, not those of the tests' world.
"""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import TypeVar

from testing.simulate.charge import PARTS, Charge
from testing.simulate.simulation import Simulation
from tools.docs.keys import rows

from .sources import WORLD

ONE_WAY_MS, TAIL_MS = int(1000 * WORLD["one_way_s"].value), int(1000 * WORLD["tail_s"].value)
# Of a configuration these say where and with what name, or need a secret: they decide on no charge here.
_NOT_HERE = ("family", "host", "port", "endpoint", "apn", "security", "bootstrap")


_Charge = TypeVar("_Charge", bound=Charge)


def live(port: str, family: str, config: dict[str, object] | None = None) -> Charge:
    """Three quiet days after a first one, in which it is started once. ConfigError where the configuration is wrong."""
    return _quiet(port, family, config or {}, Charge)


def _quiet(port: str, family: str, config: dict[str, object], of: type[_Charge]) -> _Charge:
    from lwnode.config import KEYS

    usual = {key: row[1] for key, row in rows(KEYS).items() if key not in _NOT_HERE}
    usual.update(config)
    with contextlib.redirect_stdout(io.StringIO()):
        simulation = Simulation(port, family, 1, "none", **usual)
        simulation.link.radio(delay_ms=ONE_WAY_MS)
        simulation.model.options["rrc_ms"] = TAIL_MS
        charge = of(simulation)
        simulation.clock.after(86_400_000, charge.begin)
        simulation.live(2)
    return charge


class Spans(Charge):
    """Notes (begin, end, phase) of the module, since when a connection was the network's tail, and when the board was awake."""

    def __init__(self, simulation: Simulation) -> None:
        self.spans: list[tuple[int, int, str]] = []
        self.tails: list[tuple[int, int]] = []
        self.awake: list[tuple[int, int]] = []
        super().__init__(simulation)
        before, clock = simulation.chip.on_sleep, simulation.clock

        def slept(awake_ms: int) -> None:
            self.awake.append((clock.now - awake_ms, clock.now))
            before(awake_ms)

        simulation.chip.on_sleep = slept
        self.dozed: list[tuple[int, int]] = []
        machine = simulation.chip.machine
        doze = getattr(machine, "lightsleep", None)

        def dozes(*given: int) -> None:
            begun = clock.now
            doze(*given)
            self.dozed.append((begun, clock.now))

        if simulation.port == "esp32" and doze is not None:
            machine.lightsleep = dozes

    def _close(self, phase: str) -> None:
        now = self.simulation.clock.now
        if now > self._since:
            self.spans.append((self._since, now, self._phase))
        if self._phase == "radio" and phase != "radio":
            self.tails.append((now - self._tail(), now))
        super()._close(phase)


_PHASES = {"asleep": "module asleep", "light": "module in light", "idle": "module awake", "search": "module starts",
           "radio": "radio connected, sending", "tail": "radio connected, the"}  # fmt: skip


def hourly(port: str, family: str) -> Spans:
    """As live(), a report each hour, with all that spans() needs."""
    return _quiet(port, family, {"report_every": 3600, "sample_every": 3600}, Spans)


def wake(port: str, family: str) -> list[tuple[float, float, str]]:
    """The spans of a wake of an hourly life."""
    return spans(hourly(port, family))


def spans(charge: Spans) -> list[tuple[float, float, str]]:
    """(begin, end, part) of board and module in one wake with a report, in seconds: the first after noon of a quiet day."""
    noon = charge.simulation.clock.now - 36 * 3_600_000
    begin, board_end = next(times for times in charge.awake if times[0] >= noon)
    found: list[tuple[int, int, str]] = []
    for start, stop, phase in charge.spans:
        let_go = next((at for at, until in charge.tails if at < stop and start < until), stop) if phase == "radio" else stop
        for a, b, name in ((start, let_go, phase), (max(start, let_go), stop, "tail")):
            if b > max(a, begin):
                found.append((max(a, begin), b, name))
    end = board_end
    for start, stop, phase in found:
        if start > end + 1000:
            break
        if phase not in ("asleep", "light"):
            end = max(end, stop)
    parts: list[tuple[int, int, str]] = []
    for start, stop in [(start, stop) for start, stop in charge.dozed if begin <= start and stop <= board_end]:
        parts += [(parts[-1][1] if parts else begin, start, "board awake"), (start, stop, "board dozing")]
    parts += [(parts[-1][1] if parts else begin, board_end, "board awake"), (board_end, end, "board asleep")]
    parts += [(start, min(stop, end), next(part for part in PARTS if part.startswith(_PHASES[phase])))
              for start, stop, phase in found if start < end]
    joined: list[tuple[int, int, str]] = []
    for start, stop, name in [span for span in parts if span[1] > span[0]]:
        if joined and joined[-1][1:] == (start, name):
            joined[-1] = (joined[-1][0], stop, name)
        else:
            joined.append((start, stop, name))
    return [((start - begin) / 1000, (stop - begin) / 1000, name) for start, stop, name in joined]


def given(path: Path | None) -> dict[str, object]:
    """The keys of a configuration that decide on charge, and its family. SystemExit with a sentence where it cannot be read."""
    if path is None:
        return {}
    try:
        keys = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path}: {error}; give a node's config.json") from error
    if not isinstance(keys, dict):
        raise SystemExit(f"{path}: expected one JSON object, found {type(keys).__name__}; give a node's config.json")
    return {key: value for key, value in keys.items() if key == "family" or key not in _NOT_HERE}
