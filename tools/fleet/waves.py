"""`make fleet-update`: a signed package to many nodes through their server, in waves, stopping at a failure share.

    make fleet-update CSV=devices.csv SERVER=... CONFIG=node.json BOARD=RPI_PICO FILES=sensors.py            what it would do
    make fleet-update ... WAVES="1 10% 50%" FAILURES=10 APPLY=1

Each wave is a number of nodes or a share of all; what is left is the last. A wave in which more than FAILURES percent fail is
the last one that was begun. A package is the device's own, signed with its key; all have one number, NUMBER= or the time.

What counts is read back from the node: 9/0/9 says installed (2), which a node says once the new files have reached the server
in a cycle of their own, and 9/0/1 is the number. Nothing is concluded from an acknowledged write. A node that has it already is
passed over, so a run that was stopped is run again with the same NUMBER=.
"""

import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

from tools.boards import catalog
from tools.boards.remedy import Remedy
from tools.boards.update import chunks, packages
from tools.fleet.asking import Asker, contract_of, has
from tools.fleet.register import Register
from tools.fleet.server import Events

WORDS = {50: "no room on its flash", 51: "out of memory", 52: "a piece is missing", 53: "signature or table wrong",
         54: "for another board or family", 56: "cannot be installed", 57: "that number was here before", 58: "taken back"}
INSTALLED = 2
_STARTED, _GAP = 1, 52  # 9/0/7 and 9/0/9 of a node that waits for pieces
_LOOK_S = 2.0
_PIECE = 512  # bytes of a package in one write
_PIPE_PIECE = 400  # bytes in a command pack of 512

Outcome = namedtuple("Outcome", ("endpoint", "good", "text", "took_s"))


def sizes(text, count):
    """Sizes of waves for so many nodes: "1 10% 50%" of 20 -> [1, 2, 10, 7]."""
    found, left = [], count
    for word in text.split():
        try:
            size = int(word) if not word.endswith("%") else -(-count * int(word[:-1]) // 100)
        except ValueError:
            raise Remedy(f'WAVES="{text}": each is a number of nodes or a share, such as "1 10% 50%"') from None
        size = min(max(1, size), left)
        if size:
            found.append(size)
            left -= size
    return found + [left] * (left > 0)


def update(options, say=print):
    """Run it; the outcomes. Remedy where it cannot begin."""
    register = Register(options.out or options.csv.with_suffix(".fleet"))
    active = register.active()
    if not active:
        raise Remedy(f"{register.file} has no keys: make fleet CSV={options.csv} APPLY=1 comes first")
    number = options.number or int(time.time())
    made = dict(packages(catalog.find(options.board), options.family, options.config, None, register.file,
                         options.files.split(), [], number, False))  # fmt: skip
    there = options.server.clients()
    due = [endpoint for endpoint in active if endpoint in there and has(there[endpoint], "/9/0")]
    absent = [endpoint for endpoint in active if endpoint not in there]
    without = len(active) - len(due) - len(absent)
    plan = sizes(options.waves, len(due))
    say(f"version {number}, {len(next(iter(made.values())))} bytes: {len(due)} nodes in waves of {', '.join(map(str, plan))}; "
        f"{len(absent)} not registered; {without} without object 9 (server_updates, or a module that has to have it by cable)")
    if not options.apply:
        for place, size in enumerate(plan):
            say(f"  wave {place + 1}: " + ", ".join(due[sum(plan[:place]):sum(plan[:place]) + size][:8]) + ", ..." * (size > 8))
        say("nothing was sent: APPLY=1 does it")
        return []
    asker = Asker(options.server, Events(options.server), options.patience)
    outcomes, begun = [], 0
    for place, size in enumerate(plan):
        wave, begun = due[begun:begun + size], begun + size
        say(f"wave {place + 1} of {len(plan)}: {size} nodes")
        with ThreadPoolExecutor(options.parallel) as pool:
            for outcome in pool.map(lambda one: _one(asker, one, there[one], made[one], number), wave):
                outcomes.append(outcome)
                say(f"  {outcome.endpoint:24} {'ok' if outcome.good else 'FAILED':7} {outcome.text} ({outcome.took_s:.0f} s)")
        failed = sum(not each.good for each in outcomes[-size:])
        if failed * 100 > options.failures * size:
            say(f"stopped: {failed} of {size} failed, more than {options.failures} %; {len(due) - begun} nodes were left alone")
            break
    return outcomes


def _one(asker, endpoint, registration, package, number):
    began = time.monotonic()
    try:
        good, text = one(asker, endpoint, registration, package, number)
    except (TimeoutError, Remedy) as error:
        good, text = False, str(error)
    return Outcome(endpoint, good, text, time.monotonic() - began)


def one(asker, endpoint, registration, package, number, piece=_PIECE):
    """Update one node in writes of `piece` bytes; (whether it has it, in words)."""
    version, result, _ = state(asker, endpoint, registration)
    if version == number:
        return result == INSTALLED, "has it already" if result == INSTALLED else f"had it before: {_word(result)}"
    pipe = contract_of(registration) == "pipe"
    pieces = list(chunks(package, min(piece, _PIPE_PIECE) if pipe else piece))
    if pipe:
        _blindly(asker, endpoint, pieces)
    for data in () if pipe else pieces:
        if asker.asked(asker.server.write, endpoint, "/9/0/2", data).code != 204:
            return False, f"refused a piece: {_word(state(asker, endpoint, registration)[1])}"
    if not pipe:
        answer = asker.asked(asker.server.execute, endpoint, "/9/0/4")
        if answer.code != 204:
            return False, f"refused to install (code {answer.code})"
    deadline, rounds = time.monotonic() + asker.patience_s, 0
    while time.monotonic() < deadline:
        time.sleep(_LOOK_S)
        version, result, phase = state(asker, endpoint, registration)
        if version == number and result == INSTALLED:
            return True, "installed, and reached the server with it"
        if pipe and (phase == _STARTED or result == _GAP):  # it slept through some: what it has it takes for a repetition
            rounds += 1
            _blindly(asker, endpoint, pieces[rounds % 2:])  # the first piece begins anew: only where it may be that one
        elif result in WORDS:
            return False, _word(result)
    return False, f"no word of it within {asker.patience_s:.0f} s, last result {result}"


def _blindly(asker, endpoint, pieces):
    """Pieces to a pipe, and the order to install: its module takes them, whether its node is awake or not."""
    for data in pieces:
        asker.command(endpoint, ("/9/0/2", data))
    asker.command(endpoint, ("/9/0/4", None))


def state(asker, endpoint, registration):
    """(number accepted last, result, phase) as the node says: 9/0/1, 9/0/9, 9/0/7."""
    found = asker.values(endpoint, registration, ["/9/0/1", "/9/0/9", "/9/0/7"])
    return tuple(int(found.get(path) or 0) for path in ("/9/0/1", "/9/0/9", "/9/0/7"))


def _word(result):
    return f"{WORDS.get(result, 'in the middle of one')} (9/0/9 is {result})"
