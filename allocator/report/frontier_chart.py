"""A frontier as a small chart in SVG: a dot per plan, the knee marked, what lies beneath them; a third aim as a shade.

Read aloud, it says its title and what it shows; each dot says its figures.
"""

from __future__ import annotations

from html import escape
from itertools import pairwise
from math import floor, log10
from typing import TYPE_CHECKING

from allocator.report.console import number
from allocator.report.map import SHADES
from allocator.texts import Text, language

if TYPE_CHECKING:
    from allocator.frontier import Frontier
    from allocator.frontier.axes import Axis

WIDTH, HEIGHT = 720, 480
LEFT, RIGHT, TOP, BOTTOM = 96, 24, 48, 64
KNEE, LINE, INK = "#c4581a", "#2b7794", "#1f2a30"


def chart(found: Frontier) -> str:
    """The SVG of a frontier that has points."""
    axes, table = found.axes, found.table
    across, up = axes["x"], axes["y"]
    xs, ys = _Scale.of(table["x"].tolist(), LEFT, WIDTH - RIGHT), _Scale.of(table["y"].tolist(), HEIGHT - BOTTOM, TOP)
    title = Text(
        f"Frontière « {found.scenario.name} » : {across.title.fr}, {up.title.fr}",
        f"Frontier “{found.scenario.name}”: {across.title.en}, {up.title.en}",
    )
    heading = Text(f"Frontière « {found.scenario.name} »", f"Frontier “{found.scenario.name}”")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="title desc" lang="{language()}" font-family="sans-serif" font-size="12" fill="{INK}">',
        f'<title id="title">{escape(str(title))}</title>',
        f'<desc id="desc">{escape(_described(found))}</desc>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" font-weight="bold">{escape(str(heading))}</text>',
    ]
    parts += _grid(xs, ys)
    parts += [
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 16}" text-anchor="middle">{escape(_axis(across))}</text>',
        f'<text transform="translate(20 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(_axis(up))}</text>",
    ]
    dots = [(xs.at(x), ys.at(y)) for x, y in zip(table["x"], table["y"], strict=True)]
    if len(axes) == 2:
        parts.append(_line(found, dots))
    shades = _shades(table["z"].tolist()) if "z" in axes else [LINE] * len(dots)
    for k, ((x, y), shade) in enumerate(zip(dots, shades, strict=True)):
        knee = k == found.knee
        words = " ; ".join(
            f"{axis.title} : {number(table[place].tolist()[k], 2)} {axis.unit}".strip() for place, axis in axes.items()
        )
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{7 if knee else 4.5}" fill="{KNEE if knee else shade}" '
            f'stroke="#ffffff"><title>{escape(words)}</title></circle>'
        )
        if knee:
            label = Text("coude", "knee")
            parts.append(f'<text x="{x + 10:.1f}" y="{y - 8:.1f}" fill="{KNEE}" font-weight="bold">{label}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Scale:
    """Figures on a line of the page, with round figures to mark on it."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        size = (high - low) or abs(high) or 1.0
        self.low, self.high = low - 0.05 * size, high + 0.05 * size
        self.start, self.end = start, end
        step = 10.0 ** floor(log10(size))
        step = next(step * k for k in (0.1, 0.2, 0.25, 0.5, 1, 2) if size / (step * k) <= 6)
        self.digits = max(0, -floor(log10(step)) + (1 if str(step).endswith("25") else 0))
        first = int(self.low // step) + 1
        self.ticks = [k * step for k in range(first, first + 20) if k * step <= self.high]

    @classmethod
    def of(cls, values: list[float], start: float, end: float) -> _Scale:
        return cls(min(values), max(values), start, end)

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def _grid(xs: _Scale, ys: _Scale) -> list[str]:
    light = 'stroke="#e1e5e8"'
    parts = []
    for value in xs.ticks:
        x = xs.at(value)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" {light}/>')
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{number(value, xs.digits)}</text>'
        )
    for value in ys.ticks:
        y = ys.at(value)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" {light}/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number(value, ys.digits)}</text>')
    return parts


def _line(found: Frontier, dots: list[tuple[float, float]]) -> str:
    """The line itself where it is known to be straight between neighbours; else the edge of what the points beat."""
    if not found.straight:
        corners = [(x2, y1) for (_, y1), (x2, _) in pairwise(dots)]  # of two neighbours, the worse of each aim
        dots = [dots[0], *(place for pair in zip(corners, dots[1:], strict=True) for place in pair)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    return f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="1.5" opacity="0.6"/>'


def _shades(values: list[float]) -> list[str]:
    low, high = min(values), max(values)
    size = (high - low) or 1.0
    return [SHADES[min(int((value - low) / size * len(SHADES)), len(SHADES) - 1)] for value in values]


def _axis(axis: Axis) -> str:
    unit = str(axis.unit)
    return f"{axis.title} ({unit})" if unit and unit not in str(axis.title) else str(axis.title)


def _described(found: Frontier) -> str:
    points = len(found.points)
    text = Text(
        f"{points} plans certifiés, dont aucun n'en domine un autre.",
        f"{points} certified plans, none of which dominates another.",
    )
    said = [str(text)]
    if found.knee is not None:
        row = found.table.iloc[found.knee]
        told = ", ".join(f"{axis.title} {number(row[place], 2)}" for place, axis in found.axes.items())
        said.append(str(Text(f"Le coude : {told}.", f"The knee: {told}.")))
    if "z" in found.axes:
        third = found.axes["z"].title
        said.append(
            str(Text(f"Plus la teinte est foncée, plus : {third.fr}.", f"The darker, the more of: {third.en}."))
        )
    return " ".join(said)
