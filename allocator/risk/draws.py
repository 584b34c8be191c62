"""Many ways in which a plan may turn out: draws of what is uncertain, and what they make of its costs and benefits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np

from allocator.envelopes import Envelope
from allocator.kinds.risk import values_of
from allocator.plan import Plan
from allocator.risk.uncertainty import COST, Uncertain, Uncertainty

CELLS = 4_000_000  # numbers held at once
OWNERS = "owners"


@dataclass(frozen=True, eq=False)
class Source:
    """One uncertain thing: `draw` (n,) which of its draws each demand has, -1 for none; `names` of the draws, sorted."""

    item: Uncertain
    draw: np.ndarray
    names: list[str]


@dataclass(frozen=True, eq=False)
class Turns:
    """A plan that has grants, and what is uncertain about it."""

    plan: Plan
    uncertainty: Uncertainty

    @cached_property
    def sources(self) -> list[Source]:
        scenario, found = self.plan.scenario, []
        for item in self.uncertainty.uncertain:
            values = values_of(scenario, item.by)
            mine = item.on.pick(scenario).demands
            names = sorted({value for value, on in zip(values, mine, strict=True) if on and value is not None})
            at = {name: k for k, name in enumerate(names)}
            draw = np.array([at[v] if on and v is not None else -1 for v, on in zip(values, mine, strict=True)])
            found.append(Source(item, draw, names))
        return found

    @cached_property
    def funds(self) -> list[str]:
        return [fund.id for fund in self.plan.scenario.funds]

    @cached_property
    def _granted(self) -> np.ndarray:
        """(F, n) euros that each fund and those inside it grant."""
        reading, scenario = self.plan.reading, self.plan.scenario
        assert reading is not None
        own = np.zeros((len(scenario.funds), len(scenario.demands)))
        np.add.at(own, (reading.fund, reading.demand), reading.cents / 100)
        family = np.array([Envelope(fund).family(scenario) for fund in scenario.funds], float)
        return family @ own

    @property
    def committed(self) -> np.ndarray:
        """(F,) euros."""
        return self._granted.sum(axis=1)

    @cached_property
    def _units(self) -> np.ndarray:
        assert self.plan.reading is not None
        return self.plan.reading.granted / self.plan.reading.space.asked

    def uniforms(self, samples: int, seed: int) -> Iterator[list[np.ndarray]]:
        """(rows, draws) probabilities for each source, in blocks of rows. What an uncertain thing draws depends on `seed`,
        its id and its draws' names alone: two plans meet the same cases."""
        widest = max([len(self._moved), *(len(source.names) for source in self.sources)], default=1)
        rows = max(1, CELLS // max(widest, 1))
        streams = [np.random.default_rng([seed, crc32(source.item.id.encode())]) for source in self.sources]
        for start in range(0, samples, rows):
            size = min(rows, samples - start)
            yield [rng.random((size, len(s.names))) for rng, s in zip(streams, self.sources, strict=True)]

    @cached_property
    def _moved(self) -> np.ndarray:
        """(k,) served demands about which anything is uncertain."""
        drawn = np.zeros(len(self._units), bool)
        for source in self.sources:
            drawn |= source.draw >= 0
        return np.flatnonzero(drawn & (self._units > 0))

    def _own(self, what: str) -> np.ndarray:
        """(n,) planned value per unit: euros, or the indicator."""
        assert self.plan.reading is not None
        space = self.plan.reading.space
        if what == COST:
            return space.cost / 100
        numerators, scale = space.units(what)
        return np.asarray(numerators.astype(float) / scale)

    def _real(self, what: str, uniforms: list[np.ndarray], rows: int, borne_by: str | None = None) -> np.ndarray:
        """(rows, k) what a unit of each moved demand really has or costs."""
        mine = [
            (source, u)
            for source, u in zip(self.sources, uniforms, strict=True)
            if source.item.what == what and borne_by in (None, source.item.borne_by)
        ]
        real = np.tile(self._own(what)[self._moved], (rows, 1))
        for source, u in sorted(mine, key=lambda one: one[0].item.gives, reverse=True):  # values first, then factors
            draw = source.draw[self._moved]
            on = draw >= 0
            drawn = source.item.at(u)[:, draw[on]]
            real[:, on] = drawn if source.item.gives == "value" else real[:, on] * drawn
        return real

    def outcomes(self, uniforms: list[np.ndarray], rows: int) -> dict[str, np.ndarray]:
        """(rows,) of each fund's need (`fund:ID`), of what owners pay more (`owners`) and of each indicator, for these
        probabilities.

        A fund's need: for each demand, what it grants times real over planned cost, as far as funds bear it.
        """
        moved = self._moved
        units, planned = self._units[moved], self._own(COST)[moved]
        ratio = self._real(COST, uniforms, rows, "funds") / np.where(planned > 0, planned, 1)
        if self.uncertainty.savings == "kept":
            ratio = np.maximum(ratio, 1)
        found = {}
        for name, grants in zip(self.funds, self._granted, strict=True):
            found[f"fund:{name}"] = grants.sum() + (ratio - 1) @ grants[moved]
        assert self.plan.reading is not None
        borne = (ratio - 1) @ (self.plan.reading.granted[moved] / 100)
        found[OWNERS] = np.round((self._real(COST, uniforms, rows) - planned) @ units - borne, 2)
        uncertain = {source.item.what for source in self.sources}
        for name in self.plan.scenario.indicators:
            own = self._own(name)
            found[name] = np.full(rows, float(own @ self._units))
            if name in uncertain:
                found[name] += (self._real(name, uniforms, rows) - own[moved]) @ units
        return found

    def drawn(self, samples: int, seed: int) -> dict[str, np.ndarray]:
        """The same for so many draws, (samples,) each."""
        if not self.sources:  # futures alone: everything is as planned
            return self.outcomes([], samples)
        blocks = [self.outcomes(block, len(block[0])) for block in self.uniforms(samples, seed)]
        return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
