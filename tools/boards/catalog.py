"""The boards of boards/, by MicroPython's own names in any case, and the modules they may be wired to."""

from __future__ import annotations

import runpy
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.boards.remedy import Remedy

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "host_tests" / "cpython"))  # `micropython.const` for board files
OLDEST = (1, 24)  # lib/ runs on this MicroPython and later

# Where an ESP32's ROM expects the image (esptool's and MicroPython's board pages), and its number in the image header.
ESP_OFFSET = {"esp32": 0x1000, "esp32s3": 0, "esp32c3": 0, "esp32c6": 0}
ESP_CHIP_ID = {0: "esp32", 2: "esp32s2", 5: "esp32c3", 9: "esp32s3", 13: "esp32c6", 16: "esp32h2"}
# UF2 families of MicroPython's own files (microsoft/uf2 utils/uf2families.json).
UF2_FAMILY = {"rp2040": 0xE48BFF56, "rp2350": 0xE48BFF59}
# Flash and the filesystem at its end (ports/rp2/boards/*/mpconfigboard.h: MICROPY_HW_FLASH_STORAGE_BYTES).
RP2_FLASH = {
    "RPI_PICO": (2 << 20, 1408 << 10),
    "RPI_PICO_W": (2 << 20, 848 << 10),
    "RPI_PICO2": (4 << 20, 3072 << 10),
}


@dataclass(frozen=True)
class Board:
    """One folder of boards/: its definition's values by name."""

    name: str
    folder: Path
    values: dict[str, Any]

    @property
    def port(self) -> str:
        return str(self.values["PORT"])

    @property
    def chip(self) -> str:
        return str(self.values["CHIP"])

    @property
    def file(self) -> Path:
        return self.folder / "board.py"

    def line(self) -> str:
        """For the list: chip, UART pins, what is wired."""
        uart, pins = self.values["UART"], self.values["PINS"]
        return f"{self.name:18} {self.chip:9} UART {uart['id']}: TX {uart['tx']}, RX {uart['rx']}; " + ", ".join(
            f"{name} {pin}" for name, pin in pins.items()
        )


def names() -> list[str]:
    """All boards."""
    return sorted(path.parent.name for path in (ROOT / "boards").glob("*/board.py"))


def find(name: str | None) -> Board:
    """A board by its name; Remedy for none and for an unknown one."""
    if not name:
        raise Remedy(f"which board? Say BOARD=, one of: {', '.join(names())}")
    for known in names():
        if known.lower() == name.lower():
            folder = ROOT / "boards" / known
            return Board(known, folder, runpy.run_path(str(folder / "board.py")))
    raise Remedy(f"there is no board {name!r}: choose one of {', '.join(names())}, or add a folder as boards/README.md says")


def refuse_bad_wiring(board: Board, family: str) -> list[str]:
    """What is declared of the wires to a module; Remedy for pins that cannot do their job and levels that do not fit."""
    from types import SimpleNamespace

    from boards.check import check
    from boards.modules import wiring

    if not board.values.get("IO_MV"):
        raise Remedy(
            f"boards/{board.name}/board.py does not say at which level its pins work: add IO_MV = 3300, and compare it with "
            "the module's UART level before wiring"
        )
    problems = check(SimpleNamespace(**board.values))
    if problems:
        raise Remedy(f"boards/{board.name}/board.py cannot work: {problems[0]}; choose another pin in PINS")
    declared, problem = wiring(SimpleNamespace(**board.values), family)
    if problem:
        raise Remedy(f"boards/{board.name}/board.py does not fit a {family.upper()}: {problem}")
    return declared
