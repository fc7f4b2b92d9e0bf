"""make boards, flash, deploy, provision, image, update-package, update.

python -m tools.boards list
python -m tools.boards deploy --board RPI_PICO --port /dev/ttyACM0 --config my.json --secrets mine.json
python -m tools.boards flash --board ESP32_GENERIC --firmware ESP32_GENERIC.bin --dry-run
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tools import arguments as typed
from tools.boards import catalog
from tools.boards.catalog import ROOT
from tools.boards.remedy import Remedy


def main(arguments: list[str]) -> int:
    """Run one command; 1 with a sentence on stderr where it could not be done."""
    options = parser(arguments[0] if arguments else "").parse_args(arguments)
    try:
        COMMANDS[options.command](options)
    except Remedy as remedy:
        print(f"{options.command}: {remedy}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{options.command}: interrupted; run it again, what is complete is not copied twice", file=sys.stderr)
        return 130
    return 0


def parser(command: str) -> argparse.ArgumentParser:
    """The options; the Makefile turns its variables into them."""
    found = typed.Parser("make " + ("boards" if command == "list" else command), variables={"version": "NUMBER"})
    found.add_argument("command", choices=sorted(COMMANDS))
    found.add_argument("--board", type=typed.one_of(*catalog.names()), help="MicroPython's name of the board, in any case")
    found.add_argument("--port", help="serial port; without it the first board found")
    found.add_argument("--firmware", type=typed.file, help="MicroPython's image for the board")
    found.add_argument("--family", type=typed.family, help="module family; else config.json's")
    found.add_argument("--config", type=typed.file, default=ROOT / "firmware" / "config.json")
    found.add_argument("--secrets", type=typed.file)
    found.add_argument("--csv", type=typed.file, help="devices: endpoint, psk_identity, psk")
    found.add_argument("--out", type=typed.place, help="folder for images (build/image) or packages (build/update)")
    found.add_argument("--erase", action="store_true", help="erase the whole flash first")
    found.add_argument("--force", action="store_true", help="deploy although the board's heap is too small")
    found.add_argument("--frozen", action="store_true", help="the board runs an image with our frozen boot")
    found.add_argument("--files", default="", help="of an update: files or folders, as in lib/ or firmware/; without it all")
    found.add_argument("--remove", default="", help="of an update: files to remove, by their path on the board")
    found.add_argument("--version", type=typed.whole(1, (1 << 32) - 1),
                       help="of an update: a number above the last; without it the time of making")
    found.add_argument("--package", type=typed.file, help="an update package that is there already")
    found.add_argument("--dry-run", action="store_true")
    return found


def list_boards(options: argparse.Namespace) -> None:
    """Every board with its wiring, and what the modules ask of it."""
    from boards.modules import MODULES, WHY_NOT_3V3

    for name in catalog.names():
        print(catalog.find(name).line())
    print("\nmodules")
    for module in MODULES.values():
        print("  " + module.line())
    print(f"  A 3.3 V board needs a level shifter (SHIFTER in board.py). Not from the board's own 3.3 V pin: {WHY_NOT_3V3}.")


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

    with Remote(options.port, options.dry_run) as remote:
        deploy(catalog.find(options.board), remote, options.family, options.config, secrets_of(options), options.force)


def provision(options: argparse.Namespace) -> None:
    from tools.boards.deploy import provision
    from tools.boards.remote import Remote

    with Remote(options.port, options.dry_run) as remote:
        provision(catalog.find(options.board), remote, options.config, secrets_of(options))


def image(options: argparse.Namespace) -> None:
    from tools.boards.image import image

    image(catalog.find(options.board), options.family, options.config, secrets_of(options), options.csv, options.firmware,
          options.out or ROOT / "build" / "image", options.frozen, options.dry_run)  # fmt: skip


def packages(options: argparse.Namespace) -> Iterator[tuple[str, bytes]]:
    """Update packages by the options: one, or one for each device of the table."""
    from tools.boards.update import packages

    return packages(catalog.find(options.board), options.family, options.config, secrets_of(options), options.csv,
                    options.files.split(), options.remove.split(), options.version, options.frozen)  # fmt: skip


def update_package(options: argparse.Namespace) -> None:
    from tools.boards.update import write

    write(packages(options), options.out or ROOT / "build" / "update", options.dry_run)


def update(options: argparse.Namespace) -> None:
    from tools.boards.deploy import read_bytes
    from tools.boards.remote import Remote
    from tools.boards.update import send

    if options.csv is not None:
        raise Remedy("one board at a time: make the packages with update-package CSV=, and name one with PACKAGE=")
    data = read_bytes(options.package, "PACKAGE=") if options.package else next(packages(options))[1]
    with Remote(options.port, options.dry_run) as remote:
        send(catalog.find(options.board), remote, data)


COMMANDS = {
    "list": list_boards,
    "flash": flash,
    "deploy": deploy,
    "provision": provision,
    "image": image,
    "update-package": update_package,
    "update": update,
}

if __name__ == "__main__":
    sys.exit(typed.run(lambda: main(sys.argv[1:])))
