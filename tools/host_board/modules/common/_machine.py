"""The part of `machine` that both ports share: UART, Pin, ADC, I2C, WDT."""

import io
import select

import _host

_garbled = False  # the port's clocks have changed below the UART (lightsleep on RP2)


def garble():
    """Spoil the line until the UART is set up again."""
    global _garbled
    _garbled = True


def _noise(data):
    return bytes((byte * 5 + 0x83) & 0xFF | 0x80 for byte in data)


class UART(io.IOBase):
    """The module's line. Reading never waits; select.poll sees it."""

    RTS = 1
    CTS = 2
    IRQ_RX = 1
    IRQ_RXIDLE = 2
    IRQ_BREAK = 4

    def __init__(self, id, baudrate=115200, **settings):
        if id == _host.boot["repl_uart"]:
            raise ValueError("UART(%d) is disabled (dedicated to REPL)" % id)
        self._line = open(_host.tty, "rb+", 0)
        self._poll = select.poll()
        self._poll.register(self._line, select.POLLIN)
        self._rx = b""
        self._size = 256
        self._baudrate = 0
        self.init(baudrate, **settings)

    def init(self, baudrate=None, *, rxbuf=None, timeout=0, **settings):
        """Set up: what was received before is gone, the clock below is right again."""
        global _garbled
        _garbled = False
        self._size = rxbuf or self._size
        self._timeout = timeout
        if baudrate:
            self._baudrate = baudrate
        _host.ask("uart", self._baudrate)
        self._fetch()
        self._rx = b""

    def deinit(self):
        pass

    def _fetch(self):
        while self._poll.poll(0):
            data = self._line.read(256)
            if not data:
                break
            if _garbled or self._baudrate != _host.boot["baudrate"]:
                data = _noise(data)
            self._rx = (self._rx + data)[: self._size]  # the ring is full: the rest is lost, and nobody says so

    def any(self):
        self._fetch()
        return len(self._rx)

    def read(self, count=-1):
        self._fetch()
        data = self._rx if count < 0 else self._rx[:count]
        self._rx = self._rx[len(data) :]
        return data or None

    def readinto(self, buf, count=-1):
        data = self.read(len(buf) if count < 0 else min(count, len(buf)))
        if data is None:
            return None
        buf[: len(data)] = data
        return len(data)

    def readline(self):
        self._fetch()
        end = self._rx.find(b"\n") + 1
        return self.read(end or -1)

    def write(self, data):
        if _garbled or self._baudrate != _host.boot["baudrate"]:
            data = _noise(bytes(data))
        if isinstance(data, str):
            data = data.encode()
        return self._line.write(data)

    def flush(self):
        pass

    def txdone(self):
        return True

    def sendbreak(self):
        pass

    def irq(self, handler=None, trigger=0, hard=False):
        pass

    def ioctl(self, request, argument):
        if request == 10:  # MP_STREAM_GET_FILENO: the port polls the terminal itself
            return self._line.fileno()
        if request == 3:
            return argument & (1 if self._rx else 0)
        return -1


_handlers = {}


def sleep(ms):
    """Light sleep, and the interrupts that ended it."""
    for pin in _host.sleep("lightsleep", ms):
        if pin in _handlers:
            handler, source = _handlers[pin]
            handler(source)


class Pin:
    """A pin on the wires of the board's file: the runner knows which goes where."""

    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_UP = 2
    PULL_DOWN = 1
    IRQ_RISING = 1
    IRQ_FALLING = 2
    WAKE_LOW = 4
    WAKE_HIGH = 5

    def __init__(self, id, mode=-1, pull=-1, *, value=None, **settings):
        self.id = int(id[2:]) if isinstance(id, str) else id
        if value is not None:
            self.value(value)

    def init(self, mode=-1, pull=-1, *, value=None, **settings):
        if value is not None:
            self.value(value)

    def value(self, level=None):
        if level is None:
            return _host.ask("level", self.id)
        _host.ask("drive", self.id, 1 if level else 0)
        return None

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    high = on
    low = off

    def toggle(self):
        self.value(1 - self.value())

    def irq(self, handler=None, trigger=3, **settings):
        """Handlers run when the pin ends a sleep; edges while awake are not seen."""
        if handler:
            _handlers[self.id] = (handler, self)
            _host.tell("wake_on", [self.id], 1 if trigger & self.IRQ_RISING else 0)
        else:
            _handlers.pop(self.id, None)
            _host.tell("wake_on", [self.id], None)
        return self

    def __repr__(self):
        return "Pin(%d)" % self.id


class ADC:
    """Reads what the runner's `adc` table says, in millivolts at the pin."""

    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3

    def __init__(self, pin, **settings):
        self._id = pin.id if isinstance(pin, Pin) else pin

    def read_u16(self):
        return min(65535, _host.ask("adc", self._id) * 65535 // 3300)


class I2C:
    """The sensors' bus."""

    def __init__(self, id=0, *, scl=None, sda=None, freq=400000, timeout=50000):
        pass

    def init(self, *, scl=None, sda=None, freq=400000):
        pass

    def scan(self):
        return _host.ask("i2c_scan")

    def writeto(self, address, data, stop=True):
        _host.ask("i2c_write", address, bytes(data).hex())
        return len(data)

    def readfrom_into(self, address, buf, stop=True):
        buf[:] = bytes.fromhex(_host.ask("i2c_read", address, len(buf)))

    def readfrom(self, address, count, stop=True):
        data = bytearray(count)
        self.readfrom_into(address, data)
        return bytes(data)

    def readfrom_mem(self, address, register, count, *, addrsize=8):
        self.writeto(address, register.to_bytes(addrsize // 8, "big"), False)
        return self.readfrom(address, count)

    def writeto_mem(self, address, register, data, *, addrsize=8):
        self.writeto(address, register.to_bytes(addrsize // 8, "big") + bytes(data))


SoftI2C = I2C


class WDT:
    """The runner ends the process when it is not fed in time; time asleep counts where the port's does."""

    def __init__(self, id=0, timeout=5000):
        limit = _host.boot["wdt_limit"]
        if timeout <= 0 or limit and timeout > limit:
            raise ValueError("timeout out of range")
        _host.tell("wdt", timeout)

    def feed(self):
        _host.tell("feed")


def unique_id():
    return bytes.fromhex(_host.boot["unique_id"])


def reset_cause():
    return _host.boot["cause"]


def reset():
    _host.stop("reset")


def soft_reset():
    _host.stop("soft_reset")


def bootloader(timeout=0):
    _host.stop("repl", "machine.bootloader()")


def idle():
    pass


def disable_irq():
    return 0


def enable_irq(state=0):
    pass
