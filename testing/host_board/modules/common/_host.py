"""The wire to the host board's runner: one JSON list a line, a number first. All that a board has and a process has not."""

import json

import utime

boot = {}
_wire = None
tty = -1
_began = 0
_asked = 0
_skipped = 0


def connect(wire, terminal):
    """Say hello; the answer holds reset cause, world time and the port's retained memory."""
    global _wire, tty, boot, _began
    _wire = open(wire, "rb+", 0)
    tty = terminal
    boot = ask("hello")
    _began = utime.ticks_ms()


def tell(*message, number=0):
    """Send without waiting; a number asks for an answer, which brings it back."""
    _wire.write(json.dumps((number,) + message) + "\n")


def ask(*message):
    """Send, and return the answer; an answer {"error": [name, text]} is raised."""
    global _asked
    _asked += 1
    mine = _asked
    tell(*message, number=mine)
    number = 0
    while number != mine:  # an earlier one answers a question that Ctrl-C cut short
        line = _wire.readline()
        if not line:
            raise SystemExit  # nobody plays the board any more
        number, answer = json.loads(line)
    if isinstance(answer, dict) and "error" in answer:
        kind, text = answer["error"]
        raise (OSError(text) if kind == "OSError" else ValueError(text))
    return answer


def stop(*message):
    """Say why user code ends here, and wait for the runner to end the process: a board does not unwind its stack."""
    tell(*message)
    while _wire.readline():
        pass
    raise SystemExit


def sleep(kind, ms):
    """Sleep with RAM kept; return the pins that ended it."""
    global _skipped
    before = utime.ticks_ms()
    answer = ask(kind, ms)
    _skipped += answer["slept"] - utime.ticks_diff(utime.ticks_ms(), before)
    return answer["pins"]


def uptime():
    """Milliseconds since this boot, sleep with RAM kept included."""
    return utime.ticks_diff(utime.ticks_ms(), _began) + _skipped


def world():
    """Milliseconds on the runner's clock, which goes on whatever happens to the board."""
    return boot["now"] + uptime()
