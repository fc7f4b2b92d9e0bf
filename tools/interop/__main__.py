"""`make interop`: nodes under MicroPython on virtual modems, against Eclipse Leshan.

Exit status 0: every cell of the table is as it should be. 1: one is not. 3: Java or Maven is absent, or Leshan cannot be
had; the sentence says how to get them.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tools.interop import checks
from tools.interop.bench import FAMILIES, Node
from tools.interop.fetch import CACHE, Missing, fetch
from tools.interop.leshan import Leshan, LeshanBootstrap, LeshanError, fresh

ABSENT = 3
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
        self.leshan = None
        self.settled = asyncio.Event()

    async def run(self):
        """Everything: the rows node by node, then what concerns the server, keys and bootstrap."""
        self.leshan = Leshan(self.distribution, fresh(self.folder / "leshan"))
        if self.dialogue:
            self.leshan.on_event = lambda event: self.say("leshan", f"{event.name} {str(event.data)[:160]}")
        async with self.leshan:
            self.say("leshan", f"{self.distribution.version} on {self.leshan.uri}, {self.leshan.secure_uri}")
            nodes = [Node(family, self.leshan, self.folder / "nodes", self.say) for family in self.families]
            try:
                await asyncio.gather(*[self.live(node) for node in nodes], self.extras())
                if not self.only:
                    await self.restart([node for node in nodes if self.cells[("registration", node.family)][0]])
            finally:
                for node in nodes:
                    await node.stop()

    async def live(self, node):
        """One node through all the rows; one that does not register leaves the rest undone."""
        last = [name for name, _ in checks.LAST.get(node.contract, ())]
        try:
            await node.start()
            if self.dialogue:
                node.show_dialogue()
            for name, check in checks.ROWS:
                if name != "registration" and (self.only not in name or name in last):
                    continue
                good = await self.cell(name, node.family, check(node))
                if not good and name == "registration":
                    for rest, _ in checks.ROWS[1:]:
                        if self.only in rest:
                            self.cells[(rest, node.family)] = (False, "not registered")
                    return
        finally:
            self.settled.set()

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
        if await self.cell("server restart", node.family, checks.server_restart(node, mark)):
            for name, check in checks.LAST.get(node.contract, ()):
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
        await server.start(node.endpoint, self.leshan.uri, 3600, "U")
        try:
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
        except (AssertionError, LeshanError, RuntimeError, OSError) as error:
            good, text = False, str(error) or type(error).__name__
        self.cells[(row, column)] = (good, text)
        self.say(column, f"{row}: {'' if good else 'FAILED: '}{text}")
        return good


def table(console, run, took_s):
    """Print the table; whether every cell is good."""
    rows = [name for name, _ in checks.ROWS]
    rows += ["server restart", "DTLS-PSK", "DTLS-PSK, wrong key", "bootstrap"]
    shown = Table(title=f"against Leshan {run.distribution.version} ({took_s:.0f} s)")
    shown.add_column("operation")
    for family in run.families:
        shown.add_column(family)
    for row in rows:
        cells = [run.cells.get((row, family)) for family in run.families]
        if any(cells):
            shown.add_row(row, *["" if cell is None else _shown(cell) for cell in cells])
    console.print(shown)
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
        distribution = fetch(lambda sentence: say("maven", sentence))
    except Missing as absent:
        print(f"make interop: {absent}", file=sys.stderr)
        return ABSENT
    run = Run(distribution, chosen.family or list(FAMILIES), fresh(Path(CACHE) / "run"), say, chosen.only, chosen.dialogue)
    try:
        asyncio.run(run.run())
    except LeshanError as error:
        console.print(f"Leshan: {error}", markup=False)
        run.cells[("Leshan", run.families[0])] = (False, str(error))
    return 0 if table(console, run, time.monotonic() - began) else 1


if __name__ == "__main__":
    raise SystemExit(main())
