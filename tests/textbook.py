"""The oracle: a scenario written out the way a textbook would, without any cleverness.

Two independent readings of the contract live here, and the tests hold them against each other:

* ``solve_textbook`` writes one money column per demand × eligible (fund, year), unit columns, served
  binaries and slacks, and gives the whole to ``scipy.optimize.milp``: floats, in euros (or, with
  ``cents=True``, every money column whole: then exactly the plans that can be paid);
* ``lines`` evaluates a given plan in exact fractions, rule by rule; ``violations`` and ``objective_of``
  rest on it.

Nothing here imports the compiler, the certificate or the ``rows`` / ``check`` methods of the constraints:
only the fields of the scenario's objects are read.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

Cell = tuple[str, str, int]  # demand, fund, year
Payments = Mapping[Cell, int]  # cents, non-zero


def exact(value: Any) -> Fraction:
    """A number as written: 0.1 is 1/10, not the nearest float."""
    if isinstance(value, Fraction):
        return value
    return Fraction(str(value))


# ------------------------------------------------------------------------ the scenario, read


@dataclass(frozen=True)
class Demand:
    """One row of the table. Money in cents per unit (``asked`` whole, the others as written)."""

    id: str
    territory: str
    measure: str
    units: Fraction
    min_units: Fraction
    asked: int
    cost: Fraction
    other_public: Fraction
    own: Fraction
    lumpy: bool
    row: Mapping[str, Any]  # every column, for attributes and indicators

    @property
    def least(self) -> Fraction:
        """The units from which it counts as served: min_units, 1 if lumpy, one cent's worth; whole cents."""
        if self.lumpy:
            return max(self.min_units, Fraction(1))
        return Fraction(max(math.ceil(self.min_units * self.asked), 1), self.asked)

    @property
    def most(self) -> Fraction:
        """The units asked for, as far as whole cents buy them."""
        return self.units if self.lumpy else Fraction(math.floor(self.units * self.asked), self.asked)


@dataclass(frozen=True)
class Choice:
    """What a selection leaves, by id."""

    demands: frozenset[str]
    funds: frozenset[str]
    years: frozenset[int]
    territories: frozenset[str]
    measures: frozenset[str]

    def holds(self, cell: Cell) -> bool:
        """Is this cell's money selected?"""
        return cell[0] in self.demands and cell[1] in self.funds and cell[2] in self.years


def same(a: Any, b: Any) -> bool:
    """Text equals text, booleans booleans, numbers numbers."""
    if isinstance(a, bool | np.bool_) or isinstance(b, bool | np.bool_):
        return isinstance(a, bool | np.bool_) and isinstance(b, bool | np.bool_) and bool(a) == bool(b)
    if isinstance(a, str) or isinstance(b, str):
        return isinstance(a, str) and isinstance(b, str) and a == b
    return exact(a) == exact(b)


def fits(value: Any, wanted: Any) -> bool:
    """Does an attribute's value answer to ``value``, ``[values]`` or ``{min:, max:}``?"""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return False
    if hasattr(wanted, "min"):
        low, high = wanted.min, wanted.max
        return (low is None or exact(value) >= exact(low)) and (high is None or exact(value) <= exact(high))
    if isinstance(wanted, list | tuple):
        return any(same(value, one) for one in wanted)
    return same(value, wanted)


class Reading:
    """A scenario as plain exact values, looked up by id."""

    def __init__(self, scenario: Any) -> None:
        self.scenario = scenario
        self.years: list[int] = [int(year) for year in scenario.years]
        self.funds = {fund.id: fund for fund in scenario.funds}
        self.measures = {measure.id: measure for measure in scenario.measures}
        self.territories: dict[str, dict[str, Any]] = {
            row["id"]: row for row in scenario.territories.to_dict("records")
        }
        self.demand_columns = set(scenario.demands.columns)
        self.territory_columns = set(scenario.territories.columns)
        self._groups: dict[str, list[tuple[str, Choice, Choice | None]]] = {}
        self.demands: dict[str, Demand] = {}
        for row in scenario.demands.to_dict("records"):
            asked = exact(row["asked"]) * 100
            assert asked.denominator == 1
            self.demands[row["id"]] = Demand(
                id=row["id"],
                territory=row["territory"],
                measure=row["measure"],
                units=exact(row["units"]),
                min_units=exact(row["min_units"]),
                asked=int(asked),
                cost=exact(row["cost"]) * 100,
                other_public=exact(row["other_public"]) * 100,
                own=exact(row["own"]) * 100,
                lumpy=bool(self.measures[row["measure"]].lumpy),
                row=row,
            )

    # -- selections

    def everything(self) -> Choice:
        """What ``{}`` selects."""
        return Choice(
            frozenset(self.demands),
            frozenset(self.funds),
            frozenset(self.years),
            frozenset(self.territories),
            frozenset(self.measures),
        )

    def choose(self, selection: Any) -> Choice:
        """What a Selection leaves (None: everything). A demand follows its territory and its measure."""
        if selection is None:
            return self.everything()
        territories = [
            t for t in self.territories if selection.territories is None or t in selection.territories
        ]
        measures = [m for m in self.measures if selection.measures is None or m in selection.measures]
        demands = [d for d in self.demands.values() if selection.demands is None or d.id in selection.demands]
        for attribute, wanted in (selection.where or {}).items():
            if attribute in self.demand_columns:  # the demand's own attribute first
                demands = [d for d in demands if fits(d.row[attribute], wanted)]
            else:
                territories = [t for t in territories if fits(self.territories[t][attribute], wanted)]
        return Choice(
            frozenset(d.id for d in demands if d.territory in territories and d.measure in measures),
            frozenset(f for f in self.funds if selection.funds is None or f in selection.funds),
            frozenset(y for y in self.years if selection.years is None or y in selection.years),
            frozenset(territories),
            frozenset(measures),
        )

    # -- groups

    def values(self, choice: Choice, per: str) -> list[Any]:
        """The values of ``per`` that a selection leaves, in the attribute's own table."""
        if per == "fund":
            return sorted(choice.funds)
        if per == "year":
            return sorted(choice.years)
        if per == "measure":
            return sorted(choice.measures)
        if per == "territory":
            return sorted(choice.territories)
        if per in self.demand_columns:
            found = {self.demands[d].row[per] for d in choice.demands}
        else:
            found = {self.territories[t][per] for t in choice.territories}
        return sorted(found, key=str)

    def narrow(self, choice: Choice, per: str, value: Any) -> Choice:
        """A selection cut down to one value of ``per``."""
        if per == "fund":
            return replace(choice, funds=choice.funds & {value})
        if per == "year":
            return replace(choice, years=choice.years & {value})
        if per == "measure":
            kept = frozenset(d for d in choice.demands if self.demands[d].measure == value)
            return replace(choice, demands=kept, measures=choice.measures & {value})
        if per != "territory" and per in self.demand_columns:
            return replace(
                choice, demands=frozenset(d for d in choice.demands if same(self.demands[d].row[per], value))
            )
        if per == "territory":
            territories = choice.territories & {value}
        else:
            territories = frozenset(t for t in choice.territories if same(self.territories[t][per], value))
        kept = frozenset(d for d in choice.demands if self.demands[d].territory in territories)
        return replace(choice, demands=kept, territories=territories)

    def groups(self, constraint: Any) -> list[tuple[str, Choice, Choice | None]]:
        """(name, what ``on`` leaves, what ``of`` leaves) per value of ``per``; one where it is absent."""
        if constraint.id not in self._groups:
            self._groups[constraint.id] = list(self._read_groups(constraint))
        return self._groups[constraint.id]

    def _read_groups(self, constraint: Any) -> Iterator[tuple[str, Choice, Choice | None]]:
        on = self.choose(constraint.on)
        of = self.choose(constraint.of) if constraint.kind == "share" else None
        per = getattr(constraint, "per", None)
        if per is None:
            yield constraint.id, on, of
            return
        for value in self.values(on, per):
            yield (
                f"{constraint.id}[{value}]",
                self.narrow(on, per, value),
                None if of is None else self.narrow(of, per, value),
            )

    def inhabitants(self, choice: Choice) -> int:
        """People in the territories that are left."""
        return sum(int(self.territories[t]["population"]) for t in choice.territories)

    # -- money

    @cached_property
    def cells(self) -> list[Cell]:
        """Every (demand, fund, year) that may be paid."""
        chosen = {fund.id: self.choose(fund.on) for fund in self.funds.values()}
        return [
            (d.id, f, y)
            for d in self.demands.values()
            for f in self.funds
            for y in self.years
            if int(d.row["first_year"]) <= y <= int(d.row["last_year"]) and chosen[f].holds((d.id, f, y))
        ]

    @cached_property
    def cells_of(self) -> dict[str, list[Cell]]:
        """The cells of each demand."""
        found: dict[str, list[Cell]] = {d: [] for d in self.demands}
        for cell in self.cells:
            found[cell[0]].append(cell)
        return found

    def family(self, fund: str) -> set[str]:
        """A fund and all that is nested in it: their money is its money too."""
        inside = {fund}
        while more := {f.id for f in self.funds.values() if f.parent in inside} - inside:
            inside |= more
        return inside

    def budgets(self) -> Iterator[tuple[str, set[str], list[int], Fraction]]:
        """(name, funds whose money counts, years, cents at most): rows that hold the funds' money."""
        for fund in self.funds.values():
            free = 1 - exact(fund.reserve)
            family = self.family(fund.id)
            if fund.amount is not None:
                yield f"fund {fund.id}", family, self.years, free * fund.amount
                continue
            held = {int(y): cents for y, cents in fund.amounts.items()}
            for year in self.years:
                covered = [y for y in self.years if y <= year] if fund.carry_over else [year]
                yield f"fund {fund.id} {year}", family, covered, free * sum(held.get(y, 0) for y in covered)

    @cached_property
    def caps(self) -> list[tuple[str, Cell, Fraction, Fraction | None]]:
        """(name, cell, cents per unit at most, points per euro or None): rates, where they bind."""
        found = []
        for cell in self.cells:
            demand = self.demands[cell[0]]
            per_unit = exact(self.funds[cell[1]].max_rate) * demand.cost
            if per_unit < demand.asked:
                found.append((f"max_rate {cell}", cell, per_unit, None))
        for constraint in self.scenario.constraints:
            if constraint.kind == "fund_rate" and constraint.enabled:
                found.extend(self.rate_caps(constraint))
        return found

    def rate_caps(self, constraint: Any) -> Iterator[tuple[str, Cell, Fraction, Fraction | None]]:
        """One ``fund_rate``, cell by cell."""
        on = self.choose(constraint.on)
        rate = exact(constraint.max_rate)
        for cell in self.cells:
            demand = self.demands[cell[0]]
            if on.holds(cell) and rate * demand.cost < demand.asked:
                yield f"{constraint.id} {cell}", cell, rate * demand.cost, points(constraint)

    # -- what a demand is worth to a rule

    def attribute(self, demand: Demand, name: str) -> Any:
        """A demand's own attribute, or else its territory's (region …)."""
        if name == "measure":
            return demand.measure
        if name in self.demand_columns:
            return demand.row[name]
        return self.territories[demand.territory][name]

    def indicator(self, constraint: Any, demand: Demand, year: int) -> Fraction:
        """Weighted indicator per unit committed in a year; without a weight, or after ``until``: 1."""
        worth = exact(demand.row[constraint.indicator])
        if constraint.until is not None and year > constraint.until:
            return worth
        for name, weights in constraint.weights.items():
            value = self.attribute(demand, name)
            for key, weight in weights.items():
                if same(value, key) or str(value) == str(key):
                    worth *= exact(weight)
        return worth

    def excess(self, constraint: Any, demand: Demand) -> Fraction:
        """Percentage points of public money beyond the rate; 0 where the demand passes."""
        public = demand.asked + demand.other_public
        base = demand.cost if constraint.base == "cost" else public + demand.own
        limit = exact(constraint.max_public_rate)
        if public <= limit * base:
            return Fraction(0)
        return 100 * (public / base - limit)

    def target(self, constraint: Any, demand: Demand) -> Fraction:
        """Units that a lock decides; of a divisible demand, what whole cents can buy of them."""
        if constraint.decision == "refuse":
            return Fraction(0)
        if constraint.decision == "fund":
            return demand.most
        units = exact(constraint.units)
        return units if demand.lumpy else Fraction(math.floor(units * demand.asked), demand.asked)

    @property
    def weights(self) -> dict[str, Fraction]:
        """Points per unit of each indicator."""
        return {name: exact(weight) for name, weight in self.scenario.objective.maximise.items()}

    def worth(self, demand: Demand) -> Fraction:
        """Points per unit."""
        return sum((weight * exact(demand.row[name]) for name, weight in self.weights.items()), Fraction(0))


def points(constraint: Any) -> Fraction | None:
    """Points lost per unit of breach; None: hard."""
    return None if constraint.soft is None else exact(constraint.soft)


def amount(reading: Reading, constraint: Any, choice: Choice) -> Fraction:
    """The cents of a ceiling or a floor for one group."""
    if constraint.amount is not None:
        return Fraction(constraint.amount)
    return Fraction(constraint.per_inhabitant) * reading.inhabitants(choice)


# -------------------------------------------------------------------- a plan, judged exactly


@dataclass(frozen=True)
class Line:
    """One number of one rule, and where it must lie.

    ``value`` adds up over demands (what a plan makes of it is the sum over its demands taken alone): that
    lets brute force enumerate. ``loose``: how far a hard equality on divisible money may miss, also a sum.
    """

    rule: str
    value: Fraction
    low: Fraction | None = None
    high: Fraction | None = None
    points: Fraction | None = None
    loose: Fraction = field(default=Fraction(0))

    @property
    def breach(self) -> Fraction:
        """How far outside; 0 inside."""
        loose = self.loose if self.points is None else Fraction(0)
        below = Fraction(0) if self.low is None else self.low - loose - self.value
        above = Fraction(0) if self.high is None else self.value - self.high - loose
        return max(below, above, Fraction(0))


def rounded_up(cents: Fraction) -> int:
    """A rate cap goes up to the cent."""
    return math.ceil(cents)


def demand_lines(reading: Reading, plan: Payments) -> Iterator[Line]:
    """What every single demand must obey, whatever the constraints."""
    allowed = set(reading.cells)
    granted: dict[str, int] = defaultdict(int)
    by_year: dict[tuple[str, int], int] = defaultdict(int)
    for cell, cents in plan.items():
        granted[cell[0]] += cents
        by_year[cell[0], cell[2]] += cents
        if cell not in allowed:
            yield Line(f"not eligible {cell}", Fraction(abs(cents)), high=Fraction(0))
        if cents < 0:
            yield Line(f"negative {cell}", Fraction(-cents), high=Fraction(0))
    for demand in reading.demands.values():
        cents = granted[demand.id]
        yield Line(f"units of {demand.id}", Fraction(cents, demand.asked), high=demand.units)
        too_few = 0 < cents < demand.least * demand.asked
        yield Line(f"at least, or nothing {demand.id}", Fraction(too_few), high=Fraction(0))
        if demand.lumpy:
            broken = sum(by_year[demand.id, y] % demand.asked != 0 for y in reading.years)
            yield Line(f"whole units by year {demand.id}", Fraction(broken), high=Fraction(0))
    for name, cell, per_unit, lost in reading.caps:
        cents = plan.get(cell, 0)
        if cents:
            exact = per_unit * by_year[cell[0], cell[2]] / reading.demands[cell[0]].asked
            cap = rounded_up(exact) if lost is None else exact  # what is priced needs no rounding
            yield Line(name, Fraction(max(0, cents - cap), 100), high=Fraction(0), points=lost)
        else:
            yield Line(name, Fraction(0), high=Fraction(0), points=lost)


def fund_lines(reading: Reading, plan: Payments) -> Iterator[Line]:
    """The funds' money."""
    for name, funds, years, cents in reading.budgets():
        used = sum(c for (_, f, y), c in plan.items() if f in funds and y in years)
        yield Line(name, Fraction(used, 100), high=cents / 100)


def constraint_lines(reading: Reading, constraint: Any, plan: Payments) -> Iterator[Line]:
    """One constraint, one line per group (``fund_rate``: see ``demand_lines``)."""
    lost = points(constraint)
    if constraint.kind == "lock":
        for name, on, _ in reading.groups(constraint):
            for d in sorted(on.demands):
                demand = reading.demands[d]
                cents = sum(c for cell, c in plan.items() if cell[0] == d and on.holds(cell))
                target = reading.target(constraint, demand)
                yield Line(f"{name} {d}", Fraction(cents, demand.asked), target, target, lost)
        return
    if constraint.kind == "cofunding":
        for name, on, _ in reading.groups(constraint):
            for d in sorted(on.demands):
                served = any(cell[0] == d for cell in plan)
                excess = reading.excess(constraint, reading.demands[d])
                yield Line(f"{name} {d}", excess * served, high=Fraction(0), points=lost)
        return
    for name, on, of in reading.groups(constraint):
        paid = {cell: cents for cell, cents in plan.items() if on.holds(cell)}
        if constraint.kind == "ceiling":
            yield Line(
                name,
                Fraction(sum(paid.values()), 100),
                high=amount(reading, constraint, on) / 100,
                points=lost,
            )
        elif constraint.kind == "floor":
            yield Line(
                name,
                Fraction(sum(paid.values()), 100),
                low=amount(reading, constraint, on) / 100,
                points=lost,
            )
        elif constraint.kind == "share":
            assert of is not None
            base = {cell: cents for cell, cents in plan.items() if of.holds(cell)}
            equal = constraint.min is not None and constraint.min == constraint.max
            loose = Fraction(len(set(paid) | set(base)) if equal else 0, 100)
            for side, limit in (("max", constraint.max), ("min", constraint.min)):
                if limit is not None:
                    left = Fraction(sum(paid.values()), 100) - exact(limit) * Fraction(
                        sum(base.values()), 100
                    )
                    bound = {"high": Fraction(0)} if side == "max" else {"low": Fraction(0)}
                    yield Line(f"{name} {side}", left, points=lost, loose=loose, **bound)
        elif constraint.kind == "count":
            if constraint.of == "demands":
                value = Fraction(len({cell[0] for cell in paid}))
                loose = Fraction(0)
            else:
                value = sum(
                    (Fraction(c, reading.demands[cell[0]].asked) for cell, c in paid.items()), Fraction(0)
                )
                loose = cent_worths(reading, paid, constraint, lambda d, y: Fraction(1))
            yield from both_sides(name, value, constraint, lost, loose)
        elif constraint.kind == "indicator":
            value = Fraction(0)
            for cell, cents in paid.items():
                demand = reading.demands[cell[0]]
                value += reading.indicator(constraint, demand, cell[2]) * Fraction(cents, demand.asked)
            loose = cent_worths(
                reading, paid, constraint, lambda d, y: abs(reading.indicator(constraint, d, y))
            )
            yield from both_sides(name, value, constraint, lost, loose)
        else:
            raise NotImplementedError(f"{constraint.kind}: the oracle does not know this kind")


def cent_worths(reading: Reading, paid: Payments, constraint: Any, worth: Any) -> Fraction:
    """What one cent per grant can buy, where min = max on divisible money; else nothing."""
    if constraint.min is None or constraint.max is None or exact(constraint.min) != exact(constraint.max):
        return Fraction(0)
    grants = [(reading.demands[cell[0]], cell[2]) for cell in paid]
    return sum((worth(d, y) / d.asked for d, y in grants if not d.lumpy), Fraction(0))


def both_sides(
    name: str, value: Fraction, constraint: Any, lost: Fraction | None, loose: Fraction
) -> Iterator[Line]:
    """min and max are two lines: a soft breach of either costs its own points."""
    if constraint.min is not None:
        yield Line(f"{name} min", value, low=exact(constraint.min), points=lost, loose=loose)
    if constraint.max is not None:
        yield Line(f"{name} max", value, high=exact(constraint.max), points=lost, loose=loose)


def lines(reading: Reading, plan: Payments) -> Iterator[Line]:
    """Every line of every rule for one plan."""
    yield from demand_lines(reading, plan)
    yield from fund_lines(reading, plan)
    for constraint in reading.scenario.constraints:
        if constraint.enabled and constraint.kind != "fund_rate":
            yield from constraint_lines(reading, constraint, plan)


def value_of(reading: Reading, plan: Payments) -> Fraction:
    """Points before losses."""
    demands = reading.demands
    return sum(
        (reading.worth(demands[d]) * Fraction(cents, demands[d].asked) for (d, _, _), cents in plan.items()),
        Fraction(0),
    )


def payments_of(grants: pd.DataFrame) -> dict[Cell, int]:
    """A grants table as a mapping; two rows for one cell are an error."""
    plan: dict[Cell, int] = {}
    for d, f, y, cents in zip(grants["demand"], grants["fund"], grants["year"], grants["cents"], strict=True):
        cell = (str(d), str(f), int(y))
        assert cell not in plan, f"two rows for {cell}"
        assert int(cents) == cents, f"{cents} cents for {cell}"
        assert cents != 0, f"a row without money for {cell}"
        plan[cell] = int(cents)
    return plan


def violations(scenario: Any, grants: pd.DataFrame) -> list[str]:
    """Every hard rule that a grants table (demand, fund, year, cents) breaks, exactly; empty: none."""
    reading = Reading(scenario)
    plan = payments_of(grants)
    unknown = [cell for cell in plan if cell[0] not in reading.demands or cell[1] not in reading.funds]
    if unknown:
        return [f"unknown demand or fund: {cell}" for cell in unknown]
    return [
        f"{line.rule}: {float(line.value)} outside [{line.low}, {line.high}] by {float(line.breach)}"
        for line in lines(reading, plan)
        if line.points is None and line.breach > 0
    ]


def objective_of(scenario: Any, grants: pd.DataFrame) -> Fraction:
    """Points of a grants table, net of soft losses, exactly."""
    reading = Reading(scenario)
    plan = payments_of(grants)
    lost = sum(
        (line.points * line.breach for line in lines(reading, plan) if line.points is not None), Fraction(0)
    )
    return value_of(reading, plan) - lost


def rounding_worth(scenario: Any) -> Fraction:
    """Points at stake when every cell moves by one cent: what cents may cost against real numbers.

    Counts the objective and the soft losses per cell; rules that bind in a chain can multiply it, so tests
    allow a small multiple.
    """
    reading = Reading(scenario)
    total = Fraction(0)
    for cell in reading.cells:
        demand = reading.demands[cell[0]]
        total += abs(reading.worth(demand)) / demand.asked
        for constraint in scenario.constraints:
            if not constraint.enabled or constraint.soft is None:
                continue
            per_cent = Fraction(1, 100)
            if constraint.kind == "indicator":
                per_cent = abs(reading.indicator(constraint, demand, cell[2])) / demand.asked
            elif constraint.kind in ("count", "lock"):
                per_cent = Fraction(1, demand.asked)
            elif constraint.kind == "cofunding":
                per_cent = Fraction(0)  # a whole demand is served or not
            total += exact(constraint.soft) * per_cent
    return total


# ------------------------------------------------------------------- the best plan, textbook


class Solution(NamedTuple):
    """What the textbook program gives: euros by (demand, fund, year), units by demand."""

    status: str  # "optimal" | "infeasible" | "limit"
    objective: float | None
    x: dict[Cell, float]
    units: dict[str, float]


class Sheet:
    """A program written row by row: columns with a name, a price and bounds; rows with two sides."""

    def __init__(self) -> None:
        self.price: list[float] = []
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.whole: list[bool] = []
        self.rows: list[dict[int, Fraction]] = []
        self.low: list[float] = []
        self.high: list[float] = []

    def column(
        self, *, upper: float, lower: float = 0.0, price: Fraction | float = 0, whole: bool = False
    ) -> int:
        self.price.append(float(price))
        self.lower.append(lower)
        self.upper.append(float(upper))
        self.whole.append(whole)
        return len(self.price) - 1

    def row(
        self,
        terms: Iterable[tuple[int, Fraction | int]],
        *,
        low: Fraction | int | None = None,
        high: Fraction | int | None = None,
        points: Fraction | None = None,
        whole: bool = False,
        scale: Fraction | int = 1,
    ) -> None:
        """``low <= Σ terms <= high``; with ``points``, each side may be missed at that price × ``scale``."""
        summed: dict[int, Fraction] = defaultdict(Fraction)
        for column, coefficient in terms:
            summed[column] += Fraction(coefficient)
        if points is not None:
            for side, limit in ((1, low), (-1, high)):
                if limit is not None:
                    most = sum(abs(float(v)) * self.upper[column] for column, v in summed.items()) + abs(
                        limit
                    )
                    slack = self.column(upper=math.ceil(most), price=-points * scale, whole=whole)
                    missed = {**summed, slack: Fraction(side)}
                    self._put(missed, limit if side == 1 else None, limit if side == -1 else None)
            return
        self._put(summed, low, high)

    def _put(self, terms: Mapping[int, Fraction], low: Any, high: Any) -> None:
        self.rows.append(dict(terms))
        self.low.append(-np.inf if low is None else float(low))
        self.high.append(np.inf if high is None else float(high))

    def maximise(self, time_limit: float) -> tuple[str, float | None, np.ndarray | None]:
        """Status, objective, columns."""
        if not self.price:
            empty_ok = all(lo <= 0 <= hi for lo, hi in zip(self.low, self.high, strict=True))
            return ("optimal", 0.0, np.zeros(0)) if empty_ok else ("infeasible", None, None)
        entries = [(r, c, float(v)) for r, row in enumerate(self.rows) for c, v in row.items() if v]
        r, c, v = zip(*entries, strict=True) if entries else ((), (), ())
        matrix = sparse.csr_matrix((v, (r, c)), shape=(len(self.rows), len(self.price)))
        found = milp(
            -np.array(self.price),
            integrality=np.array(self.whole, dtype=int),
            bounds=Bounds(np.array(self.lower), np.array(self.upper)),
            constraints=LinearConstraint(matrix, np.array(self.low), np.array(self.high))
            if self.rows
            else None,
            # SciPy 1.17's HiGHS, with presolve and columns without upper bound, crashed or said infeasible of
            # feasible programs (seed 95): hence no presolve, and a finite box everywhere.
            options={"mip_rel_gap": 0.0, "time_limit": time_limit, "presolve": False},
        )
        if found.status == 0:
            return "optimal", -float(found.fun), found.x
        return ("infeasible" if found.status == 2 else "limit"), None, None


def solve_textbook(
    scenario: Any, *, cents: bool = False, rounded_up: bool = False, time_limit: float = 60.0
) -> Solution:
    """The optimum over plans in real euros or, with ``cents``, in whole cents (exact, slow: tiny ones only).

    Real euros know no rounding up of rates; ``rounded_up`` lets every rate be missed by a cent instead:
    above what any plan in cents can reach.
    """
    reading = Reading(scenario)
    sheet = Sheet()
    money = 1 if cents else 100  # cents in one unit of a money column
    euro = Fraction(money, 100)  # euros in one unit of a money column

    # Columns: money per cell; units per demand, and per year where lumpy or rate-capped.
    x = {
        cell: sheet.column(upper=float(d.most * d.asked / money), whole=cents)
        for d in reading.demands.values()
        for cell in reading.cells_of[d.id]
    }
    caps = list(reading.caps)
    capped = {cell[0] for _, cell, _, _ in caps}
    u: dict[str, int] = {}
    u_year: dict[tuple[str, int], int] = {}
    for demand in reading.demands.values():
        own_cells = reading.cells_of[demand.id]
        asked = Fraction(demand.asked, money)
        u[demand.id] = sheet.column(upper=float(demand.most), price=reading.worth(demand), whole=demand.lumpy)
        if demand.lumpy or demand.id in capped:
            for year in reading.years:
                u_year[demand.id, year] = sheet.column(upper=float(demand.most), whole=demand.lumpy)
                paid = [(x[cell], 1) for cell in own_cells if cell[2] == year]
                sheet.row([*paid, (u_year[demand.id, year], -asked)], low=0, high=0)
            by_year = [(u_year[demand.id, year], 1) for year in reading.years]
            sheet.row([*by_year, (u[demand.id], -1)], low=0, high=0)
        else:
            sheet.row([*((x[cell], 1) for cell in own_cells), (u[demand.id], -asked)], low=0, high=0)

    # Served: units are 0 or at least this.
    served: dict[str, int] = {}

    def is_served(d: str) -> int:
        if d not in served:
            demand = reading.demands[d]
            can = demand.least <= demand.most
            served[d] = sheet.column(upper=float(can), whole=True)
            sheet.row([(u[d], 1), (served[d], -demand.most)], high=0)
            sheet.row([(u[d], 1), (served[d], -demand.least)], low=0)
        return served[d]

    for demand in reading.demands.values():
        if demand.min_units > 0:
            is_served(demand.id)

    # Funds.
    for _, funds, years, limit in reading.budgets():
        sheet.row(((x[c], 1) for c in x if c[1] in funds and c[2] in years), high=limit / money)

    # Rates: x <= rate × cost × units of that year; in whole cents the cap is rounded up (x < cap + 1).
    for _, cell, per_unit, lost in caps:
        room = Fraction(1 if rounded_up and lost is None else 0, money)
        if cents and lost is None:
            room = 1 - Fraction(1, (per_unit / reading.demands[cell[0]].asked).denominator)
        terms = [(x[cell], 1), (u_year[cell[0], cell[2]], -per_unit / money)]
        sheet.row(terms, high=room, points=lost, scale=euro, whole=cents and lost is None)

    # Constraints, kind by kind.
    for constraint in scenario.constraints:
        if not constraint.enabled or constraint.kind == "fund_rate":
            continue
        lost = points(constraint)
        for _, on, of in reading.groups(constraint):
            paid = [(x[cell], Fraction(1)) for cell in x if on.holds(cell)]
            if constraint.kind == "ceiling":
                sheet.row(paid, high=amount(reading, constraint, on) / money, points=lost, scale=euro)
            elif constraint.kind == "floor":
                sheet.row(paid, low=amount(reading, constraint, on) / money, points=lost, scale=euro)
            elif constraint.kind == "share":
                assert of is not None
                base = [x[cell] for cell in x if of.holds(cell)]
                if constraint.max is not None:
                    terms = [*paid, *((column, -exact(constraint.max)) for column in base)]
                    sheet.row(terms, high=0, points=lost, scale=euro)
                if constraint.min is not None:
                    terms = [*paid, *((column, -exact(constraint.min)) for column in base)]
                    sheet.row(terms, low=0, points=lost, scale=euro)
            elif constraint.kind == "count":
                if constraint.of == "demands":
                    terms = [(is_served(d), 1) for d in sorted(on.demands)]
                else:
                    terms = [(x[c], Fraction(money, reading.demands[c[0]].asked)) for c in x if on.holds(c)]
                sides(sheet, terms, constraint, lost)
            elif constraint.kind == "indicator":
                terms = [
                    (
                        x[c],
                        reading.indicator(constraint, reading.demands[c[0]], c[2])
                        * money
                        / reading.demands[c[0]].asked,
                    )
                    for c in x
                    if on.holds(c)
                ]
                sides(sheet, terms, constraint, lost)
            elif constraint.kind == "cofunding":
                for d in sorted(on.demands):
                    excess = reading.excess(constraint, reading.demands[d])
                    if excess > 0 and lost is None:
                        sheet.row([(u[d], 1)], high=0)
                    elif excess > 0:
                        sheet.price[is_served(d)] -= float(lost * excess)
            elif constraint.kind == "lock":
                for d in sorted(on.demands):
                    demand = reading.demands[d]
                    terms = [
                        (x[c], Fraction(money, demand.asked)) for c in reading.cells_of[d] if on.holds(c)
                    ]
                    target = reading.target(constraint, demand)
                    sheet.row(terms, low=target, high=target, points=lost)
            else:
                raise NotImplementedError(f"{constraint.kind}: the oracle does not know this kind")

    status, objective, columns = sheet.maximise(time_limit)
    if columns is None:
        return Solution(status, None, {}, {})
    return Solution(
        status,
        objective,
        {cell: float(columns[column]) * float(euro) for cell, column in x.items()},
        {d: float(columns[column]) for d, column in u.items()},
    )


def sides(
    sheet: Sheet, terms: list[tuple[int, Fraction | int]], constraint: Any, lost: Fraction | None
) -> None:
    """min and max of a count or an indicator."""
    if constraint.min is not None:
        sheet.row(terms, low=exact(constraint.min), points=lost)
    if constraint.max is not None:
        sheet.row(terms, high=exact(constraint.max), points=lost)
