"""Units, served demands and indicators on a selection: at most, at least."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from allocator.constraints import Constraint, Example, all_cells, no_funds, sides_in_order
from allocator.money import Exact as Number
from allocator.problems import Problem
from allocator.reading import Level, Reading, weighted_units
from allocator.selection import Selection
from allocator.space import Exact, Group, Row, Space, Statement, Term
from allocator.texts import Text


class Count(Constraint):
    """min ≤ Σ units (or served demands) on `on` ≤ max, for each value of `per`."""

    title = Text("Nombre", "Count")
    says = Text("tant d'unités, ou de dossiers servis", "so many units, or served demands")
    law = Text(
        "le nombre de projets qu'un appel à projets annonce (dix Rebonds, vingt écoles)",
        "the number of projects that a call for projects announces (dix Rebonds, vingt écoles)",
    )
    example = Example(
        {"on": {"measures": ["ecole"]}, "max": 2, "per": "year"},
        (("a-ecole", "f", 2026, 200), ("c-ecole", "f", 2027, 160)),
        (("a-ecole", "f", 2026, 200), ("c-ecole", "f", 2026, 80)),
    )
    counts_euros: ClassVar[bool] = False
    kind: Literal["count"] = "count"
    on: Selection = Selection()
    min: Number | None = None
    max: Number | None = None
    of: Literal["units", "demands"] = "units"
    per: str | None = None

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from sides_in_order(self)
        yield from no_funds(self)
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
                term = Term(group.demands, 1, all_cells(space), "served")
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
    """

    title = Text("Indicateur", "Indicator")
    says = Text(
        "un total d'indicateur à atteindre (hectares, emplois), ou à ne pas dépasser",
        "a total of an indicator to reach (hectares, jobs), or not to exceed",
    )
    law = Text(
        "l'objectif ou l'enveloppe à tenir, par exemple les hectares du ZAN (loi n° 2021-1104, art. 191 ; loi n° "
        "2023-630)",
        "the target or envelope, e.g. hectares of the ZAN (loi n° 2021-1104, art. 191 ; loi n° 2023-630)",
    )
    example = Example(
        {"indicator": "emplois", "on": {"funds": ["f"]}, "min": 3.5},
        (("a-ecole", "f", 2026, 50), ("a-ecole", "g", 2026, 50)),
        (("a-ecole", "f", 2026, 49), ("a-ecole", "g", 2026, 51)),
    )
    counts_euros: ClassVar[bool] = False
    kind: Literal["indicator"] = "indicator"
    indicator: str
    on: Selection = Selection()
    min: Number | None = None
    max: Number | None = None
    weights: dict[str, dict[str, Number]] = Field(default={})
    until: int | None = None
    per: str | None = None

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from sides_in_order(self)
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
        if not self.weights:
            return plain, plain, scale
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
