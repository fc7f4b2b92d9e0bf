"""What a person types behind a target or a tool, checked in one place: a wrong value ends in one sentence and status 2.

    parser = Parser("make demo", __doc__)
    parser.add_argument("--speed", type=number(1, 1000), default=30)
    sys.exit(run(main))

    $ make demo SPEED=0
    make demo: SPEED: expected a number from 1 to 1000, found 0

A tool that make starts is a program called "make TARGET": its options are told by the variables that a person wrote.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from tools.progress import told

WRONG = 2  # exit status of a command that was typed wrong
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that answers a mistake with a sentence; `variables` names those not called like their option."""

    def __init__(self, prog: str, description: str | None = None, variables: dict[str, str] | None = None,
                 epilog: str | None = None) -> None:  # fmt: skip
        super().__init__(prog=prog, description=description, epilog=epilog, allow_abbrev=False,
                         formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
        self.variables = variables or {}

    def error(self, message: str) -> NoReturn:
        """End with the sentence, without a usage of twenty lines above it."""
        found = re.match(r"argument (?:-\w/)?--([\w-]+)(?:/-\w)?: (.*)", message, re.DOTALL)
        if found and self.prog.startswith("make"):
            name = self.variables.get(found.group(1)) or found.group(1).replace("-", "_").upper()
            message = f"{name}: {found.group(2)}"
        self.exit(WRONG, f"{self.prog}: {message}\n")


def _refuse(expected: str, text: object) -> NoReturn:
    raise argparse.ArgumentTypeError(f"expected {expected}, found {text or 'nothing'}")


def number(low: float, high: float, unit: str = "") -> Callable[[str], float]:
    """A number within the limits; nan and inf are none."""

    def checked(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = low - 1
        return value if low <= value <= high else _refuse(f"a number from {low:.10g} to {high:.10g}{unit and ' ' + unit}", text)

    return checked


def whole(low: int, high: int, unit: str = "") -> Callable[[str], int]:
    """A whole number within the limits."""

    def checked(text: str) -> int:
        value = int(text) if re.fullmatch(r"-?\d{1,12}", text) else low - 1
        return value if low <= value <= high else _refuse(f"a whole number from {low} to {high}{unit and ' ' + unit}", text)

    return checked


def one_of(*names: str) -> Callable[[str], str]:
    """One of the names, in any case."""

    def checked(text: str) -> str:
        found = [name for name in names if name.lower() == text.lower()]
        return found[0] if found else _refuse("one of " + ", ".join(names), text)

    return checked


family = one_of("bc66", "bc20", "bg96", "me910c1")
port = one_of("esp32", "rp2")  # a port of MicroPython, where it is played and not a serial port
tcp_port = whole(0, 65535)


def file(text: str) -> Path:
    """A file that is there and can be read."""
    path = Path(text)
    if not path.is_file():
        _refuse("a file", f"{text}, which is {'a folder' if path.is_dir() else 'not there'}")
    return path if os.access(path, os.R_OK) else _refuse("a file that may be read", text)


def folder(text: str) -> Path:
    """A folder that is there."""
    return Path(text) if Path(text).is_dir() else _refuse("a folder that is there", text)


def place(text: str) -> Path:
    """Where something is to be written: a path whose nearest folder that is there is a folder."""
    path = Path(text)
    above = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    return path if above == path or above.is_dir() else _refuse("a path to write to", f"{text}, where {above} is a file")


def server(text: str) -> str:
    """A server's URI: coap://HOST:PORT or coaps://HOST:PORT."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("coap", "coaps") and parts.hostname and parts.port != 0 and not parts.path.strip("/")
    except ValueError:  # a port above 65535, a bracket that is not closed
        good = False
    return text if good else _refuse("coap://HOST:PORT or coaps://HOST:PORT", text)


def web(text: str) -> str:
    """A web address: http://HOST:PORT or https://HOST:PORT."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    return text if good else _refuse("http://HOST:PORT or https://HOST:PORT", text)


def run(main: Callable[[], int | None], progress: str = "") -> int:
    """The exit status of a command; what ends it from outside, and a path that cannot be used, without a traceback.

    progress: the name under which it says every ten seconds what it does.
    """
    try:
        with told(progress) if progress else contextlib.nullcontext():
            status = main() or 0
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `| head` has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        if error.filename is None:
            raise
        print(f"{progress or Path(sys.argv[0]).parent.name}: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
