"""The virtual modem from outside: a pty in raw mode, pins and radio on the control port, real CoAP to a real server."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from testing.lwm2m.server import Lwm2mServer
from testing.virtual_modem import FAMILIES
from testing.virtual_modem.__main__ import model_class, option_values
from testing.virtual_modem.transport import RealClock, VirtualModem

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"boot_ms": 5, "wake_ms": 5, "attach_ms": 10, "backoff_ms": 10}


class Host:
    """A program at the other end of the pty."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        os.set_blocking(self.fd, False)
        self.heard = b""
        self.arrived = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.fd, self._read)

    def _read(self):
        with contextlib.suppress(BlockingIOError):
            self.heard += os.read(self.fd, 4096)
        self.arrived.set()

    async def say(self, line, until="OK"):
        """Write a line, wait for a line that is `until`; what came."""
        os.write(self.fd, line.encode() + b"\r")
        return await self.hear(until)

    async def hear(self, until, timeout=30):
        """Wait for text; what came up to its line's end."""
        while until.encode() + b"\r\n" not in self.heard:
            self.arrived.clear()
            await asyncio.wait_for(self.arrived.wait(), timeout)
        text, self.heard = self.heard.decode(errors="replace"), b""
        return [line for line in text.replace("\r", "\n").split("\n") if line]

    def close(self):
        asyncio.get_running_loop().remove_reader(self.fd)
        os.close(self.fd)


async def ask(modem, line):
    """One command on the control port."""
    reader, writer = await asyncio.open_connection("127.0.0.1", modem.control_port)
    writer.write(line.encode() + b"\n")
    answer = (await reader.readline()).decode().strip()
    writer.close()
    return answer


async def on_wire(test, *modem_arguments, **options):
    """Await test(server, modem, host): the modem's client talks to the server, the host to its pty."""
    server = await Lwm2mServer().start()
    modem = await VirtualModem(*(modem_arguments or ("bc66",)), f"coap://127.0.0.1:{server.port}", **(options or QUICK)).start()
    host = Host(modem.pty_path)
    try:
        await asyncio.wait_for(test(server, modem, host), 20)
    finally:
        host.close()
        await modem.close()
        await server.close()


def session(test):
    """A test of server, modem and host as a plain one."""
    return lambda: asyncio.run(on_wire(test))


def alone(test):
    """An async test as a plain one."""
    return lambda: asyncio.run(test())


async def register(host):
    await host.hear("+IP: 100.97.37.69")
    await host.say("ATE0")
    await host.say("AT+QLWADDOBJ=3303,0,3,5700,5701,5605", "+QLWADDOBJ: 0")
    await host.say('AT+QLWCONFIG=0,"leshan.eclipse.org",5683,"node-1",900,3')
    return await host.say("AT+QLWREG", "+QLWREG: 0")


@session
async def test_a_node_over_pty_and_coap(server, modem, host):
    assert (await register(host))[-1] == "+QLWREG: 0"
    assert server.clients["node-1"].lifetime == 900
    reading = asyncio.ensure_future(server.read("node-1", "/3303/0/5700"))
    urc = (await host.hear("5700"))[-1]
    mid = urc.split(",")[1]
    await host.say(f"AT+QLWRDRSP={mid},1,3303,0,5700,4,4,21.5,0", "+QLWRDRSP: 0")
    assert (await reading).value == 21.5
    observing = asyncio.ensure_future(server.observe("node-1", "/3303/0/5700"))
    mid = (await host.hear("5700"))[-1].split(",")[1]
    await host.say(f"AT+QLWOBSRSP={mid},1,3303,0,5700,4,4,21.5,0", "+QLWOBSRSP: 0")
    assert (await observing).code == 205
    said = await host.say("AT+QLWNOTIFY=3303,0,5700,4,4,22.5,0,1", "35268")
    if '+QLWURC: "report_ack",0,35268' not in said:
        said += await host.hear('+QLWURC: "report_ack",0,35268')
    assert server.deliveries[-1].value == 22.5


@session
async def test_deep_sleep_and_wake_by_the_control_port(server, modem, host):
    await register(host)
    number = server.clients["node-1"].number
    await ask(modem, "advance 60000")
    status = json.loads(await ask(modem, "status"))
    assert status["power"] == "asleep" and status["status"] is False
    os.write(host.fd, b"AT\r")
    assert await ask(modem, "pin wake 1") == "ok"
    assert await ask(modem, "pin wake 0") == "ok"
    said = await host.hear('+QLWURC: "recovered",0')
    assert "OK" not in said and "Leaving the BROM" in said
    assert json.loads(await ask(modem, "status"))["status"] is True
    assert server.clients["node-1"].number == number  # recovered, not registered anew


@session
async def test_an_outage_is_on_the_wire(server, modem, host):
    await host.hear("+IP: 100.97.37.69")
    await host.say("ATE0")
    await host.say('AT+QLWCFG="retransmit",1,0')
    await host.say("AT+QRST=1", "+IP: 100.97.37.69")
    await register_quiet(host)
    assert await ask(modem, "radio down") == "ok"
    await host.say("AT+QLWUPDATE=0,1000")
    said = await host.hear("+QLWUPDATE: 1,35268")
    assert said[-1] == "+QLWUPDATE: 1,35268"
    assert await ask(modem, "radio up") == "ok"
    assert (await host.hear("+QLWREG: 0"))[-1] == "+QLWREG: 0"


async def register_quiet(host):
    await host.say("ATE0")
    await host.say('AT+QLWCONFIG=0,"leshan.eclipse.org",5683,"node-1",900,3')
    await host.say("AT+QLWREG", "+QLWREG: 0")


@session
async def test_the_pty_is_raw_on_both_sides_and_prompt(server, modem, host):
    flags = termios.tcgetattr(host.fd)
    assert not flags[3] & (termios.ECHO | termios.ICANON) and not flags[0] & termios.ICRNL
    await host.hear("+IP: 100.97.37.69")
    await host.say("ATE0")
    waits = []
    for _ in range(20):
        began = time.perf_counter()
        await host.say("AT")
        waits.append(time.perf_counter() - began)
    assert sorted(waits)[3] < 0.005  # nothing polls; a loaded machine may delay some


@session
async def test_control_port_says_what_is_wrong(server, modem, host):
    await host.hear("+IP: 100.97.37.69")
    wrong = ("", "dance", "pin led 1", "pin wake 2", "radio sideways",
             "radio delay -1", "advance -1", "fault nix", "radio loss 101")  # fmt: skip
    for line in wrong:
        assert (await ask(modem, line)).startswith("error "), line
    for line in ("radio delay 20", "radio loss 0", "radio address", "fault error at 2", "fault random 7 10", "fault off"):
        assert await ask(modem, line) == "ok", line
    assert (await ask(modem, "help")).startswith("ok wake; pin")
    await ask(modem, "urc +HELLO: 1")
    assert (await host.hear("+HELLO: 1"))[-1] == "+HELLO: 1"


def test_tcp_line_and_memory_on_disk(tmp_path):
    memory = tmp_path / "nvram.json"

    async def first():
        modem = await VirtualModem("bc66", pty=False, tcp_port=0, nvram_file=memory, **QUICK).start()
        await asyncio.sleep(0.03)
        reader, writer = await asyncio.open_connection("127.0.0.1", modem.tcp_port)
        writer.write(b'ATE0\rAT+QLWCONFIG=0,"host",5683,"node",900,3\r')
        heard = b""
        while heard.count(b"OK") < 2:
            heard += await asyncio.wait_for(reader.read(200), 5)
        writer.close()
        await modem.close()

    async def second():
        modem = await VirtualModem("bc66", pty=False, nvram_file=memory, **QUICK).start()
        said = []
        modem.model.on_note = lambda direction, line: said.append(line)
        await asyncio.sleep(0.03)
        modem.model.receive(b"AT+QLWCONFIG?\r")
        await modem.close()
        return said

    asyncio.run(first())
    assert '+QLWCONFIG:0,"host",5683,"node",900,3' in asyncio.run(second())
    memory.write_text("not json")
    with pytest.raises(ValueError, match="delete it"):
        asyncio.run(second())


def test_a_serial_port_carries_the_dialogue():
    async def main():
        ours, theirs = os.openpty()
        modem = await VirtualModem("bc66", pty=False, serial=os.ttyname(theirs), **QUICK).start()
        assert modem.line_names()[0].startswith("serial /dev/")
        await asyncio.sleep(0.05)
        os.read(ours, 4096)
        os.write(ours, b"AT+CFUN?\r")
        await asyncio.sleep(0.05)
        said = os.read(ours, 4096)
        await modem.close()
        os.close(ours)
        os.close(theirs)
        return said

    assert b"+CFUN: 1\r\n\r\nOK\r\n" in asyncio.run(main())


@alone
async def test_a_person_with_a_terminal_program_sees_a_modem():
    modem = await VirtualModem("bc66", **QUICK).start()
    await soon(lambda: modem.model.attached)
    modem.model.receive(b"AT+QSCLK=0\r")  # a terminal program may take long to start: it is not to find the module asleep
    ours, theirs = os.openpty()
    line = [sys.executable, "-m", "mpremote", "connect", modem.pty_path, "repl"]
    running = await asyncio.create_subprocess_exec(*line, stdin=theirs, stdout=theirs, stderr=theirs)
    shown = bytearray()
    asyncio.get_running_loop().add_reader(ours, lambda: shown.extend(os.read(ours, 4096)))
    try:
        await soon(lambda: b"to exit this shell" in shown)
        os.write(ours, b"AT+QLWSTATUS?\r")
        await soon(lambda: b"AT+QLWSTATUS?\r\r\n+QLWSTATUS: 0\r\n\r\nOK\r\n" in shown)  # echo and answer
        os.write(ours, b"\x18")  # Ctrl-X
        await asyncio.wait_for(running.wait(), 30)
    finally:
        asyncio.get_running_loop().remove_reader(ours)
        if running.returncode is None:
            running.kill()
        os.close(ours)
        os.close(theirs)
        await modem.close()


class Adapter:
    """A USB adapter as pyserial shows it: bytes at a descriptor, CTS and DSR to look at, RTS to set."""

    def __init__(self):
        self.board, self.wire = socket.socketpair()
        self.wire.setblocking(False)
        self.cts = self.dsr = False
        self.rts = None

    def fileno(self):
        return self.wire.fileno()

    def write(self, data):
        return self.wire.send(data)

    def close(self):
        self.wire.close()
        self.board.close()


async def soon(condition):
    """Wait for something that the event loop brings."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "not within 30 s"
        await asyncio.sleep(0.002)


@alone
async def test_the_lines_of_a_serial_port_are_wake_reset_and_status():
    adapter = Adapter()
    modem = await VirtualModem("bc66", pty=False, serial=adapter, **QUICK).start()
    await soon(lambda: modem.model.attached)
    assert adapter.rts is True  # status: the module runs
    modem.clock.advance(60000)
    assert modem.model.state_name == "asleep" and adapter.rts is False
    adapter.cts = True  # the board's wake output
    await soon(lambda: modem.model.state_name == "on" and adapter.rts)
    adapter.cts = False
    adapter.board.send(b"AT+QSCLK=0;+CSCON=1\r")
    await soon(lambda: modem.model.setting("cscon") == 1)
    adapter.dsr = True  # the board's reset output
    await soon(lambda: modem.model.state_name != "on")
    adapter.dsr = False
    await soon(lambda: modem.model.state_name == "on" and modem.model.setting("cscon") == 0 and adapter.rts)
    await modem.close()


@alone
async def test_clock_jumps_fire_what_is_due_in_order():
    clock = RealClock(start_unix=1000)
    fired = []
    clock.after(5000, lambda: fired.append(("b", clock.now)))
    clock.after(2000, lambda: clock.after(1000, lambda: fired.append(("a", clock.now))))
    cancelled = clock.after(100, lambda: fired.append("never"))
    clock.cancel(cancelled)
    clock.advance(10000)
    assert [name for name, _ in fired] == ["a", "b"]
    assert 3000 <= fired[0][1] < 3100 and 5000 <= fired[1][1] < 5100
    assert clock.now >= 10000 and clock.unix() >= 1010
    clock.after(1, lambda: fired.append("later"))
    await asyncio.sleep(0.02)
    assert fired[-1] == "later"
    clock.close()


def command(*arguments, **more):
    return subprocess.run([sys.executable, "-m", "testing.virtual_modem", *arguments], cwd=ROOT, capture_output=True, text=True,
                          timeout=120, check=False, **more)  # fmt: skip


def test_the_command_explains_itself_and_lists():
    told = command("--help").stdout
    assert "--hostile" in told and "pin NAME 0|1" in told
    listed = command("--list").stdout
    assert "attach_ms" in listed and "first_at_lost" in listed and "lost_urc" in listed


@pytest.mark.parametrize("family", FAMILIES)
def test_every_option_says_what_it_is(family):
    options = command("--list", "--family", family).stdout.split("\n\n")[0].splitlines()[1:]
    assert len(options) > 30
    for line in options:
        assert len(line.partition(" = ")[2].partition("   ")[2]) > 4, line
    assert family != "me910c1" or "   context coming up or down: other #LWM2M commands fail" in "\n".join(options)


def test_an_option_of_digits_stays_a_text_where_it_is_one():
    """Issue 14: --option imei=8679... became a number and killed the AT line."""
    defaults = model_class("bc66").OPTIONS
    given = ["imei=867962040000011", "pin=0042", "attach_ms=100", "hostile=all"]
    assert option_values(given, defaults) == {
        "imei": "867962040000011", "pin": "0042", "attach_ms": 100, "hostile": "all"}  # fmt: skip
    done = command("--quiet", "--option", "emei=1")
    assert done.returncode == 2 and "--option emei=1: expected NAME=VALUE" in done.stderr and "imei" in done.stderr


def test_the_command_plays_a_script(tmp_path):
    script = tmp_path / "script.txt"
    script.write_text("wait 100\nurc +HELLO: 1   # said by the module\nfault nonsense\nend\n")
    done = command("--quiet", "--option", "boot_ms=5", "--script", str(script))
    assert done.returncode == 0
    assert done.stdout.startswith("pty /dev/") and "control 127.0.0.1:" in done.stdout
    assert "< +HELLO: 1" in done.stdout and "script.txt:3: error fault" in done.stderr


def test_the_command_plays_a_fault_at_a_chosen_exchange():
    async def main():
        line = [sys.executable, "-m", "testing.virtual_modem", "--quiet", "--tcp", "0", "--fault", "error@2"]
        line += ["--option", "boot_ms=5", "--option", "echo=0"]
        running = await asyncio.create_subprocess_exec(*line, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        port = int((await running.stdout.readline()).decode().rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        heard = b""
        while b"OK" not in heard:
            writer.write(b"AT\r")
            with contextlib.suppress(asyncio.TimeoutError):
                heard += await asyncio.wait_for(reader.read(100), 0.2)
        writer.write(b"AT\r")
        while b"ERROR" not in heard:
            heard += await asyncio.wait_for(reader.read(100), 5)
        writer.close()
        running.terminate()
        await running.communicate()  # to the end of its output, or its pipe outlives the loop
        return running.returncode

    assert asyncio.run(asyncio.wait_for(main(), 20)) == 0


def test_the_command_refuses_in_one_sentence():
    wrong = (("--fault", "error@x"), ("--fault", "nix@1"), ("--option", "nonsense=1"), ("--option", "bare"))
    for arguments in (*wrong, ("--serial", "/dev/nothing")):
        done = command("--quiet", *arguments)
        assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
        assert done.stderr.startswith("virtual modem: ")


def test_a_port_in_use_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = command("--quiet", "--tcp", str(taken.getsockname()[1]))
    assert done.returncode == 2 and "address already in use" in done.stderr


def test_the_live_view_draws_every_field():
    from rich.console import Console

    from testing.virtual_modem.view import render

    async def main():
        modem = await VirtualModem("bc66", **QUICK).start()
        await asyncio.sleep(0.05)
        modem.model.receive(b"ATE0;+QLWSTATUS?\r")
        console = Console(record=True, width=100, file=open(os.devnull, "w"))  # noqa: SIM115
        console.print(render(modem))
        await modem.close()
        return console.export_text()

    shown = asyncio.run(main())
    for text in ("virtual bc66", "not registered", "ATE0;+QLWSTATUS?", "+QLWSTATUS: 0", "attached"):
        assert text in shown, shown


@pytest.mark.parametrize("family", FAMILIES)
def test_the_live_view_and_the_status_of_every_family_from_the_first_moment(family):
    from rich.console import Console

    from testing.virtual_modem.view import render

    async def main():
        modem = await VirtualModem(family, boot_ms=5, start="off").start()
        console = Console(record=True, width=100, file=open(os.devnull, "w"))  # noqa: SIM115
        for _ in range(2):
            console.print(render(modem))
            assert json.loads(modem.control.command("status"))["family"] == family
            modem.model.power_on()
            await asyncio.sleep(0.05)
        await modem.close()
        return console.export_text()

    shown = asyncio.run(main())
    assert f"virtual {family}" in shown and "off" in shown and "on" in shown
