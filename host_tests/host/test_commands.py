"""The table of the manuals' rows: complete, matched as it says, and not satisfied by what did not happen."""

from pathlib import Path

from tools.commands.__main__ import Judge, figures, render, shown, unexplained
from tools.commands.rows import FAMILIES, Row, command_name, load_evidence, load_rows, matches

CPYTHON_ONLY = "frames of the interpreter are looked at"


def row(text, kind="form", family="BC66"):
    return Row(family, kind, "-", text)


def test_all_298_rows_are_there_and_no_evidence_is_for_another():
    rows = load_rows()
    counts = {family: len([one for one in rows if one.family == family]) for family in FAMILIES}
    assert counts == {"BC20": 45, "BC66": 102, "BG96": 60, "Telit": 91}
    known = {(one.family, one.text) for one in rows}
    assert set(load_evidence()) <= known
    assert {(one.family, one.text) for one in rows if one.by_tests} <= set(load_evidence())


def test_a_form_matches_lines_of_its_own_only():
    assert matches(row("AT+QLWCFG?"), "AT+QLWCFG?")
    assert not matches(row("AT+QLWCFG?"), "AT+QLWCFG=?")
    assert matches(row('AT+QLWCFG="auto_reg",<value>'), 'AT+QLWCFG="auto_reg",1')
    assert not matches(row('AT+QLWCFG="auto_reg",<value>'), 'AT+QLWCFG="auto_reg"')
    assert matches(row('AT+QLWCFG="auto_reg"', "form (query)"), 'AT+QLWCFG="auto_reg"')
    assert not matches(row('AT+QLWCFG="auto_reg"', "form (query)"), 'AT+QLWCFG="auto_reg",1')
    assert not matches(row("AT+QLWREG"), "AT+QLWREG=1")
    assert not matches(row("AT#LWM2MR=0,<o>,<i>,<r>,<ri>"), "AT#LWM2MRING")
    both = row("AT+QLWRRSP / AT+QLWWRRSP=<mid>,<result>")
    assert matches(both, "AT+QLWWRRSP=1,2")
    assert matches(both, "AT+QLWRRSP=1,2")
    assert matches(row('+QLWURC: "report",<mid>', "urc"), '+QLWURC: "report",5')
    assert not matches(row('+QLWURC: "report",<mid>', "urc"), '+QLWURC: "report_ack",0,5')
    assert matches(row("AT#LWM2MINJKEYS=0,<0-3>,<ep>,<id>,<key>", family="Telit"), "AT#LWM2MINJKEYS=***")
    assert command_name(row('AT+QLWM2M="select"[,<0-5>]', family="BG96")) == 'AT+QLWM2M="select"'


def test_without_traffic_and_tests_nothing_counts():
    judge = Judge({"traffic": {}, "passed": []})
    for one in load_rows():
        assert not judge.driven(one) or judge.driven(one).startswith("("), one
        assert not judge.modelled(one), one


def test_a_form_that_was_never_refused_is_not_modelled():
    answered = {"traffic": {"modelled": {"bc66": {"AT+QLWREG": ["OK"]}}}, "passed": []}
    refused = {"traffic": {"modelled": {"bc66": {"AT+QLWREG": ["OK"], "AT+QLWREG=1": ["refused"]}}}, "passed": []}
    assert not Judge(answered).modelled(row("AT+QLWREG"))
    assert Judge(refused).modelled(row("AT+QLWREG"))


def test_a_line_that_was_taken_another_time_is_no_wrong_value():
    lines = {"AT+QLWDELOBJ=19": ["OK", "refused"], "AT+QLWDELOBJ=?": ["refused"]}
    one = row("AT+QLWDELOBJ=<obj>", family="BC20")
    assert not Judge({"traffic": {"modelled": {"bc20": lines}}, "passed": []}).modelled(one)
    lines["AT+QLWDELOBJ=65536"] = ["refused"]
    assert Judge({"traffic": {"modelled": {"bc20": lines}}, "passed": []}).modelled(one)


def test_only_public_methods_of_a_driver_are_evidence(monkeypatch):
    from fakes.modem_bench import Bench
    from tools.commands import recorder

    said = []
    bench = Bench("bc66", {})
    write = bench.uart.write

    def noted(data):
        said.append((recorder.speaker()[0], bytes(data)))
        return write(data)

    monkeypatch.setattr(bench.uart, "write", noted)
    for call in (lambda: bench.modem._query("+QLWSTATUS"), lambda: bench.at.send("AT+QLWREG")):
        call()
        assert said and {family for family, _ in said} == {""}
        said.clear()
    bench.modem.deregister()
    assert {family for family, _ in said} == {"bc66"}


def test_who_says_a_line_is_told_apart():
    """A node, a person, a driver in a test: each counts for itself; what nobody reaches wants a reason."""
    one, forms = row("AT+QLWREG"), {"bc66": {"AT+QLWREG": [""]}}
    tested = {"traffic": {"person": forms, "driven": forms}, "passed": []}
    assert Judge(tested, {"traffic": {"node": forms}}).reached(one) == "node"
    assert Judge(tested).reached(one) == "person" and unexplained([one], Judge(tested)) == []
    del tested["traffic"]["person"]
    assert Judge(tested).reached(one) == "driver" and unexplained([one], Judge(tested)) == [one]
    assert Judge({"traffic": {}, "passed": []}).reached(one) == "model"
    assert figures([one], Judge(tested))[1] == ("BC66", "command forms", "1", "0", "0", "1", "0")
    assert "**no reason**" in render([one], Judge(tested))


def test_the_node_of_a_recorded_life_is_main_py_and_a_person_is_the_shell_without_at():
    import shell
    from fakes.world import World
    from tools.commands import recorder

    said = set()
    world = World(config={"family": "bc20"})
    write = world.uart.write

    def noted(data):
        said.update([(recorder.speaker(), line) for line in recorder.commands(bytes(data))])
        return write(data)

    world.uart.write = noted
    world.run(minutes=2)
    assert (("bc20", "node"), "AT+QLWOPEN=0") in said and {side for (_, side), _ in said} == {"node"}
    said.clear()
    shell.node(world.node())
    shell.at("+QLWCFG=?")
    assert {speaker for speaker, line in said if "QLWCFG" in line} == {("", "")}
    shell.inspect()
    assert (("bc20", "person"), "AT+QLWRD=?") in said


def test_the_readme_says_the_figure_of_the_table():
    root = Path(__file__).resolve().parents[2]
    row = [line for line in (root / "tools/commands/COMMANDS.md").read_text().splitlines() if line.startswith("| all |")][0]
    rows, node, person, driver, model = [int(part) for part in row.strip("| ").split("|")[2:]]
    assert node + person + driver + model == rows
    wanted = "of %d command forms in the four manuals %d are said by the node itself, %d by a word of the shell, %d by neither"
    assert wanted % (rows, node, person, driver + model) in (root / "README.md").read_text()


def test_the_table_names_what_is_missing_and_hides_keys():
    text = render(load_rows(), Judge({"traffic": {}, "passed": []}))
    assert text.count("**no**") > 298
    assert shown('AT+QLWCONFIG=0,"h",5684,"e",900,0,"i","00ff"') == "AT+QLWCONFIG=..."


def test_each_quirk_and_contradiction_has_its_tests():
    """tools/commands/quirks.tsv: 124 rows, none without a test that is there."""
    from tools.commands import quirks

    rows = quirks.load()
    assert len(rows) >= 124 and len({(row.source, row.text) for row in rows}) == len(rows)
    assert quirks.nameless() == []
    assert all([row.tests[0] in quirks.render() for row in rows])
