"""Model of the BC20 (LwM2M AT Commands Manual, NAR01A01 and later): a pipe on declared objects.

    AT+QLWSERV="180.101.147.115",5683       OK
    AT+QLWCONF="867724030023557"            OK
    AT+QLWADDOBJ=19,0,1,"0"                 OK
    AT+QLWOPEN=0                            OK, CONNECT OK, +QLWOBSERVE: 0,19,0,0
    AT+QLWDATASEND=19,0,0,1,01,0x0100       OK, SEND OK
                                            +QLWDATARECV: 19,1,0,4,AAAA0000
"""

from testing.virtual_modem.atline import READ, RUN, TEST, WRITE, Refused, whole_number
from testing.virtual_modem.bc20_pipe import Bc20Pipe
from testing.virtual_modem.bc20_session import CLOSED, OPEN
from testing.virtual_modem.core import PENDING


class Bc20(Bc20Pipe):
    """The commands that configure it."""

    # ---- configuration

    def at_qlwserv(self, form, args):
        """Address and port of the platform (3.1)."""
        if form == TEST:
            self.info('+QLWSERV: "IP_address",(0-65535)')
            return
        server = self.nvram.get("server")
        if form == READ:
            if server is None:
                raise Refused("ERROR")
            self.info('+QLWSERV: "%s",%d' % (server[0], server[1]))
            return
        self.need(form, WRITE)
        wanted = [args.expect(2).string(0, 150, shortest=1), args.integer(1, 0, 65535)]
        if server is not None and server != wanted:
            raise Refused("ERROR")  # another platform wants AT+QLWDEL first (5.1)
        self.nvram["server"] = wanted

    def at_qlwconf(self, form, args):
        """Endpoint name (3.2)."""
        if form == TEST:
            self.info('+QLWCONF: "endpointname"')
            return
        if form == READ:
            if "endpoint" not in self.nvram:
                raise Refused("ERROR")
            self.info('+QLWCONF: "%s"' % self.nvram["endpoint"])
            return
        self.need(form, WRITE)
        if self.phase != CLOSED:
            raise Refused("ERROR")
        self.nvram["endpoint"] = args.expect(1).string(0, 150, shortest=1)

    def at_qlwaddobj(self, form, args):
        """Declare an object, an instance, a resource (3.3)."""
        self.need(form, WRITE)
        args.expect(1, 4)
        number = args.integer(0, 0, 65535)
        instance = args.integer(1, 0, 65535, 0)
        names = args.string(3, 100, "0").replace(",", " ").split()
        resources = [whole_number(name) for name in names]
        if number in (0, 1, 2, 3) or None in resources or len(resources) != args.integer(2, 1, 14, len(resources)):
            raise Refused("ERROR")
        objects = self.objects()
        for entry in objects:
            if entry[:2] == [number, instance]:
                entry[2] = sorted(set(entry[2] + resources))
                break
        else:
            objects.append([number, instance, resources])
        if self.phase == OPEN:
            self.update(None, objects=self.object_links())

    def at_qlwdelobj(self, form, args):
        """Delete an object; UPDATE OK follows only when registered (3.4)."""
        self.need(form, WRITE)
        number = args.expect(1).integer(0, 0, 65535)
        left = [entry for entry in self.objects() if entry[0] != number]
        if len(left) == len(self.objects()):
            raise Refused("ERROR")
        self.nvram["objects"] = left
        if self.phase == OPEN:
            self.update("UPDATE", objects=self.object_links())

    def at_qlwcfg(self, form, args):
        """Data format of sending and receiving (3.11)."""
        if form == TEST:
            self.info('+QLWCFG: "dataformat",(0,1),(0,1)')
            return
        self.need(form, WRITE)
        if args.expect(3).string(0, 20) != "dataformat":
            raise args.wrong()
        self.kept["dataformat"] = [args.integer(1, 0, 1), args.integer(2, 0, 1)]

    def dataformat(self):
        """[send, receive]: 0 text, 1 hex."""
        return self.kept.get("dataformat", list(self.options["dataformat"]))

    def at_qlwdel(self, form, args):
        """Delete the context: platform, name, objects, session (3.12)."""
        self.need(form, RUN)
        self.after(self.options["delete_ms"], self._deleted)
        return PENDING

    def _deleted(self):
        self._era += 1
        self.in_flight = 0
        self.lose_context()
        for name in ("server", "endpoint", "objects"):
            self.nvram.pop(name, None)
        self.finish()
