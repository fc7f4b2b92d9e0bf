"""Plots of the power budget as SVG: readable on light and on dark pages, drawn without a library.

    life(rows)         how long a cell lasts, by interval
    battery(rows)      what is left in a cell over the years
    shares(rows)       where a day's charge goes, by module and interval
    wake(waits)        current over one wake, by module

`rows` are tools.docs.power.Life, `waits` tools.docs.power.Wake. Axes say their units; the names of lines stand at their ends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .power import Life, Wake

_STYLE = """<style>
.paper{fill:#ffffff}.ink{fill:#1f2328}.soft{fill:#59636e}.grid{stroke:#dde2e8}.axis{stroke:#818b98}
@media (prefers-color-scheme:dark){
.paper{fill:#0d1117}.ink{fill:#e6edf3}.soft{fill:#9aa4af}.grid{stroke:#2d333b}.axis{stroke:#6e7681}
}
</style>"""
# Board blue, module at rest grey and green, starting ochre, radio red: by the begin of the part's name.
_PARTS = {"board asleep": "#8fb4dd", "board awake": "#2f6db3", "board dozing": "#5b92cd", "module asleep": "#a9b0b8",
          "module in light": "#7fb59a", "module awake": "#3f8f6b", "module starts": "#d9a441",
          "radio connected, sending": "#c23b32", "radio connected, the": "#e98b7d"}  # fmt: skip
_FONT = "system-ui,Segoe UI,Helvetica,Arial,sans-serif"
_DARK = ("#2f6db3", "#3f8f6b", "#c23b32", "#5b92cd")
MODULES = {"bc66": "#3b82d6", "bc20": "#2fa36b", "bg96": "#e07b39", "me910c1": "#a371c7"}
_PICO = "#8b949e"


def colour(part: str) -> str:
    """A part's colour."""
    return next((value for name, value in _PARTS.items() if part.startswith(name)), "#888888")


def drawing(width: int, height: int, title: str, under: str, parts: Sequence[str]) -> str:
    """A whole SVG: its title, a line under it, and its parts."""
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'font-family="{_FONT}" font-size="13" role="img" aria-label="{escape(title)}">')
    return "\n".join([head, _STYLE, f'<rect class="paper" width="{width}" height="{height}" rx="8"/>',
                      text(24, 32, title, more=' font-size="18" font-weight="600"'), text(24, 53, under, kind="soft"),
                      *parts, "</svg>", ""])


def text(x: float, y: float, words: str, place: str = "start", kind: str = "ink", more: str = "") -> str:
    """Words at a place: start, middle or end."""
    ink = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{place}"{ink}{more}>{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _sideways(x: float, y: float, words: str) -> str:
    return text(x, y, words, "middle", "soft", f' transform="rotate(-90 {x:.1f} {y:.1f})"')


def _curve(points: Sequence[tuple[float, float]], ink: str, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="6 4"' if dashed else ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{ink}" stroke-width="2.5" stroke-linejoin="round"{dash}/>'


def _apart(wanted: Sequence[float], least: float) -> list[float]:
    """Heights for labels that want these, in rising order, at least so far apart."""
    found: list[float] = []
    for y in wanted:
        found.append(max(y, found[-1] + least) if found else y)
    return found


def _order(names: Sequence[str]) -> list[int]:
    """Places of the parts as they are drawn: the board's first."""
    return sorted(range(len(names)), key=lambda part: not names[part].startswith("board"))


def _legend(names: Sequence[str], words: Sequence[str], top: float, left: float, right: float) -> tuple[list[str], float]:
    """Squares with names, as many lines as they need; and the height below them."""
    parts, x, y = [], left, top
    for name, word in zip(names, words):
        width = 26 + 6.9 * len(word)
        if x + width > right:
            x, y = left, y + 22
        parts += [f'<rect x="{x:.1f}" y="{y - 11:.1f}" width="13" height="13" rx="2" fill="{colour(name)}"/>',
                  text(x + 19, y, word)]
        x += width + 8
    return parts, y + 22


def life(rows: Sequence[Life], capacity: int) -> str:
    """Days that a cell lasts over the interval of reports; both axes logarithmic, floors dashed."""
    left, right, top, bottom, low, high = 84, 560, 78, 430, 30, 7000
    marks = {30: "30 days", 100: "100 days", 365: "1 year", 730: "2 years", 1825: "5 years", 3650: "10 years"}
    every = {900: "15 min", 3600: "1 h", 21600: "6 h", 86400: "1 day"}

    def at(row: Life, days: float) -> tuple[float, float]:
        return (left + (right - left) * math.log(row.report_every / 900) / math.log(96),
                bottom - (bottom - top) * math.log(days / low) / math.log(high / low))

    parts, ends = [], []
    for days, words in marks.items():
        y = bottom - (bottom - top) * math.log(days / low) / math.log(high / low)
        parts += [_line(left, y, right, y), text(left - 8, y + 4, words, "end", "soft")]
    for seconds, words in every.items():
        x = left + (right - left) * math.log(seconds / 900) / math.log(96)
        parts += [_line(x, top, x, bottom), text(x, bottom + 20, words, "middle", "soft")]
    parts.append(text((left + right) / 2, bottom + 42, "interval between reports", "middle", "soft"))
    for port, family in dict.fromkeys(row[:2] for row in rows):
        line = [row for row in rows if row[:2] == (port, family)]
        ink = MODULES[family] if port == "esp32" else _PICO
        beside = [at(row, row.floor().days(capacity) if port == "esp32" else row.switched()) for row in line]
        parts.append(_curve(beside, ink, True).replace("2.5", "1.2"))
        points = [at(row, row.days()) for row in line]
        parts += [_curve(points, ink), *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{ink}"/>' for x, y in points)]
        ends.append((points[-1][1] + 4, f"{line[-1].name}: {line[-1].days():.0f} days", ink))
    for y, (_, words, ink) in zip(_apart(sorted(end[0] for end in ends), 19), sorted(ends)):
        parts.append(text(right + 12, y, words, kind="", more=f' fill="{ink}" font-weight="600"'))
    return drawing(860, 492, f"How long a cell of {capacity} mAh lasts",
                "model with typical currents; dashed: the floor of that module, and the Pico with its power cut", parts)


def battery(rows: Sequence[Life], capacity: int, usable: int) -> str:
    """What is left of a cell over time, a report every 15 minutes and one a day."""
    parts: list[str] = []
    panels = ((900, "a report every 15 minutes", "days", 1), (86400, "a report a day", "years", 365))
    top, height, left, width = 100, 150, 84, 560
    for index, (every, words, unit, per) in enumerate(panels):
        chosen = sorted((row for row in rows if row.report_every == every), key=lambda row: row.days())
        high = top + index * (height + 92)
        low, longest = high + height, max(row.days() for row in chosen) / per
        step = next(step for step in (0.5, 1, 2, 5, 10, 20, 50, 100, 200) if longest / step <= 8)
        most = math.ceil(longest / step + 0.2) * step
        parts.append(text(left, high - 12, words, more=' font-weight="600"'))
        for percent in (0, 25, 50, 75, 100):
            y = low - height * percent / 100
            parts += [_line(left, y, left + width, y), text(left - 8, y + 4, f"{percent} %", "end", "soft")]
        for number in range(int(most / step + 0.01) + 1):
            x = left + width * number * step / most
            parts += [_line(x, low, x, low + 5, "axis"), text(x, low + 20, f"{number * step:g}", "middle", "soft")]
        parts += [text(left + width / 2, low + 40, unit, "middle", "soft"),
                  _sideways(26, high + height / 2, "left in the cell")]
        dead = low - height * (100 - usable) / 100
        parts += [_line(left, dead, left + width, dead, "axis"),
                  text(left + width + 10, dead + 4, f"empty: {100 - usable} % is never usable", kind="soft")]
        heights = _apart([high + 14 + 17 * number for number in range(len(chosen))], 17)
        for row, y in zip(chosen, heights):
            ink = MODULES[row.family] if row.port == "esp32" else _PICO
            x = left + width * row.days() / per / most
            parts += [_curve([(left, high), (x, dead)], ink), f'<circle cx="{x:.1f}" cy="{dead:.1f}" r="3.5" fill="{ink}"/>',
                      text(left + width + 10, y, f"{row.name}: {row.days() / per:.{int(per > 1)}f} {unit}", kind="",
                            more=f' fill="{ink}" font-weight="600"')]
    return drawing(910, top + 2 * (height + 92) - 30, f"What is left in a cell of {capacity} mAh",
                "model with typical currents, the cell's own loss included", parts)


def shares(rows: Sequence[Life], names: Sequence[str], words: Sequence[str]) -> str:
    """Where each milliampere-hour goes: bars of equal length, by module and interval."""
    left, length, order = 150, 500, _order(names)
    parts, y = _legend([names[part] for part in order], [words[part] for part in order], 82, 24, 800)
    family = ""
    for row in rows:
        if row.name != family:
            family, y = row.name, y + 26
            parts.append(text(24, y - 6, family, more=' font-weight="600"'))
        parts.append(text(left - 10, y + 15, row.interval, "end", "soft"))
        total, x = sum(row.mah()), float(left)
        for name, mah in [(names[part], row.mah()[part]) for part in order]:
            width = length * mah / total
            parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="21" fill="{colour(name)}"/>')
            if width > 36:
                ink = "#ffffff" if colour(name) in _DARK else "#1f2328"
                parts.append(text(x + width / 2, y + 15, f"{100 * mah / total:.0f} %", "middle", "",
                                   f' fill="{ink}" font-size="12"'))
            x += width
        parts.append(text(left + length + 10, y + 15, f"{total:.2f} mAh a day"))
        y += 25
    return drawing(820, int(y) + 16, "Where a day's charge goes", "by module and interval between reports (model)", parts)


def wake(waits: Sequence[Wake], names: Sequence[str], words: Sequence[str]) -> str:
    """Current of board and module over one wake that reports, a panel for each module; areas are charge."""
    left, width, height = 84, 640, 120
    longest = max(wait.seconds for wait in waits)
    most = math.ceil(longest / 5) * 5
    highest = 40 * math.ceil(max(ma for wait in waits for _, _, _, low, high in wait.areas() for ma in (low, high)) / 40)
    drawn = {area[2] for wait in waits for area in wait.areas()}
    used = [part for part in _order(names) if part in drawn and not names[part].endswith("asleep")]
    parts, y = _legend([names[part] for part in used], [words[part] for part in used], 82, 24, 780)
    for wait in waits:
        y += 22
        low = y + height
        words_of = f"{wait.name}: {wait.millicoulombs():.0f} mC in {wait.seconds:.0f} s"
        parts.append(text(left, y - 7, words_of, more=' font-weight="600"'))
        for ma in range(0, highest + 1, 40):
            at = low - height * ma / highest
            parts += [_line(left, at, left + width, at), text(left - 8, at + 4, f"{ma}", "end", "soft")]
        for begin, end, part, below, above in wait.areas():
            if names[part].endswith("asleep"):
                continue
            x, top = left + width * begin / most, low - height * above / highest
            # Two areas that meet leave no seam when they end at whole pixels.
            parts.append(f'<rect shape-rendering="crispEdges" x="{x:.2f}" y="{top:.2f}" '
                         f'width="{max(0.4, width * (end - begin) / most):.2f}" '
                         f'height="{height * (above - below) / highest:.2f}" fill="{colour(names[part])}"/>')
        parts += [_line(left, low, left + width, low, "axis"), _sideways(34, y + height / 2, "mA")]
        for second in range(0, most + 1, 5):
            x = left + width * second / most
            parts += [_line(x, low, x, low + 4, "axis"), text(x, low + 17, f"{second}", "middle", "soft")]
        y = low + 34
    parts.append(text(left + width / 2, y + 4, "seconds since the board woke", "middle", "soft"))
    return drawing(800, int(y) + 22, "Current over one wake with a report",
                "board and module on top of each other; an area is charge (model)", parts)
