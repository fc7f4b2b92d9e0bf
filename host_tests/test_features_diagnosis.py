"""What a server learns of a node that is not well: crash text, last error, cause, on each contract, on request."""

from fakes.world import ENDPOINT, World
from lwnode import VERSION
from lwnode.features.diagnosis import Diagnosis

PSK = "00112233445566778899AABBCCDDEEFF"
SECRETS = {"psk_identity": "node-of-mine", "psk": PSK, "pin": "7319"}
CRASH = ("Traceback (most recent call last):\n  File \"sensors.py\", line 12, in read\nValueError: key " + PSK.lower()
         + " of node-of-mine, PIN 7319, IMSI 901288000012345, module 867997030052996\n"
         + "".join(["%03d." % n for n in range(120)])
         + "\nOSError: [Errno 5] EIO\n").encode()
LEAKS = (PSK.encode(), PSK.lower().encode(), b"node-of-mine", b"7319", b"901288000012345", b"867997030052996")


def _world(family, crash=CRASH, **more):
    config = {"family": family, "diagnosis": True, "sample_every": 300, "report_every": 300, "listen": 4}
    world = World("esp32", dict(config, **more), secrets=SECRETS)
    if crash is not None:
        world.flash.content["crash.txt"] = crash
    return world


class Desk:
    """A server that asks for one piece after the other; again where the node slept, which a pipe's module does not say."""

    def __init__(self, world, pieces):
        self.world, self.pieces, self.answers, self.asked_at = world, list(pieces), [], -1000000
        self.pipe = world.settings.family in ("bc20", "bg96")
        world.on_awake = self._awake

    def _awake(self):
        had = {value for id, value in self.told() if id == 6}
        if len(had) < len(self.pieces) and self.world.clock.now - self.asked_at > 200000:
            self.asked_at = self.world.clock.now
            piece = self.pieces[len(had)]
            if self.pipe:
                self.world.server.write(ENDPOINT, "/19/1/0", b"\x81\xa2\x00\x6a/26252/0/7\x02" + bytes([piece]), 42)
            else:
                self.world.server.write(ENDPOINT, "/26252/0/7", b"%d" % piece, 0, on_done=self._written)

    def _written(self, exchange):
        assert exchange.code in (204, None), exchange.code
        self.world.clock.after(600, lambda: self.answers.append(self.world.server.read(ENDPOINT, "/26252/0")))

    def told(self):
        """[(resource, value)] of 26252, by whatever way they came."""
        found = [(value.path[2], value.value) for answer in self.answers if answer.done and answer.code == 205
                 for value in answer.values]
        return found + [(one.path[2], one.value) for one in self.world.server.deliveries if one.path[0] == 26252]


def _pieces(told):
    found = b""
    for id, value in told:
        if id == 6 and value and value not in found:
            found += value
    return found


def test_the_crash_text_is_read_over_the_air_on_each_contract_without_a_secret():
    for family, options in (("bc66", {"write_format": "text"}), ("bc20", {}), ("bg96", {})):
        world = _world(family, **options)
        desk = Desk(world, (1, 2))
        world.run(minutes=40)
        told = desk.told()
        text = _pieces(told)
        assert text.startswith(b"Traceback") and text.endswith(b"EIO\n"), (family, told)
        assert b"key *** of ***, PIN ***, IMSI ***, module ***" in text, (family, text)
        assert not [leak for leak in LEAKS if leak in text]
        values = dict(told)
        assert values[0] == VERSION and values[5] in (7, 8, 9) and -141 < values[3] < -40, (family, values)
        assert len(values[4].split(" ")) == 2 and int(values[4].split(" ")[1], 16), (family, values)


def test_a_shadow_is_given_what_was_asked_for_in_the_same_contact():
    world = _world("me910c1")
    asked = []

    def now():
        if not asked and world.clock.now > 500000:
            asked.append(world.server.write(ENDPOINT, "/26252/0/7", b"1", 0))
        elif len(asked) == 1 and asked[0].done:
            asked.append(world.server.read(ENDPOINT, "/26252/0"))

    world.on_awake = now
    world.run(minutes=60)
    values = {value.path[2]: value.value for value in asked[1].values}
    assert values[0] == VERSION and len(values[6]) == 180 and values[6].startswith(b"Traceback"), values
    assert not [leak for leak in LEAKS if leak in values[6]] and b"key ***" in values[6]
    assert -141 < values[3] < -40 and values[5] in (7, 8, 9)


def test_nobody_is_told_what_nobody_has_asked_for():
    for family in ("bc66", "bc20", "bg96", "me910c1"):
        world = _world(family)
        world.run(hours=1)
        assert not [one for one in world.server.deliveries if one.path[0] == 26252], family
        assert b"Traceback" not in bytes(world.uart.sent) and b"54726163656261636B" not in bytes(world.uart.sent), family


def test_the_last_error_and_the_networks_cause_outlive_sleep_and_are_told_when_asked():
    world = _world("bc66", None, write_format="text", psm_tau=0)
    world.run(minutes=12)
    world.model.options["deny_cause"] = 15
    world.model.restart()
    world.run(hours=1)
    world.model.options["deny_cause"] = 0
    world.model.restart()
    desk = Desk(world, (1,))
    world.run(hours=5)
    values = dict(desk.told())
    assert values[1] == "network: denied (EMM cause 15)" and values[2] == 15 and values[6] == b"", values


def test_a_question_that_makes_no_sense_is_refused_and_a_crash_text_that_cannot_be_read_says_so():
    world = _world("bc66")
    node = world.node()
    feature = [one for one in node.features if isinstance(one, Diagnosis)][0]
    for value in (-1, 9, 40000):
        try:
            feature.write(7, value)
        except Exception as error:
            assert "1 to 8" in str(error.reason)
        else:
            raise AssertionError(value)
    assert feature.crash(1)[:9] == b"Traceback" and feature.crash(8) == b""
    del world.flash.content["crash.txt"]
    assert feature.crash(1) == b""
    taken = Diagnosis()
    feature.error, feature.cause, feature.cell, feature.rsrp = "network: denied (EMM cause 15)", 15, "1A2B 01A2D101", -97
    assert taken.load(feature.dump()) and (taken.error, taken.cause, taken.cell, taken.rsrp) == (
        feature.error, 15, "1A2B 01A2D101", -97)
    assert not taken.load(b"x")


def test_a_secret_that_the_last_kb_cuts_in_two_is_not_read_by_its_end():
    for secret in (PSK, "901288000012345"):
        for cut in (4, len(secret) // 2, len(secret) - 1):
            crash = (secret[cut:] + " of it\n" + "x" * 2000)[:1018].encode() + b"\nEIO\n\n"
            assert len(crash) == 1024
            feature = [one for one in _world("bc66", crash).node().features if isinstance(one, Diagnosis)][0]
            found = feature.crash(1) + feature.crash(2)
            assert secret[cut:].encode() + b" of" not in found and found.endswith(b"EIO\n\n"), (secret, cut, found[:40])
