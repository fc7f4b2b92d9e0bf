"""What a model says: echo, information text, final results, URCs, and the record of all that without secrets."""

from testing.virtual_modem.atline import WRITE, parse, split_commands
from testing.virtual_modem.faults import Faults

_RECENT = 40
_RING_MS = 120

# Result codes without words (V.250, table 1); others are sent in words whatever ATV says.
_NUMERIC = {"OK": "0", "CONNECT": "1", "RING": "2", "NO CARRIER": "3", "ERROR": "4", "NO DIALTONE": "6", "BUSY": "7"}


class Output:
    """The outward half of the AT interface; settings, clock and commands come from `core`."""

    # Command -> positions of parameters that no trace may show.
    SECRET_FIELDS = {"+CPIN": (0, 1)}

    def __init__(self):
        self.out = _nowhere
        self.faults = Faults(self)
        self.powered = False
        self.deaf = True
        self.counters = {"commands": 0, "errors": 0, "urcs": 0, "ignored_bytes": 0, "restarts": 0, "deep_sleeps": 0}
        self.recent = []
        self.on_note = None  # called with (direction, line) for each exchange, secrets left out
        self.explained = ""
        self.on_explain = None  # called with a sentence for people: what a module does without saying why in AT
        self._rang = -_RING_MS
        self._infos = []
        self._echoes = bytearray()

    def _echo(self, data):
        if self.setting("E"):
            self._echoes.extend(data)

    def _flush_echo(self):
        if self._echoes:
            echoes, self._echoes = bytes(self._echoes), bytearray()
            self.send_raw(echoes)

    def info(self, text):
        """One line of information text; sent before the final result."""
        self._infos.append(text)

    def _flush_infos(self):
        if not self._infos:
            return
        lines = self._infos
        self._infos = []
        for line in lines:
            self.note("<", line)
        end = self._ending()
        text = self.join_lines(lines, end)
        self.send(text + end if not self.setting("V") else end + text + end)

    def join_lines(self, lines, end):
        """How the lines of one information text hang together."""
        return end.join(lines)

    def _ending(self):
        return chr(self.setting("S3")) + chr(self.setting("S4"))

    def _send_final(self, result):
        self.note("<", result)
        if self.setting("Q"):
            return
        end = self._ending()
        if self.setting("V"):
            self.send(end + result + end)
        elif result in _NUMERIC:
            self.send(_NUMERIC[result] + end[0])
        else:
            self.send(result + end)

    def urc(self, text):
        """An unsolicited result code, now; nothing while the module cannot talk."""
        if self.deaf or not self.powered:
            return
        self.counters["urcs"] += 1
        self._rang = self.clock.now
        self.note("<", text)
        end = self._ending()
        self.faults.urc(text, end + text + end)

    @property
    def ring_pin(self):
        """Level of the ring indicator: True for a moment with each URC."""
        return self.clock.now - self._rang < _RING_MS

    def send(self, text):
        """Text to the host."""
        self.send_raw(text.encode())

    def send_raw(self, data):
        """Bytes to the host, unless a fault takes them."""
        data = self.faults.outgoing(data)
        if data:
            self.out(data)

    def note(self, direction, text):
        """Remember an exchange for the live view, and tell `on_note`; keys and PINs are left out."""
        if direction == ">":
            text = self._without_secret_fields(text)
        for secret in self.secrets():
            if secret:
                text = text.replace(secret, "***")
        self.recent.append((self.clock.now, direction, text))
        if len(self.recent) > _RECENT:
            self.recent.pop(0)
        if self.on_note is not None:
            self.on_note(direction, text)

    def explain(self, sentence):
        """Tell people what AT does not: why it refused, that it sleeps. The host hears nothing of it."""
        self.explained = sentence
        if self.on_explain is not None:
            self.on_explain(sentence)

    def _without_secret_fields(self, line):
        """The line, with the fields of SECRET_FIELDS as asterisks: they are secret before they are stored."""
        upper = line.upper()
        if not any([name in upper for name in self.SECRET_FIELDS]):
            return line
        shown = []
        for command in split_commands(line):
            name, form, text = parse(command)
            if form == WRITE and name in self.SECRET_FIELDS:
                values = text.split(",")
                for index in self.SECRET_FIELDS[name]:
                    if index < len(values):
                        values[index] = "***"
                command = name + "=" + ",".join(values)
            shown.append(command)
        return "AT" + ";".join(shown)

    def secrets(self):
        """Texts that must not appear in `recent`."""
        return ()


def _nowhere(data):
    """Where bytes go until a transport sets `out`."""
