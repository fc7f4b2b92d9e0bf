"""BG96: what the server asks. Objects 19, 10250 and 26241 are a pipe to the host; the others the module answers itself.

    server observes /10250/0/0      +QLWOBSERVE: "A88044B83F554A5D","/10250/0/0"
    server writes /10250/0/1        +QLWDLDATA: "/10250/0/1",5,2,"3031"
    server writes 5/0/1, runs 5/0/2 DFOTA: download, update, restart (chapter 5)
"""

from binascii import hexlify

from testing.lwm2m import codec
from testing.lwm2m.names import INTEGER, OCTET_STREAM, OPAQUE, TEXT_PLAIN
from testing.virtual_modem.accounts import bootstrap_write, split_uri
from testing.virtual_modem.bg96_client import INITIAL, READY, REGISTERING, Bg96Client

_STRING, _OPAQUE = 4, 5  # <data_type> of +QLWDLDATA
# Firmware object: states and results (LwM2M TS 1.0.2, E.6).
_IDLE, _DOWNLOADING, _DOWNLOADED, _UPDATING = range(4)
_SUCCESS, _INVALID_URI, _UNSUPPORTED = 1, 7, 9


class Bg96Server(Bg96Client):
    """The server's side."""

    OPTIONS = dict(Bg96Client.OPTIONS)
    OPTIONS.update({
        "executes": True,  # 3.1.3 lists Execute, 1/0/8 and 3/0/4 are mandatory; False: 3.3, "only reading/writing of objects"
        "clean_keys": False,  # "clean": Table 1 has no keys among the configuration files; True: they go too
        "observe_flag": False,  # True: the flag of 4.2.2 also for a new observation; the example leaves it out
        "download_ms": 20000,  # DFOTA: from Package URI to "downloaded"
        "fota_urcs": True,  # +QIND: "FOTA",...: what the module says of it to its host
        "install_ms": 5000,  # DFOTA: from Update to the restart
        "new_revision": "BG96MAR02A08M1G",  # DFOTA: what runs after it
    })

    def __init__(self, clock, link, nvram=None, **options):
        self._token = 0x1F35A7
        link.on_request = self._asked
        super().__init__(clock, link, nvram, **options)

    def _asked(self, request):
        if not self.hears(request, self._asked, self.phase == REGISTERING):
            return
        number = request.path[0] if request.path else 0
        if number in self.data_objects():
            self._data_request(request)
        elif self.builtin.has(number):
            self.builtin.answer(request)
        else:
            self.link.respond(request, 404)

    def deregister(self):
        """AT+QLWM2M="deregister"."""

        def done(code):
            self.persistent().pop("registered", None)
            self._event(INITIAL)
            self.automatic = False

        self._stop(self._update_timer)
        self.begin()
        self.link.deregister(self.guarded(done))

    # ---- the pipe

    def _data_request(self, request):
        operation, path = request.operation, request.path
        if operation in ("observe", "cancel"):
            place = tuple(list(path) + [0, 0])[:3]
            self.link.respond(request, 205, [(place, OPAQUE, b"")] if operation == "observe" else ())
            self._observed(path, operation == "cancel")
        elif operation == "write":
            self._written(request)
        elif operation in ("discover", "write_attributes"):
            place = tuple(list(path) + [0, 0])[:3]
            self.link.respond(request, 205 if operation == "discover" else 204, [(place, OPAQUE, b"")])
        else:
            self.link.respond(request, 405)  # a pipe: nobody can be asked for a value

    def _observed(self, path, cancelled):
        text = ""
        for _ in range(4):
            self._token = (self._token * 1103515245 + 12345) & 0x3FFFFFFF
            text += "%04X" % ((self._token >> 8) & 0xFFFF)
        flag = ",%d" % cancelled if cancelled or self.options["observe_flag"] else ""
        self.urc('+QLWOBSERVE: "%s","%s"%s' % (text, _uri(path), flag))

    def _written(self, request):
        kind = request.content_format
        try:
            if kind in (None, TEXT_PLAIN, OCTET_STREAM):
                values = [(tuple(list(request.path) + [0, 0])[:3], request.payload)]
            else:
                values = codec.decode_raw(kind, request.path, request.payload)
        except ValueError:
            values = []
        self.link.respond(request, 204 if values else 400)
        for path, raw in values:
            self._down(path, raw, _STRING if kind == TEXT_PLAIN else _OPAQUE)

    def _down(self, path, raw, kind):
        text = "".join([chr(byte) for byte in raw])
        if self.kept.get("dltype", 0) == 1 or not all([31 < byte < 127 and byte != 34 for byte in raw]):
            text = hexlify(raw).decode().upper()  # "prefer": what is no text comes as hex all the same
        if self.quirk("three_fields"):
            self.urc('+QLWDLDATA: "%s",%d,"%s"' % (_uri(path)[1:], len(raw), text))
        else:
            self.urc('+QLWDLDATA: "%s",%d,%d,"%s"' % (_uri(path), kind, len(raw), text))

    def send_up(self, number, data):
        """Send the host's bytes to the server; False when nothing can carry them."""
        path = (number, 0, 0)
        if self.phase != READY or not self.link.observed(path):
            return False
        self.begin()
        self.link.notify(path, [(path, OPAQUE, data)], True, self.guarded(lambda outcome: None))
        return True

    # ---- the module's own objects

    def may_execute(self, path):
        """What the server may execute."""
        if not self.options["executes"]:
            return False
        if path == (5, 0, 2):
            return self.builtin.firmware[3] == _DOWNLOADED
        return path in ((1, 0, 4), (1, 0, 8), (1, 0, 9), (3, 0, 4), (3, 0, 5))

    def server_wrote(self, path, value):
        """A server changed a resource of the module's own."""
        if path == (1, 0, 1):
            self.change_lifetime(int(value))
        elif path == (1, 0, 7):
            self._change_account("binding", value)
        elif path == (5, 0, 1):
            self._download(value)

    def change_lifetime(self, seconds):
        """New lifetime, kept with the persistent files, told by an update."""
        self._change_account("lifetime", seconds)

    def _change_account(self, name, value):
        server = self.server()
        server[name] = value
        self.persistent()["server"] = server
        if self.phase == READY:
            self.update(**{name: value})

    def server_executed(self, path):
        """Update trigger, disable, bootstrap, reboot, factory reset, firmware update."""
        if path == (1, 0, 8):
            self.update()
        elif path == (1, 0, 4):
            self.deregister()
            self.after(self.builtin.kept((1, 0, 5)) * 1000, lambda: self.start_client(True))
        elif path == (1, 0, 9):
            self._bootstrap()
        elif path == (3, 0, 4):
            self.after(500, self.restart)
        elif path == (3, 0, 5):
            self.nvram.pop("persistent", None)
            self.builtin.forget()
            self.after(500, self.restart)
        elif path == (5, 0, 2):
            self._firmware(_UPDATING, 0)
            self._told("UPDATING", 0)
            self.after(self.options["install_ms"], self._installed)

    # ---- DFOTA

    def _firmware(self, state, result):
        firmware = self.builtin.firmware
        for resource, value in ((3, state), (5, result)):
            if firmware[resource] != value:
                firmware[resource] = value
                path = (5, 0, resource)
                if self.link.observed(path):
                    self.begin()
                    self.link.notify(path, [(path, INTEGER, str(value))], True, self.guarded(lambda outcome: None))

    def _download(self, uri):
        self.builtin.firmware[1] = uri
        if not uri:
            self._firmware(_IDLE, 0)  # an empty URI resets the state machine
        elif uri.startswith("http://") or uri.startswith("https://") or split_uri(uri):
            self._firmware(_DOWNLOADING, 0)
            self._told("HTTPSTART")
            self.after(self.options["download_ms"], self._downloaded)
        else:
            self._firmware(_IDLE, _UNSUPPORTED if "://" in uri else _INVALID_URI)

    def sleep_allowed(self):
        """T3324 begins when the radio is idle (TS 24.008 4.7.2.8), which a download keeps it from being."""
        return super().sleep_allowed() and self.builtin.firmware[3] not in (_DOWNLOADING, _UPDATING)

    def _downloaded(self):
        self._told("HTTPEND", 0)
        self._firmware(_DOWNLOADED, 0)

    def _told(self, word, *number):
        """As the module's own DFOTA tells its host; the guide's chapter 5 is silent about it. Option fota_urcs."""
        if self.options["fota_urcs"]:
            self.urc('+QIND: "FOTA","%s"%s' % (word, "".join([",%d" % each for each in number])))

    def _installed(self):
        self._told("END", 0)
        self.nvram["updated_to"] = self.options["new_revision"]
        self.restart()

    def booted(self, woken):
        if self.nvram.get("updated_to"):
            self.options["revision"] = self.nvram["updated_to"]
        super().booted(woken)

    # ---- bootstrap

    def bootstrap_write(self, request):
        """What the bootstrap server writes: the server's account and its Server object."""
        return bootstrap_write(request, self._take_account, self._take_server)

    def _take_account(self, written):
        kept = {"uri": written.uri, "bootstrap": False, "lifetime": 86400, "binding": "U"}
        kept.update({"security": 0 if written.key else 3, "ssid": 101 if written.ssid is None else written.ssid})
        self.persistent()["server"] = kept
        if written.key:
            self.files()["ssl/%d_server.psk" % kept["ssid"]] = "%s:%s" % (written.identity, written.key)

    def _take_server(self, values):
        kept = self.persistent().get("server")
        if kept is not None:
            kept["lifetime"] = int(values.get(1, kept["lifetime"]))
            kept["binding"] = values.get(7, kept["binding"])


def _uri(path):
    return "/" + "/".join([str(part) for part in path])
