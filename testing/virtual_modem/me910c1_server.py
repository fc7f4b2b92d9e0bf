"""ME910C1: what the server asks, answered by the module; notifications by itself; MON, NFYACK and FOTA URCs.

    server writes /3306/0/5850     204 by the module, and where object 3306 is monitored: #LWM2MMON: UPD,"/3306/0/5850/0"
    host sets /3303/0/5700         observed: a notification within pmin and pmax, then #LWM2MNFYACK: 0,99,"/3303/0/5700","ACK"

Reads and observations never reach the host, nor do executions, except of the module's own resources: 3/0/4 and 3/0/5
restart it after #LWM2MINFO, 1/0/4 suspends it, 5/0/2 passes the FOTA gate (Telit manual, 3.1.2, 3.1.3, 3.1.12, 3.1.15).
"""

from testing.lwm2m import codec
from testing.lwm2m.names import FLOAT, INTEGER, OCTET_STREAM, TIME, path_text
from testing.virtual_modem.me910c1_fota import TelitFota
from testing.virtual_modem.me910c1_values import SERVICES, text_of

_MINE = (1, 3, 4, 5, 7)  # objects whose resources can do something here


class TelitServer(TelitFota):
    """The server's side."""

    OPTIONS = dict(TelitFota.OPTIONS)
    OPTIONS.update(
        {
            "custom_execute": 204,  # what an Execute of an uploaded object's resource is answered: nothing happens
        }
    )

    def __init__(self, clock, link, nvram=None, **options):
        link.on_request = self._asked
        super().__init__(clock, link, nvram, **options)

    def live_value(self, path):
        """The text of a resource that the module itself knows; None for the others."""
        table = self.options
        if path[3] != 0 or path[0] not in _MINE:
            return None
        return {
            (3, 0): "Telit",
            (3, 1): table["model"],
            (3, 2): table["imei"],
            (3, 3): table["revision"],
            (3, 13): str(self.unix()),
            (3, 16): "U",
            (4, 0): "6",
            (4, 1): "6",
            (4, 2): str(-140 + min(97, 2 * table["rssi"])),
            (4, 4): table["address"],
            (5, 3): str(self.stored("fota_state", 0)),
            (5, 5): str(self.stored("fota_result", 0)),
        }.get((path[0], path[2]))

    # ---- requests

    def _asked(self, request):
        if self.state_name != "on" or self.waits_for_page(lambda: self._asked(request)):
            return
        self.activity()
        if self.status == "ACTIVE":
            self._arm_release()
        if self.link.refused(request):
            return
        answer = getattr(self, "_server_" + request.operation, None)
        if answer is None:
            self.link.respond(request, 405)
        elif request.path and request.path[0] == 0:
            self.link.respond(request, 401)
        else:
            answer(request)

    def _server_read(self, request):
        values = self.objects.values(request.path)
        if values is None:
            self.link.respond(request, 404)
        elif not values and len(request.path) == 3:
            self.link.respond(request, 405)
        else:
            self.link.respond(request, 205, values)

    def _server_observe(self, request):
        values = self.objects.values(request.path)
        if values is None or not values and len(request.path) == 3:
            self.link.respond(request, 404 if values is None else 405)
            return
        self.link.respond(request, 205, values)
        watch = {"sent": self.clock.now, "timer": None, "due": None, "flying": False, "dirty": False}
        self._watches[tuple(request.path)] = watch
        self._arm_longest(tuple(request.path), watch)

    def _server_cancel(self, request):
        watch = self._watches.pop(tuple(request.path), None)
        if watch is not None:
            self._stop(watch["timer"])
        self.link.respond(request, 205, self.objects.values(request.path) or ())

    def _server_discover(self, request):
        if not self.objects.exists(request.path):
            self.link.respond(request, 404)
            return
        self.link.respond(request, 205, [(path, INTEGER, "0") for path in self.objects.paths(request.path)])

    def _server_write_attributes(self, request):
        if not self.objects.exists(request.path):
            self.link.respond(request, 404)
            return
        path, names = request.path, [part.partition("=")[0] for part in request.query]
        numeric = len(path) == 3 and self.objects.type_of(path[0], path[2]) in (INTEGER, FLOAT, TIME)
        if not numeric and ("gt" in names or "lt" in names or "st" in names):
            self.link.respond(request, 400)  # TS 1.0.2, 5.1.2
            return
        self.link.respond(request, 204)
        for path in self._watches:
            self._arm_longest(path, self._watches[path])

    def _server_create(self, request):
        try:
            readings = self._readings(request)
        except ValueError:
            self.link.respond(request, 400)
            return
        number = request.path[0]
        taken = self.objects.instances(number)
        instance = readings[0].path[1] if readings else 0
        if instance in taken:
            instance = max(taken) + 1
        if number < 7 or not self.objects.create(number, instance):
            self.link.respond(request, 405 if number in self.objects.definitions else 404)
            return
        self.link.respond(request, 201)
        for reading in readings:
            self._keep((number, instance) + tuple(reading.path[2:]), reading)
        self.objects_changed()

    def _server_delete(self, request):
        if len(request.path) != 2 or not self.objects.delete(request.path[0], request.path[1]):
            self.link.respond(request, 405)
            return
        self.link.respond(request, 202)
        self.objects_changed()

    # ---- writes

    def _readings(self, request):
        kind = OCTET_STREAM if request.content_format is None else request.content_format
        return codec.decode(kind, request.path, request.payload, types=self.objects.type_of)

    def _server_write(self, request):
        if len(request.path) < 2 or not self.objects.exists(request.path[:3]):
            self.link.respond(request, 404 if len(request.path) > 1 else 405)
            return
        try:
            readings = self._readings(request)
        except ValueError:
            self.link.respond(request, 400)
            return
        for reading in readings:
            row = self.objects.definition(reading.path)
            if row is None or "W" not in row[1]:
                self.link.respond(request, 404 if row is None else 405)
                return
            if reading.path[0] == 1 and not self._account_fits(reading.path[2], reading.value):
                self.link.respond(request, 400)
                return
        self.link.respond(request, 204)
        for reading in readings:
            self._keep(tuple(reading.path), reading)

    def _keep(self, path, reading):
        row = self.objects.definition(path)
        if row is None:
            return
        full = path if len(path) == 4 else path + (0,)
        changed = self.objects.put(full, text_of(row[0], reading.value))
        if changed:
            self.changed(full)
        if path[0] == 1:
            self._account_written(path[2], reading.value)
        elif path[:3] == (5, 0, 1):
            self._package_uri(str(reading.value))

    @staticmethod
    def _account_fits(resource, value):
        """TS 1.0.2 E.2; numbers of the module have 32 bits (3.1.9)."""
        if resource == 7:
            return value in ("U", "UQ", "S", "SQ", "US", "UQS")
        return resource not in (1, 2, 3, 5) or (resource == 1) <= value <= 0x7FFFFFFF

    def _account_written(self, resource, value):
        if resource == 1:
            self._arm_update()
            self.demand("UPD", lambda: self.update(lifetime=int(value)))
        elif resource == 7:
            self.demand("UPD", lambda: self.update(binding=value))

    def changed(self, path):
        """A value is another one now: the URC for monitored objects (also of the host's own changes), the notification."""
        if path[0] in self.monitored:
            self.urc('#LWM2MMON: UPD,"%s"' % path_text(path))
        if path[0] == SERVICES and self.options["services_effective"] == "now":
            self.services = self._services_stored()
        for watched in sorted(self._watches):
            if path[: len(watched)] == watched:
                self._change_seen(watched)

    # ---- executions

    def _server_execute(self, request):
        row = self.objects.definition(request.path) if len(request.path) == 3 else None
        if row is None or "E" not in row[1]:
            self.link.respond(request, 404 if row is None and len(request.path) == 3 else 405)
            return
        if request.path[0] not in _MINE and request.path[0] != 2:
            self.link.respond(request, self.options["custom_execute"])
            return
        if request.path == (5, 0, 2) and self.stored("fota_state", 0) != 2:
            self.link.respond(request, 405)
            return
        self.link.respond(request, 204)
        self.execute(request.path)

    def execute(self, path):
        """What the module's own executable resources do."""
        if path == (3, 0, 4) or path == (3, 0, 5):
            self._reboot_by_server(path == (3, 0, 5))
        elif path == (1, 0, 4):
            self.suspend()
        elif path == (1, 0, 8):
            self.demand("UPD", self.update)
        elif path == (1, 0, 9):
            self._bootstrap_again()
        elif path == (5, 0, 2):
            self._gate("UPDATE")

    def _reboot_by_server(self, factory):
        self.urc('#LWM2MINFO: "GEN","DEVICE REBOOT"')
        if factory:
            self.objects.reset()
            self.nvram.pop("dm", None)
            self.nvram["account"] = {}
        self.after(500, self.restart)

    def _bootstrap_again(self):
        if not self.first_server()[1]:
            return
        self.nvram.pop("dm", None)
        self.registered = False
        self._tries = self.options["tries"]
        self.demand("REG", lambda: self.after(100, self._bootstrap))
