"""A person's config.json and secrets.json, read on the host: each usual slip has its own sentence.

    read_json(Path("config.json"))              its values; Remedy says what is wrong, and never quotes: it may be secrets
    slip({"host": "coap://x", ...}, {...})      what a board's own check could not say so exactly, or nothing

A board itself says "not valid JSON" and "must be an even number of hexadecimal digits": sentences cost heap there.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tools.boards.remedy import Remedy

BOM = b"\xef\xbb\xbf"


def read_json(path: Path) -> Any:
    """A JSON file of one object."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Remedy(f"{path} cannot be read ({error.strerror}): name the file with CONFIG= or SECRETS=")
    if data.startswith(BOM):
        raise Remedy(f"{path} begins with a byte order mark, which a board does not read: save it as UTF-8 without BOM")
    if not data.strip():
        raise Remedy(f"{path} is empty: copy firmware/config.json and edit it, or write {{}} where there are no secrets")
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=lambda pairs: once(path, pairs))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Remedy(f"{path} is not UTF-8 at line {line}: save it as UTF-8")
    except json.JSONDecodeError as error:
        raise Remedy(f"{path} is not valid JSON at line {error.lineno}: {hint(error)}")


def once(path: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; a key that is there twice is one too many: which counts, a reader does not see."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Remedy(f'{path}: "{key}" is there twice: keep one')
        found[key] = value
    return found


def hint(error: json.JSONDecodeError) -> str:
    """What is most likely wrong where the reader gave up."""
    lines = error.doc.splitlines()
    line = lines[error.lineno - 1] if error.lineno <= len(lines) else ""
    if re.match(r"\s*(//|#|/\*)", error.doc[error.pos :]) or re.match(r"\s*(//|#|/\*)", line):
        return "JSON has no comments, take it out"
    before = error.doc[: error.pos].rstrip()
    if error.doc[error.pos :].lstrip()[:1] in ("}", "]") and before.endswith(","):
        return "no comma behind the last entry"
    if "'" in line and '"' not in line:
        return "texts stand in double quotes"
    if error.msg.startswith("Expecting ',' delimiter"):
        return "a comma is missing before this place"
    return "check quotes and commas"


def slip(config: dict[str, Any], secrets: dict[str, Any]) -> str:
    """A value that is of the right type and yet a usual mistake; its sentence, or nothing. No secret is part of it."""
    host = config.get("host")
    if isinstance(host, str) and ("://" in host or re.search(r":\d+$", host) and host.count(":") == 1 or "/" in host):
        scheme, _, _ = host.rpartition("://")
        rest = {"coaps": '; coaps is "security": "psk"', "": ""}.get(scheme, "")
        return f'config.json: "host" is a name or an address alone, without scheme, port and path (the port is "port"){rest}'
    for key in ("psk", "update_key"):
        text = secrets.get(key)
        if isinstance(text, str):
            place = next((number for number, char in enumerate(text, 1) if char not in "0123456789abcdefABCDEF"), 0)
            if place:
                return f'secrets.json: "{key}" must be hexadecimal digits, its character {place} of {len(text)} is none'
            if len(text) % 2:
                return f'secrets.json: "{key}" must be pairs of hexadecimal digits, it has {len(text)}: one is missing'
    return ""
