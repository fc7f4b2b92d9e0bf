"""Model of the ME910C1, NE910C1 and ML865C1 (Telit 80529ST10974A Rev. 3): the module holds the values, the host sets them.

    clock = VirtualClock(); link = LocalLink(clock, LocalServer(clock))
    modem = Me910c1(clock, link); modem.out = print
    modem.receive(b'AT#LWM2MSTS=0,999,"coap://host:5683"\r')
    modem.receive(b'AT#LWM2MINJKEYS=0,1,"node-1","",""\r')
    modem.receive(b"AT#REBOOT\r"); clock.advance(12000)        # accounts and uploaded definitions count from here
    modem.receive(b"AT#LWM2MENA=1\r")                          # OK, some seconds later the server knows node-1
    modem.receive(b"AT#LWM2MSET=0,3,0,9,0,87\r")               # OK; observed: a notification goes out

Options: see OPTIONS here and in me910c1_module, me910c1_agent, me910c1_server. Kept over everything: nvram. Lost at a power
cycle: the agent's state, MON and NFYACK lists, echo, AT+CMEE. Lost at a factory reset: instances, values, accounts; the
FOTA mode and the files stay.
"""

from testing.virtual_modem.atline import READ, RUN, TEST, WRITE, Refused
from testing.virtual_modem.accounts import split_uri
from testing.virtual_modem.me910c1_accounts import SERVERS
from testing.virtual_modem.me910c1_definitions import parse_definition
from testing.virtual_modem.me910c1_gate import WAIT
from testing.virtual_modem.me910c1_module import NOT_ALLOWED
from testing.virtual_modem.me910c1_resources import TelitResources

_LIST_LIMIT = 6  # 3.1.2, 3.1.15
_TEXT_LIMIT = 64  # 3.1.14


class Me910c1(TelitResources):
    """The #LWM2M commands."""

    OPTIONS = dict(TelitResources.OPTIONS)
    OPTIONS.update(
        {
            "agent_for_sts": False,  # True: AT#LWM2MSTS as 3.1.8 says; the field uses it before the agent was ever enabled
            "keys_optional": False,  # identity and key must be there (3.1.14); True: AT#LWM2MINJKEYS=0,1,"name" is OK (field)
        }
    )

    def _method(self, name):
        """Every #LWM2M command has "SIM Presence: Required" in its table (3.1.1 to 3.1.17)."""
        if name.upper().startswith("#LWM2M") and not self.sim_state:
            raise self.error(10)
        return super()._method(name)

    def state(self):
        """What the live view shows."""
        return self.live_state(
            self.status,
            self.objects.links() if self.objects else [],  # none before the first boot
            registered=self.registered,
            monitored=list(self.monitored),
            acknowledged=[list(path) for path in self.ack_uris],
        )

    # ---- agent

    def tat_lwm2mstat(self, form, args):
        """Status (3.1.1)."""
        if form == TEST:
            return
        self.need(form, RUN)
        self.need_agent()
        if not self.enabled and self.quirk("stat_without_number"):
            self.info('#LWM2MGETSTAT: "%s"' % self.status)
        else:
            self.info('#LWM2MGETSTAT: %d,"%s"' % (self.enabled, self.status))

    def tat_lwm2mena(self, form, args):
        """Enable and disable (3.1.3)."""
        if form == TEST:
            self.info("#LWM2MENA: (0,1),(1-6),(0,1),(1-100),(1-100)")
            return
        if form == READ:
            if self.enabled:
                shown = (self.cid, self.mode, self.guard_request, self.guard_release, self.status)
                self.info('#LWM2MENA: 1,%d,%d,%d,%d,"%s"' % shown)
            else:
                self.info("#LWM2MENA: 0")
            return
        self.need(form, WRITE)
        on = args.expect(1, 5).integer(0, 0, 1)
        cid, mode = args.integer(1, 1, 6, 1), args.integer(2, 0, 1, 0)
        ahead, release = args.integer(3, 1, 100, 5), args.integer(4, 1, 100, 5)
        if on:
            if self.enabled or self.forced_exit:
                raise self.error(NOT_ALLOWED)
            self.enable(cid, mode, ahead, release)
        elif self.enabled:
            self.disable()

    def reason(self, name, why):
        for number in self.uploaded():
            if self.objects and number not in self.objects.definitions and ",%d" % number in self._last_line:
                return "object %d was uploaded since the last start and counts from AT#REBOOT on" % number
        if name == "#LWM2MEXIST":
            return "there is no such object, instance or resource"
        if name == "#LWM2MENA" and self.forced_exit:
            return "the agent's retries are used up; only AT#REBOOT helps (3.1.3)"
        if name.startswith("#LWM2M") and why == self.cme_text(NOT_ALLOWED) and not self.enabled:
            return "the agent is off; AT#LWM2MENA=1 starts it"
        if name in ("#LWM2MSET", "#LWM2MGET", "#LWM2MR", "#LWM2MW"):
            return super().reason(name, why) + "; AT#LWM2MEXIST asks for a path, AT#LWM2MNEWINST makes an instance"
        return super().reason(name, why)

    def uploaded(self):
        """Objects of the XML files in the module, whether they count already or not."""
        found = []
        for name, text in sorted(self.stored("files", {}).items()):
            if name.startswith("/XML/"):
                try:
                    found.append(parse_definition(text)[0])
                except ValueError:
                    pass  # no definition: never counts
        return found

    def tat_lwm2mack(self, form, args):
        """The host lets the agent use the context (3.1.4)."""
        if form == TEST:
            self.info("#LWM2MACK: (1)")
            return
        self.need(form, WRITE)
        args.expect(1).integer(0, 1, 1)
        if not self.enabled or self.status != WAIT:
            raise self.error(NOT_ALLOWED)
        self.acknowledge()

    # ---- monitoring

    def tat_lwm2mmon(self, form, args):
        """Objects whose changes are told (3.1.2)."""
        if form == TEST:
            self.info("#LWM2MMON: (0,1),(1-65535)")
            return
        self.need_agent()
        if form == READ:
            for number in self.monitored:
                self.info('#LWM2MMON: "%d"' % number)
            return
        self.need(form, WRITE)
        action, number = args.expect(2).integer(0, 0, 1), args.integer(1, 1, 65535)
        if action and number not in self.monitored:
            if len(self.monitored) >= _LIST_LIMIT:
                raise self.error(NOT_ALLOWED)
            self.monitored.append(number)
        elif not action:
            if number not in self.monitored:
                raise self.error(NOT_ALLOWED)
            self.monitored.remove(number)

    def tat_lwm2mnfyackuri(self, form, args):
        """Resources whose notifications' acknowledgements are told (3.1.15)."""
        if self._simple(form, "#LWM2MNFYACKURI: (0),(0-2),(0-65535),(0-65535),(0-65535)"):
            return
        self.need(form, WRITE)
        self._agent(args.expect(2, 5))
        action = args.integer(1, 0, 2)
        self.need_agent()
        if action == 2:
            for uri in self.ack_uris:
                self.info('#LWM2MNFYACKURI: "/%d/%d/%d"' % uri)
            return
        args.expect(5)
        uri = tuple([args.integer(2 + n, 0, 65535) for n in range(3)])
        if action and uri not in self.ack_uris:
            if len(self.ack_uris) >= _LIST_LIMIT:
                raise self.error(NOT_ALLOWED)
            self.ack_uris.append(uri)
        elif not action:
            if uri not in self.ack_uris:
                raise self.error(NOT_ALLOWED)
            self.ack_uris.remove(uri)

    def tat_lwm2mnfyackena(self, form, args):
        """Their URC on, off, or its state (3.1.16): the answer has no #."""
        if self._simple(form, "#LWM2MNFYACKENA: (0),(0-2)"):
            return
        self.need(form, WRITE)
        self._agent(args.expect(2))
        action = args.integer(1, 0, 2)
        self.need_agent()
        if action == 2:
            self.info("LWM2MNFYACKENA: 0,%d" % self.ack_enabled)
        else:
            self.ack_enabled = action

    # ---- accounts

    def tat_lwm2msts(self, form, args):
        """The server of the next reboot (3.1.8); alone: the factory's."""
        if self._simple(form, ""):
            return
        self.need(form, WRITE)
        self._agent(args.expect(1, 4))
        entry = args.integer(1, 0, 999, -1) if args.has(1) else None
        uri = args.string(2, 256, "")
        is_bootstrap = args.integer(3, 0, 1, 0)
        self.need_agent(self.options["agent_for_sts"])
        account = self.stored("account", {})
        if entry is None:
            account.pop("server", None)
        elif entry == 999:
            if split_uri(uri) is None:
                raise args.wrong()
            account["server"] = [uri, is_bootstrap]
        elif entry in SERVERS:
            account["server"] = list(SERVERS[entry])
        else:
            raise args.wrong()
        self.nvram.pop("dm", None)  # what a bootstrap server wrote belongs to the server before

    def tat_lwm2minjkeys(self, form, args):
        """Endpoint name, identity, key: effective after the next reboot (3.1.14)."""
        if self._simple(form, ""):
            return
        self.need(form, WRITE)
        self._agent(args.expect(2, 5))
        mode = args.integer(1, 0, 3)
        self.need_agent()
        keys = self.stored("account", {}).setdefault("keys", {})
        if mode != 1:
            for name in {0: ("ep", "id", "key"), 2: ("ep",), 3: ("id", "key")}[mode]:
                keys.pop(name, None)
            return
        if len(args) < 5 and not (len(args) == 3 and self.options["keys_optional"]):
            raise Refused(args.count_error)
        texts = [args.string(2 + n, _TEXT_LIMIT, "") for n in range(3)]
        for n in range(len(args) - 2):
            if not args.quoted[2 + n] and args.values[2 + n] is None:
                raise args.wrong()
        for name, text in zip(("ep", "id", "key"), texts[: len(args) - 2]):
            keys[name] = text

    # ---- FOTA

    def tat_lwm2mfotacfg(self, form, args):
        """Which steps of a firmware update wait for the host (3.1.12); outlives everything."""
        if self._simple(form, "#LWM2MFOTACFG: (0),(0-3)"):
            return
        self.need(form, WRITE)
        self._agent(args.expect(2))
        self.need_agent()
        self.nvram["fota_mode"] = args.integer(1, 0, 3)

    def tat_lwm2mfotaack(self, form, args):
        """Let the step go on that #LWM2MFOTARING told of (3.1.13)."""
        if form == TEST:
            self.info("#LWM2MFOTAACK: (0),(1)")
            return
        self.need(form, WRITE)
        self._agent(args.expect(2))
        args.integer(1, 1, 1)
        self.need_agent()
        if not self.pass_gate():
            raise self.error(NOT_ALLOWED)
