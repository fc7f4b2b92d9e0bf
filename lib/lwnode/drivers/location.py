"""A place as a row: whoever knows it hands it in, a receiver on a UART (nmea.py), the module's own, a person who installs.

    place = location.add(tree)                       # object 3336; object_id=6 where no module keeps that: BC20, BG96
    place.fix("52.517038", "13.388860")              # told with the next sample, kept over sleep
    place.fix(52.5, 13.4, {5705: 270})               # further resources of the object by id

Decimal text, since a 32-bit float is some metres wide at 180 degrees. It goes out where it changed and once a day (pmax).
Before the first fix there is no reading: counted, and told as error 3 of the device object.
"""

from lwnode.drivers.shared import merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Place:
    """The last place known, in a state that survives sleep (ObjectTree.state)."""

    def __init__(self, state: "dict[str, Any]") -> None:
        self._state = state
        self._more: "dict[int, Any]" = {}

    def fix(self, latitude: "float | str", longitude: "float | str", more: "dict[int, Any] | None" = None) -> None:
        """Take a place in degrees, north and east positive. ValueError where there is none such."""
        if not -90 <= float(latitude) <= 90 or not -180 <= float(longitude) <= 180:
            raise ValueError("no place on earth: latitude {}, longitude {}".format(latitude, longitude))
        self._state["at"] = [str(latitude), str(longitude)]
        self._more = more or {}

    def values(self, ids: "tuple[int, int]") -> "dict[int, Any]":
        """What the row reads."""
        if "at" not in self._state:
            raise ValueError("no place is known yet: fix() was not called")
        found: "dict[int, Any]" = dict(zip(ids, self._state["at"]))
        found.update(self._more)
        return found


def add(tree: "Any", object_id: int = 3336, instance: int = 0, **row: "Any") -> Place:
    """Add a row of object 3336 or 6, and return the place that it tells."""
    place = Place(tree.state("place/{}".format(instance)))
    ids = (0, 1) if object_id == 6 else (5514, 5515)
    tree.sensor(object_id, lambda: place.values(ids), instance, **merged(row, pmax=86400))
    return place
