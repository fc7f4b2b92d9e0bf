"""SenML packs as object 19 carries them, CBOR or JSON, decoded (RFC 8428). See codec.py; runs on CPython and MicroPython."""

import json
from binascii import a2b_base64

from tools.lwm2m.cbor import cbor_decode
from tools.lwm2m.names import SENML_CBOR, SENML_JSON
from tools.lwm2m.resource_types import type_of
from tools.lwm2m.values import CodecError, Reading, resource_path, to_text, typed

_RELATIVE_TIME_LIMIT = 1 << 28  # RFC 8428, 4.5.3: smaller times are relative to now
_LABELS = {-1: "bver", -2: "bn", -3: "bt", -5: "bv", 0: "n", 2: "v", 3: "vs", 4: "vb", 6: "t", 8: "vd"}  # RFC 8428, table 4


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
