"""The decoder for what a node sends, and the report of what a configuration becomes on each module."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lwnode.lwm2m import BOOLEAN, FLOAT, OPAQUE, STRING, ObjectTree, Request, senml
from lwnode.lwm2m import Path as ResourcePath
from lwnode.features.commands import carry_out
from tools.objects import example, units
from tools.objects.__main__ import declaration
from tools.objects.families import FAMILIES, fitted, wrong_rows, wrong_units
from tools.objects.payload import Reading, decode, encode

CPYTHON_ONLY = "drives command line tools of the host"

ROOT = Path(__file__).parents[2]
NOW = 1790000000
RECORDS = [
    (ResourcePath(3303, 0, 5700), FLOAT, "21.5", NOW), (ResourcePath(3200, 0, 5500), BOOLEAN, "1", None),
    (ResourcePath(3341, 0, 5527), STRING, "Grüße", NOW + 60), (ResourcePath(3339, 0, 5522), OPAQUE, b"\x00\x01", NOW),
]


def run(*arguments, data=b""):
    command = [sys.executable, "-m", "tools.objects.payload", *arguments]
    done = subprocess.run(command, cwd=ROOT, input=data, capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_a_payload_in_words():
    payload, used = senml.pack_senml(RECORDS, 512)
    assert used == len(RECORDS)
    assert sorted(decode(payload), key=lambda reading: reading.path) == [
        Reading("/3200/0/5500", BOOLEAN, True, None),
        Reading("/3303/0/5700", FLOAT, 21.5, NOW),
        Reading("/3339/0/5522", OPAQUE, b"\x00\x01", NOW),
        Reading("/3341/0/5527", STRING, "Grüße", NOW + 60),
    ]


@pytest.mark.parametrize("payload", [b"", b"\x0c\xe7", b"\x81\xa1\x00", b"\xff", b"temperature 21.5"])
def test_what_is_no_payload(payload):
    with pytest.raises(ValueError):
        decode(payload)


def test_the_command_line_reads_hex_base64_and_bytes():
    payload, _ = senml.pack_senml(RECORDS[:1], 512)
    text = "/3303/0/5700     21.5         2026-09-21T14:13:20Z\n"
    assert run(payload.hex()) == (0, text, "")
    assert run(payload.hex(" ").upper()) == (0, text, "")
    assert run("gaMhbC8zMzAzLzAvNTcwMCIaarE7gALEgiAY1w==") == (0, text, "")
    code, output, _ = run("--json", data=payload)
    assert code == 0
    assert json.loads(output) == {"path": "/3303/0/5700", "value": 21.5, "time": "2026-09-21T14:13:20Z"}
    code, _, error = run("zz")
    assert code == 1 and "neither hex nor base64" in error


def test_commands_are_what_a_node_carries_out():
    applied = []
    tree = ObjectTree()
    tree.commands = carry_out
    tree.sensor(3303, lambda: 21.0, resolution=0.1)
    tree.actuator(3306, applied.append, initial=False, values={5853: ""})
    tree.actuator(3308, applied.append, initial=20.0)
    tree.sample(NOW)
    tree.reports(NOW)
    payload = encode(
        ["/3306/0/5850=true", "/3308/0/5900=-21.75", "/3303/0/5605", "/3303/0/5700", "/3303/0/5700?pmin=60&gt=30",
         "/3306/0/5853=a=b"]
    )  # fmt: skip
    assert tree.handle(Request("write", ResourcePath(19, 1, 0), 1, value=payload)).code == 204
    assert applied == [True, -21.75]
    assert tree.resource("/3303/0/5700").rules.text() == "pmin=60&gt=30"
    assert tree.resource("/3306/0/5853").value == "a=b"
    assert "/3303/0/5700" in [str(record[0]) for record in tree.reports(NOW)]
    code, output, _ = run("--command", "/3306/0/5850=false")
    assert code == 0 and bytes.fromhex(output) == encode(["/3306/0/5850=false"])


def test_a_unit_that_senml_does_not_know_is_told_with_its_row():
    tree = ObjectTree()
    tree.sensor(3303, lambda: 1.0)
    tree.sensor(3303, lambda: 1.0, 1, unit="°C")
    tree.sensor(3325, lambda: 1.0, unit="ppm")
    tree.actuator(3308, None, unit="degrees")
    assert wrong_units(tree) == ["/3303/1: SenML writes Cel for °C", "/3308/0: " + str(units.check("degrees"))]


def test_keywords_that_a_node_would_meet_only_while_it_measures_are_told_with_their_row():
    tree = ObjectTree()
    wrong = ({}, {"every": "900"}, {"resolution": "0.1"}, {"unit": 5}, {"scale": (1,)}, {"resolution": 0})
    for instance, keywords in enumerate(wrong):
        tree.sensor(3303, lambda: 1.0, instance, **keywords)
    tree.sensor(3304, 48.2)
    tree.actuator(3306, None)
    assert [sentence.split(", not ")[0] for sentence in wrong_rows(tree)] == [
        "/3303/1: every is a number", "/3303/2/5700: resolution is a step above 0", "/3303/3: unit is a text",
        "/3303/4: scale is a number", "/3303/5/5700: resolution is a step above 0", "/3304/0: read is a function"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_configuration_on_each_module(family):
    found = fitted(example.declare, family)
    assert (19, 0, (0,)) in found.objects and found.dropped
    if found.contract == "pull":
        assert max(len(ids) for _, _, ids in found.objects) <= 14 and len({one[0] for one in found.objects}) <= 15
        assert any("/3303/4: the module holds 4 instances" in sentence for sentence in found.dropped)
        assert any(sentence.startswith(("/3305/0 has", "/3334/0 has")) for sentence in found.dropped)
    elif found.contract == "shadow":
        assert all(id not in (5605, 5505) for _, _, ids in found.objects for id in ids)
        unseen = [sentence.split(":")[0] for sentence in found.dropped if "stay unseen" in sentence]
        assert unseen == ["/3305", "/3200", "/3347", "/3411", "/3325"], "actuators come first"
    else:
        assert found.objects == [(19, 0, (0,)), (19, 1, (0,))]
        assert "inside 19/0/0" in found.dropped[0]


@pytest.mark.parametrize("text, said", [
    ("from machine import ADC\n", ":1: machine is there on a board only: use board.machine inside declare()"),
    ("import mcp\n", ":1: there is no mcp.py beside it"),
    ("def declare(tree, board)\n", ":1: SyntaxError: "),
    ("def declare(tree, board):\n    tree.sensor(3303, int, gt=3, lt=9)\n", ":2: lt 9 plus twice st 0 must be below gt 3"),
    ("def declare(tree, board):\n    tree.sensor(3303, int, gtt=3)\n", ":2: the rules are pmin pmax gt"),
    ("def declare(tree):\n    pass\n", ": TypeError: "),
    ("rows = 1\n", ": has no declare(tree, board)"),
])
def test_what_is_wrong_with_somebodys_rows_is_one_sentence_with_its_line(tmp_path, text, said):
    path = tmp_path / "sensors.py"
    path.write_text(text)
    command = [sys.executable, "-m", "tools.objects", "--rows", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{path}{said}") and done.stderr.count("\n") == 1, done.stderr


def test_rows_that_wrap_micropythons_own_drivers_are_shown_on_a_computer(tmp_path):
    path = tmp_path / "sensors.py"
    path.write_text("""
from ds18x20 import DS18X20
from hts221 import HTS221
from lwnode.drivers import ds18b20, i2c, pulses
from onewire import OneWire

def declare(tree, board):
    ds18b20.add(tree, DS18X20(OneWire(board.machine.Pin(4))))
    i2c.add_hts221(tree, HTS221(board.i2c()), 1)
    pulses.Counter(board)
""")
    assert [row[:2] for row in fitted(declaration(path), "bc66").objects][:3] == [(3303, 0), (3303, 1), (3304, 1)]
