"""Which type a resource has: what a server must know, because TLV (LwM2M 1.0) does not carry types.

    type_of(3303, 5700) -> FLOAT          type_of(9999, 1) -> OPAQUE (unknown: bytes as they came)

Facts from the OMA registry: the reusable resources (5500..6053) have one type in every object that uses them, so one
table by resource id serves; objects 0..7, 9, 11, 19 and the node's own count their resources from 0 and have a row each.
Kept apart from lib's registry on purpose: a server that shares the node's tables would share its mistakes.
"""

from testing.lwm2m.names import BOOLEAN, FLOAT, INTEGER, NONE, OBJLNK, OPAQUE, STRING, TIME

# One letter per resource from 0 on: s string, o opaque, i integer, f float, b boolean, t time, l link, x execute
_OBJECTS = {
    0: "sbioooioosiii",
    1: "iiiixibsxx",
    2: "iiii",
    3: "ssssxxiiiiiixtssssssiil",
    4: "iiiissisiii",
    5: "osxibissii",
    6: "ffffotf",
    7: "iiiiiixxi",
    9: "ssosxlxibixxblss",
    11: "ssbbiss",
    19: "oitssi",
    26250: "iisib",  # docs/objects
    26251: "iiiiiisiiisiis",
    26252: "ssiisioi",
}
_LETTERS = {"s": STRING, "o": OPAQUE, "i": INTEGER, "f": FLOAT, "b": BOOLEAN, "t": TIME, "l": OBJLNK, "x": NONE}

_REUSABLE = (
    (
        FLOAT,
        "5507 5508 5509 5510 5511 5512 5513 5519 5520 5521 5524 5525 5531 5536 5537 5538 5544 5548 5600 5601 5602 5603"
        " 5604 5650 5700 5702 5703 5704 5705 5800 5801 5802 5803 5804 5805 5806 5810 5811 5812 5813 5814 5815 5816 5820"
        " 5821 5900 6050 6051 6052 6053",
    ),
    (BOOLEAN, "5500 5502 5532 5533 5543 5550 5551 5850"),
    (
        INTEGER,
        "5501 5503 5504 5526 5528 5529 5534 5541 5542 5545 5546 5547 5825 5826 5827 5828 5851 5852 5854 5903 5904"
        " 5910 6042 6049",
    ),
    (TIME, "5506 5518 5824"),
    (STRING, "5514 5515 5516 5527 5701 5706 5750 5751 5823 5853 5912"),
    (OPAQUE, "5517 5522"),
    (NONE, "5505 5523 5530 5605 5822 5911"),
)
_BY_RESOURCE = {}
for _type, _ids in _REUSABLE:
    for _id in _ids.split():
        _BY_RESOURCE[int(_id)] = _type


def type_of(object_id, resource_id):
    """The type of a resource as one of the type numbers of `link`; OPAQUE where the table does not know it."""
    letters = _OBJECTS.get(object_id)
    if letters is not None:
        return _LETTERS[letters[resource_id]] if resource_id < len(letters) else OPAQUE
    return _BY_RESOURCE.get(resource_id, OPAQUE)
