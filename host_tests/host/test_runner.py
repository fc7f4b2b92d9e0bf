"""The runner for two interpreters: what fails under one of them is reported, and nothing is silently not run."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def run(tmp_path):
    """run(files, *arguments) -> (exit status, {test id: outcome}, everything printed)."""

    def run_files(files, *arguments, **environment):
        (tmp_path / "host_tests").mkdir()
        (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\n")
        for name, source in files.items():
            path = tmp_path / "host_tests" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(textwrap.dedent(source))
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "host_tests"), **environment}
        command = [sys.executable, "-m", "pytest", "-p", "runner.plugin", "-rA", "--color=no", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
        found = re.findall(r"^(PASSED|FAILED|ERROR) host_tests/\S+?::(\S+)", done.stdout, re.MULTILINE)
        return done.returncode, {name: outcome for outcome, name in found}, done.stdout + done.stderr

    return run_files


def test_each_portable_test_runs_under_both_interpreters(run):
    status, outcomes, output = run({"test_a.py": "def test_one():\n    assert True\n"})
    assert status == 0
    assert outcomes == {"test_one[cpython]": "PASSED", "test_one[micropython]": "PASSED"}
    assert "CPython, portable:      1 passed" in output
    assert "MicroPython, portable:  1 passed" in output


def test_it_is_really_micropython(run):
    source = """
        import sys
        def test_name():
            assert sys.implementation.name == "micropython"
    """
    status, outcomes, output = run({"test_a.py": source})
    assert outcomes == {"test_name[cpython]": "FAILED", "test_name[micropython]": "PASSED"}
    assert status == 1


def test_a_failure_shows_the_traceback_with_its_source_line_and_what_was_printed(run):
    source = """
        import sys
        def check(x):
            assert x > 1
        def test_low():
            print("x is low")
            check(0 if sys.implementation.name == "micropython" else 2)
        def test_after():
            pass
    """
    status, outcomes, output = run({"test_a.py": source})
    assert outcomes["test_low[micropython]"] == "FAILED"
    assert outcomes["test_after[micropython]"] == "PASSED"
    assert re.search(r'test_a.py", line 4, in check\n    assert x > 1\nAssertionError', output)
    assert "x is low" in output
    assert status == 1


@pytest.mark.parametrize("error", ["ValueError('seven')", "SystemExit(0)", "KeyboardInterrupt('seven')"])
def test_a_test_that_raises_anything_has_failed(run, error):
    source = f"""
        import sys
        def test_raising():
            if sys.implementation.name == "micropython":
                raise {error}
    """
    _, outcomes, output = run({"test_a.py": source})
    assert outcomes == {"test_raising[cpython]": "PASSED", "test_raising[micropython]": "FAILED"}
    assert error.split("(")[0] in output


def test_a_file_that_cannot_be_imported_fails_each_of_its_tests(run):
    source = """
        import sys
        if sys.implementation.name == "micropython":
            import no_such_module
        def test_one():
            pass
        def test_two():
            pass
    """
    status, outcomes, output = run({"test_a.py": source})
    assert outcomes["test_one[micropython]"] == outcomes["test_two[micropython]"] == "FAILED"
    assert "no module named 'no_such_module'" in output
    assert status == 1


CRASH = """
    import sys
    def test_before():
        pass
    def test_crash():
        if sys.implementation.name == "micropython":
            print("last words")
            {crash}
    def test_after():
        pass
"""


def test_a_crash_fails_the_test_it_happened_in_and_those_not_reached(run):
    crash = "import uctypes; uctypes.bytearray_at(8, 1)[0]"
    status, outcomes, output = run({"test_a.py": CRASH.format(crash=crash), "test_b.py": "def test_b():\n    pass\n"})
    assert outcomes["test_before[micropython]"] == "PASSED"
    assert outcomes["test_crash[micropython]"] == outcomes["test_after[micropython]"] == "FAILED"
    assert outcomes["test_b[micropython]"] == "PASSED"
    assert "was killed by SIGSEGV in this test" in output
    assert "not reached: MicroPython was killed by SIGSEGV in test_crash" in output
    assert "last words" in output
    assert status == 1


def test_a_hanging_test_is_stopped_and_reported(run):
    source = CRASH.format(crash="while True: pass")
    _, outcomes, output = run({"test_a.py": source}, MICROPYTHON_TEST_LIMIT="2")
    assert outcomes["test_before[micropython]"] == "PASSED"
    assert outcomes["test_crash[micropython]"] == outcomes["test_after[micropython]"] == "FAILED"
    assert "had not finished after 2 s in this test" in output


def test_a_missing_interpreter_fails_the_tests_and_says_what_to_do(run):
    _, outcomes, output = run({"test_a.py": "def test_one():\n    pass\n"}, MICROPYTHON="/no/such/micropython")
    assert outcomes["test_one[micropython]"] == "FAILED"
    assert "run make setup" in output


TWO = "def test_one():\n    pass\ndef test_two():\n    pass\n"


def test_what_an_interpreter_lacks_is_asked_and_said(run):
    source = """
        MICROPYTHON_ONLY = "asks for its modules"
        NEEDS = "sys.print_exception sys.no_such_name"
        def test_one():
            assert False
    """
    status, outcomes, output = run({"test_a.py": source, "test_b.py": source.replace(" sys.no_such_name", "")})
    assert "this interpreter has no sys.no_such_name" in output
    assert outcomes == {"test_one[micropython]": "FAILED"}, "the file whose needs are met runs"
    assert "1 failed, 1 skipped" in output


def test_tests_are_selected_by_node_id_with_or_without_the_interpreter(run):
    _, outcomes, _ = run({"test_a.py": TWO}, "host_tests/test_a.py::test_one[micropython]")
    assert set(outcomes) == {"test_one[micropython]"}


def test_a_node_id_without_the_interpreter_means_both(run):
    _, outcomes, _ = run({"test_a.py": TWO}, "host_tests/test_a.py::test_two")
    assert set(outcomes) == {"test_two[cpython]", "test_two[micropython]"}


def test_tests_are_selected_by_keyword(run):
    _, outcomes, _ = run({"test_a.py": TWO}, "-k", "one and micropython")
    assert set(outcomes) == {"test_one[micropython]"}


def test_reasons_for_one_interpreter_are_printed_and_kept_to(run):
    files = {
        "test_a.py": 'CPYTHON_ONLY = "needs threads"\ndef test_a():\n    pass\n',
        "test_b.py": 'MICROPYTHON_ONLY = "needs its heap"\ndef test_b():\n    pass\n',
        "host/test_c.py": "class TestC:\n    def test_c(self):\n        pass\n",
    }
    status, outcomes, output = run(files)
    assert set(outcomes) == {"test_a[cpython]", "test_b[micropython]", "TestC::test_c"}
    assert "host_tests/test_a.py: CPython only: needs threads" in output
    assert "host_tests/test_b.py: MicroPython only: needs its heap" in output
    assert "CPython, host tools:    1 passed" in output
    assert status == 0


@pytest.mark.parametrize(
    "source, complaint",
    [
        ("def test_a():\n    pass\ndef test_a():\n    pass\n", "test_a.py:3: a second test_a hides the first"),
        ("def test_a():\n    pass\nclass TestB:\n    pass\n", "portable tests are plain functions, not the class TestB"),
        ("x = 1\n", "test_a.py has no test function"),
    ],
)
def test_what_an_interpreter_would_silently_not_run_is_refused(run, source, complaint):
    status, _, output = run({"test_a.py": source})
    assert complaint in output
    assert status != 0


def test_every_test_of_lib_for_one_interpreter_gives_its_reason():
    """make test prints the reasons; here none may be missing."""
    missing = []
    for path in (ROOT / "host_tests" / "host").glob("test_*.py"):
        source = path.read_text(encoding="utf-8")
        if re.search(r"^\s*(from|import) lwnode\b", source, re.MULTILINE) and "\nCPYTHON_ONLY = " not in source:
            missing.append(path.name)
    assert not missing, f"these import lwnode and need CPYTHON_ONLY = 'the reason': {missing}"
