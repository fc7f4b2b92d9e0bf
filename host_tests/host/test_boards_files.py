"""config.json, secrets.json and the table of devices as people write them: each usual slip has its own sentence."""

import json

import pytest

from tools.boards.deploy import read_config
from tools.boards.files import read_json
from tools.boards.image import alone, devices
from tools.boards.remedy import Remedy

GOOD = {"family": "bc66", "host": "198.51.100.7", "endpoint": "node-1", "apn": "iot"}
TEXTS = {
    b'\xef\xbb\xbf{"a": 1}': "byte order mark",
    b" \n": "is empty: copy firmware/config.json",
    b'{\n "a": 1, // seconds\n "b": 2}': "line 2: JSON has no comments",
    b'{\n # mine\n "a": 1}': "line 2: JSON has no comments",
    b'{"a": 1,\n "a": 2}': '"a" is there twice',
    b'{"a": 1,\n}': "no comma behind the last entry",
    b'{"a": 1\n "b": 2}': "a comma is missing",
    b"{'a': 1}": "texts stand in double quotes",
    b'{"a": "\xe9"}': "is not UTF-8 at line 1",
}
SLIPS = [
    ({"host": "coap://198.51.100.7"}, {}, '"host" is a name or an address alone'),
    ({"host": "coaps://x.example"}, {}, 'coaps is "security": "psk"'),
    ({"host": "x.example:5684"}, {}, 'the port is "port"'),
    ({"host": "x.example/rd"}, {}, "without scheme, port and path"),
    ({}, {"psk_identity": "n", "psk": "00zz"}, '"psk" must be hexadecimal digits, its character 3 of 4 is none'),
    ({}, {"psk_identity": "n", "psk": "00112"}, "it has 5: one is missing"),
]


@pytest.mark.parametrize("text, words", TEXTS.items())
def test_a_file_that_cannot_be_read_says_why(tmp_path, text, words):
    path = tmp_path / "config.json"
    path.write_bytes(text)
    with pytest.raises(Remedy) as found:
        read_json(path)
    assert words in str(found.value), str(found.value)


@pytest.mark.parametrize("config, secrets, words", SLIPS)
def test_a_value_of_the_right_type_that_cannot_be_right_says_why(tmp_path, config, secrets, words):
    for name, content in (("config.json", GOOD | config), ("secrets.json", secrets)):
        (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(Remedy) as found:
        read_config(tmp_path / "config.json", tmp_path / "secrets.json")
    assert words in str(found.value) and "zz" not in str(found.value), str(found.value)


def test_good_files_pass_and_a_spreadsheets_table_too(tmp_path):
    for host in ("198.51.100.7", "x.example", "2001:db8::1"):
        (tmp_path / "config.json").write_text(json.dumps(GOOD | {"host": host}))
        assert read_config(tmp_path / "config.json", None)["host"] == host
    table = tmp_path / "devices.csv"
    table.write_bytes(b"\xef\xbb\xbfendpoint,psk_identity,psk\r\nnode-1,n,00ff\r\n")
    assert [each[0] for each in devices(GOOD, {}, table)] == ["node-1"]


def test_an_image_without_a_table_says_for_whom_it_is():
    assert "for any device" in alone("urn:dev:{id}") and "take turns" in alone("node-1")
