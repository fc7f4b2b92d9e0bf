"""`make fleet-far`: from real firmware through Leshan a crash text, of each family, and updates, one of which is taken back.

The nodes are those of `make interop`: firmware/ under MicroPython on a host board, a virtual modem on its UART, Leshan behind
it. Each has a crash.txt of nearly a kilobyte with a key in it; the server asks, the node answers as its contract does, and the
key does not come. Then two nodes take a good package, typed and through a pipe, and one a package whose sensors.py raises.
"""

import asyncio
import time
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor

from tools.boards.update import signed
from tools.fleet import waves
from tools.fleet.against import against_leshan
from tools.fleet.asking import Asker
from tools.fleet.server import Events, Server
from tools.fleet.status import crash
from tools.interop.bench import BOARD, CONTRACTS, Node, compile_library
from tools.interop.leshan import Leshan
from tools.interop.process import LeshanError, fresh

KEY = "6c776e6f64652d63726173682d746573"
TEXT = ("Traceback (most recent call last):\n" + "".join('  File "sensors.py", line %d, in read\n' % n for n in range(24))
        + f"OSError: [Errno 5] EIO, key {KEY}\n")
NUMBER = 1790000001
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


async def updated(node, server, say):
    """Start a node and bring it a package as `make fleet-update` does; whether it ended as it must."""
    await node.start()
    await node.event("REGISTRATION", 120, after=0)
    await asyncio.sleep(10)
    good, before = not node.endpoint.endswith("bad"), (node.board.flash / "sensors.py").read_bytes()
    content = before + (b"\n# as it was sent\n" if good else b"\nraise ValueError('a mistake')\n")
    data = signed(bytes.fromhex(KEY), NUMBER, f"{BOARD}/{node.family}", {"/sensors.py": content})

    def bring():
        registration = server.clients()[node.endpoint]
        return waves.one(Asker(server, Events(server), 300), node.endpoint, registration, data, NUMBER, 256)

    has, words = await asyncio.to_thread(bring)
    there = (node.board.flash / "sensors.py").read_bytes() == (content if good else before)
    say(f"{node.family:8} {node.contract:7} {'a good package' if good else 'one that raises'}: {words}"
        f"{'' if has == good and there else '  NOT AS IT MUST BE'}")
    return has == good and there


async def lives(course, kinds, leshan, folder, say, **settings):
    """A node of each (family, suffix) at once through that course; whether all ended as they must."""
    server = Server(f"http://127.0.0.1:{leshan.web_port}")
    settings |= {"diagnosis": True, "sample_every": 60, "report_every": 60}
    nodes = [Node(family, leshan, folder / "nodes", lambda who, line: None, suffix,
                  settings | ({"write_format": "text"} if family == "bc66" else {}), {"update_key": KEY})
             for family, suffix in kinds]  # fmt: skip
    work = asyncio.gather(*[course(node, server, say) for node in nodes], return_exceptions=True)
    try:
        found = await asyncio.wait_for(work, _LIMIT_S)
    except asyncio.TimeoutError:
        raise LeshanError(f"not done within {_LIMIT_S} s") from None
    finally:
        for node in nodes:
            await node.stop()
    for node, each in zip(nodes, found):
        if isinstance(each, Exception):
            say(f"{node.family:8} {node.contract:7} {type(each).__name__}: {each}")
    return all(each is True for each in found)


async def run(distribution, folder, say):
    """Crash texts of all four at once, then the updates; the status."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(32))
    compile_library(folder / "nodes")
    async with Leshan(distribution, fresh(folder / "leshan")) as leshan:
        read = await lives(one, [(family, "-far") for family in CONTRACTS], leshan, folder, say)
        updates = [("bc66", "-good"), ("bc66", "-bad"), ("bc20", "-good")]
        return 0 if await lives(updated, updates, leshan, folder, say, server_updates=True) and read else 1


def main(options, say=print):
    """0: all ended as it must. 1: something did not. 3: Java or Leshan is absent."""
    return against_leshan("far", options.leshan, lambda distribution, folder: run(distribution, folder, say), say)
