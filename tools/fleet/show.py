"""`make fleet-show`: each procedure of docs/fleet.md against a real Leshan with DTLS-PSK and 20 virtual nodes.

1 provision, 2 the same again: nothing changes, 3 all register by their keys, 4 an update in waves that stops at a node that
fails, 5 mended, it goes to all, 6 a key is rotated, 7 a lost node is shut out, 8 another board takes its place, 9 health of all
as one table, 10 a crash text read over the air, from a typed node and through a pipe.
"""

import asyncio
import os
import time
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor

from tools.boards.remedy import Remedy
from testing.crowd.node import CrowdNode, quiet
from tools.fleet.against import against_leshan
from tools.fleet.provision import provision
from tools.fleet.register import Register
from tools.fleet.server import Server
from tools.fleet.status import COLUMNS, crash, shown, status
from tools.fleet.waves import update
from tools.interop.leshan import Leshan
from tools.interop.process import LeshanError

NODES, PIPES = 20, 2
BAD = 4  # the node whose update crashes
CRASH = ("Traceback (most recent call last):\n" + "".join('  File "sensors.py", line %d, in read\n' % n for n in range(30))
         + "OSError: [Errno 5] EIO, key %s\n")


def must(truth, what):
    """LeshanError where something is not as it must be."""
    if not truth:
        raise LeshanError(f"expected: {what}")


class Show:
    """One run against a Leshan that is up, in an empty folder."""

    def __init__(self, leshan, folder, say):
        self.leshan, self.folder, self.say = leshan, folder, say
        self.server = Server(f"http://127.0.0.1:{leshan.web_port}")
        self.names = [f"urn:dev:show-{number:02}" for number in range(NODES)]
        self.nodes = {}
        self.csv = folder / "devices.csv"
        self.config = folder / "node.json"

    def options(self, **given):
        """A command's options, as the Makefile gives them."""
        usual = dict(csv=self.csv, server=self.server, out=None, config=self.config, board="RPI_PICO", family=None,
                     firmware=None, images=False, apply=True, rotate=[], lost=[], replace=[], files="sensors.py", number=None,
                     waves="1 20%", failures=0, parallel=8, patience=40, ask=False, crash="")
        return Namespace(**(usual | given))

    async def provision(self, **given):
        return await asyncio.to_thread(provision, self.options(**given), lambda line: None)

    async def update(self, **given):
        return await asyncio.to_thread(update, self.options(**given), self.say)

    def keys(self):
        """{endpoint: row} of the register as it is on disk."""
        return Register(self.csv.with_suffix(".fleet")).rows

    async def node(self, endpoint, key=None, **more):
        """Switch a virtual node on, with the key that it was provisioned with."""
        number = self.names.index(endpoint)
        contract = "pipe" if number >= NODES - PIPES else "pull"
        made = CrowdNode(endpoint, "127.0.0.1", self.leshan.coaps_port, psk=key or self.keys()[endpoint]["psk"], number=number,
                         period_s=5, contract=contract, battery_mv=3300 + 15 * number, **more)
        self.nodes[endpoint] = made
        await made.start()
        return made

    async def until(self, done, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not done():
            must(time.monotonic() < deadline, f"{what} within {seconds} s")
            await asyncio.sleep(0.1)

    # the procedures

    async def run(self):
        """All of them, in order."""
        self.csv.write_text("endpoint,site\n" + "".join(f"{name},shed {at}\n" for at, name in enumerate(self.names)))
        self.config.write_text('{"family": "bc66", "host": "127.0.0.1", "port": %d, "endpoint": "-", "apn": "iot",'
                               ' "security": "psk", "diagnosis": true, "server_updates": true}' % self.leshan.coaps_port)
        await self.first()
        await self.waves()
        await self.rotated()
        await self.lost()
        await self.health()

    async def first(self):
        """Provision, twice, and let them register."""
        dry = await self.provision(apply=False)
        must(not self.csv.with_suffix(".fleet").exists() and not self.server.keys(), "a dry run changes nothing")
        self.say(f"1 dry run: {dry[0]}")
        rows = await self.provision()
        must([row[1:] for row in rows] == [("made", "written", "added")] * NODES, f"20 made and added expected, {rows} came")
        before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in self.csv.with_suffix(".fleet").rglob("*")
                  if path.is_file()}
        must(all(path.stat().st_mode & 0o77 == 0 for path in before if path.name != ".lock"), "readable by the owner only")
        keys = {row["psk"] for row in self.keys().values()}
        must(len(keys) == NODES, "each has a key of its own")
        self.say(f"1 provisioned: {len(rows)} keys made, packages written, security info added")
        again = await self.provision()
        after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before}
        must([row[1:] for row in again] == [("kept", "same", "same")] * NODES and before == after, f"nothing changes: {again}")
        self.say("2 the same again: 20 kept, same, same; no file was touched")
        for name in self.names:
            await self.node(name)
        await self.until(lambda: all(node.registrations for node in self.nodes.values()), "all registered")
        there = self.server.clients()
        must(all(there[name]["secure"] for name in self.names), "by DTLS")
        self.say(f"3 registered by their keys over DTLS-PSK: {len(there)}")

    async def waves(self):
        """An update that stops at a node that fails, and goes on."""
        bad = self.nodes[self.names[BAD]]
        bad.fault = "crash"
        number = int(time.time())
        outcomes = await self.update(number=number)
        failed = [each for each in outcomes if not each.good]
        must([each.endpoint for each in failed] == [bad.endpoint] and "58" in failed[0].text, f"one fails: {failed}")
        must(len(outcomes) == 5, f"stopped after waves of 1 and 4 expected, {len(outcomes)} were asked")
        touched = [name for name in self.names if b"factory" not in self.nodes[name].flash.content["/sensors.py"]]
        must(touched == self.names[:4], f"four have new files, the failing one has its old ones back: {touched}")
        self.say(f"4 stopped: {bad.endpoint} said {failed[0].text}; {NODES - 5} were left alone")
        bad.fault = ""
        number += 1
        outcomes = await self.update(number=number, waves="50%")
        must(len(outcomes) == NODES and all(each.good for each in outcomes), f"all good expected, {outcomes} came")
        again = await self.update(number=number, waves="50%")
        must(all("already" in each.text for each in again), "a second run finds them done")
        self.say(f"5 mended, and sent again as {number}: {len(outcomes)} installed, {PIPES} through a pipe; again: all have it")

    async def rotated(self):
        """A new key for a node, brought to it by cable."""
        name = self.names[1]
        old = self.keys()[name]["psk"]
        rows = await self.provision(rotate=[name])
        must([row for row in rows if row[1] != "kept"] == [(name, "rotated", "written", "changed")], f"one rotated: {rows}")
        await self.nodes[name].stop()
        late = await self.node(name, old)
        await self.until(lambda: late.troubles, "the old key is refused")
        must(not late.registrations, "the old key registers no more")
        await late.stop()
        node = await self.node(name)
        await self.until(lambda: node.registrations, "registered by its new key")
        self.say(f"6 rotated {name}: the old key is refused ({late.troubles[0][:60]}...), the new one registers")

    async def lost(self):
        """A node shut out, and another board in its place."""
        name = self.names[2]
        node, stolen = self.nodes[name], self.keys()[name]["psk"]
        rows = await self.provision(lost=[name])
        must((name, "shut out", "", "removed") in rows, f"{rows}")
        answer = await asyncio.to_thread(self.server.read, name, "/3303/0/5700", 3)
        must(answer.code not in (205,), f"its association is gone, {answer} came")
        await node.stop()
        thief = await self.node(name, stolen)
        await self.until(lambda: thief.troubles, "the lost node is refused")
        must(not thief.registrations, "it does not register")
        await thief.stop()
        self.say(f"7 shut out {name}: no answer through its old association ({answer.http}), its key is refused")
        again = await self.provision()
        must((name, "out", "", "out") in again, f"it stays out: {again}")
        try:
            await self.provision(rotate=[name])
        except Remedy as remedy:
            self.say(f"  to rotate it is refused: {remedy}")
        else:
            raise LeshanError("expected: a node that is shut out must not be let in by a rotation")
        rows = await self.provision(replace=[name])
        must((name, "replaced", "written", "added") in rows, f"{rows}")
        must(self.keys()[name]["psk"] != stolen, "a key of its own")
        fresh = await self.node(name)
        await self.until(lambda: fresh.registrations, "the new board registers")
        self.say(f"8 replaced: another board registers as {name}")

    async def health(self):
        """One table, and a crash text over the air."""
        sick = {self.names[3]: self.names[3], self.names[-1]: self.names[-1]}
        for name in sick:
            node = self.nodes[name]
            node.flash.content["crash.txt"] = (CRASH % node.config.secret("psk")).encode()[-1024:]
            node.features[1].error, node.features[1].cause = "network: denied (EMM cause 15)", 15
        await self.nodes[self.names[5]].stop()
        rows = await asyncio.to_thread(status, self.options(ask=True, patience=8))
        shown(COLUMNS, rows)
        found = {row[0]: row for row in rows}
        must(found[self.names[0]][3].endswith("mV") and found[self.names[0]][4].endswith("dBm"), "battery and signal")
        must(all("cause 15" in found[name][7] for name in sick), "last error, typed and by a pipe")
        must(found[self.names[5]][8] == "no answer", "one that is silent is said to be")
        for name in sick:
            text = await asyncio.to_thread(crash, self.options(crash=name))
            must(text.endswith(b"EIO, key ***\n") and len(text) > 900, f"the crash text of {name}: {text[-80:]!r}")
            must(self.nodes[name].config.secret("psk").encode() not in text, "without its key")
            self.say(f"10 crash text of {name} ({self.nodes[name].contract}): {len(text)} bytes, ends {text[-26:]!r}")

    async def stop(self):
        for node in self.nodes.values():
            await node.stop()


def main(options, say=print):
    """0: all was as it must be. 1: something was not, and the sentence says what. 3: Java or Leshan is absent."""
    began = time.monotonic()
    quiet()

    async def whole(distribution, folder):
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(16))
        async with Leshan(distribution, folder) as leshan:
            shown = Show(leshan, folder, say)
            try:
                await shown.run()
            finally:
                await shown.stop()
        say(f"all of it against {distribution.name} in {time.monotonic() - began:.0f} s")
        return 0

    os.umask(0o077)
    return against_leshan("show", options.leshan, whole, say)
