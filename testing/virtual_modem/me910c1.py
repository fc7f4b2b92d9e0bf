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

from testing.virtual_modem.accounts import split_uri
from testing.virtual_modem.atline import ID, RAW, SWITCH, Args, Refused, Row, among, whole, words
from testing.virtual_modem.core import joined
from testing.virtual_modem.me910c1_agent import SERVERS
from testing.virtual_modem.me910c1_module import NOT_ALLOWED
from testing.virtual_modem.me910c1_objects import CLOSED, SET_TYPES, checked, parse_definition
from testing.virtual_modem.me910c1_server import TelitServer

_LIST_LIMIT = 6  # 3.1.2, 3.1.15
_TEXT_LIMIT = 64  # 3.1.14
_AGENT = among(0)  # <agentInstance>: Telit's; the others are reserved
_PATH = (ID,) * 4
_RANGES = "(0),(0-65535),(0-65535),(0-65535),(0-65535)"


def _row(write, takes, test=""):
    """A command as most are: a test form with its ranges, or OK alone; a read form that is OK and says nothing."""
    return Row(test or None, lambda m: None, None, write, takes)


class Me910c1(TelitServer):
    """The #LWM2M commands."""

    OPTIONS = joined(TelitServer.OPTIONS, {
        "agent_for_sts": False,  # True: AT#LWM2MSTS as 3.1.8 says; the field uses it before the agent was ever enabled
        "keys_optional": False,  # identity and key must be there (3.1.14); True: AT#LWM2MINJKEYS=0,1,"name" is OK (field)
        "agent_for_set": False,  # True: SET, GET, NEWINST, EXIST want the agent enabled, as R, E and W do
        "internal_error": False,  # True: AT#LWM2MEXIST finds the agent broken (3.1.17)
        "value_text": "plain",  # "plain", or "fixed": floats as #LWM2MR: 21.500000
    })

    def row(self, name):
        """Every #LWM2M command has "SIM Presence: Required" in its table (3.1.1 to 3.1.17)."""
        if name.startswith("#LWM2M") and not self.sim_state:
            raise self.error(10)
        return super().row(name)

    def state(self):
        """What the live view shows."""
        links = self.objects.links() if self.objects else []  # none before the first boot
        return self.live_state(self.status, links, registered=self.registered, monitored=list(self.monitored),
                               acknowledged=[list(path) for path in self.ack_uris])

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

    # ---- agent

    def _status(self):
        self.need_agent()
        without = not self.enabled and self.quirk("stat_without_number")
        self.info('#LWM2MGETSTAT: %s"%s"' % ("" if without else "%d," % self.enabled, self.status))

    def _enabled(self):
        shown = (self.cid, self.mode, self.guard_request, self.guard_release, self.status)
        return '1,%d,%d,%d,%d,"%s"' % shown if self.enabled else "0"

    def _enable(self, on, cid, mode, ahead, release):
        if on:
            if self.enabled or self.forced_exit:
                raise self.error(NOT_ALLOWED)
            self.enable(cid, mode, ahead, release)
        elif self.enabled:
            self.disable()

    # ---- monitoring

    def _change_list(self, known, add, entry):
        """A list of six at most."""
        if add and entry not in known:
            if len(known) >= _LIST_LIMIT:
                raise self.error(NOT_ALLOWED)
            known.append(entry)
        elif not add:
            if entry not in known:
                raise self.error(NOT_ALLOWED)
            known.remove(entry)

    def _acknowledged(self, args):
        action = args.take((_AGENT, whole(0, 2)), most=5)[1]
        self.need_agent()
        if action == 2:
            return ['"/%d/%d/%d"' % uri for uri in self.ack_uris]
        self._change_list(self.ack_uris, action, tuple(args.take((ID,) * 3, start=2)))
        return None

    def _acknowledge_urcs(self, agent, action):
        self.need_agent()
        if action == 2:
            self.info("LWM2MNFYACKENA: 0,%d" % self.ack_enabled)  # the answer has no #
        else:
            self.ack_enabled = action

    # ---- accounts

    def _server(self, args):
        """Of the next reboot (3.1.8); alone: the factory's."""
        _, entry, uri, is_bootstrap = args.take((_AGENT, whole(0, 999, -1), words(256, 0, ""), whole(0, 1, 0)))
        self.need_agent(self.options["agent_for_sts"])
        account = self.stored("account", {})
        if entry < 0:
            account.pop("server", None)
        elif entry == 999 and split_uri(uri) is not None:
            account["server"] = [uri, is_bootstrap]
        elif entry in SERVERS:
            account["server"] = list(SERVERS[entry])
        else:
            raise args.wrong()
        self.nvram.pop("dm", None)  # what a bootstrap server wrote belongs to the server before

    def _keys(self, args):
        """Endpoint name, identity, key: effective after the next reboot (3.1.14)."""
        mode = args.take((_AGENT, whole(0, 3)), most=5)[1]
        self.need_agent()
        keys = self.stored("account", {}).setdefault("keys", {})
        if mode != 1:
            for name in {0: ("ep", "id", "key"), 2: ("ep",), 3: ("id", "key")}[mode]:
                keys.pop(name, None)
            return
        if len(args) < 5 and not (len(args) == 3 and self.options["keys_optional"]):
            raise Refused(args.count_error)
        texts = args.take([words(_TEXT_LIMIT)] * (len(args) - 2), start=2)
        for name, text in zip(("ep", "id", "key"), texts):
            keys[name] = text

    # ---- FOTA

    def _fota_step(self, agent, yes):
        """Let the step go on that #LWM2MFOTARING told of (3.1.13)."""
        self.need_agent()
        if not self.pass_gate():
            raise self.error(NOT_ALLOWED)

    # ---- resources: R, E, W of open objects, SET, GET of the whitelist, NEWINST, EXIST (3.1.5 to 3.1.17)

    def _open_row(self, path, operation):
        """Definition row of a resource that is not closed."""
        self.need_agent(True)
        row = None if path[0] in CLOSED or not self.objects.exists(path) else self.objects.definition(path)
        if row is None or operation not in row[1]:
            raise self.error(NOT_ALLOWED)
        return row

    def _read(self, agent, *path):
        """The manual does not show the answer; `#LWM2MR: <value>` is the field's."""
        return self._value_text(self._open_row(path, "R")[0], path)

    def _execute(self, agent, *path):
        self._open_row(path, "E")
        self.after(10, lambda: self.execute(path[:3]))

    def _write(self, args):
        path = tuple(args.expect(6).take((_AGENT,) + _PATH, most=6)[1:])
        self._store(args, path, self._open_row(path, "W")[0], 5)

    def _value_text(self, kind, path):
        text = self.objects.get(path)
        if kind == 4 and self.options["value_text"] == "fixed":
            return "%.6f" % float(text)
        return text

    def _store(self, args, path, kind, index):
        if index >= len(args) or args.values[index] is None and kind != 1:
            raise Refused(args.count_error)
        try:
            text = checked(kind, args.values[index] or "")
        except ValueError:
            raise args.wrong()
        if self.objects.put(path, text):
            self.after(5, lambda: self.changed(path))  # the host's own changes are told, too (3.1.2)

    def _white_row(self, args, count):
        """(path, definition row) of a whitelisted resource (3.1.9, 3.1.11): no agent parameter."""
        values = args.expect(count).take((whole(0, 3),) + _PATH, most=count)
        path = tuple(values[1:])
        self.need_agent(self.options["agent_for_set"])
        row = self.objects.definition(path)
        if row is None or not self.objects.whitelisted(path):
            raise self.error(NOT_ALLOWED)
        if row[0] not in SET_TYPES[values[0]]:
            raise args.wrong()
        return path, row

    def _set(self, args):
        """No check of the resource's own range."""
        path, row = self._white_row(args, 6)
        self._store(args, path, row[0], 5)

    def _get(self, args):
        path, row = self._white_row(args, 5)
        return self._value_text(row[0], path)

    def _new_instance(self, agent, number, instance):
        self.need_agent(self.options["agent_for_set"])
        if not self.objects.create(number, instance):
            raise self.error(NOT_ALLOWED)
        self.objects_changed()

    def _exists(self, args):
        """Is there such an agent, such a path (3.1.17)? Its errors have words of their own."""
        named = Args(args.text, self._exist_error("Invalid args"), self._exist_error("Invalid args")).expect(1, 5)
        numbers = tuple(named.take([ID] * len(named)))
        self.need_agent(self.options["agent_for_set"])
        if numbers[0] != 0:
            raise Refused(self._exist_error("Invalid agent"))
        if self.options["internal_error"]:
            raise Refused(self._exist_error("Internal Error"))
        if not self.objects.exists(numbers[1:]):
            raise Refused(self._exist_error("Invalid URI"))

    def _exist_error(self, words):
        if self.setting("cmee") == 2 and not self.quirk("cme_zero"):
            return "+CME ERROR: %s" % words
        return self.cme(100)  # the manual gives these errors no number

    COMMANDS = joined(TelitServer.COMMANDS, {
        "#LWM2MSTAT": Row(run=_status),  # 3.1.1
        "#LWM2MMON": Row("(0,1),(1-65535)", lambda m: ['"%d"' % number for number in m.need_agent().monitored], None,
                         lambda m, add, number: m._change_list(m.need_agent().monitored, add, number),
                         (SWITCH, whole(1, 65535))),  # 3.1.2
        "#LWM2MENA": Row("(0,1),(1-6),(0,1),(1-100),(1-100)", _enabled, None, _enable, (
            SWITCH, whole(1, 6, 1), whole(0, 1, 0), whole(1, 100, 5), whole(1, 100, 5))),  # 3.1.3
        "#LWM2MACK": Row("(1)", write="acknowledge", takes=(whole(1, 1),)),  # 3.1.4
        "#LWM2MR": _row(_read, (_AGENT,) + _PATH, _RANGES),  # 3.1.5
        "#LWM2ME": _row(_execute, (_AGENT,) + _PATH, _RANGES),  # 3.1.6
        "#LWM2MW": _row(_write, RAW, _RANGES),  # 3.1.7
        "#LWM2MSTS": _row(_server, RAW),  # 3.1.8
        "#LWM2MSET": _row(_set, RAW, "(0-3)"),  # 3.1.9
        "#LWM2MNEWINST": _row(_new_instance, (_AGENT, whole(7, 65534), whole(0, 65534)), "(0),(7-65534),(0-65534)"),  # 3.1.10
        "#LWM2MGET": _row(_get, RAW, "(0-3),(0-65535),(0-65535),(0-65535),(0-65535)"),  # 3.1.11
        "#LWM2MFOTACFG": _row(lambda m, agent, mode: m.need_agent().nvram.update(fota_mode=mode), (_AGENT, whole(0, 3)),
                              "(0),(0-3)"),  # which steps wait for the host, over everything (3.1.12)
        "#LWM2MFOTAACK": Row("(0),(1)", write=_fota_step, takes=(_AGENT, whole(1, 1))),  # 3.1.13
        "#LWM2MINJKEYS": _row(_keys, RAW),  # 3.1.14
        "#LWM2MNFYACKURI": _row(_acknowledged, RAW, "(0),(0-2),(0-65535),(0-65535),(0-65535)"),  # 3.1.15
        "#LWM2MNFYACKENA": _row(_acknowledge_urcs, (_AGENT, whole(0, 2)), "(0),(0-2)"),  # 3.1.16
        "#LWM2MEXIST": _row(_exists, RAW, _RANGES),  # 3.1.17
    })
