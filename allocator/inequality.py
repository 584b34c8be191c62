"""How unequal a division of money between groups of people is."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Inequality:
    """Euros per inhabitant between groups, each weighing by its people: 0 is equal for Gini and Theil (whose most is 1
    and ln of the people). `least`, `most`: the lowest and highest group; `nobody`: people of groups that get nothing."""

    gini: float
    theil: float
    least: float
    most: float
    nobody: int

    @classmethod
    def of(cls, cents: np.ndarray, people: np.ndarray) -> Inequality:
        """Of groups with `cents` and `people` (k,), people > 0. All 0 where nothing is granted."""
        if not len(people) or not cents.sum():
            return cls(0.0, 0.0, 0.0, 0.0, int(people.sum()))
        each = cents / 100 / people
        order = np.argsort(each, kind="stable")
        share, held = people[order] / people.sum(), cents[order] / cents.sum()
        before = np.concatenate([[0.0], np.cumsum(held)])
        gini = 1 - float(
            (share * (before[1:] + before[:-1])).sum()
        )  # twice the area under Lorenz's curve, taken from 1
        some = held > 0
        theil = float((held[some] * np.log(held[some] / share[some])).sum())
        return cls(max(gini, 0.0), max(theil, 0.0), float(each.min()), float(each.max()), int(people[cents == 0].sum()))

    def as_dict(self) -> dict[str, Any]:
        ratio = self.most / self.least if self.least else inf
        return {
            "gini": self.gini, "theil": self.theil, "least_per_inhabitant": self.least,
            "most_per_inhabitant": self.most, "ratio": None if ratio == inf else ratio, "people_without": self.nobody,
        }  # fmt: skip
