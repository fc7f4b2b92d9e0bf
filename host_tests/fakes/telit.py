"""An ME910C1 on the bench: the model with a server behind it, typed at by hand or driven by the family's driver.

    desk = Desk(nvram=ready(3303))             # account written, definition uploaded, instance there
    desk.say("AT#LWM2MENA=1", 5000)            # the text that came within 5 s
    node = Node(nvram=ready(3303))             # the same under AtClient and driver
    node.modem.register(60000)
"""

from fakes.clock import VirtualClock
from fakes.store import Store
from fakes.uart import FakeUart
from testing.lwm2m.local import LocalLink, LocalServer
from testing.virtual_modem.me910c1 import Me910c1

from lwnode.lwm2m import Response

_ITEM = '<Item ID="%d"><Operations>%s</Operations><MultipleInstances>Single</MultipleInstances><Type>%s</Type></Item>'
ITEMS = {
    3303: ((5601, "R", "Float"), (5700, "R", "Float"), (5701, "R", "String"), (5750, "RW", "String"), (5605, "E", "")),
    3304: ((5700, "R", "Float"), (5701, "R", "String")),
    3306: ((5750, "RW", "String"), (5850, "RW", "Boolean"), (5851, "RW", "Integer")),
    19: ((0, "RW", "Opaque"),),
}


def definition(number):
    """A stripped DDF file."""
    items = "".join([_ITEM % row for row in ITEMS.get(number, ((5700, "R", "Float"),))])
    return "<LWM2M><Object><ObjectID>%d</ObjectID><Resources>%s</Resources></Object></LWM2M>" % (number, items)


def ready(*numbers, uri="coap://host:5683", bootstrap=0, **keys):
    """Non-volatile memory of a module that was set up before."""
    files, instances = {}, {}
    for number in numbers:
        files["/XML/object_%d.xml" % number] = definition(number)
        instances[str(number)] = [0]
    credentials = {"ep": "node-1"}
    credentials.update(keys)
    return {"account": {"server": [uri, bootstrap], "keys": credentials}, "files": files, "instances": instances}


class Desk:
    """The module on a terminal. `server` is the world's, `heard` collects what the module says."""

    def __init__(self, nvram=None, echo=0, settle_ms=2000, keys=None, **options):
        self.clock = VirtualClock()
        self.server = LocalServer(self.clock, keys)
        self.link = LocalLink(self.clock, self.server)
        options["echo"] = echo
        self.model = Me910c1(self.clock, self.link, nvram, **options)
        self.heard = bytearray()
        self.model.out = self.heard.extend
        self.clock.advance(settle_ms)

    def say(self, line, wait_ms=50):
        """Type a line; what came since the last call, and within wait_ms from now."""
        self.model.receive(line.encode() + b"\r")
        return self.hear(wait_ms)

    def hear(self, wait_ms=0):
        """What came since the last call."""
        self.clock.advance(wait_ms)
        text, self.heard[:] = self.heard.decode(), b""
        return text

    def lines(self, line, wait_ms=50):
        """The same as lines without blanks between them."""
        return [each for each in self.say(line, wait_ms).replace("\r", "\n").split("\n") if each]

    def asked(self, operation, path, *given, ms=1000, **named):
        """The Exchange of a request of the server, `ms` later."""
        exchange = getattr(self.server, operation)("node-1", path, *given, **named)
        self.clock.advance(ms)
        return exchange

    def told(self, operation, path, *given, ms=1000, **named):
        """What the module says to such a request within `ms`."""
        self.asked(operation, path, *given, ms=ms, **named)
        return self.hear()

    def registered(self):
        """Enable, and let it register."""
        assert self.lines("AT#LWM2MENA=1", 8000)[0] == "OK"
        return self


class Pins:
    """Pins wired to the model; `pulses` lists them."""

    def __init__(self, clock, model, names=("power_key", "reset", "wake", "status")):
        self.clock = clock
        self.model = model
        self.names = names
        self.pulses = []

    def pulse(self, name, ms):
        if name not in self.names:
            return False
        self.pulses.append(name)
        self.model.pin(name, True)
        self.clock.advance(ms)
        self.model.pin(name, False)
        return True

    def set(self, name, active):
        if name in self.names:
            self.model.pin(name, active)
        return name in self.names

    def get(self, name):
        return self.model.status_pin if name == "status" and "status" in self.names else None


class Node:
    """Driver over AtClient over FakeUart over the model; `events` and `requests` are the node's notebooks."""

    def __init__(self, nvram=None, model=None, pins=None, store=None, trace=None, **options):
        self.clock = VirtualClock()
        self.server = LocalServer(self.clock)
        self.link = LocalLink(self.clock, self.server)
        self.model = Me910c1(self.clock, self.link, nvram, **(model or {}))
        self.pins = None if pins is None else Pins(self.clock, self.model, pins)
        self.store = Store() if store is None else store
        self.sent = []
        self.texts = []
        self.options = options
        self.response = Response(204)
        self.clock.advance(2000)
        self.host_boots()

    def host_boots(self):
        """A new host, as after its deep sleep: nothing but what the store and a snapshot hold."""
        from lwnode.at import AtClient
        from lwnode.modem import open_modem

        self.uart = FakeUart(self.clock, peer=self.model)
        self.events = []
        self.requests = []
        self.at = AtClient(self.uart, self.clock, trace=self._trace)
        self.modem = open_modem("me910c1", self.at, pins=self.pins, store=self.store, **self.options)
        self.modem.on_event = lambda name, detail: self.events.append((name, detail))
        self.modem.on_request = self._answer
        return self.modem

    def _trace(self, direction, data):
        if direction == "tx":
            self.texts.append(bytes(data).decode().strip())

    def _answer(self, request):
        self.requests.append(request)
        return self.response(request) if callable(self.response) else self.response

    @property
    def commands(self):
        """Commands that the driver sent, several of a line one by one, without those that look for the module."""
        sent = ["AT" + part for line in self.texts for part in (line[2:].split(";") if ";#" in line else (line[2:],))]
        return [line for line in sent if line not in ("AT", "ATQ0", "ATE0", "AT+CMEE=1")]

    def since(self, mark):
        """Commands from that count on."""
        return self.commands[mark:]

    def said(self, prefix):
        """Commands that begin with prefix."""
        return [line for line in self.commands if line.startswith(prefix)]

    def told(self, name):
        """Details of the events of that name."""
        return [detail for known, detail in self.events if known == name]

    def urc(self, *lines, serve_ms=50):
        """Unsolicited lines out of nowhere, and time for their effects."""
        for line in lines:
            self.uart.feed(("\r\n%s\r\n" % line).encode())
        self.modem.service(serve_ms)

    def observe(self, paths):
        """The server observes these a moment after each registration."""

        def later():
            for path in paths:
                self.server.observe("node-1", path)

        def seen(endpoint, event):
            if event in ("registered", "reregistered"):
                self.clock.after(200, later)

        self.server.on_registration = seen

    def started(self):
        """The module has been found."""
        assert self.modem.start()
        return self

    def up(self, objects=(), observe=()):
        """Started, declared, registered, observed."""
        self.started()
        if self.modem.declare(objects):
            self.modem.restart()
        assert self.modem.attach(60000)
        self.observe(observe)
        assert self.modem.register(60000), self.modem.refusal
        self.modem.service(500)
        del self.events[:]
        return self
