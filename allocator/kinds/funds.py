"""Which funds pay one demand: not too many together, none for a trifle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from allocator.constraints import Constraint, Example, needs_one_of, no_funds, no_years
from allocator.money import Euros
from allocator.problems import Problem, did_you_mean
from allocator.reading import Level, Reading
from allocator.selection import Selection
from allocator.space import Few, Least, Space, Statement
from allocator.texts import Text


def _paid(reading: Reading, demands: np.ndarray, funds: np.ndarray) -> Iterator[tuple[int, dict[int, int]]]:
    """Each of `demands` that some of `funds` (F,) bool pay, with the cents of each over all years."""
    mine = np.zeros(reading.space.n, bool)
    mine[demands] = True
    found: dict[int, dict[int, int]] = {}
    for i, f, cents in zip(reading.demand.tolist(), reading.fund.tolist(), reading.cents.tolist(), strict=True):
        if mine[i] and funds[f] and cents:
            of = found.setdefault(i, {})
            of[f] = of.get(f, 0) + cents
    yield from sorted(found.items())


class NoStacking(Constraint):
    """At most `max_funds` of the funds that `on` selects pay one demand over the horizon; or, of the funds named
    `incompatible`, at most one.

    A breach is counted per fund in excess, per demand.
    """

    title = Text("Non-cumul de fonds", "No stacking")
    says = Text(
        "au plus tant de fonds, ou un seul des fonds incompatibles, paient un même dossier",
        "at most so many funds, or one of those that are incompatible, pay one demand",
    )
    law = Text(
        "le non-cumul écrit dans les règles de chaque fonds (règlement d'intervention) ; pour les aides d'État, les "
        "règles de cumul des règlements (UE) 651/2014, art. 8, et (UE) 2023/2831, art. 5",
        "non-cumul written in the rules of each fund (règlement d'intervention); for State aid, the cumulation rules"
        " of Regulation (EU) 651/2014 art. 8 and Regulation (EU) 2023/2831 art. 5",
    )
    not_covered = Text(
        "le seul cumul sur les mêmes coûts : un dossier est pris pour un seul ensemble de coûts éligibles",
        "aid for the same costs alone: a demand is taken as one set of eligible costs",
    )
    example = Example(
        {"on": {"measures": ["friche"]}, "incompatible": ["f", "g"]},
        (
            ("a-friche", "f", 2026, 60),
            ("c-friche", "g", 2026, 20),
            ("a-ecole", "f", 2026, 50),
            ("a-ecole", "g", 2026, 50),
        ),
        (("a-friche", "f", 2026, 60), ("a-friche", "g", 2027, 1)),
    )
    kind: Literal["no_stacking"] = "no_stacking"
    on: Selection = Selection()
    max_funds: Annotated[int, Field(ge=1)] | None = None
    incompatible: tuple[str, ...] | None = None

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from needs_one_of(self, "max_funds", "incompatible", exactly=True)
        yield from no_years(self)
        if self.incompatible is None:
            return
        yield from no_funds(self)
        known = [fund.id for fund in scenario.funds]
        for rank, name in enumerate(self.incompatible):
            if name not in known:
                yield Problem(
                    f"incompatible[{rank}]",
                    Text(f"fonds inconnu « {name} »", f"unknown fund “{name}”"),
                    did_you_mean(name, known),
                )
        if len(set(self.incompatible)) < 2:
            yield Problem(
                "incompatible",
                Text("deux fonds au moins sont attendus", "at least two funds are expected"),
                Text("nommer les fonds qui s'excluent", "name the funds that exclude each other"),
            )

    @property
    def most(self) -> int:
        return self.max_funds if self.max_funds is not None else 1

    def _funds(self, space: Space) -> np.ndarray:
        """(F,) bool"""
        if self.incompatible is None:
            return self.on.pick(space.scenario).funds
        return np.array([fund.id in self.incompatible for fund in space.scenario.funds], bool)

    def rows(self, space: Space) -> Iterator[Statement]:
        yield Few(space.groups(self.on)[0].demands, self._funds(space), self.most)

    def check(self, reading: Reading) -> Iterator[Level]:
        names = reading.space.scenario.demands["id"]
        for i, by_fund in _paid(reading, reading.space.groups(self.on)[0].demands, self._funds(reading.space)):
            if len(by_fund) >= self.most:
                yield Level(str(names.iat[i]), len(by_fund), None, self.most)


class MinGrant(Constraint):
    """Each fund that `on` selects pays a demand nothing, or at least `amount`, over the horizon.

    A breach is counted in euros missing, per demand and fund.
    """

    title = Text("Subvention minimale", "Least grant")
    says = Text(
        "chaque fonds verse à un dossier rien, ou au moins ce montant",
        "each fund pays a demand nothing, or at least this amount",
    )
    law = Text(
        "la subvention minimale écrite dans les règles de chaque fonds (montant plancher du règlement d'intervention)",
        "the least grant in the rules of each fund (montant plancher de subvention du règlement d'intervention)",
    )
    example = Example(
        {"on": {"funds": ["g"]}, "amount": 50},
        (("b-friche", "g", 2026, 30), ("b-friche", "g", 2027, 20), ("a-friche", "f", 2026, 5)),
        (("b-friche", "g", 2026, 49.99), ("b-friche", "f", 2026, 50)),
    )
    kind: Literal["min_grant"] = "min_grant"
    on: Selection = Selection()
    amount: Annotated[Euros, Field(gt=0)]

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from no_years(self)

    def rows(self, space: Space) -> Iterator[Statement]:
        yield Least(space.groups(self.on)[0].demands, self.on.pick(space.scenario).funds, self.amount)

    def holds_back(self, reading: Reading) -> bool:
        """A demand gets less than it asks for, and some fund that may pay it pays it nothing."""
        space = reading.space
        demands, funds = space.groups(self.on)[0].demands, self.on.pick(space.scenario).funds
        wanting = demands[reading.granted[demands] < (space.most * space.step)[demands]]
        paid = dict(_paid(reading, wanting, funds))
        may = np.array([pattern.eligible.any(axis=1) & funds for pattern in space.patterns])
        return any(set(np.flatnonzero(may[space.pattern[i]])) - set(paid.get(i, ())) for i in wanting.tolist())

    def check(self, reading: Reading) -> Iterator[Level]:
        scenario = reading.space.scenario
        chosen = self.on.pick(scenario)
        names = scenario.demands["id"]
        for i, by_fund in _paid(reading, np.flatnonzero(chosen.demands), chosen.funds):
            for cents in by_fund.values():
                if cents <= self.amount:
                    yield Level(str(names.iat[i]), cents, self.amount, None, 100)
