"""SMS with any module that speaks 3GPP TS 27.005: answer "STATUS" with a sentence, and send one of our own. No LwM2M in it.

    >>> from machine import UART
    >>> import time
    >>> from lwnode.at import AtClient
    >>> from sms import Sms
    >>> sms = Sms(AtClient(UART(1, 115200, rxbuf=2048), time), lambda: "21.5 C, all well")
    >>> sms.start()
    >>> sms.send("+49151000", "awake")                  # the network's reference of the message
    7
    >>> while True:
    ...     sms.serve(60_000)                           # answers what comes in meanwhile

Needs only lwnode.at. Texts travel as hex digits (UCS2): a message that reads "OK" or like a URC can forge no answer. A message
is read and deleted outside the URC's handler, so that none is lost and the module's storage never fills up. One part: 160
characters of the GSM alphabet.
"""

from lwnode.at import AtError


class Sms:
    """Messages in and out over one AtClient; `status()` gives the text that answers STATUS."""

    def __init__(self, at, status):
        self.at = at
        self.status = status
        self.waiting = []  # places in the module's storage, 20 at most
        self.failures = 0

    def start(self):
        """Text mode in UCS2, and +CMTI for each message. Raises AtError where the module refuses or is silent."""
        self.at.sync()
        self.at.write("+CMGF", 1)
        self.at.write("+CSCS", "UCS2")
        self.at.subscribe("+CMTI", self._arrived)
        self.at.write("+CNMI", 2, 1)

    def send(self, number, text):
        """Send one message; its reference. Raises ValueError for what does not fit, AtError when it is not taken."""
        if not 0 < len(text) <= 160:
            raise ValueError("a message has 1 to 160 characters, this one %d" % len(text))
        # 27.005 3.5.1: the text goes after the prompt and ends with Ctrl-Z; the network may take a minute
        answer = self.at.write("+CMGS", _hex(number), data=(_hex(text) + "\x1a").encode(), timeout_ms=60_000)
        return int(answer[0][0])

    def serve(self, ms):
        """Listen for so long, and answer each STATUS. What fails is counted and tried again with the next call."""
        self.at.poll(ms)
        while self.waiting:
            try:
                self._answer(self.waiting[0])
            except AtError:
                self.failures += 1
                return
            self.waiting.pop(0)

    def _arrived(self, line):
        """+CMTI: "SM",3"""
        place = line.split(",")[-1].strip()
        if place.isdigit() and len(self.waiting) < 20:
            self.waiting.append(int(place))

    def _answer(self, place):
        """+CMGR: "REC UNREAD","002B0034...",,"24/01/31,12:00:00+04" and the text in a line of its own."""
        lines = self.at.send("AT+CMGR=%d" % place, prefix="", timeout_ms=5000)
        if len(lines) > 1 and "STATUS" in _text(lines[-1]).upper():
            self.send(_text(lines[0].split('"')[3]), self.status())
        self.at.write("+CMGD", place, timeout_ms=5000)


def _hex(text):
    return "".join(["%04X" % ord(character) for character in text])


def _text(digits):
    """What four hex digits a character say; "" of anything else."""
    try:
        return "".join([chr(int(digits[place : place + 4], 16)) for place in range(0, len(digits), 4)])
    except ValueError:
        return ""
