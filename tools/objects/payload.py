"""Decoder of what a node sends on object 19: SenML CBOR packs, and encoder of commands for 19/1/0.

    python -m tools.objects.payload 82a3216c2f333330332f302f35373030221a6ab13b8002c4822018d7a206183c02c4822018d9
    /3303/0/5700  21.5   2026-09-21T14:13:20Z
    ...
    python -m tools.objects.payload --json < payload.bin
    python -m tools.objects.payload --command /3306/0/5850=true /3303/0/5605 "/3303/0/5700?pmin=60&gt=30"

In a server: `from tools.objects.payload import decode; decode(bytes)` gives [Reading(path, type, value, time)]. A payload is
hex or base64 text, or bytes on standard input. Types come from the registry table.
"""

import base64
import binascii
import datetime
import json
import sys
from typing import NamedTuple

import tools.objects  # noqa: F401  puts lib/ on the path
from lwnode.lwm2m import BOOLEAN, FLOAT, STRING, unpack_senml
from lwnode.lwm2m.senml import encode as cbor
from lwnode.lwm2m.senml import field, head
from lwnode.lwm2m.values import from_wire
from tools.arguments import Parser, run


class Reading(NamedTuple):
    path: str
    type: int
    value: "float | int | bool | str | bytes"
    time: "int | None"  # Unix seconds; None: the node did not know


def decode(payload: bytes) -> "list[Reading]":
    """The readings in a SenML CBOR pack; ValueError with a sentence if it is none."""
    found = unpack_senml(payload)
    return [Reading(str(path), type, from_wire(type, value), when) for path, type, value, when in found]


def encode(commands: "list[str]") -> bytes:
    """Commands as a pack: path=value writes, a path alone asks or executes, a path with a query sets rules."""
    out = head(4, len(commands))
    for command in commands:
        path, equals, text = command.partition("=")
        if not equals or "?" in path:
            out += head(5, 1) + b"\x00" + cbor(command)
        else:
            number = (text.lstrip("-").replace(".", "", 1)).isdigit()
            known = BOOLEAN if text in ("true", "false") else FLOAT if number else STRING
            out += head(5, 2) + b"\x00" + cbor(path) + field(known, str(int(text == "true")) if known == BOOLEAN else text)
    return out


def received(text: "str | None") -> bytes:
    """The payload's bytes, from hex, base64 or standard input."""
    if text is None:
        return sys.stdin.buffer.read()
    packed = "".join(text.split())
    try:
        return bytes.fromhex(packed)
    except ValueError:
        try:
            return base64.b64decode(packed, validate=True)
        except binascii.Error:
            raise ValueError("neither hex nor base64") from None


def when(seconds: "int | None") -> "str | None":
    if seconds is None:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(reading: Reading) -> "float | int | bool | str":
    return reading.value.hex() if isinstance(reading.value, bytes) else reading.value


def main(arguments: "list[str] | None" = None) -> int:
    parser = Parser("python -m tools.objects.payload", __doc__)
    parser.add_argument("payload", nargs="*", help="hex or base64; standard input without it")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each reading")
    parser.add_argument("--command", action="store_true", help="make a command pack instead, printed in hex")
    options = parser.parse_args(arguments)
    try:
        if options.command:
            print(encode(options.payload).hex())
            return 0
        readings = decode(received(" ".join(options.payload) or None))
    except ValueError as error:
        print(f"no payload of a node: {error}", file=sys.stderr)
        return 1
    for reading in readings:
        if options.json:
            print(json.dumps({"path": reading.path, "value": _plain(reading), "time": when(reading.time)}))
        else:
            print(f"{reading.path:16} {_plain(reading)!s:12} {when(reading.time) or '(no time)'}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
