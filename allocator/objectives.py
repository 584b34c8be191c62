"""What makes one plan better than another: every objective, one small class each."""

from __future__ import annotations

from collections.abc import Iterator
from math import lcm
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from allocator.money import Exact
from allocator.problems import Problem
from allocator.space import Space
from allocator.texts import Text


class Objective(BaseModel):
    """Points of a plan: Σ value · units over the demands, less what soft constraints take."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def problems(self, scenario: Any) -> Iterator[Problem]:
        return iter(())

    def values(self, space: Space) -> tuple[np.ndarray, int]:
        """(n,) whole numbers of points per unit, and the scale they are divided by."""
        raise NotImplementedError


class Maximise(Objective):
    """Σ weight × indicator × units."""

    maximise: dict[str, Exact]

    def problems(self, scenario: Any) -> Iterator[Problem]:
        known = ", ".join(scenario.indicators) or "—"
        for name in self.maximise:
            if name not in scenario.indicators:
                yield Problem(
                    place=f"maximise.{name}",
                    message=Text(f"indicateur inconnu « {name} »", f"unknown indicator “{name}”"),
                    remedy=Text(f"colonnes numériques des dossiers : {known}", f"numeric columns of demands: {known}"),
                )

    def values(self, space: Space) -> tuple[np.ndarray, int]:
        parts = [(weight, *space.units(name)) for name, weight in self.maximise.items()]
        scale = lcm(*(weight.denominator * size for weight, _, size in parts)) if parts else 1
        total = np.zeros(space.n, object)
        for weight, numerators, size in parts:
            total = total + numerators.astype(object) * int(weight * scale / size)
        return total, scale


def parse(value: Any) -> Objective:
    """An objective from its plain form, e.g. ``{"maximise": {"emplois": 1}}``; raises pydantic's ValidationError."""
    return value if isinstance(value, Objective) else Maximise.model_validate(value)
