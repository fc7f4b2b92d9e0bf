"""The ME910C1's object definitions: those of the module itself, and those of uploaded XML files.

    number, resources = parse_definition(xml_text)          # {resource: (type, operations, multiple)}
    own_definition(OWN[3])                                  # the same shape, of the Device object
"""

from testing.lwm2m.link import BOOLEAN, FLOAT, INTEGER, NONE, OBJLNK, OPAQUE, STRING, TIME
from testing.virtual_modem.me910c1_values import SERVICES

_LETTERS = {"i": INTEGER, "f": FLOAT, "s": STRING, "o": OPAQUE, "b": BOOLEAN, "t": TIME, "l": OBJLNK, "x": NONE}
_NAMES = {
    "integer": INTEGER,
    "float": FLOAT,
    "string": STRING,
    "opaque": OPAQUE,
    "boolean": BOOLEAN,
    "time": TIME,
    "objlnk": OBJLNK,
    "": NONE,
}
DEFAULTS = {INTEGER: "0", FLOAT: "0.0", STRING: "", OPAQUE: "", BOOLEAN: "0", TIME: "0", OBJLNK: "0:0"}
# id, type, operations, * for several instances (LwM2M TS 1.0.2, appendix E).
OWN = {
    0: "0sR 1bR",
    1: "0iR 1iRW 2iRW 3iRW 4xE 5iRW 6bRW 7sRW 8xE 9xE",
    2: "0iR 1iR 2iRW* 3iRW",
    3: "0sR 1sR 2sR 3sR 4xE 5xE 6iR* 7iR* 8iR* 9iR 10iR 11iR* 12xE 13tRW 14sRW 15sRW 16sR 17sR 18sR 19sR 20iR 21iR",
    4: "0iR 1iR* 2iR 4sR* 8iR 9iR 10iR",
    5: "0oW 1sRW 2xE 3iR 5iR",
    6: "0fR 1fR 5tR",
    7: "2iR 3iR 6xE 7xE 8iRW",
    11: "0sRW 1sRW 2bRW 3bRW 4iRW",
    SERVICES: "0iRW*",
}
OWN_INSTANCES = {1: [0], 3: [0], 4: [0], 5: [0], 6: [0], 7: [0], 11: [0, 1], SERVICES: [0]}
PRESET = {"1/0/0/0": "99", "1/0/1/0": "86400", "1/0/5/0": "86400", "1/0/7/0": "U", "3/0/9/0": "100", "11/0/0/0": "default"}


def parse_definition(text):
    """A DDF file (whole or stripped) -> (object id, {resource id: (type, operations, multiple)}). ValueError says why not."""
    number = _between(text, "<ObjectID>", "</ObjectID>")
    if number is None or not number.strip().isdigit():
        raise ValueError("no <ObjectID> with a number")
    resources = {}
    for part in text.split("<Item ")[1:]:
        item = part.split("</Item>")[0]
        identifier = _between(item, 'ID="', '"')
        kind = (_between(item, "<Type>", "</Type>") or "").strip().lower()
        if identifier is None or not identifier.isdigit() or kind not in _NAMES:
            raise ValueError("an <Item> without ID or with an unknown <Type>")
        operations = (_between(item, "<Operations>", "</Operations>") or "").strip()
        several = (_between(item, "<MultipleInstances>", "</MultipleInstances>") or "").strip() == "Multiple"
        resources[int(identifier)] = (NONE if operations == "E" else _NAMES[kind], operations, several)
    if not resources:
        raise ValueError("no <Item>")
    return int(number), resources


def _between(text, opening, closing):
    start = text.find(opening)
    end = text.find(closing, start + len(opening))
    return text[start + len(opening) : end] if start >= 0 and end >= 0 else None

def own_definition(rows):
    """A row of OWN -> {resource: (type, operations, multiple)}."""
    found = {}
    for row in rows.split():
        several = row.endswith("*")
        row = row.rstrip("*")
        digits = 0
        while row[digits].isdigit():
            digits += 1
        found[int(row[:digits])] = (_LETTERS[row[digits]], row[digits + 1 :], several)
    return found
