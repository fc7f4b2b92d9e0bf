"""`make interop`: nodes under MicroPython on virtual modems, against Eclipse Leshan.

All of it runs in real time on a machine that may have other work. So a family of which a cell failed has a second try, with
a new server and new nodes; what was good only then is marked so in the table, with the first try's sentence below it.

Exit status 0: every cell of the table is as it should be. 1: one is not. 3: Java or Maven is absent, or Leshan cannot be
had; the sentence says how to get them.
"""

import argparse
import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tools.interop import checks, lives
from tools.interop.bench import FAMILIES, Node, compile_library
from tools.interop.bootstrap import LeshanBootstrap
from tools.interop.fetch import CACHE, KINDS, Missing, fetch
from tools.interop.leshan import Leshan
from tools.interop.process import LeshanError, fresh, own

ABSENT = 3
LIMIT_S = 1200  # a run that takes longer hangs: five minutes are usual
KEY = ("lwnode-interop", "6c776e6f64652d696e7465726f702121")  # a key of this bench alone


class Run:
    """All nodes at once; `cells` is {(row, column): (good, text)}."""

    def __init__(self, distribution, families, folder, say, only="", dialogue=False):
        self.distribution = distribution
        self.families = families
        self.folder = folder
        self.say = say
        self.only = only
        self.dialogue = dialogue
        self.cells = {}
        self.first = {}  # what the first try said where there was a second one
        self.leshan = None
        self.settled = asyncio.Event()

    async def run(self):
        """Everything: the rows node by node, then what concerns the server, keys and bootstrap."""
        # Each question to Leshan blocks a thread for seconds; the default pool of a small machine has six.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(32))
        compile_library(self.folder / "nodes")
        self.leshan = Leshan(self.distribution, fresh(self.folder / "leshan"))
        if self.dialogue:
            self.leshan.on_event = lambda event: self.say("leshan", f"{event.name} {str(event.data)[:160]}")
        async with self.leshan:
            self.say("leshan", f"{self.distribution.name} on {self.leshan.uri}, {self.leshan.secure_uri}")
            nodes = [Node(family, self.leshan, self.folder / "nodes", self.say) for family in self.families]
            try:
                await asyncio.gather(*[self.live(node) for node in nodes], self.extras())
                if not self.only:
                    await self.restart([node for node in nodes if self.cells[("registration", node.family)][0]])
            finally:
                for node in nodes:
                    await node.stop()

    def good(self, family):
        """Whether every cell of a family is."""
        verdicts = [good for (_, column), (good, _) in self.cells.items() if column == family]
        return bool(verdicts) and all(verdicts)

    def take(self, second):
        """Put the cells of a second try where the first one's were not good."""
        for place, (good, text) in list(self.cells.items()):
            if not good and place[1] in second.families:
                self.first[place] = text
                del self.cells[place]
        for place, (good, text) in second.cells.items():
            if place not in self.cells:
                self.cells[place] = (good, f"{text} (2nd try)" if good else text)

    async def live(self, node):
        """One node through all the rows; one that does not register leaves the rest undone."""
        last = [name for name, _ in lives.LAST.get(node.contract, ())]
        try:
            for name, check in lives.ROWS:
                if name != "registration" and (self.only not in name or name in last):
                    continue
                good = await self.cell(name, node.family, self._begin(node, check) if name == "registration" else check(node))
                if not good and name == "registration":
                    for rest, _ in lives.ROWS[1:]:
                        if self.only in rest:
                            self.cells[(rest, node.family)] = (False, "not registered")
                    return
        finally:
            self.settled.set()

    async def _begin(self, node, check):
        await node.start()
        if self.dialogue:
            node.show_dialogue()
        return await check(node)

    async def extras(self):
        """Keys and bootstrap, with nodes of their own, as soon as one of the others is through."""
        await self.settled.wait()
        if "bc66" in self.families and not self.only:
            await asyncio.gather(self.with_key(), self.with_wrong_key(), self.with_bootstrap())

    async def restart(self, nodes):
        """The server restarts in mid-life; all nodes at once have to find out."""
        mark = len(self.leshan.events)
        await self.leshan.restart()
        self.say("leshan", "restarted: it knows nobody")
        await asyncio.gather(*[self.last(node, mark) for node in nodes])

    async def last(self, node, mark):
        """The rows that end a node's contact for long, once it has come back."""
        if await self.cell("server restart", node.family, lives.server_restart(node, mark)):
            for name, check in lives.LAST.get(node.contract, ()):
                await self.cell(name, node.family, check(node))

    async def with_key(self):
        """BC66 over DTLS with a pre-shared key."""
        node = self._secured("-psk", KEY[1])
        await self.leshan.add_key(node.endpoint, *KEY)
        await self._with(node, "DTLS-PSK", self._secure(node))

    async def _secure(self, node):
        seen = await node.event("REGISTRATION", 120, after=0)
        checks.need(seen.data.get("secure"), f"a secure registration expected, {seen.data} came")
        await checks.read_resource(node)
        return "registers, answers"

    async def with_wrong_key(self):
        """A wrong key: no registration, and a sentence that says so without the key."""
        node = self._secured("-wrong", KEY[1][::-1])
        await self.leshan.add_key(node.endpoint, KEY[0] + "-2", KEY[1])
        node.secrets["psk_identity"] = KEY[0] + "-2"
        await self._with(node, "DTLS-PSK, wrong key", self._refused(node))

    async def _refused(self, node):
        deadline = asyncio.get_running_loop().time() + 90
        while not node.modem.troubles and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.2)
        told = " ".join(node.modem.troubles)
        checks.need("identity or key" in told, f"a sentence about the key expected, {told!r} came")
        checks.need(KEY[1] not in told and KEY[1][::-1] not in told, "the sentence shows the key")
        checks.need(await self.leshan.client(node.endpoint) is None, "it registered with a wrong key")
        return "refused, and said so"

    async def with_bootstrap(self):
        """BC66 gets its account from the bootstrap server, registers, and is sent there again by 1/0/9."""
        server = LeshanBootstrap(self.distribution, self.folder / "bootstrap")
        node = Node("bc66", self.leshan, self.folder / "nodes", self.say, "-bs", {"bootstrap": True}, bootstrap_uri=server.uri)
        try:
            await server.start(node.endpoint, self.leshan.uri, 3600, "U")
            await self._with(node, "bootstrap", self._bootstrapped(node, server))
        finally:
            await server.stop()

    async def _bootstrapped(self, node, server):
        seen = await node.event("REGISTRATION", 120, after=0)
        checks.need(
            seen.data["lifetime"] == 3600, f"the bootstrap server's lifetime 3600 expected, {seen.data['lifetime']} came"
        )
        await server.finished(node.endpoint)
        mark = node.mark()
        answer = await node.ask(self.leshan.execute, "/1/0/9")
        checks.need(answer.code == 204, f"204 expected for 1/0/9, {answer} came")
        await node.event("REGISTRATION", 120, after=mark)
        return "registers; 1/0/9 again"

    def _secured(self, suffix, key):
        secrets = {"psk_identity": KEY[0], "psk": key}
        settings = {"security": "psk", "port": self.leshan.coaps_port}
        return Node(
            "bc66", self.leshan, self.folder / "nodes", self.say, suffix, settings, secrets, server_uri=self.leshan.secure_uri
        )

    async def _with(self, node, row, check):
        async def whole():
            await node.start()
            return await check

        try:
            await self.cell(row, "bc66", whole())
        finally:
            await node.stop()

    async def cell(self, row, column, check):
        """Run one check and keep its cell."""
        try:
            good, text = True, await check
        except (AssertionError, LeshanError) as error:
            good, text = False, str(error)
        except Exception as error:  # what nobody thought of fails its cell, and leaves the others and the second try
            good, text = False, f"{type(error).__name__}: {error}"
        self.cells[(row, column)] = (good, text)
        self.say(column, f"{row}: {'' if good else 'FAILED: '}{text}")
        return good


def table(console, run, took_s):
    """Print the table; whether every cell is good."""
    rows = [name for name, _ in lives.ROWS]
    rows += ["server restart", "DTLS-PSK", "DTLS-PSK, wrong key", "bootstrap", "Leshan"]
    shown = Table(title=f"against {run.distribution.name} ({took_s:.0f} s)")
    shown.add_column("operation")
    for family in run.families:
        shown.add_column(family)
    for row in rows:
        cells = [run.cells.get((row, family)) for family in run.families]
        if any(cells):
            shown.add_row(row, *["" if cell is None else _shown(cell) for cell in cells])
    console.print(shown)
    for (row, family), text in run.first.items():
        console.print(f"{family}, {row}, first try: {text}", markup=False, highlight=False)
    for (row, family), (good, text) in run.cells.items():
        if not good:
            console.print(f"{family}, {row}: {text}", markup=False, highlight=False)
    return bool(run.cells) and all(good for good, _ in run.cells.values())


def _shown(cell):
    good, text = cell
    return f"[green]{text}[/]" if good else "[bold red]NO[/]"


def main(words=None):
    """See the module."""
    parser = argparse.ArgumentParser(prog="make interop", description=__doc__)
    parser.add_argument("--family", action="append", choices=sorted(FAMILIES), help="only these (default: all)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows of one node whose name contains it")
    parser.add_argument("--dialogue", action="store_true", help="show the AT dialogue and Leshan's events, keys left out")
    parser.add_argument("--leshan", choices=KINDS, help="this kind alone (default: the first that can be had); see fetch.py")
    parser.add_argument("--quiet", action="store_true", help="only the table")
    chosen = parser.parse_args(words)
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    began = time.monotonic()

    def say(who, text):
        if not chosen.quiet:
            console.print(f"{time.monotonic() - began:6.1f} {who:12} {text}", markup=False, highlight=False)

    try:
        distribution = fetch(lambda sentence: say("maven", sentence), kinds=(chosen.leshan,) if chosen.leshan else KINDS)
    except Missing as absent:
        print(f"make interop: {absent}", file=sys.stderr)
        return ABSENT
    families = chosen.family or list(FAMILIES)
    run = attempt(distribution, families, "run", say, chosen)
    again = [family for family in families if not run.good(family)]
    if again and not chosen.only:
        say("bench", f"a second try for {', '.join(again)}")
        run.take(attempt(distribution, again, "second", say, chosen))
    return 0 if table(console, run, time.monotonic() - began) else 1


def attempt(distribution, families, folder, say, chosen):
    """One run in a fresh folder; what stopped all of it is a cell of every family."""
    run = Run(distribution, families, own(Path(CACHE) / folder), say, chosen.only, chosen.dialogue)
    try:
        asyncio.run(asyncio.wait_for(run.run(), LIMIT_S))
    except (LeshanError, asyncio.TimeoutError) as error:
        for family in families:
            run.cells[("Leshan", family)] = (False, str(error) or f"not done within {LIMIT_S} s")
    return run


if __name__ == "__main__":
    raise SystemExit(main())
