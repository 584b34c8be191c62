"""Fairness between territories: euros per inhabitant."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from allocator.constraints import Constraint, Example, needs_one_of
from allocator.money import Euros
from allocator.money import Exact as Number
from allocator.problems import Problem, did_you_mean
from allocator.reading import Level, Reading
from allocator.selection import Selection
from allocator.space import Exact, Group, Row, Space, Statement, Term
from allocator.texts import Text


class Equity(Constraint):
    """Highest euros per inhabitant ≤ `max_ratio` × lowest, or highest − lowest ≤ `max_gap`, among the groups of `per`
    that have people and a demand of `on` that may be paid.

    Fewer than two such groups: nothing. Only what this scenario grants counts. A breach is counted in euros per
    inhabitant beyond.
    """

    title = Text("Équité par habitant", "Equity per inhabitant")
    says = Text(
        "entre groupes de territoires, les euros par habitant ne s'écartent pas de plus que cela",
        "between groups of territories, euros per inhabitant differ by no more than this",
    )
    law = Text(
        "le choix de l'autorité qui attribue ; l'objectif d'égalité entre collectivités est celui de la "
        "Constitution, art. 72-2 (péréquation)",
        "the choice of the granting authority; the aim of equality between local authorities is that of the "
        "Constitution, art. 72-2 (péréquation)",
    )
    not_covered = Text(
        "les besoins et les moyens des territoires : seuls les habitants comptent",
        "needs or means of territories: people alone are the measure",
    )
    example = Example(
        {"per": "region", "max_ratio": 2},
        (("a-friche", "f", 2026, 60), ("c-friche", "f", 2026, 30)),
        (("a-friche", "f", 2026, 60.01), ("c-friche", "f", 2026, 30)),
    )
    kind: Literal["equity"] = "equity"
    on: Selection = Selection()
    per: str
    max_ratio: Annotated[Number, Field(ge=1)] | None = None
    max_gap: Annotated[Euros, Field(ge=0)] | None = None

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from needs_one_of(self, "max_ratio", "max_gap", exactly=True)
        columns = [c for c in scenario.territories.columns if c not in ("id", "name", "population")]
        allowed = ["territory", *(c for c in columns if c not in scenario.demands)]
        if self.per not in allowed:
            yield Problem(
                "per",
                Text(f"« {self.per} » ne dit pas qui habite où", f"“{self.per}” does not say who lives where"),
                did_you_mean(self.per, allowed),
            )

    def _groups(self, space: Space) -> list[Group]:
        found = space.groups(self.on, self.per)
        found = [group for group in found if group.population and len(space.candidates(group))]
        return found if len(found) > 1 else []

    def _weights(self) -> tuple[int, int, Exact]:
        """a, b, most:  a · highest − b · lowest ≤ most, in cents per inhabitant."""
        if self.max_ratio is None:
            return 1, 1, self.max_gap or 0
        return self.max_ratio.denominator, self.max_ratio.numerator, 0

    @property
    def _equal(self) -> bool:
        return self.max_ratio == 1 or self.max_gap == 0

    def rows(self, space: Space) -> Iterator[Statement]:
        groups = self._groups(space)
        if not groups:
            return
        reach = [Fraction(_asked(space, group), group.population) for group in groups]
        highest = space.auxiliary(self.id, "highest", upper=max(reach))
        lowest = space.auxiliary(self.id, "lowest", upper=max(reach))
        for group in groups:
            euros = Term(group.demands, 1, group.cells.astype(np.int64))
            yield Row((euros,), None, 0, 100, group.value, ((highest, -group.population),), defines=True)
            yield Row((euros,), 0, None, 100, group.value, ((lowest, -group.population),), defines=True)
        a, b, most = self._weights()
        cents: Exact = 0
        if self._equal:  # a cent for each grant there may be
            cents = max(Fraction(len(g.demands) * int(g.cells.sum()), g.population) for g in groups)
        yield Row((), None, most, 100 * a, "", ((highest, a), (lowest, -b)), rounding=(a + b) * cents)

    def check(self, reading: Reading) -> Iterator[Level]:
        groups = self._groups(reading.space)
        if not groups:
            return
        each = [Fraction(reading.euros(group), group.population) for group in groups]
        a, b, most = self._weights()
        cents: Exact = 0
        if self._equal:
            cents = max(Fraction(int(reading.covered(group).sum()), group.population) for group in groups)
        left = a * max(each) - b * min(each)
        yield Level("", left, None, most, 100 * a, (a + b) * cents, idle=not max(each))


def _asked(space: Space, group: Group) -> int:
    """Cents that the demands of a group ask for."""
    return sum((space.most[group.demands].astype(object) * space.step[group.demands]).tolist())
