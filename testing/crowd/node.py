"""One virtual node of many: lib/'s own tree, health (26251), diagnosis (26252) and updates (9), over a light client.

    node = CrowdNode("node-1", "127.0.0.1", 5684, psk="00..", period_s=60)
    await node.start()                 # registers, then samples, notifies what is observed, updates, answers
    node.fault = "crash"               # what the next update meets: crash, silent, full
    await node.stop()

`contract` is "pull", or "pipe" (a BC66 with firmware A06): object 19 alone is registered, commands and answers are packs.

It stands for a module with its host: what a server reads, writes and executes is answered by the code that answers in the
field (lwnode.lwm2m.requests, lwnode.features); an update is staged by lwnode.update and tried by swap.py. What it is not:
a UART, a module's dialogue, sleep. Time is real.
"""

import asyncio
import random
import sys
import time
from pathlib import Path as FilePath
from types import SimpleNamespace

ROOT = FilePath(__file__).resolve().parents[2]
for _folder in ("lib", "firmware", "host_tests/cpython"):
    if str(ROOT / _folder) not in sys.path:
        sys.path.insert(0, str(ROOT / _folder))

import swap  # noqa: E402  (found through the path above)
from lwnode.config import checked  # noqa: E402
from lwnode.features import update  # noqa: E402
from lwnode.features.commands import Commands  # noqa: E402
from lwnode.features.diagnosis import Diagnosis  # noqa: E402
from lwnode.features.update import Update  # noqa: E402
from lwnode.features.usage import Usage  # noqa: E402
from lwnode.lwm2m import ObjectTree, Path, Request, Response  # noqa: E402

from testing.crowd.files import MemoryFiles  # noqa: E402
from testing.crowd.link import LightLink  # noqa: E402
from testing.lwm2m.codec import CodecError, decode  # noqa: E402
from testing.lwm2m.link import Account  # noqa: E402
from testing.lwm2m.names import INTEGER, OPAQUE, STRING  # noqa: E402

BOARD = "RPI_PICO"
_WAKE_S = 1.0  # from the answer to an order until the node's wake is over and it restarts
_RETRY_S = (5, 300)  # between registrations that fail: doubling
_OWN = {(3, 0, 0): (STRING, "lwnode"), (3, 0, 1): (STRING, "crowd"), (3, 0, 3): (STRING, "BC66NBR01A10"),
        (3, 0, 11): (INTEGER, "0")}  # what a module answers by itself


def quiet():
    """Let the node's own words of its updates go: hundreds of nodes have one console."""
    swap.print = update.print = lambda *words: None


class _Module:
    """What the features ask of a driver."""

    refusal = ""
    def __init__(self, node):
        self.node, self.at = node, self
        limits = {"opaque": 512, "pack": 512} if node.contract == "pull" else {"pack": 512}
        self.capabilities = SimpleNamespace(contract=node.contract, limits=limits)

    def signal(self):
        return {"rsrp": self.node.rsrp}

    def _answer_to(self, line):
        return ["5", "1", "1A2B", "%08X" % (0x01A2D100 + self.node.number % 4), "9"]

    def ask(self, function, *given):
        return []

    def write(self, *given):
        """A setting."""

    def later(self, function, *given):
        self.node._after("look", 0, lambda: function(*given))


class _Store(dict):
    """The protected store."""

    load, save = dict.get, dict.__setitem__


class CrowdNode:
    """See the module. Counters: registrations, updates, notified, answered, refused, lost."""

    def __init__(self, endpoint, host, port, identity=None, psk=None, update_key=None, number=0, lifetime=86400, period_s=60.0,
                 contract="pull", battery_mv=3600, update_every=None):  # fmt: skip
        self.contract = contract
        given = {"family": "bc66", "host": host, "port": port, "endpoint": endpoint, "apn": "", "server_updates": True,
                 "diagnosis": True, "security": "psk" if psk else "none"}
        held = {"psk_identity": (identity or endpoint) if psk else None, "psk": psk, "update_key": update_key}
        self.config = checked(given, {name: value for name, value in held.items() if value is not None})
        self.account = Account(host, port, (identity or endpoint) if psk else None, psk)
        self.endpoint, self.number, self.lifetime, self.period_s = endpoint, number, lifetime, period_s
        self.update_every = update_every or lifetime * 0.8
        self.fault, self.dead, self.battery, self.rsrp = "", False, battery_mv, -85 - number % 40
        self.flash = MemoryFiles({"/sensors.py": b"# as it came from the factory\n"})
        self.registrations = self.updates = self.notified = self.answered = self.refused = self.lost = 0
        self.troubles = []
        self.link = LightLink(number, self.troubles.append)
        self.link.on_request = self._asked
        self._timers = {}
        self._failures = 0
        self._random = random.Random(number)
        self._host()

    def _host(self):
        """The node's objects, as after a start: what it kept is on its flash."""
        self.tree = tree = ObjectTree(time_of_board := SimpleNamespace(
            ticks_ms=lambda: int(time.monotonic() * 1000), ticks_diff=lambda a, b: a - b, ticks_add=lambda a, b: a + b))
        tree.now = lambda: int(time.time())
        tree.sensor(3303, lambda: 20 + self._random.random() * 3, unit="Cel", resolution=0.01)
        protected = getattr(self, "protected", None) or _Store()
        self.protected = protected
        board = SimpleNamespace(definition=SimpleNamespace(NAME=BOARD, CHIP="rp2040"), protected=protected, clock=time_of_board,
                                battery_mv=lambda: self.battery, feed=lambda: None)
        node = SimpleNamespace(
            tree=tree, config=self.config, board=board, flash=self.flash, modem=_Module(self), guard=None, warnings={},
            journal=SimpleNamespace(dropped=0), module_awake=0, last_error="", reached=True, stayed_awake=True, wakes=1,
            clock=SimpleNamespace(now=tree.now, unix=tree.now), limit=lambda **given: None, alarm=lambda: None)
        node.keep = lambda readings, unix: self._report([(one, kind, text, unix) for one, kind, text, _ in readings])
        self.features = [Usage(), Diagnosis(), Update(), *([Commands()] if self.contract == "pipe" else [])]
        for feature in self.features:
            feature.attach(node)
        self.node = node

    # life

    async def start(self):
        """Open the socket and register."""
        await self.link.start()
        self._sample()
        self._register()

    async def stop(self):
        """Vanish, without a word to the server."""
        self.dead = True
        for timer in self._timers.values():
            timer.cancel()
        await self.link.close()

    def _after(self, name, seconds, function):
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        if not self.dead:
            self._timers[name] = asyncio.get_running_loop().call_later(seconds, function)

    def _register(self):
        objects = ["/1/0", "/3/0"] + ["/%d/%d" % (one, two) for one, two, _ in self.tree.objects()
                                      if one == 19 or self.contract == "pull"]
        self.link.register(self.account, self.endpoint, self.lifetime, "U", objects, self._registered)

    def _registered(self, code):
        if code != 201:
            self._failures += 1
            self.refused += code is not None
            self._after("life", min(_RETRY_S[0] << min(self._failures, 8), _RETRY_S[1]), self._register)
            return
        self._failures = 0
        self.registrations += 1
        if swap.current is not None:
            swap.current = None
        self._swap(lambda: swap.boot(self.flash), lambda: swap.cycle(True))  # a cycle that reached the server keeps an update
        self._after("life", self.update_every * (0.9 + 0.1 * self._random.random()), self._update)

    def _update(self):
        self.link.update(self._updated)

    def _updated(self, code):
        self.updates += code == 204
        if code == 204:
            self._after("life", self.update_every, self._update)
        else:
            self.link.forget()
            self._register()

    def _sample(self):
        now = int(time.time())
        self.features[0].before_wake(self.node, "timer", now)
        self.tree.sample(now)
        self._report(self.tree.reports(now))
        self._after("sample", self.period_s * (0.95 + 0.1 * self._random.random()), self._sample)

    def _report(self, readings):
        """Tell readings: each on its own path, or all in packs."""
        readings = list(readings)
        while self.contract == "pipe" and readings and self.link.observed((19, 0, 0)):
            data, used = self.tree.pack(readings, 512)
            self.link.notify((19, 0, 0), [((19, 0, 0), OPAQUE, data)], True, self._notified)
            readings = readings[max(1, used):]
        for path, kind, text, _ in readings if self.contract == "pull" else ():
            if self.link.observed(path.ids):
                self.link.notify(path.ids, [(path.ids, kind, text)], True, self._notified)

    def _notified(self, outcome):
        self.notified += outcome == 0
        self.lost += outcome != 0

    # the server

    def _asked(self, request):
        if self.fault == "deaf":
            return
        if request.path[0] in (1, 3) and request.operation in ("read", "observe", "discover"):
            own = [(path, kind, text) for path, (kind, text) in sorted(_OWN.items())
                   if path[: len(request.path)] == tuple(request.path)]
            self._respond(request, Response(205 if own else 404, own))
            return
        if request.operation == "discover":
            values = self.tree.values(Path(*request.path))
            self._respond(request, Response(205 if values else 404, [(path.ids, kind, text) for path, kind, text in values]))
            return
        value = bytes(request.payload)
        path = request.path
        if request.operation == "write":
            try:
                (reading,) = decode(request.content_format, request.path, value)
            except (CodecError, ValueError):
                self._respond(request, Response(400))
                return
            path = reading.path
            value = reading.value if isinstance(reading.value, bytes) else str(
                int(reading.value) if isinstance(reading.value, bool) else reading.value).encode()
        elif request.operation == "write_attributes":
            value = "&".join(request.query).encode()
        response = self.tree.handle(Request(request.operation, Path(*path), request.mid, value=value))
        self._respond(request, Response(response.code, [(one.ids, kind, text) for one, kind, text in response.values],
                                        response.after))

    def _respond(self, request, response):
        self.answered += 1
        if request.expects_answer:
            self.link.respond(request, response.code, response.values)
        if response.after is not None:
            response.after()
        if self.contract == "pipe" and request.operation == "write":
            self._report(self.tree.reports(int(time.time())))
        if self.tree.after is not None:
            self._after("after", _WAKE_S, self._wake_over)

    # updates

    def _swap(self, *steps):
        """Steps of swap.py, whose state is the module's: one node at a time, within one turn of the loop."""
        try:
            for step in steps:
                step()
            return swap.current
        finally:
            swap.current = None

    def _wake_over(self):
        """What an order has left for the end of the wake: an update is staged, and the node restarts."""
        after, self.tree.after = self.tree.after, None
        if after is None:
            return
        if self.fault == "full":
            self.flash.blocks = len(self.flash.content) + 3
        under_way = self._swap(after)
        self.flash.blocks = 512
        if under_way is not None and under_way.restart:
            self._after("life", 0.2, self._restart)

    def _restart(self):
        """boot.py and main.py, as often as they are run: a file that raises ends a start, the fourth takes the update back."""
        self.link.forget()
        channel = self.features[2].row
        kept = {name: getattr(channel, name) for name in ("state", "result", "staged", "at")}
        for _ in range(6):
            self._swap(lambda: swap.boot(self.flash), swap.begin)
            if not (self.fault == "crash" and swap.Swap(self.flash).state == "trial"):
                break
        if self.fault == "silent" and swap.Swap(self.flash).rows:
            return  # it never reaches the server again, until a person comes
        self._host()
        for name, value in kept.items():
            setattr(self.features[2].row, name, value)
        self._after("life", 0.5 + self._random.random(), self._register)

    @property
    def application(self):
        """The files, without what the node keeps for itself."""
        return {path: data for path, data in self.flash.content.items() if not path.startswith("/update")}
