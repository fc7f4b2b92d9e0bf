"""One MicroPython process for one test file: starts it, reads driver.py's lines, turns them into outcomes."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .driver import MARK

ROOT = Path(__file__).resolve().parent.parent.parent
DRIVER = Path(__file__).with_name("driver.py")
FOLDERS = (".", "lib", "host_tests", "firmware")
HEAP = "16m"  # the models of testing/ run in it too; what a board has is measured by make bench, not here
LIMIT_S = float(os.environ.get("MICROPYTHON_TEST_LIMIT", "180"))  # one file; time in tests is virtual, so most take a second


@dataclass
class Outcome:
    """What became of one test: `failure` is None where it passed or was skipped for a reason."""

    failure: str | None
    printed: str = ""
    skipped: str = ""


def interpreter() -> str:
    """Path of MicroPython: $MICROPYTHON, or the wheel's in .venv."""
    return os.environ.get("MICROPYTHON") or str(ROOT / ".venv" / "bin" / "micropython")


def run_file(file: Path, names: list[str]) -> dict[str, Outcome]:
    """Run tests of one file; every name gets an outcome, whatever happens to the process."""
    paths = ":".join(str(ROOT / folder) for folder in FOLDERS)
    command = [interpreter(), "-X", f"heapsize={HEAP}", str(DRIVER), paths, str(file), *names]
    for left in (2, 1, 0):
        try:
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
            break
        except OSError as error:
            # A container's kernel has answered EFAULT to one start of hundreds; nothing of the test had run yet.
            if not left or error.errno not in (errno.EFAULT, errno.EAGAIN, errno.ENOMEM):
                return {name: Outcome(f"MicroPython does not start ({error}): run make setup") for name in names}
            time.sleep(1)
    try:
        output, _ = process.communicate(timeout=LIMIT_S)
        ending = how_it_ended(process.returncode)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        ending = f"was stopped: the file had not finished after {LIMIT_S:g} s"
    return outcomes(output.decode("utf-8", "replace"), names, ending)


def how_it_ended(status: int) -> str:
    """The end of a process in words."""
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def outcomes(output: str, names: list[str], ending: str) -> dict[str, Outcome]:
    """Read the driver's lines. A test in progress when they stop has failed, and so has each that was not reached."""
    found: dict[str, Outcome] = {}
    current, printed, done = "", [], False
    for line in output.splitlines():
        if MARK not in line:
            printed.append(line)
            continue
        before, line = line.split(MARK, 1)  # a test may leave its last line unfinished
        if before:
            printed.append(before)
        word, _, rest = line.partition(" ")
        if word == "run":
            current, printed = rest, []
        elif word in ("pass", "fail", "skip"):
            found[rest] = Outcome("" if word == "fail" else None, "\n".join(printed))
        elif word == "|" and found[current].failure is None:
            found[current].skipped += rest
        elif word == "|":
            found[current].failure = (found[current].failure or "") + with_source(rest) + "\n"
        done = done or word == "done"
    for name in names:
        if name in found:
            continue
        if name == current:
            found[name] = Outcome(f"MicroPython {ending} in this test", "\n".join(printed))
        else:
            where = f"in {current}" if current else "before the first test"
            found[name] = Outcome(f"not reached: MicroPython {ending} {where}", "" if current else "\n".join(printed))
    if not done and all(found[name].failure is None for name in names):
        found[names[-1]] = Outcome(f"MicroPython {ending} after the last test", "\n".join(printed))
    return found


def with_source(line: str) -> str:
    """A traceback's line with the source line below it, as CPython would show."""
    place = re.match(r'\s*File "([^"]+)", line (\d+)', line)
    if not place:
        return line
    try:
        source = Path(place.group(1)).read_text(encoding="utf-8").splitlines()[int(place.group(2)) - 1]
    except (OSError, IndexError):
        return line
    return f"{line}\n    {source.strip()}"
