"""Update packages and a node's flash for them, written from the layout in lwnode.update and not with its code.

    data = package(KEY, 7, {"/sensors.py": b"new", "/old.py": None})       # None: remove
    files = flash({"/sensors.py": b"old"}, data)
"""

import hashlib
import struct

from fakes.flash import FlashFiles

KEY = b"a key of this node"
TARGET = "ESP32_GENERIC/bc66"


def sha256(data):
    """The digest."""
    return hashlib.sha256(data).digest()


def hmac(key, data):
    """RFC 2104, for keys of up to 64 bytes."""
    key = key + bytes(64 - len(key))
    inner = sha256(bytes([byte ^ 0x36 for byte in key]) + data)
    return sha256(bytes([byte ^ 0x5C for byte in key]) + inner)


def package(key, version, content, target=TARGET):
    """The bytes of a package."""
    rows, bodies = b"", b""
    for path in sorted(content):
        body = content[path]
        data = body or b""
        rows += bytes([0 if body is None else 1, len(path)]) + path.encode() + struct.pack("<I", len(data)) + sha256(data)
        bodies += data
    total = 15 + len(target) + len(rows) + len(bodies) + 32
    data = struct.pack("<4sIIHB", b"LWU1", total, version, len(content), len(target)) + target.encode() + rows + bodies
    return data + hmac(key, data)


def flash(content, data=None):
    """A node's flash with the files of `content`, and a package where it is looked for."""
    files = FlashFiles(content, ("", "/lib", "/update"))
    if data is not None:
        files.content["/update/package"] = data
    return files


def application(files):
    """What of a flash is the application: all but the update's own folder."""
    return {path: files.content[path] for path in files.content if not path.startswith("/update/")}
