"""Every kind of constraint, one small class each: its schema, its rows, its check, written apart from each other.

A kind registers itself by being defined. `rows` says what the program must contain, `check` counts cents on a finished
plan; tests hold their left sides equal. Hard or soft is not the kind's affair: `soft` prices a breach, the compiler
adds what that takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from allocator.money import Euros
from allocator.money import Exact as Number
from allocator.money import Rate as Share_
from allocator.problems import Problem
from allocator.reading import Level, Reading, weighted_units
from allocator.selection import Selection
from allocator.space import Box, Exact, Group, Rate, Row, Rule, Space, Statement, Term
from allocator.texts import Text

KINDS: dict[str, type[Constraint]] = {}


class Constraint(BaseModel, Rule):
    """What all kinds share. `soft`: points lost per euro or unit of breach, summed over `per`; absent: hard."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: ClassVar[Text]

    kind: str
    id: str = ""
    label: str = ""
    source: str = ""
    enabled: bool = True
    soft: Annotated[Number, Field(ge=0)] | None = None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        kind = cls.model_fields["kind"]
        if not kind.is_required():  # a base class of several kinds names none
            KINDS[kind.default] = cls

    def problems(self, scenario: Any) -> Iterator[Problem]:
        """What is wrong with it in this scenario beyond its schema, selections and `per`."""
        return iter(())


def _all_cells(space: Space) -> np.ndarray:
    return np.ones(space.shape, np.int64)


def _needs_one_of(constraint: Constraint, *names: str, exactly: bool = False) -> Iterator[Problem]:
    given = [name for name in names if getattr(constraint, name) is not None]
    if not given or (exactly and len(given) > 1):
        listed = ", ".join(names)
        yield Problem(
            place=names[0],
            message=Text(f"il manque une borne parmi : {listed}", f"one of {listed} is missing")
            if not given
            else Text(f"un seul de {listed} est permis", f"only one of {listed} is allowed"),
            remedy=Text(f"donner {names[0]}", f"give {names[0]}"),
        )


def _whole_demands(constraint: Constraint) -> Iterator[Problem]:
    """A rule on demands as such selects neither funds nor years."""
    yield from _no_funds(constraint)
    if constraint.on.years is not None:  # type: ignore[attr-defined]
        yield Problem(
            place="on.years",
            message=Text("cette règle porte sur des dossiers entiers, pas sur des années",
                         "this rule is about whole demands, not years"),
            remedy=Text("retirer `years`", "remove `years`"),
        )  # fmt: skip


def _no_funds(constraint: Constraint, field: str = "on") -> Iterator[Problem]:
    if getattr(constraint, field).selects_funds:
        yield Problem(
            place=f"{field}.funds",
            message=Text("cette règle ne peut pas choisir de fonds", "this rule cannot select funds"),
            remedy=Text("retirer `funds`", "remove `funds`"),
        )


class _Amount(Constraint):
    on: Selection = Selection()
    amount: Annotated[Euros, Field(ge=0)] | None = None
    per_inhabitant: Annotated[Euros, Field(ge=0)] | None = None
    per: str | None = None

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from _needs_one_of(self, "amount", "per_inhabitant", exactly=True)

    def cents(self, group: Group) -> int:
        return self.amount if self.amount is not None else (self.per_inhabitant or 0) * group.population


class Ceiling(_Amount):
    """Σ euros granted on `on` ≤ `amount`, or ≤ `per_inhabitant` × population, for each value of `per`.

    Source: the envelope decided by the granting authority (plafond d'enveloppe).
    """

    title = Text("Plafond", "Ceiling")
    kind: Literal["ceiling"] = "ceiling"

    def rows(self, space: Space) -> Iterator[Statement]:
        for group in space.groups(self.on, self.per):
            euros = Term(group.demands, 1, group.cells.astype(np.int64))
            yield Row((euros,), None, self.cents(group), 100, group.value)

    def check(self, reading: Reading) -> Iterator[Level]:
        for group in reading.space.groups(self.on, self.per):
            yield Level(group.value, reading.euros(group), None, self.cents(group), 100)


class Floor(_Amount):
    """Σ euros granted on `on` ≥ `amount`, or ≥ `per_inhabitant` × population, for each value of `per`.

    Source: the guarantee decided by the granting authority (plancher garanti).
    """

    title = Text("Plancher", "Floor")
    kind: Literal["floor"] = "floor"

    def rows(self, space: Space) -> Iterator[Statement]:
        for group in space.groups(self.on, self.per):
            euros = Term(group.demands, 1, group.cells.astype(np.int64))
            yield Row((euros,), self.cents(group), None, 100, group.value)

    def check(self, reading: Reading) -> Iterator[Level]:
        for group in reading.space.groups(self.on, self.per):
            yield Level(group.value, reading.euros(group), self.cents(group), None, 100)


class Share(Constraint):
    """min · Σ euros on `of` ≤ Σ euros on `on` ≤ max · Σ euros on `of`, for each value of `per`.

    Nothing granted on `of` asks for nothing on `on`. A breach is counted in euros on `on`.
    Source: the part promised to a group of territories or measures (fléchage).
    """

    title = Text("Part", "Share")
    kind: Literal["share"] = "share"
    on: Selection = Selection()
    of: Selection = Selection()
    min: Share_ | None = None
    max: Share_ | None = None
    per: str | None = None

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from _needs_one_of(self, "min", "max")

    def _pairs(self, space: Space) -> Iterator[tuple[Group, Group]]:
        wholes = {group.value: group for group in space.groups(self.of, self.per)}
        nothing = np.array([], np.int64)
        for part in space.groups(self.on, self.per):
            yield part, wholes.get(part.value, Group(part.value, nothing, np.zeros(space.shape, bool), 0))

    def _bounds(self) -> Iterator[tuple[Fraction, Exact | None, Exact | None]]:
        """Each bound with the sides of  on · denominator − of · numerator  that it asks for."""
        if self.min is not None and self.min == self.max:
            yield self.min, 0, 0
            return
        if self.min is not None:
            yield self.min, 0, None
        if self.max is not None:
            yield self.max, None, 0

    def rows(self, space: Space) -> Iterator[Statement]:
        for part, whole in self._pairs(space):
            for bound, lower, upper in self._bounds():
                on = Term(part.demands, bound.denominator, part.cells.astype(np.int64))
                of = Term(whole.demands, -bound.numerator, whole.cells.astype(np.int64))
                yield Row((on, of), lower, upper, 100 * bound.denominator, part.value)

    def check(self, reading: Reading) -> Iterator[Level]:
        for part, whole in self._pairs(reading.space):
            on, of = reading.euros(part), reading.euros(whole)
            covered = int((reading.covered(part) | reading.covered(whole)).sum())
            for bound, lower, upper in self._bounds():
                left = on * bound.denominator - of * bound.numerator
                cents = covered * bound.denominator if lower == upper else 0
                yield Level(part.value, left, lower, upper, 100 * bound.denominator, cents, not (on or of))


class Count(Constraint):
    """min ≤ Σ units (or served demands) on `on` ≤ max, for each value of `per`.

    Source: the number of projects that a call for projects announces (dix Rebonds, vingt écoles).
    """

    title = Text("Nombre", "Count")
    kind: Literal["count"] = "count"
    on: Selection = Selection()
    min: Number | None = None
    max: Number | None = None
    of: Literal["units", "demands"] = "units"
    per: str | None = None

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from _needs_one_of(self, "min", "max")
        yield from _no_funds(self)
        by_year = self.on.years is not None or self.per == "year"
        if self.per == "fund" or (self.of == "demands" and by_year):
            yield Problem(
                place="per" if self.per in ("fund", "year") else "on.years",
                message=Text(
                    "un dossier servi ne se compte ni par fonds ni par année",
                    "a served demand is counted neither by fund nor by year",
                ),
                remedy=Text(
                    "compter des unités (`of: units`), ou retirer ce choix",
                    "count units (`of: units`), or remove this choice",
                ),
            )

    def rows(self, space: Space) -> Iterator[Statement]:
        for group in space.groups(self.on, self.per):
            if self.of == "units":
                term = Term(group.demands, 1, group.cells.astype(np.int64), "units")
            else:
                term = Term(group.demands, 1, _all_cells(space), "served")
            yield Row((term,), self.min, self.max, 1, group.value)

    def check(self, reading: Reading) -> Iterator[Level]:
        for group in reading.space.groups(self.on, self.per):
            if self.of == "demands":
                yield Level(group.value, int(reading.served[group.demands].sum()), self.min, self.max)
            else:
                cent = _cents_worth(reading, group, 1) if self.min == self.max else 0
                yield Level(group.value, reading.units(group), self.min, self.max, tolerance=cent)


class Indicator(Constraint):
    """min ≤ Σ weight × indicator × units on `on` ≤ max, for each value of `per`.

    `weights`: {attribute: {value: weight}}, 1 where nothing is said; they hold until and including the year `until`.
    A selection of funds or years counts units in proportion to its euros.
    Source: the target or envelope, e.g. hectares of the ZAN (loi n° 2021-1104, art. 191 ; loi n° 2023-630).
    """

    title = Text("Indicateur", "Indicator")
    kind: Literal["indicator"] = "indicator"
    indicator: str
    on: Selection = Selection()
    min: Number | None = None
    max: Number | None = None
    weights: dict[str, dict[str, Number]] = {}
    until: int | None = None
    per: str | None = None

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from _needs_one_of(self, "min", "max")
        if self.indicator not in scenario.indicators:
            known = ", ".join(scenario.indicators) or "—"
            yield Problem(
                place="indicator",
                message=Text(f"indicateur inconnu « {self.indicator} »", f"unknown indicator “{self.indicator}”"),
                remedy=Text(f"colonnes numériques des dossiers : {known}", f"numeric columns of demands: {known}"),
            )
        for attribute in self.weights:
            if attribute not in scenario.demands and attribute not in scenario.territories:
                yield Problem(
                    place=f"weights.{attribute}",
                    message=Text(f"attribut inconnu « {attribute} »", f"unknown attribute “{attribute}”"),
                    remedy=Text(
                        "nommer une colonne des dossiers ou des territoires",
                        "name a column of demands or territories",
                    ),
                )

    def _numerators(self, space: Space) -> tuple[np.ndarray, np.ndarray, int]:
        """(n,) weighted and plain whole numbers, and the scale of both."""
        plain, scale = space.units(self.indicator)
        weighted = plain = plain.astype(object)
        scenario = space.scenario
        for attribute, of_value in self.weights.items():
            if attribute in scenario.demands:
                values = scenario.demands[attribute]
            else:
                values = scenario.territories[attribute].iloc[space.territory]
            factor = [of_value.get(str(v), Fraction(1)) for v in values]
            common = int(np.lcm.reduce([f.denominator for f in of_value.values()] or [1]))
            weighted = weighted * np.array([int(f * common) for f in factor], object)
            plain, scale = plain * common, scale * common
        return _narrow(weighted), _narrow(plain), scale

    def _phases(self, space: Space, group: Group) -> Iterator[tuple[np.ndarray, Group]]:
        """The whole numbers that count before and after `until`, each with its cells."""
        weighted, plain, _ = self._numerators(space)
        before = np.array([self.until is None or year <= self.until for year in space.scenario.years])
        if before.any():
            yield weighted, Group(group.value, group.demands, group.cells & before, group.population)
        if not before.all():
            yield plain, Group(group.value, group.demands, group.cells & ~before, group.population)

    def _sides(self, scale: int) -> tuple[Exact | None, Exact | None]:
        return (
            None if self.min is None else self.min * scale,
            None if self.max is None else self.max * scale,
        )

    def rows(self, space: Space) -> Iterator[Statement]:
        scale = self._numerators(space)[2]
        for group in space.groups(self.on, self.per):
            terms = tuple(
                Term(phase.demands, numerators[phase.demands], phase.cells.astype(np.int64), "units")
                for numerators, phase in self._phases(space, group)
            )
            yield Row(terms, *self._sides(scale), scale, group.value)

    def check(self, reading: Reading) -> Iterator[Level]:
        space = reading.space
        scale = self._numerators(space)[2]
        for group in space.groups(self.on, self.per):
            left: Exact = 0
            tolerance = Fraction(0)
            for numerators, phase in self._phases(space, group):
                left += reading.units(phase, numerators)
                if self.min is not None and self.min == self.max:
                    tolerance += _cents_worth(reading, phase, numerators)
            yield Level(group.value, left, *self._sides(scale), scale, tolerance)


class FundRate(Constraint):
    """In each year, each fund of `on` pays at most `max_rate` of the cost of a demand's units of that year.

    Rounded up to the cent. A breach is counted in euros.
    Source: State-aid intensities, Regulation (EU) 651/2014 (GBER) and the aid map; rules of each fund.
    """

    title = Text("Taux maximal d'un fonds", "Fund rate")
    kind: Literal["fund_rate"] = "fund_rate"
    on: Selection = Selection()
    max_rate: Share_

    def rows(self, space: Space) -> Iterator[Statement]:
        for group in space.groups(self.on):
            yield Rate(group.demands, group.cells, self.max_rate)

    def check(self, reading: Reading) -> Iterator[Level]:
        yield _excess_over_rate(reading, reading.space.groups(self.on)[0], self.max_rate, round_up=self.soft is None)


def _excess_over_rate(reading: Reading, group: Group, rate: Fraction, *, round_up: bool) -> Level:
    """Cents paid beyond rate × cost × units, per demand, fund and year; units of a year are its cents / asked."""
    space, (funds, years) = reading.space, reading.space.shape
    of_year = np.zeros(space.n * years, np.int64)
    np.add.at(of_year, reading.demand * years + reading.year, reading.cents)
    inside = reading.covered(group)
    key = (reading.demand[inside] * funds + reading.fund[inside]) * years + reading.year[inside]
    cells, slot = np.unique(key, return_inverse=True)
    paid = np.zeros(len(cells), np.int64)
    np.add.at(paid, slot, reading.cents[inside])
    demand, year = cells // (funds * years), cells % years
    granted, asked, cost = of_year[demand * years + year], space.asked[demand], space.cost[demand]
    excess: Exact = 0
    for cents, share, unit, whole in zip(paid, granted, asked, cost, strict=True):
        limit = Fraction(rate.numerator * int(whole) * int(share), rate.denominator * int(unit))
        if cents > limit:
            excess += max(0, int(cents) - (-(-limit.numerator // limit.denominator) if round_up else limit))
    return Level("", excess, None, 0, 100)


class Cofunding(Constraint):
    """Public money (asked + other) is at most `max_public_rate` of all public and own money, or of the cost.

    Decided per demand: those that cannot pass are refused. A breach is counted in percentage points per served demand.
    Source: CGCT art. L1111-10 III: a local authority bears at least 20 % of the public financing of its investment.
    Not covered: derogations by the prefect, overseas, the 30 % of L1111-9.
    """

    title = Text("Cofinancement", "Cofunding")
    kind: Literal["cofunding"] = "cofunding"
    on: Selection = Selection()
    max_public_rate: Share_ = Fraction(4, 5)
    base: Literal["public", "cost"] = "public"

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from _whole_demands(self)

    def breaches(self, space: Space) -> tuple[np.ndarray, list[Fraction]]:
        """Positions (k,) of the demands that cannot pass, and their percentage points in excess."""
        asked, other, own = (space.money(name).astype(object) for name in ("asked", "other_public", "own"))
        public = asked + other
        base = public + own if self.base == "public" else space.cost.astype(object)
        rate = self.max_public_rate
        chosen = space.groups(self.on)[0].demands
        over = public[chosen] * rate.denominator > base[chosen] * rate.numerator
        failing = chosen[over.astype(bool)]
        # without any base, all of it is public money
        excess = [100 * ((Fraction(public[i], base[i]) if base[i] > 0 else Fraction(1)) - rate) for i in failing]
        return failing, excess

    def rows(self, space: Space) -> Iterator[Statement]:
        for i, excess in zip(*self.breaches(space), strict=True):
            term = Term(np.array([i]), excess.numerator, _all_cells(space), "served")
            yield Row((term,), None, 0, excess.denominator, str(space.scenario.demands["id"].iat[int(i)]))

    def check(self, reading: Reading) -> Iterator[Level]:
        space, rate = reading.space, self.max_public_rate
        chosen = np.zeros(space.n, bool)
        chosen[space.groups(self.on)[0].demands] = True
        own, other = space.money("own"), space.money("other_public")
        for i in np.flatnonzero(chosen & reading.served):
            public = int(space.asked[i]) + int(other[i])
            base = public + int(own[i]) if self.base == "public" else int(space.cost[i])
            if public > rate * base:
                excess = 100 * ((Fraction(public, base) if base > 0 else Fraction(1)) - rate)
                yield Level(
                    str(space.scenario.demands["id"].iat[int(i)]), excess.numerator, None, 0, excess.denominator
                )


class Lock(Constraint):
    """Decided already: all units asked (`fund`), none (`refuse`), or exactly `units`.

    `comment`: by whom and why. Source: the decision itself (arrêté, convention).
    """

    title = Text("Décision acquise", "Lock")
    kind: Literal["lock"] = "lock"
    on: Selection = Selection()
    decision: Literal["fund", "refuse", "units"]
    units: Annotated[Number, Field(ge=0)] | None = None
    comment: str = ""

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from _whole_demands(self)
        if (self.units is None) == (self.decision == "units"):
            yield Problem(
                place="units",
                message=Text(
                    "`units` va avec `decision: units`, et seulement avec elle",
                    "`units` goes with `decision: units`, and only with it",
                ),
                remedy=Text(
                    "donner le nombre d'unités, ou choisir fund ou refuse",
                    "give the number of units, or choose fund or refuse",
                ),
            )

        if self.units is not None and self.units.denominator != 1:
            whole = {m.id for m in scenario.measures if m.lumpy}
            chosen = scenario.demands[self.on.pick(scenario).demands]
            if chosen["measure"].isin(whole).any():
                yield Problem(
                    place="units",
                    message=Text(
                        "un dossier à unités entières ne peut recevoir une part d'unité",
                        "a demand of whole units cannot take part of a unit",
                    ),
                    remedy=Text("donner un nombre entier", "give a whole number"),
                )

    def _target(self, space: Space, demands: np.ndarray) -> np.ndarray:
        """(k,) steps decided."""
        if self.decision == "fund":
            return space.most[demands]
        if self.decision == "refuse":
            return np.zeros(len(demands), np.int64)
        return np.array([space.steps(self.units or 0, int(i)) for i in demands], np.int64)

    def rows(self, space: Space) -> Iterator[Statement]:
        demands = space.groups(self.on)[0].demands
        target = self._target(space, demands)
        yield Box(demands, target, target)

    def check(self, reading: Reading) -> Iterator[Level]:
        space = reading.space
        demands = space.groups(self.on)[0].demands
        names = space.scenario.demands["id"]
        for i, target in zip(demands, self._target(space, demands), strict=True):
            steps, per_unit = int(reading.granted[i]) // int(space.step[i]), int(space.asked[i] // space.step[i])
            exact: Exact = int(target) if self.units is None else self.units * per_unit
            tolerance = 0 if exact == target else 1  # units that are no whole number of cents
            yield Level(str(names.iat[int(i)]), steps, exact, exact, per_unit, tolerance)


def _cents_worth(reading: Reading, group: Group, numerators: np.ndarray | int) -> Fraction:
    """What one cent more on each grant covered would count, where money is divisible."""
    space = reading.space
    loose = reading.demand[reading.covered(group) & ~space.lumpy[reading.demand]]
    weight = np.broadcast_to(np.asarray(numerators), (space.n,))[loose]
    return Fraction(weighted_units(np.abs(weight), np.ones(len(loose), np.int64), space.asked[loose]))


def _narrow(values: np.ndarray) -> np.ndarray:
    """int64 where all values fit."""
    fits = all(-(2**62) < v < 2**62 for v in values)
    return values.astype(np.int64) if fits else values
