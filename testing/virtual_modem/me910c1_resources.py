"""ME910C1: commands on resources: R, E, W of open objects, SET, GET of the whitelist, NEWINST, EXIST (3.1.5 to 3.1.17)."""

from testing.virtual_modem.atline import READ, TEST, WRITE, Args, Refused
from testing.virtual_modem.me910c1_module import NOT_ALLOWED
from testing.virtual_modem.me910c1_objects import CLOSED, SET_TYPES
from testing.virtual_modem.me910c1_server import TelitServer
from testing.virtual_modem.me910c1_values import checked


class TelitResources(TelitServer):
    """Values, by command."""

    OPTIONS = dict(TelitServer.OPTIONS)
    OPTIONS.update(
        {
            "agent_for_set": False,  # True: SET, GET, NEWINST, EXIST want the agent enabled, as R, E and W do
            "internal_error": False,  # True: AT#LWM2MEXIST finds the agent broken (3.1.17)
            "value_text": "plain",  # "plain", or "fixed": floats as #LWM2MR: 21.500000
        }
    )

    def _agent(self, args, index=0):
        """<agentInstance>: 0 is Telit's; the others are reserved."""
        if args.integer(index, 0, 4) != 0:
            raise args.wrong()

    def _path(self, args, start):
        return tuple([args.integer(start + n, 0, 65535) for n in range(4)])

    def _simple(self, form, ranges):
        """Read form (OK) and test form (ranges, or OK alone) as most commands have them: True where it was one."""
        if form == TEST:
            if ranges:
                self.info(ranges)
            return True
        return form == READ

    # ---- resources

    def tat_lwm2mr(self, form, args):
        """Read (3.1.5). The manual does not show the answer; `#LWM2MR: <value>` is the field's."""
        if self._simple(form, "#LWM2MR: (0),(0-65535),(0-65535),(0-65535),(0-65535)"):
            return
        path, row = self._open_path(form, args, 5)
        if "R" not in row[1]:
            raise self.error(NOT_ALLOWED)
        self.info("#LWM2MR: %s" % self._value_text(row[0], path))

    def tat_lwm2me(self, form, args):
        """Execute (3.1.6)."""
        if self._simple(form, "#LWM2ME: (0),(0-65535),(0-65535),(0-65535),(0-65535)"):
            return
        path, row = self._open_path(form, args, 5)
        if "E" not in row[1]:
            raise self.error(NOT_ALLOWED)
        self.after(10, lambda: self.execute(path[:3]))

    def tat_lwm2mw(self, form, args):
        """Write (3.1.7)."""
        if self._simple(form, "#LWM2MW: (0),(0-65535),(0-65535),(0-65535),(0-65535)"):
            return
        path, row = self._open_path(form, args, 6)
        if "W" not in row[1]:
            raise self.error(NOT_ALLOWED)
        self._store(args, path, row[0], 5)

    def _open_path(self, form, args, count):
        """Path and definition row of a command on a resource that is not closed."""
        self.need(form, WRITE)
        self._agent(args.expect(count))
        path = self._path(args, 1)
        self.need_agent(True)
        if path[0] in CLOSED or not self.objects.exists(path):
            raise self.error(NOT_ALLOWED)
        return path, self.objects.definition(path)

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

    def tat_lwm2mset(self, form, args):
        """Set a whitelisted resource (3.1.9); no agent parameter, no check of the resource's own range."""
        if self._simple(form, "#LWM2MSET: (0-3)"):
            return
        path, row = self._white_path(form, args, 6)
        self._store(args, path, row[0], 5)

    def tat_lwm2mget(self, form, args):
        """Get a whitelisted resource (3.1.11)."""
        if self._simple(form, "#LWM2MGET: (0-3),(0-65535),(0-65535),(0-65535),(0-65535)"):
            return
        path, row = self._white_path(form, args, 5)
        self.info("#LWM2MGET: %s" % self._value_text(row[0], path))

    def _white_path(self, form, args, count):
        self.need(form, WRITE)
        kind = args.expect(count).integer(0, 0, 3)
        path = self._path(args, 1)
        self.need_agent(self.options["agent_for_set"])
        row = self.objects.definition(path)
        if row is None or not self.objects.whitelisted(path):
            raise self.error(NOT_ALLOWED)
        if row[0] not in SET_TYPES[kind]:
            raise args.wrong()
        return path, row

    def tat_lwm2mnewinst(self, form, args):
        """Create an instance (3.1.10)."""
        if self._simple(form, "#LWM2MNEWINST: (0),(7-65534),(0-65534)"):
            return
        self.need(form, WRITE)
        self._agent(args.expect(3))
        number, instance = args.integer(1, 7, 65534), args.integer(2, 0, 65534)
        self.need_agent(self.options["agent_for_set"])
        if not self.objects.create(number, instance):
            raise self.error(NOT_ALLOWED)
        self.objects_changed()

    def tat_lwm2mexist(self, form, args):
        """Is there such an agent, such a path (3.1.17)? Its errors have words of their own."""
        if self._simple(form, "#LWM2MEXIST: (0),(0-65535),(0-65535),(0-65535),(0-65535)"):
            return
        self.need(form, WRITE)
        named = Args(args.text, self._exist_error("Invalid args"), self._exist_error("Invalid args")).expect(1, 5)
        numbers = tuple([named.integer(n, 0, 65535) for n in range(len(named))])
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
