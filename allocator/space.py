"""The scenario as whole numbers: demands × (fund, year) cells, and the three things a rule may say about them.

A demand's grant is counted in *steps*: one unit where its measure is lumpy, one cent otherwise. With ``t`` steps it is
granted ``step · t`` cents, spread over its eligible cells, and has ``t`` units (lumpy) or ``t / asked`` (divisible).

Rules speak in `Row` (linear, any coefficients), `Box` (steps of single demands) and `Rate` (the share of a demand's cost
that a fund may pay in a year). Everything here is exact; nothing here knows of classes, engines or floats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from math import gcd, lcm
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from allocator.money import cents_column, decimals_column, format_euros
from allocator.texts import Text, figure

if TYPE_CHECKING:
    from allocator.reading import Level, Reading
    from allocator.scenario import Scenario
    from allocator.selection import Selection

Exact = int | Fraction


@dataclass(frozen=True, eq=False)
class Term:
    """Σ over `demands` i and cells (f, y) of  weight_i · cells[f, y] · amount of i in (f, y).

    `demands` (k,) sorted positions; `weight` one whole number or (k,) of them; `cells` (F, Y) whole numbers.
    `of` says what is counted: "cents" granted; "units", a cell holding units in proportion to its cents; "served",
    1 for a demand that gets anything up to the last year of `cells` (whose rows are alike, its first columns ones: all
    of them where no year is meant); "paid", 1 for each fund that pays anything to a demand (its columns are alike).
    """

    demands: np.ndarray
    weight: int | np.ndarray
    cells: np.ndarray
    of: Literal["cents", "units", "served", "paid"] = "cents"

    @cached_property
    def weights(self) -> np.ndarray:
        """(k,) whatever `weight` is."""
        return np.broadcast_to(np.asarray(self.weight), self.demands.shape)


@dataclass(frozen=True, eq=False)
class Auxiliary:
    """A number that a plan sets beside its grants, between `lower` and `upper`: cents per inhabitant of the poorest
    region, cents moved from one fund to another. `whole`: cents that belong to the plan and are kept with it; others
    only say what a row means. Made by `Space.auxiliary`."""

    upper: Exact
    lower: Exact = 0
    whole: bool = False

    @property
    def reach(self) -> Fraction:
        """Its largest size."""
        return max(abs(Fraction(self.lower)), abs(Fraction(self.upper)))


@dataclass(frozen=True, eq=False)
class Row:
    """lower ≤ Σ terms + Σ coefficient · auxiliary ≤ upper, a missing side being None. `scale` of these whole numbers
    make one euro or unit: what a breach is reported and priced in. `group` names the value of `per`. `defines`: it says
    what its auxiliaries mean, and holds even where its rule is soft. `rounding`: how far whole cents may take what is
    checked from the left side, either way."""

    terms: tuple[Term, ...]
    lower: Exact | None = None
    upper: Exact | None = None
    scale: int = 1
    group: str = ""
    auxiliaries: tuple[tuple[Auxiliary, int], ...] = ()
    defines: bool = False
    rounding: Exact = 0


@dataclass(frozen=True, eq=False)
class Box:
    """Each of `demands` (k,) takes between `lower` and `upper` (k,) steps."""

    demands: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True, eq=False)
class Rate:
    """In each of `cells` (F, Y) bool, the fund pays at most `rate` of the cost of the units of that year."""

    demands: np.ndarray
    cells: np.ndarray
    rate: Fraction


@dataclass(frozen=True, eq=False)
class Few:
    """At most `most` of `funds` (F,) bool pay anything to each of `demands`."""

    demands: np.ndarray
    funds: np.ndarray
    most: int


@dataclass(frozen=True, eq=False)
class Least:
    """Each of `funds` (F,) bool pays each of `demands` nothing, or at least `cents`, over all years."""

    demands: np.ndarray
    funds: np.ndarray
    cents: int


Statement = Row | Box | Rate | Few | Least


@dataclass(frozen=True, eq=False)
class Aim:
    """One level of an objective: points = Σ values · units / scale + Σ weight · auxiliary, as many as can be.

    `values` (n,) whole numbers per unit; `rows` say what the auxiliaries are; `value` counts the points of a finished
    plan apart from all that. `step`: what divides the points of every plan, if something does. `sign` −1: shown as a
    cost. `unit`: what the shown figure counts.
    """

    title: Text
    unit: Text
    values: np.ndarray
    scale: int
    value: Callable[[Reading], Fraction]
    auxiliaries: tuple[tuple[Auxiliary, Exact], ...] = ()
    rows: tuple[Row, ...] = ()
    step: Callable[[], Fraction | None] = lambda: None
    sign: int = 1


@dataclass(frozen=True, eq=False)
class Group:
    """One value of `per`: positions of its demands (k,), its cells (F, Y) bool, the people of its territories."""

    value: str
    demands: np.ndarray
    cells: np.ndarray
    population: int


@dataclass(frozen=True, eq=False)
class Pattern:
    """What demands with the same eligibility share: cells (F, Y) they may be paid from, and the rate in each (1: none)."""

    eligible: np.ndarray
    rate: np.ndarray  # object: Fraction
    few: tuple[tuple[tuple[int, ...], int], ...] = ()  # of these funds, at most so many
    least: tuple[int, ...] = ()  # (F,) cents that a fund pays at least, if it pays: 1 where no rule says

    @cached_property
    def funds(self) -> tuple[int, ...]:
        """Those that may pay in some year."""
        return tuple(np.flatnonzero(self.eligible.any(axis=1)).tolist())

    @cached_property
    def tied(self) -> bool:
        """Whether it matters which funds pay at all."""
        return bool(self.few) or any(self.least[f] > 1 for f in self.funds)

    def sets(self, allowed: frozenset[int] | None = None) -> list[frozenset[int]]:
        """The largest sets of eligible funds (among `allowed`) that may pay together."""
        found = {frozenset(self.funds) if allowed is None else allowed & frozenset(self.funds)}
        for funds, most in self.few:
            narrower = set()
            for one in found:
                named = sorted(one & frozenset(funds))
                for kept in combinations(named, min(most, len(named))):
                    narrower.add(one - frozenset(named) | frozenset(kept))
            found = narrower
        return [one for one in found if one and not any(one < other for other in found)]

    def allows(self, paying: frozenset[int]) -> bool:
        return all(len(paying & frozenset(funds)) <= most for funds, most in self.few)

    @cached_property
    def years(self) -> np.ndarray:
        """(Y,) bool: years with an eligible fund."""
        return np.asarray(self.eligible.any(axis=0))

    @cached_property
    def capped(self) -> bool:
        return any(r < 1 for r in self.rate[self.eligible])


@dataclass(frozen=True, eq=False)
class Space:
    """n demands × F funds × Y years. Money in cents; see the module for steps.

    `reached`: for each earlier level of the objective, the value that it reached and how much of it the next one, `aim`,
    may give up.
    """

    scenario: Scenario
    asked: np.ndarray  # (n,) int64 cents per unit
    cost: np.ndarray  # (n,) int64 cents per unit
    lumpy: np.ndarray  # (n,) bool
    step: np.ndarray  # (n,) int64 cents per step
    most: np.ndarray  # (n,) int64 steps asked for
    least: np.ndarray  # (n,) int64 steps: nothing, or at least this (>= 1)
    measure: np.ndarray  # (n,) position
    territory: np.ndarray  # (n,) position
    first: np.ndarray  # (n,) position of the first year in which it may be paid
    end: np.ndarray  # (n,) position after the last one
    reached: tuple[tuple[Fraction, Fraction], ...] = ()
    _groups: dict[tuple[str, str | None], list[Group]] = field(default_factory=dict, repr=False)
    _auxiliaries: dict[tuple[object, ...], Auxiliary] = field(default_factory=dict, repr=False)
    _indicators: dict[str, tuple[np.ndarray, int]] = field(default_factory=dict, repr=False)
    _soft: dict[int, list[Row]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, scenario: Scenario, reached: tuple[tuple[Fraction, Fraction], ...] = ()) -> Space:
        demands = scenario.demands
        asked, cost = (cents_column(demands[name])[0] for name in ("asked", "cost"))
        of_measure = {m.id: k for k, m in enumerate(scenario.measures)}
        measure = demands["measure"].map(of_measure).to_numpy(np.int64)
        lumpy = np.array([m.lumpy for m in scenario.measures], bool)[measure]
        step = np.where(lumpy, asked, 1)
        most = _steps(demands["units"], asked, lumpy, up=False)
        least = np.maximum(_steps(demands["min_units"], asked, lumpy, up=True), 1)
        territory = pd.Index(scenario.territories["id"]).get_indexer(demands["territory"])
        first = np.searchsorted(scenario.years, demands["first_year"].to_numpy(np.int64))
        end = np.searchsorted(scenario.years, demands["last_year"].to_numpy(np.int64), side="right")
        return cls(scenario, asked, cost, lumpy, step, most, least, measure, territory, first, end, reached)

    def after(self, reached: tuple[tuple[Fraction, Fraction], ...]) -> Space:
        """The same scenario at the level of its objective that follows these."""
        return replace(self, reached=reached, _auxiliaries={}, _soft={})

    @property
    def n(self) -> int:
        return len(self.asked)

    @property
    def shape(self) -> tuple[int, int]:
        """(F, Y)"""
        return len(self.scenario.funds), len(self.scenario.years)

    def auxiliary(self, *key: object, upper: Exact, lower: Exact = 0, whole: bool = False) -> Auxiliary:
        """The one auxiliary of this key, made when it is first asked for."""
        return self._auxiliaries.setdefault(key, Auxiliary(upper, lower, whole))

    def units(self, name: str) -> tuple[np.ndarray, int]:
        """Indicator `name` as whole numbers (n,) and the scale they are divided by."""
        if name not in self._indicators:
            numerators, scale, _ = decimals_column(self.scenario.demands[name])
            numerators.flags.writeable = False
            self._indicators[name] = numerators, scale
        return self._indicators[name]

    def money(self, name: str) -> np.ndarray:
        """Money column `name` of the demands, (n,) int64 cents."""
        return cents_column(self.scenario.demands[name])[0]

    def steps(self, units: Exact, demand: int) -> int:
        """Whole steps that `units` of a demand make, downwards."""
        return int(Fraction(units) * int(self.asked[demand]) // int(self.step[demand]))

    @cached_property
    def aims(self) -> tuple[Aim, ...]:
        """The levels of the scenario's objective, the first one first."""
        return self.scenario.objective.aims(self)

    @property
    def aim(self) -> Aim:
        return self.aims[len(self.reached)]

    @property
    def rules(self) -> list[Rule]:
        """Every fund's envelope, then every enabled constraint, in the scenario's order; then earlier levels."""
        kept = self.scenario.objective.kept
        return [*self.scenario.rules, *(kept(self.aims[k], k, *reached) for k, reached in enumerate(self.reached))]

    def candidates(self, group: Group) -> np.ndarray:
        """Those demands of a group that one of its cells may pay, as far as funds and years go."""
        may = np.zeros(len(group.demands), bool)
        first, end = self.first[group.demands], self.end[group.demands]
        for picked, open_years in zip(self._picked, group.cells, strict=True):
            until = np.concatenate([[0], np.cumsum(open_years)])
            may |= picked[group.demands] & (until[end] > until[np.minimum(first, end)])
        return group.demands[may]

    def cells_of(self, funds: np.ndarray, years: np.ndarray) -> np.ndarray:
        """(n,) in how many cells of these funds (F,) and years (Y,) bool a demand may be paid, as far as both go."""
        picked = sum((mask.astype(np.int64) for mask, mine in zip(self._picked, funds, strict=True) if mine), 0)
        until = np.concatenate([[0], np.cumsum(years)])
        return np.asarray(picked * (until[np.maximum(self.end, self.first)] - until[self.first]))

    @cached_property
    def _picked(self) -> list[np.ndarray]:
        """For each fund, the demands (n,) bool that it may pay."""
        scenario = self.scenario
        return [fund.on.pick(scenario).demands if fund.on else np.ones(self.n, bool) for fund in scenario.funds]

    def groups(self, on: Selection, per: str | None = None) -> list[Group]:
        """What `on` selects, apart for each value of `per` that it leaves in the attribute's own table."""
        key = (on.model_dump_json(), per)
        if key not in self._groups:
            self._groups[key] = list(self._grouped(on, per))
        return self._groups[key]

    def _grouped(self, on: Selection, per: str | None) -> Iterator[Group]:
        scenario, pick = self.scenario, on.pick(self.scenario)
        cells = np.outer(pick.funds, pick.years)
        people = scenario.territories["population"].to_numpy(np.int64)
        inhabitants = int(people[pick.territories].sum())
        demands = np.flatnonzero(pick.demands)
        if per is None:
            yield Group("", demands, cells, inhabitants)
        elif per in ("fund", "year"):
            names = [f.id for f in scenario.funds] if per == "fund" else scenario.years
            for k in np.flatnonzero(pick.funds if per == "fund" else pick.years).tolist():
                only = np.zeros_like(cells)
                only[(k, slice(None)) if per == "fund" else (slice(None), k)] = True
                yield Group(str(names[k]), demands, cells & only, inhabitants)
        elif per == "measure":
            names = [m.id for m in scenario.measures]
            for k, members in _split(self.measure, demands, np.flatnonzero(pick.measures)):
                yield Group(names[k], members, cells, inhabitants)
        elif per == "territory" or (per in scenario.territories and per not in scenario.demands):
            column = scenario.territories["id" if per == "territory" else per]
            codes, values = pd.factorize(column, sort=True)
            present = np.unique(codes[pick.territories])
            for k, members in _split(codes[self.territory], demands, present[present >= 0]):
                here = pick.territories & (codes == k)
                yield Group(str(values[k]), members, cells, int(people[here].sum()))
        else:
            codes, values = pd.factorize(scenario.demands[per], sort=True)
            present = np.unique(codes[demands])
            for k, members in _split(codes, demands, present[present >= 0]):
                yield Group(str(values[k]), members, cells, inhabitants)

    @cached_property
    def _said(self) -> list[tuple[Rule, list[Statement]]]:
        in_order = sorted(
            self.scenario.rules, key=lambda rule: (rule.kind, rule.id)
        )  # in whatever order they are written
        return [(rule, list(rule.rows(self))) for rule in in_order]

    @cached_property
    def statements(self) -> list[tuple[Rule, list[Statement]]]:
        """What every rule says, hard and soft alike."""
        return self._said + [(rule, list(rule.rows(self))) for rule in self.rules[len(self._said) :]]

    @cached_property
    def _priced_rows(self) -> list[tuple[Rule, Row, Fraction | None]]:
        found: list[tuple[Rule, Row, Fraction | None]] = []
        for rule, statements in self.statements:
            for said in statements:
                if isinstance(said, Row):
                    if self._as_box(rule, said) is None:
                        found.append((rule, said, None if said.defines else rule.soft))
                elif rule.soft is not None:
                    found.extend((rule, row, None if row.defines else rule.soft) for row in self._softened(rule, said))
        if self.reached:  # what is missed is priced in the first level alone; later ones keep count of it
            found = [(rule, self._missable(rule, row) if price else row, None) for rule, row, price in found]
        wanted = self.scenario.objective.wanted(self.aim)
        return found + [(wanted, row, None) for row in self.aim.rows]

    @cached_property
    def rows(self) -> list[tuple[Rule, Row]]:
        """All linear rows that are not boxes: those of the rules, what soft statements come to, the objective's own."""
        return [(rule, row) for rule, row, _ in self._priced_rows]

    @cached_property
    def sides(self) -> list[tuple[Exact | None, Exact | None]]:
        """What each row's left side can reach of its `lower` and `upper`: whole units at 4 M€ make no more than 68 M€ of
        71.3. As the row says where it is soft, counts rounded cents, or has auxiliaries or parts of units in it."""
        found = []
        for (_, row), price in zip(self.rows, self.prices, strict=True):
            lower, upper = row.lower, row.upper
            if price is None and not row.rounding and not row.auxiliaries and (step := self._row_step(row)):
                lower = None if lower is None else -(-Fraction(lower) // step) * step
                upper = None if upper is None else Fraction(upper) // step * step
                if lower is not None and upper is not None and lower > upper:
                    lower, upper = row.lower, row.upper  # nothing fits: for a proof to show
            found.append((lower, upper))
        return found

    def _row_step(self, row: Row) -> int:
        """What divides the row's left side in every plan; 0 where nothing is known."""
        step = 0
        for term in row.terms:
            pattern = self.pattern[term.demands]
            for k in np.flatnonzero(np.bincount(pattern)).tolist():
                here, eligible = pattern == k, self.patterns[k].eligible
                if not (term.cells[eligible] != 0).any():
                    continue
                weights, demands = term.weights[here], term.demands[here]
                if term.of in ("served", "paid"):
                    step = gcd(step, int(np.gcd.reduce(weights)) * int(np.gcd.reduce(term.cells, axis=None)))
                    continue
                # units of one year weigh the same whoever pays, or else their cents are counted one by one
                years = [term.cells[eligible[:, y], y].tolist() for y in np.flatnonzero(eligible.any(axis=0))]
                alike = gcd(*(cells[0] for cells in years))
                apart = gcd(*(cell - cells[0] for cells in years for cell in cells))
                if not self.lumpy[demands].all() or (apart and term.of == "units"):
                    return 0
                if step == 1:
                    continue  # no finer step, but parts of units further on would leave none at all
                each = np.ones(1, np.int64) if term.of == "units" else self.asked[demands]
                mine = (weights.astype(object) if _overflows(weights, each) else weights) * each
                step = gcd(step, int(np.gcd.reduce(mine)) * alike, int(np.gcd.reduce(weights)) * apart)
        return step

    @cached_property
    def row_reach(self) -> np.ndarray:
        """(rows,) at least what each row counts for a cent of any one demand."""
        found = np.zeros(len(self.rows))
        for r, (_, row) in enumerate(self.rows):
            for term in row.terms:
                if term.of == "cents" and len(term.demands):
                    largest = max(abs(int(term.weights.max())), abs(int(term.weights.min())))
                    found[r] += largest * int(np.abs(term.cells).max(initial=0))
        return found

    @cached_property
    def asked_multiple(self) -> int | None:
        """The least number that every demand's `asked` divides; None beyond 10^12."""
        found = 1
        for asked in set(self.asked.tolist()):
            found = lcm(found, asked)
            if found > 10**12:
                return None
        return found

    @cached_property
    def prices(self) -> list[Fraction | None]:
        """What a whole number of each row's miss costs in points; None where it may not be missed."""
        return [None if price is None else price / row.scale for _, row, price in self._priced_rows]

    def _missable(self, rule: Rule, row: Row) -> Row:
        """The same row with what it misses as auxiliaries."""
        return replace(row, auxiliaries=(*row.auxiliaries, *self._misses(rule, row)))

    def _misses(self, rule: Rule, row: Row) -> list[tuple[Auxiliary, int]]:
        most = self._reach(row)
        sides = [(side, sign) for side, sign in ((row.lower, 1), (row.upper, -1)) if side is not None]
        return [(self.auxiliary("miss", rule.id, row.group, id(row), sign, upper=most), sign) for _, sign in sides]

    def _reach(self, row: Row) -> Exact:
        """More than the row can ever miss its sides by."""
        total: Exact = max(
            (abs(Fraction(side)) for side in (row.lower, row.upper) if side is not None), default=Fraction(0)
        )
        for term in row.terms:
            size = int(np.abs(term.cells).max(initial=0))
            weights = np.abs(term.weights.astype(object))
            if term.of == "served":
                total += int(weights.sum())
            elif term.of == "paid":
                total += int(weights.sum()) * size * self.shape[0]
            else:
                cents = (self.most * self.step)[term.demands].astype(object)
                per = self.asked[term.demands] if term.of == "units" else np.ones(len(cents), np.int64)
                total += size * sum(int(-(-w * c // int(a))) for w, c, a in zip(weights, cents, per, strict=True))
        for auxiliary, coefficient in row.auxiliaries:
            total += abs(coefficient) * auxiliary.reach
        return total

    def losses(self) -> list[tuple[Auxiliary, Fraction]]:
        """At a later level: what soft rows miss, and the points that each whole number of it costs."""
        found = []
        for rule, statements in self._said:
            if rule.soft is not None:
                for said in statements:
                    for row in [said] if isinstance(said, Row) else self._softened(rule, said):
                        if not row.defines:
                            found += [(a, rule.soft / row.scale) for a, _ in self._misses(rule, row)]
        return found

    @cached_property
    def auxiliaries(self) -> list[Auxiliary]:
        """All that rows and the aim lean on; those that belong to the plan (`whole`) first."""
        named = [a for _, row in self.rows for a, _ in row.auxiliaries] + [a for a, _ in self.aim.auxiliaries]
        return sorted(dict.fromkeys(named), key=lambda a: not a.whole)

    @cached_property
    def moves(self) -> list[Auxiliary]:
        """Those that belong to the plan, in the order of `Reading.moved`."""
        return [a for a in self.auxiliaries if a.whole]

    @cached_property
    def boxed(self) -> list[tuple[Rule, Box]]:
        """Hard boxes, those that rows come to included."""
        boxes = [(rule, self._as_box(rule, s)) for rule, said in self.statements for s in said]
        return [(rule, box) for rule, box in boxes if box is not None]

    def _as_box(self, rule: Rule, said: Statement) -> Box | None:
        """A hard box as it is; "Σ positive · served ≤ 0", over all years and of nothing else, refuses its demands."""
        if rule.soft is not None:
            return None
        if (
            isinstance(said, Row)
            and len(said.terms) == 1
            and said.lower is None
            and said.upper == 0
            and not said.auxiliaries
        ):
            (term,) = said.terms
            if term.of == "served" and (term.weights > 0).all() and term.cells.all():
                nothing = np.zeros(len(term.demands), np.int64)
                return Box(term.demands, nothing, nothing)
        return said if isinstance(said, Box) else None

    @cached_property
    def boxes(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) fewest and most steps that hard boxes and eligibility leave; fewest > most where nothing is left."""
        low, high = np.zeros(self.n, np.int64), np.where(self.payable, self.most, 0)
        for _, box in self.boxed:
            np.maximum.at(low, box.demands, box.lower)
            np.minimum.at(high, box.demands, box.upper)
        low = np.where(low > 0, np.maximum(low, self.least), low)
        high = np.where(high < self.least, np.minimum(high, 0), high)
        return low, high

    @cached_property
    def _patterns(self) -> tuple[np.ndarray, list[Pattern]]:
        funds, years = self.shape
        hard = [said for rule, statements in self._said if rule.soft is None for said in statements]
        masks = list(self._picked)
        told: list[tuple[Rate | Few | Least, np.ndarray]] = []
        beyond: list[tuple[Least, np.ndarray]] = []  # demands that ask for less than the least
        for said in hard:
            if isinstance(said, Rate | Few | Least):
                mask = np.zeros(self.n, bool)
                mask[said.demands] = True
                told.append((said, mask))
                if isinstance(said, Least):
                    beyond.append((said, mask & (self.most.astype(object) * self.step < said.cents).astype(bool)))
        key = self.first * (years + 1) + self.end
        for mask in [*masks, *(mask for _, mask in told), *(mask for _, mask in beyond)]:
            key = np.unique(2 * key + mask, return_inverse=True)[1]
        _, example, pattern = np.unique(key, return_index=True, return_inverse=True)
        found = []
        for i in example:
            span = (np.arange(years) >= self.first[i]) & (np.arange(years) < self.end[i])
            eligible = np.outer(np.array([mask[i] for mask in masks], bool), span)
            for said, mask in beyond:
                if mask[i]:
                    eligible[said.funds] = False
            rates = np.full((funds, years), Fraction(1), object)
            least, few = np.ones(funds, object), []
            for law, mask in told:
                if not mask[i]:
                    continue
                if isinstance(law, Rate):
                    rates[law.cells] = np.minimum(rates[law.cells], np.array(law.rate, object))
                elif isinstance(law, Least):
                    least[law.funds] = np.maximum(least[law.funds], law.cents)
                elif (law.funds & eligible.any(axis=1)).sum() > law.most:
                    few.append((tuple(np.flatnonzero(law.funds).tolist()), law.most))
            eligible &= (rates > 0).astype(bool)
            found.append(Pattern(eligible, rates, tuple(few), tuple(map(int, least))))
        return pattern, found

    @property
    def pattern(self) -> np.ndarray:
        """(n,) position of each demand's `Pattern` in `patterns`."""
        return self._patterns[0]

    @property
    def patterns(self) -> list[Pattern]:
        return self._patterns[1]

    @cached_property
    def payable(self) -> np.ndarray:
        """(n,) bool: some fund may pay it."""
        return np.array([p.eligible.any() for p in self.patterns], bool)[self.pattern]

    def unit_caps(self, pattern: int, members: np.ndarray, *, rounded_up: bool = False) -> tuple[np.ndarray, int]:
        """What each fund may pay of one unit: whole numbers (F, Y, k) and how many of them make a cent.

        Never more than the unit's `asked`; zero where a cell is not eligible. A cap is rounded up to the cent: here where
        at most one whole unit can be had, for it cannot be more than once; with `rounded_up` wherever units are whole,
        which t units never exceed t times.
        """
        shape = self.patterns[pattern]
        common = int(np.lcm.reduce([r.denominator for r in shape.rate[shape.eligible]] or [1]))
        asked = self.asked[members].astype(object) * common
        cost = self.cost[members].astype(object)
        whole = self.lumpy[members] & (rounded_up | (self.most[members] <= 1))
        caps = np.zeros((*self.shape, len(members)), object)
        for f, y in np.argwhere(shape.eligible):
            rate = shape.rate[f, y]
            if rate < 1:
                exact = cost * int(rate * common)
                exact = np.where(whole, -(-exact // common) * common, exact)
                caps[f, y] = np.minimum(asked, exact)
            else:
                caps[f, y] = asked
        return caps, common

    @cached_property
    def families(self) -> list[np.ndarray]:
        """Demands (k,) in whole units that differ little: of one measure, each unit at one price, two or more of them. How
        many units a family gets is a whole number, which a proof may split on."""
        low, high = self.boxes
        mine = np.flatnonzero(self.lumpy & (high > low))
        if not len(mine):
            return []
        _, label, count = np.unique(
            np.stack([self.measure[mine], self.asked[mine]]), axis=1, return_inverse=True, return_counts=True
        )
        order = np.argsort(label, kind="stable")
        return [np.sort(family) for family in np.split(mine[order], np.cumsum(count)[:-1]) if len(family) > 1]

    @cached_property
    def tied(self) -> np.ndarray:
        """(n,) bool: it matters which funds pay a demand at all, by hard rules or by what soft ones count."""
        found = np.array([p.tied for p in self.patterns], bool)[self.pattern]
        for _, row in self.rows:
            for term in row.terms:
                if term.of == "paid":
                    found[term.demands] = True
        return found

    @cached_property
    def capped(self) -> np.ndarray:
        """(n,) bool: some eligible cell may not pay all that is asked for a unit."""
        found = np.zeros(self.n, bool)
        for k, pattern in enumerate(self.patterns):
            if pattern.capped:
                members = np.flatnonzero(self.pattern == k)
                caps, common = self.unit_caps(k, members)
                asked = self.asked[members].astype(object) * common
                found[members] = np.any([caps[f, y] < asked for f, y in np.argwhere(pattern.eligible)], axis=0)
        return found

    def _softened(self, rule: Rule, statement: Statement) -> list[Row]:
        if (key := id(statement)) not in self._soft:
            self._soft[key] = list(self._as_rows(statement))
        return self._soft[key]

    def _as_rows(self, statement: Statement) -> Iterator[Row]:
        """What a statement on single demands comes to as rows, one for each demand (and cell, and fund)."""
        ones = np.ones(self.shape, np.int64)
        names = self.scenario.demands["id"]
        if isinstance(statement, Box):
            for i, low, high in zip(statement.demands, statement.lower, statement.upper, strict=True):
                # a step is a unit, or the asked-th part of one
                steps_per_unit = int(self.asked[i] // self.step[i])
                term = Term(np.array([i]), steps_per_unit, ones, "units")
                yield Row((term,), int(low), int(high), steps_per_unit, str(names.iat[i]))
        elif isinstance(statement, Few):
            funds = statement.funds[:, None] * ones
            for i in statement.demands:
                yield Row((Term(np.array([i]), 1, funds, "paid"),), None, statement.most, 1, str(names.iat[i]))
        elif isinstance(statement, Least):
            for i in statement.demands:
                for f in np.flatnonzero(statement.funds & self.patterns[self.pattern[i]].eligible.any(axis=1)):
                    here = np.zeros(self.shape, np.int64)
                    here[f], at = 1, np.array([i])
                    terms = (Term(at, 1, here), Term(at, -statement.cents, here, "paid"))
                    yield Row(terms, 0, None, 100, str(names.iat[i]))
        elif isinstance(statement, Rate):
            rate = statement.rate
            for i in statement.demands:
                pattern = self.patterns[self.pattern[i]]
                for f, y in np.argwhere(statement.cells & pattern.eligible):
                    here, year = np.zeros(self.shape, np.int64), np.zeros(self.shape, np.int64)
                    here[f, y], year[:, y] = rate.denominator, 1
                    at = np.array([i])
                    paid, cost = (
                        Term(at, 1, here),
                        Term(at, -rate.numerator * int(self.cost[i]), year, "units"),
                    )
                    yield Row((paid, cost), None, 0, 100 * rate.denominator, str(names.iat[i]))


def _steps(units: pd.Series, asked: np.ndarray, lumpy: np.ndarray, *, up: bool) -> np.ndarray:
    """(n,) whole steps in `units`: units where lumpy, else the cents that they cost, rounded."""
    numerators, scale, _ = decimals_column(units)
    wide = numerators.astype(object) if _overflows(numerators, asked) else numerators
    product = wide * np.where(lumpy, 1, asked)
    steps = -(-product // scale) if up else product // scale
    return steps.astype(np.int64)


def _overflows(*factors: np.ndarray | Sequence[int]) -> bool:
    """Whether the product of the largest entries leaves int64 no room for a sum."""
    total = 1
    for factor in factors:
        total *= max((abs(int(v)) for v in (np.min(factor), np.max(factor))), default=0) if len(factor) else 0
    return total >= 2**62


def _split(codes: np.ndarray, demands: np.ndarray, values: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """For each of `values`, those of `demands` whose code it is, in order."""
    mine = codes[demands]
    order = np.argsort(mine, kind="stable")
    starts = np.searchsorted(mine[order], values)
    ends = np.searchsorted(mine[order], values, side="right")
    for value, start, end in zip(values, starts, ends, strict=True):
        yield int(value), demands[order[start:end]]


class Rule:
    """A named thing that a plan must respect: a constraint or a fund's envelope. See `constraints.Constraint`."""

    title: ClassVar[Text]
    counts_euros: ClassVar[bool] = True  # in its levels; else units or demands
    only_asks_for_more: ClassVar[bool] = False  # of what it names: it never stands against a demand
    kind: str
    id: str
    label: str
    soft: Fraction | None

    def rows(self, space: Space) -> Iterator[Statement]:
        """What the program must contain: exact coefficients per demand and cell."""
        raise NotImplementedError

    def check(self, reading: Reading) -> Iterator[Level]:
        """Where a finished plan stands, counted apart from `rows`."""
        raise NotImplementedError

    def holds_back(self, reading: Reading) -> bool:
        """Whether it may limit a plan in a way that none of its levels shows."""
        return False

    def group_text(self, group: str) -> str:
        """The name of a row or level, in the user's words."""
        return group

    def side_text(self, row: Row) -> Text:
        """What one of its rows asks for: "at least" or "at most", in euros or units."""
        money = any(term.of == "cents" for term in row.terms)
        sides = []
        for side, said in ((row.lower, Text("au moins", "at least")), (row.upper, Text("au plus", "at most"))):
            if side is not None:
                exact = Fraction(side) / row.scale
                cents = int(exact * 100)
                shown = Text(format_euros(cents, "fr"), format_euros(cents, "en")) if money else figure(float(exact), 6)
                sides.append(Text(f"{said.fr} {shown.fr}", f"{said.en} {shown.en}"))
        return Text(" ; ".join(s.fr for s in sides), "; ".join(s.en for s in sides))
