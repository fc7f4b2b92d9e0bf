"""Objects that a module's own LwM2M client serves: Server (1), Device (3), Connectivity Monitoring (4), Firmware (5)...

    objects = Builtin(modem, manufacturer="Quectel", model="BC66", objects=(1, 3))
    objects.values((3, 0))              -> [((3, 0, 0), STRING, "Quectel"), ...]   None: no such path
    objects.answer(request)             responds; modem.server_wrote(path, value), or its EXECUTES[path](modem), follows

The modem has session() (lifetime, binding), may_execute(path), EXECUTES, options, nvram, link, radio_counters(). What a server
writes is kept in nvram until `forget()`, a factory reset; lifetime and binding (1/0/1, 1/0/7) are the modem's own matter.

Only what a module can know is there; a resource that it does not have is answered 4.04.
Access to resources: LwM2M TS 1.0.2, appendix E.
"""

from testing.lwm2m import codec
from testing.lwm2m.names import NONE, OCTET_STREAM, OPAQUE, TEXT_PLAIN, path_text
from testing.lwm2m.resource_types import type_of
from testing.virtual_modem.radio import Declined

# 3/0/13 is not among them: the network sets the clock of these modules.
_WRITABLE = {1: (1, 2, 3, 5, 6, 7), 3: (14, 15), 5: (0, 1), 10: (), 11: (1, 2)}
_SESSION = ((1, 0, 1), (1, 0, 7))
# Minimum and maximum period, disable timeout, storing.
_SERVER = {"1/0/2": 1, "1/0/3": 3600, "1/0/5": 86400, "1/0/6": False}
_EXECUTABLE = {1: (4, 8, 9), 3: (4, 5, 12), 5: (2,), 7: (6, 7)}


class Builtin:
    """The values of these objects, read from the modem when asked."""

    def __init__(self, modem, manufacturer, model, objects, may_write=lambda path: True):
        self._modem = modem
        self._manufacturer = manufacturer
        self._model = model
        self.objects = tuple(objects)
        self._may_write = may_write
        self.firmware = {1: "", 3: 0, 5: 0}

    def has(self, object_id):
        """True for an object of the module's own."""
        return object_id in self.objects

    def kept(self, path):
        """What a server wrote to this resource, else its default; None where there is neither."""
        key = path_text(path)[1:]
        return self._modem.nvram.get("server_wrote", {}).get(key, _SERVER.get(key))

    def keep(self, path, value):
        """Keep what a server wrote."""
        if path == (5, 0, 1):
            self.firmware[1] = value
        elif path[0] != 5 and path not in _SESSION:
            self._modem.stored("server_wrote", {})[path_text(path)[1:]] = value

    def forget(self):
        """A factory reset."""
        self._modem.nvram.pop("server_wrote", None)

    def _table(self, number):
        """[(resource, value)] of an object; None where the module has no value."""
        modem, options = self._modem, self._modem.options
        strings, session, tenths = modem.nvram.get("device", {}), modem.session(), modem.radio_counters()

        def written(resource):
            return self.kept((number, 0, resource))

        apn, automatic = written(1), written(2)
        return {
            1: [(0, 1), (1, session["lifetime"]), (2, written(2)), (3, written(3)), (5, written(5)), (6, int(written(6) or 0)),
                (7, session["binding"])],
            3: [(0, strings.get("0", self._manufacturer)), (1, strings.get("1", self._model)),
                (2, strings.get("2", options["imei"])), (3, options["revision"]), (7, options["battery_mv"]), (11, 0),
                (13, modem.unix()), (14, written(14)), (15, written(15)), (16, session["binding"])],
            4: [(0, 7), (1, 7), (2, -140 + min(97, 2 * options["rssi"])), (4, options["address"]), (8, 47141171),
                (9, options["imsi"][3:5]), (10, options["imsi"][:3])],
            5: sorted(self.firmware.items()),
            6: [(0, 31.1), (1, 121.4), (5, modem.unix())],
            7: [(2, tenths[2] // 10), (3, tenths[1] // 10)],
            11: [(0, "default"), (1, modem.nvram.get("apn", "") if apn is None else apn),
                 (2, None if automatic is None else int(automatic))],
            16: [(0, "")],
        }.get(number, ())

    def values(self, path):
        """[(path, type, text)] at and below `path`; None where there is nothing."""
        if len(path) > 1 and path[1] != 0:
            return None
        found = [((path[0], 0, resource), type_of(path[0], resource), str(value)) for resource, value in self._table(path[0])
                 if value is not None and (len(path) < 3 or path[2] == resource)]
        return found if found or len(path) < 3 else None

    def links(self, path):
        """Values whose paths a discover lists."""
        found = list(self.values(path) or ())
        if len(path) < 3:
            found += [((path[0], 0, resource), NONE, "") for resource in _EXECUTABLE.get(path[0], ())]
        return found

    def answer(self, request):
        """Answer a request for one of these objects; the modem acts on what was written or executed."""
        operation, path, modem = request.operation, request.path, self._modem
        if path[0] == 0:
            raise Declined(401)  # the Security object is no server's business (TS 1.0.2, E.1)
        if operation in ("read", "observe", "cancel", "discover", "write_attributes"):
            values = self.links(path) if operation == "discover" else self.values(path)
            if self.values(path) is None:
                raise Declined(404)
            modem.link.respond(request, *((204,) if operation == "write_attributes" else (205, values)))
        elif operation == "write":
            changes = self.write(request)
            modem.link.respond(request, 204)
            for changed, value in changes:
                self.keep(changed, value)
                modem.server_wrote(changed, value)
        elif operation == "execute" and self.executable(path) and modem.may_execute(path):
            modem.link.respond(request, 204)
            if path in modem.EXECUTES:
                modem.EXECUTES[path](modem)
        else:
            raise Declined(405)

    def executable(self, path):
        """True when the server may execute this path."""
        return len(path) == 3 and path[1] == 0 and path[2] in _EXECUTABLE.get(path[0], ())

    def write(self, request):
        """What a write changes, as [(path, value)]."""
        path = request.path
        if len(path) < 2 or path[1] != 0:
            raise Declined(405)
        readings = codec.decode(request.content_format or 0, path, request.payload)
        for reading in readings:
            if reading.path[2] not in _WRITABLE.get(path[0], ()) or not self._may_write(reading.path):
                raise Declined(405)
            if path[0] == 1 and not _fits(reading.path[2], reading.value):
                raise Declined(400)
        return [(reading.path, reading.value) for reading in readings]


def _fits(resource, value):
    """A value of the Server object."""
    if resource == 7:
        return value in ("U", "UQ")
    return resource not in (1, 2, 3, 5) or (20 if resource == 1 else 0) <= value <= (31536000 if resource == 1 else 0x7FFFFFFF)


def raw_values(request):
    """[(path of a resource, bytes)] of a write to a pipe."""
    if request.content_format in (None, TEXT_PLAIN, OCTET_STREAM):
        return [((tuple(request.path) + (0, 0))[:3], request.payload)]
    return codec.decode_raw(request.content_format, request.path, request.payload)


class Pipe:
    """Objects whose bytes the module hands on as they are: a part of those models that have such.

    They have pipe_observed(path, cancelled), pipe_down(path, bytes, content format), and pipe_code(values): what a write
    of those is answered, 204 unless there is a reason.
    """

    def piped(self, request):
        """Answer a request, and tell the host."""
        operation = request.operation
        if operation in ("observe", "cancel"):
            place = (tuple(request.path) + (0, 0))[:3]
            self.link.respond(request, 205, [(place, OPAQUE, b"")] if operation == "observe" else ())
            self.pipe_observed(request.path, operation == "cancel")
        elif operation == "write":
            values = raw_values(request)
            code = self.pipe_code(values) if values else 400
            self.link.respond(request, code)
            for path, raw in values if code == 204 else ():
                self.pipe_down(path, raw, request.content_format)
        else:
            raise Declined(405)  # nobody can be asked for a value

    def pipe_code(self, values):
        """See the class."""
        return 204
