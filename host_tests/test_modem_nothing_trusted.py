"""Nothing is trusted: whatever a module says, a driver answers with an outcome or an AtError, never with another exception.

Seeded, so that a failure can be had again; the seeds are the same under both interpreters.
"""

from doctor import identity
from fakes.modem_bench import Bench, Pins

from lwnode.at import AtError
from lwnode.lwm2m import BOOLEAN, FLOAT, INTEGER, OPAQUE, STRING, Path, Response
from lwnode.modem import Server, Unsupported
from lwnode.modem.recovery import bring_back

FAMILIES = ("bc20", "bc66", "bg96", "me910c1")
WORDS = (
    "OK", "ERROR", "+CME ERROR: 3", "+CMEE ERROR: 4", "+CME ERROR: SIM busy", "+CMEE ERROR: x", "RDY", "SEND OK", "SEND FAIL",
    "CONNECT OK", "UPDATE FAIL", "CLOSE OK", "+QLWSTATUS: 2", "+QLWSTATUS: 9", "+QLWSTATUS:", "+QLWCFG: \"auto_reg\"",
    "+QLWCONFIG:", "+QLWCONFIG:1", "+QLWADDOBJ: 0", "+QLWADDOBJ: 3303", "+QLWADDOBJ: a,b,c", "+QLWRD: 3,\"read\"", "+QLWRD: x",
    "+QLWUPDATE: 1", "+QLWUPDATE: x,y", "+QLWREG: 0", "+QLWREG:", "+QLWURC: \"report_ack\",x", "+QLWURC: \"write\",1,2,3",
    "+QLWURC: \"read\",1,3303,-1,5700", "+QLWURC: \"observe\",1,0,65536,0,0", "+QLWURC: \"buffer\"", "+QLWURC",
    "+QLWURC: \"factory_reset\",0", "+QLWDATARECV: 19,1,0,4", "+QLWDATARECV: 19,1,0,4,zz", "+QLWDATARECV: a",
    "+QLWOBSERVE: 0,19",
    "+QLWOBSERVE: \"a\",\"/19/0/0\",x", "+QLWDLDATA: \"/19/1/0\",5,2,\"zz\"", "+QLWDLDATA: x", "+QLWEVENT: 5,\"READY\"",
    "+QLWEVENT: x", "+QLWDATASTATUS: 7", "+QPSMTIMER: x", "PSM POWER DOWN", "+CEREG: 0,3", "+CEREG: 0,1", "+CEREG",
    "+CGPADDR: 1",
    "+CPIN: READY", "+CPIN:", "+CSQ: 99", "+CESQ: 1,2", "+CCLK: \"26/02/30,00:00:00+00\"", "+CPSMS: 1", "+CEDRXRDP: 5",
    "#LWM2MRING: \"REG\"", "#LWM2MRING:", "#LWM2MMON: UPD,\"/3303/0/5700/0\"", "#LWM2MMON: UPD,\"x\"",
    "#LWM2MNFYACK: 0,1,\"/a\",ACK",
    "LWM2M-TLT:\"REGISTERED\",SSID=1,\"x\"", "LWM2M-TLT:", "#LWM2MEND: x", "#LWM2MINFO: \"GEN\"", "#LWM2MGETSTAT: \"DIS\"",
    "#LWM2MENA: 0", "#LWM2MR: 21.5", "#LWM2MFOTARING: 0", "\"", ",,,,", ":", "AT", "+QENG: 3,1,2", "Revision: BC66NBR01A10",
    "Revision: BC66NBR01A06", "A", "+QNBIOTEVENT: \"ENTER PSM\"",
)
SERVER = Server("192.0.2.7", 5683, "node-1")
OBJECTS = [(3303, 0, (5700, 5601)), (3306, 0, (5850,))]
RECORDS = [(Path(3303, 0, 5700), FLOAT, "21.5", None), (Path(3306, 0, 5850), BOOLEAN, "1", 1767225600),
           (Path(19, 0, 0), OPAQUE, b"\x01", None), (Path(3303, 0, 5750), STRING, "a", None),
           (Path(3303, 0, 1), INTEGER, "-1", None)]


class Chance:
    """A small generator: the same numbers under both interpreters."""

    def __init__(self, seed):
        self.state = seed * 7919 + 13

    def below(self, limit):
        self.state = (self.state * 1103 + 12345) % 1048573
        return self.state % limit

    def line(self):
        """One of the words, or one with a character changed."""
        word = WORDS[self.below(len(WORDS))]
        if self.below(4) == 0 and word:
            place = self.below(len(word))
            word = word[:place] + chr(32 + self.below(95)) + word[place + 1:]
        return word

    def answer(self, line):
        """Some lines, mostly with an end."""
        said = [self.line() for _ in range(self.below(4))]
        end = self.below(8)
        if end < 5:
            said.append("OK")
        elif end < 7:
            said.append("ERROR")
        return said


VERBS = (
    lambda modem: modem.start(), lambda modem: modem.wake(), lambda modem: modem.status(),
    lambda modem: modem.configure(SERVER),
    lambda modem: modem.declare(OBJECTS), lambda modem: modem.attach(4000), lambda modem: modem.register(4000),
    lambda modem: modem.recover(3000), lambda modem: modem.update(), lambda modem: modem.publish(RECORDS),
    lambda modem: modem.publish(RECORDS[:1], confirm=False), lambda modem: modem.service(1500),
    lambda modem: modem.settle(1500),
    lambda modem: identity(modem), lambda modem: modem.signal(), lambda modem: modem.network_time(),
    lambda modem: modem.power_saving(3600), lambda modem: modem.edrx(81.92),
    lambda modem: bring_back(modem, 8000), lambda modem: modem.sleep(), lambda modem: modem.restart(),
    lambda modem: getattr(modem, "inspect", modem.status)(),
    lambda modem: modem.undeclare(3303), lambda modem: modem.forget(), lambda modem: modem.deregister(),
    lambda modem: modem.power_off(), lambda modem: modem.restore(modem.snapshot()), lambda modem: modem.bootstrap(3000),
)


def live(family, seed):
    """Every verb in some order against a module that talks nonsense."""
    chance = Chance(seed)
    one = Bench(family, {}, pins=Pins("power_key", "wake", "reset"), command_ms=200)
    one.talker.manual = None
    one.talker._find = lambda text: chance.answer(text)
    one.response = lambda request: Response((205, 204, 404, 500)[chance.below(4)], [
        (request.path if request.path.resource is not None else Path(3303, 0, 5700), FLOAT, "1.5")])
    for _ in range(12):
        verb = VERBS[chance.below(len(VERBS))]
        for _ in range(chance.below(3)):
            one.talker.say(chance.line())
        try:
            verb(one.modem)
        except (AtError, Unsupported):
            pass
        except ValueError as error:
            # Only what the caller got wrong may be a ValueError: bootstrap() without such an account.
            assert "expected" in str(error), error
    one.modem.service(200)
    assert len(one.modem.reports) <= 12
    return one


def test_bc66_survives_nonsense():
    for seed in range(40):
        live("bc66", seed)


def test_bc20_survives_nonsense():
    for seed in range(40):
        live("bc20", seed)


def test_bg96_survives_nonsense():
    for seed in range(40):
        live("bg96", seed)


def test_me910c1_survives_nonsense():
    for seed in range(40):
        live("me910c1", seed)


def test_no_random_snapshot_hurts():
    chance = Chance(5)
    for family in FAMILIES:
        kept = Bench(family, {}).modem.snapshot()
        for _ in range(60):
            data = bytearray(kept)
            for _ in range(1 + chance.below(3)):
                if data:
                    data[chance.below(len(data))] = chance.below(256)
            data = bytes(data[:len(data) - chance.below(3)])
            modem = Bench(family, {}).modem
            if modem.restore(data):
                assert modem.capabilities is not None
                modem.snapshot()
