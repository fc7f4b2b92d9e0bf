"""Reading of LwM2M object definitions (DDF XML of the OMA registry, or a user's own).

    >>> definition = parse(text)
    >>> definition.object_id, definition.version, definition.resources[0].operations
    (3303, (1, 0), 'R')

A file without a licence that allows redistribution is refused: the generated table would carry its
content into somebody's firmware. The test is on the file's own words, since the registry has no
licence file and 45 of its objects carry no text at all.
"""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

TYPES = {"": 0, "String": 1, "Opaque": 2, "Integer": 3, "Unsigned Integer": 3, "Float": 4, "Boolean": 5, "Time": 6, "Objlnk": 7,
         "Corelnk": 1}
OPERATIONS = {"": 0, "R": 1, "W": 2, "RW": 3, "E": 4}
# 1.0 files write % where later ones write SenML's /100, and KB where no SenML unit exists.
UNITS = {"%": "/100", "KB": ""}
UNSIGNED_LIMIT = 0x7FFFFFFF
LOWEST = 0x7FFF
HIGHEST = 0x7FFFFFFE


class Refused(Exception):
    """The file cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Resource:
    id: int
    name: str
    type: int
    operations: str
    multiple: bool
    mandatory: bool
    unit: str
    range: "tuple[int, int] | None"  # of the length in bytes for strings and opaques


@dataclass
class Definition:
    object_id: int
    name: str
    version: "tuple[int, int]"
    multiple: bool
    resources: "list[Resource]"
    licence: str  # "BSD-3-Clause" or "Apache-2.0"
    holders: "list[str]"
    notice: str
    warnings: "list[str]" = field(default_factory=list)


def parse(text: str, where: str = "XML") -> Definition:
    """One object definition; Refused with a sentence if it is malformed or its licence does not allow use."""
    licence, holders, notice = read_licence(text, where)
    try:
        root = ElementTree.fromstring(text.lstrip("\ufeff").strip())
    except ElementTree.ParseError as error:
        raise Refused(f"{where}: not well-formed XML ({error})") from error
    node = root if root.tag == "Object" else root.find("Object")
    if node is None:
        raise Refused(f"{where}: no <Object> element; a file of the OMA registry's DDF form was expected")
    warnings: "list[str]" = []
    try:
        resources = [_resource(item, warnings) for item in node.findall("Resources/Item")]
        major, _, minor = (_text(node, "ObjectVersion") or "1.0").partition(".")
        definition = Definition(object_id=int(_text(node, "ObjectID")), name=_text(node, "Name"),
                                version=(int(major), int(minor or 0)), multiple=_text(node, "MultipleInstances") == "Multiple",
                                resources=sorted(resources, key=lambda resource: resource.id), licence=licence, holders=holders,
                                notice=notice)
    except ValueError as error:
        raise Refused(f"{where}: {error}") from error
    _check(definition, where)
    definition.warnings = [f"{where}: {warning}" for warning in warnings]
    return definition


def _text(node: ElementTree.Element, tag: str) -> str:
    return (node.findtext(tag) or "").strip()


def _check(definition: Definition, where: str) -> None:
    if not 0 <= definition.object_id <= 65534:
        raise Refused(f"{where}: object id {definition.object_id} is outside 0 to 65534")
    if max(definition.version) > 15:
        raise Refused(f"{where}: object version {definition.version} does not fit; 15.15 is the highest")
    ids = [resource.id for resource in definition.resources]
    if not ids:
        raise Refused(f"{where}: object {definition.object_id} has no resources")
    for id in ids:
        if ids.count(id) > 1:
            raise Refused(f"{where}: resource {id} is defined twice")


def _resource(item: ElementTree.Element, warnings: "list[str]") -> Resource:
    id = int(item.get("ID", "-1"))
    type_name = _text(item, "Type")
    operations = _text(item, "Operations")
    if not 0 <= id <= 65534:
        raise ValueError(f"resource id {id} is outside 0 to 65534")
    if type_name not in TYPES:
        raise ValueError(f"resource {id} has the unknown type {type_name!r}")
    if operations not in OPERATIONS:
        raise ValueError(f"resource {id} has the unknown operations {operations!r}")
    if "E" not in operations and not type_name:
        raise ValueError(f"resource {id} can be read or written but has no type")
    unit = _text(item, "Units")
    limits = _range(_text(item, "RangeEnumeration"), type_name)
    if _text(item, "RangeEnumeration") and limits is None:
        warnings.append(f"resource {id}: range {_text(item, 'RangeEnumeration')!r} is prose, not checked")
    if limits is None and type_name == "Unsigned Integer":
        limits = (0, UNSIGNED_LIMIT)
    return Resource(id=id, name=_text(item, "Name"), type=0 if operations == "E" else TYPES[type_name], operations=operations,
                    multiple=_text(item, "MultipleInstances") == "Multiple", mandatory=_text(item, "Mandatory") == "Mandatory",
                    unit=UNITS.get(unit, unit), range=limits)


def _range(text: str, type_name: str) -> "tuple[int, int] | None":
    """RangeEnumeration is free text: 0..100, 0-100, -110..-48 and "32 bytes" mean something, prose does not."""
    if type_name in ("Boolean", "Objlnk", "Time", ""):
        return None
    lengths = type_name in ("String", "Opaque", "Corelnk")
    match = re.fullmatch(r"(-?\d+)\s*(?:\.\.|-)\s*(-?\d+)(\s*bytes)?", text)
    if match and (lengths or not match.group(3)):
        low, high = int(match.group(1)), int(match.group(2))
    else:
        match = re.fullmatch(r"(\d+)\s*bytes?", text)
        if not (match and lengths):
            return None
        low, high = 0, int(match.group(1))
    return (low, high) if low <= high <= HIGHEST and abs(low) <= LOWEST else None


def read_licence(text: str, where: str) -> "tuple[str, list[str], str]":
    """(licence, copyright holders, notice) by the file's own words; Refused if they grant nothing."""
    comments = " ".join(re.findall(r"<!--(.*?)-->", text, re.S))
    words = " ".join(comments.split())
    holders = [" ".join(line.split()) for line in re.findall(r"(?m)^[\s#*]*(Copyright(?: \(c\))? \d{4}[^\n]*)", comments)]
    bsd = "Redistribution and use in source and binary forms" in words and (
        "Neither the name of the copyright holder" in words or "BSD-3" in words)
    apache = "Apache License" in words and ("Version 2.0" in words or "apache.org/licenses/LICENSE-2.0" in words)
    if bsd and holders:
        return "BSD-3-Clause", holders, _bsd_notice(comments)
    if apache:
        return "Apache-2.0", holders, ""
    raise Refused(
        f"{where}: carries neither a BSD-3-Clause nor an Apache-2.0 text, so its content may not be passed on. "
        "Ask its author for one of them, or write a definition of your own with its licence on top"
    )


def _bsd_notice(comments: str) -> str:
    start = comments.index("Redistribution and use")
    end = comments.find("POSSIBILITY OF SUCH DAMAGE", start)
    text = comments[start : end + len("POSSIBILITY OF SUCH DAMAGE.")] if end > 0 else comments[start:]
    return "\n".join(line.strip() for line in text.strip().splitlines())
