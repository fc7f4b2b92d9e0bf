"""The AT driver by itself: installed by its own package.json, its page's examples, the UARTs of a PC, the errors in words."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import termios
import threading
import tty
import types
from pathlib import Path

import pytest
import words
from fakes.at_modem import AtModem
from fakes.clock import VirtualClock
from fakes.uart import FakeUart
from lwnode.at import AtClient
from lwnode.at.uart import Clock, serial_uart

from tools.boards import application, catalog, package

CPYTHON_ONLY = "installs files, opens ptys and runs the page's examples"

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "at-driver.md"
MICROPYTHON = Path(sys.executable).parent / "micropython"
ANSWERS = {b"ATI": [b"Generic", b"Revision: 1"], b"AT+CSQ": [b"+CSQ: 18,99"], b"AT+CREG?": [b"+CREG: 2,1"], b"AT+CREG=2": []}


def test_installed_alone_it_runs_as_source_and_as_bytecode(tmp_path):
    for kind in ("py", "mpy"):
        if kind == "py":
            for target, source in json.loads(package.AT.read_text())["urls"]:
                (tmp_path / kind / target).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(package.AT.parent / source, tmp_path / kind / target)
        else:
            package.at_bytecode(tmp_path / kind)
        script = "import sys; sys.path.insert(0, sys.argv[1]); import lwnode.at as at; print(at.fields('+X: 1'), at.__file__)"
        done = subprocess.run([MICROPYTHON, "-c", script, str(tmp_path / kind)], capture_output=True, text=True, cwd=tmp_path,
                              check=False)
        assert done.stdout.startswith("['1']") and f"{kind}/lwnode/at/__init__.{kind}" in done.stdout, done.stdout + done.stderr


def test_a_pcs_uart_reaches_no_board():
    files = application.files(catalog.find("esp32_generic"), "bc66")
    assert "/lib/lwnode/at/client.mpy" in files and "/lib/lwnode/at/uart.mpy" not in files
    assert "uart.py" not in package.AT.read_text() and "at/uart.py" not in package.FILE.read_text()


def test_the_examples_of_the_page_do_what_it_says(monkeypatch, capsys):
    clock = VirtualClock()
    uart = FakeUart(clock, peer=AtModem({**ANSWERS, b"AT+CPIN=1234": []}, echo=True))
    machine = types.SimpleNamespace(UART=lambda *args, **options: uart, Pin=lambda number: number)
    monkeypatch.setitem(sys.modules, "machine", machine)
    monkeypatch.setitem(sys.modules, "time", clock)
    space: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), space)
    said = capsys.readouterr().out
    assert "['Generic', 'Revision: 1']\n18,99\n[['2', '1']]\n" in said
    assert "AT+CPIN" in said and "1234" not in said
    assert "58 58 +CME ERROR []" in said and "does not know the command" in said

    class Enough(Exception):
        pass

    def sleep_ms(ms):
        if not commands:
            raise Enough

    space["asyncio"] = types.SimpleNamespace(sleep_ms=sleep_ms)
    commands = [("AT+CSQ", space.setdefault("answers", []).append), ("AT+NONE", space["answers"].append)]
    with pytest.raises(Enough):
        space["modem_task"](space["at"], commands).send(None)
    assert space["answers"][0] == ["+CSQ: 18,99"] and isinstance(space["answers"][1], space["CommandError"])


@pytest.fixture
def line():
    """A pty with an AT module at its far end; the path of the near one."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    attributes = termios.tcgetattr(theirs)
    attributes[6][termios.VMIN] = attributes[6][termios.VTIME] = 0
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    modem = AtModem(ANSWERS)
    modem.out = lambda data: os.write(ours, bytes(data))

    def play():
        try:
            while True:
                modem.receive(os.read(ours, 256))
        except OSError:
            pass

    threading.Thread(target=play, daemon=True).start()
    yield os.ttyname(theirs)
    os.close(theirs)
    os.close(ours)


def test_a_serial_port_of_a_pc_under_cpython(line):
    at = AtClient(serial_uart(line), Clock)
    assert at.sync() and at.ask("AT+CSQ", timeout_ms=2000) == "18,99"
    at.uart.init(9600)
    assert at.uart.baudrate == 9600
    at.uart.close()


def test_a_tty_under_the_unix_port(line):
    script = (
        "import sys; sys.path.insert(0, 'lib')\n"
        "from lwnode.at import AtClient\nfrom lwnode.at.uart import Clock, tty_uart\n"
        "at = AtClient(tty_uart(sys.argv[1]), Clock)\nprint(at.sync(), at.ask('AT+CSQ', timeout_ms=2000))"
    )
    done = subprocess.run([MICROPYTHON, "-c", script, line], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert done.stdout == "1 18,99\n", done.stdout + done.stderr


def test_errors_in_words():
    assert "does not know the command" in words.explain(4) and "no SIM" in words.explain(10, "+CME ERROR")
    assert "that of messages, is full" in words.explain(322, "+CMS ERROR") and words.explain(322) == ""
    assert words.explain(None) == words.explain(5, "+CMEE ERROR") == words.explain(4, "ERROR") == words.explain(900) == ""
