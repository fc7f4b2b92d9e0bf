"""A driver on a bench: virtual clock, FakeUart, a Talker as the module, and notebooks for what the driver tells.

    bench = Bench("bc66", {"AT+QLWSTATUS?": "+QLWSTATUS: 2"}, ack_timeout=4, max_retransmit=3)
    bench.modem.configure(server)
    bench.say('+QLWURC: "ping",0')              # and it is dispatched
    bench.talker.commands, bench.events, bench.requests
"""

from fakes.clock import VirtualClock
from fakes.talker import Talker
from fakes.uart import FakeUart
from lwnode.at import AtClient
from lwnode.lwm2m import Response
from lwnode.modem import open_modem

ATTACHED = {"AT+CPIN?": "+CPIN: READY", "AT+CFUN?": "+CFUN: 1", "AT+CEREG?": "+CEREG: 0,1",
            "AT+CGPADDR=1": "+CGPADDR: 1,100.88.40.249"}
# A BC66 that takes everything, and acknowledges a report half a second later.
BC66 = {command + "=": ["OK", "+%s: 0" % command[3:]] for command in (
    "AT+QLWRDRSP", "AT+QLWWRRSP", "AT+QLWEXERSP", "AT+QLWOBSRSP", "AT+QLWADDOBJ", "AT+QLWDELOBJ")}
BC66.update(ATTACHED)
BC66.update({
    "AT+QLWSTATUS?": "+QLWSTATUS: 0", "AT+CGMR": "Revision: BC66NBR01A10",
    "AT+QLWREG": ["OK", (900, "+QLWREG: 0")], "AT+QLWDEREG": ["OK", (700, "+QLWDEREG: 0")],
    "AT+QLWNOTIFY=": ["OK", '+QLWURC: "report",34180', "+QLWNOTIFY: 0", (500, '+QLWURC: "report_ack",0,34180')]})


class Pins:
    """The pins protocol; `pulses` lists what was pulsed, `levels` holds what can be read."""

    def __init__(self, *names) -> None:
        self.names = names
        self.pulses: list = []
        self.levels: dict = {}
        self.on_pulse = lambda name: None

    def pulse(self, name, ms) -> bool:
        if name not in self.names:
            return False
        self.pulses.append((name, ms))
        self.on_pulse(name)
        return True

    def set(self, name, active) -> bool:
        return name in self.names

    def get(self, name):
        return self.levels.get(name)


class Bench:
    """One driver of a family over a talker with these answers; options go to open_modem."""

    def __init__(self, family, answers=None, pins=None, **options) -> None:
        self.clock = VirtualClock()
        self.talker = Talker(answers, self.clock, family)
        self.uart = FakeUart(self.clock, peer=self.talker)
        self.at = AtClient(self.uart, self.clock)
        self.pins = pins
        self.events: list = []
        self.requests: list = []
        self.response = Response(204)
        self.modem = open_modem(family, self.at, pins=pins, **options)
        self.modem.on_event = self._note
        self.modem.on_request = self._answer

    def _note(self, name, detail) -> None:
        self.events.append((name, detail))

    def _answer(self, request):
        self.requests.append(request)
        return self.response(request) if callable(self.response) else self.response

    def say(self, *lines, serve_ms=50) -> None:
        """Unsolicited lines, and time for their effects."""
        for line in lines:
            self.talker.say(line)
        self.modem.service(serve_ms)

    @property
    def commands(self) -> list:
        return self.talker.commands

    def told(self, name) -> list:
        """Details of the events of that name."""
        return [detail for known, detail in self.events if known == name]
