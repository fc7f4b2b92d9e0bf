"""MicroPython itself onto a board: the image is checked against the chip before anything is erased."""

from __future__ import annotations

import os
import queue
import re
import shutil
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tools.boards.catalog import ESP_CHIP_ID, ESP_OFFSET, UF2_FAMILY, Board
from tools.boards.remedy import Remedy
from tools.boards.remote import Remote

UF2_MAGIC = (0x0A324655, 0x9E5D5157)
UF2_NAMES = {0xE48BFF56: "RP2040", 0xE48BFF57: "any RP2 (absolute)", 0xE48BFF59: "RP2350", 0xE48BFF5A: "RP2350 (RISC-V)"}
DRIVE_WAIT_S = 20
ERASE_S = 180  # esptool says nothing while 16 MB are erased


def flash(board: Board, port: str | None, firmware: Path | None, erase: bool, dry_run: bool) -> None:
    """Write MicroPython. `port` is a serial port; on RP2 it may be the folder where the bootloader's drive is mounted."""
    if firmware is None:
        raise Remedy(f"which image? Download MicroPython for {board.name} from its download page and say FIRMWARE=path")
    try:
        head = firmware.read_bytes()[:65536]
    except OSError as error:
        raise Remedy(f"{firmware} cannot be read ({error.strerror}): say FIRMWARE=path of the downloaded image")
    if board.port == "rp2":
        check_uf2(board, firmware, head)
        flash_rp2(board, port, firmware, dry_run)
    else:
        check_esp(board, firmware, head)
        flash_esp(board, port, firmware, erase, dry_run)


def check_esp(board: Board, firmware: Path, head: bytes) -> None:
    """The header of an ESP image (esptool documentation, "Firmware image format"): magic 0xE9, chip number at byte 12."""
    if len(head) < 24 or head[0] != 0xE9:
        kind = "a UF2 file, for RP2 boards" if head[:4] == b"UF2\n" else "no ESP32 image"
        raise Remedy(f"{firmware.name} is {kind}: download the .bin of {board.name}")
    chip = ESP_CHIP_ID.get(struct.unpack_from("<H", head, 12)[0], "an unknown chip")
    if chip != board.chip:
        raise Remedy(f"{firmware.name} is for {chip}, {board.name} has {board.chip}: download the image of {board.name}")


def check_uf2(board: Board, firmware: Path, head: bytes) -> None:
    """The first block of a UF2 file: two magic numbers, and the family at byte 28 where flag 0x2000 is set."""
    if len(head) < 512 or struct.unpack_from("<II", head) != UF2_MAGIC:
        raise Remedy(f"{firmware.name} is no UF2 file: download the .uf2 of {board.name}")
    flags, family = struct.unpack_from("<I", head, 8)[0], struct.unpack_from("<I", head, 28)[0]
    # An RP2350 file may begin with one absolute block (errata RP2350-E10); the second block is then the first of its own.
    if family == 0xE48BFF57 and len(head) >= 1024:
        family = struct.unpack_from("<I", head, 512 + 28)[0]
    if not flags & 0x2000 or family != UF2_FAMILY[board.chip]:
        raise Remedy(
            f"{firmware.name} is for {UF2_NAMES.get(family, 'another chip')}, {board.name} has {board.chip}: "
            f"download the image of {board.name}"
        )


def esptool(board: Board, port: str | None, *verb: str) -> list[str]:
    """An esptool 5 command line."""
    command = [sys.executable, "-u", "-m", "esptool", "--chip", board.chip]
    return command + (["--port", port] if port else []) + list(verb)


def flash_esp(board: Board, port: str | None, firmware: Path, erase: bool, dry_run: bool) -> None:
    """Erase where wanted, then write at the chip's offset; esptool verifies what it wrote."""
    offset = hex(ESP_OFFSET[board.chip])
    steps = [esptool(board, port, "erase-flash")] if erase else []
    steps.append(esptool(board, port, "write-flash", offset, str(firmware)))
    for command in steps:
        if dry_run:
            print("would run: esptool", *command[4:])
            continue
        print("running: esptool", *command[4:])
        plain = {**os.environ, "NO_COLOR": "1", "TERM": "dumb"}
        status, output = follow(command, lambda line: print(line, end="", flush=True), ERASE_S, plain)
        if status != 0:
            raise Remedy(explain(board, port, output))
    if not dry_run:
        print(f"flashed: {board.name} restarts with MicroPython; go on with make deploy BOARD={board.name}")


def follow(
    command: list[str], each: Callable[[str], None], silence_s: int, env: dict[str, str]
) -> tuple[int | None, str]:
    """Run a command; (exit status, output). None after a silence of silence_s: the whole may take as long as it needs."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
    )
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    said = []
    try:
        while (line := lines.get(timeout=silence_s)) is not None:
            said.append(line)
            each(line)
        return process.wait(), "".join(said)
    except queue.Empty:
        return None, "".join(said)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def explain(board: Board, port: str | None, output: str) -> str:
    """A sentence for what esptool said."""
    said = [line.strip() for line in output.splitlines() if line.strip()]
    where = port or "any port"
    if "No such file" in output or "FileNotFoundError" in output:
        return f"there is no board on {where}: plug it in, or name its port with PORT="
    if "Permission denied" in output or "port is busy" in output or "Resource busy" in output:
        return f"{where} is busy or not yours to open: close the other program, or add yourself to the group that owns it"
    if "No serial data received" in output or "Failed to connect" in output or "could not connect" in output:
        return (
            f"no chip answers on {where}: hold the BOOT button while the command starts, and check that the cable carries data"
        )
    if "This chip is" in output:
        chip = re.sub(r"^.*(This chip is [^.]+\.).*$", r"\1", [line for line in said if "This chip is" in line][-1])
        return f"{chip} BOARD={board.name} is for {board.chip}: name the right board"
    return f"esptool failed: {said[-1] if said else 'it said nothing'}; unplug the board, plug it in and try again"


def flash_rp2(board: Board, port: str | None, firmware: Path, dry_run: bool) -> None:
    """Copy onto the bootloader's drive; a running MicroPython is sent there first."""
    folder = Path(port) if port and Path(port).is_dir() else None
    if dry_run:
        if folder is None:
            print(f"would run: mpremote connect {port or 'auto'} bootloader, and wait for the drive")
        print(f"would copy {firmware.name} onto {folder or 'the drive RPI-RP2 or RP2350'}")
        return
    if folder is None:
        folder = drive()
        if folder is None:
            Remote(port).leave("machine.bootloader()")
            end = time.monotonic() + DRIVE_WAIT_S
            while folder is None and time.monotonic() < end:
                time.sleep(0.5)
                folder = drive()
    if folder is None:
        raise Remedy(
            "the bootloader's drive did not appear: hold BOOTSEL while plugging in, mount the drive, and say PORT=its folder"
        )
    refuse_other_drive(board, folder)
    try:
        shutil.copy(firmware, folder)
    except OSError as error:
        raise Remedy(f"{folder} did not take the image ({error.strerror}): plug the board in again with BOOTSEL held")
    print(f"flashed: {board.name} restarts with MicroPython; go on with make deploy BOARD={board.name}")


def refuse_other_drive(board: Board, folder: Path) -> None:
    """The bootloader says in INFO_UF2.TXT what it is."""
    info = folder / "INFO_UF2.TXT"
    if not info.exists():
        raise Remedy(
            f"{folder} is no bootloader's drive (no INFO_UF2.TXT): hold BOOTSEL while plugging in, and say PORT=its folder"
        )
    text = info.read_text(errors="replace")
    is_2350 = "RP2350" in text
    if is_2350 != (board.chip == "rp2350"):
        raise Remedy(
            f"the board in bootloader mode is {'an RP2350' if is_2350 else 'an RP2040'}, "
            f"{board.name} has {board.chip}: check BOARD="
        )


def drive() -> Path | None:
    """The bootloader's drive where systems usually mount it."""
    places = [
        *Path("/media").glob("*/*"),
        *Path("/run/media").glob("*/*"),
        *Path("/Volumes").glob("*"),
        *Path("/media").glob("*"),
    ]
    return next((place for place in places if (place / "INFO_UF2.TXT").exists()), None)
