"""What the models of both ports share: resets as exceptions, the port's time, pins, UART, watchdog, analog inputs.

A chip is what stays when the firmware restarts: registers, memories, wires. Its `machine` is handed to open_board():

    chip = Esp32(VirtualClock())
    board = open_board(definition, chip.machine, chip.port, chip.time)
    board.sleep(60000)                 # raises Reset("deep_sleep"): the RAM is gone; chip.boot() is the next life

    live(chip, firmware, until_ms)     # boots again and again; firmware(chip) must never return (a REPL is a dead node)

Time is virtual and the watchdog real: it is a timer of the clock, and ends the firmware wherever that happens to
wait.
"""


class Reset(BaseException):
    """The chip restarts: kind is power_on, brown_out, watchdog, panic, reset, deep_sleep or soft. Nothing may catch it."""

    def __init__(self, kind):
        super().__init__(kind)
        self.kind = kind


def until_reset(action, *arguments):
    """What kind of reset ends it."""
    try:
        action(*arguments)
    except Reset as reset:
        return reset.kind
    raise AssertionError("it returned")


class Dead(BaseException):
    """The node will never do anything again without a person."""


def live(chip, firmware, until_ms, on_reset=None):
    """Run firmware(chip) life after life until the clock says until_ms; returns the number of boots.

    AssertionError where the firmware returns: on a board that is the REPL, awake until the battery is empty.
    """
    boots = 0
    while chip.clock.now < until_ms:
        boots += 1
        try:
            firmware(chip)
        except Reset as reset:
            chip.boot(reset.kind)
            if on_reset is not None:
                on_reset(reset.kind)
        else:
            raise AssertionError("main.py returned: the node is awake in the REPL for ever")
    return boots


class PortTime:
    """The port's time module: ticks from boot, time() in the port's own count."""

    def __init__(self, clock):
        self._clock = clock
        self._boot = clock.now
        self.base = 0  # what time() says at _base_now
        self._base_now = clock.now
        self.ticks_add = clock.ticks_add
        self.ticks_diff = clock.ticks_diff

    def restart(self, count=None):
        """A boot: ticks begin at 0; count: time() begins there, None: it goes on."""
        self._boot = self._clock.now
        if count is not None:
            self.set(count)

    def set(self, count):
        """Set time()."""
        self.base = count
        self._base_now = self._clock.now

    def slip(self, ms):
        """The port counted `ms` more than the world had."""
        self._base_now -= ms

    def ticks_ms(self):
        return (self._clock.now - self._boot) & ((1 << 30) - 1)

    def sleep_ms(self, ms):
        self._clock.advance(ms)

    def time(self):
        return self.base + (self._clock.now - self._base_now) // 1000


class Line:
    """A UART pin pair with nothing on it; tests put a FakeUart in its place (chip.line)."""

    def any(self):
        return 0

    def readinto(self, buf, count=-1):
        return None

    def write(self, data):
        return len(data)

    def wait(self, ms):
        return None


class Uart:
    """machine.UART over chip.line: the one object of its number, as both ports have it; noise while clocks are wrong.

    RP2 (ports/rp2/machine_uart.c, 1.25 on): deinit() gives both ring buffers to the collector and keeps their addresses;
    init() makes a buffer anew only where its size changes, so that interrupt and write() then run over live objects. Here
    the first byte of that kills the node. ESP32 (ports/esp32/machine_uart.c): without its driver every call is an OSError.
    """

    def __init__(self, chip, number):
        self._chip = chip
        self.number = number
        self.options = {}
        self.on = False
        self.freed = {}  # buffer -> size, while the collector may have it

    def make(self, options):
        """What machine.UART(number, ...) does: new buffers in any case."""
        self.options.update({"rxbuf": 256, "txbuf": 256})
        self.freed = {}
        self.init(**options)
        return self

    def init(self, **options):
        unknown = set(options) - {"baudrate", "tx", "rx", "rts", "cts", "timeout", "timeout_char", "flow", "rxbuf", "txbuf"}
        if unknown:
            raise TypeError("extra keyword arguments given: %s" % sorted(unknown))
        if not self._chip.shortest_rxbuf <= options.get("rxbuf", 256) <= 32766:
            raise ValueError("rxbuf out of range")
        for buffer in ("rxbuf", "txbuf"):
            if options.get(buffer, self.options[buffer]) != self.options[buffer]:
                self.freed.pop(buffer, None)
        self.options.update(options)
        self.on = True
        self._chip.uart_spoilt = False
        if hasattr(self._chip.line, "init"):
            self._chip.line.init(self.options.get("baudrate"))
        self._chip.drop_received()  # init() flushes the input

    def deinit(self):
        self.on = False
        if self._chip.uart_frees:
            self.freed = {"rxbuf": self.options["rxbuf"], "txbuf": self.options["txbuf"]}

    def _use(self, buffer):
        if buffer in self.freed:
            self._chip.die("UART(%d) runs over what lies in its old %s: the heap is corrupted" % (self.number, buffer))
        if not self.on and not self._chip.uart_frees:
            raise OSError(-1, "ESP_FAIL")

    def txdone(self):
        return True

    def any(self):
        count = self._chip.line.any() if self.on else 0
        if count or not self.on:
            self._use("rxbuf")
        return count

    def readinto(self, buf, count=-1):
        if not self.any():
            return None
        got = self._chip.line.readinto(buf)
        if got and self._chip.uart_spoilt:
            for i in range(got):
                buf[i] = (buf[i] * 5 + 0x83) & 0xFF | 0x80
        return got

    def write(self, data):
        self._use("txbuf")
        if self.on and not self._chip.uart_spoilt:
            self._chip.line.write(data)
        return len(data)

    def wait(self, ms):
        if hasattr(self._chip.line, "wait"):
            self._chip.line.wait(ms)
        else:
            self._chip.clock.advance(ms)


def make_uart(chip):
    """Return what machine.UART is on a chip."""

    class Uarts:
        RTS = 1
        CTS = 2

        def __call__(self, number, **options):
            if number not in chip.uart_ids:
                raise ValueError("UART(%d) does not exist" % number)
            if chip.uart is None or chip.uart.number != number:
                chip.uart = Uart(chip, number)
            return chip.uart.make(options)

    return Uarts()


def make_i2c(chip):
    """Return the machine.I2C of a chip: a bus with pull-ups and nobody on it; a transfer fails as the port says it."""

    class I2c:
        def __init__(self, number, scl, sda, freq=400000):
            self._scl, self._sda = scl.number, sda.number
            for pin in (self._scl, self._sda):
                chip.open_drain.add(pin)
                chip.pulls[pin] = chip.outputs[pin] = 1

        def writeto(self, address, data):
            raise OSError(chip.i2c_nack if chip.level(self._sda) and chip.level(self._scl) else 110)

        def scan(self):
            return []

    return I2c


def make_pin(chip):
    """Return the machine.Pin class of a chip."""

    class Pin:
        IN = 0
        OUT = 1
        OPEN_DRAIN = 2
        PULL_UP = 1
        PULL_DOWN = 2
        IRQ_FALLING = 4
        IRQ_RISING = 8

        def __init__(self, number, mode=-1, pull=-1, value=None, **hold):
            if number not in chip.pin_numbers:
                raise ValueError("invalid pin %r" % (number,))
            self.number = number
            self.init(mode, pull, value, **hold)

        def init(self, mode=-1, pull=-1, value=None, **hold):
            if hold and (not chip.holds or set(hold) != {"hold"}):
                raise TypeError("extra keyword arguments given")
            pull = {Pin.PULL_UP: 1, Pin.PULL_DOWN: 0}.get(pull)
            chip.configure(self.number, {Pin.IN: "in", Pin.OUT: "out", Pin.OPEN_DRAIN: "open drain"}.get(mode), pull)
            if value is not None:
                chip.output(self.number, value)
            if hold:
                chip.hold(self.number, hold["hold"])

        def value(self, level=None):
            if level is None:
                return chip.level(self.number)
            chip.output(self.number, level)
            return None

        def irq(self, handler=None, trigger=0):
            if handler is None:
                chip.handlers.pop(self.number, None)
            else:
                chip.handlers[self.number] = (handler, trigger)

    return Pin


class Chip:
    """State common to both models."""

    uart_ids = (0, 1)
    input_only = ()
    shortest_rxbuf = 32
    i2c_nack = 5  # EIO
    holds = False  # Pin knows `hold`
    uart_frees = False  # deinit() leaves the buffers to the collector

    def __init__(self, clock, pin_numbers):
        self.clock = clock
        self.time = PortTime(clock)
        self.pin_numbers = set(pin_numbers)
        self.line = Line()
        self.uart = None
        self.uart_spoilt = False
        self.inputs = {}  # number -> level driven from outside
        self.sources = {}  # number -> fn() giving the level at which something outside holds it
        self.outputs = {}  # number -> level
        self.pulls = {}
        self.open_drain = set()
        self.handlers = {}
        self.counters = {}  # number -> pulse counter, which a sleep stops
        self.on_output = None  # fn(number, level or None when floating)
        self.adc_mv = {}
        self.dead = None
        self.boots = 0
        self.asleep_ms = 0
        self.awake_ms = 0
        self.awake_since = clock.now
        self.on_sleep = None  # fn(milliseconds awake) at the end of each time awake
        self.sleeping = False
        self._woken = False
        self._watchdog_ms = 0
        self._watchdog_end = 0
        self._watchdog_timer = None

    def die(self, why):
        """Something happened that only a person can mend."""
        self.dead = why
        raise Dead(why)

    # wires

    def drive(self, number, level):
        """Something outside drives a pin: level 0, 1, or None for nothing."""
        before = self.level(number)
        self.inputs[number] = level
        after = self.level(number)
        if before != after:
            self._edge(number, after)

    def level(self, number):
        """Return the level at a pin."""
        level = self.sources[number]() if number in self.sources else self.inputs.get(number)
        if level is None:
            level = self.outputs.get(number)
            if level and number in self.open_drain:
                level = None
        return self.pulls.get(number, 0) if level is None else level

    def configure(self, number, mode, pull):
        """Mode None leaves it as it is; pull is 1, 0 or None."""
        if number in self.input_only and (pull is not None or mode == "out"):
            raise ValueError("pin %d is an input without pulls" % number)
        if mode == "in" and pull is not None:
            self.pulls[number] = pull
        if mode == "open drain":
            self.open_drain.add(number)
        elif mode is not None:
            self.open_drain.discard(number)

    def output(self, number, level):
        """The chip drives a pin."""
        if self.outputs.get(number) != level:
            self.outputs[number] = level
            if self.on_output is not None:
                self.on_output(number, level)

    def _edge(self, number, level):
        counter = self.counters.get(number)
        if counter is not None and counter.edge & (1 if level else 2) and not self.sleeping:
            counter.count += 1
        found = self.handlers.get(number)
        if found is not None and found[1] & (8 if level else 4):
            self._woken = True
            found[0](number)

    def drop_received(self):
        """Drop what is on the line: nobody heard it."""
        scrap = bytearray(256)
        while self.line.any() and self.line.readinto(scrap):
            pass

    # sleep

    def falls_asleep(self):
        """A time awake ends; the pauses between the slices of one sleep are none."""
        awake = self.clock.now - self.awake_since
        self.awake_ms += awake
        if awake > 100 and self.on_sleep is not None:
            self.on_sleep(awake)

    def wakes_up(self, slept):
        """It begins again."""
        self.asleep_ms += slept
        self.awake_since = self.clock.now

    def pass_time(self, ms):
        """Let time pass until ms are over or something wakes the chip; returns the milliseconds passed."""
        clock = self.clock
        start = clock.now
        self._woken = False
        while clock.now - start < ms and not self._woken:
            left = ms - (clock.now - start)
            following = clock.next_in()
            clock.advance(left if following is None else min(left, max(following, 1)))
        return clock.now - start

    # watchdog

    def watchdog_start(self, ms):
        """Start or restart it."""
        self._watchdog_ms = ms
        self.watchdog_feed()
        if self._watchdog_timer is None:
            self._watchdog_timer = self.clock.at(self._watchdog_end, self._watchdog_fire)

    def watchdog_feed(self):
        """Push its end out of reach again. The timer itself moves only when it fires: feeding is frequent."""
        self._watchdog_end = self.clock.now + self._watchdog_ms

    def watchdog_cancel(self):
        """Stop it."""
        if self._watchdog_timer is not None:
            self.clock.cancel(self._watchdog_timer)
        self._watchdog_timer = None
        self._watchdog_ms = 0

    @property
    def watchdog_on(self):
        return self._watchdog_timer is not None

    def _watchdog_fire(self):
        self._watchdog_timer = None
        if self._watchdog_end > self.clock.now:
            self._watchdog_timer = self.clock.at(self._watchdog_end, self._watchdog_fire)
        else:
            self.watchdog_expired()

    def watchdog_expired(self):
        """Reset; the models add what their silicon does in sleep."""
        raise Reset("watchdog")

    # boot

    def forget_ram(self, kind):
        """What every reset does. A soft one leaves the watchdog running: no port stops it."""
        if self.sleeping:
            self.wakes_up(self.clock.now - self.awake_since)
        self.boots += 1
        if kind != "soft":
            self.watchdog_cancel()
        self.handlers = {}
        self.counters = {}
        self.uart = None
        self.uart_spoilt = False
        self.sleeping = False


class Names:
    """A module made of attributes."""

    def __init__(self, **names):
        for name in names:
            setattr(self, name, names[name])


def make_adc(chip, calibrated):
    """Return the machine.ADC class: read_u16 everywhere; on ESP32 read_uv, and the attenuation, which up to 1.25 was none."""

    class Adc:
        def __init__(self, pin):
            self._number = getattr(pin, "number", pin)
            if self._number not in chip.adc_numbers:
                raise ValueError("pin %d has no ADC" % self._number)

        def read_u16(self):
            return min(65535, chip.adc_mv.get(self._number, 0) * 65535 // 3300)

    class CalibratedAdc(Adc):
        ATTN_0DB = 0
        ATTN_11DB = 3

        def __init__(self, pin, atten=-1):
            super().__init__(pin)
            if atten == -1:
                atten = 3 if chip.version >= (1, 26) else 0
            self._most = (950, 1250, 1750, 2450 if chip.chip == "esp32" else 3100)[atten]  # docs/esp32/quickref, ADC.atten

        def read_uv(self):
            return min(chip.adc_mv.get(self._number, 0), self._most) * 1000

    return CalibratedAdc if calibrated else Adc
