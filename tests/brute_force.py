"""Every plan there is, in whole cents, for scenarios of a few cents.

Each demand's own plans are listed one by one (so many cents from this fund in that year), judged in exact
fractions by ``oracle_judge.lines``; since every line and every level rests on sums over demands, all combinations are
then summed as integers and none is left out: a combination is dropped early only where what the remaining demands could
still add cannot repair it. What several sums miss together (``Joint``) is judged once for each set of sums there is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from oracle_judge import Joint, Line, demand_lines, level_parts, level_value, lines
from oracle_reading import Cell, Demand, Reading

MOST_PLANS = 4_000_000  # combinations held at once: beyond, the scenario is not tiny


class TooMany(ValueError):
    """More combinations than are looked at, or larger numbers than are summed."""


def below(limit: int, numbers: Iterable[int]) -> None:
    """Sums of these fit in 64 bits, or ``TooMany``."""
    largest = max(map(abs, numbers), default=0)
    if largest >= limit:
        raise TooMany(largest)


class Best(NamedTuple):
    """The exact optimum. ``cents``: the least money that reaches it. ``plan``: one that does."""

    status: str  # "optimal" | "infeasible"
    objective: Fraction | None
    cents: int | None
    plan: dict[Cell, int] | None
    levels: tuple[Fraction, ...] = ()  # euros spent are positive


def compositions(total: int, cells: int) -> Iterator[tuple[int, ...]]:
    """Every way to pay at most ``total`` cents from ``cells`` purses."""
    if cells == 0:
        yield ()
        return
    for first in range(total + 1):
        for rest in compositions(total - first, cells - 1):
            yield (first, *rest)


def plans_of(reading: Reading, demand: Demand) -> list[dict[Cell, int]]:
    """Every plan of one demand by itself that breaks no rule of single demands, the empty one first."""
    cells = reading.cells_of[demand.id]
    most = math.floor(demand.units * demand.asked)
    plans = (
        {cell: cents for cell, cents in zip(cells, paid, strict=True) if cents}
        for paid in compositions(most, len(cells))
    )
    return [
        plan
        for plan in plans
        if not any(line.breach > 0 and line.points is None for line in demand_lines(reading, plan))
    ]


def whole(fractions: list[Fraction]) -> tuple[list[int], int]:
    """Fractions times their least common denominator, and that denominator."""
    scale = math.lcm(*(f.denominator for f in fractions)) if fractions else 1
    return [int(f * scale) for f in fractions], scale


def folded(
    columns: list[list[tuple[Fraction | int, ...]]],
    taken: np.ndarray,
    fold: Callable[[tuple[Fraction, ...]], Fraction],
) -> tuple[np.ndarray, int]:
    """``fold`` of the sums of each combination, as whole numbers over one scale; each set of sums is folded once."""
    flat, scale = whole([Fraction(value) for values in columns for parts in values for value in parts])
    below(2**60, flat)
    width, at = len(columns[0][0]), 0
    sums = np.zeros((len(taken), width), np.int64)
    for d, values in enumerate(columns):
        size = len(values) * width
        part = np.array(flat[at : at + size], np.int64).reshape(len(values), width)
        sums += part[taken[:, d]]
        at += size
    different, which = np.unique(sums, axis=0, return_inverse=True)
    results, result_scale = whole([fold(tuple(Fraction(int(v), scale) for v in row)) for row in different])
    below(2**60, results)
    return np.array(results, np.int64)[which.reshape(-1)], result_scale


class Every(NamedTuple):
    """All plans that keep the hard rules: ``taken`` (plans, demands) the option of each demand; ``lost``: what soft rules
    take of each, in whole numbers of so many points."""

    reading: Reading
    options: list[list[dict[Cell, int]]]
    taken: np.ndarray
    lost: list[tuple[np.ndarray, Fraction]]

    def levels(self) -> Iterator[tuple[np.ndarray, int]]:
        """What each plan has of each level of the objective (the first net of what soft rules take), over a scale."""
        for rank, level in enumerate(self.reading.levels):
            columns = [[level_parts(self.reading, level, plan) for plan in plans] for plans in self.options]
            gain, scale = folded(columns, self.taken, lambda parts, level=level: level_value(level, parts))
            if rank == 0:
                common = math.lcm(scale, *(price.denominator for _, price in self.lost))
                below(2**60 // common, [int(np.abs(gain).max())])
                gain = gain * (common // scale)
                for missed, price in self.lost:
                    gain = gain - missed * int(price * common)
                scale = common
            yield gain, scale


def nondominated(scenario: Any, most: int = MOST_PLANS) -> set[tuple[Fraction, ...]]:
    """The values of all levels of the objective, more being better, that no plan of a tiny scenario beats."""
    every = every_plan(scenario, most)
    if not len(every.taken):
        return set()
    gains = list(every.levels())
    values = np.unique(np.column_stack([gain for gain, _ in gains]), axis=0)
    kept = [v for v in values if not ((values >= v).all(axis=1) & (values > v).any(axis=1)).any()]
    return {tuple(Fraction(int(n), scale) for n, (_, scale) in zip(v, gains, strict=True)) for v in kept}


def brute_force(scenario: Any, most: int = MOST_PLANS) -> Best:
    """The best plan of a tiny scenario; ``TooMany`` where it is not tiny."""
    every = every_plan(scenario, most)
    reading, options, taken, _ = every
    if not len(taken):
        return Best("infeasible", None, None, None)
    best: list[Fraction] = []
    left = np.ones(len(taken), bool)
    for gain, scale in every.levels():
        most_here = gain[left].max()
        best.append(Fraction(int(most_here), scale))
        left &= gain == most_here
    taken = taken[left]
    spent = np.zeros(len(taken), dtype=np.int64)
    for d, plans in enumerate(options):
        spent += np.array([sum(plan.values()) for plan in plans], dtype=np.int64)[taken[:, d]]
    first = int(np.argmin(spent))
    plan = {cell: cents for d, plans in enumerate(options) for cell, cents in plans[taken[first, d]].items()}
    levels = tuple(-v if of.kind == "minimise" else v for v, of in zip(best, reading.levels, strict=True))
    return Best("optimal", levels[0], int(spent[first]), plan, levels)


def every_plan(scenario: Any, most: int = MOST_PLANS) -> Every:
    """Every plan of a tiny scenario; ``TooMany`` where it is not tiny."""
    reading = Reading(scenario)
    empty = list(lines(reading, {}))
    options = [plans_of(reading, demand) for demand in reading.demands.values()]
    judged: list[list[list[Line | Joint]]] = [[list(lines(reading, plan)) for plan in plans] for plans in options]

    # One-sided totals. Hard: `Σ parts <= limit`; soft: `loss = points × max(0, Σ parts − limit)`.
    hard: list[tuple[list[np.ndarray], int]] = []
    soft: list[tuple[list[np.ndarray], int, Fraction]] = []
    for k, line in enumerate(empty):
        if isinstance(line, Joint):
            continue
        for sign, limit in ((1, line.high), (-1, line.low)):
            if limit is None:
                continue
            slack = 1 if line.points is None else 0
            parts = [[sign * j[k].value - slack * j[k].loose for j in judgements] for judgements in judged]
            if not any(value for values in parts for value in values) and limit * sign >= 0:
                continue
            numbers, scale = whole([*(value for values in parts for value in values), sign * limit])
            below(2**50, numbers)
            bound, at, columns = numbers[-1], 0, []
            for values in parts:
                columns.append(np.array(numbers[at : at + len(values)], dtype=np.int64))
                at += len(values)
            if line.points is None:
                hard.append((columns, bound))
            elif line.points:
                soft.append((columns, bound, line.points / scale))

    # All combinations, demand by demand: index of the option taken, and the running totals.
    taken = np.zeros((1, 0), dtype=np.int32)
    totals = np.zeros((1, len(hard)), dtype=np.int64)
    for d, plans in enumerate(options):
        if len(taken) * len(plans) > most:
            raise TooMany(len(taken) * len(plans))
        left = np.repeat(np.arange(len(taken)), len(plans))
        right = np.tile(np.arange(len(plans)), len(taken))
        keep = np.ones(len(left), dtype=bool)
        for h, (columns, bound) in enumerate(hard):
            still = sum(int(column.min()) for column in columns[d + 1 :])
            keep &= totals[left, h] + columns[d][right] + still <= bound
        left, right = left[keep], right[keep]
        taken = np.column_stack([taken[left], right.astype(np.int32)])
        totals = np.column_stack([totals[left, h] + columns[d][right] for h, (columns, _) in enumerate(hard)] or [left])
        if not hard:
            totals = np.zeros((len(left), 0), dtype=np.int64)

    # What sums miss together: hard ones leave, soft ones are priced.
    lost: list[tuple[np.ndarray, Fraction]] = []
    for hardness in (True, False):
        for k, line in enumerate(empty):
            if isinstance(line, Joint) and (line.points is None) == hardness and len(taken):
                columns = [[j[k].values for j in judgements] for judgements in judged]
                missed, scale = folded(columns, taken, line.missed)
                if hardness:
                    taken = taken[missed == 0]
                elif line.points:
                    lost.append((missed, line.points / scale))
    if not len(taken):
        return Every(reading, options, taken, [])
    for columns, bound, price in soft:
        sums = sum((columns[d][taken[:, d]] for d in range(len(options))), np.zeros(len(taken), np.int64))
        lost.append((np.maximum(sums - bound, 0), price))
    return Every(reading, options, taken, lost)
