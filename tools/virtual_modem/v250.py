"""The commands of V.250 and AT+CMEE, which every module has: ATE, ATV, ATQ, ATS3, ATS4, ATZ, AT&F, AT&W."""

from tools.virtual_modem.atline import READ, TEST, WRITE, Refused
from tools.virtual_modem.core import Core


class V250(Core):
    """A module that knows the basic commands."""

    def at_(self, form, args):
        """AT alone, which split_commands leaves out."""

    def basic_e(self, form, args):
        """ATE: echo."""
        self.kept["E"] = self._switch(args)

    def basic_v(self, form, args):
        """ATV: results in words or numbers."""
        self.kept["V"] = self._switch(args)

    def basic_q(self, form, args):
        """ATQ: results or none."""
        self.kept["Q"] = self._switch(args)

    def basic_s(self, form, args):
        """ATS3 and ATS4: the characters that end lines."""
        number, sign, value = (args.text or "").partition("=")
        if not sign:
            number = number.rstrip("?")
        if number not in ("3", "4"):
            raise Refused("ERROR")
        if sign:
            if not value.isdigit() or int(value) > 127:
                raise Refused("ERROR")
            self.kept["S" + number] = int(value)
        else:
            self.info("%03d" % self.setting("S" + number))

    def basic_z(self, form, args):
        """ATZ: back to the stored settings."""
        self.kept = {name: self.kept[name] for name in self.kept if name not in self.defaults()}

    def amp_f(self, form, args):
        """AT&F: back to the factory's settings."""
        self.kept.update(self.defaults())

    def amp_w(self, form, args):
        """AT&W: store the settings."""
        self.nvram["profile"] = {name: self.setting(name) for name in self.defaults()}

    def at_cmee(self, form, args):
        """AT+CMEE: plain, numbered or worded errors."""
        if form == TEST:
            self.info("+CMEE: (0-2)")
        elif form == READ:
            self.info("+CMEE: %d" % self.setting("cmee"))
        else:
            self.need(form, WRITE)
            self.kept["cmee"] = args.expect(1).integer(0, 0, 2)

    def _switch(self, args):
        value = args.text or "0"
        if value not in ("0", "1"):
            raise Refused("ERROR")
        return int(value)
