"""Names that the link, the codec and both servers share: resource types, content formats, paths."""

STRING = 1
OPAQUE = 2
INTEGER = 3
FLOAT = 4
BOOLEAN = 5
TIME = 6
OBJLNK = 7
NONE = 0

TEXT_PLAIN = 0
LINK_FORMAT = 40
OCTET_STREAM = 42
SENML_JSON = 110
SENML_CBOR = 112
TLV = 11542
JSON = 11543
OLD_TLV = 1542
OLD_JSON = 1543

ACKNOWLEDGED = 0  # outcomes of a confirmable message
RESET = -1
TIMEOUT = None


def path_text(path):
    """(3303, 0, 5700) -> "/3303/0/5700"; the empty path is "/"."""
    return "/" + "/".join([str(part) for part in path])


def parse_path(text):
    """A path as "/3303/0/5700" or as a sequence of ints -> tuple of ints. ValueError names what is wrong."""
    if not isinstance(text, str):
        return tuple(text)
    parts = [part for part in text.split("/") if part]
    for part in parts:
        if not part.isdigit() or int(part) > 65535:
            raise ValueError(f"path {text!r}: expected numbers 0..65535 between slashes")
    if len(parts) > 4:
        raise ValueError(f"path {text!r}: at most object, instance, resource, resource instance")
    return tuple([int(part) for part in parts])


def key_bytes(key):
    """A PSK as bytes, from bytes or hex text."""
    if not isinstance(key, str):
        return bytes(key)
    try:
        return bytes([int(key[n : n + 2], 16) for n in range(0, len(key), 2)])
    except ValueError:
        pass  # raised anew below, without the key in the message or in its context
    raise ValueError("a pre-shared key must be bytes or hexadecimal text")
