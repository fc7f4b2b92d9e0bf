"""One protection switched off, to show that the simulation would notice: the run must then fail.

    with sabotage("journal"):
        Simulation("esp32").live(20)
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

from lwnode.power import BootGuard, Journal, Schedule


def _keep_newest(self: Any, force: bool = False) -> bool:
    self._fresh = self._fresh[-1:]
    return True


def _blind_status(self: Any) -> Any:
    from lwnode.modem import REGISTERED

    return REGISTERED


def _no_guard(self: Any, cause: str) -> str:
    return "normal"


def _no_rest(self: Any, reason: str = "") -> int:
    return 0


def _not_served(self: Any, slot: int) -> None:
    return None


def _places(name: str) -> list[tuple[Any, str, Any]]:
    if name == "journal":
        return [(Journal, "flush", _keep_newest)]
    if name == "recovery":
        from lwnode.modem.base import Modem

        return [(kind, "status", _blind_status) for kind in [Modem, *_families(Modem)] if "status" in vars(kind)]
    if name == "guard":
        return [(BootGuard, "enter", _no_guard), (BootGuard, "crashed", _no_rest)]
    if name == "slot":
        return [(Schedule, "serve", _not_served)]
    raise ValueError(f"SABOTAGE={name}: expected one of {', '.join(NAMES)}")


def _families(kind: Any) -> list[Any]:
    found = []
    for child in kind.__subclasses__():
        found += [child, *_families(child)]
    return found


NAMES = ("journal", "recovery", "guard", "slot")


@contextmanager
def sabotage(name: str, family: str = "bc66"):
    """Switch a protection of lib/ off for the time of the block."""
    __import__("lwnode.modem." + family)
    places = _places(name)
    before = [(owner, attribute, vars(owner)[attribute]) for owner, attribute, _ in places]
    for owner, attribute, off in places:
        setattr(owner, attribute, off)
    try:
        yield
    finally:
        for owner, attribute, right in before:
            setattr(owner, attribute, right)
