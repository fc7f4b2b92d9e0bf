"""How to wait for bytes without burning time or power. Loaded by the first wait."""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Callable


def waiter(uart: "Any", clock: "Any") -> "Callable[[int], object]":
    """wait(ms) by select.poll where the UART can be polled, else by the clock's sleep in steps of 1 ms.

    (An object with a wait(ms) of its own, as fakes and host adapters have, never gets here.)
    """

    def sleeping(ms: int) -> None:
        end = clock.ticks_add(clock.ticks_ms(), ms)
        while not uart.any() and clock.ticks_diff(end, clock.ticks_ms()) > 0:
            clock.sleep_ms(1)

    try:
        import select

        poller = select.poll()
        poller.register(uart, select.POLLIN)
    except (ImportError, AttributeError, OSError, TypeError, ValueError):
        return sleeping
    poll = getattr(poller, "ipoll", poller.poll)  # ipoll allocates nothing

    def polling(ms: int) -> None:
        for _ in poll(ms):
            break

    return polling
