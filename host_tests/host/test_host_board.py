"""The host board against small programs: what survives which reset, how time passes, what a watchdog does."""

import asyncio
import contextlib
import os
import time

import pytest
from testing.host_board.runner import HostBoard
from testing.host_board.sensors import Sht3x

REAL_TIME = "programs sleep and watchdogs bite"
PRINT = "\nimport machine, time\n"


class Bench:
    """A host board with a program as main.py and the test at the module's end of the line."""

    def __init__(self, folder, port, **options):
        self.lines = []
        self.near, self._far = os.openpty()
        self.board = HostBoard(port, folder, os.ttyname(self._far), None, on_console=self.lines.append, **options)
        self.board.flash.mkdir()

    async def said(self, count):
        """Wait for so many lines of the program."""
        deadline = time.monotonic() + 60
        while len(self.lines) < count:
            assert time.monotonic() < deadline, f"{self.lines}: expected {count} lines"
            await asyncio.sleep(0.01)

    async def run(self, program, script):
        """Start the program, await script(board), and power off."""
        (self.board.flash / "main.py").write_text(PRINT + program)
        await self.board.start()
        try:
            await script(self.board)
        finally:
            await self.board.stop()
            os.close(self.near)
            os.close(self._far)
        return self.lines


@pytest.fixture
def play(tmp_path):
    """play(port, program, script, **options) -> what the program printed."""

    def play_program(port, program, script=None, board_file="", **options):
        async def dead(board):
            with contextlib.suppress(RuntimeError):
                await board.until("never", timeout=30)

        bench = Bench(tmp_path, port, speed=options.pop("speed", 600), **options)
        if board_file:
            (bench.board.flash / "board.py").write_text(board_file)
        play_program.board = bench.board
        play_program.line, play_program.said = bench.near, bench.said
        return asyncio.run(bench.run(program, script or dead))

    return play_program


def sleeps(count):
    async def script(board):
        await board.until("sleep", count=count)

    return script


def test_esp32_deep_sleep_keeps_rtc_memory_and_time_and_nothing_else(play):
    program = """
memory = machine.RTC().memory()
print(machine.reset_cause(), machine.wake_reason(), memory, time.time() // 60, time.ticks_ms() < 5000)
machine.RTC().memory(memory + b"x")
machine.deepsleep(600000)
"""
    lines = play("esp32", program, sleeps(3), speed=5000)
    assert lines == ["1 0 b'' 0 True", "4 4 b'x' 10 True", "4 4 b'xx' 20 True"]


def test_esp32_epoch_is_2000_and_tuples_have_eight_fields(play):
    lines = play("esp32", "print(time.gmtime(0), time.mktime((2026, 11, 21, 0, 0, 0, 0, 0)))")
    assert lines == ["(2000, 1, 1, 0, 0, 0, 5, 1) 848534400"]


def test_rp2_clock_is_2021_after_each_boot_and_goes_on_in_light_sleep(play):
    program = """
print(machine.reset_cause(), time.gmtime()[:4], time.gmtime(0)[0])
before = time.time(), time.ticks_ms()
machine.lightsleep(3600000)
print(3600 <= time.time() - before[0] < 3610, time.ticks_diff(time.ticks_ms(), before[1]) // 10000)
machine.reset()
"""

    async def script(board):
        await board.until("reset", count=2)

    lines = play("rp2", program, script, speed=20000)
    assert lines == ["1 (2021, 1, 1, 0) 1970", "True 360", "3 (2021, 1, 1, 0) 1970", "True 360"]


def test_rp2_has_neither_the_constants_nor_the_limits_of_esp32(play):
    program = """
print(hasattr(machine, "DEEPSLEEP_RESET"), hasattr(machine, "wake_reason"), hasattr(machine.RTC, "memory"))
try:
    machine.lightsleep(4294967)
except ValueError as error:
    print(error)
"""
    assert play("rp2", program) == ["False False False", "sleep too long"]


@pytest.mark.parametrize("port, ticks", [("esp32", 0), ("rp2", 2**30 - 10)])
def test_ticks_wrap_as_on_a_32_bit_board(play, port, ticks):
    program = """
start = time.ticks_ms()
time.sleep_ms(50)
print(start < 2**30, 50 <= time.ticks_diff(time.ticks_ms(), start) < 10000, time.ticks_add(2**30 - 1, 1))
"""
    assert play(port, program, ticks=ticks) == ["True True 0"]


def test_a_brown_out_looks_like_power_on_but_rtc_memory_is_still_there(play):
    program = """
print(machine.reset_cause(), machine.RTC().memory())
machine.RTC().memory(b"mark")
machine.deepsleep(60000)
"""

    async def script(board):
        await board.until("sleep")
        board.brown_out()
        await board.until("sleep")
        board.brown_out("lost")
        await board.until("sleep")
        board.power_cut()
        await board.until("sleep")

    assert play("esp32", program, script) == ["1 b''", "1 b'mark'", "1 b''", "1 b''"]


def test_reset_panic_and_watchdog_have_the_causes_of_their_ports(play):
    program = """
print(machine.reset_cause())
while True:
    time.sleep_ms(10)
"""

    async def script(board):
        for count, inject in enumerate((board.panic, board.watchdog, board.brown_out), 1):
            await play.said(count)
            inject()
        await play.said(4)

    assert play("esp32", program, script) == ["1", "2", "3", "1"]


def test_the_watchdog_bites_a_program_that_hangs_and_spares_one_that_feeds(play):
    program = """
cause = machine.reset_cause()
print(cause)
dog = machine.WDT(timeout=1000)
for _ in range(12):
    time.sleep_ms(100)
    dog.feed()
print("fed")
while cause == 1:
    time.sleep_ms(10)
"""
    lines = play("esp32", program)
    assert lines == ["1", "fed", "3", "fed"]
    assert [event.name for event in play.board.events] == ["boot", "watchdog", "boot", "repl"]


def test_an_rp2040_whose_watchdog_expires_in_light_sleep_is_dead(play):
    """MicroPython issue 17228, up to 1.28."""
    play("rp2", "machine.WDT(timeout=8000)\nmachine.lightsleep(10000)\n")
    assert play.board.dead.name == "locked_up"


def test_an_rp2_watchdog_is_stopped_by_register_or_outlived_in_slices(play):
    program = """
dog = machine.WDT(timeout=8000)
for _ in range(3):
    machine.lightsleep(6000)
    dog.feed()
machine.mem32[0x40058000 + 0x3000] = 0x40000000
machine.lightsleep(100000)
print("awake")
"""
    assert play("rp2", program) == ["awake"]
    assert [event.name for event in play.board.events] == ["boot", "sleep", "repl"]
    assert len(play.board.wakes) == 1, "the slices of one sleep are one sleep, and nothing was done after it"


def test_rp2_scratch_registers_and_reason_tell_a_watchdog_from_a_reset(play):
    program = """
base = 0x40058000
print(machine.mem32[base + 8], machine.mem32[base + 0x0c])
machine.mem32[base + 0x0c] = 7
if machine.mem32[base + 8] == 0:
    machine.reset()
while True:
    time.sleep_ms(10)
"""

    async def script(board):
        await play.said(2)
        board.watchdog()
        await play.said(3)

    assert play("rp2", program, script) == ["0 0", "2 7", "1 7"]


def test_an_answer_to_a_question_that_ctrl_c_cut_short_is_not_taken_for_the_next(play):
    program = "import _host\n_host.tell('peek', 0x4005800c, number=99)\nprint(machine.freq(), _host.ask('i2c_scan'))\n"
    assert play("rp2", program)[0] == "125000000 [68]"


def test_what_ends_in_the_repl_is_a_dead_node(play):
    assert play("esp32", "raise ValueError('seven')")[-1] == "ValueError: seven"
    assert play.board.dead.detail == "ValueError in main.py: seven"


def test_returning_from_main_is_dead_too_and_sys_exit_is_a_soft_reset(play):
    lines = play("esp32", "print(machine.reset_cause())\nif machine.reset_cause() != 5:\n    raise SystemExit\n")
    assert lines == ["1", "5"]
    assert play.board.dead.detail == "main.py returned"


def test_what_the_module_says_while_the_board_sleeps_is_lost(play):
    program = """
uart = machine.UART(1, 115200, tx=17, rx=16, rxbuf=512, timeout=0)
if machine.reset_cause() == 4:
    print("awake")
    while uart.any() < 2:
        time.sleep_ms(10)
    print(uart.any(), uart.read())
machine.deepsleep(300000)
"""

    async def script(board):
        await board.until("sleep")
        os.write(play.line, b"+LOST")
        await play.said(1)
        os.write(play.line, b"OK")
        await board.until("sleep")

    assert play("esp32", program, script) == ["awake", "2 b'OK'"]


def test_rp2_light_sleep_disturbs_the_line_until_it_is_set_up_again(play):
    program = """
uart = machine.UART(1, 115200, rxbuf=512)
machine.lightsleep(1000)
def answer():
    uart.write(b"AT")
    while uart.any() < 2:
        time.sleep_ms(5)
    return uart.read()
print(answer() not in (None, b"OK"))
uart.init(115200)
print(answer())
"""

    async def script(board):
        loop = asyncio.get_running_loop()
        heard = []
        for _ in range(2):
            heard.append(await loop.run_in_executor(None, os.read, play.line, 2))
            os.write(play.line, b"OK")
        with contextlib.suppress(RuntimeError):
            await board.until("never")
        assert heard[0] != b"AT" and heard[1] == b"AT"

    assert play("rp2", program, script) == ["True", "b'OK'"]


@pytest.mark.parametrize(("again", "end"),
                         [("uart.init(115200)", "crash"), ("uart = machine.UART(1, 115200, rxbuf=512)", "repl")],
                         ids=["init", "made anew"])
def test_rp2_init_after_deinit_receives_over_the_heap(play, again, end):
    """ports/rp2/machine_uart.c since 1.25; a board crashes later and elsewhere, the host board at the first byte."""
    program = f"""
uart = machine.UART(1, 115200, rxbuf=512)
uart.deinit()
machine.lightsleep(1000)
{again}
print("again")
while uart.any() < 2:
    time.sleep_ms(10)
print(uart.read())
"""

    async def script(board):
        await play.said(1)
        os.write(play.line, b"OK")
        with contextlib.suppress(RuntimeError):
            await board.until("never")

    lines = play("rp2", program, script)
    assert play.board.dead.name == end
    assert lines == ["again", "b'OK'"][: 2 if end == "repl" else 1]


def test_an_output_that_nothing_holds_floats_in_deep_sleep(play):
    """gpio_hold_en (ports/esp32/machine_pin.c): without it PWRKEY or DTR floats, and wakes or kills the module."""
    play("esp32", "machine.Pin(25, machine.Pin.OUT, value=1)\nmachine.deepsleep(60000)\n")
    assert play.board.dead.name == "floating" and play.board.dead.detail == "25"


def test_no_acknowledge_is_said_as_the_port_says_it(play):
    program = "try:\n    machine.I2C(0).readfrom(0x23, 1)\nexcept OSError as error:\n    print(error.args[0])\n"
    assert play("esp32", program) == ["19"]


def test_a_held_output_sleeps(play):
    program = "machine.Pin(25, machine.Pin.OUT, value=1, hold=True)\nmachine.deepsleep(60000)\n"
    play("esp32", program, sleeps(1))
    assert play.board.dead is None


def test_the_line_is_polled_and_its_buffer_is_bounded(play):
    program = """
import select
uart = machine.UART(1, 115200, rxbuf=16, timeout=0)
poll = select.poll()
poll.register(uart, select.POLLIN)
print(poll.poll(0))
uart.write(b"go")
print(len(poll.poll(5000)))
time.sleep_ms(100)
print(uart.any())
print(uart.readinto(bytearray(4)), uart.read(), uart.read())
"""

    async def script(board):
        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(None, os.read, play.line, 2) == b"go"
        os.write(play.line, b"0123456789abcdefghij")
        with contextlib.suppress(RuntimeError):
            await board.until("never")

    assert play("esp32", program, script) == ["[]", "1", "16", "4 b'456789abcdef' None"]


def test_another_baud_rate_than_the_modules_is_noise(play):
    program = "uart = machine.UART(1, 9600)\nuart.write(b'AT')\n"

    async def script(board):
        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(None, os.read, play.line, 2) not in (b"AT", b"")

    play("esp32", program, script)


def test_nvs_persists_after_commit_only_even_over_a_power_cut(play):
    program = """
import esp32
nvs = esp32.NVS("lwnode")
buffer = bytearray(8)
for key in ("a", "b"):
    try:
        print(key, nvs.get_blob(key, buffer), bytes(buffer[:2]))
    except OSError as error:
        print(key, error.args[1])
nvs.set_blob("a", b"hi")
nvs.commit()
nvs.set_blob("b", b"no")
machine.deepsleep(60000)
"""

    async def script(board):
        await board.until("sleep")
        board.power_cut()
        await board.until("sleep")

    absent = "ESP_ERR_NVS_NOT_FOUND"
    assert play("esp32", program, script) == [f"a {absent}", f"b {absent}", "a 2 b'hi'", f"b {absent}"]


def test_sensors_yield_values_by_which_a_reading_is_known(play):
    program = """
bus = machine.I2C(0, scl=machine.Pin(22), sda=machine.Pin(21))
print(bus.scan())
for _ in range(3):
    bus.writeto(0x44, b"\\x24\\x00")
    raw = bus.readfrom(0x44, 6)
    print("%.2f %.2f" % (-45 + 175 * (raw[0] << 8 | raw[1]) / 65535, 100 * (raw[3] << 8 | raw[4]) / 65535))
try:
    bus.readfrom(0x45, 6)
except OSError:
    print("nobody")
"""
    assert play("esp32", program) == ["[68]", "20.00 40.00", "20.01 40.01", "20.02 40.02", "nobody"]
    assert [(reading.name, reading.text) for reading in play.board.readings[2:4]] == [
        ("temperature", "20.01"), ("humidity", "40.01")]


def test_every_course_value_comes_back_to_two_digits():
    noted = []
    sensor = Sht3x(lambda name, text: noted.append(text))
    for number in range(4000):
        sensor.write(b"\x24\x00")
        raw = sensor.read(6)
        value = -45 + 175 * int.from_bytes(raw[:2], "big") / 65535
        assert f"{value:.2f}" == noted[2 * number]


BOARD = """
PORT = "esp32"
CHIP = "esp32"
PINS = {"wake": 4, "relay": 5, "stay_awake": 6}
LEVELS = {"relay": 0, "stay_awake": 0}
"""


def test_pins_go_by_the_board_file(play):
    program = """
relay = machine.Pin(5, machine.Pin.OUT, value=1)
print(machine.Pin(6, machine.Pin.IN, machine.Pin.PULL_UP).value())
relay.value(0)
"""
    assert play("esp32", program, board_file=BOARD) == ["1"]
    assert play.board.outputs == {"relay": 0}
    assert [event.detail for event in play.board.events if event.name == "output"] == ["relay=1", "relay=0"]


def test_a_waking_pin_ends_deep_sleep_where_the_chip_can(play):
    program = """
import esp32
print(machine.reset_cause(), machine.wake_reason(), hasattr(esp32, "wake_on_gpio"))
pins = [machine.Pin(pin, machine.Pin.IN) for pin in (6, 32, 33)]
try:
    esp32.wake_on_ext0(pins[0], 0)
except ValueError as error:
    print(error)
esp32.wake_on_ext1(pins[1:], esp32.WAKEUP_ALL_LOW)
machine.deepsleep(3600000)
"""

    async def script(board):
        for name in ("left", "right"):  # one low pin does not do: the timer ends that sleep
            await board.until("sleep")
            board.inputs[name] = True
        await board.until("sleep")

    file = 'CHIP = "esp32"\nPINS = {"left": 32, "right": 33}\nLEVELS = {"left": 0, "right": 0}\n'
    lines = play("esp32", program, script, board_file=file, speed=20000)
    assert lines == ["1 0 True", "invalid pin", "4 4 True", "invalid pin", "4 2 True", "invalid pin"]


def test_an_esp32_sleeps_lightly_until_the_modules_first_byte_and_loses_its_line(play):
    program = """
import esp32
rx = machine.Pin(16)
uart = machine.UART(1, 115200, rxbuf=512)
esp32.wake_on_gpio((rx,), False)
begun = time.ticks_ms()
print(rx.value())
machine.lightsleep(60000)
esp32.wake_on_gpio((), False)
print(time.ticks_diff(time.ticks_ms(), begun) < 50000, uart.read())
machine.lightsleep(3000)
esp32.wake_on_gpio((rx,), False)
try:
    machine.deepsleep(1000)
except ValueError as error:
    print(error)
"""

    async def script(board):
        await play.said(1)
        await asyncio.sleep(0.2)
        os.write(play.line, b"+QLWURC: 1\r\n")
        await play.said(3)
        assert 3000 < board.wakes[-1].lightly_ms < 53000 and not [event for event in board.events if event.name == "sleep"]

    lines = play("esp32", program, script, board_file='CHIP = "esp32"\nUART = {"id": 1, "tx": 17, "rx": 16}\n', speed=60)
    assert lines == ["1", "True None", "wake-up pin not supported"]


def test_files_are_the_boards_own_root(play):
    program = """
import os
with open("/state.txt", "w") as file:
    file.write("x")
print("main.py" in os.listdir("/"), os.getcwd(), os.uname().sysname)
"""
    assert play("esp32", program) == ["True / esp32"]
    assert (play.board.flash / "state.txt").read_text() == "x"
