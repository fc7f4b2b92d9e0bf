"""What .mpy files say of their functions: the slots (locals and stack) of each, from the prelude of its bytecode.

    slots()      # -> {("lwnode.node", "wake"): 18, ...}; of functions with one name in one module, the largest

Format: MicroPython's .mpy, version 6 (py/persistentcode.c, py/bc.h). Names that every interpreter has are numbers there; which
number is which is asked of the compiler.
"""

from __future__ import annotations

import ast
from pathlib import Path

from tools.bench import build
from tools.mpy import compiled


def slots() -> dict[tuple[str, str], int]:
    """Slots of every function below build/bench (see build.compiled)."""
    static = numbered(_function_names())
    found: dict[tuple[str, str], int] = {}
    for folder in ("lib", "firmware"):
        for path in (build.BUILD / folder).rglob("*.mpy"):
            module = str(path.relative_to(build.BUILD / folder).with_suffix("")).replace("/", ".").removesuffix(".__init__")
            for name, count in functions(path.read_bytes(), static):
                found[module, name] = max(count, found.get((module, name), 0))
    return found


def functions(data: bytes, static: "dict[int, str] | None" = None) -> list[tuple[str, int]]:
    """(name, slots) of each code object, the module's own first; no name where it is a number that `static` lacks."""
    entries, at = _entries(data)
    names = [entry if isinstance(entry, str) else (static or {}).get(entry, "") for entry in entries]
    for _ in range(_varint(data, _varint(data, 4)[1])[0]):
        at = _past_object(data, at)
    found: list[tuple[str, int]] = []
    _codes(data, at, names, found)
    return found


def _entries(data: bytes) -> tuple[list[int | str], int]:
    """The names of a file, those of every interpreter as numbers, in the order of their first use; the next offset."""
    count, at = _varint(data, 4)
    _, at = _varint(data, at)
    entries: list[int | str] = []
    for _ in range(count):
        length, at = _varint(data, at)
        if length & 1:
            entries.append(length >> 1)
        else:
            entries.append(data[at : at + (length >> 1)].decode())
            at += (length >> 1) + 1
    return entries, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """(number, next offset) of an .mpy file's number of variable length."""
    number = 0
    while True:
        number = number << 7 | data[at] & 127
        at += 1
        if not data[at - 1] & 128:
            return number, at


def _past_object(data: bytes, at: int) -> int:
    kind = data[at]
    at += 1
    if kind < 5:  # function table, None, False, True, Ellipsis
        return at
    length, at = _varint(data, at)
    if kind == 10:  # a tuple
        for _ in range(length):
            at = _past_object(data, at)
        return at
    return at + length + (kind < 7)  # str and bytes end with a NUL


def _codes(data: bytes, at: int, names: list[str], found: list[tuple[str, int]]) -> int:
    """Take up the code object at `at` and those within it; the next offset."""
    head, at = _varint(data, at)
    end = at + (head >> 3)
    if not head & 3:  # bytecode
        found.append(_prelude(data, at, names))
    if head & 4:
        children, end = _varint(data, end)
        for _ in range(children):
            end = _codes(data, end, names, found)
    return end


def _prelude(data: bytes, at: int, names: list[str]) -> tuple[str, int]:
    """(name, slots): xSSSSEAA, then xFSSKAED as long as there are more, then the sizes, then the name."""
    byte = data[at]
    count = byte >> 3 & 15
    shift = 0
    while byte & 128:
        at += 1
        byte = data[at]
        count |= (byte & 0x30) << 2 * shift
        shift += 1
    at += 1
    while data[at] & 128:
        at += 1
    index, _ = _varint(data, at + 1)
    return names[index] if index < len(names) else "", count + 1


def _function_names() -> list[str]:
    found = set()
    for folder in ("lib", "firmware"):
        for path in (build.ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef):
                    found.add(node.name)
    return sorted(found)


def numbered(wanted: list[str]) -> dict[int, str]:
    """The numbers of those names that the compiler writes as numbers."""
    entries, _ = _entries(compiled("".join(f"x.{name}\n" for name in wanted), "x"))
    attributes = [entry for entry in entries if entry != "x"][-len(wanted) :]
    if [name if isinstance(entry, int) else entry for entry, name in zip(attributes, wanted)] != wanted:
        raise ValueError("the compiler's names are not in the order of their use")
    return {entry: name for entry, name in zip(attributes, wanted) if isinstance(entry, int)}
