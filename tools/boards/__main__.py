"""make boards, flash, deploy, provision, image.

python -m tools.boards list
python -m tools.boards deploy --board RPI_PICO --port /dev/ttyACM0 --config my.json --secrets mine.json
python -m tools.boards flash --board ESP32_GENERIC --firmware ESP32_GENERIC.bin --dry-run
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.boards import catalog
from tools.boards.catalog import ROOT
from tools.boards.remedy import Remedy


def main(arguments: list[str]) -> int:
    """Run one command; 1 with a sentence on stderr where it could not be done."""
    options = parser().parse_args(arguments)
    try:
        COMMANDS[options.command](options)
    except Remedy as remedy:
        print(f"{options.command}: {remedy}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{options.command}: interrupted; run it again, what is complete is not copied twice", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """The options; the Makefile turns its variables into them."""
    found = argparse.ArgumentParser(prog="python -m tools.boards")
    found.add_argument("command", choices=sorted(COMMANDS))
    found.add_argument("--board", help="MicroPython's name of the board, in any case")
    found.add_argument("--port", help="serial port; without it the first board found")
    found.add_argument("--firmware", type=Path, help="MicroPython's image for the board")
    found.add_argument("--family", help="module family; else config.json's")
    found.add_argument("--config", type=Path, default=ROOT / "firmware" / "config.json")
    found.add_argument("--secrets", type=Path)
    found.add_argument("--csv", type=Path, help="devices: endpoint, psk_identity, psk")
    found.add_argument("--out", type=Path, default=ROOT / "build" / "image")
    found.add_argument("--erase", action="store_true", help="erase the whole flash first")
    found.add_argument("--frozen", action="store_true", help="the board runs an image with our frozen boot")
    found.add_argument("--dry-run", action="store_true")
    return found


def list_boards(options: argparse.Namespace) -> None:
    """Every board with its wiring."""
    for name in catalog.names():
        print(catalog.find(name).line())


def flash(options: argparse.Namespace) -> None:
    from tools.boards.flash import flash

    flash(catalog.find(options.board), options.port, options.firmware, options.erase, options.dry_run)


def secrets_of(options: argparse.Namespace) -> Path | None:
    """--secrets, or firmware/secrets.json (which git ignores) where it is there."""
    usual = ROOT / "firmware" / "secrets.json"
    return options.secrets or (usual if usual.exists() else None)


def deploy(options: argparse.Namespace) -> None:
    from tools.boards.deploy import deploy
    from tools.boards.remote import Remote

    remote = Remote(options.port, options.dry_run)
    deploy(catalog.find(options.board), remote, options.family, options.config, secrets_of(options))


def provision(options: argparse.Namespace) -> None:
    from tools.boards.deploy import provision
    from tools.boards.remote import Remote

    provision(catalog.find(options.board), Remote(options.port, options.dry_run), options.config, secrets_of(options))


def image(options: argparse.Namespace) -> None:
    from tools.boards.image import image

    image(catalog.find(options.board), options.family, options.config, secrets_of(options), options.csv, options.firmware,
          options.out, options.frozen, options.dry_run)  # fmt: skip


COMMANDS = {"list": list_boards, "flash": flash, "deploy": deploy, "provision": provision, "image": image}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
