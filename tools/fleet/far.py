"""`make fleet-far`: a crash text read over the air from real firmware, one node of each family, through Leshan.

The nodes are those of `make interop`: firmware/ under MicroPython on a host board, a virtual modem on its UART, Leshan behind
it. Each has a crash.txt of nearly a kilobyte with a key in it; the server asks, the node answers as its contract does, and the
key does not come.
"""

import asyncio
import time
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor

from tools.fleet.against import against_leshan
from tools.fleet.server import Server
from tools.fleet.status import crash
from tools.interop.bench import CONTRACTS, Node, compile_library
from tools.interop.leshan import Leshan
from tools.interop.process import LeshanError, fresh

KEY = "6c776e6f64652d63726173682d746573"
TEXT = ("Traceback (most recent call last):\n" + "".join('  File "sensors.py", line %d, in read\n' % n for n in range(24))
        + f"OSError: [Errno 5] EIO, key {KEY}\n")
_LIMIT_S = 420


async def one(node, server, say):
    """Start a node and read its crash text; whether that was as it must be."""
    await node.start()
    (node.board.flash / "crash.txt").write_text(TEXT)
    await node.event("REGISTRATION", 120, after=0)
    began = time.monotonic()
    await asyncio.sleep(10)  # its objects are declared, and observed, by then
    text = await asyncio.to_thread(crash, Namespace(server=server, crash=node.endpoint, patience=300))
    good = text.decode() == TEXT.replace(KEY, "***")
    say(f"{node.family:8} {node.contract:7} {len(text)} bytes in {time.monotonic() - began:.0f} s, ends {text[-26:]!r}"
        f"{'' if good else '  NOT AS IT WAS WRITTEN'}")
    return good


async def run(distribution, folder, say):
    """All four at once; the status."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(32))
    compile_library(folder / "nodes")
    async with Leshan(distribution, fresh(folder / "leshan")) as leshan:
        server = Server(f"http://127.0.0.1:{leshan.web_port}")
        more = {"diagnosis": True, "sample_every": 60, "report_every": 60}
        nodes = [Node(family, leshan, folder / "nodes", lambda who, line: None, "-far",
                      more | ({"write_format": "text"} if family == "bc66" else {}), {"update_key": KEY})
                 for family in CONTRACTS]  # fmt: skip
        try:
            found = await asyncio.wait_for(asyncio.gather(*[one(node, server, say) for node in nodes], return_exceptions=True),
                                           _LIMIT_S)
        except asyncio.TimeoutError:
            raise LeshanError(f"not done within {_LIMIT_S} s") from None
        finally:
            for node in nodes:
                await node.stop()
    for node, each in zip(nodes, found):
        if isinstance(each, Exception):
            say(f"{node.family:8} {node.contract:7} {type(each).__name__}: {each}")
    return 0 if all(each is True for each in found) else 1


def main(options, say=print):
    """0: each text was as it was written, but for the key. 1: one was not. 3: Java or Leshan is absent."""
    return against_leshan("far", options.leshan, lambda distribution, folder: run(distribution, folder, say), say)
