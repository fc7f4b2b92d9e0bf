"""`make interop`: nodes under MicroPython on virtual modems, against Eclipse Leshan.

Each family lives as three nodes at once: one is asked and restarted, one leaves and expires, one sleeps (lives.COURSES).
Keys and bootstrap have nodes of their own. At last the server restarts, and those that were asked have to find out.

Exit status 0: every cell of the table is as it should be. 1: one is not. 3: Java or Maven is absent, or Leshan cannot be
had; the sentence says how to get them.
"""

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools import arguments
from tools.interop import checks, lives
from tools.interop.bench import FAMILIES, Node, compile_library
from tools.interop.bootstrap import LeshanBootstrap
from tools.interop.codec import compared
from tools.interop.fetch import CACHE, KINDS, Missing, fetch
from tools.interop.leshan import Leshan
from tools.interop.process import LeshanError, fresh, own
from tools.interop.table import Cells, chosen, shown_table

ABSENT = 3
LIMIT_S = 1200  # a run that takes longer hangs: four minutes are usual
BOOTSTRAPPED = ("bc66", "bg96", "me910c1")  # BC20 knows no bootstrap
KEY = ("lwnode-interop", "6c776e6f64652d696e7465726f702121")  # a key of this bench alone


class Run:
    """All nodes at once; `cells` is what became of each."""

    def __init__(self, distribution, families, folder, say, only="", dialogue=False):
        self.distribution = distribution
        self.families = families
        self.folder = folder
        self.say = say
        self.only = only
        self.dialogue = dialogue
        self.cells = Cells(say)
        self.codecs = []  # of codec.compared
        self.leshan = None
        self.settled = asyncio.Event()

    async def run(self):
        """Everything: the rows node by node, then what concerns the server, keys and bootstrap."""
        # Each question to Leshan blocks a thread for seconds; the default pool of a small machine has six.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(32))
        if not self.only or self.only in "codec":
            self.codecs = await asyncio.to_thread(compared, self.distribution)
        compile_library(self.folder / "nodes")
        self.leshan = Leshan(self.distribution, fresh(self.folder / "leshan"))
        if self.dialogue:
            self.leshan.on_event = lambda event: self.say("leshan", f"{event.name} {str(event.data)[:160]}")
        async with self.leshan:
            self.say("leshan", f"{self.distribution.name} on {self.leshan.uri}, {self.leshan.secure_uri}")
            courses = [(suffix, rows) for suffix, rows in lives.COURSES.items() if not suffix or self._wanted(rows)]
            nodes = {
                (family, suffix): Node(family, self.leshan, self.folder / "nodes", self.say, suffix)
                for suffix, _ in courses
                for family in self.families
            }
            try:
                lived = [self.live(nodes[family, suffix], rows) for suffix, rows in courses for family in self.families]
                await asyncio.gather(*lived, self.extras())
                if not self.only:
                    asked = [nodes[family, ""] for family in self.families]
                    await self.restart([node for node in asked if self.cells[("registration", node.family)][0]])
            finally:
                for node in nodes.values():
                    await node.stop()

    def _wanted(self, rows):
        return [(name, check) for name, check in rows if self.only in name]

    async def live(self, node, rows):
        """One node through its rows; one that does not register leaves the rest undone."""
        later = () if self.only else [name for name, _ in lives.LAST.get(node.contract, ())]
        begun = await self.cells.run("registration", node.family, self._begin(node))
        for name, check in self._wanted(rows):
            if name == "registration" or name in later:
                continue
            if begun:
                await self.cells.run(name, node.family, check(node))
            else:
                self.cells[(name, node.family)] = (False, "not registered")
        self.settled.set()

    async def _begin(self, node):
        await node.start()
        if self.dialogue:
            node.show_dialogue()
        return await checks.registration(node)

    async def extras(self):
        """Keys and bootstrap, with nodes of their own, as soon as one of the others is through."""
        await self.settled.wait()
        if self.only:
            return
        work = [self.with_bootstrap([family for family in self.families if family in BOOTSTRAPPED])]
        if "bc66" in self.families:
            work += [self.with_key(), self.with_wrong_key()]
        await asyncio.gather(*work)

    async def restart(self, nodes):
        """The server restarts in mid-life; all nodes at once have to find out."""
        mark = len(self.leshan.events)
        await self.leshan.restart()
        self.say("leshan", "restarted: it knows nobody")
        await asyncio.gather(*[self.last(node, mark) for node in nodes])

    async def last(self, node, mark):
        """The rows that end a node's contact for long, once it has come back."""
        if await self.cells.run("server restart", node.family, lives.server_restart(node, mark)):
            for name, check in lives.LAST.get(node.contract, ()):
                await self.cells.run(name, node.family, check(node))

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
        await checks.key_refused(node, KEY[1][::-1], 90)
        checks.need(await self.leshan.client(node.endpoint) is None, "it registered with a wrong key")
        return "refused, and said so"

    async def with_bootstrap(self, families):
        """Nodes that get their account from the bootstrap server, register, and are sent there again by 1/0/9."""
        server = LeshanBootstrap(self.distribution, self.folder / "bootstrap")
        settings = {"bootstrap": True, "binding": "U"}
        nodes = [
            Node(family, self.leshan, self.folder / "nodes", self.say, "-bs", settings, bootstrap_uri=server.uri)
            for family in families
        ]
        if not nodes:
            return
        try:
            await server.start([node.endpoint for node in nodes], self.leshan.uri, 3600, "U")
            await asyncio.gather(*[self._with(node, "bootstrap", self._bootstrapped(node, server)) for node in nodes])
        finally:
            await server.stop()

    async def _bootstrapped(self, node, server):
        seen = await node.event("REGISTRATION", 180, after=0)
        checks.need(seen.data["lifetime"] == 3600,
                    f"the bootstrap server's lifetime 3600 expected, {seen.data['lifetime']} came")
        await server.finished(node.endpoint)
        mark = node.mark()
        answer = await node.ask(self.leshan.execute, "/1/0/9")
        checks.need(answer.code == 204, f"204 expected for 1/0/9, {answer} came")
        await node.event("REGISTRATION", 120, after=mark)
        return "registers; 1/0/9 again"

    def _secured(self, suffix, key):
        secrets = {"psk_identity": KEY[0], "psk": key}
        settings = {"security": "psk", "port": self.leshan.coaps_port}
        return Node("bc66", self.leshan, self.folder / "nodes", self.say, suffix, settings, secrets,
                    server_uri=self.leshan.secure_uri)

    async def _with(self, node, row, check):
        async def whole():
            await node.start()
            return await check

        try:
            await self.cells.run(row, node.family, whole())
        finally:
            await node.stop()


def table(console, run, took_s):
    """Print the table; whether every cell is good."""
    rows = [name for name, _ in lives.ROWS]
    rows += ["server restart", "DTLS-PSK", "DTLS-PSK, wrong key", "bootstrap", "Leshan"]
    title = f"against {run.distribution.name} ({took_s:.0f} s)"
    good = shown_table(console, title, rows, run.families, run.cells)
    for row, agreed, wrong in run.codecs:
        console.print(f"codec, {row}: {agreed} values agree", markup=False, highlight=False)
        for sentence in wrong[:9]:
            console.print(f"    {sentence}", markup=False, highlight=False)
    return good and not any(wrong for _, _, wrong in run.codecs)


def main(words=None):
    """See the module."""
    options, console, say = chosen(
        __doc__, words,
        dialogue=dict(action="store_true", help="show the AT dialogue and Leshan's events, keys left out"),
        leshan=dict(type=arguments.one_of(*KINDS), help="this kind alone (default: the first that can be had); see fetch.py"))
    began = time.monotonic()
    try:
        distribution = fetch(lambda sentence: say("maven", sentence), kinds=(options.leshan,) if options.leshan else KINDS)
    except Missing as absent:
        print(f"make interop: {absent}", file=sys.stderr)
        return ABSENT
    families = options.family or list(FAMILIES)
    run = Run(distribution, families, own(Path(CACHE) / "run"), say, options.only, options.dialogue)
    try:
        asyncio.run(asyncio.wait_for(run.run(), LIMIT_S))
    except (LeshanError, asyncio.TimeoutError) as error:
        for family in families:
            run.cells[("Leshan", family)] = (False, str(error) or f"not done within {LIMIT_S} s")
    return 0 if table(console, run, time.monotonic() - began) else 1


if __name__ == "__main__":
    sys.exit(arguments.run(main))
