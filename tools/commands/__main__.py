"""python -m tools.commands: run the tests of drivers and models, and hold the manuals' 292 rows against what was said.

Writes COMMANDS.md beside this file and prints what is missing. Exit status 1 if any row is neither driven nor excused, or
not modelled, or if rows are fewer than those of the manuals.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.commands import quirks
from tools.commands.rows import FAMILIES, Evidence, Row, command_name, is_write, load_evidence, load_rows, matches

_ROOT = Path(__file__).resolve().parent.parent.parent
_COUNT = {"BC20": 44, "BC66": 101, "BG96": 57, "Telit": 90}
_NOTHING = Evidence((), (), "")


def record() -> "dict[str, object]":
    """Traffic and passed tests of one run under CPython."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "traffic.json"
        wanted = ("test_modem*.py", "test_vmodem*.py", "host/test_bg96*.py", "host/test_vmodem*.py", "test_node_shell.py")
        tests = sorted([str(path) for pattern in wanted for path in (_ROOT / "host_tests").glob(pattern)])
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "tools.commands.recorder", "-k", "not micropython", *tests],
            cwd=_ROOT, env={**os.environ, "LWNODE_TRAFFIC": str(file)}, capture_output=True, text=True, check=False)
        if not file.exists() or run.returncode not in (0, 5):
            print(run.stdout[-3000:], run.stderr[-2000:], file=sys.stderr)
        return json.loads(file.read_text()) if file.exists() else {"traffic": {}, "passed": []}


class Judge:
    """What counts for a row."""

    def __init__(self, recorded: "dict[str, object]") -> None:
        self._traffic: "dict[str, dict[str, dict[str, list[str]]]]" = recorded["traffic"]  # type: ignore[assignment]
        self._passed = set(recorded["passed"])  # type: ignore[call-overload]
        self._evidence = load_evidence()

    def evidence(self, row: Row) -> Evidence:
        """Named tests of a row."""
        return self._evidence.get((row.family, row.text), _NOTHING)

    def _lines(self, side: str, row: Row) -> "dict[str, list[str]]":
        return self._traffic.get(side, {}).get(FAMILIES[row.family], {})

    def driven(self, row: Row) -> str:
        """Evidence that the driver does it, empty where there is none."""
        evidence = self.evidence(row)
        if row.by_tests:
            return self._by_tests(evidence.driver) or (f"({evidence.reason})" if evidence.reason else "")
        side = "heard" if row.kind in ("urc", "deferred result") else "driven"
        for line in self._lines(side, row):
            if matches(row, line):
                return "`" + shown(line) + "`"
        return self._by_tests(evidence.driver) or (f"({evidence.reason})" if evidence.reason else "")

    def modelled(self, row: Row) -> str:
        """Evidence that the virtual modem does it, and refused it once."""
        evidence = self.evidence(row)
        if row.by_tests:
            return self._by_tests(evidence.model)
        if row.kind in ("urc", "deferred result"):
            return "said" if any([matches(row, line) for line in self._lines("said", row)]) else ""
        answered = refused = False
        for line, results in self._lines("modelled", row).items():
            line = line.upper() if line.startswith("at") else line
            answered = answered or "OK" in results and matches(row, line)
            # A line that was taken another time met a fault or a state, not a wrong value.
            if "refused" in results and "OK" not in results and line.startswith(command_name(row)):
                refused = refused or not is_write(row) or "=" in line[len(command_name(row)) - 1:] and not line.endswith("=?")
        if row.kind == "form (not supported)":
            return "refused" if refused else ""
        return "answered, refused" if answered and refused else ""

    def _by_tests(self, names: "tuple[str, ...]") -> str:
        if not names or not all([name in self._passed for name in names]):
            return ""
        return " ".join(names)

    def missing_tests(self) -> "list[str]":
        """Tests that evidence.tsv names and that did not pass or are not there."""
        names = {name for entry in self._evidence.values() for name in entry.driver + entry.model}
        return sorted(names - self._passed)


def shown(line: str) -> str:
    """A line as evidence: long ones cut, secrets never."""
    if "INJKEYS" in line or "QLWCONFIG" in line or '"psk"' in line or "CPIN=" in line:
        line = line.split("=")[0] + "=..."
    return (line if len(line) <= 60 else line[:57] + "...").replace("|", "\\|")


def render(rows: "list[Row]", judge: Judge) -> str:
    """The table as Markdown."""
    out = ["# Every row of the four manuals\n", "Made by `make commands`; do not edit. *Driven*: a public method of the driver,"
           " or a word of the shell, produced the line, or a named test shows the behaviour. *Modelled*: the virtual modem"
           " answered it, and refused it once with a wrong value. In brackets: why not.\n"]
    for family in FAMILIES:
        mine = [row for row in rows if row.family == family]
        driven = sum([bool(judge.driven(row)) for row in mine])
        modelled = sum([bool(judge.modelled(row)) for row in mine])
        out.append(f"\n## {family}: {len(mine)} rows, {driven} driven, {modelled} modelled\n")
        out.append("| section | kind | row | driven | modelled |\n|---|---|---|---|---|")
        for row in mine:
            text = row.text.replace("|", "\\|")
            out.append(f"| {row.section} | {row.kind} | `{text}` | {judge.driven(row) or '**no**'} | "
                       f"{judge.modelled(row) or '**no**'} |")
    return "\n".join(out) + "\n"


def contracts() -> str:
    """What one application carried over each family, as a table: host_tests/test_modem_contracts.py, lived once more."""
    for folder in ("host_tests/cpython", "firmware", "host_tests", "lib"):
        sys.path.insert(0, str(_ROOT / folder))
    from test_modem_contracts import FAMILIES as families
    from test_modem_contracts import carried

    columns = ("family", "contract", "taken", "delivered", "typed", "in packs", "lost", "registrations", "read", "write",
               "execute", "command", "relay")
    out = ["\n## One application over the four families\n",
           "Eight hours in virtual time with an outage of forty minutes: readings taken and delivered, and how the server's"
           " read of 3303/0/5700, write to 3306/0/5850, execute of 3303/0/5605 and command on 19/1/0 were answered;"
           " *relay* is the actuator afterwards. Readings are typed on their objects where the contract is pull or shadow,"
           " SenML CBOR packs on 19/0/0 where it is pipe and wherever they are history. ME910C1 and BG96 lose their session"
           " in PSM, so they register at each wake; with `sleep` `cfun5` and `light`, where it lasts, they register once.\n",
           "| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for family in families:
        row = carried(family)
        out.append("| " + " | ".join([str(row[column]) for column in columns]) + " |")
    return "\n".join(out) + "\n"


def main() -> int:
    """Record, judge, write, tell."""
    rows = load_rows()
    judge = Judge(record())
    table = contracts()
    print(table)
    Path(__file__).with_name("COMMANDS.md").write_text(render(rows, judge) + table, encoding="utf-8")
    Path(__file__).with_name("QUIRKS.md").write_text(quirks.render(), encoding="utf-8")
    nameless = quirks.nameless()
    for name in nameless:
        print(f"  quirks.tsv without its test: {name}")
    failed = bool(nameless)
    for family, count in _COUNT.items():
        mine = [row for row in rows if row.family == family]
        open_rows = [row for row in mine if not judge.driven(row) or not judge.modelled(row)]
        excused = sum([judge.driven(row).startswith("(") for row in mine])
        print(f"{family}: {len(mine)} of {count} rows, {len(mine) - len(open_rows) - excused} driven and modelled, "
              f"{excused} modelled and not for a driver")
        for row in open_rows:
            what = " and ".join([word for word, told in (("driven", judge.driven(row)), ("modelled", judge.modelled(row)))
                                 if not told])
            print(f"  not {what}: {row.section} {row.kind}: {row.text}")
        failed = failed or bool(open_rows) or len(mine) < count
    for name in judge.missing_tests():
        print(f"  evidence.tsv names a test that did not pass: {name}")
        failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
