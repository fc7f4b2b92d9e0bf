"""A UART for AtClient on a PC; a board has machine.UART, and no board gets this file.

    >>> from lwnode.at import AtClient
    >>> from lwnode.at.uart import Clock, serial_uart, tty_uart
    >>> at = AtClient(serial_uart("/dev/ttyUSB0"), Clock)           # CPython, over pyserial
    >>> at = AtClient(tty_uart("/dev/ttyUSB0"), Clock)              # MicroPython's unix port, after
                                                                    # stty -F /dev/ttyUSB0 115200 raw -echo min 0 time 0
"""

import time

_READABLE = 512  # bytes to ask for at a time, where the port only says that there are some


class Clock:
    """MicroPython's ticks, also under CPython, where they have no wrap."""

    ticks_ms = staticmethod(getattr(time, "ticks_ms", lambda: int(time.monotonic() * 1000)))  # type: ignore[attr-defined]
    ticks_add = staticmethod(getattr(time, "ticks_add", lambda ticks, ms: ticks + ms))
    ticks_diff = staticmethod(getattr(time, "ticks_diff", lambda later, earlier: later - earlier))
    sleep_ms = staticmethod(getattr(time, "sleep_ms", lambda ms: time.sleep(ms / 1000)))


def serial_uart(port: str, baudrate: int = 115200) -> object:
    """A serial port of a PC over pyserial (CPython). Raises serial.SerialException where it cannot be opened."""
    import serial  # type: ignore[import-untyped, unused-ignore]

    class Uart(serial.Serial):  # type: ignore[misc, unused-ignore]
        def any(self) -> int:
            return self.in_waiting  # type: ignore[no-any-return, unused-ignore]

        def init(self, baudrate: int) -> None:
            self.baudrate = baudrate

    return Uart(port, baudrate, timeout=0)


class tty_uart:
    """A tty that is in raw mode with `min 0 time 0`, under MicroPython's unix port. OSError where it cannot be opened."""

    def __init__(self, path: str) -> None:
        import select

        self._file = open(path, "r+b", 0)  # noqa: SIM115  as long as the client
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)
        self.readinto = self._file.readinto
        self.write = self._file.write

    def any(self) -> int:
        return _READABLE if self._poll.poll(0) else 0

    def wait(self, ms: int) -> None:
        self._poll.poll(ms)
