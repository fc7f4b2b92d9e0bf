"""Small chores of a node: what a refusal means for the back-off, what need not stay loaded.

    backoff.failed(now, back_off_reason(modem.refusal, lines_heard, answers_lost))
    unload(names_of_the_modules_to_keep)

Bounds: nothing is kept here.
"""

import gc
import sys


def lasting() -> "set[str]":
    """The names of the modules that are loaded now."""
    return set(sys.modules)


def unload(kept: "set[str]") -> None:
    """Drop the modules of ours that are loaded and not in `kept`, and collect; they load again when they are needed.

    Nothing to do on a host: it has the heap, and a simulated year would be spent on imports.
    """
    if sys.implementation.name == "cpython":
        return
    # One at a time and without a list of them: this is called when there is little room.
    while _drop_one(kept):
        pass
    gc.collect()


def _drop_one(kept: "set[str]") -> bool:
    for name in sys.modules:
        if name not in kept and name.startswith("lwnode."):
            break
    else:
        return False
    module = sys.modules.pop(name)
    package, _, part = name.rpartition(".")
    holder = sys.modules.get(package)
    # A package may export something else by the name of its module.
    if holder is not None and getattr(holder, part, None) is module:
        delattr(holder, part)
    return True


def back_off_reason(refusal: str, heard: int, lost: int) -> str:
    """Say which back-off a refusal of SIM or network asks for: only a person can help a SIM, a denial lasts.

    A module that spoke (`heard` lines) but left commands unanswered (`lost`) says nothing about network and server.
    """
    if refusal.startswith("SIM"):
        return "no_pin" if "PIN" in refusal else "no_sim"
    if "denied" in refusal or "EMM" in refusal:
        return "denied"
    return "line" if heard and lost else ""
