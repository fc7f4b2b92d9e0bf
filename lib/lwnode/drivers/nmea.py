"""A GPS or GNSS receiver on a UART as a row, by NMEA 0183's RMC sentence: an example of a sensor that talks by itself.

    def uart():
        return board.machine.UART(0, 9600, tx=board.machine.Pin(0), rx=board.machine.Pin(1), rxbuf=512)

    nmea.add(tree, uart, power=board.machine.Pin(2, board.machine.Pin.OUT), warm_up_ms=35000, every=86400)

What to take from it: the UART is made anew for each round and taken down after it, since a sleep spoils its clock and a byte
that arrives in an RP2's light sleep can keep it from ending; what came before is old; a checksum; a wait with an end.
Without a fix (status V) there is no reading, and the last place stands. Bounds: 512 bytes, a wait of 2.5 s.
"""

from micropython import const

from lwnode.drivers import location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_WAIT_MS = const(2500)  # receivers say all they know once a second
_STEP_MS = const(100)
_LINE_BYTES = const(512)


def sentence(line: bytes) -> "list[str]":
    """The fields of $GPRMC, $GNRMC, ...; none where it is another sentence or its checksum is wrong."""
    body, star, told = line.strip().partition(b"*")
    if body[:1] != b"$" or body[3:6] != b"RMC" or not star:
        return []
    check = 0
    for byte in body[1:]:
        check ^= byte
    return body.decode().split(",") if "%02X" % check == told.decode().upper() else []


def degrees(text: str, half: str) -> str:
    """Decimal degrees of NMEA's ddmm.mmmm, by whole numbers: "5231.02228", "N" -> "52.517038"."""
    whole, _, part = text.partition(".")
    minutes = int(whole[-2:] + (part + "00000")[:5])  # in 1/100000
    return "%s%d.%06d" % ("-" if half in "SW" else "", int(whole[:-2]), (minutes + 3) // 6)


class Receiver:
    """The receiver, powered and listened to for one round at a time; wait: ObjectTree.wait."""

    def __init__(self, make_uart: "Callable[[], Any]", wait: "Callable[[int], None]", place: "location.Place") -> None:
        self._make_uart, self._wait, self._place = make_uart, wait, place

    def read(self) -> None:
        """Take the next valid place; OSError where nothing comes, ValueError where the receiver has no fix."""
        uart, seen, status = self._make_uart(), b"", ""
        try:
            for _ in range(_WAIT_MS // _STEP_MS):
                self._wait(_STEP_MS)
                *lines, seen = (seen + (uart.read() or b""))[-_LINE_BYTES:].split(b"\n")
                for line in lines:
                    fields = sentence(line)
                    if len(fields) > 6:
                        status = fields[2]
                        if status == "A":
                            self._place.fix(degrees(fields[3], fields[4]), degrees(fields[5], fields[6]))
                            return
        finally:
            uart.deinit()
        if status:
            raise ValueError("the receiver sees too few satellites yet")
        raise OSError("the receiver says nothing: check its supply, its baud rate and the crossing of tx and rx")


def add(
    tree: "Any", make_uart: "Callable[[], Any]", object_id: int = 3336, instance: int = 0, **row: "Any"
) -> "location.Place":
    """Add the row. make_uart: makes the receiver's UART. power, warm_up_ms and every as for any row."""
    place = location.add(tree, object_id, instance, **row)
    added = tree.row(object_id, instance)
    receiver, told = Receiver(make_uart, tree.wait, place), added.read

    def read() -> "Any":
        receiver.read()
        return told()

    added.read = read
    return place
