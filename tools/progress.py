"""A sign of life from whatever takes longer than ten seconds, at a terminal and in a file alike.

    with told("matrix"):                          every ten seconds on standard error: matrix: 3 of 11 interpreters, 40 s
        doing("3 of 11 interpreters")             or a function that says it when it is asked

What is printed on standard output stays what it was; a run that takes less says nothing.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

EVERY_S = 10.0
_now: str | Callable[[], str] = ""


def doing(what: str | Callable[[], str]) -> None:
    """What is being done from here on."""
    global _now
    _now = what


def say(name: str, text: str) -> None:
    """A line at once: something is done."""
    print(f"{name}: {text}", file=sys.__stderr__, flush=True)


@contextlib.contextmanager
def told(name: str) -> Iterator[None]:
    """Say every EVERY_S what is being done, from a thread of its own, until the block ends."""
    began, over = time.monotonic(), threading.Event()

    def tell() -> None:
        while not over.wait(EVERY_S):
            text = _now if isinstance(_now, str) else _now()
            say(name, f"{text or 'at work'}, {time.monotonic() - began:.0f} s")

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        doing("")
