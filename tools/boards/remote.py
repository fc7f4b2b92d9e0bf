"""One board on one serial port, driven by mpremote's own transport; its failures become sentences.

    with Remote("/dev/ttyACM0") as remote:
        found = remote.probe()                  port, machine, version, free flash, heap
        remote.files("/lib/lwnode")             {"/lib/lwnode/__init__.mpy": 412, ...} and the folders below
        remote.hash("/main.py")                 its SHA-256, or None
        remote.write("/main.py", data)          written, read back by its hash

The board is soft-reset once and answers file by file: it never holds more than one name, one hash and 512 bytes of a file, so
the largest hole of its heap may be small. Bounds: an answer takes at most SILENCE_S.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mpremote.commands import CommandError, do_connect
from mpremote.transport import TransportError, TransportExecError

from tools.boards.catalog import OLDEST, Board
from tools.boards.remedy import Remedy

SILENCE_S = 60  # checking an update package takes some ten seconds
PIECE = 512  # bytes of a file in one program: up to 2 KB of its text
ABSENT = 2  # errno ENOENT
NO_ANSWER = (
    "no board answers on {port}: it may be asleep or running; press its reset button and try again within the "
    "maintenance window (5 s), or close the stay-awake pin"
)
NO_BOARD = (
    "there is no board on {port}: plug it in, or name its port with PORT= (`mpremote connect list` shows those there are)"
)
# What the board says of itself, as one tuple. A module of ours that only our images have says that lwnode is frozen.
PROBE = """import gc, os, sys
try:
    import fsboot
    f = True
except ImportError:
    f = False
gc.collect()
s = os.statvfs("/")
u = os.uname()
print((u.sysname, u.machine, sys.implementation.version[:3], getattr(sys.implementation, "_mpy", 0) & 0xFF, s[0] * s[3],
    gc.mem_free() + gc.mem_alloc(), f))
"""


@dataclass(frozen=True)
class Found:
    """A board's answer to the probe; `free` and `heap` in bytes, `heap` the whole of it."""

    port: str
    machine: str
    version: tuple[int, ...]
    mpy: int
    free: int
    heap: int
    frozen: bool


class Remote:
    """A board; opened, and soft-reset into its raw REPL, when it is first asked. With `dry_run` there is none."""

    def __init__(self, port: str | None, dry_run: bool = False) -> None:
        self.port, self.dry_run = port or "auto", dry_run
        self._transport: Any = None

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the board at its prompt, and the port free."""
        transport, self._transport = self._transport, None
        if transport is not None:
            with contextlib.suppress(OSError):  # it may be unplugged by now
                if transport.in_raw_repl:
                    transport.exit_raw_repl()
                transport.close()

    @contextlib.contextmanager
    def _board(self) -> Iterator[Any]:
        """The transport; Remedy for whatever goes wrong with it."""
        try:
            if self._transport is None:
                if self.port.startswith("/") and not Path(self.port).exists():
                    raise Remedy(NO_BOARD.format(port=self.port))
                state = SimpleNamespace(transport=None)
                do_connect(state, SimpleNamespace(device=[self.port]))
                self._transport = state.transport
                self._transport.serial.timeout = SILENCE_S  # a board that is pulled off in mid-sentence
                self._transport.enter_raw_repl()
            yield self._transport
        except (CommandError, TransportError, OSError, struct.error, IndexError) as error:
            raise Remedy(self.explain(f"{type(error).__name__}: {error}")) from None

    def execute(self, code: str, show: bool = False) -> str:
        """Run a program there; what it printed."""
        with self._board() as board:
            output, failure = board.exec_raw(code, timeout=SILENCE_S)
            if failure:
                raise TransportExecError(output, failure.decode())
        text = str(output.decode()).replace("\r", "")
        if show:
            print(text, end="")
        return text

    def leave(self, code: str) -> None:
        """Run a program that ends the conversation: a restart. The port is free then."""
        with self._board() as board:
            board.exec_raw_no_follow(f"import machine, time; time.sleep_ms(100); {code}")
            board.in_raw_repl = False
        self.close()

    def probe(self) -> Found:
        """Ask the board what it is."""
        said = self.execute(PROBE)
        try:
            return Found(*ast.literal_eval(said.strip().splitlines()[-1]))
        except (ValueError, SyntaxError, TypeError, IndexError):
            raise Remedy(f"what answers on {self.port} is no MicroPython board (it said {said[-60:]!r}): flash it first")

    def files(self, folder: str, deep: bool = True) -> tuple[dict[str, int], list[str]]:
        """({path: bytes, 0 where unknown}, [folders]) in a folder and, if `deep`, below; both empty where it is not there."""
        found: dict[str, int] = {}
        folders: list[str] = []
        with self._board() as board:
            try:
                entries = board.fs_listdir(folder)
            except OSError as error:
                if error.errno != ABSENT:
                    raise
                return {}, []
        for entry in entries:
            path = f"{folder.rstrip('/')}/{entry.name}"
            if not entry.st_mode & 0x4000:
                found[path] = entry.st_size
            elif deep:
                inside, below = self.files(path)
                found |= inside
                folders += [path, *below]
        return found, folders

    def hash(self, path: str) -> bytes | None:
        """The SHA-256 of a file, or None where there is none."""
        with self._board() as board:
            try:
                return bytes(board.fs_hashfile(path, "sha256", PIECE))
            except OSError as error:
                if error.errno != ABSENT:
                    raise
                return None

    def write(self, path: str, data: bytes) -> None:
        """Write a file and have the board read it back; what that left of garbage is collected before the next one."""
        with self._board() as board:
            board.fs_writefile(path, data, PIECE)
            found = board.fs_hashfile(path, "sha256", PIECE)
            board.exec("f = w = h = buf = None\nimport gc\ngc.collect()")
        if found != hashlib.sha256(data).digest():
            raise Remedy(f"{path} is not on the board as it was sent: try again; if it happens twice, the flash is worn")

    def explain(self, output: str) -> str:
        """A sentence for what mpremote said."""
        said = [line for line in output.splitlines() if line.strip()]
        last = said[-1].strip() if said else "nothing"
        if "no device found" in output or "No such file" in output and "could not open port" in output:
            return NO_BOARD.format(port=self.port)
        if "failed to access" in output or "exclusively lock" in output or "in use by another program" in output:
            return (
                f"{self.port} is busy or not yours to open: close the other program, or add yourself to the group that owns it"
            )
        if "could not enter raw repl" in output or "timeout waiting" in output or "SerialException" in output:
            return NO_ANSWER.format(port=self.port)
        if "ENOSPC" in output or "No space left" in output:
            return "the board's filesystem is full: remove files with mpremote fs rm, or flash with ERASE=1 and deploy again"
        return f"mpremote failed: {last}; try `mpremote connect {self.port} repl` to see whether the board answers"


def refuse_other_board(found: Found, board: Board) -> None:
    """Remedy for the wrong chip, and for a MicroPython that is too old."""
    if found.version[:2] < OLDEST:
        version = ".".join(map(str, found.version))
        raise Remedy(
            f"the board runs MicroPython {version}; {OLDEST[0]}.{OLDEST[1]} or later is needed: make flash BOARD={board.name}"
        )
    if found.mpy and found.mpy != 6:
        raise Remedy(f"the board's MicroPython loads .mpy format {found.mpy}, ours is 6: flash a release from 1.24 on")
    chips = {
        "esp32": "ESP32",
        "esp32s3": "ESP32S3",
        "esp32c3": "ESP32C3",
        "esp32c6": "ESP32C6",
        "rp2040": "RP2040",
        "rp2350": "RP2350",
    }
    words = found.machine.replace("-", "").upper().split()
    if found.port != board.port or chips.get(board.chip, "").upper() not in words:
        raise Remedy(
            f"the board on this port is a {found.machine}, BOARD={board.name} is for {board.chip}: name the right board"
        )
