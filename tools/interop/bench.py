"""One node for the bench: firmware/ under MicroPython on a virtual modem whose LwM2M client talks to Leshan.

    node = Node("bc66", leshan, folder, say)
    await node.start()
    answer = await node.ask(leshan.read, "/3303/0/5700")     # repeated until the node is awake and answers
    node.outputs, node.readings                              # what its board drives and what its sensor gave
    await node.stop()

A node sleeps most of the time, so a question is asked again until it is awake, for as long as `patience` says. Sleep
takes its time divided by SPEED, and its full time where the server has to see a long silence (`real_time`).
"""

import asyncio
import contextlib
import shutil
from pathlib import Path

from testing.host_board.runner import ROOT, HostBoard
from tools.interop.process import LeshanError
from tools.mpy import compile_tree
from testing.virtual_modem.transport import VirtualModem

SPEED = 30
PACKS = "/19/0/0"
PERIOD_S = 180  # so that a sleep is longer than a server counts a queue-mode client as awake (93 s): see the queue row
LIFETIME_S = 86400
BOARD = "ESP32_GENERIC"
LIBRARY = "lib"
CONTRACTS = {"bc66": "pull", "me910c1": "shadow", "bc20": "pipe", "bg96": "pipe"}
# What a family's configuration cannot hold, or wants longer, than the bench's own.
FAMILIES = {"bc66": {"binding": "UQ", "ack_timeout": 1, "max_retransmit": 2, "awake_budget": 90}, "bc20": {}, "bg96": {},
            "me910c1": {}}
# What a node needs for its part of the rows: its server writes numbers as text.
SETTINGS = {"bc66-leaves": {"write_format": "text"}}
# Rows below those of firmware/sensors.py: a number of each kind and a text that a server may write, each said as it arrives.
WRITABLE = """
    def said(name):
        return lambda value: print("wrote", name, value)

    tree.actuator(3308, said("float"), initial=20.0)
    tree.actuator(3341, {5527: said("text"), 5528: said("integer")}, initial="", values={5528: 0})
"""
# names of the host board's readings by the path where sensors.py puts them
SENSORS = {"/3303/0/5700": "temperature", "/3304/0/5700": "humidity"}


def compile_library(folder):
    """Compile lib/ once for all nodes in `folder`: at a node's start, in threads, it would delay the others."""
    shutil.copytree(ROOT / "lib", folder / LIBRARY, ignore=shutil.ignore_patterns("__pycache__"))
    compile_tree(folder / LIBRARY)


class Node:
    """See the module. `settings` replace keys of the configuration, `modem` options of the virtual modem."""

    def __init__(self, family, leshan, folder, say, suffix="", settings=None, secrets=None, **modem):
        self.family = family
        self.leshan = leshan
        self.endpoint = f"urn:dev:lwnode-{family}{suffix}"
        self.folder = Path(folder) / (family + suffix)
        self.say = lambda text: say(f"{family}{suffix}", text)
        self.settings = settings or {}
        self.secrets = secrets or {}
        modem.setdefault("server_uri", leshan.uri)
        self.modem = VirtualModem(family, **modem)
        self.contract = CONTRACTS[family]
        self.board = None
        self.config = {}
        self.lines = []
        self.observer = None
        self.observations = {}

    async def start(self):
        """Power on."""
        self.folder.mkdir(parents=True)
        await self.modem.start()
        self.board = HostBoard("esp32", self.folder, self.modem.pty_path, self.modem.control_port, speed=SPEED, heap="512k",
                               on_console=self._printed)
        self.config = config = {"family": self.family, "host": "127.0.0.1", "port": self.leshan.coap_port,
                                "endpoint": self.endpoint, "apn": "bench", "lifetime": LIFETIME_S, "binding": "U",
                                "sample_every": PERIOD_S, "report_every": PERIOD_S, "spread": 0, "listen": 5,
                                "attach_timeout": 20, "maintenance_window": 0}
        config.update(FAMILIES[self.family])
        config.update(SETTINGS.get(self.folder.name, {}))
        config.update(self.settings)
        self.board.deploy(BOARD, config=config, secrets=self.secrets, lib=self.folder.parent / LIBRARY)
        with open(self.board.flash / "sensors.py", "a") as rows:
            rows.write(WRITABLE)
        self.observer = asyncio.ensure_future(self._observe())
        await self.board.start()

    async def _observe(self):
        """A registration ends observations: observe again after each, as servers do."""
        seen = 0
        while True:
            event = await self.leshan.event("REGISTRATION", self.endpoint, 86400, seen)
            seen = self.number(event) + 1
            self.observations = {}
            for path in self.observed:
                with contextlib.suppress(LeshanError):
                    self.observations[path] = await self._observed(path)

    async def _observed(self, path):
        """Observe; a node that was reset registers before it has declared its objects, and answers 4.04 until then."""
        for _ in range(30):
            answer = await self.ask(self.leshan.observe, path, patience=60)
            if answer.code == 205:
                break
            await asyncio.sleep(1)
        return answer

    async def stop(self):
        """Power off."""
        if self.observer is not None:
            self.observer.cancel()
        if self.board is not None:
            await self.board.stop()
        await self.modem.close()

    async def ask(self, question, *arguments, patience=90, unless=None, **named):
        """Put a question to Leshan until the node answers it, or `unless` says that it has had its effect already.

        LeshanError when it is silent for `patience` seconds.
        """
        deadline = asyncio.get_running_loop().time() + patience
        while True:
            self.alive()
            answer = await question(self.endpoint, *arguments, **{"timeout": 6, **named})
            if answer.http == 200 and answer.code != 504 and not answer.delayed:
                return answer
            if unless is not None and unless():
                return answer
            if asyncio.get_running_loop().time() > deadline:
                raise LeshanError(f"no answer within {patience} s, last HTTP {answer.http}: {answer.text[:100]}")
            await asyncio.sleep(0.2)

    async def event(self, name, timeout=90, after=None, where=None):
        """The next event of that name from this node (`after`: number of the first event that counts)."""
        after = self.mark() if after is None else after
        waiting = asyncio.ensure_future(self.leshan.event(name, self.endpoint, timeout, after, where))
        try:
            while not waiting.done():
                await asyncio.wait([waiting], timeout=2)
                if not waiting.done():
                    self.alive()
            return waiting.result()
        finally:
            waiting.cancel()

    def heard(self, name, after):
        """Whether that event has come from this node since."""
        return any(each.name == name and each.endpoint == self.endpoint for each in self.leshan.events[after:])

    def mark(self):
        """The number of the next event: take it before the action whose event is awaited."""
        return len(self.leshan.events)

    def number(self, event):
        """The number of an event that was waited for."""
        return next(number for number, each in enumerate(self.leshan.events) if each is event)

    def alive(self):
        """Raise when the node is dead or the bench broke."""
        self.board.check()
        if self.board.dead is not None:
            tail = " | ".join(self.lines[-6:])
            raise LeshanError(f"the node is dead: {self.board.dead.name} {self.board.dead.detail or ''} {tail}")

    async def answers(self, path, patience=180):
        """Ask until a read of this path succeeds: a node that comes back declares its objects after it registered."""
        deadline = asyncio.get_running_loop().time() + patience
        while True:
            answer = await self.ask(self.leshan.read, path, patience=patience)
            if answer.code == 205:
                return answer
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"205 expected for {path} within {patience} s, {answer} came")
            await asyncio.sleep(0.3)

    async def until(self, condition, what, patience=30):
        """Wait for something on the board or of the bench. AssertionError when it does not come."""
        deadline = asyncio.get_running_loop().time() + patience
        while not condition():
            self.alive()
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"{what} expected within {patience} s, outputs are {self.outputs}")
            await asyncio.sleep(0.05)

    def show_dialogue(self):
        """Say every line of the AT dialogue, as the model tells it: without keys."""
        self.modem.model.on_note = lambda direction, line: self.say(f"{direction} {line}")

    @property
    def sleeps_ms(self):
        """How long the sleep is that the board is in; 0 while it is awake."""
        event = self.board.events[-1]
        return int(event.detail) if event.name == "sleep" else 0

    def real_time(self, on):
        """Let sleep take its full time from the next one on, or the bench's usual part of it."""
        self.board.speed = 1 if on else SPEED

    def settings_of(self, key):
        """What the node was configured with, None where the family cannot hold it."""
        return self.config.get(key)

    def control(self, command):
        """A command of the virtual modem's control port."""
        return self.modem.control.command(command)

    def readings(self, path):
        """Every value that the sensor of this path gave, as numbers."""
        return {float(each.text) for each in self.board.readings if each.name == SENSORS[path]}

    @property
    def observed(self):
        """The paths that the server observes: late readings come as packs from everybody."""
        return (PACKS,) if self.contract == "pipe" else (*SENSORS, PACKS)

    @property
    def outputs(self):
        """Levels that the board drives."""
        return self.board.outputs

    def _printed(self, line):
        self.lines.append(line)
        self.say(line)
