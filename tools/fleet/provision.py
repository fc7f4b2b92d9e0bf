"""`make fleet`: from one table keys, provisioning packages or images, and the server's security info. Idempotent.

    make fleet CSV=devices.csv SERVER=http://127.0.0.1:8080 CONFIG=node.json             says what it would do
    make fleet CSV=devices.csv SERVER=... CONFIG=node.json APPLY=1                       does it
    make fleet ... ROTATE="node-3 node-4" APPLY=1      a new key for each; bring it to the node with make provision
    make fleet ... LOST=node-7 APPLY=1                 shut it out: its key leaves the server, and is never used again
    make fleet ... REPLACE=node-7 APPLY=1              another board under that name, with a key of its own

The register (register.py) is on disk before a server or a package has a key, so that a run which breaks is run again.
"""

import hashlib
import json

from tools.boards import application, catalog
from tools.boards.files import read_json
from tools.boards.image import check, image, safe
from tools.boards.remedy import Remedy
from tools.fleet.register import OUT, Register, entry, private, table


def provision(options, say=print):
    """Bring register, packages and server to what the table says; rows of (endpoint, key, package, server)."""
    register = Register(options.out or options.csv.with_suffix(".fleet"))
    if not options.apply:
        return _provision(options, register, say)
    with register.alone():
        return _provision(options, Register(register.folder), say)


def _provision(options, register, say):
    devices = table(options.csv)
    config = read_json(options.config)
    if config.get("security") != "psk":
        raise Remedy(f'{options.config} says "security": "{config.get("security", "none")}": a fleet has keys, set it to "psk"')
    words = keys_due(register, devices, options)
    for endpoint in register.rows:
        if endpoint in devices:
            check(config | {"endpoint": endpoint}, register.secrets_of(endpoint), endpoint)
    would = "" if options.apply else "would be "
    if options.apply:
        register.save()
    rows = []
    images = made_images(options, register, config, devices) if options.images and options.apply else {}
    wanted = {endpoint: row for endpoint, row in register.rows.items() if endpoint in devices or row["state"] == OUT}
    there = options.server.keys() if options.server else {}
    for number, (endpoint, row) in enumerate(wanted.items(), 1):
        package = "" if row["state"] == OUT else images.get(endpoint, "same")
        if options.apply and row["state"] != OUT and register.package(endpoint, config):
            package = "written" if package == "same" else package
        elif not options.apply and words[endpoint] in ("made", "rotated", "replaced"):
            package = would + "written"
        server = served(options, row, there)
        shown = words[endpoint]
        rows.append((endpoint, would + shown if shown not in ("kept", "out") else shown, package,
                     would + server if server not in ("", "same", "out") else server))
        if number % 50 == 0 or number == len(wanted):
            say(f"  {number}/{len(wanted)}")
    if options.apply:
        register.imported()
    strangers = len(set(there) - set(register.rows))
    if strangers:
        say(f"the server has {strangers} more keys, of endpoints that are not in {register.file}: left alone")
    return rows


def keys_due(register, devices, options):
    """Give keys where they are due; {endpoint: what became of its key}. Remedy where an order makes no sense."""
    words = {endpoint: OUT if row["state"] == OUT else "kept" for endpoint, row in register.rows.items()}
    for endpoint, row in devices.items():
        pin = (row.get("pin") or "").strip()
        if endpoint not in register.rows:
            register.new_key(endpoint, pin)
            words[endpoint] = "made"
        else:
            register.rows[endpoint]["pin"] = pin
    for names, word in ((options.rotate, "rotated"), (options.replace, "replaced"), (options.lost, OUT)):
        for endpoint in names:
            row = register.rows.get(endpoint)
            if row is None or (endpoint not in devices and word != OUT):
                raise Remedy(f"{endpoint} is not in {options.csv}: it must be {word} by a name of the table")
            if word == "rotated" and row["state"] == OUT:
                raise Remedy(f"{endpoint} is shut out: REPLACE= takes another board in under that name")
            if word == OUT:
                row["state"] = OUT
            else:
                register.new_key(endpoint, row["pin"])
            words[endpoint] = "shut out" if word == OUT else word
    return words


def served(options, row, there):
    """Bring the server's info of one device to what the register says; a word for what that took."""
    if options.server is None:
        return ""
    known = there.get(row["endpoint"])
    if row["state"] == OUT:
        if known is not None and options.apply:
            options.server.remove_key(row["endpoint"])
        return "out" if known is None else "removed"
    if known == (row["psk_identity"], row["psk"].lower()):
        return "same"
    if options.apply:
        options.server.put_key(entry(row))
    return "added" if known is None else "changed"


def made_images(options, register, config, devices):
    """Write the images that are not there yet, or whose application, configuration or secrets are others by now."""
    board = catalog.find(options.board)
    family = options.family or config.get("family", "")
    wanted = application.files(board, family, config)
    whole = hashlib.sha256(b"".join(path.encode() + data for path, data in sorted(wanted.items())))
    folder = register.folder / "images"
    file = folder / "made.json"
    made = json.loads(file.read_text()) if file.exists() else {}
    due, words = {}, {}
    for endpoint in register.active():
        if endpoint not in devices:
            continue
        mark = whole.copy()
        mark.update(json.dumps([config, register.secrets_of(endpoint)], sort_keys=True).encode())
        there = any((folder / (safe(endpoint) + ending)).exists() for ending in (".uf2", ".bin"))
        words[endpoint] = "same" if there and made.get(endpoint) == mark.hexdigest() else "image"
        if words[endpoint] != "same":
            due[endpoint] = mark.hexdigest()
    if due:
        rows = ["endpoint,psk_identity,psk,pin"]
        rows += [",".join(register.rows[endpoint].get(name) or "" for name in rows[0].split(",")) for endpoint in due]
        draft = register.folder / "images.csv"
        private(draft, ("\n".join(rows) + "\n").encode())
        try:
            image(board, family, options.config, None, draft, options.firmware, folder, False, False)
        finally:
            draft.unlink()
        private(file, json.dumps(made | due, indent=1).encode())
    return words
