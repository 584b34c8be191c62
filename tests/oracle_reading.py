"""A scenario as the oracle reads it: plain exact values, looked up by id.

Only the fields of the scenario's objects are read; nothing here imports the compiler, the certificate or the
``rows`` / ``check`` methods of the constraints. ``oracle_judge`` evaluates plans on it, ``textbook`` writes the program.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

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


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Each row by column name, in Python's own types; half the time of ``to_dict``, and there are thousands of readings."""
    columns = [table[name].tolist() for name in table.columns]
    return [dict(zip(table.columns, row, strict=True)) for row in zip(*columns, strict=True)]


class Reading:
    """A scenario as plain exact values, looked up by id."""

    def __init__(self, scenario: Any) -> None:
        self.scenario = scenario
        self.years: list[int] = [int(year) for year in scenario.years]
        self.funds = {fund.id: fund for fund in scenario.funds}
        self.measures = {measure.id: measure for measure in scenario.measures}
        self.territories: dict[str, dict[str, Any]] = {row["id"]: row for row in records(scenario.territories)}
        self.demand_columns = set(scenario.demands.columns)
        self.territory_columns = set(scenario.territories.columns)
        self._groups: dict[str, list[tuple[str, Choice, Choice | None]]] = {}
        self.demands: dict[str, Demand] = {}
        for row in records(scenario.demands):
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
        territories = [t for t in self.territories if selection.territories is None or t in selection.territories]
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

    # -- accounts over years

    @cached_property
    def plain_funds(self) -> bool:
        """Is every fund's money a sum of commitments: nothing that depends on payments or moves between funds?"""
        return not any(
            fund.payments or fund.income or fund.returns or fund.transfers or fund.notified
            for fund in self.funds.values()
        )

    def envelopes(self) -> Iterator[Envelope]:
        """Rows that hold the funds' commitments; what comes back and what is moved is added to ``limit`` by the reader.

        A reserve is frozen in whole cents, on what may be kept together.
        """
        for fund in self.funds.values():
            free = 1 - exact(fund.reserve)
            family = frozenset(self.family(fund.id))
            income = self.income(family)
            arriving = any(y is not None and t in family and s not in family for s, t, y in self.moves)
            grows = bool(income) or arriving or any(self.funds[f].returns for f in family)
            if fund.amount is not None and not grows:
                yield Envelope(f"fund {fund.id}", family, tuple(self.years), math.floor(free * fund.amount))
                continue
            held = {int(y): cents for y, cents in (fund.amounts or {}).items()}
            for year in self.years:
                cumulative = fund.amount is not None or fund.carry_over
                covered = tuple(y for y in self.years if y <= year) if cumulative else (year,)
                opened = fund.amount if fund.amount is not None else sum(held.get(y, 0) for y in covered)
                limit = math.floor(free * opened) + sum(income.get(y, 0) for y in covered)
                yield Envelope(f"fund {fund.id} {year}", family, covered, limit)

    def income(self, family: frozenset[str]) -> dict[int, int]:
        """Cents that come to funds in each year: what comes to a fund comes to those around it."""
        found: dict[int, int] = defaultdict(int)
        for fund in family:
            for year, cents in (self.funds[fund].income or {}).items():
                found[int(year)] += cents
        return found

    def notified(self, fund: Any) -> tuple[int, dict[str, int], int]:
        """(last year that binds, cents announced to each region, cents that are there by then and announced to nobody)."""
        until = self.years[-1] if fund.notified_until is None else int(fund.notified_until)
        own = {str(region): int(cents) for region, cents in fund.notified.items()}
        years = [y for y in self.years if y <= until]
        parts = [fund.amount] if fund.amount is not None else [(fund.amounts or {}).get(y, 0) for y in years]
        if fund.carry_over:
            parts = [sum(parts)]
        there = sum(math.floor((1 - exact(fund.reserve)) * cents) for cents in parts)
        income = self.income(frozenset(self.family(fund.id)))
        there += sum(income.get(y, 0) for y in years)
        return until, own, max(0, there - sum(own.values()))

    @cached_property
    def moves(self) -> dict[Move, int]:
        """(source, target, year or None) → the source's limit to that target over the horizon, in cents."""
        found: dict[Move, int] = {}
        for fund in self.funds.values():
            for target, limit in (fund.transfers or {}).items():
                crossed = [f for f in self.funds.values() if len({fund.id, target} & self.family(f.id)) == 1]
                by_year = any(f.amounts is not None for f in crossed)
                for year in self.years if by_year else [None]:
                    found[fund.id, target, year] = int(limit)
        return found

    def moved_out(self, envelope: Envelope) -> Iterator[tuple[Move, int]]:
        """The moves that an envelope feels: 1 out of it, -1 into it."""
        for move in self.moves:
            source, target, year = move
            out = (source in envelope.funds) - (target in envelope.funds)
            if out and (year is None or year in envelope.years):
                yield move, out

    def profile(self, measure: str) -> list[Fraction]:
        """Cumulative shares paid by each offset."""
        shares = [exact(share) for share in self.measures[measure].payment_profile]
        return [sum(shares[: k + 1], Fraction(0)) for k in range(len(shares))]

    def instalments(self, cell: Cell, cents: int) -> dict[int, int]:
        """{calendar year: whole cents} of one grant: up to each year its due share rounded down, so all of it at the end."""
        found, before = {}, 0
        for year, share in enumerate(self.profile(self.demands[cell[0]].measure), cell[2]):
            until = math.floor(share * cents)
            found[year] = until - before
            before = until
        return found

    def paid(self, plan: Payments) -> dict[tuple[str, int], int]:
        """Whole cents that each fund pays in each year, grant by grant."""
        found: dict[tuple[str, int], int] = defaultdict(int)
        for cell, cents in plan.items():
            for year, part in self.instalments(cell, cents).items():
                found[cell[1], year] += part
        return found

    @cached_property
    def accounts(self) -> list[Account]:
        """(fund, year) in which money may be committed, and those in which it may be paid."""
        committed = {(f, y) for _, f, y in self.cells}
        paid = {(c[1], c[2] + k) for c in self.cells for k, _ in enumerate(self.profile(self.demands[c[0]].measure))}
        return [*(("committed", *key) for key in sorted(committed)), *(("paid", *key) for key in sorted(paid))]

    def posted(self, plan: Payments) -> tuple[int, ...]:
        """Cents on each of the accounts; sums over demands, since every grant is rounded by itself."""
        found: dict[Account, int] = defaultdict(int)
        for (_, fund, year), cents in plan.items():
            found["committed", fund, year] += cents
        for key, cents in self.paid(plan).items():
            found["paid", *key] += cents
        return tuple(found[account] for account in self.accounts)

    def returned(self, paid: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
        """Whole cents that come back to each fund in each year."""
        found: dict[tuple[str, int], int] = defaultdict(int)
        for (fund, year), cents in paid.items():
            for after, share in (self.funds[fund].returns or {}).items():
                found[fund, year + int(after)] += math.floor(exact(share) * cents)
        return found

    def equivalent(self, fund: str) -> Fraction:
        """Gross grant equivalent of a euro: what is not repaid, discounted; up to a millionth."""
        returns, rate = self.funds[fund].returns, self.funds[fund].reference_rate
        if not returns or rate is None:
            return Fraction(1)
        back = sum((exact(share) / (1 + exact(rate)) ** int(k) for k, share in returns.items()), Fraction(0))
        return Fraction(math.ceil(max(Fraction(0), 1 - back) * 10**6), 10**6)

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
        for cell in self.cells:
            if not on.holds(cell):
                continue
            demand, equivalent = self.demands[cell[0]], self.equivalent(cell[1])
            rate = self.rate_for(constraint, demand)
            if equivalent == 0 or rate >= equivalent:
                continue
            per_unit = rate / equivalent * demand.cost
            if per_unit < demand.asked:
                yield f"{constraint.id} {cell}", cell, per_unit, points(constraint)

    def rate_for(self, constraint: Any, demand: Demand) -> Fraction:
        """The one rate, or that of the first line of the table that fits."""
        if not isinstance(constraint.max_rate, list | tuple):
            return exact(constraint.max_rate)
        for line in constraint.max_rate:
            if all(fits(self.attribute(demand, name), wanted) for name, wanted in line.where.items()):
                return exact(line.rate)
        raise AssertionError(f"no rate for {demand.id}")

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
        """Percentage points of public money beyond the rate; 0 where the demand passes or the law does not look."""
        kind = demand.row.get("beneficiary_kind")
        authority = blank(kind) or kind in constraint.authorities
        if not authority or (self.overseas(demand) and not constraint.overseas):
            return Fraction(0)
        public = demand.asked + demand.other_public
        base = demand.cost if constraint.base == "cost" else public + demand.own
        limit = exact(constraint.max_public_rate)
        if public <= limit * base:
            return Fraction(0)
        return 100 * (public / base - limit)

    def overseas(self, demand: Demand) -> bool:
        """Departments 971 to 976 and the collectivities after them."""
        return str(self.territories[demand.territory]["departement"]).startswith(("97", "98"))

    def target(self, constraint: Any, demand: Demand) -> Fraction:
        """Units that a lock decides; of a divisible demand, what whole cents can buy of them."""
        if constraint.decision == "refuse":
            return Fraction(0)
        if constraint.decision == "fund":
            return demand.most
        units = exact(constraint.units)
        return units if demand.lumpy else Fraction(math.floor(units * demand.asked), demand.asked)

    def worth(self, demand: Demand, weights: Mapping[str, Any]) -> Fraction:
        """Points per unit."""
        return sum((exact(weight) * exact(demand.row[name]) for name, weight in weights.items()), Fraction(0))

    def steps(self, demand: Demand) -> list[tuple[Fraction, Fraction]]:
        """(units in this part, factor of its points), in order."""
        parts, before = [], Fraction(0)
        for step in self.measures[demand.measure].steps or []:
            parts.append(((exact(step.up_to) - before) * demand.units, exact(step.value)))
            before = exact(step.up_to)
        return parts or [(demand.units, Fraction(1))]

    def worth_of(self, demand: Demand, units: Fraction, weights: Mapping[str, Any]) -> Fraction:
        """Points of so many units, each part with its factor."""
        left, total = units, Fraction(0)
        for size, factor in self.steps(demand):
            part = min(left, size)
            total += part * factor
            left -= part
        return (total + left) * self.worth(demand, weights)

    # -- links, groups with people, aid, references

    def served_with(self, constraint: Any) -> Iterator[tuple[Any, list[str], list[str]]]:
        """``requires``: (value of ``within``, demands of ``when``, demands of ``then``)."""
        when, then = sorted(self.choose(constraint.when).demands), sorted(self.choose(constraint.then).demands)
        if constraint.within is None:
            yield None, when, then
            return
        for value in sorted({self.attribute(self.demands[d], constraint.within) for d in when}, key=str):
            yield (
                value,
                [d for d in when if same(self.attribute(self.demands[d], constraint.within), value)],
                [d for d in then if same(self.attribute(self.demands[d], constraint.within), value)],
            )

    def equals(self, constraint: Any) -> list[tuple[Any, frozenset[str], int]]:
        """Groups of ``equity``: (value, demands, people), those with people and a demand that may be paid."""
        on = self.choose(constraint.on)
        payable = {cell[0] for cell in self.cells if on.holds(cell)}
        found = []
        for value in self.values(on, constraint.per):
            group = self.narrow(on, constraint.per, value)
            if self.inhabitants(group) and group.demands & payable:
                found.append((value, group.demands, self.inhabitants(group)))
        return found if len(found) > 1 else []

    def windows(self, constraint: Any) -> Iterator[tuple[str, frozenset[str], set[int], int]]:
        """``de_minimis``: (name, demands, years that count, cents left by earlier aid)."""
        on = self.choose(constraint.on)
        span = int(constraint.window)
        for value in self.values(on, constraint.per):
            demands = self.narrow(on, constraint.per, value).demands
            prior = self.prior_aid(value) if constraint.per == "beneficiary" else []
            ends = {date(y, 1, 1) for y in self.years} | {day for day, _, _ in prior if day.year >= self.years[0]}
            seen: dict[tuple[frozenset[int], int], date] = {}
            for end in sorted(ends):
                start = end.replace(year=end.year - span)  # excluded
                years = frozenset(y for y in self.years if date(y, 12, 31) > start and date(y, 1, 1) <= end)
                had = sum(cents for first, last, cents in prior if last > start and first <= end)
                seen[years, max(0, int(constraint.amount) - had)] = end
            for (years, left), end in seen.items():
                # a window within another that leaves no more says nothing of its own
                if not any(years <= more and less <= left for more, less in seen if (more, less) != (years, left)):
                    yield f"{constraint.id}[{value}] {end}", demands, set(years), left

    def stacked(self, constraint: Any) -> tuple[Choice, int]:
        """``no_stacking``: whose funds are counted, and how many may pay one demand."""
        on = self.choose(constraint.on)
        if constraint.incompatible is not None:
            return replace(on, funds=frozenset(constraint.incompatible)), 1
        return on, int(constraint.max_funds)

    def before(self, constraint: Any) -> Iterator[tuple[str, Choice, int]]:
        """``continuity``: (name, what ``on`` leaves, cents of the reference there)."""
        for name, on, _ in self.groups(constraint):
            yield name, on, sum(int(row.cents) for row in constraint.reference if self.was_in(on, row))

    def was_in(self, on: Choice, row: Any) -> bool:
        """Is a row of a reference selected? Where its demand is gone, its territory and its measure decide."""
        if row.demand not in self.demands:
            demand = row.territory in on.territories and row.measure in on.measures
        else:
            demand = row.demand in on.demands
        return demand and (not row.fund or row.fund in on.funds) and (row.year is None or row.year in on.years)

    def contained(self, constraint: Any) -> Iterator[tuple[str, int]]:
        """``contains``: (demand, cents at least), whole units upwards."""
        had: dict[str, int] = defaultdict(int)
        for row in constraint.reference:
            had[row.demand] += int(row.cents)
        for d in sorted(self.choose(constraint.on).demands & set(had)):
            demand = self.demands[d]
            yield d, math.ceil(Fraction(had[d], demand.asked)) * demand.asked if demand.lumpy else had[d]

    # -- risk

    def moves_with(self, by: str, d: str) -> Any:
        """What a demand's cost moves together with."""
        return d if by == "demand" else None if by == "all" else str(self.attribute(self.demands[d], by))

    def overruns(self, constraint: Any, on: Choice) -> list[tuple[set[Cell], Fraction]]:
        """``overrun``: what overruns together, and by how much of it."""
        found: dict[tuple[int, Any], set[Cell]] = defaultdict(set)
        for k, line in enumerate(constraint.overruns):
            mine = self.choose(line.on)
            for cell in self.cells:
                if on.holds(cell) and mine.holds(cell):
                    found[k, self.moves_with(line.by, cell[0])].add(cell)
        return [(cells, exact(constraint.overruns[k].rate)) for (k, _), cells in found.items()]

    def cases(self, constraint: Any) -> int:
        """``cvar``: how many cases were drawn."""
        return len(next(iter(constraint.draws[0].factors.values())))

    def factor(self, constraint: Any, d: str, case: int) -> Fraction:
        """``cvar``: by what a demand's grants are multiplied in a case."""
        product = Fraction(1)
        for line in constraint.draws:
            if d in self.choose(line.on).demands:
                product *= exact(line.factors[self.moves_with(line.by, d) or ""][case])
        return product

    def futures(self, constraint: Any) -> list[tuple[Level, Fraction]]:
        """``regret``: what counts in each future, and the most there is of it, higher being better."""
        found = []
        for future in constraint.futures:
            (level,) = self._levels(future.objective)
            found.append((level, exact(future.best) * (-1 if level.kind == "minimise" else 1)))
        return found

    def prior_aid(self, beneficiary: Any) -> list[tuple[date, date, int]]:
        """(first day, last day, cents) of aid that a beneficiary has had: one day, or a year where no more is known."""
        table = self.scenario.prior_aid
        if table is None:
            return []
        found = []
        for row in table.to_dict("records"):
            if row["beneficiary"] != beneficiary:
                continue
            told = str(row["date"])
            if len(told) == 4:
                found.append((date(int(told), 1, 1), date(int(told), 12, 31), int(row["cents"])))
            else:
                found.append((date.fromisoformat(told), date.fromisoformat(told), int(row["cents"])))
        return found

    # -- objectives

    @cached_property
    def levels(self) -> list[Level]:
        """What is maximised, in order."""
        return list(self._levels(self.scenario.objective))

    def _levels(self, objective: Any) -> Iterator[Level]:
        if getattr(objective, "lexicographic", None) is not None:
            for one in objective.lexicographic:
                yield from self._levels(one)
        elif getattr(objective, "maximin", None) is not None:
            goal = objective.maximin
            groups = self.weighed(goal.of, goal.per)
            for depth in range(1, max(1, min(int(goal.depth), len(groups))) + 1):
                yield Level("maximin", of=goal.of, groups=tuple(groups), depth=depth)
        elif getattr(objective, "minimise", None) is not None:
            assert objective.minimise == "euros"
            yield Level("minimise")
        else:
            yield Level("maximise", weights=dict(objective.maximise))

    def weighed(self, of: str, per: str) -> list[tuple[frozenset[str], int]]:
        """Groups of ``maximin``: (demands, what their sum is divided by)."""
        everything, payable = self.everything(), {cell[0] for cell in self.cells}
        found = []
        for value in self.values(everything, per):
            group = self.narrow(everything, per, value)
            people = self.inhabitants(group) if of == "euros_per_inhabitant" else 1
            if people and group.demands & payable:
                found.append((group.demands, people))
        return found

    def counted(self, of: str, demand: Demand) -> Fraction:
        """What one cent to a demand adds to ``of``."""
        if of in ("euros", "euros_per_inhabitant"):
            return Fraction(1, 100)
        return exact(demand.row[of]) / demand.asked


Account = tuple[str, str, int]  # "committed" or "paid", fund, year
Move = tuple[str, str, int | None]  # source, target, year (None: once for the horizon)


class Envelope(NamedTuple):
    """What these funds commit in these years, plus what leaves them, is at most ``limit`` plus what comes back."""

    name: str
    funds: frozenset[str]
    years: tuple[int, ...]
    limit: int  # cents


class Level(NamedTuple):
    """One thing to make as large as can be. ``maximin``: the sum of the ``depth`` smallest groups."""

    kind: str  # "maximise" | "minimise" | "maximin"
    weights: Mapping[str, Any] | None = None
    of: str = ""
    groups: tuple[tuple[frozenset[str], int], ...] = ()
    depth: int = 1


def blank(value: Any) -> bool:
    """Nothing written."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def points(constraint: Any) -> Fraction | None:
    """Points lost per unit of breach; None: hard."""
    return None if constraint.soft is None else exact(constraint.soft)


def amount(reading: Reading, constraint: Any, choice: Choice) -> Fraction:
    """The cents of a ceiling or a floor for one group."""
    if constraint.amount is not None:
        return Fraction(constraint.amount)
    return Fraction(constraint.per_inhabitant) * reading.inhabitants(choice)
