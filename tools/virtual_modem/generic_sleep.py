"""PSM, eDRX and RRC state by command: the settings that the radio lives by (3GPP TS 27.007)."""

from tools.virtual_modem.atline import READ, RUN, TEST, WRITE
from tools.virtual_modem.radio import Radio


class GenericSleep(Radio):
    """A radio whose sleep the host sets."""

    def at_cpsms(self, form, args):
        """PSM: mode, periodic TAU, active time."""
        psm = self.psm_setting()
        if form == READ:
            self.info('+CPSMS: %d,,,"%s","%s"' % (psm[0], psm[1], psm[2]))
            return
        if form == TEST:
            self.info('+CPSMS: (0-2),,,("00000000"-"11111111"),("00000000"-"11111111")')
            return
        self.need(form, WRITE)
        mode = args.expect(1, 5).integer(0, 0, 2)
        periodic = args.string(3, 8, psm[1], 8)
        active = args.string(4, 8, psm[2], 8)
        if (periodic + active).strip("01"):
            raise args.wrong()
        self.nvram["psm"] = [1 if mode == 1 else 0, periodic, active]
        self.activity()

    def at_cedrxs(self, form, args):
        """eDRX: mode, access technology, cycle."""
        edrx = self.stored("edrx", [0, 5, "0010"])
        if form == READ:
            self.info('+CEDRXS: %d,"%s"' % (edrx[1], edrx[2]))
            return
        if form == TEST:
            self.info('+CEDRXS: (0-3),(5),("0000"-"1111")')
            return
        self.need(form, WRITE)
        mode = args.expect(1, 3).integer(0, 0, 3)
        technology = args.integer(1, 4, 5, edrx[1])
        bits = args.string(2, 4, edrx[2], 4)
        if bits.strip("01"):
            raise args.wrong()
        self.nvram["edrx"] = [mode if mode != 3 else 0, technology, bits]

    def at_cedrxrdp(self, form, args):
        """eDRX as the network granted it."""
        self.need(form, RUN)
        edrx = self.stored("edrx", [0, 5, "0010"])
        if edrx[0] in (1, 2):
            self.info('+CEDRXRDP: %d,"%s","%s","0001"' % (edrx[1], edrx[2], edrx[2]))
        else:
            self.info("+CEDRXRDP: 0")

    def at_cscon(self, form, args):
        """RRC state and its URC."""
        if form == READ:
            self.info("+CSCON: %d,%d" % (self.setting("cscon"), self.rrc))
            return
        self.need(form, WRITE)
        self.kept["cscon"] = args.expect(1).integer(0, 0, 1)

    def on_rrc(self, connected):
        if self.setting("cscon"):
            self.urc("+CSCON: %d" % connected)
