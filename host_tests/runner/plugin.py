"""pytest's side of the runner: collects each portable file a second time for MicroPython and counts per interpreter.

What was selected is shared out over lanes.py's processes, file by file.
"""

from __future__ import annotations

import ast
import collections
import functools
from pathlib import Path

import pytest

from . import lanes
from .process import Outcome, run_file

__all__ = ["pytest_collect_file", "pytest_pycollect_makemodule", "pytest_generate_tests", "pytest_runtestloop",
           "pytest_runtest_logreport", "pytest_terminal_summary", "running_interpreter"]  # fmt: skip

ONLY = {"CPYTHON_ONLY": "CPython", "MICROPYTHON_ONLY": "MicroPython"}
_counts: dict[str, collections.Counter[str]] = {}
_reasons: dict[str, str] = {}


def is_portable(path: Path, root: Path) -> bool:
    """True for a test file that both interpreters run."""
    return path.parent == root / "host_tests" and path.name.startswith("test_") and path.suffix == ".py"


def inspect(path: Path, strict: bool = False) -> tuple[list[str], dict[str, str]]:
    """(names of the tests, {CPYTHON_ONLY or MICROPYTHON_ONLY: reason}) of a portable file, without importing it.

    In a portable file (`strict`) what one of the two interpreters would silently not run raises ValueError.
    """
    names: list[str] = []
    reasons: dict[str, str] = {}
    for node in ast.parse(path.read_text(encoding="utf-8"), str(path)).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            if strict and node.name in names:
                raise ValueError(f"{path.name}:{node.lineno}: a second {node.name} hides the first")
            names.append(node.name)
        elif strict and isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            raise ValueError(f"{path.name}:{node.lineno}: portable tests are plain functions, not the class {node.name}")
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Constant):
            if node.targets[0].id in ONLY:
                reasons[node.targets[0].id] = str(node.value.value)
    return names, reasons


class MicroPythonFile(pytest.File):
    """The tests of one portable file as MicroPython runs them: those that were selected, in one process."""

    def __init__(self, **keywords):
        super().__init__(**keywords)
        self.selected: list[str] = []

    @functools.cached_property
    def outcomes(self) -> dict[str, Outcome]:
        return run_file(self.path, self.selected)

    def collect(self):
        try:
            names, reasons = inspect(self.path, strict=True)
        except (SyntaxError, ValueError) as error:
            raise self.CollectError(str(error))
        if not names:
            raise self.CollectError(f"{self.path.name} has no test function")
        if "CPYTHON_ONLY" not in reasons:
            for name in names:
                yield MicroPythonTest.from_parent(self, name=f"{name}[micropython]", function=name)


class MicroPythonTest(pytest.Item):
    """One test function; its outcome comes from the process that runs the whole file."""

    def __init__(self, *, function: str, **keywords):
        super().__init__(**keywords)
        self.function_name = function

    def runtest(self):
        outcome = self.parent.outcomes[self.function_name]
        if outcome.printed:
            self.add_report_section("call", "stdout", outcome.printed)
        if outcome.skipped:
            pytest.skip(outcome.skipped)
        if outcome.failure is not None:
            raise MicroPythonFailure(outcome.failure)

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, MicroPythonFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, None, self.name


class MicroPythonFailure(Exception):
    """A test failed under MicroPython; the text is that interpreter's traceback."""


class NotForCPython(pytest.Module):
    """A portable file that says MICROPYTHON_ONLY."""

    def collect(self):
        return []


def pytest_collect_file(file_path: Path, parent):
    """The second collector of each portable file; pytest's own makes the first."""
    if is_portable(file_path, parent.config.rootpath):
        return MicroPythonFile.from_parent(parent, path=file_path)
    return None


def pytest_pycollect_makemodule(module_path: Path, parent):
    """Note why a file is for one interpreter alone, and keep CPython from one that is for MicroPython."""
    try:
        reasons = inspect(module_path)[1]
    except SyntaxError:
        return None  # the import will say it
    for word, reason in reasons.items():
        _reasons[f"{module_path.relative_to(parent.config.rootpath)}"] = f"{ONLY[word]} only: {reason}"
    return NotForCPython.from_parent(parent, path=module_path) if "MICROPYTHON_ONLY" in reasons else None


@pytest.fixture
def running_interpreter(request):
    """Only there to mark a portable test's name with [cpython]."""
    return request.param


def pytest_generate_tests(metafunc):
    """Mark the tests of portable files."""
    if is_portable(metafunc.definition.path, metafunc.config.rootpath):
        metafunc.fixturenames.append("running_interpreter")
        metafunc.parametrize("running_interpreter", ["cpython"], indirect=True)


def pytest_runtestloop(session):
    """Say which tests of each file MicroPython is to run, and share out all of them; pytest's own loop runs a lone file."""
    for item in session.items:
        if isinstance(item, MicroPythonTest):
            item.parent.selected.append(item.function_name)
    return lanes.run(session)


def pytest_runtest_logreport(report):
    """Count outcomes per interpreter."""
    if report.when == "call" or (report.when == "setup" and report.outcome != "passed"):
        kind = "CPython, host tools"
        if report.nodeid.endswith("[cpython]"):
            kind = "CPython, portable"
        elif report.nodeid.endswith("[micropython]"):
            kind = "MicroPython, portable"
        _counts.setdefault(kind, collections.Counter())[report.outcome] += 1


def pytest_terminal_summary(terminalreporter):
    """How many tests each interpreter ran, and why some ran on one alone."""
    if not _counts:
        return
    terminalreporter.section("interpreters", sep="-")
    for kind in sorted(_counts):
        counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(_counts[kind].items()))
        terminalreporter.line(f"{kind + ':':23} {counts}")
    for file, reason in sorted(_reasons.items()):
        terminalreporter.line(f"{file}: {reason}")
