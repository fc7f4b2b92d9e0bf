"""Sensors and actuators as LwM2M objects: data model, codec, reporting rules.

    from lwnode.lwm2m import ObjectTree, Path

    tree = ObjectTree()
    tree.sensor(3303, sensor.temperature, resolution=0.1, range=(-40, 85), pmin=60, pmax=3600, deadband=0.2)
    tree.sensor(3304, sensor.humidity, resolution=1)
    tree.actuator(3306, relay.value, initial=False)

    tree.sample(clock.unix())            # reads the drivers
    tree.reports(clock.unix())           # what has to go out, each reading once
    tree.handle(request)                 # what the server asks

Knows no UART, no module and no board. Further codec functions: values, senml. unpack_senml, encode_tlv and decode_tlv are here
where unpack and tlv are installed: `make deploy` leaves unpack out where no commands are taken, and tlv, which no node speaks.
"""

from .objects import Actuator as Actuator, Resource as Resource, Sensor as Sensor
from .senml import pack_senml as pack_senml
from .tree import ObjectTree as ObjectTree
from .values import (
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
    decimal as decimal,
    decode_value as decode_value,
    pack_record as pack_record,
    unpack_record as unpack_record,
)

try:
    from .unpack import unpack_senml as unpack_senml
    from .tlv import decode_tlv as decode_tlv, encode_tlv as encode_tlv
except ImportError:
    pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .values import Record as Record, Value as Value
