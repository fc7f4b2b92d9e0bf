"""A driver in the field: AtClient over FakeUart over a virtual modem over LocalLink to a LocalServer, pins wired.

    field = Field("bc66")
    field.online([(3303, 0, (5700, 5601))])       # started, configured, declared, attached, registered
    field.server.read("node-1", "/3303/0/5700")
    field.modem.service(2000)
"""

from fakes.clock import VirtualClock
from fakes.modem_bench import Pins
from fakes.uart import FakeUart
from testing.lwm2m.local import LocalLink
from testing.lwm2m.local_server import LocalServer
from testing.virtual_modem import model

from lwnode.at import AtClient
from lwnode.lwm2m import Response
from lwnode.modem import Server, open_modem


class WiredPins(Pins):
    """Pulses go to the model, its status pin comes back."""

    def __init__(self, target, clock) -> None:
        Pins.__init__(self, "wake", "reset", "power_key")
        self._target = target
        self._clock = clock

    def pulse(self, name, ms) -> bool:
        if name not in self.names:
            return False
        self.pulses.append((name, ms))
        self._target.pin(name, True)
        self._clock.sleep_ms(ms)
        self._target.pin(name, False)
        return True

    def get(self, name):
        return bool(self._target.status_pin) if name == "status" else None


class Field:
    """Everything from the driver to the server. `options` are the driver's, `playing` the model's."""

    def __init__(self, family="bc66", playing=None, keys=None, **options) -> None:
        self.clock = VirtualClock()
        self.server = LocalServer(self.clock, keys=keys)
        self.link = LocalLink(self.clock, self.server)
        playing = dict(playing or {})
        playing.setdefault("start", "boot")
        self.target = model(family, self.clock, self.link, None, **playing)
        self.uart = FakeUart(self.clock, peer=self.target)
        self.pins = WiredPins(self.target, self.clock)
        self.events: list = []
        self.requests: list = []
        self.response = lambda request: Response(404)
        self.options = options
        self.family = family
        self.boot()

    def boot(self) -> None:
        """The host starts anew: a new AtClient and driver over the same module."""
        self.at = AtClient(self.uart, self.clock)
        self.modem = open_modem(self.family, self.at, pins=self.pins, **self.options)
        self.modem.on_event = lambda name, detail: self.events.append((name, detail))
        self.modem.on_request = self._answer
        self.mark = len(self.target.recent)
        self.commands_before = self.target.counters["commands"]

    def _answer(self, request):
        self.requests.append(request)
        return self.response(request)

    def online(self, objects, server=None) -> None:
        """From a cold start to a registration."""
        modem = self.modem
        assert modem.start()
        restart = modem.configure(server or Server("192.0.2.7", 5683, "node-1", 900))
        restart = modem.declare(objects) or restart
        if restart:
            assert modem.restart()
        assert modem.attach(180000), modem.refusal
        assert modem.register(60000), modem.refusal

    @property
    def endpoint(self) -> str:
        """Name of the only registered client."""
        return list(self.server.registrations)[0]

    def told(self, name) -> list:
        return [detail for known, detail in self.events if known == name]

    def exchanges(self) -> int:
        """Commands since boot() or since the last call."""
        count = self.target.counters["commands"] - self.commands_before
        self.commands_before = self.target.counters["commands"]
        return count
