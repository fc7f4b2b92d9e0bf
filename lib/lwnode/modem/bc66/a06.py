"""BC66 firmware R01A06 and older: object 19 as a pipe (QLWDATASEND, SEND OK), +QLWURC: reg,0, requests by number, no QLWSTATUS.

    AT+QLWDATASEND=19,0,0,1,01,0x0100    OK, SEND OK
    +QLWDATARECV: 19,1,0,4,AAAA0000      a write of the server

Told apart by the revision (field_quirks 3 and 4, release notes V0110). A07 to A09 take objects only while registered, and
have no QLWRECOVER and four QLWCFG rows fewer: that, and what differs only in the shape of a line, is in the driver itself.
"""

from micropython import const

from lwnode.at import AtError, BudgetExceeded, Raw, fields
from lwnode.modem import object19
from lwnode.modem.driver import path_of
from lwnode.modem.object19 import OBJECTS as OBJECTS, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Path
    from lwnode.modem.bc66 import Driver

_LINES = const(("+QLWOBSERVE", "+QLWDATARECV", "SEND OK", "SEND FAIL"))


def listen(modem: "Driver") -> None:
    """Take the lines of the object-19 model; one message is open at a time."""
    for prefix in _LINES:
        modem.at.subscribe(prefix, lambda line: _on_line(modem, line))
    modem.reports.limit = 1


def _on_line(modem: "Driver", line: str) -> None:
    if line.startswith("SEND "):
        modem.reports.settle("next", None if line == "SEND OK" else line)
        modem._tell_outcomes()
        return
    values = fields(line)
    try:
        numbers = [int(value or "") for value in values[:4]]
        if line.startswith("+QLWOBSERVE"):
            modem._observe(path_of(*numbers[1:]), bool(numbers[0]))
        elif len(values) > 4:
            written(modem, numbers[0], numbers[1], numbers[2], numbers[3], ",".join([v or "" for v in values[4:]]))
        else:
            raise ValueError  # abridged, see below
    except (ValueError, TypeError, IndexError):
        if len(values) == 1 and values[0]:
            # One firmware abridges it to the data alone: +QLWDATARECV: AA00 (seen in a log).
            written(modem, 19, 1, 0, len(values[0]) // 2, values[0])
        else:
            modem._count("malformed_urcs")


def publish(modem: "Driver", records: "Any", confirm: bool) -> int:
    """QLWDATASEND as on BC20."""

    def send(path: "Path", data: bytes, confirm: bool) -> "str | None":
        try:
            modem.at.write(
                "+QLWDATASEND", path.object, path.instance, path.resource, len(data), data,
                Raw("0x0100" if confirm else "0x0000"))
        except BudgetExceeded:
            raise
        except AtError:
            return "refused by the module"
        return None

    return object19.publish(modem, send, records, confirm)
