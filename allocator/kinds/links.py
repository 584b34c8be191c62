"""Demands that are decided already, that call for others, or that shut others out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from allocator.constraints import Constraint, Example, all_cells, whole_demands
from allocator.money import Exact as Number
from allocator.problems import Problem
from allocator.reading import Level, Reading
from allocator.selection import Selection
from allocator.space import Box, Exact, Group, Row, Space, Statement, Term
from allocator.texts import Text


class Lock(Constraint):
    """Decided already: all units asked (`fund`), none (`refuse`), or exactly `units`.

    `comment`: by whom and why.
    """

    title = Text("Décision acquise", "Lock")
    says = Text("ces dossiers sont décidés d'avance", "these demands are decided already")
    law = Text("la décision elle-même (arrêté, convention)", "the decision itself (arrêté, convention)")
    example = Example(
        {"on": {"demands": ["c-ecole"]}, "decision": "units", "units": 2},
        (("c-ecole", "f", 2026, 160),),
        (("c-ecole", "f", 2026, 80),),
    )
    kind: Literal["lock"] = "lock"
    on: Selection = Selection()
    decision: Literal["fund", "refuse", "units"]
    units: Annotated[Number, Field(ge=0)] | None = None
    comment: str = ""

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from whole_demands(self)
        if "units" not in self._unread and (self.units is None) == (self.decision == "units"):
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


class Requires(Constraint):
    """In each year, a demand of `when` that has received anything so far needs one of `then`, with the same value of
    `within` (absent: anywhere), that has received anything up to `lag` years (of the horizon) before.

    Study first, works the year after: `lag: 1`. A demand in both supports itself when `lag` is 0. A breach is counted
    in years that a started demand goes without.
    """

    title = Text("Préalable", "Requires")
    says = Text(
        "un dossier ne commence que si un autre, au même endroit, a commencé avant lui",
        "a demand only starts where another, in the same place, has started before it",
    )
    law = Text(
        "l'ordre des opérations dans les règles d'un fonds (étude préalable, tranche conditionnelle)",
        "the order of operations in the rules of a fund (étude préalable, tranche conditionnelle)",
    )
    not_covered = Text(
        "ce qui a été accordé avant l'horizon : fixez-le par `lock`, ou laissez ces dossiers hors de `when`",
        "what was granted before the horizon: lock it in, or leave those demands out of `when`",
    )
    example = Example(
        {"when": {"measures": ["friche"]}, "then": {"measures": ["ecole"]}, "within": "territory", "lag": 1},
        (("a-ecole", "f", 2026, 100), ("a-friche", "f", 2027, 60)),
        (("a-ecole", "f", 2026, 100), ("a-friche", "f", 2026, 60)),
    )
    counts_euros: ClassVar[bool] = False
    kind: Literal["requires"] = "requires"
    when: Selection
    then: Selection
    within: str | None = None
    lag: Annotated[int, Field(ge=0)] = 0

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from whole_demands(self, "when", "then")
        if self.within in ("fund", "year"):
            yield _no_part(self.within, "within")

    def warnings(self, scenario: Any) -> Iterator[Problem]:
        when, then = self.when.pick(scenario).demands, self.then.pick(scenario).demands
        if self.lag >= len(scenario.years) and when.any():
            yield Problem(
                "lag",
                Text(
                    f"lag vaut {self.lag}, pour {len(scenario.years)} année(s) : aucun dossier de when ne peut commencer",
                    f"lag is {self.lag}, over {len(scenario.years)} year(s): no demand of when can ever start",
                ),
                Text("Réduire lag, ou allonger l'horizon.", "Lower lag, or lengthen the horizon."),
            )
        elif self.lag == 0 and when.any() and not (when & ~then).any():
            yield Problem(
                "then",
                Text(
                    "tout dossier de when est aussi dans then : la règle n'exige rien",
                    "every demand of when is in then as well: the rule asks for nothing",
                ),
                Text("Dire autrement qui doit venir d'abord.", "Say otherwise who must come first."),
            )

    def _pairs(self, space: Space) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Demands that need, and those that they may lean on, for each value of `within`."""
        leant = {group.value: group.demands for group in space.groups(self.then, self.within)}
        for group in space.groups(self.when, self.within):
            yield group.demands, leant.get(group.value, np.array([], np.int64))

    def rows(self, space: Space) -> Iterator[Statement]:
        names = space.scenario.demands["id"]
        horizon = space.shape[1]
        for needing, leant in self._pairs(space):
            for i in needing.tolist():
                if self.lag == 0 and i in leant:
                    continue
                # once its own years are over, nothing new can break a hard rule; a soft one counts every year
                last = horizon if self.soft is not None else min(int(space.end[i]), horizon)
                for y in range(int(space.first[i]), last):
                    terms = [Term(np.array([i]), 1, _up_to(space, y), "served")]
                    if y >= self.lag and len(leant):
                        terms.append(Term(leant, -1, _up_to(space, y - self.lag), "served"))
                    yield Row(tuple(terms), None, 0, 1, f"{names.iat[i]}, {space.scenario.years[y]}")

    def check(self, reading: Reading) -> Iterator[Level]:
        space = reading.space
        years = space.scenario.years
        started = [reading.started(y) for y in range(len(years))]
        nobody = np.zeros(space.n, bool)
        for needing, leant in self._pairs(space):
            for y, year in enumerate(years):
                before = started[y - self.lag] if y >= self.lag else nobody
                if before[leant].any():
                    continue
                for i in needing[started[y][needing]].tolist():
                    yield Level(f"{space.scenario.demands['id'].iat[i]}, {year}", 1, None, 0)


class Exclusive(Constraint):
    """At most `at_most` served demands of `on` for each value of `per` (absent: in all)."""

    title = Text("Exclusivité", "Exclusive")
    says = Text("au plus tant de dossiers servis, par territoire ou par projet", "at most so many served demands, each")
    law = Text(
        "une offre par territoire ou par projet dans un appel à projets (offres concurrentes, variantes d'un même "
        "projet)",
        "one offer per territory or project in a call for projects (offres concurrentes, variantes d'un même projet)",
    )
    example = Example(
        {"per": "territory"},
        (("a-ecole", "f", 2026, 100), ("c-friche", "f", 2026, 20), ("c-friche", "g", 2027, 20)),
        (("a-ecole", "f", 2026, 100), ("a-friche", "f", 2027, 0.01)),
    )
    counts_euros: ClassVar[bool] = False
    kind: Literal["exclusive"] = "exclusive"
    on: Selection = Selection()
    at_most: Annotated[int, Field(ge=1)] = 1
    per: str | None = None

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from whole_demands(self)
        if self.per in ("fund", "year"):
            yield _no_part(self.per, "per")

    def _groups(self, space: Space) -> Iterator[Group]:
        """Those with more demands than may be served."""
        return (group for group in space.groups(self.on, self.per) if len(group.demands) > self.at_most)

    def rows(self, space: Space) -> Iterator[Statement]:
        for group in self._groups(space):
            yield Row((Term(group.demands, 1, all_cells(space), "served"),), None, self.at_most, 1, group.value)

    def check(self, reading: Reading) -> Iterator[Level]:
        for group in self._groups(reading.space):
            yield Level(group.value, int(reading.served[group.demands].sum()), None, self.at_most)


def _up_to(space: Space, year: int) -> np.ndarray:
    """(F, Y) ones up to and including a year (position)."""
    cells = all_cells(space)
    cells[:, year + 1 :] = 0
    return cells


def _no_part(value: str, field: str) -> Problem:
    return Problem(
        field,
        Text(f"un dossier n'est pas d'un seul « {value} »", f"a demand does not belong to one “{value}”"),
        Text("nommer un attribut des dossiers ou des territoires", "name an attribute of demands or territories"),
    )
