"""Small chores of a node: what a family can be told, what a refusal means for the back-off, what need not stay loaded.

    set_options(modem.options, settings)
    backoff.failed(now, back_off_reason(modem.refusal, lines_heard, answers_lost))
    unload(names_of_the_modules_to_keep)

Bounds: nothing is kept here.
"""

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lwnode.settings import Settings


def unload(kept: "set[str]") -> None:
    """Drop the modules of ours that are loaded and not in `kept`, and collect; they load again when they are needed."""
    for name in list(sys.modules):
        if name not in kept and name.startswith("lwnode."):
            module = sys.modules.pop(name)
            package, _, part = name.rpartition(".")
            holder = sys.modules.get(package)
            # A package may export something else by the name of its module.
            if holder is not None and getattr(holder, part, None) is module:
                delattr(holder, part)
    gc.collect()


def back_off_reason(refusal: str, heard: int, lost: int) -> str:
    """Say which back-off a refusal of SIM or network asks for: only a person can help a SIM, a denial lasts.

    A module that spoke (`heard` lines) but left commands unanswered (`lost`) says nothing about network and server.
    """
    if refusal.startswith("SIM"):
        return "no_pin" if "PIN" in refusal else "no_sim"
    if "denied" in refusal or "EMM" in refusal:
        return "denied"
    return "line" if heard and lost else ""


def set_options(options: "dict[str, Any]", config: "Settings") -> None:
    """Hand on what the configuration says and this family can be told; the others keep to their own ways."""
    for name, value in (("ack_timeout", config.ack_timeout), ("max_retransmit", config.max_retransmit),
                        # Whether it slept is seen at the next wake, for nothing: waiting for it costs awake time.
                        ("sleep_confirm_ms", 0)):
        if name in options:
            options[name] = value
