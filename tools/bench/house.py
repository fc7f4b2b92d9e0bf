"""The shape of lib/: lines, modules, circles, late imports, lengths of functions; python -m tools.bench.house.

    figures_of(figures)      # the rows house/... and lines/... of the bench

The core is lib/lwnode without features, drivers and update: what every node has, for all four families (design, "The tree").
A late import stands inside a function; four doors may have some: the family, the port, the features, the first contact.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.bench.build import ROOT

LIB = ROOT / "lib"
APART = ("features", "drivers", "update")


def core() -> list[Path]:
    """The files of the core."""
    return [path for path in sorted((LIB / "lwnode").rglob("*.py")) if path.relative_to(LIB).parts[1] not in APART]


def module_of(path: Path) -> str:
    """lwnode.at.client of lib/lwnode/at/client.py."""
    return ".".join(path.relative_to(LIB).with_suffix("").parts).removesuffix(".__init__")


def figures_of(figures: dict[str, int]) -> None:
    """Count, into `figures`."""
    files = core()
    trees = {module_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in files}
    packages = {module_of(path) for path in files if path.name == "__init__.py"}
    figures["house/lines"] = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
    figures["house/modules"] = len(files)
    edges: dict[str, set[str]] = {}
    late = 0
    for name, tree in trees.items():
        for target, inside in _imports(tree, name, name in packages, set(trees)):
            late += inside
            if target != name:
                edges.setdefault(name, set()).add(target)
    figures["house/circles"] = len(circles(edges))
    figures["house/late"] = late + sum(_calls(tree, "__import__") for tree in trees.values())
    figures["house/emptied"] = sum(path.read_text(encoding="utf-8").count("sys.modules.pop") for path in files)
    lengths = sorted(length for path in sorted((LIB / "lwnode").rglob("*.py")) for length in _lengths(path))
    figures["house/function/median"] = lengths[len(lengths) // 2]
    figures["house/function/p90"] = lengths[len(lengths) * 9 // 10]
    figures["lines/tests"] = _lines("host_tests")
    figures["lines/tools"] = _lines("tools") + _lines("testing")


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that reach each other by their imports, late ones too."""
    reach: dict[str, set[str]] = {}
    for name in edges:
        found: set[str] = set()
        ahead = list(edges[name])
        while ahead:
            one = ahead.pop()
            if one not in found:
                found.add(one)
                ahead += edges.get(one, ())
        reach[name] = found
    rings = {tuple(sorted(other for other in reach if other in reach[name] and name in reach[other])) for name in reach}
    return [list(ring) for ring in sorted(rings) if len(ring) > 1]


def _imports(tree: ast.AST, name: str, package: bool, known: set[str]) -> Iterator[tuple[str, bool]]:
    """(module of ours, whether inside a function) of each import that runs on a board."""

    def walk(node: ast.AST, inside: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            targets: list[str] = []
            if isinstance(child, ast.Import):
                targets = [alias.name for alias in child.names]
            elif isinstance(child, ast.ImportFrom):
                home = name if package else name.rpartition(".")[0]
                base = ".".join(filter(None, (home if child.level else "", child.module)))
                targets = [base, *(f"{base}.{alias.name}" for alias in child.names)]
            hits = [target for target in targets if target in known]
            yield from ((hit, inside and index == 0) for index, hit in enumerate(hits))
            yield from walk(child, inside or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)))

    return walk(tree, False)


def _calls(tree: ast.AST, function: str) -> int:
    return sum(isinstance(node, ast.Call) and getattr(node.func, "id", "") == function for node in ast.walk(tree))


def _lengths(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def _lines(folder: str) -> int:
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / folder).rglob("*.py"))


if __name__ == "__main__":
    found: dict[str, int] = {}
    figures_of(found)
    json.dump(found, sys.stdout, indent=1)
