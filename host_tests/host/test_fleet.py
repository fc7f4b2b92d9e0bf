"""Many nodes: keys, what a server is told, waves that stop, the table of health; on a server of this process.

The nodes are those of testing/crowd (the node's own objects); Leshan itself is asked by `make fleet-show`.
"""

import json
import os
import stat
import threading
from argparse import Namespace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from lwnode import VERSION

from testing.crowd.node import CrowdNode
from testing.lwm2m.link import ServerRequest
from testing.lwm2m.names import OCTET_STREAM, TEXT_PLAIN, parse_path
from tools.boards import application
from tools.boards.remedy import Remedy
from tools.fleet import asking, provision, register, status, waves
from tools.fleet.__main__ import main, parser
from tools.fleet.server import Events, Server
from tools.interop.answers import Answer

CPYTHON_ONLY = "drives tools of the host"
CONFIG = {"family": "bc66", "host": "198.51.100.7", "port": 5684, "endpoint": "-", "apn": "iot", "security": "psk",
          "server_updates": True, "diagnosis": True}
NAMES = ["node-%d" % number for number in range(6)]


class Wire:
    """Stands for a node's client: answers are kept, a registration succeeds at once."""

    def __init__(self, endpoint, events):
        self.code, self.values, self.endpoint, self.events = 504, (), endpoint, events

    def respond(self, request, code, values=(), payload=None, content_format=None):
        self.code, self.values = code, values

    def register(self, account, endpoint, lifetime, binding, objects, done):
        done(201)

    def observed(self, path):
        return path == (19, 0, 0)

    def notify(self, path, values, confirm, done):
        self.events._kept.append(("NOTIFICATION", {"ep": self.endpoint, "val": {"value": values[0][2].hex()}}))
        self.events.count += 1
        done(0)

    def update(self, done):
        done(204)

    def forget(self):
        """Nothing is kept."""


class Desk:
    """A server with nodes, as tools.fleet.server.Server shows one; no sockets, no waiting."""

    modern = True

    def __init__(self):
        self.security, self.nodes, self.silent, self.asked = {}, {}, set(), 0
        self.events = Events.__new__(Events)
        self.events._kept, self.events.count, self.events._news = [], 0, threading.Condition()

    def keys(self):
        return {name: (one["tls"]["details"]["identity"], one["tls"]["details"]["key"]) for name, one in self.security.items()}

    def put_key(self, entry):
        self.security[entry["endpoint"]] = entry

    def remove_key(self, endpoint):
        del self.security[endpoint]

    def add(self, endpoint, key, fault="", contract="pull"):
        node = self.nodes[endpoint] = CrowdNode(endpoint, "127.0.0.1", 5684, psk=key, contract=contract)
        node.link, node.fault, node.due = Wire(endpoint, self.events), fault, []
        node._after = lambda name, seconds, function: node.due.append(function) if name in ("after", "life", "look") else None
        node._sample()
        return node

    def clients(self):
        return {name: {"endpoint": name, "secure": True, "lastUpdate": 1, "objectLinks": [
            {"url": "/%d/%d" % each[:2]} for each in node.tree.objects() if each[0] == 19 or node.contract == "pull"]}
            for name, node in self.nodes.items()}

    def _asked(self, endpoint, operation, path, value=b""):
        node = self.nodes[endpoint]
        if endpoint in self.silent:
            return Answer(504, "")
        if operation == "read":  # time passes between two looks
            due, node.due = node.due[:1], node.due[1:]
            for function in due:
                function()
            node._sample()
        self.asked += 1
        form = OCTET_STREAM if path in ("/9/0/2", "/19/1/0") else TEXT_PLAIN
        node._asked(ServerRequest(operation, parse_path(path), value, form, mid=self.asked))
        found = [{"id": path_of[2], "value": value.hex() if isinstance(value, bytes) else value}
                 for path_of, _, value in node.link.values]
        if path == "/19/1/0":
            due, node.due = node.due, []
            for function in due:
                function()
            node._sample()
        content = found[0] if path.count("/") == 3 and found else {"resources": found}
        return Answer(200, json.dumps({"status": f"X({node.link.code})", "content": content}))

    def read(self, endpoint, path, timeout=10):
        return self._asked(endpoint, "read", path)

    def write(self, endpoint, path, value, timeout=10):
        return self._asked(endpoint, "write", path, value if isinstance(value, bytes) else str(value).encode())

    def observe(self, endpoint, path, timeout=10):
        return Answer(200, json.dumps({"status": "X(205)"}))

    def execute(self, endpoint, path, timeout=10):
        return self._asked(endpoint, "execute", path)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """(desk, options): a table of six devices, a configuration, a server that knows none."""
    (tmp_path / "devices.csv").write_text("endpoint,site\n" + "".join(f"{name},roof\n" for name in NAMES))
    (tmp_path / "node.json").write_text(json.dumps(CONFIG))
    server = Desk()
    for module in (waves, status):
        monkeypatch.setattr(module, "Events", lambda server: None)
    monkeypatch.setattr(application, "files", lambda *given: {"/sensors.py": b"# new"})
    now = [0.0]
    monkeypatch.setattr(asking.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setattr(asking.time, "monotonic", lambda: now[0])

    def options(**given):
        usual = dict(csv=tmp_path / "devices.csv", server=server, out=None, config=tmp_path / "node.json", board="RPI_PICO",
                     family=None, firmware=None, images=False, apply=True, rotate=[], lost=[], replace=[], files="sensors.py",
                     number=None, waves="1 50%", failures=0, parallel=1, patience=300, ask=False, crash="")
        return Namespace(**(usual | given))

    return server, options


def run(options):
    return provision.provision(options, lambda line: None)


def words(rows):
    return {row[1:] for row in rows}


def test_no_command_asks_for_a_variable_that_it_does_not_need(capsys):
    for command, needed in (("provision", "CSV"), ("update", "CSV"), ("status", "SERVER")):
        assert main([command]) == 1 and f"say {needed}=" in capsys.readouterr().err
    for command in ("load", "show", "far"):
        assert parser(command).parse_args([command]).board is None


def test_a_fleet_is_provisioned_once_and_a_second_run_changes_nothing(desk, capsys):
    server, options = desk
    assert words(run(options(apply=False))) == {("would be made", "would be written", "would be added")}
    folder = options().csv.with_suffix(".fleet")
    assert not folder.exists() and not server.security, "a dry run"
    assert words(run(options())) == {("made", "written", "added")}
    files = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}
    assert len(files) == 3 + 2 * len(NAMES) + 1
    for path in files:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077 or path.name == ".lock", path
    keys = [row["psk"] for row in register.Register(folder).rows.values()]
    assert len(set(keys)) == len(NAMES) and all(len(bytes.fromhex(key)) == 16 for key in keys)
    secret = json.loads((folder / "devices" / "node-3" / "secrets.json").read_text())
    assert server.keys()["node-3"] == (secret["psk_identity"], secret["psk"])
    assert json.loads((folder / "security.json").read_text()) == list(server.security.values())
    assert words(run(options())) == {("kept", "same", "same")}
    assert files == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    said = capsys.readouterr()
    assert not [key for key in keys if key in said.out + said.err]
    del server.security["node-2"]
    assert [row for row in run(options()) if row[3] != "same"] == [("node-2", "kept", "same", "added")], "a server lost it"


def test_keys_are_rotated_nodes_shut_out_and_replaced_and_no_key_comes_twice(desk, monkeypatch):
    server, options = desk
    run(options())
    before = server.keys()
    drawn = iter([before["node-1"][1], before["node-0"][1], "ab" * 16])
    with monkeypatch.context() as patched:
        patched.setattr(register.secrets, "token_hex", lambda size: next(drawn))
        rows = run(options(rotate=["node-0"]))
    assert [row for row in rows if row[1] != "kept"] == [("node-0", "rotated", "written", "changed")]
    assert server.keys()["node-0"][1] == "ab" * 16, "keys that were one already are drawn again"
    assert ("node-5", "shut out", "", "removed") in run(options(lost=["node-5"])) and "node-5" not in server.security
    assert ("node-5", "out", "", "out") in run(options())
    assert "node-5" not in (options().csv.with_suffix(".fleet") / "security.json").read_text()
    with pytest.raises(Remedy, match="REPLACE="):
        run(options(rotate=["node-5"]))
    assert ("node-5", "replaced", "written", "added") in run(options(replace=["node-5"]))
    assert server.keys()["node-5"] != before["node-5"]
    for given in ({"rotate": ["nobody"]}, {"replace": ["nobody"]}, {"lost": ["nobody"]}):
        with pytest.raises(Remedy, match="nobody is not in"):
            run(options(**given))
    with register.Register(options().csv.with_suffix(".fleet")).alone(), pytest.raises(Remedy, match="another run"):
        run(options())


@pytest.mark.parametrize(("text", "why"), [
    ("name\nx\n", "no column endpoint"), ("endpoint\na\na\n", "line 3: endpoint a is there twice"),
    ("endpoint,x\n,1\n", "is empty"),
    ("endpoint,psk\na,00112233\n", "line 2: keys are made here"), ("endpoint\na b\na:b\n", "one file name"), ("", "no column"),
    ("endpoint,pin\na,12\n", '"pin" must be'), ("endpoint\n" + "x" * 151 + "\n", '"endpoint" must be'),
])  # fmt: skip
def test_a_bad_table_is_refused_before_anything_is_made(desk, text, why):
    server, options = desk
    options().csv.write_text(text)
    with pytest.raises(Remedy, match=why) as refused:
        run(options())
    assert "00112233" not in str(refused.value)
    assert not server.security and not (options().csv.with_suffix(".fleet") / "keys.csv").exists()
    options().csv.write_text("endpoint\na\n")
    options().config.write_text(json.dumps(CONFIG | {"security": "none"}))
    with pytest.raises(Remedy, match='set it to "psk"'):
        run(options())


def test_images_are_made_for_those_that_changed(desk, monkeypatch):
    server, options = desk
    made = []

    def image(board, family, config, secrets, table, firmware, out, frozen, dry_run):
        names = [line.split(",")[0] for line in table.read_text().splitlines()[1:]]
        assert stat.S_IMODE(os.stat(table).st_mode) == 0o600
        made.append(names)
        out.mkdir(exist_ok=True)
        for name in names:
            (out / f"{name}.uf2").write_bytes(b"")

    monkeypatch.setattr(provision, "image", image)
    monkeypatch.setattr(provision.application, "files", lambda *given: {"/main.py": b"x"})
    run(options(images=True))
    assert words(run(options(images=True))) == {("kept", "same", "same")}
    run(options(images=True, rotate=["node-4"]))
    assert made == [NAMES, ["node-4"]]


def test_waves_have_the_sizes_that_were_asked_for():
    for text, count, expected in (("1 10% 50%", 20, [1, 2, 10, 7]), ("1 10%", 3, [1, 1, 1]), ("100%", 7, [7]), ("", 4, [4]),
                                  ("5 5", 7, [5, 2]), ("1", 0, [])):
        assert waves.sizes(text, count) == expected, (text, count)
    with pytest.raises(Remedy, match="each is a number"):
        waves.sizes("half", 10)


def _fleet(desk, **faults):
    server, options = desk
    run(options())
    for name in NAMES:
        server.add(name, server.keys()[name][1], faults.get(name.replace("-", ""), ""))
    said = []
    return server, lambda **given: waves.update(options(**given), said.append), said


def test_an_update_stops_at_the_wave_in_which_a_node_fails_and_what_counts_is_the_nodes_own_word(desk, capsys):
    server, update, said = _fleet(desk, node2="crash")
    assert update(number=7, apply=False) == [] and "nothing was sent" in said[-1]
    outcomes = update(number=7)
    assert [each.good for each in outcomes] == [True, True, False, True] and outcomes[2].endpoint == "node-2"
    assert "taken back" in outcomes[2].text and "2 nodes were left alone" in said[-1]
    new = [b"factory" not in server.nodes[name].application["/sensors.py"] for name in NAMES]
    assert new == [True, True, False, True, False, False], "it went back by itself, and those behind it were not asked"
    server.nodes["node-2"].fault = ""
    outcomes = update(number=7)
    assert [each.good for each in outcomes[:2]] == [True, True] and "had it before: taken back" in outcomes[2].text
    assert all(each.good for each in update(number=8, failures=20))
    assert {each.text for each in update(number=8)} == {"has it already"}


def test_a_forged_package_a_full_flash_and_silence_are_failures_by_their_names(desk):
    server, update, said = _fleet(desk, node1="full")
    server.nodes["node-0"].config._secrets["psk"] = "00" * 16
    server.silent.add("node-2")
    texts = [each.text for each in update(number=7, waves="100%", failures=100)]
    assert "signature" in texts[0] and "no room" in texts[1] and "no answer" in texts[2], texts
    assert "not registered" in said[0] and len(texts) == len(NAMES)


def test_health_of_all_is_one_table_and_a_crash_text_is_read_without_its_key(desk):
    server, options = desk
    run(options())
    key = server.keys()["node-0"][1]
    for name in NAMES[:4]:
        server.add(name, server.keys()[name][1])
    node = server.nodes["node-0"]
    node.flash.content["crash.txt"] = ("OSError 5, key %s " % key).encode() + b"x" * 900
    node.features[1].error, node.features[1].cause, node.features[1].rsrp, node.features[1].access = "network: no", 15, -101, 9
    node.node.warnings["flash"] = "flash refused 3 times"
    server.silent.add("node-1")
    run(options(lost=["node-2"]))
    server.add("stranger", "00" * 16)
    rows = {row[0]: row[1:] for row in status.status(options())}
    assert rows["node-0"][1:] == ("psk", "3600 mV", "-101 dBm", "NB-IoT ", VERSION, "network: no (cause 15)",
                                  "flash refused 3 times")
    assert rows["node-1"][-1] == "no answer" and rows["node-3"][-1] == "" and rows["node-5"][-1] == "not registered"
    assert "STILL REGISTERED" in rows["node-2"][-1] and "not of this fleet" in rows["stranger"][-1]
    text = status.crash(options(crash="node-0"))
    assert text.startswith(b"OSError 5, key *** xxx") and len(text) == 919 and key.encode() not in text
    assert status.crash(options(crash="node-3")) == b""
    with pytest.raises(Remedy, match="not registered"):
        status.crash(options(crash="node-5"))


def test_a_pipe_is_asked_by_commands_and_answers_in_packs(desk, monkeypatch):
    server, options = desk
    run(options())
    monkeypatch.setattr(status, "Events", lambda server: server.events)
    key = server.keys()["node-0"][1]
    node = server.add("node-0", key, contract="pipe")
    node.flash.content["crash.txt"] = ("OSError 5, key %s " % key).encode() + bytes(range(97, 107)) * 90
    node.features[1].error = "network: no"
    row = status.status(options(ask=True))[0]
    assert row[2:] == ("psk", "3600 mV", "-85 dBm", "NB-IoT 1A2B 01A2D100", VERSION, "network: no", ""), row
    assert status.status(options())[0][6:8] == (VERSION, "network: no")
    text = status.crash(options(crash="node-0"))
    assert len(text) == 919 and text.startswith(b"OSError 5, key *** abc") and key.encode() not in text
    monkeypatch.setattr(waves, "Events", lambda server: server.events)
    write, heard = server.write, []

    def deaf(endpoint, path, value, timeout=10):  # its host sleeps through the second piece
        heard.append(value)
        return Answer(200, '{"status": "X(204)"}') if len(heard) == 3 else write(endpoint, path, value)

    monkeypatch.setattr(server, "write", deaf)
    monkeypatch.setattr(application, "files", lambda *given: {"/sensors.py": b"# new" * 200})
    (outcome,) = waves.update(options(number=7, waves=""), lambda line: None)
    assert outcome.good and node.application["/sensors.py"].startswith(b"# new"), outcome


def test_events_are_found_by_number_also_when_old_ones_are_gone():
    events = Events.__new__(Events)
    events._kept = [("UPDATED", {"registration": {"endpoint": f"n{at}"}}) for at in range(5)]
    events.count, events._news = 15, threading.Condition()
    assert events.shows("n3", 0, 0) and events.shows("n3", 13, 0) and not events.shows("n3", 14, 0)
    assert events.first(lambda name, one: True, 12, 0) == (13, {"registration": {"endpoint": "n2"}})
    assert events.first(lambda name, one: True, 15, 0) == (15, None) and events.answer("x", 0, 0) is None


def test_a_pack_of_commands_is_what_a_pipe_reads_and_its_answer_is_read_back():
    from lwnode.lwm2m.unpack import entries

    found = entries(asking.pack(("/26252/0/7", 1), ("/9/0/1", None), ("/9/0/2", b"\x01\x02"), ("/26251/0/7", None)))
    assert [(name, value) for name, value, _ in found] == [
        ("/26252/0/7", 1), ("/9/0/1", None), ("/9/0/2", b"\x01\x02"), ("/26251/0/7", None)]
    pack = {"val": {"value": "81a2006a2f32363235322f302f3608430102ff"}}
    assert asking.readings(pack) == {"/26252/0/6": b"\x01\x02\xff"}
    assert asking.readings({"val": {"value": "zz"}}) == asking.readings({}) == {}
    registration = {"objectLinks": [{"url": "/3/0"}, {"url": "/19/0"}, {"url": "/19/1"}]}
    assert asking.contract_of(registration) == "pipe" and asking.has(registration, "/9/0")


@pytest.mark.parametrize("data, why", [
    (b"endpoint,psk_identity,psk,pin,state\nnode-0,node-0\n", "bring it back"),
    (b"node-0,node-0,00112233,,\na,a,1,,\n", "bring it back"), (b"\xff\xfe", "it is no text"), (None, "cannot be read")])
def test_a_register_that_cannot_be_read_is_none_that_is_empty(tmp_path, data, why):
    (tmp_path / "keys.csv").mkdir() if data is None else (tmp_path / "keys.csv").write_bytes(data)
    with pytest.raises(Remedy, match=why) as refused:
        register.Register(tmp_path)
    assert "00112233" not in str(refused.value)


@pytest.mark.parametrize("modern", [True, False])
def test_both_dialects_of_leshan_are_spoken_and_its_refusals_hold_no_key(modern):
    bodies = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            stream = self.path == ("/api/event" if modern else "/event")
            good = self.path == "/api/security/clients" or stream and "event-stream" in self.headers.get("Accept", "")
            self._end(200 if good else 404, b"[]", "text/event-stream" if stream else "application/json")

        def do_PUT(self):
            assert self.headers["Authorization"] == "Basic bWU6YUBi"
            bodies.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self._end(204 if len(bodies) == 1 else 400, b"" if len(bodies) == 1 else b"00112233")

        def _end(self, code, body=b"", kind="text/plain"):
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *given):
            """Silence."""

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    try:
        server = Server(f"http://me:a%40b@127.0.0.1:{web.server_port}/")
        assert "me" not in server.url
        entry = register.entry({"endpoint": "a", "psk_identity": "b", "psk": "00112233"})
        assert server.keys() == {} and server.modern == modern
        with pytest.raises(Remedy, match="no /api/clients .HTTP 404"):
            server.clients()
        server.put_key(entry)
        details = {"identity": "b", "key": "00112233"}
        assert bodies[0] == (("/api/security/clients/", entry) if modern else
                             ("/api/security/clients", {"endpoint": "a", "psk": details}))
        with pytest.raises(Remedy) as refused:
            server.put_key(entry)
        assert "00112233" not in str(refused.value)
    finally:
        web.shutdown()
        web.server_close()
    with pytest.raises(Remedy, match="is the server up"):
        Server(f"http://127.0.0.1:{web.server_port}").keys()
    with pytest.raises(Remedy, match="SERVER="):
        Server("127.0.0.1")
