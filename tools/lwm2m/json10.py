"""The JSON of LwM2M 1.0 (TS 1.0.2, 6.4.4), both directions. See codec.py; runs on CPython and MicroPython."""

import json
from binascii import b2a_base64

from tools.lwm2m.names import BOOLEAN, FLOAT, INTEGER, OBJLNK, OPAQUE, TIME, path_text
from tools.lwm2m.resource_types import type_of
from tools.lwm2m.values import CodecError, Reading, raw_of, to_bytes, to_text, typed, resource_path


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
