"""The host tool for the BG96's configuration files: the guide's examples byte by byte, ranges, warnings, both ways."""

import os

import pytest
from test_vmodem_bg96 import SAMPLE_BOOTSTRAP, SAMPLE_CARRIERS, SAMPLE_SETTINGS

from tools import bg96_files
from tools.bg96_files.__main__ import main

CPYTHON_ONLY = "drives a tool of the host"
KEY = "30313233343536373839"


def secure(**more):
    return bg96_files.make("coaps://leshan.eclipse.org:5684", 101, 900, "iot.example", identity="node-1", key=KEY, **more)


def test_the_example_of_3_3_3_byte_by_byte():
    files = bg96_files.make("coap://h:5683")
    assert files["lwm2m_cfg"] == SAMPLE_SETTINGS


def test_the_example_of_3_3_2_byte_by_byte():
    assert bg96_files.carrier_apn_cfg(bg96_files.parse_items(SAMPLE_CARRIERS)) == SAMPLE_CARRIERS


def test_the_example_of_6_1_byte_by_byte():
    assert secure()["bootstrap.ini"].startswith(SAMPLE_BOOTSTRAP)
    assert '"/1/1/"' in secure()["bootstrap.ini"]


def test_all_six_files_are_written_and_read_back(tmp_path):
    bg96_files.write(secure(PER_REGSTATUS_FEAT=1), tmp_path)
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert names == ["bootstrap.ini", "carrier_apn_cfg", "lwm2m_app_autostart", "lwm2m_cfg", "qcli_config",
                     os.path.join("ssl", "101_server.psk")]
    account, settings, carriers = bg96_files.read(tmp_path)
    assert account == {"uri": "coaps://leshan.eclipse.org:5684", "ssid": 101, "lifetime": 900, "bootstrap": False,
                       "security": 0, "autostart": True, "qcli": True, "identity": "node-1", "key_bits": 4 * len(KEY),
                       "servers": 1}
    assert (settings["PER_REGSTATUS_FEAT"], settings["APN"]) == (1, "iot.example")
    assert carriers == [{"APN_NAME": "iot.example", "APN_CLASS": 2, "SHORT_SERVER_ID1": 101}]
    assert (tmp_path / "ssl" / "101_server.psk").stat().st_mode & 0o077 == 0
    assert (tmp_path / "ssl" / "101_server.psk").read_text() == f"node-1:{KEY}\n"


def test_what_is_missing_of_the_six_or_damaged_is_told(tmp_path):
    files = secure(APN="iot.example")
    bg96_files.write(files, tmp_path)
    assert "refused" not in warnings(tmp_path)
    for name, words in (("lwm2m_app_autostart", "does not start"), ("qcli_config", "qcli_config"), ("bootstrap.ini", "server"),
                        ("ssl/101_server.psk", "ssl/101_server.psk")):
        kept = (tmp_path / name).read_text()
        (tmp_path / name).unlink()
        assert words in warnings(tmp_path), name
        (tmp_path / name).write_text(kept)
    for text in ("node-1:0g\n", "node-1:012\n", ":0123\n", "node-1\n", ""):
        (tmp_path / "ssl" / "101_server.psk").write_text(text)
        assert "refused: ssl/101_server.psk" in warnings(tmp_path), text
        assert "012" not in warnings(tmp_path)


def test_the_tables_own_spelling_of_persistence_is_read(tmp_path):
    (tmp_path / "lwm2m_cfg").write_text("{\nFER_REGSTATUS_FEAT=1;\n}\n")
    assert bg96_files.read(tmp_path)[1]["PER_REGSTATUS_FEAT"] == 1


@pytest.mark.parametrize("change, words", [
    ({"uri": "http://h:80"}, "coap"), ({"uri": "coap://h"}, "coap"), ({"uri": "coap://h:0"}, "coap"),
    ({"lifetime": 29}, "30 to 86400"), ({"lifetime": 86401}, "30 to 86400"), ({"ssid": 0}, "1 to 65534"),
    ({"ROAMING_FEAT": 2}, "ROAMING_FEAT"), ({"REG_EP_NAME": 5}, "4 or 7"), ({"MAX_NO_RETRIES": -1}, "MAX_NO_RETRIES"),
    ({"BATTERY_LEVEL_THRESHOLD": 101}, "0 to 100"), ({"CARRIER_TYPE": 2}, "CARRIER_TYPE: expected 0 to 1"),
    ({"MOON": 1}, "MOON"),
    ({"carriers": [{"APN_NAME": "a", "SHORT_SERVER_ID1": 101, "BS_IF_REG_FAILS": 2}]}, "BS_IF_REG_FAILS"),
    ({"uri": "coaps://h:5684"}, "identity and key"), ({"uri": "coaps://h:5684", "identity": "i", "key": "0"}, "hexadecimal"),
])
def test_what_is_out_of_range_is_refused(change, words):
    values = {"uri": "coap://h:5683"}
    values.update(change)
    with pytest.raises(ValueError, match=words):
        bg96_files.make(**values)


def warnings(folder):
    return "\n".join(bg96_files.check(*bg96_files.read(folder)))


def test_what_will_surprise_is_told(tmp_path):
    bg96_files.write(bg96_files.make("coap://h:5683", REG_EP_NAME=7), tmp_path)
    told = warnings(tmp_path)
    for words in ("ROAMING_FEAT=1", "MSISDN", "reset", "still carrier_apn"):
        assert words in told
    bg96_files.write(bg96_files.make("coap://h:5683", apn="iot.example", ROAMING_FEAT=0, carriers=[
        {"APN_NAME": "a", "APN_CLASS": 2, "SHORT_SERVER_ID1": 102}]), tmp_path)
    told = warnings(tmp_path)
    assert "ROAMING_FEAT" not in told and "accounts" not in told and "Verizon" not in told
    assert "no section for server 101" in told


def test_several_accounts_and_the_carriers_own_ways_are_told(tmp_path):
    """3.3: bootstrap.ini may hold several Security objects; 3.3.3 and 3.3.4: Verizon wants security always."""
    files = secure(CARRIER_TYPE=1)
    files["bootstrap.ini"] += files["bootstrap.ini"].replace("/0/1/", "/0/2/").replace("/1/1/", "/1/2/")
    bg96_files.write(files, tmp_path)
    assert bg96_files.read(tmp_path)[0]["servers"] == 2
    assert "2 accounts" in warnings(tmp_path) and "Verizon" not in warnings(tmp_path)
    bg96_files.write(bg96_files.make("coap://h:5683", CARRIER_TYPE=1), tmp_path)
    assert "CARRIER_TYPE=1: Verizon wants security" in warnings(tmp_path)


def test_what_the_tool_writes_is_what_the_client_starts_with():
    """The virtual module boots with the tool's files: account, APN, persistence; the driver finds it registered, or not."""
    from fakes.modem_field import Field
    from lwnode.modem import REGISTERED

    for persistent in (0, 1):
        files = bg96_files.make("coap://192.0.2.7:5683", 101, 900, "iot.example", PER_REGSTATUS_FEAT=persistent,
                                BOOT_UP_SLEEP_TIME=1, BOOTSTRAP_EP_NAME=4, REG_RETRY_TIMEOUT=30, ROAMING_FEAT=0)
        field = Field("bg96", {"files": files, "network_apn": "iot.example"})
        assert field.modem.start() and field.modem.attach(60000) and field.modem.register(60000)
        assert field.server.registrations[field.endpoint].lifetime == 900
        registered = len([event for event in field.server.events if "registered" in event[2]])
        field.modem.restart()
        assert field.modem.attach(60000) and field.modem.register(60000) and field.modem.status() == REGISTERED
        again = len([event for event in field.server.events if "registered" in event[2]]) - registered
        assert again == (not persistent), "FER_REGSTATUS_FEAT=1: an update, no registration (3.3.3)"


@pytest.mark.parametrize("fall_back", [0, 1])
def test_retries_and_the_way_back_to_the_bootstrap_server_are_the_modules_own(fall_back):
    """3.3.2, 3.3.3: what the tool's files say the client does while the driver says "register" once, and waits."""
    from fakes.modem_field import Field

    carriers = [{"APN_NAME": "iot.example", "SHORT_SERVER_ID1": 101, "BS_IF_REG_FAILS": fall_back}]
    files = bg96_files.make("coap://192.0.2.7:5683", 101, 900, "iot.example", carriers=carriers, REG_RETRY_TIMEOUT=30,
                            BOOT_UP_SLEEP_TIME=300, BOOTSTRAP_EP_NAME=4, REBOOTSTRAP_REG_FAILS_MAX_NO_ATTEMPTS=1)
    boot = bg96_files.make("coap://192.0.2.9:5683", 100, bootstrap=True)["bootstrap.ini"].replace("/0/1/", "/0/2/")
    files["bootstrap.ini"] += boot
    field = Field("bg96", {"files": files, "network_apn": "iot.example"})
    field.server.refuse = 403
    field.clock.after(20000, lambda: setattr(field.server, "refuse", None))
    assert field.modem.start() and field.modem.attach(60000)
    assert field.modem.register(200000) is not fall_back
    said = [line for _, way, line in field.target.recent if way == "<" and "QLWEVENT" in line]
    assert sum(["BOOTSTRAPPING" in line for line in said]) == 2 * fall_back, said  # the first, and one more try
    asked = [line for _, way, line in field.target.recent if way == ">"]
    assert sum(['"register"' in line for line in asked]) == 1


def test_the_command_writes_and_reads(tmp_path, capsys):
    key = tmp_path / "key"
    key.write_text(KEY)
    folder = str(tmp_path / "datatx")
    assert main(["write", folder, "--server", "coaps://leshan.eclipse.org:5684", "--apn", "iot.example", "--identity", "node-1",
                 "--key-file", str(key), "--set", "ROAMING_FEAT=0"]) == 0
    assert main(["read", folder]) == 0
    said = capsys.readouterr()
    assert "leshan.eclipse.org" in said.out
    assert KEY not in said.out
    with pytest.raises(SystemExit):
        main(["write", folder, "--server", "coap://h:1", "--lifetime", "1"])
    assert main(["write", folder, "--server", "coap://h:1", "--set", "MOON"]) == 1
    assert "30 to 86400" in capsys.readouterr().err
