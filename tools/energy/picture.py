"""Bars of where the charge goes, as an SVG of our own: one file, no library."""

from __future__ import annotations

from html import escape

_COLOURS = ("#4e79a7", "#a0cbe8", "#59a14f", "#8cd17d", "#b6992d", "#499894", "#e15759", "#f1a340")
_WIDTH, _ROW, _LEFT, _BAR = 860, 34, 300, 420


def svg(title: str, rows: list[tuple[str, float]], note: str) -> str:
    """A bar for each (name, mAh a day), longest for the largest."""
    largest = max(value for _, value in rows) or 1
    total = sum(value for _, value in rows) or 1
    height = 70 + _ROW * len(rows) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="14">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        f'<text x="20" y="32" font-size="18">{escape(title)}</text>']
    for i, (name, value) in enumerate(rows):
        y = 56 + i * _ROW
        width = max(1, value / largest * _BAR)
        parts.append(f'<text x="{_LEFT - 10}" y="{y + 17}" text-anchor="end">{escape(name)}</text>')
        colour = _COLOURS[i % len(_COLOURS)]
        parts.append(f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_ROW - 10}" fill="{colour}"/>')
        parts.append(f'<text x="{_LEFT + width + 8:.1f}" y="{y + 17}">{value:.2f} mAh, {100 * value / total:.0f} %</text>')
    parts.append(f'<text x="20" y="{height - 16}">{escape(note)}</text>')
    return "\n".join([*parts, "</svg>", ""])
