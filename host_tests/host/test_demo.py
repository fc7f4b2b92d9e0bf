"""The demo's own book-keeping, and that it fails when a protection is off: a check that cannot fail proves nothing."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools.demo import sabotage
from tools.demo.dialogue import Dialogue
from tools.demo.ledger import Ledger

REAL_TIME = "lives of a node whose sleep alone is shortened"
ROOT = Path(__file__).resolve().parent.parent.parent


def _ledger(taken, arrived):
    ledger = Ledger()
    for number, text in enumerate(taken):
        ledger.take("temperature", text, 1000.0 + 60 * number)
    for text, at, late in arrived:
        ledger.arrive("/3303/0/5700", float(text), at, late)
    return ledger


def test_a_reading_that_never_arrives_is_lost_and_one_that_comes_twice_is_a_duplicate():
    ledger = _ledger(["20.00", "20.01", "20.02"], [("20.00", 1000, False), ("20.02", 1121, False), ("20.02", 1180, False)])
    assert [reading[1] for reading in ledger.lost] == ["20.01"]
    assert ledger.duplicates == 1
    assert [arrival.text for arrival in ledger.delivered] == ["20.00", "20.02"]
    assert not ledger.invented


def test_a_value_that_no_sensor_gave_is_seen():
    assert [arrival.text for arrival in _ledger(["20.00"], [("20.00", 1000, False), ("99.00", 1, False)]).invented] == ["99.00"]


def test_order_and_times_are_judged_by_when_the_reading_was_taken():
    right = _ledger(["20.00", "20.01"], [("20.00", 1000, True), ("20.01", 1061, True)])
    assert right.order_kept() and right.worst_time() == 1
    wrong = _ledger(["20.00", "20.01"], [("20.01", 1060, True), ("20.00", 1300, True)])
    assert not wrong.order_kept() and wrong.worst_time() == 300
    again = _ledger(["20.00", "20.01"], [("20.00", 1000, True), ("20.01", 1061, True), ("20.00", 1070, False)])
    assert again.order_kept()  # what comes once more, and late, came first in its place


def test_an_actuators_state_is_no_reading():
    ledger = Ledger()
    ledger.arrive("/3306/0/5850", True, 0, False)
    assert ledger.arrived == []


def test_the_dialogue_counts_whole_lines_whatever_the_chunks_and_shows_no_secret():
    shown = []
    dialogue = Dialogue(("30313233343536",), lambda direction, line: shown.append(line))
    for piece in (b"AT+QLW", b'CONFIG=0,"x",5684,"e",900,0,"id","3031323', b'3343536"\rAT+QLWNOT', b"IFY=1\r"):
        dialogue.heard("host", piece)
    dialogue.heard("module", b'\r\nOK\r\n\r\n+QLWURC: "recovered",0\r\n')
    assert (dialogue.commands, dialogue.notifications, dialogue.recoveries) == (2, 1, 1)
    assert not any("30313" in line for line in shown)


# What each demo must say: the way by which the server came, the row that is NO without the protection.
WAYS = {"bc20": "command on 19/1/0", "bg96": "between two reports", "me910c1": "answered a read with the latest reading"}
NOTICED = {"journal": "every reading arrived", "confirm": "every reading arrived",
           "recover": "the session was recovered after sleep, status 7"}  # fmt: skip


@pytest.fixture(scope="module")
def demos():
    """Each family's demo and each sabotage, all at once, for they mostly wait: name -> (status, what it said)."""
    runs = {}
    for option, name in [("--family", name) for name in WAYS] + [("--sabotage", name) for name in sabotage.PATCHES]:
        command = [sys.executable, "-m", "tools.demo", option, name, "--speed", "60", "--cycles", "7"]
        runs[name] = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = {name: run.communicate(timeout=600)[0] for name, run in runs.items()}
    return {name: (run.returncode, said[name]) for name, run in runs.items()}


@pytest.mark.parametrize("name", WAYS)
def test_the_demo_of_each_contract_loses_nothing_and_says_by_what_way_the_server_came(demos, name):
    status, said = demos[name]
    assert status == 0 and WAYS[name] in said, said[-3000:]


@pytest.mark.parametrize("name", sabotage.PATCHES)
def test_each_protection_switched_off_makes_the_demo_fail(demos, name):
    status, said = demos[name]
    assert status == 1, said[-3000:]
    row = next((line for line in said.split("\n") if NOTICED[name] in line), "")
    assert "NO" in row, f"{row!r}\n{said[-3000:]}"
    last = said.strip().split("\n")[-1]
    assert last.startswith(f"SABOTAGE={name} ") and last.endswith("failing is the expected result"), last


def test_make_board_gives_a_prompt_to_mpremote_and_ends_cleanly():
    command = [sys.executable, "-u", "-m", "tools.demo.board", "--port", "rp2", "--family", "bg96"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    desk = subprocess.Popen(command, cwd=ROOT, text=True, **pipes)
    try:
        line = next(line for line in desk.stdout if "mpremote connect" in line)
        words = [sys.executable, *line.split()[1:], "resume", "exec", "from shell import *; report(); print(at('+CGMM'))"]
        typed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert "['BG96']" in typed.stdout, typed.stdout + typed.stderr
        desk.stdin.write("clients\n")
        desk.stdin.flush()
        told = next(line for line in desk.stdout if line.startswith("server  ["))
        assert "urn:dev:lwnode-board" in told
    finally:
        desk.send_signal(signal.SIGINT)
        rest = desk.communicate(timeout=60)[0]
    assert desk.returncode == 0 and rest.endswith("\neverything is off\n") and "Traceback" not in rest, rest
