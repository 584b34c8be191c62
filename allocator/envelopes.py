"""What a fund holds, said as rows and checked as cents: the rule behind every fund of a scenario."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from allocator.reading import Level, Reading
from allocator.space import Rate, Row, Rule, Space, Statement, Term
from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.scenario import Fund, Scenario


@dataclass(frozen=True)
class Envelope(Rule):
    """Euros paid by a fund and by the funds inside it ≤ its amount less its reserve.

    Over the horizon where it has one `amount`; each year where it has `amounts`; up to and including each year where
    what is left is carried over. Source: autorisations d'engagement, LOLF art. 8; report de crédits, art. 15;
    réserve de précaution, art. 51.
    """

    fund: Fund
    soft: Fraction | None = None
    title = Text("Enveloppe", "Envelope")
    kind = "fund"

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self.fund.id)
        object.__setattr__(self, "label", self.fund.label or self.fund.id)

    def limits(self, scenario: Scenario) -> list[tuple[np.ndarray, int]]:
        """(years (Y,) bool, cents) for each sum that the fund bounds."""
        fund, years = self.fund, scenario.years
        if fund.amount is not None:
            return [(np.ones(len(years), bool), self._available(fund.amount))]
        yearly = [self._available((fund.amounts or {}).get(year, 0)) for year in years]
        alone = np.eye(len(years), dtype=bool)
        if not fund.carry_over:
            return list(zip(alone, yearly, strict=True))
        return list(zip(np.logical_or.accumulate(alone), accumulate(yearly), strict=True))

    def _available(self, cents: int) -> int:
        return int(cents * (1 - Fraction(self.fund.reserve)))

    def _family(self, scenario: Scenario) -> np.ndarray:
        """(F,) bool: the fund and all funds inside it."""
        parent = {f.id: f.parent for f in scenario.funds}
        inside = []
        for fund in scenario.funds:
            above: str | None = fund.id
            while above is not None and above != self.fund.id:
                above = parent[above]
            inside.append(above is not None)
        return np.array(inside)

    def rows(self, space: Space) -> Iterator[Statement]:
        everyone = np.arange(space.n)
        family = self._family(space.scenario)
        for years, cents in self.limits(space.scenario):
            cells = np.outer(family, years).astype(np.int64)
            yield Row((Term(everyone, 1, cells),), None, cents, 100, self._when(space.scenario, years))
        if self.fund.max_rate < 1:
            mine = np.array([f.id == self.fund.id for f in space.scenario.funds])
            cells = np.outer(mine, np.ones(len(space.scenario.years), bool))
            yield Rate(everyone, cells, Fraction(self.fund.max_rate))

    def check(self, reading: Reading) -> Iterator[Level]:
        scenario = reading.space.scenario
        names = [f.id for f in scenario.funds]
        within = {self.fund.id}
        for _ in names:
            within |= {f.id for f in scenario.funds if f.parent in within}
        pays = np.isin(reading.fund, [k for k, name in enumerate(names) if name in within])
        for years, cents in self.limits(scenario):
            spent = int(reading.cents[pays & years[reading.year]].sum())
            yield Level(self._when(scenario, years), spent, None, cents, 100)

    def _when(self, scenario: Scenario, years: np.ndarray) -> str:
        if years.all() and self.fund.amount is not None:
            return ""
        return str(scenario.years[int(np.flatnonzero(years)[-1])])
