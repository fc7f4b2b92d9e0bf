"""Run the portable tests everywhere and print version by result.

python -m tools.matrix                 all
python -m tools.matrix ends            the oldest and the newest of each interpreter, without LEFT_OUT: what CI waits for
python -m tools.matrix 1.24 3.13       these
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.arguments import WRONG, run
from tools.matrix.webassembly import FOLDER, ROOT, Builds, Missing, sources
from tools.progress import doing, say

sys.path.insert(0, str(ROOT / "host_tests"))
from runner.plugin import inspect  # noqa: E402  (host_tests is no package)
from runner.process import Outcome, outcomes  # noqa: E402

CPYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
PATHS = "/w:/w/lib:/w/host_tests:/w/firmware:/w/examples"
# What `ends` leaves out, four fifths of the time: it proves much, but nothing of an interpreter's version that the other
# files do not. A life of each family runs in test_node_cycle, test_modem_me910c1_node and test_modem_*_field.
LEFT_OUT = {
    "the virtual modules and the server: no board runs them": ("test_vmodem_*", "test_link_*"),
    "the same steps of a node again and again, over days": (
        "test_node_boots", "test_node_families", "test_node_fleet", "test_node_health", "test_node_power", "test_node_remote",
        "test_node_unobserved", "test_update_node", "test_modem_options", "test_modem_contracts", "test_modem_hostile_pipes",
        "test_power_faults", "test_power_wake", "test_features_calendar", "test_features_diagnosis", "test_board_switched"),
}  # fmt: skip
# Boards have os.urandom, and binascii and hashlib in C; the webassembly port lacks the first and has the other two
# in Python as well, which it would prefer.
PROGRAM = """
import os, random, sys
frozen = sys.path[:]
sys.path[:] = []
import binascii, hashlib
sys.path[:] = frozen
sys.modules["binascii"], sys.modules["hashlib"] = binascii, hashlib
if not hasattr(os, "urandom"):
    os.urandom = lambda count: bytes([random.getrandbits(8) for _ in range(count)])
sys.path.insert(0, "/w/host_tests/runner")
import driver
driver.main({paths!r}, {file!r}, {names!r})
"""


def main(arguments: list[str]) -> int:
    """Run what was asked for; exit status 1 if a test failed anywhere, or nothing ran."""
    try:
        builds = Builds()
    except Missing as missing:
        print(f"matrix: {missing}", file=sys.stderr)
        return 1
    pythons = [version for version in CPYTHONS if find_python(version)]
    wanted, tests = arguments or builds.versions + pythons, files()
    if wanted == ["ends"]:
        wanted, tests = [builds.versions[0], builds.versions[-1], pythons[0], pythons[-1]], files(LEFT_OUT)
    unknown = [version for version in wanted if version not in builds.versions + pythons]
    if unknown:
        print(f"matrix: {', '.join(unknown)} is not at hand: {', '.join(builds.versions + pythons)} are", file=sys.stderr)
        return WRONG
    wanted = list(dict.fromkeys(wanted))
    rows = []
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda version: row(version, builds, tests), wanted):
            rows.append(found)
            doing(f"{len(rows)} of {len(wanted)} interpreters")
            say("matrix", f"{found[0]}: {found[1]} passed, {len(found[3])} failed, {found[4]:.0f} s")
    print(f"\n{'interpreter':28} {'passed':>7} {'skipped':>7} {'failed':>7} {'seconds':>8}")
    for name, passed, skipped, failures, seconds in rows:
        print(f"{name:28} {passed:7} {skipped:7} {len(failures):7} {seconds:8.1f}")
    for name, _, _, failures, _ in rows:
        for test, failure in failures.items():
            print(f"\n{name}: {test}\n{failure}")
    return 0 if all(passed and not failures for _, passed, _, failures, _ in rows) else 1


def files(left_out: dict[str, tuple[str, ...]] | None = None) -> list[Path]:
    """The portable test files, without those that a pattern of `left_out` names; ValueError for one that names none."""
    found = sorted((ROOT / "host_tests").glob("test_*.py"))
    for pattern in [pattern for patterns in (left_out or {}).values() for pattern in patterns]:
        before, found = found, [path for path in found if not path.match(pattern + ".py")]
        if found == before:
            raise ValueError(f"LEFT_OUT names {pattern}, which is no portable test file")
    return found


def row(version: str, builds: Builds, tests: list[Path]) -> tuple[str, int, int, dict[str, str], float]:
    """(name, tests passed, skipped, {test: failure}, seconds) of one interpreter."""
    began = time.monotonic()
    micropython = version in builds.versions
    run_all: Callable[[], dict[str, Outcome]] = (lambda: under_micropython(version, builds, tests)) if micropython else (
        lambda: under_cpython(version, tests))  # fmt: skip
    found = run_all()
    failures = {test: outcome.failure for test, outcome in found.items() if outcome.failure is not None}
    name = f"MicroPython {version}, 32-bit" if micropython else f"CPython {version}"
    skipped = sum(1 for outcome in found.values() if outcome.skipped)
    return name, len(found) - len(failures) - skipped, skipped, failures, time.monotonic() - began


def under_micropython(version: str, builds: Builds, tests: list[Path]) -> dict[str, Outcome]:
    """Portable test files in one release's webassembly build."""
    programs, names = [], {}
    for path in tests:
        names[path.name], reasons = inspect(path)
        if "CPYTHON_ONLY" not in reasons:
            code = PROGRAM.format(paths=PATHS, file=f"/w/host_tests/{path.name}", names=names[path.name])
            programs.append((path.name, code))
    seen = sources("lib", "firmware", "host_tests", "tools", "testing", "boards", "examples")
    found = {}
    for file, (output, error) in builds.run(version, dict(seen), programs).items():
        for test, outcome in outcomes(output, names[file], f"stopped ({error})").items():
            found[f"{file}::{test}"] = outcome
    return found


def find_python(version: str) -> str | None:
    """Path of an interpreter of that version that can make environments: on PATH, or one that pyenv keeps."""
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python3"))
    for path in [shutil.which(f"python{version}"), *map(str, kept)]:
        if path and subprocess.run([path, "-c", "import venv, ensurepip"], capture_output=True).returncode == 0:
            return path
    return None


def under_cpython(version: str, tests: list[Path]) -> dict[str, Outcome]:
    """Portable test files under one CPython, in an environment of its own with pytest alone."""
    venv = FOLDER / f"cpython-{version}"
    setup = f"import sys; sys.path.insert(0, 'tools'); import setup_env; sys.exit(setup_env.main(['test'], {str(venv)!r}))"
    done = subprocess.run([str(find_python(version)), "-c", setup], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        return {"setup": Outcome(done.stdout + done.stderr)}
    report = venv / "report.xml"
    command = [venv / "bin" / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "cpython", f"--junitxml={report}"]
    report.unlink(missing_ok=True)
    done = subprocess.run([*command, *map(str, tests)], cwd=ROOT, capture_output=True, text=True)
    if not report.exists():
        return {"pytest": Outcome(done.stdout + done.stderr)}
    return read_report(report)


def read_report(path: Path) -> dict[str, Outcome]:
    """Outcomes from pytest's XML."""
    import xml.etree.ElementTree as ElementTree

    found = {}
    for case in ElementTree.parse(path).iter("testcase"):
        problem = case.find("failure")
        problem = case.find("error") if problem is None else problem
        failure = None if problem is None else problem.text or problem.get("message") or "failed"
        found[f"{case.get('classname')}::{case.get('name')}"] = Outcome(failure)
    return found


if __name__ == "__main__":
    sys.exit(run(lambda: main(sys.argv[1:]), "matrix"))
