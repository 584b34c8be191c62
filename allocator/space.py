"""The scenario as whole numbers: demands × (fund, year) cells, and the three things a rule may say about them.

A demand's grant is counted in *steps*: one unit where its measure is lumpy, one cent otherwise. With ``t`` steps it is
granted ``step · t`` cents, spread over its eligible cells, and has ``t`` units (lumpy) or ``t / asked`` (divisible).

Rules speak in `Row` (linear, any coefficients), `Box` (steps of single demands) and `Rate` (the share of a demand's cost
that a fund may pay in a year). Everything here is exact; nothing here knows of classes, engines or floats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from allocator.money import cents_column, decimals_column
from allocator.texts import Text

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

    @cached_property
    def years(self) -> np.ndarray:
        """(Y,) bool: years with an eligible fund."""
        return np.asarray(self.eligible.any(axis=0))

    @cached_property
    def capped(self) -> bool:
        return any(r < 1 for r in self.rate[self.eligible])


@dataclass(frozen=True, eq=False)
class Space:
    """n demands × F funds × Y years. Money in cents; see the module for steps."""

    scenario: Scenario
    asked: np.ndarray  # (n,) int64 cents per unit
    cost: np.ndarray  # (n,) int64 cents per unit
    lumpy: np.ndarray  # (n,) bool
    step: np.ndarray  # (n,) int64 cents per step
    most: np.ndarray  # (n,) int64 steps asked for
    least: np.ndarray  # (n,) int64 steps: nothing, or at least this (>= 1)
    measure: np.ndarray  # (n,) position
    territory: np.ndarray  # (n,) position
    _groups: dict[tuple[str, str | None], list[Group]] = field(default_factory=dict, repr=False)
    _auxiliaries: dict[tuple[object, ...], Auxiliary] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, scenario: Scenario) -> Space:
        demands = scenario.demands
        asked, cost = (cents_column(demands[name])[0] for name in ("asked", "cost"))
        of_measure = {m.id: k for k, m in enumerate(scenario.measures)}
        measure = demands["measure"].map(of_measure).to_numpy(np.int64)
        lumpy = np.array([m.lumpy for m in scenario.measures], bool)[measure]
        step = np.where(lumpy, asked, 1)
        most = _steps(demands["units"], asked, lumpy, up=False)
        least = np.maximum(_steps(demands["min_units"], asked, lumpy, up=True), 1)
        territory = pd.Index(scenario.territories["id"]).get_indexer(demands["territory"])
        return cls(scenario, asked, cost, lumpy, step, most, least, measure, territory)

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
        numerators, scale, _ = decimals_column(self.scenario.demands[name])
        return numerators, scale

    def money(self, name: str) -> np.ndarray:
        """Money column `name` of the demands, (n,) int64 cents."""
        return cents_column(self.scenario.demands[name])[0]

    def steps(self, units: Exact, demand: int) -> int:
        """Whole steps that `units` of a demand make, downwards."""
        return int(Fraction(units) * int(self.asked[demand]) // int(self.step[demand]))

    @property
    def rules(self) -> list[Rule]:
        """Every fund's envelope, then every enabled constraint, in the scenario's order."""
        return self.scenario.rules

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
    def statements(self) -> list[tuple[Rule, list[Statement]]]:
        """What every rule says, hard and soft alike."""
        return [(rule, list(rule.rows(self))) for rule in self.rules]

    @cached_property
    def rows(self) -> list[tuple[Rule, Row]]:
        """All linear rows that are not boxes: those of the rules, and what soft boxes and rates come to."""
        found: list[tuple[Rule, Row]] = []
        for rule, statements in self.statements:
            for statement in statements:
                if rule.soft is not None and not isinstance(statement, Row):
                    found.extend((rule, row) for row in self._softened(statement))
                elif isinstance(statement, Row) and self._as_box(rule, statement) is None:
                    found.append((rule, statement))
        return found

    @cached_property
    def boxed(self) -> list[tuple[Rule, Box]]:
        """Hard boxes, those that rows come to included."""
        boxes = [(rule, self._as_box(rule, s)) for rule, said in self.statements for s in said]
        return [(rule, box) for rule, box in boxes if box is not None]

    def _as_box(self, rule: Rule, said: Statement) -> Box | None:
        """A hard box as it is; "Σ positive · served ≤ 0" refuses its demands."""
        if rule.soft is not None:
            return None
        if isinstance(said, Row) and len(said.terms) == 1 and said.lower is None and said.upper == 0:
            (term,) = said.terms
            if term.of == "served" and (term.weights > 0).all():
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
        scenario, (funds, years) = self.scenario, self.shape
        first = np.searchsorted(scenario.years, scenario.demands["first_year"].to_numpy(np.int64))
        last = np.searchsorted(scenario.years, scenario.demands["last_year"].to_numpy(np.int64), side="right")
        key = first * (years + 1) + last
        masks = [fund.on.pick(scenario).demands if fund.on else np.ones(self.n, bool) for fund in scenario.funds]
        hard = [s for rule, said in self.statements if rule.soft is None for s in said if isinstance(s, Rate)]
        touched = []
        for rate in hard:
            mask = np.zeros(self.n, bool)
            mask[rate.demands] = True
            touched.append(mask)
        for mask in [*masks, *touched]:
            key = np.unique(2 * key + mask, return_inverse=True)[1]
        _, example, pattern = np.unique(key, return_index=True, return_inverse=True)
        found = []
        for i in example:
            span = (np.arange(years) >= first[i]) & (np.arange(years) < last[i])
            eligible = np.outer(np.array([mask[i] for mask in masks], bool), span)
            rates = np.full((funds, years), Fraction(1), object)
            for rate, mask in zip(hard, touched, strict=True):
                if mask[i]:
                    rates[rate.cells] = np.minimum(rates[rate.cells], np.array(rate.rate, object))
            found.append(Pattern(eligible, rates))
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

    def _softened(self, statement: Box | Rate) -> Iterator[Row]:
        ones = np.ones(self.shape, np.int64)
        if isinstance(statement, Box):
            for i, low, high in zip(statement.demands, statement.lower, statement.upper, strict=True):
                # a step is a unit, or the asked-th part of one
                steps_per_unit = int(self.asked[i] // self.step[i])
                term = Term(np.array([i]), steps_per_unit, ones, "units")
                name = str(self.scenario.demands["id"].iat[i])
                yield Row((term,), int(low), int(high), steps_per_unit, name)
        else:
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
                    yield Row((paid, cost), None, 0, 100 * rate.denominator, str(self.scenario.demands["id"].iat[i]))


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
