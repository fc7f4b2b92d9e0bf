"""What the node on the bench runs: the steps of life.py one by one, so that the heap can be looked at between them."""

# The port's modules and what only the bench needs are not the node's.
PROLOGUE = """
import gc, sys
sys.path[:] = []
import binascii, hashlib, struct, json, io, re
sys.modules["binascii"], sys.modules["hashlib"] = binascii, hashlib
sys.path[:] = ["/rom/port", "/rom/common", "/flash", "/lib"]
import os
os.chdir("/flash")
import _host
_host.connect()
import machine, time, {port}
if not hasattr(os, "urandom"):
    os.urandom = lambda count: bytes(range(count))
"""

# As life.py does it: board, crash guard, configuration.
IMPORT = """
import board as definition
from lwnode.board import open_board
board = open_board(definition)
from lwnode.power import BootGuard
guard = BootGuard(board.protected)
guard.enter(board.reset_cause())
from lwnode.config import read
config = read()
from sht3x import Sht3x
from lwnode.node import Node
"""

# Four sensors and the actuator.
DECLARE = """
def declare(tree, board):
    for instance in range(2):
        probe = Sht3x(board.i2c(), board.clock)
        tree.sensor(3303, probe.temperature, instance, unit="Cel", resolution=0.01, range=(-40, 125))
        tree.sensor(3304, probe.humidity, instance, unit="%RH", resolution=0.01, range=(0, 100))
    tree.actuator(3306, lambda on: None, initial=False)
"""

START = DECLARE + """
node = Node(board, config, declare)
"""

WAKE = """
pause = node.wake()
guard.completed()
"""

SLEEP = """
board.sleep(pause)
"""


def steps(port: str, wakes: int) -> list[tuple[str, str]]:
    """(name, code) of one life with that many wakes; "wake N" is measured before its sleep."""
    found = [("base", PROLOGUE.format(port=port)), ("import", IMPORT), ("start", START)]
    for number in range(1, wakes + 1):
        found += [(f"wake {number}", WAKE), ("asleep", SLEEP)]
    return found


def sampled(port: str, wakes: int) -> str:
    """The same as one program, for the unix port: sampled at every question, the wakes after the first reported."""
    return (
        PROLOGUE.format(port=port) + "gc.collect()\n_host.base = gc.mem_alloc()\n_host.sampling = True\n" + IMPORT + START
        + "_host.ask('step', 'start', _host.used(), _host.high, 0)\n_host.high = 0\n"
        + _lived(wakes, "_host.ask('step', 'wake %d' % (number + 1), _host.used(), _host.high, 0)\n_host.high = 0\n")
    )  # fmt: skip


def plain(port: str, wakes: int) -> str:
    """The same without a sample: garbage is collected where the node does it, and as often as main.py says."""
    report = "_host.ask('step', 'wake %d' % (number + 1), 0, 0, 0)\n"
    return PROLOGUE.format(port=port) + "import main\ngc.threshold(main.GC_EVERY)\n" + IMPORT + START + _lived(wakes, report)


def _lived(wakes: int, report: str) -> str:
    """So many wakes, each with its report and its sleep."""
    return f"for number in range({wakes}):\n" + "".join("    " + line + "\n" for line in (WAKE + report + SLEEP).split("\n"))
