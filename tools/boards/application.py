"""What goes onto a board, by its path there: lib/ as .mpy without other families' rooms, firmware/, the board's file."""

from __future__ import annotations

from pathlib import Path

from tools.boards.catalog import ROOT, Board
from tools.boards.remedy import Remedy
from tools.mpy import compiled, module_name

FAMILIES = ("bc20", "bc66", "bg96", "me910c1")
# A board runs boot.py and main.py from source only; sensors.py and board.py are there to be read and edited.
AS_SOURCE = ("boot.py", "main.py", "sensors.py")
# What only these families load, beside their own rooms.
_ONLY = {
    "lwnode/modem/quectel.py": ("bc20", "bc66"),
    "lwnode/modem/object19.py": ("bc20", "bc66", "bg96"),
    "lwnode/lwm2m/shadow.py": ("me910c1",),
}


def files(board: Board, family: str) -> dict[str, bytes]:
    """Everything but configuration and secrets."""
    found: dict[str, bytes] = {}
    for path in sorted((ROOT / "lib").rglob("*.py")):
        relative = path.relative_to(ROOT / "lib")
        if belongs(relative, family, board.port):
            found[f"/lib/{relative.with_suffix('.mpy')}"] = bytecode(path, relative)
    for path in sorted((ROOT / "firmware").glob("*.py")):
        if path.name in AS_SOURCE:
            found[f"/{path.name}"] = path.read_bytes()
        else:
            found[f"/{path.stem}.mpy"] = bytecode(path, Path(path.name))
    found["/board.py"] = board.file.read_bytes()
    return found


def belongs(path: Path, family: str, port: str) -> bool:
    """Whether a file of lib/ is for that family and port."""
    if family not in _ONLY.get(str(path), FAMILIES):
        return False
    parts = path.parts
    if "modem" in parts[:-1]:
        room = parts[parts.index("modem") + 1].split(".")[0]
        return room == family or room not in FAMILIES
    return not (path.parent.name == "board" and path.stem in ("esp32", "rp2") and path.stem != port)


def bytecode(source: Path, name: Path) -> bytes:
    """Bytecode of one file: format 6.3, which MicroPython 1.23 and later loads on every architecture."""
    try:
        return compiled(source.read_text(encoding="utf-8"), module_name(name))
    except SyntaxError as error:
        raise Remedy(f"{source.relative_to(ROOT)} does not compile: line {error.lineno}, {error.msg}; correct the file")
    except ValueError as error:
        raise Remedy(f"{source.relative_to(ROOT)} does not compile: {error}; correct the file")
