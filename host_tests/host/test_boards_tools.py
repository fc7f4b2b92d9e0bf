"""make deploy, provision, image, flash: unpatched mpremote against the host board's raw REPL, esptool as far as it goes."""

import asyncio
import fcntl
import hashlib
import json
import os
import random
import re
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from host.desk import CONFIG, PSK, desk_fixture  # noqa: F401  at_desk
from esp32_mock_bootloader.api import MockHandle
from littlefs import LittleFS

from tools.boards import application, catalog, deploy, flash, heap, image, package, remote
from tools.boards.catalog import RP2_FLASH, UF2_FAMILY
from tools.boards.remedy import Remedy

REAL_TIME = "mpremote and esptool talk to what plays a board"
ROOT = Path(__file__).resolve().parent.parent.parent


def test_mpremote_drives_the_bridge(at_desk):
    async def script(bench):
        assert await bench.mpremote("eval", "6 * 7") == "42\n"
        blob = bench.folder / "blob"
        blob.write_bytes(os.urandom(9000))
        await bench.mpremote("fs", "cp", str(blob), ":blob")
        assert (bench.board.flash / "blob").read_bytes() == blob.read_bytes()
        assert hashlib.sha256(blob.read_bytes()).hexdigest() in await bench.mpremote("fs", "sha256sum", "blob")
        await bench.mpremote("soft-reset", "exec", "import machine; assert machine.reset_cause() == 5")
        status, output = await bench.run([sys.executable, "-m", "mpremote", "connect", bench.board.repl_path, "exec", "1/0"])
        assert status == 1 and "ZeroDivisionError" in output

    at_desk(script)


def test_deploy_provision_shell_and_restart(at_desk):
    async def script(bench):
        flash_folder = bench.board.flash
        restarted = asyncio.create_task(bench.board.until("reset"))
        status, output = await bench.tool("deploy")
        assert status == 0, output
        await restarted
        wanted = application.files(catalog.find("esp32_generic"), "bc66")
        for path, data in wanted.items():
            assert (flash_folder / path.lstrip("/")).read_bytes() == data, path
        assert json.loads((flash_folder / "config.json").read_text()) == CONFIG
        assert f"copying {len(wanted)} of {len(wanted)}" in output and "features: commands, pins, settings, usage\n" in output
        assert not list(flash_folder.rglob("me910c1*")), "another family's dialect stays at home"

        # Only what changed is copied, what is no longer ours goes, what the user added stays.
        await bench.cold_boot()
        (flash_folder / "sensors.py").write_text("# mine\n")
        (flash_folder / "lib" / "lwnode" / "old.mpy").write_bytes(b"M")
        (flash_folder / "notes.txt").write_text("keep")
        status, output = await bench.tool("deploy")
        assert status == 0, output
        assert f"copying 1 of {len(wanted)} files" in output and "removing 1" in output and "1/1 /sensors.py" in output
        assert not (flash_folder / "lib" / "lwnode" / "old.mpy").exists() and (flash_folder / "notes.txt").exists()

        # Provisioning: checked first, then verified; a secret is never printed.
        await bench.cold_boot()
        secrets = bench.folder / "secrets.json"
        secrets.write_text(json.dumps({"psk_identity": "node-1", "psk": PSK}))
        bench.config.write_text(json.dumps(CONFIG | {"lifetime": "a day"}))
        status, output = await bench.tool("provision", "--secrets", str(secrets))
        assert status == 1 and '"lifetime" must be a whole number' in output
        bench.config.write_text(json.dumps(CONFIG | {"server_updates": True}))
        status, output = await bench.tool("provision", "--secrets", str(secrets))
        assert status == 1 and "the board lacks /lib/lwnode/features/update.mpy, which this configuration asks for" in output
        bench.config.write_text(json.dumps(CONFIG | {"family": "bg96"}))
        status, output = await bench.tool("provision", "--secrets", str(secrets))
        assert status == 1 and "the board lacks /lib/lwnode/modem/bg96/__init__.mpy" in output
        bench.config.write_text(json.dumps(CONFIG | {"lifetime": 600, "security": "psk"}))
        status, output = await bench.tool("provision", "--secrets", str(secrets))
        assert status == 0, output
        assert PSK not in output
        assert json.loads((flash_folder / "config.json").read_text())["lifetime"] == 600
        assert json.loads((flash_folder / "secrets.json").read_text())["psk"] == PSK

        # The deployed .mpy run, and a person gets to the shell.
        await bench.cold_boot()
        output = await bench.mpremote("exec", "from shell import *; help()")
        assert "doctor()" in output

    at_desk(script)


FRAGMENTED = """
import gc
pins, holes = [], []
try:
    while True:
        holes.append(bytearray(3600))
        pins.append(bytearray(400))
except MemoryError:
    pass
try:
    while True:
        pins.append(bytearray(400))  # what is left at the end is no part of the last hole
except MemoryError:
    holes = None
gc.collect()
"""


@pytest.mark.parametrize("boot", ["", FRAGMENTED], ids=["whole heap", "largest hole 4.9 KB"])
def test_150_files_reach_a_board_whose_heap_is_a_picos(at_desk, boot, capsys):
    """Issue 14: the board answered 127 hashes at once, lying among discarded reads, and had no hole for the sentence."""
    content = random.Random(14).randbytes  # the heap's pieces depend on it: the same each time
    files = {f"/lib/lwnode/part{number % 7}/module_{number:03}.mpy": content(300 + 9 * number) for number in range(150)}
    pico = catalog.find("RPI_PICO")

    async def script(bench):
        (bench.board.flash / "boot.py").write_text(boot)

        def copied(wanted):
            with remote.Remote(bench.board.repl_path) as board:
                deploy.transfer(board, deploy.meet(pico, board), wanted, remove_stale=True)
                said = board.execute("import gc, micropython; gc.collect(); micropython.mem_info()")
                return int(re.search(r"GC: total: (\d+)", said)[1]), 32 * int(re.search(r"max free sz: (\d+)", said)[1])

        heap, hole = await asyncio.to_thread(copied, files)
        assert heap < 240 << 10 and (hole < 5000 or not boot)
        said = capsys.readouterr().out
        assert "copying 150 of 150 files" in said and "150/150 /lib/lwnode/part6/module_146.mpy\nverified 150" in said
        for path, data in files.items():
            assert (bench.board.flash / path[1:]).read_bytes() == data
        left = {path: data for path, data in files.items() if "part6" not in path}
        left["/lib/lwnode/part0/module_000.mpy"] = os.urandom(300)
        await asyncio.to_thread(copied, left)
        assert "copying 1 of 129 files (0 KB), removing 21" in capsys.readouterr().out
        assert not (bench.board.flash / "lib/lwnode/part6").exists(), "an empty folder goes too"

    at_desk(script, port="rp2", heap="240k")


def test_only_the_features_of_the_configuration_and_the_drivers_that_somebody_imports_are_deployed():
    def optional(given):
        found = application.files(replace(pico, values=values), "bc66", given)
        names = {path.removeprefix("/lib/lwnode/")[:-4] for path in found}
        return {name for name in names if name.startswith(("features/", "drivers/", "update/", "/swap"))}

    pico = catalog.find("RPI_PICO")
    values = pico.values
    usual = {"features/" + name for name in ("__init__", "commands", "pins", "settings", "usage")}
    drivers = {"drivers/__init__", "drivers/battery", "drivers/shared"}
    assert optional({}) == usual | drivers
    assert optional({"battery": "lipo", "defer_longest": 60}) == usual | drivers | {"features/battery", "features/deferral"}
    assert optional({"battery": "none"}) == usual | drivers
    assert optional({"server_updates": True}) == usual | drivers | {"features/update", "update/__init__", "/swap"}
    none = {"features/__init__", "drivers/__init__"}
    assert optional({"node_objects": False, "history": "replay"}) == none | {"features/pins"}
    assert optional({"node_objects": False, "commands": False, "pins": False}) == none
    bare = {"node_objects": False, "commands": False}
    for changed, found in ((({"PINS": {"power_key": 6}}), set()), ({"PINS": {}, "WAKE": ("door",)}, {"features/pins"}),
                           ({"PINS": {"ship": 3}}, {"features/ship"})):
        values = pico.values | changed
        assert optional(bare) == none | found, changed
    assert optional(bare | {"pins": True}) == none | {"features/ship", "features/pins"}, "asked for by its key"


def test_no_wake_loads_what_is_for_people_and_for_updates():
    found = {}
    for path in [*(ROOT / "lib").rglob("*.py"), ROOT / "firmware" / "main.py", ROOT / "firmware" / "sensors.py"]:
        text = path.read_text(encoding="utf-8")
        names = re.findall(r"^ *(?:from|import) (shell|doctor|words|swap|lwnode\.update)\b", text, re.MULTILINE)
        if names:
            found[str(path.relative_to(ROOT))] = set(names)
    assert found == {"lib/lwnode/update/__init__.py": {"swap"}, "lib/lwnode/features/update.py": {"swap", "lwnode.update"}}


def test_a_board_whose_power_a_timer_cuts_gets_what_that_takes_and_no_other_board():
    pico, path = catalog.find("RPI_PICO"), "/lib/lwnode/board/switched.mpy"
    switched = replace(pico, values={**pico.values, "TIMER": {"chip": "ds3231"}})
    assert path in application.files(switched, "bc66") and path not in application.files(pico, "bc66")


def test_mip_installs_the_library_from_package_json(at_desk):
    async def script(bench):
        # The file as it is, less the packages that the import below does not need: a board's UART is not the thing tested here.
        listed = json.loads(package.content())
        listed["urls"] = [pair for pair in listed["urls"] if pair[0] == "lwnode/__init__.py" or "lwnode/at/" in pair[0]]
        (bench.folder / "package.json").write_text(json.dumps(listed))
        (bench.folder / "lib").symlink_to(ROOT / "lib")
        await bench.mpremote("mip", "install", "--no-mpy", str(bench.folder / "package.json"))
        for target, source in listed["urls"]:
            assert (bench.board.flash / "lib" / target).read_bytes() == (ROOT / source).read_bytes()
        assert await bench.mpremote("exec", "from lwnode.at import AtTimeout; print(AtTimeout.__name__)") == "AtTimeout\n"

    at_desk(script)


def test_deploy_refuses_what_cannot_work_and_says_what_to_do(at_desk):
    async def script(bench):
        status, output = await bench.tool("deploy", board="RPI_PICO")
        assert status == 1 and "BOARD=RPI_PICO is for rp2040: name the right board" in output
        status, output = await bench.tool("deploy", board="ESP32_GENERIC_S3")
        assert status == 1 and "name the right board" in output
        status, output = await bench.tool("deploy", "--dry-run")
        assert status == 0 and "would compare, and copy if it differs: /main.py" in output
        assert not (bench.board.flash / "main.py").exists()
        line = os.open(bench.board.repl_path, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
        status, output = await bench.tool("deploy")
        os.close(line)
        assert status == 1 and "close the other program" in output

    at_desk(script)


def test_a_board_without_room_is_told_before_anything_is_copied(at_desk):
    async def script(bench):
        status, output = await bench.tool("deploy")
        assert status == 1 and "KB free and" in output and "ERASE=1" in output
        assert not (bench.board.flash / "lib").exists()

    at_desk(script, flash_kb=64)


def test_a_board_with_too_little_heap_is_refused_unless_forced(at_desk):
    async def script(bench):
        status, output = await bench.tool("deploy", "--family", "bc66")
        assert status == 1 and re.search(r"has 16\d KB of heap, a node with a BC66 needs \d+ KB: freeze .* FORCE=1", output)
        assert not (bench.board.flash / "lib").exists()
        status, output = await bench.tool("deploy", "--family", "bc66", "--force")
        assert status == 1 and "KB free and" in output, "the next reason: a small flash keeps this test short"

    at_desk(script, heap="160k", flash_kb=64)


def test_the_pages_say_of_heap_what_deploy_does():
    for name, links in heap.PAGES.items():
        assert heap.written(ROOT / name, links) == (ROOT / name).read_text(encoding="utf-8"), "run python -m tools.boards.heap"
    for board, pool in heap.POOLS.items():
        for family in application.FAMILIES:
            if pool and pool < heap.need(family):
                with pytest.raises(Remedy, match=f"boards/{board}/manifest.py"):
                    heap.refuse_little_heap(catalog.find(board), family, pool, False)
            heap.refuse_little_heap(catalog.find(board), family, pool or 300_000, True)
    assert sorted(heap.POOLS) == catalog.names()


@pytest.mark.parametrize("command", ["deploy", "provision", "update"])
def test_a_missing_board_is_said_by_its_port(tmp_path, command):
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"psk_identity": "node-1", "psk": PSK}))
    words = [command, "--board", "rpi_pico", "--port", "/dev/no-such-port", "--secrets", str(secrets)]
    done = subprocess.run([sys.executable, "-m", "tools.boards", *words], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == (
        f"{command}: there is no board on /dev/no-such-port: plug it in, or name its port with PORT= "
        "(`mpremote connect list` shows those there are)\n"
    )


def test_a_board_that_does_not_answer_is_asleep_or_running():
    assert "press its reset button" in remote.Remote("/dev/ttyX").explain("mpremote: could not enter raw repl")


@pytest.mark.parametrize(
    "answer, sentence",
    [({"version": (1, 23, 0)}, "1.24 or later is needed"), ({"mpy": 5}, "loads .mpy format 5"),
     ({"port": "esp32"}, "name the right board")],
)
def test_an_old_micropython_and_another_board_are_refused(answer, sentence):
    said = {"port": "rp2", "machine": "Raspberry Pi Pico with RP2040", "version": (1, 28, 0), "mpy": 6, "free": 0,
            "heap": 245888, "frozen": False}
    pico = catalog.find("rpi_pico")
    remote.refuse_other_board(remote.Found(**said), pico)
    with pytest.raises(Remedy, match=sentence):
        remote.refuse_other_board(remote.Found(**(said | answer)), pico)


def test_boards_are_found_in_any_case_and_bad_wiring_is_refused():
    assert catalog.find("Esp32_Generic_s3").name == "ESP32_GENERIC_S3"
    with pytest.raises(Remedy, match="RPI_PICO2"):
        catalog.find("nothing")
    board = catalog.find("ESP32_GENERIC")
    with pytest.raises(Remedy, match="does not say at which level"):
        catalog.refuse_bad_wiring(catalog.Board(board.name, board.folder, board.values | {"IO_MV": None}), "bc66")
    with pytest.raises(Remedy, match="flash chip"):
        catalog.refuse_bad_wiring(catalog.Board(board.name, board.folder, board.values | {"PINS": {"wake": 6}}), "bc66")


@pytest.mark.parametrize(
    "values, family, sentence",
    [({}, "bc66", ""),
     ({"SHIFTER": None}, "bc66", "the BC66 works at 1.8 V, this board at 3.3 V: put a level shifter"),
     ({"SHIFTER": None}, "me910c1", "SHIFTER = .3300, 1800."),
     ({"SHIFTER": (3300, 2800)}, "bg96", "SHIFTER is 3.3 V / 2.8 V, but this board works at 3.3 V and the BG96 at 1.8 V"),
     ({"SHIFTER": None, "MODULE_MV": 3300}, "bg96", ""),
     ({"SHIFTER": None, "IO_MV": 1800}, "bc20", ""),
     ({}, "sim800", "no UART level is known for sim800")],
)
def test_a_configuration_without_a_declared_level_is_refused(values, family, sentence):
    board = catalog.find("RPI_PICO")
    changed = catalog.Board(board.name, board.folder, board.values | values)
    if sentence:
        with pytest.raises(Remedy, match=sentence):
            catalog.refuse_bad_wiring(changed, family)
    else:
        said = catalog.refuse_bad_wiring(changed, family)
        assert "UART: board" in said[0] and "not from the board's 3.3 V pin" in said[1]


def test_the_wiring_page_has_each_modules_level_and_supply():
    from boards.modules import MODULES, volts

    text = (ROOT / "docs" / "wiring.md").read_text(encoding="utf-8")
    for module in MODULES.values():
        assert f"| {module.name} | {volts(module.uart_mv)} | {module.source.partition(':')[0]}" in text
        assert module.supply in text and module.peak[:5] in text


def test_a_file_that_does_not_compile_is_named_with_its_line(tmp_path, monkeypatch):
    monkeypatch.setattr(application, "ROOT", tmp_path)
    source = tmp_path / "broken.py"
    source.write_text("x = 1\ndef (:\n")
    with pytest.raises(Remedy, match="broken.py does not compile: line 2, .*; correct the file"):
        application.bytecode(source, Path("broken.py"))


def test_the_recorded_session_shows_todays_words_and_nothing_of_the_machine_it_was_recorded_on():
    import shell

    text = (ROOT / "docs" / "session-board.md").read_text(encoding="utf-8")
    assert shell._WORDS in text, "run make board-session RECORD=1"
    assert "Traceback" not in text and "FAIL" not in text and " kept\n" in text
    assert not any(words in text for words in ("/tmp", "/home", "/work", "/dev/", "/root"))


# Images.


def esp_firmware(path, chip_id, partitions=(("nvs", 0x9000, 0x6000), ("vfs", 0x200000, 0x100000)), offset=0x1000):
    """An image as MicroPython's: header, and the partition table at 0x8000 of the flash."""
    data = bytearray(b"\xff" * 0x10000)
    data[0:4] = b"\xe9\x03\x02\x20"
    struct.pack_into("<H", data, 12, chip_id)
    at = 0x8000 - offset
    for label, place, size in partitions:
        data[at : at + 32] = b"\xaa\x50" + struct.pack("<BBII16sI", 1, 0x81, place, size, label.encode(), 0)
        at += 32
    path.write_bytes(data)
    return path


def make(tmp_path, board, **options):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(CONFIG))
    options = {"family": None, "secrets": None, "table": None, "firmware": None, "frozen": False, "dry_run": False} | options
    return image.image(catalog.find(board), config=config, out=tmp_path / "out", **options)


def mounted(data):
    volume = LittleFS(block_size=4096, block_count=len(data) // 4096, mount=False)
    volume.context.buffer[:] = data
    volume.mount()
    found = {}
    for folder, _, files in volume.walk("/"):
        for name in files:
            path = folder.rstrip("/") + "/" + name
            with volume.open(path, "rb") as file:
                found[path] = file.read()
    return found


def flat(uf2, family):
    """A UF2 file as (address, bytes); erased gaps filled."""
    blocks = [uf2[at : at + 512] for at in range(0, len(uf2), 512)]
    placed = {}
    for number, block in enumerate(blocks):
        first, second, flags, address, size, index, count, said = struct.unpack_from("<8I", block)
        assert (first, second, flags, size, index, count, said) == (
            0x0A324655, 0x9E5D5157, 0x2000, 256, number, len(blocks), family)
        assert block[-4:] == struct.pack("<I", 0x0AB16F30)
        placed[address] = block[32:288]
    start = min(placed)
    data = bytearray(b"\xff" * (max(placed) + 256 - start))
    for address, piece in placed.items():
        data[address - start : address - start + 256] = piece
    return start, bytes(data)


def test_an_rp2_image_holds_the_application_where_the_port_looks_for_it(tmp_path):
    (path,) = make(tmp_path, "RPI_PICO_W")
    start, data = flat(path.read_bytes(), UF2_FAMILY["rp2040"])
    flash_size, size = RP2_FLASH["RPI_PICO_W"]
    assert start == 0x10000000 + flash_size - size
    found = mounted(data.ljust(size, b"\xff"))
    wanted = application.files(catalog.find("RPI_PICO_W"), "bc66")
    assert {path: data for path, data in found.items() if path not in ("/config.json", "/secrets.json")} == wanted
    assert json.loads(found["/config.json"]) == CONFIG


def test_micropython_mounts_the_image_and_imports_from_it(tmp_path):
    (path,) = make(tmp_path, "ESP32_GENERIC", firmware=esp_firmware(tmp_path / "esp32.bin", 0))
    program = f"""
import os, sys
class Flash:
    def __init__(self, data):
        self.data = data
    def readblocks(self, block, buf, offset=0):
        buf[:] = self.data[block * 4096 + offset : block * 4096 + offset + len(buf)]
    def writeblocks(self, block, buf, offset=0):
        raise OSError(30)
    def ioctl(self, op, arg):
        return len(self.data) // 4096 if op == 4 else 4096 if op == 5 else 0
with open({str(path)!r}, "rb") as file:
    flash = Flash(file.read())
os.umount("/")
os.mount(os.VfsLfs2(flash), "/")
sys.path[:] = ["/lib"]
for name in ("lwnode.at", "lwnode.lwm2m", "lwnode.power", "lwnode.node", "lwnode.modem.bc66"):
    __import__(name)
print("imported", sys.modules["lwnode.node"].Node.__name__)
"""
    micropython = os.environ.get("MICROPYTHON") or str(ROOT / ".venv" / "bin" / "micropython")
    done = subprocess.run([micropython, "-X", "heapsize=4m", "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "imported Node\n", done.stdout + done.stderr


def test_each_device_of_the_table_gets_its_own_identity(tmp_path, capsys):
    table = tmp_path / "devices.csv"
    table.write_text("endpoint,psk_identity,psk\nnode-1,one,aa11\nnode-2,two,bb22\n")
    paths = make(tmp_path, "RPI_PICO", table=table)
    assert [path.name for path in paths] == ["node-1.uf2", "node-2.uf2"]
    found = mounted(flat(paths[1].read_bytes(), UF2_FAMILY["rp2040"])[1].ljust(RP2_FLASH["RPI_PICO"][1], b"\xff"))
    assert json.loads(found["/config.json"])["endpoint"] == "node-2"
    assert json.loads(found["/secrets.json"]) == {"psk_identity": "two", "psk": "bb22"}
    assert "bb22" not in capsys.readouterr().out
    assert paths[0].stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "text, sentence",
    [("name\nx\n", "no column endpoint"),
     ("endpoint\nnode-1\nnode-1\n", "line 3: endpoint node-1 is there twice"),
     ('endpoint\n""\n', "line 2: endpoint is empty"),
     ("endpoint,psk_identity,psk\nnode-1,one,xyz\n", "device node-1: .*hexadecimal")],
)
def test_a_table_with_a_mistake_makes_no_image_of_that_device(tmp_path, text, sentence):
    table = tmp_path / "devices.csv"
    table.write_text(text)
    with pytest.raises(Remedy, match=sentence):
        make(tmp_path, "RPI_PICO", table=table)


def test_an_application_that_does_not_fit_is_said_so(tmp_path):
    small = esp_firmware(tmp_path / "esp32.bin", 0, (("vfs", 0x200000, 0x10000),))
    with pytest.raises(Remedy, match="does not fit into the board's filesystem of 64 KB"):
        make(tmp_path, "ESP32_GENERIC", firmware=small)
    with pytest.raises(Remedy, match="no partition called vfs"):
        make(tmp_path, "ESP32_GENERIC", firmware=esp_firmware(tmp_path / "other.bin", 0, ()))
    with pytest.raises(Remedy, match="say FIRMWARE="):
        make(tmp_path, "ESP32_GENERIC")


# Flashing.


def uf2_firmware(path, family):
    block = (
        struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, 0x10000000, 256, 0, 1, family)
        + bytes(476)
        + struct.pack("<I", 0x0AB16F30)
    )
    path.write_bytes(block)
    return path


@pytest.mark.parametrize(
    "board, chip_id, offset",
    [("ESP32_GENERIC", 0, "0x1000"), ("ESP32_GENERIC_S3", 9, "0x0"), ("ESP32_GENERIC_C3", 5, "0x0"),
     ("ESP32_GENERIC_C6", 13, "0x0")],
)
def test_esptool_is_told_the_chip_and_its_offset(tmp_path, capsys, board, chip_id, offset):
    firmware = esp_firmware(tmp_path / "image.bin", chip_id)
    chip = catalog.find(board).chip
    flash.flash(catalog.find(board), "/dev/ttyX", firmware, erase=True, dry_run=True)
    assert capsys.readouterr().out.splitlines() == [
        f"would run: esptool --chip {chip} --port /dev/ttyX erase-flash",
        f"would run: esptool --chip {chip} --port /dev/ttyX write-flash {offset} {firmware}"]


def test_an_image_for_another_chip_is_refused_before_anything_is_erased(tmp_path):
    esp32, pico = catalog.find("ESP32_GENERIC"), catalog.find("RPI_PICO")
    with pytest.raises(Remedy, match="is for esp32s3, ESP32_GENERIC has esp32"):
        flash.flash(esp32, None, esp_firmware(tmp_path / "s3.bin", 9), False, False)
    with pytest.raises(Remedy, match="is a UF2 file, for RP2 boards"):
        flash.flash(esp32, None, uf2_firmware(tmp_path / "pico.uf2", 0xE48BFF56), False, False)
    with pytest.raises(Remedy, match="is for RP2350, RPI_PICO has rp2040"):
        flash.flash(pico, None, uf2_firmware(tmp_path / "pico2.uf2", 0xE48BFF59), False, False)
    with pytest.raises(Remedy, match="is no UF2 file"):
        flash.flash(pico, None, esp_firmware(tmp_path / "esp32.bin", 0), False, False)
    with pytest.raises(Remedy, match="FIRMWARE=path"):
        flash.flash(pico, None, tmp_path / "absent.uf2", False, False)


def test_esptool_itself_flashes_and_verifies_and_refuses_another_chip(tmp_path, capsys):
    rom = MockHandle(chip="esp32")
    try:
        flash.flash(catalog.find("ESP32_GENERIC"), rom.url(), esp_firmware(tmp_path / "esp32.bin", 0), False, False)
        said = capsys.readouterr().out
        assert "Wrote 65536 bytes" in said and "Hash of data verified." in said and "flashed: ESP32_GENERIC" in said
        with pytest.raises(Remedy, match="^This chip is ESP32, not ESP32-S3. BOARD=ESP32_GENERIC_S3 is for esp32s3"):
            flash.flash(catalog.find("ESP32_GENERIC_S3"), rom.url(), esp_firmware(tmp_path / "s3.bin", 9), False, False)
    finally:
        rom.stop()


def test_esptool_itself_on_a_missing_port_shows_the_remedy(tmp_path, capsys):
    with pytest.raises(Remedy, match="there is no board on /dev/no-such-port: plug it in"):
        flash.flash(catalog.find("ESP32_GENERIC"), "/dev/no-such-port", esp_firmware(tmp_path / "esp32.bin", 0), False, False)


def test_a_pico_is_flashed_by_copying_onto_its_own_drive_only(tmp_path):
    firmware = uf2_firmware(tmp_path / "pico.uf2", 0xE48BFF56)
    drive = tmp_path / "drive"
    drive.mkdir()
    pico = catalog.find("RPI_PICO")
    with pytest.raises(Remedy, match="no bootloader's drive"):
        flash.flash(pico, str(drive), firmware, False, False)
    (drive / "INFO_UF2.TXT").write_text("UF2 Bootloader v1.0\nModel: Raspberry Pi RP2350\nBoard-ID: RP2350\n")
    with pytest.raises(Remedy, match="an RP2350, RPI_PICO has rp2040"):
        flash.flash(pico, str(drive), firmware, False, False)
    (drive / "INFO_UF2.TXT").write_text("UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: RPI-RP2\n")
    flash.flash(pico, str(drive), firmware, False, False)
    assert (drive / "pico.uf2").read_bytes() == firmware.read_bytes()
