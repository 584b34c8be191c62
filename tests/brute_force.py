"""Every plan there is, in whole cents, for scenarios of a few cents.

Each demand's own plans are listed one by one (so many cents from this fund in that year), judged in exact
fractions by ``textbook.lines``; since every line adds up over demands, all combinations are then summed as
integers and none is left out: a combination is dropped early only where what the remaining demands could
still add cannot repair it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from textbook import Cell, Demand, Line, Reading, lines, value_of

MOST_PLANS = 4_000_000  # combinations held at once: beyond, the scenario is not tiny


class Best(NamedTuple):
    """The exact optimum. ``cents``: the least money that reaches it. ``plan``: one that does."""

    status: str  # "optimal" | "infeasible"
    objective: Fraction | None
    cents: int | None
    plan: dict[Cell, int] | None


def compositions(total: int, cells: int) -> Iterator[tuple[int, ...]]:
    """Every way to pay at most ``total`` cents from ``cells`` purses."""
    if cells == 0:
        yield ()
        return
    for first in range(total + 1):
        for rest in compositions(total - first, cells - 1):
            yield (first, *rest)


def plans_of(reading: Reading, demand: Demand) -> list[dict[Cell, int]]:
    """Every plan of one demand by itself, the empty one first."""
    cells = reading.cells_of[demand.id]
    most = math.floor(demand.units * demand.asked)
    return [
        {cell: cents for cell, cents in zip(cells, paid, strict=True) if cents}
        for paid in compositions(most, len(cells))
    ]


def whole(fractions: list[Fraction]) -> tuple[list[int], int]:
    """Fractions times their least common denominator, and that denominator."""
    scale = math.lcm(*(f.denominator for f in fractions)) if fractions else 1
    return [int(f * scale) for f in fractions], scale


def brute_force(scenario: Any) -> Best:
    """The best plan of a tiny scenario; AssertionError where it is not tiny."""
    reading = Reading(scenario)
    empty = list(lines(reading, {}))
    options = [plans_of(reading, demand) for demand in reading.demands.values()]
    judged: list[list[list[Line]]] = [[list(lines(reading, plan)) for plan in plans] for plans in options]

    # One-sided totals. Hard: `Σ parts <= limit`; soft: `loss = points × max(0, Σ parts − limit)`.
    hard: list[tuple[list[np.ndarray], int]] = []
    soft: list[tuple[list[np.ndarray], int, Fraction]] = []
    for k, line in enumerate(empty):
        for sign, limit in ((1, line.high), (-1, line.low)):
            if limit is None:
                continue
            slack = 1 if line.points is None else 0
            parts = [[sign * j[k].value - slack * j[k].loose for j in judgements] for judgements in judged]
            if not any(value for values in parts for value in values) and limit * sign >= 0:
                continue
            numbers, scale = whole([*(value for values in parts for value in values), sign * limit])
            assert max(map(abs, numbers)) < 2**50
            bound, at, columns = numbers[-1], 0, []
            for values in parts:
                columns.append(np.array(numbers[at : at + len(values)], dtype=np.int64))
                at += len(values)
            if line.points is None:
                hard.append((columns, bound))
            elif line.points:
                soft.append((columns, bound, line.points / scale))
    gains, gain_scale = whole([value_of(reading, plan) for plans in options for plan in plans])
    at, gain = 0, []
    for plans in options:
        gain.append(np.array(gains[at : at + len(plans)], dtype=np.int64))
        at += len(plans)

    # All combinations, demand by demand: index of the option taken, and the running totals.
    taken = np.zeros((1, 0), dtype=np.int32)
    totals = np.zeros((1, len(hard)), dtype=np.int64)
    for d, plans in enumerate(options):
        assert len(taken) * len(plans) <= MOST_PLANS, "not tiny"
        left = np.repeat(np.arange(len(taken)), len(plans))
        right = np.tile(np.arange(len(plans)), len(taken))
        keep = np.ones(len(left), dtype=bool)
        for h, (columns, bound) in enumerate(hard):
            still = sum(int(column.min()) for column in columns[d + 1 :])
            keep &= totals[left, h] + columns[d][right] + still <= bound
        left, right = left[keep], right[keep]
        taken = np.column_stack([taken[left], right.astype(np.int32)])
        totals = np.column_stack(
            [totals[left, h] + columns[d][right] for h, (columns, _) in enumerate(hard)] or [left]
        )
        if not hard:
            totals = np.zeros((len(left), 0), dtype=np.int64)
    if not len(taken):
        return Best("infeasible", None, None, None)

    scale = math.lcm(gain_scale, *(price.denominator for _, _, price in soft))
    net = sum((gain[d][taken[:, d]] for d in range(len(options))), np.zeros(len(taken), np.int64)) * (
        scale // gain_scale
    )
    for columns, bound, price in soft:
        missed = (
            sum((columns[d][taken[:, d]] for d in range(len(options))), np.zeros(len(taken), np.int64))
            - bound
        )
        net = net - np.maximum(missed, 0) * int(price * scale)
    spent = np.zeros(len(taken), dtype=np.int64)
    for d, plans in enumerate(options):
        spent += np.array([sum(plan.values()) for plan in plans], dtype=np.int64)[taken[:, d]]
    best = np.flatnonzero(net == net.max())
    first = best[np.argmin(spent[best])]
    plan = {cell: cents for d, plans in enumerate(options) for cell, cents in plans[taken[first, d]].items()}
    return Best("optimal", Fraction(int(net.max()), scale), int(spent[first]), plan)
