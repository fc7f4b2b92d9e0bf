"""The wire formats of LwM2M 1.0 and the SenML packs of object 19, both directions, for the peers in tools/lwm2m.

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
from collections import namedtuple

from tools.lwm2m.names import (
    BOOLEAN,
    FLOAT,
    INTEGER,
    JSON,
    NONE,
    OBJLNK,
    OCTET_STREAM,
    OLD_JSON,
    OLD_TLV,
    OPAQUE,
    SENML_CBOR,
    SENML_JSON,
    STRING,
    TEXT_PLAIN,
    TIME,
    TLV,
    parse_path,
    path_text,
)
from tools.lwm2m.resource_types import type_of

# A decoded value: float, int, bool, str or bytes; time in Unix seconds where the payload carries one, else None.
Reading = namedtuple("Reading", ("path", "type", "value", "time"))

_OBJECT_INSTANCE = 0x00  # TLV type byte, bits 7-6 (TS 1.0.2 table 6.4.3-1)
_RESOURCE_INSTANCE = 0x40
_MULTIPLE_RESOURCE = 0x80
_RESOURCE = 0xC0

_RELATIVE_TIME_LIMIT = 1 << 28  # RFC 8428, 4.5.3: smaller times are relative to now


class CodecError(ValueError):
    """A payload or value does not follow its format; the message says what was expected and what came."""


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
        value = _value_of_text(kind, raw) if content_format == TEXT_PLAIN else value_of_raw(kind, raw)
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
        return b2a_base64(_bytes(value)).strip()
    return _bytes(value)


# single values ------------------------------------------------------------------------------------------------------


def raw_of(kind, value):
    """The TLV bytes of one value given as text or bytes (TS 1.0.2, appendix C)."""
    try:
        if kind in (STRING, OPAQUE, NONE):
            return _bytes(value)
        text = value if isinstance(value, str) else bytes(value).decode()
        if kind in (INTEGER, TIME):
            return _raw_integer(int(text))
        if kind == FLOAT:
            return struct.pack(">d", float(text))
        if kind == BOOLEAN and text in ("0", "1"):
            return b"\x01" if text == "1" else b"\x00"
        if kind == OBJLNK:
            numbers = [int(part) for part in text.split(":")]
            if len(numbers) == 2 and min(numbers) >= 0 and max(numbers) <= 65535:
                return struct.pack(">HH", numbers[0], numbers[1])
    except (ValueError, OverflowError, TypeError):
        pass
    raise CodecError(f"type {kind} cannot hold {value!r}: expected decimal text, 0 or 1 for booleans")


def _raw_integer(number):
    for layout, bits in ((">b", 7), (">h", 15), (">i", 31), (">q", 63)):
        if -(1 << bits) <= number < (1 << bits):
            return struct.pack(layout, number)
    raise ValueError


def value_of_raw(kind, raw):
    """The Python value of TLV bytes; CodecError when the length does not suit the type."""
    if kind in (INTEGER, TIME):
        layout = {1: ">b", 2: ">h", 4: ">i", 8: ">q"}.get(len(raw))
    elif kind == FLOAT:
        layout = {4: ">f", 8: ">d"}.get(len(raw))
    elif kind == BOOLEAN:
        layout = ">B" if len(raw) == 1 and raw[0] < 2 else None
    elif kind == OBJLNK:
        if len(raw) == 4:
            return ":".join([str(part) for part in struct.unpack(">HH", raw)])
        layout = None
    elif kind == STRING:
        return _text(raw)
    else:
        return bytes(raw)
    if layout is None:
        raise CodecError(f"type {kind} cannot be {len(raw)} bytes long")
    value = struct.unpack(layout, raw)[0]
    return bool(value) if kind == BOOLEAN else value


def _value_of_text(kind, raw):
    text = _text(raw)
    try:
        if kind in (INTEGER, TIME):
            return int(text)
        if kind == FLOAT:
            return float(text)
        if kind == OPAQUE:
            return a2b_base64(text)
    except ValueError:
        raise CodecError(f"type {kind} expected, text {text!r} came")
    if kind == BOOLEAN:
        if text not in ("0", "1"):
            raise CodecError(f"boolean: 0 or 1 expected, text {text!r} came")
        return text == "1"
    return text


def _bytes(value):
    return value.encode() if isinstance(value, str) else bytes(value)


def _text(raw):
    try:
        return bytes(raw).decode()
    except (UnicodeError, ValueError):
        raise CodecError("text is not UTF-8")


# TLV ----------------------------------------------------------------------------------------------------------------


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
        identifier = _big_endian(payload[position + 1 : position + 1 + wide])
        length = _big_endian(payload[position + 1 + wide : start]) if lengths else head & 7
        if start + length > end:
            raise CodecError(f"TLV at byte {position} wants {length} bytes, {end - start} are left")
        yield head & 0xC0, identifier, payload[start : start + length]
        position = start + length


def _big_endian(data):
    number = 0
    for byte in data:
        number = (number << 8) | byte
    return number


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


# JSON of LwM2M 1.0 --------------------------------------------------------------------------------------------------


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
        return f'"sv":{json.dumps(b2a_base64(_bytes(value)).strip().decode())}'
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
        document = json.loads(_text(payload))
        base = document.get("bn", path_text(path))
        base_time = document.get("bt")
        entries = document["e"]
        return [_json_reading(base, base_time, entry, types) for entry in entries]
    except CodecError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise CodecError('JSON of LwM2M 1.0 expected, as {"bn":"/3303/0/","e":[{"n":"5700","v":21.5}]}')


def _json_reading(base, base_time, entry, types):
    full = _resource_path(base + ("" if base.endswith("/") or not entry.get("n") else "/") + entry.get("n", ""))
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
    return Reading(full, kind, _typed(kind, value, True), when)


def _typed(kind, value, base64):
    """Bring a JSON or SenML value to the resource's type."""
    if kind == FLOAT and not isinstance(value, bool):
        return float(value)
    if kind in (INTEGER, TIME) and isinstance(value, float) and value == int(value):
        return int(value)
    if kind == OPAQUE and base64 and isinstance(value, str):
        return a2b_base64(value)
    return value


def _resource_path(name):
    full = parse_path(name)
    if len(full) < 3:
        raise CodecError(f"{name!r} names no resource: expected /object/instance/resource")
    return full


# SenML --------------------------------------------------------------------------------------------------------------

_LABELS = {-2: "bn", -3: "bt", -5: "bv", 0: "n", 2: "v", 3: "vs", 4: "vb", 6: "t", 8: "vd"}  # RFC 8428, table 4


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
        return json.loads(_text(payload))
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
    full = _resource_path(base["bn"] + fields.get("n", ""))
    kind = types(full[0], full[2])
    return Reading(full, kind, _typed(kind, value, False), _senml_time(base["bt"], fields.get("t"), now))


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


# CBOR ---------------------------------------------------------------------------------------------------------------

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
        argument = _big_endian(_cbor_take(data, position, size))
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
        return (raw if major == 2 else _text(raw)), position + length
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
    """Tag 4 is a decimal fraction, as RFC 8428 allows for values; other tags are passed through."""
    if tag != 4:
        return inner
    if not (isinstance(inner, list) and len(inner) == 2 and all(isinstance(each, int) for each in inner)):
        raise CodecError("CBOR: a decimal fraction is [exponent, mantissa]")
    exponent, mantissa = inner
    if not -300 < exponent < 300:
        raise CodecError(f"CBOR: exponent {exponent} is out of range")
    return float(f"{mantissa}e{exponent}")
