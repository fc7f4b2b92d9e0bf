"""TLV of LwM2M 1.0 (TS 1.0.2, 6.4.3), both directions, strict. See codec.py; runs on CPython and MicroPython."""

import struct

from tools.lwm2m.names import path_text
from tools.lwm2m.values import CodecError, big_endian, raw_of

_OBJECT_INSTANCE = 0x00  # TLV type byte, bits 7-6 (TS 1.0.2 table 6.4.3-1)
_RESOURCE_INSTANCE = 0x40
_MULTIPLE_RESOURCE = 0x80
_RESOURCE = 0xC0


def tlv(kind, identifier, value):
    """One TLV: header (type byte, 8 or 16 bit id, length where it exceeds 7) and value."""
    head = kind
    length = len(value)
    numbers = struct.pack(">H", identifier) if identifier > 255 else bytes([identifier])
    if identifier > 255:
        head |= 0x20
    if length < 8:
        head |= length
    elif length < 1 << 8:
        head |= 0x08
        numbers += bytes([length])
    elif length < 1 << 16:
        head |= 0x10
        numbers += struct.pack(">H", length)
    elif length < 1 << 24:
        head |= 0x18
        numbers += struct.pack(">I", length)[1:]
    else:
        raise CodecError(f"a TLV value holds at most 16 MiB, {length} bytes given")
    return bytes([head]) + numbers + bytes(value)


def encode_tlv(path, values):
    """Encode values below `path`: resources for a resource or instance, wrapped in instances for an object."""
    instances = {}
    for full, kind, value in values:
        full = tuple(full)
        if len(full) < 3 or full[: len(path)] != path[: len(full)]:
            raise CodecError(f"{path_text(full)} is no resource below {path_text(path)}")
        resources = instances.setdefault(full[1], {})
        resources.setdefault(full[2], []).append((full[3] if len(full) > 3 else None, raw_of(kind, value)))
    bodies = []
    for instance in sorted(instances):
        body = b"".join([_encode_resource(each, instances[instance][each]) for each in sorted(instances[instance])])
        bodies.append(tlv(_OBJECT_INSTANCE, instance, body) if len(path) == 1 else body)
    return b"".join(bodies)


def _encode_resource(resource, entries):
    if len(entries) == 1 and entries[0][0] is None:
        return tlv(_RESOURCE, resource, entries[0][1])
    inner = [tlv(_RESOURCE_INSTANCE, n if index is None else index, raw) for n, (index, raw) in enumerate(entries)]
    return tlv(_MULTIPLE_RESOURCE, resource, b"".join(inner))


def split_tlv(payload):
    """Yield (kind, id, value) for each TLV of one level; CodecError when a length runs over the end."""
    position, end = 0, len(payload)
    while position < end:
        head = payload[position]
        wide = 2 if head & 0x20 else 1
        lengths = (head >> 3) & 3
        start = position + 1 + wide + lengths
        if start > end:
            raise CodecError(f"TLV header cut off at byte {position} of {end}")
        identifier = big_endian(payload[position + 1 : position + 1 + wide])
        length = big_endian(payload[position + 1 + wide : start]) if lengths else head & 7
        if start + length > end:
            raise CodecError(f"TLV at byte {position} wants {length} bytes, {end - start} are left")
        yield head & 0xC0, identifier, payload[start : start + length]
        position = start + length


def decode_tlv(path, payload):
    """[(path, bytes)] of a TLV payload that answers for `path`; resource instances get paths of four numbers."""
    payload = bytes(payload)
    found = []
    for kind, identifier, value in split_tlv(payload):
        if kind == _OBJECT_INSTANCE:
            if len(path) > 1 and identifier != path[1]:
                raise CodecError(f"instance {identifier} came for {path_text(path)}")
            _resources((path[0], identifier), value, found)
        else:
            # some clients leave out the instance wrapper of a single-instance object
            base = tuple(path[:2]) if len(path) > 1 else (path[0], 0)
            _one_resource(base, path, kind, identifier, value, found)
    return found


def _resources(base, payload, found):
    for kind, identifier, value in split_tlv(payload):
        _one_resource(base, base, kind, identifier, value, found)


def _one_resource(base, path, kind, identifier, value, found):
    if kind == _RESOURCE_INSTANCE and len(path) > 2:  # instances without their multiple-resource wrapper
        found.append((base + (path[2], identifier), value))
        return
    if len(path) > 2 and identifier != path[2]:
        raise CodecError(f"resource {identifier} came for {path_text(path)}")
    if kind == _RESOURCE:
        found.append((base + (identifier,), value))
    elif kind == _MULTIPLE_RESOURCE:
        for inner, instance, raw in split_tlv(value):
            if inner != _RESOURCE_INSTANCE:
                raise CodecError(f"a multiple resource holds resource instances, TLV type {inner >> 6} came")
            found.append((base + (identifier, instance), raw))
    else:
        raise CodecError(f"TLV type {kind >> 6} is not expected below {path_text(base)}")
