"""`make registry`: object XML in, lib/lwnode/lwm2m/registry_table.py out.

    python -m tools.registry --xml my_object.xml ...                    adds your own to the table that is there
    python -m tools.registry --source DIR                               makes it anew, with the objects of DEFAULT
    python -m tools.registry --source DIR --output FILE --objects 19 3303 3304

The source directory holds <id>-<major>_<minor>.xml files as the OMA registry names them (its folder
version_history). Nothing is written if a file is refused.
"""

import sys
from pathlib import Path

from tools import arguments as typed
from tools.registry.ddf import Definition, Refused, parse
from tools.registry.table import Packed, read

ROOT = Path(__file__).parents[2]
OUTPUT = ROOT / "lib/lwnode/lwm2m/registry_table.py"
# The node's own settings and health, in the range for private use: in every table.
OWN = sorted((ROOT / "docs" / "objects").glob("*.xml"))
# Object 0 is left out: its resources are for bootstrap servers only, a host never sees them.
DEFAULT = [1, 2, 3, 4, 5, 6, 7, 9, 19, *range(3200, 3204), *range(3300, 3351), 3411, 3428, 3435, 3441]
# 1.2 and later need LwM2M 1.2, which none of the modules speaks; where 2.0 broke with 1.x it is kept.
VERSIONS = ((1, 0), (1, 1), (2, 0))


def collect(source: Path, objects: "list[int]") -> "list[Definition]":
    """The definitions of those objects in the directory; ids that it lacks are skipped (3307, 3309)."""
    found = []
    for path in sorted(source.glob("*-*_*.xml")):
        number, _, version = path.stem.partition("-")
        if number.isdigit() and int(number) in objects:
            if tuple(int(part) for part in version.split("_")) in VERSIONS:
                found.append(parse(path.read_text(encoding="utf-8-sig"), path.name))
    return found


def build(base: "str | None", source: "Path | None", objects: "list[int]", extra: "list[Path]") -> "tuple[str, list[str]]":
    """(module text, warnings). A user's file replaces the definition of the same object and version.

    Without a source directory the objects are those of base, the text of a generated module.
    """
    kept, notice = ([], "") if source or base is None else read(base)
    found = collect(source, objects) if source else []
    definitions = {(one.object_id, one.version): one for one in kept + found}
    for path in OWN + extra:
        one = parse(path.read_text(encoding="utf-8-sig"), path.name)
        definitions[one.object_id, one.version] = one
    if not definitions:
        raise Refused(f"no definitions in {source}: files such as 3303-1_0.xml were expected")
    warnings = [warning for one in definitions.values() for warning in one.warnings]
    return Packed(list(definitions.values())).module(notice), warnings


def main(arguments: "list[str] | None" = None) -> int:
    parser = typed.Parser("make registry", __doc__)
    parser.add_argument("--source", type=typed.folder, help="directory of the registry's XML files")
    parser.add_argument("--objects", type=typed.whole(0, 65535), nargs="*", default=DEFAULT)
    parser.add_argument("--xml", type=typed.file, nargs="*", default=[], help="further definitions")
    parser.add_argument("--output", type=typed.place, default=OUTPUT)
    options = parser.parse_args(arguments)
    try:
        base = options.output.read_text(encoding="utf-8") if options.output.exists() else None
        text, warnings = build(base, options.source, options.objects, options.xml)
    except (Refused, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    options.output.write_text(text, encoding="utf-8")
    for warning in warnings:
        print(warning)
    print(f"{options.output.name}: {text.count(chr(10))} lines")
    return 0


if __name__ == "__main__":
    sys.exit(typed.run(main))
