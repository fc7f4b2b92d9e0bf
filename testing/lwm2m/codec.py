"""The wire formats of LwM2M 1.0 and the SenML packs of object 19, both directions, for the peers in testing/lwm2m.

Written independently of lib's codec, so that each checks the other; runs on CPython and MicroPython.

    encode(TLV, (3303, 0, 5700), [((3303, 0, 5700), FLOAT, "21.5")])  -> e8 16 44 08 40 35 80 00 00 00 00 00
    decode(TLV, (3303, 0), payload)      -> [Reading((3303, 0, 5700), FLOAT, 21.5, None), ...]
    decode_raw(TLV, (3303, 0), payload)  -> [((3303, 0, 5700), bytes)]       values as a module hands them to its host
    decode(SENML_CBOR, (19, 0, 0), pack) -> readings, each with its own Unix time

Values to encode are (path, type, text or bytes): decimal text, booleans "0" or "1", object links "3303:0".
Every decoder raises CodecError with one sentence and nothing else, whatever the bytes.
Sources: LwM2M TS 1.0.2 section 6.4 (TLV, JSON), RFC 8428 (SenML), RFC 8949 (CBOR).
"""

import json
import struct
from binascii import a2b_base64, b2a_base64

from testing.lwm2m.cbor import cbor_decode
from testing.lwm2m.names import (BOOLEAN, FLOAT, INTEGER, JSON, OBJLNK, OCTET_STREAM, OLD_JSON, OLD_TLV, OPAQUE, SENML_CBOR,
                               SENML_JSON, TEXT_PLAIN, TIME, TLV, path_text)
from testing.lwm2m.resource_types import type_of
from testing.lwm2m.values import (CodecError, Reading, big_endian, raw_of, resource_path, to_bytes, to_text, typed,
                                value_of_raw, value_of_text)

_OBJECT_INSTANCE = 0x00  # TLV type byte, bits 7-6 (TS 1.0.2 table 6.4.3-1)
_RESOURCE_INSTANCE = 0x40
_MULTIPLE_RESOURCE = 0x80
_RESOURCE = 0xC0
_RELATIVE_TIME_LIMIT = 1 << 28  # RFC 8428, 4.5.3: smaller times are relative to now
_LABELS = {-1: "bver", -2: "bn", -3: "bt", -5: "bv", 0: "n", 2: "v", 3: "vs", 4: "vb", 6: "t", 8: "vd"}  # RFC 8428, table 4


def encode(content_format, path, values):
    """Encode `values` below `path` in `content_format`. CodecError where the format cannot carry them."""
    path = tuple(path)
    if content_format in (TLV, OLD_TLV):
        return encode_tlv(path, values)
    if content_format in (JSON, OLD_JSON):
        return encode_json(path, values)
    if content_format in (TEXT_PLAIN, OCTET_STREAM):
        return _encode_single(content_format, values)
    raise CodecError(f"content format {content_format}: expected 0, 42, 11542 or 11543")


def decode(content_format, path, payload, types=type_of, now=None):
    """Decode to a list of Reading. `types(object, resource)` gives what TLV and text leave open.

    `now` in Unix seconds resolves relative SenML times.
    """
    if content_format in (SENML_CBOR, SENML_JSON):
        return decode_senml(content_format, payload, types, now)
    if content_format in (JSON, OLD_JSON):
        return decode_json(path, payload, types)
    readings = []
    for full, raw in decode_raw(content_format, path, payload):
        kind = types(full[0], full[2])
        value = value_of_text(kind, raw) if content_format == TEXT_PLAIN else value_of_raw(kind, raw)
        readings.append(Reading(full, kind, value, None))
    return readings


def decode_raw(content_format, path, payload):
    """The values of a TLV, text or opaque payload as [(path, bytes)], undecoded."""
    path = tuple(path)
    if content_format in (TLV, OLD_TLV):
        return decode_tlv(path, payload)
    if content_format in (TEXT_PLAIN, OCTET_STREAM, None):
        if len(path) < 3:
            raise CodecError(f"text and opaque carry one resource, not {path_text(path)}")
        return [(path, bytes(payload))]
    raise CodecError(f"content format {content_format} carries no raw values: expected 0, 42 or 11542")


def _encode_single(content_format, values):
    values = list(values)
    if len(values) != 1:
        raise CodecError(f"text and opaque carry one value, {len(values)} given")
    _, kind, value = values[0]
    if content_format == OCTET_STREAM:
        return raw_of(kind, value)
    if kind == OPAQUE:  # TS 1.0.2, 6.4.1: opaque in plain text is base64
        return b2a_base64(to_bytes(value)).strip()
    return to_bytes(value)


# ---- TLV (TS 1.0.2, 6.4.3), strict


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


# ---- JSON of LwM2M 1.0 (TS 1.0.2, 6.4.4)


def encode_json(path, values):
    """The JSON of LwM2M 1.0 (TS 1.0.2, 6.4.4): base name and one entry per value."""
    base = path_text(path) if len(path) > 2 else path_text(path) + "/"
    entries = []
    for full, kind, value in values:
        name = "/".join([str(part) for part in tuple(full)[len(path) :]])
        entries.append(f'{{"n":{json.dumps(name)},{_json_value(kind, value)}}}')
    return ('{{"bn":{},"e":[{}]}}'.format(json.dumps(base), ",".join(entries))).encode()


def _json_value(kind, value):
    if kind == OPAQUE:
        return f'"sv":{json.dumps(b2a_base64(to_bytes(value)).strip().decode())}'
    text = value if isinstance(value, str) else bytes(value).decode()
    if kind in (INTEGER, TIME, FLOAT):
        raw_of(kind, value)  # refuses what is no number
        return '"v":' + (text if _is_json_number(text) else json.dumps(float(text)))
    if kind == BOOLEAN:
        return '"bv":true' if raw_of(kind, value) == b"\x01" else '"bv":false'
    return '"{}":{}'.format("ov" if kind == OBJLNK else "sv", json.dumps(text))


def _is_json_number(text):
    digits = text[1:] if text.startswith("-") else text
    whole, _, fraction = digits.partition(".")
    return whole.isdigit() and (whole == "0" or whole[0] != "0") and (fraction.isdigit() or "." not in digits)


def decode_json(path, payload, types=type_of):
    """Readings of a LwM2M 1.0 JSON payload, with their times where "bt" or "t" are given."""
    try:
        document = json.loads(to_text(payload))
        base = document.get("bn", path_text(path))
        base_time = document.get("bt")
        entries = document["e"]
        return [_json_reading(base, base_time, entry, types) for entry in entries]
    except CodecError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise CodecError('JSON of LwM2M 1.0 expected, as {"bn":"/3303/0/","e":[{"n":"5700","v":21.5}]}')


def _json_reading(base, base_time, entry, types):
    full = resource_path(base + ("" if base.endswith("/") or not entry.get("n") else "/") + entry.get("n", ""))
    kind = types(full[0], full[2])
    for key in ("v", "bv", "sv", "ov"):
        if key in entry:
            value = entry[key]
            break
    else:
        raise CodecError(f"JSON entry for {path_text(full)} carries no value")
    when = entry.get("t")
    if when is not None or base_time is not None:
        when = (base_time or 0) + (when or 0)
    return Reading(full, kind, typed(kind, value, True), when)


# ---- SenML packs as object 19 carries them, CBOR or JSON, decoded (RFC 8428)


def decode_senml(content_format, payload, types=type_of, now=None):
    """Readings of a SenML pack, names resolved against base names, times against base times (RFC 8428, 4.6)."""
    records = cbor_decode(payload) if content_format == SENML_CBOR else _senml_json(payload)
    if not isinstance(records, list):
        raise CodecError("SenML: an array of records expected")
    readings = []
    base = {"bn": "", "bt": None, "bv": None}
    for record in records:
        if not isinstance(record, dict):
            raise CodecError("SenML: a record is a map")
        try:
            fields = {_LABELS.get(label, label): record[label] for label in record}
            unknown = [label for label in fields if isinstance(label, str) and label[-1:] == "_"]
            if unknown or fields.get("bver", 10) > 10:
                raise CodecError(f"SenML: {unknown or 'a newer version'} must be understood, and is not (RFC 8428, 4.4)")
            for name in base:
                base[name] = fields.get(name, base[name])
            reading = _senml_reading(base, fields, types, now, content_format == SENML_JSON)
        except CodecError:
            raise
        except (ValueError, TypeError, AttributeError, OverflowError):
            raise CodecError("SenML: a record has a name or value of the wrong type")
        if reading is not None:
            readings.append(reading)
    return readings


def _senml_json(payload):
    try:
        return json.loads(to_text(payload))
    except ValueError:
        raise CodecError("SenML JSON expected")


def _senml_reading(base, fields, types, now, as_json):
    value = None
    for key in ("v", "vs", "vb", "vd", "vlo"):
        if key in fields:
            value = fields[key]
            if key == "v" and base["bv"] is not None:
                value = base["bv"] + value
            elif key == "vd" and as_json:
                value = a2b_base64(_padded_base64(value))
    if value is None and base["bv"] is not None:
        value = base["bv"]
    if value is None:
        return None
    full = resource_path(base["bn"] + fields.get("n", ""))
    kind = types(full[0], full[2])
    return Reading(full, kind, typed(kind, value, False), _senml_time(base["bt"], fields.get("t"), now))


def _senml_time(base, offset, now):
    """Unix seconds of a record, or None where the pack gives none (or a relative one, and `now` is unknown)."""
    if base is None and offset is None:
        return None
    when = (base or 0) + (offset or 0)
    if when < _RELATIVE_TIME_LIMIT:
        if now is None:
            return None
        when += now
    return int(when) if when == int(when) else when


def _padded_base64(text):
    """RFC 8428, 5: SenML JSON uses the URL-safe alphabet without padding."""
    text = text.replace("-", "+").replace("_", "/")
    return text + "=" * (-len(text) % 4)
