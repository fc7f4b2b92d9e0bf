"""One measurement for several rows: started once, read once, handed out to each.

    probe = Shared(read=lambda: (chip.temperature(), chip.humidity()), start=chip.convert)
    tree.sensor(3303, probe.part(0), start=probe.start, warm_up_ms=20)
    tree.sensor(3304, probe.part(1), start=probe.start, warm_up_ms=20)

ObjectTree starts all rows before it reads the first, so the first start of a round begins the measurement and
the first read ends it. An error is given to every row of the round, each counts it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


class Shared:
    """A measurement with parts. read() gives a sequence of values, start() begins a conversion where there is one."""

    def __init__(self, read: "Callable[[], Any]", start: "Callable[[], object] | None" = None) -> None:
        self._read = read
        self._start = start
        self._pending = False
        self._error: "Exception | None" = None
        self._values: "Any" = None

    def start(self) -> None:
        """Begin a round, unless one has begun that nobody has read yet."""
        if self._pending:
            return
        self._pending = True
        self._values = self._error = None
        if self._start is not None:
            try:
                self._start()
            except Exception as error:  # noqa: BLE001  raised by value(): what was not started must not be read
                self._error = error

    def value(self, index: int) -> "Any":
        """One part of this round's measurement; raises what starting or reading it raised."""
        if self._pending:
            self._pending = False
            if self._error is None:
                try:
                    self._values = self._read()
                except Exception as error:  # noqa: BLE001  kept for the other rows of this round, and raised below
                    self._error = error
        if self._error is not None:
            raise self._error
        return None if self._values is None else self._values[index]

    def part(self, index: int) -> "Callable[[], Any]":
        """The read of a row that gets one part."""
        return lambda: self.value(index)


def merged(row: "dict[str, Any]", **defaults: "Any") -> "dict[str, Any]":
    """What a row is declared with: the caller's word, else the default."""
    for name in row:
        defaults[name] = row[name]
    return defaults
