"""Where the heap goes, module by module: python -m tools.bench.profile [--names].

For each module that a BC66 node on an RP2 loads, in the order in which they depend on each other: bytes of .mpy, bytes of
heap that its import adds (32-bit), functions, and names that no module before it had. A function costs some 75 bytes beside its
bytecode (object, raw code, prelude, a slot in the class's table), a name 20 to 40 (its text, and 7 bytes in the pool).
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass, field

from tools.bench import build, node, prelude
from tools.bench.world import World
from tools.matrix.webassembly import Builds

# Printed after each module; the first is what the interpreter and the bench bring along.
NAMES = "import micropython\nprint('names begin')\nmicropython.qstr_info(1)\nprint('names end')"
RELEASE = "1.28"
LEAN = {"sample_every": 60, "report_every": 60, "spread": 0, "maintenance_window": 0, **build.BARE}


@dataclass
class Row:
    """What one module costs."""

    name: str
    mpy: int
    heap: int
    functions: int
    names: list[str] = field(default_factory=list)


def profile(builds: Builds, family: str = "bc66") -> list[Row]:
    """A row for each module of a node on an RP2; a package has the figures of what it imports while it is loaded."""
    files = build.files("rp2", family)
    steps = [("base", node.PROLOGUE.format(port="rp2")), ("names", NAMES)]
    modules = loaded(builds, family, files)
    for name in modules:
        steps += [(name, f"import {name}"), ("names", NAMES)]
    world = World("rp2", family, files, LEAN)
    found = world.live_in_webassembly(builds.module(RELEASE), steps)
    lists = [set(re.findall(r"Q\((.*)\)", part)) for part in world.said.split("names begin")[1:]]
    rows = []
    for index, name in enumerate(modules):
        fresh = sorted(lists[index + 1] - lists[index])
        data = code_of(files, name)
        # The dump of the names is itself a step between two modules.
        heap = found[2 + 2 * index].live - found[1 + 2 * index].live
        rows.append(Row(name, len(data), heap, len(prelude.functions(data)) - 1, fresh))
    return rows


def code_of(files: dict[str, bytes], name: str) -> bytes:
    """The .mpy of a module."""
    path = "/lib/" + name.replace(".", "/")
    return files.get(path + ".mpy") or files[path + "/__init__.mpy"]


def loaded(builds: Builds, family: str, files: dict[str, bytes]) -> list[str]:
    """Every module of ours that is loaded at some time up to the third wake, after those that it imports."""
    note = (
        "import builtins\n_seen, _import = set(), builtins.__import__\n"
        "def noting(*name):\n"
        "    module = _import(*name)\n"
        "    _seen.update(sys.modules)\n"
        "    return module\n"
        "builtins.__import__ = noting\n"
    )
    steps = [("base", node.PROLOGUE.format(port="rp2") + note), *node.steps("rp2", 3)[1:], ("seen", "print('seen', *_seen)")]
    world = World("rp2", family, files, LEAN)
    world.live_in_webassembly(builds.module(RELEASE), steps)
    seen = next(line.split()[1:] for line in world.said.splitlines() if line.startswith("seen"))
    order: list[str] = []
    for name in sorted(name for name in seen if name.startswith("lwnode.")):
        _visit(name, set(seen), order)
    return order


def _visit(name: str, seen: set[str], order: list[str], open_: tuple[str, ...] = ()) -> None:
    """Append a module behind its packages and what it imports while it is loaded."""
    if name not in seen or name in order or name in open_ or not name.startswith("lwnode"):
        return
    stem = build.ROOT / "lib" / name.replace(".", "/")
    package = stem.is_dir()
    tree = ast.parse((stem / "__init__.py" if package else stem.with_suffix(".py")).read_text(encoding="utf-8"))
    home = name if package else name.rpartition(".")[0]
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                _visit(alias.name, seen, order, (*open_, name))
        elif isinstance(statement, ast.ImportFrom):
            source = ".".join(filter(None, (home if statement.level else "", statement.module)))
            for one in (source, *(f"{source}.{alias.name}" for alias in statement.names)):
                _visit(one, seen, order, (*open_, name))
    _visit(name.rpartition(".")[0], seen, order, (*open_, name))
    if name not in order:
        order.append(name)


def show(builds: Builds, every_name: bool = False) -> None:
    """Print the table, dearest first; every name that a module brought, or its three longest."""
    rows = profile(builds)
    print(f"{'module':36} {'.mpy':>7} {'heap':>7} {'functions':>9} {'names':>6}  longest new names")
    for row in sorted(rows, key=lambda row: -row.heap):
        names = row.names if every_name else sorted(row.names, key=len, reverse=True)[:3]
        print(f"{row.name:36} {row.mpy:7} {row.heap:7} {row.functions:9} {len(row.names):6}  {' '.join(names)}")
    sums = [sum(values) for values in zip(*((row.mpy, row.heap, row.functions, len(row.names)) for row in rows))]
    print(f"{'all':36} {sums[0]:7} {sums[1]:7} {sums[2]:9} {sums[3]:6}")


if __name__ == "__main__":
    build.compiled()
    show(Builds(), "--names" in sys.argv)
