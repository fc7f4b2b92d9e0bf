"""`machine.UART` on the terminal that the virtual module holds at its other end."""

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


class _Uart(io.IOBase):
    """The module's line. Reading never waits; select.poll sees it.

    An RP2's buffers after deinit() are as in MicroPython 1.28: nobody's, and still in use by init() where their size stays.
    """

    def __init__(self, id):
        self.id = id
        self._line = open(_host.tty, "rb+", 0)
        self._poll = select.poll()
        self._poll.register(self._line, select.POLLIN)
        self._rx = b""
        self._size = 256
        self._baudrate = 0
        self._on = self._freed = False

    def init(self, baudrate=None, *, rxbuf=None, timeout=0, **settings):
        """Set up: what was received before is gone, the clock below is right again."""
        global _garbled
        _garbled = False
        self._freed = self._freed and rxbuf in (None, self._size)
        self._on = True
        self._size = rxbuf or self._size
        self._timeout = timeout
        if baudrate:
            self._baudrate = baudrate
        _host.ask("uart", self._baudrate)
        self._receive()
        self._rx = b""

    def deinit(self):
        self._on = False
        self._freed = _host.boot["port"] == "rp2"

    def _use(self, buffer):
        if self._freed and buffer:
            _host.stop("crash", "UART(%d) uses a buffer that the collector has freed" % self.id)
        if not self._on and _host.boot["port"] == "esp32":
            raise OSError(-1, "ESP_FAIL")

    def _fetch(self):
        self._use(self._rx or self._poll.poll(0))
        if self._on:
            self._receive()

    def _receive(self):
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
        self._use(data)
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


class _Uarts:
    """machine.UART: one object for each number, as both ports have it, with buffers made anew at each call."""

    RTS = 1
    CTS = 2
    IRQ_RX = 1
    IRQ_RXIDLE = 2
    IRQ_BREAK = 4

    def __init__(self):
        self._made = {}

    def __call__(self, id, baudrate=115200, **settings):
        if id == _host.boot["repl_uart"]:
            raise ValueError("UART(%d) is disabled (dedicated to REPL)" % id)
        uart = self._made.get(id)
        if uart is None:
            uart = self._made[id] = _Uart(id)
        uart._freed = False
        uart.init(baudrate, **settings)
        return uart


UART = _Uarts()
