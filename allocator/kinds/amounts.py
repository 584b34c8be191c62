"""Euros on a selection: at most, at least, as a share of others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from allocator.constraints import Constraint, Example, needs_one_of, sides_in_order
from allocator.money import Euros, Rate
from allocator.problems import Problem
from allocator.reading import Level, Reading
from allocator.selection import Selection
from allocator.space import Exact, Group, Row, Space, Statement, Term
from allocator.texts import Text, figure


class _Amount(Constraint):
    on: Selection = Selection()
    amount: Annotated[Euros, Field(ge=0)] | None = None
    per_inhabitant: Annotated[Euros, Field(ge=0)] | None = None
    per: str | None = None

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from needs_one_of(self, "amount", "per_inhabitant", exactly=True)

    def cents(self, group: Group) -> int:
        return self.amount if self.amount is not None else (self.per_inhabitant or 0) * group.population


class Ceiling(_Amount):
    """Σ euros granted on `on` ≤ `amount`, or ≤ `per_inhabitant` × population, for each value of `per`."""

    title = Text("Plafond", "Ceiling")
    says = Text("au plus tant d'euros sur cette sélection", "at most so many euros on this selection")
    law = Text(
        "l'enveloppe décidée par l'autorité qui attribue (plafond d'enveloppe)",
        "the envelope decided by the granting authority (plafond d'enveloppe)",
    )
    example = Example(
        {"on": {"funds": ["f"], "where": {"region": "11"}}, "amount": 100},
        (
            ("a-friche", "f", 2026, 60),
            ("b-friche", "f", 2027, 40),
            ("b-friche", "g", 2027, 10),
            ("c-friche", "f", 2026, 80),
        ),
        (("a-friche", "f", 2026, 60), ("b-friche", "f", 2027, 40.01)),
    )
    kind: Literal["ceiling"] = "ceiling"

    def rows(self, space: Space) -> Iterator[Statement]:
        for group in space.groups(self.on, self.per):
            euros = Term(group.demands, 1, group.cells.astype(np.int64))
            yield Row((euros,), None, self.cents(group), 100, group.value)

    def check(self, reading: Reading) -> Iterator[Level]:
        for group in reading.space.groups(self.on, self.per):
            yield Level(group.value, reading.euros(group), None, self.cents(group), 100)


class Floor(_Amount):
    """Σ euros granted on `on` ≥ `amount`, or ≥ `per_inhabitant` × population, for each value of `per`."""

    title = Text("Plancher", "Floor")
    says = Text("au moins tant d'euros sur cette sélection", "at least so many euros on this selection")
    law = Text(
        "la garantie décidée par l'autorité qui attribue (plancher garanti)",
        "the guarantee decided by the granting authority (plancher garanti)",
    )
    example = Example(
        {"per": "region", "per_inhabitant": 0.01},
        (("a-friche", "f", 2026, 10), ("b-friche", "f", 2026, 20), ("c-friche", "g", 2026, 30)),
        (("a-friche", "f", 2026, 105), ("c-friche", "g", 2026, 29.99)),
    )
    only_asks_for_more: ClassVar[bool] = True
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
    """

    title = Text("Part", "Share")
    says = Text(
        "les euros d'une sélection, en part de ceux d'une autre",
        "euros on one selection as a share of those on another",
    )
    law = Text(
        "la part promise à un groupe de territoires ou de mesures (fléchage)",
        "the part promised to a group of territories or measures (fléchage)",
    )
    example = Example(
        {"on": {"where": {"region": "11"}}, "of": {}, "max": "40 %", "min": 0.1},
        (("a-friche", "f", 2026, 40), ("c-friche", "f", 2026, 60)),
        (("a-friche", "f", 2026, 40.01), ("c-friche", "f", 2026, 60)),
    )
    kind: Literal["share"] = "share"
    on: Selection = Selection()
    of: Selection = Selection()
    min: Rate | None = None
    max: Rate | None = None
    per: str | None = None

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from sides_in_order(self)

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

    def side_text(self, row: Row) -> Text:
        """In per cent."""
        least = row.lower is not None
        percent = figure(100 * float((self.min if least else self.max) or 0), 4)
        if least and row.upper is not None:
            return Text(f"exactement {percent.fr} %", f"exactly {percent.en}%")
        return Text(
            f"{'au moins' if least else 'au plus'} {percent.fr} %",
            f"{'at least' if least else 'at most'} {percent.en}%",
        )

    def rows(self, space: Space) -> Iterator[Statement]:
        for part, whole in self._pairs(space):
            for bound, lower, upper in self._bounds():
                on = Term(part.demands, bound.denominator, part.cells.astype(np.int64))
                of = Term(whole.demands, -bound.numerator, whole.cells.astype(np.int64))
                yield Row((on, of), lower, upper, 100 * bound.denominator, part.value)

    def _shuts_out(self, space: Space, part: Group, whole: Group) -> bool:
        """Whether some demand of this group can get nothing at all: its first step is beyond its share even of all that
        the others of the group ask for."""
        both = np.intersect1d(part.demands, whole.demands)
        inside = space.candidates(replace(part, demands=both, cells=part.cells & whole.cells))
        beside, rest = (
            np.union1d(
                space.candidates(replace(mine, demands=np.setdiff1d(mine.demands, both))),
                space.candidates(replace(mine, demands=both, cells=mine.cells & ~other.cells)),
            )
            for mine, other in ((part, whole), (whole, part))
        )

        def asked(demands: np.ndarray) -> int:
            return sum((space.most[demands].astype(object) * space.step[demands]).tolist())

        def first(demands: np.ndarray) -> int:
            demands = demands[space.most[demands] >= space.least[demands]]
            return int((space.least[demands].astype(object) * space.step[demands]).max(initial=0))

        if self.max is not None:
            most = self.max * asked(rest)
            if first(inside) * (1 - self.max) > most or first(beside) > most:
                return True
        return self.min is not None and first(rest) * self.min > asked(beside) + asked(inside) * (1 - self.min)

    def holds_back(self, reading: Reading) -> bool:
        """A demand can get nothing: its share of what others ask for is less than its first step."""
        return self.soft is None and any(self._shuts_out(reading.space, *pair) for pair in self._pairs(reading.space))

    def check(self, reading: Reading) -> Iterator[Level]:
        for part, whole in self._pairs(reading.space):
            on, of = reading.euros(part), reading.euros(whole)
            idle = not (on or of) and not self._shuts_out(reading.space, part, whole)
            covered = int((reading.covered(part) | reading.covered(whole)).sum())
            for bound, lower, upper in self._bounds():
                left = on * bound.denominator - of * bound.numerator
                cents = covered * bound.denominator if lower == upper else 0
                yield Level(part.value, left, lower, upper, 100 * bound.denominator, cents, idle)
