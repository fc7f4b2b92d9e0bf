"""ME910C1: what is stored beside the agent's values: profiles, short messages, files.

    AT#M2MWRITE="/XML/object_3303.xml",1820     >>> , then 1820 bytes, then OK (field, not in the manual)
"""

from testing.virtual_modem.atline import RUN, TEST, WRITE, Refused
from testing.virtual_modem.core import PENDING
from testing.virtual_modem.me910c1_module import NOT_SUPPORTED
from testing.virtual_modem.me910c1_power import TelitPower

_FILE_LIMIT = 65536
_FOLDERS = ("/XML/", "/mod/")


class TelitFiles(TelitPower):
    """Profiles, short messages, files."""

    # ---- profiles and short messages

    def amp_p(self, form, args):
        """AT&P: the profile that is loaded at the start, base and extended section."""
        self._profile_number(args)

    def amp_y(self, form, args):
        """AT&Y: the same, base section only."""
        self._profile_number(args)

    def _profile_number(self, args):
        if (args.text or "0") not in ("0", "1"):
            raise Refused(self.cme(NOT_SUPPORTED))
        self.nvram["profile_number"] = int(args.text or "0")

    def at_cmgr(self, form, args):
        """Read a short message: none is there, so this is where +CMS ERROR comes from."""
        self.need(form, WRITE)
        index = args.expect(1).integer(0, 0, 255)
        if not self.sim_state:
            raise self.cms(310)
        if index >= len(self.options["sms"]):
            raise self.cms(321)
        self.info('+CMGR: "REC UNREAD","%s"' % self.options["sms"][index])

    # ---- files (field)

    def tat_m2mwrite(self, form, args):
        """Store a file: the prompt, then as many bytes as announced."""
        if form == TEST:
            return None
        self.need(form, WRITE)
        name = args.expect(2, 3).string(0, 128, shortest=6)
        size = args.integer(1, 1, _FILE_LIMIT)
        if not any([name.startswith(folder) for folder in _FOLDERS]):
            raise self.error(1102)
        self.take_bytes(size, lambda data: self._file_written(name, data))
        self._file_timer = self.after(self.options["file_ms"], self._file_given_up)
        self.send("\r\n>>> ")
        return PENDING

    def _file_given_up(self):
        self._swallow = None
        self.finish(self.cme(1105))

    def _file_written(self, name, data):
        self._file_timer.cancel()
        try:
            text = data.decode()
        except (UnicodeError, ValueError):
            self.finish(self.cme(1105))
            return
        self.stored("files", {})[name] = text
        self.finish()

    def tat_m2mlist(self, form, args):
        """Names and sizes below a folder."""
        if form == TEST:
            return
        self.need(form, WRITE, RUN)
        folder = args.string(0, 128, "/mod") if form == WRITE else "/mod"
        folder = folder.rstrip("/") + "/"
        if folder not in _FOLDERS:
            raise self.error(1102)
        files = self.stored("files", {})
        for name in sorted(files):
            if name.startswith(folder):
                self.info('#M2MLIST: "%s",%d' % (name[len(folder) :], len(files[name].encode())))

    def tat_m2mdel(self, form, args):
        """Remove a file."""
        if form == TEST:
            return
        self.need(form, WRITE)
        if self.stored("files", {}).pop(args.expect(1).string(0, 128), None) is None:
            raise self.error(1102)
