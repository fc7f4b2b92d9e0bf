"""The wire to world.py: by way of node.mjs in the webassembly build, by two file descriptors in the unix port.

On the unix port every question is also a sample of the heap: what is live at the moments when the node waits for its
board is what it needs; garbage is collected first. (The webassembly build collects between programs only.)
"""

import gc
import json

try:
    import js
except ImportError:
    js = None

boot = {}
base = 0  # bytes in use before the node's first line
high = 0  # the most that was live at a sample
sampling = False
_questions = _answers = None


def used():
    """Live bytes of the node."""
    gc.collect()
    return gc.mem_alloc() - base


def ask(*message):
    """One question to the world."""
    global high
    if sampling:
        high = max(high, used())
    question = json.dumps(message)
    if js:
        line = js.wire.ask(question)
    else:
        _questions.write(question + "\n")
        line = _answers.readline()
        if not line:
            raise SystemExit
    answer = json.loads(line)
    if isinstance(answer, dict) and "error" in answer:
        kind, text = answer["error"]
        raise (OSError(text) if kind == "OSError" else ValueError(text))
    return answer


tell = ask


def stop(*message):
    """The node sleeps or restarts: it ends here, as a board does."""
    ask("step", "end", used(), high, 0)
    ask(*message)
    raise SystemExit


def sleep(kind, ms):
    """Sleep with RAM kept."""
    return ask(kind, ms)["pins"]


def uptime():
    return ask("uptime")


def world():
    return ask("uptime") + boot["now"]


def connect():
    """Say hello, through stdin and stdout where there is no JavaScript."""
    global boot, _questions, _answers
    if not js:
        _questions, _answers = open(1, "wb", 0), open(0, "rb", 0)
    boot = ask("hello")
