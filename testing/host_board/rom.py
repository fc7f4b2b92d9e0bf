"""The board's memory-mapped flash: frozen code is executed where it lies and costs no heap, here as on a board.

    image(lib, port)        # lib/ and the port's own modules, compiled, as a ROMFS image

MicroPython executes the bytecode of a ROMFS image in place (docs, reference/romfs) if the image has an address of its own:
launcher.py gives it one, outside MicroPython's heap. The effect is that of a manifest.py that freezes lib/: the heap
holds what a board's heap holds.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from mpremote.romfs import VfsRomWriter

from tools.mpy import compile_tree

MODULES = Path(__file__).with_name("modules")


def image(lib: Path, port: str) -> bytes:
    """Compile lib/ and the modules that play the port, and pack them: /lib and /port of the image."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(lib, folder / "lib", ignore=ignore)
        shutil.copytree(MODULES / "common", folder / "port", ignore=ignore)
        shutil.copytree(MODULES / port, folder / "port", dirs_exist_ok=True, ignore=ignore)
        compile_tree(folder / "lib")
        compile_tree(folder / "port")
        writer = VfsRomWriter()
        _add(writer, folder)
        return bytes(writer.finalise())


def _add(writer: VfsRomWriter, folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            writer.opendir(path.name)
            _add(writer, path)
            writer.closedir()
        else:
            writer.mkfile(path.name, path.read_bytes())


def pack(folder: Path, *names: str) -> bytes:
    """An image of these folders below `folder`, which are compiled already."""
    writer = VfsRomWriter()
    for name in names:
        writer.opendir(name)
        _add(writer, folder / name)
        writer.closedir()
    return bytes(writer.finalise())
