"""A whole node in virtual time: board model, module model, server, sensors that count, and firmware/main.py.

    world = World("esp32")
    world.run(hours=6)                     # lives, sleeps and resets as they come
    world.taken, world.delivered()         # what the sensors gave, what the server has
    world.link.radio(up=False)             # and so on: link, model, server, chip are all there
    world.at(lambda: world.outage(True), hours=2)

`sensors` is a declare(tree, board) that takes the place of the two sensors and the relay (docs/test-your-node.md). `pins` adds
wires, {"status": 34, "door": 33}, all active high; status follows the module. `wake` names those that wake the board;
`battery_mv` gives it a cell that is measured (world.battery(3400) changes it). `on_flash` puts the configuration into
config.json and secrets.json of the simulated flash, and main.py reads it from there.

`seed` is that of the node's own chance (its back-off draws): the same seed, the same life, on each interpreter.
Every sensor value is given once only, so a reading is known by its path and text. Nothing is taken from the node's own
counters. `wakes` holds (start, awake ms, AT lines) of each time awake.
"""

import json
import random
import sys

from fakes.chip import Names, Reset, live
from fakes.clock import VirtualClock
from fakes.flash import FlashFiles
from fakes.uart import FakeUart

from lwnode.board import open_board
from lwnode.config import checked
from testing.lwm2m.local import LocalLink
from testing.lwm2m.local_server import LocalServer
from testing.virtual_modem import model

ENDPOINT = "urn:dev:world"
TEMPERATURE, HUMIDITY, RELAY = "/3303/0/5700", "/3304/0/5700", "/3306/0/5850"
CONFIG = {"family": "bc66", "host": "server.test", "endpoint": ENDPOINT, "apn": "iot", "sample_every": 900,
          "report_every": 900, "listen": 1, "maintenance_window": 0, "attach_timeout": 60, "spread": 0}


class Stop(BaseException):
    """The simulation is over: raised by a timer wherever the node happens to be."""


class Broken(BaseException):
    """The test itself is wrong: not an Exception, or the firmware under test would catch and survive it."""


def guarded(do):
    """Call do(); what it raises passes the firmware."""
    try:
        return do()
    except Exception as error:
        raise Broken("%s: %s" % (type(error).__name__, error))


class Definition:
    """A board file: the wires of every simulated node."""

    NAME = "SIMULATED"
    IO_MV = 3300
    PINS = {"power_key": 25, "reset": 26, "wake": 27, "relay": 4}
    LEVELS = {"power_key": 1, "reset": 1, "wake": 1, "relay": 1}
    TIMINGS = {}

    def __init__(self, port, pins=None, wake=(), battery=False):
        self.PORT = port
        if pins:
            self.PINS = dict(self.PINS)
            self.PINS.update(pins)
            self.INPUTS = tuple([name for name in pins if name not in ("status", "ring", "stay_awake", "ship", "pulse")])
        self.WAKE = wake
        if battery:
            self.BATTERY = {"pin": 35 if port == "esp32" else 28, "ratio_1000": 2000}
        self.CHIP = "esp32" if port == "esp32" else "rp2040"
        self.UART = {"id": 1, "tx": 17, "rx": 16} if port == "esp32" else {"id": 1, "tx": 4, "rx": 5}


class Parts:
    """What main.py takes from sensors.py and config.json, here from the world."""

    def __init__(self, settings, declare, files):
        self.settings = settings
        self.declare = declare
        self.files = files


class World:
    """One node and all that is around it. `config` replaces keys of CONFIG; `observe` is what the server watches."""

    def __init__(self, port="esp32", config=None, observe=(TEMPERATURE, HUMIDITY, RELAY, "/19/0/0"), secrets=None, seed=1,
                 pins=None, wake=(), battery_mv=None, on_flash=False, sensors=None, **model_options):
        random.seed(seed)
        self.port = port
        self.clock = VirtualClock()
        self.server = LocalServer(self.clock, auto_observe=observe)
        self.link = LocalLink(self.clock, self.server)
        given = dict(CONFIG)
        given.update(config or {})
        self.settings = checked(given, secrets)
        model_options.setdefault("start", "boot")
        self.model = model(given["family"], self.clock, self.link, {}, **model_options)
        self.uart = FakeUart(self.clock, peer=self.model, chunk=None)
        self.flash = FlashFiles()
        self.filesystem = ""  # what the board's own boot has found: "lost" or "blank"
        self.on_flash = on_flash
        if on_flash:
            self.flash.content["config.json"] = json.dumps(given).encode()
            self.flash.content["secrets.json"] = json.dumps(secrets or {}).encode()
        self.definition = Definition(port, pins, wake, battery_mv is not None)
        self.chip = self._chip()
        if "status" in self.definition.PINS:
            self.chip.sources[self.definition.PINS["status"]] = lambda: int(self.model.status_pin)
        if battery_mv is not None:
            self.battery(battery_mv)
        self.chip.line = self.uart
        if port == "esp32":  # the module's TX is high while it runs
            self.chip.sources[self.definition.UART["rx"]] = lambda: int(self.model.status_pin)
        self.chip.on_output = self._output
        self.taken = []
        self.relay = None
        self.wakes = []
        self.causes = []
        self.declare = None  # a row of the test's own, beside the others: declare(tree, board)
        self.sensors = sensors
        self.on_awake = None  # called when a notification arrives: the server may ask now
        self.server.on_notification = self._notified
        self._count = 0
        self._booted = 0

    def _chip(self):
        if self.port == "esp32":
            from fakes.machine_esp32 import Esp32
            return Esp32(self.clock)
        from fakes.machine_rp2 import Rp2
        return Rp2(self.clock)

    def _output(self, number, level):
        for name in self.definition.PINS:
            if self.definition.PINS[name] == number:
                if name == "relay":
                    self.relay = level
                else:
                    self.model.pin(name, bool(level))

    # sensors

    def _declare(self, tree, board):
        if self.sensors is not None:
            self.sensors(tree, board)
            return
        tree.sensor(3303, lambda: self._reading(TEMPERATURE, -3000), unit="Cel", resolution=0.01, range=(-40, 400))
        tree.sensor(3304, lambda: self._reading(HUMIDITY, 0), unit="%RH", resolution=0.01, range=(0, 400))
        tree.actuator(3306, lambda on: board.pins.set("relay", on), initial=False)
        if self.declare is not None:
            self.declare(tree, board)

    def _reading(self, path, base):
        self._count += 1
        hundredths = base + self._count
        text = "%s%d.%02d" % ("-" if hundredths < 0 else "", abs(hundredths) // 100, abs(hundredths) % 100)
        self.taken.append((path, text, self.clock.unix()))
        return hundredths / 100

    # life

    def at(self, do, hours=0, minutes=0, seconds=0):
        """Call do() at a time from now."""
        self.clock.after(((hours * 60 + minutes) * 60 + seconds) * 1000, lambda: guarded(do))

    def run(self, hours=0, minutes=0):
        """Let that much time pass, life after life, the first one from main.py on: RAM of the last run() is gone.

        AssertionError when the node is awake for ever in the REPL.
        """
        until = self.clock.now + (hours * 60 + minutes) * 60000

        def stop():
            raise Stop

        timer = self.clock.at(until, stop)
        try:
            live(self.chip, self._firmware, until + 1, self.causes.append)
        except Stop:
            pass
        self.clock.cancel(timer)

    def outage(self, down):
        """Take coverage away, or give it back."""
        self.link.radio(up=not down)
        self.model.set_coverage(not down)

    def _notified(self, endpoint, path, readings):
        if self.on_awake is not None:
            guarded(self.on_awake)

    def battery(self, millivolts):
        """Set the cell's voltage."""
        self.chip.adc_mv[self.definition.BATTERY["pin"]] = millivolts // 2

    def drive(self, name, active):
        """Something outside moves a pin of the board."""
        self.chip.drive(self.definition.PINS[name], int(active))

    def reset(self, kind):
        """A reset of that kind, now: raise it from a timer or call it between runs."""
        raise Reset(kind)

    def node(self):
        """A node of this world for a person at the REPL: made as life.py makes it, and not started."""
        from lwnode.node import Node

        node = Node(self.board(), self.settings, self._declare, self.flash)
        node.connect()
        return node

    def board(self):
        """The board, as main.py opens it."""
        return open_board(self.definition, self.chip.machine, self.chip.port, self.chip.time)

    def _firmware(self, chip):
        import life
        self._booted += 1
        self._boot()
        board = open_board(self.definition, chip.machine, chip.port, chip.time)
        if self.filesystem:
            sys.modules["fsboot"] = Names(state=self.filesystem)
        try:
            life.main(board, Parts(None if self.on_flash else self.settings, self._declare, self.flash))
        finally:
            sys.modules.pop("fsboot", None)

    def _boot(self):
        """boot.py and the first lines of main.start(); a reset has emptied RAM."""
        import swap

        swap.current = None
        if "/update/plan" in self.flash.content:
            swap.boot(self.flash)
            swap.begin()

    # what has become of the readings

    def told(self, path):
        """All that the server was told of a path, in order of its arrival: [value, ...]."""
        return [each.value for each in self.server.deliveries if "/" + "/".join([str(part) for part in each.path]) == path]

    def delivered(self):
        """First arrivals at the server: [(path, text, time)], in order."""
        found = []
        seen = set()
        for delivery in self.server.deliveries:
            path = "/" + "/".join([str(part) for part in delivery.path])
            if path in (TEMPERATURE, HUMIDITY):
                key = (path, "%.2f" % delivery.value)
                if key not in seen:
                    seen.add(key)
                    found.append((path, key[1], delivery.time))
        return found

    def lost(self):
        """Readings taken that the server does not have."""
        there = set([(path, text) for path, text, _ in self.delivered()])
        return [reading for reading in self.taken if (reading[0], reading[1]) not in there]
