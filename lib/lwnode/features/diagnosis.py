"""Why a node that nobody visits is not well: version, last error, network cause, signal, cell and crash text, as object 26252.

    {"diagnosis": true}                                            config.json

    write  26252/0/7 = 1    look now, and give the first piece of the crash text; 2 the second, until one is empty
    read   26252/0          the answer, once 26252/0/7 is 0 again; on a pull module (BC66) 26252/0/6 at any time

A shadow (ME910C1) is given the values after the write, in the same contact; a pipe (BC20, BG96) takes the write as a command on
19/1/0, `[{0: "/26252/0/7", 2: 1}]`, and sends a pack, the crash text in it as one opaque block. Nothing is told unasked.

The network's cause is asked for when it denies a registration (+CEREG mode 5 or 3; a BG96 has neither). Secrets of the
configuration and numbers as long as an IMSI are blanked in the crash text. Bounds: 79 bytes of state; a piece is 512 bytes at
most, 448 in a pack, 180 on a shadow; of crash.txt the last KB, by whole lines.
"""

from struct import calcsize, pack, unpack

from lwnode import VERSION
from lwnode.features import Feature
from lwnode.lwm2m import Reject
from lwnode.lwm2m.objects import Instance
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.node import Node

_DIAGNOSIS = const(26252)
_CRASH = const(6)
_ASK = const(7)
_KB = const(1024)
_PIECES = const(8)
_PIECE = const(512)  # a journal's record holds it, and a BC66's answer (manual 4.2.12)
_NAMES = const(64)  # of a pack: name, time and lengths of one record
_LONG = const(15)  # digits: IMSI and IMEI have 15, an ICCID has 19
_FORMAT = const("<bhBB14s60s")
_UNKNOWN = const(255)


class Diagnosis(Feature):
    """Notes how contacts fail, and looks closer when the server asks."""

    KEYS = "diagnosis b false"
    name = "diagnosis"
    SIZE = calcsize(_FORMAT)
    asked = 0  # which piece of the crash text; 0: nothing is asked
    shown = 1  # the piece that a pull module reads
    piece: "bytes | None" = None  # what a shadow or a pipe is being told
    rsrp = 0
    access = _UNKNOWN
    cause = 0
    cell = error = ""

    @staticmethod
    def enabled(settings: "Any") -> bool:
        """Say whether the server may ask."""
        return bool(settings.diagnosis)

    def attach(self, node: "Node") -> None:
        """Add 26252 to the tree."""
        self.node = node
        self.row = row = Instance(node.tree, _DIAGNOSIS, 0)
        row.source = self
        row.show(list(range(8)))
        node.tree.rows.append(row)

    def value(self, id: int) -> "int | str | bytes | None":
        """The present value of a resource of 26252; None where it is not known, or was not asked for."""
        if id == _CRASH:
            modem = self.node.modem
            pull = modem is not None and modem.capabilities.contract == "pull"  # there, to read is to ask
            return self.crash(self.shown) if pull else self.piece
        return (VERSION, self.error, self.cause, self.rsrp or None, self.cell or None,
                None if self.access == _UNKNOWN else self.access, None, self.asked)[id]

    def write(self, id: int, value: "Any") -> None:
        """Have a closer look once this request is answered. Reject where there can be no such piece."""
        if not 0 <= value <= _PIECES:
            raise Reject(400, "piece %d of the crash text: 1 to 8, 0 for none" % value)
        self.asked = value
        if value and self.node.modem is not None:
            self.node.modem.later(self.look)

    def look(self) -> None:
        """Ask the module for signal and cell, and tell all of it, as this module's contract does."""
        node, modem = self.node, self.node.modem
        self.rsrp = modem.signal().get("rsrp", 0)
        shown = modem._answer_to("AT+CEREG?")[0]
        self.modes(5, 3, 2)
        found = modem._answer_to("AT+CEREG?")  # mode, state, tracking area, cell, access technology (27.007 10.1.22)
        self.modes(int(shown) if shown in tuple("012345") else 0)
        if len(found) > 4:
            self.cell = ("%s %s" % (found[2], found[3]))[:14]
            self.access = int(found[4]) if found[4].isdigit() else _UNKNOWN
        contract = modem.capabilities.contract
        self.shown, self.asked = self.asked or self.shown, 0
        self.piece = self.crash(self.shown)
        if contract == "pipe":
            told = [value for value in node.tree.values(self.row.path()) if value[0].resource != _ASK]
            node.keep([(path, kind, text, None) for path, kind, text in told], node.clock.unix())
        else:
            for id in range(8):
                self.row.touch(id)
            if contract == "shadow":
                node.delivery.refresh(False)
        self.piece = None

    def modes(self, *modes: int) -> None:
        """Set the first of these modes of +CEREG that the module knows."""
        for mode in modes:
            if self.node.modem.ask(self.node.modem.at.write, "+CEREG", mode) is not None:
                return

    def crash(self, piece: int) -> bytes:
        """That piece (from 1 on) of crash.txt's last KB, without secrets; empty behind its end or without a crash."""
        node = self.node
        try:
            with (node.flash.open if node.flash else open)("crash.txt", "rb") as file:
                text = bytes(file.read(2 * _KB))[-_KB:]
        except OSError as error:
            return b"" if error.args[0] == 2 else b"crash.txt cannot be read now: error %d" % error.args[0]
        if len(text) == _KB:
            text = b"..." + text[text.find(b"\n") :]  # cut, perhaps through a secret, whose end nobody would know again
        for key in ("psk", "psk_identity", "pin", "update_key"):
            secret = node.config.secret(key) or ""
            for form in (secret, secret.lower(), secret.upper()):
                text = text.replace(form.encode(), b"***") if form else text
        run = b""
        for byte in text + b".":
            if 48 <= byte <= 57:
                run += bytes([byte])
            else:
                text = text.replace(run, b"***") if len(run) >= _LONG else text
                run = b""
        limits = node.modem.capabilities.limits if node.modem is not None else {}
        size = min(_PIECE, limits.get("opaque", _PIECE - _NAMES), limits.get("pack", _PIECE))  # the journal's packs hold 512
        return text[(piece - 1) * size : piece * size]

    def event(self, node: "Node", name: str, detail: "Any") -> None:
        """Have the module say the cause of a denial, so that attach() sees it with its next look."""
        if name == "attach" and "denied" in detail:
            node.modem.later(self.modes, 5, 3)

    def after_contact(self, node: "Node", reached: bool) -> None:
        """Note how a contact ended that failed."""
        if reached or node.reached is None:
            return
        refusal = node.modem.refusal
        self.error = (refusal or node.last_error or "the server was not reached")[:60]
        cause = refusal.partition("cause ")[2].partition(")")[0]
        self.cause = int(cause) if cause.isdigit() else 0

    def dump(self) -> bytes:
        """Return what was noted."""
        return pack(_FORMAT, self.shown, self.rsrp, self.access, self.cause & 255, self.cell.encode(), self.error.encode())

    def load(self, data: bytes) -> bool:
        """Take it up."""
        if len(data) != self.SIZE:
            return False
        self.shown, self.rsrp, self.access, self.cause, cell, error = unpack(_FORMAT, data)
        self.cell, self.error = bytes(cell).rstrip(b"\0").decode(), bytes(error).rstrip(b"\0").decode()
        return True


FEATURE = Diagnosis
