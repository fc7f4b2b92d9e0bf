"""Model of the BC66 and BC66-NA (LwM2M Application Note V2.1): the host answers what the server asks.

    clock = VirtualClock(); link = LocalLink(clock, LocalServer(clock))
    modem = Bc66(clock, link); modem.out = print
    clock.advance(2000)                                       # attached: +IP: 100.97.37.69
    modem.receive(b'AT+QLWCONFIG=0,"host",5683,"node-1",900,3\r')
    modem.receive(b"AT+QLWREG\r")                              # OK, later +QLWREG: 0

Values of `options`, beside the manual's own settings: see OPTIONS here and in the classes below. Firmware revisions:
"BC66NBR01A10" (the manual's), "...A07" to "...A09" and "...A06" speak older dialects (field_quirks.md, 3 and 4).
"""

from binascii import unhexlify

from testing.virtual_modem.atline import READ, RUN, WRITE, whole_number
from testing.virtual_modem.bc66_answers import (ALREADY, CREATE, DISABLED, KEEP_CONNECTING, NOT_REG, ODD, OTHER, Bc66Answers)
from testing.virtual_modem.bc66_session import (BUILT_IN, DEREGISTERED, DEREGISTERING, NEED_RECOVER, NOT_REGISTERED, RECOVERING,
                                              REGISTERED, REGISTERING)

_LONGEST_LIFE = 31536000
_CFG_LIMITS = {"retransmit": ((1, 20), (0, 8))}


class Bc66(Bc66Answers):
    """The commands."""

    family = "bc66"
    OPTIONS = dict(Bc66Answers.OPTIONS)
    OPTIONS.update({
        "configure_when": (NOT_REGISTERED, DEREGISTERED),  # 4.2.1 note 2 says "Not Registered"
    })

    SECRET_FIELDS = {"+CPIN": (0, 1), "+QLWCONFIG": (6, 7)}

    def __init__(self, clock, link, nvram=None, **options):
        self._deregistered_at = -1000
        super().__init__(clock, link, nvram, **options)

    def state(self):
        """What the live view shows."""
        objects = [[entry[0], entry[1]] for entry in self.objects()]
        return self.live_state(self.status, objects, waiting=sorted(self.open_requests), buffered=len(self.nodes))

    # ---- configuration

    def _need_quiet(self):
        """For configuration and registration: no session, and none on its way."""
        if self.disabled:
            raise self.fail(DISABLED)
        if self.status in (REGISTERING, RECOVERING, DEREGISTERING):
            raise self.fail(KEEP_CONNECTING)
        if self.status in (REGISTERED, NEED_RECOVER):
            raise self.fail(ALREADY)

    def at_qlwconfig(self, form, args):
        """The server's account (4.2.1)."""
        if form == READ:
            self._show_accounts()
            return
        self.need(form, WRITE)
        args.expect(5, 8)
        shift = 0
        host, quoted = args.string(1, 150, shortest=1), args.quoted[1]
        name, comma, port = host.rpartition(",")
        if comma and whole_number(port) is not None:
            host, port, shift = name, whole_number(port), -1  # 4.2.1's example: a quote swallows the port
        else:
            args.expect(6, 8)
            port = args.integer(2, 0, 65535)
        if not 0 <= port <= 65535:
            raise args.wrong()
        endpoint = args.string(3 + shift, 150, shortest=1)
        lifetime = args.integer(4 + shift, 20, _LONGEST_LIFE)
        security = args.one_of(5 + shift, (0, 3))
        identity, key = self._credentials(args, 6 + shift, security)
        bootstrap = args.integer(0, 0, 1)
        if self.status not in self.options["configure_when"] or self.disabled:
            self._need_quiet()
            raise self.fail(OTHER)
        entry = [host, port, endpoint, lifetime, security, identity, key, quoted]
        self.stored("accounts", {})["1" if bootstrap else "0"] = entry
        self.nvram["bs"] = bootstrap
        self.session()["lifetime"] = lifetime
        self.session()["on"] = False

    def _credentials(self, args, index, security):
        if security == 3:
            args.expect(index, index + 2)
            return "", ""
        args.expect(index + 2)
        identity = args.string(index, 150, shortest=1)
        key = args.string(index + 1, 256, shortest=1)
        if len(key) % 2:
            raise self.fail(ODD)
        try:
            unhexlify(key)
        except ValueError:
            raise args.wrong()
        return identity, key

    def _show_accounts(self):
        accounts = self.nvram.get("accounts", {})
        current = "1" if self.bootstrapping else "0"
        for mode in (current, "0" if current == "1" else "1"):
            entry = accounts.get(mode)
            if entry is None:
                continue
            host = '"%s"' % entry[0] if entry[7] else entry[0]
            line = '+QLWCONFIG:%s,%s,%d,"%s",%d,%d' % (mode, host, entry[1], entry[2], entry[3], entry[4])
            self.info(line + (',"%s","%s"' % (entry[5], entry[6]) if entry[4] == 0 else ""))

    def at_qlwcfg(self, form, args):
        """The eight settings that take effect after a reboot (4.2.2)."""
        stored = self.stored_cfg()
        if form == READ:
            for name in self.shown_cfg_names():
                self._show_cfg(name, stored[name])
            return
        self.need(form, WRITE)
        name = args.expect(1, 5).string(0, 20)
        if name == "CR":  # in no manual, seen in the field: strings of the Device object
            if len(args) != 5 or (args.integer(1, 3, 3), args.integer(2, 0, 0)) != (3, 0):
                raise args.wrong()
            self.stored("device", {})[str(args.integer(3, 0, 2))] = args.string(4, 100)
            return
        args.expect(1, 3)
        if name not in self.cfg_names():
            raise args.wrong()
        if len(args) == 1:
            self._show_cfg(name, stored[name])
            return
        limits = _CFG_LIMITS.get(name, ((0, 1),))
        args.expect(1 + len(limits))
        stored[name] = [args.integer(1 + n, limits[n][0], limits[n][1]) for n in range(len(limits))]

    def _show_cfg(self, name, values):
        self.info('+QLWCFG: "%s",%s' % (name, ",".join([str(value) for value in values])))

    # ---- registration

    def at_qlwreg(self, form, args):
        """Register (4.2.3)."""
        self.need(form, RUN)
        self._need_quiet()
        if self.account() is None:
            raise self.fail(CREATE)
        if not self.attached:
            self.after(20, lambda: self.result("QLWREG", 2))  # packet not sent
            return
        if self.quirk("dereg_pause") and self.clock.now - self._deregistered_at < 1000:
            self.after(20, lambda: self.result("QLWREG", 1))
            return
        self.after(5, self.register)
        self.status = REGISTERING

    def at_qlwupdate(self, form, args):
        """Update lifetime or binding (4.2.4)."""
        self.need(form, WRITE)
        mode = args.expect(2).integer(0, 0, 1)
        value = args.integer(1, 0, 1) if mode else args.integer(1, 20, _LONGEST_LIFE)
        self.need_registered()
        mid = self.next_mid()
        self.info("+QLWUPDATE: %d" % mid)

        def done(code):
            blank = " " if self.quirk("update_blank") else ""
            self.urc("+QLWUPDATE: %d,%s%d" % (self.update_status(code), blank, mid))
            self.updated(code)

        if mode:
            self.session()["binding"] = "UQ" if value else "U"
            self.update(done, binding=self.session()["binding"])
        else:
            self.session()["lifetime"] = value
            self.update(done, lifetime=value)

    def at_qlwdereg(self, form, args):
        """Deregister (4.2.5)."""
        self.need(form, RUN)
        self.need_registered()
        self.status = DEREGISTERING
        self._stop(self._update_timer)

        def done(code):
            self._forget_session()
            self.status = DEREGISTERED
            self._deregistered_at = self.clock.now
            self.result("QLWDEREG", self.update_status(code))

        self.begin()
        self.link.deregister(self.guarded(done))

    def at_qlwstatus(self, form, args):
        """Status (4.2.14)."""
        self.need(form, READ)
        self.info("+QLWSTATUS: %d" % self.status)

    def at_qlwrecover(self, form, args):
        """Recover the context (4.2.15)."""
        self.need(form, RUN)
        if self.status == NEED_RECOVER:
            self.recover()
        elif self.status in (REGISTERING, RECOVERING):
            raise self.fail(KEEP_CONNECTING)
        else:
            raise self.fail(ALREADY if self.status == REGISTERED else NOT_REG)

    # ---- objects

    def at_qlwaddobj(self, form, args):
        """Declare a custom object instance (4.2.6)."""
        if form == READ:
            for entry in self.objects():
                numbers = [entry[0], entry[1], len(entry[2])] + entry[2]
                self.info("+QLWADDOBJ: %s" % ",".join([str(number) for number in numbers]))
            return
        self.need(form, WRITE)
        args.expect(4, 17)
        number = args.integer(0, 0, 65535)
        instance = args.integer(1, 0, 65535)
        count = args.integer(2, 1, 14)
        args.expect(3 + count)
        resources = [args.integer(3 + n, 0, 65535) for n in range(count)]
        if number in BUILT_IN:
            raise args.wrong()
        self._need_object_time()
        self._object_command("QLWADDOBJ", lambda: self._add_object(number, instance, resources))

    def _need_object_time(self):
        if self.level < 10:
            self.need_registered()  # "before the registration" came with R01A10

    def _add_object(self, number, instance, resources):
        objects = self.objects()
        mine = [entry for entry in objects if entry[0] == number]
        if any([entry[1] == instance for entry in mine]) or len(mine) >= 4:
            return OTHER
        if not mine and len(set([entry[0] for entry in objects])) >= 15:
            return OTHER
        objects.append([number, instance, resources])
        return 0

    def at_qlwdelobj(self, form, args):
        """Delete a custom object with all its instances (4.2.7)."""
        self.need(form, WRITE)
        number = args.expect(1).integer(0, 0, 65535)
        self._need_object_time()
        self._object_command("QLWDELOBJ", lambda: self._delete_object(number))

    def _delete_object(self, number):
        left = [entry for entry in self.objects() if entry[0] != number]
        if len(left) == len(self.objects()):
            return OTHER
        self.nvram["objects"] = left
        return 0

    def _object_command(self, name, change):
        outcome = change()

        def later():
            self.result(name, outcome)
            if not outcome and self.status == REGISTERED:
                self.ping(objects=self.object_links())

        self.after(10, later)
