"""Application and configuration onto a board: compare by hash, copy what changed, verify, restart."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.boards import application
from tools.boards.catalog import ROOT, Board, refuse_bad_wiring
from tools.boards.remedy import Remedy
from tools.boards.remote import Found, Remote, refuse_other_board

sys.path[:0] = [str(ROOT / "lib"), str(ROOT / "host_tests" / "cpython")]
LAST = ("/main.py", "/boot.py")  # until they are there, what is on the board goes on running as it was
# What comes by cable counts: an update on trial would put older files over it.
NO_UPDATE = """import os
for path in ("/update/plan", "/update/trial"):
    try:
        os.remove(path)
    except OSError:
        pass
"""
RESERVE = 16384  # bytes that stay free for the node's own state


def deploy(board: Board, remote: Remote, family: str | None, config: Path, secrets: Path | None) -> None:
    """lib/, firmware/ and board file; the configuration too where the board has none. Restarts the node."""
    family = family or read_config(config, secrets)["family"]
    declared = refuse_bad_wiring(board, family)
    wanted = application.files(board, family)
    total = sum(map(len, wanted.values()))
    print(f"deploy: {len(wanted)} files, {total / 1024:.0f} KB for {board.name} with a {family.upper()}")
    for sentence in declared:
        print(f"  {sentence}")
    found = transfer(board, remote, wanted, remove_stale=True)
    if found is None or "/config.json" not in found.hashes:
        print("deploy: the board has no configuration yet")
        transfer(board, remote, configuration(config, secrets), remove_stale=False)
    restart(remote)


def provision(board: Board, remote: Remote, config: Path, secrets: Path | None) -> None:
    """Configuration and secrets, checked first. Restarts the node."""
    read_config(config, secrets)
    transfer(board, remote, configuration(config, secrets), remove_stale=False)
    restart(remote)


def read_config(config: Path, secrets: Path | None) -> dict[str, Any]:
    """The configuration, checked by the firmware's own table; Remedy with its sentence otherwise."""
    from lwnode.config import ConfigError, checked

    given = read_json(config)
    try:
        checked(given, read_json(secrets) if secrets else None)
    except ConfigError as error:
        raise Remedy(f"{error}: correct {config if 'config.json' in str(error) else secrets or 'SECRETS='}")
    return given


def read_json(path: Path) -> Any:
    """A JSON file. Its text is never quoted: it may hold secrets."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Remedy(f"{path} cannot be read ({error.strerror}): name the file with CONFIG= or SECRETS=")
    except ValueError as error:
        line = getattr(error, "lineno", "?")
        raise Remedy(f"{path} is not valid JSON at line {line}: check quotes and commas")


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


def transfer(board: Board, remote: Remote, wanted: dict[str, bytes], remove_stale: bool) -> Found | None:
    """Copy what differs and verify it; what the board had before, or None in a dry run."""
    hashes = {path: hashlib.sha256(data).hexdigest() for path, data in wanted.items()}
    if remote.dry_run:
        for path in sorted(wanted):
            print(f"would compare, and copy if it differs: {path} ({len(wanted[path])} bytes)")
        return None
    found = remote.probe([*wanted, "/config.json"])
    refuse_other_board(found, board)
    changed = sorted((path for path in wanted if found.hashes.get(path) != hashes[path]), key=lambda path: (path in LAST, path))
    stale = [path for path in found.lib if path not in wanted] if remove_stale else []
    size = sum(len(wanted[path]) for path in changed)
    if size + RESERVE > found.free:
        raise Remedy(
            f"the board has {found.free // 1024} KB free and {(size + RESERVE) // 1024} KB are needed: "
            "remove files with mpremote fs rm, or flash with ERASE=1 and deploy again"
        )
    print(f"copying {len(changed)} of {len(wanted)} files ({size / 1024:.0f} KB), removing {len(stale)}")
    if changed or stale:
        copy(remote, wanted, changed, stale)
        now = remote.probe(changed).hashes
        wrong = [path for path in changed if now.get(path) != hashes[path]]
        if wrong:
            raise Remedy(f"{wrong[0]} is not on the board as it was sent: try again; if it happens twice, the flash is worn")
        print(f"verified {len(changed)} files")
    return found


def copy(remote: Remote, wanted: dict[str, bytes], changed: list[str], stale: list[str]) -> None:
    """Remove, make folders, copy: one session of mpremote."""
    folders = sorted({parent for path in changed for parent in parents(path)})
    prepare = (
        f"{NO_UPDATE}for path in {stale!r}:\n    os.remove(path)\nfor path in {folders!r}:\n    try:\n        os.mkdir(path)\n"
        "    except OSError:\n        pass\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["exec", prepare]
        for number, path in enumerate(changed):
            local = Path(folder) / str(number)
            local.write_bytes(wanted[path])
            arguments += ["+", "fs", "cp", "-f", str(local), f":{path}"]
        waiting = list(changed)

        def copied(line: str) -> None:
            if line.startswith("cp ") and waiting:
                print(f"  {len(changed) - len(waiting) + 1:3}/{len(changed)} {waiting.pop(0)}", flush=True)

        remote.run(*arguments, each=copied)


def parents(path: str) -> list[str]:
    """The folders above a path, outermost first."""
    parts = path.split("/")[1:-1]
    return ["/" + "/".join(parts[: index + 1]) for index in range(len(parts))]


def restart(remote: Remote) -> None:
    """Start the node anew."""
    remote.run("reset")
    print(
        "would restart the node"
        if remote.dry_run
        else "restarted: the node runs; Ctrl-C in its maintenance window reaches the REPL"
    )
