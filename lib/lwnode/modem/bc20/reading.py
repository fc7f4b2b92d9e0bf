"""BC20: what waits in the module's buffer, read until it is empty. Loaded when something does.

    +QLWDATARECV: 19,1,0,4        without data: it waits
    AT+QLWRD=512                  +QLWRD: 4,0 and AAAA0000 (hexadecimal digits, or the text itself: option receive_hex)
    AT+QLWRD=512                  +QLWRD: 0
"""

from micropython import const

from lwnode.at import fields as split_fields
from lwnode.modem import pipe
from lwnode.modem.network import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lwnode.modem.bc20 import Driver

_READ_LIMIT = const(512)  # 3.10
_ROUNDS = const(64)  # a module that never says 0 ends the loop


def drain(modem: "Driver") -> None:
    """QLWRD until +QLWRD: 0; <remain> is what is left of one node only (3.10, note 2)."""
    object_id, instance, resource, length = modem._waiting or (19, 1, 0, _READ_LIMIT)
    modem._waiting = None
    data = ""
    for _ in range(_ROUNDS):
        count = max(1, min(length, modem.options["read_length"], _READ_LIMIT))
        # Lines, not a payload by length: how many line ends come before it varies.
        lines = modem.at.send("AT+QLWRD=%d" % count, prefix="")
        while lines and not lines[0].startswith("+QLWRD"):
            lines = lines[1:]
        head = split_fields(lines[0]) if lines else []
        if len(head) < 2:
            break
        if modem.options["receive_hex"]:
            data += "".join([line for line in lines[1:] if not line.strip("0123456789ABCDEFabcdef")])
        else:
            # Text may hold line ends itself; a line that came behind it is not of it.
            data += "\r\n".join(lines[1:])[:number(head, 0, 0, _READ_LIMIT) or 0]
        length = number(head, 1, 0, _READ_LIMIT) or 0
        if length == 0:
            size = len(data) // 2 if modem.options["receive_hex"] else len(data)
            pipe.followed(modem, modem._handle(pipe.written(object_id, instance, resource, size, data)))
            data = ""
            length = _READ_LIMIT
