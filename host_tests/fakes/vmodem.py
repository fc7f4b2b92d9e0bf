"""A virtual modem on a bench: the model, a server in virtual time, and a person who types.

    bench = Bench("bc66")
    bench.say("AT+QLWSTATUS?")              -> ["+QLWSTATUS: 0", "OK"]
    bench.wait(1000)                        -> ["+QLWREG: 0"]
    bench.server.read("node-1", "/3303/0/5700")
"""

from fakes.clock import VirtualClock

from testing.lwm2m.local import LocalLink
from testing.lwm2m.local_server import LocalServer
from testing.virtual_modem import model

NODE = "urn:imei:866971030000717"


class Bench:
    """One modem, attached, echo off; `raw` holds every byte it said."""

    def __init__(self, family="bc66", quiet=True, nvram=None, keys=None, **options):
        self.clock = VirtualClock()
        self.server = LocalServer(self.clock, keys=keys)
        self.link = LocalLink(self.clock, self.server)
        options.setdefault("start", "boot")
        self.raw = bytearray()
        self.modem = model(family, self.clock, self.link, nvram, **options)
        self.modem.out = self.raw.extend
        if quiet:
            self.wait(3000)
            self.say("ATE0")
            self.say("AT")

    def take(self):
        """What was said since the last time, as lines without the empty ones."""
        text = "".join([chr(byte) for byte in self.raw])
        self.raw = bytearray()
        self.modem.out = self.raw.extend
        return [line for line in text.replace("\r", "\n").split("\n") if line]

    def take_raw(self):
        """The same as bytes."""
        data = bytes(self.raw)
        self.raw = bytearray()
        self.modem.out = self.raw.extend
        return data

    def say(self, line, ms=0):
        """Type a line; what is said at once, and within `ms`."""
        self.modem.receive(line.encode() + b"\r")
        return self.wait(ms)

    def wait(self, ms):
        """Let time pass; what was said."""
        self.clock.advance(ms)
        return self.take()

    def type(self, *lines):
        """Type lines whatever comes back."""
        for line in lines:
            self.say(line)

    def bytes_for(self, data):
        """The bytes that are said to these, at once."""
        self.modem.receive(data)
        return self.take_raw()

    def asked(self, operation, path, *given, ms=100, **named):
        """The Exchange of a request of the server to the only node that it has, `ms` later."""
        exchange = self._ask(operation, path, given, named)
        self.wait(ms)
        return exchange

    def told(self, operation, path, *given, ms=100, **named):
        """What the module says to such a request within `ms`."""
        self._ask(operation, path, given, named)
        return self.wait(ms)

    def _ask(self, operation, path, given, named):
        (endpoint,) = self.server.registrations
        return getattr(self.server, operation)(endpoint, path, *given, **named)

    def restart(self, ms=4000):
        """A reset by pin, and time to attach."""
        self.modem.pin("reset", True)
        self.modem.pin("reset", False)
        said = self.wait(ms)
        self.say("ATE0")
        return said

    def sleep(self, ms=60000):
        """Nothing happens until the module is asleep."""
        self.say("AT+QSCLK=1")
        said = self.wait(ms)
        assert self.modem.state_name == "asleep", self.modem.state()
        return said

    def wake(self, ms=500):
        """A pulse on the wake pin."""
        self.modem.pin("wake", True)
        self.modem.pin("wake", False)
        return self.wait(ms)


def registered_bc66(objects=("3303,0,3,5700,5701,5605",), lifetime=900, **options):
    """A BC66 that is registered with a node called `NODE`."""
    bench = Bench("bc66", **options)
    for entry in objects:
        bench.say("AT+QLWADDOBJ=" + entry, 50)
    bench.say('AT+QLWCONFIG=0,"leshan.eclipse.org",5683,"%s",%d,3' % (NODE, lifetime))
    said = bench.say("AT+QLWREG", 1000)
    assert said == ["OK", "+QLWREG: 0"], said
    return bench
