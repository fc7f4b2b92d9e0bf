"""The power budget's figures: times of simulated lives, multiplied with lwnode.features.usage, as tables and plots.

    measure()      lives some days of each configuration (testing.simulate) and writes docs/power-times.tsv
    life()         SVG: how long a cell lasts, by interval, board and module
    shares()       SVG: where the charge goes
    page(text)     docs/power.md with its tables between the markers written anew

Times and currents are kept apart on purpose: a better figure for a current needs no new simulation.
"""

from __future__ import annotations

import math
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TIMES = ROOT / "docs" / "power-times.tsv"
CAPACITY_MAH = 3000

# Those of testing.simulate.charge, in its order and in fewer words.
PARTS = ("board asleep", "board awake", "module asleep", "light sleep", "module idle", "starts, searches", "connected",
         "network's tail")  # fmt: skip
_COLOURS = ("#9db7d5", "#2a6fb0", "#c9c9c9", "#dddddd", "#f1c27d", "#8a6d3b", "#c0392b", "#e8958c")
_LINES = {("esp32", "bc66"): "#2a6fb0", ("esp32", "bg96"): "#d2691e", ("esp32", "me910c1"): "#8a4fa3",
          ("rp2", "bc66"): "#2e8b57"}  # fmt: skip
_BOARDS = {"esp32": ("ESP32", "esp32"), "rp2": ("Pico", "rp2040")}
_INTERVALS = (900, 3600, 21600, 86400)
_WORDS = {900: "15 min", 3600: "1 h", 21600: "6 h", 86400: "1 day"}


class Life(NamedTuple):
    """One configuration and its hours a day in each of PARTS."""

    port: str
    family: str
    report_every: int
    sample_every: int
    hours: tuple[float, ...]

    @property
    def name(self) -> str:
        return f"{_BOARDS[self.port][0]} with {self.family.upper()}"

    def mah(self) -> list[float]:
        """mAh a day of each part."""
        from testing.simulate.charge import currents

        return [hours * ua / 1000 for hours, ua in zip(self.hours, currents(_BOARDS[self.port][1], self.family))]

    def days(self) -> float:
        """Days that a cell of CAPACITY_MAH lasts, with the derating of testing.simulate.charge."""
        from testing.simulate.charge import lifetime

        return lifetime(CAPACITY_MAH, sum(self.mah()))


def live(port: str, family: str, report_every: int, sample_every: int) -> Life:
    """Some quiet days of a deployed node; hours a day."""
    from tools.energy.lived import live as lived

    charge = lived(port, family, {"report_every": report_every, "sample_every": sample_every})
    days = charge.lived_days()
    return Life(port, family, report_every, sample_every, tuple(round(row[1] / days, 4) for row in charge.rows()))


def measure() -> None:
    """Write docs/power-times.tsv anew."""
    chosen = [(port, family, every, every) for port, family in _LINES for every in _INTERVALS]
    chosen += [("esp32", "bc66", every, 900) for every in _INTERVALS[1:]]
    lines = ["\t".join(("port", "family", "report_every", "sample_every", *PARTS))]
    for choice in chosen:
        found = live(*choice)
        lines.append("\t".join(map(str, (*found[:4], *found.hours))))
        print(f"{found.name}, report every {report_text(found)}: {found.days():.0f} days")
    TIMES.write_text("\n".join(lines) + "\n", encoding="utf-8")


def report_text(row: Life) -> str:
    """The two intervals of a row, for people."""
    return f"{row.report_every} s, sample every {row.sample_every} s"


def lives() -> list[Life]:
    """The rows of docs/power-times.tsv."""
    found = []
    for line in TIMES.read_text(encoding="utf-8").splitlines()[1:]:
        port, family, report_every, sample_every, *hours = line.split("\t")
        found.append(Life(port, family, int(report_every), int(sample_every), tuple(map(float, hours))))
    return found


def _svg(width: int, height: int, title: str, parts: list[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="13" role="img" aria-label="{escape(title)}">'
    )
    heading = f'<text x="20" y="30" font-size="17" font-weight="bold">{escape(title)}</text>'
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="white"/>', heading, *parts, "</svg>", ""])


def _text(x: float, y: float, words: str, place: str = "start", more: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{place}"{more}>{escape(words)}</text>'


def life() -> str:
    """Days that a cell lasts over the interval of reports; both axes logarithmic."""
    rows = [row for row in lives() if row.report_every == row.sample_every]
    left, right, top, bottom = 80, 560, 60, 400
    low, high = 30, 5000
    marks = {50: "50 days", 100: "100", 200: "200", 365: "1 year", 730: "2 years", 1825: "5 years", 3650: "10 years"}

    def x(seconds: float) -> float:
        return left + (right - left) * math.log(seconds / 900) / math.log(86400 / 900)

    def y(days: float) -> float:
        return bottom - (bottom - top) * math.log(days / low) / math.log(high / low)

    parts = []
    for days, words in marks.items():
        parts.append(f'<line x1="{left}" x2="{right}" y1="{y(days):.1f}" y2="{y(days):.1f}" stroke="#ddd"/>')
        parts.append(_text(left - 8, y(days) + 4, words, "end"))
    for seconds in _INTERVALS:
        parts.append(f'<line x1="{x(seconds):.1f}" x2="{x(seconds):.1f}" y1="{top}" y2="{bottom}" stroke="#eee"/>')
        parts.append(_text(x(seconds), bottom + 20, _WORDS[seconds], "middle"))
    parts.append(_text((left + right) / 2, bottom + 42, "sampling and reporting every", "middle"))
    ends: list[float] = []
    for key, colour in sorted(_LINES.items(), key=lambda item: -[row for row in rows if row[:2] == item[0]][-1].days()):
        line = [row for row in rows if row[:2] == key]
        points = " ".join(f"{x(row.report_every):.1f},{y(row.days()):.1f}" for row in line)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        for row in line:
            parts.append(f'<circle cx="{x(row.report_every):.1f}" cy="{y(row.days()):.1f}" r="4" fill="{colour}"/>')
        # Labels of lines that end close together are moved apart.
        place = max([y(line[-1].days()) + 4, *[end + 18 for end in ends]])
        ends.append(place)
        parts.append(_text(right + 12, place, f"{line[-1].name}: {line[-1].days():.0f} days", more=f' fill="{colour}"'))
    return _svg(800, 460, f"How long a cell of {CAPACITY_MAH} mAh lasts (model, typical currents)", parts)


def shares() -> str:
    """Where each milliampere-hour goes, as bars of equal length."""
    rows = [row for row in lives() if row.report_every == row.sample_every and row.family == "bc66"]
    left, length = 200, 440
    parts = []
    for index, row in enumerate(rows):
        y = 90 + 34 * index
        parts.append(_text(left - 10, y + 16, f"{_BOARDS[row.port][0]}, {_WORDS[row.report_every]}", "end"))
        total, x = sum(row.mah()), float(left)
        for part, (colour, mah) in enumerate(zip(_COLOURS, row.mah())):
            width = length * mah / total
            parts.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="24" fill="{colour}"/>')
            if width > 34:
                ink = "white" if part in (1, 5, 6) else "black"
                words = f"{100 * mah / total:.0f} %"
                parts.append(_text(x + width / 2, y + 17, words, "middle", f' fill="{ink}" font-size="12"'))
            x += width
        parts.append(_text(left + length + 10, y + 17, f"{total:.2f} mAh a day"))
    x = 20.0
    for colour, name in zip(_COLOURS, PARTS):
        parts.append(f'<rect x="{x:.0f}" y="52" width="14" height="14" fill="{colour}"/>')
        parts.append(_text(x + 20, 64, name))
        x += 28 + 6.2 * len(name)
    return _svg(870, 90 + 34 * len(rows) + 14, "Where the charge goes, with a BC66, by interval (model)", parts)


def _life_table() -> str:
    head = " | ".join(_WORDS[every] for every in _INTERVALS)
    lines = [f"| board and module | {head} |", "|---|" + "---|" * len(_INTERVALS)]
    rows = {row[:4]: row for row in lives()}
    for key in _LINES:
        found = [rows[(*key, every, every)] for every in _INTERVALS]
        lines.append(f"| {found[0].name} | " + " | ".join(f"{row.days():.0f} ({sum(row.mah()):.2f})" for row in found) + " |")
    found = [rows[("esp32", "bc66", every, 900)] for every in _INTERVALS]
    lines.append("| the same ESP32 and BC66, sampling every 15 min | "
                 + " | ".join(f"{row.days():.0f} ({sum(row.mah()):.2f})" for row in found) + " |")  # fmt: skip
    return "\n".join(lines)


def _sources_table() -> str:
    from lwnode.features.usage import BOARDS, MODULES
    from tools.energy import sources
    from testing.simulate.charge import currents

    lines = ["| part | state | current | where from |", "|---|---|---|---|"]
    for chip, values in BOARDS.items():
        for state, value, source in zip(("asleep", "awake"), values, sources.BOARDS[chip]):
            lines.append(f"| {chip} board | {state} | {_current(value)} | {source} |")
    states = ("asleep (PSM)", "light sleep", "awake, radio idle", "starts, searches", "connected, mean", "network's tail")
    for family in MODULES:
        for state, value, source in zip(states, currents("esp32", family)[2:], sources.MODULES[family]):
            lines.append(f"| {family.upper()} | {state} | {_current(value)} | {source} |")
    return "\n".join(lines)


def _current(ua: int) -> str:
    return f"{ua} µA" if ua < 1000 else f"{ua / 1000:g} mA"


def page(text: str) -> str:
    """docs/power.md with both tables written anew."""
    for name, table in (("life", _life_table), ("sources", _sources_table)):
        begin, end = f"<!-- {name}: written by make docs -->", f"<!-- /{name} -->"
        if begin not in text or end not in text:
            raise SystemExit(f"docs/power.md: the markers {begin} and {end} are missing; put them where the table belongs")
        before, _, rest = text.partition(begin)
        text = before + f"{begin}\n{table()}\n{end}" + rest.partition(end)[2]
    return text
