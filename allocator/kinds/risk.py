"""Plans that hold up when costs or benefits turn out otherwise: overruns, bad cases, regret.

The first two bound a sum of the K largest of some numbers v. It is the least K · level + Σ over there can be with
level + over_j ≥ v_j, over ≥ 0 (linear programming duality), so that one row and one for each v say it exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import lcm, prod
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator

from allocator import objectives
from allocator.constraints import Constraint, Example
from allocator.money import Euros, Rate, fraction, written
from allocator.money import Exact as Number
from allocator.problems import Problem, did_you_mean, listed
from allocator.reading import Level, Reading
from allocator.selection import Selection
from allocator.space import Auxiliary, Exact, Group, Row, Space, Statement, Term
from allocator.texts import Text

DEMAND, ALL = "demand", "all"
WIDEST = 10**12  # whole numbers that factors come to: beyond, a sum of many would leave 64 bits
Positive = Annotated[Number, Field(ge=0)]


class Part(NamedTuple):
    """One of the numbers: Σ weight · cents / scale over these demands (k,) and cells (F, Y)."""

    name: str
    demands: np.ndarray
    cells: np.ndarray
    weight: int | np.ndarray
    scale: int


def largest_rows(space: Space, rule: str, group: str, parts: Sequence[Part]) -> Iterator[Row]:
    """The rows that say what `largest` leans on."""
    cents = (space.most * space.step).astype(object)
    reach = [Fraction(int((cents[part.demands] * part.weight).sum()), part.scale) for part in parts]
    level = space.auxiliary(rule, group, "level", upper=max(reach, default=0))
    for part, most in zip(parts, reach, strict=True):
        over = space.auxiliary(rule, group, "over", part.name, upper=most)
        value = Term(part.demands, -part.weight, part.cells.astype(np.int64))
        yield Row((value,), 0, None, 100 * part.scale, group, ((level, part.scale), (over, part.scale)), True)


def largest(
    space: Space, rule: str, group: str, parts: Sequence[Part], count: Fraction
) -> tuple[tuple[Auxiliary, int], ...]:
    """The sum of the `count` largest parts in cents, times the denominator of `count`; after `largest_rows`."""
    level = space.auxiliary(rule, group, "level", upper=0)
    overs = [(space.auxiliary(rule, group, "over", part.name, upper=0), count.denominator) for part in parts]
    return ((level, count.numerator), *overs)


def sum_of_largest(values: Iterable[Exact], count: Fraction) -> Exact:
    """Of numbers >= 0, the `count` largest added up, of the last one a part where `count` is not whole."""
    total: Exact = 0
    for value in sorted(values, reverse=True):
        if count <= 0:
            break
        total += value * min(count, Fraction(1))
        count -= 1
    return total


def values_of(scenario: Any, by: str) -> list[str | None]:
    """(n,) what each demand overruns together with: its id, its region …; None where its cell is empty."""
    demands, territories = scenario.demands, scenario.territories
    if by == ALL:
        return [""] * len(demands)
    if by == DEMAND:
        return [str(name) for name in demands["id"]]
    if by in ("territory", *demands.columns):
        column = demands[by]
    else:
        column = demands["territory"].map(territories.set_index("id")[by])
    return [None if pd.isna(value) else str(value) for value in column]


def by_problems(scenario: Any, by: str, place: str) -> Iterator[Problem]:
    """What is wrong with the name of who overruns together."""
    known = [DEMAND, ALL, "measure", "territory", *scenario.territories.columns[1:], *scenario.attributes]
    known = [name for name in dict.fromkeys(known) if name not in ("id", "name", "population")]
    if by not in known:
        unknown = Text(f"attribut inconnu « {by} »", f"unknown attribute “{by}”")
        yield Problem(place, unknown, did_you_mean(by, known))
    elif None in (found := values_of(scenario, by)):
        empty = scenario.demands["id"][[value is None for value in found]].tolist()
        yield Problem(
            place,
            Text(f"« {by} » est vide pour : {listed(empty, 5)}", f"“{by}” is empty for: {listed(empty, 5)}"),
            Text("remplir la colonne, ou choisir un autre attribut", "fill the column, or choose another attribute"),
        )


class _Shares(BaseModel):
    """Whose costs move together: each `demand` by itself, `all` as one, or by an attribute (region …)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: Selection = Selection()
    by: str = DEMAND

    def problems(self, scenario: Any, place: str) -> Iterator[Problem]:
        yield from self.on.problems(scenario, f"{place}.on")
        yield from by_problems(scenario, self.by, f"{place}.by")

    def groups(self, space: Space, within: Group) -> Iterator[Group]:
        """What moves as one within a group of the rule."""
        per = {DEMAND: "id", ALL: None}.get(self.by, self.by)
        for group in space.groups(self.on, per):
            demands = np.intersect1d(group.demands, within.demands, assume_unique=True)
            if len(demands):
                yield Group(group.value, demands, group.cells & within.cells, 0)


class Overruns(_Shares):
    """What is granted to these may turn out dearer by `rate` of it."""

    rate: Positive


class Overrun(Constraint):
    """Σ euros granted on `on` + the `at_once` largest overruns ≤ `amount`, for each value of `per`.

    `overruns`: lines [{on, by, rate}]; what each `demand` is granted (or `all`, or those of one value of an attribute)
    may turn out dearer by `rate`, which falls on the funds that pay it. `at_once`: how many do so at once; of the last one
    a part where it is not whole. Overruns of several lines add up. A breach is counted in euros.
    Source: Bertsimas and Sim, The Price of Robustness, Operations Research 52 (2004).
    """

    title = Text("Marge pour dépassements", "Room for overruns")
    says = Text(
        "l'argent suffit encore quand les plus gros dépassements, tant à la fois, arrivent ensemble",
        "the money still suffices when the largest overruns, so many at once, come together",
    )
    law = Text(
        "la prudence de qui attribue (provision pour aléas) ; Bertsimas et Sim, The Price of Robustness, 2004",
        "the prudence of the granting authority (provision for hazards); Bertsimas and Sim, The Price of Robustness, 2004",
    )
    not_covered = Text(
        "les années : le dépassement est compté sur tout ce que la règle choisit, quand qu'il arrive",
        "years: an overrun counts on all that the rule selects, whenever it comes",
    )
    example = Example(
        {"on": {"funds": ["f"]}, "amount": 200, "overruns": [{"rate": "50 %"}], "at_once": 1},
        (("a-friche", "f", 2026, 60), ("b-friche", "f", 2026, 60), ("c-friche", "f", 2027, 50)),
        (("a-friche", "f", 2026, 60), ("b-friche", "f", 2026, 60), ("c-friche", "f", 2027, 50.01)),
    )
    kind: Literal["overrun"] = "overrun"
    on: Selection = Selection()
    amount: Annotated[Euros, Field(ge=0)]
    overruns: Annotated[tuple[Overruns, ...], Field(min_length=1)]
    at_once: Positive
    per: str | None = None

    def problems(self, scenario: Any) -> Iterator[Problem]:
        for k, line in enumerate(self.overruns):
            yield from line.problems(scenario, f"overruns[{k}]")

    def _parts(self, space: Space, within: Group) -> list[Part]:
        return [
            Part(f"{k} {group.value}", group.demands, group.cells, line.rate.numerator, line.rate.denominator)
            for k, line in enumerate(self.overruns)
            if line.rate
            for group in line.groups(space, within)
        ]

    def rows(self, space: Space) -> Iterator[Statement]:
        for group in space.groups(self.on, self.per):
            parts, times = self._parts(space, group), self.at_once.denominator
            yield from largest_rows(space, self.id, group.value, parts)
            euros = Term(group.demands, times, group.cells.astype(np.int64))
            overruns = largest(space, self.id, group.value, parts, self.at_once)
            yield Row((euros,), None, times * self.amount, 100 * times, group.value, overruns)

    def check(self, reading: Reading) -> Iterator[Level]:
        """Overruns added up grant by grant, then sorted."""
        space, scenario = reading.space, reading.space.scenario
        picks = [line.on.pick(scenario) for line in self.overruns]
        names = [values_of(scenario, line.by) for line in self.overruns]
        for group in space.groups(self.on, self.per):
            inside = reading.covered(group)
            columns = (reading.demand, reading.fund, reading.year, reading.cents)
            found: dict[tuple[int, str | None], Exact] = {}
            for i, f, y, cents in zip(*(column[inside].tolist() for column in columns), strict=True):
                for k, (line, pick) in enumerate(zip(self.overruns, picks, strict=True)):
                    if pick.demands[i] and pick.funds[f] and pick.years[y]:
                        at = k, names[k][i]
                        found[at] = found.get(at, 0) + line.rate * cents
            times = self.at_once.denominator
            left = times * (reading.euros(group) + sum_of_largest(found.values(), self.at_once))
            yield Level(group.value, left, None, times * self.amount, 100 * times)


def _factors(value: object) -> dict[str, tuple[Fraction, ...]]:
    """A list for all of them, or a list for each value of `by`."""
    table = value if isinstance(value, Mapping) else {"": value}
    found = {}
    for name, row in table.items():
        if not isinstance(row, list | tuple) or not row:
            raise ValueError(Text("une liste de facteurs est attendue", "a list of factors is expected"))
        found[str(name)] = tuple(fraction(each) for each in row)
        if min(found[str(name)]) < 0:
            raise ValueError(Text("un facteur est positif ou nul", "a factor is not negative"))
    if len({len(row) for row in found.values()}) > 1:
        raise ValueError(Text("autant de facteurs pour chaque valeur", "as many factors for each value"))
    return found


def _factors_written(table: Mapping[str, Sequence[Fraction]]) -> Any:
    plain = {name: [written(each) for each in row] for name, row in table.items()}
    return plain[""] if list(plain) == [""] else plain


Factors = Annotated[
    dict[str, tuple[Fraction, ...]],
    PlainValidator(_factors, json_schema_input_type=list[float] | dict[str, list[float]]),
    PlainSerializer(_factors_written, return_type=Any),
]


class Draws(_Shares):
    """In each case, by what the grants of these are multiplied: a list for `by: all`, else one for each value."""

    by: str = ALL
    factors: Factors

    @property
    def cases(self) -> int:
        return len(next(iter(self.factors.values())))

    @property
    def scale(self) -> int:
        """What makes every factor whole."""
        return lcm(*(factor.denominator for row in self.factors.values() for factor in row))

    @property
    def highest(self) -> Fraction:
        return max(Fraction(1), *(factor for row in self.factors.values() for factor in row))

    def problems(self, scenario: Any, place: str) -> Iterator[Problem]:
        problems = list(super().problems(scenario, place))
        yield from problems
        if problems:
            return
        pick = self.on.pick(scenario).demands
        present = {value for value, mine in zip(values_of(scenario, self.by), pick, strict=True) if mine}
        missing = sorted(str(value) for value in present - set(self.factors))
        if missing:
            yield Problem(
                f"{place}.factors",
                Text(f"sans facteurs : {listed(missing, 5)}", f"without factors: {listed(missing, 5)}"),
                Text("donner une liste à chaque valeur de `by`", "give a list to each value of `by`"),
            )


class Cvar(Constraint):
    """The mean of the worst `tail` of cases of what is granted on `on` really costs ≤ `amount`, for each value of `per`.

    `draws`: lines [{on, by, factors}], each with one factor a case, all cases as probable as each other; factors of
    several lines multiply. What exceeds the grants falls on the funds that pay them, what they do not need comes back to
    them. A breach is counted in euros.
    Source: Rockafellar and Uryasev, Optimization of Conditional Value-at-Risk, Journal of Risk 2 (2000).
    """

    title = Text("Moyenne des pires cas", "Mean of the worst cases")
    says = Text(
        "ce que coûte vraiment le plan, en moyenne de ses pires cas, ne dépasse pas ce montant",
        "what the plan really costs, on average over its worst cases, is at most this amount",
    )
    law = Text(
        "la prudence de qui attribue ; valeur à risque conditionnelle, Rockafellar et Uryasev, 2000",
        "the prudence of the granting authority; conditional value-at-risk, Rockafellar and Uryasev, 2000",
    )
    not_covered = Text(
        "les années, et les cas qui n'ont pas été tirés : le certificat vaut pour ceux de la règle",
        "years, and cases that were not drawn: the certificate is about those of the rule",
    )
    example = Example(
        {"on": {"funds": ["f"]}, "amount": 150, "tail": 0.5, "draws": [{"factors": [1, 0.5, 2, 1]}]},
        (("a-friche", "f", 2026, 60), ("b-friche", "f", 2026, 40)),
        (("a-friche", "f", 2026, 60), ("b-friche", "f", 2026, 40.01)),
    )
    kind: Literal["cvar"] = "cvar"
    on: Selection = Selection()
    amount: Annotated[Euros, Field(ge=0)]
    tail: Annotated[Rate, Field(gt=0)]
    draws: Annotated[tuple[Draws, ...], Field(min_length=1)]
    per: str | None = None

    def problems(self, scenario: Any) -> Iterator[Problem]:
        for k, line in enumerate(self.draws):
            yield from line.problems(scenario, f"draws[{k}]")
            if line.on.selects_funds or line.on.selects_years:
                yield Problem(
                    f"draws[{k}].on",
                    Text("un coût n'est ni d'un fonds ni d'une année", "a cost is neither a fund's nor a year's"),
                    Text("choisir fonds et années dans `on` de la règle", "select funds and years in the rule's `on`"),
                )
        if prod(line.scale for line in self.draws) * prod(line.highest for line in self.draws) > WIDEST:
            yield Problem(
                "draws",
                Text("les facteurs ont trop de chiffres", "the factors have too many digits"),
                Text("les arrondir, par exemple à 1.25", "round them, for example to 1.25"),
            )
        if len({line.cases for line in self.draws}) > 1:
            yield Problem(
                "draws",
                Text("les lignes n'ont pas toutes autant de cas", "lines have different numbers of cases"),
                Text("un facteur par cas dans chaque ligne", "one factor a case in each line"),
            )

    @property
    def _worst(self) -> Fraction:
        """How many cases make the tail."""
        return self.tail * self.draws[0].cases

    def _parts(self, space: Space, group: Group) -> list[Part]:
        scales = [line.scale for line in self.draws]
        weights = np.full((self.draws[0].cases, len(group.demands)), prod(scales), np.int64)
        where = np.full(space.n, -1)
        where[group.demands] = np.arange(len(group.demands))
        for line, scale in zip(self.draws, scales, strict=True):
            for moved in line.groups(space, group):
                factors = np.array([int(f * scale) for f in line.factors[moved.value]], np.int64)
                at = where[moved.demands]
                weights[:, at] = weights[:, at] // scale * factors[:, None]
        return [Part(str(k), group.demands, group.cells, row, prod(scales)) for k, row in enumerate(weights)]

    def rows(self, space: Space) -> Iterator[Statement]:
        for group in space.groups(self.on, self.per):
            parts, size = self._parts(space, group), self._worst.numerator
            yield from largest_rows(space, self.id, group.value, parts)
            cases = largest(space, self.id, group.value, parts, self._worst)
            yield Row((), None, size * self.amount, 100 * size, group.value, cases)

    def check(self, reading: Reading) -> Iterator[Level]:
        """Each case counted grant by grant, then sorted."""
        scenario = reading.space.scenario
        picks = [line.on.pick(scenario).demands for line in self.draws]
        names = [values_of(scenario, line.by) for line in self.draws]
        for group in reading.space.groups(self.on, self.per):
            inside = reading.covered(group)
            needs: list[Exact] = [0] * self.draws[0].cases
            for i, cents in zip(reading.demand[inside].tolist(), reading.cents[inside].tolist(), strict=True):
                moved = [(line, names[k][i]) for k, line in enumerate(self.draws) if picks[k][i]]
                for case in range(len(needs)):
                    need: Exact = cents
                    for line, name in moved:
                        need *= line.factors[name or ""][case]
                    needs[case] += need
            times, size = self._worst.denominator, self._worst.numerator
            left = times * sum_of_largest(needs, self._worst)
            yield Level(group.value, left, None, size * self.amount, 100 * size)


def _objective(value: object) -> objectives.Objective:
    found = objectives.parse(value)
    if isinstance(found, objectives.Lexicographic) or (
        isinstance(found, objectives.Maximin) and found.maximin.depth > 1
    ):
        raise ValueError(Text("un seul niveau d'objectif est attendu", "one level of an objective is expected"))
    return found


class Future(BaseModel):
    """One thing that may come: what would count then, and the most points a plan made for it alone has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    label: str = ""
    best: Number
    objective: Annotated[
        objectives.Objective,
        PlainValidator(_objective, json_schema_input_type=dict[str, Any]),
        PlainSerializer(lambda value: value.model_dump(), return_type=Any),
    ]


class Regret(Constraint):
    """In every one of `futures` [{id, best, objective}], the plan has at most `amount` points less than `best`.

    `best`: what the best plan for that future alone has, found beforehand, as its objective shows it (euros under
    `minimise`). With `amount: 0`, `soft: 1` and an objective of no points (`maximise: {}`), the best plan is the one
    whose largest regret is least. A breach is counted in points.
    Source: Savage, The Theory of Statistical Decision, Journal of the American Statistical Association 46 (1951).
    """

    title = Text("Regret au plus", "Largest regret")
    says = Text(
        "quel que soit l'avenir parmi ceux qui sont nommés, le plan ne perd pas plus que cela sur le meilleur",
        "whichever of the named futures comes, the plan loses no more than this on the best",
    )
    law = Text(
        "la prudence de qui attribue, quand aucune probabilité n'est connue ; Savage, 1951",
        "the prudence of the granting authority where no probability is known; Savage, 1951",
    )
    example = Example(
        {"amount": 0.4, "futures": [
            {"id": "emplois", "best": 8, "objective": {"maximise": {"emplois": 1}}},
            {"id": "partout", "best": 1, "objective": {"maximin": {"of": "emplois", "per": "region"}}},
        ]},
        (("a-ecole", "f", 2026, 100), ("c-friche", "f", 2026, 40)),
        (("a-ecole", "f", 2026, 100), ("c-friche", "f", 2026, 39.99)),
    )  # fmt: skip
    kind: Literal["regret"] = "regret"
    amount: Positive
    futures: Annotated[tuple[Future, ...], Field(min_length=1)]
    counts_euros: ClassVar[bool] = False

    def problems(self, scenario: Any) -> Iterator[Problem]:
        for k, future in enumerate(self.futures):
            for problem in future.objective.problems(scenario):
                place = f"futures[{k}].objective.{problem.place}"
                yield Problem(place, problem.message, problem.remedy, problem.file)

    def rows(self, space: Space) -> Iterator[Statement]:
        ones = np.ones(space.shape, np.int64)
        regret = space.auxiliary(self.id, "regret", upper=self._most(space))
        for future in self.futures:
            (aim, *_) = future.objective.aims(space)
            yield from aim.rows
            scale = lcm(aim.scale, future.best.denominator, *(Fraction(w).denominator for _, w in aim.auxiliaries))
            counted = np.flatnonzero(np.array([bool(value) for value in aim.values], bool))
            points = Term(counted, aim.values[counted].astype(object) * (scale // aim.scale), ones, "units")
            moved = tuple((auxiliary, int(weight * scale)) for auxiliary, weight in aim.auxiliaries)
            best = int(aim.sign * future.best * scale)
            yield Row((points,), best, None, scale, future.id, ((regret, scale), *moved), True)
        size = self.amount.denominator
        yield Row((), None, self.amount.numerator, size, "", ((regret, size),))

    def _most(self, space: Space) -> Fraction:
        """More than any plan can regret."""
        cents = (space.most * space.step).astype(object)
        found = Fraction(0)
        for future in self.futures:
            (aim, *_) = future.objective.aims(space)
            lost = sum((Fraction(-int(v) * int(c), int(a)) for v, c, a in
                        zip(aim.values, cents, space.asked, strict=True) if v < 0), Fraction(0))  # fmt: skip
            lost += sum((abs(Fraction(w)) * a.reach for a, w in aim.auxiliaries), Fraction(0)) * aim.scale
            found = max(found, aim.sign * future.best + lost / aim.scale)
        return max(found, Fraction(0)) + self.amount

    def check(self, reading: Reading) -> Iterator[Level]:
        worst = Fraction(0)
        for future in self.futures:
            (aim, *_) = future.objective.aims(reading.space)
            worst = max(worst, aim.sign * future.best - Fraction(aim.value(reading)))
        size = self.amount.denominator
        yield Level("", worst * size, None, self.amount.numerator, size)
