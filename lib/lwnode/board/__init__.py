"""One board: UART, pins by name, reset cause, retained memory, sleep. The only package that imports machine, esp32 and rp2.

    import board as definition         # boards/NAME/board.py, deployed beside main.py
    from lwnode.board import open_board
    board = open_board(definition)
    board.reset_cause()                -> "deep_sleep"
    uart = board.uart(2048)
    board.pins.pulse("power_key", 500) -> True; False where the board has no such pin
    board.watchdog(8000); board.feed()
    board.sleep(900000, wake_on=("ring",))   # ESP32: does not return; RP2: returns "timer" or "ring"

A definition is a module or object with NAME, PORT ("esp32", "rp2"), CHIP, UART, PINS, LEVELS and, where the board has
them, I2C, BATTERY and TIMER: boards/check.py says what each may hold, and refuses a pin that cannot do its job.
"""

from lwnode.board.base import Unsupported as Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.board.base import Board as Board


def open_board(definition: "Any", machine: "Any" = None, port: "Any" = None, clock: "Any" = None) -> "Board":
    """Return the Board of a definition; reads reset cause and retained memory once. ValueError for an unknown PORT.

    machine, port (esp32, rp2) and clock are the interpreter's own unless a simulation hands in others.
    """
    if definition.PORT == "esp32":
        from lwnode.board.esp32 import Board as Port
    elif definition.PORT == "rp2" and hasattr(definition, "TIMER"):
        from lwnode.board.switched import Board as Port  # type: ignore[assignment]
    elif definition.PORT == "rp2":
        from lwnode.board.rp2 import Board as Port  # type: ignore[assignment]
    else:
        raise ValueError('a board definition has PORT = "esp32" or "rp2", not %r' % (definition.PORT,))
    return Port(definition, machine, port, clock)
