"""Result codes and values on the wire of BC66 and BC66-NA (LwM2M Application Note V2.1, chapters 4.2.8 to 4.2.12)."""

from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, OBJLNK, OPAQUE, STRING, TIME

# 4.2.8 to 4.2.11: CoAP code -> <result>; a code without a number of its own is told as 4.00
RESULTS = {205: 1, 204: 2, 400: 11, 401: 12, 404: 13, 405: 14, 406: 15}
BAD_REQUEST = 11
BOUND = 2  # this bit of the account's checksum: the module has been told its binding

_TEXT_LIMIT = 1024  # 4.2.12, bytes
_OPAQUE_LIMIT = 512  # 4.2.12, bytes


def level_of(revision: str) -> int:
    """10 for BC66NBR01A10; a revision that cannot be read counts as 10, the manual's."""
    digits = revision[revision.rfind("A") + 1:][:2]
    return int(digits) if digits.isdigit() else 10


def error_name(code: "int | None") -> str:
    """The manual's name of an <err>, with its number."""
    from lwnode.modem.bc66.names import ERRORS

    return f"{ERRORS.get(-1 if code is None else code, 'error')} ({code})"


def status_name(code: int) -> str:
    """The manual's name of a <status_code>, with its number."""
    if code == 0:
        return "success (0)"
    from lwnode.modem.bc66.names import STATUSES

    return "%s (%d)" % (STATUSES.get(code, "status"), code)


def wire_value(kind: int, value: "str | bytes") -> "tuple[int, int, str, bool]":
    """(<value_type>, <len>, text, quoted) of a value, as 4.2.12 wants it.

    A text that a quoted parameter cannot carry (quotes, backslash, controls, not ASCII) goes as opaque bytes: in TLV
    the server sees the same. So does an object link. Raises ValueError with the manual's limit.
    """
    if kind == STRING:
        raw = value.encode() if isinstance(value, str) else bytes(value)
        if _quotable(raw):
            if len(raw) > _TEXT_LIMIT:
                raise ValueError("string: expected at most %d bytes, found %d" % (_TEXT_LIMIT, len(raw)))
            return 1, len(raw), raw.decode(), True
        return _opaque(raw)
    if kind == OPAQUE:
        return _opaque(value.encode() if isinstance(value, str) else value)
    text = value if isinstance(value, str) else value.decode()
    if kind == OBJLNK:
        object_id, _, instance = text.partition(":")
        return _opaque(int(object_id).to_bytes(2, "big") + int(instance).to_bytes(2, "big"))
    if kind == BOOLEAN:
        if text not in ("0", "1"):
            raise ValueError(f"boolean: expected 0 or 1, found {text}")
        return 5, 1, text, False
    if kind not in (INTEGER, FLOAT, TIME):
        raise ValueError("type %d has no value to send" % kind)
    if not text.strip("+-").replace(".", "", 1).isdigit():
        raise ValueError(f"number: expected decimal digits, found {text}")
    return (4 if kind == FLOAT else 3), len(text), text, False


def _opaque(raw: bytes) -> "tuple[int, int, str, bool]":
    if len(raw) > _OPAQUE_LIMIT:
        raise ValueError("opaque: expected at most %d bytes, found %d" % (_OPAQUE_LIMIT, len(raw)))
    return 2, len(raw), raw.hex().upper() if raw else "", True  # b"".hex() is bytes in MicroPython 1.24


def _quotable(raw: bytes) -> bool:
    if b'"' in raw or b"\\" in raw:
        return False
    return all(32 <= byte < 127 for byte in raw)


def received_value(length: int, text: str) -> bytes:
    """The bytes of a write. 4.3.3 says hexadecimal for every type; a value as long as <len> itself came as text."""
    if len(text) == 2 * length:
        try:
            return bytes.fromhex(text)
        except ValueError:
            pass
    return text.encode()
