"""One file per device for a production line: a littlefs with application, configuration and secrets, as .bin or UF2.

    make image BOARD=RPI_PICO CSV=devices.csv            -> build/image/<endpoint>.uf2 for each row
    make image BOARD=ESP32_GENERIC FIRMWARE=esp32.bin    -> build/image/<endpoint>.bin, and where to write it

The CSV has the columns endpoint and, with security "psk", psk_identity and psk; pin and update_key where devices differ.
Where an ESP32's filesystem lies is read from the partition table in the firmware image; an RP2's is at the end of flash, by
MicroPython's board files.
"""

from __future__ import annotations

import csv
import json
import struct
from pathlib import Path
from typing import Any

from littlefs import LittleFS
from littlefs.errors import LittleFSError

from tools.boards import application
from tools.boards.catalog import ESP_OFFSET, RP2_FLASH, UF2_FAMILY, Board, refuse_bad_wiring
from tools.boards.deploy import read_config
from tools.boards.files import read_json, slip
from tools.boards.remedy import Remedy

BLOCK = 4096
PROGRAM = {"esp32": 32, "rp2": 256}  # as each port formats (ports/esp32/modules/inisetup.py, ports/rp2/modules/_boot.py)
RESERVED_BLOCKS = 2  # boards/common/fsboot.py keeps the last two sectors from the filesystem on RP2
XIP = 0x10000000
TABLE_AT = 0x8000


def image(board: Board, family: str | None, config: Path, secrets: Path | None, table: Path | None, firmware: Path | None,
          out: Path, frozen: bool, dry_run: bool) -> list[Path]:  # fmt: skip
    """Write one image per device; their paths."""
    settings = read_json(config)
    family = family or settings.get("family", "")
    refuse_bad_wiring(board, family)
    place, size = filesystem(board, firmware)
    if frozen and board.port == "rp2":
        size -= RESERVED_BLOCKS * BLOCK
    read_config(config, secrets) if table is None else None
    wanted = application.files(board, family, settings)
    written = []
    for endpoint, own_config, own_secrets in devices(settings, read_json(secrets) if secrets else {}, table):
        check(own_config, own_secrets, endpoint)
        content = dict(wanted)
        content["/config.json"] = json.dumps(own_config).encode()
        content["/secrets.json"] = json.dumps(own_secrets).encode()
        path = out / (safe(endpoint) + (".uf2" if board.port == "rp2" else ".bin"))
        if dry_run:
            print(f"would write {path} ({len(content)} files in {size // 1024} KB at {place:#x})")
            continue
        data = littlefs(content, size, board.port)
        out.mkdir(parents=True, exist_ok=True)
        path.write_bytes(uf2(data, XIP + place, UF2_FAMILY[board.chip]) if board.port == "rp2" else data)
        path.chmod(0o600)  # it holds the device's secrets
        written.append(path)
        print(f"wrote {path} ({len(content)} files)")
    if table is None:
        print(alone(str(settings.get("endpoint", ""))))
    if written:
        print(how_to_write(board, written[0], place))
    return written


def alone(endpoint: str) -> str:
    """What one image for all means."""
    if "{id}" in endpoint:
        return f"no CSV=: one image for any device, each calls itself {endpoint} by its own id; secrets are the same in all"
    return f"no CSV=: an image for one device, {endpoint}; written to two they would take turns at the server"


def how_to_write(board: Board, path: Path, place: int) -> str:
    """The one command of the production line."""
    if board.port == "rp2":
        return f"write it: hold BOOTSEL while plugging in, and copy {path.name} onto the drive, after MicroPython's own UF2"
    return f"write it: esptool --chip {board.chip} write-flash {place:#x} {path}"


def devices(
    config: dict[str, Any], secrets: dict[str, Any], table: Path | None
) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(endpoint, configuration, secrets) of each device: one without a table, else one a row."""
    if table is None:
        return [(str(config.get("endpoint", "")), config, secrets)]
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise Remedy(f"{table} cannot be read ({error.strerror}): say CSV=path of the table of devices")
    if not rows or "endpoint" not in rows[0]:
        raise Remedy(f"{table} has no column endpoint: its first line must name the columns endpoint, psk_identity, psk")
    found: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    seen = set()
    for number, row in enumerate(rows, 2):
        endpoint = (row["endpoint"] or "").strip()
        if not endpoint or endpoint in seen:
            problem = f"{endpoint} is there twice" if endpoint else "is empty"
            raise Remedy(f"{table} line {number}: endpoint {problem}; each device needs its own")
        seen.add(endpoint)
        own = {key: row[key].strip() for key in ("psk_identity", "psk", "pin", "update_key") if (row.get(key) or "").strip()}
        found.append((endpoint, config | {"endpoint": endpoint}, secrets | own))
    return found


def check(config: dict[str, Any], secrets: dict[str, Any], endpoint: str) -> None:
    """The firmware's own check of one device's configuration."""
    from lwnode.config import ConfigError, checked

    try:
        said = slip(config, secrets)
        if said:
            raise ConfigError(said)
        checked(config, secrets)
    except ConfigError as error:
        raise Remedy(f"device {endpoint}: {error}: correct the configuration or the table")


def safe(endpoint: str) -> str:
    """A file name of an endpoint name."""
    return "".join(char if char.isalnum() or char in "-_." else "-" for char in endpoint) or "device"


def filesystem(board: Board, firmware: Path | None) -> tuple[int, int]:
    """(offset in flash, size) of the filesystem."""
    if board.port == "rp2":
        if board.name not in RP2_FLASH:
            raise Remedy(f"the flash layout of {board.name} is not known: add it to RP2_FLASH in tools/boards/catalog.py")
        flash_size, size = RP2_FLASH[board.name]
        return flash_size - size, size
    if firmware is None:
        raise Remedy(f"where {board.name} keeps its filesystem is in MicroPython's image: say FIRMWARE=path of the one it runs")
    try:
        data = firmware.read_bytes()
    except OSError as error:
        raise Remedy(f"{firmware} cannot be read ({error.strerror}): say FIRMWARE=path of the image that the board runs")
    at = TABLE_AT - ESP_OFFSET[board.chip]
    while data[at : at + 2] == b"\xaa\x50":  # esp_partition_info_t: magic, type, subtype, offset, size, label
        _, _, offset, size, label = struct.unpack_from("<BBII16s", data, at + 2)
        if label.rstrip(b"\0") in (b"vfs", b"ffat"):
            return offset, size
        at += 32
    raise Remedy(f"{firmware.name} has no partition called vfs: it is not MicroPython's complete image for {board.name}")


def littlefs(content: dict[str, bytes], size: int, port: str) -> bytes:
    """A littlefs with these files. Disk version 2.0: every MicroPython since 1.12 mounts it."""
    program = PROGRAM[port]
    volume = LittleFS(
        block_size=BLOCK, block_count=size // BLOCK, prog_size=program, read_size=program, disk_version=0x00020000
    )
    try:
        for path, data in sorted(content.items()):
            for parent in [path[:index] for index in range(1, len(path)) if path[index] == "/"]:
                volume.makedirs(parent, exist_ok=True)
            with volume.open(path, "wb") as file:
                file.write(data)
    except LittleFSError:
        need = sum(map(len, content.values())) // 1024
        raise Remedy(
            f"the application ({need} KB) does not fit into the board's filesystem of {size // 1024} KB: leave files out"
        )
    return bytes(volume.context.buffer)


def uf2(data: bytes, address: int, family: int) -> bytes:
    """UF2 blocks of 256 bytes (microsoft/uf2, README: block format); erased blocks are left out, the bootloader erases none."""
    pieces = [(address + at, data[at : at + 256]) for at in range(0, len(data), 256)]
    # A sector is written whole or not at all.
    used = {where & ~(BLOCK - 1) for where, piece in pieces if piece.strip(b"\xff")}
    pieces = [(where, piece) for where, piece in pieces if where & ~(BLOCK - 1) in used]
    blocks = []
    for number, (where, piece) in enumerate(pieces):
        head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, where, 256, number, len(pieces), family)
        blocks.append(head + piece.ljust(256, b"\xff") + bytes(220) + struct.pack("<I", 0x0AB16F30))
    return b"".join(blocks)
