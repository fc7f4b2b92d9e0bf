"""`make fleet-load`: N virtual nodes in one process and one event loop against Leshan; memory and CPU of both sides, a node.

They register as fast as the server takes them (_AT_ONCE at a time), are observed, notify every PERIOD seconds, update once a
minute, and are read by the server one after the other. Figures are those of /proc, CPU seconds and resident memory, and what
lives on the server's heap after a collection. A node in the field contacts its server every 15 minutes, not every ten seconds:
what 10,000 of them need follows by the exchanges.
"""

import asyncio
import gc
import os
import re
import resource
import secrets
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from testing.crowd.node import CrowdNode
from tools.fleet.against import against_leshan
from tools.interop.leshan import Leshan
from tools.interop.process import LeshanError

_AT_ONCE = 20
_REGISTER_S = 300
_TICK = os.sysconf("SC_CLK_TCK")
_FIELD_S = 900  # between two contacts of a node in the field


def usage(process):
    """(resident KB, CPU seconds) of a process."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    kb = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return kb, (int(fields[11]) + int(fields[12])) / _TICK


def heap(process):
    """KB that live on a Java program's heap after a collection; 0 where the development kit has no jcmd."""
    try:
        for order in ("GC.run", "GC.heap_info"):
            done = subprocess.run(["jcmd", str(process), order], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r"used (\d+)K", done.stdout)  # of the heap; parts of it follow
    return int(found.group(1)) if found else 0


class Load:
    """One run; `figures` has what was measured."""

    def __init__(self, leshan, options, say=print):
        self.leshan, self.options, self.say = leshan, options, say
        self.nodes, self.figures = [], {}

    async def run(self):
        options, leshan = self.options, self.leshan
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(16))
        java, mine = leshan.program.process.pid, os.getpid()
        gc.collect()
        before, live = (usage(mine), usage(java)), heap(java)
        for number in range(options.nodes):
            endpoint, key = f"urn:dev:crowd-{number:05}", secrets.token_hex(16) if options.secure else None
            if key:
                await leshan.add_key(endpoint, endpoint, key)
            port = leshan.coaps_port if key else leshan.coap_port
            self.nodes.append(CrowdNode(endpoint, "127.0.0.1", port, psk=key, number=number, lifetime=3600,
                                        period_s=options.period, update_every=60))
        began = time.monotonic()
        for at in range(0, len(self.nodes), _AT_ONCE):
            group = self.nodes[at:at + _AT_ONCE]
            await asyncio.gather(*[node.start() for node in group])
            await self._until(lambda group=group: all(node.registrations for node in group))
        took = time.monotonic() - began
        self.say(f"{len(self.nodes)} registered within {took:.1f} s")
        for at in range(0, len(self.nodes), 8):
            await asyncio.gather(*[leshan.observe(node.endpoint, "/3303/0/5700") for node in self.nodes[at:at + 8]])
        start, counts, began = (usage(mine), usage(java)), self._counts(), time.monotonic()
        reads = 0
        while time.monotonic() - began < options.seconds:
            answer = await leshan.read(self.nodes[reads % len(self.nodes)].endpoint, "/26251/0/7")
            assert answer.code == 205, answer
            reads += 1
            await asyncio.sleep(0.2)
        lasted, end, after = time.monotonic() - began, (usage(mine), usage(java)), self._counts()
        live = heap(java) - live
        told = {name: after[name] - counts[name] for name in after}
        messages = told["notified"] + told["updates"] + told["answered"]
        self.figures = {
            "nodes": len(self.nodes), "registered in s": round(took, 1), "notified": told["notified"],
            "updates": told["updates"], "reads": reads, "lost": told["lost"], "exchanges a second": round(messages / lasted, 1),
            "client KB a node": round((end[0][0] - before[0][0]) / len(self.nodes), 1),
            "client CPU ms an exchange": round((end[0][1] - start[0][1]) * 1000 / max(1, messages), 2),
            "server heap KB a node": round(live / len(self.nodes), 1), "server resident KB": end[1][0],
            "server CPU ms an exchange": round((end[1][1] - start[1][1]) * 1000 / max(1, messages), 2),
            "server CPU %": round((end[1][1] - start[1][1]) * 100 / lasted, 1),
            "client CPU %": round((end[0][1] - start[0][1]) * 100 / lasted, 1),
        }  # fmt: skip
        return self.figures

    def _counts(self):
        return {name: sum(getattr(node, name) for node in self.nodes) for name in ("notified", "updates", "answered", "lost")}

    async def _until(self, done):
        deadline = time.monotonic() + _REGISTER_S
        while not done():
            if time.monotonic() > deadline:
                troubles = {trouble for node in self.nodes for trouble in node.troubles}
                raise LeshanError(f"not all registered within {_REGISTER_S} s: {'; '.join(sorted(troubles)) or 'no answer'}")
            await asyncio.sleep(0.02)

    async def stop(self):
        for node in self.nodes:
            await node.stop()


def needed(figures, nodes=10000):
    """What so many nodes in the field need by these figures, in words."""
    exchanges = nodes * 3 / _FIELD_S  # an update, a notification and an answer each time
    cpu = figures["server CPU ms an exchange"] * exchanges / 10
    return (f"{nodes} nodes with a contact every {_FIELD_S // 60} min: {exchanges:.0f} exchanges a second, {cpu:.0f} % of "
            f"one core of the server, {figures['server heap KB a node'] * nodes / 1024:.0f} MB more of live heap there; "
            f"{figures['client KB a node'] * nodes / 1024:.0f} MB to play them, and {nodes} sockets")


def main(options, say=print):
    """See the module."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < options.nodes + 200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, options.nodes + 200), hard))

    async def whole(distribution, folder):
        async with Leshan(distribution, folder) as leshan:
            load = Load(leshan, options, say)
            try:
                figures = await load.run()
            finally:
                await load.stop()
        say(f"against {distribution.name}, {'DTLS-PSK' if options.secure else 'no security'}")
        for name, value in figures.items():
            say(f"  {name:28} {value}")
        say(needed(figures))
        return 0

    return against_leshan("load", options.leshan, whole, say)
