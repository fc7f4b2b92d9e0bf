"""Model of the BG96 (LwM2M User Guide V1.1): one command, a state machine that works by itself, bytes on object 19.

    AT+QLWM2M="select",0                                    OK      the built-in files for Leshan
    AT+QLWM2M="bootstrap",1,"coap://127.0.0.1:5683"         OK
    AT+QLWM2M="register"                                    OK, +QLWEVENT: 0,"STATE_INITIAL" ... 5,"STATE_READY"
    AT+QLWM2M="ulhex",19,3,"010203"                         OK

Errors are plain ERROR. There is no delivery report: OK means that the module took the bytes.
"""

from binascii import hexlify, unhexlify

from testing.virtual_modem import bg96_files
from testing.virtual_modem.accounts import split_uri
from testing.virtual_modem.atline import TEST, WRITE, Refused
from testing.virtual_modem.bg96_client import READY
from testing.virtual_modem.bg96_server import Bg96Server

_LONGEST = 1460
_TEST = ('"select",(0-5)', '"cdp",<server>,<port>', '"epns",(0,1)[,<ep_name>]', '"bsmode",(0,1)',
         '"mbsps",<srvCode>,<seriaNo>,<cnt>,<iccid>,<module>[,<mac>]', '"register"[,(0,1)]', '"update",<ssid>[,(0,1)]',
         '"deregister"', '"lifetime",<ssid>,(30-86400)', '"uldata",<objId>,(1-1460),<data>',
         '"ulhex",<objId>,(1-1460),<hexdata>', '"dltype",(0,1)', '"ippref",(0,1)', '"enable",(0,1)',
         '"bootstrap",(0-4)[,<instance>]', '"qcli_en",(0,1)', '"psk",(0,1)', '"apn",<apn_name>', '"endpoint",(4,7),(4,7)',
         '"reset"', '"clean"')


class Bg96(Bg96Server):
    """The sub-commands of AT+QLWM2M."""

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

    def _start(self, line):
        # Uplink text may hold quotes and semicolons: this command always stands alone.
        if line[:17].upper() != 'AT+QLWM2M="ULDATA':
            super()._start(line)
        elif not self.faults.take_line(line):
            self._todo = [line[2:]]
            self._next_command()

    def at_qlwm2m(self, form, args):
        """Dispatch by sub-command; each checks its own parameters."""
        if form == TEST:
            for line in _TEST:
                self.info("+QLWM2M: " + line)
            return None
        if form != WRITE or not args.has(0):
            raise Refused("ERROR")
        args.count_error = args.value_error = "ERROR"
        method = getattr(self, "sub_" + args.values[0].lower(), None)
        if method is None:
            raise Refused("ERROR")
        return method(args)

    # ---- configuration

    def sub_select(self, args):
        """Type of server: loads the built-in files."""
        if len(args) == 1:
            self.info('+QLWM2M: "select",%d' % self.stored("select", 0))
            return
        kind = args.expect(2).integer(1, 0, 5)
        self.nvram["select"] = kind
        self.nvram.pop("epns", None)
        keys = {name: text for name, text in self.files().items() if name.endswith(".psk")}
        self.nvram["files"] = bg96_files.built_in(kind)
        self.files().update(keys)

    def _account(self):
        settings = bg96_files.Settings(self.files())
        return settings.server() or settings.bootstrap()

    def sub_cdp(self, args):
        """Server address and port."""
        if len(args) == 1:
            account = self._account()
            place = split_uri(account["uri"]) if account else None
            if place is None:
                raise Refused("ERROR")
            self.info('+QLWM2M: "cdp","%s",%d' % place[:2])
            return
        host = args.expect(3).string(1, 150, shortest=1)
        port = args.integer(2, 0, 65535)
        account = self._account()
        secure = account is not None and int(account["security"]) == 0
        bg96_files.set_account(self.files(), uri="coap%s://%s:%d" % ("s" if secure else "", host, port))

    def sub_epns(self, args):
        """Endpoint name: 0 by LGU+'s rule from it, 1 as it is."""
        if len(args) == 1:
            self.info('+QLWM2M: "epns","%s"' % (self.nvram.get("epns") or [1, ""])[1])
            return
        args.expect(3)
        self.nvram["epns"] = [args.integer(1, 0, 1), args.string(2, 150, shortest=1)]

    def sub_bsmode(self, args):
        """0 factory bootstrap, 1 client-initiated."""
        if len(args) == 1:
            account = self._account()
            self.info('+QLWM2M: "bsmode",%d' % (account is not None and account["bootstrap"]))
            return
        bg96_files.set_account(self.files(), bootstrap=args.expect(2).integer(1, 0, 1) == 1)

    def sub_mbsps(self, args):
        """Parameters of LGU+'s authentication."""
        names = self.stored("mbsps", [])
        if len(args) == 1:
            self.info('+QLWM2M: "mbsps",%s' % ",".join(['"%s"' % name for name in names]))
            return
        args.expect(6, 7)
        self.nvram["mbsps"] = [args.string(n, 64, shortest=1) for n in range(1, len(args))]

    def sub_dltype(self, args):
        """0 text, 1 hex preferred."""
        self.kept["dltype"] = args.expect(2).integer(1, 0, 1)

    def sub_ippref(self, args):
        """0 IPv4, 1 IPv6."""
        self.nvram["ippref"] = args.expect(2).integer(1, 0, 1)

    def sub_enable(self, args):
        """The client at boot: 0 off, 1 on."""
        self.nvram["enabled"] = args.expect(2).integer(1, 0, 1)

    def sub_qcli_en(self, args):
        """QCLI: 0 off, 1 on."""
        if args.expect(2).integer(1, 0, 1):
            self.files()[bg96_files.QCLI] = "qcli\n"
        else:
            self.files().pop(bg96_files.QCLI, None)

    def sub_apn(self, args):
        """APN for the server."""
        name = args.expect(2).string(1, 99, shortest=1)
        account = self._account()
        text = "APN_NAME=%s\nAPN_CLASS=2\nSHORT_SERVER_ID1=%d\n" % (name, account["ssid"] if account else 101)
        self.files()[bg96_files.CARRIER] = text

    def sub_endpoint(self, args):
        """Kind of endpoint name at registration and at bootstrap: 4 IMEI, 7 IMEI and MSISDN."""
        args.expect(3)
        names = {"REG_EP_NAME": args.one_of(1, (4, 7)), "BOOTSTRAP_EP_NAME": args.one_of(2, (4, 7))}
        bg96_files.set_cfg(self.files(), **names)

    def sub_bootstrap(self, args):
        """One category of bootstrap.ini: 0 restore, 1 URI, 2 lifetime, 3 access, 4 security."""
        category = args.expect(2, 3).integer(1, 0, 4)
        files = self.files()
        if category == 0:
            if len(args) != 2 or bg96_files.FACTORY not in files:
                raise Refused("ERROR")
            files[bg96_files.BOOTSTRAP] = files[bg96_files.FACTORY]
        elif category == 1:
            uri = args.expect(3).string(2, 200)
            if split_uri(uri) is None:
                raise Refused("ERROR")
            bg96_files.set_account(files, uri=uri)
        elif category == 2:
            bg96_files.set_account(files, lifetime=args.expect(3).integer(2, 1, 86400))
        elif category == 3:
            words = {"false": "0", "true": "1"}  # as a public tool writes it
            given = args.expect(3).values[2]
            if words.get(given, given) not in ("0", "1"):
                raise Refused("ERROR")
            bg96_files.set_account(files, bootstrap=words.get(given, given) == "1")
        else:
            bg96_files.set_account(files, security=args.expect(3).one_of(2, (0, 3)))

    def sub_psk(self, args):
        """0 makes a key from the IMEI and stores it, 1 shows it: a secret in an answer."""
        account = self._account()
        name = "ssl/%d_server.psk" % (account["ssid"] if account else 101)
        if args.expect(2).integer(1, 0, 1) == 0:
            from hashlib import sha256

            identity = "IMEI:%s_QUECTELTMOBILEDDI" % self.options["imei"]
            self.files()[name] = "%s:%s" % (identity, hexlify(sha256(identity.encode()).digest()).decode().upper())
            return
        if name not in self.files():
            raise Refused("ERROR")
        self.info('+QLWM2M: "psk","%s"' % self.files()[name].rpartition(":")[2].strip())

    def sub_reset(self, args):
        """Delete the persistent files: the configuration counts after the next boot."""
        args.expect(1)
        self._forget_server()

    def _forget_server(self):
        kept = self.nvram.pop("persistent", {})
        self.held = kept if self.loaded else {}

    def sub_clean(self, args):
        """Delete all configuration files: those of Table 1, and the keys too where option clean_keys says so."""
        args.expect(1)
        self._forget_server()
        kept = {} if self.options["clean_keys"] else self.files()
        self.nvram["files"] = {name: kept[name] for name in kept if name.endswith(".psk")}

    # ---- session

    def sub_register(self, args):
        """Start the client: 0 one registration, 1 automatic."""
        automatic = args.expect(1, 2).integer(1, 0, 1, 1) == 1
        if self._account() is None or self.running and self.phase == READY:
            raise Refused("ERROR")
        self.after(20, lambda: self.start_client(automatic))

    def _need_ready(self, ssid=None):
        if self.phase != READY or ssid is not None and self.server()["ssid"] != ssid:
            raise Refused("ERROR")

    def sub_update(self, args):
        """Update, with the object list where 1."""
        ssid = args.expect(2, 3).integer(1, 0, 65535)
        whole = args.integer(2, 0, 1, 0)
        self._need_ready(ssid)
        self.update(objects=self.object_links() if whole else None)

    def sub_deregister(self, args):
        """Deregister."""
        args.expect(1)
        self._need_ready()
        self.deregister()

    def sub_lifetime(self, args):
        """New lifetime."""
        ssid, seconds = args.expect(3).integer(1, 0, 65535), args.integer(2, 30, 86400)
        self._need_ready(ssid)
        self.change_lifetime(seconds)

    # ---- data

    def sub_uldata(self, args):
        """Uplink text; <size> counts bytes."""
        parts = args.text.split(",", 3)
        if len(parts) != 4 or not (parts[1].strip().isdigit() and parts[2].strip().isdigit()):
            raise Refused("ERROR")
        text = parts[3].strip()
        if len(text) >= 2 and text[0] == '"' and text[-1] == '"':
            text = text[1:-1]
        self._up(int(parts[1]), int(parts[2]), text.encode())

    def sub_ulhex(self, args):
        """Uplink bytes in hex; <size> counts bytes."""
        number, size = args.expect(4).integer(1, 0, 65535), args.integer(2, 1, _LONGEST)
        try:
            data = unhexlify(args.string(3, 2 * _LONGEST))
        except ValueError:
            raise Refused("ERROR")
        self._up(number, size, data)

    def _up(self, number, size, data):
        if not 1 <= size <= _LONGEST or len(data) != size or number not in self.data_objects():
            raise Refused("ERROR")
        if not self.send_up(number, data):
            raise Refused("ERROR")
