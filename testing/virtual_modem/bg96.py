"""Model of the BG96 (LwM2M User Guide V1.1): one command, a state machine that works by itself, bytes on object 19.

    AT+QLWM2M="select",0                                    OK      the built-in files for Leshan
    AT+QLWM2M="bootstrap",1,"coap://127.0.0.1:5683"         OK
    AT+QLWM2M="register"                                    OK, +QLWEVENT: 0,"STATE_INITIAL" ... 5,"STATE_READY"
    AT+QLWM2M="ulhex",19,3,"010203"                         OK

    server observes /10250/0/0      +QLWOBSERVE: "A88044B83F554A5D","/10250/0/0"
    server writes /10250/0/1        +QLWDLDATA: "/10250/0/1",5,2,"3031"
    server writes 5/0/1, runs 5/0/2 DFOTA: download, update, restart (chapter 5)

Objects 19, 10250 and 26241 are a pipe to the host; the others the module answers itself. Errors are plain ERROR. There is
no delivery report: OK means that the module took the bytes.
"""

from binascii import hexlify, unhexlify

from testing.lwm2m.names import INTEGER, OPAQUE, TEXT_PLAIN, path_text
from testing.virtual_modem import bg96_files
from testing.virtual_modem.accounts import bootstrap_write, split_uri
from testing.virtual_modem.atline import ID, RAW, SWITCH, Refused, Row, among, whole, words
from testing.virtual_modem.bg96_client import INITIAL, READY, REGISTERING, Bg96Client
from testing.virtual_modem.builtin import Pipe
from testing.virtual_modem.core import joined
from testing.virtual_modem.radio import Declined

_LONGEST = 1460
_STRING, _OPAQUE = 4, 5  # <data_type> of +QLWDLDATA
# Firmware object: states and results (LwM2M TS 1.0.2, E.6).
_IDLE, _DOWNLOADING, _DOWNLOADED, _UPDATING = range(4)
_SUCCESS, _INVALID_URI, _UNSUPPORTED = 1, 7, 9
_BOOLEANS = {"0": False, "1": True, "false": False, "true": True}  # words: as a public tool writes it
_TEST = ('"select",(0-5)', '"cdp",<server>,<port>', '"epns",(0,1)[,<ep_name>]', '"bsmode",(0,1)',
         '"mbsps",<srvCode>,<seriaNo>,<cnt>,<iccid>,<module>[,<mac>]', '"register"[,(0,1)]', '"update",<ssid>[,(0,1)]',
         '"deregister"', '"lifetime",<ssid>,(30-86400)', '"uldata",<objId>,(1-1460),<data>',
         '"ulhex",<objId>,(1-1460),<hexdata>', '"dltype",(0,1)', '"ippref",(0,1)', '"enable",(0,1)',
         '"bootstrap",(0-4)[,<instance>]', '"qcli_en",(0,1)', '"psk",(0,1)', '"apn",<apn_name>', '"endpoint",(4,7),(4,7)',
         '"reset"', '"clean"')


class Bg96(Bg96Client, Pipe):
    """The module."""

    OPTIONS = joined(Bg96Client.OPTIONS, {
        "executes": True,  # 3.1.3 lists Execute, 1/0/8 and 3/0/4 are mandatory; False: 3.3, "only reading/writing of objects"
        "clean_keys": False,  # "clean": Table 1 has no keys among the configuration files; True: they go too
        "observe_flag": False,  # True: the flag of 4.2.2 also for a new observation; the example leaves it out
        "download_ms": 20000,  # DFOTA: from Package URI to "downloaded"
        "fota_urcs": True,  # +QIND: "FOTA",...: what the module says of it to its host
        "install_ms": 5000,  # DFOTA: from Update to the restart
        "new_revision": "BG96MAR02A08M1G",  # DFOTA: what runs after it
    })

    def state(self):
        """What the live view shows."""
        names = ("initial", "bootstrap required", "bootstrapping", "register required", "registering", "ready")
        return self.live_state(names[self.phase], [[number, 0] for number in self.data_objects()])

    def secrets(self):
        kept = list(super().secrets())
        for name in self.files():
            if name.endswith(".psk"):
                kept.append(self.files()[name].rpartition(":")[2].strip())
        return kept

    def __init__(self, clock, link, nvram=None, **options):
        self._token = 0x1F35A7
        super().__init__(clock, link, nvram, **options)

    def registering(self):
        return self.phase == REGISTERING

    def serve(self, request):
        """Of the objects that carry bytes, or of the module's own."""
        number = request.path[0] if request.path else 0
        if number in self.data_objects():
            self.piped(request)
        elif self.builtin.has(number):
            self.builtin.answer(request)
        else:
            raise Declined(404)

    def deregister(self):
        """AT+QLWM2M="deregister"."""

        def done(code):
            self.persistent().pop("registered", None)
            self._event(INITIAL)
            self.automatic = False

        self._stop(self._update_timer)
        self.link.deregister(self.guarded(done))

    # ---- the pipe

    def piped(self, request):
        """As any pipe, and its list of resources and its attributes are there."""
        if request.operation in ("discover", "write_attributes"):
            place = (tuple(request.path) + (0, 0))[:3]
            self.link.respond(request, 205 if request.operation == "discover" else 204, [(place, OPAQUE, b"")])
        else:
            super().piped(request)

    def pipe_observed(self, path, cancelled):
        text = ""
        for _ in range(4):
            self._token = (self._token * 1103515245 + 12345) & 0x3FFFFFFF
            text += "%04X" % ((self._token >> 8) & 0xFFFF)
        flag = ",%d" % cancelled if cancelled or self.options["observe_flag"] else ""
        self.urc('+QLWOBSERVE: "%s","%s"%s' % (text, path_text(path), flag))

    def pipe_down(self, path, raw, content_format):
        text = "".join([chr(byte) for byte in raw])
        if self.kept.get("dltype", 0) == 1 or not all([31 < byte < 127 and byte != 34 for byte in raw]):
            text = hexlify(raw).decode().upper()  # "prefer": what is no text comes as hex all the same
        if self.quirk("three_fields"):
            self.urc('+QLWDLDATA: "%s",%d,"%s"' % (path_text(path)[1:], len(raw), text))
        else:
            kind = _STRING if content_format == TEXT_PLAIN else _OPAQUE
            self.urc('+QLWDLDATA: "%s",%d,%d,"%s"' % (path_text(path), kind, len(raw), text))

    def send_up(self, number, data):
        """Send the host's bytes to the server; False when nothing can carry them."""
        path = (number, 0, 0)
        if self.phase != READY or not self.link.observed(path):
            return False
        self.link.notify(path, [(path, OPAQUE, data)], True, self.guarded(lambda outcome: None))
        return True

    # ---- the module's own objects

    def may_execute(self, path):
        if path == (5, 0, 2) and self.builtin.firmware[3] != _DOWNLOADED:
            return False
        return self.options["executes"] and super().may_execute(path)

    def server_wrote(self, path, value):
        """A server changed a resource of the module's own."""
        if path == (1, 0, 1):
            self._change("lifetime", int(value))
        elif path == (1, 0, 7):
            self._change("binding", value)
        elif path == (5, 0, 1):
            self._download(value)

    def _change(self, name, value):
        """Lifetime or binding, kept with the persistent files, told by an update."""
        server = self.server()
        server[name] = value
        self.persistent()["server"] = server
        if self.phase == READY:
            self.update(**{name: value})

    def _disable(self):
        self.deregister()
        self.after(self.builtin.kept((1, 0, 5)) * 1000, lambda: self.start_client(True))

    def _factory_reset(self):
        self.nvram.pop("persistent", None)
        self.builtin.forget()
        self.after(500, self.restart)

    def _install(self):
        self._firmware(_UPDATING, 0)
        self._told("UPDATING", 0)
        self.after(self.options["install_ms"], self._installed)

    EXECUTES = {(1, 0, 4): _disable, (1, 0, 8): lambda m: m.update(), (1, 0, 9): lambda m: m._bootstrap(),
                (3, 0, 4): lambda m: m.after(500, m.restart), (3, 0, 5): _factory_reset, (5, 0, 2): _install}

    # ---- DFOTA

    def _firmware(self, state, result):
        firmware = self.builtin.firmware
        for resource, value in ((3, state), (5, result)):
            if firmware[resource] != value:
                firmware[resource] = value
                path = (5, 0, resource)
                if self.link.observed(path):
                    self.link.notify(path, [(path, INTEGER, str(value))], True, self.guarded(lambda outcome: None))

    def _download(self, uri):
        self.builtin.firmware[1] = uri
        if not uri:
            self._firmware(_IDLE, 0)  # an empty URI resets the state machine
        elif uri.startswith("http://") or uri.startswith("https://") or split_uri(uri):
            self._firmware(_DOWNLOADING, 0)
            self._told("HTTPSTART")

            def downloaded():
                self._told("HTTPEND", 0)
                self._firmware(_DOWNLOADED, 0)

            self.after(self.options["download_ms"], downloaded)
        else:
            self._firmware(_IDLE, _UNSUPPORTED if "://" in uri else _INVALID_URI)

    def sleep_allowed(self):
        """T3324 begins when the radio is idle (TS 24.008 4.7.2.8), which a download keeps it from being."""
        return super().sleep_allowed() and self.builtin.firmware[3] not in (_DOWNLOADING, _UPDATING)

    def _told(self, word, *number):
        """As the module's own DFOTA tells its host; the guide's chapter 5 is silent about it. Option fota_urcs."""
        if self.options["fota_urcs"]:
            self.urc('+QIND: "FOTA","%s"%s' % (word, "".join([",%d" % each for each in number])))

    def _installed(self):
        self._told("END", 0)
        self.nvram["updated_to"] = self.options["new_revision"]
        self.restart()

    def booted(self, woken):
        self.options["revision"] = self.nvram.get("updated_to") or self.options["revision"]
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

    def _start(self, line):
        # Uplink text may hold quotes and semicolons: this command always stands alone.
        self.alone(line, 'AT+QLWM2M="ULDATA') or super()._start(line)

    def _sub_command(self, args):
        args.count_error = args.value_error = "ERROR"
        row = _SUB.get(args.values[0].lower()) if args.has(0) else None
        if row is None:
            raise Refused("ERROR")
        if row.takes is RAW:
            return row.forms["write"](self, args)
        if len(args) == 1 and row.forms["read"]:
            return '"%s",%s' % (args.values[0].lower(), row.forms["read"](self))
        return row.forms["write"](self, *args.take(row.takes, start=1))

    def _no_sub_command(self, args=None):
        raise Refused("ERROR")

    COMMANDS = joined(Bg96Client.COMMANDS, {"+QLWM2M": Row(_TEST, _no_sub_command, _no_sub_command, _sub_command, RAW)})

    # ---- configuration

    def _select(self, kind):
        """Type of server: loads the built-in files."""
        self.nvram["select"] = kind
        self.nvram.pop("epns", None)
        keys = {name: text for name, text in self.files().items() if name.endswith(".psk")}
        self.nvram["files"] = bg96_files.built_in(kind)
        self.files().update(keys)

    def _account(self):
        settings = bg96_files.Settings(self.files())
        return settings.server() or settings.bootstrap()

    def _server(self):
        account = self._account()
        place = split_uri(account["uri"]) if account else None
        if place is None:
            raise Refused("ERROR")
        return '"%s",%d' % place[:2]

    def _set_server(self, host, port):
        account = self._account()
        secure = account is not None and int(account["security"]) == 0
        bg96_files.set_account(self.files(), uri="coap%s://%s:%d" % ("s" if secure else "", host, port))

    def _set_qcli(self, on):
        if on:
            self.files()[bg96_files.QCLI] = "qcli\n"
        else:
            self.files().pop(bg96_files.QCLI, None)

    def _ssid(self):
        account = self._account()
        return account["ssid"] if account else 101

    def _set_apn(self, name):
        self.files()[bg96_files.CARRIER] = "APN_NAME=%s\nAPN_CLASS=2\nSHORT_SERVER_ID1=%d\n" % (name, self._ssid())

    def _bootstrap_file(self, args):
        """One category of bootstrap.ini: 0 restore, 1 URI, 2 lifetime, 3 access, 4 security."""
        category = args.expect(2, 3).integer(1, 0, 4)
        files = self.files()
        if (category == 0) != (len(args) == 2) or category == 0 and bg96_files.FACTORY not in files:
            raise Refused("ERROR")
        if category == 0:
            files[bg96_files.BOOTSTRAP] = files[bg96_files.FACTORY]
        elif category == 1:
            uri = args.string(2, 200)
            if split_uri(uri) is None:
                raise Refused("ERROR")
            bg96_files.set_account(files, uri=uri)
        elif category == 2:
            bg96_files.set_account(files, lifetime=args.integer(2, 1, 86400))
        elif category == 3:
            if args.values[2] not in _BOOLEANS:
                raise Refused("ERROR")
            bg96_files.set_account(files, bootstrap=_BOOLEANS[args.values[2]])
        else:
            bg96_files.set_account(files, security=args.one_of(2, (0, 3)))

    def _key(self, show):
        """0 makes a key from the IMEI and stores it, 1 shows it: a secret in an answer."""
        name = "ssl/%d_server.psk" % self._ssid()
        if not show:
            from hashlib import sha256

            identity = "IMEI:%s_QUECTELTMOBILEDDI" % self.options["imei"]
            self.files()[name] = "%s:%s" % (identity, hexlify(sha256(identity.encode()).digest()).decode().upper())
            return None
        if name not in self.files():
            raise Refused("ERROR")
        return '"psk","%s"' % self.files()[name].rpartition(":")[2].strip()

    def _reset(self):
        """Delete the persistent files: the configuration counts after the next boot."""
        kept = self.nvram.pop("persistent", {})
        self.held = kept if self.loaded else {}

    def _clean(self):
        """Delete all configuration files: those of Table 1, and the keys too where option clean_keys says so."""
        self._reset()
        kept = {} if self.options["clean_keys"] else self.files()
        self.nvram["files"] = {name: kept[name] for name in kept if name.endswith(".psk")}

    # ---- session and data

    def _start_by_command(self, automatic):
        if self._account() is None or self.running and self.phase == READY:
            raise Refused("ERROR")
        self.after(20, lambda: self.start_client(automatic == 1))

    def _client(self, ssid=None):
        if self.phase != READY or ssid is not None and self.server()["ssid"] != ssid:
            raise Refused("ERROR")
        return self

    def _up_text(self, args):
        parts = args.text.split(",", 3)
        if len(parts) != 4 or not (parts[1].strip().isdigit() and parts[2].strip().isdigit()):
            raise Refused("ERROR")
        text = parts[3].strip()
        if len(text) >= 2 and text[0] == '"' and text[-1] == '"':
            text = text[1:-1]
        self._up(int(parts[1]), int(parts[2]), text.encode())

    def _up_hex(self, number, size, digits):
        try:
            self._up(number, size, unhexlify(digits))
        except ValueError:
            raise Refused("ERROR")

    def _up(self, number, size, data):
        """<size> counts bytes."""
        fits = 1 <= size <= _LONGEST and len(data) == size and number in self.data_objects()
        if not fits or not self.send_up(number, data):
            raise Refused("ERROR")


def _endpoint(model, registration, bootstrap):
    bg96_files.set_cfg(model.files(), REG_EP_NAME=registration, BOOTSTRAP_EP_NAME=bootstrap)


_NAME = words(64, 1)
# The sub-commands of AT+QLWM2M; alone, without a value, some tell it.
_SUB = {
    "select": Row(read=lambda m: "%d" % m.stored("select", 0), write=Bg96._select, takes=(whole(0, 5),)),
    "cdp": Row(read=Bg96._server, write=Bg96._set_server, takes=(words(150, 1), ID)),
    "epns": Row(read=lambda m: '"%s"' % (m.nvram.get("epns") or [1, ""])[1],  # 0 by LGU+'s rule from it, 1 as it is
                write=lambda m, *named: m.nvram.update(epns=list(named)), takes=(SWITCH, words(150, 1))),
    "bsmode": Row(read=lambda m: "%d" % bool((m._account() or {}).get("bootstrap")),  # 0 factory bootstrap, 1 client-initiated
                  write=lambda m, on: bg96_files.set_account(m.files(), bootstrap=on == 1), takes=(SWITCH,)),
    "mbsps": Row(read=lambda m: ",".join(['"%s"' % name for name in m.stored("mbsps", [])]),
                 write=lambda m, *names: m.nvram.update(mbsps=[name for name in names if name]),  # LGU+'s authentication
                 takes=(_NAME,) * 5 + (words(64, 1, ""),)),
    "dltype": Row(write=lambda m, kind: m.kept.update(dltype=kind), takes=(SWITCH,)),  # 0 text, 1 hex preferred
    "ippref": Row(write=lambda m, kind: m.nvram.update(ippref=kind), takes=(SWITCH,)),  # 0 IPv4, 1 IPv6
    "enable": Row(write=lambda m, on: m.nvram.update(enabled=on), takes=(SWITCH,)),  # the client at boot
    "qcli_en": Row(write=Bg96._set_qcli, takes=(SWITCH,)),
    "apn": Row(write=Bg96._set_apn, takes=(words(99, 1),)),
    "endpoint": Row(write=_endpoint, takes=(among(4, 7), among(4, 7))),  # 4 IMEI, 7 IMEI and MSISDN
    "bootstrap": Row(write=Bg96._bootstrap_file, takes=RAW),
    "psk": Row(write=Bg96._key, takes=(SWITCH,)),
    "reset": Row(write=Bg96._reset),
    "clean": Row(write=Bg96._clean),
    "register": Row(write=Bg96._start_by_command, takes=(whole(0, 1, 1),)),  # 0 one registration, 1 automatic
    "update": Row(write=lambda m, ssid, whole_list: m._client(ssid).update(objects=m.object_links() if whole_list else None),
                  takes=(ID, whole(0, 1, 0))),  # 1: with the object list
    "deregister": Row(write=lambda m: m._client().deregister()),
    "lifetime": Row(write=lambda m, ssid, seconds: m._client(ssid)._change("lifetime", seconds), takes=(ID, whole(30, 86400))),
    "uldata": Row(write=Bg96._up_text, takes=RAW),
    "ulhex": Row(write=Bg96._up_hex, takes=(ID, whole(1, _LONGEST), words(2 * _LONGEST))),
}
