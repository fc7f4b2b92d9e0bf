"""What the server, the network and the board do to the node, and when: one thing in a wake, in this order.

    at registration      the server observes temperature, humidity, the actuator and the packs; of a pipe the packs
    a wake that reports  the server writes 3306/0/5850, a pipe's by a command, and the relay must follow
    the next             it executes 3303/0/5605 and reads minimum and maximum back; of a shadow it reads the last reading
    the next             coverage is lost while a notification is in flight, and comes back two sleeps later
                         (or after some seconds, where the node stays awake to look for it)
    then                 what was stored arrives, in order; ordinary wakes, until as many as asked for are over
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.demo.contracts import COMMANDS, CONTRACTS, RELAY
from tools.demo.dialogue import Dialogue
from tools.demo.ledger import Ledger
from testing.host_board.runner import Event, HostBoard
from testing.lwm2m.server import Lwm2mServer
from tools.objects.payload import encode
from testing.virtual_modem.transport import VirtualModem

ENDPOINT = "urn:dev:lwnode-demo"
BOARDS = {"esp32": "ESP32_GENERIC", "rp2": "RPI_PICO"}
PERIOD_S = 60
PACK_PATH = (19, 0, 0)
OCTETS = 42  # application/octet-stream
# How far a reading's own time may be off: the module tells whole seconds, and a busy machine starts the node late. The time of
# its arrival, which it must not be, is a period or more away.
CLOCK_S = PERIOD_S // 4
# Beyond the asked-for number what is missing may still happen, and stored readings arrive: until so many further wakes have
# brought readings without it, and not beyond so many in all. A failed contact is repeated after minutes by lot
# (lwnode.power.Backoff), and on a busy machine one fails more often: how many wakes that takes says nothing about the node.
EXTRA_WAKES, MOST_WAKES = 4, 20
WAKE_TIMEOUT_S = 240.0
# Of an ESP32-WROOM's 165 KB twice as much: pointers, and with them most objects, take eight bytes here and four on a board.
HEAP = "330k"


class Scenario:
    """Runs the demo and keeps what was seen: `ledger`, `dialogue`, `checks` (what happened -> whether it was right)."""

    def __init__(self, folder: Path, family: str, port: str, cycles: int, speed: float, say: Callable[[str, str], None],
                 on_line: Callable[[str, str], None] | None = None) -> None:  # fmt: skip
        self.folder, self.port, self.cycles, self.speed, self.say = folder, port, cycles, speed, say
        self.family, self.contract = family, CONTRACTS[family]
        self.ledger = Ledger()
        self.dialogue = Dialogue((), on_line, self.contract.report)
        self.values: dict[str, float] = {}  # the last that arrived, by path
        self.checks: dict[str, bool] = {}
        self.registrations = 0
        self.exchanges: list[int] = []
        self.sleeps = 0
        self.reported: set[int] = set()  # the wakes in which readings arrived
        self.outage = False
        self.server: Any = None
        self.modem: Any = None
        self.board: Any = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._acted: set[int] = set()
        self._outage_ends = 0
        self._crashed = False
        self._began = 0.0
        self._slept = asyncio.Event()

    async def run(self, prepare: Callable[[Path], None] | None = None) -> None:
        """Set up, live through all wakes, take down. Raises TimeoutError or RuntimeError when the node is stuck or dead."""
        self.server = await Lwm2mServer(log=lambda text: self.say("server", text)).start()
        self.server.on_registration = self._registered
        self.server.on_notification = self._notified
        uri = f"coap://127.0.0.1:{self.server.port}"
        self.modem = await VirtualModem(self.family, uri, **self.contract.model).start()
        self.modem.trace = self._traced
        self.board = HostBoard(self.port, self.folder, self.modem.pty_path, self.modem.control_port, speed=self.speed,
                               heap=HEAP, on_event=self._happened, on_console=self._printed)
        self.board.deploy(BOARDS[self.port], config=self._config())
        if prepare:
            prepare(self.board.flash)
        size = self.board.burn()
        self.say("board", f"flashed: lib/ and firmware/ frozen, {size / 1024:.0f} KB with the port")
        self._began = self.modem.clock.unix()
        try:
            await self.board.start()
            await self._live()
            await self._look_back()
        finally:
            await self.board.stop()
            for task in self._tasks:
                task.cancel()
            await self.modem.close()
            await self.server.close()

    def _config(self) -> dict[str, Any]:
        return {"family": self.family, "host": "127.0.0.1", "port": self.server.port, "endpoint": ENDPOINT, "apn": "demo",
                "lifetime": 86400, "sample_every": PERIOD_S, "report_every": PERIOD_S, "spread": 0, "listen": 1,
                "attach_timeout": 10, "maintenance_window": 0, **self.contract.config}

    async def _live(self) -> None:
        while self.sleeps < self.cycles or self._waiting():
            self._slept.clear()
            await asyncio.wait_for(self._slept.wait(), WAKE_TIMEOUT_S)
            if self.board.dead:
                raise RuntimeError(f"the node is dead: {self.board.dead.name} {self.board.dead.detail}")
            if self._crashed:
                raise RuntimeError("the node has crashed: its traceback is above, and on its flash in crash.txt")

    def _waiting(self) -> bool:
        """Whether what has not happened or arrived may still do so."""
        further = sum(wake > self.cycles for wake in self.reported)
        missing = "outage" not in self.checks or self.outage or self._ledger().lost
        return bool(missing) and further < EXTRA_WAKES and self.sleeps < self.cycles + MOST_WAKES

    def _ledger(self) -> Ledger:
        """The ledger with every conversion so far."""
        self.ledger.taken.clear()
        for reading in self.board.readings:
            self.ledger.take(reading.name, reading.text, self._began + reading.at_ms / 1000)
        return self.ledger

    async def _look_back(self) -> None:
        ledger = self._ledger()
        self.checks["every reading arrived"] = bool(ledger.taken) and not ledger.lost
        self.checks["nothing arrived that no sensor gave"] = not ledger.invented
        self.checks["stored readings came with their own times, in order"] = (
            bool(ledger.late()) and ledger.order_kept() and ledger.worst_time() <= CLOCK_S)
        if self.contract.name == "pull":
            self.checks["the session was recovered after sleep, status 7"] = self.dialogue.recoveries >= 2
        if self.contract.stays:
            self.checks["no registration but the first, and one after the outage at most"] = 1 <= self.registrations <= 2
        else:
            self.checks["it registered at most once in a wake, and once more"] = 1 <= self.registrations <= self.sleeps + 1
        self.checks[self.contract.write] = self.checks.pop("write", False)
        self.checks[self.contract.execute] = self.checks.pop("execute", False)
        self.checks[self.contract.outage] = self.checks.pop("outage", False)
        self.checks["it ended asleep, alive"] = self.board.dead is None

    # What is heard.

    def _printed(self, line: str) -> None:
        self._crashed = self._crashed or "Traceback" in line
        self.say("node", line)

    def _traced(self, direction: str, data: bytes) -> None:
        before = self.dialogue.notifications
        self.dialogue.heard("host" if direction == ">" else "module", data)
        if self.contract.acknowledges and self.dialogue.notifications > before:
            self._outage_begins()

    def _outage_begins(self) -> None:
        """Once, after everything that the server wants, in a wake of its own."""
        if "execute" in self.checks and self.sleeps + 1 not in self._acted and "outage" not in self.checks:
            self.checks["outage"] = True
            self._outage_ends = self.sleeps + 2
            self._radio(False)
            asyncio.get_running_loop().call_later(self.contract.patience_s, self._outage_over)

    def _outage_over(self) -> None:
        if self.outage:
            self._radio(True)

    def _radio(self, up: bool) -> None:
        self.outage = not up
        self.modem.control.command("radio up" if up else "radio down")
        lost = "coverage is lost" + ", a notification is in flight" * self.contract.acknowledges
        self.say("network", "coverage is back" if up else lost)

    def _happened(self, event: Event) -> None:
        if event.name == "sleep":
            self.sleeps += 1
            self.exchanges.append(self.dialogue.commands)
            self.dialogue.commands = 0
            if self.sleeps == self._outage_ends:
                self._outage_over()
            if not self.contract.acknowledges:
                self._outage_begins()
            self._slept.set()
            self.say("board", f"asleep for {event.detail / 1000:.0f} s after wake {self.sleeps}")
        elif event.name in ("boot", "wake"):
            self.say("board", f"wake {self.sleeps + 1}: {event.name} {event.detail if event.name == 'boot' else ''}")
        elif event.name == "output":
            self.say("board", f"the node drives {event.detail}")
        else:
            self.say("board", f"{event.name} {event.detail or ''}")
            self._slept.set()

    def _registered(self, endpoint: str, event: str) -> None:
        if event in ("registered", "reregistered"):
            self.registrations += 1
            self._spawn(self._observe())

    def _notified(self, endpoint: str, path: tuple[int, ...], readings: list[Any]) -> None:
        late = False
        for reading in readings:
            name = "/" + "/".join(str(part) for part in reading.path)
            now = self.modem.clock.unix()
            at = reading.time if reading.time is not None else now
            # A pipe has nothing but packs: late is there what is older than this wake.
            late = path == PACK_PATH and (self.contract.name != "pipe" or now - at > PERIOD_S / 2)
            self.values[name] = float(reading.value) if isinstance(reading.value, (int, float)) else 0.0
            self.ledger.arrive(name, reading.value, at, late)
        wake = self.sleeps + 1
        self.reported.add(wake)
        if wake > 1 and wake not in self._acted and not late and "execute" not in self.checks:
            self._acted.add(wake)
            self._spawn(self._execute() if "write" in self.checks else self._write())

    # What the server does.

    async def _observe(self) -> None:
        for path in self.contract.observed:
            await self.server.observe(ENDPOINT, path)

    async def _command(self, *commands: str) -> Any:
        """A pack of commands, on its way down a pipe."""
        return await self.server.write(ENDPOINT, COMMANDS, encode(list(commands)), content_format=OCTETS)

    async def _until(self, holds: Callable[[], bool]) -> bool:
        """Whether it comes true within the next two wakes."""
        last = self.sleeps + 2
        while not holds() and self.sleeps < last:
            await asyncio.sleep(0.02)
        return holds()

    async def _write(self) -> None:
        if self.contract.name == "pipe":
            answer = await self._command(f"{RELAY}=true")
        else:
            answer = await self.server.write(ENDPOINT, RELAY, True)
        followed = await self._until(lambda: self.board.outputs.get("relay") == 1)
        self.checks["write"] = answer.code == 204 and followed
        self.say("server", f"wrote 3306/0/5850 = 1: {answer.code}, relay is {self.board.outputs.get('relay')}")

    async def _execute(self) -> None:
        names = [f"/3303/0/{resource}" for resource in (5601, 5602, 5700)]
        if self.contract.name == "pipe":
            executed = await self._command("/3303/0/5605", *names[:2])
            fine = await self._until(lambda: all(name in self.values for name in names))
            values = [self.values.get(name) for name in names]
            fine = fine and executed.code == 204 and values[0] == values[1]
            self.say("server", f"commanded 3303/0/5605: {executed.code}, minimum {values[0]}, maximum {values[1]}")
        elif self.contract.name == "shadow":
            value = (await self.server.read(ENDPOINT, names[2])).value
            newest = [reading.text for reading in self.board.readings if reading.name == "temperature"][-2:]
            fine = value is not None and f"{float(value):.2f}" in newest  # one may be on its way into the module
            self.say("server", f"read 3303/0/5700 from the module: {value}")
        else:
            executed = await self.server.execute(ENDPOINT, "/3303/0/5605")
            values = [(await self.server.read(ENDPOINT, name)).value for name in names]
            fine = executed.code == 204 and values[0] == values[1] == values[2] is not None
            self.say("server", f"executed 3303/0/5605: {executed.code}, minimum {values[0]}, maximum {values[1]}")
        self.checks["execute"] = fine

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(self._quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, work: Any) -> None:
        with contextlib.suppress(KeyError):  # the client has gone meanwhile: the checks say what is missing
            await work
