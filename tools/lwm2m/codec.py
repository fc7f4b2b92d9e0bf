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

from binascii import b2a_base64

from tools.lwm2m.cbor import cbor_decode
from tools.lwm2m.json10 import decode_json, encode_json
from tools.lwm2m.names import JSON, OCTET_STREAM, OLD_JSON, OLD_TLV, OPAQUE, SENML_CBOR, SENML_JSON, TEXT_PLAIN, TLV, path_text
from tools.lwm2m.resource_types import type_of
from tools.lwm2m.senml import decode_senml
from tools.lwm2m.tlv import decode_tlv, encode_tlv, split_tlv, tlv
from tools.lwm2m.values import CodecError, Reading, raw_of, to_bytes, value_of_raw, value_of_text

__all__ = ["CodecError", "Reading", "cbor_decode", "decode", "decode_json", "decode_raw", "decode_senml", "decode_tlv",
           "encode", "encode_json", "encode_tlv", "raw_of", "split_tlv", "tlv", "value_of_raw"]  # fmt: skip


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
