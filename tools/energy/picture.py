"""Bars of where the charge goes, as an SVG in the manner of tools.docs.plots."""

from __future__ import annotations

from tools.docs.plots import colour, drawing, text

_ROW, _LEFT, _BAR = 34, 300, 400


def svg(title: str, rows: list[tuple[str, float]], note: str) -> str:
    """A bar for each (name, mAh a day), longest for the largest."""
    largest = max(value for _, value in rows) or 1
    total = sum(value for _, value in rows) or 1
    parts = []
    for i, (name, value) in enumerate(rows):
        y, width = 74 + i * _ROW, max(1, value / largest * _BAR)
        parts += [text(_LEFT - 10, y + 17, name, "end"),
                  f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_ROW - 10}" rx="2" fill="{colour(name)}"/>',
                  text(_LEFT + width + 8, y + 17, f"{value:.2f} mAh, {100 * value / total:.0f} %")]
    return drawing(880, 90 + _ROW * len(rows), title, note, parts)
