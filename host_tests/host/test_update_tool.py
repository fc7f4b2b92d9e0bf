"""make update and update-package: through unpatched mpremote onto a MicroPython, its boot path, and back from a bad update."""

import asyncio
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from host.desk import CONFIG, PSK, ROOT, desk_fixture  # noqa: F401  at_desk

from tools.boards import application, catalog, update
from tools.boards.remedy import Remedy

REAL_TIME = "mpremote talks to what plays a board"
CPYTHON_ONLY = "drives mpremote and the command line of the host"
BOARD = catalog.find("ESP32_GENERIC")
SECRETS = {"psk_identity": "node-1", "psk": PSK}
TARGET = "ESP32_GENERIC/bc66"
BOOT = compile((ROOT / "firmware" / "boot.py").read_bytes(), "boot.py", "exec")
SENSORS = (ROOT / "firmware" / "sensors.py").read_bytes()


async def deployed(bench):
    """The application, configuration and secrets on the board; the path of the secrets.

    The cable is 256 bytes a time: what is the same on the board is not copied, as test_boards_tools holds.
    """
    for path, data in application.files(BOARD, "bc66").items():
        file = bench.board.flash / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    secrets = bench.folder / "secrets.json"
    secrets.write_text(json.dumps(SECRETS))
    bench.config.write_text(json.dumps(CONFIG | {"maintenance_window": 1}))
    status, output = await bench.tool("deploy", "--secrets", str(secrets))
    assert status == 0, output
    return secrets


async def sent(bench, version, content, key=None):
    """make update PACKAGE=: (exit status, what it printed)."""
    package = bench.folder / f"{version}.lwu"
    package.write_bytes(update.signed(key or update.key(SECRETS), version, TARGET, content))
    await bench.stopped()
    return await bench.tool("update", "--package", str(package))


async def until(found):
    """Wait for something to become true, in real time."""
    for _ in range(600):
        if found():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not happen")


def test_a_bad_update_is_tried_and_taken_back_by_the_boards_own_boot(at_desk):
    async def script(bench):
        await deployed(bench)
        flash = bench.board.flash
        before = application.files(BOARD, "bc66")
        bad = {"/sensors.py": b"raise ValueError('a mistake')\n", "/lib/lwnode/drivers/own.py": b"NEW = 1\n"}
        status, output = await sent(bench, 1001, bad)
        assert status == 0 and "staged version 1001" in output, output
        assert [path for path in application.STAGING if f"copying {path}: the node was deployed without" in output] == [
            *application.STAGING]
        # Three starts end in the mistake; the fourth begins with the old files.
        await until(lambda: (flash / "update" / "last").exists())
        assert (flash / "update" / "last").read_bytes().startswith(b"1001 rolled back\n")
        for path, data in before.items():
            assert (flash / path[1:]).read_bytes() == data, path
        assert not (flash / "lib" / "lwnode" / "drivers" / "own.py").exists()
        assert "a mistake" in (flash / "crash.txt").read_text()
        # And not again.
        status, output = await sent(bench, 1001, bad)
        assert status == 1 and "version 1001 was here before" in output and "deployed without" not in output

    at_desk(script)


def test_a_forged_package_is_refused_and_a_good_one_is_on_trial_until_a_deploy_by_cable(at_desk):
    async def script(bench):
        await deployed(bench)
        flash = bench.board.flash
        status, output = await sent(bench, 7, {"/sensors.py": b"x = 1\n"}, b"another key")
        assert status == 1 and "not signed with this node's key" in output and "has changed nothing" in output
        assert (flash / "sensors.py").read_bytes() == SENSORS and not (flash / "update" / "plan").exists()
        status, output = await sent(bench, 7, {"/sensors.py": SENSORS + b"# new\n", "/shell.mpy": None})
        assert status == 0, output
        await until(lambda: (flash / "update" / "trial").exists())
        assert (flash / "sensors.py").read_bytes() == SENSORS + b"# new\n"
        assert not (flash / "shell.mpy").exists()
        await bench.stopped()
        output = await bench.mpremote("exec", "import swap; print(swap.Swap().state)")
        assert output == "trial\n"
        # What comes by cable counts, and ends the trial.
        await bench.stopped()
        status, output = await bench.tool("deploy", "--secrets", str(bench.folder / "secrets.json"))
        assert status == 0 and (flash / "sensors.py").read_bytes() == SENSORS, output
        assert [path.name for path in (flash / "update").rglob("*") if path.is_file()] == []
        assert not [path for path in application.STAGING if (flash / path[1:]).exists()], "nobody asks for updates"
        assert not (flash / "lib/lwnode/update").exists()
        await bench.stopped()
        said = await bench.mpremote("exec", "from shell import *; update(); updates()")
        assert said.endswith("make update brings what they take\n  none, deployed without\n"), said

    at_desk(script)


# -- packages ----------------------------------------------------------------------------------------------


def tool(*arguments):
    command = [sys.executable, "-m", "tools.boards", *map(str, arguments), "--board", "ESP32_GENERIC"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_the_tool_and_the_node_agree_on_layout_and_key():
    from fakes.update import flash, package
    from lwnode.update import key_of, stage

    content = {"/sensors.py": b"new", "/old.py": None}
    key = key_of(SECRETS.get)
    assert update.signed(key, 7, TARGET, content) == package(key, 7, content, TARGET)
    files = flash({}, update.signed(update.key(SECRETS), 7, TARGET, content))
    assert stage(key, TARGET, files) == 7


def test_a_package_for_each_device_of_a_table(tmp_path):
    table = tmp_path / "devices.csv"
    table.write_text("endpoint,psk_identity,psk\nnode-1,one,aa11\nnode-2,two,bb22\n")
    config = tmp_path / "config.json"
    config.write_text(json.dumps(CONFIG))
    done = tool("update-package", "--config", config, "--csv", table, "--files", "sensors.py", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    made = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert sorted(made) == ["node-1.lwu", "node-2.lwu"]
    assert made["node-1.lwu"][:-32] == made["node-2.lwu"][:-32] and made["node-1.lwu"] != made["node-2.lwu"]
    assert "aa11" not in done.stdout
    options = ("--config", config, "--csv", table, "--files", "sensors.py", "--out", tmp_path / "no")
    done = tool("update-package", *options, "--dry-run")
    assert done.returncode == 0 and "would write" in done.stdout and not (tmp_path / "no").exists()


def test_what_goes_into_a_package():
    everything = update.chosen(BOARD, "bc66", [], [], False, {"server_updates": True})
    assert "/sensors.py" in everything and "/lib/lwnode/update/__init__.mpy" in everything
    assert not set(update.NEVER) & set(everything)
    some = update.chosen(BOARD, "bc66", ["firmware/sensors.py", "lib/lwnode/drivers"], ["old.py"], False)
    assert some["/old.py"] is None and "/lib/lwnode/drivers/battery.mpy" in some and "/sensors.py" in some
    assert all(path.startswith(("/sensors", "/old", "/lib/lwnode/drivers/")) for path in {*some} - {application.TABLE})
    # New rows bring their objects: a node holds those of the rows that it was deployed with.
    assert some[application.TABLE] == application.files(BOARD, "bc66")[application.TABLE]
    assert application.TABLE not in update.chosen(BOARD, "bc66", ["lib/lwnode/drivers"], [], False)
    assert {*update.chosen(BOARD, "bc66", ["sensors.py"], [], True)} == {"/sensors.py"}, "a frozen table is whole"
    frozen = update.chosen(BOARD, "bc66", [], [], True)
    assert "/sensors.py" in frozen and not [path for path in frozen if path.startswith("/lib")]


@pytest.mark.parametrize(
    "name, frozen, words",
    [
        ("main.py", False, "make deploy"),
        ("swap.py", False, "make deploy"),
        ("lib/lwnode/at/client.py", True, "flash a new image"),
        ("nothing.py", False, "no file of the application"),
    ],
)
def test_what_cannot_go_into_a_package_is_said_with_what_to_do(name, frozen, words):
    with pytest.raises(Remedy, match=words):
        update.chosen(BOARD, "bc66", [name], [], frozen)


def test_pieces_for_a_server_are_the_package_again():
    package = update.signed(b"key", 7, TARGET, {"/sensors.py": bytes(range(256)) * 9})
    pieces = list(update.chunks(package, 100))
    assert max(map(len, pieces)) == 100 and b"".join(piece[4:] for piece in pieces) == package
    assert [int.from_bytes(piece[:4], "little") for piece in pieces] == list(range(0, len(package), 96))


def test_a_node_without_a_key_is_told_where_to_put_one(tmp_path):
    done = tool("update-package", "--files", "sensors.py", "--out", tmp_path)
    assert done.returncode == 1 and "put update_key (hexadecimal) into secrets.json" in done.stderr
    done = tool("update", "--package", tmp_path / "none.lwu", "--port", "/dev/no-such-port")
    assert done.returncode == 2 and "PACKAGE: expected a file" in done.stderr
    (tmp_path / "bad.lwu").write_bytes(b"not a package" * 9)
    done = tool("update", "--package", tmp_path / "bad.lwu", "--port", "/dev/no-such-port")
    assert done.returncode == 1 and "make update-package" in done.stderr


@pytest.mark.parametrize("error, looked", [(2, False), (5, True), (None, True)])
def test_boot_takes_a_plan_that_cannot_be_read_now_not_for_none(monkeypatch, error, looked):
    import os

    def stat(path):
        if error is not None:
            raise OSError(error)

    calls = []
    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setitem(sys.modules, "swap", SimpleNamespace(boot=lambda: calls.append(1)))
    exec(BOOT, {})
    monkeypatch.setitem(sys.modules, "swap", None)  # deployed without
    exec(BOOT, {})
    monkeypatch.undo()
    assert calls == [1] * looked
