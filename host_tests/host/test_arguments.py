"""Whatever a person types wrong behind a target ends in one sentence that names the variable, and in status 2."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools import arguments

ROOT = Path(__file__).resolve().parent.parent.parent
SWITCHES = "APPLY ASK IMAGES SECURE DRY_RUN ERASE FORCE FROZEN RECORD SIMULATE TABLE VERBOSE WHERE".split()
# Wrong values of each variable that a target's help names, whatever the target.
WRONG = {
    "BOARD": ["ESP99"], "FAMILY": ["bc67"], "DAYS": ["0", "-5"], "SPEED": ["0"], "CYCLES": ["6"], "CAPACITY": ["-1"],
    "SEED": ["x"], "FAULTS": ["rain"], "SABOTAGE": ["all"], "SERVER": ["foo"], "CONFIG": ["none.json"], "SECRETS": ["docs"],
    "CSV": ["none.csv"], "FIRMWARE": ["none.bin"], "PACKAGE": ["none.lwu"], "OUT": ["README.md/x"], "NUMBER": ["0"],
    "ROWS": ["none.py"], "XML": ["none.xml"], "SOURCE": ["README.md"], "VERSIONS": ["2.7"], "FAILURES": ["101"],
    "PARALLEL": ["0"], "PATIENCE": ["-1"], "NODES": ["0"], "SECONDS": ["0"], "PERIOD": ["0"], "LESHAN": ["new"],
    "ARGS": ["--nonsense"], **{name: ["no"] for name in SWITCHES}}  # fmt: skip
# PORT is a serial port there, which is asked for what it is; frozen builds, files of an update and mutants have their own ways.
ELSEWHERE = {(target, "PORT") for target in ("deploy", "provision", "flash", "update")} | {
    (target, name) for target in ("update", "update-package") for name in ("FILES", "REMOVE")} | {
    ("objects", "FROZEN"), ("mutate", "PACKAGE"), ("mutate", "SAMPLE"), ("test", "ARGS"), ("search", "ARGS")}  # fmt: skip
# Names and shares, which the table of devices knows.
ELSEWHERE |= {(target, name) for target in ("fleet", "fleet-update", "fleet-status")
              for name in ("ROTATE", "LOST", "REPLACE", "WAVES", "FILES", "CRASH")}  # fmt: skip
NEEDED = {"flash": ["BOARD=RPI_PICO"], "image": ["BOARD=RPI_PICO"]}


def known():
    """(target, variable) of every target's help."""
    found = set()
    for path in [ROOT / "Makefile", *ROOT.glob("t*/*/Makefile.inc")]:
        for target, told in re.findall(r"^([a-z][a-z-]*):.*?## *(.*)", path.read_text(encoding="utf-8"), re.MULTILINE):
            found.update([(target, name) for name in re.findall(r"\b([A-Z][A-Z_]+)=", told)])
    return found - ELSEWHERE


def test_each_wrong_value_of_each_variable_of_each_target_is_answered_by_a_sentence():
    cases = [(target, name, value) for target, name in sorted(known())
             for value in WRONG["FAMILY" if name == "PORT" else name]]  # fmt: skip
    assert len(cases) > 40

    def said(case):
        target, name, value = case
        # Nothing is installed meanwhile: other tests run in the same environment.
        done = subprocess.run(["make", "SETUP=:", target, *NEEDED.get(target, []), f"{name}={value}"], cwd=ROOT,
                              capture_output=True, text=True, timeout=300)  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    with ThreadPoolExecutor(3) as pool:
        for case, (status, output) in zip(cases, pool.map(said, cases)):
            target, name, value = case
            lines = [line for line in output.splitlines() if (line and "***" not in line or f"{name}=" in line)
                     and not re.fullmatch(r"[\w-]+: .*, \d+ s", line)]  # fmt: skip
            assert status == 2 and "Traceback" not in output and "usage:" not in output, (case, output)
            assert len(lines) == 1 and value in lines[0] and (name in lines[0] or target in lines[0]), (case, output)
            assert "Error 1" not in output, (case, output)


def test_limits_themselves_are_taken_and_what_lies_beside_them_is_not(tmp_path):
    checks = [(arguments.number(0.5, 10), ("0.5", "10", "1e1"), ("0.49", "10.1", "nan", "inf", "", "ten")),
              (arguments.whole(-2, 10), ("-2", "10", "3"), ("-3", "11", "1.0", "1e1", "")),
              (arguments.one_of("bc66", "bg96"), ("bc66", "BG96"), ("bc6", "", "bc66,bg96")),
              (arguments.server, ("coap://h", "coaps://[::1]:5684", "coap://10.0.0.1:1/"),
               ("h", "http://h", "coap://", "coap://h:0", "coap://h:99999", "coap://h/rd")),
              (arguments.file, (__file__,), (str(tmp_path), str(tmp_path / "none"), "")),
              (arguments.folder, (str(tmp_path),), (__file__, "none")),
              (arguments.place, (str(tmp_path / "a" / "b"), "x"), (__file__ + "/x",))]  # fmt: skip
    for check, good, wrong in checks:
        for text in good:
            check(text)
        for text in wrong:
            try:
                check(text)
            except arguments.argparse.ArgumentTypeError as error:
                assert str(error).startswith("expected ")
                continue
            raise AssertionError(f"{text!r} was taken")


def test_a_reader_that_has_enough_ends_a_listing_without_a_word():
    for tool in ("testing.virtual_modem --list", "tools.boards list"):
        done = subprocess.run(f"{sys.executable} -m {tool} | head -1", shell=True, cwd=ROOT, capture_output=True, text=True)
        assert done.stdout.count("\n") == 1 and done.stderr == "", done.stderr


def test_no_tool_reads_its_arguments_in_a_way_of_its_own():
    found = [str(path.relative_to(ROOT)) for folder in ("tools", "testing") for path in (ROOT / folder).rglob("*.py")
             if "argparse.ArgumentParser(" in path.read_text(encoding="utf-8")]
    assert found == [], "tools.arguments.Parser answers a mistake with a sentence"


def test_what_takes_long_says_what_it_does_into_a_file_too(tmp_path):
    program = ("import time\nfrom tools import arguments, progress\nprogress.EVERY_S = 0.05\n"
               "def main():\n    progress.doing('half of it')\n    time.sleep(0.3)\n    print('done')\n"
               "raise SystemExit(arguments.run(main, 'matrix'))\n")  # fmt: skip
    with open(tmp_path / "log", "w") as log:
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
    told = (tmp_path / "log").read_text().splitlines()
    assert done.stdout == "done\n" and len(told) > 2 and set(told) == {"matrix: half of it, 0 s"}, told
