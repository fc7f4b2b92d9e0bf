"""A module that says what a test lays into its mouth: answers by command, unsolicited lines at any time.

    talker = Talker({"AT+CGMR": "Revision: BC66NBR01A10", "AT+QLWREG": ["OK", (900, "+QLWREG: 0")]})
    uart = FakeUart(clock, peer=talker)

An answer is a text (an information line, OK follows), "ERROR" or "+CME ERROR: n" alone, None (no answer at all), a list
of final lines as they are, each perhaps (after_ms, line), or a function(line) that returns one of these. A command is
found by its whole line, then by its name up to "=" or "?"; one that is not in the table gets OK, unless it is of LwM2M and
the family's manual refuses it: wrong values, or a session that there is, or is not (fakes.manual). A script that says OK to
such a line is an AssertionError; `manual` None takes a module that talks nonsense.
"""

from fakes.manual import Manual


class Talker:
    """The peer of a FakeUart. `commands` holds every line that came, without its CR; while `silent` none is answered."""

    def __init__(self, answers=None, clock=None, family=None) -> None:
        self.manual = None if family is None else Manual(family)
        self.answers = {} if answers is None else answers
        self.clock = clock
        self.silent = False
        self.commands: list = []
        self.out = lambda data: None
        self._line = b""

    def receive(self, data: bytes) -> None:
        self._line += data
        while b"\r" in self._line:
            line, _, self._line = self._line.partition(b"\r")
            text = line.decode().strip()
            if text:
                self.commands.append(text)
                if not self.silent:
                    self._answer(self._judged(self._find(text), text), text)

    def say(self, *lines: str) -> None:
        """Unsolicited lines."""
        for line in lines:
            if self.manual is not None:
                self.manual.said(line)
            self.out(b"\r\n" + line.encode() + b"\r\n")

    def said(self, prefix: str) -> list:
        """The commands that begin with prefix."""
        return [line for line in self.commands if line.startswith(prefix)]

    def _find(self, text: str):
        if text in self.answers:
            return self.answers[text]
        for end in ("=", "?"):
            name = text.partition(end)[0]
            if end in text and name + end in self.answers:
                return self.answers[name + end]
        return self.manual and self.manual.refusal(text) or "OK"

    def _judged(self, answer, text: str):
        if callable(answer):
            answer = answer(text)
        if self.manual is not None and (isinstance(answer, str) and "ERROR" not in answer or answer and "OK" in answer):
            refused = self.manual.refusal(text)
            assert refused is None, "the script says OK to %s, where the manual has %s" % (text, refused)
            self.manual.taken(text)
        return answer

    def _answer(self, answer, text: str) -> None:
        if answer is None:
            return
        if isinstance(answer, str):
            final = answer in ("OK", "ERROR") or " ERROR:" in answer
            answer = [answer] if final else [answer, "OK"]
        for entry in answer:
            if isinstance(entry, tuple):
                self.clock.after(entry[0], lambda line=entry[1]: self.say(line))
            else:
                self.say(entry)
