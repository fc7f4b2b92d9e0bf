"""ruff over everything; mypy --strict over lib/ and firmware/ with each port's stubs; and a check of that check.

    python -m tools.check            everything, a line per step, exit status 1 if any found something
    python -m tools.check esp32      types with one port's stubs

Each port's stubs lie in a folder of their own (both define machine.py). The board room of the other port is not looked
at. That mypy would find a wrong `machine` call is shown each time: planted.py puts some into a copy, and one that
is not found fails the step.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

from tools import arguments
from tools.boards import package
from tools.progress import doing

from . import planted

ROOT = Path(__file__).resolve().parent.parent.parent
STUBS = ROOT / ".venv" / "stubs"
BUILD = ROOT / "build" / "check"
PORTS = ("esp32", "rp2")
BARE_IGNORE = re.compile(r"#\s*(type: ignore(?!\[)|noqa(?!: ?[A-Z]+[0-9]+))", re.IGNORECASE)


def main(words: list[str]) -> int:
    """Run the steps and say how each went."""
    ports = [port for port in words if port in PORTS] or list(PORTS)
    steps = [(f"types, {port} stubs", lambda port=port: types(port)) for port in ports]
    steps += [(f"planted mistakes, {port}", lambda port=port: planted_mistakes(port)) for port in ports]
    if not words:
        steps = [("ruff", ruff), ("bare ignores", bare_ignores), ("boards", boards), ("package.json", package.problem),
                 ("pages", pages), *steps]  # fmt: skip
    failed = 0
    for name, step in steps:
        began = time.monotonic()
        doing(name)
        problem = step()
        print(f"check: {name + ':':30} {'FAILED' if problem else 'ok':7} {time.monotonic() - began:5.1f} s")
        if problem:
            failed += 1
            print(problem.rstrip() + "\n")
    return 1 if failed else 0


def ruff() -> str:
    """What ruff finds, or nothing."""
    return run([sys.executable, "-m", "ruff", "check", "--quiet", "--output-format=concise", "."])


def boards() -> str:
    """Board files whose pins cannot do their job, or nothing."""
    return run([sys.executable, "-m", "boards.check"])


def pages() -> str:
    """Pages of docs/ that are made and are not what would be made now, or nothing."""
    return run([sys.executable, "-m", "tools.docs", "--check"])


def bare_ignores() -> str:
    """Lines that switch off a check without naming which."""
    found = []
    for folder in ("lib", "firmware", "boards", "tools", "testing", "host_tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if BARE_IGNORE.search(line) and "BARE_IGNORE" not in line:
                    found.append(f"{path.relative_to(ROOT)}:{number}: name the code that is ignored: {line.strip()}")
    return "\n".join(found)


def types(port: str, root: Path = ROOT) -> str:
    """What mypy finds in lib/ and firmware/ below `root` with one port's stubs, or nothing."""
    if not (STUBS / port / "machine.pyi").exists():
        return f"no stubs in {STUBS.relative_to(ROOT)}/{port}: run make setup"
    command = [sys.executable, "-m", "mypy", "--config-file", str(configuration(port, root)), "--custom-typeshed-dir",
               str(STUBS / port), "--no-site-packages", "--no-error-summary", "--hide-error-context", "--cache-dir",
               str(BUILD / f"cache-{port}-{root.name}"), "lib", "firmware"]  # fmt: skip
    return run(command, cwd=root)


def configuration(port: str, root: Path) -> Path:
    """The configuration file of one run: strict for all, and what concerns that port's stubs alone."""
    other = PORTS[1 - PORTS.index(port)]
    modules = sorted(path.stem for path in (STUBS / port).iterdir() if path.suffix == ".pyi")
    packages = sorted(path.name for path in (STUBS / port).iterdir() if path.is_dir() and path.name.isidentifier())
    stubs = modules + [f"{package}.*" for package in packages] + packages
    lines = [
        "[mypy]",
        "strict = True",
        "python_version = 3.10",
        "explicit_package_bases = True",
        "enable_error_code = ignore-without-code",
        f"mypy_path = {root / 'lib'}:{root / 'firmware'}:{STUBS / port}",
        f"exclude = lib/lwnode/board/{other}\\.py$",
        f"[mypy-lwnode.board.{other}]",
        "ignore_errors = True",
        f"[mypy-{other},board,board.*,fsboot]",
        "ignore_missing_imports = True",
        f"[mypy-{','.join(stubs)}]",
        "ignore_errors = True",  # the stubs' own mistakes
    ]
    BUILD.mkdir(parents=True, exist_ok=True)
    path = BUILD / f"mypy-{port}-{root.name}.ini"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def planted_mistakes(port: str) -> str:
    """Mistakes that mypy does not find in a copy of the sources, or nothing."""
    copy = BUILD / f"planted-{port}"
    wanted = planted.plant(ROOT, copy, port)
    found = types(port, copy)
    missed = [f"not found: {place}: {mistake}" for place, mistake in wanted.items() if f"{place}: error:" not in found]
    return "\n".join(missed)


def run(command: list[str], cwd: Path = ROOT) -> str:
    """A tool's complaints; nothing where it succeeded."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    return (done.stdout + done.stderr) or f"{command[2]} failed without a word" if done.returncode else ""


if __name__ == "__main__":
    sys.exit(arguments.run(lambda: main(sys.argv[1:]), "check"))
