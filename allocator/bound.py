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
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations
from math import lcm, log2
from typing import Literal

import numpy as np

from allocator.reading import weighted_units
from allocator.space import Auxiliary, Exact, Row, Space, Term

ALL_YEARS = -1


@dataclass(frozen=True)
class Cut:
    """What a proof leaves one demand: steps in year position `at` (`ALL_YEARS`: together); or, 0 to 1, being "served" up
    to year position `at`, or being "paid" by fund `at`. Or what it leaves one family (`space.families`, its position in
    `demand`): "counted" units of all its demands together."""

    demand: int
    at: int
    lower: int
    upper: int
    of: Literal["steps", "served", "paid", "counted"] = "steps"


@dataclass(frozen=True, eq=False)
class Proof:
    """A node. `multipliers` (rows of the scenario, then families where the proof splits on them,) floats, points per whole
    number of the row or per unit; `farkas`: they bound the
    scenario without objective below zero, or else, where whole cents leave plans possible, `otherwise` are multipliers
    that bound it. `fixed`: ranges outside which these multipliers bound the node; `halves`:
    the two ranges that cover what is left, each with its own proof. `parts` (at the root): groups of demands (k,) that
    share no row with a multiplier, each with its own proof, which sees only the rows of its group; together all demands."""

    multipliers: np.ndarray
    farkas: bool = False
    fixed: tuple[Cut, ...] = ()
    halves: tuple[tuple[Cut, Proof], tuple[Cut, Proof]] | None = None
    otherwise: np.ndarray | None = None
    parts: tuple[tuple[np.ndarray, Proof], ...] = ()

    def of_leaves(self) -> Iterator[np.ndarray]:
        """The multipliers of every leaf."""
        open_nodes = [self]  # no recursion: a plunge may be deeper than Python's stack
        while open_nodes:
            node = open_nodes.pop()
            below = [proof for _, proof in (*(node.halves or ()), *node.parts)]
            open_nodes += below
            if not below:
                yield node.multipliers

    def leaves(self) -> int:
        return sum(1 for _ in self.of_leaves())


Counts = dict[int, tuple[int | None, int | None]]
"""What a proof leaves families: by position, the fewest and the most units in all."""


@dataclass
class Span:
    """What a proof leaves one demand: steps by year and in all; being served up to each year; being paid by a fund."""

    low: list[int]
    high: list[int]
    fewest: int
    most: int
    served: list[tuple[int, int]]
    paid: dict[int, tuple[int, int]] = field(default_factory=dict)

    def within(self, cut: Cut) -> Span:
        """Narrowed to `cut`."""
        if cut.of == "served":
            served = list(self.served)
            served[cut.at] = _both(served[cut.at], cut)
            return replace(self, served=served)
        if cut.of == "paid":
            return replace(self, paid={**self.paid, cut.at: _both(self.paid.get(cut.at, (0, 1)), cut)})
        if cut.at == ALL_YEARS:
            return replace(self, fewest=max(self.fewest, cut.lower), most=min(self.most, cut.upper))
        low, high = list(self.low), list(self.high)
        low[cut.at], high[cut.at] = max(low[cut.at], cut.lower), min(high[cut.at], cut.upper)
        return replace(self, low=low, high=high)

    def outside(self, cut: Cut) -> Iterator[Span]:
        """The two sides that `cut` leaves out."""
        huge = max(self.most, 1)
        yield self.within(replace(cut, lower=0, upper=cut.lower - 1))
        yield self.within(replace(cut, lower=cut.upper + 1, upper=max(huge, cut.upper + 1)))

    @property
    def empty(self) -> bool:
        ranges = [*zip(self.low, self.high, strict=True), (self.fewest, self.most), *self.served, *self.paid.values()]
        return any(low > high for low, high in ranges)

    @property
    def may_be_nothing(self) -> bool:
        lows = [*self.low, self.fewest, *(low for low, _ in self.served), *(low for low, _ in self.paid.values())]
        return all(low <= 0 for low in lows)


def _both(have: tuple[int, int], cut: Cut) -> tuple[int, int]:
    return max(have[0], cut.lower), min(have[1], cut.upper)


def free_span(space: Space, i: int) -> Span:
    """What the scenario alone leaves demand i."""
    low, high = space.boxes
    years = space.shape[1]
    return Span([0] * years, [int(high[i])] * years, int(low[i]), int(high[i]), [(0, 1)] * years)


@dataclass(frozen=True)
class Way:
    """One demand paid by one set of funds: worth (Y,) of a unit of each year, whether they can pay it (Y,), what rounding
    rates up to the cent may add, and how many cents it lets through where they cannot; the toll of being paid by them, and
    the fewest steps that makes."""

    worth: list[int]
    able: list[bool]
    extra: int
    few: int
    toll: int = 0
    fewest: int = 0


class Priced:
    """The scenario under one vector of multipliers: what each demand is worth alone, in whole numbers.

    Numbers are points × `scale`. `flat` (n,) and `price` (F, Y, n) per cent, the first wherever it is paid; `lowest` (Y, n)
    per cent in the cheapest cell of a year, `able` (Y, n) whether the year's funds can pay a unit; `toll` (Y, n) what being
    served up to a year costs, `paid` (demand: (F,)) what being paid by a fund does; `base` Σ π · side, and what auxiliaries
    are worth at best. Where rates or prices by unit and fund decide (`knotty`), `worth` (Y, n) is per unit after its
    cheapest cells.
    """

    def __init__(
        self, space: Space, multipliers: np.ndarray, *, farkas: bool = False, counts: Counts | None = None
    ) -> None:
        self.space = space
        aim = space.aim
        rows = len(space.rows)
        whole, self.scale, fits = _whole_multipliers(space, multipliers[:rows], aim.scale, farkas)
        funds, years = space.shape
        kind = np.int64 if fits else object
        self.flat = np.zeros(space.n, kind)
        self.price = np.zeros((funds, years, space.n), kind)
        self.by_cell: np.ndarray | None = None
        self.toll: np.ndarray | None = None
        self.paid: dict[int, list[int]] = {}
        self._kept: dict[tuple[int, frozenset[int], frozenset[int]], Way] = {}
        self.base: Exact = 0
        # points × scale for a unit, whenever it is paid; and what more or less in a year
        self.gain = np.zeros(space.n, object) if farkas else aim.values * (self.scale // aim.scale)
        self.in_year: np.ndarray | None = None
        reduced: dict[Auxiliary, Exact] = {}
        if not farkas:
            for auxiliary, weight in aim.auxiliaries:
                reduced[auxiliary] = reduced.get(auxiliary, 0) + weight * self.scale
        for (_, row), (lower, upper), price, factor in zip(space.rows, space.sides, space.prices, whole, strict=True):
            if not factor:
                continue
            side = upper if factor > 0 else lower
            self.base += factor * (side or 0) + abs(factor) * row.rounding
            if price is None and row.lower == row.upper:
                self.base += abs(factor) * _cents_worth(space, row)
            for auxiliary, coefficient in row.auxiliaries:
                reduced[auxiliary] = reduced.get(auxiliary, 0) - factor * coefficient
            for term in row.terms:
                if len(term.demands):
                    self._add(term, factor)
        for k, (fewest, most) in (counts or {}).items():
            factor = round(float(multipliers[rows + k]) * self.scale) if rows + k < len(multipliers) else 0
            side = most if factor > 0 else fewest
            if side is not None:
                self.base += factor * side
                self.gain[space.families[k]] -= factor
        for auxiliary, worth in reduced.items():
            self.base += max(worth * auxiliary.lower, worth * auxiliary.upper)
        self.able = np.zeros((years, space.n), bool)
        self.lowest = np.zeros((years, space.n), kind)
        self.knotty = space.capped if self.by_cell is None else np.ones(space.n, bool)
        self.worth = np.zeros((years, space.n if self.knotty.any() else 0), object)
        self.extra, self.few = np.zeros((2, space.n if self.knotty.any() else 0), object)
        for k, pattern in enumerate(space.patterns):
            members = np.flatnonzero(space.pattern == k)
            knotty = self.knotty[members]
            if not knotty.all():
                self._price_plain(members[~knotty], pattern.sets())
            if knotty.any():
                self._price_knotty(k, members[knotty], pattern.sets())
        self.slow = np.isin(np.arange(space.n), list(self.paid)) if self.paid else np.zeros(space.n, bool)
        if self.toll is not None:
            self.slow |= (self.toll[:-1] != 0).any(axis=0)

    def _add(self, term: Term, factor: int) -> None:
        space, cells = self.space, term.cells
        everyone = len(term.demands) == space.n and np.ndim(term.weight) == 0
        if term.of == "cents":
            amount = factor * (int(term.weight) if everyone else term.weights)
            if (cells == cells.flat[0]).all():
                self.flat[slice(None) if everyone else term.demands] += int(cells.flat[0]) * amount
                return
            for f, y in np.argwhere(cells):
                if everyone:
                    self.price[f, y] += int(cells[f, y]) * amount
                else:
                    self.price[f, y, term.demands] += int(cells[f, y]) * amount
            return
        amount = factor * term.weights.astype(object)
        if term.of == "served":
            if self.toll is None:
                self.toll = np.zeros(self._by_year, object)
            self.toll[int(np.flatnonzero(cells[0])[-1]), term.demands] += amount
        elif term.of == "paid":
            for i, each in zip(term.demands.tolist(), amount, strict=True):
                tolls = self.paid.setdefault(i, [0] * len(cells))
                for f in np.flatnonzero(cells[:, 0]).tolist():
                    tolls[f] += int(cells[f, 0]) * each
        elif (cells == cells.flat[0]).all():
            self.gain[term.demands] -= int(cells.flat[0]) * amount
        elif (cells == cells[:1]).all():
            if self.in_year is None:
                self.in_year = np.zeros(self._by_year, object)
            for y in np.flatnonzero(cells[0]):
                self.in_year[y, term.demands] -= int(cells[0, y]) * amount
        else:
            if self.by_cell is None:
                self.by_cell = np.zeros(self.price.shape, object)
            for f, y in np.argwhere(cells):
                self.by_cell[f, y, term.demands] += int(cells[f, y]) * amount

    @property
    def _by_year(self) -> tuple[int, int]:
        return self.price.shape[1], self.space.n

    def _gain(self, members: np.ndarray, year: int) -> np.ndarray:
        """(k,) what a unit in that year is worth before its money."""
        gain = self.gain[members]
        return np.asarray(gain if self.in_year is None else gain + self.in_year[year, members])

    def _price_plain(self, members: np.ndarray, sets: list[frozenset[int]]) -> None:
        """The cheapest cell of each year: whatever sets of funds may pay together, one fund alone may."""
        eligible = self.space.patterns[self.space.pattern[members[0]]].eligible
        allowed = sorted(frozenset[int]().union(*sets))
        everyone = len(members) == self.space.n
        for y in range(len(self.lowest)):
            funds = [f for f in allowed if eligible[f, y]]
            if funds:
                if everyone:
                    cheapest = self.price[funds, y].min(axis=0)
                else:
                    cheapest = np.min([self.price[f, y, members] for f in funds], axis=0)
                self.lowest[y, members] = self.flat[members] + cheapest
                self.able[y, members] = True

    def _price_knotty(self, k: int, members: np.ndarray, sets: list[frozenset[int]]) -> None:
        """Worth of these members of pattern k: for each the cheapest of the sets of funds that may pay together."""
        gain = np.array([self._gain(members, y) for y in range(len(self.worth))], object)
        for one in sets:
            cheapest, able, extra, few, few_price = self._cheapest(k, members, one)
            worth = gain - cheapest
            known = self.able[:, members]
            better = able & (~known | (worth > self.worth[:, members]).astype(bool))
            self.worth[:, members] = np.where(better, worth, self.worth[:, members])
            self.able[:, members] = known | able
            extra = extra + self._of_few(members, few, few_price)
            self.extra[members] = np.maximum(self.extra[members], extra)
            self.few[members] = np.maximum(self.few[members], few.sum(axis=0))

    def _of_few(self, members: np.ndarray, few: np.ndarray, price: np.ndarray) -> np.ndarray:
        """(k,) what cents that only rounding up lets through may add."""
        if not few.any():
            return np.zeros(len(members), object)
        asked = self.space.asked[members].astype(object)
        gain = np.array([self._gain(members, y) for y in range(len(price))], object)
        return np.maximum(-(-(gain - price) * few // asked), 0).sum(axis=0)

    def _cheapest(
        self, k: int, members: np.ndarray, allowed: frozenset[int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """For members (m,) of pattern k paid by `allowed` funds: price of a unit in each year (Y, m) from the cheapest
        cells, rounded down; whether they can pay it (Y, m).

        Rate caps are rounded up to the cent. Where units are whole, that is in the caps of a unit. Elsewhere each capped
        cell may hold one cent more: at best it saves `extra` (m,) of the dearest cell in use, and where the year's rates add up to less than a unit
        it lets `few` (Y, m) cents through, at a price (Y, m).
        """
        space, pattern = self.space, self.space.patterns[k]
        years, size = self.price.shape[1], len(members)
        cheapest, few = np.zeros((years, size), object), np.zeros((years, size), object)
        few_price = np.zeros((years, size), object)
        able, extra = np.zeros((years, size), bool), np.zeros(size, object)
        asked = space.asked[members].astype(object)
        plain = self.by_cell is None and not space.capped[members].any()
        caps, common = space.unit_caps(k, members, rounded_up=True) if not plain else (np.zeros(0), 1)
        for y in np.flatnonzero(pattern.years):
            funds = np.array([f for f in np.flatnonzero(pattern.eligible[:, y]) if f in allowed], int)
            if not len(funds):
                continue
            cents = self.flat[members] + self.price[np.ix_(funds, [y], members)][:, 0]
            if plain:
                cheapest[y] = asked * cents.min(axis=0)
                able[y] = True
                continue
            # of a unit, c cents in a cell cost c · (price + by_cell / asked): kept whole by a factor asked
            unit = cents.astype(object) * asked
            if self.by_cell is not None:
                unit = unit + self.by_cell[np.ix_(funds, [y], members)][:, 0]
            order = np.argsort(unit, axis=0, kind="stable")
            left, paid, dearest = asked * common, np.zeros(size, object), np.zeros(size, object)
            here = np.arange(size)
            for rank in range(len(funds)):
                chosen = order[rank]
                take = np.minimum(left, caps[funds[chosen], y, here])
                paid, left = paid + take * unit[chosen, here], left - take
                dearest = np.where(take > 0, unit[chosen, here], dearest)
            enough = (left == 0).astype(bool)
            able[y] = enough
            cheapest[y] = paid // (asked * common)
            tight = (caps[funds, y] < asked * common) & ~space.lumpy[members]
            dearest = np.where(enough, dearest, unit.max(axis=0))
            extra += (-(-np.maximum(dearest - unit, 0) // asked) * tight).sum(axis=0)
            beyond = tight.sum(axis=0) * asked * common // np.where(enough, 1, left)
            few[y] = np.where(enough, 0, beyond)
            few_price[y] = unit.min(axis=0)
        return cheapest, able, extra, few, few_price

    def bound(self, spans: dict[int, Span], inside: np.ndarray | None = None) -> Fraction | None:
        """Points that no plan exceeds, the demands of `spans` kept within them; None when there is no plan at all.

        `inside` (n,) bool, which holds those of `spans`: the points of these demands alone.
        """
        total = self._free_terms(spans, np.ones(self.space.n, bool) if inside is None else inside)
        for i, span in spans.items():
            term = self.term(i, span)
            if total is None or term is None:
                return None
            total += term
        return None if total is None else Fraction(self.base + total) / self.scale

    def term(self, i: int, span: Span) -> int | None:
        """The most that demand i is worth alone within `span`; None if it can take nothing there."""
        if span.empty:
            return None
        options = [0] if span.may_be_nothing else []
        for way in self._ways(i, span):
            for since, toll in self._starts(i, span):
                worth = self._filled(i, span, way, since)
                if worth is not None:
                    options.append(worth + way.extra - way.toll - toll)
        return max(options, default=None)

    def _ways(self, i: int, span: Span) -> Iterator[Way]:
        """Every set of funds that may pay demand i; only the largest ones where it costs nothing to be paid by more."""
        tolls = self.paid.get(i)
        if tolls is None and not span.paid:
            if self.knotty[i]:
                yield Way(self.worth[:, i].tolist(), self.able[:, i].tolist(), int(self.extra[i]), int(self.few[i]))
            else:
                yield Way(self._worths(i), self.able[:, i].tolist(), 0, 0)
            return
        pattern = self.space.patterns[self.space.pattern[i]]
        allowed = frozenset(f for f in pattern.funds if span.paid.get(f, (0, 1))[1] == 1)
        forced = frozenset(f for f, (low, _) in span.paid.items() if low == 1)
        if tolls is None:
            for one in pattern.sets(allowed):
                if forced <= one:
                    yield self._way(i, one, forced, 0)
            return
        names = sorted(allowed)
        for size in range(1, len(names) + 1):
            for chosen in combinations(names, size):
                one = frozenset(chosen)
                if forced <= one and pattern.allows(one):
                    yield self._way(i, one, one, sum(tolls[f] for f in one))

    def _worths(self, i: int) -> list[int]:
        """What a unit of plain demand i is worth in each year."""
        asked, gain = int(self.space.asked[i]), self.gain[i]
        more = [0] * len(self.lowest) if self.in_year is None else self.in_year[:, i].tolist()
        return [gain + each - asked * low for each, low in zip(more, self.lowest[:, i].tolist(), strict=True)]

    def _way(self, i: int, funds: frozenset[int], paying: frozenset[int], toll: int) -> Way:
        """Demand i paid by `funds`, each of `paying` with at least what it pays if it pays."""
        key = (i, funds, paying)
        kept = self._kept.get(key)
        if kept is None:
            space, member = self.space, np.array([i])
            k = int(space.pattern[i])
            cheapest, able, extra, few, few_price = self._cheapest(k, member, funds)
            worth = [int(self._gain(member, y)[0] - cheapest[y, 0]) for y in range(len(cheapest))]
            dearer = self._dearer(i, paying, cheapest[:, 0], able[:, 0])
            more = int(extra[0] + self._of_few(member, few, few_price)[0]) - dearer
            kept = Way(worth, able[:, 0].tolist(), more, int(few.sum()), 0, self._fewest(i, funds, paying))
            self._kept[key] = kept
        return replace(kept, toll=toll)

    def _fewest(self, i: int, funds: frozenset[int], paying: frozenset[int]) -> int:
        """The fewest steps of demand i with which each of `paying`, and at least one of `funds`, can pay its least: the
        leasts together, and each within that fund's rates."""
        space = self.space
        k, step = int(space.pattern[i]), int(space.step[i])
        least = space.patterns[k].least
        caps, common = space.unit_caps(k, np.array([i]), rounded_up=True)
        spared = 0 if space.lumpy[i] else caps.shape[1]  # cents: each year's cap is rounded up

        def alone(f: int) -> int:
            per_unit, cents = int(caps[f].max()), max(least[f] - spared, 0) * common
            if cents and not per_unit:
                return int(space.most[i]) + 1
            within = -(-cents * int(space.asked[i]) // (per_unit * step)) if cents else 0
            return max(within, -(-least[f] // step))

        together = -(-sum(least[f] for f in paying) // step)
        return max(together, *(alone(f) for f in paying), min(alone(f) for f in funds))

    def _dearer(self, i: int, paying: frozenset[int], cheapest: np.ndarray, able: np.ndarray) -> int:
        """What it costs beyond the cheapest cells that each of these funds pays its least; 0 where rates make it hard to say."""
        space = self.space
        pattern, asked = space.patterns[space.pattern[i]], int(space.asked[i])
        if space.capped[i]:
            return 0
        total = 0
        for f in paying:
            more = []
            for y in np.flatnonzero(pattern.eligible[f] & able):
                unit = int(self.flat[i] + self.price[f, y, i]) * asked + (
                    0 if self.by_cell is None else int(self.by_cell[f, y, i])
                )
                more.append(max(0, unit - int(cheapest[y])))
            total += min(more, default=0) * pattern.least[f] // asked
        return total

    def _starts(self, i: int, span: Span) -> Iterator[tuple[int, int]]:
        """Each year in which demand i may get its first money, and the toll of being served from then on; year −1 where
        it does not matter when."""
        years = len(span.low)
        if not self.slow[i] and all(one == (0, 1) for one in span.served[:-1]):
            if span.served[-1][1] == 1:
                yield -1, self._toll(i, years - 1)
            return
        for since in range(years):
            before, after = span.served[:since], span.served[since:]
            if all(low <= 0 for low, _ in before) and all(high >= 1 for _, high in after):
                yield since, sum(self._toll(i, y) for y in range(since, years))

    def _toll(self, i: int, year: int) -> int:
        return 0 if self.toll is None else int(self.toll[year, i])

    def _filled(self, i: int, span: Span, way: Way, since: int) -> int | None:
        """The most that the steps of demand i are worth, the first of them in year `since`."""
        space, years = self.space, range(max(since, 0), len(span.low))
        if not any(way.able):  # a few cents at most, by rounding up
            return 0 if way.few >= max(1, span.fewest, sum(span.low), int(space.least[i]), way.fewest) else None
        able = [y for y in years if way.able[y]]
        room = {y: min(span.high[y], span.most) for y in able}
        taken = {y: max(span.low[y], 0) for y in able}
        if since in taken:
            taken[since] = max(taken[since], 1)
        elif since >= 0 and not way.few:
            return None
        fewest = max(span.fewest, int(space.least[i]), way.fewest) - way.few  # those may be the few
        stuck = not way.few and any(span.low[y] > 0 for y in range(len(span.low)) if y not in taken)
        if stuck or any(taken[y] > room[y] for y in able):
            return None
        count, worth = sum(taken.values()), sum(int(way.worth[y]) * t for y, t in taken.items())
        for y in sorted(able, key=lambda y: -way.worth[y]):
            each = int(way.worth[y])
            wanted = span.most - count if each > 0 else fewest - count
            more = max(0, min(wanted, room[y] - taken[y]))
            count, worth = count + more, worth + more * each
        if not fewest <= count <= span.most:
            return None
        return worth if space.lumpy[i] else -(-worth // int(space.asked[i]))

    def _free_terms(self, spans: dict[int, Span], inside: np.ndarray) -> int | None:
        """Σ terms of the demands `inside` (n,) bool but outside `spans`, all at once but the slow ones."""
        space = self.space
        low, high = space.boxes
        others = inside & ~self.slow
        others[list(spans)] = False
        total_slow = 0
        for i in np.flatnonzero(self.slow & inside).tolist():
            if i not in spans:
                alone = self.term(i, free_span(space, i))
                if alone is None:
                    return None
                total_slow += alone
        nobody = ~self.able.any(axis=0)
        few = self.few if len(self.few) else np.zeros(space.n, np.int64)
        stuck = nobody & (few < np.maximum(np.maximum(low, space.least), 1)).astype(bool)
        if np.any(others & ((low > high) | ((low > 0) & stuck))):
            return None
        best = self._best()
        fewest = np.maximum(np.maximum(low, space.least) - few, 0)
        steps = np.where((best > 0).astype(bool), high, fewest).astype(object)
        total = best * steps
        loose = ~space.lumpy
        total[loose] = -(-total[loose] // space.asked[loose].astype(object))
        served = np.where(nobody, 0, total)
        if len(self.extra):
            served = served + self.extra
        if self.toll is not None:
            served = served - self.toll[-1]
        possible = (high >= fewest) & ~stuck
        term = np.where(low > 0, served, np.where(possible, np.maximum(served, 0), 0))
        return total_slow + (int(term[others].sum()) if others.any() else 0)

    def _best(self) -> np.ndarray:
        """(n,) what a unit is worth in the best year that can pay it."""
        space, never = self.space, -(1 << 400)
        if self.in_year is None:
            dear = np.iinfo(np.int64).max if self.lowest.dtype == np.int64 else 1 << 400
            lowest = np.where(self.able, self.lowest, dear).min(axis=0, initial=dear)
            best = self.gain - space.asked.astype(object) * lowest.astype(object)
            best[~self.able.any(axis=0)] = never
        else:
            asked = space.asked.astype(object)
            each = [
                np.where(able, self.gain + more - asked * low, never)
                for able, more, low in zip(self.able, self.in_year, self.lowest, strict=True)
            ]
            best = np.max(np.array(each, object).reshape(-1, space.n), axis=0, initial=never)
        if self.knotty.any():
            here = self.knotty
            best[here] = np.where(self.able[:, here], self.worth[:, here], never).max(axis=0)
        return np.asarray(best, object)


def _cents_worth(space: Space, row: Row) -> Exact:
    """At most what an equality may be missed by for want of smaller coins: one cent for each grant that it covers."""
    total: Exact = 0
    for term in row.terms:
        if term.of in ("served", "paid"):
            continue
        loose = ~space.lumpy[term.demands] if term.of == "units" else np.ones(len(term.demands), bool)
        demands, weights = term.demands[loose], np.abs(term.weights[loose])
        eligible = np.array([p.eligible[term.cells != 0].sum() for p in space.patterns], np.int64)
        size = int(np.abs(term.cells).max(initial=0))
        asked = space.asked[demands] if term.of == "units" else np.ones(len(demands), np.int64)
        total += size * weighted_units(weights, eligible[space.pattern[demands]], asked)
    return total


SMALL = 2_000  # demands up to which the scale is chosen so that nothing needs rounding, where that can be
FINEST = 10**12


def _whole_multipliers(space: Space, floats: np.ndarray, value_scale: int, farkas: bool) -> tuple[list[int], int, bool]:
    """Multipliers as whole numbers of the right sign, how many of them make a point, and whether prices fit int64."""
    at = np.flatnonzero(np.isfinite(floats) & (floats != 0)).tolist()
    reach = float(np.abs(floats[at]) @ space.row_reach[at])
    exact = [Fraction(float(floats[r])) for r in at]
    fine = 1
    if space.n <= SMALL:
        exact = [_meant(value) for value in exact]
        fine = lcm(space.asked_multiple or 1, *(value.denominator for value in exact))
        fine = fine if fine <= FINEST else 1
    bits = 60 - int(np.ceil(log2(reach * value_scale * fine))) if reach > 0 else 60
    scale = 2 ** max(bits, 0) * value_scale * fine
    whole = [0] * len(floats)
    for r, value in zip(at, exact, strict=True):
        (_, row), price = space.rows[r], space.prices[r]
        number = round(value * scale)
        if price is not None:
            most = 0 if farkas else int(price * scale)
            number = max(-most, min(most, number))
        if (number > 0 and row.upper is None) or (number < 0 and row.lower is None):
            number = 0
        whole[r] = number
    return whole, scale, bits >= 0


def _meant(value: Fraction) -> Fraction:
    """What an engine says to sixteen digits as the simple fraction that it means, where it means one."""
    simple = value.limit_denominator(10**6)
    return simple if abs(simple - value) <= abs(value) / 10**11 else value


def prove(space: Space, proof: Proof, step: Fraction | None = None) -> Fraction | None:
    """The bound that a proof gives: what no plan exceeds. None: there is no plan. Raises ValueError for a broken proof.

    `step`: all that demands are worth in a plan lies on it; then so does the bound, and that of each part.
    """
    if not proof.parts:
        return _on_step(_walked(space, proof, None), step)
    if (
        space.aim.auxiliaries
        or (np.bincount(np.concatenate([d for d, _ in proof.parts]), minlength=space.n) != 1).any()
    ):
        raise ValueError("the parts do not make up the scenario")
    total = Fraction(0)
    for demands, part in proof.parts:
        inside = np.zeros(space.n, bool)
        inside[demands] = True
        bound = _on_step(_walked(space, part, inside), step)
        if bound is None:
            return None
        total += bound
    return total


def _on_step(value: Fraction | None, step: Fraction | None) -> Fraction | None:
    return value if value is None or not step else value // step * step


def own_rows(space: Space, inside: np.ndarray) -> np.ndarray:
    """(rows,) bool: the rows that count something of demands `inside` (n,) bool, and nothing else."""
    found = np.zeros(len(space.rows), bool)
    for r, (_, row) in enumerate(space.rows):
        counted = [_counted(space, term) for term in row.terms]
        found[r] = not row.auxiliaries and any(map(len, counted)) and all(inside[demands].all() for demands in counted)
    return found


def _counted(space: Space, term: Term) -> np.ndarray:
    """Demands (k,) of which the term may count something: some fund that it looks at may pay them then."""
    seen = np.array([(pattern.eligible & (term.cells != 0)).any() for pattern in space.patterns], bool)
    return term.demands[seen[space.pattern[term.demands]] & np.asarray(term.weights != 0)]


def _least(known: int | None, new: int) -> int:
    return new if known is None else min(known, new)


def _most(known: int | None, new: int) -> int:
    return new if known is None else max(known, new)


def _walked(space: Space, proof: Proof, inside: np.ndarray | None) -> Fraction | None:
    """The bound of a tree of boxes: for all demands, or for those `inside` by their own rows, whatever the others do."""
    own = None if inside is None else own_rows(space, inside)

    def priced_by(multipliers: np.ndarray, counts: Counts, farkas: bool = False) -> Priced:
        if own is not None:
            multipliers = multipliers.copy()
            multipliers[: len(own)][~own] = 0.0
        return Priced(space, multipliers, farkas=farkas, counts=counts)

    def of(cut: Cut) -> np.ndarray:
        return space.families[cut.demand] if cut.of == "counted" else np.array([cut.demand])

    found: list[Fraction] = []
    boxes: list[tuple[Proof, dict[int, Span], Counts]] = [(proof, {}, {})]
    while boxes:
        node, spans, counts = boxes.pop()
        cuts = [*node.fixed, *(half for half, _ in node.halves or ())]
        if inside is not None and not all(inside[of(cut)].all() for cut in cuts):
            raise ValueError("a part is cut by a demand of another")
        if node.halves is None or node.fixed:
            priced = priced_by(node.multipliers, counts, node.farkas)
            here = priced.bound(spans, inside)
            if here is None or (node.farkas and here < 0):
                continue
            if node.farkas:
                if node.otherwise is None:
                    raise ValueError("the multipliers do not show that the box is empty")
                priced = priced_by(node.otherwise, counts)
                here = priced.bound(spans, inside)
                if here is None:
                    continue
            spans = dict(spans)
            for cut in node.fixed:
                span = spans.get(cut.demand) or free_span(space, cut.demand)
                mine = priced.term(cut.demand, span)
                for side in span.outside(cut):
                    term = priced.term(cut.demand, side)
                    if mine is not None and term is not None:
                        found.append(here + Fraction(term - mine, priced.scale))
                spans[cut.demand] = span.within(cut)
        if node.halves is None:
            left = priced.bound(spans, inside) if node.fixed else here
            found += [left] if left is not None else []
        else:
            (below, _), (above, _) = node.halves
            if (below.demand, below.of, below.at) != (
                above.demand,
                above.of,
                above.at,
            ) or below.upper + 1 < above.lower:
                raise ValueError("the two halves do not cover the box")
            for half, child in node.halves:
                if half.of == "counted":
                    top = int(space.boxes[1][of(half)].sum())
                else:
                    span = spans.get(half.demand) or free_span(space, half.demand)
                    top = span.most if half.of == "steps" else 1
                if (half is below and half.lower > 0) or (half is above and half.upper < top):
                    raise ValueError("the two halves do not cover the box")
                if half.of == "counted":
                    fewest, most = counts.get(half.demand, (None, None))
                    kept = (fewest, _least(most, half.upper)) if half is below else (_most(fewest, half.lower), most)
                    boxes.append((child, spans, {**counts, half.demand: kept}))
                else:
                    boxes.append((child, {**spans, half.demand: span.within(half)}, counts))
    return max(found, default=None)
