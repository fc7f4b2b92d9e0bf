"""The part of `machine` that both ports share: Pin, ADC, I2C, RTC, WDT, and the UART of _uart.py."""

import _host
from _uart import UART, garble

_handlers = {}
_bus = set()  # pins of the sensors' bus: pulled up, and nobody holds them


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

    def __init__(self, id, mode=-1, pull=-1, **settings):
        self.id = int(id[2:]) if isinstance(id, str) else id
        self.init(mode, pull, **settings)

    def init(self, mode=-1, pull=-1, *, value=None, **hold):
        if hold and (set(hold) != {"hold"} or _host.boot["port"] != "esp32"):
            raise TypeError("extra keyword arguments given")
        if value is not None:
            self.value(value)
        if hold:
            _host.tell("hold", self.id, bool(hold["hold"]))

    def value(self, level=None):
        if level is None:
            return 1 if self.id in _bus else _host.ask("level", self.id)
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
            _host.tell("wake_on", [self.id], 1 if trigger & self.IRQ_RISING else 0, "irq%d" % self.id)
        else:
            _handlers.pop(self.id, None)
            _host.tell("wake_on", [self.id], None, "irq%d" % self.id)
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
        _bus.update([pin.id for pin in (scl, sda) if pin])

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


class RTC:
    """A calendar."""

    def datetime(self, fields=None):
        import time

        if fields is None:
            year, month, day, hour, minute, second, weekday, _ = time.gmtime()
            return (year, month, day, weekday, hour, minute, second, 0)
        year, month, day, _, hour, minute, second, _ = fields
        time._set(time.mktime((year, month, day, hour, minute, second, 0, 0)))
        return None


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
