"""How much heap a board has and a node needs: the one place of these figures. Bytes, KB of 1000.

    python -m tools.boards.heap        writes sentence and table into README.md and the start pages; make test compares

Both sides are measured, none by this file: POOLS by `micropython.mem_info()` on stock builds of 1.28 or published, PEAKS on an
emulated Pico (stock 1.28, lib/ as .mpy, the features of an unchanged configuration, a report every 300 s; issue 14). No frozen
build was measured since code is no longer unloaded: FROZEN is an upper bound.
BC20 and BG96 have less code than a BC66 and were not measured: its figure stands for them.
"""

from __future__ import annotations

from pathlib import Path

from tools.boards.catalog import ROOT, Board
from tools.boards.remedy import Remedy

POOLS: dict[str, int | None] = {
    "ESP32_GENERIC": 165_000, "ESP32_GENERIC_C3": 203_000, "ESP32_GENERIC_C6": None, "ESP32_GENERIC_S3": 245_000,
    "RPI_PICO": 245_888, "RPI_PICO_W": 205_184, "RPI_PICO2": 500_000,
}  # fmt: skip  # None: more than an S3's, no figure is published
PEAKS = {"bc66": 209_000, "bc20": 209_000, "bg96": 209_000, "me910c1": 224_000}
FROZEN = 120_000  # what the same code needs in a ROM file system; frozen it has neither names nor code objects on the heap
MARGIN = 16_000  # a heap in pieces: an ME910C1's largest hole was 15 KB with 22 KB free
PAGES = {"README.md": "docs/", "docs/start-esp32.md": "", "docs/start-pico.md": ""}
BEGIN, END = "<!-- written by python -m tools.boards.heap -->\n", "<!-- end of what is written -->\n"


def need(family: str) -> int:
    """Bytes of heap that a node with lib/ as .mpy files needs."""
    return PEAKS[family] + MARGIN


def refuse_little_heap(board: Board, family: str, heap: int, frozen: bool) -> None:
    """Remedy where a node cannot live in the board's heap of so many bytes."""
    wanted = FROZEN if frozen else need(family)
    if heap < wanted:
        raise Remedy(
            f"the board has {heap // 1000} KB of heap, a node with a {family.upper()} needs {wanted // 1000} KB: freeze the "
            f"application into MicroPython (FROZEN_MANIFEST=boards/{board.name}/manifest.py, docs/updates.md), take a board "
            "with more, or say FORCE=1 to copy it all the same"
        )


def text(links: str) -> str:
    """The sentence and the table, for a page from which the documentation lies at `links`."""
    lines = [
        f"**Heap.** With the application as .mpy files a node needs {need('bc66') // 1000} KB of heap, with an ME910C1 "
        f"{need('me910c1') // 1000} KB, and",
        "`make deploy` refuses a board that has less (`FORCE=1` overrides); with the application frozen into MicroPython it "
        "needs",
        f"{FROZEN // 1000} KB ([how]({links}updates.md)). What a board has, `micropython.mem_info()` says; stock builds:",
        "",
        "| board | heap | BC66, BC20, BG96 | ME910C1 |",
        "|---|---|---|---|",
    ]
    for name, pool in POOLS.items():
        said = ["fits" if pool is None or pool >= need(family) else "frozen only" for family in ("bc66", "me910c1")]
        lines.append(f"| {name} | {'more' if pool is None else f'{pool // 1000} KB'} | {' | '.join(said)} |")
    return "\n".join(lines) + "\n"


def written(page: Path, links: str) -> str:
    """The page as it should be."""
    head, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}{text(links)}{END}{tail}"


if __name__ == "__main__":
    for name, links in PAGES.items():
        (ROOT / name).write_text(written(ROOT / name, links), encoding="utf-8")
