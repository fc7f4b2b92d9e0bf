"""python -m tools.commands: hold the manuals' 298 rows against what was said, by a node, in tests, and by virtual modems.

Three recordings, at the same time: the lives of a node (lives.py), `make demo`, and the tests of drivers and models. Writes
COMMANDS.md beside this file and prints what is missing. Exit status 1 if any row is neither driven nor excused, or not
modelled, if a command that neither node nor person says has no reason, or if rows are fewer than those of the manuals.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.arguments import run
from tools.commands import lives, quirks, recorder
from tools.commands.rows import FAMILIES, Evidence, Row, command_name, is_write, load_evidence, load_rows, matches
from tools.progress import doing

_ROOT = Path(__file__).resolve().parent.parent.parent
_COUNT = {"BC20": 45, "BC66": 102, "BG96": 60, "Telit": 91}
_NOTHING = Evidence((), (), "")


_WORDS = {"node": "said by the node", "person": "on a person's word", "driver": "by a driver method only",
          "model": "by the virtual modem only"}


def record() -> "tuple[dict[str, object], dict[str, object], str]":
    """(traffic and passed tests of one run under CPython, traffic of the node alone, the contracts' table)."""
    with tempfile.TemporaryDirectory() as folder:
        file, shown = Path(folder) / "traffic.json", Path(folder) / "demo.json"
        wanted = ("test_modem*.py", "test_vmodem*.py", "host/test_bg96*.py", "host/test_vmodem*.py", "test_node_shell.py")
        tests = sorted([str(path) for pattern in wanted for path in (_ROOT / "host_tests").glob(pattern)])
        with (Path(folder) / "out").open("w+", encoding="utf-8") as out:
            demo = subprocess.Popen([sys.executable, "-m", "tools.commands.lives", str(shown)], cwd=_ROOT, stdout=out,
                                    stderr=out)
            run = subprocess.Popen(
                [sys.executable, "-m", "pytest", "-q", "-p", "tools.commands.recorder", "-k", "not micropython", *tests],
                cwd=_ROOT, env={**os.environ, "LWNODE_TRAFFIC": str(file), "LANES": "0"}, stdout=out, stderr=out)
            lives.paths()
            recorder.watch()
            table = contracts()
            node = lives.record()
            if run.wait() not in (0, 5) or demo.wait():
                out.seek(0)
                print(out.read()[-5000:], file=sys.stderr)
        tested = json.loads(file.read_text()) if file.exists() else {"traffic": {}, "passed": []}
        for side, families in (json.loads(shown.read_text()) if shown.exists() else {}).items():
            for family in families:
                for line in families[family]:
                    recorder.TRAFFIC[side].setdefault(family, {}).setdefault(line, [""])
    return tested, {"traffic": node}, table


class Judge:
    """What counts for a row."""

    def __init__(self, recorded: "dict[str, object]", node: "dict[str, object] | None" = None) -> None:
        self._traffic: "dict[str, dict[str, dict[str, list[str]]]]" = recorded["traffic"]  # type: ignore[assignment]
        self._node: "dict[str, dict[str, dict[str, list[str]]]]" = (node or {"traffic": {}})["traffic"]  # type: ignore[assignment]
        self._passed = set(recorded["passed"])  # type: ignore[call-overload]
        self._evidence = load_evidence()

    def evidence(self, row: Row) -> Evidence:
        """Named tests of a row."""
        return self._evidence.get((row.family, row.text), _NOTHING)

    def _lines(self, side: str, row: Row) -> "dict[str, list[str]]":
        return self._traffic.get(side, {}).get(FAMILIES[row.family], {})

    def reached(self, row: Row) -> str:
        """Who says or hears it: node, person, driver or model; "" for what has no line of its own."""
        if row.by_tests:
            return ""
        family, heard = FAMILIES[row.family], row.kind in ("urc", "deferred result")
        for who, traffic, side in (("node", self._node, "heard" if heard else "node"), ("person", self._traffic, "person"),
                                   ("driver", self._traffic, "heard" if heard else "driven")):
            if any([matches(row, line) for line in traffic.get(side, {}).get(family, {})]):
                return who
        return "model"

    def driven(self, row: Row) -> str:
        """Evidence that the driver does it, empty where there is none."""
        evidence = self.evidence(row)
        if row.by_tests:
            return self._by_tests(evidence.driver) or (f"({evidence.reason})" if evidence.reason else "")
        side, family = "heard" if row.kind in ("urc", "deferred result") else "driven", FAMILIES[row.family]
        for line in (*self._lines(side, row), *self._node.get(side, {}).get(family, {})):
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


def figures(rows: "list[Row]", judge: Judge) -> "list[tuple[str, ...]]":
    """(family, kind, rows, by node, on a person's word, by a driver method only, by the virtual modem only) and the totals."""
    found = []
    for what, wanted in (("command forms", False), ("results and URCs", True)):
        for family in (*FAMILIES, "all"):
            mine = [judge.reached(row) for row in rows if family in ("all", row.family) and not row.by_tests
                    and (row.kind in ("urc", "deferred result")) is wanted]
            found.append((family, what, *[str(count) for count in (len(mine), *[mine.count(who) for who in _WORDS])]))
    return found


def unexplained(rows: "list[Row]", judge: Judge) -> "list[Row]":
    """Rows that neither node nor person says or hears, and for which evidence.tsv has no reason."""
    return [row for row in rows if judge.reached(row) in ("driver", "model") and not judge.evidence(row).reason]


def render(rows: "list[Row]", judge: Judge) -> str:
    """The table as Markdown."""
    out = ["# Every row of the four manuals\n", "Made by `make commands`; do not edit. *Reached*: by whom the line is said, or"
           " heard, on the wire. **node**: by firmware/main.py, in `make demo` or in recorded lives over each virtual modem"
           " (tools/commands/lives.py), configured as a person would. **person**: by a word of the shell or the doctor"
           " (not `at()`, which says anything). **driver**: by a public method of a driver that no node calls. **model**:"
           " answered by the virtual modem alone. *Driven*: how, or the named test that shows the behaviour. *Modelled*:"
           " the virtual modem answered it, and refused it once with a wrong value. In brackets: why not.\n",
           "| family | what | rows | " + " | ".join(_WORDS.values()) + " |", "|---|---" + "|--:" * 5 + "|"]
    out += ["| " + " | ".join(row) + " |" for row in figures(rows, judge)]
    for family in FAMILIES:
        mine = [row for row in rows if row.family == family]
        out.append(f"\n## {family}: {len(mine)} rows\n")
        out.append("| section | kind | row | reached | driven | modelled |\n|---|---|---|---|---|---|")
        for row in mine:
            text, reached, driven = row.text.replace("|", "\\|"), judge.reached(row), judge.driven(row) or "**no**"
            if reached in ("driver", "model") and not driven.startswith("("):
                driven += f" ({judge.evidence(row).reason or '**no reason**'})"
            out.append(f"| {row.section} | {row.kind} | `{text}` | {reached} | {driven} | {judge.modelled(row) or '**no**'} |")
    return "\n".join(out) + "\n"


def contracts() -> str:
    """What one application carried over each family, as a table: host_tests/test_modem_contracts.py, lived once more."""
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
    doing("the tests of drivers and models are running")
    tested, node, table = record()
    judge = Judge(tested, node)
    print(table)
    for family, what, count, *reached in figures(rows, judge):
        print(f"{family}: {count} {what}: " + ", ".join([f"{n} {word}" for n, word in zip(reached, _WORDS.values())]))
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
    for row in unexplained(rows, judge):
        print(f"  neither node nor person, and no reason in evidence.tsv: {row.family} {row.text}")
        failed = True
    for name in judge.missing_tests():
        print(f"  evidence.tsv names a test that did not pass: {name}")
        failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(run(main, "commands"))
