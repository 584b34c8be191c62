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
    to year position `at`, or being "paid" by fund `at`."""

    demand: int
    at: int
    lower: int
    upper: int
    of: Literal["steps", "served", "paid"] = "steps"


@dataclass(frozen=True, eq=False)
class Proof:
    """A node. `multipliers` (rows of the scenario,) floats, points per whole number of the row; `farkas`: they bound the
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

    Numbers are points × `scale`. `worth` (Y, n) per unit after its cheapest cells; `able` (Y, n) whether the year's funds
    can pay a unit; `toll` (Y, n) what being served up to a year costs, `paid` (demand: (F,)) what being paid by a fund
    does; `base` Σ π · side, and what auxiliaries are worth at best.
    """

    def __init__(self, space: Space, multipliers: np.ndarray, *, farkas: bool = False) -> None:
        self.space = space
        aim = space.aim
        whole, self.scale, fits = _whole_multipliers(space, multipliers, aim.scale, farkas)
        funds, years = space.shape
        self.price = np.zeros((funds, years, space.n), np.int64 if fits else object)  # per cent
        self.by_cell: np.ndarray | None = None
        self.toll = np.zeros((years, space.n), object)
        self.paid: dict[int, list[int]] = {}
        self._kept: dict[tuple[int, frozenset[int], frozenset[int]], Way] = {}
        self.base: Exact = 0
        per_unit = np.zeros((years, space.n), object)
        reduced: dict[Auxiliary, Exact] = {}
        if not farkas:
            for auxiliary, weight in aim.auxiliaries:
                reduced[auxiliary] = reduced.get(auxiliary, 0) + weight * self.scale
        for (_, row), price, factor in zip(space.rows, space.prices, whole, strict=True):
            if not factor:
                continue
            side = row.upper if factor > 0 else row.lower
            self.base += factor * (side or 0) + abs(factor) * row.rounding
            if price is None and row.lower == row.upper:
                self.base += abs(factor) * _cents_worth(space, row)
            for auxiliary, coefficient in row.auxiliaries:
                reduced[auxiliary] = reduced.get(auxiliary, 0) - factor * coefficient
            for term in row.terms:
                if len(term.demands):
                    self._add(term, factor, per_unit)
        for auxiliary, worth in reduced.items():
            self.base += max(worth * auxiliary.lower, worth * auxiliary.upper)
        gain = np.zeros(space.n, object) if farkas else aim.values * (self.scale // aim.scale)
        self.gain = gain - per_unit  # (Y, n)
        self.worth, self.able = np.zeros((years, space.n), object), np.zeros((years, space.n), bool)
        self.extra, self.few = np.zeros(space.n, object), np.zeros(space.n, object)
        for k, pattern in enumerate(space.patterns):
            members = np.flatnonzero(space.pattern == k)
            self._price_all(k, members, pattern.sets())
        self.slow = (self.toll[:-1] != 0).any(axis=0) | np.isin(np.arange(space.n), list(self.paid))

    def _add(self, term: Term, factor: int, per_unit: np.ndarray) -> None:
        amount = factor * term.weights.astype(object)
        if term.of == "served":
            self.toll[int(np.flatnonzero(term.cells[0])[-1]), term.demands] += amount
        elif term.of == "paid":
            for i, each in zip(term.demands.tolist(), amount, strict=True):
                tolls = self.paid.setdefault(i, [0] * len(term.cells))
                for f in np.flatnonzero(term.cells[:, 0]).tolist():
                    tolls[f] += int(term.cells[f, 0]) * each
        elif term.of == "cents":
            for f, y in np.argwhere(term.cells):
                self.price[f, y, term.demands] += factor * int(term.cells[f, y]) * term.weights
        elif (term.cells == term.cells[:1]).all():
            for y in np.flatnonzero(term.cells[0]):
                per_unit[y, term.demands] += int(term.cells[0, y]) * amount
        else:
            if self.by_cell is None:
                self.by_cell = np.zeros(self.price.shape, object)
            for f, y in np.argwhere(term.cells):
                self.by_cell[f, y, term.demands] += int(term.cells[f, y]) * amount

    def _price_all(self, k: int, members: np.ndarray, sets: list[frozenset[int]]) -> None:
        """Worth of the members of a pattern: for each the cheapest of the sets of funds that may pay together."""
        for one in sets:
            cheapest, able, extra, few, few_price = self._cheapest(k, members, one)
            worth = self.gain[:, members] - cheapest
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
        return np.maximum(-(-(self.gain[:, members] - price) * few // asked), 0).sum(axis=0)

    def _cheapest(
        self, k: int, members: np.ndarray, allowed: frozenset[int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """For members (m,) of pattern k paid by `allowed` funds: price of a unit in each year (Y, m) from the cheapest
        cells, rounded down; whether they can pay it (Y, m).

        Rate caps are rounded up to the cent. Where units are whole, that is in the caps of a unit. Elsewhere each capped
        cell may hold one cent more: at best it saves `extra` (m,), and where the year's rates add up to less than a unit
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
            cents = self.price[np.ix_(funds, [y], members)][:, 0]
            if plain:
                cheapest[y] = asked * cents.min(axis=0)
                able[y] = True
                continue
            # of a unit, c cents in a cell cost c · (price + by_cell / asked): kept whole by a factor asked
            unit = cents.astype(object) * asked
            if self.by_cell is not None:
                unit = unit + self.by_cell[np.ix_(funds, [y], members)][:, 0]
            order = np.argsort(unit, axis=0, kind="stable")
            left, paid = asked * common, np.zeros(size, object)
            here = np.arange(size)
            for rank in range(len(funds)):
                chosen = order[rank]
                take = np.minimum(left, caps[funds[chosen], y, here])
                paid, left = paid + take * unit[chosen, here], left - take
            enough = (left == 0).astype(bool)
            able[y] = enough
            cheapest[y] = paid // (asked * common)
            tight = (caps[funds, y] < asked * common) & ~space.lumpy[members]
            extra += (-(-(unit.max(axis=0) - unit) // asked) * tight).sum(axis=0)
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

    def free_span(self, i: int) -> Span:
        """What the scenario alone leaves demand i."""
        low, high = self.space.boxes
        years = self.space.shape[1]
        return Span([0] * years, [int(high[i])] * years, int(low[i]), int(high[i]), [(0, 1)] * years)

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
            yield Way(self.worth[:, i].tolist(), self.able[:, i].tolist(), int(self.extra[i]), int(self.few[i]))
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

    def _way(self, i: int, funds: frozenset[int], paying: frozenset[int], toll: int) -> Way:
        """Demand i paid by `funds`, each of `paying` with at least what it pays if it pays."""
        key = (i, funds, paying)
        kept = self._kept.get(key)
        if kept is None:
            space, member = self.space, np.array([i])
            k = int(space.pattern[i])
            cheapest, able, extra, few, few_price = self._cheapest(k, member, funds)
            worth = (self.gain[:, member] - cheapest)[:, 0].tolist()
            least = sum(space.patterns[k].least[f] for f in paying)
            dearer = self._dearer(i, paying, cheapest[:, 0], able[:, 0])
            more = int(extra[0] + self._of_few(member, few, few_price)[0]) - dearer
            kept = Way(worth, able[:, 0].tolist(), more, int(few.sum()), 0, -(-least // int(space.step[i])))
            self._kept[key] = kept
        return replace(kept, toll=toll)

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
                unit = int(self.price[f, y, i]) * asked + (0 if self.by_cell is None else int(self.by_cell[f, y, i]))
                more.append(max(0, unit - int(cheapest[y])))
            total += min(more, default=0) * pattern.least[f] // asked
        return total

    def _starts(self, i: int, span: Span) -> Iterator[tuple[int, int]]:
        """Each year in which demand i may get its first money, and the toll of being served from then on; year −1 where
        it does not matter when."""
        years = len(span.low)
        if not self.slow[i] and all(one == (0, 1) for one in span.served[:-1]):
            if span.served[-1][1] == 1:
                yield -1, int(self.toll[-1, i])
            return
        for since in range(years):
            before, after = span.served[:since], span.served[since:]
            if all(low <= 0 for low, _ in before) and all(high >= 1 for _, high in after):
                yield since, int(sum(self.toll[since:, i]))

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
                alone = self.term(i, self.free_span(i))
                if alone is None:
                    return None
                total_slow += alone
        nobody = ~self.able.any(axis=0)
        stuck = nobody & (self.few < np.maximum(np.maximum(low, space.least), 1)).astype(bool)
        if np.any(others & ((low > high) | ((low > 0) & stuck))):
            return None
        floor = -(1 << 400)
        best = np.where(self.able, self.worth, floor).max(axis=0) if len(self.worth) else np.zeros(0, object)
        fewest = np.maximum(np.maximum(low, space.least) - self.few, 0)
        steps = np.where((best > 0).astype(bool), high, fewest).astype(object)
        total = best * steps
        loose = ~space.lumpy
        total[loose] = -(-total[loose] // space.asked[loose].astype(object))
        served = np.where(nobody, 0, total) + self.extra - self.toll[-1]
        possible = (high >= fewest) & ~stuck
        term = np.where(low > 0, served, np.where(possible, np.maximum(served, 0), 0))
        return total_slow + (int(term[others].sum()) if others.any() else 0)


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
    reach = 0.0
    for (_, row), value in zip(space.rows, floats, strict=True):
        for term in row.terms:
            if term.of == "cents" and value and len(term.demands):
                largest = max(abs(int(term.weights.max())), abs(int(term.weights.min())))
                reach += abs(float(value)) * largest * int(np.abs(term.cells).max(initial=0))
    exact = [Fraction(float(value)) if np.isfinite(value) else Fraction(0) for value in floats]
    fine = 1
    if space.n <= SMALL:
        exact = _told_apart(exact)
        fine = lcm(_divisor(space), *(value.denominator for value in exact))
        fine = fine if fine <= FINEST else 1
    bits = 60 - int(np.ceil(log2(reach * value_scale * fine))) if reach > 0 else 60
    scale = 2 ** max(bits, 0) * value_scale * fine
    whole = []
    for (_, row), price, value in zip(space.rows, space.prices, exact, strict=True):
        number = round(value * scale)
        if price is not None:
            most = 0 if farkas else int(price * scale)
            number = max(-most, min(most, number))
        if (number > 0 and row.upper is None) or (number < 0 and row.lower is None):
            number = 0
        whole.append(number)
    return whole, scale, bits >= 0


def _told_apart(values: list[Fraction]) -> list[Fraction]:
    """What an engine says to sixteen digits as the simple fraction that it means, where it means one."""
    simple = [value.limit_denominator(10**6) for value in values]
    meant = [abs(near - value) <= abs(value) / 10**11 for near, value in zip(simple, values, strict=True)]
    return [near if means else value for near, value, means in zip(simple, values, meant, strict=True)]


def _divisor(space: Space) -> int:
    """What prices of a unit are divided by, over all demands; 1 where that is too much."""
    found = 1
    for asked in {int(a) for a in space.asked}:
        found = lcm(found, asked)
        if found > FINEST:
            return 1
    return found


def prove(space: Space, proof: Proof, step: Fraction | None = None) -> Fraction | None:
    """The bound that a proof gives: what no plan exceeds. None: there is no plan. Raises ValueError for a broken proof.

    `step`: all that demands are worth in a plan lies on it; then so does the bound, and that of each part.
    """
    free = Priced(space, np.zeros(len(space.rows)))
    if not proof.parts:
        return _on_step(_walked(space, proof, free, None), step)
    if (
        space.aim.auxiliaries
        or (np.bincount(np.concatenate([d for d, _ in proof.parts]), minlength=space.n) != 1).any()
    ):
        raise ValueError("the parts do not make up the scenario")
    total = Fraction(0)
    for demands, part in proof.parts:
        inside = np.zeros(space.n, bool)
        inside[demands] = True
        bound = _on_step(_walked(space, part, free, inside), step)
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


def _walked(space: Space, proof: Proof, free: Priced, inside: np.ndarray | None) -> Fraction | None:
    """The bound of a tree of boxes: for all demands, or for those `inside` by their own rows, whatever the others do."""
    own = None if inside is None else own_rows(space, inside)

    def priced_by(multipliers: np.ndarray, farkas: bool = False) -> Priced:
        return Priced(space, multipliers if own is None else np.where(own, multipliers, 0.0), farkas=farkas)

    found: list[Fraction] = []
    boxes: list[tuple[Proof, dict[int, Span]]] = [(proof, {})]
    while boxes:
        node, spans = boxes.pop()
        cuts = [*node.fixed, *(half for half, _ in node.halves or ())]
        if inside is not None and not all(inside[cut.demand] for cut in cuts):
            raise ValueError("a part is cut by a demand of another")
        if node.halves is None or node.fixed:
            priced = priced_by(node.multipliers, node.farkas)
            here = priced.bound(spans, inside)
            if here is None or (node.farkas and here < 0):
                continue
            if node.farkas:
                if node.otherwise is None:
                    raise ValueError("the multipliers do not show that the box is empty")
                priced = priced_by(node.otherwise)
                here = priced.bound(spans, inside)
                if here is None:
                    continue
            spans = dict(spans)
            for cut in node.fixed:
                span = spans.get(cut.demand) or priced.free_span(cut.demand)
                mine = priced.term(cut.demand, span)
                for side in span.outside(cut):
                    term = priced.term(cut.demand, side)
                    if mine is not None and term is not None:
                        found.append(here + Fraction(term - mine, priced.scale))
                spans[cut.demand] = span.within(cut)
        if node.halves is None:
            left = priced.bound(spans, inside)
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
                span = spans.get(half.demand) or free.free_span(half.demand)
                top = span.most if half.of == "steps" else 1
                if (half is below and half.lower > 0) or (half is above and half.upper < top):
                    raise ValueError("the two halves do not cover the box")
                boxes.append((child, {**spans, half.demand: span.within(half)}))
    return max(found, default=None)
