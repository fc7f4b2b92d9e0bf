"""What goes wrong on purpose: faults at a chosen exchange, faults at random by seed, and standing quirks.

    modem.faults.arm("error")                       # the next command line ends in ERROR
    modem.faults.arm("late", at=12, value=6000)     # the twelfth line from now is answered 6 s late
    modem.faults.arm("lost_urc", value="report_ack")        # the next URC that holds this text is not sent
    modem.faults.random(seed=7, permille=30)        # each exchange may meet one; the same seed, the same faults

Kinds: see KINDS. A quirk is a habit of real firmware that the manual does not print (QUIRKS); a model has it when its
option `hostile` names it, or is "all".
"""

KINDS = {
    "error": "the line is not executed and answered ERROR",
    "silence": "the line is lost: not executed, not answered",
    "lost_answer": "the line is executed, its answer is lost",
    "late": "the line is executed and answered `value` ms late (6000)",
    "garbage": "bytes of noise before the answer",
    "bitflip": "one bit of the answer is wrong",
    "reboot": "the module restarts instead of answering",
    "urc_inside": "a URC (`value`, or +CSCON: 1) between the answer and its final result",
    "echo_on": "the echo is on again from here on",
    "lost_urc": "the next URC (that holds the text `value`) is lost",
}

# name -> (families, what happens, where it was seen: section of field_quirks.md)
QUIRKS = {
    "banner_glued": ("bc66", "BL_V01 follows the boot banner without a line end", "1.1"),
    "autobaud": ("bc66 bc20", "no RDY, +CFUN, +CPIN before the first AT", "1.3"),
    "deepsleep_no_newline": ("bc66", "ENTER DEEPSLEEP ends without CR LF", "1.4"),
    "first_at_lost": ("bc66 bc20 bg96 me910c1", "the first line after boot or wake is not heard", "1.6"),
    "boot_noise": ("bc66 bc20 bg96 me910c1", "NUL, 0xFF, 0x1A and LF around the boot text", "1.7"),
    "odd_urcs": ("bc66 bc20 bg96 me910c1", "URCs without colon, with asterisk, with free text", "1.8"),
    "cme_spelling": ("bc66", "LwM2M errors come as +CME ERROR", "2.1"),
    "plain_error": ("bc66 bg96", "ERROR although AT+CMEE=1", "2.2"),
    "qsclk_error": ("bc66 bc20", "AT+QSCLK=0 is answered ERROR after 1.9 s, once", "2.2"),
    "cme_zero": ("bg96 me910c1", "failures come as +CME ERROR: 0", "2.3"),
    "idle_refusal": ("bc66", "notify and update are refused (1) while the radio is idle, once", "2.4"),
    "update_blank": ("bc66", "+QLWUPDATE: 0, 61459 with a blank, as the manual prints it once", "mapping 3.2"),
    "dereg_pause": ("bc66 bc20", "a registration within 1 s of a deregistration fails", "5"),
    "recv_length": ("bc20", "+QLWDATARECV declares more bytes than it brings", "3"),
    "three_fields": ("bg96", "+QLWDLDATA as the manual's example: no slash, no length", "3"),
    "space_states": ("bg96", "STATE INITIAL with a blank", "3"),
    "stat_without_number": ("me910c1", '#LWM2MGETSTAT: "DIS" as the manual\'s example', "3"),
    "tlt_named": ("me910c1", "LWM2M-TLT without blank, SSID=n", "3"),
    "lf_lists": ("me910c1", "lists joined by a lone LF", "1.5"),
    "observe_refused": ("bc66", "the first answer to an observe after a cold boot ends in +QLWOBSRSP: 1, unsent", "5"),
    "duplicate_requests": ("bc66", "a request that is not answered within 2 s comes twice, with its message id", "5"),
    "bare_results": ("bc66", "A06: +QLWURC:reg,0 without the blank, +QLWDATARECV with nothing but the data", "3"),
    "baud_garbage": ("bc66 bc20", "the boot ROM's banner is garbage, RDY is readable (another baud rate)", "1.2"),
    "stray_urc": ("bg96", "a +QIURC of an earlier life between POWERED DOWN and RDY", "5"),
    "answers_shift": ("bc66", "a line sent before the answer of the last is dropped, its answer shifted", "5"),
}

_NOISE = b"\xff\x00\n\x1a\x00\xf0\x80"


class Faults:
    """The faults of one model. Sits between the line parser and the commands, and between the model and the line."""

    def __init__(self, owner):
        self._owner = owner
        self._armed = []  # [kind, lines still to pass, value]
        self._state = 0
        self._permille = 0
        self._kinds = ()
        self._mute = False
        self._flip = False
        self._inside = None
        self._due = []
        self.played = []

    def arm(self, kind, at=1, value=None):
        """Play `kind` at the `at`-th command line from now (`lost_urc`: at the at-th URC). ValueError: no such kind."""
        if kind not in KINDS:
            raise ValueError("fault %r: expected one of %s" % (kind, ", ".join(sorted(KINDS))))
        self._armed.append([kind, max(1, at), value])

    def disarm(self):
        """Forget the faults that have not happened."""
        self._armed = []

    def random(self, seed, permille=20, kinds=None):
        """Play faults at random: `permille` of the exchanges, out of `kinds`; 0 stops it."""
        for kind in kinds or ():
            if kind not in KINDS:
                raise ValueError("fault %r: expected one of %s" % (kind, ", ".join(sorted(KINDS))))
        self._state = seed & 0x3FFFFFFF
        self._permille = permille
        self._kinds = tuple(kinds) if kinds else tuple(sorted(KINDS))

    def _draw(self, bound):
        # A linear congruence of our own: the same sequence under both interpreters.
        self._state = (self._state * 1103515245 + 12345) & 0x3FFFFFFF
        return (self._state >> 8) % bound

    # ---- called by the core

    def delay(self, line):
        """Milliseconds to wait before this line is executed."""
        self._flip = self._mute = False
        self._due = self._faults_due()
        delay = 0
        for kind, value in self._due:
            if kind == "late":
                delay += 6000 if value is None else int(value)
        return delay

    def _faults_due(self):
        due = []
        for fault in list(self._armed):
            if fault[0] != "lost_urc":
                fault[1] -= 1
                if fault[1] <= 0:
                    self._armed.remove(fault)
                    due.append((fault[0], fault[2]))
        if self._permille and self._draw(1000) < self._permille:
            kind = self._kinds[self._draw(len(self._kinds))]
            if kind == "lost_urc":
                self._armed.append([kind, 1, None])
            else:
                due.append((kind, None))
        for kind, _ in due:
            self.played.append((self._owner.counters["commands"], kind))
        return due

    def take_line(self, line):
        """Play what is due at this line; True when it must not be executed."""
        owner = self._owner
        for kind, value in self._due:
            if kind == "garbage":
                owner.out(_NOISE)
            elif kind == "bitflip":
                self._flip = True
            elif kind == "urc_inside":
                self._inside = "+CSCON: 1" if value is None else str(value)
            elif kind == "echo_on":
                owner.kept["E"] = 1
            elif kind == "lost_answer":
                self._mute = True
            elif kind == "error":
                owner.finish("ERROR")
                return True
            elif kind == "silence":
                self._mute = True
                owner.finish("OK")
                return True
            elif kind == "reboot":
                owner.restart()
                return True
        return False

    def before_final(self):
        """The information text is out, the final result is not."""
        if self._inside is not None:
            inside, self._inside = self._inside, None
            self._owner.urc(inside)

    def answered(self):
        """The final result went out."""
        self._flip = self._mute = False

    def urc(self, text, framed):
        """Send a URC, or lose it."""
        for fault in list(self._armed):
            if fault[0] == "lost_urc" and (fault[2] is None or str(fault[2]) in text):
                fault[1] -= 1
                if fault[1] <= 0:
                    self._armed.remove(fault)
                    self.played.append((self._owner.counters["commands"], "lost_urc"))
                    return
        mute, self._mute = self._mute, False
        self._owner.send(framed)
        self._mute = mute

    def outgoing(self, data):
        """The bytes as they leave."""
        if self._mute:
            return b""
        if self._flip and data:
            self._flip = False
            place = len(data) // 2
            data = data[:place] + bytes([data[place] ^ 0x02]) + data[place + 1 :]
        return data
