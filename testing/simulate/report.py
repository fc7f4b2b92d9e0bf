"""What a simulated life was like, as a table."""

from __future__ import annotations

import collections

from rich.console import Console
from rich.table import Table

from .charge import Charge
from .simulation import Simulation

# Blocks of 4 KiB in the file system of a Pico and of a 4 MB ESP32 as MicroPython lays them out; erase cycles of their flash
# chips by data sheet. A file saved costs its block and one of the directory's; littlefs levels the wear over all of them.
BLOCKS = {"rp2": 352, "esp32": 512}
ERASE_CYCLES = 100_000
_ERASES_A_SAVE = 2


def rows(simulation: Simulation, charge: Charge, seconds: float, capacity_mah: float) -> list[tuple[str, str]]:
    """The figures, as (name, value)."""
    ledger = simulation.ledger
    record = ledger.record
    delivered = record.delivered()
    missed, doubled = ledger.slots()
    days = simulation.clock.now / 86_400_000
    events = collections.Counter(event[2] for event in simulation.server.events)
    boots = ", ".join(f"{count} {kind}" for kind, count in sorted(simulation.boots.items())) or "none"
    faults = collections.Counter(kind for _, kind in simulation.model.faults.played)
    registrations = events["registered"] + events["reregistered"]
    saves = simulation.flash.saves / days
    years = BLOCKS[simulation.port] * ERASE_CYCLES / (_ERASES_A_SAVE * max(saves, 0.001)) / 365
    return [
        ("readings taken", f"{len(record.readings)}, {len([one for one in record.readings if one.must])} of them owed"),
        ("delivered", f"{len(delivered)}, {record.duplicates()} duplicates, {len(ledger.duplicates())} without a cause"),
        ("waiting at the end", f"{len(ledger.waiting() - {reading.value for reading in delivered})}"),
        ("dropped by policy (journal_bytes)", f"{ledger.dropped}"),
        ("exposed to loss of power by policy", f"{ledger.exposed()}, {ledger.most_exposed} at most at once"
                                               f" (journal_batch {simulation.settings.journal_batch})"),
        ("lost", f"{len(ledger.lost())}"),
        ("at a wrong path, time, place", f"{len(record.strangers)}, {len(ledger.wrong_times())}, {len(ledger.disordered())}"),
        ("wakes", f"{ledger.wakes}"),
        ("slots missed, served twice", f"{missed}, {len(doubled)}"),
        ("attempts to reach the server", f"{ledger.attempts}, {registrations} registrations, {events['updated']} updates"),
        ("boots", boots),
        ("AT exchanges", f"{simulation.model.counters['commands']}, {sum(faults.values())} disturbed"),
        ("power cuts in the middle of a flash write", f"{simulation.cuts}"),
        ("flash writes per day", f"{saves:.1f}, {simulation.flash.written / days / 1024:.1f} KiB; wear: {years:.0f} years until"
                                 f" {BLOCKS[simulation.port]} blocks are worn out"),
        ("awake", f"{simulation.chip.awake_ms / days / 1000:.0f} s a day, {ledger.longest_ms / 1000:.0f} s at most"
                  f" (limit {ledger.limit_ms() / 1000:.0f} s)"),
        ("charge", f"{charge.mah_per_day():.2f} mAh a day, {charge.days(capacity_mah):.0f} days on {capacity_mah:.0f} mAh"),
        ("simulated", f"{days:.0f} days in {seconds:.0f} s"),
    ]


def show(title: str, figures: list[tuple[str, str]], verdict: list[str]) -> None:
    """Print the table and what is wrong."""
    console = Console()
    table = Table(title=title, show_header=False, title_justify="left")
    for name, value in figures:
        table.add_row(name, value)
    console.print(table)
    for sentence in verdict:
        console.print(f"WRONG: {sentence}", style="bold red", highlight=False)
    if not verdict:
        console.print("every reading is accounted for, no slot was served twice, the node never died", highlight=False)
