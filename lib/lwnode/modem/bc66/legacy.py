"""BC66 firmware before R01A10, told apart by the revision (field_quirks 3 and 4, release notes V0110).

    BC66NBR01A06 and older   object 19 as a pipe (QLWDATASEND, SEND OK), +QLWURC: reg,0, requests by number, no QLWSTATUS
    BC66NBR01A07 to A09      objects can be declared only while registered, no QLWRECOVER, four QLWCFG rows fewer

Loaded only where such a firmware is found. What differs only in the shape of a line is read by urcs.py in any case.
"""

from lwnode.at import AtError, BudgetExceeded, Raw
from lwnode.modem import pipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.lwm2m import Path
    from lwnode.modem.bc66.reporting import Reporting

_LINES = ("+QLWOBSERVE", "+QLWDATARECV", "SEND OK", "SEND FAIL")


def open_pipe(modem: "Reporting") -> None:
    """Listen for the lines of the object-19 model."""
    for prefix in _LINES:
        modem.at.subscribe(prefix, lambda line: _on_line(modem, line))
    modem.reports.limit = 1


def _on_line(modem: "Reporting", line: str) -> None:
    if line.startswith("SEND "):
        modem.reports.settle("next", None if line == "SEND OK" else line)
        modem._tell_outcomes()
        return
    from lwnode.at import fields

    values = fields(line)
    try:
        numbers = [int(value or "") for value in values[:4]]
        if line.startswith("+QLWOBSERVE"):
            cancel, object_id, instance, resource = numbers
            pipe.observe(modem, cancel, object_id, instance, resource)
        elif len(values) > 4:
            object_id, instance, resource, length = numbers
            text = ",".join([value or "" for value in values[4:]])
            pipe.followed(modem, modem._handle(pipe.written(object_id, instance, resource, length, text)))
        else:
            # One firmware abridges it to the data alone: +QLWDATARECV: AA00 (seen in a log).
            raise ValueError
    except (ValueError, TypeError):
        if len(values) == 1 and values[0]:
            pipe.followed(modem, modem._handle(pipe.written(19, 1, 0, len(values[0]) // 2, values[0])))
        else:
            modem._count("malformed_urcs")


def publish(modem: "Reporting", records: "Any", confirm: bool) -> int:
    """Packs on 19/0/0."""
    return pipe.publish(modem, records, confirm)


def send_bytes(modem: "Reporting", path: "Path", data: bytes, confirm: bool) -> "str | None":
    """QLWDATASEND as on BC20."""
    try:
        modem.at.write(
            "+QLWDATASEND", path.object, path.instance, path.resource, len(data), data,
            Raw("0x0100" if confirm else "0x0000"))
    except BudgetExceeded:
        raise
    except AtError:
        return "refused by the module"
    return None
