"""Sensors and actuators as LwM2M objects: data model, codec, reporting rules.

    from lwnode.lwm2m import ObjectTree, Path

    tree = ObjectTree()
    tree.sensor(3303, sensor.temperature, resolution=0.1, range=(-40, 85), pmin=60, pmax=3600, deadband=0.2)
    tree.sensor(3304, sensor.humidity, resolution=1)
    tree.actuator(3306, relay.value, initial=False)

    tree.sample(clock.unix())            # reads the drivers
    tree.reports(clock.unix())           # what has to go out, each reading once
    tree.handle(request)                 # what the server asks

Knows no UART, no module and no board. What a part needs is imported when it is first used: a node without
rules, without history and without TLV loads none of them.
"""

from .model import (
    BOOLEAN as BOOLEAN,
    FLOAT as FLOAT,
    INTEGER as INTEGER,
    NONE as NONE,
    OBJLNK as OBJLNK,
    OPAQUE as OPAQUE,
    STRING as STRING,
    TIME as TIME,
    Path as Path,
    Reject as Reject,
    Request as Request,
    Response as Response,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .codec import decimal as decimal
    from .codec import pack_record as pack_record
    from .decode import decode_value as decode_value, unpack_record as unpack_record
    from .model import Record as Record, Value as Value
    from .resource import Resource as Resource
    from .sensor import Sensor as Sensor
    from .actuator import Actuator as Actuator
    from .senml import pack_senml as pack_senml
    from .tlv import decode_tlv as decode_tlv, encode_tlv as encode_tlv
    from .tree import ObjectTree as ObjectTree
    from .unpack import unpack_senml as unpack_senml

# The rest is loaded on first use: name, module.
_LATER = (
    "ObjectTree tree Resource resource Sensor sensor Actuator actuator "
    "decimal codec decode_value decode pack_record codec unpack_record decode "
    "encode_tlv tlv decode_tlv tlv pack_senml senml unpack_senml unpack"
)


def __getattr__(name: str) -> "object":
    names = _LATER.split(" ")
    for index in range(0, len(names), 2):
        if names[index] == name:
            module = __import__(__name__ + "." + names[index + 1], None, None, (name,))
            return getattr(module, name)
    if name[0] != "_":
        try:  # MicroPython asks here for submodules too: from . import codec
            return __import__(__name__ + "." + name, None, None, (name,))
        except ImportError:
            pass
    raise AttributeError("lwnode.lwm2m has no {}".format(name))
