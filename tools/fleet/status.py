"""`make fleet-status`: the health of all nodes as one table, read from them through their server.

    make fleet-status CSV=devices.csv SERVER=http://127.0.0.1:8080
    make fleet-status ... ASK=1             each looks at signal and cell anew (26252/0/7)
    make fleet-status ... CRASH=node-7      the crash text of one node, piece by piece

Battery is 26251/0/7, warnings 26251/0/13; the version 26252/0/0 and behind it the update accepted last, 9/0/1; signal, cell and
last error are 26252's. What a node cannot be asked for (it sleeps, it has no such object) is left empty, and its note says so.
"""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from tools.boards.remedy import Remedy
from tools.fleet.asking import Asker, contract_of, has
from tools.fleet.register import OUT, Register
from tools.fleet.server import Events

COLUMNS = ("endpoint", "seen", "key", "battery", "signal", "radio", "version", "last error", "note")
_RADIO = {0: "GSM", 1: "GSM", 7: "LTE", 8: "LTE-M", 9: "NB-IoT"}  # 3GPP TS 27.007, 7.2
_PIECES = 8


def status(options):
    """A row for each node of the register, and for each other that is registered."""
    register = Register(options.out or options.csv.with_suffix(".fleet")) if options.csv else None
    there = options.server.clients()
    known = register.rows if register else {}
    asker = Asker(options.server, Events(options.server), options.patience)
    names = [*known, *[endpoint for endpoint in there if endpoint not in known]]
    with ThreadPoolExecutor(options.parallel) as pool:
        return list(pool.map(lambda one: row(asker, one, there.get(one), known.get(one), options.ask), names))


def row(asker, endpoint, registration, device, ask):
    """One line of the table, all text."""
    out = device is not None and device["state"] == OUT
    if registration is None:
        return (endpoint, "", "", "", "", "", "", "", "shut out" if out else "not registered")
    found, notes = {}, ["SHUT OUT, AND STILL REGISTERED: until its lifetime ends"] if out else []
    notes += ["" if device is not None else "not of this fleet"]
    with contextlib.suppress(TimeoutError):
        if out:
            raise TimeoutError
        found = values(asker, endpoint, registration, ask)
    if not found and not out:
        notes.append("asleep" if registration.get("sleeping") else "no answer")
    health = lambda id: found.get(f"/26251/0/{id}")  # noqa: E731
    looked = lambda id: found.get(f"/26252/0/{id}")  # noqa: E731
    version = str(looked(0) or "") + (f"+{found['/9/0/1']}" if found.get("/9/0/1") else "")
    notes.append(str(health(13) or ""))
    error = str(looked(1) or "") + (f" (cause {looked(2)})" if looked(2) and "cause" not in str(looked(1)) else "")
    return (endpoint, _ago(registration.get("lastUpdate")), "psk" if registration.get("secure") else "none",
            f"{health(7)} mV" if health(7) else "", f"{looked(3)} dBm" if looked(3) else "",
            f"{_RADIO.get(looked(5), looked(5))} {looked(4) or ''}" if looked(5) is not None else "", version, error,
            "; ".join(note for note in notes if note))


def values(asker, endpoint, registration, ask):
    """What a node says of itself, by path."""
    wanted = [path for path in ("/26251/0", "/26252/0", "/9/0") if has(registration, path)]
    if contract_of(registration) == "pipe":
        more = ["/26251/0/7", "/26251/0/13", "/9/0/1"]
        if ask:
            return asker.reported(endpoint, ["/26252/0", *more], ("/26252/0/7", 1), *[(path, None) for path in more])
        return asker.values(endpoint, registration, [*more, "/26252/0/0", "/26252/0/1", "/26252/0/2"])
    if ask and "/26252/0" in wanted:
        asker.asked(asker.server.write, endpoint, "/26252/0/7", 1)
        settled(asker, endpoint)
    return asker.values(endpoint, registration, wanted)


def settled(asker, endpoint):
    """Wait until a node has looked: 26252/0/7 is 0 again, on a shadow once its host was awake. TimeoutError beyond patience."""
    deadline = time.monotonic() + asker.patience_s
    while asker.asked(asker.server.read, endpoint, "/26252/0/7").value != 0:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{endpoint} has not looked within {asker.patience_s:.0f} s")
        time.sleep(1)


def crash(options):
    """The crash text of one node, as it comes: bytes, piece by piece until one is empty."""
    endpoint = options.crash
    registration = options.server.clients().get(endpoint)
    if registration is None:
        raise Remedy(f"{endpoint} is not registered")
    if not has(registration, "/26252/0"):
        raise Remedy(f'{endpoint} has no object 26252: say "diagnosis": true in its config.json')
    asker = Asker(options.server, Events(options.server), options.patience)
    text = before = b""
    for piece in range(1, _PIECES + 1):
        if contract_of(registration) == "pipe":
            found = asker.reported(endpoint, ["/26252/0/6"], ("/26252/0/7", piece)).get("/26252/0/6", b"")
        else:
            asker.asked(asker.server.write, endpoint, "/26252/0/7", piece)
            settled(asker, endpoint)
            found = bytes.fromhex(str(asker.asked(asker.server.read, endpoint, "/26252/0/6").content.get("value") or ""))
        if found in (b"", before):  # an ME910C1 keeps the last value instead of an empty one
            break
        text, before = text + found, found
    return text


def shown(columns, rows):
    """Print a table: each column as wide as its longest cell."""
    widths = [max(len(str(row[at])) for row in [columns, *rows]) for at in range(len(columns))]
    for row in (columns, *rows):
        print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip())


def _ago(told):
    """Time since a registration's last update: milliseconds from M16 on, text before."""
    if not told:
        return ""
    then = told / 1000 if isinstance(told, (int, float)) else datetime.fromisoformat(told.replace("Z", "+00:00")).timestamp()
    seconds = max(0, int(time.time() - then))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
