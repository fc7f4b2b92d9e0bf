"""Readings as LwM2M TLV for object 19, for servers that know no SenML: a sequence of object id and instance TLV.

    >>> payload, used = pack_tlv([(Path(3303, 0, 5700), FLOAT, "21.5", 1790000000)], 512)
    >>> unpack_tlv(payload)
    [(Path(/3303/0/5700), 4, '21.5', 1790000000)]

The object id takes two bytes, big-endian; the time of a reading goes as resource 5518 beside it.
"""

from micropython import const

from .decode import signed
from .model import TIME, Path
from .tlv import decode_tlv, encode_tlv, first

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

    from .model import Record

_TIMESTAMP = const(5518)


def pack_tlv(records: "Sequence[Record]", limit: int) -> "tuple[bytes, int]":
    """Each reading as object id and object instance TLV, with its time as 5518."""
    out, count = b"", 0
    for path, type, value, when in records:
        values = [(path, type, value)]
        if when is not None:
            values.append((Path(path.object, path.instance, _TIMESTAMP), TIME, str(when)))
        part = bytes([path.object >> 8, path.object & 255]) + encode_tlv(values, Path(path.object))
        if len(out) + len(part) > limit:
            break
        out += part
        count += 1
    return out, count


def unpack_tlv(data: bytes) -> "list[Record]":
    """The inverse of pack_tlv; ValueError where the bytes are none."""
    out: "list[Record]" = []
    at = 0
    while at < len(data):
        body, end = first(data, at + 2)
        values = decode_tlv(body, Path(data[at] << 8 | data[at + 1]))
        times = [value[2] for value in values if value[0].resource == _TIMESTAMP]
        when = _seconds(times[0]) if times else None
        out += [(path, type, value, when) for path, type, value in values if path.resource != _TIMESTAMP]
        at = end
    return out


def _seconds(value: "str | bytes") -> int:
    # Objects that have no 5518 of their own leave its type open.
    return int(value) if isinstance(value, str) else signed(value)
