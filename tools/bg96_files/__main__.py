"""python -m tools.bg96_files write FOLDER --server coap://host:port --apn NAME | read FOLDER"""

import sys

from tools import arguments as typed
from tools import bg96_files


def main(arguments: "list[str] | None" = None) -> int:
    """Write or read a folder of files; 1 where something is refused."""
    parser = typed.Parser("python -m tools.bg96_files", "Configuration files of a BG96.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    make = verbs.add_parser("write", help="make the files of /datatx")
    make.add_argument("folder", type=typed.place)
    make.add_argument("--server", type=typed.server, required=True, help="coap://host:port or coaps://host:port")
    make.add_argument("--ssid", type=typed.whole(1, 65534), default=101, help="short server id (101)")
    make.add_argument("--lifetime", type=typed.whole(30, 86400, "s"), default=86400, help="30 to 86400 s (86400)")
    make.add_argument("--apn", default="carrier_apn")
    make.add_argument("--bootstrap", action="store_true", help="the server is a bootstrap server")
    make.add_argument("--identity", help="PSK identity")
    make.add_argument("--key-file", type=typed.file, help="file with the key in hexadecimal digits; keys are no arguments")
    make.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="an item of lwm2m_cfg")
    look = verbs.add_parser("read", help="say what the module will make of a folder")
    look.add_argument("folder", type=typed.folder)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.verb == "write":
            items = dict([_item(text) for text in chosen.set])
            key = chosen.key_file.read_text().strip() if chosen.key_file else None
            bg96_files.write(bg96_files.make(
                chosen.server, chosen.ssid, chosen.lifetime, chosen.apn, chosen.bootstrap, chosen.identity, key, **items),
                chosen.folder)
        found = bg96_files.read(chosen.folder)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    for name, value in list(found[0].items()) + list(found[1].items()):
        print(f"{name:<40}{value}")
    told = bg96_files.check(*found)
    print("\n".join(told))
    return int(any([text.startswith("refused") for text in told]))


def _item(text: str) -> "tuple[str, str | int]":
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--set {text}: expected NAME=VALUE")
    return name, int(value) if value.isdigit() else value


if __name__ == "__main__":
    sys.exit(typed.run(main))
