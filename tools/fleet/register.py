"""The register of a fleet: which device has which key, kept beside its table, readable by its owner only.

    devices.csv                    a person's: a column endpoint, and pin where devices differ; other columns are theirs
    devices.fleet/keys.csv         what is made of it: endpoint, psk_identity, psk, pin, state; `make image CSV=` takes it
    devices.fleet/used             SHA-256 of every key that ever was one, so that none is used twice
    devices.fleet/devices/NAME/    config.json and secrets.json of one device, as `make provision` takes them
    devices.fleet/security.json    the server's security info, each entry as Leshan's REST takes it

A key is 16 bytes of the operating system's generator (secrets). A file is written beside its place and renamed; the register
is on disk before anybody else is told a key. `state` is empty, or "out" for a node that is shut out.
"""

import csv
import fcntl
import hashlib
import io
import json
import os
import secrets
from contextlib import contextmanager
from pathlib import Path

from tools.boards.image import safe
from tools.boards.remedy import Remedy
from tools.interop.rest import key_entry

KEY_BYTES = 16
COLUMNS = ("endpoint", "psk_identity", "psk", "pin", "state")
OUT = "out"


def private(path, data):
    """Write a file of mode 600, whole or not at all. True where it was not so before."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        if path.read_bytes() == data and path.stat().st_mode & 0o777 == 0o600:
            return False
    except OSError:
        pass
    draft = path.with_name(path.name + ".tmp")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return True


def table(path):
    """{endpoint: row} of a table of devices, in its order. Remedy names the line, never what it holds beside the endpoint."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise Remedy(f"{path} cannot be read ({error.strerror}): say CSV=path of the table of devices") from None
    if not rows or "endpoint" not in rows[0]:
        raise Remedy(f"{path} has no column endpoint: its first line must name the columns, endpoint among them")
    found = {}
    for number, row in enumerate(rows, 2):
        endpoint = (row["endpoint"] or "").strip()
        if not endpoint or endpoint in found:
            problem = f"{endpoint} is there twice" if endpoint else "is empty"
            raise Remedy(f"{path} line {number}: endpoint {problem}; each device has its own")
        if any((row.get(name) or "").strip() for name in ("psk", "psk_identity")):
            raise Remedy(f"{path} line {number}: keys are made here, not taken: remove psk and psk_identity, or use make image")
        found[endpoint] = row
    names = {}
    for endpoint in found:
        other = names.setdefault(safe(endpoint), endpoint)
        if other != endpoint:
            raise Remedy(f"{path}: {endpoint} and {other} would have one file name: rename one of them")
    return found


class Register:
    """The keys of a fleet, in `folder`. Nothing is on disk before save()."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.file = self.folder / "keys.csv"
        self.rows = {}
        rows = list(csv.DictReader(io.StringIO(_text(self.file))))
        if any(None in row.values() or not row.get("endpoint") or not row.get("psk") for row in rows):
            raise Remedy(f"{self.file} is not as it was written: bring it back from your copy, or nodes would get new keys")
        self.rows = {row["endpoint"]: row for row in rows}
        self.used = set(_text(self.folder / "used").split())
        self.used.update(_mark(row["psk"]) for row in self.rows.values())

    def new_key(self, endpoint, pin=""):
        """Give a device a key that no device has ever had."""
        while True:
            key = secrets.token_hex(KEY_BYTES)
            if _mark(key) not in self.used:
                break
        self.used.add(_mark(key))
        self.rows[endpoint] = {"endpoint": endpoint, "psk_identity": endpoint, "psk": key, "pin": pin, "state": ""}

    def active(self):
        """{endpoint: row} of those that are not shut out."""
        return {endpoint: row for endpoint, row in self.rows.items() if row["state"] != OUT}

    def save(self):
        """Put it on disk; True where anything was new."""
        lines = [",".join(COLUMNS)]
        for row in self.rows.values():
            lines.append(",".join(_cell(row.get(name) or "") for name in COLUMNS))
        changed = private(self.folder / "used", ("\n".join(sorted(self.used)) + "\n").encode())
        return private(self.file, ("\n".join(lines) + "\n").encode()) or changed

    def secrets_of(self, endpoint):
        """What secrets.json of a device holds."""
        row = self.rows[endpoint]
        return {name: row[name] for name in ("psk_identity", "psk", "pin") if row.get(name)}

    def package(self, endpoint, config):
        """Write what `make provision` takes; True where it was not so before."""
        folder = self.folder / "devices" / safe(endpoint)
        files = {"config.json": config | {"endpoint": endpoint}, "secrets.json": self.secrets_of(endpoint)}
        return any([private(folder / name, json.dumps(files[name], indent=1).encode()) for name in files])

    def imported(self):
        """Write security.json: what a server takes, one entry a device; True where it was not so before."""
        entries = [entry(row) for row in self.active().values()]
        return private(self.folder / "security.json", (json.dumps(entries, indent=1) + "\n").encode())

    @contextmanager
    def alone(self):
        """One run at a time."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(self.folder / ".lock", "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Remedy(f"another run works at {self.folder}: wait for its end") from None
            yield


def entry(row):
    """A device's security info, as the server takes it."""
    return key_entry(row["endpoint"], row["psk_identity"], row["psk"])


def _text(path):
    """What a file of the register holds; nothing where there is none. Remedy where it is there and cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", "it is no text")
        raise Remedy(f"{path} is there and cannot be read ({why}): nothing was changed") from None


def _mark(key):
    return hashlib.sha256(key.encode()).hexdigest()


def _cell(text):
    return '"%s"' % text.replace('"', '""') if any(char in text for char in ',"\n') else text
