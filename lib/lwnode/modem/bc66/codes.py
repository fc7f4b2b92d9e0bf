"""Names and result codes of BC66 and BC66-NA (LwM2M Application Note V2.1, chapters 4.2.8 and 6)."""

from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, OBJLNK, OPAQUE, STRING, TIME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# chapter 6, <err>: why a command was refused
ERRORS = {
    0: "operation successful", 1: "other error", 2: "parameter number error", 3: "parameter value error",
    4: "not registered", 7: "disabled", 13: "data length is odd", 15: "not ready to receive", 32: "keep connecting",
    33: "already registered", 34: "LwM2M cannot be created",
}
# chapter 6, <status_code>: what came of an exchange with the server
STATUSES = {
    0: "success", 1: "timeout", 2: "packet not sent", 3: "recovery failed", 4: "update failed", 9: "reset",
    10: "bad request", 13: "forbidden", 14: "not found", 22: "precondition failed",
}
# 4.2.8 to 4.2.11: CoAP code -> <result>; a code without a number of its own is told as 4.00
RESULTS = {205: 1, 204: 2, 400: 11, 401: 12, 404: 13, 405: 14, 406: 15}
BAD_REQUEST = 11

_TEXT_LIMIT = 1024  # 4.2.12, bytes
_OPAQUE_LIMIT = 512  # 4.2.12, bytes


def error_name(code: "int | None") -> str:
    """The manual's name of an <err>, with its number."""
    return "{} ({})".format(ERRORS.get(-1 if code is None else code, "error"), code)


def status_name(code: int) -> str:
    """The manual's name of a <status_code>, with its number."""
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
    return 2, len(raw), raw.hex().upper(), True


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


def values_of(rows: "list[list[Any]]") -> "list[list[str]]":
    """Field lists without None, so that they compare with what was meant."""
    return [["" if value is None else str(value) for value in row] for row in rows]
