"""Object definitions for the module's /XML folder, made from the registry's table: what the module needs, 130 bytes a resource.

    sum([len(piece) for piece in pieces(3303)])        the size that AT#M2MWRITE wants beforehand
    at.send('AT#M2MWRITE="/XML/object_3303.xml",1068', prompt=">>>", data=pieces(3303))

Names and descriptions are left out: the module answers by number. One resource is in memory at a time.
"""

from lwnode.lwm2m import registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

_TYPES = ("", "String", "Opaque", "Integer", "Float", "Boolean", "Time", "Objlnk")


def pieces(object_id: int) -> "Iterator[bytes]":
    """The file in pieces; none where the registry's table lacks the object."""
    resources = registry.resources(object_id)
    if not resources:
        return
    needed = registry.resources(object_id, mandatory=True)
    yield (
        '<LWM2M><Object ObjectType="MODefinition"><Name>O%d</Name><ObjectID>%d</ObjectID><MultipleInstances>%s'
        "</MultipleInstances><Mandatory>Optional</Mandatory><Resources>" % (
            object_id, object_id, _several(registry.multiple(object_id)))
    ).encode()
    for number in resources:
        row = registry.lookup(object_id, number)
        if row is None:
            continue
        yield (
            '<Item ID="%d"><Name>R%d</Name><Operations>%s</Operations><MultipleInstances>%s</MultipleInstances><Mandatory>'
            "%s</Mandatory><Type>%s</Type></Item>" % (
                number, number, row[1], _several(row[4]), "Mandatory" if number in needed else "Optional",
                _TYPES[row[0]])
        ).encode()
    yield b"</Resources></Object></LWM2M>"


def _several(multiple: bool) -> str:
    return "Multiple" if multiple else "Single"
