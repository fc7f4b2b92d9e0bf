"""A board's file as the runner needs it: which pin is which signal, and at which level it is active."""

from __future__ import annotations

import runpy
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Definition:
    """What boards/NAME/board.py says about pins."""

    signals: dict[int, str] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    chip: str = ""
    rx: int = -1  # the UART's pin that hears the module

    def active(self, signal: str, level: int) -> bool:
        """Whether a level of the host's pin means that the signal is active."""
        return level == self.levels.get(signal, 1)

    def level(self, signal: str, active: bool) -> int:
        """The level at the host's pin for an active or inactive signal."""
        on = self.levels.get(signal, 1)
        return on if active else 1 - on


def read(path: Path) -> Definition:
    """Run a board file (it holds constants only) and take its pins."""
    shim = types.ModuleType("micropython")
    shim.const = lambda value: value  # type: ignore[attr-defined]
    sys.modules.setdefault("micropython", shim)
    values: dict[str, Any] = runpy.run_path(str(path))
    definition = Definition(chip=values.get("CHIP", ""), rx=number(values.get("UART", {}).get("rx", -1)))
    for signal, pin in values.get("PINS", {}).items():
        if pin is not None:
            definition.signals[number(pin)] = signal
    for signal, level in values.get("LEVELS", {}).items():
        if isinstance(level, (int, bool)):
            definition.levels[signal] = int(level)
    return definition


def number(pin: int | str) -> int:
    """GP15 and 15 are the same pin."""
    return int(pin[2:]) if isinstance(pin, str) else pin
