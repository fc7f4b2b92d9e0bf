"""`make mutate`: how many small changes of lib/ do the tests notice, and which not?

    make mutate PACKAGE=at             its usual sample
    make mutate PACKAGE=at SAMPLE=all  every mutant: hours
    python -m tools.mutate power --only journal --sample all

mutmut makes the mutants (`<` for `<=`, 2 for 1, None for a value, a call without one argument) and runs the portable tests
under CPython against each, in one process, in a copy of the tree below build/mutate. A package's tests are the files named
after it; those that PACKAGES calls slow run against what the others have not noticed. A sample is drawn with a seed of its
own, so that two runs of one tree judge the same mutants.

build/mutate/NAME.txt gets the share and a diff of each survivor. "No test" means that nothing runs the function at all.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter, namedtuple
from pathlib import Path

from tools import arguments


ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "build" / "mutate"
FOLDERS = ("host_tests", "testing", "tools", "firmware", "examples", "boards", "docs")
SEED = 18
# What a test runner's status means (mutmut's own table); a mutant that hangs is noticed, too.
KILLED, SURVIVED, UNTESTED = (1, 3, -24, 24, 36, 152, 255, -11, -9), (0,), (5, 33)

Package = namedtuple("Package", "sources tests slow sample")
PACKAGES = {
    # uart.py is for a PC, and host_tests/host/test_at_alone.py opens real terminals for it
    "at": Package("at/[cflr]*.py", "test_at_*.py", "every_position or never_pauses or random_streams", 300),
    "lwm2m": Package("lwm2m/*.py", "test_lwm2m_*.py", "", 200),
    "power": Package("power/*.py", "test_power_*.py", "test_power_faults or test_power_wake", 200),
    "bc66": Package("modem/bc66/*.py", "test_modem_bc66*.py", "", 200),
}
_SETUP = """[mutmut]
source_paths=
    src
only_mutate=
    src/lwnode/{sources}
also_copy=
    {folders}
pytest_add_cli_args=
    -k
    not micropython{slow}
    --import-mode=importlib
pytest_add_cli_args_test_selection=
    {tests}
timeout_multiplier=4
timeout_constant=3
use_git_change_detection=false
"""
# In the copy: the diffs of the mutants named on standard input.
_DIFFS = """import sys
from mutmut.mutation.diff_apply import get_diff_for_mutant
for name in sys.stdin.read().split():
    print("=" * 100)
    print(name)
    print(get_diff_for_mutant(name))
"""


def prepare(package, folder):
    """A copy of the tree in `folder`; lib/ is called src there, so that mutmut takes it for no part of a module's name."""
    shutil.rmtree(folder, ignore_errors=True)
    skip = shutil.ignore_patterns("__pycache__", "node_modules", "build")
    shutil.copytree(ROOT / "lib", folder / "src", ignore=skip)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=skip)
    (folder / "mutants").mkdir()
    (folder / "mutants" / "lib").symlink_to("src")  # where conftest.py looks
    configure(package, folder, package.slow)


def configure(package, folder, slow):
    """Say in the copy what mutmut changes and which tests it runs: all of the package but those called `slow`."""
    tests = sorted(str(each.relative_to(ROOT)) for each in (ROOT / "host_tests").glob(package.tests))
    slow = f" and not ({slow})" if slow else ""
    text = _SETUP.format(sources=package.sources, slow=slow, folders="\n    ".join(FOLDERS), tests="\n    ".join(tests))
    (folder / "setup.cfg").write_text(text)


def survivors(found, judged):
    """Those of the judged that no test noticed."""
    return [each for each in judged if found[each] in SURVIVED + UNTESTED]


def mutmut(folder, names, log):
    """Run these mutants; False where mutmut ended with another status than 0."""
    command = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children", "1", *names]
    with open(log, "ab") as output:
        done = subprocess.run(command, cwd=folder, stdout=output, stderr=output, check=False, env={**os.environ, "LANES": "0"})
        return done.returncode == 0


def verdicts(folder):
    """{mutant: status or None} of all files."""
    found = {}
    for file in sorted((folder / "mutants" / "src").rglob("*.meta")):
        found.update(json.loads(file.read_text())["exit_code_by_key"])
    return found


def chosen(names, sample, only, seed):
    """The mutants to be judged: `sample` of them, all where it is None, of the modules or functions whose name has `only`."""
    names = sorted(name for name in names if only in name)
    if sample is None or sample >= len(names):
        return names
    return sorted(random.Random(seed).sample(names, sample))


def report(name, folder, judged, found):
    """Write build/mutate/NAME.txt; the summary line."""
    count = Counter("killed" if found[each] in KILLED else "survived" if found[each] in SURVIVED else
                    "no test" if found[each] in UNTESTED else "not judged" for each in judged)  # fmt: skip
    left = survivors(found, judged)
    share = 100 * count["killed"] / max(1, count["killed"] + len(left))
    line = f"{name}: {share:.1f} % of {len(judged)} judged ({len(found)} in all) killed: " + ", ".join(
        f"{number} {kind}" for kind, number in sorted(count.items()))  # fmt: skip
    diffs = subprocess.run([sys.executable, "-c", _DIFFS], input="\n".join(left), cwd=folder, capture_output=True, text=True,
                           check=False)  # fmt: skip
    by_file = Counter(each.rpartition(".")[0] for each in judged)
    lines = [line, ""]
    for module, number in sorted(by_file.items()):
        lost = sum(each.startswith(module + ".") for each in left)
        lines.append(f"  {module}: {100 - 100 * lost / number:.1f} % of {number}")
    FOLDER.joinpath(name + ".txt").write_text("\n".join(lines) + "\n\n" + diffs.stdout + diffs.stderr)
    return line


def main(words=None):
    """See the module."""
    parser = arguments.Parser("make mutate", __doc__)
    parser.add_argument("package", nargs="*", help=f"of {', '.join(PACKAGES)}; all where none is named")
    parser.add_argument("--sample", default="", help="how many mutants, or all (default: as PACKAGES says)")
    parser.add_argument("--seed", type=int, default=SEED, help="draw another sample")
    parser.add_argument("--quick", action="store_true", help="leave the slow tests out altogether")
    parser.add_argument("--again", action="store_true", help="only those that the last run's list has as not killed")
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose dotted name has this: journal, xǁLineBuffer")
    told = parser.parse_args(words)
    if told.sample not in ("", "all") and not told.sample.isdigit():
        parser.error(f"SAMPLE: expected a number of mutants, or all, found {told.sample!r}")
    for name in told.package or PACKAGES:
        if name not in PACKAGES:
            parser.error(f"no package {name}: it is {', '.join(PACKAGES)}")
        package, folder = PACKAGES[name], FOLDER / name
        prepare(package, folder)
        log = FOLDER / f"{name}.log"
        log.unlink(missing_ok=True)
        mutmut(folder, ["none of them"], log)  # makes them and learns which test runs what; it objects that none is asked for
        names = verdicts(folder)
        if not names:
            sys.exit(f"make mutate: mutmut has made nothing: see {log}")
        if told.again:
            names = {each: None for each in FOLDER.joinpath(name + ".txt").read_text().split() if each in names}
        judged = chosen(names, None if told.again or told.sample == "all" else int(told.sample or package.sample), told.only,
                        told.seed)
        print(f"{name}: {len(judged)} of {len(names)} mutants are judged, at a few seconds each", flush=True)
        if not mutmut(folder, judged, log):
            sys.exit(f"make mutate: mutmut failed: see {log}")
        found = verdicts(folder)
        left = survivors(found, judged)
        if package.slow and left and not told.quick:
            print(f"{name}: {len(left)} are left for the slow tests, at half a minute each", flush=True)
            configure(package, folder, "")
            mutmut(folder, left, log)
            found.update({each: verdict for each, verdict in verdicts(folder).items() if each in left})
        print(report(name, folder, judged, found), flush=True)


if __name__ == "__main__":
    main()
