"""The files of a deployed node: lib/ compiled to .mpy as for one family, firmware, board, and this bench's modules."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tools.boards.application import AS_SOURCE, TABLE, belongs, optional, table
from tools.boards.catalog import find
from tools.mpy import compile_tree

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "bench"
BOARDS = {"esp32": "ESP32_GENERIC", "rp2": "RPI_PICO"}
# Where the bench plays a node under CPython.
for folder in ("firmware", "lib", "host_tests", "host_tests/cpython"):
    sys.path.insert(1, str(ROOT / folder))
FAMILIES = {"bc66": "bc66", "bc20": "bc20", "bg96": "bg96", "me910c1": "me910c1"}
# No feature: what is there without being asked for, switched off. Ship mode has no key: a board without its pin has none.
BARE: dict[str, object] = {"node_objects": False, "commands": False, "pins": False}


def compiled() -> Path:
    """lib/ as .mpy below build/bench/lib."""
    folder = BUILD / "lib"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "lib", folder, ignore=shutil.ignore_patterns("__pycache__"))
    compile_tree(folder)
    firmware = BUILD / "firmware"
    shutil.rmtree(firmware, ignore_errors=True)
    firmware.mkdir()
    for source in (ROOT / "firmware").glob("*.py"):
        shutil.copy(source, firmware)
    compile_tree(firmware)
    return folder


def files(port: str, family: str, config: "dict[str, object] | None" = None) -> dict[str, bytes]:
    """Everything on the board, by its path there, with the features that this configuration has (none by itself)."""
    found = {}
    parts = optional(config or BARE, find(BOARDS[port]).values)
    for path in sorted((BUILD / "lib").rglob("*.mpy")):
        relative = path.relative_to(BUILD / "lib")
        if belongs(relative.with_suffix(".py"), family, port, parts):
            found[f"/lib/{relative}"] = path.read_bytes()
    found[TABLE] = table(parts)  # the rows of the bench are of the same objects as those of firmware/sensors.py
    for path in sorted((BUILD / "firmware").glob("*.mpy")):
        source = ROOT / "firmware" / f"{path.stem}.py"
        if path.stem != "swap" or "features.update" in parts:
            deployed = source if source.name in AS_SOURCE else path
            found[f"/flash/{deployed.name}"] = deployed.read_bytes()
    found["/flash/board.py"] = (ROOT / "boards" / BOARDS[port] / "board.py").read_bytes()
    modules = ROOT / "testing" / "host_board" / "modules"
    for path in sorted((modules / "common").glob("*.py")):
        found[f"/rom/common/{path.name}"] = path.read_bytes()
    for path in sorted((modules / port).glob("*.py")):
        found[f"/rom/port/{path.name}"] = path.read_bytes()
    for path in sorted(Path(__file__).with_name("modules").glob("*.py")):
        found[f"/rom/common/{path.name}"] = path.read_bytes()
    return found
