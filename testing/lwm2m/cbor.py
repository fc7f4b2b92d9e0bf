"""CBOR, decoded (RFC 8949): what SenML packs are made of, nested at most eight deep. Runs on CPython and MicroPython."""

import struct

from testing.lwm2m.values import CodecError, big_endian, to_text

_NESTING = 8
_BREAK = object()


def cbor_decode(payload):
    """One CBOR item (RFC 8949) with nothing behind it; CodecError on anything else."""
    payload = bytes(payload)
    item, position = _cbor_item(payload, 0, _NESTING)
    if item is _BREAK or position != len(payload):
        raise CodecError(f"CBOR: one item expected, it ends at byte {position} of {len(payload)}")
    return item


def _cbor_item(data, position, depth):
    if not depth:
        raise CodecError(f"CBOR nested deeper than {_NESTING}")
    head = _cbor_take(data, position, 1)[0]
    major, info = head >> 5, head & 31
    position += 1
    argument = None if info == 31 else info
    if 24 <= info < 28:
        size = 1 << (info - 24)
        argument = big_endian(_cbor_take(data, position, size))
        position += size
    elif 28 <= info < 31:
        raise CodecError(f"CBOR: head {head:02x} is reserved")
    if major == 7:
        return _cbor_simple(data, position, info, argument)
    if argument is None and major < 2 or argument is None and major == 6:
        raise CodecError(f"CBOR: head {head:02x} has no length")
    if major < 2:
        return (argument if major == 0 else -1 - argument), position
    if major < 4:
        return _cbor_string(data, position, major, argument, depth)
    if major == 6:
        inner, position = _cbor_item(data, position, depth - 1)
        return _cbor_tagged(argument, inner), position
    return _cbor_container(data, position, major, argument, depth)


def _cbor_take(data, position, count):
    if position + count > len(data):
        raise CodecError(f"CBOR: {count} bytes expected at byte {position} of {len(data)}")
    return data[position : position + count]


def _cbor_simple(data, position, info, argument):
    if info == 31:
        return _BREAK, position
    if info in (20, 21):
        return info == 21, position
    if info in (22, 23):
        return None, position
    raw = data[position - (1 << (info - 24)) : position] if info >= 25 else b""
    if info == 25:
        return _half_float(argument), position
    if info == 26:
        return struct.unpack(">f", raw)[0], position
    if info == 27:
        return struct.unpack(">d", raw)[0], position
    raise CodecError(f"CBOR: simple value {argument} is not used here")


def _half_float(bits):
    exponent, fraction = (bits >> 10) & 31, bits & 1023
    if exponent == 31:
        value = float("nan") if fraction else float("inf")
    elif exponent == 0:
        value = fraction * 2.0**-24
    else:
        value = (1024 + fraction) * 2.0 ** (exponent - 25)
    return -value if bits & 0x8000 else value


def _cbor_string(data, position, major, length, depth):
    if length is not None:
        raw = _cbor_take(data, position, length)
        return (raw if major == 2 else to_text(raw)), position + length
    parts = []
    while True:
        part, position = _cbor_item(data, position, depth - 1)
        if part is _BREAK:
            return (b"" if major == 2 else "").join(parts), position
        if not isinstance(part, bytes if major == 2 else str):
            raise CodecError("CBOR: a chunk of the wrong type in a string")
        parts.append(part)


def _cbor_container(data, position, major, count, depth):
    items = []
    wanted = None if count is None else count * (major - 3)
    if wanted is not None and wanted > len(data) - position:
        raise CodecError(f"CBOR: {wanted} items announced, {len(data) - position} bytes left")
    while wanted is None or len(items) < wanted:
        item, position = _cbor_item(data, position, depth - 1)
        if item is _BREAK:
            if wanted is None:
                break
            raise CodecError("CBOR: break inside a container of known length")
        items.append(item)
    if major == 4:
        return items, position
    if len(items) % 2:
        raise CodecError("CBOR: a map with a key that has no value")
    try:
        return {items[n]: items[n + 1] for n in range(0, len(items), 2)}, position
    except TypeError:
        raise CodecError("CBOR: a map key must be a number or a string")


def _cbor_tagged(tag, inner):
    """Tag 4 is a decimal fraction, as RFC 8428 allows for values; bignums, bigfloat and rational are refused, others passed."""
    if tag in (2, 3, 5, 30):
        raise CodecError(f"CBOR: numbers of tag {tag} are not used here")
    if tag != 4:
        return inner
    if not (isinstance(inner, list) and len(inner) == 2 and all(isinstance(each, int) for each in inner)):
        raise CodecError("CBOR: a decimal fraction is [exponent, mantissa]")
    exponent, mantissa = inner
    if not -300 < exponent < 300:
        raise CodecError(f"CBOR: exponent {exponent} is out of range")
    return float(f"{mantissa}e{exponent}")
