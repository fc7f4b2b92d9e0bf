"""boards/: every definition holds, every wrong pin is refused with its reason, each opens on the model of its chip."""

import os

from boards.check import CHIPS, check, load
from fakes.chip import Reset
from fakes.clock import VirtualClock
from fakes.machine_esp32 import Esp32
from fakes.machine_rp2 import Rp2

from lwnode.board import open_board

FOLDER = __file__.rsplit("/", 2)[0] + "/boards"
NAMES = (
    "ESP32_GENERIC",
    "ESP32_GENERIC_S3",
    "ESP32_GENERIC_C3",
    "ESP32_GENERIC_C6",
    "RPI_PICO",
    "RPI_PICO_W",
    "RPI_PICO2",
)


def _load(name):
    return load("%s/%s/board.py" % (FOLDER, name))


def _chip(definition):
    if definition.PORT == "esp32":
        return Esp32(VirtualClock(), definition.CHIP)
    return Rp2(VirtualClock(), definition.CHIP)


def test_every_board_is_there_and_right():
    for name in NAMES:
        definition = _load(name)
        assert check(definition) == [], name
        assert name == definition.NAME


def test_every_board_opens_sleeps_and_names_its_pins():
    for name in NAMES:
        definition = _load(name)
        chip = _chip(definition)
        board = open_board(definition, chip.machine, chip.port, chip.time)
        assert board.port == definition.PORT
        chip.adc_mv[definition.BATTERY["pin"]] = 1800
        assert abs(board.battery_mv() - 1800 * definition.BATTERY["ratio_1000"] // 1000) < 10
        assert board.uart(2048) is board.uart(0)
        for output in board.pins.outputs:
            assert board.pins.get(output) is False
        try:
            assert board.sleep(5000, ("ring",)) == "timer"
        except Reset as reset:
            assert reset.kind == "deep_sleep"
        assert chip.clock.now >= 5000


class Base:
    """A definition that a test spoils in one place."""

    NAME = "X"
    PORT = "esp32"
    CHIP = "esp32"
    IO_MV = 3300
    UART = {"id": 1, "tx": 17, "rx": 16}
    PINS = {"power_key": 25}
    LEVELS = {}


class BaseRp2(Base):
    """The same for a Pico."""

    PORT = "rp2"
    CHIP = "rp2040"
    UART = {"id": 1, "tx": 4, "rx": 5}
    PINS = {"power_key": 6}


def _spoilt(base, **changes):
    class Spoilt(base):
        pass

    for name in changes:
        setattr(Spoilt, name, changes[name])
    return check(Spoilt)


def test_a_pin_that_cannot_do_its_job_is_refused_with_the_reason():
    rows = [
        (Base, {"PINS": {"power_key": 34}}, "only be an input"),
        (Base, {"PINS": {"status": 6}}, "flash chip"),
        (Base, {"PINS": {"status": 24}}, "no such pin"),
        (Base, {"PINS": {"reset": 12}}, "1.8 V flash"),
        (Base, {"PINS": {"ring": 23}}, "cannot wake"),
        (Base, {"PINS": {"stay_awake": 36}}, "no pull"),
        (Base, {"PINS": {"pulse": 33}}, "counts no pulses"),
        (Base, {"PINS": {"power_key": 17}}, "given to UART tx and power_key"),
        (Base, {"PINS": {"relay": 35}}, "only be an input"),
        (Base, {"PINS": {"ring": 33, "ship": 32}, "LEVELS": {"ring": 0, "ship": 0}, "WAKE": ("ring", "ship")}, "ALL low pins"),
        (Base, {"PINS": {"door": 33}, "WAKE": ("dor",)}, "WAKE: dor is not in PINS, which has door"),
        (Base, {"PINS": {"door": 33}, "WAKE": "door"}, 'WAKE: a tuple of names, ("door",) with its comma'),
        (Base, {"PINS": {"door": 23}, "WAKE": ("door",)}, "door on GPIO 23: it cannot wake"),
        (Base, {"WAKE": ("power_key",)}, "WAKE: power_key is an output to the module"),
        (Base, {"INPUTS": ("flow",)}, "INPUTS: flow is not in PINS"),
        (Base, {"WAKES": ("door",)}, "WAKES: a board file has NAME"),
        (Base, {"UART": {"id": 0, "tx": 17, "rx": 16}}, "REPL"),
        (Base, {"UART": {"id": 3, "tx": 17, "rx": 16}}, "this chip has"),
        (Base, {"UART": {"id": 1, "tx": 35, "rx": 16}}, "only be an input"),
        (Base, {"UART": {"id": 1, "tx": 17}}, "both tx and rx"),
        (Base, {"UART": {"id": 1, "tx": 17, "rx": 16, "baudrate": 4000000}}, "baud rate"),
        (Base, {"BATTERY": {"pin": 26, "ratio_1000": 2000}}, "no analog input"),
        (Base, {"BATTERY": {"pin": 35, "ratio_1000": 2}}, "1000 times"),
        (Base, {"LEVELS": {"power_key": 2}}, "active at 0 or 1"),
        (Base, {"LEVELS": {"reset": 1}}, "not in PINS"),
        (Base, {"CHIP": "esp8266"}, "CHIP must be"),
        (Base, {"PORT": "rp2"}, "PORT must be"),
        (Base, {"IO_MV": 5000}, "IO_MV"),
        (BaseRp2, {"UART": {"id": 1, "tx": 0, "rx": 5}}, "reaches GPIO 4, 8, 20, 24"),
        (BaseRp2, {"UART": {"id": 1, "tx": 6, "rx": 5}, "PINS": {}}, "reaches GPIO"),
        (BaseRp2, {"PINS": {"status": 25}}, "LED"),
        (BaseRp2, {"PINS": {"status": 30}}, "no such pin"),
        (BaseRp2, {"I2C": {"id": 0, "scl": 16, "sda": 17}}, "does not reach"),
        (BaseRp2, {"BATTERY": {"pin": 22, "ratio_1000": 3000}}, "no analog input"),
        (Base, {"TIMER": {"chip": "ds3231"}}, "TIMER: an ESP32 sleeps"),
        (BaseRp2, {"TIMER": "ds3231"}, "TIMER: {"),
        (BaseRp2, {"TIMER": {"chip": "tpl5110"}}, "interval_s"),
        (BaseRp2, {"TIMER": {"chip": "ds3231"}, "I2C": None}, "the bus of I2C, which is missing"),
        (BaseRp2, {"TIMER": {"chip": "tpl5110", "interval_s": 900}, "PINS": {"reset": 7}}, "add done to PINS"),
        (BaseRp2, {"TIMER": {"chip": "tpl5110", "interval_s": 86400}, "PINS": {"done": 14}}, "counts no longer"),
        (BaseRp2, {"TIMER": {"chip": "tpl5110", "interval_s": 900}, "PINS": {"done": 14, "pulse": 11}}, "pulse: a board whose"),
    ]
    assert check(Base) == [] == check(BaseRp2)
    for timer in ({"chip": "tpl5110", "interval_s": 900}, {"chip": "ds3231"}):
        assert _spoilt(BaseRp2, TIMER=timer, PINS={"done": 14}, I2C={"id": 0, "scl": 17, "sda": 16}) == []
    assert _spoilt(Base, PINS={"door": 34, "pir": 33}, LEVELS={"door": 0}, WAKE=("door", "pir")) == [], "inputs by WAKE alone"
    for base, changes, reason in rows:
        problems = _spoilt(base, **changes)
        assert any([reason in problem for problem in problems]), (changes, problems)
    assert _spoilt(BaseRp2, CHIP="rp2350", UART={"id": 1, "tx": 6, "rx": 5}, PINS={}) == [], "RP2350 has more places"


def test_the_models_refuse_what_the_check_refuses():
    """The rule table and the models were written apart; where they meet they agree."""
    for name in CHIPS:
        if CHIPS[name].port != "esp32":
            continue
        chip = Esp32(VirtualClock(), name)
        for pin in CHIPS[name].waking:
            chip._arm([chip.machine.Pin(pin, chip.machine.Pin.IN)], 1, 3)
        for pin in CHIPS[name].pins - CHIPS[name].waking:
            try:
                chip._arm([chip.machine.Pin(pin, chip.machine.Pin.IN)], 1, 3)
            except ValueError:
                continue
            raise AssertionError("%s wakes by GPIO %d in the model only" % (name, pin))


def test_outputs_of_the_application_keep_their_state_over_deep_sleep():
    definition = _load("ESP32_GENERIC")
    chip = _chip(definition)
    edges = []
    chip.on_output = lambda number, level: edges.append((number, level))
    for _ in range(3):
        board = open_board(definition, chip.machine, chip.port, chip.time)
        board.pins.set("relay", True)
        try:
            board.sleep(1000)
        except Reset as reset:
            chip.boot(reset.kind)
    assert [edge for edge in edges if edge[0] == 4] == [(4, 0), (4, 1)], "no glitch at any wake"
    assert open_board(definition, chip.machine, chip.port, chip.time).pins.get("relay") is True
    chip.boot("watchdog")
    assert open_board(definition, chip.machine, chip.port, chip.time).pins.get("relay") is False, "after a crash: at rest"


def test_manifests_name_files_that_exist():
    for name in NAMES:
        folder = "%s/%s" % (FOLDER, name)
        frozen = _manifest(folder)
        firmware = [file for file in os.listdir("%s/../firmware" % FOLDER) if file.endswith(".py")]
        for needed in ["board.py", "_boot.py", "fsboot.py"] + firmware:
            assert needed in frozen, (name, needed)
        assert len(frozen) == len(set(frozen)), "two modules of one name do not link"


def _manifest(folder, file="manifest.py"):
    """Run a manifest with stand-ins for MicroPython's functions; returns the names it freezes."""
    frozen = []

    def module(name, base_path=".", opt=None):
        os.stat("%s/%s/%s" % (folder, base_path, name))
        frozen.append(name)

    def package(name, base_path=".", opt=None):
        os.stat("%s/%s/%s/__init__.py" % (folder, base_path, name))
        frozen.append(name)

    def include(path):
        inner = "%s/%s" % (folder, path)
        frozen.extend(_manifest(inner.rsplit("/", 1)[0], inner.rsplit("/", 1)[1]))

    def freeze(path, names):
        assert path == "$(PORT_DIR)/modules"
        frozen.extend(names)

    names = {"module": module, "package": package, "include": include, "freeze": freeze, "require": frozen.append,
             "metadata": lambda **_: None}
    with open("%s/%s" % (folder, file)) as source:
        exec(source.read(), names)
    return frozen
