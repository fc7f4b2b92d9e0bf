"""package.json, by which mip installs lib/, and others for its parts alone: AT driver, mapper, scheduler, boards, and the
sensors' rows with what they wrap of micropython-lib. `make package` writes them, `make check` holds them against the tree.

    mpremote mip install package.json                              from a checkout
    mpremote mip install lib/lwnode/at/package.json                the AT driver by itself; lwm2m, power and board likewise
    mpremote mip install lib/lwnode/drivers/package.json           the rows, onewire, ds18x20, dht, hts221, lps22h
    import mip; mip.install("github:OWNER/NAME")                   on a board with a network of its own
    import mip; mip.install("github:OWNER/NAME/lib/lwnode/at")
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from tools import arguments as typed
from tools.mpy import compiled, module_name

ROOT = Path(__file__).resolve().parent.parent.parent
FILE = ROOT / "package.json"
PARTS = [ROOT / "lib" / "lwnode" / name / "package.json" for name in ("at", "board", "drivers", "lwm2m", "power")]
AT = PARTS[0]
WRAPPED = ("dht", "ds18x20", "hts221", "lps22h", "onewire")  # micropython-lib's; boards/common/manifest.py freezes them


def version() -> str:
    """The version of the application, from the one place that says it."""
    found = re.search(r'^VERSION = "(.+)"', (ROOT / "lib" / "lwnode" / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return found.group(1)


def content(file: Path = FILE) -> str:
    """A file's text: where each module goes below lib/ on the board, and where it is from the file's own folder."""
    modules = sorted(((ROOT / "lib") if file == FILE else file.parent).rglob("*.py"))
    urls = [[str(path.relative_to(ROOT / "lib")), str(path.relative_to(file.parent))] for path in modules]
    lines = ",\n".join("    " + json.dumps(pair) for pair in urls if pair[0] != "lwnode/at/uart.py")
    deps = json.dumps([[name, "latest"] for name in WRAPPED] if file.parent.name == "drivers" else [])
    return f'{{\n  "version": "{version()}",\n  "deps": {deps},\n  "urls": [\n{lines}\n  ]\n}}\n'


def problem() -> str:
    """What is wrong with the files in the tree, or nothing."""
    for file in [FILE, *PARTS]:
        if not file.exists() or file.read_text(encoding="utf-8") != content(file):
            return f"{file.relative_to(ROOT)} does not list the modules of lib/ as they are: run make package"
    for name in ("pyproject.toml", "boards/common/manifest.py"):
        if f'version = "{version()}"' not in (ROOT / name).read_text(encoding="utf-8").replace("version=", "version = "):
            return f"{name} does not say version {version()}, which lib/lwnode/__init__.py says: make them one"
    if f"## {version()}" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        return f"CHANGELOG.md has no part for version {version()}, which lib/lwnode/__init__.py says"
    manifest = (ROOT / "boards" / "common" / "manifest.py").read_text(encoding="utf-8")
    if sorted(re.findall(r'^require\("(\w+)"\)', manifest, re.MULTILINE)) != sorted(WRAPPED):
        return f"boards/common/manifest.py must require what the drivers wrap: {' '.join(WRAPPED)}"
    frozen = re.findall(r'^module\("(\w+\.py)", base_path="../../firmware"', manifest, re.MULTILINE)
    there = [path.name for path in (ROOT / "firmware").glob("*.py")]
    if sorted(frozen) != sorted(there):
        return f"boards/common/manifest.py differs from firmware/ in {sorted(set(frozen) ^ set(there))}: correct its modules"
    return ""


def at_bytecode(folder: Path) -> None:
    """The AT driver as a board with little heap wants it: .mpy below `folder`, to be copied to lib/."""
    for source in (AT.parent / pair[1] for pair in json.loads(content(AT))["urls"]):
        target = (folder / source.relative_to(ROOT / "lib")).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(compiled(source.read_text(encoding="utf-8"), module_name(source.relative_to(ROOT / "lib"))))
    print(f"{folder}: copy it with   mpremote fs cp -r {folder}/lwnode :lib/")


def main() -> None:
    """Write the two files; with --out the bytecode of the AT driver instead."""
    parser = typed.Parser("make at")
    parser.add_argument("--out", type=typed.place, help="folder for the AT driver's .mpy")
    out = parser.parse_args().out
    if out:
        at_bytecode(out)
        return
    for file in [FILE, *PARTS]:
        file.write_text(content(file), encoding="utf-8")
        print(f"{file.relative_to(ROOT)}: {len(json.loads(content(file))['urls'])} modules", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(typed.run(main))
