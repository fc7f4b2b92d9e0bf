"""What both ports have in common: the clock, pins by name, the UART, the battery, the stay-awake rules.

    board.pins.set("reset", True)      # active, whatever the electrical level of that is on this board
    board.battery_mv()                 -> 3712, or None where the definition has no BATTERY
    board.stay_awake()                 -> True while the jumper is set or (RP2) a USB host is connected

Bounds: the UART's receive buffer is allocated once (default 2048 bytes); a battery measurement takes 8 samples.
"""

import time

from micropython import const

_RXBUF = const(2048)
_FLUSH_MS = const(500)
_SAMPLES = const(8)
_NO_PULLS = const((34, 35, 36, 37, 38, 39))  # of an ESP32
_INPUTS = const(("status", "ring", "stay_awake", "ship", "pulse"))

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class Unsupported(Exception):
    """What this port cannot do, as a sentence that says what to use instead."""


class PortClock:
    """The clock protocol over MicroPython's time module.

    `kept`: the count of time() survived the last reset. `count_id`: another number since it began anew, at whatever reset.
    """

    def __init__(self, source: "Any" = None) -> None:
        source = source or time
        self.ticks_ms = source.ticks_ms
        self.ticks_add = source.ticks_add
        self.ticks_diff = source.ticks_diff
        self.sleep_ms = source.sleep_ms
        self.time = source.time
        self.kept = False
        self.count_id = 0


class Pins:
    """Pins by name, in logical levels. Outputs rest inactive from the start: a floating PWRKEY or DTR wakes a module.

    Names of the application (a relay) are outputs, unless the definition's WAKE or INPUTS lists them; ValueError where WAKE
    names none of PINS. `active`: names of outputs that were active before a sleep, and stay so without a glitch.
    """

    def __init__(self, definition: "Any", machine: "Any", clock: "Any", active: "Sequence[str]" = ()) -> None:
        self._machine = machine
        self._clock = clock
        self._numbers: dict[str, int] = dict(definition.PINS)
        self._levels: dict[str, int] = dict(getattr(definition, "LEVELS", {}))
        self._pins: dict[str, Any] = {}
        wake = tuple(getattr(definition, "WAKE", ()))
        for name in wake:
            if name not in self._numbers:
                raise ValueError('WAKE names "%s", PINS of boards/%s/board.py do not' % (name, definition.NAME))
        inputs = _INPUTS + wake + tuple(getattr(definition, "INPUTS", ()))
        self.outputs = sorted([name for name in self._numbers if name not in inputs])
        self.active = {name for name in active if name in self.outputs}
        for name in self.outputs:
            level = self.level(name, name in self.active)
            self._pins[name] = machine.Pin(self._numbers[name], machine.Pin.OUT, value=level)

    def number(self, name: str) -> int | None:
        """Return the GPIO number of a name, or None."""
        return self._numbers.get(name)

    def level(self, name: str, active: bool) -> int:
        """Return the electrical level of a logical state."""
        level = self._levels.get(name, 1)
        return level if active else 1 - level

    def pin(self, name: str) -> "Any":
        """Return the machine.Pin of a wired name (KeyError otherwise); an input is made when it is first asked for."""
        if name not in self._pins:
            pin = self._machine.Pin
            # A jumper or button reads its inactive level while nothing is connected.
            pull = pin.PULL_DOWN if self.level(name, True) else pin.PULL_UP
            if name == "status" or self._numbers[name] in _NO_PULLS:
                pull = None  # driven by the module, or an ESP32 pin without pulls
            self._pins[name] = pin(self._numbers[name], pin.IN, pull)
        return self._pins[name]

    def set(self, name: str, active: bool) -> bool:
        """Drive an output; False where the board has no such output."""
        if name not in self.outputs:
            return False
        self._pins[name].value(self.level(name, active))
        (self.active.add if active else self.active.discard)(name)
        return True

    def pulse(self, name: str, ms: int) -> bool:
        """Drive an output active for `ms`; False where the board has no such output."""
        if not self.set(name, True):
            return False
        self._clock.sleep_ms(ms)
        return self.set(name, False)

    def get(self, name: str) -> bool | None:
        """Return whether a pin is active, or None where the board has no such pin."""
        if name not in self._numbers:
            return None
        if name in self.outputs:
            return name in self.active
        return bool(self.pin(name).value() == self.level(name, True))


class Board:
    """Parts common to both ports; lwnode.board.esp32 and lwnode.board.rp2 add what differs."""

    cuts_power = False  # its sleep is without power: what is in RAM must be on flash before

    if TYPE_CHECKING:
        import machine  # so that a misspelt call is found, although a simulation hands in its own

        def watchdog_stop(self) -> bool:
            """Stop the watchdog; False where it cannot be stopped (it then goes on and must be fed)."""

        def sleep(self, ms: int, wake_on: "tuple[str, ...]" = ()) -> str:
            """Sleep for ms, or until a pin of wake_on becomes active."""

        def restart(self, reason: str = "") -> None:
            """Restart: the next reset_cause() is "planned", or "panic" for the reason "crash", which the guard counts."""

        def ship(self) -> None:
            """Sleep until the button or magnet on pin "ship"; returns on RP2 only."""

    def __init__(self, definition: "Any", machine: "Any", clock: "Any", active: "Sequence[str]" = ()) -> None:
        self.definition = definition
        self.machine = machine
        self.clock = PortClock(clock)
        self.pins = Pins(definition, machine, self.clock, active)
        self.protected: Any = None  # named bytes that outlive the filesystem
        self.retained: Any = None
        self._uart: Any = None
        self._i2c: Any = None
        self._rxbuf = _RXBUF
        self._wdt: Any = None
        self._wdt_ms = 0
        self._cause = "power_on"
        self._wake = ""

    def uart(self, rxbuf: int = 0) -> "Any":
        """Return the module's UART, made on the first call; 0 asks for 2048 bytes of receive buffer.

        The port's default of 256 overflows during one flash write, and no port says so: neither reports overruns.
        """
        if self._uart is None or (rxbuf and rxbuf != self._rxbuf):
            self._rxbuf = rxbuf or _RXBUF
            self._make_uart()
        return self._uart

    def _make_uart(self) -> None:
        """Make the UART, or make it anew after a sleep: both ports have one object for each number, so who holds it keeps it.

        Never init() after deinit(): from MicroPython 1.25 on an RP2 then receives into buffers that the collector has freed
        (ports/rp2/machine_uart.c), and the heap is corrupted.
        """
        machine = self.machine
        wanted = self.definition.UART
        options = {"baudrate": wanted.get("baudrate", 115200), "rxbuf": self._rxbuf, "timeout": 0}
        for name in ("tx", "rx", "rts", "cts"):
            if name in wanted:
                options[name] = machine.Pin(wanted[name])
        if "rts" in wanted and "cts" in wanted:
            options["flow"] = machine.UART.RTS | machine.UART.CTS
        self._uart = machine.UART(wanted["id"], **options)

    def i2c(self) -> "Any":
        """Return the sensors' bus by the I2C of the definition; ValueError where the board file has none."""
        wanted = getattr(self.definition, "I2C", None)
        if wanted is None:
            raise ValueError('no sensor bus: add I2C = {"id": 0, "scl": ..., "sda": ...} to the board file')
        if self._i2c is None:
            self._make_i2c()
            self.free_i2c()
        return self._i2c

    def _make_i2c(self) -> None:
        machine = self.machine
        wanted = self.definition.I2C
        self._i2c = machine.I2C(wanted["id"], scl=machine.Pin(wanted["scl"]), sda=machine.Pin(wanted["sda"]),
                                freq=wanted.get("freq", 100000))

    def free_i2c(self) -> bool:
        """Free the sensors' bus where a sensor holds it; True where it did. ESP-IDF does so by itself."""
        return False

    def _uart_drain(self) -> None:
        """Let the last bytes out: sleep cuts what is in the FIFO (nodemcu issue 3389). Bounded: flow control may block."""
        uart = self._uart
        waited = 0
        while uart is not None and not uart.txdone() and waited < _FLUSH_MS:
            self.clock.sleep_ms(5)
            waited += 5

    def reset_cause(self) -> str:
        """Return why this boot happened: power_on, brown_out, watchdog, panic, deep_sleep, planned, hard or soft."""
        return self._cause

    def wake_cause(self) -> str:
        """Return what ended the last sleep: "timer", a pin's name, "pin" (not known which), or "" (this was no wake)."""
        return self._wake

    def unique_id(self) -> bytes:
        """Return the chip's own id: 6 bytes on ESP32 (eFuse MAC), 8 on RP2 (flash id)."""
        return bytes(self.machine.unique_id())

    def battery_mv(self) -> int | None:
        """Return the battery's millivolts by the divider of BATTERY, or None where none is declared."""
        wanted = getattr(self.definition, "BATTERY", None)
        return None if wanted is None else self.millivolts(wanted["pin"]) * wanted["ratio_1000"] // 1000

    def millivolts(self, number: int) -> int:
        """Return the millivolts at an analog GPIO: the mean of 8 samples without the lowest and the highest."""
        adc_class: Any = self.machine.ADC
        # Up to MicroPython 1.25 an ESP32 ends at 950 mV unless it is told (ports/esp32/machine_adc.c, madc_init_helper).
        full = {"atten": adc_class.ATTN_11DB} if hasattr(adc_class, "ATTN_11DB") else {}
        adc = adc_class(self.machine.Pin(number), **full)
        # ESP32's calibrated read_uv() where the port has it, else 16 bits of the reference.
        samples = sorted([adc.read_uv() // 1000 if hasattr(adc, "read_uv") else adc.read_u16() * 3300 // 65535
                          for _ in range(_SAMPLES)])[1:-1]
        return int(sum(samples) // len(samples))

    def stay_awake(self) -> bool:
        """Return whether somebody wants this node awake: the jumper, or a person on the cable."""
        return bool(self.pins.get("stay_awake"))

    def watchdog(self, ms: int) -> None:
        """Start the hardware watchdog, or change its timeout; feed() must then come more often than that."""
        self._wdt_ms = ms
        self._wdt = self.machine.WDT(timeout=ms)

    def feed(self) -> None:
        """Feed the watchdog, if one runs. To be called by the loop itself: fed from a timer it proves nothing."""
        if self._wdt is not None:
            self._wdt.feed()

    def _armed(self, wake_on: "Sequence[str]") -> "list[tuple[str, int]]":
        """(name, level) of each wake pin that is wired: the level that shall end sleep.

        A pin already active is armed for its release: its level would end sleep at once, for ever, and the battery is gone in
        days.
        """
        pins = self.pins
        return [(name, pins.level(name, not pins.get(name))) for name in wake_on if pins.number(name) is not None]

    def _release(self) -> str:
        if self.pins.number("ship") is None:
            raise Unsupported('ship mode needs a wake pin: add "ship" to PINS in boards/%s/board.py' % self.definition.NAME)
        return "ship"

    @property
    def filesystem(self) -> str:
        """Return "ok", "blank" (formatted at this boot), "lost" (a RAM disk stands in), or "stock": MicroPython's own boot."""
        try:
            import fsboot
        except ImportError:
            return "stock"
        return str(fsboot.state)
