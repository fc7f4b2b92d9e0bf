"""The object model inside the ME910C1: definitions (its own and uploaded XML), instances, values, the whitelist.

    objects = Objects(modem); objects.load()                 # at each boot: an uploaded XML counts from the next one on
    objects.create(3303, 0)                                  # all resources, with default values (manual 3.1.10)
    objects.put((3303, 0, 5700, 0), "21.5")
    objects.values((3303, 0))                                # [((3303, 0, 5700), FLOAT, "21.5"), ...] for the server

The module holds the values: a server's read is answered here and never reaches the host. Kept in nvram: "files" (XML),
"instances" and "values" (commands whose setting is saved "Auto"). Opaque values are kept as hexadecimal digits.
A value is a text by the type of its resource (3.1.9): checked(FLOAT, "21.5") is "21.5", a ValueError what is no float.
"""

from binascii import hexlify, unhexlify

from testing.lwm2m.link import BOOLEAN, FLOAT, INTEGER, NONE, OBJLNK, OPAQUE, STRING, TIME
from testing.virtual_modem.atline import whole_number

INT_LOW, INT_HIGH = -2147483648, 2147483647  # 3.1.9
SERVICES = 33211  # Telit's own object; 33211/0/0/1 switches the registration URCs on (field)
CLOSED = (0, 1, 2, 5)  # to R, E and W (3.1.5 to 3.1.7)
WHITELIST = ((3, 0, 6), (3, 0, 7), (3, 0, 8), (3, 0, 9), (3, 0, 17), (3, 0, 20))  # resource instance 0 of each

# SET and GET <type> -> types of resources that it fits (3.1.9).
SET_TYPES = ((INTEGER, BOOLEAN, TIME), (FLOAT,), (STRING, OBJLNK), (OPAQUE,))
_LETTERS = {"i": INTEGER, "f": FLOAT, "s": STRING, "o": OPAQUE, "b": BOOLEAN, "t": TIME, "l": OBJLNK, "x": NONE}
_NAMES = {"integer": INTEGER, "float": FLOAT, "string": STRING, "opaque": OPAQUE, "boolean": BOOLEAN, "time": TIME,
          "objlnk": OBJLNK, "": NONE}
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


def checked(kind, text):
    """The text of a value of that type as the module keeps it; ValueError where it is none."""
    if kind in (INTEGER, TIME):
        number = whole_number(text)
        if number is None or not INT_LOW <= number <= INT_HIGH:
            raise ValueError(text)
        return str(number)
    if kind == BOOLEAN:
        if text not in ("0", "1"):
            raise ValueError(text)
        return text
    if kind == FLOAT:
        if "n" in text.lower() or "_" in text:
            raise ValueError(text)
        float(text)
        return text
    if kind == OPAQUE:
        unhexlify(text)
        return text.upper()
    if kind == OBJLNK:
        parts = text.split(":")
        if len(parts) != 2 or not (parts[0].isdigit() and parts[1].isdigit()):
            raise ValueError(text)
    return text


def text_of(kind, value):
    """A decoded value of the server as the module keeps it."""
    if kind == OPAQUE:
        return hexlify(value if isinstance(value, (bytes, bytearray)) else value.encode()).decode().upper()
    if kind == BOOLEAN:
        return "1" if value else "0"
    if kind == FLOAT:
        return decimal_text(float(value))
    return str(value)


def decimal_text(number):
    """A float in plain decimals, with what a 32-bit float can tell at most."""
    text = "%.6f" % number
    text = text.rstrip("0")
    return text + "0" if text.endswith(".") else text


class Objects:
    """Definitions, instances and values of one module."""

    def __init__(self, modem):
        self._modem = modem
        self.definitions = {}
        self.load()

    def load(self):
        """Own definitions, and those of the files under /XML that are sound."""
        self.definitions = {}
        for number in OWN:
            self.definitions[number] = own_definition(OWN[number])
        files = self._modem.stored("files", {})
        for name in sorted(files):
            if not name.startswith("/XML/"):
                continue
            try:
                number, resources = parse_definition(files[name])
            except ValueError:
                continue
            if number not in OWN:
                self.definitions[number] = resources

    # ---- what there is

    def instances(self, number):
        """Instance ids of an object, own and created."""
        created = self._modem.stored("instances", {}).get(str(number), [])
        return sorted(set(OWN_INSTANCES.get(number, []) + created)) if number in self.definitions else []

    def definition(self, path):
        """(type, operations, multiple) of a resource whose instance exists; None else."""
        if path[1] not in self.instances(path[0]):
            return None
        return self.definitions[path[0]].get(path[2])

    def type_of(self, number, resource):
        """For the codec: the type of a resource, opaque where unknown."""
        row = self.definitions.get(number, {}).get(resource)
        return OPAQUE if row is None else row[0]

    def resource_instances(self, path):
        """Instance ids of one resource: 0, and what a server added to a multiple one."""
        row = self.definition(path)
        if row is None:
            return []
        if path[0] == SERVICES:
            return [0, 1, 2, 3]
        found = [0]
        if row[2]:
            head = _key(path[:3]) + "/"
            for key in self._modem.stored("values", {}):
                if key.startswith(head):
                    found.append(int(key[len(head) :]))
        return sorted(set(found))

    def exists(self, path):
        """True for an object, instance, resource or resource instance that is there (3.1.17)."""
        if len(path) == 0:
            return True
        if len(path) == 1:
            return path[0] in self.definitions
        if len(path) == 2:
            return path[1] in self.instances(path[0])
        if self.definition(path) is None:
            return False
        return len(path) == 3 or path[3] in self.resource_instances(path)

    def links(self):
        """The object list of a registration; the Security object is nobody's business (TS 1.0.2, E.1)."""
        found = []
        for number in sorted(self.definitions):
            instances = self.instances(number)
            if number != 0:
                found += ["/%d/%d" % (number, each) for each in instances] or ["/%d" % number]
        return found

    # ---- instances

    def create(self, number, instance):
        """A new instance with default values. False: no definition, or there already."""
        if number not in self.definitions or instance in self.instances(number):
            return False
        self._modem.stored("instances", {}).setdefault(str(number), []).append(instance)
        return True

    def delete(self, number, instance):
        """A server takes an instance away; the module's own ones stay."""
        created = self._modem.stored("instances", {}).get(str(number), [])
        if instance not in created:
            return False
        created.remove(instance)
        head = "%d/%d/" % (number, instance)
        values = self._modem.stored("values", {})
        for key in [key for key in values if key.startswith(head)]:
            del values[key]
        return True

    def reset(self):
        """Factory reset: created instances and all values go; files stay in the file system."""
        self._modem.nvram["instances"] = {}
        self._modem.nvram["values"] = {}

    # ---- values

    def get(self, path):
        """The text of a resource instance."""
        live = self._modem.live_value(path)
        if live is not None:
            return live
        key = _key(path)
        row = self.definition(path)
        return self._modem.stored("values", {}).get(key, PRESET.get(key, DEFAULTS.get(row[0] if row else STRING, "")))

    def put(self, path, text):
        """Keep a value; True where it differs from before."""
        changed = self.get(path) != text
        self._modem.stored("values", {})[_key(path)] = text
        return changed

    def whitelisted(self, path):
        """May #LWM2MSET and #LWM2MGET touch it (3.1.9)?"""
        if tuple(path[:3]) in WHITELIST:
            return path[3] == 0
        row = self.definition(path)
        created = self._modem.stored("instances", {}).get(str(path[0]), [])
        return row is not None and row[1] == "R" and path[1] in created and path[3] in self.resource_instances(path)

    def values(self, path):
        """[(path, type, text or bytes)] that a server may read at and below `path`; None: there is no such path."""
        if not self.exists(path) or path[0] == 0:
            return None
        found = []
        for instance in self.instances(path[0]):
            if len(path) > 1 and path[1] != instance:
                continue
            resources = self.definitions[path[0]]
            for number in sorted(resources):
                if "R" in resources[number][1] and (len(path) < 3 or path[2] == number):
                    found += self._readings((path[0], instance, number), resources[number])
        return found

    def _readings(self, path, row):
        found = []
        for index in self.resource_instances(path):
            text = self.get(path + (index,))
            value = unhexlify(text) if row[0] == OPAQUE else text
            found.append((path + (index,) if row[2] else path, row[0], value))
        return found

    def paths(self, path):
        """All resources below a path, for a discover."""
        found = [tuple(path)]
        for instance in self.instances(path[0]):
            if len(path) > 1 and path[1] != instance:
                continue
            found.append((path[0], instance))
            for number in sorted(self.definitions[path[0]]):
                if len(path) < 3 or path[2] == number:
                    found.append((path[0], instance, number))
        return found


def _key(path):
    return "/".join([str(part) for part in path])
