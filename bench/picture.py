"""A picture of cost against size, written as SVG by hand: size on a logarithmic axis, milliseconds on a plain one, a panel for each database."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, log10

WIDTH, HEIGHT = 420, 300  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 52, 38, 56, 44  # right: half of the longest number
COLOURS = ("#1f4e79", "#a33b20", "#2f6b3a", "#6b4c9a", "#555555")
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing measured at several sizes, in one panel."""

    title: str
    panel: str
    points: Sequence[tuple[int, float]]  # size, milliseconds


def drawn(lines: Sequence[Line]) -> str:
    """The picture. All panels share both axes."""
    panels = list(dict.fromkeys(line.panel for line in lines))
    titles = list(dict.fromkeys(line.title for line in lines))
    top = _rounded(max(value for line in lines for _, value in line.points))
    sizes = sorted({size for line in lines for size, _ in line.points})
    rows = ceil(len(titles) / 2)
    height = HEIGHT + 22 * rows + 14
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * len(panels)} {height}" font-family="system-ui, sans-serif" font-size="13" '
        'role="img" aria-labelledby="what">',
        "<title id=\"what\">CPU milliseconds of a thread's pages and deeds against the number of its comments</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    for place, panel in enumerate(panels):
        parts += _panel(panel, [line for line in lines if line.panel == panel], titles, sizes, top, place * WIDTH)
    for place, title in enumerate(titles):
        x, y = LEFT + (place % 2) * 330, HEIGHT + 14 + 22 * (place // 2)
        parts.append(f'<path d="M{x} {y - 4}h26" stroke="{COLOURS[place % len(COLOURS)]}" stroke-width="2.5"/><text x="{x + 34}" y="{y}">{escape(title)}</text>')  # noqa: E501
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: str, lines: Sequence[Line], titles: Sequence[str], sizes: Sequence[int], top: float, left: int) -> list[str]:
    low, high = log10(sizes[0]), log10(sizes[-1])

    def x(size: int) -> float:
        return left + LEFT + (log10(size) - low) / ((high - low) or 1) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    parts = [f'<text x="{left + LEFT}" y="26" font-size="15" font-weight="600">{escape(NAMES.get(panel, panel))}</text>',
             f'<text x="{left + LEFT}" y="44" fill="#555">CPU milliseconds by number of comments</text>']
    for step in range(5):
        value = top * step / 4
        parts.append(f'<path d="M{left + LEFT} {y(value):.1f}H{left + WIDTH - RIGHT}" stroke="#d8d8d8"/>'
                     f'<text x="{left + LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end" fill="#555">{value:g}</text>')
    for size in sizes:
        parts.append(f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle" fill="#555">{size:,}</text>')
    for line in lines:
        colour = COLOURS[titles.index(line.title) % len(COLOURS)]
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in line.points)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{x(size):.1f}" cy="{y(value):.1f}" r="3" fill="{colour}"><title>{escape(line.title)}, {size:,}: {value:.2f} ms</title></circle>'
                  for size, value in line.points]
    return parts


def _rounded(value: float) -> float:
    """A round number not under this one, that four parts make round again."""
    for step in (1, 2, 4, 8, 12, 16, 20, 24, 32, 40, 60, 80, 120, 160, 200, 400, 800):
        if value <= step:
            return float(step)
    return float(ceil(value / 1000) * 1000)
