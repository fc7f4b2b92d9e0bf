"""The runner for two interpreters: what fails under one of them is reported, and nothing is silently not run."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tools.matrix import __main__ as matrix
from tools.matrix import webassembly

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """run(files, *arguments) -> (exit status, {file::test: outcome}, everything printed)."""

    def run_files(files, *arguments, **environment):
        folder = tmp_path_factory.mktemp("runner")
        (folder / "host_tests" / "host").mkdir(parents=True)
        (folder / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\n")
        for name, source in files.items():
            (folder / "host_tests" / name).write_text(textwrap.dedent(source))
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "host_tests"), **environment}
        command = [sys.executable, "-m", "pytest", "-p", "runner.plugin", "-rA", "--color=no", *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
        found = re.findall(r"^(PASSED|FAILED|ERROR) host_tests/(\S+?)(\.py::\S+)", done.stdout, re.MULTILINE)
        outcomes = {(name + test).replace(".py::", "::"): outcome for outcome, name, test in found}
        return done.returncode, outcomes, done.stdout + done.stderr

    return run_files


ONE = "def test_one():\n    assert True\n"
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
RAISING = """
    import sys
    def test_raising():
        if sys.implementation.name == "micropython":
            raise {error}
"""
NEEDS = """
    MICROPYTHON_ONLY = "asks for its modules"
    NEEDS = "sys.print_exception{more}"
    def test_one():
        assert False
"""
ERRORS = {"value": "ValueError('seven')", "exit": "SystemExit(0)", "interrupt": "KeyboardInterrupt('seven')"}
FILES = {
    "test_name.py": """
        import sys
        def test_name():
            assert sys.implementation.name == "micropython"
        """,
    "test_traceback.py": """
        import sys
        def check(x):
            assert x > 1
        def test_low():
            print("x is low")
            check(0 if sys.implementation.name == "micropython" else 2)
        def test_after():
            pass
        """,
    "test_import.py": """
        import sys
        if sys.implementation.name == "micropython":
            import no_such_module
        def test_one():
            pass
        def test_two():
            pass
        """,
    "test_crash.py": CRASH.format(crash="import uctypes; uctypes.bytearray_at(8, 1)[0]"),
    "test_met.py": NEEDS.format(more=""),
    "test_unmet.py": NEEDS.format(more=" sys.no_such_name"),
    "test_z.py": ONE,
    **{f"test_{name}.py": RAISING.format(error=error) for name, error in ERRORS.items()},
}


@pytest.fixture(scope="module")
def much(run):
    """One run of files in which something is wrong."""
    return run(FILES)


def test_each_portable_test_runs_under_both_interpreters(run):
    files = {"test_p.py": ONE, "test_a.py": 'CPYTHON_ONLY = "needs threads"\ndef test_a():\n    pass\n',
             "test_b.py": 'MICROPYTHON_ONLY = "needs its heap"\ndef test_b():\n    pass\n',
             "host/test_c.py": "class TestC:\n    def test_c(self):\n        pass\n"}
    status, outcomes, output = run(files)
    assert status == 0
    assert set(outcomes) == {"test_p::test_one[cpython]", "test_p::test_one[micropython]", "test_a::test_a[cpython]",
                             "test_b::test_b[micropython]", "host/test_c::TestC::test_c"}  # fmt: skip
    assert set(outcomes.values()) == {"PASSED"}
    for line in ("CPython, portable:      2 passed", "MicroPython, portable:  2 passed", "CPython, host tools:    1 passed",
                 "host_tests/test_a.py: CPython only: needs threads", "host_tests/test_b.py: MicroPython only: needs its heap"):
        assert line in output


def test_it_is_really_micropython(much):
    status, outcomes, _ = much
    assert outcomes["test_name::test_name[cpython]"] == "FAILED" and status == 1
    assert outcomes["test_name::test_name[micropython]"] == "PASSED"


def test_a_failure_shows_the_traceback_with_its_source_line_and_what_was_printed(much):
    _, outcomes, output = much
    assert outcomes["test_traceback::test_low[micropython]"] == "FAILED"
    assert outcomes["test_traceback::test_after[micropython]"] == "PASSED"
    assert re.search(r'test_traceback.py", line 4, in check\n    assert x > 1\nAssertionError', output)
    assert "x is low" in output


def test_a_test_that_raises_anything_has_failed(much):
    _, outcomes, output = much
    for name, error in ERRORS.items():
        assert outcomes[f"test_{name}::test_raising[cpython]"] == "PASSED"
        assert outcomes[f"test_{name}::test_raising[micropython]"] == "FAILED"
        assert error.split("(")[0] in output


def test_a_file_that_cannot_be_imported_fails_each_of_its_tests(much):
    _, outcomes, output = much
    assert outcomes["test_import::test_one[micropython]"] == outcomes["test_import::test_two[micropython]"] == "FAILED"
    assert "no module named 'no_such_module'" in output


def test_a_crash_fails_the_test_it_happened_in_and_those_not_reached(much):
    _, outcomes, output = much
    assert outcomes["test_crash::test_before[micropython]"] == "PASSED"
    assert outcomes["test_crash::test_crash[micropython]"] == outcomes["test_crash::test_after[micropython]"] == "FAILED"
    assert outcomes["test_z::test_one[micropython]"] == "PASSED", "the next file runs"
    assert "was killed by SIGSEGV in this test" in output
    assert "not reached: MicroPython was killed by SIGSEGV in test_crash" in output
    assert "last words" in output


def test_what_an_interpreter_lacks_is_asked_and_said(much):
    _, outcomes, output = much
    assert "this interpreter has no sys.no_such_name" in output
    assert outcomes["test_met::test_one[micropython]"] == "FAILED", "the file whose needs are met runs"
    assert "test_unmet::test_one[micropython]" not in outcomes and ", 1 skipped" in output


def test_a_hanging_test_is_stopped_and_reported(run):
    _, outcomes, output = run({"test_a.py": CRASH.format(crash="while True: pass")}, MICROPYTHON_TEST_LIMIT="2")
    assert outcomes["test_a::test_before[micropython]"] == "PASSED"
    assert outcomes["test_a::test_crash[micropython]"] == outcomes["test_a::test_after[micropython]"] == "FAILED"
    assert "had not finished after 2 s in this test" in output


def test_a_lane_that_dies_fails_its_test_and_what_it_had_not_run_and_another_goes_on(run):
    dies = "import os\ndef test_before():\n    pass\ndef test_dies():\n    os._exit(7)\ndef test_after():\n    pass\n"
    many = {f"host/test_{name}.py": ONE for name in "bcdefghijk"}
    files = {"host/test_a.py": dies, **many, "host/test_l.py": 'REAL_TIME = "waits for a port"\n' + dies}
    status, outcomes, output = run(files)
    for name in "al":
        found = [outcomes[f"host/test_{name}::test_{test}"] for test in ("before", "dies", "after")]
        assert found == ["PASSED", "FAILED", "FAILED"]
    assert status == 1 and list(outcomes.values()).count("PASSED") == 12 and "its process ended with 7" in output


def test_the_first_failure_ends_all_lanes_where_that_is_asked(run):
    files = {f"host/test_{name}.py": "def test_one():\n    assert False\n" for name in "abcdefghijkl"}
    status, outcomes, output = run(files, "-x")
    assert status == 1 and len(outcomes) < 12 and "stopping after " in output


def test_a_missing_interpreter_fails_the_tests_and_says_what_to_do(run):
    _, outcomes, output = run({"test_a.py": ONE}, MICROPYTHON="/no/such/micropython")
    assert outcomes["test_a::test_one[micropython]"] == "FAILED"
    assert "run make setup" in output


@pytest.mark.parametrize("arguments, chosen", [
    (["host_tests/test_a.py::test_one[micropython]", "host_tests/test_a.py::test_two"],
     {"test_one[micropython]", "test_two[cpython]", "test_two[micropython]"}),  # a node id with and without the interpreter
    (["-k", "one and micropython"], {"test_one[micropython]"}),
])
def test_tests_are_selected_by_node_id_and_by_keyword(run, arguments, chosen):
    _, outcomes, _ = run({"test_a.py": ONE + "def test_two():\n    pass\n"}, *arguments)
    assert set(outcomes) == {"test_a::" + name for name in chosen}


def test_what_an_interpreter_would_silently_not_run_is_refused(run):
    refused = {
        "test_a.py": ("def test_a():\n    pass\ndef test_a():\n    pass\n", "test_a.py:3: a second test_a hides the first"),
        "test_b.py": ("def test_a():\n    pass\nclass TestB:\n    pass\n",
                      "portable tests are plain functions, not the class TestB"),
        "test_c.py": ("x = 1\n", "test_c.py has no test function"),
    }  # fmt: skip
    status, outcomes, output = run({name: source for name, (source, _) in refused.items()})
    assert [complaint for _, complaint in refused.values() if complaint not in output] == []
    assert status != 0 and not [name for name, outcome in outcomes.items() if outcome == "PASSED"]


def test_every_test_of_lib_for_one_interpreter_gives_its_reason():
    """make test prints the reasons; here none may be missing."""
    missing = []
    for path in (ROOT / "host_tests" / "host").glob("test_*.py"):
        source = path.read_text(encoding="utf-8")
        if re.search(r"^\s*(from|import) lwnode\b", source, re.MULTILINE) and "\nCPYTHON_ONLY = " not in source:
            missing.append(path.name)
    assert not missing, f"these import lwnode and need CPYTHON_ONLY = 'the reason': {missing}"


@pytest.mark.parametrize(("ends", "said"), [("sleep 60", "not finished after 1 s"), ("echo full >&2", "died: full")])
def test_a_line_of_the_matrix_that_is_cut_short_is_a_program_not_finished(tmp_path, monkeypatch, ends, said):
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\ncat > job\necho '{\"name\": \"a\", \"output\": \"1\", \"error\": null}'\n"
                    f"printf '{{\"name\": \"b\", \"out'\nexec {ends}\n")  # fmt: skip
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(webassembly, "LIMIT_S", 1)
    monkeypatch.chdir(tmp_path)
    builds = webassembly.Builds.__new__(webassembly.Builds)
    builds._folder = tmp_path
    found = builds.run("1.29", {}, [(name, "") for name in "abc"])
    assert found.pop("a") == ("1", None)
    assert all(output == "" and said in error for output, error in found.values()) and set(found) == {"b", "c"}


def test_what_the_matrix_leaves_out_is_there_to_be_left_out():
    assert 0 < len(matrix.files(matrix.LEFT_OUT)) < len(matrix.files())
    with pytest.raises(ValueError, match="test_no_such"):
        matrix.files({"a reason": ("test_no_such*",)})
