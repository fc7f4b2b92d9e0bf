"""What goes onto a board, by its path there: of lib/ as .mpy the core, one family, one port, the features that a configuration
asks for and the board has pins for, the drivers that sensors.py and these import, and of the registry's table the objects that
all of them name; firmware/, and the board's file.

What checks, tries and takes back an update (lwnode.update, swap.py) goes with the feature that lets a server bring some;
`make update` brings it to a node that is without.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tools.boards.catalog import ROOT, Board
from tools.boards.remedy import Remedy
from tools.docs.keys import rows
from tools.mpy import compiled, module_name
from tools.registry.table import cut

FAMILIES = ("bc20", "bc66", "bg96", "me910c1")
# A board runs boot.py and main.py from source only; sensors.py and board.py are there to be read and edited.
AS_SOURCE = ("boot.py", "main.py", "sensors.py")
# What only these families load, beside their own folders.
_ONLY = {
    "lwnode/modem/quectel.py": ("bc20", "bc66"),
    "lwnode/modem/object19.py": ("bc20", "bc66", "bg96"),
    "lwnode/modem/checks.py": ("bc20", "bg96", "me910c1"),
    "lwnode/lwm2m/tlv.py": (),  # no node: for who speaks TLV with one
}
MODULE = "lwnode/lwm2m/registry_table.py"
TABLE = "/lib/lwnode/lwm2m/registry_table.mpy"
# What checks, tries and takes back an update: module and source by the path there.
STAGING = {"/lib/lwnode/update/__init__.mpy": ("lwnode.update", "lib/lwnode/update/__init__.py"),
           "/swap.mpy": ("swap", "firmware/swap.py")}  # fmt: skip


def files(board: Board, family: str, given: dict[str, Any] | None = None) -> dict[str, bytes]:
    """Everything but configuration and secrets; `given`: config.json, as far as it is known."""
    found: dict[str, bytes] = {}
    parts = optional(given or {}, board.values)
    for path in sorted((ROOT / "lib").rglob("*.py")):
        relative = path.relative_to(ROOT / "lib")
        if belongs(relative, family, board.port, parts):
            found[f"/lib/{relative.with_suffix('.mpy')}"] = bytecode(path, relative)
    found[TABLE] = table(parts)
    for path in sorted((ROOT / "firmware").glob("*.py")):
        if path.name in AS_SOURCE:
            found[f"/{path.name}"] = path.read_bytes()
        else:
            found[f"/{path.stem}.mpy"] = bytecode(path, Path(path.name))
    found["/board.py"] = board.file.read_bytes()
    return found if "features.update" in parts else {path: data for path, data in found.items() if path not in STAGING}


def table(parts: set[str]) -> bytes:
    """The registry's table for these parts: 0.5 KB with the objects of sensors.py, 3 KB whole."""
    sources = list((ROOT / "firmware").glob("*.py"))
    sources += [ROOT / "lib" / "lwnode" / Path(*name.split(".")).with_suffix(".py") for name in parts]
    wanted = {19}.union(*(objects(source.read_text(encoding="utf-8")) for source in sources))
    return compiled(cut((ROOT / "lib" / MODULE).read_text(encoding="utf-8"), wanted), module_name(Path(MODULE)))


def objects(source: str) -> set[int]:
    """Ids of objects that a source may make rows of: each number from 19 on, smaller ones where they are given with a tree."""
    found: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value >= 19:
            found.add(node.value)
        if isinstance(node, ast.Call) and "tree" in ast.dump(node.func) + "".join(map(ast.dump, node.args[:1])):
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            found.update(each.value for each in values if isinstance(each, ast.Constant) and type(each.value) is int)
    return found


def belongs(path: Path, family: str, port: str, parts: set[str]) -> bool:
    """Whether a file of lib/ is for that family and port; `parts`: what optional() has found, and "board.switched"."""
    if family not in _ONLY.get(str(path), FAMILIES) or str(path) == "lwnode/at/uart.py":  # a PC's
        return False
    if str(path) == "lwnode/lwm2m/unpack.py":
        return "features.commands" in parts
    names = path.parts
    if "modem" in names[:-1]:
        folder = names[names.index("modem") + 1].split(".")[0]
        return folder == family or folder not in FAMILIES
    if path.parent.name == "update":
        return "features.update" in parts
    if path.parent.name in ("features", "drivers"):
        return path.stem == "__init__" or f"{path.parent.name}.{path.stem}" in parts
    if path.stem == "switched":
        return "board.switched" in parts
    return not (path.parent.name == "board" and path.stem in ("esp32", "rp2") and path.stem != port)


def optional(given: dict[str, Any], board: dict[str, Any]) -> set[str]:
    """"features.usage", "drivers.chip" and so on: the features of a configuration, and the drivers that somebody imports.

    `board`: the names of the board file. A feature that nobody asks for by key, and that is for pins which the board has not,
    would do nothing there.
    """
    if str(ROOT / "lib") not in sys.path:
        sys.path[:0] = [str(ROOT / "lib"), str(ROOT / "host_tests" / "cpython")]
    from lwnode import config, features

    pins = board.get("PINS", {})
    useful = {"pins": bool(board.get("WAKE")) or "status" in pins, "ship": "ship" in pins}
    asked = [(name, features.installed(name)) for name, key in features.names(given) if key or useful.get(name, True)]
    known = rows(";".join([config.KEYS, *[one.KEYS for _, one in asked]]))
    settings = SimpleNamespace(**{key: given.get(key, row[1]) for key, row in known.items()})
    found = {"board.switched"} if "TIMER" in board else set()
    look = [ROOT / "firmware" / "sensors.py"]
    look += [ROOT / "lib" / "lwnode" / "features" / f"{name}.py" for name, one in asked if one.enabled(settings)]
    found.update(f"features.{path.stem}" for path in look[1:])
    while look:
        for name in drivers(look.pop()) - found:
            found.add(name)
            look.append(ROOT / "lib" / "lwnode" / Path(*name.split(".")).with_suffix(".py"))
    return found


def drivers(source: Path) -> set[str]:
    """"drivers.chip" of each module of lwnode.drivers that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "lwnode.drivers":
            found.update(f"drivers.{name.name}" for name in node.names)
        names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        for name in [node.module or ""] if isinstance(node, ast.ImportFrom) else names:
            if name.startswith("lwnode.drivers."):
                found.add(name.removeprefix("lwnode."))
    return {name for name in found if (ROOT / "lib" / "lwnode" / Path(*name.split(".")).with_suffix(".py")).exists()}


def bytecode(source: Path, name: Path) -> bytes:
    """Bytecode of one file: format 6.3, which MicroPython 1.23 and later loads on every architecture."""
    try:
        return compiled(source.read_text(encoding="utf-8"), module_name(name))
    except SyntaxError as error:
        raise Remedy(f"{source.relative_to(ROOT)} does not compile: line {error.lineno}, {error.msg}; correct the file")
    except ValueError as error:
        raise Remedy(f"{source.relative_to(ROOT)} does not compile: {error}; correct the file")
