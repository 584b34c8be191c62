"""How good a plan could be at best: a bound recomputed in whole numbers from the scenario and any multipliers.

For multipliers π of the scenario's rows (any numbers of the right sign),

    best plan ≤ Σ_r π_r · side_r + Σ_i  max over what demand i may take alone of (value − Σ_r π_r · its part in row r).

A demand alone takes its cheapest eligible cells under π; its term has a closed form. No class of demands, no program
and no engine enters; a wrong quotient can therefore not certify itself. Multipliers are rounded to whole numbers first:
any multipliers give a true bound, rounded ones a hardly weaker one.

A `Proof` is a tree: each leaf is a box with multipliers that bound it, or (Farkas) that show it empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import log2

import numpy as np

from allocator.reading import weighted_units
from allocator.space import Exact, Row, Space

ALL_YEARS = -1
SERVED = -2


@dataclass(frozen=True)
class Cut:
    """Steps (or, for `SERVED`, 0 and 1) of one demand in one year position, `ALL_YEARS` together or being `SERVED`."""

    demand: int
    year: int
    lower: int
    upper: int


@dataclass(frozen=True, eq=False)
class Proof:
    """A node. `multipliers` (rows of the scenario,) floats, points per whole number of the row; `farkas`: they bound the
    scenario without objective below zero. `fixed`: ranges outside which these multipliers bound the node; `halves`:
    the two ranges that cover what is left, each with its own proof."""

    multipliers: np.ndarray
    farkas: bool = False
    fixed: tuple[Cut, ...] = ()
    halves: tuple[tuple[Cut, Proof], tuple[Cut, Proof]] | None = None

    def leaves(self) -> int:
        return 1 if self.halves is None else sum(half.leaves() for _, half in self.halves)


@dataclass
class Span:
    """What a proof leaves one demand: steps by year and in all, being served or not."""

    low: list[int]
    high: list[int]
    fewest: int
    most: int
    served: tuple[int, int] = (0, 1)

    def within(self, cut: Cut) -> Span:
        """Narrowed to `cut`."""
        if cut.year == SERVED:
            return replace(self, served=(max(self.served[0], cut.lower), min(self.served[1], cut.upper)))
        if cut.year == ALL_YEARS:
            return replace(self, fewest=max(self.fewest, cut.lower), most=min(self.most, cut.upper))
        low, high = list(self.low), list(self.high)
        low[cut.year], high[cut.year] = max(low[cut.year], cut.lower), min(high[cut.year], cut.upper)
        return replace(self, low=low, high=high)

    def outside(self, cut: Cut) -> Iterator[Span]:
        """The two sides that `cut` leaves out."""
        huge = max(self.most, 1)
        yield self.within(Cut(cut.demand, cut.year, 0, cut.lower - 1))
        yield self.within(Cut(cut.demand, cut.year, cut.upper + 1, max(huge, cut.upper + 1)))


class Priced:
    """The scenario under one vector of multipliers: what each demand is worth alone, in whole numbers.

    Numbers are points × `scale`. `worth` (Y, n) per unit after its cheapest cells; `able` (Y, n) whether the year's funds
    can pay a unit; `toll` (n,) what being served costs; `base` Σ π · side.
    """

    def __init__(self, space: Space, multipliers: np.ndarray, *, farkas: bool = False) -> None:
        self.space = space
        values, value_scale = space.scenario.objective.values(space)
        whole, self.scale, fits = _whole_multipliers(space, multipliers, value_scale, farkas)
        funds, years = space.shape
        price = np.zeros((funds, years, space.n), np.int64 if fits else object)  # per cent
        per_unit = np.zeros((years, space.n), object)
        self.toll = np.zeros(space.n, object)
        by_cell: np.ndarray | None = None
        self.base: Exact = 0
        for (rule, row), factor in zip(space.rows, whole, strict=True):
            if not factor:
                continue
            side = row.upper if factor > 0 else row.lower
            self.base += factor * (side or 0)
            if rule.soft is None and row.lower == row.upper:
                self.base += abs(factor) * _cents_worth(space, row)
            for term in row.terms:
                if not len(term.demands):
                    continue
                if term.of == "served":
                    self.toll[term.demands] += factor * term.weights.astype(object)
                elif term.of == "cents":
                    for f, y in np.argwhere(term.cells):
                        price[f, y, term.demands] += factor * int(term.cells[f, y]) * term.weights
                elif (term.cells == term.cells[:1]).all():
                    amount = factor * term.weights.astype(object)
                    for y in np.flatnonzero(term.cells[0]):
                        per_unit[y, term.demands] += int(term.cells[0, y]) * amount
                else:
                    by_cell = np.zeros(price.shape, object) if by_cell is None else by_cell
                    amount = factor * term.weights.astype(object)
                    for f, y in np.argwhere(term.cells):
                        by_cell[f, y, term.demands] += int(term.cells[f, y]) * amount
        cheapest, self.able, self.extra, few = self._cheapest(price, by_cell)
        gain = np.zeros(space.n, object) if farkas else values * (self.scale // value_scale)
        self.worth = gain - per_unit - cheapest
        if few.any():  # cents that only rounding up lets through
            asked = space.asked.astype(object)
            self.extra += np.maximum(-(-self.worth * few // asked), 0).sum(axis=0)

    def _cheapest(
        self, price: np.ndarray, by_cell: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Price of a unit in each year (Y, n) from its cheapest cells, rounded down, and whether they can pay it (Y, n).

        Rate caps are rounded up to the cent. Where units are whole, that is in the caps of a unit. Elsewhere each capped
        cell may hold one cent more: at best it saves `extra` (n,), and where the year's rates add up to less than a unit
        it lets `few` (Y, n) cents through.
        """
        space = self.space
        cheapest, few = np.zeros(price.shape[1:], object), np.zeros(price.shape[1:], object)
        able, extra = np.zeros(price.shape[1:], bool), np.zeros(space.n, object)
        for k, pattern in enumerate(space.patterns):
            members = np.flatnonzero(space.pattern == k)
            asked = space.asked[members].astype(object)
            plain = by_cell is None and not space.capped[members].any()
            caps, common = space.unit_caps(k, members, rounded_up=True) if not plain else (np.zeros(0), 1)
            for y in np.flatnonzero(pattern.years):
                funds = np.flatnonzero(pattern.eligible[:, y])
                cents = price[np.ix_(funds, [y], members)][:, 0]
                if plain:
                    cheapest[y, members] = asked * cents.min(axis=0)
                    able[y, members] = True
                    continue
                # of a unit, c cents in a cell cost c · (price + by_cell / asked): kept whole by a factor asked
                unit = cents.astype(object) * asked
                if by_cell is not None:
                    unit = unit + by_cell[np.ix_(funds, [y], members)][:, 0]
                order = np.argsort(unit, axis=0, kind="stable")
                left, paid = asked * common, np.zeros(len(members), object)
                here = np.arange(len(members))
                for rank in range(len(funds)):
                    chosen = order[rank]
                    take = np.minimum(left, caps[funds[chosen], y, here])
                    paid, left = paid + take * unit[chosen, here], left - take
                enough = (left == 0).astype(bool)
                able[y, members] = enough
                cheapest[y, members] = np.where(enough, paid // (asked * common), unit.min(axis=0))
                tight = (caps[funds, y] < asked * common) & ~space.lumpy[members]
                extra[members] += (-(-(unit.max(axis=0) - unit) // asked) * tight).sum(axis=0)
                beyond = tight.sum(axis=0) * asked * common // np.where(enough, 1, left)
                few[y, members] = np.where(enough, 0, beyond)
        return cheapest, able, extra, few

    def bound(self, spans: dict[int, Span]) -> Fraction | None:
        """Points that no plan exceeds, the demands of `spans` kept within them; None when there is no plan at all."""
        total = self._free_terms(spans)
        for i, span in spans.items():
            term = self.term(i, span)
            if total is None or term is None:
                return None
            total += term
        return None if total is None else Fraction(self.base + total) / self.scale

    def free_span(self, i: int) -> Span:
        """What the scenario alone leaves demand i."""
        low, high = self.space.boxes
        years = self.space.shape[1]
        return Span([0] * years, [int(high[i])] * years, int(low[i]), int(high[i]))

    def term(self, i: int, span: Span) -> int | None:
        """The most that demand i is worth alone within `span`; None if it can take nothing there."""
        space = self.space
        options = []
        empty = any(low > high for low, high in zip(span.low, span.high, strict=True))
        if empty or span.fewest > span.most or span.served[0] > span.served[1]:
            return None
        if not any(low > 0 for low in span.low) and span.fewest <= 0 and span.served[0] == 0:
            options.append(0)
        if span.served[1] == 1 and self.extra[i] and not self.able[:, i].any():
            options.append(int(self.extra[i]) - int(self.toll[i]))
        if span.served[1] == 1:
            able = [y for y in range(len(span.low)) if self.able[y, i]]
            room = {y: min(span.high[y], span.most) for y in able}
            taken = {y: max(span.low[y], 0) for y in able}
            fewest = max(span.fewest, int(space.least[i]))
            stuck = any(span.low[y] > 0 for y in range(len(span.low)) if y not in taken)
            if not stuck and all(taken[y] <= room[y] for y in able):
                count, worth = sum(taken.values()), sum(int(self.worth[y, i]) * t for y, t in taken.items())
                for y in sorted(able, key=lambda y: -self.worth[y, i]):
                    each = int(self.worth[y, i])
                    wanted = span.most - count if each > 0 else fewest - count
                    more = max(0, min(wanted, room[y] - taken[y]))
                    count, worth = count + more, worth + more * each
                if fewest <= count <= span.most:
                    if not space.lumpy[i]:
                        worth = -(-worth // int(space.asked[i]))
                    options.append(worth + int(self.extra[i]) - int(self.toll[i]))
        return max(options, default=None)

    def _free_terms(self, spans: dict[int, Span]) -> int | None:
        """Σ terms of the demands outside `spans`, all at once."""
        space = self.space
        low, high = space.boxes
        others = np.ones(space.n, bool)
        others[list(spans)] = False
        nobody = ~self.able.any(axis=0)
        stuck = nobody & (self.extra == 0).astype(bool)
        if np.any(others & ((low > high) | ((low > 0) & stuck))):
            return None
        floor = -(1 << 400)
        best = np.where(self.able, self.worth, floor).max(axis=0) if len(self.worth) else np.zeros(0, object)
        fewest = np.maximum(low, space.least)
        steps = np.where((best > 0).astype(bool), high, fewest).astype(object)
        total = best * steps
        loose = ~space.lumpy
        total[loose] = -(-total[loose] // space.asked[loose].astype(object))
        served = np.where(nobody, 0, total) + self.extra - self.toll
        possible = (high >= fewest) & ~stuck
        term = np.where(low > 0, served, np.where(possible, np.maximum(served, 0), 0))
        return int(term[others].sum()) if others.any() else 0


def _cents_worth(space: Space, row: Row) -> Exact:
    """At most what an equality may be missed by for want of smaller coins: one cent for each grant that it covers."""
    total: Exact = 0
    for term in row.terms:
        if term.of == "served":
            continue
        loose = ~space.lumpy[term.demands] if term.of == "units" else np.ones(len(term.demands), bool)
        demands, weights = term.demands[loose], np.abs(term.weights[loose])
        eligible = np.array([p.eligible[term.cells != 0].sum() for p in space.patterns], np.int64)
        size = int(np.abs(term.cells).max(initial=0))
        asked = space.asked[demands] if term.of == "units" else np.ones(len(demands), np.int64)
        total += size * weighted_units(weights, eligible[space.pattern[demands]], asked)
    return total


def _whole_multipliers(space: Space, floats: np.ndarray, value_scale: int, farkas: bool) -> tuple[list[int], int, bool]:
    """Multipliers as whole numbers of the right sign, how many of them make a point, and whether prices fit int64."""
    reach = 0.0
    for (_, row), value in zip(space.rows, floats, strict=True):
        for term in row.terms:
            if term.of == "cents" and value and len(term.demands):
                largest = max(abs(int(term.weights.max())), abs(int(term.weights.min())))
                reach += abs(float(value)) * largest * int(np.abs(term.cells).max(initial=0))
    bits = 60 - int(np.ceil(log2(reach * value_scale))) if reach > 0 else 60
    scale = 2 ** max(bits, 0) * value_scale
    whole = []
    for (rule, row), value in zip(space.rows, floats, strict=True):
        number = round(Fraction(float(value)) * scale) if np.isfinite(value) else 0
        if rule.soft is not None:
            most = 0 if farkas else int(rule.soft / row.scale * scale)
            number = max(-most, min(most, number))
        if (number > 0 and row.upper is None) or (number < 0 and row.lower is None):
            number = 0
        whole.append(number)
    return whole, scale, bits >= 0


def prove(space: Space, proof: Proof) -> Fraction | None:
    """The bound that a proof gives: what no plan exceeds. None: there is no plan. Raises ValueError for a broken proof."""

    free = Priced(space, np.zeros(len(space.rows)))

    def walk(node: Proof, spans: dict[int, Span]) -> Fraction | None:
        found: list[Fraction] = []
        spans = dict(spans)
        if node.halves is None or node.fixed:
            priced = Priced(space, node.multipliers, farkas=node.farkas)
            here = priced.bound(spans)
            if here is None or (node.farkas and here < 0):
                return None
            if node.farkas:
                raise ValueError("the multipliers do not show that the box is empty")
            for cut in node.fixed:
                span = spans.get(cut.demand) or priced.free_span(cut.demand)
                mine = priced.term(cut.demand, span)
                for side in span.outside(cut):
                    term = priced.term(cut.demand, side)
                    if mine is not None and term is not None:
                        found.append(here + Fraction(term - mine, priced.scale))
                spans[cut.demand] = span.within(cut)
        if node.halves is None:
            inside = priced.bound(spans)
            found += [inside] if inside is not None else []
        else:
            (left, _), (right, _) = node.halves
            if (left.demand, left.year) != (right.demand, right.year) or left.upper + 1 < right.lower:
                raise ValueError("the two halves do not cover the box")
            for half, child in node.halves:
                span = spans.get(half.demand) or free.free_span(half.demand)
                top = 1 if half.year == SERVED else span.most
                if (half is left and half.lower > 0) or (half is right and half.upper < top):
                    raise ValueError("the two halves do not cover the box")
                value = walk(child, {**spans, half.demand: span.within(half)})
                found += [value] if value is not None else []
        return max(found, default=None)

    return walk(proof, {})
