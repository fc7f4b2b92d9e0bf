"""One board: UART, pins by name, reset cause, retained memory, sleep. The only package that imports machine, esp32, rp2.

    import board as definition         # boards/NAME/board.py, deployed beside main.py
    from lwnode.board import open_board
    board = open_board(definition)
    board.reset_cause()                -> "deep_sleep"
    uart = board.uart(2048)
    board.pins.pulse("power_key", 500) -> True; False where the board has no such pin
    board.watchdog(8000); board.feed()
    board.sleep(900000, wake_on=("ring",))   # ESP32: does not return; RP2: returns "timer" or "ring"

A definition is a module or object with NAME, PORT ("esp32", "rp2"), CHIP, UART, PINS, LEVELS and, where the board has
them, BATTERY and LIMITS: boards/check.py says what each may hold, and refuses a pin that cannot do its job.
`machine`, `port` (esp32 or rp2) and `clock` default to the interpreter's own modules; a simulation hands in its own.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.board.base import Board as Board


class Unsupported(Exception):
    """What this port cannot do, as a sentence that says what to use instead."""


def open_board(definition: "Any", machine: "Any" = None, port: "Any" = None, clock: "Any" = None) -> "Board":
    """Return the Board of a definition; reads the reset cause and retained memory once. ValueError for an unknown PORT."""
    if definition.PORT == "esp32":
        from lwnode.board.esp32 import Board as Esp32

        return Esp32(definition, machine, port, clock)
    if definition.PORT == "rp2":
        from lwnode.board.rp2 import Board as Rp2

        return Rp2(definition, machine, port, clock)
    raise ValueError('a board definition has PORT = "esp32" or "rp2", not %r' % (definition.PORT,))
