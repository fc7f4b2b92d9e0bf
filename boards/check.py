"""What a board definition may say, and why a pin cannot do the job it was given.

    from boards.check import check
    check(definition)                  -> []   nothing to object to
    check(definition)                  -> ["status on GPIO 6: it is wired to the flash chip"]

    python -m boards.check             # every boards/NAME/board.py; exit status 1 where one is refused

Sources: the chips' data sheets and technical reference manuals (strapping, flash and USB pins), MicroPython
ports/esp32/quickref and ports/rp2/machine_uart.c (UART pin rules), ESP-IDF's deep sleep documentation (pins that wake).
"""

import sys

_INPUTS = ("status", "ring", "stay_awake", "ship", "pulse")
_WAKING = ("ring", "ship")
_MODULE = ("power_key", "reset", "wake", "supply")  # what the driver sets, and nobody else
_NAMES = ("NAME", "PORT", "CHIP", "IO_MV", "MODULE_MV", "SHIFTER", "UART", "PINS", "LEVELS", "INPUTS", "WAKE", "I2C", "BATTERY",
          "TIMINGS", "TIMER", "LIGHT_SLEEP")


class Chip:
    """The pins of one chip. Sets of GPIO numbers; `reserved` gives the reason for each that is taken."""

    def __init__(self, port, pins, uarts, reserved, strapping, adc, waking=None, input_only=(), repl_uart=None):
        self.port = port
        self.pins = set(pins)
        self.uarts = uarts
        self.reserved = reserved
        self.strapping = strapping
        self.adc = set(adc)
        self.waking = set(pins) if waking is None else set(waking)
        self.input_only = set(input_only)
        self.repl_uart = repl_uart


def _taken(*groups):
    """Return {pin: reason} of (pins, reason) groups."""
    taken = {}
    for pins, reason in groups:
        for pin in pins:
            taken[pin] = reason
    return taken


_FLASH = "it is wired to the flash chip"
_USB = "it is a USB data line"
_REPL = "it carries the REPL, which mpremote needs"

CHIPS = {
    "esp32": Chip(
        "esp32", [n for n in range(40) if n not in (20, 24, 28, 29, 30, 31, 37, 38)], (1, 2),
        _taken((range(6, 12), _FLASH), ((1, 3), _REPL)),
        {0: "held low at reset it selects the ROM loader", 2: "it must be low or floating at reset to be flashed",
         5: "it sets the SDIO timing at reset", 12: "held high at reset it selects 1.8 V flash and the board does not start",
         15: "held low at reset it silences the boot log"},
        (32, 33, 34, 35, 36, 39), (0, 2, 4, 12, 13, 14, 15, 25, 26, 27, 32, 33, 34, 35, 36, 39), (34, 35, 36, 39), 0,
    ),
    "esp32s3": Chip(
        "esp32", [n for n in range(49) if not 22 <= n <= 25], (1, 2),
        _taken((range(26, 33), _FLASH), (range(33, 38), "octal PSRAM takes it on many modules"), ((19, 20), _USB),
               ((43, 44), _REPL)),
        {0: "held low at reset it selects the ROM loader", 3: "it selects the JTAG source at reset",
         45: "it selects the flash voltage at reset", 46: "it selects the ROM loader's messages at reset"},
        range(1, 11), range(22), (), 0,
    ),
    "esp32c3": Chip(
        "esp32", range(22), (1,),
        _taken((range(11, 18), _FLASH), ((18, 19), _USB), ((20, 21), _REPL)),
        {2: "it must be high at reset", 8: "it must be high at reset to be flashed",
         9: "held low at reset it selects the ROM loader"},
        range(5), range(6), (), 0,
    ),
    "esp32c6": Chip(
        "esp32", range(31), (1,),
        _taken((range(24, 31), _FLASH), ((12, 13), _USB), ((16, 17), _REPL), ((10, 11, 14), "few modules bring it out")),
        {4: "it sets the SDIO timing at reset", 5: "it sets the SDIO timing at reset",
         8: "it selects the ROM loader's messages at reset",
         9: "held low at reset it selects the ROM loader", 15: "it selects the JTAG source at reset"},
        range(7), range(8), (), 0,
    ),
    "rp2040": Chip(
        "rp2", range(30), (0, 1),
        {23: "it sets the supply's mode (Pico) or the radio's power (Pico W)",
         24: "it senses USB power or is the radio's data line", 25: "it is the LED or the radio's chip select"},
        {}, (26, 27, 28, 29),
    ),
    "rp2350": Chip(
        "rp2", range(30), (0, 1),
        {23: "it sets the supply's mode", 24: "it senses USB power", 25: "it is the LED"},
        {}, (26, 27, 28, 29),
    ),
}


def _uart_problems(definition, chip):
    uart = definition.UART
    number = uart.get("id")
    if number == chip.repl_uart:
        return ["UART %d: %s" % (number, _REPL)]
    if number not in chip.uarts:
        return ["UART %r: this chip has %s" % (number, " and ".join([str(n) for n in chip.uarts]))]
    problems = [] if "tx" in uart and "rx" in uart else ["UART: both tx and rx must be given"]
    if not 1200 <= uart.get("baudrate", 115200) <= 921600:
        problems.append("UART: a baud rate from 1200 to 921600, not %r" % uart["baudrate"])
    if chip.port == "rp2":
        problems += _rp2_uart_problems(definition, number)
    return problems


def _rp2_uart_problems(definition, number):
    """RP2's UARTs reach certain pins only (machine_uart.c, IS_VALID_TX and the like)."""
    step = 2 if definition.CHIP == "rp2350" else 4
    places = {"tx": (0, step), "rx": (1, step), "cts": (2, 4), "rts": (3, 4)}
    problems = []
    for role in sorted(places):
        pin = definition.UART.get(role)
        if pin is None:
            continue
        rest, period = places[role]
        fits = [n for n in range(30) if n % period == rest and (n + 4 & 8) >> 3 == number]
        if pin not in fits:
            problems.append("UART %d %s on GPIO %d: it reaches GPIO %s only" % (number, role, pin, ", ".join(map(str, fits))))
    return problems


def _inputs(definition):
    return _INPUTS + tuple(getattr(definition, "INPUTS", ())) + tuple(getattr(definition, "WAKE", ()))


def _list_problems(definition):
    """INPUTS and WAKE: names out of PINS, and none that the driver sets. A name of ours that is none is a typo."""
    problems = ["%s: a board file has %s" % (name, " ".join(_NAMES)) for name in sorted(dir(definition))
                if name.isupper() and name not in _NAMES]
    for key in ("INPUTS", "WAKE"):
        names = getattr(definition, key, ())
        if not isinstance(names, (tuple, list)):
            problems.append('%s: a tuple of names, ("door",) with its comma, not %r' % (key, names))
            continue
        for name in names:
            if name not in definition.PINS:
                problems.append("%s: %s is not in PINS, which has %s" % (key, name, " ".join(sorted(definition.PINS))))
            elif name in _MODULE:
                problems.append("%s: %s is an output to the module" % (key, name))
    return problems


def _pin_problems(name, pin, output, chip, level, waking=_WAKING):
    where = "%s on GPIO %s" % (name, pin)
    if not isinstance(pin, int) or pin not in chip.pins:
        return ["%s: this chip has no such pin" % where]
    if pin in chip.reserved:
        return ["%s: %s" % (where, chip.reserved[pin])]
    problems = []
    if output and pin in chip.input_only:
        problems.append("%s: it can only be an input" % where)
    if pin in chip.strapping and not (name == "stay_awake" and level == 0):
        # A button that is open at reset is what such pins are for; a driven signal decides how the board starts.
        problems.append("%s: %s" % (where, chip.strapping[pin]))
    if name in waking and pin not in chip.waking:
        problems.append("%s: it cannot wake this chip from deep sleep; these can: %s" % (where, _numbers(chip.waking)))
    if name in ("stay_awake", "ship") and pin in chip.input_only:
        problems.append("%s: it has no pull resistor, and a button leaves it floating" % where)
    return problems


def _bus_problems(definition, chip):
    """The sensors' I2C: on RP2 each controller reaches certain pins only (ports/rp2/machine_i2c.c, IS_VALID_SCL)."""
    bus = getattr(definition, "I2C", None)
    if bus is None:
        return []
    problems = []
    for role in ("scl", "sda"):
        pin = bus[role]
        problems += _pin_problems("I2C " + role, pin, True, chip, None)
        if chip.port == "rp2" and (pin & 1, pin >> 1 & 1) != (role == "scl", bus["id"]):
            problems.append("I2C %d %s on GPIO %d: this controller does not reach it" % (bus["id"], role, pin))
    return problems


def _numbers(pins):
    return ", ".join([str(pin) for pin in sorted(pins)])


def _clashes(definition):
    used = {}
    for role in ("tx", "rx", "cts", "rts"):
        if role in definition.UART:
            used.setdefault(definition.UART[role], []).append("UART " + role)
    for role in ("scl", "sda"):
        if getattr(definition, "I2C", None):
            used.setdefault(definition.I2C[role], []).append("I2C " + role)
    for name in sorted(definition.PINS):
        used.setdefault(definition.PINS[name], []).append(name)
    battery = getattr(definition, "BATTERY", None)
    if battery:
        used.setdefault(battery["pin"], []).append("battery")
    return ["GPIO %s is given to %s" % (pin, " and ".join(used[pin])) for pin in sorted(used) if len(used[pin]) > 1]


def _battery_problems(definition, chip):
    battery = getattr(definition, "BATTERY", None)
    if battery is None:
        return []
    problems = []
    if battery["pin"] not in chip.adc:
        problems.append("battery on GPIO %s: no analog input that works at all times; these do: %s"
                        % (battery["pin"], _numbers(chip.adc)))
    if not 1000 <= battery["ratio_1000"] <= 20000:
        problems.append("battery: ratio_1000 is 1000 times the divider's ratio, 1000 to 20000, not %r" % battery["ratio_1000"])
    return problems


def check(definition):
    """Return what is wrong with a board definition, a sentence each; an empty list where nothing is."""
    chip = CHIPS.get(getattr(definition, "CHIP", None))
    if chip is None:
        return ["CHIP must be one of %s" % ", ".join(sorted(CHIPS))]
    problems = []
    if chip.port != definition.PORT:
        problems.append('PORT must be "%s" for the chip %s' % (chip.port, definition.CHIP))
    if getattr(definition, "IO_MV", None) not in (1800, 3300):
        problems.append("IO_MV must be 3300 or 1800: the level at the host's side of the shifter")
    problems += _uart_problems(definition, chip)
    for role in ("tx", "rx", "cts", "rts"):
        if role in definition.UART:
            problems += _pin_problems("UART " + role, definition.UART[role], role in ("tx", "rts"), chip, None)
    problems += _list_problems(definition)
    levels, wake = getattr(definition, "LEVELS", {}), tuple(getattr(definition, "WAKE", ()))
    for name in sorted(definition.PINS):
        output = name not in _inputs(definition)
        problems += _pin_problems(name, definition.PINS[name], output, chip, levels.get(name, 1), _WAKING + wake)
        if levels.get(name, 1) not in (0, 1):
            problems.append("LEVELS: %s is active at 0 or 1, not %r" % (name, levels[name]))
    for name in sorted(levels):
        if name not in definition.PINS:
            problems.append("LEVELS: %s is not in PINS" % name)
    if chip.port == "esp32" and "pulse" in definition.PINS:
        problems.append("pulse: an ESP32 in deep sleep counts no pulses; use an external counter or an RP2 board")
    low = sorted([name for name in wake if levels.get(name, 1) == 0])
    if definition.CHIP == "esp32" and len(low) > 1:
        problems.append("%s: the original ESP32 wakes only when ALL low pins are low; make one active high" % " and ".join(low))
    problems += _bus_problems(definition, chip) + _timer_problems(definition)
    return problems + _clashes(definition) + _battery_problems(definition, chip)


def _timer_problems(definition):
    """TIMER: what cuts an RP2's power between wakes (lwnode.board.switched). Without power no pin is heard."""
    timer = getattr(definition, "TIMER", None)
    if timer is None:
        return []
    chip, known = (timer.get("chip"), sorted(timer)) if isinstance(timer, dict) else (None, None)
    if definition.PORT != "rp2":
        return ["TIMER: an ESP32 sleeps at some 50 uA by itself; leave it out"]
    if (chip, known) not in (("ds3231", ["chip"]), ("tpl5110", ["chip", "interval_s"])):
        return ['TIMER: {"chip": "tpl5110", "interval_s": 900} or {"chip": "ds3231"}, not %r' % (timer,)]
    problems = ["%s: a board whose power TIMER cuts hears no pin; leave it out" % name
                for name in sorted(set(getattr(definition, "WAKE", ())) | ({"ship", "pulse"} & set(definition.PINS)))]
    if chip == "ds3231" and getattr(definition, "I2C", None) is None:
        problems.append("TIMER: a DS3231 is on the bus of I2C, which is missing")
    if chip == "tpl5110" and "done" not in definition.PINS:
        problems.append("TIMER: a TPL5110 needs a pin on DONE: add done to PINS")
    if chip == "tpl5110" and not (isinstance(timer["interval_s"], int) and 300 <= timer["interval_s"] <= 7200):
        problems.append("TIMER: interval_s is 300 to 7200: a TPL5110 counts no longer, and cuts off a wake that lasts as long")
    return problems


def load(path):
    """Return the definition in a board.py as an object."""

    class Definition:
        """Names of one board.py."""

    values = {}
    with open(path) as file:
        exec(compile(file.read(), path, "exec"), values)  # noqa: S102  constants of this repository
    for name in values:
        if name.isupper():
            setattr(Definition, name, values[name])
    return Definition


def main():
    """Check every board; print and count what is refused."""
    import os

    folder = __file__.rpartition("/")[0]
    refused = 0
    for name in sorted(os.listdir(folder)):
        path = "%s/%s/board.py" % (folder, name)
        if not name.isupper() or not os.path.exists(path):
            continue
        problems = check(load(path))
        if getattr(load(path), "NAME", None) != name:
            problems.append("NAME is not the folder's name")
        refused += bool(problems)
        print("%-18s %s" % (name, "ok" if not problems else "refused"))
        for problem in problems:
            print("    " + problem)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
