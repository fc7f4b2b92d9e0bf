"""The bench against Leshan without Leshan: what its REST shows, what is said when Java is absent, the table's verdict."""

import asyncio
import io
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from aiocoap import PUT
from host.link_pair import Node as LinkNode
from host.link_pair import run
from rich.console import Console

from tools.interop import checks, lives
from tools.interop.__main__ import ABSENT, Run, table
from tools.interop.answers import Answer, node_values
from tools.interop.bare import BareServer, written
from tools.interop.codec import PATHS, Filter, compared, drawn
from tools.interop.fetch import FALLBACK, Distribution, Missing, check_tools, fetch
from tools.interop.leshan import Leshan
from tools.interop.process import own

ROOT = Path(__file__).resolve().parent.parent.parent

OLD_READ = '{"status":"CONTENT(205)","valid":true,"success":true,"failure":false,"content":{"id":5700,"value":21.5}}'
NEW_READ = (
    '{"status":"CONTENT(205)","valid":true,"success":true,"failure":false,'
    '"content":{"kind":"singleResource","id":5700,"type":"FLOAT","value":"21.5"}}'
)


@pytest.mark.parametrize("text", [OLD_READ, NEW_READ])
def test_a_read_of_either_milestone(text):
    answer = Answer(200, text)
    assert answer.code == 205 and answer.value == 21.5 and not answer.delayed


def test_refusals_timeouts_and_sleepers():
    assert Answer(200, '{"status":"METHOD_NOT_ALLOWED(405)","success":false}').code == 405
    assert Answer(200, '{"status":"4.05"}').code == 405
    assert Answer(504, "Request timeout").code == 504
    asleep = Answer(200, '{"delayed":true,"requestId":"7"}')
    assert asleep.delayed and asleep.code == 200
    assert Answer(400, "Invalid request:client is sleeping").text.endswith("sleeping")
    assert Answer(200, "[]").document == {}


def test_values_of_instances_objects_and_multiple_resources():
    instance = {"id": 0, "resources": [{"id": 5700, "value": "1.5"}, {"id": 5701, "value": "Cel"}]}
    assert node_values(instance) == {5700: 1.5, 5701: "Cel"}
    assert node_values({"id": 3303, "instances": [instance]}) == {(0, 5700): 1.5, (0, 5701): "Cel"}
    assert node_values({"resources": [{"id": 6, "values": {"0": "1", "1": "5"}}]}) == {6: {0: 1, 1: 5}}


def test_links_of_a_discover_in_either_spelling():
    old = Answer(200, '{"status":"CONTENT(205)","objectLinks":[{"url":"/3/0","attributes":{"pmin":"1"}}]}')
    new = Answer(200, '{"status":"CONTENT(205)","objectLinks":[{"uriReference":"/3/0","attributes":{"pmin":"1"}}]}')
    assert old.links == new.links == [("/3/0", {"pmin": "1"})]


def test_packs_are_read_as_leshan_shows_them():
    pack = "81a3216c2f333330332f302f35373030221a6955b900021634"
    assert checks.unpacked({"value": "80"}) == [] and checks.unpacked({"value": None}) == []
    good = "81a3221a6955b900006c2f333330332f302f353730300216"
    for content in ({"value": good}, {"values": {"0": good}}):
        assert [(each.value, each.time) for each in checks.unpacked(content)] == [(22.0, 1767225600)]
    assert checks.unpacked({"value": pack}) == []  # a byte too many


def test_an_unexpected_refusal_fails_its_cell():
    with pytest.raises(AssertionError, match="404 expected"):
        checks.refused(Answer(200, OLD_READ), 404)
    assert checks.refused(Answer(200, '{"status":"NOT_FOUND(404)"}'), 404, 405) == "4.04"


@pytest.mark.parametrize("present, words",
                         [((), "java and mvn not found"), (("java",), "mvn not found"), (("mvn",), "java not")])
def test_absent_tools_are_named_with_how_to_get_them(present, words):
    with pytest.raises(Missing, match=words) as told:
        check_tools(which=lambda name: name if name in present else None)
    assert "apt install openjdk-17-jdk-headless maven" in str(told.value)


@pytest.mark.parametrize("version, fits", [('openjdk version "17.0.15"', True), ('openjdk version "21"', True),
                                           ('java version "1.8.0_392"', False), ('openjdk version "11.0.2"', False),
                                           ("command not understood", False)])  # fmt: skip
def test_an_old_java_is_refused(version, fits):
    def run(command, **options):
        return subprocess.CompletedProcess(command, 0, stdout="", stderr=version)

    if fits:
        check_tools(which=lambda name: name, run=run)
    else:
        with pytest.raises(Missing, match="17"):
            check_tools(which=lambda name: name, run=run)


def stub_tools(folder, maven):
    """A java that says 17, its compiler, and a Maven that does as told, first on the path."""
    folder.mkdir()
    for name, script in (("java", "echo 'openjdk version \"17.0.1\"' >&2"), ("javac", ""), ("mvn", maven)):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_a_repository_without_the_newest_milestone_gives_the_older_demo(tmp_path, monkeypatch):
    maven = (
        'case "$*" in *jar-with-dependencies*) echo "[ERROR] Could not find artifact x"; exit 1;; esac\n'
        'if grep -q M18 pom.xml; then echo "[ERROR] Could not find artifact y"; exit 1; fi'
    )
    monkeypatch.setenv("PATH", stub_tools(tmp_path / "bin", maven))
    said = []
    found = fetch(said.append, tmp_path / "cache")
    assert (found.version, found.kind, found.modern) == (FALLBACK, "old", False) and FALLBACK in said[-1]
    assert found.server[-1].endswith("LeshanServerDemo") and found.bootstrap[-1].endswith("BootstrapServer.java")


def test_a_repository_with_the_newest_library_alone_gives_a_server_on_it(tmp_path, monkeypatch):
    maven = 'case "$*" in *jar-with-dependencies*) echo "[ERROR] Could not find artifact x"; exit 1;; esac'
    monkeypatch.setenv("PATH", stub_tools(tmp_path / "bin", maven))
    (tmp_path / "cache" / FALLBACK).mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "cache" / FALLBACK / f"leshan-server-demo-{FALLBACK}.jar", "w") as jar:
        jar.writestr("models/3303.xml", "<LWM2M/>")
        jar.writestr("logback.xml", "<x/>")
    found = fetch(cache=tmp_path / "cache")
    assert (found.version, found.kind, found.modern) == ("2.0.0-M18", "library", True)
    assert found.server[-1].endswith("DemoServer.java") and found.bootstrap[-1].endswith("BootstrapServer.java")
    models = {path.name for path in found.models.iterdir()}
    assert {"3303.xml", "26250.xml"} <= models and "logback.xml" not in models and "bootstrap server 2.0.0-M4" in found.name
    assert fetch(cache=tmp_path / "cache", kinds=("old",)).version == FALLBACK
    with pytest.raises(Missing, match="no Leshan of kind demo"):
        fetch(cache=tmp_path / "cache", kinds=("demo",))


def test_a_runtime_without_the_compiler_is_told(tmp_path, monkeypatch):
    stub_tools(tmp_path / "bin", "echo '[ERROR] Could not find artifact x'; exit 1")
    (tmp_path / "bin" / "javac").unlink()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(Missing, match="javac not found"):
        fetch(cache=tmp_path / "cache")


def test_a_maven_that_hangs_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("tools.interop.fetch.PATIENCE_S", 0.2)
    monkeypatch.setenv("PATH", stub_tools(tmp_path / "bin", "exec sleep 20"))
    with pytest.raises(Missing, match="within 0.2 s"):
        fetch(cache=tmp_path / "cache")


def test_the_newest_milestone_is_taken_where_it_is(tmp_path, monkeypatch):
    maven = (
        'for word in "$@"; do case "$word" in\n'
        '-Dartifact=*) a="${word#*leshan:}";; -DoutputDirectory=*) d="${word#*=}";; esac; done\n'
        'touch "$d/${a%%:*}-2.0.0-M18-jar-with-dependencies.jar"'
    )
    monkeypatch.setenv("PATH", stub_tools(tmp_path / "bin", maven))
    found = fetch(cache=tmp_path / "cache")
    assert found.modern and found.server[-1].endswith("leshan-demo-server-2.0.0-M18-jar-with-dependencies.jar")


def test_a_maven_that_fails_is_quoted(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", stub_tools(tmp_path / "bin", "echo '[ERROR] the repository cannot be reached today'; exit 1"))
    with pytest.raises(Missing, match="the repository cannot be reached today"):
        fetch(cache=tmp_path / "cache")


def test_the_program_ends_with_a_status_of_its_own(tmp_path):
    done = subprocess.run([sys.executable, "-m", "tools.interop"], cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True,
                          text=True, timeout=30, check=False)
    assert done.returncode == ABSENT == 3
    assert done.stderr.startswith("make interop: java and mvn not found") and "Traceback" not in done.stderr


GOOD = {("a", "bc66"): (True, "yes")}
BAD = {**GOOD, ("b", "bc66"): (False, "no answer")}


@pytest.mark.parametrize("cells, good", [({}, False), (GOOD, True), (BAD, False)])
def test_the_tables_verdict(cells, good):
    run = Run(Distribution("x", [], []), ["bc66"], None, print)
    run.cells = cells
    console = Console(file=io.StringIO(), width=100)
    assert table(console, run, 1) is good
    if not good and cells:
        assert "bc66, b: no answer" in console.file.getvalue()


def test_one_bad_node_of_a_family_is_a_bad_cell_whatever_the_others_say():
    async def answered(text):
        return text

    async def refused():
        raise AssertionError("objects [1] expected, [] came")

    for order in ((False, True, True), (True, False, True), (True, True, False)):
        run = Run(Distribution("x", [], []), ["bc66"], None, lambda who, text: None)
        for good in order:
            asyncio.run(run.cells.run("registration", "bc66", answered("19 objects") if good else refused()))
        assert run.cells == {("registration", "bc66"): (False, "objects [1] expected, [] came")}
        assert not table(Console(file=io.StringIO(), width=100), run, 1)
    assert not table(Console(file=io.StringIO(), width=100), Run(Distribution("x", [], []), ["bc66"], None, print), 1)


def test_every_row_belongs_to_one_node():
    names = [name for rows in lives.COURSES.values() for name, _ in rows]
    assert len(names) == len(set(names)) == len(lives.ROWS) and names[0] == "registration"
    assert {name for rows in lives.LAST.values() for name, _ in rows} <= set(names)


def test_the_farewell_restores_the_program_it_stands_in_for():
    compile(lives.FAREWELL, "main.py", "exec")
    assert 'os.rename("main.old", "main.py")' in lives.FAREWELL and "deregister()" in lives.FAREWELL


def test_two_runs_at_once_do_not_share_a_folder_and_old_ones_go(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for name in (f"run-{gone.pid}", f"run-{os.getppid()}", "run-notes"):
        (tmp_path / name).mkdir()
    mine = own(tmp_path / "run")
    assert {path.name for path in tmp_path.iterdir()} == {mine.name, f"run-{os.getppid()}", "run-notes"}
    (mine / "left").touch()
    assert not any(own(tmp_path / "run").iterdir())


@pytest.mark.parametrize("kind, count", [("demo", 6), ("old", 3)])
def test_every_listener_stays_on_loopback(tmp_path, kind, count):
    leshan = Leshan(Distribution("x", [], [], kind), tmp_path)
    options = leshan._options()
    hosts = [options[n + 1] for n, each in enumerate(options) if each.endswith("h") and each.startswith("-")]
    assert len(hosts) == count and all(host.startswith("127.") for host in hosts)
    assert Leshan(Distribution("x", [], [], "library", tmp_path), tmp_path)._options()[0] == "127.0.0.1"


# ---- the bare CoAP server, with the virtual modem's own client before it: no node, no time


def bare(check):
    """Run check(server, client) with a registered client that answers from a dictionary."""

    async def whole():
        async with BareServer() as server:
            server.port = server.coap_port
            async with LinkNode(server) as client:
                assert await client.register() == 201
                await check(server, client)
                assert server.wrong == []

    run(whole())


def test_a_bare_server_is_told_of_registration_address_and_departure():
    async def check(server, client):
        seen = server.events[0].data
        assert (seen["endpoint"], seen["lifetime"], seen["bindingMode"]) == ("node", 300, "U")
        assert {"url": "/3303/0"} in seen["objectLinks"]
        assert await client.outcome(client.link.update, lifetime=600) == 204
        await client.link.change_address()
        assert await client.outcome(client.link.update) == 204
        updates = [each.data for each in server.events if each.name == "UPDATED"]
        assert [each["moved"] for each in updates] == [False, True] and updates[0]["registration"]["lifetime"] == 600
        assert (await server.read("node", "/3303/0/5700")).value == 21.5, "at its new address"
        server.forget("node")
        assert await client.outcome(client.link.update) == 404 and (await server.read("node", "/3")).http == 504
        assert await client.register() == 201 and await client.outcome(client.link.deregister) == 202

    bare(check)


def test_a_bare_server_resets_what_it_does_not_know_and_the_client_obeys():
    async def check(server, client):
        first, second = [await server.observe("node", "/3303/0/5700") for _ in range(2)]
        assert first.observed and second.observed and first.value == 21.5
        assert await client.notify("22") == 0
        (event,) = [each for each in server.events if each.name == "NOTIFICATION"]
        assert event.data["val"] == {"value": 22.0} and event.data["newest"]
        server.observations.clear()
        assert await client.notify("23") == -1 and len(server.resets) == 1 and client.link.observations() == []
        await server.observe("node", "/3303/0/5700")
        await client.link.change_address()
        assert await client.notify("24") == -1 and len(server.resets) == 2, "a stranger's, as behind a NAT"

    bare(check)


def test_a_write_goes_out_before_the_notification_is_acknowledged():
    async def check(server, client):
        await server.observe("node", "/3303/0/5700")
        begun = []
        server.interruptions["node"] = lambda: begun.append(
            server.begin("node", PUT, "/3306/0/5850", **written("/3306/0/5850", True)))  # fmt: skip
        assert await client.notify("22") == 0
        assert (await server.finish("node", "/3306/0/5850", begun[0], 5)).code == 204
        assert [(each.operation, each.payload) for each in client.requests[-1:]] == [("write", bytes.fromhex("e116da01"))]
        token = server.newest["node", "/3303/0/5700"]
        answer = await server.cancel("node", "/3303/0/5700", token)
        assert answer.code == 205 and not answer.observed and await client.notify("23") == -1

    bare(check)


def test_a_bare_server_says_what_no_peer_may_send():
    async def check(server, client):
        server.datagram_received(b"\x40", ("127.0.0.1", 9))
        assert server.wrong.pop().startswith("no CoAP: 40")
        for text in (b"a", b"a", b"b"):
            server.datagram_received(b"\x44\x02\x00\x01abcd\xb3bs" + text, ("127.0.0.1", 9))
        assert [each.split(":")[0] for each in server.wrong] == ["message id 1 used twice"]
        server.wrong.clear()

    bare(check)


def test_leshans_answers_are_compared_value_by_value(tmp_path):
    """Codec.java's part is played by a program that turns each question's last word round, or leaves it."""
    script = tmp_path / "java"
    script.write_text("import sys\nfor line in sys.stdin:\n    print(line.split()[-1])\n")
    there = Filter(Distribution("x", [sys.executable, str(script), "-cp", "jars"], [], "library", tmp_path))
    there.command = [sys.executable, str(script)]
    for row, text in (("TLV", "e1"), ("TLV", "e2"), ("text", "31")):
        there.ask(row, "encode " + text, lambda answer: None if answer in ("e1", "31") else "e1 expected")
    assert there.judged() == {"TLV": [2, ["encode e2: e1 expected; Leshan: e2"]], "text": [1, []]}
    assert compared(Distribution("x", ["java", "-jar", "demo"], [])) == []
    for type in PATHS:
        assert [drawn(random.Random(1), type)] == [drawn(random.Random(1), type)]
