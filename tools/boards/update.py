"""Field updates at the desk: pack changed files, sign them, and hand them to a board or to a server in chunks.

    make update-package BOARD=RPI_PICO CONFIG=my.json SECRETS=mine.json FILES="sensors.py lib/lwnode/at/client.py"
    make update BOARD=RPI_PICO PORT=/dev/ttyACM0 CONFIG=my.json SECRETS=mine.json

What checks a package on the board and tries it is copied first where the board was deployed without. The layout of a package is
in lib/lwnode/update. The version is the time of making, so that each package is newer than the one before; a node takes a
version once. With CSV= one package for each device, signed with that device's key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.boards import application
from tools.boards.catalog import Board
from tools.boards.deploy import meet, read_config, restart
from tools.boards.files import read_json
from tools.boards.image import devices, safe
from tools.boards.remedy import Remedy
from tools.boards.remote import Remote

MAC_BYTES = 32
# The way back, which only a cable replaces (lib/lwnode/update, _KEPT).
NEVER = ("/main.py", "/boot.py", "/swap.mpy")
STAGE = "import shell; shell.update()"
MAKE_FOLDER = "import os\ntry:\n    os.mkdir({!r})\nexcept OSError:\n    pass\n"
# Which of them a node was deployed without; a frozen one has no file.
MISSING = "".join(f"try:\n    import {module}\nexcept ImportError:\n    print({path!r})\n"
                  for path, (module, _) in application.STAGING.items())  # fmt: skip


def signed(key: bytes, version: int, target: str, content: dict[str, bytes | None]) -> bytes:
    """A package; None as content removes a file."""
    rows, bodies = bytearray(), bytearray()
    for path, body in sorted(content.items()):
        data = body or b""
        rows += struct.pack("<BB", body is not None, len(path)) + path.encode()
        rows += struct.pack("<I", len(data)) + hashlib.sha256(data).digest()
        bodies += data
    head = struct.pack("<4sIIHB", b"LWU1", 15 + len(target) + len(rows) + len(bodies) + MAC_BYTES, version, len(content),
                       len(target))  # fmt: skip
    data = head + target.encode() + rows + bodies
    return bytes(data) + hmac.digest(key, bytes(data), "sha256")


def chunks(package: bytes, size: int) -> Iterator[bytes]:
    """A package in pieces for 9/0/2, each behind its offset (u32, little-endian); size: the longest value written."""
    for at in range(0, len(package), size - 4):
        yield struct.pack("<I", at) + package[at : at + size - 4]


def key(secrets: dict[str, Any]) -> bytes:
    """The key of a device's packages, as the device itself finds it."""
    from lwnode.update import UpdateError, key_of

    try:
        return key_of(secrets.get)
    except UpdateError as error:
        raise Remedy(f"{error}; or say SECRETS= of a file with a psk")


def chosen(board: Board, family: str, names: list[str], removed: list[str], frozen: bool,
           settings: dict[str, Any] | None = None) -> dict[str, bytes | None]:  # fmt: skip
    """What goes into the package: all of the application that an update may bring, or what `names` say of it."""
    wanted = {path: data for path, data in application.files(board, family, settings).items() if path not in NEVER}
    if frozen:
        wanted = {path: data for path, data in wanted.items() if not path.startswith("/lib/lwnode/")}
    found: dict[str, bytes | None] = dict(wanted)
    if names:
        found = {}
        for name in names:
            plain = "/" + name.lstrip("/").removeprefix("firmware/")
            stem = plain.removesuffix(".py").removesuffix(".mpy")
            fits = [path for path in wanted if path.rsplit(".", 1)[0] == stem or path.startswith(plain + "/")]
            if not fits:
                raise Remedy(refusal(board, name, plain, frozen))
            found |= {path: wanted[path] for path in fits}
        if application.TABLE in wanted and any(path == "/sensors.py" or "/features/" in path for path in found):
            found[application.TABLE] = wanted[application.TABLE]  # or it lacks the objects of new rows
    for name in removed:
        found["/" + name.lstrip("/")] = None
    return found


def refusal(board: Board, name: str, path: str, frozen: bool) -> str:
    """Why a file cannot be part of a package."""
    if path in NEVER or path == "/swap.py":
        return f"{name} is the way back from a bad update and comes by cable only: make deploy BOARD={board.name}"
    if frozen and path.startswith("/lib/lwnode"):
        return f"{name} would never be looked at on a node whose lwnode is frozen: build and flash a new image"
    return f"{name} is no file of the application on {board.name}: name it as in lib/ or firmware/"


def packages(board: Board, family: str | None, config: Path, secrets: Path | None, table: Path | None, names: list[str],
             removed: list[str], version: int | None, frozen: bool) -> Iterator[tuple[str, bytes]]:  # fmt: skip
    """(endpoint, package) of each device."""
    settings = read_config(config, secrets) if table is None else read_json(config)
    family = family or settings["family"]
    content = chosen(board, family, names, removed, frozen, settings)
    number = version or int(time.time())
    for endpoint, _, own in devices(settings, read_json(secrets) if secrets else {}, table):
        yield endpoint, signed(key(own), number, f"{board.name}/{family}", content)


def write(made: Iterator[tuple[str, bytes]], out: Path, dry_run: bool) -> list[Path]:
    """Write each package; their paths."""
    paths = []
    for endpoint, data in made:
        path = out / (safe(endpoint) + ".lwu")
        print(f"{'would write' if dry_run else 'wrote'} {path}: {describe(data)}")
        if not dry_run:
            out.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            paths.append(path)
    return paths


def describe(package: bytes) -> str:
    """Version, target, number of files and size, for people."""
    if len(package) < 15 + MAC_BYTES or package[:4] != b"LWU1":
        raise Remedy("this is no update package: make one with make update-package")
    _, _, version, count, size = struct.unpack_from("<4sIIHB", package)
    found = re.search(rb"\d+\.\d+\.\d+", contents(package).get("/lib/lwnode/__init__.mpy", b""))
    named = f", application {found.group().decode()}" if found else ""
    return f"version {version} for {package[15 : 15 + size].decode()}{named}, {count} files, {len(package) / 1024:.0f} KB"


def contents(package: bytes) -> dict[str, bytes]:
    """{path: content} of a package; nothing for what it removes."""
    _, _, _, rows, size = struct.unpack_from("<4sIIHB", package)
    at, sizes = 15 + size, []
    for _ in range(rows):
        kept, length = package[at], package[at + 1]
        path = package[at + 2 : at + 2 + length].decode()
        (count,) = struct.unpack_from("<I", package, at + 2 + length)
        sizes.append((path, count, kept))
        at += 2 + length + 36
    found = {}
    for path, count, kept in sizes:
        if kept:
            found[path] = package[at : at + count]
        at += count
    return found


def send(board: Board, remote: Remote, package: bytes) -> None:
    """Copy a package to a board, have the board check and stage it, and restart it."""
    print(f"update: {describe(package)}")
    if remote.dry_run:
        print("would copy the package to the board, have it checked and staged, and restart the node")
        return
    meet(board, remote)
    for path in remote.execute(MISSING).split():
        print(f"copying {path}: the node was deployed without")
        module, source = application.STAGING[path]
        remote.execute(MAKE_FOLDER.format(path.rpartition("/")[0] or "/lib"))
        remote.write(path, application.bytecode(application.ROOT / source, Path(module.replace(".", "/") + ".py")))
    remote.execute(MAKE_FOLDER.format("/update"))
    remote.write("/update/package", package)
    if "staged version" not in remote.execute(STAGE, show=True):
        raise Remedy("the board refused the package and has changed nothing; its sentence above says what to do")
    restart(remote)
    print("the node tries it and goes back unless a cycle reaches the server; shell.updates() says how it went")
