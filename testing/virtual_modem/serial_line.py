"""A real serial port as the module's UART: a board on a USB adapter sees a module with its pins.

Wiring (3.3 V adapter, crossed):

    board TX  -> adapter RX         board wake output  -> adapter CTS      (asserted = wake)
    board RX  <- adapter TX         board reset output -> adapter DSR      (asserted = reset)
    GND          GND                board status input <- adapter RTS      (asserted = the module runs)

The inputs of a USB adapter are active low, as PSM_EINT and RESET are. No event tells of them on every system, so they
are looked at every 5 ms; bytes are not: those come by event.
"""

import contextlib
import os

_PIN_LOOK_S = 0.005


def opened(path, baudrate):
    """The port at this path; needs pyserial, and says how to get it."""
    try:
        import serial
    except ImportError:
        raise RuntimeError("a serial port needs pyserial: .venv/bin/pip install pyserial") from None
    return serial.Serial(path, baudrate, timeout=0, write_timeout=0)


class SerialLine:
    """One port: its path, or what pyserial makes of one."""

    def __init__(self, owner, path, baudrate):
        self._owner = owner
        self._port = path if hasattr(path, "fileno") else opened(path, baudrate)
        self._loop = None
        self._look = None
        self._levels = {}

    def open(self, loop):
        """Begin to listen."""
        self._loop = loop
        loop.add_reader(self._port.fileno(), self._readable)
        self._owner.model.on_status = self._status
        self._status(self._owner.model.status_pin)
        self._look_at_pins()

    def _readable(self):
        try:
            data = os.read(self._port.fileno(), 4096)
        except (BlockingIOError, OSError):
            return
        if data:
            self._owner._in(data)

    def write(self, data):
        """Bytes to the board."""
        self._port.write(data)

    def _status(self, level):
        with contextlib.suppress(OSError):  # a port without modem lines, as an adapter of three wires
            self._port.rts = level

    def _look_at_pins(self):
        try:
            levels = (("wake", self._port.cts), ("reset", self._port.dsr))
        except OSError:
            return  # no such lines: the pins are at the control port only
        for name, level in levels:
            if level != self._levels.get(name, False):
                self._levels[name] = level
                self._owner.model.pin(name, level)
        self._look = self._loop.call_later(_PIN_LOOK_S, self._look_at_pins)

    def close(self):
        """Give the port back."""
        if self._look is not None:
            self._look.cancel()
        if self._loop is not None:
            self._loop.remove_reader(self._port.fileno())
        self._owner.model.on_status = None
        self._port.close()
