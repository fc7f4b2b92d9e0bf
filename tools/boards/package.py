"""package.json, by which mip installs lib/: `make package` writes it, `make check` holds it against the tree.

    mpremote mip install package.json                    from a checkout
    import mip; mip.install("github:OWNER/NAME")         on a board with a network of its own
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FILE = ROOT / "package.json"


def content() -> str:
    """The file's text: where each module goes below lib/ on the board, and where it is here."""
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert version
    modules = sorted((ROOT / "lib").rglob("*.py"))
    urls = [[str(path.relative_to(ROOT / "lib")), str(path.relative_to(ROOT))] for path in modules]
    lines = ",\n".join("    " + json.dumps(pair) for pair in urls)
    return f'{{\n  "version": "{version.group(1)}",\n  "deps": [],\n  "urls": [\n{lines}\n  ]\n}}\n'


def problem() -> str:
    """What is wrong with the file in the tree, or nothing."""
    if FILE.exists() and FILE.read_text(encoding="utf-8") == content():
        return ""
    return "package.json does not list the modules of lib/ as they are: run make package"


if __name__ == "__main__":
    FILE.write_text(content(), encoding="utf-8")
    print(f"package.json: {len(json.loads(content())['urls'])} modules", file=sys.stderr)
