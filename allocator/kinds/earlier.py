"""What an earlier plan gave: nobody loses too much of it, or nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import numpy as np

from allocator.constraints import Constraint, Example, whole_demands
from allocator.money import Rate
from allocator.problems import Problem, listed
from allocator.reading import Level, Reading
from allocator.references import Past, Reference
from allocator.selection import Selection
from allocator.space import Box, Exact, Row, Space, Statement, Term
from allocator.texts import Text

_ROWS: list[dict[str, Any]] = [{"demand": "a-friche", "cents": 10_000}, {"demand": "c-friche", "cents": 5_000}]


class Continuity(Constraint):
    """Euros on `on` ≥ (1 − `max_change`) × those of the `reference`, for each value of `per`.

    What the reference lacks is free; what it has and the scenario has no more (no such demand, nor its territory; a
    group without demands) is warned about. A row of the reference whose demand is gone counts where its territory and
    measure stand. A breach is counted in euros.
    """

    title = Text("Continuité", "Continuity")
    says = Text(
        "personne ne perd plus que cette part de ce que donnait un plan de référence",
        "nobody loses more than this share of what a reference plan gave",
    )
    law = Text(
        "le choix de l'autorité qui attribue (clause de sauvegarde, sortie progressive)",
        "the choice of the granting authority (clause de sauvegarde, sortie progressive)",
    )
    not_covered = Text(
        "la hausse des prix : les euros sont comparés tels qu'ils étaient",
        "price changes: euros are compared as they were",
    )
    example = Example(
        {"reference": _ROWS, "max_change": "20 %", "per": "region"},
        (("b-friche", "f", 2026, 80), ("c-friche", "f", 2026, 40)),
        (("b-friche", "f", 2026, 100), ("c-friche", "f", 2026, 39.99)),
    )
    only_asks_for_more: ClassVar[bool] = True
    kind: Literal["continuity"] = "continuity"
    on: Selection = Selection()
    reference: Reference
    max_change: Rate
    per: str | None = None

    def _had(self, scenario: Any) -> tuple[dict[str, int], list[Past]]:
        """Cents that the reference gave to each value of `per`; its rows that have no place in this scenario."""
        place = _Places(scenario, self.on, self.per)
        had: dict[str, int] = {}
        lost = []
        for row in self.reference:
            if row.cents:
                value = place.of(row)
                if value is None:
                    lost.append(row)
                elif value != _OUTSIDE:
                    had[str(value)] = had.get(str(value), 0) + row.cents
        return had, lost

    def warnings(self, scenario: Any) -> Iterator[Problem]:
        had, lost = self._had(scenario)
        names = [row.demand for row in lost]
        space = Space.of(scenario)
        names += [g.value for g in space.groups(self.on, self.per) if not len(g.demands) and had.get(g.value)]
        yield from _gone(names)

    def _dues(self, space: Space) -> Iterator[tuple[Any, Exact]]:
        had, _ = self._had(space.scenario)
        for group in space.groups(self.on, self.per):
            if len(group.demands) and group.value in had:
                due = (1 - self.max_change) * had[group.value]
                yield group, int(due) if due.denominator == 1 else due

    def rows(self, space: Space) -> Iterator[Statement]:
        for group, due in self._dues(space):
            yield Row((Term(group.demands, 1, group.cells.astype(np.int64)),), due, None, 100, group.value)

    def check(self, reading: Reading) -> Iterator[Level]:
        for group, due in self._dues(reading.space):
            yield Level(group.value, reading.euros(group), due, None, 100)


class Contains(Constraint):
    """Each demand of `on` gets at least what the `reference` gave it, rounded up to whole units where these are whole.

    Demands of the reference that the scenario lacks are warned about. A breach is counted in units.
    """

    title = Text("Contient un autre plan", "Contains another plan")
    says = Text(
        "chaque dossier reçoit au moins ce que lui donnait un plan de référence",
        "each demand gets at least what a reference plan gave it",
    )
    law = Text(
        "le choix de l'autorité qui attribue : avec plus d'argent, personne ne reçoit moins (monotonie)",
        "the choice of the granting authority: with more money, nobody gets less (monotonie)",
    )
    example = Example(
        {"reference": [{"demand": "c-ecole", "cents": 10_000}]},
        (("c-ecole", "f", 2026, 160),),
        (("c-ecole", "f", 2026, 80),),
    )
    only_asks_for_more: ClassVar[bool] = True
    kind: Literal["contains"] = "contains"
    on: Selection = Selection()
    reference: Reference

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from whole_demands(self)

    def warnings(self, scenario: Any) -> Iterator[Problem]:
        known = set(scenario.demands["id"])
        yield from _gone([row.demand for row in self.reference if row.cents and row.demand not in known])

    def _had(self, scenario: Any) -> dict[int, int]:
        """Cents of the reference for each position of a demand of `on`."""
        at = {name: i for i, name in enumerate(scenario.demands["id"])}
        chosen = self.on.pick(scenario).demands
        had: dict[int, int] = {}
        for row in self.reference:
            i = at.get(row.demand)
            if i is not None and chosen[i] and row.cents:
                had[i] = had.get(i, 0) + row.cents
        return dict(sorted(had.items()))

    def rows(self, space: Space) -> Iterator[Statement]:
        had = self._had(space.scenario)
        demands = np.array(list(had), np.int64)
        least = -(-np.array(list(had.values()), np.int64) // space.step[demands])
        yield Box(demands, least, np.maximum(space.most[demands], least))

    def check(self, reading: Reading) -> Iterator[Level]:
        space = reading.space
        names = space.scenario.demands["id"]
        for i, cents in self._had(space.scenario).items():
            step = int(space.step[i])
            yield Level(
                str(names.iat[i]), int(reading.granted[i]) // step, -(-cents // step), None, int(space.asked[i]) // step
            )


_OUTSIDE = "\0"  # a row that `on` leaves out: no value of an attribute


class _Places:
    """Which value of `per` each row of a reference belongs to."""

    def __init__(self, scenario: Any, on: Selection, per: str | None) -> None:
        self.scenario, self.on, self.per = scenario, on, per
        self.pick = on.pick(scenario)
        self.demands = {name: i for i, name in enumerate(scenario.demands["id"])}
        self.territories = {name: t for t, name in enumerate(scenario.territories["id"])}
        self.measures = {measure.id: m for m, measure in enumerate(scenario.measures)}
        self.funds = {fund.id for fund in scenario.funds}
        self.by_demand = on.demands is not None or any(name in scenario.demands for name in on.where or {})

    def of(self, row: Past) -> str | None:
        """The value; `_OUTSIDE` where `on` leaves the row out; None where the scenario has no such place."""
        i = self.demands.get(row.demand)
        if i is None:
            return self._of_gone(row)
        if not self.pick.demands[i]:
            return _OUTSIDE
        demand = self.scenario.demands.iloc[i]
        return self._value(row, self.territories[demand["territory"]], str(demand["measure"]), i)

    def _of_gone(self, row: Past) -> str | None:
        t, m = self.territories.get(row.territory), self.measures.get(row.measure)
        if t is None or self.by_demand or (m is None and self.on.measures is not None):
            return None
        if not self.pick.territories[t] or (m is not None and not self.pick.measures[m]):
            return _OUTSIDE
        return self._value(row, t, row.measure if m is not None else None, None)

    def _value(self, row: Past, t: int, measure: str | None, i: int | None) -> str | None:
        on, per = self.on, self.per
        if (on.funds is not None and not row.fund) or (on.years is not None and row.year is None):
            return None
        if (on.funds is not None and row.fund not in on.funds) or (on.years is not None and row.year not in on.years):
            return _OUTSIDE
        if per is None:
            return ""
        if per == "fund":
            return row.fund if row.fund in self.funds else None
        if per == "year":
            return str(row.year) if row.year in self.scenario.years else None
        if per == "measure":
            return measure
        if per == "territory":
            return str(self.scenario.territories["id"].iat[t])
        if per in self.scenario.demands:
            return None if i is None else str(self.scenario.demands[per].iat[i])
        return str(self.scenario.territories[per].iat[t])


def _gone(names: list[str]) -> Iterator[Problem]:
    if names:
        shown = listed(list(dict.fromkeys(names)), 5)
        yield Problem(
            "reference",
            Text(
                f"{len(names)} ligne(s) de la référence n'ont plus de place dans ce scénario : {shown}",
                f"{len(names)} row(s) of the reference have no place in this scenario any more: {shown}",
            ),
            Text("leur argent est libre", "their money is free"),
        )
