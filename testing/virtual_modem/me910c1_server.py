"""ME910C1: what the server asks, answered by the module; notifications by itself, within pmin and pmax.

    server writes /3306/0/5850     204 by the module, and where object 3306 is monitored: #LWM2MMON: UPD,"/3306/0/5850/0"
    host sets /3303/0/5700         observed: a notification within pmin and pmax, then #LWM2MNFYACK: 0,99,"/3303/0/5700","ACK"

Reads and observations never reach the host, nor do executions, except of the module's own resources: 3/0/4 and 3/0/5
restart it after #LWM2MINFO, 1/0/4 suspends it, 5/0/2 passes the FOTA gate (Telit manual, 3.1.2, 3.1.3, 3.1.12, 3.1.15).
"""

from testing.lwm2m import codec
from testing.lwm2m.names import FLOAT, INTEGER, OCTET_STREAM, TIME, path_text
from testing.virtual_modem.core import joined
from testing.virtual_modem.me910c1_agent import TelitAgent
from testing.virtual_modem.me910c1_objects import SERVICES, text_of
from testing.virtual_modem.radio import Declined

_MINE = (1, 3, 4, 5, 7)  # objects whose resources can do something here
_WEEK_MS = 7 * 86400 * 1000


class TelitServer(TelitAgent):
    """The server's side."""

    OPTIONS = joined(TelitAgent.OPTIONS, {
        "custom_execute": 204,  # what an Execute of an uploaded object's resource is answered: nothing happens
        "notify_ms": 100,  # changes that follow each other so closely share a notification
        "confirm": True,  # notifications are confirmable
        "fota_ms": 20000,  # download or application: "from a few seconds up to a couple of minutes" (3.1.13)
        "fota_revision": "30.00.xx9",  # what runs after an update
    })

    def __init__(self, clock, link, nvram=None, **options):
        if nvram and "revision" in nvram:
            options["revision"] = nvram["revision"]  # a firmware update outlives everything
        self._watches = {}
        super().__init__(clock, link, nvram, **options)

    def live_value(self, path):
        """The text of a resource that the module itself knows; None for the others."""
        table = self.options
        if path[3] != 0 or path[0] not in _MINE:
            return None
        return {(3, 0): "Telit", (3, 1): table["model"], (3, 2): table["imei"], (3, 3): table["revision"],
                (3, 13): str(self.unix()), (3, 16): "U", (4, 0): "6", (4, 1): "6",
                (4, 2): str(-140 + min(97, 2 * table["rssi"])), (4, 4): table["address"],
                (5, 3): str(self.stored("fota_state", 0)), (5, 5): str(self.stored("fota_result", 0))}.get((path[0], path[2]))

    # ---- requests

    def serve(self, request):
        """By the objects that the module holds; no other than the Security object is a server's business."""
        if self.status == "ACTIVE":
            self._arm_release()
        answer = getattr(self, "_server_" + request.operation, None)
        if answer is None or request.path and request.path[0] == 0:
            raise Declined(405 if answer is None else 401)
        answer(request)

    def _server_read(self, request):
        values = self.objects.values(request.path)
        if values is None or not values and len(request.path) == 3:
            raise Declined(404 if values is None else 405)
        self.link.respond(request, 205, values)

    def _server_observe(self, request):
        self._server_read(request)
        watch = {"sent": self.clock.now, "timer": None, "due": None, "flying": False, "dirty": False}
        self._watches[tuple(request.path)] = watch
        self._arm_longest(tuple(request.path), watch)

    def _server_cancel(self, request):
        watch = self._watches.pop(tuple(request.path), None)
        if watch is not None:
            self._stop(watch["timer"])
        self.link.respond(request, 205, self.objects.values(request.path) or ())

    def _there(self, path):
        if not self.objects.exists(path):
            raise Declined(404)

    def _server_discover(self, request):
        self._there(request.path)
        self.link.respond(request, 205, [(path, INTEGER, "0") for path in self.objects.paths(request.path)])

    def _server_write_attributes(self, request):
        self._there(request.path)
        path, names = request.path, [part.partition("=")[0] for part in request.query]
        numeric = len(path) == 3 and self.objects.type_of(path[0], path[2]) in (INTEGER, FLOAT, TIME)
        if not numeric and ("gt" in names or "lt" in names or "st" in names):
            raise Declined(400)  # TS 1.0.2, 5.1.2
        self.link.respond(request, 204)
        for path in self._watches:
            self._arm_longest(path, self._watches[path])

    def _server_create(self, request):
        readings = self._readings(request)
        number = request.path[0]
        taken = self.objects.instances(number)
        instance = readings[0].path[1] if readings else 0
        if instance in taken:
            instance = max(taken) + 1
        if number < 7 or not self.objects.create(number, instance):
            raise Declined(405 if number in self.objects.definitions else 404)
        self.link.respond(request, 201)
        for reading in readings:
            self._keep((number, instance) + tuple(reading.path[2:]), reading)
        self.objects_changed()

    def _server_delete(self, request):
        if len(request.path) != 2 or not self.objects.delete(request.path[0], request.path[1]):
            raise Declined(405)
        self.link.respond(request, 202)
        self.objects_changed()

    # ---- writes

    def _readings(self, request):
        kind = OCTET_STREAM if request.content_format is None else request.content_format
        return codec.decode(kind, request.path, request.payload, types=self.objects.type_of)

    def _server_write(self, request):
        if len(request.path) < 2:
            raise Declined(405)
        self._there(request.path[:3])
        readings = self._readings(request)
        for reading in readings:
            row = self.objects.definition(reading.path)
            if row is None or "W" not in row[1]:
                raise Declined(404 if row is None else 405)
            if reading.path[0] == 1 and not self._account_fits(reading.path[2], reading.value):
                raise Declined(400)
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
            raise Declined(404 if row is None and len(request.path) == 3 else 405)
        if request.path[0] not in _MINE and request.path[0] != 2:
            raise Declined(self.options["custom_execute"])
        if request.path == (5, 0, 2) and self.stored("fota_state", 0) != 2:
            raise Declined(405)
        self.link.respond(request, 204)
        self.execute(request.path)

    def execute(self, path):
        """What the module's own executable resources do."""
        if path in self.EXECUTES:
            self.EXECUTES[path](self)

    def _reboot_by_server(self):
        self.urc('#LWM2MINFO: "GEN","DEVICE REBOOT"')
        self.after(500, self.restart)

    def _factory_reset(self):
        self.objects.reset()
        self.nvram.pop("dm", None)
        self.nvram["account"] = {}
        self._reboot_by_server()

    def _bootstrap_again(self):
        if self.first_server()[1]:
            self.nvram.pop("dm", None)
            self.registered = False
            self._tries = self.options["tries"]
            self.demand("REG", lambda: self.after(100, self._bootstrap))

    EXECUTES = {(3, 0, 4): _reboot_by_server, (3, 0, 5): _factory_reset, (1, 0, 4): lambda m: m.suspend(),
                (1, 0, 8): lambda m: m.demand("UPD", m.update), (1, 0, 9): _bootstrap_again,
                (5, 0, 2): lambda m: m._gate("UPDATE")}

    # ---- notifications, by gt, lt and st; the URC of their acknowledgement (3.1.15)

    def went_down(self, state):
        if state == "off" or not self.options["psm_keeps"]:
            self._watches = {}
        super().went_down(state)

    def booted(self, woken):
        super().booted(woken)
        if self.nvram.get("fota_gate"):
            self._open_gate(self.nvram["fota_gate"])  # a gate that was shut at a reboot is shut after it
        for path in sorted(self._watches):
            watch = self._watches[path]
            pending, watch["dirty"], watch["flying"] = watch["dirty"], False, False
            if pending:
                self._change_seen(path)
            else:
                self._arm_longest(path, watch)

    def on_registered(self):
        for watch in self._watches.values():
            self._stop(watch["timer"])
        self._watches = {}

    def _attribute(self, path, name, default):
        """An attribute by the nearest level that has it, else the default of the Server object."""
        for length in range(len(path), 0, -1):
            kept = self.link.attributes.get(tuple(path[:length]), {})
            if name in kept:
                return float(kept[name])
        return float(self.objects.get((1, 0, default, 0))) if default else None

    def _change_seen(self, path):
        watch = self._watches[path]
        if watch["dirty"] or not self._worth(path, watch):
            return
        watch["dirty"] = True
        shortest = int(self._attribute(path, "pmin", 2) * 1000)
        due = max(self.clock.now + self.options["notify_ms"], watch["sent"] + shortest)
        # The host is asked for its ACK some time ahead of what pmin holds back.
        ring = max(self.options["notify_ms"], due - self.clock.now - (self.guard_request * 1000 if self.mode else 0))
        watch["due"] = due
        self._stop(watch["timer"])
        watch["timer"] = self.after(ring, lambda: self._notify_due(path))

    def _worth(self, path, watch):
        """gt, lt and st of a single resource (TS 1.0.2, 5.1.2)."""
        names = {name: self._attribute(path, name, 0) for name in ("gt", "lt", "st")}
        if len(path) < 3 or not any([value is not None for value in names.values()]):
            return True
        try:
            now = float(self.objects.get(path + (0,)))
        except ValueError:
            return True
        before = watch.get("value")
        if before is None:
            return True
        for name in ("gt", "lt"):
            if names[name] is not None and (now > names[name]) != (before > names[name]):
                return True
        return names["st"] is not None and abs(now - before) >= names["st"]

    def _arm_longest(self, path, watch):
        if watch["dirty"]:
            return
        self._stop(watch["timer"])
        self._remember(path, watch)
        longest = self._attribute(path, "pmax", 3)
        if longest:
            wait = max(1, watch["sent"] + int(longest * 1000) - self.clock.now)
            watch["timer"] = self.after(wait, lambda: self._notify_due(path))

    def _remember(self, path, watch):
        if len(path) == 3:
            try:
                watch["value"] = float(self.objects.get(path + (0,)))
            except ValueError:
                watch["value"] = None

    def _notify_due(self, path):
        if path in self._watches and self.registered:
            self.demand("NOT", lambda: self._notify_when_due(path))

    def _notify_when_due(self, path):
        watch = self._watches.get(path)
        if watch is None:
            return
        left = (watch["due"] or 0) - self.clock.now
        if left > 0:
            self.after(left, lambda: self._notify(path))
        else:
            self._notify(path)

    def _notify(self, path):
        watch = self._watches.get(path)
        if watch is None or not self.registered:
            return
        if watch["flying"]:
            watch["dirty"] = "again"
            return
        values = self.objects.values(path)
        if values is None:
            del self._watches[path]
            return
        watch["flying"], watch["dirty"], watch["due"] = True, False, None
        watch["sent"] = self.clock.now
        self._arm_longest(path, watch)
        carried = [value[0][:3] for value in values]
        told = self.exchange(lambda code: self._notified(path, carried, code))
        self.link.notify(path, values, self.options["confirm"], told)

    def _notified(self, path, carried, code):
        watch = self._watches.get(path)
        if code == -1:
            self._watches.pop(path, None)
        elif watch is not None:
            watch["flying"] = False
            if watch["dirty"] == "again":
                watch["dirty"] = False
                self._change_seen(path)
        if self.ack_enabled and self.options["confirm"]:
            account = self.dm_account()
            for uri in self.ack_uris:
                if uri in carried:
                    word = "ACK" if code == 0 else "NACK"
                    self.urc('#LWM2MNFYACK: 0,%d,"%s","%s"' % (account[1] if account else 0, path_text(uri), word))

    # ---- firmware over the air, and the gates before download and update (3.1.12, 3.1.13)

    def _package_uri(self, uri):
        if not uri:
            self.nvram["fota_state"] = 0
            return
        self.nvram["fota_state"] = 1
        self._gate("DOWNLOAD")

    def _gate(self, action):
        """Wait for the host's AT#LWM2MFOTAACK where AT#LWM2MFOTACFG asks for it, a week at most (3.1.12)."""
        bit = 1 if action == "DOWNLOAD" else 2
        if self.stored("fota_mode", 0) & bit:
            self._open_gate(action)
        else:
            self.after(self.options["fota_ms"], lambda: self._fota(action))

    def _open_gate(self, action):
        self.nvram["fota_gate"] = action
        self.urc('#LWM2MFOTARING: 0,"%s"' % action)
        self.after_rtc(_WEEK_MS, lambda: self.pass_gate(action))

    def pass_gate(self, action=None):
        """The host's ACK, or the week is over: False where nothing waits."""
        waiting = self.nvram.get("fota_gate")
        if not waiting or action not in (None, waiting):
            return False
        del self.nvram["fota_gate"]
        self.after(self.options["fota_ms"], lambda: self._fota(waiting))
        return True

    def _fota(self, action):
        if action == "DOWNLOAD":
            self.nvram["fota_state"] = 2
            self.changed((5, 0, 3, 0))
            return
        self.nvram["fota_state"], self.nvram["fota_result"] = 0, 1
        self.nvram["revision"] = self.options["fota_revision"]
        self.options["revision"] = self.options["fota_revision"]
        self.urc('#LWM2MINFO: "GEN","FOTA REBOOT"')
        self.after(500, self.restart)
