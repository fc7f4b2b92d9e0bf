"""Application and configuration onto a board: compare by size and hash, copy what changed, verify each, restart."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

from tools.boards import application
from tools.boards.catalog import ROOT, Board, refuse_bad_wiring
from tools.boards.files import read_json, slip
from tools.boards.heap import refuse_little_heap
from tools.boards.remedy import Remedy
from tools.boards.remote import Found, Remote, refuse_other_board
from tools.docs.keys import with_meaning

sys.path[:0] = [str(ROOT / "lib"), str(ROOT / "host_tests" / "cpython")]
LAST = ("/main.py", "/boot.py")  # until they are there, what is on the board goes on running as it was
OURS = "/lib/lwnode"  # what is there and is not wanted goes
# What comes by cable counts: an update on trial would put older files over it.
NO_UPDATE = """import os
paths = ["/update/plan", "/update/trial"]
for folder in ("/update/new", "/update/old"):
    try:
        paths += [folder + "/" + name for name in os.listdir(folder)]
    except OSError:
        pass
for path in paths:
    try:
        os.remove(path)
    except OSError:
        pass
"""
RESERVE = 16384  # bytes that stay free for the node's own state


def deploy(
    board: Board, remote: Remote, family: str | None, config: Path, secrets: Path | None, force: bool = False
) -> None:
    """lib/, firmware/ and board file; the configuration too where the board has none. Restarts the node."""
    given = read_config(config, secrets) if family is None or config.exists() else {}
    family = family or given["family"]
    declared = refuse_bad_wiring(board, family)
    wanted = application.files(board, family, given)
    total = sum(map(len, wanted.values()))
    print(f"deploy: {len(wanted)} files, {total / 1024:.0f} KB for {board.name} with a {family.upper()}")
    features = [Path(path).stem for path in sorted(wanted) if "/features/" in path and "__init__" not in path]
    for sentence in [*declared, f"features: {', '.join(features) or 'none'}"]:
        print(f"  {sentence}")
    found = None if remote.dry_run else meet(board, remote)
    if found is not None and not force:
        refuse_little_heap(board, family, found.heap, found.frozen)
    transfer(remote, found, wanted, remove_stale=True)
    if remote.dry_run or remote.hash("/config.json") is None:
        print("deploy: the board has no configuration yet")
        transfer(remote, found, configuration(config, secrets), remove_stale=False)
    restart(remote)


def provision(board: Board, remote: Remote, config: Path, secrets: Path | None) -> None:
    """Configuration and secrets, checked first. Restarts the node."""
    given = read_config(config, secrets)
    found = None if remote.dry_run else meet(board, remote)
    if found is not None:
        refuse_missing_features(board, remote, given)
    transfer(remote, found, configuration(config, secrets), remove_stale=False)
    restart(remote)


def read_config(config: Path, secrets: Path | None) -> dict[str, Any]:
    """The configuration, checked by the firmware's own table; Remedy with its sentence otherwise."""
    from lwnode.config import ConfigError, checked

    given = read_json(config)
    own = read_json(secrets) if secrets else {}
    try:
        said = slip(given, own) if isinstance(given, dict) and isinstance(own, dict) else ""
        if said:
            raise ConfigError(said)
        checked(given, own)
    except ConfigError as error:
        said = with_meaning(str(error), str(given.get("family") if isinstance(given, dict) else ""))
        raise Remedy(f"{said}: correct {config if 'config.json' in said else secrets or 'SECRETS='}")
    return given


def read_bytes(path: Path, variable: str) -> bytes:
    """A file; Remedy where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Remedy(f"{path} cannot be read ({error.strerror}): name the file with {variable}")


def configuration(config: Path, secrets: Path | None) -> dict[str, bytes]:
    """The two files, by their path on the board."""
    found = {"/config.json": config.read_bytes()}
    if secrets:
        found["/secrets.json"] = secrets.read_bytes()
    return found


def meet(board: Board, remote: Remote) -> Found:
    """What the board on the port is; Remedy where it is another one."""
    found = remote.probe()
    refuse_other_board(found, board)
    return found


def refuse_missing_features(board: Board, remote: Remote, given: dict[str, Any]) -> None:
    """Remedy where the application there lacks what this configuration asks for: the node would refuse it."""
    there, _ = remote.files(OURS)
    asked = [part for part in sorted(application.optional(given, board.values)) if part.startswith("features.")]
    for part in [f"modem.{given['family']}.__init__", *asked]:
        path = f"{OURS}/{part.replace('.', '/')}.mpy"
        if there and path not in there and path.replace(".mpy", ".py") not in there:
            raise Remedy(f"the board lacks {path}, which this configuration asks for: make deploy, then provision again")


def transfer(remote: Remote, found: Found | None, wanted: dict[str, bytes], remove_stale: bool) -> None:
    """Copy what differs, verified file by file, and remove files and empty folders that are ours no longer.

    Without a board (`found` is None, a dry run) say what would be done.
    """
    if found is None:
        for path in sorted(wanted):
            print(f"would compare, and copy if it differs: {path} ({len(wanted[path])} bytes)")
        return
    there, folders = remote.files(OURS)
    stale = [path for path in there if path not in wanted] if remove_stale else []
    above = {parent for path in wanted for parent in parents(path)}
    empty = [folder for folder in folders if folder not in above] if remove_stale else []
    for folder in {"/", *above} - {OURS, *folders}:
        there |= remote.files(folder, deep=False)[0]
    stale += [path for path in application.STAGING if remove_stale and path in there and path not in {*wanted, *stale}]
    changed = differing(remote, wanted, there)
    size = sum(len(wanted[path]) for path in changed)
    if size + RESERVE > found.free:
        raise Remedy(
            f"the board has {found.free // 1024} KB free and {(size + RESERVE) // 1024} KB are needed: "
            "remove files with mpremote fs rm, or flash with ERASE=1 and deploy again"
        )
    print(f"copying {len(changed)} of {len(wanted)} files ({size / 1024:.0f} KB), removing {len(stale)}")
    if not changed and not stale and not empty:
        return
    remote.execute(NO_UPDATE)
    for path in stale:
        remote.execute(f"os.remove({path!r})")
    for folder in sorted(empty, reverse=True):
        remote.execute(f"os.rmdir({folder!r})")
    for folder in sorted({parent for path in changed for parent in parents(path)} - set(folders)):
        remote.execute(f"try:\n    os.mkdir({folder!r})\nexcept OSError as error:\n    if error.errno != 17:\n        raise")
    for number, path in enumerate(changed, 1):
        remote.write(path, wanted[path])
        print(f"  {number:3}/{len(changed)} {path}", flush=True)
    print(f"verified {len(changed)} files")


def differing(remote: Remote, wanted: dict[str, bytes], there: dict[str, int]) -> list[str]:
    """The paths whose content the board does not have, in the order to copy them; a line that moves while it is asked."""
    changed = []
    moving = sys.stdout.isatty()
    for number, path in enumerate(sorted(wanted, key=lambda path: (path in LAST, path)), 1):
        data = wanted[path]
        if moving:
            print(f"\r\x1b[Kcomparing {number}/{len(wanted)} {path}", end="", flush=True)
        # Not every file system tells sizes in a listing.
        if there.get(path) not in (0, len(data)) or remote.hash(path) != hashlib.sha256(data).digest():
            changed.append(path)
    if moving:
        print("\r\x1b[K", end="", flush=True)
    return changed


def parents(path: str) -> list[str]:
    """The folders above a path, outermost first."""
    parts = path.split("/")[1:-1]
    return ["/" + "/".join(parts[: index + 1]) for index in range(len(parts))]


def restart(remote: Remote) -> None:
    """Start the node anew."""
    if remote.dry_run:
        print("would restart the node")
        return
    remote.leave("machine.reset()")
    print("restarted: the node runs; Ctrl-C in its maintenance window reaches the REPL")
