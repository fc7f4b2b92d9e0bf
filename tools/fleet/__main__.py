"""make fleet, fleet-update, fleet-status, fleet-load, fleet-show, fleet-far.

python -m tools.fleet provision --csv devices.csv --server http://127.0.0.1:8080 --config node.json
"""

import sys

from tools import arguments as typed
from tools.boards.catalog import ROOT, names
from tools.boards.remedy import Remedy
from tools.fleet import provision as provisioning, status as health, waves
from tools.fleet.server import Server


def main(words=None):
    """Run one command: 0; 1 where it could not be done or not all was good; 3 where Leshan is absent."""
    options = parser(*(words or sys.argv[1:])[:1]).parse_args(words)
    options.server = Server(options.server) if options.server else None
    for name in ("rotate", "lost", "replace"):
        setattr(options, name, getattr(options, name).split())
    try:
        return COMMANDS[options.command](options)
    except Remedy as remedy:
        print(f"{options.command}: {remedy}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{options.command}: interrupted; run it again, what is done is not done twice", file=sys.stderr)
        return 130


def parser(command=""):
    """The options; the Makefile turns its variables into them."""
    found = typed.Parser("make " + ("fleet" if command == "provision" else "fleet-" + command), __doc__)
    found.add_argument("command", choices=sorted(COMMANDS))
    found.add_argument("--csv", type=typed.file, help="table of devices: a column endpoint, and pin where they differ")
    found.add_argument("--server", type=typed.web, help="address of Leshan's web interface; without it only files are made")
    found.add_argument("--out", type=typed.place, help="folder of the register (the table's name with .fleet)")
    found.add_argument("--config", type=typed.file, default=ROOT / "firmware" / "config.json")
    found.add_argument("--board", type=typed.one_of(*names()),
                       help="MicroPython's name of the board, for images and updates")
    found.add_argument("--family", type=typed.family, help="module family; else config.json's")
    found.add_argument("--firmware", type=typed.file, help="MicroPython's image, for images of an ESP32")
    found.add_argument("--images", action="store_true", help="filesystem images beside the provisioning packages")
    found.add_argument("--apply", action="store_true", help="do it; without it only say what would be done")
    found.add_argument("--rotate", default="", help="endpoints that get a new key")
    found.add_argument("--lost", default="", help="endpoints to be shut out")
    found.add_argument("--replace", default="", help="endpoints under which another board comes")
    found.add_argument("--files", default="", help="of an update: files or folders, as in lib/ or firmware/; without it all")
    found.add_argument("--number", type=typed.whole(1, (1 << 32) - 1),
                       help="of an update: its number; without it the time of making")
    found.add_argument("--waves", default="1 10% 50%", help="numbers or shares of nodes; the rest is the last")
    found.add_argument("--failures", type=typed.whole(0, 100), default=10, help="percent of a wave that may fail")
    found.add_argument("--parallel", type=typed.whole(1, 10000), default=64, help="nodes asked at once")
    found.add_argument("--patience", type=typed.number(0.1, 1e6, "s"), default=None,
                       help="seconds a node may be silent (update 3600, status 10)")
    found.add_argument("--ask", action="store_true", help="have nodes look at signal and cell anew")
    found.add_argument("--crash", default="", help="print the crash text of this endpoint")
    found.add_argument("--nodes", type=typed.whole(1, 100000), default=200, help="of load: virtual nodes")
    found.add_argument("--seconds", type=typed.whole(1, 86400), default=60,
                       help="of load: how long it lasts once all are registered")
    found.add_argument("--period", type=typed.number(0.1, 86400, "s"), default=10,
                       help="of load: seconds between a node's notifications")
    found.add_argument("--secure", action="store_true", help="of load: DTLS-PSK")
    found.add_argument("--leshan", type=typed.one_of("demo", "library", "old"), help="of load and show: this kind of Leshan")
    return found


def needs(options, *names):
    """Remedy where a variable is missing."""
    for name in names:
        if not getattr(options, name):
            raise Remedy(f"say {name.upper()}=, see make help")


def provision(options):
    needs(options, "csv")
    rows = provisioning.provision(options)
    health.shown(("endpoint", "key", "package", "server"), rows)
    changed = sum(not set(row[1:]) <= {"kept", "same", "out", ""} for row in rows)
    print(f"{len(rows)} devices, {changed} {'changed' if options.apply else 'would change: APPLY=1 does it'}")
    return 0


def update(options):
    needs(options, "csv", "server", "board")
    options.patience = options.patience or 3600
    outcomes = waves.update(options)
    if outcomes:
        rows = [(each.endpoint, "ok" if each.good else "FAILED", each.text) for each in outcomes]
        health.shown(("endpoint", "", "what the node says"), rows)
    return 0 if all(each.good for each in outcomes) else 1


def status(options):
    needs(options, "server")
    options.patience = options.patience or 10
    if options.crash:
        text = health.crash(options)
        print(text.decode(errors="replace") if text else f"{options.crash} has noted no crash")
        return 0
    rows = health.status(options)
    health.shown(health.COLUMNS, rows)
    print(f"{len(rows)} nodes, {sum(not row[-1] for row in rows)} well")
    return 0


# What plays nodes or runs Leshan is imported only for that.
def load(options):
    from tools.fleet.load import main

    return main(options)


def far(options):
    from tools.fleet.far import main

    return main(options)


def show(options):
    from tools.fleet.show import main

    return main(options)


COMMANDS = {"provision": provision, "update": update, "status": status, "load": load, "show": show, "far": far}

if __name__ == "__main__":
    sys.exit(typed.run(main))
