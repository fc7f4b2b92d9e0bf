"""A model of the ESP32 port: `machine` and `esp32` with what survives what (MicroPython ports/esp32).

    chip = Esp32(VirtualClock(), drift_ppm=-12000)
    board = open_board(definition, chip.machine, chip.port, chip.time)

Modelled: reset causes as the port merges them (brown-out is power-on, panic is a hard reset), RTC memory of 2048
bytes with its unchecked length, NVS with commit, deep sleep on an RC clock that runs wrong by drift_ppm (a number
or fn(unix) of temperature; positive: slow, wakes late) and time() that believes it, pins that float in deep sleep
unless held, ext0, ext1 and gpio wake with their limits, the task watchdog (not running in deep sleep), time() since
2000.
"""

from fakes.chip import Chip, Names, Reset, make_adc, make_i2c, make_pin, make_uart

_CAUSES = {"power_on": 1, "brown_out": 1, "panic": 2, "reset": 2, "watchdog": 3, "deep_sleep": 4, "soft": 5}
_RTC_PINS = {"esp32": (0, 2, 4, 12, 13, 14, 15, 25, 26, 27, 32, 33, 34, 35, 36, 37, 38, 39), "esp32s3": tuple(range(22)),
             "esp32c3": tuple(range(6)), "esp32c6": tuple(range(8))}
_PINS = {"esp32": 40, "esp32s3": 49, "esp32c3": 22, "esp32c6": 31}


def make_nvs(chip):
    """Return the esp32.NVS of a chip; nothing counts before commit()."""

    class Nvs:
        def __init__(self, namespace):
            self._namespace = namespace
            self._pending = {}

        def set_blob(self, key, value):
            if len(key) > 15:
                raise OSError(-4361)
            self._pending[key] = bytes(value)

        def get_blob(self, key, buffer):
            if chip.nvs_fails:
                raise OSError(-0x1103)  # ESP_ERR_NVS_TYPE_MISMATCH stands for whatever else
            data = self._pending.get(key, chip.nvs.get((self._namespace, key)))
            if data is None:
                raise OSError(-4354)
            if len(data) > len(buffer):
                raise OSError(-4364)
            buffer[: len(data)] = data
            return len(data)

        def erase_key(self, key):
            if chip.nvs.pop((self._namespace, key), None) is None:
                raise OSError(-4354)

        def commit(self):
            for key in self._pending:
                chip.nvs_writes += 1
                if chip.nvs_cut_at is not None and chip.nvs_writes >= chip.nvs_cut_at:
                    raise Reset("power_on")
                chip.nvs[(self._namespace, key)] = self._pending[key]
            self._pending = {}

    return Nvs


def make_counter(chip):
    """Return machine.Counter: a pulse counter unit (ports/esp32/modules/machine.py, from 1.26 on)."""

    class Counter:
        RISING = 1
        FALLING = 2

        def __init__(self, unit, pin, edge=1, filter_ns=0):
            self.edge, self.count = edge, 0
            chip.counters[pin.number] = self

        def value(self, value=None):
            count = self.count
            if value is not None:
                self.count = value
            return count

    return Counter


class Esp32(Chip):
    """An ESP32 with its wires; `chip` is esp32, esp32s3, esp32c3 or esp32c6."""

    holds = True
    wake_bytes = 18  # 1.5 ms at 115200: start of the oscillator, PLL, flash
    lightly_ms = 0  # of the time awake
    i2c_nack = 19  # ENODEV
    shortest_rxbuf = 129  # more than the hardware's FIFO, or the driver is not installed

    def __init__(self, clock, chip="esp32", unique_id=b"\x24\x6f\x28\x01\x02\x03", drift_ppm=0, version=(1, 28, 0)):
        super().__init__(clock, range(_PINS[chip]))
        self.chip = chip
        self.version = version
        self.uart_ids = (1, 2) if chip in ("esp32", "esp32s3") else (1,)
        self.unique_id = unique_id
        self.drift_ppm = drift_ppm
        self.input_only = (34, 35, 36, 37, 38, 39) if chip == "esp32" else ()
        self.adc_numbers = self.pin_numbers
        self.rtc = b""
        self.rtc_length_spoilt = False
        self.nvs = {}  # (namespace, key) -> bytes
        self.nvs_writes = 0
        self.nvs_cut_at = None
        self.nvs_fails = False
        self.held = set()
        self.registers = {}  # what outputs are set to, while a hold keeps the pad
        self.deep_hold = False
        self.cause = 1
        self.wake_number = 0
        self.wake_levels = {}
        self._fired = None
        self.floated = set()  # outputs that were left floating in deep sleep
        self.time.restart(0)
        self.machine = self._make_machine()
        self.port = self._make_port()

    # boots

    def boot(self, kind, keep_rtc=True):
        """Restart. keep_rtc: whether RTC memory survives a brown-out (not known of real chips: test both)."""
        self.forget_ram(kind)
        self.cause = _CAUSES[kind]
        if kind == "power_on" or (kind == "brown_out" and not keep_rtc):
            self.rtc = b""
            self.rtc_length_spoilt = False
        if kind in ("power_on", "brown_out"):
            self.held = set()
            self.deep_hold = False
        if kind not in ("soft", "deep_sleep"):
            self.outputs = {}
        if kind == "soft":
            return
        self.registers = {}
        self.time.restart(0 if kind in ("power_on", "brown_out") else None)
        if kind != "deep_sleep":
            self.wake_number = 0

    def hold(self, number, held):
        """The pad goes to what its register says before it is held (gpio_hold_dis, gpio_hold_en: machine_pin.c)."""
        self.held.discard(number)
        if number in self.registers:
            super().output(number, self.registers[number])
        elif self.outputs.pop(number, None) is not None and self.on_output is not None:
            self.on_output(number, None)
        if held:
            self.held.add(number)

    def output(self, number, level):
        self.registers[number] = level
        if number not in self.held or number not in self.outputs:
            super().output(number, level)

    # machine

    def _deepsleep(self, ms=None):
        for number in [n for n in self.wake_levels if self.wake_levels[n][1] == 7]:
            if self.chip in ("esp32", "esp32s3") or number not in _RTC_PINS[self.chip]:
                raise ValueError("wake-up pin not supported")  # wake_on_gpio() takes any pin, deepsleep() refuses it
        true_ms = None if ms is None else self._true_ms(ms)
        self.watchdog_cancel()
        self.uart = None
        self.sleeping = True
        self.falls_asleep()
        self._float()
        self._fired = None
        start = self.clock.now
        if self._armed_now():
            pass  # the level is there already: wakes at once
        elif true_ms is None:
            while not self._fired:
                following = self.clock.next_in()
                if following is None:
                    self.die("asleep for ever: no timer, and nothing will move a wake pin")
                self.pass_time(following + 1)
        else:
            self.pass_time(true_ms)
        passed = self.clock.now - start
        self.wakes_up(passed)
        # time() counted the same wrong clock as the sleep did.
        counted = passed if ms is None else passed * ms // max(true_ms, 1)
        self.time.slip(counted - passed)
        self.wake_number = 4 if self._fired is None else self._fired
        self.wake_levels = {}
        raise Reset("deep_sleep")

    def _lightsleep(self, ms):
        """Light sleep (modmachine.c, esp_light_sleep_start): the UART's clock stands still, so what comes meanwhile is lost;
        where RX wakes, that byte and those of the time that waking takes. Other wake sources are not played."""
        rx = [number for number, row in self.wake_levels.items() if row[1] == 7]
        if any([self.level(number) == self.wake_levels[number][0] for number in rx]):
            return  # the level is there already
        there, start = self.line.any(), self.clock.now
        while self.clock.now - start < ms and (not rx or self.line.any() == there):
            following = self.clock.next_in()
            left = ms - (self.clock.now - start)
            self.clock.advance(left if following is None else min(left, max(following, 1)))
        came = self.line.any() - there
        if came:
            self.line.lose(min(came, self.wake_bytes) if rx else came)
        self.lightly_ms += self.clock.now - start

    def _true_ms(self, ms):
        drift = self.drift_ppm(self.clock.unix()) if callable(self.drift_ppm) else self.drift_ppm
        return max(1, ms * (1000000 + drift) // 1000000)

    def _float(self):
        for number in list(self.outputs):
            if number not in self.held or not (self.deep_hold or self.chip == "esp32c6" or number in _RTC_PINS[self.chip]):
                self.floated.add(number)
                del self.outputs[number]
                if self.on_output is not None:
                    self.on_output(number, None)

    def _armed_now(self):
        for number in self.wake_levels:
            if self._matches(number):
                self._fired = self.wake_levels[number][1]
                return True
        return False

    def _matches(self, number):
        level, source, group = self.wake_levels[number]
        if level == 0 and source == 3 and self.chip == "esp32":
            return all([self.level(other) == 0 for other in group])  # ALL low
        return self.level(number) == level

    def _edge(self, number, level):
        if self.sleeping and number in self.wake_levels and self._matches(number):
            self._fired = self.wake_levels[number][1]
            self._woken = True
        super()._edge(number, level)

    def _arm(self, pins, level, source):
        self.wake_levels = {n: row for n, row in self.wake_levels.items() if row[1] != source}
        group = tuple([pin.number for pin in pins or ()])
        for number in group:
            if number not in _RTC_PINS[self.chip] and source != 7:
                raise ValueError("invalid pin: %d cannot wake from deep sleep" % number)
            self.wake_levels[number] = (1 if level else 0, source, group)

    def _memory(self, data=None):
        if data is None:
            if self.rtc_length_spoilt:
                raise Reset("panic")  # the copy runs over the stack
            return self.rtc
        if len(data) > 2048:
            raise ValueError("buffer too long")
        self.rtc = bytes(data)
        self.rtc_length_spoilt = False
        return None

    def _reset(self):
        raise Reset("reset")

    def _make_machine(self):
        chip = self

        class Rtc:
            def memory(self, data=None):
                return chip._memory(data)

        class Wdt:
            def __init__(self, id=0, timeout=5000):
                if timeout <= 0:
                    raise ValueError("timeout")
                chip.watchdog_start(timeout)

            def feed(self):
                chip.watchdog_feed()

        counted = {"Counter": make_counter(chip)} if chip.version >= (1, 26) and chip.chip != "esp32c3" else {}
        return Names(Pin=make_pin(chip), **counted, UART=make_uart(chip), I2C=make_i2c(chip),
                     ADC=make_adc(chip, True), RTC=Rtc, WDT=Wdt,
                     PWRON_RESET=1, HARD_RESET=2, WDT_RESET=3, DEEPSLEEP_RESET=4, SOFT_RESET=5, PIN_WAKE=2, EXT0_WAKE=2,
                     EXT1_WAKE=3, TIMER_WAKE=4, reset_cause=lambda: chip.cause, wake_reason=lambda: chip.wake_number,
                     unique_id=lambda: chip.unique_id, reset=chip._reset, lightsleep=chip._lightsleep,
                     deepsleep=chip._deepsleep, freq=lambda *_: 160000000)

    def _make_port(self):
        chip = self

        names = Names(NVS=make_nvs(chip), WAKEUP_ALL_LOW=False, WAKEUP_ANY_HIGH=True)
        if self.chip != "esp32c6":  # each of its pads is held by itself
            names.gpio_deep_sleep_hold = lambda on: setattr(chip, "deep_hold", on)
        if self.chip in ("esp32", "esp32s3"):
            names.wake_on_ext0 = lambda pin, level: chip._arm([pin] if pin else [], level, 2)
        if self.chip != "esp32c3":
            names.wake_on_ext1 = lambda pins, level: chip._arm(pins, level, 3)
        if self.version >= (1, 27):
            names.wake_on_gpio = lambda pins, level: chip._arm(pins, level, 7)
        return names
