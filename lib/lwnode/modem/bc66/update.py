"""BC66: AT+QLWUPDATE. The message id comes before OK, (status, message id) long after, both under one name (4.2.4).

    AT+QLWUPDATE=0,1000      +QLWUPDATE: 59797, OK, +QLWUPDATE: 0,59797
"""

from lwnode.at import AtTimeout, CommandError
from lwnode.at import fields as split_fields
from lwnode.modem.bc66.codes import error_name
from lwnode.modem.network import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lwnode.modem.bc66 import Driver


def update(modem: "Driver", lifetime: "int | None", binding: "str | None") -> bool:
    """AT+QLWUPDATE, one for each thing that changed (5.7.2). An object list needs none: QLWADDOBJ sends its own."""
    done = True
    if binding is not None:
        if binding not in ("U", "UQ"):
            raise ValueError(f"binding: expected U or UQ (BC66 note 4.2.4), found {binding}")
        done = _update(modem, 1, int(binding == "UQ"))
    if lifetime is None and binding is None:
        lifetime = 86400 if modem.server is None else modem.server.lifetime
    if lifetime is not None:
        if not 20 <= lifetime <= 31536000:
            raise ValueError("lifetime: expected 20 to 31536000 s (BC66 note 4.2.4), found %d" % lifetime)
        done = _update(modem, 0, lifetime) and done
    return done


def _update(modem: "Driver", mode: int, value: int) -> bool:
    """The message id comes before OK, (status, id) after it, both under one name."""
    try:
        rows = modem._write("+QLWUPDATE", mode, value)
    except CommandError as error:
        modem.refusal = "update: " + error_name(error.code)
        return False
    results = [row for row in rows if len(row) > 1]
    if not results:
        try:
            line = modem.at.wait("+QLWUPDATE", modem.deadline_ms, accept=lambda text: len(split_fields(text)) > 1)
        except AtTimeout:
            return False
        results = [split_fields(line)]
    status = number(results[-1], 0, 0, 255)
    if status is None:
        modem._count("malformed_results")
        return False
    modem._on_ping(status)
    return status == 0
