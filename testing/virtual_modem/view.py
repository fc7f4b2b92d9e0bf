"""The live view: what the module is doing, redrawn twice a second with rich."""

import asyncio

from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

_LAST = 14
_NAMES = ("not registered", "registering", "registered", "deregistering", "deregistered", "invalid", "recovering")


def _lwm2m(value):
    if isinstance(value, int):
        return (_NAMES + ("needs recovery",))[value]
    return str(value)


def _paths(paths):
    """Paths as texts or as lists of numbers -> one line."""
    return " ".join([path if isinstance(path, str) else "/" + "/".join(map(str, path)) for path in paths]) or "-"


def render(modem):
    """One picture of a VirtualModem."""
    state = modem.model.state()
    facts = Table.grid(padding=(0, 2))
    rows = [("lines", ", ".join(modem.line_names())),
            ("power", state["power"] + (", PSM" if state["psm"] else "") + (", RRC connected" if state["rrc"] else "")),
            ("network", "attached" if state["attached"] else "not attached"), ("LwM2M", _lwm2m(state["lwm2m"])),
            ("observed", _paths(state["observed"])), ("objects", _paths(state["objects"])),
            ("waiting", ", ".join(map(str, state.get("waiting", ()))) or "-"),
            ("counted", ", ".join([f"{name} {count}" for name, count in state["counters"].items()]))]
    if modem.troubles:
        rows.append(("trouble", modem.troubles[-1]))
    rows.append(("says", modem.model.explained or "(type here: wake, radio down, advance 60000, help)"))
    for name, text in rows:
        facts.add_row(f"[bold]{name}", escape(str(text)))
    talk = Table.grid(padding=(0, 1))
    for when, direction, text in modem.model.recent[-_LAST:]:
        style = "cyan" if direction == ">" else "green"
        talk.add_row(f"{when / 1000:9.1f}", f"[{style}]{direction}", f"[{style}]{escape(text)}")
    return Group(Panel(facts, title=f"virtual {modem.family}"), Panel(talk, title="last exchanges"))


async def watch(modem, until):
    """Show the modem until the event `until` is set."""
    with Live(render(modem), refresh_per_second=4, screen=False) as live:
        while not until.is_set():
            try:
                await asyncio.wait_for(until.wait(), 0.5)
            except asyncio.TimeoutError:
                live.update(render(modem))
