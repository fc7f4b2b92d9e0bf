"""The line settings that every AT module has (V.250), and nothing else of a module: for tests of the AT driver.

    modem = AtModem({b"AT+CSQ": [b"+CSQ: 18,99"]})
    uart = FakeUart(clock, peer=modem)

Commands: those of the table, and AT, ATEn, ATVn, ATQn, ATS3=, ATS4=, AT+CMEE=, AT+CMEE?. Others answer ERROR.
`dead` swallows everything; `lost` so many commands are not heard.
"""


class AtModem:
    """A peer for FakeUart with echo, V, Q, S3, S4 and CMEE."""

    def __init__(self, answers=None, echo=False, verbose=True, quiet=False, s3=13, s4=10, cmee=1) -> None:
        self.answers = answers or {}
        self.echo = echo
        self.verbose = verbose
        self.quiet = quiet
        self.s3 = s3
        self.s4 = s4
        self.cmee = cmee
        self.dead = False
        self.lost = 0
        self.heard: list = []
        self.out = None  # given by FakeUart
        self._line = b""

    def receive(self, data: bytes) -> None:
        if self.dead:
            return
        if self.echo:
            self.out(data)
        for index in range(len(data)):
            if data[index] == self.s3:
                line, self._line = self._line, b""
                self._execute(line.strip())
            elif data[index] == 27:
                self._line = b""
            else:
                self._line += data[index : index + 1]

    def _execute(self, line: bytes) -> None:
        start = line.upper().find(b"AT")
        if start < 0:
            return
        line = line[start:]
        if self.lost:
            self.lost -= 1
            return
        self.heard.append(line)
        if line in self.answers:
            for text in self.answers[line]:
                self._say(text)
            self.result(b"OK", b"0")
        elif self._set(line):
            self.result(b"OK", b"0")
        else:
            self.result(b"+CME ERROR: 58" if self.cmee else b"ERROR", b"4")

    def _set(self, line: bytes) -> bool:
        """Several basic settings may stand in one line: ATQ0V1E0."""
        if line == b"AT+CMEE?":
            self._say(b"+CMEE: %d" % self.cmee)
            return True
        if line.startswith(b"AT+CMEE="):
            self.cmee = int(line[8:])
            return True
        rest = line[2:]
        while rest:
            if rest[:1] in b"EVQ" and rest[1:2] in (b"0", b"1"):
                name = {b"E": "echo", b"V": "verbose", b"Q": "quiet"}[bytes(rest[:1])]
                setattr(self, name, rest[1:2] == b"1")
                rest = rest[2:]
            elif rest[:3] in (b"S3=", b"S4="):
                setattr(self, "s" + chr(rest[1]), int(rest[3:]))
                rest = b""
            else:
                return False
        return True

    def _say(self, text: bytes) -> None:
        end = bytes((self.s3, self.s4))
        self.out((end if self.verbose else b"") + text + end)

    def result(self, words: bytes, number: bytes) -> None:
        """A final result in the form that V and Q ask for."""
        if self.quiet:
            return
        if self.verbose:
            self._say(words)
        else:
            self.out(number + bytes((self.s3,)))
