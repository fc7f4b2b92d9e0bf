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

from testing.simulate.charge import Charge
from testing.simulate.simulation import Simulation

ONE_WAY_MS = 700  # NB-IoT in normal coverage: a round trip takes one to two seconds
TAIL_MS = 20_000  # low-power notes, 4: 20 to 25 s after the last byte on a bench, up to 50 s
# Of a configuration these say where and with what name, or need a secret: they decide on no charge here.
_NOT_HERE = ("family", "host", "port", "endpoint", "apn", "security", "bootstrap")


def live(port: str, family: str, config: dict[str, object] | None = None) -> Charge:
    """Three quiet days after a first one, in which it is started once. ConfigError where the configuration is wrong."""
    from lwnode.config import KEYS, rows

    usual = {key: row[1] for key, row in rows(KEYS).items() if key not in _NOT_HERE}
    usual.update(config or {})
    with contextlib.redirect_stdout(io.StringIO()):
        simulation = Simulation(port, family, 1, "none", **usual)
        simulation.link.radio(delay_ms=ONE_WAY_MS)
        simulation.model.options["rrc_ms"] = TAIL_MS
        charge = Charge(simulation)
        simulation.clock.after(86_400_000, charge.begin)
        simulation.live(2)
    return charge


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
