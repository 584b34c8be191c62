"""A map of France in SVG, its places shaded in classes: outlines from `contours`, no text, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from allocator import contours
from allocator.explain.explanation import number
from allocator.money import NO_BREAK
from allocator.texts import Text

SHADES = ("#d3e5ec", "#96c3d4", "#5a9fba", "#2b7794", "#0d3f52")  # little → much, also on a grey printer
NOTHING = "#e9ecee"
_SNAP = 30  # of the contours' grid of 10 m: 300 m is a thirtieth of a millimetre on half a page


class Shading(NamedTuple):
    """`colours`: by place. `legend`: (colour, words), the least first."""

    colours: dict[str, str]
    legend: list[tuple[str, str]]


def shading(values: Mapping[str, float]) -> Shading:
    """Classes of euros per inhabitant, parted by round numbers; what is 0 apart."""
    some = np.array([value for value in values.values() if value > 0])
    steps = _steps(some) if len(some) else []
    shades = [SHADES[round(k * 4 / max(len(steps), 1))] for k in range(len(steps) + 1)]
    rank = {name: int(np.searchsorted(steps, value, side="right")) for name, value in values.items()}
    colours = {name: shades[rank[name]] if value > 0 else NOTHING for name, value in values.items()}
    legend = [(NOTHING, str(Text("rien", "nothing")))] if len(some) < len(values) else []
    return Shading(colours, [*legend, *zip(shades, _between(steps), strict=True)] if len(some) else legend)


def _steps(some: np.ndarray) -> list[float]:
    """At most four round numbers (1, 1,5, 2, 3, 5, 7, 10 …) within these values: all of them or, where there are more, those near
    quantiles; with more digits where values are close to one another."""
    low, high = float(some.min()), float(some.max())
    series = np.array([k * 10.0**power for power in range(-2, 14) for k in (1, 1.5, 2, 3, 5, 7)])
    quantiles = np.quantile(some, (0.2, 0.5, 0.8, 0.95))
    inside = [float(step) for step in series if low < step <= high]
    if len(inside) > 4:
        near = [float(series[np.abs(np.log(series / q)).argmin()]) for q in quantiles]
        from_middle = [step for step in inside if step >= near[1]][:4]
        inside = max(([step for step in dict.fromkeys(near) if low < step <= high], from_middle), key=len)
    if len(inside) < 2:
        finer = dict.fromkeys(float(f"{q:.{digits}g}") for digits in (2, 3) for q in quantiles)
        inside = sorted({step for step in (*inside, *finer) if low < step <= high})[:4]
    return inside


def _between(steps: list[float]) -> list[str]:
    said = [number(step) for step in steps]
    if not said:
        return [str(Text("plus de rien", "more than nothing"))]
    first, last = said[0], said[-1]
    return [
        str(Text(f"moins de {first.fr}{NO_BREAK}€", f"less than €{first.en}")),
        *(str(Text(f"{a.fr} à {b.fr}{NO_BREAK}€", f"€{a.en} to €{b.en}")) for a, b in pairwise(said)),
        str(Text(f"{last.fr}{NO_BREAK}€ et plus", f"€{last.en} and more")),
    ]


Box = tuple[float, float, float, float]
_CLOSE_UP = 0.5  # of the whole map's width or height: what is asked for within less is drawn larger


class Outlines(NamedTuple):
    """Of a level, as SVG paths: (id, path) of each place, borders of regions, frames around overseas; boxes (left, top,
    width, height) of the whole and of each place."""

    places: tuple[tuple[str, str], ...]
    borders: str
    frames: str
    box: Box
    boxes: dict[str, Box]


@lru_cache(maxsize=2)
def outlines(level: str) -> Outlines:
    """At a level: "epci" or "regions"."""
    whole = contours.load(level)
    translate, scale = whole["transform"]["translate"], whole["transform"]["scale"]
    left, bottom, right, top = (
        round((at - translate[k % 2]) / scale[k % 2] / _SNAP) for k, at in enumerate(whole["bbox"])
    )
    arcs = [_drawn(arc) for arc in whole["arcs"]]
    geometries = whole["objects"][level]["geometries"]
    found = tuple((place["id"], _path(place["arcs"], arcs)) for place in geometries)
    boxes = {place["id"]: _around(list(_rings(place["arcs"], arcs))) for place in geometries}
    borders = "".join(path for _, path in (found if level == "regions" else outlines("regions").places))
    frames = "".join(_line(arcs[at]) for frame in whole["objects"]["insets"]["geometries"] for at in frame["arcs"])
    return Outlines(found, borders, frames, (left - 3, -top - 3, right - left + 6, top - bottom + 6), boxes)


def places(level: str) -> frozenset[str]:
    """The ids that have an outline at a level."""
    return frozenset(name for name, _ in outlines(level).places)


def close_up(level: str, names: Iterable[str]) -> Box | None:
    """The part of the map, of its proportions, that holds these places, where it is small; else None."""
    drawn = outlines(level)
    boxes = [drawn.boxes[name] for name in names]
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
    _, _, width, height = drawn.box
    share = 1.15 * max((right - left) / width, (bottom - top) / height)
    if share > _CLOSE_UP:
        return None
    return (left + right - share * width) / 2, (top + bottom - share * height) / 2, share * width, share * height


def svg(level: str, colours: Mapping[str, str], box: Box | None = None) -> str:
    """The map, or the part of it in `box`: each place in its colour, white where it has none."""
    drawn = outlines(level)
    of_colour: dict[str, list[str]] = {}
    for name, path in drawn.places:
        of_colour.setdefault(colours.get(name, "#ffffff"), []).append(path)
    shown = box or drawn.box
    line = 5 * shown[2] / drawn.box[2]  # as thick on paper whatever the part
    parts = "".join(f'<path fill="{c}" stroke="{c}" d="{"".join(paths)}"/>' for c, paths in of_colour.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{" ".join(f"{side:g}" for side in shown)}">'
        f'<g stroke-width="{0.4 * line:g}">{parts}</g>'
        f'<g fill="none" stroke-linejoin="round" stroke-width="{line:g}"><path stroke="#44505b" d="{drawn.borders}"/>'
        f'<path stroke="#8a95a0" d="{drawn.frames}"/></g></svg>'
    )


def _around(rings: list[list[tuple[int, int]]]) -> Box:
    corners = np.array([corner for ring in rings for corner in ring])
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return float(left), float(top), float(right - left), float(bottom - top)


def _drawn(arc: list[list[int]]) -> list[tuple[int, int]]:
    """An arc's corners on the coarser grid, y downwards, without those that coincide."""
    x = y = 0
    corners = []
    for dx, dy in arc:
        x, y = x + dx, y + dy
        corners.append((round(x / _SNAP), -round(y / _SNAP)))
    return [corners[0], *(there for here, there in pairwise(corners) if here != there)]


def _path(shape: list[Any], arcs: list[list[tuple[int, int]]]) -> str:
    return "".join(f"{_line(ring)}z" for ring in _rings(shape, arcs))


def _rings(shape: list[Any], arcs: list[list[tuple[int, int]]]) -> Iterator[list[tuple[int, int]]]:
    """Closed lines of a polygon or of several; arc ~k is arc k backwards."""
    if shape and isinstance(shape[0], list):
        for part in shape:
            yield from _rings(part, arcs)
        return
    ring: list[tuple[int, int]] = []
    for at in shape:
        corners = arcs[at] if at >= 0 else arcs[~at][::-1]
        ring += corners[1:] if ring else corners
    yield ring


def _line(corners: list[tuple[int, int]]) -> str:
    x, y = corners[0]
    moves = "".join(f" {c - a} {d - b}" for (a, b), (c, d) in pairwise(corners))
    return f"M{x} {y}l{moves}" if moves else f"M{x} {y}"
