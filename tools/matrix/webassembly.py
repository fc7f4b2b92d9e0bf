"""MicroPython's webassembly builds: 32-bit interpreters, one per release, run by node.

builds = Builds()                                # installs them once, into build/matrix
builds.run("1.24", files, [("name", code)])      # -> {"name": (what it printed, error or None)}

Bounds: a program may take LIMIT_S, on however slow a machine; one that takes longer ends its interpreter, and it and those
after it are not finished, which is said of each.
"""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FOLDER = ROOT / "build" / "matrix"
HEAP = 16 << 20
LIMIT_S = 600  # one program, or npm


class Missing(Exception):
    """What this machine lacks, as a sentence with the remedy."""


class Builds:
    """The builds that package.json pins, installed where they are not yet."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        wanted = (HERE / "package.json").read_text(encoding="utf-8")
        self.versions = [name.split("-")[1] for name in json.loads(wanted)["dependencies"]]
        for tool in ("node", "npm"):
            if shutil.which(tool) is None:
                raise Missing(f"{tool} is not installed: it runs MicroPython's 32-bit builds (install Node.js 18 or later)")
        installed = folder / "package.json"
        if installed.exists() and installed.read_text(encoding="utf-8") == wanted and self.module(self.versions[-1]).exists():
            return
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder / "node_modules", ignore_errors=True)
        shutil.copy(HERE / "package.json", installed)
        command = ["npm", "install", "--silent", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S)
        if done.returncode:
            installed.unlink()
            raise Missing(
                f"npm could not install MicroPython's builds (network, proxy?): {(done.stderr or done.stdout)[-300:]}")

    def module(self, version: str) -> Path:
        """The file that node loads."""
        return self._folder / "node_modules" / f"micropython-{version}" / "micropython.mjs"

    def run(self, version: str, files: dict[str, bytes | str], programs: list[tuple[str, str]],
            heap: int = HEAP) -> dict[str, tuple[str, str | None]]:
        """Run each program in a fresh interpreter that sees `files` (absolute path: content)."""
        content: dict[str, Any] = {
            path: data if isinstance(data, str) else {"base64": base64.b64encode(data).decode()} for path, data in files.items()
        }
        job = {"heap": heap, "files": content, "programs": [{"name": name, "code": code} for name, code in programs]}
        results, command = {}, ["node", str(HERE / "run.mjs"), str(self.module(version))]
        with tempfile.TemporaryFile("w+") as said, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                                                    stderr=said, text=True) as node:  # fmt: skip
            for line in _lines(node, json.dumps(job)):
                result = json.loads(line)
                results[result["name"]] = (result["output"], result["error"])
            stopped = node.wait() == -signal.SIGKILL
            said.seek(0)
            error = f"not finished after {LIMIT_S} s" if stopped else f"the interpreter died: {said.read()[-500:]}"
        return {name: results.get(name, ("", error)) for name, _ in programs}


def _lines(node: subprocess.Popen[str], job: str) -> Iterator[str]:
    """Give it the job; what it prints, whole lines only. It is killed where it prints none for LIMIT_S."""
    assert node.stdin and node.stdout
    with contextlib.suppress(BrokenPipeError), node.stdin as given:
        given.write(job)  # all of it is read before a program runs
    line = "\n"
    while line.endswith("\n"):
        limit = threading.Timer(LIMIT_S, node.kill)
        limit.start()
        line = node.stdout.readline()
        limit.cancel()
        if line.endswith("\n"):
            yield line


def sources(*folders: str) -> dict[str, str]:
    """The .py files and small data of folders of the repository, by their path in the interpreter (/w/...)."""
    found = {}
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".json", ".tsv", ".txt") and "__pycache__" not in path.parts:
                found[f"/w/{path.relative_to(ROOT)}"] = path.read_text(encoding="utf-8")
    return found
